"""Nested logit: the plain logit without correlation, an equilibrium by derivatives, and found again as seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.market_draws import draw
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ashore.errors import FaultyInput
from ashore.markets import Law, Limit, Model, Observed, Policy, calibrated, checks, clear, kernel, load, nested
from ashore.markets.nested import Nested

NESTS = np.array([0, 0, 0, 1, 1, 2])


def like(
    seed: int, correlation: float, scenarios: int = 40, leader: tuple[float, float] | None = None
) -> tuple[Nested, kernel.Supply]:
    """Random logit markets of six goods of three makers, with nests across makers."""
    drawn = draw(seed, scenarios, goods=6, makers=3, leader=leader, most_rate=1.0)
    d, tie = drawn.demand, np.full(scenarios, 1.0 - correlation)
    return Nested(d.taste, d.slope, d.outside, d.size, tie, NESTS), drawn.taxed


@pytest.mark.parametrize("conduct", ["bertrand", "moncom"])
def test_without_correlation_it_is_the_plain_logit(conduct: kernel.Conduct) -> None:
    drawn = draw(1, 300, goods=6, makers=3, leader=(0.5, 0.99))
    d = drawn.demand
    plain = kernel.solve(d, drawn.taxed, conduct)
    found = nested.solve(Nested(d.taste, d.slope, d.outside, d.size, np.ones(300), NESTS), drawn.taxed, conduct)
    assert np.abs(found.price / plain.price - 1).max() < 1e-10
    assert np.abs(found.share - plain.share).max() < 1e-11


def test_goods_in_nests_of_their_own_are_the_plain_logit_too() -> None:
    """A nest of one good has nobody to be near to."""
    drawn = draw(2, 50, goods=6, makers=3)
    d = drawn.demand
    alone = Nested(d.taste, d.slope, d.outside, d.size, np.full(50, 0.4), np.arange(6))
    assert (
        np.abs(nested.solve(alone, drawn.taxed, "bertrand").price / kernel.solve(d, drawn.taxed).price - 1).max()
        < 1e-10
    )


@pytest.mark.parametrize("leader", [None, (0.7, 0.99)])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.7, 0.95])
def test_marginal_profits_are_zero(correlation: float, leader: tuple[float, float] | None) -> None:
    """By complex steps through demand itself, every good of every maker."""
    demand, supply = like(3, correlation, 200, leader)
    found = nested.solve(demand, supply, "bertrand")
    assert found.residual.max() < 1e-11
    price = found.price.astype(complex)
    for good in range(6):
        moved = price.copy()
        moved[good] += 1e-30j
        own = (supply.maker == supply.maker[good])[:, None]
        profit = np.where(own, (moved / (1 + supply.rate) - supply.cost) * demand.units(moved), 0.0).sum(axis=0)
        units = demand.units(found.price)[good]
        assert (
            np.abs(profit.imag / 1e-30) <= 1e-9 * units * (1 + demand.slope * found.price[good] / (1 - correlation))
        ).all()


def test_goods_of_one_nest_take_more_from_each_other() -> None:
    demand, supply = like(4, 0.8, 1)
    price = nested.solve(demand, supply, "bertrand").price
    dearer = price.copy()
    dearer[0] *= 1.01
    gained = demand.units(dearer) / demand.units(price) - 1
    assert gained[1] == pytest.approx(gained[2])
    assert gained[1] > 1.5 * gained[3]
    assert gained[3] == pytest.approx(gained[5])


def market(seed: int, conduct: str = "bertrand", correlation: float = 0.5) -> Model | None:
    """A random market with nests, if one margin and the elasticity fit it."""
    rng = np.random.default_rng(seed)
    seen = Observed(
        price=10.0 * np.exp(rng.normal(0, 0.2, 6)),
        units=100.0 * np.exp(rng.normal(0, 0.6, 6)),
        rate=rng.choice([0.0, 0.026, 0.25], 6),
        margin=np.array([0.3, *[np.nan] * 5]),
        maker=np.array([0, 0, 1, 1, 2, 2]),
        elasticity=-1.2,
        outside=True,
        nest=NESTS,
        correlation=correlation,
    )
    return calibrated("logit", conduct, seen, "x", [])  # type: ignore[arg-type]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["bertrand", "moncom"]), st.sampled_from([0.0, 0.4, 0.9]))
def test_the_market_seen_is_at_rest_and_its_numbers_are_those_given(
    seed: int, conduct: str, correlation: float
) -> None:
    model = market(seed, conduct, correlation)
    assume(model is not None)
    assert model is not None
    nothing = Policy(model.seen.rate, np.zeros(6, dtype=bool))
    same = model.under(nothing)
    assert np.abs(same.price / model.seen.price - 1).max() < 1e-10
    assert np.abs(same.units / model.seen.units - 1).max() < 1e-9
    assert model.fit.margin[0] == pytest.approx(0.3, abs=1e-10)
    price = model.seen.price[:, None]
    more, less = (model.demand.units(price * k).sum() for k in (1 + 1e-6, 1 - 1e-6))  # type: ignore[union-attr]
    assert (more - less) / 2e-6 / model.seen.units.sum() == pytest.approx(-1.2, rel=1e-6)
    assert checks.deviation_usd(model, nothing, same) < 1e-9 * float(same.price @ same.units)
    for good in range(6):
        moved = np.zeros((6, 1))
        moved[good] = 1e-5 * price[good]
        change = [float(model.demand.surplus_usd(price, price + s * moved)[0]) for s in (1, -1)]  # type: ignore[union-attr]
        assert -(change[0] - change[1]) / (2 * moved[good, 0]) == pytest.approx(model.seen.units[good], rel=1e-7)


def test_limits_bans_and_duties_bear_on_nests(tmp_path: Path) -> None:
    model = next(model for seed in range(9) if (model := market(seed)))
    before = model.under(Policy(model.seen.rate, np.zeros(6, dtype=bool)))
    capped = np.arange(6) == 1
    after = model.under(Policy(model.seen.rate, capped & False, (Limit(capped, 0.5 * float(before.units[1])),)))
    assert after.units[1] == pytest.approx(0.5 * before.units[1], rel=1e-9)
    taxed = replace(model, cost=model.cost + after.shadow).under(Policy(model.seen.rate, capped & False))
    assert np.abs(taxed.price / after.price - 1).max() < 1e-9
    gone = model.under(Policy(model.seen.rate, NESTS == 1))
    assert (gone.units[NESTS == 1] == 0).all()
    assert (gone.units[NESTS != 1] > before.units[NESTS != 1]).all()
    assert model.surplus_usd(before, gone, NESTS == 1) < 0


TOML = 'demand = "logit"\nconduct = "bertrand"\nmarket_elasticity = -1.2\nnest_correlation = 0.6\n'
GOODS = (
    "good,maker,price_usd,units,margin,rate_before,rate_after,nest\n"
    "S,Bit,20,410,0.30,0.05,0.30,abroad\nM,Micro,18,150,,0.05,0.30,abroad\nA,Aura,21,30,,0,0,home\nB,Bit,21,20,,0,0,home\n"
)


def answer(folder: Path, toml: str = TOML, goods: str = GOODS) -> dict[str, object]:
    folder.mkdir(exist_ok=True)
    (folder / "market.toml").write_text(toml)
    (folder / "goods.csv").write_text(goods)
    return clear(load(folder, Law(lambda: (_ for _ in ()).throw(AssertionError()), None, False))).as_dict()


def test_a_folder_may_have_nests(tmp_path: Path) -> None:
    found = answer(tmp_path / "m")
    assert found["residual"] < 1e-11  # type: ignore[operator]
    assert found["parameters"]["nest_correlation"] == 0.6  # type: ignore[index]
    plain = answer(tmp_path / "p", TOML.replace("0.6", "0"))
    there = {row["good"]: row["units_after"] for row in found["goods"]}  # type: ignore[attr-defined, index]
    here = {row["good"]: row["units_after"] for row in plain["goods"]}  # type: ignore[attr-defined, index]
    assert there["A"] < here["A"]  # rigs made at home take less from those abroad if they are of another kind


@pytest.mark.parametrize(
    ("toml", "goods", "said"),
    [
        (TOML.replace("nest_correlation = 0.6\n", ""), GOODS, "Give nest_correlation"),
        (TOML, GOODS.replace(",nest", "").replace(",abroad", "").replace(",home", ""), "No good is in a nest"),
        (TOML.replace("0.6", "1"), GOODS, "from 0 up to 1"),
        (TOML.replace("logit", "ces"), GOODS, "Nests go with logit demand"),
        (TOML.replace("bertrand", "cournot"), GOODS, "Nests go with makers who set prices"),
    ],
)
def test_nests_that_cannot_be_are_refused(tmp_path: Path, toml: str, goods: str, said: str) -> None:
    with pytest.raises(FaultyInput, match=said):
        answer(tmp_path / "m", toml, goods)
