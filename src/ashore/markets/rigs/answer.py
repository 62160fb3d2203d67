"""The answer of the rig market as one document: prices, sales, concentration, who gains, and the range over conduct."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from ashore.errors import AshoreError
from ashore.markets.demand import Floats
from ashore.markets.ranges import ELASTICITIES, MARGINS, Influence, influence, widest_first
from ashore.markets.rigs.balance import PRICINGS, Rest, Scene, used
from ashore.markets.rigs.inputs import Settings
from ashore.markets.rigs.market import Result, solve
from ashore.markets.rigs.supply import Ways
from ashore.markets.solved import ANSWERS, bounds, hhi, hhi_change, origins_with_ranges, with_ranges
from ashore.network import Network
from ashore.rules import RuleBook

CAPACITIES = (2.0, 10.0)  # factors of what plants can make
FACTORS = (0.8, 0.95, 0.99, 0.999, 1.001, 1.01, 1.05, 1.25)


@dataclass(frozen=True)
class Answer:
    """A solved rig market, and the same under every conduct, calibrated to the same sales, margin and elasticity.

    results: by conduct, ``result`` among them; why: of conducts that cannot be calibrated or solved. influences: what
    moves the answers most.
    """

    result: Result
    on: date
    results: Mapping[str, Result]
    why: Mapping[str, str]
    influences: tuple[Influence, ...]

    def as_dict(self) -> dict[str, Any]:
        """The document of ``ashore clear --json``: prices in USD a TH/s, quantities in TH/s over the period."""
        r, others = self.result, self.results.values()
        seen, home = r.seen, r.seen.home > 0
        sides = ((r.before, r.scene.ways), (r.after, r.ways_after))
        headlines = {name: headline(other) for name, other in self.results.items()}
        here, concentration = headlines[r.settings.conduct], _concentration(r)
        indices = [key for key in concentration if key.endswith("_after")]
        return {
            "market": r.settings.name,
            "on": self.on.isoformat(),
            "demand": "mixed logit",
            "conduct": r.settings.conduct,
            "unit": "TH/s",
            "months": r.settings.months,
            "goods": with_ranges(_goods(r), map(_goods, others), "good"),
            "makers": with_ranges(_makers(r), map(_makers, others), "maker"),
            "regions": with_ranges(_regions(r), map(_regions, others), "region"),
            "origins": origins_with_ranges(_origins(r), map(_origins, others)),
            "plants": _plants(r),
            **concentration,
            "hashprice_before": r.hashprice[0],
            "hashprice_after": r.hashprice[1],
            "market_before_usd": _spent(r.before),
            "market_after_usd": _spent(r.after),
            "buyers_usd": here["buyers_usd"],
            "buyers_home_usd": float(_surplus(r)[0][home].sum()),
            "spillover_usd": float(_surplus(r)[1].sum()),
            "makers_usd": here["makers_usd"],
            "duty_before_usd": duty_usd(*sides[0]),
            "duty_usd": here["duty_usd"],
            "price_change": here["price_change"],
            "pass_through": here["pass_through"],
            "parameters": {
                "scale_usd_ths": r.scene.buyers.scale,
                "outside_share": r.outside,
                "market_elasticity": r.settings.elasticity,
                "home_share": float(seen.sold[home].sum() / seen.sold.sum()),
            },
            "residual": max(r.before.error, r.after.error),
            "deviation_usd": deviation_usd(replace(r.scene, ways=r.ways_after, worth=r.worth_after), r.after),
            "range": bounds(headlines.values(), ANSWERS) | bounds(map(_concentration, others), indices),
            "alternatives": [
                {"conduct": name, **headlines.get(name, dict.fromkeys(ANSWERS)), "why": self.why.get(name, "")}
                for name in PRICINGS
            ],
            "tornado": [influence.as_dict() for influence in self.influences],
            "notes": list(r.notes),
        }


def clear(network: Network, settings: Settings, books: tuple[RuleBook, RuleBook], on: date) -> Answer:
    """Solve the rig market under the conduct of its settings and under every other, and with what is given moved."""
    result = solve(network, settings, books, on)
    results: dict[str, Result] = {settings.conduct: result}
    why: dict[str, str] = {}
    for pricing in PRICINGS:
        if pricing == settings.conduct:
            continue
        try:
            results[pricing] = solve(network, replace(settings, conduct=pricing), books, on)
        except AshoreError as error:
            why[pricing] = error.faults[0].what
    found = [influence("conduct", [(name, headline(other)) for name, other in results.items()])]
    for what, cases in _moved(network, settings).items():
        rows = [("as given", headline(result))]
        for name, (net, moved) in cases.items():
            with suppress(AshoreError):
                rows.append((name, headline(solve(net, moved, books, on))))
        found.append(influence(what, rows))
    return Answer(result, on, results, why, tuple(widest_first(found)))


def _moved(network: Network, settings: Settings) -> dict[str, dict[str, tuple[Network, Settings]]]:
    """What is given, moved one thing at a time."""
    margins = {f"{min(k * settings.margin, 0.99):.3g}": min(k * settings.margin, 0.99) for k in MARGINS}
    elasticities = {f"{k * settings.elasticity:.3g}": k * settings.elasticity for k in ELASTICITIES}
    roomier = {
        f"{k:g} times": replace(
            network, plants={n: replace(p, capacity_month=k * p.capacity_month) for n, p in network.plants.items()}
        )
        for k in CAPACITIES
    }
    return {
        "margin": {name: (network, replace(settings, margin=value)) for name, value in margins.items()},
        "market elasticity": {
            name: (network, replace(settings, elasticity=value)) for name, value in elasticities.items()
        },
        "capacity of plants": {name: (net, settings) for name, net in roomier.items()},
        "hash price": {
            "held" if settings.feedback else "moves": (network, replace(settings, feedback=not settings.feedback))
        },
    }


def _spent(rest: Rest) -> float:
    """What the world's buyers spend on rigs, at the border, USD."""
    return float((rest.border * rest.sold).sum())


def headline(r: Result) -> dict[str, float | None]:
    """The answers of :data:`ashore.markets.ranges.ANSWERS`, for the country that keeps the rule book where it matters.

    price_change: of delivered prices at home, rigs weighted by their value before. pass_through: change of those prices
    over what the new law would add to them at the old border prices and on the routes taken before.
    hhi_change: of TH/s bought at home, by maker.
    """
    home = r.seen.home > 0
    before, after = r.before.delivered.price[home], r.after.delivered.price[home]
    weight = np.where(np.isfinite(before) & np.isfinite(after), r.before.sold[home], 0.0)
    spent = (weight * np.where(weight > 0, before, 0.0)).sum()
    change = (weight * np.where(weight > 0, after - before, 0.0)).sum()
    owed = _owed(r)
    profit = [
        profit_usd(replace(r.scene, ways=w), rest) for rest, w in ((r.before, r.scene.ways), (r.after, r.ways_after))
    ]
    direct, spill = _surplus(r)
    return {
        "price_change": float(change / spent),
        "pass_through": float(change / owed) if abs(owed) > 1e-9 * spent else None,
        "hhi_change": hhi_change(r.before.sold[home].sum(axis=0), r.after.sold[home].sum(axis=0), r.seen.makers),
        "buyers_usd": float((direct + spill).sum()),
        "makers_usd": float(profit[1].sum() - profit[0].sum()),
        "duty_usd": duty_usd(r.after, r.ways_after),
    }


def _owed(r: Result) -> float:
    """What the change of rates adds at home at old border prices, USD: on each region's and rig's own routes before.

    A route is found again under the new law by its place in the list, which is the same for both.
    """
    at, later = r.scene.ways, r.ways_after
    if len(at.rate) != len(later.rate):
        return 0.0
    sold = r.before.sold[at.region, at.rig] * r.before.delivered.part
    return float((sold * (later.rate - at.rate) * r.before.border[at.region, at.rig] * r.seen.home[at.region]).sum())


def duty_usd(rest: Rest, at: Ways) -> float:
    """Duty on rigs that enter, USD; that on parts of rigs made at home is in their cost."""
    return float((_carried(rest, at) * at.rate * rest.border[at.region, at.rig]).sum())


def profit_usd(scene: Scene, rest: Rest) -> Floats:
    """Profit of each rig's maker on it, premiums of full plants included, (rigs,) USD."""
    at = scene.ways
    earned = ((rest.border - scene.makers.cost) * rest.sold).sum(axis=0)
    premium = (at.load @ rest.premium) * _carried(rest, at)
    return np.asarray(earned + np.bincount(at.rig, premium, len(earned)), dtype=float)


def deviation_usd(scene: Scene, rest: Rest) -> float:
    """The most a maker could gain by moving one or all of its border prices by a factor of ``FACTORS``, USD.

    Under world pricing a rig's price moves in all regions, under regional pricing in one. Premiums stay what they are.
    Under monopolistic competition a maker takes the others' chances as they are: sales go with e^(−price / scale).
    """
    makers = scene.makers
    regions = range(len(rest.border)) if makers.pricing == "region" else (slice(None),)
    most = 0.0
    for maker in np.unique(makers.maker):
        own = makers.maker == maker

        def profit(border: Floats, own: Any = own) -> float:
            moved = scene.rest(border, rest.premium)
            sold = moved.sold
            if makers.pricing == "moncom":
                known = np.isfinite(rest.delivered.price)
                dearer = np.where(known, moved.delivered.price - np.where(known, rest.delivered.price, 0.0), 0.0)
                sold = rest.sold * np.exp(-dearer / scene.buyers.scale)
            return float((((border - makers.cost) * sold)[:, own]).sum())

        now = profit(rest.border)
        for region in regions:
            for rigs in (own, *(np.arange(len(own)) == k for k in np.flatnonzero(own))):
                for factor in FACTORS:
                    border = np.array(rest.border)
                    border[region] = np.where(rigs, factor, 1.0) * border[region]
                    most = max(most, profit(border) - now)
    return most


def _carried(rest: Rest, at: Ways) -> Floats:
    """TH/s on each route, (routes,)."""
    carried: Floats = rest.sold[at.region, at.rig] * rest.delivered.part
    return carried


def _surplus(r: Result) -> tuple[Floats, Floats]:
    """Change of buyers' surplus by region, USD: at the hash price of before, and what its change adds."""
    buyers, worth = r.scene.buyers, r.scene.worth
    old = buyers.surplus_usd(worth, r.before.delivered.price)
    held = buyers.surplus_usd(worth, r.after.delivered.price)
    return held - old, buyers.surplus_usd(r.worth_after, r.after.delivered.price) - held


def _mean(price: Floats, sold: Floats) -> float | None:
    """Mean price of what is sold."""
    total = float(sold.sum())
    return float((np.where(sold > 0, price, 0.0) * sold).sum() / total) if total > 0 else None


def _goods(r: Result) -> list[dict[str, Any]]:
    home = r.seen.home > 0
    rows = []
    for k, rig in enumerate(r.seen.rigs):
        row: dict[str, Any] = {"good": rig.name, "maker": r.seen.makers[k]}
        row["cost_usd"] = _mean(r.scene.makers.cost[:, k], r.before.sold[:, k])
        for when, rest in (("before", r.before), ("after", r.after)):
            row[f"border_{when}"] = _mean(rest.border[:, k], rest.sold[:, k])
            row[f"price_{when}"] = _mean(rest.delivered.price[home][:, k], rest.sold[home][:, k])
            row[f"units_{when}"] = float(rest.sold[home][:, k].sum())
            row[f"units_world_{when}"] = float(rest.sold[:, k].sum())
            row[f"rigs_{when}"] = row[f"units_{when}"] / rig.hash_ths
        rows.append(row)
    return rows


def _makers(r: Result) -> list[dict[str, Any]]:
    home = r.seen.home > 0
    rows = []
    for maker in dict.fromkeys(r.seen.makers):
        own = np.array([name == maker for name in r.seen.makers])
        row: dict[str, Any] = {"maker": maker}
        for when, rest, at in (("before", r.before, r.scene.ways), ("after", r.after, r.ways_after)):
            row[f"share_{when}"] = float(rest.sold[home][:, own].sum() / rest.sold[home].sum())
            spent = np.where(rest.sold > 0, rest.delivered.price, 0.0) * rest.sold
            row[f"value_share_{when}"] = float(spent[home][:, own].sum() / spent[home].sum())
            row[f"profit_{when}_usd"] = float(profit_usd(replace(r.scene, ways=at), rest)[own].sum())
        rows.append(row)
    return rows


def _regions(r: Result) -> list[dict[str, Any]]:
    direct, spill = _surplus(r)
    rows = []
    for k, region in enumerate(r.seen.regions):
        row: dict[str, Any] = {"region": region, "country": r.seen.countries[k]}
        for when, rest in (("before", r.before), ("after", r.after)):
            row[f"units_{when}"] = float(rest.sold[k].sum())
            row[f"price_{when}"] = _mean(rest.delivered.price[k], rest.sold[k])
        rows.append(row | {"buyers_usd": float(direct[k]), "spillover_usd": float(spill[k])})
    return rows


def _origins(r: Result) -> list[dict[str, Any]]:
    """TH/s bought at home by origin."""
    found: dict[str, dict[str, Any]] = {}
    for when, rest, at in (("before", r.before, r.scene.ways), ("after", r.after, r.ways_after)):
        for origin, units in zip(at.origin, _carried(rest, at) * r.seen.home[at.region], strict=True):
            row = found.setdefault(origin, {"origin": origin, "units_before": 0.0, "units_after": 0.0})
            row[f"units_{when}"] += float(units)
    return [found[origin] for origin in sorted(found)]


def _plants(r: Result) -> list[dict[str, Any]]:
    """Open plants: how full they are, and the premium of a full one in USD a unit of capacity."""
    rows = []
    sides = [
        (used(w, rest.delivered, rest.sold), rest, w) for rest, w in ((r.before, r.scene.ways), (r.after, r.ways_after))
    ]
    for k, plant in enumerate(r.ways_after.plants):
        row: dict[str, Any] = {"plant": plant}
        for when, (taken, rest, at) in zip(("before", "after"), sides, strict=True):
            row[f"used_{when}"] = float(taken[k] / at.capacity[k])
            row[f"premium_{when}_usd"] = float(rest.premium[k])
        rows.append(row)
    return rows


def _concentration(r: Result) -> dict[str, float | None]:
    """HHI at home of TH/s by maker, value by maker, and TH/s by nationality and origin."""
    home, seen = r.seen.home > 0, r.seen
    nations = [r.settings.nationality.get(maker, "") for maker in seen.makers]
    found: dict[str, float | None] = {}
    for when, rest, at in (("before", r.before, r.scene.ways), ("after", r.after, r.ways_after)):
        sold = rest.sold[home].sum(axis=0)
        spent = (np.where(rest.sold > 0, rest.delivered.price, 0.0) * rest.sold)[home].sum(axis=0)
        found[f"hhi_{when}"] = hhi(sold, seen.makers)
        found[f"hhi_value_{when}"] = hhi(spent, seen.makers)
        found[f"hhi_nationality_{when}"] = hhi(sold, nations) if all(nations) else None
        found[f"hhi_origin_{when}"] = hhi(_carried(rest, at) * seen.home[at.region], at.origin)
    return found
