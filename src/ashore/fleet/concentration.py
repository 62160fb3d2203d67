"""How concentrated shares are, and how far apart two geographies: with exact bounds for the part nobody has named.

HHI, Theil's and Gini's measures are Schur-convex: they rise whenever a larger share takes from a smaller one. So over
every way to share out a known total among at most n entities, each is least where all n are equal and greatest where
the total sits in as few of them as may be. Both ends are reached, so the bounds are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

OTHERS = 50  # entities the unnamed part may belong to, where nobody says otherwise
WHOLE = 1e-9  # by which shares may miss or exceed 1


@dataclass(frozen=True, slots=True)
class Block:
    """A total known only as the sum of at most ``entities`` shares."""

    total: float
    entities: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of 1: named ones, blocks of which the sum is known, and what is left for at most ``others`` unnamed ones.

    largest: no unnamed share is larger than this (None: any size).
    """

    named: Mapping[str, float]
    blocks: tuple[Block, ...] = ()
    others: int = OTHERS
    largest: float | None = None

    @property
    def rest(self) -> float:
        """What nobody has named."""
        left = 1 - sum(self.named.values()) - sum(block.total for block in self.blocks)
        return left if left > WHOLE else 0.0

    @property
    def fits(self) -> bool:
        """Whether the unnamed part has room: enough others, none of them too large."""
        if sum(self.named.values()) + sum(block.total for block in self.blocks) > 1 + WHOLE:
            return False
        ceiling = 1.0 if self.largest is None else self.largest
        return self.rest <= self.others * ceiling + WHOLE

    def spread(self) -> list[float]:
        """The completion with the least concentration: every block and the rest in equal shares."""
        parts = [*self.blocks, Block(self.rest, self.others if self.rest else 0)]
        equal = [block.total / block.entities for block in parts for _ in range(block.entities)]
        return [*self.named.values(), *equal]

    def gathered(self) -> list[float]:
        """The completion with the most: every block and the rest in as few entities as may be, the others with none."""
        found = list(self.named.values())
        for block in self.blocks:
            found += [block.total, *[0.0] * (block.entities - 1)]
        ceiling = self.rest if self.largest is None else self.largest
        left = self.rest
        for _ in range(self.others if left else 0):
            found.append(min(left, ceiling))
            left -= found[-1]
        return found


def hhi(shares: Iterable[float]) -> float:
    """Sum of squared shares, 0 to 10,000."""
    return 1e4 * sum(share * share for share in shares)


def theil(shares: Sequence[float]) -> float:
    """Σ s·ln(n·s): 0 where all are equal, ln n where one has everything."""
    count = len(shares)
    return sum(share * math.log(count * share) for share in shares if share > 0)


def gini(shares: Sequence[float]) -> float:
    """Σ (2i−n−1)·s / n over rising shares: 0 where all are equal, near 1 where one has everything."""
    count = len(shares)
    return sum((2 * i - count - 1) * share for i, share in enumerate(sorted(shares), 1)) / count


MEASURES: dict[str, Callable[[Sequence[float]], float]] = {"hhi": hhi, "theil": theil, "gini": gini}


def bounds(shares: Shares) -> dict[str, float]:
    """Least and greatest of each measure over every completion; theil and gini count every entity there may be."""
    low, high = shares.spread(), shares.gathered()
    found = {}
    for name, measure in MEASURES.items():
        found[f"{name}_low"], found[f"{name}_high"] = measure(low), measure(high)
    return found


def dependence(shares: Shares, home: str) -> tuple[float, float]:
    """Least and greatest share that does not come from ``home``."""
    own = shares.named.get(home)
    if own is not None:
        return 1 - own, 1 - own
    ceiling = shares.rest if shares.largest is None else min(shares.rest, shares.largest)
    return 1 - ceiling, 1.0


def dissimilarity(one: Shares, other: Shares) -> tuple[float, float]:
    """Bounds of half the summed differences of two geographies: the share that would have to move to make them alike.

    1 − Σ min(a, b). The unnamed part of each may lie in any country it does not name. The overlap is least where both
    lie where the other has nothing, greatest where each first fills what only the other names and what is left of
    both lies in the same places. Blocks are not allowed: each share must be a country's.
    """
    a, b = one.named, other.named
    both = sum(min(a[name], b[name]) for name in a.keys() & b.keys())
    into_b = min(one.rest, sum(share for name, share in b.items() if name not in a))
    into_a = min(other.rest, sum(share for name, share in a.items() if name not in b))
    together = min(one.rest - into_b, other.rest - into_a)
    return max(0.0, 1 - both - into_b - into_a - together), max(0.0, 1 - both)
