"""A calibrated market: who sells what at which cost to whom, and what becomes of it under a policy."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ashore.errors import Fault, SolverTrouble
from ashore.markets import calibrate, kernel, linear, nested, quotas
from ashore.markets.calibrate import Fit, Form, Observed
from ashore.markets.demand import Demand, Floats, Ints
from ashore.markets.kernel import Conduct, Supply
from ashore.markets.linear import Linear, Single
from ashore.markets.nested import Nested
from ashore.markets.quotas import Limit
from ashore.markets.routes import Route, Taken, taken

Rent = Literal["maker", "importer", "government"]
RENTS: tuple[Rent, ...] = ("maker", "importer", "government")


@dataclass(frozen=True)
class Policy:
    """What a government does; arrays of shape (goods,).

    rate: duty as a share of the border price; banned: goods taken off the market; limits: caps and tariff-rate quotas;
    rent: who owns what a binding limit is worth; routes: open ways to market with their rates, which take the place of
    ``rate`` for the goods that have some.
    """

    rate: Floats
    banned: NDArray[np.bool_]
    limits: tuple[Limit, ...] = ()
    rent: Rent = "maker"
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A market at rest under a policy; arrays of shape (goods,), USD for all units of a good.

    price:  what the buyer pays for a unit, NaN for a good nobody can buy; border: what of it the customs value is.
    profit: of the maker, rent it owns included; duty; rent: of limits, whoever owns it.
    shadow: price of a unit of the limits on the good, in the maker's money.
    rate, marginal: of duty on the first and on the last unit; they differ where a tariff-rate quota is full.
    extra_usd: what the route taken adds to the maker's cost of a unit; route: its number in the policy, −1 without.
    """

    price: Floats
    units: Floats
    border: Floats
    profit: Floats
    duty: Floats
    rent: Floats
    shadow: Floats
    rate: Floats
    marginal: Floats
    extra_usd: Floats
    route: Ints
    residual: float
    iterations: int


@dataclass(frozen=True)
class Model:
    """A market that reproduces what was observed.

    cost: (goods,) the makers' cost of one more unit, USD, without what a route adds.
    """

    form: Form
    conduct: Conduct
    seen: Observed
    fit: Fit
    demand: Demand | Linear | Nested | Single = field(repr=False)
    cost: Floats

    def respond(
        self, cost: Floats, rate: Floats, banned: NDArray[np.bool_] | None = None
    ) -> tuple[Floats, Floats, Floats, Ints]:
        """Prices and units (goods, scenarios), residuals and steps, at costs and rates (goods, scenarios)."""
        demand = spread(self.demand, cost.shape[1])
        if banned is not None:
            demand = demand.without(banned)
        supply = Supply(self.seen.maker, cost, rate)
        if isinstance(demand, Single):
            units, residual, steps = linear.solve_single(demand, supply, np.full(cost.shape, np.inf))
            price = np.where(units > 0, demand.prices(units), np.inf)
            return price, units, residual, steps
        if isinstance(demand, Linear):
            found = linear.solve(demand, supply, self.conduct)
            return found.price, found.share, found.residual, found.iterations
        if isinstance(demand, Nested):
            found = nested.solve(demand, supply, self.conduct)
            return found.price, demand.size * found.share, found.residual, found.iterations
        found = kernel.solve(demand, supply, self.conduct)
        if self.form == "logit":
            units = demand.size * found.share
        else:
            units = np.where(found.share > 0, demand.size * found.share / found.price, 0.0)
        return found.price, units, found.residual, found.iterations

    def under(self, policy: Policy) -> Outcome:
        """The market at rest under a policy, each good on the route that is best at its own price."""
        price, tried = self.seen.price, set()
        while True:
            way = taken(policy.routes, price, policy.rate)
            outcome = self._on(policy, way)
            price = np.where(np.isnan(outcome.price), price, outcome.price)
            if (taken(policy.routes, price, policy.rate).route == way.route).all():
                return outcome
            if way.route.tobytes() in tried:
                what = (
                    "Makers go from route to route without end: two routes of a good are about as good as each other."
                )
                raise SolverTrouble(Fault("routes.csv", what, "Leave one of them out."))
            tried.add(way.route.tobytes())

    def _on(self, policy: Policy, way: Taken) -> Outcome:
        """The market at rest with each good on a given route."""
        rate, cost = way.rate[:, None], (self.cost + way.extra_usd)[:, None]
        price, units, residual, steps = self.respond(cost, rate, policy.banned)
        if policy.limits:

            def units_at(columns: Ints, costs: Floats, rates: Floats) -> Floats:
                return self.respond(costs, rates, policy.banned)[1]

            bound = quotas.bind(units_at, cost, rate, np.array([self.seen.mean_price]), policy.limits)
            rate, cost = bound.rate, bound.cost
            price, units, residual, steps = self.respond(cost, rate, policy.banned)
            residual, steps = np.maximum(residual, bound.residual), steps + bound.iterations
        paid = np.where(units > 0, price, np.nan)[:, 0]
        rest = (cost[:, 0], rate[:, 0], float(residual[0]), int(steps[0]))
        return self._reckoned(policy, way, paid, units[:, 0], *rest)

    def _reckoned(
        self,
        policy: Policy,
        way: Taken,
        price: Floats,
        units: Floats,
        cost: Floats,
        marginal: Floats,
        residual: float,
        steps: int,
    ) -> Outcome:
        """Duty, rent and profit from costs and rates at the margin, shadow prices of limits included.

        The customs value is what is paid to the maker, rent included only if the maker owns it. Without limits
        border = price / (1 + rate), duty = rate·border·units and profit = (border − cost)·units.
        """
        sold, own = units > 0, self.cost + way.extra_usd
        paid, shadow = np.where(sold, price, 0.0), cost - own
        net = paid / (1.0 + marginal) - np.where(sold, shadow, 0.0)  # to the maker for a unit, without rent
        first = paid / (1.0 + way.rate)
        inside, over = _in_quota(policy.limits, way.rate, units)
        if policy.rent == "maker":
            border, rent = first, (first - net) * inside
        else:
            border, rent = net, (paid - (1.0 + way.rate) * net) * inside
        duty = way.rate * border * inside + over * net * (units - inside)
        profit = (net - own) * units + (rent if policy.rent == "maker" else 0.0)
        return Outcome(
            price,
            units,
            np.where(sold, border, np.nan),
            profit,
            duty,
            rent,
            shadow,
            way.rate,
            marginal,
            way.extra_usd,
            way.route,
            residual,
            steps,
        )

    def surplus_usd(self, before: Outcome, after: Outcome, banned: NDArray[np.bool_]) -> float:
        """Change in buyers' surplus between two outcomes, the second with ``banned`` goods off the market."""
        if isinstance(self.demand, Single):
            change = self.demand.surplus_usd(before.units[:, None], after.units[:, None])
        else:
            prices = [np.where(np.isnan(o.price), np.inf, o.price)[:, None] for o in (before, after)]
            later: Any = self.demand.without(banned)
            change = self.demand.surplus_usd(prices[0], prices[1], later)
        return float(change[0])


def calibrated(
    form: Form, conduct: Conduct, seen: Observed, where: str, faults: list[Fault], extra_usd: float | Floats = 0.0
) -> Model | None:
    """The market whose equilibrium is the one observed; None with the reasons added to ``faults``.

    extra_usd: (goods,) what the routes taken before add to the cost of a unit.
    """
    fit = calibrate.fit(form, conduct, seen, where, faults)
    if fit is None:
        return None
    cost = seen.price * seen.keep * (1.0 - fit.margin) - extra_usd
    return Model(form, conduct, seen, fit, _demand(form, conduct, seen, fit), cost)


def _demand(form: Form, conduct: Conduct, seen: Observed, fit: Fit) -> Demand | Linear | Nested | Single:
    """Demand that gives the units observed at the prices observed."""
    price, slope = seen.price[:, None], np.array([fit.slope])
    sold = np.ones(price.shape, dtype=bool)
    total = float(seen.units.sum())
    if form == "linear" and conduct == "cournot":
        return Single(price + slope * total, slope, sold)
    inside = 1.0 - fit.outside
    if form == "linear":
        weight, tie = seen.share[:, None], np.array([inside])
        return Linear(price + 1.0 / slope - tie * seen.mean_price, weight, slope * total, tie, sold)
    if form == "logit" and seen.nest is not None:
        return _nests(seen, fit)
    share = (seen.share if form == "logit" else seen.value_share)[:, None]
    taste = np.log(share * inside) + (slope * price if form == "logit" else (slope - 1.0) * np.log(price))
    if fit.outside > 0:
        taste -= np.log(fit.outside)
    size = (total if form == "logit" else float(seen.price @ seen.units)) / inside
    return Demand(form, taste, slope, np.array([float(fit.outside > 0)]), np.array([size]))


def _nests(seen: Observed, fit: Fit) -> Nested:
    """Nested logit demand that gives the units observed at the prices observed."""
    assert seen.nest is not None
    share = seen.share * (1.0 - fit.outside)
    part, tie = (seen.nest[:, None] == seen.nest) @ share, 1.0 - seen.correlation
    rest = fit.outside if fit.outside > 0 else 1.0
    taste = tie * np.log(share / part) + np.log(part / rest) + fit.slope * seen.price
    size = float(seen.units.sum()) / (1.0 - fit.outside)
    one = np.ones(1)
    return Nested(taste[:, None], fit.slope * one, float(fit.outside > 0) * one, size * one, tie * one, seen.nest)


def spread(demand: Any, scenarios: int) -> Any:
    """A demand of one scenario in as many."""
    if scenarios == 1:
        return demand
    values = {f.name: getattr(demand, f.name) for f in fields(demand)}
    return replace(
        demand, **{k: np.repeat(v, scenarios, axis=-1) for k, v in values.items() if k not in ("form", "nest")}
    )


def _in_quota(limits: tuple[Limit, ...], rate: Floats, units: Floats) -> tuple[Floats, Floats]:
    """Units of each good that enter at its lower rate, and the rate on those above a tariff-rate quota."""
    inside, over = units.copy(), rate.copy()
    for limit in limits:
        if limit.rate_over is not None:
            total = units[limit.goods].sum()
            inside[limit.goods] *= min(1.0, limit.units / total) if total > 0 else 1.0
            over[limit.goods] = limit.rate_over
    return inside, over
