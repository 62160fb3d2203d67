"""Where the search of a large tree starts: the best point of the master if all branches were alike."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from ashore.plans.blocks import Blocks
from ashore.plans.calendar import Floats
from ashore.plans.recourse import Recourse
from ashore.plans.sheet import compressed
from ashore.plans.solver import THREADS, quiet

MOST_COLUMNS = 400_000  # of the model solved for the start


class Centre:
    """The best plan with one block of each shape, which has the mean costs and sides of all blocks of that shape.

    common: cost of the trunk's columns; share: chance of each block. Openings may be fractions.
    """

    def __init__(self, blocks: Blocks, common: Floats, share: Floats) -> None:
        self.blocks, self.trunk = blocks, blocks.trunk
        self.spans: list[tuple[int, int, int]] = []  # shape, first column and row
        self.model = quiet()
        self._pass(common, share)

    def best(self, openings: Floats | None = None) -> Floats | None:
        """The columns of the trunk, with its openings at these values if they are given; None if there is no plan."""
        trunk, whole = self.trunk, np.flatnonzero(self.trunk.integer).astype(np.int32)
        if len(whole):
            low, high = (trunk.col_lower[whole], trunk.col_upper[whole]) if openings is None else (openings, openings)
            self.model.changeColsBounds(len(whole), whole, low, high)
        self.model.run()
        if self.model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        self.model.setOptionValue("solver", "simplex")  # from now on from a basis
        x = np.array(self.model.getSolution().col_value)[: len(trunk.cost)]
        found: Floats = np.minimum(np.maximum(x, trunk.col_lower), trunk.col_upper)
        return found

    def lend(self, recourse: Recourse) -> None:
        """Gives each block the basis that its mean has."""
        basis = self.model.getBasis()
        if not basis.valid:
            return
        for number, first_column, first_row in self.spans:
            shape = self.blocks.shapes[number]
            own = highspy.HighsBasis()
            own.col_status = list(basis.col_status[first_column : first_column + shape.columns])
            own.row_status = list(basis.row_status[first_row : first_row + shape.rows])
            own.valid = True
            for block in np.flatnonzero(self.blocks.shape == number).tolist():
                recourse.bases[block] = own

    def _pass(self, common: Floats, share: Floats) -> None:
        blocks = self.blocks
        trunk = blocks.trunk
        width, rows = len(trunk.cost), trunk.rows
        weight = np.bincount(blocks.shape, share, len(blocks.shapes))
        parts: list[Any] = [
            (trunk.index, np.repeat(np.arange(width), np.diff(trunk.start)), trunk.value),
        ]
        cost, low, high = [common], [trunk.col_lower], [trunk.col_upper]
        row_low, row_high = [trunk.row_lower], [trunk.row_upper]
        columns = width
        for number in np.argsort(-weight, kind="stable").tolist():
            shape = blocks.shapes[number]
            members = np.flatnonzero(blocks.shape == number)
            if columns + shape.columns > MOST_COLUMNS or weight[number] <= 0:
                continue
            mean = _Mean(blocks, members, share[members] / weight[number])
            parts += mean.entries(columns, rows)
            cost.append(mean.cost * weight[number])
            low.append(mean.lower)
            high.append(mean.upper)
            row_low.append(mean.row_lower)
            row_high.append(mean.row_upper)
            self.spans.append((number, columns, rows))
            columns, rows = columns + shape.columns, rows + len(mean.row_lower)
        row, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
        start, index, value = compressed(row, column, value, rows, columns)
        model = self.model
        largest = float(np.abs(np.concatenate(cost)).max(initial=1.0))
        model.setOptionValue("threads", THREADS)
        model.setOptionValue("solver", "ipm" if columns > 3000 else "simplex")
        model.passModel(
            columns, rows, len(value), int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), 0.0,
            np.concatenate(cost) / 10.0 ** max(0.0, np.floor(np.log10(largest)) - 3), np.concatenate(low),
            np.concatenate(high), np.concatenate(row_low), np.concatenate(row_high), start, index, value,
            np.zeros(columns, dtype=np.int32),
        )  # fmt: skip


class _Mean:
    """One block that stands for several of the same shape. Bounds tied to the trunk become rows."""

    def __init__(self, blocks: Blocks, members: Any, weight: Floats) -> None:
        first = int(members[0])
        self.blocks, self.first = blocks, first
        self.shape = blocks.shapes[int(blocks.shape[first])]

        def mean(values: Floats, starts: Any, size: int) -> Floats:
            found = np.zeros(size)
            for block, part in zip(members.tolist(), weight.tolist(), strict=True):
                if part > 0:
                    found += part * values[int(starts[block]) : int(starts[block]) + size]
            return found

        self.cost, self.lower, self.upper = (
            mean(values, blocks.first_column, self.shape.columns)
            for values in (blocks.cost, blocks.lower, blocks.upper)
        )
        self.row_lower, self.row_upper = (
            mean(values, blocks.first_row, self.shape.rows) for values in (blocks.row_lower, blocks.row_upper)
        )
        own, _ = blocks.of(first)
        column, by, value = blocks.bound_ties
        mine = np.flatnonzero((column >= own.start) & (column < own.stop))
        self.bound = column[mine] - own.start, by[mine], value[mine]
        self.bound_columns, self.bound_row = np.unique(self.bound[0], return_inverse=True)
        self.row_lower = np.append(self.row_lower, np.full(len(self.bound_columns), -np.inf))
        self.row_upper = np.append(self.row_upper, self.upper[self.bound_columns])

    def entries(self, columns: int, rows: int) -> list[Any]:
        """Entries of the block, numbered from ``columns`` and ``rows`` on, as (row, column, value)."""
        shape, blocks = self.shape, self.blocks
        _, mine = blocks.of(self.first)
        row, by, value = blocks.row_ties
        tied = np.flatnonzero((row >= mine.start) & (row < mine.stop))
        more = rows + shape.rows
        return [
            (shape.index + rows, np.repeat(np.arange(shape.columns), np.diff(shape.start)) + columns, shape.value),
            (row[tied] - mine.start + rows, by[tied], value[tied]),
            (more + np.arange(len(self.bound_columns)), columns + self.bound_columns, np.ones(len(self.bound_columns))),
            (more + self.bound_row, self.bound[1], self.bound[2]),
        ]
