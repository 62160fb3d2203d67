"""How much mean cost a smaller tail costs: plans for weights of the tail from 0 to 1, on the curve of mean and tail.

The best value v(w) = min over plans of (1 − w)·mean + w·CVaR is concave in w. So between two weights it is at least
what lies between their bounds, and where their plans cost the same another could gain most. Rounds of solves at those
weights go on until there are as many points as wished, or no weight is left at which one could lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from ashore.errors import Fault, SolverTrouble, raise_if
from ashore.plans import decode
from ashore.plans import objective as objectives
from ashore.plans.aim import Aim
from ashore.plans.calendar import Floats
from ashore.plans.parallel import spread
from ashore.plans.plan import Plan
from ashore.plans.posed import Posed
from ashore.plans.solver import Answer, Limits

POINTS = 7


@dataclass(frozen=True)
class Point:
    """The best plan for one weight of the tail.

    mean_usd, tail_usd: expected loss, and its mean over the dearest branches; a loss is cost, or for margin cost less
    revenue. objective_usd: (1 − weight)·mean_usd + weight·tail_usd, bound_usd below it; gap as of a plan, and status
    "optimal" if it is within the gap asked for. open: plant, node, month, date, ready, chance of what opens.
    """

    weight: float
    mean_usd: float
    tail_usd: float
    objective_usd: float
    bound_usd: float
    gap: float
    status: str
    open: pl.DataFrame


@dataclass(frozen=True)
class Frontier:
    """Plans by weight, mean rising and tail falling; the curve through them is convex."""

    points: tuple[Point, ...]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, dates as text."""
        rows = []
        for point in self.points:
            row = {field.name: getattr(point, field.name) for field in fields(point)}
            rows.append(row | {"open": point.open.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d")).to_dicts()})
        return {"frontier": rows, "frontier_notes": list(self.notes)}


@dataclass(frozen=True)
class _Asked:
    """What a solve at one weight needs."""

    posed: Posed
    method: str
    limits: Limits


@dataclass(frozen=True)
class _Found:
    """A plan found for a weight: its columns, its mean and tail, and a bound on the best value at the weight."""

    weight: float
    x: Floats
    mean: float
    tail: float
    bound: float

    def at(self, weight: float) -> float:
        return (1.0 - weight) * self.mean + weight * self.tail


def misfits(count: int, objective: str) -> list[Fault]:
    """A frontier that cannot be drawn."""
    faults = []
    if count < 2:
        faults.append(Fault("--frontier", f"{count} points make no curve.", "Ask for 2 or more; 7 shows its form."))
    if objective not in ("cost", "margin"):
        what = f"--objective {objective} looks at one branch alone and has no mean to weigh against a tail."
        faults.append(Fault("--frontier", what, "Ask for it with --objective cost or margin."))
    return faults


def frontier(plan: Plan, count: int = POINTS, time: float | None = None) -> Frontier:
    """At most ``count`` plans on the curve of a plan's mean against its tail; ``time`` in seconds for each solve.

    Always with both ends, the least mean and the least tail. Fewer where no other plan lies on the curve. Every point
    is proven to the plan's gap unless its status says otherwise. Raises FaultyInput, SolverTrouble.
    """
    raise_if(misfits(count, plan.objective))
    posed, answer = plan.whole()
    limits = Limits(posed.limits.gap, posed.limits.seconds if time is None else time)
    asked = _Asked(posed, plan.method, limits)
    begin = np.where(posed.arrays.integer, np.round(answer.x), np.nan)
    notes: list[str] = []
    if len(posed.calendar.leaves) < 2:
        notes.append("There is one branch only: its tail is its mean.")
    known = [_found(posed, plan.risk, answer)] if plan.risk in (0, 1) or count > 2 else []
    ends = [(weight, begin) for weight in (0.0, 1.0) if all(each.weight != weight for each in known)]
    found = sorted([*known, *spread(_at, ends, asked)], key=lambda each: each.weight)
    shut: set[tuple[float, float]] = set()
    try:
        while len(found) < count:
            between = _between(found, asked, shut)[: count - len(found)]
            if not between:
                break
            _grow(found, spread(_at, [(weight, start) for weight, start, _ in between], asked), between, asked, shut)
    except KeyboardInterrupt:
        notes.append("Stopped before all of the points asked for were found.")
    except SolverTrouble as trouble:
        notes.append(f"No more points: {trouble.faults[0].what}")
    points = _points(found, asked)
    if not notes and len(points) < count:
        notes.append(f"No other plan lies on the curve than these {len(points)}.")
    return Frontier(points, tuple(notes))


def _aim(posed: Posed, weight: float) -> Aim:
    return replace(posed.aim, risk=weight)


def _at(asked: _Asked, item: tuple[float, Floats]) -> _Found:
    """The best plan at a weight."""
    (weight, start), posed = item, asked.posed
    aim = _aim(posed, weight)
    answer = objectives.answer(posed.model, posed.arrays, aim, asked.limits, method=asked.method, start=start)
    return _found(posed, weight, answer)


def _found(posed: Posed, weight: float, answer: Answer) -> _Found:
    aim = _aim(posed, weight)
    loss = aim.along(aim.costs.by_node(posed.calendar, answer.x)) - aim.credits
    mean, tail = (replace(aim, risk=risk).measure(loss) for risk in (0.0, 1.0))
    return _Found(weight, answer.x, mean, tail, answer.bound - aim.lift)


def _slack(value: float, weight: float, asked: _Asked) -> float:
    """What two values at a weight may differ by and still be the same to the gap."""
    return asked.limits.gap * abs(value + _aim(asked.posed, weight).lift) + 1e-9


def _between(
    found: Sequence[_Found], asked: _Asked, shut: set[tuple[float, float]]
) -> list[tuple[float, Floats, tuple[float, float]]]:
    """Weights at which another plan could be better, with openings to start from, where it could gain most first."""
    places: list[tuple[float, float, Floats, tuple[float, float]]] = []
    for less, more in pairwise(found):
        dearer, calmer = more.mean - less.mean, less.tail - more.tail
        if (less.weight, more.weight) in shut or dearer <= 0 or calmer <= 0:
            continue
        weight = dearer / (dearer + calmer)
        if not less.weight < weight < more.weight:
            continue
        share = (weight - less.weight) / (more.weight - less.weight)
        bound, value = (1 - share) * less.bound + share * more.bound, less.at(weight)
        if value - bound > _slack(value, weight, asked):
            start = np.where(asked.posed.arrays.integer, np.round(less.x), np.nan)
            places.append((value - bound, weight, start, (less.weight, more.weight)))
    places.sort(key=lambda place: -place[0])
    return [place[1:] for place in places]


def _grow(
    found: list[_Found],
    new: Sequence[_Found],
    between: Sequence[tuple[float, Floats, tuple[float, float]]],
    asked: _Asked,
    shut: set[tuple[float, float]],
) -> None:
    """Takes up the plans that lie below the line between their neighbours, and remembers where there is none."""
    known = {each.weight: each for each in found}
    for point, (weight, _, ends) in zip(new, between, strict=True):
        value = min(known[end].at(weight) for end in ends)
        if value - point.at(weight) > _slack(value, weight, asked):
            found.append(point)
        else:
            shut.add(ends)
    found.sort(key=lambda each: each.weight)


def _points(found: Sequence[_Found], asked: _Asked) -> tuple[Point, ...]:
    """Of each weight the best of all plans found: they lie on their lower hull. Each plan once, but for the ends."""
    points: list[Point] = []
    used: set[int] = set()
    for each in sorted(found, key=lambda each: (each.weight not in (0.0, 1.0), each.weight)):
        weight = each.weight
        value = min(other.at(weight) for other in found)
        equal = [k for k, other in enumerate(found) if other.at(weight) <= value + 1e-9 * abs(value)]
        k = min(equal, key=lambda k: found[k].mean if weight > 0 else found[k].tail)
        if k in used and weight not in (0.0, 1.0):
            continue
        used.add(k)
        points.append(_point(found[k], weight, each.bound, asked))
    return tuple(sorted(points, key=lambda point: (point.mean_usd, -point.tail_usd, point.weight)))


def _point(plan: _Found, weight: float, bound: float, asked: _Asked) -> Point:
    value = plan.at(weight)
    against = abs(value + _aim(asked.posed, weight).lift)
    gap = max(0.0, value - bound) / against if against else 0.0
    status = "optimal" if gap <= asked.limits.gap + 1e-9 else "time_limit"
    opens = decode.openings(asked.posed.model, plan.x)
    return Point(weight, plan.mean, plan.tail, value, min(bound, value), gap, status, opens)
