"""Terminal text of ``ashore clear``: takes its JSON document and prints it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ashore.report import terminal
from ashore.report.words import DASH, count, millions, percent, usd

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
FORMS = {"logit": "logit demand", "ces": "CES demand", "linear": "linear demand"}
CONDUCTS = {
    "bertrand": "makers set prices",
    "cournot": "makers set quantities",
    "moncom": "monopolistic competition",
}
PRICING = {
    "world": "makers set one price for the world",
    "region": "makers set a price for each region",
    "moncom": "monopolistic competition",
}
Words = Callable[[float], str]


def _share(value: float | None) -> str:
    return percent(None if value is None else round(value, 4))


def _money(value: float) -> str:
    return millions(value) if abs(value) >= 1000 else usd(value)


RANGE: dict[str, tuple[str, Words]] = {
    "price_change": ("change of the mean price", _share),
    "pass_through": ("pass-through of the duty to buyers", _share),
    "hhi_change": ("change of the HHI of units", lambda value: f"{value:+,.0f}"),
    "buyers_usd": ("change for buyers, USD", _money),
    "makers_usd": ("change for makers, USD", _money),
    "duty_usd": ("duty collected, USD", _money),
}


def text_of_market(document: Document) -> None:
    """Goods before and after, makers' shares, who gains, and the range over demand forms and conduct."""
    out = terminal.console()
    name = f"{document['market']}: " if document["market"] else ""
    terminal.heading(out, f"{name}{FORMS[document['demand']]}, {CONDUCTS[document['conduct']]}")
    terminal.blank(out)
    _goods(out, document["goods"])
    terminal.blank(out)
    _makers(out, document["makers"])
    terminal.blank(out)
    terminal.pairs(
        out,
        [
            ("HHI of units", f"{usd(document['hhi_before'], 0)} → {usd(document['hhi_after'], 0)}"),
            ("change for buyers", f"{_money(document['buyers_usd'])} USD"),
            ("change for makers", f"{_money(document['makers_usd'])} USD"),
            ("duty collected", f"{_money(document['duty_usd'])} USD, before {_money(document['duty_before_usd'])}"),
            ("rent of limits", f"{_money(document['rent_usd'])} USD, owned by the {document['rent_owner']}"),
            ("all together", f"{_money(document['total_usd'])} USD"),
        ],
    )
    terminal.blank(out)
    _range(out, "Over demand forms and conducts", document)
    _said(out, document)


def _goods(out: Console, goods: list[Document]) -> None:
    least = min(row["cost_usd"] for row in goods)
    places = max(2, 3 - math.floor(math.log10(least))) if least > 0 else 2
    columns = (
        ("good", "L"),
        ("maker", "L"),
        ("rate before", "r"),
        ("after", "r"),
        ("cost USD", "r"),
        ("price before", "r"),
        ("after", "r"),
        ("units before", "r"),
        ("after", "r"),
    )
    rows = [
        (
            row["good"],
            row["maker"],
            _share(row["rate_before"]),
            _share(row["rate_after"]),
            usd(row["cost_usd"], places),
            usd(row["price_before"], places),
            usd(row["price_after"], places),
            count(row["units_before"]),
            count(row["units_after"]),
        )
        for row in goods
    ]
    terminal.table(out, columns, rows)


def _makers(out: Console, makers: list[Document]) -> None:
    columns = (("maker", "L"), ("share before", "r"), ("after", "r"), ("profit before USD", "r"), ("after", "r"))
    rows = [
        (
            row["maker"],
            _share(row["share_before"]),
            _share(row["share_after"]),
            _money(row["profit_before_usd"]),
            _money(row["profit_after_usd"]),
        )
        for row in makers
    ]
    terminal.table(out, columns, rows)


def _range(out: Console, over: str, document: Document) -> None:
    """The headline with its ends over the models, and what moves it."""
    terminal.heading(out, over)
    terminal.table(out, (("", "L"), ("here", "r"), ("least", "r"), ("most", "r")), _ranges(document))
    terminal.blank(out)
    _tornado(out, document["tornado"])


def _tornado(out: Console, rows: list[Document]) -> None:
    """What moves the answers, the one that moves concentration most first."""

    def spread(bounds: list[float] | None, words: Words) -> str:
        return DASH if bounds is None else f"{words(bounds[0])} to {words(bounds[1])}"

    terminal.heading(out, "What moves it, one at a time")
    columns = (("", "L"), ("tried", "l"), ("change of HHI", "r"), ("price", "r"))
    cells = [
        (
            row["what"],
            ", ".join(row["tried"]),
            spread(row["hhi_change"], RANGE["hhi_change"][1]),
            spread(row["price_change"], _share),
        )
        for row in rows
    ]
    terminal.table(out, columns, cells)


def _said(out: Console, document: Document) -> None:
    """Models that cannot be had, and why; and the notes."""
    names = ("demand", "conduct")
    without = [
        f"{', '.join(row[name] for name in names if name in row)}: {row['why']}"
        for row in document["alternatives"]
        if row["why"]
    ]
    terminal.notes(out, "Not calibrated", without)
    terminal.notes(out, "Notes", document["notes"])


def as_asked(document: Document) -> Document:
    """Of the models tried, the one that was asked for."""
    chosen = document["demand"], document["conduct"]
    rows: list[Document] = document["alternatives"]
    return next(row for row in rows if (row.get("demand", chosen[0]), row["conduct"]) == chosen)


def _ranges(document: Document) -> list[tuple[str, ...]]:
    here, rows = as_asked(document), []
    for key, (name, words) in RANGE.items():
        shown = (here[key], *(document["range"][key] or (None, None)))
        rows.append((name, *(DASH if value is None else words(value) for value in shown)))
    return rows


def text_of_rigs(document: Document) -> None:
    """The rig market before and after: prices, sales, plants, who gains, and the range over how makers price."""
    out = terminal.console()
    terminal.heading(out, f"{document['market']}, {document['on']}: {PRICING[document['conduct']]}")
    terminal.blank(out)
    _rigs(out, document["goods"])
    terminal.blank(out)
    _makers(out, document["makers"])
    terminal.blank(out)
    _regions(out, document["regions"])
    terminal.blank(out)
    full = [row for row in document["plants"] if max(row["used_before"], row["used_after"]) > 0.005]
    columns = (("plant", "L"), ("used before", "r"), ("after", "r"), ("premium USD a unit", "r"), ("after", "r"))
    rows = [
        (
            row["plant"],
            _share(row["used_before"]),
            _share(row["used_after"]),
            usd(row["premium_before_usd"], 0),
            usd(row["premium_after_usd"], 0),
        )
        for row in full
    ]
    terminal.table(out, columns, rows)
    terminal.blank(out)
    terminal.pairs(
        out,
        [
            ("HHI of TH/s at home", f"{usd(document['hhi_before'], 0)} → {usd(document['hhi_after'], 0)}"),
            ("hash price, USD/PH/day", f"{document['hashprice_before']:.2f} → {document['hashprice_after']:.2f}"),
            (
                "change for buyers",
                f"{_money(document['buyers_usd'])} USD, {_money(document['buyers_home_usd'])} at home "
                f"at the old hash price, {_money(document['spillover_usd'])} everywhere by the new one",
            ),
            ("change for makers", f"{_money(document['makers_usd'])} USD"),
            ("duty collected", f"{_money(document['duty_usd'])} USD, before {_money(document['duty_before_usd'])}"),
        ],
    )
    terminal.blank(out)
    _range(out, "Over ways to price", document)
    _said(out, document)


def _rigs(out: Console, goods: list[Document]) -> None:
    columns = (
        ("rig", "L"),
        ("maker", "L"),
        ("border USD/TH", "r"),
        ("after", "r"),
        ("delivered at home", "r"),
        ("after", "r"),
        ("EH/s at home", "r"),
        ("after", "r"),
    )
    rows = [
        (
            row["good"],
            row["maker"],
            *(usd(row[key]) for key in ("border_before", "border_after", "price_before", "price_after")),
            *(f"{row[key] / 1e6:,.2f}" for key in ("units_before", "units_after")),
        )
        for row in goods
    ]
    terminal.table(out, columns, rows)


def _regions(out: Console, regions: list[Document]) -> None:
    columns = (
        ("region", "L"),
        ("USD/TH", "r"),
        ("after", "r"),
        ("EH/s", "r"),
        ("after", "r"),
        ("change for buyers", "r"),
    )
    rows = [
        (
            row["region"],
            *(usd(row[key]) for key in ("price_before", "price_after")),
            *(f"{row[key] / 1e6:,.2f}" for key in ("units_before", "units_after")),
            _money(row["buyers_usd"]),
        )
        for row in regions
    ]
    terminal.table(out, columns, rows)
