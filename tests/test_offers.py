"""Offers: terms, the day of arrival, who bears a change of the duty, waiting, doubts, and which one is best."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ashore import duties, network, offers, plans, rules, worth
from ashore.dates import month_date
from ashore.errors import FaultyInput, OutsideCoverage, Unresolved
from ashore.offers import Basis, Branch, Lander
from ashore.rules import Change

ON = date(2026, 11, 22)
RIG = "8543.70.98.60"
HEADER = (
    "offer,maker,product,ths,watts,origin,origins,hts,incoterm,price_usd,units,ship_date,mode,kg,market,power_usd_kwh"
)
MORE = ",deposit,tariff_for"
XP_MY = "a,Bitmain,s21-xp,,,MY,,,FOB,2970,200,2026-12-15,air,,us-texas,0.05"
TREE = """
[[node]]
id = "now"
from = 2026-11-22
[[node]]
id = "none"
parent = "now"
from = 2027-01-10
chance = 0.75
[[node]]
id = "action"
parent = "now"
from = 2027-01-10
chance = 0.25
[[node.change]]
heading = "new"
authority = "Section 301"
origins = ["MY", "TH"]
products = "*"
kind = "add"
rate = 0.20
"""


@pytest.fixture(scope="module")
def net() -> network.Network:
    return network.load(network.cases.find(None))


@pytest.fixture(scope="module")
def book() -> rules.RuleBook:
    return rules.load().hold(date(2028, 1, 1))


@pytest.fixture(scope="module")
def outlook() -> worth.Outlook:
    return worth.outlook_of(worth.Given(hashprice=40))[0]


@pytest.fixture
def basis(net, outlook) -> Basis:
    return offers.basis_of(net, ON, outlook, "cash", 2000, None)


@pytest.fixture
def tree(tmp_path, book) -> tuple[Branch, ...]:
    """No action with chance 0.75, 20 per cent on Malaysia and Thailand from 2027-01-10 with 0.25."""
    return branches(write(tmp_path, TREE, "tree.toml"), book)


@pytest.fixture
def held(book) -> tuple[Branch, ...]:
    return (Branch("law", 1.0, ((ON, "law", book),)),)


def branches(path: Path, book: rules.RuleBook) -> tuple[Branch, ...]:
    found = plans.read_futures(path, book).hold(date(2028, 1, 1)).branches()
    return tuple(
        Branch(nodes[-1].name, chance, tuple((node.start, node.name, node.book) for node in nodes))
        for chance, nodes in found
    )


def write(folder: Path, text: str, name: str = "offers.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, net, book, *rows: str, more: str = MORE) -> list[offers.Offer]:
    columns = len((HEADER + more).split(","))
    filled = (row + "," * (columns - len(next(csv.reader([row])))) for row in rows)
    return offers.read_offers(write(folder, "\n".join([HEADER + more, *filled, ""])), net, book, ON)


def one(folder: Path, net, book, row: str) -> offers.Offer:
    return read(folder, net, book, row)[0]


# Landing


def test_an_entry_owes_what_the_verb_duty_says_to_the_cent(tmp_path, net, book, held):
    """200 rigs FOB from Malaysia by air: price + freight + insurance + duty + fees of one entry of the lot."""
    offer = one(tmp_path, net, book, XP_MY)
    landing = Lander(offer, held[0], ON, net.settings.insurance_share).after()
    assert landing.arrival == date(2026, 12, 21)  # six days by air
    entry, faults = duties.read_entry(book, RIG, "MY", landing.arrival, 2970 * 200, "air")
    assert not faults
    answer = duties.assess(book, entry)
    assert landing.duty * 200 == pytest.approx(answer.duty_cents / 100)
    assert landing.fees * 200 == pytest.approx(answer.fees_cents / 100)
    assert landing.freight == pytest.approx(7.837 * 21)
    assert landing.insurance == pytest.approx(0.003 * 2970)
    assert landing.total == pytest.approx(2970 + 7.837 * 21 + 0.003 * 2970 + landing.duty + landing.fees)


def test_each_incoterm_leaves_the_buyer_its_share(tmp_path, net, book, held):
    """At one price the buyer pays freight and duty (EXW, FOB), duty alone (CIF), nothing more (DDP)."""
    rows = [XP_MY.replace("a,", f"{term},", 1).replace("FOB", term) for term in offers.TERMS]
    found = {o.name: Lander(o, held[0], ON, 0.003).after() for o in read(tmp_path, net, book, *rows)}
    assert found["EXW"] == found["FOB"]
    assert found["FOB"].freight > 0
    assert (found["CIF"].freight, found["CIF"].insurance) == (0, 0)
    assert found["CIF"].duty > 0
    assert found["DDP"].total == 2970
    assert found["DDP"].owed_usd > 0
    assert found["FOB"].total > found["CIF"].total > found["DDP"].total
    # the customs value leaves out what the price holds of carriage, duty and fees
    assert found["FOB"].value_usd == 2970
    carriage = found["FOB"].freight + found["FOB"].insurance
    assert found["CIF"].value_usd == pytest.approx(2970 - carriage)
    ddp = found["DDP"]
    fees = found["FOB"].fees  # at the maximum of an entry, so the same for both
    assert ddp.value_usd + ddp.owed_usd + carriage + fees == pytest.approx(2970, abs=0.01)


def test_a_domestic_rig_and_a_market_abroad_owe_nothing(tmp_path, net, book, held):
    rows = [
        "a,Bitmain,s21-xp,,,US,,,FOB,2970,200,2026-12-15,truck,,us-texas,0.05",
        "b,Bitmain,s21-xp,,,MY,,,FOB,2970,200,2026-12-15,air,,canada,0.05",
    ]
    for offer in read(tmp_path, net, book, *rows):
        landing = Lander(offer, held[0], ON).after()
        assert (landing.duty, landing.fees, landing.owed_usd) == (0, 0, 0)
        assert landing.freight > 0


def test_the_law_of_the_day_of_arrival_holds_not_that_of_shipping(tmp_path, net, book, tree):
    """Shipped on 2026-12-20: by air it arrives before the action of 2027-01-10, by sea after it."""
    air, sea = read(
        tmp_path,
        net,
        book,
        XP_MY.replace("2026-12-15", "2026-12-20"),
        XP_MY.replace("a,", "b,", 1).replace("2026-12-15,air", "2026-12-20,ocean"),
    )
    none, action = tree
    assert Lander(air, action, ON).after().rate == Lander(air, none, ON).after().rate
    now, then = Lander(sea, none, ON).after(), Lander(sea, action, ON).after()
    assert then.rate == pytest.approx(now.rate + 0.20)
    assert then.change_usd == pytest.approx(0.20 * 2970, abs=0.01)


@pytest.mark.parametrize(
    ("incoterm", "tariff_for", "bears"),
    [
        ("FOB", "", 1),
        ("FOB", "seller", 0),
        ("CIF", "buyer", 1),
        ("DDP", "", 0),
        ("DDP", "seller", 0),
        ("DDP", "buyer", 1),
    ],
)
def test_who_bears_a_change_of_the_duty(tmp_path, net, book, tree, incoterm, tariff_for, bears):
    row = XP_MY.replace("FOB", incoterm).replace("2026-12-15", "2027-02-01") + f",,{tariff_for}"
    offer = one(tmp_path, net, book, row)
    none, action = (Lander(offer, branch, ON).after() for branch in tree)
    assert action.change_usd > 400
    assert none.change_usd == pytest.approx(0)
    assert action.total - none.total == pytest.approx(bears * action.change_usd, abs=0.2)  # fees may differ


def test_what_is_ordered_later_is_landed_under_the_law_of_later(tmp_path, net, book, tree):
    lander = Lander(one(tmp_path, net, book, XP_MY), tree[1], ON)
    assert [lander.after(months).rate for months in (0, 1)] == pytest.approx([0.126, 0.326])
    assert lander.after(1).ordered == date(2026, 12, 22)
    assert month_date(date(2026, 11, 30), 3) == date(2027, 2, 28)


def test_goods_loaded_before_a_day_keep_what_the_book_grants_them(tmp_path, net, held):
    """The day of shipping is claimed as the day of loading, which decides transit headings."""
    offer = one(tmp_path, net, rules.load(), XP_MY)
    old = replace(offer, ship_date=date(2025, 4, 4), days=20.0, mode="ocean", origin="MY")
    branch = Branch("law", 1.0, ((date(2025, 1, 1), "law", rules.load()),))
    aboard = Lander(old, branch, date(2025, 3, 1)).after()
    late = Lander(replace(old, ship_date=date(2025, 4, 6)), branch, date(2025, 3, 1)).after()
    assert aboard.rate < late.rate


# Ranking


def test_the_ranking_has_every_field_and_its_means_are_those_of_the_branches(tmp_path, net, book, tree, basis):
    found = read(tmp_path, net, book, XP_MY.replace("2026-12-15", "2027-02-01"), XP_MY.replace("a,", "b,", 1))
    document = offers.rank(found, tree, basis, ["x"], ["y"]).as_dict()
    assert [row["rank"] for row in document["offers"]] == [1, 2]
    late = next(row for row in document["offers"] if row["offer"] == "a")
    costs = {row["branch"]: row["landed_usd_unit"] for row in late["branches"]}
    assert late["landed_usd_unit"]["mean"] == pytest.approx(0.75 * costs["none"] + 0.25 * costs["action"])
    assert (late["landed_usd_unit"]["low"], late["landed_usd_unit"]["high"]) == (costs["none"], costs["action"])
    assert late["landed_usd_ths"]["mean"] == pytest.approx(late["landed_usd_unit"]["mean"] / 270)
    assert sum(late["parts"].values()) == pytest.approx(late["landed_usd_unit"]["mean"])
    assert late["option_net_usd_mw"] == pytest.approx(late["option_net_usd"] * 1e6 / 3645)
    assert late["option_net_usd_usd"] == pytest.approx(late["option_net_usd"] / late["outlay_usd"])
    assert late["npv_usd"] <= late["option_net_usd"]
    assert [wait["months"] for wait in late["waiting"]] == [1, 2, 3]
    assert document["assumptions"][0] == "x"
    assert document["notes"] == ["y"]


def test_what_is_paid_is_discounted_from_when_it_is_paid(tmp_path, net, book, held, basis):
    """A deposit is paid on ordering, the rest on shipping, duty on arrival."""
    whole, part = read(tmp_path, net, book, XP_MY + ",1,", XP_MY.replace("a,", "b,", 1) + ",,")
    by_name = {each.offer.name: each for each in offers.rank([whole, part], held, basis).offers}
    saved = 2970 * (1 - 1.10 ** -(23 / 365.25))
    assert by_name["a"].outlay_usd - by_name["b"].outlay_usd == pytest.approx(saved)
    free = offers.rank([part], held, replace(basis, outlook=replace(basis.outlook, rate=0.0))).offers[0]
    assert free.outlay_usd == pytest.approx(free.cases[0].landing.total)


def test_worth_is_that_of_a_rig_delayed_until_its_arrival(tmp_path, net, book, held, basis):
    judged = offers.rank([one(tmp_path, net, book, XP_MY)], held, basis).offers[0]
    days = (date(2026, 12, 21) - ON).days
    expected = worth.option_usd(worth.Rig(270, 3645), 0.05, replace(basis.outlook, delay_days=days))
    assert judged.option_usd == pytest.approx(expected)
    assert judged.chance_best is None


def test_a_cheaper_twin_beats_its_twin_on_every_path(tmp_path, net, book, tree, basis):
    cheap, dear = read(tmp_path, net, book, XP_MY.replace("2970", "2900"), XP_MY.replace("a,", "b,", 1))
    ranking = offers.rank([dear, cheap], tree, basis)
    assert [each.offer.name for each in ranking.offers] == ["a", "b"]
    assert [each.chance_best for each in ranking.offers] == [1.0, 0.0]


def test_identical_offers_do_not_beat_each_other(tmp_path, net, book, held, basis):
    twins = read(tmp_path, net, book, XP_MY, XP_MY.replace("a,", "b,", 1))
    assert [each.chance_best for each in offers.rank(twins, held, basis).offers] == [0.0, 0.0]


def test_the_chance_to_be_best_follows_the_chance_of_the_branch(tmp_path, net, book, tree, basis):
    """Twins but for the terms: delivered at 600 more is the better one exactly where 20 per cent come on top."""
    fob = XP_MY.replace("2026-12-15", "2027-02-01")
    ddp = fob.replace("a,", "b,", 1).replace("FOB,2970", "DDP,3700")
    found = {o.offer.name: o for o in offers.rank(read(tmp_path, net, book, fob, ddp), tree, basis).offers}
    assert found["b"].chance_best == pytest.approx(0.25, abs=0.002)  # on a few paths neither earns anything
    assert found["a"].chance_best == pytest.approx(0.75, abs=0.002)


def test_cash_prefers_the_cheap_rig_and_power_the_thrifty_one(tmp_path, net, book, held, basis):
    rows = [
        f"used,Bitmain,,200,3500,MY,,{RIG},FOB,500,100,2026-12-15,air,19,us-texas,0.03",
        f"new,Bitmain,,500,4750,MY,,{RIG},FOB,4200,100,2026-12-15,air,19,us-texas,0.03",
    ]
    found = read(tmp_path, net, book, *rows)
    assert offers.rank(found, held, basis).offers[0].offer.name == "used"
    assert offers.rank(found, held, replace(basis, scarce="power")).offers[0].offer.name == "new"


def test_waiting_trades_duty_against_income(tmp_path, net, book, basis):
    """A duty that ends in a month for sure makes waiting worth what it saves less the income lost."""
    ends = TREE.partition('[[node]]\nid = "none"')[0] + "[[node.change]]" + TREE.partition("[[node.change]]")[2]
    ends = ends.replace("rate = 0.20", "rate = 0.5\nuntil = 2027-01-10")
    tree = branches(write(tmp_path, ends, "ends.toml"), book)
    steady = replace(basis, outlook=replace(basis.outlook, rate=0.0))
    judged = offers.rank([one(tmp_path, net, book, XP_MY)], tree, steady).offers[0]
    wait = judged.waiting[0]
    assert wait["duty_usd"] == pytest.approx(0.5 * 2970, abs=0.01)
    assert wait["margin_usd"] < 0
    assert wait["value_usd"] == pytest.approx(wait["duty_usd"] + wait["margin_usd"], abs=0.5)  # fees move a little
    assert wait["value_usd"] > 0
    assert wait["arrival"] == "2027-01-21"


def test_waiting_until_the_law_is_known_is_worth_at_least_waiting_blindly(tmp_path, net, book, tree, basis):
    judged = offers.rank([one(tmp_path, net, book, XP_MY.replace("2970", "2500"))], tree, basis).offers[0]
    for wait in judged.waiting:
        blind = judged.option_net_usd + wait["value_usd"]
        chosen = max(judged.option_net_usd, 0) + wait["with_choice_usd"]
        assert chosen >= max(blind, 0) - 1e-9
    last = judged.waiting[-1]  # by then the branch is known: what pays without the action does not with it
    assert judged.option_net_usd + last["value_usd"] < max(judged.option_net_usd, 0) + last["with_choice_usd"]


def test_a_doubt_of_origin_costs_its_chance_and_stays_open_until_the_entry_is_settled(tmp_path, net, book, held, basis):
    doubted = XP_MY.replace(",MY,,", ',MY,"MY:0.9,CN:0.1",')
    judged = offers.rank([one(tmp_path, net, book, doubted)], held, basis).offers[0]
    sure = offers.rank([one(tmp_path, net, book, XP_MY)], held, basis).offers[0]
    answer = duties.dispute(
        book,
        duties.read_entry(book, RIG, "MY", date(2026, 12, 21), 2970 * 200, "air", date(2026, 12, 15))[0],
        (("MY", 900_000), ("CN", 100_000)),
    )
    dispute = judged.dispute
    assert dispute["exposure_usd"] == pytest.approx(answer.exposure_cents / 100)
    assert dispute["expected_usd"] == pytest.approx(answer.exposure_cents / 1000, abs=0.01)
    assert (dispute["from"], dispute["until"], dispute["borne_by"]) == ("2026-12-21", "2027-10-31", "buyer")
    cost = dispute["expected_usd"] / 200 * 1.10 ** -((date(2027, 10, 31) - ON).days / 365.25)
    assert sure.option_net_usd - judged.option_net_usd == pytest.approx(cost)
    ddp = offers.rank([one(tmp_path, net, book, doubted.replace("FOB", "DDP"))], held, basis).offers[0]
    assert ddp.dispute["borne_by"] == "seller"


def test_a_doubt_decides_between_twins_as_often_as_its_chance(tmp_path, net, book, held, basis):
    """Without doubt at 60 more: the doubted one is better unless customs finds China, one time in ten."""
    doubted = XP_MY.replace(",MY,,", ',MY,"MY:0.9,CN:0.1",')
    sure = XP_MY.replace("a,", "b,", 1).replace("2970", "3030")
    found = {o.offer.name: o for o in offers.rank(read(tmp_path, net, book, doubted, sure), held, basis).offers}
    assert found["a"].chance_best == pytest.approx(0.9, abs=0.02)
    assert found["b"].chance_best == pytest.approx(0.1, abs=0.02)


def test_a_hold_costs_the_income_of_its_days_and_storage(tmp_path, net, book, held, basis):
    """Published: about 390 USD for a rig of 270 TH/s at 40 USD, 5 c/kWh, no downtime, nothing discounted."""
    plain = replace(basis.outlook, volatility=0.0, drift=0.0, rate=0.0, uptime=1.0)
    judged = offers.rank([one(tmp_path, net, book, XP_MY)], held, replace(basis, outlook=plain)).offers[0]
    assert judged.hold["days"] == 60
    assert judged.hold["margin_usd"] == pytest.approx(390, rel=0.02)
    assert judged.hold["storage_usd"] == pytest.approx(2 * 60 / 30.4375)
    assert judged.hold["usd"] == pytest.approx(200 * judged.hold["usd_unit"])


@given(st.floats(0, 0.5), st.floats(1.0, 1.3), st.integers(0, 60))
@settings(max_examples=15, deadline=None)
def test_an_offer_is_never_better_for_more_duty_price_or_delay(net, book, outlook, rate, dearer, later):
    with TemporaryDirectory() as folder:
        offer = one(Path(folder), net, book, XP_MY)
    change = Change(rule="s301-forced-labour", rate_ppm=round((0.10 + rate) * 1e6))
    basis = Basis(ON, replace(outlook, rate=0.0), paths=100)

    def left(each: offers.Offer, law: rules.RuleBook = book) -> float:
        return offers.rank([each], [Branch("law", 1.0, ((ON, "law", law),))], basis).offers[0].option_net_usd

    now = left(offer)
    assert left(offer, book.under([change], since=date(2026, 12, 1))) <= now + 1e-9
    assert left(replace(offer, price_usd=2970 * dearer)) <= now + 1e-9
    assert left(replace(offer, days=offer.days + later)) <= now + 1e-9
    assert left(replace(offer, power_usd_kwh=0.05 + rate / 10)) <= now + 1e-9


def test_a_branch_with_a_ban_loses_what_was_paid(tmp_path, net, book, basis):
    """A ban on Malaysia with chance 0.25 turns the rigs away: price and freight are gone, nothing is earned."""
    banned = TREE.replace("rate = 0.20", "ban = true").replace('kind = "add"\n', "")
    tree = branches(write(tmp_path, banned, "ban.toml"), book)
    late = XP_MY.replace("2026-12-15", "2027-02-01")
    judged = offers.rank([one(tmp_path, net, book, late)], tree, basis).offers[0]
    none, ban = judged.cases
    assert (none.landing.turned_away, ban.landing.turned_away) == (False, True)
    assert (ban.landing.duty, ban.landing.fees) == (0, 0)
    expected = 0.75 * (judged.option_usd - none.cost_usd) - 0.25 * ban.cost_usd
    assert judged.option_net_usd == pytest.approx(expected)
    row = judged.as_dict()
    assert row["turned_away_chance"] == 0.25
    assert row["landed_usd_unit"]["mean"] == pytest.approx(none.landing.total)
    assert any("bans it" in note for note in row["notes"])
    # ordered now by air it still comes in; waiting a month risks the goods
    early = offers.rank([one(tmp_path, net, book, XP_MY)], tree, basis).offers[0]
    assert early.as_dict()["turned_away_chance"] == 0
    assert early.waiting[0]["value_usd"] < -0.25 * 2000


def test_a_rule_for_one_maker_bears_on_its_offers_only(tmp_path, net, book):
    tree = (
        '[[node]]\nid = "now"\nfrom = 2026-11-22\n[[node.change]]\nheading = "m"\nauthority = "x"\norigins = ["MY"]\n'
    )
    tree += 'products = "*"\nkind = "add"\nrate = 0.3\nmakers = ["Bitmain"]\n'
    branch = branches(write(tmp_path, tree, "maker.toml"), book)[0]
    own, other = read(tmp_path, net, book, XP_MY, XP_MY.replace("a,Bitmain", "b,Canaan"))
    rates = [Lander(offer, branch, ON).after().rate for offer in (own, other)]
    assert rates == pytest.approx([0.426, 0.126])


# Refusals


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (XP_MY.replace("FOB", "FCA"), "not one of EXW, FOB, CIF, DDP"),
        (XP_MY.replace("2970", "nan"), "'nan' is not a number"),
        (XP_MY.replace("2970", "-1"), "not above 0"),
        (XP_MY.replace("s21-xp,,", "s21-xp,-270,"), "not above 0"),
        (XP_MY.replace("s21-xp,,", "s21-xp,270,0"), "not above 0"),
        (XP_MY.replace("s21-xp", "s21xp"), "Did you mean 's21-xp'?"),
        (XP_MY.replace("s21-xp", ""), "The ths is not given"),
        (XP_MY.replace("2026-12-15", "2026-11-01"), "before the day it is judged on"),
        (XP_MY.replace("us-texas", "us-texs"), "Did you mean 'us-texas'?"),
        (XP_MY.replace(",air,", ",rail,"), "no lane from MY to us-texas by rail"),
        (XP_MY.replace(",MY,,", ",MY,CN:1,"), "The first origin in doubt is CN"),
        (XP_MY.replace(",MY,,", ',MY,"MY:0.9,CN:0.2",'), "do not sum to 1"),
        (XP_MY.replace(",200,", ",0,"), "below 1"),
        (XP_MY + ",2,", "above 1"),
        (XP_MY + ",,both", "not one of buyer, seller"),
        (XP_MY.replace("0.05", "50"), "5.5 cents are 0.055"),
        (f"a,Bitmain,,200,3500,MY,,{RIG},FOB,500,100,2026-12-15,air,,us-texas,0.03", "packed weight"),
    ],
)
def test_faulty_offers_are_refused_with_row_and_remedy(tmp_path, net, book, row, said):
    with pytest.raises(FaultyInput) as error:
        one(tmp_path, net, book, row)
    assert said in str(error.value)
    for fault in error.value.faults:
        assert (fault.where, fault.row) == ("offers.csv", 2)
        assert fault.remedy


def test_every_fault_of_a_file_is_named_at_once(tmp_path, net, book):
    with pytest.raises(FaultyInput) as error:
        read(tmp_path, net, book, XP_MY.replace("FOB", "FCA"), XP_MY.replace("a,", "b,", 1).replace("2970", "x"))
    assert [fault.row for fault in error.value.faults] == [2, 3]


def test_an_empty_file_and_an_empty_list_are_refused(tmp_path, net, book, held, basis):
    with pytest.raises(FaultyInput, match="no offer"):
        read(tmp_path, net, book)
    with pytest.raises(FaultyInput, match="no offer"):
        offers.rank([], held, basis)
    with pytest.raises(FaultyInput, match="neither cash nor power"):
        offers.rank([one(tmp_path, net, book, XP_MY)], held, replace(basis, scarce="time"))
    with pytest.raises(FaultyInput, match="do not sum to 1"):
        offers.rank([one(tmp_path, net, book, XP_MY)], [replace(held[0], chance=0.5)], basis)


def test_what_the_book_cannot_tell_names_the_row(tmp_path, net, book, held, basis):
    with pytest.raises(Unresolved, match="row 2"):
        offers.rank([one(tmp_path, net, book, XP_MY.replace(",MY,,,", ",MY,,2710.19.30,"))], held, basis)
    short = (Branch("law", 1.0, ((ON, "law", rules.load()),)),)
    with pytest.raises(OutsideCoverage, match="row 2"):
        offers.rank([one(tmp_path, net, book, XP_MY)], short, basis)
    with pytest.raises(FaultyInput, match="take the whole price"):
        offers.rank([one(tmp_path, net, book, XP_MY.replace("FOB,2970", "CIF,100"))], held, basis)


# The verb


def test_the_verb_ranks_over_a_tree_and_prints_its_table(tmp_path, ask, run):
    tree = write(tmp_path, TREE, "tree.toml")
    late = XP_MY.replace("2026-12-15", "2027-02-01").replace("a,", "b,", 1)
    path = write(tmp_path, "\n".join([HEADER, XP_MY, late, ""]))
    document = ask("offers", path, "--on", ON, "--futures", tree, "--hashprice", 40, "--paths", 500)
    assert [branch["chance"] for branch in document["branches"]] == [0.75, 0.25]
    rates = {row["offer"]: row["duty_rate"] for row in document["offers"]}
    assert rates["a"]["high"] == pytest.approx(0.126)
    assert rates["b"]["high"] == pytest.approx(0.326)
    assert math.isclose(sum(row["chance_best"] for row in document["offers"]), 1)
    assert any("held" in note for note in document["notes"])
    code, out, _ = run("offers", path, "--on", ON, "--futures", tree, "--hashprice", 40)
    assert code == 0
    for words in ("2 offers", "action: 25.0 %", "Waiting", "hold of 60 days", "ESTIMATE"):
        assert words in out


def test_without_futures_the_law_is_held_and_the_day_is_the_last_one_vouched_for(tmp_path, ask):
    document = ask("offers", write(tmp_path, f"{HEADER}\n{XP_MY}\n"), "--paths", 200)
    assert document["on"] == ON.isoformat()
    assert document["branches"] == [{"branch": "law", "chance": 1.0}]
    assert any("held to the end" in note for note in document["notes"])


def test_the_verb_refuses_with_the_row(tmp_path, run):
    path = write(tmp_path, f"{HEADER}\n{XP_MY.replace('FOB', 'FCA')}\n")
    code, out, err = run("offers", path)
    assert (code, "row 2" in err, "Traceback" in out + err) == (1, True, False)
    assert run("offers", tmp_path / "none.csv")[0] == 1
    assert run("offers")[0] == 2
