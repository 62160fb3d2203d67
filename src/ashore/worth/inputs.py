"""What the worth of a rig rests on: the rig, its site, the outlook, and what is assumed where the user says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from ashore import mining
from ashore.errors import Fault, FaultyInput, raise_if, suggest
from ashore.network import Network
from ashore.tables import read_toml
from ashore.tables.document import read_document
from ashore.worth.given import Given

FILE = Path(__file__).parents[1] / "data" / "mining" / "assumptions.toml"


@dataclass(frozen=True, slots=True)
class Assumed:
    """A shipped value with what else is plausible (``low``, ``high``), how far it is known, and from where."""

    name: str
    value: float
    low: float
    high: float
    basis: str
    source: str
    note: str = ""

    def sentence(self, labels: Mapping[str, tuple[str, str]] | None = None) -> str:
        """The assumption as an answer names it; labels: name → what it is called, and its unit."""
        label, unit = (labels or LABELS)[self.name]
        text = f"{label} {self.value:g}{unit} (low {self.low:g}, high {self.high:g}); {self.basis}: {self.source}"
        return f"{text}; {self.note}" if self.note else text


@dataclass(frozen=True, slots=True)
class Rig:
    """A rig: hash rate in TH/s, power in W at the wall."""

    hash_ths: float
    power_w: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of the hash price and of the rig's life; see ``data/mining/assumptions.toml`` for each.

    hashprice: USD per PH/s a day, today. volatility: standard deviation of its log a year. drift: of its mean a year,
    compounded monthly. rate: effective discount rate a year. uptime: share of the hours. pool_fee: share of revenue.
    degradation: share of the hash rate lost a year. months: from today until the rig is retired, whenever it starts.
    delay_days: from today until it starts.
    """

    hashprice: float
    volatility: float
    drift: float
    rate: float
    uptime: float
    pool_fee: float
    degradation: float
    months: int
    delay_days: float


@dataclass(frozen=True, slots=True)
class Bound:
    """What a number may be: ``least`` (``open``: more than that) up to ``most``, and how to say it right."""

    least: float
    most: float
    remedy: str
    open: bool = False


LABELS = {  # name → what it is called, and its unit
    "hashprice": ("hash price", " USD/PH/day"),
    "volatility": ("volatility of the hash price", " a year"),
    "drift": ("drift of the mean hash price", " a year"),
    "rate": ("discount rate", " a year"),
    "uptime": ("uptime", ""),
    "pool_fee": ("pool fee", ""),
    "degradation": ("loss of hash rate", " a year"),
    "months": ("months until the rig is retired", ""),
    "delay_days": ("days until the rig runs", ""),
    "liquidation_days": ("days until an entry is settled", ""),
    "hold_days": ("days of a hold at the border", ""),
}
BOUNDS = {
    "ths": Bound(1e-6, 1e6, "Give the hash rate of one rig in TH/s, as 270."),
    "watts": Bound(1e-6, 1e7, "Give the power one rig draws in W, as 3645."),
    "price_usd_ths": Bound(1e-6, 1e5, "Give the price in USD for each TH/s, as 11."),
    "power_usd_kwh": Bound(0, 10, "Give the price of power in USD per kWh: 5.5 cents are 0.055."),
    "duty_rate": Bound(0, 20, "Give the duty as a share of the price: 12.6 per cent are 0.126."),
    "hashprice": Bound(0, 1e7, "Give USD per PH/s and day, as 40.", open=True),
    "volatility": Bound(0, 5, "Give the standard deviation of the log a year, as 0.65."),
    "drift": Bound(-11.9, 12, "Give the change of the mean a year, as -0.35."),
    "rate": Bound(-0.99, 10, "Give the yearly rate as a share: 10 per cent are 0.10."),
    "uptime": Bound(1e-6, 1, "Give the share of the hours, as 0.95."),
    "pool_fee": Bound(0, 0.99, "Give the share of revenue, as 0.01."),
    "degradation": Bound(0, 0.99, "Give the share of the hash rate lost a year, as 0.02."),
    "months": Bound(1, 600, "Give whole months, as 48."),
    "delay_days": Bound(0, 20_000, "Give days, 0 or more."),
    "paths": Bound(100, 1_000_000, "Draw 100 to a million paths; 10,000 are enough for most questions."),
    "seed": Bound(0, 2**63, "Give a whole number, 0 or more."),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One table of assumptions.toml."""

    value: Any
    low: Any
    high: Any
    basis: str
    source: str
    note: str = ""


@cache
def assumed() -> Mapping[str, Assumed]:
    """Every shipped assumption by name."""
    return read_assumed(FILE)


def read_assumed(path: Path) -> dict[str, Assumed]:
    """The tables of an assumptions file: value, low, high, basis, source, note. Raises FaultyInput."""
    faults: list[Fault] = []
    found = assumed_in(read_toml(path, faults), path.name, faults)
    raise_if(faults)
    return found


def assumed_in(tables: Mapping[str, Any], where: str, faults: list[Fault]) -> dict[str, Assumed]:
    """The same of tables already read; what is wrong is appended to ``faults``."""
    found = {}
    for name, table in tables.items():
        entry = read_document(_Entry, table, f"{where}, {name}", faults)
        if entry is not None:
            low, value, high = float(entry.low), float(entry.value), float(entry.high)
            found[name] = Assumed(name, value, low, high, entry.basis, entry.source, entry.note)
    return found


def rig_of(network: Network, product: str, where: str = "--product", row: int | None = None) -> Rig:
    """A product of a network that hashes, as a rig. Raises FaultyInput."""
    rigs = {name: item for name, item in network.products.items() if item.kind == "rig" and item.hash_ths}
    item = rigs.get(product)
    if item is None or not item.hash_ths:
        remedy = suggest(product, rigs, "Name a rig of the network, or give hash rate and power.")
        raise FaultyInput(Fault(where, f"There is no rig '{product}'.", remedy, row))
    if not item.power_w:
        remedy = "Fill in its power_w in products.csv, or give hash rate and power."
        raise FaultyInput(Fault(where, f"The power of '{product}' is not known.", remedy, row))
    return Rig(item.hash_ths, item.power_w, item.name)


def outlook_of(given: Given) -> tuple[Outlook, list[str]]:
    """The outlook a user means, and a sentence for each value that is assumed or told by the series.

    Volatility comes from a series of a year or more, drift from one of four, unless stated. ``appraise`` checks bounds.
    """
    if given.hashprice is not None and given.series:
        remedy = "Give --hashprice or --series, not both."
        raise FaultyInput(Fault("--hashprice", "The hash price is given twice.", remedy))
    stated = {field.name: getattr(given, field.name) for field in fields(Given) if field.name != "series"}
    told, said = _told(given.series, stated) if given.series else ({}, [])
    defaults = assumed()
    values = {}
    for field in fields(Outlook):
        value = stated[field.name]
        if value is None:
            value = told.get(field.name)
        if value is None:
            value = defaults[field.name].value
            said.append(defaults[field.name].sentence())
        values[field.name] = value
    values["months"] = whole_months(values["months"])
    return Outlook(**values), said


def _told(sources: Sequence[str], stated: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
    """What a series tells that is not stated, and what it rests on."""
    series = mining.load_all(sources)
    found = mining.statistics(series)
    told: dict[str, float] = {"hashprice": found.hashprice}
    said = [f"hash price {found.hashprice:.2f} USD/PH/day: that of {found.last}, the last day of {series.where}"]
    if stated["volatility"] is None and found.volatility is not None:
        told["volatility"] = found.volatility
        said.append(f"volatility {found.volatility:.3f} a year, of {found.years:.1f} years in samples of 28 days")
    if stated["drift"] is None and found.drift is not None:
        told["drift"] = found.drift
        error = f"standard error {found.drift_error:.2f}"
        said.append(
            f"drift {found.drift:+.3f} a year, of {found.years:.1f} years ({error}: the past says little of it)"
        )
    if found.volatility is None and stated["volatility"] is None:
        said.append(f"the series is of {found.years:.1f} years: too short to tell the volatility, which is assumed")
    return told, [*said, *series.notes]


def whole_months(value: Any) -> int:
    """Months as a whole number; NaN and parts are refused."""
    if isinstance(value, float) and not value.is_integer():
        raise FaultyInput(Fault("--months", f"{value} is no whole number of months.", BOUNDS["months"].remedy))
    return int(value)


def faults_of(
    values: Mapping[str, float | None],
    where: str = "",
    row: int | None = None,
    bounds: Mapping[str, Bound] = BOUNDS,
) -> list[Fault]:
    """A fault for each value that is no number or out of its bounds; None is passed over.

    ``where`` is the file the values stand in, each then a column; without it they are options.
    """
    found = []
    for name, value in values.items():
        if value is None:
            continue
        bound = bounds[name]
        if (bound.least < value if bound.open else bound.least <= value) and value <= bound.most:
            continue
        said = str(value) if isinstance(value, int) else f"{value:g}"  # an integer may be too large for a float
        what = f"{said} is {'not a number' if said == 'nan' else 'out of range'}."
        place = where or "--" + name.replace("_", "-")
        found.append(Fault(place, what, bound.remedy, row, name if where else None))
    return found


def changed(outlook: Outlook, name: str, value: float) -> Outlook:
    """The outlook with one value changed."""
    changes: dict[str, Any] = {name: int(value) if name == "months" else value}
    return replace(outlook, **changes)
