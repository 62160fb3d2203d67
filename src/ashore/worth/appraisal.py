"""The worth of a rig: income, break-evens, payback, present value, option value, and the duty a buyer could bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashore import mining
from ashore.errors import raise_if
from ashore.mining import DAYS_MONTH
from ashore.worth.inputs import LABELS, Outlook, Rig, assumed, changed, faults_of

Floats = NDArray[np.float64]

QUANTILES = (0.05, 0.50, 0.95)
POWER_SHARE = 0.2  # by which the price of power is varied
PLAIN = (  # fields of the answer that its document takes as they are
    "revenue_usd_month",
    "power_usd_month",
    "income_usd_month",
    "breakeven_hashprice",
    "breakeven_power_usd_kwh",
    "payback_months",
    "payback_flat_months",
    "npv_usd",
    "irr_year",
    "option_usd",
    "always_on_usd",
    "elasticity",
    "max_duty_rate",
    "bands",
    "paid_back_chance",
    "sensitivity",
)


@dataclass(frozen=True)
class Months:
    """A rig's life, month by month: one entry each.

    years: middle of the month from today. live: share of the month it is there to run. earns: USD for each USD of hash
    price if it runs; costs_usd: its power then; discount: worth today of a dollar; mean, deviation: of the hash price.
    """

    years: Floats
    live: Floats
    earns: Floats
    costs_usd: Floats
    discount: Floats
    mean: Floats
    deviation: Floats

    @property
    def cash_usd(self) -> Floats:
        """What it earns on the mean path of the hash price."""
        return self.cash_at(self.mean)

    @property
    def present(self) -> tuple[Floats, Floats]:
        """``earns`` and ``costs_usd`` discounted."""
        return self.earns * self.discount, self.costs_usd * self.discount

    @property
    def mean_path_usd(self) -> float:
        """Worth on the mean path of the hash price, switched off in months that do not pay its power."""
        return float((self.cash_usd * self.discount).sum())

    @property
    def option_usd(self) -> float:
        """Worth if it may be switched off month by month, whatever the hash price does (closed form)."""
        return float(mining.strip_usd(*self.present, self.mean, self.deviation))

    def cash_at(self, hashprice: Floats | float) -> Floats:
        """What it earns at these hash prices (…, months), switched off where power costs more."""
        return mining.margin_usd_day(self.earns * hashprice, self.costs_usd)


@dataclass(frozen=True)
class Worth:
    """The answer for one rig at one price; USD, USD per TH/s, shares. ``None``: never, or not defined.

    income_usd_month: of a month at today's hash price, after power, 0 if switched off. npv_usd: of the mean path of the
    hash price, the rig switched off in months that do not pay its power, less the outlay. option_usd: worth of a rig
    that may be switched off month by month, whatever the hash price does. always_on_usd: of one that never is.
    max_duty_rate: share of the price at which ``npv_usd`` (``npv``), respectively ``option_usd`` less the outlay
    (``option``), is nil; negative: not even duty-free. bands: quantiles 5, 50 and 95 per cent over the paths.
    """

    rig: Rig
    price_usd_ths: float
    power_usd_kwh: float
    duty_rate: float
    outlook: Outlook
    revenue_usd_month: float
    power_usd_month: float
    income_usd_month: float
    breakeven_hashprice: float
    breakeven_power_usd_kwh: float
    payback_months: float | None
    payback_flat_months: float | None
    npv_usd: float
    irr_year: float | None
    option_usd: float
    always_on_usd: float
    elasticity: float | None
    max_duty_rate: dict[str, float]
    bands: dict[str, dict[str, float | None]]
    paid_back_chance: float
    paths: int
    seed: int
    sensitivity: list[dict[str, Any]]
    assumptions: tuple[str, ...] = ()
    months: Months | None = field(default=None, repr=False, compare=False)

    @property
    def price_usd(self) -> float:
        return self.price_usd_ths * self.rig.hash_ths

    def as_dict(self) -> dict[str, Any]:
        """The JSON document of ``ashore worth``."""
        ths = self.rig.hash_ths
        inputs = {
            "product": self.rig.name or None,
            "hash_ths": ths,
            "power_w": self.rig.power_w,
            "joules_th": self.rig.power_w / ths,
            "price_usd_ths": self.price_usd_ths,
            "price_usd": self.price_usd,
            "duty_rate": self.duty_rate,
            "power_usd_kwh": self.power_usd_kwh,
            **asdict(self.outlook),
            "paths": self.paths,
            "seed": self.seed,
        }
        return {
            "inputs": inputs,
            **{name: getattr(self, name) for name in PLAIN},
            "option_usd_ths": self.option_usd / ths,
            "always_on_usd_ths": self.always_on_usd / ths,
            "assumptions": list(self.assumptions),
        }


def life(rig: Rig, power_usd_kwh: float, outlook: Outlook) -> Months:
    """The months of a rig at a site.

    earns = PH/s · (1 − fee) · (1 − degradation)^t · uptime · days · live; costs = kW · 24 · USD/kWh · uptime · days ·
    live; live is 0 before the rig starts and the rest of the month in which it does. The last month is the same,
    whenever it starts: a rig that comes late has less life, not a later one.
    """
    count = np.arange(1.0, outlook.months + 1)
    years = (count - 0.5) / 12
    live = np.clip(count - outlook.delay_days / DAYS_MONTH, 0.0, 1.0)
    hours = outlook.uptime * DAYS_MONTH * live
    aged = 1 - (1 - outlook.degradation) ** years
    return Months(
        years=years,
        live=live,
        earns=mining.revenue_usd_day(rig.hash_ths, 1.0, 1.0, outlook.pool_fee, aged) * hours,
        costs_usd=mining.power_usd_day(rig.power_w, power_usd_kwh) * hours,
        discount=mining.discount(outlook.rate, years),
        mean=mining.mean_hashprice(outlook.hashprice, outlook.drift, years),
        deviation=outlook.volatility * np.sqrt(years),
    )


def option_usd(rig: Rig, power_usd_kwh: float, outlook: Outlook) -> float:
    """Worth of a rig that may be switched off (closed form)."""
    return life(rig, power_usd_kwh, outlook).option_usd


def mean_path_usd(rig: Rig, power_usd_kwh: float, outlook: Outlook) -> float:
    """Worth of a rig on the mean path of the hash price, switched off in months that do not pay its power."""
    return life(rig, power_usd_kwh, outlook).mean_path_usd


def today_usd_month(rig: Rig, power_usd_kwh: float, outlook: Outlook) -> tuple[float, float]:
    """Revenue of a month at today's hash price, and what its power costs."""
    hours = outlook.uptime * DAYS_MONTH
    revenue = float(mining.revenue_usd_day(rig.hash_ths, outlook.hashprice, 1.0, outlook.pool_fee)) * hours
    return revenue, float(mining.power_usd_day(rig.power_w, power_usd_kwh)) * hours


def payback_flat_months(rig: Rig, outlay_usd: float, power_usd_kwh: float, outlook: Outlook) -> float | None:
    """Months until the outlay is back if the hash price stays as it is; None if it does not pay the power."""
    revenue, power = today_usd_month(rig, power_usd_kwh, outlook)
    return outlook.delay_days / DAYS_MONTH + outlay_usd / (revenue - power) if revenue > power else None


def appraise(
    rig: Rig,
    price_usd_ths: float,
    power_usd_kwh: float,
    outlook: Outlook,
    duty_rate: float = 0.0,
    paths: int = mining.option.PATHS,
    seed: int = mining.option.SEED,
    assumptions: Sequence[str] = (),
) -> Worth:
    """What a rig at this price is worth at a site with this price of power. Raises FaultyInput with all faults.

    price_usd_ths: price where the rig is plugged in, without duty, in USD for each TH/s. duty_rate: duty paid on top,
    as a share of that price.
    """
    values = {"ths": rig.hash_ths, "watts": rig.power_w, "price_usd_ths": price_usd_ths, "power_usd_kwh": power_usd_kwh}
    raise_if(faults_of({**values, "duty_rate": duty_rate, **asdict(outlook), "paths": paths, "seed": seed}))
    price = price_usd_ths * rig.hash_ths
    outlay = price * (1 + duty_rate)
    months = life(rig, power_usd_kwh, outlook)
    earns, costs = months.present
    revenue, power = today_usd_month(rig, power_usd_kwh, outlook)
    mean_path, option = months.mean_path_usd, months.option_usd
    elasticity = float(mining.strip_elasticity(earns, costs, months.mean, months.deviation))
    bands, chance = _bands(months, price, outlay, outlook, paths, seed)
    return Worth(
        rig=rig,
        price_usd_ths=price_usd_ths,
        power_usd_kwh=power_usd_kwh,
        duty_rate=duty_rate,
        outlook=outlook,
        revenue_usd_month=revenue,
        power_usd_month=power,
        income_usd_month=max(revenue - power, 0.0),
        breakeven_hashprice=float(
            mining.breakeven_hashprice(rig.power_w, rig.hash_ths, power_usd_kwh, outlook.pool_fee)
        ),
        breakeven_power_usd_kwh=float(
            mining.breakeven_power_usd_kwh(rig.power_w, rig.hash_ths, outlook.hashprice, outlook.pool_fee)
        ),
        payback_months=_or_none(float(mining.payback_months(outlay, months.cash_usd))),
        payback_flat_months=payback_flat_months(rig, outlay, power_usd_kwh, outlook),
        npv_usd=mean_path - outlay,
        irr_year=_or_none(mining.irr_year(outlay, months.cash_usd, months.years)),
        option_usd=option,
        always_on_usd=float(mining.always_on_usd(earns, costs, months.mean)),
        elasticity=_or_none(elasticity),
        max_duty_rate={"npv": mean_path / price - 1, "option": option / price - 1},
        bands=bands,
        paid_back_chance=chance,
        paths=paths,
        seed=seed,
        sensitivity=sensitivity(rig, outlay, power_usd_kwh, outlook),
        assumptions=tuple(assumptions),
        months=months,
    )


def sensitivity(rig: Rig, outlay_usd: float, power_usd_kwh: float, outlook: Outlook) -> list[dict[str, Any]]:
    """How far each assumption, taken to its low and its high, moves present value and option value; widest first.

    Power is taken a fifth down and up. Rows: what, label, low, high, npv_usd and option_usd (both less the outlay, each
    at low and at high).
    """
    power = (power_usd_kwh * (1 - POWER_SHARE), power_usd_kwh * (1 + POWER_SHARE))
    trials = [("power_usd_kwh", "price of power", power, [(price, outlook) for price in power])]
    for name, each in assumed().items():
        own = getattr(outlook, name)
        ends = (min(each.low, own), max(each.high, own))
        trials.append((name, LABELS[name][0], ends, [(power_usd_kwh, changed(outlook, name, end)) for end in ends]))
    rows = []
    for name, label, (low, high), states in trials:
        lives = [life(rig, *state) for state in states]
        npv = [each.mean_path_usd - outlay_usd for each in lives]
        option = [each.option_usd - outlay_usd for each in lives]
        rows.append({"what": name, "label": label, "low": low, "high": high, "npv_usd": npv, "option_usd": option})
    return sorted(rows, key=lambda row: -abs(row["option_usd"][1] - row["option_usd"][0]))


def _bands(
    months: Months, price: float, outlay: float, outlook: Outlook, paths: int, seed: int
) -> tuple[dict[str, dict[str, float | None]], float]:
    """Quantiles over the paths of what a rig switched off at will comes to, and the chance that it pays back."""
    drawn = mining.paths(months.mean, outlook.volatility, months.years, paths, seed)
    value = mining.run_usd(drawn, *months.present)[0]
    payback = mining.payback_months(np.full(len(drawn), outlay), months.cash_at(drawn))
    bands = {
        "hashprice_end": _quantiles(drawn[:, -1]),
        "value_usd": _quantiles(value),
        "npv_usd": _quantiles(value - outlay),
        "payback_months": _quantiles(payback),
        "max_duty_rate": _quantiles(value / price - 1),
    }
    return bands, float(np.isfinite(payback).mean())


def _quantiles(values: Floats) -> dict[str, float | None]:
    """5, 50 and 95 per cent of the values, each one of them; None where that is endless."""
    found = np.quantile(values, QUANTILES, method="inverted_cdf")
    return {f"{100 * share:g}": _or_none(float(value)) for share, value in zip(QUANTILES, found, strict=True)}


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
