"""The search of a plan taken apart for whole openings, in the master and within the blocks.

See :mod:`ashore.plans.benders`.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ashore.errors import Fault, SolverTrouble
from ashore.plans.blocks import select
from ashore.plans.branching import NEARLY
from ashore.plans.calendar import Floats
from ashore.plans.centre import Centre
from ashore.plans.master import Point
from ashore.plans.recourse import Cut, OutOfTime, Settled
from ashore.plans.rounds import LOOSE, NEAR, STALLED, Best, Progress, Rounds
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, NoPlan, near

__all__ = ["Best", "OutOfTime", "Progress", "Search"]

SAMPLE = 16  # blocks looked at first where there are very many


class Search(Rounds):
    """Rounds of master and blocks until the gap is closed."""

    def find(self) -> tuple[Best, str]:
        """The best point and "optimal", "time_limit" or "stopped"; ``bound`` holds its bound.

        Raises NoPlan, and SolverTrouble if no point was found in time.
        """
        status = "time_limit"
        try:
            self._run()
        except OutOfTime:
            self._rescue()
        except KeyboardInterrupt:
            status = "stopped"
            self._rescue()
        if self.best is not None and near(self.best.usd, self.bound, self.limits.gap):
            status = "optimal"
        if self.best is None:
            what = "No plan was found within the time allowed."
            remedy = "Allow more time, loosen --gap, or plan fewer months or branches."
            raise SolverTrouble(Fault("--time", what, remedy))
        return self.best, status

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
            if self.best is not None and near(self.best.usd, self.bound, self.limits.gap):
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
        some = Rounds(select(self.blocks, members), self.aim, self.limits.since(self.begun), None, weight)
        some.centre, some.inner = self.centre, inner
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
        if better and (again or near(usd, self.bound, NEAR)):
            self._price(x, full=True)
        return x if np.isfinite(usd) else None

    def _decide(self, x: Floats) -> bool:
        """Whole openings within the blocks, with the master at ``x``; whether that taught anything.

        Where they cost more than the gap allows beyond what fractions promised, the master takes them over.
        """
        recourse, blocks = self.recourse, self.blocks
        if self._ask(x, np.arange(blocks.count)):
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
            if near(cost, self.bound, self.limits.gap):
                return True
        share = self.share if self.aim.risk <= 0 else self.measure.shares(weight)
        unsettled = ~np.isfinite(usd)
        excess = np.where(unsettled, 0.0, share * (np.where(unsettled, 0.0, usd) - promised))
        left, promoted = float(excess.sum()), False
        for block in [*np.flatnonzero(unsettled).tolist(), *np.argsort(-excess, kind="stable").tolist()]:
            if left <= allowed and not unsettled[block]:
                break
            promoted |= self._promote(block, found[block], float(share[block]))
            left -= float(excess[block])
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
