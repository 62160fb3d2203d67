"""Limits a user sets on where goods come from: read, held in every branch, and told apart when they cannot be met."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import tiny_network
from tests.toy import (
    DEMAND,
    LANES,
    MAKES,
    PLANTS,
    PRODUCTS,
    START,
    book,
    duty,
    month,
    net,
    random_case,
    rows,
    simple,
    ties,
    tree,
    under,
)

from ashore import network, plans, report
from ashore.errors import FaultyInput, Infeasible
from ashore.network import Limit
from ashore.plans.sheet import Sheet
from ashore.plans.solver import Limits, row_duals, run, split

HEADER = "limit,kind,by,of,market,product,share,units,from_month,until_month\n"


def limit(kind: str, by: str, of: str, amount: float, **more: Any) -> Limit:
    key = "units" if kind == "max_units" else "share"
    return Limit(**{"name": f"{kind} {of}", "kind": kind, "by": by, "of": of, key: amount, **more})


def under_limits(case: network.Network, *limits: Limit) -> network.Network:
    return replace(case, limits=limits)


def solved(case: network.Network, *limits: Limit, months: int = 1, **options: Any) -> plans.Plan:
    plan = plans.solve(under_limits(case, *limits), book(), START, months, **options)
    ties(plan)
    for row in plan.limits.to_dicts():
        if row["used"] is not None:
            room = row["allowed"] - row["used"]
            assert (room if row["kind"].startswith("max") else -room) >= -1e-6, row
    return plan


def sources(**config: Any) -> network.Network:
    """Ten rigs a month wanted in each of two markets; made by two companies in three countries, or bought in Canada."""
    places = (("penang", "Acme", "MY", 10), ("kulim", "Best", "MY", 11), ("shenzhen", "Acme", "CN", 5))
    return net(
        {"hold_usd_month": 1000, **config},
        products=[*PRODUCTS[:1], {**PRODUCTS[0], "product": "mini", "maker": "Best", "parent": "Holding"}],
        parts={"product": [], "part": [], "quantity": []},
        plants=rows(PLANTS, *[(name, company, country, "yes", 0, 0, 0, 0, 99) for name, company, country, _ in places]),
        makes=rows(
            "plant product cost_usd customs_value_usd",
            *[(name, item, cost, 100) for name, _, _, cost in places for item in ("rig", "mini")],
        ),
        supplies=rows("product origin price_usd", ("rig", "CA", 40)),
        lanes=rows(LANES, *[(a, b, "air", 0, 0, 0) for a in ("MY", "CN", "CA") for b in ("US", "TW")]),
        markets=rows("market country", ("texas", "US"), ("taipei", "TW")),
        demand=rows(DEMAND, ("texas", "rig", None, 10, None, None), ("taipei", "rig", None, 10, None, None)),
    )


# -- by hand ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("limits", "usd"),
    [
        ([limit("max_share", "origin", "CN", 0.6)], 12 * 5 + 8 * 10),
        ([limit("max_share", "origin", "CN", 0.6, market="texas")], 16 * 5 + 4 * 10),
        ([limit("max_share", "origin", "CN", 0.6, market="TW", product="rig")], 16 * 5 + 4 * 10),
        ([limit("max_share", "origin", "CN", 0.6, product="mini")], 20 * 5),
        ([limit("max_share", "origin", "*", 0.5)], 10 * 5 + 10 * 10),
        ([limit("max_share", "origin", "*", 0.4)], 8 * 5 + 8 * 10 + 4 * 40),
        ([limit("max_share", "company", "Acme", 0.25)], 5 * 5 + 15 * 11),
        ([limit("max_share", "plant", "shenzhen", 0.5), limit("max_share", "plant", "penang", 0.1)], 50 + 20 + 88),
        ([limit("max_share", "country", "MY", 0.1), limit("max_share", "country", "CN", 0.5)], 50 + 20 + 8 * 40),
        ([limit("min_share", "origin", "MY", 0.3)], 14 * 5 + 6 * 10),
        ([limit("min_share", "origin", "CA", 0.1, market="texas")], 19 * 5 + 40),
        ([limit("max_units", "origin", "CN", 7)], 7 * 5 + 13 * 10),
        ([limit("max_units", "country", "*", 8)], 8 * 5 + 8 * 10 + 4 * 40),
        ([limit("max_share", "maker", "Acme", 1.0), limit("min_share", "origin", "CA", 0.0)], 20 * 5),
    ],
)
def test_limits_by_hand(limits: list[Limit], usd: float) -> None:
    assert solved(sources(), *limits).cost_usd == pytest.approx(usd)


def test_shares_of_makers_and_their_parents() -> None:
    demand = [("texas", item, None, 10, None, 100) for item in ("rig", "mini")]
    case = net(
        products=[
            *PRODUCTS[:1],
            {**PRODUCTS[0], "product": "mini", "maker": "Best", "parent": "Holding"},
            {**PRODUCTS[0], "product": "maxi", "maker": "Cool", "parent": "Holding"},
        ],
        parts={"product": [], "part": [], "quantity": []},
        plants=rows(PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99)),
        makes=rows(MAKES, *[("penang", item, 10, "yes") for item in ("rig", "mini", "maxi")]),
        supplies={"product": [], "origin": [], "price_usd": []},
        lanes=rows(LANES, ("MY", "US", "air", 0, 0, 0)),
        demand=rows(DEMAND, *demand, ("texas", "maxi", None, 5, None, 90)),
    )
    every = 25 * 10
    assert solved(case).cost_usd == pytest.approx(every)
    for by, of in (("maker", "Acme"), ("parent", "Acme")):  # who has no parent is its own
        assert solved(case, limit("max_share", by, of, 0.25)).cost_usd == pytest.approx(every + 5 * 90)
    best = solved(case, limit("max_share", "maker", "Best", 0.25))  # 5 of 20
    assert best.cost_usd == pytest.approx(every + 5 * 90)
    both = solved(case, limit("max_share", "parent", "Holding", 0.5))  # 10 beside 10 of Acme
    assert both.cost_usd == pytest.approx(every + 5 * 80)
    assert both.limits.select("of", "node", "used", "allowed").rows() == [("Holding", "law", pytest.approx(0.5), 0.5)]


def test_a_limit_holds_in_the_months_it_names_taken_together() -> None:
    within = solved(sources(), limit("max_share", "origin", "CN", 0.5, from_month=1, until_month=3), months=4)
    assert within.cost_usd == pytest.approx(20 * 5 * 4 + 20 * 5)
    made = within.flows.filter(within.flows["origin"] == "CN").group_by("month").agg(plans.decode.pl.col("units").sum())
    units = dict(made.rows())
    assert units[0] == units[3] == pytest.approx(20)
    assert units.get(1, 0) + units.get(2, 0) == pytest.approx(20)
    assert within.limits.select("from_month", "until_month", "used").rows() == [(1, 3, pytest.approx(0.5))]
    beyond = solved(sources(), limit("max_share", "origin", "CN", 0.5, from_month=9), months=4)
    assert beyond.cost_usd == pytest.approx(20 * 5 * 4)
    assert any("is about months beyond the plan" in note for note in beyond.notes)
    assert beyond.limits.is_empty()


def test_a_limit_holds_in_every_branch() -> None:
    base = book()
    futures = tree(
        base,
        ("now", None, START, 1, base),
        ("dear", "now", month(1), 0.5, under(base, duty(0.2, ["CN"]), since=month(1))),
        ("calm", "now", month(1), 0.5, base),
    )
    plan = plans.solve(under_limits(sources(), limit("max_share", "origin", "CN", 0.75)), base, START, 2, futures)
    ties(plan)
    assert plan.limits.select("node", "allowed").rows() == [("dear", 0.75), ("calm", 0.75)]
    shares = dict(plan.limits.select("node", "used").rows())
    assert shares["calm"] == pytest.approx(0.75)
    assert shares["dear"] <= 0.75 + 1e-9
    calm = 40 * 5 + 10 * 5
    assert plan.node_costs.filter(plan.node_costs["node"] == "calm")["path_usd"].item() == pytest.approx(calm)


CONTENT = {
    "products": PRODUCTS,
    "parts": rows("product part quantity essential", ("rig", "board", 2, "yes"), ("board", "chip", 3, "no")),
    "plants": rows(
        PLANTS, ("dallas", "Acme", "US", "yes", 0, 0, 0, 0, 999), ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 999)
    ),
    "makes": rows(MAKES, ("dallas", "rig", 50, "yes"), ("dallas", "board", 40, "yes"), ("penang", "board", 20, "yes")),
    "supplies": rows("product origin price_usd", ("chip", "TW", 10), ("chip", "US", 12)),
    "lanes": rows(
        LANES, ("MY", "US", "air", 0, 0, 0), ("TW", "MY", "air", 0, 0, 0), ("TW", "US", "air", 0, 0, 0),
        ("US", "US", "truck", 0, 0, 0), ("US", "MY", "air", 0, 0, 0),
    ),
    "demand": rows(DEMAND, ("texas", "rig", None, 1, None, None)),
}  # fmt: skip


def test_local_content_of_what_plants_make_by_hand() -> None:
    case = net(**CONTENT)
    # one rig: 50 to assemble, two boards: 20 + 3 chips of 10 from Malaysia, 40 + 3 chips of 10 or (local) 12 at home
    assert solved(case).cost_usd == pytest.approx(50 + 2 * 50)
    assert solved(case, limit("min_content", "country", "US", 50 / 150)).cost_usd == pytest.approx(150)
    for share in (0.4, 0.6):  # f boards at home with local chips: 50 + 76 f of 150 + 26 f
        boards = (150 * share - 50) / (76 - 26 * share)
        plan = solved(case, limit("min_content", "country", "US", share))
        assert plan.cost_usd == pytest.approx(150 + 26 * boards)
        assert plan.limits["used"].to_list() == pytest.approx([share])
    local_chips = solved(case, limit("min_content", "country", "US", 1.0))
    assert local_chips.cost_usd == pytest.approx(50 + 2 * (40 + 36))
    assert solved(case, limit("min_content", "country", "MY", 0.3)).cost_usd == pytest.approx(150)  # 20 of 50 a board
    # where nothing is made there is nothing to have a share of
    assert solved(case, limit("min_content", "country", "CN", 0.9)).cost_usd == pytest.approx(150)


def test_local_content_of_what_a_market_receives() -> None:
    case = net(**CONTENT, markets=rows("market country", ("texas", "US"), ("kl", "MY")))
    value = case.makes["dallas", "rig"].customs_value_usd
    assert value == pytest.approx(50 + 2 * 50)
    half = limit("min_content", "country", "US", 0.5, market="texas")
    home = 150 + 26 * (150 * 0.5 - 50) / 76  # 50 + 76 for each board at home, of 150
    assert solved(case, half).cost_usd == pytest.approx(home)
    assert solved(case, replace(half, market="US")).cost_usd == pytest.approx(home)
    idle = replace(half, market="kl", share=1.0)
    assert solved(case, idle).limits["used"].to_list() == [None]


def test_a_limit_that_cannot_be_met_is_named() -> None:
    for asked, words in (
        (limit("max_share", "origin", "*", 0.2), r"the limit max_share \* asks that at most 20 per cent of the goods"),
        (limit("max_units", "country", "CN", 5), "at most 5 units of goods into all markets come from the country CN"),
        (limit("min_share", "origin", "TW", 0.5), "from the origin TW, but none from there can arrive in time"),
    ):
        others = [limit("max_units", "country", name, 5) for name in ("MY", "CA") if asked.kind == "max_units"]
        with pytest.raises(Infeasible, match=words):
            solved(sources(), asked, *others)
    local = limit("min_content", "country", "CA", 0.5, market="texas", until_month=3)
    with pytest.raises(Infeasible, match=r"in CA up to, not including, month 3, but nothing is made or bought there"):
        solved(sources(), local, months=3)


def test_limits_count_what_enters() -> None:
    case = simple(
        rows(DEMAND, ("texas", "rig", None, 10, None, 1000)),
        rows(LANES, ("MY", "US", "air", 0, 1, 0), ("CN", "US", "air", 0, 5, 0)),
        rows(PLANTS, ("a", "Acme", "MY", "yes", 0, 0, 0, 0, 99), ("b", "Acme", "CN", "yes", 0, 0, 0, 0, 99)),
    )
    law = book({"heading": "aq", "origins": ["MY"], "products": "*", "ban": True, "quota_units_month": 4})
    plan = plans.solve(under_limits(case, limit("max_share", "origin", "CN", 0.5)), law, START, 1)
    ties(plan)
    assert plan.cost_usd == pytest.approx(4 * 11 + 4 * 15 + 2 * 1000)


# -- what must hold ---------------------------------------------------------------------------------------------------
def in_tree(seed: int, *limits: Limit, **options: Any) -> plans.Plan:
    case, futures, months, _ = random_case(seed)
    plan = plans.solve(under_limits(case, *limits), futures.nodes[0].book, START, months, futures, gap=1e-9, **options)
    ties(plan)
    return plan


def some_limit(kind: str, amount: float, pick: int) -> Limit:
    by, of = (("origin", "CN"), ("origin", "MY"), ("country", "CN"), ("plant", "plant1"), ("company", "Acme"))[pick]
    if kind == "min_content":
        return limit(kind, "country", ("CN", "MY", "US")[pick % 3], amount, market=(None, "east")[pick % 2])
    return limit(kind, by, of, amount * 30 if kind == "max_units" else amount, market=(None, "east", "US")[pick % 3])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 11),
    kind=st.sampled_from(("max_share", "min_share", "max_units", "min_content")),
    amounts=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    pick=st.integers(0, 4),
)
def test_a_tighter_limit_never_lowers_the_optimum(seed: int, kind: str, amounts: tuple[int, int], pick: int) -> None:
    tight, loose = sorted((amount / 20 for amount in amounts), reverse=kind.startswith("min"))
    free = in_tree(seed).cost_usd
    costs = [in_tree(seed, some_limit(kind, amount, pick)).cost_usd for amount in (tight, loose)]
    slack = 1e-6 * abs(free)
    assert costs[0] >= costs[1] - slack
    assert costs[1] >= free - slack


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 11), pick=st.integers(0, 4))
def test_a_limit_that_does_not_bind_changes_nothing(seed: int, pick: int) -> None:
    free = in_tree(seed)
    empty = [("max_share", 1.0), ("min_share", 0.0), ("min_content", 0.0)]
    whole = in_tree(seed, *[some_limit(kind, amount, pick) for kind, amount in empty])
    assert whole.cost_usd == pytest.approx(free.cost_usd, rel=1e-8)
    assert in_tree(seed, some_limit("max_units", 1e6, pick)).cost_usd == pytest.approx(free.cost_usd, rel=1e-8)
    used = whole.limits.filter(whole.limits["kind"] == "max_share")["used"].drop_nulls().to_list()
    loose = in_tree(seed, some_limit("max_share", (1 + max(used, default=0.0)) / 2, pick))
    assert loose.cost_usd == pytest.approx(free.cost_usd, rel=1e-8)


def by_hand(units: list[int], cost: tuple[int, int], room: int, hold: float, lost: int, cap: Limit) -> float:
    """Least cost of two origins whose goods are bought, stored and delivered each for themselves."""
    months = len(units)
    every = np.ones((2, months), dtype=bool)
    sheet = Sheet()
    bought = sheet.add_columns(every, np.array([[room], [np.inf]]))
    used, kept = sheet.add_columns(every), sheet.add_columns(every)
    missed = sheet.add_columns(every[0])
    flow = sheet.add_rows(every, 0.0, 0.0)
    sheet.put(flow, bought, 1.0)
    sheet.put(flow, used, -1.0)
    sheet.put(flow, kept, -1.0)
    sheet.put(flow[:, 1:], kept[:, :-1], 1.0)
    wanted = sheet.add_rows(every[0], np.array(units), np.array(units))
    sheet.put(wanted, used, 1.0)
    sheet.put(wanted, missed, 1.0)
    window = slice(cap.from_month, cap.until_month)
    assert cap.share is not None
    low, high = (-np.inf, 0.0) if cap.kind == "max_share" else (0.0, np.inf)
    row = sheet.add_rows(np.ones(1, dtype=bool), low, high)
    sheet.put(row, used[0, window], 1.0 - cap.share)
    sheet.put(row, used[1, window], -cap.share)
    usd = np.zeros(sheet.columns)
    usd[bought[0]], usd[bought[1]] = cost
    usd[kept], usd[missed] = hold, lost
    x, _ = row_duals(sheet.arrays(usd))
    return float(usd @ x)


@settings(max_examples=40, deadline=None)
@given(
    units=st.lists(st.integers(0, 14), min_size=2, max_size=4),
    cost=st.tuples(st.integers(20, 60), st.integers(20, 60)),
    room=st.integers(4, 20),
    hold=st.sampled_from((0.5, 6, 30)),
    lost=st.integers(30, 120),
    share=st.integers(0, 10),
    window=st.sampled_from(((0, None), (1, 2), (1, None), (0, 2))),
    kind=st.sampled_from(("max_share", "min_share")),
)
def test_a_share_is_that_of_goods_followed_by_origin(
    units: list[int],
    cost: tuple[int, int],
    room: int,
    hold: float,
    lost: int,
    share: int,
    window: tuple[int, int | None],
    kind: str,
) -> None:
    case = net(
        {"hold_usd_month": hold},
        products=PRODUCTS[:1],
        parts={"product": [], "part": [], "quantity": []},
        plants={name: [] for name in PLANTS.split()},
        makes={"plant": [], "product": [], "cost_usd": []},
        supplies=rows(
            "product origin price_usd limit_month", ("rig", "MY", cost[0], room), ("rig", "CN", cost[1], None)
        ),
        lanes=rows(LANES, ("MY", "US", "air", 0, 0, 0), ("CN", "US", "air", 0, 0, 0)),
        demand=rows(DEMAND, *[("texas", "rig", k, n, None, lost) for k, n in enumerate(units)]),
    )
    cap = limit(kind, "origin", "MY", share / 10, from_month=window[0], until_month=window[1])
    other = {"max_share": "min_share", "min_share": "max_share"}[kind]
    inverse = replace(cap, kind=other, of="CN", share=1 - share / 10)
    expected = by_hand(units, cost, room, hold, lost, cap)
    for asked in ((cap,), (inverse,), (cap, inverse)):
        assert solved(case, *asked, months=len(units)).cost_usd == pytest.approx(expected, rel=1e-7, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(
    room=st.integers(0, 12),
    units=st.lists(st.integers(0, 14), min_size=1, max_size=3),
    hold=st.sampled_from((0.5, 30)),
)
def test_a_limit_month_by_month_is_the_monthly_limit_of_a_supply(room: int, units: list[int], hold: float) -> None:
    def case(most: int | None) -> network.Network:
        return net(
            {"hold_usd_month": hold},
            products=PRODUCTS[:1],
            parts={"product": [], "part": [], "quantity": []},
            plants={name: [] for name in PLANTS.split()},
            makes={"plant": [], "product": [], "cost_usd": []},
            supplies=rows("product origin price_usd limit_month", ("rig", "MY", 50, most), ("rig", "CN", 70, None)),
            lanes=rows(LANES, ("MY", "US", "air", 0, 1, 0), ("CN", "US", "air", 0, 1, 0)),
            demand=rows(DEMAND, *[("texas", "rig", k, n, None, 90) for k, n in enumerate(units)]),
        )

    monthly = [
        limit("max_units", "origin", "MY", room, name=f"m{k}", from_month=k, until_month=k + 1)
        for k in range(len(units))
    ]
    one = solved(case(None), *monthly, months=len(units)).cost_usd
    assert one == pytest.approx(solved(case(room), months=len(units)).cost_usd, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_taken_apart_built_branch_by_branch_or_in_one_piece(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("max_share", "min_share", "max_units", "min_content")
    limits = [some_limit(kinds[(seed + k) % 4], 0.3 + 0.1 * (seed % 3), (seed + k) % 5) for k in range(2)]
    limits[1] = replace(limits[1], name="second", from_month=1, until_month=3)
    risk = (0.0, 0.5, 1.0)[seed % 3]
    whole, apart = (in_tree(seed, *limits, method=method, risk=risk, tail=0.5) for method in ("extensive", "benders"))
    assert apart.method == "benders"
    assert apart.objective_usd == pytest.approx(whole.objective_usd, rel=1e-6, abs=1e-6)
    monkeypatch.setattr("ashore.plans.plan.HUGE", 0)
    case, futures, months, _ = random_case(seed)
    asked = (under_limits(case, *limits), futures.nodes[0].book, START, months, futures)
    pieces, one = (plans.solve(*asked, method=method, gap=1e-8) for method in ("benders", "extensive"))
    assert pieces.posed is None
    assert pieces.cost_usd == pytest.approx(one.cost_usd, rel=1e-6, abs=1e-6)
    assert (
        pieces.limits.select("limit", "of", "node")
        .sort("limit", "of", "node")
        .equals(one.limits.select("limit", "of", "node").sort("limit", "of", "node"))
    )


def test_option_values_under_limits() -> None:
    case, futures, months, _ = random_case(3)
    asked = under_limits(case, limit("max_share", "origin", "CN", 0.5), limit("min_content", "country", "US", 0.1))
    plan = plans.solve(asked, futures.nodes[0].book, START, months, futures)
    worth = plans.options(plan)
    assert worth.evpi_usd >= 0
    assert worth.vss_usd is None or worth.vss_usd >= 0


# -- the table --------------------------------------------------------------------------------------------------------
def loaded(tmp_path: Path, *lines: str) -> network.Network:
    folder = tiny_network(tmp_path / "tiny")
    (folder / "limits.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return network.load(folder)


def test_the_table_is_optional_and_read_in_order(tmp_path: Path) -> None:
    assert network.load(tiny_network(tmp_path / "none")).limits == ()
    case = loaded(tmp_path, "China,max_share,origin,cn,,rig,0.3,,,", "cap,max_units,plant,Penang,us,,,500,2,6")
    china, cap = case.limits
    assert (china.of, china.product, china.share, china.units, china.from_month) == ("CN", "rig", 0.3, None, 0)
    assert (cap.market, cap.units, cap.from_month, cap.until_month) == ("US", 500, 2, 6)
    assert case.census()["limits"] == 2


def test_every_fault_of_the_table_at_once(tmp_path: Path) -> None:
    lines = (
        ("a,most_share,origin,CN,,,0.3,,,", "most_share"),
        ("b,max_share,origin,XX,,,0.3,,,", "'XX' is no country code"),
        ("c,max_share,maker,Acne,,,0.3,,,", "There is no maker 'Acne'. Did you mean 'Acme'?"),
        ("d,max_share,origin,CN,,,,,,", "A limit of kind max_share needs share."),
        ("e,max_units,origin,CN,,,0.3,9,,", "A limit of kind max_units has no share."),
        ("f,max_share,origin,CN,Dalas,,0.3,,,", "'Dalas' is no market or country code. Did you mean 'Dallas'?"),
        ("g,max_share,origin,CN,,rigs,0.3,,,", "'rigs' is no product or kind of product. Did you mean 'rig'?"),
        ("h,min_content,company,Acme,,,0.3,,,", "Local content is that of a country."),
        ("i,min_content,country,US,,rig,0.3,,,", "Local content counts everything that is made."),
        ("j,min_share,origin,*,,,0.3,,,", "cannot hold for each one alike"),
        ("k,max_share,origin,CN,,,0.3,,6,6", "not after it begins"),
        ("l,max_share,origin,CN,,,1.3,,,", "1.3"),
        ("l,max_share,parent,Nobody,,,0.3,,,", "There is no parent 'Nobody'"),
    )
    with pytest.raises(FaultyInput) as raised:
        loaded(tmp_path, *(line for line, _ in lines))
    said = str(raised.value)
    for _, words in lines:
        assert words in said
    assert all(fault.remedy and fault.where == "limits.csv" and fault.row for fault in raised.value.faults)


def test_a_table_by_another_name_and_a_limit_from_memory(tmp_path: Path) -> None:
    folder = tiny_network(tmp_path / "tiny", demand=None)
    (folder / "demands.csv").write_text("market\n", encoding="utf-8")
    (folder / "limits.csv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(FaultyInput, match=r"Is it 'demands.csv'"):
        network.load(folder)
    folder = tiny_network(tmp_path / "other")
    text = HEADER.replace("\n", ",note\n") + "guess,max_share,origin,CN,,,0.3,,,,an estimate\n"
    (folder / "limits.csv").write_text(text, encoding="utf-8")
    assert any("limit guess: an estimate" in line for line in network.load(folder).estimates())


def test_tables_in_memory_may_have_limits_and_the_terminal_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    table = rows("limit kind by of share", ("china", "max_share", "origin", "CN", 0.25))
    case = replace(sources(), limits=net(limits=table).limits)
    document = plans.solve(case, book(), START, 2).as_dict()
    report.text_of_plan(document)
    assert "china CN 25.0 % at most 25.0 % 0 to 1 law" in " ".join(capsys.readouterr().out.split())


# -- parts that only a limit ties together ----------------------------------------------------------------------------
def two_companies(*limits: Limit) -> network.Network:
    """Two makers with a line at home to open each and nothing in common."""
    items = [{**PRODUCTS[0], "product": name, "maker": name} for name in ("ann", "bob")]
    lines = [(f"{name}-{place}", name, place, "yes" if place == "MY" else "no", 40, 2, 0, 0, 9)
             for name in ("ann", "bob") for place in ("MY", "US")]  # fmt: skip
    makes = [(name, item, 10 if country == "MY" else 30, 100) for name, item, country, *_ in lines]
    case = net(
        products=items,
        parts={"product": [], "part": [], "quantity": []},
        plants=rows(PLANTS, *lines),
        makes=rows("plant product cost_usd customs_value_usd", *makes),
        supplies={"product": [], "origin": [], "price_usd": []},
        lanes=rows(LANES, ("MY", "US", "air", 0, 1, 0), ("US", "US", "truck", 0, 1, 0)),
        demand=rows(DEMAND, *[("texas", name, None, 6, None, 70) for name in ("ann", "bob")]),
    )
    return under_limits(case, *limits)


@pytest.mark.parametrize(
    "asked",
    [
        limit("max_share", "origin", "MY", 0.6),
        limit("min_share", "country", "US", 0.7),
        limit("max_units", "origin", "MY", 15),
        limit("min_content", "country", "US", 0.5),
        limit("min_content", "country", "MY", 0.1),
        None,
    ],
)
def test_what_a_limit_or_quota_ties_together_is_planned_together(asked: Limit | None) -> None:
    law = book(duty(0.6, ["MY"], quota_units_month=7)) if asked is None else book()
    posed = plans.pose(two_companies(*([] if asked is None else [asked])), law, START, 3)
    apart, whole = run(posed.arrays, Limits()), run(posed.arrays.in_one_part(), Limits())
    assert apart.objective == pytest.approx(whole.objective, rel=1e-9)
    free = plans.pose(two_companies(), book(), START, 3)
    assert len(split(free.arrays)) > len(split(posed.arrays)) or (asked is not None and asked.of == "MY")
    assert whole.objective >= run(free.arrays, Limits()).objective
