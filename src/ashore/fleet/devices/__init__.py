"""A fleet of rigs: read from exports and replies, or asked in a scan that only reads, and audited."""

from ashore.fleet.devices.auditing import audit, hand_over
from ashore.fleet.devices.importer import read_all
from ashore.fleet.devices.model import Device
from ashore.fleet.devices.ranges import allowed, hosts
from ashore.fleet.devices.scanning import check_rate, scan
from ashore.fleet.devices.table import read_fleet, write
from ashore.fleet.devices.value import valuation

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
    "write",
]
