from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import tiny_network
from tests.small_book import write_book

from ashore import costs, duties, network, rules
from ashore.costs import PARTS, Landed, Route, land
from ashore.errors import Fault, FaultyInput, Infeasible, Unresolved
from ashore.network import Lane, Make, Market, Network, Part, Plant, Product, Settings, Supply

DAY = date(2026, 3, 1)
MPF, HMF = 0.003464, 0.00125


@dataclass(frozen=True)
class Law:
    """Stands for a rule book and the questions put to it: rates by the first four digits and origin."""

    country: str = "US"
    lines: dict[tuple[str, str], list[tuple[str, str, float]]] = field(default_factory=dict)
    unresolved: frozenset[tuple[str, str]] = frozenset()
    needed: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    def caveats(self, on: date) -> tuple[str, ...]:
        return self.said


def lines(law: Law, hts: str, origin: str, on: date, claims: Any = None) -> list[tuple[str, str, float]]:
    if (hts[:4], origin) in law.unresolved:
        raise Unresolved(Fault(hts, "The line is not in the schedule.", "Use another."))
    return law.lines.get((hts[:4], origin), [(hts, "HTS", 0.02)])


def total_rate(law: Law, hts: str, origin: str, on: date, claims: Any = None) -> float:
    return float(sum(Decimal(str(rate)) for _, _, rate in lines(law, hts, origin, on)))


def needs(law: Law, hts: str, origin: str, on: date, claims: Any = None) -> tuple[str, ...]:
    return law.needed.get((hts[:4], origin), ())


def maker_claim(law: Law, maker: str) -> dict[str, str]:
    return {}


def fees_usd(law: Law, value_usd: float, on: date, mode: str, units_per_entry: float | None = None) -> float:
    fee = value_usd * MPF
    if units_per_entry is not None:
        fee = min(max(fee, 30 / units_per_entry), 600 / units_per_entry)
    return fee + (value_usd * HMF if mode == "ocean" else 0)


LAW = Law(
    lines={
        ("8543", "MY"): [("9.1", "HTS", 0.026), ("9.2", "Surcharge", 0.19)],
        ("8542", "CN"): [("9.3", "HTS", 0.0), ("9.4", "Dispute", 0.5)],
    }
)


@pytest.fixture
def law(monkeypatch: pytest.MonkeyPatch) -> Law:
    fake = SimpleNamespace(lines=lines, total_rate=total_rate, needs=needs, fees_usd=fees_usd, maker_claim=maker_claim)
    monkeypatch.setattr(costs, "duties", fake)
    return LAW


def only(landed: Landed, **wanted: str) -> Route:
    [route] = [r for r in landed.routes if all(getattr(r, name) == value for name, value in wanted.items())]
    return route


def dollars(route: Route) -> dict[str, str]:
    return {name: str(usd) for name, usd in route.parts.items()}


# ------------------------------------------------------------------------------------------- by hand


def test_every_part_of_every_route_by_hand(tiny_folder: Path, law: Law) -> None:
    """Rig at Penang: value 150 + 3 * (60 + 100 * 4) = 1530. Rig at Texas: 1600, of boards worth 460 from Penang."""
    landed = land(network.load(tiny_folder), law, DAY)
    assert [(r.plant, r.origin, r.mode, r.days) for r in landed.routes] == [
        ("Penang", "MY", "ocean", 35),
        ("Texas", "MY", "truck", 2),
        ("Penang", "MY", "air", 5),
    ]
    assert dollars(only(landed, mode="air")) == {
        "make": "330.00",  # 150 + 3 * 60
        "bought": "1200.00",  # 300 chips at 4
        "freight": "151.00",  # 300 * 0.01 * 3 + 20 * 7 + 2
        "insurance": "8.19",  # 0.003 * (1200 + 1530)
        "duty": "330.48",  # 0.216 * 1530
        "fees": "5.30",  # 0.003464 * 1530
        "carrying": "2.73",  # 0.08 / 365 * (1200 * 4 + 1530 * 5)
    }
    assert dollars(only(landed, mode="ocean")) == {
        "make": "330.00",
        "bought": "1200.00",
        "freight": "18.00",  # 9 + 20 * 0.4 + 1
        "insurance": "8.19",
        "duty": "330.48",
        "fees": "7.21",  # 0.004714 * 1530
        "carrying": "12.79",  # 0.08 / 365 * (1200 * 4 + 1530 * 35)
    }
    assert dollars(only(landed, plant="Texas")) == {
        "make": "400.00",  # 220 + 3 * 60
        "bought": "1200.00",
        "freight": "22.80",  # 9 + 3 * (1.5 * 0.4 + 1) + 20 * 0.2 + 5
        "insurance": "12.54",  # 0.003 * (1200 + 3 * 460 + 1600)
        "duty": "298.08",  # 0.216 * 3 * 460: boards and rigs are of 8543 here
        "fees": "6.51",  # 0.004714 * 3 * 460
        "carrying": "12.34",  # 0.08 / 365 * (1200 * 4 + 3 * 460 * 35 + 1600 * 2)
    }
    assert only(landed, mode="air").uses == {"Penang": 1.6}  # 1 + 3 * 0.2
    assert only(landed, plant="Texas").uses == {"Texas": 1.0, "Penang": pytest.approx(0.6)}
    best = landed.routes[0]
    assert best.usd_unit == Decimal("1906.67")
    assert best.usd_ths == Decimal("9.5334")  # 1906.67 / 200 = 9.53335, half up
    assert best.maker == "Acme"


def test_duty_lines_follow_the_chain(tiny_folder: Path, law: Law) -> None:
    landed = land(network.load(tiny_folder), law, DAY)
    shown = [(line.heading, line.authority, str(line.usd)) for line in only(landed, plant="Texas").duty_lines]
    assert shown == [("9.2", "Surcharge", "262.20"), ("9.1", "HTS", "35.88")]


def test_open_and_assumptions(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(
        tmp_path,
        supplies=lambda text: text.replace("price_usd,", "note,price_usd,").replace("CN,4", "CN,my own estimate,4"),
    )
    told = replace(law, needed={("8543", "MY"): ("loaded",)}, said=("carried forward",))
    landed = land(network.load(folder), told, DAY)
    abroad, home = only(landed, mode="air"), only(landed, plant="Texas")
    assert (abroad.open, home.open) == (True, False)
    assert abroad.assumptions == (
        "carried forward",
        "chip bought from CN: my own estimate",
        "duty on rig of MY depends on the claim loaded",
    )
    assert home.assumptions == (
        "carried forward",
        "chip bought from CN: my own estimate",
        "duty on board of MY depends on the claim loaded",
        "rig made at Texas: estimate of the plant's builder",
    )


def test_parts_from_a_plant_not_open_are_said_so(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(tmp_path, plants=lambda text: text.replace("MY,yes", "MY,no"))
    landed = land(network.load(folder), law, DAY)
    said = "board comes from Penang, which is not open yet"
    assert said in only(landed, plant="Texas").assumptions
    assert said not in only(landed, mode="air").assumptions
    assert not only(landed, mode="air").open


def test_only_the_country_of_the_book_takes_duty(tiny_folder: Path, law: Law) -> None:
    elsewhere = land(network.load(tiny_folder), replace(law, country="FR"), DAY)
    assert {(r.parts["duty"], r.parts["fees"]) for r in elsewhere.routes} == {(Decimal("0.00"), Decimal("0.00"))}
    chips_taxed = land(network.load(tiny_folder), replace(law, country="MY"), DAY)
    assert {str(r.parts["duty"]) for r in chips_taxed.routes} == {"600.00"}  # 0.5 * 1200
    assert all(line.heading == "9.4" for r in chips_taxed.routes for line in r.duty_lines)


def test_units_on_an_entry_bound_the_fee(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(tmp_path, network=lambda text: text + "entry_units = 200\n")
    landed = land(network.load(folder), law, DAY)
    assert only(landed, mode="air").parts["fees"] == Decimal("3.00")  # 600 over 200 units, below 5.30


def test_a_product_can_come_straight_from_a_supply(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(
        tmp_path,
        supplies=lambda text: text + "rig,TH,1000,\nrig,US,3000,\n",
        lanes=lambda text: text + "TH,US,air,5,,3\n",
    )
    landed = land(network.load(folder), law, DAY)
    imported, local = only(landed, origin="TH"), only(landed, origin="US")
    assert (imported.plant, imported.maker, imported.mode, imported.open) == ("", "Acme", "air", True)
    assert (imported.parts["bought"], imported.parts["duty"]) == (Decimal("1000.00"), Decimal("20.00"))
    assert (local.mode, local.days, local.usd_unit) == ("local", 0, Decimal("3000.00"))


def test_a_make_that_confers_no_origin_has_a_route_for_every_origin_of_its_essential_part(
    tmp_path: Path, law: Law
) -> None:
    folder = tiny_network(
        tmp_path,
        supplies=lambda text: text + "board,TW,900,\n",
        lanes=lambda text: text + "TW,US,air,5,,3\nTW,MY,air,5,,3\n",
    )
    landed = land(network.load(folder), law, DAY)
    assert {(r.plant, r.origin) for r in landed.routes} == {("Penang", "MY"), ("Texas", "MY"), ("Texas", "TW")}
    assert only(landed, origin="TW").parts["bought"] == Decimal("2700.00")
    as_made = tiny_network(tmp_path / "b", makes=lambda text: text.replace(",1,no", ",1,yes"))
    assert only(land(network.load(as_made), law, DAY), plant="Texas").origin == "US"


def test_cents_are_rounded_half_up(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(
        tmp_path, supplies=lambda text: text + "rig,US,2.685,\n", network=lambda text: text.replace("0.003", "0")
    )
    route = only(land(network.load(folder), law, DAY), origin="US")
    assert route.parts["bought"] == Decimal("2.69")  # half even would make it 2.68
    assert route.usd_ths == Decimal("0.0135")  # 2.69 / 200 = 0.01345; half even would make it 0.0134


# ------------------------------------------------------------------------------------------- which routes


def test_without_demand_every_rig_is_costed(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(tmp_path, demand="market,product,month,units\n")
    assert {route.product for route in land(network.load(folder), law, DAY).routes} == {"rig"}


def test_product_and_market_narrow_the_routes(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(
        tmp_path, markets=lambda text: text + "Austin,US,\n", lanes=lambda text: text + "Penang,Austin,air,7,3,5\n"
    )
    net = network.load(folder)
    assert {r.market for r in land(net, law, DAY).routes} == {"Austin", "Dallas"}
    assert {r.market for r in land(net, law, DAY, market="Austin").routes} == {"Austin"}
    boards = land(net, law, DAY, product="board").routes
    assert {r.product for r in boards} == {"board"}
    assert {r.usd_ths for r in boards} == {None}


@pytest.mark.parametrize(
    ("asked", "where", "remedy"),
    [
        ({"product": "rigg"}, "--product", "Did you mean 'rig'?"),
        ({"market": "Dalas"}, "--market", "Did you mean 'Dallas'?"),
        ({"market": "Penang"}, "--market", "Name a market of the network. Known: Dallas."),
    ],
)
def test_an_unknown_product_or_market_is_refused(
    tiny_folder: Path, law: Law, asked: dict[str, str], where: str, remedy: str
) -> None:
    with pytest.raises(FaultyInput) as caught:
        land(network.load(tiny_folder), law, DAY, **asked)
    [fault] = caught.value.faults
    assert (fault.where, fault.remedy) == (where, remedy)


def test_no_route_at_all_is_said_with_a_remedy(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(tmp_path, lanes="from,to,mode\n")
    with pytest.raises(Infeasible, match="No chain of lanes brings 'rig' to Dallas") as caught:
        land(network.load(folder), law, DAY)
    assert "Penang or Texas" in caught.value.faults[0].remedy


def test_a_market_without_a_route_is_named_beside_those_with_one(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(
        tmp_path,
        markets=lambda text: text + "Oslo,NO,\nBergen,NO,\n",
        demand=lambda text: text + "Oslo,rig,,5,,\n",
    )
    landed = land(network.load(folder), law, DAY)
    assert {r.market for r in landed.routes} == {"Dallas"}
    assert [fault.what for fault in landed.unreached] == ["No chain of lanes brings 'rig' to Oslo."]
    assert land(network.load(folder), law, DAY, market="Dallas").unreached == ()


def test_an_unresolved_duty_leaves_its_chain_out_and_says_so(tmp_path: Path, law: Law) -> None:
    folder = tiny_network(
        tmp_path, supplies=lambda text: text + "rig,TH,9000,\n", lanes=lambda text: text + "TH,US,air,5,,3\n"
    )
    net = network.load(folder)
    doubtful = replace(law, unresolved=frozenset({("8543", "MY")}))
    landed = land(net, doubtful, DAY)
    assert [(r.plant, r.origin) for r in landed.routes] == [("", "TH")]
    assert [fault.where for fault in landed.unresolved] == ["board of MY", "rig of MY"]
    hopeless = replace(law, unresolved=frozenset({("8543", "MY"), ("8543", "TH")}))
    with pytest.raises(Unresolved) as caught:
        land(net, hopeless, DAY)
    assert [fault.where for fault in caught.value.faults] == ["board of MY", "rig of MY", "rig of TH"]


def test_an_empty_network_has_no_routes(tmp_path: Path, law: Law) -> None:
    heads = {
        name: lambda text: text.splitlines()[0] + "\n"
        for name in ("products", "parts", "plants", "makes", "supplies", "lanes", "markets", "demand")
    }
    landed = land(network.load(tiny_network(tmp_path, **heads)), law, DAY)
    assert landed.as_dict()["routes"] == []
    assert landed.frame().height == 0


# ------------------------------------------------------------------------------------------- how it is handed on


def test_plain_values_and_a_frame(tiny_folder: Path, law: Law) -> None:
    landed = land(network.load(tiny_folder), law, DAY)
    rows = landed.as_dict()["routes"]
    assert list(rows[0])[:10] == [
        "product",
        "maker",
        "plant",
        "origin",
        "market",
        "mode",
        "days",
        "usd_unit",
        "usd_ths",
        "parts",
    ]
    assert tuple(rows[0]["parts"]) == PARTS
    for row in rows:
        assert round(sum(row["parts"].values()), 2) == row["usd_unit"]
    frame = landed.frame()
    assert frame["usd_unit"].to_list() == [row["usd_unit"] for row in rows]
    assert frame.select(pl.sum_horizontal(PARTS).round(2)).to_series().to_list() == frame["usd_unit"].to_list()
    assert frame["assumptions"].dtype == pl.List(pl.String)


# ------------------------------------------------------------------------------------------- any tiny network

LANDS = ("US", "MY", "CN")
CENTS = st.integers(0, 50_000).map(lambda cents: cents / 100)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Up to three plants in three countries, three levels of parts, supplies and lanes by plant or by country."""
    names = [f"P{n}" for n in range(draw(st.integers(1, 3)))]
    plants = {
        name: Plant(name, "Acme", draw(st.sampled_from(LANDS)), draw(st.booleans()), 0, 0, 0, 0, 1) for name in names
    }
    products = {
        "rig": Product("rig", "Acme", "rig", "85437098", draw(CENTS), draw(st.sampled_from((None, 7.0, 200.0)))),
        "board": Product("board", "Acme", "board", "85439068", draw(CENTS)),
        "chip": Product("chip", "Foundry", "chip", "85423900", draw(CENTS)),
    }
    some = st.sampled_from((0.5, 1.0, 3.0))
    parts = {
        "rig": (Part("rig", "board", draw(some), True), Part("rig", "chip", draw(some))),
        "board": (Part("board", "chip", draw(some), True),),
        "chip": (),
    }
    makes = {
        (plant, item): Make(plant, item, draw(CENTS), draw(CENTS), 1, draw(st.booleans()))
        for plant in names
        for item in ("rig", "board")
        if draw(st.booleans()) or item == "rig"
    }
    supplies = {
        item: tuple(Supply(item, origin, draw(CENTS)) for origin in draw(st.sets(st.sampled_from(LANDS), max_size=2)))
        for item in ("rig", "board", "chip")
    }
    ends = [*names, *LANDS]
    pairs = draw(st.sets(st.tuples(st.sampled_from(ends), st.sampled_from([*ends, "M"])), min_size=6))
    lanes = tuple(
        Lane(a, b, mode, draw(CENTS) / 100, draw(CENTS), draw(st.integers(0, 40)))
        for a, b in sorted(pairs)
        if a != b
        for mode in draw(st.sampled_from((("air",), ("ocean",), ("air", "ocean"))))
    )
    settings = Settings("x", "USD", draw(st.sampled_from(("board", "assembly"))), 0, 0.1, 0.003)
    return Network(settings, products, parts, plants, makes, supplies, lanes, {"M": Market("M", "US")}, ())


RANDOM_LAW = Law(
    lines={
        ("8543", "MY"): [("a", "A", 0.026), ("b", "B", 0.19)],
        ("8543", "CN"): [("a", "A", 0.026), ("c", "C", 0.25)],
        ("8542", "CN"): [("c", "C", 0.5)],
        ("8542", "MY"): [("a", "A", 0.0)],
    }
)


def every_chain(net: Network, product: str, place: str) -> Iterator[tuple[str, str, str, float]]:
    """(plant, origin, last mode, USD) of every way to have a unit at a place, with no thought for the cheapest."""
    for make in net.makes_of(product):
        own = net.parts[product]
        ways = [list(every_chain(net, part.part, make.plant)) for part in own]
        for choice in itertools.product(*ways):
            cost = make.cost_usd + sum(part.quantity * way[3] for part, way in zip(own, choice, strict=True))
            origin = net.plants[make.plant].country
            if not net.confers(make):
                origin = next(way[1] for part, way in zip(own, choice, strict=True) if part.essential)
            if make.plant == place:
                yield make.plant, origin, "", cost
            for lane in net.lanes_between(make.plant, place) if make.plant != place else ():
                carried = leg_usd(net, product, origin, make.customs_value_usd, lane, make.plant, place)
                yield make.plant, origin, lane.mode, cost + carried
    for supply in net.supplies[product]:
        for lane in net.supply_lanes(supply, place):
            carried = leg_usd(net, product, supply.origin, supply.price_usd, lane, supply.origin, place)
            yield "", supply.origin, lane.mode, supply.price_usd + carried


def leg_usd(net: Network, product: str, origin: str, value: float, lane: Lane, start: str, end: str) -> float:
    if lane.mode == "local":
        return 0.0
    item = net.products[product]
    usd = lane.usd_per_kg * item.weight_kg + lane.usd_per_unit + 0.003 * value + value * 0.1 * lane.days / 365
    if net.country_of(end) == "US" and net.country_of(start) != "US":
        usd += total_rate(RANDOM_LAW, item.hts, origin, DAY) * value + fees_usd(RANDOM_LAW, value, DAY, lane.mode)
    return usd


def landed_or_none(net: Network) -> Landed | None:
    try:
        return land(net, RANDOM_LAW, DAY)
    except Infeasible:
        return None


@given(networks())
def test_routes_are_the_cheapest_of_all_chains(net: Network) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fake = SimpleNamespace(
            lines=lines, total_rate=total_rate, needs=needs, fees_usd=fees_usd, maker_claim=maker_claim
        )
        patch.setattr(costs, "duties", fake)
        landed = landed_or_none(net)
    best: dict[tuple[str, str, str], float] = {}
    for plant, origin, mode, usd in every_chain(net, "rig", "M"):
        key = (plant, origin, mode)
        best[key] = min(usd, best.get(key, usd))
    found = {(r.plant, r.origin, r.mode): float(r.usd_unit) for r in (landed.routes if landed else [])}
    assert found.keys() == best.keys()
    for key, usd in best.items():
        assert found[key] == pytest.approx(usd, abs=0.005 * len(PARTS) + 1e-6)


@given(networks())
def test_parts_sum_to_the_unit_and_duty_lines_to_the_duty(net: Network) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fake = SimpleNamespace(
            lines=lines, total_rate=total_rate, needs=needs, fees_usd=fees_usd, maker_claim=maker_claim
        )
        patch.setattr(costs, "duties", fake)
        landed = landed_or_none(net)
    for route in landed.routes if landed else []:
        assert tuple(route.parts) == PARTS
        assert sum(route.parts.values()) == route.usd_unit
        assert all(usd == usd.quantize(Decimal("0.01")) >= 0 for usd in route.parts.values())
        assert sum((line.usd for line in route.duty_lines), Decimal(0)) == route.parts["duty"]
        assert (route.usd_ths is None) == (net.products["rig"].hash_ths is None)


def shuffled(net: Network, rng: random.Random) -> Network:
    """The same network with the rows of every table in another order."""

    def turned(items: dict) -> dict:
        pairs = list(items.items())
        rng.shuffle(pairs)
        return dict(pairs)

    def turned_rows(rows: tuple) -> tuple:
        return tuple(rng.sample(rows, len(rows)))

    return replace(
        net,
        products=turned(net.products),
        parts={name: turned_rows(rows) for name, rows in turned(net.parts).items()},
        plants=turned(net.plants),
        makes=turned(net.makes),
        supplies={name: turned_rows(rows) for name, rows in turned(net.supplies).items()},
        lanes=turned_rows(net.lanes),
        markets=turned(net.markets),
    )


@given(networks(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(net: Network, rng: random.Random) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fake = SimpleNamespace(
            lines=lines, total_rate=total_rate, needs=needs, fees_usd=fees_usd, maker_claim=maker_claim
        )
        patch.setattr(costs, "duties", fake)
        before, after = landed_or_none(net), landed_or_none(shuffled(net, rng))
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after.as_dict() == before.as_dict()
        assert [r.usd_unit for r in before.routes] == sorted(r.usd_unit for r in before.routes)


# ------------------------------------------------------------------------------------------- with the real engine


def test_the_engine_and_the_landed_cost_agree(tmp_path: Path) -> None:
    book = rules.load(write_book(tmp_path / "book"))
    folder = tiny_network(
        tmp_path / "net",
        products=lambda text: text.replace("8543.90.68.00", "8542.31.00").replace("8542.39.00.10", "8542.31.00"),
    )
    net = network.load(folder)
    day = date(2025, 10, 1)
    landed = land(net, book, day)
    route = only(landed, mode="air")
    value = net.makes["Penang", "rig"].customs_value_usd
    entry = duties.Entry(hts="8543709860", origin="MY", on=day, value_cents=round(value * 100))
    assessed = duties.assess(book, entry).as_dict()
    assert float(route.parts["duty"]) == assessed["duty_usd"] == round(0.216 * value, 2)
    owed = {line["heading"]: line["duty_usd"] for line in assessed["lines"] if line["duty_usd"]}
    assert {line.heading: float(line.usd) for line in route.duty_lines} == owed
    assert route.parts["fees"] == Decimal("5.30")
    after = land(net, book, date(2026, 3, 1))
    assert only(after, mode="air").parts["duty"] == Decimal("39.78")  # 0.026 * 1530, the surcharge has ended


def test_a_line_the_book_does_not_know_is_unresolved(tiny_folder: Path, tmp_path: Path) -> None:
    book = rules.load(write_book(tmp_path / "book"))
    landed = land(network.load(tiny_folder), book, date(2025, 10, 1))
    assert {route.plant for route in landed.routes} == {"Penang"}
    assert [fault.where for fault in landed.unresolved] == ["board of MY"]
    assert "8543.90.68.00 is not in the schedule" in landed.unresolved[0].what
