"""A second formulation of the planner: the contract read plainly, loop by loop, as one model in one piece."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from tests.toy import month

from ashore import network, plans
from ashore.plans import Futures, Node


def made_at(plant: str) -> str:
    """Where a plant keeps what it made, which alone it ships on."""
    return f"made at {plant}"


class Reference:
    """The plan as a plain reading of the contract, loop by loop: openings as impulses, every origin kept apart."""

    def __init__(self, case: network.Network, futures: Futures, months: int, rate: Any, margin: bool = False) -> None:
        self.net, self.futures, self.months, self.rate, self.margin = case, futures, months, rate, margin
        self.columns: dict[Any, int] = {}
        self.upper: list[float] = []
        self.whole: list[bool] = []
        self.cost: list[dict[str, float]] = []  # by node, discounted
        self.entries: dict[Any, dict[int, float]] = {}
        self.sides: dict[Any, tuple[float, float]] = {}
        self.kids = {n.name: [c for c in futures.nodes if c.parent == n.name] for n in futures.nodes}
        self.slots = [(n.name, t) for n in futures.nodes for t in range(months) if self._holds(n, t)]
        self._write()

    def _holds(self, node: Node, t: int) -> bool:
        return node.start <= month(t) and not any(kid.start <= month(t) for kid in self.kids[node.name])

    def chance(self, name: str) -> float:
        return float(np.prod([node.chance for node in self.futures.path(name)]))

    def before(self, slot: tuple[str, int], lag: int) -> tuple[str, int] | None:
        t = slot[1] - lag
        names = [node.name for node in self.futures.path(slot[0])]
        return next(((n, t) for n in reversed(names) if (n, t) in self.slots), None)

    def col(self, key: Any, upper: float = np.inf, whole: bool = False) -> int:
        if key not in self.columns:
            self.columns[key] = len(self.columns)
            self.upper.append(upper)
            self.whole.append(whole)
            self.cost.append({})
        return self.columns[key]

    def pay(self, key: Any, node: str, t: int, usd: float) -> None:
        cost = self.cost[self.columns[key]]
        cost[node] = cost.get(node, 0.0) + usd * (1 + self.net.settings.discount_year) ** (-t / 12)

    def add(self, row: Any, key: Any, value: float) -> None:
        entry = self.entries.setdefault(row, {})
        entry[self.columns[key]] = entry.get(self.columns[key], 0.0) + value

    def want(self, market: str, item: str, slot: tuple[str, int]) -> tuple[float, float | None]:
        found = [d for d in self.net.demand if (d.market, d.product) == (market, item) and d.month in (None, slot[1])]
        units = found[0].units if found else 0.0
        for row in self.futures.demand:
            if (row.node, row.market, row.product) == (slot[0], market, item) and row.month in (None, slot[1]):
                units = row.units
        return units, found[0].lost_usd if found else None

    def price(self, market: str, item: str, t: int) -> float:
        found = [d for d in self.net.demand if (d.market, d.product) == (market, item) and d.month in (None, t)]
        return (found[0].price_usd or 0.0) if found and self.margin else 0.0

    def potential(self, leaf: str) -> float:
        """What the demand along a branch could bring, discounted."""
        path = {node.name for node in self.futures.path(leaf)}
        return sum(
            self.want(market, item, (node, t))[0]
            * self.price(market, item, t)
            * (1 + self.net.settings.discount_year) ** (-t / 12)
            for node, t in self.slots
            if node in path
            for market, item in product(self.net.markets, self.net.products)
        )

    def _write(self) -> None:
        net, places = self.net, [*self.net.plants, *self.net.markets]
        origins = sorted(
            {p.country for p in net.plants.values()} | {s.origin for r in net.supplies.values() for s in r}
        )
        stores = [*places, *map(made_at, net.plants)]
        for slot in self.slots:
            node, t = slot
            for place, item, o in product(stores, net.products, origins):
                self.sides["keep", place, item, o, slot] = (0.0, 0.0)
                key = ("stock", place, item, o, slot)
                self.col(key)
                self.pay(key, node, t, net.settings.hold_usd_month)
                self.add(("keep", place, item, o, slot), key, -1)
        for slot in self.slots:
            self._stock_and_demand(slot, stores, origins)
            self._moves(slot, places, origins)
            self._plants(slot, origins)

    def _stock_and_demand(self, slot: Any, places: Any, origins: Any) -> None:
        earlier = self.before(slot, 1)
        for place, item, o in product(places, self.net.products, origins):
            if earlier:
                self.add(("keep", place, item, o, slot), ("stock", place, item, o, earlier), 1)
        for market, item in product(self.net.markets, self.net.products):
            units, lost_usd = self.want(market, item, slot)
            self.sides["want", market, item, slot] = (units, units)
            for o in origins:
                self.col(("serve", market, item, o, slot))
                self.add(("keep", market, item, o, slot), ("serve", market, item, o, slot), -1)
                self.add(("want", market, item, slot), ("serve", market, item, o, slot), 1)
            if lost_usd is not None:
                self.col(("lost", market, item, slot))
                self.pay(("lost", market, item, slot), *slot, lost_usd + self.price(market, item, slot[1]))
                self.add(("want", market, item, slot), ("lost", market, item, slot), 1)

    def _moves(self, slot: Any, places: Any, origins: Any) -> None:
        goods = [
            (s.product, s.origin, s.origin, lane, place, s.price_usd, s.price_usd)
            for sold in self.net.supplies.values()
            for s in sold
            for place in places
            for lane in self.net.supply_lanes(s, place)
        ]
        goods += [
            (make.product, o, make.plant, lane, place, 0.0, make.customs_value_usd)
            for make in self.net.makes.values()
            for o in origins
            if not self.net.confers(make) or o == self.net.plants[make.plant].country
            for place in places
            if place != make.plant and self._of_use(make.product, place)
            for lane in self.net.lanes_between(make.plant, place)
        ]
        for item, o, start, lane, place, price, value in goods:
            lag = plans.calendar.transit_months(lane.days)
            there = [s for s in self.slots if self.before(s, lag) == slot]
            if not there:
                continue
            key = ("move", item, o, start, lane.mode, place, slot)
            self.col(key)
            freight = lane.usd_per_kg * self.net.products[item].weight_kg + lane.usd_per_unit
            self.pay(key, *slot, price + freight + self.net.settings.insurance_share * value)
            if start in self.net.plants:
                self.add(("keep", made_at(start), item, o, slot), key, -1)
            for arrival in there:
                self.add(("keep", place, item, o, arrival), key, 1)
                if self.net.country_of(place) == "US" != self.net.country_of(start):
                    self.pay(key, *arrival, value * self.rate(arrival, self.net.products[item].hts, o))

    def _of_use(self, item: str, place: str) -> bool:
        makes = [make for make in self.net.makes.values() if make.plant == place]
        return place in self.net.markets or any(p.part == item for m in makes for p in self.net.parts[m.product])

    def _plants(self, slot: Any, origins: Any) -> None:
        node, t = slot
        for name, plant in self.net.plants.items():
            room = ("room", name, slot)
            self.sides[room] = (-np.inf, plant.capacity_month if plant.open else 0.0)
            self.entries.setdefault(room, {})
            if plant.open:
                self.col(("base",), 1.0)
                self.pay(("base",), node, t, plant.fixed_usd_month)
                self.sides["base"] = (1.0, 1.0)
                self.entries["base"] = {self.columns["base",]: 1.0}
            else:
                self._openings(name, plant, slot, room)
            for make in self.net.makes.values():
                if make.plant == name:
                    self._make(make, slot, room, origins)

    def _openings(self, name: str, plant: Any, slot: Any, room: Any) -> None:
        node, t = slot
        if t + plant.lead_months < self.months:
            self.col(("open", name, slot), 1.0, True)
            self.pay(("open", name, slot), node, t, plant.open_usd)
        self.sides["once", name, slot] = (-np.inf, 1.0)
        self.entries.setdefault(("once", name, slot), {})
        for lag in range(t + 1):
            order = self.before(slot, lag)
            if ("open", name, order) not in self.columns:
                continue
            self.add(("once", name, slot), ("open", name, order), 1)
            age = lag - plant.lead_months
            if age >= 0:
                share = min(1.0, (age + 1) / (plant.ramp_months + 1))
                self.add(room, ("open", name, order), -share * plant.capacity_month)
                self.pay(("open", name, order), node, t, plant.fixed_usd_month)

    def _make(self, make: Any, slot: Any, room: Any, origins: Any) -> None:
        home = self.net.plants[make.plant].country
        essential = None if self.net.confers(make) else self.net.essential(make.product)
        for o in [home] if essential is None else origins:
            key = ("make", make.plant, make.product, o, slot)
            self.col(key)
            self.pay(key, *slot, make.cost_usd)
            self.add(room, key, make.capacity_use)
            self.add(("keep", made_at(make.plant), make.product, o, slot), key, 1)
            for part in self.net.parts[make.product]:
                row = ("need", make.plant, make.product, o, part.part, slot)
                self.sides[row] = (0.0, 0.0)
                self.add(row, key, -part.quantity)
                for own, store in product(
                    [o] if part.part == essential else origins, (make.plant, made_at(make.plant))
                ):
                    use = ("use", store, make.product, o, part.part, own, slot)
                    self.col(use)
                    self.add(row, use, 1)
                    self.add(("keep", store, part.part, own, slot), use, -1)

    def optimum(self, risk: float, tail: float, credit: Mapping[str, float] | None = None) -> float:
        """``credit``: what the cost of each branch is set against; for margin what its demand could bring."""
        import highspy

        names = [node.name for node in self.futures.nodes]
        leaves = [name for name in names if not self.kids[name]]
        credit = credit or {leaf: self.potential(leaf) for leaf in leaves}
        mean = [sum(self.chance(n) * usd for n, usd in cost.items()) for cost in self.cost]
        size = len(mean)
        objective = [(1 - risk) * usd for usd in mean]
        lower = [0.0] * size
        if risk:
            for leaf in leaves:  # z ≥ cost of the path − η
                path = {node.name for node in self.futures.path(leaf)}
                row = {j: -sum(usd for n, usd in cost.items() if n in path) for j, cost in enumerate(self.cost)}
                self.entries["tail", leaf] = {j: v for j, v in row.items() if v}
                self.entries["tail", leaf][len(objective)] = 1.0
                self.sides["tail", leaf] = (-credit[leaf], np.inf)
                objective.append(risk * self.chance(leaf) / (1 - tail))
                lower.append(0.0)
            for leaf in leaves:
                self.entries["tail", leaf][len(objective)] = 1.0
            objective.append(risk)
            lower.append(-np.inf)
        solver = plans.solver._Quiet()
        upper = self.upper + [np.inf] * (len(objective) - size)
        whole = self.whole + [False] * (len(objective) - size)
        solver.addVars(len(objective), np.array(lower), np.array(upper))
        every = np.arange(len(objective), dtype=np.int32)
        solver.changeColsCost(len(objective), every, np.array(objective))
        solver.changeColsIntegrality(len(objective), every, np.array(whole, dtype=np.uint8))
        for row, (low, high) in self.sides.items():
            entry = self.entries.get(row, {})
            index = np.array(list(entry), dtype=np.int32)
            solver.addRow(low, high, len(entry), index, np.array(list(entry.values()), dtype=float))
        solver.setOptionValue("mip_rel_gap", 1e-9)
        solver.run()
        assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        expected = sum(self.chance(leaf) * usd for leaf, usd in credit.items())
        return float(solver.getInfo().objective_function_value) - (1 - risk) * expected
