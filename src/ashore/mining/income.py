"""What a rig earns and what its power costs: break-evens, payback, net present value, internal rate of return.

Hash rates in TH/s, power in W, power prices in USD per kWh, hash prices in USD per PH/s a day, shares as fractions.
Every function takes arrays and broadcasts; the last axis of ``cash_usd`` is time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DAYS_MONTH = 365.25 / 12
HOURS_DAY = 24.0
KILO = 1000.0
HIGHEST_IRR = 1e6  # a year; beyond it the rate means nothing
HALVINGS_OF_INTERVAL = 80


def joules_per_th(power_w: ArrayLike, hash_ths: ArrayLike) -> Floats:
    """Efficiency in J/TH: W / (TH/s)."""
    return _f(power_w) / _f(hash_ths)


def revenue_usd_day(
    hash_ths: ArrayLike,
    hashprice: ArrayLike,
    uptime: ArrayLike = 1.0,
    pool_fee: ArrayLike = 0.0,
    degradation: ArrayLike = 0.0,
) -> Floats:
    """Revenue a day: TH/s / 1000 · (1 − degradation) · (1 − fee) · hash price · uptime; degradation: the share lost."""
    return _f(hash_ths) / KILO * (1 - _f(degradation)) * (1 - _f(pool_fee)) * _f(hashprice) * _f(uptime)


def power_usd_day(power_w: ArrayLike, power_usd_kwh: ArrayLike, uptime: ArrayLike = 1.0) -> Floats:
    """Cost of power a day: kW · 24 · USD/kWh · uptime."""
    return _f(power_w) / KILO * HOURS_DAY * _f(power_usd_kwh) * _f(uptime)


def margin_usd_day(revenue_usd: ArrayLike, power_usd: ArrayLike, curtailed: bool = True) -> Floats:
    """Revenue less power; curtailed: the rig is off when power costs more than it earns, so never below 0."""
    margin = _f(revenue_usd) - _f(power_usd)
    return np.maximum(margin, 0.0) if curtailed else margin


def breakeven_hashprice(
    power_w: ArrayLike, hash_ths: ArrayLike, power_usd_kwh: ArrayLike, pool_fee: ArrayLike = 0.0
) -> Floats:
    """Hash price at which revenue pays the power: 24 · J/TH · USD/kWh / (1 − fee) = 0.024 · J/TH · USD/MWh at no fee.

    Source: the same power bill per PH/s and day on both sides; 13.5 J/TH at 0.055 USD/kWh give 17.82.
    """
    return HOURS_DAY * joules_per_th(power_w, hash_ths) * _f(power_usd_kwh) / (1 - _f(pool_fee))


def breakeven_power_usd_kwh(
    power_w: ArrayLike, hash_ths: ArrayLike, hashprice: ArrayLike, pool_fee: ArrayLike = 0.0
) -> Floats:
    """Price of power at which it takes the whole revenue: hash price · (1 − fee) / (24 · J/TH)."""
    return _f(hashprice) * (1 - _f(pool_fee)) / (HOURS_DAY * joules_per_th(power_w, hash_ths))


def payback_months(outlay_usd: ArrayLike, cash_usd: ArrayLike) -> Floats:
    """Months until the cash of each month (…, months) has summed up to the outlay (…), not discounted; inf if never.

    Within its month cash comes in evenly. Cash must not be negative: a rig that loses money is switched off.
    """
    outlay, cash = _f(outlay_usd), _f(cash_usd)
    reached = np.cumsum(cash, axis=-1)
    whole = (reached < outlay[..., None]).sum(axis=-1)  # months that end before the outlay is back
    never = whole == cash.shape[-1]
    at = np.minimum(whole, cash.shape[-1] - 1)[..., None]
    got = np.take_along_axis(cash, at, axis=-1)[..., 0]
    short = outlay - (np.take_along_axis(reached, at, axis=-1)[..., 0] - got)
    part = np.divide(short, got, out=np.zeros(np.broadcast_shapes(short.shape, got.shape)), where=got > 0)
    return np.where(never, np.inf, whole + np.clip(part, 0.0, 1.0))


def discount(rate_year: ArrayLike, years: ArrayLike) -> Floats:
    """Worth today of a dollar in so many years, at an effective yearly rate: (1 + r)^−t."""
    return np.asarray((1 + _f(rate_year)) ** -_f(years), dtype=np.float64)


def npv_usd(outlay_usd: ArrayLike, cash_usd: ArrayLike, years: ArrayLike, rate_year: ArrayLike) -> Floats:
    """Net present value: Σ cash · (1 + r)^−t − outlay, the outlay paid today."""
    return np.asarray((_f(cash_usd) * discount(rate_year, years)).sum(axis=-1) - _f(outlay_usd), dtype=np.float64)


def irr_year(outlay_usd: float, cash_usd: ArrayLike, years: ArrayLike) -> float:
    """Effective yearly rate at which the net present value is 0; −1 if no cash comes in, inf above ``HIGHEST_IRR``.

    Cash must not be negative, so that the present value falls as the rate rises and there is one root, found by halving
    the interval of the logarithm of (1 + r).
    """
    cash, when = _f(cash_usd), _f(years)
    if not cash.any():
        return -1.0
    low, high = np.log(1e-9), np.log1p(HIGHEST_IRR)

    def over(log_rate: float) -> bool:
        return float((cash * np.exp(-log_rate * when)).sum()) >= outlay_usd

    if over(high):
        return float(np.inf)
    for _ in range(HALVINGS_OF_INTERVAL):
        middle = (low + high) / 2
        low, high = (middle, high) if over(middle) else (low, middle)
    return float(np.expm1(low))


def _f(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
