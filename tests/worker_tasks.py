"""What the tests of the workers have them do; a module of its own, so that a worker need not load the tests."""

from __future__ import annotations

import os
import signal
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from ashore.errors import Fault, FaultyInput
from ashore.plans.parallel import here, spread
from ashore.plans.solver import Limits, run


def times(factor: float, item: float) -> float:
    return factor * item


def refuse_odd(_: Any, item: int) -> int:
    if item % 2:
        raise FaultyInput(Fault("item", f"{item} is odd.", "Give an even one."))
    return item


def slots_of_a_task(_: Any, item: int) -> tuple[int, list[int]]:
    return here().slots, spread(times, [item, item], 2)


def number_of(common: Any, _: int) -> tuple[int, int]:
    """The process, and where it holds what the tasks share."""
    return os.getpid(), id(common)


def optimum_with_note(common: Any, item: tuple[Path, int, float]) -> tuple[float, bytes]:
    """The optimum with costs raised; before it solves it leaves a note with the number of its process."""
    notes, number, factor = item
    note = notes / f"{number}-{uuid.uuid4().hex}"
    note.with_suffix(".part").write_text(str(os.getpid()), encoding="utf-8")
    note.with_suffix(".part").rename(note)
    time.sleep(0.4)
    arrays, limits = common
    answer = run(replace(arrays, cost=arrays.cost * factor), Limits(limits.gap))
    return answer.objective, answer.x.tobytes()


def end_its_process(_: Any, item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def wait(seconds: float, item: int) -> int:
    time.sleep(seconds)
    return item
