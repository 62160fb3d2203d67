"""The production map: ribbons from where parts come, through plants, to markets, laid out here and drawn as areas.

A stage is a column of places; ribbons join places of neighbouring columns. A place is as high as the larger of what
comes in and what goes out; ribbons leave and arrive stacked in the order of the places at their other end, so that
they cross as little as they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from ashore.report.figures.theme import INK, PLAIN, QUIET, colours, data, footer, titled, words

WIDTH = 880.0  # of the map in points
BOX = 12.0  # width of a place
GAP = 30.0  # points between two places of a column
HEIGHT = 400.0  # of the highest column, more where it has many places
PLACE = 44.0  # points that a place and the gap below it need at least, on the whole
TOP = 34.0  # points above the columns for their titles
LABEL = 150.0  # points beside the last column for the names of its places
STEPS = 24  # points along a ribbon


@dataclass(frozen=True, slots=True)
class Ribbon:
    """``units`` go from a place of column ``stage`` to a place of the next; ``kind`` gives the colour."""

    stage: int
    start: str
    end: str
    units: float
    kind: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A column: its title, and for each place its name as shown."""

    title: str
    places: dict[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    """A place laid out: its column, left edge, upper and lower edge, units in and out."""

    stage: int
    place: str
    label: str
    x: float
    top: float
    bottom: float
    inward: float
    outward: float


@dataclass(frozen=True, slots=True)
class Band:
    """A ribbon laid out: its upper edge at both ends, and its thickness, in points."""

    ribbon: Ribbon
    x0: float
    x1: float
    y0: float
    y1: float
    thick: float

    def outline(self) -> list[dict[str, float]]:
        """Points along the band: x, and its upper and lower edge; a cubic with level ends."""
        found = []
        for step in range(STEPS + 1):
            t = step / STEPS
            y = self.y0 + (self.y1 - self.y0) * t * t * (3 - 2 * t)
            found.append({"x": self.x0 + (self.x1 - self.x0) * t, "top": y, "bottom": y + self.thick})
        return found


def lay_out(stages: Sequence[Stage], ribbons: Sequence[Ribbon]) -> tuple[list[Box], list[Band]]:
    """Places and ribbons with their coordinates in points, y from the top; ribbons of no units are left out."""
    ribbons = [ribbon for ribbon in ribbons if ribbon.units > 0]
    orders = _ordered(stages, ribbons)
    highest = max((_load(k, order, ribbons) for k, order in enumerate(orders)), default=1.0) or 1.0
    most = max((len(order) for order in orders), default=1)
    height = max(HEIGHT, PLACE * most)
    scale = (height - GAP * (most - 1)) / highest
    step = (WIDTH - LABEL - BOX) / max(1, len(stages) - 1)
    boxes: dict[tuple[int, str], Box] = {}
    for k, order in enumerate(orders):
        heights = [scale * _units(k, place, ribbons) for place in order]
        y = TOP + (height - sum(heights) - GAP * (len(order) - 1)) / 2
        for place, high in zip(order, heights, strict=True):
            inward, outward = _in(k, place, ribbons), _out(k, place, ribbons)
            label = stages[k].places[place]
            boxes[k, place] = Box(k, place, label, k * step, y, y + high, inward, outward)
            y += high + GAP
    return list(boxes.values()), _bands(boxes, orders, ribbons, scale)


def _bands(
    boxes: dict[tuple[int, str], Box], orders: list[list[str]], ribbons: Sequence[Ribbon], scale: float
) -> list[Band]:
    rank = {(k, place): n for k, order in enumerate(orders) for n, place in enumerate(order)}
    start: dict[int, float] = {}
    end: dict[int, float] = {}
    leaving = sorted(range(len(ribbons)), key=lambda n: (rank[ribbons[n].stage + 1, ribbons[n].end], ribbons[n].kind))
    arriving = sorted(range(len(ribbons)), key=lambda n: (rank[ribbons[n].stage, ribbons[n].start], ribbons[n].kind))
    used: dict[tuple[str, int, str], float] = {}
    for n in leaving:
        ribbon = ribbons[n]
        place = ("out", ribbon.stage, ribbon.start)
        start[n] = boxes[ribbon.stage, ribbon.start].top + used.get(place, 0.0)
        used[place] = used.get(place, 0.0) + scale * ribbon.units
    for n in arriving:
        ribbon = ribbons[n]
        place = ("in", ribbon.stage + 1, ribbon.end)
        end[n] = boxes[ribbon.stage + 1, ribbon.end].top + used.get(place, 0.0)
        used[place] = used.get(place, 0.0) + scale * ribbon.units
    return [
        Band(
            ribbon,
            boxes[ribbon.stage, ribbon.start].x + BOX,
            boxes[ribbon.stage + 1, ribbon.end].x,
            start[n],
            end[n],
            scale * ribbon.units,
        )
        for n, ribbon in enumerate(ribbons)
    ]


def _ordered(stages: Sequence[Stage], ribbons: Sequence[Ribbon]) -> list[list[str]]:
    """Places of each column: those with ribbons, ordered by the middle of their neighbours, over and back."""
    orders = [
        sorted((p for p in stage.places if _units(k, p, ribbons) > 0), key=lambda p: -_units(k, p, ribbons))
        for k, stage in enumerate(stages)
    ]
    for _ in range(4):
        for k in range(1, len(orders)):
            orders[k] = _by_middle(
                k, orders[k], orders[k - 1], [(r.end, r.start, r) for r in ribbons if r.stage == k - 1]
            )
        for k in range(len(orders) - 2, -1, -1):
            orders[k] = _by_middle(k, orders[k], orders[k + 1], [(r.start, r.end, r) for r in ribbons if r.stage == k])
    return orders


def _by_middle(stage: int, order: list[str], beside: list[str], joined: list[tuple[str, str, Ribbon]]) -> list[str]:
    rank = {place: n for n, place in enumerate(beside)}
    middle = {}
    for n, place in enumerate(order):
        own = [(rank[other], ribbon.units) for here, other, ribbon in joined if here == place]
        total = sum(units for _, units in own)
        middle[place] = sum(place_rank * units for place_rank, units in own) / total if total else float(n)
    return sorted(order, key=lambda place: middle[place])


def _in(stage: int, place: str, ribbons: Sequence[Ribbon]) -> float:
    return sum(r.units for r in ribbons if r.stage == stage - 1 and r.end == place)


def _out(stage: int, place: str, ribbons: Sequence[Ribbon]) -> float:
    return sum(r.units for r in ribbons if r.stage == stage and r.start == place)


def _units(stage: int, place: str, ribbons: Sequence[Ribbon]) -> float:
    return max(_in(stage, place, ribbons), _out(stage, place, ribbons))


def _load(stage: int, order: list[str], ribbons: Sequence[Ribbon]) -> float:
    return sum(_units(stage, place, ribbons) for place in order)


def flow_map(
    stages: Sequence[Stage],
    ribbons: Sequence[Ribbon],
    title: str,
    under: str,
    mark_line: str,
    unit: str = "",
    places_shown: int = 0,
) -> Any:
    """The map of ``stages`` and ``ribbons``; ``unit`` follows the figure beside each place, of so many decimals."""
    boxes, bands = lay_out(stages, ribbons)
    kinds = list(dict.fromkeys(ribbon.kind for ribbon in ribbons if ribbon.units > 0))
    legend = alt.Legend(orient="top", title=None, columns=max(1, len(kinds)), offset=4, symbolType="square")
    points = [point | {"band": n, "kind": band.ribbon.kind} for n, band in enumerate(bands) for point in band.outline()]
    areas = (
        alt.Chart(data(points))
        .mark_area(opacity=0.55, interpolate="linear")
        .encode(
            x=alt.X("x:Q", **PLAIN),
            y=alt.Y("top:Q", **PLAIN),
            y2="bottom:Q",
            detail="band:N",
            color=alt.Color("kind:N", scale=colours(kinds), legend=legend),
        )
    )
    places = [{"x": box.x, "x2": box.x + BOX, "top": box.top, "bottom": box.bottom} for box in boxes]
    blocks = (
        alt.Chart(data(places))
        .mark_rect(color=INK)
        .encode(x=alt.X("x:Q", **PLAIN), x2="x2:Q", y=alt.Y("top:Q", **PLAIN), y2="bottom:Q")
    )
    step = (WIDTH - LABEL - BOX) / max(1, len(stages) - 1)
    heads = [(k * step, 8.0, stage.title) for k, stage in enumerate(stages)]
    height = max((box.bottom for box in boxes), default=TOP) + 12
    names = [(box.x + BOX + 7, (box.top + box.bottom) / 2 - 8, box.label) for box in boxes]
    sizes = [
        (box.x + BOX + 7, (box.top + box.bottom) / 2 + 7, f"{max(box.inward, box.outward):,.{places_shown}f}{unit}")
        for box in boxes
    ]
    chart = alt.layer(
        areas,
        blocks,
        words(heads, fontSize=12, fontWeight="bold", color=QUIET),
        words(names, fontWeight="bold"),
        words(sizes, fontSize=11),
        footer(0, height + 14, mark_line),
    ).properties(width=WIDTH, height=height)
    return titled(chart, title, under)
