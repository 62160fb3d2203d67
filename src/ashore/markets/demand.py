"""Demand: what buyers take at given prices, and what they are worth to them.

Two forms share one shape. With an index e[j] of each good and o of the outside option, the share of a good is
e[j] / (o + Σ e):

* logit: e = exp(taste − slope·p); shares are of the units that potential buyers could take;
* CES:   e = exp(taste)·p^(1 − slope); shares are of the money potential buyers spend, the outside good has price 1.

o is 1 where there is an outside option and 0 where there is none. Arrays have goods along axis 0 and scenarios along
axis 1; what belongs to a scenario as a whole has shape (scenarios,).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Form = Literal["logit", "ces"]


@dataclass(frozen=True)
class Demand:
    """Logit or CES demand in a batch of scenarios.

    taste:   (goods, scenarios); −inf takes a good off the market.
    slope:   (scenarios,); logit: per USD, above 0; CES: elasticity of substitution, above 1.
    outside: (scenarios,); 1 with an outside option, 0 without.
    size:    (scenarios,); logit: units potential buyers could take; CES: USD they spend, outside good included.
    """

    form: Form
    taste: Floats
    slope: Floats
    outside: Floats
    size: Floats

    def without(self, banned: NDArray[np.bool_]) -> Demand:
        """The same demand with the ``banned`` goods, shape (goods,) or (goods, scenarios), taken off the market."""
        gone = np.broadcast_to(banned.reshape(len(self.taste), -1), self.taste.shape)
        return Demand(self.form, np.where(gone, -np.inf, self.taste), self.slope, self.outside, self.size)

    def log_index(self, price: Any) -> Any:
        """Index of each good, ln e, (goods, scenarios)."""
        if self.form == "logit":
            return self.taste - self.slope * price
        return self.taste + (1.0 - self.slope) * np.log(price)

    def log_total(self, price: Any) -> Any:
        """ln(o + Σ e), (scenarios,)."""
        index = self.log_index(price)
        with np.errstate(divide="ignore"):
            outside = np.log(self.outside)
        top = np.maximum(np.real(index).max(axis=0), outside)
        return top + np.log(np.exp(index - top).sum(axis=0) + np.exp(outside - top))

    def shares(self, price: Any) -> Any:
        """Share of each good in all that buyers could take (logit: units) or spend (CES: USD)."""
        return np.exp(self.log_index(price) - self.log_total(price))

    def units(self, price: Any) -> Any:
        """Units of each good, (goods, scenarios)."""
        share = self.shares(price)
        return self.size * share if self.form == "logit" else self.size * share / price

    def apart(self, price: Any, before: Any) -> Any:
        """Units at new prices where the market as a whole stays what it was at the prices before."""
        share = np.exp(self.log_index(price) - self.log_total(before))
        return self.size * share if self.form == "logit" else self.size * share / price

    def prices(self, units: Any) -> Any:
        """Prices at which buyers take exactly ``units`` (goods, scenarios); logit needs an outside option."""
        if self.form == "logit":
            share = units / self.size
            return (self.taste - np.log(share) + np.log(1.0 - share.sum(axis=0))) / self.slope
        power = 1.0 - 1.0 / self.slope  # x = e^(taste / slope)·q^power; price = x / q · q0^(1 − power)
        worth = np.exp(self.taste / self.slope) * units**power
        rest = _rest_spent(worth.sum(axis=0), power, self.size)
        shut = self.size / worth.sum(axis=0)  # all is spent on the goods
        return worth / units * np.where(self.outside > 0, rest ** (1.0 - power), shut)

    def surplus_usd(self, price_before: Any, price_after: Any, after: Demand | None = None) -> Any:
        """Change in buyers' surplus, USD, (scenarios,): minus what would have to be paid to leave them as well off.

        Logit: size / slope · ln(T after / T before), T = o + Σ e. CES: −size·(P after / P before − 1) with the price
        index P = T^(1 / (1 − slope)). ``after``: the demand after the change, if goods left the market.
        Its derivative with respect to a price is minus the units bought at the prices before.
        """
        ratio = (after or self).log_total(price_after) - self.log_total(price_before)
        if self.form == "logit":
            return self.size / self.slope * ratio
        return -self.size * np.expm1(ratio / (1.0 - self.slope))


def _rest_spent(worth: Any, power: Any, size: Any) -> Any:
    """Money left for the outside good: the root of rest + worth·rest^(1 − power) = size."""
    rest = size / (1.0 + worth)
    for _ in range(100):
        log = np.log(rest)
        inside = worth * np.exp((1.0 - power) * log)
        step = (rest + inside - size) / (rest + (1.0 - power) * inside)  # Newton in ln rest
        rest = rest * np.exp(-step)
        if np.abs(step).max() < 1e-15:
            break
    return rest
