"""Routes: the ways a maker can bring a good to the market, which the buyer cannot tell apart.

A good with routes comes by the one that leaves its maker most of the buyer's price, price / (1 + rate) − cost − extra.
Which one that is depends on the price alone, since the maker's own cost is the same on all of them: the dearer the
good, the more a low rate is worth against a low extra cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ashore.markets.demand import Floats, Ints


@dataclass(frozen=True)
class Route:
    """One way to market: the good's number, what the route adds to its cost in USD a unit, and the rate on it."""

    good: int
    name: str
    extra_usd: float
    rate: float
    origin: str = ""


@dataclass(frozen=True)
class Taken:
    """The routes taken at some prices, (goods,): rate, extra cost, and the route's number, −1 for goods without."""

    rate: Floats
    extra_usd: Floats
    route: Ints


def taken(routes: Sequence[Route], price: Floats, rate: Floats) -> Taken:
    """The best route of each good at ``price``; goods without routes keep their ``rate``."""
    found = Taken(rate.copy(), np.zeros(len(rate)), np.full(len(rate), -1, dtype=np.int64))
    most = np.full(len(rate), -np.inf)
    for number, route in enumerate(routes):
        left = price[route.good] / (1.0 + route.rate) - route.extra_usd
        if left > most[route.good]:
            most[route.good] = left
            found.rate[route.good], found.extra_usd[route.good] = route.rate, route.extra_usd
            found.route[route.good] = number
    return found


def most_left(routes: Sequence[Route], price: Any, left: Any) -> Any:
    """What the best route leaves of prices (goods, n) less its extra cost; ``left`` for goods without routes."""
    found = np.array(left)
    for good in {route.good for route in routes}:
        ways = [price[good] / (1.0 + route.rate) - route.extra_usd for route in routes if route.good == good]
        found[good] = np.max(ways, axis=0)
    return found
