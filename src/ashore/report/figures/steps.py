"""Break-evens: the total duty rate at which each step at home starts to pay, against what each origin owes today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import (
    CALM,
    FAINT,
    HIGHLIGHT,
    INK,
    PLAIN,
    QUIET,
    WIDTH,
    data,
    footer,
    ruler,
    titled,
    words,
)

LEFT = 210
PLOT = WIDTH - LEFT - 40
ROW = 26
LABEL = 15  # points from one origin's name to the next


def break_evens(
    steps: Sequence[Mapping[str, Any]],
    today: Sequence[Mapping[str, Any]],
    title: str,
    under: str,
    mark_line: str,
) -> Any:
    """A dot for each step at its break-even; a line for each rate owed today.

    steps: ``label`` and ``rate`` (share; None with ``reason``: it never opens). today: ``label`` and ``rate`` of each
    origin. A step left of a line pays against imports of that origin.
    """
    rates = [step["rate"] for step in steps if step["rate"] is not None] + [origin["rate"] for origin in today]
    top = max(rates, default=0.1) * 1.12 or 0.1
    lines = _together(today)
    head = LABEL * len(lines) + 8
    height = head + ROW * len(steps) + 4
    scale = PLOT / top
    rules = [{"px": origin["rate"] * scale, "y0": LABEL * n + 8, "y1": height} for n, origin in enumerate(lines)]
    names = [
        (origin["rate"] * scale + 5, LABEL * n + 8, f"{origin['label']} {100 * origin['rate']:.1f} %")
        for n, origin in enumerate(lines)
    ]
    dots, texts, never, labels, grounds = [], [], [], [], []
    for n, step in enumerate(steps):
        y = head + ROW * (n + 0.5)
        labels.append((-LEFT, y, step["label"]))
        grounds.append({"px": 0, "px2": PLOT, "y0": y})
        if step["rate"] is None:
            never.append((8, y, f"not found: {step['reason']}"))
        else:
            dots.append({"px": step["rate"] * scale, "y0": y})
            texts.append((step["rate"] * scale + 10, y, f"{100 * step['rate']:.1f} %"))
    x = alt.X("px:Q", **PLAIN)
    y0 = alt.Y("y0:Q", **PLAIN)
    ticks = alt.Axis(title="total duty rate, share of customs value", format=".0%", tickCount=8, grid=False)
    chart = alt.layer(
        ruler((0, top, ticks)),
        alt.Chart(data(grounds)).mark_rule(color=FAINT).encode(x=x, x2="px2:Q", y=y0),
        alt.Chart(data(rules)).mark_rule(color=HIGHLIGHT, opacity=0.7).encode(x=x, y=y0, y2="y1:Q"),
        alt.Chart(data(dots)).mark_point(filled=True, size=130, color=CALM, opacity=1).encode(x=x, y=y0),
        words(names, fontSize=11, color=HIGHLIGHT),
        words(texts, fontWeight="bold", color=INK),
        words(never, fontSize=11, color=QUIET),
        words(labels),
        footer(-LEFT, height + 46, mark_line),
    ).properties(width=PLOT, height=height)
    return titled(chart, title, under)


def _together(today: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Origins that owe the same in one line, lowest rate first: a name then stands above every line to its right."""
    found: dict[float, list[str]] = {}
    for origin in sorted(today, key=lambda origin: origin["rate"]):
        found.setdefault(round(origin["rate"], 6), []).append(origin["label"])
    return [{"rate": rate, "label": ", ".join(labels)} for rate, labels in found.items()]
