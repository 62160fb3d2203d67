"""Time of mining income and option values: python -m pytest benchmarks/test_worth_bench.py --benchmark-only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ashore import mining, worth

RIGS, PATHS, MONTHS = 50, 10_000, 48


@pytest.fixture(scope="module")
def outlook() -> worth.Outlook:
    return worth.outlook_of(worth.Given(hashprice=40, months=MONTHS))[0]


def test_ten_thousand_paths_of_48_months_for_50_rigs(benchmark: Any, outlook: worth.Outlook) -> None:
    """Draws the paths anew each time, then the worth of each rig on each path."""
    lives = [worth.life(worth.Rig(270, watts), 0.055, outlook) for watts in np.linspace(2400, 8000, RIGS)]
    earns, costs = (np.array([life.present[which] for life in lives]) for which in (0, 1))

    def run() -> Any:
        drawn = mining.paths(lives[0].mean, outlook.volatility, lives[0].years, PATHS)
        return mining.run_usd(drawn, earns, costs)

    found = benchmark(run)
    assert found.shape == (RIGS, PATHS)
    assert benchmark.stats is None or benchmark.stats.stats.min < 2


def test_payback_of_50_rigs_on_every_path(benchmark: Any, outlook: worth.Outlook) -> None:
    lives = [worth.life(worth.Rig(270, watts), 0.055, outlook) for watts in np.linspace(2400, 8000, RIGS)]
    drawn = mining.paths(lives[0].mean, outlook.volatility, lives[0].years, PATHS)
    price = np.full(PATHS, 2000.0)

    def run() -> list[Any]:
        return [mining.payback_months(price, np.maximum(drawn * life.earns - life.costs_usd, 0.0)) for life in lives]

    assert len(benchmark.pedantic(run, rounds=3)) == RIGS


def test_one_rig_with_bands_and_sensitivity(benchmark: Any, outlook: worth.Outlook) -> None:
    found = benchmark(lambda: worth.appraise(worth.Rig(270, 3645), 11, 0.055, outlook))
    assert found.option_usd > 0
