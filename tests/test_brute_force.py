"""The planner against brute force: small random cases, stated a second time and solved by trying every policy.

In 200 of them candidates may be opened; in 200 more, plants may be expanded, laid up, restarted and closed besides. A
failure names its case by the seed: ``draw(seed)`` gives its tables. The quick checks take every twentieth case.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.brute_force import BruteForce
from tests.random_networks import Case, draw, shuffled
from tests.restated import Life, Tree, steps_of
from tests.small_book import write_book

from ashore import plans, rules
from ashore.errors import Infeasible
from ashore.plans.decode import STEPS
from ashore.rules import RuleBook

COUNT = 200
QUICK = range(0, COUNT, 20)
SLOW = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(COUNT) if seed not in QUICK]
SEEDS = [*QUICK, *SLOW]
SOME = [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, COUNT, 8) if seed not in QUICK)]


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    return rules.load(write_book(tmp_path_factory.mktemp("book")))


@pytest.fixture(scope="module")
def plan_of(law: RuleBook, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Solves a case, or that of a seed (once), by one method; None if it has no plan."""
    folder = tmp_path_factory.mktemp("cases")

    def solve(case: Case, method: str = "extensive") -> plans.Plan | None:
        try:
            return plans.solve(*case.asked(law, folder), gap=1e-9, risk=case.risk, tail=case.tail, method=method)
        except Infeasible as error:
            said = str(error)
        assert "cannot be met" in said or "is short of" in said
        return None

    @cache
    def drawn(seed: int, method: str) -> plans.Plan | None:
        return solve(draw(seed), method)

    return lambda case, method="extensive": drawn(case, method) if isinstance(case, int) else solve(case, method)


def near(usd: float) -> Any:
    return pytest.approx(usd, rel=1e-6, abs=1e-6)


def lived(plan: plans.Plan, brute: BruteForce) -> dict[str, Life]:
    """The life that each plant has in a plan. Where a branch of chance 0 wastes money, the life most like it."""
    tree = brute.tree
    done: dict[str, set[Any]] = {row["plant"]: set() for row in brute.decided}
    for row in plan.steps.iter_rows(named=True):
        for branch in tree.branches:
            if row["node"] in tree.path(branch):
                done[row["plant"]].add((branch, row["month"], row["step"], row["modules"] or 0))
    ways = zip(brute.decided, brute.choices, strict=True)
    found = {row["plant"]: min(lives, key=lambda life: len(steps_of(life) ^ done[row["plant"]])) for row, lives in ways}
    unlike = {step[0] for plant, life in found.items() for step in steps_of(life) ^ done[plant]}
    assert all(tree.chance[branch] == 0 for branch in unlike)
    return found


# -- the optimum ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("more", [False, True], ids=["opened", "and expanded, laid up and closed"])
def test_the_optimum_is_that_of_brute_force(more: bool, seed: int, plan_of: Any) -> None:
    case = draw(seed, more=more)
    brute = BruteForce(case)
    best = brute.search()
    asked = case if more else seed
    whole, apart = plan_of(asked), plan_of(asked, "benders")
    if best.usd is None:
        assert whole is None
        assert apart is None
        return
    for plan in (whole, apart):
        assert plan.objective_usd == near(best.usd)
        assert plan.bound_usd <= best.usd * (1 + 1e-6)
        assert brute.under(lived(plan, brute)) == near(best.usd)


@pytest.mark.parametrize("seed", QUICK)
@pytest.mark.parametrize("more", [False, True])
def test_no_policy_is_left_out_wrongly(more: bool, seed: int) -> None:
    brute = BruteForce(draw(seed, most_policies=40, more=more))
    best, all_tried = brute.search(), brute.search(prune=False)
    assert all_tried.tried == all_tried.policies
    assert best.usd == (None if all_tried.usd is None else near(all_tried.usd))


def test_the_cases_hold_what_they_are_to_prove() -> None:
    cases = [draw(seed) for seed in range(COUNT)]
    trees = [Tree(case) for case in cases]

    def share(marks: Any) -> float:
        return sum(map(bool, marks)) / COUNT

    def rows(name: str, column: str) -> list[list[Any]]:
        return [[row[column] for row in case.tables[name]] for case in cases]

    assert all(len(case.tables["plants"]) <= 6 and len(case.nodes) <= 7 and case.candidates for case in cases)
    assert share(case.tables["parts"] for case in cases) > 0.5
    assert share("no" in row for row in rows("makes", "confers_origin")) > 0.3
    assert share(any(x == 0 for x in row) for row in rows("makes", "capacity_use")) > 0.1
    assert share(any(x is not None for x in row) for row in rows("makes", "yield")) > 0.3
    assert share(any(x is not None for x in row) for row in rows("supplies", "limit_month")) > 0.3
    assert share(any(x > 0 for x in row) for row in rows("plants", "lead_months")) > 0.5
    assert share(any(x > 0 for x in row) for row in rows("plants", "ramp_months")) > 0.5
    assert share(None in row for row in rows("demand", "lost_usd")) > 0.2
    assert share(case.wanted for case in cases) > 0.2
    assert share(case.risk > 0 for case in cases) > 0.3
    assert share(len(tree.branches) > 1 for tree in trees) > 0.5
    assert share(0 in tree.chance.values() for tree in trees) > 0.1
    assert share(_decides_without_a_month(case, tree) for case, tree in zip(cases, trees, strict=True)) > 0.2


@pytest.mark.slow
def test_the_cases_with_more_to_decide_take_every_step() -> None:
    brutes = [BruteForce(draw(seed, more=True)) for seed in range(0, COUNT, 2)]
    assert sum(max(map(len, brute.choices), default=1) > 100 for brute in brutes) > len(brutes) / 2
    taken = [{step[2] for life in brute.search().lives.values() for step in steps_of(life)} for brute in brutes]
    count = {step: sum(step in steps for steps in taken) for step in STEPS}
    assert count["restart"] >= 1
    assert min(count[step] for step in ("open", "expand", "mothball", "close")) >= 10


def _decides_without_a_month(case: Case, tree: Tree) -> bool:
    holders = {tree.holder(branch, t) for branch in tree.branches for t in tree.months}
    return any(tree.decider(branch, t) not in holders for branch in tree.branches for t in tree.months)


# -- what plans are worth ---------------------------------------------------------------------------------------------
def objective(usd: dict[str, float], chance: dict[str, float], risk: float, tail: float) -> float:
    """(1 − w)·mean + w·CVaR_α of a cost by branch; CVaR is the least η + mean excess over η / (1 − α)."""
    mean = sum(chance[b] * usd[b] for b in usd)
    worst = min(eta + sum(chance[b] * max(0.0, usd[b] - eta) for b in usd) / (1 - tail) for eta in usd.values())
    return (1 - risk) * mean + risk * worst


@pytest.mark.parametrize("seed", SOME)
def test_foresight_and_options_are_worth_what_brute_force_says(seed: int, plan_of: Any) -> None:
    case = draw(seed)
    plan = plan_of(seed)
    if plan is None:
        return
    worth = plans.options(plan)
    brute = BruteForce(case)
    best = brute.search().usd
    assert best is not None
    chance = {branch: p for branch, p in brute.tree.chance.items() if p > 0}
    known = {branch: BruteForce(case.alone(branch)).search().usd for branch in chance}
    dust = 1e-5 * (1 + best)
    assert worth.evpi_usd == pytest.approx(best - objective(known, chance, case.risk, case.tail), abs=dust)
    assert worth.evpi_usd >= 0
    assert worth.vss_usd is None or worth.vss_usd >= 0
    for plant, value in worth.options:
        without = brute.search(without=plant).usd
        assert value == (None if without is None else pytest.approx(without - best, abs=dust))


# -- what must not matter ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_changes_nothing(seed: int, plan_of: Any) -> None:
    plan, turned = plan_of(seed), plan_of(shuffled(draw(seed), np.random.default_rng(seed)))
    assert (plan is None) == (turned is None)
    assert plan is None or turned.objective_usd == near(plan.objective_usd)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_branch_of_chance_0_changes_nothing(seed: int, plan_of: Any) -> None:
    plan, more = plan_of(seed), plan_of(with_a_branch_of_chance_0(draw(seed)), ("extensive", "benders")[seed % 2])
    assert (plan is None) == (more is None)
    assert plan is None or more.objective_usd == near(plan.objective_usd)


def with_a_branch_of_chance_0(case: Case) -> Case:
    """A twin of a node and all below it, of chance 0 and under a law that makes every entry three times as dear."""
    ruin = {"heading": "ruin", "authority": "Nobody", "origins": "*", "products": "*", "kind": "add", "rate": 2.0}
    if len(case.nodes) == 1:
        root = case.nodes[0]
        child = {"id": "calm", "parent": root["id"], "from": root["from"], "chance": 1.0, "changes": []}
        wanted = [{**row, "node": "calm"} for row in case.wanted]
        case = replace(case, nodes=[root, child], wanted=wanted)
    top = case.nodes[-1]["id"] if case.seed % 2 else case.nodes[1]["id"]
    below = {top}
    for _ in case.nodes:
        below |= {node["id"] for node in case.nodes if node.get("parent") in below}
    twins = [
        {**node, "id": f"{node['id']}x", "parent": f"{node['parent']}x"}
        for node in case.nodes
        if node["id"] in below - {top}
    ]
    first = next(node for node in case.nodes if node["id"] == top)
    twins.append({**first, "id": f"{top}x", "chance": 0.0, "changes": [*first["changes"], ruin]})
    wanted = [{**row, "node": f"{row['node']}x"} for row in case.wanted if row["node"] in below]
    return replace(case, nodes=[*case.nodes, *twins], wanted=[*case.wanted, *wanted])


@pytest.mark.parametrize("seed", SOME)
def test_a_plant_that_adds_nothing_is_worth_nothing(seed: int, plan_of: Any) -> None:
    """One that nothing reaches, one that is never ready, and one without room."""
    case = draw(seed)
    plan = plan_of(seed)
    if plan is None:
        return
    like = {"company": "Acme", "open": "no", "open_usd": 0, "fixed_usd_month": 0, "lead_months": 0, "ramp_months": 0}
    useless = [
        {"plant": "adrift", "country": "FR", **like, "capacity_month": 1000},
        {"plant": "late", "country": "US", **like, "lead_months": case.months, "capacity_month": 1000},
        {"plant": "cramped", "country": "US", **like, "capacity_month": 0},
    ]
    make = {"product": "rig", "cost_usd": 0, "customs_value_usd": 1e6, "capacity_use": 1, "confers_origin": "yes"}
    makes = [{"plant": row["plant"], **make, "yield": None} for row in useless]
    wider = case.with_table("plants", [*case.tables["plants"], *useless])
    wider = wider.with_table("makes", [*case.tables["makes"], *makes])
    found = plan_of(wider)
    assert found.objective_usd == near(plan.objective_usd)
    values = dict(plans.options(found).options)
    assert [values[row["plant"]] for row in useless] == [0, 0, 0]
