"""What an offer costs its buyer in one branch of the law: terms, duty on arrival, and who bears its change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from ashore import duties
from ashore.dates import month_date
from ashore.duties import Assessment
from ashore.errors import Fault, FaultyInput, OutsideCoverage, Unresolved
from ashore.offers.read import BUYER, Offer
from ashore.rules import RuleBook
from ashore.rules.model import PPM

CENTS = 100
ROUNDS = 3  # of reckoning the value of a delivered price from its duty and back; the fees settle to the cent in two


@dataclass(frozen=True)
class Branch:
    """A course of the law: its chance, and (from, name, book) of each state, the first holding before its day too."""

    name: str
    chance: float
    states: tuple[tuple[date, str, RuleBook], ...]

    def state_on(self, day: date) -> tuple[str, RuleBook]:
        """Name and book of the state that holds on a day."""
        found = self.states[0]
        for state in self.states:
            if state[0] <= day:
                found = state
        return found[1], found[2]


@dataclass(frozen=True)
class Landing:
    """What a buyer pays for a unit, USD, and the entry behind it.

    turned_away: a ban keeps the goods out on arrival: what is paid until then is lost. duty: the part of the duty the
    buyer bears, the change since ordering included if that is the buyer's. owed_usd,
    rate: duty of the entry, whoever pays it; value_usd: its customs value. extra_usd: for each origin in doubt, how
    much more the duty of the whole lot would be. needs: claims the duty depends on.
    """

    ordered: date
    shipped: date
    arrival: date
    price: float
    freight: float
    insurance: float
    duty: float
    fees: float
    owed_usd: float
    rate: float
    value_usd: float
    change_usd: float
    extra_usd: tuple[float, ...]
    turned_away: bool = False
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """Landed cost, USD a unit."""
        return self.price + self.freight + self.insurance + self.duty + self.fees


@dataclass(frozen=True)
class Lander:
    """Lands one offer under one branch, ordered today or months later.

    insurance_share is paid on the price. The customs value leaves out what the price holds of carriage, insurance, duty
    and fees; it is set by the contract, under the law of the day of ordering. Every lot is one entry.
    """

    offer: Offer
    branch: Branch
    on: date
    insurance_share: float = 0.0

    @cached_property
    def taxed(self) -> bool:
        """Whether the goods enter the country that keeps the rule book from abroad."""
        return self.offer.country == self.branch.states[0][2].country != self.offer.origin

    def after(self, months: int = 0) -> Landing:
        """The offer ordered so many months after ``on``, all else as late, at the same price. Raises Unresolved."""
        offer = self.offer
        ordered, shipped = month_date(self.on, months), month_date(offer.ship_date, months)
        arrival = shipped + timedelta(days=math.ceil(offer.days))
        insurance = self.insurance_share * offer.price_usd
        freight, paid = (offer.freight_usd, insurance) if offer.terms.freight else (0.0, 0.0)
        plain = Landing(ordered, shipped, arrival, offer.price_usd, freight, paid, 0, 0, 0, 0, offer.price_usd, 0, ())
        if not self.taxed:
            return replace(plain, extra_usd=(0.0,) * len(offer.origins))
        value = self._value(ordered, insurance)
        then = self._assessed(ordered, None, value, offer.origin)
        now = self._assessed(arrival, shipped, value, offer.origin)
        if now.verdict.ban is not None:
            lost = (0.0,) * len(offer.origins)
            notes = (now.verdict.problem,)
            return replace(plain, value_usd=value, extra_usd=lost, turned_away=True, notes=notes)
        others = [self._certain(self._assessed(arrival, shipped, value, code)) for code, _ in offer.origins]
        owed = self._unit(now.duty_cents)
        change = 0.0 if then.verdict.ban is not None else owed - self._unit(then.duty_cents)
        base = owed - change
        duty = (base if offer.terms.duty else 0.0) + (change if offer.tariff_for == BUYER else 0.0)
        return replace(
            plain,
            duty=duty,
            fees=self._unit(now.fees_cents) if offer.terms.duty else 0.0,
            owed_usd=owed,
            rate=now.rate,
            value_usd=value,
            change_usd=change,
            extra_usd=tuple((other.duty_cents - now.duty_cents) / CENTS for other in others),
            needs=now.verdict.needs,
            notes=now.verdict.notes,
        )

    def _value(self, ordered: date, insurance: float) -> float:
        """Customs value of a unit: P, less freight and insurance if the seller pays them, over 1 + duty if that too."""
        offer = self.offer
        value = offer.price_usd
        if not offer.terms.freight:
            value -= offer.freight_usd + insurance
        if not offer.terms.duty and value > 0:
            whole, fees = value, 0.0
            for _ in range(ROUNDS):
                entry = self._assessed(ordered, None, max(whole - fees, 0.0), offer.origin)
                value = (whole - fees) / (1 + entry.rate)
                fees = self._unit(self._assessed(ordered, None, max(value, 0.0), offer.origin).fees_cents)
        if value <= 0:
            what = f"Freight, insurance and duty take the whole price of {offer.price_usd:,.2f} USD."
            remedy = "Correct the price, the freight or the incoterm."
            raise FaultyInput(Fault("offers", what, remedy, offer.row, "price_usd"))
        return value

    def _assessed(self, day: date, loaded: date | None, value_usd: float, origin: str) -> Assessment:
        """The entry of the whole lot under the law of the branch on a day; a ban is an answer, not an error."""
        offer = self.offer
        _, book = self.branch.state_on(day)
        mode = offer.mode if offer.mode in duties.MODES else None
        value = f"{value_usd * offer.units:.2f}"
        entry, faults = duties.read_entry(book, offer.hts, origin, day, value, mode, loaded)
        kind = OutsideCoverage if all("vouches" in fault.what for fault in faults) else FaultyInput
        if entry is None:
            raise kind([Fault("offers", fault.what, fault.remedy, offer.row) for fault in faults])
        found = duties.assess(book, replace(entry, claims={**entry.claims, **duties.maker_claim(book, offer.maker)}))
        return found if found.verdict.ban is not None else self._certain(found)

    def _certain(self, found: Assessment) -> Assessment:
        if found.status == "unresolved":
            remedy = "Add the line to the rule book's schedule, or use another tariff number."
            if found.verdict.ban is not None:
                remedy = "Take that origin out, or lift the ban in a scenario (ban = false)."
            raise Unresolved(Fault("offers", f"{found.verdict.problem}.", remedy, self.offer.row))
        return found

    def _unit(self, cents: int) -> float:
        return cents / CENTS / self.offer.units


def expected_extra(landing: Landing, origins: Sequence[tuple[str, int]]) -> float:
    """Mean of what the lot owes more over the chances of its origins, USD."""
    pairs = zip(landing.extra_usd, origins, strict=True)
    return math.fsum(extra * chance / PPM for extra, (_, chance) in pairs)
