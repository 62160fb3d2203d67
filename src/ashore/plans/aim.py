"""What a plan minimises: a measure of risk of what the branches of the tree cost, less what each is set against."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.money import Charges
from ashore.plans.sheet import INFINITE, Arrays


@dataclass(frozen=True)
class Aim:
    """(1 − risk)·mean + risk·CVaR_tail of the branches' losses; a loss is the branch's cost less its ``credit``.

    tail = 1 looks at the dearest branch alone. A branch of chance 0 never counts. credit: discounted USD of each
    branch, None for 0 throughout. ``costs`` are the charges that make up the cost of a branch.
    """

    costs: Charges
    calendar: Calendar
    risk: float
    tail: float
    credit: Floats | None = None

    @property
    def ends(self) -> Ints:
        """The node of each branch's last month."""
        return self.calendar.node[self.calendar.leaves]

    @property
    def chance(self) -> Floats:
        """The chance of each branch."""
        return self.calendar.node_chance[self.ends]

    @property
    def credits(self) -> Floats:
        """What the cost of each branch is set against."""
        return np.zeros(len(self.ends)) if self.credit is None else self.credit

    @property
    def most(self) -> Floats:
        """The largest weight q that the tail can put on each branch: p / (1 − tail), at most 1."""
        return heaviest(self.chance, self.tail)

    @property
    def top(self) -> float:
        """The largest credit of a branch that counts."""
        return float(self.credits[self.chance > 0].max())

    @property
    def lift(self) -> float:
        """What a model's objective is above the measure: (1 − w)·mean of the credits + w·the largest."""
        return (1.0 - self.risk) * float(self.chance @ self.credits) + self.risk * self.top

    @property
    def unit(self) -> float:
        """USD in which a model counts the cost of branches, so that its numbers are of one size."""
        largest = float(np.abs(self.costs.usd).max(initial=1.0))
        return float(10.0 ** max(0, int(np.log10(largest)) - 3))

    def weights(self, loss: Floats) -> Floats:
        """The weights of the branches at these losses: (1 − w)·p + w·q, q the dearest mixture the tail allows."""
        q, order = np.zeros(len(loss)), np.argsort(-loss, kind="stable")
        cap = self.most[order]
        q[order] = np.clip(1.0 - (np.cumsum(cap) - cap), 0.0, cap)
        weight: Floats = (1.0 - self.risk) * self.chance + self.risk * q / q.sum()
        return weight

    def measure(self, loss: Floats) -> float:
        """The measure of risk of these losses."""
        return float(self.weights(loss) @ loss)

    def of(self, branch_usd: Floats) -> float:
        """The objective for the discounted cost of each branch."""
        return self.measure(branch_usd - self.credits)

    def shares(self, x: Floats) -> Floats:
        """The weight of each node at a solution: the sum of those of the branches through it."""
        share = np.zeros(len(self.calendar.nodes))
        share[self.ends] = self.weights(self.along(self.costs.by_node(self.calendar, x)) - self.credits)
        return self.upwards(share)

    def upwards(self, share: Floats) -> Floats:
        """The share of each node with those of all nodes below it added."""
        total = share.copy()
        for node in range(len(total) - 1, 0, -1):
            total[self.calendar.node_parent[node]] += total[node]
        return total

    def along(self, node_usd: Floats) -> Floats:
        """Cost of each branch from the cost in each node (first axis)."""
        total = np.array(node_usd)
        for node, parent in enumerate(self.calendar.node_parent):
            if parent >= 0:
                total[node] += total[parent]
        return total[self.ends]

    def weighted(self, weight: Floats, columns: int) -> Floats:
        """Cost of each column when the branches weigh ``weight``."""
        share = np.zeros(len(self.calendar.nodes))
        share[self.ends] = weight
        share = self.upwards(share)
        costs = self.costs
        usd = share[costs.node] * self.calendar.factor_month[costs.month] * costs.usd
        total: Floats = np.bincount(costs.column, weights=usd, minlength=columns).astype(float)
        return total


def heaviest(chance: Floats, tail: float) -> Floats:
    """The largest weight a mixture of the dearest branches can put on each: p / (1 − tail), at most 1; 0 where p is."""
    if tail < 1:
        return np.minimum(1.0, chance / (1.0 - tail))
    return np.where(chance > 0, 1.0, 0.0)


def with_tail(arrays: Arrays, aim: Aim) -> Arrays:
    """A model of least expected cost turned into one of least ``aim`` plus its lift, w = ``risk``, α = ``tail``.

    With C[n,·] the discounted charges of node n, p[b] the chance and k[b] the credit of branch b (a leaf of the tree),
    k* the largest credit and m[b] = min(1, p[b] / (1 − α)) the most a branch can weigh:
    T[n] = T[parent of n] + C[n,·]·x, and k* − k[n] more at a leaf;  z[b] ≥ T[b] − η, z ≥ 0;
    CVaR_α = min over η of η + Σ_b m[b]·z[b]; at α = 1 the dearest branch, for then every m is 1.
    T may be larger than its sum (rows ≥), which costs more and so is never of use.
    """
    costs, calendar, unit = aim.costs, aim.calendar, aim.unit
    nodes, old, above, ends = len(calendar.nodes), arrays.columns, arrays.rows, aim.ends
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
    cost[:old] = (1.0 - aim.risk) * arrays.cost
    cost[over] = aim.risk * unit * aim.most
    cost[eta] = aim.risk * unit
    lower = np.concatenate([np.full(nodes, -INFINITE), np.zeros(len(ends)), [-INFINITE]])
    sides = np.zeros(nodes + len(ends))
    sides[ends] = np.where(aim.chance > 0, aim.top - aim.credits, 0.0) / unit
    return arrays.extended(cost, lower, sides, (row, column, value))


def within(arrays: Arrays, aim: Aim, value: float, x: Floats) -> Arrays:
    """The model of least expected cost among the plans with the openings of ``x`` whose ``aim`` is at most ``value``.

    c·x ≤ value, with c the costs of :func:`with_tail`. ``value`` counts the aim's lift.
    """
    model = with_tail(arrays, aim)
    column = np.flatnonzero(model.cost)
    entries = (np.full(len(column), model.rows), column, -model.cost[column] / aim.unit)
    cost = np.zeros(model.columns)
    cost[: arrays.columns] = arrays.cost
    held = model.extended(cost, np.zeros(0), np.array([-value / aim.unit]), entries)
    whole = np.flatnonzero(arrays.integer)
    lower, upper = held.col_lower.copy(), held.col_upper.copy()
    lower[whole] = upper[whole] = x[whole]
    return replace(held, col_lower=lower, col_upper=upper, integer=np.zeros(held.columns, dtype=bool))
