"""Parties, and parts through their makers, held against lists: evidence field by field, and what it calls for.

Nothing here says that a party is listed or that it is not. ``POTENTIAL_MATCH``: name and what else is known agree
well enough that a person must decide. ``REVIEW``: less agrees, or something speaks against it. ``NO_LIST_MATCH``:
none of the lists that were read, on the day they were made, holds a name that near; other lists and other names are
not covered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from ashore.errors import Fault, raise_if
from ashore.parties import known
from ashore.parties.entries import Entry, Name
from ashore.parties.files import PartOf, Party, Review, identity
from ashore.parties.index import matches
from ashore.parties.lists import FETCH, Lists
from ashore.parties.matching import Match
from ashore.parties.names import forms
from ashore.parties.ownership import CANNOT_EXCLUDE, MILLION, NO, YES, Reach, Share, faults_of, reached

NO_LIST_MATCH, REVIEW, POTENTIAL_MATCH = "NO_LIST_MATCH", "REVIEW", "POTENTIAL_MATCH"
OUTCOMES = (NO_LIST_MATCH, REVIEW, POTENTIAL_MATCH)  # from least to most
RANK = {outcome: rank for rank, outcome in enumerate(OUTCOMES)}
POTENTIAL_SCORE, REVIEW_SCORE = 0.85, 0.78
NEAR_SCORE = 0.70  # a name that counts if country and address agree
SAME_ADDRESS = 0.6  # share of the shorter address's words that the other has
DAYS = 30  # age of a list from which it is stale
AGREES, DIFFERS, NOT_KNOWN = "agrees", "differs", "not known"


@dataclass(frozen=True, slots=True)
class Reason:
    """What one field says: agrees, differs or is not known, and the two values."""

    field: str
    says: str
    ours: str
    theirs: str
    likeness: float | None = None


@dataclass(frozen=True)
class Hit:
    """An entry a party may be: the names that are near, the evidence, the outcome it calls for, and reviews of it."""

    entry: Entry
    ours: str
    theirs: Name
    match: Match
    outcome: str
    reasons: tuple[Reason, ...]
    reviews: tuple[Review, ...] = ()
    set_aside: bool = False


@dataclass(frozen=True, slots=True)
class Owned:
    """What a 50 per cent rule says of a party on the day."""

    rule: known.ShareRule
    state: known.State
    reach: Reach

    @property
    def outcome(self) -> str:
        answers = {YES: POTENTIAL_MATCH, CANNOT_EXCLUDE: REVIEW, NO: NO_LIST_MATCH}
        return answers[self.reach.answer] if self.state.in_force else NO_LIST_MATCH


@dataclass(frozen=True)
class Result:
    """A party with all it hits, whether set aside or not, and what the rules on owners say."""

    party: Party
    hits: tuple[Hit, ...]
    owned: tuple[Owned, ...] = ()

    @property
    def outcome(self) -> str:
        """The most that a hit that is not set aside, or an owner, calls for."""
        found = [hit.outcome for hit in self.hits if not hit.set_aside] + [owned.outcome for owned in self.owned]
        return most(found)


@dataclass(frozen=True)
class PartHit:
    """A part of a product whose maker is hit, or is not named: the way to it from the product."""

    path: tuple[str, ...]
    maker: str
    outcome: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Product:
    """A product with what it takes over from its parts; without a maker a part calls for a review."""

    name: str
    parts: tuple[PartHit, ...]

    @property
    def outcome(self) -> str:
        return most(part.outcome for part in self.parts)


@dataclass(frozen=True)
class Screening:
    """All results of one day against one set of lists."""

    on: date
    lists: Lists
    results: tuple[Result, ...]
    products: tuple[Product, ...] = ()
    notes: tuple[str, ...] = ()
    days: int = DAYS
    log: str | None = None
    counts: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        found = Counter(result.outcome for result in self.results)
        object.__setattr__(self, "counts", {outcome: found[outcome] for outcome in OUTCOMES})


def most(outcomes: Iterable[str]) -> str:
    return max(outcomes, key=RANK.__getitem__, default=NO_LIST_MATCH)


def screen(
    parties: Sequence[Party],
    lists: Lists,
    on: date,
    *,
    bom: Sequence[PartOf] = (),
    shares: Sequence[Share] = (),
    reviews: Sequence[Review] = (),
    needed: Sequence[str] = (),
    days: int = DAYS,
) -> Screening:
    """Parties, owners and makers of parts against all entries. Raises FaultyInput if a list is missing or stale."""
    raise_if([*_missing(lists, needed), *_stale(lists, on, days), *faults_of(shares)])
    screener = Screener(lists.entries, on, reviews)
    owners = _others(parties, (share.owner for share in shares))
    makers = {(part.maker, part.country): Party(part.maker, country=part.country) for part in bom if part.maker}
    results = screener.results([*parties, *owners, *makers.values()])
    own, by_owner = results[: len(parties)], results[len(parties) : len(parties) + len(owners)]
    by_maker = dict(zip(makers, results[len(parties) + len(owners) :], strict=True))
    held = _held(own, [*own, *by_owner], shares, on)
    products = tuple(_product(name, bom, by_maker) for name in _finished(bom))
    return Screening(on, lists, tuple(held), products, tuple(_notes(lists, on, shares)), days)


class Screener:
    """Entries with all their names, on one day, with the reviews that hold."""

    def __init__(self, entries: Sequence[Entry], on: date, reviews: Sequence[Review] = ()) -> None:
        self.entries, self.on = entries, on
        self._names = [(n, name) for n, entry in enumerate(entries) for name in entry.names]
        self._reviews: dict[tuple[str, str, str], list[Review]] = {}
        for review in reviews:
            self._reviews.setdefault((identity(review.party), review.list, review.id), []).append(review)

    def results(self, parties: Sequence[Party]) -> list[Result]:
        """Each party with its hits, the strongest first, one for each entry."""
        names = [(n, name) for n, party in enumerate(parties) for name in party.names]
        hits: list[dict[int, Hit]] = [{} for _ in parties]
        all_found = matches([name for _, name in names], [name.text for _, name in self._names], NEAR_SCORE)
        for (n, ours), found in zip(names, all_found, strict=True):
            for one in found:
                number, theirs = self._names[one.name]
                hit = self._hit(parties[n], ours, self.entries[number], theirs, one.match)
                held = hits[n].get(number)
                if RANK[hit.outcome] and (held is None or _order(hit) < _order(held)):
                    hits[n][number] = hit
        return [
            Result(party, tuple(sorted(map(self._reviewed(party), found.values()), key=_order)))
            for party, found in zip(parties, hits, strict=True)
        ]

    def _hit(self, party: Party, ours: str, entry: Entry, theirs: Name, match: Match) -> Hit:
        reasons = tuple(_reasons(party, ours, entry, theirs, match, self.on))
        return Hit(entry, ours, theirs, match, _outcome(match.score, reasons), reasons)

    def _reviewed(self, party: Party) -> Any:
        def with_reviews(hit: Hit) -> Hit:
            names = (identity(name) for name in (party.name, party.id) if name)
            found = tuple(r for name in names for r in self._reviews.get((name, *hit.entry.key), ()))
            aside = any(review.sets_aside(hit.entry.fingerprint, self.on) for review in found)
            return replace(hit, reviews=found, set_aside=aside) if found else hit

        return with_reviews


def _order(hit: Hit) -> tuple[float, ...]:
    """Strongest first: outcome, score, fields that agree less those that differ; then the entry."""
    agreed = sum((reason.says == AGREES) - (reason.says == DIFFERS) for reason in hit.reasons)
    return (-RANK[hit.outcome], -hit.match.score, -agreed)


def _reasons(party: Party, ours: str, entry: Entry, theirs: Name, match: Match, on: date) -> Iterator[Reason]:
    """The evidence, field by field."""
    yield Reason("name", AGREES, ours, theirs.text, match.score)
    if theirs.weak:
        yield Reason("alias", DIFFERS, "", "a weak alias: common as a name, or letters only")
    if party.country is not None:
        there = ", ".join(sorted(entry.countries))
        says = NOT_KNOWN if not there else AGREES if party.country in entry.countries else DIFFERS
        yield Reason("country", says, party.country, there)
    if party.address:
        best = max(((_shared(party.address, a), a) for a in entry.addresses), default=(0.0, ""))
        says = NOT_KNOWN if not entry.addresses else AGREES if best[0] >= SAME_ADDRESS else DIFFERS
        yield Reason("address", says, party.address, best[1], round(best[0], 3))
    if not entry.in_force(on):
        end = f"from {entry.start or '…'} to {entry.end or '…'}"
        yield Reason("dates", DIFFERS, on.isoformat(), end)


def _outcome(score: float, reasons: Iterable[Reason]) -> str:
    """What the evidence calls for.

    A score from 0.85 on is a potential match, from 0.78 on a review, from 0.70 on one if country and address agree.
    An address that agrees makes a review a potential match. A weak alias, another country (with another address), or a
    measure not in force on the day makes a potential match a review; a weak alias below 0.85 is no hit.
    """
    says = {reason.field: reason.says for reason in reasons}
    address, country = says.get("address"), says.get("country")
    if score < REVIEW_SCORE:
        return REVIEW if address == country == AGREES and "alias" not in says else NO_LIST_MATCH
    if "alias" in says:
        return REVIEW if score >= POTENTIAL_SCORE else NO_LIST_MATCH
    lowered = "dates" in says or (country == DIFFERS and address != AGREES)
    return POTENTIAL_MATCH if (score >= POTENTIAL_SCORE or address == AGREES) and not lowered else REVIEW


def _shared(ours: str, theirs: str) -> float:
    """Share of the words of the shorter address that the other has too, at least three of them."""
    a, b = ({token for form in forms(text)[:1] for token in form.tokens} for text in (ours, theirs))
    less = min(len(a), len(b))
    return len(a & b) / max(less, 3) if less else 0.0


def _missing(lists: Lists, needed: Sequence[str]) -> list[Fault]:
    return [Fault("--lists", f"The list {code} is missing.", FETCH) for code in needed if code not in lists.covered]


def _stale(lists: Lists, on: date, days: int) -> list[Fault]:
    return [
        Fault(
            file.file, f"The list is of {file.day}, {(on - file.day).days} days before {on}.", f"{AGAIN} {days} days."
        )
        for file in lists.files
        if (on - file.day).days > days
    ]


AGAIN = "Download it again, or allow older ones with --days. Lists are stale after"


def _others(parties: Sequence[Party], names: Iterable[str]) -> list[Party]:
    """Owners that are not among the parties, each once."""
    there = {identity(party.name) for party in parties}
    return list({identity(name): Party(name) for name in names if identity(name) not in there}.values())


def _held(results: Sequence[Result], all_results: Sequence[Result], shares: Sequence[Share], on: date) -> list[Result]:
    """Results with what the rules on owners say of parties whose owners are stated."""
    if not shares:
        return list(results)
    spelled = [replace(share, owner=identity(share.owner), owned=identity(share.owned)) for share in shares]
    called = {identity(name): name for share in shares for name in (share.owner, share.owned)}
    found: dict[str, list[Owned]] = {}
    for rule in known.share_rules():
        state = rule.state(on)
        if state is None:
            continue
        listed, doubtful = _on_lists(all_results, rule.lists)
        reach = reached(spelled, listed, doubtful, round(rule.share * MILLION))
        for name, one in reach.items():
            through = tuple(called[owner] for owner in one.through)
            found.setdefault(name, []).append(Owned(rule, state, replace(one, through=through)))
    return [replace(result, owned=tuple(found.get(identity(result.party.name), ()))) for result in results]


def _on_lists(results: Sequence[Result], codes: Sequence[str]) -> tuple[set[str], set[str]]:
    """Parties with a potential match on one of the lists, and those with one to be reviewed."""
    sure: set[str] = set()
    perhaps: set[str] = set()
    for result in results:
        outcome = most(hit.outcome for hit in result.hits if hit.entry.list in codes and not hit.set_aside)
        (sure if outcome == POTENTIAL_MATCH else perhaps if outcome == REVIEW else set()).add(
            identity(result.party.name)
        )
    return sure, perhaps - sure


def _finished(bom: Sequence[PartOf]) -> list[str]:
    """Products that go into nothing else, in the order of the file."""
    parts = {part.part for part in bom}
    return list(dict.fromkeys(part.product for part in bom if part.product not in parts))


def _product(name: str, bom: Sequence[PartOf], by_maker: Mapping[tuple[str, str | None], Result]) -> Product:
    into: dict[str, list[PartOf]] = {}
    for part in bom:
        into.setdefault(part.product, []).append(part)
    found: list[PartHit] = []
    todo: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    while todo:
        path = todo.pop(0)
        for part in into.get(path[-1], []):
            way = (*path, part.part)
            if part.part not in seen:
                seen.add(part.part)
                todo.append(way)
            if part.maker:
                result = by_maker[part.maker, part.country]
                found.append(PartHit(way, part.maker, result.outcome, result.hits))
            else:
                found.append(PartHit(way, "", REVIEW, ()))
    return Product(name, tuple(sorted(found, key=lambda hit: -RANK[hit.outcome])))


def _notes(lists: Lists, on: date, shares: Sequence[Share]) -> Iterator[str]:
    yield "A name alone never confirms a match: outcomes are for a person to decide, with more than this evidence."
    absent = lists.absent
    if absent:
        yield f"Not screened against: {', '.join(absent)}. `ashore screen fetch` says where they are to be had."
    for file in lists.files:
        if file.day > on:
            yield f"{file.file} is of {file.day}, after {on}: parties taken off the list in between are not found."
    if any(file.shape == "OFAC entries" for file in lists.files) and not any(
        file.shape == "OFAC aliases" for file in lists.files
    ):
        yield "OFAC's file of aliases (alt.csv) is not there: aliases are those in remarks and in other lists only."
    if shares:
        for rule in known.share_rules():
            state = rule.state(on)
            if state is not None and (state.note or not state.verified):
                force = "in force" if state.in_force else "not in force"
                unsure = "" if state.verified else ", unverified"
                yield f"{rule.rule} rule: {force}{unsure}" + (f"; {state.note}." if state.note else ".")
