"""OR-Library capacitated warehouse location (J. E. Beasley) as a supply-network folder.

    python benchmarks/orlib.py cap61.txt FOLDER
    python benchmarks/orlib.py cap61.txt FOLDER FUTURES [SEED]

File: m warehouses, n customers; then for each warehouse its capacity and fixed cost; then for each customer its demand
and the cost of serving all of that demand from each warehouse. A warehouse becomes a candidate plant that can open in
month 0, a customer a market, the cost of serving (over the demand) the cost of a lane a unit. The least cost of
``ashore plan FOLDER --months 1`` is the published optimum.

With FUTURES, the case with tail risk of Ramírez-Pico, Ljubić and Moreno (arXiv 2203.00752): the first column is the
cost of opening and the second the capacity, demand is drawn in 1,000 equally likely branches, known only once the
warehouses are chosen, and what is opened must be able to serve the demand of the file as well. The latter is a branch
of chance 0 without demand of its own: it must be feasible and costs nothing. The least objective of
``ashore plan FOLDER --futures FUTURES --months 1 --risk 1 --tail 0.9`` is the published optimum.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

OPTIMA = {
    "cap61": 932615.750,
    "cap62": 977799.400,
    "cap63": 1014062.050,
    "cap64": 1045650.250,
    "cap71": 932615.750,
    "cap72": 977799.400,
    "cap73": 1010641.450,
    "cap74": 1034976.975,
    "cap101": 796648.437,
    "cap102": 854704.200,
    "cap103": 893782.112,
    "cap104": 928941.750,
}
TAIL_OPTIMA = {"cap61": 715127.035874, "cap71": 1061271.035874, "cap74": 834714.512280}  # seed 1
BRANCHES = 1000
PRODUCT = "unit"
COUNTRY = "GB"  # one country without a tariff book, so that no duty is owed


@dataclass(frozen=True)
class Warehouses:
    """capacity, fixed: of each warehouse; demand: of each customer; serve[j][i]: all of customer j from i."""

    capacity: tuple[float, ...]
    fixed: tuple[float, ...]
    demand: tuple[float, ...]
    serve: tuple[tuple[float, ...], ...]


def read(path: Path) -> Warehouses:
    words = iter(path.read_text(encoding="ascii").split())
    m, n = int(next(words)), int(next(words))
    sites = [(float(next(words)), float(next(words))) for _ in range(m)]
    demand, serve = [], []
    for _ in range(n):
        demand.append(float(next(words)))
        serve.append(tuple(float(next(words)) for _ in range(m)))
    return Warehouses(tuple(site[0] for site in sites), tuple(site[1] for site in sites), tuple(demand), tuple(serve))


def with_columns_swapped(case: Warehouses) -> Warehouses:
    """The case read with the first column as the cost of opening and the second as the capacity."""
    return Warehouses(case.fixed, case.capacity, case.demand, case.serve)


def write_futures(case: Warehouses, folder: Path, seed: int, start: date, branches: int = BRANCHES) -> Path:
    """Two stages: a root without months, one branch a draw of demand, and one of chance 0 with the file's demand."""
    folder.mkdir(parents=True, exist_ok=True)
    demand = np.array(case.demand)
    drawn = np.random.default_rng(seed=seed).random((len(demand), branches)) * demand[:, None]
    names = [f"draw-{b + 1:04}" for b in range(branches)]
    nodes: list[Sequence[object]] = [("decide", "", start, 1)]
    nodes += [(name, "decide", start, repr(1 / branches)) for name in names]
    _table(folder, "nodes", "node,parent,from,chance", [*nodes, ("base", "decide", start, 0)])
    customers = [(f"customer-{j + 1:04}", j) for j in range(len(demand)) if demand[j] > 0]
    _table(
        folder,
        "demand",
        "node,market,product,month,units",
        [(n, m, PRODUCT, 0, repr(float(drawn[j, b]))) for b, n in enumerate(names) for m, j in customers],
    )
    return folder


def write(case: Warehouses, folder: Path, name: str) -> Path:
    """The folder of a case; markets without demand are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    plants = [f"warehouse-{i + 1:03}" for i in range(len(case.capacity))]
    customers = [(f"customer-{j + 1:04}", j) for j in range(len(case.demand)) if case.demand[j] > 0]
    _table(folder, "products", "product,maker,kind,hts,weight_kg", [(PRODUCT, "any", "rig", "00000000", 0)])
    _table(folder, "parts", "product,part,quantity,essential", [])
    _table(
        folder,
        "plants",
        "plant,company,country,open,open_usd,fixed_usd_month,lead_months,ramp_months,capacity_month",
        [(p, "any", COUNTRY, "no", case.fixed[i], 0, 0, 0, case.capacity[i]) for i, p in enumerate(plants)],
    )
    _table(folder, "makes", "plant,product,cost_usd", [(plant, PRODUCT, 0) for plant in plants])
    _table(folder, "supplies", "product,origin,price_usd,limit_month", [])
    _table(
        folder,
        "lanes",
        "from,to,mode,usd_per_unit",
        [
            (plant, market, "truck", repr(case.serve[j][i] / case.demand[j]))
            for market, j in customers
            for i, plant in enumerate(plants)
        ],
    )
    _table(folder, "markets", "market,country", [(market, COUNTRY) for market, _ in customers])
    _table(
        folder, "demand", "market,product,month,units", [(m, PRODUCT, 0, repr(case.demand[j])) for m, j in customers]
    )
    settings = f'name = "{name}"\ncurrency = "USD"\norigin_rule = "assembly"\nhold_usd_month = 0\ndiscount_year = 0\n'
    (folder / "network.toml").write_text(settings, encoding="utf-8")
    return folder


def _table(folder: Path, name: str, header: str, rows: Iterable[Sequence[object]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def main(words: Sequence[str]) -> None:
    source, target = (Path(word) for word in words[:2])
    case = read(source)
    if len(words) > 2:
        case = with_columns_swapped(case)
        write_futures(case, Path(words[2]), int(words[3]) if len(words) > 3 else 1, date(2026, 12, 1))
    write(case, target, source.stem)


if __name__ == "__main__":
    main(sys.argv[1:])
