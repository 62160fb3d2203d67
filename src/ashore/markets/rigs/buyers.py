"""Miners who buy rigs: by region and price of power, each weighing what a TH/s is worth to it against its price.

A buyer of region r with power price e takes a TH/s of rig j, or keeps its old fleet, by

    u[j] = (worth[j](e, hash price) − delivered price[r, j]) / scale + taste[r, j],      u[old fleet] = 0,

logit over j: a mixed logit over the buyers of a region, whose power prices are log-normal around the region's.
Quantities are in TH/s, money in USD a TH/s. Axes: regions, buyers of a region, rigs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from ashore import mining
from ashore.markets.demand import Floats
from ashore.worth import Outlook, Rig, life
from ashore.worth.inputs import changed

NODES = 15


@dataclass(frozen=True)
class Buyers:
    """Buyers as calibrated.

    size:   (regions,) TH/s all buyers of a region could take, the old fleet they keep included.
    share:  (buyers,) share of each kind of buyer in a region.
    scale:  USD a TH/s; how far apart tastes are. taste: (regions, rigs).
    """

    size: Floats
    share: Floats
    scale: float
    taste: Floats

    def chances(self, worth: Floats, price: Floats) -> tuple[Floats, Floats]:
        """Chance of each rig, (regions, buyers, rigs), and ln Σ e^u with the old fleet, (regions, buyers)."""
        utility = (worth - price[:, None, :]) / self.scale + self.taste[:, None, :]
        top = np.maximum(utility.max(axis=2), 0.0)
        each = np.exp(utility - top[:, :, None])
        total = each.sum(axis=2) + np.exp(-top)
        return each / total[:, :, None], top + np.log(total)

    def sold(self, worth: Floats, price: Floats) -> Floats:
        """TH/s sold, (regions, rigs)."""
        chance, _ = self.chances(worth, price)
        sold: Floats = self.size[:, None] * np.einsum("n,rnj->rj", self.share, chance)
        return sold

    def slopes(self, worth: Floats, price: Floats) -> Floats:
        """Change of TH/s of rig j of a region with the delivered price of rig k there, (regions, j, k)."""
        chance, _ = self.chances(worth, price)
        weighted = self.share[None, :, None] * chance
        cross = np.einsum("rnj,rnk->rjk", weighted, chance)
        own = np.eye(chance.shape[2])[None] * weighted.sum(axis=1)[:, :, None]
        slopes: Floats = -self.size[:, None, None] / self.scale * (own - cross)
        return slopes

    def surplus_usd(self, worth: Floats, price: Floats) -> Floats:
        """Surplus of a region's buyers over keeping the old fleet, USD, (regions,)."""
        _, logs = self.chances(worth, price)
        surplus: Floats = self.scale * self.size * (logs @ self.share)
        return surplus


def power_prices(regions: Floats, spread: float) -> tuple[Floats, Floats]:
    """Power prices of the buyers of each region (regions, buyers), median as given, and their shares (buyers,)."""
    at, weight = hermegauss(NODES)
    return regions[:, None] * np.exp(spread * at), weight / weight.sum()


def worth_usd_ths(rigs: list[Rig], power: Floats, outlook: Outlook, hashprice: float) -> Floats:
    """Option value of a TH/s of each rig to each buyer, (regions, buyers, rigs), at a hash price."""
    found = np.empty((*power.shape, len(rigs)))
    for place, rig in enumerate(rigs):
        months = life(rig, 1.0, changed(outlook, "hashprice", hashprice))  # power at 1 USD/kWh, scaled below
        earns, costs = months.present
        strip = mining.strip_usd(earns, power[..., None] * costs, months.mean, months.deviation)
        found[..., place] = strip / rig.hash_ths
    return found
