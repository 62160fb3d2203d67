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

from ashore.plans import objective
from ashore.plans.aim import Aim
from ashore.plans.calendar import Floats, Ints
from ashore.plans.parallel import Workers
from ashore.plans.plan import Plan
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

MOST_NODES = 600  # linear models solved for one question; a part that needs more is left to the solver's own search
MOST_BOXES = 12  # kept from one question to the next; where there are more, the next begins with one
NEAR = 1e-6  # a column this near to a whole number need not be branched on


@dataclass
class _Box:
    """Bounds of the whole-numbered columns, and the basis of the last linear model solved in them."""

    lower: Floats
    upper: Floats
    basis: Any = None


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


class Again:
    """A solved plan whose model is asked again: warm where it was solved in one piece for the mean, else from scratch.

    ``time``: seconds for each question, None for the plan's own limit.
    """

    def __init__(self, plan: Plan, time: float | None = None) -> None:
        self.posed, self.known = plan.whole()
        self.method = plan.method
        own = self.posed.limits
        self.limits = Limits(own.gap, own.seconds if time is None else time)
        in_parts = self.method == "extensive" and self.posed.aim.risk <= 0
        self.warm = Warm(self.posed.arrays, self.limits, self._chance()) if in_parts else None

    def _chance(self) -> Floats:
        """For each column the greatest chance of a node in which it costs something."""
        costs, found = self.posed.charges, np.zeros(self.posed.arrays.columns)
        np.maximum.at(found, costs.column, self.posed.calendar.node_chance[costs.node])
        return found

    def answer(self, arrays: Arrays, aim: Aim | None = None) -> Answer:
        """The best plan for other costs (``aim`` then has them too) or bounds. Raises NoPlan, SolverTrouble."""
        if self.warm is not None:
            return self.warm.answer(arrays, self.known)
        begin = np.clip(self.known.x, arrays.col_lower, arrays.col_upper)
        start = np.where(arrays.integer, begin, np.nan)
        posed = self.posed
        return objective.answer(
            posed.model, arrays, aim or posed.aim, self.limits, method=self.method, start=start, known=self.known
        )


class _Tree:
    """The boxes of one part, and the solver that holds its matrix (made when first asked, left out of copies)."""

    def __init__(self, arrays: Arrays, weight: Floats) -> None:
        self.arrays = arrays
        self.whole: Ints = np.flatnonzero(arrays.integer).astype(np.int32)
        self.weight: Floats = weight[self.whole]
        self.boxes = [_Box(arrays.col_lower[self.whole], arrays.col_upper[self.whole])]
        self.model: Any = None
        self.lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        boxes = [_Box(box.lower, box.upper) for box in self.boxes]
        return {"arrays": self.arrays, "whole": self.whole, "weight": self.weight, "boxes": boxes}

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
                if not self._enter(half):
                    return None
        if self.best is None:
            raise NoPlan
        self.bound = self.open[0][0]
        self._keep()
        return self._settled(self.best)

    def _halves(self, box: _Box, value: Floats) -> tuple[_Box, _Box]:
        """The box below and above a value: the one furthest from a whole number, of weight, and then the last one.

        Openings stand in the order of time: down the last of several equal fractions takes the earlier ones with it.
        """
        away = np.round(np.abs(value - np.round(value)), 6)
        away[np.maximum(box.lower, self.lower) >= np.minimum(box.upper, self.upper)] = 0.0
        most = np.flatnonzero(away == away.max())
        weight = self.tree.weight[most]
        k = int(most[weight == weight.max()][-1])
        below, above = box.upper.copy(), box.lower.copy()
        below[k], above[k] = np.floor(value[k]), np.floor(value[k]) + 1.0
        return _Box(box.lower, below, box.basis), _Box(above, box.upper, box.basis)

    def _done(self) -> bool:
        return self.best is not None and self.open[0][0] >= self.objective - self.limits.gap * abs(self.objective)

    def _enter(self, box: _Box) -> bool:
        """Solves the linear model in a box; False if that, or one model more, is more than the limits allow."""
        low, high = np.maximum(box.lower, self.lower), np.minimum(box.upper, self.upper)
        if np.any(low > high):
            self.shut.append(box)
            return True
        left = self.limits.since(self.begun).seconds
        if self.solved >= MOST_NODES or (left is not None and left <= LEAST):
            return False
        if left is not None:
            self.model.setOptionValue("time_limit", self.model.getRunTime() + left)
        status = self._run(box, low, high)
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
