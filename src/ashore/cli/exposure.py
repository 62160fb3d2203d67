"""Verbs on exposure: grid, concentration, fleet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ashore.cli.app import (
    Figure,
    Files,
    Flag,
    Json,
    Outlook,
    Usage,
    Words,
    app,
    check_figure,
    counting,
    day_of,
    day_or_last,
    show,
)
from ashore.errors import Fault, FaultyInput, gathering, raise_if, unwritable, writing
from ashore.fleet.given import GridGiven

if TYPE_CHECKING:
    from ashore.fleet.devices import Device

Grid = Annotated[GridGiven | None, Parameter(name="*", negative=())]
FLEET = Path("fleet.csv")


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
    figure: Figure = None,
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
    check_figure(figure)
    document = grids.screen(interconnection, grids.Event(mw, not start, ramp), given, governors).as_dict()
    if figure is not None:
        report.draw(report.traces(document), figure)
    show(document, report.text_of_grid, json_)
    return 0


@app.command
def concentration(
    folder: Path | None = None,
    *,
    on: str | None = None,
    plan: Files = (),
    shares: Path | None = None,
    home: str | None = None,
    others: int = 50,
    ranked: Flag = False,
    figure: Figure = None,
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
    check_figure(figure)
    book = rule_books.load()
    where = book.country if home is None else _country(home)
    if folder is None:
        found = published.measured(published.read_series(shares, others, ranked), where, others, ranked)
        if figure is not None:
            report.draw(report.concentration(found), figure)
        show(found, report.text_of_concentration, json_)
        return 0
    from ashore import network
    from ashore.fleet import origins

    path = network.cases.find(folder)
    net = network.load(path)
    nations = origins.nationality(path)
    document = origins.of_network(net, book, day_or_last(on, "--on", book), where, nations)
    document["plans"] = [origins.of_plan(net, each, where, nations) for each in plan]
    if figure is not None:
        report.draw(report.imbalance(document), figure)
    show(document, report.text_of_network_shares, json_)
    return 0


def _country(text: str) -> str:
    from ashore.tables import Column, Unfit, parse_cell

    try:
        return str(parse_cell(text, Column("home", "country")))
    except Unfit as error:
        raise FaultyInput(Fault("--home", error.what, error.remedy)) from None


fleet = App(name="fleet", help="A fleet of rigs: import or scan it, and audit it.")
app.command(fleet)


@fleet.command(name="import")
def fleet_import(
    files: Annotated[tuple[Path, ...], Parameter(negative=())] = (), *, out: Path = FLEET, json_: Json = False
) -> int:
    """Puts a fleet together from exports and captured replies.

    Parameters
    ----------
    files:
        CSV or JSON exports, JSON of replies by address and command, or single replies.
    out:
        where to write the fleet, for ashore fleet audit.
    """
    import secrets

    from ashore import report
    from ashore.fleet import devices

    if not files:
        raise Usage("ashore fleet import needs a file")
    if os.path.realpath(out) in map(os.path.realpath, files):
        raise FaultyInput(Fault("--out", f"{out} is one of the files to read.", "Name another file with --out."))
    found = devices.read_all(files, secrets.token_bytes(32))
    devices.write(out, found)
    document = {"out": str(out), "files": [str(file) for file in files], "states": _states(found), "scan": None}
    show(document, report.text_of_fleet, json_)
    return 0


@fleet.command(name="scan")
def fleet_scan(
    ranges: Words = (),
    *,
    i_own_these: Flag = False,
    out: Path = FLEET,
    log: Path = Path("fleet-scan.jsonl"),
    rate: float = 400.0,
    port: int = 4028,
    json_: Json = False,
) -> int:
    """Asks rigs of your own what they are, by five commands that only read; no password is tried.

    Parameters
    ----------
    ranges:
        private or loopback ranges or addresses, as 10.1.0.0/24; no more than a /16 in all.
    i_own_these:
        the machines are yours, or their owner has agreed.
    out:
        where to write the fleet, for ashore fleet audit.
    log:
        where to write every connection, request and reply, one line of JSON each.
    rate:
        connections a second at most.
    port:
        of the interface.
    """
    import secrets

    from ashore import report
    from ashore.fleet import devices

    networks = devices.allowed(ranges, i_own_these)
    devices.check_rate(rate)
    if not 1 <= port <= 65535:
        raise FaultyInput(Fault("--port", f"{port} is no port.", "Give 1 to 65535; rigs have 4028."))
    raise_if([*unwritable(out), *unwritable(log, "--log")])
    if os.path.realpath(log) == os.path.realpath(out):
        raise FaultyInput(Fault("--log", f"{log} is the fleet's file, too.", "Name another file with --log."))
    key = secrets.token_bytes(32)
    counter = counting("addresses", quiet=json_)
    with writing(log, "--log"):
        file = log.open("w", encoding="utf-8")
    with file, counter as progress:  # what fails from here on need not be the log
        found = devices.scan(devices.hosts(networks), key, rate=rate, log=file, port=port, progress=progress)
    devices.write(out, found.devices)
    document = {
        "out": str(out),
        "files": [str(network) for network in networks],
        "states": _states(found.devices),
        "scan": found.as_dict() | {"log": str(log)},
    }
    show(document, report.text_of_fleet, json_)
    return 0


@fleet.command(name="audit")
def fleet_audit(
    file: Path,
    *,
    interconnection: str = "ERCOT",
    on: str | None = None,
    weaknesses: Path | None = None,
    work: Path | None = None,
    parts: Path | None = None,
    power_usd_kwh: float | None = None,
    outlook: Outlook = None,
    figure: Figure = None,
    json_: Json = False,
) -> int:
    """What a fleet is and what its rigs have in common, in MW, and what to do first.

    Parameters
    ----------
    file:
        a fleet, as import and scan write it.
    interconnection:
        grid that loses the largest group: ERCOT, Eastern, Western or Quebec.
    on:
        day on which ages are counted; by default today.
    weaknesses:
        CSV file of listed weaknesses instead of the shipped one.
    work:
        TOML file of hours for each kind of fix instead of the shipped estimates.
    parts:
        where to write the parts of the rigs, for ashore screen --bom.
    power_usd_kwh:
        all-in price of power, USD per kWh: also says what the rigs, and those with each part, are worth.
    """
    from datetime import date

    from ashore import report
    from ashore.fleet import devices

    check_figure(figure)
    day = date.today() if on is None else day_of(on, "--on")
    if power_usd_kwh is None and outlook is not None:
        raise Usage("an outlook values rigs at a price of power: add --power-usd-kwh")
    value = None if power_usd_kwh is None else devices.valuation(power_usd_kwh, outlook)
    faults: list[Fault] = []
    with gathering(faults):
        found = devices.read_fleet(file)
    with gathering(faults):
        listed = devices.weaknesses(weaknesses)
    with gathering(faults):
        hours = devices.work(work)
    raise_if(faults)
    document = devices.audit(found, day, interconnection, listed, hours, value)
    if parts is not None:
        _write_parts(parts, devices.hand_over(document["parts"]))
    if figure is not None:
        report.draw(report.common_mode(document), figure)
    show(document, report.text_of_audit, json_)
    return 0


def _states(found: Iterable[Device]) -> dict[str, int]:
    """Rigs by state."""
    counts: dict[str, int] = {}
    for device in found:
        counts[device.state] = counts.get(device.state, 0) + device.units
    return counts


def _write_parts(path: Path, rows: list[dict[str, str]]) -> None:
    import csv

    with writing(path, "--parts"), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, ["product", "part", "maker", "country", "quantity", "source", "note"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(rows)
