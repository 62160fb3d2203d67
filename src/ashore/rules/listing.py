"""Lists and compares the rules of a book, as plain documents."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from ashore.rules.model import END_OF_TIME, PPM, Cover, Rule, RuleBook


def listed(book: RuleBook, on: date | None, hts: str | None, origin: str | None) -> dict[str, Any]:
    """The rules that pass the filters, in filing order."""
    rules = [rule for rule in book.rules if (on is None or rule.in_force(on)) and _bears(rule, on, hts, origin)]
    rules.sort(key=lambda rule: (rule.order, rule.heading, rule.start))
    return {
        "on": on.isoformat() if on else None,
        "hts": hts,
        "origin": origin,
        "rules": [document_of(book, rule) for rule in rules],
        "notes": list(book.caveats(on)) if on else [],
    }


def difference(book: RuleBook, before: date, after: date, hts: str | None, origin: str | None) -> dict[str, Any]:
    """What started, ended or changed its rate, ban or quota between two days."""
    then = {_identity(r): r for r in book.rules if r.in_force(before) and _bears(r, before, hts, origin)}
    now = {_identity(r): r for r in book.rules if r.in_force(after) and _bears(r, after, hts, origin)}
    changed = [key for key in then.keys() & now.keys() if _terms(then[key]) != _terms(now[key])]
    return {
        "before": before.isoformat(),
        "after": after.isoformat(),
        "hts": hts,
        "origin": origin,
        "started": [document_of(book, now[key]) for key in sorted(now.keys() - then.keys())],
        "ended": [document_of(book, then[key]) for key in sorted(then.keys() - now.keys())],
        "changed": [
            document_of(book, now[key]) | {"rate_before": (then[key].rate_ppm or 0) / PPM} for key in sorted(changed)
        ],
    }


def document_of(book: RuleBook, rule: Rule) -> dict[str, Any]:
    """One rule as plain values; ``origins`` is "*" for every country but the tariff's own."""
    return {
        "heading": rule.heading,
        "rule": rule.provision,
        "authority": rule.authority,
        "title": rule.title,
        "kind": rule.kind,
        "rate": None if rule.rate_ppm is None else rule.rate_ppm / PPM,
        "from": rule.start.isoformat(),
        "until": None if rule.until == END_OF_TIME else rule.until.isoformat(),
        "origins": "*" if rule.origins is None else sorted(rule.origins),
        "origins_except": sorted(rule.origins_except),
        "products": "*" if rule.products.everything else len(rule.products.items),
        "needs": sorted({need.claim for need in rule.requires} | ({rule.portion} if rule.portion else set())),
        "yields_to": list(rule.yields_to),
        "ban": rule.ban,
        "quota_units_month": rule.quota_units_month,
        "source": rule.source,
        "basis": rule.basis,
        "confidence": rule.confidence,
        "note": rule.note,
    }


def census(book: RuleBook) -> dict[str, Any]:
    """What a book holds, counted, and how far it is verified."""
    return {
        "book": book.folder,
        "country": book.country,
        "from": book.start.isoformat(),
        "until": book.until.isoformat(),
        "observed_until": book.observed_until.isoformat(),
        "provisions": len({rule.provision for rule in book.rules}),
        "rules": len(book.rules),
        "headings": len({rule.heading for rule in book.rules}),
        "lines": len(book.lines),
        "boundaries": len(book.boundaries),
        "basis": dict(sorted(Counter(rule.basis for rule in book.rules).items())),
        "doubts": [doubt.what for doubt in book.doubts],
        "note": book.note,
        "faults": [],
    }


def _bears(rule: Rule, on: date | None, hts: str | None, origin: str | None) -> bool:
    if origin is not None and not rule.bears_on(origin):
        return False
    if hts is None:
        return True
    if on is not None:
        return rule.covers(hts, on)[0] is not Cover.NO
    scope = rule.products
    return scope.everything or any(hts.startswith(i.prefix) or i.prefix.startswith(hts) for i in scope.items)


def _identity(rule: Rule) -> tuple[str, str, tuple[str, ...]]:
    return rule.heading, rule.provision, tuple(sorted(rule.origins or ()))


def _terms(rule: Rule) -> tuple[int | None, bool, float | None]:
    return rule.rate_ppm, rule.ban, rule.quota_units_month
