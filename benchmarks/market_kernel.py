"""Price equilibria with duties: scenarios per CPU-second of ashore and of pyblp on the same draws.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.market_kernel [SCENARIOS] [MARKETS]

30 goods of 6 makers, logit demand with an outside option, rates up to 100 per cent on half of the goods, different ones
inside a maker. ashore solves SCENARIOS of them (100,000), pyblp the first MARKETS (200), started from its markups
of 0. pyblp knows no ad valorem duty; a maker's weights on its goods, w of the other good over w of the good itself,
with costs times 1 + rate, are the same conditions. One thread, CPU time, the best of three runs. pyblp comes with
`pip install ashore[bench]`; without it only ashore is timed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.market_draws import Drawn, draw

from ashore.markets import Demand, Supply, fixed_point, solve

RUNS = 3


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Least CPU seconds of a few runs, and the result of the last."""
    best, result = np.inf, None
    for _ in range(RUNS):
        start = time.process_time()
        result = run()
        best = min(best, time.process_time() - start)
    return best, result


def told(what: str, scenarios: int, seconds: float, more: str = "") -> None:
    print(f"{what:42} {scenarios / seconds:12,.0f} scenarios/CPU-s {1e6 * seconds / scenarios:9.2f} us  {more}")


def first(drawn: Drawn, count: int) -> tuple[Demand, Supply]:
    d, s = drawn.demand, drawn.taxed
    some = slice(0, count)
    demand = Demand(d.form, d.taste[:, some], d.slope[some], d.outside[some], d.size[some])
    return demand, Supply(s.maker, s.cost[:, some], s.rate[:, some])


def with_pyblp(demand: Demand, supply: Supply, prices: np.ndarray) -> None:
    """pyblp on the same markets, in units in which the slope is 1."""
    try:
        import pyblp
    except ImportError:
        print("pyblp is not installed: pip install ashore[bench]")
        return
    pyblp.options.verbose = False
    goods, markets = demand.taste.shape
    keep = 1.0 / (1.0 + supply.rate)
    owner = (supply.maker[:, None] == supply.maker).astype(float)
    cost = demand.slope * supply.cost / keep
    rows = {
        "market_ids": np.repeat(np.arange(markets), goods),
        "firm_ids": np.tile(supply.maker, markets),
        "prices": cost.T.ravel(),
        "taste": demand.taste.T.ravel(),
        "ownership": np.vstack([owner * keep[:, m] / keep[:, m][:, None] for m in range(markets)]),
    }
    simulation = pyblp.Simulation(
        product_formulations=pyblp.Formulation("0 + prices + taste"),
        product_data=rows,
        beta=[-1.0, 1.0],
        xi=np.zeros(goods * markets),
        omega=np.zeros(goods * markets),
    )
    iteration = pyblp.Iteration("simple", {"atol": 1e-12})
    for what, more in (("pyblp, prices only", False), ("pyblp, with gradients and Hessians", True)):
        seconds, result = timed(
            lambda more=more: simulation.replace_endogenous(
                costs=cost.T.ravel(), iteration=iteration, compute_gradients=more, compute_hessians=more
            )
        )
        found = result.product_data["prices"].reshape(markets, goods).T / demand.slope
        off = np.abs(found / prices - 1).max()
        told(what, markets, seconds, f"largest difference of a price {off:.0e}")


def main(words: list[str]) -> None:
    scenarios = int(words[0]) if words else 100_000
    markets = int(words[1]) if len(words) > 1 else 200
    for what, leader in (("", None), (", leader 70 to 99 per cent", (0.7, 0.99))):
        drawn = draw(1, scenarios, goods=30, makers=6, leader=leader, most_rate=1.0)
        for conduct in ("bertrand", "cournot", "moncom") if leader is None else ("bertrand",):
            seconds, found = timed(lambda drawn=drawn, conduct=conduct: solve(drawn.demand, drawn.taxed, conduct))
            steps = f"{found.iterations.mean():.1f} steps, most {found.iterations.max()}"
            told(f"ashore, logit, {conduct}{what}", scenarios, seconds, f"{steps}, residual {found.residual.max():.0e}")
    drawn = draw(1, scenarios, "ces", goods=30, makers=6, most_rate=1.0)
    seconds, found = timed(lambda: solve(drawn.demand, drawn.taxed))
    told("ashore, CES, bertrand", scenarios, seconds, f"residual {found.residual.max():.0e}")
    drawn = draw(1, scenarios, goods=30, makers=6, most_rate=1.0)
    seconds, (_, rounds) = timed(lambda: fixed_point(*first(drawn, scenarios // 10)))
    told("ashore, logit, fixed point", scenarios // 10, seconds, f"{rounds.mean():.1f} rounds")
    demand, supply = first(drawn, markets)
    with_pyblp(demand, supply, solve(demand, supply).price)


if __name__ == "__main__":
    main(sys.argv[1:])
