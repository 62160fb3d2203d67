"""Listed weaknesses, by comparison of versions only: no device is tried, and what no list has is not thereby sound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from ashore.fleet.devices import catalogue
from ashore.fleet.devices.model import Device
from ashore.tables import Row

LISTED = "listed"
CANNOT_TELL = "cannot tell"
Version = tuple[int, ...]


def verdict(row: Row, device: Device) -> str | None:
    """Whether a weakness bears on a device: ``listed``, ``cannot tell``, or None for not on the list.

    A source that states no versions, and a device that tells none, leave it open. Firmware that is not the one meant is
    not on the list. A program that the interface would name, and does not, is not there.
    """
    if row["maker"] and row["maker"] != device.maker:
        return None
    names = catalogue.listed(row["models"])
    if names and short(device.model) not in names:
        return None
    if row["firmware"] and device.firmware and row["firmware"] != device.firmware:
        return None
    if not row["component"]:
        return CANNOT_TELL
    told = getattr(device, row["component"])
    if not told:
        unnamed = row["component"] == "bfgminer" or (row["component"] == "cgminer" and device.api == "open")
        return None if unnamed else CANNOT_TELL
    found, low, before, up_to = (
        _order(row["component"], text) for text in (told, row["from"], row["before"], row["up_to"])
    )
    if found is None:
        return CANNOT_TELL
    inside = (low is None or low <= found) and (before is None or found < before) and (up_to is None or found <= up_to)
    return LISTED if inside else None


def short(model: str) -> str:
    """Antminer S9 → S9."""
    return model.partition(" ")[2] or model


def version(text: str) -> Version | None:
    """4.10.0 → (4, 10), trailing zeros dropped; None for what has no number."""
    found = re.match(r"\D*(\d+(?:\.\d+)*)", text)
    if found is None:
        return None
    parts = [int(part[:9]) for part in found[1].split(".")[:8]]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def found_in(devices: Iterable[Device], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Of each weakness that bears on any device: what it is, and the devices listed and those it cannot be told of."""
    every = list(devices)
    result = []
    for row in rows:
        groups: dict[str, list[Device]] = {LISTED: [], CANNOT_TELL: []}
        for device in every:
            said = verdict(row, device)
            if said is not None:
                groups[said].append(device)
        if any(groups.values()):
            known = {name: row[name] for name in ("id", "kind", "what", "fix", "basis", "source")}
            result.append(known | {"listed": groups[LISTED], "cannot_tell": groups[CANNOT_TELL]})
    return result


def _order(component: str, text: str | None) -> Any:
    """A day as a date, anything else as a version; None for neither."""
    if not text:
        return None
    if component != "compiled":
        return version(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
