"""Demand and costs from what is observed: prices, units, some margins and, if known, the market's elasticity.

A margin is what the maker keeps of the border price: (border price − cost) / border price, border price =
price / (1 + rate). At a rate of 0 that is (price − cost) / price. Two numbers are wanted, the slope of demand and the
outside option's share. What is given beyond that makes the market over-identified; then the sum of squares of the
margins' errors, plus that of the outside share the elasticity implies, is least, and what is left is reported.
Costs follow from the fitted conditions of the makers, so that the observed market is an equilibrium in every case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ashore.errors import Fault
from ashore.markets import squares
from ashore.markets.demand import Floats, Ints
from ashore.markets.kernel import Conduct

Form = Literal["logit", "ces", "linear"]
FORMS: tuple[Form, ...] = ("logit", "ces", "linear")
MOST_OUTSIDE = 0.99999
OUTSIDE_GRID = [0.001, 0.01, *(k / 40 for k in range(1, 39)), 0.97, 0.99]


@dataclass(frozen=True)
class Observed:
    """The market as seen before the change; every array has shape (goods,).

    price:  what the buyer pays, USD a unit; units: sold; rate: duty as a share of the border price.
    margin: what the maker keeps of the border price, NaN where not known.
    maker:  number of the maker, 0, 1, …
    elasticity: of the market: per cent of units for one per cent on all prices; NaN: not known.
    outside: whether buyers have an outside option; outside_share: its share of units (CES: of money), NaN: not known.
    nest: number of each good's nest, None without nests; correlation: of the tastes in a nest. Logit alone has nests.
    """

    price: Floats
    units: Floats
    rate: Floats
    margin: Floats
    maker: Ints
    elasticity: float
    outside: bool
    outside_share: float = np.nan
    nest: Ints | None = None
    correlation: float = 0.0

    @property
    def keep(self) -> Floats:
        """What is left of the price at the border, (goods,)."""
        return 1.0 / (1.0 + self.rate)

    @property
    def share(self) -> Floats:
        """Share in the units sold, (goods,)."""
        total: Floats = self.units / self.units.sum()
        return total

    @property
    def value_share(self) -> Floats:
        """Share in what buyers spend on the goods, (goods,)."""
        spent = self.price * self.units
        total: Floats = spent / spent.sum()
        return total

    @property
    def mean_price(self) -> float:
        """Mean price of a unit sold, USD."""
        return float(self.share @ self.price)

    def by_maker(self, values: Any) -> Any:
        """Sum of ``values`` over all goods of a good's maker, at every good."""
        return (self.maker[:, None] == self.maker) @ values


@dataclass(frozen=True)
class Fit:
    """The calibrated numbers and how well they fit.

    slope:   logit and linear: per USD; CES: elasticity of substitution; linear under Cournot: USD a unit.
    outside: share of the outside option, of units (logit, linear) or of money spent (CES).
    margin:  (goods,) the margins the fit implies; elasticity: that of the market.
    """

    slope: float
    outside: float
    margin: Floats
    elasticity: float


def margins(form: Form, conduct: Conduct, seen: Observed, slope: Any, outside: Any) -> Any:
    """The margins at which the observed market is an equilibrium, (goods,); (goods, n) for n slopes.

    logit   (1 + M / w) / (slope·p),            M = Σ w·s / (1 − Σ s), over the maker's goods; with nests see _nested
    CES     (w + (slope − 1)·M) / (slope·w),    M = Σ w·s / (slope − (slope − 1)·Σ s)
    linear  as logit, with slope per USD of the market's units and 1 − outside the weight of the goods' mean price
            under Cournot one price: slope·Σ w·units / (w·p)

    s: shares of units (logit, linear) or of money (CES), outside option included. Under Cournot the divisors of M are
    the outside share and 1 + (slope − 1)·outside; under monopolistic competition M is 0.
    """
    standing = (-1, 1) if np.ndim(slope) else (-1,)
    keep, price = seen.keep.reshape(standing), seen.price.reshape(standing)
    if form == "linear" and conduct == "cournot":
        return slope * seen.by_maker(keep * seen.units.reshape(standing)) / (keep * price)
    share = (seen.value_share if form == "ces" else seen.share).reshape(standing) * (1.0 - outside)
    own, kept = seen.by_maker(share), seen.by_maker(keep * share)
    if form == "ces":
        against = slope - (slope - 1.0) * own if conduct == "bertrand" else 1.0 + (slope - 1.0) * outside
        earned = kept / against if conduct != "moncom" else 0.0
        return (keep + (slope - 1.0) * earned) / (slope * keep)
    if form == "logit" and seen.nest is not None:
        return (1.0 - seen.correlation + _nested(conduct, seen, share) / keep) / (slope * price)
    against = 1.0 - own if conduct == "bertrand" else outside
    earned = kept / against if conduct != "moncom" else 0.0
    return (1.0 + earned / keep) / (slope * price)


def _nested(conduct: Conduct, seen: Observed, share: Any) -> Any:
    """slope·y of :mod:`ashore.markets.nested` at every good, in the shape of ``share``: linear in what makers earn.

    slope·R = tie·(W + S·slope·Π) / (1 − correlation·S), W = Σ w·s and S = Σ s of the maker's goods by their shares in
    the nest, and Π = Σ s[g]·R.
    """
    if conduct == "moncom" or seen.nest is None:
        return 0.0
    tie, near = 1.0 - seen.correlation, seen.nest[:, None] == seen.nest
    own = seen.maker[:, None] == seen.maker
    part = near @ share
    inner = share / part
    sums, kept = (own & near) @ inner, (own & near) @ (seen.keep.reshape(share.shape) * inner)
    each = tie * part / (1.0 - seen.correlation * sums) / (own & near).sum(axis=1).reshape(share.shape)
    earned = (own @ (each * kept)) / (1.0 - own @ (each * sums))
    by_buyer = tie * (kept + sums * earned) / (1.0 - seen.correlation * sums)
    return seen.correlation * by_buyer + tie * earned


def market_elasticity(form: Form, conduct: Conduct, seen: Observed, slope: float, outside: float) -> float:
    """Elasticity of the market with respect to all prices at once: of units; CES: (1 − slope)·outside − 1."""
    if form == "linear" and conduct == "cournot":
        return -seen.mean_price / (slope * float(seen.units.sum()))
    if form == "ces":
        return (1.0 - slope) * outside - 1.0
    return -slope * outside * seen.mean_price


def fit(form: Form, conduct: Conduct, seen: Observed, where: str, faults: list[Fault]) -> Fit | None:
    """The least-squares fit, or None with the reason and the remedy added to ``faults``."""
    known = ~np.isnan(seen.margin)
    if not known.any() and np.isnan(seen.elasticity):
        faults.append(
            Fault(
                where,
                "Neither a margin nor a market elasticity is given: nothing says how strongly buyers react to prices.",
                "Give the margin of at least one good in goods.csv, or market_elasticity in market.toml.",
            )
        )
        return None
    before = len(faults)
    faults.extend(_conflicts(form, conduct, seen, where))
    if len(faults) > before:
        return None
    lone = form == "linear" and conduct == "cournot"
    given = 0.0 if lone or not seen.outside else seen.outside_share
    free = bool(np.isnan(given))
    residual = _residuals(form, conduct, seen, known)
    if not free:
        residual = _held(residual, given)
    logs = _logs(form, conduct, seen)
    if squares.singular(residual, np.array([logs[len(logs) // 2], 0.3][: 1 + free])):
        faults.append(_too_little(conduct, seen, where))
        return None
    best = squares.least(residual, logs, OUTSIDE_GRID if free else [0.0])
    least = 1e-9 if form == "logit" and conduct == "cournot" else 0.0
    lost = free and best is not None and not least <= best[1] < MOST_OUTSIDE
    if best is None or lost or squares.singular(residual, best):
        what = f"No {form} demand under {conduct} fits these margins and this elasticity."
        faults.append(Fault(where, what, "Check both, or choose another demand or conduct."))
        return None
    slope, outside = float(_slope(form, best[0])), float(best[1]) if free else given
    implied = margins(form, conduct, seen, slope, outside)
    return Fit(slope, outside, implied, market_elasticity(form, conduct, seen, slope, outside))


def _slope(form: Form, log: Any) -> Any:
    """The slope from the logarithm that is searched over; a CES slope is above 1."""
    return 1.0 + np.exp(log) if form == "ces" else np.exp(log)


def _conflicts(form: Form, conduct: Conduct, seen: Observed, where: str) -> list[Fault]:
    """What demand, conduct, outside option and elasticity cannot be at the same time."""
    found = []
    elastic, key = seen.elasticity, "market_elasticity"
    lone = form == "linear" and conduct == "cournot"
    if form == "ces" and elastic > -1.0:
        what = f"CES demand has a market elasticity of at most -1, not {elastic:g}: buyers spend a fixed budget."
        found.append(Fault(where, what, 'Give one below -1, or choose demand = "logit".', column=key))
    least = -1.0 if form == "ces" else 0.0
    if not seen.outside and not lone and not np.isnan(elastic) and elastic != least:
        what = f"Without an outside option the market elasticity is {least:g}, not {elastic:g}."
        found.append(Fault(where, what, 'Write outside = "yes", or leave market_elasticity out.', column=key))
    if form == "logit" and conduct == "cournot" and not seen.outside:
        what = "Logit demand under Cournot needs an outside option: without one any level of prices clears the market."
        found.append(Fault(where, what, 'Write outside = "yes" and give market_elasticity.', column="outside"))
    if form == "logit" and seen.nest is not None and conduct == "cournot":
        what = "Nests go with makers who set prices."
        found.append(Fault(where, what, 'Write conduct = "bertrand", or leave nest blank.', column="conduct"))
    makers = np.unique(seen.maker)
    if len(makers) == 1 and conduct != "moncom" and not seen.outside and not lone:
        what = "A single maker without an outside option has no finite price."
        found.append(Fault(where, what, 'Write outside = "yes" and give market_elasticity.', column="outside"))
    if lone and len(makers) < len(seen.maker):
        what = "Under Cournot with linear demand all goods are one good at one price, so a maker sells one of them."
        remedy = 'Add a maker\'s goods together in one row, or choose demand = "logit" or "ces".'
        found.append(Fault(where, what, remedy, column="conduct"))
    return found


def _too_little(conduct: Conduct, seen: Observed, where: str) -> Fault:
    """What to add when slope and outside share cannot both be told."""
    what = "What is given fixes the slope of demand or the share of the outside option, but not both."
    remedy = 'Give market_elasticity and a margin, or margins of two makers of different size, or write outside = "no".'
    if conduct == "moncom":
        what = "Under monopolistic competition margins say nothing of the outside option."
        remedy = 'Give market_elasticity with a margin, or write outside = "no".'
    elif np.isnan(seen.margin).all():
        remedy = "Give the margin of at least one good in goods.csv as well."
    return Fault(where, what, remedy, column="market_elasticity")


def _residuals(form: Form, conduct: Conduct, seen: Observed, known: Any) -> squares.Residual:
    """Errors of the given margins and of the outside share that the elasticity implies, as a function of the fit."""
    lone = form == "linear" and conduct == "cournot"

    def residual(log: Any, outside: Any) -> Any:
        slope = _slope(form, log)
        given = seen.margin[known].reshape((-1, 1) if np.ndim(slope) else (-1,))
        errors = margins(form, conduct, seen, slope, outside)[known] - given
        if np.isnan(seen.elasticity):
            return errors
        if lone:
            last = -seen.mean_price / (seen.elasticity * seen.units.sum() * slope) - 1.0
        elif form == "ces":
            last = (seen.elasticity + 1.0) / (1.0 - slope) - outside
        else:
            last = -seen.elasticity / (slope * seen.mean_price) - outside
        return np.concatenate([errors, np.broadcast_to(last, errors[:0].sum(axis=0).shape)[None]])

    return residual


def _held(residual: squares.Residual, outside: float) -> squares.Residual:
    """The residuals with the outside share held."""
    return lambda log, _: residual(log, outside)


def _logs(form: Form, conduct: Conduct, seen: Observed) -> list[float]:
    """Logarithms of slopes (see ``_slope``), wide enough to hold the best fit."""
    if form == "ces":
        grid = np.linspace(np.log(1e-3), np.log(1e3), 80)
    elif form == "linear" and conduct == "cournot":
        grid = np.log(seen.mean_price / seen.units.sum()) + np.linspace(-6.0, 6.0, 80)
    else:
        grid = -np.log(seen.mean_price) + np.linspace(-3.0, 9.0, 80)
    return [float(log) for log in grid]
