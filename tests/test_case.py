"""The shipped case: every row says where it comes from, and its figures tie to each other and to what was published."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from ashore import network, rules
from ashore.errors import Fault
from ashore.network import Network

ROOT = Path(__file__).parents[1]
CASE = ROOT / "src" / "ashore" / "data" / "cases" / "rigs-2026"
FUTURES = CASE / "futures"
TABLES = ("products", "parts", "plants", "makes", "supplies", "lanes", "markets", "demand")
MARK = re.compile(r"(READ|DERIVED|ESTIMATE|MEMORY|INFERENCE)\b")
RIGS = {"s21-xp": "Bitmain", "m70s": "MicroBT", "a15-pro": "Canaan", "at2880": "Auradine"}
CHIPS = {"s21-xp": 91 * 3, "m70s": 204 * 3, "a15-pro": 160 * 3, "at2880": 132 * 3}
US = ("us-texas", "us-georgia", "us-new-york", "us-other")
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def case() -> Network:
    return network.load(CASE)


def rows(table: str) -> list[dict[str, str]]:
    with (CASE / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def us_value(case: Network) -> float:
    """USD a year of rigs wanted in the US at their selling prices."""
    return 12 * sum(row.units * (row.price_usd or 0) for row in case.demand if row.market in US)


# Sources and marks


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_source_and_a_mark(table: str) -> None:
    bare = [n for n, row in enumerate(rows(table), 2) if not row["source"].strip() or not MARK.match(row["note"])]
    assert bare == []


@pytest.mark.parametrize("table", TABLES)
def test_estimates_are_called_so_in_the_output(table: str, case: Network) -> None:
    """Whatever is marked as less than read or derived from read figures is named by ``estimates``."""
    told = "\n".join(case.estimates())
    weak = [row["note"] for row in rows(table) if re.match(r"ESTIMATE|MEMORY|INFERENCE", row["note"])]
    assert [note for note in weak if note not in told] == []


def test_settings_carry_their_marks() -> None:
    text = (CASE / "network.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)) >= {"source", "note"}
    for key in ("hold_usd_month", "discount_year", "insurance_share", "entry_units"):
        before = text[: text.index(f"\n{key} =")].rstrip().splitlines()
        comment = []
        while before and before[-1].startswith("#"):
            comment.append(before.pop())
        assert MARK.search(" ".join(comment)), key


def test_tables_are_what_the_program_gives() -> None:
    program = ROOT / "tools" / "build_case.py"
    if not program.exists():
        pytest.skip("the tools are not part of this copy")
    done = subprocess.run([sys.executable, program, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Products and parts


def test_makers_and_rigs(case: Network) -> None:
    assert {name: item.maker for name, item in case.products.items() if item.kind == "rig"} == RIGS
    for name in RIGS:
        rig = case.products[name]
        assert rig.hts == "8543709860"
        assert rig.hash_ths is not None
        assert rig.power_w is not None
        assert 12 < rig.power_w / rig.hash_ths < 17  # J/TH
        assert case.products[f"{name}-board"].hts == "8543906800"
        assert case.essential(name) == f"{name}-board"


@pytest.mark.parametrize("rig", RIGS)
def test_chips_of_a_rig(rig: str, case: Network) -> None:
    boards = {part.part: part.quantity for part in case.parts[rig]}[f"{rig}-board"]
    sets = {part.part: part.quantity for part in case.parts[f"{rig}-board"]}[f"{rig}-chips"]
    note = case.products[f"{rig}-chips"].note or ""
    chips = re.search(r"(\d+) chips", note)
    assert chips is not None
    assert boards * sets * int(chips[1]) == CHIPS[rig]


@pytest.mark.parametrize("rig", RIGS)
def test_weights_add_up(rig: str, case: Network) -> None:
    """Boards weigh what is on them; all parts weigh the net rig, which is lighter than the packed one by 21/18.7."""

    def inside(product: str) -> float:
        return sum(part.quantity * case.products[part.part].weight_kg for part in case.parts[product])

    assert inside(f"{rig}-board") == pytest.approx(case.products[f"{rig}-board"].weight_kg, abs=0.002)
    assert inside(rig) * 21 / 18.7 == pytest.approx(case.products[rig].weight_kg, rel=0.01)


@pytest.mark.parametrize("rig", RIGS)
def test_costs_add_up_to_the_selling_price(rig: str, case: Network) -> None:
    """At a Malaysian plant parts at their first price, SMT work and the make cost (margin included) are the price."""

    def bought(product: str) -> float:
        usd = 0.0
        for part in case.parts[product]:
            if part.part in case.supplies:
                usd += part.quantity * min(supply.price_usd for supply in case.supplies[part.part])
            else:
                usd += part.quantity * (bought(part.part) + case.makes[home, part.part].cost_usd)
        return usd

    home = f"{RIGS[rig].casefold()}-my"
    make = case.makes[home, rig]
    price = {row.price_usd for row in case.demand if row.product == rig}
    assert price == {make.customs_value_usd}
    assert bought(rig) + make.cost_usd == pytest.approx(make.customs_value_usd, abs=0.01)
    board = case.makes[home, f"{rig}-board"]
    assert board.customs_value_usd == pytest.approx(bought(f"{rig}-board") + board.cost_usd, abs=0.005)


def test_cost_of_the_reference_rig(case: Network) -> None:
    """The S21 XP costs its maker 1,994 USD, inside the 1,395-3,002 of the split; 7.4 USD a TH/s."""
    cost = float(re.findall(r"cost ([\d.]+) at a Malaysian", case.makes["bitmain-my", "s21-xp"].note or "")[0])
    assert cost == pytest.approx(1999 - 5, abs=1)
    ths = case.products["s21-xp"].hash_ths or 0
    assert cost / ths == pytest.approx(7.40, abs=0.05)


def test_where_chips_come_from(case: Network) -> None:
    origins = {rig: {supply.origin for supply in case.supplies[f"{rig}-chips"]} for rig in RIGS}
    assert origins == {"s21-xp": {"TW"}, "m70s": {"KR"}, "a15-pro": {"TW"}, "at2880": {"TW"}}


# Plants


def test_origin_follows_the_board(case: Network) -> None:
    for (_, product), make in case.makes.items():
        assert case.confers(make) is (case.products[product].kind == "board")


def test_us_steps(case: Network) -> None:
    """Box build and boards are separate steps; capital, labour and time stay inside what was read or estimated."""
    kinds = {plant: {case.products[p].kind for at, p in case.makes if at == plant} for plant in case.plants}
    for plant in case.plants.values():
        if plant.country != "US":
            assert plant.open
            assert kinds[plant.name] == {"rig", "board"}
        elif plant.open:
            assert kinds[plant.name] == {"rig"}
            assert plant.open_usd == 0
        else:
            step = "box" if kinds[plant.name] == {"rig"} else "smt"
            assert f"-us-{step}" in plant.name
            low, high = {"box": (3e6, 12e6), "smt": (8e6, 25e6)}[step]
            lines = max(1, plant.capacity_month / 10_000)
            assert low <= plant.open_usd / lines <= high
            assert 6 <= plant.lead_months <= 18
    for rig, maker in RIGS.items():
        at = {plant: make.cost_usd for (plant, product), make in case.makes.items() if product == rig}
        home = at[f"{maker.casefold()}-my"]
        assert {round(usd - home, 2) for plant, usd in at.items() if case.plants[plant].country == "US"} == {32.0}
        board = {plant: make.cost_usd for (plant, product), make in case.makes.items() if product == f"{rig}-board"}
        gap = {round(3 * (usd - 10), 1) for plant, usd in board.items() if case.plants[plant].country == "US"}
        assert gap == {10.0}  # 42 USD a rig for both steps


@pytest.mark.parametrize(
    ("maker", "name", "units", "premium"),
    [("bitmain", "us-box", 10000, 49), ("bitmain", "us-smt", 10000, 98 - 49), ("canaan", "us-box", 3000, 60)],
)
def test_us_premium_is_the_worked_one(case: Network, maker: str, name: str, units: int, premium: float) -> None:
    """Labour and 36 months of capital at full use give the premium that the capital figures were published for."""
    plant = case.plants[f"{maker}-{name}"]
    assert plant.capacity_month == units
    labour = 32 if "box" in name else 10
    assert plant.open_usd / (36 * units) + labour == pytest.approx(premium, abs=1)


def test_open_plants_carry_the_world(case: Network) -> None:
    for rig, maker in RIGS.items():
        wanted = sum(row.units for row in case.demand if row.product == rig)
        able = sum(p.capacity_month for p in case.plants.values() if p.company == maker and p.country != "US")
        assert 1.2 * wanted < able < 1.35 * wanted


# Lanes


def test_every_way_a_plan_could_want(case: Network) -> None:
    """Rigs to all markets by air and ocean (inside North America by truck), parts to all plants, boards to the US."""
    missing: list[tuple[str, str, str]] = []
    for plant, made in case.makes:
        at = case.plants[plant].country
        if case.products[made].kind == "rig":
            for market, place in case.markets.items():
                wanted = {"truck"} if at == "US" and place.country in ("US", "CA") else {"air", "ocean"}
                has = {lane.mode for lane in case.lanes_between(plant, market)}
                missing += [(plant, market, mode) for mode in wanted - has]
        for part in case.parts[made]:
            for supply in case.supplies.get(part.part, ()):
                if at != "CN" and not case.supply_lanes(supply, plant):  # plants in China buy at home and chips abroad
                    missing.append((supply.origin, plant, part.part))
            for maker, board in case.makes:
                if board == part.part and at == "US" and maker != plant and not case.lanes_between(maker, plant):
                    missing.append((maker, plant, part.part))
    assert missing == []


def test_freight_of_the_reference_rig(case: Network) -> None:
    """158 USD by air from South-East Asia, 124 from Hong Kong, and about 7 on land; a few dollars by sea."""
    weight = case.products["s21-xp"].weight_kg
    assert weight == 21

    def freight(plant: str, market: str) -> dict[str, float]:
        return {lane.mode: lane.usd_per_kg * weight for lane in case.lanes_between(plant, market)}

    assert freight("bitmain-my", "us-texas")["air"] == pytest.approx(157.5 + 7.1, abs=0.2)
    assert freight("bitmain-my", "us-georgia")["air"] == pytest.approx(178.5 + 7.1, abs=0.2)
    assert freight("bitmain-cn", "us-texas")["air"] == pytest.approx(123.9 + 7.1, abs=0.2)
    assert freight("bitmain-my", "us-other")["ocean"] == pytest.approx(2.5 + 7.1, abs=0.2)


# Demand


def test_us_demand_ties_to_the_imports_of_2024(case: Network) -> None:
    """Over 2.3 billion USD and 0.6 to 0.8 million units a year."""
    assert us_value(case) == pytest.approx(2.3e9, rel=0.002)
    units = 12 * sum(row.units for row in case.demand if row.market in US)
    assert 0.6e6 <= units <= 0.8e6


def test_makers_share_the_hash_rate(case: Network) -> None:
    """82, 15, 2 per cent and 1 for the rest in the US; the same without the rest elsewhere."""
    for markets in (US, ("canada",), ("world",)):
        ths: Counter[str] = Counter()
        for row in case.demand:
            if row.market in markets:
                ths[case.products[row.product].maker] += row.units * (case.products[row.product].hash_ths or 0)
        total = sum(ths.values())
        scale = 1 if markets == US else 0.99
        assert ths["Bitmain"] / total == pytest.approx(0.82 / scale, abs=0.002)
        assert ths["MicroBT"] / total == pytest.approx(0.15 / scale, abs=0.002)
        assert ths["Canaan"] / total == pytest.approx(0.02 / scale, abs=0.002)


def test_regions_share_the_demand(case: Network) -> None:
    """US 37 per cent of the world (36 to 38 read), Canada 2.9; Texas 28.5, Georgia 9.6, New York 8.8 of the US."""
    ths: Counter[str] = Counter()
    for row in case.demand:
        ths[row.market] += row.units * (case.products[row.product].hash_ths or 0)
    us = sum(ths[market] for market in US)
    assert us / sum(ths.values()) == pytest.approx(0.37, abs=0.002)
    assert ths["canada"] / sum(ths.values()) == pytest.approx(0.02935, abs=0.001)
    for market, share in zip(US, (0.285, 0.096, 0.088, 0.531), strict=True):
        assert ths[market] / us == pytest.approx(share, abs=0.002)


def test_demand_may_be_lost_at_the_worth_of_the_rig(case: Network) -> None:
    """36 months of margin at 40 USD/PH/day and 4.5 c/kWh, which is more than twice the price but for the dearest."""
    for row in case.demand:
        rig = case.products[row.product]
        margin = (rig.hash_ths or 0) * 0.040 * 30 - (rig.power_w or 0) / 1000 * 720 * 0.045
        assert row.lost_usd == pytest.approx(36 * margin, abs=0.5)
        assert row.price_usd is not None
        assert 1.8 * row.price_usd < row.lost_usd < 3 * row.price_usd


# Futures files


def test_futures_are_well_formed() -> None:
    for name in ("law-to-2029", "excess-capacity-2027"):
        tree = tomllib.loads((FUTURES / f"{name}.toml").read_text(encoding="utf-8"))
        nodes = {node["id"]: node for node in tree["node"]}
        assert [node for node in nodes.values() if "parent" not in node] == [tree["node"][0]]
        below: Counter[str] = Counter()
        for node in nodes.values():
            if "parent" in node:
                below[node["parent"]] += node["chance"]
        assert all(total == pytest.approx(1) for total in below.values())


def test_excess_capacity_names_the_sixteen_economies() -> None:
    tree = tomllib.loads((FUTURES / "excess-capacity-2027.toml").read_text(encoding="utf-8"))
    changes = [change for node in tree["node"] for change in node.get("change", [])]
    assert [change["rate"] for change in changes] == [0.10, 0.25]
    for change in changes:
        assert len(set(change["origins"])) == 16


@pytest.fixture(scope="module")
def book() -> rules.RuleBook:
    return rules.load()


@pytest.mark.parametrize(
    ("hts", "origin", "rise"),
    [
        ("8543709860", "MY", 1),  # rigs
        ("8543709860", "CN", 1),
        ("8543709860", "DE", 1),  # through the group EU
        ("8543709860", "LA", 0),  # not among the sixteen
        ("8543906800", "TH", 1),  # boards
        ("8542310000", "TW", 0),  # chips, on the exempt list of the forced-labour duties
        ("8542310000", "KR", 0),
        ("7616995190", "MY", 0),  # metals duty instead
    ],
)
def test_what_the_excess_capacity_action_bears_on(book: rules.RuleBook, hts: str, origin: str, rise: int) -> None:
    from ashore import duties
    from ashore.plans import read_futures

    futures = read_futures(FUTURES / "excess-capacity-2027.toml", book).hold(date(2029, 1, 1))
    on = date(2027, 6, 1)
    base, ten, more = (
        duties.total_rate(futures.nodes[futures.index(name)].book, hts, origin, on)
        for name in ("no-action", "ten", "twenty-five")
    )
    assert float(ten) - float(base) == pytest.approx(0.10 * rise)
    assert float(more) - float(base) == pytest.approx(0.25 * rise)


# Where to make it


def opened(case: Network, book: rules.RuleBook, changes: list[dict[str, object]]) -> set[str]:
    """The plants that the best plan of 24 months opens under a changed law."""
    from ashore import plans

    faults: list[Fault] = []
    changed = rules.read_changes(changes, book, "test", faults)
    assert faults == []
    plan = plans.solve(case, book.under(changed), TODAY, 24)
    return set(plan.open["plant"])


def more(*products: str) -> list[dict[str, object]]:
    """A whole customs value more on these products of every origin."""
    start = date(2026, 11, 1)
    rule = {"heading": "test", "authority": "test", "origins": "*", "kind": "add", "rate": 1, "from": start}
    return [{**rule, "products": list(products)}]


def test_without_duty_no_us_line_opens(case: Network, book: rules.RuleBook) -> None:
    assert opened(case, book, [{"rule": "*", "rate": 0}]) == set()


def test_a_high_duty_on_rigs_opens_box_lines(case: Network, book: rules.RuleBook) -> None:
    steps = opened(case, book, more("8543.70.98"))
    assert {"bitmain-us-box", "microbt-us-box"} <= steps
    assert not any("smt" in plant for plant in steps)


def test_a_high_duty_on_boards_too_opens_board_lines(case: Network, book: rules.RuleBook) -> None:
    assert {"bitmain-us-smt", "microbt-us-smt"} <= opened(case, book, more("8543.70.98", "8543.90.68"))


# Landed cost against the worked stack


@pytest.mark.parametrize(
    ("plant", "origin", "worked", "rate_then"),
    [("bitmain-my", "MY", 3522, 0.126), ("bitmain-cn", "CN", 4231, 0.376)],
)
def test_landed_by_air_is_near_the_worked_stack(
    case: Network, book: rules.RuleBook, plant: str, origin: str, worked: float, rate_then: float
) -> None:
    """Within 2 per cent of the stack worked out for February to July 2026, at the duty rate of that time."""
    from ashore import costs, duties

    now = float(duties.total_rate(book, "8543709860", origin, TODAY))
    routes = costs.land(case, book, TODAY, product="s21-xp", market="us-texas").routes
    route = next(r for r in routes if (r.plant, r.origin, r.mode) == (plant, origin, "air"))
    assert float(route.usd_unit) - (now - rate_then) * 2970 == pytest.approx(worked, rel=0.02)


def test_every_rig_reaches_every_market(case: Network, book: rules.RuleBook) -> None:
    from ashore import costs

    landed = costs.land(case, book, TODAY)
    assert landed.unreached == ()
    assert landed.unresolved == ()
    served = {(route.product, route.market) for route in landed.routes}
    assert served >= {(row.product, row.market) for row in case.demand}


def test_the_page_about_the_case_quotes_what_the_program_says(case: Network, book: rules.RuleBook) -> None:
    from ashore import costs

    page = (ROOT / "docs" / "explanation" / "case-rigs-2026.md").read_text(encoding="utf-8")
    quoted = {
        re.sub(r"\s+", " ", cells[0]): cells[1]
        for line in page.splitlines()
        if line.startswith(("| Malaysia", "| Thailand", "| China", "| US b"))
        and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3
    }
    routes = costs.land(case, book, TODAY, product="s21-xp", market="us-texas").routes
    usd = {(route.plant, route.origin, route.mode): f"{route.usd_unit:,.0f}" for route in routes}
    assert quoted == {
        "Malaysia, air, 12.6 per cent": usd["bitmain-my", "MY", "air"],
        "Malaysia, ocean": usd["bitmain-my", "MY", "ocean"],
        "Thailand, air, 15.1 per cent": usd["bitmain-th", "TH", "air"],
        "China, air, 40.1 per cent": usd["bitmain-cn", "CN", "air"],
        "US box build, boards from Malaysia": usd["bitmain-us", "MY", "truck"],
        "US boards and box": usd["bitmain-us", "US", "truck"],
    }
