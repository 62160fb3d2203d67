"""What a ranking of offers rests on: the day, the outlook, what is scarce, and days that money is paid on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from ashore import mining, worth
from ashore.offers.landing import Branch, Landing
from ashore.worth import Assumed, Outlook

FILE = Path(__file__).parents[1] / "data" / "offers" / "assumptions.toml"
CASH, POWER = "cash", "power"


@dataclass(frozen=True)
class Basis:
    """What a ranking rests on beside the offers: the day, the outlook, what is scarce, and costs of holding.

    scarce: "cash" ranks by what is left for each USD laid out, "power" for each MW. storage_usd_month: of a unit.
    """

    on: date
    outlook: Outlook
    scarce: str = CASH
    insurance_share: float = 0.0
    storage_usd_month: float = 0.0
    paths: int = mining.option.PATHS
    seed: int = mining.option.SEED


@dataclass(frozen=True)
class Case:
    """One offer under one branch: its landing, and its cost today in USD a unit, doubts of origin left out."""

    branch: Branch
    landing: Landing
    cost_usd: float

    @property
    def runs(self) -> float:
        """1 where the rigs come to run, 0 where a ban turns them away."""
        return 0.0 if self.landing.turned_away else 1.0


@cache
def assumed() -> dict[str, Assumed]:
    """Shipped assumptions on liquidation and holds."""
    return worth.read_assumed(FILE)


def settled(landing: Landing) -> date:
    return landing.arrival + timedelta(days=round(assumed()["liquidation_days"].value))


def discount(basis: Basis, day: date) -> float:
    return float(mining.discount(basis.outlook.rate, (day - basis.on).days / 365.25))
