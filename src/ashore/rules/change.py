"""Changes of the law: rules end or get another rate from a day on, new ones are added, and who yields to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from ashore.rules.rule import MAKER, Claim, Requirement, Rule


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the law: rules matched by name get a new rate, ban or quota, or end; or a new rule is added.

    makers: the change is for the goods of these makers only; () for all. What is None stays as it is.
    """

    rule: str | None = None
    rate_ppm: int | None = None
    start: date | None = None
    until: date | None = None
    new: Rule | None = None
    ban: bool | None = None
    quota_units_month: float | None = None
    makers: tuple[str, ...] = ()


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
            meant, spared = of_makers(rule, change.makers)
            if spared is not None:
                result.append(replace(spared, start=begin))
            if meant is not None and begin < end:
                result.append(_changed(replace(meant, start=begin, until=end), change))
        rules = result
    return wired(rules)


def _changed(rule: Rule, change: Change) -> Rule:
    rate = rule.rate_ppm if change.rate_ppm is None else change.rate_ppm
    ban = rule.ban if change.ban is None else change.ban
    rule = replace(rule, rate_ppm=rate, ban=ban)
    if change.quota_units_month is None:
        return rule
    return with_quota(rule, change.rule or rule.heading, change.quota_units_month)


def with_quota(rule: Rule, name: str, units_month: float) -> Rule:
    """The rule with a quota of so many units a month that enter without it; none at 0."""
    requires = tuple(need for need in rule.requires if need.claim != rule.over_quota)
    if not units_month:
        return replace(rule, requires=requires, quota="", quota_units_month=None)
    rule = replace(rule, quota=name, quota_units_month=units_month)
    return replace(rule, requires=(*requires, Requirement(rule.over_quota, "is", True)))


def of_makers(rule: Rule, makers: Iterable[str]) -> tuple[Rule | None, Rule | None]:
    """The rule for the goods of these makers, and the rule for all others; None where it bears on no such goods."""
    named = frozenset(makers)
    if not named:
        return rule, None
    requires = [need for need in rule.requires if need.claim != MAKER]
    allowed, barred = None, frozenset[str]()
    for need in rule.requires:
        if need.claim == MAKER and need.test == "one_of":
            allowed = need.value
        elif need.claim == MAKER and need.test == "none_of":
            barred = need.value
    here = (named if allowed is None else named & allowed) - barred
    rest = None if allowed is None else allowed - named
    meant = Requirement(MAKER, "one_of", here)
    spared = Requirement(MAKER, "none_of", barred | named) if rest is None else Requirement(MAKER, "one_of", rest)
    return (
        replace(rule, requires=(*requires, meant)) if here else None,
        replace(rule, requires=(*requires, spared)) if rest is None or rest else None,
    )


def claims_of(rules: Iterable[Rule], known: Mapping[str, Claim]) -> dict[str, Claim]:
    """The claims with those that quotas and makers of ``rules`` ask for.

    Goods over a quota pay more, so that is assumed; over a quota beyond which nothing may enter there are none.
    """
    claims = dict(known)
    for rule in rules:
        if rule.quota:
            question = f"Do the goods exceed the quota of the month under {rule.quota}?"
            claims[rule.over_quota] = Claim(rule.over_quota, "yes_no", "fact", question, not rule.ban)
        if MAKER not in claims and any(need.claim == MAKER for need in rule.requires):
            claims[MAKER] = Claim(MAKER, "text", "fact", "Who made the goods?")
    return claims
