"""What the description of the files says of months, branches, orders, duties, lanes, origins and values: read again.

Nothing here calls the package; it reads the plain tables of :class:`tests.random_networks.Case`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import product as combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tests.random_networks import Case

HOME = "US"
Orders = dict[str, int | None]  # month in which a plant is ordered on each branch; None: never


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


def orders(tree: Tree, lead_months: int) -> Iterator[Orders]:
    """Every way to order one plant: on each branch in one month or never, without knowing what comes.

    Orders too late to be ready within the plan are left out: they cost and bring nothing.
    """
    last = len(tree.months) - lead_months

    def ways(branches: Sequence[str], month: int) -> Iterator[Orders]:
        if month >= last:
            yield dict.fromkeys(branches)
            return
        groups: dict[str, list[str]] = {}
        for branch in branches:
            groups.setdefault(tree.decider(branch, month), []).append(branch)
        each = [[dict.fromkeys(group, month), *ways(group, month + 1)] for group in groups.values()]
        for parts in combinations(*each):
            yield {branch: when for part in parts for branch, when in part.items()}

    yield from ways(tree.branches, 0)


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
