"""Who does the tasks makes no difference to what comes back; what keeps a cluster from working is said in words."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import worker_tasks
from tests.toy import START, book, duty, random_case, restricted_pair

from ashore import cli, plans
from ashore.errors import FaultyInput, SolverTrouble
from ashore.plans import afar, parallel, solver
from ashore.plans.blocks import Blocks, take_apart
from ashore.plans.parallel import here, spread, workers
from ashore.plans.recourse import Recourse
from ashore.plans.solver import Limits, NoPlan, run


# -- in this process --------------------------------------------------------------------------------------------------
@given(items=st.lists(st.integers()), factor=st.integers(), slots=st.integers(1, 5))
@settings(deadline=None)
def test_results_come_in_order_whoever_does_the_tasks(items: list[int], factor: int, slots: int) -> None:
    expected = [factor * item for item in items]
    assert spread(worker_tasks.times, iter(items), factor) == expected
    with ThreadPoolExecutor(slots) as pool, workers(pool):
        assert spread(worker_tasks.times, items, factor) == expected


def test_the_error_is_that_of_the_first_item() -> None:
    for where in (None, ThreadPoolExecutor(3)):
        with workers(where), pytest.raises(FaultyInput, match="3 is odd"):
            spread(worker_tasks.refuse_odd, [0, 2, 3, 4, 5], None)


def test_workers_hold_for_their_block_and_not_for_the_tasks() -> None:
    usual = here().slots
    with ThreadPoolExecutor(usual + 3) as pool, workers(pool) as chosen:
        assert here() is chosen
        assert spread(worker_tasks.slots_of_a_task, [1, 2], None) == [(usual, [2, 2]), (usual, [4, 4])]
        with workers():
            assert here() is not chosen
            assert spread(worker_tasks.slots_of_a_task, [1], None) == [(usual, [2, 2])]
    assert here() is not chosen


def test_progress_counts_up_to_all_tasks() -> None:
    said: list[tuple[int, int]] = []
    with workers(done=lambda ended, total: said.append((ended, total))):
        spread(worker_tasks.times, range(7), 1)
    assert said == sorted(said)
    assert said[-1] == (7, 7)


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


def test_processes_unpickle_once_what_tasks_share(processes: Executor) -> None:
    with workers(processes):
        held = spread(worker_tasks.number_of, range(20), np.arange(1000.0))
    assert os.getpid() not in {process for process, _ in held}
    assert len(set(held)) == len({process for process, _ in held})


def test_a_process_that_ends_is_said() -> None:
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
        workers(pool),
        pytest.raises(SolverTrouble, match="a process ended before its task did"),
    ):
        spread(worker_tasks.end_its_process, [1], None)


class Counted(Executor):
    """An executor that counts what it is given."""

    def __init__(self, pool: Executor) -> None:
        self.pool, self.given = pool, 0

    def submit(self, fn: Any, /, *given: Any, **named: Any) -> Any:
        self.given += 1
        return self.pool.submit(fn, *given, **named)


def test_many_parts_of_a_model_are_solved_by_the_workers(processes: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = plans.pose(restricted_pair(), book(duty(0.6)), START, 6).arrays
    parts = len(solver.split(arrays))
    impossible = replace(arrays, col_upper=np.where(arrays.cost > 0, np.minimum(arrays.col_upper, 0.5), np.inf))
    expected = run(arrays, Limits())
    pool = Counted(processes)
    with workers(pool):
        run(arrays, Limits())
        assert pool.given == 0  # as few are solved here
        monkeypatch.setattr(solver, "MANY", parts)
        found = run(arrays, Limits(seconds=600))
        assert pool.given == parts
        with pytest.raises(NoPlan):
            run(impossible, Limits())
        again = run(arrays, Limits(), known=found)
    for answer in (found, again):
        assert answer.parts == expected.parts
        assert np.array_equal(answer.x, expected.x)
    assert found.status == "optimal"


def test_threads_that_wait_for_workers_stop_when_another_fails() -> None:
    def task(number: int) -> None:
        if number == 0:
            raise KeyboardInterrupt
        chosen.ask(worker_tasks.wait, 60.0, number)

    begun = time.perf_counter()
    pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
    with workers(pool) as chosen:
        with pytest.raises(KeyboardInterrupt):
            chosen.hand_out(task, [0, 1])
        assert time.perf_counter() - begun < 30
        assert chosen.ask(worker_tasks.times, 1.0, 2.0) == 2.0
    for process in list(pool._processes.values()):
        process.kill()
    pool.shutdown()


# -- blocks of large trees --------------------------------------------------------------------------------------------
@pytest.fixture
def small_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of the trees of tests each a lot of its own, priced by the workers in force."""
    monkeypatch.setattr(afar, "LOT", 1)


def apart(seed: int, by_branch: bool) -> Blocks:
    case, futures, months, _ = random_case(seed)
    posed = plans.pose(case, futures.nodes[0].book, START, months, futures)
    return take_apart(posed.model, posed.arrays, posed.aim.costs, by_branch)


def points(blocks: Blocks, count: int) -> list[Any]:
    """Points of the master within its bounds, whatever its rows say."""
    rng = np.random.default_rng(count)
    low, high = blocks.trunk.col_lower, np.minimum(blocks.trunk.col_upper, blocks.trunk.col_lower + 30)
    return [low + (high - low) * np.round(rng.random(len(low)), 1) for _ in range(count)]


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_blocks_cost_the_same_whoever_prices_them(
    seed: int, processes: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(afar, "LOT", 2)
    blocks = apart(seed, by_branch=True)
    everything = np.arange(blocks.count)
    plain = Recourse(blocks, None)
    with workers(processes):
        there = afar.recourse(blocks, None)
        alike = afar.recourse(blocks, None)
    assert isinstance(there, afar.Afar)
    assert len(there.lots) == -(-blocks.count // 2) > 1
    for x in points(blocks, 6):
        demands = plain.solve(x, everything)
        with workers(processes):
            demands_there = there.solve(x, everything)
        alike.solve(x, everything)
        good = np.setdiff1d(everything, plain.failed)
        assert there.failed == plain.failed
        assert there.estimate(x)[good] == pytest.approx(plain.estimate(x)[good], rel=1e-9, abs=1e-6)
        assert np.array_equal(there.constant, alike.constant)
        assert np.array_equal(there.slope, alike.slope)
        assert len(demands) == len(demands_there)
        assert all(cut.needed and cut.constant + cut.slope @ x > 0 for cut in demands_there)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("risk", [0.0, 0.7])
def test_plans_taken_apart_cost_the_same_with_workers(
    seed: int, risk: float, small_lots: None, processes: Executor
) -> None:
    case, futures, months, _ = random_case(seed)
    asked = (case, futures.nodes[0].book, START, months, futures)
    whole = plans.solve(*asked, method="extensive", gap=1e-8, risk=risk, tail=0.5)
    pool = Counted(processes)
    with workers(pool):
        found = plans.solve(*asked, method="benders", gap=1e-8, risk=risk, tail=0.5)
    assert found.method == "benders"
    assert found.status == "optimal"
    assert found.objective_usd == pytest.approx(whole.objective_usd, rel=1e-6, abs=1e-6)
    assert found.bound_usd <= whole.objective_usd * (1 + 1e-7) + 1e-6
    assert pool.given > 1


# -- what keeps a cluster from working --------------------------------------------------------------------------------
@pytest.mark.parametrize("words", ["", "cluster", "local:0", "local:x", "host:8786", "tcp://host", "http://host:80"])
def test_what_is_no_cluster_is_refused(words: str) -> None:
    with pytest.raises(FaultyInput, match="Write local, local:4, tcp://HOST:PORT"), workers(words):
        pass


def test_without_dask_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(FaultyInput, match=r"pip install 'ashore\[cluster\]'"), workers("local:2"):
        pass


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "REACH", 1.0)


def test_an_address_where_nothing_answers_is_refused_within_seconds(brief: None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        refused(address, "No Dask scheduler answers at")


def test_an_address_where_something_else_answers_is_refused(brief: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        refused(f"tcp://127.0.0.1:{server.getsockname()[1]}", "No Dask scheduler answers at")
        thread.join()


def refused(address: str, why: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(FaultyInput, match=why), workers(address):
        pass
    assert time.perf_counter() - begun < 30


# -- a real cluster ---------------------------------------------------------------------------------------------------
def local_cluster(**options: Any) -> Any:
    """A cluster that others run: behind a scheduler of this process."""
    import distributed

    quiet = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
    return distributed.LocalCluster(threads_per_worker=1, host="127.0.0.1", protocol="tcp", **quiet, **options)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two worker processes that no test ends."""
    with local_cluster(n_workers=2, processes=True) as found:
        yield found


@pytest.fixture
def mortal() -> Iterator[Any]:
    """Two worker processes for one test."""
    with local_cluster(n_workers=2, processes=True) as found:
        yield found


def posed(seed: int) -> plans.Plan:
    case, futures, months, _ = random_case(seed)
    return plans.solve(case, futures.nodes[0].book, START, months, futures)


@pytest.mark.slow
def test_a_worker_killed_on_the_way_changes_nothing(mortal: Any, tmp_path: Path) -> None:
    plan = posed(3)
    assert plan.posed is not None
    common = (plan.posed.arrays, plan.posed.limits)

    def asked(notes: Path) -> list[tuple[Path, int, float]]:
        notes.mkdir()
        return [(notes, number, 1 + number / 7) for number in range(8)]

    expected = spread(worker_tasks.optimum_with_note, asked(tmp_path / "threads"), common)
    notes = tmp_path / "cluster"
    items = asked(notes)
    killed: list[int] = []

    def kill_the_first() -> None:
        while not (found := [path for path in notes.iterdir() if not path.suffix]):
            time.sleep(0.01)
        killed.append(int(found[0].read_text(encoding="utf-8")))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_the_first, daemon=True)
    with workers(mortal.scheduler_address):
        killer.start()
        assert spread(worker_tasks.optimum_with_note, items, common) == expected
        killer.join()
    done_by = [(path.name.partition("-")[0], int(path.read_text(encoding="utf-8"))) for path in notes.iterdir()]
    assert killed[0] != os.getpid()
    assert len(done_by) > len(items)  # what the killed worker had begun was begun again
    assert {number for number, _ in done_by} == {str(number) for number in range(len(items))}
    assert any(process != killed[0] for _, process in done_by)


@pytest.mark.slow
def test_what_plans_are_worth_is_the_same_on_a_cluster_that_loses_a_worker(mortal: Any) -> None:
    plan = posed(3)
    expected = plans.options(plan).as_dict()
    left = [worker.pid for worker in _workers(mortal)]

    def kill_one(ended: int, total: int) -> None:
        if left and ended < total:
            os.kill(left.pop(), signal.SIGKILL)
            left.clear()

    with workers(mortal.scheduler_address, done=kill_one):
        found = plans.options(plan).as_dict()
    assert found["evpi_usd"] == pytest.approx(expected["evpi_usd"], rel=1e-9, abs=1e-9)
    assert found["vss_usd"] == pytest.approx(expected["vss_usd"], rel=1e-9, abs=1e-9)
    for one, other in zip(found["options"], expected["options"], strict=True):
        assert one["value_usd"] == pytest.approx(other["value_usd"], rel=1e-9, abs=1e-6)


def _workers(cluster: Any) -> list[Any]:
    return [nanny.process for nanny in cluster.workers.values() if nanny.process is not None]


@pytest.mark.slow
def test_break_evens_and_large_trees_are_the_same_on_a_cluster(cluster: Any, small_lots: None) -> None:
    case, futures, months, _ = random_case(3)
    law = futures.nodes[0].book

    def asked() -> tuple[Any, plans.Plan]:
        rates = plans.breakeven_rates(case, law, START, months)
        return rates, plans.solve(case, law, START, months, futures, method="benders", risk=0.5, tail=0.5)

    rates, plan = asked()
    with workers(cluster.scheduler_address):
        rates_there, plan_there = asked()
    assert [each.rate for each in rates_there] == pytest.approx([each.rate for each in rates], abs=1e-9)
    assert [each.opens for each in rates_there] == [each.opens for each in rates]
    assert plan_there.method == "benders"
    assert plan_there.objective_usd == pytest.approx(plan.objective_usd, rel=1e-6)


@pytest.mark.slow
def test_errors_of_tasks_and_other_versions_are_said(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with workers(cluster.scheduler_address) as chosen:
        assert chosen.slots == 2
        with pytest.raises(FaultyInput, match="3 is odd"):
            spread(worker_tasks.refuse_odd, [0, 2, 3, 4, 5], None)
        held = spread(worker_tasks.number_of, range(20), np.arange(1000.0))
        assert len(set(held)) == len({process for process, _ in held})
    monkeypatch.setattr(parallel, "VERSION", "0.0.1")
    with pytest.raises(FaultyInput, match=r"this is 0\.0\.1"), workers(cluster.scheduler_address):
        pass


@pytest.mark.slow
def test_a_task_that_ends_its_workers_is_given_up(mortal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mortal.scheduler, "allowed_failures", 0)
    with workers(mortal.scheduler_address), pytest.raises(SolverTrouble, match="ended, one after another"):
        spread(worker_tasks.end_its_process, [1], None)


@pytest.mark.slow
def test_a_scheduler_without_workers_is_refused_and_one_that_loses_them_is_given_up(
    brief: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_cluster(n_workers=0) as empty:
        refused(empty.scheduler_address, "has no workers")
        monkeypatch.setattr(parallel, "PATIENCE", 0.0)
        monkeypatch.setattr(parallel, "_check_versions", lambda client, where: None)
        with pytest.raises(SolverTrouble, match="without workers"), workers(empty.scheduler_address):
            spread(worker_tasks.times, [1], 1)


@pytest.mark.slow
def test_a_scheduler_that_ends_is_said() -> None:
    with local_cluster(n_workers=1, processes=False) as found, workers(found.scheduler_address):
        threading.Timer(1.0, found.close).start()
        with pytest.raises(SolverTrouble, match="its scheduler has gone"):
            spread(worker_tasks.wait, range(60), 0.5)


@pytest.mark.slow
def test_a_local_cluster_listens_on_the_loopback_only() -> None:
    import psutil

    def family() -> list[Any]:
        return [psutil.Process(), *psutil.Process().children(recursive=True)]

    def listening() -> set[tuple[int, str, int]]:
        places = [(each.pid, place) for each in family() for place in each.net_connections()]
        return {(pid, place.laddr.ip, place.laddr.port) for pid, place in places if place.status == "LISTEN"}

    before = listening()
    with workers("local:2") as chosen:
        assert chosen.slots == 2
        assert spread(worker_tasks.times, [1, 2], 3) == [3, 6]
        during = listening() - before
        assert len({pid for pid, _, _ in during}) == 3
        assert {ip for _, ip, _ in during} == {"127.0.0.1"}
        assert 8787 not in {port for _, _, port in during}
    assert not listening() - before


@pytest.mark.slow
def test_the_verb_gives_the_same_document_with_a_cluster(cluster: Any, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "rigs-2026", "--start", "2026-12-01", "--months", "2", "--options", "--json"]
    documents = []
    for more in ([], ["--cluster", cluster.scheduler_address]):
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, *more])
        assert ended.value.code == 0
        documents.append(json.loads(capfd.readouterr().out))
    one, other = documents
    assert one["objective_usd"] == pytest.approx(other["objective_usd"], rel=1e-9)
    assert one["open"] == other["open"]
    assert [row["value_usd"] for row in one["options"]] == pytest.approx(
        [row["value_usd"] for row in other["options"]], rel=1e-9, abs=1e-3
    )


def test_the_verb_says_what_is_wrong_with_a_cluster(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["plan", "rigs-2026", "--start", "2026-12-01", "--months", "2", "--cluster", "there", "--json"])
    assert ended.value.code == 1
    assert json.loads(capfd.readouterr().out)["faults"][0]["where"] == "--cluster"
