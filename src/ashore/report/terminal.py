"""A console that loses nothing: as wide as the terminal, or a fixed width where output is piped."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 120
HEAD = "bold"
QUIET = "dim"
WARN = "yellow"

Cell = str | None
Columns = Sequence[tuple[str, str]]  # header, and how it stands: "l" folds, "L" does not, "r" figures


def console() -> Console:
    """Plain where colour is unwanted (NO_COLOR, pipes); brackets in the data are never read as markup."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(markup=False, highlight=False, emoji=False)
    return Console(
        file=cast("IO[str]", _Trimmed(sys.stdout)), width=PIPED_WIDTH, markup=False, highlight=False, emoji=False
    )


class _Trimmed(io.TextIOBase):
    """A stream that drops the spaces rich sets at the ends of lines."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write("\n".join(line.rstrip(" ") for line in text.split("\n")))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return False


def heading(out: Console, text: str) -> None:
    out.print(text, style=HEAD)


def blank(out: Console) -> None:
    out.print()


def table(
    out: Console,
    columns: Columns,
    rows: Iterable[Sequence[Cell]],
    total: Sequence[Cell] | None = None,
    styles: Sequence[str] | None = None,
) -> None:
    """Aligned columns without rules around them; ``total`` stands below a line; ``styles`` has one a row."""
    from rich.box import Box
    from rich.table import Table

    box = Box("    \n    \n -- \n    \n -- \n -- \n    \n    \n")
    grid = Table(
        box=box,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style=QUIET,
        show_footer=total is not None,
    )
    for place, (name, kind) in enumerate(columns):
        grid.add_column(
            name,
            footer=(total[place] or "") if total is not None else "",
            justify="right" if kind == "r" else "left",
            no_wrap=kind != "l",
            overflow="fold",
        )
    for place, row in enumerate(rows):
        grid.add_row(*((cell or "") for cell in row), style=styles[place] if styles else None)
    _print_whole(out, grid)


def _print_whole(out: Console, grid: Table) -> None:
    """Prints a table that is never cut: a pipe gets longer lines if need be, a terminal folds every column."""
    from rich.measure import Measurement

    least = Measurement.get(out, out.options.update(max_width=10_000), grid).minimum
    if least <= out.width:
        out.print(grid)
    elif out.is_terminal:
        for column in grid.columns:
            column.no_wrap = False
        out.print(grid)
    else:
        out.print(grid, width=least, crop=False)


def pairs(out: Console, rows: Iterable[tuple[str, str]]) -> None:
    """Names and what they are, one a line, the values folding beside their names."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=QUIET, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, value)
    out.print(grid)


def notes(out: Console, title: str, lines: Iterable[str], style: str = "") -> None:
    """A titled list, each line hanging; nothing if there is no line."""
    from rich.table import Table

    rows = list(dict.fromkeys(lines))
    if not rows:
        return
    blank(out)
    heading(out, title)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", style=style)
    for line in rows:
        grid.add_row("-", line)
    out.print(grid)
