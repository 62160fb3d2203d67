"""Strategic decisions on sites: opened, expanded by modules, laid up and restarted, closed for good.

Notation of the docstrings: p a plant, m a decision moment, m′ the moment before it on its path, d(m, k) the last moment
at the date k months before m; l the lead time of p, λ and M lead time and greatest number of its modules.

What a plant is, each 0 or 1: ready[p,m] = opened[p, d(m, l)], always 1 for a plant open at the start; held[p,m], ready
and not closed; on[p,m], held and not laid up. So closed = ready − held and idle = held − on. Before the first moment a
plant open at the start is all three and a candidate none. Where a plant cannot be closed held is ready, where it cannot
be laid up on is held, and no columns are made. Larger columns never allow less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ashore.network import Plant
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.sheet import INFINITE, Mask, Sheet


@dataclass(frozen=True)
class Sites:
    """Columns of the decisions on sites, candidates first; arrays (plants, moments), -1 where there is no column.

    opened: (candidates, moments), 1 from the moment a plant is ordered on. base: of the plants open at the start, fixed
    at 1. ready, held, on: see above. laid, woken: 1 at the moment a plant is laid up or restarted. ordered: modules
    ordered so far; fitted: those of them that are ready; running: those ready at a plant that is on.
    group: number of the independent part of each plant.
    """

    calendar: Calendar
    plants: tuple[Plant, ...]
    group: Ints
    opened: Ints
    base: Ints
    ready: Ints
    held: Ints
    on: Ints
    laid: Ints
    woken: Ints
    ordered: Ints
    fitted: Ints
    running: Ints

    @property
    def candidates(self) -> int:
        """Number of the plants that may be opened."""
        return len(self.opened)

    def of(self, field: str) -> Floats:
        """A figure of each plant, 0 where it is not given; shape (plants, 1)."""
        values = [float(getattr(plant, field) or 0.0) for plant in self.plants]
        return np.array(values).reshape(-1, 1)

    @property
    def flexible(self) -> Mask:
        """Whether each plant can stand still: be laid up or closed."""
        return np.array([_stands_still(plant) for plant in self.plants], dtype=bool)

    @property
    def start(self) -> Ints:
        """For each plant the column that is 1 before the first moment; -1 for candidates."""
        return np.concatenate([np.full(self.candidates, -1), self.base])

    def before(self, state: Ints) -> Ints:
        """The columns of ready, held or on at the moment before each."""
        parent = self.calendar.moment_parent
        return np.where(parent >= 0, state[:, parent], self.start[:, None])

    def earlier(self, orders: Ints) -> Ints:
        """The columns of opened or ordered at the moment before each; -1 where nothing can be ordered."""
        parent = self.calendar.moment_parent
        return np.where((parent >= 0) & (orders >= 0), orders[:, parent], -1)

    @property
    def blocks(self) -> tuple[Ints, ...]:
        """The columns made for each decision, with those left out (-1) that stand for another."""
        closes, rests = _flags(self.plants, lambda plant: plant.closes), _flags(self.plants, lambda plant: plant.rests)
        held, on = np.where(closes, self.held, -1), np.where(rests, self.on, -1)
        running = np.where(self.flexible[:, None], self.running, -1)
        return (self.opened, held, on, self.laid, self.woken, self.ordered, running)

    def states(self) -> Iterator[tuple[tuple[str, str], Ints]]:
        """What decides: (state, plant) and its columns by moment, for opened, ordered, held and on."""
        for state, block in (("opened", self.opened), ("ordered", self.ordered), ("held", self.held), ("on", self.on)):
            for plant, columns in zip(self.plants, block, strict=False):  # opened: candidates, which stand first
                yield (state, plant.name), columns

    def own(self, name: str) -> Ints:
        """All columns of one plant that are not fixed."""
        k = [plant.name for plant in self.plants].index(name)
        return np.concatenate([block[k][block[k] >= 0] for block in self.blocks if k < len(block)])


def decide(
    sheet: Sheet, calendar: Calendar, candidates: Sequence[Plant], standing: Sequence[Plant], group: Ints
) -> Sites:
    """The columns; ``group``: the independent part of each plant, candidates first."""
    cal, plants, part = calendar, (*candidates, *standing), group.reshape(-1, 1)
    shape, last = (len(plants), len(cal.moment_node)), cal.months

    def made(mask: Any, upper: Any = 1.0, integer: bool = True) -> Ints:
        return sheet.add_columns(np.broadcast_to(mask, shape), upper, integer=integer, group=part)

    def at(columns: Ints, lags: list[int]) -> Ints:
        """Of each plant the columns at d(m, lag)."""
        found = np.full((len(lags), shape[1]), -1, dtype=np.int64)
        for k, lag in enumerate(lags):
            moment = cal.moment_before(lag)
            found[k] = np.where(moment >= 0, columns[k, moment], -1)
        return found

    lead = _whole(candidates, lambda plant: plant.lead_months)
    opened = sheet.add_columns(cal.moment_month + lead < last, 1.0, integer=True, group=part[: len(candidates)])
    still = _flags(plants, _stands_still)
    decided = np.where(still, part, -1)[len(candidates) :, 0]  # what is fixed belongs to no part
    base = sheet.add_columns(np.ones(len(standing), dtype=bool), 1.0, lower=1.0, group=decided)
    ready = np.concatenate(
        [
            at(opened, [plant.lead_months for plant in candidates]),
            np.broadcast_to(base[:, None], (len(standing), shape[1])),
        ]
    )
    closes, rests = _flags(plants, lambda plant: plant.closes), _flags(plants, lambda plant: plant.rests)
    held = np.where(closes, made(closes & (ready >= 0)), ready)
    on = np.where(rests, made(rests & (ready >= 0)), held)
    was_ready = (cal.moment_parent >= 0) & (ready[:, cal.moment_parent] >= 0)
    most, wait = _whole(plants, lambda plant: plant.modules or 0), _whole(plants, lambda plant: plant.module_lead)
    fits = cal.moment_month >= _whole(plants, _soonest)
    ordered = made((most > 0) & fits & (cal.moment_month + wait < last), most)
    fitted = at(ordered, [plant.module_lead for plant in plants])
    return Sites(
        calendar=cal,
        plants=plants,
        group=group,
        opened=opened,
        base=base,
        ready=ready,
        held=held,
        on=on,
        laid=made(rests & (ready >= 0), integer=False),
        woken=made(rests & was_ready, integer=False),
        ordered=ordered,
        fitted=fitted,
        running=np.where(still, made(still & (fitted >= 0), most, integer=False), fitted),
    )


def constrain(sheet: Sheet, sites: Sites) -> None:
    """All rows that tie the decisions to one another."""
    for rule in (openings_last, modules_last, modules_wait, closings_last, only_held_runs, steps, running):
        rule(sheet, sites)


def openings_last(sheet: Sheet, sites: Sites) -> None:
    """A plant once ordered stays: opened[p,m] ≥ opened[p,m′]."""
    _never_less(sheet, sites.opened, sites.earlier(sites.opened), sites.group[: sites.candidates])


def modules_last(sheet: Sheet, sites: Sites) -> None:
    """A module once ordered stays: ordered[p,m] ≥ ordered[p,m′]."""
    _never_less(sheet, sites.ordered, sites.earlier(sites.ordered), sites.group)


def modules_wait(sheet: Sheet, sites: Sites) -> None:
    """No module of a candidate is ready before the plant: ordered[p,m] ≤ M · opened[p, d(m, max(0, l − λ))]."""
    count, cal = sites.candidates, sites.calendar
    ordered = sites.ordered[:count]
    rows = sheet.add_rows(ordered >= 0, -INFINITE, 0.0, sites.group[:count, None])
    sheet.put(rows, ordered, 1.0)
    for k, plant in enumerate(sites.plants[:count]):
        if plant.modules:
            moment = cal.moment_before(_soonest(plant))
            sheet.put(rows[k], np.where(moment >= 0, sites.opened[k, moment], -1), -float(plant.modules))


def closings_last(sheet: Sheet, sites: Sites) -> None:
    """A plant once closed stays closed: ready[p,m] − held[p,m] ≥ ready[p,m′] − held[p,m′]."""
    closes = _flags(sites.plants, lambda plant: plant.closes)
    rows = sheet.add_rows(closes & (sites.held >= 0), 0.0, INFINITE, sites.group[:, None])
    for state, sign in ((sites.ready, 1.0), (sites.held, -1.0)):
        sheet.put(rows, state, sign)
        sheet.put(rows, sites.before(state), -sign)


def only_held_runs(sheet: Sheet, sites: Sites) -> None:
    """What is not there or closed does not run: on[p,m] ≤ held[p,m]."""
    rests = _flags(sites.plants, lambda plant: plant.rests)
    rows = sheet.add_rows(rests & (sites.on >= 0), 0.0, INFINITE, sites.group[:, None])
    sheet.put(rows, sites.held, 1.0)
    sheet.put(rows, sites.on, -1.0)


def steps(sheet: Sheet, sites: Sites) -> None:
    """Laying up and restarting, with idle = held − on:

    laid[p,m] ≥ idle[p,m] − idle[p,m′];  woken[p,m] ≥ (on[p,m] − on[p,m′]) − (ready[p,m] − ready[p,m′]).
    """
    rows = sheet.add_rows(sites.laid >= 0, 0.0, INFINITE, sites.group[:, None])
    sheet.put(rows, sites.laid, 1.0)
    for state, sign in ((sites.held, -1.0), (sites.on, 1.0)):
        sheet.put(rows, state, sign)
        sheet.put(rows, sites.before(state), -sign)
    rows = sheet.add_rows(sites.woken >= 0, 0.0, INFINITE, sites.group[:, None])
    sheet.put(rows, sites.woken, 1.0)
    for state, sign in ((sites.on, -1.0), (sites.ready, 1.0)):
        sheet.put(rows, state, sign)
        sheet.put(rows, sites.before(state), -sign)


def running(sheet: Sheet, sites: Sites) -> None:
    """The modules that run are those ready, if the plant is on, and else none; with fitted[p,m] = ordered[p, d(m, λ)]

    running ≤ fitted,  running ≤ M · on,  running ≥ fitted − M · (ready − on), each at [p,m].
    """
    mask = sites.flexible[:, None] & (sites.running >= 0)
    most, group = sites.of("modules"), sites.group[:, None]
    for low, high, terms in (
        (-INFINITE, 0.0, ((sites.fitted, -1.0),)),
        (-INFINITE, 0.0, ((sites.on, -most),)),
        (0.0, INFINITE, ((sites.fitted, -1.0), (sites.ready, most), (sites.on, -most))),
    ):
        rows = sheet.add_rows(mask, low, high, group)
        sheet.put(rows, sites.running, 1.0)
        for columns, factor in terms:
            sheet.put(rows, columns, factor)


def _never_less(sheet: Sheet, columns: Ints, before: Ints, group: Ints) -> None:
    rows = sheet.add_rows((columns >= 0) & (before >= 0), 0.0, INFINITE, group[:, None])
    sheet.put(rows, columns, 1.0)
    sheet.put(rows, before, -1.0)


def _stands_still(plant: Plant) -> bool:
    return plant.rests or plant.closes


def _soonest(plant: Plant) -> int:
    """Months a module is ordered after its plant at the earliest: max(0, l − λ), 0 at a plant open at the start."""
    return 0 if plant.open else max(0, plant.lead_months - plant.module_lead)


def _flags(plants: Sequence[Plant], of: Callable[[Plant], bool]) -> Mask:
    """Whether something holds of each plant, shape (plants, 1)."""
    return np.array([of(plant) for plant in plants], dtype=bool).reshape(-1, 1)


def _whole(plants: Sequence[Plant], of: Callable[[Plant], int]) -> Ints:
    """A whole number of each plant, shape (plants, 1)."""
    return np.array([of(plant) for plant in plants], dtype=np.int64).reshape(-1, 1)
