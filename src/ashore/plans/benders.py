"""Large trees: the L-shaped method (Benders), with one cut a round for all branches together.

The plan is taken apart into a master and blocks (:mod:`ashore.plans.blocks`). Each round prices the blocks at one point
of the master and gives it one cut, Σ weight·V; the weights are those of the risk measure there: the chances, and for
the tail the dearest mixture of branches, (1 − w)·p + w·q with q ≤ p / (1 − α), so that the cut is one of
(1 − w)·mean + w·CVaR_α. A mixture that is not the dearest gives a cut all the same, which lets a round price only the
branches that are likely to count. First the openings may be fractions, and the point asked about lies between the
master's and the best one known (in-out); then they are whole. The master's value is at every moment a lower bound, and
every point priced in all blocks an upper one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ashore.errors import Fault, SolverTrouble
from ashore.plans.blocks import Blocks, CannotSplit, take_apart, total
from ashore.plans.calendar import Floats
from ashore.plans.master import Master, Point
from ashore.plans.model import Model
from ashore.plans.recourse import Cut, OutOfTime, Recourse
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, Limits, NoPlan
from ashore.plans.tail import Aim, best

METHODS = ("auto", "extensive", "benders")
Progress = Callable[[float, float, float], None]  # bound, best, seconds
FEWEST_BRANCHES = 40  # fewer, or
FEWEST_COLUMNS = 150_000  # a smaller model, is solved in one piece, and so is one with
MOST_OPENINGS = 20_000  # more whole-numbered columns for the master
MOST_DEMANDS = 20  # cuts that demand a solution, a round
LOOSE = 1e-4  # gap to which the openings are priced as fractions
NEAR = 1e-3  # gap from which on a better point is priced in all blocks
STALLED = 60  # rounds without progress after which a phase ends


def answer(
    model: Model,
    arrays: Arrays,
    aim: Aim,
    limits: Limits,
    *,
    method: str = "auto",
    start: Floats | None = None,
    known: Answer | None = None,
    progress: Progress | None = None,
) -> Answer:
    """The plan of least ``aim``, by the method asked for or, "auto", the one that suits the size of the tree."""
    large = (
        len(model.calendar.leaves) >= FEWEST_BRANCHES
        and arrays.columns >= FEWEST_COLUMNS
        and int(arrays.integer.sum()) <= MOST_OPENINGS
    )
    if method == "benders" or (method == "auto" and large):
        try:
            blocks = take_apart(model, arrays, aim.costs.expected(model.calendar, arrays.columns), aim.risk > 0)
        except CannotSplit:
            pass
        else:
            return _Search(blocks, aim, limits, progress).result()
    return best(arrays, aim, limits, start, known if known is not None and known.method == "extensive" else None)


@dataclass
class _Best:
    """The best point priced in all blocks: the master's columns, the blocks' columns, and what it costs."""

    x: Floats
    y: Floats
    usd: float


class _Search:
    def __init__(self, blocks: Blocks, aim: Aim, limits: Limits, progress: Progress | None) -> None:
        self.begun = time.perf_counter()
        deadline = None if limits.seconds is None else self.begun + limits.seconds
        self.blocks, self.aim, self.limits, self.progress = blocks, aim, limits, progress
        self.recourse = Recourse(blocks, deadline)
        self.bound = 0.0  # no plan costs less than nothing
        self.best: _Best | None = None
        cal = aim.calendar
        self.chance = cal.node_chance[aim.ends]
        # the master's charges, and of them those of the nodes that all branches share
        of_master = np.full(blocks.arrays.columns, -1, dtype=np.int64)
        of_master[blocks.master] = np.arange(len(blocks.master))
        mine = of_master[aim.costs.column] >= 0
        self.column, self.node = of_master[aim.costs.column[mine]], aim.costs.node[mine]
        self.usd = aim.costs.usd[mine] * cal.factor_month[aim.costs.month[mine]]
        if aim.risk > 0:
            everywhere = np.ones(len(self.chance))
            shared = self._shares(everywhere) == len(everywhere)
            self.common = total(self.column, self.usd * shared[self.node], len(blocks.master))
        else:
            self.common = self._weighted(self.chance)
        self.in_doubt = np.zeros(blocks.count, dtype=bool)  # blocks that once had no solution
        self.in_doubt[cal.node_chance[blocks.node] == 0] = True
        leaf_of = np.full(len(cal.nodes), -1, dtype=np.int64)
        leaf_of[aim.ends] = np.arange(len(aim.ends))
        self.ways = leaf_of[self._last_nodes()] if aim.risk > 0 else np.zeros(0, dtype=np.int64)

    # -- costs ------------------------------------------------------------------------------------------------------
    def _last_nodes(self) -> list[int]:
        """For each block of one branch, the node in which it ends."""
        below = {int(parent): node for node, parent in enumerate(self.aim.calendar.node_parent)}
        found = []
        for node in self.blocks.node.tolist():
            while node in below:
                node = below[node]
            found.append(node)
        return found

    def _shares(self, weight: Floats) -> Floats:
        """The weight of each node: the sum of those of the branches through it."""
        cal = self.aim.calendar
        share = np.zeros(len(cal.nodes))
        share[self.aim.ends] = weight
        for node in range(len(share) - 1, 0, -1):
            share[cal.node_parent[node]] += share[node]
        return share

    def _weighted(self, weight: Floats) -> Floats:
        """Cost of each of the master's columns when the branches weigh ``weight``."""
        return total(self.column, self.usd * self._shares(weight)[self.node], len(self.blocks.master))

    def _branches(self, x: Floats, value: Floats) -> Floats:
        """Cost of each branch with the master at ``x`` and blocks that cost ``value``."""
        spent = total(self.node, self.usd * x[self.column], len(self.aim.calendar.nodes))
        before = self.aim.along(spent)
        return before + total(self.ways, value, len(before))

    def _cost(self, x: Floats, value: Floats) -> tuple[float, Floats]:
        """What the point costs, and the weights of the branches there."""
        if self.aim.risk <= 0:
            return float(self.common @ x + self._shares(self.chance)[self.blocks.node] @ value), self.chance
        branch = self._branches(x, value)
        left, q = 1.0 - self.aim.tail, np.zeros(len(branch))
        order = np.argsort(-branch, kind="stable")
        q[order] = np.clip(left - (np.cumsum(self.chance[order]) - self.chance[order]), 0.0, self.chance[order])
        weight = (1.0 - self.aim.risk) * self.chance + self.aim.risk * q / q.sum()
        return float(weight @ branch), weight

    # -- rounds -----------------------------------------------------------------------------------------------------
    def _price(self, x: Floats, full: bool) -> tuple[float, list[Cut]]:
        """What the master's point ``x`` costs (a lower bound on it unless ``full``), infinite where blocks have no
        solution, and the cuts learnt there.
        """
        blocks, recourse = self.blocks, self.recourse
        everything = np.arange(blocks.count)
        chosen = everything
        if not full and self.aim.risk == 1:
            _, weight = self._cost(x, recourse.estimate(x))
            branch = self._branches(x, recourse.estimate(x))
            most = max(1, int(1.2 * np.count_nonzero(weight)))
            likely = np.zeros(len(branch), dtype=bool)
            likely[np.argsort(-branch, kind="stable")[:most]] = True
            chosen = np.flatnonzero(likely[self.ways] | self.in_doubt)
        demands = recourse.solve(x, chosen)
        usd, weight = self._cost(x, recourse.estimate(x))
        constant, slope = recourse.cut(self._shares(weight)[blocks.node])
        cuts = [Cut(constant, slope + self._weighted(weight) - self.common, False)]
        if demands:
            self.in_doubt[recourse.failed] = True
            demands.sort(key=lambda cut: -float(cut.constant + cut.slope @ x))
            return np.inf, [*demands[:MOST_DEMANDS], *cuts]
        if len(chosen) == blocks.count and (self.best is None or usd < self.best.usd) and self._is_whole(x):
            self.best = _Best(x, recourse.y.copy(), usd)
        self._tell()
        return usd, cuts

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

    def result(self) -> Answer:
        """The best plan, with its bound."""
        status = "time_limit"
        try:
            self.master = Master(self.blocks, self.common, self._unit())
            self._run()
            if self.best is not None and within(self.best.usd, self.bound, self.limits.gap):
                status = "optimal"
        except OutOfTime:
            pass
        except KeyboardInterrupt:
            if self.best is None:
                raise
            status = "stopped"
        if self.best is None:
            what = "No plan was found within the time allowed."
            remedy = "Allow more time, loosen --gap, or plan fewer months or branches."
            raise SolverTrouble(Fault("--time", what, remedy))
        x = np.zeros(self.blocks.arrays.columns)
        x[self.blocks.master], x[self.blocks.column] = self.best.x, self.best.y
        x = np.where(np.abs(x) < 1e-9, 0.0, x)
        usd = self.best.usd
        seconds = time.perf_counter() - self.begun
        return Answer(self.blocks.arrays, x, status, usd, min(self.bound, usd), seconds, (), "benders")

    def _unit(self) -> float:
        """USD the solver of the master counts in, so that its numbers are of moderate size."""
        largest = float(np.abs(self.common).max(initial=1.0))
        typical = float(np.abs(self.blocks.cost).max(initial=1.0))
        return float(10.0 ** np.floor(np.log10(max(largest, typical)) - 1))

    def _run(self) -> None:
        master = self.master
        if len(master.whole):  # everything open is the point from which most is possible
            openings = master.upper[master.whole]
            self._rounds(LOOSE, openings, most=8)
        self._rounds(self.limits.gap if not len(master.whole) else min(LOOSE, self.limits.gap * 10), None, most=1000)
        if not len(master.whole):
            return
        tried: set[bytes] = set()
        again = False
        while True:
            before = self.bound
            known = self.best.usd if self.best is not None else np.inf
            spread = (known - self.bound) / abs(known) if np.isfinite(known) and known else 1.0
            gap = self.limits.gap / 2 if again else min(1e-2, max(self.limits.gap / 2, spread / 10))
            point = master.mixed(gap, self._seconds_left())
            if point is None:
                raise OutOfTime
            self.bound = max(self.bound, min(point.bound, known))
            if self.best is not None and within(self.best.usd, self.bound, self.limits.gap):
                return
            openings = master.whole_point(point)
            key = openings.astype(np.int8).tobytes()
            if key in tried and again and self.bound <= before:
                return  # no progress that the numbers could show
            again = key in tried
            tried.add(key)
            self._settle(openings, point.x, again)

    def _settle(self, openings: Floats, x: Floats, again: bool) -> None:
        """Prices openings the master proposes: at once if nothing else is to be decided, else by their own rounds."""
        master = self.master
        if not master.only_openings:
            self._rounds(self.limits.gap / 4, openings, most=STALLED)
            return
        x = x.copy()
        x[master.whole] = openings
        usd, _ = self._learn(x, full=False)
        better = np.isfinite(usd) and (self.best is None or usd < self.best.usd)
        if better and (again or within(usd, self.bound, NEAR)):
            self._learn(x, full=True)

    def _learn(self, x: Floats, full: bool) -> tuple[float, list[Cut]]:
        """Prices ``x`` and gives the master the cuts."""
        usd, cuts = self._price(x, full)
        for cut in cuts:
            self.master.add(cut)
        return usd, cuts

    def _rounds(self, gap: float, openings: Floats | None, most: int) -> None:
        """Cuts until the master's value meets the best point's; with ``openings`` given, for these alone."""
        self.master.fix(openings)
        try:
            self._in_out(gap, openings, most)
        except NoPlan:
            if openings is None:
                raise
        finally:
            self.master.fix(None)

    def _in_out(self, gap: float, openings: Floats | None, most: int) -> None:
        """Asks between the best point known (``inner``) and the master's, half way as long as that teaches enough."""
        master = self.master
        inner: Floats | None = None
        inner_usd, step, bound, idle, proven = np.inf, 0.5, -np.inf, 0, False
        if openings is None and self.best is not None:
            inner, inner_usd, proven = self.best.x, self.best.usd, True
        for _ in range(most):
            self._seconds_left()
            point = master.relaxed()
            idle = 0 if point.bound > bound + 1e-7 * abs(point.bound) else idle + 1
            bound = max(bound, point.bound)
            if openings is None:
                self.bound = max(self.bound, bound)
            elif self.best is not None and bound >= self.best.usd * (1 - self.limits.gap / 2):
                return  # these openings cannot be better than the best known
            if idle > STALLED:
                return
            if inner is not None and within(inner_usd, bound, gap):
                if proven or (openings is None and len(master.whole)):
                    return  # what the branches not priced last cost is seen with whole openings
                proven = True
                inner_usd, _ = self._learn(inner, full=True)
                continue
            x = point.x.copy() if inner is None else inner + step * (point.x - inner)
            if openings is not None:
                x[master.whole] = openings
            full = inner is None
            usd, cuts = self._learn(x, full)
            step = 0.5 if teaches(cuts, point, abs(bound) * 1e-6) else min(1.0, 2 * step)
            if usd < inner_usd:
                inner, inner_usd, proven = x, usd, full


def within(usd: float, bound: float, gap: float) -> bool:
    """Whether a cost is within a relative gap of a bound."""
    return usd - bound <= gap * abs(usd)


def teaches(cuts: list[Cut], point: Point, least: float) -> bool:
    """Whether one of the cuts excludes the point, by ``least`` USD where it is about cost."""
    for cut in cuts:
        there = float(cut.constant + cut.slope @ point.x)
        if there > 1e-9 if cut.needed else there - point.behind > least:
            return True
    return False
