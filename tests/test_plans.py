"""The planner: toys with known answers, a second formulation, and what must hold of every plan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.second_formulation import Reference
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
    restricted_pair,
    rows,
    simple,
    ties,
    tree,
    under,
)

from ashore import costs, network, plans
from ashore.cli.app import LONG, show
from ashore.errors import FaultyInput, Infeasible, OutsideCoverage, Unresolved
from ashore.plans import links, solver
from ashore.plans.aim import with_tail
from ashore.plans.ledger import carried
from ashore.plans.solver import Limits, run, split
from ashore.plans.tail import best


# -- what a sensible case does ----------------------------------------------------------------------------------------
def test_without_duty_no_line_opens_at_home_and_with_full_duty_on_rigs_one_does() -> None:
    free = plans.solve(net(), book(), START, 24)
    dear = plans.solve(net(), book(duty(1.0)), START, 24)
    assert free.status == dear.status == "optimal"
    assert free.open.is_empty()
    assert free.duty_usd == 0
    assert dear.open["plant"].to_list() == ["dallas"]
    assert dear.open["month"].to_list() == [0]
    assert set(dear.make["origin"]) == {"MY", "US"}
    ties(free)
    ties(dear)


def test_the_document_is_plain_json(capfd: pytest.CaptureFixture[str]) -> None:
    plan = plans.solve(net(), book(duty(0.3)), START, 6)
    document = json.loads(json.dumps(plan.as_dict()))
    contract = (
        "status objective_usd bound_usd gap cost_usd tail_usd revenue_usd seconds columns rows open make flows lost "
        "duty_usd node_costs ledger notes"
    )
    assert not set(contract.split()) - set(document)
    assert set(document["seconds"]) == {"build", "solve"}
    assert document["revenue_usd"] == pytest.approx(6 * 10 * 3000)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("long", [0, LONG])
def test_a_long_document_says_the_same_as_a_short_one(
    long: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case, futures, months, _ = random_case(3)
    plan = plans.solve(case, futures.nodes[0].book, START, months, futures)
    monkeypatch.setitem(show.__globals__, "LONG", long)
    show(plan.document(), None, json_=True)
    out = capsys.readouterr().out
    assert json.loads(out) == json.loads(json.dumps(plan.as_dict()))
    assert (out.count("\n") == 1) == (long == 0)


@settings(max_examples=15, deadline=None)
@given(
    rates=st.tuples(*[st.sampled_from((0.0, 0.05, 0.3, 1.2)) for _ in range(4)]),
    place=st.integers(0, 3),
    more=st.sampled_from((0.01, 0.4)),
)
def test_raising_a_rate_never_lowers_the_optimum(rates: tuple[float, ...], place: int, more: float) -> None:
    kinds = [("MY", "8543"), ("TW", "8542"), ("US", "8543"), ("CN", "8543")]
    case = net(demand=rows(DEMAND, ("texas", "rig", None, 10, None, 2600)))

    def cost(shares: Sequence[float]) -> float:
        changes = [duty(r, [o], p) for r, (o, p) in zip(shares, kinds, strict=True) if r]
        return plans.solve(case, book(*changes), START, 5).cost_usd

    higher = [round(rate + more * (k == place), 6) for k, rate in enumerate(rates)]
    assert cost(higher) >= cost(rates) - 1e-6


def test_goods_made_at_home_pay_nothing_and_a_network_without_a_tariff_country_neither() -> None:
    home = net(
        plants=rows(
            PLANTS, ("penang", "Acme", "CA", "yes", 0, 0, 0, 0, 99), ("dallas", "Acme", "US", "yes", 0, 0, 0, 0, 99)
        )
    )
    plan = plans.solve(home, book(duty(1.0, "*", "8543")), START, 3)
    assert plan.duty_usd == 0
    away = net(
        markets=rows("market country", ("texas", "CN")),
        lanes=rows(LANES, ("MY", "CN", "air", 0, 1, 2), ("TW", "MY", "air", 0, 0, 1)),
    )
    plan = plans.solve(away, book(duty(1.0, "*", "*")), START, 3)
    assert plan.duty_usd == 0
    assert plan.duty.is_empty()


def test_a_rig_assembled_from_foreign_boards_keeps_their_origin_unless_assembly_confers() -> None:
    def case(rule: str) -> network.Network:
        return net(
            {"origin_rule": rule},
            plants=rows(
                PLANTS,
                ("shenzhen", "Acme", "CN", "yes", 0, 0, 0, 0, 99),
                ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99),
            ),
            makes=rows(MAKES, ("shenzhen", "board", 20, "yes"), ("penang", "rig", 100, "no")),
            lanes=rows(
                LANES,
                ("shenzhen", "penang", "air", 0, 1, 2),
                ("penang", "US", "air", 0, 1, 2),
                ("TW", "CN", "air", 0, 0, 1),
            ),
        )

    law = book(duty(0.25, ["CN"]))
    kept = plans.solve(case("board"), law, START, 2)
    conferred = plans.solve(case("assembly"), law, START, 2)
    assert set(kept.flows.filter(kept.flows["to"] == "texas")["origin"]) == {"CN"}
    assert kept.duty_usd == pytest.approx(0.25 * (100 + 3 * (20 + 500)) * 20)
    assert set(conferred.flows.filter(conferred.flows["to"] == "texas")["origin"]) == {"MY"}
    assert conferred.duty_usd == 0


def test_a_plant_ships_what_it_made_and_not_what_it_was_sent() -> None:
    """Boards of the cheap plant reach the dear one, which makes boards too, and no other."""
    case = net(
        plants=rows(PLANTS, *[(name, "Acme", "MY", "yes", 0, 0, 0, 0, 500) for name in ("cheap", "dear", "last")]),
        makes=rows(
            "plant product cost_usd customs_value_usd",
            ("cheap", "board", 1, 9), ("dear", "board", 100, 9), ("dear", "rig", 500, 9), ("last", "rig", 1, 9),
        ),
        lanes=rows(
            LANES, ("cheap", "dear", "truck", 0, 0, 0), ("dear", "last", "truck", 0, 0, 0),
            ("MY", "US", "air", 0, 0, 0), ("TW", "MY", "air", 0, 0, 0),
        ),
        demand=rows(DEMAND, ("texas", "rig", 0, 10, None, None)),
    )  # fmt: skip
    plan = plans.solve(case, book(), START, 1)
    rig = 3 * 10 * 50 + min(3 * 100 + 1, 3 * 1 + 500)  # boards of the dear plant, or rigs of the dear plant
    assert plan.cost_usd == pytest.approx(10 * rig)
    ties(plan)


def test_what_takes_no_capacity_is_made_only_where_a_plant_is_ready() -> None:
    case = simple(
        rows(DEMAND, ("texas", "rig", None, 10, None, 100)),
        plants=rows(PLANTS, ("dallas", "Acme", "US", "no", 700, 7, 1, 3, 9)),
    )
    free = replace(case, makes={key: replace(make, capacity_use=0.0) for key, make in case.makes.items()})
    plan = plans.solve(free, book(), START, 3)
    assert plan.open.select("plant", "month").rows() == [("dallas", 0)]
    assert plan.cost_usd == pytest.approx(700 + 2 * 7 + 20 * 11 + 10 * 100)
    dear = replace(free, plants={"dallas": replace(free.plants["dallas"], open_usd=1e5)})
    assert plans.solve(dear, book(), START, 3).cost_usd == pytest.approx(30 * 100)


# -- months -----------------------------------------------------------------------------------------------------------
def test_lead_and_ramp() -> None:
    case = simple(
        rows(DEMAND, ("texas", "rig", None, 10, None, 1000)),
        plants=rows(PLANTS, ("dallas", "Acme", "US", "no", 50, 7, 2, 2, 9)),
    )
    plan = plans.solve(case, book(), START, 6)
    assert plan.open.row(0, named=True)["month"] == 0
    assert plan.open.row(0, named=True)["ready"] == 2
    assert plan.make["month"].to_list() == [2, 3, 4, 5]
    assert plan.make["units"].to_list() == pytest.approx([3, 6, 9, 9])
    lost = 6 * 10 - 27
    assert plan.cost_usd == pytest.approx(50 + 4 * 7 + 27 * 11 + lost * 1000)


def test_a_plan_of_one_month_opens_in_month_0() -> None:
    case = simple(
        rows(DEMAND, ("texas", "rig", 0, 5, None, None)),
        plants=rows(PLANTS, ("dallas", "Acme", "US", "no", 50, 7, 0, 0, 9)),
    )
    plan = plans.solve(case, book(), START, 1)
    assert plan.open.select("plant", "node", "month").rows() == [("dallas", "law", 0)]
    assert plan.cost_usd == pytest.approx(50 + 7 + 5 * 11)


def test_goods_move_ahead_of_a_dated_rise_when_holding_is_cheap() -> None:
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)))
    law = book(duty(0.5, **{"from": month(3)}))
    plan = plans.solve(case, law, START, 6)
    assert plan.duty_usd == 0
    assert plan.cost_usd == pytest.approx(60 * 11 + 10 * (1 + 2 + 3))
    dear = plans.solve(simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)), hold_usd_month=60), law, START, 6)
    assert dear.duty_usd == pytest.approx(30 * 50)


def test_discounting() -> None:
    case = simple(rows(DEMAND, ("texas", "rig", 12, 10, None, None)), discount_year=0.1, hold_usd_month=5)
    plan = plans.solve(case, book(), START, 13)
    assert plan.cost_usd == pytest.approx(110 / 1.1)
    assert plan.make["month"].to_list() == [12]
    ties(plan)


def test_transit_takes_whole_months_and_arrivals_after_the_horizon_are_not_shipped() -> None:
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, None, 100)), rows(LANES, ("MY", "US", "ocean", 0, 1, 35)))
    plan = plans.solve(case, book(), START, 3)
    assert plan.flows.select("month", "arrives", "units").rows() == [(0, 1, 10.0), (1, 2, 10.0)]
    assert plan.lost.select("month", "units").rows() == [(0, 10.0)]
    assert plans.calendar.transit_months(15.2) == 0
    assert plans.calendar.transit_months(30.4375 * 0.5) == 1


# -- trees ------------------------------------------------------------------------------------------------------------
def test_goods_on_the_way_pay_the_rate_of_the_branch_they_arrive_in() -> None:
    case = simple(rows(DEMAND, ("texas", "rig", 1, 10, None, None)), rows(LANES, ("MY", "US", "ocean", 0, 1, 30)))
    base = book()
    high = under(base, duty(0.3), since=month(1))
    futures = tree(
        base, ("now", None, START, 1, base), ("rise", "now", month(1), 0.5, high), ("calm", "now", month(1), 0.5, base)
    )
    plan = plans.solve(case, base, START, 2, futures)
    assert plan.duty_usd == pytest.approx(0.5 * 0.3 * 100 * 10)
    costs = dict(plan.node_costs.select("node", "path_usd").rows())
    assert costs == pytest.approx({"now": 110, "rise": 410, "calm": 110})
    ties(plan)


def test_branches_that_do_not_differ_cost_what_no_tree_costs() -> None:
    law = book(duty(0.4))
    futures = tree(
        law,
        ("now", None, START, 1, law),
        ("a", "now", month(2), 0.25, law),
        ("b", "now", month(2), 0.75, law),
        ("b1", "b", month(4), 0.5, law),
        ("b2", "b", month(4), 0.5, law),
    )
    alone = plans.solve(net(), law, START, 8)
    split_up = plans.solve(net(), law, START, 8, futures)
    assert split_up.cost_usd == pytest.approx(alone.cost_usd, rel=1e-9)
    assert split_up.tail_usd == pytest.approx(alone.cost_usd, rel=1e-9)
    ties(split_up)


@pytest.mark.parametrize(
    ("lost_usd", "made", "cost"), [(50, 100, 1000 + 100 + 0.6 * 80), (25, 20, 200 + 20 + 0.4 * 80 * 25)]
)
def test_newsvendor(lost_usd: float, made: float, cost: float) -> None:
    """Order at 11 before demand is 100 (chance 0.4) or 20: more pays if 0.4·lost > 11 + 0.6·hold."""
    case = simple(rows(DEMAND, ("texas", "rig", 1, 1, None, lost_usd)), rows(LANES, ("MY", "US", "ocean", 0, 1, 30)))
    law = book()
    futures = tree(
        law,
        ("now", None, START, 1, law),
        ("high", "now", month(1), 0.4, law),
        ("low", "now", month(1), 0.6, law),
        demand=[("high", "texas", "rig", 1, 100), ("low", "texas", "rig", None, 20)],
    )
    plan = plans.solve(case, law, START, 2, futures)
    assert plan.make["units"].sum() == pytest.approx(made)
    assert plan.cost_usd == pytest.approx(cost)
    worth = plans.options(plan)
    known = 11 * (0.4 * 100 + 0.6 * 20)
    assert worth.evpi_usd == pytest.approx(cost - known)
    ties(plan)


def test_a_node_without_months_decides_for_its_children() -> None:
    case = simple(
        rows(DEMAND, ("texas", "rig", 0, 10, None, 30)),
        cost=0,
        plants=rows(PLANTS, ("dallas", "Acme", "US", "no", 100, 0, 0, 0, 99)),
    )
    law = book()
    futures = tree(
        law,
        ("root", None, START, 1, law),
        ("some", "root", START, 0.5, law),
        ("none", "root", START, 0.5, law),
        demand=[("none", "texas", "rig", 0, 0)],
    )
    plan = plans.solve(case, law, START, 1, futures)
    assert plan.open.select("plant", "node", "month").rows() == [("dallas", "root", 0)]
    assert plan.cost_usd == pytest.approx(100 + 0.5 * 10)
    assert plans.options(plan).evpi_usd == pytest.approx(0.5 * 100)
    ties(plan)


def test_a_branch_of_chance_0_changes_nothing() -> None:
    law = book(duty(0.4))
    mad = under(law, duty(5.0, "*", "*"), since=month(3))
    nodes = [("now", None, START, 1.0, law), ("a", "now", month(3), 1.0, law), ("b", "now", month(3), 0.0, mad)]
    for risk in (0.0, 0.6):
        costs = [plans.solve(net(), law, START, 8, tree(law, *part), risk=risk).cost_usd for part in (nodes[:2], nodes)]
        assert costs[0] == pytest.approx(costs[1], rel=1e-9)


def test_the_tail_is_the_mean_of_the_dearest_branches() -> None:
    case = net(demand=rows(DEMAND, ("texas", "rig", None, 10, None, 4000)))
    law = book()
    nodes = [("now", None, START, 1.0, law)]
    for k, rate in enumerate((0.0, 0.3, 0.9, 1.5)):
        nodes.append((f"b{k}", "now", month(1), 0.25, under(law, duty(rate), since=month(1))))
    futures = tree(law, *nodes)
    by_risk = [plans.solve(case, law, START, 9, futures, risk=w, tail=0.6) for w in (0.0, 0.5, 1.0)]
    for plan in by_risk:
        ties(plan)
        paths = sorted(dict(plan.node_costs.select("node", "path_usd").rows()[1:]).values())
        assert plan.tail_usd == pytest.approx((0.25 * paths[3] + 0.15 * paths[2]) / 0.4)
        assert plan.tail_usd >= plan.cost_usd - 1e-6
    assert by_risk[0].objective_usd == pytest.approx(by_risk[0].cost_usd)
    assert by_risk[2].objective_usd == pytest.approx(by_risk[2].tail_usd)
    assert by_risk[0].cost_usd <= by_risk[1].cost_usd + 1e-6 <= by_risk[2].cost_usd + 2e-6
    assert by_risk[2].tail_usd <= by_risk[1].tail_usd + 1e-6 <= by_risk[0].tail_usd + 2e-6
    assert plans.solve(case, law, START, 9, futures, risk=1.0, tail=0.0).objective_usd == pytest.approx(
        by_risk[0].cost_usd, rel=1e-6
    )


# -- what plans are worth ---------------------------------------------------------------------------------------------
def test_option_values_are_the_cost_of_doing_without() -> None:
    law = book()
    high = under(law, duty(0.8), since=month(4))
    futures = tree(
        law, ("now", None, START, 1, law), ("high", "now", month(4), 0.6, high), ("low", "now", month(4), 0.4, law)
    )
    both = rows(
        PLANTS,
        ("penang", "Acme", "MY", "yes", 0, 100, 0, 0, 1000),
        ("dallas", "Acme", "US", "no", 20000, 1000, 2, 1, 1000),
        ("austin", "Acme", "US", "no", 900000, 1000, 2, 1, 1000),
    )
    makes = rows(
        MAKES,
        *[(p, m, 100 * k, "yes") for p, k in (("penang", 1), ("dallas", 2), ("austin", 2)) for m in ("rig", "board")],
    )
    held = {"hold_usd_month": 300}
    plan = plans.solve(net(held, plants=both, makes=makes), law, START, 20, futures)
    worth = plans.options(plan)
    values = dict(worth.options)
    rest = [make for make in makes if make["plant"] != "dallas"]
    without = plans.solve(net(held, plants=[both[0], both[2]], makes=rest), law, START, 20, futures)
    assert values["austin"] == 0
    assert values["dallas"] == pytest.approx(without.objective_usd - plan.objective_usd, rel=1e-6)
    assert values["dallas"] > 0
    assert worth.evpi_usd >= 0
    assert worth.vss_usd is not None
    assert worth.vss_usd >= 0
    assert set(worth.as_dict()) >= {"evpi_usd", "vss_usd", "options"}


def test_the_mean_policy_can_mislead() -> None:
    """At the mean duty of 50 a unit a line for 300 pays over 10 units; where duty is 0 or 100 it should wait."""
    case = simple(
        rows(DEMAND, ("texas", "rig", 2, 10, None, None)),
        plants=rows(
            PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99), ("dallas", "Acme", "US", "no", 450, 0, 1, 0, 99)
        ),
        hold_usd_month=1000,
    )
    law = book()
    high = under(law, duty(1.0), since=month(1))
    futures = tree(
        law, ("now", None, START, 1, law), ("high", "now", month(1), 0.5, high), ("low", "now", month(1), 0.5, law)
    )
    plan = plans.solve(case, law, START, 3, futures)
    assert plan.open.select("node", "month").rows() == [("high", 1)]
    assert plan.cost_usd == pytest.approx(110 + 0.5 * 450)
    worth = plans.options(plan)
    assert worth.vss_usd == pytest.approx(0.5 * 450)
    assert worth.evpi_usd == pytest.approx(0)


def test_breakeven_rate_by_solving_meets_the_formula() -> None:
    """One product, value 100, demand 10 a month, no other difference: r·100·10·12 = opening cost + 10·12·extra."""
    case = simple(
        rows(DEMAND, ("texas", "rig", None, 10, None, None)),
        plants=rows(
            PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99), ("dallas", "Acme", "US", "no", 3000, 0, 0, 0, 99)
        ),
    )
    found = plans.breakeven_rate(case, book(duty(0.1)), START, 12, "dallas", tol=1e-4)
    assert found.rate == pytest.approx(3000 / (100 * 10 * 12), abs=1e-4)
    assert found.opens == ("dallas",)
    exempt = plans.breakeven_rate(case, book(duty(0.1)), START, 12, ["dallas"], exempt=["rig"])
    assert exempt.rate is None
    assert "more than it saves" in exempt.reason
    free = plans.breakeven_rate(case, book(), START, 12, "dallas")
    assert free.rate is None
    json.dumps(found.as_dict())
    with pytest.raises(FaultyInput, match="dalas"):
        plans.breakeven_rate(case, book(), START, 12, "dalas")
    with pytest.raises(FaultyInput, match="open already"):
        plans.breakeven_rate(case, book(), START, 12, "penang")


def test_a_network_cut_down_to_one_company() -> None:
    one, two = net(), restricted_pair()
    cut = plans.restrict(two, "Acme")
    assert set(cut.products) == {"rig", "board", "chip"}
    assert {row.product for row in cut.demand} == {"rig"}
    law = book(duty(0.6))
    assert plans.solve(cut, law, START, 6).cost_usd == pytest.approx(plans.solve(one, law, START, 6).cost_usd)
    with pytest.raises(FaultyInput, match="Acmee"):
        plans.restrict(two, "Acmee")


def test_independent_parts_are_planned_alone_and_cost_the_same() -> None:
    posed = plans.pose(restricted_pair(), book(duty(0.6)), START, 6)
    assert len(split(posed.arrays)) == 3  # two makers, and what stands anyway
    apart = run(posed.arrays, Limits())
    together = run(posed.arrays.in_one_part(), Limits())
    assert apart.objective == pytest.approx(together.objective, rel=1e-9)
    assert apart.gap <= 1e-6


@pytest.mark.parametrize(("risk", "tail", "hold"), [(0.5, 0.9, 50), (0.3, 0.5, 400), (1.0, 0.6, 400)])
def test_the_tail_by_weights_on_the_branches_is_the_tail_of_the_whole_model(
    risk: float, tail: float, hold: float
) -> None:
    case = restricted_pair()
    case = replace(case, settings=replace(case.settings, hold_usd_month=hold))
    law = book()
    nodes: list[Any] = [("now", None, START, 1.0, law)]
    for k, rate in enumerate((0.02, 0.31, 0.5, 1.1)):
        nodes.append((f"b{k}", "now", month(2), 0.25, under(law, duty(rate), since=month(2))))
    posed = plans.pose(case, law, START, 9, tree(law, *nodes), risk=risk, tail=tail)
    by_weights = best(posed.arrays, posed.aim, posed.limits)
    whole = run(with_tail(posed.arrays, posed.aim), posed.limits)
    assert by_weights.objective == pytest.approx(whole.objective, rel=2e-6)
    assert by_weights.gap <= 1e-6
    again = best(posed.arrays.in_one_part(), posed.aim, posed.limits, start=by_weights.x)
    assert again.objective == pytest.approx(whole.objective, rel=2e-6)
    ties(plans.solve(case, law, START, 9, tree(law, *nodes), risk=risk, tail=tail))


def test_every_candidate_at_once() -> None:
    law = book(duty(0.1))
    apart = [plans.breakeven_rate(restricted_pair(), law, START, 12, name) for name in ("dallas", "ohio")]
    together = plans.breakeven_rates(restricted_pair(), law, START, 12)
    assert [found.plants for found in together] == [("dallas",), ("ohio",)]
    for one, other in zip(apart, together, strict=True):
        assert one.rate == pytest.approx(other.rate, abs=0.0005)


@pytest.mark.parametrize("source", ["TW", "MY"])  # from afar, and bought at home without a lane
def test_one_unit_costs_what_the_cheapest_landed_route_costs(source: str) -> None:
    case = net(
        {"insurance_share": 0.01, "hold_usd_month": 0},
        supplies=rows("product origin price_usd", ("chip", source, 50)),
        plants=rows(
            PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99), ("dallas", "Acme", "US", "yes", 0, 0, 0, 0, 99)
        ),
        demand=rows(DEMAND, ("texas", "rig", 4, 1, None, None)),
    )
    for law in (book(duty(0.05)), book(duty(0.6)), book(duty(0.3, "*", "*"))):
        plan = plans.solve(case, law, START, 5)
        routes = costs.land(case, law, START).as_dict()["routes"]
        cheapest = min(route["usd_unit"] - route["parts"]["carrying"] for route in routes)
        assert plan.cost_usd == pytest.approx(cheapest, abs=0.02)


# -- what cannot be ---------------------------------------------------------------------------------------------------
MUST = rows(DEMAND, ("texas", "rig", None, 10, None, None))


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"lanes": rows(LANES, ("TW", "MY", "air", 0, 0, 1))}, "no lane reaches texas from penang"),
        ({"lanes": rows(LANES, ("MY", "US", "air", 0, 0, 1))}, "penang cannot get chip"),
        (
            {"lanes": rows(LANES, ("MY", "US", "ocean", 0, 0, 40), ("TW", "MY", "ocean", 0, 0, 30))},
            "in months 0 to 1 cannot be met: the first rig can be there in month 2",
        ),
        (
            {
                "plants": rows(
                    PLANTS,
                    ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 30),
                    ("dallas", "Acme", "US", "no", 1, 0, 2, 0, 20),
                )
            },
            "the capacity of penang, 30 a month, binds in month",
        ),
        (
            {"supplies": rows("product origin price_usd limit_month", ("chip", "TW", 50, 250))},
            "the supply of chip from TW, 250 a month, binds in month",
        ),
    ],
)
def test_an_impossible_plan_says_which_demand_and_why(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(Infeasible) as error:
        plans.solve(net(demand=MUST, **tables), book(), START, 4)
    assert said in str(error.value)
    assert "Demand for rig in texas" in str(error.value)


def test_lost_demand_that_nothing_can_reach_is_said() -> None:
    plan = plans.solve(net(lanes=rows(LANES, ("TW", "MY", "air", 0, 0, 1))), book(), START, 2)
    assert plan.lost["units"].sum() == 20
    assert any("No rig can reach texas" in note for note in plan.notes)


def test_days_outside_coverage_are_held_and_said_and_before_it_refused() -> None:
    plan = plans.solve(net(), book(until=date(2027, 1, 15)), START, 4)
    assert any("held to the end of the plan" in note for note in plan.notes)
    with pytest.raises(OutsideCoverage):
        plans.solve(net(), book(), date(2016, 1, 1), 4)


def test_an_article_the_book_cannot_rate_is_refused() -> None:
    odd = [dict(PRODUCTS[0], hts="99999999"), *PRODUCTS[1:]]
    with pytest.raises(Unresolved, match=r"9999\.99\.99"):
        plans.solve(net(products=odd), book(), START, 4)


@pytest.mark.parametrize("wrong", [{"risk": 1.5}, {"tail": 1.0}, {"gap": -1.0}, {"time": 0.0}])
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(FaultyInput, match=f"--{next(iter(wrong))}"):
        plans.solve(net(), book(), START, 4, **wrong)  # type: ignore[arg-type]


def test_cents_are_carried() -> None:
    rng = np.random.default_rng(3)
    exact = rng.uniform(0, 5, 1000)
    whole = carried(exact)
    assert np.abs(np.cumsum(whole) - np.cumsum(exact)).max() <= 0.5 + 1e-9
    assert carried(np.array([1.0, 2.0])).tolist() == [1, 2]


def test_the_order_of_rows_does_not_matter() -> None:
    case = restricted_pair()
    law = book(duty(0.35))
    cost = plans.solve(case, law, START, 8).cost_usd
    turned = replace(
        case,
        plants=dict(reversed(case.plants.items())),
        makes=dict(reversed(case.makes.items())),
        products=dict(reversed(case.products.items())),
        lanes=case.lanes[::-1],
        demand=case.demand[::-1],
    )
    assert plans.solve(turned, law, START, 8).cost_usd == pytest.approx(cost, rel=1e-9)


# -- the same plan, formulated again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_a_second_formulation_has_the_same_optimum(seed: int) -> None:
    case, futures, months, rate = random_case(seed)
    risk = (0.0, 0.0, 0.4, 1.0)[seed % 4]
    plan = plans.solve(case, futures.nodes[0].book, START, months, futures, risk=risk, tail=0.5, gap=1e-9)
    ties(plan)
    expected = Reference(case, futures, months, rate).optimum(risk, 0.5)
    assert plan.objective_usd == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_branching_from_basis_to_basis_and_the_solvers_own_search_agree(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, futures, months, _ = random_case(seed)
    arrays = plans.pose(case, futures.nodes[0].book, START, months, futures).arrays
    found = []
    many = 1_000_000
    for large, branches, steps, held in (
        (many, 0, 0, many),
        (0, 1_000, many, many),
        (0, 3, many, many),  # handed over to the solver's search
        (0, 1_000, -many, many),
        (0, 1_000, many, 1),  # links held back
    ):
        monkeypatch.setattr(solver, "LARGE", large)
        monkeypatch.setattr(solver, "MOST_BRANCHES", branches)
        monkeypatch.setattr(solver, "MOST_STEPS", steps)
        monkeypatch.setattr(links, "MANY", held)
        answer = run(arrays, Limits(gap=1e-9))
        assert answer.bound <= answer.objective
        assert answer.gap <= 2e-9
        found.append(answer.objective)
    assert found == pytest.approx(5 * [found[0]], rel=1e-8, abs=1e-8)
