"""What ships on interconnections: assumptions with range and source, thresholds, published events, network runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ashore.errors import Fault, FaultyInput, raise_if, suggest
from ashore.tables import Column, Row, Table, read_toml, rows_of
from ashore.worth.inputs import Assumed, assumed_in

FOLDER = Path(__file__).parents[2] / "data" / "grid"
LABELS = {  # name → what it is called, and its unit
    "energy_gws": ("stored energy", " GW·s"),
    "response_mw_per_100mhz": ("response", " MW/0.1 Hz"),
    "base_gw": ("load", " GW in all"),
    "deadband_mhz": ("dead band", " mHz"),
    "damping_pu": ("damping of the load", ""),
    "reheat_fraction": ("reheat fraction", ""),
    "reheat_s": ("reheat time constant", " s"),
}
THRESHOLDS = Table(
    "thresholds",
    (Column("area", "text"), Column("hz", "number"), Column("meaning", "text"), Column("basis", "text")),
)
PUBLISHED = Table(
    "published",
    (
        Column("area", "text"),
        Column("date", "date"),
        Column("event", "choice", choices=("trip", "start")),
        Column("mw", "number", above=0),
        Column("hz", "number", above=0),
        Column("what", "text"),
        Column("basis", "text"),
    ),
)
RUNS = Table(
    "network_runs",
    (
        Column("run", "text"),
        Column("kind", "choice", choices=("closed_form", "integrated", "aggregate", "network", "other")),
        Column("energy_gws", "number", above=0),
        Column("response_mw_per_100mhz", "number", above=0, blank_ok=True),
        Column("mw", "number", above=0),
        Column("peak_hz", "number", above=0),
        Column("peak_s", "number", blank_ok=True),
        Column("rest_hz", "number", blank_ok=True),
    ),
    key=("run",),
)


@dataclass(frozen=True, slots=True)
class Interconnection:
    """An interconnection: its key in the shipped file, its name, nominal frequency in Hz and figures by name."""

    key: str
    name: str
    frequency_hz: float
    figures: Mapping[str, Assumed]


@cache
def interconnections() -> Mapping[str, Interconnection]:
    """Every shipped interconnection by key, with the turbine's figures added to its own."""
    faults: list[Fault] = []
    common = assumed_in(read_toml(FOLDER / "turbine.toml", faults), "turbine.toml", faults)
    found = {}
    for key, table in read_toml(FOLDER / "interconnections.toml", faults).items():
        own = {name: entry for name, entry in table.items() if isinstance(entry, dict)}
        figures = common | assumed_in(own, f"interconnections.toml, {key}", faults)
        found[key] = Interconnection(key, table["name"], float(table["frequency_hz"]), figures)
    raise_if(faults)
    return found


def interconnection(name: str, where: str = "--interconnection") -> Interconnection:
    """The interconnection a user means, whatever the case of the letters. Raises FaultyInput."""
    known = interconnections()
    found = known.get(name.casefold())
    if found is None:
        remedy = suggest(name, [each.name for each in known.values()], "Name one of them.")
        raise FaultyInput(Fault(where, f"There is no interconnection '{name}'.", remedy))
    return found


def thresholds(key: str) -> list[Row]:
    """Thresholds of an interconnection, as rows of thresholds.csv."""
    return [row for row in _rows(THRESHOLDS) if row["area"] == key]


def published(key: str) -> list[Row]:
    """Published limits and incidents of an interconnection, as rows of published.csv."""
    return [row for row in _rows(PUBLISHED) if row["area"] == key]


def network_runs() -> list[Row]:
    """The runs of whole networks and what leads up to them, as rows of network_runs.csv."""
    return _rows(RUNS)


@cache
def _rows(table: Table) -> list[Row]:
    return rows_of(FOLDER / f"{table.name}.csv", table)
