"""The 50 per cent rules on shares known only from a low to a high end.

A party is reached if parties that are listed, or themselves reached, together hold the rule's share of it or more.
With low ends that set is the smallest there can be, with high ends the largest: a party in the first is reached
whatever the shares are, one outside the second never is, and of any other it cannot be excluded. Shares are whole
numbers of millionths, so that sums meet the threshold exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from ashore.errors import Fault

MILLION = 1_000_000
YES, NO, CANNOT_EXCLUDE = "yes", "no", "cannot exclude"

SumOf = Callable[["list[Share]", Collection[str]], int]


@dataclass(frozen=True, slots=True)
class Share:
    """What an owner holds of a party, in millionths, from low to high."""

    owner: str
    owned: str
    low: int
    high: int
    where: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a rule says of a party: the answer, and the share of listed and reached owners, in millionths.

    through: the owners that count, or may. unnamed: what nobody named holds at least and at most.
    """

    answer: str
    low: int
    high: int
    through: tuple[str, ...]
    unnamed: tuple[int, int]


def reached(
    shares: Iterable[Share], listed: Collection[str], doubtful: Collection[str], threshold: int
) -> dict[str, Reach]:
    """What holds for every owned party. listed: on the rule's lists; doubtful: perhaps on them.

    Names are compared as they are: give one spelling for one party.
    """
    owners: dict[str, list[Share]] = {}
    for share in shares:
        owners.setdefault(share.owned, []).append(share)
    certain, possible = set(listed), {*listed, *doubtful}
    _grow(owners, certain, threshold, _least)
    _grow(owners, possible, threshold, _most)
    found: dict[str, Reach] = {}
    for name, held in owners.items():
        low = _least(held, certain)
        high = _most(held, possible)
        answer = YES if low >= threshold else NO if high < threshold else CANNOT_EXCLUDE
        through = tuple(share.owner for share in held if share.owner in possible)
        rest = max(0, MILLION - sum(s.high for s in held)), max(0, MILLION - sum(s.low for s in held))
        found[name] = Reach(answer, low, high, through, rest)
    return found


def faults_of(shares: Iterable[Share]) -> list[Fault]:
    """Parties of which owners hold more than the whole, even at the low ends."""
    sums: dict[str, int] = {}
    last: dict[str, Share] = {}
    for share in shares:
        sums[share.owned] = sums.get(share.owned, 0) + share.low
        last[share.owned] = share
    return [
        Fault(
            last[name].where,
            f"The owners of '{name}' hold {total / MILLION:.2%} of it.",
            "Correct the shares.",
            last[name].row,
        )
        for name, total in sums.items()
        if total > MILLION
    ]


def _least(held: list[Share], inside: Collection[str]) -> int:
    return sum(share.low for share in held if share.owner in inside)


def _most(held: list[Share], inside: Collection[str]) -> int:
    """The most that owners inside can hold together: their high ends, or what the others leave at their low ends."""
    most = sum(share.high for share in held if share.owner in inside)
    return min(most, MILLION - sum(share.low for share in held if share.owner not in inside))


def _grow(owners: dict[str, list[Share]], inside: set[str], threshold: int, sum_of: SumOf) -> None:
    """Adds parties of which those inside hold the threshold, until none is left to add."""
    grown = True
    while grown:
        more = {name for name, held in owners.items() if name not in inside and sum_of(held, inside) >= threshold}
        inside |= more
        grown = bool(more)
