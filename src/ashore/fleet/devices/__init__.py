"""A fleet of rigs: read from exports and replies, or asked in a scan that only reads, and audited.

Names are loaded when first used: an import need not wait for what an audit takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashore.lazy import first_use

if TYPE_CHECKING:
    from ashore.fleet.devices.auditing import audit, hand_over
    from ashore.fleet.devices.catalogue import weaknesses, work
    from ashore.fleet.devices.importer import read_all
    from ashore.fleet.devices.model import Device
    from ashore.fleet.devices.ranges import allowed, hosts
    from ashore.fleet.devices.scanning import check_rate, scan
    from ashore.fleet.devices.table import read_fleet, write
    from ashore.fleet.devices.value import valuation

_HOMES = {
    "Device": "model",
    "allowed": "ranges",
    "audit": "auditing",
    "check_rate": "scanning",
    "hand_over": "auditing",
    "hosts": "ranges",
    "read_all": "importer",
    "read_fleet": "table",
    "scan": "scanning",
    "valuation": "value",
    "weaknesses": "catalogue",
    "work": "catalogue",
    "write": "table",
}

__all__ = [
    "Device",
    "allowed",
    "audit",
    "check_rate",
    "hand_over",
    "hosts",
    "read_all",
    "read_fleet",
    "scan",
    "valuation",
    "weaknesses",
    "work",
    "write",
]


def __getattr__(name: str) -> object:
    """A public name from the module that holds it, imported on first use."""
    return first_use(__name__, name, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
