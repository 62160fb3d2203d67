"""Equilibria found one way are found the other way, and no maker gains by doing otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.market_draws import Drawn, draw
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from ashore.errors import SolverTrouble
from ashore.markets import Demand, Supply, fixed_point, solve

FORMS = ("logit", "ces")


def off(price: np.ndarray, other: np.ndarray) -> float:
    """Largest relative difference of two sets of prices; both infinite counts as none."""
    with np.errstate(invalid="ignore"):
        return float(np.where(price == other, 0.0, np.abs(price / other - 1.0)).max())


def profit(drawn: Demand, supply: Supply, price: np.ndarray, maker: int) -> np.ndarray:
    units = drawn.units(price)
    own = (supply.maker == maker)[:, None]
    return np.where(own & (units > 0), (price / (1 + supply.rate) - supply.cost) * units, 0.0).sum(axis=0)


def compare(drawn: Drawn) -> None:
    """Newton on makers' unknowns against the fixed point on goods' prices."""
    found = solve(drawn.demand, drawn.taxed)
    price, rounds = fixed_point(drawn.demand, drawn.taxed)
    assert (rounds > 0).all()
    # a CES good about to leave its market has a price beyond all bounds, known only as well as its inverse
    leaving = found.price > 1e3 * drawn.taxed.cost * (1 + drawn.taxed.rate)
    assert off(np.where(leaving, 1.0, found.price), np.where(leaving, 1.0, price)) < 1e-10
    assert np.abs(drawn.taxed.cost / found.price - drawn.taxed.cost / price).max() < 1e-10
    assert np.abs(found.share - drawn.demand.shares(price)).max() < 1e-10
    assert drawn.demand.form == "ces" or not leaving.any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("outside", [True, False])
def test_what_was_drawn_is_found_again(form: str, outside: bool) -> None:
    drawn = draw(1, 2000, form, outside=outside)
    found = solve(drawn.demand, drawn.supply)
    assert off(found.price, drawn.price) < 1e-11
    assert found.residual.max() < 1e-12


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("goods", "makers"), [(1, 1), (2, 2), (8, 4), (30, 6)])
@pytest.mark.parametrize("outside", [True, False])
def test_two_methods_agree(form: str, goods: int, makers: int, outside: bool) -> None:
    if makers == 1 and not outside:
        pytest.skip("one maker without an outside option has no finite price")
    leader = (0.5, 0.99) if makers > 1 else None
    compare(draw(2, 800, form, goods=goods, makers=makers, leader=leader, outside=outside))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("leader", "outside", "most"), [(None, True, 10.0), ((0.7, 0.99), True, 10.0), ((0.9, 0.99), False, 1.0)]
)
def test_two_methods_agree_on_a_hundred_thousand_markets(
    form: str, leader: tuple[float, float] | None, outside: bool, most: float
) -> None:
    for seed, (goods, makers) in enumerate([(30, 6), (12, 4), (3, 3), (5, 2)]):
        drawn = draw(
            10 + seed, 25_000, form, goods=goods, makers=makers, leader=leader, outside=outside, most_rate=most
        )
        compare(drawn)


@pytest.mark.parametrize("form", FORMS)
def test_scenarios_do_not_know_of_each_other(form: str) -> None:
    drawn = draw(3, 1500, form, leader=(0.5, 0.99))
    found = solve(drawn.demand, drawn.taxed)
    for k in (0, 700, 1499):
        d, s, one = drawn.demand, drawn.taxed, slice(k, k + 1)
        alone = solve(
            Demand(d.form, d.taste[:, one], d.slope[one], d.outside[one], d.size[one]),
            Supply(s.maker, s.cost[:, one], s.rate[:, one]),
        )
        assert off(alone.price, found.price[:, one]) < 1e-13


@pytest.mark.parametrize("form", FORMS)
def test_makers_may_stand_in_any_order(form: str) -> None:
    drawn = draw(4, 50, form)
    found = solve(drawn.demand, drawn.taxed)
    order = np.random.default_rng(0).permutation(30)
    d, s = drawn.demand, drawn.taxed
    mixed = solve(
        Demand(d.form, d.taste[order], d.slope, d.outside, d.size), Supply(s.maker[order], s.cost[order], s.rate[order])
    )
    assert off(mixed.price, found.price[order]) < 1e-13


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(FORMS), st.integers(2, 6), st.booleans())
def test_no_maker_finds_a_better_answer(seed: int, form: str, makers: int, outside: bool) -> None:
    """Brute force: the best prices a maker can find by search earn it no more than those of the equilibrium."""
    drawn = draw(seed, 1, form, goods=makers + 3, makers=makers, most_rate=1.0, outside=outside)
    price = solve(drawn.demand, drawn.taxed).price
    for maker in range(makers):
        rows = np.flatnonzero((drawn.taxed.maker == maker) & np.isfinite(price[:, 0]))
        best = float(profit(drawn.demand, drawn.taxed, price, maker)[0])

        def loss(logs: np.ndarray, rows: np.ndarray = rows, best: float = best, maker: int = maker) -> float:
            trial = price.copy()
            trial[rows, 0] = np.exp(np.clip(logs, -20, 20))
            return -float(profit(drawn.demand, drawn.taxed, trial, maker)[0]) / best

        for start in (0.7, 1.3):
            there = optimize.minimize(
                loss, np.log(price[rows, 0] * start), method="Nelder-Mead", options={"maxiter": 400}
            )
            assert -there.fun <= 1.0 + 1e-10


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(FORMS), st.sampled_from(["bertrand", "cournot", "moncom"]))
def test_marginal_profits_are_zero(seed: int, form: str, conduct: str) -> None:
    """The derivative of each maker's profit, by complex steps, with what its conduct holds still held still."""
    drawn = draw(seed, 1, form, goods=8, makers=4, most_rate=0.5)
    demand, supply = drawn.demand, drawn.taxed
    found = solve(demand, supply, conduct)  # type: ignore[arg-type]
    price, units, step = found.price.astype(complex), demand.units(found.price).astype(complex), 1e-30
    total = demand.log_total(found.price)
    for good in np.flatnonzero(np.isfinite(found.price[:, 0])):
        moved = np.zeros_like(price)
        moved[good] = step * 1j
        if conduct == "cournot":
            if not np.isfinite(found.price).all():
                continue
            much, asked = units + moved, demand.prices(units + moved)
        elif conduct == "bertrand":
            much, asked = demand.units(price + moved), price + moved
        else:
            asked = price + moved
            share = np.exp(demand.log_index(asked) - total)
            much = demand.size * share if form == "logit" else demand.size * share / asked
        own = supply.maker == supply.maker[good]
        earned = ((asked / (1 + supply.rate) - supply.cost) * much)[own].sum()
        scale = float(units[good, 0].real if conduct != "cournot" else price[good, 0].real)
        assert abs(earned.imag / step) < 1e-9 * scale


def test_one_maker_prices_by_the_lambert_function() -> None:
    slope, cost, taste = 2.0, 1.5, 4.0
    demand = Demand("logit", np.array([[taste]]), np.array([slope]), np.ones(1), np.ones(1))
    supply = Supply(np.zeros(1, dtype=int), np.array([[cost]]), np.zeros((1, 1)))
    expected = cost + (1.0 + special.lambertw(np.exp(taste - slope * cost - 1.0)).real) / slope
    assert solve(demand, supply).price[0, 0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("conduct", ["bertrand", "moncom"])
def test_equal_rates_without_outside_option_scale_ces_costs(conduct: str) -> None:
    drawn = draw(5, 100, "ces", outside=False)
    supply = drawn.supply
    before = solve(drawn.demand, supply, conduct)  # type: ignore[arg-type]
    after = solve(drawn.demand, Supply(supply.maker, supply.cost, supply.rate + 0.37), conduct)  # type: ignore[arg-type]
    assert off(after.price, before.price * 1.37) < 1e-12


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("outside", [True, False])
def test_equal_rates_are_costs_scaled_as_far_as_the_buyer_can_tell(form: str, outside: bool) -> None:
    """Prices at one rate on all goods are those of costs 1 + rate times as high and no duty."""
    drawn = draw(6, 100, form, outside=outside)
    supply = drawn.supply
    taxed = solve(drawn.demand, Supply(supply.maker, supply.cost, supply.rate + 0.37))
    dearer = solve(drawn.demand, Supply(supply.maker, supply.cost * 1.37, supply.rate))
    assert off(taxed.price, dearer.price) < 1e-12


@pytest.mark.parametrize("form", FORMS)
def test_a_ban_is_the_market_without_the_good(form: str) -> None:
    drawn = draw(7, 60, form, goods=10, makers=4)
    d, s = drawn.demand, drawn.taxed
    banned = np.zeros(10, dtype=bool)
    banned[s.maker == s.maker[3]] = True
    banned[9] = True
    found = solve(d.without(banned), s)
    kept = ~banned
    small = solve(
        Demand(d.form, d.taste[kept], d.slope, d.outside, d.size), Supply(s.maker[kept], s.cost[kept], s.rate[kept])
    )
    assert off(found.price[kept], small.price) < 1e-13
    assert (found.share[banned] == 0).all()
    assert np.isinf(found.price[banned]).all()


def test_a_rate_that_eats_a_sibling_takes_it_off_a_ces_market() -> None:
    """At 1,000 per cent on one of two goods a large maker sells only the other one."""
    demand = Demand("ces", np.log(np.array([[0.45], [0.45], [0.1]])), np.array([3.0]), np.zeros(1), np.ones(1))
    supply = Supply(np.array([0, 0, 1]), np.ones((3, 1)), np.array([[0.0], [10.0], [0.0]]))
    found = solve(demand, supply)
    assert found.share[1, 0] == 0
    assert np.isinf(found.price[1, 0])
    assert found.residual[0] < 1e-12


def test_one_maker_without_outside_option_is_refused() -> None:
    demand = Demand("logit", np.zeros((2, 1)), np.ones(1), np.zeros(1), np.ones(1))
    supply = Supply(np.zeros(2, dtype=int), np.ones((2, 1)), np.zeros((2, 1)))
    with pytest.raises(SolverTrouble, match="outside option"):
        solve(demand, supply)


def test_a_taxed_maker_cuts_the_price_of_its_untaxed_good() -> None:
    """Siblings that owe more are worth less to protect; only rates that differ inside a maker show it."""
    drawn = draw(8, 200, "logit", goods=8, makers=2, leader=(0.6, 0.9), most_rate=0.0)
    supply = drawn.supply
    rate = np.zeros_like(supply.rate)
    own = np.flatnonzero(supply.maker == 0)
    rate[own[1:]] = 0.55
    after = solve(drawn.demand, Supply(supply.maker, supply.cost, rate))
    assert (after.price[own[0]] < drawn.price[own[0]]).all()
