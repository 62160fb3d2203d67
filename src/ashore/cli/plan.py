"""The verb plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashore.cli.app import LONG, Flag, Hold, Json, Names, Scenario, app, day_or_last, law_book, names_in, proving, show
from ashore.errors import Fault, raise_if

if TYPE_CHECKING:
    from ashore.plans import Futures, Plan
    from ashore.report.picture import Picture


@app.command
def plan(
    folder: Path | None = None,
    *,
    start: str | None = None,
    months: int = 36,
    futures: Path | None = None,
    objective: str = "cost",
    risk: float = 0.0,
    tail: float = 0.9,
    gap: float = 1e-6,
    time: float | None = None,
    method: str = "auto",
    options: Flag = False,
    frontier: int | None = None,
    figure: Path | None = None,
    why: Names = (),
    shadow: Flag = False,
    breakeven: Names = (),
    breakeven_most: float = 0.5,
    cluster: str | None = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Where to make and ship: the best plan for the demand, over one law or a tree of futures, with its bound.

    Parameters
    ----------
    folder:
        supply-network folder or shipped case; by default the shipped case.
    start:
        first day of month 0; by default the last day the rule book vouches for.
    months:
        number of months planned.
    futures:
        futures file (TOML) or folder; by default the law at the end of the coverage is held.
    objective:
        cost (least), margin (most revenue less cost), worst (least cost of the dearest branch), or regret (least
        largest regret: cost of a branch less that of the best plan for it alone).
    risk:
        weight of the tail, 0 to 1, for cost and margin: minimises (1-risk) x mean + risk x CVaR.
    tail:
        level of the CVaR, as 0.9.
    gap:
        relative gap at which the solver may stop.
    time:
        seconds after which the best plan so far is taken; Ctrl-C takes it at once.
    method:
        extensive (one model), benders (the tree taken apart into branches), or auto, which looks at the size.
    options:
        also value each candidate plant, perfect information and the stochastic plan; and --shadow.
    frontier:
        number of plans, as 7, between least mean and least tail: the curve of one against the other.
    figure:
        file to draw into, .svg, .png or .json (Vega-Lite): the curve of --frontier, the ladders or map of --breakeven,
        else what is decided in each node of the --futures.
    why:
        PLANT[,PLANT...]; compares with the best plan without it, or, if the plan does not have it, with it.
    shadow:
        what one more unit a month of capacity, supply and demand is worth, by node and year.
    breakeven:
        RULE[,RULE...]; the rates at which what is decided first flips; two rules make a map.
    breakeven_most:
        highest rate looked at, a share of customs value.
    cluster:
        solve side by side on a Dask cluster: local, local:4 (processes), or the scheduler's tcp://HOST:PORT.
    """
    from ashore import network, plans, report

    book = law_book(hold, scenario)
    day = day_or_last(start, "--start", book)
    net = network.load(network.cases.find(folder))
    tree: Futures | None = None if futures is None else plans.read_futures(futures, book, net)
    asked, named = names_in(why), names_in(breakeven)
    plans.check_plants(net, asked)
    if named:
        plans.check_breakeven(tree or plans.held_law(book, day), named, objective, breakeven_most)
    points = _check_frontier(frontier, objective)
    draw = _check_figure(figure, frontier is not None, bool(named), tree)
    with plans.workers(cluster):
        with proving() as progress:
            result = plans.solve(
                net,
                book,
                day,
                months,
                tree,
                gap=gap,
                time=time,
                risk=risk,
                tail=tail,
                method=method,
                progress=progress,
                objective=objective,
            )
        document = result.document(with_ledger=result.ledger.height < LONG)
        if "ledger" not in document:
            document["notes"].append(f"The ledger of {result.ledger.height:,} rows is left out; plans.solve gives it.")

        def flips() -> plans.Flips:
            return plans.flips(result, named, breakeven_most, time=time)

        extras: list[tuple[str, bool, Callable[[], dict[str, Any]]]] = [
            ("values", options, lambda: plans.options(result, time).as_dict()),
            ("shadow prices", options or shadow, lambda: plans.shadow(result, time).as_dict()),
            ("frontier", points > 0, lambda: plans.frontier(result, points, time).as_dict()),
            ("break-evens", bool(named), lambda: {"breakeven": flips().as_dict()}),
            ("comparisons", bool(asked), lambda: {"why": [e.as_dict() for e in plans.why(result, asked, time)]}),
        ]
        _add(document, [(what, work) for what, wanted, work in extras if wanted])
    if figure is not None and draw in document:
        report.draw(_picture(draw, document, result, tree), figure)
    show(document, report.text_of_plan, json_)
    return 0


def _check_frontier(points: int | None, objective: str) -> int:
    """The number of points asked for, 0 for none."""
    from ashore.plans.frontier import misfits

    raise_if([] if points is None else misfits(points, objective))
    return points or 0


def _check_figure(figure: Path | None, frontier: bool, breakeven: bool, tree: Futures | None) -> str:
    """The key of a plan's document that is drawn; refuses what cannot be before anything is solved."""
    from ashore import report

    if figure is None:
        return ""
    faults = report.misfits(figure, "--figure")
    if frontier and breakeven:
        faults.append(Fault("--figure", "There are two things to draw.", "Ask for one of --frontier and --breakeven."))
    if not frontier and not breakeven and (tree is None or len(tree.nodes) == 1):
        remedy = "Ask for --frontier 7, --breakeven RULE, or --futures with several nodes."
        faults.append(Fault("--figure", "There is nothing to draw.", remedy))
    raise_if(faults)
    return "frontier" if frontier else "breakeven" if breakeven else "steps"


def _picture(draw: str, document: dict[str, Any], plan: Plan, tree: Futures | None) -> Picture:
    from ashore import report

    if draw == "steps":
        assert tree is not None
        return report.decisions(plan, tree, document)
    return report.frontier(document) if draw == "frontier" else report.breakeven(document)


def _add(document: dict[str, Any], extras: list[tuple[str, Callable[[], dict[str, Any]]]]) -> None:
    """Adds to a plan what was asked beside it; after Ctrl-C, in the plan or since, no more."""
    stopped = document["status"] == "stopped"
    for what, work in extras:
        try:
            if not stopped:
                document |= work()
        except KeyboardInterrupt:
            stopped = True
        if stopped:
            document["notes"].append(f"Stopped before the {what} asked for were worked out.")
