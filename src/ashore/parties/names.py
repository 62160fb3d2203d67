"""Names as sets of tokens that can be compared: transliterated, without legal forms, each token with its weight.

A name has one form, or two where it is written in Chinese characters or Hangul: its characters, and their reading.
Forms are bags: the order of words is not part of them. Tokens say what they are by their first character: ``^`` a
syllable read from a character, ``~`` a word of a script that writes few vowels, else a word in Latin letters or one
character.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ashore.parties.words import words

READ, CONSONANTS = "^", "~"
NATIVE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af]")
WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u1fff])+")
DOTTED = re.compile(r"(?<!\w)((?:\w\.){2,}\w?)(?!\w)")
POSSESSIVE = re.compile(r"(?<=\w)['’]s\b", re.IGNORECASE)
DROPPED = re.compile("['’‘`ʻʼ´ʿʾ\"“”«»\u200b-\u200f\u202a-\u202e]")
ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)", re.ASCII)
VOWELS = re.compile("[aeiouv]")
TWICE = re.compile(r"(.)\1+")
HARD_C = re.compile(r"c(?=[aou]|$)")

FULL, GENERIC, PARTICLE, NUMBER, INITIAL = 1.0, 0.35, 0.1, 0.3, 0.6
MOST_TOKENS = 40
LONGEST = 40  # letters of a token that are looked at


@dataclass(frozen=True, slots=True)
class Form:
    """A bag of tokens (sorted), the weight of each, and which of them can carry a match (``anchors``)."""

    tokens: tuple[str, ...]
    weights: tuple[float, ...]
    anchors: tuple[bool, ...]

    @property
    def native(self) -> bool:
        """Whether it holds characters themselves."""
        return any(NATIVE.match(token) for token in self.tokens)

    @property
    def read(self) -> bool:
        """Whether it holds readings of characters."""
        return any(token[0] == READ for token in self.tokens)


@lru_cache(maxsize=200_000)
def forms(name: str) -> tuple[Form, ...]:
    """The forms of a name: () if nothing of it can be compared."""
    text = unicodedata.normalize("NFKC", name)
    if not NATIVE.search(text):
        return _form(_pieces(text, characters=False))
    text = words().native_forms.sub(" ", text) if words().native_forms.sub("", text).strip() else text
    return _form(_pieces(text, characters=True)) + _form(_pieces(text, characters=False))


@lru_cache(maxsize=200_000)
def sound(word: str) -> str:
    """A word with spellings that sound alike made one: ``mohammed`` → ``mohamed``, ``khalid`` → ``halid``."""
    for spelling, plain in words().sounds:
        if spelling in word:
            word = word.replace(spelling, plain)
    return TWICE.sub(r"\1", HARD_C.sub("k", word))


@lru_cache(maxsize=200_000)
def consonants(word: str) -> str:
    """The consonants of its sound, for words that differ in vowels: ``salman``, ``selman`` → ``slmn``."""
    return VOWELS.sub("", sound(word))


def bare(token: str) -> str:
    """A token without the mark of its kind."""
    return token[1:] if token[0] in (READ, CONSONANTS) else token


def _pieces(text: str, characters: bool) -> list[str]:
    """The words of a name in small Latin letters, marked by kind. characters: keep Chinese and Hangul as they are."""
    text = DOTTED.sub(lambda found: found[1].replace(".", "") + " ", text)
    text = DROPPED.sub("", POSSESSIVE.sub("", text.replace("&", " and ")))
    found: list[str] = []
    for word in WORD.findall(text)[: 4 * MOST_TOKENS]:
        if NATIVE.search(word):
            found += _characters(word) if characters else [READ + part for part in _readings(word)]
        else:
            found += _latin(word)
    return found


def _characters(word: str) -> list[str]:
    rest = [_ascii(part) for part in NATIVE.split(word)]
    return [*NATIVE.findall(word), *(part for part in rest if part)]


def _readings(word: str) -> list[str]:
    from anyascii import anyascii

    return [part for part in (_plain(anyascii(character)) for character in word) if part]


def _latin(word: str) -> list[str]:
    plain = _ascii(word)
    if not plain:
        return []
    if word.isascii() or not _few_vowels(word):
        return [plain]
    without_article = word.removeprefix("\u0627\u0644")  # the Arabic article, written with its noun
    return [CONSONANTS + (_ascii(without_article) or plain)]


@lru_cache(maxsize=100_000)
def _ascii(word: str) -> str:
    if word.isascii():
        return _plain(word)
    from anyascii import anyascii

    return _plain(anyascii(word))


def _plain(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())[:LONGEST]


def _few_vowels(word: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(words().consonantal) for letter in word)


def _form(pieces: list[str]) -> tuple[Form, ...]:
    tokens = _without_titles(_numbered(_without_forms(pieces)))
    if not tokens:
        return ()
    tokens = sorted(tokens[:MOST_TOKENS] if len(tokens) > MOST_TOKENS else tokens)
    weights = [_weight(token) for token in tokens]
    if FULL not in weights:  # nothing but generic words: then they are all there is to compare
        weights = [
            FULL if len(bare(token)) > 1 and not token.isdigit() else weight
            for token, weight in zip(tokens, weights, strict=True)
        ]
    if FULL not in weights:
        weights = [FULL] * len(tokens)
    return (Form(tuple(tokens), tuple(weights), tuple(weight == FULL for weight in weights)),)


def _without_forms(pieces: list[str]) -> list[str]:
    """The words without legal forms; if nothing else is there, the words as they are."""
    known = words()
    kept: list[str] = []
    place = 0
    while place < len(pieces):
        for phrase in known.phrases.get(pieces[place], ()):
            if tuple(pieces[place : place + len(phrase)]) == phrase:
                place += len(phrase)
                break
        else:
            if pieces[place] not in known.forms:
                kept.append(pieces[place])
            place += 1
    return kept or pieces


def _numbered(pieces: list[str]) -> list[str]:
    """Numbers in words as digits, spellings and initialisms made one."""
    known = words()
    found: list[str] = []
    for piece in pieces:
        piece = known.same.get(piece, piece)
        ordinal = ORDINAL.fullmatch(piece)
        number = ordinal[1] if ordinal else known.numbers.get(piece, piece)
        if found and found[-1] in known.tens and len(number) == 1 and number in "123456789":
            found[-1] = str(int(found[-1]) + int(number))
        else:
            found += known.initialisms.get(number, (number,))
    return found


def _without_titles(tokens: list[str]) -> list[str]:
    return [token for token in tokens if token not in words().titles] or tokens


def _weight(token: str) -> float:
    known = words()
    if NATIVE.match(token) or token[0] in (READ, CONSONANTS):
        return FULL
    if token.isdigit():
        return NUMBER
    if token in known.particles:
        return PARTICLE
    if token in known.generic:
        return GENERIC
    return INITIAL if len(token) == 1 else FULL
