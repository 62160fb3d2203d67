"""Daily series of price, fees, difficulty and hash price: the user's own file, put together and summed up.

A series holds NaN where a value is not given. What no source gives is filled in by :func:`completed`: difficulty from
the shipped epochs, hash price from price, subsidy, fees and difficulty.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ashore.errors import Fault, FaultyInput
from ashore.mining.chain import Days, Floats, epochs, hashprice_usd_phd, subsidy_btc
from ashore.tables import ArrowLike, Column, Table, rows_of

MOST = 1e18  # of any figure of a day; difficulty is at some 1e14
SERIES = Table(
    "series",
    (
        Column("date", "date"),
        Column("price_usd", "number", required=False, above=0, maximum=MOST),
        Column("fees_btc", "number", required=False, minimum=0, maximum=MOST),
        Column("difficulty", "number", required=False, minimum=1, maximum=MOST),
        Column("hashprice", "number", required=False, above=0, maximum=MOST),
    ),
    key=("date",),
)
VALUES = ("price_usd", "fees_btc", "difficulty", "hashprice")
STEP_DAYS = 28  # between the samples that volatility is measured on: two epochs, so that no retarget is cut in two
NEAR_DAYS = 7  # by which a sample may miss its day
YEAR_DAYS = 365.25
VOLATILITY_YEARS = 1.0  # shorter series do not tell their volatility
DRIFT_YEARS = 4.0  # nor, below one halving cycle, their drift


@dataclass(frozen=True)
class Series:
    """Days in order, each once, and per day: USD a BTC, mean fees in BTC a block, difficulty, USD per PH/s a day.

    ``where`` is what faults call it; ``notes`` say what was filled in.
    """

    days: Days
    price_usd: Floats
    fees_btc: Floats
    difficulty: Floats
    hashprice: Floats
    where: str = "--series"
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """The series as a CSV file of its own, as :func:`read_series` takes it."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["date", *VALUES])
        columns = [getattr(self, name) for name in VALUES]
        for place, day in enumerate(self.days):
            cells = (float(column[place]) for column in columns)
            writer.writerow([str(day), *("" if math.isnan(cell) else f"{cell:.10g}" for cell in cells)])
        return out.getvalue()

    def as_dict(self) -> dict[str, Any]:
        """Its days with what is known of each, and what they say of the hash price."""
        columns = {name: getattr(self, name) for name in VALUES}
        rows = [
            {"date": str(day)}
            | {name: None if math.isnan(column[place]) else float(column[place]) for name, column in columns.items()}
            for place, day in enumerate(self.days)
        ]
        told = asdict(statistics(self)) if not np.isnan(self.hashprice).any() else {}
        if told:
            told["last"] = told["last"].isoformat()
        return {"where": self.where, "statistics": told, "notes": list(self.notes), "days": rows}


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a series says of the hash price: its last day, volatility and mean drift a year (None: too short to tell).

    drift_error: standard error of the drift, σ / √years.
    """

    last: date
    hashprice: float
    years: float
    volatility: float | None
    drift: float | None
    drift_error: float | None


def series_of(days: Sequence[date] | Days, where: str, **values: Sequence[float] | Floats) -> Series:
    """A series from days in any order (each once) and some of its values. Raises FaultyInput if there is no day."""
    when = np.asarray(days, dtype="datetime64[D]")
    if not when.size:
        raise FaultyInput(Fault(where, "The series is empty.", "Give at least one day with a price or a hash price."))
    order = np.argsort(when, kind="stable")
    nothing = np.full(when.size, np.nan)
    found = {name: np.asarray(values.get(name, nothing), dtype=np.float64)[order] for name in VALUES}
    return _of(when[order], found, where)


def read_series(source: Path | str | ArrowLike, where: str | None = None) -> Series:
    """The user's own series: a CSV file or table with date and any of ``VALUES``. Raises FaultyInput."""
    rows = rows_of(source, SERIES, where)
    name = where or (Path(source).name if isinstance(source, Path | str) else SERIES.name)
    columns = {
        value: np.array([np.nan if row[value] is None else row[value] for row in rows], dtype=np.float64)
        for value in VALUES
    }
    return series_of([row["date"] for row in rows], name, **columns)


def merged(several: Sequence[Series]) -> Series:
    """One series of all days; where two give the same value of a day, the first one counts."""
    if len(several) == 1:
        return several[0]
    days = np.unique(np.concatenate([each.days for each in several]))
    found = {name: np.full(days.size, np.nan) for name in VALUES}
    for each in several:
        at = np.searchsorted(days, each.days)
        for name, column in found.items():
            free = np.isnan(column[at])
            column[at[free]] = getattr(each, name)[free]
    where = " + ".join(each.where for each in several)
    notes = tuple(note for each in several for note in each.notes)
    return _of(days, found, where, notes)


def completed(series: Series) -> Series:
    """The days whose hash price is given or can be reckoned, with it. Raises FaultyInput where there is none.

    A difficulty holds until the next one given; before the first it is that of the shipped epochs. Fees of days without
    any are taken as 0, and ``notes`` says so.
    """
    reckon = np.isnan(series.hashprice) & ~np.isnan(series.price_usd)
    notes = list(series.notes)
    hashprice, difficulty = series.hashprice.copy(), _carried(series.difficulty)
    if reckon.any():
        known = epochs()
        unknown = reckon & np.isnan(difficulty)
        if unknown.any():
            difficulty[unknown] = known.difficulty_on(series.days[unknown])
        fees = series.fees_btc
        if np.isnan(fees[reckon]).any():
            count = int(np.isnan(fees[reckon]).sum())
            days = f"{count:,} of {int(reckon.sum()):,} days"
            notes.append(f"{series.where}: fees of {days} are not given and taken as 0")
            fees = np.nan_to_num(fees)
        subsidy = subsidy_btc(known.height_on(series.days[reckon]))
        hashprice[reckon] = hashprice_usd_phd(difficulty[reckon], subsidy, fees[reckon], series.price_usd[reckon])
    has = ~np.isnan(hashprice)
    if not has.any():
        remedy = "Give a column price_usd or hashprice, or a second source that has the price."
        raise FaultyInput(Fault(series.where, "The series has no hash price and no price to reckon it from.", remedy))
    found = {"price_usd": series.price_usd, "fees_btc": series.fees_btc}
    found |= {"difficulty": difficulty, "hashprice": hashprice}
    columns = {name: column[has] for name, column in found.items()}
    return _of(series.days[has], columns, series.where, tuple(dict.fromkeys(notes)))


def statistics(series: Series) -> Statistics:
    """Last hash price, volatility and drift of a :func:`completed` series.

    Every 28 days, counted back from the last day, one sample; x = change of the log over Δ years between two samples:
    m = Σx / ΣΔ, σ² = Σ (x − mΔ)² / Δ / (n − 1), mean drift = 12 (exp((m + σ²/2) / 12) − 1), compounded monthly.
    """
    value = series.hashprice
    last = series.days[-1].astype(date)
    years = float((series.days[-1] - series.days[0]).astype(np.int64)) / YEAR_DAYS
    at = _samples(series.days)
    volatility = drift = error = None
    if years >= VOLATILITY_YEARS and at.size > 2:
        moved = np.diff(np.log(value[at]))
        took = np.diff(series.days[at]).astype(np.int64) / YEAR_DAYS
        mean = moved.sum() / took.sum()
        volatility = float(np.sqrt(((moved - mean * took) ** 2 / took).sum() / (moved.size - 1)))
        if years >= DRIFT_YEARS:
            drift = float(12 * np.expm1((mean + volatility**2 / 2) / 12))
            error = volatility / float(np.sqrt(years))
    return Statistics(last, float(value[-1]), years, volatility, drift, error)


def _of(days: Days, columns: Mapping[str, Floats], where: str, notes: tuple[str, ...] = ()) -> Series:
    price_usd, fees_btc, difficulty, hashprice = (columns[name] for name in VALUES)
    return Series(days, price_usd, fees_btc, difficulty, hashprice, where, notes)


def _samples(days: Days) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Places of the days sampled: the latest within a week before each 28th day, counted back from the last."""
    wanted = np.arange(days[-1], days[0] - np.timedelta64(1, "D"), -np.timedelta64(STEP_DAYS, "D"))[::-1]
    at = np.searchsorted(days, wanted, side="right") - 1
    near = (wanted - days[at]).astype(np.int64) <= NEAR_DAYS
    return np.unique(at[near])


def _carried(values: Floats) -> Floats:
    """Each value carried on until the next one; NaN before the first."""
    given = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(given, np.arange(values.size), -1))
    return np.where(last >= 0, values[np.maximum(last, 0)], np.nan)
