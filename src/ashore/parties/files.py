"""What the user states: parties, bills of materials, owners, and reviews of earlier hits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ashore.errors import Fault, raise_if
from ashore.parties.names import forms
from ashore.parties.ownership import MILLION, Share
from ashore.tables import ArrowLike, Column, Row, Table, read

SAFE, NOTE = "safe", "note"
OWNER = re.compile(r"(?P<name>.+?)\s*:\s*(?P<share>\?|[\d.]+(\s*-\s*[\d.]+)?)", re.DOTALL)

PARTIES = Table(
    "parties",
    (
        Column("name", "text"),
        Column("id", "text", required=False),
        Column("country", "country", required=False),
        Column("address", "text", required=False),
        Column("aliases", "text", required=False),
        Column("owners", "text", required=False),
    ),
)
BOM = Table(
    "bom",
    (
        Column("product", "text"),
        Column("part", "text"),
        Column("maker", "text", blank_ok=True),
        Column("country", "country", required=False),
        Column("quantity", "number", required=False, above=0),
    ),
    key=("product", "part", "maker"),
)
OWNERS = Table(
    "owners",
    (
        Column("owner", "text"),
        Column("owned", "text"),
        Column("low", "number", required=False, minimum=0, maximum=1),
        Column("high", "number", required=False, minimum=0, maximum=1),
    ),
    key=("owner", "owned"),
)
REVIEWS = Table(
    "reviews",
    (
        Column("party", "text"),
        Column("list", "text"),
        Column("id", "text"),
        Column("decision", "choice", choices=(SAFE, NOTE)),
        Column("until", "date", required=False),
        Column("reviewer", "text"),
        Column("reason", "text"),
        Column("fingerprint", "text", required=False),
    ),
)


@dataclass(frozen=True, slots=True)
class Party:
    """Whom to screen: a name, other names, and what else is known. row: its line in the file; 0: it has none."""

    name: str
    id: str = ""
    country: str | None = None
    address: str = ""
    aliases: tuple[str, ...] = ()
    row: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class PartOf:
    """A row of a bill of materials: the part, what it goes into, and who makes it ("" if nobody says)."""

    product: str
    part: str
    maker: str
    country: str | None
    row: int


@dataclass(frozen=True, slots=True)
class Review:
    """What a person decided on a hit. safe: it is set aside until the day, for as long as the entry stays as it was."""

    party: str
    list: str
    id: str
    decision: str
    until: date | None
    reviewer: str
    reason: str
    fingerprint: str

    def sets_aside(self, fingerprint: str, on: date) -> bool:
        same = not self.fingerprint or self.fingerprint == fingerprint
        return self.decision == SAFE and same and self.until is not None and on <= self.until


def identity(name: str) -> str:
    """What names of one party share: its words, whatever their order and the legal form."""
    found = forms(name)
    return " ".join(found[0].tokens) if found else name.casefold()


def read_parties(source: Path | str | ArrowLike, where: str | None = None) -> tuple[list[Party], list[Share]]:
    """Parties and the owners their rows state. Raises FaultyInput with every fault."""
    faults: list[Fault] = []
    rows, name = _rows(source, PARTIES, where, faults)
    parties: list[Party] = []
    shares: list[Share] = []
    for row in rows:
        party = Party(
            name=row["name"],
            id=row["id"] or "",
            country=row["country"],
            address=row["address"] or "",
            aliases=tuple(part.strip() for part in (row["aliases"] or "").split(";") if part.strip()),
            row=row["_row"],
        )
        for text in party.names:
            _comparable(text, name, row["_row"], "name", faults)
        parties.append(party)
        shares += _owners_in(row, party, name, faults)
    if not rows and not faults:
        faults.append(Fault(name, "The file has no party.", "Give at least one row."))
    raise_if(faults)
    return parties, shares


def read_bom(source: Path | str | ArrowLike, where: str | None = None) -> list[PartOf]:
    """Rows of a bill of materials; a part never holds itself. Raises FaultyInput with every fault."""
    faults: list[Fault] = []
    rows, name = _rows(source, BOM, where, faults)
    parts = [PartOf(r["product"], r["part"], r["maker"] or "", r["country"], r["_row"]) for r in rows]
    for part in parts:
        if part.maker:
            _comparable(part.maker, name, part.row, "maker", faults)
    into: dict[str, list[PartOf]] = {}
    for part in parts:
        into.setdefault(part.product, []).append(part)
    for part in parts:
        if _holds(into, part.part, part.product):
            what = f"'{part.product}' goes into itself."
            faults.append(Fault(name, what, "Correct the part or the product.", part.row, "part"))
    if not rows and not faults:
        faults.append(Fault(name, "The file has no part.", "Give at least one row."))
    raise_if(faults)
    return parts


def read_owners(source: Path | str | ArrowLike, where: str | None = None) -> list[Share]:
    """Shares of owners, each from ``low`` to ``high``: one of them blank is the other, both are unknown."""
    faults: list[Fault] = []
    rows, name = _rows(source, OWNERS, where, faults)
    shares: list[Share] = []
    for row in rows:
        low = row["low"] if row["low"] is not None else row["high"]
        high = row["high"] if row["high"] is not None else row["low"]
        shares += _share(row["owner"], row["owned"], low, high, name, row["_row"], faults)
    raise_if(faults)
    return shares


def read_reviews(source: Path | str | ArrowLike, where: str | None = None) -> list[Review]:
    """Decisions on earlier hits. Raises FaultyInput with every fault; a safe one must say until when."""
    faults: list[Fault] = []
    rows, name = _rows(source, REVIEWS, where, faults)
    for row in rows:
        if row["decision"] == SAFE and row["until"] is None:
            faults.append(
                Fault(name, "A safe decision has no end.", "Give the last day it holds.", row["_row"], "until")
            )
    raise_if(faults)
    keys = ("party", "list", "id", "decision", "until", "reviewer", "reason")
    return [Review(**{key: row[key] for key in keys}, fingerprint=row["fingerprint"] or "") for row in rows]


def _rows(
    source: Path | str | ArrowLike, table: Table, where: str | None, faults: list[Fault]
) -> tuple[Sequence[Row], str]:
    rows = read(source, table, faults, where)
    return rows, where or (Path(source).name if isinstance(source, Path | str) else table.name)


def _comparable(text: str, where: str, row: int, column: str | None, faults: list[Fault]) -> bool:
    """Whether a name has anything to compare; a fault if not."""
    if forms(text):
        return True
    what = f"Nothing in the name '{text}' can be compared."
    faults.append(Fault(where, what, "Write it with letters or digits.", row, column))
    return False


def _owners_in(row: Row, party: Party, where: str, faults: list[Fault]) -> list[Share]:
    """Owners as one cell states them: ``A: 0.5; B: 0.2-0.3; C: ?``."""
    shares: list[Share] = []
    for text in filter(None, (part.strip() for part in (row["owners"] or "").split(";"))):
        found = OWNER.fullmatch(text)
        low = high = None
        try:
            if found is None:
                raise ValueError
            if found["share"] != "?":
                first, _, second = found["share"].partition("-")
                low, high = float(first), float(second or first)
        except ValueError:
            what = f"'{text}' is not an owner with a share."
            remedy = "Write the owners as A: 0.5; B: 0.2-0.3; C: ?"
            faults.append(Fault(where, what, remedy, row["_row"], "owners"))
            continue
        shares += _share(found["name"], party.name, low, high, where, row["_row"], faults)
    return shares


def _share(
    owner: str, owned: str, low: float | None, high: float | None, where: str, row: int, faults: list[Fault]
) -> list[Share]:
    low, high = (0.0, 1.0) if low is None or high is None else (low, high)
    if not 0 <= low <= high <= 1:
        what = f"The share of {owner} runs from {low:g} to {high:g}."
        faults.append(Fault(where, what, "Let 0 ≤ low ≤ high ≤ 1; 25 per cent is 0.25.", row))
        return []
    if not all(_comparable(name, where, row, None, faults) for name in (owner, owned)):
        return []
    return [Share(owner, owned, round(low * MILLION), round(high * MILLION), where, row)]


def _holds(into: dict[str, list[PartOf]], product: str, wanted: str) -> bool:
    """Whether a product is, or has among its parts at any depth, the one wanted."""
    seen: set[str] = set()
    todo = [product]
    while todo:
        name = todo.pop()
        if name == wanted:
            return True
        if name not in seen:
            seen.add(name)
            todo += [part.part for part in into.get(name, [])]
    return False
