"""Entry lines under a small invented book: every kind of rule, claim and answer."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.small_book import write_book

from ashore import duties, rules
from ashore.duties.bulk import rate_file, rate_lines
from ashore.errors import FaultyInput, Unresolved

NO_US = {"claims": ["us_content_share=0"]}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return rules.load(write_book(tmp_path_factory.mktemp("book")))


def ask(book, hts, origin, on, value=1_000_000, **more):
    entry, faults = duties.read_entry(book, hts, origin, on, value, **more)
    assert entry is not None, faults
    return duties.assess(book, entry).as_dict()


@pytest.mark.parametrize(
    ("hts", "origin", "on", "more", "rate", "status", "needs"),
    [
        ("8543.70.98.10", "CN", "2026-12-01", {}, 0.026, "resolved", []),
        ("8543.70.98.60", "CN", "2026-12-01", {}, 0.096, "resolved", []),
        ("8543.70.98", "CN", "2026-12-01", {}, 0.026, "conditional", ["hts10"]),
        ("8543.70.98", "MY", "2025-12-01", {}, 0.216, "conditional", ["us_content_share"]),
        ("8543.70.98", "MY", "2025-12-01", {"claims": ["us_content_share=0"]}, 0.216, "resolved", []),
        ("8543.70.98", "MY", "2025-12-01", {"claims": ["us_content_share=0.19"]}, 0.216, "resolved", []),
        ("8543.70.98", "MY", "2025-12-01", {"claims": ["us_content_share=0.5"]}, 0.121, "resolved", []),
        ("8543.70.98", "DE", "2025-12-01", {}, 0.15, "resolved", []),
        ("8543.70.98", "KR", "2025-12-01", {"claims": ["spi=KR"]}, 0.15, "resolved", []),
        ("8543.70.98", "KR", "2026-12-01", {}, 0.026, "conditional", ["spi"]),
        ("8543.70.98", "KR", "2026-12-01", {"claims": ["spi=KR"]}, 0, "resolved", []),
        ("8543.70.98", "MY", "2026-12-01", {"claims": ["spi=KR"]}, 0.026, "resolved", []),
        ("8542.31.00", "MY", "2025-12-01", {}, 0, "resolved", []),
        ("8544.42.90", "MY", "2026-12-01", {}, 0.276, "conditional", ["metal_weight_share"]),
        ("8544.42.90", "MY", "2026-12-01", {"claims": ["metal_weight_share=0.1"]}, 0.026, "resolved", []),
        ("8543.70.98", "CU", "2026-12-01", {}, 0.35, "resolved", []),
        ("8543.70.98", "MY", "2025-05-01", {"loaded": "2025-04-04", **NO_US}, 0.026, "resolved", []),
        ("8543.70.98", "MY", "2025-05-01", {"loaded": "2025-04-05", **NO_US}, 0.126, "resolved", []),
        ("8543.70.98", "MY", "2025-05-01", {"claims": ["us_content_share=0"]}, 0.126, "conditional", ["loaded"]),
        ("8543.70.98", "MY", "2025-07-01", {"claims": ["us_content_share=0"]}, 0.126, "resolved", []),
    ],
)  # fmt: skip
def test_each_kind_of_rule_and_claim(book, hts, origin, on, more, rate, status, needs):
    answer = ask(book, hts, origin, on, **more)
    assert answer["rate"] == pytest.approx(rate)
    assert (answer["status"], answer["needs"]) == (status, needs)
    assert answer["low_usd"] <= answer["duty_usd"] <= answer["high_usd"]
    assert (answer["low_usd"] < answer["high_usd"]) == (status == "conditional")
    assert sum(line["duty_usd"] for line in answer["lines"]) == pytest.approx(answer["duty_usd"])


def test_a_finding_by_the_authority_applies_only_when_stated(book):
    assert "evaded" not in ask(book, "8543.70.98", "MY", "2025-12-01")["needs"]
    found = ask(book, "8543.70.98", "MY", "2025-12-01", claims=["evaded=yes", "us_content_share=0"])
    assert found["rate"] == pytest.approx(0.616)


def test_a_defeated_heading_names_its_winner_and_why(book):
    answer = ask(book, "8542.31.00", "MY", "2025-12-01")
    assert {d["heading"]: (d["by"], d["why"]) for d in answer["defeated"]}["9990.02.39"] == (
        "9990.01.32",
        "on the list of exempt electronics",
    )
    assert [line["heading"] for line in answer["lines"]] == ["9990.01.32", "8542.31.00"]


def test_an_unknown_line_and_a_specific_rate_are_unresolved_never_zero(book):
    for hts in ("9999.99.99", "2710.19.30"):
        answer = ask(book, hts, "MY", "2025-12-01")
        assert answer["status"] == "unresolved"
        assert answer["duty_usd"] is None
        assert answer["problem"]
        with pytest.raises(Unresolved):
            duties.total_rate(book, hts.replace(".", ""), "MY", date(2025, 12, 1))


def test_the_number_before_and_after_renumbering_gives_the_same_rate_and_a_note(book):
    for hts, on in (("8543.70.98", "2021-06-01"), ("8543.70.99", "2026-12-01")):
        answer = ask(book, hts, "MY", on)
        assert answer["rate"] == pytest.approx(0.026)
        assert any("is entered under" in note for note in answer["notes"])
    assert not any("is entered under" in note for note in ask(book, "8543.70.99", "MY", "2021-06-01")["notes"])


@pytest.mark.parametrize(
    ("value", "mode", "claims", "fees"),
    [
        ("100000", None, [], 346.40),
        ("1000", None, [], 33.58),
        ("1000000", None, [], 651.50),
        ("100000", "ocean", [], 346.40 + 125.00),
        ("100000", "air", [], 346.40),
        ("100000", "air", ["spi=KR"], 0),
    ],
)
def test_fees_once_an_entry_between_minimum_and_maximum(book, value, mode, claims, fees):
    answer = ask(book, "8543.70.98", "KR", "2026-12-01", value, mode=mode, claims=claims)
    assert answer["fees_usd"] == pytest.approx(fees)
    assert any("HMF" in note for note in answer["notes"]) == (mode is None)


def test_duty_rounds_half_up_to_the_cent_for_each_heading(book):
    answer = ask(book, "8543.70.98", "MY", "2025-12-01", "0.25", claims=["us_content_share=0"])
    assert [line["duty_usd"] for line in answer["lines"]] == [0.05, 0.01]  # 0.0475 and 0.0065


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"hts": "8543.70"}, "8 or 10 digits"),
        ({"hts": "rig"}, "8 or 10 digits"),
        ({"origin": "Malaysia"}, "MY"),
        ({"origin": "ZZ"}, "ISO"),
        ({"on": "22.11.2026"}, "2026-11-22"),
        ({"on": "2031-01-01"}, "--hold"),
        ({"value": "-1"}, "out of range"),
        ({"value": "nan"}, "amount"),
        ({"value": "1e30"}, "out of range"),
        ({"mode": "rail"}, "air, ocean, truck"),
        ({"loaded": "2026-12-09"}, "after they were entered"),
        ({"claims": ["spy=KR"]}, "'spi'"),
        ({"claims": ["us_content_share=20"]}, "0.2"),
        ({"claims": ["spi"]}, "KEY=VALUE"),
        ({"claims": ["evaded=maybe"]}, "yes"),
    ],
)
def test_what_was_mistyped_is_said_with_the_remedy(book, typed, words):
    good = {"hts": "8543.70.98", "origin": "MY", "on": "2026-12-01", "value": "1"}
    entry, faults = duties.read_entry(book, **(good | typed))
    assert entry is None
    assert words in "\n".join(map(str, faults))


def test_all_faults_of_one_line_come_at_once(book):
    _, faults = duties.read_entry(book, "x", "y", "z", "w", "v", "u", ["t"])
    assert len(faults) == 7


LINES = st.lists(
    st.fixed_dictionaries(
        {
            "hts": st.sampled_from(
                ["8543.70.98", "8543709860", "8542.31.00", "8544.42.90", "2710.19.30", "8543.70.99"]
            ),
            "origin": st.sampled_from(["CN", "MY", "MX", "KR", "CU", "DE", "US"]),
            "entry_date": st.dates(date(2020, 1, 1), date(2026, 12, 31)).map(str),
            "value_usd": st.decimals(0, 10**9, places=2).map(str),
            "loaded_date": st.sampled_from(["", "2025-04-04", "2020-01-01"]),
            "mode": st.sampled_from(["", "air", "ocean"]),
            "us_content_share": st.sampled_from(["", "0", "0.2", "0.333333", "1"]),
            "claims": st.sampled_from(["", "spi=KR", "metal_weight_share=0.14; evaded=yes"]),
        }
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_bulk_and_single_agree_on_every_line(book, lines):
    frame = pl.DataFrame(lines)
    rated = rate_lines(book, frame)
    for line, row in zip(lines, rated.iter_rows(named=True), strict=True):
        claims = [text.strip() for text in line["claims"].split(";") if text]
        if line["us_content_share"]:
            claims.append(f"us_content_share={line['us_content_share']}")
        entry, faults = duties.read_entry(
            book, line["hts"], line["origin"], line["entry_date"], line["value_usd"], claims=claims
        )
        assert entry is not None, faults
        if line["loaded_date"]:
            entry.claims["loaded"] = date.fromisoformat(line["loaded_date"])
        answer = duties.assess(book, entry)
        if answer.status == "unresolved":
            assert row["duty_usd"] is None
        else:
            cents = [round(row[name] * 100) for name in ("duty_usd", "low_usd", "high_usd")]
            assert cents == [answer.duty_cents, answer.low_cents, answer.high_cents]
            assert row["rate"] == pytest.approx(answer.rate, abs=1e-9)
        assert row["status"] == answer.status
    assert rated.select(frame.columns).equals(frame)


def test_bulk_files_keep_their_columns_and_add_five(book, tmp_path):
    source, out = tmp_path / "lines.csv", tmp_path / "rated.csv"
    source.write_text(
        "line_id,hts,origin,entry_date,value_usd\n007,8543.70.98,my,2025-12-01,2970\n8,85437098,DE,2025-12-01,100\n"
    )
    summary = rate_file(book, source, out)
    rows = out.read_text().splitlines()
    assert rows[0] == "line_id,hts,origin,entry_date,value_usd,rate,duty_usd,low_usd,high_usd,status"
    assert rows[1].startswith("007,8543.70.98,my,2025-12-01,2970,0.216,641.52,")
    document = summary.as_dict()
    assert (document["lines"], document["conditional"], document["resolved"]) == (2, 1, 1)
    assert document["duty_usd"] == pytest.approx(656.52)
    parquet = tmp_path / "lines.parquet"
    pl.DataFrame(
        {"hts": ["85437098"], "origin": ["MY"], "entry_date": [date(2025, 12, 1)], "value_usd": [2970.0]}
    ).write_parquet(parquet)
    rate_file(book, parquet, tmp_path / "rated.parquet")
    assert pl.read_parquet(tmp_path / "rated.parquet")["duty_usd"].to_list() == [641.52]


def test_faulty_lines_are_named_by_row_all_at_once_and_nothing_is_written(book, tmp_path):
    source, out = tmp_path / "lines.csv", tmp_path / "rated.csv"
    source.write_text(
        "hts,origin,entry_date,value_usd,mode\n"
        "8543.70.98,MY,2025-12-01,1,air\n"
        "85,MY,2025-12-01,1,air\n"
        "8543.70.98,XX,2025-12-01,1,air\n"
        "8543.70.98,MY,2019-12-01,1,air\n"
        "8543.70.98,MY,1 May,1,air\n"
        "8543.70.98,MY,2025-12-01,-1,air\n"
        "8543.70.98,MY,2025-12-01,,air\n"
        "8543.70.98,MY,2025-12-01,1,rail\n"
    )
    with pytest.raises(FaultyInput) as raised:
        rate_file(book, source, out)
    assert sorted(fault.row for fault in raised.value.faults) == [3, 4, 5, 6, 7, 8, 9]
    assert not out.exists()
    source.write_text("hts,origin,entry_dat,value_usd\n")
    with pytest.raises(FaultyInput) as raised:
        rate_file(book, source, out)
    assert "Did you mean 'entry_date'?" in str(raised.value)
