"""Terminal text of ``ashore fleet``: takes the JSON document of each verb and prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ashore.report import terminal
from ashore.report.words import DASH, known, listed, millions, percent, plural

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
SHOWN = 12  # rows of a table
SUMS = (("rigs", "r"), ("TH/s", "r"), ("megawatts", "r"))


def text_of_fleet(document: Document) -> None:
    """What an import or a scan found."""
    out = terminal.console()
    states = document["states"]
    terminal.heading(out, f"{plural(sum(states.values()), 'rig')} written to {document['out']}")
    terminal.blank(out)
    rows = [(state, f"{count:,}") for state, count in states.items()]
    scan = document["scan"]
    if scan is not None:
        rows += [
            ("addresses", f"{scan['addresses']:,}, {scan['without_interface']:,} of them without the interface"),
            ("requests", f"{scan['requests']:,} in {scan['seconds']:.1f} s, each in {scan['log']}"),
        ]
    terminal.pairs(out, rows)
    terminal.notes(out, "Next", [f"ashore fleet audit {document['out']}"])


def text_of_audit(document: Document) -> None:
    """A fleet by maker, model, firmware and age; weaknesses, pools, the largest group, parts, fixes and gaps."""
    out = terminal.console()
    whole = document["total"]
    terminal.heading(out, f"{whole['rigs']:,} rigs, {whole['hash_ths']:,.0f} TH/s, {_mw(whole['mw'])} MW in all")
    states = ", ".join(f"{count:,} {state}" for state, count in document["states"].items() if count)
    out.print(f"{states}; power {', '.join(f'{basis} of {n:,}' for basis, n in document['power_basis'].items())}.")
    if document["value"] is not None:
        out.print(f"Worth at {document['value']['power_usd_kwh']:g} USD/kWh: {_worth(document['value'])}.")
    _sums(out, "By maker and model", document["by_model"], ("maker", "model"))
    _sums(out, "By firmware", document["by_firmware"], ("maker", "firmware", "version"))
    _age(out, document["age"])
    _weaknesses(out, document["weaknesses"])
    _sums(out, "By pool", document["pools"], ("pool",))
    _groups(out, document)
    _parts(out, document["parts"])
    _certification(out, document["certification"])
    _fixes(out, document["fixes"])
    said = [
        f"{row['maker']}, {row['subject']}: {row['what']} ({known(row['basis'])}: {row['source']})"
        for row in document["statements"]
    ]
    terminal.notes(out, "Said in public, shown without taking a side", said)
    if document["value"] is not None:
        terminal.notes(out, "Assumed of the worth", document["value"]["assumptions"])
    terminal.notes(out, "Not looked at", document["not_looked_at"])


def _mw(value: float) -> str:
    return f"{value:,.3f}" if value < 10 else f"{value:,.1f}"


def _cells(row: Document) -> tuple[str, str, str]:
    return f"{row['rigs']:,}", f"{row['hash_ths']:,.0f}", _mw(row["mw"])


def _sums(out: Console, title: str, rows: Sequence[Document], names: tuple[str, ...]) -> None:
    if not rows:
        return
    terminal.blank(out)
    terminal.heading(out, title if len(rows) <= SHOWN else f"{title}, the first {SHOWN} of {len(rows)}")
    columns = (*((name, "l") for name in names), *SUMS)
    terminal.table(out, columns, [(*(row[name] for name in names), *_cells(row)) for row in rows[:SHOWN]])


def _age(out: Console, found: Document) -> None:
    if found["mean_years"] is None:
        return
    terminal.blank(out)
    years = ", ".join(f"{row['since']}: {_mw(row['mw'])}" for row in found["years"])
    out.print(f"Models came out {found['mean_years']:.1f} years ago on average, by MW. By year: {years}.")


def _weaknesses(out: Console, rows: Sequence[Document]) -> None:
    if not rows:
        return
    terminal.blank(out)
    terminal.heading(out, "Listed weaknesses, by version only")
    columns = (("id", "L"), ("kind", "L"), ("what", "l"), ("listed", "r"), ("megawatts", "r"), ("cannot tell", "r"))
    cells = [
        (row["id"], row["kind"], f"{row['what']} ({known(row['basis'])})",
         f"{row['listed']['rigs']:,}", _mw(row["listed"]["mw"]), f"{row['cannot_tell']['rigs']:,}")
        for row in rows
    ]  # fmt: skip
    terminal.table(out, columns, cells)


def _groups(out: Console, document: Document) -> None:
    rows = document["common_mode"]
    if not rows:
        return
    _sums(out, "In common: maker, firmware and path", rows, ("maker", "firmware", "path"))
    out.print(f"Largest group: {_mw(rows[0]['mw'])} MW, {percent(round(rows[0]['share_of_mw'], 3))} of the fleet.")
    _lost(out, document["grid"])
    joined = document["common_mode_joined"][0]
    out.print(f"If all paths were one: {joined['maker']}, {joined['firmware']}, {_mw(joined['mw'])} MW in all.")
    _lost(out, document["grid_joined"])


def _lost(out: Console, found: Document | None) -> None:
    if found is not None:
        out.print(
            f"Lost at once in {found['interconnection']} ({found['status']}): {found['peak_hz']:.4f} Hz, by state of "
            f"the grid {found['state_low_hz']:.4f} to {found['state_high_hz']:.4f}, by structure of the model "
            f"{found['structure_low_hz']:.4f} to {found['structure_high_hz']:.4f}."
        )
        for row in found["published"]:
            out.print(f"Published {row['what']}: {row['mw']:,.0f} MW at {row['hz']:g} Hz; {row['mw_left']:,.0f} left.")


def _parts(out: Console, rows: Sequence[Document]) -> None:
    if not rows:
        return
    terminal.blank(out)
    terminal.heading(out, "Parts to screen")
    columns = (("part", "L"), ("maker", "l"), ("in", "l"), *SUMS, ("", "l"))
    cells = [
        (
            row["part"],
            row["part_maker"] or DASH,
            listed(row["models"]),
            *_cells(row),
            known(row["basis"]),
        )
        for row in rows
    ]
    terminal.table(out, columns, cells)
    for row in rows:
        if "value_usd" in row:
            out.print(f"Rigs with {row['part']} are worth {_worth(row)}.")


def _worth(row: Document) -> str:
    """Option value with its range over the hash price."""
    low, high = millions(row["value_low_usd"]), millions(row["value_high_usd"])
    span = "" if low == high else f" ({low} to {high} by the hash price)"
    without = f", {plural(row['unvalued_rigs'], 'rig')} not valued" if row["unvalued_rigs"] else ""
    return f"{millions(row['value_usd'])} USD{span}{without}"


def _certification(out: Console, found: Document) -> None:
    terminal.blank(out)
    terminal.heading(out, f"Readiness for {found['bill']}")
    countries = ", ".join(
        f"{row['country']}{' (on the list)' if row['on_list'] else ''} {_mw(row['mw'])}" for row in found["by_country"]
    )
    known = ", ".join(f"{name.replace('_', ' ')} {row['rigs']:,}" for name, row in found["known"].items())
    terminal.pairs(
        out,
        [
            ("status", found["status"]),
            ("ready", f"{found['ready']['rigs']:,} rigs, {percent(round(found['ready_share_of_mw'], 3))} of the MW"),
            ("known, rigs", known),
            ("makers' country, MW", countries),
            ("the list", found["countries_basis"]),
        ],
    )


def _fixes(out: Console, rows: Sequence[Document]) -> None:
    if not rows:
        return
    terminal.blank(out)
    terminal.heading(out, "What to do first, by MW removed for an hour of work (hours are estimates: --work)")
    columns = (("fix", "l"), ("where", "l"), ("removes", "l"), ("megawatts", "r"), ("hours", "r"), ("for an hour", "r"))
    cells = [
        (row["title"], row["where"], row["removes"], DASH if row["mw"] is None else _mw(row["mw"]),
         f"{row['hours']:,.1f}", DASH if row["mw_per_hour"] is None else f"{row['mw_per_hour']:.4f}")
        for row in rows[:SHOWN]
    ]  # fmt: skip
    terminal.table(out, columns, cells)
