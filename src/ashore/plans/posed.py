"""A plan asked for, before it is solved: its ground, its model, and what each branch could be planned for alone."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from ashore.dates import DAY
from ashore.errors import Fault, raise_if
from ashore.network import Network
from ashore.plans import infeasible
from ashore.plans import objective as objectives
from ashore.plans.aim import Aim
from ashore.plans.calendar import Calendar, Floats, demand_by_slot, lay_out
from ashore.plans.futures import Futures, check_demand, held_law
from ashore.plans.law import Law, read_law
from ashore.plans.model import Model, build
from ashore.plans.money import Charges, charges
from ashore.plans.parallel import here, spread
from ashore.plans.reach import Reach, reachable
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Limits
from ashore.rules import RuleBook


@dataclass(frozen=True)
class Ground:
    """What a plan is asked about, before any column is made: months, goods that can exist, demand, law.

    units: by (market, product) and slot; prices: price and lost_usd by month of each, NaN where none is given.
    """

    network: Network
    futures: Futures
    calendar: Calendar
    reach: Reach
    units: dict[tuple[str, str], Floats]
    prices: dict[tuple[str, str], tuple[Floats, Floats]]
    law: Law

    def only(self, nodes: Any) -> Ground:
        """The same in some nodes of the tree, True for each of them."""
        calendar, slots = self.calendar.only(nodes)
        units = {key: amount[slots] for key, amount in self.units.items()}
        return replace(self, calendar=calendar, units=units, law=self.law.only(slots))


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
    arrays: Arrays  # of least expected cost by the aim's charges
    aim: Aim
    limits: Limits
    seconds: float
    objective: str = "cost"
    notes: tuple[str, ...] = ()


def pose(  # noqa: PLR0913, PLR0917 (the options of the verb)
    network: Network,
    book: RuleBook,
    start: date,
    months: int,
    futures: Futures | None = None,
    limits: Limits | None = None,
    risk: float = 0.0,
    tail: float = 0.9,
    objective: str = "cost",
) -> Posed:
    """The model of a plan, not yet solved; for regret see :func:`set_off`."""
    begun = clock.perf_counter()
    check_options(limits or Limits(), risk, tail, objective)
    site = ground(network, book, start, months, futures, objective == "margin")
    posed = stand(site, limits or Limits(), risk, tail, objective)
    return replace(posed, seconds=clock.perf_counter() - begun)


def ground(
    network: Network, book: RuleBook, start: date, months: int, futures: Futures | None = None, priced: bool = False
) -> Ground:
    """What a plan is asked about; ``priced``: demand must have a price."""
    futures = futures or held_law(book, start)
    faults: list[Fault] = []
    check_demand(futures, network, faults)
    if priced:
        faults += objectives.unpriced(network, futures)
    raise_if(faults)
    calendar = lay_out(futures, start, months, network.settings.discount_year)
    futures = futures.hold(calendar.dates[-1] + DAY)
    base, _ = demand_by_month(network, months)
    prices = all_prices(network, futures, months)
    units = demand_by_slot(futures, calendar, base)
    reach = reachable(network, units, months, book.country, calendar.month)
    infeasible.refuse_unreachable(network, reach, calendar, units, prices)
    return Ground(network, futures, calendar, reach, units, prices, read_law(network, futures, calendar, reach))


def size(site: Ground) -> int:
    """Nearly how many columns the model of a plan has."""
    count = np.cumsum(np.bincount(site.calendar.month, minlength=site.calendar.months))
    spans = [(run.earliest, run.latest) for run in site.reach.runs]
    spans += [(arc.earliest, arc.latest) for arc in site.reach.arcs]
    spans += [(min(pool.earliest, len(count) - 1), len(count) - 1) for pool in site.reach.pools if pool.keeps]
    return int(sum(count[last] - (count[first - 1] if first else 0) for first, last in spans))


def stand(
    site: Ground,
    limits: Limits,
    risk: float = 0.0,
    tail: float = 0.9,
    objective: str = "cost",
    most: Mapping[tuple[str, str], float] | None = None,
) -> Posed:
    """The model of a plan on its ground; ``most`` as in :func:`ashore.plans.model.build`."""
    begun = clock.perf_counter()
    calendar, law = site.calendar, site.law
    model = build(site.network, calendar, site.reach, site.units, site.prices, law, most)
    costs = charges(model, law)
    aim = objectives.aimed(model, costs, objective, risk, tail)
    arrays = model.sheet.arrays(aim.costs.expected(calendar, model.sheet.columns))
    seconds = clock.perf_counter() - begun
    return Posed(
        site.network, site.futures, calendar, site.reach, law, model, costs, arrays, aim, limits, seconds, objective
    )


def set_off(posed: Posed) -> Posed:
    """The same plan with each branch set against the best plan for it alone, if regret is asked for.

    Of a time limit half is for these plans.
    """
    if posed.objective != "regret":
        return posed
    begun, limits = clock.perf_counter(), posed.limits
    each = limits
    if limits.seconds is not None:
        each = replace(limits, seconds=limits.seconds / 2 * min(1.0, here().slots / len(posed.calendar.leaves)))
    credit, notes = foreseen(posed, each)
    return replace(posed, aim=replace(posed.aim, credit=credit), limits=limits.since(begun), notes=tuple(notes))


def foreseen(posed: Posed, limits: Limits) -> tuple[Floats, list[str]]:
    """What the best plan for each branch alone loses, were it known from the start; 0 for branches of chance 0.

    Also notes on what was not proven within the time allowed for each.
    """
    cal, ends = posed.calendar, posed.aim.ends
    possible = np.flatnonzero(posed.aim.chance > 0).tolist()
    loss, notes = np.zeros(len(ends)), []
    for k, found in zip(possible, spread(_alone, possible, (posed, limits)), strict=True):
        loss[k], short = found
        if short:
            said = f"was not proven in time; it may cost up to {short:,.0f} USD less."
            notes.append(f"The best plan for {cal.nodes[int(ends[k])]} alone {said}")
    return loss, notes


def _alone(common: tuple[Posed, Limits], end: int) -> tuple[float, float]:
    """What the best plan loses if the end of the tree is known from the start, and what it may lack to the best."""
    (posed, limits), cal = common, common[0].calendar
    tree = objectives.branch(posed.futures, cal.nodes[int(posed.aim.ends[end])])
    kind = "margin" if posed.objective == "margin" else "cost"
    one = pose(posed.network, tree.nodes[0].book, cal.dates[0], cal.months, tree, limits, objective=kind)
    found = objectives.answer(one.model, one.arrays, one.aim, limits)
    short = 0.0 if found.status == "optimal" else found.objective - found.bound
    return found.objective - one.aim.lift, short


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


def check_options(limits: Limits, risk: float, tail: float, objective: str) -> None:
    faults = objectives.misfits(objective, risk)
    for where, value, good, remedy in (
        ("--gap", limits.gap, limits.gap >= 0, "Give a share of at least 0, as 0.001."),
        ("--time", limits.seconds, limits.seconds is None or limits.seconds > 0, "Give seconds above 0."),
        ("--risk", risk, 0 <= risk <= 1, "Give a weight between 0 (mean only) and 1 (tail only)."),
        ("--tail", tail, 0 <= tail < 1, "Give a share from 0 up to, not including, 1, as 0.9."),
    ):
        if not good:
            faults.append(Fault(where, f"{value} is out of range.", remedy))
    raise_if(faults)
