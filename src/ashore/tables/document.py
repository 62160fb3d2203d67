"""Documents: a TOML table, or one row of a list, read into a dataclass with every fault at once.

The dataclass is the schema. A field without default must be given; a name may end in ``_`` where the key is a
Python word (``from_`` is read from ``from``); ``metadata={"choices": (...)}`` limits a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from ashore.errors import Fault, suggest

T = TypeVar("T")


class _Unreadable(Exception):
    """A value that is not what its field holds; the text says what it should be."""


def read_document(
    kind: type[T], table: Mapping[str, Any], where: str, faults: list[Fault], row: int | None = None
) -> T | None:
    """The table as a ``kind``, or None with its faults added: unknown, missing and unreadable keys."""
    known = {field.name.rstrip("_"): field for field in fields(kind)}  # type: ignore[arg-type]
    before = len(faults)
    values: dict[str, Any] = {}
    for key, value in table.items():
        field = known.get(key)
        if field is None:
            remedy = suggest(key, known, f"Known keys: {', '.join(known)}.")
            faults.append(Fault(where, f"key '{key}' is unknown.", remedy, row=row))
            continue
        try:
            values[field.name] = _READERS[str(field.type).removesuffix(" | None")](value)
        except _Unreadable as error:
            faults.append(Fault(where, f"{value!r} is not {error}.", "Correct the value.", row=row, column=key))
            continue
        choices = field.metadata.get("choices", ())
        if choices and value not in choices:
            fault = Fault(where, f"{value!r} is not known here.", f"Use one of {', '.join(choices)}.", row, key)
            faults.append(fault)
    for key, field in known.items():
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and (key not in table or table[key] == ""):
            faults.append(Fault(where, f"key '{key}' is missing or blank.", "Give it a value.", row=row, column=key))
    return None if len(faults) > before else kind(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unreadable("text in quotes")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Unreadable("a list of texts")
    return value


def _text_or_texts(value: Any) -> str | list[str]:
    return value if isinstance(value, str) else _texts(value)


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _Unreadable("a list of tables")
    return value


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Unreadable("true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unreadable("a whole number")
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise _Unreadable("a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _Unreadable("a number") from None
    if not number.is_finite():
        raise _Unreadable("a finite number")
    return number


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise _Unreadable("a date such as 2025-04-05") from None


_READERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "list[str]": _texts,
    "list[str] | str": _text_or_texts,
    "list[dict[str, Any]]": _tables,
    "bool": _yes_no,
    "int": _whole,
    "Decimal": _number,
    "date": _day,
    "Any": lambda value: value,
}
