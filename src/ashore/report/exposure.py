"""Pictures of exposure: frequency traces with their bands, made against hashed, concentration, and what rigs share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ashore.report import figures
from ashore.report.figures.flow import Ribbon, Stage
from ashore.report.picture import Picture
from ashore.report.text_shares import GEOGRAPHIES, imported
from ashore.report.words import known, listed, percent, short, standing_in
from ashore.tables import countries

Document = Mapping[str, Any]


def traces(document: Document) -> Picture:
    """The frequency of ``ashore grid``, with the band of inertia and response and that of the model's structure."""
    hz = {row["name"]: row["hz"] for row in document["traces"]}
    form = document["structural"]
    base = document["inputs"]["frequency_hz"]
    around = [
        tuple(sorted(base + (value - base) * form[end] for end in ("factor_low", "factor_high"))) for value in hz["mid"]
    ]
    what = "lost" if document["event"] == "trip" else "started"
    finding = (
        f"{document['mw']:,.0f} MW of load {what} in {document['interconnection']}: {form['low_hz']:.2f} to "
        f"{form['high_hz']:.2f} Hz around {document['closed_form']['peak_hz']:.2f}"
    )
    under = (
        "Blue: closed form in the middle state. Orange: integrated with dead band and limits. Dark band: structure of "
        "the model, from runs of whole networks. Light band: least to most inertia and response. "
        f"{document['status'].capitalize()}."
    )
    thresholds = [(row["hz"], row["meaning"]) for row in document["thresholds"]]
    thresholds += [(row["hz"], row["what"]) for row in document["published"] if not row["limit"]]
    marks = sorted({known(row["basis"]) for row in document["thresholds"]})
    rests = f"Bands: {form['source']}."
    rests += f" Thresholds: {', '.join(marks)} (--json names each source)." if marks else ""
    chart = figures.frequency_traces(
        hz, [(low, high) for low, high in around], document["traces"][0]["step_s"], thresholds, (finding, under, rests)
    )
    return Picture("traces", chart, finding, f"Lines of frequency over time within two bands. {finding}.")


def imbalance(document: Document) -> Picture:
    """Where the chips, the brands and the assembly of a network's rigs are, and where these hash."""
    names = countries()

    def place(code: str) -> str:
        return short(names.get(code, code)) if code else "not known"

    rows = document["flows"]
    columns = (("chips", "chip_fab"), ("brand", "brand"), ("assembled", "assembly"), ("hashed", "hashed"))
    stages = [Stage(title, {row[key]: place(row[key]) for row in rows}) for title, key in columns]
    stood = standing_in(document["markets"], names)
    stages[-1] = Stage("hashed", stages[-1].places | stood)
    ribbons: dict[tuple[int, str, str, str], float] = {}
    for row in rows:
        for stage, (_, key) in enumerate(columns[:-1]):
            at = (stage, row[key], row[columns[stage + 1][1]], row["maker"])
            ribbons[at] = ribbons.get(at, 0.0) + 100 * row["share"]
    far = {row["geography"]: row for row in document["geographies"]}
    finding = (
        f"{imported(far['assembly'])} assembled and {imported(far['brand'])} branded abroad, "
        f"{percent(round(document['hashed'].get(document['home'], 0.0), 3))} hashed at home "
        f"({place(document['home'])})"
    )
    under = f"Hash rate delivered by the cheapest open routes on {document['on']}, per cent; colours: makers."
    rests = (
        "Sources: rule book and network (its estimates are named by ashore land). Brand: country of the maker's owner."
    )
    if stood:
        rests += f" The network places {listed(f'{market} in {place(code)}' for code, market in stood.items())}."
    chart = figures.flow_map(
        stages, [Ribbon(*key[:3], units, key[3]) for key, units in ribbons.items()], finding, under, rests, " %", 1
    )
    return Picture("imbalance", chart, finding, f"Flows from chips through brands and assembly to miners. {finding}.")


def concentration(document: Document) -> Picture:
    """HHI of each published series, from its least to its greatest."""
    rows = [
        {
            "group": GEOGRAPHIES[row["geography"]],
            "label": f"{row['date']}  {row['series']}",
            "low": row["hhi_low"],
            "high": row["hhi_high"],
            "figure": f"{row['hhi_low']:,.0f}–{row['hhi_high']:,.0f}",
        }
        for row in document["series"]
    ]
    finding = "No share is known"
    if rows:
        widest = max(row["high"] - row["low"] for row in rows)
        finding = f"What is not named leaves the HHI open by up to {widest:,.0f} points"
    under = f"HHI of each series, least to greatest for at most {document['others']} unnamed entities."
    marks = sorted({known(row["basis"]) for one in document["series"] for row in one["shares"]})
    rests = f"Shares: {', '.join(marks)} (--json names each source)." if marks else ""
    chart = figures.ranges(rows, "HHI", finding, under, rests)
    return Picture("concentration", chart, finding, f"Bars of least to greatest HHI. {finding}.")


def common_mode(document: Document) -> Picture:
    """What the rigs of a fleet have in common, as a treemap in MW."""
    rows = [
        {
            "value": row["mw"],
            "kind": f"{row['maker']}, {row['firmware']}",
            "label": f"{row['path']}",
            "figures": (f"{row['mw']:,.2f} MW, {row['rigs']:,} rigs", f"{row['mw']:,.2f}"),
        }
        for row in document["common_mode"]
    ]
    first = document["common_mode"][0] if rows else None
    finding = "No rig is known by maker and firmware"
    if first is not None:
        finding = (
            f"{first['maker']}, {first['firmware']}, {first['path']}: {first['mw']:,.2f} MW in one group, "
            f"{percent(round(first['share_of_mw'], 3))} of the fleet"
        )
    whole = document["total"]
    under = (
        f"{whole['rigs']:,} rigs, {whole['mw']:,.2f} MW: areas are MW of one maker and firmware (colour) reached "
        "through one path (tile); figures are MW."
    )
    basis = ", ".join(f"{name} of {count:,}" for name, count in document["power_basis"].items())
    rests = f"Power {basis} rigs; {whole['unknown_power_rigs']:,} of unknown power are not drawn."
    chart = figures.treemap(rows, finding, under, rests)
    return Picture("common-mode", chart, finding, f"Tiles of MW by maker, firmware and path. {finding}.")
