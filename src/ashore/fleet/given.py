"""What a user may state of a grid, in a module that costs nothing to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GridGiven:
    """What a user may state of an interconnection; None: assumed, from low to high.

    Parameters
    ----------
    energy_gws:
        energy stored in what turns, GW·s, as 200.
    response_mw_per_100mhz:
        response of governors and load together once all is at rest, MW for each 0.1 Hz, as 1057.
    base_gw:
        load on which damping is stated, GW.
    damping_pu:
        change of load in per unit for one per unit of frequency; part of the response.
    reheat_fraction:
        share of a turbine's power that follows its valve at once, above 0 up to 1.
    reheat_s:
        time constant of the rest of it, seconds.
    deadband_mhz:
        dead band of the governors, mHz to each side, without a step at its edge; 0 for none.
    valve_s:
        lag of the valves, seconds; 0 for none.
    cap_mw:
        most the governors can move in all, MW; without it there is no limit.
    """

    energy_gws: float | None = None
    response_mw_per_100mhz: float | None = None
    base_gw: float | None = None
    damping_pu: float | None = None
    reheat_fraction: float | None = None
    reheat_s: float | None = None
    deadband_mhz: float | None = None
    valve_s: float | None = None
    cap_mw: float | None = None
