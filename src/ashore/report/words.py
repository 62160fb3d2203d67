"""Numbers and names as a reader wants them: shared by terminal text, figures and the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from ashore.dates import month_date

DASH = "–"
NOT_OPEN = "not open yet"  # how a route says that a maker of its parts is a candidate
STEPS = {  # what is decided on a plant, after the name of one, of several
    "open": ("opens", "open"),
    "expand": ("expands", "expand"),
    "mothball": ("is laid up", "are laid up"),
    "restart": ("runs again", "run again"),
    "close": ("closes", "close"),
}
MARKS = {  # how far a figure is known, as the data mark it, in a word
    "READ": "read in the source",
    "READ-secondary": "read second-hand",
    "DERIVED": "computed from read values",
    "INFERENCE": "inferred",
    "ESTIMATE": "estimate",
    "MEMORY": "from memory, not checked",
    "GAP": "looked for, not found",
}


def usd(amount: float | None, places: int = 2) -> str:
    """1234.5 → "1,234.50"; None → "–"."""
    return DASH if amount is None else f"{amount:,.{places}f}"


def percent(rate: float | None) -> str:
    """A share as per cent, at least one decimal and no more than it needs: 0.376 → "37.6 %", 0.003464 → "0.3464 %"."""
    if rate is None:
        return DASH
    text = f"{100 * rate:.4f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals or '0'} %"


def millions(amount: float | None) -> str:
    """USD in the unit that keeps three or four figures: "1.25 bn", "12.3 m", "950,000"."""
    if amount is None:
        return DASH
    for size, word, places in ((1e9, "bn", 3), (1e6, "m", 2)):
        if abs(amount) >= size:
            return f"{amount / size:,.{places}f} {word}"
    return f"{amount:,.0f}"


def count(units: float) -> str:
    """Units, without decimals where there are none: 1200.0 → "1,200"."""
    return f"{units:,.0f}" if abs(units - round(units)) < 0.005 or abs(units) >= 1000 else f"{units:,.2f}"


def plural(number: int, noun: str) -> str:
    """3, "route" → "3 routes"; 2, "entity" → "2 entities"."""
    if number == 1:
        return f"{number:,} {noun}"
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}" + ("es" if noun.endswith(("s", "x", "ch")) else "s")


def decided(row: Mapping[str, Any], several: bool = False) -> str:
    """What is decided on a plant, or on ``several`` each, after the name: "opens", "get 2 modules more"."""
    if row["step"] == "expand":
        return f"{'get' if several else 'gets'} {plural(row['modules'], 'module')} more"
    return STEPS[row["step"]][several]


def takes_effect(start: str, months: int, row: Mapping[str, Any]) -> str:
    """When a decision on a plant takes effect: "2027-03", "at once" for what needs no building."""
    if row["step"] not in ("open", "expand"):
        return "at once"
    return dated(start, row["ready"]) if row["ready"] < months else "after the plan"


def listed(names: Iterable[str], last: str = "and") -> str:
    """["a", "b", "c"] → "a, b and c"."""
    items = list(names)
    return f" {last} ".join(part for part in (", ".join(items[:-1]), items[-1]) if part) if items else ""


def named(names: Iterable[str]) -> str:
    """["a", "b"] → "a, b"; none of them → "nothing"."""
    return ", ".join(names) or "nothing"


def origins(rule: Mapping[str, Any]) -> str:
    """The countries a rule bears on, as its document lists them."""
    codes = rule["origins"]
    text = "all" if codes == "*" else " ".join(codes)
    barred = rule.get("origins_except") or ()
    return f"{text} except {' '.join(barred)}" if barred else text


def headings(numbers: Iterable[str]) -> str:
    """Headings, each once, those of one stem together: "9999.05.20 .21 .23"."""
    found: list[str] = []
    stem = None
    for number in dict.fromkeys(numbers):
        head, dot, tail = number.rpartition(".")
        found.append(f".{tail}" if dot and head == stem else number)
        stem = head if dot else None
    return " ".join(found)


def sources(document: Mapping[str, Any]) -> str:
    """The line under a figure of a plan's document: where its numbers come from."""
    estimates = plural(len(document["estimates"]), "estimate")
    return f"Sources: rule book and network, with {estimates} or figures from memory (--json names each)."


def known(basis: str | None) -> str:
    """How far a figure is known, in a word; "unmarked" where the data do not say."""
    return MARKS.get(basis, basis) if basis else "unmarked"


def mark(document: Mapping[str, Any]) -> str:
    """How far a figure is known, and with what confidence; nothing for what was read in its source."""
    basis, confidence = document.get("basis") or "", document.get("confidence") or ""
    if basis in ("", "READ") and confidence in ("", "high"):
        return ""
    said = known(basis)
    return f"{said}, {confidence} confidence" if confidence and confidence != "high" else said


def short(name: str) -> str:
    """A country's name without what stands in brackets."""
    return name.split(" (", maxsplit=1)[0]


def month_name(start: date, month: int) -> str:
    """A month of the plan as "2027-03"."""
    return month_date(start, month).isoformat()[:7]


def spans(months: Sequence[int]) -> list[tuple[int, int]]:
    """[0, 1, 2, 5] → [(0, 2), (5, 5)]."""
    pairs = groupby(enumerate(sorted(months)), key=lambda pair: pair[1] - pair[0])
    runs = [[month for _, month in run] for _, run in pairs]
    return [(run[0], run[-1]) for run in runs]


def dated(start: str, month: int) -> str:
    """A month of a plan that starts on an ISO day, as "2027-03"."""
    return month_name(date.fromisoformat(start), month)


def split_assumptions(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """What routes rest on: figures marked as estimates, one a line, and the rest with claims gathered."""
    from ashore.network.model import GUESSED

    claim = " depends on the claim "
    estimates: dict[str, None] = {}
    others: dict[str, None] = {}
    claims: dict[str, dict[str, None]] = {}
    for line in lines:
        what, said, name = line.partition(claim)
        if said:
            claims.setdefault(name, {})[what.removeprefix("duty on ")] = None
        elif ": " in line and GUESSED.search(line):
            estimates[line] = None
        else:
            others[line] = None
    gathered = [
        f"the claim {name}, taken as the rule book assumes it, bears on the duty on {listed(sorted(goods))}"
        for name, goods in sorted(claims.items())
    ]
    return sorted(estimates), [*others, *gathered]


def topic_of(estimate: str) -> str:
    """What a marked figure is about, from the name it begins with."""
    label = estimate.partition(":")[0]
    for word, topic in ((" made at ", "costs of making"), (" bought from ", "prices of parts")):
        if word in label:
            return topic
    first = label.split(" ", 1)[0]
    topics = {"part": "quantities", "lane": "lanes", "demand": "demand", "network": "settings"}
    return topics.get(first, f"{first}s")


def standing_in(markets: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> dict[str, str]:
    """Countries whose only market goes by another name, with that name: the market may stand for more than them."""
    return {
        code: found[0]
        for code, found in markets.items()
        if len(found) == 1 and found[0].casefold() not in (code.casefold(), names.get(code, code).casefold())
    }
