"""Anderson and Mirheydar's system frequency response in closed form, for a step and for a ramp.

M·y' = P − d·y − p, with turbine power p = F·k·y + (1−F)·x and T·x' = k·y − x: y is the deviation in Hz, M the inertia,
d the damping, k the governors' stiffness, F the reheat fraction, T its time constant. Two modes, whatever the damping.
P. M. Anderson and M. Mirheydar, A low-order system frequency response model, IEEE Trans. Power Systems 5(3), 1990.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass

from ashore.fleet.grid.model import Answer, Event, System

HORIZON = 600.0  # s in which a peak and the end of the settling are looked for
STEP = 0.02  # s between two looks
BAND = 0.05  # of the excursion, around where it comes to rest


@dataclass(frozen=True, slots=True)
class Modes:
    """y(t) = rest + Re(c1·exp(l1·t) + c2·exp(l2·t)) for a step of one event's MW at time 0; Hz and s."""

    rest: float
    roots: tuple[complex, complex]
    weights: tuple[complex, complex]

    def step(self, t: float) -> float:
        """Deviation t seconds after a step; 0 before it."""
        if t <= 0:
            return 0.0
        return self.rest + sum((c * cmath.exp(r * t)).real for c, r in zip(self.weights, self.roots, strict=True))

    def summed(self, t: float) -> float:
        """The integral of ``step`` from 0 to t."""
        if t <= 0:
            return 0.0
        parts = zip(self.weights, self.roots, strict=True)
        return self.rest * t + sum((c / r * (cmath.exp(r * t) - 1)).real for c, r in parts)

    def after(self, t: float, ramp_s: float) -> float:
        """Deviation t seconds after the event begins: a ramp is the mean of steps spread over it."""
        return self.step(t) if ramp_s == 0 else (self.summed(t) - self.summed(t - ramp_s)) / ramp_s


def modes(system: System, mw: float) -> Modes:
    """The two modes of a step of ``mw``: M·T·s² + (M + (d + k·F)·T)·s + (d + k) = 0, y(0) = 0, y'(0) = mw/M."""
    square = system.inertia * system.reheat_s
    linear = system.inertia + (system.damping + system.governing * system.reheat_fraction) * system.reheat_s
    rest = mw / system.stiffness
    inside = linear * linear - 4 * square * system.stiffness
    if abs(inside) < 1e-12 * linear * linear:  # two equal roots: kept apart by less than shows
        inside = 1e-12 * linear * linear
    split = cmath.sqrt(inside)
    first, second = (-linear + split) / (2 * square), (-linear - split) / (2 * square)
    one = (mw / system.inertia + second * rest) / (first - second)
    return Modes(rest, (first, second), (one, -rest - one))


def respond(system: System, event: Event) -> Answer:
    """Peak, time, rest and steepest change of an event, exact but for the settling time, which is to 0.02 s."""
    found = modes(system, event.mw)
    at = _crest(found, event.ramp_s)
    peak = found.rest if at is None else found.after(at, event.ramp_s)
    base, sign = system.frequency_hz, event.sign
    steepest = event.mw / system.inertia
    if event.ramp_s:
        highest = _step_crest(found)
        inside = event.ramp_s if highest is None else min(highest, event.ramp_s)
        steepest = found.step(inside) / event.ramp_s
    return Answer(base + sign * peak, at, base + sign * found.rest, steepest, _settled(found, event.ramp_s, peak))


def trace(system: System, event: Event, seconds: float, step: float = 0.1) -> list[tuple[float, float]]:
    """(s, Hz) every ``step`` seconds from 0 on."""
    found = modes(system, event.mw)
    times = [step * number for number in range(round(seconds / step) + 1)]
    return [(t, system.frequency_hz + event.sign * found.after(t, event.ramp_s)) for t in times]


def _crest(found: Modes, ramp_s: float) -> float | None:
    """When the deviation is greatest, or None if it only ever comes near its rest."""
    if ramp_s == 0:
        return _step_crest(found)

    def slope(t: float) -> float:
        return found.step(t) - found.step(t - ramp_s)

    before = ramp_s
    while before < ramp_s + HORIZON:
        after = before + STEP
        if slope(after) < 0:
            return _root(slope, before, after)
        before = after
    return None


def _step_crest(found: Modes) -> float | None:
    """The first zero of y' = c1·l1·exp(l1·t) + c2·l2·exp(l2·t), from its two terms."""
    first, second = found.roots
    if found.weights[0] == 0:
        return None
    if first.imag:  # y' = 2·Re(...): the phase of the first term must reach a quarter turn
        angle = cmath.phase(found.weights[0] * first)
        turn = (math.pi / 2 - angle) % math.pi
        return turn / first.imag if turn else math.pi / first.imag
    ratio = -(found.weights[1] * second) / (found.weights[0] * first)
    if ratio.real <= 0:
        return None
    at = math.log(ratio.real) / (first - second).real
    return at if at > 0 else None


def _settled(found: Modes, ramp_s: float, peak: float) -> float | None:
    """The last time the deviation is further from its rest than BAND of the greatest; None: beyond HORIZON."""
    near = BAND * abs(peak)
    slow = min(abs(root.real) for root in found.roots)
    end = min(HORIZON, ramp_s + math.log(1 / BAND * (1 + sum(map(abs, found.weights)) / abs(peak))) / slow)
    looks = (number * STEP for number in range(int(end / STEP), 0, -1))
    last = next((t for t in looks if abs(found.after(t, ramp_s) - found.rest) > near), 0.0)
    return None if last + STEP >= HORIZON else last + STEP


def _root(slope: Callable[[float], float], low: float, high: float) -> float:
    """Where a slope turns negative between two times, halved until it is known to 1e-10 s."""
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) < 0 else (middle, high)
    return (low + high) / 2
