"""A market folder, ``market.toml``, ``goods.csv`` and if wanted ``routes.csv``, with every fault at once."""

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
from ashore.markets.routes import Route, taken
from ashore.network import cases
from ashore.rules import RuleBook
from ashore.tables import Column, Row, Table, read, read_toml

SETTINGS, GOODS, ROUTES = "market.toml", "goods.csv", "routes.csv"
MOST_RATE = 20.0


def _numbers(*names: str) -> tuple[Column, ...]:
    """Columns of numbers that may be left blank."""
    return tuple(Column(name, "number", required=False) for name in names)


OF_THE_LAW = (Column("hts", "hts", required=False), Column("origin", "country", required=False))
TABLE = Table(
    "goods",
    (
        *(Column("good", "text"), Column("maker", "text")),
        *(Column("price_usd", "number", above=0), Column("units", "number", above=0)),
        *_numbers("margin", "rate_before", "rate_after", "cap_units_after", "rate_over_cap_after"),
        Column("banned_after", "yes_no", required=False),
        *OF_THE_LAW,
        Column("nationality", "country", required=False),
        Column("nest", "text", required=False),
    ),
    key=("maker", "good"),
)
ROUTES_TABLE = Table(
    "routes",
    (
        *(Column("good", "text"), Column("maker", "text"), Column("route", "text")),
        *_numbers("extra_usd", "rate_before", "rate_after"),
        Column("closed_after", "yes_no", required=False),
        *OF_THE_LAW,
    ),
    key=("maker", "good", "route"),
)
RATES = ("rate_before", "rate_after")
KEYS = (
    *("name", "demand", "conduct", "market_elasticity", "outside", "outside_share", "nest_correlation", "rent"),
    *("source", "note"),
)


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
    before: Policy
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
    """The folder a user means: a market, a supply network with a market, or a shipped case of one.

    By default the folder the user is in if it is a market, else the default case.
    """
    if folder is None and not (Path() / SETTINGS).is_file():
        return cases.find(None)
    if str(folder) in cases.names() and not Path(str(folder)).is_dir():
        return cases.find(folder)
    path = Path() if folder is None else Path(folder)
    holds = f"A market folder holds {SETTINGS} and {GOODS}."
    if not path.is_dir():
        what = "There is no such folder." if not path.exists() else "This is not a folder."
        raise FaultyInput(Fault(str(folder), what, f"Name a market folder. {holds}"))
    if not (path / SETTINGS).is_file():
        remedy = f"Name a market folder. {holds}"
        if is_network(path):
            remedy = f"Add {SETTINGS} to the supply network; the shipped case has one to start from."
        raise FaultyInput(Fault(str(path), f"There is no {SETTINGS} in this folder.", remedy))
    return path


def is_network(folder: Path) -> bool:
    """Whether a folder is a supply network, whose market is that of its rigs."""
    return (folder / "network.toml").is_file()


def load(folder: Path, law: Law, conduct: str | None = None) -> Market:
    """Read and check a market folder; raises ``FaultyInput`` with every fault of all files.

    conduct: takes the place of the one in market.toml.
    """
    faults: list[Fault] = []
    document = read_toml(folder / SETTINGS, faults, SETTINGS)
    settings = _settings(document, conduct, faults) if not faults else {}
    rows = read(folder / GOODS, TABLE, faults, GOODS, keep_faulty=True)
    if not rows and not faults:
        faults.append(Fault(GOODS, "There is no good in the table.", "Give one row a good, with price and units."))
    ways = _routes(folder, rows, faults)
    routed = {(row["maker"], row["good"]) for row in ways}
    _checked(rows, faults)
    _room(rows, settings, faults)
    _nests_fit(rows, settings, faults)
    direct = [row for row in rows if (row["maker"], row["good"]) not in routed]
    if law.scenario and rows and not any(row["rate_after"] is None for row in (*direct, *ways)):
        what = "The scenario changes nothing: every good and route gives its own rate_after."
        faults.append(Fault("--scenario", what, "Leave rate_after blank and give hts and origin."))
    rates = _Rates(law, faults)
    rates.fill(direct, GOODS, (folder / ROUTES).is_file())
    rates.fill(ways, ROUTES, False)
    raise_if(faults)
    return _market(settings, rows, ways)


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
    near = _number(document, "nest_correlation", faults)
    if not np.isnan(near) and not 0 <= near < 1:
        what = f"The correlation of tastes in a nest is {near:g}; it lies from 0 up to 1."
        faults.append(Fault(SETTINGS, what, "Write 0.5 for halfway.", column="nest_correlation"))
    return found | {"elasticity": elastic, "outside_share": share, "correlation": near}


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
        _plausible(row, "rate_over_cap_after", GOODS, faults)
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


def _room(rows: list[Row], settings: Mapping[str, Any], faults: list[Fault]) -> None:
    """Caps on all goods must leave room for buyers who can only go from good to good."""
    form, conduct = settings.get("demand"), settings.get("conduct")
    fixed = form == "logit" or (form == "linear" and conduct != "cournot")  # CES buyers spend the same on less
    if faults or settings["outside"] or not fixed:
        return
    sold = [row for row in rows if not row["banned_after"]]
    if any(row["cap_units_after"] is None or row["rate_over_cap_after"] is not None for row in sold):
        return
    room, wanted = (sum(row[key] for row in group) for key, group in (("cap_units_after", sold), ("units", rows)))
    if room < wanted:
        what = f"Without an outside option buyers take all {wanted:g} units, but the caps let {room:g} in."
        remedy = 'Raise a cap, leave one good without, or write outside = "yes" in market.toml.'
        faults.append(Fault(GOODS, what, remedy, column="cap_units_after"))


def _nests_fit(rows: list[Row], settings: Mapping[str, Any], faults: list[Fault]) -> None:
    """Nests and their correlation come together, and with logit demand."""
    nested, given = any(row["nest"] is not None for row in rows), not np.isnan(settings.get("correlation", np.nan))
    key = "nest_correlation"
    if nested and settings.get("demand") in ("ces", "linear"):
        faults.append(
            Fault(GOODS, "Nests go with logit demand.", 'Write demand = "logit" in market.toml.', column="nest")
        )
    elif nested and not given:
        what = "Goods are in nests, but how near those of a nest are to each other is not said."
        faults.append(Fault(SETTINGS, what, f"Give {key}, from 0 up to 1.", column=key))
    elif given and rows and not nested:
        remedy = "Fill in the column nest of goods.csv, or leave it out."
        faults.append(Fault(SETTINGS, "No good is in a nest.", remedy, column=key))


def _routes(folder: Path, rows: list[Row], faults: list[Fault]) -> list[Row]:
    """The rows of routes.csv, if there is one, each of a good that is sold."""
    if not (folder / ROUTES).is_file():
        return []
    ways = read(folder / ROUTES, ROUTES_TABLE, faults, ROUTES, keep_faulty=True)
    sold = {(row["maker"], row["good"]): row for row in rows}
    for way in ways:
        goods = sold.get((way["maker"], way["good"]))
        if goods is None and not {"maker", "good"} & way["_unfit"]:
            names = [good for maker, good in sold if maker == way["maker"]] or [maker for maker, _ in sold]
            what = f"{way['maker']} sells no {way['good']} in {GOODS}."
            faults.append(Fault(ROUTES, what, suggest(str(way["good"]), names, "Add it there."), row=way["_row"]))
        elif goods is not None and goods["rate_over_cap_after"] is not None:
            what = "A good with a tariff-rate quota has one rate up to it and one beyond, and no routes."
            faults.append(Fault(ROUTES, what, "Leave rate_over_cap_after blank, or the routes out.", row=way["_row"]))
        elif goods is not None and any(goods[name] is not None for name in RATES):
            what = f"{GOODS} gives a rate for this good, and so do its routes."
            faults.append(Fault(ROUTES, what, f"Leave the rates in {GOODS} blank.", row=way["_row"]))
    for key, goods in sold.items():
        own = [way for way in ways if (way["maker"], way["good"]) == key]
        if own and all(way["closed_after"] for way in own) and not goods["banned_after"]:
            what = (
                f"Every route of {key[1]} of {key[0]} is closed after the change: the maker has no route to the market."
            )
            remedy = f"Leave one open, or write yes in banned_after of {GOODS}."
            faults.append(Fault(ROUTES, what, remedy, column="closed_after"))
    return ways


class _Rates:
    """Rates of rows that leave them blank, from the rule book."""

    def __init__(self, law: Law, faults: list[Fault]) -> None:
        self.law, self.faults = law, faults
        self.books: tuple[RuleBook, RuleBook] | None = None
        self.asked = False

    def fill(self, rows: list[Row], where: str, routed: bool) -> None:
        """Puts a rate into every row; what is missing for it is a fault. routed: a table of routes is there."""
        for row in rows:
            for name in RATES:
                _plausible(row, name, where, self.faults)
            blank = [name for name in RATES if row[name] is None and name not in row["_unfit"]]
            if not blank or {"hts", "origin"} & row["_unfit"]:
                continue
            if row["hts"] is None or row["origin"] is None:
                self._missing(row, where, routed)
            elif self.law.on is None:
                if not self.asked:
                    what = "Rates are to come from the rule book, but for no day."
                    self.faults.append(Fault("--on", what, "Add the day of entry, as --on 2026-11-22."))
                self.asked = True
            else:
                self._look_up(row, where)

    def _missing(self, row: Row, where: str, routed: bool) -> None:
        remedy = "Give rate_before and rate_after, or hts and origin and --on for the rates of the rule book."
        what, column = "There is no rate.", "origin" if row["hts"] else "rate_before"
        if row["rate_before"] is not None:
            what, column = "There is no rate after the change.", "rate_after"
        elif routed and row["hts"] is None:
            what = f"{row['maker']} has no route for it, and no rate without one."
            remedy = f"Add a row in {ROUTES}. Or: {remedy[0].lower()}{remedy[1:]}"
        self.faults.append(Fault(where, what, remedy, row=row["_row"], column=column))

    def _look_up(self, row: Row, where: str) -> None:
        assert self.law.on is not None
        self.books = self.books or self.law.books()
        for name, book in zip(RATES, self.books, strict=True):
            try:
                # goods made in the country that keeps the book make no entry
                home = row["origin"] == book.country
                claims = duties.maker_claim(book, row["maker"])
                rate = 0.0 if home else duties.total_rate(book, row["hts"], row["origin"], self.law.on, claims)
            except AshoreError as error:
                what = f"{error.faults[0].where}: {error.faults[0].what}"
                self.faults.append(Fault(where, what, error.faults[0].remedy, row=row["_row"]))
                return
            row[name] = rate if row[name] is None else row[name]


def _plausible(row: Row, column: str, where: str, faults: list[Fault]) -> None:
    """A rate that cannot be meant is a fault."""
    rate = row[column]
    if rate is not None and rate <= -1:
        what = f"A rate of {rate:g} leaves nothing to pay."
        faults.append(Fault(where, what, "Write 25 % as 0.25.", row=row["_row"], column=column))
    elif rate is not None and rate > MOST_RATE:
        what = f"A rate of {rate:g} is {rate * 100:g} % of the border price."
        remedy = "Write 25 % as 0.25; to keep a good out, write yes in banned_after."
        faults.append(Fault(where, what, remedy, row=row["_row"], column=column))


def _market(settings: dict[str, Any], rows: list[Row], ways: list[Row]) -> Market:
    def numbers(column: str) -> Any:
        return np.array([np.nan if row[column] is None else float(row[column]) for row in rows])

    makers = list(dict.fromkeys(row["maker"] for row in rows))
    price = numbers("price_usd")
    numbered = {(row["maker"], row["good"]): number for number, row in enumerate(rows)}
    routes = [
        tuple(
            Route(
                numbered[way["maker"], way["good"]],
                way["route"],
                way["extra_usd"] or 0.0,
                way[rate],
                way["origin"] or "",
            )
            for way in ways
            if rate == "rate_before" or not way["closed_after"]
        )
        for rate in RATES
    ]
    now = taken(routes[0], price, np.nan_to_num(numbers("rate_before")))
    seen = Observed(
        price=price,
        units=numbers("units"),
        rate=now.rate,
        margin=numbers("margin"),
        maker=np.array([makers.index(row["maker"]) for row in rows]),
        elasticity=settings["elasticity"],
        outside=settings["outside"],
        outside_share=settings["outside_share"],
        nest=_nests(rows),
        correlation=0.0 if np.isnan(settings["correlation"]) else settings["correlation"],
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
        before=Policy(seen.rate, np.zeros(len(rows), dtype=bool), routes=routes[0]),
        policy=Policy(np.nan_to_num(numbers("rate_after")), banned, limits, rent, routes[1]),
        origins=tuple(row["origin"] or "" for row in rows),
        nationalities=tuple(row["nationality"] or "" for row in rows),
    )


def _nests(rows: list[Row]) -> Any:
    """Number of each good's nest, a good without one in one of its own; None if there is no nest."""
    if all(row["nest"] is None for row in rows):
        return None
    names = [row["nest"] or (row["maker"], row["good"]) for row in rows]
    known = list(dict.fromkeys(names))
    return np.array([known.index(name) for name in names])
