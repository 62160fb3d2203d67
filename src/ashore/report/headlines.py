"""What an answer says, in sentences: the titles of the figures and the first lines of page and terminal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ashore.report.words import NOT_OPEN, STEPS, dated, listed, percent, plural

Document = Mapping[str, Any]
NAMED = 3  # plants named one by one; more are counted
CLAIMS = re.compile(r"depends on claims not given \(([^)]*)\)")


def landed(document: Document) -> str:
    """Whether units made at home or abroad are cheaper where they are plugged in."""
    home, market = f"{document['country']}-made", document["market"]
    groups = [group for group in document["ranking"] if group["gap_usd"] is not None]
    if not groups:
        cheapest = [f"{group['product']} from {group['rows'][0]['label']}" for group in document["ranking"]]
        return f"Cheapest into {market}: {listed(cheapest)}" if cheapest else "No route is known"
    dearer = {group["product"]: group["gap_usd"] for group in groups if group["gap_usd"] > 0}
    cheaper = {group["product"]: -group["gap_usd"] for group in groups if group["gap_usd"] <= 0}
    if not cheaper:
        return f"Into {market} imports are cheapest: {home} costs {_span(dearer)} USD a unit more"
    if dearer:
        return (
            f"Into {market} {home} is cheaper for {listed(cheaper)} (by {_span(cheaper)} USD a unit), "
            f"imports for {listed(dearer)} (by {_span(dearer)})"
        )
    text = f"Into {market} {home} is cheapest, by {_span(cheaper)} USD a unit"
    if not any(group["home"]["waits"] for group in groups):
        return text
    now = {group["product"]: -group["gap_open_usd"] for group in groups if group["gap_open_usd"] is not None}
    if len(now) == len(groups) and min(now.values()) >= 0:
        return f"{text} from plants not open yet, by {_span(now)} from plants open today"
    return f"{text} from plants not open yet"


def _span(gaps: Mapping[str, float]) -> str:
    low, high = min(gaps.values()), max(gaps.values())
    return f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"


def opened(plan: Document) -> str:
    """What a plan opens, and when; and how many plants it expands, lays up, restarts and closes."""
    return "; ".join([_opens(plan), *_others(plan)])


def _others(plan: Document) -> list[str]:
    plants: dict[str, dict[str, None]] = {}
    for row in plan["steps"]:
        if row["step"] != "open":
            plants.setdefault(row["step"], {})[row["plant"]] = None
    return [
        f"{listed(names) if len(names) <= NAMED else plural(len(names), 'plant')} {STEPS[step][len(names) > 1]}"
        for step, names in plants.items()
    ]


def _opens(plan: Document) -> str:
    if not plan["open"]:
        return "nothing opens"
    many = len(plan["node_costs"]) > 1
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in plan["open"]:
        where = f" in {row['node']}" if many and row["chance"] < 1 else ""
        ready = dated(plan["start"], row["ready"])
        groups.setdefault((dated(plan["start"], row["month"]), ready, where), []).append(row["plant"])
    said = [
        f"{listed(names)} (decided {decided}{where}, ready {ready})"
        for (decided, ready, where), names in groups.items()
    ]
    return f"{plural(len({row['plant'] for row in plan['open']}), 'plant')} open: {'; '.join(said)}"


def steps(document: Document) -> str:
    """Range of the break-evens found, and how many were not."""
    found = {
        f"{step['company']} {step['makes']}": step["rate"] for step in document["steps"] if step["rate"] is not None
    }
    never = len(document["steps"]) - len(found)
    country = document["country"]
    if not document["steps"]:
        return f"No plant in {country} is a candidate"
    if not found:
        return f"No {country} step pays at any duty rate tried"
    low, high = min(found, key=lambda name: found[name]), max(found, key=lambda name: found[name])
    text = f"{country} steps start to pay at a total duty of {percent(round(found[low], 3))} ({low})"
    if low != high:
        text += f" to {percent(round(found[high], 3))} ({high})"
    return text + (f"; {plural(never, 'step')} never" if never else "")


def ladder(document: Document) -> str:
    """Dearest and cheapest origin today, and the highest rate there ever was."""
    panels = [panel for panel in document["ladder"]["panels"] if not panel["home"]]
    if not panels:
        return "No duty is owed on any origin"
    today = {panel["label"]: panel["steps"][-1]["rate"] for panel in panels}
    low, high = min(today, key=lambda name: today[name]), max(today, key=lambda name: today[name])
    peak, day, who = max((step["rate"], step["from"], panel["label"]) for panel in panels for step in panel["steps"])
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
    ranked = sorted(made.items(), key=lambda pair: -pair[1])
    shares = [f"{100 * units / total:.0f} % in {names.get(code, code)}" for code, units in ranked[:4]]
    what = document["production"]["final"]
    return f"Of {total:,.0f} {what} a month the plan makes {listed(shares)}"


def worth(document: Document) -> str:
    """Which rigs are worth more than their cheapest route costs."""
    view = document["worth"]
    told = [
        f"{group['product']} ({group['option_usd_ths']:.2f} against {group['rows'][0]['usd_ths']:.2f} USD/TH)"
        for group in view["groups"]
        if group["rows"][0]["pays"]
    ]
    where = f"at {100 * view['power_usd_kwh']:g} c/kWh and a hash price of {view['hashprice']:g}"
    if not told:
        return f"No rig is worth what it costs in {view['market']} {where}"
    return f"Worth more than the cheapest route costs in {view['market']} {where}: {listed(told)}"


def payback(document: Document) -> str:
    """How many paths pay the first rig back, and when a flat hash price would."""
    view = document["worth"]
    fan = view["fan"]
    flat = next((month for month, usd in enumerate(fan["flat"]) if usd >= fan["cost_usd_ths"]), None)
    share = f"{100 * fan['paid_back_chance']:.0f} % of the paths"
    text = f"{fan['product']} pays back within {view['months']} months on {share}"
    return text + (f", in {flat} months if the hash price stayed" if flat is not None else "")


def moves(document: Document) -> str:
    """The two inputs that move what is left most."""
    first, second = document["worth"]["tornado"]["rows"][:2]
    return f"{first['label'][0].upper()}{first['label'][1:]} and {second['label']} move the decision most"


def all_of(document: Document) -> list[str]:
    """The answer in a few sentences."""
    lines = [landed(document), steps(document)]
    for plan in document["plans"]:
        saved = f"{plan['name'][0].upper()}{plan['name'][1:]}: {opened(plan)}"
        if plan["lost"]:
            units = sum(row["units_month"] for row in plan["lost"])
            saved += f"; {units:,.0f} units a month of demand are not served"
        lines.append(saved)
    return [*lines, *([worth(document)] if document["worth"] else []), ladder(document)]


def in_brief(document: Document) -> list[str]:
    """Notes and assumptions without what the tables already say; the claims of all goods in one line."""
    claims: dict[str, None] = {}
    kept: list[str] = []
    for line in dict.fromkeys([*document["notes"], *document["assumptions"]]):
        told = CLAIMS.search(line)
        if told:
            claims |= dict.fromkeys(told[1].split(", "))
        elif not line.startswith("the claim ") and NOT_OPEN not in line and "see estimates" not in line:
            kept.append(line)
    kept = [line for line in kept if not any(other != line and other.startswith(line.rstrip(".")) for other in kept)]
    if claims:
        kept.append(f"claims on parts not given, taken as the rule book assumes them: {', '.join(sorted(claims))}")
    return kept
