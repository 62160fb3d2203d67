"""Fleets: what is sent, whom a scan may ask, what replies and exports come to, weaknesses, and the audit."""

from __future__ import annotations

import ast
import asyncio
import csv
import json
import random
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulated_fleet import ODD, Rig, Simulated, bitmain, canaan, fleet, microbt, packed, rig_of

from ashore import worth
from ashore.errors import FaultyInput
from ashore.fleet import devices, grid
from ashore.fleet.devices import auditing, catalogue, importer, reads, replies, scanning, weak
from ashore.fleet.devices.identify import identify, named
from ashore.fleet.devices.model import Device

HERE = Path(reads.__file__).parent
KEY = b"a key of the tests"
TODAY = date(2026, 11, 22)
COMMANDS = sorted(reads.READS)


def seen(rig: Rig) -> Device:
    return identify("10.0.0.1", {name: replies.decode(said) for name, said in rig.replies.items()}, KEY)


def told(device: Device) -> tuple[str, str, str, str]:
    return device.maker, device.model, device.firmware, device.version


def expected(rig: Rig) -> tuple[str, str, str, str]:
    return rig.maker, rig.model, rig.firmware, rig.version


# Nothing but reads leaves


def test_only_the_five_reads_can_be_sent():
    assert {"version", "summary", "stats", "devdetails", "pools"} == reads.READS
    for command in COMMANDS:
        assert json.loads(reads.request(command)) == {"command": command}


@given(st.one_of(st.text(), st.binary(), st.none(), st.integers(), st.sampled_from(
    ["restart", "quit", "addpool", "switchpool", "power_off", "reboot", "update_pools", "version+restart", "Version",
     "version\x00", "version|restart", "privileged", "set_led", "ascset", "upgrade", "get_token"])))  # fmt: skip
def test_anything_else_is_refused_before_a_byte_is_written(command):
    class Never:
        def write(self, data):
            raise AssertionError(data)

    if command in COMMANDS:
        return
    with pytest.raises(reads.NotARead):
        reads.send(Never(), command)


def test_one_place_writes_to_sockets():
    """No module but ``reads`` calls anything that sends; ``scanning`` closes its writer, and alone connects."""
    sending = {"write", "writelines", "send", "sendall", "sendto", "sendmsg", "sendfile", "write_eof"}
    connecting = {"open_connection", "create_connection", "socket", "urlopen", "open_unix_connection", "connect"}
    found, opened = [], []
    for path in sorted(HERE.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in sending:
                    found.append((path.stem, ast.unparse(node.func)))
                if node.func.attr in connecting:
                    opened.append((path.stem, node.func.attr))
    assert found == [("reads", "writer.write"), ("scanning", "self.file.write")]
    assert opened == [("scanning", "open_connection")]


def test_on_the_wire_every_rig_is_sent_nothing_but_reads(tmp_path):
    rigs = fleet(60, seed=1, odd=12)
    log = tmp_path / "log.jsonl"
    with Simulated(rigs) as simulated, log.open("w") as file:
        found = devices.scan(list(rigs), KEY, rate=2000, log=file, port=simulated.port)
        sent = list(simulated.sent)
    assert {data for _, data in sent} <= {reads.request(command) for command in COMMANDS}
    assert {address for address, _ in sent} == set(rigs)
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    logged = [(row["address"], row["command"]) for row in rows if row["event"] == "request"]
    assert sorted(logged) == sorted((address, json.loads(data)["command"]) for address, data in sent)
    assert len(logged) == found.requests
    assert all(row["bytes"] == len(reads.request(row["command"])) for row in rows if row["event"] == "request")


# Whom a scan may ask


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        (("8.8.8.0/24",), "not private"),
        (("0.0.0.0/0",), "not private"),
        (("172.15.255.0/24",), "not private"),
        (("172.32.0.0/24",), "not private"),
        (("100.64.0.0/24",), "not private"),
        (("169.254.0.0/24",), "not private"),
        (("192.169.0.1",), "not private"),
        (("9.0.0.0/7",), "not private"),
        (("10.0.0.0/15",), "wider"),
        (("10.0.0.0/8",), "wider"),
        (("127.0.0.0/8",), "wider"),
        (("10.0.0.0/16", "10.1.0.0/30"), "more addresses than one /16"),
        (("10.0.0.0/24", "10.0.0.7"), "overlaps"),
        (("fd00::/120",), "IPv6"),
        (("::1",), "IPv6"),
        (("rigs.example.org",), "no range"),
        (("10.0.0.0/33",), "no range"),
        ((), "No range"),
    ],
)
def test_ranges_that_are_refused(ranges, said):
    with pytest.raises(FaultyInput, match=said):
        devices.allowed(ranges, True)


@pytest.mark.parametrize("text", ["10.1.0.0/16", "172.16.3.0/24", "192.168.1.7", "127.9.0.0/16"])
def test_private_ranges_may_be_scanned_by_their_owner_only(text):
    assert devices.allowed((text,), True)
    with pytest.raises(FaultyInput, match="--i-own-these"):
        devices.allowed((text,), False)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_no_address_that_is_scanned_is_public(number, bits):
    from ipaddress import IPv4Address, IPv4Network

    network = IPv4Network((number, bits), strict=False)
    try:
        ranges = devices.allowed((str(network),), True)
    except FaultyInput:
        return
    assert network.prefixlen >= 16
    for address in (ranges[0][0], ranges[0][-1]):
        assert IPv4Address(address).is_private or IPv4Address(address).is_loopback
        assert not IPv4Address(address).is_global


@pytest.mark.parametrize("address", ["8.8.8.8", "::1", "localhost", "172.32.0.1", ""])
def test_a_public_address_is_refused_even_past_the_ranges(monkeypatch, address):
    async def never(*_):
        raise AssertionError

    monkeypatch.setattr(scanning.asyncio, "open_connection", never)
    with pytest.raises(FaultyInput, match="not private"):
        devices.scan(["10.0.0.1", address], KEY)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), 1e9])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(FaultyInput, match="--rate"):
        devices.scan([], KEY, rate=rate)


def test_the_rate_is_kept(monkeypatch):
    now, waited = [100.0], []
    monkeypatch.setattr(scanning.time, "monotonic", lambda: now[0])

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(scanning.asyncio, "sleep", sleep)
    pace = scanning.Pace(50)

    async def turns():
        for _ in range(11):
            await pace.turn()

    asyncio.run(turns())
    assert waited == pytest.approx([0.02 * n for n in range(1, 11)])


# What a scan makes of a fleet


def check_scan(rigs: dict[str, Rig]) -> None:
    dead = [f"127.9.200.{n}" for n in range(1, 21)]
    with Simulated(rigs) as simulated:
        found = devices.scan([*rigs, *dead], KEY, rate=2000, port=simulated.port)
    assert (found.tried, found.without) == (len(rigs) + len(dead), len(dead))
    assert {device.address for device in found.devices} == set(rigs)
    for device in found.devices:
        rig = rigs[device.address]
        if rig.kind == "rig":
            assert told(device) == expected(rig)
            assert device.state == "identified"
            assert device.hash_ths
            assert device.pools
        elif rig.kind in ("slow", "latin"):
            assert device.state == "identified"
        elif rig.kind in ("garbage", "endless"):
            assert device.state == "garbage"
        else:
            assert device.state == "silent"


def test_every_identifiable_model_of_a_loopback_fleet_is_right():
    check_scan(fleet(120, seed=2, odd=18))


@pytest.mark.slow
def test_every_identifiable_model_of_a_thousand_rigs_is_right():
    check_scan(fleet(1000, seed=3))


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([bitmain, microbt, canaan]))
def test_replies_of_each_maker_say_what_the_rig_is(seed, make):
    rig = make(random.Random(seed))
    assert told(seen(rig)) == expected(rig)


@pytest.mark.parametrize(
    ("raw", "maker", "model", "variant"),
    [
        ("Antminer S19j Pro", "Bitmain", "Antminer S19j Pro", ""),
        ("ANTMINER S19JPRO", "Bitmain", "Antminer S19j Pro", ""),
        ("Antminer S19 Pro (Vnish 1.2.6)", "Bitmain", "Antminer S19 Pro", ""),
        ("Antminer S19 XP Hyd.", "Bitmain", "Antminer S19 XP Hyd", ""),
        ("Antminer S21+", "Bitmain", "Antminer S21+", ""),
        ("S19k Pro", "Bitmain", "Antminer S19k Pro", ""),
        ("M30S++VE30", "MicroBT", "WhatsMiner M30S++", "VE30"),
        ("M30S+_VE40", "MicroBT", "WhatsMiner M30S+", "VE40"),
        ("WhatsMiner M63S", "MicroBT", "WhatsMiner M63S", ""),
        ("AvalonMiner 1246-83", "Canaan", "Avalon A1246", "83"),
        ("AvalonMiner 15-194", "Canaan", "Avalon A15", "194"),
        ("Avalon A15 Pro", "Canaan", "Avalon A15 Pro", ""),
        ("SEALMINER A2", "Bitdeer", "SEALMINER A2", ""),
        ("AT2880", "Auradine", "Teraflux AT2880", ""),
        ("toaster", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_names_of_models(raw, maker, model, variant):
    assert named(raw) == (maker, model, variant)


# Nothing a device says can break a scan


def mutated(rng: random.Random, data: bytes) -> bytes:
    """A reply with bytes changed, cut out, doubled or put in its place."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        if not found:
            break
        at = rng.randrange(len(found))
        what = rng.randrange(6)
        if what == 0:
            found[at] = rng.randrange(256)
        elif what == 1:
            del found[at : at + rng.randrange(1, 30)]
        elif what == 2:
            found[at:at] = found[at : at + rng.randrange(1, 60)]
        elif what == 3:
            found[at:at] = rng.choice(
                [b"null", b"[]", b"{}", b"1e999", b"-1", b'"', b"\x00", b"NaN", b"\\ud800", b"}{"]
            )
        elif what == 4:
            found = bytearray(data[: rng.randrange(len(data) + 1)])
        else:
            found[at:at] = rng.randbytes(rng.randrange(1, 20))
    return bytes(found)


def check_fuzzed(rng: random.Random, count: int, tmp_path: Path) -> None:
    pool = [rig_of(rng) for _ in range(40)]
    made: list[Device] = []
    for number in range(count):
        rig = rng.choice(pool)
        broken = {name: mutated(rng, said) if rng.random() < 0.7 else said for name, said in rig.replies.items()}
        device = identify(f"10.0.{number % 250}.1", {name: replies.decode(said) for name, said in broken.items()}, KEY)
        for name in ("maker", "model", "variant", "firmware", "version", "cgminer", "compiled"):
            value = getattr(device, name)
            assert value.encode("utf-8").decode() == value
            assert not replies.UNSEEN.search(value)
            assert len(value) <= 100
        assert device.hash_ths is None or 0 <= device.hash_ths < 1e15
        if number % 97 == 0:
            made.append(device)
    file = tmp_path / "fleet.csv"
    devices.write(file, made)
    assert devices.audit(devices.read_fleet(file), TODAY)["total"]["rigs"] == len(made)


def test_fuzzed_replies_never_break_anything(tmp_path):
    check_fuzzed(random.Random(4), 1_000, tmp_path)


@pytest.mark.slow
def test_a_hundred_thousand_fuzzed_replies_never_break_anything(tmp_path):
    check_fuzzed(random.Random(5), 100_000, tmp_path)


@given(st.binary(max_size=400))
def test_any_bytes_are_decoded_or_refused(data):
    found = replies.decode(data)
    assert found is None or isinstance(found, dict)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(["VERSION", "SUMMARY", "STATS", "DEVDETAILS", "POOLS", "STATUS", "Description", "INFO"])


@given(st.dictionaries(st.sampled_from(COMMANDS), st.none() | st.dictionaries(fields, json_values, max_size=4)))
def test_any_document_is_identified_or_not(said):
    identify("10.0.0.1", said, KEY)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x00", b"null", b"[]", b"[" * 100_000, b'{"a":' * 100_000, b'{"STATUS":' + b"[" * 50 + b"]" * 50 + b"}",
        b'{"a": ' + b"9" * 10_000 + b"}", b"\xff\xfe{", b"|||||", b"=,=,=|=",
    ],
)  # fmt: skip
def test_what_is_no_reply_is_refused(data):
    assert replies.decode(data) is None


@pytest.mark.parametrize("part", ["STATS", "DEVDETAILS", "POOLS"])
def test_a_reply_of_a_million_bytes_of_empty_objects_is_looked_at_in_no_time(part):
    big = replies.decode(b'{"STATUS":[],"' + part.encode() + b'":[' + b"{}," * 340_000 + b"{}]}")
    version = {"VERSION": [{"Type": "Antminer S19"}]}
    started = time.process_time()
    assert identify("10.0.0.1", {"version": version, part.lower(): big}, KEY).model == "Antminer S19"
    assert time.process_time() - started < 2


def test_the_older_form_is_read_as_well():
    found = replies.decode(b"STATUS=S,When=1,Msg=CGMiner versions|VERSION,CGMiner=4.9.0,Type=Antminer S9|\x00")
    device = identify("10.0.0.1", {"version": found}, KEY)
    assert (device.maker, device.model, device.cgminer) == ("Bitmain", "Antminer S9", "4.9.0")


@pytest.mark.parametrize("said", ['=HYPERLINK("x")', "+1", "@SUM(1)", "-2+3", "\x1b[2J", "a\nb", "\u202eabc\u2028"])
def test_text_of_a_device_is_neither_formula_nor_control(said):
    assert not replies.text(said).startswith(("=", "+", "-", "@"))
    assert not replies.UNSEEN.search(replies.text(said))


# Exports


def imported(tmp_path: Path, name: str, content: str | bytes) -> list[Device]:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return devices.read_all((file,), KEY)


def test_a_table_with_the_usual_headings(tmp_path):
    content = (
        "IP Address;Miner Type;Firmware Version;Hash Rate;Power;Worker;Pool URL;Location\n"
        "10.1.2.3;Antminer S19j Pro;2023-09-15;98.5 TH/s;3050;me.1;stratum+tcp://pool.example.org:3333;North\n"
        "10.1.2.4;M50S_VH50;20230925.13.REL;128000 GH/s;;;;\n"
    )
    first, second = imported(tmp_path, "export.csv", content)
    assert told(first) == ("Bitmain", "Antminer S19j Pro", "stock", "2023-09-15")
    assert (first.hash_ths, first.power_w, first.power_basis) == (98.5, 3050, "given")
    assert (first.path, first.site, first.pools) == ("10.1.2.0/24", "North", ("pool.example.org:3333",))
    assert (second.model, second.variant, second.hash_ths) == ("WhatsMiner M50S", "VH50", 128)
    assert (second.power_w, second.power_basis) == (3276, "rated")


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("Fri Sep 28 13:22:31 CST 2018", "2018-09-28"),
        ("Fri  Sep 28 13:22:31 2018", "2018-09-28"),
        ("2021-03-04 11:12:13", "2021-03-04"),
        ("2021-03-04", "2021-03-04"),
        ("last spring", ""),
        ("", ""),
    ],
)
def test_the_day_firmware_was_built_is_iso_from_exports_as_from_replies(tmp_path, told, day):
    (from_table,) = imported(tmp_path, "a.csv", f"ip,model,CompileTime\n10.0.0.1,Antminer S9,{told}\n")
    record = {"ip": "10.0.0.1", "version": {"STATUS": [{}], "VERSION": [{"Type": "Antminer S9", "CompileTime": told}]}}
    (from_reply,) = imported(tmp_path, "b.json", json.dumps([record]))
    assert from_table.compiled == from_reply.compiled == day


def test_a_table_of_kinds_counts_units(tmp_path):
    found = imported(tmp_path, "kinds.csv", "make,model,units,hashrate\nBitmain,S21,400,200\nCanaan,A1566,20,185\n")
    assert [(one.model, one.units) for one in found] == [("Antminer S21", 400), ("Avalon A1566", 20)]
    assert devices.audit(found, TODAY)["total"]["rigs"] == 420


def test_records_as_other_tools_write_them(tmp_path):
    record = {
        "ip": "10.0.0.5", "make": "AntMiner", "model": "S19 Pro", "fw_ver": "2023-09-15", "wattage": 3300,
        "hashrate": {"unit": "TH/s", "rate": 108.2}, "config": {"pools": [{"url": "stratum+tcp://p.example:3333"}]},
    }  # fmt: skip
    for content in (
        json.dumps([record]),
        json.dumps({"miners": [record]}),
        f"{json.dumps(record)}\n{json.dumps(record)}\n",
    ):
        found = imported(tmp_path, "export.json", content)[0]
        assert (found.maker, found.model, found.hash_ths, found.power_w) == ("Bitmain", "Antminer S19 Pro", 108.2, 3300)
        assert found.pools == ("p.example:3333",)


@pytest.mark.parametrize("form", ["by address", "list", "raw"])
def test_captured_replies(tmp_path, form):
    rig = microbt(random.Random(6))
    said = {name: replies.decode(data) for name, data in rig.replies.items()}
    raw = {name: data.decode().rstrip("\x00") for name, data in rig.replies.items()}
    document = {
        "by address": {"10.0.0.9": said},
        "list": [{"ip": "10.0.0.9", **said}],
        "raw": [{"ip": "10.0.0.9", **raw}],
    }[form]
    (found,) = imported(tmp_path, "replies.json", json.dumps(document))
    assert told(found) == expected(rig)
    assert (found.address, found.path, found.api) == ("10.0.0.9", "10.0.0.0/24", "open")


def test_a_single_reply_is_a_rig(tmp_path):
    rig = canaan(random.Random(7))
    (found,) = imported(tmp_path, "10.0.0.8.json", rig.replies["version"])
    assert told(found) == expected(rig)


def test_all_faults_of_all_files_are_said_and_nothing_is_lost(tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("ip,model\n10.0.0.1,Antminer S21\n")
    bad.write_text("ip,model\n10.0.0.1,Antminer S21\n,\n;;\n")
    faults: list = []
    assert len(importer.read_file(bad, KEY, faults)) == 2
    assert len(importer.read_file(good, KEY, faults)) == 1
    with pytest.raises(FaultyInput) as caught:
        devices.read_all((good, tmp_path / "none.csv", tmp_path / "nor.json"), KEY)
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "colour,size\nred,3\n", "No column tells"),
        ("a.csv", "", "empty"),
        ("a.csv", b"ip,model\n\xff\xfe,x\n", "not UTF-8"),
        ("a.csv", "ip,modell\n10.0.0.1,\n", None),
        ("a.json", "", "empty"),
        ("a.json", '[{"ip": "10.0.0.1", "model"', "not JSON"),
        ("a.json", "[1, 2]", "no record"),
        ("a.json", "3", "no list"),
        ("a.json", '[{"colour": "red"}]', "names neither"),
        ("a.json", '{"ip": "10.0.0.1"}\nnonsense\n{"ip": "10.0.0.2"}\n', "not JSON"),
        ("a.json", "[" * 100_000, "nested too deeply"),
    ],
)
def test_faulty_exports_are_refused_clearly(tmp_path, name, content, said):
    if said is None:
        assert imported(tmp_path, name, content)
        return
    with pytest.raises(FaultyInput, match=said):
        imported(tmp_path, name, content)


def test_a_fleet_is_imported_as_it_is(tmp_path):
    found = [seen(rig_of(random.Random(seed))) for seed in range(9)] + [Device(address="10.0.0.2", state="silent")]
    file = tmp_path / "fleet.csv"
    devices.write(file, found)
    assert devices.read_all((file,), b"another key") == found
    twice = devices.audit(devices.read_all((file, file), KEY), TODAY)
    assert any("18 rigs are counted twice" in line for line in twice["not_looked_at"])


cells = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=60)
@given(
    st.lists(st.lists(cells, max_size=5), max_size=5), st.sampled_from(["ip,model,hashrate,pool,units", "", "state"])
)
def test_any_table_is_imported_or_refused(tmp_path_factory, rows, header):
    content = "\n".join([header, *(",".join(row) for row in rows)])
    try:
        found = imported(tmp_path_factory.mktemp("any"), "any.csv", content)
    except FaultyInput:
        return
    assert all(isinstance(one, Device) and one.units >= 1 for one in found)


@settings(max_examples=60)
@given(
    st.one_of(
        json_values,
        st.lists(
            st.dictionaries(
                st.sampled_from(
                    ["ip", "model", "make", "hashrate", "pools", "units", "version", "summary", "config", "wattage"]
                ),
                json_values,
            )
        ),
    )
)
def test_any_document_is_imported_or_refused(tmp_path_factory, document):
    try:
        found = imported(tmp_path_factory.mktemp("any"), "any.json", json.dumps(document))
    except FaultyInput:
        return
    assert all(isinstance(one, Device) and one.units >= 1 for one in found)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "SIZE", 1 << 20)
    with pytest.raises(FaultyInput, match="has 2 MB"):
        imported(tmp_path, "large.json", b"[" + b" " * (2 << 20) + b"]")


def test_pool_users_are_never_written(tmp_path):
    rig = bitmain(random.Random(8))
    file = tmp_path / "fleet.csv"
    devices.write(file, [seen(rig)])
    user = json.loads(rig.replies["pools"].rstrip(b"\x00"))["POOLS"][0]["User"]
    assert user not in file.read_text()
    other = identify("10.0.0.1", {"pools": replies.decode(rig.replies["pools"])}, b"another key")
    assert other.workers != seen(rig).workers


def test_what_is_written_is_read_again(tmp_path):
    found = [seen(rig_of(random.Random(seed))) for seed in range(30)] + [Device(address="10.0.0.2", state="silent")]
    file = tmp_path / "fleet.csv"
    devices.write(file, found)
    again = devices.read_fleet(file)
    assert again == found


# Weaknesses, by version only


def listed_for(device: Device, id_: str) -> str | None:
    (row,) = [row for row in catalogue.weaknesses() if row["id"] == id_ and row["component"] != "bfgminer"]
    return weak.verdict(row, device)


@pytest.mark.parametrize(
    ("device", "id_", "said"),
    [
        (Device(maker="Bitmain", model="Antminer S9", firmware="stock", compiled="2016-11-03"), "Antbleed", "listed"),
        (Device(maker="Bitmain", model="Antminer S9", firmware="stock", compiled="2017-04-27"), "Antbleed", None),
        (Device(maker="Bitmain", model="Antminer S9", firmware="stock", compiled="2016-06-30"), "Antbleed", None),
        (Device(maker="Bitmain", model="Antminer S9", firmware="stock"), "Antbleed", "cannot tell"),
        (Device(maker="Bitmain", model="Antminer S9", firmware="Braiins OS"), "Antbleed", None),
        (Device(maker="Bitmain", model="Antminer S19", firmware="stock"), "Antbleed", None),
        (Device(maker="MicroBT", model="S9", firmware="stock"), "Antbleed", None),
        (Device(maker="Bitmain", model="Antminer S9", firmware="stock"), "CVE-2018-11220", "cannot tell"),
        (Device(cgminer="4.10.0"), "CVE-2018-10058", "listed"),
        (Device(cgminer="4.9.2"), "CVE-2018-10058", "listed"),
        (Device(cgminer="4.10"), "CVE-2018-10058", "listed"),
        (Device(cgminer="4.10.1"), "CVE-2018-10058", None),
        (Device(cgminer="4.11.1"), "CVE-2018-10058", None),
        (Device(cgminer="git"), "CVE-2018-10058", "cannot tell"),
        (Device(), "CVE-2018-10058", "cannot tell"),
        (Device(api="open"), "CVE-2018-10058", None),
    ],
)
def test_a_weakness_is_listed_not_listed_or_open(device, id_, said):
    assert listed_for(device, id_) == said


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_versions_are_compared_as_numbers(one, other):
    first, second = (weak.version(".".join(map(str, parts))) for parts in (one, other))
    size = max(len(one), len(other))
    padded = [parts + [0] * (size - len(parts)) for parts in (one, other)]
    assert (first < second) == (padded[0] < padded[1])
    assert (first == second) == (padded[0] == padded[1])


# The audit

rigs = st.builds(
    lambda seed, path, units, site: replace(seen(rig_of(random.Random(seed))), path=path, units=units, site=site),
    st.integers(0, 10_000),
    st.sampled_from(["", "a", "b"]),
    st.integers(1, 50),
    st.sampled_from(["", "north"]),
)


@settings(max_examples=25)
@given(st.lists(rigs, min_size=1, max_size=30))
def test_every_way_to_count_a_fleet_adds_up(found):
    document = devices.audit(found, TODAY)
    whole = document["total"]
    assert whole["rigs"] == sum(one.units for one in found)
    for name in ("by_maker", "by_model", "by_firmware", "pools"):
        for key in ("rigs", "hash_ths", "mw"):
            assert sum(row[key] for row in document[name]) == pytest.approx(whole[key])
    groups = document["common_mode"]
    assert sum(row["mw"] for row in groups) == pytest.approx(whole["mw"])
    assert [row["mw"] for row in groups] == sorted((row["mw"] for row in groups), reverse=True)
    assert document["common_mode_joined"][0]["mw"] >= groups[0]["mw"] - 1e-9
    age = document["age"]
    assert sum(row["rigs"] for row in [*age["years"], age["not_known"]]) == whole["rigs"]
    fixes = [row["mw_per_hour"] for row in document["fixes"] if row["mw_per_hour"] is not None]
    assert fixes == sorted(fixes, reverse=True)
    assert all(row["mw"] is None or row["mw"] <= whole["mw"] + 1e-9 for row in document["fixes"])


def test_the_largest_group_goes_to_the_grid():
    found = [
        Device(maker="Bitmain", model="Antminer S21", firmware="stock", power_w=3500, path="a", units=500_000),
        Device(maker="Bitmain", model="Antminer S21", firmware="stock", power_w=3500, path="b", units=100_000),
        Device(maker="MicroBT", model="WhatsMiner M60", firmware="stock", power_w=3422, path="a", units=9),
    ]
    document = devices.audit(found, TODAY, "ERCOT")
    assert document["common_mode"][0]["mw"] == pytest.approx(1750)
    assert document["grid"]["peak_hz"] == pytest.approx(
        grid.screen("ERCOT", grid.Event(1750)).as_dict()["closed_form"]["peak_hz"]
    )
    assert document["grid_joined"]["mw"] == pytest.approx(2100)
    assert document["grid"]["published"][0]["mw_left"] == pytest.approx(2600 - 1750)
    assert auditing.on_grid(0, "ERCOT") is None
    assert auditing.on_grid(1e6, "ERCOT") is None


def test_parts_and_readiness():
    found = [
        Device(maker="Bitmain", model="Antminer S21", firmware="stock", version="2024-01-01", power_w=3500, units=3),
        Device(
            maker="Auradine", model="Teraflux AT2880", firmware="stock", version="1", power_w=4160, control_board="X1"
        ),
        Device(maker="Auradine", model="Teraflux AT2880", firmware="stock", power_w=4160),
    ]
    document = devices.audit(found, TODAY)
    parts = {row["part"]: row for row in document["parts"]}
    assert parts["CV1835"]["rigs"] == 3
    assert parts["X1"]["rigs"] == 1
    ready = document["certification"]
    assert ready["ready"]["rigs"] == 1
    assert ready["ready_share_of_rigs"] == pytest.approx(0.2)
    assert {row["country"]: row["on_list"] for row in ready["by_country"]} == {"CN": True, "US": False}
    rows = devices.hand_over(document["parts"])
    assert {(row["product"], row["part"]) for row in rows} == {("Antminer S21", "CV1835"), ("Teraflux AT2880", "X1")}


def test_what_is_said_of_makers_is_shown_for_those_in_the_fleet():
    document = devices.audit([Device(maker="Bitmain", model="Antminer S21")], TODAY)
    assert {row["maker"] for row in document["statements"]} == {"Bitmain"}
    said = " ".join(row["what"] for row in document["statements"])
    assert "no finding is published" in said
    assert "unequivocally false" in said
    assert all(row["source"] for row in document["statements"])


def test_rigs_and_those_with_a_part_are_valued_as_worth_does():
    found = [
        Device(maker="Bitmain", model="Antminer S21", hash_ths=200, power_w=3500, units=3),
        Device(maker="MicroBT", model="WhatsMiner M60", hash_ths=172, power_w=3422),
        Device(maker="MicroBT", model="WhatsMiner M99"),
    ]
    document = devices.audit(found, TODAY, valuation=devices.valuation(0.05, worth.Given(hashprice=40)))
    outlook, _ = worth.outlook_of(worth.Given(hashprice=40))
    each = [worth.option_usd(worth.Rig(*rig), 0.05, outlook) for rig in ((200, 3500), (172, 3422))]
    assert document["parts"][0]["value_usd"] == pytest.approx(3 * each[0], rel=0.01)
    assert document["value"]["value_usd"] == pytest.approx(3 * each[0] + each[1], rel=0.01)
    assert document["value"]["value_low_usd"] == document["value"]["value_high_usd"]
    assert document["value"]["unvalued_rigs"] == 1
    open_ = devices.audit(found, TODAY, valuation=devices.valuation(0.05))["value"]
    assert open_["value_low_usd"] < open_["value_usd"] < open_["value_high_usd"]
    assert open_["assumptions"]
    assert devices.audit(found, TODAY)["value"] is None
    with pytest.raises(FaultyInput, match="--power-usd-kwh"):
        devices.valuation(-1)


def test_what_is_open_is_said():
    document = devices.audit([Device(maker="Bitmain", model="Antminer S21")], TODAY)
    said = " ".join(document["not_looked_at"])
    for words in ("passwords", "1 of 1 rigs the version", "1 of 1 rigs the path", "no assurance"):
        assert words in said


def test_hours_may_be_ones_own(tmp_path):
    file = tmp_path / "work.toml"
    file.write_text("[close]\nhours = 1\nhours_rig = 0\n")
    found = [Device(maker="Bitmain", model="Antminer S21", firmware="stock", power_w=3500, path="a", api="open")]
    (row,) = [row for row in devices.audit(found, TODAY, hours=devices.work(file))["fixes"] if row["fix"] == "close"]
    assert row["mw_per_hour"] == pytest.approx(0.0035)
    for text, said in (("[clsoe]\nhours = 1\n", "unknown"), ("[close]\nhours = 1\n", "lacks"),
                       ("[close]\nhours = 'x'\nhours_rig = 0\n", "numbers"),
                       ("[close]\nhours = true\nhours_rig = 0\n", "numbers"),
                       ("[close]\nhours = nan\nhours_rig = 0\n", "numbers"),
                       ("[close]\nhours = 4\nhours_rig = -inf\n", "numbers"),
                       ("[close]\nhours = 1e400\nhours_rig = 0\n", "below 0 or above"),
                       (f"[close]\nhours = 1{'0' * 400}\nhours_rig = 0\n", "below 0 or above"),
                       ("[close]\nhours = 1\nhours_rig = 0\ntitle = 2026-01-01\n", "is text"),
                       ("[close]\nhours = -1\nhours_rig = 0\n", "below 0")):  # fmt: skip
        file.write_text(text)
        with pytest.raises(FaultyInput, match=said):
            devices.work(file)


def test_shipped_figures_have_a_source_and_models_a_maker():
    for row in catalogue.weaknesses():
        assert row["source"]
    for model, row in catalogue.models().items():
        assert named(model)[:2] == (row["maker"], model), model
        assert row["source"]
    assert {row["maker"] for row in catalogue.models().values()} <= set(catalogue.countries())


# The verbs


def test_import_audit_and_parts_by_the_command_line(ask, run, tmp_path):
    rng = random.Random(9)
    document = {
        f"10.0.{n % 3}.{n}": {k: replies.decode(v) for k, v in rig_of(rng).replies.items()} for n in range(1, 40)
    }
    source, out, parts = tmp_path / "replies.json", tmp_path / "fleet.csv", tmp_path / "parts.csv"
    source.write_text(json.dumps(document))
    assert ask("fleet", "import", source, "--out", out)["states"] == {"identified": 39}
    found = ask("fleet", "audit", out, "--on", TODAY, "--parts", parts)
    assert found["total"]["rigs"] == 39
    with parts.open() as file:
        assert {row["part"] for row in csv.DictReader(file)} == {"CV1835"}
    code, text, _ = run("fleet", "audit", out, "--interconnection", "Western")
    assert code == 0
    for words in ("Largest group", "Not looked at", "Western", "screening, not a study", "What to do first"):
        assert words in text
    assert run("fleet", "import", source, "--out", out)[0] == 0
    assert run("fleet", "import", out, "--out", out)[0] == 1


def test_scan_by_the_command_line(ask, run, tmp_path):
    some = {f"127.9.77.{n}": rig_of(random.Random(n)) for n in range(1, 6)}
    out, log = tmp_path / "fleet.csv", tmp_path / "log.jsonl"
    with Simulated(some) as simulated:
        words = ("127.9.77.0/29", "--out", out, "--log", log, "--port", simulated.port)
        document = ask("fleet", "scan", *words, "--i-own-these")
        assert document["scan"]["answering"] == 5
        assert document["scan"]["without_interface"] == 1
        before = len(simulated.sent)
        assert run("fleet", "scan", *words)[0] != 0
        assert len(simulated.sent) == before
    assert len(devices.read_fleet(out)) == 5
    assert log.read_text().count('"request"') == document["scan"]["requests"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["scan", "8.8.8.0/24", "--i-own-these"], 1),
        (["scan", "10.0.0.0/15", "--i-own-these"], 1),
        (["scan", "10.0.0.0/24"], 1),
        (["scan", "10.0.0.0/30", "--i-own-these", "--rate", "0"], 1),
        (["scan", "10.0.0.0/30", "--i-own-these", "--port", "0"], 1),
        (["import"], 2),
        (["import", "no-such.csv"], 1),
        (["audit", "no-such.csv"], 1),
        (["audit"], 2),
        (["audit", "no-such.csv", "--hashprice", "40"], 2),
    ],
)
def test_what_cannot_be_done_is_refused(run, tmp_path, monkeypatch, words, code):
    monkeypatch.chdir(tmp_path)
    got, _, err = run("fleet", *words)
    assert got == code
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_odd_rigs_are_all_simulated():
    assert {rig.kind for rig in fleet(30, odd=12).values()} == {"rig", *ODD}
    assert replies.decode(packed({"a": 1})) == {"a": 1}


def test_parts_handed_over_are_a_bill_of_materials_for_screening(run, tmp_path):
    from ashore.parties import read_bom

    fleet_file, parts = tmp_path / "fleet.csv", tmp_path / "parts.csv"
    devices.write(fleet_file, [Device(maker="Bitmain", model="Antminer S21", control_board="Board 7")])
    assert run("fleet", "audit", fleet_file, "--parts", parts)[0] == 0
    rows = {(part.product, part.part, part.maker) for part in read_bom(parts)}
    assert rows == {("Antminer S21", "CV1835", "Sophgo Technologies Ltd"), ("Antminer S21", "Board 7", "")}
