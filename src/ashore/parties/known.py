"""The lists and rules that are known, from the shipped ``lists.toml`` and ``ownership.toml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from ashore.errors import Fault, raise_if
from ashore.parties.words import FOLDER
from ashore.tables import document_of
from ashore.tables.document import read_document

UNSTATED = "unstated"

T = TypeVar("T")


@dataclass(frozen=True)
class Known:
    """A list: what follows from being on it (``hook``), the download that holds it (``within``), and where to find it.

    verified: whether this was checked against the publisher's own text.
    """

    code: str
    title: str
    owner: str
    hook: str
    source: str
    verified: bool
    within: str = ""
    at: list[str] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class State:
    """Whether a rule is in force from a day on, and whether that was verified."""

    from_: date
    in_force: bool
    verified: bool
    note: str = ""


@dataclass(frozen=True)
class ShareRule:
    """A 50 per cent rule: owners on ``lists`` who together hold ``share`` or more pass on their ``hook``."""

    rule: str
    lists: tuple[str, ...]
    share: float
    hook: str
    about: str
    source: str
    states: tuple[State, ...]

    def state(self, on: date) -> State | None:
        """The state on a day; None before the rule was made."""
        return max((state for state in self.states if state.from_ <= on), key=lambda s: s.from_, default=None)


@dataclass(frozen=True)
class _Rule:
    rule: str
    lists: list[str]
    share: Decimal
    hook: str
    about: str
    source: str
    state: list[dict[str, Any]]


@cache
def hooks() -> dict[str, str]:
    """Legal hooks by name: what each means."""
    return dict(document_of(FOLDER / "lists.toml")["hooks"])


@cache
def lists() -> dict[str, Known]:
    """Known lists by their code, in the order of the file."""
    found = _rows(Known, document_of(FOLDER / "lists.toml")["list"], "lists.toml")
    return {known.code: known for known in found}


@cache
def share_rules() -> tuple[ShareRule, ...]:
    where = "ownership.toml"
    rules: list[ShareRule] = []
    for row in _rows(_Rule, document_of(FOLDER / where)["rule"], where):
        states = tuple(_rows(State, row.state, where))
        share = float(row.share)
        rules.append(ShareRule(row.rule, tuple(row.lists), share, row.hook, row.about, row.source, states))
    return tuple(rules)


def known(code: str) -> Known:
    """The list of that code; one about which nothing is known if it is not among the shipped ones."""
    return lists().get(code) or Known(code, code, "", UNSTATED, "", verified=False)


def _rows(kind: type[T], rows: list[dict[str, Any]], where: str) -> list[T]:
    faults: list[Fault] = []
    found = [read_document(kind, row, where, faults, n) for n, row in enumerate(rows, 1)]
    raise_if(faults)
    return [row for row in found if row is not None]
