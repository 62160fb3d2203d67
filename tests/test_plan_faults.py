"""Plans that cannot be, asked for on the command line: each is named in words, with exit code 1 and no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import tiny_network

from ashore import cli

ROOT = '[[node]]\nid = "now"\nfrom = 2026-11-01\n'


def child(name: str, chance: float, start: str = "2027-02-01", parent: str = "now") -> str:
    return f'[[node]]\nid = "{name}"\nparent = "{parent}"\nfrom = {start}\nchance = {chance}\n'


def must_serve(text: str) -> str:
    """The demand without a cost of losing it."""
    return text.replace("3500,500", "3500,")


def nowhere(text: str) -> str:
    """The lanes without those into the country of the market."""
    return text.replace("Penang,US", "Penang,MX").replace("Penang,Dallas", "Penang,MY").replace("Texas,Dallas", "US,MX")


Files = dict[str, str | Callable[[str], str]]
IMPOSSIBLE: list[tuple[str, Files, str, list[str]]] = [
    (
        "parts in a circle",
        {"parts": lambda text: text + "chip,rig,1,\n"},
        "",
        ["parts.csv, row 4", "The parts go in a circle: rig needs board needs chip needs rig"],
    ),
    (
        "a market nothing reaches",
        {"lanes": nowhere, "demand": must_serve},
        "",
        ["Demand for rig in Dallas in months 0 to 5 cannot be met", "no lane reaches Dallas from Penang", "lost_usd"],
    ),
    (
        "more than there is room for",
        {"demand": lambda text: must_serve(text).replace(",100,", ",9000,")},
        "",
        ["Demand for rig in Dallas", "is short of", "the capacity of Penang, 5,000 a month, binds", "Raise what binds"],
    ),
    (
        "a candidate that is ready too late",
        {
            "demand": must_serve,
            "plants": lambda text: text.replace("Penang,Acme,MY,yes", "Penang,Acme,MY,no").replace(
                "0,0,5000", "2,0,5000"
            ),
        },
        "",
        ["in months 0 to 1 cannot be met", "the first rig can be there in month 2"],
    ),
    (
        "a profit without end",
        {"makes": lambda text: text.replace("rig,150", "rig,-150")},
        "",
        ["makes.csv, row 2, column cost_usd", "-150 is below 0"],
    ),
    (
        "chances that do not sum to 1",
        {},
        ROOT + child("up", 0.5) + child("down", 0.4),
        ["The chances below 'now' (up, down) sum to 0.9, not 1", "Change them by +0.1"],
    ),
    (
        "branches that overlap",
        {},
        ROOT + child("up", 0.5) + child("down", 0.5, "2027-03-01"),
        ["The branches below 'now' (up, down) overlap: they start on 2027-02-01 and 2027-03-01"],
    ),
    (
        "nodes in a circle",
        {},
        ROOT + child("up", 1, parent="down") + child("down", 1, parent="up"),
        ["The nodes go round in a circle: down > up > down"],
    ),
    (
        "a branch after the last month",
        {},
        ROOT + child("up", 1, "2028-01-01"),
        ["The plan's last month starts on 2027-04-01, before up", "Plan --months 15"],
    ),
]


def asked(folder: Path, files: Files, futures: str) -> list[str]:
    words = ["plan", str(tiny_network(folder / "tiny", **files)), "--start", "2026-11-01", "--months", "6"]
    if futures:
        path = folder / "futures.toml"
        path.write_text(futures, encoding="utf-8")
        words += ["--futures", str(path)]
    return words


@pytest.mark.parametrize(
    ("files", "futures", "said"), [row[1:] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE]
)
def test_what_cannot_be_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: Files, futures: str, said: list[str]
) -> None:
    words = asked(tmp_path, files, futures)
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (1, "")
    assert not [words for words in said if words not in err], err
    with pytest.raises(SystemExit) as end:
        cli.main([*words, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert end.value.code == 1
    assert document["faults"]
    assert all(fault["what"] and fault["remedy"] for fault in document["faults"])


@pytest.mark.parametrize("method", ["extensive", "benders"])
def test_demand_that_only_one_branch_cannot_meet_is_named_with_the_branch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    words = asked(tmp_path, {"demand": must_serve}, "")
    tree = tmp_path / "tree"
    tree.mkdir()
    nodes = "node,parent,from,chance\nnow,,2026-11-01,\ncalm,now,2027-02-01,1\nrush,now,2027-02-01,0\n"
    (tree / "nodes.csv").write_text(nodes, encoding="utf-8")
    (tree / "demand.csv").write_text("node,market,product,month,units\nrush,Dallas,rig,4,1000000\n", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        cli.main([*words, "--futures", str(tree), "--method", method])
    assert end.value.code == 1
    assert "Demand for rig in Dallas in month 4 of node 'rush' is short of" in capsys.readouterr().err
