"""What can exist where, and when: pools of goods, runs that make them, arcs that move them.

A *pool* is a product at a place. What a plant makes and what arrives there are two pools: a plant ships what it made,
not what it was sent. Where the origin still matters after arrival (the product hands it to what is made of it) each
origin has its own pool. A *run* makes one product of one origin at a plant; an *arc* brings goods into a pool, bought
in or shipped from the plant that makes them; a *blend* lets goods of several pools go into one use. Everything that
cannot exist by the last useful month, or cannot lead to demand, is left out here, before any variable is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ashore.network import LOCAL, Lane, Make, Network, Supply
from ashore.plans.calendar import Floats, Ints, transit_months

MADE, ARRIVED, MIXED = "made", "arrived", "mixed"
Key = tuple[str, str, str | None, str]  # place, product, origin (None: any), how it came there
PoolOf = Callable[[Key, int], int]  # (key, earliest) → number of the pool, made if it is new


class Pool(NamedTuple):
    """A product at a place, of one origin or (None) of any, made there, arrived there, or mixed for one use."""

    place: str
    product: str
    origin: str | None
    how: str
    earliest: int  # first month in which goods can be there

    @property
    def keeps(self) -> bool:
        """Whether stock is held in it; what is mixed is held where it came from."""
        return self.how != MIXED


class Run(NamedTuple):
    """A product of one origin made at a plant, in the months earliest to latest."""

    make: Make
    origin: str
    pool: int
    inputs: tuple[tuple[int, float], ...]  # pool, units of it in one good unit
    earliest: int
    latest: int


class Arc(NamedTuple):
    """A product of one origin on a lane: bought in, or shipped from where it is made."""

    start: str
    to: str
    product: str
    origin: str
    mode: str
    lag: int  # months on the way
    supply: int  # place in Reach.supplies, -1 for a shipment
    source: int  # pool shipped from, -1 for goods bought in
    pool: int  # pool arrived in
    price_usd: float
    freight_usd: float
    value_usd: float  # customs value of one unit
    crosses: bool  # whether arrival is an entry into the country that keeps the tariff book
    earliest: int  # first and last month of departure
    latest: int

    @property
    def insured_usd(self) -> float:
        """The value insured on the way: none of what is bought where it is used."""
        return 0.0 if self.mode == LOCAL else self.value_usd


class Blend(NamedTuple):
    """From a pool of goods made or arrived to the pool of a use that takes either, or any origin."""

    source: int
    pool: int


@dataclass(frozen=True)
class Reach:
    """The graph of the plan. ``first`` maps (market, product) to the first month goods can arrive (absent: never)."""

    pools: tuple[Pool, ...]
    runs: tuple[Run, ...]
    arcs: tuple[Arc, ...]
    blends: tuple[Blend, ...]
    supplies: tuple[Supply, ...]
    plants: tuple[str, ...]  # plants with a run
    first: dict[tuple[str, str], int]
    lacking: dict[tuple[str, str], tuple[str, ...]]  # (plant, product) that cannot be made: parts that never arrive
    makers: dict[str, tuple[str, ...]]  # product: places it can come from


def reachable(
    network: Network, demand: Mapping[tuple[str, str], Floats], months: int, tariff_country: str, month: Ints
) -> Reach:
    """The graph of ``network`` for ``demand`` (units by (market, product) and slot; ``month`` of each slot)."""
    last = {key: int(month[np.flatnonzero(units > 0)].max()) for key, units in demand.items() if np.any(units > 0)}
    return _Search(network, last, months, tariff_country).result()


class _Search:
    def __init__(self, network: Network, last: dict[tuple[str, str], int], months: int, tariff_country: str) -> None:
        self.net, self.last, self.months, self.home = network, last, months, tariff_country
        self.wanted = self._wanted()
        self.order = [product for product in network.order if product in self.wanted]
        self.makes = [make for make in network.makes.values() if make.product in self.wanted]
        self.tracked = self._tracked()
        self.users: dict[str, list[str]] = {}  # product: plants that put it into something
        for make in self.makes:
            for part in network.parts[make.product]:
                places = self.users.setdefault(part.part, [])
                if make.plant not in places:
                    places.append(make.plant)
        self.earliest: dict[tuple[str, str], dict[str, int]] = {}  # (place, product): first month by origin
        self.made: dict[tuple[str, str], dict[str, int]] = {}  # the same of goods made there, and of goods sent there
        self.came: dict[tuple[str, str], dict[str, int]] = {}
        self.lacking: dict[tuple[str, str], tuple[str, ...]] = {}
        self.moves: list[tuple[Supply | Make, str, Lane, str, int]] = []  # thing, origin, lane, place, departure
        self.latest: dict[tuple[str, str, str], int] = {}  # (place, product, origin): last month of use

    # -- products ---------------------------------------------------------------------------------------------------
    def _wanted(self) -> set[str]:
        """Products with demand, and all parts of them."""
        found: set[str] = set()
        stack = [product for _, product in self.last]
        while stack:
            product = stack.pop()
            if product not in found:
                found.add(product)
                stack.extend(part.part for part in self.net.parts[product])
        return found

    def _tracked(self) -> set[tuple[str, str]]:
        """(plant, product) whose origin still matters on arrival there."""
        found = ((make.plant, self._handed_on(make)) for make in self.makes)
        return {(plant, part) for plant, part in found if part is not None}

    def _handed_on(self, make: Make) -> str | None:
        """The part whose origin the made product keeps; None if the make confers origin."""
        return None if self.net.confers(make) else self.net.essential(make.product)

    # -- forwards: when goods can first be somewhere ----------------------------------------------------------------
    def _forward(self) -> None:
        for product in self.order:
            for make in self.net.makes_of(product):
                self._first_made(make)
            for place in self.users.get(product, []):
                for origin, month in self.made.get((place, product), {}).items():
                    _note(self.earliest, (place, product), origin, month)
            places = self.users.get(product, []) + [m for m, p in self.last if p == product]
            for place in places:
                for supply in self.net.supplies.get(product, ()):
                    for lane in self.net.supply_lanes(supply, place):
                        self._moves(supply, supply.origin, lane, place, 0)
                for make in self.net.makes_of(product):
                    if make.plant == place or (make.plant, product) not in self.made:
                        continue
                    for lane in self.net.lanes_between(make.plant, place):
                        for origin, month in self.made[make.plant, product].items():
                            self._moves(make, origin, lane, place, month)

    def _first_made(self, make: Make) -> None:
        plant = self.net.plants[make.plant]
        ready = plant.earliest
        essential = self._handed_on(make)
        parts = [part.part for part in self.net.parts[make.product]]
        missing = tuple(part for part in parts if not self.earliest.get((make.plant, part)))
        if missing:
            self.lacking[make.plant, make.product] = missing
            return
        others = [min(self.earliest[make.plant, part].values()) for part in parts if part != essential]
        base = max([ready, *others])
        found = (
            {plant.country: base}
            if essential is None
            else {o: max(base, e) for o, e in self.earliest[make.plant, essential].items()}
        )
        self.made[make.plant, make.product] = found

    def _moves(self, thing: Supply | Make, origin: str, lane: Lane, place: str, depart: int) -> None:
        self.moves.append((thing, origin, lane, place, depart))
        for months in (self.earliest, self.came):
            _note(months, (place, thing.product), origin, depart + transit_months(lane.days))

    # -- backwards: when goods can last be of use -------------------------------------------------------------------
    def _backward(self) -> None:
        outgoing: dict[str, list[tuple[Make, str, Lane, str, int]]] = {}
        for thing, origin, lane, place, depart in self.moves:
            if isinstance(thing, Make):
                outgoing.setdefault(thing.product, []).append((thing, origin, lane, place, depart))
        for (market, product), month in self.last.items():
            for origin in self.earliest.get((market, product), {}):
                self.latest[market, product, origin] = month
        for product in reversed(self.order):
            for make, origin, lane, place, _ in outgoing.get(product, []):
                there = self.latest.get((place, product, origin), -1)
                self._used(make.plant, product, origin, there - transit_months(lane.days))
            for make in self.net.makes_of(product):
                self._parts_used(make)

    def _parts_used(self, make: Make) -> None:
        essential = self._handed_on(make)
        for origin, first in self.made.get((make.plant, make.product), {}).items():
            month = self.latest.get((make.plant, make.product, origin), -1)
            if month < first:
                continue
            for part in self.net.parts[make.product]:
                for own in self.earliest[make.plant, part.part]:
                    if part.part != essential or own == origin:
                        self._used(make.plant, part.part, own, month)

    def _used(self, place: str, product: str, origin: str, month: int) -> None:
        if month >= 0:
            key = (place, product, origin)
            self.latest[key] = max(month, self.latest.get(key, -1))

    # -- the graph --------------------------------------------------------------------------------------------------
    def result(self) -> Reach:
        self._forward()
        self._backward()
        pools: dict[Key, Pool] = {}
        place_of: dict[Key, int] = {}

        def pool(key: Key, earliest: int) -> int:
            if key not in pools:
                place_of[key] = len(pools)
            elif pools[key].earliest <= earliest:
                return place_of[key]
            pools[key] = Pool(*key, earliest)
            return place_of[key]

        for market, product in self.last:
            pool((market, product, None, ARRIVED), self.months)
        arcs = self._arcs(pool)
        runs: list[Run] = []
        blends: set[Blend] = set()
        for make in self.makes:
            self._add_runs(make, pool, runs, blends)
        supplies = tuple(dict.fromkeys(supply for _, supply in arcs if supply is not None))
        number = {supply: k for k, supply in enumerate(supplies)}
        placed = [arc._replace(supply=-1 if supply is None else number[supply]) for arc, supply in arcs]
        plants = tuple(dict.fromkeys(run.make.plant for run in runs))
        makers = {
            product: tuple(
                dict.fromkeys(
                    [make.plant for make in self.net.makes_of(product) if (make.plant, product) in self.made]
                    + [supply.origin for supply in self.net.supplies.get(product, ())]
                )
            )
            for product in self.order
        }
        first = {key: min(self.earliest[key].values()) for key in self.last if self.earliest.get(key)}
        return Reach(
            tuple(pools.values()),
            tuple(runs),
            tuple(placed),
            tuple(sorted(blends)),
            supplies,
            plants,
            first,
            self.lacking,
            makers,
        )

    def _arrived(self, place: str, product: str, origin: str) -> Key:
        return (place, product, origin if (place, product) in self.tracked else None, ARRIVED)

    def _arcs(self, pool: PoolOf) -> list[tuple[Arc, Supply | None]]:
        found: list[tuple[Arc, Supply | None]] = []
        net = self.net
        for thing, origin, lane, place, depart in self.moves:
            product, lag = net.products[thing.product], transit_months(lane.days)
            latest = min(self.latest.get((place, product.name, origin), -1), self.months - 1) - lag
            if latest < depart:
                continue
            bought = isinstance(thing, Supply)
            start = thing.origin if isinstance(thing, Supply) else thing.plant
            value = thing.price_usd if isinstance(thing, Supply) else thing.customs_value_usd
            arc = Arc(
                start=start,
                to=place,
                product=product.name,
                origin=origin,
                mode=lane.mode,
                lag=lag,
                supply=-1,
                source=-1 if bought else pool((start, product.name, origin, MADE), depart),
                pool=pool(self._arrived(place, product.name, origin), depart + lag),
                price_usd=thing.price_usd if isinstance(thing, Supply) else 0.0,
                freight_usd=lane.usd_per_kg * product.weight_kg + lane.usd_per_unit,
                value_usd=value,
                crosses=net.country_of(place) == self.home != net.country_of(start),
                earliest=depart,
                latest=latest,
            )
            found.append((arc, thing if isinstance(thing, Supply) else None))
        return found

    def _add_runs(self, make: Make, pool: PoolOf, runs: list[Run], blends: set[Blend]) -> None:
        essential = self._handed_on(make)
        for origin, first in self.made.get((make.plant, make.product), {}).items():
            latest = min(self.latest.get((make.plant, make.product, origin), -1), self.months - 1)
            if latest < first:
                continue
            inputs: list[tuple[int, float]] = []
            for part, quantity in self.net.parts_of(make):
                kept = origin if part == essential else None
                inputs.append((self._drawn_from(make.plant, part, kept, pool, blends), quantity))
            out = pool((make.plant, make.product, origin, MADE), first)
            runs.append(Run(make, origin, out, tuple(inputs), first, latest))

    def _drawn_from(self, plant: str, part: str, origin: str | None, pool: PoolOf, blends: set[Blend]) -> int:
        """The pool a use of a part draws on, which must be of ``origin`` unless that is None."""
        sources: dict[Key, int] = {}
        for own, month in self.made.get((plant, part), {}).items():
            if origin in (None, own):
                sources[plant, part, own, MADE] = month
        for own, month in self.came.get((plant, part), {}).items():
            if origin in (None, own):
                key = self._arrived(plant, part, own)
                sources[key] = min(month, sources.get(key, month))
        if len(sources) == 1:
            return pool(*next(iter(sources.items())))
        mixed = pool((plant, part, origin, MIXED), min(sources.values()))
        blends.update(Blend(pool(key, month), mixed) for key, month in sources.items())
        return mixed


def _note(months: dict[tuple[str, str], dict[str, int]], key: tuple[str, str], origin: str, month: int) -> None:
    """Goods of an origin can be at a place from this month on, if not before."""
    known = months.setdefault(key, {})
    known[origin] = min(month, known.get(origin, month))


def independent(reach: Reach, plants: tuple[str, ...], shared: Iterable[Ints] = ()) -> tuple[Ints, Ints]:
    """Number of the independent part of the graph that each pool, and each of ``plants``, belongs to.

    Two parts share no plant, no limited supply and no goods, so that without tail risk each can be planned alone.
    ``shared``: pools that something else ties together, each an array of them.
    A plant without runs has number -1.
    """
    above = list(range(len(reach.pools)))

    def top(k: int) -> int:
        while above[k] != k:
            above[k] = above[above[k]]
            k = above[k]
        return k

    first: dict[tuple[str, str | int], int] = {}

    def join(a: int, b: int) -> None:
        above[top(a)] = top(b)

    for run in reach.runs:
        join(run.pool, first.setdefault(("plant", run.make.plant), run.pool))
        for source, _ in run.inputs:
            join(run.pool, source)
    for blend in reach.blends:
        join(blend.source, blend.pool)
    for arc in reach.arcs:
        if arc.source >= 0:
            join(arc.source, arc.pool)
        elif reach.supplies[arc.supply].limit_month is not None:
            join(arc.pool, first.setdefault(("supply", arc.supply), arc.pool))
    for pools in shared:
        for pool in pools[1:]:
            join(int(pools[0]), int(pool))
    tops = np.array([top(k) for k in range(len(above))], dtype=np.int64)
    numbers = np.unique(tops, return_inverse=True)[1].astype(np.int64)
    of_plant = [first.get(("plant", name), -1) for name in plants]
    return numbers, np.array([numbers[k] if k >= 0 else -1 for k in of_plant], dtype=np.int64)
