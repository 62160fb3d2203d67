"""An entry line as the user states it: tariff number, origin, day, value, mode and claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from ashore.errors import Fault
from ashore.rules.model import PPM, RuleBook
from ashore.rules.scenario import ppm_of

HIGHEST_VALUE_USD = 9_000_000_000  # a line; cents x ppm stay inside 64 bits at the highest rate of a scenario
MODES = ("air", "ocean", "truck")
MOST_USD = {"de_minimis": 800, "informal": 2_500}  # procedures open to small values only, throughout the coverage
_YES = {"yes": True, "true": True, "1": True, "y": True, "no": False, "false": False, "0": False, "n": False}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry line. ``hts`` is 8 or 10 digits, ``value_cents`` the customs value, ``claims`` typed values."""

    hts: str
    origin: str
    on: date
    value_cents: int
    mode: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


def read_entry(
    book: RuleBook,
    hts: str,
    origin: str,
    on: str | date,
    value: str | float | int,
    mode: str | None = None,
    loaded: str | date | None = None,
    claims: Iterable[str] = (),
) -> tuple[Entry | None, list[Fault]]:
    """An entry from what a user typed, or every fault in it. Claims are ``KEY=VALUE`` texts."""
    faults: list[Fault] = []
    digits = read_hts(hts, faults)
    country = read_origin(book, origin, faults)
    day = read_day(on, "--on", faults)
    cents = read_cents(value, faults)
    if mode is not None and mode not in MODES:
        faults.append(Fault("--mode", f"{mode!r} is no mode of transport.", f"Use one of {', '.join(MODES)}."))
    typed = read_claims(book, claims, faults)
    if loaded is not None:
        typed["loaded"] = read_day(loaded, "--loaded", faults)
    if mode is not None and any(need.claim == "mode" for rule in book.rules for need in rule.requires):
        typed["mode"] = mode
    if day is not None:
        outside = book.outside(day)
        if outside is not None:
            faults.append(outside)
        if isinstance(typed.get("loaded"), date) and typed["loaded"] > day:
            faults.append(
                Fault("--loaded", "the goods were loaded after they were entered.", "Correct one of the dates.")
            )
    for key, most in MOST_USD.items():
        if typed.get(key) is True and cents is not None and cents > most * 100:
            what = f"{key}=yes is open up to {most:,} USD only, and the value is {cents / 100:,.2f}."
            faults.append(Fault("--claim", what, f"Leave {key} out, or correct the value."))
    if faults or digits is None or country is None or day is None or cents is None:
        return None, faults
    return Entry(digits, country, day, cents, mode, typed), faults


def read_hts(text: str, faults: list[Fault], where: str = "--hts") -> str | None:
    """A tariff number of 8 or 10 digits, dots and spaces allowed, as digits."""
    digits = text.replace(".", "").replace(" ", "").strip()
    if digits.isascii() and digits.isdigit() and len(digits) in (8, 10):
        return digits
    faults.append(Fault(where, f"{text!r} is no tariff number.", "Give 8 or 10 digits, as in 8543.70.98.60."))
    return None


def read_origin(book: RuleBook, text: str, faults: list[Fault], where: str = "--from") -> str | None:
    """A country code the book knows."""
    code = text.strip().upper()
    if code in book.countries:
        return code
    names = {name.lower(): code for code, name in book.countries.items()}
    near = get_close_matches(text.lower(), list(names), n=1, cutoff=0.7)
    hint = f"Did you mean {names[near[0]]}? " if near else ""
    faults.append(Fault(where, f"{text!r} is no country code.", hint + "Use ISO 3166 alpha-2."))
    return None


def read_origins(
    book: RuleBook, text: str, faults: list[Fault], where: str = "--origins"
) -> tuple[tuple[str, int], ...]:
    """Origins in doubt with their chances in ppm, from ``MY:0.7,CN:0.3``; the first is the one claimed."""
    found: list[tuple[str, int]] = []
    for part in text.split(","):
        name, colon, chance = part.partition(":")
        code = read_origin(book, name, faults, where)
        ppm = ppm_of(chance.strip()) if colon else None
        if ppm is None or not 0 <= ppm <= PPM:
            faults.append(Fault(where, f"{part.strip()!r} has no chance.", "Write MY:0.7,CN:0.3."))
        elif code is not None:
            found.append((code, ppm))
    if len({code for code, _ in found}) < len(found):
        faults.append(Fault(where, f"{text!r} names an origin twice.", "Name each origin once."))
    elif len(found) == text.count(",") + 1 and sum(ppm for _, ppm in found) != PPM:
        faults.append(Fault(where, f"the chances in {text!r} do not sum to 1.", "Let them sum to 1."))
    return tuple(found)


def read_day(text: str | date, where: str, faults: list[Fault]) -> date | None:
    """A date written 2026-11-22."""
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        faults.append(Fault(where, f"{text!r} is not a date.", "Write dates as 2026-11-22."))
        return None


def read_cents(value: str | float | int, faults: list[Fault], where: str = "--value") -> int | None:
    """A customs value in USD as integer cents, rounded half up."""
    try:
        number = Decimal(str(value).replace(",", "").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        faults.append(Fault(where, f"{value!r} is not an amount.", "Write USD as 2970 or 2970.50."))
        return None
    if number < 0 or number > HIGHEST_VALUE_USD:
        faults.append(
            Fault(
                where,
                f"{value} is out of range.",
                f"Customs value is between 0 and {HIGHEST_VALUE_USD:,} USD a line.",
            )
        )
        return None
    return int((number * 100).to_integral_value(ROUND_HALF_UP))


def read_claims(book: RuleBook, claims: Iterable[str], faults: list[Fault], where: str = "--claim") -> dict[str, Any]:
    """Typed claims from ``KEY=VALUE`` texts."""
    typed: dict[str, Any] = {}
    for text in claims:
        key, equals, value = text.partition("=")
        key, value = key.strip(), value.strip()
        claim = book.claims.get(key)
        if not equals or claim is None:
            near = get_close_matches(key, list(book.claims), n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            what = f"{text!r} is no claim." if equals else f"{text!r} is not KEY=VALUE."
            faults.append(Fault(where, what, f"{hint}Claims: {', '.join(sorted(book.claims))}."))
            continue
        if key in typed:
            faults.append(Fault(where, f"claim {key} is given twice.", "Give it once."))
        typed[key] = read_claim(claim.type, key, value, faults, where)
    return typed


def read_claim(type_: str, key: str, value: str, faults: list[Fault], where: str = "--claim") -> Any:
    """One claim's text as its type: yes_no -> bool, share -> ppm, date -> date, text -> str."""
    match type_:
        case "yes_no":
            if value.lower() not in _YES:
                faults.append(Fault(where, f"{key}={value} is neither yes nor no.", f"Write {key}=yes or {key}=no."))
            return _YES.get(value.lower())
        case "share":
            ppm = ppm_of(value)
            if ppm is None or not 0 <= ppm <= PPM:
                faults.append(Fault(where, f"{key}={value} is no share.", f"Write 20 per cent as {key}=0.2."))
                return None
            return ppm
        case "date":
            return read_day(value, where, faults)
    return value
