"""Parties held against lists: names compared with their evidence, owners, and parts through their makers.

``compare`` scores a pair of names, ``screen`` gives the outcomes. Nothing here declares anyone listed or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashore.lazy import first_use

if TYPE_CHECKING:
    from ashore.parties import answer, log
    from ashore.parties.files import PartOf, Party, Review, read_bom, read_owners, read_parties, read_reviews
    from ashore.parties.lists import Lists, read_lists
    from ashore.parties.matching import Match, compare, score
    from ashore.parties.ownership import Reach, Share, reached
    from ashore.parties.screening import NO_LIST_MATCH, POTENTIAL_MATCH, REVIEW, Screener, Screening, screen

_HOMES = {
    "Lists": "lists",
    "Match": "matching",
    "NO_LIST_MATCH": "screening",
    "POTENTIAL_MATCH": "screening",
    "PartOf": "files",
    "Party": "files",
    "REVIEW": "screening",
    "Reach": "ownership",
    "Review": "files",
    "Screener": "screening",
    "Screening": "screening",
    "Share": "ownership",
    "compare": "matching",
    "reached": "ownership",
    "read_bom": "files",
    "read_lists": "lists",
    "read_owners": "files",
    "read_parties": "files",
    "read_reviews": "files",
    "score": "matching",
    "screen": "screening",
}

__all__ = [
    "NO_LIST_MATCH",
    "POTENTIAL_MATCH",
    "REVIEW",
    "Lists",
    "Match",
    "PartOf",
    "Party",
    "Reach",
    "Review",
    "Screener",
    "Screening",
    "Share",
    "answer",
    "compare",
    "log",
    "reached",
    "read_bom",
    "read_lists",
    "read_owners",
    "read_parties",
    "read_reviews",
    "score",
    "screen",
]


def __getattr__(name: str) -> object:
    """A public name from the module that holds it, imported on first use."""
    return first_use(__name__, name, _HOMES, ("answer", "log"))


def __dir__() -> list[str]:
    return sorted(__all__)
