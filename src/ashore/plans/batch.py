"""Linear models of few shapes, solved by the workers in force: min c·y with L ≤ A·y ≤ U and l ≤ y ≤ u, A by shape.

Blocks of one shape travel in chunks, as plain arrays. A chunk is solved one block after another, each from the basis of
the one before, the first from the basis the chunk brings; so what comes back does not depend on which worker had it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from ashore.plans.blocks import Shape
from ashore.plans.calendar import Floats
from ashore.plans.parallel import spread
from ashore.plans.sheet import Mask
from ashore.plans.solver import THREADS, quiet

Basis = tuple[bytes, bytes]  # the status of each column and of each row, one byte each


@dataclass(frozen=True)
class Chunk:
    """Some blocks of one shape: its place among the shapes, costs and bounds (blocks, columns), sides (blocks, rows).

    basis: of the shape, to start from; None for none.
    """

    shape: int
    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    basis: Basis | None = None


@dataclass(frozen=True)
class Priced:
    """What became of a chunk. y, reduced: solutions and reduced costs (blocks, columns). price: (blocks, rows).

    solved: False for blocks without a solution; their ``price`` is a ray that proves it (zeros where HiGHS gives none),
    y and reduced are 0. basis: of the last block solved, for the next chunk of this shape.
    """

    solved: Mask
    y: Floats
    reduced: Floats
    price: Floats
    basis: Basis | None


def solve_blocks(shapes: tuple[Shape, ...], chunks: Sequence[Chunk]) -> list[Priced]:
    """The blocks of each chunk, solved by the workers in force, which keep ``shapes`` for the next call with the same.

    Raises ArithmeticError where HiGHS gives neither a solution nor the finding that there is none.
    """
    return spread(_solve, chunks, shapes)


def _solve(shapes: tuple[Shape, ...], chunk: Chunk) -> Priced:
    shape = shapes[chunk.shape]
    model = _model(shape)
    columns, rows = np.arange(shape.columns, dtype=np.int32), np.arange(shape.rows, dtype=np.int32)
    blocks = len(chunk.cost)
    solved = np.zeros(blocks, dtype=bool)
    y, reduced = np.zeros((blocks, shape.columns)), np.zeros((blocks, shape.columns))
    price = np.zeros((blocks, shape.rows))
    for block in range(blocks):
        model.changeColsCost(len(columns), columns, chunk.cost[block])
        model.changeColsBounds(len(columns), columns, chunk.lower[block], chunk.upper[block])
        model.changeRowsBounds(len(rows), rows, chunk.row_lower[block], chunk.row_upper[block])
        if block == 0:
            model.clearSolver()
            if chunk.basis is not None:
                model.setBasis(_unpacked(chunk.basis))
        solved[block] = _run(model)
        if solved[block]:
            solution = model.getSolution()
            y[block], price[block], reduced[block] = solution.col_value, solution.row_dual, solution.col_dual
        else:
            _, there, ray = model.getDualRay()
            price[block] = np.array(ray) if there else 0.0
    return Priced(solved, y, reduced, price, _packed(model.getBasis()))


def _run(model: Any) -> bool:
    """Whether the model has a solution; one more try from scratch where HiGHS does not know."""
    kind = highspy.HighsModelStatus
    for _ in range(2):
        model.run()
        status = model.getModelStatus()
        if status in (kind.kOptimal, kind.kInfeasible):
            return bool(status == kind.kOptimal)
        model.clearSolver()
    raise ArithmeticError(model.modelStatusToString(status))


_kept = threading.local()


def _model(shape: Shape) -> Any:
    """The solver with the matrix of a shape, kept by each thread for the shapes it met last."""
    models: list[tuple[Shape, Any]] = _kept.__dict__.setdefault("models", [])
    for known, model in models:
        if known is shape:
            return model
    model = quiet()
    for name, value in {"threads": THREADS, "presolve": "off", "solver": "simplex"}.items():
        model.setOptionValue(name, value)
    nothing, sides = np.zeros(shape.columns), np.zeros(shape.rows)
    passed = model.passModel(
        shape.columns, shape.rows, len(shape.value), int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize), 0.0, nothing, nothing, nothing, sides, sides,
        shape.start, shape.index, shape.value, np.zeros(shape.columns, dtype=np.int32),
    )  # fmt: skip
    assert passed != highspy.HighsStatus.kError, "the arrays of a shape do not fit together"
    models.append((shape, model))
    del models[:-8]
    return model


def _packed(basis: Any) -> Basis | None:
    if not basis.valid:
        return None
    return bytes(map(int, basis.col_status)), bytes(map(int, basis.row_status))


def _unpacked(basis: Basis) -> Any:
    found = highspy.HighsBasis()
    status = [highspy.HighsBasisStatus(number) for number in range(5)]
    found.col_status = [status[number] for number in basis[0]]
    found.row_status = [status[number] for number in basis[1]]
    found.valid = True
    return found
