"""The same turning mass integrated step by step, with what the closed form leaves out.

Dead bands, valve lags, limits of response and several classes of governors.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ashore.fleet.grid.closed import BAND
from ashore.fleet.grid.model import Answer, Event, Governor, System

STEP = 0.01  # s; the fourth-order method is then far below a microhertz from the closed form
TRACED = 0.1  # s between two points of a trace
SECONDS = 120.0  # looked at, after the ramp


@dataclass(frozen=True, slots=True)
class Run:
    """What an integration found: the answer, and (s, Hz) from 0 on."""

    answer: Answer
    trace: tuple[tuple[float, float], ...]


def plain(system: System) -> tuple[Governor, ...]:
    """The one class of governors of the closed form."""
    return (Governor("all", 1.0, system.reheat_fraction, system.reheat_s),)


def run(system: System, event: Event, governors: Sequence[Governor], seconds: float = SECONDS) -> Run:
    """Integrates by Runge and Kutta's fourth-order method; deviations are counted upwards for a trip and a start alike.

    The state holds the deviation, then of each class its valve (in MW) and its reheater (in MW).
    """
    rates = _rates(system, event, governors)
    times = _times(event.ramp_s, seconds)
    state = [0.0] * (1 + 2 * len(governors))
    slope = rates(0.0, state)
    deviations, slopes = [0.0], [slope[0]]
    for now, after in pairwise(times):
        state = _advance(rates, now, after - now, state, slope)
        slope = rates(after, state)
        deviations.append(state[0])
        slopes.append(slope[0])
    curve = _Curve(times, deviations, slopes)
    at, peak = curve.peak()
    base, sign = system.frequency_hz, event.sign
    rest = base + sign * deviations[-1]
    answer = Answer(base + sign * peak, at, rest, max(map(abs, slopes)), curve.settled(peak))
    count = int(times[-1] / TRACED + 1e-9)
    return Run(answer, tuple((TRACED * n, base + sign * curve(TRACED * n)) for n in range(count + 1)))


def _times(ramp_s: float, seconds: float) -> list[float]:
    """Steps of STEP or less that end where the ramp ends."""
    count = max(1, math.ceil(ramp_s / STEP)) if ramp_s else 0
    return [ramp_s * n / count for n in range(count)] + [ramp_s + STEP * n for n in range(round(seconds / STEP) + 1)]


def _rates(system: System, event: Event, governors: Sequence[Governor]) -> _Rates:
    classes = tuple(
        _Class(
            system.governing * one.share,
            one.reheat_fraction,
            one.reheat_s,
            one.valve_s,
            one.deadband_mhz / 1000,
            float("inf") if one.cap_mw is None else one.cap_mw,
        )
        for one in governors
    )
    return _Rates(system.inertia, system.damping, event.mw, event.ramp_s, classes)


@dataclass(frozen=True, slots=True)
class _Class:
    gain: float  # MW a Hz
    fraction: float
    reheat_s: float
    valve_s: float
    deadband: float  # Hz
    cap: float  # MW


@dataclass(frozen=True, slots=True)
class _Rates:
    """The right-hand side: M·y' = P(t) − d·y − Σ p."""

    inertia: float
    damping: float
    mw: float
    ramp_s: float
    classes: tuple[_Class, ...]

    def __call__(self, t: float, state: Sequence[float]) -> list[float]:
        y = state[0]
        power = 0.0
        rates = [0.0]
        for place, one in enumerate(self.classes):
            valve, reheater = state[1 + 2 * place], state[2 + 2 * place]
            beyond = y - one.deadband if y > one.deadband else y + one.deadband if y < -one.deadband else 0.0
            wanted = max(-one.cap, min(one.cap, one.gain * beyond))
            if one.valve_s:
                rates.append((wanted - valve) / one.valve_s)
            else:
                valve = wanted
                rates.append(0.0)
            power += one.fraction * valve + (1 - one.fraction) * reheater
            rates.append((valve - reheater) / one.reheat_s)
        lost = self.mw if t >= self.ramp_s else self.mw * t / self.ramp_s
        rates[0] = (lost - self.damping * y - power) / self.inertia
        return rates


def _advance(rates: _Rates, t: float, step: float, state: list[float], a: list[float]) -> list[float]:
    """The state a step later; a: its rates at t."""
    half = step / 2
    b = rates(t + half, [s + half * r for s, r in zip(state, a, strict=True)])
    c = rates(t + half, [s + half * r for s, r in zip(state, b, strict=True)])
    d = rates(t + step, [s + step * r for s, r in zip(state, c, strict=True)])
    return [
        s + step / 6 * (one + 2 * two + 2 * three + four)
        for s, one, two, three, four in zip(state, a, b, c, d, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Curve:
    """Deviations at rising times, and between them the cubics through both ends and their slopes."""

    times: Sequence[float]
    deviations: Sequence[float]
    slopes: Sequence[float]

    def __call__(self, t: float) -> float:
        left = min(max(bisect_right(self.times, t) - 1, 0), len(self.times) - 2)
        return self._within(left, (t - self.times[left]) / (self.times[left + 1] - self.times[left]))

    def _cubic(self, left: int) -> tuple[float, float, float, float]:
        """Coefficients of y + u·s + b·s² + c·s³ over the share s of a step."""
        width = self.times[left + 1] - self.times[left]
        u, v = self.slopes[left] * width, self.slopes[left + 1] * width
        rise = self.deviations[left + 1] - self.deviations[left]
        return self.deviations[left], u, 3 * rise - 2 * u - v, u + v - 2 * rise

    def _within(self, left: int, share: float) -> float:
        y, u, b, c = self._cubic(left)
        return y + share * (u + share * (b + share * c))

    def peak(self) -> tuple[float | None, float]:
        """When and how great the greatest deviation is; no time if it is the last one."""
        place = max(range(len(self.times)), key=lambda n: self.deviations[n])
        if place == len(self.times) - 1:
            return None, self.deviations[place]
        left = place if self.slopes[place] > 0 else max(place - 1, 0)
        _, u, b, c = self._cubic(left)
        share = u / (u - (u + 2 * b + 3 * c)) if 2 * b + 3 * c < 0 else 0.0
        for _ in range(4):  # Newton's method on the slope of the cubic
            bend = 2 * b + 6 * c * share
            share = min(1.0, max(0.0, share - (u + share * (2 * b + 3 * c * share)) / bend)) if bend else share
        at = self.times[left] + share * (self.times[left + 1] - self.times[left])
        return at, max(self._within(left, share), self.deviations[place])

    def settled(self, peak: float) -> float | None:
        """Since when it is no further from its last value than BAND of the greatest; None: only in the last tenth."""
        rest, near = self.deviations[-1], BAND * abs(peak)
        far = [n for n, y in enumerate(self.deviations) if abs(y - rest) > near]
        at = self.times[far[-1] + 1] if far else 0.0
        return None if at > 0.9 * self.times[-1] else at
