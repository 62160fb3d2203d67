"""The rivals of the benchmarks solve the planner's own model: the arrays they are given, and their optima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks import plan_scale, rival_data

from ashore.plans.posed import Posed, pose

BLOCKS = ("make", "move", "stock", "blend", "open")


@pytest.fixture(scope="module")
def posed() -> Posed:
    net, base, tree = plan_scale.asked(2, 6)
    return pose(net, base, plan_scale.START, 9, tree)


def test_the_arrays_hold_every_column_of_the_plan_at_its_cost(posed: Posed) -> None:
    data, model, cost = rival_data.data_of(posed), posed.model, posed.arrays.cost
    found = (model.make, model.move, model.stock, model.blend, model.opened)
    for name, columns in zip(BLOCKS, found, strict=True):
        assert np.array_equal(columns >= 0, getattr(data, f"{name}_on")), name
    for columns, usd in (
        (model.make, data.make_usd),
        (model.move, data.move_usd),
        (model.stock, np.broadcast_to(data.stock_usd, model.stock.shape)),
        (model.opened, data.open_usd),
        (model.lost, data.lose_usd),
    ):
        there = columns >= 0
        assert cost[columns[there]] == pytest.approx(usd[there], rel=1e-12)
    assert np.array_equal(model.balance >= 0, data.balance_on)
    assert np.array_equal(model.capacity >= 0, data.room_on)
    assert cost[model.base].sum() == pytest.approx(data.fixed_usd)


@pytest.mark.parametrize("rival", ["pyomo", "linopy"])
def test_a_rival_has_the_same_relaxation(rival: str, posed: Posed) -> None:
    """Where the rival is installed; it is not among the packages of the checks."""
    pytest.importorskip(rival)
    import importlib
    from dataclasses import replace

    from ashore.plans.solver import Limits, run

    module: Any = importlib.import_module(f"benchmarks.rival_{rival}")
    whole = np.zeros(posed.arrays.columns, dtype=bool)
    expected = run(replace(posed.arrays, integer=whole), Limits()).objective
    found = module.solve(module.load(module.make(rival_data.data_of(posed), False)), 0.0, None)
    assert found.objective == pytest.approx(expected, rel=1e-6)
