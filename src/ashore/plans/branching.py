"""Whole openings in a linear model that is held in the solver, by branching on fractions from basis to basis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ashore.plans.calendar import Floats

NEARLY = 1e-7  # a column this near to a whole number is one
HALF = 0.3  # part from which a fraction is first rounded up


@dataclass
class Branched:
    """The best point with whole openings: objective, a bound on it, all columns.

    tried: places of the whole-numbered columns that had to be fixed on the way.
    """

    usd: float = np.inf
    bound: float = -np.inf
    x: Floats | None = None
    tried: set[int] = field(default_factory=set)


def branch(
    model: Any,
    solve: Callable[[], bool | None],
    columns: Any,
    sides: tuple[Floats, Floats],
    slack: float,
    most: int,
    met: Callable[[Any], None] | None = None,
    known: float = np.inf,
) -> Branched:
    """The best point of ``model`` with whole values in ``columns`` (numbers in the solver), to within ``slack``.

    sides: lower and upper bounds of the columns. ``solve`` runs the model as it stands and says whether it has a
    solution, or by None that it is time to end; ``met`` is given the solution of every model solved, at most ``most``
    of them. known: cost of a point there is already; only better ones are sought. The last of several columns with the
    same fraction is branched on: of a chain of months, the one whose 0 closes them all.
    """
    found = Branched(known)
    columns = np.asarray(columns, dtype=np.int32)
    todo: list[tuple[float, Floats, Floats]] = [(-np.inf, *sides)]
    least = np.inf
    for _ in range(most):
        if not todo:
            break
        above, low, high = todo.pop()
        if above >= found.usd - slack:
            least = min(least, above)
            continue
        model.changeColsBounds(len(columns), columns, low, high)
        solved = solve()
        if solved is None:
            todo.append((above, low, high))
            break
        if not solved:
            continue
        usd = float(model.getInfo().objective_function_value)
        solution = model.getSolution()
        if met is not None:
            met(solution)
        if usd >= found.usd - slack:
            least = min(least, usd)
            continue
        x = np.array(solution.col_value)
        values = x[columns]
        part = np.abs(values - np.round(values))
        if part.max(initial=0.0) <= NEARLY:
            found.usd, found.x = usd, x
            continue
        place = len(part) - 1 - int(np.argmax(np.round(part, 6)[::-1]))
        found.tried.add(place)
        down, up = high.copy(), low.copy()
        down[place], up[place] = np.floor(values[place]), np.ceil(values[place])
        children = [(usd, low, down), (usd, up, high)]
        todo += children if values[place] - np.floor(values[place]) > HALF else children[::-1]
    found.bound = min([least, found.usd, *(above for above, _, _ in todo)])
    model.changeColsBounds(len(columns), columns, *sides)
    return found
