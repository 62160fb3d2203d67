"""Any result as text on a terminal, as figures, and as one self-contained HTML page.

Names are loaded when first used: a verb that prints ten lines does not pay for the figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashore.lazy import first_use

if TYPE_CHECKING:
    from ashore.report import figures
    from ashore.report.curve import frontier
    from ashore.report.exposure import common_mode, concentration, imbalance, traces
    from ashore.report.findings import Answer, answer
    from ashore.report.html import page
    from ashore.report.market import tornado
    from ashore.report.picture import draw, misfits
    from ashore.report.pictures_flips import breakeven
    from ashore.report.pictures_plan import decisions
    from ashore.report.text import (
        text_of_cases,
        text_of_census,
        text_of_copy,
        text_of_difference,
        text_of_duty,
        text_of_network,
        text_of_rules,
        text_of_summary,
    )
    from ashore.report.text_costs import text_of_answer, text_of_landed, text_of_plan
    from ashore.report.text_exposure import text_of_grid
    from ashore.report.text_fleet import text_of_audit, text_of_fleet
    from ashore.report.text_market import text_of_market, text_of_rigs
    from ashore.report.text_moves import text_of_moves, text_of_size
    from ashore.report.text_screening import text_of_screening, text_of_sources
    from ashore.report.text_shares import text_of_concentration, text_of_network_shares
    from ashore.report.text_worth import text_of_offers, text_of_series, text_of_worth

_HOMES = {
    "Answer": "findings",
    "answer": "findings",
    "breakeven": "pictures_flips",
    "common_mode": "exposure",
    "concentration": "exposure",
    "decisions": "pictures_plan",
    "draw": "picture",
    "frontier": "curve",
    "imbalance": "exposure",
    "misfits": "picture",
    "page": "html",
    "text_of_answer": "text_costs",
    "text_of_audit": "text_fleet",
    "text_of_cases": "text",
    "text_of_census": "text",
    "text_of_concentration": "text_shares",
    "text_of_copy": "text",
    "text_of_difference": "text",
    "text_of_duty": "text",
    "text_of_fleet": "text_fleet",
    "text_of_grid": "text_exposure",
    "text_of_landed": "text_costs",
    "text_of_market": "text_market",
    "text_of_rigs": "text_market",
    "text_of_moves": "text_moves",
    "text_of_network": "text",
    "text_of_network_shares": "text_shares",
    "text_of_offers": "text_worth",
    "text_of_plan": "text_costs",
    "text_of_rules": "text",
    "text_of_screening": "text_screening",
    "text_of_series": "text_worth",
    "text_of_size": "text_moves",
    "text_of_sources": "text_screening",
    "text_of_summary": "text",
    "text_of_worth": "text_worth",
    "tornado": "market",
    "traces": "exposure",
}

__all__ = [
    "Answer",
    "answer",
    "breakeven",
    "common_mode",
    "concentration",
    "decisions",
    "draw",
    "figures",
    "frontier",
    "imbalance",
    "misfits",
    "page",
    "text_of_answer",
    "text_of_audit",
    "text_of_cases",
    "text_of_census",
    "text_of_concentration",
    "text_of_copy",
    "text_of_difference",
    "text_of_duty",
    "text_of_fleet",
    "text_of_grid",
    "text_of_landed",
    "text_of_market",
    "text_of_moves",
    "text_of_network",
    "text_of_network_shares",
    "text_of_offers",
    "text_of_plan",
    "text_of_rigs",
    "text_of_rules",
    "text_of_screening",
    "text_of_series",
    "text_of_size",
    "text_of_sources",
    "text_of_summary",
    "text_of_worth",
    "tornado",
    "traces",
]


def __getattr__(name: str) -> object:
    """The figures, or a public name from the module that holds it, imported on first use."""
    return first_use(__name__, name, _HOMES, ("figures",))


def __dir__() -> list[str]:
    return sorted(__all__)
