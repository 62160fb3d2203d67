"""Capacitated location of any size: drawn at random on a plane, written as a supply-network folder, planned to 1e-6.

    python -m benchmarks.location_scale SITES CUSTOMERS CAPACITY FIXED [--seed 1] [--time 300]

Demand is 1 to 115 units a customer, a unit costs its distance on a square of 1,000 × 1,000, up to a quarter more;
opening a site costs FIXED, up to a fifth more or less. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from benchmarks import orlib

from ashore import network, plans
from ashore.rules import RuleBook


def drawn(sites: int, customers: int, capacity: float, fixed: float, seed: int) -> orlib.Warehouses:
    rng = np.random.default_rng(seed)
    site, customer = rng.random((sites, 2)) * 1000, rng.random((customers, 2)) * 1000
    demand = rng.integers(1, 116, customers).astype(float)
    away = np.linalg.norm(customer[:, None] - site[None], axis=2)
    serve = away * demand[:, None] * rng.uniform(1, 1.25, (customers, sites))
    opening = rng.uniform(0.8, 1.2, sites) * fixed
    rows = tuple(map(tuple, serve.tolist()))
    return orlib.Warehouses((capacity,) * sites, tuple(opening.tolist()), tuple(demand.tolist()), rows)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, kind in (("sites", int), ("customers", int), ("capacity", float), ("fixed", float)):
        parser.add_argument(name, type=kind)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time", type=float, default=300.0)
    given = parser.parse_args(words)
    span = (date(2020, 1, 1), date(2030, 1, 1))
    book = RuleBook("US", *span, span[1], (), {}, (), (), {}, {})  # all of it stays in another country
    case = drawn(given.sites, given.customers, given.capacity, given.fixed, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        net = network.load(orlib.write(case, Path(folder) / "case", "case"))
    begun = time.process_time()
    plan = plans.solve(net, book, date(2026, 12, 1), 1, time=given.time)
    found = {"sites": given.sites, "customers": given.customers, "status": plan.status, "cost_usd": plan.cost_usd}
    found |= {"gap": plan.gap, "open": plan.open.height, "cpu_seconds": round(time.process_time() - begun, 1)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
