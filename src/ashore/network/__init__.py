"""The supply network: products, parts, plants, lanes, markets, demand."""

from ashore.network import cases
from ashore.network.load import load
from ashore.network.model import (
    LOCAL,
    Demand,
    Lane,
    Limit,
    Make,
    Market,
    Network,
    Part,
    Place,
    Plant,
    Product,
    Record,
    Settings,
    Supply,
    estimate_in,
)
from ashore.network.schema import TABLES

__all__ = [
    "LOCAL",
    "TABLES",
    "Demand",
    "Lane",
    "Limit",
    "Make",
    "Market",
    "Network",
    "Part",
    "Place",
    "Plant",
    "Product",
    "Record",
    "Settings",
    "Supply",
    "cases",
    "estimate_in",
    "load",
]
