"""Verbs on the law: duty, rules, check."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ashore.cli.app import Hold, Json, Known, Names, Scenario, Usage, app, counting, law_book, show
from ashore.errors import Fault, FaultyInput, raise_if


@app.command
def duty(
    *,
    hts: str | None = None,
    origin: Annotated[str | None, Parameter(name=["--from", "--origin"])] = None,
    origins: str | None = None,
    on: str | None = None,
    value: str | None = None,
    mode: str | None = None,
    loaded: str | None = None,
    claim: Names = (),
    lines: Path | None = None,
    out: Path | None = None,
    rejects: Path | None = None,
    known: Known = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """What one entry line, or a file of lines, owes, under which heading, and why.

    Parameters
    ----------
    hts:
        tariff number, 8 or 10 digits, with or without dots.
    origin:
        country of origin, ISO 3166 alpha-2.
    origins:
        origins in doubt with their chances, the claimed one first, as MY:0.7,CN:0.3; instead of --from.
    on:
        date of entry, as 2026-11-22.
    value:
        customs value in USD.
    mode:
        air, ocean or truck.
    loaded:
        day the goods were loaded on the means of transport that brings them in.
    claim:
        KEY=VALUE; may be given several times.
    lines:
        CSV or Parquet of lines (hts, origin, entry_date, value_usd, ...), instead of one line.
    out:
        where to write the rated file, .csv or .parquet.
    rejects:
        where to write the lines no entry could be made of, with the reasons; by default beside --out.
    """
    from ashore import duties, report

    book = law_book(hold, scenario, known)
    if lines is not None:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no linear algebra here; its threads only cost start
        from ashore.duties.bulk import rate_file

        if out is None:
            raise FaultyInput(
                [Fault("--out", "no output file is named.", "Add --out rated.csv or --out rated.parquet.")]
            )
        with counting("lines rated", quiet=json_) as done:
            summary = rate_file(book, lines, out, done, rejects)
        show(summary.as_dict(), report.text_of_summary, json_)
        for reason in summary.reasons:
            print(f"{lines}, {reason}", file=sys.stderr)
        if summary.rejected:
            print(f"{summary.rejected} rejected lines are in {summary.rejects}", file=sys.stderr)
        return 1 if summary.rejected else 0
    if origins is not None and origin is not None:
        raise Usage("give --from or --origins, not both")
    claimed = origin if origins is None else origins.partition(":")[0]
    given = {"--hts": hts, "--from": claimed, "--on": on, "--value": value}
    missing = [name for name, text in given.items() if text is None]
    if missing or hts is None or claimed is None or on is None or value is None:
        raise Usage(f"ashore duty needs {', '.join(missing)}, or --lines FILE --out FILE")
    entry, faults = duties.read_entry(book, hts, claimed, on, value, mode, loaded, claim)
    doubted = () if origins is None else duties.entry.read_origins(book, origins, faults)
    if entry is None or faults:
        _raise_entry(faults)
        return 1
    answer = duties.assess(book, entry)
    document = duties.dispute(book, entry, doubted).as_dict() if doubted else answer.as_dict()
    show(document, report.text_of_duty, json_)
    return 1 if answer.status == "unresolved" else 0


@app.command
def rules(
    *,
    on: str | None = None,
    hts: str | None = None,
    origin: Annotated[str | None, Parameter(name=["--from", "--origin"])] = None,
    diff: Annotated[tuple[str, str] | None, Parameter(negative=())] = None,
    hold: Hold = None,
    scenario: Scenario = None,
    json_: Json = False,
) -> int:
    """The rules of the book, those in force for an article on a day, or what changed between two days.

    Parameters
    ----------
    on:
        only rules in force on this day.
    hts:
        only rules that bear on this tariff number.
    origin:
        only rules that bear on goods of this country.
    diff:
        two days; shows what started, ended or changed between them, and with --hts for whom.
    """
    from ashore import duties, report
    from ashore.rules import listing

    book = law_book(hold, scenario)
    faults: list[Fault] = []
    digits = duties.entry.read_hts(hts, faults) if hts is not None else None
    country = duties.entry.read_origin(book, origin, faults) if origin is not None else None
    if diff is not None:
        days = [duties.entry.read_day(text, "--diff", faults) for text in diff]
        raise_if(faults)
        before, after = (day for day in days if day is not None)
        book.require(before, "--diff")
        book.require(after, "--diff")
        document = listing.difference(book, before, after, digits, country)
        if digits is not None:
            document["origins"] = duties.changed_totals(book, digits, before, after, country)
        show(document, report.text_of_difference, json_)
        return 0
    day = duties.entry.read_day(on, "--on", faults) if on is not None else None
    raise_if(faults)
    if day is not None:
        book.require(day)
    show(listing.listed(book, day, digits, country), report.text_of_rules, json_)
    return 0


@app.command
def check(folder: Path | None = None, *, futures: Path | None = None, json_: Json = False) -> int:
    """Checks the rule book, or a supply-network folder (and a futures file), and names every fault.

    Parameters
    ----------
    folder:
        a network folder, a rule-book folder, or nothing for the shipped rule book.
    futures:
        a futures file or folder to check as well.
    """
    from ashore import report
    from ashore import rules as rule_books

    is_book = folder is not None and (folder / "coverage.toml").is_file()
    book = rule_books.load(folder if is_book else None)
    if is_book or (folder is None and futures is None):
        show(rule_books.listing.census(book), report.text_of_census, json_)
        return 0
    from ashore import network

    net = network.load(network.cases.find(folder))
    document: dict[str, Any] = {"folder": str(folder or network.cases.DEFAULT), "faults": [], **net.census()}
    if futures is not None:
        from ashore import plans

        document["futures"] = plans.read_futures(futures, book, net).as_dict()
    show(document, report.text_of_network, json_)
    return 0


def _raise_entry(faults: list[Fault]) -> None:
    from ashore.errors import OutsideCoverage

    raise_if(faults, OutsideCoverage if all("vouches" in fault.what for fault in faults) else FaultyInput)
