"""Time of the planner: python -m pytest benchmarks/test_plan_bench.py --benchmark-only."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import orlib

from ashore import network, plans, rules
from ashore.plans.posed import pose
from ashore.rules import RuleBook

START = date(2026, 12, 1)
CASE = "rigs-2026"
BENCH = os.environ.get("ASHORE_BENCH")


@pytest.fixture(scope="module")
def case() -> tuple[network.Network, RuleBook]:
    return network.load(network.cases.find(Path(CASE))), rules.load()


def test_build_of_the_shipped_case(benchmark: Any, case: Any) -> None:
    posed = benchmark(lambda: pose(*case, START, 36))
    assert posed.arrays.columns > 10_000


def test_plan_of_the_shipped_case(benchmark: Any, case: Any) -> None:
    plan = benchmark.pedantic(lambda: plans.solve(*case, START, 36, gap=1e-4), rounds=1)
    assert plan.status == "optimal"
    assert benchmark.stats is None or benchmark.stats.stats.max < 10  # seconds on two cores


def test_plan_of_the_shipped_case_over_three_futures(benchmark: Any, case: Any) -> None:
    folder = network.cases.find(Path(CASE))
    futures = plans.read_futures(folder / "futures" / "excess-capacity-2027.toml", case[1], case[0])
    plan = benchmark.pedantic(lambda: plans.solve(*case, START, 36, futures, gap=1e-4), rounds=1)
    assert plan.status == "optimal"


def test_building_half_a_million_columns(benchmark: Any) -> None:
    """A synthetic case: 60 warehouses, 230 customers, 36 months, one product."""
    rng = np.random.default_rng(1)
    net = synthetic(rng, sites=60, customers=230)
    law = RuleBook("US", date(2020, 1, 1), date(2035, 1, 1), date(2035, 1, 1), (), {}, (), (), {}, {})
    posed = benchmark.pedantic(lambda: pose(net, law, START, 36), rounds=3)
    assert posed.arrays.columns > 474_000


@pytest.mark.skipif(not BENCH, reason="ASHORE_BENCH does not name the folder of the benchmark files")
@pytest.mark.parametrize("name", orlib.OPTIMA)
def test_orlib(benchmark: Any, name: str, tmp_path: Path) -> None:
    path = next(Path(str(BENCH)).rglob(f"{name}.txt"))
    folder = orlib.write(orlib.read(path), tmp_path / name, name)
    law = RuleBook("US", date(2020, 1, 1), date(2030, 1, 1), date(2030, 1, 1), (), {}, (), (), {}, {})
    net = network.load(folder)
    plan = benchmark.pedantic(lambda: plans.solve(net, law, START, 1), rounds=3)
    assert plan.cost_usd == pytest.approx(orlib.OPTIMA[name], rel=1e-6)


def synthetic(rng: np.random.Generator, sites: int, customers: int) -> network.Network:
    names, markets = [f"site{k}" for k in range(sites)], [f"market{k}" for k in range(customers)]
    plant = {
        "company": "Acme",
        "country": "GB",
        "open": "no",
        "fixed_usd_month": 10,
        "lead_months": 3,
        "ramp_months": 2,
    }
    tables = {
        "products": [{"product": "unit", "maker": "Acme", "kind": "rig", "hts": "00000000", "weight_kg": 1}],
        "parts": {"product": [], "part": [], "quantity": []},
        "plants": [
            {"plant": n, **plant, "open_usd": float(rng.integers(100, 900)), "capacity_month": 99} for n in names
        ],
        "makes": [{"plant": n, "product": "unit", "cost_usd": 1} for n in names],
        "supplies": {"product": [], "origin": [], "price_usd": []},
        "lanes": [
            {"from": a, "to": b, "mode": "truck", "usd_per_unit": float(rng.integers(1, 99))}
            for a in names
            for b in markets
        ],
        "markets": [{"market": m, "country": "GB"} for m in markets],
        "demand": [{"market": m, "product": "unit", "month": None, "units": 3, "lost_usd": 500} for m in markets],
    }
    settings = {"name": "s", "currency": "USD", "origin_rule": "assembly", "hold_usd_month": 1, "discount_year": 0.1}
    return network.load(tables, settings)
