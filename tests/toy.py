"""The toy network of the planner's tests: three articles, two plants, a book of laws made for it, and random cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pytest

from ashore import duties, network, plans
from ashore.dates import month_date
from ashore.plans import Futures, Node, NodeDemand
from ashore.rules import Line, RuleBook, read_changes
from ashore.rules.model import ColumnRates

START = date(2026, 12, 1)
RIG, BOARD, CHIP = "85437098", "85439068", "85423100"


def book(*changes: dict[str, Any], until: date = date(2035, 1, 1)) -> RuleBook:
    """A book whose three lines owe nothing, and the changes."""
    span = (date(2018, 1, 1), date(2040, 1, 1))

    def line(hts: str) -> Line:
        rates = ColumnRates(*span, 0, 0, {}, "toy", "R", "", "")
        return Line(hts, "", "", frozenset(), *span, "", (rates,))

    lines = {hts: line(hts) for hts in (RIG, BOARD, CHIP)}
    countries = {code: code for code in ("US", "CN", "MY", "TW", "CA")}
    base = RuleBook("US", span[0], until, until, (), lines, (), (), {}, countries)
    return under(base, *changes)


def under(base: RuleBook, *changes: dict[str, Any], since: date | None = None) -> RuleBook:
    faults: list[Any] = []
    found = read_changes(list(changes), base, "toy", faults)
    assert not faults
    return base.under(found, since=since)


def duty(rate: float, origins: Any = "*", products: Any = "8543", **more: Any) -> dict[str, Any]:
    name = f"H{rate}{origins}"
    return {"heading": name, "authority": "toy", "origins": origins, "products": products, "rate": rate, **more}


def rows(header: str, *lines: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(zip(header.split(), line, strict=True)) for line in lines]


PRODUCTS = rows(
    "product maker kind hts weight_kg",
    ("rig", "Acme", "rig", RIG, 10),
    ("board", "Acme", "board", BOARD, 1),
    ("chip", "Fab", "chip", CHIP, 0),
)
PLANTS = "plant company country open open_usd fixed_usd_month lead_months ramp_months capacity_month"
MAKES = "plant product cost_usd confers_origin"
LANES = "from to mode usd_per_kg usd_per_unit days"
DEMAND = "market product month units price_usd lost_usd"


def net(config: Mapping[str, Any] | None = None, **tables: Any) -> network.Network:
    """A rig of three boards of ten chips, made in Malaysia or, once opened, in Texas."""
    usual: dict[str, Any] = {
        "products": PRODUCTS,
        "parts": rows("product part quantity essential", ("rig", "board", 3, "yes"), ("board", "chip", 10, "no")),
        "plants": rows(
            PLANTS,
            ("penang", "Acme", "MY", "yes", 0, 100, 0, 0, 1000),
            ("dallas", "Acme", "US", "no", 20000, 1000, 2, 1, 1000),
        ),
        "makes": rows(
            MAKES,
            ("penang", "rig", 100, "yes"),
            ("penang", "board", 20, "yes"),
            ("dallas", "rig", 200, "yes"),
            ("dallas", "board", 40, "yes"),
        ),
        "supplies": rows("product origin price_usd", ("chip", "TW", 50)),
        "lanes": rows(
            LANES,
            ("penang", "US", "air", 5, 0, 3),
            ("penang", "US", "ocean", 1, 0, 35),
            ("US", "US", "truck", 0.5, 0, 2),
            ("TW", "MY", "air", 0, 0.1, 2),
            ("TW", "US", "air", 0, 0.2, 2),
        ),
        "markets": rows("market country", ("texas", "US")),
        "demand": rows(DEMAND, ("texas", "rig", None, 10, 3000, 5000)),
    }
    setting = {"name": "toy", "currency": "USD", "origin_rule": "board", "hold_usd_month": 1, "discount_year": 0}
    return network.load(usual | tables, setting | dict(config or {}))


def simple(demand: Any, lanes: Any = None, plants: Any = None, cost: float = 10, **config: Any) -> network.Network:
    """One product without parts: made in Malaysia unless ``plants`` says otherwise."""
    plants = plants or rows(PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 1000))
    return net(
        config,
        products=PRODUCTS[:1],
        parts={"product": [], "part": [], "quantity": []},
        plants=plants,
        makes=rows("plant product cost_usd customs_value_usd", *[(p["plant"], "rig", cost, 100) for p in plants]),
        supplies={"product": [], "origin": [], "price_usd": []},
        lanes=lanes or rows(LANES, ("MY", "US", "air", 0, 1, 0), ("US", "US", "truck", 0, 1, 0)),
        demand=demand,
    )


def tree(base: RuleBook, *nodes: tuple[str, str | None, date, float, RuleBook], demand: Any = ()) -> Futures:
    return Futures(tuple(Node(*node) for node in nodes), tuple(NodeDemand(*row) for row in demand))


def month(number: int) -> date:
    return month_date(START, number)


def ties(plan: plans.Plan) -> None:
    """What holds of every plan: the ledger is its cost, duty its duty, and goods are kept."""
    frame = plan.ledger
    spent = (frame["cents"] * frame["factor"] * frame["chance"]).sum() / 100
    assert spent == pytest.approx(plan.cost_usd, abs=0.0051, rel=1e-12)
    assert frame.filter(frame["payer"] == frame["payee"]).is_empty()
    owed = frame.filter(frame["item"] == "duty")
    assert (owed["cents"] * owed["factor"] * owed["chance"]).sum() / 100 == pytest.approx(plan.duty_usd, abs=1e-6)
    assert plan.node_costs["expected_usd"].sum() == pytest.approx(plan.cost_usd, rel=1e-9, abs=1e-6)
    assert plan.bound_usd <= plan.objective_usd + 1e-9
    mixed = (1 - plan.risk) * plan.cost_usd + plan.risk * plan.tail_usd
    assert plan.objective_usd == pytest.approx(mixed, rel=1e-9)


def restricted_pair() -> network.Network:
    """The toy with a second maker who shares nothing but the supply of chips."""
    twin = [dict(row, product=f"{row['product']}2", maker="Beta") for row in PRODUCTS[:2]]
    usual = net()
    plants = rows(
        PLANTS,
        ("penang", "Acme", "MY", "yes", 0, 100, 0, 0, 1000),
        ("dallas", "Acme", "US", "no", 20000, 1000, 2, 1, 1000),
        ("johor", "Beta", "MY", "yes", 0, 100, 0, 0, 1000),
        ("ohio", "Beta", "US", "no", 9000, 1000, 2, 1, 1000),
    )
    makes = rows(
        MAKES,
        *[(p, m, c * k, "yes") for p, k in (("penang", 1), ("dallas", 2)) for m, c in (("rig", 100), ("board", 20))],
        *[(p, m, c * k, "yes") for p, k in (("johor", 1), ("ohio", 2)) for m, c in (("rig2", 100), ("board2", 20))],
    )
    lanes = rows(LANES, *[(x.origin_end, x.to, x.mode, x.usd_per_kg, x.usd_per_unit, x.days) for x in usual.lanes])
    lanes += rows(LANES, ("johor", "US", "air", 5, 0, 3), ("US", "CA", "truck", 0.5, 0, 2))
    return net(
        products=[*PRODUCTS, *twin],
        parts=rows(
            "product part quantity essential",
            *[(f"rig{k}", f"board{k}", 3, "yes") for k in ("", "2")],
            *[(f"board{k}", "chip", 10, "no") for k in ("", "2")],
        ),
        plants=plants,
        makes=makes,
        lanes=lanes,
        demand=rows(DEMAND, ("texas", "rig", None, 10, 3000, 5000), ("texas", "rig2", None, 20, 3000, 5000)),
    )


def random_case(seed: int) -> tuple[network.Network, Futures, int, Any]:
    rng = np.random.default_rng(seed)
    pick = rng.choice
    countries = ["CN", "MY", "US"]
    plants = []
    for k in range(int(rng.integers(2, 4))):
        is_open = "yes" if k == 0 else "no"
        numbers = (
            rng.integers(50, 3000),
            rng.integers(0, 60),
            rng.integers(0, 3),
            rng.integers(0, 3),
            rng.integers(8, 60),
        )
        plants.append((f"plant{k}", "Acme", str(pick(countries)), is_open, *(int(n) for n in numbers)))
    makes = [
        (p[0], item, int(rng.integers(1, 40)), str(pick(["yes", "no"])) if item == "rig" else "yes")
        for p in plants
        for item in ("rig", "board")
        if item == "rig" or rng.random() < 0.8 or p[0] == "plant0"
    ]
    ends = [*countries, "TW"]
    lanes = [
        (a, b, mode, 0, int(rng.integers(0, 6)), int(days))
        for a, b in product(ends, countries)
        for mode, days in (("air", 3), ("ocean", pick([33, 62])))
        if rng.random() < 0.75
    ]
    months = int(rng.integers(3, 6))
    demand = [
        (m, "rig", t, int(rng.integers(0, 14)), None, int(rng.integers(60, 300)))
        for m in ("east", "west")
        for t in range(months)
    ]
    case = net(
        {"discount_year": 0.1, "insurance_share": 0.01, "hold_usd_month": int(rng.integers(0, 3))},
        parts=rows(
            "product part quantity essential",
            ("rig", "board", 1, "yes"),
            ("board", "chip", 2, "no"),
            ("rig", "chip", 1, "no"),
        ),
        plants=rows(PLANTS, *plants),
        makes=rows(MAKES, *makes),
        supplies=rows("product origin price_usd", ("chip", "TW", 3), ("chip", "CN", 2)),
        lanes=rows(LANES, *lanes),
        markets=rows("market country", ("east", "US"), ("west", str(pick(countries)))),
        demand=rows(DEMAND, *demand),
    )
    law = book(duty(float(pick([0.0, 0.3])), ["CN"], "*"))
    laws = [
        under(law, duty(float(pick([0.0, 0.2, 0.9])), [str(pick(["CN", "MY"]))], "8543"), since=month(1))
        for _ in range(3)
    ]
    nodes: list[Any] = [
        ("now", None, START, 1.0, law),
        ("a", "now", month(1), 0.3, laws[0]),
        ("b", "now", month(1), 0.7, laws[1]),
    ]
    if seed % 2:
        nodes += [("b1", "b", month(2), 0.5, laws[2]), ("b2", "b", month(2), 0.5, laws[1])]
    extra = [("a", "east", "rig", 1, float(rng.integers(0, 30)))] if seed % 3 else []
    futures = tree(law, *nodes, demand=extra)

    def rate(slot: tuple[str, int], hts: str, origin: str) -> float:
        return duties.total_rate(futures.nodes[futures.index(slot[0])].book, hts, origin, month(slot[1]))

    return case, futures, months, rate
