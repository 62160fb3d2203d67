"""The total duty rate at which making at home starts to pay, found by solving, not by formula."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from ashore.errors import Fault, FaultyInput, suggest
from ashore.network import Network
from ashore.plans.futures import held_law
from ashore.plans.infeasible import explain, missing_parts
from ashore.plans.money import charges
from ashore.plans.parallel import spread
from ashore.plans.posed import Posed, pose
from ashore.plans.solver import Answer, NoPlan, run
from ashore.rules import RuleBook

STEPS = 6  # the first step up from the lowest rate is the span divided by two to this power


@dataclass(frozen=True)
class Breakeven:
    """The rate (share of customs value) at which a plant of ``plants`` first opens; None, and the ``reason``, if never.

    opens: the plants that open there. probes: (rate, plants that open, cost_usd) of every solve, by rate.
    """

    plants: tuple[str, ...]
    rate: float | None
    reason: str
    opens: tuple[str, ...]
    probes: tuple[tuple[float, tuple[str, ...], float], ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "plants": list(self.plants),
            "rate": self.rate,
            "reason": self.reason,
            "opens": list(self.opens),
            "probes": [{"rate": r, "opens": list(o), "cost_usd": c} for r, o, c in self.probes],
        }


def restrict(network: Network, company: str) -> Network:
    """The network of one company: the demand for its products, and the parts and plants behind them.

    A company's products are those it is the maker of; a company that is nobody's maker has the products for which its
    plants make something.
    """
    own = {name for name in network.demanded if network.products[name].maker == company}
    if not own:
        made = {make.product for make in network.makes.values() if network.plants[make.plant].company == company}
        own = {name for name in network.demanded if made & behind(network, {name})}
    if not own:
        companies = {product.maker for product in network.products.values()}
        companies |= {plant.company for plant in network.plants.values()}
        remedy = suggest(company, companies, "Name a company of the network.")
        raise FaultyInput(Fault("products.csv", f"No product in demand is made by '{company}'.", remedy))
    wanted = behind(network, own)
    makes = {key: make for key, make in network.makes.items() if make.product in wanted}
    plants = {make.plant for make in makes.values()}
    return replace(
        network,
        products={name: product for name, product in network.products.items() if name in wanted},
        parts={name: rows for name, rows in network.parts.items() if name in wanted},
        plants={name: plant for name, plant in network.plants.items() if name in plants},
        makes=makes,
        supplies={name: rows for name, rows in network.supplies.items() if name in wanted},
        demand=tuple(row for row in network.demand if row.product in own),
    )


def behind(network: Network, products: Collection[str]) -> set[str]:
    """The products and everything that goes into them."""
    found: set[str] = set()
    stack = list(products)
    while stack:
        product = stack.pop()
        if product not in found:
            found.add(product)
            stack.extend(part.part for part in network.parts.get(product, ()))
    return found


def breakeven_rate(  # noqa: PLR0913, PLR0917 (the last ones are for the search)
    network: Network,
    book: RuleBook,
    start: date,
    months: int,
    plants: str | Sequence[str],
    exempt: Collection[str] = (),
    low: float = 0.0,
    high: float = 2.0,
    tol: float = 0.0005,
) -> Breakeven:
    """The lowest total duty rate at which the best plan opens one of ``plants`` (candidates), to within ``tol``.

    Each probe puts one rate in the place of the law: every article and origin that owes anything on the first day owes
    it on its whole customs value, in every month; what is free that day stays free, and so do the products and kinds
    of product in ``exempt``. Fees stay. The network is cut down to the companies of the plants first. Rates are tried
    in ever larger steps from ``low`` to ``high`` until a plant opens; between the last two the cost of the best plan
    with and without it are straight lines in the rate, so that their crossing is tried next.
    """
    names = (plants,) if isinstance(plants, str) else tuple(plants)
    _check(network, names, low, high, tol)
    return _search(_Prober(_own(network, names), book, start, months, set(exempt)), names, low, high, tol)


def breakeven_rates(
    network: Network,
    book: RuleBook,
    start: date,
    months: int,
    exempt: Collection[str] = (),
    low: float = 0.0,
    high: float = 2.0,
    tol: float = 0.0005,
) -> tuple[Breakeven, ...]:
    """:func:`breakeven_rate` of every candidate plant; the plants of one company share their probes.

    The companies are searched by the workers in force (:mod:`ashore.plans.parallel`).
    """
    candidates = [name for name, plant in network.plants.items() if not plant.open]
    owned: dict[str, list[str]] = {}
    for name in candidates:
        _check(network, (name,), low, high, tol)
        owned.setdefault(network.plants[name].company, []).append(name)
    sweep = _Sweep(network, book, start, months, frozenset(exempt), (low, high, tol))
    found = {each.plants[0]: each for several in spread(_of_company, owned.items(), sweep) for each in several}
    return tuple(found[name] for name in candidates)


@dataclass(frozen=True)
class _Sweep:
    """What the searches of all companies share; span: lowest and highest rate, and how near to come."""

    network: Network
    book: RuleBook
    start: date
    months: int
    exempt: frozenset[str]
    span: tuple[float, float, float]


def _of_company(sweep: _Sweep, owned: tuple[str, list[str]]) -> list[Breakeven]:
    """The search for each of the candidates of a company, (company, plants)."""
    company, plants = owned
    own = restrict(sweep.network, company)
    probe = _Prober(own, sweep.book, sweep.start, sweep.months, set(sweep.exempt))
    return [_search(probe, (plant,), *sweep.span) for plant in plants]


def _search(probe: _Prober, names: tuple[str, ...], low: float, high: float, tol: float) -> Breakeven:
    def opens(rate: float) -> bool:
        return bool(set(names) & set(probe.at(rate).opens))

    def result(rate: float | None, reason: str) -> Breakeven:
        probes = tuple((r, p.opens, p.at(r)) for r, p in sorted(probe.known.items()))
        here = () if rate is None else tuple(name for name in probe.at(rate).opens if name in names)
        return Breakeven(names, rate, reason, here, probes)

    missing = [name for name in names if name not in probe.posed.model.candidates]
    if len(missing) == len(names):
        return result(None, probe.why_not_possible(missing))
    grid = [low, *(low + (high - low) / 2**step for step in range(STEPS, -1, -1))]
    if opens(grid[0]):
        return result(grid[0], f"it opens even at a total duty of {grid[0]:.2%}, the lowest rate tried")
    above = next((rate for rate in grid[1:] if opens(rate)), None)
    if above is None:
        return result(None, probe.why_never(high))
    below = grid[grid.index(above) - 1]
    tries = 0
    while above - below > tol:
        shut, open_ = probe.at(below), probe.at(above)
        middle = (below + above) / 2
        if tries % 3 < 2 and shut.slope != open_.slope:
            middle = (open_.base - shut.base) / (shut.slope - open_.slope)
            middle = min(max(middle, below + tol / 2), above - tol / 2)
        if opens(middle):
            above = middle
        else:
            below = middle
        tries += 1
    return result(above, f"it stays closed at {below:.2%} and opens at {above:.2%}")


def _own(network: Network, names: Sequence[str]) -> Network:
    companies = dict.fromkeys(network.plants[name].company for name in names)
    parts = [restrict(network, company) for company in companies]
    if len(parts) == 1:
        return parts[0]
    products = set().union(*(part.products for part in parts))
    demanded = {row.product for part in parts for row in part.demand}
    plants = set().union(*(part.plants for part in parts))
    return replace(
        network,
        products={name: product for name, product in network.products.items() if name in products},
        plants={name: plant for name, plant in network.plants.items() if name in plants},
        makes={key: make for key, make in network.makes.items() if make.product in products},
        demand=tuple(row for row in network.demand if row.product in demanded),
    )


def _check(network: Network, names: Sequence[str], low: float, high: float, tol: float) -> None:
    for name in names:
        if name not in network.plants:
            remedy = suggest(name, network.plants, "Name a plant of the network.")
            raise FaultyInput(Fault("plants.csv", f"There is no plant '{name}'.", remedy))
        if network.plants[name].open:
            remedy = "Ask for a plant with open = no."
            raise FaultyInput(Fault("plants.csv", f"The plant '{name}' is open already.", remedy))
    if not names or not 0 <= low < high or tol <= 0:
        what = f"Rates from {low} to {high} in steps of {tol} for {len(names)} plants cannot be searched."
        raise FaultyInput(Fault("the break-even rate", what, "Give a plant, 0 ≤ low < high and tol > 0."))


@dataclass(frozen=True, slots=True)
class _Probe:
    """The best plan at one rate: the candidates it opens, and what it costs as base + rate · slope."""

    opens: tuple[str, ...]
    base: float
    slope: float

    def at(self, rate: float) -> float:
        return self.base + rate * self.slope


class _Prober:
    """Solves the plan at one rate after another; only the costs differ, which are linear in the rate."""

    def __init__(self, network: Network, book: RuleBook, start: date, months: int, exempt: set[str]) -> None:
        self.posed: Posed = pose(network, book, start, months, held_law(book, start))
        law, columns = self.posed.law, self.posed.arrays.columns
        today = np.broadcast_to(law.highest[:, :1], law.rate.shape)
        free = {p.hts for p in network.products.values() if {p.name, p.kind} & exempt}
        owes = np.array([article.hts not in free for article in law.articles], dtype=bool).reshape(-1, 1)
        like = np.where(owes, today, 0.0)
        self.base, unit = (
            charges(self.posed.model, law.at(share, like)).expected(self.posed.calendar, columns)
            for share in (0.0, 1.0)
        )
        self.slope = unit - self.base
        self.known: dict[float, _Probe] = {}
        self.last: Answer | None = None

    def at(self, rate: float) -> _Probe:
        """The best plan at ``rate``."""
        if rate not in self.known:
            arrays = replace(self.posed.arrays, cost=self.base + rate * self.slope)
            begin = None if self.last is None else self.last.x
            try:
                self.last = run(arrays, self.posed.limits, start=begin)
            except NoPlan:
                raise explain(self.posed.model, self.posed.arrays) from None
            x, model = self.last.x, self.posed.model
            state = np.where(model.opened >= 0, x[model.opened], 0.0)
            opens = tuple(name for name, row in zip(model.candidates, state, strict=True) if np.any(row > 0.5))
            self.known[rate] = _Probe(opens, float(self.base @ x), float(self.slope @ x))
        return self.known[rate]

    def why_not_possible(self, plants: Sequence[str]) -> str:
        """Why none of ``plants`` can make anything of use."""
        reach = self.posed.reach
        products = [product for plant, product in reach.lacking if plant in plants]
        lacking = [words for product in products for words in missing_parts(reach, product)]
        return "; ".join(dict.fromkeys(lacking)) or "nothing it makes can reach demand within the months planned"

    def why_never(self, high: float) -> str:
        """Why no plant opens at the highest rate."""
        assert self.last is not None
        model, x = self.posed.model, self.last.x
        lost = float(np.where(model.lost >= 0, x[model.lost], 0.0).sum())
        tail = f"; {lost:,.0f} units of demand are lost there instead" if lost > 0.5 else ""
        return f"even at a total duty of {high:.0%} opening costs more than it saves over the months planned{tail}"
