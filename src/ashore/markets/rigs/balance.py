"""Prices at which the rig market is at rest: makers, full plants and the hash price.

Maker f sets the price p of its rigs at the border; a buyer in region r pays, by route o, p·(1 + rate) + extra + what a
full plant's premium adds, and takes the cheapest, all but indifferently where two cost the same:

    delivered[r, j] = −blur·ln Σ_o exp(−(p·(1 + rate[o]) + extra[o] + Σ_k load[o, k]·premium[k]) / blur).

World pricing: one p a rig for all regions, Σ_r q[r, j] + Σ_k (p[k] − c[k])·∂q[k]/∂p[j] = 0 over the maker's rigs k.
Regional pricing: one p a rig and region, the same condition in each region. Monopolistic competition: one p for all
regions, and only the chance of the rig itself counts. Premiums are complementary to what plants have left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ashore.errors import Fault, SolverTrouble
from ashore.markets.demand import Floats, Ints
from ashore.markets.rigs.buyers import Buyers
from ashore.markets.rigs.supply import Ways

Pricing = Literal["world", "region", "moncom"]
PRICINGS: tuple[Pricing, ...] = ("world", "region", "moncom")
MOST_STEPS = 80
MOST_HALVINGS = 30
AT_REST = 1e-9
MOVED = 1e-8
WIDER = (20.0, 10.0, 5.0, 2.5)  # times blur, for a market that is not found at once
FAST = 0.1  # slopes are kept as long as a step leaves at most this much of the error


@dataclass(frozen=True)
class Makers:
    """maker: (rigs,) its number; cost: (regions, rigs) at the cheapest plant's gate, USD a TH/s; blur: USD a TH/s."""

    maker: Ints
    cost: Floats
    pricing: Pricing
    blur: float

    @property
    def same(self) -> NDArray[np.bool_]:
        """Whether two rigs are of one maker, (rigs, rigs)."""
        same: NDArray[np.bool_] = self.maker[:, None] == self.maker
        return same


@dataclass(frozen=True)
class Delivered:
    """price: (regions, rigs) what buyers pay, inf where no route leads; steep: its change with the border price.

    part: (routes,) share of its region and rig that a route carries.
    """

    price: Floats
    steep: Floats
    part: Floats


@dataclass(frozen=True)
class Rest:
    """A market at rest: border prices (regions, rigs), premiums (plants,) in USD a unit of capacity, TH/s sold.

    slopes: of the conditions, as last taken; a start for a market much like this one.
    """

    border: Floats
    premium: Floats
    delivered: Delivered
    sold: Floats
    error: float
    steps: int
    slopes: Floats | None = field(default=None, repr=False)


def deliver(ways: Ways, border: Floats, premium: Floats, blur: float) -> Delivered:
    """Delivered prices and the use of routes at border prices (regions, rigs)."""
    group = ways.region * border.shape[1] + ways.rig
    paid = border[ways.region, ways.rig] * (1.0 + ways.rate) + ways.extra + ways.load @ premium
    least = np.full(border.size, np.inf)
    np.minimum.at(least, group, paid)
    weight = np.exp((least[group] - paid) / blur)
    total = np.bincount(group, weight, border.size)
    part = weight / total[group]
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(total > 0, least - blur * np.log(total), np.inf)
    steep: Floats = np.bincount(group, part * (1.0 + ways.rate), border.size).astype(float)
    return Delivered(price.reshape(border.shape), steep.reshape(border.shape), part)


def wanted_margins(makers: Makers, buyers: Buyers, worth: Floats, delivered: Delivered, sold: Floats) -> Floats:
    """Border price less cost that the makers' conditions ask for at these sales, (regions, rigs)."""
    steep = np.where(np.isfinite(delivered.price), delivered.steep, 1.0)
    if makers.pricing == "moncom":
        margin = buyers.scale * sold.sum(axis=0) / (sold * steep).sum(axis=0)
        return np.broadcast_to(margin, sold.shape)
    slopes = _kept(buyers.slopes(worth, delivered.price))
    each = -np.swapaxes(slopes, 1, 2) * steep[:, :, None] * makers.same  # (regions, rig whose price moves, rig sold)
    if makers.pricing == "world":
        return np.broadcast_to(np.linalg.solve(each.sum(axis=0), sold.sum(axis=0)), sold.shape)
    return np.asarray(np.linalg.solve(each, sold[:, :, None])[:, :, 0])


def used(ways: Ways, delivered: Delivered, sold: Floats) -> Floats:
    """Capacity taken at each plant, (plants,)."""
    taken: Floats = (delivered.part * sold[ways.region, ways.rig]) @ ways.load
    return taken


def premiums(ways: Ways, border: Floats, sold: Floats, blur: float) -> Floats:
    """Premiums of full plants, (plants,), at which given sales and border prices keep to capacities."""
    unit = _a_unit(ways) / float(border.mean())

    def error(premium: Floats) -> Floats:
        taken = used(ways, deliver(ways, border, premium, blur), sold)
        return _complementary(premium * unit, np.log(ways.capacity) - np.log(np.maximum(taken, 1e-300)))

    return _newton(error, np.zeros(len(unit)), 1.0 / unit, 0).at


def _complementary(a: Floats, b: Floats) -> Floats:
    """The Fischer–Burmeister function: 0 exactly where a ≥ 0, b ≥ 0 and a·b = 0."""
    found: Floats = a + b - np.hypot(a, b)
    return found


def _a_unit(ways: Ways) -> Floats:
    """Capacity a TH/s takes at each plant, (plants,): premiums times it are prices."""
    most = ways.load.max(axis=0, initial=0.0)
    return np.where(most > 0, most, 1.0)


@dataclass(frozen=True)
class _Root:
    """Where the errors are 0, the largest of them, the steps taken, and the slopes last used."""

    at: Floats
    error: float
    steps: int
    slopes: Floats | None


def _newton(
    error: Callable[[Floats], Floats], start: Floats, scale: Floats, prices: int, slopes: Floats | None = None
) -> _Root:
    """Root of ``error``: Newton by differences of ``MOVED`` times ``scale``.

    The first ``prices`` unknowns stay above 0, the others, which are multipliers, do not go below it. slopes: those to
    begin with; they are taken anew once a step with old ones gains little.
    """
    at, now = start, error(start)
    fresh = False
    for step in range(MOST_STEPS):
        if np.abs(now).max(initial=0.0) < AT_REST:
            return _Root(at, float(np.abs(now).max(initial=0.0)), step, slopes)
        if slopes is None or len(slopes) != len(at):
            slopes = np.stack([(error(at + move) - now) / MOVED for move in np.diag(MOVED * scale)], axis=1)
            fresh = True
        move = np.linalg.lstsq(slopes, now, rcond=1e-14)[0] * scale
        size = 1.0
        for _ in range(MOST_HALVINGS if fresh else 1):
            trial = at - size * move
            trial[:prices] = np.maximum(trial[:prices], 0.05 * at[:prices])
            trial[prices:] = np.maximum(trial[prices:], 0.0)
            new = error(trial)
            if new @ new <= (1 - 1e-4 * size) * (now @ now):
                break
            size /= 2
        gained = bool(new @ new <= FAST**2 * (now @ now))
        if fresh or gained:
            at, now = trial, new
        slopes, fresh = (slopes if gained else None), False
    what = f"The rig market found no prices at rest (error {np.abs(now).max():.1e})."
    raise SolverTrouble(Fault("market", what, "Check market.toml and the capacities in plants.csv."))


@dataclass(frozen=True)
class Scene:
    """Everything but prices: buyers, what rigs are worth to them, makers and routes."""

    buyers: Buyers
    worth: Floats
    makers: Makers
    ways: Ways

    def _spread(self, unknown: Floats) -> tuple[Floats, Floats]:
        """Border prices (regions, rigs) and premiums from the vector that is solved for."""
        regions, rigs = self.makers.cost.shape
        count = regions * rigs if self.makers.pricing == "region" else rigs
        border = np.broadcast_to(unknown[:count].reshape(-1, rigs), (regions, rigs))
        return border, unknown[count:]

    def rest(self, border: Floats, premium: Floats) -> Rest:
        """What is sold at given border prices and premiums."""
        delivered = deliver(self.ways, border, premium, self.makers.blur)
        return Rest(border, premium, delivered, self.buyers.sold(self.worth, delivered.price), 0.0, 0)

    def errors(self, unknown: Floats) -> Floats:
        """Relative errors of prices, then the Fischer–Burmeister function of premiums and what plants have left."""
        border, premium = self._spread(unknown)
        rest = self.rest(border, premium)
        margins = wanted_margins(self.makers, self.buyers, self.worth, rest.delivered, rest.sold)
        gap = ((border - self.makers.cost - margins) / border).reshape(-1)
        gap = gap if self.makers.pricing == "region" else gap[: border.shape[1]]
        taken = used(self.ways, rest.delivered, rest.sold)
        left = np.log(self.ways.capacity) - np.log(np.maximum(taken, 1e-300))
        return np.concatenate([gap, _complementary(premium * _a_unit(self.ways) / float(border.mean()), left)])

    def solve(self, start: Rest) -> Rest:
        """The market at rest, from another market at rest.

        Where that is too far away, by way of markets in which buyers tell routes apart less and then more finely.
        """
        try:
            return self._solved(start)
        except SolverTrouble:
            rest = replace(start, slopes=None)
            for wider in WIDER:
                scene = replace(self, makers=replace(self.makers, blur=wider * self.makers.blur))
                rest = replace(scene._solved(rest), slopes=None)
            return self._solved(rest)

    def _solved(self, start: Rest) -> Rest:
        first = start.border.reshape(-1) if self.makers.pricing == "region" else start.border[0]
        mean = float(start.border.mean())
        scale = np.concatenate([np.full(len(first), mean), mean / _a_unit(self.ways)])
        begin = np.concatenate([first, start.premium])
        found = _newton(self.errors, begin, scale, len(first), start.slopes)
        rest = self.rest(*self._spread(found.at))
        return replace(rest, error=found.error, steps=found.steps, slopes=found.slopes)

    def with_worth(self, worth: Floats) -> Scene:
        """The same market at another hash price."""
        return replace(self, worth=worth)


def _kept(slopes: Floats) -> Floats:
    """Slopes of a rig that cannot be bought in a region, replaced so that its condition stands alone."""
    diagonal = np.einsum("rjj->rj", slopes)
    return slopes - np.where(diagonal == 0.0, 1e-300, 0.0)[:, :, None] * np.eye(slopes.shape[1])
