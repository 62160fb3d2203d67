"""What explains a plan: its rows are those of the plan and of its ledger, and the figures show no others."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import tiny_network
from tests.toy import DEMAND, PLANTS, START, book, duty, month, random_case, rows, simple, tree, under

from ashore import network, plans
from ashore.report import pictures_plan, views_plan
from ashore.report.figures import svg
from ashore.report.figures.bridge import decimals
from ashore.report.figures.tree import PLOT

SEEDS = range(8)


def solved(seed: int) -> tuple[plans.Plan, plans.Plan, network.Network]:
    """A plan over a tree, the one under the law of its first node, and their network."""
    case, futures, months, _ = random_case(seed)
    nodes = tuple(replace(node, book=under(node.book, duty(0.1, ["MY", "CN"], "8543"))) for node in futures.nodes)
    futures = replace(futures, nodes=nodes)
    plan = plans.solve(case, nodes[0].book, START, months, futures, gap=1e-9)
    return plan, plans.solve(case, nodes[0].book, START, months, gap=1e-9), case


def view_of(seed: int) -> tuple[dict[str, Any], plans.Plan, plans.Plan]:
    plan, held, case = solved(seed)
    return views_plan.explained(plan, "the tree", held, case), plan, held


def path(plan: plans.Plan, leaf: str) -> list[str]:
    above = dict(plan.node_costs.select("node", "parent").rows())
    found = [leaf]
    while above[found[-1]] is not None:
        found.append(above[found[-1]])
    return found


# -- rows -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", SEEDS)
def test_the_tree_has_every_node_and_every_decision(seed: int) -> None:
    view, plan, _ = view_of(seed)
    keys = ("plant", "step", "modules", "month", "ready")
    said = Counter((node["node"], *(row[key] for key in keys)) for node in view["nodes"] for row in node["decisions"])
    assert said == Counter(plan.steps.select("node", *keys).rows())
    assert [(n["node"], n["parent"]) for n in view["nodes"]] == plan.node_costs.select("node", "parent").rows()
    ends = {node["node"]: node for node in view["nodes"] if node["leaf"]}
    assert sum(node["chance"] for node in ends.values()) == pytest.approx(1)
    for name, usd in plan.branches.select("node", "cost_usd").rows():
        assert ends[name]["path_usd"] == pytest.approx(usd)
    assert view["left_out"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_units_made_are_shipped_units_shipped_arrive_and_units_delivered_are_sold_or_kept(seed: int) -> None:
    view, plan, _ = view_of(seed)
    for branch in view["branches"]:
        by: dict[str, dict[str, list[float]]] = defaultdict(dict)
        for row in view["flows"]:
            if row["branch"] == branch["node"]:
                by[row["stage"]][row["origin"]] = row["units"]
        assert set(by["made"]) == set(by["shipped"]) == set(by["delivered"])
        for origin, made in by["made"].items():
            shipped, delivered = by["shipped"][origin], by["delivered"][origin]
            assert sum(made) == pytest.approx(sum(shipped))  # what is made and not shipped costs and brings nothing
            assert sum(shipped) == pytest.approx(sum(delivered))
            for early, late in ((made, shipped), (shipped, delivered)):
                for one, other in zip(accumulate(early), accumulate(late), strict=True):
                    assert one >= other - 1e-3
        nodes, market = path(plan, branch["node"]), set(plan.served["market"])
        served = plan.served.filter(plan.served["node"].is_in(nodes))
        kept = plan.stock.filter(
            plan.stock["node"].is_in(nodes)
            & plan.stock["place"].is_in(list(market))
            & (plan.stock["product"] == "rig")
            & (plan.stock["month"] == plan.months - 1)
        )
        total = sum(map(sum, by["delivered"].values()))
        assert total == pytest.approx(served["units"].sum() + kept["units"].sum(), abs=1e-2)
        assert total > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_duty_month_by_month_is_the_ledgers(seed: int) -> None:
    view, plan, _ = view_of(seed)
    factor = dict(plan.ledger.select("month", "factor").unique().rows())
    expected = 0.0
    for branch in view["branches"]:
        rows_ = [row for row in view["duty"] if row["branch"] == branch["node"]]
        owed: Counter[tuple[str, str, int]] = Counter()
        for entry in plan.ledger.filter(plan.ledger["node"].is_in(path(plan, branch["node"]))).to_dicts():
            if entry["item"] == "duty":
                owed[entry["heading"], entry["authority"], entry["month"]] += entry["cents"]
        said = {
            (row["heading"], row["authority"], m): round(100 * usd)
            for row in rows_
            for m, usd in enumerate(row["usd"])
            if usd
        }
        assert said == {key: cents for key, cents in owed.items() if cents}
        expected += branch["chance"] * sum(usd * factor[m] for row in rows_ for m, usd in enumerate(row["usd"]) if usd)
    assert expected == pytest.approx(plan.duty_usd, abs=0.01)
    assert seed != 0 or expected > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_bridges_lead_from_one_total_to_the_other(seed: int) -> None:
    view, plan, held = view_of(seed)
    costs = dict(plan.branches.select("node", "cost_usd").rows())
    cheapest = min(costs, key=lambda name: costs[name])
    first, *rest = view["bridges"]
    assert (first["from_usd"], first["to_usd"]) == (
        pytest.approx(held.cost_usd, abs=0.01),
        pytest.approx(plan.cost_usd, abs=0.01),
    )
    assert {bridge["to"] for bridge in rest} == set(costs) - {cheapest}
    for bridge in rest:
        assert bridge["from"] == cheapest
        assert bridge["from_usd"] == pytest.approx(costs[cheapest], abs=0.01)
        assert bridge["to_usd"] == pytest.approx(costs[bridge["to"]], abs=0.01)
    for bridge in view["bridges"]:
        lines = sum(row["usd"] for row in bridge["lines"])
        assert lines == pytest.approx(bridge["to_usd"] - bridge["from_usd"], abs=0.5 * 12)  # smaller ones are left out
        assert len({row["line"] for row in bridge["lines"]}) == len(bridge["lines"])
        shown = pictures_plan.bridge_lines(bridge)
        assert sum(row["usd"] for row in shown) == pytest.approx(lines)


def test_of_many_branches_the_cheapest_the_dearest_and_the_likeliest_are_shown() -> None:
    base = book(duty(0.0, heading="on all"))
    chances = {0.1: 0.05, 0.2: 0.15, 0.3: 0.3, 0.4: 0.1, 0.5: 0.25, 0.6: 0.15}
    nodes = [("now", None, START, 1.0, base)] + [
        (f"at {rate}", "now", month(1), chance, under(base, {"rule": "on all", "rate": rate}, since=month(1)))
        for rate, chance in chances.items()
    ]
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)), hold_usd_month=1000)
    plan = plans.solve(case, base, START, 6, tree(base, *nodes))
    view = views_plan.explained(plan, "many", plan, case)
    assert [branch["node"] for branch in view["branches"]] == ["at 0.1", "at 0.3", "at 0.5", "at 0.6"]
    assert view["left_out"] == 2
    assert len(view["nodes"]) == 7
    assert [bridge["to"] for bridge in view["bridges"]] == ["at 0.3", "at 0.5", "at 0.6"]
    assert "2 branches more not shown" in pictures_plan.duty(view, "m").chart.to_dict()["title"]["subtitle"][0]


# -- figures ----------------------------------------------------------------------------------------------------------
def drawn(spec: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The rows of every layer of a chart, however deep."""

    def below(part: dict[str, Any]) -> list[list[dict[str, Any]]]:
        own = [spec["datasets"][part["data"]["name"]]] if "data" in part else []
        return own + [
            rows_ for key in ("vconcat", "hconcat", "layer") for each in part.get(key, ()) for rows_ in below(each)
        ]

    return below(spec)


NAMES = {"country": "US", "country_names": {"US": "home", "MY": "Malaysia", "CN": "China"}}


@pytest.mark.parametrize("seed", SEEDS)
def test_areas_are_as_high_as_the_units_and_the_duty(seed: int) -> None:
    view, _, _ = view_of(seed)
    for picture, table, value, scale in (
        (pictures_plan.flows(view, NAMES, "m"), view["flows"], "units", 1.0),
        (pictures_plan.duty(view, "m"), view["duty"], "usd", 1e-6),
    ):
        if not table:
            assert picture is None
            continue
        assert picture is not None
        points = [row for rows_ in drawn(picture.chart.to_dict()) for row in rows_ if "low" in row]
        assert all(row["high"] >= row["low"] >= 0 for row in points)
        high = sum(row["high"] - row["low"] for row in points) / 2  # each month has a point at both its ends
        assert high == pytest.approx(scale * sum(sum(row[value]) for row in table))
        kinds = {row["kind"] for row in points}
        assert kinds == (
            {NAMES["country_names"][row["origin"]] for row in table}
            if value == "units"
            else {f"{row['heading']} {row['authority']}" for row in table}
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bars_of_a_bridge_follow_each_other_to_the_difference(seed: int) -> None:
    view, _, _ = view_of(seed)
    picture = pictures_plan.bridges(view, "m")
    apart = [bridge for bridge in view["bridges"] if bridge["lines"]]
    assert (picture is None) == (not apart)
    if picture is None:
        return
    bars = next(rows_ for rows_ in drawn(picture.chart.to_dict()) if rows_ and "fill" in rows_[0])
    for bridge in apart:
        shown = pictures_plan.bridge_lines(bridge)
        mine, bars = bars[: len(shown) + 1], bars[len(shown) + 1 :]
        sums = [0.0, *accumulate(row["usd"] for row in shown)]
        wide = [abs(row["usd"]) for row in shown] + [abs(sums[-1])]
        longest = max(range(len(wide)), key=lambda k: wide[k])
        scale = (mine[longest]["x2"] - mine[longest]["x"]) / wide[longest]
        assert scale > 0
        for bar, usd in zip(mine, wide, strict=True):
            assert bar["x2"] - bar["x"] == pytest.approx(max(1.0, usd * scale), abs=1e-6)
        zero = mine[-1]["x"] if sums[-1] > 0 else mine[-1]["x2"]
        for bar, before, after in zip(mine, sums, sums[1:], strict=False):
            assert bar["x"] == pytest.approx(zero + min(before, after) * scale, abs=1.001)
    assert not bars


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tree_is_drawn_with_a_diamond_for_each_moment_of_decision(seed: int) -> None:
    view, _, _ = view_of(seed)
    layers = drawn(pictures_plan.tree(view, "m").chart.to_dict())
    texts = " ".join(row["text"] for rows_ in layers for row in rows_ if "text" in row)
    moments = {(node["node"], row["month"]) for node in view["nodes"] for row in node["decisions"]}
    marks = [rows_ for rows_ in layers if rows_ and set(rows_[0]) == {"x", "y"}]
    assert sum(map(len, marks)) == len(moments)
    for node in view["nodes"]:
        assert f"{node['node']}, from {node['from'][:7]}" in texts
        for row in node["decisions"]:
            assert row["plant"] in texts
    lines = next(rows_ for rows_ in layers if rows_ and set(rows_[0]) == {"x", "x2", "y"})
    assert len(lines) == len(view["nodes"])
    assert max(row["x2"] for row in lines) == pytest.approx(PLOT)


@pytest.mark.parametrize(
    ("step", "modules", "one", "two"),
    [
        ("open", None, "Ava opens (ready 2026-12)", "Ava and Bo open (ready 2026-12)"),
        ("expand", 2, "Ava gets 2 modules more (ready 2026-12)", "Ava and Bo get 2 modules more (ready 2026-12)"),
        ("mothball", None, "Ava is laid up", "Ava and Bo are laid up"),
        ("restart", None, "Ava runs again", "Ava and Bo run again"),
        ("close", None, "Ava closes", "Ava and Bo close"),
    ],
)
def test_what_is_decided_on_one_plant_and_on_two(step: str, modules: int | None, one: str, two: str) -> None:
    for plants_, said in ((["Ava"], one), (["Ava", "Bo"], two)):
        decided = [{"plant": name, "step": step, "modules": modules, "month": 0, "ready": 1} for name in plants_]
        node = {"node": "now", "parent": None, "from": "2026-11-01", "chance": 1.0, "path_usd": 0.0, "leaf": True}
        view = {"plan": "p", "start": "2026-11-01", "months": 3, "nodes": [node | {"decisions": decided}]}
        layers = drawn(pictures_plan.tree(view, "m").chart.to_dict())
        assert f"2026-11: {said}" in [row.get("text") for rows_ in layers for row in rows_]


@pytest.mark.parametrize(("units", "told"), [(150_000.0, "150,000"), (1.5, "0.5")])
def test_the_upright_axis_reads_in_plain_figures(units: float, told: str) -> None:
    branch = {"node": "law", "chance": 1.0}
    rows_ = [
        {"branch": "law", "stage": stage, "origin": "US", "units": [units] * 3}
        for stage in ("made", "shipped", "delivered")
    ]
    view = {"start": "2026-12-01", "months": 3, "branches": [branch], "left_out": 0, "flows": rows_}
    picture = pictures_plan.flows(view, NAMES, "m")
    assert picture is not None
    drawing = svg(picture.chart, "flows")
    assert f">{told}<" in drawing
    assert "e+" not in drawing


@pytest.mark.parametrize(
    ("usd", "places"), [(0, 1), (423.9e6, 1), (17e9, 1), (100e6, 1), (57e6, 2), (5.7e6, 3), (57e3, 5)]
)
def test_amounts_have_decimals_enough(usd: float, places: int) -> None:
    assert decimals(usd) == places


def test_what_waits_is_told_from_what_cannot() -> None:
    base = book(duty(0.0, heading="on all"))
    high = under(base, {"rule": "on all", "rate": 0.9}, since=month(2))
    futures = tree(
        base, ("now", None, START, 1, base), ("high", "now", month(2), 0.5, high), ("low", "now", month(2), 0.5, base)
    )
    plants = rows(
        PLANTS, ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99), ("dallas", "Acme", "US", "no", 3000, 0, 0, 0, 99)
    )
    case = simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)), plants=plants, hold_usd_month=1000)
    plan = plans.solve(case, base, START, 12, futures)
    view = views_plan.explained(plan, "wait", plan, case)
    assert pictures_plan.tree_finding(view) == (
        "0 decisions on plants are taken before the first split, 1 more in single branches"
    )
    assert [len(node["decisions"]) for node in view["nodes"]] == [0, 1, 0]


# -- the command ------------------------------------------------------------------------------------------------------
FUTURES = (
    'name = "Rise"\n[[node]]\nid = "now"\nfrom = 2026-11-01\n'
    '[[node]]\nid = "same"\nparent = "now"\nfrom = 2027-02-01\nchance = 0.5\n'
    '[[node]]\nid = "rise"\nparent = "now"\nfrom = 2027-02-01\nchance = 0.5\n'
    '[[node.change]]\nheading = "rise"\nauthority = "Guess"\norigins = "*"\nproducts = ["8543.70.98"]\nrate = 0.5\n'
)


def test_the_command_draws_the_tree_and_the_report_refuses_unknown_rules_at_once(
    tmp_path: Path, ask: Any, run: Any
) -> None:
    folder = tiny_network(tmp_path / "tiny")
    futures = tmp_path / "rise.toml"
    futures.write_text(FUTURES, encoding="utf-8")
    words = ["plan", folder, "--start", "2026-11-01", "--months", 6]
    ask(*words, "--futures", futures, "--figure", tmp_path / "tree.json")
    layers = drawn(json.loads((tmp_path / "tree.json").read_text(encoding="utf-8")))
    texts = " ".join(row["text"] for rows_ in layers for row in rows_ if "text" in row)
    assert all(words_ in texts for words_ in ("now, from 2026-11", "rise, from 2027-02, chance 50.0 %", "same,"))
    code, _, err = run(*words, "--figure", tmp_path / "x.svg")
    assert (code, "nothing to draw" in err) == (1, True)
    code, _, err = run("report", folder, "--futures", futures, "--breakeven", "raise", "--out", tmp_path / "x.html")
    assert (code, "Did you mean 'rise'" in err) == (1, True)
    assert not (tmp_path / "x.html").exists()
