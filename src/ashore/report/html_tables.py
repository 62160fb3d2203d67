"""The numbers of an answer as HTML tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from ashore.report import headlines
from ashore.report.text_shares import words_of_geography, words_of_second
from ashore.report.words import DASH, decided, listed, mark, month_name, percent, spans, takes_effect, topic_of, usd

Document = Mapping[str, Any]
PARTS = ("make", "bought", "freight", "insurance", "duty", "fees", "carrying")


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], figures: int, strong: Sequence[bool] = (), caption: str = ""
) -> str:
    """A table whose last ``figures`` columns are numbers; the first cell of a row is its header."""
    first = len(heads) - figures
    top = "".join(f'<th scope="col"{_kind(n >= first)}>{escape(head)}</th>' for n, head in enumerate(heads))
    body = []
    for place, row in enumerate(rows):
        cells = [
            f'<th scope="row">{escape(cell)}</th>' if n == 0 else f"<td{_kind(n >= first, cell)}>{escape(cell)}</td>"
            for n, cell in enumerate(row)
        ]
        tag = '<tr class="strong">' if place < len(strong) and strong[place] else "<tr>"
        body.append(tag + "".join(cells) + "</tr>")
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{top}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _kind(number: bool, cell: str = "") -> str:
    """Figures stand to the right; what is short, as a date, is not broken."""
    return ' class="n"' if number else ' class="k"' if 0 < len(cell) <= 10 else ""


def geographies(found: Document) -> str:
    """Four geographies of the cheapest open routes with their measures."""
    heads = ["geography", "shares", "HHI", "imported", "against hashed"]
    return table(heads, [words_of_geography(row) for row in found["geographies"]], 3)


def second_origin(found: Document) -> str:
    """What a second origin does to HHI, cost and days."""
    heads = ["share of the second", "HHI customs origin", "HHI assembly", "USD/TH/s", "days of the last leg"]
    return table(heads, [words_of_second(row) for row in found["second_origin"]], 4)


def worth(document: Document) -> str:
    """Each rig's worth and, route by route, what is left of it."""
    tables = []
    for group in document["worth"]["groups"]:
        option = group["option_usd_ths"]
        rows = [
            [row["label"], usd(row["usd_ths"]), usd(row["duty_ths"]), f"{option - row['usd_ths']:+.2f}"]
            for row in group["rows"]
        ]
        rate = group["max_duty_rate"]
        most = "" if rate is None or rate < 0 else f"; bears a duty of {percent(round(rate, 3))} on imports"
        caption = (
            f"{group['product']} ({group['maker']}): worth {usd(option)} USD/TH, "
            f"{usd(group['mean_path_usd_ths'])} on the mean path; "
            f"breaks even at {usd(group['breakeven_hashprice'])} USD/PH/day{most}"
        )
        heads = ["route", "landed USD/TH", "duty in it", "left"]
        tables.append(table(heads, rows, 3, [row["strong"] for row in group["rows"]], caption))
    return "".join(tables)


def payback(document: Document) -> str:
    """Income summed up, every six months."""
    fan = document["worth"]["fan"]
    names = [f"{q} % of paths" for q in fan["quantiles"]]
    rows = [
        [str(month), *(usd(values[month]) for values in (*fan["quantiles"].values(), fan["mean_path"], fan["flat"]))]
        for month in range(0, len(fan["flat"]), 6)
    ]
    return table(["month", *names, "mean path", "flat"], rows, len(names) + 2, caption="USD/TH below which they stay")


def moves(document: Document) -> str:
    storm = document["worth"]["tornado"]
    rows = [[row["label"], *row["ends"], *(f"{usd_ths:+.2f}" for usd_ths in row["left"])] for row in storm["rows"]]
    caption = f"What is left, USD/TH; as it stands {storm['base_usd_ths']:+.2f}"
    return table(["input", "low", "high", "at low", "at high"], rows, 2, caption=caption)


def landed(document: Document) -> str:
    tables = []
    for group in document["ranking"]:
        rows = [
            [
                row["label"],
                row["plant"] or DASH,
                f"{row['days']:g}",
                *(usd(row["parts"][part]) for part in PARTS),
                usd(row["usd_unit"]),
                usd(row["usd_ths"]),
            ]
            for row in group["rows"]
        ]
        strong = [row["home"] for row in group["rows"]]
        heads = ["route", "made at", "days", *PARTS, "USD/unit", "USD/TH"]
        tables.append(table(heads, rows, len(PARTS) + 3, strong, f"{group['product']} ({group['maker']}), USD a unit"))
    return "".join(tables)


def steps(document: Document) -> str:
    rows = [
        [
            f"{step['company']}: {step['makes']}",
            ", ".join(step["plants"]),
            ", ".join(step["opens"]) or DASH,
            step["reason"],
            DASH if step["rate"] is None else percent(round(step["rate"], 4)),
        ]
        for step in document["steps"]
    ]
    return table(["step", "candidates", "opens", "why", "break-even"], rows, 1)


def plans(rows: Sequence[Document]) -> str:
    heads = ["law or futures", "opens", "status", "cost, m USD", "of it duty", "revenue", "gap", "seconds"]
    cells = [
        [
            plan["name"],
            headlines.opened(plan),
            plan["status"].replace("_", " "),
            *(f"{plan[name] / 1e6:,.1f}" for name in ("cost_usd", "duty_usd", "revenue_usd")),
            f"{plan['gap']:.1e}",
            f"{sum(plan['seconds'].values()):.1f}",
        ]
        for plan in rows
    ]
    return table(heads, cells, 5)


def decisions(plan: Document) -> str:
    rows = [
        [
            row["plant"],
            decided(row),
            row["date"],
            takes_effect(plan["start"], plan["months"], row),
            row["node"],
            percent(row["chance"]),
        ]
        for row in plan["steps"]
    ]
    return table(["plant", "decision", "decided", "ready", "in node", "chance"], rows, 1)


def lost(plan: Document) -> str:
    rows = [[row["market"], row["product"], f"{row['units_month']:,.1f}"] for row in plan["lost"]]
    return table(["market", "product", "units a month"], rows, 1)


def production(document: Document) -> str:
    stages = document["production"]["stages"]
    rows = []
    for ribbon in document["production"]["ribbons"]:
        start, end = stages[ribbon["stage"]], stages[ribbon["stage"] + 1]
        names = (start["places"][ribbon["start"]], end["places"][ribbon["end"]])
        rows.append([start["title"], names[0], names[1], ribbon["kind"], f"{ribbon['units']:,.1f}"])
    return table(["step", "from", "to", "origin", "units a month"], rows, 1)


def timeline(document: Document) -> str:
    """Units by plant and product, months of equal make in one piece."""
    plan = document["plans"][0]
    start = date.fromisoformat(plan["start"])
    rows = []
    for row in document["timeline"]:
        for product, units in row["units"].items():
            rows.append([row["plant"], product, _stretches(start, units), f"{sum(units) / len(units):,.0f}"])
    return table(["plant", "product", "units a month, by month", "mean"], rows, 1)


def _stretches(start: date, units: Sequence[float]) -> str:
    by_amount: dict[str, list[int]] = {}
    for month, amount in enumerate(units):
        by_amount.setdefault(f"{amount:,.0f}", []).append(month)
    found = [(first, last, text) for text, months in by_amount.items() for first, last in spans(months)]
    texts = []
    for first, last, text in sorted(found):
        begin, end = month_name(start, first), month_name(start, last)
        texts.append(f"{text} in {begin}" if first == last else f"{text} from {begin} to {end}")
    return "; ".join(texts)


def ladder(document: Document) -> str:
    """One row a day on which any rate moved, one column an origin."""
    panels = document["ladder"]["panels"]
    days = sorted({step["from"] for panel in panels for step in panel["steps"]})
    rows = []
    for day in days:
        cells = []
        for panel in panels:
            past = [step["rate"] for step in panel["steps"] if step["from"] <= day]
            cells.append(percent(round(past[-1], 3 if panel["home"] else 6)) if past else DASH)
        rows.append([day, *cells])
    return table(["from", *(panel["label"] for panel in panels)], rows, len(panels))


def law(document: Document) -> str:
    names = document["country_names"]
    rows = [
        [
            " ".join(row["headings"]),
            row["title"],
            listed(names.get(code, code) for code in row["origins"]),
            row["from"],
            "; ".join(part for part in (row["source"], row["note"]) if part),
            mark(row) or "read in the source",
            percent(row["rate"]),
        ]
        for row in document["law"]
    ]
    heads = ["heading", "duty", "origins", "since", "source", "how known", "rate"]
    return table(heads, rows, 1)


def by_topic(estimates: Iterable[str]) -> dict[str, list[str]]:
    """Marked figures by what they are about."""
    found: dict[str, list[str]] = {}
    for line in estimates:
        found.setdefault(topic_of(line), []).append(line)
    return found
