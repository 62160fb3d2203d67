"""What must hold of any answer under the shipped book, whatever the line: one property a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from benchmarks.make_lines import lines as random_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from ashore import duties, rules
from ashore.duties import bulk
from ashore.duties.verdict import Verdict, verdict
from ashore.rules.scenario import read_changes

BOOK = rules.load()
DAY = timedelta(days=1)
QUICK, MANY = 2_000, 100_000
LINES = ("8543.70.98", "8543.90.68", "8542.31.00", "8504.40.95", "8544.42.90", "7616.99.51", "8414.59.65", "8517.62.00")
PLACES = ("CN", "HK", "MY", "KR", "JP", "DE", "CA", "MX", "BR", "IN", "RU", "US")
CURRENT = sorted(hts for hts, line in BOOK.lines.items() if line.valid_until == date.max)


def fresh() -> rules.RuleBook:
    """The book without what it remembers, so that one day cannot answer for another."""
    return replace(BOOK, _memo={})


def span(found: Verdict) -> tuple[int, int, int]:
    """Low, assumed and high rate in ppm squared."""
    low, assumed, high = (sum(share.weight for share in case) for case in (found.low, found.shares, found.high))
    return low, assumed, high


def told(found: Verdict) -> tuple[Any, ...]:
    """Everything an answer says, rule by rule."""
    cases = [[(s.rule.provision, s.heading, s.rate_ppm, s.portion_ppm) for s in c] for c in (found.shares, found.high)]
    return found.status, cases, span(found), found.needs, found.problem, found.notes, len(found.defeats)


# Boundaries


def test_nothing_changes_but_at_a_boundary() -> None:
    first, last = fresh(), fresh()
    ends = [*BOOK.boundaries[1:], BOOK.until]
    for start, end in zip(BOOK.boundaries, ends, strict=True):
        if end - start == DAY:
            continue
        assert first.fees == last.fees
        for hts in LINES:
            for origin in PLACES[:: 1 if start.year > 2024 else 3]:
                number = hts.replace(".", "")
                one, other = verdict(first, number, origin, start), verdict(last, number, origin, end - DAY)
                assert told(one) == told(other), (hts, origin, start, end)


def test_every_date_of_the_law_is_a_boundary() -> None:
    days = {day for rule in BOOK.rules for day in rule.dates()}
    assert {day for day in days if BOOK.start <= day < BOOK.until} <= set(BOOK.boundaries)
    for day in BOOK.boundaries:
        assert BOOK.interval(day) == BOOK.interval(day - DAY) + 1 or day == BOOK.start


# Bulk


def frame(count: int, seed: int, *, claims: bool = True) -> pl.DataFrame:
    return random_lines(count, seed, claims=claims, wide=True)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_lines_does_not_matter(seed: int) -> None:
    lines = frame(400, seed)
    rated = bulk.rate_lines(BOOK, lines)
    shuffled = bulk.rate_lines(BOOK, lines.sample(fraction=1, shuffle=True, seed=seed))
    assert shuffled.sort("line_id").equals(rated)


@pytest.mark.parametrize("size", [1, 7, 64, 1_000_000])
def test_the_size_of_a_batch_does_not_matter(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = frame(150, 5)
    rated = bulk.rate_lines(BOOK, lines)
    monkeypatch.setattr(bulk, "BATCH", size)
    assert bulk.rate_lines(BOOK, lines).equals(rated)


@pytest.mark.parametrize("claims", [False, True])
def test_single_and_bulk_agree(claims: bool) -> None:
    agree(frame(QUICK, 11, claims=claims))


@pytest.mark.slow
@pytest.mark.parametrize("claims", [False, True])
def test_single_and_bulk_agree_on_many_lines(claims: bool) -> None:
    agree(frame(MANY, 7, claims=claims))


def agree(lines: pl.DataFrame) -> None:
    wrong = []
    for row in bulk.rate_lines(BOOK, lines).iter_rows(named=True):
        claims = [text.strip() for text in (row.get("claims") or "").split(";") if text.strip()]
        if row.get("us_content_share"):
            claims.append(f"us_content_share={row['us_content_share']}")
        entry, faults = duties.read_entry(
            BOOK,
            row["hts"],
            row["origin"],
            row["entry_date"],
            row["value_usd"],
            row.get("mode") or None,
            row.get("loaded_date"),
            claims,
        )
        assert entry is not None, faults
        answer = duties.assess(BOOK, entry)
        if answer.status == "unresolved":
            single: tuple[Any, ...] = (answer.status, None, None, None)
        else:
            single = (answer.status, answer.duty_cents, answer.low_cents, answer.high_cents)
        amounts = (row[name] for name in ("duty_usd", "low_usd", "high_usd"))
        both = (row["status"], *(None if amount is None else round(amount * 100) for amount in amounts))
        if single != both:
            wrong.append((row, single, both))
    assert wrong == []


# Floors


def test_a_floor_is_never_below_column_1() -> None:
    floors = [rule for rule in BOOK.rules if rule.kind == "floor"]
    assert floors
    for rule in floors:
        origins = sorted(code for code in BOOK.countries if rule.bears_on(code))
        origins = origins[:: max(1, len(origins) // 5)]
        for on in {rule.start, min(rule.until, BOOK.until) - DAY}:
            for hts in CURRENT:
                rates = BOOK.lines[hts].on(on)
                if rates is None or isinstance(rates.column1, str):
                    continue
                for origin in origins:
                    found = verdict(BOOK, hts, origin, on)
                    shares = [share for share in found.shares if share.rule is rule]
                    assert all(share.rate_ppm >= 0 for share in shares)
                    if shares:
                        assert span(found)[1] >= rates.column1 * 10**6, (rule.provision, hts, origin, on)
                        column = [share.rate_ppm for share in found.shares if share.rule.column]
                        assert sum(column) + shares[0].rate_ppm == max(sum(column), rule.rate_ppm or 0)


# What was struck down


def test_an_authority_struck_down_takes_nothing_after_its_end() -> None:
    struck = [rule for rule in BOOK.rules if rule.authority == "IEEPA"]
    end = max(rule.until for rule in struck)
    assert end == date(2026, 2, 24)
    days = [day for day in BOOK.boundaries if day >= end] + [BOOK.until - DAY]
    for book in (BOOK, BOOK.as_known(date(2026, 2, 20)), BOOK.as_known(BOOK.until)):
        assert not [rule for rule in book.rules if rule.authority == "IEEPA" and rule.until > end]
        for on in days:
            for hts in LINES:
                for origin in PLACES:
                    found = verdict(book, hts.replace(".", ""), origin, on)
                    assert all(s.rule.authority != "IEEPA" for s in (*found.shares, *found.low, *found.high))
    before = verdict(BOOK, "85437098", "MY", end - DAY)
    assert any(share.rule.authority == "IEEPA" and share.rate_ppm for share in before.shares)


# Claims and exemptions

DAYS = st.dates(BOOK.start, BOOK.until - DAY)


def claim_value(key: str) -> st.SearchStrategy[Any]:
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "yes_no": st.booleans(),
        "share": st.sampled_from([0, 1, 149_999, 150_000, 200_000, 333_333, 999_999, 1_000_000]),
        "date": st.dates(date(2017, 6, 1), BOOK.until),
    }
    words = {
        "spi": ["S", "S+", "KR", "SG", "AU", "IL", "A*", "JP", "P", "none"],
        "exclusion": sorted({rule.heading for rule in BOOK.rules if rule.group == "s301-exclusions"}),
        "mode": ["air", "ocean", "truck"],
        "chapter98": ["9801.00.10", "9802.00.40", "9802.00.60", "9802.00.80", "9813", "none"],
    }
    return st.sampled_from(words[key]) if key in words else kinds[BOOK.claims[key].type]


CLAIMS = st.fixed_dictionaries({}, optional={key: claim_value(key) for key in BOOK.claims})
ASKED = {"hts": st.sampled_from(CURRENT), "origin": st.sampled_from(PLACES), "on": DAYS, "claims": CLAIMS}


@settings(max_examples=400, deadline=None)
@given(**ASKED)
def test_no_claim_makes_low_exceed_high(hts: str, origin: str, on: date, claims: dict[str, Any]) -> None:
    found = verdict(BOOK, hts, origin, on, claims)
    low, assumed, high = span(found)
    assert 0 <= low <= assumed <= high
    assert (low < high) == (found.status == "conditional")
    assert bool(found.needs) == (found.status == "conditional")
    assert not set(found.needs) & set(claims)


@settings(max_examples=400, deadline=None)
@given(**ASKED)
def test_no_line_takes_more_than_its_value_or_less_than_none(
    hts: str, origin: str, on: date, claims: dict[str, Any]
) -> None:
    for share in verdict(BOOK, hts, origin, on, claims).shares:
        assert 0 <= share.portion_ppm <= 10**6
        assert share.rate_ppm >= 0


def exemptions() -> Iterator[Any]:
    """Books with one more exemption: of everything, of one authority, for some articles and origins."""
    for number, exempts in enumerate(("*", "IEEPA", "Section 301*", "Section 122")):
        item = {
            "heading": f"9999.00.0{number}",
            "kind": "free",
            "origins": ["CN", "MY", "EU", "CA"],
            "products": ["8543", "8544", "7616", "8504.40"],
            "from": "2018-07-01",
            "exempts": exempts,
        }
        faults: list[Any] = []
        changes = read_changes([item], BOOK, "test", faults)
        assert faults == []
        yield BOOK.under(changes)


EXEMPTED = list(exemptions())


@settings(max_examples=150, deadline=None)
@given(book=st.sampled_from(EXEMPTED), **ASKED)
def test_an_exemption_more_never_raises_a_duty(
    book: rules.RuleBook, hts: str, origin: str, on: date, claims: dict[str, Any]
) -> None:
    before, after = verdict(BOOK, hts, origin, on, claims), verdict(book, hts, origin, on, claims)
    if before.status != "unresolved":
        assert all(less <= more for less, more in zip(span(after), span(before), strict=True))
