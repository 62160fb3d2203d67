"""Mining: hash price, what a rig earns, what it is worth if it may be switched off, and the series behind it.

``chain`` holds what the protocol fixes, ``income`` revenue and break-evens, ``option`` the strip of options, and
``series``, ``formats`` and ``fetch`` daily series. Formulas are functions of arrays; hash prices: USD per PH/s a day.
"""

from ashore.mining.chain import (
    Epochs,
    epochs,
    hashprice_usd_phd,
    network_ehs,
    retargeted,
    subsidy_btc,
)
from ashore.mining.fetch import Node, from_node, load, load_all
from ashore.mining.income import (
    DAYS_MONTH,
    breakeven_hashprice,
    breakeven_power_usd_kwh,
    discount,
    irr_year,
    joules_per_th,
    margin_usd_day,
    npv_usd,
    payback_months,
    power_usd_day,
    revenue_usd_day,
)
from ashore.mining.option import always_on_usd, mean_hashprice, paths, run_usd, strip_elasticity, strip_usd
from ashore.mining.series import Series, Statistics, completed, merged, read_series, series_of, statistics

__all__ = [
    "DAYS_MONTH",
    "Epochs",
    "Node",
    "Series",
    "Statistics",
    "always_on_usd",
    "breakeven_hashprice",
    "breakeven_power_usd_kwh",
    "completed",
    "discount",
    "epochs",
    "from_node",
    "hashprice_usd_phd",
    "irr_year",
    "joules_per_th",
    "load",
    "load_all",
    "margin_usd_day",
    "mean_hashprice",
    "merged",
    "network_ehs",
    "npv_usd",
    "paths",
    "payback_months",
    "power_usd_day",
    "read_series",
    "retargeted",
    "revenue_usd_day",
    "run_usd",
    "series_of",
    "statistics",
    "strip_elasticity",
    "strip_usd",
    "subsidy_btc",
]
