"""Break-even maps: every flip is real, and between flips nothing else was better."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import tiny_network
from tests.toy import DEMAND, LANES, PLANTS, START, book, duty, month, random_case, rows, simple, tree, under

from ashore import plans, report
from ashore.errors import FaultyInput
from ashore.plans import Futures, objective
from ashore.plans.probes import trunk
from ashore.report.figures.regions import colour, heart_of_each
from ashore.report.pictures_flips import breakeven, decisions_of
from ashore.rules import Change

DUTY = "on all"


def law(rate: float = 0.1, **more: Any) -> Any:
    return book(duty(rate, heading=DUTY, **more))


def case(*candidates: tuple[Any, ...], **more: Any) -> Any:
    """Ten units of value 100 a month, made abroad for 10 or by candidates (open_usd, capacity, lead) at home."""
    plants = rows(
        PLANTS,
        ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99),
        *[(name, "Acme", "US", "no", open_usd, 0, lead, 0, capacity) for name, open_usd, capacity, lead in candidates],
    )
    return simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)), plants=plants, **more)


def at(network: Any, futures: Futures, months: int, rates: dict[str, float], **options: Any) -> plans.Plan:
    """The plan solved from scratch under other rates."""
    changes = [Change(rule=name, rate_ppm=round(rate * 1e6)) for name, rate in rates.items()]
    nodes = tuple(replace(node, book=node.book.under(changes, since=START)) for node in futures.nodes)
    other = replace(futures, nodes=nodes)
    return plans.solve(network, other.nodes[0].book, START, months, other, gap=1e-9, **options)


def first(plan: plans.Plan) -> set[str]:
    """The plants a plan orders before the first split."""
    assert plan.posed is not None
    cal = plan.posed.calendar
    early = {(cal.nodes[int(cal.moment_node[m])], int(cal.moment_month[m])) for m in trunk(cal)}
    return {row["plant"] for row in plan.open.to_dicts() if (row["node"], row["month"]) in early}


def scan(ladder: plans.Ladder, most: float, count: int = 10) -> dict[float, tuple[str, ...]]:
    """Evenly spaced rates that lie on a step, and what the ladder says of them."""
    rates = [round(most * k / count, 6) for k in range(count + 1)]
    return {rate: decided for low, high, decided in ladder.steps for rate in rates if low <= rate <= high}


def real(network: Any, futures: Futures, months: int, ladder: plans.Ladder, **options: Any) -> None:
    """At the ends of each step, in its middle and at evenly spaced rates the best plan from scratch decides as the
    ladder says, or one that does costs no more."""
    for before, after in pairwise(ladder.steps):
        assert before[2] != after[2]
        assert 0 <= after[0] - before[1] <= 0.001 + 1e-9
    asked = {rate: decided for low, high, decided in ladder.steps for rate in (low, high, round((low + high) / 2, 6))}
    for rate, decided in (asked | scan(ladder, ladder.steps[-1][1])).items():
        plan = at(network, futures, months, {ladder.rule: rate}, **options)
        if first(plan) != set(decided):
            allowed = (ladder.doubt_usd or 0.0) + 2e-5 * abs(plan.objective_usd) + 1e-6
            assert deciding(plan, decided) <= plan.objective_usd + allowed


def deciding(plan: plans.Plan, decided: tuple[str, ...]) -> float:
    """What the best plan costs that orders these plants first and no other."""
    posed = plan.posed
    assert posed is not None
    upper, lower = posed.arrays.col_upper.copy(), posed.arrays.col_lower.copy()
    for k, name in enumerate(posed.model.candidates):
        columns = posed.model.opened[k, trunk(posed.calendar)]
        columns = columns[columns >= 0]
        if name not in decided:
            upper[columns] = 0.0
        elif len(columns):
            lower[columns[-1]] = 1.0
    arrays = replace(posed.arrays, col_lower=lower, col_upper=upper)
    return objective.answer(posed.model, arrays, posed.aim, posed.limits).objective - posed.aim.lift


def test_one_flip_where_the_formula_has_it() -> None:
    """r·100·10·12 = opening cost."""
    network = case(("dallas", 3000, 99, 0))
    plan = plans.solve(network, law(), START, 12)
    found = plans.flips(plan, [DUTY])
    (ladder,) = found.ladders
    assert ladder.now == (0.1,)
    (low, below, none), (above, high, dallas) = ladder.steps
    assert (low, high, none, dallas) == (0.0, 0.5, (), ("dallas",))
    assert below <= 3000 / (100 * 10 * 12) <= above
    assert above - below <= found.tol
    assert ladder.doubt_usd is not None
    assert ladder.doubt_usd <= 1e-4 * plan.objective_usd
    assert found.decided == f"decisions on plants in month 0 ({START})"
    assert found.map is None
    document = json.loads(json.dumps(found.as_dict()))
    assert document["ladders"][0]["flips"] == [{"below": below, "above": above, "ordered": ["dallas"], "dropped": []}]


def test_a_plant_that_gives_way_to_a_larger_one() -> None:
    """Half of the units at home for 1,000 pay from r = 1,000/(100·5·12) on; all of them for 4,000 from twice 3,000/…"""
    network = case(("small", 1000, 5, 0), ("large", 4000, 10, 0))
    plan = plans.solve(network, law(), START, 12)
    (ladder,) = plans.flips(plan, [DUTY], most=0.9).ladders
    assert [decided for _, _, decided in ladder.steps] == [(), ("small",), ("large",)]
    flips = [(before[1], after[0]) for before, after in pairwise(ladder.steps)]
    for (below, above), rate in zip(flips, (1000 / 6000, 3000 / 6000), strict=True):
        assert below <= rate <= above
    real(network, plans.held_law(law(), START), 12, ladder)


def test_modules_and_plants_laid_up_are_decisions_too() -> None:
    """Each of two modules at home makes 5 of the 10 units for 1,000: both pay from r = 1,000/(100·5·12) on.

    From then on the plant abroad, which costs 10 a month to keep, is laid up for 60 and 4 a month.
    """
    away = rows(PLANTS, ("penang", "Acme", "MY", "yes", 0, 10, 0, 0, 99))[0]
    home = rows(PLANTS, ("dallas", "Acme", "US", "yes", 0, 0, 0, 0, 0))[0]
    network = simple(
        rows(DEMAND, ("texas", "rig", None, 10, None, None)),
        plants=[
            away | {"mothball_usd": 60, "idle_usd_month": 4, "restart_usd": 1},
            home | {"modules": 2, "module_month": 5, "module_usd": 1000},
        ],
    )
    plan = plans.solve(network, law(), START, 12)
    (ladder,) = plans.flips(plan, [DUTY]).ladders
    (_, below, nothing), (above, _, changed) = ladder.steps
    assert (nothing, changed) == ((), ("penang laid up", "dallas +2 modules"))
    assert below <= (2000 + 60 - 12 * (10 - 4)) / (100 * 10 * 12) <= above


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("options", [{}, {"risk": 0.6, "tail": 0.5}, {"objective": "worst"}])
def test_flips_on_random_trees_are_real(seed: int, options: dict[str, Any]) -> None:
    network, futures, months, _ = random_case(seed)
    nodes = tuple(
        replace(node, book=under(node.book, duty(0.1, ["MY", "CN"], "8543", heading=DUTY))) for node in futures.nodes
    )
    futures = replace(futures, nodes=nodes)
    plan = plans.solve(network, nodes[0].book, START, months, futures, gap=1e-9, **options)
    found = plans.flips(plan, [DUTY], most=1.0)
    (ladder,) = found.ladders
    assert (ladder.doubt_usd is None) == bool(options)  # the tail of a plan is not linear in a rate
    assert bool(found.notes) == bool(options)
    assert ladder.steps[0][0] == 0.0
    assert ladder.steps[-1][1] == 1.0
    real(network, futures, months, ladder, **options)


def test_the_first_decision_is_the_one_before_the_split() -> None:
    base = law(0.0)
    high = under(base, {"rule": DUTY, "rate": 0.9}, since=month(4))
    futures = tree(
        base, ("now", None, START, 1, base), ("high", "now", month(4), 0.5, high), ("low", "now", month(4), 0.5, base)
    )
    network = case(("slow", 2000, 99, 4), hold_usd_month=1000)
    plan = plans.solve(network, base, START, 12, futures)
    found = plans.flips(plan, [DUTY])
    assert found.decided == f"decisions on plants before the first split, up to {month(3)}"
    real(network, futures, 12, found.ladders[0])
    assert [decided for _, _, decided in found.ladders[0].steps] == [(), ("slow",)]


def test_a_map_of_two_rules_is_what_solving_every_pair_gives() -> None:
    """r of the duty on goods of MY and s on those of CN: home pays where both are dear."""
    plants = rows(
        PLANTS,
        ("penang", "Acme", "MY", "yes", 0, 0, 0, 0, 99),
        ("shenzhen", "Acme", "CN", "yes", 0, 0, 0, 0, 99),
        ("dallas", "Acme", "US", "no", 3000, 0, 0, 0, 99),
    )
    lanes = rows(LANES, *[(start, "US", "air", 0, 1, 0) for start in ("MY", "CN", "US")])
    network = simple(rows(DEMAND, ("texas", "rig", None, 10, None, None)), lanes=lanes, plants=plants)
    both = book(duty(0.1, ["MY"], heading="on MY"), duty(0.1, ["CN"], heading="on CN"))
    plan = plans.solve(network, both, START, 12)
    found = plans.flips(plan, ["on MY", "on CN"])
    assert found.map is not None
    drawn = found.map
    assert drawn.rules == ("on MY", "on CN")
    assert set(drawn.regions) == {(), ("dallas",)}
    for j, s in enumerate(drawn.rates):
        for i, r in enumerate(drawn.rates):
            home = 1000 * 12 * min(r, s)
            if abs(home - 3000) > 1:
                assert drawn.regions[drawn.cells[j][i]] == (("dallas",) if home > 3000 else ())
    assert drawn.solved < len(drawn.rates) ** 2 / 2


def test_where_duty_is_not_linear_nothing_is_claimed_between_the_rates_solved() -> None:
    """A floor of r tops up a duty of 20 per cent: below it nothing changes."""
    floor = book(duty(0.2, heading="plain", kind="replace"), duty(0.1, heading="floor", kind="floor"))
    network = case(("dallas", 4000, 99, 0))
    plan = plans.solve(network, floor, START, 12)
    found = plans.flips(plan, ["floor"], most=1.0)
    (ladder,) = found.ladders
    assert ladder.doubt_usd is None
    assert "duty is not linear" in found.notes[0]
    assert ladder.steps[0][1] <= 4000 / 12000 <= ladder.steps[1][0]
    real(network, plans.held_law(floor, START), 12, ladder)


def test_questions_that_cannot_be_asked() -> None:
    plan = plans.solve(case(("dallas", 3000, 99, 0)), law(), START, 3)
    with pytest.raises(FaultyInput, match="Did you mean 'on all'"):
        plans.flips(plan, ["on al"])
    for most, tol in ((0.0, 0.001), (0.5, 0.0), (0.5, 0.6), (11.0, 0.1)):
        with pytest.raises(FaultyInput, match="--breakeven-most"):
            plans.flips(plan, [DUTY], most, tol)
    quota = book(duty(0.4, "*", heading="counted", quota_units_month=6))
    with pytest.raises(FaultyInput, match="has a quota"):
        plans.flips(plans.solve(case(("dallas", 3000, 99, 0)), quota, START, 3), ["counted"])
    regret = plans.solve(case(("dallas", 3000, 99, 0)), law(), START, 3, objective="regret")
    with pytest.raises(FaultyInput, match="regret has no break-even"):
        plans.flips(regret, [DUTY])


def test_the_text_has_every_flip(capfd: pytest.CaptureFixture[str]) -> None:
    plan = plans.solve(case(("small", 1000, 5, 0), ("large", 4000, 10, 0)), law(), START, 12)
    found = plans.flips(plan, [DUTY], most=0.9).as_dict()
    report.text_of_plan(plan.as_dict() | {"breakeven": found})
    said = " ".join(capfd.readouterr().out.split())
    assert "First decision by the rate of on all (in the plan 10.0 %)" in said
    for words in ("nothing", "small", "large", "90.0 %"):
        assert words in said


def values(chart: Any, **wanted: Any) -> list[dict[str, Any]]:
    """The rows of the first layer whose rows have these fields."""
    spec = chart.to_dict()
    for layer in spec["layer"]:
        found: list[dict[str, Any]] = layer["data"].get("values") or spec["datasets"][layer["data"]["name"]]
        if found and wanted.items() <= found[0].items() and {"top", "fill"} <= set(found[0]):
            return found
    raise AssertionError(wanted)


def test_the_figures_have_the_steps_and_the_cells() -> None:
    network = case(("small", 1000, 5, 0), ("large", 4000, 10, 0))
    plan = plans.solve(network, law(), START, 12)
    found = plans.flips(plan, [DUTY], most=0.9).as_dict()
    document = plan.as_dict() | {"breakeven": found}
    picture = breakeven(document)
    assert picture.name == "rule-ladders"
    assert picture.finding == "on all: flips near 16.6 % and 50.0 %"
    bars = values(picture.chart)
    ladder = found["ladders"][0]["ladder"]
    scale = bars[-1]["x2"] / 0.9
    assert [(bar["x"] / scale, bar["x2"] / scale) for bar in bars] == [
        (pytest.approx(step["from"]), pytest.approx(step["until"])) for step in ladder
    ]
    known = decisions_of(found)
    assert [bar["fill"] for bar in bars] == [colour(known.index(tuple(step["orders"]))) for step in ladder]
    drawing = report.figures.svg(picture.chart, "ladders")
    for text in ("small", "large", "nothing", "on all", "Sources: rule book"):
        assert text in drawing


def test_the_map_has_the_area_of_each_region_and_a_letter_inside_it() -> None:
    two = {"rules": ["one", "other"], "now": [[0.1], [0.2]], "rates": [0.0, 0.25, 0.5], "step": 0.25, "solved": 9}
    drawn = two | {"regions": [[], ["dallas"]], "cells": [[0, 0, 0], [0, 0, 1], [0, 1, 1]]}
    found = {"map": drawn, "ladders": [], "most": 0.5, "tol": 0.001, "decided": "decisions", "notes": []}
    picture = breakeven({"breakeven": found, "estimates": []})
    assert picture.name == "rule-map"
    area: dict[str, float] = {}
    for row in values(picture.chart):
        area[row["fill"]] = area.get(row["fill"], 0.0) + (row["x2"] - row["x"]) * (row["bottom"] - row["top"])
    whole = sum(area.values())
    shares = {fill: size / whole for fill, size in area.items()}
    assert shares == {colour(0): pytest.approx(11 / 16), colour(1): pytest.approx(5 / 16)}
    upper_right = max(values(picture.chart), key=lambda row: (row["x2"], -row["top"]))
    assert upper_right["fill"] == colour(1)
    hearts = heart_of_each(drawn["cells"])
    assert all(drawn["cells"][j][i] == place for place, (i, j, _) in hearts.items())


def test_the_command_asks_draws_and_refuses(tmp_path: Path, ask: Any, run: Any) -> None:
    """A line in Texas against a duty on rigs of MY."""
    folder = tiny_network(
        tmp_path / "tiny",
        plants=lambda text: text.replace("2000000,80000,6,2", "20000,0,0,0"),
        makes=lambda text: text.replace("1,no", "1,yes"),
        demand=lambda text: text.replace("3500,500", "3500,5000"),
    )
    scenario = tmp_path / "rigs.toml"
    change = 'heading = "rigs 2027"\nauthority = "Test"\norigins = ["MY"]\nproducts = ["8543.70.98"]\nrate = 0.1\n'
    scenario.write_text(f"[[change]]\n{change}", encoding="utf-8")
    words = ["plan", folder, "--start", "2026-11-01", "--months", 6, "--breakeven", "rigs 2027", "--scenario"]
    found = ask(*words, scenario, "--figure", tmp_path / "flips.svg")["breakeven"]
    (ladder,) = found["ladders"]
    assert ladder["now"] == [0.1]
    assert [step["orders"] for step in ladder["ladder"]] == [[], ["Texas"]]
    low, high = (
        ask(*words, _with_rate(scenario, change, flip))["open"]
        for flip in (ladder["flips"][0]["below"], ladder["flips"][0]["above"])
    )
    assert (low, [order["plant"] for order in high]) == ([], ["Texas"])
    assert "rigs 2027" in (tmp_path / "flips.svg").read_text(encoding="utf-8")
    assert "First decision by the rate of rigs 2027" in run(*words, scenario)[1]
    for wrong, said in (
        (["--breakeven-most", "-1", "--breakeven", "rigs 2072"], ["Rates from 0 to -1", "Did you mean 'rigs 2027'"]),
        (["--frontier", "4", "--figure", "x.svg"], ["two things"]),
        (["--objective", "regret"], ["regret has no break-even"]),
    ):
        code, _, err = run(*words, scenario, *wrong)
        assert code == 1
        assert not [text for text in said if text not in err], err


def _with_rate(scenario: Path, change: str, rate: float) -> Path:
    other = scenario.with_name(f"at-{rate}.toml")
    other.write_text(f"[[change]]\n{change}".replace("rate = 0.1", f"rate = {rate}"), encoding="utf-8")
    return other
