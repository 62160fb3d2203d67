"""The compiled book: tariff numbers and origins that the law cannot tell apart fall into classes.

Rules that differ only in heading and citation owe the same money, so they share a number here; which of them could
bear on an article is then a few bits, and articles with equal bits, column rates and claims have one verdict.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ashore.duties.files import Statement
from ashore.duties.verdict import SPI, Verdict, verdict
from ashore.rules.model import Cover, Rule, RuleBook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Words = NDArray[np.uint64]

Key = tuple[Hashable, ...]
_WORD = 64


@dataclass(frozen=True, slots=True)
class _Bits:
    """Bits as 64-bit words in the last axis: intervals, articles x intervals, origins; and numbers beside them."""

    force: Words
    covered: Words
    suffixed: Words
    rates: Numbers
    bears: Words
    codes: Numbers


class Classes:
    """Numbers for what a book tells apart, and the verdicts asked of it so far.

    ``hts_class`` and ``origin_class`` number tariff numbers and origins; ``verdict_number`` gives the place in
    ``verdicts`` of a class of article, a class of origin, an interval of the book and a statement.
    """

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self.verdicts: list[Verdict] = []
        self._alike = _alike(book)
        self._articles: dict[Key, int] = {}
        self._origins: dict[Key, int] = {}
        self._article: list[tuple[str, list[int], list[int], list[int]]] = []
        self._origin: list[tuple[str, int, list[int]]] = []  # country, rules, programmes
        self._hts_class: dict[str, int] = {}
        self._origin_class: dict[str, int] = {}
        self._named: dict[Hashable, int] = {}
        self._values: list[Any] = []
        self._shared: dict[tuple[int, int], int] = {}
        self._numbers: dict[Key, int] = {}
        self._likes: dict[Key, Verdict] = {}
        self._packed: tuple[tuple[int, int], _Bits] | None = None
        self._claims: dict[int, frozenset[str]] = {}

    @cached_property
    def _in_force(self) -> list[int]:
        """For each interval, the bits of the rules in force."""
        days = self.book.boundaries
        return [sum(1 << bit for bit, rule in enumerate(self._alike) if rule.in_force(day)) for day in days]

    def heard(self, claim: str) -> list[bool]:
        """For each interval, whether any rule in force listens to a claim."""
        return [claim in self._heard(bits) for bits in self._in_force]

    def hts_class(self, hts: str) -> int:
        """Class of a tariff number of the schedule."""
        found = self._hts_class.get(hts)
        if found is None:
            covered, suffixed = self._cover(hts)
            rates = self._column_rates(hts)
            key = (tuple(covered), tuple(suffixed), tuple(rates), hts if any(suffixed) else "")
            found = self._articles.setdefault(key, len(self._article))
            if found == len(self._article):
                self._article.append((hts, covered, suffixed, rates))
            self._hts_class[hts] = found
        return found

    def origin_class(self, origin: str) -> int:
        """Class of a country."""
        found = self._origin_class.get(origin)
        if found is None:
            bits = sum(1 << bit for bit, rule in enumerate(self._alike) if self._bears(rule, origin))
            codes = [self._name(self.book.programmes_open_to(origin, day)) for day in self.book.boundaries]
            found = self._origins.setdefault((bits, tuple(codes)), len(self._origin))
            if found == len(self._origin):
                self._origin.append((origin, bits, codes))
            self._origin_class[origin] = found
        return found

    def verdict_number(self, article: int, origin: int, interval: int, statement: Statement) -> int:
        """Place in ``verdicts`` of the verdict, asked of the book if it is new."""
        hts, covered, suffixed, rates = self._article[article]
        country, bears, codes = self._origin[origin]
        force = self._in_force[interval] & bears
        sure, open_ = covered[interval] & force, suffixed[interval] & force
        heard = self._claims.get(sure | open_)
        if heard is None:
            heard = self._claims[sure | open_] = self._heard(sure | open_)
        code = codes[interval] if SPI in heard else self._common(rates[interval], codes[interval])
        claims = statement.claims
        said = tuple(sorted((k, v) for k, v in claims.items() if k in heard or (k == SPI and code))) if claims else ()
        key = (sure, open_, rates[interval], code, said, article if open_ else -1)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.verdicts)
            like = (sure, open_, code, said, key[-1])
            found = self._rebased(like, rates[interval]) if not code else None
            if found is None:
                found = verdict(self.book, hts, country, self.book.boundaries[interval], dict(said))
                self._likes.setdefault(like, found)
            self.verdicts.append(found)
        return number

    def verdict_numbers(self, article: Numbers, origin: Numbers, interval: Numbers) -> Numbers:
        """:meth:`verdict_number` of many articles that state nothing, asked once for each set of bits."""
        bits = self._bits()
        force = bits.force[interval] & bits.bears[origin]
        sure, open_ = bits.covered[article, interval] & force, bits.suffixed[article, interval] & force
        rest = (bits.rates[article, interval], bits.codes[origin, interval], np.where(open_.any(axis=1), article, -1))
        rows = np.hstack([sure, open_, np.stack(rest, axis=1).astype(np.uint64)])
        _, first, place = _distinct_rows(rows)
        ask = zip(article[first].tolist(), origin[first].tolist(), interval[first].tolist(), strict=True)
        numbers = np.array([self.verdict_number(a, o, t, Statement()) for a, o, t in ask], dtype=np.int64)
        found: Numbers = numbers[place]
        return found

    def _bits(self) -> _Bits:
        """The bits of all classes so far as arrays, made anew only when classes have been added."""
        size = len(self._article), len(self._origin)
        if self._packed is None or self._packed[0] != size:
            width = -(-len(self._alike) // _WORD)
            self._packed = (
                size,
                _Bits(
                    force=_words(self._in_force, width),
                    covered=np.stack([_words(covered, width) for _, covered, _, _ in self._article]),
                    suffixed=np.stack([_words(suffixed, width) for _, _, suffixed, _ in self._article]),
                    rates=np.array([rates for *_, rates in self._article], dtype=np.int64),
                    bears=_words([bears for _, bears, _ in self._origin], width),
                    codes=np.array([codes for *_, codes in self._origin], dtype=np.int64),
                ),
            )
        return self._packed[1]

    def _rebased(self, like: Key, rates: int) -> Verdict | None:
        """The verdict on an article that differs from one seen before in its column rates only.

        None if there is none, or if column 1 decides more than its own heading: a floor, a rate not ad valorem.
        """
        seen, columns = self._likes.get(like), self._values[rates]
        if seen is None or columns is None or seen.status == "unresolved":
            return None
        by_column = {"column1": columns[0], "column2": columns[1]}
        cases = (seen.shares, seen.low, seen.high)
        if any(isinstance(rate, str) for rate in by_column.values()):
            return None
        if any(share.rule.kind == "floor" for shares in cases for share in shares):
            return None
        shares, low, high = (
            tuple(s if s.rule.column is None else replace(s, rate_ppm=by_column[s.rule.column]) for s in case)
            for case in cases
        )
        return replace(seen, shares=shares, low=low, high=high)

    # -- what the book tells apart ----------------------------------------------------------------------------------
    def _cover(self, hts: str) -> tuple[list[int], list[int]]:
        """For each interval, the bits of the rules that cover a number, and of those that its suffix decides."""
        days = self.book.boundaries
        always = {Cover.YES: 0, Cover.SUFFIX: 0}
        at_times: list[tuple[int, Rule]] = []
        for bit, rule in enumerate(self._alike):
            if not rule.products.names(hts):
                continue
            if rule.products.dated or (rule.products_except is not None and rule.products_except.dated):
                at_times.append((1 << bit, rule))
            else:
                cover = rule.covers(hts, days[0])[0]
                always[cover] = always.get(cover, 0) | 1 << bit
        covered, suffixed = [always[Cover.YES]] * len(days), [always[Cover.SUFFIX]] * len(days)
        for flag, rule in at_times:
            for place, day in enumerate(days):
                cover = rule.covers(hts, day)[0]
                covered[place] |= flag if cover is Cover.YES else 0
                suffixed[place] |= flag if cover is Cover.SUFFIX else 0
        return covered, suffixed

    def _column_rates(self, hts: str) -> list[int]:
        """For each interval, a number for the column rates of a line (all of it: dates apart, what they are)."""
        line = self.book.lines[hts[:8]]
        found = []
        for day in self.book.boundaries:
            rates = line.on(day)
            shown: Hashable = None
            if rates is not None and day < line.valid_until:
                shown = (rates.column1, rates.column2, tuple(sorted(rates.special.items())))
            found.append(self._name(shown))
        return found

    def _bears(self, rule: Rule, origin: str) -> bool:
        if origin == self.book.country and rule.origins is None and rule.column is None:
            return False
        return rule.bears_on(origin)

    def _heard(self, bits: int) -> frozenset[str]:
        heard: set[str] = set()
        for bit, rule in enumerate(self._alike):
            if bits >> bit & 1:
                heard.update(need.claim for need in rule.requires)
                heard.update({rule.portion} if rule.portion else ())
        return frozenset(heard)

    def _common(self, rates: int, codes: int) -> int:
        """A number for the special programmes that a line has and an origin may claim; 0 for none."""
        found = self._shared.get((rates, codes))
        if found is None:
            shown, open_ = self._values[rates], self._values[codes]
            both = frozenset(code for code, _ in shown[2]) & open_ if shown else frozenset()
            found = self._shared[rates, codes] = 1 + self._name(both) if both else 0
        return found

    def _name(self, value: Hashable) -> int:
        number = self._named.setdefault(value, len(self._named))
        if number == len(self._values):
            self._values.append(value)
        return number


def _alike(book: RuleBook) -> list[Rule]:
    """One rule for each group that owes the same money, with the origins of the whole group."""
    groups: dict[Key, list[Rule]] = {}
    for rule in book.rules:
        key = (
            *(rule.provision, rule.kind, rule.rate_ppm, rule.start, rule.until, rule.group, rule.order),
            *(id(rule.products), id(rule.products_except), rule.portion, rule.requires, rule.yields_to, rule.column),
            *(rule.ban, rule.quota_units_month),
        )
        groups.setdefault(key, []).append(rule)
    return [_with_origins(rules) for rules in groups.values()]


def _with_origins(rules: list[Rule]) -> Rule:
    if len(rules) == 1 or any(rule.origins is None for rule in rules):
        return rules[0]
    return replace(rules[0], origins=frozenset().union(*(rule.origins or () for rule in rules)))


def _words(bits: list[int], width: int) -> Words:
    """Big integers as rows of ``width`` 64-bit words."""
    raw = b"".join(one.to_bytes(width * 8, "little") for one in bits)
    return np.frombuffer(raw, dtype="<u8").reshape(len(bits), width).astype(np.uint64)


def _distinct_rows(rows: Words) -> tuple[Words, Numbers, Numbers]:
    """Distinct rows, where each first stands, and the place of every row among them; exact.

    Rows are told apart by a 64-bit mix of their words, which is checked; only on a clash are whole rows sorted.
    """
    mixers = np.random.default_rng(0).integers(1, 2**63, rows.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    mixed = (rows * mixers).sum(axis=1, dtype=np.uint64)
    mixed ^= mixed >> np.uint64(29)
    _, first, place = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(rows[first][place], rows):
        _, first, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return rows[first], first, place.reshape(-1)
