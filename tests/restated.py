"""What the description of the files says of months, branches, plants, duties, lanes, origins and values: read again.

Nothing here calls the package; it reads the plain tables of :class:`tests.random_networks.Case`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from itertools import product as combinations
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from tests.random_networks import Case

HOME = "US"


def first_of(start: date, month: int) -> date:
    """First day of month ``month`` of a plan that starts on the first of a month."""
    year, place = divmod(start.year * 12 + start.month - 1 + month, 12)
    return date(year, place + 1, 1)


class Tree:
    """Which node holds, and which decides on openings, in each month of each branch."""

    def __init__(self, case: Case) -> None:
        self.nodes = {node["id"]: node for node in case.nodes}
        parents = {node.get("parent") for node in case.nodes}
        self.branches = [name for name in self.nodes if name not in parents]
        self.months = range(case.months)
        self.days = [first_of(case.start, t) for t in self.months]
        self.chance = {
            b: float(np.prod([self.nodes[n].get("chance", 1.0) for n in self.path(b)])) for b in self.branches
        }

    def path(self, name: str) -> list[str]:
        """The nodes from the root to this one."""
        above = self.nodes[name].get("parent")
        return [*(self.path(above) if above else []), name]

    def holder(self, branch: str, month: int) -> str:
        """The latest node of the branch that has started by the first day of the month."""
        return [n for n in self.path(branch) if self.nodes[n]["from"] <= self.days[month]][-1]

    def decider(self, branch: str, month: int) -> str:
        """The node in which the openings of the month are decided.

        A node whose children start on its own day has no month; what falls due on that day is decided in it.
        """
        name = self.holder(branch, month)
        parent = self.nodes[name].get("parent")
        begins = month == 0 or self.holder(branch, month - 1) != name
        if parent and begins and self.nodes[parent]["from"] == self.nodes[name]["from"]:
            return str(parent)
        return name


class Month(NamedTuple):
    """A month in the life of a plant: what it ``was`` in the month before and ``is`` now, and what is ordered.

    was, is: "" until it is ready, then on, idle or closed. age: months it has been ready. ordered: whether it is
    ordered now. bought: modules ordered now. fitted: modules that are ready.
    """

    was: str = ""
    state: str = ""
    age: int = 0
    ordered: bool = False
    bought: int = 0
    fitted: int = 0


Life = dict[str, tuple[Month, ...]]  # of a plant, by branch


class _Past(NamedTuple):
    """What has been decided of a plant so far: when it was ordered, what it is, when each module was ordered."""

    ordered: int | None
    state: str
    modules: tuple[int, ...] = ()


class Lives:
    """Every life of one plant: what is decided in each month of each branch, without knowing what comes.

    Left out is what costs and brings nothing: orders too late to be ready within the plan, of a plant or of modules,
    and modules for a plant that is closed.
    """

    def __init__(self, tree: Tree, plant: dict[str, Any]) -> None:
        self.tree, self.plant = tree, plant
        self.last = len(tree.months)
        self.most = plant.get("modules") or 0
        self.lead, wait = plant["lead_months"], plant.get("module_lead_months")
        self.wait = self.lead if wait is None else wait
        self.start = _Past(0, "on") if plant["open"] == "yes" else _Past(None, "")

    def __iter__(self) -> Iterator[Life]:
        return self._ways(self.tree.branches, 0, self.start)

    def count(self) -> int:
        """The number of lives."""

        @cache
        def ways(branches: tuple[str, ...], t: int, past: _Past) -> int:
            if t == self.last:
                return 1
            groups = self._groups(branches, t)
            return prod(sum(ways(tuple(g), t + 1, after) for _, after in self._months(past, t)) for g in groups)

        return ways(tuple(self.tree.branches), 0, self.start)

    def _ways(self, branches: Sequence[str], t: int, past: _Past) -> Iterator[Life]:
        if t == self.last:
            yield dict.fromkeys(branches, ())
            return
        each = [
            [{branch: (now, *rest[branch]) for branch in group}
             for now, after in self._months(past, t) for rest in self._ways(group, t + 1, after)]
            for group in self._groups(branches, t)
        ]  # fmt: skip
        for parts in combinations(*each):
            yield {branch: life for part in parts for branch, life in part.items()}

    def _groups(self, branches: Sequence[str], t: int) -> list[list[str]]:
        """The branches that decide together in a month."""
        groups: dict[str, list[str]] = {}
        for branch in branches:
            groups.setdefault(self.tree.decider(branch, t), []).append(branch)
        return list(groups.values())

    def _months(self, past: _Past, t: int) -> Iterator[tuple[Month, _Past]]:
        """What a month can be, and what has been decided after it."""
        standing, last = self.plant["open"] == "yes", self.last
        may_order = past.ordered is None and t + self.lead < last
        for when in (None, t) if may_order else (past.ordered,):
            ready = 0 if standing else last if when is None else when + self.lead
            soonest = 0 if standing else last if when is None else when + max(0, self.lead - self.wait)
            for state in _next(past.state, self.plant) if t >= ready else ("",):
                fits = soonest <= t < last - self.wait and state != "closed"
                for bought in range(self.most - len(past.modules) + 1 if fits else 1):
                    modules = (*past.modules, *[t] * bought)
                    fitted = sum(month + self.wait <= t for month in modules)
                    ordered = past.ordered is None and when is not None
                    now = Month(past.state, state, max(0, t - ready), ordered, bought, fitted)
                    yield now, _Past(when, state, modules)


def _next(state: str, plant: dict[str, Any]) -> list[str]:
    """What a plant that is ready can be in a month, by what it was in the month before."""
    if state == "closed":
        return ["closed"]
    found = ["on"]
    if plant.get("mothball_usd") is not None:
        found.append("idle")
    if plant.get("close_usd") is not None:
        found.append("closed")
    return found


def has_a_choice(plant: dict[str, Any]) -> bool:
    """Whether anything can be decided of a plant: a candidate, or one that can expand, be laid up or closed."""
    return plant["open"] == "no" or any(plant.get(x) is not None for x in ("modules", "mothball_usd", "close_usd"))


def cost_of(plant: dict[str, Any], month: Month) -> float:
    """USD of a month: orders, steps from state to state, and fixed cost of a plant that runs or is laid up."""
    usd = plant["open_usd"] * month.ordered + (plant.get("module_usd") or 0.0) * month.bought
    if month.state == "on":
        usd += plant["fixed_usd_month"] + (plant.get("module_fixed_usd_month") or 0.0) * month.fitted
    if month.state == "idle":
        usd += plant["idle_usd_month"]
    if month.state != month.was:
        steps = {"idle": "mothball_usd", "closed": "close_usd"}
        usd += plant[steps[month.state]] if month.state in steps else 0.0
        usd += plant["restart_usd"] if (month.was, month.state) == ("idle", "on") else 0.0
    return float(usd)


def steps_of(life: Life) -> set[tuple[str, int, str, int]]:
    """What is done: branch, month, step (as a plan calls it) and number of modules."""
    names = {("idle", "on"): "restart"}
    found = set()
    for branch, months in life.items():
        for t, month in enumerate(months):
            if month.ordered:
                found.add((branch, t, "open", 0))
            if month.bought:
                found.add((branch, t, "expand", month.bought))
            step = {"idle": "mothball", "closed": "close"}.get(month.state) or names.get((month.was, month.state))
            if step and month.state != month.was:
                found.add((branch, t, step, 0))
    return found


def capacity_of(plant: dict[str, Any], month: Month) -> float:
    """Units of capacity in a month: a ramp goes on while the plant is laid up; modules run in full."""
    if month.state != "on":
        return 0.0
    share = 1.0 if plant["open"] == "yes" else min(1.0, (month.age + 1) / (plant["ramp_months"] + 1))
    return float(plant["capacity_month"] * share + (plant.get("module_month") or 0.0) * month.fitted)


class Law:
    """The small rule book of the tests in words: duty as a share of customs value, by its description.

    Column 1 is 2.6 per cent but for chips; a baseline of 10 per cent from 2025-04-05 to 2026-02-24 on all but MX
    gives way to a country rate on MY (19 per cent, from 2025-08-07), to a floor of 15 per cent on KR (the same
    days), to the duty of 25 per cent on metal goods (from 2025-04-05), and spares chips; rigs of CN pay 7 per cent.
    What names no origin bears on foreign goods only.
    """

    OTHERS = date.max

    def __init__(self, products: dict[str, dict[str, Any]]) -> None:
        self.products = products

    def rate(self, product: str, origin: str, day: date, changes: Sequence[dict[str, Any]]) -> float:
        """``changes``: those of the nodes on the branch so far, each with the day (``from``) it counts from."""
        new = [c for c in changes if "heading" in c and self._bears(c, product, origin, day)]
        if any(c["kind"] == "free" for c in new):
            return 0.0
        hts = self.products[product]["hts"].replace(".", "")
        chip, metal_goods = hts.startswith("8542"), hts.startswith("85444290")
        column = 0.0 if chip else 0.026
        metal = (
            self._standing("metal", date(2025, 4, 5), self.OTHERS, 0.25, day, changes)
            if metal_goods and origin != HOME
            else None
        )
        spring, autumn, end = date(2025, 4, 5), date(2025, 8, 7), date(2026, 2, 24)
        spared = chip and day >= spring
        country = self._standing("country", autumn, end, 0.19, day, changes) if origin == "MY" else None
        floors = [0.15] if origin == "KR" and autumn <= day < end else []
        baseline = self._standing("baseline", spring, end, 0.10, day, changes) if origin not in ("MX", HOME) else None
        owed = 0.0
        if metal is not None:
            owed += metal
        if country is not None and metal is None and not spared:
            owed += country
        if baseline is not None and country is None and not floors and metal is None and not spared:
            owed += baseline
        if origin == "CN" and hts == "8543709860":
            owed += self._standing("suffix", spring, self.OTHERS, 0.07, day, changes) or 0.0
        owed += sum(c["rate"] for c in new if c["kind"] in ("add", "replace"))
        floors += [c["rate"] for c in new if c["kind"] == "floor"]
        replaced = any(c["kind"] == "replace" for c in new)
        return owed + (0.0 if replaced else column) + sum(max(0.0, floor - column) for floor in floors)

    @staticmethod
    def _standing(
        name: str, start: date, until: date, rate: float, day: date, changes: Sequence[dict[str, Any]]
    ) -> float | None:
        """The rate of a rule of the book on a day, None if it is not in force."""
        for change in changes:
            if change.get("rule") == name and change["from"] <= day and until > change["from"]:
                start = max(start, change["from"])
                rate, until = change.get("rate", rate), change.get("until", until)
        return rate if start <= day < until else None

    def _bears(self, change: dict[str, Any], product: str, origin: str, day: date) -> bool:
        if not change["from"] <= day < change.get("until", self.OTHERS):
            return False
        if origin == HOME if change["origins"] == "*" else origin not in change["origins"]:
            return False
        row = self.products[product]
        named = change["products"]
        own = row["hts"].replace(".", "")
        return named == "*" or any(
            own.startswith(word.replace(".", "")) if word[0].isdigit() else self._same_number(word, own)
            for word in named
        )

    def _same_number(self, word: str, hts: str) -> bool:
        """A product or a kind of product stands for its tariff numbers."""
        rows = self.products.values()
        found = [row for row in rows if row["product"] == word] or [row for row in rows if row["kind"] == word]
        return hts in [row["hts"].replace(".", "") for row in found]


class Reading:
    """What the tables say of lanes, origins and customs values."""

    def __init__(self, case: Case) -> None:
        self.t = case.tables
        self.assembly = case.settings["origin_rule"] == "assembly"
        self.parts: dict[str, dict[str, float]] = {}
        for row in self.t["parts"]:
            self.parts.setdefault(row["product"], {})[row["part"]] = row["quantity"]
        self.country = {
            row[key]: row["country"]
            for key, name in (("plant", "plants"), ("market", "markets"))
            for row in self.t[name]
        }
        self.country |= {code: code for code in {row["origin"] for row in self.t["supplies"]}}
        self.weight = {row["product"]: row["weight_kg"] for row in self.t["products"]}
        self.origins = {row["product"]: self._origins(row["product"]) for row in self.t["products"]}

    def lanes(self, start: str, end: str) -> list[tuple[str, Any, int]]:
        """Mode, freight of a product and months on the way, the most exact row of each mode."""
        home, abroad = self.country[start], self.country[end]
        found: dict[str, Any] = {}
        for pair in ((start, end), (start, abroad), (home, end), (home, abroad)):
            for row in self.t["lanes"]:
                if (row["from"], row["to"]) == pair:
                    found.setdefault(row["mode"], row)

        def freight(row: Any) -> Any:
            return lambda item: (row["usd_per_kg"] or 0.0) * self.weight[item] + (row["usd_per_unit"] or 0.0)

        return [(m, freight(row), int((row["days"] or 0) / 30.4375 + 0.5)) for m, row in sorted(found.items())]

    def handed_on(self, make: dict[str, Any]) -> str | None:
        """The part whose origin the product keeps, None if making it confers origin."""
        if self.assembly or make["confers_origin"] != "no":
            return None
        return next(r["part"] for r in self.t["parts"] if r["product"] == make["product"] and r["essential"] == "yes")

    def origins_made(self, make: dict[str, Any]) -> list[str]:
        part = self.handed_on(make)
        return [self.country[make["plant"]]] if part is None else self._origins(part)

    def _origins(self, product: str) -> list[str]:
        """Every origin a product can have, wherever it is."""
        found = {row["origin"] for row in self.t["supplies"] if row["product"] == product}
        for row in self.t["makes"]:
            if row["product"] == product:
                found.update(self.origins_made(row))
        return sorted(found)

    def value_of(self, make: dict[str, Any]) -> float:
        """Declared value of a good unit: as given, else its cost and its parts at their lowest, over the yield."""
        if make["customs_value_usd"] is not None:
            return float(make["customs_value_usd"])
        parts = self.parts.get(make["product"], {}).items()
        started = make["cost_usd"] + sum(quantity * self._lowest(part) for part, quantity in parts)
        return float(started / (make["yield"] or 1.0))

    def _lowest(self, product: str) -> float:
        bought = [row["price_usd"] for row in self.t["supplies"] if row["product"] == product]
        return min([*bought, *(self.value_of(row) for row in self.t["makes"] if row["product"] == product)])
