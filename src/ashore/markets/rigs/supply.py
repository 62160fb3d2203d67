"""How rigs reach buyers: every route of the supply network into every region, with its rate and its other costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from ashore import costs, duties
from ashore.errors import Fault, Unresolved
from ashore.markets.demand import Floats, Ints
from ashore.network import Network
from ashore.rules import RuleBook


@dataclass(frozen=True)
class Dispute:
    """The chance that customs finds goods of another origin to be of ``origin``."""

    origin: str
    chance: float


@dataclass(frozen=True)
class Ways:
    """Routes of open plants, each into one region with one rig; arrays of shape (routes,) unless said otherwise.

    region, rig, plant: numbers; a rig bought in straight has plant −1. origin: that it is entered with.
    rate:  duty on the price at the border, as a share of it.
    extra: USD a TH/s that all other costs of the route are above those of the cheapest plant's gate.
    use:   capacity of the plant taken by a TH/s; capacity: (plants,) units over the period.
    """

    region: Ints
    rig: Ints
    plant: Ints
    origin: tuple[str, ...]
    rate: Floats
    extra: Floats
    use: Floats
    capacity: Floats
    plants: tuple[str, ...]


def ways(
    network: Network,
    book: RuleBook,
    on: date,
    regions: Mapping[str, int],
    rigs: Mapping[str, int],
    months: int,
    dispute: Dispute | None,
    delay_usd_day: Floats,
) -> tuple[Ways, list[Fault]]:
    """Every route under the law of a day, and what the rule book cannot tell.

    delay_usd_day: (regions, rigs) what a day on the way costs in income, USD a TH/s.
    """
    landed = costs.land(network, book, on)
    plants = {name: number for number, name in enumerate(name for name, p in network.plants.items() if p.open)}
    made = {(make.plant, product): make for product in rigs for make in network.makes_of(product)}
    gates: dict[str, float] = {}
    rows: list[tuple[float, ...]] = []
    origins: list[str] = []
    faults = list(landed.unresolved)
    for route in landed.routes:
        if route.product not in rigs or route.market not in regions or not route.open:
            continue
        make = made.get((route.plant, route.product))
        hash_ths = network.products[route.product].hash_ths
        assert hash_ths
        try:
            rate, claimed = _rate(network, book, on, route, dispute), _rate(network, book, on, route, None)
        except Unresolved as error:
            faults.extend(error.faults)
            continue
        gate = float(route.parts["make"] + route.parts["bought"])
        gates[route.product] = min(gate, gates.get(route.product, gate))
        place = regions[route.market], rigs[route.product]
        total = float(route.usd_unit) - claimed * (make.customs_value_usd if make else gate)
        extra = total / hash_ths + route.days * float(delay_usd_day[place])
        use = make.good_capacity_use / hash_ths if make else 0.0
        rows.append((*place, plants.get(route.plant, -1), rate, extra, use))
        origins.append(route.origin)
    table = np.array(rows, dtype=float).reshape(-1, 6)
    rig = table[:, 1].astype(np.int64)
    base = np.array([gates.get(name, 0.0) / float(network.products[name].hash_ths or 1.0) for name in rigs])
    found = Ways(
        region=table[:, 0].astype(np.int64),
        rig=rig,
        plant=table[:, 2].astype(np.int64),
        origin=tuple(origins),
        rate=table[:, 3],
        extra=table[:, 4] - base[rig],
        use=table[:, 5],
        capacity=np.array([network.plants[name].capacity_month * months for name in plants]),
        plants=tuple(plants),
    )
    return found, faults


def _rate(network: Network, book: RuleBook, on: date, route: costs.Route, dispute: Dispute | None) -> float:
    """Rate on the last leg: 0 unless it enters the country that keeps the book; expected if its origin is in doubt."""
    start = network.plants[route.plant].country if route.plant else route.origin
    if network.country_of(route.market) != book.country or start == book.country:
        return 0.0
    hts = network.products[route.product].hts
    rate = duties.total_rate(book, hts, route.origin, on)
    if dispute is None or route.origin == dispute.origin:
        return rate
    return (1 - dispute.chance) * rate + dispute.chance * duties.total_rate(book, hts, dispute.origin, on)
