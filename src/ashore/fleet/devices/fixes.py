"""What could be done about a fleet, by the MW it removes for each hour of work; hours are estimates to be replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ashore.fleet.devices.model import IDENTIFIED, Device, total


def ranked(
    devices: Sequence[Device],
    weaknesses: Sequence[Mapping[str, Any]],
    groups: Sequence[Mapping[str, Any]],
    hours: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Every fix that applies, most MW for an hour first; one whose MW are not known last."""
    found = [*_close(devices, hours), *_weak(weaknesses, hours)]
    strangers = [one for one in devices if one.state != IDENTIFIED]
    if strangers:
        sums = total(strangers)
        mw = sums.mw if not sums.unknown_power_rigs else None
        found.append(_fix("identify", "", "what nobody knows", sums.rigs, mw, hours))
    if groups and groups[0]["mw"] > 0:
        largest = groups[0]
        where = f"{largest['maker']}, {largest['firmware']}, {largest['path']}"
        found.append(_fix("split", where, "from the largest group", int(largest["rigs"]), largest["mw"] / 2, hours))
    return sorted(found, key=lambda row: (row["mw_per_hour"] is None, -(row["mw_per_hour"] or 0.0), row["fix"]))


def _close(devices: Sequence[Device], hours: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each path with an open interface: closing it takes what is reached through it out of reach."""
    paths: dict[str, list[Device]] = {}
    for device in devices:
        if device.api == "open" and device.path:
            paths.setdefault(device.path, []).append(device)
    return [
        _fix("close", path, "from reach of the interface", sums.rigs, sums.mw, hours)
        for path, group in paths.items()
        if (sums := total(group)).mw > 0
    ]


def _weak(rows: Sequence[Mapping[str, Any]], hours: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each weakness with rigs listed: the fix it names."""
    return [
        _fix(row["fix"], row["id"], "from the list of this weakness", sums.rigs, sums.mw, hours)
        for row in rows
        if row["fix"] in hours and (sums := total(row["listed"])).rigs
    ]


def _fix(name: str, where: str, removes: str, rigs: int, mw: float | None, hours: Mapping[str, Any]) -> dict[str, Any]:
    spent = float(hours[name]["hours"]) + rigs * float(hours[name]["hours_rig"])
    return {
        "fix": name,
        "title": hours[name]["title"],
        "where": where,
        "removes": removes,
        "rigs": rigs,
        "mw": mw,
        "hours": spent,
        "mw_per_hour": None if mw is None or not spent else mw / spent,
        "basis": hours[name].get("basis", ""),
    }
