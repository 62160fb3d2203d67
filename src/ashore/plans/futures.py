"""Futures: a tree of what the law (and demand) may become, each node with the chance it has given its parent.

A node holds from its own date on, on every branch below it, until a child takes over. The children of a node start
on the same date and their chances sum to 1. A node whose children start on its own date has no month, but what is
decided at that moment is decided in it, before the branch is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashore.errors import Fault, raise_if, suggest
from ashore.rules import Change, RuleBook, read_changes
from ashore.tables import Column, Table, read, read_toml

if TYPE_CHECKING:
    from ashore.network import Network

TOLERANCE = 1e-9  # by which the chances of siblings may miss 1
TOP_KEYS = ("node", "name", "note", "source")
NODE_KEYS = ("id", "parent", "from", "chance", "change", "note", "source")
NODES = Table(
    "nodes",
    (
        Column("node", "text"),
        Column("parent", "text", required=False),
        Column("from", "date"),
        Column("chance", "number", minimum=0, maximum=1, blank_ok=True),
    ),
    key=("node",),
)
CHANGES = Table(
    "changes",
    (
        Column("node", "text"),
        Column("rule", "text"),
        Column("rate", "number", required=False),
        Column("until", "date", required=False),
        Column("quota_units_month", "number", required=False, minimum=0),
        Column("ban", "yes_no", required=False),
        Column("makers", "text", required=False),  # names with semicolons between them
    ),
)
CHANGED = ("rule", "rate", "until", "quota_units_month", "ban", "makers")
DEMAND = Table(
    "demand",
    (
        Column("node", "text"),
        Column("market", "text"),
        Column("product", "text"),
        Column("month", "integer", required=False, minimum=0),
        Column("units", "number", minimum=0),
    ),
    key=("node", "market", "product", "month"),
)


@dataclass(frozen=True, slots=True)
class Node:
    """A state of the law from ``start`` on; ``chance`` is given the parent; ``book`` is the law that then holds."""

    name: str
    parent: str | None
    start: date
    chance: float
    book: RuleBook
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeDemand:
    """Units of a product wanted in a market in a month of a node, in place of the network's (None: its every month)."""

    node: str
    market: str
    product: str
    month: int | None
    units: float
    row: int | None = None


@dataclass(frozen=True)
class Futures:
    """A checked tree; ``nodes`` has parents before children. ``where`` is what faults call its source."""

    nodes: tuple[Node, ...]
    demand: tuple[NodeDemand, ...] = ()
    notes: tuple[str, ...] = ()
    name: str = ""
    where: str = "--futures"
    _index: dict[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {node.name: k for k, node in enumerate(self.nodes)})

    def index(self, name: str) -> int:
        """Place of a node in ``nodes``."""
        return self._index[name]

    def as_dict(self) -> dict[str, Any]:
        """The tree as plain values."""
        rows = [
            {"node": n.name, "parent": n.parent, "from": str(n.start), "chance": n.chance, "changes": len(n.changes)}
            for n in self.nodes
        ]
        return {"name": self.name, "nodes": rows, "notes": list(self.notes)}

    def path(self, name: str) -> tuple[Node, ...]:
        """The nodes from the root to this one, both included."""
        found = [self.nodes[self._index[name]]]
        while found[-1].parent is not None:
            found.append(self.nodes[self._index[found[-1].parent]])
        return tuple(reversed(found))

    def branches(self) -> tuple[tuple[float, tuple[Node, ...]], ...]:
        """Every branch: its chance, and its nodes from the root to the leaf."""
        parents = {node.parent for node in self.nodes}
        paths = (self.path(node.name) for node in self.nodes if node.name not in parents)
        return tuple((prod(node.chance for node in path), path) for path in paths)

    def hold(self, until: date) -> Futures:
        """The same tree with the law of each node carried on to ``until``; says so in ``notes`` if it had to."""
        short = [node for node in self.nodes if node.book.until < until]
        if not short:
            return self
        end = min(node.book.until for node in short)
        held: dict[int, RuleBook] = {}
        for node in short:
            held.setdefault(id(node.book), node.book.hold(until))
        nodes = tuple(replace(node, book=held.get(id(node.book), node.book)) for node in self.nodes)
        note = (
            f"The rule book vouches for no day from {end} on; the law of its last day is held to the end of the plan"
            + (", changed only as the futures say." if len(self.nodes) > 1 else ".")
        )
        return replace(self, nodes=nodes, notes=(*self.notes, note))


def held_law(book: RuleBook, start: date) -> Futures:
    """The tree of one node: the law as the book has it."""
    return Futures((Node("law", None, start, 1.0, book),), name="the law as it stands")


def read_futures(path: Path | str, book: RuleBook, network: Network | None = None) -> Futures:
    """The tree in a TOML file or a folder of nodes.csv, changes.csv and demand.csv.

    With a network, ``products`` of a new rule may also name its products or kinds of products, and the demand rows
    are checked against it. Raises FaultyInput with every fault found.
    """
    path = Path(path)
    faults: list[Fault] = []
    if path.is_dir():
        futures = _read_folder(path, book, network, faults)
    else:
        futures = _read_file(path, book, network, faults)
    raise_if(faults)
    assert futures is not None
    return futures


def check_demand(futures: Futures, network: Network, faults: list[Fault]) -> None:
    """Demand rows of the tree that name a market or product the network does not have."""
    for row in futures.demand:
        for column, name, known in (
            ("market", row.market, network.markets),
            ("product", row.product, network.products),
        ):
            if name not in known:
                remedy = suggest(name, known, f"Use a {column} of the network.")
                faults.append(Fault("demand.csv", f"The network has no {column} '{name}'.", remedy, row.row, column))


def _read_file(path: Path, book: RuleBook, network: Network | None, faults: list[Fault]) -> Futures | None:
    where = path.name
    document = read_toml(path, faults)
    if faults:
        return None
    _known(document, TOP_KEYS, where, faults)
    items = document.get("node", [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        faults.append(Fault(where, "'node' is not a list of tables.", "Write each node under [[node]]."))
        return None
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(items, start=1):
        spot = f"{where}, node {item.get('id', number)}"
        _known(item, NODE_KEYS, spot, faults)
        rows.append(_typed_node(item, number, spot, faults))
    changes = {str(item.get("id")): (f"{where}, node {item.get('id')}", item.get("change", [])) for item in items}
    nodes = _tree(rows, changes, book, network, where, faults)
    if nodes is None:
        return None
    return Futures(nodes, name=str(document.get("name", path.stem)), where=where)


def _typed_node(item: Mapping[str, Any], number: int, spot: str, faults: list[Fault]) -> dict[str, Any]:
    name, parent, start, chance = (item.get(key) for key in ("id", "parent", "from", "chance"))
    if name is None or str(name).strip() == "":
        faults.append(Fault(spot, "The node has no id.", 'Write id = "a short name".'))
    if isinstance(start, datetime) or not isinstance(start, date):
        what = "The node has no date." if start is None else f"from = {start} is not a date."
        faults.append(Fault(spot, what, "Write from = 2027-01-01, without quotation marks."))
        start = None
    share: float | None = None
    if chance is not None:
        try:
            share = None if isinstance(chance, bool) else float(chance)
        except (TypeError, ValueError):
            share = None
        if share is None or not 0 <= share <= 1:
            faults.append(
                Fault(spot, f"chance = {chance} is not a chance.", "Write a number between 0 and 1, as 0.25.")
            )
            share = 0.0
    return {
        "node": str(name) if name is not None else f"#{number}",
        "parent": None if parent is None or parent == "" else str(parent),
        "from": start,
        "chance": share,
        "_row": None,
        "_spot": spot,
    }


def _read_folder(folder: Path, book: RuleBook, network: Network | None, faults: list[Fault]) -> Futures | None:
    rows = read(folder / "nodes.csv", NODES, faults)
    for row in rows:
        row["_spot"] = "nodes.csv"
    known = [row["node"] for row in rows]
    changes: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    if (folder / "changes.csv").exists():
        for row in read(folder / "changes.csv", CHANGES, faults):
            if row["node"] not in known:
                _unknown_node(row, known, "changes.csv", faults)
            item = {key: row[key] for key in CHANGED if row.get(key) is not None}
            if "makers" in item:
                item["makers"] = [name.strip() for name in item["makers"].split(";") if name.strip()]
            changes.setdefault(row["node"], (f"changes.csv, node {row['node']}", []))[1].append(item)
    demand: list[NodeDemand] = []
    if (folder / "demand.csv").exists():
        names = set(known)
        for row in read(folder / "demand.csv", DEMAND, faults):
            if row["node"] not in names:
                _unknown_node(row, known, "demand.csv", faults)
            node, market, product = (row[name] for name in ("node", "market", "product"))
            demand.append(NodeDemand(node, market, product, row.get("month"), row["units"], row["_row"]))
    nodes = _tree(rows, changes, book, network, "nodes.csv", faults)
    if nodes is None:
        return None
    futures = Futures(nodes, tuple(demand), name=folder.name, where="nodes.csv")
    if network is not None:
        check_demand(futures, network, faults)
    return futures


def _unknown_node(row: Mapping[str, Any], known: Sequence[str], where: str, faults: list[Fault]) -> None:
    remedy = suggest(row["node"], known, "Name a node of nodes.csv.")
    faults.append(Fault(where, f"There is no node '{row['node']}'.", remedy, row["_row"], "node"))


def _tree(
    rows: list[dict[str, Any]],
    changes: Mapping[str, tuple[str, Any]],
    book: RuleBook,
    network: Network | None,
    where: str,
    faults: list[Fault],
) -> tuple[Node, ...] | None:
    """Nodes with parents first and their books; None if the rows are no tree."""
    if not rows:
        if not faults:
            faults.append(Fault(where, "There is no node.", "Give at least the node that holds now."))
        return None
    by_name: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["node"] in by_name:
            what = f"The node '{row['node']}' stands twice."
            faults.append(Fault(row["_spot"], what, "Give each node its own name.", row["_row"]))
        by_name[row["node"]] = row
    _check_parents(rows, by_name, where, faults)
    _check_siblings(rows, by_name, faults)
    order = _parents_first(rows, by_name)
    if order is None:
        return None
    books: dict[str, RuleBook] = {}
    nodes = []
    for row in order:
        base = books[row["parent"]] if row["parent"] is not None else book
        spot, items = changes.get(row["node"], ("", []))
        if network is not None and isinstance(items, list):
            items = [_with_hts(item, network, spot, faults) for item in items]
            _check_makers(items, network, spot, faults)
        read_items = read_changes(items, base, spot, faults) if items else []
        books[row["node"]] = base.under(read_items, since=row["from"]) if read_items else base
        chance = 1.0 if row["chance"] is None else float(row["chance"])
        nodes.append(Node(row["node"], row["parent"], row["from"], chance, books[row["node"]], tuple(read_items)))
    return tuple(nodes)


def _check_parents(
    rows: list[dict[str, Any]], by_name: Mapping[str, dict[str, Any]], where: str, faults: list[Fault]
) -> None:
    roots = [row["node"] for row in rows if row["parent"] is None]
    if len(roots) > 1:
        what = f"Several nodes have no parent: {', '.join(roots)}."
        faults.append(Fault(where, what, "Leave one root, the law that holds at the start; give the others a parent."))
    told: set[str] = set()
    for row in rows:
        name, parent, spot = row["node"], row["parent"], row["_spot"]
        if parent is None:
            if row["chance"] not in (None, 1.0):
                what = f"The root '{name}' has chance {row['chance']:g}."
                faults.append(Fault(spot, what, "The root holds for certain: write 1 or leave it out.", row["_row"]))
            continue
        if row["chance"] is None:
            remedy = "Write the chance it has given its parent."
            faults.append(Fault(spot, f"The node '{name}' has no chance.", remedy, row["_row"], "chance"))
        above = by_name.get(parent)
        if above is None:
            remedy = suggest(parent, by_name, "Name a node of this tree.")
            what = f"The parent '{parent}' of '{name}' does not exist."
            faults.append(Fault(spot, what, remedy, row["_row"], "parent"))
        elif row["from"] and above["from"] and row["from"] < above["from"]:
            what = f"'{name}' starts on {row['from']}, before its parent '{parent}' ({above['from']})."
            faults.append(Fault(spot, what, "Start it on its parent's date or later.", row["_row"], "from"))
        chain = [name]
        while parent is not None and parent not in chain and parent in by_name:
            chain.append(parent)
            parent = by_name[parent]["parent"]
        if parent is not None and parent == name and not told & set(chain):
            told.update(chain)
            what = f"The nodes go round in a circle: {' > '.join([*reversed(chain), chain[-1]])}."
            faults.append(Fault(spot, what, "Give one of them a parent outside the circle.", row["_row"]))


def _check_siblings(rows: list[dict[str, Any]], by_name: Mapping[str, dict[str, Any]], faults: list[Fault]) -> None:
    families: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["parent"] in by_name:
            families.setdefault(row["parent"], []).append(row)
    for parent, family in families.items():
        spot, line = family[0]["_spot"], family[0]["_row"]
        names = ", ".join(row["node"] for row in family[:6]) + (", …" if len(family) > 6 else "")
        total = sum(row["chance"] or 0.0 for row in family)
        if abs(total - 1) > TOLERANCE and all(row["chance"] is not None for row in family):
            what = f"The chances below '{parent}' ({names}) sum to {total:.12g}, not 1."
            remedy = f"Change them by {1 - total:+.12g} in all; chances are given the parent."
            faults.append(Fault(spot, what, remedy, line, "chance"))
        dates = sorted({row["from"] for row in family if row["from"]})
        if len(dates) > 1:
            what = f"The branches below '{parent}' ({names}) overlap: they start on {' and '.join(map(str, dates))}."
            remedy = (
                f"Start all of them on {dates[0]}; where a branch only moves later, let a node without changes "
                "wait until then and give it the later branches."
            )
            faults.append(Fault(spot, what, remedy, line, "from"))


def _parents_first(rows: list[dict[str, Any]], by_name: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Rows ordered from the root down, in the order of the file; None if a row hangs nowhere or lacks its date."""
    if len(by_name) < len(rows) or any(row["from"] is None for row in rows):
        return None
    below: dict[str | None, list[dict[str, Any]]] = {}
    for row in rows:
        below.setdefault(row["parent"], []).append(row)
    order: list[dict[str, Any]] = []
    layer = below.get(None, [])
    while layer:
        order.extend(layer)
        layer = [child for row in layer for child in below.get(row["node"], [])]
    return order if len(order) == len(rows) else None


def _with_hts(item: Any, network: Network, spot: str, faults: list[Fault]) -> Any:
    """A change whose ``products`` name products or kinds of the network, with their tariff numbers instead."""
    if not isinstance(item, dict) or "products" not in item:
        return item
    named = item["products"]
    listed = named if isinstance(named, list) else [named]
    numbers: list[str] = []
    for word in listed:
        found = _numbers(str(word), network)
        if found is None:
            known = [*network.products, *{product.kind for product in network.products.values()}]
            remedy = suggest(str(word), known, 'Write a tariff prefix, a product, a kind of product or "*".')
            faults.append(Fault(spot, f"'{word}' is no tariff prefix, product or kind.", remedy))
        else:
            numbers.extend(found)
    return {**item, "products": "*" if "*" in numbers else list(dict.fromkeys(numbers))}


def _check_makers(items: list[Any], network: Network, spot: str, faults: list[Fault]) -> None:
    known = {product.maker for product in network.products.values()}
    for item in items:
        named = item.get("makers", []) if isinstance(item, dict) else []
        for maker in named if isinstance(named, list) else [named]:
            if maker not in known:
                remedy = suggest(str(maker), known, "Name a maker of the network's products.")
                faults.append(Fault(spot, f"No product of the network is made by '{maker}'.", remedy, column="makers"))


def _numbers(word: str, network: Network) -> Iterable[str] | None:
    if word == "*" or word.replace(".", "").isdigit():
        return (word,)
    if word in network.products:
        return (network.products[word].hts,)
    return [product.hts for product in network.products.values() if product.kind == word] or None


def _known(item: Mapping[str, Any], keys: Sequence[str], spot: str, faults: list[Fault]) -> None:
    for key in item:
        if key not in keys:
            faults.append(Fault(spot, f"'{key}' is unknown.", suggest(key, keys, "Leave it out."), column=key))
