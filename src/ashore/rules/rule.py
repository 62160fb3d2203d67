"""One rule of the book: an article's scope, a condition on a claim, a heading in an interval.

Rates are integers in parts per million of customs value; intervals are half open ``[start, until)`` in US Eastern days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

PPM = 1_000_000
END_OF_TIME = date.max
MAKER = "maker"  # the claim that says who made the goods


class Cover(IntEnum):
    """Whether a list covers a tariff number: no, only some of its statistical suffixes, or yes."""

    NO = 0
    SUFFIX = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a product list: a tariff prefix of 2 to 10 digits, and when it is on the list."""

    prefix: str
    start: date = date.min
    until: date = END_OF_TIME
    assume: bool = False
    note: str = ""

    def holds(self, on: date) -> bool:
        return self.start <= on < self.until


@dataclass(frozen=True)
class Scope:
    """The articles a rule bears on: every article, or a list of tariff prefixes."""

    items: tuple[Item, ...] = ()
    everything: bool = False

    @cached_property
    def _by_prefix(self) -> dict[str, tuple[Item, ...]]:
        found: dict[str, tuple[Item, ...]] = {}
        for item in self.items:
            found[item.prefix] = (*found.get(item.prefix, ()), item)
        return found

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({len(item.prefix) for item in self.items}))

    @cached_property
    def _by_parent(self) -> dict[str, tuple[Item, ...]]:
        found: dict[str, tuple[Item, ...]] = {}
        for item in self.items:
            if len(item.prefix) > 8:
                found[item.prefix[:8]] = (*found.get(item.prefix[:8], ()), item)
        return found

    def covers(self, hts: str, on: date) -> tuple[Cover, bool]:
        """Whether ``hts`` (8 or 10 digits) is covered on a day, and what to assume where the suffix decides."""
        if self.everything:
            return Cover.YES, True
        for length in self._lengths:
            if length > len(hts):
                break
            for item in self._by_prefix.get(hts[:length], ()):
                if item.holds(on):
                    return Cover.YES, True
        if len(hts) == 8:
            items = [item for item in self._by_parent.get(hts, ()) if item.holds(on)]
            if items:
                return Cover.SUFFIX, any(item.assume for item in items)
        return Cover.NO, False

    @cached_property
    def dated(self) -> bool:
        """Whether any item is on the list for a time only."""
        return any(item.start > date.min or item.until < END_OF_TIME for item in self.items)

    def names(self, hts: str) -> bool:
        """Whether any item, on whatever day, is about a number of 8 or 10 digits."""
        if self.everything or any(hts[:length] in self._by_prefix for length in self._lengths if length <= len(hts)):
            return True
        return len(hts) == 8 and hts in self._by_parent

    def dates(self) -> Iterator[date]:
        for item in self.items:
            yield item.start
            yield item.until


EVERYTHING = Scope(everything=True)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a claim. ``test`` is one of is, one_of, none_of, at_least, below, before, equals."""

    claim: str
    test: str
    value: Any

    def met(self, given: Any) -> bool:
        """Whether a claim of this value meets the condition; ``None`` (not claimed) meets none but ``none_of``."""
        if given is None:
            return self.test == "none_of"
        match self.test:
            case "is" | "equals":
                return bool(given == self.value)
            case "one_of":
                return given in self.value
            case "none_of":
                return given not in self.value
            case "at_least":
                return bool(given >= self.value)
            case "below":
                return bool(given < self.value)
            case "before":
                return bool(given < self.value)
        raise ValueError(self.test)


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about the goods that a rule may need. kind: fact, election, finding or procedure.

    A fact not given is unknown and an election not made may still be made: both make an answer conditional. A finding
    of the authority, or a special procedure the importer must choose, is absent unless stated.
    """

    key: str
    type: str
    kind: str
    question: str
    assumed: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One heading in one interval: scope, origins, kind of rate, what it yields to, claims it needs, citation.

    kind: ``add`` (rate x value), ``floor`` (tops column 1 up to the rate), ``replace`` (takes the place of column 1)
    or ``free`` (no duty; what yields to it is lifted). ``portion`` names the claim that says on which share of the
    value the rule bears; ``None`` is the whole value. ``rate_ppm`` is None for free rules and for the column rules,
    whose rate stands in the schedule.

    The second clock: ``known`` is the day the version was published (None: the day it starts), ``until_known`` the day
    its end was (None: the day it ends), ``withdrawn`` the day it was undone as if it had never been.

    ``ban``: what the rule bears on may not be entered. ``quota`` names the quota the rule waits for: of all goods that
    rules with this quota bear on, ``quota_units_month`` units a month enter without it, and the rule requires the claim
    :attr:`over_quota`.
    """

    provision: str
    title: str
    authority: str
    heading: str
    kind: str
    rate_ppm: int | None
    start: date
    until: date = END_OF_TIME
    group: str = ""
    order: int = 50
    origins: frozenset[str] | None = None
    origins_except: frozenset[str] = frozenset()
    products: Scope = EVERYTHING
    products_except: Scope | None = None
    portion: str | None = None
    requires: tuple[Requirement, ...] = ()
    yields_to: tuple[str, ...] = ()
    exempts: tuple[str, ...] = ()
    column: str | None = None
    known: date | None = None
    until_known: date | None = None
    withdrawn: date | None = None
    why: str = ""
    source: str = ""
    basis: str = ""
    confidence: str = ""
    note: str = ""
    ban: bool = False
    quota: str = ""
    quota_units_month: float | None = None

    @property
    def over_quota(self) -> str:
        """The claim that the goods are beyond the rule's quota; "" without a quota."""
        return f"over_quota:{self.quota}" if self.quota else ""

    def in_force(self, on: date) -> bool:
        return self.start <= on < self.until

    def bears_on(self, origin: str) -> bool:
        return (self.origins is None or origin in self.origins) and origin not in self.origins_except

    def covers(self, hts: str, on: date) -> tuple[Cover, bool]:
        cover, assume = self.products.covers(hts, on)
        if cover is Cover.NO or self.products_except is None:
            return cover, assume
        barred, bar_assumed = self.products_except.covers(hts, on)
        if barred is Cover.YES:
            return Cover.NO, False
        if barred is Cover.SUFFIX:
            return Cover.SUFFIX, assume and not bar_assumed
        return cover, assume

    def goes_by(self, name: str) -> bool:
        """Whether a name (provision, group, heading, authority, or a pattern of these) means this rule."""
        names = (self.provision, self.heading, self.group, self.authority)
        return any(name == own or (own and fnmatchcase(own, name)) for own in names)

    def as_known(self, day: date) -> Rule | None:
        """The rule as a reader of the law on ``day`` saw it: not yet, no longer, or with no end in sight."""
        if (self.known or self.start) > day or (self.withdrawn is not None and self.withdrawn <= day):
            return None
        if self.until != END_OF_TIME and (self.until_known or self.until) > day:
            return replace(self, until=END_OF_TIME)
        return self

    def dates(self) -> Iterator[date]:
        yield self.start
        yield self.until
        yield from self.products.dates()
        if self.products_except is not None:
            yield from self.products_except.dates()
