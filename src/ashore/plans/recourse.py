"""What each block costs with the master at a point, and the cuts that say so for all other points.

For any row prices p, with reduced costs r = c − p·A, every y that fits the block at x costs at least

Σ (p⁺·L + p⁻·U − p·T x) + Σ (r⁺·l + r⁻·(u − t x)),

which is linear in x and at the point where p is optimal equal to V(x). With c = 0 the same sum is the proof that a
block has no solution at a point: it must not be above 0.

A block may decide on openings of its own. They are fractions there, unless the master has taken them over (*promoted*
them): then they are fixed in the block, and r of such a column, times its value in the master, stands in the sum.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np

from ashore.plans.blocks import Blocks, Ties, total
from ashore.plans.branching import branch
from ashore.plans.calendar import Floats, Ints
from ashore.plans.held import Held

DUST = 1e-9  # prices below this times the largest are none
CHUNK = 2_000_000  # columns looked at together
MOST_STEPS = 400  # linear models solved to find the best whole openings of one block
MOST_CUTS = 24  # of which so many are kept as cuts


class OutOfTime(Exception):
    """The time allowed is up."""


@dataclass(frozen=True)
class Cut:
    """constant + slope·x, a lower bound on a cost (``needed`` False) or a number that must not exceed 0 (True)."""

    constant: float
    slope: Floats
    needed: bool


@dataclass(frozen=True)
class Step:
    """The bound of one block proven by one linear model; ``prices`` are those of the block's whole-numbered columns."""

    constant: float  # without the whole-numbered columns
    slope: Floats
    prices: Floats


@dataclass
class Settled:
    """A block with whole openings: what it costs, at least costs, its openings, and how they were found.

    tried: the whole-numbered columns (places in the block) that had to be fixed on the way.
    """

    usd: float = np.inf
    bound: float = -np.inf
    whole: Floats | None = None
    tried: set[int] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)


class Recourse:
    """The blocks in the solver: one model for each shape, moved from block to block by costs, bounds and sides.

    A point of the master is a value for each column of the trunk, then for each promoted column.
    failed: the blocks without a solution when last asked. settled: what is known of the blocks with whole openings.
    """

    def __init__(self, blocks: Blocks, deadline: float | None) -> None:
        self.blocks, self.deadline = blocks, deadline
        self.held = [Held(shape) for shape in blocks.shapes]
        self.bases: list[Any] = [None] * blocks.count
        self.width = len(blocks.trunk.cost)
        self.least = self._least()
        self.constant = self.least.copy()
        self.slope = np.zeros((blocks.count, self.width))
        self.promoted = np.zeros(0, dtype=np.int64)  # columns, in the numbers of the blocks
        self.promoted_block = np.zeros(0, dtype=np.int64)
        self.promoted_price = np.zeros(0)
        self.failed: list[int] = []
        self.solved = 0
        self.tie_first = np.searchsorted(blocks.row_ties[0], blocks.first_row)
        self.bound_tie_first = np.searchsorted(blocks.bound_ties[0], blocks.first_column)
        sizes = np.diff(blocks.first_column)
        self.chunk = np.cumsum(sizes) // max(CHUNK, int(sizes.max(initial=1)))

    def _least(self) -> Floats:
        """What no block can cost less than."""
        b, found = self.blocks, np.zeros(self.blocks.count)
        gains = np.flatnonzero(b.cost < 0)
        if len(gains):
            block = np.searchsorted(b.first_column, gains, side="right") - 1
            found += total(block, b.cost[gains] * b.upper[gains], b.count)
        return found

    def of(self, block: int) -> Held:
        """The model of a block in the solver."""
        return self.held[int(self.blocks.shape[block])]

    def whole(self, block: int) -> Ints:
        """The columns of a block that stand for whole numbers, in the numbers of the blocks."""
        b = self.blocks
        return b.shapes[int(b.shape[block])].whole + int(b.first_column[block])

    def promote(self, columns: Ints) -> None:
        """Gives the master these columns of blocks; points have their values from now on, in this order."""
        b = self.blocks
        block = np.searchsorted(b.first_column, columns, side="right") - 1
        self.promoted = np.concatenate([self.promoted, columns])
        self.promoted_block = np.concatenate([self.promoted_block, block])
        self.promoted_price = np.concatenate([self.promoted_price, np.zeros(len(columns))])

    def estimate(self, x: Floats) -> Floats:
        """A lower bound on the cost of each block at ``x`` from what has been solved so far, exact where it was."""
        found: Floats = self.constant + self.slope @ x[: self.width]
        if len(self.promoted):
            found += total(self.promoted_block, self.promoted_price * x[self.width :], self.blocks.count)
        return found

    def solve(self, x: Floats, chosen: Ints) -> list[Cut]:
        """Solves the blocks ``chosen`` at ``x``; returns for those without a solution the cuts that demand one."""
        rays: dict[int, Floats] = {}
        for blocks in np.split(chosen, np.flatnonzero(np.diff(self.chunk[chosen])) + 1):
            if len(blocks):
                rays |= self._solve_chunk(x, blocks)
        self.failed = list(rays)
        return [self._demand(block, ray, x) for block, ray in rays.items()]

    def cuts(self, weight: Floats, group: Ints, groups: int) -> list[Cut]:
        """For each group of blocks, the bound Σ weight·V that the last prices of its blocks prove."""
        found = []
        constant = total(group, weight * self.constant, groups)
        price = weight[self.promoted_block] * self.promoted_price
        for number in range(groups):
            members = np.flatnonzero(group == number)
            slope = weight[members] @ self.slope[members]
            if len(self.promoted):
                slope = np.append(slope, np.where(group[self.promoted_block] == number, price, 0.0))
            found.append(Cut(float(constant[number]), slope, False))
        return found

    def cut_of(self, block: int, weight: float) -> Cut:
        """weight·V of one block, as its last prices prove it."""
        slope = np.zeros(self.width + len(self.promoted))
        slope[: self.width] = weight * self.slope[block]
        mine = np.flatnonzero(self.promoted_block == block)
        slope[self.width + mine] = weight * self.promoted_price[mine]
        return Cut(weight * float(self.constant[block]), slope, False)

    def ties_among(self, block: int) -> list[tuple[float, float, Ints, Floats]]:
        """The rows of a block that hold nothing but promoted columns and the trunk: sides, columns of a point."""
        b = self.blocks
        own, mine = b.of(block)
        shape = b.shapes[int(b.shape[block])]
        held = np.flatnonzero(self.promoted_block == block)
        place = np.full(shape.columns, -1, dtype=np.int64)
        place[self.promoted[held] - own.start] = self.width + held
        of_column = np.repeat(place, np.diff(shape.start))
        whole = np.bincount(shape.index[of_column >= 0], minlength=shape.rows)
        row_tie, by, by_value = _span(b.row_ties, self.tie_first, block, block + 1)
        found = []
        for row in np.flatnonzero((whole > 0) & (whole == np.bincount(shape.index, minlength=shape.rows))).tolist():
            entries = np.flatnonzero(shape.index == row)
            tied = np.flatnonzero(row_tie == row + mine.start)
            columns = np.concatenate([of_column[entries], by[tied]])
            values = np.concatenate([shape.value[entries], by_value[tied]])
            found.append((float(b.row_lower[mine][row]), float(b.row_upper[mine][row]), columns, values))
        return found

    # -- one block --------------------------------------------------------------------------------------------------
    def _solve_chunk(self, x: Floats, chosen: Ints) -> dict[int, Floats]:
        """Solves blocks that stand close together, and keeps the bounds that their prices prove."""
        b = self.blocks
        first, last = int(chosen[0]), int(chosen[-1]) + 1
        columns = slice(int(b.first_column[first]), int(b.first_column[last]))
        rows = slice(int(b.first_row[first]), int(b.first_row[last]))
        low, high, lower, upper = self._sides(x, first, last)
        price, reduced = np.zeros(len(low)), np.zeros(len(upper))
        rays: dict[int, Floats] = {}
        done = np.zeros(b.count, dtype=bool)
        for block in chosen.tolist():
            if self.deadline is not None and time.perf_counter() > self.deadline:
                raise OutOfTime
            own, mine = b.of(block)
            here = slice(own.start - columns.start, own.stop - columns.start)
            there = slice(mine.start - rows.start, mine.stop - rows.start)
            if not len(low[there]):  # each column at its better bound
                reduced[here] = b.cost[own]
                done[block] = True
                continue
            ray = self._run(block, low[there], high[there], lower[here], upper[here])
            if ray is None:
                solution = self.of(block).model.getSolution()
                price[there], reduced[here] = solution.row_dual, solution.col_dual
                done[block] = True
            else:
                rays[block] = ray
        self._keep(first, last, done, price, reduced)
        return rays

    def _sides(self, x: Floats, first: int, last: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Sides of rows and bounds of columns of the blocks from ``first`` up to ``last``, with the master at ``x``."""
        b = self.blocks
        columns = slice(int(b.first_column[first]), int(b.first_column[last]))
        rows = slice(int(b.first_row[first]), int(b.first_row[last]))
        row, by, value = _span(b.row_ties, self.tie_first, first, last)
        used = total(row - rows.start, value * x[by], rows.stop - rows.start)
        lower, upper = b.lower[columns], b.upper[columns]
        column, by, value = _span(b.bound_ties, self.bound_tie_first, first, last)
        if len(column):
            taken = total(column - columns.start, value * x[by], columns.stop - columns.start)
            upper = np.maximum(upper - taken, lower)
        if len(self.promoted):
            mine = np.flatnonzero((self.promoted >= columns.start) & (self.promoted < columns.stop))
            if len(mine):
                place = self.promoted[mine] - columns.start
                lower, upper = lower.copy(), upper.copy()
                lower[place] = upper[place] = x[self.width + mine]
        return b.row_lower[rows] - used, b.row_upper[rows] - used, lower, upper

    def _run(self, block: int, low: Floats, high: Floats, lower: Floats, upper: Floats) -> Floats | None:
        """Solves one block; a ray if it has no solution."""
        b, held = self.blocks, self.of(block)
        held.move(b.cost[b.of(block)[0]], (lower, upper), (low, high))
        if self.bases[block] is not None:
            held.model.setBasis(self.bases[block])
        ray = self._again(held.model)
        if ray is None:
            self.bases[block] = held.model.getBasis()
        return ray

    def _again(self, model: Any) -> Floats | None:
        """Solves the model of a shape as it stands; a ray if it has no solution."""
        model.run()
        self.solved += 1
        status = model.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            found, there, ray = model.getDualRay()
            assert found == highspy.HighsStatus.kOk
            return np.array(ray) if there else np.zeros(model.getNumRow())
        if status != highspy.HighsModelStatus.kOptimal:
            model.clearSolver()
            model.run()
            status = model.getModelStatus()
            if status != highspy.HighsModelStatus.kOptimal:
                raise ArithmeticError(model.modelStatusToString(status))
        return None

    def _keep(self, first: int, last: int, done: Any, price: Floats, reduced: Floats) -> None:
        """Constant and slope of the blocks just solved, from their prices."""
        b = self.blocks
        columns = slice(int(b.first_column[first]), int(b.first_column[last]))
        rows = slice(int(b.first_row[first]), int(b.first_row[last]))
        span = np.arange(first, last)
        of_row = np.repeat(span - first, np.diff(b.first_row[first : last + 1]))
        of_column = np.repeat(span - first, np.diff(b.first_column[first : last + 1]))
        fixed, price = _priced(price, b.row_lower[rows], b.row_upper[rows])
        fixed_col, reduced = _priced(reduced, b.lower[columns], b.upper[columns])
        mine = np.flatnonzero((self.promoted >= columns.start) & (self.promoted < columns.stop))
        if len(mine):
            place = self.promoted[mine] - columns.start
            solved = done[self.promoted_block[mine]]
            self.promoted_price[mine[solved]] = reduced[place[solved]]
            fixed_col[place] = 0.0
        constant = total(of_row, fixed, last - first) + total(of_column, fixed_col, last - first)
        here = done[first:last]
        self.constant[first:last][here] = constant[here]
        slope = np.zeros((last - first) * self.width)
        row, by, value = _span(b.row_ties, self.tie_first, first, last)
        row = row - rows.start
        slope -= total(of_row[row] * self.width + by, price[row] * value, len(slope))
        column, by, value = _span(b.bound_ties, self.bound_tie_first, first, last)
        if len(column):
            column = column - columns.start
            fall = np.minimum(reduced[column], 0.0) * value
            slope -= total(of_column[column] * self.width + by, fall, len(slope))
        self.slope[first:last][here] = slope.reshape(last - first, self.width)[here]

    def _demand(self, block: int, ray: Floats, x: Floats) -> Cut:
        """The cut that a block without a solution at ``x`` puts to the master."""
        b = self.blocks
        shape = b.shapes[int(b.shape[block])]
        own, mine = b.of(block)
        held = np.flatnonzero(self.promoted_block == block)
        best: Cut | None = None
        for sign in (1.0, -1.0):
            p = sign * ray / max(float(np.abs(ray).max(initial=0.0)), 1e-12)
            p[np.abs(p) < DUST] = 0.0
            sums = np.add.reduceat(np.append(p[shape.index] * shape.value, 0.0), shape.start[:-1]) if len(p) else 0.0
            r = np.where(np.diff(shape.start) > 0, -np.asarray(sums), 0.0)
            r[np.abs(r) < DUST * 10] = 0.0
            of_master = np.zeros(len(x))
            of_master[self.width + held] = r[self.promoted[held] - own.start]
            free = r.copy()
            free[self.promoted[held] - own.start] = 0.0
            constant = float(
                (_times(np.maximum(p, 0), b.row_lower[mine]) + _times(np.minimum(p, 0), b.row_upper[mine])).sum()
                + (_times(np.maximum(free, 0), b.lower[own]) + _times(np.minimum(free, 0), b.upper[own])).sum()
            )
            if not np.isfinite(constant):
                continue
            slope = of_master + self._slope(block, p, free, len(x))
            if best is None or constant + slope @ x > best.constant + best.slope @ x:
                best = Cut(constant, slope, True)
        if best is None or best.constant + best.slope @ x <= 0:
            raise ArithmeticError("no proof that a branch is infeasible")
        return best

    def _slope(self, block: int, price: Floats, reduced: Floats, size: int) -> Floats:
        """How the bound proven by prices of one block moves with the columns of the trunk."""
        b = self.blocks
        own, mine = b.of(block)
        row, by, value = _span(b.row_ties, self.tie_first, block, block + 1)
        slope = -total(by, price[row - mine.start] * value, size)
        column, by, value = _span(b.bound_ties, self.bound_tie_first, block, block + 1)
        slope -= total(by, np.minimum(reduced[column - own.start], 0.0) * value, size)
        return slope

    # -- whole openings within a block ------------------------------------------------------------------------------
    def settle(self, block: int, x: Floats, slack: float) -> Settled:
        """The block at ``x`` with whole openings of its own, to within ``slack`` USD, by branching on fractions."""
        shape, model = self.blocks.shapes[int(self.blocks.shape[block])], self.of(block).model
        low, high, lower, upper = self._sides(x, block, block + 1)
        columns = shape.whole.astype(np.int32)
        if self._run(block, low, high, lower, upper) is not None:
            return Settled()
        if not len(columns):
            usd = float(model.getInfo().objective_function_value)
            return Settled(usd, usd, np.zeros(0))
        steps: list[Step] = []

        def met(solution: Any) -> None:
            if len(steps) < MOST_CUTS:
                steps.append(self._step(block, np.array(solution.row_dual), np.array(solution.col_dual)))

        best = branch(
            model,
            lambda: self._again(model) is None,
            columns,
            (lower[columns], upper[columns]),
            slack,
            MOST_STEPS,
            met,
        )
        whole = None if best.x is None else np.round(best.x[columns])
        return Settled(best.usd, best.bound, whole, {int(columns[place]) for place in best.tried}, steps)

    def _step(self, block: int, price: Floats, reduced: Floats) -> Step:
        b = self.blocks
        own, mine = b.of(block)
        whole = b.shapes[int(b.shape[block])].whole
        fixed, price = _priced(price, b.row_lower[mine], b.row_upper[mine])
        fixed_col, reduced = _priced(reduced, b.lower[own], b.upper[own])
        fixed_col[whole] = 0.0
        constant = float(fixed.sum() + fixed_col.sum())
        return Step(constant, self._slope(block, price, reduced, self.width), reduced[whole])

    def proven(self, block: int, step: Step) -> Cut:
        """The bound of a step as a cut for the master that has promoted what it has."""
        whole = self.whole(block)
        held = np.flatnonzero(self.promoted_block == block)
        free = np.ones(len(whole), dtype=bool)
        free[np.searchsorted(whole, self.promoted[held])] = False
        prices = np.where(free, step.prices, 0.0)
        fixed, _ = _priced(prices, self.blocks.lower[whole], self.blocks.upper[whole])
        slope = np.zeros(self.width + len(self.promoted))
        slope[: self.width] = step.slope
        slope[self.width + held] = step.prices[np.searchsorted(whole, self.promoted[held])]
        return Cut(step.constant + float(fixed.sum()), slope, False)

    def solution(self, block: int, x: Floats, whole: Floats | None) -> Floats:
        """The columns of a block at ``x``, its own openings at ``whole``."""
        low, high, lower, upper = self._sides(x, block, block + 1)
        shape = self.blocks.shapes[int(self.blocks.shape[block])]
        if whole is not None and len(whole):
            lower, upper = lower.copy(), upper.copy()
            lower[shape.whole] = upper[shape.whole] = whole
        if not len(low):
            cost = self.blocks.cost[self.blocks.of(block)[0]]
            free: Floats = np.where(cost < 0, upper, lower)
            return free
        if self._run(block, low, high, lower, upper) is not None:
            raise ArithmeticError("a branch that had a solution has none")
        return np.array(self.of(block).model.getSolution().col_value)


def _span(ties: Ties, first: Ints, start: int, end: int) -> Ties:
    """The ties of the blocks from ``start`` up to ``end``."""
    here = slice(int(first[start]), int(first[end]))
    return ties[0][here], ties[1][here], ties[2][here]


def _priced(price: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """What prices of rows or columns prove: price⁺·lower + price⁻·upper; and the prices.

    A price against a side that is not there is the solver's dust, and taken as none.
    """
    price = np.where((price > 0) & np.isneginf(lower) | (price < 0) & np.isposinf(upper), 0.0, price)
    return _times(np.maximum(price, 0.0), lower) + _times(np.minimum(price, 0.0), upper), price


def _times(price: Floats, side: Floats) -> Floats:
    """Price · side, 0 where the price is 0."""
    return np.multiply(price, side, out=np.zeros(len(price)), where=price != 0)
