"""Published optima of the OR-Library, through the network folder and the planner; the files are not shipped."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from benchmarks import orlib

from ashore import network, plans
from ashore.plans import links, solver
from ashore.rules import RuleBook

FOLDER = os.environ.get("ASHORE_BENCH")


def no_duty() -> RuleBook:
    """A book that no goods of the benchmark ever meet: all of them stay in one other country."""
    span = (date(2020, 1, 1), date(2030, 1, 1))
    return RuleBook("US", *span, span[1], (), {}, (), (), {}, {})


def found(case: orlib.Warehouses, folder: Path) -> plans.Plan:
    orlib.write(case, folder, folder.name)
    return plans.solve(network.load(folder), no_duty(), date(2026, 12, 1), 1)


@pytest.mark.skipif(not FOLDER, reason="ASHORE_BENCH does not name the folder of the benchmark files")
@pytest.mark.parametrize("name", orlib.OPTIMA)
def test_published_optimum(name: str, tmp_path: Path) -> None:
    assert FOLDER is not None
    paths = sorted(Path(FOLDER).rglob(f"{name}.txt"))
    assert paths, f"{name}.txt is not below {FOLDER}"
    plan = found(orlib.read(paths[0]), tmp_path / name)
    assert plan.status == "optimal"
    assert plan.cost_usd == pytest.approx(orlib.OPTIMA[name], rel=1e-6)
    assert plan.bound_usd == pytest.approx(orlib.OPTIMA[name], rel=1e-6)


def test_a_small_case_by_hand(tmp_path: Path) -> None:
    """Site 2 alone would do for 40 + 8 + 6 + 25 = 79; both, each customer served from the nearer one, cost 75."""
    text = "2 3\n 10 20.\n 20 40.\n 4\n 4 8\n 6\n 18 6\n 5\n 5 25\n"
    (tmp_path / "small.txt").write_text(text, encoding="ascii")
    case = orlib.read(tmp_path / "small.txt")
    assert case.demand == (4, 6, 5)
    plan = found(case, tmp_path / "small")
    assert plan.cost_usd == pytest.approx(20 + 40 + 4 + 6 + 5)
    assert plan.open["month"].to_list() == [0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_links_held_back_change_nothing(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tight capacities, so that fractions are branched on: all rows at once, and links as they bind."""
    rng = np.random.default_rng(seed)
    sites, customers = 8, 25
    demand = rng.integers(1, 40, customers).astype(float)
    serve = rng.uniform(1, 30, (customers, sites)) * demand[:, None]
    capacity = [float(demand.sum() / 3)] * sites
    fixed = rng.uniform(1500, 2500, sites)
    figures = (capacity, fixed.tolist(), demand.tolist(), serve.tolist())
    case = orlib.Warehouses(*map(tuple, figures))
    whole = found(case, tmp_path / "whole")
    monkeypatch.setattr(solver, "LARGE", 0)
    monkeypatch.setattr(links, "MANY", 1)
    apart = found(case, tmp_path / "apart")
    assert len(whole.open) >= 3
    assert apart.status == "optimal"
    assert apart.cost_usd == pytest.approx(whole.cost_usd, rel=1e-7)
