"""Decisions on sites beside opening: modules, laying up, restarting and closing; by hand and formulated again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import tiny_network
from tests.second_formulation import Reference
from tests.test_benders import both
from tests.toy import (
    DEMAND,
    LANES,
    PLANTS,
    START,
    book,
    duty,
    month,
    random_case,
    rows,
    simple,
    ties,
    tree,
    under,
)

from ashore import network, plans
from ashore.dates import month_date
from ashore.errors import FaultyInput, Infeasible
from ashore.plans import Futures
from ashore.plans.decode import STEPS
from ashore.report.text_costs import text_of_plan

PENANG = ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 10)


def wanted(*units: float, lost_usd: float | None = 1000) -> Any:
    return rows(DEMAND, *[("texas", "rig", t, amount, None, lost_usd) for t, amount in enumerate(units)])


def site(*plant: Any, **more: Any) -> dict[str, Any]:
    return rows(PLANTS, plant)[0] | more


def steps(plan: plans.Plan) -> list[tuple[Any, ...]]:
    return plan.steps.select("plant", "step", "node", "month", "ready", "modules").rows()


# -- modules ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("module", "expected", "extra"),
    [
        ({"module_usd": 300, "module_month": 10}, [("penang", "expand", "law", 0, 2, 1)], 300),
        ({"module_usd": 140, "module_month": 5}, [("penang", "expand", "law", 0, 2, 2)], 2 * 140),
        ({"module_usd": 500, "module_month": 10}, [("dallas", "open", "law", 0, 2, None)], 450),
        # three months of fixed cost make 300 dearer than the second plant at 450
        (
            {"module_usd": 300, "module_month": 10, "module_fixed_usd_month": 51},
            [("dallas", "open", "law", 0, 2, None)],
            450,
        ),
        (
            {"module_usd": 300, "module_month": 10, "module_fixed_usd_month": 49},
            [("penang", "expand", "law", 0, 2, 1)],
            300 + 3 * 49,
        ),
    ],
)
def test_more_modules_or_a_second_plant(module: dict[str, Any], expected: list[Any], extra: float) -> None:
    """Demand of 10 doubles in month 2: either 10 more at Penang, or a plant in Dallas for 450; both take two months."""
    case = simple(
        wanted(10, 10, 20, 20, 20),
        plants=[
            site(*PENANG, modules=2, module_lead_months=2, **module),
            site("dallas", "Acme", "US", "no", 450, 0, 2, 0, 10),
        ],
    )
    plan = plans.solve(case, book(), START, 5)
    assert steps(plan) == expected
    assert plan.cost_usd == pytest.approx(80 * 11 + extra)
    assert plan.open["plant"].to_list() == [row[0] for row in expected if row[1] == "open"]
    ties(plan)


def test_modules_come_one_by_one_and_are_paid_when_ordered() -> None:
    case = simple(
        wanted(10, 15, 20),
        discount_year=0.1,
        hold_usd_month=1000,
        plants=[site(*PENANG, module_month=5, module_usd=100, modules=3, module_lead_months=0)],
    )
    plan = plans.solve(case, book(), START, 3)
    assert steps(plan) == [("penang", "expand", "law", 1, 1, 1), ("penang", "expand", "law", 2, 2, 1)]
    factor = 1.1 ** (-1 / 12)
    assert plan.cost_usd == pytest.approx(110 + (165 + 100) * factor + (220 + 100) * factor**2)
    ties(plan)


def test_a_module_takes_the_lead_time_of_its_plant_unless_it_has_its_own_and_never_comes_before_it() -> None:
    plant = site("dallas", "Acme", "US", "no", 50, 0, 3, 0, 10, module_month=10, module_usd=1, modules=1)
    waiting = plans.solve(simple(wanted(*[20] * 6), plants=[plant]), book(), START, 6)
    assert steps(waiting) == [("dallas", "open", "law", 0, 3, None), ("dallas", "expand", "law", 0, 3, 1)]
    fast = plans.solve(simple(wanted(*[20] * 6), plants=[plant | {"module_lead_months": 1}]), book(), START, 6)
    assert steps(fast) == [("dallas", "open", "law", 0, 3, None), ("dallas", "expand", "law", 2, 3, 1)]
    slow = plans.solve(simple(wanted(*[20] * 6), plants=[plant | {"module_lead_months": 5}]), book(), START, 6)
    assert steps(slow) == [("dallas", "open", "law", 0, 3, None), ("dallas", "expand", "law", 0, 5, 1)]
    for plan, made in ((waiting, 60), (fast, 60), (slow, 40)):
        assert plan.make["units"].sum() == pytest.approx(made)


def test_modules_before_the_branch_is_known() -> None:
    """As good as certain to pay over the two branches: 100 against half a chance of losing 10 units at 30."""
    case = simple(
        wanted(10, lost_usd=30),
        cost=0,
        plants=[site(*PENANG[:-1], 0, module_month=10, module_usd=100, modules=1)],
    )
    law = book()
    futures = tree(
        law,
        ("root", None, START, 1, law),
        ("some", "root", START, 0.5, law),
        ("none", "root", START, 0.5, law),
        demand=[("none", "texas", "rig", 0, 0)],
    )
    for method in ("extensive", "benders"):
        plan = plans.solve(case, law, START, 1, futures, method=method)
        assert steps(plan) == [("penang", "expand", "root", 0, 0, 1)]
        assert plan.cost_usd == pytest.approx(100 + 0.5 * 10)
        ties(plan)
    assert plans.options(plan).evpi_usd == pytest.approx(0.5 * 100)


def test_demand_beyond_all_modules_says_what_may_be_added() -> None:
    plant = site(*PENANG, module_month=5, module_usd=1, modules=2, module_lead_months=1)
    with pytest.raises(Infeasible) as error:
        plans.solve(simple(wanted(10, 21, lost_usd=None), plants=[plant]), book(), START, 2)
    assert "short of 1 units" in str(error.value)
    assert "the capacity of penang, 10 a month and 2 modules of 5 at most, ready after 1" in str(error.value)
    nothing = plant | {"capacity_month": 0}
    with pytest.raises(Infeasible, match=r"in month 0 cannot be met: the first rig can be there in month 1"):
        plans.solve(simple(wanted(10, 10, lost_usd=None), plants=[nothing]), book(), START, 2)


# -- laying up and restarting -----------------------------------------------------------------------------------------
REST = {"mothball_usd": 50, "idle_usd_month": 20, "restart_usd": 60}


def slump(**more: Any) -> tuple[network.Network, Futures]:
    """Ten units a month for 11 each in a plant that has room for no more; for months 2 to 4 of one branch none."""
    plant = site("penang", "Acme", "MY", "yes", 0, 100, 0, 0, 10, **more)
    case = simple(wanted(*[10] * 8), plants=[plant], hold_usd_month=1000)
    law = book()
    nodes = [
        ("now", None, START, 1.0, law),
        ("fine", "now", month(2), 0.5, law),
        ("slump", "now", month(2), 0.5, law),
        ("again", "slump", month(5), 1.0, law),
    ]
    return case, tree(law, *nodes, demand=[("slump", "texas", "rig", None, 0)])


@pytest.mark.parametrize("method", ["extensive", "benders"])
def test_laid_up_through_a_bad_branch_and_restarted(method: str) -> None:
    case, futures = slump(**REST)
    plan = plans.solve(case, futures.nodes[0].book, START, 8, futures, method=method)
    assert steps(plan) == [
        ("penang", "mothball", "slump", 2, 2, None),
        ("penang", "restart", "again", 5, 5, None),
    ]
    assert plan.steps["chance"].to_list() == [0.5, 0.5]
    month_usd = 100 + 110
    assert plan.cost_usd == pytest.approx(
        2 * month_usd + 0.5 * 6 * month_usd + 0.5 * (50 + 3 * 20 + 60 + 3 * month_usd)
    )
    paid = dict(plan.ledger.group_by("item").agg((pl.col("cents") * pl.col("chance")).sum() / 100).rows())
    assert paid["mothballing"] == 25
    assert paid["idle"] == 30
    assert paid["restart"] == 30
    assert paid["fixed"] == 2 * 100 + 0.5 * 6 * 100 + 0.5 * 3 * 100
    ties(plan)


def test_it_stays_on_where_laying_up_costs_more_than_three_months() -> None:
    for more, laid in (({"restart_usd": 189}, True), ({"restart_usd": 191}, False)):
        case, futures = slump(**(REST | more))
        plan = plans.solve(case, futures.nodes[0].book, START, 8, futures)
        assert bool(steps(plan)) == laid


def test_a_plant_laid_up_makes_nothing_neither_do_its_modules() -> None:
    """All of it rests in month 1, and 5 + 5 units for month 1 come from stock at 1 each or not at all."""
    case = simple(
        wanted(10, 1, 20),
        plants=[
            site(
                "penang", "Acme", "MY", "yes", 0, 100, 0, 0, 10,
                **(REST | {"mothball_usd": 5, "restart_usd": 5}),
                module_month=10, module_usd=3, modules=1, module_lead_months=0, module_fixed_usd_month=30,
            )
        ],
    )  # fmt: skip
    plan = plans.solve(case, book(), START, 3)
    made = dict(plan.make.select("month", "units").rows())
    assert made == pytest.approx({0: 11, 2: 20})
    # month 0: a module for one unit more, kept for month 1 at 1; its fixed cost rests with the plant
    assert plan.cost_usd == pytest.approx(31 * 11 + 1 + 3 + 2 * 130 + 5 + 20 + 5)
    ties(plan)


# -- closing ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("close_usd", "closes"), [(150, True), (699, True), (701, False)])
def test_closed_when_demand_leaves(close_usd: float, closes: bool) -> None:
    plant = site("penang", "Acme", "MY", "yes", 0, 100, 0, 0, 10, close_usd=close_usd)
    law = book()
    futures = tree(
        law,
        ("now", None, START, 1, law),
        ("stay", "now", month(3), 0.25, law),
        ("gone", "now", month(3), 0.75, law),
        demand=[("gone", "texas", "rig", None, 0)],
    )
    plan, _ = both(simple(wanted(*[10] * 10), plants=[plant]), law, START, 10, futures)
    assert steps(plan) == ([("penang", "close", "gone", 3, 3, None)] if closes else [])
    gone = close_usd if closes else 7 * 100
    assert plan.cost_usd == pytest.approx(3 * 210 + 0.25 * 7 * 210 + 0.75 * gone)


def test_a_plant_nobody_needs_is_closed_at_once_and_a_closed_one_stays_so() -> None:
    case = simple(
        wanted(0, 0, 10, lost_usd=70),
        plants=[
            site("penang", "Acme", "MY", "yes", 0, 50, 0, 0, 10),
            site("old", "Acme", "CA", "yes", 0, 100, 0, 0, 10, close_usd=30),
            site("laid", "Acme", "CA", "yes", 0, 100, 0, 0, 10, mothball_usd=10, idle_usd_month=5, restart_usd=0),
        ],
        lanes=rows(LANES, ("MY", "US", "air", 0, 1, 0)),
        hold_usd_month=1000,
    )
    plan = plans.solve(case, book(), START, 3)
    assert steps(plan) == [("laid", "mothball", "law", 0, 0, None), ("old", "close", "law", 0, 0, None)]
    assert plan.cost_usd == pytest.approx(3 * 50 + 110 + 30 + 10 + 3 * 5)
    shut = replace(
        case, plants={"old": case.plants["old"]}, makes={k: m for k, m in case.makes.items() if k[0] == "old"}
    )
    lanes = tuple(replace(lane, origin_end="CA") for lane in case.lanes)
    alone = plans.solve(replace(shut, lanes=lanes), book(), START, 3)
    assert steps(alone) == [], "closing and opening again is not possible, and 700 for lost demand is more than 300"
    assert alone.cost_usd == pytest.approx(3 * 100 + 110)


def test_a_candidate_opens_for_a_while_and_closes() -> None:
    plant = site("dallas", "Acme", "US", "no", 100, 40, 1, 0, 10, close_usd=20)
    plan = plans.solve(simple(wanted(0, 10, 10, 0, 0, 0), plants=[plant]), book(), START, 6)
    assert steps(plan) == [("dallas", "open", "law", 0, 1, None), ("dallas", "close", "law", 3, 3, None)]
    assert plan.cost_usd == pytest.approx(100 + 2 * 40 + 220 + 20)


# -- the same decisions, formulated again -----------------------------------------------------------------------------
class Strategic(Reference):
    """Sites as machines that go from state to state, slot by slot; modules as impulses like openings."""

    GOES = (("on", "on"), ("on", "idle"), ("on", "closed"), ("idle", "idle"), ("idle", "on"), ("idle", "closed"),
            ("closed", "closed"), ("new", "on"), ("new", "idle"), ("new", "closed"))  # fmt: skip

    def _plants(self, slot: Any, origins: Any) -> None:
        for name, plant in self.net.plants.items():
            room = ("room", name, slot)
            self.sides[room] = (-np.inf, plant.capacity_month if plant.open else 0.0)
            self.entries.setdefault(room, {})
            for make in self.net.makes.values():
                if make.plant == name:
                    self._make(make, slot, room, origins)
            if not plant.open:
                self._openings(name, replace(plant, fixed_usd_month=0.0), slot, room)
            self._goes(name, plant, slot)
            self._modules(name, plant, slot, room)

    def _goes(self, name: str, plant: Any, slot: Any) -> None:
        """What was in a state leaves it for one; what is new (ready for the first time) goes to one of three."""
        earlier = self.before(slot, 1)
        usd = {
            ("on", "idle"): plant.mothball_usd, ("new", "idle"): plant.mothball_usd, ("idle", "on"): plant.restart_usd,
            ("on", "closed"): plant.close_usd, ("idle", "closed"): plant.close_usd, ("new", "closed"): plant.close_usd,
        }  # fmt: skip
        for start, end in self.GOES:
            can = (end != "idle" or plant.rests) and (end != "closed" or plant.closes)
            if earlier is None and not plant.open and start != "new":
                can = False
            key = ("goes", name, start, end, slot)
            self.col(key, 1.0 if can else 0.0, True)
            self.pay(key, *slot, usd.get((start, end)) or 0.0)
            self.pay(key, *slot, {"on": plant.fixed_usd_month, "idle": plant.idle_usd_month or 0.0}.get(end, 0.0))
            self.sides["left", name, start, slot] = (0.0, 0.0)
            self.add(("left", name, start, slot), key, 1)
        for start, end in self.GOES if earlier else ():
            self.add(("left", name, end, slot), ("goes", name, start, end, earlier), -1)
        if earlier is None and plant.open:
            self.sides["left", name, "on", slot] = (1.0, 1.0)
        order = self.before(slot, plant.lead_months)
        if not plant.open and ("open", name, order) in self.columns:
            self.add(("left", name, "new", slot), ("open", name, order), -1)
        most = plant.capacity_month + plant.most_modules_month
        runs = ("runs", name, slot)
        self.sides[runs] = (-np.inf, 0.0)
        self.entries.setdefault(runs, {})
        for key, j in self.columns.items():
            if key[0] == "make" and key[1] == name and key[-1] == slot:
                self.entries[runs][j] = self.net.makes[name, key[2]].capacity_use
        for start, end in self.GOES:
            if end == "on":
                self.add(runs, ("goes", name, start, end, slot), -most)

    def _modules(self, name: str, plant: Any, slot: Any, room: Any) -> None:
        """A module for each impulse at least as old as its lead time; no more than M; none before its plant."""
        if not plant.modules:
            return
        node, t = slot
        key, fixed = ("module", name, slot), ("module fixed", name, slot)
        if t + plant.module_lead < self.months:
            self.col(key, plant.modules, True)
            self.pay(key, node, t, plant.module_usd)
        self.col(fixed)
        self.pay(fixed, node, t, plant.module_fixed_usd_month or 0.0)
        self.sides["fitted", name, slot] = (-plant.modules, np.inf)
        self.add(("fitted", name, slot), fixed, 1)
        for start, end in self.GOES:
            if end == "on":
                self.add(("fitted", name, slot), ("goes", name, start, end, slot), -plant.modules)
        self.sides["most", name, slot] = (-np.inf, plant.modules if plant.open else 0.0)
        self.entries.setdefault(("most", name, slot), {})
        for lag in range(t + 1):
            order = self.before(slot, lag)
            if ("module", name, order) in self.columns:
                self.add(("most", name, slot), ("module", name, order), 1)
                if lag >= plant.module_lead:
                    self.add(room, ("module", name, order), -plant.module_month)
                    self.add(("fitted", name, slot), ("module", name, order), -1)
            ready_by_then = lag + plant.module_lead >= plant.lead_months
            if not plant.open and ready_by_then and ("open", name, order) in self.columns:
                self.add(("most", name, slot), ("open", name, order), -plant.modules)


def strategic_case(seed: int) -> tuple[network.Network, Futures, int, Any]:
    """The random case with something more possible at each of its plants."""
    case, futures, months, rate = random_case(seed)
    rng = np.random.default_rng(1000 + seed)
    found = {}
    for name, plant in case.plants.items():
        more: dict[str, Any] = {"capacity_month": float(rng.integers(0, 20))}
        if rng.random() < 0.7:
            more |= {
                "module_month": float(rng.integers(3, 15)),
                "module_usd": float(rng.integers(5, 400)),
                "modules": int(rng.integers(1, 4)),
                "module_lead_months": [None, 0, 1, 2][int(rng.integers(0, 4))],
                "module_fixed_usd_month": [None, float(rng.integers(0, 60))][int(rng.integers(0, 2))],
            }
        if rng.random() < 0.6:
            more |= {
                "mothball_usd": float(rng.integers(0, 30)),
                "idle_usd_month": float(rng.integers(0, 20)),
                "restart_usd": float(rng.integers(0, 30)),
            }
        if rng.random() < 0.6:
            more |= {"close_usd": float(rng.integers(0, 80))}
        fixed = float(rng.integers(0, 200))
        found[name] = replace(plant, fixed_usd_month=fixed, open_usd=plant.open_usd / 3, **more)
    return replace(case, plants=found), futures, months, rate


@pytest.mark.parametrize("seed", range(20))
def test_a_second_formulation_of_the_decisions_has_the_same_optimum(seed: int) -> None:
    case, futures, months, rate = strategic_case(seed)
    risk = (0.0, 0.0, 0.4, 1.0)[seed % 4]
    plan = plans.solve(case, futures.nodes[0].book, START, months, futures, risk=risk, tail=0.5, gap=1e-9)
    ties(plan)
    expected = Strategic(case, futures, months, rate).optimum(risk, 0.5)
    assert plan.objective_usd == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 7, 8, 10, 11, 12, 15, 16, 19])
def test_both_methods_agree(seed: int) -> None:
    case, futures, months, _ = strategic_case(seed)
    both(case, futures.nodes[0].book, START, months, futures, risk=(0.0, 0.0, 0.4, 1.0)[seed % 4], tail=0.5)


@pytest.mark.parametrize("seed", [1, 12, 15])
def test_where_branches_are_not_proven_best_the_bound_is_true(seed: int) -> None:
    case, futures, months, _ = strategic_case(seed)
    asked = (case, futures.nodes[0].book, START, months, futures)
    risk = (0.0, 0.0, 0.4, 1.0)[seed % 4]
    whole, apart = (plans.solve(*asked, method=m, gap=1e-6, risk=risk, tail=0.5) for m in ("extensive", "benders"))
    assert apart.bound_usd <= whole.objective_usd * (1 + 1e-6) <= apart.objective_usd * (1 + 2e-6)
    assert apart.gap < 0.05
    ties(apart)


@pytest.mark.parametrize("seed", [0, 4, 5, 8, 16])
def test_a_tree_built_branch_by_branch_decides_the_same(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    case, futures, months, _ = strategic_case(seed)
    asked = (case, futures.nodes[0].book, START, months, futures)
    whole = plans.solve(*asked, method="benders", gap=1e-8)
    monkeypatch.setattr("ashore.plans.plan.HUGE", 0)
    apart = plans.solve(*asked, gap=1e-8)
    assert apart.posed is None
    assert apart.objective_usd == pytest.approx(whole.objective_usd, rel=1e-6)
    spent = (pl.col("cents") * pl.col("chance") * pl.col("factor")).sum() / 100
    assert apart.ledger.select(spent).item() == pytest.approx(apart.cost_usd, abs=0.05)
    assert set(apart.steps["node"]) <= {node.name for node in futures.nodes}
    assert apart.steps.filter(pl.col("step") == "open").height == apart.open.height


def test_the_random_cases_take_every_step() -> None:
    seen: set[str] = set()
    for seed in (0, 6, 7):
        case, futures, months, _ = strategic_case(seed)
        risk = (0.0, 0.0, 0.4, 1.0)[seed % 4]
        plan = plans.solve(case, futures.nodes[0].book, START, months, futures, risk=risk, tail=0.5)
        seen |= set(plan.steps["step"])
    assert seen == set(STEPS)


# -- what holds of every case -----------------------------------------------------------------------------------------
MODULES = ("module_month", "module_usd", "modules", "module_lead_months", "module_fixed_usd_month")
RESTING = ("mothball_usd", "idle_usd_month", "restart_usd")
POSSIBILITIES = (MODULES, RESTING, ("close_usd",))


def changed(case: network.Network, **figures: Any) -> network.Network:
    """The network with other figures of its plants, where they are given at all."""
    found = {
        name: replace(plant, **{k: v for k, v in figures.items() if v is None or getattr(plant, k) is not None})
        for name, plant in case.plants.items()
    }
    return replace(case, plants=found)


def cost(case: network.Network, futures: Futures, months: int) -> float:
    return plans.solve(case, futures.nodes[0].book, START, months, futures, gap=1e-9).objective_usd


@settings(max_examples=12, deadline=None)
@given(st.integers(100, 10**6), st.sampled_from(POSSIBILITIES))
def test_a_new_possibility_never_raises_the_cost(seed: int, columns: tuple[str, ...]) -> None:
    case, futures, months, _ = strategic_case(seed)
    without = changed(case, **dict.fromkeys(columns))
    assert cost(case, futures, months) <= cost(without, futures, months) * (1 + 1e-8) + 1e-6


@settings(max_examples=12, deadline=None)
@given(
    st.integers(100, 10**6),
    st.sampled_from([("module_usd", MODULES), ("mothball_usd", RESTING), ("close_usd", ("close_usd",))]),
)
def test_a_possibility_at_a_price_nobody_pays_changes_nothing(seed: int, what: tuple[str, tuple[str, ...]]) -> None:
    case, futures, months, _ = strategic_case(seed)
    column, columns = what
    dear, without = changed(case, **{column: 1e6}), changed(case, **dict.fromkeys(columns))
    assert cost(dear, futures, months) == pytest.approx(cost(without, futures, months), rel=1e-7, abs=1e-6)


def test_blank_columns_make_the_model_they_always_made() -> None:
    """Figures left out, blank and no module at all: the same arrays, with a column for each opening and each plant."""
    case, futures, months, _ = random_case(1)
    law = futures.nodes[0].book
    posed = plans.pose(case, law, START, months, futures)
    sites, arrays = posed.model.sites, posed.arrays
    decisions = int((sites.opened >= 0).sum())
    assert int(arrays.integer.sum()) == decisions > 0
    blocks = (posed.model.make, posed.model.move, posed.model.stock, posed.model.blend, posed.model.lost)
    assert arrays.columns == sum(int((block >= 0).sum()) for block in blocks) + decisions + len(sites.base)
    tied = int(((sites.opened >= 0) & (sites.earlier(sites.opened) >= 0)).sum())
    own = (posed.model.balance, posed.model.capacity, posed.model.limit)
    most = sum(int((block >= 0).sum()) for block in own) + tied
    links = len(sites.plants) * len(posed.model.wants) * len(posed.calendar.leaves)
    assert most <= arrays.rows <= most + links
    none = {"module_month": 5.0, "module_usd": 1.0, "modules": 0}
    empty = replace(case, plants={name: replace(plant, **none) for name, plant in case.plants.items()})
    other = plans.pose(empty, law, START, months, futures).arrays
    for field in ("cost", "col_upper", "row_lower", "row_upper", "start", "index", "value", "integer", "col_group"):
        assert np.array_equal(getattr(arrays, field), getattr(other, field))


@pytest.mark.parametrize("seed", range(4))
def test_moments_before_are_those_of_the_slots_before(seed: int) -> None:
    law = book()
    rng = np.random.default_rng(seed)
    nodes: list[Any] = [("root", None, START, 1.0, law)]
    for k in range(8):
        parent = nodes[int(rng.integers(0, len(nodes)))]
        if sum(node[1] == parent[0] for node in nodes):
            continue
        start = month_date(parent[2], int(rng.integers(0, 3)))
        nodes += [(f"{k}a", parent[0], start, 0.5, law), (f"{k}b", parent[0], start, 0.5, law)]
    cal = plans.calendar.lay_out(tree(law, *nodes), START, 30, 0.0)
    for lag in (0, 1, 2, 7):
        before = cal.ancestor(lag)
        expected = np.where(before >= 0, cal.moment[before], -1)
        assert np.array_equal(cal.moment_before(lag)[cal.moment], expected)


# -- questions asked of a plan ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [0, 4, 7, 19])
def test_options_of_plans_with_more_decisions(seed: int) -> None:
    case, futures, months, _ = strategic_case(seed)
    law = futures.nodes[0].book
    plan = plans.solve(case, law, START, months, futures, gap=1e-8)
    worth = plans.options(plan)
    assert worth.evpi_usd >= 0
    assert worth.vss_usd is None or worth.vss_usd >= 0
    values = dict(worth.options)
    assert set(values) == {name for name, plant in case.plants.items() if not plant.open}
    for name, value in values.items():
        dear = case.plants | {name: replace(case.plants[name], open_usd=1e7)}
        without = plans.solve(replace(case, plants=dear), law, START, months, futures, gap=1e-8)
        assert value == pytest.approx(
            without.objective_usd - plan.objective_usd, rel=1e-6, abs=2e-6 * plan.objective_usd
        )


def test_the_mean_plan_decides_on_modules_too() -> None:
    """At the mean duty of 50 a unit a module for 450 pays over 10 units; where duty is 0 or 100 it should wait."""
    case = simple(
        rows(DEMAND, ("texas", "rig", 2, 10, None, None)),
        plants=[
            site("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99),
            site("dallas", "Acme", "US", "yes", 0, 0, 0, 0, 0, module_month=10, module_usd=450, modules=1)
            | {"module_lead_months": 1},
        ],
        hold_usd_month=1000,
    )
    law = book()
    high = under(law, duty(1.0), since=month(1))
    futures = tree(
        law, ("now", None, START, 1, law), ("high", "now", month(1), 0.5, high), ("low", "now", month(1), 0.5, law)
    )
    plan = plans.solve(case, law, START, 3, futures)
    assert steps(plan) == [("dallas", "expand", "high", 1, 2, 1)]
    assert plan.cost_usd == pytest.approx(110 + 0.5 * 450)
    assert plans.options(plan).vss_usd == pytest.approx(0.5 * 450)


def test_the_breakeven_of_a_plant_that_can_expand() -> None:
    """For 2500 it makes 5 a month and for 500 more 10: r·100·10·12 = 3000 comes before r·100·5·12 = 2500."""
    case = simple(
        rows(DEMAND, ("texas", "rig", None, 10, None, None)),
        plants=[
            site("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99),
            site("dallas", "Acme", "US", "no", 2500, 0, 0, 0, 5, module_month=5, module_usd=500, modules=3),
        ],
    )
    found = plans.breakeven_rate(case, book(duty(0.1)), START, 12, "dallas", tol=1e-4)
    assert found.rate == pytest.approx(3000 / (100 * 10 * 12), abs=1e-4)
    alone = changed(case, **dict.fromkeys(MODULES))
    found = plans.breakeven_rate(alone, book(duty(0.1)), START, 12, "dallas", tol=1e-4)
    assert found.rate == pytest.approx(2500 / (100 * 5 * 12), abs=1e-4)


# -- files and words --------------------------------------------------------------------------------------------------
def with_columns(header: str, penang: str, texas: str) -> Any:
    def written(text: str) -> str:
        lines = text.splitlines()
        ends = (header, penang, texas)
        return "".join(f"{line},{end}\n" for line, end in zip(lines, ends, strict=True))

    return written


def test_the_columns_are_read(tmp_path: Path) -> None:
    header = "module_month,module_usd,modules,module_lead_months,module_fixed_usd_month,mothball_usd,idle_usd_month"
    plants = with_columns(f"{header},restart_usd,close_usd", "500,90000,2,3,100,1,2,3,4", ",,,,,,,,")
    found = network.load(tiny_network(tmp_path / "more", plants=plants)).plants
    penang, texas = found["Penang"], found["Texas"]
    assert (penang.module_month, penang.module_usd, penang.modules) == (500, 90000, 2)
    assert (penang.module_lead, penang.module_fixed_usd_month, penang.most_modules_month) == (3, 100, 1000)
    assert (penang.mothball_usd, penang.idle_usd_month, penang.restart_usd, penang.close_usd) == (1, 2, 3, 4)
    assert penang.rests
    assert penang.closes
    assert texas == network.load(tiny_network(tmp_path / "plain")).plants["Texas"]
    assert (texas.modules, texas.module_lead, texas.rests, texas.closes) == (None, 6, False, False)


@pytest.mark.parametrize(
    ("header", "cells", "column", "what"),
    [
        ("modules", "2", "module_month", "modules is given without module_month and module_usd."),
        ("module_month,module_usd", "5,1", "modules", "module_month is given without modules."),
        ("module_month,modules", "5,1", "module_usd", "module_month is given without module_usd."),
        ("module_lead_months", "2", "module_month", "without module_month and module_usd and modules."),
        ("mothball_usd,restart_usd", "2,3", "idle_usd_month", "mothball_usd is given without idle_usd_month."),
        ("module_month,module_usd,modules", "5,1,101", "modules", "101"),
        ("module_month,module_usd,modules", "0,1,1", "module_month", "0"),
        ("close_usd", "-1", "close_usd", "-1"),
    ],
)
def test_figures_that_do_not_go_together(tmp_path: Path, header: str, cells: str, column: str, what: str) -> None:
    plants = with_columns(header, "," * header.count(","), cells)
    with pytest.raises(FaultyInput) as caught:
        network.load(tiny_network(tmp_path / "wrong", plants=plants))
    (fault,) = caught.value.faults
    assert (fault.where, fault.row, fault.column) == ("plants.csv", 3, column)
    assert what in fault.what
    assert fault.remedy


def test_the_document_and_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    case, futures = slump(**REST, module_month=5, module_usd=1, modules=2, module_lead_months=0)
    plan = plans.solve(
        replace(case, demand=tuple(replace(row, units=20) for row in case.demand)),
        futures.nodes[0].book,
        START,
        8,
        futures,
    )
    document = json.loads(json.dumps(plan.as_dict()))
    assert document["open"] == []
    assert document["steps"][0] == {
        "plant": "penang", "step": "expand", "node": "now", "month": 0, "date": "2026-12-01", "ready": 0, "modules": 2,
        "chance": 1.0,
    }  # fmt: skip
    assert [row["modules"] for row in document["steps"]] == [2, None, None]
    text_of_plan(document)
    said = " ".join(capsys.readouterr().out.split())
    for words in ("2 modules more", "is laid up", "runs again"):
        assert words in said
