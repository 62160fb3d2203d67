"""What each column of the model costs, where on the tree and when; and the objective made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ashore.plans import quotas
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.law import Law
from ashore.plans.model import Model
from ashore.plans.sheet import INFINITE, Arrays


@dataclass(frozen=True)
class Charges:
    """USD (undiscounted) per unit of a column, in a node and month; one row each, several rows a column."""

    column: Ints
    node: Ints
    month: Ints
    usd: Floats

    def expected(self, calendar: Calendar, columns: int) -> Floats:
        """Expected discounted USD per unit of each column: Σ chance(node) · factor(month) · usd."""
        weight = calendar.node_chance[self.node] * calendar.factor_month[self.month]
        total: Floats = np.bincount(self.column, weights=weight * self.usd, minlength=columns).astype(float)
        return total

    def by_node(self, calendar: Calendar, x: Floats) -> Floats:
        """Discounted USD spent in each node by a solution, given that the node comes to pass."""
        spent = calendar.factor_month[self.month] * self.usd * x[self.column]
        total: Floats = np.bincount(self.node, weights=spent, minlength=len(calendar.nodes)).astype(float)
        return total


def charges(model: Model, law: Law) -> Charges:
    """Every charge of the plan under ``law``."""
    gather = _Gather(model, law)
    for step in (
        gather.making,
        gather.leaving,
        gather.entering,
        gather.beyond_quotas,
        gather.holding,
        gather.losing,
        gather.opening,
        gather.standing,
    ):
        step()
    return gather.result()


class _Gather:
    def __init__(self, model: Model, law: Law) -> None:
        self.model, self.law, self.cal = model, law, model.calendar
        self.parts: list[tuple[Ints, Ints, Ints, Floats]] = []

    def _at_slots(self, columns: Ints, slots: Any, usd: Any) -> None:
        slots = np.asarray(slots)
        self._add(columns, self.cal.node[slots], self.cal.month[slots], usd)

    def _add(self, columns: Ints, node: Any, month: Any, usd: Any) -> None:
        column, at, when, amount = np.broadcast_arrays(columns, node, month, np.asarray(usd, dtype=float))
        keep = (column >= 0) & (amount != 0)
        self.parts.append((column[keep], at[keep], when[keep], amount[keep]))

    def result(self) -> Charges:
        return Charges(*(np.concatenate(part) for part in zip(*self.parts, strict=True)))

    def making(self) -> None:
        """cost_usd / yield for each good unit made, in the month it is made."""
        cost = np.array([run.make.good_cost_usd for run in self.model.reach.runs], dtype=float)
        self._at_slots(self.model.make, np.arange(self.cal.size), cost[:, None])

    def leaving(self) -> None:
        """Price, freight and insurance (share of the value carried) in the month of departure."""
        share = self.model.network.settings.insurance_share
        cost = np.array(
            [arc.price_usd + arc.freight_usd + share * arc.value_usd for arc in self.model.reach.arcs], dtype=float
        )
        self._at_slots(self.model.move, np.arange(self.cal.size), cost[:, None])

    def entering(self) -> None:
        """Duty within quotas (share of customs value) and fees, in the month and by the law of the slot of arrival."""
        m, law = self.model, self.law
        value = np.array([arc.value_usd for arc in m.reach.arcs], dtype=float)
        for lag in m.lags:
            arcs, leave, arrive = m.arrivals(lag)
            arcs = arcs[law.article[arcs] >= 0]
            if not len(arcs):
                continue
            usd = value[arcs, None] * law.rate[law.article[arcs]][:, arrive] + law.fee_usd[law.fee[arcs]][:, arrive]
            columns = m.move[arcs][:, leave] if m.border is None else m.entering(arcs, arrive)
            self._at_slots(columns, arrive, usd)

    def beyond_quotas(self) -> None:
        """The duty that goods owe more beyond a quota."""
        m = self.model
        if m.border is not None:
            self._at_slots(m.border.over, np.arange(self.cal.size), quotas.over_usd(m, self.law))

    def holding(self) -> None:
        """hold_usd_month for each unit in stock at the end of a month."""
        hold = self.model.network.settings.hold_usd_month
        self._at_slots(self.model.stock, np.arange(self.cal.size), hold)

    def losing(self) -> None:
        """lost_usd for each unit wanted and not delivered."""
        self._at_slots(self.model.lost, np.arange(self.cal.size), np.nan_to_num(self.model.lost_usd))

    def opening(self) -> None:
        """open_usd at the moment a plant is ordered, that is for opened[p,m] − opened[p, moment before m]."""
        cal, opened = self.cal, self.model.opened
        cost = self._of_candidates("open_usd")
        self._add(opened, cal.moment_node, cal.moment_month, cost)
        later = np.flatnonzero(cal.moment_parent >= 0)
        before = np.where(opened[:, later] >= 0, opened[:, cal.moment_parent[later]], -1)
        self._add(before, cal.moment_node[later], cal.moment_month[later], -cost)

    def standing(self) -> None:
        """fixed_usd_month from the month a plant is ready on; of plants already open in every month."""
        m = self.model
        for k, name in enumerate(m.candidates):
            plant = m.network.plants[name]
            before = self.cal.ancestor(plant.lead_months)
            ready = np.flatnonzero(before >= 0)
            columns = m.opened[k, self.cal.moment[before[ready]]]
            self._at_slots(columns, ready, plant.fixed_usd_month)
        fixed = np.array([m.network.plants[name].fixed_usd_month for name in m.standing], dtype=float)
        self._at_slots(m.base[:, None], np.arange(self.cal.size), fixed[:, None])

    def _of_candidates(self, field: str) -> Floats:
        plants = self.model.network.plants
        values = [getattr(plants[name], field) for name in self.model.candidates]
        return np.array(values, dtype=float).reshape(-1, 1)


def with_tail(arrays: Arrays, costs: Charges, calendar: Calendar, risk: float, tail: float) -> Arrays:
    """A model of least expected cost turned into one of least (1 − w)·mean + w·CVaR_α, w = ``risk``, α = ``tail``.

    With C[n,·] the discounted charges of node n and p[b] the chance of branch b (a leaf of the tree):
    T[n] = T[parent of n] + C[n,·]·x;  z[b] ≥ T[b] − η, z ≥ 0;  CVaR_α = min over η of η + Σ_b p[b]·z[b] / (1 − α).
    T may be larger than its sum (rows ≥), which costs more and so is never of use.
    """
    nodes, old, above = len(calendar.nodes), arrays.columns, arrays.rows
    ends = calendar.node[calendar.leaves]
    largest = float(np.abs(costs.usd).max(initial=1.0))
    unit = 10.0 ** max(0, int(np.log10(largest)) - 3)  # T in this many USD, to keep the numbers of one size
    total, over, eta = old + np.arange(nodes), old + nodes + np.arange(len(ends)), old + nodes + len(ends)
    node_row, end_row = above + np.arange(nodes), above + nodes + np.arange(len(ends))
    inner = np.flatnonzero(calendar.node_parent >= 0)
    blocks = (
        (node_row, total, np.ones(nodes)),
        (node_row[inner], total[calendar.node_parent[inner]], np.full(len(inner), -1.0)),
        (node_row[costs.node], costs.column, -costs.usd * calendar.factor_month[costs.month] / unit),
        (end_row, over, np.ones(len(ends))),
        (end_row, total[ends], np.full(len(ends), -1.0)),
        (end_row, np.full(len(ends), eta), np.ones(len(ends))),
    )
    row, column, value = (np.concatenate(part) for part in zip(*blocks, strict=True))
    cost = np.zeros(eta + 1)
    cost[:old] = (1.0 - risk) * arrays.cost
    cost[over] = risk * unit * calendar.node_chance[ends] / (1.0 - tail)
    cost[eta] = risk * unit
    lower = np.concatenate([np.full(nodes, -INFINITE), np.zeros(len(ends)), [-INFINITE]])
    return arrays.extended(cost, lower, np.zeros(nodes + len(ends)), (row, column, value))


def tail_mean(cost: Floats, chance: Floats, tail: float) -> float:
    """CVaR: the mean of ``cost`` over the dearest share 1 − ``tail`` of the chances."""
    order = np.argsort(-cost)
    left, total = 1.0 - tail, 0.0
    for k in order:
        take = min(float(chance[k]), left)
        total += take * float(cost[k])
        left -= take
        if left <= 0:
            break
    return total / (1.0 - tail - max(left, 0.0))
