"""Published shares of makers, places and hash rate as series, read from a file, and measured with their bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ashore.errors import Fault, raise_if
from ashore.fleet.concentration import OTHERS, WHOLE, Block, Shares, bounds, dependence, dissimilarity
from ashore.tables import Column, Row, Table, rows_of

FILE = Path(__file__).parents[1] / "data" / "exposure" / "shares.csv"
MADE = ("brand", "assembly", "chip_fab", "customs_origin")  # the four geographies of where a rig comes from
GEOGRAPHIES = (*MADE, "hashing")
MOST = 100_000  # entities in a block
SHARES = Table(
    "shares",
    (
        Column("geography", "choice", choices=GEOGRAPHIES),
        Column("series", "text"),
        Column("date", "text"),
        Column("entity", "text"),
        Column("country", "country", blank_ok=True),
        Column("share", "number", minimum=0, maximum=1),
        Column("entities", "integer", required=False, minimum=1, maximum=MOST),
        Column("basis", "text", required=False),
    ),
    key=("geography", "series", "date", "entity"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """Shares of one geography from one source on one day; rows as in the file."""

    geography: str
    name: str
    date: str
    rows: tuple[Row, ...]

    def entities(self, others: int = OTHERS, ranked: bool = False) -> Shares:
        """Shares by entity; a row for several entities is a block."""
        named = {row["entity"]: row["share"] for row in self.rows if (row["entities"] or 1) == 1}
        blocks = tuple(Block(row["share"], row["entities"]) for row in self.rows if (row["entities"] or 1) > 1)
        return Shares(named, blocks, others, min(named.values()) if ranked and named else None)

    def countries(self, others: int = OTHERS) -> Shares:
        """Shares by country; an entity without one stands for a country of its own."""
        named: dict[str, float] = {}
        for row in self.rows:
            key = row["country"] or row["entity"]
            named[key] = named.get(key, 0.0) + row["share"]
        return Shares(named, (), others)


def read_series(path: Path | None = None, others: int = OTHERS, ranked: bool = False) -> list[Series]:
    """The series of a file (by default the shipped one) in order of geography and date. Raises FaultyInput."""
    rows = rows_of(path or FILE, SHARES)
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["geography"], row["series"], row["date"]), []).append(row)
    found = [Series(*key, tuple(group)) for key, group in groups.items()]
    where, faults = (path or FILE).name, list[Fault]()
    if not 1 <= others <= MOST:
        faults.append(Fault("--others", f"{others} is out of range.", f"Give 1 to {MOST:,} unnamed entities at most."))
    else:
        for series in found:
            faults += _misfits(series, series.entities(others, ranked), where)
    raise_if(faults)
    return sorted(found, key=lambda series: (GEOGRAPHIES.index(series.geography), series.date, series.name))


def _misfits(series: Series, shares: Shares, where: str) -> list[Fault]:
    if shares.fits:
        return []
    total = sum(row["share"] for row in series.rows)
    label = f"{series.name}, {series.date}"
    if total > 1 + WHOLE:
        return [Fault(where, f"{label}: the shares add up to {total:g}.", "Correct them.", series.rows[0]["_row"])]
    what = (
        f"{label}: {shares.rest:g} is unnamed, too much for {shares.others} others no larger than the smallest named."
    )
    return [Fault(where, what, "Allow more --others, or leave out --ranked.", series.rows[0]["_row"])]


def measured(series: Sequence[Series], home: str, others: int = OTHERS, ranked: bool = False) -> dict[str, Any]:
    """Every series with its measures, and made against hashed; ``home`` is the country whose imports are looked at."""
    return {
        "home": home,
        "others": others,
        "ranked": ranked,
        "series": [_measured(one, home, others, ranked) for one in series],
        "imbalance": imbalances(series, others),
        "missing": [name for name in MADE if name not in {one.geography for one in series}],
    }


def _measured(series: Series, home: str, others: int, ranked: bool) -> dict[str, Any]:
    shares, places = series.entities(others, ranked), series.countries(others)
    low, high = dependence(places, home) if series.geography in MADE else (None, None)
    rows = [
        {name: row[name] for name in ("entity", "country", "share", "entities", "basis", "source", "note")}
        for row in series.rows
    ]
    return {
        "geography": series.geography,
        "series": series.name,
        "date": series.date,
        "shares": rows,
        "named_sum": sum(row["share"] for row in series.rows),
        "rest": shares.rest,
        **bounds(shares),
        "hhi_low_any_number": bounds_without_count(shares),
        "countries": places.named,
        "import_dependence_low": low,
        "import_dependence_high": high,
    }


def bounds_without_count(shares: Shares) -> float:
    """The least HHI if the unnamed part may belong to any number of entities: it then adds nothing."""
    named = sum(share**2 for share in shares.named.values())
    return 1e4 * (named + sum(block.total**2 / block.entities for block in shares.blocks))


def imbalances(series: Iterable[Series], others: int = OTHERS) -> list[dict[str, Any]]:
    """Made against hashed: each series of where rigs come from against the map of hash rate nearest in time.

    A map must name more than one country, so that it is a map.
    """
    every = list(series)
    maps = [one for one in every if one.geography == "hashing" and len(one.rows) > 1]
    rows = []
    for made in (one for one in every if one.geography in MADE and maps):
        hashed = min(maps, key=lambda one: (abs(_months(one.date) - _months(made.date)), -_named(one)))
        low, high = dissimilarity(made.countries(others), hashed.countries(others))
        rows.append(
            {
                "geography": made.geography,
                "made": made.name,
                "made_date": made.date,
                "hashed": hashed.name,
                "hashed_date": hashed.date,
                "dissimilarity_low": low,
                "dissimilarity_high": high,
            }
        )
    return rows


def _named(series: Series) -> float:
    return float(sum(row["share"] for row in series.rows))


def _months(day: str) -> float:
    """A date written as a year or a month, in months."""
    year, _, month = day.partition("-")
    try:
        return 12 * int(year) + int(month[:2] or 6)
    except ValueError:
        return 0.0
