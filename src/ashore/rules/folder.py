"""A rule-book folder: reads its documents and lists, and gathers their faults."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from ashore.errors import Fault
from ashore.rules.documents import ClaimTable
from ashore.rules.model import END_OF_TIME, Claim, Item, Scope
from ashore.rules.scenario import ppm_of, read_scope
from ashore.tables import decoded, read_toml
from ashore.tables.document import read_document

T = TypeVar("T")


class Folder:
    """One rule-book folder, its countries, groups and claims, and the faults found in it so far."""

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        self.path = path
        self.faults = faults
        self.lists: dict[Path, Scope] = {}
        self._names: dict[Path, str] = {}
        codes = self.rows(path / "countries.csv", ("code", "name"))
        self.countries = {row["code"]: row["name"] for row in codes}
        self.groups = self._groups()
        self.claims = self._claims()

    def _claims(self) -> dict[str, Claim]:
        path = self.path / "claims.toml"
        claims = {}
        for key, table in read_toml(path, self.faults).items():
            claim = self.table(ClaimTable, table, path)
            if claim is not None:
                share = claim.type == "share" and claim.assumed is not None
                assumed = ppm_of(claim.assumed) if share else claim.assumed
                claims[key] = Claim(key, claim.type, claim.kind, claim.question, assumed)
        return claims

    def _groups(self) -> dict[str, frozenset[str]]:
        path = self.path / "origins.toml"
        groups: dict[str, frozenset[str]] = {}
        tables = read_toml(path, self.faults).get("groups", {})
        if not isinstance(tables, Mapping):
            self.fault(path, "groups is no table", 'Write [groups], and under it NAME = ["CODE", …] lines.')
            return groups
        for name, codes in tables.items():
            if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                self.fault(path, f"group {name} is no list of texts", "Write a list of country codes.")
                continue
            unknown = sorted(set(codes) - set(self.countries))
            if unknown:
                self.fault(path, f"group {name} holds unknown codes {', '.join(unknown)}", "Use ISO alpha-2 codes.")
            groups[name] = frozenset(codes)
        return groups

    def document(self, kind: type[T], path: Path) -> T | None:
        """A TOML file as a document of the format, or None with its faults added."""
        before = len(self.faults)
        table = read_toml(path, self.faults)
        return self.table(kind, table, path) if len(self.faults) == before else None

    def table(self, kind: type[T], table: Any, path: Path, row: int | None = None) -> T | None:
        """One table of a document."""
        if not isinstance(table, Mapping):
            self.fault(path, f"{table!r} is no table.", "Write its keys below a [name] of their own.")
            return None
        return read_document(kind, table, self.name(path), self.faults, row)

    def tables(self, kind: type[T], tables: Iterable[dict[str, Any]], path: Path) -> list[T]:
        """A list of tables of a document; those with faults are left out."""
        found = [self.table(kind, table, path) for table in tables]
        return [table for table in found if table is not None]

    def rows(self, path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
        """Rows of a list file as text; absent columns read as blank, unknown ones are faults."""
        if not path.is_file():
            self.fault(path, "the file is not there", "Add it, or correct the name in the provision.")
            return []
        text = decoded(path.read_bytes(), self.faults, self.name(path))
        reader = csv.DictReader(io.StringIO(text or "", newline=""))
        try:
            unknown = sorted(set(reader.fieldnames or ()) - set(columns))
            if unknown:
                self.fault(path, f"unknown columns {', '.join(unknown)}", f"Known: {', '.join(columns)}.", 1)
            return [{column: (row.get(column) or "").strip() for column in columns} for row in reader]
        except csv.Error as error:
            what = f"the line is not CSV ({error})"
            self.fault(path, what, "Close every quotation mark; double those inside a cell.", reader.line_num + 1)
            return []

    def day(self, text: str, path: Path, row: int) -> date | None:
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fault(path, f"{text!r} is not a date", "Write dates as 2025-04-05.", row)
            return None

    def origins(self, names: list[str] | str, path: Path) -> frozenset[str] | None:
        """Countries from codes and group names (a list, or a text with spaces); None is every country."""
        if names == "*" or names == ["*"]:
            return None
        found: set[str] = set()
        for name in names.split() if isinstance(names, str) else names:
            if name in self.groups:
                found |= self.groups[name]
            elif name in self.countries:
                found.add(name)
            else:
                self.fault(
                    path,
                    f"origin {name!r} is no country or group",
                    "Use ISO alpha-2 codes or a group of origins.toml.",
                )
        return frozenset(found)

    def scope(self, value: list[str] | str, path: Path) -> Scope:
        if isinstance(value, str) and value.endswith(".csv"):
            return self.listed(path.parent / value)
        return read_scope(value, self.name(path), self.faults)

    def listed(self, path: Path) -> Scope:
        if path not in self.lists:
            items = []
            columns = ("hts", "from", "until", "assume", "source", "basis", "confidence", "note")
            for number, row in enumerate(self.rows(path, columns), start=2):
                digits = digits_of(row["hts"])
                if not digits.isdigit() or not 2 <= len(digits) <= 10:
                    self.fault(path, f"{row['hts']!r} is no tariff prefix", "Write 2 to 10 digits.", number)
                items.append(
                    Item(
                        digits,
                        self.day(row["from"], path, number) or date.min,
                        self.day(row["until"], path, number) or END_OF_TIME,
                        row["assume"] == "yes",
                        row["note"],
                    )
                )
            self.lists[path] = Scope(tuple(items))
        return self.lists[path]

    def claim_key(self, key: str, path: Path) -> str | None:
        """A claim's key checked against claims.toml; blank is None."""
        if key and key not in self.claims:
            self.fault(path, f"claim {key!r} is not in claims.toml", "Add it there, or correct the name.")
        return key or None

    def name(self, path: Path) -> str:
        """The file as the reader of the folder knows it."""
        if path not in self._names:
            own = path.is_relative_to(self.path)
            self._names[path] = str(path.relative_to(self.path)) if own else str(path)
        return self._names[path]

    def fault(self, path: Path, what: str, remedy: str, row: int | None = None) -> None:
        self.faults.append(Fault(self.name(path), what, remedy, row=row))


def digits_of(text: str) -> str:
    return text.replace(".", "").replace(" ", "")
