"""Terminal text of what explains a plan: shadow prices in words, break-evens, plants looked at one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ashore.report import terminal
from ashore.report.words import DASH, count, decided, listed, named, percent, usd

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
MOVES = 12  # moves shown; the JSON document has them all


def explained(out: Console, document: Document) -> None:
    """Whatever of it a document of ``ashore plan`` holds."""
    if "shadow" in document:
        _shadow(out, document)
    if "breakeven" in document:
        _breakeven(out, document["breakeven"])
    for each in document.get("why", ()):
        _why(out, each)


def _shadow(out: Console, document: Document) -> None:
    """What one more unit is worth, in words."""
    lines = steps_in_words(document["shadow_steps"], document["shadow"])
    terminal.notes(out, "One unit more", lines)
    terminal.notes(out, "Notes on one unit more", document["shadow_notes"], terminal.WARN)
    if not lines and not document["shadow_notes"]:
        terminal.notes(out, "One unit more", ["nothing binds: no capacity, supply or demand has a price"])


def steps_in_words(steps: Iterable[Document], prices: Iterable[Document]) -> list[str]:
    """A sentence for each step; names of one kind and year with the same figures share one."""
    by_key: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for row in prices:
        by_key[row["what"], row["name"], row["year"]].append(f"{row['node']} {usd(row['usd_per_unit'], 0)}")
    names: dict[tuple[str, int, str], list[str]] = {}
    for step in steps:
        own = by_key[step["what"], step["name"], step["year"]]
        by_node = f"; undiscounted, if it comes to pass: {', '.join(own)}" if len(own) > 1 else ""
        names.setdefault((step["what"], step["year"], _worth(step) + by_node), []).append(step["name"])
    begin = {"capacity": "One more unit a month of capacity at", "demand": "One more unit a month wanted of"}
    return [
        f"{begin.get(what, 'One more unit a month of')} {listed(several, 'or')} in {year} {worth}"
        for (what, year, worth), several in names.items()
    ]


def _worth(step: Document) -> str:
    """What a step saves or costs; where one less is worth something else, both."""
    price, more, less, wanted = (
        step["expected_usd"],
        step["one_more_usd"],
        step["one_less_usd"],
        step["what"] == "demand",
    )
    if more is None:
        return "cannot be served"
    verb = "saves" if not wanted else "costs" if more >= 0 else "earns"
    said = f"{verb} {usd(abs(more), 0)} USD"
    if abs(more - price) <= 0.005 * abs(price) + 0.5:
        return said
    return f"{said} (one less {'saves' if wanted else 'costs'} {usd(less, 0)}: the price of {usd(price, 0)} is a bound)"


def _breakeven(out: Console, found: Document) -> None:
    """For each rule the steps of the first decision; for two the regions of their map."""
    for ladder in found["ladders"]:
        terminal.blank(out)
        now = f" (in the plan {listed(percent(rate) for rate in ladder['now'])})" if ladder["now"] else ""
        terminal.heading(out, f"First decision by the rate of {ladder['rule']}{now}")
        rows = [
            (percent(round(step["from"], 6)), percent(round(step["until"], 6)), named(step["orders"]))
            for step in ladder["ladder"]
        ]
        terminal.table(out, (("from", "r"), ("to", "r"), ("decides", "l")), rows)
        doubt = ladder["doubt_usd"]
        proven = "" if doubt is None else f"; another decision between them could save at most {usd(doubt, 0)} USD"
        out.print(
            f"{found['decided'].capitalize()}. Flips to within {100 * found['tol']:g} points, {ladder['solved']} "
            f"solves{proven}.",
            style=terminal.QUIET,
        )
    if found["map"] is not None:
        _regions(out, found["map"])
    terminal.notes(out, "Notes on break-evens", found["notes"], terminal.WARN)


def _regions(out: Console, drawn: Document) -> None:
    """The regions of a map: how much of it each fills, and the rates it spans."""
    terminal.blank(out)
    one, other = drawn["rules"]
    terminal.heading(out, f"First decision by the rates of {one} and {other}")
    columns = (("of the map", "r"), (one, "l"), (other, "l"), ("decides", "l"))
    terminal.table(out, columns, [(row[0], *row[2:], row[1]) for row in regions_of(drawn)])
    out.print(f"To within {100 * drawn['step']:.3g} points, {drawn['solved']} solves.", style=terminal.QUIET)


def regions_of(drawn: Document) -> list[tuple[str, str, str, str]]:
    """Share of a map, what is decided, and the rates of both rules that each region spans; the largest first."""
    rates, cells = drawn["rates"], drawn["cells"]
    found = []
    for number, names in enumerate(drawn["regions"]):
        mine = [(i, j) for j, row in enumerate(cells) for i, region in enumerate(row) if region == number]
        one, other = (f"{percent(rates[min(axis)])} to {percent(rates[max(axis)])}" for axis in zip(*mine, strict=True))
        found.append((len(mine), named(names), one, other))
    found.sort(key=lambda row: -row[0])
    return [(f"{100 * fills / len(rates) ** 2:.1f} %", names, one, other) for fills, names, one, other in found]


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
        f"{row['plant']} {decided(row)} in {row['node']}, {row['date'][:7]}: "
        + ("in the plan only" if row["in_plan"] else "not in the plan")
        for row in why["orders"]
    ]
    terminal.notes(out, "Decisions that differ", lines)
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
