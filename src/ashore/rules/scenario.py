"""Scenarios as files spell them: changes that end rules, give them another rate, or add new ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import Any

from ashore.errors import Fault, raise_if
from ashore.rules.change import Change, of_makers, with_quota
from ashore.rules.documents import KINDS
from ashore.rules.model import END_OF_TIME, EVERYTHING, PPM, Item, Rule, RuleBook, Scope, matching
from ashore.tables import document_of

HIGHEST_RATE = 10  # a share of customs value; the highest ever charged on a rig line was 1.726

_TOP_KEYS = {"change", "name", "source", "note"}
_LIMIT_KEYS = {"quota_units_month", "ban", "makers"}
_OLD_KEYS = {"rule", "rate", "from", "until"} | _LIMIT_KEYS
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
} | _LIMIT_KEYS


def read_scenario(path: Path, book: RuleBook) -> list[Change]:
    """The changes of a scenario file, none if it has none. Raises FaultyInput with every fault."""
    document, where = document_of(path), str(path)
    faults: list[Fault] = []
    _known(document, _TOP_KEYS, where, faults)
    changes = read_changes(document.get("change", []), book, where, faults)
    raise_if(faults)
    return changes


def read_changes(items: Any, book: RuleBook, where: str, faults: list[Fault]) -> list[Change]:
    """Changes from the tables of a scenario or futures file; every fault is added to ``faults``."""
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        faults.append(Fault(where, "changes are not a list of tables", "Write each change under [[change]]."))
        return []
    changes: list[Change] = []
    for number, item in enumerate(items, start=1):
        spot = f"{where}, change {number}"
        before = len(faults)
        if "rule" in item:
            longer = any(change.until is not None for change in changes)  # rules may hold longer than in the book
            change = _read_old(item, book, spot, faults, longer)
        else:
            change = _read_new(item, book, spot, faults)
        quota = change.new.quota if change is not None and change.new is not None else ""
        if quota and any(other.new is not None and other.new.quota == quota for other in changes):
            faults.append(_twice(quota, spot))
        if len(faults) == before and change is not None:
            changes.append(change)
    return changes


def _twice(quota: str, spot: str) -> Fault:
    remedy = "Change it with rule = that heading, or give the new one another heading."
    return Fault(spot, f"a quota {quota!r} is in the book already", remedy)


def _read_old(item: Mapping[str, Any], book: RuleBook, spot: str, faults: list[Fault], longer: bool) -> Change | None:
    _known(item, _OLD_KEYS, spot, faults)
    name = str(item["rule"])
    known = matching(book.rules, name)
    if not known:
        names = sorted({n for r in book.rules for n in (r.provision, r.heading, r.authority, r.group) if n})
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        faults.append(Fault(spot, f"no rule goes by {name!r}", hint + "`ashore rules` lists every rule and heading."))
    if not {"rate", "until", "quota_units_month", "ban"} & set(item):
        faults.append(Fault(spot, "the change changes nothing", "Give a rate, an until date, a quota or a ban."))
    rate = _rate(item["rate"], spot, faults) if "rate" in item else None
    start, until = (_day(item, key, spot, faults) for key in ("from", "until"))
    if start is not None and known and not longer and (last := max(rule.until for rule in known)) <= start:
        what = f"what goes by {name!r} has ended by {last}; a change from {start} on changes nothing"
        faults.append(Fault(spot, what, f"Give a from before {last}, or add a rule with a heading of its own."))
    ban, quota, makers = _limits(item, spot, faults)
    if rate is not None and (ban or (ban is None and known and all(rule.ban for rule in known))):
        faults.append(Fault(spot, "a ban has no rate", "Leave the rate out, or lift the ban with ban = false."))
    if (ban or quota) and known and all(rule.kind == "free" for rule in known):
        what = f"{name!r} frees from duty; it can be no {'ban' if ban else 'quota'}"
        faults.append(Fault(spot, what, "End it with until, and add a rule of its own for the ban or quota."))
    return Change(name, rate, start, until, None, ban, quota, makers)


def _read_new(item: Mapping[str, Any], book: RuleBook, spot: str, faults: list[Fault]) -> Change | None:
    _known(item, _NEW_KEYS, spot, faults)
    kind = str(item.get("kind", "add"))
    if kind not in KINDS:
        faults.append(Fault(spot, f"kind {kind!r} is unknown", f"Use one of {', '.join(KINDS)}."))
    ban, quota, makers = _limits(item, spot, faults)
    missing = [key for key in ("heading", "origins", "products") if key not in item]
    if kind != "free" and not ban and "rate" not in item:
        missing.append("rate")
    if missing:
        faults.append(
            Fault(spot, f"a new rule lacks {', '.join(missing)}", "Give every one of them, or name a `rule`.")
        )
        return None
    if ban and "rate" in item:
        faults.append(Fault(spot, "a ban has no rate", "Leave out the rate, or the ban."))
    if (ban or quota) and kind == "free":
        faults.append(Fault(spot, "a rule that frees from duty is no ban or quota", "Leave out kind."))
    rate = None if kind == "free" else 0 if ban else _rate(item["rate"], spot, faults)
    start, until = (_day(item, key, spot, faults) for key in ("from", "until"))
    heading = str(item["heading"])
    if quota and any(rule.quota == heading for rule in book.rules):
        faults.append(_twice(heading, spot))
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
        ban=bool(ban),
    )
    limited, _ = of_makers(with_quota(rule, heading, quota or 0), makers)
    return Change(start=start, new=limited)


def _limits(
    item: Mapping[str, Any], spot: str, faults: list[Fault]
) -> tuple[bool | None, float | None, tuple[str, ...]]:
    """Ban, units a month of a quota, and makers of a change; None and () where they are not given."""
    ban, quota = item.get("ban"), item.get("quota_units_month")
    if ban is not None and not isinstance(ban, bool):
        faults.append(Fault(spot, f"ban = {ban!r} is neither true nor false", "Write ban = true."))
        ban = None
    if quota is not None and (isinstance(quota, bool) or not isinstance(quota, int | float) or not 0 <= quota < inf):
        what = f"quota_units_month = {quota!r} is no number of units"
        faults.append(Fault(spot, what, "Write the units a month that enter without the rule, as 5000."))
        quota = None
    makers = tuple(str(name) for name in _names(item.get("makers", [])))
    if "makers" in item and not makers:
        faults.append(Fault(spot, "makers names no one", "Name one or more makers, or leave it out."))
    return ban, None if quota is None else float(quota), makers


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
