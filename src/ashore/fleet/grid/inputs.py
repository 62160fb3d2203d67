"""From what a user states to systems, governors and an event, every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ashore.errors import Fault, raise_if
from ashore.fleet.given import GridGiven
from ashore.fleet.grid.model import Event, Governor, System
from ashore.fleet.grid.shipped import LABELS, Interconnection
from ashore.tables import Column, Table, read
from ashore.worth.inputs import Assumed, Bound, faults_of

STATED = (
    "energy_gws",
    "response_mw_per_100mhz",
    "base_gw",
    "damping_pu",
    "reheat_fraction",
    "reheat_s",
    "deadband_mhz",
)
LEAST_MW = 1e-9  # of an event
BOUNDS = {
    "mw": Bound(LEAST_MW, 1e6, "Give the load that goes or comes in MW, as 2000."),
    "ramp": Bound(0, 3600, "Give seconds from 0 (all at once) to 3600."),
    "energy_gws": Bound(0, 1e5, "Give the stored energy in GW·s, as 200.", open=True),
    "response_mw_per_100mhz": Bound(0, 1e5, "Give MW for each 0.1 Hz, as 1057.", open=True),
    "base_gw": Bound(0, 1e4, "Give the load in GW, as 50.", open=True),
    "damping_pu": Bound(0, 10, "Give per unit of load for one per unit of frequency, as 1."),
    "reheat_fraction": Bound(0, 1, "Give a share from 0 to 1, as 0.3."),
    "reheat_s": Bound(0.1, 300, "Give seconds from 0.1 to 300, as 8."),
    "deadband_mhz": Bound(0, 1000, "Give mHz from 0, as 17."),
    "valve_s": Bound(0, 60, "Give seconds: 0 for none, else 0.05 to 60."),
    "cap_mw": Bound(0, 1e6, "Give the most the governors can move in MW."),
}
GOVERNORS = Table(
    "governors",
    (
        Column("class", "text"),
        Column("share", "number", above=0, maximum=1),
        Column("reheat_fraction", "number", minimum=0, maximum=1),
        Column("reheat_s", "number", minimum=0.1, maximum=300),
        Column("valve_s", "number", required=False, minimum=0, maximum=60),
        Column("deadband_mhz", "number", required=False, minimum=0, maximum=1000),
        Column("cap_mw", "number", required=False, minimum=0),
    ),
    key=("class",),
)
ENDS = ("weak", "mid", "strong")
STIFFEST = 20  # per s: stiffness over inertia; real grids have 1 to 3
LEAST_LAG = 0.05  # s; a shorter valve lag would need shorter steps


@dataclass(frozen=True, slots=True)
class Setting:
    """What is screened: systems from weak (least inertia and response) to strong, governors of mid, and the event."""

    weak: System
    mid: System
    strong: System
    governors: tuple[Governor, ...]
    event: Event
    assumed: tuple[Assumed, ...]

    @property
    def systems(self) -> dict[str, System]:
        """The three systems by end."""
        return dict(zip(ENDS, (self.weak, self.mid, self.strong), strict=True))

    @property
    def assumptions(self) -> list[str]:
        """What was not stated, a sentence each."""
        return [one.sentence(LABELS) for one in self.assumed]


def setting_of(area: Interconnection, event: Event, given: GridGiven, governors: Path | None = None) -> Setting:
    """Systems, governors and event of what was stated and what is assumed. Raises FaultyInput with every fault."""
    values = {name: getattr(given, name) for name in (*STATED, "valve_s", "cap_mw")}
    faults = faults_of({"mw": event.mw, "ramp": event.ramp_s} | values, bounds=BOUNDS)
    if values["valve_s"] and values["valve_s"] < LEAST_LAG:
        faults.append(
            Fault("--valve-s", f"{values['valve_s']:g} s is too short to step over.", BOUNDS["valve_s"].remedy)
        )
    raise_if(faults)
    said = [area.figures[name] for name in STATED if values[name] is None]
    weak, mid, strong = (_system(area, values, end) for end in ("low", "value", "high"))
    _check(weak, mid, event, faults)
    classes = _governors(area, values, mid) if governors is None else read_governors(governors, faults)
    raise_if(faults)
    return Setting(weak, mid, strong, classes, event, tuple(said))


def read_governors(path: Path, faults: list[Fault]) -> tuple[Governor, ...]:
    """The classes of a governors file; their shares must add up to 1."""
    before = len(faults)
    rows = read(path, GOVERNORS, faults)
    if len(faults) == before and abs(sum(row["share"] for row in rows) - 1) > 1e-6:
        total = sum(row["share"] for row in rows)
        faults.append(Fault(path.name, f"The shares add up to {total:g}.", "Make them add up to 1.", column="share"))
    for row in rows:
        if row["valve_s"] and row["valve_s"] < LEAST_LAG:
            what = f"{row['valve_s']:g} s is too short to step over."
            faults.append(Fault(path.name, what, BOUNDS["valve_s"].remedy, row["_row"], "valve_s"))
    return tuple(
        Governor(
            row["class"],
            row["share"],
            row["reheat_fraction"],
            row["reheat_s"],
            row["valve_s"] or 0.0,
            row["deadband_mhz"] or 0.0,
            row["cap_mw"],
        )
        for row in rows
    )


def _system(area: Interconnection, values: Mapping[str, float | None], end: str) -> System:
    """Inertia and response at one end of their ranges, the rest as stated or assumed."""

    def value(name: str, at: str = "value") -> float:
        stated = values[name]
        return float(getattr(area.figures[name], at)) if stated is None else stated

    return System(
        value("energy_gws", end),
        value("response_mw_per_100mhz", end),
        value("base_gw"),
        value("damping_pu"),
        value("reheat_fraction"),
        value("reheat_s"),
        area.frequency_hz,
    )


def _check(weak: System, mid: System, event: Event, faults: list[Fault]) -> None:
    for system in (weak, mid):
        if system.governing <= 0:
            what = (
                f"A response of {system.response_mw_per_100mhz:g} MW/0.1 Hz is no more than the damping of the load, "
                f"{system.damping / 10:g} MW/0.1 Hz."
            )
            faults.append(Fault("--response-mw-per-100mhz", what, "Give a larger response, or less load or damping."))
            break
    if mid.stiffness > STIFFEST * weak.inertia:
        what = f"{weak.energy_gws:g} GW·s is too little for a response of {mid.response_mw_per_100mhz:g} MW/0.1 Hz."
        faults.append(Fault("--energy-gws", what, "Give more stored energy, or less response."))
    if event.mw > 1000 * mid.base_gw:
        what = f"{event.mw:g} MW is more than the load of {1000 * mid.base_gw:g} MW."
        faults.append(Fault("--mw", what, "Give fewer MW, or the load with --base-gw."))


def _governors(area: Interconnection, values: Mapping[str, float | None], mid: System) -> tuple[Governor, ...]:
    band = values["deadband_mhz"]
    dead = area.figures["deadband_mhz"].value if band is None else band
    return (Governor("all", 1.0, mid.reheat_fraction, mid.reheat_s, values["valve_s"] or 0.0, dead, values["cap_mw"]),)
