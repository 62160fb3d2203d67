"""Terminal text of the verbs on worth: a rig, offers, a series. Each takes the JSON document of its verb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ashore.report import terminal
from ashore.report.words import DASH, millions, percent, plural, split_assumptions, usd

Document = Mapping[str, Any]
WIDEST = 5  # assumptions shown with what they move
BY = {True: "for each USD laid out", False: "for each MW"}
LEFT = (
    "left: option value less what is paid, discounted. USD/TH landed: mean over the branches. payback: months on the"
    " mean path; flat: at today's hash price. best: chance that it leaves more than every other."
    " *: a change of the duty is the seller's."
)
SHORT = "the series is too short to tell"
MOVES = "What moves it: option value less the outlay, USD, at the low and the high of each assumption"


def text_of_worth(document: Document) -> None:
    """The worth of a rig: what it earns, when it pays back, what it is worth, and the duty that takes it all."""
    out = terminal.console()
    given, bands = document["inputs"], document["bands"]
    name = f"{given['product']}, " if given["product"] else ""
    rig = f"{name}{given['hash_ths']:g} TH/s, {given['power_w']:,g} W ({given['joules_th']:.1f} J/TH)"
    terminal.heading(out, f"{rig} at {usd(given['price_usd_ths'])} USD/TH and {given['power_usd_kwh']:g} USD/kWh")
    terminal.blank(out)
    duty = f", with {percent(given['duty_rate'])} duty" if given["duty_rate"] else ""
    most = document["max_duty_rate"]
    rows = [
        ("price", f"{usd(given['price_usd'])} USD{duty}"),
        ("hash price", f"{usd(given['hashprice'])} USD/PH/day; breaks even at {usd(document['breakeven_hashprice'])}"),
        ("power", f"breaks even at {document['breakeven_power_usd_kwh']:.4f} USD/kWh at this hash price"),
        ("income", f"{usd(document['income_usd_month'])} USD a month today, after power"),
        ("payback", f"{_months(document['payback_months'])} on the mean path, {_flat(document)} at today's hash price"),
        ("present value", f"{usd(document['npv_usd'])} USD on the mean path, less the outlay; IRR {_irr(document)}"),
        ("option value", f"{_both(document, 'option_usd')}, switched off at will"),
        ("always on", _both(document, "always_on_usd")),
        ("most duty", f"{_rate(most['option'])} by option value, {_rate(most['npv'])} on the mean path"),
        ("elasticity", f"{_elasticity(document)} per cent of worth for one per cent of hash price"),
    ]
    terminal.pairs(out, rows)
    terminal.blank(out)
    labels = {
        "hashprice_end": "hash price at the end, USD/PH/day",
        "value_usd": "worth, USD",
        "npv_usd": "worth less the price, USD",
        "payback_months": "payback, months",
        "max_duty_rate": "most duty",
    }
    shown = [[label, *(_cell(key, bands[key][q]) for q in ("5", "50", "95"))] for key, label in labels.items()]
    terminal.heading(out, f"Over {given['paths']:,} paths of the hash price")
    terminal.table(out, [("", "L"), ("5 %", "r"), ("50 %", "r"), ("95 %", "r")], shown)
    chance = percent(document["paid_back_chance"])
    out.print(f"{chance} of the paths pay the outlay back within {given['months']} months")
    terminal.blank(out)
    terminal.heading(out, MOVES)
    moved = [
        [row["label"], f"{row['low']:g}", f"{row['high']:g}", *(usd(value, 0) for value in row["option_usd"])]
        for row in document["sensitivity"][:WIDEST]
    ]
    terminal.table(out, [("", "L"), ("low", "r"), ("high", "r"), ("at low", "r"), ("at high", "r")], moved)
    terminal.notes(out, "Assumed", document["assumptions"])


def text_of_offers(document: Document) -> None:
    """Offers, best first: landed cost over the branches, what is left, and what waiting, doubts and holds cost."""
    out = terminal.console()
    rows, cash = document["offers"], document["scarce"] == "cash"
    terminal.heading(out, f"{plural(len(rows), 'offer')} on {document['on']}, best first by what is left {BY[cash]}")
    terminal.blank(out)
    columns = [("offer", "l"), ("origin", "L"), ("terms", "L"), ("arrives", "L"), ("USD/TH", "r"), ("low – high", "r")]
    columns += [("duty", "r"), ("payback", "r"), ("flat", "r"), ("left/USD", "r"), ("left/MW", "r"), ("best", "r")]
    terminal.table(out, columns, [_offer_row(row) for row in rows])
    terminal.blank(out)
    out.print(LEFT, style=terminal.QUIET)
    terminal.blank(out)
    terminal.heading(out, "Waiting, USD a unit: ordering later at the same price")
    columns = [("offer", "l")]
    columns += [(f"{wait['months']} months" if wait["months"] > 1 else "1 month", "r") for wait in rows[0]["waiting"]]
    columns += [("of it duty saved", "r"), ("income lost", "r"), ("only if it still pays", "r")]
    columns.append((f"a hold of {rows[0]['hold']['days']:g} days", "r"))
    terminal.table(out, columns, [_wait_row(row) for row in rows])
    doubts = [row for row in rows if row["dispute"]]
    if doubts:
        terminal.blank(out)
        terminal.heading(out, "Origin in doubt, USD of the whole lot")
        columns = [("offer", "l"), ("if found otherwise", "l"), ("mean", "r"), ("most", "r"), ("open until", "L")]
        terminal.table(out, [*columns, ("borne by", "L")], [_doubt_row(row["dispute"], row["offer"]) for row in doubts])
    branches = document["branches"]
    if len(branches) > 1:
        terminal.notes(out, "Branches", [f"{each['branch']}: {percent(each['chance'])}" for each in branches])
    said = [f"{row['offer']}: duty depends on the claim {need}" for row in rows for need in row["needs"]]
    said += [f"{row['offer']}: {note}" for row in rows for note in row["notes"]]
    lost = [
        f"{row['offer']} is turned away, and what was paid lost, with a chance of {percent(row['turned_away_chance'])}"
        for row in rows
        if row["turned_away_chance"]
    ]
    terminal.notes(out, "Bans", lost, terminal.WARN)
    estimates, others = split_assumptions([*document["notes"], *said, *document["assumptions"]])
    terminal.notes(out, "Rests on", [*others, *estimates])


def _offer_row(row: Document) -> list[str]:
    ths, rate = row["landed_usd_ths"], row["duty_rate"]
    span = f"{usd(ths['low'])} – {usd(ths['high'])}" if ths["high"] - ths["low"] >= 0.005 else ""
    bears = "" if row["tariff_for"] == "buyer" else " *"
    return [
        row["offer"],
        row["origin"],
        row["incoterm"] + bears,
        row["arrival"],
        usd(ths["mean"]),
        span,
        percent(round(rate["mean"], 4)),
        *("never" if row[key] is None else f"{row[key]:.0f}" for key in ("payback_months", "payback_flat_months")),
        f"{row['option_net_usd_usd']:+.2f}",
        millions(row["option_net_usd_mw"]),
        DASH if row["chance_best"] is None else f"{100 * row['chance_best']:.0f} %",
    ]


def _wait_row(row: Document) -> list[str]:
    waits, last = row["waiting"], row["waiting"][-1]
    cells = [f"{wait['value_usd']:+,.0f}" for wait in waits]
    cells += [f"{last['duty_usd']:+,.0f}", f"{last['margin_usd']:+,.0f}", f"{last['with_choice_usd']:+,.0f}"]
    return [row["offer"], *cells, f"{-row['hold']['usd_unit']:+,.0f}"]


def _doubt_row(dispute: Document, name: str) -> list[str]:
    others = [each for each in dispute["origins"] if each["more_usd"]["high"] or each["more_usd"]["low"]]
    found = ", ".join(
        f"{each['origin']} {percent(each['chance'])}: {each['more_usd']['mean']:+,.0f}" for each in others
    )
    amounts = [usd(dispute["expected_usd"], 0), usd(dispute["exposure_usd"], 0)]
    return [name, found, *amounts, dispute["until"], dispute["borne_by"]]


def text_of_series(document: Document) -> None:
    """A series in brief: its days, its last hash price, and what it says of volatility and drift."""
    out = terminal.console()
    days, told = document["days"], document["statistics"]
    span = f"{plural(len(days), 'day')} from {days[0]['date']} to {days[-1]['date']}"
    terminal.heading(out, f"{span}: {document['where']}")
    terminal.blank(out)
    volatility, drift = told["volatility"], told["drift"]
    rows = [
        ("hash price", f"{usd(told['hashprice'])} USD/PH/day on {told['last']}"),
        ("volatility", SHORT if volatility is None else f"{volatility:.3f} a year"),
        ("drift", SHORT if drift is None else f"{drift:+.3f} a year, standard error {told['drift_error']:.2f}"),
    ]
    if document.get("out"):
        rows.append(("written to", document["out"]))
    terminal.pairs(out, rows)
    terminal.notes(out, "Filled in", document["notes"])


def _both(document: Document, name: str) -> str:
    return f"{usd(document[name])} USD, {usd(document[name + '_ths'])} USD/TH"


def _rate(share: float) -> str:
    """The most duty, or by how much the price is too high even without any."""
    return percent(round(share, 3)) if share >= 0 else f"none ({percent(round(-share, 3))} too dear without any)"


def _months(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} months"


def _flat(document: Document) -> str:
    return _months(document["payback_flat_months"])


def _irr(document: Document) -> str:
    return "above a million" if document["irr_year"] is None else f"{percent(round(document['irr_year'], 4))} a year"


def _elasticity(document: Document) -> str:
    return DASH if document["elasticity"] is None else f"{document['elasticity']:.2f}"


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return "never"
    if key == "max_duty_rate":
        return percent(round(value, 3))
    return usd(value, 1 if key in ("payback_months", "hashprice_end") else 0)
