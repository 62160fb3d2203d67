"""The master of a plan taken apart: openings and common months, the cuts, and one column for the cost behind them."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from ashore.plans.blocks import Blocks
from ashore.plans.calendar import Floats, Ints
from ashore.plans.recourse import Cut
from ashore.plans.sheet import Arrays
from ashore.plans.solver import THREADS, NoPlan, cut, quiet


@dataclass(frozen=True)
class Point:
    """Where the master would go: its columns, what it believes the blocks cost, and a lower bound on everything."""

    x: Floats
    behind: float
    bound: float


class Master:
    """min cost·x + θ over the master's own rows and the cuts found so far, θ ≥ 0; the solver counts in ``unit`` USD."""

    def __init__(self, blocks: Blocks, cost: Floats, unit: float) -> None:
        self.arrays: Arrays = cut_square(blocks)
        self.cost, self.unit = cost, unit
        self.whole = np.flatnonzero(self.arrays.integer).astype(np.int32)
        self.lower, self.upper = self.arrays.col_lower, self.arrays.col_upper
        self.theta = len(cost)
        self.cuts = 0
        self.model = quiet()
        self.model.setOptionValue("threads", THREADS)  # HiGHS allows one number a process
        self.model.setOptionValue("mip_feasibility_tolerance", 1e-9)
        a = self.arrays
        status = self.model.passModel(
            len(cost) + 1, a.rows, len(a.value), int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), 0.0, np.append(cost / unit, 1.0),
            np.append(a.col_lower, 0.0), np.append(a.col_upper, np.inf), a.row_lower, a.row_upper,
            np.append(a.start, a.start[-1]), a.index, a.value, np.zeros(len(cost) + 1, dtype=np.int32),
        )  # fmt: skip
        assert status != highspy.HighsStatus.kError, "the master's arrays do not fit together"

    def add(self, given: Cut) -> None:
        """θ ≥ constant + slope·x, or constant + slope·x ≤ 0 for a cut that is needed."""
        slope, constant = given.slope, given.constant
        if given.needed:
            size = max(float(np.abs(slope).max(initial=0.0)), 1e-12)
            where = np.flatnonzero(np.abs(slope) > 1e-11 * size).astype(np.int32)
            self.model.addRow(-np.inf, -constant / size, len(where), where, slope[where] / size)
        else:
            where = np.flatnonzero(slope).astype(np.int32)
            index, value = np.append(where, self.theta).astype(np.int32), np.append(-slope[where] / self.unit, 1.0)
            self.model.addRow(constant / self.unit, np.inf, len(index), index, value)
        self.cuts += 1

    def fix(self, openings: Floats | None) -> None:
        """Holds the openings at these values; None lets them free again."""
        if len(self.whole):
            low = self.lower[self.whole] if openings is None else openings
            high = self.upper[self.whole] if openings is None else openings
            self.model.changeColsBounds(len(self.whole), self.whole, low, high)

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
        model = self.model
        kind = np.full(len(self.whole), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        model.changeColsIntegrality(len(kind), self.whole, kind)
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
            model.changeColsIntegrality(len(kind), self.whole, kind)
            model.setOptionValue("time_limit", np.inf)

    def _point(self, bound: float) -> Point:
        values = np.array(self.model.getSolution().col_value)
        x = np.minimum(np.maximum(values[:-1], self.lower), self.upper)
        return Point(x, float(values[-1]) * self.unit, bound * self.unit)

    def whole_point(self, point: Point) -> Floats:
        """The openings of a point, rounded to the whole numbers they stand for."""
        found: Floats = np.round(point.x[self.whole])
        return found

    @property
    def only_openings(self) -> bool:
        """Whether every column that is not fixed is an opening."""
        free: Ints = np.flatnonzero(~self.arrays.integer & (self.lower < self.upper))
        return len(free) == 0


def cut_square(blocks: Blocks) -> Arrays:
    """The master's columns and rows as a model; entries of its columns in blocks' rows are left out."""
    a = blocks.arrays
    inside = np.zeros(a.rows, dtype=bool)
    inside[blocks.master_rows] = True
    entry_col = np.repeat(np.arange(a.columns), np.diff(a.start))
    keep = inside[a.index]
    start = np.zeros(a.columns + 1, dtype=np.int32)
    np.cumsum(np.bincount(entry_col[keep], minlength=a.columns), out=start[1:])
    trimmed = Arrays(
        a.cost, a.col_lower, a.col_upper, a.row_lower, a.row_upper, start, a.index[keep], a.value[keep],
        a.integer, a.col_group, a.row_group,
    )  # fmt: skip
    return cut(trimmed, blocks.master, blocks.master_rows)
