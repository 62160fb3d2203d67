"""The market: prices, shares and surplus when every maker faces the same policy."""

from ashore.markets.calibrate import FORMS, Fit, Observed
from ashore.markets.clear import Cleared, clear
from ashore.markets.demand import Demand
from ashore.markets.folder import Law, Market, find, is_network, load
from ashore.markets.kernel import CONDUCTS, Equilibrium, Supply, solve
from ashore.markets.model import Model, Outcome, Policy, calibrated
from ashore.markets.quotas import Limit
from ashore.markets.ranges import Alternative, Influence
from ashore.markets.routes import Route
from ashore.markets.solved import Solved, hhi
from ashore.markets.zeta import fixed_point

__all__ = [
    "CONDUCTS",
    "FORMS",
    "Alternative",
    "Cleared",
    "Demand",
    "Equilibrium",
    "Fit",
    "Influence",
    "Law",
    "Limit",
    "Market",
    "Model",
    "Observed",
    "Outcome",
    "Policy",
    "Route",
    "Solved",
    "Supply",
    "calibrated",
    "clear",
    "find",
    "fixed_point",
    "hhi",
    "is_network",
    "load",
    "solve",
]
