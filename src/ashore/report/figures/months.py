"""Stacks month by month, a panel for each branch and kind: what is made, shipped and delivered, and duty paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import FAINT, LINE, QUIET, WIDTH, colour, data, footer, titled, words, years

SPACE = 26  # points between panels
AXIS = 52  # points for the figures beside the first panel
HEIGHT = 118  # of a panel
LETTERS = 6.4  # points a letter of the legend takes
OTHER = "#8A8F98"


def month_stacks(
    panels: Sequence[Sequence[Mapping[str, Any]]],
    months: Sequence[str],
    kinds: Sequence[str],
    axis: tuple[str, str],
    told: tuple[str, str, str],
) -> Any:
    """Rows of panels on one scale a row.

    panels: rows of panels with ``title`` and ``series``: ``kind`` (one of ``kinds``, which gives its colour) and
    ``values``, one a month. axis: title and number format of the upright axes. told: title, subtitle and footer.
    """
    across = max(len(row) for row in panels)
    width = (WIDTH - AXIS - SPACE * (across - 1)) / across
    fills = [OTHER if kind == "other" else colour(n) for n, kind in enumerate(kinds)]
    widest = max((len(kind) for kind in kinds), default=1) * LETTERS + 30
    key = alt.Legend(orient="top", title=None, columns=max(1, int(WIDTH / widest)), offset=2, labelLimit=WIDTH)
    fill = alt.Color("kind:N", scale=alt.Scale(domain=list(kinds), range=fills), legend=key)
    rows = []
    for row in panels:
        top = max((sum(values) for panel in row for values in _columns(panel, len(months))), default=0.0)
        charts = [
            _panel(panel, months, (width, top * 1.03 or 1.0), fill, axis if place == 0 else None)
            for place, panel in enumerate(row)
        ]
        rows.append(alt.hconcat(*charts, spacing=SPACE).resolve_scale(color="shared"))
    rows.append(footer(6 - AXIS, 0, told[2]).properties(width=width, height=LINE))
    grid = alt.vconcat(*rows, spacing=SPACE - 6).resolve_scale(color="shared")
    return titled(grid, told[0], told[1])


def _columns(panel: Mapping[str, Any], months: int) -> list[list[float]]:
    """The values of all series in each month."""
    return [[series["values"][month] for series in panel["series"]] for month in range(months)]


def _panel(
    panel: Mapping[str, Any],
    months: Sequence[str],
    size: tuple[float, float],
    fill: alt.Color,
    axis: tuple[str, str] | None,
) -> Any:
    width, top = size
    step = width / len(months)
    points = []
    base = [0.0] * len(months)
    for series in panel["series"]:
        for month, value in enumerate(series["values"]):
            low, high = base[month], base[month] + value
            base[month] = high
            for edge in (month, month + 1):
                points.append({"x": edge * step, "low": low, "high": high, "kind": series["kind"]})
    upright = alt.Axis(
        title=axis[0] if axis else None,
        format=axis[1] if axis else ",",
        labels=axis is not None,
        ticks=axis is not None,
        domain=False,
        gridColor=FAINT,
        tickCount=4,
        titleFontSize=11,
        labelFontSize=11,
    )
    y = alt.Y("low:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=upright)
    area = (
        alt.Chart(data(points))
        .mark_area(opacity=0.95)
        .encode(
            x=alt.X("x:Q", scale=alt.Scale(domain=[0, width], nice=False), axis=None),
            y=y,
            y2="high:Q",
            color=fill,
        )
    )
    return alt.layer(
        area,
        words([(0, -11, panel["title"])], fontWeight="bold", fontSize=12),
        words([(place + 2, HEIGHT + 11, year) for place, year in years(months, step)], color=QUIET, fontSize=11),
    ).properties(width=width, height=HEIGHT)
