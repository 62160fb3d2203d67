"""Load lost or started at once, and the frequency: a closed form, its integration with limits, and a screen of both."""

from ashore.fleet.given import GridGiven
from ashore.fleet.grid import shipped
from ashore.fleet.grid.inputs import LEAST_MW
from ashore.fleet.grid.model import Answer, Event, Governor, System
from ashore.fleet.grid.screen import STATUS, Screen, ends_of, screen, structural

__all__ = [
    "LEAST_MW",
    "STATUS",
    "Answer",
    "Event",
    "Governor",
    "GridGiven",
    "Screen",
    "System",
    "ends_of",
    "screen",
    "shipped",
    "structural",
]
