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


def test_todays_number_answers_for_the_past_with_a_note_and_a_retired_one_is_refused(book):
    early = ask(book, "8543.70.98", "MY", "2021-06-01")
    assert early["rate"] == pytest.approx(0.026)
    assert any("is entered under 8543.70.99" in note for note in early["notes"])
    late = ask(book, "8543.70.99", "MY", "2022-01-27")
    assert (late["status"], late["duty_usd"]) == ("unresolved", None)
    assert "replaced by 8543.70.98 on 2022-01-27" in late["problem"]
    assert ask(book, "8543.70.99", "MY", "2022-01-26")["notes"] == [note for note in early["notes"] if "HMF" in note]


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
            "hts": st.sampled_from(["8543.70.98", "8543709860", "8542.31.00", "8544.42.90", "2710.19.30"]),
            "origin": st.sampled_from(["CN", "MY", "MX", "KR", "CU", "DE", "US"]),
            "entry_date": st.dates(date(2020, 1, 1), date(2026, 12, 31)).map(str),
            "value_usd": st.decimals(0, 10**9, places=2).map(str),
            "loaded_date": st.sampled_from(["", "2025-04-04", "2020-01-01"]),
            "mode": st.sampled_from(["", "air", "ocean"]),
            "us_content_share": st.sampled_from(["", "0", "0.2", "0.333333", "1"]),
            "claims": st.sampled_from(["", "spi=KR", "metal_weight_share=0.14; evaded=yes"]),
        }
    ).map(lambda line: line | ({"loaded_date": ""} if line["loaded_date"] > line["entry_date"] else {})),
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


BAD_LINES = (
    "hts,origin,entry_date,value_usd,mode,loaded_date,claims,origins\n"
    "8543.70.98,MY,2025-12-01,100,air,,,\n"
    "85,MY,2025-12-01,1,air,,,\n"
    "854370986,MY,2025-12-01,1,air,,,\n"
    "85437098601,MY,2025-12-01,1,air,,,\n"
    "8543.70.99,MY,2025-12-01,1,air,,,\n"
    "0101.21.00,MY,2025-12-01,1,air,,,\n"
    "8543.70.98,XX,2025-12-01,1,air,,,\n"
    "8543.70.98,MY,2019-12-01,1,air,,,\n"
    "8543.70.98,MY,2027-12-01,1,air,,,\n"
    "8543.70.98,MY,1 May,1,air,,,\n"
    "8543.70.98,MY,2025-12-01,-1,air,,,\n"
    "8543.70.98,MY,2025-12-01,,air,,,\n"
    "8543.70.98,MY,2025-12-01,inf,air,,,\n"
    "8543.70.98,MY,2025-12-01,1,rail,,,\n"
    "8543.70.98,MY,2025-12-01,1,air,2025-12-02,,\n"
    "8543.70.98,MY,2025-12-01,1,air,,spy=1,\n"
    "8543.70.98,MY,2025-12-01,1,air,,,MY:0.5\n"
    "8543.70.98,KR,2025-12-01,100,ocean,,,\n"
)


def test_bad_lines_go_to_a_file_with_their_reasons_and_good_ones_are_rated(book, tmp_path):
    source, out = tmp_path / "lines.csv", tmp_path / "rated.csv"
    source.write_text(BAD_LINES)
    summary = rate_file(book, source, out)
    rejected = pl.read_csv(tmp_path / "rated.rejects.csv", infer_schema=False)
    rated = pl.read_csv(out, infer_schema=False)
    assert rejected["row"].to_list() == [str(row) for row in range(3, 19)]
    assert rated["origin"].to_list() == ["MY", "KR"]
    assert summary.lines == rated.height + rejected.height
    reasons = dict(zip(rejected["row"], rejected["reason"], strict=True))
    assert "replaced by 8543.70.98" in reasons["6"]
    assert "schedule" in reasons["7"]
    assert "2020-01-01" in reasons["9"]
    assert "a blank cell" in reasons["13"]
    assert "chances" in reasons["18"]
    assert all(reasons.values())
    good = tmp_path / "good.csv"
    good.write_text("".join(BAD_LINES.splitlines(keepends=True)[i] for i in (0, 1, -1)))
    rate_file(book, good, out)
    assert not (tmp_path / "rated.rejects.csv").exists()
    assert pl.read_csv(out, infer_schema=False).equals(rated)


def test_a_frame_with_bad_lines_is_refused_whole_with_every_row(book):
    header, *rows = (line.split(",") for line in BAD_LINES.splitlines())
    frame = pl.DataFrame(rows, schema=header, orient="row")
    with pytest.raises(FaultyInput) as raised:
        rate_lines(book, frame)
    assert [fault.row for fault in raised.value.faults] == list(range(3, 19))


def test_wrong_columns_are_refused_with_the_nearest_name(book, tmp_path):
    source = tmp_path / "lines.csv"
    source.write_text("hts,origin,entry_dat,value_usd\n")
    with pytest.raises(FaultyInput) as raised:
        rate_file(book, source, tmp_path / "rated.csv")
    assert "Did you mean 'entry_date'?" in str(raised.value)
    assert list(tmp_path.iterdir()) == [source]


def test_origins_in_doubt_give_the_expectation_and_the_exposure(book):
    frame = pl.DataFrame(
        {
            "hts": ["85437098", "85437098"],
            "origin": ["KR", "MY"],
            "entry_date": ["2025-12-01", "2025-12-01"],
            "value_usd": ["1000", "1000"],
            "origins": ["KR:0.7,MY:0.3", ""],
        }
    )
    rated = rate_lines(book, frame)
    assert rated["expected_usd"].to_list() == pytest.approx([0.7 * 150 + 0.3 * 216, 216])
    assert rated["exposure_usd"].to_list() == pytest.approx([66, 0])


def test_a_ragged_row_is_named(book, tmp_path):
    source = tmp_path / "lines.csv"
    good = "8543.70.98,MY,2025-12-01,100\n"
    source.write_text(f"hts,origin,entry_date,value_usd\n{good}8543.70.98,MY,2025-12-01,1,000\n{good}")
    with pytest.raises(FaultyInput) as raised:
        rate_file(book, source, tmp_path / "rated.csv")
    assert [fault.row for fault in raised.value.faults] == [3]
    assert list(tmp_path.iterdir()) == [source]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.decimals(0, 9 * 10**9, places=2), share=st.integers(0, 10**6))
def test_bulk_and_single_agree_on_an_origin_in_doubt(book, value, share):
    origins = f"MY:{share / 10**6:.6f},CN:{1 - share / 10**6:.6f}"
    line = {
        "hts": "8543709860",
        "origin": "MY",
        "entry_date": "2026-12-01",
        "value_usd": str(value),
        "origins": origins,
    }
    row = rate_lines(book, pl.DataFrame([line])).row(0, named=True)
    entry, faults = duties.read_entry(book, "8543709860", "MY", "2026-12-01", str(value))
    doubt = duties.dispute(book, entry, duties.entry.read_origins(book, origins, faults))
    assert not faults
    assert round(row["expected_usd"] * 100) == doubt.expected_cents
    assert round(row["exposure_usd"] * 100) == doubt.exposure_cents


def test_the_dearest_line_a_scenario_allows_stays_inside_64_bits(book):
    new = {"heading": "x", "origins": "*", "products": "*", "kind": "add", "rate": 10}
    faults = []
    dear = book.under(rules.read_changes([new], book, "scenario", faults))
    assert not faults
    line = {"hts": "8543709810", "origin": "CN", "entry_date": "2026-12-01", "value_usd": "9000000000"}
    rated = rate_lines(dear, pl.DataFrame([line]))
    entry, _ = duties.read_entry(dear, "8543709810", "CN", "2026-12-01", "9000000000")
    assert rated["duty_usd"].to_list() == [duties.assess(dear, entry).duty_cents / 100]
    assert rated["duty_usd"][0] > 9e10
