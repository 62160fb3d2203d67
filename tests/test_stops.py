"""Stopping: whatever ends a solve early, there is a plan if one can be had, and bound and gap are true."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.test_benders import must_serve
from tests.toy import (
    DEMAND,
    START,
    book,
    duty,
    month,
    net,
    random_case,
    restricted_pair,
    rows,
    ties,
    tree,
    under,
)

from ashore import plans
from ashore.errors import SolverTrouble
from ashore.plans import solver
from ashore.plans.first import completed, feasible, least, narrowed
from ashore.plans.posed import pose
from ashore.plans.sheet import Arrays, Sheet
from ashore.plans.solver import Limits, NoPlan, run
from ashore.plans.watch import Post, Watch

ROOT = Path(__file__).parents[1]
MUST = rows(DEMAND, ("texas", "rig", None, 10, None, None))


def asked(case: Any, futures: Any, months: int) -> tuple[Any, ...]:
    return case, futures.nodes[0].book, START, months, futures


# -- plans without a search -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(12))
def test_the_plan_that_does_nothing_loses_all_demand(seed: int) -> None:
    posed = pose(*asked(*random_case(seed)[:3]))
    model, x = posed.model, completed(posed.arrays)
    assert x is not None
    assert feasible(posed.arrays, x)
    lost = np.where(model.lost >= 0, x[model.lost], 0.0)
    assert lost == pytest.approx(model.units)
    assert not x[model.make[model.make >= 0]].any()
    assert least(posed.arrays) <= run(posed.arrays, Limits()).objective + 1e-6 <= posed.arrays.cost @ x + 2e-6


def test_no_plan_does_nothing_where_demand_must_be_served() -> None:
    assert completed(pose(net(demand=MUST), book(), START, 4).arrays) is None


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("risk", [0.0, 0.6])
def test_the_linear_model_first_leads_to_the_same_plan(seed: int, risk: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound, rounding and fixed openings, on cases small enough to be solved without them."""
    case = must_serve(seed // 2) if seed % 2 else random_case(seed)[:3]
    try:
        usual = plans.solve(*asked(*case), risk=risk, tail=0.5, gap=1e-9)
    except plans.plan.infeasible.Infeasible:
        return
    monkeypatch.setattr(solver, "LARGE", 0)
    monkeypatch.setattr(solver, "HARD", 0)
    first = plans.solve(*asked(*case), risk=risk, tail=0.5, gap=1e-9)
    assert first.status == "optimal"
    assert first.objective_usd == pytest.approx(usual.objective_usd, rel=1e-8, abs=1e-6)
    ties(first)


def test_openings_are_fixed_only_where_another_could_not_pay() -> None:
    count = 0
    for seed in range(5):
        arrays = pose(*asked(*must_serve(seed))).arrays
        try:
            best = run(arrays, Limits(1e-9))
        except NoPlan:
            continue
        linear = solver.passed(replace(arrays, integer=np.zeros(arrays.columns, dtype=bool)), Limits())
        linear.run()
        solution, bound = linear.getSolution(), linear.getInfo().objective_function_value
        x, reduced = np.array(solution.col_value), np.array(solution.col_dual)
        narrow = narrowed(arrays, x, reduced, best.objective - bound + 1e-3)
        fixed = np.flatnonzero((narrow.col_lower == narrow.col_upper) & (arrays.col_lower < arrays.col_upper))
        count += len(fixed)
        assert arrays.integer[fixed].all()
        for column in fixed:
            lower, upper = arrays.col_lower.copy(), arrays.col_upper.copy()
            lower[column] = upper[column] = 1.0 - narrow.col_lower[column]
            with suppress(NoPlan):
                found = run(replace(arrays, col_lower=lower, col_upper=upper), Limits(1e-9))
                assert found.objective >= best.objective - 1e-6
    assert count > 3


# -- no time ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("large", [0, 10**9])
@pytest.mark.parametrize("kind", ["cost", "margin", "worst", "regret"])
def test_without_time_there_is_a_plan_and_its_bound_is_true(
    large: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = book(duty(0.4))
    high = under(law, duty(1.1), since=month(3))
    futures = tree(
        law, ("now", None, START, 1, law), ("a", "now", month(3), 0.5, high), ("b", "now", month(3), 0.5, law)
    )
    for case in (net(), restricted_pair(), net(demand=rows(DEMAND, ("texas", "rig", None, 10, 3000, None)))):
        best = plans.solve(*asked(case, futures, 9), objective=kind, gap=1e-9)
        monkeypatch.setattr(solver, "LARGE", large)
        hurried = plans.solve(*asked(case, futures, 9), objective=kind, gap=1e-12, time=1e-6)
        monkeypatch.undo()
        assert hurried.status in ("optimal", "time_limit")
        slack = 1e-6 * abs(best.objective_usd) + 1e-3
        if kind != "regret":  # the best plans of the branches are hurried too
            assert hurried.bound_usd <= best.objective_usd + slack
            assert hurried.objective_usd >= best.objective_usd - slack
        assert hurried.bound_usd <= hurried.objective_usd
        assert hurried.served["units"].sum() + hurried.lost["units"].sum() == pytest.approx(
            best.served["units"].sum() + best.lost["units"].sum()
        )


def test_where_no_plan_can_be_had_in_time_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = solver.highspy.HighsModelStatus
    monkeypatch.setattr(solver._Quiet, "run", lambda _: None)
    monkeypatch.setattr(solver._Quiet, "getModelStatus", lambda _: kind.kTimeLimit)
    plan = plans.solve(net(), book(duty(1.0)), START, 6, time=5)  # nothing was solved
    assert plan.status == "time_limit"
    assert plan.lost["units"].sum() == pytest.approx(60)
    ties(plan)
    with pytest.raises(SolverTrouble, match="--gap"):
        plans.solve(net(demand=MUST), book(duty(1.0)), START, 6, time=5)


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------
def stopping(after: int) -> tuple[Callable[[float, float, float], None], list[tuple[float, float]]]:
    told: list[tuple[float, float]] = []

    def progress(bound: float, best: float, seconds: float) -> None:
        told.append((bound, best))
        if len(told) == after:
            raise KeyboardInterrupt

    return progress, told


@pytest.mark.parametrize("risk", [0.0, 0.5])
@pytest.mark.parametrize("parts", [1, 2])
def test_ctrl_c_gives_the_best_plan_so_far(parts: int, risk: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver is held up until the wish to stop is heard, as long models hold it up."""
    case = net() if parts == 1 else restricted_pair()
    law = book(duty(0.4))
    futures = tree(
        law,
        ("now", None, START, 1, law),
        ("a", "now", month(3), 0.5, under(law, duty(1.1), since=month(3))),
        ("b", "now", month(3), 0.5, law),
    )
    proven = plans.solve(*asked(case, futures, 9), risk=risk, tail=0.5)
    usual = solver._Quiet.run

    def held(highs: Any) -> Any:
        until = time.perf_counter() + 20
        while not all(watch.stopping for watch in Watch.running) and time.perf_counter() < until:
            time.sleep(0.01)
        return usual(highs)

    monkeypatch.setattr(solver._Quiet, "run", held)
    monkeypatch.setattr("ashore.plans.watch.TICK", 0.02)
    progress, told = stopping(after=2)
    plan = plans.solve(*asked(case, futures, 9), risk=risk, tail=0.5, progress=progress)
    assert plan.status == "stopped"
    assert plan.bound_usd <= proven.objective_usd * (1 + 1e-9) <= plan.objective_usd * (1 + 2e-9)
    assert all(bound <= best for bound, best in told)
    ties(plan)
    with pytest.raises(KeyboardInterrupt):
        plans.solve(net(demand=MUST), law, START, 9, progress=stopping(after=1)[0])


def test_a_solver_that_does_not_hear_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ashore.plans.watch.TICK", 0.02)
    monkeypatch.setattr("ashore.plans.watch.PATIENCE", 0.1)
    free = threading.Event()
    progress, _ = stopping(after=2)
    watch = Watch(2, progress)

    def task(k: int) -> None:
        post = Post(watch, k)
        post.found(5.0, np.ones(1))
        post.proven(2.0)
        free.wait(60)

    begun = time.perf_counter()
    watch.run(task, range(2), 2)
    assert time.perf_counter() - begun < 30
    assert (watch.stopping, watch.usd.tolist(), watch.bound.tolist()) == (True, [5.0, 5.0], [2.0, 2.0])
    assert plans.watch.at_work()
    free.set()
    for worker in list(Watch.left_behind):
        worker.join(60)
    assert not plans.watch.at_work()


def test_an_error_in_one_part_is_raised_and_ends_the_others() -> None:
    watch = Watch(3)

    def task(k: int) -> None:
        if k == 1:
            raise NoPlan
        while not watch.stopping:
            time.sleep(0.01)

    with pytest.raises(NoPlan):
        watch.run(task, range(3), 3)


def long(sheet_columns: int = 120) -> Arrays:
    """A knapsack with equalities that no search ends soon."""
    rng = np.random.default_rng(4)
    sheet = Sheet()
    pick = sheet.add_columns(np.ones(sheet_columns, dtype=bool), 1.0, integer=True)
    rest = sheet.add_columns(np.ones(8, dtype=bool))
    weight = rng.integers(100, 1000, (8, sheet_columns)).astype(float)
    rows_ = sheet.add_rows(np.ones(8, dtype=bool), weight.sum(axis=1) // 2, np.inf)
    sheet.put(rows_[:, None], pick, weight)
    sheet.put(rows_, rest, 1.0)
    cost = np.concatenate([weight.sum(axis=0) + rng.integers(0, 50, sheet_columns), np.full(8, 30.0)])
    return sheet.arrays(cost)


@pytest.mark.parametrize("large", [0, 10**9])
def test_highs_itself_hears_and_tells(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "LARGE", large)
    progress, told = stopping(after=6)
    begun = time.perf_counter()
    answer = run(long(), Limits(0.0, 300.0, progress))
    assert answer.status == "stopped"
    assert time.perf_counter() - begun < 120
    assert 0 < answer.bound <= answer.objective
    assert feasible(long(), answer.x)
    assert told[-1][0] <= told[-1][1] < np.inf
    late = run(long(), Limits(0.0, 0.5))
    assert late.status == "time_limit"
    assert 0 <= late.bound <= late.objective


def test_a_signal_to_the_command_prints_the_plan_so_far(tmp_path: Path) -> None:
    """Sent once the line of progress shows on the terminal that the solver is at work."""
    program = "from ashore.cli import main; main()"
    futures = ROOT / "src/ashore/data/cases/rigs-2026/futures/excess-capacity-2027.toml"
    words = ["plan", "--start", "2026-11-22", "--months", "36", "--futures", str(futures), "--gap", "0", "--json"]
    terminal, end = pty.openpty()
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words, "--options"],
            stdout=out, stderr=end, env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "dumb"},
        )  # fmt: skip
    os.close(end)
    shown = b""
    try:
        while b"bound" not in shown:
            shown += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        draining = threading.Thread(target=_drain, args=(terminal,), daemon=True)
        draining.start()
        assert process.wait(300) == 0
    finally:
        process.kill()
    plan = json.loads((tmp_path / "out").read_text(encoding="utf-8"))
    assert plan["status"] == "stopped"
    assert 0 <= plan["bound_usd"] <= plan["objective_usd"]
    assert plan["gap"] == pytest.approx((plan["objective_usd"] - plan["bound_usd"]) / plan["objective_usd"])
    assert "evpi_usd" not in plan
    assert any("Stopped before the values" in note for note in plan["notes"])


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:  # the other end is closed
        pass
