"""The fleet as a table: what ``ashore fleet import`` and ``scan`` write and ``ashore fleet audit`` reads."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from ashore.errors import Fault, FaultyInput, writing
from ashore.fleet.devices.model import STATES, Device, state_of
from ashore.tables import Column, Row, Table, rows_of

FLEET = Table(
    "fleet",
    (
        Column("address", "text", required=False),
        Column("state", "choice", required=False, choices=STATES),
        Column("maker", "text", required=False),
        Column("model", "text", required=False),
        Column("variant", "text", required=False),
        Column("firmware", "text", required=False),
        Column("version", "text", required=False),
        Column("cgminer", "text", required=False),
        Column("bfgminer", "text", required=False),
        Column("compiled", "text", required=False),
        Column("hash_ths", "number", required=False, minimum=0, maximum=1e15),
        Column("power_w", "number", required=False, minimum=0, maximum=1e15),
        Column("power_basis", "text", required=False),
        Column("path", "text", required=False),
        Column("site", "text", required=False),
        Column("pools", "text", required=False),
        Column("workers", "text", required=False),
        Column("control_board", "text", required=False),
        Column("api", "choice", required=False, choices=("open", "closed")),
        Column("units", "integer", required=False, minimum=1, maximum=1e7),
    ),
)
LISTS = ("pools", "workers")


def write(path: Path, devices: Iterable[Device]) -> None:
    """One row a device."""
    with writing(path), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [column.name for column in FLEET.columns]
        writer.writerow(names)
        for device in devices:
            values = (getattr(device, name) for name in names)
            writer.writerow(
                ["" if v is None else "; ".join(v) if isinstance(v, tuple) else f"{v:g}" if isinstance(v, float) else v
                 for v in values]
            )  # fmt: skip


def read_fleet(path: Path) -> list[Device]:
    """The devices of a fleet file. Raises FaultyInput."""
    rows = rows_of(path, FLEET)
    if not rows:
        raise FaultyInput(Fault(path.name, "There is no rig in the file.", "Import or scan some."))
    return [device_of(row) for row in rows]


def is_fleet(data: bytes) -> bool:
    """Whether a CSV file is a fleet already, by its header."""
    header = data[:2000].decode("utf-8-sig", "replace").splitlines()[:1]
    names = {name.strip() for name in header[0].split(",")} if header else set()
    return "state" in names and names <= {column.name for column in FLEET.all_columns}


def device_of(row: Row) -> Device:
    """The device of one typed row."""
    values = {column.name: row.get(column.name) for column in FLEET.columns}
    for name in LISTS:
        values[name] = tuple(part.strip() for part in (values[name] or "").split(";") if part.strip())
    defaults = Device()
    found = {name: getattr(defaults, name) if value is None else value for name, value in values.items()}
    if values["state"] is None:
        found["state"] = state_of(found["maker"], found["model"])
    return Device(**found)
