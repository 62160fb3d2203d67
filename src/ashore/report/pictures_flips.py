"""The figures of break-evens: what is decided first over the rates of one rule, and of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ashore.report import figures
from ashore.report.picture import Picture
from ashore.report.words import listed, percent, plural, sources

Document = Mapping[str, Any]


def breakeven(document: Document) -> Picture:
    """The break-evens of a plan's document that has some: the map of two rules, else the ladders."""
    found, rests_on = document["breakeven"], sources(document)
    return plane(found, rests_on) or ladders(found, rests_on)


def decisions_of(found: Document) -> list[tuple[str, ...]]:
    """Every first decision in the ladders and the map, in the order met: its place is its letter and colour."""
    steps = [tuple(step["orders"]) for ladder in found["ladders"] for step in ladder["ladder"]]
    regions = [] if found["map"] is None else [tuple(region) for region in found["map"]["regions"]]
    return list(dict.fromkeys([*steps, *regions]))


def ladders(found: Document, rests_on: str) -> Picture:
    """What is decided first as the rate of each rule rises."""
    known = decisions_of(found)
    place = {names: number for number, names in enumerate(known)}
    rows = [
        {
            "label": ladder["rule"],
            "now": ladder["now"],
            "steps": [(step["from"], step["until"], place[tuple(step["orders"])]) for step in ladder["ladder"]],
        }
        for ladder in found["ladders"]
    ]
    finding = flips_finding(found)
    under = (
        f"{found['decided'][:1].upper()}{found['decided'][1:]}, as the rate of one rule goes from 0 to "
        f"{percent(found['most'])} and all other law stays. Flips to within {100 * found['tol']:g} points."
    )
    chart = figures.rule_ladders(rows, known, found["most"], finding, under, rests_on)
    return Picture("rule-ladders", chart, finding, f"Bars of rates in pieces that decide the same. {finding}.")


def flips_finding(found: Document) -> str:
    said = []
    for ladder in found["ladders"]:
        at = [percent(round((flip["below"] + flip["above"]) / 2, 3)) for flip in ladder["flips"]]
        said.append(f"{ladder['rule']}: flips near {listed(at)}" if at else f"{ladder['rule']}: no flip")
    return "; ".join(said)


def plane(found: Document, rests_on: str) -> Picture | None:
    """What is decided first over the rates of two rules."""
    drawn = found["map"]
    if drawn is None:
        return None
    known = decisions_of(found)
    place = [known.index(tuple(region)) for region in drawn["regions"]]
    view = drawn | {"cells": [[place[region] for region in row] for row in drawn["cells"]]}
    finding = (
        f"Over the rates of {listed(drawn['rules'])} {plural(len(drawn['regions']), 'first decision')} can be best"
    )
    under = (
        f"{found['decided'][:1].upper()}{found['decided'][1:]}; diamonds: rates in the plan. Solved "
        f"every {100 * drawn['step']:.3g} points where the decision changes; between them the cheapest "
        "plan found around decides."
    )
    chart = figures.rule_map(view, known, finding, under, rests_on)
    return Picture("rule-map", chart, finding, f"Map of regions that decide the same. {finding}.")
