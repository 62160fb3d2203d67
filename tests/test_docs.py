"""The pages of the reference say what the program takes and gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from tests.conftest import tiny_network

from ashore import cli

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
SECTIONS = dict(
    re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", (REFERENCE / "commands.md").read_text("utf-8"), re.M | re.S)
)
CODE = {
    word
    for page in REFERENCE.glob("*.md")
    for code in re.findall(r"`([^`\n]+)`", page.read_text("utf-8"))
    for word in re.findall(r"\w+", code)
}
TODAY = "2026-11-22"
FUTURES = """
[[node]]
id = "now"
from = 2026-11-22
[[node]]
id = "nothing"
parent = "now"
from = 2027-04-22
chance = 0.6
[[node]]
id = "action"
parent = "now"
from = 2027-04-22
chance = 0.4
[[node.change]]
heading = "excess capacity"
authority = "Section 301"
origins = ["MY"]
products = ["rig"]
kind = "add"
rate = 0.25
"""
FILES = {
    "futures.toml": FUTURES,
    "lines.csv": "hts,origin,entry_date,value_usd\n8543.70.98,MY,2026-11-22,2970\n",
    "series.csv": "date,price_usd,fees_btc\n2026-05-01,88000,0.03\n",
    "rigs.csv": "ip,model,units\n10.0.0.1,Antminer S21,10\n",
    "lists/simple-2026-11-20.csv": "name,aliases,list\nBrightforge Semiconductor,,1260H\n",
    "parties.csv": "name,owners\nBrightforge Semiconductor,Holding: 0.5\n",
    "bom.csv": "product,part,maker\nrig,board,Brightforge Semiconductor\n",
    "market/market.toml": 'demand = "logit"\nconduct = "bertrand"\nmarket_elasticity = -1.5\n',
    "market/goods.csv": "good,maker,price_usd,units,margin,rate_before,rate_after\n"
    "s21,Bitmain,3000,820,0.3,,\nm60,MicroBT,2900,150,,0.1,0.3\n",
    "market/routes.csv": "good,maker,route,extra_usd,rate_before,rate_after\ns21,Bitmain,my,0,0.1,0.3\n",
    "offers.csv": "offer,maker,product,origin,origins,incoterm,price_usd,units,ship_date,mode,market,power_usd_kwh\n"
    'a,Bitmain,s21-xp,MY,"MY:0.9,CN:0.1",FOB,2970,500,2026-12-15,air,us-texas,0.05\n',
}
PLAN = ("tiny", "--months", "12", "--futures", "futures.toml")
RIG = ("--hts", "8543.70.98", "--on", TODAY, "--value", "2970")
ASKED = [
    ("duty", "--from", "CN", *RIG),
    ("duty", "--origins", "MY:0.7,CN:0.3", *RIG),
    ("duty", "--lines", "lines.csv", "--out", "rated.csv"),
    ("rules", "--hts", "8543.70.98"),
    ("rules", "--diff", "2026-07-23", "2026-07-24", "--hts", "8543.70.98"),
    ("check",),
    ("check", "tiny", "--futures", "futures.toml"),
    ("case", "list"),
    ("case", "copy", "rigs-2026"),
    ("land", "tiny", "--on", TODAY),
    ("plan", *PLAN, "--options", "--why", "Texas", "--frontier", "3", "--breakeven", "excess capacity"),
    ("plan", *PLAN, "--objective", "regret"),
    ("report", *PLAN),
    ("worth", "--ths", "270", "--watts", "3645", "--price-usd-ths", "11", "--power-usd-kwh", "0.055"),
    ("series", "series.csv"),
    ("offers", "offers.csv"),
    ("clear", "market"),
    ("clear", "rigs-2026"),
    ("clear", "--size", "2028"),
    ("clear", "--moves", "--candidates", "canaan-us-box", "--step", "36"),
    ("grid", "--mw", "2000"),
    ("concentration",),
    ("concentration", "tiny", "--on", TODAY),
    ("fleet", "import", "rigs.csv"),
    ("fleet", "audit", "fleet.csv", "--power-usd-kwh", "0.05"),
    ("screen", "parties.csv", "--lists", "lists", "--on", TODAY, "--bom", "bom.csv"),
    ("screen", "fetch"),
]  # fmt: skip


def commands(app: App, name: str) -> Iterator[tuple[str, App]]:
    if app.default_command is not None:
        yield name, app
    for word in app:
        if not word.startswith("-"):
            yield from commands(app[word], f"{name} {word}")


OPTIONS = {
    name: {
        option
        for argument in app.assemble_argument_collection()
        if argument.show and argument.index is None
        for option in argument.names
    }
    for name, app in commands(cli.app, "ashore")
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_section_of_a_command_names_its_options_and_no_others(name):
    section = SECTIONS["ashore case" if name.startswith("ashore case") else name]
    first_cells, also = (
        re.findall(r"^\| (`--[^|]*) \|", section, re.M),
        re.findall(r"^Also (.*?)(?:\n\n|\Z)", section, re.M | re.S),
    )
    told = {option for text in (*first_cells, *also) for option in re.findall(r"`(--[a-z][\w-]*)", text)}
    assert told == OPTIONS[name]


@pytest.mark.parametrize("words", ASKED, ids=lambda words: " ".join(words[:2]))
def test_every_key_of_an_answer_stands_in_the_reference(tmp_path, monkeypatch, ask, words):
    """Of the document, and of the rows of its lists."""
    monkeypatch.chdir(tmp_path)
    tiny_network(tmp_path / "tiny")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    if words[:2] == ("fleet", "audit"):
        ask("fleet", "import", "rigs.csv")
    document: dict[str, Any] = ask(*words)
    by_name = {"replies"}  # its rows have a key for each maker
    rows = [row for name, value in document.items() if name not in by_name and isinstance(value, list) for row in value]
    keys = {key for row in rows if isinstance(row, dict) for key in row}
    assert not (keys | set(document)) - CODE
