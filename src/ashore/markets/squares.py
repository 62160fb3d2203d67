"""Least squares in one or two unknowns to the last digit: a grid, Levenberg–Marquardt, then Newton.

A residual function takes the unknowns (the second is 0 where there is one only; the first may be an array, then a
column of residuals belongs to each) and must be analytic, since derivatives are taken by complex steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ashore.markets.demand import Floats

Residual = Callable[[Any, Any], Any]
SINGULAR = 1e-7
BEST = 3  # grid points that are followed up
MOST_ROUNDS = 1000  # a search that runs on longer is on its way to a minimum at infinity,
FAR = 4.0  # as is one whose second unknown, a share, gets beyond this


def least(residual: Residual, firsts: Sequence[float], seconds: Sequence[float]) -> Floats | None:
    """The unknowns of the least sum of squares; one unknown if ``seconds`` is [0.0].

    The second is a share: one below 0 is taken as 0, and a least sum far above 1 counts as none.
    """
    grid = np.asarray(firsts)
    with np.errstate(all="ignore"):
        sums = np.array([(residual(grid, second) ** 2).sum(axis=0) for second in seconds])
    sums = np.where(np.isfinite(sums), sums, np.inf)
    valley = sums.min(axis=1)
    edged = np.concatenate([[np.inf], valley, [np.inf]])
    low = np.flatnonzero((valley <= edged[:-2]) & (valley <= edged[2:]) & np.isfinite(valley))
    best: Floats | None = None
    for row in low[np.argsort(valley[low])][:BEST]:
        first, second = grid[int(sums[row].argmin())], seconds[row]
        found = _polished(residual, np.array([first, second] if len(seconds) > 1 else [first]))
        if len(found) > 1 and found[1] < 0.0:
            found = np.append(_polished(lambda x, _: residual(x, 0.0), found[:1]), 0.0)
        if np.isfinite(found).all() and (best is None or _sum(residual, found) < _sum(residual, best)):
            best = found
    return best


def singular(residual: Residual, at: Floats) -> bool:
    """Whether the unknowns can move at ``at`` without any residual noticing."""
    slopes = _slopes(residual, at)
    size = np.linalg.svd(slopes, compute_uv=False)
    return len(slopes) < len(at) or bool(size[-1] <= SINGULAR * size[0])


def _call(residual: Residual, at: Any) -> Any:
    return residual(at[0], at[1] if len(at) > 1 else 0.0)


def _sum(residual: Residual, at: Floats) -> float:
    with np.errstate(all="ignore"):
        errors = _call(residual, at)
        value = float(errors @ errors)
    return value if np.isfinite(value) else np.inf


def _slopes(residual: Residual, at: Floats) -> Floats:
    """Derivatives of the residuals, (residuals, unknowns), by complex steps."""
    steps = 1e-30j * np.eye(len(at))
    return np.stack([_call(residual, at + step).imag / 1e-30 for step in steps], axis=1)


def _gradient(residual: Residual, at: Floats) -> Floats:
    slope: Floats = _slopes(residual, at).T @ _call(residual, at)
    return slope


def _polished(residual: Residual, at: Floats) -> Floats:
    """The nearest minimum; NaN where the sum only falls towards one at infinity."""
    damping, value = 1e-3, _sum(residual, at)
    for _ in range(MOST_ROUNDS):
        if damping >= 1e12 or not np.isfinite(value):
            break
        slopes, gradient = _slopes(residual, at), _gradient(residual, at)
        square = slopes.T @ slopes
        step = np.linalg.lstsq(square + damping * np.diag(np.diag(square) + 1e-12), gradient, rcond=None)[0]
        trial = _sum(residual, at - step)
        damping = damping * 10 if trial > value else max(damping / 10, 1e-16)
        if trial <= value:
            at, value = at - step, trial
            if len(at) > 1 and at[1] > FAR:
                return np.full(len(at), np.nan)
            if np.abs(step).max() < 1e-9:
                break
    else:
        return np.full(len(at), np.nan)
    for _ in range(10):
        steps = 1e-6 * np.eye(len(at))
        second = [(_gradient(residual, at + step) - _gradient(residual, at - step)) / 2e-6 for step in steps]
        move = np.linalg.lstsq(np.stack(second, axis=1), _gradient(residual, at), rcond=1e-13)[0]
        if not np.isfinite(move).all() or np.abs(move).max() > 1e-3:
            break
        at = at - move
        if np.abs(move).max() < 1e-15:
            break
    return at
