"""Terminal text of what explains a plan: plants looked at one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ashore.report import terminal
from ashore.report.words import DASH, count, usd

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
MOVES = 12  # moves shown; the JSON document has them all


def explained(out: Console, document: Document) -> None:
    """Whatever of it a document of ``ashore plan`` holds."""
    for each in document.get("why", ()):
        _why(out, each)


def _why(out: Console, why: Document) -> None:
    """The sentence, the money by line, the units that move and the orders that differ."""
    terminal.blank(out)
    terminal.heading(out, f"Why {why['plant']}")
    out.print(why["sentence"])
    if why["usd"] is None:
        return
    terminal.blank(out)
    headings = [f"{line['heading'] or ''} {line['authority'] or ''}".strip() for line in why["lines"]]
    rows = [
        (line["item"], said, usd(line["plan_usd"], 0), usd(line["other_usd"], 0), f"{line['more_usd']:+,.2f}")
        for line, said in zip(why["lines"], headings, strict=True)
        if line["more_usd"]
    ]
    columns = (("cost", "L"), ("heading", "l"), ("plan USD", "r"), (f"{why['other']} USD", "r"), ("more", "r"))
    terminal.table(out, columns, rows, ("all", "", "", "", f"{why['usd']:+,.2f}"))
    _moves(out, why)
    lines = [
        f"{row['plant']} in {row['node']}, {row['date'][:7]}: "
        + ("in the plan only" if row["in_plan"] else "not in the plan")
        for row in why["orders"]
    ]
    terminal.notes(out, "Orders that differ", lines)
    terminal.notes(out, "Notes", why["notes"], terminal.WARN)


def _moves(out: Console, why: Document) -> None:
    """Units by place and product, the origins added up."""
    total: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in why["moves"]:
        both = total[row["what"], row["place"], row["product"]]
        both[0] += row["plan_units"]
        both[1] += row["other_units"]
    ranked = sorted(total.items(), key=lambda pair: -abs(pair[1][1] - pair[1][0]))
    rows = [
        (*key, count(round(plan, 2)), count(round(other, 2)), f"{other - plan:+,.0f}")
        for key, (plan, other) in ranked
        if abs(other - plan) >= 0.5
    ]
    if not rows:
        return
    terminal.blank(out)
    columns = (("units", "L"), ("place", "L"), ("product", "L"), ("plan", "r"), (why["other"], "r"), ("more", "r"))
    terminal.table(out, columns, rows[:MOVES])
    if len(rows) > MOVES:
        out.print(f"{DASH} and {len(rows) - MOVES} more; --json names each", style=terminal.QUIET)
