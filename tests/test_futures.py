"""Trees of futures: what is read, and every way in which one can be wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ashore import duties, network, plans
from ashore.dates import month_date
from ashore.errors import FaultyInput
from ashore.network import Network
from ashore.plans.calendar import lay_out
from ashore.rules import Line, RuleBook, read_changes
from ashore.rules.model import ColumnRates

START = date(2026, 12, 1)
RIG, CHIP = "85437098", "85423100"


@pytest.fixture
def book() -> RuleBook:
    """Two lines that owe nothing but one duty of 10 per cent on goods of Malaysia."""
    span = (date(2018, 1, 1), date(2040, 1, 1))
    rates = ColumnRates(*span, 0, 0, {}, "toy", "R", "", "")
    lines = {hts: Line(hts, "", "", frozenset(), *span, "", (rates,)) for hts in (RIG, CHIP)}
    countries = {code: code for code in ("US", "CN", "MY", "TW")}
    base = RuleBook("US", span[0], date(2027, 1, 1), date(2027, 1, 1), (), lines, (), (), {}, countries)
    item = {"heading": "base", "authority": "toy act", "origins": ["MY"], "products": "*", "rate": 0.1}
    return base.under(read_changes([item], base, "toy", []))


@pytest.fixture
def net() -> Network:
    settings = {"name": "n", "currency": "USD", "origin_rule": "board", "hold_usd_month": 50, "discount_year": 0}
    tables = {
        "products": [
            {"product": "s21", "maker": "Acme", "kind": "rig", "hts": RIG, "weight_kg": 1},
            {"product": "bm1370", "maker": "Fab", "kind": "chip", "hts": CHIP, "weight_kg": 0},
        ],
        "parts": [{"product": "s21", "part": "bm1370", "quantity": 1}],
        "plants": [
            {
                "plant": "penang",
                "company": "Acme",
                "country": "MY",
                "open": "yes",
                "open_usd": 0,
                "fixed_usd_month": 0,
                "lead_months": 0,
                "ramp_months": 0,
                "capacity_month": 100,
            }
        ],
        "makes": [{"plant": "penang", "product": "s21", "cost_usd": 1}],
        "supplies": [{"product": "bm1370", "origin": "TW", "price_usd": 99}],
        "lanes": [
            {"from": "MY", "to": "US", "mode": "air", "days": 3},
            {"from": "TW", "to": "MY", "mode": "air", "days": 3},
        ],
        "markets": [{"market": "texas", "country": "US"}],
        "demand": [{"market": "texas", "product": "s21", "month": None, "units": 10}],
    }
    return network.load(tables, settings)


GOOD = """
name = "three ways"

[[node]]
id = "later"
parent = "now"
from = 2027-03-01
chance = 0.25
note = "children may stand before their parents"
[[node.change]]
heading = "new act"
authority = "new"
origins = ["MY"]
products = ["rig"]
kind = "add"
rate = 0.25

[[node]]
id = "now"
from = 2026-12-01

[[node]]
id = "repeal"
parent = "now"
from = 2027-03-01
chance = 0.75
[[node.change]]
rule = "base"
until = 2027-03-01
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "futures.toml"
    path.write_text(text, encoding="utf-8")
    return path


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def refused(path: Path, book: RuleBook, net: Network | None = None) -> str:
    with pytest.raises(FaultyInput) as error:
        plans.read_futures(path, book, net)
    for fault in error.value.faults:
        assert fault.what
        assert fault.remedy
    return str(error.value)


def test_a_file_is_read_parents_first_and_each_node_has_its_law(tmp_path: Path, book: RuleBook, net: Network) -> None:
    futures = plans.read_futures(written(tmp_path, GOOD), book, net)
    assert [node.name for node in futures.nodes] == ["now", "later", "repeal"]
    assert [node.chance for node in futures.nodes] == [1.0, 0.25, 0.75]
    day = date(2027, 5, 1)
    held = futures.hold(date(2028, 1, 1))
    rates = {node.name: duties.total_rate(node.book, RIG, "MY", day) for node in held.nodes}
    assert rates == pytest.approx({"now": 0.1, "later": 0.35, "repeal": 0.0})
    assert duties.total_rate(held.nodes[1].book, CHIP, "MY", day) == pytest.approx(0.1)
    assert any("vouches for no day from 2027-01-01 on" in note for note in held.notes)
    assert futures.as_dict()["name"] == "three ways"


def test_products_of_a_new_rule_may_be_names_kinds_prefixes_or_all(
    tmp_path: Path, book: RuleBook, net: Network
) -> None:
    for words, chip in (('["s21"]', 0.1), ('["rig", "chip"]', 0.35), ('["8542"]', 0.35), ('"*"', 0.35)):
        text = GOOD.replace('["rig"]', words)
        node = plans.read_futures(written(tmp_path, text), book, net).hold(date(2028, 1, 1)).nodes[1]
        assert duties.total_rate(node.book, CHIP, "MY", date(2027, 5, 1)) == pytest.approx(chip)
    assert "Did you mean 'rig'?" in refused(written(tmp_path, GOOD.replace('["rig"]', '["rigs"]')), book, net)


def test_a_folder_says_the_same_in_bulk(tmp_path: Path, book: RuleBook, net: Network) -> None:
    path = folder(
        tmp_path,
        nodes="node,parent,from,chance\nnow,,2026-12-01,\nup,now,2027-03-01,0.5\nsame,now,2027-03-01,0.5\n",
        changes="node,rule,rate,until\nup,base,0.3,\n",
        demand="node,market,product,month,units\nup,texas,s21,,20\nsame,texas,s21,3,0\n",
    )
    futures = plans.read_futures(path, book, net)
    assert [node.name for node in futures.nodes] == ["now", "up", "same"]
    plan = plans.solve(net, book, START, 5, futures)
    units = dict(plan.served.group_by("node").agg(units=plans.decode.pl.col("units").sum()).rows())
    assert units == pytest.approx({"now": 30, "up": 40, "same": 10})
    assert plan.duty_usd == pytest.approx(100 * (30 * 0.1 + 0.5 * 40 * 0.3 + 0.5 * 10 * 0.1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'parent = "now"\nfrom = 2027-03-01\nchance = 0.25',
            'parent = "nwo"\nfrom = 2027-03-01',
            "Did you mean 'now'?",
        ),
        ("chance = 0.25", "chance = 0.2", "sum to 0.95, not 1"),
        ("chance = 0.25", "", "'later' has no chance"),
        ("chance = 0.25", "chance = 1.25", "chance = 1.25 is not a chance"),
        ("chance = 0.25", "chnace = 0.25", "Did you mean 'chance'?"),
        ('id = "now"', 'id = "now"\nparent = "later"', "go round in a circle"),
        ('id = "later"', 'id = "repeal"', "'repeal' stands twice"),
        ('id = "later"', "", "has no id"),
        ('id = "later"\nparent = "now"', 'id = "later"', "Several nodes have no parent"),
        ("from = 2026-12-01", "from = 2027-04-01", "before its parent"),
        ("from = 2026-12-01", 'from = "soon"', "is not a date"),
        (
            "from = 2027-03-01\nchance = 0.25",
            "from = 2027-02-01\nchance = 0.25",
            "overlap: they start on 2027-02-01 and",
        ),
        ("rate = 0.25", "rate = 25", "Rates are shares"),
        ("rate = 0.25", "rte = 0.25", "rate"),
        ('rule = "base"', 'rule = "bass"', "base"),
        ('name = "three ways"', 'nmae = "x"', "Did you mean 'name'?"),
        ('id = "now"', 'id = "now"\nchance = 0.5', "holds for certain"),
        ('name = "three ways"', "name = three", "This is not TOML"),
    ],
)
def test_a_faulty_file_says_what_is_wrong(tmp_path: Path, book: RuleBook, old: str, new: str, said: str) -> None:
    assert old in GOOD
    text = GOOD.replace('["rig"]', '"*"').replace(old, new, 1)
    assert said in refused(written(tmp_path, text), book)


def test_all_faults_come_at_once(tmp_path: Path, book: RuleBook) -> None:
    text = GOOD.replace('["rig"]', '"*"').replace("chance = 0.25", "chance = 0.1").replace("rate = 0.25", "rate = 25")
    said = refused(written(tmp_path, text.replace('rule = "base"', 'rule = "bass"')), book)
    for words in ("sum to 0.85", "Rates are shares", "bass"):
        assert words in said
    assert refused(written(tmp_path, ""), book)
    assert "no such file" in refused(tmp_path / "absent.toml", book)


def test_faulty_folders(tmp_path: Path, book: RuleBook, net: Network) -> None:
    path = folder(
        tmp_path,
        nodes="node,parent,from,chance\nnow,,2026-12-01,\nup,now,2027-03-01,1\n",
        changes="node,rule,rate,until\nupp,base,0.3,\n",
        demand="node,market,product,month,units\nup,texsa,s21,,20\nup,texas,s22,,-1\ndown,texas,s21,,1\n",
    )
    said = refused(path, book, net)
    for words in ("no node 'upp'", "no node 'down'", "Did you mean 'texas'?", "-1"):
        assert words in said
    empty = folder(
        tmp_path, nodes="node,parent,from,chance\n", changes="node,rule\n", demand="node,market,product,units\n"
    )
    assert "There is no node" in refused(empty, book)


def test_a_tree_must_fit_the_months_of_the_plan(tmp_path: Path, book: RuleBook, net: Network) -> None:
    futures = plans.read_futures(written(tmp_path, GOOD), book, net)
    with pytest.raises(FaultyInput, match="Plan --months 4"):
        plans.solve(net, book, START, 3, futures)
    with pytest.raises(FaultyInput, match="holds from 2026-12-01, but the plan starts on 2026-11-01"):
        plans.solve(net, book, date(2026, 11, 1), 8, futures)
    text = "node,market,product,month,units\nup,texas,s21,1,20\n"
    path = folder(tmp_path, nodes="node,parent,from,chance\nnow,,2026-12-01,\nup,now,2027-03-01,1\n", demand=text)
    with pytest.raises(FaultyInput, match="Month 1 is not in node 'up'"):
        plans.solve(net, book, START, 6, plans.read_futures(path, book, net))


def test_months_and_moments(book: RuleBook) -> None:
    assert [month_date(date(2026, 11, 30), k) for k in (0, 3, 14)] == [
        date(2026, 11, 30),
        date(2027, 2, 28),
        date(2028, 1, 30),
    ]
    nodes = (
        plans.Node("root", None, START, 1.0, book),
        plans.Node("a", "root", START, 0.4, book),
        plans.Node("b", "root", START, 0.6, book),
        plans.Node("a1", "a", date(2027, 1, 15), 1.0, book),
    )
    calendar = lay_out(plans.Futures(nodes), START, 4, 0.1)
    slots = [(calendar.nodes[n], int(m)) for n, m in zip(calendar.node, calendar.month, strict=True)]
    assert slots == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2), ("b", 3), ("a1", 2), ("a1", 3)]
    moments = [(calendar.nodes[n], int(m)) for n, m in zip(calendar.moment_node, calendar.moment_month, strict=True)]
    assert moments == [("root", 0), ("a", 1), ("b", 1), ("b", 2), ("b", 3), ("a1", 2), ("a1", 3)]
    assert calendar.ancestor(2).tolist() == [-1, -1, -1, -1, 2, 3, 0, 1]
    assert calendar.chance.tolist() == pytest.approx([0.4, 0.4, 0.6, 0.6, 0.6, 0.6, 0.4, 0.4])
    assert calendar.over_leaves(np.ones((8, 1)))[:, 0].tolist() == [4, 3, 4, 3, 2, 1, 2, 1]
