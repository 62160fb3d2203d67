"""What entries owe in each slot: duty shares by article, fees in USD by (value, mode), and quotas and bans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ashore import duties
from ashore.errors import AshoreError, Fault, FaultyInput, OutsideCoverage, Unresolved
from ashore.network import Network
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.futures import Futures
from ashore.plans.reach import Arc, Reach
from ashore.plans.sheet import Mask
from ashore.rules import MAKER, Rule, RuleBook

MOST_QUOTAS = 6  # quotas that may bear on one article at once
Faults = dict[Fault, type[AshoreError]]


class Article(NamedTuple):
    """What the law tells apart; ``maker`` is "" unless it asks for makers."""

    hts: str
    origin: str
    maker: str = ""


@dataclass(frozen=True)
class Law:
    """Rates of the entries of a plan.

    article, fee: of each arc, its place in ``articles`` and ``fee_kinds`` (-1: the arc makes no entry).
    rate: share of customs value owed within all quotas, shape (articles, slots); fee_usd: USD a unit, shape
    (fee_kinds, slots). banned: what may not be entered, shape (articles, slots). quotas: names; quota_units: units a
    month, infinite where the quota is not in force, shape (quotas, slots); extra: share more that is owed beyond the
    quota, infinite where nothing may enter beyond it, 0 where it does not count, shape (quotas, articles, slots).
    counts: whether a quota counts an article anywhere in the tree, shape (quotas, articles).
    """

    articles: tuple[Article, ...]
    fee_kinds: tuple[tuple[float, str], ...]  # customs value of a unit, mode
    article: Ints
    fee: Ints
    rate: Floats
    fee_usd: Floats
    banned: Mask
    quotas: tuple[str, ...]
    quota_units: Floats
    extra: Floats
    counts: Mask

    @property
    def highest(self) -> Floats:
        """The rate beyond every quota that has one, shape of ``rate``."""
        found: Floats = self.rate + np.where(np.isinf(self.extra), 0.0, self.extra).sum(axis=0)
        return found

    def at(self, share: float, like: Floats) -> Law:
        """The same entries under one duty: ``share`` where ``like`` (shape of ``rate``) is above 0, else nothing.

        Bans, and quotas beyond which nothing may enter, stay.
        """
        extra = np.where(np.isinf(self.extra), np.inf, 0.0)
        return replace(self, rate=np.where(like > 0, share, 0.0), extra=extra)

    def only(self, slots: Ints) -> Law:
        """The law of some slots."""
        parts = {
            name: getattr(self, name)[..., slots] for name in ("rate", "fee_usd", "banned", "quota_units", "extra")
        }
        return replace(self, **parts)

    def mean(self, calendar: Calendar, slots: Ints) -> Law:
        """The mean over the tree, by chance, in the months of ``slots``, one slot for each month.

        A ban holds where it holds in every branch, and a rate is the mean over those without one; a quota has its mean
        units over the branches with one, and beyond it the mean more is owed over all of them.
        """

        def mean(values: Any) -> Floats:
            return mean_over_tree(np.asarray(values, dtype=float), calendar)[..., slots]

        there = np.isfinite(self.quota_units)
        share = mean(there)
        units = np.divide(
            mean(np.where(there, self.quota_units, 0.0)), share, out=np.full(share.shape, np.inf), where=share > 0
        )
        absolute, barred = np.isinf(self.extra), mean(self.banned)
        open_ = np.where((barred > 0) & (barred < 1), 1.0 - barred, 1.0)
        extra = np.where(mean(absolute) > 1 - 1e-9, np.inf, mean(np.where(absolute, 0.0, self.extra)))
        return replace(
            self,
            rate=mean(self.rate) / open_,
            fee_usd=self.fee_usd[:, slots],
            banned=barred > 1 - 1e-9,
            quota_units=units,
            extra=extra,
        )


def read_law(network: Network, futures: Futures, calendar: Calendar, reach: Reach) -> Law:
    """The law of each node of ``futures`` for the entries of ``reach``.

    Raises OutsideCoverage, Unresolved or FaultyInput with every entry the book cannot rate, or the plan its quotas.
    """
    by_maker = any(MAKER in node.book.claims for node in futures.nodes)
    articles: dict[Article, int] = {}
    kinds: dict[tuple[float, str], int] = {}
    article = np.full(len(reach.arcs), -1, dtype=np.int64)
    fee = np.full(len(reach.arcs), -1, dtype=np.int64)
    for k, arc in enumerate(reach.arcs):
        if arc.crosses:
            article[k] = articles.setdefault(_article(network, arc, by_maker), len(articles))
            fee[k] = kinds.setdefault((arc.value_usd, arc.mode), len(kinds))
    quotas = tuple(dict.fromkeys(name for node in futures.nodes for name in node.book.quotas))
    law = Law(
        articles=tuple(articles),
        fee_kinds=tuple(kinds),
        article=article,
        fee=fee,
        rate=np.zeros((len(articles), calendar.size)),
        fee_usd=np.zeros((len(kinds), calendar.size)),
        banned=np.zeros((len(articles), calendar.size), dtype=bool),
        quotas=quotas,
        quota_units=np.full((len(quotas), calendar.size), np.inf),
        extra=np.zeros((len(quotas), len(articles), calendar.size)),
        counts=np.zeros((len(quotas), len(articles)), dtype=bool),
    )
    if articles:
        faults: Faults = {}
        _fill_rates(law, futures, calendar, faults)
        _fill_fees(law.fee_usd, list(kinds), network, futures.nodes[0].book, calendar, faults)
        for kind in (OutsideCoverage, FaultyInput, Unresolved):
            if kind in faults.values():
                raise kind(faults)
    return law


def _article(network: Network, arc: Arc, by_maker: bool) -> Article:
    product = network.products[arc.product]
    return Article(product.hts, arc.origin, product.maker if by_maker else "")


def claims_of(book: RuleBook, article: Article, over: Iterable[str] = ()) -> dict[str, Any]:
    """What is claimed of an entry: its maker where the book asks, and which quotas it is beyond."""
    said: dict[str, Any] = {rules[0].over_quota: name in set(over) for name, rules in book.quotas.items()}
    return said | (duties.maker_claim(book, article.maker) if article.maker else {})


def ban_on(futures: Futures, calendar: Calendar, article: Article, slot: int) -> Rule | None:
    """The rule that keeps an article out in a slot."""
    book, day = law_of(futures, calendar, slot)
    return duties.verdict(book, article.hts, article.origin, day, claims_of(book, article)).ban


def _fill_rates(law: Law, futures: Futures, calendar: Calendar, faults: Faults) -> None:
    """Each interval of each distinct book is asked once."""
    same: dict[tuple[int, int], list[int]] = {}
    for slot in range(calendar.size):
        book, day = law_of(futures, calendar, slot)
        interval = book.interval(day) if book.start <= day < book.until else -1 - int(calendar.month[slot])
        same.setdefault((id(book), interval), []).append(slot)
    for slots in same.values():
        book, day = law_of(futures, calendar, slots[0])
        units = _units(book, day, faults)
        for name, amount in units.items():
            law.quota_units[law.quotas.index(name), slots] = amount
        for k, article in enumerate(law.articles):
            said = claims_of(book, article)
            try:
                if duties.verdict(book, article.hts, article.origin, day, said).ban is not None:
                    law.banned[k, slots] = True
                    continue
                law.rate[k, slots] = duties.total_rate(book, article.hts, article.origin, day, said)
            except (OutsideCoverage, Unresolved) as error:
                faults.update(dict.fromkeys(error.faults, type(error)))
                continue
            for name, more in _beyond(book, day, article, list(units), faults).items():
                law.extra[law.quotas.index(name), k, slots] = more
                law.counts[law.quotas.index(name), k] = True


def _units(book: RuleBook, day: date, faults: Faults) -> dict[str, float]:
    """Units a month of the quotas in force on a day, by name."""
    found: dict[str, float] = {}
    for name, rules in book.quotas.items():
        amounts = {rule.quota_units_month for rule in rules if rule.in_force(day)}
        if len(amounts) > 1:
            shown = " and ".join(f"{amount:,.6g}" for amount in sorted(filter(None, amounts)))
            what = f"The quota has {shown} units a month on {day}."
            faults[Fault(name, what, "Change it as a whole, by its heading or authority.")] = FaultyInput
        for amount in amounts:
            found[name] = amount or 0.0
    return found


def _beyond(book: RuleBook, day: date, article: Article, names: list[str], faults: Faults) -> dict[str, float]:
    """Share of value that an article owes more beyond each quota that counts it; infinite where it may not enter.

    Quotas on one article must add up: what is owed beyond several is what is owed beyond each.
    """

    def owed(over: tuple[str, ...]) -> float:
        found = duties.verdict(book, article.hts, article.origin, day, claims_of(book, article, over))
        return np.inf if found.ban is not None else found.rate

    if not names:
        return {}
    within = owed(())
    more = {name: round(owed((name,)) - within, 12) for name in names}
    more = {name: share for name, share in more.items() if share}
    what = f"{duties.dotted(article.hts)} from {article.origin} on {day}"
    for name, share in more.items():
        if share < 0:
            remedy = "Give a rate at least as high as what is owed within the quota."
            faults[Fault(name, f"Less is owed beyond the quota than within it, for {what}.", remedy)] = FaultyInput
    finite = [name for name, share in more.items() if np.isfinite(share)]
    together = [over for size in range(2, len(finite) + 1) for over in combinations(finite[:MOST_QUOTAS], size)]
    adds_up = all(abs(owed(over) - within - sum(more[name] for name in over)) < 1e-9 for over in together)
    if len(finite) > MOST_QUOTAS or not adds_up:
        said = f"Several quotas bear on {what} and their duties do not add up."
        if adds_up:
            said = f"{len(finite)} quotas bear on {what}; the plan takes {MOST_QUOTAS} at most."
        remedy = "Let them not yield to each other, or put these goods under one of them."
        faults[Fault(" and ".join(finite), said, remedy)] = FaultyInput
    return more


def _fill_fees(
    fee_usd: Floats,
    kinds: list[tuple[float, str]],
    network: Network,
    book: RuleBook,
    calendar: Calendar,
    faults: Faults,
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
    by_maker = any(key.maker for key in law.articles)
    kinds = {key: k for k, key in enumerate(law.fee_kinds)}
    article = [articles[_article(network, arc, by_maker)] if arc.crosses else -1 for arc in reach.arcs]
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
