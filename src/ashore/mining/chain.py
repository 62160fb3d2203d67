"""What the protocol fixes: subsidy, retarget, hash price; and the shipped difficulty of every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ashore.errors import Fault, OutsideCoverage
from ashore.tables import Column, Table, rows_of

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]  # datetime64[D]

DATA = Path(__file__).parents[1] / "data" / "mining"
SATOSHI = 100_000_000  # in one BTC
FIRST_SUBSIDY = 50 * SATOSHI
HALVING_BLOCKS = 210_000
EPOCH_BLOCKS = 2016
EPOCH_SECONDS = 1_209_600  # two weeks: what an epoch should take
EPOCH_DAYS = EPOCH_SECONDS / 86_400
BLOCK_SECONDS = 600.0
HASHES = 2.0**32  # expected for one block at difficulty 1
PETA = 1e15
DAY_SECONDS = 86_400.0

EPOCHS = Table(
    "difficulty",
    (
        Column("first_block", "integer", minimum=0),
        Column("start", "date"),
        Column("difficulty", "number", minimum=1),
    ),
    key=("first_block",),
)


def subsidy_btc(height: ArrayLike) -> Floats:
    """New BTC a block: 50, halved and rounded down to the satoshi every 210,000 blocks.

    Source: Bitcoin Core, ``GetBlockSubsidy``: 50 / 2^(height div 210,000), 0 after 64 halvings.
    """
    halvings = np.minimum(np.asarray(height, dtype=np.int64) // HALVING_BLOCKS, 63)
    return np.asarray(np.right_shift(np.int64(FIRST_SUBSIDY), halvings) / SATOSHI, dtype=np.float64)


def retargeted(difficulty: ArrayLike, seconds: ArrayLike) -> Floats:
    """Difficulty of the next epoch, if this one took ``seconds``.

    D' = D · 1,209,600 / s, with s held between a quarter of two weeks and four times two weeks.
    Source: Bitcoin Core, ``CalculateNextWorkRequired``.
    """
    held = np.clip(np.asarray(seconds, dtype=np.float64), EPOCH_SECONDS / 4, EPOCH_SECONDS * 4)
    return np.asarray(difficulty, dtype=np.float64) * EPOCH_SECONDS / held


def network_ehs(difficulty: ArrayLike, block_seconds: ArrayLike = BLOCK_SECONDS) -> Floats:
    """Hash rate of the network in EH/s that finds a block every ``block_seconds``: D · 2^32 / s."""
    found = np.asarray(difficulty, dtype=np.float64) * HASHES / np.asarray(block_seconds, dtype=np.float64)
    return np.asarray(found / 1e18, dtype=np.float64)


def hashprice_usd_phd(
    difficulty: ArrayLike, subsidy_btc: ArrayLike, fees_btc: ArrayLike, price_usd: ArrayLike
) -> Floats:
    """Expected revenue of one PH/s in a day, USD.

    h = 10^15 · 86,400 / (D · 2^32) · (subsidy + fees) · price; subsidy and fees in BTC a block, price in USD a BTC.
    Source: the definition of Luxor's hash-price index, which takes the mean fees of 144 blocks.
    """
    blocks = PETA * DAY_SECONDS / (np.asarray(difficulty, dtype=np.float64) * HASHES)
    reward = np.asarray(subsidy_btc, dtype=np.float64) + np.asarray(fees_btc, dtype=np.float64)
    return np.asarray(blocks * reward * np.asarray(price_usd, dtype=np.float64), dtype=np.float64)


@dataclass(frozen=True)
class Epochs:
    """Every difficulty epoch known: first block, day it started (UTC), difficulty; one entry each, in order."""

    first_block: NDArray[np.int64]
    start: Days
    difficulty: Floats

    @property
    def until(self) -> np.datetime64:
        """First day for which no difficulty is known: two weeks after the last epoch began."""
        last: np.datetime64 = self.start[-1]
        return last + np.timedelta64(round(EPOCH_DAYS), "D")

    def difficulty_on(self, days: Days) -> Floats:
        """Difficulty on each day: that of the epoch running at its end. Raises OutsideCoverage."""
        first, last = self.start[0], self.until
        outside = days[(days < first) | (days >= last)]
        if outside.size:
            what = f"The difficulty of {outside.min()} to {outside.max()} is not among the epochs known."
            remedy = (
                f"The epochs end before {last}: give the difficulty with the series (a column difficulty, the"
                " mining/hashrate of mempool.space, or a node of your own)."
            )
            raise OutsideCoverage(Fault("difficulty", what, remedy))
        return self.difficulty[self._epoch(days)]

    def height_on(self, days: Days) -> NDArray[np.int64]:
        """Height of the chain on each day: the blocks of an epoch spread evenly over it, then 144 a day.

        The day of a halving still to come is thus a guess, which may miss by weeks.
        """
        at = self._epoch(days)
        ends = np.append(self.start[1:], self.until)
        length = np.maximum((ends[at] - self.start[at]).astype(np.int64), 1)
        share = np.maximum((days - self.start[at]).astype(np.int64), 0) / length
        return np.asarray(self.first_block[at] + (share * EPOCH_BLOCKS).astype(np.int64), dtype=np.int64)

    def _epoch(self, days: Days) -> NDArray[np.int64]:
        return np.asarray(np.maximum(np.searchsorted(self.start, days, side="right") - 1, 0), dtype=np.int64)


@cache
def epochs() -> Epochs:
    """The epochs that ship with the package, from block headers; see the file's ``source`` column."""
    rows = rows_of(DATA / "difficulty.csv", EPOCHS)
    return Epochs(
        np.array([row["first_block"] for row in rows], dtype=np.int64),
        np.array([row["start"] for row in rows], dtype="datetime64[D]"),
        np.array([row["difficulty"] for row in rows], dtype=np.float64),
    )
