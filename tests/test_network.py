from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import TINY, tiny_network

from ashore import network
from ashore.errors import Fault, FaultyInput
from ashore.network import Lane, Network

SETTINGS = {
    "name": "Tiny",
    "currency": "USD",
    "origin_rule": "board",
    "hold_usd_month": 10,
    "discount_year": 0.08,
    "insurance_share": 0.003,
}


def faults_of(folder: Path, **overrides: str | Callable[[str], str] | None) -> list[Fault]:
    tiny_network(folder, **overrides)
    with pytest.raises(FaultyInput) as caught:
        network.load(folder)
    return list(caught.value.faults)


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def add(line: str) -> Callable[[str], str]:
    return lambda text: text + line + "\n"


def frames() -> dict[str, pl.DataFrame]:
    return {name: pl.read_csv(text.encode()) for name, text in TINY.items() if name != "network"}


# ------------------------------------------------------------------------------------------- a good network


def test_the_tiny_network_is_read(tiny_folder: Path) -> None:
    net = network.load(tiny_folder)
    assert net.folder == tiny_folder
    assert net.settings.origin_rule == "board"
    assert (net.settings.insurance_share, net.settings.entry_units) == (0.003, None)
    assert net.products["rig"].hts == "8543709860"
    assert net.parts["rig"][0].essential
    assert not net.parts["board"][0].essential
    assert net.parts["chip"] == ()
    assert (net.plants["Texas"].lead_months, net.plants["Texas"].open) == (6, False)
    assert net.makes["Penang", "board"].capacity_use == 0.2
    assert net.makes["Penang", "rig"].confers_origin
    assert net.supplies["chip"][0].limit_month is None
    assert net.demand[0].month is None
    assert net.demanded == ("rig",)


def test_a_customs_value_not_given_is_cost_plus_the_cheapest_parts(tiny_folder: Path) -> None:
    net = network.load(tiny_folder)
    assert net.makes["Penang", "board"].customs_value_usd == 60 + 100 * 4
    assert net.makes["Penang", "rig"].customs_value_usd == 150 + 3 * 460
    assert net.makes["Texas", "rig"].customs_value_usd == 220 + 3 * 460
    assert net.ex_works_usd("board") == 460


def test_a_cheaper_supply_or_a_given_value_lowers_the_default(tmp_path: Path) -> None:
    given_value = tiny_network(tmp_path / "a", makes=swap("Penang,board,60,,", "Penang,board,60,400,"))
    assert network.load(given_value).makes["Penang", "rig"].customs_value_usd == 150 + 3 * 400
    bought = tiny_network(tmp_path / "b", supplies=add("board,TH,300,"))
    assert network.load(bought).makes["Penang", "rig"].customs_value_usd == 150 + 3 * 300


def test_assembly_lets_every_make_confer_origin(tmp_path: Path) -> None:
    folder = tiny_network(tmp_path, network=swap('"board"', '"assembly"'), parts=swap("yes", "no"))
    net = network.load(folder)
    make = net.makes["Texas", "rig"]
    assert not make.confers_origin
    assert net.confers(make)
    assert net.essential("rig") is None


def test_the_board_rule_looks_at_the_make(tiny_folder: Path) -> None:
    net = network.load(tiny_folder)
    assert net.confers(net.makes["Penang", "rig"])
    assert not net.confers(net.makes["Texas", "rig"])
    assert net.essential("rig") == "board"


def test_empty_tables_are_a_network(tmp_path: Path) -> None:
    heads = {name: text.splitlines()[0] + "\n" for name, text in TINY.items() if name != "network"}
    net = network.load(tiny_network(tmp_path, **heads))
    assert (net.products, net.lanes, net.demand, net.demanded) == ({}, (), (), ())


def test_windows_line_ends_and_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    plain = network.load(tiny_network(tmp_path / "plain"))
    windows = {name: "\ufeff" + text.replace("\n", "\r\n") for name, text in TINY.items()}
    assert network.load(tiny_network(tmp_path / "windows", **windows)) == plain


def test_a_network_without_files_is_the_same(tiny_folder: Path) -> None:
    assert network.load(frames(), SETTINGS) == network.load(tiny_folder)
    as_value = network.load(tiny_folder).settings
    assert network.load(frames(), as_value).settings == as_value


def test_tables_in_memory_are_checked_too() -> None:
    tables = frames()
    del tables["lanes"]
    tables["demnd"] = tables["demand"]
    with pytest.raises(FaultyInput) as caught:
        network.load(tables, {"name": "x"})
    said = [str(fault) for fault in caught.value.faults]
    assert any(line.startswith("lanes: The table is missing.") for line in said)
    assert any("demnd" in line and "Did you mean 'demand'?" in line for line in said)
    assert {fault.column for fault in caught.value.faults if fault.where == "settings"} == {
        "currency",
        "origin_rule",
        "hold_usd_month",
        "discount_year",
    }


def test_a_folder_takes_no_settings_from_elsewhere(tiny_folder: Path) -> None:
    with pytest.raises(FaultyInput, match=r"own network\.toml"):
        network.load(tiny_folder, SETTINGS)


def test_places_know_their_country(tiny_folder: Path) -> None:
    net = network.load(tiny_folder)
    assert [net.country_of(place) for place in ("Penang", "Dallas", "CN")] == ["MY", "US", "CN"]


def test_parts_come_before_what_they_go_into(tmp_path: Path) -> None:
    text = TINY["products"].splitlines()
    for turn in range(5):
        rows = text[1:]
        random.Random(turn).shuffle(rows)
        order = network.load(tiny_network(tmp_path, products="\n".join([text[0], *rows]) + "\n")).order
        assert order.index("chip") < order.index("board") < order.index("rig")


def test_parts_shared_at_every_level_take_no_time(tmp_path: Path) -> None:
    depth = 60  # 2**60 paths from top to bottom
    names = [f"p{n}" for n in range(depth)]
    folder = tiny_network(
        tmp_path,
        products="product,maker,kind,hts,weight_kg\n" + "".join(f"{name},A,x,85437098,1\n" for name in names),
        parts="product,part,quantity\n"
        + "".join(f"{a},{b},1\n" for n, a in enumerate(names) for b in names[n + 1 : n + 3]),
        makes="plant,product,cost_usd\n",
        supplies="product,origin,price_usd\n" + "".join(f"{name},CN,1\n" for name in names),
        demand="market,product,month,units\n",
    )
    assert network.load(folder).order == tuple(reversed(names))


def test_estimates_are_named(tmp_path: Path) -> None:
    folder = tiny_network(tmp_path, products=swap("20,200,3500,,", "20,200,3500,from memory,packed"))
    assert network.load(folder).estimates() == [
        "product rig: from memory; packed",
        "rig made at Texas: estimate of the plant's builder",
    ]


@pytest.mark.parametrize(
    ("note", "marked"),
    [
        ("ESTIMATE: 21 kg", True),
        ("own estimates", True),
        ("assumed", True),
        ("[M]", True),
        ("MEMORY", True),
        ("memory", True),
        ("insurance is from memory", True),
        ("memory chip of 8542.32", False),
        ("read in the tariff", False),
        ("", False),
    ],
)
def test_what_marks_an_estimate(tmp_path: Path, note: str, marked: bool) -> None:
    net = network.load(tiny_network(tmp_path, products=swap("20,200,3500,,", f"20,200,3500,,{note}")))
    assert (network.estimate_in(net.products["rig"]) is not None) == marked


def test_a_thousand_parts_deep_is_not_too_deep(tmp_path: Path) -> None:
    depth = 3000
    products = "product,maker,kind,hts,weight_kg\n" + "".join(f"p{n},A,rig,85437098,1\n" for n in range(depth))
    parts = "product,part,quantity\n" + "".join(f"p{n},p{n + 1},1\n" for n in range(depth - 1))
    makes = "plant,product,cost_usd\n" + "".join(f"Penang,p{n},1\n" for n in range(depth))
    folder = tiny_network(
        tmp_path,
        products=products,
        parts=parts,
        makes=makes,
        supplies="product,origin,price_usd\n",
        demand="market,product,month,units\nDallas,p0,,1\n",
    )
    net = network.load(folder)
    assert net.makes["Penang", "p0"].customs_value_usd == depth
    assert net.order[0] == f"p{depth - 1}"


# ------------------------------------------------------------------------------------------- lanes

ENDS = (("Penang", "Dallas"), ("Penang", "US"), ("MY", "Dallas"), ("MY", "US"))


@given(st.sets(st.tuples(st.sampled_from(ENDS), st.sampled_from(("air", "ocean"))), min_size=1), st.randoms())
def test_the_most_exact_lane_holds_for_each_mode(
    tmp_path_factory: pytest.TempPathFactory, given_lanes: set, rng: random.Random
) -> None:
    rows = [f"{a},{b},{mode},{ENDS.index((a, b)) + 1}" for (a, b), mode in given_lanes]
    rng.shuffle(rows)
    folder = tmp_path_factory.getbasetemp() / "lanes"
    net = network.load(tiny_network(folder, lanes="\n".join(["from,to,mode,usd_per_kg", *rows]) + "\n"))
    found = net.lanes_between("Penang", "Dallas")
    best = {mode: min(ENDS.index(ends) + 1 for ends, m in given_lanes if m == mode) for _, mode in given_lanes}
    assert {lane.mode: lane.usd_per_kg for lane in found} == best
    assert [lane.mode for lane in found] == sorted(best)
    assert net.lanes_between("Dallas", "Penang") == ()


def test_blank_costs_and_days_of_a_lane_are_nought(tmp_path: Path) -> None:
    folder = tiny_network(tmp_path, lanes="from,to,mode\nPenang,Dallas,AIR\n")
    assert network.load(folder).lanes == (Lane("Penang", "Dallas", "air", 0.0, 0.0, 0.0),)


def test_country_ends_may_be_written_small(tmp_path: Path) -> None:
    net = network.load(tiny_network(tmp_path, lanes=swap("CN,MY,air", "cn,my,air")))
    assert net.lanes_between("CN", "Penang")[0].days == 4


def test_goods_bought_at_home_need_no_lane_unless_one_is_given(tmp_path: Path) -> None:
    folder = tiny_network(tmp_path, supplies=add("board,US,500,\nboard,MY,500,"), lanes=add("US,Texas,truck,,9,1"))
    net = network.load(folder)
    from_us, from_my = net.supplies["board"]
    assert [lane.mode for lane in net.supply_lanes(from_us, "Texas")] == ["truck"]
    assert net.supply_lanes(from_my, "Penang") == (Lane("MY", "Penang", "local"),)
    assert net.supply_lanes(from_my, "Texas") == ()


# ------------------------------------------------------------------------------------------- faulty networks

FAULTY: list[tuple[str, str | Callable[[str], str] | None, str, int | None, str | None, str]] = [
    ("products", swap("weight_kg", "weigth_kg"), "products.csv", 1, "weigth_kg", "Did you mean 'weight_kg'?"),
    ("products", swap(",20,200", ",-20,200"), "products.csv", 2, "weight_kg", "below 0"),
    ("products", swap(",20,200", ",nan,200"), "products.csv", 2, "weight_kg", "not a number"),
    ("products", swap(",20,200", ",20,0"), "products.csv", 2, "hash_ths", "not above 0"),
    ("products", swap("8543.70.98.60", "8543"), "products.csv", 2, "hts", "8 or 10 digits"),
    ("products", add("rig,Acme,rig,8543.70.98,20,200,3500,,"), "products.csv", 5, None, "row 2"),
    ("products", swap("rig,Acme,", "rig,,"), "products.csv", 2, "maker", "blank"),
    ("products", None, "products.csv", None, None, "no such file"),
    ("products", "", "products.csv", None, None, "empty"),
    ("parts", swap("rig,board", "rig,bord"), "parts.csv", 2, "part", "Did you mean 'board'?"),
    ("parts", swap("rig,board", "rigg,board"), "parts.csv", 2, "product", "Did you mean 'rig'?"),
    ("parts", swap("rig,board,3", "rig,board,0"), "parts.csv", 2, "quantity", "not above 0"),
    ("parts", swap("3,yes", "3,ja"), "parts.csv", 2, "essential", "neither yes nor no"),
    ("parts", add("board,rig,1,"), "parts.csv", 4, "part", "circle: rig needs board needs rig"),
    ("parts", add("chip,chip,1,"), "parts.csv", 4, "part", "circle: chip needs chip"),
    ("parts", add("rig,chip,1,yes"), "parts.csv", 4, "essential", "'board' in row 2"),
    ("parts", add("rig,board,1,"), "parts.csv", 4, None, "row 2"),
    ("parts", swap("board,chip,100,", "board,chip,100"), "parts.csv", 3, None, "3 cells"),
    ("plants", swap("Acme,MY", "Acme,Malaysia"), "plants.csv", 2, "country", "Write MY for Malaysia."),
    ("plants", swap("MY,yes", "MY,1"), "plants.csv", 2, "open", "yes or no"),
    ("plants", swap("0,0,5000", "0,1.5,5000"), "plants.csv", 2, "ramp_months", "whole number"),
    ("plants", add("SG,Acme,SG,no,0,0,0,0,1"), "plants.csv", 4, "plant", "country code of Singapore"),
    ("plants", add("my,Acme,MY,no,0,0,0,0,1"), "plants.csv", 4, "plant", "country code of Malaysia"),
    ("markets", add("CA,CA,"), "markets.csv", 3, "market", "country code of Canada"),
    ("markets", add("Texas,US,"), "markets.csv", 3, "market", "row 3 of plants.csv"),
    ("makes", swap("Penang,board", "Pengan,board"), "makes.csv", 3, "plant", "Did you mean 'Penang'?"),
    ("makes", swap("Penang,board", "Penang,boards"), "makes.csv", 3, "product", "Did you mean 'board'?"),
    ("makes", add("Penang,board,61,,,,,"), "makes.csv", 5, None, "row 3"),
    ("makes", add("Texas,board,61,,,no,,"), "makes.csv", 5, "confers_origin", "no essential part"),
    ("supplies", swap("chip,CN", "chip,China"), "supplies.csv", 2, "origin", "Write CN for China."),
    ("supplies", add("chip,CN,5,"), "supplies.csv", 3, None, "row 2"),
    ("supplies", swap("chip,CN", "chp,CN"), "supplies.csv", 2, "product", "Did you mean 'chip'?"),
    ("supplies", "product,origin,price_usd\n", "parts.csv", 3, "part", "nobody makes or supplies it"),
    ("demand", add("Dallas,fan,,1,,"), "demand.csv", 3, "product", "not in products.csv"),
    ("demand", swap("Dallas,rig", "Dalas,rig"), "demand.csv", 2, "market", "Did you mean 'Dallas'?"),
    ("demand", add("Dallas,rig,,7,,"), "demand.csv", 3, None, "row 2"),
    ("demand", add("Dallas,rig,4,7,,"), "demand.csv", 3, "month", "every month"),
    ("demand", swap(",,100,", ",,-1,"), "demand.csv", 2, "units", "below 0"),
    ("demand", swap("month,", ""), "demand.csv", 1, None, "'month' is missing"),
    ("lanes", swap("Texas,Dallas", "Texas,Austin"), "lanes.csv", 6, "to", "no plant, market or country"),
    ("lanes", swap("CN,MY", "China,MY"), "lanes.csv", 2, "from", "Write CN for China."),
    ("lanes", swap("CN,MY", "ZZ,MY"), "lanes.csv", 2, "from", "no plant, market or country"),
    ("lanes", add("cn,MY,air,,,"), "lanes.csv", 7, None, "row 2"),
    ("lanes", swap("ocean", "sea"), "lanes.csv", 4, "mode", "Write ocean."),
    ("lanes", swap("truck", "local"), "lanes.csv", 6, "mode", "kept for goods bought"),
    ("network", None, "network.toml", None, None, "no such file"),
    ("network", swap('"USD"', '"EUR"'), "network.toml", None, "currency", "Convert"),
    ("network", swap('"board"', '"bord"'), "network.toml", None, "origin_rule", "Did you mean 'board'?"),
    ("network", swap("discount_year", "discount_yr"), "network.toml", None, "discount_yr", "'discount_year'"),
    ("network", swap("0.08", "8"), "network.toml", None, "discount_year", "above 1"),
    ("network", swap("= 10", "= -10"), "network.toml", None, "hold_usd_month", "below 0"),
    ("network", swap("= 10", '= "ten"'), "network.toml", None, "hold_usd_month", "not a number"),
    ("network", swap("= 10", "= true"), "network.toml", None, "hold_usd_month", "not a number"),
    ("network", swap("0.08", "nan"), "network.toml", None, "discount_year", "not a number"),
    ("network", swap('"Tiny"', "7"), "network.toml", None, "name", "not a text"),
    ("network", swap('"Tiny"', ""), "network.toml", 1, None, "not TOML"),
]


@pytest.mark.parametrize(("file", "change", "where", "row", "column", "said"), FAULTY)
def test_faulty_input_is_refused_with_file_row_and_remedy(
    tmp_path: Path,
    file: str,
    change: str | Callable[[str], str] | None,
    where: str,
    row: int | None,
    column: str | None,
    said: str,
) -> None:
    faults = faults_of(tmp_path, **{file: change})
    found = [fault for fault in faults if (fault.where, fault.row, fault.column) == (where, row, column)]
    assert found, [str(fault) for fault in faults]
    assert any(said in str(fault) for fault in found), [str(fault) for fault in found]
    assert all(fault.what and fault.remedy for fault in faults)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("products", swap("weight_kg", "weigth_kg")),
        ("products", swap("product,", "prodct,")),
        ("products", swap(",20,200", ",-20,200")),
        ("products", None),
        ("parts", swap("essential", "esential")),
        ("parts", swap("3,yes", "3,ja")),
        ("parts", lambda text: text.replace("product", "prodct").replace("100,", "100,yes")),
        ("plants", swap("plant,", "plnt,")),
        ("plants", swap("MY,yes", "MY,1")),
        ("makes", swap("product,cost_usd", "produkt,cost_usd")),
        ("makes", None),
        ("supplies", b"product,origin,price_usd\nch\xefp,CN,1\n".decode("latin-1")),
        ("markets", swap("market,", "makret,")),
        ("network", None),
        ("network", swap('"board"', '"bord"')),
    ],
)
def test_one_slip_is_one_fault(tmp_path: Path, file: str, change: Callable[[str], str] | None) -> None:
    faults = faults_of(tmp_path, **{file: change})
    if file == "supplies":  # an unknown product there, and so nobody supplies the chip
        assert [fault.where for fault in faults] == ["parts.csv", "supplies.csv"]
    else:
        assert len(faults) == 1, [str(fault) for fault in faults]


def test_all_faults_of_all_files_are_found_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path,
        products=swap(",20,200", ",x,y"),
        parts=swap("chip,100", "chp,100"),
        plants=swap("Acme,MY", "Acme,MYS"),
        makes=swap("Texas,rig", "Texs,rig"),
        supplies=swap("chip,CN,4", "chip,CN,free"),
        lanes=swap("Texas,Dallas", "Texas,Houston"),
        markets=swap("0.05", "cheap"),
        demand=swap("100", "many"),
        network=swap('"USD"', '"EUR"'),
    )
    assert [(fault.where, fault.row, fault.column) for fault in faults] == [
        ("products.csv", 2, "weight_kg"),
        ("products.csv", 2, "hash_ths"),
        ("parts.csv", 3, "part"),
        ("plants.csv", 2, "country"),
        ("makes.csv", 4, "plant"),
        ("supplies.csv", 2, "price_usd"),
        ("lanes.csv", 6, "to"),
        ("markets.csv", 2, "power_usd_kwh"),
        ("demand.csv", 2, "units"),
        ("network.toml", None, "currency"),
    ]


def test_a_misnamed_file_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "product.csv").write_text(TINY["products"], encoding="utf-8")
    [fault] = faults_of(tmp_path, products=None)
    assert "product.csv" in fault.remedy


def test_no_folder_and_no_folder_but_a_file(tmp_path: Path) -> None:
    with pytest.raises(FaultyInput, match="no such folder"):
        network.load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(FaultyInput, match="not a folder"):
        network.load(str(tmp_path / "file"))


CELLS = st.sampled_from(["", "nan", "-1", "yes", "rig", "Penang", "US", "1e999", '"', "a\nb", "π"])


@given(
    st.sampled_from([name for name in TINY if name != "network"]),
    st.integers(0, 5),
    st.integers(0, 9),
    CELLS,
)
def test_any_cell_may_be_wrong_without_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, file: str, line: int, place: int, cell: str
) -> None:
    lines = [text.split(",") for text in TINY[file].splitlines()]
    row = lines[line % len(lines)]
    row[place % len(row)] = cell
    folder = tmp_path_factory.getbasetemp() / "cells"
    tiny_network(folder, **{file: "\n".join(",".join(cells) for cells in lines) + "\n"})
    try:
        outcome: Network | list[Fault] = network.load(folder)
    except FaultyInput as error:
        outcome = list(error.faults)
    assert isinstance(outcome, Network) or all(fault.remedy for fault in outcome)


def test_a_network_is_a_value(tiny_folder: Path) -> None:
    net = network.load(tiny_folder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.lanes = ()  # type: ignore[misc]
    dearer = dataclasses.replace(net, settings=dataclasses.replace(net.settings, hold_usd_month=11))
    assert dearer != net
    assert dearer.lanes_between("Penang", "Dallas") == net.lanes_between("Penang", "Dallas")
