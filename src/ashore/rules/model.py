"""The rule book as a value: what it holds, what is in force when, and what it becomes under other law.

Everything here is data read from files, and nothing is ever changed in place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from ashore.dates import DAY
from ashore.errors import Fault, OutsideCoverage
from ashore.rules.change import Change, applied, claims_of
from ashore.rules.rule import END_OF_TIME, EVERYTHING, MAKER, PPM, Claim, Cover, Item, Requirement, Rule, Scope

__all__ = [
    "END_OF_TIME",
    "EVERYTHING",
    "MAKER",
    "PPM",
    "Claim",
    "ColumnRates",
    "Cover",
    "Doubt",
    "Fee",
    "Item",
    "Line",
    "Requirement",
    "Rule",
    "RuleBook",
    "Scope",
    "matching",
]


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
    """A user fee of one fiscal year: a share of customs value between a minimum and a maximum an entry, or flat.

    It is due if every condition of ``requires`` holds and none of ``waived_by``.
    """

    fee: str
    title: str
    rate_ppm: int
    start: date
    until: date
    minimum_cents: int | None
    maximum_cents: int | None
    flat_cents: int | None
    modes: frozenset[str] | None
    requires: tuple[Requirement, ...]
    waived_by: tuple[Requirement, ...]
    source: str
    basis: str
    confidence: str
    note: str


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
    withdrawn: tuple[Rule, ...] = ()
    known_on: date | None = None
    held_from: date | None = None
    note: str = ""
    folder: str = ""
    _memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def __repr__(self) -> str:
        return f"RuleBook({self.country}, {self.start} to {self.until}, {len(self.rules)} rules)"

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

    @cached_property
    def quotas(self) -> dict[str, tuple[Rule, ...]]:
        """The rules that wait for a quota, by its name."""
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            if rule.quota:
                found[rule.quota] = (*found.get(rule.quota, ()), rule)
        return found

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

    def yielded_to(self, on: date) -> frozenset[int]:
        """Places, among the rules in force on a day, of those that some other rule yields to."""
        key = ("yielded_to", self.interval(on))
        if key not in self._memo:
            self._memo[key] = frozenset(place for _, winners in self.in_force(on) for place in winners)
        found: frozenset[int] = self._memo[key]
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
            f"the rule book vouches for {self.start} up to, not including, {self.until}; {on} lies outside.",
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
        rules = applied(self.rules, changes, since or self.start)
        return self._with(rules=rules, claims=claims_of(rules, self.claims))

    def as_known(self, day: date) -> RuleBook:
        """The law as it was known on a day: what was published later is not there, what was struck down later is.

        Column rates and programmes have one clock only.
        """
        seen = (rule.as_known(day) for rule in (*self.rules, *self.withdrawn))
        return self._with(rules=tuple(rule for rule in seen if rule is not None), known_on=day)

    def caveats(self, on: date) -> tuple[str, ...]:
        """What a reader must know about any answer of this day: as known when, carried forward, held."""
        known = () if self.known_on is None else (f"law as it was known on {self.known_on}",)
        return known + self._carried(on)

    def _carried(self, on: date) -> tuple[str, ...]:
        if self.held_from is not None and on >= self.held_from:
            return (f"law of {self.held_from - DAY} held: the book vouches for nothing from {self.held_from} on",)
        if on >= self.observed_until:
            return (f"carried forward: the last source seen is of {self.observed_until}, nothing later was observed",)
        return ()

    def _with(self, **changes: Any) -> RuleBook:
        return replace(self, _memo={}, **changes)


def matching(rules: Sequence[Rule], name: str) -> list[Rule]:
    """The rules that go by a name; see :meth:`Rule.goes_by`."""
    return [rule for rule in rules if rule.goes_by(name)]
