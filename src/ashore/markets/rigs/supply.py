"""How rigs reach buyers: every route of the supply network into every region, with its rate and its other costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from ashore import costs, duties
from ashore.errors import Barred, Fault, Infeasible, Unresolved
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

    region, rig: numbers. origin: that it is entered with.
    rate:  duty on the price at the border, as a share of it.
    extra: USD a TH/s that all other costs of the route are above ``gate``, (rigs,): the cheapest plant's gate.
    load:  (routes, plants) capacity taken at each plant by a TH/s, that of its parts included.
    capacity: (plants,) units over the period.
    """

    region: Ints
    rig: Ints
    origin: tuple[str, ...]
    rate: Floats
    extra: Floats
    gate: Floats
    load: Floats
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
    """Every route of a network that runs as it is, under the law of a day, and what the rule book cannot tell.

    What is banned has no route.

    delay_usd_day: (regions, rigs) what a day on the way costs in income, USD a TH/s.
    """
    plants = {name: number for number, name in enumerate(network.plants)}
    try:
        landed = costs.land(network, book, on)
    except (Infeasible, Barred):  # told market by market in ``market``
        landed = costs.Landed(on, book.country, [])
    made = {(make.plant, product): make for product in rigs for make in network.makes_of(product)}
    gates: dict[str, float] = {}
    rows: list[tuple[float, ...]] = []
    origins: list[str] = []
    load: list[Floats] = []
    faults = [fault for fault in landed.unresolved if fault not in landed.barred]
    for route in landed.routes:
        if route.product not in rigs or route.market not in regions:
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
        rows.append((*place, rate, total / hash_ths + route.days * float(delay_usd_day[place])))
        origins.append(route.origin)
        load.append(
            np.bincount([plants[name] for name in route.uses], list(route.uses.values()), len(plants)) / hash_ths
        )
    table = np.array(rows, dtype=float).reshape(-1, 4)
    rig = table[:, 1].astype(np.int64)
    gate_ths = np.array([gates.get(name, 0.0) / float(network.products[name].hash_ths or 1.0) for name in rigs])
    found = Ways(
        region=table[:, 0].astype(np.int64),
        rig=rig,
        origin=tuple(origins),
        rate=table[:, 2],
        extra=table[:, 3] - gate_ths[rig],
        gate=gate_ths,
        load=np.array(load, dtype=float).reshape(len(rows), len(plants)),
        capacity=np.array([plant.capacity_month * months for plant in network.plants.values()]),
        plants=tuple(plants),
    )
    return found, faults


def _rate(network: Network, book: RuleBook, on: date, route: costs.Route, dispute: Dispute | None) -> float:
    """Rate on the last leg: 0 unless it enters the country that keeps the book; expected if its origin is in doubt."""
    start = network.plants[route.plant].country if route.plant else route.origin
    if network.country_of(route.market) != book.country or start == book.country:
        return 0.0
    item = network.products[route.product]
    claims = duties.maker_claim(book, item.maker)
    rate = duties.total_rate(book, item.hts, route.origin, on, claims)
    if dispute is None or route.origin == dispute.origin:
        return rate
    found = duties.total_rate(book, item.hts, dispute.origin, on, claims)
    return (1 - dispute.chance) * rate + dispute.chance * found
