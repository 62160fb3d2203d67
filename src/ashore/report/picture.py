"""A figure with the words that go with it, and as a file of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ashore.errors import Fault, unwritable, writing
from ashore.report import figures

KINDS = (".svg", ".png", ".json")


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and the words a reader who cannot see it needs."""

    name: str
    chart: Any
    finding: str
    instead: str


def misfits(path: Path, where: str) -> list[Fault]:
    """A file that no figure can be drawn into."""
    if path.suffix.lower() in KINDS:
        return unwritable(path, where)
    return [Fault(where, f"{path} is no kind of figure.", f"Name a file that ends in {', '.join(KINDS)}.")]


def draw(picture: Picture, path: Path) -> None:
    """Writes a picture by the suffix of the file: SVG, PNG, or its Vega-Lite specification."""
    kind = path.suffix.lower()
    if kind == ".png":
        data = figures.png(picture.chart)
    elif kind == ".svg":
        data = figures.standalone(picture.chart).encode()
    else:
        data = json.dumps(picture.chart.to_dict(), indent=1).encode()
    with writing(path, "--figure"):
        path.write_bytes(data)
