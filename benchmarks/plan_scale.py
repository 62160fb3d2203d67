"""Time and memory of the planner by the number of branches.

    python benchmarks/plan_scale.py BRANCHES [--method auto|extensive|benders] [--gap 0.001] [--time 120] [--split 6]

A network of 10 plants (3 open), 8 products (two rigs of boards, fans, supplies and chips), 20 markets and 24 months;
the law is known up to month ``--split``, where one of BRANCHES equally likely duties and demands comes true.
Prints one JSON line: size, seconds, CPU-seconds, peak memory, bound and gap.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from datetime import date
from typing import Any

import numpy as np

from ashore import network, plans
from ashore.plans.calendar import month_date
from ashore.rules import Line, RuleBook, read_changes
from ashore.rules.model import ColumnRates

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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("branches", type=int)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--time", type=float)
    parser.add_argument("--split", type=int, default=6)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    net, base = case(rng), law()
    tree = futures(rng, base, net, asked.branches, asked.split)
    begun = time.process_time()
    plan = plans.solve(net, base, START, MONTHS, tree, gap=asked.gap, time=asked.time, method=asked.method)
    figures = {
        "branches": asked.branches, "method": plan.method, "status": plan.status, "columns": plan.columns,
        "rows": plan.rows, "cpu_seconds": round(time.process_time() - begun, 2), **plan.seconds,
        "objective_usd": plan.objective_usd, "bound_usd": plan.bound_usd, "gap": plan.gap,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "open": plan.open.select("plant", "node", "month").rows()[:8],
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
