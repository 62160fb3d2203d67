"""What the figures and tables of a report show, worked out from a network, routes and plans as plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ashore.report.words import NOT_OPEN

if TYPE_CHECKING:
    from ashore.network import Network

Document = Mapping[str, Any]
Names = Mapping[str, str]  # country code → name


def main_market(network: Network, country: str) -> str | None:
    """The market in a country with most units in demand; without one there, of all; None without any market."""
    wanted: dict[str, float] = dict.fromkeys(network.markets, 0.0)
    for row in network.demand:
        wanted[row.market] += row.units
    at_home = {name: units for name, units in wanted.items() if network.country_of(name) == country}
    return max(at_home or wanted, key=lambda name: wanted[name], default=None)


def ranking(network: Network, routes: Iterable[Document], country: str, names: Names) -> list[dict[str, Any]]:
    """Of each product the cheapest route from every country, and at home one for each origin kept.

    Products stand by cost per TH/s. ``home`` is the cheapest route of a plant in the country that keeps the tariff,
    ``abroad`` the cheapest of all others, ``gap_usd`` home less abroad, ``gap_open_usd`` the same with nothing that is
    not open yet; None where there is no such route.
    """
    by_product: dict[str, list[Document]] = {}
    for route in routes:
        by_product.setdefault(route["product"], []).append(route)
    found = []
    for product, own in by_product.items():
        best: dict[tuple[str, bool], Document] = {}
        for route in sorted(own, key=lambda route: (route["usd_unit"], not route["open"])):
            made_in = network.country_of(route["plant"]) if route["plant"] else route["origin"]
            best.setdefault((made_in, made_in == country == route["origin"]), route)
        rows = [_ranked(route, made_in, made_in == country, network, names) for (made_in, _), route in best.items()]
        home = next((row for row in rows if row["home"]), None)
        abroad = next((row for row in rows if not row["home"]), None)
        item = network.products[product]
        found.append(
            {
                "product": product,
                "maker": item.maker,
                "hash_ths": item.hash_ths,
                "rows": rows,
                "home": home,
                "abroad": abroad,
                "gap_usd": _gap(home, abroad),
                "gap_open_usd": _gap(next((row for row in rows if row["home"] and not row["waits"]), None), abroad),
            }
        )
    return sorted(found, key=lambda group: group["rows"][0]["usd_ths"] or 0.0)


def _gap(home: Document | None, abroad: Document | None) -> float | None:
    return round(home["usd_unit"] - abroad["usd_unit"], 2) if home and abroad else None


def _ranked(route: Document, made_in: str, home: bool, network: Network, names: Names) -> dict[str, Any]:
    """A route as a row with its name; ``waits``: something on its way is not open yet."""
    part = network.essential(route["product"])
    label = f"{made_in} plant" if home else names.get(made_in, made_in)
    if part is not None and route["plant"] and (home or route["origin"] != made_in):
        own = "own" if route["origin"] == made_in else names.get(route["origin"], route["origin"])
        label += f", {own} {network.products[part].kind}s"
    waits = not route["open"] or any(NOT_OPEN in line for line in route["assumptions"])
    label += f", {route['mode']}" + (", not open yet" if waits else "")
    row = {key: value for key, value in route.items() if key != "assumptions"}
    return row | {"made_in": made_in, "home": home, "waits": waits, "label": label}


def spine(network: Network) -> dict[str, list[str]]:
    """Of each product in demand the chain of its essential parts, or else the dearest: rig, board, chips."""
    chains = {}
    for product in network.demanded:
        chain = [product]
        while parts := network.parts.get(chain[-1], ()):
            kept = network.essential(chain[-1])
            chain.append(kept or max(parts, key=lambda p: p.quantity * (network.ex_works_usd(p.part) or 0)).part)
        chains[product] = chain
    return chains


def production(network: Network, plan: Document, names: Names) -> dict[str, Any]:
    """The flow of a plan as stages and ribbons, in units of the final product a month (mean over the plan).

    Stages: where the last part of the spine is bought, where each part and the product are made, the markets.
    A ribbon is what plants use of the stage before: shipped in, bought in, or made at the same place. Where final
    products of different recipes share a part, the recipe of the last one counts.
    """
    chains, months = spine(network), plan["months"]
    chances = {node["node"]: node["chance"] for node in plan["node_costs"]}
    depth = max((len(chain) for chain in chains.values()), default=1)
    level: dict[str, int] = {}  # product → how many steps before the market
    final: dict[str, float] = {}  # product → units of it in one unit of the final product
    for chain in chains.values():
        units = 1.0
        for step, product in enumerate(chain):
            if step:
                units *= next(p.quantity for p in network.parts[chain[step - 1]] if p.part == product)
            level[product], final[product] = step, units
    made: dict[tuple[str, str, str], float] = defaultdict(float)  # plant, product, origin
    for row in plan["make"]:
        if row["product"] in level:
            made[row["plant"], row["product"], row["origin"]] += row["units"] * chances[row["node"]] / months
    ribbons: dict[tuple[int, str, str, str], float] = defaultdict(float)
    arrived: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan["flows"]:
        product = row["product"]
        if product not in level:
            continue
        units = row["units"] * chances[row["node"]] / months / final[product]
        stage = depth - 1 - level[product]
        ribbons[stage, row["from"], row["to"], row["origin"]] += units
        arrived[row["to"], product] += units
    for product, step in level.items():  # what is used where it is made
        users = {chain[step - 1] for chain in chains.values() if step and product in chain}
        for plant in network.plants if users else ():
            own = {key: units for key, units in made.items() if key[:2] == (plant, product)}
            used = sum(
                units / network.makes[plant, user].yield_share / final[user]
                for (maker, user, _), units in made.items()
                if maker == plant and user in users
            )
            inside = used - arrived[plant, product]
            total = sum(own.values())
            for (_, _, origin), units in own.items():
                if inside > 1e-6 * used:
                    ribbons[depth - 1 - step, plant, plant, origin] += inside * units / total
    kinds = {network.products[product].kind for product in network.demanded}
    return {
        "final": " and ".join(sorted(f"{kind}s" for kind in kinds)),
        "stages": _stages(network, chains, depth, ribbons, names),
        "ribbons": [
            {"stage": stage, "start": start, "end": end, "kind": names.get(origin, origin), "units": units}
            for (stage, start, end, origin), units in sorted(ribbons.items())
            if units > 1e-6
        ],
    }


def _stages(
    network: Network,
    chains: Mapping[str, Sequence[str]],
    depth: int,
    ribbons: Mapping[tuple[int, str, str, str], float],
    names: Names,
) -> list[dict[str, Any]]:
    stages = []
    for stage in range(depth + 1):
        step = depth - 1 - stage
        kinds = {network.products[chain[step]].kind for chain in chains.values() if 0 <= step < len(chain)}
        places = dict.fromkeys(key[1] for key in ribbons if key[0] == stage)
        places |= dict.fromkeys(key[2] for key in ribbons if key[0] == stage - 1)
        made = any(place in network.plants for place in places)
        what = " and ".join(sorted(f"{kind}s" for kind in kinds))
        title = "Plugged in" if stage == depth else f"{what} made" if made else f"{what} bought"
        title = title[:1].upper() + title[1:]
        shown = {place: names.get(place, place) for place in places}
        stages.append({"title": title, "places": shown})
    return stages


def timeline(network: Network, plan: Document) -> list[dict[str, Any]]:
    """Of each plant that makes anything: share of capacity used in each month, and when it was decided and is ready.

    Capacity counts the most modules that any branch adds. steps: month and step of what is decided besides opening.
    """
    months = plan["months"]
    modules = _most_modules(plan)
    chances = {node["node"]: node["chance"] for node in plan["node_costs"]}
    used: dict[str, list[float]] = {}
    units: dict[str, dict[str, list[float]]] = {}
    for row in plan["make"]:
        plant, product = row["plant"], row["product"]
        capacity = network.plants[plant].capacity_month
        capacity += modules.get(plant, 0) * (network.plants[plant].module_month or 0.0)
        amount = row["units"] * chances[row["node"]]
        if capacity:
            share = amount * network.makes[plant, product].good_capacity_use / capacity
            used.setdefault(plant, [0.0] * months)[row["month"]] += share
        units.setdefault(plant, {}).setdefault(product, [0.0] * months)[row["month"]] += amount
    opened = {row["plant"]: row for row in reversed(plan["open"])}
    rows = []
    for plant, by_product in units.items():
        main = max(by_product, key=lambda product: (product in network.demanded, max(by_product[product])))
        order = opened.get(plant)
        rows.append(
            {
                "plant": plant,
                "company": network.plants[plant].company,
                "country": network.plants[plant].country,
                "label": plant,
                "share": [round(share, 6) for share in used.get(plant, [0.0] * months)],
                "units": {product: [round(u, 4) for u in amounts] for product, amounts in by_product.items()},
                "peak": f"at most {max(by_product[main]):,.0f} {network.products[main].kind}s a month",
                "opened": order is not None,
                "decided": order["month"] if order else None,
                "ready": order["ready"] if order else None,
                "steps": [
                    {"month": row["month"], "step": row["step"]}
                    for row in plan["steps"]
                    if row["plant"] == plant and row["step"] != "open"
                ],
            }
        )
    place = {name: number for number, name in enumerate(network.plants)}
    return sorted(rows, key=lambda row: (row["opened"], place[row["plant"]]))


def _most_modules(plan: Document) -> dict[str, int]:
    """Of each plant the modules added by the end of the branch that adds most."""
    found: dict[str, int] = {}
    for plant in {row["plant"] for row in plan["steps"] if row["step"] == "expand"}:
        total: dict[str | None, int] = {None: 0}
        for node in plan["node_costs"]:  # parents stand before children
            own = [row for row in plan["steps"] if (row["plant"], row["node"]) == (plant, node["node"])]
            total[node["node"]] = total[node["parent"]] + sum(row["modules"] or 0 for row in own)
        found[plant] = max(total.values())
    return found


def condensed(plan: Document, name: str, network: Network) -> dict[str, Any]:
    """A plan without its monthly rows: money, proof, openings, and what is made and lost in all."""
    months = plan["months"]
    chances = {node["node"]: node["chance"] for node in plan["node_costs"]}
    made: dict[tuple[str, str, str], float] = defaultdict(float)
    lost: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan["make"]:
        if row["product"] in network.demanded:
            made[row["plant"], row["product"], row["origin"]] += row["units"] * chances[row["node"]] / months
    for row in plan["lost"]:
        lost[row["market"], row["product"]] += row["units"] * chances[row["node"]] / months
    kept = (
        "status", "objective_usd", "bound_usd", "gap", "cost_usd", "tail_usd", "revenue_usd", "duty_usd", "seconds",
        "columns", "rows", "start", "months", "open", "steps", "duty", "node_costs", "notes",
    )  # fmt: skip
    return {
        "name": name,
        **{key: plan[key] for key in kept},
        "made": [
            {"plant": plant, "product": product, "origin": origin, "units_month": round(units, 4)}
            for (plant, product, origin), units in sorted(made.items(), key=lambda pair: -pair[1])
        ],
        "lost": [
            {"market": market, "product": product, "units_month": round(units, 4)}
            for (market, product), units in lost.items()
        ],
    }


def steps_to_ask(network: Network, country: str) -> list[dict[str, Any]]:
    """The steps that could be taken in a country: its candidate plants by company and kind of goods they make."""
    found: dict[tuple[str, str], list[str]] = {}
    for plant in network.plants.values():
        if plant.open or plant.country != country:
            continue
        kinds = {network.products[make.product].kind for make in network.makes.values() if make.plant == plant.name}
        found.setdefault((plant.company, " and ".join(sorted(f"{kind}s" for kind in kinds))), []).append(plant.name)
    return [{"company": company, "makes": makes, "plants": plants} for (company, makes), plants in found.items()]
