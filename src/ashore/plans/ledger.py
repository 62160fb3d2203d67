"""The money of a plan, row by row, computed again from what is bought, made, moved, stored, opened and lost.

Every row has one account that pays and one that is paid, so that over all accounts money in equals money out. Rows are
in whole cents: what rounding leaves over is carried to the next row (rows of the greatest weight chance × factor
first), so that the expected discounted sum of the ledger is the plan's cost to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from ashore import duties
from ashore.plans.calendar import Floats, Ints
from ashore.plans.decode import pick, stamp, states, used
from ashore.plans.futures import Futures
from ashore.plans.law import Law, claims_of, law_of
from ashore.plans.model import Model

COLUMNS = (
    "node", "month", "date", "payer", "payee", "item", "heading", "authority", "quantity", "cents", "factor", "chance",
)  # fmt: skip


def ledger(model: Model, law: Law, futures: Futures, x: Floats) -> pl.DataFrame:
    """The rows of COLUMNS; ``cents`` undiscounted, ``factor`` the discount factor, ``chance`` of the node."""
    return _entries(model, law, futures, x).table()


def lines(model: Model, law: Law, futures: Futures, x: Floats, share: Floats) -> pl.DataFrame:
    """item, heading, authority, usd: the ledger's rows not rounded, discounted, each node with its ``share``."""
    weight = dict(zip(model.calendar.nodes, share.tolist(), strict=True))
    rows = pl.concat(_entries(model, law, futures, x).parts)
    usd = pl.col("usd") * pl.col("factor") * pl.col("node").replace_strict(weight, return_dtype=pl.Float64)
    return rows.group_by("item", "heading", "authority", maintain_order=True).agg(usd.sum().alias("usd"))


def _entries(model: Model, law: Law, futures: Futures, x: Floats) -> _Rows:
    book = _Rows(model)
    _made(book, x)
    _moved(book, law, futures, x)
    _stored(book, x)
    _lost(book, x)
    _decided(book, x)
    return book


class _Rows:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.parts: list[pl.DataFrame] = []
        plants, products = model.network.plants, model.network.products
        self.company = {name: plant.company for name, plant in plants.items()}
        self.maker = {name: product.maker for name, product in products.items()}

    def owner(self, place: str, product: str) -> str:
        """Who pays for goods at a place: the plant's company, in a market the maker of the product."""
        return self.company.get(place) or self.maker[product]

    def at_slots(self, slots: Ints, item: str, accounts: dict[str, pl.Series], quantity: Floats, usd: Floats) -> None:
        cal = self.model.calendar
        self.add(cal.node[slots], cal.month[slots], item, accounts, quantity, usd)

    def add(
        self,
        nodes: Ints,
        months: Ints,
        item: str,
        accounts: dict[str, pl.Series],
        quantity: Floats,
        usd: Floats,
    ) -> None:
        """Rows with accounts ``payer``, ``payee`` (and ``heading``, ``authority`` of duties); zero rows left out."""
        cal = self.model.calendar
        blank = pl.Series([None] * len(usd), dtype=pl.String)
        table: dict[str, Any] = {
            **stamp(cal, nodes, months),
            "payer": accounts["payer"],
            "payee": accounts["payee"],
            "item": pl.Series([item] * len(usd), dtype=pl.String),
            "heading": accounts.get("heading", blank),
            "authority": accounts.get("authority", blank),
            "quantity": np.asarray(quantity, dtype=float),
            "usd": np.asarray(usd, dtype=float),
            "factor": cal.factor_month[months],
            "chance": cal.node_chance[nodes],
        }
        self.parts.append(pl.DataFrame(table).filter(pl.col("usd") != 0))

    def table(self) -> pl.DataFrame:
        rows = pl.concat(self.parts)
        weight = (rows["factor"] * rows["chance"]).to_numpy()
        order = np.argsort(-weight, kind="stable")
        exact = rows["usd"].to_numpy()[order] * 100.0
        cents = np.empty(len(order), dtype=np.int64)
        cents[order] = carried(exact)
        return rows.with_columns(cents=pl.Series(cents)).select(COLUMNS).sort("month", "node", maintain_order=True)


def carried(exact: Floats) -> Ints:
    """Whole numbers whose running sums are the running sums of ``exact``, each to within one half."""
    whole: Ints = np.floor(np.cumsum(exact) + 0.5).astype(np.int64)
    whole[1:] -= whole[:-1].copy()
    return whole


def _made(book: _Rows, x: Floats) -> None:
    found, runs = used(book.model.make, x), book.model.reach.runs
    cost = np.array([run.make.good_cost_usd for run in runs], dtype=float)
    accounts = {
        "payer": pick([book.company[run.make.plant] for run in runs], found.item),
        "payee": pick([f"plant {run.make.plant}" for run in runs], found.item),
    }
    book.at_slots(found.slot, "make", accounts, found.units, cost[found.item] * found.units)


def _moved(book: _Rows, law: Law, futures: Futures, x: Floats) -> None:
    """Goods bought, freight and insurance at departure; duty by heading and fees on every arrival that is an entry."""
    model = book.model
    found, arcs = used(model.move, x), model.reach.arcs
    share = model.network.settings.insurance_share
    sender = pick([book.owner(arc.to if arc.supply >= 0 else arc.start, arc.product) for arc in arcs], found.item)
    for item, payee, cost in (
        ("bought", [f"supplier {arc.start}" for arc in arcs], [arc.price_usd for arc in arcs]),
        ("freight", [f"carrier {arc.mode}" for arc in arcs], [arc.freight_usd for arc in arcs]),
        ("insurance", ["insurer"] * len(arcs), [share * arc.insured_usd for arc in arcs]),
    ):
        accounts = {"payer": sender, "payee": pick(payee, found.item)}
        usd = np.array(cost, dtype=float)[found.item] * found.units
        book.at_slots(found.slot, item, accounts, found.units, usd)
    for lag in model.lags:
        lane, leave, arrive = model.arrivals(lag)
        lane = lane[law.article[lane] >= 0]
        columns = model.move[lane][:, leave] if model.border is None else model.entering(lane, arrive)
        entered = used(columns, x)
        if len(entered.units):
            _entered(book, law, futures, Entered(lane[entered.item], arrive[entered.slot], entered.units), x)


class Entered(NamedTuple):
    """Consignments: arc, slot of arrival and units of each."""

    arc: Ints
    slot: Ints
    units: Floats


def _entered(book: _Rows, law: Law, futures: Futures, goods: Entered, x: Floats) -> None:
    """Duty by heading, within quotas and beyond each of them, and fees."""
    model = book.model
    owner = [book.owner(arc.to, arc.product) for arc in model.reach.arcs]
    fee = law.fee_usd[law.fee[goods.arc], goods.slot] * goods.units
    payee = pl.Series(["customs"] * len(goods.arc), dtype=pl.String)
    book.at_slots(goods.slot, "fees", {"payer": pick(owner, goods.arc), "payee": payee}, goods.units, fee)
    within = goods.units.copy()
    for quota, (count, counted) in enumerate(_beyond(model, law, goods, x)):
        within[count] -= counted
        mine = Entered(goods.arc[count], goods.slot[count], counted)
        _owed(book, law, futures, mine, owner, (law.quotas[quota],))
    within[np.abs(within) < 1e-9] = 0.0
    _owed(book, law, futures, Entered(goods.arc, goods.slot, within), owner, ())


def _beyond(model: Model, law: Law, goods: Entered, x: Floats) -> Iterator[tuple[Ints, Floats]]:
    """For each quota, which of the goods are in part beyond it, and how many units of them."""
    border = model.border
    if border is None:
        return
    for quota in range(len(law.quotas)):
        units = np.zeros((len(model.reach.arcs), model.calendar.size))
        mine = border.count_quota == quota
        columns = border.over[mine]
        units[border.count_arc[mine]] = np.where(columns >= 0, x[columns], 0.0)
        amount = units[goods.arc, goods.slot]
        found = np.flatnonzero(amount)
        yield found, amount[found]


def _owed(book: _Rows, law: Law, futures: Futures, goods: Entered, owner: list[str], over: tuple[str, ...]) -> None:
    """Duty by heading on goods that are beyond the quotas ``over``."""
    model = book.model
    keys, which = np.unique(law.article[goods.arc] * model.calendar.size + goods.slot, return_inverse=True)
    headings: list[tuple[str, str]] = []
    rates: list[float] = []
    first = [0]
    for key in keys:
        number, slot = divmod(int(key), model.calendar.size)
        article, (law_book, day) = law.articles[number], law_of(futures, model.calendar, slot)
        said = claims_of(law_book, article, over)
        for heading, authority, rate in duties.lines(law_book, article.hts, article.origin, day, said):
            headings.append((heading, authority))
            rates.append(rate)
        first.append(len(rates))
    starts = np.array(first)
    counts = np.diff(starts)[which]
    if not counts.sum():
        return
    row = np.repeat(np.arange(len(goods.arc)), counts)
    step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    line = starts[which][row] + step
    accounts = {
        "payer": pick(owner, goods.arc[row]),
        "payee": pl.Series(["customs"] * len(row), dtype=pl.String),
        "heading": pick([heading for heading, _ in headings], line),
        "authority": pick([authority for _, authority in headings], line),
    }
    value = np.array([arc.value_usd for arc in model.reach.arcs], dtype=float)[goods.arc] * goods.units
    book.at_slots(goods.slot[row], "duty", accounts, goods.units[row], np.array(rates)[line] * value[row])


def _stored(book: _Rows, x: Floats) -> None:
    found, pools = used(book.model.stock, x), book.model.reach.pools
    accounts = {
        "payer": pick([book.owner(pool.place, pool.product) for pool in pools], found.item),
        "payee": pick([f"store {pool.place}" for pool in pools], found.item),
    }
    hold = book.model.network.settings.hold_usd_month
    book.at_slots(found.slot, "holding", accounts, found.units, hold * found.units)


def _lost(book: _Rows, x: Floats) -> None:
    found, wants = used(book.model.lost, x), book.model.wants
    accounts = {
        "payer": pick([book.maker[product] for _, product in wants], found.item),
        "payee": pick([f"market {market}" for market, _ in wants], found.item),
    }
    usd = np.nan_to_num(book.model.lost_usd)[found.item, found.slot] * found.units
    book.at_slots(found.slot, "lost", accounts, found.units, usd)


def _decided(book: _Rows, x: Floats) -> None:
    """What decisions on plants cost, where they are taken, and the fixed cost of every month."""
    cal, sites = book.model.calendar, book.model.sites
    payer = [plant.company for plant in sites.plants]
    payee = [f"plant {plant.name}" for plant in sites.plants]
    state = states(book.model, x)
    on, held = state.now["on"][:, cal.moment], state.now["held"][:, cal.moment]
    laid, woken, running = (
        np.where(columns >= 0, x[columns], 0.0) for columns in (sites.laid, sites.woken, sites.running)
    )
    at_moments = (
        ("opening", state.change("opened"), "open_usd"),
        ("expansion", state.change("ordered"), "module_usd"),
        ("mothballing", laid, "mothball_usd"),
        ("restart", woken, "restart_usd"),
        ("closing", state.closed, "close_usd"),
    )
    at_slots = (
        ("fixed", on, "fixed_usd_month"),
        ("idle", held - on, "idle_usd_month"),
        ("module fixed", running[:, cal.moment], "module_fixed_usd_month"),
    )
    for blocks, node, month in (
        (at_moments, cal.moment_node, cal.moment_month),
        (at_slots, cal.node, cal.month),
    ):
        for item, amount, field in blocks:
            plant, place = np.nonzero(amount)
            accounts = {"payer": pick(payer, plant), "payee": pick(payee, plant)}
            usd = (amount * sites.of(field))[plant, place]
            book.add(node[place], month[place], item, accounts, amount[plant, place], usd)
