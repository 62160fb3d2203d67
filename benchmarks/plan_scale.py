"""Time and memory of the planner by the number of branches.

    python benchmarks/plan_scale.py BRANCHES [--method auto|extensive|benders] [--gap 0.001] [--time 120] [--split 6]
    python benchmarks/plan_scale.py --compare S|M|L|BRANCHES [--gap 0.001] [--limit 600] [--memory 16]

A network of 10 plants (3 open), 8 products (two rigs of boards, fans, supplies and chips), 20 markets and 24 months;
the law is known up to month ``--split``, where one of BRANCHES equally likely duties and demands comes true.
Prints one JSON line: size, seconds, CPU-seconds, peak memory, bound and gap.

``--compare`` runs ashore and then the same model in Pyomo and in linopy (extensive form, HiGHS, the same gap and number
of threads), each in a process of its own, and prints a table in Markdown. It begins with a check that the three are the
same model: the linear relaxation of a tree of two branches has the same optimum. S has 10 branches, M 100, L 1,000.
A rival is stopped after ``--limit`` seconds of solving, and may use ``--memory`` GB. The rivals need
``pip install --group bench``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ashore import network, plans
from ashore.dates import month_date
from ashore.rules import Line, RuleBook, read_changes
from ashore.rules.model import ColumnRates

ROOT = Path(__file__).parents[1]
SIZES = {"S": 10, "M": 100, "L": 1000}
PROGRAMS = {"ashore": "plan_scale", "Pyomo": "rival_pyomo", "linopy": "rival_linopy"}
START, MONTHS = date(2026, 12, 1), 24
HTS = {"rig": "85437098", "board": "85439068", "chip": "85423100"}
PRODUCTS = (("rig-a", "rig"), ("rig-b", "rig"), ("board-a", "board"), ("board-b", "board"),
            ("chip-a", "chip"), ("chip-b", "chip"), ("fan", "board"), ("psu", "board"))  # fmt: skip
PARTS = (("rig-a", "board-a", 3), ("rig-a", "fan", 2), ("rig-a", "psu", 1), ("rig-b", "board-b", 3),
         ("rig-b", "fan", 4), ("rig-b", "psu", 1), ("board-a", "chip-a", 60), ("board-b", "chip-b", 90))  # fmt: skip


def law() -> RuleBook:
    """Three lines that owe nothing."""
    span = (date(2018, 1, 1), date(2040, 1, 1))
    rates = ColumnRates(*span, 0, 0, {}, "made up", "R", "", "")
    lines = {hts: Line(hts, "", "", frozenset(), *span, "", (rates,)) for hts in HTS.values()}
    countries = {code: code for code in ("US", "CN", "MY", "TH", "TW")}
    return RuleBook("US", span[0], date(2035, 1, 1), date(2035, 1, 1), (), lines, (), (), {}, countries)


def case(rng: np.random.Generator) -> network.Network:
    where = ["MY", "MY", "CN", "TH", "TH", "US", "US", "US", "US", "MY"]
    plants = [
        {
            "plant": f"plant-{k}", "company": "Acme", "country": country, "open": "yes" if k < 3 else "no",
            "open_usd": float(rng.integers(1, 6)) * 1e6, "fixed_usd_month": float(rng.integers(20, 90)) * 1e3,
            "lead_months": 6, "ramp_months": 2, "capacity_month": float(rng.integers(3000, 6000)),
        }
        for k, country in enumerate(where)
    ]  # fmt: skip
    makes = [
        {"plant": plant["plant"], "product": item, "cost_usd": float(rng.integers(50, 200)), "capacity_use": use}
        for plant in plants
        for item, use in (("rig-a", 1), ("rig-b", 1), ("board-a", 0.1), ("board-b", 0.1))
    ]
    supplies = [("chip-a", "TW", 9), ("chip-b", "TW", 7), ("fan", "CN", 12), ("psu", "CN", 90)]
    ends = ("US", "CN", "MY", "TH", "TW")
    lanes = [
        {"from": a, "to": b, "mode": mode, "usd_per_kg": kg, "usd_per_unit": 1, "days": days}
        for a in ends
        for b in ends
        for mode, kg, days in (("air", 6.0, 4), ("ocean", 0.8, 35))
        if mode == "air" or a != b
    ]
    markets = [(f"market-{k:02}", "US" if k < 12 else ("MY", "TH")[k % 2]) for k in range(20)]
    return network.load(
        {
            "products": [
                {"product": p, "maker": "Acme", "kind": kind, "hts": HTS[kind], "weight_kg": 12 if kind == "rig" else 1}
                for p, kind in PRODUCTS
            ],
            "parts": [
                {"product": p, "part": q, "quantity": n, "essential": "yes" if q[:5] == "board" else "no"}
                for p, q, n in PARTS
            ],
            "plants": plants,
            "makes": makes,
            "supplies": [{"product": p, "origin": o, "price_usd": usd} for p, o, usd in supplies],
            "lanes": lanes,
            "markets": [{"market": m, "country": c} for m, c in markets],
            "demand": [
                {"market": m, "product": p, "month": None, "units": float(rng.integers(50, 250)), "lost_usd": 4000}
                for m, _ in markets
                for p in ("rig-a", "rig-b")
            ],
        },
        {"name": "scale", "currency": "USD", "origin_rule": "board", "hold_usd_month": 5, "discount_year": 0.08},
    )


def futures(rng: np.random.Generator, base: RuleBook, net: network.Network, branches: int, split: int) -> plans.Futures:
    day = month_date(START, split)
    nodes, demand = [plans.Node("now", None, START, 1.0, base)], []
    for b in range(branches):
        rates = {"MY": round(float(rng.uniform(0, 0.5)), 3), "CN": round(float(rng.uniform(0.1, 1.0)), 3)}
        items: list[dict[str, Any]] = [
            {"heading": f"H-{o}", "authority": "made up", "origins": [o], "products": "8543", "rate": rate}
            for o, rate in rates.items()
        ]
        book = base.under(read_changes(items, base, "b", []), since=day)
        nodes.append(plans.Node(f"b{b}", "now", day, 1 / branches, book))
        growth = float(rng.uniform(0.6, 1.5))
        demand += [plans.NodeDemand(f"b{b}", r.market, r.product, None, round(r.units * growth)) for r in net.demand]
    return plans.Futures(tuple(nodes), tuple(demand))


def asked(branches: int, split: int) -> tuple[network.Network, RuleBook, plans.Futures]:
    """The network, the law and the tree of so many branches."""
    rng = np.random.default_rng(1)
    net, base = case(rng), law()
    return net, base, futures(rng, base, net, branches, split)


def relaxed_usd(branches: int, split: int) -> float:
    """Least cost of the extensive form if openings may be fractions."""
    from ashore.plans.posed import pose
    from ashore.plans.solver import Limits, run

    net, base, tree = asked(branches, split)
    arrays = pose(net, base, START, MONTHS, tree).arrays
    return run(replace(arrays, integer=np.zeros(arrays.columns, dtype=bool)), Limits()).objective


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("branches", type=int, nargs="?")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--time", type=float)
    parser.add_argument("--split", type=int, default=6)
    parser.add_argument("--relax", action="store_true", help="only the linear relaxation of the extensive form")
    parser.add_argument("--compare", metavar="SIZE", help="S, M, L or a number of branches")
    parser.add_argument("--limit", type=float, default=600, help="seconds of solving after which a rival is stopped")
    parser.add_argument("--memory", type=float, default=16, help="GB that a rival may use")
    words = parser.parse_args()
    if words.compare:
        compare(SIZES.get(words.compare) or int(words.compare), words)
    elif words.branches is None:
        parser.error("how many branches?")
    elif words.relax:
        print(json.dumps({"objective_usd": relaxed_usd(words.branches, words.split)}))
    else:
        measure(words)


def measure(words: argparse.Namespace) -> None:
    """One plan, as a user would ask for it."""
    net, base, tree = asked(words.branches, words.split)
    begun = time.process_time()
    plan = plans.solve(net, base, START, MONTHS, tree, gap=words.gap, time=words.time, method=words.method)
    figures = {
        "branches": words.branches, "method": plan.method, "status": plan.status, "columns": plan.columns,
        "rows": plan.rows, "cpu_seconds": round(time.process_time() - begun, 2), **plan.seconds,
        "objective_usd": plan.objective_usd, "bound_usd": plan.bound_usd, "gap": plan.gap,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "open": plan.open.select("plant", "node", "month").rows()[:8],
    }  # fmt: skip
    print(json.dumps(figures))


# -- against modelling languages --------------------------------------------------------------------------------------
def compare(branches: int, words: argparse.Namespace) -> None:
    """The table: one row a program, each in a process of its own, one after the other."""
    common = ["--split", str(words.split)]
    optima = {}
    for name, module in PROGRAMS.items():
        found = process(module, ["2", "--relax", "--gap", "0", *common], words.memory, words.limit)
        if found.get("objective_usd") is None:
            sys.exit(f"{name} gives no optimum of the relaxation: {found}")
        optima[name] = found["objective_usd"]
    if max(optima.values()) - min(optima.values()) > 1e-6 * abs(optima["ashore"]):
        sys.exit(f"These are not the same model: linear relaxations {optima}")
    print(f"Linear relaxation of two branches, USD: {', '.join(f'{k} {usd:,.4f}' for k, usd in optima.items())}\n")
    heads = (
        "program",
        "columns × rows",
        "model made",
        "solved",
        "together",
        "peak memory",
        "objective",
        "gap",
        "ended",
    )
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    first: float | None = None
    for name, module in PROGRAMS.items():
        limits = ["--time", str(words.limit)] if name != "ashore" or words.time is None else ["--time", str(words.time)]
        found = process(module, [str(branches), "--gap", str(words.gap), *limits, *common], words.memory, words.limit)
        total = found.get("cpu_seconds") or sum(found.get(key, 0.0) for key in ("make_cpu", "load_cpu", "solve_cpu"))
        first = first if first is not None else total
        print(f"| {name} | {' | '.join(cells(found, total, first))} |", flush=True)


def cells(found: dict[str, Any], total: float, first: float) -> list[str]:
    """Figures of one program as text; seconds are CPU-seconds, those of making ashore's model seconds of the clock."""
    made = found["build"] if "build" in found else found.get("make_cpu", 0.0) + found.get("load_cpu", 0.0)
    best, bound = found.get("objective_usd"), found.get("bound_usd")
    gap = "no bound" if bound is None else "no plan" if best is None else f"{(best - bound) / abs(best):.1e}"
    times = f" ({total / first:,.1f} ×)" if first and total != first else ""
    size = f"{found['columns']:,} × {found['rows']:,}" if "columns" in found else "–"
    plan = "–" if best is None else f"{best:,.0f}"
    return [
        size, f"{made:,.2f}", f"{total - made:,.1f}", f"{total:,.1f}{times}", f"{found['peak_mb'] / 1024:,.2f} GB",
        plan, gap, found["status"],
    ]  # fmt: skip


def process(module: str, words: Sequence[str], gigabytes: float, seconds: float) -> dict[str, Any]:
    """The last JSON line of a program run by itself; one stopped by a limit says so in ``status``.

    The CPU of a process is limited to four times the seconds of solving, for what a solver does not count; one that
    waits for nothing is ended after ten times as long.
    """
    limits = f'ulimit -t {int(4 * seconds) + 120} && ulimit -v {int(gigabytes * 2**20)} && exec "$0" "$@"'
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(
            ["sh", "-c", limits, sys.executable, "-m", f"benchmarks.{module}", *words],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, stdout=out, stderr=err,
        )  # fmt: skip
        ended, code, used = 0, 0, None
        patience = time.monotonic() + 10 * seconds + 600
        while not ended:
            time.sleep(0.1)
            ended, code, used = os.wait4(child.pid, os.WNOHANG)
            if time.monotonic() > patience:
                child.kill()
        child.returncode = os.waitstatus_to_exitcode(code)
        out.seek(0)
        err.seek(0)
        lines, said = [line for line in out if line.startswith("{")], err.read()
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {"status": "nothing"}
    if child.returncode:
        memory = "MemoryError" in said or "bad_alloc" in said
        why = "out of memory" if memory else " ".join(said.strip().splitlines()[-1:]) or f"code {child.returncode}"
        found["status"] = f"stopped after '{found['status']}': {why}"
    return {**found, "peak_mb": used.ru_maxrss // 1024}


if __name__ == "__main__":
    main()
