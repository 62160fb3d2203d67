"""Caps and tariff-rate quotas: the multipliers at which every limit holds, for batches of scenarios.

A cap on the units of some goods is met by prices, never by rationing: it adds a shadow price to the cost of each of
them, 0 where it does not bind. A tariff-rate quota lets units up to its limit in at the lower rate and those above at
the higher; between the two the rate that counts at the margin is the one at which exactly the limit is sold. Both are
a multiplier x in [0, u] (u infinite for a cap, 1 for a tariff-rate quota) that is complementary to what the limit
leaves over:

    x = 0 → F ≥ 0,   0 < x < u → F = 0,   x = u → F ≤ 0,   F = ln limit − ln units.

In logarithms of units F is nearly a straight line in x. The system is solved by Newton's method on the
Fischer–Burmeister function with a line search from the answer without limits; derivatives of units come from solving
again with each multiplier moved. (A. Fischer, Optimization 24 (1992) 269–284.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ashore.errors import Fault, SolverTrouble
from ashore.markets.demand import Floats, Ints

MOST_STEPS = 100
MOST_HALVINGS = 40
MET = 1e-11  # largest error of the complementarity, in logarithms of units
MOVED = 1e-6
SLACK = 1e-10  # multipliers that near to a bound are on it
Respond = Callable[[Ints, Floats, Floats], Floats]


@dataclass(frozen=True)
class Limit:
    """A limit on the units of some goods together.

    goods: (goods,) which; units: their most, above 0; rate_over: rate on units above it, None for a cap.
    """

    goods: NDArray[np.bool_]
    units: float
    rate_over: float | None = None


@dataclass(frozen=True)
class Bound:
    """What holds the limits: costs and rates at the margin, (goods, scenarios), and the multipliers.

    shadow_usd: (limits, scenarios) shadow price of a unit of each cap, in the maker's money; 0 for tariff-rate quotas.
    beyond:     (limits, scenarios) place of the rate at the margin between the lower (0) and the higher (1) one.
    """

    cost: Floats
    rate: Floats
    shadow_usd: Floats
    beyond: Floats
    residual: Floats
    iterations: Ints


def bind(respond: Respond, cost: Floats, rate: Floats, scale_usd: Floats, limits: Sequence[Limit]) -> Bound:
    """Costs and rates at the margin under which all limits hold.

    respond: units (goods, n) for the scenarios with the given numbers (n,) at costs and rates (goods, n).
    scale_usd: (scenarios,) size of a price, for the scale of shadow prices.
    """
    system = _System(respond, cost, rate, scale_usd, limits)
    count, scenarios = len(limits), cost.shape[1]
    x = np.zeros((count, scenarios))
    left = system.left(np.arange(scenarios), x)
    error = system.error(x, left)
    steps = np.zeros(scenarios, dtype=np.int64)
    for _ in range(MOST_STEPS):
        busy = np.flatnonzero(np.abs(error).max(axis=0) > MET)
        if not len(busy):
            break
        steps[busy] += 1
        move = system.step(busy, x[:, busy], left[:, busy])
        size = np.ones(len(busy))
        for _ in range(MOST_HALVINGS):
            trial = np.clip(x[:, busy] - size * move, 0.0, system.most[:, None])
            there = system.left(busy, trial)
            new = system.error(trial, there)
            worse = ~((new**2).sum(axis=0) <= (1.0 - 1e-4 * size) * (error[:, busy] ** 2).sum(axis=0))
            if not worse.any():
                break
            size = np.where(worse, size / 2.0, size)
        x[:, busy], left[:, busy], error[:, busy] = trial, there, new
    residual = np.abs(error).max(axis=0)
    if (residual > 1e-9).any():
        bad = int(np.argmax(residual))
        what = f"No prices were found that keep every limit in scenario {bad} (error {residual[bad]:.1e})."
        raise SolverTrouble(Fault("market", what, "Raise the smallest limit, or ban the good instead."))
    x = np.where((x < SLACK) & (left > 0), 0.0, x)
    x = np.where((np.abs(x - system.most[:, None]) < SLACK) & (left < 0), 1.0, x)
    at_cost, at_rate = system.applied(np.arange(scenarios), x)
    shadow = np.where(np.isinf(system.most)[:, None], x * scale_usd, 0.0)
    beyond = np.where(np.isinf(system.most)[:, None], 0.0, x)
    return Bound(at_cost, at_rate, shadow, beyond, residual, steps)


class _System:
    """The complementarity system: what a choice of multipliers leaves of each limit."""

    def __init__(
        self, respond: Respond, cost: Floats, rate: Floats, scale_usd: Floats, limits: Sequence[Limit]
    ) -> None:
        self.respond, self.cost, self.rate, self.scale = respond, cost, rate, scale_usd
        self.member = np.stack([limit.goods for limit in limits]).astype(float)
        self.log_units = np.log([limit.units for limit in limits])
        self.most = np.array([np.inf if limit.rate_over is None else 1.0 for limit in limits])
        self.over = [limit.rate_over for limit in limits]

    def applied(self, columns: Ints, x: Floats) -> tuple[Floats, Floats]:
        """Costs and rates at the margin in the scenarios ``columns``."""
        cost, rate = self.cost[:, columns].copy(), self.rate[:, columns].copy()
        for number, over in enumerate(self.over):
            goods = self.member[number] > 0
            if over is None:
                cost[goods] += x[number] * self.scale[columns]
            else:
                low = 1.0 + rate[goods]
                rate[goods] = low * ((1.0 + over) / low) ** x[number] - 1.0
        return cost, rate

    def left(self, columns: Ints, x: Floats) -> Floats:
        """F: ln limit − ln units."""
        units = self.member @ self.respond(columns, *self.applied(columns, x))
        left: Floats = self.log_units[:, None] - np.log(np.maximum(units, 1e-300))
        return left

    def error(self, x: Floats, left: Floats) -> Floats:
        """The Fischer–Burmeister function of the box [0, most]."""
        above = np.minimum(self.most[:, None] - x, 1e300)
        return _burmeister(x, np.where(np.isinf(self.most)[:, None], left, -_burmeister(above, -left)))

    def step(self, columns: Ints, x: Floats, left: Floats) -> Floats:
        """Newton's step on the error."""
        count, chosen = len(x), len(columns)
        boxed = ~np.isinf(self.most)
        moved = np.repeat(x, count, axis=1).reshape(count, chosen, count)
        sign = np.where(boxed[:, None] & (x > 0.5), -MOVED, MOVED)
        for number in range(count):
            moved[number, :, number] += sign[number]
        again = self.left(np.repeat(columns, count), moved.reshape(count, -1)).reshape(count, chosen, count)
        slope = (again - left[:, :, None]) / sign.T[None, :, :]  # (limit, scenario, multiplier)
        inner, to_x, to_left = left, np.zeros_like(x), np.ones_like(x)
        if boxed.any():
            above = np.minimum(self.most[:, None] - x, 1e300)
            by_above, by_left = _slopes(above, -left)
            inner = np.where(boxed[:, None], -_burmeister(above, -left), left)
            to_x, to_left = np.where(boxed[:, None], by_above, 0.0), np.where(boxed[:, None], by_left, 1.0)
        first, second = _slopes(x, inner)
        matrix = (second * to_left)[:, :, None] * slope
        for number in range(count):
            matrix[number, :, number] += first[number] + second[number] * to_x[number]
        error = self.error(x, left)
        return np.asarray(np.linalg.solve(matrix.transpose(1, 0, 2), error.T[:, :, None])[:, :, 0].T, dtype=float)


def _burmeister(a: Floats, b: Floats) -> Floats:
    """The function a + b − √(a² + b²), 0 exactly where a ≥ 0, b ≥ 0 and a·b = 0."""
    root = np.hypot(a, b)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        stable = np.where(
            a + b > 0, 2.0 * a * b / (a + b + root), a + b - root
        )  # no cancellation where both are positive
    return np.where(root > 0, stable, 0.0)


def _slopes(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Derivatives of the Fischer–Burmeister function; at (0, 0) one of its generalised ones."""
    root = np.hypot(a, b)
    safe = np.where(root > 0, root, 1.0)
    corner = 1.0 - 1.0 / np.sqrt(2.0)
    return np.where(root > 0, 1.0 - a / safe, corner), np.where(root > 0, 1.0 - b / safe, corner)
