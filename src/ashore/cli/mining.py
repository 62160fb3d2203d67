"""Verbs on what rigs are worth: worth, offers, series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ashore.cli.app import Hold, Json, Outlook, Scenario, Usage, Words, app, day_or_last, law_book, show
from ashore.errors import writing
from ashore.worth.given import Given

if TYPE_CHECKING:
    from ashore.worth import Rig


@app.command
def worth(
    *,
    product: str | None = None,
    ths: float | None = None,
    watts: float | None = None,
    price_usd_ths: float,
    power_usd_kwh: float,
    duty_rate: float = 0.0,
    network: Path | None = None,
    outlook: Outlook = None,
    paths: int = 10_000,
    seed: int | None = None,
    json_: Json = False,
) -> int:
    """What a rig is worth at a price of power: income, payback, present value, option value, and the duty it can bear.

    Parameters
    ----------
    product:
        a rig of the network, instead of --ths and --watts.
    ths:
        hash rate of the rig, TH/s.
    watts:
        power it draws, W.
    price_usd_ths:
        price of the rig where it is plugged in, without duty, USD for each TH/s.
    power_usd_kwh:
        all-in price of power, USD per kWh.
    duty_rate:
        duty paid on top, as a share of the price.
    network:
        folder or shipped case whose products --product names; by default the shipped case.
    paths:
        paths of the hash price drawn for the bands.
    seed:
        of those paths; another one gives other paths.
    """
    from ashore import report
    from ashore import worth as worths

    rig = _rig(product, ths, watts, network)
    seen, assumptions = worths.outlook_of(outlook or Given())
    drawn = {"paths": paths} if seed is None else {"paths": paths, "seed": seed}
    found = worths.appraise(rig, price_usd_ths, power_usd_kwh, seen, duty_rate, assumptions=assumptions, **drawn)
    show(found.as_dict(), report.text_of_worth, json_)
    return 0


@app.command
def offers(
    file: Path,
    *,
    on: str | None = None,
    futures: Path | None = None,
    network: Path | None = None,
    scarce: str = "cash",
    outlook: Outlook = None,
    paths: int = 10_000,
    seed: int | None = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Which offer of rigs to take: each landed on its day of arrival under every branch of the law, and ranked.

    Parameters
    ----------
    file:
        CSV file of offers, one a row.
    on:
        day on which they are judged and ordered; by default the last day the rule book vouches for.
    futures:
        futures file or folder; by default the law at the end of the coverage is held.
    network:
        folder or shipped case with the lanes, markets and products; by default the shipped case.
    scarce:
        cash ranks by what is left for each USD laid out, power for each MW.
    paths:
        paths of the hash price drawn for the chances.
    seed:
        of those paths; another one gives other paths.
    """
    from ashore import network as networks
    from ashore import offers as offered
    from ashore import plans, report
    from ashore import worth as worths

    book = law_book(hold, scenario)
    net = networks.load(networks.cases.find(network))
    day = day_or_last(on, "--on", book)
    tree = plans.held_law(book, day) if futures is None else plans.read_futures(futures, book, net)
    seen, assumptions = worths.outlook_of(outlook or Given())
    found = offered.read_offers(file, net, book, day)
    tree = tree.hold(offered.needed_until(found))
    branches = [
        offered.Branch(nodes[-1].name, chance, tuple((node.start, node.name, node.book) for node in nodes))
        for chance, nodes in tree.branches()
    ]
    basis = offered.basis_of(net, day, seen, scarce, paths, seed)
    ranking = offered.rank(found, branches, basis, assumptions, [*tree.notes, *book.caveats(day)])
    show(ranking.as_dict(), report.text_of_offers, json_)
    return 0


@app.command
def series(
    sources: Words = (),
    *,
    out: Path | None = None,
    node: str | None = None,
    cookie: Path | None = None,
    days: int = 30,
    step: int = 1,
    json_: Json = False,
) -> int:
    """A daily series of price, fees, difficulty and hash price from files, services and a node of your own.

    Parameters
    ----------
    sources:
        CSV files, answers of Coin Metrics or mempool.space, as files or their addresses; earlier ones count first.
    out:
        where to write the series, for --series.
    node:
        address of a bitcoind's JSON-RPC, as http://user:password@127.0.0.1:8332; it gives fees and difficulty.
    cookie:
        the cookie file bitcoind writes, instead of user and password.
    days:
        days asked of the node, back from its tip.
    step:
        ask the node for every so many blocks only.
    """
    from ashore import mining, report

    if not sources and node is None:
        raise Usage("ashore series needs a file, an address or --node URL")
    nodes = [] if node is None else [mining.from_node(mining.Node(node, cookie=cookie), days, step)]
    found = mining.load_all(sources, nodes)
    if out is not None:
        with writing(out):
            out.write_text(found.text(), encoding="utf-8")
    show(found.as_dict() | {"out": None if out is None else str(out)}, report.text_of_series, json_)
    return 0


def _rig(product: str | None, ths: float | None, watts: float | None, folder: Path | None) -> Rig:
    """The rig a user means: a product of a network, or hash rate and power."""
    from ashore import network
    from ashore.worth import Rig, rig_of

    if product is not None and ths is None and watts is None:
        return rig_of(network.load(network.cases.find(folder)), product)
    if product is not None or ths is None or watts is None:
        raise Usage("give --product, or --ths and --watts")
    return Rig(ths, watts)
