"""End to end through the command line, on the shipped rule book and the shipped case."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import polars as pl
import pytest
from tests.conftest import tiny_network

from ashore import cli

TODAY = "2026-11-22"
RIG = "8543.70.98.60"


def test_duty_of_one_line_has_every_field_of_the_contract(ask):
    document = ask("duty", "--hts", RIG, "--from", "MY", "--on", TODAY, "--value", 2970)
    fields = {"hts", "origin", "on", "value_usd", "duty_usd", "rate", "fees_usd", "total_usd", "status"}
    assert fields | {"low_usd", "high_usd", "lines", "defeated", "needs"} <= set(document)
    assert document["duty_usd"] == 374.22
    assert document["rate"] == pytest.approx(0.126)
    assert document["status"] == "resolved"
    assert document["total_usd"] == pytest.approx(2970 + 374.22 + document["fees_usd"])
    for line in document["lines"]:
        assert {"heading", "rule", "authority", "rate", "base_usd", "duty_usd", "source"} <= set(line)
        assert line["source"]


@pytest.mark.parametrize("hts", ["8543.70.98.60", "8543709860", "85437098", "8543.70.98"])
def test_duty_takes_the_number_in_every_spelling(ask, hts):
    assert ask("duty", "--hts", hts, "--from", "CN", "--on", TODAY, "--value", 100)["duty_usd"] == 40.10


def test_duty_as_text_shows_headings_sources_and_what_is_carried_forward(run):
    code, out, _ = run("duty", "--hts", RIG, "--from", "CN", "--on", TODAY, "--value", 2970)
    assert code == 0
    for words in ("9903.88.02", "25.0 %", "1,190.97", "83 FR 40823", "carried forward"):
        assert words in out


def test_mode_and_claims_reach_the_answer(ask):
    ocean = ask("duty", "--hts", RIG, "--from", "MX", "--on", TODAY, "--value", 100000, "--mode", "ocean")
    assert [fee["fee"] for fee in ocean["fees"]] == ["HMF", "MPF"] or len(ocean["fees"]) == 2
    assert (ocean["status"], ocean["needs"]) == ("conditional", ["spi"])
    claimed = ask("duty", "--hts", RIG, "--from", "MX", "--on", TODAY, "--value", 100000, "--claim", "spi=S")
    assert (claimed["duty_usd"], claimed["fees_usd"], claimed["status"]) == (0, 0, "resolved")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["duty", "--hts", "8543", "--from", "MY", "--on", TODAY, "--value", "1"], 1),
        (["duty", "--hts", RIG, "--from", "MY", "--on", "2030-01-01", "--value", "1"], 1),
        (["duty", "--hts", "0101.21.00", "--from", "MY", "--on", TODAY, "--value", "1"], 1),
        (["duty", "--hts", "2710.19.30", "--from", "MY", "--on", TODAY, "--value", "1"], 1),
        (["duty", "--hts", RIG], 2),
        (["duty", "--colour", "red"], 2),
        (["dutty"], 2),
        (["land"], 2),
        (["land", "--on", "tomorrow"], 1),
        (["land", "no-such-folder", "--on", TODAY], 1),
        (["plan", "--start", TODAY, "--months", "many"], 2),
        (["case", "copy", "rigs-2062"], 1),
        (["duty", "--lines", "no-such.csv", "--out", "x.csv"], 1),
        (["rules", "--on", "2017-01-01"], 1),
    ],
)
def test_exit_codes_and_no_traceback(run, words, code):
    for extra in ([], ["--json"]):
        got, out, err = run(*words, *extra)
        assert got == code
        assert "Traceback" not in out + err
        if extra and code == 1:
            json.loads(out)
        elif code == 2:
            assert "ashore --help" in err


def test_a_day_after_the_coverage_says_how_to_hold_the_law_and_then_answers(run, ask):
    words = ["duty", "--hts", RIG, "--from", "MY", "--on", "2027-06-01", "--value", "2970"]
    assert "--hold" in run(*words)[2]
    held = ask(*words, "--hold", "2027-06-01")
    assert held["duty_usd"] == 374.22
    assert any("held" in note for note in held["notes"])


@pytest.mark.parametrize(("until", "code"), [("2199-12-31", 0), ("2200-01-01", 1), ("9999-12-31", 1)])
def test_the_law_is_held_no_longer_than_days_can_be_counted(run, until, code):
    got, out, err = run("duty", "--hts", RIG, "--from", "MY", "--on", TODAY, "--value", 1, "--hold", until, "--json")
    assert (got, json.loads(out).get("duty_usd")) == (code, None if code else 0.13)
    assert not code or "Give a day up to 2199-12-31" in err


@pytest.mark.parametrize(
    "words",
    [
        "duty --lines entries.csv --out PLACE.csv",
        "duty --lines entries.csv --out rated.csv --rejects PLACE.csv",
        "series series.csv --out PLACE.csv",
        "grid --mw 2000 --figure PLACE.svg",
        "report --out PLACE.html",
        "case copy rigs-2026 PLACE",
        "fleet import fleet.csv --out PLACE.csv",
        "fleet audit fleet.csv --parts PLACE.csv",
        "fleet audit fleet.csv --figure PLACE.png",
        "fleet scan 127.0.0.1 --i-own-these --port 9 --out PLACE.csv",
        "fleet scan 127.0.0.1 --i-own-these --port 9 --log PLACE.jsonl",
        "screen parties.csv --lists lists --on 2026-11-22 --out PLACE.csv",
        "screen parties.csv --lists lists --on 2026-11-22 --log PLACE.jsonl",
    ],
)
def test_what_cannot_be_written_is_said_with_the_option(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "entries.csv": f"hts,origin,entry_date,value_usd\n{RIG},MY,{TODAY},100\nx,MY,{TODAY},1\n",
        "series.csv": "date,price_usd\n2026-06-10,61000\n",
        "fleet.csv": "ip,model,state\n10.0.0.1,Antminer S9,\n" if "import" in words else "maker,model\nBitmain,S21\n",
        "parties.csv": "name\nAcme\n",
        "lists/fcc.csv": "name,list\nAcme Radio,FCC\n",
        "file": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    option = next((word for word, after in pairwise(words.split()) if "PLACE" in after and word[:2] == "--"), "")
    for place in ("folder", "file/below", "/dev/null/below", "x" * 300):
        asked = words.replace("PLACE", place).split()
        if place == "folder":
            (tmp_path / asked[-1]).mkdir()
        code, out, err = run(*asked, "--json")
        (fault,) = json.loads(out)["faults"]
        assert code == 1
        assert fault["where"] == asked[-1]
        assert fault["what"]
        assert option in fault["remedy"]
        assert "Traceback" not in err
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {".csv", ""}


def test_rejected_lines_do_not_take_the_place_of_the_lines_they_come_from(run, tmp_path):
    source = tmp_path / "rated.rejects.csv"
    source.write_text(f"hts,origin,entry_date,value_usd\n{RIG},MY,{TODAY},100\n")
    code, _, err = run("duty", "--lines", source, "--out", tmp_path / "rated.csv")
    assert (code, list(tmp_path.iterdir())) == (1, [source])
    assert "--rejects" in err


RIG_WORTH = "worth --watts 3645 --power-usd-kwh 0.05 --hashprice 40 --paths 100"


@pytest.mark.parametrize(
    ("words", "file", "said"),
    [
        (f"duty --hts {RIG} --from MY --on {TODAY} --value 1 --scenario FILE", "[[chnage]]\nrate = 1\n", "'change'?"),
        ("plan rigs-2026 --start 9999-12-31", None, "--months: 36 months from 9999-12-31 end after 2199-12-31"),
        ("plan rigs-2026 --months 99999999", None, "--months: 99999999 months from"),
        ("report rigs-2026 --months 99999999", None, "--months: 99999999 months from"),
        ("clear rigs-2026 --moves --on 9999-12-31", None, "9999-12-31 lies outside"),
        (f"{RIG_WORTH} --ths 1e-320 --price-usd-ths 11", None, "--ths: 9.99989e-321 is out of range"),
        (f"{RIG_WORTH} --ths 270 --price-usd-ths 1e-320", None, "--price-usd-ths: 9.99989e-321 is out of range"),
        ("grid --mw 1e-320", None, "--mw: 9.99989e-321 is out of range"),
        ("series FILE", "x" * 200_000, "The line is not CSV"),
        ("series FILE", "time,PriceUSD\n2026-06-10," + "9" * 200_000, "The line is not CSV"),
        ("series FILE", "time,PriceUSD,FeeTotNtv,BlkCnt\n2026-06-10,61000,4,1e-308\n", "no number of blocks"),
        ("series FILE", '{"difficulty": [{"time": 1780000000, "difficulty": 1e-300}]}', "no difficulty"),
        ("series FILE", "date,price_usd,fees_btc\n2026-06-10,1e308,1e308\n", "at most 1e+18"),
        ("series FILE", '[{"timestamp": 1780000000, "avgRewards": 3e8, "avgHeight": 1e308}]', "no amount"),
        (
            "concentration --shares FILE",
            "geography,series,date,entity,country,share,entities\nbrand,a,2026,b,,0.5,1000000000000\n",
            "at most 100000",
        ),
        ("concentration rigs-2026 --plan FILE", "[" * 100_000, "This is not JSON"),
        (
            "concentration rigs-2026 --plan FILE",
            '{"flows": [], "node_costs": [{"node": [], "chance": 1}]}',
            "node_costs, 1: node are texts and chance is a number",
        ),
        ("fleet audit FILE", "maker,model,power_w,units\nBitmain,S9,1e308,9\n", "at most 1e+15"),
    ],
)
def test_what_cannot_be_reckoned_is_refused(run, tmp_path, words, file, said):
    path = tmp_path / "file"
    path.write_text(file or "")
    code, out, err = run(*[path if word == "FILE" else word for word in words.split()], "--json")
    assert code == 1
    assert all(fault["where"] and fault["what"] and fault["remedy"] for fault in json.loads(out)["faults"])
    assert said in err


def test_columns_of_lists_are_refused(run, tmp_path):
    source = tmp_path / "entries.parquet"
    lines = {"hts": [RIG], "origin": ["MY"], "entry_date": [[TODAY]], "value_usd": [{"usd": 1}]}
    pl.DataFrame(lines).write_parquet(source)
    code, _, err = run("duty", "--lines", source, "--out", tmp_path / "rated.csv")
    assert code == 1
    assert "'entry_date' holds List" in err
    assert "'value_usd' holds Struct" in err


def test_rigs_of_no_hash_rate_to_speak_of_are_not_valued(ask, tmp_path):
    path = tmp_path / "fleet.csv"
    path.write_text("maker,model,hash_ths,power_w\nBitmain,S9,1e-308,1\n")
    document = ask("fleet", "audit", path, "--power-usd-kwh", 0.05, "--hashprice", 40)
    assert document["value"]["unvalued_rigs"] == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("supplies", ",4,", ",1e308,", "at most 1e+12"),
        ("products", ",20,200,", ",20,1e-308,", "at least 1e-06"),
        ("parts", "3,yes\nboard,chip,100", "1e12,yes\nboard,chip,1e12", "more than can be reckoned"),
    ],
)
def test_a_unit_is_not_reckoned_with_numbers_that_are_slips(run, tmp_path, file, old, new, said):
    folder = tiny_network(tmp_path / "net", **{file: lambda text: text.replace(old, new)})
    code, _, err = run("land", folder, "--on", TODAY)
    assert code == 1
    assert said in err


def test_a_plan_without_demand_in_its_months_has_no_shadow_price_of_it(ask, tmp_path):
    folder = tiny_network(tmp_path / "net", demand=lambda text: text.replace(",,100", ",99,100"))
    document = ask("plan", folder, "--start", TODAY, "--months", 6, "--shadow")
    assert (document["status"], document["shadow"]) == ("optimal", [])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_of_another_encoding_gets_an_answer(tmp_path, encoding):
    folder = tiny_network(tmp_path / os.fsdecode(b"folder \xff \xc2\xb7"))
    program = "from ashore.cli import main; main()"
    for words in (["check", folder, "--json"], ["check", folder], ["grid", "--mw", "2000"]):
        found = subprocess.run(
            [sys.executable, "-c", program, *words],
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": encoding},
            check=True,
        )
        assert "--json" not in words or json.loads(found.stdout)["folder"] == str(folder)


def test_an_answer_nobody_takes_is_no_traceback():
    program = "from ashore.cli import main; main()"
    words = [sys.executable, "-c", program, "grid", "--mw", "2000"]
    found = subprocess.run(words, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1), check=True)
    assert found.stderr == b""


def test_what_the_system_refuses_is_no_traceback(run):
    code, out, err = run("land", "x" * 300, "--on", TODAY, "--json")
    assert (code, json.loads(out)["error"]) == (1, "FaultyInput")
    assert "too long" in err


def test_a_scenario_file_changes_the_answer(ask, tmp_path):
    scenario = tmp_path / "double.toml"
    scenario.write_text(
        '[[change]]\nheading = "9999.00.01"\nauthority = "what if"\norigins = ["MY"]\n'
        'products = ["8543.70.98"]\nkind = "add"\nrate = 0.25\n'
    )
    words = ["duty", "--hts", RIG, "--from", "MY", "--on", TODAY, "--value", "100"]
    assert ask(*words, "--scenario", scenario)["duty_usd"] == pytest.approx(37.60)
    assert ask(*words)["duty_usd"] == pytest.approx(12.60)


def test_a_file_of_lines_is_rated_with_its_columns_kept(ask, tmp_path):
    source, out = tmp_path / "entries.csv", tmp_path / "rated.csv"
    source.write_text(
        "line_id,hts,origin,entry_date,value_usd\n"
        f"a,{RIG},MY,{TODAY},2970\n"
        f"b,{RIG},CN,2025-04-10,100\n"
        f"c,2710.19.30,CN,{TODAY},100\n"
    )
    summary = ask("duty", "--lines", source, "--out", out)
    assert (summary["lines"], summary["unresolved"]) == (3, 1)
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["line_id"] for row in rows] == ["a", "b", "c"]
    assert float(rows[0]["duty_usd"]) == 374.22
    assert float(rows[1]["rate"]) == pytest.approx(1.726)
    assert (rows[2]["duty_usd"], rows[2]["status"]) == ("", "unresolved")


def test_bad_lines_of_a_file_are_set_aside_said_and_counted(run, tmp_path):
    source, out = tmp_path / "entries.csv", tmp_path / "rated.csv"
    source.write_text(f"hts,origin,entry_date,value_usd\n{RIG},MY,{TODAY},2970\n8543.70.99,MY,{TODAY},1\n")
    code, text, err = run("duty", "--lines", source, "--out", out, "--json")
    assert code == 1
    document = json.loads(text)
    assert (document["lines"], document["rejected"], document["resolved"]) == (2, 1, 1)
    assert "replaced by 8543.70.98" in err
    assert "row 3" in (tmp_path / "rated.rejects.csv").read_text() + err


def test_rules_lists_what_is_in_force_and_diff_says_for_whom_it_changed(ask):
    document = ask("rules", "--on", TODAY, "--hts", "8543.70.98", "--from", "MY")
    assert "9903.05.54" in {rule["heading"] for rule in document["rules"]}
    assert "9903.88.02" not in {rule["heading"] for rule in document["rules"]}
    changed = ask("rules", "--diff", "2026-07-23", "2026-07-24", "--hts", "8543.70.98")
    assert "9903.03.01" in {rule["heading"] for rule in changed["ended"]}
    by_origin = {code: (g["rate_before"], g["rate_after"]) for g in changed["origins"] for code in g["origins"]}
    assert by_origin["TW"] == pytest.approx((0.126, 0.10))
    assert by_origin["LA"] == pytest.approx((0.126, 0.026))
    assert "MY" not in by_origin


def test_check_passes_the_shipped_book_and_case(ask):
    assert ask("check")["faults"] == []
    assert ask("check", "rigs-2026")["faults"] == []


def test_check_names_every_fault_of_a_copied_and_broken_case(run, ask, tmp_path):
    folder = tmp_path / "mine"
    ask("case", "copy", "rigs-2026", folder)
    plants = folder / "plants.csv"
    plants.write_text(plants.read_text().replace("capacity_month", "capacity_moth", 1))
    lanes = folder / "lanes.csv"
    first, second, rest = lanes.read_text().split("\n", 2)
    lanes.write_text("\n".join([first, second.replace(second.split(",")[0], "Atlantis", 1), rest]))
    code, out, err = run("check", folder, "--json")
    assert code == 1
    faults = json.loads(out)["faults"]
    assert {"plants.csv", "lanes.csv"} <= {fault["where"].split("/")[-1] for fault in faults}
    assert "Atlantis" in err
    assert "capacity_month" in err


def test_case_list_and_copy(ask, run, tmp_path):
    assert "rigs-2026" in {case["case"] for case in ask("case", "list")["cases"]}
    ask("case", "copy", "rigs-2026", tmp_path / "mine")
    assert (tmp_path / "mine" / "futures" / "law-to-2029.toml").is_file()
    assert run("case", "copy", "rigs-2026", tmp_path / "mine")[0] == 1


def test_land_ranks_routes_whose_parts_sum_to_the_cent(ask):
    document = ask("land", "rigs-2026", "--on", TODAY)
    assert len(document["routes"]) > 50
    for route in document["routes"]:
        assert set(route["parts"]) == {"make", "bought", "freight", "insurance", "duty", "fees", "carrying"}
        assert round(sum(route["parts"].values()) * 100) == round(route["usd_unit"] * 100)
        fields = {"product", "maker", "plant", "origin", "market", "mode", "days", "usd_unit", "usd_ths"}
        assert fields <= set(route)
    only = ask("land", "--on", TODAY, "--product", "s21-xp", "--market", document["routes"][0]["market"])["routes"]
    assert {route["product"] for route in only} == {"s21-xp"}
    assert [r["usd_unit"] for r in only] == sorted(r["usd_unit"] for r in only)


def test_plan_gives_the_document_of_the_contract(ask):
    document = ask("plan", "rigs-2026", "--start", TODAY, "--months", 6)
    fields = {"status", "objective_usd", "bound_usd", "gap", "cost_usd", "tail_usd", "revenue_usd", "seconds"}
    assert fields | {"columns", "rows", "open", "make", "flows", "lost", "duty_usd", "node_costs"} <= set(document)
    assert set(document["seconds"]) == {"build", "solve"}
    assert any("held" in note for note in document["notes"])


def test_the_command_starts_cold_as_a_process():
    words = ["duty", "--hts", RIG, "--from", "MY", "--on", TODAY, "--value", "2970", "--json"]
    code = "from ashore.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["duty_usd"] == 374.22


def test_an_origin_in_doubt_shows_both_outcomes_the_expectation_and_the_exposure(ask, run):
    """The dispute over rigs entered as Malaysian in 2024: 25 per cent on an implied 400 million USD."""
    words = ["duty", "--hts", "8543.70.98", "--origins", "MY:0.7,CN:0.3", "--on", "2024-06-01", "--value", 400_000_000]
    document = ask(*words)
    assert [origin["origin"] for origin in document["origins"]] == ["MY", "CN"]
    assert document["duty_usd"] == 10_400_000
    assert document["exposure_usd"] == 100_000_000
    assert document["expected_usd"] == 40_400_000
    assert "exposure" in run(*words)[1]
    assert run(*words[:3], "--origins", "MY:0.7,CN:0.2", *words[5:])[0] == 1
    assert run(*words, "--from", "MY")[0] == 2


def test_the_two_clocks_as_filed_and_as_corrected(ask):
    words = ["duty", "--hts", RIG, "--from", "JP", "--on", "2025-08-20", "--value", 100]
    assert ask(*words, "--known", "2025-08-20")["duty_usd"] == 17.60
    assert ask(*words)["duty_usd"] == 15.00
    assert ask(*words, "--known", "2025-09-16")["duty_usd"] == 15.00


VERBS = ("duty", "rules", "check", "case copy", "land", "plan", "clear", "report", "worth", "offers", "series")
VERBS += ("screen",)


@pytest.mark.parametrize("verb", VERBS)
def test_help_says_what_every_option_is(run, verb):
    """Each name under "Parameters" is followed by what it means, and the help shows it."""
    command = cli.app
    for name in verb.split():
        command = command[name]
    code, out, _ = run(*verb.split(), "--help")
    assert code == 0
    shown = re.sub(r"[\s│]+", " ", out)
    described = re.findall(r"^ +(\w+):\n +(.+)$", command.default_command.__doc__, re.MULTILINE)
    assert described
    for name, meaning in described:
        assert " ".join(meaning.split()[:3]) in shown, name
    assert not re.findall(r"^ +\w+: \S", command.default_command.__doc__.partition("-----")[2], re.MULTILINE)


def test_a_scenario_without_changes_is_the_law_as_it_stands(ask, tmp_path):
    empty = tmp_path / "empty.toml"
    empty.write_text('name = "as it stands"\n', encoding="utf-8")
    words = ("duty", "--hts", RIG, "--from", "CN", "--on", TODAY, "--value", 2970)
    assert ask(*words, "--scenario", empty) == ask(*words)


def test_faults_of_all_files_of_a_screening_come_at_once(run, tmp_path):
    for name in ("parties", "bom", "owners", "reviews"):
        (tmp_path / f"{name}.csv").write_text("nonsense\n1\n", encoding="utf-8")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "list.json").write_text("{", encoding="utf-8")
    files = [word for name in ("bom", "owners", "reviews") for word in (f"--{name}", tmp_path / f"{name}.csv")]
    words = ("screen", tmp_path / "parties.csv", "--lists", tmp_path / "lists", "--on", TODAY, *files)
    code, out, _ = run(*words, "--json")
    assert code == 1
    named = {fault["where"] for fault in json.loads(out)["faults"]}
    assert named == {"parties.csv", "bom.csv", "owners.csv", "reviews.csv", "list.json"}


def test_faults_of_all_files_of_an_audit_come_at_once(run, tmp_path):
    for name in ("fleet.csv", "weak.csv"):
        (tmp_path / name).write_text("nonsense\n1\n", encoding="utf-8")
    (tmp_path / "work.toml").write_text("nonsense = 1\n", encoding="utf-8")
    words = ("fleet", "audit", tmp_path / "fleet.csv", "--weaknesses", tmp_path / "weak.csv")
    code, out, _ = run(*words, "--work", tmp_path / "work.toml", "--json")
    assert code == 1
    assert {fault["where"] for fault in json.loads(out)["faults"]} == {"fleet.csv", "weak.csv", "work.toml"}
