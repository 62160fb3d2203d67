"""Rows that tie one flow to one opening (flow ≤ most × open), held back from a linear model until they bind.

Such rows make the linear model strong, and where plants and markets are many there is one for each lane: far more than
ever bind at once. A model without them is small, and the few that its solutions break are added to it as they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from ashore.plans.calendar import Floats, Ints
from ashore.plans.sheet import Arrays, Mask

MANY = 20_000  # such rows from which on it is worth to hold them back
NEARLY = 1e-6  # a sum this little above a whole number is one
BROKEN = 1e-7  # in units of the row: by less a row is not broken


@dataclass
class Links:
    """The rows held back: their two columns and entries, each (links, 2), their sides, and whether added by now."""

    column: Ints
    value: Floats
    low: Floats
    high: Floats
    added: Mask

    def add(self, highs: Any) -> bool:
        """Adds the rows that the solution in the solver breaks; whether there were any."""
        x = np.array(highs.getSolution().col_value)
        sums = (self.value * x[self.column]).sum(axis=1)
        broken = (sums > self.high + BROKEN) | (sums < self.low - BROKEN)
        new = np.flatnonzero(broken & ~self.added)
        if not len(new):
            return False
        self.added[new] = True
        begins = np.arange(0, 2 * len(new), 2, dtype=np.int32)
        entries = self.column[new].ravel().astype(np.int32), self.value[new].ravel()
        highs.addRows(len(new), self.low[new], self.high[new], 2 * len(new), begins, *entries)
        return True


def held_back(arrays: Arrays) -> tuple[Arrays, Links | None]:
    """The model without its links, and the links; the model as it is, and None, where they are few.

    Of each opening the widest link stays: what the plant has room for altogether.
    """
    column = np.repeat(np.arange(arrays.columns), np.diff(arrays.start))
    entries = np.bincount(arrays.index, minlength=arrays.rows)
    whole = np.bincount(arrays.index, arrays.integer[column], minlength=arrays.rows)
    link = (entries == 2) & (whole == 1)
    if link.sum() < MANY:
        return arrays, None
    mine = np.flatnonzero(link[arrays.index] & arrays.integer[column])
    mine = mine[np.lexsort((-np.abs(arrays.value[mine]), column[mine]))]
    link[arrays.index[mine[np.unique(column[mine], return_index=True)[1]]]] = False
    mine = np.flatnonzero(link[arrays.index])
    mine = mine[np.argsort(arrays.index[mine], kind="stable")]
    row = np.flatnonzero(link)
    links = Links(
        column[mine].reshape(-1, 2),
        arrays.value[mine].reshape(-1, 2),
        arrays.row_lower[row],
        arrays.row_upper[row],
        np.zeros(len(row), dtype=bool),
    )
    return arrays.with_rows(np.flatnonzero(~link)), links


def fewest(highs: Any, arrays: Arrays) -> None:
    """Adds to the model in the solver the row that says how many plants are needed: Σ whole-numbered columns ≥ least.

    With fractions seven plants and a quarter have the room that eight are needed for; the row says eight. The least sum
    comes from the rows in the solver with 1 for the cost of each whole-numbered column and 0 for the others, rounded
    up; the links held back could only raise it.
    """
    columns, whole = np.arange(arrays.columns, dtype=np.int32), np.flatnonzero(arrays.integer).astype(np.int32)
    highs.changeColsCost(len(columns), columns, arrays.integer.astype(float))
    highs.run()
    solved = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    least = np.ceil(highs.getInfo().objective_function_value - NEARLY) if solved else 0.0
    highs.changeColsCost(len(columns), columns, arrays.cost)
    if least > 0:
        highs.addRow(float(least), highspy.kHighsInf, len(whole), whole, np.ones(len(whole)))
