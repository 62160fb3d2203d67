"""Concentration of a network on a day, and of plans for it, on four geographies; what a second origin does to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashore import costs
from ashore.errors import Fault, FaultyInput
from ashore.fleet.concentration import Shares, bounds, dependence, dissimilarity
from ashore.fleet.shares import MADE
from ashore.tables import document_of

if TYPE_CHECKING:
    from ashore.costs import Route
    from ashore.network import Network
    from ashore.rules import RuleBook

PLAN = {  # rows a plan's document must have → their texts, and their number
    "flows": (("product", "to", "from", "origin", "mode", "node"), "units"),
    "node_costs": (("node",), "chance"),
}
MOST = 1e15  # of a number in a plan
SECOND = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # shares of every demand that come from a second origin


@dataclass(frozen=True, slots=True)
class Delivery:
    """Rigs delivered: hash rate (or units, for what has none) with its maker, places, cost in USD and days."""

    weight: float
    units: float
    product: str
    maker: str
    assembly: str
    customs_origin: str
    market: str
    usd_unit: float | None
    days: float


def of_network(network: Network, book: RuleBook, on: date, home: str, nations: Mapping[str, str]) -> dict[str, Any]:
    """The network served by the cheapest open route of each demand on a day, and with a second origin.

    nations: see :func:`nationality`. Raises FaultyInput, Infeasible, OutsideCoverage and Unresolved as ``costs.land``
    does, and FaultyInput if no demand is served.
    """
    landed = costs.land(network, book, on)
    routes: dict[tuple[str, str], list[Route]] = {}
    for route in landed.routes:
        if route.open:
            routes.setdefault((route.market, route.product), []).append(route)
    wanted = _units(network)
    missing = sorted({f"{product} to {market}" for market, product in wanted if (market, product) not in routes})
    first = [_delivery(network, routes[key][0], units) for key, units in wanted.items() if key in routes]
    if not sum(one.weight for one in first):
        raise FaultyInput(Fault("demand.csv", "No demand is served by an open route.", "Add demand, lanes or plants."))
    steps = [_second(network, routes, wanted, share, home, nations) for share in SECOND]
    single = sorted({product for (market, product), ways in routes.items() if _other(ways) is None})
    return {
        "on": on.isoformat(),
        "home": home,
        **described(network, first, home, nations),
        "second_origin": steps,
        "without_second_origin": single,
        "unserved": missing,
    }


def of_plan(network: Network, path: Path, home: str, nations: Mapping[str, str]) -> dict[str, Any]:
    """A plan for the network, as ``ashore plan --json`` wrote it: what it should deliver. Raises FaultyInput."""
    document = read_plan(path)
    chances = {row["node"]: row["chance"] for row in document["node_costs"]}
    found = []
    for flow in document["flows"]:
        product = network.products.get(flow["product"])
        if product is None:
            what = f"The plan moves '{flow['product']}', which the network does not have."
            raise FaultyInput(Fault(path.name, what, "Name the network the plan was made for."))
        if flow["to"] not in network.markets:
            continue
        units = flow["units"] * chances.get(flow["node"], 1.0)
        lane = next((one for one in network.lanes_between(flow["from"], flow["to"]) if one.mode == flow["mode"]), None)
        place = network.country_of(flow["from"]) if flow["from"] in network.plants else flow["from"]
        days = lane.days if lane is not None else 0.0
        weight = units * (product.hash_ths or 1.0)
        found.append(
            Delivery(weight, units, product.name, product.maker, place, flow["origin"], flow["to"], None, days)
        )
    if not sum(one.weight for one in found):
        raise FaultyInput(Fault(path.name, "The plan delivers nothing.", "Give a plan that does."))
    bought = _bought(network, document["flows"], chances)
    answer = described(network, found, home, nations, bought)
    return {"plan": path.name, "cost_usd": document.get("cost_usd"), "months": document.get("months"), **answer}


def read_plan(path: Path) -> dict[str, Any]:
    """The document of a plan. Raises FaultyInput."""
    remedy = "Write it with `ashore plan … --json > plan.json`."
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FaultyInput(Fault(str(path), f"The file cannot be read ({error.strerror}).", "Name a plan.")) from None
    except (ValueError, RecursionError) as error:
        raise FaultyInput(Fault(path.name, f"This is not JSON ({error}).", remedy)) from None
    for name, (texts, number) in PLAN.items():
        rows = document.get(name) if isinstance(document, dict) else None
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and {*texts, number} <= row.keys() for row in rows
        ):
            raise FaultyInput(Fault(path.name, f"This is no plan: it has no {name}.", remedy))
        for place, row in enumerate(rows, 1):
            if not all(isinstance(row[key], str) for key in texts) or not _is_amount(row[number]):
                what = f"{name}, {place}: {', '.join(texts)} are texts and {number} is a number."
                raise FaultyInput(Fault(path.name, what, remedy))
    for name in ("cost_usd", "months"):
        value = document.get(name)
        if value is not None and not _is_amount(abs(value) if isinstance(value, int | float) else value):
            raise FaultyInput(Fault(path.name, f"{name} is no number.", remedy))
    return dict(document)


def _is_amount(value: Any) -> bool:
    """Whether a value of a document is a number from 0 to MOST."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST


def described(
    network: Network,
    deliveries: list[Delivery],
    home: str,
    nations: Mapping[str, str],
    bought: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, Any]:
    """Four geographies of deliveries, by hash rate, each with its measures; mean cost and days.

    bought: of each chip, what is bought where; None: where its price is lowest.
    """
    whole = sum(one.weight for one in deliveries)
    makers = _sums((one.maker, one.weight / whole) for one in deliveries)
    countries: dict[str, dict[str, float]] = {
        "brand": _sums((nations[one.maker], one.weight / whole) for one in deliveries if one.maker in nations),
        "assembly": _sums((one.assembly, one.weight / whole) for one in deliveries),
        "customs_origin": _sums((one.customs_origin, one.weight / whole) for one in deliveries),
        "chip_fab": _fabs(network, deliveries, whole, bought),
    }
    hashed = Shares(_sums((network.markets[one.market].country, one.weight / whole) for one in deliveries))
    rows = []
    for geography in MADE:
        shares = Shares(countries[geography])
        entities = Shares(makers) if geography == "brand" else shares
        low, high = dependence(shares, home)
        near, far = dissimilarity(shares, hashed)
        rows.append(
            {
                "geography": geography,
                "shares": entities.named,
                "countries": shares.named,
                "rest": entities.rest,
                **bounds(entities),
                "import_dependence_low": low,
                "import_dependence_high": high,
                "dissimilarity_low": near,
                "dissimilarity_high": far,
            }
        )
    costed = [one for one in deliveries if one.usd_unit is not None]
    usd = sum(one.units * (one.usd_unit or 0.0) for one in costed)
    return {
        "geographies": rows,
        "flows": _flows(network, deliveries, whole, nations, bought),
        "hashed": hashed.named,
        "markets": _markets(network, deliveries),
        "landed_usd": usd if costed else None,
        "landed_usd_per_ths": usd / whole if costed else None,
        "days": sum(one.weight * one.days for one in deliveries) / whole,
    }


def _markets(network: Network, deliveries: Iterable[Delivery]) -> dict[str, list[str]]:
    """Countries in which rigs hash, each with its markets: where one stands for many countries, it is seen here."""
    found: dict[str, list[str]] = {}
    for market in sorted({one.market for one in deliveries}):
        found.setdefault(network.markets[market].country, []).append(market)
    return found


def _flows(
    network: Network,
    deliveries: Iterable[Delivery],
    whole: float,
    nations: Mapping[str, str],
    bought: Mapping[str, Mapping[str, float]] | None,
) -> list[dict[str, Any]]:
    """Shares of the hash rate by maker and where chips, brand, assembly, origin and hashing are; "" for not known."""
    found: dict[tuple[str, ...], float] = {}
    for one in deliveries:
        fabs = _fabs(network, [one], one.weight, bought) or {"": 1.0}
        for fab, share in fabs.items():
            hashed = network.markets[one.market].country
            places = (fab, nations.get(one.maker, ""), one.assembly, one.customs_origin, hashed)
            key = (one.maker, *places)
            found[key] = found.get(key, 0.0) + share * one.weight / whole
    names = ("maker", "chip_fab", "brand", "assembly", "customs_origin", "hashed")
    return [dict(zip(names, key, strict=True)) | {"share": share} for key, share in found.items()]


def nationality(folder: Path | None) -> dict[str, str]:
    """Country of each maker's owner, from the network's market.toml; {} if it has none. Raises FaultyInput."""
    path = None if folder is None else folder / "market.toml"
    if path is None or not path.exists():
        return {}
    found = document_of(path).get("nationality", {})
    return {str(maker): str(country) for maker, country in found.items()} if isinstance(found, dict) else {}


def _units(network: Network) -> dict[tuple[str, str], float]:
    """Units wanted of each product in each market, in all."""
    return _sums(((row.market, row.product), row.units) for row in network.demand)


def _delivery(network: Network, route: Route, units: float) -> Delivery:
    weight = units * (network.products[route.product].hash_ths or 1.0)
    place = network.country_of(route.plant) if route.plant else route.origin
    usd = float(route.usd_unit)
    return Delivery(weight, units, route.product, route.maker, place, route.origin, route.market, usd, route.days)


def _other(ways: list[Route]) -> Route | None:
    """The cheapest open route of another origin than the cheapest one."""
    return next((way for way in ways if way.origin != ways[0].origin), None)


def _second(
    network: Network,
    routes: Mapping[tuple[str, str], list[Route]],
    wanted: Mapping[tuple[str, str], float],
    share: float,
    home: str,
    nations: Mapping[str, str],
) -> dict[str, Any]:
    """What it makes if a share of every demand comes from the cheapest route of a second origin, where there is one."""
    found = []
    for key, units in wanted.items():
        if key in routes:
            second = _other(routes[key])
            part = share if second is not None else 0.0
            found.append(_delivery(network, routes[key][0], (1 - part) * units))
            if second is not None and part:
                found.append(_delivery(network, second, part * units))
    answer = described(network, found, home, nations)
    return {
        "share": share,
        **{f"hhi_{row['geography']}": row["hhi_low"] for row in answer["geographies"]},
        "landed_usd_per_ths": answer["landed_usd_per_ths"],
        "days": answer["days"],
    }


def _fabs(
    network: Network,
    deliveries: Iterable[Delivery],
    whole: float,
    bought: Mapping[str, Mapping[str, float]] | None,
) -> dict[str, float]:
    """Shares of the countries the chips come from, each rig counted by its hash rate."""
    found: dict[str, float] = {}
    for one in deliveries:
        chips = chips_of(network, one.product)
        for chip in chips:
            for country, share in _sources(network, chip, bought).items():
                found[country] = found.get(country, 0.0) + share / len(chips) * one.weight / whole
    return found


def chips_of(network: Network, product: str) -> list[str]:
    """The chips anywhere in a product: its parts of kind chip, and theirs."""
    found: list[str] = []
    queue = [product]
    while queue:
        for part in network.parts.get(queue.pop(), ()):
            if network.products[part.part].kind.casefold() == "chip":
                found.append(part.part)
            else:
                queue.append(part.part)
    return sorted(set(found))


def _sources(network: Network, chip: str, bought: Mapping[str, Mapping[str, float]] | None) -> dict[str, float]:
    """Countries a chip comes from: as bought, or where its price is lowest; {} if nobody supplies it."""
    if bought is not None and bought.get(chip):
        total = sum(bought[chip].values())
        return {country: units / total for country, units in bought[chip].items()}
    offers = network.supplies.get(chip, ())
    return {min(offers, key=lambda offer: (offer.price_usd, offer.origin)).origin: 1.0} if offers else {}


def _bought(
    network: Network, flows: Iterable[Mapping[str, Any]], chances: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Of each chip, units bought by origin, expected."""
    found: dict[str, dict[str, float]] = {}
    for flow in flows:
        if flow.get("kind") == "bought" and network.products[flow["product"]].kind.casefold() == "chip":
            units = found.setdefault(flow["product"], {})
            units[flow["origin"]] = units.get(flow["origin"], 0.0) + flow["units"] * chances.get(flow["node"], 1.0)
    return found


def _sums(pairs: Iterable[tuple[Any, float]]) -> dict[Any, float]:
    found: dict[Any, float] = {}
    for key, value in pairs:
        found[key] = found.get(key, 0.0) + value
    return found
