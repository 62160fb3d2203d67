"""Shadow prices: what hand reckoning says, and what solving a changed network says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.toy import (
    DEMAND,
    LANES,
    MAKES,
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
from ashore.plans import prices as pricing
from ashore.plans.aim import with_tail
from ashore.plans.posed import pose
from ashore.plans.solver import Limits, run

EXACT = Limits(1e-9)


def short(capacity: float = 8, lost_usd: Any = 300, **more: Any) -> Any:
    """Ten units a month wanted in months 0 to 13 (December 2026 to January 2028), made for 10 and shipped for 1."""
    plants = rows(PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, capacity))
    return simple(rows(DEMAND, ("texas", "rig", None, 10, None, lost_usd)), plants=plants, hold_usd_month=1000, **more)


def step(found: plans.Shadow, what: str, name: str, year: int) -> dict[str, Any]:
    (row,) = [r for r in found.steps.to_dicts() if (r["what"], r["name"], r["year"]) == (what, name, year)]
    return row


def test_a_unit_of_capacity_saves_the_loss_it_prevents() -> None:
    found = plans.shadow(plans.solve(short(), book(), START, 14))
    for year, months in ((2026, 1), (2027, 12), (2028, 1)):
        row = step(found, "capacity", "penang", year)
        for key in ("expected_usd", "one_more_usd", "one_less_usd"):
            assert row[key] == pytest.approx(months * (300 - 11))
        assert step(found, "demand", "rig in texas", year)["one_more_usd"] == pytest.approx(months * 300)
    assert found.prices.filter(what="capacity")["months"].to_list() == [1, 12, 1]


def test_prices_are_in_money_of_the_month_if_the_node_comes_to_pass() -> None:
    law = book()
    dear = under(law, duty(0.5), since=month(1))
    ends = [("dear", "now", month(1), 0.25, dear), ("free", "now", month(1), 0.75, law)]
    case = short(discount_year=0.1)
    plan = plans.solve(case, law, START, 13, tree(law, ("now", None, START, 1, law), *ends))
    found = plans.shadow(plan)
    prices = {row["node"]: row for row in found.prices.filter(what="capacity", year=2027).to_dicts()}
    factors = sum(1.1 ** (-t / 12) for t in range(1, 13))
    for node, chance, worth in (("dear", 0.25, 300 - 11 - 50), ("free", 0.75, 300 - 11)):
        assert prices[node]["usd_per_unit"] == pytest.approx(12 * worth)
        assert prices[node]["expected_usd"] == pytest.approx(chance * worth * factors)


def test_a_limited_supply_and_a_demand_that_must_be_served() -> None:
    case = net(
        supplies=rows("product origin price_usd limit_month", ("chip", "TW", 5, 240), ("chip", "CN", 9, None)),
        lanes=rows(LANES, ("penang", "US", "air", 0, 1, 3), ("TW", "MY", "air", 0, 0, 2), ("CN", "MY", "air", 0, 0, 2)),
        plants=rows(PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 1000)),
        makes=rows(MAKES, ("penang", "rig", 100, "yes"), ("penang", "board", 20, "yes")),
        demand=rows(DEMAND, ("texas", "rig", None, 10, None, None)),
        config={"hold_usd_month": 1000},
    )
    found = plans.shadow(plans.solve(case, book(), START, 1))
    assert step(found, "supply", "chip from TW", 2026)["one_more_usd"] == pytest.approx(9 - 5)
    assert step(found, "demand", "rig in texas", 2026)["one_more_usd"] == pytest.approx(100 + 3 * 20 + 30 * 9 + 1)
    tight = plans.solve(short(capacity=10, lost_usd=None), book(), START, 1)
    row = step(plans.shadow(tight), "demand", "rig in texas", 2026)
    assert row["one_more_usd"] is None
    assert row["one_less_usd"] == pytest.approx(11)


def test_where_the_optimum_is_degenerate_the_price_is_a_bound() -> None:
    found = plans.shadow(plans.solve(short(capacity=10), book(), START, 1))
    row = step(found, "demand", "rig in texas", 2026)
    assert row["one_less_usd"] == pytest.approx(11)
    assert row["one_more_usd"] == pytest.approx(300)
    assert 11 - 1e-6 <= row["expected_usd"] <= 300 + 1e-6
    binding = found.steps.filter(what="capacity").to_dicts()
    for row in binding:
        assert row["one_more_usd"] == pytest.approx(0)
        assert row["one_less_usd"] == pytest.approx(289)


def solved(posed: Any, x: Any) -> float:
    """The optimum of a model with the openings of ``x``, by the solver's own way and as a whole."""
    arrays, whole = posed.arrays, posed.arrays.integer
    held = np.round(x)
    arrays = replace(
        arrays,
        col_lower=np.where(whole, held, arrays.col_lower),
        col_upper=np.where(whole, held, arrays.col_upper),
    )
    if posed.aim.risk > 0:
        arrays = with_tail(arrays, posed.aim)
    return run(arrays.in_one_part(), EXACT).objective


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("risk", [0.0, 0.5])
def test_a_network_with_a_little_more_costs_what_the_prices_say(seed: int, risk: float) -> None:
    """Capacity of the standing plants, demand of each market, changed in the network and solved with equal openings."""
    case, futures, months, _ = random_case(seed)
    futures = replace(futures, demand=())
    law, little = futures.nodes[0].book, 1e-3

    def posed(changed: Any) -> Any:
        return pose(changed, law, START, months, futures, EXACT, risk, 0.5)

    plan = plans.solve(case, law, START, months, futures, gap=1e-9, risk=risk, tail=0.5)
    assert plan.answer is not None
    base, prices = solved(posed(case), plan.answer.x), plans.shadow(plan).prices

    def check(what: str, name: str, change: Any, sign: float) -> None:
        price = float(prices.filter(what=what, name=name)["expected_usd"].sum())
        more = sign * (solved(posed(change(little)), plan.answer.x) - base) / little
        less = sign * (base - solved(posed(change(-little)), plan.answer.x)) / little
        low, high = sorted((more, less))
        assert low - 1e-3 - 1e-6 * abs(base) <= price <= high + 1e-3 + 1e-6 * abs(base)

    for name, plant in case.plants.items():
        if plant.open and plan.posed is not None and name in plan.posed.model.reach.plants:

            def wider(by: float, name: str = name) -> Any:
                grown = replace(case.plants[name], capacity_month=case.plants[name].capacity_month + by)
                return replace(case, plants=case.plants | {name: grown})

            check("capacity", name, wider, -1.0)
    for market in case.markets:

        def wanted(by: float, market: str = market) -> Any:
            more = tuple(
                replace(row, units=row.units + by) if row.market == market and row.units > 0 else row
                for row in case.demand
            )
            return replace(case, demand=more)

        check("demand", f"rig in {market}", wanted, 1.0)


@pytest.mark.parametrize("seed", range(6))
def test_prices_lie_between_one_more_and_one_less(seed: int) -> None:
    case, futures, months, _ = random_case(seed)
    plan = plans.solve(case, futures.nodes[0].book, START, months, futures, gap=1e-9)
    found = plans.shadow(plan)
    assert found.steps.height
    for row in found.steps.to_dicts():
        sign = 1.0 if row["what"] == "demand" else -1.0
        if row["one_more_usd"] is not None:
            assert sign * row["one_more_usd"] >= sign * row["expected_usd"] - 1e-6
        if row["one_less_usd"] is not None:
            assert sign * row["one_less_usd"] <= sign * row["expected_usd"] + 1e-6
        own = found.prices.filter(what=row["what"], name=row["name"], year=row["year"])
        assert own["expected_usd"].sum() == pytest.approx(row["expected_usd"])


def test_what_is_not_open_has_no_price_and_large_models_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    plants = rows(
        PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 8), ("dallas", "Acme", "US", "no", 1e6, 0, 0, 0, 99)
    )
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, None, 300)), plants=plants)
    plan = plans.solve(case, book(), START, 3)
    assert set(plans.shadow(plan).prices.filter(what="capacity")["name"]) == {"penang"}
    monkeypatch.setattr(pricing, "MOST_COLUMNS", 3)
    left_out = plans.shadow(plan)
    assert left_out.prices.height == left_out.steps.height == 0
    assert "left out" in left_out.notes[0]
    monkeypatch.undo()
    stopped = plans.shadow(plan, time=0.0)
    assert stopped.steps.height == 0
    assert stopped.prices.height
    assert "0 were solved" in stopped.notes[0]


def test_the_words_have_the_figures(capfd: pytest.CaptureFixture[str]) -> None:
    plan = plans.solve(short(), book(), START, 14)
    document = plan.as_dict() | plans.shadow(plan).as_dict()
    json.dumps(document)
    report.text_of_plan(document)
    said = " ".join(capfd.readouterr().out.split())
    assert f"One more unit a month of capacity at penang in 2027 saves {12 * 289:,} USD" in said
    assert f"One more unit a month wanted of rig in texas in 2027 costs {12 * 300:,} USD" in said
    tight = plans.solve(short(capacity=10), book(), START, 1)
    report.text_of_plan(tight.as_dict() | plans.shadow(tight).as_dict())
    assert "is a bound)" in " ".join(capfd.readouterr().out.split())


def test_a_unit_of_quota_saves_the_duty_beyond_it() -> None:
    law = book(duty(0.4, "*", quota_units_month=6))
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)), hold_usd_month=1000)
    found = plans.shadow(plans.solve(case, law, START, 2))
    (row,) = found.steps.filter(what="quota", year=2027).to_dicts()
    assert row["one_more_usd"] == pytest.approx(0.4 * 100)
    assert row["one_less_usd"] == pytest.approx(0.4 * 100)


def test_demand_costs_less_what_it_brings_in_where_the_margin_counts() -> None:
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, 60, 300)), hold_usd_month=1000)
    plan = plans.solve(case, book(), START, 1, objective="margin")
    row = step(plans.shadow(plan), "demand", "rig in texas", 2026)
    assert row["expected_usd"] == pytest.approx(11 - 60)
    assert row["one_more_usd"] == pytest.approx(11 - 60)
    assert row["one_less_usd"] == pytest.approx(11 - 60)
    regret = plans.shadow(plans.solve(case, book(), START, 1, objective="regret"))
    assert "left as it is" in regret.notes[0]
    unsure = plans.shadow(plans.solve(case, book(), START, 1, objective="margin", risk=0.5))
    assert "Demand has no price here" in unsure.notes[0]
    assert unsure.prices.filter(what="demand").height == 0


def test_a_plan_too_large_to_keep_its_model_says_so() -> None:
    plan = replace(plans.solve(short(), book(), START, 1), posed=None, answer=None)
    for ask in (plans.shadow, lambda plan: plans.why(plan, ["penang"])):
        with pytest.raises(FaultyInput, match="built branch by branch"):
            ask(plan)
