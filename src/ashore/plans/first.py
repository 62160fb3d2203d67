"""Plans to begin with: found without a search, so that there is one to show when the time is short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ashore.plans.calendar import Floats, Ints
from ashore.plans.sheet import Arrays, Mask

CLOSE = 1e-7  # a sum this near to the side of its row, in units of the row's numbers, keeps to it


def least(arrays: Arrays) -> float:
    """A bound from the column bounds alone: the least each column can cost."""
    cost = arrays.cost
    ends = np.where(cost > 0, arrays.col_lower, arrays.col_upper)
    return float(np.sum(cost[cost != 0] * ends[cost != 0]))


def completed(arrays: Arrays) -> Floats | None:
    """The plan in which nothing is done and what is missing is lost, if that can be: every column at its lower bound,
    and of the columns that stand in one row alone (demand lost) so much as their row lacks. None if that does not do.
    """
    if not np.all(np.isfinite(arrays.col_lower)):
        return None
    x = arrays.col_lower.copy()
    column = np.repeat(np.arange(arrays.columns), np.diff(arrays.start))
    held = _sums(arrays, column, x)
    lack = np.maximum(arrays.row_lower - held, 0.0) - np.maximum(held - arrays.row_upper, 0.0)
    alone = (np.diff(arrays.start)[column] == 1) & ~arrays.integer[column]
    alone &= arrays.value * lack[arrays.index] > 0
    entry = np.flatnonzero(alone)
    entry = entry[np.argsort(arrays.index[entry], kind="stable")]
    row, size = arrays.index[entry], np.abs(arrays.value[entry])
    need = np.abs(lack[row])
    room = np.minimum((arrays.col_upper - arrays.col_lower)[column[entry]] * size, need)
    before = np.cumsum(room) - room
    if len(row):
        begins = np.flatnonzero(np.diff(row, prepend=-1))
        before -= np.repeat(before[begins], np.diff(np.append(begins, len(row))))
    x[column[entry]] += np.clip(need - before, 0.0, room) / size
    return x if feasible(arrays, x) else None


def feasible(arrays: Arrays, x: Floats) -> bool:
    """Whether a point keeps to every row and bound, and is whole where it must be."""
    column = np.repeat(np.arange(arrays.columns), np.diff(arrays.start))
    held, scale = _sums(arrays, column, x), 1.0 + _sums(arrays, column, x, absolute=True)
    kept: Mask = (held >= arrays.row_lower - CLOSE * scale) & (held <= arrays.row_upper + CLOSE * scale)
    whole = x[arrays.integer]
    inside = np.all(x >= arrays.col_lower) and np.all(x <= arrays.col_upper) and np.all(whole == np.round(whole))
    return bool(np.all(kept) and inside)


def _sums(arrays: Arrays, column: Ints, x: Floats, absolute: bool = False) -> Floats:
    terms = arrays.value * x[column]
    total: Floats = np.bincount(arrays.index, np.abs(terms) if absolute else terms, arrays.rows).astype(float)
    return total


def roundings(value: Floats, given: Floats | None) -> Iterator[Floats]:
    """Whole numbers to try for whole-numbered columns: those given, the nearest to their values, the next above."""
    if given is not None and np.all(np.isfinite(given)):
        yield np.round(given)
    yield np.round(value)
    yield np.ceil(value - 1e-6)


def narrowed(arrays: Arrays, x: Floats, reduced: Floats, slack: float) -> Arrays:
    """The model with the whole-numbered columns fixed that no better plan can have otherwise.

    At the linear optimum x a column at its bound with reduced cost r makes any plan in which it is not dearer than the
    optimum by |r| at least; ``slack`` is what the best plan known is dearer.
    """
    lower, upper = arrays.col_lower.copy(), arrays.col_upper.copy()
    low = arrays.integer & (x <= lower + 1e-9) & (reduced > slack)
    high = arrays.integer & (x >= upper - 1e-9) & (-reduced > slack)
    upper[low], lower[high] = lower[low], upper[high]
    return replace(arrays, col_lower=lower, col_upper=upper)
