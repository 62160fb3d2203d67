"""The master of a plan taken apart: openings and common months, the cuts, and columns for the cost behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from ashore.plans.branching import branch
from ashore.plans.calendar import Floats, Ints
from ashore.plans.recourse import Cut
from ashore.plans.sheet import Arrays
from ashore.plans.solver import THREADS, NoPlan, quiet

MOST_STEPS = 300  # linear models solved to find the best whole openings by branching


@dataclass(frozen=True)
class Point:
    """Where the master would go: its columns, what it believes each group costs, and a lower bound on everything."""

    x: Floats
    behind: Floats
    bound: float


class Master:
    """min cost·x + Σ θ over the trunk's own rows and the cuts found so far; the solver counts in ``unit`` USD.

    One θ ≥ ``least`` for each group of blocks. Columns promoted later follow those of the trunk in every point.
    """

    def __init__(self, trunk: Arrays, cost: Floats, unit: float, least: Floats) -> None:
        self.cost, self.unit = cost, unit
        self.lower, self.upper = trunk.col_lower, trunk.col_upper
        self.integer = trunk.integer.copy()
        self.place = np.arange(len(cost), dtype=np.int32)  # of the columns of a point in the solver
        self.theta = len(cost) + np.arange(len(least), dtype=np.int32)
        self.model = quiet()
        self.model.setOptionValue("threads", THREADS)  # HiGHS allows one number a process
        self.model.setOptionValue("mip_feasibility_tolerance", 1e-9)
        a, more = trunk, len(least)
        status = self.model.passModel(
            len(cost) + more, a.rows, len(a.value), int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), 0.0, np.append(cost / unit, np.ones(more)),
            np.append(a.col_lower, least / unit), np.append(a.col_upper, np.full(more, np.inf)),
            a.row_lower, a.row_upper, np.append(a.start, np.full(more, a.start[-1])).astype(np.int32), a.index,
            a.value, np.zeros(len(cost) + more, dtype=np.int32),
        )  # fmt: skip
        assert status != highspy.HighsStatus.kError, "the master's arrays do not fit together"

    @property
    def whole(self) -> Ints:
        """The columns of a point that stand for whole numbers."""
        return np.flatnonzero(self.integer)

    def promote(self, lower: Floats, upper: Floats) -> None:
        """More whole-numbered columns, which cost nothing here: their cost is part of the cuts."""
        first = self.model.getNumCol()
        for low, high in zip(lower.tolist(), upper.tolist(), strict=True):
            self.model.addCol(0.0, low, high, 0, np.zeros(0, dtype=np.int32), np.zeros(0))
        self.place = np.append(self.place, first + np.arange(len(lower), dtype=np.int32)).astype(np.int32)
        self.cost = np.append(self.cost, np.zeros(len(lower)))
        self.lower, self.upper = np.append(self.lower, lower), np.append(self.upper, upper)
        self.integer = np.append(self.integer, np.ones(len(lower), dtype=bool))

    def another(self, least: float) -> int:
        """A column ≥ ``least`` USD for the cost of a part of a group; its number in the solver."""
        self.model.addCol(0.0, least / self.unit, np.inf, 0, np.zeros(0, dtype=np.int32), np.zeros(0))
        return int(self.model.getNumCol()) - 1

    def add(self, given: Cut, behind: int, parts: Ints | None = None) -> None:
        """The row behind ≥ constant + slope·x + Σ parts, or constant + slope·x ≤ 0 for a cut that is needed.

        behind, parts: columns of the solver, as in ``theta`` and from ``another``.
        """
        slope, constant = given.slope, given.constant
        if given.needed:
            size = max(float(np.abs(slope).max(initial=0.0)), 1e-12)
            where = np.flatnonzero(np.abs(slope) > 1e-11 * size)
            self.model.addRow(-np.inf, -constant / size, len(where), self.place[where], slope[where] / size)
            return
        where = np.flatnonzero(slope)
        index, value = np.append(self.place[where], behind), np.append(-slope[where] / self.unit, 1.0)
        if parts is not None and len(parts):
            index, value = np.append(index, parts), np.append(value, -np.ones(len(parts)))
        self.model.addRow(constant / self.unit, np.inf, len(index), index.astype(np.int32), value)

    def tie(self, low: float, high: float, columns: Ints, values: Floats) -> None:
        """A row among columns of a point."""
        self.model.addRow(low, high, len(columns), self.place[columns], values)

    def fix(self, openings: Floats | None) -> None:
        """Holds the openings at these values; None lets them free again."""
        whole = self.whole
        if len(whole):
            low = self.lower[whole] if openings is None else openings
            high = self.upper[whole] if openings is None else openings
            self.model.changeColsBounds(len(whole), self.place[whole], low, high)

    def relaxed(self) -> Point:
        """The best point with openings in fractions. Raises NoPlan if there is none."""
        self.model.run()
        status = self.model.getModelStatus()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            raise NoPlan
        if status != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(self.model.modelStatusToString(status))
        return self._point(self.model.getInfo().objective_function_value)

    def mixed(self, gap: float, seconds: float | None) -> Point | None:
        """The best point with whole openings to within ``gap``; None if the time is up before one is found.

        No start is given: where presolve improves it, HiGHS 1.16 gives the start back for the better point.
        """
        model, whole = self.model, self.place[self.whole]
        kind = np.full(len(whole), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        model.changeColsIntegrality(len(kind), whole, kind)
        model.setOptionValue("mip_rel_gap", gap)
        model.setOptionValue("time_limit", np.inf if seconds is None else model.getRunTime() + seconds)
        try:
            model.run()
            status = model.getModelStatus()
            if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
                raise NoPlan
            info = model.getInfo()
            if info.primal_solution_status != int(highspy.SolutionStatus.kSolutionStatusFeasible):
                return None
            return self._point(info.mip_dual_bound)
        finally:
            kind[:] = int(highspy.HighsVarType.kContinuous)
            model.changeColsIntegrality(len(kind), whole, kind)
            model.setOptionValue("time_limit", np.inf)

    def branched(self, gap: float, seconds: Callable[[], Any]) -> Point | None:
        """As :meth:`mixed`, by branching from basis to basis: faster where few openings stand among many columns."""

        def solve() -> bool:
            seconds()
            self.model.run()
            return bool(self.model.getModelStatus() == highspy.HighsModelStatus.kOptimal)

        whole = self.whole
        sides = self.lower[whole], self.upper[whole]
        least = self.relaxed().bound / self.unit
        found = branch(self.model, solve, self.place[whole], sides, gap * abs(least), MOST_STEPS)
        if found.x is None or found.usd - found.bound > 2 * gap * abs(found.usd):
            return None
        return self._point(found.bound, found.x)

    def _point(self, bound: float, values: Floats | None = None) -> Point:
        values = np.array(self.model.getSolution().col_value) if values is None else values
        x = np.minimum(np.maximum(values[self.place], self.lower), self.upper)
        return Point(x, values[self.theta] * self.unit, bound * self.unit)

    def whole_point(self, point: Point) -> Floats:
        """The openings of a point, rounded to the whole numbers they stand for."""
        found: Floats = np.round(point.x[self.whole])
        return found

    @property
    def only_openings(self) -> bool:
        """Whether every column that is not fixed is an opening."""
        free: Ints = np.flatnonzero(~self.integer & (self.lower < self.upper))
        return len(free) == 0
