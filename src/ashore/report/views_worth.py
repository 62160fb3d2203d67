"""What rigs are worth where they are plugged in, against what they cost there: rows for figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ashore.network import Network
    from ashore.worth import Outlook, Rig

Document = Mapping[str, Any]
MOST_ROWS = 6  # routes of a product in the figure
QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)


def worth_view(
    network: Network, ranked: Sequence[Document], market: str | None, product: str | None = None
) -> dict[str, Any] | None:
    """Worth of each ranked rig at the market's price of power, with the shipped assumptions; None if that is not known.

    groups: one a rig, its worth in USD/TH by option value, on the mean path and at a low and a high hash price, and its
    routes. fan, tornado: of ``product`` (or the first rig) by its cheapest route that is open.
    """
    from ashore import worth
    from ashore.errors import FaultyInput

    power = network.markets[market].power_usd_kwh if market in network.markets else None
    if market is None or power is None:
        return None
    outlook, said = worth.outlook_of(worth.Given())
    groups, rigs = [], {}
    for group in ranked:
        try:
            rig = worth.rig_of(network, group["product"])
        except FaultyInput:
            continue  # a product without hash rate or power earns nothing of its own
        groups.append(_group(network, group, rig, power, outlook))
        rigs[group["product"]] = rig
    if not groups:
        return None
    main = next((group for group in groups if group["product"] == product), groups[0])
    rig = rigs[main["product"]]
    return {
        "market": market,
        "power_usd_kwh": power,
        "hashprice": outlook.hashprice,
        "months": outlook.months,
        "hashprices": [getattr(worth.assumed()["hashprice"], end) for end in ("low", "high")],
        "groups": groups,
        "fan": _fan(main, rig, power, outlook),
        "tornado": _tornado(main, rig, power, outlook),
        "assumptions": said,
    }


def _group(network: Network, group: Document, rig: Rig, power: float, outlook: Outlook) -> dict[str, Any]:
    from ashore import mining, worth

    life = worth.life(rig, power, outlook)
    option = life.option_usd
    ends = worth.assumed()["hashprice"]
    at = [worth.option_usd(rig, power, replace(outlook, hashprice=price)) for price in (ends.low, ends.high)]
    rows = [
        {
            "label": row["label"],
            "strong": row["home"],
            "usd_ths": row["usd_ths"],
            "duty_ths": row["parts"]["duty"] / rig.hash_ths,
            "days": row["days"],
            "waits": row["waits"],
            "pays": option >= row["usd_unit"],
        }
        for row in group["rows"]
    ]
    abroad = group["abroad"]
    most = None
    if abroad is not None and abroad["plant"]:
        value = network.makes[abroad["plant"], group["product"]].customs_value_usd
        most = (option - abroad["usd_unit"] + abroad["parts"]["duty"]) / value
    return {
        "product": group["product"],
        "maker": group["maker"],
        "hash_ths": rig.hash_ths,
        "power_w": rig.power_w,
        "breakeven_hashprice": float(mining.breakeven_hashprice(rig.power_w, rig.hash_ths, power, outlook.pool_fee)),
        "option_usd_ths": option / rig.hash_ths,
        "mean_path_usd_ths": life.mean_path_usd / rig.hash_ths,
        "low_usd_ths": at[0] / rig.hash_ths,
        "high_usd_ths": at[1] / rig.hash_ths,
        "max_duty_rate": most,
        "rows": rows,
    }


def shown(rows: Sequence[Document]) -> list[Document]:
    """Some routes of a product: the cheapest ones, the cheapest at home, the dearest."""
    home = next((row for row in rows if row["strong"]), None)
    kept = [*rows[: MOST_ROWS - 2], *([home] if home else []), rows[-1]]
    return [row for row in rows if row in kept]


def _fan(group: Document, rig: Rig, power: float, outlook: Outlook) -> dict[str, Any]:
    """Income summed up month by month, USD/TH: quantiles over the paths, and the mean path, against what it cost."""
    from ashore import mining, worth

    route = _ready(group)
    life = worth.life(rig, power, replace(outlook, delay_days=route["days"]))
    drawn = mining.paths(life.mean, outlook.volatility, life.years)
    cash = np.cumsum(life.cash_at(drawn), axis=1) / rig.hash_ths
    found = np.quantile(cash, QUANTILES, axis=0)
    cost = route["usd_ths"]
    return {
        "product": group["product"],
        "route": route["label"],
        "cost_usd_ths": cost,
        "quantiles": {f"{100 * q:g}": [0.0, *map(float, row)] for q, row in zip(QUANTILES, found, strict=True)},
        "mean_path": [0.0, *map(float, np.cumsum(life.cash_usd) / rig.hash_ths)],
        "flat": [0.0, *map(float, np.cumsum(life.cash_at(outlook.hashprice)) / rig.hash_ths)],
        "paid_back_chance": float((cash[:, -1] >= cost).mean()),
    }


def _ready(group: Document) -> Document:
    """The cheapest route on which nothing waits to be opened; the cheapest of all if there is none."""
    found: Document = next((row for row in group["rows"] if not row["waits"]), group["rows"][0])
    return found


def _tornado(group: Document, rig: Rig, power: float, outlook: Outlook) -> dict[str, Any]:
    """What is left of the option value after the cheapest route, USD/TH, as each input goes to its low and its high."""
    from ashore import worth

    routes, ready = group["rows"], _ready(group)
    cost = ready["usd_ths"]
    base = group["option_usd_ths"] - cost
    rows = [
        {
            "label": row["label"],
            "ends": [_figure(row["what"], row["low"]), _figure(row["what"], row["high"])],
            "left": [value / rig.hash_ths for value in row["option_usd"]],
        }
        for row in worth.sensitivity(rig, cost * rig.hash_ths, power, outlook)
    ]
    owed = [row["duty_ths"] for row in routes if not row["strong"]] or [0.0]
    free = cost - ready["duty_ths"]
    rows.append(
        {
            "label": "duty, from none to the most an origin owes",
            "ends": ["none", f"{max(owed):.2f} USD/TH"],
            "left": [group["option_usd_ths"] - free - duty for duty in (0.0, max(owed))],
        }
    )
    rows.append(
        {
            "label": "route, from the cheapest to the dearest",
            "ends": [end["label"] for end in (routes[0], routes[-1])],
            "left": [group["option_usd_ths"] - end["usd_ths"] for end in (routes[0], routes[-1])],
        }
    )
    rows.sort(key=lambda row: -abs(row["left"][1] - row["left"][0]))
    return {"product": group["product"], "route": ready["label"], "base_usd_ths": base, "rows": rows}


def _figure(what: str, value: float) -> str:
    if what in ("drift", "rate", "uptime", "pool_fee", "degradation"):
        return f"{100 * value:g} %"
    if what == "power_usd_kwh":
        return f"{100 * value:.1f} c/kWh"
    return f"{value:g}"
