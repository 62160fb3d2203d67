"""The curve of mean against tail: both ends, monotone, convex, and below every plan for a weight in between."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.test_aims import hedge, priced
from tests.test_benders import asked, document, located, must_serve
from tests.toy import START, book, duty, month, random_case, restricted_pair, tree, under

from ashore import plans, report
from ashore.errors import FaultyInput
from ashore.report.curve import changes, finding_of

GAP = 1e-7


def convex(found: plans.Frontier, gap: float = GAP) -> None:
    """What holds of every curve: ends at 0 and 1, mean up and tail down, slopes that flatten, points within the gap."""
    points = found.points
    assert points[0].weight == 0
    assert points[-1].weight == 1
    slack = 1e-7 * max(1.0, abs(points[0].mean_usd))
    for point in points:
        mixed = (1 - point.weight) * point.mean_usd + point.weight * point.tail_usd
        assert point.objective_usd == pytest.approx(mixed)
        assert point.bound_usd <= point.objective_usd
        assert (point.status, point.gap) == ("optimal", pytest.approx(0, abs=gap + 1e-9))
        assert point.tail_usd >= point.mean_usd - slack
        for other in points:
            assert point.objective_usd <= (1 - point.weight) * other.mean_usd + point.weight * other.tail_usd + slack
    for one, two in pairwise(points):
        assert one.mean_usd <= two.mean_usd + slack
        assert one.tail_usd >= two.tail_usd - slack
    for one, two, three in zip(points, points[1:], points[2:], strict=False):
        along, up = two.mean_usd - one.mean_usd, two.tail_usd - one.tail_usd
        cross = along * (three.tail_usd - one.tail_usd) - up * (three.mean_usd - one.mean_usd)
        assert cross >= -slack * (abs(along) + abs(up))
    inner = [(round(point.mean_usd, 6), round(point.tail_usd, 6)) for point in points[1:-1]]
    assert len(set(inner)) == len(inner)


def solved(seed: int, **options: Any) -> plans.Plan | None:
    case, futures, months = must_serve(seed) if seed % 2 else random_case(seed)[:3]
    try:
        return plans.solve(case, futures.nodes[0].book, START, months, futures, tail=0.5, gap=GAP, **options)
    except plans.plan.infeasible.Infeasible:
        return None


@pytest.mark.parametrize("seed", [*range(8), 8, 11, 13, 15])
def test_the_curve_is_convex_and_complete(seed: int) -> None:
    """Where fewer points come back than were asked for, no plan lies below the curve at any weight."""
    plan = solved(seed)
    if plan is None:
        return
    found = plans.frontier(plan, 9)
    convex(found)
    assert found.points[0].mean_usd == pytest.approx(plan.cost_usd, rel=1e-6)
    if len(found.points) < 9:
        assert "No other plan" in found.notes[0]
        for weight in (0.15, 0.5, 0.85):
            between = solved(seed, risk=weight)
            assert between is not None
            least = min((1 - weight) * p.mean_usd + weight * p.tail_usd for p in found.points)
            assert least == pytest.approx(between.objective_usd, rel=1e-6)


def test_a_curve_of_several_parts_and_of_margins() -> None:
    case = restricted_pair()
    case = replace(case, settings=replace(case.settings, hold_usd_month=400))
    law = book()
    nodes: list[Any] = [("now", None, START, 1.0, law)]
    for k, rate in enumerate((0.0, 0.3, 0.9, 1.5)):
        nodes.append((f"b{k}", "now", month(2), 0.25, under(law, duty(rate), since=month(2))))
    futures = tree(law, *nodes)
    by_kind = {
        kind: plans.frontier(plans.solve(case, law, START, 9, futures, tail=0.7, objective=kind), 5)
        for kind in ("cost", "margin")
    }
    for found in by_kind.values():
        convex(found, 1e-6)
    assert len(by_kind["cost"].points) > 2 or "No other plan" in by_kind["cost"].notes[0]
    assert by_kind["margin"].points[0].mean_usd < 0  # a loss below 0 is a margin
    risky = plans.solve(case, law, START, 9, futures, tail=0.7, risk=0.4)
    with_it = plans.frontier(risky, 5)  # its own weight is one of the points, or adds nothing to the curve
    convex(with_it, 1e-6)
    assert with_it.points[0].mean_usd == pytest.approx(by_kind["cost"].points[0].mean_usd, rel=1e-6)


def test_few_points_are_both_ends_and_one_branch_is_a_point() -> None:
    plan = plans.solve(*hedge(450), tail=0.5)
    ends = plans.frontier(plan, 2)
    assert [(p.weight, p.open["plant"].to_list()) for p in ends.points] == [(0, []), (1, ["dallas"])]
    assert [(round(p.mean_usd), round(p.tail_usd)) for p in ends.points] == [(410, 710), (560, 560)]
    assert not ends.notes
    more = plans.frontier(plan)
    assert more.notes == ("No other plan lies on the curve than these 2.",)
    case, law, start, months, _ = hedge(450)
    alone = plans.frontier(plans.solve(case, law, start, months))
    assert {(p.mean_usd, p.tail_usd) for p in alone.points} == {(110.0, 110.0)}
    assert "one branch only" in alone.notes[0]


def test_margins_have_a_curve_too() -> None:
    case, futures, months, _ = random_case(3)
    plan = plans.solve(
        priced(case, 3), futures.nodes[0].book, START, months, futures, tail=0.5, gap=GAP, objective="margin"
    )
    found = plans.frontier(plan, 6)
    convex(found)
    assert found.points[0].mean_usd == pytest.approx(-plan.margin_usd, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("count", "kind", "said"), [(1, "cost", "make no curve"), (5, "worst", "has no mean")])
def test_what_cannot_be_drawn_is_refused(count: int, kind: str, said: str) -> None:
    plan = plans.solve(*hedge(450), objective=kind)
    with pytest.raises(FaultyInput, match=f"--frontier.*{said}"):
        plans.frontier(plan, count)


def test_stopped_it_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    module = import_module("ashore.plans.frontier")
    plan = solved(3)
    assert plan is not None
    usual, calls = module.spread, []

    def once(task: Any, items: Any, common: Any) -> Any:
        calls.append(len(items))
        if len(calls) > 1:
            raise KeyboardInterrupt
        return usual(task, items, common)

    monkeypatch.setattr(module, "spread", once)
    found = plans.frontier(plan, 9)
    assert [point.weight for point in found.points] == [0, 1]
    if len(calls) > 1:
        assert "Stopped" in found.notes[0]


# -- words and pictures -----------------------------------------------------------------------------------------------
ROWS = [
    {"weight": w, "mean_usd": m, "tail_usd": t, "status": "optimal", "gap": 0.0, "open": [{"plant": p} for p in opens]}
    for w, m, t, opens in (
        (0.0, 100e6, 150e6, ()), (0.2, 102e6, 138e6, ("dallas",)), (0.6, 107e6, 130e6, ("dallas", "ohio")),
        (1.0, 120e6, 126e6, ("ohio",)),
    )
]  # fmt: skip


def test_labels_say_what_changes_from_plan_to_plan() -> None:
    assert changes(ROWS) == ["opens nothing", "+\u00a0dallas", "+\u00a0ohio", "−\u00a0dallas"]
    assert finding_of(ROWS) == "The tail can be 24.00 m USD smaller for 20.00 m USD more on the mean"
    assert finding_of(ROWS[:1]) == "The plan of least mean has the least tail too"


def test_the_figure_shows_every_plan_where_it_lies() -> None:
    shown = {"objective": "cost", "frontier": ROWS, "tail": 0.9, "months": 12, "start": "2026-12-01", "estimates": []}
    picture = report.frontier(shown)
    drawing = report.figures.svg(picture.chart, "frontier")
    for text in ("opens nothing", "+\u00a0dallas", "−\u00a0dallas", "million USD", "24.00 m USD smaller"):
        assert text in drawing
    spec = picture.chart.to_dict()
    line = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")
    values = spec["datasets"][line["data"]["name"]]
    assert [value["end"] for value in values] == [True, False, False, True]
    assert all(a["px"] < b["px"] and a["py"] < b["py"] for a, b in pairwise(values))  # down to the right
    left, right = values[0]["px"], values[-1]["px"]
    assert (values[1]["px"] - left) / (right - left) == pytest.approx(0.1)


def test_the_command_prints_the_table_and_draws(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = [*asked(tmp_path, located(), 12), "--tail", "0.7", "--frontier", "4"]
    for name in ("curve.svg", "curve.png", "curve.json"):
        found = document(capfd, *words, "--figure", str(tmp_path / name))
        assert (tmp_path / name).stat().st_size > 2000
    assert 2 <= len(found["frontier"]) <= 4
    assert set(found["frontier"][0]) >= {"weight", "mean_usd", "tail_usd", "open", "gap", "status"}
    assert json.loads((tmp_path / "curve.json").read_text(encoding="utf-8"))["layer"]
    from ashore import cli

    usual = asked(tmp_path, located(), 12)[:-1]
    place = usual.index("--futures")
    for asks, wrong, said in (
        (usual, ["--frontier", "1"], "--frontier"),
        (usual, ["--frontier", "4", "--figure", "curve.gif"], ".svg, .png"),
        (usual[:place] + usual[place + 2 :], ["--figure", "curve.svg"], "--frontier 7"),  # one law: no tree to draw
    ):
        with pytest.raises(SystemExit) as end:
            cli.main([*asks, *wrong])
        assert end.value.code == 1
        assert said in capfd.readouterr().err
    with pytest.raises(SystemExit):
        cli.main([word for word in words if word != "--json"])
    text = capfd.readouterr().out
    assert "opens, and what changes" in text
    assert np.isfinite(found["frontier"][0]["mean_usd"])
