"""Terminal text of ``ashore concentration``: takes its JSON document and prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ashore.report import terminal
from ashore.report.words import DASH, known, listed, percent, plural, standing_in, usd
from ashore.tables import countries

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
GEOGRAPHIES = {
    "brand": "brand",
    "assembly": "assembly",
    "chip_fab": "chip fab",
    "customs_origin": "customs origin",
    "hashing": "hashing",
}


def text_of_concentration(document: Document) -> None:
    """Published series by geography and date, made against hashed, and what no share was read of."""
    out = terminal.console()
    most = plural(document["others"], "unnamed entity")
    terminal.heading(out, f"Published shares, from {document['home']}; bounds for at most {most}")
    terminal.blank(out)
    columns = (
        ("geography", "L"), ("date", "L"), ("series", "l"), ("named", "l"), ("rest", "r"), ("HHI", "r"), ("Theil", "r"),
        ("imported", "r"),
    )  # fmt: skip
    rows = [
        (GEOGRAPHIES[row["geography"]], row["date"], row["series"], _named(row["shares"]), _percent(row["rest"]),
         _span(row["hhi_low"], row["hhi_high"], 0), _span(row["theil_low"], row["theil_high"], 2), imported(row))
        for row in document["series"]
    ]  # fmt: skip
    terminal.table(out, columns, rows)
    terminal.blank(out)
    terminal.heading(out, "Made against hashed: the share that would have to move to make them alike")
    pairs = [
        (GEOGRAPHIES[row["geography"]], f"{row['made']}, {row['made_date']}", f"{row['hashed']}, {row['hashed_date']}",
         _span(row["dissimilarity_low"], row["dissimilarity_high"], 2))
        for row in document["imbalance"]
    ]  # fmt: skip
    terminal.table(out, (("geography", "L"), ("made", "l"), ("hashed", "l"), ("dissimilarity", "r")), pairs)
    marked = {row["basis"] for series in document["series"] for row in series["shares"] if row["basis"]} - {"READ"}
    notes = [
        f"no published share of {listed(GEOGRAPHIES[name] for name in document['missing'])} was found: see a network"
    ]
    notes += [f"some shares are {known(mark)}: --json marks each" for mark in sorted(marked)]
    terminal.notes(out, "Notes", notes if document["missing"] else notes[1:])


def text_of_network_shares(document: Document) -> None:
    """A network on a day on four geographies, what a second origin does, and the plans beside it."""
    out = terminal.console()
    terminal.heading(out, f"Cheapest open routes on {document['on']}, by hash rate")
    terminal.blank(out)
    _geographies(out, document)
    terminal.blank(out)
    terminal.heading(out, "With a share of every demand from the cheapest route of a second origin")
    columns = (("share", "r"), ("HHI customs origin", "r"), ("HHI assembly", "r"), ("USD/TH/s", "r"), ("days", "r"))
    terminal.table(out, columns, [words_of_second(row) for row in document["second_origin"]])
    for plan in document["plans"]:
        terminal.blank(out)
        cost = "" if plan["cost_usd"] is None else f", cost {usd(plan['cost_usd'], 0)} USD"
        terminal.heading(out, f"{plan['plan']}{cost}")
        _geographies(out, plan)
    names = countries()
    stood = standing_in(document["markets"], names)
    notes = [
        f"the market {market} counts as {names.get(code, code)}, where it stands" for code, market in stood.items()
    ]
    notes += [f"{name} has no second origin" for name in document["without_second_origin"]]
    notes += [f"no open route: {name}" for name in document["unserved"]]
    terminal.notes(out, "Notes", notes)


def words_of_geography(row: Document) -> list[str]:
    """One geography: name, shares, HHI, what is imported, and how far from where it is hashed."""
    near = _span(row["dissimilarity_low"], row["dissimilarity_high"], 2)
    hhi = _span(row["hhi_low"], row["hhi_high"], 0)
    return [GEOGRAPHIES[row["geography"]], _shares(row["shares"]), hhi, imported(row), near]


def words_of_second(row: Document) -> list[str]:
    """What a share of a second origin does: HHI of customs origin and of assembly, USD/TH/s, days."""
    hhi = [usd(row[f"hhi_{name}"], 0) for name in ("customs_origin", "assembly")]
    return [percent(row["share"]), *hhi, usd(row["landed_usd_per_ths"]), f"{row['days']:.1f}"]


def _geographies(out: Console, document: Document) -> None:
    columns = (("", "L"), ("shares", "l"), ("HHI", "r"), ("Theil", "r"), ("imported", "r"), ("against hashed", "r"))
    rows = []
    for row in document["geographies"]:
        name, shares, hhi, far, near = words_of_geography(row)
        rows.append((name, shares, hhi, _span(row["theil_low"], row["theil_high"], 2), far, near))
    terminal.table(out, columns, rows)
    cost = document["landed_usd_per_ths"]
    said = "" if cost is None else f"{usd(cost)} USD/TH/s landed, "
    out.print(f"{said}{document['days']:.1f} days on the last leg.")


def _named(rows: Sequence[Document]) -> str:
    return ", ".join(f"{row['entity']} {_percent(row['share'])}" for row in rows)


def _shares(shares: Mapping[str, float]) -> str:
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {_percent(share)}" for name, share in ranked) or DASH


def _percent(share: float) -> str:
    return percent(round(share, 3))


def imported(row: Document) -> str:
    """What does not come from home, per cent: "63.0 %", or "74.5–100.0 %" where home is not named."""
    if row["import_dependence_low"] is None:
        return ""
    low, high = (_percent(row[f"import_dependence_{end}"]) for end in ("low", "high"))
    return low if low == high else f"{low.removesuffix(' %')}–{high}"


def _span(low: float, high: float, places: int) -> str:
    first, last = f"{low:,.{places}f}", f"{high:,.{places}f}"
    return first if first == last else f"{first}–{last}"
