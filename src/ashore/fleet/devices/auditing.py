"""What a fleet is, what its rigs have in common, and what could be done about it, all counted in MW."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from ashore.fleet import grid
from ashore.fleet.devices import catalogue, weak
from ashore.fleet.devices.fixes import ranked
from ashore.fleet.devices.model import IDENTIFIED, STATES, UNKNOWN, Device, total
from ashore.fleet.devices.value import Valuation
from ashore.tables import Row

NOT_LOOKED_AT = (
    "passwords: none was tried, so nothing is known of default ones",
    "web pages, SSH and other ports than that of the interface",
    "whether replies are true: a device can say anything, and an export as well",
    "firmware images: nothing was read, unpacked or compared",
    "what rigs send out: supply logs of names and firewalls to look for names that listed rigs ask",
    "the processor of the control board: the interface does not tell it, a bill of materials or a look inside does",
    "weaknesses that no list has: their absence is no assurance",
)
NO_PATH = "path not known"


def audit(
    devices: Sequence[Device],
    on: date,
    interconnection: str = "ERCOT",
    listed: Sequence[Row] | None = None,
    hours: Mapping[str, Any] | None = None,
    valuation: Valuation | None = None,
) -> dict[str, Any]:
    """The whole audit as a document; with a valuation, what rigs and those with each part are worth.

    listed: weaknesses, and hours: of each kind of fix, instead of those that ship. Raises FaultyInput for an unknown
    interconnection.
    """
    listed = catalogue.weaknesses() if listed is None else listed
    hours = catalogue.work() if hours is None else hours
    area = grid.shipped.interconnection(interconnection)
    whole = total(devices)
    groups = common_modes(devices)
    joined = by([one for one in devices if one.maker and one.firmware], ("maker", "firmware"))
    found = weak.found_in(devices, listed)
    return {
        "on": on.isoformat(),
        "total": whole.as_dict(),
        "states": {state: total(one for one in devices if one.state == state).rigs for state in STATES},
        "power_basis": _shares(devices, lambda one: one.power_basis or UNKNOWN),
        "by_maker": by(devices, ("maker",)),
        "by_model": by(devices, ("maker", "model")),
        "by_firmware": by(devices, ("maker", "firmware", "version")),
        "by_site": by(devices, ("site",)) if any(one.site for one in devices) else [],
        "age": age(devices, on),
        "unidentified": [_unidentified(one) for one in devices if one.state != IDENTIFIED][:1000],
        "weaknesses": [row | {name: total(row[name]).as_dict() for name in ("listed", "cannot_tell")} for row in found],
        "statements": statements(devices),
        "pools": pools(devices),
        "common_mode": groups,
        "grid": on_grid(groups[0]["mw"] if groups else 0.0, area.name),
        "common_mode_joined": joined,
        "grid_joined": on_grid(joined[0]["mw"] if joined else 0.0, area.name),
        "parts": part_rows(devices, valuation),
        "value": None
        if valuation is None
        else valuation.of(devices)
        | {"power_usd_kwh": valuation.power_usd_kwh, "assumptions": list(valuation.assumptions)},
        "certification": certification(devices),
        "fixes": ranked(devices, found, groups, hours),
        "not_looked_at": list(NOT_LOOKED_AT) + _gaps(devices),
    }


def by(devices: Sequence[Device], names: tuple[str, ...], blank: str = UNKNOWN) -> list[dict[str, Any]]:
    """Sums by fields of the devices, most MW first; blank: how a field that is not known is called."""
    groups: dict[tuple[str, ...], list[Device]] = {}
    for device in devices:
        groups.setdefault(tuple(getattr(device, name) or blank for name in names), []).append(device)
    rows = [dict(zip(names, key, strict=True)) | total(group).as_dict() for key, group in groups.items()]
    return sorted(rows, key=lambda row: (-float(row["mw"]), -float(row["rigs"]), [row[name] for name in names]))


def common_modes(devices: Sequence[Device]) -> list[dict[str, Any]]:
    """Rigs of one maker and firmware, reached through one path: what one mistake or one order could take at once.

    Rigs whose path is not known are one group, because nothing says that they are apart. Most MW first.
    """
    known = [one for one in devices if one.maker and one.firmware]
    whole = total(devices).mw
    rows = by(known, ("maker", "firmware", "path"), NO_PATH)
    return [row | {"share_of_mw": row["mw"] / whole if whole else 0.0} for row in rows]


def on_grid(mw: float, interconnection: str) -> dict[str, Any] | None:
    """What the loss of so many MW at once does to a grid; None for nothing, or for more than its load."""
    area = grid.shipped.interconnection(interconnection)
    if not grid.LEAST_MW <= mw <= 1000 * area.figures["base_gw"].value:
        return None
    ends = grid.ends_of(interconnection, grid.Event(mw))
    form = grid.structural(area.frequency_hz, ends)
    limits = [row for row in grid.shipped.published(area.key) if row["event"] == "trip" and row["what"][:5] == "limit"]
    return {
        "interconnection": area.name,
        "mw": mw,
        "status": grid.STATUS,
        "peak_hz": ends["mid"].peak_hz,
        "state_low_hz": min(end.peak_hz for end in ends.values()),
        "state_high_hz": max(end.peak_hz for end in ends.values()),
        "structure_low_hz": form["low_hz"],
        "structure_high_hz": form["high_hz"],
        "published": [
            {name: row[name] for name in ("mw", "hz", "what", "basis")} | {"mw_left": row["mw"] - mw} for row in limits
        ],
    }


def age(devices: Sequence[Device], on: date) -> dict[str, Any]:
    """MW by the year a model came out, and the mean of years since, weighted by MW; models without a year apart."""
    rated = catalogue.models()
    years: dict[int, list[Device]] = {}
    without: list[Device] = []
    for device in devices:
        since = rated[device.model]["since"] if device.model in rated else None
        (without if since is None else years.setdefault(since, [])).append(device)
    rows = [{"since": year} | total(group).as_dict() for year, group in sorted(years.items())]
    mw = sum(row["mw"] for row in rows)
    mean = sum(row["mw"] * (on.year - int(row["since"])) for row in rows) / mw if mw else None
    return {"mean_years": mean, "years": rows, "not_known": total(without).as_dict()}


def pools(devices: Sequence[Device]) -> list[dict[str, Any]]:
    """Rigs by their first pool, as host:port, and how many different users they have there."""
    groups: dict[str, list[Device]] = {}
    for device in devices:
        groups.setdefault(device.pools[0] if device.pools else UNKNOWN, []).append(device)
    rows: list[dict[str, Any]] = []
    for pool, group in groups.items():
        users = {worker for device in group for worker in device.workers}
        rows.append({"pool": pool} | total(group).as_dict() | {"users": len(users)})
    return sorted(rows, key=lambda row: (-row["mw"], -row["rigs"], row["pool"]))


def statements(devices: Sequence[Device]) -> list[dict[str, Any]]:
    """What has been said in public of the makers in the fleet; shown, neither claimed nor denied."""
    makers = {device.maker for device in devices}
    names = ("maker", "subject", "what", "basis", "source")
    return [{name: row[name] for name in names} for row in catalogue.statements() if row["maker"] in makers]


def part_rows(devices: Sequence[Device], valuation: Valuation | None = None) -> list[dict[str, Any]]:
    """Parts known or told to be in the rigs, with the MW (and the worth) of these; for the screening of parties."""

    def sums(group: Sequence[Device]) -> dict[str, float]:
        return total(group).as_dict() | ({} if valuation is None else valuation.of(group))

    rows: list[dict[str, Any]] = []
    for part in catalogue.parts():
        names = catalogue.listed(part["models"])
        inside = [one for one in devices if one.maker == part["maker"] and weak.short(one.model) in names]
        if inside:
            known = {name: part[name] for name in ("part", "part_maker", "kind", "basis", "source", "note")}
            models = sorted({one.model for one in inside})
            rows.append(known | {"models": models} | sums(inside))
    told: dict[str, list[Device]] = {}
    for device in devices:
        if device.control_board:
            told.setdefault(device.control_board, []).append(device)
    for board, group in sorted(told.items()):
        known = {"part": board, "part_maker": "", "kind": "control board", "basis": "as told", "source": "", "note": ""}
        rows.append(known | {"models": sorted({one.model for one in group})} | sums(group))
    return rows


def certification(devices: Sequence[Device]) -> dict[str, Any]:
    """How ready a fleet is for a certification of makers: what is known of each rig, and the countries of makers.

    ready: maker of a country that is not on the list, and model, firmware version and control board known.
    """
    terms, home = catalogue.certification(), catalogue.countries()
    listed = set(terms["countries"])
    whole = total(devices)

    def sums(keep: Callable[[Device], bool]) -> dict[str, float]:
        return total(one for one in devices if keep(one)).as_dict()

    countries: dict[str, list[Device]] = {}
    for device in devices:
        countries.setdefault(home.get(device.maker, UNKNOWN), []).append(device)
    known = {
        "maker": sums(lambda one: bool(one.maker)),
        "model": sums(lambda one: bool(one.model)),
        "version": sums(lambda one: bool(one.version)),
        "control_board": sums(lambda one: bool(one.control_board)),
    }
    ready = sums(
        lambda one: home.get(one.maker, "") not in {"", *listed} and all((one.model, one.version, one.control_board))
    )
    return {
        "bill": terms["bill"],
        "status": terms["status"],
        "basis": terms["basis"],
        "countries_basis": f"{terms['countries_basis']}: {terms['countries_source']}",
        "known": known,
        "by_country": [
            {"country": country, "on_list": country in listed} | total(group).as_dict()
            for country, group in sorted(countries.items())
        ],
        "ready": ready,
        "ready_share_of_rigs": ready["rigs"] / whole.rigs if whole.rigs else 0.0,
        "ready_share_of_mw": ready["mw"] / whole.mw if whole.mw else 0.0,
    }


def _unidentified(device: Device) -> dict[str, Any]:
    names = ("address", "state", "maker", "model", "firmware", "version", "units")
    return {name: getattr(device, name) for name in names}


def _shares(devices: Sequence[Device], key: Callable[[Device], str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for device in devices:
        found[key(device)] = found.get(key(device), 0) + device.units
    return found


def _gaps(devices: Sequence[Device]) -> list[str]:
    """What this fleet's file leaves open."""
    rigs = total(devices).rigs

    def without(keep: Callable[[Device], bool]) -> int:
        return total(one for one in devices if keep(one)).rigs

    counts = [
        (without(lambda one: not one.api), "whether the interface answers"),
        (without(lambda one: not one.path), "the path by which they are reached"),
        (without(lambda one: not one.version), "the version of the firmware"),
        (without(lambda one: one.power_w is None), "the power they draw"),
        (without(lambda one: one.power_basis == "rated"), "the power they draw now (that of the sheet stands in)"),
    ]
    said = [f"of {count:,} of {rigs:,} rigs {what}" for count, what in counts if count]
    places = [(one.site, one.address) for one in devices if one.address]
    twice = len(places) - len(set(places))
    if twice:
        said.append(f"whether {twice:,} rigs are counted twice: their address and site stand in the file before")
    return said


def hand_over(rows: Iterable[Row | Mapping[str, Any]]) -> list[dict[str, str]]:
    """Parts as rows of a bill of materials for screening: one a model and part."""
    found = []
    for row in rows:
        for model in row["models"]:
            found.append(
                {
                    "product": model,
                    "part": row["part"],
                    "maker": row["part_maker"],
                    "country": "",
                    "quantity": "1",
                    "source": row["source"] or "",
                    "note": " ".join(filter(None, (row["kind"], row["basis"], row["note"]))),
                }
            )
    return found
