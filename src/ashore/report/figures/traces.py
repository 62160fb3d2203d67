"""Frequency over time after an event, with the bands of the state of the grid and of the structure of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import CALM, FAINT, HIGHLIGHT, INK, QUIET, WIDTH, data, footer, titled, words

LEFT = 70
RIGHT = 250  # points for the names of thresholds
PLOT = WIDTH - LEFT - RIGHT
HEIGHT = 360
ROOM = 0.06
LABEL = 15.0  # points that a name needs


def frequency_traces(
    traces: Mapping[str, Sequence[float]],
    structure: Sequence[tuple[float, float]],
    step_s: float,
    thresholds: Sequence[tuple[float, str]],
    text: tuple[str, str, str],
) -> Any:
    """Lines of mid (blue) and with limits (orange); wide band weak to strong, narrow dark band the structure.

    traces: Hz every step_s seconds by ``weak``, ``mid``, ``strong``, ``with_limits``. structure: low and high of each
    point. thresholds: Hz and name; those far outside what is drawn are left out. text: title, line under it, footer.
    """
    title, under, mark_line = text
    shown = [value for values in traces.values() for value in values] + [value for pair in structure for value in pair]
    low, high = min(shown), max(shown)
    near = [row for row in thresholds if low - (high - low) / 2 <= row[0] <= high + (high - low) / 2]
    low, high = min([low, *(hz for hz, _ in near)]), max([high, *(hz for hz, _ in near)])
    room = ROOM * (high - low) or 0.01
    y = alt.Scale(domain=[low - room, high + room], nice=False)
    seconds = step_s * (len(traces["mid"]) - 1)
    x = alt.X("s:Q", scale=alt.Scale(domain=[0, seconds], nice=False), axis=alt.Axis(title="seconds", grid=False))
    axis = alt.Axis(title="Hz", format=".2f", gridColor=FAINT)
    state = [
        {"s": step_s * n, "low": min(pair), "high": max(pair)}
        for n, pair in enumerate(zip(traces["weak"], traces["strong"], strict=True))
    ]
    shape = [{"s": step_s * n, "low": pair[0], "high": pair[1]} for n, pair in enumerate(structure)]
    lines = [
        {"s": step_s * n, "hz": value, "line": name}
        for name in ("mid", "with_limits")
        for n, value in enumerate(traces[name])
    ]
    colour = alt.Color("line:N", scale=alt.Scale(domain=["mid", "with_limits"], range=[CALM, HIGHLIGHT]), legend=None)
    top, bottom = alt.Y("low:Q", scale=y, axis=axis), "high:Q"

    def down(hz: float) -> float:
        return HEIGHT * (high + room - hz) / (high - low + 2 * room)

    chart = alt.layer(
        alt.Chart(data(state)).mark_area(color=CALM, opacity=0.15).encode(x=x, y=top, y2=bottom),
        alt.Chart(data(shape)).mark_area(color=CALM, opacity=0.25).encode(x=x, y=top, y2=bottom),
        alt.Chart(data([{"hz": hz} for hz, _ in near]))
        .mark_rule(color=QUIET, strokeDash=[4, 3])
        .encode(y=alt.Y("hz:Q", scale=y)),
        alt.Chart(data(lines)).mark_line(strokeWidth=2).encode(x=x, y=alt.Y("hz:Q", scale=y), color=colour),
        words(_apart([(PLOT + 8, down(hz), f"{hz:g} {name}") for hz, name in near]), color=INK, fontSize=11,
              limit=RIGHT - 10),
        footer(-LEFT, HEIGHT + 48, mark_line),
    ).properties(width=PLOT, height=HEIGHT)  # fmt: skip
    return titled(chart, title, under)


def _apart(rows: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Names one below the other, pushed down where they would meet."""
    found: list[tuple[float, float, str]] = []
    for x, y, text in sorted(rows, key=lambda row: row[1]):
        found.append((x, max(y, found[-1][1] + LABEL) if found else y, text))
    return found
