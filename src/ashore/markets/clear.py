"""Who sells what at which price once everyone faces the policy: a market before and after, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ashore.errors import Fault, FaultyInput
from ashore.markets import checks, ranges
from ashore.markets.demand import Floats
from ashore.markets.folder import Market
from ashore.markets.model import Model, Outcome
from ashore.markets.ranges import Alternative, Influence
from ashore.markets.solved import ANSWERS, Solved, bounds, origins_with_ranges, solved, with_ranges

MISFIT = 0.02  # a margin missed by more than this is said


@dataclass(frozen=True)
class Cleared:
    """A market before and after a policy.

    deviation_usd: the most any maker could gain by moving its prices (or units); 0 within rounding.
    alternatives: every demand form and conduct, this one included; influences: what moves the answers most.
    """

    here: Solved
    deviation_usd: float
    alternatives: tuple[Alternative, ...]
    influences: tuple[Influence, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The document of ``ashore clear --json``; money in USD, rates and shares as fractions, HHI on 0–10,000."""
        here = self.here
        before, after, seen, fit = here.before, here.after, here.model.seen, here.model.fit
        answers, concentration = here.answers, here.concentration()
        others = [other.found for other in self.alternatives if other.found]
        indices = [key for key in concentration if key.endswith("_after")]
        return {
            "market": here.market.name,
            "demand": here.model.form,
            "conduct": here.model.conduct,
            "goods": with_ranges(here.goods(), [other.goods() for other in others], "good", "maker"),
            "makers": with_ranges(here.makers(), [other.makers() for other in others], "maker"),
            **concentration,
            "origins": origins_with_ranges(here.origins(), [other.origins() for other in others]),
            "buyers_usd": here.buyers_usd,
            "makers_usd": answers["makers_usd"],
            "duty_usd": answers["duty_usd"],
            "duty_before_usd": float(before.duty.sum()),
            "rent_usd": float(after.rent.sum()),
            "rent_owner": here.market.policy.rent,
            "total_usd": here.total_usd(),
            "price_change": answers["price_change"],
            "pass_through": answers["pass_through"],
            "parameters": _parameters(here.model),
            "misfit": {
                "margin_rms": _rms(fit.margin - seen.margin),
                "elasticity_given": None if np.isnan(seen.elasticity) else seen.elasticity,
                "elasticity_fitted": fit.elasticity,
            },
            "residual": max(after.residual, before.residual),
            "iterations": after.iterations,
            "deviation_usd": self.deviation_usd,
            "range": bounds((other.answers for other in others), ANSWERS)
            | bounds((other.concentration() for other in others), indices),
            "alternatives": [
                {"demand": a.form, "conduct": a.conduct, **a.answers, "why": a.why} for a in self.alternatives
            ],
            "tornado": [influence.as_dict() for influence in self.influences],
            "notes": list(self.notes),
        }


def clear(market: Market, *, further: bool = True) -> Cleared:
    """Calibrate a market to what was observed and solve it under its policy.

    further: also under every other demand form and conduct, and with what is given moved. Raises FaultyInput if it
    cannot be calibrated.
    """
    faults: list[Fault] = []
    here = solved(market, market.form, market.conduct, market.seen, faults)
    if here is None:
        raise FaultyInput(faults)
    deviation = checks.deviation_usd(here.model, market.policy, here.after)
    others = tuple(ranges.alternatives(market, here)) if further else ()
    moved = tuple(ranges.influences(market, here.model, others)) if further else ()
    return Cleared(here, deviation, others, moved, tuple(_notes(market, here.model, here.after)))


def _parameters(model: Model) -> dict[str, float | None]:
    """The calibrated numbers by the names they go by."""
    fit, total = model.fit, float(model.seen.units.sum())
    names: dict[str, float | None] = {"outside_share": fit.outside, "market_elasticity": fit.elasticity}
    if model.form == "ces":
        spent = float(model.seen.price @ model.seen.units)
        return {"gamma": fit.slope, **names, "market_usd": spent / (1.0 - fit.outside)}
    if model.form == "logit":
        near = {} if model.seen.nest is None else {"nest_correlation": model.seen.correlation}
        return {"alpha": -fit.slope, **names, **near, "market_units": total / (1.0 - fit.outside)}
    if model.conduct == "cournot":
        return {"slope_usd": -fit.slope, "market_elasticity": fit.elasticity}
    return {"slope_units": -fit.slope * total, **names}


def _notes(market: Market, model: Model, after: Outcome) -> Iterable[str]:
    yield from market.notes
    gap = np.abs(model.fit.margin - market.seen.margin)
    for k in np.flatnonzero(np.nan_to_num(gap) > MISFIT):
        yield (
            f"{market.goods[k]}: margin given {market.seen.margin[k]:.3f}, fitted {model.fit.margin[k]:.3f}. "
            "The margins, and the elasticity if given, do not fit one demand of this form."
        )
    for k in np.flatnonzero(model.cost <= 0):
        cost = f"the fitted cost is {model.cost[k]:.4g} USD, not above 0"
        yield f"{market.goods[k]}: {cost}; its price is too low for a {model.form} demand with these margins."
    for k in np.flatnonzero((after.units <= 0) & ~market.policy.banned):
        yield f"{market.goods[k]}: nobody makes or buys it at these rates."
    if market.seen.outside and model.fit.outside == 0.0 and not (model.form == "linear" and model.conduct == "cournot"):
        yield "The best fit has no outside option: buyers only go from good to good."


def _rms(errors: Floats) -> float | None:
    known = errors[~np.isnan(errors)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else None
