"""Spans: how far a few answers move, one thing moved at a time, each answer on a scale of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import CALM, FAINT, HIGHLIGHT, INK, PLAIN, QUIET, WIDTH, data, footer, titled, words

LEFT = 180
RIGHT = 20
PLOT = WIDTH - LEFT - RIGHT
ROW = 22


def spans(panels: Sequence[Mapping[str, Any]], title: str, under: str, mark_line: str) -> Any:
    """A panel an answer: ``name``, ``format``, ``here`` and rows of ``label``, ``low``, ``high``; here is a line."""
    drawn = [_panel(panel, mark_line if place == len(panels) - 1 else "") for place, panel in enumerate(panels)]
    return titled(alt.vconcat(*drawn, spacing=28), title, under)


def _panel(panel: Mapping[str, Any], below: str) -> Any:
    rows, height = panel["rows"], ROW * len(panel["rows"]) + 6
    ends = [0.0, panel["here"], *(row["low"] for row in rows), *(row["high"] for row in rows)]
    room = (max(ends) - min(ends)) * 0.04 or 1.0
    scale = alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False)
    axis = alt.Axis(title=panel["name"], format=panel["format"], gridColor=FAINT, tickCount=8)
    bars, names = [], []
    for place, row in enumerate(rows):
        middle = ROW * (place + 0.5) + 3
        names.append((-LEFT, middle, row["label"]))
        bars.append({"low": row["low"], "high": row["high"], "top": middle - 7, "bottom": middle + 7})
    lines = [{"at": 0.0, "top": 0, "bottom": height}, {"at": panel["here"], "top": 0, "bottom": height}]
    vertical = {"y": alt.Y("top:Q", **PLAIN), "y2": "bottom:Q"}
    at = alt.X("at:Q", scale=scale, axis=axis)
    layers = [
        alt.Chart(data(bars))
        .mark_rect(color=CALM, opacity=0.85, stroke=CALM, strokeWidth=2)
        .encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q", **vertical),
        alt.Chart(data(lines[:1])).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=at, **vertical),
        alt.Chart(data(lines[1:])).mark_rule(color=HIGHLIGHT, strokeWidth=2).encode(x=at, **vertical),
        words(names, fontSize=12, color=INK, limit=LEFT - 8),
    ]
    if below:
        layers.append(footer(-LEFT, height + 48, below))
    return alt.layer(*layers).properties(width=PLOT, height=height)
