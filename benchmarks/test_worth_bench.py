"""Time of mining income and option values: python -m pytest benchmarks/test_worth_bench.py --benchmark-only."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ashore import mining, network, offers, plans, rules, worth

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


def test_fifty_offers_over_three_branches(benchmark: Any, outlook: worth.Outlook, tmp_path: Path) -> None:
    """Landed now and one to three months later in each branch, and compared on 10,000 paths."""
    net, book, on = network.load(network.cases.find(None)), rules.load(), date(2026, 11, 22)
    head = "offer,maker,product,origin,origins,incoterm,price_usd,units,ship_date,mode,market,power_usd_kwh\n"
    rows = [
        f'o{n},Bitmain,s21-xp,MY,"MY:0.9,CN:0.1",FOB,{2500 + n},100,2027-04-15,ocean,us-texas,0.05' for n in range(RIGS)
    ]
    path = tmp_path / "offers.csv"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    found = offers.read_offers(path, net, book, on)
    folder = network.cases.find(None) / "futures"
    tree = plans.read_futures(folder / "excess-capacity-2027.toml", book, net).hold(offers.needed_until(found))
    branches = [
        offers.Branch(nodes[-1].name, chance, tuple((node.start, node.name, node.book) for node in nodes))
        for chance, nodes in tree.branches()
    ]
    basis = offers.basis_of(net, on, outlook, "cash", PATHS, None)
    ranking = benchmark.pedantic(lambda: offers.rank(found, branches, basis), rounds=3)
    assert len(ranking.offers) == RIGS


def test_one_rig_with_bands_and_sensitivity(benchmark: Any, outlook: worth.Outlook) -> None:
    found = benchmark(lambda: worth.appraise(worth.Rig(270, 3645), 11, 0.055, outlook))
    assert found.option_usd > 0
