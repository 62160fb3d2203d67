"""Quotas and bans: as law, and in the plan."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.small_book import write_book
from tests.toy import (
    DEMAND,
    LANES,
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

from ashore import cli, costs, duties, plans, report, rules
from ashore.duties.bulk import rate_lines
from ashore.errors import Fault, FaultyInput, Infeasible, Unresolved
from ashore.plans.posed import pose
from ashore.plans.solver import row_duals
from ashore.rules import RuleBook

DAY = date(2025, 12, 15)
RIG, CHIP = "8543709860", "85423100"


def ban(origins: Any = "*", products: Any = "8543", **more: Any) -> dict[str, Any]:
    return {"heading": f"ban{origins}{more}", "origins": origins, "products": products, "ban": True, **more}


def read(base: RuleBook, *items: dict[str, Any]) -> RuleBook:
    faults: list[Fault] = []
    found = rules.read_changes(list(items), base, "scenario.toml", faults)
    assert not faults, faults
    return base.under(found)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    return rules.load(write_book(tmp_path_factory.mktemp("book")))


def asked(law: RuleBook, hts: str, origin: str, **claims: Any) -> duties.Verdict:
    said = {key.replace("__", ":"): value for key, value in claims.items()}
    return duties.verdict(law, hts, origin, DAY, said | {"us_content_share": 0})


def rate(law: RuleBook, origin: str, **claims: Any) -> float:
    found = asked(law, RIG, origin, **claims)
    assert found.ban is None
    return found.rate


# -- the law ----------------------------------------------------------------------------------------------------------
NEW = {"heading": "new", "authority": "Test", "origins": ["MY"], "products": ["8543"], "rate": 0.25}


def test_within_a_quota_the_rule_does_not_bear_and_beyond_it_does(small: RuleBook) -> None:
    law, plain = read(small, NEW | {"quota_units_month": 5000}), read(small, NEW)
    assert rate(law, "MY", over_quota__new=False) == rate(small, "MY")
    assert rate(law, "MY", over_quota__new=True) == rate(plain, "MY")
    found = asked(law, RIG, "MY")
    assert found.status == "conditional"
    assert found.needs == ("over_quota:new",)
    assert found.rate == rate(plain, "MY")  # as long as nothing is said, the higher duty is taken
    assert sum(share.weight for share in found.low) < sum(share.weight for share in found.high)
    assert any("5,000 units a month enter without new" in note for note in found.notes)
    assert asked(law, RIG, "CN").status == "resolved"


def test_what_a_rule_under_quota_holds_off_comes_back_within_it(small: RuleBook) -> None:
    law = read(small, {"rule": "country", "quota_units_month": 100})
    ended = read(small, {"rule": "country", "until": date(2025, 8, 8)})
    assert rate(law, "MY", over_quota__country=True) == rate(small, "MY") == pytest.approx(0.216)
    assert rate(law, "MY", over_quota__country=False) == rate(ended, "MY") == pytest.approx(0.126)


def test_a_quota_of_nothing_is_the_plain_rule_and_lifts_a_quota(small: RuleBook) -> None:
    quota = NEW | {"quota_units_month": 5000}
    assert read(small, NEW | {"quota_units_month": 0}).rules == read(small, NEW).rules
    lifted = read(read(small, quota), {"rule": "new", "quota_units_month": 0})
    assert asked(lifted, RIG, "MY").status == "resolved"
    assert rate(lifted, "MY") == rate(read(small, NEW), "MY")
    larger = read(read(small, quota), {"rule": "new", "quota_units_month": 7000})
    assert [rule.quota_units_month for rule in larger.rules if rule.quota] == [7000]
    assert asked(larger, RIG, "MY").needs == ("over_quota:new",)


def test_a_ban_keeps_goods_out_and_says_so(small: RuleBook) -> None:
    law = read(small, {"heading": "no rigs", "title": "Entity list", "origins": ["MY"], "products": "*", "ban": True})
    found = asked(law, RIG, "MY")
    assert found.status == "unresolved"
    assert found.problem == "8543.70.98.60 of MY may not be entered: no rigs (Entity list) bans it"
    assert rate(law, "CN") == rate(small, "CN")
    with pytest.raises(Unresolved, match="ban = false"):
        duties.total_rate(law, RIG, "MY", DAY)
    assert rate(read(law, {"rule": "no rigs", "ban": False}), "MY") == rate(small, "MY")
    oil = asked(read(small, ban("*", "*")), "27101930", "MY")
    assert oil.ban is not None  # whatever its rate may be


def test_a_ban_yields_as_any_rule_does_and_an_old_rule_can_become_one(small: RuleBook) -> None:
    law = read(small, {"rule": "baseline", "ban": True})
    assert asked(law, RIG, "CN").ban is not None
    assert rate(law, "MY") == rate(small, "MY")  # the country rate takes precedence
    free = asked(law, CHIP, "CN")  # on the exempt list
    assert (free.status, free.rate) == ("resolved", 0)


def test_beyond_an_absolute_quota_nothing_enters(small: RuleBook) -> None:
    law = read(small, ban(["MY"], quota_units_month=10, heading="q"))
    found = asked(law, RIG, "MY")
    assert (found.status, found.needs, found.rate) == ("conditional", ("over_quota:q",), rate(small, "MY"))
    assert found.low == found.high == found.shares
    assert any("none beyond" in note for note in found.notes)
    assert any("may not be entered at all" in note for note in found.notes)
    assert asked(law, RIG, "MY", over_quota__q=True).ban is not None


def test_a_change_for_makers_leaves_the_rule_as_it_was_for_all_others(small: RuleBook) -> None:
    law = read(small, {"rule": "country", "rate": 0.5, "makers": ["Acme", "Best"]})
    assert rate(law, "MY", maker="Acme") == pytest.approx(0.526)
    assert rate(law, "MY", maker="Other") == rate(small, "MY") == rate(law, "MY")
    found = asked(law, RIG, "MY")
    assert (found.status, found.needs) == ("conditional", ("maker",))
    again = read(law, {"rule": "country", "rate": 0.0, "makers": ["Best", "Third"]})
    shown = {name: rate(again, "MY", maker=name) for name in ("Acme", "Best", "Third", "Other")}
    assert shown == pytest.approx({"Acme": 0.526, "Best": 0.026, "Third": 0.026, "Other": 0.216})
    own = read(small, NEW | {"makers": ["Acme"]})
    assert rate(own, "MY", maker="Acme") == rate(read(small, NEW), "MY")
    assert rate(own, "MY", maker="Other") == rate(small, "MY")
    listed = asked(read(small, ban(makers=["Acme"])), RIG, "MY")
    assert (listed.status, listed.needs) == ("conditional", ("maker",))
    assert any("may not be entered at all" in note for note in listed.notes)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (NEW | {"ban": True}, "a ban has no rate"),
        (NEW | {"quota_units_month": -1}, "no number of units"),
        (NEW | {"quota_units_month": "many"}, "no number of units"),
        (NEW | {"makers": []}, "makers names no one"),
        ({"rule": "country", "ban": "yes"}, "neither true nor false"),
        ({"rule": "country", "ban": True, "rate": 0.1}, "a ban has no rate"),
        ({"rule": "exempt-list", "ban": True}, "frees from duty"),
        ({"rule": "country", "makers": ["Acme"]}, "changes nothing"),
        ({"heading": "x", "origins": "*", "products": "*", "kind": "free", "quota_units_month": 5}, "no ban or quota"),
    ],
)
def test_a_faulty_quota_or_ban_says_what_to_write(small: RuleBook, item: dict[str, Any], words: str) -> None:
    faults: list[Fault] = []
    rules.read_changes([item], small, "scenario.toml", faults)
    assert words in "\n".join(map(str, faults))
    assert all(fault.remedy for fault in faults)


def test_two_new_quotas_do_not_go_by_one_name(small: RuleBook) -> None:
    quota = NEW | {"quota_units_month": 10}
    for base, items in ((small, [quota, quota]), (read(small, quota), [quota])):
        faults: list[Fault] = []
        rules.read_changes(items, base, "scenario.toml", faults)
        assert "a quota 'new' is in the book already" in str(faults[0])


def test_a_file_of_lines_is_rated_as_one_line_is(small: RuleBook) -> None:
    law = read(
        small,
        NEW | {"quota_units_month": 10},
        {"rule": "baseline", "quota_units_month": 4, "makers": ["Acme"]},
        ban(["CU"], heading="never"),
    )
    said = ["", "maker=Acme", "over_quota:new=no", "over_quota:new=yes; maker=Other", "over_quota:baseline=no"]
    lines = [
        {"hts": hts, "origin": origin, "entry_date": "2025-12-15", "value_usd": "1000.10", "claims": claims}
        for hts in ("8543.70.98.60", "8543.70.98", "8542.31.00")
        for origin in ("MY", "CN", "CU", "DE")
        for claims in said
    ]
    for line, row in zip(lines, rate_lines(law, pl.DataFrame(lines)).iter_rows(named=True), strict=True):
        claims = [text.strip() for text in line["claims"].split(";") if text]
        entry, faults = duties.read_entry(law, line["hts"], line["origin"], DAY, line["value_usd"], claims=claims)
        assert entry is not None, faults
        answer = duties.assess(law, entry)
        assert row["status"] == answer.status
        if answer.status != "unresolved":
            cents = [round(row[name] * 100) for name in ("duty_usd", "low_usd", "high_usd")]
            assert cents == [answer.duty_cents, answer.low_cents, answer.high_cents]


def test_landed_cost_leaves_out_what_is_banned_and_names_the_quota() -> None:
    case = net(
        plants=rows(
            PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 9), ("shenzhen", "Acme", "CN", "yes", 0, 0, 0, 0, 9)
        ),
        makes=rows("plant product cost_usd", *[(p, x, 100) for p in ("penang", "shenzhen") for x in ("rig", "board")]),
        lanes=rows(
            LANES,
            *[(a, b, "air", 0, 1, 3) for a, b in (("MY", "US"), ("CN", "US"), ("TW", "MY"), ("TW", "CN"))],
        ),
    )
    law = book(ban(["CN"], makers=["Acme"]), duty(0.5, ["MY"], quota_units_month=7, heading="q"))
    landed = costs.land(case, law, START)
    assert {route.plant for route in landed.routes} == {"penang"}
    assert "may not be entered" in str(landed.unresolved[0])
    [route] = landed.routes
    assert any("claim over_quota:q" in line for line in route.assumptions)
    assert route.parts["duty"] > 0


def test_the_verb_says_that_nothing_may_enter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ban.toml"
    path.write_text('[[change]]\nheading = "b"\norigins = "*"\nproducts = ["8543"]\nban = true\n', encoding="utf-8")
    words = "duty --hts 8543.70.98.60 --from MY --on 2026-11-02 --value 100 --json --scenario"
    with pytest.raises(SystemExit) as ended:
        cli.main([*words.split(), str(path)])
    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert document["status"] == "unresolved"
    assert document["duty_usd"] is None
    assert "may not be entered: b bans it" in document["problem"]


def test_a_ban_that_begins_shows_in_the_difference_of_two_days(small: RuleBook) -> None:
    changed = rules.read_changes([{"rule": "baseline", "ban": True, "from": DAY}], small, "x", [])
    found = rules.listing.difference(small.under(changed), date(2025, 12, 1), DAY, None, None)
    assert [(rule["heading"], rule["ban"]) for rule in found["changed"]] == [("9990.01.25", True)]


# -- the plan ---------------------------------------------------------------------------------------------------------
LOSABLE = rows(DEMAND, ("texas", "rig", None, 10, None, 1000))
MUST = rows(DEMAND, ("texas", "rig", None, 10, None, None))


def cost(case: Any, *changes: dict[str, Any], months: int = 3, **options: Any) -> float:
    plan = plans.solve(case, book(*changes), START, months, **options)
    ties(plan)
    return plan.cost_usd


def test_a_quota_by_hand() -> None:
    case = simple(MUST)
    plan = plans.solve(case, book(duty(0.5, quota_units_month=4)), START, 3)
    assert plan.cost_usd == pytest.approx(3 * (10 * 11 + 6 * 50))
    assert plan.duty_usd == pytest.approx(3 * 6 * 50)
    assert plan.quotas.select("node", "month", "used", "allowed", "over", "turned_away").rows() == [
        ("law", k, 4.0, 4.0, 6.0, 0.0) for k in range(3)
    ]
    ties(plan)
    ahead = simple(rows(DEMAND, ("texas", "rig", 2, 10, None, None)))
    assert cost(ahead, duty(0.5, quota_units_month=4)) == pytest.approx(10 * 11 + 2 * 2 + 4)  # 4 held one month, 2 two


def test_an_absolute_quota_and_a_ban_by_hand() -> None:
    assert cost(simple(LOSABLE), ban(quota_units_month=4)) == pytest.approx(3 * (4 * 11 + 6 * 1000))
    assert cost(simple(LOSABLE), ban()) == pytest.approx(3 * 10 * 1000)
    with pytest.raises(Infeasible, match="rig from MY may not be entered in month 0"):
        cost(simple(MUST), ban())
    with pytest.raises(Infeasible, match=r"short of 18 units: the quota banq, 4 a month, binds"):
        cost(simple(MUST), ban(quota_units_month=4, heading="banq"))


def test_a_quota_counts_all_origins_and_makers_the_rule_covers() -> None:
    plants = rows(PLANTS, ("a", "Acme", "MY", "yes", 0, 0, 0, 0, 6), ("b", "Acme", "CN", "yes", 0, 0, 0, 0, 6))
    lanes = rows(LANES, ("MY", "US", "air", 0, 1, 0), ("CN", "US", "air", 0, 2, 0))
    case = simple(MUST, lanes, plants)
    free = 6 * 11 + 4 * 12
    assert cost(case, duty(0.5, quota_units_month=4), months=1) == pytest.approx(free + 6 * 50)
    assert cost(case, duty(0.5, ["CN"], quota_units_month=3), months=1) == pytest.approx(free + 50)
    assert cost(case, duty(0.5, quota_units_month=4, makers=["Acme"]), months=1) == pytest.approx(free + 6 * 50)
    assert cost(case, duty(0.5, quota_units_month=4, makers=["Other"]), months=1) == pytest.approx(free)
    assert cost(case, ban(makers=["Other"]), months=1) == pytest.approx(free)
    both = [duty(0.5, quota_units_month=4, heading="all"), duty(0.3, ["CN"], quota_units_month=1, heading="china")]
    assert cost(case, *both, months=1) == pytest.approx(free + 6 * 50 + 3 * 30)


def test_the_goods_dearest_beyond_the_quota_use_it() -> None:
    case = net(
        products=[*PRODUCTS[:1], {**PRODUCTS[0], "product": "small", "maker": "Best"}],
        parts={"product": [], "part": [], "quantity": []},
        makes=rows("plant product cost_usd customs_value_usd", ("penang", "rig", 10, 100), ("penang", "small", 10, 40)),
        supplies={"product": [], "origin": [], "price_usd": []},
        plants=rows(PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 100)),
        demand=rows(DEMAND, ("texas", "rig", 0, 5, None, None), ("texas", "small", 0, 5, None, None)),
        lanes=rows(LANES, ("MY", "US", "air", 0, 1, 0)),
    )
    assert cost(case, duty(0.5, quota_units_month=6), months=1) == pytest.approx(110 + 4 * 20)
    assert cost(case, duty(0.5, quota_units_month=6, makers=["Acme"]), months=1) == pytest.approx(110)
    assert cost(case, duty(0.5, quota_units_month=6, makers=["Best"]), months=1) == pytest.approx(110)
    own = [duty(0.5, quota_units_month=2, makers=[maker], heading=maker) for maker in ("Acme", "Best")]
    assert cost(case, *own, months=1) == pytest.approx(110 + 3 * 50 + 3 * 20)


def test_goods_sent_before_a_ban_is_known_are_turned_away_if_it_comes() -> None:
    base = book()
    futures = tree(
        base,
        ("now", None, START, 1, base),
        ("ban", "now", month(1), 0.5, under(base, ban(heading="no rigs"), since=month(1))),
        ("calm", "now", month(1), 0.5, base),
    )

    def solved(lost: float) -> plans.Plan:
        demand = rows(DEMAND, ("texas", "rig", 1, 10, None, lost))
        plan = plans.solve(simple(demand, rows(LANES, ("MY", "US", "ocean", 0, 1, 30))), base, START, 2, futures)
        ties(plan)
        return plan

    worth = solved(50)
    assert worth.cost_usd == pytest.approx(10 * 11 + 0.5 * 10 * 50)
    assert worth.quotas.select("quota", "node", "month", "allowed", "turned_away").rows() == [
        ("no rigs", "ban", 1, 0.0, 10.0)
    ]
    assert any("may not be entered, and are lost" in note for note in worth.notes)
    assert solved(20).flows.is_empty()


def test_extremes_of_a_quota() -> None:
    for case in (simple(LOSABLE), net(demand=rows(DEMAND, ("texas", "rig", None, 10, None, 2600)))):
        for plain in (duty(0.5), duty(0.1, ["TW"], "8542")):
            quota = {**plain, "quota_units_month": 1e6}
            none = {**plain, "quota_units_month": 0}
            assert plans.solve(case, book(none), START, 4).columns == plans.solve(case, book(plain), START, 4).columns
            assert cost(case, none, months=4) == pytest.approx(cost(case, plain, months=4), rel=1e-9)
            assert cost(case, {**plain, "quota_units_month": 1e-9}, months=4) == pytest.approx(
                cost(case, plain, months=4), rel=1e-6
            )
            assert cost(case, quota, months=4) == pytest.approx(cost(case, months=4), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    units=st.lists(st.integers(0, 14), min_size=1, max_size=4),
    quota=st.integers(1, 12),
    share=st.sampled_from((0.05, 0.4, 1.5)),
    lost=st.integers(20, 300),
    hold=st.sampled_from((0.5, 30)),
)
def test_a_quota_is_a_limited_supply_free_of_duty_beside_an_unlimited_one(
    units: list[int], quota: int, share: float, lost: int, hold: float
) -> None:
    def case(*supplies: tuple[Any, ...]) -> Any:
        return net(
            {"hold_usd_month": hold, "discount_year": 0.2},
            products=PRODUCTS[:1],
            parts={"product": [], "part": [], "quantity": []},
            plants={name: [] for name in PLANTS.split()},
            makes={"plant": [], "product": [], "cost_usd": []},
            supplies=rows("product origin price_usd limit_month", *supplies),
            lanes=rows(LANES, ("MY", "US", "air", 0, 1, 0), ("CN", "US", "air", 0, 1, 0)),
            demand=rows(DEMAND, *[("texas", "rig", k, n, None, lost) for k, n in enumerate(units)]),
        )

    months = len(units)
    one = cost(case(("rig", "MY", 50, None)), duty(share, ["MY"], quota_units_month=quota), months=months)
    two = cost(case(("rig", "CN", 50, quota), ("rig", "MY", 50, None)), duty(share, ["MY"]), months=months)
    assert one == pytest.approx(two, rel=1e-9, abs=1e-6)
    absolute = cost(case(("rig", "MY", 50, None)), ban(["MY"], quota_units_month=quota), months=months)
    assert absolute == pytest.approx(cost(case(("rig", "MY", 50, quota)), months=months), rel=1e-9, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(
    quota=st.integers(1, 12),
    room=st.integers(8, 15),
    home=st.integers(15, 95),
    units=st.lists(st.integers(4, 20), min_size=2, max_size=3),
)
def test_a_binding_quota_is_worth_the_duty_of_its_shadow_price(
    quota: int, room: int, home: int, units: list[int]
) -> None:
    plants = rows(
        PLANTS, ("abroad", "Acme", "MY", "yes", 0, 0, 0, 0, 99), ("home", "Acme", "US", "yes", 0, 0, 0, 0, room)
    )
    demand = rows(DEMAND, *[("texas", "rig", k, n, None, 90) for k, n in enumerate(units)])
    case = replace(simple(demand, plants=plants), makes={})
    abroad, here = simple(demand, plants=plants).makes.values()
    case = replace(case, makes={("abroad", "rig"): abroad, ("home", "rig"): replace(here, cost_usd=home)})
    posed = pose(case, book(ban(["MY"], quota_units_month=quota)), START, len(units))
    assert posed.model.border is not None
    x, dual = row_duals(posed.arrays)
    price = -dual[posed.model.border.quota[0]]
    assert (price >= -1e-9).all()
    assert (price <= 79 + 1e-9).all()
    levies = [
        duty(round(usd / 100, 6), ["MY"], heading=f"levy{k}", **{"from": month(k), "until": month(k + 1)})
        for k, usd in enumerate(price.tolist())
    ]
    assert cost(case, *levies, months=len(units)) == pytest.approx(
        posed.arrays.cost @ x + quota * price.sum(), rel=1e-6
    )


@settings(max_examples=12, deadline=None)
@given(
    few=st.integers(0, 10),
    more=st.integers(1, 10),
    seed=st.integers(0, 11),
    absolute=st.booleans(),
    origins=st.sampled_from((["MY"], ["CN"], ["CN", "MY"])),
)
def test_a_tighter_quota_never_lowers_the_optimum(
    few: int, more: int, seed: int, absolute: bool, origins: list[str]
) -> None:
    case, futures, months, _ = random_case(seed)
    limit = ban(origins, heading="q") if absolute else duty(0.7, origins, heading="q")

    def optimum(quota: float) -> float:
        nodes = [
            replace(node, book=under(node.book, {**limit, "quota_units_month": quota}, since=month(1)))
            if node.name != "now"
            else node
            for node in futures.nodes
        ]
        plan = plans.solve(case, nodes[0].book, START, months, replace(futures, nodes=tuple(nodes)), gap=1e-9)
        ties(plan)
        return plan.cost_usd

    none = plans.solve(case, futures.nodes[0].book, START, months, futures, gap=1e-9).cost_usd
    tight, loose = optimum(few), optimum(few + more)
    assert tight >= loose - 1e-6 * abs(loose)
    if not absolute:  # goods under an absolute quota may be abandoned, those without one pay
        assert loose >= none - 1e-6 * abs(none)
        assert optimum(1e7) == pytest.approx(none, rel=1e-7)


@settings(max_examples=12, deadline=None)
@given(
    lost=st.integers(10, 900),
    foreign=st.booleans(),
    units=st.lists(st.integers(0, 14), min_size=2, max_size=4),
    first=st.integers(0, 2),
)
def test_a_ban_is_a_prohibitive_duty_where_demand_may_be_lost(
    lost: int, foreign: bool, units: list[int], first: int
) -> None:
    plants = rows(
        PLANTS,
        ("penang", "Acme", "MY", "yes", 0, 3, 0, 0, 9),
        ("dallas", "Acme", "CA" if foreign else "US", "no", 200, 5, 1, 0, 9),
    )
    lanes = rows(LANES, ("MY", "US", "air", 0, 1, 0), ("CA", "US", "air", 0, 2, 0), ("US", "US", "truck", 0, 3, 0))
    demand = rows(DEMAND, *[("texas", "rig", k, n, None, lost) for k, n in enumerate(units)])
    case = simple(demand, lanes, plants)
    since = {"from": month(first)}
    barred = cost(case, ban(["MY"], **since), months=len(units))
    assert barred == pytest.approx(cost(case, duty(10.0, ["MY"], **since), months=len(units)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_taken_apart_built_branch_by_branch_or_in_one_piece(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case, futures, months, _ = random_case(seed)
    limits = [
        duty(0.6, ["CN", "MY"], quota_units_month=5, heading="q"),
        ban(["CN"], heading="b"),
        ban(["MY"], quota_units_month=3, heading="aq"),
    ]
    nodes = list(futures.nodes)
    for k, node in enumerate(nodes[1:], start=1):
        chosen = [limits[(seed + k) % 3], limits[(seed + k + 1) % 3]][: 1 + seed % 2]
        nodes[k] = replace(node, book=under(node.book, *chosen, since=month(1)))
    limited = replace(futures, nodes=tuple(nodes))
    risk = (0.0, 0.5)[seed % 2]
    whole, apart = (
        plans.solve(case, futures.nodes[0].book, START, months, limited, method=method, gap=1e-8, risk=risk, tail=0.5)
        for method in ("extensive", "benders")
    )
    assert apart.method == "benders"
    assert apart.objective_usd == pytest.approx(whole.objective_usd, rel=1e-6, abs=1e-6)
    ties(whole)
    ties(apart)
    monkeypatch.setattr("ashore.plans.plan.HUGE", 0)
    pieces, one = (
        plans.solve(case, futures.nodes[0].book, START, months, limited, method=method, gap=1e-8)
        for method in ("benders", "extensive")
    )
    assert pieces.posed is None
    assert pieces.cost_usd == pytest.approx(one.cost_usd, rel=1e-6, abs=1e-6)
    assert set(pieces.quotas["node"]) <= {node.name for node in nodes}


def test_the_worth_of_a_plan_under_quotas() -> None:
    law = book()
    futures = tree(
        law,
        ("now", None, START, 1, law),
        ("quota", "now", month(1), 0.4, under(law, duty(0.9, quota_units_month=3), since=month(1))),
        ("ban", "now", month(1), 0.6, under(law, ban(["MY"]), since=month(1))),
    )
    case = net({"hold_usd_month": 900}, demand=rows(DEMAND, ("texas", "rig", None, 10, None, 9000)))
    plan = plans.solve(case, law, START, 6, futures)
    worth = plans.options(plan)
    assert worth.evpi_usd >= 0
    assert worth.vss_usd is not None
    assert worth.vss_usd >= 0
    assert dict(worth.options)["dallas"] > 0
    assert posed_twice(plan) == plan.columns


def posed_twice(plan: plans.Plan) -> int:
    posed = plan.posed
    assert posed is not None
    again = pose(posed.network, posed.futures.nodes[0].book, START, plan.months, posed.futures)
    return again.arrays.columns


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            [duty(0.5, heading="plain"), duty(0.2, quota_units_month=3, heading="q", exempts=["plain"])],
            "Less is owed beyond the quota than within it",
        ),
        (
            [
                duty(0.5, quota_units_month=3, heading="one"),
                duty(0.2, quota_units_month=3, heading="two", yields_to="one"),
            ],
            "their duties do not add up",
        ),
        ([duty(0.1, quota_units_month=3, heading=f"q{k}") for k in range(7)], "the plan takes 6 at most"),
    ],
)
def test_quotas_the_plan_cannot_hold_are_named(changes: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(FaultyInput, match=words):
        plans.solve(simple(MUST), book(*changes), START, 2)


def test_one_quota_has_one_size() -> None:
    law = under(book(duty(0.5, ["MY"]), duty(0.5, ["CN"])), {"rule": "toy", "quota_units_month": 5})
    law = under(law, {"rule": "H0.5['CN']", "quota_units_month": 7})
    assert {rule.quota for rule in law.rules} == {"toy", "H0.5['CN']"}
    split = replace(law, rules=tuple(replace(rule, quota="toy") for rule in law.rules), _memo={})
    with pytest.raises(FaultyInput, match="The quota has 5 and 7 units a month"):
        plans.solve(simple(MUST), split, START, 2)


# -- in bulk ----------------------------------------------------------------------------------------------------------
def test_a_folder_of_futures_has_quotas_bans_and_makers(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text(
        "node,parent,from,chance\nnow,,2026-12-01,\nup,now,2027-01-01,0.9\nshut,now,2027-01-01,0.1\n", encoding="utf-8"
    )
    (tmp_path / "changes.csv").write_text(
        "node,rule,rate,until,quota_units_month,ban,makers\nup,toy,0.4,,4,,\nshut,toy,,,,yes,Acme; Fab\n",
        encoding="utf-8",
    )
    case = net({"hold_usd_month": 2000}, demand=rows(DEMAND, ("texas", "rig", None, 10, None, 9000)))
    law = book(duty(0.1))
    futures = plans.read_futures(tmp_path, law, case)
    up, shut = futures.nodes[1:]
    assert [rule.quota_units_month for rule in up.book.rules if rule.quota] == [4.0]
    assert {need.claim for rule in shut.book.rules for need in rule.requires} == {"maker"}
    plan = plans.solve(case, law, START, 3, futures)
    ties(plan)
    assert {row["node"] for row in plan.quotas.to_dicts() if row["over"]} == {"up"}
    (tmp_path / "changes.csv").write_text("node,rule,rate,makers\nup,toy,0.4,Akme\n", encoding="utf-8")
    with pytest.raises(FaultyInput, match=r"No product of the network is made by 'Akme'\. Did you mean 'Acme'\?"):
        plans.read_futures(tmp_path, law, case)


def test_what_the_terminal_shows(small: RuleBook, capsys: pytest.CaptureFixture[str]) -> None:
    law = read(small, NEW | {"quota_units_month": 5000}, ban(["MY"], heading="never"))
    report.text_of_rules(rules.listing.listed(law, DAY, None, "MY"))
    shown = " ".join(capsys.readouterr().out.split())
    assert "5,000" in shown
    assert " ban 2020-01-01 " in shown
    document = plans.solve(simple(MUST), book(duty(0.5, quota_units_month=4, heading="q")), START, 3).as_dict()
    report.text_of_plan(document)
    assert "q 12 18 0" in " ".join(capsys.readouterr().out.split())
