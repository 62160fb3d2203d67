"""Cost bridges: what each cost line adds on the way from one total to another, one panel a pair of totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import floor, log10
from typing import Any

import altair as alt

from ashore.report.figures.theme import CALM, FAINT, HIGHLIGHT, INK, PLAIN, QUIET, WIDTH, data, footer, titled, words

LEFT = 235  # points for the names of lines
RIGHT = 90  # and for the last figures
PLOT = WIDTH - LEFT - RIGHT
ROW = 21
HEAD = 32
GAP = 14


def cost_bridges(bridges: Sequence[Mapping[str, Any]], title: str, under: str, mark_line: str) -> Any:
    """Bars that follow each other from 0 to the difference of two totals.

    bridges: ``title``, and ``lines``: ``label`` and ``usd`` of each, in the order drawn; all on one scale.
    """
    pieces: list[dict[str, Any]] = []
    heads, names, strong, figures = [], [], [], []
    zeros, joints = [], []
    reach = [x for bridge in bridges for x in accumulate((line["usd"] for line in bridge["lines"]), initial=0.0)]
    low, high = min(reach, default=0.0), max(reach, default=1.0)
    scale = PLOT / ((high - low) or 1.0)
    places = decimals(max(abs(low), abs(high)))
    y = 0.0
    for bridge in bridges:
        heads.append((-LEFT, y + 16, bridge["title"]))
        y += HEAD
        top, at = y, 0.0
        for line in bridge["lines"]:
            ends = sorted((at, at + line["usd"]))
            pieces.append(_piece(ends, low, scale, y, HIGHLIGHT if line["usd"] > 0 else CALM))
            names.append((-LEFT, y + ROW / 2, line["label"]))
            figures.append(((ends[1] - low) * scale + 6, y + ROW / 2, _signed(line["usd"], places)))
            at += line["usd"]
            joints.append({"x": (at - low) * scale, "y": y + 4, "y2": y + ROW + 4})
            y += ROW
        pieces.append(_piece(sorted((0.0, at)), low, scale, y, QUIET))
        strong.append((-LEFT, y + ROW / 2, "together"))
        figures.append(((max(0.0, at) - low) * scale + 6, y + ROW / 2, _signed(at, places)))
        y += ROW
        zeros.append({"x": -low * scale, "y": top - 2, "y2": y + 2})
        y += GAP
    height = y
    fill = alt.Color("fill:N", scale=None, legend=None)
    rule = {"x": alt.X("x:Q", **PLAIN), "y": alt.Y("y:Q", **PLAIN), "y2": "y2:Q"}
    chart = alt.layer(
        alt.Chart(data(zeros)).mark_rule(color=INK).encode(**rule),
        alt.Chart(data(joints)).mark_rule(color=FAINT).encode(**rule),
        alt.Chart(data(pieces))
        .mark_rect()
        .encode(x=alt.X("x:Q", **PLAIN), x2="x2:Q", y=alt.Y("top:Q", **PLAIN), y2="bottom:Q", color=fill),
        words(heads, fontSize=13, fontWeight="bold"),
        words(names, limit=LEFT - 8),
        words(strong, fontWeight="bold"),
        words(figures, fontSize=11),
        footer(-LEFT, height + 4, mark_line),
    ).properties(width=PLOT, height=height)
    return titled(chart, title, under)


def _piece(ends: Sequence[float], low: float, scale: float, y: float, fill: str) -> dict[str, Any]:
    x, x2 = ((end - low) * scale for end in ends)
    return {"x": x, "x2": max(x2, x + 1), "top": y + 4, "bottom": y + ROW - 3, "fill": fill}


def decimals(usd: float) -> int:
    """How many decimals of a million the largest amount needs to show four figures, at least one."""
    return max(1, 3 - floor(log10(usd / 1e6))) if usd > 0 else 1


def _signed(usd: float, places: int) -> str:
    """USD in millions with its sign: "+12.3", "−0.4"."""
    return f"{'+' if usd >= 0 else '−'}{abs(usd) / 1e6:,.{places}f}"
