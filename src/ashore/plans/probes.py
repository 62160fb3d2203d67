"""Probes of a plan: the best plan, and what it decides first, when rules charge other rates.

The first decision is the set of plants ordered before the first split of the tree (in a tree without one: in month 0),
with what else has been decided on plants by then: modules added, laid up, closed. Each independent part of the network
is probed for itself, warm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ashore.plans.again import Again
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.decode import states
from ashore.plans.rates import Costs, Rates
from ashore.plans.sheet import Arrays
from ashore.plans.solver import NoPlan

Decided = tuple[str, ...]  # "a", "b +2 modules", "c laid up", "d closed", in the order of the network


@dataclass(frozen=True)
class Probe:
    """The best plan of a part at some rates: what it decides first, the part's columns, and what it costs.

    line: what it costs at rate 0 of all rules, and more for each unit of each rate, where duty is linear in them.
    """

    decided: Decided
    x: Floats
    usd: float
    line: Floats


@dataclass
class Part:
    """An independent part of the model: its place (None: the whole), its plants and columns, and what was found."""

    place: int | None
    plants: tuple[str, ...]
    columns: Ints
    probes: dict[Rates, Probe] = field(default_factory=dict)
    doubt: float = 0.0


def trunk(calendar: Calendar) -> Ints:
    """The decision moments before the first split of the tree; only the first one if it never splits."""
    parents = calendar.node_parent[calendar.node_parent >= 0]
    count = np.bincount(parents, minlength=len(calendar.nodes))
    if not np.any(count > 1):
        return np.zeros(1, dtype=np.int64)
    common = np.zeros(len(calendar.nodes), dtype=bool)
    for node, parent in enumerate(calendar.node_parent.tolist()):
        common[node] = parent < 0 or (bool(common[parent]) and count[parent] == 1)
    return np.flatnonzero(common[calendar.moment_node])


class Probes:
    """A plan probed under other rates of some rules, part by part where the parts are solved apart."""

    def __init__(self, again: Again, rules: tuple[str, ...], most: float) -> None:
        self.again, self.posed = again, again.posed
        self.costs = Costs(self.posed, rules, most)
        self.moments = trunk(self.posed.calendar)
        self.parts = self._parts()
        self.order: dict[str, int] = {}  # what was decided: the place of its plant
        self.solved = 0
        self.linear = self.costs.linear and all(part.place is not None for part in self.parts)

    def _parts(self) -> list[Part]:
        """The parts in which anything is decided about a plant."""
        sites, columns = self.posed.model.sites, self.posed.arrays.columns
        names = tuple(plant.name for plant in sites.plants)
        if self.again.warm is None:
            return [Part(None, names, np.arange(columns))]
        found = []
        for place, (own, _) in enumerate(self.again.warm.pieces):
            mine = np.zeros(columns, dtype=bool)
            mine[own] = True
            plants = tuple(name for name in names if np.any(mine[sites.own(name)]))
            if plants:
                found.append(Part(place, plants, own))
        return found

    def at(self, part: Part, rates: Rates, beside: Sequence[Probe] = ()) -> Probe:
        """The best plan of a part; one that decides like a probe beside it, if that costs no more than the gap."""
        if rates in part.probes:
            return part.probes[rates]
        arrays = replace(self.posed.arrays, cost=self.costs.at(rates))
        best = self._solve(part, rates, arrays)
        for other in beside if all(each.decided != best.decided for each in beside) else ():
            usd = float(arrays.cost[part.columns] @ other.x) if part.place is not None else np.inf
            limit = best.usd + self.again.limits.gap * abs(best.usd)
            like = replace(other, usd=usd) if usd <= limit else self._like(part, rates, arrays, other)
            if like.usd <= limit:
                best = like
                break
        part.probes[rates] = best
        return best

    def _solve(self, part: Part, rates: Rates, arrays: Arrays) -> Probe:
        """The best plan; its cost infinite if there is none."""
        self.solved += 1
        again = self.again
        try:
            if again.warm is not None and part.place is not None:
                answer = again.warm.answer(arrays, again.known, [part.place])
                usd = answer.parts[part.place][0]
            else:
                answer = again.answer(arrays, replace(self.posed.aim, costs=self.costs.charges(rates)))
                usd = answer.objective
        except NoPlan:
            return Probe((), np.zeros(len(part.columns)), np.inf, np.full(len(rates) + 1, np.inf))
        x = answer.x[part.columns]
        line = np.array([cost[part.columns] @ x for cost in (self.costs.base, *self.costs.slopes)])
        return Probe(self._decided(part, answer.x), x, usd, line)

    def cheapest(self, given: Sequence[Probe], rates: Rates) -> Probe:
        """Of some plans found the one that costs least at some rates, which duty must be linear in."""
        return min(given, key=lambda probe: float(probe.line @ np.array([1.0, *rates])))

    def _like(self, part: Part, rates: Rates, arrays: Arrays, other: Probe) -> Probe:
        """The best plan in which a part decides first as another probe does."""
        lower, upper = arrays.col_lower.copy(), arrays.col_upper.copy()
        x = np.zeros(arrays.columns)
        x[part.columns] = other.x
        for (_, plant), columns in self.posed.model.sites.states():
            known = columns[self.moments]
            known = known[known >= 0]
            if plant in part.plants and len(known):
                lower[known[-1]] = upper[known[-1]] = np.round(x[known[-1]])
        return self._solve(part, rates, replace(arrays, col_lower=lower, col_upper=upper))

    def _decided(self, part: Part, x: Floats) -> Decided:
        """What has been decided by the last of the first moments on the plants of a part."""
        found = states(self.posed.model, np.round(x))
        now = {name: values[:, self.moments] for name, values in found.now.items()}
        words: list[str] = []
        for k, plant in enumerate(self.posed.model.sites.plants):
            if plant.name not in part.plants:
                continue
            modules = round(float(now["ordered"][k].max()))
            ready, held, on = (now[name][k, -1] for name in ("ready", "held", "on"))
            said = (
                (now["opened"][k].max() > 0.5, plant.name),
                (modules > 0, f"{plant.name} +{modules} modules"),
                (ready - held > 0.5, f"{plant.name} closed"),
                (held - on > 0.5, f"{plant.name} laid up"),
            )
            mine = [text for true, text in said if true]
            self.order |= dict.fromkeys(mine, k)
            words += mine
        return tuple(words)

    def together(self, decided: Iterable[Decided]) -> Decided:
        """What is decided in all parts, in the order of the network."""
        return tuple(sorted((words for each in decided for words in each), key=lambda words: self.order[words]))
