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
from ashore.plans.plan import Posed, pose
from ashore.plans.solver import Answer, Limits, NoPlan, run
from ashore.rules import RuleBook

STEPS = 8  # probes between low and high before the bisection


@dataclass(frozen=True)
class Breakeven:
    """rate: share of customs value at which a plant of ``plants`` first opens; None with the ``reason`` if it never does.

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
    gap: float = 1e-6,
) -> Breakeven:
    """The lowest total duty rate at which the best plan opens one of ``plants`` (candidates), to within ``tol``.

    Each probe puts one rate in the place of the law: every article and origin that owes anything on the first day owes
    it on its whole customs value, in every month; what is free that day stays free, and so do the products and kinds
    of product in ``exempt``. Fees stay. The network is cut down to the companies of the plants first. After an even
    scan from ``low`` to ``high`` the first step at which a plant opens is bisected.
    """
    names = (plants,) if isinstance(plants, str) else tuple(plants)
    _check(network, names, low, high, tol)
    probe = _Prober(_own(network, names), book, start, months, names, set(exempt), gap)
    grid = [float(rate) for rate in np.linspace(low, high, STEPS + 1)]
    if probe.opens(grid[0]):
        return probe.result(grid[0], f"it opens even at a total duty of {grid[0]:.2%}, the lowest rate tried")
    first = next((rate for rate in grid[1:] if probe.opens(rate)), None)
    if first is None:
        return probe.result(None, probe.why_never(high))
    below = grid[grid.index(first) - 1]
    while first - below > tol:
        middle = (below + first) / 2
        if probe.opens(middle):
            first = middle
        else:
            below = middle
    return probe.result(first, f"it stays closed at {below:.2%} and opens at {first:.2%}")


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


class _Prober:
    """Solves the plan at one rate after another; only the costs differ, which are linear in the rate."""

    def __init__(
        self,
        network: Network,
        book: RuleBook,
        start: date,
        months: int,
        names: tuple[str, ...],
        exempt: set[str],
        gap: float,
    ) -> None:
        self.names, self.limits = names, Limits(gap)
        posed = pose(network, book, start, months, held_law(book, start), self.limits)
        self.posed: Posed = posed
        columns = posed.arrays.columns
        today = np.broadcast_to(posed.law.rate[:, :1], posed.law.rate.shape)
        free = {p.hts for p in network.products.values() if {p.name, p.kind} & exempt}
        owes = np.array([hts not in free for hts, _ in posed.law.articles], dtype=bool).reshape(-1, 1)
        like = np.where(owes, today, 0.0)
        self.base, unit = (
            charges(posed.model, posed.law.at(share, like)).expected(posed.calendar, columns) for share in (0.0, 1.0)
        )
        self.slope = unit - self.base
        self.candidates = [k for k, name in enumerate(posed.model.candidates) if name in names]
        self.answers: dict[float, tuple[tuple[str, ...], float]] = {}
        self.last: Answer | None = None

    def opens(self, rate: float) -> tuple[str, ...]:
        """The plants asked about that the best plan at ``rate`` opens."""
        arrays = replace(self.posed.arrays, cost=self.base + rate * self.slope)
        begin = None if self.last is None else self.last.x
        try:
            self.last = run(arrays, self.limits, start=begin)
        except NoPlan:
            raise explain(self.posed.model, self.posed.arrays) from None
        opened = self.posed.model.opened
        found = tuple(
            self.posed.model.candidates[k]
            for k in self.candidates
            if np.any(np.where(opened[k] >= 0, self.last.x[opened[k]], 0.0) > 0.5)
        )
        self.answers[rate] = (found, self.last.objective)
        return found

    def why_never(self, high: float) -> str:
        """Why no plant opens at the highest rate."""
        missing = [name for name in self.names if name not in self.posed.model.candidates]
        if len(missing) == len(self.names):
            products = [product for plant, product in self.posed.reach.lacking if plant in missing]
            lacking = [words for product in products for words in missing_parts(self.posed.reach, product)]
            why = "; ".join(dict.fromkeys(lacking))
            return why or "nothing it makes can reach demand within the months planned"
        assert self.last is not None
        model, x = self.posed.model, self.last.x
        lost = float(np.where(model.lost >= 0, x[model.lost], 0.0).sum())
        tail = f"; {lost:,.0f} units of demand are lost there instead" if lost > 0.5 else ""
        return f"even at a total duty of {high:.0%} opening costs more than it saves over the months planned{tail}"

    def result(self, rate: float | None, reason: str) -> Breakeven:
        probes = tuple((r, *self.answers[r]) for r in sorted(self.answers))
        return Breakeven(self.names, rate, reason, self.answers[rate][0] if rate is not None else (), probes)
