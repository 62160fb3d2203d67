"""Scenarios as files spell them: changes that end rules, give them another rate, or add new ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from ashore.errors import Fault
from ashore.rules.change import Change
from ashore.rules.documents import KINDS
from ashore.rules.model import END_OF_TIME, EVERYTHING, PPM, Item, Rule, RuleBook, Scope, matching

HIGHEST_RATE = 10  # a share of customs value; the highest ever charged on a rig line was 1.726

_OLD_KEYS = {"rule", "rate", "from", "until"}
_NEW_KEYS = {
    "heading",
    "authority",
    "title",
    "origins",
    "origins_except",
    "products",
    "kind",
    "rate",
    "from",
    "until",
    "yields_to",
    "exempts",
    "source",
    "note",
}
_LATER_KEYS = {"quota_units_month", "ban"}


def read_changes(items: Any, book: RuleBook, where: str, faults: list[Fault]) -> list[Change]:
    """Changes from the tables of a scenario or futures file; every fault is added to ``faults``."""
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        faults.append(Fault(where, "changes are not a list of tables", "Write each change under [[change]]."))
        return []
    changes = []
    for number, item in enumerate(items, start=1):
        spot = f"{where}, change {number}"
        before = len(faults)
        change = _read_old(item, book, spot, faults) if "rule" in item else _read_new(item, book, spot, faults)
        if len(faults) == before and change is not None:
            changes.append(change)
    return changes


def _read_old(item: Mapping[str, Any], book: RuleBook, spot: str, faults: list[Fault]) -> Change | None:
    _known(item, _OLD_KEYS, spot, faults)
    name = str(item["rule"])
    if not matching(book.rules, name):
        names = sorted({n for r in book.rules for n in (r.provision, r.heading, r.authority, r.group) if n})
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        faults.append(Fault(spot, f"no rule goes by {name!r}", hint + "`ashore rules` lists every rule and heading."))
    if "rate" not in item and "until" not in item:
        faults.append(Fault(spot, "the change changes nothing", "Give a rate, an until date, or both."))
    rate = _rate(item["rate"], spot, faults) if "rate" in item else None
    start, until = (_day(item, key, spot, faults) for key in ("from", "until"))
    return Change(rule=name, rate_ppm=rate, start=start, until=until)


def _read_new(item: Mapping[str, Any], book: RuleBook, spot: str, faults: list[Fault]) -> Change | None:
    later = sorted(_LATER_KEYS & set(item))
    if later:
        faults.append(
            Fault(
                spot,
                f"{', '.join(later)} is not read by this version",
                "State the change as a duty rate instead.",
            )
        )
        return None
    _known(item, _NEW_KEYS, spot, faults)
    kind = str(item.get("kind", "add"))
    if kind not in KINDS:
        faults.append(Fault(spot, f"kind {kind!r} is unknown", f"Use one of {', '.join(KINDS)}."))
    missing = [key for key in ("heading", "origins", "products") if key not in item]
    if kind != "free" and "rate" not in item:
        missing.append("rate")
    if missing:
        faults.append(
            Fault(spot, f"a new rule lacks {', '.join(missing)}", "Give every one of them, or name a `rule`.")
        )
        return None
    rate = None if kind == "free" else _rate(item["rate"], spot, faults)
    start, until = (_day(item, key, spot, faults) for key in ("from", "until"))
    heading = str(item["heading"])
    exempts = tuple(str(n) for n in _names(item.get("exempts", "*" if kind == "free" else [])))
    rule = Rule(
        provision=f"new:{heading}",
        title=str(item.get("title", heading)),
        authority=str(item.get("authority", "scenario")),
        heading=heading,
        kind=kind,
        rate_ppm=rate,
        start=start or book.start,
        until=until or END_OF_TIME,
        order=70,
        origins=_origins(item["origins"], book, spot, faults),
        origins_except=_origins(item.get("origins_except", []), book, spot, faults) or frozenset(),
        products=read_scope(item["products"], spot, faults),
        yields_to=tuple(str(n) for n in _names(item.get("yields_to", []))),
        exempts=exempts,
        why=str(item.get("title", heading)),
        source=str(item.get("source", "scenario")),
        basis="SCENARIO",
        note=str(item.get("note", "")),
    )
    return Change(start=start, new=rule)


def read_scope(value: Any, spot: str, faults: list[Fault]) -> Scope:
    """A product scope from ``"*"`` or a list of tariff prefixes (2 to 10 digits, dots allowed)."""
    if value == "*" or value == ["*"]:
        return EVERYTHING
    items = []
    for text in _names(value):
        digits = str(text).replace(".", "")
        if not digits.isdigit() or not 2 <= len(digits) <= 10:
            faults.append(
                Fault(spot, f"product {text!r} is no tariff prefix", "Write 2 to 10 digits, as in 8543.70.98.")
            )
            continue
        items.append(Item(digits))
    return Scope(tuple(items))


def _origins(value: Any, book: RuleBook, spot: str, faults: list[Fault]) -> frozenset[str] | None:
    if value == "*" or value == ["*"]:
        return None
    found: set[str] = set()
    for name in _names(value):
        text = str(name).upper()
        if text in book.groups:
            found |= book.groups[text]
        elif text in book.countries:
            found.add(text)
        else:
            faults.append(Fault(spot, f"origin {name!r} is no country", 'Use ISO 3166 alpha-2 codes, a group, or "*".'))
    return frozenset(found)


def _names(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _known(item: Mapping[str, Any], keys: set[str], spot: str, faults: list[Fault]) -> None:
    for key in sorted(set(item) - keys):
        near = get_close_matches(key, sorted(keys), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(sorted(keys))}."
        faults.append(Fault(spot, f"key {key!r} is unknown", hint))


def _rate(value: Any, spot: str, faults: list[Fault]) -> int | None:
    ppm = ppm_of(value)
    if ppm is None:
        faults.append(
            Fault(spot, f"rate {value!r} is not a share", "Write 25 per cent as 0.25, to six decimals at most.")
        )
    elif not 0 <= ppm <= HIGHEST_RATE * PPM:
        faults.append(Fault(spot, f"rate {value} is out of range", "Rates are shares: 25 per cent is 0.25."))
    return ppm


def ppm_of(value: Any) -> int | None:
    """A share as integer parts per million, or None if it is no number or finer than a part per million."""
    if isinstance(value, bool):
        return None
    try:
        scaled = Decimal(str(value)) * PPM
    except InvalidOperation:
        return None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        return None
    return int(scaled)


def _day(item: Mapping[str, Any], key: str, spot: str, faults: list[Fault]) -> date | None:
    value = item.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        faults.append(Fault(spot, f"{key} {value!r} is not a date", "Write dates as 2027-04-01."))
        return None
