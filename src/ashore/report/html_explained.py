"""The numbers of the figures that explain a plan as HTML tables, and the values that come with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from ashore.dates import month_date
from ashore.report.html_tables import table
from ashore.report.text_explained import regions_of, steps_in_words
from ashore.report.words import DASH, dated, decided, named, percent, takes_effect, usd

Document = Mapping[str, Any]


def tree(view: Document) -> str:
    rows = []
    for node in view["nodes"]:
        said = [
            f"{row['plant']} {decided(row)} in {dated(view['start'], row['month'])}"
            f" ({takes_effect(view['start'], view['months'], row)})"
            for row in node["decisions"]
        ]
        cells = [node["node"], node["parent"] or DASH, node["from"], "; ".join(said) or DASH]
        rows.append([*cells, percent(node["given"]), percent(node["chance"]), usd(node["path_usd"], 0)])
    heads = ["node", "after", "from", "decided in it", "chance after it", "chance", "USD to its end"]
    return table(heads, rows, 3)


def flows(view: Document, names: Mapping[str, str]) -> str:
    """Units by year."""
    years = _years(view)
    rows = [
        [
            row["branch"],
            row["stage"],
            names.get(row["origin"], row["origin"]),
            *(f"{amount:,.0f}" for amount in by_year(row["units"], view).values()),
            f"{sum(row['units']):,.0f}",
        ]
        for row in view["flows"]
    ]
    return table(["branch", "units", "origin", *map(str, years), "all"], rows, len(years) + 1)


def duty(view: Document) -> str:
    """USD by year, every heading."""
    years = _years(view)
    rows = [
        [
            row["branch"],
            f"{row['heading']} {row['authority']}",
            *(usd(amount, 0) for amount in by_year(row["usd"], view).values()),
            usd(sum(row["usd"]), 0),
        ]
        for row in view["duty"]
    ]
    return table(["branch", "heading", *map(str, years), "all"], rows, len(years) + 1)


def by_year(values: list[float], view: Document) -> dict[int, float]:
    """The sums of monthly values over calendar years."""
    found: dict[int, float] = defaultdict(float)
    start = date.fromisoformat(view["start"])
    for month, value in enumerate(values):
        found[month_date(start, month).year] += value
    return dict(found)


def _years(view: Document) -> list[int]:
    return list(by_year([0.0] * view["months"], view))


def bridges(view: Document) -> str:
    tables = []
    for bridge in view["bridges"]:
        rows = [[row["line"], f"{row['usd']:+,.0f}"] for row in bridge["lines"]]
        rows.append(["together", f"{bridge['to_usd'] - bridge['from_usd']:+,.0f}"])
        caption = f"{bridge['from']} to {bridge['to']}, USD discounted"
        tables.append(table(["cost line", "USD"], rows, 1, [False] * (len(rows) - 1) + [True], caption))
    return "".join(tables)


def options(found: Document) -> str:
    """What foresight, the tree and each candidate are worth."""
    vss = found["vss_usd"]
    rows = [
        ["knowing the branch at the start", usd(found["evpi_usd"], 0)],
        ["planning for the tree instead of its mean", "no plan without it" if vss is None else usd(vss, 0)],
    ]
    for row in found["options"]:
        worth = row["value_usd"]
        rows.append([f"having {row['plant']}", "no plan without it" if worth is None else usd(worth, 0)])
    return table(["what", "worth, USD"], rows, 1)


def prices(found: Document) -> str:
    """What one more unit a month is worth, by node and year, for the names told in words."""
    told = {(step["what"], step["name"], step["year"]) for step in found["shadow_steps"]}
    rows = [
        [
            row["what"],
            row["name"],
            row["node"],
            f"{row['year']}",
            usd(row["usd_per_unit"], 0),
            usd(row["expected_usd"], 0),
        ]
        for row in found["shadow"]
        if (row["what"], row["name"], row["year"]) in told
    ]
    heads = ["what", "name", "if in node", "year", "USD a unit", "expected, discounted"]
    return table(heads, rows, 2)


def in_words(found: Document) -> list[str]:
    return steps_in_words(found["shadow_steps"], found["shadow"])


def ladders(found: Document) -> str:
    rows = [
        [
            ladder["rule"],
            named(step["orders"]),
            percent(round(step["from"], 6)),
            percent(round(step["until"], 6)),
        ]
        for ladder in found["ladders"]
        for step in ladder["ladder"]
    ]
    return table(["rule", "decided first", "from", "to"], rows, 2)


def plane(found: Document) -> str:
    """The share of the map of each decision, and the rates it spans."""
    drawn = found["map"]
    rows = [[*told, share] for share, *told in regions_of(drawn)]
    return table(["decided first", *drawn["rules"], "of the map"], rows, 1)
