"""A network small enough to reckon by hand, written to a folder; tests change it table by table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from ashore.cli import main

pytest.register_assert_rewrite("tests.toy")  # what it asserts of every plan is told like the tests' own

settings.register_profile("house", deadline=None)  # timings belong to the benchmarks
settings.load_profile("house")

TINY: dict[str, str] = {
    "products": (
        "product,maker,kind,hts,weight_kg,hash_ths,power_w,source,note\n"
        "rig,Acme,rig,8543.70.98.60,20,200,3500,,\n"
        "board,Acme,board,8543.90.68.00,1.5,,,,\n"
        "chip,Foundry,chip,8542.39.00.10,0.01,,,,\n"
    ),
    "parts": "product,part,quantity,essential\nrig,board,3,yes\nboard,chip,100,\n",
    "plants": (
        "plant,company,country,open,open_usd,fixed_usd_month,lead_months,ramp_months,capacity_month\n"
        "Penang,Acme,MY,yes,0,50000,0,0,5000\n"
        "Texas,Acme,US,no,2000000,80000,6,2,3000\n"
    ),
    "makes": (
        "plant,product,cost_usd,customs_value_usd,capacity_use,confers_origin,source,note\n"
        "Penang,rig,150,,1,yes,,\n"
        "Penang,board,60,,0.2,yes,,\n"
        "Texas,rig,220,,1,no,,estimate of the plant's builder\n"
    ),
    "supplies": "product,origin,price_usd,limit_month\nchip,CN,4,\n",
    "lanes": (
        "from,to,mode,usd_per_kg,usd_per_unit,days\n"
        "CN,MY,air,3,,4\n"
        "Penang,US,air,7.5,2,5\n"
        "Penang,US,ocean,0.4,1,35\n"
        "Penang,Dallas,air,7,2,5\n"
        "Texas,Dallas,truck,0.2,5,2\n"
    ),
    "markets": "market,country,power_usd_kwh\nDallas,US,0.05\n",
    "demand": "market,product,month,units,price_usd,lost_usd\nDallas,rig,,100,3500,500\n",
    "network": (
        'name = "Tiny"\ncurrency = "USD"\norigin_rule = "board"\nhold_usd_month = 10\n'
        "discount_year = 0.08\ninsurance_share = 0.003\n"
    ),
}


def tiny_network(folder: Path, **overrides: str | Callable[[str], str] | None) -> Path:
    """Write the nine files of the tiny network into a folder and return it.

    One keyword a file (``products``, …, ``network`` for network.toml): a text replaces the file, a function edits
    the text, None leaves the file out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unknown = set(overrides) - set(TINY)
    assert not unknown, f"no such file in the tiny network: {unknown}"
    for name, text in TINY.items():
        change = overrides.get(name, text)
        written = change(text) if callable(change) else change
        path = folder / ("network.toml" if name == "network" else f"{name}.csv")
        if written is not None:
            path.write_text(written, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    """The tiny network as it stands."""
    return tiny_network(tmp_path / "tiny")


@pytest.fixture
def run(capsys):
    """Runs one command line: (exit code, standard output, standard error)."""

    def call(*words):
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    return call


@pytest.fixture
def ask(run):
    """Runs one command line with --json and gives its document; the code must be 0."""

    def call(*words):
        code, out, err = run(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    return call
