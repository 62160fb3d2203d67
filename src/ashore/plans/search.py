"""The rounds of a plan taken apart: the master proposes, the blocks price; see :mod:`ashore.plans.benders`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ashore.errors import Fault, SolverTrouble
from ashore.plans.aim import Aim
from ashore.plans.blocks import Blocks, select, total
from ashore.plans.branching import NEARLY
from ashore.plans.calendar import Floats
from ashore.plans.centre import Centre
from ashore.plans.master import Master, Point
from ashore.plans.measure import Measure
from ashore.plans.recourse import Cut, OutOfTime, Recourse, Settled
from ashore.plans.sheet import Arrays
from ashore.plans.solver import WHOLE, Answer, Limits, NoPlan

Progress = Callable[[float, float, float], None]  # bound, best, seconds
MOST_DEMANDS = 20  # cuts that demand a solution, a round
MOST_GROUPS = 40  # groups of branches with a cut each
LOOSE = 1e-4  # gap to which the openings are priced as fractions
NEAR = 1e-3  # gap from which on a better point is priced in all blocks
STALLED = 60  # rounds without progress after which a phase ends
FEW = 8  # branches at least that are priced in a round of a tail alone
SAMPLE = 16  # blocks looked at first where there are very many
STEP = 0.05  # share of the way from the best point to the master's at which the blocks are asked


@dataclass
class Best:
    """The best point priced in all blocks with whole openings: the master's columns, the blocks' openings, the cost."""

    x: Floats
    whole: list[Floats | None]
    usd: float


class Search:
    """Rounds of master and blocks until the gap is closed."""

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
        self.recourse = Recourse(blocks, deadline)
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

    # -- rounds -----------------------------------------------------------------------------------------------------
    def _price(self, x: Floats, full: bool) -> tuple[float, list[Cut]]:
        """What the master's point ``x`` costs (a lower bound on it unless ``full``), infinite where blocks have no
        solution; the master is given the cuts learnt there.
        """
        blocks, recourse = self.blocks, self.recourse
        chosen = np.arange(blocks.count)
        if not full and self.aim.risk == 1:
            _, weight = self.measure.cost(x, recourse.estimate(x))
            loss = self.measure.losses(x, recourse.estimate(x))
            most = max(FEW, int(1.2 * np.count_nonzero(weight)))
            likely = np.zeros(len(loss), dtype=bool)
            likely[np.argsort(-loss, kind="stable")[:most]] = True
            chosen = np.flatnonzero(likely[self.measure.ways] | self.in_doubt)
        demands = recourse.solve(x, chosen)
        usd, weight = self.measure.cost(x, recourse.estimate(x))
        cuts = self._learnt(weight)
        if demands:
            self.in_doubt[recourse.failed] = True
            demands.sort(key=lambda cut: -float(cut.constant + cut.slope @ x))
            for cut in demands[:MOST_DEMANDS]:
                self.master.add(cut, -1)
            return np.inf, [*demands[:MOST_DEMANDS], *cuts]
        whole = self._is_whole(x) and not self.decides
        if whole and len(chosen) == blocks.count and (self.best is None or usd < self.best.usd):
            self.best = Best(x, [None] * blocks.count, usd)
        self._tell()
        return usd, cuts

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

    def find(self) -> tuple[Best, str]:
        """The best point and "optimal", "time_limit" or "stopped"; ``bound`` holds its bound.

        Raises NoPlan, and SolverTrouble if no point was found in time.
        """
        status = "time_limit"
        try:
            self.master = self._master()
            self._run()
        except OutOfTime:
            self._rescue()
        except KeyboardInterrupt:
            status = "stopped"
            self._rescue()
        if self.best is not None and within(self.best.usd, self.bound, self.limits.gap):
            status = "optimal"
        if self.best is None:
            what = "No plan was found within the time allowed."
            remedy = "Allow more time, loosen --gap, or plan fewer months or branches."
            raise SolverTrouble(Fault("--time", what, remedy))
        return self.best, status

    def _master(self) -> Master:
        least = total(self.group, self.share * self.recourse.least, self.groups)
        if self.aim.risk > 0:
            least = np.array([min(0.0, float(self.recourse.least.min(initial=0.0)) * self.blocks.count)])
        return Master(self.blocks.trunk, self.common, self._unit(), least)

    def _rescue(self) -> None:
        """A plan all the same where none was found in time: openings rounded up, then the first whole ones met."""
        self.recourse.deadline, self.limits = None, replace(self.limits, seconds=None)
        if not np.isfinite(self.bound):
            self.bound = self.master.relaxed().bound
        if self.best is not None:
            return
        x = self._filled(self.inner) if self.inner is not None else self.master.relaxed().x
        whole = self.master.whole
        for openings in (np.ceil(x[whole] - NEARLY), self.master.upper[whole], self.master.lower[whole]):
            if self._first_plan(openings):
                return

    def _first_plan(self, openings: Floats) -> bool:
        """A plan with these openings of the master and the first whole ones met in the blocks; whether there is one."""
        self.master.fix(openings)
        try:
            x = self.master.relaxed().x if self.inner is None else self._with(self.inner, openings)
        except NoPlan:
            return False
        finally:
            self.master.fix(None)
        if x is None:
            return False
        x[self.master.whole] = openings
        if self.recourse.solve(x, np.arange(self.blocks.count)):
            return False
        found = [self.recourse.settle(block, x, np.inf) for block in range(self.blocks.count)]
        if any(each.whole is None for each in found):
            return False
        usd, _ = self.measure.cost(x, np.array([each.usd for each in found]))
        self.best = Best(x, [each.whole for each in found], usd)
        return True

    def result(self, arrays: Arrays) -> Answer:
        """The best plan in the columns of ``arrays``, with its bound."""
        found, status = self.find()
        x = np.zeros(arrays.columns)
        width = len(self.blocks.master)
        x[self.blocks.master] = found.x[:width]
        self.recourse.deadline = None
        at = self.now(found)
        for block in range(self.blocks.count):
            own, _ = self.blocks.of(block)
            x[self.blocks.column[own]] = self.recourse.solution(block, at, found.whole[block])
        x = np.where(np.abs(x) < 1e-9, 0.0, x)
        seconds = time.perf_counter() - self.begun
        return Answer(arrays, x, status, found.usd, min(self.bound, found.usd), seconds, (), "benders")

    def _unit(self) -> float:
        """USD the solver of the master counts in, so that its numbers are of moderate size."""
        largest = float(np.abs(self.common).max(initial=1.0))
        typical = float(np.abs(self.blocks.cost).max(initial=1.0))
        return float(10.0 ** np.floor(np.log10(max(largest, typical)) - 1))

    @property
    def _fine(self) -> float:
        """Gap to which openings in fractions are priced."""
        return min(LOOSE, self.limits.gap * 10) if self.limits.gap < NEAR / 10 else self.limits.gap / 8

    def _run(self) -> None:
        master = self.master
        if not master.only_openings and self.aim.risk <= 0:
            self.centre = Centre(self.blocks, self.common, self.share)
            self.inner = self.centre.best()
            self.centre.lend(self.recourse)
            if self.inner is not None and self.blocks.count > 3 * SAMPLE:
                self._sample(self.inner)
        if self.inner is None and len(master.whole):  # everything open is the point from which most is possible
            self._rounds(LOOSE, master.upper[master.whole], most=8)
        settled = not len(master.whole) and not self.decides
        self._rounds(self.limits.gap if settled else self._fine, None, most=1000)
        if settled:
            return
        tried: set[bytes] = set()
        again = False
        while True:
            before, fine = self.bound, again
            known = self.best.usd if self.best is not None else np.inf
            spread = (known - self.bound) / abs(known) if np.isfinite(known) and known else 1.0
            gap = self.limits.gap / 8 if fine else min(1e-2, max(self.limits.gap / 8, spread / 10))
            point = self._proposed(gap)
            self.bound = max(self.bound, min(point.bound, known))
            self._tell()
            if self.best is not None and within(self.best.usd, self.bound, self.limits.gap):
                return
            openings = master.whole_point(point)
            key = openings.astype(np.int64).tobytes()
            again = key in tried
            tried.add(key)
            x = self._settle(openings, point.x, again)
            learnt = self._decide(x) if self.decides and x is not None else False
            if fine and again and not learnt and self.bound <= before:
                return  # no progress that the numbers could show

    def _proposed(self, gap: float) -> Point:
        """The best point of the master with whole openings, to within ``gap``."""
        master, point = self.master, None
        if not len(master.whole):
            return master.relaxed()
        if not master.only_openings:
            point = master.branched(gap, self._seconds_left)
        if point is None:
            point = master.mixed(gap, self._seconds_left())
        if point is None:
            raise OutOfTime
        return point

    def _sample(self, inner: Floats) -> None:
        """A better start for very many blocks: the best point, openings in fractions, for some of them alone."""
        count = self.blocks.count
        members = np.arange(SAMPLE) * count // SAMPLE
        weight = np.add.reduceat(self.share, members)
        limits = self.limits
        if limits.seconds is not None:
            limits = replace(limits, seconds=limits.seconds - (time.perf_counter() - self.begun))
        some = Search(select(self.blocks, members), self.aim, limits, None, weight)
        some.centre, some.inner, some.master = self.centre, inner, some._master()
        for place, block in enumerate(members.tolist()):
            some.recourse.bases[place] = self.recourse.bases[block]
        some._rounds(self._fine, None, most=1000)
        self.inner = some.inner
        nearest = np.searchsorted(members, np.arange(count), side="right") - 1
        for block, place in enumerate(nearest.tolist()):
            if self.blocks.shape[block] == self.blocks.shape[members[place]]:
                self.recourse.bases[block] = some.recourse.bases[place]

    def _settle(self, openings: Floats, x: Floats, again: bool) -> Floats | None:
        """Prices openings the master proposes: at once if nothing else is to be decided, else by their own rounds.

        Returns the best point with them.
        """
        master = self.master
        x = x.copy()
        x[master.whole] = openings
        if not master.only_openings:
            return self._rounds(self.limits.gap / 8, openings, most=STALLED)
        usd, _ = self._price(x, full=False)
        better = np.isfinite(usd) and (self.best is None or usd < self.best.usd)
        if better and (again or within(usd, self.bound, NEAR)):
            self._price(x, full=True)
        return x if np.isfinite(usd) else None

    def _decide(self, x: Floats) -> bool:
        """Whole openings within the blocks, with the master at ``x``; whether that taught anything.

        Where they cost more than the gap allows beyond what fractions promised, the master takes them over.
        """
        recourse, blocks = self.recourse, self.blocks
        demands = recourse.solve(x, np.arange(blocks.count))
        if demands:
            for cut in demands[:MOST_DEMANDS]:
                self.master.add(cut, -1)
            return True
        promised = recourse.estimate(x)
        lowest, weight = self.measure.cost(x, promised)
        if self.best is not None and lowest >= self.best.usd * (1 - self.limits.gap / 4):
            return False
        allowed = max(self.limits.gap, 1e-9) * abs(lowest) / 4
        found: list[Settled] = []
        for block in range(blocks.count):
            self._seconds_left()
            found.append(recourse.settle(block, x, allowed))
        usd = np.array([each.usd for each in found])
        if np.all(np.isfinite(usd)):
            cost, weight = self.measure.cost(x, usd)
            if self.best is None or cost < self.best.usd:
                self.best = Best(x, [each.whole for each in found], cost)
            self._tell()
            if within(cost, self.bound, self.limits.gap):
                return True
        share = self.share if self.aim.risk <= 0 else self.measure.shares(weight)
        excess = np.where(np.isfinite(usd), share * (usd - promised), np.inf)
        left, promoted = float(excess.sum()), False
        for block in np.argsort(-excess, kind="stable").tolist():
            if left <= allowed:
                break
            promoted |= self._promote(block, found[block], float(share[block]))
            left -= float(excess[block]) if np.isfinite(excess[block]) else 0.0
            if not np.isfinite(excess[block]):
                left = float(excess[np.isfinite(excess)].sum())
        return promoted

    def _promote(self, block: int, found: Settled, share: float) -> bool:
        """The master takes over the openings that were branched on in a block, and learns the bounds met there."""
        recourse, master, blocks = self.recourse, self.master, self.blocks
        own, _ = blocks.of(block)
        columns = np.array(sorted(found.tried), dtype=np.int64) + own.start
        columns = columns[~np.isin(columns, recourse.promoted)]
        if not len(columns):
            return False
        recourse.promote(columns)
        master.promote(blocks.lower[columns], blocks.upper[columns])
        for low, high, where, values in recourse.ties_among(block):
            master.tie(low, high, where, values)
        if self.aim.risk <= 0:
            if block not in self.own:
                self.own[block] = master.another(share * float(recourse.least[block]))
            master.add(recourse.cut_of(block, share), self.own[block])
            for step in found.steps:
                cut = recourse.proven(block, step)
                master.add(Cut(share * cut.constant, share * cut.slope, False), self.own[block])
        return True

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
            if inner is not None and within(inner_usd, bound, gap):
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


def within(usd: float, bound: float, gap: float) -> bool:
    """Whether a cost is within a relative gap of a bound."""
    return usd - bound <= gap * abs(usd)


def teaches(cuts: list[Cut], point: Point, least: float) -> bool:
    """Whether the cuts exclude the point, by ``least`` USD where they are about cost."""
    there = 0.0
    for cut in cuts:
        value = float(cut.constant + cut.slope @ point.x[: len(cut.slope)])
        if cut.needed and value > 1e-9:
            return True
        there += 0.0 if cut.needed else value
    return there - float(point.behind.sum()) > least
