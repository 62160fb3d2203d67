"""One rig as it was seen, or as an export tells of it, and sums over some."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

IDENTIFIED = "identified"
UNIDENTIFIED = "unidentified"
SILENT = "silent"  # took the connection and said nothing in time
GARBAGE = "garbage"  # said what is no reply of this interface
STATES = (IDENTIFIED, UNIDENTIFIED, SILENT, GARBAGE)
UNKNOWN = "unknown"


def state_of(maker: str, model: str) -> str:
    """Whether a rig that was heard or told of is known: identified if maker and model are."""
    return IDENTIFIED if maker and model else UNIDENTIFIED


@dataclass(frozen=True, slots=True)
class Device:
    """A rig, or ``units`` rigs that are alike.

    maker, model: "" where not known. firmware: the family ("stock" is the maker's own); version: as told. cgminer,
    bfgminer: version of the program inside, compiled: day on which it was built (ISO), where told. hash_ths, power_w:
    of one rig; power_basis: ``reported`` by the rig, ``rated`` by its maker, ``given`` in an export, or "". path: the
    network it is reached through. pools: host:port of each. workers: keyed hashes of the pool users, good for telling
    them apart within one file only. api: ``open`` where the interface answered, ``closed`` or "" (not looked at).
    """

    address: str = ""
    state: str = IDENTIFIED
    maker: str = ""
    model: str = ""
    variant: str = ""
    firmware: str = ""
    version: str = ""
    cgminer: str = ""
    bfgminer: str = ""
    compiled: str = ""
    hash_ths: float | None = None
    power_w: float | None = None
    power_basis: str = ""
    path: str = ""
    site: str = ""
    pools: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    control_board: str = ""
    api: str = ""
    units: int = 1


@dataclass(frozen=True, slots=True)
class Sum:
    """Rigs, hash rate and power of some devices; unknown_power_rigs have none that is known and count as 0 MW."""

    rigs: int
    hash_ths: float
    mw: float
    unknown_power_rigs: int

    def as_dict(self) -> dict[str, float]:
        """As plain values, units in the names."""
        return {
            "rigs": self.rigs,
            "hash_ths": self.hash_ths,
            "mw": self.mw,
            "unknown_power_rigs": self.unknown_power_rigs,
        }


def total(devices: Iterable[Device]) -> Sum:
    """Sums over devices, each counted as often as it has units."""
    rigs, unknown, ths, watts = 0, 0, 0.0, 0.0
    for device in devices:
        rigs += device.units
        ths += device.units * (device.hash_ths or 0.0)
        watts += device.units * (device.power_w or 0.0)
        unknown += device.units if device.power_w is None else 0
    return Sum(rigs, ths, watts / 1e6, unknown)
