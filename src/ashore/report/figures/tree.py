"""The policy tree with what is decided in each node: a row a node, its line over its dates, decisions as diamonds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import (
    CALM,
    FAINT,
    HIGHLIGHT,
    LINE,
    PLAIN,
    QUIET,
    WIDTH,
    data,
    folded,
    footer,
    titled,
    words,
    years,
)

RIGHT = 20  # points beside the plot
PLOT = WIDTH - RIGHT
HEAD = 14  # points from the top of a row to the middle of its first line of text
FOOT = 14  # points from the last of them to the line, and below it
LETTERS = 6.1  # points a letter takes


def policy_tree(
    nodes: Sequence[Mapping[str, Any]], months: Sequence[str], title: str, under: str, mark_line: str
) -> Any:
    """A row for each node, parents above children.

    nodes: ``node``, ``parent`` (None: the root), ``first`` and ``until`` (months it holds, as places in ``months``),
    ``label`` and, below it, ``decisions`` (month and text of each), which stand above the line.
    """
    step = PLOT / len(months)
    lines: list[dict[str, float]] = []
    elbows: list[dict[str, float]] = []
    marks: list[dict[str, float]] = []
    names: list[tuple[float, float, str]] = []
    texts: list[tuple[float, float, str]] = []
    row_of: dict[str, float] = {}
    y = 0.0
    for node in nodes:
        x, x2 = node["first"] * step, node["until"] * step
        y += HEAD
        names.append((min(x + 2, PLOT - 330), y, node["label"]))
        for month, text in node["decisions"]:
            left = min((month + 0.5) * step + 2, PLOT - 330)
            for line in folded(text, int((PLOT - left) / LETTERS)):
                y += LINE
                texts.append((left, y, line))
        y += FOOT
        marks += [{"x": (month + 0.5) * step, "y": y} for month, _ in node["decisions"]]
        lines.append({"x": x, "x2": x2, "y": y})
        if node["parent"] is not None:
            elbows.append({"x": x, "y": row_of[node["parent"]], "y2": y})
        row_of[node["node"]] = y
        y += FOOT
    starts = years(months, step)
    height = y + 6
    chart = alt.layer(
        alt.Chart(data({"x": place, "top": 0, "bottom": height} for place, _ in starts))
        .mark_rule(color=FAINT)
        .encode(x=alt.X("x:Q", **PLAIN), y=alt.Y("top:Q", **PLAIN), y2="bottom:Q"),
        alt.Chart(data(elbows))
        .mark_rule(color=CALM, strokeWidth=2)
        .encode(x=alt.X("x:Q", **PLAIN), y=alt.Y("y:Q", **PLAIN), y2="y2:Q"),
        alt.Chart(data(lines))
        .mark_rule(color=CALM, strokeWidth=5, strokeCap="round")
        .encode(x=alt.X("x:Q", **PLAIN), x2="x2:Q", y=alt.Y("y:Q", **PLAIN)),
        alt.Chart(data(marks))
        .mark_point(shape="diamond", filled=True, size=120, color=HIGHLIGHT, opacity=1)
        .encode(x=alt.X("x:Q", **PLAIN), y=alt.Y("y:Q", **PLAIN)),
        words(names, fontWeight="bold"),
        words(texts, fontSize=11),
        words([(place + 3, height + 10, year) for place, year in starts], color=QUIET),
        footer(0, height + 28, mark_line),
    ).properties(width=PLOT, height=height)
    return titled(chart, title, under)
