"""What the rig market needs beside a supply network: ``market.toml`` in the network's folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ashore.errors import Fault, raise_if, suggest
from ashore.markets.rigs.balance import PRICINGS, Pricing
from ashore.markets.rigs.supply import Dispute
from ashore.network import Network
from ashore.tables import countries, document_of
from ashore.tables.document import read_document

SETTINGS = "market.toml"


@dataclass(frozen=True, slots=True)
class _Document:
    """The keys of market.toml; see ``Settings``."""

    market_elasticity: Decimal
    margin: Decimal
    margin_maker: str
    network_ehs: Decimal
    conduct: str = field(default="world", metadata={"choices": PRICINGS})
    months: int = 12
    retired_share: Decimal = Decimal(0)
    power_spread: Decimal = Decimal("0.25")
    blur_usd_ths: Decimal = Decimal("0.05")
    feedback: bool = True
    dispute_origin: str = ""
    dispute_chance: Decimal = Decimal(0)
    nationality: Any = None
    name: str = ""
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Settings:
    """The rig market beside its network.

    conduct: how makers price. elasticity: of the TH/s bought in the country that keeps the rule book, all delivered
    prices moving together; below 0. margin: of ``margin_maker``, of the border price. months: over which sales are
    counted. network_ehs: hash rate running today, of which ``retired_share`` leaves over those months. power_spread:
    standard deviation of the logarithm of buyers' prices of power in a region. blur_usd_ths: difference in cost at
    which a buyer is about indifferent between two routes. feedback: whether rigs sold lower the hash price. dispute:
    chance that rigs are found to be of another origin. nationality: of makers' owners.
    """

    conduct: Pricing
    elasticity: float
    margin: float
    margin_maker: str
    months: int
    network_ehs: float
    retired_share: float
    power_spread: float
    blur_usd_ths: float
    feedback: bool
    dispute: Dispute | None
    nationality: dict[str, str]
    name: str
    notes: tuple[str, ...]


def read_settings(folder: Path, network: Network, conduct: str | None) -> Settings:
    """The settings of a network's market; raises ``FaultyInput`` with every fault."""
    document = document_of(folder / SETTINGS, SETTINGS)
    faults: list[Fault] = []
    if conduct is not None:
        if conduct not in PRICINGS:
            remedy = suggest(conduct, PRICINGS, "Write one of world, region, moncom.")
            faults.append(Fault("--conduct", f"'{conduct}' is no way rig makers price.", remedy))
        document = {**document, "conduct": conduct if conduct in PRICINGS else "world"}
    read = read_document(_Document, document, SETTINGS, faults)
    raise_if(faults)
    assert read is not None
    makers = sorted({item.maker for item in network.products.values() if item.kind == "rig"})
    _within(read, makers, faults)
    nations = _nations(read.nationality, makers, faults)
    raise_if(faults)
    dispute = Dispute(read.dispute_origin, float(read.dispute_chance)) if read.dispute_chance else None
    pricing: Pricing = read.conduct  # type: ignore[assignment]
    return Settings(
        conduct=pricing,
        elasticity=float(read.market_elasticity),
        margin=float(read.margin),
        margin_maker=read.margin_maker,
        months=read.months,
        network_ehs=float(read.network_ehs),
        retired_share=float(read.retired_share),
        power_spread=float(read.power_spread),
        blur_usd_ths=float(read.blur_usd_ths),
        feedback=read.feedback,
        dispute=dispute,
        nationality=nations,
        name=read.name or network.settings.name,
        notes=(f"market.toml: {read.note}",) if read.note else (),
    )


def _within(read: _Document, makers: list[str], faults: list[Fault]) -> None:
    bounds = {
        "market_elasticity": (read.market_elasticity < 0, "is not below 0", "Write it as -1.5."),
        "margin": (0 < read.margin < 1, "is not between 0 and 1", "Write 28 % as 0.28."),
        "network_ehs": (read.network_ehs > 0, "is not above 0", "Give the hash rate running today in EH/s, as 941."),
        "months": (1 <= read.months <= 120, "is not between 1 and 120", "Write 12 for a year."),
        "retired_share": (0 <= read.retired_share < 1, "is not between 0 and 1", "Write 10 % as 0.1."),
        "power_spread": (0 < read.power_spread <= 2, "is not between 0 and 2", "Write 0.25 for about 25 %."),
        "blur_usd_ths": (read.blur_usd_ths > 0, "is not above 0", "Give a small difference in USD/TH, as 0.05."),
        "dispute_chance": (0 <= read.dispute_chance <= 1, "is not between 0 and 1", "Write 10 % as 0.1."),
    }
    for key, (fits, what, remedy) in bounds.items():
        if not fits:
            faults.append(Fault(SETTINGS, f"{getattr(read, key)} {what}.", remedy, column=key))
    if read.margin_maker not in makers:
        remedy = suggest(read.margin_maker, makers, "Name a maker of rigs.")
        faults.append(Fault(SETTINGS, f"No rig is made by '{read.margin_maker}'.", remedy, column="margin_maker"))
    if read.dispute_chance and read.dispute_origin not in countries():
        what = f"'{read.dispute_origin}' is no country code."
        faults.append(Fault(SETTINGS, what, "Name the origin that customs may find.", column="dispute_origin"))


def _nations(given: Any, makers: list[str], faults: list[Fault]) -> dict[str, str]:
    """Country of each maker's owner; the table may leave makers out."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        faults.append(
            Fault(SETTINGS, "nationality is no table.", "Write [nationality] and a line a maker.", column="nationality")
        )
        return {}
    for maker, code in given.items():
        if maker not in makers:
            remedy = suggest(maker, makers, "Name a maker of rigs.")
            faults.append(Fault(SETTINGS, f"No rig is made by '{maker}'.", remedy, column="nationality"))
        if not isinstance(code, str) or code not in countries():
            faults.append(Fault(SETTINGS, f"'{code}' is no country code.", "Write two letters.", column="nationality"))
    return dict(given)
