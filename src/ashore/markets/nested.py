"""Nested logit: goods of one nest are nearer to each other than to the rest, as rigs made at home may be.

With v = taste − slope·p and tie = 1 − correlation, in (0, 1],

    share[j] = e^(v[j] / tie) / D[g] · D[g]^tie / (o + Σ D^tie),   D[g] = Σ e^(v / tie) over the goods of nest g.

At tie 1 it is the plain logit. The conditions of maker f give all its prices from one number a nest it is in,

    w·p = c + tie·w / slope + y[f, g],   y[f, g] = correlation·R[f, g] + tie·Σ s[h]·R[f, h],

R[f, g] what it earns by a buyer of nest g, s[h] the share of nest h; under monopolistic competition y is 0. The map
from y to the right-hand side is the fixed point of Morrow and Skerlos (Oper. Res. 59 (2011) 328–345); where Newton's
step on it, in y or in ln y, leaves less of the error, that is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashore.errors import Fault, SolverTrouble
from ashore.markets.demand import Floats, Ints
from ashore.markets.kernel import FOUND, Conduct, Equilibrium, Supply

MOST_ROUNDS = 2000
STILL = 1e-14
PATH = tuple(np.linspace(0.0, 1.0, 21))  # shares of the correlation on the way to a market not found at once
GAIN = 0.5  # a Newton step has to leave less than this of the error
NEAR = 1e-12  # an error below this that no step makes smaller is rounding


@dataclass(frozen=True)
class Nested:
    """Nested logit demand in a batch of scenarios; taste, slope, outside and size as in ``Demand``.

    nest: (goods,) number of each good's nest; tie: (scenarios,) in (0, 1].
    """

    taste: Floats
    slope: Floats
    outside: Floats
    size: Floats
    tie: Floats
    nest: Ints

    def without(self, banned: NDArray[np.bool_]) -> Nested:
        """The same demand with the ``banned`` goods, shape (goods,) or (goods, scenarios), taken off the market."""
        gone = np.broadcast_to(banned.reshape(len(self.taste), -1), self.taste.shape)
        return replace(self, taste=np.where(gone, -np.inf, self.taste))

    @property
    def members(self) -> Floats:
        """Which goods are in a nest, 1 or 0, (nests, goods)."""
        members: Floats = (self.nest == np.unique(self.nest)[:, None]).astype(float)
        return members

    def parts(self, price: Any) -> tuple[Any, Any, Any]:
        """Ln of: shares inside each good's nest (goods, scenarios), D^tie (nests, scenarios), o + Σ D^tie."""
        index = (self.taste - self.slope * price) / self.tie
        members, place = self.members, self.members.argmax(axis=0)
        top = np.stack([np.real(index)[row > 0].max(axis=0) for row in members])
        top = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore"):
            inside, outside = top + np.log(members @ np.exp(index - top[place])), np.log(self.outside)
            nests = self.tie * inside
            most = np.maximum(np.real(nests).max(axis=0), outside)
            total = most + np.log(np.exp(nests - most).sum(axis=0) + np.exp(outside - most))
        empty = np.isneginf(np.real(inside))[place]
        inner = np.where(empty, -np.inf, index - np.where(empty, 0.0, inside[place]))
        return inner, nests, total

    def shares(self, price: Any) -> Any:
        """Share of each good in all that buyers could take, (goods, scenarios)."""
        inner, nests, total = self.parts(price)
        return np.exp(inner) * np.exp(nests - total)[self.members.argmax(axis=0)]

    def units(self, price: Any) -> Any:
        """Units of each good, (goods, scenarios)."""
        return self.size * self.shares(price)

    def apart(self, price: Any, before: Any) -> Any:
        """Units at new prices where nests and the market as a whole stay what they were."""
        inner, nests, total = self.parts(before)
        moved = np.where(np.isfinite(price), price, 0.0) - np.where(np.isfinite(before), before, 0.0)
        share = np.exp(inner - self.slope * moved / self.tie) * np.exp(nests - total)[self.members.argmax(axis=0)]
        return self.size * share

    def surplus_usd(self, price_before: Any, price_after: Any, after: Nested | None = None) -> Any:
        """Change in buyers' surplus, USD, (scenarios,): size / slope · ln of the ratio of o + Σ D^tie."""
        ratio = (after or self).parts(price_after)[2] - self.parts(price_before)[2]
        return self.size / self.slope * ratio


def solve(demand: Nested, supply: Supply, conduct: Conduct) -> Equilibrium:
    """Bertrand or monopolistic competition; raises :class:`SolverTrouble` if a scenario has no equilibrium."""
    pair, place = np.unique(np.stack([supply.maker, demand.nest]), axis=1, return_inverse=True)
    game = _Game(demand, supply, place.reshape(-1), pair[0], pair[1])
    y = np.zeros((pair.shape[1], len(demand.slope)))
    steps = np.zeros(len(demand.slope), dtype=np.int64)
    residual = np.zeros(len(demand.slope))
    with np.errstate(all="ignore"):
        if conduct == "bertrand":
            y, residual, steps = game.find(y)
            lost = np.flatnonzero(~(residual <= FOUND))
            if len(lost):  # come to the correlation by and by
                start, left = np.zeros_like(y[:, lost]), game.only(lost)
                for share in PATH:
                    start, residual[lost], more = left.nearer(share).find(start)
                    steps[lost] += more
                y[:, lost] = start
        price = np.where(np.isneginf(demand.taste), np.inf, game.price(y))
        share = demand.shares(price)
    failed = np.flatnonzero(~(residual <= FOUND))
    if len(failed):
        what = f"No equilibrium was found in scenario {failed[0]} (residual {residual[failed[0]]:.1e})."
        raise SolverTrouble(Fault("market", what, "Check costs and rates, or give a lower nest_correlation."))
    return Equilibrium(price, share, residual, steps, y)


@dataclass(frozen=True)
class _Game:
    """Makers' conditions in one number a maker and nest; place: (goods,) the pair of each good."""

    demand: Nested
    supply: Supply
    place: Ints
    maker: Ints
    nest: Ints

    def price(self, y: Any) -> Any:
        """Prices (goods, scenarios) from y (pairs, scenarios)."""
        over = 1.0 + self.supply.rate
        return over * (self.supply.cost + y[self.place]) + self.demand.tie / self.demand.slope

    def answer(self, y: Any) -> Any:
        """What the conditions make of y."""
        demand = self.demand
        price = self.price(y)
        inner, nests, total = demand.parts(price)
        margin = demand.tie / (demand.slope * (1.0 + self.supply.rate)) + y[self.place]
        sums = (self.place == np.arange(len(self.maker))[:, None]).astype(float)
        earned = sums @ (margin * np.exp(inner))
        known = np.unique(demand.nest)
        part = np.exp(nests - total)[np.searchsorted(known, self.nest)]
        same = (self.maker[:, None] == self.maker).astype(float)
        return (1.0 - demand.tie) * earned + demand.tie * (same @ (part * earned))

    def find(self, y: Floats) -> tuple[Floats, Floats, Ints]:
        """The fixed point of ``answer``, its relative error, and the rounds of each scenario."""
        found, size = y.copy(), np.full(y.shape[1], np.inf)
        rounds, active, game = np.zeros(y.shape[1], dtype=np.int64), np.arange(y.shape[1]), self
        error = self.answer(y) - y
        for _ in range(MOST_ROUNDS):
            scale = game.demand.tie / game.demand.slope + np.abs(y).max(axis=0)
            now = np.abs(error).max(axis=0) / scale
            plain = y + error
            kept, there = plain, game.answer(plain) - plain
            move = game._step(y, error)
            for newton in (y + move, y * np.exp(np.clip(move / y, -3.0, 3.0))):
                trial = np.where(np.isfinite(newton) & (newton >= 0), newton, plain)
                other = game.answer(trial) - trial
                less = np.minimum(np.abs(there).max(axis=0), GAIN * np.abs(error).max(axis=0))
                better = np.abs(other).max(axis=0) < less
                kept, there = np.where(better, trial, kept), np.where(better, other, there)
            stuck = (np.abs(there).max(axis=0) >= np.abs(error).max(axis=0)) & (now < NEAR)
            found[:, active], size[active] = y, now
            busy = np.flatnonzero((now > STILL) & ~stuck)
            active = active[busy]
            if not len(active):
                break
            rounds[active] += 1
            y, error = kept[:, busy], there[:, busy]
            if len(busy) < len(now):
                game = game.only(busy)
        return found, size, rounds

    def nearer(self, share: float) -> _Game:
        """The same with that share of the correlation."""
        tie = 1.0 - share * (1.0 - self.demand.tie)
        return replace(self, demand=replace(self.demand, tie=tie))

    def only(self, kept: Ints) -> _Game:
        """The same in some of the scenarios."""
        d, s = self.demand, self.supply
        demand = Nested(d.taste[:, kept], d.slope[kept], d.outside[kept], d.size[kept], d.tie[kept], d.nest)
        return replace(self, demand=demand, supply=Supply(s.maker, s.cost[:, kept], s.rate[:, kept]))

    def _step(self, y: Floats, error: Floats) -> Floats:
        """Newton's step on error(y) = 0, slopes by complex steps."""
        count = len(y)
        slopes = np.empty((y.shape[1], count, count))
        for k in range(count):
            moved = y.astype(complex)
            moved[k] += 1e-30j
            slopes[:, :, k] = (self.answer(moved).imag / 1e-30).T
        slopes -= np.eye(count)
        try:
            return np.asarray(-np.linalg.solve(slopes, error.T[:, :, None])[:, :, 0].T, dtype=float)
        except np.linalg.LinAlgError:
            return np.full(y.shape, np.nan)
