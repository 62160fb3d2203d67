"""What the rule book says of an article, origin and day, before any money: which headings bear on which share.

The answer is one of three: resolved, conditional on claims not given (with the lowest and highest case), or
unresolved. Money comes in :mod:`ashore.duties.assess`; bulk rating gathers these verdicts by signature, so the
one-line answer and the bulk answer cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import product
from operator import itemgetter
from typing import Any

from ashore.dates import DAY
from ashore.rules.model import MAKER, PPM, ColumnRates, Cover, Line, Rule, RuleBook

SUFFIX = "hts10"
SPI = "spi"
SETTLED = ("finding", "procedure")  # absent means not made, so they leave no doubt
_MOST_WORLDS = 4096
_BANNED = PPM**3  # stands for the total of a world in which the goods may not be entered; above any rate


@dataclass(frozen=True, slots=True)
class Share:
    """A heading in force: its rate and the share of the customs value it bears on, both in parts per million."""

    rule: Rule
    heading: str
    rate_ppm: int
    portion_ppm: int

    @property
    def weight(self) -> int:
        """Rate times portion, in parts per million squared."""
        return self.rate_ppm * self.portion_ppm


@dataclass(frozen=True, slots=True)
class Defeat:
    """A heading that would bear on the article but yields to another."""

    rule: Rule
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headings that bear on an article, with the cheapest and dearest case where claims are missing."""

    status: str
    shares: tuple[Share, ...] = ()
    low: tuple[Share, ...] = ()
    high: tuple[Share, ...] = ()
    defeats: tuple[Defeat, ...] = ()
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    ban: Rule | None = None  # what keeps the goods out

    @property
    def rate(self) -> float:
        """All headings together as a share of customs value (the assumed case of a conditional answer)."""
        return sum(share.weight for share in self.shares) / (PPM * PPM)


@dataclass(frozen=True, slots=True)
class _Candidate:
    place: int
    rule: Rule
    winners: tuple[int, ...]
    cover: Cover
    assume: bool
    sure: bool  # it applies whatever is claimed


class _NotAdValorem(Exception):
    """The column rate in force is not a share of value."""


def verdict(book: RuleBook, hts: str, origin: str, on: date, claims: Mapping[str, Any] | None = None) -> Verdict:
    """What bears on an article of ``hts`` (8 or 10 digits) and ``origin`` entered ``on`` a day.

    ``claims`` holds typed values (shares as ppm, dates, texts). Raises OutsideCoverage for a day the book does not
    vouch for. Memoised for each interval of the book.
    """
    book.require(on)
    hts = hts.replace(".", "")
    given = tuple(sorted((claims or {}).items()))
    key = ("verdict", hts, origin, book.interval(on), given)
    found: Verdict | None = book._memo.get(key)
    if found is None:
        found = _Question(book, hts, origin, on, dict(given)).answer()
        book._memo[key] = found
    return found


class _Question:
    """One article, origin and day, asked of a book."""

    def __init__(self, book: RuleBook, hts: str, origin: str, on: date, given: dict[str, Any]) -> None:
        self.book, self.hts, self.origin, self.on, self.given = book, hts, origin, on, given
        self.open = book.programmes_open_to(origin, on)  # every special programme; codes: those this line has
        self.codes: frozenset[str] = frozenset()
        self.rates: ColumnRates | None = None

    def answer(self) -> Verdict:
        line = self.book.lines.get(self.hts[:8])
        if line is None:
            return Verdict("unresolved", problem=f"{dotted(self.hts)} is not in the schedule of this rule book")
        if self.on >= line.valid_until:
            return Verdict("unresolved", problem=f"{dotted(self.hts)} {retired(line)}")
        self.rates = line.on(self.on)
        if self.rates is None:
            return Verdict("unresolved", problem=f"no column rates of {dotted(self.hts)} are known on {self.on}")
        self.codes = self.open & frozenset(self.rates.special)
        candidates = self._candidates()
        notes = [*self._line_notes(line), *self._doubt_notes(), *self.book.caveats(self.on)]
        assumed = {key: claim.assumed for key, claim in self.book.claims.items()} | self.given
        options = self._options(candidates)
        candidates = [candidate for candidate in candidates if self._may_apply(candidate, options, assumed)]
        notes.extend(_quota_notes(candidates, self.given))
        left = self._portions(candidates, assumed)
        ban = _ban(candidates, left)
        try:
            central = self._shares(candidates, assumed)
            cases = self._cases(candidates, options, assumed)
        except _NotAdValorem as error:
            if ban is None:
                return Verdict("unresolved", notes=tuple(notes), problem=str(error))
            cases = []
        needs = self._needs(cases)
        if ban is not None:
            problem = f"{dotted(self.hts)} of {self.origin} may not be entered: {_named(ban)} bans it"
            return Verdict("unresolved", needs=needs, notes=tuple(notes), problem=problem, ban=ban)
        low, high = assumed, assumed
        if needs:
            entered = [case for case in cases if case[0] < _BANNED]
            if len(entered) < len(cases):
                notes.append(f"it may not be entered at all for some answers to {', '.join(needs)}")
            entered.append((self._weight(candidates, left, assumed), assumed))
            low, high = (choose(entered, key=itemgetter(0))[1] for choose in (min, max))
        return Verdict(
            status="conditional" if needs else "resolved",
            shares=central,
            low=self._shares(candidates, low) if needs else central,
            high=self._shares(candidates, high) if needs else central,
            defeats=self._defeats(candidates, assumed),
            needs=needs,
            notes=tuple(notes),
        )

    # -- which rules could bear ----------------------------------------------------------------------------------
    def _candidates(self) -> list[_Candidate]:
        """The rules that bear on the origin and, suffix permitting, on the article; winners first."""
        found: list[_Candidate] = []
        places: set[int] = set()
        for place, (rule, winners) in enumerate(self.book.in_force(self.on)):
            if not self._bears(rule):
                continue
            cover, assume = rule.covers(self.hts, self.on)
            if cover is Cover.NO:
                continue
            places.add(place)
            present = tuple(winner for winner in winners if winner in places)
            sure = cover is Cover.YES and not rule.requires and rule.column != "special"
            found.append(_Candidate(place, rule, present, cover, assume, sure))
        return found

    def _may_apply(self, candidate: _Candidate, options: Mapping[str, list[Any]], assumed: Mapping[str, Any]) -> bool:
        """Whether a rule applies in any world: all it needs of claims that are settled is met."""
        if candidate.rule.column == "special" and SPI not in options and assumed.get(SPI) not in self.codes:
            return False
        return all(
            need.claim in options or need.met(self._claimed(need.claim, assumed)) for need in candidate.rule.requires
        )

    def _bears(self, rule: Rule) -> bool:
        if not rule.bears_on(self.origin) or (rule.column == "special" and not self.codes):
            return False
        return self.origin != self.book.country or rule.origins is not None or rule.column is not None

    def _applies(self, candidate: _Candidate, world: Mapping[str, Any]) -> bool:
        rule = candidate.rule
        if candidate.cover is Cover.SUFFIX:
            code = world.get(SUFFIX)
            if not (candidate.assume if code is None else rule.covers(code, self.on)[0] is Cover.YES):
                return False
        if rule.column == "special" and world.get(SPI) not in self.codes:
            return False
        return all(need.met(self._claimed(need.claim, world)) for need in rule.requires)

    def _claimed(self, key: str, world: Mapping[str, Any]) -> Any:
        """A claim's value; a special programme code counts only if it is open to the origin that day."""
        value = world.get(key)
        if key == SPI and value is not None and value not in self.open:
            return None
        return value

    # -- what they take --------------------------------------------------------------------------------------------
    def _portions(self, candidates: list[_Candidate], world: Mapping[str, Any]) -> dict[int, int]:
        """Share of the value each candidate that applies bears on, in ppm, by its place, winners first."""
        left: dict[int, int] = {}
        for candidate in candidates:
            if candidate.sure or self._applies(candidate, world):
                portion = candidate.rule.portion
                own = PPM if portion is None else int(world.get(portion) or 0)
                taken = sum(left.get(place, 0) for place in candidate.winners)
                left[candidate.place] = max(0, min(own, PPM - taken))
        return left

    def _shares(self, candidates: list[_Candidate], world: Mapping[str, Any]) -> tuple[Share, ...]:
        """The headings that bear on the article, in filing order; floors are measured against column 1."""
        left = self._portions(candidates, world)
        lifting = {place for c in candidates if c.place in left for place in c.winners}
        free_standing = self.book.yielded_to(self.on)
        base = borne = 0
        shares = []
        floors = []
        for candidate in candidates:
            rule, portion = candidate.rule, left.get(candidate.place)
            if not portion:
                continue
            if rule.kind == "free" and candidate.place not in lifting and candidate.place in free_standing:
                continue  # it lifts nothing here, and is reported only where it does
            if rule.kind == "floor":
                floors.append((rule, portion))
                continue
            rate = self._rate(rule, world)
            if rule.column is not None or rule.kind == "replace":
                base += rate * portion
                borne += portion
            shares.append(Share(rule, self._heading(rule), rate, portion))
        column1 = base // borne if borne else 0  # the rate on what is dutiable, however little of the value that is
        for rule, portion in floors:
            shares.append(Share(rule, rule.heading, max(0, (rule.rate_ppm or 0) - column1), portion))
        return tuple(sorted(shares, key=lambda share: (share.rule.order, share.heading)))

    def _cases(
        self, candidates: list[_Candidate], options: Mapping[str, list[Any]], assumed: dict[str, Any]
    ) -> list[tuple[int, dict[str, Any]]]:
        """The total in every world the missing claims allow; worlds with the same portions are weighed once."""
        weighed: dict[tuple[Any, ...], int] = {}
        cases = []
        for world in self._worlds(options, assumed):
            left = self._portions(candidates, world)
            alike = (*left.items(), world.get(SPI))
            if alike not in weighed:
                weighed[alike] = self._weight(candidates, left, world)
            cases.append((weighed[alike], world))
        return cases

    def _weight(self, candidates: list[_Candidate], left: Mapping[int, int], world: Mapping[str, Any]) -> int:
        """Total of the headings in a world, rate times portion, as :meth:`_shares` would sum to."""
        base = borne = total = 0
        floors = []
        for candidate in candidates:
            portion = left.get(candidate.place)
            rule = candidate.rule
            if not portion or rule.kind == "free":
                continue
            if rule.ban:
                return _BANNED
            if rule.kind == "floor":
                floors.append((rule.rate_ppm or 0, portion))
                continue
            rate = self._rate(rule, world)
            total += rate * portion
            if rule.column is not None or rule.kind == "replace":
                base += rate * portion
                borne += portion
        column1 = base // borne if borne else 0
        return total + sum(max(0, floor - column1) * portion for floor, portion in floors)

    def _rate(self, rule: Rule, world: Mapping[str, Any]) -> int:
        assert self.rates is not None
        if rule.rate_ppm is not None or rule.column is None:
            return rule.rate_ppm or 0
        if rule.column == "special":
            return self.rates.special[world[SPI]]
        rate = self.rates.column1 if rule.column == "column1" else self.rates.column2
        if isinstance(rate, str):
            shown = f"the specific rate {rate!r}" if rate else "an unknown rate"
            raise _NotAdValorem(f"{dotted(self.hts)} carries {shown} in {rule.title}; a quantity is needed")
        return rate

    def _heading(self, rule: Rule) -> str:
        return dotted(self.hts[:8]) if rule.column is not None else rule.heading

    def _defeats(self, candidates: list[_Candidate], world: Mapping[str, Any]) -> tuple[Defeat, ...]:
        left = self._portions(candidates, world)
        by_place = {candidate.place: candidate.rule for candidate in candidates}
        found = []
        for candidate in candidates:
            if left.get(candidate.place, 1):  # it bears, or does not apply
                continue
            place = max(candidate.winners, key=lambda place: left.get(place, 0), default=None)
            if place is not None and left.get(place):
                winner = by_place[place]
                found.append(Defeat(candidate.rule, self._heading(winner), winner.why or winner.title))
        return tuple(found)

    # -- what is not known -----------------------------------------------------------------------------------------
    def _worlds(self, options: Mapping[str, list[Any]], assumed: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Every combination of the values that claims not given could take, as far as candidates tell them apart."""
        if not options:
            return
        count = 1
        for values in options.values():
            count *= len(values)
        if count <= _MOST_WORLDS:
            for combination in product(*options.values()):
                yield assumed | dict(zip(options, combination, strict=True))
            return
        for key, values in options.items():
            for value in values:
                yield assumed | {key: value}

    def _options(self, candidates: list[_Candidate]) -> dict[str, list[Any]]:
        found: dict[str, set[Any]] = {}
        for candidate in candidates:
            rule = candidate.rule
            if candidate.cover is Cover.SUFFIX:
                found.setdefault(SUFFIX, set()).update(self._suffixes())
            if rule.column == "special":
                found.setdefault(SPI, {None}).update(self.codes)
            if rule.portion is not None:
                found.setdefault(rule.portion, set()).update((0, PPM))
            for need in rule.requires:
                values = found.setdefault(need.claim, set())
                match need.test:
                    case "is":
                        values.update((True, False))
                    case "at_least" | "below":
                        values.update((0, need.value, PPM))
                    case "before":
                        values.update((None, need.value - DAY))
                    case "one_of":
                        allowed = self.open if need.claim == SPI else need.value
                        listed = sorted(need.value & allowed)
                        values.update({None}, listed if need.claim == MAKER else listed[:1])
                    case "none_of":
                        values.update({None}, need.value)
                    case _:
                        values.update((None, need.value))
        for key in list(found):
            claim = self.book.claims.get(key)
            if key in self.given or (claim is not None and claim.kind in SETTLED) or len(found[key]) < 2:
                del found[key]
        return {key: sorted(values, key=lambda v: (v is not None, str(v))) for key, values in sorted(found.items())}

    def _suffixes(self) -> set[str]:
        """The 10-digit numbers an 8-digit entry could mean."""
        line = self.book.lines[self.hts[:8]]
        listed = {
            item.prefix
            for rule, _ in self.book.in_force(self.on)
            for scope in (rule.products, rule.products_except)
            if scope is not None
            for item in scope.items
            if len(item.prefix) == 10 and item.prefix.startswith(self.hts[:8])
        }
        return listed | {self.hts[:8] + suffix for suffix in line.suffixes}

    def _needs(self, cases: list[tuple[int, dict[str, Any]]]) -> tuple[str, ...]:
        """Claims that change the total in at least one combination of the others."""
        if not cases or min(total for total, _ in cases) == max(total for total, _ in cases):
            return ()
        first = cases[0][1]
        keys = sorted({key for _, world in cases for key, value in world.items() if value != first.get(key)})
        needs = []
        for key in keys:
            seen: dict[tuple[Any, ...], int] = {}
            for total, world in cases:
                rest = tuple(world[other] for other in keys if other != key)
                if seen.setdefault(rest, total) != total:
                    needs.append(key)
                    break
        return tuple(needs)

    # -- what the reader must know ---------------------------------------------------------------------------------
    def _line_notes(self, line: Line) -> Iterator[str]:
        if not line.valid_from <= self.on < line.valid_until and line.renumbered:
            yield (
                f"{dotted(line.hts)} is the number from {line.valid_from}; before that the article is entered "
                f"under {dotted(line.renumbered)}, at the same line's rates"
            )
        if self.origin == self.book.country:
            yield "goods of the country's own make coming back: column 1 only; chapter 98 may free them"
        spi = self.given.get(SPI)
        if spi is not None and spi not in self.codes:
            yield f"special programme {spi} gives no lower column-1 rate to this line for {self.origin} on this day"

    def _doubt_notes(self) -> Iterator[str]:
        for doubt in self.book.doubts:
            if not doubt.start <= self.on < doubt.until:
                continue
            if doubt.origins is not None and self.origin not in doubt.origins:
                continue
            if doubt.products.covers(self.hts, self.on)[0] is not Cover.NO:
                yield f"open point: {doubt.what} ({doubt.sources})"


def _ban(candidates: list[_Candidate], left: Mapping[int, int]) -> Rule | None:
    """The first ban that bears on any of the value."""
    return next((c.rule for c in candidates if c.rule.ban and left.get(c.place)), None)


def _quota_notes(candidates: list[_Candidate], given: Mapping[str, Any]) -> Iterator[str]:
    """What the quotas that may bear on the article leave open."""
    open_ = {c.rule.quota: c.rule for c in candidates if c.rule.quota and c.rule.over_quota not in given}
    for rule in open_.values():
        free = f"{rule.quota_units_month:,.6g} units a month"
        if rule.ban:
            yield f"{free} may be entered under {_named(rule)}, none beyond; how many were is not known here"
        else:
            yield f"{free} enter without {_named(rule)}; how many have is not known here, so it is assumed to bear"


def _named(rule: Rule) -> str:
    return rule.heading if rule.title in ("", rule.heading) else f"{rule.heading} ({rule.title})"


def retired(line: Line) -> str:
    """Why a number can no longer be entered, and what replaced it."""
    return f"was replaced by {dotted(line.renumbered)} on {line.valid_until}"


def dotted(hts: str) -> str:
    """8 or 10 digits as printed: 8543.70.98 or 8543.70.98.60."""
    parts = [hts[:4], hts[4:6], hts[6:8], hts[8:10]]
    return ".".join(part for part in parts if part)
