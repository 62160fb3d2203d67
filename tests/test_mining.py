"""Hash price, break-evens, payback and the strip of options: published figures, properties, methods compared."""

from __future__ import annotations

import csv
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashore import mining
from ashore.errors import OutsideCoverage
from ashore.mining import option

GOLDEN = Path(__file__).parent / "golden" / "hashprice.csv"
YEARS = (np.arange(48) + 0.5) / 12
RATE, DRIFT, VOLATILITY = 0.10, -0.35, 0.65


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


# The protocol


def test_subsidy_halves_every_210_000_blocks_to_the_satoshi():
    heights = [0, 209_999, 210_000, 840_000, 839_999, 953_568, 33 * 210_000, 64 * 210_000, 10**9]
    expected = [50, 50, 25, 3.125, 6.25, 3.125, 0, 0, 0]
    assert mining.subsidy_btc(heights).tolist() == expected
    assert float(mining.subsidy_btc(32 * 210_000)) == 1e-8


def test_all_coins_ever_made_are_just_under_21_million():
    total = sum(round(float(mining.subsidy_btc(210_000 * n)) * 1e8) * 210_000 for n in range(64)) / 1e8
    assert total == 20_999_999.9769


def test_retarget_keeps_two_weeks_and_is_held_between_a_quarter_and_four():
    assert mining.retargeted(100.0, [1_209_600, 604_800, 2_419_200, 1, 10**9]).tolist() == [100, 200, 50, 400, 25]


def test_every_shipped_difficulty_is_one_that_a_block_header_can_hold():
    """A header writes the target as three significant bytes, so few numbers are a difficulty at all."""
    easiest = 0xFFFF << 208
    for difficulty in mining.epochs().difficulty:
        target = int(easiest / difficulty)
        size = (target.bit_length() + 7) // 8
        shift = 8 * (size - 3) + (8 if target >> (8 * size - 1) else 0)
        mantissa = round(target / 2**shift)
        assert easiest / (mantissa << shift) == difficulty


def test_shipped_epochs_follow_the_rule_of_the_retarget():
    """From one difficulty to the next the epoch's length follows; it is what the dates say, to a few hours."""
    known = mining.epochs()
    assert known.first_block.tolist() == [2016 * n for n in range(known.first_block.size)]
    ratio = known.difficulty[1:] / known.difficulty[:-1]
    assert (ratio >= 0.25).all()
    assert (ratio <= 4.0).all()
    took = np.diff(known.start).astype(int)
    implied = 14 / ratio
    free = (np.arange(ratio.size) > 50) & (ratio < 3.9)  # a clamped epoch does not tell its length
    assert np.abs(took - implied)[free].max() < 1.1


@pytest.mark.parametrize(
    ("day", "difficulty"),
    [("2024-07-05", 79.5e12), ("2025-06-30", 116.96e12), ("2026-06-14", 124.93e12), ("2013-12-25", 1_180_923_195.26)],
)
def test_published_difficulties_fall_on_their_days(day, difficulty):
    assert mining.epochs().difficulty_on(days(day))[0] == pytest.approx(difficulty, rel=1e-3)


def test_the_halvings_fall_on_their_days():
    halvings = {"2012-11-28": 210_000, "2016-07-09": 420_000, "2020-05-11": 630_000, "2024-04-20": 840_000}
    heights = mining.epochs().height_on(days(*halvings))
    assert np.abs(heights - list(halvings.values())).max() < 2 * 144


def test_a_day_after_the_last_epoch_has_no_difficulty_and_says_where_to_get_it():
    known = mining.epochs()
    assert known.difficulty_on(days(str(known.until - np.timedelta64(1, "D")))).size == 1
    with pytest.raises(OutsideCoverage, match=r"give the difficulty with the series"):
        known.difficulty_on(days(str(known.until)))
    assert known.height_on(days("2027-06-14"))[0] == pytest.approx(953_568 + 144 * 365, abs=2)


def published() -> list[dict[str, str]]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", published(), ids=lambda row: row["date"])
def test_published_hash_prices_are_met_within_two_per_cent_or_explained(row):
    day = days(row["date"])
    difficulty = float(row["difficulty"]) if row["difficulty"] else mining.epochs().difficulty_on(day)[0]
    subsidy = mining.subsidy_btc(mining.epochs().height_on(day))[0]
    found = mining.hashprice_usd_phd(difficulty, subsidy, subsidy * float(row["fee_share"]), float(row["price_usd"]))
    assert float(found) == pytest.approx(float(row["published"]), rel=float(row["within"]))
    assert (float(row["fee_share"]) == 0 and not row["difficulty"]) or row["explained"]


def test_network_hash_rate_of_a_difficulty():
    assert float(mining.network_ehs(124.932866e12)) == pytest.approx(894.3, rel=1e-3)


# Income


@pytest.mark.parametrize(
    ("jth", "cents", "expected"),
    [
        (13.5, 5.5, 17.8),
        (29.5, 5.5, 38.9),
        (9.5, 5, 11.4),
        (13.5, 5, 16.2),
        (17.5, 5, 21),
        (21.5, 5, 25.8),
        (29.5, 5, 35.4),
    ],
)
def test_published_break_evens(jth, cents, expected):
    found = float(mining.breakeven_hashprice(jth * 200, 200, cents / 100))
    assert found == pytest.approx(0.024 * jth * cents * 10)
    assert round(found, 1) == expected


@pytest.mark.parametrize(
    ("jth", "usd_ths", "margin", "paybacks"),
    [
        (17.5, 4.5, 1086, (6, 8, 14)),
        (16.5, 7.2, 1224, (9, 12, 19)),
        (13.5, 11.94, 1763, (14, 16, 23)),
        (13.5, 14.03, 1763, (16, 19, 27)),
        (9.45, 12.3, 3033, (13, 14, 17)),
        (9.5, 24, 3011, (25, 28, 33)),
    ],
)
def test_published_paybacks_and_margins_at_a_flat_hash_price_of_40(jth, usd_ths, margin, paybacks):
    """Rigs only, no fees and no downtime: payback in months at 3.5, 5 and 7 c/kWh, margin per MW and day at 5 c."""
    for cents, expected in zip((0.035, 0.05, 0.07), paybacks, strict=True):
        revenue = mining.revenue_usd_day(1, 40)
        day = mining.margin_usd_day(revenue, mining.power_usd_day(jth, cents))
        month = np.full(60, float(day) * mining.DAYS_MONTH)
        assert float(mining.payback_months(usd_ths, month)) == pytest.approx(expected, abs=0.75)
    per_mw = mining.margin_usd_day(mining.revenue_usd_day(1e6 / jth, 40), mining.power_usd_day(1e6, 0.05))
    assert float(per_mw) == pytest.approx(margin, rel=0.005)


def test_one_month_and_sixty_days_of_delay_cost_what_was_published():
    day = float(mining.margin_usd_day(mining.revenue_usd_day(270, 40), mining.power_usd_day(3645, 0.05)))
    assert 30 * day == pytest.approx(193, abs=0.5)
    assert 60 * day == pytest.approx(390, rel=0.02)


def test_a_rig_is_off_where_power_costs_more_than_it_earns():
    assert float(mining.margin_usd_day(3.0, 5.0)) == 0
    assert float(mining.margin_usd_day(3.0, 5.0, curtailed=False)) == -2


@given(st.floats(1, 60), st.floats(0.001, 0.5), st.floats(0, 0.2))
def test_the_two_break_evens_are_each_other_turned_round(jth, power, fee):
    hashprice = mining.breakeven_hashprice(jth * 100, 100, power, fee)
    assert float(mining.breakeven_power_usd_kwh(jth * 100, 100, hashprice, fee)) == pytest.approx(power)
    revenue = mining.revenue_usd_day(100, hashprice, pool_fee=fee)
    assert float(revenue) == pytest.approx(float(mining.power_usd_day(jth * 100, power)))


def test_payback_counts_parts_of_a_month_and_knows_never():
    cash = np.array([[100.0, 100, 100], [100, 0, 300], [0, 0, 0]])
    assert mining.payback_months([150, 300, 10], cash).tolist() == [1.5, 2 + 200 / 300, math.inf]
    assert mining.payback_months([0.0], cash[:1]).tolist() == [0.0]
    assert mining.payback_months([300.0], cash[:1]).tolist() == [3.0]


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=60), st.floats(-0.5, 3.0))
def test_at_the_internal_rate_of_return_the_present_value_is_nil(cash, rate):
    years = (np.arange(len(cash)) + 0.5) / 12
    outlay = float((np.array(cash) * (1 + rate) ** -years).sum())
    found = mining.irr_year(outlay, cash, years)
    assert float(mining.npv_usd(outlay, cash, years, found)) == pytest.approx(0, abs=1e-6 * outlay)
    assert found == pytest.approx(rate, rel=1e-6, abs=1e-9)


def test_no_income_has_no_rate_of_return_and_a_gift_an_endless_one():
    assert mining.irr_year(100, [0.0, 0.0], [0.5, 1.5]) == -1
    assert mining.irr_year(0, [1.0], [0.5]) == math.inf


# The strip of options


def strip(hashprice: float, jth: float = 13.5, volatility: float = VOLATILITY) -> tuple[np.ndarray, ...]:
    """Monthly q, c, mean and deviation of a rig of 270 TH/s at 5.5 c/kWh and 95 per cent uptime, over four years."""
    live = 0.95 * mining.DAYS_MONTH * mining.discount(RATE, YEARS)
    earns, costs = 0.270 * live, 0.270 * jth * 24 * 0.055 * live
    return earns, costs, mining.mean_hashprice(hashprice, DRIFT, YEARS), volatility * np.sqrt(YEARS)


@pytest.mark.parametrize(
    ("hashprice", "worth", "always_on", "elasticity"),
    [(30, 1630, -345, 2.25), (40, 2949, 1373, 1.89), (55, 5149, 3950, 1.63)],
)
def test_published_option_values(hashprice, worth, always_on, elasticity):
    earns, costs, mean, deviation = strip(hashprice)
    assert float(mining.strip_usd(earns, costs, mean, deviation)) == pytest.approx(worth, rel=0.02)
    assert float(mining.always_on_usd(earns, costs, mean)) == pytest.approx(always_on, rel=0.02)
    assert float(mining.strip_elasticity(earns, costs, mean, deviation)) == pytest.approx(elasticity, rel=0.01)


def test_published_option_value_of_an_old_rig():
    """29.5 J/TH at 40: published as 3.5 USD/TH, elasticity 3.0, always on −19 USD/TH, each to two figures."""
    earns, costs, mean, deviation = strip(40, jth=29.5)
    assert float(mining.strip_usd(earns, costs, mean, deviation)) / 270 == pytest.approx(3.5, rel=0.04)
    assert float(mining.strip_elasticity(earns, costs, mean, deviation)) == pytest.approx(3.0, rel=0.02)
    assert float(mining.always_on_usd(earns, costs, mean)) / 270 == pytest.approx(-19, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("volatility", [0.38, 0.65, 0.9])
def test_monte_carlo_agrees_with_the_closed_form_within_one_per_cent(seed, volatility):
    """Fifty rigs from 9 to 30 J/TH: from new ones to those that earn nothing today."""
    jth = np.linspace(9, 30, 50)[:, None]
    earns, costs, mean, deviation = strip(40, volatility=volatility)
    costs = costs * jth / 13.5
    drawn = mining.paths(mean, volatility, YEARS, seed=seed)
    found = mining.run_usd(drawn, earns, costs).mean(axis=1)
    assert found == pytest.approx(mining.strip_usd(earns, costs, mean, deviation), rel=0.01)


def test_paths_are_a_random_walk_with_the_stated_mean_and_deviation():
    mean = mining.mean_hashprice(40, DRIFT, YEARS)
    drawn = mining.paths(mean, VOLATILITY, YEARS, count=4000)
    assert drawn.mean(axis=0) == pytest.approx(mean)
    logs = np.log(drawn)
    assert logs.std(axis=0) == pytest.approx(VOLATILITY * np.sqrt(YEARS))
    steps = np.diff(logs, axis=1)
    assert steps.std(axis=0) == pytest.approx(VOLATILITY / np.sqrt(12), rel=0.1)
    assert abs(np.corrcoef(steps[:, 20], steps[:, 21])[0, 1]) < 0.1
    assert (drawn == mining.paths(mean, VOLATILITY, YEARS, count=4000)).all()
    assert (drawn != mining.paths(mean, VOLATILITY, YEARS, count=4000, seed=1)).any()


def test_without_volatility_every_path_is_the_mean_and_the_option_its_margin():
    earns, costs, mean, deviation = strip(40, volatility=0.0)
    drawn = mining.paths(mean, 0.0, YEARS, count=3)
    assert drawn == pytest.approx(np.tile(mean, (3, 1)))
    margin = np.maximum(earns * mean - costs, 0).sum()
    assert float(mining.strip_usd(earns, costs, mean, deviation)) == pytest.approx(margin)
    assert mining.run_usd(drawn, earns, costs) == pytest.approx(np.full((1, 3), margin))


positive = st.floats(0.01, 1e4)


@given(positive, positive, st.floats(0.01, 3), st.floats(1.001, 3))
def test_a_call_lies_between_its_bounds_and_moves_the_right_way(mean, strike, deviation, more):
    value = float(option.call(mean, strike, deviation))
    assert max(mean - strike, 0) <= value <= mean
    assert float(option.call(mean * more, strike, deviation)) >= value
    assert float(option.call(mean, strike * more, deviation)) <= value * (1 + 1e-12)
    assert float(option.call(mean, strike, deviation * more)) >= value * (1 - 1e-12)


@given(positive, positive, st.floats(0.05, 2))
def test_the_slope_of_a_call_is_its_derivative(mean, strike, deviation):
    step = mean * 1e-5
    up, down = (float(option.call(mean + sign * step, strike, deviation)) for sign in (1, -1))
    assert float(option.call_slope(mean, strike, deviation)) == pytest.approx((up - down) / (2 * step), abs=1e-4)


def test_the_ends_of_a_call():
    assert float(option.call(40, 0, 0.5)) == 40
    assert float(option.call(0, 10, 0.5)) == 0
    assert float(option.call(40, 30, 0)) == 10
    assert math.isnan(float(mining.strip_elasticity([0.0], [1.0], [40.0], [0.5])))


def test_series_days_are_days():
    assert mining.series_of([date(2026, 6, 1)], "x", hashprice=[30.0]).days.dtype == np.dtype("datetime64[D]")
