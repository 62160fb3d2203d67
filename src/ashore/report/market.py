"""How far the answers of a market depend on the model, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ashore.report import figures
from ashore.report.picture import Picture
from ashore.report.text_market import CONDUCTS, PRICING, as_asked
from ashore.report.words import percent, plural

Document = Mapping[str, Any]
PANELS = (
    ("hhi_change", "change of the HHI", "+,.0f"),
    ("price_change", "change of the mean price", "+.0%"),
    ("pass_through", "pass-through of the duty to buyers", ".0%"),
)


def tornado(document: Document) -> Picture:
    """Bars from the least to the greatest of three answers: over all models, and as each thing is moved alone."""
    here = as_asked(document)
    rows = [{"what": "all models together", **document["range"]}, *document["tornado"]]
    panels = [
        {
            "name": name,
            "format": style,
            "here": here[key],
            "rows": [
                {"label": row["what"], "low": row[key][0], "high": row[key][1]} for row in rows if row[key] is not None
            ],
        }
        for key, name, style in PANELS
        if here[key] is not None and document["range"][key] is not None
    ]
    finding = _finding(document)
    models = plural(sum(not row["why"] for row in document["alternatives"]), "model")
    way = (CONDUCTS | PRICING)[document["conduct"]]
    under = f"Orange: as asked for, {way}. Bars: least and greatest over {models}, and as one thing is moved."
    said = "Sources: the folder's figures, calibrated to them under every model (--json names what each bar tried)."
    instead = f"Bars of {plural(len(panels), 'answer')}, what moves them in rows. {finding}."
    return Picture("market", figures.spans(panels, finding, under, said), finding, instead)


def _finding(document: Document) -> str:
    price, index = document["range"]["price_change"], document["range"]["hhi_change"]
    if price is None or index is None:
        return "Nothing is sold any more under any of the models"
    change = f"Prices change by {percent(round(price[0], 3))} to {percent(round(price[1], 3))}"
    sides = "either way" if index[0] < 0 < index[1] else f"by {index[0]:+,.0f} to {index[1]:+,.0f}"
    first = f"; {document['tornado'][0]['what']} moves it most" if document["tornado"] else ""
    return f"{change}, concentration {sides}{first}"
