"""What rigs are worth against what they cost: bars that cross, a fan of payback, a tornado of what moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ashore.report.figures.theme import CALM, FAINT, HIGHLIGHT, INK, PLAIN, QUIET, WIDTH, data, footer, titled, words

LEFT = 250
RIGHT = 215
PLOT = WIDTH - LEFT - RIGHT
ROW = 23
HEAD = 34
GOOD = "#009E73"  # of a route that costs less than the rig is worth
COLUMNS = (("USD/TH", 58), ("left", 118), ("per cent", 190))  # right edges, from the end of the plot


def worth_bars(groups: Sequence[Mapping[str, Any]], title: str, under: str, mark_line: str) -> Any:
    """Landed cost of routes in USD/TH, with the worth of the rig drawn across its bars.

    groups: one a rig, with ``title``, ``option_usd_ths`` (line), ``mean_path_usd_ths`` (dashes), ``low_usd_ths`` and
    ``high_usd_ths`` (shade), and ``rows`` with ``label``, ``strong``, ``usd_ths`` and ``pays``.
    """
    heads: list[tuple[float, float, str]] = []
    names: dict[bool, list[tuple[float, float, str]]] = {True: [], False: []}
    figures: list[tuple[float, float, str]] = []
    bars: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    y = 0.0
    for group in groups:
        heads.append((-LEFT, y + 18, group["title"]))
        top = y + HEAD
        for place, row in enumerate(group["rows"]):
            middle = top + ROW * (place + 0.5)
            names[bool(row["strong"])].append((-LEFT, middle, row["label"]))
            colour = GOOD if row["pays"] else HIGHLIGHT
            bars.append({"cost": row["usd_ths"], "top": middle - 8, "bottom": middle + 8, "colour": colour})
            left = group["option_usd_ths"] - row["usd_ths"]
            texts = (f"{row['usd_ths']:.2f}", f"{left:+.2f}", f"{100 * left / row['usd_ths']:+.0f} %")
            figures += [(PLOT + edge, middle, text) for (_, edge), text in zip(COLUMNS, texts, strict=True)]
        y = top + ROW * len(group["rows"])
        spans = {key: group[f"{key}_usd_ths"] for key in ("option", "mean_path", "low", "high")}
        lines.append(spans | {"top": top, "bottom": y})
        y += 6
    height = y + 4
    most = max([bar["cost"] for bar in bars] + [line["high"] for line in lines])
    axis = alt.Axis(title="USD/TH", format=",.0f", gridColor=FAINT, tickCount=8)
    scale = alt.Scale(domain=[0, most * 1.02], nice=False)
    vertical = {"y": alt.Y("top:Q", **PLAIN), "y2": "bottom:Q"}
    x = {name: alt.X(f"{name}:Q", scale=scale, axis=axis) for name in ("zero", "low", "option", "mean_path")}
    drawn = [bar | {"zero": 0.0} for bar in bars]
    chart = alt.layer(
        alt.Chart(data(lines)).mark_rect(color=CALM, opacity=0.13).encode(x=x["low"], x2="high:Q", **vertical),
        alt.Chart(data(drawn))
        .mark_rect(opacity=0.85)
        .encode(x=x["zero"], x2="cost:Q", color=alt.Color("colour:N", scale=None), **vertical),
        alt.Chart(data(lines)).mark_rule(color=CALM, strokeWidth=2.5).encode(x=x["option"], **vertical),
        alt.Chart(data(lines)).mark_rule(color=CALM, strokeDash=[4, 3]).encode(x=x["mean_path"], **vertical),
        words(heads, fontSize=13, fontWeight="bold"),
        words(names[False], limit=LEFT - 8),
        words(names[True], fontWeight="bold", limit=LEFT - 8),
        words(figures, align="right"),
        words([(PLOT + edge, 18, name) for name, edge in COLUMNS], align="right", color=QUIET, fontSize=11),
        footer(-LEFT, height + 44, mark_line),
    ).properties(width=PLOT, height=height)
    return titled(chart, title, under)


def payback_fan(fan: Mapping[str, Any], title: str, under: str, mark_line: str) -> Any:
    """Income summed up over the months: bands of the paths, the mean path, a flat hash price, and the cost as a line.

    fan: ``quantiles`` ("5", "25", "50", "75", "95"), ``mean_path`` and ``flat``, each from month 0 on, in USD/TH, and
    ``cost_usd_ths``.
    """
    width, height = WIDTH - 190, 330
    most = max(fan["cost_usd_ths"] * 1.35, fan["quantiles"]["75"][-1] * 1.1, fan["flat"][-1] * 1.05)
    rows = [
        {"month": month} | {f"q{q}": min(values[month], most) for q, values in fan["quantiles"].items()}
        for month in range(len(fan["mean_path"]))
    ]
    for row in rows:
        row |= {name: min(fan[name][row["month"]], most) for name in ("mean_path", "flat")}
    months = len(rows) - 1
    x = alt.X(
        "month:Q",
        scale=alt.Scale(domain=[0, months], nice=False),
        axis=alt.Axis(title="months from ordering", values=list(range(0, months + 1, 6)), grid=False),
    )
    scale = alt.Scale(domain=[0, most], nice=False)
    axis = alt.Axis(title="income after power, summed up, USD/TH", format=",.0f", gridColor=FAINT, tickCount=6)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", scale=scale, axis=axis)

    base = alt.Chart(data(rows))
    cost = fan["cost_usd_ths"]
    ends = [("flat", "hash price as today", INK), ("mean_path", "mean path", CALM), ("q50", "half of the paths", CALM)]
    ends += [("q95", "95 % of the paths", QUIET), ("q75", "75 %", QUIET), ("q25", "25 %", QUIET)]
    labels = _apart([(height * (1 - rows[-1][name] / most), text) for name, text, _ in ends])
    chart = alt.layer(
        base.mark_area(color=CALM, opacity=0.13).encode(x=x, y=y("q5"), y2="q95:Q"),
        base.mark_area(color=CALM, opacity=0.22).encode(x=x, y=y("q25"), y2="q75:Q"),
        base.mark_line(color=CALM, strokeWidth=1.5).encode(x=x, y=y("q50")),
        base.mark_line(color=CALM, strokeWidth=2, strokeDash=[4, 3]).encode(x=x, y=y("mean_path")),
        base.mark_line(color=INK, strokeWidth=1.5, strokeDash=[2, 2]).encode(x=x, y=y("flat")),
        alt.Chart(data([{"cost": cost, "month": 0, "end": months}]))
        .mark_rule(color=HIGHLIGHT, strokeWidth=2)
        .encode(x=x, x2="end:Q", y=y("cost")),
        words([(6, height * (1 - cost / most) - 9, f"landed cost {cost:.2f} USD/TH")], color=HIGHLIGHT),
        words([(width + 8, place, text) for place, text in labels], fontSize=11),
        footer(-50, height + 46, mark_line),
    ).properties(width=width, height=height)
    return titled(chart, title, under)


def _apart(labels: list[tuple[float, str]], gap: float = 14.0) -> list[tuple[float, str]]:
    """Labels moved down until none covers another; those at the top edge hang below it."""
    found: list[tuple[float, str]] = []
    for place, text in sorted(labels):
        least = found[-1][0] + gap if found else 4.0
        found.append((max(place, least), text))
    return found


def tornado(rows: Sequence[Mapping[str, Any]], base: float, title: str, under: str, mark_line: str) -> Any:
    """A bar for each input from what is left at its low to what is left at its high, widest at the top.

    rows: ``label``, ``ends`` (texts of low and high) and ``left`` (USD/TH at low and high); base: as it stands.
    """
    height = ROW * len(rows) + 6
    bars, names, texts = [], [], []
    low = min([base, 0.0, *(min(row["left"]) for row in rows)])
    high = max([base, 0.0, *(max(row["left"]) for row in rows)])
    room = (high - low) * 0.22  # for the texts at the ends
    domain = [low - room, high + room]
    plot = WIDTH - LEFT - 40
    scale = plot / (domain[1] - domain[0])
    for place, row in enumerate(rows):
        middle = ROW * (place + 0.5)
        names.append((-LEFT, middle, row["label"]))
        for end, (value, text) in enumerate(zip(row["left"], row["ends"], strict=True)):
            colour = CALM if end else QUIET
            bars.append({"from": base, "to": value, "top": middle - 8, "bottom": middle + 8, "colour": colour})
            if abs(value - base) > 1e-6:
                side = 1 if value > base else -1
                texts.append((side, ((value - domain[0]) * scale + 6 * side, middle, text)))
    axis = alt.Axis(title="option value less landed cost, USD/TH", format="+,.0f", gridColor=FAINT, tickCount=8)
    x = {name: alt.X(f"{name}:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis) for name in ("from", "at")}
    marks = [{"at": base, "top": 0, "bottom": height}]
    zero = [{"at": 0.0, "top": 0, "bottom": height}]
    vertical = {"y": alt.Y("top:Q", **PLAIN), "y2": "bottom:Q"}
    chart = alt.layer(
        alt.Chart(data(bars))
        .mark_rect(opacity=0.85)
        .encode(x=x["from"], x2="to:Q", color=alt.Color("colour:N", scale=None), **vertical),
        alt.Chart(data(zero)).mark_rule(color=HIGHLIGHT, strokeDash=[4, 3], opacity=0.6).encode(x=x["at"], **vertical),
        alt.Chart(data(marks)).mark_rule(color=INK).encode(x=x["at"], **vertical),
        words(names, limit=LEFT - 8),
        words([place for side, place in texts if side > 0], fontSize=11),
        words([place for side, place in texts if side < 0], fontSize=11, align="right"),
        footer(-LEFT, height + 46, mark_line),
    ).properties(width=plot, height=height)
    return titled(chart, title, under)
