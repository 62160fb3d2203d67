"""A model asked again: the same optimum as asked for the first time, whatever the costs, the bounds and the order."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from tests.toy import START, random_case, restricted_pair

from ashore import plans
from ashore.plans import warm
from ashore.plans.posed import Posed, pose
from ashore.plans.solver import Limits, NoPlan, run
from ashore.plans.warm import Warm

EXACT = Limits(1e-9)


def posed(seed: int) -> Posed:
    case, futures, months, _ = random_case(seed)
    return pose(case, futures.nodes[0].book, START, months, futures)


@pytest.mark.parametrize("seed", range(16))
def test_other_costs_and_bounds_find_the_same_optimum_as_a_fresh_solve(seed: int) -> None:
    base, rng = posed(seed).arrays, np.random.default_rng(seed)
    again = Warm(base, EXACT)
    found = again.answer(base)
    assert found.objective == pytest.approx(run(base, EXACT).objective, rel=1e-8)
    for _ in range(5):
        other = replace(base, cost=base.cost * rng.uniform(0.3, 1.7, base.columns))
        shut = base.integer & (rng.random(base.columns) < 0.2)
        other = replace(other, col_upper=np.where(shut, base.col_lower, base.col_upper))
        answer, fresh = again.answer(other), run(other, EXACT)
        assert answer.status == "optimal"
        assert answer.objective == pytest.approx(fresh.objective, rel=1e-8, abs=1e-6)
        assert answer.bound <= fresh.objective + 1e-6 * abs(fresh.objective)
        assert answer.objective == pytest.approx(float(other.cost @ answer.x), rel=1e-9, abs=1e-9)
        assert np.all(answer.x[base.integer] == np.round(answer.x[base.integer]))
        assert np.all((answer.x >= other.col_lower) & (answer.x <= other.col_upper))
    assert again.answer(base).objective == pytest.approx(found.objective, rel=1e-8)


def test_parts_that_did_not_change_are_taken_from_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = plans.pose(restricted_pair(), posed(0).futures.nodes[0].book, START, 6).arrays
    again = Warm(arrays, EXACT)
    first = again.answer(arrays)
    asked: list[int] = []
    solve = warm._Tree.solve
    monkeypatch.setattr(
        warm._Tree, "solve", lambda tree, *args: asked.append(tree.arrays.columns) or solve(tree, *args)
    )
    assert again.answer(arrays, first).objective == first.objective
    assert asked == []
    columns = again.pieces[0][0]
    dearer = arrays.cost.copy()
    dearer[columns] *= 1.1
    second = again.answer(replace(arrays, cost=dearer), first)
    assert asked == [len(columns)]
    assert second.objective == pytest.approx(run(replace(arrays, cost=dearer), EXACT).objective, rel=1e-8)


def test_a_part_that_needs_many_branches_is_left_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = posed(3).arrays
    monkeypatch.setattr(warm, "MOST_NODES", 1)
    monkeypatch.setattr(warm, "MOST_BOXES", 1)
    again = Warm(arrays, EXACT)
    for _ in range(2):
        assert again.answer(arrays).objective == pytest.approx(run(arrays, EXACT).objective, rel=1e-8)


def test_what_cannot_be_is_said_and_forgotten() -> None:
    arrays = posed(1).arrays
    again = Warm(arrays, EXACT)
    nothing = np.where(arrays.integer, arrays.col_upper, np.minimum(arrays.col_upper, 0.0))
    with pytest.raises(NoPlan):
        again.answer(replace(arrays, col_upper=nothing))
    assert again.answer(arrays).objective == pytest.approx(run(arrays, EXACT).objective, rel=1e-8)


def test_a_copy_begins_where_the_first_one_is() -> None:
    arrays = posed(5).arrays
    again = Warm(arrays, EXACT)
    found = again.answer(arrays)
    copy = pickle.loads(pickle.dumps(again))
    assert [len(tree.boxes) for tree in copy.trees] == [len(tree.boxes) for tree in again.trees]
    assert copy.answer(arrays).objective == pytest.approx(found.objective, rel=1e-8)
