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
from tests.test_plans import START, book, duty, random_case, restricted_pair

from ashore import cli, plans
from ashore.errors import FaultyInput, SolverTrouble
from ashore.plans import parallel, solver
from ashore.plans.batch import Chunk, Priced, solve_blocks
from ashore.plans.blocks import Shape
from ashore.plans.parallel import here, spread, workers
from ashore.plans.sheet import Arrays
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


# -- blocks -----------------------------------------------------------------------------------------------------------
def linear(seed: int, blocks: int = 5) -> tuple[tuple[Shape, ...], Chunk]:
    """Random linear models of one shape, some of them without a solution."""
    rng = np.random.default_rng(seed)
    columns, rows = int(rng.integers(1, 8)), int(rng.integers(1, 6))
    matrix = np.where(rng.random((rows, columns)) < 0.6, rng.integers(-3, 4, (rows, columns)), 0).astype(float)
    at, row = np.nonzero(matrix.T)
    start = np.zeros(columns + 1, dtype=np.int32)
    np.cumsum(np.bincount(at, minlength=columns), out=start[1:])
    shape = Shape(columns, rows, start, row.astype(np.int32), matrix.T[at, row])
    lower = rng.integers(-2, 1, (blocks, columns)).astype(float)
    side = rng.integers(-9, 6, (blocks, rows)).astype(float)
    chunk = Chunk(
        0,
        rng.integers(-5, 9, (blocks, columns)).astype(float),
        lower,
        lower + rng.integers(1, 5, (blocks, columns)),
        np.where(rng.random((blocks, rows)) < 0.3, -np.inf, side),
        side + rng.integers(0, 4, (blocks, rows)),
    )
    return (shape,), chunk


def alone(shape: Shape, chunk: Chunk, block: int) -> float | None:
    """The optimum of one block by the solver of whole models."""
    arrays = Arrays(
        chunk.cost[block], chunk.lower[block], chunk.upper[block], chunk.row_lower[block], chunk.row_upper[block],
        shape.start, shape.index, shape.value, np.zeros(shape.columns, dtype=bool),
        np.zeros(shape.columns, dtype=np.int64), np.zeros(shape.rows, dtype=np.int64),
    )  # fmt: skip
    try:
        return run(arrays, Limits()).objective
    except NoPlan:
        return None


def dual_value(chunk: Chunk, block: int, price: Any, reduced: Any) -> float:
    """The least value of price·(A·y) + reduced·y within sides and bounds."""

    def least(by: Any, low: Any, high: Any) -> float:
        side = np.where(by > 0, low, high)
        return float(np.sum(np.where(np.abs(by) > 1e-9, by * np.where(np.abs(by) > 1e-9, side, 0.0), 0.0)))

    return least(price, chunk.row_lower[block], chunk.row_upper[block]) + least(
        reduced, chunk.lower[block], chunk.upper[block]
    )


@pytest.mark.parametrize("seed", range(40))
def test_blocks_have_the_optimum_of_whole_models_and_prices_that_prove_it(seed: int) -> None:
    shapes, chunk = linear(seed)
    (found,) = solve_blocks(shapes, [chunk])
    matrix = np.zeros((shapes[0].rows, shapes[0].columns))
    matrix[shapes[0].index, np.repeat(np.arange(shapes[0].columns), np.diff(shapes[0].start))] = shapes[0].value
    for block in range(len(chunk.cost)):
        expected = alone(shapes[0], chunk, block)
        assert found.solved[block] == (expected is not None)
        price = found.price[block]
        if expected is not None:
            assert chunk.cost[block] @ found.y[block] == pytest.approx(expected, abs=1e-7)
            assert dual_value(chunk, block, price, found.reduced[block]) == pytest.approx(expected, abs=1e-6)
        elif price.any():  # a row or bound no point can keep: the ray's least value exceeds what any point gives
            assert max(dual_value(chunk, block, sign * price, -sign * price @ matrix) for sign in (1, -1)) > 0


def test_a_chunk_goes_on_from_the_basis_it_brings() -> None:
    shapes, chunk = linear(1)
    (first,) = solve_blocks(shapes, [chunk])
    again = replace(chunk, basis=first.basis)
    (second,) = solve_blocks(shapes, [again])
    assert same(first, second, exact=False)


def same(one: Priced, other: Priced, exact: bool = True) -> bool:
    near = np.array_equal if exact else np.allclose
    pairs = [(one.solved, other.solved), (one.y[one.solved], other.y[other.solved])]
    if exact:
        pairs += [(one.price, other.price), (one.reduced, other.reduced)]
    return all(near(a, b) for a, b in pairs) and (not exact or one.basis == other.basis)


def test_some_blocks_have_no_solution_and_some_have() -> None:
    found = np.concatenate([solve_blocks(*_one(seed))[0].solved for seed in range(40)])
    assert 20 < found.sum() < len(found) - 20


def _one(seed: int) -> tuple[tuple[Shape, ...], list[Chunk]]:
    shapes, chunk = linear(seed)
    return shapes, [chunk]


def test_chunks_do_not_depend_on_what_their_thread_did_before(processes: Executor) -> None:
    several = [linear(seed) for seed in range(12)]
    shapes = tuple(shape for (shape,), _ in several)
    chunks = [replace(chunk, shape=place) for place, (_, chunk) in enumerate(several)]
    here_ = solve_blocks(shapes, chunks)
    with workers(processes):
        there = solve_blocks(shapes, chunks)
        back = solve_blocks(shapes, chunks[::-1])[::-1]
    assert all(same(one, other) for one, other in zip(here_, there, strict=True))
    assert all(same(one, other) for one, other in zip(here_, back, strict=True))


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
def test_break_evens_and_blocks_are_the_same_on_a_cluster(cluster: Any) -> None:
    case, futures, months, _ = random_case(2)
    law = futures.nodes[0].book
    shapes, chunks = _one(4)
    expected = plans.breakeven_rates(case, law, START, months), solve_blocks(shapes, chunks)
    with workers(cluster.scheduler_address):
        found = plans.breakeven_rates(case, law, START, months), solve_blocks(shapes, chunks)
    assert [each.rate for each in found[0]] == pytest.approx([each.rate for each in expected[0]], abs=1e-9)
    assert [each.opens for each in found[0]] == [each.opens for each in expected[0]]
    assert same(found[1][0], expected[1][0])


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
