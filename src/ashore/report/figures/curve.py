"""The frontier: mean cost against the tail, a point for each weight of the tail, with what opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import altair as alt

from ashore.report.figures.theme import (
    CALM,
    HIGHLIGHT,
    INK,
    LINE,
    PLAIN,
    QUIET,
    WIDTH,
    data,
    footer,
    ruler,
    titled,
    words,
)

LEFT = 100
PLOT = WIDTH - LEFT - 250
HEIGHT = 380
ROOM = 0.06  # of the range of an axis, left free on each side
LETTERS = 40  # of a label in one line


def frontier_curve(
    points: Sequence[Mapping[str, Any]], axes: tuple[str, str], title: str, under: str, mark_line: str
) -> Any:
    """A line from least mean to least tail, straight between the plans found, and what each opens written beside it.

    points: ``mean`` and ``tail`` in millions of USD, ``weight``, ``label``. axes: what stands along, and up.
    """
    across, up = ([point[name] for point in points] for name in ("mean", "tail"))
    (left, right), (low, high) = _range(across), _range(up)
    places = [
        {
            "px": (x - left) / (right - left) * PLOT,
            "py": HEIGHT - (y - low) / (high - low) * HEIGHT,
            "end": point["weight"] in (0.0, 1.0),
        }
        for x, y, point in zip(across, up, points, strict=True)
    ]
    x, y = alt.X("px:Q", **PLAIN), alt.Y("py:Q", **PLAIN)
    colour = alt.Color("end:N", scale=alt.Scale(domain=[False, True], range=[CALM, HIGHLIGHT]), legend=None)
    chart = alt.layer(
        ruler((left, right, _axis(axes[0])), (low, high, _axis(axes[1]))),
        alt.Chart(data(places)).mark_line(color=CALM, strokeWidth=2).encode(x=x, y=y, order="px:Q"),
        alt.Chart(data(places)).mark_point(filled=True, size=90, opacity=1).encode(x=x, y=y, color=colour),
        words([(at["px"] - 8, at["py"] + 12, f"{p['weight']:.2g}") for at, p in zip(places, points, strict=True)],
              color=QUIET, fontSize=11, align="right"),
        words(_labels(places, points), fontSize=11, color=INK),
        footer(-LEFT, HEIGHT + 50, mark_line),
    ).properties(width=PLOT, height=HEIGHT)  # fmt: skip
    return titled(chart, title, under)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = ROOM * (high - low) or max(abs(high), 1.0) * 0.01
    return low - room, high + room


def _axis(title: str) -> alt.Axis:
    return alt.Axis(title=title, format=",~r", tickCount=6, grid=False)


def _labels(places: Sequence[Mapping[str, Any]], points: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, str]]:
    """Labels to the right of their points and above them, where a falling, flattening line never is."""
    rows: list[tuple[float, float, str]] = []
    for place, point in zip(places, points, strict=True):
        lines = wrap(point["label"], LETTERS, break_on_hyphens=False)
        top = place["py"] - 9 - LINE * (len(lines) - 1)
        rows += [(place["px"] + 12, top + LINE * number, line) for number, line in enumerate(lines)]
    return rows
