"""Exposure: how concentrated makers and places are, what a fleet has in common, and what its loss does to a grid.

Parts are loaded when first used: the command line states its options from here and must not wait for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashore.lazy import first_use

if TYPE_CHECKING:
    from ashore.fleet import concentration, devices, grid, origins, shares

__all__ = ["concentration", "devices", "grid", "origins", "shares"]


def __getattr__(name: str) -> object:
    """A part of the package, imported on first use."""
    return first_use(__name__, name, {}, __all__)


def __dir__() -> list[str]:
    return sorted(__all__)
