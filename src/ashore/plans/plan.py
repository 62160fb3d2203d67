"""The plan: which plants open where and when, what is made and shipped, at what expected cost."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ashore import duties
from ashore.errors import Fault, raise_if
from ashore.network import Network
from ashore.plans import benders, decode, infeasible
from ashore.plans import objective as objectives
from ashore.plans.calendar import Floats
from ashore.plans.futures import Futures
from ashore.plans.law import claims_of, law_of
from ashore.plans.ledger import ledger
from ashore.plans.money import forgone, potential
from ashore.plans.posed import Posed, check_options, ground, set_off, size, stand
from ashore.plans.solver import Answer, Limits, NoPlan
from ashore.rules import RuleBook

HUGE = 6_000_000  # columns beyond which a plan is built and told branch by branch
TABLES = (
    "open", "steps", "make", "flows", "stock", "served", "lost", "quotas", "limits", "node_costs", "branches", "duty",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """The best plan found. Tables are Polars frames; see :mod:`ashore.plans.decode` for their columns.

    quotas: what entered within and beyond quotas, and what was turned away; see :func:`ashore.plans.decode.at_border`.
    limits: how far each limit of the network is used; see :func:`ashore.plans.decode.at_limits`.

    cost_usd: expected discounted cost; margin_usd: revenue_usd less it. objective_usd: what was minimised, with
    bound_usd below it: (1 − risk)·cost_usd + risk·tail_usd; for margin the same of cost less revenue; for worst the
    cost of the dearest branch; for regret the largest regret of a branch (the last two: risk = tail = 1).
    tail_usd: mean over the dearest share 1 − ``tail`` of the branches of cost, for margin of cost less revenue.
    gap: (objective_usd − bound_usd) / |objective_usd|; for margin and regret, which may be 0, over the objective and
    what it is set against (the revenue possible; the cost of the best plans known).
    duty_usd: expected discounted duty, ``duty`` by heading.
    node_costs: node, parent, chance, cost_usd (discounted, if the node comes to pass), expected_usd, path_usd.
    branches: node (the last one), chance, cost_usd, revenue_usd, margin_usd, and for regret best_usd and regret_usd.
    """

    status: str
    method: str
    objective: str
    objective_usd: float
    bound_usd: float
    gap: float
    cost_usd: float
    tail_usd: float
    revenue_usd: float
    margin_usd: float
    seconds: dict[str, float]
    columns: int
    rows: int
    open: pl.DataFrame
    steps: pl.DataFrame
    make: pl.DataFrame
    flows: pl.DataFrame
    stock: pl.DataFrame
    served: pl.DataFrame
    lost: pl.DataFrame
    quotas: pl.DataFrame
    limits: pl.DataFrame
    duty_usd: float
    duty: pl.DataFrame
    node_costs: pl.DataFrame
    branches: pl.DataFrame
    ledger: pl.DataFrame
    notes: tuple[str, ...]
    estimates: tuple[str, ...]
    start: date
    months: int
    risk: float
    tail: float
    posed: Posed | None = field(default=None, compare=False, repr=False)
    answer: Answer | None = field(default=None, compare=False, repr=False)

    def whole(self) -> tuple[Posed, Answer]:
        """The model of the plan and its answer, for questions asked later. Raises FaultyInput if they are not kept."""
        if self.posed is None or self.answer is None:
            what = f"A plan of {self.columns:,} columns is built branch by branch; its model is not kept for questions."
            raise_if([Fault("ashore plan", what, "Ask about fewer branches or months, or with --method extensive.")])
        assert self.posed is not None
        assert self.answer is not None
        return self.posed, self.answer

    def as_dict(self, with_ledger: bool = True) -> dict[str, Any]:
        """Everything as plain values, dates as text."""
        found = self.document(with_ledger)
        return {name: x.to_dicts() if isinstance(x, pl.DataFrame) else x for name, x in found.items()}

    def document(self, with_ledger: bool = True) -> dict[str, Any]:
        """Everything as plain values and tables, dates as text."""
        result: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "status", "method", "objective", "objective_usd", "bound_usd", "gap", "cost_usd", "tail_usd",
                "revenue_usd", "margin_usd", "seconds", "columns", "rows", "duty_usd", "months", "risk", "tail",
            )
        }  # fmt: skip
        result["start"] = self.start.isoformat()
        for name in (*TABLES, "ledger") if with_ledger else TABLES:
            frame: pl.DataFrame = getattr(self, name)
            result[name] = frame.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d"))
        result["notes"], result["estimates"] = list(self.notes), list(self.estimates)
        return result


def solve(  # noqa: PLR0913, PLR0917 (the options of the verb)
    network: Network,
    book: RuleBook,
    start: date,
    months: int,
    futures: Futures | None = None,
    gap: float = 1e-6,
    time: float | None = None,
    risk: float = 0.0,
    tail: float = 0.9,
    method: str = "auto",
    progress: benders.Progress | None = None,
    objective: str = "cost",
) -> Plan:
    """The plan of least (1 − risk)·mean + risk·CVaR_tail of the discounted cost, proven to within ``gap``.

    objective: "cost"; "margin", the same of cost less revenue (most margin); "worst", least cost of the dearest branch;
    "regret", least largest regret, that is cost less that of the best plan for the branch alone.
    Without ``futures`` the law of ``book`` holds throughout, that of its last day beyond its coverage. ``time`` is in
    seconds; when it is up the best plan found so far is given, with status "time_limit". ``method`` is "extensive" (one
    model), "benders" (:mod:`ashore.plans.benders`), or "auto": the one that suits the size of the tree. ``progress``
    is called by the latter with bound, best cost and seconds after every round.
    Raises FaultyInput, OutsideCoverage, Unresolved, Infeasible (which demand cannot be met and why), SolverTrouble.
    """
    if method not in benders.METHODS:
        remedy = f"Write one of {', '.join(benders.METHODS)}."
        raise_if([Fault("--method", f"'{method}' is no method.", remedy)])
    limits = Limits(gap, time)
    check_options(limits, risk, tail, objective)
    begun = clock.perf_counter()
    site = ground(network, book, start, months, futures, objective == "margin")
    if method != "extensive" and objective == "cost" and risk <= 0 and size(site) > HUGE:
        from ashore.plans import pieces

        return pieces.solve(site, limits, progress, clock.perf_counter() - begun)
    posed = stand(site, limits, risk, tail, objective)
    posed = replace(posed, seconds=clock.perf_counter() - begun)
    try:
        posed = set_off(posed)
        answer = objectives.answer(posed.model, posed.arrays, posed.aim, posed.limits, method=method, progress=progress)
    except NoPlan:
        raise infeasible.explain(posed.model, posed.arrays) from None
    return finish(posed, answer)


def finish(posed: Posed, answer: Answer) -> Plan:
    """The answer of the solver as a plan."""
    model, cal = posed.model, posed.calendar
    x = answer.x
    spent = posed.charges.by_node(cal, x)
    along = spent.copy()
    for node, parent in enumerate(cal.node_parent):
        if parent >= 0:
            along[node] += along[parent]
    aim = posed.aim
    value = aim.of(aim.along(aim.costs.by_node(cal, x)))
    bound = min(answer.bound - aim.lift, value)
    against = abs(value + aim.lift)
    served, lost, revenue = decode.delivering(model, x)
    branches = _branches(posed, x, along)
    loss = branches["cost_usd"] - branches["revenue_usd"] if posed.objective == "margin" else branches["cost_usd"]
    mean = float(cal.node_chance @ spent)
    rows = ledger(model, posed.law, posed.futures, x)
    duty = duty_table(rows)
    entered = decode.at_border(model, posed.law, posed.futures, x)
    parents = [None if parent < 0 else cal.nodes[parent] for parent in cal.node_parent]
    nodes = pl.DataFrame(
        {
            "node": pl.Series(cal.nodes, dtype=pl.String),
            "parent": pl.Series(parents, dtype=pl.String),
            "chance": cal.node_chance,
            "cost_usd": spent,
            "expected_usd": spent * cal.node_chance,
            "path_usd": along,
        }
    )
    return Plan(
        status=answer.status,
        method=answer.method,
        objective=posed.objective,
        objective_usd=value,
        bound_usd=bound,
        gap=(value - bound) / against if against else 0.0,
        cost_usd=mean,
        tail_usd=replace(aim, risk=1.0).measure(loss.to_numpy()),
        revenue_usd=revenue,
        margin_usd=revenue - mean,
        seconds={"build": round(posed.seconds, 4), "solve": round(answer.seconds, 4)},
        columns=posed.arrays.columns,
        rows=posed.arrays.rows,
        open=decode.openings(model, x),
        steps=decode.steps(model, x),
        make=decode.making(model, x),
        flows=decode.moving(model, x),
        stock=decode.stocking(model, x),
        served=served,
        lost=lost,
        quotas=entered,
        limits=decode.at_limits(model, x),
        duty_usd=float(duty["usd"].sum()),
        duty=duty,
        node_costs=nodes,
        branches=branches,
        ledger=rows,
        notes=(*posed.notes, *_notes(posed, x, float(entered["turned_away"].sum()))),
        estimates=tuple(posed.network.estimates()),
        start=cal.dates[0],
        months=cal.months,
        risk=aim.risk,
        tail=aim.tail,
        posed=posed,
        answer=answer,
    )


def _branches(posed: Posed, x: Floats, along: Floats) -> pl.DataFrame:
    """What each branch costs and brings in; for regret beside the best plan for it alone."""
    cal, ends = posed.calendar, posed.aim.ends
    revenue = posed.aim.along(potential(posed.model) - forgone(posed.model).by_node(cal, x))
    chance, cost = cal.node_chance[ends], along[ends]
    table = {
        "node": pl.Series([cal.nodes[node] for node in ends], dtype=pl.String),
        "chance": chance,
        "cost_usd": cost,
        "revenue_usd": revenue,
        "margin_usd": revenue - cost,
    }
    if posed.objective == "regret":
        counts = chance > 0
        table["best_usd"] = pl.Series(np.where(counts, posed.aim.credits, np.nan), nan_to_null=True)
        table["regret_usd"] = pl.Series(np.where(counts, cost - posed.aim.credits, np.nan), nan_to_null=True)
    return pl.DataFrame(table)


def duty_table(rows: pl.DataFrame) -> pl.DataFrame:
    """heading, authority, usd (expected, discounted), paid_usd (expected, undiscounted)."""
    usd = pl.col("cents") * pl.col("chance") / 100
    return (
        rows.filter(pl.col("item") == "duty")
        .group_by("heading", "authority")
        .agg(usd=(usd * pl.col("factor")).sum(), paid_usd=usd.sum())
        .sort("usd", "heading", descending=[True, False])
    )


def _notes(posed: Posed, x: Floats, turned_away: float) -> list[str]:
    notes = list(posed.futures.notes)
    if turned_away:
        notes.append("Some goods arrive where they may not be entered, and are lost; see quotas.")
    idle = dict.fromkeys(each.counted.limit.name for each in posed.model.limited if not len(each.ends))
    notes.extend(f"The limit {name} is about months beyond the plan." for name in idle)
    cal, reach, law = posed.calendar, posed.reach, posed.law
    for market, product in posed.model.wants:
        if (market, product) not in reach.first:
            notes.append(f"No {product} can reach {market}: all of its demand is lost.")
    found = decode.used(posed.model.move, x)
    articles: dict[int, set[int]] = {}
    for arc, slot in zip(found.item.tolist(), found.slot.tolist(), strict=True):
        if law.article[arc] >= 0:
            articles.setdefault(int(law.article[arc]), set()).add(int(slot))
    for article in sorted(articles):
        key = law.articles[article]
        needs: set[str] = set()
        days: set[tuple[int, date]] = set()
        for slot in sorted(articles[article]):
            book, day = law_of(posed.futures, cal, slot)
            if (id(book), day) in days or len(days) > 200:
                continue
            days.add((id(book), day))
            if not law.banned[article, slot]:
                needs |= set(duties.needs(book, key.hts, key.origin, day, claims_of(book, key)))
        if needs:
            claims = ", ".join(sorted(needs))
            notes.append(
                f"Duty on {duties.dotted(key.hts)} from {key.origin} depends on claims not given ({claims}); "
                "the plan relies on the assumed case."
            )
    estimates = posed.network.estimates()
    if estimates:
        notes.append(f"{len(estimates)} figures of the network are estimates or from memory; see estimates.")
    return notes
