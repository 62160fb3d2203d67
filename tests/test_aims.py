"""What plans can be asked for: margin, the dearest branch, regret; each against hand-worked cases and the others."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.second_formulation import Reference
from tests.test_benders import must_serve
from tests.toy import (
    DEMAND,
    PLANTS,
    START,
    book,
    duty,
    month,
    random_case,
    restricted_pair,
    rows,
    simple,
    tree,
    under,
)

from ashore import network, plans
from ashore.errors import FaultyInput, Infeasible
from ashore.network import schema
from ashore.plans.objective import OBJECTIVES
from ashore.plans.posed import pose, set_off
from ashore.plans.tail import best

KINDS = ("cost", "worst", "regret")


def hedge(open_usd: float, price_usd: float | None = None) -> Any:
    """Ten units in month 2 at 11 each: from abroad at a duty of 0 or 100, or from a line ordered before it is known."""
    case = simple(
        rows(DEMAND, ("texas", "rig", 2, 10, price_usd, None)),
        plants=rows(
            PLANTS,
            ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99),
            ("dallas", "Acme", "US", "no", open_usd, 0, 2, 0, 99),
        ),
        hold_usd_month=1000,
    )
    law = book()
    high = under(law, duty(1.0), since=month(1))
    futures = tree(
        law, ("now", None, START, 1, law), ("high", "now", month(1), 0.3, high), ("low", "now", month(1), 0.7, law)
    )
    return case, law, START, 3, futures


@pytest.mark.parametrize(
    ("open_usd", "kind", "opens", "objective_usd"),
    [
        (450, "cost", False, 0.3 * 1110 + 0.7 * 110),
        (450, "worst", True, 560),
        (450, "regret", True, 450),  # for nothing in the low branch; without the line 1110 − 560 in the high one
        (600, "cost", False, 0.3 * 1110 + 0.7 * 110),
        (600, "worst", True, 710),
        (600, "regret", False, 400),  # 1110 − 710 in the high branch; with the line 600 in the low one
    ],
)
def test_each_objective_opens_what_it_should(open_usd: float, kind: str, opens: bool, objective_usd: float) -> None:
    plan = plans.solve(*hedge(open_usd), objective=kind)
    assert (plan.status, plan.objective, not plan.open.is_empty()) == ("optimal", kind, opens)
    assert plan.objective_usd == pytest.approx(objective_usd)
    assert plan.bound_usd == pytest.approx(objective_usd)
    cost = {"high": 110 + open_usd, "low": 110 + open_usd} if opens else {"high": 1110, "low": 110}
    assert dict(plan.branches.select("node", "cost_usd").rows()) == pytest.approx(cost)
    assert plan.cost_usd == pytest.approx(0.3 * cost["high"] + 0.7 * cost["low"])
    if kind == "worst":
        assert plan.tail_usd == pytest.approx(max(cost.values()))
    if kind == "regret":
        alone = {"high": 110 + open_usd, "low": 110}
        assert dict(plan.branches.select("node", "best_usd").rows()) == pytest.approx(alone)
        regret = {name: usd - alone[name] for name, usd in cost.items()}
        assert dict(plan.branches.select("node", "regret_usd").rows()) == pytest.approx(regret)
        assert plans.options(plan).evpi_usd == pytest.approx(max(regret.values()))


@pytest.mark.parametrize(
    ("kind", "served", "margin_usd"),
    [("cost", 0, -10 * 5), ("margin", 10, 10 * (30 - 11 - 20)), ("worst", 0, -10 * 5), ("regret", 0, -10 * 5)],
)
def test_a_sale_at_a_loss_pays_where_losing_it_is_dearer(kind: str, served: float, margin_usd: float) -> None:
    """A unit costs 31 with its duty, brings 30, and costs 5 if it is lost."""
    case = simple(rows(DEMAND, ("texas", "rig", 0, 10, 30, 5)))
    plan = plans.solve(case, book(duty(0.2)), START, 1, objective=kind)
    assert plan.served["units"].sum() == pytest.approx(served)
    assert plan.margin_usd == pytest.approx(margin_usd)
    assert plan.revenue_usd - plan.cost_usd == pytest.approx(margin_usd)
    if kind == "margin":
        assert (plan.objective_usd, plan.bound_usd) == pytest.approx((-margin_usd, -margin_usd))


def priced(case: network.Network, seed: int) -> network.Network:
    rng = np.random.default_rng(seed)
    return replace(
        case,
        demand=tuple(
            replace(row, price_usd=float(rng.integers(20, 200)), lost_usd=float(rng.integers(0, 90)))
            for row in case.demand
        ),
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("risk", [0.0, 0.5])
def test_margin_is_revenue_less_cost_and_no_plan_has_more(seed: int, risk: float) -> None:
    case, futures, months, rate = random_case(seed)
    case = priced(case, seed)
    law = futures.nodes[0].book
    asked: dict[str, Any] = {"risk": risk, "tail": 0.5, "gap": 1e-9}
    plan = plans.solve(case, law, START, months, futures, objective="margin", **asked)
    posed = plan.posed
    assert posed is not None
    factor = (1 + case.settings.discount_year) ** (-plan.served["month"].to_numpy() / 12)
    chance = dict(zip(posed.calendar.nodes, posed.calendar.node_chance, strict=True))
    weight = np.array([chance[node] for node in plan.served["node"]]) * factor
    revenue = float(weight @ (plan.served["units"] * plan.served["usd_unit"]).to_numpy())
    spent = float((plan.ledger["cents"] * plan.ledger["factor"] * plan.ledger["chance"]).sum() / 100)
    assert plan.margin_usd == pytest.approx(revenue - spent, abs=0.01)
    assert plan.branches["margin_usd"] @ plan.branches["chance"] == pytest.approx(plan.margin_usd, abs=1e-6)
    mixed = (1 - risk) * -plan.margin_usd + risk * plan.tail_usd
    assert plan.objective_usd == pytest.approx(mixed, rel=1e-9, abs=1e-6)
    assert plan.objective_usd - plan.bound_usd <= 1e-9 * (plan.cost_usd + plan.revenue_usd)
    other = plans.solve(case, law, START, months, futures, **asked)
    losses = (other.branches["cost_usd"] - other.branches["revenue_usd"]).to_numpy()
    assert plan.objective_usd <= posed.aim.measure(losses) + 1e-6
    expected = Reference(case, futures, months, rate, margin=True).optimum(risk, 0.5)
    assert plan.objective_usd == pytest.approx(expected, rel=1e-6, abs=1e-5)
    if not risk:
        apart = plans.solve(case, law, START, months, futures, objective="margin", gap=1e-9, method="benders")
        assert apart.method == "benders"
        assert apart.objective_usd == pytest.approx(plan.objective_usd, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_the_dearest_branch_and_the_largest_regret_are_the_least_there_are(seed: int) -> None:
    case, futures, months, rate = random_case(seed)
    law = futures.nodes[0].book
    by_kind = {
        kind: plans.solve(case, law, START, months, futures, objective=kind, gap=1e-9, method="extensive")
        for kind in KINDS
    }
    alone = by_kind["regret"].branches["best_usd"].to_numpy()
    dearest = {kind: plan.branches["cost_usd"].max() for kind, plan in by_kind.items()}
    regret = {kind: (plan.branches["cost_usd"].to_numpy() - alone).max() for kind, plan in by_kind.items()}
    for kind, plan in by_kind.items():
        assert plan.status == "optimal"
        assert plan.cost_usd >= by_kind["cost"].cost_usd - 1e-6
        assert dearest["worst"] <= dearest[kind] + 1e-6
        assert regret["regret"] <= regret[kind] + 1e-6
        assert np.all(plan.branches["cost_usd"].to_numpy() - alone >= -1e-6)
    assert by_kind["worst"].objective_usd == pytest.approx(dearest["worst"])
    assert by_kind["regret"].objective_usd == pytest.approx(regret["regret"], abs=1e-6)
    least = by_kind["cost"].branches["chance"].min()
    reference = Reference(case, futures, months, rate)
    assert by_kind["worst"].objective_usd == pytest.approx(reference.optimum(1.0, 1 - least), rel=1e-6)
    leaves = by_kind["cost"].branches["node"].to_list()
    for leaf, usd in zip(leaves, alone, strict=True):
        path = plans.objective.branch(futures, leaf)
        assert usd == pytest.approx(Reference(case, path, months, rate).optimum(0.0, 0.0), rel=1e-6, abs=1e-6)
    credit = dict(zip(leaves, alone.tolist(), strict=True))
    expected = Reference(case, futures, months, rate).optimum(1.0, 1 - least, credit)
    assert by_kind["regret"].objective_usd == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_the_tail_becomes_the_dearest_branch() -> None:
    case, futures, months, _ = random_case(1)
    law = futures.nodes[0].book
    worst = plans.solve(case, law, START, months, futures, objective="worst", gap=1e-9).objective_usd
    levels = (0.0, 0.3, 0.6, 0.8, 0.95)
    tails = [
        plans.solve(case, law, START, months, futures, risk=1.0, tail=level, gap=1e-9).objective_usd for level in levels
    ]
    for less, more in pairwise(tails):
        assert less <= more + 1e-6
    assert tails[0] < worst
    assert tails[-1] == pytest.approx(worst, rel=1e-9)  # no branch has a chance below 0.05


@pytest.mark.parametrize("seed", range(14))
@pytest.mark.parametrize(
    ("kind", "risk"), [("worst", 0.0), ("regret", 0.0), ("margin", 0.0), ("margin", 0.6), ("margin", 1.0)]
)
def test_taken_apart_the_optimum_is_the_same(seed: int, kind: str, risk: float) -> None:
    case, futures, months = must_serve(seed) if seed % 2 else random_case(seed)[:3]
    if kind == "margin":
        case = replace(case, demand=tuple(replace(row, price_usd=40.0 + 60 * k) for k, row in enumerate(case.demand)))
    asked: Any = (case, futures.nodes[0].book, START, months, futures)
    options: dict[str, Any] = {"objective": kind, "risk": risk, "tail": 0.6, "gap": 1e-8}
    try:
        whole = plans.solve(*asked, **options, method="extensive")
    except Infeasible:
        return
    apart = plans.solve(*asked, **options, method="benders")
    assert (apart.method, apart.status) == ("benders", "optimal")
    size = max(abs(whole.objective_usd), whole.cost_usd)
    assert apart.objective_usd == pytest.approx(whole.objective_usd, abs=1e-6 * size)
    assert apart.bound_usd <= whole.objective_usd + 1e-7 * size
    if kind != "margin":  # what the aim leaves free is not wasted: no branch but the critical ones can cost more
        assert apart.cost_usd <= apart.objective_usd + 1e-6 * size or kind == "regret"


@pytest.mark.parametrize("kind", ["worst", "regret"])
@pytest.mark.parametrize("hold", [50, 400])
def test_parts_planned_by_weights_on_the_branches_and_the_whole_model_agree(kind: str, hold: float) -> None:
    case = restricted_pair()
    case = replace(case, settings=replace(case.settings, hold_usd_month=hold))
    law = book()
    nodes: list[Any] = [("now", None, START, 1.0, law)]
    for k, rate in enumerate((0.02, 0.31, 0.5, 1.1)):
        nodes.append((f"b{k}", "now", month(2), 0.25, under(law, duty(rate), since=month(2))))
    posed = set_off(pose(case, law, START, 9, tree(law, *nodes), objective=kind))
    apart = best(posed.arrays, posed.aim, posed.limits)
    whole = best(posed.arrays.in_one_part(), posed.aim, posed.limits)
    assert apart.objective == pytest.approx(whole.objective, rel=2e-6)
    assert max(apart.gap, whole.gap) <= 1e-6


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_order_and_branches_of_chance_0_change_nothing(kind: str) -> None:
    case, law, start, months, futures = hedge(450, 80)
    found = plans.solve(case, law, start, months, futures, objective=kind)
    mad = under(law, duty(5.0, "*", "*"), since=month(1))
    nodes = [*futures.nodes, plans.Node("mad", "now", month(1), 0.0, mad)]
    turned = replace(
        case,
        plants=dict(reversed(case.plants.items())),
        makes=dict(reversed(case.makes.items())),
        lanes=case.lanes[::-1],
    )
    shuffled = plans.solve(
        turned, law, start, months, replace(futures, nodes=(nodes[0], *nodes[:0:-1])), objective=kind
    )
    assert shuffled.objective_usd == pytest.approx(found.objective_usd, rel=1e-9)
    assert shuffled.open["plant"].to_list() == found.open["plant"].to_list()
    if kind == "regret":
        beside = dict(shuffled.branches.select("node", "regret_usd").rows())
        assert beside["mad"] is None
        assert max(usd for usd in beside.values() if usd is not None) == pytest.approx(found.objective_usd)


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_what_plans_are_worth_is_never_negative(kind: str) -> None:
    case, law, start, months, futures = hedge(450, 80)
    plan = plans.solve(case, law, start, months, futures, objective=kind)
    worth = plans.options(plan)
    assert worth.evpi_usd >= 0
    assert worth.vss_usd is not None
    assert worth.vss_usd >= 0
    assert dict(worth.options)["dallas"] is not None
    if kind in ("worst", "regret"):
        makes = {("penang", "rig"): case.makes["penang", "rig"]}
        lacking = replace(case, plants={"penang": case.plants["penang"]}, makes=makes)
        without = plans.solve(lacking, law, start, months, futures, objective="worst")
        assert without.objective_usd == pytest.approx(1110)
        assert dict(worth.options)["dallas"] == pytest.approx(1110 - 560 if kind == "worst" else 550 - 450)
    (reason,) = plans.why(plan, ["dallas"])
    assert reason.usd is not None
    assert reason.lines["plan_usd"].sum() == pytest.approx(plan.objective_usd, abs=0.005)
    assert reason.lines["other_usd"].sum() == pytest.approx(plan.objective_usd + reason.usd, abs=0.005)


# -- what cannot be ---------------------------------------------------------------------------------------------------
def test_margin_without_a_price_is_refused_with_every_row() -> None:
    case = simple(rows(DEMAND, ("texas", "rig", 0, 10, None, 5), ("texas", "rig", 1, 0, None, 5)))
    law = book()
    futures = tree(law, ("now", None, START, 1, law), demand=[("now", "texas", "rig", 1, 3)])
    with pytest.raises(FaultyInput, match="rig in texas in month 0 has no price_usd"):
        plans.solve(case, law, START, 2, objective="margin")
    with pytest.raises(FaultyInput, match="month 1 has no price_usd"):
        plans.solve(case, law, START, 2, futures, objective="margin")
    bare = replace(case, demand=())
    with pytest.raises(FaultyInput, match="rig in texas is wanted by --futures and has no price_usd"):
        plans.solve(bare, law, START, 2, futures, objective="margin")
    free = replace(case, demand=tuple(replace(row, price_usd=0.0) for row in case.demand))
    assert plans.solve(free, law, START, 2, futures, objective="margin").margin_usd <= 0


def test_no_figure_of_a_table_can_be_negative_so_no_profit_is_unbounded() -> None:
    money = [column for table in schema.TABLES.values() for column in table.columns if column.name.endswith("usd")]
    money += [column for table in schema.TABLES.values() for column in table.columns if "usd_" in column.name]
    assert len(money) >= 10
    assert all(column.minimum == 0 for column in money)
    assert schema.SETTINGS_NUMBERS["hold_usd_month"].minimum == 0
    faults: list[Any] = []
    from ashore.rules import read_changes

    read_changes([duty(-0.5)], book(), "toy", faults)
    assert "out of range" in faults[0].what


def test_a_cost_that_falls_without_end_is_named() -> None:
    """Only a network made in Python can ask for it: stock that earns money, of parts that anyone can buy."""
    case, futures, months, _ = random_case(2)
    law = futures.nodes[0].book
    paid = replace(case, settings=replace(case.settings, hold_usd_month=-50.0))
    for kind in ("cost", "worst"):
        with pytest.raises(Infeasible, match="Holding chip in plant0 costs less than nothing"):
            plans.solve(paid, law, START, months, futures, objective=kind)


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(FaultyInput, match="--objective: 'profit' is no objective"):
        plans.solve(*hedge(450), objective="profit")
    for kind in ("worst", "regret"):
        with pytest.raises(FaultyInput, match="--risk"):
            plans.solve(*hedge(450), objective=kind, risk=0.5)
