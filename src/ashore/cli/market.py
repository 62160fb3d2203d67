"""The verb clear."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ashore.cli.app import (
    Figure,
    Flag,
    Hold,
    Json,
    Names,
    Scenario,
    Usage,
    app,
    check_figure,
    counting,
    day_of,
    day_or_last,
    law_book,
    names_in,
    show,
)
from ashore.errors import Fault, FaultyInput

if TYPE_CHECKING:
    from ashore.rules import RuleBook


@app.command
def clear(
    folder: Path | None = None,
    *,
    on: str | None = None,
    conduct: str | None = None,
    moves: Flag = False,
    until: str | None = None,
    step: int | None = None,
    candidates: Names = (),
    size: int | None = None,
    figure: Figure = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Prices, shares and who gains when every maker faces the same policy, with the range over models.

    Parameters
    ----------
    folder:
        market folder (market.toml, goods.csv), or supply network with a market.toml, or shipped case; by default
        the folder you are in if it is one of them, else the shipped case.
    on:
        day of entry for rates that come from the rule book, as 2026-11-22; for a supply network by default the last
        day the rule book vouches for.
    conduct:
        instead of the one in market.toml: bertrand, cournot, moncom; for a supply network world, region, moncom.
    moves:
        of a supply network, which plants its makers open: every combination on the path of the law from --on on, and
        those in which no maker gains by another choice.
    until:
        end of that path; by default three years after --on. The law of the last day known is held to it.
    step:
        months of a period of the path, 6 by default.
    candidates:
        plants that may be opened, parted by commas; by default all that are not open.
    size:
        instead of a market, what the world spends on rigs a year up to this year, beside what has been published.
    """
    from ashore import markets, report

    check_figure(figure)
    if figure is not None and (moves or size is not None):
        raise Usage("--figure draws a market; there is no picture of --moves or --size")
    if size is not None:
        from ashore.markets.size import size as projected

        if folder is not None or moves or on is not None or conduct is not None or scenario is not None:
            raise Usage("--size is about the world's sales of rigs and goes with no market")
        show(projected(size).as_dict(), report.text_of_size, json_)
        return 0

    def books() -> tuple[RuleBook, RuleBook]:
        return law_book(hold, None), law_book(hold, scenario)

    if not moves and (until is not None or step is not None or candidates):
        raise Usage("--until, --step and --candidates go with --moves")
    path = markets.find(folder)
    if moves and not markets.is_network(path):
        remedy = "Name a supply network with a market.toml, as rigs-2026."
        raise FaultyInput([Fault("--moves", "A market folder has no plants that could be opened.", remedy)])
    if markets.is_network(path):
        from ashore import network
        from ashore.markets import rigs

        law = books()
        start = day_or_last(on, "--on", law[0])
        law[0].require(start)
        net = network.load(path)
        settings = rigs.read_settings(path, net, conduct)
        if moves:
            span = rigs.Path(start, *_months(start, until, step))
            with counting("markets solved", quiet=json_) as done:
                game = rigs.moves(net, settings, law, span, names_in(candidates), done)
            show(game.as_dict(), report.text_of_moves, json_)
            return 0
        document, text = rigs.clear(net, settings, law, start).as_dict(), report.text_of_rigs
    else:
        rates = markets.Law(books, None if on is None else day_of(on, "--on"), scenario is not None)
        document, text = markets.clear(markets.load(path, rates, conduct)).as_dict(), report.text_of_market
    if figure is not None:
        report.draw(report.tornado(document), figure)
    show(document, text, json_)
    return 0


def _months(start: date, until: str | None, step: int | None) -> tuple[int, int]:
    """Months from the start to the end of the path, and those of a period."""
    from ashore.dates import month_date

    faults = []
    months, size = 36, 6 if step is None else step
    if until is not None:
        end = day_of(until, "--until")
        months = next((k for k in range(1, 601) if month_date(start, k) >= end), 0) if end > start else 0
        if not months:
            what = f"{until} is not after {start}, or more than 50 years after it."
            faults.append(Fault("--until", what, "Give a day some years after --on."))
    if not 1 <= size <= 120:
        faults.append(Fault("--step", f"{size} is no number of months between 1 and 120.", "Write 6 for half a year."))
    if faults:
        raise FaultyInput(faults)
    return months, size
