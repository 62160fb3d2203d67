"""A treemap: areas in proportion, as near to squares as they get, groups side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from ashore.report.figures.theme import PLAIN, WIDTH, colours, data, footer, titled, words

PLOT = WIDTH - 20
HEIGHT = 420
LETTER = 5.9  # points of width of a letter


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle, in points from the upper left corner, with the place of its value in the list given."""

    place: int
    x: float
    y: float
    width: float
    height: float


def tiles(values: Sequence[float], x: float, y: float, width: float, height: float) -> list[Tile]:
    """Rectangles of areas in proportion to ``values`` that fill the given one (Bruls, Huizing and van Wijk, 2000).

    The largest come first; rows are laid along the shorter side and closed when one more would make them less square.
    Values of 0 get none.
    """
    order = sorted((n for n, value in enumerate(values) if value > 0), key=lambda n: -values[n])
    whole = sum(values[n] for n in order)
    found: list[Tile] = []
    while order:
        side = min(width, height)
        scale = width * height / whole
        row: list[int] = []
        while order:
            wider = [*row, order[0]]
            if row and _worst(values, wider, scale, side) > _worst(values, row, scale, side):
                break
            row.append(order.pop(0))
        total = sum(values[n] for n in row)
        thick = scale * total / side
        at = 0.0
        for n in row:
            long = side * values[n] / total
            across = width < height  # the row lies along the top
            found.append(Tile(n, x + at, y, long, thick) if across else Tile(n, x, y + at, thick, long))
            at += long
        if width < height:
            y, height = y + thick, height - thick
        else:
            x, width = x + thick, width - thick
        whole -= total
    return found


def _worst(values: Sequence[float], row: Sequence[int], scale: float, side: float) -> float:
    """The greatest ratio of sides in a row."""
    total = sum(values[n] for n in row)
    thick = scale * total / side
    return max(max(thick / long, long / thick) for n in row if (long := side * values[n] / total))


def treemap(rows: Sequence[Mapping[str, Any]], title: str, under: str, mark_line: str) -> Any:
    """A tile a row, as large as its ``value``; ``kind`` gives the colour.

    In it stand ``label`` and the first of the texts in ``figures`` that fits.
    """
    laid = tiles([row["value"] for row in rows], 0, 0, PLOT, HEIGHT)
    kinds = list(dict.fromkeys(rows[tile.place]["kind"] for tile in laid))
    legend = alt.Legend(orient="top", title=None, columns=max(1, len(kinds)), symbolType="square")
    boxes = [
        {"x": t.x, "x2": t.x + t.width, "y": t.y, "y2": t.y + t.height, "kind": rows[t.place]["kind"]} for t in laid
    ]
    names, figures = [], []
    for tile in laid:
        row = rows[tile.place]
        if tile.height > 36 and tile.width > LETTER * 9:
            letters = int((tile.width - 12) / LETTER)
            names.append((tile.x + 6, tile.y + 13, _cut(row["label"], letters)))
            told = next((text for text in row["figures"] if len(text) <= letters), "")
            figures.append((tile.x + 6, tile.y + 28, told))
    chart = alt.layer(
        alt.Chart(data(boxes))
        .mark_rect(stroke="white", strokeWidth=1.5, opacity=0.6)
        .encode(
            x=alt.X("x:Q", **PLAIN),
            x2="x2:Q",
            y=alt.Y("y:Q", **PLAIN),
            y2="y2:Q",
            color=alt.Color("kind:N", scale=colours(kinds), legend=legend),
        ),
        words(names, fontWeight="bold", fontSize=11),
        words(figures, fontSize=11),
        footer(0, HEIGHT + 14, mark_line),
    ).properties(width=PLOT, height=HEIGHT)
    return titled(chart, title, under)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: max(1, letters - 1)] + "…"
