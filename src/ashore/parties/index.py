"""Which of many names can reach a score against a given one: all of them, found without comparing with each.

The index holds the keys of every full token (``matching.keys``) and the forms it stands in. A query's tokens lead to
near tokens, those to forms; a form is compared only if the weight of its near tokens could bring it to the least
score wanted. That bound counts light words and initials as paired, so nothing that ``compare`` finds is missed.
Whether a form is found does not depend on the other forms of the index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from ashore.parties.matching import (
    CONFLICT,
    EXTRA,
    EXTRA_ALONE,
    FAR,
    INITIAL_LETTER,
    MIDDLE,
    SHORT,
    Match,
    compare_forms,
    cross_keys,
    joined_keys,
    keys,
    likeness,
    whole_keys,
)
from ashore.parties.names import CONSONANTS, FULL, GENERIC, NATIVE, READ, Form, bare, consonants, forms, sound
from ashore.parties.words import words

MOST_HELD = 100_000  # tokens whose near ones are remembered
PIECE = 200_000  # names indexed at once
FEW = 20  # as many names of theirs to one of ours and more: ours are indexed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NOWHERE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Found:
    """One name of the index that a query matches, by its number."""

    name: int
    match: Match


def matches(ours: Sequence[str], theirs: Sequence[str], least: float) -> list[list[Found]]:
    """For each of our names what it matches of theirs (numbers in ``theirs``), best first.

    Theirs are indexed piece by piece; where ours are few, they are indexed and theirs pass by. Memory stays bounded.
    """
    found: list[list[Found]] = [[] for _ in ours]
    if len(ours) * FEW < len(theirs):
        for number, hits in enumerate(Index(ours).search(theirs, least)):
            for hit in hits:
                found[hit.name].append(Found(number, hit.match.turned))
    else:
        for first in range(0, len(theirs), PIECE):
            piece = Index(theirs[first : first + PIECE]).search(ours, least)
            for held, hits in zip(found, piece, strict=True):
                held += [Found(first + hit.name, hit.match) for hit in hits]
    return [sorted(hits, key=lambda hit: (-hit.match.score, hit.name)) for hits in found]


@dataclass(frozen=True, slots=True)
class _Near:
    """Tokens near to one, with their likeness, and the forms that hold any of them."""

    likeness: dict[str, float]
    places: Ints


NONE_NEAR = _Near({}, NOWHERE)


class Index:
    """Names by token, numbered in the order given, for ``search``."""

    def __init__(self, names: Iterable[str]) -> None:
        self._forms: list[Form] = []
        self._owner: list[int] = []
        for number, name in enumerate(names):
            found = forms(name)
            self._forms += found
            self._owner += [number] * len(found)
        places: dict[str, list[int]] = {}
        joined: list[tuple[int, int]] = []
        for place, form in enumerate(self._forms):
            for token in set(_full(form)):
                places.setdefault(token, []).append(place)
            joined += [(hash(key), place) for key in joined_keys(form)]
        self._tokens = list(places)
        self._sounds = [sound(bare(token)) for token in self._tokens]
        self._lengths = np.array([len(token) for token in self._tokens])
        short_forms = {*words().nicknames, *words().nicknames.values()}
        self._odd = np.array([token[0] in (READ, CONSONANTS) or token in short_forms for token in self._tokens], bool)
        self._starts = np.cumsum([0, *map(len, places.values())])
        self._place = np.fromiter((place for found in places.values() for place in found), dtype=np.int64)
        self._near_keys = _Lookup(
            (hash(key), n) for n, token in enumerate(self._tokens) for key in keys(token) | cross_keys(token)
        )
        self._whole = _Lookup((hash(key), n) for n, token in enumerate(self._tokens) for key in whole_keys(token))
        self._joined = _Lookup(joined)
        self._weight = _weights(self._forms)
        self._near: dict[str, _Near] = {}

    def search(self, names: Iterable[str], least: float) -> Iterator[list[Found]]:
        """For each name, in order, what it matches with a score of at least ``least``, best first, each name once."""
        for name in names:
            best: dict[int, Match] = {}
            for query in forms(name):
                near = {token: self._tokens_near(token).likeness for token in _full(query)}
                for place, join in self._candidates(query, least):
                    match = compare_forms(query, self._forms[place], near, join)
                    held = best.get(self._owner[place])
                    if match.score >= least and (held is None or match.score > held.score):
                        best[self._owner[place]] = match
            yield sorted((Found(n, match) for n, match in best.items()), key=lambda f: (-f.match.score, f.name))

    def _candidates(self, query: Form, least: float) -> Iterator[tuple[int, bool]]:
        """Forms that the query could match with at least that score, and whether two tokens may make up one."""
        full = _full(query)
        single = [near.places for near in map(self._tokens_near, full) if near.likeness]
        joined = [found for token in full if len(found := self._joined.of(whole_keys(token)))]
        joined += [self._places(n) for n in self._whole.of(joined_keys(query))]
        if not single and not joined:
            return
        together = np.unique(np.concatenate(joined)) if joined else NOWHERE
        places, counts = np.unique(np.concatenate([*single, *joined, *joined]), return_counts=True)
        bound = _bounds(_weights([query])[:, 0], self._weight[:, places], counts.astype(np.float64))
        chosen = places[bound >= least - 1e-9]
        yield from zip(chosen.tolist(), np.isin(chosen, together).tolist(), strict=True)

    def _tokens_near(self, token: str) -> _Near:
        if token not in self._near:
            if len(self._near) >= MOST_HELD:
                self._near.clear()
            wanted = keys(token) | ({f"~{consonants(bare(token))}"} if token[0] == CONSONANTS else set())
            found: dict[str, float] = {}
            parts: list[Ints] = [NOWHERE]
            for n in self._not_far(token, self._near_keys.of(wanted)):
                other = self._tokens[n]
                alike = likeness(token, other) if token <= other else likeness(other, token)
                if alike:
                    found[other] = alike
                    parts.append(self._places(n))
            self._near[token] = _Near(found, np.unique(np.concatenate(parts))) if found else NONE_NEAR
        return self._near[token]

    def _places(self, number: int) -> Ints:
        return self._place[self._starts[number] : self._starts[number + 1]]

    def _not_far(self, token: str, numbers: Ints) -> list[int]:
        """Those of the tokens whose letters or sounds are few enough apart: a coarse sieve before ``likeness``."""
        found: list[int] = numbers.tolist()
        if len(found) < 4 or token[0] in (READ, CONSONANTS) or NATIVE.match(token):
            return found
        others = [self._tokens[n] for n in found]
        longest = np.maximum(self._lengths[numbers], len(token))
        most = np.where(longest <= SHORT, 1, np.where(longest <= MIDDLE, 2, FAR))
        plain = cdist([token], others, scorer=OSA.distance, score_cutoff=FAR)[0]
        spoken = cdist([sound(token)], [self._sounds[n] for n in found], scorer=OSA.distance, score_cutoff=FAR)[0]
        near = (plain <= most) | (spoken < most) | (self._odd[numbers])
        return [n for n, kept in zip(found, near.tolist(), strict=True) if kept]


class _Lookup:
    """Numbers by hashed key, in two sorted columns."""

    def __init__(self, entries: Iterable[tuple[int, int]]) -> None:
        flat = np.fromiter((part for entry in entries for part in entry), dtype=np.int64).reshape(-1, 2)
        order = np.argsort(flat[:, 0])
        self._keys, self._numbers = flat[order, 0], flat[order, 1]
        self._known = set(self._keys.tolist())

    def of(self, wanted: Iterable[str]) -> Ints:
        """The numbers under any of the keys, each once, ascending."""
        known = [hashed for hashed in map(hash, wanted) if hashed in self._known]
        if not known:
            return NOWHERE
        hashes = np.array(known, dtype=np.int64)
        starts, ends = np.searchsorted(self._keys, hashes), np.searchsorted(self._keys, hashes, side="right")
        return np.unique(np.concatenate([self._numbers[a:b] for a, b in zip(starts, ends, strict=True)]))


def _full(form: Form) -> list[str]:
    return [token for token, anchor in zip(form.tokens, form.anchors, strict=True) if anchor]


def _weights(many: Sequence[Form]) -> Floats:
    """Rows: weight of full words, of light ones, number of generic words, of single letters. A column a form."""
    table = np.zeros((4, len(many)))
    for n, form in enumerate(many):
        for token, weight in zip(form.tokens, form.weights, strict=True):
            table[0 if weight == FULL else 1, n] += weight
            table[2, n] += weight == GENERIC
            table[3, n] += len(token) == 1 and weight != FULL
    return table


def _bounds(query: Floats, others: Floats, mass: Floats) -> Floats:
    """Greatest score by weights alone; mass: full words of the query that have a near one. See ``matching.total``."""
    full, light, generic, letters = query
    paired = mass + (light + others[1]) / 2 + (FULL + GENERIC) / 2 * (generic + others[2])
    paired += INITIAL_LETTER * FULL * (letters + others[3])
    left = np.maximum(full - mass - others[2] - others[3], 0)
    right = np.maximum(others[0] - mass - generic - letters, 0)
    extra = np.where(mass < 2 * FULL, EXTRA_ALONE, EXTRA)
    bound: Floats = paired / (paired + CONFLICT * np.minimum(left, right) + extra * np.abs(left - right))
    return bound
