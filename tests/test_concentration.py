"""Concentration: published measures, bounds over every completion, dissimilarity, networks, plans, and the verb."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from tests.conftest import TINY, tiny_network

from ashore import network, plans
from ashore import rules as rule_books
from ashore.errors import FaultyInput
from ashore.fleet import concentration as measures
from ashore.fleet import origins, shares
from ashore.fleet.concentration import Block, Shares, bounds, dependence, dissimilarity

GOLDEN = Path(__file__).parent / "golden" / "concentration.csv"
TODAY = date(2026, 11, 22)


def golden() -> list[dict[str, str]]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def within_printed_digits(value: float, text: str) -> bool:
    places = len(text.partition(".")[2])
    return abs(value - float(text)) <= 0.5 * 10**-places + 1e-9


# Published measures


@pytest.mark.parametrize("row", golden(), ids=lambda row: f"{row['series']} {row['date']}")
def test_published_measures_are_reproduced(row):
    (series,) = [one for one in shares.read_series() if (one.name, one.date) == (row["series"], row["date"])]
    found, places = bounds(series.entities()), series.countries().named
    for name in ("hhi_low", "hhi_high", "gini_low", "theil_low"):
        assert within_printed_digits(found[name], row[name]), (name, found[name], row[name])
    for country in ("US", "CA", "CN"):
        if row[country]:
            assert within_printed_digits(100 * places[country], row[country])
    assert within_printed_digits(100 * sum(places.values()), row["named_sum"])
    assert within_printed_digits(100 * (places["US"] + places["CA"]), row["north_america"])


def test_published_bounds_of_the_makers():
    low = bounds(Shares({"Bitmain": 0.82}))
    assert (round(low["hhi_low"], -2), round(low["hhi_high"], -1)) == (6700, 7050)


@pytest.mark.parametrize(
    ("map_date", "series", "low", "high"),
    [("2025-07", "Hashrate Index", 0.76, 0.83), ("2022-01", "Cambridge map", 0.69, 0.76)],
)
def test_published_dissimilarity_is_that_of_rigs_from_elsewhere_made_where_they_hash(map_date, series, low, high):
    (hashed,) = [one for one in shares.read_series() if (one.name, one.date) == (series, map_date)]
    least = [dissimilarity(Shares({"CN": share}), hashed.countries())[0] for share in (0.90, 0.97)]
    assert [round(value, 2) for value in least] == [low, high]


def test_over_thirty_per_cent_is_mined_in_north_america():
    document = shares.measured(shares.read_series(), "US")
    (row,) = [one for one in document["series"] if one["date"] == "2025-07"]
    assert row["countries"]["US"] + row["countries"]["CA"] == pytest.approx(0.38745)


def test_every_shipped_share_has_a_source_and_a_mark():
    for series in shares.read_series():
        for row in series.rows:
            assert row["source"]
            assert row["basis"] in {"READ", "DERIVED", "INFERENCE", "ESTIMATE"}


# Bounds


@st.composite
def partial(draw):
    """Shares with blocks and a rest, and one completion of them that keeps to their limits."""
    cut = draw(st.lists(st.floats(0.001, 1), min_size=1, max_size=6))
    kinds = draw(st.lists(st.integers(0, 3), min_size=len(cut), max_size=len(cut)))
    whole = sum(cut) * draw(st.floats(1, 2))
    named = {str(n): share / whole for n, (share, kind) in enumerate(zip(cut, kinds, strict=True)) if kind < 2}
    blocks = tuple(Block(share / whole, kind) for share, kind in zip(cut, kinds, strict=True) if kind >= 2)
    others = draw(st.integers(1, 8))
    known = Shares(named, blocks, others)
    ranked = bool(named) and draw(st.booleans())
    known = Shares(named, blocks, others, min(named.values()) if ranked else None)
    assume(known.fits)
    completion = list(named.values())
    for block in blocks:
        completion += _split(draw, block.total, block.entities, None)
    if known.rest:
        completion += _split(draw, known.rest, others, known.largest)
    return known, completion


def _split(draw, total, count, largest):
    weights = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    assume(sum(weights) > 1e-6)
    parts = [total * weight / sum(weights) for weight in weights]
    if largest is not None:  # what is too much for one goes to the others in turn
        for n, part in enumerate(parts):
            over, parts[n] = max(0.0, part - largest), min(part, largest)
            for m in range(count):
                room = 0.0 if m == n else max(0.0, largest - parts[m])
                moved = min(over, room)
                parts[m], over = parts[m] + moved, over - moved
    return parts


@given(partial())
def test_bounds_contain_every_completion_of_the_unnamed_share(case):
    known, completion = case
    assert sum(completion) == pytest.approx(1, abs=1e-6)
    found = bounds(known)
    for name, measure in measures.MEASURES.items():
        assert found[f"{name}_low"] <= measure(completion) * (1 + 1e-9) + 1e-9
        assert measure(completion) <= found[f"{name}_high"] * (1 + 1e-9) + 1e-6


@given(partial())
def test_bounds_are_reached_by_completions(case):
    known, _ = case
    for ends in (known.spread(), known.gathered()):
        assert sum(ends) == pytest.approx(1)
        assert min(ends) >= -1e-12
        if known.largest is not None and known.rest:
            assert max(ends[-known.others :]) <= known.largest + 1e-9


@given(partial())
def test_more_unnamed_entities_can_only_widen_the_bounds(case):
    known, _ = case
    wider = bounds(Shares(known.named, known.blocks, known.others + 3, known.largest))
    found = bounds(known)
    assert wider["hhi_low"] <= found["hhi_low"] + 1e-9
    assert wider["hhi_high"] >= found["hhi_high"] - 1e-9
    assert shares.bounds_without_count(known) <= found["hhi_low"] + 1e-9


def test_what_the_measures_are():
    assert measures.hhi([1.0]) == 10_000
    assert measures.hhi([0.25] * 4) == 2500
    assert measures.theil([0.25] * 4) == pytest.approx(0)
    assert measures.theil([1.0, 0, 0, 0]) == pytest.approx(np.log(4))
    assert measures.gini([0.5, 0.5]) == pytest.approx(0)
    assert measures.gini([0, 0, 0, 1.0]) == pytest.approx(0.75)


def test_import_dependence_is_exact_where_home_is_named_and_bounded_where_it_is_not():
    assert dependence(Shares({"CN": 0.9, "US": 0.04}), "US") == pytest.approx((0.96, 0.96))
    assert dependence(Shares({"CN": 0.9}), "US") == pytest.approx((0.9, 1.0))
    assert dependence(Shares({"CN": 0.9}, largest=0.03), "US") == pytest.approx((0.97, 1.0))


places = st.dictionaries(st.sampled_from("ABCDE"), st.floats(0.01, 1), min_size=1, max_size=4)


@st.composite
def geographies(draw):
    drawn = draw(places)
    whole = sum(drawn.values()) * draw(st.floats(1, 2))
    return Shares({name: share / whole for name, share in drawn.items()})


@given(geographies(), geographies(), st.data())
def test_dissimilarity_contains_every_completion(one, other, data):
    names = [*"ABCDE", "X", "Y"]
    full = []
    for shares_ in (one, other):
        free = [name for name in names if name not in shares_.named]
        weights = data.draw(st.lists(st.floats(0, 1), min_size=len(free), max_size=len(free)))
        assume(sum(weights) > 1e-6)
        parts = {name: shares_.rest * weight / sum(weights) for name, weight in zip(free, weights, strict=True)}
        full.append(dict(shares_.named) | parts)
    apart = 0.5 * sum(abs(full[0].get(name, 0) - full[1].get(name, 0)) for name in names)
    low, high = dissimilarity(one, other)
    assert low - 1e-9 <= apart <= high + 1e-9
    assert dissimilarity(other, one) == pytest.approx((low, high))


@given(geographies(), geographies())
def test_the_lower_bound_of_dissimilarity_is_that_of_a_linear_programme(one, other):
    """Least Σ t with t ≥ ±(a − b)/2 over both completions: unknowns are the rest of a, the rest of b, and t."""
    names = [*"ABCDE", "X"]
    count = len(names)
    cost = [0.0] * (2 * count) + [1.0] * count
    limits, right = [], []
    for place, name in enumerate(names):
        known = one.named.get(name, 0) - other.named.get(name, 0)
        for sign in (1, -1):
            row = [0.0] * (3 * count)
            row[place], row[count + place], row[2 * count + place] = sign / 2, -sign / 2, -1
            limits.append(row)
            right.append(-sign * known / 2)
    sums = [[1.0] * count + [0.0] * (2 * count), [0.0] * count + [1.0] * count + [0.0] * count]
    free = [(0, 0 if name in side.named else None) for side in (one, other) for name in names]
    found = linprog(cost, limits, right, sums, [one.rest, other.rest], [*free, *[(0, None)] * count])
    assert dissimilarity(one, other)[0] == pytest.approx(found.fun, abs=1e-7)


# Files of shares


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("geography,series,date,entity,country,share\nbrand,a,2025,X,CN,0.7\nbrand,a,2025,Y,CN,0.4\n", "add up to 1.1"),
        ("geography,series,date,entity,country,share\nmoon,a,2025,X,CN,0.7\n", "not one of"),
        ("geography,series,date,entity,country,share\nbrand,a,2025,X,China,0.7\n", "Write CN"),
        ("geography,series,date,entity,country,share\nbrand,a,2025,X,CN,70\n", "above 1"),
        ("geography,series\nbrand,a\n", "column 'share' is missing"),
    ],
)
def test_faults_of_a_file_of_shares(tmp_path, text, said):
    file = tmp_path / "shares.csv"
    file.write_text(text)
    with pytest.raises(FaultyInput, match=said):
        shares.read_series(file)


def test_a_ranking_that_leaves_too_much_unnamed_is_refused(tmp_path):
    file = tmp_path / "shares.csv"
    file.write_text("geography,series,date,entity,country,share\nbrand,a,2025,X,CN,0.5\nbrand,a,2025,Y,CN,0.01\n")
    assert shares.read_series(file)
    with pytest.raises(FaultyInput, match="too much for 5 others"):
        shares.read_series(file, 5, ranked=True)
    with pytest.raises(FaultyInput, match="--others"):
        shares.read_series(file, 0)


# Networks and plans


def rows_of(document):
    return {row["geography"]: row for row in document["geographies"]}


def test_a_network_with_one_plant_has_one_brand_place_and_origin(tiny_folder):
    net = network.load(tiny_folder)
    document = origins.of_network(net, rule_books.load(), TODAY, "US", {})
    found = rows_of(document)
    assert found["brand"]["shares"] == {"Acme": 1}
    assert found["assembly"]["shares"] == {"MY": 1}
    assert found["customs_origin"]["shares"] == {"MY": 1}
    assert found["chip_fab"]["shares"] == {"CN": 1}
    assert found["assembly"]["hhi_low"] == found["assembly"]["hhi_high"] == 10_000
    assert found["customs_origin"]["import_dependence_low"] == 1
    assert document["hashed"] == {"US": 1}
    assert document["without_second_origin"] == ["rig"]
    assert found["brand"]["dissimilarity_high"] == 1  # nobody says whose the maker is
    assert found["brand"]["dissimilarity_low"] == 0


def second_source(folder):
    """The tiny network with a second open plant in another country."""
    return tiny_network(
        folder,
        plants=TINY["plants"] + "Hanoi,Acme,VN,yes,0,40000,0,0,5000\n",
        makes=TINY["makes"].replace("Texas,", "Hanoi,rig,190,,1,yes,,\nHanoi,board,80,,0.2,yes,,\nTexas,", 1),
        lanes=TINY["lanes"] + "CN,VN,air,2,,3\nHanoi,Dallas,ocean,0.5,1,40\n",
        demand=TINY["demand"].replace(",500", ",9000"),
    )


def test_a_second_origin_lowers_hhi_and_costs_money_or_days(tmp_path):
    folder = second_source(tmp_path / "net")
    document = origins.of_network(network.load(folder), rule_books.load(), TODAY, "US", {})
    steps = document["second_origin"]
    assert document["without_second_origin"] == []
    for row in steps:
        share = row["share"]
        assert row["hhi_customs_origin"] == pytest.approx(1e4 * (share**2 + (1 - share) ** 2))
        assert row["hhi_assembly"] == row["hhi_customs_origin"]
        assert row["hhi_brand"] == pytest.approx(10_000)
    costs, days = ([row[name] for row in steps] for name in ("landed_usd_per_ths", "days"))
    assert costs == sorted(costs)
    first, last = steps[0], steps[-1]
    middle = next(row for row in steps if row["share"] == 0.2)
    for name in ("landed_usd_per_ths", "days"):
        assert middle[name] == pytest.approx(first[name] + 0.4 * (last[name] - first[name]))
    assert len(set(days)) > 1


def test_a_plan_is_measured_by_what_it_delivers(tmp_path):
    folder = second_source(tmp_path / "net")
    net, book = network.load(folder), rule_books.load()
    plan = plans.solve(net, book, TODAY, 3)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan.as_dict()))
    document = origins.of_plan(net, file, "US", {})
    delivered = [flow for flow in plan.as_dict()["flows"] if flow["to"] == "Dallas"]
    total = sum(flow["units"] for flow in delivered)
    expected: dict[str, float] = {}
    for flow in delivered:
        expected[flow["origin"]] = expected.get(flow["origin"], 0) + flow["units"] / total
    assert rows_of(document)["customs_origin"]["shares"] == pytest.approx(expected)
    assert rows_of(document)["chip_fab"]["shares"] == {"CN": 1}
    assert document["cost_usd"] == plan.as_dict()["cost_usd"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ("[]", "no plan"), ('{"flows": []}', "no node_costs"), ('{"flows": [1]}', "no flows"),
     ('{"flows": [], "node_costs": []}', "delivers nothing")],
)  # fmt: skip
def test_what_is_no_plan_is_refused(tiny_folder, tmp_path, text, said):
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(FaultyInput, match=said):
        origins.of_plan(network.load(tiny_folder), file, "US", {})


# The verb


def test_the_verb_on_published_shares(ask, run):
    document = ask("concentration")
    assert document["home"] == "US"
    assert set(document["missing"]) == {"assembly", "customs_origin"}
    (row,) = [one for one in document["imbalance"] if one["made"] == "press"]
    assert row["dissimilarity_low"] < 0.83 < row["dissimilarity_high"]
    _, out, _ = run("concentration", "--home", "CA")
    for words in ("1,803–2,211", "chip fab", "no published share of assembly and customs origin"):
        assert words in out
    narrow = ask("concentration", "--ranked")
    wide = {(one["series"], one["date"]): one["hhi_high"] for one in document["series"]}
    assert all(one["hhi_high"] <= wide[one["series"], one["date"]] + 1e-9 for one in narrow["series"])


def test_the_verb_on_a_network_and_a_plan(run, ask, tmp_path):
    folder = second_source(tmp_path / "net")
    plan = ask("plan", folder, "--start", TODAY, "--months", 3)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan))
    document = ask("concentration", folder, "--on", TODAY, "--plan", file)
    assert [one["plan"] for one in document["plans"]] == ["plan.json"]
    code, out, _ = run("concentration", folder, "--on", TODAY, "--plan", file)
    assert code == 0
    assert "second origin" in out
    assert "plan.json" in out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--plan", "x.json"], 2),
        (["rigs-2026", "--ranked"], 2),
        (["--home", "Moon"], 1),
        (["--others", "0"], 1),
        (["no-such-folder"], 1),
        (["--shares", "no-such.csv"], 1),
    ],
)
def test_what_cannot_be_measured_is_refused(run, words, code):
    got, _, err = run("concentration", *words)
    assert got == code
    assert "Traceback" not in err
