"""The supply network as a value: products, parts, plants, lanes, markets and demand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

Place = str  # the name of a plant or a market, or a country code
LOCAL = "local"  # mode of goods bought in the country they are used in
# marks of a figure nobody has read anywhere; the bare word "memory" may mean a chip
GUESSED = re.compile(
    r"(?i:\b(estimat\w*|inference|assum\w*|guess\w*|from memory|memory:)|^\s*memory\s*$)|\bMEMORY\b|\[[EM]\]"
)


@dataclass(frozen=True, slots=True)
class Product:
    """What is made, bought or sold: weight in kg, hash rate in TH/s, power in W, HTS as 8 or 10 digits."""

    name: str
    maker: str
    kind: str
    hts: str
    weight_kg: float
    hash_ths: float | None = None
    power_w: float | None = None
    parent: str | None = None  # who owns the maker
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """``quantity`` of ``part`` goes into one unit of ``product``; the essential one hands on its origin."""

    product: str
    part: str
    quantity: float
    essential: bool = False
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Plant:
    """A site that makes products: USD to open, USD a month once ready, units of capacity a month.

    modules: most that may be added (None: none), each of module_month units of capacity a month, for module_usd when
    ordered and module_fixed_usd_month once ready. mothball_usd, restart_usd: for laying the site up and for running it
    again, idle_usd_month while it is laid up in place of all fixed costs (None: it cannot be laid up). close_usd: for
    closing it for good (None: it cannot be closed).
    """

    name: str
    company: str
    country: str
    open: bool
    open_usd: float
    fixed_usd_month: float
    lead_months: int
    ramp_months: int
    capacity_month: float
    module_month: float | None = None
    module_usd: float | None = None
    modules: int | None = None
    module_lead_months: int | None = None
    module_fixed_usd_month: float | None = None
    mothball_usd: float | None = None
    idle_usd_month: float | None = None
    restart_usd: float | None = None
    close_usd: float | None = None
    source: str | None = None
    note: str | None = None

    @property
    def module_lead(self) -> int:
        """Months from ordering a module until it is ready: module_lead_months, or lead_months."""
        return self.lead_months if self.module_lead_months is None else self.module_lead_months

    @property
    def rests(self) -> bool:
        """Whether it can be laid up."""
        return self.mothball_usd is not None

    @property
    def closes(self) -> bool:
        """Whether it can be closed."""
        return self.close_usd is not None

    @property
    def most_modules_month(self) -> float:
        """Capacity a month of all the modules that may be added."""
        return (self.module_month or 0.0) * (self.modules or 0)

    @property
    def earliest(self) -> int:
        """The first month of a plan in which it has any capacity."""
        first = 0 if self.open else self.lead_months
        return max(first, self.module_lead) if self.modules and not self.capacity_month else first


@dataclass(frozen=True, slots=True)
class Make:
    """A plant makes a product: USD a unit beside its parts, customs value in USD, capacity used by a unit.

    cost_usd and capacity_use are those of a unit started, of which the share ``yield_share`` is good (the file's column
    ``yield``); customs_value_usd is that of a good unit.
    """

    plant: str
    product: str
    cost_usd: float
    customs_value_usd: float
    capacity_use: float = 1.0
    confers_origin: bool = True
    yield_share: float = 1.0
    source: str | None = None
    note: str | None = None

    @property
    def good_cost_usd(self) -> float:
        """USD for one good unit, its parts not counted: cost_usd / yield."""
        return self.cost_usd / self.yield_share

    @property
    def good_capacity_use(self) -> float:
        """Capacity taken by one good unit: capacity_use / yield."""
        return self.capacity_use / self.yield_share


@dataclass(frozen=True, slots=True)
class Supply:
    """A product bought in from a country of origin at a price in USD, up to ``limit_month`` units a month."""

    product: str
    origin: str
    price_usd: float
    limit_month: float | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """A way for goods between two places by one mode (the file's column ``from`` is ``origin_end``)."""

    origin_end: Place
    to: Place
    mode: str
    usd_per_kg: float = 0.0
    usd_per_unit: float = 0.0
    days: float = 0.0
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """Where rigs are plugged in; power price in USD per kWh."""

    name: str
    country: str
    power_usd_kwh: float | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """Units of a product wanted in a market in a month (None: every month).

    price_usd: revenue of one unit; lost_usd: cost of one unit not delivered (None: it must be delivered).
    """

    market: str
    product: str
    month: int | None
    units: float
    price_usd: float | None = None
    lost_usd: float | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit someone sets on where goods come from, in each branch, over the months from_month up to until_month.

    kind: max_share, min_share or max_units of what arrives in markets, min_content of what is made (see
    :mod:`ashore.plans.limits`). by, of: what is limited, as by "maker" and of its name; of "*": each one alike. market:
    a market, all markets of a country, or None for all; product: a product, a kind of product, or None for all.
    """

    name: str
    kind: str
    by: str
    of: str
    market: str | None = None
    product: str | None = None
    share: float | None = None
    units: float | None = None
    from_month: int = 0
    until_month: int | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """``network.toml``: what holds for the whole network.

    origin_rule: "board" (a make confers origin unless it says no) or "assembly" (every make does).
    hold_usd_month: USD for one unit in stock for one month; discount_year: share a year (0.08).
    insurance_share: share of the goods' value paid on every leg.
    entry_units: units on one customs entry, for fees with a minimum and maximum; None: no minimum or maximum.
    """

    name: str
    currency: str
    origin_rule: str
    hold_usd_month: float
    discount_year: float
    insurance_share: float = 0.0
    entry_units: float | None = None
    source: str | None = None
    note: str | None = None


Record = Product | Part | Plant | Make | Supply | Lane | Market | Demand | Limit | Settings


def estimate_in(record: Record) -> str | None:
    """One line naming the record if its source or note marks it as an estimate or from memory, else None."""
    said = "; ".join(text for text in (record.source, record.note) if text)
    if not GUESSED.search(said):
        return None
    return f"{_label(record)}: {said}"


def _label(record: Record) -> str:
    match record:
        case Part():
            return f"part {record.part} of {record.product}"
        case Make():
            return f"{record.product} made at {record.plant}"
        case Supply():
            return f"{record.product} bought from {record.origin}"
        case Lane():
            return f"lane {record.origin_end} to {record.to} by {record.mode}"
        case Demand():
            return f"demand for {record.product} in {record.market}"
        case Product() | Plant() | Market() | Limit() | Settings():
            kind = "network" if isinstance(record, Settings) else type(record).__name__.lower()
            return f"{kind} {record.name}"


@dataclass(frozen=True)
class Network:
    """A checked supply network; build one with ``ashore.network.load``.

    Dictionaries keep the order of the files. ``parts`` is by product and holds a key for every product (an
    empty tuple: made of nothing listed); ``makes`` is by (plant, product); ``supplies`` is by product.
    """

    settings: Settings
    products: dict[str, Product]
    parts: dict[str, tuple[Part, ...]]
    plants: dict[str, Plant]
    makes: dict[tuple[str, str], Make]
    supplies: dict[str, tuple[Supply, ...]]
    lanes: tuple[Lane, ...]
    markets: dict[str, Market]
    demand: tuple[Demand, ...]
    limits: tuple[Limit, ...] = ()
    folder: Path | None = field(default=None, compare=False)

    def country_of(self, place: Place) -> str:
        """The country of a plant, of a market, or the country itself."""
        if place in self.plants:
            return self.plants[place].country
        if place in self.markets:
            return self.markets[place].country
        return place

    def lanes_between(self, start: Place, end: Place) -> tuple[Lane, ...]:
        """The lane of every mode from ``start`` to ``end``, by mode; () if there is none.

        For each mode the most exact row holds: (start, end), then (start, country of end), then (country of
        start, end), then (country of start, country of end).
        """
        home, abroad = self.country_of(start), self.country_of(end)
        found: dict[str, Lane] = {}
        for pair in ((home, abroad), (home, end), (start, abroad), (start, end)):
            found.update(self._lane_index.get(pair, {}))
        return tuple(found[mode] for mode in sorted(found))

    def supply_lanes(self, supply: Supply, place: Place) -> tuple[Lane, ...]:
        """The lanes of a bought-in product to a plant or market; none is needed at home (``LOCAL``)."""
        lanes = self.lanes_between(supply.origin, place)
        if not lanes and supply.origin == self.country_of(place):
            return (Lane(supply.origin, place, LOCAL),)
        return lanes

    def essential(self, product: str) -> str | None:
        """The part whose origin the product keeps when making it confers none."""
        return next((part.part for part in self.parts.get(product, ()) if part.essential), None)

    def confers(self, make: Make) -> bool:
        """Whether the make gives the product the origin of the plant's country."""
        return self.settings.origin_rule == "assembly" or make.confers_origin

    def parts_of(self, make: Make) -> tuple[tuple[str, float], ...]:
        """The parts of one good unit, with the units that go into it: quantity / yield."""
        return tuple((part.part, part.quantity / make.yield_share) for part in self.parts[make.product])

    def makes_of(self, product: str) -> tuple[Make, ...]:
        """Every make of a product, in the order of the file."""
        return self._makes_index.get(product, ())

    def ex_works_usd(self, product: str) -> float | None:
        """Cheapest price or customs value of a product where it is made or bought; None if nobody has it."""
        values = [supply.price_usd for supply in self.supplies.get(product, ())]
        values += [make.customs_value_usd for make in self.makes_of(product)]
        return min(values, default=None)

    def as_open(self, opened: Collection[str] = ()) -> Network:
        """The network as it runs: the plants that are open and those of ``opened``, without all others."""
        plants = {
            name: replace(plant, open=True) for name, plant in self.plants.items() if plant.open or name in opened
        }
        makes = {key: make for key, make in self.makes.items() if make.plant in plants}
        return replace(self, plants=plants, makes=makes)

    @property
    def demanded(self) -> tuple[str, ...]:
        """The products with a row of demand, in the order of the file."""
        return tuple(dict.fromkeys(row.product for row in self.demand))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Every product once, parts before what they go into."""
        return parts_first(self.products, {p: [part.part for part in rows] for p, rows in self.parts.items()})[0]

    def estimates(self) -> list[str]:
        """Every figure whose source or note marks it as an estimate or from memory, one line each."""
        records: list[Record] = [self.settings]
        groups: tuple[Iterable[Record], ...] = (
            self.products.values(),
            (part for rows in self.parts.values() for part in rows),
            self.plants.values(),
            self.makes.values(),
            (supply for rows in self.supplies.values() for supply in rows),
            self.lanes,
            self.markets.values(),
            self.demand,
            self.limits,
        )
        for group in groups:
            records.extend(group)
        lines = (estimate_in(record) for record in records)
        return list(dict.fromkeys(line for line in lines if line is not None))

    def census(self) -> dict[str, str | int]:
        """What the network holds, counted table by table; ``estimates`` counts the figures so marked."""
        return {
            "name": self.settings.name,
            "origin_rule": self.settings.origin_rule,
            "products": len(self.products),
            "parts": sum(len(rows) for rows in self.parts.values()),
            "plants": len(self.plants),
            "makes": len(self.makes),
            "supplies": sum(len(rows) for rows in self.supplies.values()),
            "lanes": len(self.lanes),
            "markets": len(self.markets),
            "demand": len(self.demand),
            "limits": len(self.limits),
            "estimates": len(self.estimates()),
        }

    @cached_property
    def _lane_index(self) -> dict[tuple[Place, Place], dict[str, Lane]]:
        index: dict[tuple[Place, Place], dict[str, Lane]] = {}
        for lane in self.lanes:
            index.setdefault((lane.origin_end, lane.to), {})[lane.mode] = lane
        return index

    @cached_property
    def _makes_index(self) -> dict[str, tuple[Make, ...]]:
        index: dict[str, list[Make]] = {}
        for make in self.makes.values():
            index.setdefault(make.product, []).append(make)
        return {product: tuple(makes) for product, makes in index.items()}


def parts_first(
    products: Iterable[str], parts: Mapping[str, Iterable[str]]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Products ordered parts first, and the cycles in the way (each as its chain, first = last)."""
    done: dict[str, None] = {}
    cycles: list[tuple[str, ...]] = []
    for root in products:
        path: dict[str, None] = {}
        stack = [(root, iter(parts.get(root, ())))]
        if root in done:
            continue
        path[root] = None
        while stack:
            product, rest = stack[-1]
            part = next(rest, None)
            if part is None:
                stack.pop()
                path.pop(product)
                done[product] = None
            elif part in path:
                chain = list(path)
                cycles.append((*chain[chain.index(part) :], part))
            elif part not in done:
                path[part] = None
                stack.append((part, iter(parts.get(part, ()))))
    return tuple(done), cycles
