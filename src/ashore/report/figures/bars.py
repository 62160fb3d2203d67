"""Landed cost, part by part: one bar a route, the routes of a product together, cheapest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import FAINT, QUIET, WIDTH, data, footer, titled, words

PARTS = {  # part of a landed cost: its colour; related parts are tints of one hue
    "make": "#0072B2",
    "bought": "#8CC3E6",
    "freight": "#009E73",
    "insurance": "#7FCDB8",
    "duty": "#D55E00",
    "fees": "#F0B27A",
    "carrying": "#8A8F98",
}
ON_LIGHT = ("bought", "insurance", "fees")  # tints on which text is dark
LEFT = 250  # points for the names to the left of the bars
RIGHT = 215  # and for the figures to the right
PLOT = WIDTH - LEFT - RIGHT
ROW = 23
HEAD = 34
COLUMNS = (("USD a unit", 68), ("over cheapest", 152), ("USD/TH", 208))  # right edges, from the end of the plot


def landed_bars(groups: Sequence[Mapping[str, Any]], title: str, under: str, mark_line: str) -> Any:
    """Stacked bars of landed cost in USD a unit.

    groups: one a product, with ``title`` and ``rows``; a row has ``label``, ``usd_unit``, ``usd_ths`` (or None),
    ``strong`` (set in bold: the step looked at) and ``parts`` by the names of ``PARTS``, which sum to ``usd_unit``.
    """
    pieces: list[dict[str, Any]] = []
    heads: list[tuple[float, float, str]] = []
    names: list[tuple[float, float, str]] = []
    strong: list[tuple[float, float, str]] = []
    figures: list[tuple[float, float, str]] = []
    y = 0.0
    for group in groups:
        heads.append((-LEFT, y + 18, group["title"]))
        y += HEAD
        least = min((row["usd_unit"] for row in group["rows"]), default=0.0)
        for row in group["rows"]:
            middle = y + ROW / 2
            (strong if row["strong"] else names).append((-LEFT, middle, row["label"]))
            pieces.extend(piece | {"top": y + 3, "bottom": y + ROW - 3} for piece in segments(row))
            ths = row["usd_ths"]
            over = row["usd_unit"] - least
            texts = (f"{row['usd_unit']:,.0f}", f"+{over:,.0f}" if over else "", "" if ths is None else f"{ths:.2f}")
            figures.extend((PLOT + edge, middle, text) for (_, edge), text in zip(COLUMNS, texts, strict=True) if text)
            y += ROW
        y += 6
    height = y + 4
    titles = [(PLOT + edge, 18, name) for name, edge in COLUMNS]
    chart = alt.layer(
        *_bars(pieces, height),
        words(heads, fontSize=13, fontWeight="bold"),
        words(names, limit=LEFT - 8),
        words(strong, fontWeight="bold", limit=LEFT - 8),
        words(figures, align="right"),
        words(titles, align="right", color=QUIET, fontSize=11),
        footer(-LEFT, height + 44, mark_line),
    ).properties(width=PLOT, height=height)
    return titled(chart, title, under)


def segments(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a route as bar segments that follow each other: part, usd, from, to."""
    found, reached = [], 0.0
    for part in PARTS:
        usd = row["parts"].get(part, 0.0)
        found.append({"label": row["label"], "part": part, "usd": usd, "from": reached, "to": reached + usd})
        reached += usd
    return found


def _bars(pieces: list[dict[str, Any]], height: float) -> list[Any]:
    top = max((piece["to"] for piece in pieces), default=1.0)
    axis = alt.Axis(title="USD a unit, landed", format=",d", gridColor=FAINT, tickCount=6)
    x = alt.X("from:Q", scale=alt.Scale(domain=[0, top * 1.005], nice=False), axis=axis)
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=list(PARTS), range=list(PARTS.values())),
        legend=alt.Legend(orient="top", title=None, columns=len(PARTS), offset=2),
    )
    y = alt.Y("top:Q", scale=None, axis=None)
    bars = alt.Chart(data(pieces)).mark_rect(stroke=None).encode(x=x, x2="to:Q", y=y, y2="bottom:Q", color=colour)
    wide = [
        piece | {"mid": (piece["from"] + piece["to"]) / 2, "middle": (piece["top"] + piece["bottom"]) / 2}
        for piece in pieces
        if piece["usd"] * PLOT > 32 * top
    ]
    texts = [
        alt.Chart(data(piece for piece in wide if (piece["part"] in ON_LIGHT) == light))
        .mark_text(color="#1f2328ff" if light else "white", fontSize=11, baseline="middle")
        .encode(
            x=alt.X("mid:Q", axis=axis),
            y=alt.Y("middle:Q", scale=None, axis=None),
            text=alt.Text("usd:Q", format=",.0f"),
        )
        for light in (False, True)
    ]
    return [bars, *texts]
