"""Terminal text of ``ashore screen`` and ``ashore screen fetch``: each takes its JSON document and prints it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ashore.report import terminal
from ashore.report.words import DASH, percent

Document = Mapping[str, Any]
NO_MATCH, POTENTIAL = "NO_LIST_MATCH", "POTENTIAL_MATCH"


def text_of_screening(document: Document) -> None:
    """Counts, every hit with its evidence and hook, what products take over from parts, and what it rests on."""
    out = terminal.console()
    counts = document["outcomes"]
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in reversed(counts.items()))
    terminal.heading(out, f"Screening of {sum(counts.values()):,} on {document['on']}: {told}")
    shown = [party for party in document["parties"] if party["hits"] or party["outcome"] != NO_MATCH]
    for party in sorted(shown, key=lambda party: (party["outcome"] != POTENTIAL, party["row"])):
        terminal.blank(out)
        where = f", {party['country']}" if party["country"] else ""
        style = terminal.WARN if party["outcome"] == POTENTIAL else terminal.HEAD
        out.print(f"{party['name']}{where}: {party['outcome']}", style=style)
        _hits(out, party["hits"])
        for owned in party["ownership"]:
            out.print(f"  {_owned(owned)}")
    for product in document["products"]:
        terminal.blank(out)
        terminal.heading(out, f"{product['product']}, by its parts: {product['outcome']}")
        for part in product["parts"]:
            way = " > ".join(part["path"])
            out.print(f"  {way}: {part['maker'] or 'maker not named'}, {part['outcome']}")
            _hits(out, part["hits"])
    terminal.notes(out, "What follows from the lists", _meanings(document))
    terminal.blank(out)
    rows = [
        [
            file["file"],
            file["shape"],
            file["date"],
            f"{file['entries']:,}",
            file["sha256"][:16],
            " ".join(file["lists"]),
        ]
        for file in document["lists"]
    ]
    columns = [("list file", "l"), ("", "L"), ("of", "L"), ("entries", "r"), ("sha256", "L"), ("holds", "l")]
    terminal.table(out, columns, rows)
    terminal.notes(out, "Notes", document["notes"], terminal.QUIET)


def text_of_sources(document: Document) -> None:
    """Each list: where it is to be had, and what follows from being on it."""
    out = terminal.console()
    terminal.heading(out, "Lists of parties: download these files into a folder, and name it with --lists")
    for one in document["lists"]:
        if not one["at"]:
            continue
        terminal.blank(out)
        out.print(f"{one['list']}  {one['title']} ({one['owner']})", style=terminal.HEAD)
        for place in one["at"]:
            out.print(f"  {place}")
        if one["note"]:
            out.print(f"  {one['note']}", style=terminal.QUIET)
    terminal.blank(out)
    rows = [[one["list"], one["title"], one["within"] or DASH, one["hook"], one["source"]] for one in document["lists"]]
    columns = [("list", "L"), ("title", "l"), ("part of", "L"), ("hook", "L"), ("source", "l")]
    terminal.table(out, columns, rows)
    unsure = [one["list"] for one in document["lists"] if not one["verified"]]
    terminal.notes(out, "What the hooks mean", (f"{name}: {text}" for name, text in document["hooks"].items()))
    if unsure:
        line = f"Not checked against the publisher's own text: {', '.join(unsure)}."
        terminal.notes(out, "Notes", [line], terminal.QUIET)


def _hits(out: Any, hits: Iterable[Document]) -> None:
    for hit in hits:
        aside = " (set aside)" if hit["set_aside"] else ""
        matched = hit["matched"]
        score = f"{hit['score']:.2f}"
        out.print(f"  {hit['outcome']}{aside}: {hit['list']} {hit['id']}, {hit['name']}; hook: {hit['hook']}")
        terminal.pairs(out, [(f"    name {score}", f"{matched['ours']} / {matched['theirs']}"), *_evidence(hit)])


def _evidence(hit: Document) -> Iterable[tuple[str, str]]:
    matched = hit["matched"]
    for side, label in (("only_ours", "only ours"), ("only_theirs", "only theirs")):
        if matched[side]:
            yield f"    {label}", " ".join(matched[side])
    for reason in hit["reasons"]:
        if reason["field"] != "name":
            values = " / ".join(value for value in (reason["ours"], reason["theirs"]) if value)
            yield f"    {reason['field']}", f"{reason['says']}: {values}" if values else reason["says"]
    if hit["notice"]:
        yield "    notice", hit["notice"]
    for review in hit["reviews"]:
        until = f" until {review['until']}" if review["until"] else ""
        yield f"    {review['decision']}{until}", f"{review['reason']} ({review['reviewer']})"


def _owned(owned: Document) -> str:
    force = "in force" if owned["in_force"] else "not in force"
    unsure = "" if owned["verified"] else ", unverified"
    share = f"{percent(owned['share_low'])} to {percent(owned['share_high'])}"
    through = f" through {', '.join(owned['through'])}" if owned["through"] else ""
    return f"{owned['rule']} rule ({force}{unsure}): {owned['answer']}; owners that may be listed hold {share}{through}"


def _meanings(document: Document) -> list[str]:
    hits = [hit for party in document["parties"] for hit in party["hits"]]
    hits += [hit for product in document["products"] for part in product["parts"] for hit in part["hits"]]
    return [f"{hit['list']}: {hit['meaning']}" for hit in sorted(hits, key=lambda hit: hit["list"])]
