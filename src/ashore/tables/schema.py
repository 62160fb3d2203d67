"""Columns, tables and the typed value of one cell."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ashore.errors import nearest, suggest

Kind = Literal["text", "number", "integer", "yes_no", "date", "hts", "country", "choice"]
Row = dict[str, Any]  # typed values by column, None for blank; row["_row"] is the line number
ArrowLike = Any  # a Polars, pandas or PyArrow table, or a dict of columns

COUNTRIES_FILE = Path(__file__).parents[1] / "data" / "rules" / "countries.csv"
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d{1,18}(\.0+)?", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
HTS = re.compile(r"\d{8}(\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    required: the column must be there and no cell blank; ``blank_ok`` keeps the first half only.
    choices:  the allowed words of a ``choice``.
    minimum:  smallest number allowed (inclusive); above: the number must be greater (exclusive);
    maximum:  largest number allowed (inclusive).
    """

    name: str
    kind: Kind
    required: bool = True
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    blank_ok: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: name (the file's stem), columns, and the columns that together name a row once."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """The header line, as a remedy can show it."""
        return ",".join(column.name for column in self.columns)

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns with the ``source`` and ``note`` every table takes."""
        own = {column.name for column in self.columns}
        free = (Column("source", "text", required=False), Column("note", "text", required=False))
        return self.columns + tuple(column for column in free if column.name not in own)


class Unfit(Exception):
    """A cell does not fit its column (internal: becomes a ``Fault``)."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


@cache
def countries() -> dict[str, str]:
    """ISO 3166 alpha-2 code → English short name, from the shipped ``countries.csv``."""
    with COUNTRIES_FILE.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def _number(text: str, _: Column) -> float:
    if not NUMBER.fullmatch(text):
        raise Unfit(f"'{text}' is not a number.", "Write it as 12.5, without unit or thousands separator.")
    value = float(text)
    if not math.isfinite(value):
        raise Unfit(f"'{text}' is too large for a number.", "Write a finite number.")
    return value


def _integer(text: str, _: Column) -> int:
    if not INTEGER.fullmatch(text):
        raise Unfit(f"'{text}' is not a whole number.", "Write it as 12.")
    return int(text.partition(".")[0])


def _yes_no(text: str, _: Column) -> bool:
    word = text.casefold()
    if word not in ("yes", "no"):
        raise Unfit(f"'{text}' is neither yes nor no.", "Write yes or no.")
    return word == "yes"


def _date(text: str, _: Column) -> date:
    if not DAY.fullmatch(text):
        raise Unfit(f"'{text}' is not a date.", "Write it as 2026-11-22 (year, month, day).")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unfit(f"'{text}' is not a day of the calendar.", "Write an existing day as 2026-11-22.") from None


def _hts(text: str, _: Column) -> str:
    digits = text.replace(".", "")
    if not HTS.fullmatch(digits):
        remedy = "Write 8 or 10 digits, with or without dots, such as 8543.70.98.60."
        if digits.isascii() and digits.isdigit() and len(digits) in (7, 9):
            remedy = "A leading zero seems lost: keep the column as text. " + remedy
        raise Unfit(f"'{text}' is not an HTS code of 8 or 10 digits.", remedy)
    return digits


def _country(text: str, _: Column) -> str:
    known = countries()
    code = text.upper()
    if code in known:
        return code
    names = {name: code for code, name in known.items()}
    near = nearest(text, names) if len(text) > 3 else None
    remedy = (
        f"Write {names[near]} for {near}."
        if near
        else "Write the two-letter code of ISO 3166 (the list is in data/rules/countries.csv)."
    )
    raise Unfit(f"'{text}' is not a country code.", remedy)


def _choice(text: str, column: Column) -> str:
    word = text.casefold()
    for choice in column.choices:
        if choice.casefold() == word:
            return choice
    raise Unfit(f"'{text}' is not one of {', '.join(column.choices)}.", suggest(text, column.choices, "Choose one."))


def _text(text: str, _: Column) -> str:
    return text


PARSERS: dict[str, Callable[[str, Column], Any]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "yes_no": _yes_no,
    "date": _date,
    "hts": _hts,
    "country": _country,
    "choice": _choice,
}


def parse_cell(text: str, column: Column) -> Any:
    """The typed value of one non-blank cell; raises ``Unfit``."""
    value = PARSERS[column.kind](text, column)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if column.above is not None and value <= column.above:
            raise Unfit(f"{text} is not above {column.above:g}.", f"Give a value above {column.above:g}.")
        if column.minimum is not None and value < column.minimum:
            raise Unfit(f"{text} is below {column.minimum:g}.", f"Give a value of at least {column.minimum:g}.")
        if column.maximum is not None and value > column.maximum:
            raise Unfit(f"{text} is above {column.maximum:g}.", f"Give a value of at most {column.maximum:g}.")
    return value
