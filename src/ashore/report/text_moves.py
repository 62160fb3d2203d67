"""Terminal text of ``ashore clear --moves`` and ``--size``: takes their JSON documents and prints them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ashore.report import terminal
from ashore.report.text_market import PRICING
from ashore.report.words import DASH, millions, named, percent, plural, usd

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]


def text_of_moves(document: Document) -> None:
    """What makers can choose, every combination that stands, and where best replies lead."""
    out = terminal.console()
    span = f"{document['from']} to {document['until']}"
    terminal.heading(out, f"{document['market']}, {span}: {PRICING[document['conduct']]}")
    terminal.blank(out)
    rows = [
        (
            row["maker"],
            plural(len(row["sets"]), "set"),
            DASH if row["dominant"] is None else named(row["dominant"]),
        )
        for row in document["makers"]
    ]
    terminal.table(out, (("maker", "L"), ("can order", "r"), ("best whatever the others do", "l")), rows)
    found = document["equilibria"]
    terminal.blank(out)
    count = plural(len(document["combinations"]), "combination")
    if not found:
        terminal.heading(out, f"Of {count} none stands: some maker always gains by another choice")
    for number, row in enumerate(found, 1):
        terminal.heading(out, f"Of {count}, {number} of {len(found)} in which nobody gains by another choice")
        _equilibrium(out, row, document["stay"])
        terminal.blank(out)
    _replies(out, document)
    terminal.notes(out, "Notes", document["notes"])


def _equilibrium(out: Console, row: Document, stay: Document) -> None:
    rows = [
        (maker, named(names), millions(row["payoff_usd"][maker]), millions(row["gain_usd"][maker]))
        for maker, names in row["plants"].items()
    ]
    earned = (("maker", "L"), ("opens", "l"), ("earns USD", "r"), ("more than if nobody moves", "r"))
    terminal.table(out, earned, rows)
    terminal.blank(out)
    still = ("if nobody moves", "r")
    columns = (("from", "L"), ("home USD/TH", "r"), still, ("HHI at home", "r"), still)
    periods = [
        (
            here["from"],
            usd(here["price_usd_ths"]),
            usd(there["price_usd_ths"]),
            usd(here["hhi"], 0),
            usd(there["hhi"], 0),
        )
        for here, there in zip(row["periods"], stay["periods"], strict=True)
    ]
    terminal.table(out, columns, periods)


def _replies(out: Console, document: Document) -> None:
    path, back = document["replies"], document["replies_return_to"]
    terminal.heading(out, "Best replies, one maker at a time, from nobody moving")
    rows = []
    for number, (before, after) in enumerate(pairwise(path), 1):
        maker = next(name for name in after if after[name] != before[name])
        rows.append((str(number), maker, named(after[maker])))
    if not rows:
        out.print("Nobody moves.")
    else:
        terminal.table(out, (("", "r"), ("maker", "L"), ("opens", "l")), rows)
    if back is not None:
        out.print(f"They go round: after the last one the makers are back where they were after step {back}.")


def text_of_size(document: Document) -> None:
    """What the world spends on rigs: past years, years to come with their range, and what was published beside."""
    out = terminal.console()
    terminal.heading(out, "What the world spends on rigs in a year")
    terminal.blank(out)
    columns = (
        ("year", "L"),
        ("EH/s at its end", "r"),
        ("sold", "r"),
        ("USD/TH", "r"),
        ("USD", "r"),
        ("all low", "r"),
        ("all high", "r"),
        ("miners earn", "r"),
        ("published", "r"),
    )
    said: dict[int, list[str]] = {}
    for row in document["published"]:
        most = f" to {millions(row['high_usd'])}" if row["high_usd"] else ""
        said.setdefault(row["year"], []).append(millions(row["usd"]) + most)
    years = [row | {"low_usd": None, "high_usd": None} for row in document["past"]] + document["years"]
    rows = [
        (
            str(row["year"]),
            f"{row['hash_ehs']:,.0f}",
            f"{row['sold_ehs']:,.0f}",
            usd(row["price_usd_ths"]),
            *(millions(row[key]) for key in ("usd", "low_usd", "high_usd", "revenue_usd")),
            "; ".join(said.get(row["year"], [DASH])),
        )
        for row in years
    ]
    terminal.table(out, columns, rows)
    terminal.blank(out)
    for row in document["published"]:
        if "growth_needed" in row:
            growth = row["growth_needed"]
            need = (
                "no growth would do" if growth is None else f"a growth of {percent(round(growth, 3))} a year would do"
            )
            out.print(f"For {millions(row['usd'])} USD in {row['year']}, all else as assumed, {need}.")
    terminal.blank(out)
    terminal.heading(out, f"What moves {document['years'][-1]['year']}, one at a time")
    ends = [(row["what"], *(millions(end) for end in row["usd"])) for row in document["tornado"]]
    terminal.table(out, (("", "L"), ("USD, least", "r"), ("most", "r")), ends)
    published = [f"{row['year']}: {row['what']}; {row['basis']}: {row['source']}" for row in document["published"]]
    terminal.notes(out, "Published", published)
    terminal.notes(out, "Assumed", document["notes"])
