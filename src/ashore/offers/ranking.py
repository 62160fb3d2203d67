"""Which offer to take: each one landed under every branch of the law and set against what its rigs earn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashore import mining, worth
from ashore.dates import month_date
from ashore.errors import Fault, FaultyInput, raise_if
from ashore.mining import DAYS_MONTH
from ashore.network import Network
from ashore.offers.basis import CASH, POWER, Basis, Case, assumed, discount, settled
from ashore.offers.chances import chances_best
from ashore.offers.landing import Branch, Lander, Landing, expected_extra
from ashore.offers.read import BUYER, SELLER, Offer
from ashore.rules.model import PPM
from ashore.worth import Outlook

Floats = NDArray[np.float64]

WAITS = (1, 2, 3)  # months
MEGA = 1e6


@dataclass(frozen=True)
class Judged:
    """One offer with all that is said of it; money in USD a unit unless its name says otherwise.

    option_net: worth switched off at will, npv: on the mean path; both less what is paid, discounted, over the branches
    and the doubts of origin. chance_best: that it leaves more than the best other offer; None if it is the only one.
    """

    offer: Offer
    cases: tuple[Case, ...]
    outlook: Outlook
    option_usd: float
    option_net_usd: float
    npv_usd: float
    payback_months: float | None
    payback_flat_months: float | None
    chance_best: float | None
    waiting: tuple[dict[str, Any], ...]
    dispute: dict[str, Any] | None
    hold: dict[str, Any]

    @property
    def outlay_usd(self) -> float:
        """Mean of what is paid for a unit, discounted."""
        return _mean(self.cases, [case.cost_usd for case in self.cases])

    def per(self, usd: float) -> dict[str, float]:
        """An amount of a unit for each MW it draws and each USD laid out for it."""
        return {"usd_mw": usd * MEGA / self.offer.rig.power_w, "usd_usd": usd / self.outlay_usd}

    def as_dict(self) -> dict[str, Any]:
        offer, cases = self.offer, _entered(self.cases)
        landed = [case.landing.total for case in cases]
        parts = ("price", "freight", "insurance", "duty", "fees")
        return {
            "offer": offer.name,
            "maker": offer.maker,
            "product": offer.product or None,
            "hash_ths": offer.rig.hash_ths,
            "power_w": offer.rig.power_w,
            "units": offer.units,
            "origin": offer.origin,
            "incoterm": offer.incoterm,
            "tariff_for": offer.tariff_for,
            "market": offer.market,
            "mode": offer.mode,
            "ship_date": offer.ship_date.isoformat(),
            "arrival": cases[0].landing.arrival.isoformat(),
            "price_usd": offer.price_usd,
            "landed_usd_unit": _spread(cases, landed),
            "landed_usd_ths": _spread(cases, [usd / offer.rig.hash_ths for usd in landed]),
            "parts": {name: _mean(cases, [getattr(case.landing, name) for case in cases]) for name in parts},
            "duty_rate": _spread(cases, [case.landing.rate for case in cases]),
            "value_usd": cases[0].landing.value_usd,
            "outlay_usd": self.outlay_usd,
            "payback_months": self.payback_months,
            "payback_flat_months": self.payback_flat_months,
            "option_usd": self.option_usd,
            "option_net_usd": self.option_net_usd,
            **{f"option_net_{key}": usd for key, usd in self.per(self.option_net_usd).items()},
            "npv_usd": self.npv_usd,
            **{f"npv_{key}": usd for key, usd in self.per(self.npv_usd).items()},
            "chance_best": self.chance_best,
            "waiting": list(self.waiting),
            "dispute": self.dispute,
            "hold": self.hold,
            "turned_away_chance": math.fsum(case.branch.chance for case in self.cases if case.landing.turned_away),
            "branches": [_branch_row(case, self.option_usd) for case in self.cases],
            "needs": sorted({need for case in cases for need in case.landing.needs}),
            "notes": sorted({note for case in self.cases for note in case.landing.notes}),
        }


@dataclass(frozen=True)
class Ranking:
    """The offers, best first."""

    basis: Basis
    branches: tuple[Branch, ...]
    offers: tuple[Judged, ...]
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON document of ``ashore offers``."""
        basis = self.basis
        return {
            "on": basis.on.isoformat(),
            "scarce": basis.scarce,
            "outlook": asdict(basis.outlook),
            "paths": basis.paths,
            "seed": basis.seed,
            "branches": [{"branch": branch.name, "chance": branch.chance} for branch in self.branches],
            "offers": [{"rank": place, **judged.as_dict()} for place, judged in enumerate(self.offers, start=1)],
            "assumptions": list(self.assumptions),
            "notes": list(self.notes),
        }


def needed_until(offers: Sequence[Offer]) -> date:
    """First day the books need not know: the day after the last arrival of the longest wait."""
    arrivals = (month_date(offer.ship_date, max(WAITS)) + timedelta(days=math.ceil(offer.days) + 1) for offer in offers)
    return max(arrivals)


def basis_of(network: Network, on: date, outlook: Outlook, scarce: str, paths: int, seed: int | None) -> Basis:
    """The basis with a network's insurance and cost of storage."""
    insurance, storage = network.settings.insurance_share, network.settings.hold_usd_month
    basis = Basis(on, outlook, scarce, insurance, storage, paths)
    return basis if seed is None else replace(basis, seed=seed)


def rank(
    offers: Sequence[Offer],
    branches: Sequence[Branch],
    basis: Basis,
    assumptions: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Ranking:
    """Every offer judged on the day ``basis.on`` over the branches of the law, best first.

    Branches of chance 0 are left out. The books must reach three months and a day beyond the last arrival. Raises
    FaultyInput, OutsideCoverage or Unresolved, naming the row of the offer.
    """
    _check(offers, branches, basis)
    likely = tuple(branch for branch in branches if branch.chance > 0)
    judged = [_judged(offer, likely, basis) for offer in offers]
    chances = chances_best(judged, basis)
    found = [replace(each, chance_best=chance) for each, chance in zip(judged, chances, strict=True)]
    key = "usd_mw" if basis.scarce == POWER else "usd_usd"
    found.sort(key=lambda each: -each.per(each.option_net_usd)[key])
    said = [*assumptions, *(each.sentence() for each in assumed().values())]
    said += [line for offer in offers for line in offer.estimates]
    return Ranking(basis, likely, tuple(found), tuple(dict.fromkeys(said)), tuple(dict.fromkeys(notes)))


def _check(offers: Sequence[Offer], branches: Sequence[Branch], basis: Basis) -> None:
    faults = worth.faults_of({**asdict(basis.outlook), "paths": basis.paths, "seed": basis.seed})
    if basis.scarce not in (CASH, POWER):
        faults.append(Fault("--scarce", f"'{basis.scarce}' is neither cash nor power.", "Write cash or power."))
    if not offers:
        faults.append(Fault("offers", "There is no offer.", "Give at least one."))
    if abs(math.fsum(branch.chance for branch in branches) - 1) > 1e-9:
        faults.append(Fault("--futures", "The chances of the branches do not sum to 1.", "Let them sum to 1."))
    raise_if(faults, FaultyInput)


def _judged(offer: Offer, branches: Sequence[Branch], basis: Basis) -> Judged:
    """All that is said of one offer but how it compares with others."""
    landers = [Lander(offer, branch, basis.on, basis.insurance_share) for branch in branches]
    cases = _cases(landers, basis, 0)
    outlook = _delayed(basis, cases[0].landing)
    life = worth.life(offer.rig, offer.power_usd_kwh, outlook)
    option = life.option_usd
    net = _mean(cases, _nets(cases, option, offer, basis))
    entered = _entered(cases)
    landed = _mean(entered, [case.landing.total for case in entered])
    payback = float(mining.payback_months(landed, life.cash_usd))
    return Judged(
        offer=offer,
        cases=cases,
        outlook=outlook,
        option_usd=option,
        option_net_usd=net,
        npv_usd=_mean(cases, _nets(cases, life.mean_path_usd, offer, basis)),
        payback_months=payback if math.isfinite(payback) else None,
        payback_flat_months=worth.payback_flat_months(offer.rig, landed, offer.power_usd_kwh, outlook),
        chance_best=None,
        waiting=tuple(_wait(landers, cases, basis, months, net, option) for months in WAITS),
        dispute=_dispute(offer, cases),
        hold=_hold(offer, outlook, basis, option),
    )


def _cases(landers: Sequence[Lander], basis: Basis, months: int) -> tuple[Case, ...]:
    found = []
    for lander in landers:
        landing = lander.after(months)
        found.append(Case(lander.branch, landing, _cost_usd(landing, lander.offer, basis)))
    return tuple(found)


def _cost_usd(landing: Landing, offer: Offer, basis: Basis) -> float:
    """What is paid for a unit, discounted: deposit on ordering, price and carriage on shipping, duty on arrival."""
    first, then, last = (discount(basis, day) for day in (landing.ordered, landing.shipped, landing.arrival))
    price = landing.price * (offer.deposit * first + (1 - offer.deposit) * then)
    return price + (landing.freight + landing.insurance) * then + (landing.duty + landing.fees) * last


def _nets(cases: Sequence[Case], worth_usd: float, offer: Offer, basis: Basis) -> list[float]:
    """What a unit of this worth leaves in each branch, doubts of origin taken at their mean."""
    return [case.runs * worth_usd - case.cost_usd - _doubt_usd(case.landing, offer, basis) for case in cases]


def _doubt_usd(landing: Landing, offer: Offer, basis: Basis) -> float:
    """What doubts of origin cost the buyer of a unit on average, discounted from the day the entry is settled."""
    if not offer.origins or not offer.terms.duty:
        return 0.0
    return expected_extra(landing, offer.origins) / offer.units * discount(basis, settled(landing))


def _delayed(basis: Basis, landing: Landing) -> Outlook:
    """The outlook of rigs that run from their arrival on, the delay of the outlook itself on top."""
    days = (landing.arrival - basis.on).days + basis.outlook.delay_days
    return replace(basis.outlook, delay_days=days)


def _wait(
    landers: Sequence[Lander], now: Sequence[Case], basis: Basis, months: int, net: float, option: float
) -> dict[str, Any]:
    """What ordering so many months later changes, the price staying as it is, USD a unit (more is better).

    value_usd: change of ``option_net``, ordering in every branch; with_choice_usd: ordering then only where the law
    known by then leaves something. duty_usd: duty saved; margin_usd: income lost, as negative; both on average.
    """
    offer = landers[0].offer
    cases = _cases(landers, basis, months)
    worth_then = worth.option_usd(offer.rig, offer.power_usd_kwh, _delayed(basis, cases[0].landing))
    nets = _nets(cases, worth_then, offer, basis)
    known: dict[str, float] = {}
    for case, left in zip(cases, nets, strict=True):
        state, _ = case.branch.state_on(case.landing.ordered)
        known[state] = known.get(state, 0.0) + case.branch.chance * left
    chosen = sum(max(left, 0.0) for left in known.values())
    duties = [[case.landing.duty for case in each] for each in (now, cases)]
    return {
        "months": months,
        "order": cases[0].landing.ordered.isoformat(),
        "arrival": cases[0].landing.arrival.isoformat(),
        "value_usd": _mean(cases, nets) - net,
        "with_choice_usd": chosen - max(net, 0.0),
        "duty_usd": _mean(now, duties[0]) - _mean(cases, duties[1]),
        "margin_usd": worth_then - option,
    }


def _dispute(offer: Offer, cases: Sequence[Case]) -> dict[str, Any] | None:
    """What another origin would cost the whole lot, and until when that stays open; None where there is no doubt."""
    if not offer.origins:
        return None
    cases = _entered(cases)
    rows = [
        {
            "origin": code,
            "chance": chance / PPM,
            "more_usd": _spread(cases, [case.landing.extra_usd[place] for case in cases]),
        }
        for place, (code, chance) in enumerate(offer.origins)
    ]
    landing = cases[0].landing
    possible = [place for place, (_, chance) in enumerate(offer.origins) if chance]
    most = [case.landing.extra_usd[place] for case in cases for place in possible]
    return {
        "borne_by": BUYER if offer.terms.duty else SELLER,
        "expected_usd": _mean(cases, [expected_extra(case.landing, offer.origins) for case in cases]),
        "exposure_usd": max([*most, 0.0]),
        "from": landing.arrival.isoformat(),
        "until": settled(landing).isoformat(),
        "origins": rows,
    }


def _hold(offer: Offer, outlook: Outlook, basis: Basis, option: float) -> dict[str, Any]:
    """What it costs if the lot is held at the border: income lost, and storage."""
    days = assumed()["hold_days"].value
    late = replace(outlook, delay_days=outlook.delay_days + days)
    margin = option - worth.option_usd(offer.rig, offer.power_usd_kwh, late)
    storage = basis.storage_usd_month * days / DAYS_MONTH
    return {
        "days": days,
        "margin_usd": margin,
        "storage_usd": storage,
        "usd_unit": margin + storage,
        "usd": (margin + storage) * offer.units,
    }


def _branch_row(case: Case, option: float) -> dict[str, Any]:
    landing = case.landing
    return {
        "branch": case.branch.name,
        "chance": case.branch.chance,
        "landed_usd_unit": landing.total,
        "duty_usd_unit": landing.duty,
        "owed_usd_unit": landing.owed_usd,
        "change_usd_unit": landing.change_usd,
        "rate": landing.rate,
        "turned_away": landing.turned_away,
        "option_net_usd": case.runs * option - case.cost_usd,
    }


def _entered(cases: Sequence[Case]) -> Sequence[Case]:
    """The branches in which the goods may be entered; all of them if there is none."""
    return [case for case in cases if case.runs] or cases


def _mean(cases: Sequence[Case], values: Sequence[float]) -> float:
    """Mean of values by the chances of their branches."""
    weights = [case.branch.chance for case in cases]
    return math.fsum(w * value for w, value in zip(weights, values, strict=True)) / math.fsum(weights)


def _spread(cases: Sequence[Case], values: Sequence[float]) -> dict[str, float]:
    """Mean over the branches by chance, lowest and highest."""
    return {"mean": _mean(cases, values), "low": min(values), "high": max(values)}
