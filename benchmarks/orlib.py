"""OR-Library capacitated warehouse location (J. E. Beasley) as a supply-network folder.

    python benchmarks/orlib.py cap61.txt FOLDER

File: m warehouses, n customers; then for each warehouse its capacity and fixed cost; then for each customer its demand
and the cost of serving all of that demand from each warehouse. A warehouse becomes a candidate plant that can open in
month 0, a customer a market, the cost of serving (over the demand) the cost of a lane a unit. The least cost of
``ashore plan FOLDER --months 1`` is the published optimum.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


if __name__ == "__main__":
    source, target = (Path(word) for word in sys.argv[1:3])
    write(read(source), target, source.stem)
