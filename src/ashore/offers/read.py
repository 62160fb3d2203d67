"""Offers as a file states them: what, from where, on which terms, for which site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ashore import worth
from ashore.dates import LAST_DAY
from ashore.duties.entry import read_origins
from ashore.errors import Fault, raise_if, suggest
from ashore.network import Lane, Network
from ashore.rules import RuleBook
from ashore.rules.model import PPM
from ashore.tables import ArrowLike, Column, Row, Table, countries, read
from ashore.worth import Rig

MOST = 1e9  # of money, units and kg
MOST_DAYS = 3650
BUYER, SELLER = "buyer", "seller"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an incoterm leaves to the buyer: freight with insurance, and duty with the fees of an entry."""

    freight: bool
    duty: bool


TERMS = {  # Incoterms 2020, as far as they decide who pays for carriage and for import clearance
    "EXW": Terms(freight=True, duty=True),
    "FOB": Terms(freight=True, duty=True),
    "CIF": Terms(freight=False, duty=True),
    "DDP": Terms(freight=False, duty=False),
}


def _within(name: str) -> Column:
    """A column of a number of rigs, within the bounds of ``worth``."""
    bound = worth.BOUNDS[name]
    return Column(name, "number", required=False, above=0, minimum=bound.least, maximum=bound.most)


OFFERS = Table(
    "offers",
    (
        Column("offer", "text"),
        Column("maker", "text"),
        Column("product", "text", required=False),
        _within("ths"),
        _within("watts"),
        Column("origin", "country"),
        Column("origins", "text", required=False),
        Column("hts", "hts", required=False),
        Column("incoterm", "choice", choices=tuple(TERMS)),
        Column("price_usd", "number", above=0, maximum=MOST),
        Column("units", "integer", minimum=1, maximum=MOST),
        Column("ship_date", "date"),
        Column("mode", "text"),
        Column("kg", "number", required=False, minimum=0, maximum=MOST),
        Column("market", "text"),
        Column("power_usd_kwh", "number", minimum=0),
        Column("deposit", "number", required=False, minimum=0, maximum=1),
        Column("tariff_for", "choice", required=False, choices=(BUYER, SELLER)),
        Column("freight_usd", "number", required=False, minimum=0, maximum=MOST),
        Column("days", "number", required=False, minimum=0, maximum=MOST_DAYS),
    ),
    key=("offer",),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer: money in USD a unit, ``days`` from shipping to the site.

    origins: origins in doubt with their chances in ppm, the claimed one first; () if there is no doubt. deposit: share
    of the price paid on ordering, the rest on shipping. tariff_for: who bears what the duty changes between ordering
    and arrival. freight_usd: of the lane or as stated; estimates: figures of the network behind it that are so marked.
    """

    name: str
    maker: str
    product: str
    rig: Rig
    origin: str
    origins: tuple[tuple[str, int], ...]
    hts: str
    incoterm: str
    price_usd: float
    units: int
    ship_date: date
    mode: str
    market: str
    country: str
    power_usd_kwh: float
    deposit: float
    tariff_for: str
    freight_usd: float
    days: float
    row: int
    estimates: tuple[str, ...] = ()

    @property
    def terms(self) -> Terms:
        return TERMS[self.incoterm]


def read_offers(
    source: Path | str | ArrowLike, network: Network, book: RuleBook, on: date, where: str | None = None
) -> list[Offer]:
    """The offers of a file (or table), none shipped before the day ``on``. Raises FaultyInput with every fault.

    A product of the network brings hash rate, power, weight and tariff number; what the row states counts before it.
    Freight and days come from the network's lane from the country of origin, unless the row states them.
    """
    faults: list[Fault] = []
    rows = read(source, OFFERS, faults, where)
    name = where or (Path(source).name if isinstance(source, Path | str) else OFFERS.name)
    reader = _Reader(network, book, on, name, faults)
    offers = [offer for offer in map(reader.offer, rows) if offer is not None]
    if not rows and not faults:
        faults.append(Fault(name, "The file has no offer.", "Give at least one row."))
    raise_if(faults)
    return offers


@dataclass
class _Reader:
    network: Network
    book: RuleBook
    on: date
    where: str
    faults: list[Fault]

    def fault(self, row: Row, column: str, what: str, remedy: str) -> None:
        self.faults.append(Fault(self.where, what, remedy, row["_row"], column))

    def offer(self, row: Row) -> Offer | None:
        """One row as an offer; None with its faults added."""
        before = len(self.faults)
        item = self.network.products.get(row["product"] or "")
        own: dict[str, Any] = {}
        if item is not None:
            own = {"ths": item.hash_ths, "watts": item.power_w, "hts": item.hts, "kg": item.weight_kg}
        names = ("ths", "watts", "hts", "kg")
        ths, watts, hts, kg = (own.get(name) if row[name] is None else row[name] for name in names)
        self._check_rig(row, ths, watts, hts)
        if row["ship_date"] > LAST_DAY:
            self.fault(row, "ship_date", f"It ships after {LAST_DAY}.", "Correct the date.")
        if row["ship_date"] < self.on:
            what = f"It ships on {row['ship_date']}, before the day it is judged on ({self.on})."
            self.fault(row, "ship_date", what, "Correct the date, or judge it on an earlier day with --on.")
        origins = self._origins(row)
        freight, days, estimates = self._carriage(row, kg)
        if len(self.faults) > before or not ths or not watts or not hts:
            return None
        return Offer(
            name=row["offer"],
            maker=row["maker"],
            product=row["product"] or "",
            rig=Rig(ths, watts, row["product"] or row["offer"]),
            origin=row["origin"],
            origins=origins,
            hts=hts,
            incoterm=row["incoterm"],
            price_usd=row["price_usd"],
            units=row["units"],
            ship_date=row["ship_date"],
            mode=row["mode"],
            market=row["market"],
            country=self.network.country_of(row["market"]),
            power_usd_kwh=row["power_usd_kwh"],
            deposit=row["deposit"] or 0.0,
            tariff_for=row["tariff_for"] or (BUYER if TERMS[row["incoterm"]].duty else SELLER),
            freight_usd=freight,
            days=days,
            row=row["_row"],
            estimates=estimates,
        )

    def _check_rig(self, row: Row, ths: Any, watts: Any, hts: Any) -> None:
        known = [name for name, item in self.network.products.items() if item.kind == "rig"]
        for column, value in (("ths", ths), ("watts", watts), ("hts", hts)):
            if value:
                continue
            if row["product"] and row["product"] not in self.network.products:
                remedy = suggest(row["product"], known, "Name a product of the network, or give ths, watts and hts.")
                self.fault(row, "product", f"The network has no product '{row['product']}'.", remedy)
                return
            self.fault(row, column, f"The {column} is not given.", f"Give the {column}, or a product of the network.")
        self.faults += worth.faults_of({"power_usd_kwh": row["power_usd_kwh"]}, self.where, row["_row"])

    def _origins(self, row: Row) -> tuple[tuple[str, int], ...]:
        if row["origins"] is None:
            return ()
        faults: list[Fault] = []
        found = read_origins(self.book, row["origins"], faults)
        for fault in faults:
            self.fault(row, "origins", fault.what, fault.remedy)
        if found and found[0][0] != row["origin"]:
            what = f"The first origin in doubt is {found[0][0]}, the origin claimed {row['origin']}."
            self.fault(row, "origins", what, f"Begin with the claimed one, as {row['origin']}:0.9,…")
        if sum(chance for _, chance in found) != PPM and not faults:
            self.fault(row, "origins", "The chances do not sum to 1.", "Let them sum to 1.")
        return found

    def _carriage(self, row: Row, kg: float | None) -> tuple[float, float, tuple[str, ...]]:
        """Freight a unit and days of the way to the site, and the estimates behind them."""
        if row["market"] not in self.network.markets and row["market"] not in countries():
            remedy = suggest(row["market"], self.network.markets, "Name a market of the network or a country code.")
            self.fault(row, "market", f"There is no market '{row['market']}'.", remedy)
            return 0.0, 0.0, ()
        freight, days = row["freight_usd"], row["days"]
        if freight is not None and days is not None:
            return freight, days, ()
        lanes = {lane.mode: lane for lane in self.network.lanes_between(row["origin"], row["market"])}
        lane = lanes.get(row["mode"])
        if lane is None:
            what = f"The network has no lane from {row['origin']} to {row['market']} by {row['mode']}."
            remedy = suggest(row["mode"], lanes, "Give freight_usd and days, or a lane in the network.")
            self.fault(row, "mode", what, remedy)
            return 0.0, 0.0, ()
        if kg is None and freight is None and lane.usd_per_kg:
            self.fault(row, "kg", "The packed weight is not given.", "Give kg, or freight_usd.")
        cost = lane.usd_per_kg * (kg or 0.0) + lane.usd_per_unit
        return cost if freight is None else freight, lane.days if days is None else days, _marked(lane)


def _marked(lane: Lane) -> tuple[str, ...]:
    from ashore.network import estimate_in

    line = estimate_in(lane)
    return () if line is None else (line,)
