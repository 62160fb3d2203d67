"""One entry of a list of parties, whatever file it came from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache

from ashore.parties.words import FOLDER
from ashore.tables import countries, document_of

PERSON, ENTITY, VESSEL, AIRCRAFT, UNKNOWN = "person", "entity", "vessel", "aircraft", ""
KINDS = {"individual": PERSON, "person": PERSON, "entity": ENTITY, "organization": ENTITY, "company": ENTITY}
KINDS |= {"vessel": VESSEL, "aircraft": AIRCRAFT}
BRACKETS = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an entry. weak: the list itself calls it a weak alias, or it is only letters in brackets."""

    text: str
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry. ``list`` is the code of the list, ``id`` its key there, and both together name it once.

    names: its own first. files: those it was read from.
    """

    list: str
    id: str
    source: str
    names: tuple[Name, ...]
    kind: str = UNKNOWN
    countries: frozenset[str] = frozenset()
    addresses: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    notice: str = ""
    start: date | None = None
    end: date | None = None
    licence_requirement: str = ""
    licence_policy: str = ""
    equipment: str = ""
    remarks: str = ""
    url: str = ""
    files: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        return self.names[0].text

    @property
    def key(self) -> tuple[str, str]:
        return self.list, self.id

    @property
    def fingerprint(self) -> str:
        """Changes when what identifies the party in the list changes; a review holds for one fingerprint."""
        parts = [self.list, self.id, *(name.text for name in self.names), *self.addresses, *self.programs]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]

    def in_force(self, on: date) -> bool:
        return (self.start is None or self.start <= on) and (self.end is None or on <= self.end)

    def with_more(self, other: Entry) -> Entry:
        """The entry with what another file says of the same one."""
        known = {name.text for name in self.names}
        names = self.names + tuple(name for name in other.names if name.text not in known)
        return replace(
            self,
            names=names,
            countries=self.countries | other.countries,
            addresses=tuple(dict.fromkeys(self.addresses + other.addresses)),
            programs=tuple(dict.fromkeys(self.programs + other.programs)),
            remarks=self.remarks or other.remarks,
            notice=self.notice or other.notice,
            files=tuple(dict.fromkeys(self.files + other.files)),
        )


def names_of(own: str, aliases: Iterable[Name] = ()) -> tuple[Name, ...]:
    """All names an entry goes by: as given, without brackets and what follows a semicolon, and letters in brackets."""
    found: dict[str, Name] = {}
    for name in (Name(own), *aliases):
        text = " ".join(name.text.split()).strip(" ;,").removeprefix("and ")
        if not text:
            continue
        head = text.partition(";")[0].strip()
        letters = [inner.strip() for inner in BRACKETS.findall(text)]
        plain = " ".join(BRACKETS.sub(" ", head).split())
        for other, weak in ((text, name.weak), (head, name.weak), (plain, name.weak)):
            if other:
                found.setdefault(other, Name(other, weak))
        for inner in letters:
            if inner.isupper() and inner.isalnum() and len(inner) > 2:
                found.setdefault(inner, Name(inner, weak=True))
    return tuple(found.values())


@cache
def _country_names() -> dict[str, str]:
    names = {name.casefold(): code for code, name in countries().items()}
    names |= {code.casefold(): code for code in countries()}
    return names | dict(document_of(FOLDER / "countries.toml")["countries"])


def country_of(text: str) -> str | None:
    """The code of a country by code or name, None if it is not known."""
    return _country_names().get(" ".join(text.casefold().replace(".", "").split()))


def countries_in(addresses: Iterable[str]) -> frozenset[str]:
    """Countries that addresses end with, each written as code or name."""
    ends = (country_of(address.rpartition(",")[2].strip()) for address in addresses)
    return frozenset(code for code in ends if code is not None)
