"""The verb on parties: screen, and screen fetch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cyclopts import App

from ashore.cli.app import Json, Words, app, day_of, names_in, show
from ashore.errors import Fault, gathering, raise_if

screen = App(name="screen", help="Parties, and the makers of parts, against lists of parties.")
app.command(screen)


@screen.default
def screen_parties(
    parties: Path,
    *,
    lists: Path,
    on: str,
    bom: Path | None = None,
    owners: Path | None = None,
    reviews: Path | None = None,
    need: Words = (),
    days: int = 30,
    log: Path | None = None,
    out: Path | None = None,
    json_: Json = False,
) -> int:
    """Holds parties against the lists in a folder: evidence by field, the legal hook of each hit, and an outcome.

    Outcomes are NO_LIST_MATCH, REVIEW and POTENTIAL_MATCH. None of them says that a party is listed or not: a person
    decides. Nothing is sent anywhere. `ashore screen fetch` says from where the lists are to be had.

    Parameters
    ----------
    parties:
        CSV file of parties, one a row.
    lists:
        folder with the lists as downloaded; what each file is, is told from what is in it.
    on:
        day of the screening; measures and rules are those of this day, and lists must not be stale on it.
    bom:
        bill of materials (CSV): products take over what the makers of their parts hit.
    owners:
        CSV file of owners with the share of each, from low to high, for the 50 per cent rules.
    reviews:
        CSV file of decisions on earlier hits: notes, and hits set aside until a day.
    need:
        lists that must be there, such as CSL,1260H,UFLPA,FCC; if one is not, nothing is screened.
    days:
        age of a list, in days, from which it is stale.
    log:
        file to which a line on this screening is added; a list that was there the last time must be there again.
    out:
        CSV file to write, one row a hit.
    """
    from ashore import parties as screening
    from ashore import report

    day = day_of(on, "--on")
    apart = [path for path in (parties, bom, owners, reviews, log, out) if path is not None]
    faults: list[Fault] = []
    with gathering(faults):
        who, shares = screening.read_parties(parties)
    with gathering(faults):
        parts = [] if bom is None else screening.read_bom(bom)
    with gathering(faults):
        more = [] if owners is None else screening.read_owners(owners)
    with gathering(faults):
        decided = [] if reviews is None else screening.read_reviews(reviews)
    with gathering(faults):
        before = None if log is None else screening.log.last(log)
    with gathering(faults):
        held = screening.read_lists(lists, apart)
    raise_if(faults)
    needed = list(dict.fromkeys([*names_in(need), *([] if before is None else before["lists"])]))
    found = screening.screen(who, held, day, bom=parts, shares=shares + more, reviews=decided, needed=needed, days=days)
    document = screening.answer.as_dict(found)
    if out is not None:
        screening.answer.write_csv(found, out)
    if log is not None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        document["log_sha256"] = screening.log.append(log, screening.answer.record(found, at))
    show(document, report.text_of_screening, json_)
    return 0


@screen.command
def fetch(*, json_: Json = False) -> int:
    """Says from where each list is to be had, and what follows from being on it. Downloads nothing."""
    from ashore import parties as screening
    from ashore import report

    show(screening.answer.sources(), report.text_of_sources, json_)
    return 0
