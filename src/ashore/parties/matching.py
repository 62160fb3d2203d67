"""How alike two names are, from 0 to 1, and which of their tokens say so.

Tokens are near if they share a key (their sound, or it with one letter left out, or its consonants) and few letters
differ. Near tokens are paired, best first; then two tokens that make up one of the other name, then initials. With
M the weight of what is paired times its likeness, W its weight, and A ≤ B the weights left over on either side::

    score = M / (W + CONFLICT A + EXTRA (B - A))

so that a word in place of another counts heavily, and a word that only one of the names has counts little. The keys
are those of the index (``index``), so that a list is searched without missing a pair that this function finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from rapidfuzz.distance import OSA

from ashore.parties.names import CONSONANTS, FULL, GENERIC, NATIVE, READ, TWICE, Form, bare, consonants, forms, sound
from ashore.parties.words import words

CONFLICT, EXTRA, EXTRA_ALONE = 1.5, 0.15, 0.5  # EXTRA_ALONE: where one full word is all that the names share
SOUNDS_SAME, SHORT_SAME, READ_SAME, CONSONANTS_SAME, NICKNAME, INITIAL_LETTER = 0.95, 0.9, 1.0, 0.9, 0.79, 0.8
SOUND_PENALTY = 0.3  # letters, on the distance of sounds
DIGITS = 12  # of a score: the same whichever name comes first
LEAST = 0.6  # likeness below which two tokens are not near
LEAST_ALONE = 0.8  # the same, where they are all that two names share
JOINED_LEAST, JOINED_PENALTY = 0.8, 0.02
READING, READINGS = 0.93, 0.84  # a reading against Latin letters; two readings against each other
MOST_JOINED = 5  # full tokens of a form up to which any two are tried as one word
SHORTEST_KEY = 3
SHORT, MIDDLE, FAR = 4, 8, 3  # lengths up to which one and two letters may differ; letters that may differ beyond
SHORTEST_JOINED = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """Tokens of the one name against tokens of the other: how alike, and the weight they share."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    likeness: float
    weight: float


@dataclass(frozen=True, slots=True)
class Match:
    """Two names compared: the score, what is paired, and what is left over on either side."""

    score: float
    pairs: tuple[Pair, ...] = ()
    ours_alone: tuple[str, ...] = ()
    theirs_alone: tuple[str, ...] = ()

    @property
    def turned(self) -> Match:
        """The same with the two names in each other's place."""
        pairs = tuple(Pair(pair.theirs, pair.ours, pair.likeness, pair.weight) for pair in self.pairs)
        return Match(self.score, pairs, self.theirs_alone, self.ours_alone)


NONE = Match(0.0)


def compare(ours: str, theirs: str) -> Match:
    """The best match of two names over their forms; the order of the two does not change the score."""
    return max((compare_forms(a, b) for a in forms(ours) for b in forms(theirs)), key=lambda m: m.score, default=NONE)


def score(ours: str, theirs: str) -> float:
    """How alike two names are, from 0 to 1."""
    return compare(ours, theirs).score


def compare_forms(ours: Form, theirs: Form, near: Near | None = None, join: bool = True) -> Match:
    """Two forms compared; nothing where neither script can be held against the other.

    near: for full tokens of ours, the likeness of every full token of theirs that is near, where that is known already;
    join: False where it is known that no two tokens of one make up one of the other.
    """
    factor = ceiling(ours, theirs)
    if not factor:
        return NONE
    open_ours, open_theirs = [True] * len(ours.tokens), [True] * len(theirs.tokens)
    pairs: list[Pair] = []
    joined = _joined(ours, theirs, pairs) if join else ()
    for places in (_single(ours, theirs, near or {}), joined, _initials(ours, theirs)):
        for likeness, i, j in places:
            if all(open_ours[n] for n in i) and all(open_theirs[n] for n in j):
                for n in i:
                    open_ours[n] = False
                for n in j:
                    open_theirs[n] = False
                share = (_mass(ours, i) + _mass(theirs, j)) / 2
                pairs.append(
                    Pair(tuple(ours.tokens[n] for n in i), tuple(theirs.tokens[n] for n in j), likeness, share)
                )
        if not (any(open_ours) and any(open_theirs)):
            break
    whole = [pair for pair in pairs if pair.weight >= FULL]
    full = sum(max(len(pair.ours), len(pair.theirs)) for pair in whole)
    if not whole or (full == 1 and whole[0].likeness < LEAST_ALONE):
        return NONE
    left = sum(weight for weight, free in zip(ours.weights, open_ours, strict=True) if free)
    right = sum(weight for weight, free in zip(theirs.weights, open_theirs, strict=True) if free)
    matched = sum(pair.weight * pair.likeness for pair in pairs)
    value = factor * total(matched, sum(pair.weight for pair in pairs), left, right, full)
    alone = [
        tuple(bare(token) for token, free in zip(form.tokens, flags, strict=True) if free)
        for form, flags in ((ours, open_ours), (theirs, open_theirs))
    ]
    return Match(round(value, DIGITS), tuple(pairs), *alone)


def total(matched: float, shared: float, left: float, right: float, full: float) -> float:
    """The score from the weights: paired times likeness, paired, left over on either side; full words paired."""
    extra = EXTRA if full > 1 else EXTRA_ALONE
    return matched / (shared + CONFLICT * min(left, right) + extra * abs(left - right))


def ceiling(ours: Form, theirs: Form) -> float:
    """Greatest score two forms can have by the scripts they are read from; 0: they cannot be compared."""
    if ours.native or theirs.native:
        return 1.0 if ours.native and theirs.native else 0.0
    return READINGS if ours.read and theirs.read else READING if ours.read or theirs.read else 1.0


@lru_cache(maxsize=100_000)
def keys(token: str) -> frozenset[str]:
    """What near tokens share."""
    plain = bare(token)
    if NATIVE.match(token) or len(plain) < SHORTEST_KEY or plain.isdigit():
        return frozenset((plain,))
    found = {plain}
    spoken = sound(plain)
    found |= {spoken} | _less_one(spoken) | _less_one(plain)
    spare = consonants(plain)
    if len(spare) >= SHORTEST_KEY:
        found |= {f"c{spare}"} | {f"c{less}" for less in _less_one(spare)}
    if token[0] == CONSONANTS and len(spare) > 1:
        found.add(f"~{spare}")
    nick = words().nicknames
    if plain in nick:
        found.add(nick[plain])
    return frozenset(found)


def _less_one(word: str) -> set[str]:
    if len(word) <= SHORTEST_KEY:
        return set()
    return {word[:n] + word[n + 1 :] for n in range(len(word))}


def cross_keys(token: str) -> set[str]:
    """What a word in Latin letters shares with words of scripts that write few vowels."""
    spare = consonants(token)
    return {f"~{spare}"} if len(spare) > 1 and token.isalpha() and token[0].isascii() else set()


@lru_cache(maxsize=400_000)
def likeness(ours: str, theirs: str) -> float:
    """How alike two tokens are, 0 where they are not near. Symmetric."""
    if ours == theirs:
        return 1.0
    a, b = bare(ours), bare(theirs)
    if NATIVE.match(a) or NATIVE.match(b) or a.isdigit() or b.isdigit() or min(len(a), len(b)) == 1:
        return 0.0
    marks = {ours[0], theirs[0]} & {READ, CONSONANTS}
    if READ in marks:  # syllables: the same or nothing
        return (
            (READ_SAME if a == b else SHORT_SAME if sound(a) == sound(b) else 0.0) if CONSONANTS not in marks else 0.0
        )
    if CONSONANTS in marks and ours[0] != theirs[0]:
        return CONSONANTS_SAME if consonants(a) == consonants(b) and len(consonants(a)) > 1 else 0.0
    nick = words().nicknames
    if nick.get(a) == b or nick.get(b) == a:
        return NICKNAME
    alike = _letters(a, b)
    return alike if alike and not keys(ours).isdisjoint(keys(theirs)) else 0.0


def _letters(a: str, b: str) -> float:
    """Likeness by letters: one may differ in up to 4, two in up to 8, three beyond; in 3 by sound only."""
    longest = max(len(a), len(b))
    plain = OSA.distance(a, b)
    spoken_a, spoken_b = sound(a), sound(b)
    if min(len(a), len(b)) <= 3:
        return SHORT_SAME if spoken_a == spoken_b and plain <= 1 else 0.0
    if spoken_a == spoken_b:
        return SOUNDS_SAME
    spoken = OSA.distance(spoken_a, spoken_b) + SOUND_PENALTY
    if min(plain, spoken) > (1 if longest <= SHORT else 2 if longest <= MIDDLE else FAR):
        return 0.0
    value = max(1 - plain / longest, 1 - spoken / max(len(spoken_a), len(spoken_b)))
    return value if value >= LEAST else 0.0


Near = Mapping[str, Mapping[str, float]]
Place = tuple[float, tuple[int, ...], tuple[int, ...]]  # likeness, places in the one form, places in the other


def _single(ours: Form, theirs: Form, near: Near) -> list[Place]:
    """Near tokens one by one, best first, heavier first among equals."""
    found: list[tuple[float, float, str, str, int, int]] = []
    for i, a in enumerate(ours.tokens):
        known = near.get(a) if ours.anchors[i] else None
        for j, b in enumerate(theirs.tokens):
            if known is not None and theirs.anchors[j]:
                alike = known.get(b, 0.0)
            elif _may_pair(ours.weights[i], theirs.weights[j]):
                alike = likeness(a, b) if a <= b else likeness(b, a)
            else:
                continue
            if alike:
                found.append((-alike, -min(ours.weights[i], theirs.weights[j]), min(a, b), max(a, b), i, j))
    return [(-minus, (i,), (j,)) for minus, _, _, _, i, j in sorted(found)]


def _may_pair(ours: float, theirs: float) -> bool:
    """Full words with full or generic ones, light words with light ones."""
    return (ours == FULL) == (theirs == FULL) or GENERIC in (ours, theirs)


def _joined(ours: Form, theirs: Form, pairs: Sequence[Pair]) -> Iterator[Place]:
    """Two full tokens left over in one form that make up one left over in the other."""
    taken_ours, taken_theirs = (
        _left(ours, (pair.ours for pair in pairs)),
        _left(theirs, (pair.theirs for pair in pairs)),
    )
    found: list[tuple[float, tuple[str, ...], tuple[int, ...], tuple[int, ...]]] = []
    for two, one, swapped in ((taken_ours, taken_theirs, False), (taken_theirs, taken_ours, True)):
        if 1 < len(two) <= MOST_JOINED:
            for j, whole in one:
                for (i, a), (k, b) in permutations(two, 2):
                    alike = joined_likeness(a, b, whole) if bare(a)[0] == bare(whole)[0] else 0.0
                    if alike:
                        places = ((j,), (i, k)) if swapped else ((i, k), (j,))
                        found.append((-alike, (whole, a, b), *places))
    for minus, _, i_s, j_s in sorted(found):
        yield -minus, i_s, j_s


def _left(form: Form, taken: Iterable[tuple[str, ...]]) -> list[tuple[int, str]]:
    gone = [token for tokens in taken for token in tokens]
    left: list[tuple[int, str]] = []
    for place, (token, anchor) in enumerate(zip(form.tokens, form.anchors, strict=True)):
        if token in gone:
            gone.remove(token)
        elif anchor and joins(token):
            left.append((place, token))
    return left


def joined_likeness(first: str, second: str, whole: str) -> float:
    """How alike two tokens written as one are to a third, 0 where they are not near."""
    both, one = bare(first) + bare(second), bare(whole)
    if abs(len(both) - len(one)) > 2 or len(one) < SHORTEST_JOINED:
        return 0.0
    if _joined_key(first, second) != _joined_key(whole):
        return 0.0
    alike = 1.0 if both == one else _letters(both, one)
    return alike - JOINED_PENALTY if alike >= JOINED_LEAST else 0.0


def joined_keys(form: Form) -> set[str]:
    """What two full tokens of a form share with one that is both written together (``whole_keys``)."""
    single = [token for token, anchor in zip(form.tokens, form.anchors, strict=True) if anchor and joins(token)]
    if not 1 < len(single) <= MOST_JOINED:
        return set()
    return {_joined_key(a, b) for a, b in permutations(single, 2) if len(bare(a)) + len(bare(b)) >= SHORTEST_JOINED - 2}


def whole_keys(token: str) -> set[str]:
    """What a token shares with two that are the same when written together."""
    return {_joined_key(token)} if joins(token) and len(bare(token)) >= SHORTEST_JOINED else set()


def joins(token: str) -> bool:
    """Whether a token can be part of a longer word: not a character, and not one without vowels."""
    return token[0] != CONSONANTS and not NATIVE.match(token)


def _joined_key(*parts: str) -> str:
    return TWICE.sub(r"\1", "".join(consonants(bare(part)) for part in parts))


def _initials(ours: Form, theirs: Form) -> Iterator[Place]:
    """A single letter and a full word that begins with it."""
    for i, a in enumerate(ours.tokens):
        for j, b in enumerate(theirs.tokens):
            if (len(a) == 1) != (len(b) == 1) and a[0] == b[0] and a[0].isalpha() and a[0].isascii():
                whole, weight = (b, theirs.weights[j]) if len(a) == 1 else (a, ours.weights[i])
                if weight == FULL and len(whole) > 1:
                    yield INITIAL_LETTER, (i,), (j,)


def _mass(form: Form, places: tuple[int, ...]) -> float:
    """The weight of one token, or of two that are one word on the other side: one word and a half."""
    most = max(form.weights[place] for place in places)
    return most * (len(places) + 1) / 2
