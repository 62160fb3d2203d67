"""The plan over time: what each plant makes month by month, as a share of its capacity, and what opens when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import CALM, FAINT, HIGHLIGHT, PLAIN, QUIET, WIDTH, data, footer, titled, words, years

LEFT = 240  # points for the names of plants
RIGHT = 170  # and for the figures
PLOT = WIDTH - LEFT - RIGHT
ROW = 34  # from one plant to the next
FULL = 26  # height of full capacity


SHAPES = {"expand": "triangle-up", "mothball": "triangle-down", "restart": "triangle-right", "close": "cross"}


def plan_timeline(
    rows: Sequence[Mapping[str, Any]], months: Sequence[str], title: str, under: str, mark_line: str
) -> Any:
    """Area of each plant's monthly make over its capacity.

    rows: one a plant, with ``label``, ``share`` (of capacity, one a month), ``peak`` (text at the right), ``opened``
    (True: a candidate that the plan opens), ``decided`` and ``ready`` (months, or None), ``steps`` (month, step of
    SHAPES).
    months: ISO first days, one a month.
    """
    count = len(months)
    width = PLOT / count
    points: list[dict[str, Any]] = []
    grounds: list[dict[str, float]] = []
    ticks: list[dict[str, float]] = []
    marks: list[dict[str, float]] = []
    others: list[dict[str, Any]] = []
    names: list[tuple[float, float, str]] = []
    strong: list[tuple[float, float, str]] = []
    figures: list[tuple[float, float, str]] = []
    for place, row in enumerate(rows):
        base = ROW * (place + 1)
        for month, share in enumerate(row["share"]):
            point = {"row": place, "opened": row["opened"], "base": base, "top": base - FULL * min(share, 1.0)}
            points += [point | {"x": month * width}, point | {"x": (month + 1) * width}]
        (strong if row["opened"] else names).append((-LEFT, base - FULL / 2, row["label"]))
        grounds.append({"x": 0, "x2": PLOT, "top": base - FULL, "bottom": base})
        figures.append((PLOT + 12, base - FULL / 2, row["peak"]))
        others += [
            {"x": (one["month"] + 0.5) * width, "y": base - FULL / 2, "step": one["step"]} for one in row["steps"]
        ]
        if row["decided"] is not None:
            marks.append({"x": (row["decided"] + 0.5) * width, "y": base - FULL / 2})
            if row["ready"] is not None and row["ready"] < count:
                ticks.append({"x": row["ready"] * width, "top": base - FULL, "bottom": base})
    height = ROW * len(rows) + 4
    x = alt.X("x:Q", **PLAIN)
    starts = years(months, width)
    lines = [{"x": place, "top": 0, "bottom": height} for place, _ in starts]
    chart = alt.layer(
        alt.Chart(data(grounds))
        .mark_rect(color=FAINT, opacity=0.35)
        .encode(x=x, x2="x2:Q", y=alt.Y("top:Q", **PLAIN), y2="bottom:Q"),
        alt.Chart(data(lines)).mark_rule(color=FAINT).encode(x=x, y=alt.Y("top:Q", **PLAIN), y2="bottom:Q"),
        alt.Chart(data(points))
        .mark_area(opacity=0.9)
        .encode(
            x=x,
            y=alt.Y("top:Q", **PLAIN),
            y2="base:Q",
            detail="row:N",
            color=alt.condition("datum.opened", alt.value(HIGHLIGHT), alt.value(CALM)),
        ),
        alt.Chart(data(ticks))
        .mark_rule(color=HIGHLIGHT, strokeWidth=2, strokeDash=[3, 2])
        .encode(x=x, y=alt.Y("top:Q", **PLAIN), y2="bottom:Q"),
        alt.Chart(data(marks))
        .mark_point(shape="diamond", filled=True, size=90, color=HIGHLIGHT, opacity=1)
        .encode(x=x, y=alt.Y("y:Q", **PLAIN)),
        alt.Chart(data(others))
        .mark_point(filled=True, size=90, color=HIGHLIGHT, opacity=1)
        .encode(
            x=x,
            y=alt.Y("y:Q", **PLAIN),
            shape=alt.Shape("step:N", legend=None, scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values()))),
        ),
        words(names, limit=LEFT - 8),
        words(strong, fontWeight="bold", limit=LEFT - 8),
        words(figures, fontSize=11),
        words([(place + 3, height + 10, year) for place, year in starts], color=QUIET),
        footer(-LEFT, height + 28, mark_line),
    ).properties(width=PLOT, height=height)
    return titled(chart, title, under)
