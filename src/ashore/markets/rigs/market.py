"""The rig market before and after a change of the law: calibrated to a supply network's demand, then solved again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from ashore.errors import Fault, FaultyInput, SolverTrouble, raise_if
from ashore.markets.demand import Floats
from ashore.markets.rigs.balance import Makers, Rest, Scene, deliver, premiums, wanted_margins
from ashore.markets.rigs.buyers import Buyers, power_prices, worth_usd_ths
from ashore.markets.rigs.inputs import SETTINGS, Settings
from ashore.markets.rigs.supply import Ways, ways
from ashore.network import Network
from ashore.rules import RuleBook
from ashore.worth import Given, Outlook, Rig, outlook_of, rig_of

MOST_ROUNDS = 400
SAME = 1e-13  # of shares in the calibration of tastes
EXA = 1e6  # TH/s in one EH/s


@dataclass(frozen=True)
class Seen:
    """What is taken from the network; regions and rigs in order.

    border: (rigs,) USD a TH/s; sold: (regions, rigs) TH/s over the period; power: (regions,) USD a kWh.
    home: (regions,) whether the region lies in the country that keeps the rule book.
    """

    regions: tuple[str, ...]
    countries: tuple[str, ...]
    rigs: tuple[Rig, ...]
    makers: tuple[str, ...]
    border: Floats
    sold: Floats
    power: Floats
    home: Floats
    outlook: Outlook


@dataclass(frozen=True)
class Result:
    """The market before and after, and what was calibrated; hash prices in USD per PH/s a day."""

    seen: Seen
    settings: Settings
    scene: Scene
    before: Rest
    after: Rest
    ways_after: Ways
    worth_after: Floats
    hashprice: tuple[float, float]
    outside: float
    notes: tuple[str, ...]


def solve(network: Network, settings: Settings, books: tuple[RuleBook, RuleBook], on: date) -> Result:
    """Calibrate under the first book, solve under the second. Raises FaultyInput where the network has too little."""
    network = network.as_open()
    seen, notes = look(network, settings, books[0].country)
    found = [routes(network, seen, settings, book, on) for book in books]
    raise_if([fault for _, faults in found for fault in faults])
    scene, before, outside = at_rest(seen, settings, found[0][0])
    later = replace(scene, ways=found[1][0])
    now = seen.outlook.hashprice
    after, worth, hashprice = with_feedback(later, before, seen, settings, now)
    return Result(
        seen,
        settings,
        scene,
        before,
        after,
        later.ways,
        worth,
        (now, hashprice),
        outside,
        tuple(notes),
    )


def routes(network: Network, seen: Seen, settings: Settings, book: RuleBook, on: date) -> tuple[Ways, list[Fault]]:
    """The routes of a network into the regions seen, under the law of a day, and what the rule book cannot tell."""
    regions = {name: number for number, name in enumerate(seen.regions)}
    rigs = {rig.name: number for number, rig in enumerate(seen.rigs)}
    return ways(network, book, on, regions, rigs, settings.months, settings.dispute, _delay(seen))


def at_rest(seen: Seen, settings: Settings, at: Ways) -> tuple[Scene, Rest, float]:
    """The market as seen, at rest, and the share of the old fleet."""
    _reached(seen, at)
    scene, premium, outside = calibrate(seen, settings, at)
    return scene, scene.solve(scene.rest(np.broadcast_to(seen.border, seen.sold.shape), premium)), outside


def look(network: Network, settings: Settings, country: str) -> tuple[Seen, list[str]]:
    """Regions, rigs, prices and sales of a network, and a sentence for each value that is assumed."""
    faults: list[Fault] = []
    rows = [row for row in network.demand if network.products[row.product].kind == "rig"]
    regions = tuple(dict.fromkeys(row.market for row in rows))
    products = tuple(dict.fromkeys(row.product for row in rows))
    outlook, notes = outlook_of(Given())
    rigs = tuple(rig_of(network, product) for product in products)
    sold = np.zeros((len(regions), len(products)))
    prices: dict[str, set[float]] = {product: set() for product in products}
    for row in rows:
        count = settings.months if row.month is None else float(row.month < settings.months)
        sold[regions.index(row.market), products.index(row.product)] += row.units * count
        if row.price_usd is not None:
            prices[row.product].add(row.price_usd)
    for product, known in prices.items():
        if len(known) != 1:
            what = "No price is given" if not known else f"{len(known)} prices are given"
            what = f"{what} for {product}: the market needs one selling price a rig, before duty."
            faults.append(
                Fault("demand.csv", what, "Give the same price_usd in every row of the rig.", column="price_usd")
            )
    for name in regions:
        if not network.markets[name].power_usd_kwh:
            what = f"The price of power in {name} is not given: what a rig is worth there cannot be told."
            faults.append(Fault("markets.csv", what, "Fill in power_usd_kwh.", column="power_usd_kwh"))
    if not rows:
        faults.append(Fault("demand.csv", "No rig is in demand.", "Give rows for products of kind rig."))
    raise_if(faults)
    hash_ths = np.array([rig.hash_ths for rig in rigs])
    home = np.array([network.markets[name].country == country for name in regions])
    if not home.any():
        what = f"No market of the network lies in {country}, which keeps the rule book."
        raise FaultyInput(Fault("markets.csv", what, "Give at least one market there."))
    seen = Seen(
        regions=regions,
        countries=tuple(network.markets[name].country for name in regions),
        rigs=rigs,
        makers=tuple(network.products[product].maker for product in products),
        border=np.array([next(iter(prices[product])) for product in products]) / hash_ths,
        sold=sold * hash_ths,
        power=np.array([network.markets[name].power_usd_kwh for name in regions], dtype=float),
        home=home.astype(float),
        outlook=outlook,
    )
    return seen, notes


def _delay(seen: Seen) -> Floats:
    """Income lost by a day without the rig, USD a TH/s, (regions, rigs)."""
    watts = np.array([rig.power_w / rig.hash_ths for rig in seen.rigs])
    earned = seen.outlook.hashprice / 1000.0 * seen.outlook.uptime
    spent = watts / 1000.0 * 24.0 * seen.power[:, None] * seen.outlook.uptime
    lost: Floats = np.maximum(earned - spent, 0.0)
    return lost


def _reached(seen: Seen, at: Ways) -> None:
    """Refuses sales that no open plant can have made."""
    faults = []
    for region, name in enumerate(seen.regions):
        for rig, item in enumerate(seen.rigs):
            if seen.sold[region, rig] > 0 and not ((at.region == region) & (at.rig == rig)).any():
                what = f"{seen.makers[rig]} has no route for {item.name} into {name}, where it sells."
                remedy = "Add a lane in lanes.csv, open a plant in plants.csv, or take the demand out."
                faults.append(Fault("lanes.csv", what, remedy))
    raise_if(faults)


def calibrate(seen: Seen, settings: Settings, at: Ways) -> tuple[Scene, Floats, float]:
    """The market as seen, premiums of its full plants, and the share of the old fleet.

    Scale of tastes and share of the old fleet are those at which margin and elasticity are as given.

    The share of the buyers who keep their old fleet is taken to be the same in every region.
    """
    power, share = power_prices(seen.power, settings.power_spread)
    worth = worth_usd_ths(list(seen.rigs), power, seen.outlook, seen.outlook.hashprice)
    maker = np.unique(np.array(seen.makers), return_inverse=True)[1]
    border = np.broadcast_to(seen.border, seen.sold.shape)
    premium = premiums(at, border, seen.sold, settings.blur_usd_ths)
    delivered = deliver(at, border, premium, settings.blur_usd_ths)
    own = np.array([name == settings.margin_maker for name in seen.makers])

    def scene_at(scale: float, outside: float) -> Scene:
        buyers = _buyers(seen.sold, share, worth, delivered.price, scale, outside)
        makers = Makers(maker, np.zeros(seen.sold.shape), settings.conduct, settings.blur_usd_ths)
        margins = wanted_margins(makers, buyers, worth, delivered, buyers.sold(worth, delivered.price))
        return Scene(buyers, worth, replace(makers, cost=border - margins), at)

    def missed(point: Floats) -> tuple[Floats, Scene]:
        scene = scene_at(float(np.exp(point[0])), float(1.0 / (1.0 + np.exp(-point[1]))))
        weight = seen.sold * own
        margin = float((weight * (border - scene.makers.cost) / border).sum() / weight.sum())
        elastic = elasticity(scene, seen, delivered.price)
        return np.array([margin / settings.margin - 1.0, elastic / settings.elasticity - 1.0]), scene

    point = np.array([np.log(float(seen.border.mean()) * 0.1), -1.0])
    error, scene = missed(point)
    for _ in range(60):
        if np.abs(error).max() < 1e-11:
            return scene, premium, float(1.0 / (1.0 + np.exp(-point[1])))
        slope = np.stack([(missed(point + step)[0] - error) / 1e-6 for step in 1e-6 * np.eye(2)], axis=1)
        move = np.clip(np.linalg.lstsq(slope, error, rcond=None)[0], -1.0, 1.0)
        for _ in range(30):
            new, trial = missed(point - move)
            if np.isfinite(new).all() and new @ new < error @ error:
                break
            move = move / 2.0
        point, error, scene = point - move, new, trial
    given = f"a margin of {settings.margin:g} and an elasticity of {settings.elasticity:g}"
    what = f"No market fits {given} under {settings.conduct} pricing."
    remedy = "A maker this large needs a larger margin or a larger elasticity; check both."
    raise FaultyInput(Fault(SETTINGS, what, remedy))


def _buyers(sold: Floats, share: Floats, worth: Floats, price: Floats, scale: float, outside: float) -> Buyers:
    """Buyers whose choices give the sales seen: the contraction of Berry, Levinsohn and Pakes on tastes."""
    size = sold.sum(axis=1) / (1.0 - outside)
    taste = np.where(sold > 0, 0.0, -np.inf)
    buyers = Buyers(size, share, scale, taste)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(MOST_ROUNDS):
            off = np.where(sold > 0, np.log(sold) - np.log(buyers.sold(worth, price)), 0.0)
            buyers = replace(buyers, taste=buyers.taste + off)
            if np.abs(off).max() < SAME:
                break
    return buyers


def elasticity(scene: Scene, seen: Seen, price: Floats) -> float:
    """Per cent of TH/s bought at home for one per cent on all delivered prices there."""
    slopes = scene.buyers.slopes(scene.worth, price)
    known = np.where(np.isfinite(price), price, 0.0)
    change = np.einsum("rjk,rk,r->", slopes, known, seen.home)
    return float(change / (seen.sold * seen.home[:, None]).sum())


def with_feedback(
    scene: Scene, start: Rest, seen: Seen, settings: Settings, guess: float
) -> tuple[Rest, Floats, float]:
    """The market at the hash price its own sales lead to, from a market much like it and a guess of that price.

    hash price = revenue / (what runs − what retires + what is sold), revenue such that sales as seen leave it as it is.
    The more is sold the lower it is, and the lower it is the less is sold: one root, found by the secant method.
    """
    power, _ = power_prices(seen.power, settings.power_spread)
    base = settings.network_ehs * EXA * (1.0 - settings.retired_share)
    now, total = seen.outlook.hashprice, float(seen.sold.sum())
    rest = start

    def gap(price: float) -> tuple[float, Floats]:
        nonlocal rest
        worth = scene.worth if price == now else worth_usd_ths(list(seen.rigs), power, seen.outlook, price)
        rest = scene.with_worth(worth).solve(rest)
        return price - now * (base + total) / (base + float(rest.sold.sum())), worth

    price = guess if settings.feedback else now
    off, worth = gap(price)
    last, step = (price, off), off / 1.2
    for _ in range(60):
        if not settings.feedback or abs(off) < 1e-11 * now:
            return rest, worth, price
        price -= step
        off, worth = gap(price)
        step = (price - last[0]) / (off - last[1]) * off if off != last[1] else 0.0
        last = price, off
    raise SolverTrouble(Fault("market", "The hash price found no rest.", "Write feedback = false to hold it."))
