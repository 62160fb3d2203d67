"""Money: what an entry owes, heading by heading, in integer cents, and why (contract of ``ashore duty``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ashore.duties.entry import Entry
from ashore.duties.verdict import SPI, SUFFIX, Defeat, Share, Verdict, dotted, verdict
from ashore.rules.model import PPM, Fee, RuleBook


@dataclass(frozen=True, slots=True)
class DutyLine:
    """One heading owed: base and duty in cents, rate in ppm."""

    share: Share
    base_cents: int
    duty_cents: int

    def as_dict(self) -> dict[str, Any]:
        rule = self.share.rule
        return {
            "heading": self.share.heading,
            "rule": rule.provision,
            "authority": rule.authority,
            "title": rule.title,
            "kind": rule.kind,
            "rate": self.share.rate_ppm / PPM,
            "base_usd": self.base_cents / 100,
            "duty_usd": self.duty_cents / 100,
            "source": rule.source,
            "basis": rule.basis,
            "confidence": rule.confidence,
            "note": rule.note,
        }


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One user fee on the entry, in cents."""

    fee: Fee
    fee_cents: int
    why: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "fee": self.fee.fee,
            "title": self.fee.title,
            "rate": self.fee.rate_ppm / PPM,
            "usd": self.fee_cents / 100,
            "why": self.why,
            "source": self.fee.source,
            "basis": self.fee.basis,
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer for one entry line: owed, owed between low and high, or unresolved."""

    entry: Entry
    verdict: Verdict
    lines: tuple[DutyLine, ...]
    fees: tuple[FeeLine, ...]
    duty_cents: int
    low_cents: int
    high_cents: int
    notes: tuple[str, ...]
    questions: tuple[dict[str, Any], ...]

    @property
    def status(self) -> str:
        return self.verdict.status

    @property
    def fees_cents(self) -> int:
        return sum(line.fee_cents for line in self.fees)

    @property
    def rate(self) -> float:
        """Duty over value; of a value of zero, the statutory rate."""
        value = self.entry.value_cents
        return round(self.duty_cents / value, 9) if value else self.verdict.rate

    def as_dict(self) -> dict[str, Any]:
        """The JSON document of ``ashore duty``; amounts in USD, rates as shares of customs value."""
        known = self.status != "unresolved"
        return {
            "hts": dotted(self.entry.hts),
            "origin": self.entry.origin,
            "on": self.entry.on.isoformat(),
            "value_usd": self.entry.value_cents / 100,
            "duty_usd": self.duty_cents / 100 if known else None,
            "rate": self.rate if known else None,
            "fees_usd": self.fees_cents / 100,
            "total_usd": (self.entry.value_cents + self.duty_cents + self.fees_cents) / 100 if known else None,
            "status": self.status,
            "low_usd": self.low_cents / 100 if known else None,
            "high_usd": self.high_cents / 100 if known else None,
            "lines": [line.as_dict() for line in self.lines],
            "defeated": [_defeat(defeat) for defeat in self.verdict.defeats],
            "needs": list(self.verdict.needs),
            "questions": list(self.questions),
            "fees": [line.as_dict() for line in self.fees],
            "notes": list(self.notes),
            "problem": self.verdict.problem or None,
        }


def assess(book: RuleBook, entry: Entry) -> Assessment:
    """What an entry line owes under a book. Raises OutsideCoverage; an unresolved line is an answer, not an error."""
    found = verdict(book, entry.hts, entry.origin, entry.on, entry.claims)
    lines = tuple(
        DutyLine(share, base, half_up(base * share.rate_ppm, PPM))
        for share in found.shares
        for base in [half_up(entry.value_cents * share.portion_ppm, PPM)]
    )
    fees, fee_notes = _fees(book, entry)
    return Assessment(
        entry=entry,
        verdict=found,
        lines=lines,
        fees=fees,
        duty_cents=sum(line.duty_cents for line in lines),
        low_cents=duty_cents(found.low, entry.value_cents),
        high_cents=duty_cents(found.high, entry.value_cents),
        notes=(*found.notes, *fee_notes),
        questions=tuple(_question(book, key, found) for key in found.needs),
    )


@dataclass(frozen=True, slots=True)
class Dispute:
    """An entry whose origin is in doubt: the answer under each origin, the first being the one claimed."""

    answers: tuple[tuple[int, Assessment], ...]  # (chance in ppm, answer)

    @property
    def expected_cents(self) -> int:
        """Duty over the chances, to the cent."""
        return half_up(sum(chance * answer.duty_cents for chance, answer in self.answers), PPM)

    @property
    def exposure_cents(self) -> int:
        """The most that could be owed beyond the duty as claimed."""
        claimed = self.answers[0][1].duty_cents
        return max([answer.duty_cents - claimed for chance, answer in self.answers if chance] + [0])

    def as_dict(self) -> dict[str, Any]:
        """The claimed origin's document with ``origins``, ``expected_usd`` and ``exposure_usd`` added."""
        claimed = self.answers[0][1]
        if any(answer.status == "unresolved" for _, answer in self.answers):
            return claimed.as_dict()
        return claimed.as_dict() | {
            "origins": [
                {
                    "origin": answer.entry.origin,
                    "chance": chance / PPM,
                    "rate": answer.rate,
                    "duty_usd": answer.duty_cents / 100,
                    "low_usd": answer.low_cents / 100,
                    "high_usd": answer.high_cents / 100,
                    "more_usd": (answer.duty_cents - claimed.duty_cents) / 100,
                    "status": answer.status,
                    "headings": [line.share.heading for line in answer.lines],
                }
                for chance, answer in self.answers
            ],
            "expected_usd": self.expected_cents / 100,
            "exposure_usd": self.exposure_cents / 100,
        }


def dispute(book: RuleBook, entry: Entry, origins: Sequence[tuple[str, int]]) -> Dispute:
    """What an entry owes under each origin in doubt, with its chance in ppm; the first origin is the claimed one.

    A claim of a special programme holds only for the origin it is open to.
    """
    return Dispute(tuple((chance, assess(book, replace(entry, origin=code))) for code, chance in origins))


def duty_cents(shares: Sequence[Share], value_cents: int) -> int:
    """Duty of all headings on a value: each heading rounds half up to the cent."""
    return sum(half_up(half_up(value_cents * s.portion_ppm, PPM) * s.rate_ppm, PPM) for s in shares)


def half_up(numerator: int, denominator: int) -> int:
    """Integer division rounding halves up; both arguments non-negative."""
    return (2 * numerator + denominator) // (2 * denominator)


def fees_on(book: RuleBook, on: date, claims: Mapping[str, Any] | None = None) -> tuple[Fee, ...]:
    """The user fees in force on a day whose conditions the claims meet; those not given are as the book assumes."""
    claimed = {key: claim.assumed for key, claim in book.claims.items()} | dict(claims or {})
    return tuple(
        fee
        for fee in book.fees
        if fee.start <= on < fee.until and all(need.met(claimed.get(need.claim)) for need in fee.requires)
    )


def fee_cents(fee: Fee, value_cents: int) -> int:
    """A fee on one entry of this value: flat, or a share between its minimum and maximum."""
    if fee.flat_cents is not None:
        return fee.flat_cents
    amount = half_up(value_cents * fee.rate_ppm, PPM)
    if fee.minimum_cents is not None:
        amount = max(amount, fee.minimum_cents)
    if fee.maximum_cents is not None:
        amount = min(amount, fee.maximum_cents)
    return amount


def _fees(book: RuleBook, entry: Entry) -> tuple[tuple[FeeLine, ...], list[str]]:
    lines = []
    notes = []
    rates = book.lines[entry.hts[:8]].on(entry.on) if entry.hts[:8] in book.lines else None
    codes = book.programmes_open_to(entry.origin, entry.on) if rates is not None else frozenset()
    claims = {key: value for key, value in entry.claims.items() if key != SPI or value in codes}
    for fee in fees_on(book, entry.on, claims):
        if fee.modes is not None:
            if entry.mode is None:
                notes.append(
                    f"{fee.fee} is left out: it is due on {' or '.join(sorted(fee.modes))} cargo, and no mode is given"
                )
                continue
            if entry.mode not in fee.modes:
                continue
        waiver = next((need.claim for need in fee.waived_by if need.met(claims.get(need.claim))), None)
        if waiver is not None:
            lines.append(FeeLine(fee, 0, f"waived by the claim {waiver}={_shown(claims[waiver])}"))
            continue
        amount = fee_cents(fee, entry.value_cents)
        why = "share of customs value" if fee.flat_cents is None else "flat amount an entry"
        if amount == fee.minimum_cents:
            why = "the entry's minimum"
        elif amount == fee.maximum_cents:
            why = "the entry's maximum"
        lines.append(FeeLine(fee, amount, why))
    return tuple(lines), notes


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _defeat(defeat: Defeat) -> dict[str, str]:
    return {"heading": defeat.rule.heading, "rule": defeat.rule.provision, "by": defeat.by, "why": defeat.why}


def _question(book: RuleBook, key: str, found: Verdict) -> dict[str, Any]:
    if key == SUFFIX:
        return {
            "claim": key,
            "kind": "fact",
            "question": "Which 10-digit number is the article entered under?",
            "assumed": None,
        }
    claim = book.claims[key]
    assumed = claim.assumed
    if claim.type == "share" and assumed is not None:
        assumed = assumed / PPM
    return {"claim": key, "kind": claim.kind, "question": claim.question, "assumed": assumed}
