"""One model asked again and again, with other costs or bounds: branch and bound whose linear models stay warm.

The whole-numbered columns of each independent part are branched on until its best point is known to within the gap. The
boxes this leaves, a partition of what the columns may be, are kept with a basis each, and the next question starts from
them: where only costs or a few bounds change, most boxes need a few simplex steps and no new branch.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import highspy
import numpy as np

from ashore.plans.calendar import Floats, Ints
from ashore.plans.parallel import Workers
from ashore.plans.sheet import Arrays
from ashore.plans.solver import (
    LEAST,
    THREADS,
    WHOLE,
    Answer,
    Limits,
    NoPlan,
    Part,
    clean,
    cut,
    passed,
    same,
    solve_part,
    split,
)

MOST_NODES = 600  # linear models solved for one question, and
MOST_TIMES = 40  # times the seconds of its first one; a part that needs more is left to the solver's own search
FEWEST_SECONDS = 5.0  # allowed in any case
MOST_BOXES = 32  # kept from one question to the next; where there are more, the next begins with one
NEAR = 1e-6  # a column this near to a whole number need not be branched on


@dataclass
class _Box:
    """Bounds of the whole-numbered columns, and the basis of the last linear model solved in them."""

    lower: Floats
    upper: Floats
    basis: Any = None


@dataclass(frozen=True)
class _Half:
    """One half of a box cut at a column: on which side (0 below, 1 above), and how far that moves the column."""

    box: _Box
    column: int
    side: int
    moved: float


class Warm:
    """A model to be asked again. Questions in different parts may be asked from several threads.

    weight: of columns equally far from a whole number, those that weigh most are branched on.
    """

    def __init__(self, arrays: Arrays, limits: Limits, weight: Floats | None = None) -> None:
        self.arrays, self.limits = arrays, limits
        self.pieces = split(arrays)
        if weight is None:
            weight = np.ones(arrays.columns)
        self.trees = [_Tree(cut(arrays, columns, rows), weight[columns]) for columns, rows in self.pieces]

    def answer(self, arrays: Arrays, known: Answer | None = None, parts: list[int] | None = None) -> Answer:
        """The best point of a model with the same matrix and sides of rows. Raises NoPlan, SolverTrouble.

        known: an answer to such a model; parts whose costs and bounds are the same are taken from it. parts: solve only
        these (places in ``pieces``), and leave the rest at 0.
        """
        begun = time.perf_counter()
        x = np.zeros(arrays.columns)
        found: list[Part] = [(0.0, 0.0, "optimal")] * len(self.pieces)
        todo = []
        for k in range(len(self.pieces)) if parts is None else parts:
            columns = self.pieces[k][0]
            if known is not None and len(known.parts) == len(found) and same(arrays, known.arrays, columns):
                x[columns], found[k] = known.x[columns], known.parts[k]
            else:
                todo.append(k)
        todo.sort(key=lambda k: -len(self.pieces[k][0]))
        threads = 1 if len(todo) > 1 else THREADS  # HiGHS allows one number in each thread that calls it

        def solve(k: int) -> None:
            columns = self.pieces[k][0]
            sides = arrays.cost[columns], arrays.col_lower[columns], arrays.col_upper[columns]
            x[columns], found[k] = self.trees[k].solve(sides, self.limits.since(begun), threads)

        Workers().hand_out(solve, todo)
        done = all(part[2] == "optimal" for part in found)
        return Answer(
            arrays,
            x,
            "optimal" if done else "time_limit",
            sum(part[0] for part in found),
            sum(part[1] for part in found),
            time.perf_counter() - begun,
            tuple(found),
        )


class _Tree:
    """The boxes of one part, and the solver that holds its matrix (made when first asked, left out of copies)."""

    def __init__(self, arrays: Arrays, weight: Floats) -> None:
        self.arrays = arrays
        self.whole: Ints = np.flatnonzero(arrays.integer).astype(np.int32)
        self.weight: Floats = weight[self.whole]
        self.gain, self.cuts = np.zeros((2, len(self.whole))), np.zeros((2, len(self.whole)))
        self.boxes = [_Box(arrays.col_lower[self.whole], arrays.col_upper[self.whole])]
        self.model: Any = None
        self.lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("model", "lock", "boxes")
        kept = {name: value for name, value in self.__dict__.items() if name not in left_out}
        return kept | {"boxes": [_Box(box.lower, box.upper) for box in self.boxes]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, model=None, lock=Lock())

    def solve(self, given: tuple[Floats, Floats, Floats], limits: Limits, threads: int) -> tuple[Floats, Part]:
        """The best point for other costs, lower and upper bounds, and its objective, bound and status."""
        cost, lower, upper = given
        arrays = replace(self.arrays, cost=cost, col_lower=lower, col_upper=upper)
        if not arrays.columns or not arrays.rows:
            return solve_part(arrays, limits, None, threads)
        with self.lock:
            self.passed().setOptionValue("threads", threads)
            search = _Search(self, arrays, limits)
            x = search.point()
            if x is None:
                return solve_part(arrays, limits.since(search.begun), None, threads)
            objective = float(cost @ x)
            return x, (objective, min(search.bound, objective), "optimal")

    def passed(self) -> Any:
        if self.model is None:
            linear = replace(self.arrays, integer=np.zeros(self.arrays.columns, dtype=bool))
            self.model = passed(linear, Limits())
            self.model.setOptionValue("solver", "simplex")
            self.model.setOptionValue("presolve", "off")
        return self.model


class _Search:
    """One question to a part: best box first, the column furthest from a whole number branched on."""

    def __init__(self, tree: _Tree, arrays: Arrays, limits: Limits) -> None:
        self.tree, self.arrays, self.limits = tree, arrays, limits
        self.begun = time.perf_counter()
        self.model, self.whole = tree.passed(), tree.whole
        everything = np.arange(arrays.columns, dtype=np.int32)
        self.model.changeColsCost(len(everything), everything, arrays.cost)
        self.model.changeColsBounds(len(everything), everything, arrays.col_lower, arrays.col_upper)
        self.lower, self.upper = arrays.col_lower[self.whole], arrays.col_upper[self.whole]
        self.open: list[tuple[float, int, _Box, Floats | None]] = []  # linear optimum, number, box, point if fractions
        self.shut: list[_Box] = []  # boxes without a point
        self.best: Floats | None = None
        self.objective = self.bound = np.inf
        self.solved = 0
        self.worked, self.allowed = time.thread_time(), np.inf
        self.entered = 0.0  # the optimum in the box entered last

    def point(self) -> Floats | None:
        """The best point, None if it was not found within the limits; raises NoPlan if there is none."""
        for box in self.tree.boxes:
            if not self._enter(box):
                return None
        while self.open and not self._done():
            optimum, _, box, x = heapq.heappop(self.open)
            if x is None:
                heapq.heappush(self.open, (optimum, self.solved, box, x))
                break
            for half in self._halves(box, x[self.whole]):
                if not self._enter(half.box):
                    return None
                self._learn(half, optimum)
        if self.best is None:
            raise NoPlan
        self.bound = self.open[0][0]
        self._keep()
        return self._settled(self.best)

    def _halves(self, box: _Box, value: Floats) -> tuple[_Half, _Half]:
        """A box cut at the column from which most is expected, for its last cuts: the gain below times that above.

        Of equals the one furthest from a whole number, of weight, and then the last: openings stand in the order of
        time, and down the last of several equal fractions takes the earlier ones with it.
        """
        tree = self.tree
        inside = np.maximum(box.lower, self.lower) < np.minimum(box.upper, self.upper)
        away = np.where(inside, np.round(np.abs(value - np.round(value)), 6), 0.0)
        some = np.flatnonzero(away)
        above = np.round(value[some] - np.floor(value[some]), 6)
        usual = tree.gain.sum(axis=1) / np.maximum(1.0, tree.cuts.sum(axis=1))
        own = tree.gain[:, some] / np.maximum(1.0, tree.cuts[:, some])
        gain = np.where(tree.cuts[:, some] > 0, own, np.where(usual > 0, usual, 1.0)[:, None])
        hope = np.maximum(gain[0] * above, NEAR) * np.maximum(gain[1] * (1.0 - above), NEAR)
        k = int(some[np.lexsort((tree.weight[some], away[some], hope))[-1]])
        low, high = box.upper.copy(), box.lower.copy()
        low[k], high[k] = np.floor(value[k]), np.floor(value[k]) + 1.0
        return (
            _Half(_Box(box.lower, low, box.basis), k, 0, float(value[k] - low[k])),
            _Half(_Box(high, box.upper, box.basis), k, 1, float(high[k] - value[k])),
        )

    def _learn(self, half: _Half, before: float) -> None:
        """What cutting a box has added to its optimum, for each unit by which the column was moved."""
        if self.shut and self.shut[-1] is half.box:
            return  # a box without a point tells of bounds, not of costs
        self.tree.gain[half.side, half.column] += max(0.0, self.entered - before) / half.moved
        self.tree.cuts[half.side, half.column] += 1.0

    def _done(self) -> bool:
        return self.best is not None and self.open[0][0] >= self.objective - self.limits.gap * abs(self.objective)

    def _enter(self, box: _Box) -> bool:
        """Solves the linear model in a box; False if that, or one model more, is more than the limits allow."""
        low, high = np.maximum(box.lower, self.lower), np.minimum(box.upper, self.upper)
        if np.any(low > high):
            self.shut.append(box)
            return True
        left = self.limits.since(self.begun).seconds
        spent = time.thread_time() - self.worked
        if self.solved >= MOST_NODES or spent > self.allowed or (left is not None and left <= LEAST):
            return False
        if left is not None:
            self.model.setOptionValue("time_limit", self.model.getRunTime() + left)
        status = self._run(box, low, high)
        if self.solved == 1:
            self.allowed = max(FEWEST_SECONDS, MOST_TIMES * (time.thread_time() - self.worked))
        if status == highspy.HighsModelStatus.kInfeasible:
            self.shut.append(box)
            return True
        if status != highspy.HighsModelStatus.kOptimal:
            return False
        box.basis = self.model.getBasis()
        optimum = float(self.model.getInfo().objective_function_value)
        x: Floats | None = np.array(self.model.getSolution().col_value)
        assert x is not None
        if len(self.whole) == 0 or np.abs(x[self.whole] - np.round(x[self.whole])).max() <= NEAR:
            if optimum < self.objective:
                self.best, self.objective = x, optimum
            x = None
        heapq.heappush(self.open, (optimum, self.solved, box, x))
        self.entered = optimum
        return True

    def _run(self, box: _Box, low: Floats, high: Floats) -> Any:
        model = self.model
        self.solved += 1
        if len(self.whole):
            model.changeColsBounds(len(self.whole), self.whole, low, high)
        if box.basis is not None:
            model.setBasis(box.basis)
        model.run()
        status = model.getModelStatus()
        if status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible):
            return status
        model.clearSolver()  # a basis of other costs and bounds may lead nowhere
        model.run()
        return model.getModelStatus()

    def _keep(self) -> None:
        """Leaves the boxes for the next question, or, where they grew many, one with the basis of the best."""
        boxes = [*(entry[2] for entry in self.open), *self.shut]
        if len(boxes) > MOST_BOXES:
            arrays = self.tree.arrays
            boxes = [_Box(arrays.col_lower[self.whole], arrays.col_upper[self.whole], self.open[0][2].basis)]
        self.tree.boxes = boxes

    def _settled(self, x: Floats) -> Floats:
        """The point with whole columns that are whole to the last digit, and inside its bounds."""
        whole = np.round(x[self.whole])
        if len(whole) and np.abs(x[self.whole] - whole).max() > WHOLE:
            self.model.changeColsBounds(len(whole), self.whole, whole, whole)
            self.model.run()
            if self.model.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                x = np.array(self.model.getSolution().col_value)
        x[self.whole] = whole
        return clean(x, self.arrays)
