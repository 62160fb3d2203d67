"""The shipped rule book against figures kept apart from it, and its files against their own format.

The golden rows in tests/golden come from the official texts and from what others published, not from the book.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests import golden_checks as checks
from tests.golden_checks import Row, golden, named, read, verdict

from ashore import duties, rules
from ashore.errors import Unresolved
from ashore.rules import RuleBook

FOLDER = Path(rules.__file__).parents[1] / "data" / "rules"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "rule-book.md"
PROVISIONS = sorted(path for path in FOLDER.glob("*/*.toml") if path.parent.name != "fees")
LISTS = sorted(path for path in FOLDER.glob("*/*.csv") if path.parent.name != "schedule")
MARKS = ("READ", "DERIVED", "INFERENCE", "MEMORY", "ESTIMATE", "GAP")
DAY = timedelta(days=1)


def each(*names: str) -> pytest.MarkDecorator:
    rows = [row for name in names for row in golden(name)]
    return pytest.mark.parametrize("row", rows, ids=[f"{number} {named(row)}" for number, row in enumerate(rows)])


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return rules.load()


def wrong(book: RuleBook, name: str, key: str, value: str) -> list[tuple[str, str]]:
    """The rows of one value of a column that do not hold, and what is wrong with them."""
    found = ((row, checks.CHECKS[name](book, row)) for row in golden(name) if row[key] == value)
    return [(named(row), what) for row, what in found if what]


# Rates: the rig, its parts, claims, every line, every country


@each("rig_rates", "part_rates", "claims")
def test_rate_holds(book: RuleBook, row: Row) -> None:
    assert checks.rate(book, row) == ""


@pytest.mark.parametrize("hts", sorted({row["hts"] for row in golden("line_rates")}))
def test_line_rates_hold(book: RuleBook, hts: str) -> None:
    assert wrong(book, "line_rates", "hts", hts) == []


@pytest.mark.parametrize("origin", sorted({row["origin"] for row in golden("country_rates")}))
def test_country_rates_hold(book: RuleBook, origin: str) -> None:
    assert wrong(book, "country_rates", "origin", origin) == []


@each("memberships")
def test_heading_covers_the_line(book: RuleBook, row: Row) -> None:
    assert checks.membership(book, row) == ""


# The second clock: what was law as known on a day


@pytest.mark.parametrize("origin", sorted({row["origin"] for row in golden("known")}))
def test_rates_as_then_known_hold(book: RuleBook, origin: str) -> None:
    assert wrong(book, "known", "origin", origin) == []


@pytest.mark.parametrize(
    ("known", "rate", "heading"), [("2025-09-15", 0.176, "9903.02.30"), ("2025-09-16", 0.15, "9903.02.73")]
)
def test_a_rig_of_japan_as_filed_and_as_corrected(book: RuleBook, known: str, rate: float, heading: str) -> None:
    found = verdict(book, {"hts": "8543.70.98", "origin": "JP", "on": "2025-09-01", "known": known})
    assert found.rate == pytest.approx(rate)
    assert heading in [share.heading for share in found.shares]
    assert any(known in note for note in found.notes)


def test_what_was_withdrawn_is_in_no_view_of_today(book: RuleBook) -> None:
    assert {rule.provision for rule in book.withdrawn} == {
        *("reciprocal-april-9", "reciprocal-august", "reciprocal-china"),
        *("fentanyl-canada", "fentanyl-mexico", "s301-list-4a"),
    }
    today = book.as_known(book.until)
    assert not set(map(id, book.withdrawn)) & set(map(id, today.rules))
    for rule in (*book.rules, *book.withdrawn):
        assert rule.known is None or rule.known <= rule.start or rule.authority == "IEEPA", rule
        assert rule.withdrawn is None or (rule.known is not None and rule.known < rule.withdrawn), rule


@pytest.mark.parametrize("check", checks.WHOLE, ids=lambda check: check.__name__)
def test_book_as_a_whole(book: RuleBook, check: Any) -> None:
    assert check(book) == ""


# Procedures: chosen by the importer, never assumed


@pytest.mark.parametrize("hts", ["8543.90.68", "8504.40.95", "8543.70.98", "8542.31.00", "8534.00.00"])
@pytest.mark.parametrize("on", ["2026-03-02", "2026-11-22"])
def test_parts_of_a_rig_are_resolved_without_a_word_on_procedures(book: RuleBook, hts: str, on: str) -> None:
    for origin in ("MY", "TW", "VN", "DE"):
        found = verdict(book, {"hts": hts, "origin": origin, "on": on})
        assert found.status == "resolved", (origin, found.needs)


def test_procedures_leave_no_question(book: RuleBook) -> None:
    chosen = {key for key, claim in book.claims.items() if claim.kind == "procedure"}
    assert chosen == {"civil_aircraft", "chapter98", "chapter98_free_share", "de_minimis", "informal"}
    for line in book.lines.values():
        for on in (date(2019, 6, 1), date(2025, 5, 1), date(2026, 11, 22)):
            assert not chosen & set(duties.verdict(book, line.hts, "CN", on).needs)


@pytest.mark.parametrize(
    ("claim", "value", "fault"),
    [
        ("de_minimis=yes", "800", ""),
        ("de_minimis=yes", "800.01", "800 USD"),
        ("de_minimis=no", "801", ""),
        ("informal=yes", "2500", ""),
        ("informal=yes", "2500.01", "2,500 USD"),
    ],
)
def test_small_values_only(book: RuleBook, claim: str, value: str, fault: str) -> None:
    entry, faults = duties.read_entry(book, "8543.70.98", "MY", "2025-06-01", value, claims=[claim])
    assert (entry is None) == bool(fault)
    assert fault in "".join(map(str, faults))


def test_chapter_98_names_what_it_defeats(book: RuleBook) -> None:
    found = verdict(book, {"hts": "8543.70.98", "origin": "CN", "on": "2025-05-01", "claims": "chapter98=9801.00.10"})
    assert [share.heading for share in found.shares] == ["9801.00.10"]
    assert {defeat.rule.heading for defeat in found.defeats} >= {"9903.88.02", "9903.01.24", "9903.01.63", "column 1"}


# Transit: the mode counts where the text speaks of a vessel

VESSEL = {
    *("reciprocal-in-transit", "reciprocal-loaded-before-april-9", "reciprocal-loaded-before-april-10"),
    *("reciprocal-loaded-before-august-7", "ieepa-brazil-in-transit", "ieepa-india-in-transit", "s122-in-transit"),
}
ANY_MODE = {
    *("fentanyl-china-in-transit", "s301-forced-labour-in-transit"),
    *("s301-list-3-transition", "s301-list-3-part-transition"),
}


def test_transit_headings_ask_for_a_vessel_where_their_text_does(book: RuleBook) -> None:
    needs = {rule.provision: {need.claim for need in rule.requires} for rule in book.rules}
    assert {name for name, claims in needs.items() if "loaded" in claims} == VESSEL | ANY_MODE
    assert {name for name, claims in needs.items() if "mode" in claims} == VESSEL


def test_a_transit_line_asks_for_day_and_mode(book: RuleBook) -> None:
    row = {"hts": "8543.70.98", "origin": "MY", "on": "2025-05-01"}
    assert {"loaded", "mode"} <= set(verdict(book, row).needs)
    assert "loaded" not in verdict(book, row, mode="air").needs
    assert "mode" not in verdict(book, row, loaded=date(2025, 4, 5)).needs
    entry, faults = duties.read_entry(book, "8543.70.98", "MY", "2025-05-01", 1000, "ocean", "2025-04-04")
    assert entry is not None, faults
    assert duties.assess(book, entry).duty_cents == 2600


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
    assert wrong(book, "exclusions", "heading", heading) == []
    rows = [row for row in golden("exclusions") if row["heading"] == heading]
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
    assert checks.fee(book, row) == ""


@each("waivers")
def test_fee_is_waived_where_the_law_says_so(book: RuleBook, row: Row) -> None:
    assert checks.waiver(book, row) == ""


# What others published


@each("published")
def test_published_figure_agrees(book: RuleBook, row: Row) -> None:
    assert checks.published(book, row) == ""


@each("published_differs")
def test_published_figure_differs_on_purpose(book: RuleBook, row: Row) -> None:
    assert checks.published_differs(book, row) == ""


# Open points


@each("doubts")
def test_open_point_is_shown(book: RuleBook, row: Row) -> None:
    assert checks.doubt(book, row) == ""


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
        start, until, *clock = (
            _date(version.get(key)) for key in ("from", "until", "known", "until_known", "withdrawn")
        )
        assert start is not None
        assert until is not None or clock[1] is None
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


def test_schedule_is_sourced() -> None:
    for row in read(FOLDER / "schedule" / "rates.csv"):
        _sourced(row)
    for row in read(FOLDER / "schedule" / "programmes.csv"):
        _sourced(row)
        assert _date(row["until"]) is None or row["from"] < row["until"]


def test_fees_are_sourced(book: RuleBook) -> None:
    assert all(fee.source and fee.basis.startswith(MARKS) for fee in book.fees)


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
