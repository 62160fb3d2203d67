"""What can go wrong, said so that the reader knows where, what and what to do.

A ``Fault`` is one finding about something the user wrote. Readers collect faults in a list and raise all
of them together (``raise_if``), so that a folder is repaired in one pass. Every exception of the package
derives from ``AshoreError`` and carries its faults; the command line prints them and exits with 1.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in the input.

    where:  the file (or ``--option``) as the user knows it.
    what:   what is wrong, one sentence.
    remedy: what to do about it, one sentence.
    row:    line in the file, the header being line 1; None if the whole file is meant.
    column: the column or key, if one is meant.
    """

    where: str
    what: str
    remedy: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = self.where
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self._sentence} {self.remedy}".rstrip()

    @property
    def _sentence(self) -> str:
        """``what`` with the stop it may lack, so that the remedy begins a sentence of its own."""
        return self.what if self.what.endswith((".", "?", "!", "…")) or not self.remedy else f"{self.what}."

    def as_dict(self) -> dict[str, object]:
        """The fault as plain values, for ``--json``."""
        return {
            "where": self.where,
            "row": self.row,
            "column": self.column,
            "what": self._sentence,
            "remedy": self.remedy,
        }


class AshoreError(Exception):
    """Base of every error the package raises on purpose. ``str(e)`` is all faults, one a line."""

    faults: tuple[Fault, ...]

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[AshoreError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)

    def as_dict(self) -> dict[str, object]:
        """All faults as plain values, for ``--json``."""
        return {"error": type(self).__name__, "faults": [fault.as_dict() for fault in self.faults]}


class FaultyInput(AshoreError):
    """A file, table or option cannot be read as meant."""


class OutsideCoverage(AshoreError):
    """A date lies outside the interval the rule book vouches for."""


class Unresolved(AshoreError):
    """A question the rule book cannot answer, such as an HTS line that is not in the schedule."""


class Barred(Unresolved):
    """The goods may not be entered at all."""


class Infeasible(AshoreError):
    """The plan asked for cannot exist: demand that no plant, supply and lane can serve."""


class SolverTrouble(AshoreError):
    """The solver stopped without an answer."""


def raise_if(faults: Sequence[Fault], kind: type[AshoreError] = FaultyInput) -> None:
    """Raise ``kind`` with all ``faults`` if there are any."""
    if faults:
        raise kind(faults)


@contextmanager
def gathering(faults: list[Fault]) -> Iterator[None]:
    """Adds to ``faults`` what is wrong with the input read inside, so that other input is looked at, too."""
    try:
        yield
    except FaultyInput as error:
        faults += error.faults


def unwritable(path: Path, option: str = "--out") -> list[Fault]:
    """What keeps a file from being written, as far as it can be seen before anything is worked out."""
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            return [_unwritten(path, "Is a directory", option)]
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        return [_unwritten(path, error.strerror, option)]
    held = next(each for each in (path, *path.absolute().parents) if os.path.exists(each))
    if held != path and not os.path.isdir(held):
        return [_unwritten(path, f"{held} is no folder", option)]
    return [] if os.access(held, os.W_OK) else [_unwritten(path, "Permission denied", option)]


@contextmanager
def writing(path: Path, option: str = "--out") -> Iterator[None]:
    """Makes the folder a file is written into. Raises FaultyInput where the system refuses that, or the file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise FaultyInput(_unwritten(path, error.strerror or str(error).split("\n")[0], option)) from None


def _unwritten(path: Path, why: str | None, option: str) -> Fault:
    return Fault(str(path), f"This cannot be written ({why}).", f"Name another place{option and f' with {option}'}.")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like ``word`` (upper and lower case alike), or None if none is close."""
    names: dict[str, str] = {}
    for name in known:
        names.setdefault(name.casefold(), name)
    found = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    return names[found[0]] if found else None


def suggest(word: str, known: Iterable[str], otherwise: str) -> str:
    """A remedy for an unknown name: the nearest known one, else ``otherwise`` with the first few names."""
    names = sorted(set(known))
    near = nearest(word, names)
    if near is not None:
        return f"Did you mean '{near}'?"
    if not names:
        return otherwise
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"{otherwise} Known: {listed}."
