"""Offers: rigs as they are offered, landed on their day of arrival under every branch of the law, and ranked."""

from ashore.offers.basis import Basis, assumed
from ashore.offers.landing import Branch, Lander, Landing
from ashore.offers.ranking import Judged, Ranking, basis_of, needed_until, rank
from ashore.offers.read import OFFERS, TERMS, Offer, read_offers

__all__ = [
    "OFFERS",
    "TERMS",
    "Basis",
    "Branch",
    "Judged",
    "Lander",
    "Landing",
    "Offer",
    "Ranking",
    "assumed",
    "basis_of",
    "needed_until",
    "rank",
    "read_offers",
]
