"""Who moves where: payoffs are those of each network solved alone, and equilibria those of the textbook game."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import tiny_network

from ashore import network, rules
from ashore.errors import FaultyInput
from ashore.markets import game, rigs
from ashore.markets.rigs.answer import profit_usd
from ashore.markets.rigs.market import at_rest, look, routes, with_feedback
from ashore.markets.rigs.moves import Moves, running
from ashore.network import Plant

ON = date(2026, 11, 22)
MORE = '[[change]]\nheading = "more"\nauthority = "what if"\norigins = ["MY"]\nproducts = ["8543.70.98"]\nrate = 0.25\n'
DUOPOLY: dict[str, str] = {
    "products": "product,maker,kind,hts,weight_kg,hash_ths,power_w\n"
    + "".join(f"{rig},{maker},rig,8543.70.98.60,20,200,3500\n" for rig, maker in (("a", "Acme"), ("b", "Bolt"))),
    "parts": "product,part,quantity,essential\n",
    "plants": "plant,company,country,open,open_usd,fixed_usd_month,lead_months,ramp_months,capacity_month\n"
    + "".join(
        f"{maker}-my,{maker},MY,yes,0,0,0,0,9000\n{maker}-us,{maker},US,no,OPEN,1000,0,0,9000\n"
        for maker in ("Acme", "Bolt")
    ),
    "makes": "plant,product,cost_usd,customs_value_usd\n"
    + "".join(
        f"{maker}-my,{rig},1200,2600\n{maker}-us,{rig},1300,2600\n" for rig, maker in (("a", "Acme"), ("b", "Bolt"))
    ),
    "supplies": "product,origin,price_usd,limit_month\n",
    "lanes": "from,to,mode,usd_per_kg,usd_per_unit,days\n"
    "MY,US,air,7,2,5\nMY,CA,air,7,2,5\nUS,US,truck,0.2,5,2\nUS,CA,truck,0.3,5,3\n",
    "markets": "market,country,power_usd_kwh\nDallas,US,0.04\nQuebec,CA,0.04\n",
    "demand": "market,product,month,units,price_usd,lost_usd\n"
    + "".join(
        f"{place},{rig},,{units},2600,\n" for place, units in (("Dallas", 1000), ("Quebec", 300)) for rig in "ab"
    ),
    "network": 'name = "Two"\ncurrency = "USD"\norigin_rule = "board"\nhold_usd_month = 1\ndiscount_year = 0.1\n',
}
MARKET = 'market_elasticity = -1.5\nmargin = 0.3\nmargin_maker = "Acme"\nnetwork_ehs = 900\n'


def duopoly(folder: Path, open_usd: float = 0.0) -> Path:
    tables = {name: text.replace("OPEN", str(open_usd)) for name, text in DUOPOLY.items()}
    where = tiny_network(folder, **tables)
    (where / "market.toml").write_text(MARKET, encoding="utf-8")
    (where / "more.toml").write_text(MORE, encoding="utf-8")
    return where


@pytest.fixture(scope="module")
def books() -> tuple[rules.RuleBook, rules.RuleBook]:
    book = rules.load()
    change = {"heading": "more", "authority": "what if", "origins": ["MY"], "products": ["8543.70.98"], "rate": 0.25}
    return book, book.under(rules.read_changes([change], book, "s", []))


def played(folder: Path, books: Any, months: int = 12, step: int = 12, conduct: str | None = None) -> Moves:
    net = network.load(folder)
    return rigs.moves(net, rigs.read_settings(folder, net, conduct), books, rigs.Path(ON, months, step))


@pytest.mark.parametrize("conduct", ["world", "region"])
def test_payoffs_are_those_of_each_network_solved_alone(tmp_path: Path, books: Any, conduct: str) -> None:
    """Routes of the whole network with the plants open, from one reading and a start far off."""
    folder = duopoly(tmp_path / "two", 1e5)
    found = played(folder, books, conduct=conduct)
    net = network.load(folder)
    settings = rigs.read_settings(folder, net, conduct)
    seen, _ = look(net.as_open(), settings, "US")
    scene, _, _ = at_rest(seen, settings, routes(net.as_open(), seen, settings, books[0], ON)[0])
    gate = routes(net.as_open(), seen, settings, books[0], ON)[0].gate
    factor = float((1.1 ** (-np.arange(12) / 12)).mean())
    for place in np.ndindex(2, 2):
        opened = {f"{maker}-us" for maker, k in zip(("Acme", "Bolt"), place, strict=True) if k}
        at, _ = routes(net.as_open(opened), seen, settings, books[1], ON)
        at = replace(at, extra=at.extra + (at.gate - gate)[at.rig])
        there = replace(scene, ways=at)
        start = there.rest(1.2 * np.broadcast_to(seen.border, seen.sold.shape), np.zeros(len(at.plants)))
        rest, worth, _ = with_feedback(there, start, seen, settings, 1.1 * seen.outlook.hashprice)
        profit = profit_usd(replace(there, worth=worth), rest)
        for number in (0, 1):
            expected = factor * (profit[number] - 12 * 1000 * place[number]) - 1e5 * place[number]
            assert found.payoff[(*place, number)] == pytest.approx(expected, rel=1e-7)


def test_the_cost_of_a_plant_makes_the_game_of_the_textbook(tmp_path: Path, books: Any) -> None:
    """Two equal makers behind a duty, one plant each: alone worth a, beside the other's worth b, to both together c.

    Who stays loses by the other's plant, so c < b. A plant that costs less than a and b is opened by both; between c
    and those they would rather both have stayed, the prisoner's dilemma; between b < a just one opens it, either one;
    above both nobody does.
    """
    free = played(duopoly(tmp_path / "free"), books).payoff
    assert free[0, 1, 0] == pytest.approx(free[1, 0, 1], rel=1e-6)
    a = free[1, 0, 0] - free[0, 0, 0]
    b = free[1, 1, 0] - free[0, 1, 0]
    c = free[1, 1, 0] - free[0, 0, 0]
    assert 0 < c < b < a
    games = {
        0.5 * c: [(1, 1)],
        (b + c) / 2: [(1, 1)],
        (a + b) / 2: [(0, 1), (1, 0)],
        1.1 * a: [(0, 0)],
    }
    for cost, expected in games.items():
        found = played(duopoly(tmp_path / f"{cost:.0f}", round(cost)), books)
        assert found.equilibria() == expected
    dilemma = played(duopoly(tmp_path / "dilemma", round((b + c) / 2)), books)
    assert (dilemma.payoff[1, 1] < dilemma.payoff[0, 0]).all()
    assert [row["dominant"] for row in dilemma.as_dict()["makers"]] == [["Acme-us"], ["Bolt-us"]]
    assert game.replies(dilemma.payoff, (0, 0), dilemma.slack)[0][-1] == (1, 1)


def test_without_the_duty_nobody_moves(tmp_path: Path, books: Any) -> None:
    found = played(duopoly(tmp_path / "two", 5e6), (books[0], books[0]))
    assert found.equilibria() == [(0, 0)]


def test_a_duty_that_begins_later_and_plants_that_take_time_count_from_their_day(tmp_path: Path, books: Any) -> None:
    """Half of the path without the duty, and a plant ready after it: the same market as before until then."""
    change = {"heading": "more", "origins": ["MY"], "products": ["8543.70.98"], "rate": 0.25, "from": date(2027, 5, 22)}
    later = books[0].under(rules.read_changes([change | {"authority": "what if"}], books[0], "s", []))
    folder = duopoly(tmp_path / "two")
    plants = (folder / "plants.csv").read_text().replace("1000,0,0,", "1000,3,2,")
    (folder / "plants.csv").write_text(plants)
    found = played(folder, (books[0], later), months=12, step=3)
    still, both = found.states[0, 0], found.states[1, 1]
    assert still[0] == still[1] == both[0]
    assert still[2].price_usd_ths > still[1].price_usd_ths
    assert both[1].price_usd_ths < both[0].price_usd_ths  # ready from the first month of it, in part
    assert both[2].price_usd_ths < still[2].price_usd_ths
    assert both[2].duty_usd < 0.01 * still[2].duty_usd


@pytest.mark.parametrize(
    ("lead", "ramp", "months", "share", "ready"),
    [
        (0, 0, range(3), 1.0, 3),
        (2, 0, range(3), 1 / 3, 1),
        (6, 2, range(6, 9), (1 / 3 + 2 / 3 + 1) / 3, 3),
        (9, 3, range(6), 0.0, 0),
    ],
)
def test_a_plant_runs_as_it_does_in_a_plan(lead: int, ramp: int, months: range, share: float, ready: int) -> None:
    plant = Plant("p", "c", "US", False, 0, 0, lead, ramp, 10)
    assert running(plant, months) == pytest.approx((share, ready))


def test_the_verb_reports_every_combination_and_what_stands(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]], ask: Callable[..., Any]
) -> None:
    folder = duopoly(tmp_path / "two", 1e6)
    words = ["clear", folder, "--on", ON, "--moves", "--until", "2027-11-22", "--scenario", folder / "more.toml"]
    document = ask(*words)
    assert len(document["combinations"]) == 4
    assert [row["maker"] for row in document["makers"]] == ["Acme", "Bolt"]
    assert [row["from"] for row in document["stay"]["periods"]] == ["2026-11-22", "2027-05-22"]
    for row in document["equilibria"]:
        for maker, names in row["plants"].items():
            for other in document["combinations"]:
                same = all(other["plants"][m] == n for m, n in row["plants"].items() if m != maker)
                gain = other["payoff_usd"][maker] - row["payoff_usd"][maker]
                assert not same or other["plants"][maker] == names or gain <= 1e-5 * abs(row["payoff_usd"][maker])
    code, out, _ = run(*words)
    assert code == 0
    for text in ("in which nobody gains", "Best replies", "more than if nobody moves", "Acme-us"):
        assert text in out
    only = ask(*words, "--candidates", "Bolt-us", "--step", 12)
    assert [row["maker"] for row in only["makers"]] == ["Bolt"]
    assert json.dumps(only)


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--candidates", "Acme-uz"), "Did you mean 'Acme-us'?", 1),
        (("--candidates", "Acme-my"), "is open already", 1),
        (("--until", "2026-01-01"), "is not after", 1),
        (("--step", "0"), "no number of months", 1),
    ],
)
def test_moves_that_cannot_be_meant_are_refused(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]], words: tuple[str, ...], said: str, code: int
) -> None:
    found = run("clear", duopoly(tmp_path / "two"), "--on", ON, "--moves", *words)
    assert (found[0], said in found[2]) == (code, True)


def test_what_goes_with_moves_alone_is_wrong_usage_without(tmp_path: Path, run: Callable[..., Any]) -> None:
    assert run("clear", duopoly(tmp_path / "two"), "--on", ON, "--step", "3")[0] == 2


def test_a_network_without_plants_to_open_has_no_game(tmp_path: Path, books: Any) -> None:
    folder = duopoly(tmp_path / "two")
    plants = (folder / "plants.csv").read_text().replace(",no,", ",yes,")
    (folder / "plants.csv").write_text(plants)
    with pytest.raises(FaultyInput, match="open = no"):
        played(folder, books)
