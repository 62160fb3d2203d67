"""The shipped rule book against figures kept apart from it, and its files against their own format.

The golden rows in tests/golden come from the official texts and from what others published, not from the book.
"""

from __future__ import annotations

import csv
import os
import re
import tomllib
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ashore import duties, rules
from ashore.duties.entry import read_claims
from ashore.errors import Unresolved
from ashore.rules import Cover, RuleBook

GOLDEN = Path(__file__).parent / "golden"
FOLDER = Path(rules.__file__).parents[1] / "data" / "rules"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "rule-book.md"
PROVISIONS = sorted(path for path in FOLDER.glob("*/*.toml") if path.parent.name != "fees")
LISTS = sorted(path for path in FOLDER.glob("*/*.csv") if path.parent.name != "schedule")
MARKS = ("READ", "DERIVED", "INFERENCE", "MEMORY", "ESTIMATE", "GAP")
DAY = timedelta(days=1)
Row = dict[str, str]


def golden(name: str) -> list[Row]:
    return read(GOLDEN / f"{name}.csv")


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def named(row: Row) -> str:
    return " ".join(row.get(key, "") for key in ("hts", "origin", "on", "claims", "case")).strip()


def each(*names: str) -> pytest.MarkDecorator:
    rows = [row for name in names for row in golden(name)]
    return pytest.mark.parametrize("row", rows, ids=[f"{number} {named(row)}" for number, row in enumerate(rows)])


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return rules.load()


def claims(book: RuleBook, row: Row) -> dict[str, Any]:
    faults: list[Any] = []
    typed = read_claims(book, (row.get("claims") or "").split(), faults)
    assert faults == []
    return typed


def verdict(book: RuleBook, row: Row, **given: Any) -> duties.Verdict:
    hts = row["hts"].replace(".", "")
    return duties.verdict(book, hts, row["origin"], date.fromisoformat(row["on"]), claims(book, row) | given)


def owed(found: duties.Verdict) -> list[tuple[str, str, float]]:
    assert found.status != "unresolved", found.problem
    return [(share.heading, share.rule.authority, share.weight / 1e12) for share in found.shares]


def total(found: duties.Verdict) -> float:
    return sum(rate for _, _, rate in owed(found))


# Rates: the rig, its parts, claims, every line, every country


@each("rig_rates", "part_rates", "claims")
def test_rate_holds(book: RuleBook, row: Row) -> None:
    assert total(verdict(book, row)) == pytest.approx(float(row["rate"]), abs=1e-9)


@pytest.mark.parametrize("hts", sorted({row["hts"] for row in golden("line_rates")}))
def test_line_rates_hold(book: RuleBook, hts: str) -> None:
    wrong: list[Any] = []
    for row in golden("line_rates"):
        if row["hts"] != hts:
            continue
        found = verdict(book, row)
        if row["rate"] == "unresolved":
            if found.status != "unresolved":
                wrong.append((named(row), row["what"], "resolved"))
        elif total(found) != pytest.approx(float(row["rate"]), abs=1e-9):
            wrong.append((named(row), row["what"], total(found)))
    assert wrong == []


@pytest.mark.parametrize("origin", sorted({row["origin"] for row in golden("country_rates")}))
def test_country_rates_hold(book: RuleBook, origin: str) -> None:
    wrong: list[Any] = []
    for row in golden("country_rates"):
        if row["origin"] != origin:
            continue
        lines = owed(verdict(book, row))
        column = next(rate for heading, _, rate in lines if heading == row["hts"])
        wanted = float(row["rate"]) - (column if row["kind"] == "total" else 0)
        family = re.findall(r"9903\.\d\d", row["heading"])[0]
        pair = set(re.findall(r"\d{4}\.\d\d\.\d\d", row["heading"])) | {
            f"{family}{end}" for end in re.findall(r"(?<!\d)\.\d\d\b", row["heading"])
        }
        if not any(heading in pair and rate == pytest.approx(wanted, abs=1e-9) for heading, _, rate in lines):
            wrong.append((named(row), row["heading"], lines))
    assert wrong == []


@each("memberships")
def test_heading_covers_the_line(book: RuleBook, row: Row) -> None:
    """For lists that no rate shows: headings at zero, and lines whose duty is by the barrel."""
    on = date.fromisoformat(row["on"])
    rules_of_heading = [rule for rule in book.rules if rule.heading == row["heading"] and rule.in_force(on)]
    covering = [r for r in rules_of_heading if r.covers(row["hts"].replace(".", ""), on)[0] is Cover.YES]
    assert [rule for rule in covering if rule.bears_on(row["origin"])]


@pytest.mark.parametrize(("hts", "printed"), [("27101930", "84 cents/bbl"), ("27101945", "10.5 cents/bbl")])
def test_specific_rates_are_refused(book: RuleBook, hts: str, printed: str) -> None:
    with pytest.raises(Unresolved, match=printed):
        duties.total_rate(book, hts, "MY", date(2024, 6, 1))


def test_line_outside_the_schedule_is_refused(book: RuleBook) -> None:
    with pytest.raises(Unresolved, match="not in the schedule"):
        duties.total_rate(book, "87032301", "MY", date(2024, 6, 1))


def test_nicaragua_from_2027(book: RuleBook) -> None:
    held = book.hold(until=date(2029, 1, 1))
    forced_labour = 0.125
    for on, rate in (
        (date(2026, 12, 31), 0),
        (date(2027, 1, 1), 0.1),
        (date(2027, 12, 31), 0.1),
        (date(2028, 1, 1), 0.15),
    ):
        assert duties.total_rate(held, "85437098", "NI", on) == pytest.approx(0.026 + forced_labour + rate)
        assert duties.total_rate(held, "85437098", "NI", on, {"spi": "P"}) == pytest.approx(forced_labour)
        assert duties.total_rate(held, "85437098", "NI", on, {"spi": "P+"}) == pytest.approx(0.026 + forced_labour)


def test_metals_floor_ends_with_2027(book: RuleBook) -> None:
    held = book.hold(until=date(2029, 1, 1))
    assert duties.total_rate(held, "85042300", "MY", date(2027, 12, 31)) == pytest.approx(0.15)
    assert duties.total_rate(held, "85042300", "MY", date(2028, 1, 1)) == pytest.approx(0.116)


# Section 301 exclusions: a claim for a described article, never a whole line


@pytest.mark.parametrize("heading", sorted({row["heading"] for row in golden("exclusions")}))
def test_exclusion_holds_on_its_days(book: RuleBook, heading: str) -> None:
    wrong: list[Any] = []
    rows = [row for row in golden("exclusions") if row["heading"] == heading]
    for row in rows:
        first, last = date.fromisoformat(row["first"]), date.fromisoformat(row["last"])
        for on, freed in ((first - DAY, False), (first, True), (last, True), (last + DAY, False)):
            found = verdict(book, row | {"origin": "CN", "on": on.isoformat()}, exclusion=heading)
            lines = {share.heading: share.rule.group for share in found.shares}
            if (heading in lines) != freed or (freed and {"s301-china", "s301-review"} & set(lines.values())):
                wrong.append((row["hts"], on, lines))
    assert wrong == []
    listed = read(FOLDER / "s301-exclusions" / f"exclusion-{heading.replace('.', '-')}.csv")
    assert sorted(item["hts"] for item in listed) == sorted(
        row["hts"] for row in rows for _ in range(int(row["articles"]))
    )


def test_no_exclusion_describes_a_rig(book: RuleBook) -> None:
    found = duties.verdict(book, "8543709860", "CN", date(2024, 7, 1))
    assert found.rate == pytest.approx(0.276)
    assert "exclusion" in found.needs
    texts = [
        row["note"]
        for path in LISTS
        for row in read(path)
        if row.get("hts", "").startswith(("8543.70.98", "8543.70.99"))
    ]
    assert not any(re.search(r"bitcoin|mining|miner|SHA|hash", text) for text in texts)


# Fees


@each("fees")
def test_fee_holds(book: RuleBook, row: Row) -> None:
    for on in (date.fromisoformat(row["first"]), min(date.fromisoformat(row["last"]), book.until - DAY)):
        fee = next(fee for fee in duties.fees_on(book, on) if fee.fee == row["fee"])
        assert fee.rate_ppm == round(float(row["rate"]) * 1e6)
        assert fee.minimum_cents == (round(float(row["minimum_usd"]) * 100) if row["minimum_usd"] else None)
        assert fee.maximum_cents == (round(float(row["maximum_usd"]) * 100) if row["maximum_usd"] else None)
        assert fee.modes == (frozenset({"ocean"}) if row["fee"] == "HMF" else None)


# What others published


@each("published")
def test_published_figure_agrees(book: RuleBook, row: Row) -> None:
    lines = owed(verdict(book, row))
    match row["counts"]:
        case "total":
            rate = sum(line[2] for line in lines)
        case "added":
            rate = sum(line[2] for line in lines if line[1] != "HTS")
        case counts:
            authority, _, heading = counts.partition(", ")
            rate = sum(line[2] for line in lines if line[1] == authority and line[0].startswith(heading))
    assert rate == pytest.approx(float(row["rate"]), abs=1e-9)


@each("published_differs")
def test_published_figure_differs_on_purpose(book: RuleBook, row: Row) -> None:
    assert total(verdict(book, row)) == pytest.approx(float(row["book_rate"]), abs=1e-9)
    assert float(row["published_rate"]) != float(row["book_rate"])
    assert row["reason"]


# Open points


@pytest.mark.parametrize(
    ("hts", "origin", "on", "words"),
    [
        ("8543.70.98", "MY", "2025-05-27", "entry before 2025-05-27"),
        ("8543.70.98", "CN", "2025-04-12", "broker's summary"),
        ("8543.70.98", "JP", "2025-09-01", "corrected later"),
        ("8543.70.98", "TW", "2026-02-01", "floor of 15 %"),
        ("8543.70.98", "IN", "2026-02-10", "cut to 18 %"),
        ("8543.70.98", "BD", "2026-02-10", "19 %"),
        ("8543.70.98", "MY", "2025-09-01", "held unlawful"),
        ("8543.70.98", "MY", "2026-05-08", "Court of International Trade"),
        ("8543.70.98", "CA", "2026-09-20", "Section 338"),
        ("8543.70.98", "MY", "2026-11-22", "excess capacity"),
        ("8543.70.98", "DE", "2026-11-22", "excess capacity"),
        ("8543.70.98", "BR", "2026-11-22", "exempt list of the duty on Brazil"),
        ("8541.10.00", "MY", "2026-11-22", "not verified"),
        ("8543.70.98", "CN", "2026-11-22", "9903.88.69"),
        ("8543.90.68", "MY", "2018-12-01", "ITA-2"),
        ("8517.62.00", "CN", "2024-06-01", "list 4A the rest"),
        ("7616.99.51", "TW", "2025-12-01", "aluminium content"),
        ("7326.90.86", "TW", "2025-12-01", "which suffixes"),
        ("9406.20.00", "TW", "2025-05-01", "earlier day"),
        ("7616.99.51", "TW", "2019-12-01", "countries exempt"),
        ("7616.99.51", "GB", "2026-11-22", "United Kingdom"),
        ("7616.99.51", "RU", "2026-11-22", "200 %"),
        ("8544.42.90", "MX", "2025-12-01", "border duty"),
        ("8415.82.01", "MX", "2026-11-22", "air conditioners"),
    ],
)
def test_open_point_is_shown(book: RuleBook, hts: str, origin: str, on: str, words: str) -> None:
    found = verdict(book, {"hts": hts, "origin": origin, "on": on})
    assert any(words in note for note in found.notes), found.notes


def test_open_point_on_chips_is_shown_when_the_law_is_held(book: RuleBook) -> None:
    found = duties.verdict(book.hold(until=date(2028, 1, 1)), "85423100", "CN", date(2027, 6, 23))
    assert any("2027-06-23" in note for note in found.notes)


# The files


@pytest.mark.parametrize("path", PROVISIONS, ids=lambda path: path.stem)
def test_provision_is_well_formed(path: Path) -> None:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert document["provision"] == path.stem
    assert document["title"]
    versions = document.get("version", [])
    if "versions" in document:
        versions = read(path.parent / document["versions"])
    assert versions
    for version in versions:
        start, until = (_date(version.get(key)) for key in ("from", "until"))
        assert start is not None
        assert until is None or start < until
        _sourced(version)
        free = document["kind"] == "free" or "column" in document
        assert ("rate" in version and version["rate"] != "") != free
    for key in ("products", "products_except"):
        if str(document.get(key, "")).endswith(".csv"):
            assert (path.parent / document[key]).is_file()


def _date(value: Any) -> date | None:
    if value in (None, ""):
        return None
    return value if isinstance(value, date) else date.fromisoformat(value)


def _sourced(row: dict[str, Any]) -> None:
    assert row["source"]
    assert row["basis"].startswith(MARKS)
    assert row["confidence"].split()[0] in ("high", "medium", "low")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_list_is_well_formed(path: Path) -> None:
    rows = read(path)
    assert rows
    for row in rows:
        _sourced(row)
        if "hts" in row:
            assert re.fullmatch(r"\d{4}\.\d\d(\.\d\d){0,2}", row["hts"])
            assert row["assume"] in ("", "yes", "no")
    used = [tomllib.loads(other.read_text(encoding="utf-8")) for other in PROVISIONS if other.parent == path.parent]
    assert any(path.name in (document.get("products"), document.get("versions")) for document in used)


def test_list_items_are_lines_of_the_schedule(book: RuleBook) -> None:
    known = set(book.lines)
    items = {row["hts"].replace(".", "")[:8] for path in LISTS for row in read(path) if "hts" in row}
    assert items <= known


def test_rates_of_a_line_follow_each_other(book: RuleBook) -> None:
    for line in book.lines.values():
        assert line.rates[0].start <= book.start
        for before, after in pairwise(line.rates):
            assert before.until == after.start, line.hts
        assert line.rates[-1].until == date.max
    for row in read(FOLDER / "schedule" / "rates.csv"):
        _sourced(row)
    for row in read(FOLDER / "schedule" / "programmes.csv"):
        _sourced(row)
        assert _date(row["until"]) is None or row["from"] < row["until"]


def test_fees_are_sourced_and_follow_each_other(book: RuleBook) -> None:
    for name in ("MPF", "HMF"):
        fees = sorted((fee for fee in book.fees if fee.fee == name), key=lambda fee: fee.start)
        assert fees[0].start <= book.start
        for before, after in pairwise(fees):
            assert before.until == after.start
        assert all(fee.source and fee.basis.startswith(MARKS) for fee in fees)


def test_renumbered_line(book: RuleBook) -> None:
    old, new = book.lines["85437099"], book.lines["85437098"]
    assert old.valid_until == new.valid_from == date(2022, 1, 27)
    assert (old.renumbered, new.renumbered) == ("85437098", "85437099")


@pytest.mark.parametrize("day", ["2018-07-06", "2025-04-09", "2025-09-01", "2026-03-01", "2026-11-22"])
def test_one_reciprocal_rate_an_origin(book: RuleBook, day: str) -> None:
    """No origin bears two rates of one family at once: the book's intervals and origins do not overlap."""
    for origin in book.countries:
        if origin == book.country:
            continue
        shares = duties.verdict(book, "85437098", origin, date.fromisoformat(day)).shares
        families = [
            share.rule.group.split("-")[0] if share.rule.group.startswith("reciprocal") else share.rule.provision
            for share in shares
        ]
        assert len(families) == len(set(families)), (origin, families)
        assert sum(share.rule.authority == "Section 301 (forced labour)" for share in shares) <= 1


# The page that accounts for every row of facts


def accounted() -> list[tuple[str, list[str]]]:
    """(pattern of fact ids, provisions) of every row of the table on the rule-book page."""
    rows = re.findall(r"^\| (`[^|]+) \|([^|]*)\|[^|]*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [
        (pattern, re.findall(r"`([^`]+)`", places))
        for facts, places in rows
        for pattern in re.findall(r"`([^`]+)`", facts)
    ]


def test_every_provision_is_accounted_for() -> None:
    patterns = [place for _, places in accounted() for place in places]
    stems = [path.stem for path in (*PROVISIONS, *(FOLDER / "fees").glob("*.toml"))]
    assert [stem for stem in stems if not any(_matches(stem, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(_matches(stem, pattern) for stem in (*stems, "coverage"))] == []


@pytest.mark.skipif(not os.environ.get("ASHORE_FACTS"), reason="ASHORE_FACTS names no folder of facts")
def test_every_fact_is_accounted_for() -> None:
    patterns = [pattern for pattern, _ in accounted()]
    keys = [row["id"] for row in read(Path(os.environ["ASHORE_FACTS"]) / "programmes.csv")]
    assert [key for key in keys if not any(_matches(key, pattern) for pattern in patterns)] == []


def _matches(name: str, pattern: str) -> bool:
    return re.fullmatch(pattern.replace("*", ".*"), name) is not None
