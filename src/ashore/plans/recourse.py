"""What each block costs with the master at a point, and the cuts that say so for all other points.

For any row prices p, with reduced costs r = c − p·A, every y that fits the block at x costs at least

Σ (p⁺·L + p⁻·U − p·T x) + Σ (r⁺·l + r⁻·(u − t x)),

which is linear in x and at the point where p is optimal equal to V(x). With c = 0 the same sum is the proof that a
block has no solution at a point: it must not be above 0.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from ashore.plans.blocks import Blocks, total
from ashore.plans.calendar import Floats, Ints
from ashore.plans.solver import THREADS, quiet

DUST = 1e-9  # prices below this times the largest are none
MOST_KEPT = 40_000_000  # numbers kept of the cuts of single blocks
BASES = 300_000_000  # most columns and rows whose bases are kept


class OutOfTime(Exception):
    """The time allowed is up."""


@dataclass(frozen=True)
class Cut:
    """constant + slope·x, a lower bound on a cost (``needed`` False) or a number that must not exceed 0 (True)."""

    constant: float
    slope: Floats
    needed: bool


class Recourse:
    """The blocks in the solver: one model for each shape, moved from block to block by costs, bounds and sides.

    y: the last solution of each block. failed: the blocks without a solution when last asked.
    """

    def __init__(self, blocks: Blocks, deadline: float | None) -> None:
        self.blocks, self.deadline = blocks, deadline
        self.models = [_passed(shape) for shape in blocks.shapes]
        self.held: list[Floats | None] = [None] * len(blocks.shapes)  # the costs each model has now
        self.places = [
            (np.arange(shape.columns, dtype=np.int32), np.arange(shape.rows, dtype=np.int32)) for shape in blocks.shapes
        ]
        self.bases: list[Any] = [None] * blocks.count
        self.keeps_bases = len(blocks.column) + len(blocks.row) < BASES
        self.y = np.zeros(len(blocks.column))
        self.price = np.zeros(len(blocks.row))
        self.reduced = np.zeros(len(blocks.column))
        self.constant = np.zeros(blocks.count)  # no block costs less than nothing
        self.kept = blocks.count * len(blocks.master) <= MOST_KEPT
        self.slope = np.zeros((blocks.count, len(blocks.master))) if self.kept else np.zeros((0, 0))
        self.failed: list[int] = []
        self.solved = 0
        self.of_column, self.of_row = blocks.block_of_column, blocks.block_of_row
        self.row_tie_block = self.of_row[blocks.row_ties[0]]
        self.bound_tie_block = self.of_column[blocks.bound_ties[0]]

    def estimate(self, x: Floats) -> Floats:
        """A lower bound on the cost of each block at ``x`` from what has been solved so far, exact where it was."""
        if self.kept:
            found: Floats = self.constant + self.slope @ x
            return found
        b = self.blocks
        row, tie, value = b.row_ties
        found = self.constant - total(self.row_tie_block, self.price[row] * value * x[tie], b.count)
        column, tie, value = b.bound_ties
        fall = np.minimum(self.reduced[column], 0.0)
        found -= total(self.bound_tie_block, fall * value * x[tie], b.count)
        return found

    def solve(self, x: Floats, chosen: Ints) -> list[Cut]:
        """Solves the blocks ``chosen`` at ``x``; returns for those without a solution the cuts that demand one."""
        low, high, upper = self.blocks.sides(x)
        rays: dict[int, Floats] = {}
        done: list[int] = []
        for block in chosen.tolist():
            if self.deadline is not None and time.perf_counter() > self.deadline:
                raise OutOfTime
            ray = self._solve(block, low, high, upper)
            if ray is None:
                done.append(block)
            else:
                rays[block] = ray
        self._keep(np.array(done, dtype=np.int64))
        self.failed = list(rays)
        return [self._demand(block, ray, x) for block, ray in rays.items()]

    def cut(self, weight: Floats) -> tuple[float, Floats]:
        """Constant and slope of Σ weight·V, from the last prices of each block."""
        if self.kept:
            return float(weight @ self.constant), weight @ self.slope
        b = self.blocks
        constant = float(weight @ self.constant)
        row, tie, value = b.row_ties
        slope = total(tie, -weight[self.row_tie_block] * self.price[row] * value, len(b.master))
        column, tie, value = b.bound_ties
        fall = np.minimum(self.reduced[column], 0.0)
        slope -= total(tie, weight[self.bound_tie_block] * fall * value, len(b.master))
        return constant, slope

    def _solve(self, block: int, low: Floats, high: Floats, upper: Floats) -> Floats | None:
        """Solution and prices of one block; a ray if it has none."""
        b, number = self.blocks, int(self.blocks.shape[block])
        model, (columns, rows) = self.models[number], self.places[number]
        own = slice(b.first_column[block], b.first_column[block + 1])
        mine = slice(b.first_row[block], b.first_row[block + 1])
        cost = b.cost[own]
        if not len(rows):  # no cost is below 0: nothing is done
            self.y[own], self.reduced[own] = b.lower[own], cost
            return None
        before = self.held[number]
        if before is None or not np.array_equal(before, cost):
            model.changeColsCost(len(columns), columns, cost)
            self.held[number] = cost
        model.changeColsBounds(len(columns), columns, b.lower[own], upper[own])
        model.changeRowsBounds(len(rows), rows, low[mine], high[mine])
        if self.bases[block] is not None:
            model.setBasis(self.bases[block])
        model.run()
        self.solved += 1
        status = model.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            found, there, ray = model.getDualRay()
            assert found == highspy.HighsStatus.kOk
            return np.array(ray) if there else np.zeros(len(rows))
        if status != highspy.HighsModelStatus.kOptimal:
            model.clearSolver()
            model.run()
            status = model.getModelStatus()
            if status != highspy.HighsModelStatus.kOptimal:
                raise ArithmeticError(model.modelStatusToString(status))
        if self.keeps_bases:
            self.bases[block] = model.getBasis()
        solution = model.getSolution()
        self.y[own] = solution.col_value
        self.price[mine] = solution.row_dual
        self.reduced[own] = solution.col_dual
        return None

    def _keep(self, done: Ints) -> None:
        """Constant and slope of the blocks just solved, from their prices."""
        b = self.blocks
        rows, columns = _spans(b.first_row, done), _spans(b.first_column, done)
        # a price against a side that is not there is the solver's dust
        price = self.price[rows]
        price = np.where((price > 0) & np.isneginf(b.row_lower[rows]), 0.0, price)
        price = np.where((price < 0) & np.isposinf(b.row_upper[rows]), 0.0, price)
        self.price[rows] = price
        reduced = self.reduced[columns]
        reduced = np.where((reduced < 0) & np.isposinf(b.upper[columns]), 0.0, reduced)
        self.reduced[columns] = reduced
        fixed = _times(np.maximum(price, 0.0), b.row_lower[rows]) + _times(np.minimum(price, 0.0), b.row_upper[rows])
        fixed_col = _times(np.maximum(reduced, 0.0), b.lower[columns])
        fixed_col += _times(np.minimum(reduced, 0.0), b.upper[columns])
        constant = total(self.of_row[rows], fixed, b.count) + total(self.of_column[columns], fixed_col, b.count)
        self.constant[done] = constant[done]
        if not self.kept:
            return
        solved = np.zeros(b.count, dtype=bool)
        solved[done] = True
        width = len(b.master)
        slope = np.zeros(b.count * width)
        here = np.flatnonzero(solved[self.row_tie_block])
        row, tie, value = _taken(b.row_ties, here)
        slope -= total(self.row_tie_block[here] * width + tie, self.price[row] * value, len(slope))
        here = np.flatnonzero(solved[self.bound_tie_block])
        column, tie, value = _taken(b.bound_ties, here)
        fall = np.minimum(self.reduced[column], 0.0) * value
        slope -= total(self.bound_tie_block[here] * width + tie, fall, len(slope))
        self.slope[done] = slope.reshape(b.count, width)[done]

    def _demand(self, block: int, ray: Floats, x: Floats) -> Cut:
        """The cut that a block without a solution at ``x`` puts to the master."""
        b = self.blocks
        shape = b.shapes[int(b.shape[block])]
        own = slice(b.first_column[block], b.first_column[block + 1])
        mine = slice(b.first_row[block], b.first_row[block + 1])
        best: Cut | None = None
        for sign in (1.0, -1.0):
            p = sign * ray / max(float(np.abs(ray).max(initial=0.0)), 1e-12)
            p[np.abs(p) < DUST] = 0.0
            sums = np.add.reduceat(np.append(p[shape.index] * shape.value, 0.0), shape.start[:-1]) if len(p) else 0.0
            r = np.where(np.diff(shape.start) > 0, -np.asarray(sums), 0.0)
            r[np.abs(r) < DUST * 10] = 0.0
            constant = float(
                (_times(np.maximum(p, 0), b.row_lower[mine]) + _times(np.minimum(p, 0), b.row_upper[mine])).sum()
                + (_times(np.maximum(r, 0), b.lower[own]) + _times(np.minimum(r, 0), b.upper[own])).sum()
            )
            if not np.isfinite(constant):
                continue
            slope = np.zeros(len(b.master))
            here = np.flatnonzero(self.row_tie_block == block)
            row, tie, value = _taken(b.row_ties, here)
            slope -= total(tie, p[row - mine.start] * value, len(slope))
            here = np.flatnonzero(self.bound_tie_block == block)
            column, tie, value = _taken(b.bound_ties, here)
            slope -= total(tie, np.minimum(r[column - own.start], 0.0) * value, len(slope))
            if best is None or constant + slope @ x > best.constant + best.slope @ x:
                best = Cut(constant, slope, True)
        if best is None or best.constant + best.slope @ x <= 0:
            raise ArithmeticError("no proof that a branch is infeasible")
        return best


def _taken(ties: tuple[Ints, Ints, Floats], here: Ints) -> tuple[Ints, Ints, Floats]:
    return ties[0][here], ties[1][here], ties[2][here]


def _times(price: Floats, side: Floats) -> Floats:
    """Price · side, 0 where the price is 0."""
    return np.multiply(price, side, out=np.zeros(len(price)), where=price != 0)


def _spans(first: Ints, chosen: Ints) -> Ints:
    """The numbers first[k] to first[k + 1] of each chosen k."""
    counts = first[chosen + 1] - first[chosen]
    starts = np.cumsum(counts) - counts
    found: Ints = np.arange(counts.sum()) + np.repeat(first[chosen] - starts, counts)
    return found


def _passed(shape: Any) -> Any:
    model = quiet()
    for name, value in {"threads": THREADS, "presolve": "off", "solver": "simplex"}.items():
        model.setOptionValue(name, value)
    nothing, sides = np.zeros(shape.columns), np.zeros(shape.rows)
    model.passModel(
        shape.columns, shape.rows, len(shape.value), int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize), 0.0, nothing, nothing, nothing, sides, sides,
        shape.start, shape.index, shape.value, np.zeros(shape.columns, dtype=np.int32),
    )  # fmt: skip
    return model
