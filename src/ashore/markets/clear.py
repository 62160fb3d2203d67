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
from ashore.markets.model import Model, Outcome, Policy
from ashore.markets.ranges import Alternative, Influence, hhi

MISFIT = 0.02  # a margin missed by more than this is said


@dataclass(frozen=True)
class Cleared:
    """A market before and after a policy.

    deviation_usd: the most any maker could gain by moving its prices (or units); 0 within rounding.
    alternatives: every demand form and conduct, this one included; influences: what moves the answers most.
    """

    market: Market
    model: Model
    before: Outcome
    after: Outcome
    buyers_usd: float
    deviation_usd: float
    alternatives: tuple[Alternative, ...]
    influences: tuple[Influence, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The document of ``ashore clear --json``; money in USD, rates and shares as fractions, HHI on 0–10,000."""
        before, after, seen, fit = self.before, self.after, self.model.seen, self.model.fit
        answers = ranges.answers(self.model, before, after, self.buyers_usd)
        residual = max(after.residual, before.residual)
        return {
            "market": self.market.name,
            "demand": self.model.form,
            "conduct": self.model.conduct,
            "goods": self._goods(),
            "makers": self._makers(),
            **self._concentration(),
            "origins": self._origins(),
            "buyers_usd": self.buyers_usd,
            "makers_usd": answers["makers_usd"],
            "duty_usd": answers["duty_usd"],
            "duty_before_usd": float(before.duty.sum()),
            "rent_usd": float(after.rent.sum()),
            "rent_owner": self.market.policy.rent,
            "total_usd": self._total(),
            "price_change": answers["price_change"],
            "pass_through": answers["pass_through"],
            "parameters": _parameters(self.model),
            "misfit": {
                "margin_rms": _rms(fit.margin - seen.margin),
                "elasticity_given": None if np.isnan(seen.elasticity) else seen.elasticity,
                "elasticity_fitted": fit.elasticity,
            },
            "residual": residual,
            "iterations": after.iterations,
            "deviation_usd": self.deviation_usd,
            "range": ranges.ends(a.answers for a in self.alternatives),
            "alternatives": [
                {"demand": a.form, "conduct": a.conduct, **a.answers, "why": a.why} for a in self.alternatives
            ],
            "tornado": [{"what": i.what, "tried": list(i.tried), **i.ends} for i in self.influences],
            "notes": list(self.notes),
        }

    def _goods(self) -> list[dict[str, Any]]:
        market, seen, before, after, fit = self.market, self.model.seen, self.before, self.after, self.model.fit
        rows = []
        for k, good in enumerate(market.goods):
            rows.append(
                {
                    "good": good,
                    "maker": market.makers[k],
                    "price_before": float(before.price[k]),
                    "price_after": _given(after.price[k]),
                    "units_before": float(before.units[k]),
                    "units_after": float(after.units[k]),
                    "cost_usd": float(self.model.cost[k] + after.extra_usd[k]),
                    "border_before": float(before.border[k]),
                    "border_after": _given(after.border[k]),
                    "rate_before": float(before.rate[k]),
                    "rate_after": float(after.rate[k]),
                    "route_before": _named(market.before, before.route[k]),
                    "route_after": _named(market.policy, after.route[k]),
                    "margin_given": _given(seen.margin[k]),
                    "margin_fitted": float(fit.margin[k]),
                    "profit_before_usd": float(before.profit[k]),
                    "profit_after_usd": float(after.profit[k]),
                    "duty_usd": float(after.duty[k]),
                    "rent_usd": float(after.rent[k]),
                    "shadow_usd": float(after.shadow[k]),
                }
            )
        return rows

    def _makers(self) -> list[dict[str, Any]]:
        rows = []
        for number, maker in enumerate(dict.fromkeys(self.market.makers)):
            own = self.model.seen.maker == number
            row: dict[str, Any] = {"maker": maker}
            for when, outcome in (("before", self.before), ("after", self.after)):
                spent = np.nan_to_num(outcome.price) * outcome.units
                row[f"share_{when}"] = _part(outcome.units, own)
                row[f"value_share_{when}"] = _part(spent, own)
                row[f"profit_{when}_usd"] = float(outcome.profit[own].sum())
            rows.append(row)
        return rows

    def _concentration(self) -> dict[str, float | None]:
        """Herfindahl–Hirschman indices of units by maker, then of value, and by nationality and origin where given."""
        found: dict[str, float | None] = {}
        for when, policy, outcome in self._times():
            groups = {"": self.market.makers, "_nationality": self.market.nationalities}
            groups["_origin"] = self._origin(policy, outcome)
            for name, labels in groups.items():
                found[f"hhi{name}_{when}"] = hhi(outcome.units, labels) if all(labels) else None
            found[f"hhi_value_{when}"] = hhi(np.nan_to_num(outcome.price) * outcome.units, self.market.makers)
        return found

    def _times(self) -> tuple[tuple[str, Policy, Outcome], ...]:
        return ("before", self.market.before, self.before), ("after", self.market.policy, self.after)

    def _origin(self, policy: Policy, outcome: Outcome) -> tuple[str, ...]:
        """Where each good comes from: the origin of its route, else the one given for it."""
        return tuple(
            policy.routes[number].origin if number >= 0 else given
            for number, given in zip(outcome.route, self.market.origins, strict=True)
        )

    def _origins(self) -> list[dict[str, Any]]:
        """Units by origin; those without one together as ""."""
        found: dict[str, dict[str, Any]] = {}
        for when, policy, outcome in self._times():
            for origin, units in zip(self._origin(policy, outcome), outcome.units, strict=True):
                row = found.setdefault(origin, {"origin": origin, "units_before": 0.0, "units_after": 0.0})
                row[f"units_{when}"] += float(units)
        return [found[origin] for origin in sorted(found)]

    def _total(self) -> float:
        """Buyers' surplus, makers' profit, duty and rent together: the change."""
        others = self.market.policy.rent != "maker"
        earned = float(self.after.profit.sum() - self.before.profit.sum())
        paid = float(self.after.duty.sum() - self.before.duty.sum())
        return self.buyers_usd + earned + paid + (float(self.after.rent.sum()) if others else 0.0)


def clear(market: Market, *, further: bool = True) -> Cleared:
    """Calibrate a market to what was observed and solve it under its policy.

    further: also under every other demand form and conduct, and with what is given moved. Raises FaultyInput if it
    cannot be calibrated.
    """
    faults: list[Fault] = []
    model = ranges.model_of(market, market.form, market.conduct, market.seen, faults)
    if model is None:
        raise FaultyInput(faults)
    before, after, buyers = ranges.both(model, market)
    deviation = checks.deviation_usd(model, market.policy, after)
    others: list[Alternative] = []
    moved: list[Influence] = []
    if further:
        others = list(ranges.alternatives(market, model, ranges.answers(model, before, after, buyers)))
        moved = ranges.influences(market, model, others)
    notes = tuple(_notes(market, model, after))
    return Cleared(market, model, before, after, buyers, deviation, tuple(others), tuple(moved), notes)


def _parameters(model: Model) -> dict[str, float | None]:
    """The calibrated numbers by the names they go by."""
    fit, total = model.fit, float(model.seen.units.sum())
    names: dict[str, float | None] = {"outside_share": fit.outside, "market_elasticity": fit.elasticity}
    if model.form == "ces":
        spent = float(model.seen.price @ model.seen.units)
        return {"gamma": fit.slope, **names, "market_usd": spent / (1.0 - fit.outside)}
    if model.form == "logit":
        return {"alpha": -fit.slope, **names, "market_units": total / (1.0 - fit.outside)}
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


def _named(policy: Policy, number: int) -> str:
    """A route's name; nothing for goods without routes."""
    return policy.routes[number].name if number >= 0 else ""


def _given(value: float) -> float | None:
    """None for NaN, which JSON does not know."""
    return None if np.isnan(value) else float(value)


def _rms(errors: Floats) -> float | None:
    known = errors[~np.isnan(errors)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else None


def _part(amounts: Floats, own: Any) -> float | None:
    """Share of the ``own`` goods; None if there is nothing to share."""
    total = amounts.sum()
    return float(amounts[own].sum() / total) if total > 0 else None
