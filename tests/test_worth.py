"""The worth of a rig: published figures, every input's direction, methods compared, refusals, and the verb."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ashore import mining, network, worth
from ashore.errors import FaultyInput
from ashore.worth import Outlook, Rig

XP = Rig(270, 3645)
PLAIN = Outlook(
    hashprice=40,
    volatility=0.65,
    drift=-0.35,
    rate=0.10,
    uptime=0.95,
    pool_fee=0,
    degradation=0,
    months=48,
    delay_days=0,
)
STEADY = replace(PLAIN, volatility=0.0, drift=0.0, rate=0.0, uptime=1.0)

rigs = st.builds(Rig, st.floats(50, 500), st.floats(500, 8000))
outlooks = st.builds(
    Outlook,
    hashprice=st.floats(5, 200),
    volatility=st.floats(0, 1.2),
    drift=st.floats(-1.5, 1.0),
    rate=st.floats(0, 0.5),
    uptime=st.floats(0.3, 1),
    pool_fee=st.floats(0, 0.1),
    degradation=st.floats(0, 0.3),
    months=st.integers(1, 72),
    delay_days=st.floats(0, 400),
)
powers = st.floats(0.0, 0.3)


def worths(rig: Rig, power: float, outlook: Outlook) -> tuple[float, float]:
    return worth.option_usd(rig, power, outlook), worth.mean_path_usd(rig, power, outlook)


# Published figures


def test_the_published_option_value_of_a_new_rig():
    found = worth.appraise(XP, 11, 0.055, PLAIN)
    assert found.option_usd == pytest.approx(2949, rel=0.02)
    assert found.always_on_usd == pytest.approx(1373, rel=0.02)
    assert found.elasticity == pytest.approx(1.89, rel=0.01)
    assert found.breakeven_hashprice == pytest.approx(17.8, abs=0.05)


def test_what_is_assumed_without_a_word_is_the_published_example():
    outlook, said = worth.outlook_of(worth.Given(hashprice=40))
    assert outlook == PLAIN
    assert len(said) == 8
    assert all("READ" in line or "ESTIMATE" in line or "DERIVED" in line for line in said)


@pytest.mark.parametrize(("usd_ths", "months"), [(11.94, 16), (14.03, 19)])
def test_published_payback_at_a_flat_hash_price(usd_ths, months):
    """13.5 J/TH at 5 c/kWh and 40 USD, no fees, no downtime; 14.03 is 11.94 under the surcharge of 2025."""
    found = worth.appraise(XP, usd_ths, 0.05, STEADY)
    assert found.payback_months == pytest.approx(months, abs=0.6)
    assert found.payback_flat_months == pytest.approx(found.payback_months)
    duty = (14.03 - 11.94) / 11.94
    assert worth.appraise(XP, 11.94, 0.05, STEADY, duty).payback_months >= found.payback_months - 1e-9


# Every input moves the worth in the right direction

more = st.floats(1.0, 2.0)


@given(rigs, powers, outlooks, more)
@settings(max_examples=60)
def test_a_faster_rig_is_worth_more_and_a_hungrier_one_less(rig, power, outlook, by):
    for before, after in zip(
        worths(rig, power, outlook), worths(replace(rig, hash_ths=rig.hash_ths * by), power, outlook), strict=True
    ):
        assert after >= before * (1 - 1e-9)
    for before, after in zip(
        worths(rig, power, outlook), worths(replace(rig, power_w=rig.power_w * by), power, outlook), strict=True
    ):
        assert after <= before * (1 + 1e-9)
    for before, after in zip(worths(rig, power, outlook), worths(rig, power * by, outlook), strict=True):
        assert after <= before * (1 + 1e-9)


UP = {  # direction in which each input moves the worth, and how far it is moved
    "hashprice": (1, 400),
    "drift": (1, 1.5),
    "uptime": (1, 1),
    "months": (1, 90),
    "rate": (-1, 1),
    "pool_fee": (-1, 0.5),
    "degradation": (-1, 0.6),
    "delay_days": (-1, 900),
}


@pytest.mark.parametrize("name", UP)
@given(rig=rigs, power=powers, outlook=outlooks, share=st.floats(0, 1))
@settings(max_examples=40)
def test_worth_moves_the_right_way_with_every_assumption(name, rig, power, outlook, share):
    sign, most = UP[name]
    own = getattr(outlook, name)
    value = own + share * (most - own)
    moved = replace(outlook, **{name: int(value) if name == "months" else value})
    for before, after in zip(worths(rig, power, outlook), worths(rig, power, moved), strict=True):
        assert sign * (after - before) >= -1e-9 * max(before, after, 1)


@given(rigs, powers, outlooks, st.floats(0, 1))
@settings(max_examples=60)
def test_more_volatility_never_lowers_the_worth_of_a_rig_that_may_be_switched_off(rig, power, outlook, by):
    after = worth.option_usd(rig, power, replace(outlook, volatility=outlook.volatility + by))
    assert after >= worth.option_usd(rig, power, outlook) * (1 - 1e-9)


@given(rigs, powers, outlooks)
@settings(max_examples=60)
def test_switching_off_at_will_is_worth_at_least_the_mean_path_and_that_at_least_always_on(rig, power, outlook):
    option, path = worths(rig, power, outlook)
    months = worth.life(rig, power, outlook)
    always = float(mining.always_on_usd(*months.present, months.mean))
    slack = 1e-9 * max(1, abs(always))
    assert option >= path - slack
    assert path >= always - slack


@given(rigs, st.floats(0.01, 0.1), outlooks, st.floats(1, 30), more)
@settings(max_examples=12, deadline=None)
def test_price_and_duty_lower_present_value_and_lengthen_payback(rig, power, outlook, price, by):
    cheap = worth.appraise(rig, price, power, outlook, paths=200)
    for dear in (
        worth.appraise(rig, price * by, power, outlook, paths=200),
        worth.appraise(rig, price, power, outlook, duty_rate=by - 1, paths=200),
    ):
        assert dear.npv_usd <= cheap.npv_usd + 1e-9
        assert (dear.payback_months or math.inf) >= (cheap.payback_months or math.inf) - 1e-9
        assert (dear.irr_year or math.inf) <= (cheap.irr_year or math.inf) + 1e-9
        assert dear.bands["npv_usd"]["50"] <= cheap.bands["npv_usd"]["50"] + 1e-9
        assert dear.paid_back_chance <= cheap.paid_back_chance


# One answer by another


@given(rigs, st.floats(0.01, 0.1), outlooks, st.floats(1, 30))
@settings(max_examples=12, deadline=None)
def test_at_the_most_duty_the_value_is_nil(rig, power, outlook, price):
    free = worth.appraise(rig, price, power, outlook, paths=200)
    most = free.max_duty_rate
    assume(most["npv"] > 0)
    at_npv = worth.appraise(rig, price, power, outlook, duty_rate=min(most["npv"], 20), paths=200)
    if most["npv"] < 20:
        assert at_npv.npv_usd == pytest.approx(0, abs=1e-6 * at_npv.price_usd)
    assert free.option_usd - free.price_usd * (1 + most["option"]) == pytest.approx(0, abs=1e-6 * free.price_usd)


def test_present_value_and_rate_of_return_agree():
    found = worth.appraise(XP, 6, 0.05, replace(PLAIN, drift=-0.1))
    again = worth.appraise(XP, 6, 0.05, replace(PLAIN, drift=-0.1, rate=found.irr_year))
    assert again.npv_usd == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("power", [0.03, 0.055, 0.09])
def test_the_mean_over_the_paths_is_the_option_value_within_one_per_cent(power):
    months = worth.life(XP, power, PLAIN)
    drawn = mining.paths(months.mean, PLAIN.volatility, months.years)
    assert mining.run_usd(drawn, *months.present).mean() == pytest.approx(worth.option_usd(XP, power, PLAIN), rel=0.01)


def test_bands_are_in_order_and_close_on_the_mean_path_without_volatility():
    found = worth.appraise(XP, 8, 0.055, PLAIN)
    for band in found.bands.values():
        low, middle, high = (math.inf if band[q] is None else band[q] for q in ("5", "50", "95"))
        assert low <= middle <= high
    still = worth.appraise(XP, 8, 0.055, replace(PLAIN, volatility=0.0))
    assert list(still.bands["npv_usd"].values()) == pytest.approx([still.npv_usd] * 3)
    assert still.option_usd == pytest.approx(still.npv_usd + still.price_usd)


def test_a_late_rig_has_less_life_not_a_later_one():
    """Sixty days lost at a steady margin are two months of income, part of a month as its share."""
    now, later = (worth.appraise(XP, 8, 0.05, replace(STEADY, delay_days=days)) for days in (0, 60))
    lost = now.npv_usd - later.npv_usd
    assert lost == pytest.approx(now.income_usd_month * 60 / mining.DAYS_MONTH)
    assert lost == pytest.approx(390, rel=0.02)  # published: "about 390 USD"
    assert later.payback_months == pytest.approx(now.payback_months + 60 / mining.DAYS_MONTH, abs=0.05)


def test_a_rig_that_never_pays_its_power_earns_nothing_and_says_so():
    old = worth.appraise(Rig(100, 10_000), 1, 0.10, replace(PLAIN, volatility=0))
    assert (old.income_usd_month, old.payback_months, old.payback_flat_months) == (0, None, None)
    assert (old.option_usd, old.elasticity, old.irr_year) == (0, None, -1)
    assert old.always_on_usd < 0


def test_what_moves_it_is_listed_widest_first_and_brackets_the_answer():
    found = worth.appraise(XP, 8, 0.055, PLAIN)
    spans = [abs(row["option_usd"][1] - row["option_usd"][0]) for row in found.sensitivity]
    assert spans == sorted(spans, reverse=True)
    assert {row["what"] for row in found.sensitivity} >= {"hashprice", "power_usd_kwh", "delay_days"}
    middle = found.option_usd - found.price_usd
    for row in found.sensitivity:
        assert min(row["option_usd"]) - 1e-9 <= middle <= max(row["option_usd"]) + 1e-9


# Refusals


@pytest.mark.parametrize(
    ("rig", "outlook", "option"),
    [
        (Rig(-270, 3645), {}, "--ths"),
        (Rig(math.nan, 3645), {}, "--ths"),
        (Rig(270, 0), {}, "--watts"),
        (XP, {"hashprice": -40}, "--hashprice"),
        (XP, {"hashprice": math.nan}, "--hashprice"),
        (XP, {"volatility": -0.1}, "--volatility"),
        (XP, {"drift": -12.0}, "--drift"),
        (XP, {"uptime": 0.0}, "--uptime"),
        (XP, {"uptime": 1.1}, "--uptime"),
        (XP, {"rate": -1.0}, "--rate"),
        (XP, {"pool_fee": 1.0}, "--pool-fee"),
        (XP, {"months": 0}, "--months"),
        (XP, {"delay_days": math.inf}, "--delay-days"),
    ],
)
def test_what_is_no_rig_and_no_outlook_is_refused_with_a_remedy(rig, outlook, option):
    with pytest.raises(FaultyInput) as error:
        worth.appraise(rig, 11, 0.055, replace(PLAIN, **outlook))
    assert [fault.where for fault in error.value.faults] == [option]
    assert error.value.faults[0].remedy


def test_all_faults_are_named_at_once():
    with pytest.raises(FaultyInput) as error:
        worth.appraise(Rig(-1, 0), math.nan, -1, replace(PLAIN, hashprice=0), duty_rate=-1, paths=1, seed=-1)
    named = [
        "--ths",
        "--watts",
        "--price-usd-ths",
        "--power-usd-kwh",
        "--duty-rate",
        "--hashprice",
        "--paths",
        "--seed",
    ]
    assert [fault.where for fault in error.value.faults] == named


def test_parts_of_a_month_and_two_hash_prices_are_refused(tmp_path):
    with pytest.raises(FaultyInput, match="whole number of months"):
        worth.outlook_of(worth.Given(months=3.5))
    with pytest.raises(FaultyInput, match="not both"):
        worth.outlook_of(worth.Given(hashprice=40, series=("x.csv",)))


def test_a_product_that_is_no_rig_or_has_no_power_is_refused(tiny_folder):
    net = network.load(tiny_folder)
    assert worth.rig_of(net, "rig") == Rig(200, 3500, "rig")
    with pytest.raises(FaultyInput, match="There is no rig 'board'"):
        worth.rig_of(net, "board")
    products = tiny_folder / "products.csv"
    products.write_text(products.read_text().replace(",200,3500,", ",200,,"))
    with pytest.raises(FaultyInput, match="power_w"):
        worth.rig_of(network.load(tiny_folder), "rig")


# Series


def write_series(path, years: float, volatility: float, last: float) -> None:
    days = int(years * 365.25)
    steps = np.random.default_rng(3).standard_normal(days) * volatility / np.sqrt(365.25)
    values = np.exp(np.cumsum(steps))
    values *= last / values[-1]
    first = date(2020, 1, 1)
    rows = [f"{first + timedelta(n)},{value:.6f}" for n, value in enumerate(values)]
    path.write_text("date,hashprice\n" + "\n".join(rows) + "\n")


def test_a_series_gives_hash_price_volatility_and_drift(tmp_path):
    path = tmp_path / "h.csv"
    write_series(path, 6, 0.5, 33.0)
    outlook, said = worth.outlook_of(worth.Given(series=(str(path),)))
    assert outlook.hashprice == pytest.approx(33, abs=1e-5)
    assert outlook.volatility == pytest.approx(0.5, rel=0.25)
    assert outlook.drift != -0.35
    assert any("h.csv" in line for line in said)
    stated, _ = worth.outlook_of(worth.Given(series=(str(path),), volatility=0.4, drift=-0.2))
    assert (stated.volatility, stated.drift) == (0.4, -0.2)


def test_a_short_series_leaves_volatility_assumed_and_says_so(tmp_path):
    path = tmp_path / "h.csv"
    write_series(path, 0.3, 0.5, 33.0)
    outlook, said = worth.outlook_of(worth.Given(series=(str(path),)))
    assert (outlook.volatility, outlook.drift) == (0.65, -0.35)
    assert any("too short" in line for line in said)


# The verb

WORDS = ["worth", "--ths", 270, "--watts", 3645, "--price-usd-ths", 11, "--power-usd-kwh", 0.055]


def test_the_verb_has_every_field_of_its_contract(ask):
    document = ask(*WORDS, "--hashprice", 40)
    assert document["option_usd"] == pytest.approx(2949, rel=0.02)
    assert document["always_on_usd_ths"] * 270 == pytest.approx(1373, rel=0.02)
    assert document["option_usd_ths"] * 270 == pytest.approx(document["option_usd"])
    assert document["breakeven_hashprice"] == pytest.approx(17.82)
    assert document["income_usd_month"] > 0
    assert {"npv_usd", "payback_months", "max_duty_rate", "bands"} <= set(document)
    assert set(document["max_duty_rate"]) == {"npv", "option"}
    assert set(document["bands"]["npv_usd"]) == {"5", "50", "95"}
    assert document["assumptions"]


def test_the_verb_takes_a_product_and_states_what_is_assumed(ask, run):
    document = ask("worth", "--product", "s21-xp", "--price-usd-ths", 11, "--power-usd-kwh", 0.055)
    assert document["inputs"]["hash_ths"] == 270
    assert document["inputs"]["hashprice"] == 40.58
    code, out, _ = run("worth", "--product", "s21-xp", "--price-usd-ths", 11, "--power-usd-kwh", 0.055)
    assert code == 0
    for words in ("Hashrate Index", "switched off at will", "most duty", "ESTIMATE"):
        assert words in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["worth", "--ths", 270, "--price-usd-ths", 11, "--power-usd-kwh", 0.05], 2, "--watts"),
        (["worth", "--product", "s21-xp", "--ths", 2, "--price-usd-ths", 11, "--power-usd-kwh", 0.05], 2, "--product"),
        (["worth", "--product", "s21xp", "--price-usd-ths", 11, "--power-usd-kwh", 0.05], 1, "Did you mean 's21-xp'?"),
        ([*WORDS, "--hashprice", "nan"], 1, "not a number"),
        ([*WORDS, "--series", "none.csv"], 1, "no such file"),
        (["worth", "--ths=-1", "--watts", 0, "--price-usd-ths", 11, "--power-usd-kwh", 0.05], 1, "--ths: -1"),
        (["series"], 2, "--node"),
        (["series", "none.csv"], 1, "no such file"),
    ],
)
def test_refusals_of_the_verbs(run, words, code, said):
    got, out, err = run(*words)
    assert got == code
    assert said in err
    assert "Traceback" not in out + err


@pytest.mark.parametrize("option", ["--seed", "--paths"])
def test_a_number_too_long_for_a_float_is_out_of_range(run, option):
    code, _, err = run(*WORDS, option, "9" * 400)
    assert code == 1
    assert f"{option}: 999" in err
    assert "is out of range" in err


def test_help_says_what_each_option_is(run):
    _, out, _ = run("worth", "--help")
    for words in ("--hashprice", "USD per PH/s a day", "compounded", "--price-usd-ths", "--series"):
        assert words in out


def test_the_verb_series_puts_sources_together_and_worth_reads_what_it_wrote(ask, run, tmp_path):
    first, second = tmp_path / "p.csv", tmp_path / "f.csv"
    first.write_text("date,price_usd\n2026-06-10,61000\n2026-06-11,62000\n")
    second.write_text("date,fees_btc\n2026-06-10,0.03\n2026-06-11,0.02\n")
    out = tmp_path / "both.csv"
    document = ask("series", first, second, "--out", out)
    assert [row["fees_btc"] for row in document["days"]] == [0.03, 0.02]
    last = document["statistics"]["hashprice"]
    assert ask(*WORDS, "--series", out)["inputs"]["hashprice"] == pytest.approx(last)
    assert "62000" in out.read_text()
    code, text, _ = run("series", out)
    assert code == 0
    assert "too short to tell" in text


def test_the_same_question_has_the_same_answer(ask):
    first, second, other = (ask(*WORDS, *extra) for extra in ([], [], ["--seed", 1]))
    assert json.dumps(first) == json.dumps(second)
    assert first["bands"] != other["bands"]
