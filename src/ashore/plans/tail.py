"""The best plan when the tail counts: by weights on the branches, as long as the network falls into parts.

The risk of a plan with branch costs T is the dearest of all mixtures of its branches that the tail allows:
(1 − w)·mean + w·CVaR_α = max over q of Σ_b ((1 − w)·p[b] + w·q[b])·T[b], with Σ q = 1 and 0 ≤ q ≤ p/(1 − α); the
dearest branch alone where α = 1, and with credits the same of T less them.
For fixed q this is an expected cost, so the independent parts of the network are planned alone, and the optimum is a
lower bound. Points found for several q are combined, part by part, by a small linear model, whose dual is the next q;
where the points of a part have the same openings any mixture of them is a plan. Where that leaves a gap (openings that
differ), or the network has one part only, the model is solved as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ashore.errors import SolverTrouble
from ashore.plans.aim import Aim, with_tail, within
from ashore.plans.calendar import Floats
from ashore.plans.first import completed, least
from ashore.plans.sheet import Arrays, Sheet
from ashore.plans.solver import LEAST, Answer, Limits, NoPlan, row_duals, run, split

__all__ = ["Aim", "best", "thrifty"]

MOST_BRANCHES = 60  # beyond this the points needed grow too many
MOST_ROUNDS = 25


def best(arrays: Arrays, aim: Aim, limits: Limits, start: Floats | None = None, known: Answer | None = None) -> Answer:
    """The plan of least ``aim``; ``arrays``: the model of least expected cost. See :func:`ashore.plans.solver.run`.

    Objective and bound of the answer are those of a model: above the measure by the aim's ``lift``.
    """
    if aim.risk <= 0:
        return run(arrays, limits, start, known)
    begun = time.perf_counter()
    found = _least(arrays, aim, limits, start)
    if aim.risk >= 1:
        left = None if limits.seconds is None else limits.seconds - (time.perf_counter() - begun)
        found = thrifty(aim, found, replace(limits, seconds=left))
    return replace(found, seconds=time.perf_counter() - begun)


def thrifty(aim: Aim, found: Answer, limits: Limits) -> Answer:
    """The same aim with the least expected cost its openings allow: a tail alone lets the cheap branches waste."""
    if found.status == "stopped" or (limits.seconds is not None and limits.seconds < LEAST):
        return found
    arrays = found.arrays
    try:
        x = run(within(arrays, aim, found.objective, found.x), replace(limits, progress=None, grace=0.0)).x
    except (NoPlan, SolverTrouble, KeyboardInterrupt):
        return found
    x = x[: arrays.columns]
    usd = aim.of(aim.along(aim.costs.by_node(aim.calendar, x))) + aim.lift
    if usd > found.objective + 1e-9 * abs(found.objective):
        return found
    return replace(found, x=x, objective=usd, bound=min(found.bound, usd))


def _least(arrays: Arrays, aim: Aim, limits: Limits, start: Floats | None) -> Answer:
    """The plan of least ``aim``, by the search over weights and, where that leaves a gap, as one model."""
    search = _Search(arrays, aim, limits)
    found = search.result() if search.worth_trying else None
    easy = _easy(arrays, aim) if found is None else None
    if found is not None and (found.gap <= limits.gap or search.stopped or search.seconds_left() == 0.0):
        return found
    if easy is not None and search.stopped:
        return easy
    rest = limits.since(search.begun)
    model = with_tail(arrays, aim)
    begin = found.x if found is not None else start
    if begin is not None:
        begin = np.concatenate([begin, np.full(model.columns - arrays.columns, np.nan)])
    try:
        whole = run(model, rest if found is None and easy is None else replace(rest, grace=0.0), begin)
    except (SolverTrouble, KeyboardInterrupt) as error:
        known = found or easy
        if known is None:
            raise
        return replace(known, status="time_limit" if isinstance(error, SolverTrouble) else "stopped")
    answer = replace(whole, arrays=arrays, x=whole.x[: arrays.columns])
    if found is None:
        return answer
    x = answer.x if answer.objective <= found.objective else found.x
    objective = min(answer.objective, found.objective)
    return replace(answer, x=x, objective=objective, bound=min(objective, max(answer.bound, found.bound)))


def _easy(arrays: Arrays, aim: Aim) -> Answer | None:
    """The plan in which nothing is done, if that can be; what is known without solving anything."""
    x = completed(arrays)
    if x is None:
        return None
    usd = aim.of(aim.along(aim.costs.by_node(aim.calendar, x))) + aim.lift
    return Answer(arrays, x, "stopped", usd, min(usd, _floor(arrays, aim)), 0.0, ())


def _floor(arrays: Arrays, aim: Aim) -> float:
    """No plan is below this: a measure is never below the mean, and that not below what the columns cost at least."""
    return least(arrays) - float(aim.chance @ aim.credits) + aim.lift


class _Search:
    """Rounds of: plan each part for weights q, mix the points found, take the dearest weights of the mixture."""

    def __init__(self, arrays: Arrays, aim: Aim, limits: Limits) -> None:
        self.arrays, self.aim, self.limits = arrays, aim, limits
        self.begun = time.perf_counter()
        self.pieces = [columns for columns, _ in split(arrays)]
        self.part = np.zeros(arrays.columns, dtype=np.int64)
        for k, columns in enumerate(self.pieces):
            self.part[columns] = k
        self.chance, self.set_off = aim.chance, aim.top - aim.credits
        self.floor = self.bound = _floor(arrays, aim)
        self.usd, self.stopped = np.inf, False
        self.points: list[Floats] = []
        self.branch_usd: list[Floats] = []  # (branches, parts) of each point

    @property
    def worth_trying(self) -> bool:
        whole = sum(bool(self.arrays.integer[columns].any()) for columns in self.pieces)
        return whole > 1 and 1 < len(self.chance) <= MOST_BRANCHES

    def seconds_left(self) -> float:
        if self.limits.seconds is None:
            return np.inf
        return max(0.0, self.limits.seconds - (time.perf_counter() - self.begun))

    def result(self) -> Answer | None:
        """The best plan the rounds lead to, with its bound; None if no round could be finished."""
        q, loose = self.chance.copy(), replace(self.arrays, integer=np.zeros(self.arrays.columns, dtype=bool))
        q = self._rounds(loose, q, 1e-3, 6)  # openings as fractions, only to find the weights
        self.points.clear()
        self.branch_usd.clear()
        self.bound = self.floor
        self._rounds(self.arrays, q, self.limits.gap, MOST_ROUNDS)
        if not self.points:
            return None
        x = self._mixed()
        objective = self.aim.of(self._costs(x).sum(axis=1)) + self.aim.lift
        bound = min(self.bound, objective)
        proven = objective - bound <= self.limits.gap * abs(objective)
        status = "optimal" if proven else "stopped" if self.stopped else "time_limit"
        return Answer(self.arrays, x, status, objective, bound, 0.0, ())

    def _rounds(self, arrays: Arrays, q: Floats, gap: float, most: int) -> Floats:
        """Rounds until the mixture is within ``gap`` of the bound; returns the last weights asked about."""
        aim, blend = self.aim, 1e-3
        inner = replace(self.limits, gap=self.limits.gap / 4, progress=self._told)
        for number in range(most):
            if self.stopped or self.seconds_left() == 0.0:
                break
            asked = (1 - blend) * q + blend * self.chance  # every branch weighs something, so none is left to chance
            weight = (1 - aim.risk) * self.chance + aim.risk * asked
            begin = self.points[-1] if self.points else None
            limits = inner if begin is None else replace(inner, grace=0.0)
            if self.limits.seconds is not None:
                limits = replace(limits, seconds=self.seconds_left())
            try:
                answer = run(replace(arrays, cost=aim.weighted(weight, arrays.columns)), limits, begin)
            except SolverTrouble:
                break
            except KeyboardInterrupt:
                self.stopped = True
                break
            self.stopped = answer.status == "stopped"
            self.bound = max(self.bound, answer.bound + aim.lift - float(weight @ aim.credits))
            self.points.append(answer.x)
            self.branch_usd.append(self._costs(answer.x))
            if arrays.integer.any():
                self.usd = min(self.usd, aim.of(self.branch_usd[-1].sum(axis=1)) + aim.lift)
            value, following, _ = self._mix(range(len(self.points)))
            if value - self.bound <= gap * abs(value):
                return q
            if number and np.abs(following - q).max() < 1e-9:
                blend /= 100
            q = following
        return q

    def _told(self, bound: float, usd: float, seconds: float) -> None:
        """Tells what the rounds have found so far; what the parts are told is about other weights."""
        if self.limits.progress is not None:
            self.limits.progress(self.bound, self.usd, time.perf_counter() - self.begun)

    def _costs(self, x: Floats) -> Floats:
        """Discounted USD of a point in each branch and part, shape (branches, parts)."""
        costs, cal = self.aim.costs, self.aim.calendar
        spent = cal.factor_month[costs.month] * costs.usd * x[costs.column]
        parts = len(self.pieces)
        place = costs.node * parts + self.part[costs.column]
        node_usd: Floats = np.bincount(place, weights=spent, minlength=len(cal.nodes) * parts).astype(float)
        return self.aim.along(node_usd.reshape(-1, parts))

    def _mix(self, allowed: Sequence[int] | range, groups: dict[int, list[int]] | None = None) -> Any:
        """The best mixture of points, each part for itself: its value, the dearest weights q, and the shares.

        min (1 − w)·p·T + w·(η + m·z) with T = Σ shares·branch costs, z ≥ T + k* − k − η (k the branch's credit, k* the
        largest, m the most a branch can weigh), shares of a part sum to 1.
        """
        aim, parts = self.aim, len(self.pieces)
        choice = [(k, part) for part in range(parts) for k in (groups or {}).get(part, list(allowed))]
        usd = np.stack([self.branch_usd[k][:, part] for k, part in choice], axis=1)  # (branches, choices)
        unit = max(1.0, float(np.abs(usd).max()))
        sheet = Sheet()
        share = sheet.add_columns(np.ones(len(choice), dtype=bool))
        over = sheet.add_columns(np.ones(len(usd), dtype=bool))
        eta = sheet.add_columns(np.ones(1, dtype=bool), lower=-np.inf)
        tails = sheet.add_rows(np.ones(len(usd), dtype=bool), self.set_off / unit, np.inf)
        ones = sheet.add_rows(np.ones(parts, dtype=bool), 1.0, 1.0)
        sheet.put(tails[:, None], share, -usd / unit)
        sheet.put(tails, over, 1.0)
        sheet.put(tails, eta, 1.0)
        sheet.put(ones[[part for _, part in choice]], share, 1.0)
        cost = np.zeros(sheet.columns)
        cost[share] = (1 - aim.risk) * (self.chance @ usd) / unit
        cost[over] = aim.risk * aim.most
        cost[eta] = aim.risk
        x, dual = row_duals(sheet.arrays(cost))
        q = np.maximum(dual[tails], 0.0) / aim.risk
        return float(cost @ x) * unit, q / max(q.sum(), 1e-12), list(zip(choice, x[share], strict=True))

    def _mixed(self) -> Floats:
        """The best mixture of points in which each part keeps to one set of openings."""
        _, _, shares = self._mix(range(len(self.points)))
        groups: dict[int, list[int]] = {}
        for part, columns in enumerate(self.pieces):
            whole = columns[self.arrays.integer[columns]]
            weight: dict[bytes, float] = {}
            members: dict[bytes, list[int]] = {}
            for (k, own), share in shares:
                if own == part:
                    key = np.round(self.points[k][whole]).astype(np.int8).tobytes()
                    weight[key] = weight.get(key, 0.0) + share
                    members.setdefault(key, []).append(k)
            groups[part] = members[max(weight, key=lambda key: weight[key])]
        _, _, shares = self._mix((), groups)
        x = np.zeros(self.arrays.columns)
        for (k, part), share in shares:
            columns = self.pieces[part]
            x[columns] += share * self.points[k][columns]
        whole = np.flatnonzero(self.arrays.integer)
        x[whole] = np.round(x[whole])
        return x
