"""The same equilibria by another road: each maker's earnings at the current prices give its next prices.

One row a good, no unknowns of makers, no Jacobian: the fixed point of Morrow and Skerlos (Oper. Res. 59 (2011)
328–345), with duties. It converges linearly, and is there to check :mod:`ashore.markets.kernel`.
"""

from __future__ import annotations

import numpy as np

from ashore.markets.demand import Demand, Floats, Ints
from ashore.markets.kernel import Supply

MOST_ROUNDS = 20_000


def fixed_point(demand: Demand, supply: Supply) -> tuple[Floats, Ints]:
    """Bertrand prices (goods, scenarios) and the rounds each scenario took; rounds of −1: not reached.

    earned[f] = Σ (w·p − c)·units over the maker's goods, by the units (logit) or the money (CES) in the market;
    logit: w·p = c + w / slope + earned;  CES: p = c·slope / ((slope − 1)·(w − earned)).
    """
    keep, sums = 1.0 / (1.0 + supply.rate), supply.maker == np.unique(supply.maker)[:, None]
    logit, active = demand.form == "logit", np.arange(len(demand.slope))
    rounds = np.full(len(active), -1, dtype=np.int64)
    found, earned = np.empty_like(keep), np.zeros_like(keep)
    for count in range(1, MOST_ROUNDS):
        some = Demand(
            demand.form, demand.taste[:, active], demand.slope[active], demand.outside[active], demand.size[active]
        )
        w, c = keep[:, active], supply.cost[:, active]
        if logit:
            price = (c + w / some.slope + earned) / w
            margin = w * price - c
        else:
            with np.errstate(divide="ignore"):
                price = c * some.slope / ((some.slope - 1.0) * np.maximum(w - earned, 0.0))
            margin = w - c / price
        share = some.shares(price)
        noise = 1e-15 + 4e-16 * np.abs(some.log_index(price)).max(axis=0, where=share > 1e-9, initial=0.0)
        new = sums.T @ (sums @ (margin * share))
        done = (np.abs(new - earned) <= noise * np.maximum(1.0, w * price if logit else 1.0)).all(axis=0)
        found[:, active[done]], rounds[active[done]] = price[:, done], count
        earned, active = new[:, ~done], active[~done]
        if not len(active):
            break
    return found, rounds
