"""The documents of a rule-book folder, as their files spell them; see docs/explanation/rule-book.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

KINDS = ("add", "floor", "replace", "free")


@dataclass(slots=True)
class Version:
    """One dated version of a provision or fee."""

    from_: date
    source: str
    basis: str
    until: date | None = None
    rate: Decimal | None = None
    minimum_usd: Decimal | None = None
    maximum_usd: Decimal | None = None
    flat_usd: Decimal | None = None
    heading: str = ""
    origins: list[str] | str = ""
    confidence: str = ""
    note: str = ""
    known: date | None = None
    until_known: date | None = None
    withdrawn: date | None = None


@dataclass(slots=True)
class Requires:
    """One condition on a claim; exactly one test is given."""

    claim: str
    is_: bool | None = None
    one_of: list[str] | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    before: date | None = None
    equals: str | None = None
    heading: bool | None = None


@dataclass(slots=True)
class Provision:
    """One provision: a heading or a family of headings."""

    provision: str
    title: str
    authority: str
    kind: str = field(metadata={"choices": KINDS})
    group: str = ""
    heading: str = ""
    order: int = 50
    origins: list[str] | str = "*"
    origins_except: list[str] = field(default_factory=list)
    products: list[str] | str = "*"
    products_except: list[str] | str = ""
    portion: str = ""
    yields_to: list[str] = field(default_factory=list)
    column: str = field(default="", metadata={"choices": ("column1", "column2", "special")})
    why: str = ""
    note: str = ""
    requires: list[dict[str, Any]] = field(default_factory=list)
    version: list[dict[str, Any]] = field(default_factory=list)
    versions: str = ""
    exempts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FeeFile:
    """A user fee with its fiscal years: due if every condition of ``requires`` holds and none of ``waived_by``."""

    fee: str
    title: str
    version: list[dict[str, Any]]
    modes: list[str] | str = "*"
    requires: list[dict[str, Any]] = field(default_factory=list)
    waived_by: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""


@dataclass(slots=True)
class DoubtTable:
    """A dated open point or conflict between sources."""

    from_: date
    what: str
    until: date | None = None
    provision: str = ""
    heading: str = ""
    origins: list[str] | str = "*"
    products: list[str] | str = "*"
    sources: list[str] | str = ""


@dataclass(slots=True)
class Coverage:
    """Whose tariff this is and how far the book vouches for it."""

    country: str
    from_: date
    until: date
    observed_until: date
    note: str = ""
    doubt: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class ClaimTable:
    """One claim of claims.toml."""

    type: str = field(metadata={"choices": ("text", "yes_no", "share", "date")})
    kind: str = field(metadata={"choices": ("fact", "election", "finding", "procedure")})
    question: str
    assumed: Any = None
    note: str = ""
