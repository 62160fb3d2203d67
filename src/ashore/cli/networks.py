"""Verbs on supply networks: case, land, report."""

from __future__ import annotations

from pathlib import Path

from ashore.cli.app import Hold, Json, Names, Scenario, app, case, day_of, day_or_last, law_book, names_in, show
from ashore.errors import raise_if, unwritable, writing


@case.command(name="list")
def case_list(*, json_: Json = False) -> int:
    """Names the cases that ship with ashore."""
    from ashore import report
    from ashore.network import cases

    document = {"cases": [{"case": name, "title": cases.title(name)} for name in cases.names()]}
    show(document, report.text_of_cases, json_)
    return 0


@case.command(name="copy")
def case_copy(name: str, to: Path | None = None, *, json_: Json = False) -> int:
    """Copies a shipped case into a folder of your own, to edit.

    Parameters
    ----------
    name:
        the case, as `ashore case list` names it.
    to:
        the new folder; by default the case's name in the current folder.
    """
    from ashore import report
    from ashore.network import cases

    folder = cases.copy(name, to or Path(name))
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    show({"folder": str(folder), "files": files}, report.text_of_copy, json_)
    return 0


@app.command
def land(
    folder: Path | None = None,
    *,
    on: str,
    product: str | None = None,
    market: str | None = None,
    top: int | None = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """Landed cost of every route, part by part, cheapest first.

    Parameters
    ----------
    folder:
        supply-network folder or shipped case; by default the shipped case.
    on:
        day on which the goods are entered.
    product:
        only this product.
    market:
        only this market.
    top:
        show only so many routes of each product and market (text output).
    """
    from ashore import costs, network, report

    book = law_book(hold, scenario)
    day = day_of(on, "--on")
    book.require(day)
    net = network.load(network.cases.find(folder))
    landed = costs.land(net, book, day, product=product, market=market)
    show(landed.as_dict(), lambda document: report.text_of_landed(document, top), json_)
    return 0


@app.command(name="report")
def report_(
    folder: Path | None = None,
    *,
    start: str | None = None,
    months: int = 36,
    futures: Path | None = None,
    breakeven: Names = (),
    out: Path = Path("report.html"),
    json_: Json = False,
) -> int:
    """The one-screen answer for a network, and one self-contained HTML page with its figures.

    Parameters
    ----------
    folder:
        supply-network folder or shipped case; by default the shipped case.
    start:
        first day of month 0; by default the last day the rule book vouches for.
    months:
        number of months planned.
    futures:
        futures file; by default the law at the end of the coverage is held.
    breakeven:
        RULE[,RULE...]; the rates at which what is decided first flips; two rules make a map.
    out:
        where to write the page.
    """
    from ashore import network, report
    from ashore import rules as rule_books

    raise_if(unwritable(out))
    book = rule_books.load()
    day = day_or_last(start, "--start", book)
    answer = report.answer(network.load(network.cases.find(folder)), book, day, months, futures, names_in(breakeven))
    page = report.page(answer)
    with writing(out):
        out.write_text(page, encoding="utf-8")
    show(answer.as_dict() | {"page": str(out)}, report.text_of_answer, json_)
    return 0
