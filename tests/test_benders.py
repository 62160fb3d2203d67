"""Plans taken apart: the same optimum as in one piece, whatever the tree, the tail and what must be served."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import orlib
from tests.toy import (
    DEMAND,
    LANES,
    PLANTS,
    PRODUCTS,
    START,
    book,
    duty,
    month,
    net,
    random_case,
    rows,
    ties,
    tree,
    under,
)

from ashore import cli, plans
from ashore.errors import FaultyInput, Infeasible
from ashore.plans import search
from ashore.plans.blocks import take_apart
from ashore.plans.posed import pose

FOLDER = os.environ.get("ASHORE_BENCH")


def both(*case: Any, **options: Any) -> tuple[plans.Plan, plans.Plan]:
    """The plan in one piece and taken apart, which must cost the same."""
    whole = plans.solve(*case, method="extensive", gap=1e-8, **options)
    apart = plans.solve(*case, method="benders", gap=1e-8, **options)
    assert (whole.method, apart.method) == ("extensive", "benders")
    assert apart.status == "optimal"
    assert apart.objective_usd == pytest.approx(whole.objective_usd, rel=1e-6, abs=1e-6)
    assert apart.bound_usd <= whole.objective_usd * (1 + 1e-7) + 1e-6
    ties(apart)
    return whole, apart


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("risk", [0.0, 0.4, 1.0])
def test_networks_with_parts_and_transit(seed: int, risk: float) -> None:
    case, futures, months, _ = random_case(seed)
    both(case, futures.nodes[0].book, START, months, futures, risk=risk, tail=0.5)


def must_serve(seed: int) -> tuple[Any, Any, int]:
    """Candidates only, some demand that must be served, two or three stages with or without months before the split."""
    rng = np.random.default_rng(seed)
    sites = 5
    plants = [
        (f"site{k}", "Acme", str(rng.choice(["MY", "CN", "US"])), "no", int(rng.integers(100, 900)),
         int(rng.integers(0, 20)), 0, 0, int(rng.integers(10, 40)))
        for k in range(sites)
    ]  # fmt: skip
    lanes = [
        (f"site{k}", market, "truck", 0, int(rng.integers(1, 40)), int(rng.choice([0, 3, 30])) if k else 0)
        for k in range(sites)
        for market in ("east", "west")
    ]
    months = int(rng.integers(1, 4))
    lost = [None, int(rng.integers(50, 200))]
    demand = [(m, "rig", None, 12, None, lost[k]) for k, m in enumerate(("east", "west"))]
    case = net(
        products=PRODUCTS[:1],
        parts={"product": [], "part": [], "quantity": []},
        plants=rows(PLANTS, *plants),
        makes=rows("plant product cost_usd customs_value_usd", *[(p[0], "rig", 10, 100) for p in plants]),
        supplies={"product": [], "origin": [], "price_usd": []},
        lanes=rows(LANES, *lanes),
        markets=rows("market country", ("east", "US"), ("west", "US")),
        demand=rows(DEMAND, *demand),
    )
    law = book(duty(0.2, ["CN"]))
    split = 0 if months == 1 or rng.random() < 0.5 else 1
    count = int(rng.integers(3, 7))
    chance = rng.dirichlet(np.ones(count))
    chance[-1] = 1 - chance[:-1].sum()
    nodes: list[Any] = [("root", None, START, 1.0, law)]
    wanted: list[Any] = []
    for k in range(count):
        rate = float(rng.choice([0.0, 0.3, 1.0]))
        nodes.append((f"b{k}", "root", month(split), float(chance[k]), under(law, duty(rate, ["MY"]), since=START)))
        wanted += [(f"b{k}", m, "rig", None, float(rng.integers(0, 20))) for m in ("east", "west")]
    if months == 3 and split == 1:
        nodes += [("deep", "b0", month(2), 0.25, law), ("down", "b0", month(2), 0.75, law)]
        wanted += [("deep", "east", "rig", None, 30.0)]
    return case, tree(law, *nodes, demand=wanted), months


def refusal(*case: Any, **options: Any) -> str | None:
    """Why a case has no plan; None if it has one."""
    try:
        plans.solve(*case, **options)
    except Infeasible as error:
        return str(error)
    return None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("risk", [0.0, 0.5, 1.0])
def test_demand_that_must_be_served(seed: int, risk: float) -> None:
    case, futures, months = must_serve(seed)
    asked = (case, futures.nodes[0].book, START, months, futures)
    said = refusal(*asked, method="extensive", risk=risk, tail=0.7)
    if said is not None:
        assert refusal(*asked, method="benders", risk=risk, tail=0.7) == said
        return
    both(*asked, risk=risk, tail=0.7)


def test_the_cases_above_are_not_all_impossible() -> None:
    assert sum(_possible(seed) for seed in range(20)) >= 12


# -- a two-stage case with tail risk, as the large published ones -----------------------------------------------------
def located(seed: int = 3, sites: int = 6, customers: int = 9) -> orlib.Warehouses:
    rng = np.random.default_rng(seed)
    where, whence = rng.random((customers, 2)), rng.random((sites, 2))
    far = np.sqrt(((where[:, None] - whence) ** 2).sum(axis=2))
    demand = rng.integers(5, 30, customers).astype(float)
    opening, capacity = (rng.integers(40, most, sites).astype(float).tolist() for most in (90, 70))
    serve = (far * demand[:, None] * 5).tolist()
    return orlib.Warehouses(tuple(opening), tuple(capacity), tuple(demand.tolist()), tuple(map(tuple, serve)))


def asked(tmp_path: Path, case: orlib.Warehouses, branches: int) -> list[str]:
    """The words of ``ashore plan`` for a case with its futures."""
    orlib.write(orlib.with_columns_swapped(case), tmp_path / "case", "case")
    orlib.write_futures(case, tmp_path / "futures", 1, date(2026, 12, 1), branches)
    words = ["plan", str(tmp_path / "case"), "--futures", str(tmp_path / "futures"), "--start", "2026-12-01"]
    return [*words, "--months", "1", "--json"]


def document(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as end:
        cli.main(list(words))
    assert end.value.code == 0, capfd.readouterr().err
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


@pytest.mark.parametrize("risk", ["0", "0.5", "1"])
def test_two_stages_through_the_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str], risk: str) -> None:
    words = asked(tmp_path, located(), 30)
    found = [document(capfd, *words, "--risk", risk, "--method", method) for method in ("extensive", "benders")]
    assert [(plan["method"], plan["status"]) for plan in found] == [("extensive", "optimal"), ("benders", "optimal")]
    assert found[0]["objective_usd"] == pytest.approx(found[1]["objective_usd"], rel=1e-6)
    assert document(capfd, *words, "--risk", risk)["method"] == "extensive"  # small


def test_the_branch_of_chance_0_must_be_feasible_and_costs_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without it fewer warehouses open; with it those opened have room for the demand of the file."""
    case = located()
    words = [*asked(tmp_path, case, 30), "--risk", "1", "--method", "benders"]
    bound = document(capfd, *words)
    room = {f"warehouse-{k + 1:03}": size for k, size in enumerate(case.fixed)}
    assert sum(room[row["plant"]] for row in bound["open"]) >= sum(case.demand)
    nodes = tmp_path / "futures" / "nodes.csv"
    text = nodes.read_text(encoding="utf-8")
    nodes.write_text("".join(line for line in text.splitlines(True) if not line.startswith("base,")), encoding="utf-8")
    free = document(capfd, *words)
    assert free["objective_usd"] < bound["objective_usd"] - 1
    assert sum(room[row["plant"]] for row in free["open"]) < sum(case.demand)
    # a branch of chance 0 that asks for no more than the others do changes nothing
    least = text.replace("base,", "draw-9999,")
    nodes.write_text(least, encoding="utf-8")
    wanted = tmp_path / "futures" / "demand.csv"
    lines = wanted.read_text(encoding="utf-8").splitlines(True)
    more = [line.replace("draw-0001,", "draw-9999,") for line in lines if line.startswith("draw-0001,")]
    wanted.write_text("".join(lines + more), encoding="utf-8")
    assert document(capfd, *words)["objective_usd"] == pytest.approx(free["objective_usd"], rel=1e-6)


def test_the_order_of_rows_changes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = [*asked(tmp_path, located(), 30), "--risk", "1", "--method", "benders"]
    before = document(capfd, *words)
    rng = np.random.default_rng(5)
    for path in [*(tmp_path / "case").glob("*.csv"), *(tmp_path / "futures").glob("*.csv")]:
        header, *lines = path.read_text(encoding="utf-8").splitlines(True)
        rng.shuffle(lines)
        path.write_text(header + "".join(lines), encoding="utf-8")
    after = document(capfd, *words)
    assert after["objective_usd"] == pytest.approx(before["objective_usd"], rel=1e-6)
    assert {row["plant"] for row in after["open"]} == {row["plant"] for row in before["open"]}


def test_blocks_of_one_shape_share_a_model(tmp_path: Path) -> None:
    case, futures, months = must_serve(1)
    posed = pose(case, futures.nodes[0].book, START, months, futures)
    blocks = take_apart(posed.model, posed.arrays, posed.charges, by_branch=False)
    assert 1 <= len(blocks.shapes) <= blocks.count
    assert len(blocks.master) + len(blocks.column) == posed.arrays.columns
    assert len(np.unique(np.concatenate([blocks.master, blocks.column]))) == posed.arrays.columns


# -- stopping ---------------------------------------------------------------------------------------------------------
def interrupted(after: int, error: type[BaseException]) -> Callable[[float, float, float], None]:
    told: list[float] = []

    def progress(bound: float, best: float, seconds: float) -> None:
        told.append(bound)
        assert bound <= best
        if len(told) == after:
            raise error

    return progress


@pytest.fixture
def stoppable() -> Any:
    case, futures, months = must_serve(next(s for s in range(20) if _possible(s)))
    return case, futures.nodes[0].book, START, months, futures


def _possible(seed: int) -> bool:
    case, futures, months = must_serve(seed)
    return refusal(case, futures.nodes[0].book, START, months, futures) is None


def test_ctrl_c_gives_the_best_plan_so_far(stoppable: Any) -> None:
    proven = plans.solve(*stoppable)
    plan = plans.solve(*stoppable, method="benders", progress=interrupted(2, KeyboardInterrupt))
    assert plan.status == "stopped"
    assert plan.bound_usd <= proven.objective_usd * (1 + 1e-9) <= plan.objective_usd * (1 + 2e-9)
    ties(plan)


def test_no_time_at_all_still_gives_a_plan_and_an_honest_bound(stoppable: Any) -> None:
    proven = plans.solve(*stoppable)
    plan = plans.solve(*stoppable, method="benders", time=1e-9)
    assert plan.status == "time_limit"
    assert plan.bound_usd <= proven.objective_usd * (1 + 1e-9) <= plan.objective_usd * (1 + 2e-9)
    ties(plan)


def test_time_up_gives_the_best_plan_so_far(stoppable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    usual = search.Search._seconds_left

    def left(rounds_of: Any) -> float | None:
        rounds.append(1)
        if len(rounds) > 3:
            raise search.OutOfTime
        return usual(rounds_of)

    monkeypatch.setattr(search.Search, "_seconds_left", left)
    plan = plans.solve(*stoppable, method="benders", time=100)
    assert plan.status == "time_limit"
    assert plan.gap > 0
    assert plan.bound_usd <= plans.solve(*stoppable).objective_usd * (1 + 1e-9) <= plan.objective_usd * (1 + 2e-9)


def test_what_plans_are_worth_does_not_depend_on_the_method(stoppable: Any) -> None:
    whole, apart = (plans.options(plan) for plan in both(*stoppable))
    assert apart.evpi_usd == pytest.approx(whole.evpi_usd, abs=0.01)
    assert apart.vss_usd == pytest.approx(whole.vss_usd, abs=0.01)
    for one, other in zip(whole.options, apart.options, strict=True):
        assert one[0] == other[0]
        assert one[1] == pytest.approx(other[1], abs=0.01)


def test_an_unknown_method_is_refused(stoppable: Any) -> None:
    with pytest.raises(FaultyInput, match="extensive, benders"):
        plans.solve(*stoppable, method="guess")


# -- published optima -------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.skipif(not FOLDER, reason="ASHORE_BENCH does not name the folder of the benchmark files")
@pytest.mark.parametrize("name", orlib.TAIL_OPTIMA)
def test_published_optimum_with_tail_risk(name: str, tmp_path: Path) -> None:
    """In a process of its own, as a user would; its time stands in benchmarks/README.md."""
    import subprocess

    assert FOLDER is not None
    source = sorted(Path(FOLDER).rglob(f"{name}.txt"))[0]
    words = asked(tmp_path, orlib.read(source), orlib.BRANCHES)
    program = "import sys; from ashore.cli import main; main(sys.argv[1:])"
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program, *words, "--risk", "1", "--tail", "0.9"],
        capture_output=True, text=True, check=True, env=surroundings,
    )  # fmt: skip
    plan = json.loads(done.stdout)
    assert plan["objective_usd"] == pytest.approx(orlib.TAIL_OPTIMA[name], rel=1e-9)
    assert plan["bound_usd"] == pytest.approx(orlib.TAIL_OPTIMA[name], rel=1e-6)
    assert (plan["status"], plan["method"], plan["duty_usd"]) == ("optimal", "benders", 0)


# -- very large trees -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [0, 2, 3, 5])
def test_a_plan_built_branch_by_branch_is_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case, futures, months, _ = random_case(seed)
    asked = (case, futures.nodes[0].book, START, months, futures)
    whole = plans.solve(*asked, method="extensive", gap=1e-8)
    monkeypatch.setattr("ashore.plans.plan.HUGE", 0)
    apart = plans.solve(*asked, gap=1e-8)
    assert apart.method == "benders"
    assert apart.columns > 0
    with pytest.raises(FaultyInput, match="branch by branch"):
        plans.options(apart)
    for name in ("objective_usd", "cost_usd", "bound_usd"):
        assert getattr(apart, name) == pytest.approx(getattr(whole, name), rel=1e-6, abs=1e-6)
    nodes = apart.node_costs
    assert nodes["node"].to_list() == whole.node_costs["node"].to_list()
    assert nodes["expected_usd"].sum() == pytest.approx(apart.cost_usd, rel=1e-9, abs=1e-6)
    assert apart.branches["node"].sort().to_list() == whole.branches["node"].sort().to_list()
    ends = apart.branches
    assert (ends["chance"] * ends["cost_usd"]).sum() == pytest.approx(apart.cost_usd, rel=1e-9, abs=1e-6)
    rows = apart.ledger
    spent = (rows["cents"] * rows["chance"] * rows["factor"]).sum() / 100
    assert spent == pytest.approx(apart.cost_usd, abs=0.05)
