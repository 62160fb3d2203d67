"""Landed cost of a unit where it is plugged in, part by part, for every way to make it and bring it there.

A chain starts where parts are bought and ends in a market; each leg adds freight, insurance, carrying and, when it
crosses into the country that keeps the rule book, duty and the fees of an entry. Amounts are exact decimals inside
and are rounded half up to the cent once, part by part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from ashore import duties
from ashore.errors import Barred, Fault, FaultyInput, Infeasible, Unresolved, suggest
from ashore.network import LOCAL, Lane, Make, Network, Record, Supply, estimate_in

if TYPE_CHECKING:
    import polars as pl

    from ashore.rules import RuleBook

PARTS = ("make", "bought", "freight", "insurance", "duty", "fees", "carrying")
CENT = Decimal("0.01")
ZERO = Decimal(0)
MOST_USD = Decimal(10) ** 15  # of a unit
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class DutyLine:
    """Duty along a whole chain under one heading, in USD per unit of the product."""

    heading: str
    authority: str
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Route:
    """One way for one unit into a market.

    plant: where it is made; "" if it is bought in from ``origin``. open: whether that plant is open today.
    mode, days: those of the last leg. parts: USD by the names of ``PARTS``, each to the cent; usd_unit is their sum.
    usd_ths: usd_unit over the hash rate, in USD per TH/s to four decimals; None for what has none.
    duty_lines: duty by heading and authority, dearest first; they sum to ``parts["duty"]``.
    assumptions: claims the duty depends on, figures marked as estimates, part makers that are not open yet.
    uses: capacity taken at each plant by one unit and the parts in it.
    """

    product: str
    maker: str
    plant: str
    origin: str
    market: str
    mode: str
    days: float
    usd_unit: Decimal
    usd_ths: Decimal | None
    parts: dict[str, Decimal]
    open: bool
    duty_lines: tuple[DutyLine, ...]
    assumptions: tuple[str, ...]
    uses: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, money as floats, for ``--json``."""
        return {
            "product": self.product,
            "maker": self.maker,
            "plant": self.plant,
            "origin": self.origin,
            "market": self.market,
            "mode": self.mode,
            "days": self.days,
            "usd_unit": float(self.usd_unit),
            "usd_ths": None if self.usd_ths is None else float(self.usd_ths),
            "parts": {name: float(usd) for name, usd in self.parts.items()},
            "open": self.open,
            "duty_lines": [
                {"heading": line.heading, "authority": line.authority, "usd": float(line.usd)}
                for line in self.duty_lines
            ],
            "assumptions": list(self.assumptions),
        }


@dataclass(frozen=True, slots=True)
class Landed:
    """Every route on a day, by market, product and then cost.

    unreached: demand that no route serves. unresolved: duties the rule book cannot tell; chains that would owe them
    are left out of ``routes``, so a route listed may not be the cheapest there is. barred: those that are banned.
    """

    on: date
    country: str
    routes: list[Route]
    unreached: tuple[Fault, ...] = ()
    unresolved: tuple[Fault, ...] = ()
    barred: tuple[Fault, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "on": self.on.isoformat(),
            "country": self.country,
            "routes": [route.as_dict() for route in self.routes],
            "unreached": [fault.as_dict() for fault in self.unreached],
            "unresolved": [fault.as_dict() for fault in self.unresolved],
        }

    def frame(self) -> pl.DataFrame:
        """One row a route: its fields, and one column in USD for each of ``PARTS``."""
        import polars as pl

        text = ("product", "maker", "plant", "origin", "market", "mode")
        schema: dict[str, Any] = dict.fromkeys(text, pl.String)
        schema |= dict.fromkeys(("days", "usd_unit", "usd_ths", *PARTS), pl.Float64)
        schema |= {"open": pl.Boolean, "assumptions": pl.List(pl.String)}
        rows = [{**row, **row["parts"]} for row in (route.as_dict() for route in self.routes)]
        return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema)


def land(network: Network, book: RuleBook, on: date, product: str | None = None, market: str | None = None) -> Landed:
    """Landed cost of every route into every market under the law of one day.

    Routes are the products in demand (or every product of kind "rig" if there is no demand) times market, plant that
    makes it, origin it can have and mode of the last leg; a product can also come straight from a supply. Its parts
    come by the cheapest landed chain into the plant, from plants not open yet too (said in ``assumptions``).

    Every leg is entered on the day ``on``, whatever its transit time: a first-order simplification, exact while the
    law does not change along the chain. Per leg, in USD per unit of the goods carried:

    freight = usd_per_kg * weight_kg + usd_per_unit; insurance = insurance_share * customs value;
    carrying = customs value * discount_year * days / 365; duty = total rate * customs value and fees of an entry,
    both only into ``book.country`` from another country.

    Raises FaultyInput for an unknown product or market, OutsideCoverage for a day the book does not vouch for,
    and, when there is no route at all, Unresolved or Infeasible.
    """
    _known("--product", "product", product, network.products)
    _known("--market", "market", market, network.markets)
    rigs = [name for name, item in network.products.items() if item.kind.casefold() == "rig"]
    wanted = [product] if product is not None else list(network.demanded) or rigs
    markets = [market] if market is not None else list(network.markets)
    costing = _Costing(network, book, on)
    costing.make_all(wanted)
    routes = [route for place in sorted(markets) for name in sorted(wanted) for route in costing.routes(name, place)]
    unresolved = tuple(costing.unresolved[key] for key in sorted(costing.unresolved))
    barred = tuple(costing.unresolved[key] for key in sorted(costing.barred))
    if routes or not wanted or not markets:
        unreached = _unreached(network, routes, wanted, markets)
        return Landed(on, book.country, routes, unreached, unresolved, barred)
    if unresolved:
        raise (Barred if barred == unresolved else Unresolved)(unresolved)
    raise Infeasible([_no_way(network, name, place) for name in wanted for place in markets])


def _known(option: str, noun: str, name: str | None, names: Iterable[str]) -> None:
    if name is not None and name not in names:
        remedy = suggest(name, names, f"Name a {noun} of the network.")
        raise FaultyInput(Fault(option, f"'{name}' is no {noun} of this network.", remedy))


def _unreached(network: Network, routes: list[Route], wanted: list[str], markets: list[str]) -> tuple[Fault, ...]:
    served = {(route.product, route.market) for route in routes}
    pairs = dict.fromkeys((row.product, row.market) for row in network.demand)
    missing = [p for p in pairs if p not in served and p[0] in wanted and p[1] in markets]
    return tuple(_no_way(network, name, place) for name, place in missing)


def _no_way(network: Network, product: str, market: str) -> Fault:
    makers = [make.plant for make in network.makes_of(product)]
    makers += [supply.origin for supply in network.supplies.get(product, ())]
    what = f"No chain of lanes brings '{product}' to {market}."
    if not makers:
        return Fault("makes.csv", what, "Nobody makes or supplies it: add a row to makes.csv or supplies.csv.")
    remedy = f"Add lanes to {market} from {' or '.join(makers)} (or its country), and for its parts to the plant."
    return Fault("lanes.csv", what, remedy)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Costs of one unit so far, unrounded: amounts in the order of ``PARTS``, duty by (heading, authority).

    uses: capacity taken at each plant.
    """

    amounts: tuple[Decimal, ...]
    duty: Mapping[tuple[str, str], Decimal]
    said: frozenset[str]
    total: Decimal
    uses: Mapping[str, Decimal] = field(default_factory=dict)

    def plus(self, other: _Chain, times: Decimal = Decimal(1)) -> _Chain:
        amounts = tuple(mine + times * theirs for mine, theirs in zip(self.amounts, other.amounts, strict=True))
        return _Chain(
            amounts,
            _summed(self.duty, other.duty, times),
            self.said | other.said,
            self.total + times * other.total,
            _summed(self.uses, other.uses, times),
        )


def _summed(mine: Mapping[K, Decimal], theirs: Mapping[K, Decimal], times: Decimal) -> dict[K, Decimal]:
    found = dict(mine)
    for key, amount in theirs.items():
        found[key] = found.get(key, ZERO) + times * amount
    return found


def _chain(
    records: Iterable[Record], usd: Mapping[str, Decimal], duty: Mapping[tuple[str, str], Decimal] | None = None
) -> _Chain:
    """A chain of the amounts given by part, with what the records say of estimates."""
    amounts = tuple(usd.get(name, ZERO) for name in PARTS)
    said = frozenset(line for line in map(estimate_in, records) if line is not None)
    return _Chain(amounts, duty or {}, said, sum(amounts, ZERO))


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A unit at a place: where and of what origin it is, how it came, and its chain before and on the last leg."""

    plant: str
    origin: str
    lane: Lane | None  # None: made at this very place
    before: _Chain
    leg: _Chain

    @property
    def rank(self) -> tuple[Decimal, str, str]:
        """Cheapest first; equals in an order that no sorting of the files changes."""
        return self.before.total + self.leg.total, self.plant, self.lane.mode if self.lane else ""


class _Costing:
    """The recursion on (product, plant, origin), parts before what they go into."""

    def __init__(self, network: Network, book: RuleBook, on: date) -> None:
        self.network, self.book, self.on = network, book, on
        self.unresolved: dict[tuple[str, str], Fault] = {}
        self.barred: set[tuple[str, str]] = set()
        self._made: dict[tuple[str, str], dict[str, _Chain]] = {}  # (plant, product) → origin → cheapest chain
        self._legs: dict[tuple[str, str, float, Lane, bool], _Chain | None] = {}
        self._nothing = _chain([network.settings], {})

    def make_all(self, wanted: Iterable[str]) -> None:
        """Cost every make of the wanted products and of what goes into them."""
        needed, queue = set(wanted), list(wanted)
        while queue:
            for part in self.network.parts.get(queue.pop(), ()):
                if part.part not in needed:
                    needed.add(part.part)
                    queue.append(part.part)
        for product in self.network.order:
            if product in needed:
                for make in self.network.makes_of(product):
                    self._made[make.plant, product] = self._made_by(make)

    def _made_by(self, make: Make) -> dict[str, _Chain]:
        """Cheapest chain of a make by the origin the product can have; {} if a part cannot get there."""
        good = _exact(make.yield_share)
        start = _chain([self.network.products[make.product], make], {"make": _exact(make.cost_usd) / good})
        start = replace(start, uses={make.plant: _exact(make.capacity_use) / good})
        chains = {self.network.plants[make.plant].country: start}
        confers, essential = self.network.confers(make), self.network.essential(make.product)
        for part in sorted(self.network.parts.get(make.product, ()), key=lambda part: part.part):
            offers = self._cheapest(part.part, make.plant)
            if not offers:
                return {}
            use, own = _exact(part.quantity) / good, _chain([part], {})
            if part.part == essential and not confers:
                before = next(iter(chains.values()))  # nothing but this part tells one origin from another
                chains = {origin: before.plus(chain, use).plus(own) for origin, chain in offers.items()}
            else:
                least = min(offers.items(), key=lambda offer: (offer[1].total, offer[0]))[1]
                chains = {origin: chain.plus(least, use).plus(own) for origin, chain in chains.items()}
        return chains

    def _cheapest(self, part: str, plant: str) -> dict[str, _Chain]:
        """Cheapest landed chain of a part at a plant, by the part's origin."""
        best: dict[str, _Arrival] = {}
        for arrival in self._arrivals(part, plant):
            held = best.get(arrival.origin)
            if held is None or arrival.rank < held.rank:
                best[arrival.origin] = arrival
        return {origin: self._through(part, plant, arrival) for origin, arrival in best.items()}

    def _through(self, part: str, plant: str, arrival: _Arrival) -> _Chain:
        chain = arrival.before.plus(arrival.leg)
        if arrival.plant not in ("", plant) and not self.network.plants[arrival.plant].open:
            note = frozenset([f"{part} comes from {arrival.plant}, which is not open yet"])
            return replace(chain, said=chain.said | note)
        return chain

    def _arrivals(self, product: str, place: str) -> Iterator[_Arrival]:
        for make in self.network.makes_of(product):
            chains = self._made[make.plant, product]
            if make.plant == place:
                for origin, chain in chains.items():
                    yield _Arrival(make.plant, origin, None, chain, self._nothing)
                continue
            for lane in self.network.lanes_between(make.plant, place) if chains else ():
                for origin, chain in chains.items():
                    leg = self._leg(product, origin, make.customs_value_usd, lane, (make.plant, place))
                    if leg is not None:
                        yield _Arrival(make.plant, origin, lane, chain, leg)
        for supply in self.network.supplies.get(product, ()):
            chain = self._bought(supply)
            for lane in self.network.supply_lanes(supply, place):
                leg = self._leg(product, supply.origin, supply.price_usd, lane, (supply.origin, place))
                if leg is not None:
                    yield _Arrival("", supply.origin, lane, chain, leg)

    def _bought(self, supply: Supply) -> _Chain:
        return _chain([self.network.products[supply.product], supply], {"bought": _exact(supply.price_usd)})

    def _leg(self, product: str, origin: str, value_usd: float, lane: Lane, ends: tuple[str, str]) -> _Chain | None:
        """One leg of one unit; None if the duty on it cannot be told (noted in ``unresolved``)."""
        if lane.mode == LOCAL:
            return self._nothing  # the price is for goods delivered at home
        start, end = (self.network.country_of(place) for place in ends)
        enters = end == self.book.country != start
        key = (product, origin, value_usd, lane, enters)
        if key not in self._legs:
            try:
                self._legs[key] = self._carried(product, origin, value_usd, lane, enters)
            except Unresolved as error:
                where = f"{product} of {origin}"
                self.unresolved.setdefault(
                    (product, origin), Fault(where, error.faults[0].what, error.faults[0].remedy)
                )
                if isinstance(error, Barred):
                    self.barred.add((product, origin))
                self._legs[key] = None
        return self._legs[key]

    def _carried(self, product: str, origin: str, value_usd: float, lane: Lane, enters: bool) -> _Chain:
        item, settings, value = self.network.products[product], self.network.settings, _exact(value_usd)
        usd = {
            "freight": _exact(lane.usd_per_kg) * _exact(item.weight_kg) + _exact(lane.usd_per_unit),
            "insurance": _exact(settings.insurance_share) * value,
            "carrying": value * _exact(settings.discount_year) * _exact(lane.days) / 365,
        }
        if not enters:
            return _chain([lane], usd)
        claims = duties.maker_claim(self.book, item.maker)
        usd["duty"] = _exact(duties.total_rate(self.book, item.hts, origin, self.on, claims)) * value
        fees = duties.fees_usd(self.book, value_usd, self.on, lane.mode, settings.entry_units)
        usd["fees"] = _exact(round(fees, 9))
        lines: dict[tuple[str, str], Decimal] = {}
        for heading, authority, rate in duties.lines(self.book, item.hts, origin, self.on, claims):
            lines[heading, authority] = lines.get((heading, authority), ZERO) + _exact(rate) * value
        chain = _chain([lane], usd, lines)
        needs = duties.needs(self.book, item.hts, origin, self.on, claims)
        said = {f"duty on {product} of {origin} depends on the claim {claim}" for claim in needs}
        said.update(self.book.caveats(self.on))
        return replace(chain, said=chain.said | said)

    def routes(self, product: str, market: str) -> list[Route]:
        """Every route of a product into a market, cheapest first."""
        found = [self._route(product, market, arrival) for arrival in self._arrivals(product, market)]
        return sorted(found, key=lambda route: (route.usd_unit, route.plant, route.origin, route.mode))

    def _route(self, product: str, market: str, arrival: _Arrival) -> Route:
        item, chain, lane = self.network.products[product], arrival.before.plus(arrival.leg), arrival.lane
        assert lane is not None  # a market makes nothing
        parts = {name: _to_cent(usd) for name, usd in zip(PARTS, chain.amounts, strict=True)}
        total = sum(parts.values(), ZERO)
        per_ths = None
        if item.hash_ths is not None:
            per_ths = (total / _exact(item.hash_ths)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        said = chain.said | self._nothing.said
        return Route(
            product=product,
            maker=item.maker,
            plant=arrival.plant,
            origin=arrival.origin,
            market=market,
            mode=lane.mode,
            days=lane.days,
            usd_unit=total,
            usd_ths=per_ths,
            parts=parts,
            open=not arrival.plant or self.network.plants[arrival.plant].open,
            duty_lines=_duty_lines(chain.duty, parts["duty"]),
            assumptions=tuple(sorted(said)),
            uses={plant: float(use) for plant, use in chain.uses.items()},
        )


def _duty_lines(duty: Mapping[tuple[str, str], Decimal], total: Decimal) -> tuple[DutyLine, ...]:
    """Duty by heading in cents that sum to ``total``: rounded down, the cents left over to the largest remainders."""
    owed = {key: usd for key, usd in duty.items() if usd}
    cents = {key: int(usd / CENT) for key, usd in owed.items()}
    left = int(total / CENT) - sum(cents.values())
    for key in sorted(owed, key=lambda key: (cents[key] - owed[key] / CENT, key))[:left]:
        cents[key] += 1
    lines = [DutyLine(*key, usd=count * CENT) for key, count in cents.items()]
    return tuple(sorted(lines, key=lambda line: (-line.usd, line.heading, line.authority)))


def _exact(value: float) -> Decimal:
    """The decimal a float was written as."""
    return Decimal(str(value))


def _to_cent(usd: Decimal) -> Decimal:
    if usd > MOST_USD:
        what = f"A unit comes to {usd:.1e} USD, more than can be reckoned to the cent."
        raise FaultyInput(Fault("makes.csv, supplies.csv, parts.csv", what, "Correct the costs, prices or quantities."))
    return usd.quantize(CENT, ROUND_HALF_UP)
