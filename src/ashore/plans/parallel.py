"""Where tasks that do not depend on one another are done: by threads of this process, or by a Dask cluster.

Every sweep of the planner (options, branches known from the start, break-evens) hands its solves to :func:`spread`. In
a ``with workers("local:4")`` block they are done by the processes of a cluster, outside by threads, which is enough to
use the cores of one machine because a solve lets other threads run. In any case the tasks go through a
``concurrent.futures.Executor``, and what comes back is the same: a task depends on its arguments alone.
"""

from __future__ import annotations

import asyncio
import importlib
import pickle
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import Context, ContextVar
from functools import lru_cache
from typing import Any, TypeVar

from ashore.errors import Fault, FaultyInput, SolverTrouble
from ashore.plans.watch import stop_all

VERSION: str = importlib.import_module(__name__.partition(".")[0]).__version__
SLOTS = 2  # tasks at a time, where no cluster is given
REACH = 5.0  # seconds within which a cluster must answer
PATIENCE = 60.0  # seconds a cluster may be without a worker while tasks wait, or take to start here
TICK = 0.5  # seconds between two looks at what is waited for, by then at the latest Ctrl-C is heard
ADDRESS = r"local(:[1-9]\d*)?|(tcp|tls)://[^/\s]+:\d+"
C = TypeVar("C")
T = TypeVar("T")
R = TypeVar("R")
Done = Callable[[int, int], None]  # tasks done, tasks in all


class Workers:
    """Threads of this process, and what all kinds of workers share.

    slots: how many tasks are done at a time. done: is called in the process that waits, as tasks end. pool: the
    executor outside this process, if there is one.
    """

    def __init__(self, slots: int = SLOTS, done: Done | None = None, pool: Executor | None = None) -> None:
        self.slots, self.done, self.pool = slots, done, pool
        self.given_up = False

    def each(self, task: Callable[[C, T], R], pairs: Sequence[tuple[C, T]]) -> list[R]:
        """task(common, item) of each pair, in order; the error of the first whose task raised one."""
        if len(pairs) < 2:
            return [Context().run(task, *pair) for pair in pairs]  # as in a thread: its tasks are its own
        with ThreadPoolExecutor(self.slots) as pool:
            return self._gather(pool, task, pairs)

    def hand_out(self, task: Callable[[T], None], items: Iterable[T]) -> None:
        """Does a task of this process for each item, in as many threads as there are slots: tasks that :meth:`ask`."""
        work = list(items)
        if len(work) < 2:
            for item in work:
                task(item)
            return
        try:
            with ThreadPoolExecutor(self.slots) as pool:
                waiting = [pool.submit(task, item) for item in work]
                try:
                    for future in waiting:
                        Workers._result(self, future)
                except BaseException:
                    self.given_up = True  # the threads of this block need not wait any longer
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        finally:
            self.given_up = False

    def ask(self, task: Callable[..., R], *given: Any) -> R:
        """task(*given), done by a worker outside this process, if there is any, in a thread of its own."""
        if self.pool is None:
            return task(*given)
        future: Future[R] = self.pool.submit(_alone, pickle.dumps((task, given)))
        try:
            return self._result(future)
        finally:
            future.cancel()

    def _gather(self, pool: Executor, task: Callable[..., R], pairs: Iterable[tuple[Any, Any]]) -> list[R]:
        waiting = [pool.submit(task, *pair) for pair in pairs]
        found: list[R] = []
        try:
            for future in waiting:
                found.append(self._result(future))
                if self.done is not None:
                    self.done(sum(each.done() for each in waiting), len(waiting))
        except KeyboardInterrupt:
            stop_all()
            raise
        finally:
            for future in waiting:
                future.cancel()
        return found

    def _result(self, future: Future[R]) -> R:
        """The result of a task; raises CancelledError where the tasks handed out with it were given up."""
        while not self.given_up:
            try:
                return future.result(TICK)
            except TimeoutError:
                if future.done():
                    raise  # the task's own
                self._look()
        raise CancelledError

    def _look(self) -> None:
        """Raises SolverTrouble where a task that is waited for will never end."""


class _Pool(Workers):
    """Someone else's executor, which is left open."""

    def __init__(self, pool: Executor, done: Done | None) -> None:
        super().__init__(getattr(pool, "_max_workers", SLOTS), done, pool)

    def each(self, task: Callable[[C, T], R], pairs: Sequence[tuple[C, T]]) -> list[R]:
        assert self.pool is not None
        if isinstance(self.pool, ThreadPoolExecutor):
            return self._gather(self.pool, task, pairs)
        pickled = {id(common): pickle.dumps(common) for common in {id(common): common for common, _ in pairs}.values()}
        there = [(pickled[id(common)], pickle.dumps((task, item))) for common, item in pairs]
        return self._gather(self.pool, _unpickled, there)

    def _result(self, future: Future[R]) -> R:
        try:
            return super()._result(future)
        except BrokenExecutor:
            raise _lost("the executor", "a process ended before its task did") from None


class _Cluster(Workers):
    """A Dask cluster, which does the tasks of lost workers again.

    What tasks share is a task too, that of unpickling it: so it is sent once, kept by the workers that need it, handed
    from one to the next, and made again where it was lost.
    """

    def __init__(self, client: Any, where: str, done: Done | None) -> None:
        super().__init__(max(1, sum(client.nthreads().values())), done, client.get_executor(pure=False))
        self.client, self.where = client, where
        self.held: dict[int, tuple[Any, Any]] = {}  # by identity, what tasks shared last, and where the workers have it
        self.seen = time.monotonic()

    def each(self, task: Callable[[C, T], R], pairs: Sequence[tuple[C, T]]) -> list[R]:
        assert self.pool is not None
        self._look()
        held: dict[int, tuple[Any, Any]] = {}
        for common, _ in pairs:
            if id(common) not in held:
                known = self.held.get(id(common))
                held[id(common)] = known or (common, self.client.submit(pickle.loads, pickle.dumps(common), pure=False))
        self.held = held
        packed = [pickle.dumps((task, item)) for _, item in pairs]  # which the scheduler passes on as they are
        there = [(held[id(common)][1], work) for (common, _), work in zip(pairs, packed, strict=True)]
        return self._gather(self.pool, _unpacked, there)

    def _result(self, future: Future[R]) -> R:
        from distributed import KilledWorker

        try:
            return super()._result(future)
        except KilledWorker:
            raise _lost(self.where, "the workers that took one of the tasks ended, one after another") from None
        except CancelledError:
            if self.given_up:
                raise
            raise _lost(self.where, "its scheduler has gone") from None

    def _look(self) -> None:
        """Raises SolverTrouble where the scheduler is gone, or has had no worker for too long."""
        if self.client.status != "running":
            raise _lost(self.where, "its scheduler has gone")
        if self.client.scheduler_info(n_workers=1)["workers"]:
            self.seen = time.monotonic()
        elif time.monotonic() - self.seen > PATIENCE:
            raise _lost(self.where, f"it has been without workers for {PATIENCE:.0f} seconds")


_in_force: ContextVar[Workers] = ContextVar("workers")


def spread(task: Callable[[C, T], R], items: Iterable[T], common: C) -> list[R]:
    """task(common, item) of each item, in order, by the workers in force.

    For workers outside this process the task must be a function of a module, and its arguments and result must pickle.
    ``common`` is sent once and kept for the next call with the same object; neither tasks nor callers may change it. If
    tasks raise, the error is that of the first in order. Raises SolverTrouble where a cluster loses its workers.
    """
    return here().each(task, [(common, item) for item in items])


def spread_each(task: Callable[[C, T], R], pairs: Sequence[tuple[C, T]]) -> list[R]:
    """:func:`spread` for tasks that do not all share the same: task(common, item) of each pair (common, item).

    What is ``common`` is kept by a worker that had it, and the next task that needs it is given to that worker.
    """
    return here().each(task, pairs)


def here() -> Workers:
    """The workers in force: threads, unless a ``with workers(…)`` block around says otherwise. Tasks have threads."""
    return _in_force.get(Workers())


@contextmanager
def workers(where: str | Executor | None = None, done: Done | None = None) -> Iterator[Workers]:
    """Has the tasks of :func:`spread` done by ``where`` within the block.

    where: None for threads; "local" or "local:N" for N Dask processes (or as many as there are cores) on this machine,
    which listen on the loopback only; the address of a Dask scheduler, tcp://HOST:PORT or tls://HOST:PORT; or any
    executor. done: called with the number of tasks ended and of all, at each :func:`spread`.
    Raises FaultyInput, "--cluster", if Dask is not installed, or no scheduler or no worker with this version answers.
    """
    with ExitStack() as stack:
        if isinstance(where, str):
            chosen: Workers = _Cluster(_connected(where, stack), where, done)
        else:
            chosen = Workers(done=done) if where is None else _Pool(where, done)
        token = _in_force.set(chosen)
        try:
            yield chosen
        finally:
            _in_force.reset(token)


def _connected(where: str, stack: ExitStack) -> Any:
    """A client of the cluster, closed at the end of ``stack`` along with a cluster of this machine."""
    if not re.fullmatch(ADDRESS, where):
        what = f"'{where}' is no cluster."
        raise FaultyInput(Fault("--cluster", what, "Write local, local:4, tcp://HOST:PORT or tls://HOST:PORT."))
    try:
        import dask
        import distributed
    except ImportError:
        remedy = "Install it with: pip install 'ashore[cluster]'. Without --cluster the cores of this machine are used."
        raise FaultyInput(Fault("--cluster", "Dask, which runs clusters, is not installed.", remedy)) from None
    local = where.startswith("local")
    seconds = PATIENCE if local else REACH
    stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}))
    address = stack.enter_context(_local(where.partition(":")[2])) if local else where
    try:
        with ThreadPoolExecutor(1) as pool:  # in this thread an event loop may be running
            pool.submit(asyncio.run, _greet(address, seconds)).result()
        client = distributed.Client(address, timeout=seconds, set_as_default=False)
    except Exception as error:  # there may be anything at an address
        what = f"No Dask scheduler answers at {where} ({type(error).__name__})."
        remedy = "Start one there with `dask scheduler`, open its port, or correct the address."
        raise FaultyInput(Fault("--cluster", what, remedy)) from None
    stack.callback(client.close, REACH)
    if not local:
        _check_versions(client, where)
    return client


async def _greet(address: str, seconds: float) -> None:
    """Raises whatever keeps a Dask scheduler from answering; a client would go on trying after some of it."""
    from distributed import Security
    from distributed.comm.core import connect

    comm = await connect(address, timeout=seconds, **Security().get_connection_args("client"))
    await comm.close()


@contextmanager
def _local(count: str) -> Iterator[str]:
    """The address of worker processes on this machine, which only the loopback reaches and that show no pages."""
    import logging

    from dask import config, system
    from distributed import LocalCluster

    off = {
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.worker.profile.enabled": False,  # it samples a hundred times a second
        "distributed.admin.tick.interval": "1s",  # not fifty times a second, in every process
        "distributed.admin.system-monitor.interval": "5s",
    }
    with (
        config.set(off),
        LocalCluster(
            n_workers=int(count or system.CPU_COUNT),
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster.scheduler_address


def _check_versions(client: Any, where: str) -> None:
    """Refuses a cluster without workers, and workers on which another ashore, or none, would do the tasks."""
    try:
        client.wait_for_workers(1, timeout=REACH)
    except TimeoutError:
        remedy = f"Start some: dask worker {where}"
        raise FaultyInput(Fault("--cluster", f"The scheduler at {where} has no workers.", remedy)) from None
    try:
        found = {client.run_on_scheduler(_version), *client.run(_version).values()}
    except Exception as error:  # whatever a worker that lacks the package answers
        found = {f"none ({error})"}
    if found != {VERSION}:
        what = f"The machines behind {where} have ashore {', '.join(sorted(found))}; this is {VERSION}."
        raise FaultyInput(Fault("--cluster", what, "Install the same version on every machine of the cluster."))


def _version() -> str:
    return VERSION


def _lost(where: str, why: str) -> SolverTrouble:
    remedy = "Give its machines more memory if they ran out of it, or leave --cluster away."
    return SolverTrouble(Fault("--cluster", f"{where} could not do the work: {why}.", remedy))


@lru_cache(maxsize=1)
def _last(common: bytes) -> Any:
    """What tasks share; a process keeps what it unpickled last."""
    return pickle.loads(common)


def _unpickled(common: bytes, packed: bytes) -> Any:
    return _unpacked(_last(common), packed)


def _unpacked(common: Any, packed: bytes) -> Any:
    task, item = pickle.loads(packed)
    return task(common, item)


def _alone(packed: bytes) -> Any:
    """A task in a thread of its own: HiGHS allows one number of threads in each thread that calls it."""
    task, given = pickle.loads(packed)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(task, *given).result()
