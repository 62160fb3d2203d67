"""Break-evens of rules: what is decided first as the rate of one rule rises, and over the rates of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import altair as alt

from ashore.report.figures.theme import (
    FAINT,
    INK,
    LINE,
    PLAIN,
    WIDTH,
    colour,
    data,
    folded,
    footer,
    ruler,
    titled,
    words,
)
from ashore.report.words import named

LEFT = 210  # points for the names of rules
BAR = 30  # height of a ladder
ROW = 46  # from one ladder to the next
SIDE = 430  # of a map
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Decisions = Sequence[tuple[str, ...]]


def letter(place: int) -> str:
    """A, B, … Z, A1, B1, …: the name of a decision in a figure."""
    turn, place = divmod(place, len(LETTERS))
    return LETTERS[place] + (str(turn) if turn else "")


def rule_ladders(
    ladders: Sequence[Mapping[str, Any]], decisions: Decisions, most: float, title: str, under: str, mark_line: str
) -> Any:
    """A bar for each rule from rate 0 to ``most``, in pieces that decide the same.

    ladders: ``label``, ``now`` (rates in the plan), ``steps`` (from, until, place in ``decisions``).
    """
    plot = WIDTH - LEFT - 20
    scale = plot / most
    pieces, letters, names, nows = [], [], [], []
    for number, ladder in enumerate(ladders):
        top = 8 + ROW * number
        names.append((-LEFT, top + BAR / 2, ladder["label"]))
        for low, high, place in ladder["steps"]:
            x, x2 = low * scale, high * scale
            pieces.append({"x": x, "x2": x2, "top": top, "bottom": top + BAR, "fill": colour(place)})
            if x2 - x > 14:
                letters.append(((x + x2) / 2, top + BAR / 2, letter(place)))
        nows += [{"x": rate * scale, "top": top - 5, "bottom": top + BAR + 5} for rate in ladder["now"] if rate <= most]
    height = 8 + ROW * len(ladders)
    shown = {place for ladder in ladders for _, _, place in ladder["steps"]}
    key, deep = legend(decisions, shown, height + 50, -LEFT, 150)
    axis = alt.Axis(title="rate, share of customs value; dashes: in the plan", format=".0%", tickCount=10, grid=False)
    chart = alt.layer(
        ruler((0, most, axis)),
        _rects(pieces),
        alt.Chart(data(nows))
        .mark_rule(color=INK, strokeWidth=2, strokeDash=[4, 3])
        .encode(x=alt.X("x:Q", **PLAIN), y=alt.Y("top:Q", **PLAIN), y2="bottom:Q"),
        words(letters, align="center", color="white", fontWeight="bold"),
        words(names, limit=LEFT - 10),
        *key,
        footer(-LEFT, height + 54 + deep, mark_line),
    ).properties(width=plot, height=height)
    return titled(chart, title, under)


def rule_map(drawn: Mapping[str, Any], decisions: Decisions, title: str, under: str, mark_line: str) -> Any:
    """The plane of the rates of two rules, a colour and a letter for each decision.

    drawn: ``rules``, ``now`` (rates of each in the plan), ``rates``, ``cells`` (row, column: place in ``decisions``).
    """
    rates, cells = drawn["rates"], drawn["cells"]
    scale = SIDE / rates[-1]
    half = (rates[1] - rates[0]) / 2 * scale
    edges = [(max(0.0, rate * scale - half), min(SIDE, rate * scale + half)) for rate in rates]
    pieces = [
        {"x": x, "x2": x2, "top": SIDE - up, "bottom": SIDE - down, "fill": colour(place)}
        for (down, up), row in zip(edges, cells, strict=True)
        for x, x2, place in stretches(edges, row)
    ]
    spots = [
        (rates[i] * scale, SIDE - rates[j] * scale, letter(place))
        for place, (i, j, depth) in heart_of_each(cells).items()
        if (2 * depth - 1) * 2 * half > LINE
    ]
    now = [{"x": x * scale, "y": SIDE - y * scale} for x in drawn["now"][0] for y in drawn["now"][1]]
    key, _ = legend(decisions, {place for row in cells for place in row}, 10, SIDE + 30, 66)
    one, other = (
        (0, rates[-1], alt.Axis(title=f"rate of {rule}", format=".0%", tickCount=8, grid=False, domainColor=FAINT))
        for rule in drawn["rules"]
    )
    chart = alt.layer(
        ruler(one, other),
        _rects(pieces, 0.6),
        alt.Chart(data(now))
        .mark_point(shape="diamond", filled=True, size=120, color="white", stroke=INK, strokeWidth=1.5, opacity=1)
        .encode(x=alt.X("x:Q", **PLAIN), y=alt.Y("y:Q", **PLAIN)),
        words(spots, align="center", color="white", fontWeight="bold", fontSize=15),
        *key,
        footer(-60, SIDE + 48, mark_line),
    ).properties(width=SIDE, height=SIDE)
    return titled(chart, title, under)


def legend(decisions: Decisions, shown: Set[int], top: float, left: float, width: int) -> tuple[list[alt.Chart], float]:
    """A square, a letter and what is decided of those shown, one below the other; the charts and their height."""
    squares, letters, texts = [], [], []
    y = top
    for place in sorted(shown):
        names = decisions[place]
        lines = folded(named(names), width)
        squares.append({"x": left, "x2": left + 18, "top": y - 9, "bottom": y + 9, "fill": colour(place)})
        letters.append((left + 9, y, letter(place)))
        texts += [(left + 26, y + LINE * number, line) for number, line in enumerate(lines)]
        y += LINE * (len(lines) - 1) + 23
    charts = [_rects(squares), words(letters, align="center", color="white", fontWeight="bold"), words(texts)]
    return charts, y - top


def stretches(edges: Sequence[tuple[float, float]], row: Sequence[int]) -> list[tuple[float, float, int]]:
    """A row of cells as pieces of equal cells: from, to, place."""
    found: list[tuple[float, float, int]] = []
    for (x, x2), place in zip(edges, row, strict=True):
        if found and found[-1][2] == place:
            found[-1] = (found[-1][0], x2, place)
        else:
            found.append((x, x2, place))
    return found


def heart_of_each(cells: Sequence[Sequence[int]]) -> dict[int, tuple[int, int, int]]:
    """For each place the cell (column, row) furthest from any other place and from the edge, and how far: 1 is next."""
    rows, columns = len(cells), len(cells[0])
    best: dict[int, tuple[int, int, int]] = {}  # column, row, depth
    depth = [[1] * columns for _ in range(rows)]
    for _ in range(max(rows, columns)):
        grown = [
            [
                depth[j][i] + 1
                if 0 < i < columns - 1
                and 0 < j < rows - 1
                and all(
                    cells[j + b][i + a] == cells[j][i] and depth[j + b][i + a] >= depth[j][i]
                    for a in (-1, 0, 1)
                    for b in (-1, 0, 1)
                )
                else depth[j][i]
                for i in range(columns)
            ]
            for j in range(rows)
        ]
        if grown == depth:
            break
        depth = grown
    for j, row in enumerate(cells):
        for i, place in enumerate(row):
            if place not in best or depth[j][i] > best[place][2]:
                best[place] = (i, j, depth[j][i])
    return best


def _rects(pieces: Sequence[Mapping[str, Any]], seam: float = 0.0) -> alt.Chart:
    """Rectangles in points, each in its own colour; seam: width of its edge, so that no line shows between."""
    chart: alt.Chart = (
        alt.Chart(data(pieces))
        .mark_rect(strokeWidth=seam)
        .encode(
            x=alt.X("x:Q", **PLAIN),
            x2="x2:Q",
            y=alt.Y("top:Q", **PLAIN),
            y2="bottom:Q",
            color=alt.Color("fill:N", scale=None, legend=None),
            stroke=alt.Stroke("fill:N", scale=None, legend=None),
        )
    )
    return chart
