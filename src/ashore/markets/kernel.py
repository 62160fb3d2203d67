"""Equilibrium prices under logit and CES demand, for batches of scenarios: one unknown per maker.

Maker f earns Σ (w[j]·p[j] − c[j])·q[j] over its goods, where w = 1 / (1 + rate) is what is left of the buyer's price at
the border; rates may differ between its goods. With e and o of :mod:`ashore.markets.demand`, E[f] = Σ e over its goods
and O[f] = o + Σ e over all other goods, its first-order conditions give all its prices from one number y[f]:

    logit  w·p = c + (w + y) / slope                         H[f] = Σ w·e
    CES    p = c·slope / ((slope − 1)·(w − y))               H[f] = Σ (w − y)·e / slope

and in both E = −dH/dy, so that the condition for y is y·A = H with

    Bertrand                 A = O
    Cournot                  A = o (logit), (O + (slope − 1)·o) / slope (CES)
    monopolistic competition y = 0.

For given A the function h = ln y + ln A − ln H increases in y. Newton steps are taken for all makers together (the
Jacobian is diagonal plus rank one, so a step costs O(makers)) where that matrix is safely an M-matrix, and for each
maker alone otherwise; in y itself where it has to grow and in ln y where it has to shrink. Then neither overshoots,
which plain Newton does as soon as one maker holds about 70 per cent.

Sources: S. P. Anderson, A. de Palma, B. Kreider, J. Public Econ. 81 (2001) 173–192 (ad valorem taxes under Bertrand);
W. R. Morrow, S. J. Skerlos, Oper. Res. 59 (2011) 328–345 (fixed points); V. Nocke, N. Schutz, Econometrica 86 (2018)
523–557 (aggregative pricing games, uniqueness).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ashore.errors import Fault, SolverTrouble
from ashore.markets.demand import Demand, Floats, Ints

Conduct = Literal["bertrand", "cournot", "moncom"]
CONDUCTS: tuple[Conduct, ...] = ("bertrand", "cournot", "moncom")
BLOCK = 1024  # scenarios at a time, so that the arrays of a block stay in the cache
MOST_STEPS = 200
FOUND = 1e-11  # largest residual of an answer; reached is about 1e-14
PATIENCE = 12  # steps before every third one is halved
SAFE = 0.02  # how far from singular the joint Jacobian must be
ALONG_GOODS = ("base", "keep", "over", "relative")  # arrays of a block, sliced when solved scenarios leave it
ALONG_MAKERS = ("edge", "top", "dead")
ALONG_SCENARIOS = ("slope", "outside", "log_outside")


@dataclass(frozen=True)
class Supply:
    """Costs and rates of the goods in a batch of scenarios.

    maker: (goods,) number of each good's maker.
    cost:  (goods, scenarios) the maker's cost of one more unit, USD, duty not counted.
    rate:  (goods, scenarios) duty as a share of the border price, above −1; the buyer pays (1 + rate)·border price.
    """

    maker: Ints
    cost: Floats
    rate: Floats


@dataclass(frozen=True)
class Equilibrium:
    """Prices of a batch: ``price`` and ``share`` (goods, scenarios), as :class:`Demand` counts shares.

    residual:   (scenarios,) largest error of the makers' conditions, relative.
    iterations: (scenarios,) steps taken.
    markup:     (makers, scenarios) the unknown y of each maker, in the order of their numbers.
    """

    price: Floats
    share: Floats
    residual: Floats
    iterations: Ints
    markup: Floats = field(repr=False)


def solve(demand: Demand, supply: Supply, conduct: Conduct = "bertrand") -> Equilibrium:
    """The equilibrium of every scenario; raises :class:`SolverTrouble` if one cannot be found.

    A good off the market, or whose price would have to be infinite (CES: its duty eats more than it adds to its
    maker), has price inf and share 0.
    """
    order = np.argsort(supply.maker, kind="stable")
    first = np.flatnonzero(np.diff(supply.maker[order], prepend=-1))
    goods, scenarios = demand.taste.shape
    rows: slice | Ints = slice(None) if bool((order == np.arange(goods)).all()) else order
    price, share = np.empty((goods, scenarios)), np.empty((goods, scenarios))
    markup, residual = np.empty((len(first), scenarios)), np.empty(scenarios)
    iterations = np.zeros(scenarios, dtype=np.int64)
    for start in range(0, scenarios, BLOCK):
        part = slice(start, min(start + BLOCK, scenarios))
        some = Demand(
            demand.form, demand.taste[rows, part], demand.slope[part], demand.outside[part], demand.size[part]
        )
        block = _Block(some, Supply(supply.maker[rows], supply.cost[rows, part], supply.rate[rows, part]), first)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            markup[:, part], residual[part], iterations[part] = block.find(conduct)
            price[rows, part], share[rows, part] = block.goods(markup[:, part])
    failed = np.flatnonzero(~(residual <= FOUND))
    if len(failed):
        what = f"No equilibrium was found in scenario {failed[0]} (residual {residual[failed[0]]:.1e})."
        remedy = "Check costs and rates; a single maker without an outside option has no finite price."
        raise SolverTrouble(Fault("market", what, remedy))
    return Equilibrium(price, share, residual, iterations, markup)


class _Block:
    """The arrays of some scenarios, goods sorted by maker, and the iteration on them."""

    def __init__(self, demand: Demand, supply: Supply, first: Ints) -> None:
        goods = len(demand.taste)
        self.logit, self.slope, self.outside = demand.form == "logit", demand.slope, demand.outside
        self.taste, self.cost = demand.taste, supply.cost
        self.log_outside = np.where(demand.outside > 0, 0.0, -np.inf)
        self.maker = np.repeat(np.arange(len(first)), np.diff(np.append(first, goods)))
        self.own = [slice(a, b) for a, b in zip(first, [*first[1:], goods], strict=True)]
        self.sums = (self.maker == np.arange(len(first))[:, None]).astype(float)  # times an array: its sums by maker
        self.others = 1.0 - np.eye(len(first))
        self.over = 1.0 + supply.rate
        self.keep = self.relative = 1.0 / self.over
        if self.logit:  # ln e = base − y·over, base relative to the maker's largest
            self.base = demand.taste - self.slope * (supply.cost * self.over) - 1.0
            self.edge = -self._most(-self.over)
            self.relative = self.over - self.edge[self.maker]
            self.top = self._most(self.base)
        else:  # ln e = base + (slope − 1)·ln(keep − y)
            self.base = demand.taste + (1.0 - self.slope) * np.log(supply.cost * (self.slope / (self.slope - 1.0)))
            self.edge = self._most(self.keep)
            self.top = self._most(self.base + (self.slope - 1.0) * np.log(self.keep / self.edge[self.maker]))
        self.dead = self.top == -np.inf  # makers without a good on the market
        self.any_dead = bool(self.dead.any())
        self.top = np.where(self.dead, 0.0, self.top)
        self.base -= self.top[self.maker]

    def _most(self, values: Floats) -> Floats:
        """Largest value among the goods of each maker."""
        return np.stack([values[own].max(axis=0) for own in self.own])

    def _only(self, kept: Ints) -> None:
        """Leaves the scenarios that are solved out of the arrays."""
        for name in (*ALONG_GOODS, *ALONG_MAKERS):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, kept]))
        for name in ALONG_SCENARIOS:
            setattr(self, name, getattr(self, name)[kept])

    def _terms(self, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Of each maker ln E, H / E and −(dE/dy) / E."""
        room = np.take(y, self.maker, axis=0, mode="clip")
        if self.logit:
            index = np.multiply(room, self.relative, out=room)
            np.subtract(self.base, index, out=index)
            np.exp(index, out=index)
            total = self.sums @ index
            lost = self.sums @ (index * self.over)
            kept = self.sums @ np.multiply(index, self.keep, out=index)
            logs = self.top - y * self.edge + np.log(total)
        else:
            np.subtract(self.keep, room, out=room)
            np.maximum(room, 0.0, out=room)
            left = self.edge - y
            index = np.exp(self.base + (self.slope - 1.0) * np.log(room / left[self.maker]))
            total = self.sums @ index
            lost = self.sums @ np.divide(index, room, out=np.zeros_like(index), where=index > 0) * (self.slope - 1.0)
            kept = self.sums @ (index * room) / self.slope
            logs = self.top + (self.slope - 1.0) * np.log(left) + np.log(total)
        if self.any_dead:
            logs[self.dead], kept[self.dead], lost[self.dead], total[self.dead] = -np.inf, 1.0, 0.0, 1.0
        return logs, kept / total, lost / total

    def _against(self, logs: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """E and O of each maker and o, all over the scenario's largest; and ln of that."""
        scale = np.maximum(logs.max(axis=0), self.log_outside)
        own, outside = np.exp(logs - scale), np.exp(self.log_outside - scale)
        return own, self.others @ own + outside, outside, scale

    def _size(self, logs: Floats) -> Floats:
        """The largest ln E of a maker on the market, in size."""
        if self.any_dead:
            logs = np.where(self.dead, 0.0, logs)
        size: Floats = np.abs(logs).max(axis=0)
        return size

    def _rivals(self, logs: Floats) -> Floats:
        """Ln O of each maker, however small beside its own E."""
        rows = []
        for maker in range(len(logs)):
            others = np.vstack([np.delete(logs, maker, axis=0), self.log_outside])
            top = others.max(axis=0)
            rows.append(top + np.log(np.exp(others - top).sum(axis=0)))
        return np.stack(rows)

    def find(self, conduct: Conduct) -> tuple[Floats, Floats, Ints]:
        """The y of each maker, residual and steps of each scenario."""
        scenarios = len(self.slope)
        found, error = np.zeros(self.top.shape), np.zeros(scenarios)
        steps, active = np.zeros(scenarios, dtype=np.int64), np.arange(scenarios)
        if conduct == "moncom":
            return found, error, steps
        whole = {name: getattr(self, name) for name in (*ALONG_GOODS, *ALONG_MAKERS, *ALONG_SCENARIOS)}
        y: Floats = np.zeros(self.top.shape)
        for step in range(MOST_STEPS):
            logs, kept, lost = self._terms(y)
            own, rivals, outside, scale = self._against(logs)
            weight: float | Floats = 1.0
            against = rivals
            if conduct == "cournot" and self.logit:
                weight, against = 0.0, np.broadcast_to(outside, rivals.shape)
            elif conduct == "cournot":
                weight = 1.0 / self.slope
                against = weight * (rivals + (self.slope - 1.0) * outside)
            if step == 0:  # H is convex in y, so that y·A = H has no root below this
                y = np.maximum(own * kept / (against + own), 1e-300)
                continue
            h = np.log(y * against / kept) + scale - logs
            if not against.all():  # one maker is so far ahead that the others vanish beside it
                h = np.where(against > 0, h, np.log(y * weight) + self._rivals(logs) - logs - np.log(kept))
            if self.any_dead or y.min() <= 1e-300:  # too small to be told from nothing
                h[self.dead | ((y <= 1e-300) & (h > 0))] = 0.0
            lost *= own
            pull = weight * lost
            alone = 1.0 / y + 1.0 / kept
            across = 1.0 / (against * alone + pull)
            together = h * against * across
            safe = 1.0 - (pull * across).sum(axis=0)
            together += weight * across * ((lost * together).sum(axis=0) / safe)
            move = np.where(safe > SAFE, together, h / alone)
            worst = np.abs(h).max(axis=0)
            error[active], steps[active] = worst, step
            done = worst <= 4e-16 * (40.0 + self._size(logs))
            if step >= PATIENCE and step % 3 == 0:  # goods that leave a CES market and come back make steps alternate
                move = move / 2.0
            y = self._moved(y, move)
            if done.all():
                found[:, active] = y
                break
            if done.sum() * 2 > len(active):
                found[:, active[done]] = y[:, done]
                kept_on = np.flatnonzero(~done)
                active, y = active[kept_on], y[:, kept_on]
                self._only(kept_on)
        else:
            found[:, active] = y
        for name, values in whole.items():
            setattr(self, name, values)
        found[self.dead] = 0.0
        return found, error, steps

    def _moved(self, y: Floats, move: Floats) -> Floats:
        """The y after a step: in ln y downwards; upwards in y (logit) or in −ln(edge − y) (CES)."""
        down = np.maximum(y * np.exp(-np.maximum(move, 0.0) / y), 1e-300)
        if self.logit:
            return np.where(move > 0, down, y - move)
        room = self.edge - y
        return np.where(move > 0, down, y - room * np.expm1(np.minimum(move, 0.0) / room))

    def goods(self, y: Floats) -> tuple[Floats, Floats]:
        """Price and share of each good."""
        if self.logit:
            price = self.over * (self.cost + y[self.maker] / self.slope) + 1.0 / self.slope
            index = self.taste - self.slope * price
        else:
            room = np.maximum(self.keep - y[self.maker], 0.0)
            price = self.cost * (self.slope / (self.slope - 1.0)) / room
            index = self.taste + (1.0 - self.slope) * np.log(price)
        price[self.taste == -np.inf] = np.inf
        top = np.maximum(index.max(axis=0), self.log_outside)
        share = np.exp(index - top)
        share /= share.sum(axis=0) + np.exp(self.log_outside - top)
        return price, share
