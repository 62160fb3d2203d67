"""What the world spends on rigs: an account of hash rate, its figures traced, with what was published beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ashore import mining
from ashore.errors import FaultyInput
from ashore.markets.size import assumed, size


def ehs(day: str) -> float:
    days = np.array([day], dtype="datetime64[D]")
    return float(mining.network_ehs(mining.epochs().difficulty_on(days))[0])


def test_growth_assumed_is_that_of_the_headers() -> None:
    growth = assumed()["growth"]
    assert growth.value == pytest.approx((ehs("2026-06-14") / ehs("2024-06-15")) ** 0.5 - 1, abs=0.005)
    assert growth.low == pytest.approx(ehs("2026-06-14") / ehs("2025-06-15") - 1, abs=0.005)
    assert growth.high == pytest.approx(ehs("2024-12-31") / ehs("2023-12-31") - 1, abs=0.005)
    assert assumed()["price_change"].value == pytest.approx((11 / 16) ** (1 / 1.65) - 1, abs=0.005)


def test_a_past_year_is_the_account_of_its_hash_rate() -> None:
    found = {year.year: year for year in size(2028).past}
    sold = ehs("2024-12-31") - 0.9 * ehs("2023-12-31")
    assert found[2024].sold_ehs == pytest.approx(sold)
    assert found[2024].usd == pytest.approx(sold * 1e6 * 16.1)
    assert 4e9 < found[2025].usd < 6e9  # what a maker said upgrades come to


def test_what_runs_is_what_ran_less_what_retires_and_what_was_sold() -> None:
    found = size(2030)
    growth, retired = assumed()["growth"].value, assumed()["retired"].value
    for before, now in zip(found.years, found.years[1:], strict=False):
        assert now.hash_ehs == pytest.approx((1 + growth) * before.hash_ehs)
        assert now.sold_ehs + (1 - retired) * before.hash_ehs == pytest.approx(now.hash_ehs)
        assert now.price_usd_ths == pytest.approx(0.8 * before.price_usd_ths)
    for low, middle, high in zip(found.low, found.years, found.high, strict=True):
        assert low.usd <= middle.usd <= high.usd


def test_the_published_figure_lies_in_the_range_and_needs_a_growth_that_gives_it() -> None:
    found = size(2028)
    [row] = [row for row in found.published if row["year"] == 2028]
    assert found.low[-1].usd < row["usd"] < found.high[-1].usd
    growth = found.needed[2028]
    assert growth is not None
    known = 2027 - np.log(found.years[0].hash_ehs / ehs("2026-06-14")) / np.log(1 + assumed()["growth"].value)
    before = ehs("2026-06-14") * (1 + growth) ** (2028 - known)
    assert (1 + growth - 0.9) * before * 1e6 * found.years[-1].price_usd_ths == pytest.approx(row["usd"], rel=1e-6)


def test_each_assumption_alone_moves_the_last_year_within_the_range() -> None:
    found = size(2028)
    assert set(found.ends) == {"growth", "retired", "price_usd_ths", "price_change"}
    for low, high in found.ends.values():
        assert found.low[-1].usd <= low < found.years[-1].usd < high <= found.high[-1].usd


def test_the_verb_shows_it(run: Callable[..., tuple[int, str, str]], ask: Callable[..., Any]) -> None:
    document = ask("clear", "--size", 2028)
    assert [row["year"] for row in document["years"]] == [2026, 2027, 2028]
    assert all(row["source"] and row["basis"] for row in document["published"])
    widths = [row["usd"][1] - row["usd"][0] for row in document["tornado"]]
    assert widths == sorted(widths, reverse=True)
    code, out, _ = run("clear", "--size", 2028)
    assert code == 0
    for text in ("12.000 bn", "What moves 2028", "ESTIMATE", "a growth of"):
        assert text in out
    assert run("clear", "rigs-2026", "--size", 2028)[0] == 2
    assert "2026 to 2050" in run("clear", "--size", 2020)[2]
    with pytest.raises(FaultyInput):
        size(2100)
