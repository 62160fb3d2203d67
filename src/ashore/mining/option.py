"""A rig as a strip of options: each month it may run, and is switched off where power costs more than it earns.

The hash price H is taken as log-normal around a mean path (its forward) F(t) = H · (1 + μ/12)^(12 t), with volatility
σ: the log of H(t) has standard deviation σ √t. A month of a rig earns q · H(t) − c if it runs, q being USD for each USD
of hash price and c the cost of power; run at will it earns max(q H − c, 0), worth q · (F N(d1) − K N(d2)) by Black's
formula, with K = c / q. Nobody trades the hash price over four years: μ is an expectation, not a no-arbitrage drift.

Source: F. Black, The pricing of commodity contracts, J. Financial Economics 3 (1976); a rig as a bundle of options from
power to coin: Yaish and Zohar, arXiv 2002.11064.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SEED = 20261122  # of the paths, so that the same question has the same answer
PATHS = 10_000
LATTICE = 1.1673039782614187 ** -np.arange(1.0, 5.0)  # the number is the real root of x^5 = x + 1
SURE = 1e-9  # a deviation of the log below which the mean is taken as certain
_erfc = np.frompyfunc(math.erfc, 1, 1)


def mean_hashprice(hashprice: ArrayLike, drift_year: ArrayLike, years: ArrayLike) -> Floats:
    """Mean of the hash price in so many years: H · (1 + μ/12)^(12 t); μ above −12."""
    months = 12 * np.asarray(years, dtype=np.float64)
    growth = 1 + np.asarray(drift_year, dtype=np.float64) / 12
    return np.asarray(np.asarray(hashprice, dtype=np.float64) * growth**months, dtype=np.float64)


def call(mean: ArrayLike, strike: ArrayLike, deviation: ArrayLike) -> Floats:
    """Mean of max(H − K, 0), H log-normal with that mean and that standard deviation of its log (Black 1976).

    F N(d1) − K N(d1 − s), d1 = ln(F/K)/s + s/2; max(F − K, 0) where s is 0, F where K is 0.
    """
    f, k, s = _broadcast(mean, strike, deviation)
    d1 = _d1(f, k, s)
    value = np.where(s > SURE, f * _normal(d1) - k * _normal(d1 - s), f - k)
    return np.maximum(value, np.maximum(f - k, 0.0))  # the bound it has in theory, also after rounding


def call_slope(mean: ArrayLike, strike: ArrayLike, deviation: ArrayLike) -> Floats:
    """Change of :func:`call` with the mean: N(d1)."""
    f, k, s = _broadcast(mean, strike, deviation)
    return np.asarray(np.where(s > SURE, _normal(_d1(f, k, s)), f > k), dtype=np.float64)


def strip_usd(earns: ArrayLike, costs_usd: ArrayLike, mean: ArrayLike, deviation: ArrayLike) -> Floats:
    """Worth of a strip of months (…, months) → (…): Σ q · call(F, c/q, s).

    earns: q, discounted, in USD for each USD of hash price; costs_usd: c, discounted; mean, deviation: of each month.
    A month that earns nothing (q = 0) is worth nothing.
    """
    q, c = np.asarray(earns, dtype=np.float64), np.asarray(costs_usd, dtype=np.float64)
    return np.asarray((q * call(mean, strikes(q, c), deviation)).sum(axis=-1), dtype=np.float64)


def strip_elasticity(earns: ArrayLike, costs_usd: ArrayLike, mean: ArrayLike, deviation: ArrayLike) -> Floats:
    """Per cent by which the worth of a strip changes when every hash price changes by one: Σ q F N(d1) / Σ q call.

    NaN where the strip is worth nothing.
    """
    q, c, f = (np.asarray(each, dtype=np.float64) for each in (earns, costs_usd, mean))
    moved = (q * f * call_slope(f, strikes(q, c), deviation)).sum(axis=-1)
    worth = strip_usd(q, c, f, deviation)
    nothing = np.full(np.shape(worth), np.nan)
    return np.asarray(np.divide(moved, worth, out=nothing, where=worth > 0), dtype=np.float64)


def always_on_usd(earns: ArrayLike, costs_usd: ArrayLike, mean: ArrayLike) -> Floats:
    """Worth of a rig never switched off: Σ q · F − c, which may be negative."""
    q, c, f = (np.asarray(each, dtype=np.float64) for each in (earns, costs_usd, mean))
    return np.asarray((q * f - c).sum(axis=-1), dtype=np.float64)


def strikes(earns: ArrayLike, costs_usd: ArrayLike) -> Floats:
    """Hash price of each month at which the rig is switched off: c / q; 0 where q is 0 (it then counts for nothing)."""
    q, c = np.broadcast_arrays(np.asarray(earns, dtype=np.float64), np.asarray(costs_usd, dtype=np.float64))
    return np.asarray(np.divide(c, q, out=np.zeros(q.shape), where=q > 0), dtype=np.float64)


def paths(mean: Floats, volatility: float, years: Floats, count: int = PATHS, seed: int = SEED) -> Floats:
    """Hash prices (count, months) drawn from the model behind :func:`call`, months of a path hanging together.

    The log is a random walk, cov(s, t) = σ² min(s, t), drawn along the principal components of that covariance (see
    :func:`_normals`). Each month is then scaled so that its mean is ``mean`` and the deviation of its log σ √t exactly.
    The mean worth of a strip misses the formula by well under one per cent from a few thousand paths on.
    """
    variances, axes = np.linalg.eigh(volatility**2 * np.minimum(years[:, None], years[None, :]))
    loads = (axes * np.sqrt(np.maximum(variances, 0.0)))[:, ::-1]  # the largest component first
    found = _normals(count, years.size, seed) @ loads.T
    if volatility > SURE and count > 1:
        found *= volatility * np.sqrt(years) / found.std(axis=0)
    np.exp(found, out=found)
    found *= mean / found.mean(axis=0)
    return np.asarray(found, dtype=np.float64)


def _normals(count: int, size: int, seed: int) -> Floats:
    """Standard normals (count, size), each column the same quantiles in another order.

    The first four columns, which carry nearly all of a random walk, are ordered as the coordinates of a Kronecker
    lattice (multiples of the powers of the root of x^5 = x + 1, shifted at random), the others at random.
    """
    random, order = np.random.default_rng(seed), np.arange(count)
    found = random.permuted(np.tile(_quantiles(count), (size, 1)), axis=1)
    for column, step in enumerate(LATTICE[:size]):
        found[column, np.argsort((order * step + random.random()) % 1.0)] = _quantiles(count)
    return found.T


def run_usd(drawn: Floats, earns: ArrayLike, costs_usd: ArrayLike) -> Floats:
    """Worth on each path of rigs switched off at will: (paths, months), (rigs, months) → (rigs, paths).

    Σ over months of max(q H − c, 0), with q and c as in :func:`strip_usd`.
    """
    q, c = np.broadcast_arrays(np.atleast_2d(earns).astype(np.float64), np.atleast_2d(costs_usd).astype(np.float64))
    strike, found, room = strikes(q, c), np.empty((q.shape[0], drawn.shape[0])), np.empty_like(drawn)
    for rig in range(q.shape[0]):
        np.subtract(drawn, strike[rig], out=room)
        np.maximum(room, 0.0, out=room)
        np.matmul(room, q[rig], out=found[rig])
    return found


@cache
def _quantiles(count: int) -> Floats:
    """The standard normal at (i − 1/2) / count."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((place + 0.5) / count) for place in range(count)])


def _broadcast(*values: ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in values)))


def _d1(f: Floats, k: Floats, s: Floats) -> Floats:
    """(ln(F/K)) / s + s / 2, with F and K positive; +inf where K is 0, −inf where F is."""
    with np.errstate(all="ignore"):
        found = (np.log(f) - np.log(k)) / s + s / 2
    return np.where(k <= 0, np.inf, np.where(f <= 0, -np.inf, found))


def _normal(x: Floats) -> Floats:
    """Distribution function of the standard normal, to the last digits: erfc(−x/√2) / 2."""
    return np.asarray(_erfc(-np.asarray(x) / math.sqrt(2)), dtype=np.float64) / 2
