"""Ranges: what is known of a number in each row, from its least to its greatest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import CALM, FAINT, PLAIN, QUIET, WIDTH, data, footer, titled, words

LEFT = 330
RIGHT = 110
PLOT = WIDTH - LEFT - RIGHT
ROW = 22


def ranges(rows: Sequence[Mapping[str, Any]], axis: str, title: str, under: str, mark_line: str) -> Any:
    """A bar from ``low`` to ``high`` a row, with ``label`` at the left, ``group`` above the first of a group."""
    bars: list[dict[str, float]] = []
    names: list[tuple[float, float, str]] = []
    heads: list[tuple[float, float, str]] = []
    figures: list[tuple[float, float, str]] = []
    y, group = 0.0, None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            y += ROW * (1.6 if heads else 1.0)
            heads.append((-LEFT, y - ROW * 0.4, group))
        y += ROW
        bars.append({"low": row["low"], "high": row["high"], "y": y - 8, "y2": y + 4})
        names.append((-LEFT, y - 2, row["label"]))
        figures.append((PLOT + 8, y - 2, row["figure"]))
    height = y + 10
    most = max((bar["high"] for bar in bars), default=1.0)
    x = alt.Scale(domain=[0, most * 1.02], nice=False)
    chart = alt.layer(
        alt.Chart(data(bars))
        .mark_rect(color=CALM, opacity=0.8, stroke=CALM, strokeWidth=2)
        .encode(
            x=alt.X("low:Q", scale=x, axis=alt.Axis(title=axis, format=",~r", tickCount=6, gridColor=FAINT)),
            x2="high:Q",
            y=alt.Y("y:Q", **PLAIN),
            y2="y2:Q",
        ),
        words(names, fontSize=11, limit=LEFT - 8),
        words(heads, fontWeight="bold", color=QUIET, fontSize=12),
        words(figures, fontSize=11),
        footer(-LEFT, height + 48, mark_line),
    ).properties(width=PLOT, height=height)
    return titled(chart, title, under)
