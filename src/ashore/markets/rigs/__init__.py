"""The rig market: miners by region and price of power, makers with plants, one hash price."""

from ashore.markets.rigs.answer import Answer, clear
from ashore.markets.rigs.inputs import SETTINGS, Settings, read_settings
from ashore.markets.rigs.market import Result, solve
from ashore.markets.rigs.moves import Moves, Path, moves
from ashore.markets.rigs.supply import Dispute

__all__ = [
    "SETTINGS",
    "Answer",
    "Dispute",
    "Moves",
    "Path",
    "Result",
    "Settings",
    "clear",
    "moves",
    "read_settings",
    "solve",
]
