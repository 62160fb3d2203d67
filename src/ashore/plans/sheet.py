"""A sparse linear model gathered block by block and turned into arrays (compressed columns) at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ashore.plans.calendar import Floats, Ints

Mask = npt.NDArray[np.bool_]
INFINITE = float("inf")


@dataclass(frozen=True)
class Arrays:
    """min cost·x with row_lower ≤ A x ≤ row_upper and col_lower ≤ x ≤ col_upper; A by compressed columns.

    integer: True for whole-numbered columns. group: number of the independent part of each column and row;
    parts share no row. Column j has the entries start[j] to start[j+1] of (index, value).
    """

    cost: Floats
    col_lower: Floats
    col_upper: Floats
    row_lower: Floats
    row_upper: Floats
    start: npt.NDArray[np.int32]
    index: npt.NDArray[np.int32]
    value: Floats
    integer: Mask
    col_group: Ints
    row_group: Ints

    def in_one_part(self) -> Arrays:
        """The same model with nothing in it independent of the rest."""
        return replace(self, col_group=np.zeros_like(self.col_group), row_group=np.zeros_like(self.row_group))

    def with_rows(self, rows: Ints) -> Arrays:
        """The model with these rows only, in this order; what the others ask does not hold in it."""
        number = np.full(self.rows, -1, dtype=np.int32)
        number[rows] = np.arange(len(rows), dtype=np.int32)
        index = number[self.index]
        kept = index >= 0
        column = np.repeat(np.arange(self.columns), np.diff(self.start))[kept]
        start = np.zeros(self.columns + 1, dtype=np.int32)
        np.cumsum(np.bincount(column, minlength=self.columns), out=start[1:])
        return replace(
            self,
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
            start=start,
            index=index[kept],
            value=self.value[kept],
            row_group=self.row_group[rows],
        )

    def extended(
        self,
        cost: Floats,
        col_lower: Floats,
        row_lower: Floats,
        entries: tuple[Ints, Ints, Floats],
    ) -> Arrays:
        """The model with more columns (to infinity, of no group) and rows (``row_lower`` to infinity), in one part.

        cost: of all columns, old and new. entries: row, column and value of all entries outside the old model.
        """
        old = np.repeat(np.arange(self.columns), np.diff(self.start))
        start, index, value = compressed(
            np.concatenate([self.index, entries[0]]),
            np.concatenate([old, entries[1]]),
            np.concatenate([self.value, entries[2]]),
            self.rows + len(row_lower),
            len(cost),
        )
        more = len(col_lower)
        return Arrays(
            cost,
            np.concatenate([self.col_lower, col_lower]),
            np.concatenate([self.col_upper, np.full(more, INFINITE)]),
            np.concatenate([self.row_lower, row_lower]),
            np.concatenate([self.row_upper, np.full(len(row_lower), INFINITE)]),
            start,
            index,
            value,
            np.concatenate([self.integer, np.zeros(more, dtype=bool)]),
            np.zeros(len(cost), dtype=np.int64),
            np.zeros(self.rows + len(row_lower), dtype=np.int64),
        )

    @property
    def columns(self) -> int:
        return len(self.cost)

    @property
    def rows(self) -> int:
        return len(self.row_lower)


@dataclass
class Sheet:
    """Blocks of columns and rows, and matrix entries; numbers are given out in order of asking."""

    columns: int = 0
    rows: int = 0
    _col_parts: list[tuple[Floats, Floats, Mask, Ints]] = field(default_factory=list)
    _row_parts: list[tuple[Floats, Floats, Ints]] = field(default_factory=list)
    _entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)

    def add_columns(
        self, mask: Mask, upper: Any = INFINITE, lower: Any = 0.0, integer: bool = False, group: Any = 0
    ) -> Ints:
        """Numbers of new columns where ``mask`` is True, -1 elsewhere; bounds and group broadcast to its shape."""
        numbers, count = _numbers(mask, self.columns)
        self.columns += count
        self._col_parts.append(
            (_taken(lower, mask), _taken(upper, mask), np.full(count, integer), _taken(group, mask).astype(np.int64))
        )
        return numbers

    def add_rows(self, mask: Mask, lower: Any, upper: Any, group: Any = 0) -> Ints:
        """Numbers of new rows where ``mask`` is True, -1 elsewhere."""
        numbers, count = _numbers(mask, self.rows)
        self.rows += count
        self._row_parts.append((_taken(lower, mask), _taken(upper, mask), _taken(group, mask).astype(np.int64)))
        return numbers

    def put(self, rows: Any, columns: Any, values: Any) -> None:
        """Entries of the matrix, the three broadcast together; those without row or column (-1) are left out."""
        row, col, value = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=float))
        keep = (row >= 0) & (col >= 0) & (value != 0)
        self._entries.append((row[keep], col[keep], value[keep]))

    def arrays(self, cost: Floats) -> Arrays:
        """The model; entries given twice for the same place add up."""
        row, col, value = (
            (np.concatenate(part) for part in zip(*self._entries, strict=True))
            if self._entries
            else (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
        )
        start, index, value = compressed(row, col, value, self.rows, self.columns)
        lower, upper, integer, col_group = (np.concatenate(part) for part in zip(*self._col_parts, strict=True))
        row_lower, row_upper, row_group = (np.concatenate(part) for part in zip(*self._row_parts, strict=True))
        return Arrays(cost, lower, upper, row_lower, row_upper, start, index, value, integer, col_group, row_group)


def compressed(
    row: Ints, col: Ints, value: Floats, rows: int, columns: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    """Entries by compressed columns: start, index, value; those for the same place add up."""
    place = col.astype(np.int64) * max(rows, 1) + row
    order = np.argsort(place, kind="stable")
    place, value = place[order], value[order]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    value = np.add.reduceat(value, first) if len(first) else value
    col, row = np.divmod(place[first], max(rows, 1))
    start = np.zeros(columns + 1, dtype=np.int32)
    np.cumsum(np.bincount(col, minlength=columns), out=start[1:])
    return start, row.astype(np.int32), value


def _numbers(mask: Mask, first: int) -> tuple[Ints, int]:
    count = int(np.count_nonzero(mask))
    numbers = np.full(mask.shape, -1, dtype=np.int64)
    numbers[mask] = np.arange(first, first + count)
    return numbers, count


def _taken(values: Any, mask: Mask) -> Floats:
    return np.broadcast_to(np.asarray(values, dtype=float), mask.shape)[mask]
