"""Verbs on exposure: grid, concentration, fleet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ashore.cli.app import Json, Usage, app, show
from ashore.fleet.given import GridGiven

Grid = Annotated[GridGiven | None, Parameter(name="*", negative=())]
Flag = Annotated[bool, Parameter(negative=())]


@app.command
def grid(
    *,
    interconnection: str = "ERCOT",
    mw: float,
    trip: Flag = False,
    start: Flag = False,
    ramp: float = 0.0,
    given: Grid = None,
    governors: Path | None = None,
    json_: Json = False,
) -> int:
    """What load lost or started at once does to the frequency of a grid: a screening, not a study.

    Parameters
    ----------
    interconnection:
        ERCOT, Eastern, Western or Quebec.
    mw:
        load that goes or comes, MW.
    trip:
        the load is lost (as without --start).
    start:
        the load comes instead.
    ramp:
        seconds over which it goes or comes, evenly; 0 for at once.
    governors:
        CSV file of governor classes instead of one for all: class, share, reheat_fraction, reheat_s and, if wanted,
        valve_s, deadband_mhz, cap_mw.
    """
    from ashore import report
    from ashore.fleet import grid as grids

    if trip and start:
        raise Usage("give --trip or --start, not both")
    found = grids.screen(interconnection, grids.Event(mw, not start, ramp), given, governors)
    show(found.as_dict(), report.text_of_grid, json_)
    return 0
