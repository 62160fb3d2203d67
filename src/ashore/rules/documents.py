"""The documents of a rule-book folder, as their files spell them; pydantic refuses what is not in the format."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """A table that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)


class Version(Document):
    """One dated version of a provision."""

    start: date = Field(alias="from")
    until: date | None = None
    rate: Decimal | None = None
    minimum_usd: Decimal | None = None
    maximum_usd: Decimal | None = None
    heading: str | None = None
    origins: list[str] | None = None
    source: str = Field(min_length=1)
    basis: str = Field(min_length=1)
    confidence: str = ""
    note: str = ""


class Requires(Document):
    """One condition on a claim; exactly one test is given."""

    claim: str
    is_: bool | None = Field(default=None, alias="is")
    one_of: list[str] | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    before: date | None = None
    equals: str | None = None
    heading: bool | None = None


class Provision(Document):
    """One provision: a heading or a family of headings."""

    provision: str
    title: str
    authority: str
    kind: Literal["add", "floor", "replace", "free"]
    group: str = ""
    heading: str = ""
    order: int = 50
    origins: list[str] | Literal["*"] = "*"
    origins_except: list[str] = []
    products: list[str] | str = "*"
    products_except: list[str] | str = []
    portion: str | None = None
    yields_to: list[str] = []
    column: Literal["column1", "column2", "special"] | None = None
    why: str = ""
    note: str = ""
    requires: list[Requires] = []
    version: list[Version] = []
    versions: str | None = None


class FeeFile(Document):
    """A user fee with its fiscal years."""

    fee: str
    title: str
    modes: list[str] | Literal["*"] = "*"
    waived_by: list[str] = []
    note: str = ""
    version: list[Version]


class DoubtTable(Document):
    """A dated open point or conflict between sources."""

    start: date = Field(alias="from")
    until: date | None = None
    provision: str = ""
    heading: str = ""
    origins: list[str] | Literal["*"] = "*"
    products: list[str] | str = "*"
    what: str
    sources: str | list[str] = ""


class Coverage(Document):
    """Whose tariff this is and how far the book vouches for it."""

    country: str
    start: date = Field(alias="from")
    until: date
    observed_until: date
    note: str = ""
    doubt: list[DoubtTable] = []


class ClaimTable(Document):
    """One claim of claims.toml."""

    type: Literal["text", "yes_no", "share", "date"]
    kind: Literal["fact", "election", "finding"]
    question: str
    assumed: Any = None
    note: str = ""
