"""The schedule of a rule book: tariff lines, their dated column rates, and special programmes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from ashore.rules.folder import Folder, digits_of
from ashore.rules.model import END_OF_TIME, ColumnRates, Line
from ashore.rules.scenario import ppm_of


def read_lines(folder: Folder) -> dict[str, Line]:
    rates: dict[str, list[ColumnRates]] = {}
    path = folder.path / "schedule" / "rates.csv"
    columns = (
        "hts",
        "from",
        "until",
        "column1",
        "column2",
        "special",
        "source",
        "basis",
        "confidence",
        "note",
    )
    for number, row in enumerate(folder.rows(path, columns), start=2):
        rates.setdefault(digits_of(row["hts"]), []).append(
            ColumnRates(
                start=folder.day(row["from"], path, number) or date.min,
                until=folder.day(row["until"], path, number) or END_OF_TIME,
                column1=_column_rate(row["column1"]),
                column2=_column_rate(row["column2"]),
                special=_special(folder, row["special"], path, number),
                source=row["source"],
                basis=row["basis"],
                confidence=row["confidence"],
                note=row["note"],
            )
        )
    lines = {}
    path = folder.path / "schedule" / "lines.csv"
    columns = (
        "hts",
        "description",
        "role",
        "unit",
        "suffixes",
        "valid_from",
        "valid_until",
        "renumbered",
        "source",
        "note",
    )
    for number, row in enumerate(folder.rows(path, columns), start=2):
        hts = digits_of(row["hts"])
        if hts not in rates:
            folder.fault(path, f"line {row['hts']} has no rates", "Add it to schedule/rates.csv.", number)
        lines[hts] = Line(
            hts=hts,
            description=row["description"],
            role=row["role"],
            suffixes=frozenset(row["suffixes"].split()),
            valid_from=folder.day(row["valid_from"], path, number) or date.min,
            valid_until=folder.day(row["valid_until"], path, number) or END_OF_TIME,
            renumbered=digits_of(row["renumbered"]),
            rates=tuple(sorted(rates.get(hts, []), key=lambda r: r.start)),
        )
    return lines


def read_programmes(folder: Folder) -> Iterable[tuple[str, frozenset[str], date, date]]:
    path = folder.path / "schedule" / "programmes.csv"
    columns = ("code", "origins", "from", "until", "source", "basis", "confidence", "note")
    for number, row in enumerate(folder.rows(path, columns), start=2):
        origins = folder.origins(row["origins"].split(), path) or frozenset()
        start = folder.day(row["from"], path, number) or date.min
        yield row["code"], origins, start, folder.day(row["until"], path, number) or END_OF_TIME


def _special(folder: Folder, text: str, path: Path, number: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        rate, _, codes = part.partition(":")
        ppm = ppm_of(rate.strip())
        if ppm is None:
            folder.fault(path, f"special rate {part!r} is not read", 'Write "0: AU KR S; 0.0325: JP".', number)
            continue
        found.update(dict.fromkeys(codes.split(), ppm))
    return found


def _column_rate(text: str) -> int | str:
    """A column rate as ppm, or its printed text where it is not ad valorem; blank is unknown text."""
    ppm = ppm_of(text) if text else None
    return text if ppm is None else ppm
