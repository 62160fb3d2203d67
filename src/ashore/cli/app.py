"""What every verb shares: the application, options of the same name, and how an answer is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from ashore import __version__
from ashore.dates import DAY, LAST_DAY
from ashore.errors import Fault, FaultyInput, raise_if
from ashore.worth.given import Given

if TYPE_CHECKING:
    from ashore.rules import RuleBook

app = App(
    name="ashore",
    version=__version__,
    help="What a bitcoin mining rig costs where it is plugged in when trade policy moves, and where to make it.",
)
case = App(name="case", help="The cases that ship with ashore.")
app.command(case)

LONG = 20_000  # rows beyond which a document is written on one line, which is many times faster

Flag = Annotated[bool, Parameter(negative=())]
Words = Annotated[tuple[str, ...], Parameter(negative=())]  # all that follow
Names = Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)]  # one each time it is given
Files = Annotated[tuple[Path, ...], Parameter(negative=(), consume_multiple=False)]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON document and nothing else.")]
Hold = Annotated[str | None, Parameter(name="--hold", help="Hold the law of the last vouched day up to this date.")]
Known = Annotated[str | None, Parameter(name="--known", help="Answer with the law as it was known on this date.")]
Outlook = Annotated[Given | None, Parameter(name="*", negative=())]
Scenario = Annotated[Path | None, Parameter(name="--scenario", help="TOML file of [[change]] tables to rate under.")]
Figure = Annotated[
    Path | None, Parameter(name="--figure", help="File to draw the figure into, .svg, .png or .json (Vega-Lite).")
]


class Usage(Exception):
    """Wrong usage that the argument parser cannot see; exit code 2."""


def law_book(hold: str | None, scenario: Path | None, known: str | None = None) -> RuleBook:
    """The shipped rule book, as known, held and changed as the user asked."""
    from ashore import rules as rule_books

    book = rule_books.load()
    if known is not None:
        book = book.as_known(day_of(known, "--known"))
    if hold is not None:
        until = day_of(hold, "--hold")
        if until > LAST_DAY:
            what = f"{hold} is too far away to hold the law until it."
            raise FaultyInput(Fault("--hold", what, f"Give a day up to {LAST_DAY}."))
        book = book.hold(until + DAY)
    return book if scenario is None else book.under(rule_books.read_scenario(scenario, book))


def day_of(text: str, where: str) -> date:
    from ashore.duties.entry import read_day

    faults: list[Fault] = []
    day = read_day(text, where, faults)
    raise_if(faults)
    assert day is not None
    return day


def day_or_last(text: str | None, where: str, book: RuleBook) -> date:
    """The day typed, or the last one the book vouches for."""
    return book.until - DAY if text is None else day_of(text, where)


def names_in(given: tuple[str, ...]) -> list[str]:
    """The names in an option that may be repeated and may hold several, parted by commas."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


@contextmanager
def counting(what: str, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A counter on standard error where a person watches; nothing in pipes."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(what), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda count: bar.update(task, completed=count)


@contextmanager
def proving() -> Iterator[Callable[[float, float, float], None] | None]:
    """A line of bound, best plan, gap and seconds on standard error where a person watches; nothing in pipes."""
    if not sys.stderr.isatty():
        yield None
        return

    def line(bound: float, best: float, seconds: float) -> None:
        gap = f"{(best - bound) / abs(best):.1e}" if best and isfinite(best - bound) else "-"
        told = [f"{usd:,.0f}" if isfinite(usd) else "-" for usd in (bound, best)]
        text = f"bound {told[0]}  best {told[1]}  gap {gap}  {seconds:.0f} s"
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    try:
        yield line
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def check_figure(figure: Path | None) -> None:
    """Refuses a file no figure can be drawn into, before anything is worked out."""
    from ashore import report

    if figure is not None:
        raise_if(report.misfits(figure, "--figure"))


def show(document: dict[str, Any], text: Any, json_: bool) -> None:
    """Prints a document of plain values and tables: as JSON, or as ``text`` has it."""
    rows = sum(len(value) for value in document.values() if isinstance(value, list) or _is_table(value))
    if json_ and rows >= LONG:
        parts = (f"{json.dumps(name)}: {_written(value)}" for name, value in document.items())
        print("{" + ", ".join(parts) + "}")
        return
    plain = {name: value.to_dicts() if _is_table(value) else value for name, value in document.items()}
    if json_:
        print(json.dumps(plain, ensure_ascii=False, indent=1))
    else:
        text(plain)


def _written(value: Any) -> str:
    """JSON on one line; tables write themselves, which is many times faster."""
    return str(value.write_json()) if _is_table(value) else json.dumps(value, ensure_ascii=False)


def _is_table(value: Any) -> bool:
    return hasattr(value, "write_json")
