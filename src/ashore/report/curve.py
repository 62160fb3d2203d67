"""The frontier of a plan as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ashore.report import figures
from ashore.report.picture import Picture
from ashore.report.words import millions, percent, plural, sources

Document = Mapping[str, Any]


def frontier(document: Document) -> Picture:
    """The curve of mean against tail of a plan's document that has one."""
    margin, rows = document["objective"] == "margin", document["frontier"]
    what, share = "cost less revenue" if margin else "cost", percent(1 - document["tail"])
    labels = changes(rows)
    points = [
        {"mean": row["mean_usd"] / 1e6, "tail": row["tail_usd"] / 1e6, "weight": row["weight"], "label": label}
        for row, label in zip(rows, labels, strict=True)
    ]
    axes = (f"mean {what}, million USD", f"mean {what} of the dearest {share} of futures, million USD")
    finding = finding_of(rows)
    under = (
        f"Plans of {plural(document['months'], 'month')} from {document['start']}, each proven best for the weight of "
        "the tail beside it; what opens, and how that changes from one plan to the next."
    )
    proven = sum(row["status"] == "optimal" for row in rows)
    told = f"Proven to the gap asked for: {proven} of {plural(len(rows), 'plan')}."
    rests = f"{sources(document)} {told}"
    return Picture(
        "frontier",
        figures.frontier_curve(points, axes, finding, under, rests),
        finding,
        f"A falling line of {plural(len(rows), 'plan')}, mean against tail. {finding}.",
    )


def finding_of(rows: Sequence[Document]) -> str:
    """What the smallest tail costs."""
    first, last = rows[0], rows[-1]
    less, more = first["tail_usd"] - last["tail_usd"], last["mean_usd"] - first["mean_usd"]
    if less <= 0:
        return "The plan of least mean has the least tail too"
    return f"The tail can be {millions(less)} USD smaller for {millions(more)} USD more on the mean"


def changes(rows: Sequence[Document]) -> list[str]:
    """What the first plan opens, and of each other plan what it opens more and less than the one before."""
    found: list[str] = []
    before: set[str] | None = None
    for row in rows:
        opens = {each["plant"] for each in row["open"]}
        if before is None:
            found.append(f"opens {', '.join(sorted(opens))}" if opens else "opens nothing")
        else:
            more, less = sorted(opens - before), sorted(before - opens)
            found.append(", ".join([*(f"+\u00a0{name}" for name in more), *(f"−\u00a0{name}" for name in less)]))
        before = opens
    return found
