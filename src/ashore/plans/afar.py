"""The blocks of a large tree priced by the workers in force: each holds some of them and is sent the master's points.

Some blocks that stand together, a :class:`Lot`, travel once and are kept by a worker with the solver's models of their
shapes. A round sends each lot the point and the bases to start from and gets back the bounds that its prices prove; it
does not matter who had the lot.
"""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from ashore.plans.blocks import Blocks, select
from ashore.plans.calendar import Floats, Ints
from ashore.plans.parallel import here, spread_each
from ashore.plans.recourse import Cut, OutOfTime, Recourse

LOT = 16  # blocks that travel together
Basis = tuple[bytes, bytes]  # the status of each column and of each row, one byte each


def recourse(blocks: Blocks, deadline: float | None) -> Recourse:
    """The blocks in the solver: here, or, where workers outside this process are in force, with these."""
    return Recourse(blocks, deadline) if here().pool is None or blocks.count <= LOT else Afar(blocks, deadline)


@dataclass(frozen=True)
class Lot:
    """Blocks from ``first`` on, numbered from 0."""

    first: int
    blocks: Blocks


@dataclass(frozen=True)
class _Asked:
    """A point for some blocks of a lot, ``chosen``: values of the trunk's columns, then of the lot's ``promoted`` ones.

    prices: of the latter, as they were. bases: of each block. seconds: left, None for no limit.
    """

    x: Floats
    promoted: Ints
    prices: Floats
    chosen: Ints
    bases: list[Basis | None]
    seconds: float | None


@dataclass(frozen=True)
class _Priced:
    """What the prices of the blocks asked for prove, and the cuts that those without a solution (``failed``) demand."""

    constant: Floats
    slope: Floats
    prices: Floats
    bases: list[Basis | None]
    failed: list[int]
    demands: list[Cut]


class Afar(Recourse):
    """The blocks with the workers in force; what is asked of single blocks is still done here."""

    def __init__(self, blocks: Blocks, deadline: float | None) -> None:
        super().__init__(blocks, deadline)
        bare = replace(blocks, trunk_usd=(blocks.trunk_usd[0][:0], blocks.trunk_usd[1][:0], blocks.trunk_usd[2][:0]))
        firsts = range(0, blocks.count, LOT)
        self.lots = [Lot(k, select(bare, np.arange(k, min(k + LOT, blocks.count)))) for k in firsts]

    def solve(self, x: Floats, chosen: Ints) -> list[Cut]:
        """Solves the blocks ``chosen`` at ``x``; returns for those without a solution the cuts that demand one."""
        seconds = None if self.deadline is None else self.deadline - time.perf_counter()
        if seconds is not None and seconds <= 0:
            raise OutOfTime
        seen: dict[int, Basis | None] = {}
        groups = np.split(chosen, np.flatnonzero(np.diff(chosen // LOT)) + 1) if len(chosen) else []
        held = [np.flatnonzero(self.promoted_block // LOT == int(mine[0]) // LOT) for mine in groups]
        tasks = []
        for mine, own in zip(groups, held, strict=True):
            lot = self.lots[int(mine[0]) // LOT]
            at = np.append(x[: self.width], x[self.width + own])
            local = self.promoted[own] - self.blocks.first_column[lot.first]
            bases = [_packed(self.bases[block], seen) for block in mine.tolist()]
            tasks.append((lot, _Asked(at, local, self.promoted_price[own], mine - lot.first, bases, seconds)))
        self.failed, demands = [], []
        for mine, own, (lot, _), found in zip(groups, held, tasks, spread_each(_price, tasks), strict=True):
            good = np.isin(mine - lot.first, found.failed, invert=True)
            self.constant[mine[good]], self.slope[mine[good]] = found.constant[good], found.slope[good]
            self.promoted_price[own] = found.prices
            for block, basis in zip(mine.tolist(), found.bases, strict=True):
                self.bases[block] = basis
            self.failed += [lot.first + block for block in found.failed]
            for cut in found.demands:
                slope = np.zeros(len(x))
                slope[: self.width], slope[self.width + own] = cut.slope[: self.width], cut.slope[self.width :]
                demands.append(replace(cut, slope=slope))
            self.solved += len(mine)
        return demands

    def _run(self, block: int, low: Floats, high: Floats, lower: Floats, upper: Floats) -> Floats | None:
        if isinstance(self.bases[block], tuple):
            self.bases[block] = _unpacked(self.bases[block])
        return super()._run(block, low, high, lower, upper)


_kept: dict[int, Recourse] = {}  # of the lots in this process, by identity


def _price(lot: Lot, asked: _Asked) -> _Priced:
    own = _kept.pop(id(lot), None)
    if own is None:
        own = Recourse(lot.blocks, None)
        weakref.finalize(lot, _kept.pop, id(lot), None)
    own.deadline = None if asked.seconds is None else time.perf_counter() + asked.seconds
    own.promoted, own.promoted_block = np.zeros((2, 0), dtype=np.int64)
    own.promote(asked.promoted)
    own.promoted_price = asked.prices.copy()
    if asked.bases[0] is None:  # nothing that came before may matter
        for held in own.held:
            held.model.clearSolver()
    for block, basis in zip(asked.chosen.tolist(), asked.bases, strict=True):
        own.bases[block] = None if basis is None else _unpacked(basis)
    demands = own.solve(asked.x, asked.chosen)
    bases = [_packed(own.bases[block], {}) for block in asked.chosen.tolist()]
    _kept[id(lot)] = own
    return _Priced(own.constant[asked.chosen], own.slope[asked.chosen], own.promoted_price, bases, own.failed, demands)


def _packed(basis: Any, seen: dict[int, Basis | None]) -> Basis | None:
    """A basis as it travels; ``seen`` are those packed before, by identity."""
    if basis is None or isinstance(basis, tuple):
        return basis
    if id(basis) not in seen:
        seen[id(basis)] = bytes(map(int, basis.col_status)), bytes(map(int, basis.row_status))
    return seen[id(basis)]


_STATUS = [highspy.HighsBasisStatus(number) for number in range(5)]


def _unpacked(basis: Basis) -> Any:
    found = highspy.HighsBasis()
    found.col_status, found.row_status = ([_STATUS[number] for number in part] for part in basis)
    found.valid = True
    return found
