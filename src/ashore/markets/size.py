"""How much the world spends on rigs in a year, past and to come, beside what has been published.

What runs at the end of a year is what ran at the end of the last one, less what retires, and what is sold:

    sold[y] = H[y] − (1 − retired)·H[y − 1],   at least 0;      usd[y] = sold[y]·price[y].

H is the network's hash rate: from the headers of blocks as far as they are known, growing at one rate after that. The
price is one of new rigs in the middle of the year. Miners pay for rigs out of what they earn, so that their revenue,
hash rate times hash price, is shown beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ashore import mining
from ashore.errors import Fault, FaultyInput
from ashore.tables import Column, Row, Table, rows_of
from ashore.worth import Assumed, Given, outlook_of, read_assumed

FOLDER = Path(__file__).parents[1] / "data" / "market"
PUBLISHED = Table(
    "published",
    (
        Column("year", "integer"),
        Column("usd", "number", above=0),
        Column("high_usd", "number", required=False),
        Column("what", "text"),
        Column("basis", "text"),
    ),
    key=("year", "what"),
)
PRICES = Table(
    "prices",
    (
        Column("year", "integer"),
        Column("usd_ths", "number", above=0),
        Column("what", "text"),
        Column("basis", "text"),
    ),
    key=("year",),
)
LABELS = {
    "growth": ("growth of the hash rate", "a year"),
    "retired": ("hash rate that retires", "a year"),
    "price_usd_ths": ("price of a new rig", "USD/TH"),
    "price_change": ("change of that price", "a year"),
}
PRICED = 2026.76  # 3 October 2026, the day of price_usd_ths
TH_PER_EH, PH_PER_EH, DAYS = 1e6, 1e3, 365.0
MOST_GROWTH = 10.0
LATEST = 2050


@dataclass(frozen=True)
class Year:
    """One year: hash rate at its end and sold in it, EH/s, USD a TH/s, USD spent, and what miners earn, USD."""

    year: int
    hash_ehs: float
    sold_ehs: float
    price_usd_ths: float
    usd: float
    revenue_usd: float | None


@dataclass(frozen=True)
class Size:
    """Past years and the years to come, as assumed and with all assumptions at their low or high end.

    ends: of each assumption alone, USD in the last year at its low and at its high. needed: of each published figure of
    a year to come the growth at which it would come true, all else as assumed; None if none below ``MOST_GROWTH``.
    """

    past: tuple[Year, ...]
    years: tuple[Year, ...]
    low: tuple[Year, ...]
    high: tuple[Year, ...]
    ends: Mapping[str, tuple[float, float]]
    published: tuple[Row, ...]
    needed: Mapping[int, float | None]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The document of ``ashore clear --size --json``."""
        return {
            "past": [vars(year) for year in self.past],
            "years": [
                vars(year) | {"low_usd": low.usd, "high_usd": high.usd}
                for year, low, high in zip(self.years, self.low, self.high, strict=True)
            ],
            "tornado": [
                {"what": LABELS[name][0], "year": self.years[-1].year, "usd": list(bounds)}
                for name, bounds in sorted(self.ends.items(), key=lambda item: item[1][0] - item[1][1])
            ],
            "published": [
                {key: row[key] for key in ("year", "usd", "high_usd", "what", "basis", "source")}
                | ({"growth_needed": self.needed[row["year"]]} if row["year"] in self.needed else {})
                for row in self.published
            ],
            "notes": list(self.notes),
        }


@cache
def assumed() -> Mapping[str, Assumed]:
    """What is assumed, by name."""
    return read_assumed(FOLDER / "size.toml")


def size(until: int) -> Size:
    """The market's size up to a year, which must not end before the last header. Raises FaultyInput."""
    first = int(_last()[0])
    if not first <= until <= LATEST:
        what = f"{until} is not among the years from {first} to {LATEST}."
        raise FaultyInput(Fault("--size", what, "Write 2028 for the years up to it."))
    base, names = assumed(), tuple(LABELS)
    middle = {name: base[name].value for name in names}
    ends = {
        name: tuple(sorted(_ahead(middle | {name: end}, until)[-1].usd for end in (base[name].low, base[name].high)))
        for name in names
    }
    published = tuple(_rows("published.csv", PUBLISHED))
    years = _ahead(middle, until)
    coming = [row for row in published if years[0].year <= row["year"] <= until]
    return Size(
        past=tuple(_past(middle["retired"])),
        years=years,
        low=_ahead({name: base[name].low for name in names}, until),
        high=_ahead({name: base[name].high for name in names}, until),
        ends={name: (low, high) for name, (low, high) in ends.items()},
        published=published,
        needed={row["year"]: _growth_for(row["usd"], row["year"], middle) for row in coming},
        notes=tuple(_notes()),
    )


def _rows(name: str, table: Table) -> list[Row]:
    return rows_of(FOLDER / name, table)


def _hash_ehs(year: int) -> float:
    """Hash rate of the network on the last day of a year."""
    day = np.array([f"{year}-12-31"], dtype="datetime64[D]")
    return float(mining.network_ehs(mining.epochs().difficulty_on(day))[0])


def _last() -> tuple[float, float]:
    """The last moment whose difficulty is known, in years, and the hash rate of its epoch."""
    epochs = mining.epochs()
    day = epochs.start[-1]
    year = int(str(day)[:4])
    since = (day - np.datetime64(f"{year}-01-01")).astype(int) / DAYS
    return year + float(since), float(mining.network_ehs(epochs.difficulty[-1]))


def _sold(now: float, before: float, retired: float) -> float:
    return max(now - (1.0 - retired) * before, 0.0)


def _past(retired: float) -> list[Year]:
    """The years with a known price."""
    found = []
    for row in _rows("prices.csv", PRICES):
        year, price = row["year"], float(row["usd_ths"])
        now = _hash_ehs(year)
        sold = _sold(now, _hash_ehs(year - 1), retired)
        found.append(Year(year, now, sold, price, sold * TH_PER_EH * price, None))
    return found


def _ahead(given: Mapping[str, float], until: int) -> tuple[Year, ...]:
    """The years from the one after the last whole year known."""
    at, hash_ehs = _last()
    outlook, _ = outlook_of(Given())
    before, found = _hash_ehs(int(at) - 1), []
    for year in range(int(at), until + 1):
        now = hash_ehs * (1.0 + given["growth"]) ** (year + 1 - at)
        sold = _sold(now, before, given["retired"])
        price = given["price_usd_ths"] * (1.0 + given["price_change"]) ** (year + 0.5 - PRICED)
        earned = float(mining.mean_hashprice(outlook.hashprice, outlook.drift, max(year + 0.5 - PRICED, 0.0)))
        revenue = (now + before) / 2.0 * PH_PER_EH * earned * DAYS
        found.append(Year(year, now, sold, price, sold * TH_PER_EH * price, revenue))
        before = now
    return tuple(found)


def _growth_for(usd: float, year: int, given: Mapping[str, float]) -> float | None:
    """The growth at which a year's sales are worth ``usd``; they rise with it, so that halving an interval finds it."""

    def short(growth: float) -> bool:
        return _ahead({**given, "growth": growth}, year)[-1].usd < usd

    low, high = -0.9, MOST_GROWTH
    if short(high):
        return None
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if short(middle) else (low, middle)
    return high


def _notes() -> list[str]:
    """Every assumption and every price of the past, with how far it is known and from where."""
    lines = []
    for name, one in assumed().items():
        label, unit = LABELS[name]
        text = f"{label} {one.value:g} {unit} (low {one.low:g}, high {one.high:g}); {one.basis}: {one.source}"
        lines.append(f"{text}; {one.note}" if one.note else text)
    for row in _rows("prices.csv", PRICES):
        lines.append(
            f"price in {row['year']}: {row['usd_ths']:g} USD/TH, {row['what']}; {row['basis']}: {row['source']}"
        )
    said = outlook_of(Given())[1]
    return lines + [line for line in said if line.startswith(("hash price", "drift"))]
