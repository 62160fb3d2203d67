"""One look for every figure, and the way from a specification to SVG or PNG without any network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import altair as alt

from ashore.report.figures.typeset import typeset

WIDTH = 900  # of a whole figure, in points
FONT = "Arial, Helvetica, Liberation Sans, sans-serif"
INK = "#1f2328"
QUIET = "#667078"
FAINT = "#d5dade"

# Okabe and Ito's colours and four found by search: told apart also by readers who see red and green alike (tested).
PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#6921BB",
    "#5D623A",
    "#E4BBC6",
    "#662246",
)
HIGHLIGHT = "#D55E00"
CALM = "#0072B2"
LINE = 15  # points from one line of small text to the next
YEAR = 30  # points that the name of a year needs
PLAIN: dict[str, Any] = {"scale": None, "axis": None}  # of what is laid out in points

Side = tuple[float, float, alt.Axis]  # where an axis starts and ends, and how it looks

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "padding": 6,
    "title": {"color": INK, "subtitleColor": QUIET, "subtitlePadding": 6, "fontWeight": 600, "lineHeight": 21},
    "view": {"stroke": None},
    "axis": {
        "domainColor": QUIET,
        "gridColor": FAINT,
        "labelColor": INK,
        "labelFontSize": 12,
        "tickColor": FAINT,
        "titleColor": QUIET,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": INK, "labelFontSize": 12, "symbolSize": 110},
    "text": {"color": INK, "fontSize": 12},
}


def colour(place: int) -> str:
    """The colour of the kind at a place in its list; from the end of the palette they come round again."""
    return PALETTE[place % len(PALETTE)]


def colours(kinds: Sequence[str]) -> alt.Scale:
    """A colour for each kind."""
    return alt.Scale(domain=list(kinds), range=[colour(place) for place in range(len(kinds))])


def years(months: Sequence[str], step: float) -> list[tuple[float, str]]:
    """Place and name of each year, months ``step`` points apart; a first year too short for its name has none."""
    found = [(place * step, day[:4]) for place, day in enumerate(months) if place == 0 or day[5:7] == "01"]
    if len(found) > 1 and found[1][0] < YEAR:
        found[0] = (found[0][0], "")
    return found


def data(rows: Iterable[Mapping[str, Any]]) -> alt.InlineData:
    """Rows as inline data of a specification."""
    return alt.InlineData(values=[dict(row) for row in rows])


def words(rows: Iterable[tuple[float, float, str]], **mark: Any) -> alt.Chart:
    """Text at places counted in points from the upper left corner of the plot: rows of (x, y, text)."""
    values = [{"px": x, "py": y, "text": text} for x, y, text in rows]
    chart: alt.Chart = (
        alt.Chart(data(values))
        .mark_text(**({"align": "left", "baseline": "middle"} | mark))
        .encode(x=alt.X("px:Q", **PLAIN), y=alt.Y("py:Q", **PLAIN), text="text:N")
    )
    return chart


def ruler(x: Side, y: Side | None = None) -> alt.Chart:
    """Axes alone, for what is laid out in points."""
    sides = {"x": x} if y is None else {"x": x, "y": y}
    drawn = {
        name: {"x": alt.X, "y": alt.Y}[name](f"{name}:Q", scale=alt.Scale(domain=[low, high], nice=False), axis=axis)
        for name, (low, high, axis) in sides.items()
    }
    origin = {name: side[0] for name, side in sides.items()}
    chart: alt.Chart = alt.Chart(data([origin])).mark_point(opacity=0).encode(**drawn)
    return chart


def footer(x: float, y: float, text: str) -> alt.Chart:
    """Sources and marks, in small lines under a figure."""
    lines = [(x, y + LINE * place, line) for place, line in enumerate(folded(text, 165))]
    return words(lines, color=QUIET, fontSize=11, baseline="top")


def titled(chart: Any, title: str, under: str) -> Any:
    """The chart with its finding as the title and, below it, what is shown; in the common look."""
    heading = alt.TitleParams(
        folded(title, 98),
        subtitle=folded(under, 152),
        anchor="start",
        frame="bounds",
        fontSize=17,
        subtitleFontSize=12,
        subtitleLineHeight=16,
        offset=14,
    )
    return chart.properties(title=heading).configure(**CONFIG)


def folded(text: str, width: int) -> list[str]:
    """Text in lines of at most so many letters."""
    return [line for part in text.split("\n") for line in wrap(part, width)]


def svg(chart: Any, name: str) -> str:
    """An SVG to set into a page: no outside reference, its inner names made the page's own with ``name``.

    Ink, quiet and faint lines take the page's colours, so that the figure reads on a light and on a dark ground.
    """
    import vl_convert

    text = typeset(vl_convert.vegalite_to_svg(chart.to_dict()))
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for colour, variable in ((INK, "--ink"), (QUIET, "--quiet"), (FAINT, "--faint")):
        text = text.replace(f'"{colour}"', f'"var({variable}, {colour})"')
    return text


def standalone(chart: Any) -> str:
    """The chart on white, as an SVG file of its own."""
    import vl_convert

    document = chart.to_dict()
    document["config"]["background"] = "white"
    return typeset(vl_convert.vegalite_to_svg(document))


def png(chart: Any, scale: float = 2.0) -> bytes:
    """The chart on white, as a PNG."""
    import vl_convert

    document = chart.to_dict()
    document["config"]["background"] = "white"
    picture: bytes = vl_convert.vegalite_to_png(document, scale=scale)
    return picture
