"""Break-even maps: the rate of a rule at which the first decision of a plan flips.

One rate takes the place of what the rules of a name charge, in every node and month of the plan; all else stays. What
counts as the first decision stands in :mod:`ashore.plans.probes`.

While duty is linear in the rate, the cost of the best plan is concave in it, and the cost of any one plan a straight
line. Between two rates solved the best cost therefore lies under both lines and above the chord, and two neighbours
with the same decision can hide another one that is better by no more than what lies between (``doubt``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ashore.errors import Fault, raise_if
from ashore.plans.again import Again
from ashore.plans.futures import Futures
from ashore.plans.parallel import Workers
from ashore.plans.plan import Plan
from ashore.plans.posed import Posed
from ashore.plans.probes import Decided, Part, Probe, Probes, trunk
from ashore.plans.rates import Rates, rates_now, unknown

SPANS = 8  # equal spans between rates that are solved in any case
COARSEST = 4  # spans of a map of two rules on each side, where the decision does not change
FINEST = 16  # and where it does; every span between
DRAWN = 4  # of these pieces, in which the cheapest of the plans around decides
EQUAL = 1e-5  # share of the cost of a part by which decisions may differ and still count as equally good
DOUBT = 1e-4  # share of the cost of a part that two neighbours of the same decision may hide

Step = tuple[float, float, Decided]


@dataclass(frozen=True)
class Ladder:
    """The first decision as the rate of one rule rises from 0.

    now: the rates the rules of that name have in the plan. steps: (from, until, plants ordered first), both ends
    solved; between one step and the next, at most ``tol`` apart, the decision flips. doubt_usd: see above; None where
    a plan's cost is not linear in the rate, so that nothing is proven between the rates solved.
    """

    rule: str
    now: Rates
    steps: tuple[Step, ...]
    doubt_usd: float | None
    solved: int

    def as_dict(self) -> dict[str, Any]:
        flips = [
            {
                "below": before[1],
                "above": after[0],
                "ordered": [name for name in after[2] if name not in before[2]],
                "dropped": [name for name in before[2] if name not in after[2]],
            }
            for before, after in pairwise(self.steps)
        ]
        return {
            "rule": self.rule,
            "now": list(self.now),
            "ladder": [{"from": low, "until": high, "orders": list(plants)} for low, high, plants in self.steps],
            "flips": flips,
            "doubt_usd": self.doubt_usd,
            "solved": self.solved,
        }


@dataclass(frozen=True)
class Map:
    """The first decision by the rates of two rules. cells[j][i]: its place in regions at rates[i], rates[j].

    step: between the rates solved where the decision changes; nearer than that the cheapest plan found around decides.
    """

    rules: tuple[str, str]
    now: tuple[Rates, Rates]
    rates: Rates
    step: float
    regions: tuple[Decided, ...]
    cells: tuple[tuple[int, ...], ...]
    solved: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "rules": list(self.rules),
            "now": [list(rates) for rates in self.now],
            "rates": list(self.rates),
            "step": self.step,
            "regions": [list(plants) for plants in self.regions],
            "cells": [list(row) for row in self.cells],
            "solved": self.solved,
        }


@dataclass(frozen=True)
class Flips:
    """most: highest rate. decided: what counts as the first decision, in words."""

    most: float
    tol: float
    decided: str
    ladders: tuple[Ladder, ...]
    map: Map | None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "most": self.most,
            "tol": self.tol,
            "decided": self.decided,
            "ladders": [ladder.as_dict() for ladder in self.ladders],
            "map": None if self.map is None else self.map.as_dict(),
            "notes": list(self.notes),
        }


def flips(plan: Plan, rules: Sequence[str], most: float = 0.5, tol: float = 0.001, time: float | None = None) -> Flips:
    """All flips between the rates 0 and ``most`` to within ``tol`` for each rule, and a map if there are two of them.

    ``time`` in seconds for each solve. Raises FaultyInput for names no rule in force goes by, and for bad numbers.
    """
    again, names = Again(plan, time, EQUAL), tuple(dict.fromkeys(rules))
    posed = again.posed
    check(posed.futures, names, posed.objective, most, tol)
    now = {name: rates_now(posed, name) for name in names}
    ladders, notes = [], []
    for name in names:
        probes = Probes(again, (name,), most)
        steps, doubt = _ladder(probes, most, tol)
        ladders.append(Ladder(name, now[name], steps, doubt, probes.solved))
        if doubt is None:
            why = (
                "the plan counts a tail or was solved by branches"
                if probes.costs.linear
                else "duty is not linear in it"
            )
            notes.append(f"Between the rates of {name} that were solved nothing is proven: {why}.")
    drawn = None
    if len(names) == 2:
        both = Probes(again, names, most)
        rates, regions, cells = _map(both, most)
        drawn = Map(
            (names[0], names[1]), (now[names[0]], now[names[1]]), rates, most / FINEST, regions, cells, both.solved
        )
    return Flips(most, tol, _decided(posed), tuple(ladders), drawn, tuple(notes))


def check(
    futures: Futures, rules: Sequence[str], objective: str = "cost", most: float = 0.5, tol: float = 0.001
) -> None:
    """Refuses break-evens that cannot be asked for, every fault at once."""
    faults = unknown(futures, rules)
    if objective == "regret":
        what = "The best plan of each branch alone changes with the rate, so that the regret has no break-even here."
        faults.append(Fault("--breakeven", what, "Ask under --objective cost, margin or worst."))
    if not tol > 0 or not tol < most <= 10:
        what = f"Rates from 0 to {most} in steps of {tol} cannot be searched."
        faults.append(Fault("--breakeven-most", what, "Give a highest rate above the step and up to 10."))
    raise_if(faults)


def _decided(posed: Posed) -> str:
    moments = trunk(posed.calendar)
    if len(moments) == 1:
        return f"decisions on plants in month 0 ({posed.calendar.dates[0]})"
    last = posed.calendar.dates[int(posed.calendar.moment_month[moments].max())]
    return f"decisions on plants before the first split, up to {last}"


# -- one rule -----------------------------------------------------------------------------------------------------
def _ladder(probes: Probes, most: float, tol: float) -> tuple[tuple[Step, ...], float | None]:
    """Steps of the first decision of the whole network, and what they may hide."""

    def climb(part: Part) -> None:
        rates = [most * k / SPANS for k in range(SPANS + 1)]
        before = probes.at(part, (rates[0],))
        for low, high in pairwise(rates):
            after = probes.at(part, (high,), [before])
            _between(probes, part, (low, high), tol)
            before = after

    Workers().hand_out(climb, probes.parts)
    doubt = sum(part.doubt for part in probes.parts) if probes.linear else None
    return _merged(probes, most), doubt


def _between(probes: Probes, part: Part, span: tuple[float, float], tol: float) -> None:
    """Solves between two rates until they decide the same with little doubt, or are within ``tol``."""
    stack = [(*span, 0)]
    while stack:
        low, high, tries = stack.pop()
        one, other = part.probes[low,], part.probes[high,]
        crossing, hidden = _crossing(probes, part, low, high)
        if one.decided == other.decided:
            if hidden <= DOUBT * abs(one.usd) or high - low <= tol or tries >= 3:
                part.doubt = max(part.doubt, hidden)
                continue
        elif high - low <= tol:
            continue
        middle = (low + high) / 2
        if crossing is not None and tries % 3 < 2:
            middle = min(max(crossing, low + tol / 2), high - tol / 2)
        middle = round(middle, 6)
        probes.at(part, (middle,), [one, other])
        stack += [(middle, high, tries + 1), (low, middle, tries + 1)]


def _crossing(probes: Probes, part: Part, low: float, high: float) -> tuple[float | None, float]:
    """Where the costs of the plans of two rates cross, and how far that lies above the chord between them."""
    one, other = part.probes[low,], part.probes[high,]
    if not probes.linear or not np.isfinite(one.usd + other.usd):
        return None, 0.0
    rise, later = float(one.line[1]), float(other.line[1])
    if rise - later <= 1e-12 * max(1.0, abs(rise)):
        return None, 0.0
    crossing = low + (other.usd - later * (high - low) - one.usd) / (rise - later)
    crossing = min(max(crossing, low), high)
    chord = one.usd + (other.usd - one.usd) * (crossing - low) / (high - low)
    return crossing, max(0.0, one.usd + rise * (crossing - low) - chord)


def _merged(probes: Probes, most: float) -> tuple[Step, ...]:
    """The steps of all parts as those of the whole network."""
    flips: list[tuple[float, float, int]] = []  # above, below, part
    state: list[Decided] = []
    for k, part in enumerate(probes.parts):
        rates = sorted(rates[0] for rates in part.probes)
        state.append(part.probes[rates[0],].decided)
        for low, high in pairwise(rates):
            if part.probes[low,].decided != part.probes[high,].decided:
                flips.append((high, low, k))
    steps: list[Step] = []
    start = 0.0
    for above, below, k in sorted(flips):
        if below >= start:
            steps.append((start, below, probes.together(state)))
        state[k] = probes.parts[k].probes[above,].decided
        start = above
    steps.append((start, most, probes.together(state)))
    return tuple(steps)


# -- two rules ----------------------------------------------------------------------------------------------------
def _map(probes: Probes, most: float) -> tuple[Rates, tuple[Decided, ...], tuple[tuple[int, ...], ...]]:
    """Rates, regions, and the region of each pair of rates."""
    pieces = FINEST * (DRAWN if probes.linear else 1)
    rates = tuple(most * k / pieces for k in range(pieces + 1))
    surveys: dict[int, list[list[Decided]]] = {}

    def survey(k: int) -> None:
        surveys[k] = _survey(probes, probes.parts[k], rates)

    Workers().hand_out(survey, range(len(probes.parts)))
    regions: dict[Decided, int] = {}
    places = range(len(rates))
    cells = tuple(
        tuple(
            regions.setdefault(probes.together(found[row][column] for found in surveys.values()), len(regions))
            for column in places
        )
        for row in places
    )
    return rates, tuple(regions), cells


def _survey(probes: Probes, part: Part, rates: Rates) -> list[list[Decided]]:
    """What a part decides at each pair of rates.

    Squares whose corners differ are cut in four, down to the finest; amid corners that decide alike everything does,
    and in a finest square that they part the plans found at its corners are priced, where their cost is linear in the
    rates. What is best only between corners that decide alike, or only inside a finest square, is not seen.
    """

    def at(i: int, j: int) -> Probe:
        near = sorted(part.probes, key=lambda known: abs(known[0] - rates[i]) + abs(known[1] - rates[j]))[:1]
        return probes.at(part, (rates[i], rates[j]), [part.probes[key] for key in near])

    found: list[list[Decided]] = [[()] * len(rates) for _ in rates]
    least = (len(rates) - 1) // FINEST
    size = (len(rates) - 1) // COARSEST
    starts = range(len(rates) - 1 - size, -1, -size)
    stack = [(i, j, size) for j in starts for i in starts]
    while stack:
        i, j, size = stack.pop()
        corners = [at(i, j), at(i + size, j), at(i + size, j + size), at(i, j + size)]
        alike = len({corner.decided for corner in corners}) == 1
        if size > least and not alike:
            half = size // 2
            stack += [(i + half, j + half, half), (i, j + half, half), (i + half, j, half), (i, j, half)]
            continue
        for row in range(j, j + size + 1):
            for column in range(i, i + size + 1):
                pair = (rates[column], rates[row])
                known = part.probes.get(pair) or (corners[0] if alike else probes.cheapest(corners, pair))
                found[row][column] = known.decided
    return found
