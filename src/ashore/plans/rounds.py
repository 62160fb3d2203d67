"""Rounds of a plan taken apart, openings in fractions: the master proposes a point, the blocks price it with cuts.

See :mod:`ashore.plans.benders`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ashore.plans import afar
from ashore.plans.aim import Aim
from ashore.plans.blocks import Blocks, total
from ashore.plans.calendar import Floats, Ints
from ashore.plans.centre import Centre
from ashore.plans.master import Master, Point
from ashore.plans.measure import Measure
from ashore.plans.recourse import Cut, OutOfTime
from ashore.plans.solver import WHOLE, Limits, NoPlan, near

Progress = Callable[[float, float, float], None]  # bound, best, seconds
MOST_DEMANDS = 20  # cuts that demand a solution, a round
MOST_GROUPS = 40  # groups of branches with a cut each
LOOSE = 1e-4  # gap to which the openings are priced as fractions
NEAR = 1e-3  # gap from which on a better point is priced in all blocks
STALLED = 60  # rounds without progress after which a phase ends
FEW = 8  # branches at least that are priced in a round of a tail alone
STEP = 0.05  # share of the way from the best point to the master's at which the blocks are asked


@dataclass
class Best:
    """The best point priced in all blocks with whole openings: the master's columns, the blocks' openings, the cost."""

    x: Floats
    whole: list[Floats | None]
    usd: float


class Rounds:
    """A master and its blocks, what is known of the best point, and cuts until the two agree."""

    def __init__(
        self,
        blocks: Blocks,
        aim: Aim,
        limits: Limits,
        progress: Progress | None = None,
        share: Floats | None = None,
    ) -> None:
        """Share: what each block weighs in the mean, by default its chance."""
        self.begun = time.perf_counter()
        deadline = None if limits.seconds is None else self.begun + limits.seconds
        self.blocks, self.aim, self.limits, self.progress = blocks, aim, limits, progress
        self.recourse = afar.recourse(blocks, deadline)
        self.bound = -np.inf
        self.best: Best | None = None
        self.inner: Floats | None = None  # the best point known with openings in fractions
        self.measure = Measure(blocks, aim, share)
        self.common, self.share = self.measure.common, self.measure.share
        self.in_doubt = aim.calendar.node_chance[blocks.node] == 0  # or once had no solution
        self.groups = 1 if aim.risk > 0 else min(blocks.count, MOST_GROUPS)
        self.group = np.arange(blocks.count) * self.groups // max(1, blocks.count)
        self.centre: Centre | None = None
        self.own: dict[int, int] = {}  # blocks with a column of the master for their cost alone
        self.decides = bool(any(len(shape.whole) for shape in blocks.shapes))  # openings within the blocks
        self.master = self._master()

    def _price(self, x: Floats, full: bool) -> tuple[float, list[Cut]]:
        """What the master's point ``x`` costs (a lower bound on it unless ``full``), infinite where blocks have no
        solution; the master is given the cuts learnt there.
        """
        blocks, recourse = self.blocks, self.recourse
        chosen = np.arange(blocks.count)
        if not full and self.aim.risk == 1:
            value = recourse.estimate(x)
            _, weight = self.measure.cost(x, value)
            loss = self.measure.losses(x, value)
            most = max(FEW, int(1.2 * np.count_nonzero(weight)))
            likely = np.zeros(len(loss), dtype=bool)
            likely[np.argsort(-loss, kind="stable")[:most]] = True
            chosen = np.flatnonzero(likely[self.measure.ways] | self.in_doubt)
        demands = self._ask(x, chosen)
        usd, weight = self.measure.cost(x, recourse.estimate(x))
        cuts = self._learnt(weight)
        if demands:
            return np.inf, [*demands, *cuts]
        whole = self._is_whole(x) and not self.decides
        if whole and len(chosen) == blocks.count and (self.best is None or usd < self.best.usd):
            self.best = Best(x, [None] * blocks.count, usd)
        self._tell()
        return usd, cuts

    def _ask(self, x: Floats, chosen: Ints) -> list[Cut]:
        """Solves the blocks ``chosen`` at ``x``; the master is given what those without a solution demand of it."""
        demands = self.recourse.solve(x, chosen)
        self.in_doubt[self.recourse.failed] = True
        demands.sort(key=lambda cut: -float(cut.constant + cut.slope @ x))
        for cut in demands[:MOST_DEMANDS]:
            self.master.add(cut, -1)
        return demands[:MOST_DEMANDS]

    def _learnt(self, weight: Floats) -> list[Cut]:
        """Gives the master the cuts of the last prices for branches of this weight."""
        share = self.share if self.aim.risk <= 0 else self.measure.shares(weight)
        apart = np.array(list(self.own), dtype=np.int64)
        rest = share.copy()
        rest[apart] = 0.0
        cuts = self.recourse.cuts(rest, self.group, self.groups)
        if self.aim.risk > 0:
            more = self.measure.weighted(weight) - self.common
            cuts[0].slope[: len(more)] += more
            cuts[0] = replace(cuts[0], constant=cuts[0].constant + self.measure.offset(weight))
        for number, cut in enumerate(cuts):
            parts = [column for block, column in self.own.items() if self.group[block] == number]
            self.master.add(cut, int(self.master.theta[number]), np.array(parts, dtype=np.int64))
        alone = [self.recourse.cut_of(block, float(share[block])) for block in self.own]
        for cut, column in zip(alone, self.own.values(), strict=True):
            self.master.add(cut, column)
        return cuts + alone

    def _is_whole(self, x: Floats) -> bool:
        openings = x[self.master.whole]
        return bool(np.all(openings == np.round(openings)))

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.bound, np.inf if self.best is None else self.best.usd, time.perf_counter() - self.begun)

    def _seconds_left(self) -> float | None:
        if self.limits.seconds is None:
            return None
        left = self.limits.seconds - (time.perf_counter() - self.begun)
        if left <= 0:
            raise OutOfTime
        return left

    def _master(self) -> Master:
        least = total(self.group, self.share * self.recourse.least, self.groups)
        if self.aim.risk > 0:
            least = np.array([min(0.0, float(self.recourse.least.min(initial=0.0)) * self.blocks.count)])
        return Master(self.blocks.trunk, self.common, self._unit(), least)

    def _unit(self) -> float:
        """USD the solver of the master counts in, so that its numbers are of moderate size."""
        largest = float(np.abs(self.common).max(initial=1.0))
        typical = float(np.abs(self.blocks.cost).max(initial=1.0))
        return float(10.0 ** np.floor(np.log10(max(largest, typical)) - 1))

    @property
    def _fine(self) -> float:
        """Gap to which openings in fractions are priced."""
        return min(LOOSE, self.limits.gap * 10) if self.limits.gap < NEAR / 10 else self.limits.gap / 5

    def _rounds(self, gap: float, openings: Floats | None, most: int) -> Floats | None:
        """Cuts until the master's value meets the best point's; with ``openings`` given, for these alone.

        Returns the best point.
        """
        self.master.fix(openings)
        try:
            return self._in_out(gap, openings, most)
        except NoPlan:
            if openings is None:
                raise
            return None
        finally:
            self.master.fix(None)

    def _in_out(self, gap: float, openings: Floats | None, most: int) -> Floats | None:
        """Asks between the best point known (``inner``) and the master's, half way as long as that teaches enough."""
        master = self.master
        inner: Floats | None = None
        inner_usd, step, bound, idle, proven = np.inf, 0.5, -np.inf, 0, False
        if openings is None and self.best is not None:
            inner, inner_usd, proven = self.now(self.best), self.best.usd, True
        elif self.inner is not None:
            step, proven = STEP, True
            inner = self._filled(self.inner) if openings is None else self._with(self.inner, openings)
            if inner is not None:
                inner_usd, _ = self._price(inner, full=True)
                inner = inner if np.isfinite(inner_usd) else None
        for _ in range(most):
            self._seconds_left()
            point = master.relaxed()
            idle = 0 if point.bound > bound + 1e-7 * abs(point.bound) else idle + 1
            bound = max(bound, point.bound)
            if openings is None:
                self.bound = max(self.bound, bound)
            elif self.best is not None and bound >= self.best.usd - self.limits.gap / 2 * abs(self.best.usd):
                return None  # these openings cannot be better than the best known
            if idle > STALLED:
                break
            if inner is not None and near(inner_usd, bound, gap):
                if proven or (openings is None and len(master.whole)):
                    break  # what the branches not priced last cost is seen with whole openings
                proven = True
                inner_usd, _ = self._price(inner, full=True)
                continue
            x = point.x.copy() if inner is None else inner + step * (point.x - inner)
            if openings is not None:
                x[master.whole] = openings
            full = inner is None
            usd, cuts = self._price(x, full)
            usual = STEP if self.inner is not None else 0.5
            step = usual if teaches(cuts, point, abs(bound) * 1e-6) else min(1.0, 2 * step)
            if usd < inner_usd:
                inner, inner_usd, proven = x, usd, full or self.aim.risk < 1
        if openings is None and self.inner is not None:
            self.inner = inner
        return inner

    def _with(self, inner: Floats, openings: Floats) -> Floats | None:
        """The point to start from with these openings: the best known, or where all branches are alike."""
        x, whole = self._filled(inner), self.master.whole
        if np.abs(x[whole] - openings).max(initial=0.0) > WHOLE:
            assert self.centre is not None
            found = self.centre.best(openings[: np.count_nonzero(self.blocks.trunk.integer)])
            if found is None:
                return None
            x = self._filled(found)
        x[whole] = openings
        return x

    def now(self, found: Best) -> Floats:
        """The point of a plan, with a value for every column promoted since."""
        x, recourse = self._filled(found.x), self.recourse
        for place, (column, block) in enumerate(
            zip(recourse.promoted.tolist(), recourse.promoted_block.tolist(), strict=True)
        ):
            whole = found.whole[block]
            if whole is not None:
                x[recourse.width + place] = whole[np.searchsorted(recourse.whole(block), column)]
        return x

    def _filled(self, x: Floats) -> Floats:
        """A point with a value for every promoted column."""
        return np.append(x, self.master.lower[len(x) :])


def teaches(cuts: list[Cut], point: Point, least: float) -> bool:
    """Whether the cuts exclude the point, by ``least`` USD where they are about cost."""
    there = 0.0
    for cut in cuts:
        value = float(cut.constant + cut.slope @ point.x[: len(cut.slope)])
        if cut.needed and value > 1e-9:
            return True
        there += 0.0 if cut.needed else value
    return there - float(point.behind.sum()) > least
