"""Why a plan has a plant: the plan of the opposite kind is the best of its kind, and the lines add up to the cent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from tests.toy import (
    DEMAND,
    LANES,
    PLANTS,
    START,
    book,
    duty,
    month,
    net,
    random_case,
    rows,
    simple,
    tree,
    under,
)

from ashore import plans, report
from ashore.errors import FaultyInput
from ashore.plans.solver import Limits, run

TWO = rows(
    PLANTS,
    ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99),
    ("dallas", "Acme", "US", "no", 3000, 0, 1, 0, 99),
    ("austin", "Acme", "US", "no", 9000, 10, 2, 1, 99),
)


def two(**more: Any) -> Any:
    return simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)), plants=TWO, **more)


def adds_up(plan: plans.Plan, found: plans.Why) -> None:
    """Lines, moves and orders against the ledger and the plan itself."""
    assert found.usd is not None
    assert round(found.lines["more_usd"].sum(), 2) == round(found.usd, 2)
    assert found.lines["plan_usd"].sum() == pytest.approx(plan.objective_usd, abs=0.005)
    assert found.lines["other_usd"].sum() == pytest.approx(plan.objective_usd + found.usd, abs=0.005)
    assert (found.lines["other_usd"] - found.lines["plan_usd"] - found.lines["more_usd"]).abs().max() < 0.011
    made = found.moves.filter(pl.col("what") == "made")
    assert (made["other_units"] - made["plan_units"] - made["more_units"]).abs().max() in (None, pytest.approx(0))
    text = json.dumps(found.as_dict())
    assert found.plant in text


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("risk", [0.0, 0.6])
def test_without_a_plant_the_best_plan_is_that_of_a_network_that_lacks_it(seed: int, risk: float) -> None:
    case, futures, months, _ = random_case(seed)
    law = futures.nodes[0].book
    plan = plans.solve(case, law, START, months, futures, gap=1e-9, risk=risk, tail=0.5)
    for found in plans.why(plan, case.plants):
        if found.usd is None:
            continue
        adds_up(plan, found)
        assert found.usd >= -1e-6 * plan.objective_usd
        if found.other == "without":
            makes = {key: make for key, make in case.makes.items() if make.plant != found.plant}
            lacking = replace(case, makes=makes, plants={k: v for k, v in case.plants.items() if k != found.plant})
            other = plans.solve(lacking, law, START, months, futures, gap=1e-9, risk=risk, tail=0.5)
            fixed = case.plants[found.plant].fixed_usd_month if case.plants[found.plant].open else 0.0
            still = fixed * sum(1.1 ** (-t / 12) for t in range(months))  # a standing plant is paid for all the same
            assert plan.objective_usd + found.usd == pytest.approx(other.objective_usd + still, rel=1e-6)


def test_lines_are_the_ledgers() -> None:
    law = book()
    high = under(law, duty(0.8), since=month(4))
    futures = tree(
        law, ("now", None, START, 1, law), ("high", "now", month(4), 0.6, high), ("low", "now", month(4), 0.4, law)
    )
    plan = plans.solve(net({"hold_usd_month": 300}), law, START, 20, futures)
    assert plan.open["plant"].to_list() == ["dallas"]
    (found,) = plans.why(plan, ["dallas"])
    adds_up(plan, found)
    usd = pl.col("cents") / 100 * pl.col("factor") * pl.col("chance")
    booked = plan.ledger.group_by("item", "heading", "authority").agg(booked=usd.sum())
    both = found.lines.join(booked, on=["item", "heading", "authority"], how="left", nulls_equal=True)
    assert (both["plan_usd"] - both["booked"].fill_null(0.0)).abs().max() < 0.5
    assert found.usd == pytest.approx(dict(plans.options(plan).options)["dallas"], rel=1e-9)
    assert [row["plant"] for row in found.orders.to_dicts()] == ["dallas"]
    gone = found.moves.filter(pl.col("place") == "dallas")
    assert gone["other_units"].sum() == 0
    assert gone["plan_units"].sum() > 0
    assert found.sentence.startswith("Without dallas the best plan costs ")


def test_a_candidate_that_is_not_opened_is_compared_at_its_best_moment() -> None:
    case, law = two(hold_usd_month=5), book(duty(0.3))
    plan = plans.solve(case, law, START, 12)
    assert plan.open["plant"].to_list() == ["dallas"]
    (found,) = plans.why(plan, ["austin"])
    adds_up(plan, found)
    assert found.other == "with"
    assert plan.posed is not None
    opened = plan.posed.model.opened[plan.posed.model.candidates.index("austin")]
    cost = []
    for column in opened[opened >= 0]:  # ordered in this month and not before
        lower, upper = plan.posed.arrays.col_lower.copy(), plan.posed.arrays.col_upper.copy()
        upper[opened[(opened >= 0) & (opened < column)]] = 0.0
        lower[column] = 1.0
        cost.append(run(replace(plan.posed.arrays, col_lower=lower, col_upper=upper), Limits(1e-9)).objective)
    assert plan.objective_usd + found.usd == pytest.approx(min(cost), rel=1e-9)
    assert plan.objective_usd + found.now_usd == pytest.approx(cost[0], rel=1e-9)
    (order,) = found.orders.filter(pl.col("plant") == "austin").to_dicts()
    assert order["month"] == cost.index(min(cost))
    assert f"the best moment is {order['date'].isoformat()[:7]}" in found.sentence


def test_decisions_that_differ_are_more_than_orders() -> None:
    """Without the plant at home the one abroad is expanded, and a plant at home with modules is never ordered."""
    plants = rows(
        PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 5), ("dallas", "Acme", "US", "no", 100, 0, 0, 0, 5)
    )
    module = {"modules": 1, "module_month": 5, "module_usd": 300}
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, None, 1000)), plants=[plant | module for plant in plants])
    plan = plans.solve(case, book(duty(0.1)), START, 6)
    (found,) = plans.why(plan, ["dallas"])
    adds_up(plan, found)
    steps = ("plant", "step", "modules", "month", "in_plan", "in_other")
    assert set(found.orders.select(steps).rows()) == {
        ("dallas", "open", None, 0, True, False),
        ("penang", "expand", 1, 0, False, True),
    }
    assert "penang is expanded, laid up or closed otherwise" in found.sentence


def test_a_candidate_is_forced_open_on_every_branch() -> None:
    law = book(duty(0.3))
    ends = [
        (name, "now", month(3), 0.5, under(law, duty(rate), since=month(3))) for name, rate in (("a", 0), ("b", 0.9))
    ]
    case = two(hold_usd_month=5)
    case = replace(case, plants=case.plants | {"austin": replace(case.plants["austin"], fixed_usd_month=500)})
    plan = plans.solve(case, law, START, 12, tree(law, ("now", None, START, 1, law), *ends))
    (found,) = plans.why(plan, ["austin"])
    adds_up(plan, found)
    assert found.orders.filter(pl.col("plant") == "austin")["node"].to_list() == ["a", "b"]


def test_names_that_are_no_plant_are_refused_at_once() -> None:
    plan = plans.solve(two(), book(), START, 4)
    with pytest.raises(FaultyInput) as caught:
        plans.why(plan, ["dalas", "penang", "nowhere"])
    said = str(caught.value).splitlines()
    assert len(said) == 2
    assert "Did you mean 'dallas'?" in said[0]
    assert "Known: austin, dallas, penang." in said[1]


def test_a_plant_nothing_can_do_without_and_one_of_no_use(capfd: pytest.CaptureFixture[str]) -> None:
    must = simple(
        rows(DEMAND, ("texas", "rig", None, 10, None, None)),
        lanes=rows(LANES, ("MY", "US", "air", 0, 1, 0)),
        plants=rows(
            PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99), ("dallas", "Acme", "US", "no", 1, 0, 0, 0, 99)
        ),
    )
    plan = plans.solve(must, book(), START, 4)
    needed, useless = plans.why(plan, ["penang", "dallas"])
    assert needed.usd is None
    assert "there is no plan" in needed.sentence
    assert "short of 40 units" in needed.sentence
    assert useless.usd is None
    assert "nothing it makes can reach demand" in useless.sentence
    document = plan.as_dict() | {"why": [needed.as_dict(), useless.as_dict()]}
    report.text_of_plan(document)
    assert "Why penang" in capfd.readouterr().out


def test_the_text_has_the_sentence_the_lines_and_the_moves(capfd: pytest.CaptureFixture[str]) -> None:
    plan = plans.solve(two(hold_usd_month=5), book(duty(0.3)), START, 12)
    found = [each.as_dict() for each in plans.why(plan, ["dallas", "austin"])]
    report.text_of_plan(plan.as_dict() | {"why": found})
    said = " ".join(capfd.readouterr().out.split())
    for each in found:
        assert " ".join(each["sentence"].split()) in said
        assert f"{each['usd']:+,.2f}" in said
        for line in each["lines"]:
            assert not line["more_usd"] or f"{line['more_usd']:+,.2f}" in said
