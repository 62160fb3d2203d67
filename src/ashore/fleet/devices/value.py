"""What rigs are worth to whoever runs them: what a list, a hold or a phase-out of them bears on, in money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ashore import worth
from ashore.errors import raise_if
from ashore.fleet.devices.model import Device

FINE = 1  # decimals of J/TH to which rigs are valued alike


@dataclass(frozen=True, slots=True)
class Valuation:
    """Option value at a price of power; worth grows in proportion with a rig's size, so it is kept by J/TH.

    outlooks: at the low, the middle and the high hash price. assumptions: a sentence for each figure not stated.
    """

    power_usd_kwh: float
    outlooks: tuple[worth.Outlook, worth.Outlook, worth.Outlook]
    assumptions: tuple[str, ...]
    _known: dict[tuple[float, int], float] = field(default_factory=dict, repr=False)

    def of(self, devices: Iterable[Device]) -> dict[str, float]:
        """USD of some devices at each hash price, and rigs whose hash rate or power is not known (they count as 0)."""
        sums, without = [0.0, 0.0, 0.0], 0
        for device in devices:
            if not device.hash_ths or not device.power_w or device.hash_ths < worth.BOUNDS["ths"].least:
                without += device.units
                continue
            for end in range(3):
                sums[end] += device.units * device.hash_ths * self._usd_ths(device.power_w / device.hash_ths, end)
        low, middle, high = sums
        return {"value_usd": middle, "value_low_usd": low, "value_high_usd": high, "unvalued_rigs": without}

    def _usd_ths(self, joules_th: float, end: int) -> float:
        key = (round(joules_th, FINE), end)
        if key not in self._known:
            self._known[key] = worth.option_usd(worth.Rig(1.0, key[0]), self.power_usd_kwh, self.outlooks[end])
        return self._known[key]


def valuation(power_usd_kwh: float, given: worth.Given | None = None) -> Valuation:
    """A valuation at a price of power and an outlook; the hash price's low and high are shipped where it is not stated.

    Raises FaultyInput.
    """
    stated = given or worth.Given()
    seen, assumptions = worth.outlook_of(stated)
    numbers = {name: getattr(seen, name) for name in worth.BOUNDS if hasattr(seen, name)}
    raise_if(worth.faults_of({"power_usd_kwh": power_usd_kwh} | numbers))
    known = stated.hashprice is not None or stated.series
    prices = (seen.hashprice,) * 2 if known else tuple(
        getattr(worth.assumed()["hashprice"], end) for end in ("low", "high")
    )  # fmt: skip
    low, high = (replace(seen, hashprice=price) for price in prices)
    return Valuation(power_usd_kwh, (low, seen, high), tuple(assumptions))
