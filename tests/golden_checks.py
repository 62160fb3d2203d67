"""What each row of tests/golden says, as a check on a rule book.

The tests run every check on the shipped book; tools/mutate_rules.py runs the same checks on books with one dated value
taken out. A check returns what is wrong, or nothing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from ashore import duties
from ashore.duties.entry import read_claims
from ashore.rules import Cover, RuleBook

GOLDEN = Path(__file__).parent / "golden"
HELD = date(2029, 1, 1)
DAY = timedelta(days=1)
NEAR = 1e-9
Row = dict[str, str]
Check = Callable[[RuleBook, Row], str]


def golden(name: str) -> list[Row]:
    return read(GOLDEN / f"{name}.csv")


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def named(row: Row) -> str:
    keys = ("hts", "origin", "on", "known", "claims", "case")
    return " ".join(row[key] for key in keys if row.get(key)).strip()


def day(text: str) -> date:
    return date.fromisoformat(text)


def claims(book: RuleBook, row: Row) -> dict[str, Any]:
    faults: list[Any] = []
    typed = read_claims(book, (row.get("claims") or "").split(), faults)
    assert faults == []
    return typed


def seen(book: RuleBook, row: Row) -> RuleBook:
    """The book a row is about: as known on a day, and held if its day lies after the coverage."""
    if row.get("on") and day(row["on"]) >= book.until:
        book = _kept(book, "held", lambda: book.hold(until=HELD))
    if row.get("known"):
        known = day(row["known"])
        book = _kept(book, known, lambda: book.as_known(known))
    return book


def _kept(book: RuleBook, key: Any, make: Callable[[], RuleBook]) -> RuleBook:
    """A book made from another, kept with it so that every row does not make it anew."""
    found = book._memo.get(("golden", key))
    if found is None:
        found = book._memo["golden", key] = make()
    return found


def verdict(book: RuleBook, row: Row, **given: Any) -> duties.Verdict:
    hts = row["hts"].replace(".", "")
    return duties.verdict(seen(book, row), hts, row["origin"], day(row["on"]), claims(book, row) | given)


def owed(found: duties.Verdict) -> list[tuple[str, str, float]]:
    if found.status == "unresolved":
        return []
    return [(share.heading, share.rule.authority, share.weight / 1e12) for share in found.shares]


def total(found: duties.Verdict) -> float:
    return sum(rate for _, _, rate in owed(found)) if found.status != "unresolved" else float("nan")


def near(one: float, other: float | str) -> bool:
    return abs(one - float(other)) < NEAR


# Rates


def rate(book: RuleBook, row: Row) -> str:
    found = verdict(book, row)
    if row["rate"] == "unresolved":
        unknown = found.status == "unresolved" and "not in the schedule" not in found.problem
        return "" if unknown else found.problem or "resolved"
    if not near(total(found), row["rate"]):
        return f"{total(found)}, not {row['rate']}"
    headings = [share.heading for share in found.shares]
    return "" if not row.get("heading") or row["heading"] in headings else f"{headings} without {row['heading']}"


def country_rate(book: RuleBook, row: Row) -> str:
    lines = owed(verdict(book, row))
    column = next((rate for heading, _, rate in lines if heading == row["hts"]), float("nan"))
    wanted = float(row["rate"]) - (column if row["kind"] == "total" else 0)
    family = re.findall(r"9903\.\d\d", row["heading"])[0]
    pair = set(re.findall(r"\d{4}\.\d\d\.\d\d", row["heading"])) | {
        f"{family}{end}" for end in re.findall(r"(?<!\d)\.\d\d\b", row["heading"])
    }
    hit = any(heading in pair and near(rate, wanted) for heading, _, rate in lines)
    return "" if hit else f"{row['heading']} at {wanted} is not among {lines}"


def membership(book: RuleBook, row: Row) -> str:
    """For lists that no rate shows: headings at zero, and lines whose duty is by the barrel."""
    on, hts = day(row["on"]), row["hts"].replace(".", "")
    covers = any(
        rule.covers(hts, on)[0] is Cover.YES
        for rule in seen(book, row).rules
        if rule.heading == row["heading"] and rule.in_force(on) and rule.bears_on(row["origin"])
    )
    return "" if covers == (row["covers"] == "yes") else f"{row['heading']} covers the line: {covers}"


def exclusion(book: RuleBook, row: Row) -> str:
    """An exclusion frees its article from its first day to its last, and is listed once an article."""
    heading, first, last = row["heading"], day(row["first"]), day(row["last"])
    for on, freed in ((first - DAY, False), (first, True), (last, True), (last + DAY, False)):
        found = verdict(book, row | {"origin": "CN", "on": on.isoformat()}, exclusion=heading)
        lines = {share.heading: share.rule.group for share in found.shares}
        if (heading in lines) != freed or (freed and {"s301-china", "s301-review"} & set(lines.values())):
            return f"{on}: {lines}"
    listed = Path(book.folder) / "s301-exclusions" / f"exclusion-{heading.replace('.', '-')}.csv"
    count = sum(item["hts"] == row["hts"] for item in read(listed))
    return "" if count == int(row["articles"]) else f"{count} articles, not {row['articles']}"


def published(book: RuleBook, row: Row) -> str:
    lines = owed(verdict(book, row))
    match row["counts"]:
        case "total":
            found = sum(line[2] for line in lines)
        case "added":
            found = sum(line[2] for line in lines if line[1] != "HTS")
        case counts:
            authority, _, heading = counts.partition(", ")
            found = sum(line[2] for line in lines if line[1] == authority and line[0].startswith(heading))
    return "" if near(found, row["rate"]) else f"{found}, not {row['rate']}"


def published_differs(book: RuleBook, row: Row) -> str:
    assert float(row["published_rate"]) != float(row["book_rate"])
    assert row["reason"]
    return rate(book, row | {"rate": row["book_rate"]})


# Fees


def fee(book: RuleBook, row: Row) -> str:
    for on in (day(row["first"]), min(day(row["last"]), book.until - DAY)):
        found = [fee for fee in duties.fees_on(book, on, claims(book, row)) if fee.fee == row["fee"]]
        amounts = [
            (fee.rate_ppm, fee.minimum_cents, fee.maximum_cents, fee.flat_cents, sorted(fee.modes or ()))
            for fee in found
        ]
        modes = ["ocean"] if row["fee"] == "HMF" else []
        wanted = (_scaled(row["rate"], 1e6) or 0, *(_scaled(row[f"{end}_usd"], 100) for end in _ENDS), modes)
        if amounts != [wanted]:
            return f"{on}: {amounts}, not {wanted}"
    return ""


_ENDS = ("minimum", "maximum", "flat")


def _scaled(text: str, scale: float) -> int | None:
    return round(float(text) * scale) if text else None


def waiver(book: RuleBook, row: Row) -> str:
    """Whether a claim frees an entry from the fee."""
    entry, faults = duties.read_entry(
        book, row["hts"], row["origin"], row["on"], row["value_usd"], "air", claims=row["claims"].split()
    )
    assert entry is not None, faults
    found = duties.assess(book, entry).fees_cents
    return "" if found == _scaled(row["fees_usd"], 100) else f"{found / 100}, not {row['fees_usd']}"


# Open points


def doubt(book: RuleBook, row: Row) -> str:
    """The open point is shown with the answer, and no longer on the day it is gone."""
    notes = verdict(book, row).notes
    if not any(row["words"] in note for note in notes):
        return f"{row['words']!r} is not in {notes}"
    later = verdict(book, row | {"on": row["gone"]}).notes if row["gone"] else ()
    return f"still shown on {row['gone']}" if any(row["words"] in note for note in later) else ""


# The book as a whole


def rates_follow_each_other(book: RuleBook) -> str:
    for line in book.lines.values():
        if not line.rates or line.rates[0].start > book.start or line.rates[-1].until != date.max:
            return f"{line.hts} has no rates for a time"
        for before, after in pairwise(line.rates):
            if before.until != after.start:
                return f"{line.hts} has a gap at {before.until}"
    return ""


def fees_follow_each_other(book: RuleBook) -> str:
    for name in ("MPF", "MPF informal", "HMF"):
        fees = sorted((fee for fee in book.fees if fee.fee == name), key=lambda fee: fee.start)
        if not fees or fees[0].start > book.start or fees[-1].until != date.max:
            return f"{name} is not there for a time"
        for before, after in pairwise(fees):
            if before.until != after.start:
                return f"{name} has a gap at {before.until}"
    return ""


def families_stay_apart(book: RuleBook) -> str:
    """No origin bears two rates of one family at once, as known on any day."""
    days = sorted({d for rule in (*book.rules, *book.withdrawn) for d in _published(rule)})
    for known in (None, *days):
        view = book if known is None else _kept(book, known, lambda known=known: book.as_known(known))
        for on in (*_TRIED, *((known,) if known and book.start <= known < book.until else ())):
            for origin in ("CN", "HK", "MY", "JP", "KR", "CH", "DE", "CA", "MX", "BR", "IN"):
                shares = duties.verdict(view, "85437098", origin, on).shares
                names = [share.rule.group.partition("-")[0] or share.rule.provision for share in shares]
                if len(names) != len(set(names)):
                    return f"{origin} on {on}, known {known}: {names}"
    return ""


_TRIED = tuple(map(date.fromisoformat, ("2025-03-05", "2025-05-20", "2025-08-20", "2025-12-01", "2026-08-01")))


def _published(rule: Any) -> Iterator[date]:
    yield from (d for d in (rule.known, rule.until_known, rule.withdrawn) if d is not None)


CHECKS: dict[str, Check] = {
    "rig_rates": rate,
    "part_rates": rate,
    "claims": rate,
    "known": rate,
    "line_rates": rate,
    "country_rates": country_rate,
    "memberships": membership,
    "exclusions": exclusion,
    "published": published,
    "published_differs": published_differs,
    "fees": fee,
    "waivers": waiver,
    "doubts": doubt,
}
WHOLE: tuple[Callable[[RuleBook], str], ...] = (
    rates_follow_each_other,
    fees_follow_each_other,
    families_stay_apart,
)
