"""Duties: an entry line under a rule book, what is owed, under which heading, and why.

For those who only need numbers: :func:`total_rate`, :func:`lines`, :func:`needs` and :func:`fees_usd` give shares
of customs value and USD per unit without money rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ashore.duties import entry
from ashore.duties.assess import Assessment, Dispute, DutyLine, FeeLine, assess, dispute, fees_on
from ashore.duties.entry import MODES, Entry, read_entry
from ashore.duties.verdict import Share, Verdict, dotted, verdict
from ashore.errors import Barred, Fault, Unresolved
from ashore.rules.model import MAKER, PPM, RuleBook

__all__ = [
    "MODES",
    "Assessment",
    "Dispute",
    "DutyLine",
    "Entry",
    "FeeLine",
    "Share",
    "Verdict",
    "assess",
    "changed_totals",
    "dispute",
    "dotted",
    "entry",
    "fees_on",
    "fees_usd",
    "lines",
    "maker_claim",
    "needs",
    "read_entry",
    "total_rate",
    "verdict",
]


def total_rate(book: RuleBook, hts: str, origin: str, on: date, claims: Mapping[str, Any] | None = None) -> float:
    """All duties together as a share of customs value (the assumed case of a conditional answer).

    Raises Unresolved where the book cannot tell (Barred: the goods are banned), OutsideCoverage for a day out of reach.
    """
    return _resolved(book, hts, origin, on, claims).rate


def lines(
    book: RuleBook, hts: str, origin: str, on: date, claims: Mapping[str, Any] | None = None
) -> list[tuple[str, str, float]]:
    """(heading, authority, share of customs value) of every duty that bears on the article."""
    shares = _resolved(book, hts, origin, on, claims).shares
    return [(share.heading, share.rule.authority, share.weight / (PPM * PPM)) for share in shares]


def needs(book: RuleBook, hts: str, origin: str, on: date, claims: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Claims that would change the answer."""
    return _resolved(book, hts, origin, on, claims).needs


def maker_claim(book: RuleBook, maker: str) -> dict[str, str]:
    """The claim of who made the goods; none under a book that does not ask."""
    return {MAKER: maker} if MAKER in book.claims else {}


def fees_usd(book: RuleBook, value_usd: float, on: date, mode: str, units_per_entry: float | None = None) -> float:
    """User fees in USD per unit of a customs value of ``value_usd``, in a mode of transport.

    ``units_per_entry`` units share the minimum and maximum of an entry; without it fees are ad valorem.
    """
    book.require(on)
    total = 0.0
    for fee in fees_on(book, on):
        if fee.modes is not None and mode not in fee.modes:
            continue
        amount = value_usd * fee.rate_ppm / PPM
        if units_per_entry is not None:
            if fee.minimum_cents is not None:
                amount = max(amount, fee.minimum_cents / 100 / units_per_entry)
            if fee.maximum_cents is not None:
                amount = min(amount, fee.maximum_cents / 100 / units_per_entry)
        total += amount
    return total


def _resolved(book: RuleBook, hts: str, origin: str, on: date, claims: Mapping[str, Any] | None) -> Verdict:
    found = verdict(book, hts, origin, on, claims)
    if found.status == "unresolved":
        if found.ban is not None:
            remedy = "Bring it from elsewhere, or lift the ban in a scenario (ban = false)."
            raise Barred(Fault(dotted(hts), found.problem + ".", remedy))
        remedy = "Add the line to the rule book's schedule, or use another tariff number."
        raise Unresolved(Fault(dotted(hts), found.problem + ".", remedy))
    return found


def changed_totals(
    book: RuleBook, hts: str, before: date, after: date, origin: str | None = None
) -> list[dict[str, Any]]:
    """Origins whose total rate on an article differs between two days, grouped by the two totals."""
    groups: dict[tuple[float | None, float | None], list[str]] = {}
    for code in [origin] if origin is not None else sorted(book.countries):
        if code == book.country:
            continue
        then, now = (verdict(book, hts, code, day) for day in (before, after))
        pair = tuple(None if v.status == "unresolved" else v.rate for v in (then, now))
        if pair[0] != pair[1]:
            groups.setdefault((pair[0], pair[1]), []).append(code)
    return [
        {"origins": codes, "rate_before": pair[0], "rate_after": pair[1]}
        for pair, codes in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]
