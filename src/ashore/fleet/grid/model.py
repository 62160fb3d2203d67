"""What a grid screen works on: an interconnection as one turning mass, the classes of its governors, and an event."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """An interconnection at one frequency.

    energy_gws: energy stored in what turns, GW·s. response_mw_per_100mhz: of governors and load together once all is at
    rest, MW for each 0.1 Hz. base_gw: load on which damping_pu is stated (per unit of load for one of frequency).
    reheat_fraction: share of a turbine's power that follows its valve at once; reheat_s: time constant of the rest.
    """

    energy_gws: float
    response_mw_per_100mhz: float
    base_gw: float
    damping_pu: float
    reheat_fraction: float
    reheat_s: float
    frequency_hz: float = 60.0

    @property
    def inertia(self) -> float:
        """M = 2E/f0, MW·s for each Hz."""
        return 2 * 1000 * self.energy_gws / self.frequency_hz

    @property
    def stiffness(self) -> float:
        """Of governors and load together, MW for each Hz."""
        return 10 * self.response_mw_per_100mhz

    @property
    def damping(self) -> float:
        """Of the load alone, D·S/f0, MW for each Hz."""
        return self.damping_pu * 1000 * self.base_gw / self.frequency_hz

    @property
    def governing(self) -> float:
        """Of governors alone, MW for each Hz: the stiffness less the damping."""
        return self.stiffness - self.damping


@dataclass(frozen=True, slots=True)
class Governor:
    """A class of governors.

    share: of the governors' response. valve_s: lag of the valve, 0 for none. deadband_mhz: no answer inside it, and one
    from its edge outside (no step). cap_mw: most the class can move; None: no limit.
    """

    name: str
    share: float
    reheat_fraction: float
    reheat_s: float
    valve_s: float = 0.0
    deadband_mhz: float = 0.0
    cap_mw: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Load that goes (``trip``) or comes (``start``): MW in all, evenly over ``ramp_s`` seconds (0: at once)."""

    mw: float
    trip: bool = True
    ramp_s: float = 0.0

    @property
    def sign(self) -> int:
        """+1 where the frequency rises."""
        return 1 if self.trip else -1


@dataclass(frozen=True, slots=True)
class Answer:
    """What the frequency does.

    peak_hz: the frequency farthest from nominal, peak_s after the event begins (None: never, it only comes near).
    rest_hz: where it comes to rest before anybody dispatches anew. rocof_hz_s: its steepest change.
    settled_s: since when it is within 5 per cent of the whole excursion around rest_hz; None: later than looked at.
    """

    peak_hz: float
    peak_s: float | None
    rest_hz: float
    rocof_hz_s: float
    settled_s: float | None

    def as_dict(self) -> dict[str, float | None]:
        """As plain values, units in the names."""
        return {
            "peak_hz": self.peak_hz,
            "peak_s": self.peak_s,
            "rest_hz": self.rest_hz,
            "rocof_hz_per_s": self.rocof_hz_s,
            "settled_s": self.settled_s,
        }
