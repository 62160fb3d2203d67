"""Small random planning cases as plain tables: networks with parts and origins, trees of policies, what is at risk.

Nothing here calls the planner; a case can be given to it, or be read table by table by another statement of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from tests.restated import Lives, Tree, first_of

from ashore import network, plans
from ashore.rules import RuleBook

Table = list[dict[str, Any]]

COLUMNS = {
    "products": "product maker kind hts weight_kg",
    "parts": "product part quantity essential",
    "plants": "plant company country open open_usd fixed_usd_month lead_months ramp_months capacity_month",
    "makes": "plant product cost_usd customs_value_usd capacity_use confers_origin yield",
    "supplies": "product origin price_usd limit_month",
    "lanes": "from to mode usd_per_kg usd_per_unit days",
    "markets": "market country",
    "demand": "market product month units price_usd lost_usd",
}
MORE = (
    *("module_month", "module_usd", "modules", "module_lead_months", "module_fixed_usd_month"),
    *("mothball_usd", "idle_usd_month", "restart_usd", "close_usd"),
)
PRODUCTS = (
    ("rig", "Acme", "rig", "8543.70.98.60", 8),
    ("unit", "Acme", "rig", "8543.70.98.60", 3),
    ("board", "Acme", "board", "8543.70.98.10", 1),
    ("cable", "Wire", "cable", "8544.42.90.10", 0.5),
    ("chip", "Fab", "chip", "8542.31.00", 0),
)
COUNTRIES = ("CN", "MY", "KR", "US", "MX")
STARTS = (date(2025, 2, 1), date(2025, 6, 1), date(2025, 12, 1))  # before, between and after the changes of the book


@dataclass(frozen=True)
class Case:
    """Rows of the network's tables and settings, nodes (id, parent, from, chance, changes) and what they demand."""

    seed: int
    tables: dict[str, Table]
    settings: dict[str, Any]
    nodes: Table
    wanted: Table = field(default_factory=list)  # node, market, product, month, units
    start: date = STARTS[0]
    months: int = 4
    risk: float = 0.0
    tail: float = 0.5

    @property
    def candidates(self) -> list[str]:
        return [row["plant"] for row in self.tables["plants"] if row["open"] == "no"]

    def asked(self, book: RuleBook, folder: Path) -> tuple[network.Network, RuleBook, date, int, plans.Futures]:
        """What ``plans.solve`` is to be called with; the nodes go through a file in ``folder``."""
        net = network.load({name: _whole(name, rows) for name, rows in self.tables.items()}, self.settings)
        path = folder / "futures.toml"
        path.write_text("\n".join(_toml(node) for node in self.nodes), encoding="utf-8")
        futures = plans.read_futures(path, book, net)
        rows = [
            plans.NodeDemand(*(row[k] for k in ("node", "market", "product", "month", "units"))) for row in self.wanted
        ]
        return net, book, self.start, self.months, replace(futures, demand=tuple(rows))

    def with_table(self, name: str, rows: Table) -> Case:
        return replace(self, tables={**self.tables, name: rows})

    def alone(self, leaf: str) -> Case:
        """The case in which one branch is certain from the start."""
        path: list[str] = []
        name: str | None = leaf
        above = {node["id"]: node.get("parent") for node in self.nodes}
        while name is not None:
            path.append(name)
            name = above[name]
        nodes = [{**node, "chance": 1.0} for node in self.nodes if node["id"] in path]
        return replace(self, nodes=nodes, wanted=[row for row in self.wanted if row["node"] in path])

    @property
    def leaves(self) -> list[str]:
        parents = {node.get("parent") for node in self.nodes}
        return [node["id"] for node in self.nodes if node["id"] not in parents]


def _whole(name: str, rows: Table) -> Any:
    return rows or {column: [] for column in COLUMNS[name].split()}


def _toml(node: dict[str, Any]) -> str:
    def value(x: Any) -> str:
        if isinstance(x, str):
            return f'"{x}"'
        return "[" + ", ".join(map(value, x)) + "]" if isinstance(x, list) else str(x)

    lines = ["[[node]]", *(f"{key} = {value(node[key])}" for key in ("id", "parent", "from", "chance") if key in node)]
    for change in node.get("changes", ()):
        lines += ["[[node.change]]", *(f"{key} = {value(x)}" for key, x in change.items())]
    return "\n".join(lines)


def draw(seed: int, most_policies: int = 200_000, more: bool = False) -> Case:
    """A case of 2 to 6 plants, 1 to 7 nodes and 2 to 6 months. Everything follows from ``seed``.

    ``most_policies``: how many policies there may be; some candidates are opened until it fits. ``more``: plants may
    be expanded, laid up or closed besides.
    """
    rng = np.random.default_rng([2026, seed])
    months = int(rng.choice([2, 3, 4, 5, 6], p=[0.05, 0.2, 0.35, 0.25, 0.15]))
    start = STARTS[int(rng.integers(3))]
    nodes = _nodes(rng, start, months)
    tables = _Tables(rng, months).all()
    demand = tables["demand"]
    case = Case(
        seed,
        tables,
        {
            "name": f"random {seed}",
            "currency": "USD",
            "origin_rule": str(rng.choice(["board", "board", "assembly"])),
            "hold_usd_month": float(rng.choice([0, 1, 4])),
            "discount_year": float(rng.choice([0, 0.08, 0.3])),
            "insurance_share": float(rng.choice([0, 0.01])),
        },
        nodes,
        _wanted(rng, nodes, demand, start, months),
        start,
        months,
        float(rng.choice([0.0, 0.0, 0.0, 0.3, 0.7, 1.0])),
        float(rng.choice([0.0, 0.5, 0.6, 0.9])),
    )
    if more:
        case = _with_more_to_decide(case, np.random.default_rng([2027, seed]), most_policies)
    return _bounded(case, most_policies)


# -- the tree ---------------------------------------------------------------------------------------------------------
def _nodes(rng: np.random.Generator, start: date, months: int) -> Table:
    """1 to 7 nodes; children may start on their parent's day, or in the middle of a month."""
    nodes: Table = [{"id": "n0", "from": start - timedelta(days=int(rng.choice([0, 0, 40]))), "changes": []}]
    first = {"n0": 0}  # first month of each node
    open_ends = ["n0"]
    most = int(rng.integers(1, 8))
    while open_ends and len(nodes) < most:
        parent = open_ends.pop(int(rng.integers(len(open_ends))))
        above = next(node for node in nodes if node["id"] == parent)
        count = min(most - len(nodes), int(rng.choice([1, 2, 2, 3])))
        month = min(months - 1, first[parent] + int(rng.choice([0, 1, 1, 1, 2, 2, 3])))
        day = first_of(start, month) - timedelta(days=int(rng.choice([0, 0, 12])))
        if day < above["from"] or rng.random() < 0.15:  # the split comes at once
            day, month = above["from"], first[parent]
        for share in _chances(rng, count):
            name = f"n{len(nodes)}"
            node = {"id": name, "parent": parent, "from": day, "chance": share, "changes": []}
            drawn = [_change(rng, name, day) for _ in range(int(rng.choice([0, 1, 1, 2])))]
            node["changes"] = [c for c in drawn if c.get("rule") not in _ended(nodes, parent)]
            nodes.append(node)
            first[name] = month
            open_ends.append(name)
    return nodes


def _ended(nodes: Table, name: str | None) -> set[str]:
    """The rules that a node, or one above it, has given an end: a book may have forgotten them since."""
    by_name = {node["id"]: node for node in nodes}
    found: set[str] = set()
    while name is not None:
        found |= {change["rule"] for change in by_name[name]["changes"] if "rule" in change and "until" in change}
        name = by_name[name].get("parent")
    return found


def _chances(rng: np.random.Generator, count: int) -> list[float]:
    """Twentieths that sum to 1, sometimes with a 0 among them."""
    parts = rng.multinomial(20 - count, np.ones(count) / count) + 1
    if count > 1 and rng.random() < 0.2:
        parts[0] += parts[-1]
        parts[-1] = 0
    return [round(int(part) / 20, 2) for part in parts]


def _change(rng: np.random.Generator, node: str, day: date) -> dict[str, Any]:
    """Another rate or end for a rule of the book, or a new rule that holds from the node's day or a later one."""
    rate = round(float(rng.choice([0.0, 0.05, 0.2, 0.6, 1.1])), 2)
    later = day + timedelta(days=int(rng.integers(20, 90)))
    if rng.random() < 0.4:
        change: dict[str, Any] = {"rule": str(rng.choice(["baseline", "country", "metal", "suffix"]))}
        if rng.random() < 0.75:
            change["rate"] = rate
        if "rate" not in change or rng.random() < 0.3:
            change["until"] = later
        return change
    kind = str(rng.choice(["add", "free", "floor", "replace"], p=[0.7, 0.1, 0.1, 0.1]))
    origins: Any = "*" if rng.random() < 0.2 else [str(o) for o in rng.choice(COUNTRIES, 2, replace=False)]
    if kind in ("floor", "replace"):  # one of them an origin, lest both bear on the same goods
        origins = [{"floor": "MY", "replace": "CN"}[kind]]
    names = [["rig"], ["unit", "board"], ["8544.42.90"], ["chip"], "*"]
    change = {
        "heading": f"act of {node} {int(rng.integers(1000))}",
        "authority": "Later",
        "origins": origins,
        "products": names[int(rng.integers(len(names)))],
        "kind": kind,
    }
    if kind != "free":
        change["rate"] = rate
    if rng.random() < 0.25:
        change["from"] = later
    elif rng.random() < 0.25:
        change["until"] = later
    return change


def _wanted(rng: np.random.Generator, nodes: Table, demand: Table, start: date, months: int) -> Table:
    """Demand of some nodes in place of the network's, in months they have."""
    rows: Table = []
    if not demand or rng.random() < 0.4:
        return rows
    for node in nodes:
        own = months_of(nodes, node["id"], start, months)
        if not own or rng.random() < 0.5:
            continue
        row = demand[int(rng.integers(len(demand)))]
        month = None if rng.random() < 0.5 else int(rng.choice(own))
        rows.append(
            {"node": node["id"], "market": row["market"], "product": row["product"], "month": month,
             "units": float(rng.integers(0, 14))}
        )  # fmt: skip
    return rows


def months_of(nodes: Table, name: str, start: date, months: int) -> list[int]:
    """The months in which a node holds: begun by their first day, no child begun by then."""
    node = next(node for node in nodes if node["id"] == name)
    children = [other["from"] for other in nodes if other.get("parent") == name]
    return [
        t
        for t in range(months)
        if node["from"] <= first_of(start, t) and not any(day <= first_of(start, t) for day in children)
    ]


# -- the network ------------------------------------------------------------------------------------------------------
class _Tables:
    """The tables of one network; what follows from what is drawn before it."""

    def __init__(self, rng: np.random.Generator, months: int) -> None:
        self.rng, self.months = rng, months
        self.size = int(rng.choice([2, 3, 4, 5, 6], p=[0.2, 0.3, 0.25, 0.15, 0.1]))
        self.deep = bool(rng.random() < 0.7)  # boards and chips, or finished goods only
        self.two = bool(rng.random() < 0.4)  # a second finished product

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def all(self) -> dict[str, Table]:
        rows = {
            "products": list(PRODUCTS),
            "parts": self.parts(),
            "plants": self.plants(),
        }
        self.sites = rows["plants"]
        rows["makes"] = self.makes()
        rows["supplies"] = self.supplies()
        rows["markets"] = [
            (name, country if self.chance(0.7) else str(self.rng.choice(COUNTRIES)))
            for name, country in (("east", "US"), ("west", "US"))[: self.number(1, 3)]
        ]
        rows["lanes"] = self.lanes([row[0] for row in rows["markets"]])
        rows["demand"] = self.demand([row[0] for row in rows["markets"]])
        return {
            name: [dict(zip(COLUMNS[name].split(), row, strict=True)) for row in table] for name, table in rows.items()
        }

    def parts(self) -> Any:
        if not self.deep:
            return []
        self.handed = self.chance(0.9)  # whether a rig can keep the origin of its boards
        return [
            ("rig", "board", 2, "yes" if self.handed else "no"),
            ("rig", "cable", 1, "no"),
            ("unit", "board", 1, "yes"),
            ("board", "chip", self.number(1, 4), "yes" if self.chance(0.5) else "no"),
        ]

    def plants(self) -> Any:
        standing = 1 if self.chance(0.6) else self.number(1, self.size)  # one candidate at least
        return [
            (
                f"plant{k}", str(self.rng.choice(["Acme", "Beta"])), str(self.rng.choice(COUNTRIES)),
                "yes" if k < standing else "no", self.number(0, 1200), self.number(0, 80),
                int(self.rng.choice([0, 0, 1, 1, 2])), int(self.rng.choice([0, 0, 1, 2])),
                self.number(4, 20) if k < standing else self.number(8, 60),
            )
            for k in range(self.size)
        ]  # fmt: skip

    def makes(self) -> Any:
        items = ["rig", *(["unit"] if self.two else []), *(["board"] if self.deep else [])]
        keeps = {"rig": self.deep and self.handed, "unit": self.deep, "board": False}
        rows = []
        for k, site in enumerate(self.sites):
            for item in items:
                if k and not self.chance(0.75):
                    continue
                confers = "no" if keeps[item] and self.chance(0.4) else "yes"
                value = None if self.chance(0.5) else self.number(20, 200)
                use = None if item != "board" else float(self.rng.choice([0, 0.2, 0.5]))
                good = None if self.chance(0.7) else float(self.rng.choice([0.5, 0.8]))
                rows.append((site[0], item, self.number(1, 60), value, use, confers, good))
        return rows

    def supplies(self) -> Any:
        if not self.deep:
            return []
        rows = [("cable", "CN", 5, None), ("chip", "KR", self.number(2, 9), self._limit(60, 200))]
        if self.chance(0.6):
            rows.append(("chip", str(self.rng.choice(["CN", "US"])), self.number(1, 12), self._limit(20, 120)))
        if self.chance(0.3):
            rows.append(("board", str(self.rng.choice(COUNTRIES)), self.number(20, 80), self._limit(5, 30)))
        return rows

    def _limit(self, low: int, high: int) -> int | None:
        return self.number(low, high) if self.chance(0.5) else None

    def lanes(self, markets: list[str]) -> Any:
        """Air between most countries, ocean between many, and a few rows for exact places."""
        rows: dict[tuple[str, str, str], tuple[Any, ...]] = {}

        def add(start: str, end: str, mode: str, days: int) -> None:
            kg = round(float(self.rng.uniform(0, 0.5)), 2)
            rows[start, end, mode] = (start, end, mode, kg, self.number(0, 12 if mode == "air" else 5), days)

        for start in COUNTRIES:
            for end in COUNTRIES:
                if start == end:
                    if self.chance(0.8):
                        add(start, end, "truck", 1)
                elif self.chance(0.7):
                    add(start, end, "air", int(self.rng.choice([3, 14])))
                if start != end and self.chance(0.4):
                    add(start, end, "ocean", int(self.rng.choice([20, 33, 61])))
        ends = [*markets, *(site[0] for site in self.sites)]
        for _ in range(self.number(0, 5)):
            start, end = str(self.rng.choice([s[0] for s in self.sites])), str(self.rng.choice([*ends, "US"]))
            if start != end:
                add(start, end, str(self.rng.choice(["air", "ocean"])), int(self.rng.choice([2, 30, 50])))
        return list(rows.values())

    def demand(self, markets: list[str]) -> Any:
        rows = []
        for market in markets:
            for item in [
                "rig",
                *(["unit"] if self.two else []),
                *(["board"] if self.deep and self.chance(0.2) else []),
            ]:
                lost = None if self.chance(0.15) else self.number(60, 400)
                price = self.number(100, 900) if self.chance(0.5) else None
                if self.chance(0.4):
                    rows.append((market, item, None, self.number(1, 16), price, lost))
                    continue
                for month in range(self.months):
                    if self.chance(0.8):
                        late = None if lost is None and month else lost if lost is not None else 500
                        rows.append((market, item, month, self.number(0, 18), price, late))
        return rows


# -- what else may be decided, and how many policies there are --------------------------------------------------------
def _with_more_to_decide(case: Case, rng: np.random.Generator, most: int) -> Case:
    """Plants that can be expanded, laid up or closed, as far as there are no more than ``most`` policies then."""
    blank = dict.fromkeys(MORE)
    tree = Tree(case)
    rows = [{**row, **blank} for row in case.tables["plants"]]
    for k in rng.permutation(len(rows)):
        plain = {**rows[k], "fixed_usd_month": int(rng.integers(0, 200))}
        if rng.random() < 0.5:
            plain["capacity_month"] = int(rng.integers(0, 8))
        kinds = [_modules(rng), _resting(rng), {"close_usd": int(rng.integers(0, 80))}]
        chosen = [kind for kind in kinds if rng.random() < 0.6]
        while True:
            rows[k] = {**plain, **{name: value for kind in chosen for name, value in kind.items()}}
            if not chosen or _policies(tree, rows) <= most:
                break
            chosen.pop(int(rng.integers(len(chosen))))
    return case.with_table("plants", rows)


def _modules(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "module_month": int(rng.integers(3, 15)),
        "module_usd": int(rng.integers(5, 150)),
        "modules": int(rng.integers(1, 4)),
        "module_lead_months": [None, 0, 1, 2][int(rng.integers(4))],
        "module_fixed_usd_month": [None, int(rng.integers(0, 60))][int(rng.integers(2))],
    }


def _resting(rng: np.random.Generator) -> dict[str, Any]:
    names = ("mothball_usd", "idle_usd_month", "restart_usd")
    return {name: int(rng.integers(0, most)) for name, most in zip(names, (40, 30, 40), strict=True)}


def _policies(tree: Tree, rows: Table) -> int:
    return prod(Lives(tree, row).count() for row in rows)


def _bounded(case: Case, most: int) -> Case:
    """The case with as many of its candidates standing already as it takes to have no more than ``most`` policies."""
    tree = Tree(case)
    rows = [dict(row) for row in case.tables["plants"]]
    for row in list(rows):
        if _policies(tree, rows) > most:
            row["open"] = "yes"
    return case.with_table("plants", rows)


def shuffled(case: Case, rng: np.random.Generator) -> Case:
    """The same case with the rows of every table, and the nodes of the tree, in another order."""

    def turned(rows: Table) -> Table:
        return [rows[k] for k in rng.permutation(len(rows))]

    tables = {name: turned(rows) for name, rows in case.tables.items()}
    return replace(case, tables=tables, nodes=turned(case.nodes), wanted=turned(case.wanted))


def cases(count: int, first: int = 0) -> Iterator[Case]:
    for seed in range(first, first + count):
        yield draw(seed)
