"""The words of names that mean something to a comparison, from the shipped ``words.toml``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ashore.tables import document_of

FOLDER = Path(__file__).parents[1] / "data" / "screening"


@dataclass(frozen=True)
class Words:
    """Sets of words after transliteration: forms and phrases are left out of a name, the others weigh less."""

    forms: frozenset[str]
    phrases: dict[str, list[tuple[str, ...]]]  # by first word, longest first
    native_forms: re.Pattern[str]
    particles: frozenset[str]
    titles: frozenset[str]
    generic: frozenset[str]
    numbers: dict[str, str]
    tens: frozenset[str]
    same: dict[str, str]
    initialisms: dict[str, tuple[str, ...]]
    nicknames: dict[str, str]
    sounds: tuple[tuple[str, str], ...]
    consonantal: tuple[str, ...]


@cache
def words() -> Words:
    document = document_of(FOLDER / "words.toml")
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(document["phrases"].split(","), key=lambda text: -len(text.split())):
        parts = tuple(phrase.split())
        phrases.setdefault(parts[0], []).append(parts)
    numbers = document["numbers"]
    units, tens = numbers["units"].split(), numbers["tens"].split()
    known = {word: str(value) for value, word in enumerate(units)}
    known |= {word: str(10 * value) for value, word in enumerate(tens, 2)}
    known |= {word: str(value) for value, word in enumerate(numbers["ordinals"].split(), 1)}
    sound = document["sound"]
    return Words(
        forms=frozenset(document["forms"].split()),
        phrases=phrases,
        native_forms=re.compile("|".join(document["native_forms"])),
        particles=frozenset(document["particles"].split()),
        titles=frozenset(document["titles"].split()),
        generic=frozenset(document["generic"].split()),
        numbers=known,
        tens=frozenset(known[word] for word in tens),
        same=document["same"],
        initialisms={short: tuple(long.split()) for short, long in document["initialisms"].items()},
        nicknames=document["nicknames"],
        sounds=tuple((step.split(">")[0], step.split(">")[1]) for step in sound["steps"].split()),
        consonantal=tuple(sound["consonantal"]),
    )
