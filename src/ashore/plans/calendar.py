"""Months and decision moments of a tree of futures, as arrays.

A *slot* is a month in the node that holds it; the slots form a tree in which the parent of a slot is the month
before it on the same path. A *moment* is a decision moment: every slot is one, except the first slot of the children
of a node without months, whose decision that node has already taken, at the same date and before the branch was known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ashore.dates import LAST_DAY, month_date
from ashore.errors import Fault, raise_if
from ashore.plans.futures import Futures, NodeDemand

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def transit_months(days: float) -> int:
    """Months on the way: days / 30.4375, halves up."""
    return int(np.floor(days / 30.4375 + 0.5))


@dataclass(frozen=True)
class Calendar:
    """Slots and moments of a plan of ``months`` months; parents stand before children.

    nodes: names; node_parent: place of the parent or -1; node_chance: chance of the node seen from the start.
    node, month, parent: of each slot. moment: of each slot, the last moment at its date on its path.
    moment_node, moment_month, moment_parent: of each moment. chance, factor: of each slot (path chance, discount).
    """

    dates: tuple[date, ...]
    nodes: tuple[str, ...]
    node_parent: Ints
    node_chance: Floats
    node: Ints
    month: Ints
    parent: Ints
    moment: Ints
    moment_node: Ints
    moment_month: Ints
    moment_parent: Ints
    factor_month: Floats

    @property
    def months(self) -> int:
        return len(self.dates)

    @property
    def size(self) -> int:
        return len(self.node)

    @cached_property
    def chance(self) -> Floats:
        return self.node_chance[self.node]

    @cached_property
    def factor(self) -> Floats:
        return self.factor_month[self.month]

    @cached_property
    def leaves(self) -> Ints:
        """The slots of the last month, one for each branch of the tree."""
        return np.flatnonzero(self.month == self.months - 1)

    @cached_property
    def _ancestors(self) -> dict[int, Ints]:
        return {0: np.arange(self.size)}

    def ancestor(self, lag: int) -> Ints:
        """The slot ``lag`` months before each slot on its path; -1 before the start."""
        known = self._ancestors
        for step in range(max(known) + 1, lag + 1):
            before = known[step - 1]
            known[step] = np.where(before >= 0, self.parent[before], -1)
        return known[lag]

    @cached_property
    def _moments_before(self) -> dict[int, Ints]:
        return {0: np.arange(len(self.moment_month))}

    def moment_before(self, lag: int) -> Ints:
        """The last moment ``lag`` months before each moment on its path (for 0 itself); -1 before the start."""
        known = self._moments_before
        if lag not in known:
            found, date = known[0].copy(), self.moment_month - lag
            while np.any(late := (found >= 0) & (self.moment_month[found] > date)):
                found[late] = self.moment_parent[found[late]]
            known[lag] = found
        return known[lag]

    def pairs(self, lag: int) -> tuple[Ints, Ints]:
        """Departure and arrival slots of goods ``lag`` months on the way: one pair for each arrival slot."""
        before = self.ancestor(lag)
        arrive = np.flatnonzero(before >= 0)
        return before[arrive], arrive

    def path(self, slot: int) -> Ints:
        """The slots from the start to this one."""
        found = [slot]
        while self.parent[found[-1]] >= 0:
            found.append(int(self.parent[found[-1]]))
        return np.array(found[::-1])

    def only(self, nodes: Any) -> tuple[Calendar, Ints]:
        """The slots and moments of some nodes (True for each of them, whose parents must be among them).

        Returns them as a calendar with the same nodes, and the places of its slots in this one.
        """
        slots, moments = np.flatnonzero(nodes[self.node]), np.flatnonzero(nodes[self.moment_node])
        place, new = np.full(self.size + 1, -1), np.full(len(self.moment_node) + 1, -1)
        place[slots], new[moments] = np.arange(len(slots)), np.arange(len(moments))
        found = replace(
            self,
            node=self.node[slots],
            month=self.month[slots],
            parent=place[self.parent[slots]],
            moment=new[self.moment[slots]],
            moment_node=self.moment_node[moments],
            moment_month=self.moment_month[moments],
            moment_parent=new[self.moment_parent[moments]],
        )
        return found, slots

    def over_leaves(self, values: Any) -> Floats:
        """For each slot, the largest over the leaves below it of the sum of ``values`` from the slot to the leaf.

        values: shape (slots, k). Returns the same shape.
        """
        total = np.array(values, dtype=float)
        best = np.zeros_like(total)
        for month in range(self.months - 1, -1, -1):
            here = np.flatnonzero(self.month == month)
            total[here] += best[here]
            if month:
                np.maximum.at(best, self.parent[here], total[here])
        return total


def lay_out(futures: Futures, start: date, months: int, discount_year: float) -> Calendar:
    """The calendar of a tree from ``start`` on. Raises FaultyInput if the tree does not fit the months of the plan."""
    faults: list[Fault] = []
    if months < 1:
        raise_if([Fault("--months", f"{months} is no number of months.", "Plan at least 1 month.")])
    if start.year + (start.month - 1 + months) // 12 > LAST_DAY.year:
        what = f"{months} months from {start} end after {LAST_DAY}."
        raise_if([Fault("--months", what, "Plan fewer months, or start earlier.")])
    dates = tuple(month_date(start, month) for month in range(months))
    root = futures.nodes[0]
    if root.start > start:
        what = f"The first node '{root.name}' holds from {root.start}, but the plan starts on {start}."
        faults.append(Fault(futures.where, what, f"Start the node on {start} or before, or the plan later."))
    late = [node for node in futures.nodes if node.start > dates[-1]]
    if late:
        last = max(node.start for node in late)
        away = 12 * (last.year - start.year) + last.month - start.month
        need = away + (1 if last.day <= month_date(start, away).day else 2)
        names = ", ".join(node.name for node in late[:6]) + (", …" if len(late) > 6 else "")
        what = f"The plan's last month starts on {dates[-1]}, before {names} (up to {last})."
        faults.append(Fault(futures.where, what, f"Plan --months {need}, or leave these nodes out."))
    raise_if(faults)
    return _lay_out(futures, dates, discount_year)


def _lay_out(futures: Futures, dates: tuple[date, ...], discount_year: float) -> Calendar:
    months, nodes = len(dates), futures.nodes
    first = [next(t for t, day in enumerate(dates) if day >= node.start) for node in nodes]
    parents = [-1 if node.parent is None else futures.index(node.parent) for node in nodes]
    until = [months] * len(nodes)
    splits = [False] * len(nodes)  # whether the children start on the node's own date
    for k, parent in enumerate(parents):
        if parent >= 0:
            until[parent] = first[k]
            splits[parent] = nodes[k].start == nodes[parent].start
    chance = np.ones(len(nodes))
    slot: list[tuple[int, int, int]] = []  # node, month, parent slot
    moment: list[tuple[int, int, int]] = []  # node, month, parent moment
    slot_moment: list[int] = []
    end_slot, end_moment, decided = [-1] * len(nodes), [-1] * len(nodes), [-1] * len(nodes)
    for k, node in enumerate(nodes):
        above = parents[k]
        last_slot, last_moment, taken = (
            (end_slot[above], end_moment[above], decided[above]) if above >= 0 else (-1, -1, -1)
        )
        chance[k] = node.chance * (chance[above] if above >= 0 else 1.0)
        span = range(first[k], until[k])
        if not span and splits[k]:
            moment.append((k, first[k], last_moment))
            last_moment = len(moment) - 1
        for month in span:
            if month != taken:
                moment.append((k, month, last_moment))
                last_moment = len(moment) - 1
            slot.append((k, month, last_slot))
            slot_moment.append(last_moment)
            last_slot = len(slot) - 1
        end_slot[k], end_moment[k] = last_slot, last_moment
        decided[k] = first[k] if splits[k] else -1
    slots, moments = np.array(slot, dtype=np.int64), np.array(moment, dtype=np.int64)
    return Calendar(
        dates=dates,
        nodes=tuple(node.name for node in nodes),
        node_parent=np.array(parents),
        node_chance=chance,
        node=slots[:, 0],
        month=slots[:, 1],
        parent=slots[:, 2],
        moment=np.array(slot_moment),
        moment_node=moments[:, 0],
        moment_month=moments[:, 1],
        moment_parent=moments[:, 2],
        factor_month=(1.0 + discount_year) ** (-np.arange(months) / 12.0),
    )


def demand_by_slot(
    futures: Futures, calendar: Calendar, base: dict[tuple[str, str], Floats]
) -> dict[tuple[str, str], Floats]:
    """Units wanted by (market, product) and slot: the network's by month (``base``), replaced where nodes say so.

    Raises FaultyInput for a row whose month its node does not have.
    """
    first = np.searchsorted(calendar.node, np.arange(len(calendar.nodes)))  # the slots of a node stand together
    count = np.bincount(calendar.node, minlength=len(calendar.nodes))
    found = {key: units[calendar.month] for key, units in base.items()}
    for row in futures.demand:
        found.setdefault((row.market, row.product), np.zeros(calendar.size))
    number = {key: k for k, key in enumerate(found)}
    units = np.array(list(found.values())).reshape(len(found), calendar.size)
    faults: list[Fault] = []
    for monthly, some in _by_kind(futures):
        node = np.array([futures.index(row.node) for row in some], dtype=np.int64)
        start, slots = first[node], count[node]
        if monthly:
            month = np.array([row.month for row in some], dtype=np.int64)
            held = calendar.month[np.minimum(start, calendar.size - 1)]
            out = (slots == 0) | (month < held) | (month >= held + slots)
            start, slots = start + month - held, np.ones(len(some), dtype=np.int64)
        else:
            out = slots == 0
        for k in np.flatnonzero(out).tolist():
            faults.append(_no_such_month(some[k], int(first[node[k]]), int(count[node[k]]), calendar))
        slots = np.where(out, 0, slots)
        place = np.repeat(start - np.cumsum(slots) + slots, slots) + np.arange(int(slots.sum()))
        want = np.array([number[row.market, row.product] for row in some], dtype=np.int64)
        units[np.repeat(want, slots), place] = np.repeat(np.array([row.units for row in some], dtype=float), slots)
    raise_if(faults)
    return dict(zip(found, units, strict=True))


def _by_kind(futures: Futures) -> list[tuple[bool, list[NodeDemand]]]:
    """The rows of demand for every month of a node, then those for one month, which take their place."""
    rows = futures.demand
    return [(False, [row for row in rows if row.month is None]), (True, [row for row in rows if row.month is not None])]


def _no_such_month(row: NodeDemand, first: int, count: int, calendar: Calendar) -> Fault:
    what = f"Month {row.month} is not in node '{row.node}'" if count else f"Node '{row.node}' has no month"
    remedy = "Give the demand to its children."
    if count:
        remedy = f"It has months {calendar.month[first]} to {calendar.month[first + count - 1]}."
    return Fault("demand.csv", what + ".", remedy, row.row, "month")
