"""Terminal text of ``ashore grid``: takes its JSON document and prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ashore.report import terminal
from ashore.report.words import DASH, count, known

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
ENDS = {
    "weak": "weak: least inertia and response",
    "strong": "strong: most of both",
}
KINDS = {
    "closed_form": "closed form",
    "integrated": "integrated",
    "aggregate": "aggregate",
    "network": "whole network",
    "other": "whole network, other inputs",
}


def text_of_grid(document: Document) -> None:
    """The excursion with its bands, MW to each threshold, published figures, and what it leaves out."""
    out = terminal.console()
    over = f" over {document['ramp_s']:g} s" if document["ramp_s"] else " at once"
    what = "lost" if document["event"] == "trip" else "started"
    terminal.heading(
        out, f"{document['interconnection']}: {count(document['mw'])} MW of load {what}{over} ({document['status']})"
    )
    terminal.blank(out)
    _answers(out, document)
    _bands(out, document)
    _sensitivity(out, document["sensitivity"])
    _thresholds(out, document)
    _published(out, document)
    _runs(out, document["structural"])
    terminal.notes(out, f"Why this is {document['status']}", document["why"])
    terminal.notes(out, "Assumed", document["assumptions"])


def _hz(value: float) -> str:
    return f"{value:.4f}"


def _seconds(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"


def _answers(out: Console, document: Document) -> None:
    rows = [("closed form", document["closed_form"]), ("integrated", document["integrated"])]
    rows += [(_limits(document["governors"]), document["with_limits"])]
    rows += [(f"closed form, {ENDS[end]}", document["band"][end]) for end in ("weak", "strong")]
    columns = (("", "l"), ("peak Hz", "r"), ("at s", "r"), ("at rest Hz", "r"), ("Hz/s", "r"), ("settled s", "r"))
    cells = [
        (name, _hz(row["peak_hz"]), _seconds(row["peak_s"]), _hz(row["rest_hz"]), f"{row['rocof_hz_per_s']:.3f}",
         _seconds(row["settled_s"]))
        for name, row in rows
    ]  # fmt: skip
    terminal.table(out, columns, cells)
    out.print(f"Closed form and integration differ by {1e6 * abs(document['difference_hz']):.4f} µHz.")


def _limits(governors: list[Document]) -> str:
    """What the run with limits has that the closed form has not."""
    if len(governors) > 1:
        return f"with {len(governors)} classes of governors"
    (one,) = governors
    parts = [f"dead band {one['deadband_mhz']:g} mHz"]
    if one["valve_s"]:
        parts.append(f"valves {one['valve_s']:g} s")
    if one["cap_mw"] is not None:
        parts.append(f"at most {count(one['cap_mw'])} MW in all")
    return "with " + ", ".join(parts)


def _bands(out: Console, document: Document) -> None:
    band, form = document["band"], document["structural"]
    ends = sorted((band["weak"]["peak_hz"], band["strong"]["peak_hz"]))
    terminal.blank(out)
    terminal.pairs(
        out,
        [
            ("inertia and response", f"{_hz(ends[0])} to {_hz(ends[1])} Hz"),
            ("structure of the model", f"{_hz(form['low_hz'])} to {_hz(form['high_hz'])} Hz "
             f"(runs of a whole network: {form['factor_low']:.2f} to {form['factor_high']:.2f} times the excursion)"),
            ("both at once", f"{_hz(form['widest_low_hz'])} to {_hz(form['widest_high_hz'])} Hz"),
        ],
    )  # fmt: skip


def _sensitivity(out: Console, rows: list[Document]) -> None:
    if not rows:
        return
    terminal.blank(out)
    terminal.heading(out, "What moves it, one at a time")
    columns = (("", "L"), ("low", "r"), ("high", "r"), ("Hz at low", "r"), ("Hz at high", "r"))
    cells = [
        (
            row["label"],
            *(f"{row[end]:g} {row['unit']}".strip() for end in ("low", "high")),
            *(DASH if row[f"peak_{end}_hz"] is None else _hz(row[f"peak_{end}_hz"]) for end in ("low", "high")),
        )
        for row in rows
    ]
    terminal.table(out, columns, cells)


def _thresholds(out: Console, document: Document) -> None:
    terminal.blank(out)
    terminal.heading(out, "MW to each threshold")
    columns = (("Hz", "r"), ("weak", "r"), ("middle", "r"), ("with limits", "r"), ("strong", "r"), ("", "l"))
    rows = [
        (f"{row['hz']:g}", count(round(row["mw_weak"])), count(round(row["mw_mid"])),
         count(round(row["mw_with_limits"])), count(round(row["mw_strong"])),
         f"{row['meaning']} ({known(row['basis'])})")
        for row in document["thresholds"]
    ]  # fmt: skip
    terminal.table(out, columns, rows)


def _published(out: Console, document: Document) -> None:
    if not document["published"]:
        return
    terminal.blank(out)
    terminal.heading(out, "Published, and what the model gives for it")
    columns = (
        ("", "l"),
        ("loss MW", "r"),
        ("Hz", "r"),
        ("weak", "r"),
        ("middle", "r"),
        ("strong", "r"),
        ("MW left", "r"),
    )
    rows = [
        (f"{row['what']}, {row['date']} ({known(row['basis'])})", count(row["mw"]), f"{row['hz']:g}",
         _hz(row["model_weak_hz"]), _hz(row["model_mid_hz"]), _hz(row["model_strong_hz"]),
         count(row["mw_left"]) if row["limit"] else "")
        for row in document["published"]
    ]  # fmt: skip
    terminal.table(out, columns, rows)
    for row in document["published"]:
        low, high = row["response_meeting_low_mw_per_100mhz"], row["response_meeting_high_mw_per_100mhz"]
        if low is not None and high is not None:
            out.print(f"The model gives {row['hz']:g} Hz at a response of {low:,.0f} to {high:,.0f} MW/0.1 Hz.")


def _runs(out: Console, form: Document) -> None:
    terminal.blank(out)
    terminal.heading(out, "The same loss in other models")
    columns = (
        ("", "l"),
        ("kind", "L"),
        ("GW·s", "r"),
        ("MW/0.1 Hz", "r"),
        ("loss MW", "r"),
        ("peak Hz", "r"),
        ("factor", "r"),
    )
    rows = [
        (row["run"], KINDS[row["kind"]], f"{row['energy_gws']:g}",
         DASH if row["response_mw_per_100mhz"] is None else f"{row['response_mw_per_100mhz']:g}",
         count(row["mw"]), _hz(row["peak_hz"]), "" if row["factor"] is None else f"{row['factor']:.2f}")
        for row in form["runs"]
    ]  # fmt: skip
    terminal.table(out, columns, rows)
    out.print(f"Source: {form['source']}.")
