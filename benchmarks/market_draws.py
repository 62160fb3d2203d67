"""Random markets with known equilibria: shares and prices are drawn, tastes and costs follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ashore.markets import Demand, Supply
from ashore.markets.demand import Floats


@dataclass(frozen=True)
class Drawn:
    """Demand, costs, the prices at rates of 0 that are an equilibrium of them, and new rates."""

    demand: Demand
    supply: Supply
    price: Floats
    taxed: Supply


def draw(
    seed: int,
    scenarios: int,
    form: str = "logit",
    *,
    goods: int = 30,
    makers: int = 6,
    leader: tuple[float, float] | None = None,
    most_rate: float = 10.0,
    outside: bool = True,
) -> Drawn:
    """Markets of ``goods`` goods of ``makers`` makers under Bertrand.

    leader: bounds of the first maker's share of what is sold; most_rate: rates are 0 (half of them) or up to it.
    """
    rng = np.random.default_rng(seed)
    maker = np.sort(np.concatenate([np.arange(makers), rng.integers(0, makers, goods - makers)]))
    if leader is None:
        sold = rng.dirichlet(np.full(makers, 0.7), scenarios).T
    else:
        first = rng.uniform(*leader, scenarios)
        sold = np.vstack([first, (1.0 - first) * rng.dirichlet(np.ones(makers - 1), scenarios).T])
    rest = rng.uniform(0.005, 0.5, scenarios) if outside else np.zeros(scenarios)
    size = np.exp(rng.normal(0.0, 1.0, (goods, scenarios)))
    own = maker[:, None] == maker
    share = size / (own @ size) * sold[maker] * (1.0 - rest)
    total = own @ share
    price = np.exp(rng.normal(0.0, 0.3, (goods, scenarios)))
    log_rest = np.log(rest) if outside else np.zeros(scenarios)
    if form == "logit":
        slope = (1.0 / (1.0 - total)).max(axis=0) / (price.min(axis=0) * rng.uniform(0.3, 0.95, scenarios))
        taste, cost = np.log(share) - log_rest + slope * price, price - 1.0 / (slope * (1.0 - total))
    else:
        slope = rng.uniform(1.2, 12.0, scenarios)
        earned = total / (slope - (slope - 1.0) * total)
        taste, cost = np.log(share) - log_rest + (slope - 1.0) * np.log(price), price * (1 - 1 / slope) * (1 - earned)
    rate = rng.uniform(0.0, most_rate, price.shape) * (rng.random(price.shape) < 0.5)
    ones = np.ones(scenarios)
    demand = Demand(form, taste, slope, ones if outside else 0.0 * ones, ones)  # type: ignore[arg-type]
    return Drawn(demand, Supply(maker, cost, np.zeros_like(price)), price, Supply(maker, cost, rate))
