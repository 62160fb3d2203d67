"""The rule book as a value: dated headings, what they bear on, what they yield to, and the claims they need.

Everything here is data read from files. Rates are integers in parts per million of customs value, intervals are
half open ``[start, until)`` in US Eastern days, and nothing is ever changed in place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ashore.errors import Fault, OutsideCoverage

if TYPE_CHECKING:
    from ashore.rules.scenario import Change

PPM = 1_000_000
END_OF_TIME = date.max


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

    def dates(self) -> Iterator[date]:
        for item in self.items:
            yield item.start
            yield item.until


EVERYTHING = Scope(everything=True)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a claim. ``test`` is one of is, one_of, at_least, below, before, equals."""

    claim: str
    test: str
    value: Any

    def met(self, given: Any) -> bool:
        """Whether a claim of this value meets the condition; ``None`` (not claimed) never does."""
        if given is None:
            return False
        match self.test:
            case "is" | "equals":
                return bool(given == self.value)
            case "one_of":
                return given in self.value
            case "at_least":
                return bool(given >= self.value)
            case "below":
                return bool(given < self.value)
            case "before":
                return bool(given < self.value)
        raise ValueError(self.test)


@dataclass(frozen=True, slots=True)
class Rule:
    """One heading in one interval: scope, origins, kind of rate, what it yields to, claims it needs, citation.

    kind: ``add`` (rate x value), ``floor`` (tops column 1 up to the rate), ``replace`` (takes the place of column 1)
    or ``free`` (no duty; what yields to it is lifted). ``portion`` names the claim that says on which share of the
    value the rule bears; ``None`` is the whole value. ``rate_ppm`` is None for free rules and for the column rules,
    whose rate stands in the schedule.
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
    why: str = ""
    source: str = ""
    basis: str = ""
    confidence: str = ""
    note: str = ""

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

    def dates(self) -> Iterator[date]:
        yield self.start
        yield self.until
        yield from self.products.dates()
        if self.products_except is not None:
            yield from self.products_except.dates()


@dataclass(frozen=True, slots=True)
class ColumnRates:
    """The rates of one tariff line in one interval: ppm, or the printed text of a rate that is not ad valorem."""

    start: date
    until: date
    column1: int | str
    column2: int | str
    special: Mapping[str, int]
    source: str
    basis: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """An 8-digit line of the schedule with its dated rates."""

    hts: str
    description: str
    role: str
    suffixes: frozenset[str]
    valid_from: date
    valid_until: date
    renumbered: str
    rates: tuple[ColumnRates, ...]

    def on(self, day: date) -> ColumnRates | None:
        for rates in self.rates:
            if rates.start <= day < rates.until:
                return rates
        return None


@dataclass(frozen=True, slots=True)
class Fee:
    """A user fee of one fiscal year: a share of customs value, with a minimum and maximum for each entry."""

    fee: str
    title: str
    rate_ppm: int
    start: date
    until: date
    minimum_cents: int | None
    maximum_cents: int | None
    modes: frozenset[str] | None
    waived_by: tuple[str, ...]
    source: str
    basis: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about the goods that a rule may need. kind: fact, election or finding."""

    key: str
    type: str
    kind: str
    question: str
    assumed: Any = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A dated conflict or an open point that shows in every answer it bears on."""

    start: date
    until: date
    what: str
    sources: str
    provision: str = ""
    origins: frozenset[str] | None = None
    products: Scope = EVERYTHING


@dataclass(frozen=True)
class RuleBook:
    """The law of one country as data, vouched for on the half-open interval ``[start, until)``."""

    country: str
    start: date
    until: date
    observed_until: date
    rules: tuple[Rule, ...]
    lines: Mapping[str, Line]
    programmes: tuple[tuple[str, frozenset[str], date, date], ...]
    fees: tuple[Fee, ...]
    claims: Mapping[str, Claim]
    countries: Mapping[str, str]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    held_from: date | None = None
    note: str = ""
    folder: str = ""
    _memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    # -- derived, once per value ------------------------------------------------------------------------------
    @cached_property
    def boundaries(self) -> tuple[date, ...]:
        """Every day inside the coverage on which anything changes, the first day included."""
        days = {self.start, self.observed_until}
        if self.held_from is not None:
            days.add(self.held_from)
        for rule in self.rules:
            days.update(rule.dates())
        for doubt in self.doubts:
            days.update((doubt.start, doubt.until))
        for line in self.lines.values():
            days.update((line.valid_from, line.valid_until))
            for rates in line.rates:
                days.update((rates.start, rates.until))
        for _, _, start, until in self.programmes:
            days.update((start, until))
        return tuple(sorted(day for day in days if self.start <= day < self.until))

    def interval(self, on: date) -> int:
        """Number of the interval between boundaries that a day falls in."""
        return bisect_right(self.boundaries, on) - 1

    @cached_property
    def _ranks(self) -> dict[str, int]:
        """Place of each provision in an order in which winners come before what yields to them."""
        from graphlib import TopologicalSorter

        named = self._named
        graph: dict[str, set[str]] = {rule.provision: set() for rule in self.rules}
        for rule in self.rules:
            for name in rule.yields_to:
                graph[rule.provision].update(named.get(name, ()))
            graph[rule.provision].discard(rule.provision)
        return {name: rank for rank, name in enumerate(TopologicalSorter(graph).static_order())}

    @cached_property
    def _named(self) -> dict[str, set[str]]:
        """Provisions by every name that others may yield to: provision, group, heading."""
        named: dict[str, set[str]] = {}
        for rule in self.rules:
            for name in (rule.provision, rule.group, rule.heading):
                if name:
                    named.setdefault(name, set()).add(rule.provision)
        return named

    def in_force(self, on: date) -> tuple[tuple[Rule, tuple[int, ...]], ...]:
        """Rules in force on a day, winners first, each with the places of the rules it yields to."""
        key = ("in_force", self.interval(on))
        if key not in self._memo:
            rank = self._ranks
            rules = sorted((r for r in self.rules if r.in_force(on)), key=lambda r: rank[r.provision])
            places: dict[str, list[int]] = {}
            for place, rule in enumerate(rules):
                for name in {rule.provision, rule.group, rule.heading} - {""}:
                    places.setdefault(name, []).append(place)
            self._memo[key] = tuple(
                (rule, tuple(sorted({p for n in rule.yields_to for p in places.get(n, ())} - {place})))
                for place, rule in enumerate(rules)
            )
        found: tuple[tuple[Rule, tuple[int, ...]], ...] = self._memo[key]
        return found

    def programmes_open_to(self, origin: str, on: date) -> frozenset[str]:
        """Codes of the special programmes that goods of an origin may claim on a day."""
        return frozenset(
            code for code, origins, start, until in self.programmes if origin in origins and start <= on < until
        )

    # -- questions of time ----------------------------------------------------------------------------------------
    def require(self, on: date, where: str = "--on", row: int | None = None) -> None:
        """Refuse a day outside the coverage, with the remedy. Raises OutsideCoverage."""
        fault = self.outside(on, where, row)
        if fault is not None:
            raise OutsideCoverage([fault])

    def outside(self, on: date, where: str = "--on", row: int | None = None) -> Fault | None:
        """The fault of asking about a day outside the coverage, or None."""
        if self.start <= on < self.until:
            return None
        if on < self.start:
            remedy = f"Ask about a day from {self.start} on; the book has nothing earlier."
        else:
            remedy = (
                f"Carry the law of the last day on with --hold {on} (in Python: book.hold(until=...)), "
                "or state what you expect in a scenario or futures file."
            )
        return Fault(
            where,
            f"the rule book vouches for {self.start} up to, not including, {self.until}; {on} lies outside",
            remedy,
            row=row,
        )

    def hold(self, until: date) -> RuleBook:
        """The same law with the end of the coverage carried on to ``until`` (exclusive)."""
        if until <= self.until:
            return self
        return self._with(until=until, held_from=self.held_from or self.until)

    def under(self, changes: Iterable[Change], since: date | None = None) -> RuleBook:
        """A new book in which the changes hold from ``since`` (or from the day each names)."""
        from ashore.rules.scenario import applied

        return self._with(rules=applied(self, tuple(changes), since))

    def caveats(self, on: date) -> tuple[str, ...]:
        """What a reader must know about any answer of this day: carried forward, held."""
        if self.held_from is not None and on >= self.held_from:
            return (
                f"law of {_day_before(self.held_from)} held: the book vouches for nothing from {self.held_from} on",
            )
        if on >= self.observed_until:
            return (f"carried forward: the last source seen is of {self.observed_until}, nothing later was observed",)
        return ()

    def _with(self, **changes: Any) -> RuleBook:
        return replace(self, _memo={}, **changes)


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def matching(rules: Sequence[Rule], name: str) -> list[Rule]:
    """The rules that go by a name; see :meth:`Rule.goes_by`."""
    return [rule for rule in rules if rule.goes_by(name)]
