"""A market folder: ``market.toml`` and ``goods.csv``, read and checked with every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from ashore import duties
from ashore.errors import AshoreError, Fault, FaultyInput, nearest, raise_if, suggest
from ashore.markets.calibrate import FORMS, Form, Observed
from ashore.markets.kernel import CONDUCTS, Conduct
from ashore.markets.model import RENTS, Policy, Rent
from ashore.markets.quotas import Limit
from ashore.rules import RuleBook
from ashore.tables import Column, Row, Table, read, read_toml

SETTINGS, GOODS = "market.toml", "goods.csv"
MOST_RATE = 20.0

TABLE = Table(
    "goods",
    (
        Column("good", "text"),
        Column("maker", "text"),
        Column("price_usd", "number", above=0),
        Column("units", "number", above=0),
        Column("margin", "number", required=False),
        Column("rate_before", "number", required=False),
        Column("rate_after", "number", required=False),
        Column("cap_units_after", "number", required=False),
        Column("rate_over_cap_after", "number", required=False),
        Column("banned_after", "yes_no", required=False),
        Column("hts", "hts", required=False),
        Column("origin", "country", required=False),
        Column("nationality", "country", required=False),
    ),
    key=("maker", "good"),
)
KEYS = ("name", "demand", "conduct", "market_elasticity", "outside", "outside_share", "rent", "source", "note")


@dataclass(frozen=True)
class Market:
    """A market as its folder describes it.

    origins, nationalities: one a good, "" where not given; notes: what the reader should know of the input.
    """

    name: str
    form: Form
    conduct: Conduct
    goods: tuple[str, ...]
    makers: tuple[str, ...]
    seen: Observed
    policy: Policy
    origins: tuple[str, ...]
    nationalities: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Law:
    """Where rates that goods.csv leaves blank come from: the book before and after a scenario, on a day.

    books: called only if a rate is wanted; the two are one object if there is no scenario.
    """

    books: Callable[[], tuple[RuleBook, RuleBook]]
    on: date | None
    scenario: bool


def find(folder: Path | str | None) -> Path:
    """The market folder a user means; by default the one the user is in."""
    path = Path() if folder is None else Path(folder)
    holds = f"A market folder holds {SETTINGS} and {GOODS}."
    if not path.is_dir():
        what = "There is no such folder." if not path.exists() else "This is not a folder."
        raise FaultyInput(Fault(str(folder), what, f"Name a market folder. {holds}"))
    if not (path / SETTINGS).is_file():
        network = (path / "network.toml").is_file()
        what = "This is a supply network, not a market." if network else f"There is no {SETTINGS} in this folder."
        raise FaultyInput(Fault(str(path), what, f"Name a market folder. {holds}"))
    return path


def load(folder: Path, law: Law, conduct: str | None = None) -> Market:
    """Read and check a market folder; raises ``FaultyInput`` with every fault of both files.

    conduct: takes the place of the one in market.toml.
    """
    faults: list[Fault] = []
    document = read_toml(folder / SETTINGS, faults, SETTINGS)
    settings = _settings(document, conduct, faults) if not faults else {}
    rows = read(folder / GOODS, TABLE, faults, GOODS, keep_faulty=True)
    if not rows and not faults:
        faults.append(Fault(GOODS, "There is no good in the table.", "Give one row a good, with price and units."))
    _checked(rows, faults)
    before, after = _rates(rows, law, faults)
    raise_if(faults)
    return _market(settings, rows, before, after)


def _settings(document: Mapping[str, Any], conduct: str | None, faults: list[Fault]) -> dict[str, Any]:
    """The keys of market.toml, each checked."""
    for key in document:
        if key not in KEYS:
            remedy = suggest(key, KEYS, "Delete it.")
            faults.append(Fault(SETTINGS, f"The key '{key}' is unknown.", remedy, column=key))
    found: dict[str, Any] = {"name": document.get("name", "")}
    found["demand"] = _choice(document.get("demand"), "demand", FORMS, None, SETTINGS, faults)
    place = SETTINGS if conduct is None else "--conduct"
    found["conduct"] = _choice(conduct or document.get("conduct"), "conduct", CONDUCTS, None, place, faults)
    found["rent"] = _choice(document.get("rent"), "rent", RENTS, "maker", SETTINGS, faults)
    given = document.get("outside")
    given = {True: "yes", False: "no"}[given] if isinstance(given, bool) else given
    found["outside"] = _choice(given, "outside", ("yes", "no"), "yes", SETTINGS, faults) == "yes"
    elastic = _number(document, "market_elasticity", faults)
    if elastic > 0:
        remedy = f"Write it as -{elastic:g}."
        what = "A market elasticity is below 0: dearer goods are bought less."
        faults.append(Fault(SETTINGS, what, remedy, column="market_elasticity"))
    elif elastic == 0 and found["outside"]:
        what = "With an outside option the market elasticity cannot be 0."
        faults.append(Fault(SETTINGS, what, 'Give one below 0, or write outside = "no".', column="market_elasticity"))
    share = _number(document, "outside_share", faults)
    if not np.isnan(share) and not 0 < share < 1:
        what = f"The outside option's share is {share:g}; shares lie between 0 and 1 and sum to 1."
        faults.append(Fault(SETTINGS, what, "Write 25 % as 0.25.", column="outside_share"))
    elif not np.isnan(share) and not found["outside"]:
        what = "A market without an outside option has no outside share."
        faults.append(Fault(SETTINGS, what, 'Write outside = "yes", or leave it out.', column="outside_share"))
    return found | {"elasticity": elastic, "outside_share": share}


def _choice(
    given: Any, key: str, known: tuple[str, ...], otherwise: str | None, where: str, faults: list[Fault]
) -> str | None:
    if given is None and otherwise is not None:
        return otherwise
    if given is None:
        faults.append(Fault(where, f"The key '{key}' is missing.", f"Write one of {', '.join(known)}.", column=key))
    elif not isinstance(given, str) or given.casefold() not in known:
        near = nearest(given, known) if isinstance(given, str) else None
        remedy = f"Did you mean '{near}'? " if near else ""
        what = f"{given!r} is no {key} known here."
        faults.append(Fault(where, what, f"{remedy}Write one of {', '.join(known)}.", column=key))
    else:
        return given.casefold()
    return None


def _number(document: Mapping[str, Any], key: str, faults: list[Fault]) -> float:
    given = document.get(key)
    if given is None:
        return float("nan")
    if isinstance(given, bool) or not isinstance(given, int | Decimal) or not np.isfinite(float(given)):
        faults.append(Fault(SETTINGS, f"{given!r} is not a number.", "Write it as -1.5, without quotes.", column=key))
        return float("nan")
    return float(given)


def _checked(rows: list[Row], faults: list[Fault]) -> None:
    """Values that fit their column and still cannot be meant."""
    for row in rows:
        line = row["_row"]

        def fault(what: str, remedy: str, column: str, line: int = line) -> None:
            faults.append(Fault(GOODS, what, remedy, row=line, column=column))

        margin, cap, over = row["margin"], row["cap_units_after"], row["rate_over_cap_after"]
        if margin is not None and not 0 < margin < 1:
            what = f"The margin is {margin:g}; it is the share of the border price the maker keeps, between 0 and 1."
            fault(what, "Write 35 % as 0.35; leave it blank if unknown.", "margin")
        for column in ("rate_before", "rate_after", "rate_over_cap_after"):
            if row[column] is not None and row[column] <= -1:
                fault(f"A rate of {row[column]:g} leaves nothing to pay.", "Write 25 % as 0.25.", column)
            elif row[column] is not None and row[column] > MOST_RATE:
                what = f"A rate of {row[column]:g} is {row[column] * 100:g} % of the border price."
                fault(what, "Write 25 % as 0.25; to keep a good out, write yes in banned_after.", column)
        if cap is not None and cap <= 0:
            what = "A cap of 0 has no price that meets it." if cap == 0 else f"A cap of {cap:g} is below 0."
            fault(
                what, "Leave it blank and write yes in banned_after to take the good off the market.", "cap_units_after"
            )
        if over is not None and cap is None and "cap_units_after" not in row["_unfit"]:
            fault("A rate over the cap needs a cap.", "Give cap_units_after.", "rate_over_cap_after")
        after = row["rate_after"]
        if over is not None and after is not None and over <= after:
            what = f"The rate over the cap ({over:g}) is not above the rate up to it ({after:g})."
            fault(what, "Give the higher rate in rate_over_cap_after.", "rate_over_cap_after")
        if row["banned_after"] and (cap is not None or over is not None):
            fault("A banned good has no cap.", "Leave the cap blank, or write no in banned_after.", "banned_after")
    if rows and all(row["banned_after"] for row in rows):
        faults.append(Fault(GOODS, "Every good is banned.", "Leave at least one on the market.", column="banned_after"))


def _rates(rows: list[Row], law: Law, faults: list[Fault]) -> tuple[list[float], list[float]]:
    """Rates before and after: from the row, else from the rule book for its hts and origin."""
    wanted = [
        row for row in rows if any(row[c] is None and c not in row["_unfit"] for c in ("rate_before", "rate_after"))
    ]
    if law.scenario and rows and not any(row["rate_after"] is None for row in rows):
        what = "The scenario changes nothing: every row of goods.csv gives its own rate_after."
        faults.append(Fault("--scenario", what, "Leave rate_after blank and give hts and origin."))
    usable = []
    for row in wanted:
        if row["rate_before"] is not None and row["hts"] is None and not row["_unfit"]:
            remedy = "Give rate_after, or hts and origin and --on for the rate of the rule book."
            faults.append(
                Fault(GOODS, "There is no rate after the change.", remedy, row=row["_row"], column="rate_after")
            )
        elif row["hts"] is None or row["origin"] is None:
            if not {"rate_before", "rate_after", "hts", "origin"} & row["_unfit"]:
                remedy = "Give rate_before and rate_after, or hts and origin and --on for the rates of the rule book."
                column = "origin" if row["hts"] else "rate_before"
                faults.append(Fault(GOODS, "There is no rate.", remedy, row=row["_row"], column=column))
        else:
            usable.append(row)
    if usable and law.on is None:
        what = "Rates are to come from the rule book, but for no day."
        faults.append(Fault("--on", what, "Add the day of entry, as --on 2026-11-22."))
        usable = []
    books = law.books() if usable else ()
    looked_up: dict[int, list[float]] = {}
    for row in usable:
        try:
            assert law.on is not None
            looked_up[row["_row"]] = [_owed(book, row["hts"], row["origin"], law.on) for book in books]
        except AshoreError as error:
            faults.extend(
                Fault(GOODS, f"{fault.where}: {fault.what}", fault.remedy, row=row["_row"]) for fault in error.faults
            )
    rates: tuple[list[float], list[float]] = ([], [])
    for row in rows:
        for side, column in enumerate(("rate_before", "rate_after")):
            given = row[column]
            rates[side].append(given if given is not None else looked_up.get(row["_row"], [np.nan, np.nan])[side])
    return rates


def _owed(book: RuleBook, hts: str, origin: str, on: date) -> float:
    """The rate of the rule book; goods made in the country that keeps it make no entry."""
    return 0.0 if origin == book.country else duties.total_rate(book, hts, origin, on)


def _market(settings: dict[str, Any], rows: list[Row], before: list[float], after: list[float]) -> Market:
    def numbers(column: str) -> Any:
        return np.array([np.nan if row[column] is None else float(row[column]) for row in rows])

    makers = list(dict.fromkeys(row["maker"] for row in rows))
    seen = Observed(
        price=numbers("price_usd"),
        units=numbers("units"),
        rate=np.array(before),
        margin=numbers("margin"),
        maker=np.array([makers.index(row["maker"]) for row in rows]),
        elasticity=settings["elasticity"],
        outside=settings["outside"],
        outside_share=settings["outside_share"],
    )
    limits = tuple(
        Limit(np.arange(len(rows)) == number, row["cap_units_after"], row["rate_over_cap_after"])
        for number, row in enumerate(rows)
        if row["cap_units_after"] is not None
    )
    rent: Rent = settings["rent"]
    banned = np.array([bool(row["banned_after"]) for row in rows])
    return Market(
        name=settings["name"],
        form=settings["demand"],
        conduct=settings["conduct"],
        goods=tuple(row["good"] for row in rows),
        makers=tuple(row["maker"] for row in rows),
        seen=seen,
        policy=Policy(np.array(after), banned, limits, rent),
        origins=tuple(row["origin"] or "" for row in rows),
        nationalities=tuple(row["nationality"] or "" for row in rows),
    )
