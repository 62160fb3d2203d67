"""What a rule-book file holds, and how it is written: TOML and CSV that a person can go on editing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

WIDTH = 110
LIST_COLUMNS = ("hts", "from", "until", "assume", "source", "basis", "confidence", "note")
VERSION_COLUMNS = ("heading", "origins", "rate", "from", "until", "source", "basis", "confidence", "note")


@dataclass(frozen=True)
class Version:
    """A dated value of a provision: half-open interval, rate as a share, where it was found and how sure it is."""

    start: date
    until: date | None
    rate: Decimal | None
    source: str
    basis: str
    confidence: str
    heading: str = ""
    origins: tuple[str, ...] = ()
    note: str = ""
    facts: tuple[str, ...] = ()

    def but(self, **changes: Any) -> Version:
        return replace(self, **changes)


@dataclass(frozen=True)
class Item:
    """A row of a product list."""

    hts: str
    source: str
    basis: str
    confidence: str
    start: date | None = None
    until: date | None = None
    assume: bool = False
    note: str = ""


@dataclass(frozen=True)
class Provision:
    """One provision; ``products`` is "*", prefixes, or list rows that go to a CSV file beside it."""

    id: str
    folder: str
    title: str
    authority: str
    kind: str
    versions: tuple[Version, ...]
    heading: str = ""
    group: str = ""
    order: int = 50
    column: str = ""
    origins: tuple[str, ...] = ()
    origins_except: tuple[str, ...] = ()
    products: tuple[str, ...] | tuple[Item, ...] = ()
    products_except: tuple[str, ...] = ()
    list_name: str = ""
    portion: str = ""
    yields_to: tuple[str, ...] = ()
    why: str = ""
    note: str = ""
    comment: str = ""
    requires: tuple[Mapping[str, Any], ...] = ()
    versions_name: str = ""

    def files(self) -> Iterable[tuple[str, str]]:
        """Path inside the book and text of every file of this provision."""
        yield f"{self.folder}/{self.id}.toml", self._toml()
        items = [item for item in self.products if isinstance(item, Item)]
        if items:
            yield f"{self.folder}/{self._list_file()}", list_csv(items)
        if self.versions_name:
            yield f"{self.folder}/{self.versions_name}", versions_csv(self.versions)

    def _list_file(self) -> str:
        return self.list_name or f"{self.id}.csv"

    def _products(self) -> Any:
        if self.list_name or any(isinstance(item, Item) for item in self.products):
            return self._list_file()
        return list(self.products) or "*"

    def _toml(self) -> str:
        head: dict[str, Any] = {
            "provision": self.id,
            "title": self.title,
            "authority": self.authority,
            "group": self.group,
            "heading": self.heading,
            "kind": self.kind,
            "column": self.column,
            "order": self.order,
            "origins": list(self.origins) or "*",
            "origins_except": list(self.origins_except),
            "products": self._products(),
            "products_except": list(self.products_except),
            "portion": self.portion,
            "yields_to": list(self.yields_to),
            "why": self.why,
            "note": self.note,
            "versions": self.versions_name,
        }
        lines = [f"# {line}" for line in self.comment.splitlines()]
        lines += table({key: value for key, value in head.items() if value not in ("", [])})
        for need in self.requires:
            lines += ["", "[[requires]]", *table(need)]
        for version in () if self.versions_name else self.versions:
            lines += ["", "[[version]]", *table(version_table(version))]
        return "\n".join(lines) + "\n"


def version_table(version: Version) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "from": version.start,
        "until": version.until,
        "rate": version.rate,
        "heading": version.heading,
        "origins": list(version.origins),
        "source": version.source,
        "basis": version.basis,
        "confidence": version.confidence,
        "note": version.note,
    }
    return {key: value for key, value in cells.items() if value is not None and value not in ("", [])}


def table(cells: Mapping[str, Any]) -> list[str]:
    """Lines of a TOML table; long arrays one element a line group."""
    lines: list[str] = []
    for key, value in cells.items():
        line = f"{key} = {scalar(value)}"
        if isinstance(value, list) and len(line) > WIDTH:
            lines.append(f"{key} = [")
            lines += wrapped([scalar(item) for item in value])
            lines.append("]")
        else:
            lines.append(line)
    return lines


def wrapped(words: Sequence[str]) -> list[str]:
    lines, line = [], "   "
    for word in words:
        if len(line) + len(word) + 2 > WIDTH:
            lines.append(line)
            line = "   "
        line += f" {word},"
    return [*lines, line]


def scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def plain(value: Decimal) -> str:
    """A decimal without exponent or trailing zeros, with a point, so that TOML reads a fraction: 0.25, 0.0."""
    text = f"{value.normalize():f}"
    return text if "." in text else text + ".0"


def rows_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def list_csv(items: Sequence[Item]) -> str:
    return rows_csv(
        LIST_COLUMNS,
        (
            {
                "hts": item.hts,
                "from": day(item.start),
                "until": day(item.until),
                "assume": "yes" if item.assume else "",
                "source": item.source,
                "basis": item.basis,
                "confidence": item.confidence,
                "note": item.note,
            }
            for item in items
        ),
    )


def versions_csv(versions: Sequence[Version]) -> str:
    return rows_csv(
        VERSION_COLUMNS,
        (
            {
                "heading": version.heading,
                "origins": " ".join(version.origins),
                "rate": "" if version.rate is None else plain(version.rate),
                "from": day(version.start),
                "until": day(version.until),
                "source": version.source,
                "basis": version.basis,
                "confidence": version.confidence,
                "note": version.note,
            }
            for version in versions
        ),
    )


def day(value: date | None) -> str:
    return "" if value is None else value.isoformat()


def day_after(value: date) -> date:
    return value + timedelta(days=1)
