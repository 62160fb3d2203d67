"""The screen: what load lost or started does to the frequency of an interconnection, with bands and distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ashore.fleet.given import GridGiven
from ashore.fleet.grid import closed, shipped, swing
from ashore.fleet.grid.inputs import ENDS, Setting, setting_of
from ashore.fleet.grid.model import Answer, Event, System
from ashore.tables import Row

STATUS = "screening, not a study"
WHY = (
    "The whole interconnection is one mass at one frequency: places, lines and voltage are left out, and load that "
    "trips on a voltage dip is how such losses have come about so far.",
    "Inertia and response change from hour to hour; low and high span what is plausible, not what is sure.",
    "The same loss in a model of a whole network lies as far off as the structural band says: how load answers to "
    "voltage and how slow valves are counts for more than the solver.",
    "Protection, cascades, automatic generation control, fast frequency response and load resources are left out. "
    "A threshold says where something may trip, not that it does.",
)
SHORT = 20.0  # s in which a peak with dead bands and limits is looked for when MW to a threshold is sought
TRACE = 30.0  # s of the traces


@dataclass(frozen=True, slots=True)
class Screen:
    """What a screen found; ``as_dict`` has it all with units in the names.

    exact: the closed form of the middle system; integrated: the same integrated; limited: integrated with governors as
    stated (dead band, valves, caps, classes). ends: closed forms of the weak, middle and strong system.
    """

    area: shipped.Interconnection
    setting: Setting
    exact: Answer
    integrated: Answer
    limited: swing.Run
    ends: dict[str, Answer]

    def as_dict(self) -> dict[str, Any]:
        """The whole document."""
        event, base = self.setting.event, self.area.frequency_hz
        return {
            "status": STATUS,
            "why": list(WHY),
            "interconnection": self.area.name,
            "event": "trip" if event.trip else "start",
            "mw": event.mw,
            "ramp_s": event.ramp_s,
            "inputs": asdict(self.setting.mid),
            "governors": [asdict(one) for one in self.setting.governors],
            "closed_form": self.exact.as_dict(),
            "integrated": self.integrated.as_dict(),
            "difference_hz": self.integrated.peak_hz - self.exact.peak_hz,
            "with_limits": self.limited.answer.as_dict(),
            "band": {end: asdict(self.setting.systems[end]) | self.ends[end].as_dict() for end in ENDS},
            "structural": structural(base, self.ends),
            "sensitivity": self._sensitivity(),
            "thresholds": self._thresholds(),
            "published": self._published(),
            "traces": self._traces(),
            "assumptions": self.setting.assumptions,
        }

    def _sensitivity(self) -> list[dict[str, Any]]:
        """The peak as each assumed figure of the closed form goes to its low and its high alone, widest first."""
        mid, event = self.setting.mid, self.setting.event
        rows = []
        for figure in self.setting.assumed:
            if not hasattr(mid, figure.name):
                continue
            ends = {}
            for end in ("low", "high"):
                moved = replace(mid, **{figure.name: getattr(figure, end)})
                ends[f"peak_{end}_hz"] = closed.respond(moved, event).peak_hz if moved.governing > 0 else None
            label, unit = shipped.LABELS[figure.name]
            known = {"name": figure.name, "label": label, "unit": unit.strip(), "low": figure.low, "high": figure.high}
            rows.append(known | ends)
        return sorted(rows, key=lambda row: -abs((row["peak_high_hz"] or 0.0) - (row["peak_low_hz"] or 0.0)))

    def _thresholds(self) -> list[dict[str, Any]]:
        """MW that bring the peak to each threshold: exact for the ends, by the secant method with limits."""
        event, base = self.setting.event, self.area.frequency_hz
        rows = []
        for row in sorted(shipped.thresholds(self.area.key), key=lambda row: abs(row["hz"] - base)):
            if (row["hz"] > base) != event.trip:
                continue
            mw = {f"mw_{end}": event.mw * (row["hz"] - base) / (self.ends[end].peak_hz - base) for end in ENDS}
            reached = self._mw_with_limits(abs(row["hz"] - base), mw["mw_mid"])
            known = {name: row[name] for name in ("hz", "meaning", "basis", "source")}
            rows.append(known | mw | {"mw_with_limits": reached})
        return rows

    def _mw_with_limits(self, excursion_hz: float, guess: float) -> float:
        """MW that take the system with its governors as stated to an excursion."""
        mid, base = self.setting.mid, self.area.frequency_hz

        def excess(mw: float) -> float:
            event = replace(self.setting.event, mw=mw)
            return abs(swing.run(mid, event, self.setting.governors, SHORT).answer.peak_hz - base) - excursion_hz

        return _secant(excess, 0.9 * guess, guess)

    def _published(self) -> list[dict[str, Any]]:
        """Published limits and incidents of the same kind, and what the model gives for them."""
        kind = "trip" if self.setting.event.trip else "start"
        rows = []
        for row in shipped.published(self.area.key):
            if row["event"] != kind:
                continue
            event = Event(row["mw"], self.setting.event.trip)
            peaks = {f"model_{end}_hz": closed.respond(self.setting.systems[end], event).peak_hz for end in ENDS}
            known = {name: row[name] for name in ("mw", "hz", "what", "basis", "source")}
            known |= {"date": row["date"].isoformat(), "limit": row["what"].startswith("limit")}
            rows.append(known | {"mw_left": row["mw"] - self.setting.event.mw} | peaks | self._meeting(row))
        return rows

    def _meeting(self, row: Row) -> dict[str, float | None]:
        """The response with which the model meets a published figure, with the most and the least inertia."""
        least, most = (
            response_meeting(self.setting.systems[end], Event(row["mw"], self.setting.event.trip), row["hz"])
            for end in ("strong", "weak")
        )
        return {"response_meeting_low_mw_per_100mhz": least, "response_meeting_high_mw_per_100mhz": most}

    def _traces(self) -> list[dict[str, Any]]:
        """Frequency over time of the ends and of the run with limits, every 0.1 s, Hz to the microhertz."""
        event = self.setting.event
        seconds = TRACE + event.ramp_s
        found = {end: closed.trace(self.setting.systems[end], event, seconds) for end in ENDS}
        found["with_limits"] = [point for point in self.limited.trace if point[0] <= seconds + 1e-9]
        return [
            {"name": name, "step_s": 0.1, "hz": [round(hz, 6) for _, hz in points]} for name, points in found.items()
        ]


def screen(interconnection: str, event: Event, given: GridGiven | None = None, governors: Path | None = None) -> Screen:
    """Screens an event on a shipped interconnection, with what is stated in place of what is assumed.

    governors: a file of governor classes in place of the one class of the closed form. Raises FaultyInput.
    """
    area = shipped.interconnection(interconnection)
    setting = setting_of(area, event, given or GridGiven(), governors)
    ends = _ends(setting)
    integrated = swing.run(setting.mid, event, swing.plain(setting.mid)).answer
    limited = swing.run(setting.mid, event, setting.governors)
    return Screen(area, setting, ends["mid"], integrated, limited, ends)


def ends_of(interconnection: str, event: Event) -> dict[str, Answer]:
    """The closed form of the weak, the middle and the strong system alone, all as shipped. Raises FaultyInput."""
    return _ends(setting_of(shipped.interconnection(interconnection), event, GridGiven()))


def _ends(setting: Setting) -> dict[str, Answer]:
    return {end: closed.respond(system, setting.event) for end, system in setting.systems.items()}


def structural(base: float, ends: dict[str, Answer]) -> dict[str, Any]:
    """How far runs of whole networks lie from the closed form at the same inertia and response, applied here.

    low_hz and high_hz: the middle system's excursion times the least and the greatest factor; widest: the strong
    system's times the least, the weak one's times the greatest.
    """
    rows = shipped.network_runs()
    form = next(row for row in rows if row["kind"] == "closed_form")
    nominal = 60.0  # Hz of the runs
    whole = [row for row in rows if row["kind"] == "network"]
    factors = [(row["peak_hz"] - nominal) / (form["peak_hz"] - nominal) for row in whole]
    least, most = min(factors), max(factors)

    def scaled(end: str, factor: float) -> float:
        return base + (ends[end].peak_hz - base) * factor

    return {
        "factor_low": least,
        "factor_high": most,
        "low_hz": min(scaled("mid", least), scaled("mid", most)),
        "high_hz": max(scaled("mid", least), scaled("mid", most)),
        "widest_low_hz": min(scaled("strong", least), scaled("weak", most)),
        "widest_high_hz": max(scaled("strong", least), scaled("weak", most)),
        "runs": [
            {
                name: row[name]
                for name in ("run", "kind", "energy_gws", "response_mw_per_100mhz", "mw", "peak_hz", "note")
            }
            | {"factor": (row["peak_hz"] - nominal) / (form["peak_hz"] - nominal) if row["kind"] != "other" else None}
            for row in rows
        ],
        "source": "own runs of ANDES 2.0.0 on the cases it ships with, scaled; 2,000 MW unless said otherwise",
    }


def response_meeting(system: System, event: Event, hz: float) -> float | None:
    """The response (MW/0.1 Hz) with which the closed form's peak is ``hz``; None if none does."""
    least = system.damping / 10 * (1 + 1e-9) + 1e-9
    most = 1e5
    wanted = abs(hz - system.frequency_hz)

    def excess(response: float) -> float:
        answer = closed.respond(replace(system, response_mw_per_100mhz=response), event)
        return abs(answer.peak_hz - system.frequency_hz) - wanted

    if excess(least) < 0 or excess(most) > 0:
        return None
    for _ in range(60):
        middle = (least + most) / 2
        least, most = (middle, most) if excess(middle) > 0 else (least, middle)
    return (least + most) / 2


def _secant(excess: Callable[[float], float], first: float, second: float) -> float:
    """Where an increasing function is 0, to a thousandth."""
    low, high = excess(first), excess(second)
    for _ in range(12):
        if abs(second - first) < 1e-3 * second or high == low:
            break
        after = max(second - high * (second - first) / (high - low), 0.05 * second)
        first, low = second, high
        second, high = after, excess(after)
    return second
