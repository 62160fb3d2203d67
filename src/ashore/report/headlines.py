"""What an answer says, in sentences: the titles of the figures and the first lines of page and terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ashore.report.words import dated, listed, percent, plural, short

Document = Mapping[str, Any]


def landed(document: Document) -> str:
    """Whether units made at home or abroad are cheaper where they are plugged in."""
    country, market = short(document["country_name"]), document["market"]
    gaps = {group["product"]: group["gap_usd"] for group in document["ranking"] if group["gap_usd"] is not None}
    if not gaps:
        cheapest = [f"{group['product']} from {short(group['rows'][0]['label'])}" for group in document["ranking"]]
        return f"Cheapest into {market}: {listed(cheapest)}" if cheapest else "No route is known"
    dearer = {product: gap for product, gap in gaps.items() if gap > 0}
    cheaper = {product: -gap for product, gap in gaps.items() if gap <= 0}
    if not cheaper:
        return f"Into {market} imports are cheapest: made in {country} costs {_span(dearer)} USD a unit more"
    if not dearer:
        waits = all(group["home"]["waits"] for group in document["ranking"] if group["gap_usd"] is not None)
        tail = ", from lines not open yet" if waits else ""
        return f"Into {market} made in {country} is cheapest, by {_span(cheaper)} USD a unit{tail}"
    return (
        f"Into {market} made in {country} is cheaper for {listed(cheaper)} (by {_span(cheaper)} USD), "
        f"imports for {listed(dearer)} (by {_span(dearer)} USD)"
    )


def _span(gaps: Mapping[str, float]) -> str:
    low, high = min(gaps.values()), max(gaps.values())
    return f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"


def opened(plan: Document) -> str:
    """What a plan opens, and when."""
    if not plan["open"]:
        return "nothing opens"
    many = len(plan["node_costs"]) > 1
    said = []
    for row in plan["open"]:
        where = f" if {row['node']}" if many and row["chance"] < 1 else ""
        said.append(f"{row['plant']} {dated(plan['start'], row['month'])}{where}")
    return f"{plural(len({row['plant'] for row in plan['open']}), 'plant')} decided: {listed(said)}"


def steps(document: Document) -> str:
    """Range of the break-evens found, and how many were not."""
    found = {
        f"{step['company']} {step['makes']}": step["rate"] for step in document["steps"] if step["rate"] is not None
    }
    never = len(document["steps"]) - len(found)
    country = short(document["country_name"])
    if not document["steps"]:
        return f"No plant in {country} is a candidate"
    if not found:
        return f"No step in {country} pays at any duty rate tried"
    low, high = min(found, key=lambda name: found[name]), max(found, key=lambda name: found[name])
    text = f"A step in {country} starts to pay at a total duty of {percent(round(found[low], 3))} ({low})"
    if low != high:
        text += f", the last at {percent(round(found[high], 3))} ({high})"
    return text + (f"; {plural(never, 'step')} never" if never else "")


def ladder(document: Document) -> str:
    """Dearest and cheapest origin today, and the highest rate there ever was."""
    panels = [panel for panel in document["ladder"]["panels"] if not panel["home"]]
    if not panels:
        return "No duty is owed on any origin"
    today = {short(panel["label"]): panel["steps"][-1]["rate"] for panel in panels}
    low, high = min(today, key=lambda name: today[name]), max(today, key=lambda name: today[name])
    peak, day, who = max(
        (step["rate"], step["from"], short(panel["label"])) for panel in panels for step in panel["steps"]
    )
    text = f"{high} owes {percent(today[high])} today"
    if low != high:
        text += f", {low} {percent(today[low])}"
    return text + (f"; the peak was {percent(peak)} ({who}, {day})" if peak > today[high] + 1e-9 else "")


def production(document: Document) -> str:
    """Where the final products are made, by country, in shares."""
    stages, ribbons = document["production"]["stages"], document["production"]["ribbons"]
    countries = {row["plant"]: row["country"] for row in document["timeline"]}
    made: dict[str, float] = defaultdict(float)
    for ribbon in ribbons:
        if ribbon["stage"] == len(stages) - 2:
            made[countries.get(ribbon["start"], ribbon["start"])] += ribbon["units"]
    total = sum(made.values())
    if not total:
        return "Nothing is shipped"
    names = document["country_names"]
    ranked = sorted(made.items(), key=lambda pair: -pair[1])[:4]
    shares = [f"{100 * units / total:.0f} % in {short(names.get(code, code))}" for code, units in ranked]
    return f"Of {total:,.0f} units a month {listed(shares)} are made"


def all_of(document: Document) -> list[str]:
    """The answer in a few sentences."""
    lines = [landed(document), steps(document)]
    for plan in document["plans"]:
        saved = f"{plan['name'][0].upper()}{plan['name'][1:]}: {opened(plan)}"
        if plan["lost"]:
            units = sum(row["units_month"] for row in plan["lost"])
            saved += f"; {units:,.0f} units a month of demand are not served"
        lines.append(saved)
    return [*lines, ladder(document)]
