"""Screening from end to end: list files, evidence and outcomes, owners, parts, reviews, the log, and the command."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ashore.errors import FaultyInput
from ashore.parties import (
    NO_LIST_MATCH,
    POTENTIAL_MATCH,
    REVIEW,
    Party,
    Screener,
    Share,
    log,
    reached,
    read_lists,
    screen,
)
from ashore.parties.entries import Entry, Name
from ashore.parties.known import hooks, lists, share_rules
from ashore.parties.ownership import CANNOT_EXCLUDE, MILLION, NO, YES
from ashore.parties.screening import RANK

ON = date(2026, 11, 22)
KEYS = os.environ.get("ASHORE_KEYS")
CSL_HEADER = """
_id source entity_number type programs name title addresses federal_register_notice start_date end_date standard_order
license_requirement license_policy call_sign vessel_type gross_tonnage gross_registered_tonnage vessel_flag vessel_owner
remarks source_list_url alt_names citizenships dates_of_birth nationalities places_of_birth source_information_url ids
"""
ENTITY = "Entity List (EL) - Bureau of Industry and Security"
BLOCKED = "Specially Designated Nationals (SDN) - Treasury Department"
RECORDS = [
    {
        "_id": "a1",
        "source": ENTITY,
        "name": "Brightforge Semiconductor Co., Ltd.",
        "alt_names": ["Liangzhu Semiconductor", "辉铸半导体"],
        "addresses": [{"address": "12 Harbour Road, Unit 7", "city": "Xiamen", "state": None, "country": "CN"}],
        "start_date": "2025-01-16",
        "federal_register_notice": "90 FR 4621",
        "license_requirement": "For all items subject to the EAR.",
        "license_policy": "Presumption of denial.",
    },
    {
        "_id": "77",
        "source": BLOCKED,
        "entity_number": 77,
        "type": "Entity",
        "name": "ORLOVSK HOLDING JSC",
        "programs": ["RUSSIA-EO14024"],
        "addresses": [],
    },
    {
        "_id": "a1",
        "source": "Denied Persons List (DPL) - Bureau of Industry and Security",
        "name": "Harold Q. Pemberton",
        "start_date": "2017-10-16",
        "end_date": "2020-10-13",
    },
]
SDN = (
    '36,"TAMARIND AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"a.k.a. \'TAMAIR\'."\r\n'
    '77,"ORLOVSK HOLDING JSC",-0- ,"RUSSIA-EO14024",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n\x1a'
)
ALT = '36,1,"aka","AEROTAMARINDO",-0- \r\n'
ADD = '36,1,"Calle 23, No. 64","Havana","Cuba",-0- \r\n'


def flat(record):
    """A record as the CSV edition writes it."""
    cells = {}
    for key, value in record.items():
        if key == "addresses":
            cells[key] = "; ".join(", ".join(str(x) for x in one.values() if x) for one in value)
        else:
            cells[key] = "; ".join(value) if isinstance(value, list) else value
    return cells


def csl(kind, records=RECORDS):
    if kind == "json":
        return json.dumps({"results": records}, ensure_ascii=False)
    text = io.StringIO()
    writer = csv.DictWriter(text, CSL_HEADER.split(), delimiter="\t" if kind == "tsv" else ",", restval="")
    writer.writeheader()
    writer.writerows(map(flat, records))
    return text.getvalue()


def folder_of(path, **files):
    """A folder with a file for each keyword, the last _ of its name being the dot."""
    path.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        data = text if isinstance(text, bytes) else text.encode()
        (path / f"{stem}-2026-11-20.{suffix}").write_bytes(data)
    return path


def ask_for(folder, *parties, on=ON, **more):
    who = [party if isinstance(party, Party) else Party(party) for party in parties]
    return screen(who, read_lists(folder), on, **more)


# Lists


@pytest.mark.parametrize("kind", ["json", "csv", "tsv"])
def test_the_consolidated_list_reads_alike_in_its_three_formats(tmp_path, kind):
    """Told apart by what is in them: the names of the files say nothing."""
    path = tmp_path / "lists"
    path.mkdir()
    (path / "download 2026-11-20.txt").write_text(csl(kind), encoding="utf-8-sig" if kind == "csv" else "utf-8")
    found = read_lists(path)
    assert [entry.key for entry in found.entries] == [("EL", "a1"), ("SDN", "77"), ("DPL", "a1")]
    first = found.entries[0]
    assert [name.text for name in first.names] == [
        "Brightforge Semiconductor Co., Ltd.",
        "Liangzhu Semiconductor",
        "辉铸半导体",
    ]
    assert first.countries == {"CN"}
    assert "Harbour Road" in first.addresses[0]
    assert (first.notice, first.start, first.licence_policy) == (
        "90 FR 4621",
        date(2025, 1, 16),
        "Presumption of denial.",
    )
    assert found.files[0].day == date(2026, 11, 20)
    assert len(found.files[0].sha256) == 64


def test_ofac_files_are_put_together_and_an_entry_of_two_lists_is_one(tmp_path):
    folder = folder_of(tmp_path, sdn_csv=SDN, alt_csv=ALT, add_csv=ADD, csl_json=csl("json"))
    found = read_lists(folder)
    assert [entry.key for entry in found.entries].count(("SDN", "77")) == 1
    airline = next(entry for entry in found.entries if entry.id == "36")
    assert airline.names == (Name("TAMARIND AIRLINES"), Name("TAMAIR", weak=True), Name("AEROTAMARINDO"))
    assert airline.countries == {"CU"}
    assert airline.addresses == ("Calle 23, No. 64, Havana, Cuba",)
    both = next(entry for entry in found.entries if entry.id == "77")
    assert len(both.files) == 2


def test_aliases_without_their_entries_are_refused(tmp_path):
    with pytest.raises(FaultyInput, match=r"alt-2026-11-20\.csv, row 1: No file has the entry 36"):
        read_lists(folder_of(tmp_path, alt_csv=ALT, csl_json=csl("json")))


def test_simple_lists_say_which_list_they_are(tmp_path):
    text = "name,aliases,country,list,equipment\nAcme Radio,Acme; 阿克米,CN,FCC,radios\nBeta Works,,,UFLPA,\n"
    folder = folder_of(tmp_path, any_csv=text, sec1260h_csv="company\nGamma Works\n")
    (folder / "1260h-2026-11-20.csv").write_text("company\nDelta Works\n")
    found = read_lists(folder)
    assert {(entry.name, entry.list) for entry in found.entries} == {
        ("Acme Radio", "FCC"),
        ("Beta Works", "UFLPA"),
        ("Gamma Works", "sec1260h-2026-11-20"),
        ("Delta Works", "1260H"),
    }
    assert found.absent == tuple(code for code, one in lists().items() if code not in {"FCC", "UFLPA", "1260H"})


def test_two_entries_under_one_key_are_both_kept(tmp_path):
    twice = [RECORDS[0], RECORDS[0] | {"name": "Another Foundry"}]
    found = read_lists(folder_of(tmp_path, csl_json=csl("json", twice)))
    assert [(entry.id, entry.name) for entry in found.entries] == [
        ("a1", "Brightforge Semiconductor Co., Ltd."),
        ("a1#2", "Another Foundry"),
    ]


JSON, CSV = csl("json"), csl("csv")
BROKEN = {
    "truncated object": (JSON[: len(JSON) // 2], "cut off or malformed"),
    "truncated after an object": (JSON[:-2], "cut off or malformed"),
    "no end of the document": (JSON[:-1], "cut off or malformed after its list"),
    "other JSON": ('{"error": "rate limit"}', "no list"),
    "not objects": ('{"results": [1, 2]}', "not an object|cut off"),
    "no name": ('{"results": [{"source": "Entity List (EL)"}]}', "no name"),
    "deep": ('{"results": [' + '{"a":' * 100_000, "cut off or malformed"),
    "a long number": ('{"results": [{"a": ' + "9" * 5000 + "}]}", "cut off or malformed"),
    "truncated CSV": (CSV[: CSV.rindex(",")], "cells"),
    "open quote": (CSV + '"abc', "not CSV"),
    "Latin-1": (CSV.replace("Liangzhu", "Liängzhu").encode("latin-1", "replace"), "not UTF-8"),
    "UTF-16": (CSV.encode("utf-16"), "UTF-16"),
    "spreadsheet": (b"PK\x03\x04 etc", "ZIP archive"),
    "web page": ("<!DOCTYPE html><p>503</p>", "web page"),
    "XML": ('<?xml version="1.0"?><sdnList/>', "XML"),
    "NUL bytes": (b"name,list\nA\0B,EL\n", "NUL"),
    "empty": ("", "empty"),
    "header only": (CSV.split("\n", 1)[0] + "\n", "no entry"),
    "unknown": ("colour,size\nred,4\n", "known shape"),
    "no comma": ("lorem ipsum\n", "known shape"),
    "OFAC row of another width": (SDN.replace('"CUBA",-0- ,', '"CUBA",'), "11 cells|known shape"),
    "a date that is none": ("name,start\nA Works,2025-13-40\n", "not a date"),
    "a country that is none": ("name,country\nA Works,Atlantis\n", "not a country"),
    "old line ends": (b'n:a\r"me:a\rme,', "known shape|not CSV"),
    "a column twice": ("name,name\nA Works,B\n", "there twice"),
}


@pytest.mark.parametrize(("data", "what"), BROKEN.values(), ids=BROKEN)
def test_a_list_that_cannot_be_read_whole_is_refused(tmp_path, run, data, what):
    folder = folder_of(tmp_path / "lists", a_csv=data, b_csv=SDN)
    with pytest.raises(FaultyInput, match=what) as refused:
        read_lists(folder)
    assert all(fault.remedy for fault in refused.value.faults)
    (tmp_path / "p.csv").write_text("name\nAcme\n")
    code, out, err = run("screen", tmp_path / "p.csv", "--lists", folder, "--on", ON, "--json")
    assert code == 1
    assert json.loads(out)["faults"]
    assert "Traceback" not in err


@settings(max_examples=150)
@given(data=st.data())
def test_no_damage_to_a_list_gives_anything_but_entries_or_faults(tmp_path_factory, data):
    whole = data.draw(st.sampled_from([JSON, CSV, csl("tsv"), SDN, "name,list\nA Works,FCC\nB,UFLPA\n"])).encode()
    damage = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(whole)), st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=4
        )
    )
    for place, gone, put in damage:
        whole = whole[:place] + put + whole[place + gone :]
    folder = folder_of(tmp_path_factory.mktemp("fuzz"), a_csv=whole)
    try:
        count = len(read_lists(folder).entries)
    except FaultyInput as refused:
        count = len(refused.faults)
    assert count


def test_a_large_list_is_read_record_by_record(tmp_path):
    """More than any one read takes in: entries that straddle the reads are whole, and none is lost."""
    count = 3_000
    filler = "x" * 900
    records = [{"_id": str(n), "source": ENTITY, "name": f"Foundry {n}", "remarks": filler} for n in range(count)]
    found = read_lists(folder_of(tmp_path, a_json=csl("json", records)))
    assert [entry.id for entry in found.entries] == [str(n) for n in range(count)]


@pytest.mark.skipif(not KEYS, reason="needs the folder of keys (ASHORE_KEYS)")
@pytest.mark.parametrize(("file", "count"), [("csl_sample.csv", 115), ("consolidated_sample.csv", 13)])
def test_every_entry_of_the_published_samples_is_found_under_each_of_its_names(tmp_path, file, count):
    shutil.copy(Path(KEYS or "") / file, tmp_path / file)
    held = read_lists(tmp_path)
    assert len(held.entries) == count
    names = [(entry, name) for entry in held.entries for name in entry.names]
    results = Screener(held.entries, date(2026, 11, 25)).results([Party(name.text) for _, name in names])
    for (entry, name), result in zip(names, results, strict=True):
        hit = next(hit for hit in result.hits if hit.entry.key == entry.key)
        assert hit.match.score >= 0.93
        expected = REVIEW if name.weak or not entry.in_force(date(2026, 11, 25)) else POTENTIAL_MATCH
        assert hit.outcome == expected
    assert all(hit.entry.list in lists() for result in results for hit in result.hits)


# Evidence and outcomes


def test_outcomes_follow_the_evidence(tmp_path):
    folder = folder_of(tmp_path, csl_json=csl("json"), sdn_csv=SDN)
    address = "Unit 7, 12 Harbour Road, Xiamen"
    cases = {
        Party("Brightforge Semiconductor"): POTENTIAL_MATCH,
        Party("辉铸半导体有限公司"): POTENTIAL_MATCH,
        Party("Brightforge Semiconductor", country="CN"): POTENTIAL_MATCH,
        Party("Brightforge Semiconductor", country="BR"): REVIEW,  # the name alone, elsewhere
        Party("Brightforge Semiconductor", country="BR", address=address): POTENTIAL_MATCH,
        Party("Britforge Semiconducter Works", country="CN", address=address): POTENTIAL_MATCH,
        Party("Unheard Of Ltd", aliases=("Liangzhu Semiconductor",)): POTENTIAL_MATCH,
        Party("Harold Pemberton"): REVIEW,  # the order ended in 2020
        Party("Tamair"): REVIEW,  # a weak alias
        Party("Tamarind Airlines", country="CU"): POTENTIAL_MATCH,
        Party("Northwind Mining"): NO_LIST_MATCH,
    }
    found = ask_for(folder, *cases)
    assert {result.party: result.outcome for result in found.results} == cases
    assert found.counts == {NO_LIST_MATCH: 1, REVIEW: 3, POTENTIAL_MATCH: 7}


def test_a_measure_counts_on_its_own_days(tmp_path):
    folder = folder_of(tmp_path, csl_json=csl("json"))
    found = ask_for(folder, "Harold Pemberton", "Brightforge Semiconductor", on=date(2019, 1, 1)).results
    assert [result.outcome for result in found] == [POTENTIAL_MATCH, REVIEW]


words = st.sampled_from(
    ["brightforge", "semiconductor", "orlovsk", "holding", "tamarind", "pemberton", "harold", "north"]
)
parties_ = st.builds(
    Party,
    name=st.lists(words, min_size=1, max_size=3).map(" ".join),
    country=st.sampled_from([None, "CN", "RU", "BR"]),
    address=st.sampled_from(["", "12 Harbour Road, Xiamen", "9 Elm Street"]),
)
entries_ = st.lists(
    st.builds(
        lambda n, name, country, end, weak: Entry(
            "EL", f"{n}", ENTITY, (Name(name, weak),), countries=frozenset(country), end=end
        ),
        st.integers(0, 10**9),
        st.lists(words, min_size=1, max_size=3).map(" ".join),
        st.lists(st.sampled_from(["CN", "RU"]), max_size=1),
        st.sampled_from([None, ON - timedelta(days=1), ON]),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda entry: entry.id,
)


@given(parties_, entries_, entries_)
def test_more_lists_never_lower_an_outcome(party, some, more):
    held = {entry.id: entry for entry in [*more, *some]}
    before = Screener(some, ON).results([party])[0]
    after = Screener(list(held.values()), ON).results([party])[0]
    assert RANK[after.outcome] >= RANK[before.outcome]
    assert {hit.entry.id for hit in before.hits} <= {hit.entry.id for hit in after.hits}


@given(parties_, entries_)
def test_more_aliases_never_lower_an_outcome(party, entries):
    more = Party(party.name, country=party.country, address=party.address, aliases=("Orlovsk Holding",))
    screener = Screener(entries, ON)
    assert RANK[screener.results([more])[0].outcome] >= RANK[screener.results([party])[0].outcome]


# Owners

NAMES = "ABCDEF"


@st.composite
def stakes(draw):
    """Shares in millionths from low to high, of which every party's low ends are at most the whole."""
    shares = []
    for owned in NAMES:
        left = MILLION
        for owner in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
            if owner != owned:
                low = draw(st.integers(0, left))
                high = draw(st.integers(low, MILLION))
                left -= low
                shares.append(Share(owner, owned, low, high))
    return shares


@given(stakes(), st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)), st.data())
def test_the_interval_holds_every_completion(shares, listed, doubtful, data):
    """Whatever the shares are between their ends, and whoever of the doubtful is listed, the answer holds."""
    half = MILLION // 2
    bounds = reached(shares, listed, doubtful - listed, half)
    left = {owned: MILLION - sum(s.low for s in shares if s.owned == owned) for owned in NAMES}
    exact = []
    for share in shares:
        more = data.draw(st.integers(0, min(share.high - share.low, left[share.owned])))
        left[share.owned] -= more
        exact.append(Share(share.owner, share.owned, share.low + more, share.low + more))
    truly = listed | data.draw(st.sets(st.sampled_from(sorted(doubtful))) if doubtful else st.just(set()))
    for name, point in reached(exact, truly, set(), half).items():
        assert bounds[name].low <= point.low == point.high <= bounds[name].high
        assert bounds[name].answer in (CANNOT_EXCLUDE, point.answer)
        assert point.answer in (YES, NO)


def test_shares_add_up_through_chains_and_meet_the_half_exactly():
    tenth = MILLION // 10
    shares = [Share(f"L{n}", "Holding", tenth, tenth) for n in range(5)]
    shares += [Share("Holding", "Maker", 3 * tenth, 7 * tenth), Share("Other", "Maker", 3 * tenth, 3 * tenth)]
    found = reached(shares, {f"L{n}" for n in range(5)}, set(), MILLION // 2)
    assert found["Holding"].answer == YES  # five tenths are the half, not 0.49999
    assert (found["Maker"].answer, found["Maker"].low, found["Maker"].high) == (CANNOT_EXCLUDE, 3 * tenth, 7 * tenth)
    assert reached(shares, {"L0"}, set(), MILLION // 2)["Maker"].answer == NO


def test_a_ring_of_owners_reaches_nobody_by_itself():
    ring = [Share("A", "B", MILLION, MILLION), Share("B", "A", MILLION, MILLION)]
    assert {one.answer for one in reached(ring, set(), set(), MILLION // 2).values()} == {NO}


@pytest.mark.parametrize(
    ("on", "in_force", "outcome"),
    [
        (date(2025, 9, 28), None, NO_LIST_MATCH),
        (date(2025, 9, 29), True, POTENTIAL_MATCH),
        (date(2025, 11, 10), False, NO_LIST_MATCH),
        (date(2026, 11, 9), False, NO_LIST_MATCH),
        (date(2026, 11, 10), True, POTENTIAL_MATCH),
    ],
)
def test_the_affiliates_rule_is_switched_by_the_day(tmp_path, on, in_force, outcome):
    folder = folder_of(tmp_path, csl_json=csl("json"))
    stake = [Share("Brightforge Semiconductor", "Calm Boards", 550_000, 550_000)]
    result = ask_for(folder, "Calm Boards", on=on, shares=stake, days=10_000).results[0]
    states = {owned.rule.rule: owned.state for owned in result.owned}
    assert (states["BIS affiliates"].in_force if "BIS affiliates" in states else None) is in_force
    assert result.outcome == outcome


def test_rules_whose_state_nobody_verified_say_so():
    rule = next(rule for rule in share_rules() if rule.rule == "BIS affiliates")
    state = rule.state(date(2026, 11, 22))
    assert state is not None
    assert state.in_force
    assert not state.verified
    assert "verify" in state.note


# Lists and rules as data


def test_every_list_has_a_hook_and_a_source_and_no_text_says_banned_or_clear():
    texts = [*hooks().values()]
    for one in lists().values():
        assert one.hook in hooks()
        assert one.source
        assert one.within in ("", *lists())
        texts += [one.title, one.note]
    texts += [rule.about for rule in share_rules()]
    assert {rule.hook for rule in share_rules()} <= set(hooks())
    assert not [text for text in texts if {"banned", "clear", "cleared"} & set(text.casefold().split())]


# The command


@pytest.fixture
def setting(tmp_path):
    folder_of(tmp_path / "lists", csl_json=csl("json"), sdn_csv=SDN, fcc_csv="name,list\nAcme Radio,FCC\n")
    (tmp_path / "parties.csv").write_text(
        "name,id,country,address,aliases,owners\n"
        "Brightforge Semiconductor,p1,CN,,,\n"
        "Northwind Mining,p2,US,,,Orlovsk Holding: 0.4-0.6; Jane Roe: ?\n"
        "Calm Boards,p3,US,,,\n"
    )
    return tmp_path


def test_the_command_gives_evidence_hook_hash_and_day(setting, ask, run):
    words = ("screen", setting / "parties.csv", "--lists", setting / "lists", "--on", ON)
    document = ask(*words)
    assert document["outcomes"] == {NO_LIST_MATCH: 1, REVIEW: 1, POTENTIAL_MATCH: 1}
    bright, north, calm = document["parties"]
    hit = bright["hits"][0]
    assert (hit["list"], hit["id"], hit["hook"], hit["score"]) == ("EL", "a1", "export_licence", 1)
    assert {reason["field"]: reason["says"] for reason in hit["reasons"]} == {"name": "agrees", "country": "agrees"}
    assert hit["matched"]["pairs"] == [
        {"ours": "brightforge", "theirs": "brightforge", "likeness": 1},
        {"ours": "semiconductor", "theirs": "semiconductor", "likeness": 1},
    ]
    assert {(one["rule"], one["answer"]) for one in north["ownership"]} == {
        ("OFAC 50 per cent", CANNOT_EXCLUDE),
        ("BIS affiliates", CANNOT_EXCLUDE),
    }
    assert north["ownership"][0]["share_high"] == 0.6
    assert calm["outcome"] == NO_LIST_MATCH
    assert document["not_screened"] == ["1260H", "UFLPA"]
    assert len(document["lists_sha256"]) == 64
    assert {one["date"] for one in document["lists"]} == {"2026-11-20"}
    code, out, _ = run(*words)
    assert code == 0
    assert "Presumption" not in out
    assert "hook: export_licence" in out
    assert "cannot exclude" in out


def test_a_rig_takes_over_what_the_makers_of_its_parts_hit(setting, ask):
    (setting / "bom.csv").write_text(
        "product,part,maker,country\n"
        "s21,control board,Harmless Boards,CN\n"
        "control board,CV1835,Liangzhu Semiconductor Ltd,CN\n"
        "s21,fan,,\n"
        "t21,fan 2,Harmless Fans,\n"
    )
    words = ("screen", setting / "parties.csv", "--lists", setting / "lists", "--on", ON, "--bom", setting / "bom.csv")
    s21, t21 = ask(*words)["products"]
    assert (s21["product"], s21["outcome"]) == ("s21", POTENTIAL_MATCH)
    assert s21["parts"][0]["path"] == ["s21", "control board", "CV1835"]
    assert s21["parts"][0]["hits"][0]["list"] == "EL"
    assert s21["without_maker"] == ["fan"]
    assert (t21["product"], t21["outcome"]) == ("t21", NO_LIST_MATCH)


def test_a_part_that_goes_into_itself_is_refused(setting, run):
    (setting / "bom.csv").write_text("product,part,maker\na,b,X Works\nb,a,Y Works\n")
    words = ("screen", setting / "parties.csv", "--lists", setting / "lists", "--on", ON, "--bom", setting / "bom.csv")
    code, _, err = run(*words)
    assert code == 1
    assert "goes into itself" in err


def test_a_reviewed_hit_is_set_aside_until_its_day_and_only_while_the_entry_stays(setting, ask):
    words = ["screen", setting / "parties.csv", "--lists", setting / "lists", "--on"]
    mark = ask(*words, ON)["parties"][0]["hits"][0]["fingerprint"]
    header = "party,list,id,decision,until,reviewer,reason,fingerprint\n"
    row = "BRIGHTFORGE SEMICONDUCTOR LTD,EL,a1,safe,2026-11-25,J. Roe,another company of that name,"

    def outcome(fingerprint, on):
        (setting / "reviews.csv").write_text(header + row + fingerprint + "\n")
        return ask(*words, on, "--reviews", setting / "reviews.csv")["parties"][0]

    held = outcome(mark, ON)
    assert held["outcome"] == NO_LIST_MATCH
    assert held["hits"][0]["set_aside"]
    assert held["hits"][0]["reviews"][0]["reviewer"] == "J. Roe"
    assert outcome("0000000000000000", ON)["outcome"] == POTENTIAL_MATCH
    assert outcome(mark, date(2026, 11, 26))["outcome"] == POTENTIAL_MATCH


def test_missing_and_stale_lists_stop_the_screening(setting, run):
    words = ["screen", setting / "parties.csv", "--on", ON]
    (setting / "none").mkdir()
    for more, what in (
        (["--lists", setting / "none"], "holds no list"),
        (["--lists", setting / "nowhere"], "cannot be read"),
        (["--lists", setting / "lists", "--need", "CSL,1260H"], "The list 1260H is missing"),
        (["--lists", setting / "lists", "--days", 1], "2 days before 2026-11-22"),
    ):
        code, out, err = run(*words, *more)
        assert code == 1
        assert what in err
        assert not out
    assert run(*words, "--lists", setting / "lists", "--need", "CSL,FCC", "--need", "SDN")[0] == 0


def test_the_log_only_grows_and_notices_what_was_changed_or_has_gone(setting, run, ask):
    book = setting / "screenings.jsonl"
    words = ("screen", setting / "parties.csv", "--lists", setting / "lists", "--on", ON, "--log", book)
    first, second = ask(*words), ask(*words)
    lines = book.read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["previous"] == first["log_sha256"]
    assert log.last(book)["sha256"] == second["log_sha256"]
    (setting / "lists" / "fcc-2026-11-20.csv").unlink()
    code, _, err = run(*words)
    assert code == 1
    assert "The list FCC is missing" in err
    book.write_text("\n".join([lines[0].replace("Northwind", "Southwind"), lines[1]]) + "\n")
    code, _, err = run(*words)
    assert code == 1
    assert "row 1" in err
    assert "changed" in err


def test_the_table_of_hits_has_a_row_a_hit_and_runs_in_no_spreadsheet(setting, ask):
    (setting / "parties.csv").write_text("name\nBrightforge Semiconductor\n=cmd Acme\n")
    ask("screen", setting / "parties.csv", "--lists", setting / "lists", "--on", ON, "--out", setting / "hits.csv")
    rows = list(csv.DictReader((setting / "hits.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["party"], row["outcome"], row["entry_id"]) for row in rows] == [
        ("Brightforge Semiconductor", POTENTIAL_MATCH, "a1"),
        ("'=cmd Acme", NO_LIST_MATCH, ""),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name\n", "no party"),
        ("title\nAcme\n", "column 'name' is missing"),
        ("name\n***\n", "Nothing in the name"),
        ("name,country\nAcme,China\n", "not a country code"),
        ("name,owners\nAcme,Jane Roe half\n", "not an owner with a share"),
        ("name,owners\nAcme,Jane Roe: 0.7-0.2\n", "runs from 0.7 to 0.2"),
        ("name,owners\nAcme,Jane Roe: 0.7; Jim Roe: 0.7\n", "140.00%"),
    ],
)
def test_faulty_parties_are_refused_with_what_to_do(setting, run, text, what):
    (setting / "parties.csv").write_text(text)
    code, _, err = run("screen", setting / "parties.csv", "--lists", setting / "lists", "--on", ON)
    assert code == 1
    assert what in err


def test_owners_may_stand_in_a_file(setting, ask):
    (setting / "owners.csv").write_text("owner,owned,low,high\nOrlovsk Holding,Calm Boards,0.5,\nX Y,Calm Boards,,\n")
    words = ("screen", setting / "parties.csv", "--lists", setting / "lists", "--on", ON)
    calm = ask(*words, "--owners", setting / "owners.csv")["parties"][2]
    assert calm["outcome"] == POTENTIAL_MATCH
    assert calm["ownership"][0]["answer"] == YES


def test_fetch_says_from_where_and_downloads_nothing(ask, run):
    document = ask("screen", "fetch")
    assert {one["list"] for one in document["lists"]} == set(lists())
    assert all(one["at"] or one["within"] for one in document["lists"])
    assert "consolidated.json" in run("screen", "fetch")[1]


def test_lists_in_the_folder_of_the_parties_file_are_told_from_it(setting, ask):
    shutil.move(setting / "parties.csv", setting / "lists" / "parties.csv")
    document = ask("screen", setting / "lists" / "parties.csv", "--lists", setting / "lists", "--on", ON)
    assert "parties.csv" not in {one["file"] for one in document["lists"]}
    assert document["outcomes"][NO_LIST_MATCH] == 1
