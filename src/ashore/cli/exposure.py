"""Verbs on exposure: grid, concentration, fleet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ashore.cli.app import Json, Usage, app, day_or_last, show
from ashore.errors import Fault, FaultyInput
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


@app.command
def concentration(
    folder: Path | None = None,
    *,
    on: str | None = None,
    plan: Annotated[tuple[Path, ...], Parameter(negative=(), consume_multiple=False)] = (),
    shares: Path | None = None,
    home: str | None = None,
    others: int = 50,
    ranked: Flag = False,
    json_: Json = False,
) -> int:
    """How concentrated makers and places are, and made against hashed, with bounds for what nobody has named.

    Parameters
    ----------
    folder:
        supply-network folder or shipped case: its cheapest routes, and what a second origin does; without one, the
        published shares that ship.
    on:
        day on which the goods of the network are entered; by default the last day the rule book vouches for.
    plan:
        a plan for the network, as `ashore plan --json` wrote it; may be given several times, to compare.
    shares:
        CSV file of shares instead of the shipped one: geography, series, date, entity, country, share, entities.
    home:
        country whose imports are looked at; by default the one that keeps the rule book.
    others:
        most entities the unnamed part may belong to.
    ranked:
        the named ones are the largest: no unnamed one is larger than the smallest of them.
    """
    from ashore import report
    from ashore import rules as rule_books
    from ashore.fleet import shares as published

    if plan and folder is None:
        raise Usage("--plan needs the network it was made for: ashore concentration FOLDER --plan FILE")
    if folder is not None and (shares is not None or ranked):
        raise Usage("--shares and --ranked are for published shares, not for a network")
    book = rule_books.load()
    where = book.country if home is None else _country(home)
    if folder is None:
        found = published.measured(published.read_series(shares, others, ranked), where, others, ranked)
        show(found, report.text_of_concentration, json_)
        return 0
    from ashore import network
    from ashore.fleet import origins

    path = network.cases.find(folder)
    net = network.load(path)
    document = origins.of_network(net, path, book, day_or_last(on, "--on", book), where)
    document["plans"] = [origins.of_plan(net, path, each, where) for each in plan]
    show(document, report.text_of_network_shares, json_)
    return 0


def _country(text: str) -> str:
    from ashore.tables import Column, Unfit, parse_cell

    try:
        return str(parse_cell(text, Column("home", "country")))
    except Unfit as error:
        raise FaultyInput(Fault("--home", error.what, error.remedy)) from None
