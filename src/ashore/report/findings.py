"""The answer in one piece: routes ranked today, plans, and the duty rate at which each step at home starts to pay."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashore.report import views, views_plan, views_worth
from ashore.report.words import short, split_assumptions

if TYPE_CHECKING:
    from ashore.network import Network, Record
    from ashore.plans import Plan
    from ashore.rules import RuleBook

GAP = 1e-4  # relative gap of the plans and of every probe of a break-even
STEP = 0.005  # share of customs value to within which a break-even is found
CORES = 2
SECONDS = 300.0  # for each plan; what is not proven by then says so


@dataclass(frozen=True, slots=True)
class Answer:
    """What a network's owner wants to know, as plain values; the page and the terminal text are made of it.

    ranking: of each product its routes into ``market``, one for each country, cheapest first. plans: the law held,
    then one for each futures file. steps: for each company and step at home the break-even total duty rate.
    ladder: total rate on the products in demand over time by origin. production: stages and ribbons of the first plan.
    timeline: months of the first plan by plant. worth: what rigs earn against what they cost; None: not known.
    explained: the tree, flows, duty, and costs apart of the first plan over several branches, else of the first; what
    its plants and one more unit are worth, and the flips of its first decision if asked for. None: too large for that.
    concentration: the cheapest open routes on four geographies, and with a second origin; None: no demand is served.
    law: the headings owed today by origin, with sources and marks.
    """

    network: str
    country: str
    country_name: str
    country_names: dict[str, str]
    plant_countries: dict[str, str]
    start: str
    months: int
    market: str | None
    ranking: list[dict[str, Any]]
    plans: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    ladder: dict[str, Any]
    production: dict[str, Any]
    timeline: list[dict[str, Any]]
    worth: dict[str, Any] | None
    explained: dict[str, Any] | None
    concentration: dict[str, Any] | None
    law: list[dict[str, Any]]
    assumptions: list[str]
    estimates: list[str]
    sources: list[str]
    notes: list[str]
    seconds: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def answer(
    network: Network,
    book: RuleBook,
    start: date,
    months: int,
    futures_path: Path | None = None,
    rules: Sequence[str] = (),
) -> Answer:
    """Costs, plans and break-evens of a network from ``start`` on.

    With ``futures_path`` the plan under that tree is made beside the law held, else one for each ``*.toml`` in the
    network's folder ``futures``. ``rules``: those whose break-even rates are looked for. Raises what landed cost and
    plans raise, and FaultyInput for a market.toml that cannot be read; a break-even that cannot be found is told.
    """
    from ashore import costs, plans
    from ashore.fleet import origins

    begun = clock.perf_counter()
    nations = origins.nationality(network.folder)
    market = views.main_market(network, book.country)
    landed = costs.land(network, book, start, market=market).as_dict()
    names = {code: short(name) for code, name in book.countries.items()}
    ranked = views.ranking(network, landed["routes"], book.country, names)
    shown = {(row["product"], row["plant"], row["origin"], row["mode"]) for group in ranked for row in group["rows"]}
    said = [
        line
        for route in landed["routes"]
        if (route["product"], route["plant"], route["origin"], route["mode"]) in shown
        for line in route["assumptions"]
    ]
    seconds = {"landed costs": clock.perf_counter() - begun}
    steps = views.steps_to_ask(network, book.country)
    trees = [plans.read_futures(path, book, network) for path in _futures_files(network, futures_path)]
    if rules:
        branching = (tree for tree in trees if len(tree.branches()) > 1)
        plans.check_breakeven(next(branching, plans.held_law(book, start)), rules)
    with ThreadPoolExecutor(CORES) as pool:  # the solver lets other threads run
        asked = [pool.submit(_step, network, book, start, months, step) for step in steps]
        held = pool.submit(plans.solve, network, book, start, months, gap=GAP, time=SECONDS)
        futures, also = [], []
        for tree in trees:
            root = tree.nodes[0]
            if len(tree.nodes) == 1 and not root.changes and not tree.demand and root.start <= start:
                also.append(f"{tree.name}: it changes nothing, so its plan is that of the law held.")
                continue
            first_day = max(start, root.start)
            futures.append((tree.name, pool.submit(plans.solve, network, book, first_day, months, tree, GAP, SECONDS)))
        named = [(f"law of {start} held", held.result()), *((name, plan.result()) for name, plan in futures)]
        whole = [plan.as_dict(with_ledger=False) for _, plan in named]
        documents = [views.condensed(plan, name, network) for (name, _), plan in zip(named, whole, strict=True)]
        found = [step.result() for step in asked]
    seconds["plans and break-evens"] = clock.perf_counter() - begun - seconds["landed costs"]
    explained = _explained(named, network, rules)
    seconds["what explains the plan"] = clock.perf_counter() - begun - sum(seconds.values())
    ladder = _ladder(network, book, start, market, names)
    seconds["duty ladder"] = clock.perf_counter() - begun - sum(seconds.values())
    _, assumptions = split_assumptions(said)
    missing = [f"{fault['what']} {fault['remedy']}" for fault in (*landed["unreached"], *landed["unresolved"])]
    return Answer(
        network=network.settings.name,
        country=book.country,
        country_name=short(book.countries.get(book.country, book.country)),
        country_names={code: names.get(code, code) for code in sorted(_countries(network, book))},
        plant_countries={plant.name: plant.country for plant in network.plants.values()},
        start=start.isoformat(),
        months=months,
        market=market,
        ranking=ranked,
        plans=documents,
        steps=found,
        ladder=ladder,
        production=views.production(network, whole[0], names),
        timeline=views.timeline(network, whole[0]),
        worth=views_worth.worth_view(network, ranked, market, _main_product(network, market)),
        explained=explained,
        concentration=_concentration(network, book, start, nations),
        law=_law(network, book, start, ladder),
        assumptions=[*assumptions, *missing],
        estimates=network.estimates(),
        sources=_sources(network),
        notes=list(
            dict.fromkeys([*book.caveats(start), *also, *(note for plan in documents for note in plan["notes"])])
        ),
        seconds={name: round(value, 3) for name, value in seconds.items()},
    )


def _explained(named: Sequence[tuple[str, Plan]], network: Network, rules: Sequence[str]) -> dict[str, Any] | None:
    """What explains the first plan over several branches whose model was kept, else the first."""
    from ashore import plans

    kept = [pair for pair in named if pair[1].posed is not None]
    if not kept:
        return None
    name, plan = next((pair for pair in kept if pair[1].branches.height > 1), kept[0])
    return views_plan.explained(plan, name, named[0][1], network) | {
        "within_usd": GAP * abs(plan.objective_usd),
        "options": plans.options(plan, SECONDS).as_dict(),
        "prices": plans.shadow(plan, SECONDS).as_dict(),
        "breakeven": plans.flips(plan, rules, time=SECONDS).as_dict() if rules else None,
    }


def _futures_files(network: Network, given: Path | None) -> list[Path]:
    if given is not None:
        return [given]
    return sorted((network.folder / "futures").glob("*.toml")) if network.folder is not None else []


def _step(network: Network, book: RuleBook, start: date, months: int, step: dict[str, Any]) -> dict[str, Any]:
    """The rate at which a plan first takes a step at home, or why it never does."""
    from ashore import plans
    from ashore.errors import AshoreError

    try:
        found = plans.breakeven_rate(network, book, start, months, step["plants"], tol=STEP).as_dict()
    except AshoreError as error:
        found = {"rate": None, "reason": str(error), "opens": [], "probes": []}
    return step | {key: value for key, value in found.items() if key != "plants"}


def _concentration(network: Network, book: RuleBook, start: date, nations: Mapping[str, str]) -> dict[str, Any] | None:
    from ashore.errors import FaultyInput
    from ashore.fleet import origins

    try:
        return origins.of_network(network, book, start, book.country, nations)
    except FaultyInput:  # no demand is served by an open route
        return None


def _countries(network: Network, book: RuleBook) -> set[str]:
    found = {plant.country for plant in network.plants.values()} | {book.country}
    found |= {market.country for market in network.markets.values()}
    return found | {supply.origin for rows in network.supplies.values() for supply in rows}


def _ladder(
    network: Network, book: RuleBook, start: date, market: str | None, names: Mapping[str, str]
) -> dict[str, Any]:
    """Total rate on the main product over time by origin: countries with a plant, and those its parts come from.

    Home is what the cheapest unit made there owes on its parts, as a share of the unit's own customs value, at the
    parts' prices of today.
    """
    product = _main_product(network, market)
    if product is None:
        return {"product": None, "panels": []}
    days = [day for day in book.boundaries if day <= start]
    hts = network.products[product].hts
    origins = {plant.country for plant in network.plants.values()}
    for chain in views.spine(network).values():
        origins |= {supply.origin for part in chain for supply in network.supplies.get(part, ())}
    origins.discard(book.country)
    panels = []
    for origin in origins:
        steps = [{"from": day.isoformat(), "rate": _rate(book, hts, origin, day)} for day in days]
        panels.append(_panel(origin, names.get(origin, origin), steps, home=False))
    panels = [panel for panel in panels if panel["steps"]]
    panels.sort(key=lambda panel: (-panel["steps"][-1]["rate"], panel["label"]))
    steps = [{"from": day.isoformat(), "rate": _rate_on_parts(network, book, day, product, market)} for day in days]
    home = _panel(book.country, f"{book.country}-made: parts", steps, home=True)
    return {"product": product, "hts": hts, "until": start.isoformat(), "panels": panels + [home] * bool(home["steps"])}


def _panel(origin: str, label: str, steps: list[dict[str, Any]], home: bool) -> dict[str, Any]:
    """Only the days on which the rate moves; days without a rate are left out."""
    kept: list[dict[str, Any]] = []
    for step in steps:
        if step["rate"] is not None and (not kept or abs(kept[-1]["rate"] - step["rate"]) > 1e-9):
            kept.append(step)
    return {"origin": origin, "label": label, "home": home, "steps": kept}


def _rate(book: RuleBook, hts: str, origin: str, day: date) -> float | None:
    from ashore import duties
    from ashore.errors import Unresolved

    try:
        return duties.total_rate(book, hts, origin, day)
    except Unresolved:
        return None


def _rate_on_parts(network: Network, book: RuleBook, day: date, product: str, market: str | None) -> float | None:
    from ashore import costs
    from ashore.errors import AshoreError

    try:
        routes = costs.land(network, book, day, product, market).routes
    except AshoreError:
        return None
    at_home = [route for route in routes if route.plant and network.country_of(route.plant) == book.country]
    if not at_home or market is None or network.country_of(market) != book.country:
        return None
    best = min(at_home, key=lambda route: route.usd_unit)
    return float(best.parts["duty"]) / network.makes[best.plant, product].customs_value_usd


def _main_product(network: Network, market: str | None) -> str | None:
    wanted: dict[str, float] = {}
    for row in network.demand:
        if market is None or row.market == market:
            wanted[row.product] = wanted.get(row.product, 0.0) + row.units
    return max(wanted, key=lambda name: wanted[name], default=None)


def _law(network: Network, book: RuleBook, on: date, ladder: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The duties owed on the ladder's product today, each once, with its headings and the origins that owe it."""
    from ashore import duties

    found: dict[tuple[str, float, str], dict[str, Any]] = {}
    for panel in ladder["panels"]:
        if panel["home"]:
            continue
        for share in duties.verdict(book, ladder["hts"], panel["origin"], on).shares:
            rule, rate = share.rule, share.rate_ppm * share.portion_ppm / 1e12
            row = found.setdefault(
                (rule.title, rate, rule.source),
                {
                    "headings": [],
                    "title": rule.title,
                    "authority": rule.authority,
                    "rate": rate,
                    "origins": [],
                    "from": rule.start.isoformat(),
                    "source": rule.source,
                    "basis": rule.basis,
                    "confidence": rule.confidence,
                    "note": rule.note,
                },
            )
            row["origins"].append(panel["origin"])
            if share.heading not in row["headings"]:
                row["headings"].append(share.heading)
    return [row for row in found.values() if row["rate"] > 0]


def _sources(network: Network) -> list[str]:
    """What the network's figures were read from, each once, in the order of the files."""
    records: list[Record] = [
        network.settings,
        *network.products.values(),
        *(part for rows in network.parts.values() for part in rows),
        *network.plants.values(),
        *network.makes.values(),
        *(supply for rows in network.supplies.values() for supply in rows),
        *network.lanes,
        *network.markets.values(),
        *network.demand,
    ]
    found = (piece.strip() for record in records for piece in (record.source or "").split(";"))
    return sorted({piece for piece in found if piece})
