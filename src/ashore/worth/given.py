"""What a user may state, in a module that costs nothing to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """What a user may state of the outlook; None: assumed, or told by the series.

    Parameters
    ----------
    hashprice:
        hash price today, USD per PH/s a day.
    series:
        daily series instead of --hashprice: a CSV file, an answer of Coin Metrics or mempool.space, as a file or
        its address; may be given several times.
    months:
        months from today until the rig is retired, whenever it starts.
    delay_days:
        days from today until the rig runs.
    rate:
        discount rate a year, as 0.10.
    volatility:
        standard deviation of the log of the hash price a year.
    drift:
        change of the mean hash price a year, compounded monthly, as -0.35.
    uptime:
        share of the hours in which the rig can run.
    pool_fee:
        share of revenue the pool takes.
    degradation:
        share of the hash rate lost a year.
    """

    hashprice: float | None = None
    series: tuple[str, ...] = ()
    months: int | None = None
    delay_days: float | None = None
    rate: float | None = None
    volatility: float | None = None
    drift: float | None = None
    uptime: float | None = None
    pool_fee: float | None = None
    degradation: float | None = None
