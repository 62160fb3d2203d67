"""One rig as it was seen, or as an export tells of it."""

from __future__ import annotations

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
