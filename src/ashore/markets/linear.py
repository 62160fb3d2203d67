"""Equilibrium under linear demand, for batches of scenarios, in closed form given which goods are sold.

Differentiated goods (Bertrand and monopolistic competition): with weights s that sum to 1,

    units[j] = size·s[j]·(choke[j] − p[j] + tie·P),   P = Σ s·p.

tie is 1 where buyers can only go from good to good (no outside option) and less the more they go elsewhere; ``size`` is
in units per USD. A good whose units would be negative is not sold; its price then counts as the one at which its
first unit would be bought, choke + tie·P. Under Cournot there is one good in units of different worth:
p[j] = choke[j] − slope·Σ units, and one monotone equation in the sum of units, with capacities as bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashore.errors import Fault, SolverTrouble
from ashore.markets.demand import Floats, Ints
from ashore.markets.kernel import Conduct, Equilibrium, Supply

MOST_ROUNDS = 200
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Linear:
    """Linear demand; ``choke`` and ``weight`` (goods, scenarios), ``size`` and ``tie`` (scenarios,).

    sold: (goods, scenarios), False for goods that are off the market.
    """

    choke: Floats
    weight: Floats
    size: Floats
    tie: Floats
    sold: Mask

    def without(self, banned: Mask) -> Linear:
        """The same demand with the ``banned`` goods, shape (goods,) or (goods, scenarios), taken off the market."""
        sold = self.sold & ~banned.reshape(len(self.choke), -1)
        return Linear(self.choke, self.weight, self.size, self.tie, sold)

    def virtual(self, price: Any) -> Any:
        """Prices with that of each good nobody buys replaced by the one at which its first unit would be bought."""
        return self._at(price)[0]

    def _at(self, price: Any) -> tuple[Any, Mask]:
        """Virtual prices, and which goods are bought."""
        active = self.sold & np.isfinite(price)
        for _ in range(len(self.choke) + 1):
            mean = self._mean(price, active)
            gone = active & (self.choke - np.where(active, price, 0.0) + self.tie * mean < 0)
            if not gone.any():
                break
            active = active & ~gone
        return np.where(active, price, self.choke + self.tie * mean), active

    def _mean(self, price: Any, active: Mask) -> Any:
        """P: the mean price, the goods not ``active`` at their virtual prices."""
        off = np.where(active, 0.0, self.weight)
        paid = np.where(active, self.weight * np.where(active, price, 0.0), 0.0).sum(axis=0)
        return (paid + (off * self.choke).sum(axis=0)) / (1.0 - self.tie * off.sum(axis=0))

    def units(self, price: Any) -> Any:
        """Units of each good, (goods, scenarios)."""
        at, active = self._at(price)
        mean = (self.weight * at).sum(axis=0)
        return np.where(active, np.maximum(self.size * self.weight * (self.choke - at + self.tie * mean), 0.0), 0.0)

    def apart(self, price: Any, before: Any) -> Any:
        """Units at new prices where the mean price stays what it was at the prices before."""
        mean = (self.weight * self.virtual(np.broadcast_to(before, price.shape))).sum(axis=0)
        off = np.isinf(price)
        room = self.choke - np.where(off, 0.0, price) + self.tie * mean
        return np.where(off, 0.0, np.maximum(self.size * self.weight * room, 0.0))

    def surplus_usd(self, price_before: Any, price_after: Any, after: Linear | None = None) -> Any:
        """Change in buyers' surplus, USD, (scenarios,): minus the integral of units over the change of prices."""
        before, later = self.virtual(price_before), (after or self).virtual(price_after)
        return self.size * (self._worth(later) - self._worth(before))

    def _worth(self, at: Any) -> Any:
        """−∫ units dp / size, up to a constant: −Σ s·choke·p + (Σ s·p² − tie·P²) / 2."""
        mean = (self.weight * at).sum(axis=0)
        square = (self.weight * at**2).sum(axis=0) - self.tie * mean**2
        return square / 2.0 - (self.weight * self.choke * at).sum(axis=0)


@dataclass(frozen=True)
class Single:
    """One good in units of different worth: p = choke − slope·Σ units; ``sold`` as in :class:`Linear`."""

    choke: Floats
    slope: Floats
    sold: Mask

    def without(self, banned: Mask) -> Single:
        """The same demand with the ``banned`` goods, shape (goods,) or (goods, scenarios), taken off the market."""
        return Single(self.choke, self.slope, self.sold & ~banned.reshape(len(self.choke), -1))

    def prices(self, units: Any) -> Any:
        """Price of each good, (goods, scenarios)."""
        return self.choke - self.slope * units.sum(axis=0)

    def surplus_usd(self, units_before: Any, units_after: Any) -> Any:
        """Change in buyers' surplus, USD: slope / 2 · (square of all units after − before)."""
        return self.slope / 2.0 * (units_after.sum(axis=0) ** 2 - units_before.sum(axis=0) ** 2)


def solve(demand: Linear, supply: Supply, conduct: Conduct) -> Equilibrium:
    """Bertrand or monopolistic competition: the goods that are sold are found round by round."""
    keep, cost = 1.0 / (1.0 + supply.rate), supply.cost
    sums = (supply.maker == np.unique(supply.maker)[:, None]).astype(float)
    active = demand.sold.copy()
    seen: set[bytes] = set()
    cycling = False
    steps: Ints = np.zeros(demand.choke.shape[1], dtype=np.int64)
    for rounds in range(1, MOST_ROUNDS):
        steps[:] = rounds
        price, enters = _priced(demand, keep, cost, sums, active, conduct)
        wanted = demand.sold & np.where(active, enters > -1e-13 * np.abs(price), enters > 1e-13 * np.abs(price))
        if (wanted == active).all():
            break
        cycling = cycling or wanted.tobytes() in seen
        seen.add(wanted.tobytes())
        if cycling:  # Murty: only the first good that is on the wrong side changes it
            wrong = wanted != active
            wanted = active ^ (wrong & (np.cumsum(wrong, axis=0) == 1))
        active = wanted
    else:
        what = (
            "At these rates some good is priced just out of the market, for which linear demand has no single answer."
        )
        raise SolverTrouble(
            Fault("market", what, 'Choose demand = "logit" or "ces", or ban the good that sells nothing.')
        )
    units: Floats = demand.units(np.where(active, price, np.inf))
    error = np.where(active, np.abs(enters * keep * demand.size * demand.weight - units * keep), 0.0).max(axis=0)
    residual = error / np.maximum(units.max(axis=0), 1e-300)
    return Equilibrium(np.where(active, price, np.inf), units, residual, steps, np.zeros((len(sums), len(steps))))


def _priced(
    demand: Linear, keep: Floats, cost: Floats, sums: Floats, active: Mask, conduct: Conduct
) -> tuple[Floats, Floats]:
    """Prices if just the ``active`` goods are sold, and by how much the price of each is below what empties its sales.

    With tie' = tie / (1 − tie·Σ s of the goods not sold) and F = Σ (w·p − c)·s over the maker's goods (0 for a maker
    that takes P as given):  w·p = (w·(choke + tie·P) + c + tie'·F) / 2.
    """
    weight = np.where(active, demand.weight, 0.0)
    off = demand.weight - weight
    tie = demand.tie / (1.0 - demand.tie * off.sum(axis=0))
    own = 0.0 if conduct == "moncom" else tie
    # F = (fixed + pull·P) / (2 − own·Σ s), then P from its definition
    fixed, pull = sums @ (weight * (keep * demand.choke - cost)), demand.tie * (sums @ (weight * keep))
    share = 2.0 - own * (sums @ weight)
    over = sums @ (weight / keep)
    half = (weight * (demand.choke + cost / keep)).sum(axis=0) + (own * fixed * over / share).sum(axis=0)
    left = 1.0 - demand.tie * off.sum(axis=0) - demand.tie * weight.sum(axis=0) / 2.0
    left -= (own * pull * over / share).sum(axis=0) / 2.0
    mean = ((off * demand.choke).sum(axis=0) + half / 2.0) / left
    earned = sums.T @ ((fixed + pull * mean) / share)
    top = demand.choke + demand.tie * mean
    price = (keep * top + cost + own * earned) / (2.0 * keep)
    return price, top - price


def solve_single(demand: Single, supply: Supply, capacity: Floats) -> tuple[Floats, Floats, Ints]:
    """Cournot: units (goods, scenarios), residual and steps; each good is sold by another maker.

    units = (choke − c / w) / slope − Q within 0 and ``capacity``, Q = Σ units: Q less the right-hand sides grows with
    Q, so one bracketed Newton search finds it.
    """
    bound = np.where(demand.sold, capacity, 0.0)
    first = (demand.choke - supply.cost * (1.0 + supply.rate)) / demand.slope

    def offered(total: Floats) -> Floats:
        return np.clip(first - total, 0.0, bound)

    low = np.zeros(len(demand.slope))
    high = offered(low).sum(axis=0)
    total, steps = high.copy(), np.zeros(len(low), dtype=np.int64)
    for _ in range(MOST_ROUNDS):
        units = offered(total)
        gap = total - units.sum(axis=0)
        low, high = np.where(gap <= 0, total, low), np.where(gap >= 0, total, high)
        new = total - gap / (1.0 + ((units > 0) & (units < bound)).sum(axis=0))
        new = np.where((new >= low) & (new <= high), new, (low + high) / 2.0)
        busy = new != total
        steps += busy
        total = new
        if not busy.any():
            break
    units = offered(total)
    residual = np.abs(total - units.sum(axis=0)) / np.maximum(total, 1e-300)
    return units, residual, steps
