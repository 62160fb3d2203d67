"""The duty ladder: the total rate on a rig from each origin over time, one small panel an origin, on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt

from ashore.report.figures.theme import CALM, HIGHLIGHT, QUIET, data, footer, titled, words

ACROSS = 4
WIDTH, HEIGHT = 196, 92  # of a panel
SPACE = 28  # between panels
HEAD = 22  # points above a panel for its name
HELD = 45 / 365  # a rate that held for so many years lies within the scale; shorter peaks may be cut off


def duty_ladder(panels: Sequence[Mapping[str, Any]], until: date, title: str, under: str, mark_line: str) -> Any:
    """Steps of the total rate.

    panels: one an origin, with ``label``, ``steps`` (from: ISO day, rate: share of customs value; in order of time)
    and ``home`` (True: made in the country that keeps the tariff). Short peaks above the scale are cut off and told
    in figures, so that they do not flatten the rest.
    """
    top = ceiling(panels, until)
    first = min((day_number(step["from"]) for panel in panels for step in panel["steps"]), default=2000.0)
    span = (first, year_of(until))
    rows = -(-len(panels) // ACROSS)
    charts = []
    for place, panel in enumerate(panels):
        chart = _panel(panel, until, top, span, named=place % ACROSS == 0)
        if place == (rows - 1) * ACROSS:
            chart = alt.layer(*chart.layer, footer(-30, HEIGHT + 34, mark_line)).properties(width=WIDTH, height=HEIGHT)
        charts.append(chart)
    grid = alt.concat(*charts, columns=ACROSS, spacing={"column": SPACE + 6, "row": SPACE + HEAD + 6})
    return titled(grid.properties(bounds="flush"), title, under)


def ceiling(panels: Sequence[Mapping[str, Any]], until: date) -> float:
    """Top of the scale as a share: what held for ``HELD`` or holds at the end lies under it, to the next 0.1."""
    rates = [0.0]
    for panel in panels:
        rates += [rate for start, end, rate in stretches(panel["steps"], until) if end - start >= HELD]
        rates += [step["rate"] for step in panel["steps"][-1:]]
    return max(0.1, math.ceil(10 * max(rates) - 1e-9) / 10)


def stretches(steps: Sequence[Mapping[str, Any]], until: date) -> list[tuple[float, float, float]]:
    """(from, until, rate) of each step, days as fractions of years."""
    starts = [day_number(step["from"]) for step in steps]
    ends = [*starts[1:], year_of(until)]
    return [(start, end, step["rate"]) for start, end, step in zip(starts, ends, steps, strict=True)]


def peaks(
    steps: Sequence[Mapping[str, Any]], until: date, top: float, apart: float = 0.75
) -> list[tuple[float, float]]:
    """(day, rate) of what sticks out over the top: the highest of each cluster, clusters ``apart`` years or more."""
    found: list[tuple[float, float]] = []
    for start, _, rate in stretches(steps, until):
        if rate <= top:
            continue
        if found and start - found[-1][0] < apart:
            if rate > found[-1][1]:
                found[-1] = (start, rate)
        else:
            found.append((start, rate))
    return found


def year_of(day: date) -> float:
    """2026-07-02 → 2026.5: the day as a fraction of its year."""
    first, after = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    return day.year + (day - first).days / (after - first).days


def day_number(text: str) -> float:
    return year_of(date.fromisoformat(text))


def _panel(panel: Mapping[str, Any], until: date, top: float, span: tuple[float, float], named: bool) -> Any:
    steps = panel["steps"]
    points = [{"day": start, "rate": min(rate, top)} for start, _, rate in stretches(steps, until)]
    points.append({"day": year_of(until), "rate": points[-1]["rate"]})
    colour = CALM if panel["home"] else HIGHLIGHT
    ticks = [year for year in range(int(span[0]), int(span[1]) + 1, 2) if year >= span[0]]
    x = alt.X(
        "day:Q",
        scale=alt.Scale(domain=list(span), nice=False),
        axis=alt.Axis(title=None, values=ticks, format="d", grid=False, labelFontSize=11),
    )
    y = alt.Y(
        "rate:Q",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(title=None, format=".0%", tickCount=3, domain=False, ticks=False, labels=named),
    )
    area = (
        alt.Chart(data(points))
        .mark_area(interpolate="step-after", color=colour, opacity=0.25, line={"color": colour, "strokeWidth": 1.6})
        .encode(x=x, y=y)
    )
    width = span[1] - span[0]
    out = [
        (WIDTH * (day - span[0]) / width - 5, 8.0, f"{100 * rate:.1f} % ↑") for day, rate in peaks(steps, until, top)
    ]
    now = f"{100 * steps[-1]['rate']:.1f} %"
    return alt.layer(
        area,
        words([(0, -HEAD / 2, panel["label"])], fontWeight="bold", fontSize=13),
        words([(WIDTH, -HEAD / 2, now)], fontWeight="bold", fontSize=13, align="right", color=colour),
        words(out, align="right", fontSize=11, color=QUIET),
    ).properties(width=WIDTH, height=HEIGHT)
