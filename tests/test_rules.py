"""The rule book as a value: loading, names, order, coverage, scenarios."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import date

import pytest
from tests.small_book import FILES, write_book

from ashore import rules
from ashore.duties import total_rate
from ashore.errors import Fault, FaultyInput, OutsideCoverage

RIG = "85437098"
DAY = date(2025, 12, 1)


@pytest.fixture
def book(tmp_path):
    return rules.load(write_book(tmp_path))


def test_a_book_counts_what_its_files_hold(book):
    census = rules.listing.census(book)
    assert census["lines"] == FILES["schedule/lines.csv"].count("\n") - 1
    assert census["provisions"] == sum("provision =" in text for text in FILES.values())
    assert book.boundaries[0] == book.start
    assert date(2025, 4, 5) in book.boundaries


def test_nothing_in_a_book_can_be_set(book):
    with pytest.raises(FrozenInstanceError):
        book.until = date(2030, 1, 1)
    with pytest.raises(FrozenInstanceError):
        book.rules[0].rate_ppm = 0


def test_a_day_outside_the_coverage_is_refused_with_the_remedy(book):
    with pytest.raises(OutsideCoverage) as raised:
        total_rate(book, RIG, "MY", date(2027, 1, 1))
    assert "--hold" in str(raised.value)
    assert "book.hold" in str(raised.value)
    with pytest.raises(OutsideCoverage):
        total_rate(book, RIG, "MY", date(2019, 12, 31))


def test_hold_carries_the_last_day_on_and_says_so(book):
    held = book.hold(date(2029, 1, 1))
    last = total_rate(book, RIG, "CN", date(2026, 12, 31))
    assert total_rate(held, RIG, "CN", date(2028, 6, 1)) == last
    assert any("held" in note for note in held.caveats(date(2028, 6, 1)))
    assert not any("held" in note for note in held.caveats(date(2026, 12, 31)))
    with pytest.raises(OutsideCoverage):
        total_rate(book, RIG, "CN", date(2028, 6, 1))


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"extra__metal_toml": FILES["extra/metal.toml"].replace("rate = 0.25", "")}, "has no rate"),
        ({"extra__metal_toml": FILES["extra/metal.toml"].replace('"8544.42.90"', '"85x"')}, "no tariff prefix"),
        ({"extra__metal_toml": FILES["extra/metal.toml"].replace("metal_weight_share", "metal_share")}, "claims.toml"),
        ({"extra__metal_toml": FILES["extra/metal.toml"].replace('kind = "add"', 'kind = "ad"')}, "kind"),
        ({"extra__metal_toml": FILES["extra/metal.toml"] + "colour = 3\n"}, "colour"),
        ({"extra__metal_toml": FILES["extra/metal.toml"].replace('source = "order 3"', 'source = ""')}, "source"),
        ({"extra__country_csv": FILES["extra/country.csv"].replace("MY", "XX")}, "'XX'"),
        ({"extra__country_csv": FILES["extra/country.csv"].replace("2025-08-07", "2025-8-7x")}, "from"),
        (
            {"extra__country_csv": FILES["extra/country.csv"] + "9990.02.39,MY,0.2,2025-12-01,,o,READ,high,\n"},
            "two versions",
        ),
        ({"extra__country_csv": FILES["extra/country.csv"].replace(",0.19,", ",nineteen,")}, "rate"),
        ({"extra__floor_toml": FILES["extra/floor.toml"] + 'yields_to = ["baseline"]\n'}, "yields_to"),
        (
            {
                "extra__floor_toml": FILES["extra/floor.toml"].replace(
                    "[[version]]", 'yields_to = ["gone"]\n[[version]]'
                )
            },
            "'gone'",
        ),
        (
            {
                "extra__floor_toml": FILES["extra/floor.toml"].replace(
                    "[[version]]", 'yields_to = ["baseline"]\n[[version]]'
                )
            },
            "circle",
        ),
        ({"extra__exempt_csv": "hts,until,asume\n8542,,\n"}, "asume"),
        ({"schedule__lines_csv": FILES["schedule/lines.csv"] + "9999.99.99,x,,,,,,,s,\n"}, "no rates"),
        ({"claims_toml": FILES["claims.toml"] + "[bad]\n"}, "claims.toml"),
        ({"coverage_toml": "country = 'US'\nfrom = 2020-01-01\n"}, "until"),
        ({"extra__metal_toml": "provision = \n"}, "metal.toml"),
    ],
)
def test_a_faulty_book_is_refused_and_says_where(tmp_path, replaced, words):
    with pytest.raises(FaultyInput) as raised:
        rules.load(write_book(tmp_path, **replaced))
    assert words in str(raised.value)
    assert all(fault.where and fault.remedy for fault in raised.value.faults)


def test_all_faults_of_a_book_come_at_once(tmp_path):
    metal = FILES["extra/metal.toml"].replace("rate = 0.25", "").replace("metal_weight_share", "metal_share")
    country = FILES["extra/country.csv"].replace("MY", "XX")
    with pytest.raises(FaultyInput) as raised:
        rules.load(write_book(tmp_path, extra__metal_toml=metal, extra__country_csv=country))
    assert len(raised.value.faults) >= 3


def changes(book, *items):
    faults: list[Fault] = []
    found = rules.read_changes(list(items), book, "scenario.toml", faults)
    assert not faults, faults
    return found


def test_a_scenario_is_a_new_book_and_leaves_the_old_alone(book):
    before = total_rate(book, RIG, "MY", DAY)
    raised = book.under(changes(book, {"rule": "9990.02.39", "rate": 0.5}))
    assert total_rate(raised, RIG, "MY", DAY) == pytest.approx(0.526)
    assert total_rate(book, RIG, "MY", DAY) == before == pytest.approx(0.216)


def test_a_change_holds_from_its_day(book):
    raised = book.under(changes(book, {"rule": "country", "rate": 0.5}), since=date(2025, 12, 10))
    assert total_rate(raised, RIG, "MY", date(2025, 12, 9)) == pytest.approx(0.216)
    assert total_rate(raised, RIG, "MY", date(2025, 12, 10)) == pytest.approx(0.526)


def test_ending_a_country_rate_brings_the_baseline_back(book):
    ended = book.under(changes(book, {"rule": "country", "until": date(2025, 12, 1)}))
    assert total_rate(ended, RIG, "MY", date(2025, 11, 30)) == pytest.approx(0.216)
    assert total_rate(ended, RIG, "MY", date(2025, 12, 1)) == pytest.approx(0.126)


def test_a_rule_that_a_change_lets_hold_longer_can_be_changed_then(book):
    longer, then = {"rule": "country", "until": "2026-12-01"}, {"rule": "country", "rate": 0.5, "from": "2026-03-01"}
    assert total_rate(book.under(changes(book, longer, then)), RIG, "MY", date(2026, 3, 1)) == pytest.approx(0.526)


def test_a_new_rule_adds_and_bears_only_on_what_it_names(book):
    new = {
        "heading": "9999.01.01",
        "authority": "Test",
        "origins": ["MY"],
        "products": ["8543.70.98"],
        "kind": "add",
        "rate": 0.25,
    }
    under = book.under(changes(book, new))
    assert total_rate(under, RIG, "MY", DAY) == pytest.approx(0.466)
    assert total_rate(under, RIG, "CN", DAY) == total_rate(book, RIG, "CN", DAY)
    assert total_rate(under, "85423100", "MY", DAY) == total_rate(book, "85423100", "MY", DAY)


def test_a_free_rule_frees_from_everything_unless_told_otherwise(book):
    free = {"heading": "free", "origins": "*", "products": "*", "kind": "free"}
    assert total_rate(book.under(changes(book, free)), RIG, "MY", DAY) == 0
    some = free | {"exempts": ["Emergency"]}
    assert total_rate(book.under(changes(book, some)), RIG, "MY", DAY) == pytest.approx(0.026)


def test_a_replacing_rule_takes_the_place_of_column_1(book):
    new = {"heading": "all", "origins": "*", "products": "*", "kind": "replace", "rate": 1}
    only = book.under(changes(book, {"rule": "*", "until": date(2020, 1, 1)}, new))
    assert total_rate(only, RIG, "MY", DAY) == 1
    both = book.under(changes(book, new))
    assert total_rate(both, RIG, "MY", DAY) == pytest.approx(1.19)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"rule": "contry", "rate": 0.1}, "country"),
        ({"rule": "country", "rate": 25}, "0.25"),
        ({"rule": "country", "rate": "a fifth"}, "share"),
        ({"rule": "country"}, "changes nothing"),
        ({"rule": "country", "rat": 0.1}, "'rate'"),
        ({"heading": "x", "origins": ["MY"], "products": "*", "kind": "ad", "rate": 0.1}, "kind"),
        ({"heading": "x", "origins": ["Mars"], "products": "*", "rate": 0.1}, "Mars"),
        ({"heading": "x", "origins": ["MY"], "products": ["rig"], "rate": 0.1}, "tariff prefix"),
        ({"heading": "x", "origins": ["MY"], "rate": 0.1}, "products"),
        ({"rule": "country", "until": "soon"}, "date"),
        ({"rule": "country", "rate": 0.1, "from": "2026-02-24"}, "has ended by 2026-02-24"),
    ],
)
def test_a_faulty_change_says_what_to_write(book, item, words):
    faults: list[Fault] = []
    rules.read_changes([item], book, "scenario.toml", faults)
    assert words in "\n".join(map(str, faults))


def test_rules_in_force_come_winners_first(book):
    for day in book.boundaries:
        seen: set[str] = set()
        for rule, winners in book.in_force(day):
            assert all(place < len(seen) + len(book.rules) for place in winners)
            named = {
                r.provision for r, _ in book.in_force(day) if {r.provision, r.group, r.heading} & set(rule.yields_to)
            }
            assert named - {rule.provision} <= seen | {rule.provision}
            seen.add(rule.provision)


def test_difference_lists_what_started_and_ended(book):
    document = rules.listing.difference(book, date(2025, 8, 6), date(2025, 8, 7), RIG, None)
    assert {rule["rule"] for rule in document["started"]} == {"country", "floor"}
    assert document["ended"] == []


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("schedule/rates.csv", b"hts,from\n8543.70.98,\xff\n", "schedule/rates.csv, row 2: The text is not UTF-8"),
        ("countries.csv", b"code,name\nUS," + b"x" * 200_000, "countries.csv, row 2: the line is not CSV"),
        ("origins.toml", b"groups = 1\n", "groups is no table"),
        ("origins.toml", b'[groups]\nEU = ["DE", 1]\n', "group EU is no list of texts"),
    ],
)
def test_files_of_a_book_that_cannot_be_read_are_named(tmp_path, file, data, said):
    folder = write_book(tmp_path)
    (folder / file).write_bytes(data)
    with pytest.raises(FaultyInput) as error:
        rules.load(folder)
    assert said in str(error.value)
