"""Yields: one good unit takes 1 / yield of its parts, its cost and its capacity, wherever it is reckoned."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import tiny_network
from tests.second_formulation import Reference
from tests.toy import DEMAND, PLANTS, START, book, duty, net, random_case, rows, ties

from ashore import costs, network, plans
from ashore.errors import FaultyInput, Infeasible

MAKES = "plant product cost_usd yield"


def lossy(rig: float | None = 0.8, board: float | None = 0.5, **tables: object) -> network.Network:
    """Rigs of three boards of ten chips at 50, made in Malaysia: 100 a rig started and 20 a board started."""
    return net(makes=rows(MAKES, ("penang", "rig", 100, rig), ("penang", "board", 20, board)), **tables)


def test_the_customs_value_of_a_good_unit_by_hand() -> None:
    case = lossy()
    assert case.makes["penang", "board"].customs_value_usd == (20 + 10 * 50) / 0.5
    assert case.makes["penang", "rig"].customs_value_usd == (100 + 3 * 1040) / 0.8
    third = lossy(board=0.3)
    board = Fraction(20 + 10 * 50) / Fraction(3, 10)
    assert third.makes["penang", "rig"].customs_value_usd == float((100 + 3 * board) / Fraction(8, 10))


def test_a_customs_value_that_is_given_is_that_of_a_good_unit() -> None:
    case = net(
        makes=rows(MAKES + " customs_value_usd", ("penang", "rig", 100, 0.8, 700), ("penang", "board", 20, 1, 9))
    )
    assert case.makes["penang", "rig"].customs_value_usd == 700


def test_the_landed_cost_of_a_good_unit_by_hand() -> None:
    """A good rig starts 1.25 rigs, of 3.75 good boards, of 7.5 boards started, of 75 chips."""
    case = lossy()
    (route,) = [r for r in costs.land(case, book(duty(0.1)), START).routes if r.mode == "air"]
    parts = {name: float(usd) for name, usd in route.parts.items()}
    assert parts["make"] == 1.25 * 100 + 7.5 * 20
    assert parts["bought"] == 75 * 50
    assert parts["freight"] == 5 * 10 + 75 * 0.1
    assert parts["duty"] == 0.1 * 4025
    assert float(route.usd_unit) == sum(parts.values())


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([0.03, 1 / 3, 0.7, 0.999, 1.0]), st.sampled_from([0.03, 1 / 3, 0.7, 0.999, 1.0]))
def test_the_parts_of_a_landed_cost_sum_to_the_cent(rig: float, board: float) -> None:
    for route in costs.land(lossy(rig, board), book(duty(0.19)), START).routes:
        assert sum(route.parts.values()) == route.usd_unit
        assert sum(line.usd for line in route.duty_lines) == route.parts["duty"]
        plain = costs.land(lossy(1, 1), book(duty(0.19)), START).routes[0]
        assert float(route.usd_unit) >= float(plain.usd_unit)


def test_a_plan_of_one_good_unit_costs_what_landed_cost_says() -> None:
    case = lossy(demand=rows(DEMAND, ("texas", "rig", 4, 10, None, None)))
    case = replace(case, settings=replace(case.settings, insurance_share=0.01, hold_usd_month=0))
    for law in (book(duty(0.05)), book(duty(0.6))):
        plan = plans.solve(case, law, START, 5)
        routes = costs.land(case, law, START).as_dict()["routes"]
        cheapest = min(route["usd_unit"] - route["parts"]["carrying"] for route in routes)
        fixed = 5 * 100
        assert plan.cost_usd == pytest.approx(10 * cheapest + fixed, abs=0.2)
        assert plan.make.filter(plan.make["product"] == "rig")["units"].sum() == pytest.approx(10)
        assert plan.make.filter(plan.make["product"] == "board")["units"].sum() == pytest.approx(10 * 3 / 0.8)
        bought = plan.flows.filter(plan.flows["product"] == "chip")["units"].sum()
        assert bought == pytest.approx(10 * 3 / 0.8 * 10 / 0.5)
        ties(plan)


def test_capacity_is_that_of_units_started() -> None:
    """Room for 12 rigs and their boards: a good rig takes 1/0.8 and 3.75/0.5 of board work of 0.1 a board, 2 in all."""
    makes = rows(MAKES + " capacity_use", ("penang", "rig", 100, 0.8, 1), ("penang", "board", 20, 0.5, 0.1))
    plants = rows(PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 12))
    case = net(makes=makes, plants=plants, demand=rows(DEMAND, ("texas", "rig", None, 10, None, 9999)))
    plan = plans.solve(case, book(), START, 1)
    assert plan.served["units"].sum() == pytest.approx(12 / (1 / 0.8 + 3.75 / 0.5 * 0.1))
    must = net(makes=makes, plants=plants, demand=rows(DEMAND, ("texas", "rig", None, 10, None, None)))
    with pytest.raises(
        Infeasible, match=r"the capacity of penang, 12 a month \(started; yield 0.5\), binds in month 0"
    ):
        plans.solve(must, book(), START, 1)


def test_a_yield_of_1_is_no_yield() -> None:
    without = net()
    makes = [
        {"plant": m.plant, "product": m.product, "cost_usd": m.cost_usd, "yield": 1} for m in without.makes.values()
    ]
    assert net(makes=makes).makes == without.makes
    blank = [make | {"yield": None} for make in makes]
    assert net(makes=blank).makes == without.makes


@pytest.mark.parametrize("seed", range(6))
def test_a_network_with_yields_is_one_with_more_parts(seed: int) -> None:
    """A make with yield y is one with parts, cost and capacity over y: the second formulation solves that network."""
    case, futures, months, rate = random_case(seed)
    share = {"rig": 0.8, "board": 0.5}
    with_yields = replace(
        case, makes={key: replace(make, yield_share=share[make.product]) for key, make in case.makes.items()}
    )
    with_more = replace(
        case,
        parts={
            name: tuple(replace(part, quantity=part.quantity / share.get(name, 1)) for part in own)
            for name, own in case.parts.items()
        },
        makes={
            key: replace(
                make,
                cost_usd=make.cost_usd / share[make.product],
                capacity_use=make.capacity_use / share[make.product],
            )
            for key, make in case.makes.items()
        },
    )
    plan = plans.solve(with_yields, futures.nodes[0].book, START, months, futures, gap=1e-9)
    ties(plan)
    expected = Reference(with_more, futures, months, rate).optimum(0, 0.5)
    assert plan.objective_usd == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("wrong", ["0", "-0.5", "1.01", "most"])
def test_what_is_no_yield_is_refused(tmp_path: Path, wrong: str) -> None:
    def written(text: str) -> str:
        head, *lines = text.splitlines()
        return (
            "\n".join([f"{head},yield", *(f"{line},{wrong if n == 1 else ''}" for n, line in enumerate(lines))]) + "\n"
        )

    with pytest.raises(FaultyInput) as caught:
        network.load(tiny_network(tmp_path / "wrong", makes=written))
    (fault,) = caught.value.faults
    assert (fault.where, fault.row, fault.column) == ("makes.csv", 3, "yield")
    assert fault.remedy
