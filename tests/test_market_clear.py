"""``ashore clear`` end to end: its document, the identities a user can check, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ashore.cli import main
from ashore.errors import FaultyInput
from ashore.markets import Law, clear, load

GOODS = (
    "good,maker,price_usd,units,margin,rate_before,rate_after\n"
    "S,Bit,20,410,0.30,0.05,0.30\n"
    "T,Bit,16,410,,0.05,0.05\n"
    "M,Micro,18,150,0.22,0.05,0.30\n"
    "A,Can,12,30,,0,0.30\n"
)
TOML = 'demand = "logit"\nconduct = "bertrand"\nmarket_elasticity = -1.5\noutside = "yes"\n'
FIELDS = {"good", "maker", "price_before", "price_after", "units_before", "units_after", "cost_usd"}


def unused() -> Any:
    raise AssertionError("the rule book was asked")


def folder(tmp_path: Path, toml: str = TOML, goods: str = GOODS) -> Path:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "market.toml").write_text(toml, encoding="utf-8")
    (tmp_path / "goods.csv").write_text(goods, encoding="utf-8")
    return tmp_path


def answer(where: Path, conduct: str | None = None) -> dict[str, Any]:
    return clear(load(where, Law(unused, None, False), conduct)).as_dict()


def run(capsys: Any, *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_the_document_has_the_fields_of_the_contract(tmp_path: Path, capsys: Any) -> None:
    code, out, _ = run(capsys, "clear", folder(tmp_path), "--json")
    assert code == 0
    document = json.loads(out)
    assert {"goods", "hhi_before", "hhi_after", "buyers_usd", "duty_usd", "parameters", "residual"} <= set(document)
    for row in document["goods"]:
        assert set(row) >= FIELDS
    assert document["parameters"]["alpha"] < 0
    assert 0 < document["parameters"]["outside_share"] < 1
    assert 0 <= document["residual"] < 1e-12
    assert document["deviation_usd"] < 1e-9
    assert "hhi_nationality_before" in document


def test_prices_include_duty_and_costs_do_not(tmp_path: Path) -> None:
    """The buyer pays (1 + rate) times the border price; the margin is a share of the border price."""
    document = answer(folder(tmp_path))
    for row in document["goods"]:
        border = row["price_after"] / (1 + row["rate_after"])
        assert row["border_after"] == pytest.approx(border)
        assert row["profit_after_usd"] == pytest.approx((border - row["cost_usd"]) * row["units_after"])
        assert row["duty_usd"] == pytest.approx(row["rate_after"] * border * row["units_after"])
        before = row["price_before"] / (1 + row["rate_before"])
        assert row["cost_usd"] == pytest.approx(before * (1 - row["margin_fitted"]))
    assert document["duty_usd"] == pytest.approx(sum(row["duty_usd"] for row in document["goods"]))


def test_exact_data_are_fitted_exactly(tmp_path: Path) -> None:
    """One margin and an elasticity are two numbers for two unknowns."""
    goods = GOODS.replace("0.22", "")
    document = answer(folder(tmp_path, goods=goods))
    given = next(row for row in document["goods"] if row["good"] == "S")
    assert given["margin_fitted"] == pytest.approx(0.30, abs=1e-12)
    assert document["misfit"]["margin_rms"] < 1e-12
    assert document["parameters"]["market_elasticity"] == pytest.approx(-1.5, rel=1e-12)


@pytest.mark.parametrize("demand", ["logit", "ces", "linear"])
@pytest.mark.parametrize("conduct", ["bertrand", "cournot", "moncom"])
def test_no_change_of_policy_changes_nothing(tmp_path: Path, demand: str, conduct: str) -> None:
    goods = GOODS.replace("0.05,0.30", "0.05,0.05").replace(",,0,0.30", ",,0,0").replace("T,Bit", "T,Tee")
    document = answer(folder(tmp_path, TOML.replace("logit", demand), goods), conduct)
    for row in document["goods"]:
        assert row["price_after"] == pytest.approx(row["price_before"], rel=1e-12)
        assert row["units_after"] == pytest.approx(row["units_before"], rel=1e-12)
    assert abs(document["buyers_usd"]) < 1e-9
    assert document["hhi_after"] == pytest.approx(document["hhi_before"], rel=1e-12)
    assert document["pass_through"] is None


def test_units_observed_are_units_before(tmp_path: Path) -> None:
    rows = {row["good"]: row for row in answer(folder(tmp_path, TOML.replace("logit", "ces")))["goods"]}
    assert {good: round(row["units_before"], 9) for good, row in rows.items()} == {
        "S": 410,
        "T": 410,
        "M": 150,
        "A": 30,
    }
    assert {good: round(row["price_before"], 9) for good, row in rows.items()} == {"S": 20, "T": 16, "M": 18, "A": 12}


def test_equal_rates_on_all_goods_without_outside_option_scale_ces_prices(tmp_path: Path) -> None:
    toml = 'demand = "ces"\nconduct = "bertrand"\noutside = "no"\n'
    goods = "good,maker,price_usd,units,margin,rate_before,rate_after\na,A,10,50,0.3,0,0.4\nb,B,12,30,,0,0.4\n"
    document = answer(folder(tmp_path, toml, goods))
    for row in document["goods"]:
        assert row["price_after"] == pytest.approx(1.4 * row["price_before"], rel=1e-12)
        assert row["border_after"] == pytest.approx(row["border_before"], rel=1e-12)
    assert document["pass_through"] == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("conduct", ["bertrand", "cournot", "moncom"])
def test_rates_that_close_the_market_leave_shares_and_prices_untold(
    tmp_path: Path, run: Any, ask: Any, conduct: str
) -> None:
    """Linear demand ends at a finite price; buyers and makers then lose all they had."""
    goods = GOODS.replace("0.05,0.30", "0,19").replace("0.05,0.05", "0,19").replace(",0,0.30", ",0,19")
    where = folder(tmp_path, TOML.replace("logit", "linear"), goods.replace("T,Bit", "T,Tee"))
    document = ask("clear", where, "--conduct", conduct)
    assert [row["units_after"] for row in document["goods"]] == [0.0] * 4
    assert {row["share_after"] for row in document["makers"]} == {None}
    for key in ("hhi_after", "hhi_value_after", "price_change", "pass_through"):
        assert document[key] is None
    assert (document["duty_usd"], document["deviation_usd"]) == (0.0, 0.0)
    assert document["makers_usd"] == pytest.approx(-sum(row["profit_before_usd"] for row in document["goods"]))
    if conduct == "cournot":
        assert document["buyers_usd"] == pytest.approx(document["parameters"]["slope_usd"] * 1000**2 / 2)
    code, out, _ = run("clear", where, "--conduct", conduct)
    assert (code, "nobody makes or buys it" in out) == (0, True)


def test_a_demand_form_that_ends_is_in_the_range_of_one_that_does_not(tmp_path: Path) -> None:
    """At rates under which linear demand is 0 the logit market still has an answer, and a range."""
    document = answer(folder(tmp_path, goods=GOODS.replace("0.30\n", "12\n").replace("0.05\n", "12\n")))
    assert document["hhi_after"] > 0
    closed = [row for row in document["alternatives"] if row["demand"] == "linear" and not row["why"]]
    assert closed
    assert {row["hhi_change"] for row in closed} == {None}
    assert document["range"]["buyers_usd"][1] >= max(row["buyers_usd"] for row in closed)


def test_shares_and_concentration_are_of_units(tmp_path: Path) -> None:
    document = answer(folder(tmp_path))
    assert document["hhi_before"] == pytest.approx(82**2 + 15**2 + 3**2)
    assert {row["maker"]: row["share_before"] for row in document["makers"]} == {
        "Bit": pytest.approx(0.82),
        "Micro": pytest.approx(0.15),
        "Can": pytest.approx(0.03),
    }
    value = np.array([20 * 410 + 16 * 410, 18 * 150, 12 * 30])
    assert document["hhi_value_before"] == pytest.approx(float(((100 * value / value.sum()) ** 2).sum()))


def test_a_cap_is_met_and_its_owner_only_receives_it(tmp_path: Path) -> None:
    goods = GOODS.replace("rate_after\n", "rate_after,cap_units_after\n").replace("0.30\nT", "0.30,100\nT")
    goods = goods.replace("0.05\nM", "0.05,\nM").replace("0.30\nA", "0.30,\nA").replace("0,0.30\n", "0,0.30,\n")
    found = {rent: answer(folder(tmp_path, TOML + f'rent = "{rent}"\n', goods)) for rent in ("maker", "importer")}
    for document in found.values():
        row = document["goods"][0]
        assert row["units_after"] == pytest.approx(100, rel=1e-9)
        assert row["shadow_usd"] > 0
        assert row["rent_usd"] > 0
    assert found["maker"]["total_usd"] == pytest.approx(found["importer"]["total_usd"], rel=1e-9)
    assert found["maker"]["goods"][0]["price_after"] == pytest.approx(found["importer"]["goods"][0]["price_after"])
    assert found["maker"]["makers_usd"] > found["importer"]["makers_usd"]
    changed = found["importer"]
    parts = changed["buyers_usd"] + changed["makers_usd"] + changed["duty_usd"] - changed["duty_before_usd"]
    assert parts + changed["rent_usd"] == pytest.approx(changed["total_usd"], rel=1e-9)


def test_a_banned_good_has_no_price(tmp_path: Path, capsys: Any) -> None:
    goods = GOODS.replace("rate_after\n", "rate_after,banned_after\n").replace("0.30\n", "0.30,no\n")
    where = folder(tmp_path, goods=goods.replace("0.05\nM", "0.05,yes\nM"))
    code, out, _ = run(capsys, "clear", where, "--json")
    row = next(row for row in json.loads(out)["goods"] if row["good"] == "T")
    assert (code, row["price_after"], row["units_after"]) == (0, None, 0)
    assert run(capsys, "clear", where)[0] == 0


def test_the_range_holds_every_model_that_fits_and_says_why_others_do_not(tmp_path: Path) -> None:
    document = answer(folder(tmp_path))
    rows = document["alternatives"]
    assert len(rows) == 9
    fitted = [row for row in rows if not row["why"]]
    assert len(fitted) >= 6
    why = {(row["demand"], row["conduct"]): row["why"] for row in rows if row["why"]}
    assert "a maker sells one of them" in why["linear", "cournot"]
    for key in fitted[0].keys() - {"demand", "conduct", "why"}:
        values = [row[key] for row in fitted]
        assert document["range"][key] == [min(values), max(values)]
    here = next(row for row in rows if (row["demand"], row["conduct"]) == ("logit", "bertrand"))
    assert here["buyers_usd"] == document["buyers_usd"]


def test_every_figure_after_the_change_has_its_range_over_the_models(tmp_path: Path) -> None:
    """Solving the folder under each conduct and demand form gives figures within it, and its ends."""
    where = folder(tmp_path)
    here = answer(where)
    models = [(row["demand"], row["conduct"]) for row in here["alternatives"] if not row["why"]]
    others = [answer(folder(tmp_path, TOML.replace("logit", form)), conduct) for form, conduct in models]
    assert len(models) >= 6
    for table, name in (("goods", "good"), ("makers", "maker"), ("origins", "origin")):
        for number, row in enumerate(here[table]):
            assert row["range"]
            for key, (least, most) in row["range"].items():
                values = [other[table][number][key] for other in others]
                assert least <= min(values) <= max(values) <= most
                assert row[name] == others[0][table][number][name]
    low, high = here["goods"][0]["range"]["price_after"]
    assert low < high
    values = [other["hhi_after"] for other in others]
    assert here["range"]["hhi_after"][0] <= min(values) <= max(values) <= here["range"]["hhi_after"][1]
    assert {"hhi_value_after", "hhi_origin_after", "hhi_nationality_after"} <= set(here["range"])


def test_what_moves_the_answer_most_comes_first(tmp_path: Path) -> None:
    document = answer(folder(tmp_path))
    rows = document["tornado"]
    assert {row["what"] for row in rows} <= {"conduct", "demand", "margins", "market elasticity"}
    assert len(rows) >= 3
    widths = [row["hhi_change"][1] - row["hhi_change"][0] for row in rows]
    assert widths == sorted(widths, reverse=True)
    here = next(row for row in document["alternatives"] if (row["demand"], row["conduct"]) == ("logit", "bertrand"))
    for row in rows:
        low, high = row["buyers_usd"]
        assert low <= here["buyers_usd"] <= high
        assert len(row["tried"]) > 1


def test_conduct_of_the_command_line_takes_the_place_of_the_file(tmp_path: Path, capsys: Any) -> None:
    where = folder(tmp_path)
    document = json.loads(run(capsys, "clear", where, "--conduct", "moncom", "--json")[1])
    assert document["conduct"] == "moncom"
    assert document["goods"][1]["price_after"] == pytest.approx(document["goods"][1]["price_before"], rel=1e-12)


def test_text_shows_prices_shares_and_the_range(tmp_path: Path, capsys: Any) -> None:
    code, out, _ = run(capsys, "clear", folder(tmp_path))
    assert code == 0
    for words in ("logit demand", "HHI of units", "pass-through", "Over demand forms and conducts", "Bit", "82.0 %"):
        assert words in out


def test_rates_may_come_from_the_rule_book_and_a_scenario(tmp_path: Path, capsys: Any) -> None:
    goods = (
        "good,maker,price_usd,units,margin,hts,origin\n"
        "x,A,12,700,0.3,8543.70.98.60,MY\n"
        "y,B,11,200,,8543.70.98.60,TH\n"
        "z,C,13,100,,8543.70.98.60,US\n"
    )
    scenario = tmp_path / "more.toml"
    scenario.write_text(
        '[[change]]\nheading = "more"\nauthority = "what if"\norigins = ["MY"]\nproducts = ["8543.70.98"]\n'
        'kind = "add"\nrate = 0.25\n'
    )
    where = folder(tmp_path / "m", goods=goods)
    words = ["clear", where, "--on", "2026-11-22", "--scenario", scenario, "--json"]
    rows = {row["good"]: row for row in json.loads(run(capsys, *words)[1])["goods"]}
    assert rows["x"]["rate_before"] == pytest.approx(0.126)
    assert rows["x"]["rate_after"] == pytest.approx(0.376)
    assert rows["z"]["rate_after"] == 0.0
    assert rows["x"]["units_after"] < 700
    assert rows["z"]["units_after"] > 100
    code, _, err = run(capsys, "clear", where)
    assert code == 1
    assert "--on" in err


def test_the_figure_shows_the_ends_of_the_document(tmp_path: Path, run: Any, ask: Any) -> None:
    where, drawn = folder(tmp_path / "m"), tmp_path / "market.json"
    document = ask("clear", where, "--figure", drawn)
    chart = json.loads(drawn.read_text())
    assert len(chart["vconcat"]) == 3
    for panel, key in zip(chart["vconcat"], ("hhi_change", "price_change", "pass_through"), strict=True):
        bars = chart["datasets"][panel["layer"][0]["data"]["name"]]
        ends = [document["range"][key], *(row[key] for row in document["tornado"])]
        assert [[bar["low"], bar["high"]] for bar in bars] == ends
    assert run("clear", where, "--figure", tmp_path / "market.txt")[0] == 1
    assert run("clear", "--size", 2028, "--figure", drawn)[0] == 2


def bad(tmp_path: Path, toml: str = TOML, goods: str = GOODS, conduct: str | None = None) -> str:
    with pytest.raises(FaultyInput) as caught:
        answer(folder(tmp_path, toml, goods), conduct)
    for fault in caught.value.faults:
        assert fault.remedy
    return str(caught.value)


HEAD = "good,maker,price_usd,units,margin,rate_before,rate_after\n"
NO_ELASTICITY = TOML.replace("market_elasticity = -1.5\n", "")


@pytest.mark.parametrize(
    ("toml", "goods", "said"),
    [
        (
            NO_ELASTICITY,
            GOODS.replace("0.30,0.05", ",0.05").replace("0.22", ""),
            "Neither a margin nor a market elasticity",
        ),
        (NO_ELASTICITY, GOODS.replace("0.22", ""), "but not both"),
        (TOML, GOODS.replace("0.30,0.05", ",0.05").replace("0.22", ""), "but not both"),
        (
            NO_ELASTICITY.replace('"yes"', '"no"'),
            HEAD.replace("\n", ",cap_units_after\n") + "a,A,10,50,0.3,0,0.1,20\nb,B,12,30,,0,0.1,59\n",
            "buyers take all 80 units, but the caps let 79 in",
        ),
        (TOML + "outside_share = 1.2\n", GOODS, "shares lie between 0 and 1"),
        (TOML + "outside_share = 0\n", GOODS, "shares lie between 0 and 1"),
        (TOML, GOODS.replace("0.22", "22"), "Write 35 % as 0.35"),
        (TOML, GOODS.replace("0.22", "-0.1"), "between 0 and 1"),
        (TOML.replace("bertrand", "bertrant"), GOODS, "Did you mean 'bertrand'?"),
        (TOML.replace('"bertrand"', "3"), GOODS, "is no conduct known here"),
        (TOML.replace('conduct = "bertrand"\n', ""), GOODS, "'conduct' is missing"),
        (TOML.replace("logit", "logot"), GOODS, "Did you mean 'logit'?"),
        (TOML.replace("-1.5", "1.5"), GOODS, "Write it as -1.5"),
        (TOML.replace("-1.5", '"-1.5"'), GOODS, "without quotes"),
        (TOML.replace("-1.5", "0"), GOODS, "cannot be 0"),
        (TOML.replace("-1.5", "-0.5").replace("logit", "ces"), GOODS, "at most -1"),
        (TOML.replace('"yes"', '"no"'), GOODS, "Without an outside option"),
        (TOML.replace('"yes"', '"maybe"'), GOODS, "Write one of yes, no"),
        (NO_ELASTICITY.replace('"yes"', '"no"').replace("bertrand", "cournot"), GOODS, "needs an outside option"),
        (TOML.replace("logit", "linear").replace("bertrand", "cournot"), GOODS, "a maker sells one of them"),
        (NO_ELASTICITY.replace("bertrand", "moncom"), GOODS, "say nothing of the outside option"),
        (TOML + "elasticity = -1\n", GOODS, "Did you mean 'market_elasticity'?"),
        (TOML + 'rent = "nobody"\n', GOODS, "Write one of maker, importer, government"),
        (TOML, HEAD, "There is no good"),
        (TOML, GOODS.replace("20,410", "0,410"), "Give a value above 0"),
        (TOML, GOODS.replace("20,410", "20,0"), "Give a value above 0"),
        (TOML, GOODS.replace("0.05,0.30", "0.05,25"), "Write 25 % as 0.25"),
        (TOML, GOODS.replace("0.05,0.30", "0.05,-1"), "leaves nothing to pay"),
        (TOML, GOODS.replace("0.05,0.30", "0.05,"), "There is no rate after the change"),
        (TOML, GOODS.replace("0.05,0.30", ",0.30"), "There is no rate"),
        (TOML, GOODS + "A,Can,12,30,,0,0.30\n", "are those of row 5"),
        (TOML, GOODS.replace("price_usd", "price"), "Did you mean 'price_usd'?"),
        (NO_ELASTICITY.replace('"yes"', '"no"'), HEAD + "a,A,10,50,0.3,0,0.4\n", "no finite price"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_remedy(tmp_path: Path, toml: str, goods: str, said: str) -> None:
    assert said in bad(tmp_path, toml, goods)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("cap_units_after", "0", "banned_after"),
        ("cap_units_after", "-3", "is below 0"),
        ("rate_over_cap_after", "0.5", "needs a cap"),
        ("banned_after", "perhaps", "Write yes or no"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(tmp_path: Path, column: str, cell: str, said: str) -> None:
    lines = GOODS.strip().split("\n")
    goods = "\n".join([f"{lines[0]},{column}", f"{lines[1]},{cell}", *(f"{line}," for line in lines[2:])]) + "\n"
    assert said in bad(tmp_path, goods=goods)


def test_all_goods_banned_is_refused(tmp_path: Path) -> None:
    lines = GOODS.strip().split("\n")
    goods = "\n".join([f"{lines[0]},banned_after", *(f"{line},yes" for line in lines[1:])]) + "\n"
    assert "Every good is banned" in bad(tmp_path, goods=goods)


def test_all_faults_of_both_files_are_named_at_once(tmp_path: Path) -> None:
    said = bad(tmp_path, TOML.replace("logit", "probit"), GOODS.replace("20,410", "twenty,410").replace("0.22", "22"))
    assert "probit" in said
    assert "twenty" in said
    assert "0.35" in said


def test_an_unknown_conduct_on_the_command_line_is_refused(tmp_path: Path, capsys: Any) -> None:
    code, _, err = run(capsys, "clear", folder(tmp_path), "--conduct", "stackelberg")
    assert code == 1
    assert "bertrand, cournot, moncom" in err


def test_a_folder_that_is_no_market_is_refused(tmp_path: Path, capsys: Any) -> None:
    for where in (tmp_path / "nowhere", tmp_path):
        code, out, err = run(capsys, "clear", where, "--json")
        assert code == 1
        assert json.loads(out)["faults"]
        assert "market.toml and goods.csv" in err


def test_a_scenario_that_changes_nothing_is_refused(tmp_path: Path, capsys: Any) -> None:
    scenario = tmp_path / "s.toml"
    scenario.write_text('[[change]]\nrule = "*"\nrate = 0.1\n')
    code, _, err = run(capsys, "clear", folder(tmp_path / "m"), "--scenario", scenario)
    assert code == 1
    assert "changes nothing" in err


def test_margins_that_do_not_fit_are_said(tmp_path: Path) -> None:
    document = answer(folder(tmp_path, goods=GOODS.replace("0.22", "0.6")))
    assert any("M: margin given 0.600" in note for note in document["notes"])
    assert document["misfit"]["margin_rms"] > 0.02


ROUTES_HEAD = "good,maker,route,extra_usd,rate_before,rate_after,origin\n"
WASHERS = (
    "good,maker,price_usd,units,margin,rate_before,rate_after,nationality\n"
    "front,Seoul,700,30,0.25,,,KR\n"
    "top,Seoul,500,20,,,,KR\n"
    "drum,Osaka,650,20,,,,JP\n"
    "basic,Home,520,30,,0,0,US\n"
)


def washers(tmp_path: Path, abroad: str, elsewhere: str, demand: str = "logit") -> dict[str, Any]:
    """Makers of washing machines with plants in three countries, whose rates after the change are given."""
    rows = [
        f"{good},{maker},{route},{extra},0.01,{rate},{origin}\n"
        for maker, good in (("Seoul", "front"), ("Seoul", "top"), ("Osaka", "drum"))
        for route, extra, rate, origin in (
            ("old plant", 0, abroad, "KR"),
            ("second plant", 3, abroad, "MX"),
            ("third plant", 5, elsewhere, "TH"),
        )
    ]
    toml = TOML.replace("logit", demand)
    where = folder(tmp_path, toml, WASHERS)
    (where / "routes.csv").write_text(ROUTES_HEAD + "".join(rows), encoding="utf-8")
    return answer(where)


@pytest.mark.parametrize("demand", ["logit", "ces"])
def test_a_duty_on_some_countries_moves_plants_and_hardly_prices(tmp_path: Path, demand: str) -> None:
    """Flaaen, Hortacsu and Tintelnot (2020): 2012 and 2016 duties on single countries moved production, not prices."""
    document = washers(tmp_path, "0.5", "0.01", demand)
    routed = document["goods"][:3]
    assert {row["route_before"] for row in routed} == {"old plant"}
    assert {row["route_after"] for row in routed} == {"third plant"}
    assert document["goods"][3]["route_after"] == ""
    low, high = document["range"]["price_change"]
    assert 0 < low <= high < 0.01
    home = document["origins"][0]
    assert (home["origin"], home["units_before"]) == ("", pytest.approx(30))
    assert home["units_after"] == pytest.approx(30, rel=0.05)
    assert [row["origin"] for row in document["origins"]] == ["", "KR", "TH"]
    assert document["deviation_usd"] < 1e-9


def test_a_duty_on_all_countries_passes_into_prices_up_to_in_full(tmp_path: Path) -> None:
    """The same makers under the duty of 2018 on all origins: they stay, and at the top of the range prices take all."""
    document = washers(tmp_path, "0.2", "0.2")
    assert {row["route_after"] for row in document["goods"][:3]} == {"old plant"}
    low, high = document["range"]["pass_through"]
    assert low < 0.8
    assert high == pytest.approx(1.0, abs=1e-9)
    assert low <= 0.80  # what border studies of 2018 to 2025 found lies between
    assert high >= 0.94


def test_a_route_is_chosen_by_what_it_leaves_at_the_price_of_the_good(tmp_path: Path) -> None:
    """A low rate is worth 4 USD on a good of 100 and 40 on one of 1,000; the way round costs 10."""
    goods = "good,maker,price_usd,units,margin,rate_before,rate_after\na,A,100,50,0.3,,\nb,B,1000,50,,,\n"
    routes = "".join(
        f"{g},{m},{way},{cost},0,{rate},\n"
        for g, m in ("aA", "bB")
        for way, cost, rate in (("direct", 0, 0.05), ("round", 10, 0.01))
    )
    where = folder(tmp_path, 'demand = "ces"\nconduct = "bertrand"\noutside = "no"\n', goods)
    (where / "routes.csv").write_text(ROUTES_HEAD + routes)
    document = answer(where)
    assert [row["route_after"] for row in document["goods"]] == ["direct", "round"]
    assert document["goods"][1]["cost_usd"] == pytest.approx(1000 * (1 - document["goods"][1]["margin_fitted"]) + 10)


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ("front,Seoul,a,0,0,0.1,\n", "Osaka has no route for it"),
        ("frond,Seoul,a,0,0,0.1,\n", "Did you mean 'front'?"),
        ("front,Seoul,a,0,0,0.1,\nfront,Seoul,a,0,0,0.2,\n", "are those of row 2"),
        ("front,Seoul,a,0,0,25,\n", "Write 25 % as 0.25"),
        ("front,Seoul,a,0,0,,KR\n", "no rate after the change"),
        ("basic,Home,a,0,0,0.1,\n", "and so do its routes"),
        ("front,Seoul,a,free,0,0.1,\n", "not a number"),
    ],
)
def test_routes_that_lead_nowhere_are_refused(tmp_path: Path, routes: str, said: str) -> None:
    where = folder(tmp_path, goods=WASHERS)
    (where / "routes.csv").write_text(ROUTES_HEAD + routes)
    with pytest.raises(FaultyInput) as caught:
        answer(where)
    assert said in str(caught.value)


def test_a_maker_whose_routes_are_all_closed_is_refused(tmp_path: Path) -> None:
    where = folder(tmp_path, goods=WASHERS)
    head = ROUTES_HEAD.replace("origin", "closed_after")
    (where / "routes.csv").write_text(
        head + "front,Seoul,a,0,0,0.1,yes\ntop,Seoul,a,0,0,0.1,no\ndrum,Osaka,a,0,0,0.1,no\n"
    )
    with pytest.raises(FaultyInput, match="no route to the market"):
        answer(where)
