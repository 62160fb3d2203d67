"""Solvers that can be watched and stopped: what each part of a model has found so far, and the wish to stop.

The parts are solved in threads of their own while the caller's thread waits, so that Ctrl-C is heard at once. HiGHS
asks whether to go on while it searches and while it solves a linear model, but not within the first linear model of a
search; a solver that does not end soon after it is told to is left behind, and what it has said until then is used.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from threading import Event, Lock, Thread
from typing import Any, ClassVar, TypeVar
from weakref import WeakSet

import highspy
import numpy as np

from ashore.plans.calendar import Floats

Progress = Callable[[float, float, float], None]  # bound, best, seconds
T = TypeVar("T")
TICK = 0.25  # seconds between two looks at what the parts have found
PATIENCE = 3.0  # seconds for a solver to end by itself once it is told to


class Watch:
    """Bound, cost and point of the best plan so far of each part of a model. ``stopping``: all of them are to end."""

    running: ClassVar[WeakSet[Watch]] = WeakSet()
    left_behind: ClassVar[list[Thread]] = []  # solvers of this process that did not end when told to

    def __init__(self, parts: int, progress: Progress | None = None) -> None:
        self.bound = np.full(parts, -np.inf)
        self.usd = np.full(parts, np.inf)
        self.x: list[Floats | None] = [None] * parts
        self.progress, self.stopping, self.begun = progress, False, time.perf_counter()
        Watch.running.add(self)

    def tell(self) -> None:
        """Reports the bound and the best plan of all parts together."""
        if self.progress is not None:
            self.progress(float(self.bound.sum()), float(self.usd.sum()), time.perf_counter() - self.begun)

    def run(self, task: Callable[[T], None], items: Iterable[T], threads: int) -> None:
        """Does a task for each item, so many at a time, until all are done or ``stopping``: by Ctrl-C, or ``stop_all``.

        Raises the first error of a task. A second Ctrl-C is not caught.
        """
        queue, errors, lock, done = deque(items), list[BaseException](), Lock(), Event()
        left = min(threads, len(queue))

        def work() -> None:
            nonlocal left
            try:
                while not self.stopping:
                    with lock:
                        if not queue:
                            break
                        item = queue.popleft()
                    task(item)
            except BaseException as error:  # it is raised in the caller's thread
                errors.append(error)
                self.stopping = True
            finally:
                with lock:
                    left -= 1
                    if not left:
                        done.set()

        workers = [Thread(target=work, daemon=True) for _ in range(left)]
        for worker in workers:
            worker.start()
        if workers:
            self._wait(done)
        Watch.left_behind += [worker for worker in workers if not done.is_set() and worker.is_alive()]
        for error in errors:
            if not isinstance(error, KeyboardInterrupt):
                raise error

    def _wait(self, done: Event) -> None:
        """Waits for the parts, once they are told to stop no longer than they may be expected to need."""
        until = None
        while until is None or time.perf_counter() < until:
            try:
                if done.wait(TICK):
                    self.tell()
                    return
                self.tell()
            except KeyboardInterrupt:
                if self.stopping:
                    raise
                self.stopping = True
            if self.stopping and until is None:
                until = time.perf_counter() + PATIENCE


def at_work() -> bool:
    """Whether a solver that was left behind is still at work."""
    return any(worker.is_alive() for worker in Watch.left_behind)


def stop_all() -> None:
    """Tells every solver of this process to end."""
    for watch in list(Watch.running):
        watch.stopping = True


class Post:
    """Where a solver says what it has found for one part, and hears whether to go on."""

    def __init__(self, watch: Watch | None = None, part: int = 0) -> None:
        self.watch, self.part = watch or Watch(1), part

    @property
    def stopping(self) -> bool:
        return self.watch.stopping

    @property
    def bound(self) -> float:
        return float(self.watch.bound[self.part])

    @property
    def usd(self) -> float:
        return float(self.watch.usd[self.part])

    @property
    def x(self) -> Floats | None:
        return self.watch.x[self.part]

    def proven(self, bound: float) -> None:
        """No plan of the part costs less than this."""
        if np.isfinite(bound):
            self.watch.bound[self.part] = max(self.bound, bound)

    def found(self, usd: float, x: Floats) -> None:
        """A plan of the part, and what it costs."""
        if usd < self.usd:
            self.watch.x[self.part] = x
            self.watch.usd[self.part] = usd

    def forget(self, usd: float, x: Floats | None) -> None:
        """Goes back to the plan of before."""
        self.watch.usd[self.part], self.watch.x[self.part] = usd, x

    def listen(self, highs: Any) -> None:
        """Has a solver report its bounds and points (of a search; those of a linear model prove nothing), and stop."""
        kind = highspy.cb.HighsCallbackType

        def heard(which: int, message: str, out: Any, answer: Any, data: Any) -> None:
            if which == int(kind.kCallbackMipImprovingSolution):
                self.found(out.objective_function_value, np.array(out.mip_solution))
            elif which == int(kind.kCallbackMipInterrupt):
                self.proven(out.mip_dual_bound)
            if answer is not None and self.stopping:
                answer.user_interrupt = True

        highs.setCallback(heard, highs)
        for each in (
            kind.kCallbackMipInterrupt,
            kind.kCallbackMipImprovingSolution,
            kind.kCallbackSimplexInterrupt,
            kind.kCallbackIpmInterrupt,
        ):
            highs.startCallback(each)
