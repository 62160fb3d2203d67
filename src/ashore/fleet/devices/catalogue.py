"""What ships on devices: rated figures, countries of makers, listed weaknesses, parts, hours, certification."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from ashore.errors import Fault, raise_if
from ashore.tables import Column, Row, Table, document_of, read_toml, rows_of

FOLDER = Path(__file__).parents[2] / "data" / "fleet"
HOURS = ("hours", "hours_rig")
MOST_HOURS = 1_000_000
MODELS = Table(
    "models",
    (
        Column("maker", "text"),
        Column("model", "text"),
        Column("hash_ths", "number", above=0),
        Column("power_w", "number", above=0),
        Column("since", "integer", blank_ok=True),
        Column("basis", "text"),
    ),
    key=("model",),
)
MAKERS = Table("makers", (Column("maker", "text"), Column("country", "country"), Column("basis", "text")), ("maker",))
WEAKNESSES = Table(
    "weaknesses",
    (
        Column("id", "text"),
        Column("maker", "text", blank_ok=True),
        Column("models", "text", blank_ok=True),
        Column("firmware", "text", blank_ok=True),
        Column("component", "choice", choices=("compiled", "cgminer", "bfgminer", "version"), blank_ok=True),
        Column("from", "text", blank_ok=True),
        Column("before", "text", blank_ok=True),
        Column("up_to", "text", blank_ok=True),
        Column("kind", "text"),
        Column("what", "text"),
        Column("fix", "text"),
        Column("basis", "text"),
    ),
)
STATEMENTS = Table(
    "statements",
    (Column("maker", "text"), Column("subject", "text"), Column("what", "text"), Column("basis", "text")),
    ("maker", "subject"),
)
PARTS = Table(
    "parts",
    (
        Column("models", "text"),
        Column("maker", "text"),
        Column("part", "text"),
        Column("part_maker", "text"),
        Column("kind", "text"),
        Column("basis", "text"),
    ),
)


@cache
def models() -> Mapping[str, Row]:
    """Rated figures by model."""
    return {row["model"]: row for row in _rows(MODELS)}


@cache
def countries() -> Mapping[str, str]:
    """Country of each known maker."""
    return {row["maker"]: row["country"] for row in _rows(MAKERS)}


def weaknesses(path: Path | None = None) -> list[Row]:
    """Listed weaknesses, from a file of one's own or those that ship. Raises FaultyInput."""
    return _rows(WEAKNESSES) if path is None else rows_of(path, WEAKNESSES)


def statements() -> list[Row]:
    """What has been said in public of makers' rigs, by whom it says."""
    return _rows(STATEMENTS)


def parts() -> list[Row]:
    """Parts known to be in models."""
    return _rows(PARTS)


def work(path: Path | None = None) -> dict[str, Any]:
    """Hours of each kind of fix, from a file of one's own or those that ship. Raises FaultyInput."""
    shipped = document_of(FOLDER / "work.toml")
    if path is None:
        return shipped
    faults: list[Fault] = []
    found = read_toml(path, faults)
    for name, table in found.items():
        if name not in shipped:
            faults.append(Fault(path.name, f"The fix '{name}' is unknown.", f"Known: {', '.join(shipped)}."))
        elif not isinstance(table, dict) or not {"hours", "hours_rig"} <= table.keys():
            faults.append(Fault(path.name, f"{name} lacks hours or hours_rig.", "Give both."))
        elif not all(_is_number(table[key]) for key in HOURS):
            faults.append(Fault(path.name, f"{name}: hours are numbers.", "Write hours = 4 and hours_rig = 0.05."))
        elif not all(isinstance(table[key], str) for key in table.keys() - HOURS):
            faults.append(Fault(path.name, f"{name}: what is not hours is text.", 'Write title = "close the port".'))
        elif not all(0 <= table[key] <= MOST_HOURS for key in HOURS):
            what = f"{name}: hours are below 0 or above {MOST_HOURS:,}."
            faults.append(Fault(path.name, what, f"Give 0 to {MOST_HOURS:,}."))
    raise_if(faults)
    return {name: {**table, **found.get(name, {})} for name, table in shipped.items()}


def _is_number(value: Any) -> bool:
    """Whether a value of a TOML file is a finite number."""
    return not isinstance(value, bool) and isinstance(value, int | Decimal) and Decimal(value).is_finite()


@cache
def certification() -> Mapping[str, Any]:
    """What a certification of makers might look at."""
    return document_of(FOLDER / "certification.toml")


def listed(names: str | None) -> list[str]:
    """Names parted by semicolons."""
    return [name.strip() for name in (names or "").split(";") if name.strip()]


@cache
def _rows(table: Table) -> list[Row]:
    return rows_of(FOLDER / f"{table.name}.csv", table)
