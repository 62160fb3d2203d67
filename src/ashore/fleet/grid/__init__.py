"""Load lost or started at once, and the frequency: a closed form, its integration with limits, and a screen of both."""

from ashore.fleet.given import GridGiven
from ashore.fleet.grid.model import Answer, Event, Governor, System
from ashore.fleet.grid.screen import Screen, screen

__all__ = ["Answer", "Event", "Governor", "GridGiven", "Screen", "System", "screen"]
