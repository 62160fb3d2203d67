"""Where to make and ship: the best plan while the law may change, proven optimal to within a printed gap."""

from ashore.plans.breakeven import Breakeven, breakeven_rate, breakeven_rates, restrict
from ashore.plans.flips import Flips, Ladder, Map, flips
from ashore.plans.flips import check as check_breakeven
from ashore.plans.frontier import Frontier, frontier
from ashore.plans.futures import Futures, Node, NodeDemand, held_law, read_futures
from ashore.plans.parallel import spread, workers
from ashore.plans.plan import Plan, solve
from ashore.plans.posed import pose
from ashore.plans.prices import Shadow, shadow
from ashore.plans.reasons import Why, check_plants, why
from ashore.plans.value import Options, options

__all__ = [
    "Breakeven",
    "Flips",
    "Frontier",
    "Futures",
    "Ladder",
    "Map",
    "Node",
    "NodeDemand",
    "Options",
    "Plan",
    "Shadow",
    "Why",
    "breakeven_rate",
    "breakeven_rates",
    "check_breakeven",
    "check_plants",
    "flips",
    "frontier",
    "held_law",
    "options",
    "pose",
    "read_futures",
    "restrict",
    "shadow",
    "solve",
    "spread",
    "why",
    "workers",
]
