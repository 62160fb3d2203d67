"""HiGHS on arrays: independent parts each alone, with a time limit, a proven bound and a clean answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from ashore.errors import Fault, SolverTrouble
from ashore.plans.branching import branch
from ashore.plans.calendar import Floats, Ints
from ashore.plans.first import CLOSE, completed, least, narrowed, roundings
from ashore.plans.links import Links, fewest, held_back
from ashore.plans.parallel import Workers, here
from ashore.plans.sheet import Arrays
from ashore.plans.watch import Post, Progress, Watch

LEAST = 0.05  # seconds a solver is given when its time is up
THREADS = 2  # of HiGHS, where one model is solved at a time
MANY = 4  # parts from which on a cluster is asked to solve them
Part = tuple[float, float, str]  # objective, bound and status of an independent part
LARGE = 2_000  # columns from which on a part's linear model is solved and branched on first,
HARD = 40_000  # and those from which on linear models are solved by the interior-point method
MOST_BRANCHES = 1_000  # linear models solved before the solver's own search is asked,
MOST_STEPS = 50_000  # and steps of the simplex method in them, and 5 more for each column
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
    """gap: relative gap between best plan and bound to stop at; seconds: time allowed, None for no limit.

    progress: told bound, best cost and seconds again and again while a model is solved. grace: seconds beyond the time
    allowed for a first plan, where there is none.
    """

    gap: float = 1e-6
    seconds: float | None = None
    progress: Progress | None = None
    grace: float = 10.0

    def since(self, begun: float) -> Limits:
        """What is left of the time allowed to what began then (of ``time.perf_counter``), at least LEAST seconds."""
        if self.seconds is None:
            return self
        return replace(self, seconds=max(LEAST, self.seconds - (time.perf_counter() - begun)))


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
    watch = Watch(len(pieces), limits.progress)
    found: dict[int, tuple[Floats, Part]] = {}
    for k, (columns, _) in enumerate(pieces):
        if known is not None and same(arrays, known.arrays, columns):
            found[k] = known.x[columns], known.parts[k]
            watch.usd[k], watch.bound[k] = known.parts[k][:2]
    todo = sorted((k for k in range(len(pieces)) if k not in found), key=lambda k: -len(pieces[k][0]))  # largest first
    threads = 1 if len(todo) > 1 else THREADS
    crew = here() if len(todo) >= MANY else Workers()

    def piece(k: int) -> Arrays:
        return arrays if len(pieces) == 1 else cut(arrays, *pieces[k])

    def solve(place: int) -> None:
        k, left = todo[place], None
        if limits.seconds is not None:
            share = min(1.0, crew.slots / (len(todo) - place))
            left = max(LEAST, (limits.seconds - (time.perf_counter() - begun)) * share)
        begin, own = None if start is None else start[pieces[k][0]], replace(limits, seconds=left)
        if crew.pool is None:
            found[k] = solve_part(piece(k), own, begin, threads, Post(watch, k))
        else:
            found[k] = crew.ask(solve_part, piece(k), replace(own, progress=None), begin, threads)
        watch.usd[k], watch.bound[k] = found[k][1][:2]

    watch.run(solve, range(len(todo)), crew.slots)
    done = dict(found)  # a solver left behind may still come to its end
    parts = []
    for k, (columns, _) in enumerate(pieces):
        x[columns], part = done[k] if k in done else _so_far(piece(k), watch, k)
        parts.append(part)
    status = [part[2] for part in parts]
    return Answer(
        arrays,
        x,
        next((word for word in ("stopped", "time_limit") if word in status), "optimal"),
        sum(part[0] for part in parts),
        sum(part[1] for part in parts),
        time.perf_counter() - begun,
        tuple(parts),
    )


def _so_far(arrays: Arrays, watch: Watch, k: int) -> tuple[Floats, Part]:
    """What is known of a part whose solver did not end, or was never begun."""
    x = watch.x[k] if watch.x[k] is not None else completed(arrays)
    if x is None:
        raise KeyboardInterrupt
    x = clean(np.where(arrays.integer, np.round(x), x), arrays)
    usd = float(arrays.cost @ x)
    return x, (usd, min(max(float(watch.bound[k]), least(arrays)), usd), "stopped")


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


def solve_part(
    arrays: Arrays, limits: Limits, start: Floats | None, threads: int, post: Post | None = None
) -> tuple[Floats, Part]:
    """The best point of one part, with its objective, bound and status; see :func:`run` for what it raises.

    Of a large part the linear model is solved first, which can be stopped at any time: it gives a bound, by rounding a
    plan, and by both most openings that cannot be otherwise. Branching on the others from basis to basis mostly ends
    in few steps; where it does not, the solver's own search goes on.
    """
    if not arrays.columns and (np.any(arrays.row_lower > 0) or np.any(arrays.row_upper < 0)):
        raise NoPlan
    if not arrays.columns or not arrays.rows:  # HiGHS calls such a model empty and gives no point
        x = np.where(arrays.cost < 0, arrays.col_upper, arrays.col_lower)
        if np.any(np.isinf(x)):
            raise NoPlan
        objective = float(arrays.cost @ x)
        return x, (objective, objective, "optimal")
    begun, post = time.perf_counter(), post or Post()
    easy = completed(arrays)
    post.proven(least(arrays))
    if easy is not None:
        post.found(float(arrays.cost @ easy), easy)
    if not arrays.integer.any():
        done = _linear(arrays, limits, None, threads, post) is not None
    else:
        search = arrays
        if arrays.columns >= LARGE:
            search = _linear(arrays, limits, start, threads, post) or arrays
        done = post.x is not None and near(post.usd, post.bound, limits.gap)
        late = limits.seconds is not None and time.perf_counter() - begun >= limits.seconds
        if not (done or late or post.stopping):
            done = _search(search, limits.since(begun), start, threads, post)
    if post.x is None and not post.stopping and limits.grace > 0:
        _linear(arrays, replace(limits, seconds=limits.grace), start, threads, post)
    if post.x is None:
        if post.stopping:
            raise KeyboardInterrupt
        what = "No plan was found within the time allowed."
        raise SolverTrouble(Fault("--time", what, "Allow more time, loosen --gap, or plan fewer months or branches."))
    done = done or near(post.usd, post.bound, limits.gap)
    status = "optimal" if done else "stopped" if post.stopping else "time_limit"
    return post.x, (post.usd, min(post.bound, post.usd), status)


def near(usd: float, bound: float, gap: float) -> bool:
    """Whether a cost, if there is one, is within a relative gap of a bound."""
    return bool(np.isfinite(usd)) and usd - bound <= gap * abs(usd)


def _linear(arrays: Arrays, limits: Limits, start: Floats | None, threads: int, post: Post) -> Arrays | None:
    """Solves the part with openings in fractions, rounds them, and branches on those that are not whole.

    Returns the model with the openings fixed that cannot be otherwise in a better plan than the one found; None if the
    time was up before.
    """
    held, links = held_back(arrays)
    highs = passed(replace(held, integer=np.zeros(arrays.columns, dtype=bool)), limits, threads)
    post.listen(highs)
    if arrays.columns >= HARD and links is None:
        highs.setOptionValue("solver", "ipm")
    steps = _Steps(highs, links, MOST_STEPS + 5 * arrays.columns)
    if links is not None:
        fewest(highs, arrays)
    steps.run()
    if not _ended(highs):
        return None
    solution, linear = highs.getSolution(), float(highs.getInfo().objective_function_value)
    x, reduced = np.array(solution.col_value), np.array(solution.col_dual)
    whole = np.flatnonzero(arrays.integer).astype(np.int32)
    if not len(whole):
        x = clean(x, arrays)
        post.found(float(arrays.cost @ x), x)
        post.proven(float(arrays.cost @ x))
        return arrays
    post.proven(linear)
    highs.setOptionValue("solver", "simplex")

    def tried(openings: Floats) -> bool:
        highs.changeColsBounds(len(whole), whole, openings, openings)
        steps.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        point = clean(np.array(highs.getSolution().col_value), arrays)
        post.found(float(arrays.cost @ point), point)
        return True

    def met(solution: Any) -> None:
        values = np.array(solution.col_value)
        if np.abs(values[whole] - np.round(values[whole])).max() <= WHOLE:
            point = clean(np.where(arrays.integer, np.round(values), values), arrays)
            post.found(float(arrays.cost @ point), point)

    def rest() -> Arrays:
        return narrowed(arrays, x, reduced, post.usd - linear + CLOSE * abs(post.usd))

    any(tried(openings) for openings in roundings(x[whole], None if start is None else start[whole]))
    if not near(post.usd, linear, limits.gap):
        within, slack = rest(), limits.gap * abs(linear)
        sides = within.col_lower[whole], within.col_upper[whole]
        better = branch(highs, steps.branch, whole, sides, slack, MOST_BRANCHES, met, post.usd)
        if better.x is None or tried(np.round(better.x[whole])):
            post.proven(better.bound)
    return rest()


@dataclass
class _Steps:
    """A linear model solved from basis to basis, its links added as they bind; left: steps of the simplex method."""

    highs: Any
    links: Links | None
    left: int

    def run(self) -> None:
        while True:
            self.highs.run()
            self.left -= max(0, self.highs.getInfo().simplex_iteration_count)
            if self.links is None or not self._solved() or not self.links.add(self.highs):
                return

    def branch(self) -> bool | None:
        """Whether there is a solution; None if it is time to end."""
        if self.left < 0:
            return None
        self.run()
        if self._solved():
            return True
        return False if self.highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible else None

    def _solved(self) -> bool:
        return bool(self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def _search(arrays: Arrays, limits: Limits, start: Floats | None, threads: int, post: Post) -> bool:
    """Branch and bound; whether the best point is proven."""
    before = post.usd, post.x
    highs = passed(arrays, limits, threads)
    post.listen(highs)
    if arrays.columns >= HARD:
        highs.setOptionValue("mip_lp_solver", "ipm")
    if start is not None:
        given = np.flatnonzero(np.isfinite(start)).astype(np.int32)
        highs.setSolution(len(given), given, start[given])
    highs.run()
    done, info = _ended(highs), highs.getInfo()
    post.proven(info.mip_dual_bound)
    post.forget(*before)  # what was told on the way is not whole to the last digit
    if done or info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible):
        x = np.array(highs.getSolution().col_value)
        whole = np.flatnonzero(arrays.integer)
        if np.abs(x[whole] - np.round(x[whole])).max() > WHOLE:
            x = _with_whole(highs, arrays, x, whole)
        x = clean(x, arrays)
        post.found(float(arrays.cost @ x), x)
    if done and start is not None and post.usd - post.bound > 2 * limits.gap * abs(post.usd) + WHOLE:
        # where presolve improves a start, HiGHS 1.16 may give the start back in place of the better point
        left = None if limits.seconds is None else max(LEAST, limits.seconds - highs.getRunTime())
        return _search(arrays, replace(limits, seconds=left), None, threads, post)
    return done


def _ended(highs: Any) -> bool:
    """Whether a solver came to its end, and not to the end of its time. Raises NoPlan, or SolverTrouble with words."""
    status, kind = highs.getModelStatus(), highspy.HighsModelStatus
    if status == kind.kOptimal:
        return True
    if status in (kind.kInfeasible, kind.kUnboundedOrInfeasible, kind.kUnbounded):
        raise NoPlan
    if status in (kind.kTimeLimit, kind.kInterrupt, kind.kIterationLimit, kind.kSolutionLimit):
        return False
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


def clean(x: Floats, arrays: Arrays) -> Floats:
    """The point inside its bounds, with the solver's dust (below 1e-9) swept away."""
    x = np.where(np.abs(x) < 1e-9, 0.0, x)
    return np.minimum(np.maximum(x, arrays.col_lower), arrays.col_upper)
