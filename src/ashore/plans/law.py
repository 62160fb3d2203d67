"""What entries owe in each slot: duty shares by (tariff number, origin), fees in USD by (value, mode)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from ashore import duties
from ashore.errors import AshoreError, Fault, OutsideCoverage, Unresolved
from ashore.network import Network
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.futures import Futures
from ashore.plans.reach import Reach
from ashore.rules import RuleBook


@dataclass(frozen=True)
class Law:
    """Rates of the entries of a plan.

    article, fee: of each arc, its place in ``articles`` and ``fee_kinds`` (-1: the arc makes no entry).
    rate: share of customs value, shape (articles, slots); fee_usd: USD a unit, shape (fee_kinds, slots).
    """

    articles: tuple[tuple[str, str], ...]  # hts, origin
    fee_kinds: tuple[tuple[float, str], ...]  # customs value of a unit, mode
    article: Ints
    fee: Ints
    rate: Floats
    fee_usd: Floats

    def at(self, share: float, like: Floats) -> Law:
        """The same entries under one duty: ``share`` where ``like`` (shape of ``rate``) is above 0, else nothing."""
        return replace(self, rate=np.where(like > 0, share, 0.0))


def read_law(network: Network, futures: Futures, calendar: Calendar, reach: Reach) -> Law:
    """The law of each node of ``futures`` for the entries of ``reach``.

    Raises OutsideCoverage or Unresolved with every entry the book cannot rate.
    """
    articles: dict[tuple[str, str], int] = {}
    kinds: dict[tuple[float, str], int] = {}
    article = np.full(len(reach.arcs), -1, dtype=np.int64)
    fee = np.full(len(reach.arcs), -1, dtype=np.int64)
    for k, arc in enumerate(reach.arcs):
        if arc.crosses:
            hts = network.products[arc.product].hts
            article[k] = articles.setdefault((hts, arc.origin), len(articles))
            fee[k] = kinds.setdefault((arc.value_usd, arc.mode), len(kinds))
    rate = np.zeros((len(articles), calendar.size))
    fee_usd = np.zeros((len(kinds), calendar.size))
    if articles:
        faults: dict[Fault, type[AshoreError]] = {}
        _fill_rates(rate, list(articles), futures, calendar, faults)
        _fill_fees(fee_usd, list(kinds), network, futures.nodes[0].book, calendar, faults)
        if faults:
            outside = OutsideCoverage in faults.values()
            raise (OutsideCoverage if outside else Unresolved)(faults)
    return Law(tuple(articles), tuple(kinds), article, fee, rate, fee_usd)


def _fill_rates(
    rate: Floats,
    articles: list[tuple[str, str]],
    futures: Futures,
    calendar: Calendar,
    faults: dict[Fault, type[AshoreError]],
) -> None:
    """Each interval of each distinct book is asked once."""
    same: dict[tuple[int, int], list[int]] = {}
    for slot in range(calendar.size):
        book, day = law_of(futures, calendar, slot)
        interval = book.interval(day) if book.start <= day < book.until else -1 - int(calendar.month[slot])
        same.setdefault((id(book), interval), []).append(slot)
    for slots in same.values():
        book, day = law_of(futures, calendar, slots[0])
        for k, (hts, origin) in enumerate(articles):
            try:
                rate[k, slots] = duties.total_rate(book, hts, origin, day)
            except (OutsideCoverage, Unresolved) as error:
                faults.update(dict.fromkeys(error.faults, type(error)))


def _fill_fees(
    fee_usd: Floats,
    kinds: list[tuple[float, str]],
    network: Network,
    book: RuleBook,
    calendar: Calendar,
    faults: dict[Fault, type[AshoreError]],
) -> None:
    """Fees do not differ between futures, only between months."""
    units = network.settings.entry_units
    for month, day in enumerate(calendar.dates):
        slots = calendar.month == month
        for k, (value, mode) in enumerate(kinds):
            try:
                fee_usd[k, slots] = duties.fees_usd(book, value, day, mode, units)
            except (OutsideCoverage, Unresolved) as error:
                faults.update(dict.fromkeys(error.faults, type(error)))


def law_of(futures: Futures, calendar: Calendar, slot: int) -> tuple[RuleBook, date]:
    """The book that holds in a slot and the day its entries are made."""
    return futures.nodes[int(calendar.node[slot])].book, calendar.dates[int(calendar.month[slot])]


def carried_over(law: Law, network: Network, reach: Reach) -> Law:
    """``law`` for the entries of another graph, all of which it must know."""
    articles = {key: k for k, key in enumerate(law.articles)}
    kinds = {key: k for k, key in enumerate(law.fee_kinds)}
    article = [articles[network.products[a.product].hts, a.origin] if a.crosses else -1 for a in reach.arcs]
    fee = [kinds[a.value_usd, a.mode] if a.crosses else -1 for a in reach.arcs]
    return replace(law, article=np.array(article, dtype=np.int64), fee=np.array(fee, dtype=np.int64))


def mean_over_tree(values: Floats, calendar: Calendar) -> Floats:
    """For each slot, the mean of ``values`` (..., slots) over all slots of the same month, by chance."""
    weight = calendar.chance
    result = np.empty_like(values)
    for month in range(calendar.months):
        here = calendar.month == month
        share = weight[here] / weight[here].sum()
        result[..., here] = (values[..., here] @ share)[..., None]
    return result
