"""Does any maker gain by doing otherwise? Asked of the demand itself, not of the conditions that were solved."""

from __future__ import annotations

from typing import Any

import numpy as np

from ashore.markets.demand import Demand, Floats
from ashore.markets.linear import Single
from ashore.markets.model import Model, Outcome, Policy, spread
from ashore.markets.routes import most_left

FACTORS = (0.5, 0.8, 0.9, 0.97, 0.99, 0.999, 1.001, 1.01, 1.03, 1.1, 1.25, 2.0)


def deviation_usd(model: Model, policy: Policy, at: Outcome) -> float:
    """The most a maker could gain by moving one of its prices, or all of them, by a factor of ``FACTORS``; USD.

    Under Cournot it moves units instead; under monopolistic competition the other side of the market stays put.
    Costs and rates are those at the margin, shadow prices of limits included: beyond a limit a maker has to buy the
    right to sell. A maker that moves takes the best of its routes. 0 within rounding at an equilibrium, and where
    nothing is sold.
    """
    sold, makers = at.units > 0, model.seen.maker
    plans = [(makers == maker, moved) for maker in np.unique(makers) for moved in _moves(makers == maker, sold)]
    if not plans:
        return 0.0
    own, moved = (np.array(side).T.repeat(len(FACTORS), axis=1) for side in zip(*plans, strict=True))
    factor = np.where(moved, np.tile(FACTORS, len(plans)), 1.0)
    price, units = np.where(sold, at.price, np.inf)[:, None], at.units[:, None]
    demand = spread(model.demand, factor.shape[1]).without(policy.banned)
    if model.conduct == "cournot":
        after = _prices(demand, units * factor, sold), units * factor
    else:
        moved = price * factor
        after = moved, demand.apart(moved, price) if model.conduct == "moncom" else demand.units(moved)

    def profit(asked: Floats, much: Floats) -> Floats:
        paid = np.where(much > 0, asked, 0.0)
        left = paid / (1.0 + at.marginal[:, None]) - at.extra_usd[:, None]
        left = most_left(policy.routes, paid, np.broadcast_to(left, paid.shape)) - (model.cost + at.shadow)[:, None]
        return np.asarray(np.where(own & (much > 0), left * much, 0.0).sum(axis=0), dtype=float)

    return float(max((profit(*after) - profit(price, units)).max(), 0.0))


def _moves(own: Any, sold: Any) -> list[Any]:
    """Which goods a maker moves together: all it sells, and each of them alone."""
    goods = np.flatnonzero(own & sold)
    alone = [np.arange(len(own)) == good for good in goods]
    return [own & sold, *alone] if len(alone) > 1 else alone


def _prices(demand: Demand | Single, units: Floats, sold: Any) -> Floats:
    """Prices at new units, of the goods that are sold."""
    if isinstance(demand, Single):
        price: Floats = demand.prices(units)
        return price
    some = Demand(demand.form, demand.taste[sold], demand.slope, demand.outside, demand.size)
    price = np.full(units.shape, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        price[sold] = some.prices(units[sold])
    return np.where(np.isnan(price), 0.0, price)  # more units than there are buyers
