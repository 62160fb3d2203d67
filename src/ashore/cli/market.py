"""The verb clear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ashore.cli.app import Hold, Json, Scenario, app, day_of, law_book, show
from ashore.errors import Fault, FaultyInput

if TYPE_CHECKING:
    from ashore.rules import RuleBook


@app.command
def clear(
    folder: Path | None = None,
    *,
    on: str | None = None,
    conduct: str | None = None,
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
        day of entry for rates that come from the rule book, as 2026-11-22.
    conduct:
        instead of the one in market.toml: bertrand, cournot, moncom; for a supply network world, region, moncom.
    """
    from ashore import markets, report

    def books() -> tuple[RuleBook, RuleBook]:
        return law_book(hold, None), law_book(hold, scenario)

    day = None if on is None else day_of(on, "--on")
    path = markets.find(folder)
    if markets.is_network(path):
        from ashore import network
        from ashore.markets import rigs

        if day is None:
            raise FaultyInput([Fault("--on", "Rates come from the rule book, but for no day.", "Add --on 2026-11-22.")])
        net = network.load(path)
        answer = rigs.clear(net, rigs.read_settings(path, net, conduct), books(), day)
        show(answer.as_dict(), report.text_of_rigs, json_)
        return 0
    cleared = markets.clear(markets.load(path, markets.Law(books, day, scenario is not None), conduct))
    show(cleared.as_dict(), report.text_of_market, json_)
    return 0
