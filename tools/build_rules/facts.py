"""Reads the folder of facts and remembers which rows have been used."""

from __future__ import annotations

import csv
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from build_rules.emit import Version

Row = dict[str, str]


class Facts:
    """The three tables of facts: programmes by id, tariff lines, exclusions."""

    def __init__(self, folder: Path) -> None:
        self.programmes = {row["id"]: row for row in read(folder / "programmes.csv")}
        self.lines = read(folder / "hts.csv")
        self.exclusions = read(folder / "exclusions.csv")
        self.used: set[str] = set()

    def row(self, key: str) -> Row:
        self.used.add(key)
        return self.programmes[key]

    def version(self, key: str, **changes: Any) -> Version:
        """The dated value of one programme row; ``changes`` replace what the row says."""
        row = self.row(key)
        rate = row["rate_pct"]
        found = Version(
            start=day(row["start_et"]) or date.min,
            until=day(row["end_et_exclusive"]),
            rate=Decimal(rate) / 100 if rate else None,
            source=row["citation"],
            basis=basis(row["basis"]),
            confidence=row["confidence"],
            facts=(key,),
        )
        return found.but(**changes)

    def countries(self, key: str) -> tuple[str, ...]:
        return tuple(self.row(key)["countries"].split())

    def starting(self, prefix: str) -> list[str]:
        return [key for key in self.programmes if key.startswith(prefix)]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: value.strip() for key, value in row.items()} for row in csv.DictReader(file)]


def day(text: str) -> date | None:
    """The day of a moment in US Eastern time; one minute past midnight counts as the whole day."""
    return date.fromisoformat(text[:10]) if text else None


def basis(text: str) -> str:
    return re.sub(r"\bmemory\b", "MEMORY", text)
