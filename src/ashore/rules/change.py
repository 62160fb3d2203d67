"""Changes of the law: rules end or get another rate from a day on, new ones are added, and who yields to whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from ashore.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the law: either rules matched by name get a new rate or end, or a new rule is added."""

    rule: str | None = None
    rate_ppm: int | None = None
    start: date | None = None
    until: date | None = None
    new: Rule | None = None


def wired(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules with two kinds of yielding written out: column rates yield to ``replace``, and to what exempts."""
    rules = tuple(rules)
    replacing = {r.provision: r.column is None for r in rules if r.kind == "replace"}
    exempting = {r.provision: r.exempts for r in rules if r.exempts}
    result = []
    for rule in rules:
        winners = set(rule.yields_to)
        if rule.column is not None:
            winners.update(p for p, outright in replacing.items() if rule.column == "column1" or outright)
        if not rule.exempts:  # what exempts does not yield to another exemption
            winners.update(p for p, names in exempting.items() if "*" in names or any(map(rule.goes_by, names)))
        winners.discard(rule.provision)
        result.append(rule if winners == set(rule.yields_to) else replace(rule, yields_to=tuple(sorted(winners))))
    return tuple(result)


def applied(rules: Iterable[Rule], changes: Iterable[Change], since: date) -> tuple[Rule, ...]:
    """The rules after the changes, each from its own day, else from ``since``."""
    rules = list(rules)
    for change in changes:
        start = change.start or since
        if change.new is not None:
            rules.append(replace(change.new, start=start))
            continue
        assert change.rule is not None
        result: list[Rule] = []
        for rule in rules:
            if rule.until <= start or not rule.goes_by(change.rule) or (rule.kind == "free" and change.until is None):
                result.append(rule)
                continue
            if rule.start < start:
                result.append(replace(rule, until=start))
            begin = max(rule.start, start)
            end = rule.until if change.until is None else change.until
            if begin < end:
                rate = rule.rate_ppm if change.rate_ppm is None else change.rate_ppm
                result.append(replace(rule, start=begin, until=end, rate_ppm=rate))
        rules = result
    return wired(rules)
