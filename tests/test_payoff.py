"""Worth against landed cost in the report: the rows behind the figures, and what the figures draw of them."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from ashore import costs, network, rules, worth
from ashore.report import figures, headlines, html, pictures, views, views_worth
from ashore.report.words import short

ON = date(2026, 11, 22)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The part of an answer on the shipped case that the figures of worth are made of."""
    net, book = network.load(network.cases.find(None)), rules.load()
    market = views.main_market(net, book.country)
    routes = costs.land(net, book, ON, market=market).as_dict()["routes"]
    ranked = views.ranking(net, routes, book.country, {code: short(name) for code, name in book.countries.items()})
    return {
        "worth": views_worth.worth_view(net, ranked, market, "s21-xp"),
        "ranking": ranked,
        "estimates": net.estimates(),
        "notes": list(book.caveats(ON)),
        "country_name": "United States",
        "network": net.settings.name,
    }


def values(chart: Any) -> list[dict[str, Any]]:
    """Every row of data in a chart."""
    document = chart.to_dict()
    stored = [row for rows in document.get("datasets", {}).values() for row in rows]
    return stored + [row for layer in document["layer"] for row in layer.get("data", {}).get("values", [])]


def test_each_rig_stands_with_its_worth_and_the_routes_of_the_ranking(document):
    view = document["worth"]
    outlook = worth.outlook_of(worth.Given())[0]
    ranked = {group["product"]: group for group in document["ranking"]}
    assert {group["product"] for group in view["groups"]} == set(ranked)
    for group in view["groups"]:
        rig = worth.Rig(group["hash_ths"], group["power_w"])
        option = worth.option_usd(rig, view["power_usd_kwh"], outlook)
        assert group["option_usd_ths"] == pytest.approx(option / rig.hash_ths)
        assert group["low_usd_ths"] < group["option_usd_ths"] < group["high_usd_ths"]
        assert group["mean_path_usd_ths"] <= group["option_usd_ths"]
        for row, route in zip(group["rows"], ranked[group["product"]]["rows"], strict=True):
            assert row["usd_ths"] == route["usd_ths"]
            assert row["pays"] == (option >= route["usd_unit"])


def test_at_the_most_duty_an_import_costs_what_the_rig_is_worth(document):
    net = network.load(network.cases.find(None))
    for group, ranked in zip(document["worth"]["groups"], document["ranking"], strict=True):
        abroad = ranked["abroad"]
        value = net.makes[abroad["plant"], group["product"]].customs_value_usd
        landed = abroad["usd_unit"] - abroad["parts"]["duty"] + group["max_duty_rate"] * value
        assert landed == pytest.approx(group["option_usd_ths"] * group["hash_ths"])


def test_the_fan_never_falls_and_opens_in_order(document):
    fan = document["worth"]["fan"]
    assert fan["product"] == "s21-xp"
    for line in (*fan["quantiles"].values(), fan["mean_path"], fan["flat"]):
        assert line[0] == 0
        assert all(after >= before for before, after in itertools.pairwise(line))
    for month in zip(*fan["quantiles"].values(), strict=True):
        assert list(month) == sorted(month)
    assert "not open" not in fan["route"]
    assert 0 < fan["paid_back_chance"] < 1


def test_the_tornado_is_widest_at_the_top_and_starts_from_what_is_left(document):
    storm = document["worth"]["tornado"]
    spans = [abs(row["left"][1] - row["left"][0]) for row in storm["rows"]]
    assert spans == sorted(spans, reverse=True)
    assert {row["label"].split(",")[0] for row in storm["rows"]} >= {"hash price", "duty", "price of power", "route"}
    for row in storm["rows"]:
        if not row["label"].startswith("duty"):
            assert min(row["left"]) - 1e-9 <= storm["base_usd_ths"] <= max(row["left"]) + 1e-9


def test_the_bars_drawn_are_the_routes_and_green_where_the_rig_is_worth_more(document):
    picture = pictures.worth(document)
    bars = [row for row in values(picture.chart) if "cost" in row]
    shown = [row for group in document["worth"]["groups"] for row in views_worth.shown(group["rows"])]
    assert sorted(bar["cost"] for bar in bars) == sorted(row["usd_ths"] for row in shown)
    green = figures.payoff.GOOD
    assert sum(bar["colour"] == green for bar in bars) == sum(row["pays"] for row in shown)
    lines = [row["option"] for row in values(picture.chart) if "option" in row]
    assert set(lines) == {group["option_usd_ths"] for group in document["worth"]["groups"]}


def test_labels_of_the_fan_do_not_cover_each_other():
    placed = figures.payoff._apart([(10.0, "a"), (11.0, "b"), (100.0, "c"), (10.5, "d")])
    gaps = [after[0] - before[0] for before, after in itertools.pairwise(placed)]
    assert min(gaps) >= 14
    assert [text for _, text in placed] == ["a", "d", "b", "c"]


@pytest.mark.parametrize("make", [pictures.worth, pictures.payback, pictures.moves])
def test_every_figure_is_drawn_and_has_its_words(document, make):
    picture = make(document)
    assert figures.png(picture.chart, 0.5)[:4] == b"\x89PNG"
    assert picture.finding in picture.instead
    assert "assumed" in figures.standalone(picture.chart)


def test_the_headline_says_when_no_rig_is_worth_its_cost(document):
    view = document["worth"]
    assert "s21-xp (" in headlines.worth(document)
    poor = [group | {"rows": [row | {"pays": False} for row in group["rows"]]} for group in view["groups"]]
    assert headlines.worth({"worth": view | {"groups": poor}}).startswith("No rig is worth what it costs")


def test_without_a_price_of_power_or_a_rig_nothing_is_told(document):
    net = network.load(network.cases.find(None))
    assert views_worth.worth_view(net, document["ranking"], None) is None
    assert views_worth.worth_view(net, [], "us-texas") is None
    nothing = {"ranking": [], "steps": [], "production": {"ribbons": []}, "timeline": [], "ladder": {"panels": []}}
    told = {"country_name": "", "network": "", "estimates": [], "notes": []}
    assert pictures.pictures({"worth": None, "explained": None, "concentration": None, **nothing, **told}) == {}
    assert html._worth({"worth": None}, {})[0].startswith("<p>Not told")
