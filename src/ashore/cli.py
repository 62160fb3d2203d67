"""The command line: each verb reads what the user typed, calls one function, and prints its result."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from ashore import __version__
from ashore.errors import AshoreError, Fault, FaultyInput, raise_if
from ashore.worth.given import Given

if TYPE_CHECKING:
    from ashore.plans import Futures
    from ashore.rules import RuleBook
    from ashore.worth import Rig

app = App(
    name="ashore",
    version=__version__,
    help="What a bitcoin mining rig costs where it is plugged in when trade policy moves, and where to make it.",
)
case = App(name="case", help="The cases that ship with ashore.")
app.command(case)

LONG = 20_000  # rows beyond which a document is written on one line, which is many times faster

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON document and nothing else.")]
Hold = Annotated[str | None, Parameter(name="--hold", help="Hold the law of the last vouched day up to this date.")]
Known = Annotated[str | None, Parameter(name="--known", help="Answer with the law as it was known on this date.")]
Outlook = Annotated[Given | None, Parameter(name="*", negative=())]
Scenario = Annotated[Path | None, Parameter(name="--scenario", help="TOML file of [[change]] tables to rate under.")]


@app.command
def duty(
    *,
    hts: str | None = None,
    origin: Annotated[str | None, Parameter(name=["--from", "--origin"])] = None,
    origins: str | None = None,
    on: str | None = None,
    value: str | None = None,
    mode: str | None = None,
    loaded: str | None = None,
    claim: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)] = (),
    lines: Path | None = None,
    out: Path | None = None,
    rejects: Path | None = None,
    known: Known = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """What one entry line, or a file of lines, owes, under which heading, and why.

    Parameters
    ----------
    hts: tariff number, 8 or 10 digits, with or without dots.
    origin: country of origin, ISO 3166 alpha-2.
    origins: origins in doubt with their chances, the claimed one first, as MY:0.7,CN:0.3; instead of --from.
    on: date of entry, as 2026-11-22.
    value: customs value in USD.
    mode: air, ocean or truck.
    loaded: day the goods were loaded on the means of transport that brings them in.
    claim: KEY=VALUE; may be given several times.
    lines: CSV or Parquet of lines (hts, origin, entry_date, value_usd, ...), instead of one line.
    out: where to write the rated file, .csv or .parquet.
    rejects: where to write the lines no entry could be made of, with the reasons; by default beside --out.
    """
    from ashore import duties, report

    book = _book(hold, scenario, known)
    if lines is not None:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no linear algebra here; its threads only cost start
        from ashore.duties.bulk import rate_file

        if out is None:
            raise FaultyInput(
                [Fault("--out", "no output file is named.", "Add --out rated.csv or --out rated.parquet.")]
            )
        with _progress("lines rated", quiet=json_) as done:
            summary = rate_file(book, lines, out, done, rejects)
        _print(summary.as_dict(), report.text_of_summary, json_)
        for reason in summary.reasons:
            print(f"{lines}, {reason}", file=sys.stderr)
        if summary.rejected:
            print(f"{summary.rejected} rejected lines are in {summary.rejects}", file=sys.stderr)
        return 1 if summary.rejected else 0
    if origins is not None and origin is not None:
        raise _Usage("give --from or --origins, not both")
    claimed = origin if origins is None else origins.partition(":")[0]
    given = {"--hts": hts, "--from": claimed, "--on": on, "--value": value}
    missing = [name for name, text in given.items() if text is None]
    if missing or hts is None or claimed is None or on is None or value is None:
        raise _Usage(f"ashore duty needs {', '.join(missing)}, or --lines FILE --out FILE")
    entry, faults = duties.read_entry(book, hts, claimed, on, value, mode, loaded, claim)
    doubted = () if origins is None else duties.entry.read_origins(book, origins, faults)
    if entry is None or faults:
        _raise_entry(faults)
        return 1
    answer = duties.assess(book, entry)
    document = duties.dispute(book, entry, doubted).as_dict() if doubted else answer.as_dict()
    _print(document, report.text_of_duty, json_)
    return 1 if answer.status == "unresolved" else 0


@app.command
def rules(
    *,
    on: str | None = None,
    hts: str | None = None,
    origin: Annotated[str | None, Parameter(name=["--from", "--origin"])] = None,
    diff: Annotated[tuple[str, str] | None, Parameter(negative=())] = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """The rules of the book, those in force for an article on a day, or what changed between two days.

    Parameters
    ----------
    on: only rules in force on this day.
    hts: only rules that bear on this tariff number.
    origin: only rules that bear on goods of this country.
    diff: two days; shows what started, ended or changed between them, and with --hts for whom.
    """
    from ashore import duties, report
    from ashore.rules import listing

    book = _book(hold, scenario)
    faults: list[Fault] = []
    digits = duties.entry.read_hts(hts, faults) if hts is not None else None
    country = duties.entry.read_origin(book, origin, faults) if origin is not None else None
    if diff is not None:
        days = [duties.entry.read_day(text, "--diff", faults) for text in diff]
        raise_if(faults)
        before, after = (day for day in days if day is not None)
        book.require(before, "--diff")
        book.require(after, "--diff")
        document = listing.difference(book, before, after, digits, country)
        if digits is not None:
            document["origins"] = duties.changed_totals(book, digits, before, after, country)
        _print(document, report.text_of_difference, json_)
        return 0
    day = duties.entry.read_day(on, "--on", faults) if on is not None else None
    raise_if(faults)
    if day is not None:
        book.require(day)
    _print(listing.listed(book, day, digits, country), report.text_of_rules, json_)
    return 0


@app.command
def check(folder: Path | None = None, *, futures: Path | None = None, json_: Json = False) -> int:
    """Checks the rule book, or a supply-network folder (and a futures file), and names every fault.

    Parameters
    ----------
    folder: a network folder, a rule-book folder, or nothing for the shipped rule book.
    futures: a futures file or folder to check as well.
    """
    from ashore import report
    from ashore import rules as rule_books

    is_book = folder is not None and (folder / "coverage.toml").is_file()
    book = rule_books.load(folder if is_book else None)
    if is_book or (folder is None and futures is None):
        _print(rule_books.listing.census(book), report.text_of_census, json_)
        return 0
    from ashore import network

    net = network.load(network.cases.find(folder))
    document: dict[str, Any] = {"folder": str(folder or network.cases.DEFAULT), "faults": [], **net.census()}
    if futures is not None:
        from ashore import plans

        document["futures"] = plans.read_futures(futures, book, net).as_dict()
    _print(document, report.text_of_network, json_)
    return 0


@case.command(name="list")
def case_list(*, json_: Json = False) -> int:
    """Names the cases that ship with ashore."""
    from ashore import report
    from ashore.network import cases

    document = {"cases": [{"case": name, "title": cases.title(name)} for name in cases.names()]}
    _print(document, report.text_of_cases, json_)
    return 0


@case.command(name="copy")
def case_copy(name: str, to: Path | None = None, *, json_: Json = False) -> int:
    """Copies a shipped case into a folder of your own, to edit.

    Parameters
    ----------
    name: the case, as `ashore case list` names it.
    to: the new folder; by default the case's name in the current folder.
    """
    from ashore import report
    from ashore.network import cases

    folder = cases.copy(name, to or Path(name))
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    _print({"folder": str(folder), "files": files}, report.text_of_copy, json_)
    return 0


@app.command
def land(
    folder: Path | None = None,
    *,
    on: str,
    product: str | None = None,
    market: str | None = None,
    top: int | None = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Landed cost of every route, part by part, cheapest first.

    Parameters
    ----------
    folder: supply-network folder or shipped case; by default the shipped case.
    on: day on which the goods are entered.
    product: only this product.
    market: only this market.
    top: show only so many routes of each product and market (text output).
    """
    from ashore import costs, network, report

    book = _book(hold, scenario)
    day = _day(on, "--on")
    book.require(day)
    net = network.load(network.cases.find(folder))
    landed = costs.land(net, book, day, product=product, market=market)
    _print(landed.as_dict(), lambda document: report.text_of_landed(document, top), json_)
    return 0


@app.command
def plan(
    folder: Path | None = None,
    *,
    start: str,
    months: int,
    futures: Path | None = None,
    objective: str = "cost",
    risk: float = 0.0,
    tail: float = 0.9,
    gap: float = 1e-6,
    time: float | None = None,
    method: str = "auto",
    options: Annotated[bool, Parameter(negative=())] = False,
    frontier: int | None = None,
    figure: Path | None = None,
    why: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)] = (),
    shadow: Annotated[bool, Parameter(negative=())] = False,
    cluster: str | None = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Where to make and ship: the best plan for the demand, over one law or a tree of futures, with its bound.

    Parameters
    ----------
    folder: supply-network folder or shipped case; by default the shipped case.
    start: first day of month 0.
    months: number of months planned.
    futures: futures file (TOML) or folder; by default the law at the end of the coverage is held.
    objective: cost (least), margin (most revenue less cost), worst (least cost of the dearest branch), or regret (least
        largest regret: cost of a branch less that of the best plan for it alone).
    risk: weight of the tail, 0 to 1, for cost and margin: minimises (1-risk) x mean + risk x CVaR.
    tail: level of the CVaR, as 0.9.
    gap: relative gap at which the solver may stop.
    time: seconds after which the best plan so far is taken; Ctrl-C takes it at once.
    method: extensive (one model), benders (the tree taken apart into branches), or auto, which looks at the size.
    options: also value each candidate plant, perfect information and the stochastic plan; and --shadow.
    frontier: number of plans, as 7, between least mean and least tail: the curve of one against the other.
    figure: file to draw the curve into, .svg, .png or .json (Vega-Lite).
    why: PLANT[,PLANT...]; compares with the best plan without it, or, if the plan does not have it, with it.
    shadow: what one more unit a month of capacity, supply and demand is worth, by node and year.
    cluster: solve side by side on a Dask cluster: local, local:4 (processes), or the scheduler's tcp://HOST:PORT.
    """
    from ashore import network, plans, report

    day = _day(start, "--start")
    book = _book(hold, scenario)
    net = network.load(network.cases.find(folder))
    tree: Futures | None = None if futures is None else plans.read_futures(futures, book, net)
    asked = _names(why)
    plans.check_plants(net, asked)
    points = _check_frontier(frontier, objective, figure)
    with plans.workers(cluster):
        with _proving() as progress:
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
        document = result.as_dict(with_ledger=result.ledger.height < LONG)
        if "ledger" not in document:
            document["notes"].append(f"The ledger of {result.ledger.height:,} rows is left out; plans.solve gives it.")
        extras: list[tuple[str, bool, Callable[[], dict[str, Any]]]] = [
            ("values", options, lambda: plans.options(result, time).as_dict()),
            ("shadow prices", options or shadow, lambda: plans.shadow(result, time).as_dict()),
            ("frontier", points > 0, lambda: plans.frontier(result, points, time).as_dict()),
            ("comparisons", bool(asked), lambda: {"why": [e.as_dict() for e in plans.why(result, asked, time)]}),
        ]
        _add(document, [(what, work) for what, wanted, work in extras if wanted])
    if figure is not None and "frontier" in document:
        report.draw(report.frontier(document), figure)
    _print(document, report.text_of_plan, json_)
    return 0


@app.command
def clear(
    folder: Path | None = None,
    *,
    on: str | None = None,
    conduct: str | None = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Prices, shares and who gains when every maker faces the same policy, with the range over models.

    Parameters
    ----------
    folder: market folder (market.toml, goods.csv), or supply network with a market.toml, or shipped case; by default
        the folder you are in if it is one of them, else the shipped case.
    on: day of entry for rates that come from the rule book, as 2026-11-22.
    conduct: instead of the one in market.toml: bertrand, cournot, moncom; for a supply network world, region, moncom.
    """
    from ashore import markets, report

    def books() -> tuple[RuleBook, RuleBook]:
        return _book(hold, None), _book(hold, scenario)

    day = None if on is None else _day(on, "--on")
    path = markets.find(folder)
    if markets.is_network(path):
        from ashore import network
        from ashore.markets import rigs

        if day is None:
            raise FaultyInput([Fault("--on", "Rates come from the rule book, but for no day.", "Add --on 2026-11-22.")])
        net = network.load(path)
        answer = rigs.clear(net, rigs.read_settings(path, net, conduct), books(), day)
        _print(answer.as_dict(), report.text_of_rigs, json_)
        return 0
    cleared = markets.clear(markets.load(path, markets.Law(books, day, scenario is not None), conduct))
    _print(cleared.as_dict(), report.text_of_market, json_)
    return 0


@app.command(name="report")
def report_(
    folder: Path | None = None,
    *,
    start: str | None = None,
    months: int = 36,
    futures: Path | None = None,
    out: Path = Path("report.html"),
    json_: Json = False,
) -> int:
    """The one-screen answer for a network, and one self-contained HTML page with its figures.

    Parameters
    ----------
    folder: supply-network folder or shipped case; by default the shipped case.
    start: first day of month 0; by default the last day the rule book vouches for.
    months: number of months planned.
    futures: futures file; by default the law at the end of the coverage is held.
    out: where to write the page.
    """
    from ashore import network, report
    from ashore import rules as rule_books

    book = rule_books.load()
    day = _day(start, "--start") if start is not None else date.fromordinal(book.until.toordinal() - 1)
    answer = report.answer(network.load(network.cases.find(folder)), book, day, months, futures)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report.page(answer), encoding="utf-8")
    _print(answer.as_dict() | {"page": str(out)}, report.text_of_answer, json_)
    return 0


@app.command
def worth(
    *,
    product: str | None = None,
    ths: float | None = None,
    watts: float | None = None,
    price_usd_ths: float,
    power_usd_kwh: float,
    duty_rate: float = 0.0,
    network: Path | None = None,
    outlook: Outlook = None,
    paths: int = 10_000,
    seed: int | None = None,
    json_: Json = False,
) -> int:
    """What a rig is worth at a price of power: income, payback, present value, option value, and the duty it can bear.

    Parameters
    ----------
    product:
        a rig of the network, instead of --ths and --watts.
    ths:
        hash rate of the rig, TH/s.
    watts:
        power it draws, W.
    price_usd_ths:
        price of the rig where it is plugged in, without duty, USD for each TH/s.
    power_usd_kwh:
        all-in price of power, USD per kWh.
    duty_rate:
        duty paid on top, as a share of the price.
    network:
        folder or shipped case whose products --product names; by default the shipped case.
    paths:
        paths of the hash price drawn for the bands.
    seed:
        of those paths; another one gives other paths.
    """
    from ashore import report
    from ashore import worth as worths

    rig = _rig(product, ths, watts, network)
    seen, assumptions = worths.outlook_of(outlook or Given())
    drawn = {"paths": paths} if seed is None else {"paths": paths, "seed": seed}
    found = worths.appraise(rig, price_usd_ths, power_usd_kwh, seen, duty_rate, assumptions=assumptions, **drawn)
    _print(found.as_dict(), report.text_of_worth, json_)
    return 0


@app.command
def offers(
    file: Path,
    *,
    on: str | None = None,
    futures: Path | None = None,
    network: Path | None = None,
    scarce: str = "cash",
    outlook: Outlook = None,
    paths: int = 10_000,
    seed: int | None = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Which offer of rigs to take: each landed on its day of arrival under every branch of the law, and ranked.

    Parameters
    ----------
    file:
        CSV file of offers, one a row.
    on:
        day on which they are judged and ordered; by default the last day the rule book vouches for.
    futures:
        futures file or folder; by default the law at the end of the coverage is held.
    network:
        folder or shipped case with the lanes, markets and products; by default the shipped case.
    scarce:
        cash ranks by what is left for each USD laid out, power for each MW.
    paths:
        paths of the hash price drawn for the chances.
    seed:
        of those paths; another one gives other paths.
    """
    from ashore import network as networks
    from ashore import offers as offered
    from ashore import plans, report
    from ashore import worth as worths

    book = _book(hold, scenario)
    net = networks.load(networks.cases.find(network))
    day = _day(on, "--on") if on is not None else date.fromordinal(book.until.toordinal() - 1)
    tree = plans.held_law(book, day) if futures is None else plans.read_futures(futures, book, net)
    seen, assumptions = worths.outlook_of(outlook or Given())
    found = offered.read_offers(file, net, book, day)
    tree = tree.hold(offered.needed_until(found))
    branches = [
        offered.Branch(nodes[-1].name, chance, tuple((node.start, node.name, node.book) for node in nodes))
        for chance, nodes in tree.branches()
    ]
    basis = offered.basis_of(net, day, seen, scarce, paths, seed)
    ranking = offered.rank(found, branches, basis, assumptions, [*tree.notes, *book.caveats(day)])
    _print(ranking.as_dict(), report.text_of_offers, json_)
    return 0


@app.command
def series(
    sources: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    *,
    out: Path | None = None,
    node: str | None = None,
    cookie: Path | None = None,
    days: int = 30,
    step: int = 1,
    json_: Json = False,
) -> int:
    """A daily series of price, fees, difficulty and hash price from files, services and a node of your own.

    Parameters
    ----------
    sources:
        CSV files, answers of Coin Metrics or mempool.space, as files or their addresses; earlier ones count first.
    out:
        where to write the series, for --series.
    node:
        address of a bitcoind's JSON-RPC, as http://user:password@127.0.0.1:8332; it gives fees and difficulty.
    cookie:
        the cookie file bitcoind writes, instead of user and password.
    days:
        days asked of the node, back from its tip.
    step:
        ask the node for every so many blocks only.
    """
    from ashore import mining, report

    if not sources and node is None:
        raise _Usage("ashore series needs a file, an address or --node URL")
    nodes = [] if node is None else [mining.from_node(mining.Node(node, cookie=cookie), days, step)]
    found = mining.load_all(sources, nodes)
    if out is not None:
        out.write_text(found.text(), encoding="utf-8")
    _print(found.as_dict() | {"out": None if out is None else str(out)}, report.text_of_series, json_)
    return 0


class _Usage(Exception):
    """Wrong usage that the argument parser cannot see; exit code 2."""


def _book(hold: str | None, scenario: Path | None, known: str | None = None) -> RuleBook:
    """The shipped rule book, as known, held and changed as the user asked."""
    from ashore import rules as rule_books
    from ashore.tables import read_toml

    book = rule_books.load()
    if known is not None:
        book = book.as_known(_day(known, "--known"))
    if hold is not None:
        book = book.hold(date.fromordinal(_day(hold, "--hold").toordinal() + 1))
    if scenario is not None:
        faults: list[Fault] = []
        document = read_toml(scenario, faults)
        raise_if(faults)
        changes = rule_books.read_changes(document.get("change", []), book, str(scenario), faults)
        raise_if(faults)
        book = book.under(changes)
    return book


def _names(given: tuple[str, ...]) -> list[str]:
    """The names in an option that may be repeated and may hold several, parted by commas."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def _rig(product: str | None, ths: float | None, watts: float | None, folder: Path | None) -> Rig:
    """The rig a user means: a product of a network, or hash rate and power."""
    from ashore import network
    from ashore.worth import Rig, rig_of

    if product is not None and ths is None and watts is None:
        return rig_of(network.load(network.cases.find(folder)), product)
    if product is not None or ths is None or watts is None:
        raise _Usage("give --product, or --ths and --watts")
    return Rig(ths, watts)


def _day(text: str, where: str) -> date:
    from ashore.duties.entry import read_day

    faults: list[Fault] = []
    day = read_day(text, where, faults)
    raise_if(faults)
    assert day is not None
    return day


@contextmanager
def _progress(what: str, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A counter on standard error where a person watches; nothing in pipes."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(what), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda count: bar.update(task, completed=count)


def _check_frontier(points: int | None, objective: str, figure: Path | None) -> int:
    """The number of points asked for, 0 for none; refuses what cannot be drawn before anything is solved."""
    from ashore import report
    from ashore.plans.frontier import misfits

    faults = [] if points is None else misfits(points, objective)
    if figure is not None:
        if points is None:
            faults.append(Fault("--figure", "There is no curve to draw.", "Ask for one: --frontier 7."))
        faults += report.misfits(figure, "--figure")
    raise_if(faults)
    return points or 0


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


@contextmanager
def _proving() -> Iterator[Callable[[float, float, float], None] | None]:
    """A line of bound, best plan, gap and seconds on standard error where a person watches; nothing in pipes."""
    if not sys.stderr.isatty():
        yield None
        return

    def line(bound: float, best: float, seconds: float) -> None:
        gap = f"{(best - bound) / abs(best):.1e}" if best and isfinite(best - bound) else "-"
        told = [f"{usd:,.0f}" if isfinite(usd) else "-" for usd in (bound, best)]
        text = f"bound {told[0]}  best {told[1]}  gap {gap}  {seconds:.0f} s"
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    try:
        yield line
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _raise_entry(faults: list[Fault]) -> None:
    from ashore.errors import OutsideCoverage

    raise_if(faults, OutsideCoverage if all("vouches" in fault.what for fault in faults) else FaultyInput)


def _print(document: dict[str, Any], text: Any, json_: bool) -> None:
    if json_:
        rows = sum(len(value) for value in document.values() if isinstance(value, list))
        print(json.dumps(document, ensure_ascii=False, indent=1 if rows < LONG else None))
    else:
        text(document)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: exit 0 on success, 1 on faulty input or an unresolvable question, 2 on wrong usage."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except (CycloptsError, _Usage) as error:
        print(f"ashore: {error}", file=sys.stderr)
        print("Try: ashore --help", file=sys.stderr)
        sys.exit(2)
    except AshoreError as error:
        if "--json" in words:
            print(json.dumps({"error": type(error).__name__, "faults": [f.as_dict() for f in error.faults]}, indent=1))
        print(str(error), file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        print("ashore: stopped", file=sys.stderr)
        sys.exit(130)
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> None:
    """Ends the process, without waiting for a solver that was told to stop and has not heard it yet."""
    watch = sys.modules.get("ashore.plans.watch")
    if watch is not None and watch.at_work():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
