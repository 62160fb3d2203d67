"""HiGHS on arrays: independent parts each alone, with a time limit, a proven bound and a clean answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from ashore.errors import Fault, SolverTrouble
from ashore.plans.calendar import Floats, Ints
from ashore.plans.parallel import Workers, here
from ashore.plans.sheet import Arrays

THREADS = 2  # of HiGHS, where one model is solved at a time
MANY = 4  # parts from which on a cluster is asked to solve them
Part = tuple[float, float, str]  # objective, bound and status of an independent part
WHOLE = 1e-9  # a binary this near to a whole number is one


class _Quiet(highspy.Highs):
    """A solver that leaves standard output alone: ``highspy.Highs()`` prints a banner when it is made."""

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()
        self.setOptionValue("output_flag", False)


def quiet() -> Any:
    """A solver without a model, that prints nothing."""
    return _Quiet()


class NoPlan(Exception):
    """The model has no feasible point, or none that is best because the cost falls without end."""


@dataclass(frozen=True)
class Limits:
    """gap: relative gap between best plan and bound to stop at; seconds: time allowed, None for no limit."""

    gap: float = 1e-6
    seconds: float | None = None


@dataclass(frozen=True)
class Answer:
    """The best point found. status: "optimal" (within the gap), "time_limit" or "stopped" (by Ctrl-C).

    parts: (objective, bound, status) of each. method: "extensive" (one model) or "benders" (taken apart).
    """

    arrays: Arrays
    x: Floats
    status: str
    objective: float
    bound: float
    seconds: float
    parts: tuple[Part, ...]
    method: str = "extensive"

    @property
    def gap(self) -> float:
        """(objective − bound) / |objective|; 0 where both are 0."""
        size = max(abs(self.objective), abs(self.bound))
        return max(0.0, self.objective - self.bound) / size if size > 0 else 0.0


def run(arrays: Arrays, limits: Limits, start: Floats | None = None, known: Answer | None = None) -> Answer:
    """The best point of a model. Raises NoPlan if there is none, SolverTrouble if none was found in time.

    start: a point to begin from, NaN where it is left open. known: the answer to a model with the same matrix; parts
    whose costs and bounds are the same are taken from it instead of solved again. Where the parts are many they are
    handed to the workers in force (:mod:`ashore.plans.parallel`).
    """
    begun = time.perf_counter()
    x = np.zeros(arrays.columns)
    pieces = split(arrays)
    parts: list[Part] = [(0.0, 0.0, "")] * len(pieces)
    todo = []
    for k, (columns, _) in enumerate(pieces):
        if known is not None and same(arrays, known.arrays, columns):
            x[columns], parts[k] = known.x[columns], known.parts[k]
        else:
            todo.append(k)
    todo.sort(key=lambda k: -len(pieces[k][0]))  # the largest first
    threads = 1 if len(todo) > 1 else THREADS
    crew = here() if len(todo) >= MANY else Workers()

    def solve(place: int) -> None:
        columns, rows = pieces[todo[place]]
        left = None
        if limits.seconds is not None:
            share = min(1.0, crew.slots / (len(todo) - place))
            left = max(0.05, (limits.seconds - (time.perf_counter() - begun)) * share)
        piece = arrays if len(pieces) == 1 else cut(arrays, columns, rows)
        begin = None if start is None else start[columns]
        x[columns], parts[todo[place]] = crew.ask(solve_part, piece, Limits(limits.gap, left), begin, threads)

    crew.hand_out(solve, range(len(todo)))
    return Answer(
        arrays,
        x,
        "optimal" if all(part[2] == "optimal" for part in parts) else "time_limit",
        sum(part[0] for part in parts),
        sum(part[1] for part in parts),
        time.perf_counter() - begun,
        tuple(parts),
    )


def split(arrays: Arrays) -> list[tuple[Ints, Ints]]:
    """Columns and rows of each part: one part for each group with whole-numbered columns, one for all the others."""
    whole = np.unique(arrays.col_group[arrays.integer])
    parts = [(np.flatnonzero(arrays.col_group == group), np.flatnonzero(arrays.row_group == group)) for group in whole]
    rest = np.flatnonzero(~np.isin(arrays.col_group, whole))
    if len(rest) or not parts:
        parts.append((rest, np.flatnonzero(~np.isin(arrays.row_group, whole))))
    return parts


def cut(arrays: Arrays, columns: Ints, rows: Ints) -> Arrays:
    """The part of a model with these columns and rows (which must hold all their entries)."""
    counts = np.diff(arrays.start)[columns]
    start = np.zeros(len(columns) + 1, dtype=np.int32)
    np.cumsum(counts, out=start[1:])
    entries = np.arange(start[-1]) + np.repeat(arrays.start[columns] - start[:-1], counts)
    number = np.full(arrays.rows, -1, dtype=np.int32)
    number[rows] = np.arange(len(rows))
    return Arrays(
        arrays.cost[columns],
        arrays.col_lower[columns],
        arrays.col_upper[columns],
        arrays.row_lower[rows],
        arrays.row_upper[rows],
        start,
        number[arrays.index[entries]],
        arrays.value[entries],
        arrays.integer[columns],
        arrays.col_group[columns],
        arrays.row_group[rows],
    )


def row_duals(arrays: Arrays) -> tuple[Floats, Floats]:
    """Solution and row duals of a model read as linear (whole-numbered columns may be fractions)."""
    highs = passed(replace(arrays, integer=np.zeros(arrays.columns, dtype=bool)), Limits())
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NoPlan
    solution = highs.getSolution()
    return np.array(solution.col_value), np.array(solution.row_dual)


def same(one: Arrays, other: Arrays, columns: Ints) -> bool:
    return all(
        np.array_equal(getattr(one, name)[columns], getattr(other, name)[columns])
        for name in ("cost", "col_lower", "col_upper")
    )


def passed(arrays: Arrays, limits: Limits, threads: int = THREADS) -> Any:
    highs = _Quiet()
    options: dict[str, float] = {"threads": threads, "mip_rel_gap": limits.gap}
    if limits.seconds is not None:
        options["time_limit"] = limits.seconds
    for name, value in options.items():
        highs.setOptionValue(name, value)
    passed = highs.passModel(
        arrays.columns,
        arrays.rows,
        len(arrays.value),
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        arrays.cost,
        arrays.col_lower,
        arrays.col_upper,
        arrays.row_lower,
        arrays.row_upper,
        arrays.start,
        arrays.index,
        arrays.value,
        arrays.integer.astype(np.int32),
    )
    assert passed != highspy.HighsStatus.kError, "the model's arrays do not fit together"
    return highs


def solve_part(arrays: Arrays, limits: Limits, start: Floats | None, threads: int) -> tuple[Floats, Part]:
    if not arrays.columns and (np.any(arrays.row_lower > 0) or np.any(arrays.row_upper < 0)):
        raise NoPlan
    if not arrays.columns or not arrays.rows:  # HiGHS calls such a model empty and gives no point
        x = np.where(arrays.cost < 0, arrays.col_upper, arrays.col_lower)
        if np.any(np.isinf(x)):
            raise NoPlan
        objective = float(arrays.cost @ x)
        return x, (objective, objective, "optimal")
    highs = passed(arrays, limits, threads)
    if start is not None and arrays.integer.any():
        given = np.flatnonzero(np.isfinite(start)).astype(np.int32)
        highs.setSolution(len(given), given, start[given])
    highs.run()
    status = _status(highs, bool(arrays.integer.any()))
    info = highs.getInfo()
    x = np.array(highs.getSolution().col_value)
    if not arrays.integer.any():
        x = clean(x, arrays)
        objective = float(arrays.cost @ x)
        return x, (objective, objective, status)
    bound = max(info.mip_dual_bound, _least(arrays))
    whole = np.flatnonzero(arrays.integer)
    if np.abs(x[whole] - np.round(x[whole])).max() > WHOLE:
        x = _with_whole(highs, arrays, x, whole)
    x = clean(x, arrays)
    objective = float(arrays.cost @ x)
    if start is not None and status == "optimal" and objective - bound > 2 * limits.gap * abs(objective) + WHOLE:
        # where presolve improves a start, HiGHS 1.16 may give the start back in place of the better point
        left = None if limits.seconds is None else max(0.05, limits.seconds - highs.getRunTime())
        return solve_part(arrays, replace(limits, seconds=left), None, threads)
    return x, (objective, min(bound, objective), status)


def _status(highs: Any, mixed: bool) -> str:
    status, point = highs.getModelStatus(), highs.getInfo().primal_solution_status
    kind = highspy.HighsModelStatus
    if status == kind.kOptimal:
        return "optimal"
    if status in (kind.kInfeasible, kind.kUnboundedOrInfeasible, kind.kUnbounded):
        raise NoPlan
    if status in (kind.kTimeLimit, kind.kInterrupt, kind.kIterationLimit, kind.kSolutionLimit):
        if mixed and point == int(highspy.SolutionStatus.kSolutionStatusFeasible):
            return "time_limit"
        what = "No plan was found within the time allowed."
        raise SolverTrouble(Fault("--time", what, "Allow more time, loosen --gap, or plan fewer months or branches."))
    what = f"HiGHS stopped without an answer ({highs.modelStatusToString(status)})."
    remedy = "Check for figures of very different size (one unit costing billions), or loosen --gap."
    raise SolverTrouble(Fault("the plan", what, remedy))


def _with_whole(highs: Any, arrays: Arrays, x: Floats, whole: Ints) -> Floats:
    """The best point with the openings rounded to the whole numbers they stand for; the same point if there is none."""
    rounded = np.round(x[whole])
    columns = whole.astype(np.int32)
    highs.changeColsIntegrality(len(whole), columns, np.zeros(len(whole), dtype=np.uint8))
    highs.changeColsBounds(len(whole), columns, rounded, rounded)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return x
    return np.array(highs.getSolution().col_value)


def _least(arrays: Arrays) -> float:
    """A bound from the column bounds alone: the least each column can cost."""
    cost = arrays.cost
    ends = np.where(cost > 0, arrays.col_lower, arrays.col_upper)
    return float(np.sum(cost[cost != 0] * ends[cost != 0]))


def clean(x: Floats, arrays: Arrays) -> Floats:
    """The point inside its bounds, with the solver's dust (below 1e-9) swept away."""
    x = np.where(np.abs(x) < 1e-9, 0.0, x)
    return np.minimum(np.maximum(x, arrays.col_lower), arrays.col_upper)
