"""The model of blocks of one shape in the solver, moved from block to block: only what differs is passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import highspy
import numpy as np

from ashore.plans.blocks import Shape
from ashore.plans.calendar import Floats
from ashore.plans.solver import THREADS, quiet


class Held:
    """A model as the solver holds it: cost and bounds of its columns, sides of its rows."""

    def __init__(self, shape: Shape) -> None:
        nothing, sides = np.zeros(shape.columns), np.zeros(shape.rows)
        self.model = quiet()
        for name, value in {"threads": THREADS, "presolve": "off", "solver": "simplex"}.items():
            self.model.setOptionValue(name, value)
        self.model.passModel(
            shape.columns, shape.rows, len(shape.value), int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), 0.0, nothing, nothing, nothing, sides, sides,
            shape.start, shape.index, shape.value, np.zeros(shape.columns, dtype=np.int32),
        )  # fmt: skip
        self.cost: tuple[Floats, ...] = (nothing,)
        self.bounds: tuple[Floats, ...] = (nothing, nothing)
        self.sides: tuple[Floats, ...] = (sides, sides)

    def move(self, cost: Floats, bounds: tuple[Floats, Floats], sides: tuple[Floats, Floats]) -> None:
        """To these costs, bounds of columns and sides of rows. The arrays are kept: they must not be changed."""
        _pass(self.model.changeColsCost, self.cost, (cost,))
        _pass(self.model.changeColsBounds, self.bounds, bounds)
        _pass(self.model.changeRowsBounds, self.sides, sides)
        self.cost, self.bounds, self.sides = (cost,), bounds, sides


def _pass(change: Callable[..., Any], before: tuple[Floats, ...], now: tuple[Floats, ...]) -> None:
    differs = np.zeros(len(now[0]), dtype=bool)
    for old, new in zip(before, now, strict=True):
        differs |= old != new
    places = np.flatnonzero(differs).astype(np.int32)
    if len(places):
        change(len(places), places, *(values[places] for values in now))
