"""The plan: which plants open where and when, what is made and shipped, at what expected cost."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ashore import duties
from ashore.errors import Fault, raise_if
from ashore.network import Network
from ashore.plans import benders, decode, infeasible
from ashore.plans.calendar import Calendar, Floats, demand_by_slot, lay_out
from ashore.plans.futures import Futures, check_demand, held_law
from ashore.plans.law import Law, claims_of, law_of, read_law
from ashore.plans.ledger import ledger
from ashore.plans.model import Model, build
from ashore.plans.money import Charges, charges, tail_mean
from ashore.plans.reach import Reach, reachable
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, Limits, NoPlan
from ashore.plans.tail import Aim
from ashore.rules import RuleBook

TABLES = ("open", "make", "flows", "stock", "served", "lost", "quotas", "node_costs", "duty")


@dataclass(frozen=True)
class Posed:
    """A plan asked for, as a model: everything a solver, and a question asked of the answer later, needs."""

    network: Network
    futures: Futures
    calendar: Calendar
    reach: Reach
    law: Law
    model: Model
    charges: Charges
    arrays: Arrays  # of least expected cost
    aim: Aim
    limits: Limits
    seconds: float


@dataclass(frozen=True)
class Plan:
    """The best plan found. Tables are Polars frames; see :mod:`ashore.plans.decode` for their columns.

    quotas: what entered within and beyond quotas, and what was turned away; see :func:`ashore.plans.decode.at_border`.

    cost_usd: expected discounted cost. tail_usd: mean cost of the dearest share 1 − ``tail`` of the branches.
    objective_usd: (1 − risk)·cost_usd + risk·tail_usd. duty_usd: expected discounted duty, ``duty`` by heading.
    node_costs: node, parent, chance, cost_usd (discounted, if the node comes to pass), expected_usd, path_usd.
    """

    status: str
    method: str
    objective_usd: float
    bound_usd: float
    gap: float
    cost_usd: float
    tail_usd: float
    revenue_usd: float
    seconds: dict[str, float]
    columns: int
    rows: int
    open: pl.DataFrame
    make: pl.DataFrame
    flows: pl.DataFrame
    stock: pl.DataFrame
    served: pl.DataFrame
    lost: pl.DataFrame
    quotas: pl.DataFrame
    duty_usd: float
    duty: pl.DataFrame
    node_costs: pl.DataFrame
    ledger: pl.DataFrame
    notes: tuple[str, ...]
    estimates: tuple[str, ...]
    start: date
    months: int
    risk: float
    tail: float
    posed: Posed | None = field(default=None, compare=False, repr=False)
    answer: Answer | None = field(default=None, compare=False, repr=False)

    def as_dict(self, with_ledger: bool = True) -> dict[str, Any]:
        """Everything as plain values, dates as text."""
        result: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "status", "method", "objective_usd", "bound_usd", "gap", "cost_usd", "tail_usd", "revenue_usd",
                "seconds", "columns", "rows", "duty_usd", "months", "risk", "tail",
            )
        }  # fmt: skip
        result["start"] = self.start.isoformat()
        for name in (*TABLES, "ledger") if with_ledger else TABLES:
            frame: pl.DataFrame = getattr(self, name)
            result[name] = frame.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d")).to_dicts()
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
) -> Plan:
    """The plan of least (1 − risk)·mean + risk·CVaR_tail of the discounted cost, proven to within ``gap``.

    Without ``futures`` the law of ``book`` holds throughout, that of its last day beyond its coverage. ``time`` is in
    seconds; when it is up the best plan found so far is given, with status "time_limit". ``method`` is "extensive" (one
    model), "benders" (:mod:`ashore.plans.benders`), or "auto": the one that suits the size of the tree. ``progress``
    is called by the latter with bound, best cost and seconds after every round.
    Raises FaultyInput, OutsideCoverage, Unresolved, Infeasible (which demand cannot be met and why), SolverTrouble.
    """
    if method not in benders.METHODS:
        remedy = f"Write one of {', '.join(benders.METHODS)}."
        raise_if([Fault("--method", f"'{method}' is no method.", remedy)])
    posed = pose(network, book, start, months, futures, Limits(gap, time), risk, tail)
    try:
        answer = benders.answer(posed.model, posed.arrays, posed.aim, posed.limits, method=method, progress=progress)
    except NoPlan:
        raise infeasible.explain(posed.model, posed.arrays) from None
    return finish(posed, answer)


def pose(
    network: Network,
    book: RuleBook,
    start: date,
    months: int,
    futures: Futures | None = None,
    limits: Limits | None = None,
    risk: float = 0.0,
    tail: float = 0.9,
) -> Posed:
    """The model of a plan, not yet solved."""
    begun = clock.perf_counter()
    limits = limits or Limits()
    _check_options(limits, risk, tail)
    futures = futures or held_law(book, start)
    faults: list[Fault] = []
    check_demand(futures, network, faults)
    raise_if(faults)
    calendar = lay_out(futures, start, months, network.settings.discount_year)
    futures = futures.hold(_day_after(calendar.dates[-1]))
    base, _ = demand_by_month(network, months)
    prices = all_prices(network, futures, months)
    units = demand_by_slot(futures, calendar, base)
    reach = reachable(network, units, months, book.country, calendar.month)
    infeasible.refuse_unreachable(network, reach, calendar, units, prices)
    law = read_law(network, futures, calendar, reach)
    model = build(network, calendar, reach, units, prices, law)
    costs = charges(model, law)
    arrays = model.sheet.arrays(costs.expected(calendar, model.sheet.columns))
    aim = Aim(costs, calendar, risk, tail)
    seconds = clock.perf_counter() - begun
    return Posed(network, futures, calendar, reach, law, model, costs, arrays, aim, limits, seconds)


def demand_by_month(
    network: Network, months: int
) -> tuple[dict[tuple[str, str], Floats], dict[tuple[str, str], tuple[Floats, Floats]]]:
    """Units, and (price, cost of losing one), by month of each (market, product); NaN: none given.

    A row with a month takes the place of the row for every month.
    """
    units: dict[tuple[str, str], Floats] = {}
    prices: dict[tuple[str, str], tuple[Floats, Floats]] = {}
    for row in sorted(network.demand, key=lambda row: row.month is not None):
        if row.month is not None and row.month >= months:
            continue
        key = (row.market, row.product)
        amount = units.setdefault(key, np.zeros(months))
        price, lost = prices.setdefault(key, (np.full(months, np.nan), np.full(months, np.nan)))
        span = slice(None) if row.month is None else slice(row.month, row.month + 1)
        amount[span] = row.units
        price[span] = np.nan if row.price_usd is None else row.price_usd
        lost[span] = np.nan if row.lost_usd is None else row.lost_usd
    return units, prices


def all_prices(network: Network, futures: Futures, months: int) -> dict[tuple[str, str], tuple[Floats, Floats]]:
    """The prices of :func:`demand_by_month`, and none (NaN) for what only the futures demand."""
    prices = demand_by_month(network, months)[1]
    nothing = np.full(months, np.nan)
    for row in futures.demand:
        prices.setdefault((row.market, row.product), (nothing, nothing))
    return prices


def finish(posed: Posed, answer: Answer) -> Plan:
    """The answer of the solver as a plan."""
    model, cal = posed.model, posed.calendar
    x = answer.x
    spent = posed.charges.by_node(cal, x)
    along = spent.copy()
    for node, parent in enumerate(cal.node_parent):
        if parent >= 0:
            along[node] += along[parent]
    ends = posed.aim.ends
    mean = float(posed.arrays.cost @ x)
    tail = tail_mean(along[ends], cal.node_chance[ends], posed.aim.tail)
    value = (1.0 - posed.aim.risk) * mean + posed.aim.risk * tail
    bound = min(answer.bound, value)
    served, lost, revenue = decode.delivering(model, x)
    rows = ledger(model, posed.law, posed.futures, x)
    duty = _duty_table(rows)
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
        objective_usd=value,
        bound_usd=bound,
        gap=(value - bound) / abs(value) if value else 0.0,
        cost_usd=mean,
        tail_usd=tail,
        revenue_usd=revenue,
        seconds={"build": round(posed.seconds, 4), "solve": round(answer.seconds, 4)},
        columns=posed.arrays.columns,
        rows=posed.arrays.rows,
        open=decode.openings(model, x),
        make=decode.making(model, x),
        flows=decode.moving(model, x),
        stock=decode.stocking(model, x),
        served=served,
        lost=lost,
        quotas=entered,
        duty_usd=float(duty["usd"].sum()),
        duty=duty,
        node_costs=nodes,
        ledger=rows,
        notes=tuple(_notes(posed, x, float(entered["turned_away"].sum()))),
        estimates=tuple(posed.network.estimates()),
        start=cal.dates[0],
        months=cal.months,
        risk=posed.aim.risk,
        tail=posed.aim.tail,
        posed=posed,
        answer=answer,
    )


def _duty_table(rows: pl.DataFrame) -> pl.DataFrame:
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


def _check_options(limits: Limits, risk: float, tail: float) -> None:
    faults = []
    for where, value, good, remedy in (
        ("--gap", limits.gap, limits.gap >= 0, "Give a share of at least 0, as 0.001."),
        ("--time", limits.seconds, limits.seconds is None or limits.seconds > 0, "Give seconds above 0."),
        ("--risk", risk, 0 <= risk <= 1, "Give a weight between 0 (mean only) and 1 (tail only)."),
        ("--tail", tail, 0 <= tail < 1, "Give a share from 0 up to, not including, 1, as 0.9."),
    ):
        if not good:
            faults.append(Fault(where, f"{value} is out of range.", remedy))
    raise_if(faults)


def _day_after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
