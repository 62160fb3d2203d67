"""How often each offer is the best one, over branches of the law, paths of the hash price and doubts of origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ashore import mining, worth
from ashore.offers.basis import CASH, Basis, Case, discount, settled
from ashore.offers.read import Offer
from ashore.rules.model import PPM
from ashore.worth import Outlook

Floats = NDArray[np.float64]


class Rival(Protocol):
    """An offer with its cases, one a branch, and the outlook of its rigs from their arrival on."""

    @property
    def offer(self) -> Offer: ...
    @property
    def cases(self) -> tuple[Case, ...]: ...
    @property
    def outlook(self) -> Outlook: ...


def chances_best(judged: Sequence[Rival], basis: Basis) -> list[float | None]:
    """For each offer the chance that it leaves more, for each USD or MW, than the best other one.

    Over the branches, the paths of the hash price (the same for all) and the doubts of origin, in which offers of one
    maker with the same doubts meet the same finding.
    """
    if len(judged) < 2:
        return [None] * len(judged)
    first = worth.life(judged[0].offer.rig, 0.0, basis.outlook)
    drawn = mining.paths(first.mean, basis.outlook.volatility, first.years, basis.paths, basis.seed)
    lives = [worth.life(each.offer.rig, each.offer.power_usd_kwh, each.outlook) for each in judged]
    value = mining.run_usd(drawn, *(np.array([life.present[which] for life in lives]) for which in (0, 1)))
    found = np.zeros(len(judged))
    draws = _draws(judged, basis)
    for place, branch in enumerate(branch.branch for branch in judged[0].cases):
        cost = np.array([each.cases[place].cost_usd for each in judged])[:, None]
        runs = np.array([each.cases[place].runs for each in judged])[:, None]
        left = value * runs - cost - np.array([_found_usd(each, place, draws, basis) for each in judged])
        left /= cost if basis.scarce == CASH else np.array([each.offer.rig.power_w for each in judged])[:, None]
        ordered = np.sort(left, axis=0)
        best, second = ordered[-1], ordered[-2]
        found += branch.chance * ((left == best) & (best > second)).mean(axis=1)
    return [float(chance) for chance in found]


def _draws(judged: Sequence[Rival], basis: Basis) -> dict[tuple[str, tuple[tuple[str, int], ...]], NDArray[np.int64]]:
    """For each maker and doubt of origin, which origin customs finds on each path."""
    random = np.random.default_rng([basis.seed, 1])
    groups = dict.fromkeys((each.offer.maker, each.offer.origins) for each in judged if each.offer.origins)
    return {
        key: random.choice(len(key[1]), size=basis.paths, p=[chance / PPM for _, chance in key[1]]) for key in groups
    }


def _found_usd(judged: Rival, place: int, draws: dict[Any, NDArray[np.int64]], basis: Basis) -> Floats:
    """What the finding of each path costs the buyer of a unit, discounted."""
    offer, landing = judged.offer, judged.cases[place].landing
    if not offer.origins or not offer.terms.duty:
        return np.zeros(basis.paths)
    extra = np.array(landing.extra_usd) / offer.units * discount(basis, settled(landing))
    return np.asarray(extra[draws[offer.maker, offer.origins]], dtype=np.float64)
