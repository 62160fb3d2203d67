"""What a bitcoin mining rig costs where it is plugged in, and where to make it, when trade policy moves.

The public names are loaded when first used, so that ``import ashore`` costs next to nothing::

    book = ashore.rules.load()
    network = ashore.network.load("my-network")
    print(ashore.land(network, book, on=date(2026, 11, 22)).frame())
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ashore import (
        costs,
        duties,
        errors,
        fleet,
        markets,
        mining,
        network,
        offers,
        parties,
        plans,
        report,
        rules,
        tables,
        worth,
    )
    from ashore.costs import Landed, land
    from ashore.duties import Assessment, Entry, assess
    from ashore.errors import (
        AshoreError,
        Fault,
        FaultyInput,
        Infeasible,
        OutsideCoverage,
        SolverTrouble,
        Unresolved,
    )
    from ashore.network import Network
    from ashore.plans import Plan, solve
    from ashore.rules import RuleBook

__version__ = "0.1.0"

_FLOORS = (
    "errors",
    "tables",
    "rules",
    "mining",
    "duties",
    "network",
    "parties",
    "costs",
    "worth",
    "plans",
    "markets",
    "offers",
    "fleet",
    "report",
)
_HOMES = {
    "AshoreError": "errors",
    "Fault": "errors",
    "FaultyInput": "errors",
    "Infeasible": "errors",
    "OutsideCoverage": "errors",
    "SolverTrouble": "errors",
    "Unresolved": "errors",
    "RuleBook": "rules",
    "Assessment": "duties",
    "Entry": "duties",
    "assess": "duties",
    "Network": "network",
    "Landed": "costs",
    "land": "costs",
    "Plan": "plans",
    "solve": "plans",
}

__all__ = [  # noqa: RUF022 - floor by floor
    "AshoreError",
    "Fault",
    "FaultyInput",
    "Infeasible",
    "OutsideCoverage",
    "SolverTrouble",
    "Unresolved",
    "RuleBook",
    "Assessment",
    "Entry",
    "assess",
    "Network",
    "Landed",
    "land",
    "Plan",
    "solve",
    "errors",
    "tables",
    "rules",
    "mining",
    "duties",
    "network",
    "parties",
    "costs",
    "worth",
    "plans",
    "markets",
    "offers",
    "fleet",
    "report",
]


def __getattr__(name: str) -> object:
    """A floor, or a public name from its floor, imported on first use."""
    from ashore.lazy import first_use

    return first_use(__name__, name, _HOMES, _FLOORS)


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
