"""The figures of an answer, each with its finding, what it shows, what it rests on, and a text in its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ashore.report import exposure, figures, headlines, pictures_plan, views_worth
from ashore.report.figures.flow import Ribbon, Stage
from ashore.report.picture import Picture
from ashore.report.words import percent, plural

Document = Mapping[str, Any]


def pictures(document: Document) -> dict[str, Picture]:
    """Every figure of an answer that has something to show, by name."""
    found = [landed(document), break_evens(document), production(document), timeline(document), ladder(document)]
    if document["worth"] is not None:
        found += [worth(document), payback(document), moves(document)]
    found += pictures_plan.pictures(document, rests_on(document))
    if document["concentration"] is not None:
        found.append(exposure.imbalance(document["concentration"]))
    return {picture.name: picture for picture in found if picture is not None}


def landed(document: Document) -> Picture | None:
    """Landed cost of each product by part, a bar for each country it can come from."""
    if not document["ranking"]:
        return None
    groups = []
    for group in document["ranking"]:
        rate = "" if group["hash_ths"] is None else f", {group['hash_ths']:g} TH/s"
        rows = [
            {
                "label": row["label"],
                "strong": row["home"],
                "usd_unit": row["usd_unit"],
                "usd_ths": row["usd_ths"],
                "parts": row["parts"],
            }
            for row in group["rows"]
        ]
        groups.append({"title": f"{group['product']} ({group['maker']}{rate})", "rows": rows})
    finding = headlines.landed(document)
    under = (
        f"One unit in {document['market']} on {document['start']}, by part; the cheapest route from each country. "
        f"Bold: made in {document['country_name']}."
    )
    return Picture(
        "landed",
        figures.landed_bars(groups, finding, under, rests_on(document)),
        finding,
        f"Stacked bars of landed cost by part. {finding}. The table below has every figure.",
    )


def break_evens(document: Document) -> Picture | None:
    """Break-even of each step at home against today's rates."""
    if not document["steps"]:
        return None
    today = [
        {"label": panel["label"], "rate": panel["steps"][-1]["rate"]}
        for panel in document["ladder"]["panels"]
        if not panel["home"]
    ]
    steps = [
        {"label": f"{step['company']}: {step['makes']}", "rate": step["rate"], "reason": step["reason"]}
        for step in document["steps"]
    ]
    finding = headlines.steps(document)
    under = (
        f"Dot: the total duty rate at which the best plan of {plural(document['months'], 'month')} first opens the "
        "step, if all that owes duty today owed that one rate.\n"
        f"Line: what {document['ladder']['product']} of each origin owes today; parts may owe more or less than that."
    )
    return Picture(
        "break-evens",
        figures.break_evens(steps, today, finding, under, rests_on(document)),
        finding,
        f"Dots at the break-even duty rate of each step, lines at today's rates. {finding}.",
    )


def production(document: Document) -> Picture | None:
    """The flow from bought parts through plants to markets."""
    rows = document["production"]["ribbons"]
    if not rows:
        return None
    stages = [Stage(stage["title"], stage["places"]) for stage in document["production"]["stages"]]
    ribbons = [Ribbon(row["stage"], row["start"], row["end"], row["units"], row["kind"]) for row in rows]
    finding = headlines.production(document)
    plan = document["plans"][0]
    under = (
        f"Units a month, mean over {plural(plan['months'], 'month')}, {plan['name']}; parts are counted by the final "
        "unit they go into. Colour: origin of what moves."
    )
    return Picture(
        "production",
        figures.flow_map(stages, ribbons, finding, under, rests_on(document)),
        finding,
        f"Flow diagram in {plural(len(stages), 'column')}: {', '.join(stage.title for stage in stages)}. {finding}.",
    )


def timeline(document: Document) -> Picture | None:
    """Monthly use of each plant, and openings."""
    rows = document["timeline"]
    if not rows:
        return None
    plan = document["plans"][0]
    finding = f"{plan['name'][0].upper()}{plan['name'][1:]}: {headlines.opened(plan)}"
    under = (
        "Monthly make as a share of each plant's capacity. Orange: opened by the plan; diamond: decided; dashes: ready."
        "\nIn the last months nothing is made that could not arrive before the plan ends."
    )
    if any(row["steps"] for row in rows):
        under += " Triangles: modules ordered (up), laid up (down), restarted (right); cross: closed."
    return Picture(
        "timeline",
        figures.plan_timeline(rows, pictures_plan.months_of(plan), finding, under, rests_on(document)),
        finding,
        f"Monthly use of each plant's capacity. {finding}.",
    )


def ladder(document: Document) -> Picture | None:
    """Total rate by origin over time."""
    panels = document["ladder"]["panels"]
    if not panels:
        return None
    finding = headlines.ladder(document)
    first = min(step["from"] for panel in panels for step in panel["steps"])
    under = (
        f"Total duty on {document['ladder']['product']} ({document['ladder']['hts']}), share of customs value, by "
        f"origin since {first[:4]}; at the right the rate of {document['start']}."
    )
    said = [f"{panel['label']} {percent(panel['steps'][-1]['rate'])}" for panel in panels]
    home = [panel for panel in panels if panel["home"]]
    foot = rests_on(document)
    if home:
        foot += (
            f"\n{home[0]['label']}: duty on the parts of the cheapest unit made there, over the unit's customs value, "
            "at today's prices. Peaks above the scale are cut off and told."
        )
    return Picture(
        "ladder",
        figures.duty_ladder(panels, date.fromisoformat(document["ladder"]["until"]), finding, under, foot),
        finding,
        f"Steps of the total duty rate by origin. Today: {', '.join(said)}.",
    )


def worth(document: Document) -> Picture:
    """Worth of each rig across the landed cost of its routes."""
    view = document["worth"]
    groups = [
        group
        | {
            "title": f"{group['product']} ({group['maker']}, {group['power_w'] / group['hash_ths']:.1f} J/TH): "
            f"worth {group['option_usd_ths']:.2f} USD/TH",
            "rows": views_worth.shown(group["rows"]),
        }
        for group in view["groups"]
    ]
    finding = headlines.worth(document)
    low, high = view["hashprices"]
    under = (
        f"Bars: landed cost in {view['market']}, green where the rig is worth more. Line: worth from the day it "
        f"runs, switched off at will, at {100 * view['power_usd_kwh']:g} c/kWh and {view['hashprice']:g} USD/PH/day;\n"
        f"shade: at {low:g} to {high:g}; dashes: on the mean path. left: worth less cost, also as a share of cost."
    )
    return Picture(
        "worth",
        figures.worth_bars(groups, finding, under, resting(document)),
        finding,
        f"Bars of landed cost in USD/TH with the worth of each rig as a line across them. {finding}.",
    )


def payback(document: Document) -> Picture:
    """The fan of payback of the first rig by its cheapest route."""
    view = document["worth"]
    fan = view["fan"]
    finding = headlines.payback(document)
    under = (
        f"{fan['product']} by {fan['route']}, at {100 * view['power_usd_kwh']:g} c/kWh: income after power on paths of "
        "the hash price, switched off in months that do not pay their power. Bands: 5 to 95 and 25 to 75 per cent."
    )
    return Picture(
        "payback",
        figures.payback_fan(fan, finding, under, resting(document)),
        finding,
        f"Fan of income summed up over {view['months']} months against the landed cost. {finding}.",
    )


def moves(document: Document) -> Picture:
    """What moves the decision on the first rig most."""
    view = document["worth"]
    storm = view["tornado"]
    finding = headlines.moves(document)
    under = (
        f"{storm['product']} by {storm['route']}: what is left of its worth, {storm['base_usd_ths']:+.2f} USD/TH, if "
        "one input goes to its low (grey) or its high (blue). Dashes: nothing left."
    )
    return Picture(
        "moves",
        figures.tornado(storm["rows"], storm["base_usd_ths"], finding, under, resting(document)),
        finding,
        f"Bars of what is left at the low and the high of each input, widest first. {finding}.",
    )


def resting(document: Document) -> str:
    """The line under a figure of worth: the outlook on mining is assumed."""
    said = "Outlook on the hash price, uptime, rate and life assumed (listed in the report); landed costs as above."
    return f"{said} {rests_on(document)}"


def rests_on(document: Document) -> str:
    """The line under every figure: where its numbers come from and how far they are known."""
    estimates = len(document["estimates"])
    law = next((note for note in document["notes"] if note.startswith(("carried", "law of"))), "")
    line = f"Sources: rule book of {document['country_name']}; network “{document['network']}”"
    if estimates:
        are = "is an estimate or" if estimates == 1 else "are estimates or"
        line += f", of which {plural(estimates, 'figure')} {are} from memory (listed in the report)"
    return line + (f". Law {law}." if law.startswith("carried") else f". {law}." if law else ".")
