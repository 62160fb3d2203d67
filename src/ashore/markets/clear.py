"""Who sells what at which price once everyone faces the policy: a market before and after, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ashore.errors import AshoreError, Fault, FaultyInput
from ashore.markets import checks
from ashore.markets.calibrate import FORMS, Form
from ashore.markets.demand import Floats
from ashore.markets.folder import SETTINGS, Market
from ashore.markets.kernel import CONDUCTS, Conduct
from ashore.markets.model import Model, Outcome, Policy, calibrated

MISFIT = 0.02  # a margin missed by more than this is said
POOR = 0.25  # a margin or an elasticity missed by more leaves a model out of the range
ANSWERS = ("price_change", "pass_through", "hhi_change", "buyers_usd", "makers_usd", "duty_usd")


@dataclass(frozen=True)
class Alternative:
    """The headline under another demand form or conduct, calibrated to the same market; ``why`` if there is none."""

    form: Form
    conduct: Conduct
    answers: dict[str, float | None]
    why: str = ""


@dataclass(frozen=True)
class Cleared:
    """A market before and after a policy.

    deviation_usd: the most any maker could gain by moving its prices (or units); 0 within rounding.
    alternatives: every demand form and conduct, this one included.
    """

    market: Market
    model: Model
    before: Outcome
    after: Outcome
    buyers_usd: float
    deviation_usd: float
    alternatives: tuple[Alternative, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The document of ``ashore clear --json``; money in USD, rates and shares as fractions, HHI on 0–10,000."""
        before, after, seen, fit = self.before, self.after, self.model.seen, self.model.fit
        answers = _answers(self.model, before, after, self.buyers_usd)
        residual = max(after.residual, before.residual)
        return {
            "market": self.market.name,
            "demand": self.model.form,
            "conduct": self.model.conduct,
            "goods": self._goods(),
            "makers": self._makers(),
            **self._concentration(),
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
            "range": self._range(),
            "alternatives": [
                {"demand": a.form, "conduct": a.conduct, **a.answers, "why": a.why} for a in self.alternatives
            ],
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
                    "cost_usd": float(self.model.cost[k]),
                    "border_before": float(before.border[k]),
                    "border_after": _given(after.border[k]),
                    "rate_before": float(seen.rate[k]),
                    "rate_after": float(market.policy.rate[k]),
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
        groups = {"": self.market.makers, "_nationality": self.market.nationalities, "_origin": self.market.origins}
        for name, labels in groups.items():
            for when, outcome in (("before", self.before), ("after", self.after)):
                found[f"hhi{name}_{when}"] = hhi(outcome.units, labels) if all(labels) else None
        for when, outcome in (("before", self.before), ("after", self.after)):
            found[f"hhi_value_{when}"] = hhi(np.nan_to_num(outcome.price) * outcome.units, self.market.makers)
        return found

    def _total(self) -> float:
        """Buyers' surplus, makers' profit, duty and rent together: the change."""
        others = self.market.policy.rent != "maker"
        earned = float(self.after.profit.sum() - self.before.profit.sum())
        paid = float(self.after.duty.sum() - self.before.duty.sum())
        return self.buyers_usd + earned + paid + (float(self.after.rent.sum()) if others else 0.0)

    def _range(self) -> dict[str, list[float] | None]:
        """Least and greatest of each answer over the alternatives that could be calibrated."""
        found: dict[str, list[float] | None] = {}
        for name in ANSWERS:
            values = [v for a in self.alternatives if (v := a.answers.get(name)) is not None]
            found[name] = [min(values), max(values)] if values else None
        return found


def hhi(amounts: Floats, labels: Sequence[str]) -> float:
    """Sum of squared shares in per cent, goods of one label together."""
    sums: dict[str, float] = {}
    for label, amount in zip(labels, amounts, strict=True):
        sums[label] = sums.get(label, 0.0) + float(amount)
    total = sum(sums.values())
    return sum((100.0 * value / total) ** 2 for value in sums.values())


def clear(market: Market, *, ranges: bool = True) -> Cleared:
    """Calibrate a market to what was observed and solve it under its policy.

    ranges: also under every other demand form and conduct. Raises FaultyInput if it cannot be calibrated.
    """
    faults: list[Fault] = []
    model = calibrated(market.form, market.conduct, market.seen, SETTINGS, faults)
    if model is None:
        raise FaultyInput(faults)
    before, after, buyers = _both(model, market.policy)
    deviation = checks.deviation_usd(model, market.policy.banned, after)
    others = tuple(_alternatives(market, model, _answers(model, before, after, buyers))) if ranges else ()
    return Cleared(market, model, before, after, buyers, deviation, others, tuple(_notes(market, model, after)))


def _both(model: Model, policy: Policy) -> tuple[Outcome, Outcome, float]:
    """The market before and after, and the change in buyers' surplus."""
    nothing = np.zeros(len(model.cost), dtype=bool)
    before = model.under(Policy(model.seen.rate, nothing))
    after = model.under(policy)
    return before, after, model.surplus_usd(before, after, policy.banned)


def _alternatives(market: Market, here: Model, answers: dict[str, float | None]) -> Iterable[Alternative]:
    """Each demand form and conduct, calibrated to the same market; an elasticity not given is the one fitted here."""
    seen = market.seen
    if seen.outside and np.isnan(seen.elasticity) and np.isnan(seen.outside_share):
        seen = replace(seen, elasticity=here.fit.elasticity)
    for form in FORMS:
        for conduct in CONDUCTS:
            if (form, conduct) == (market.form, market.conduct):
                yield Alternative(form, conduct, answers)
                continue
            faults: list[Fault] = []
            empty: dict[str, float | None] = dict.fromkeys(ANSWERS)
            try:
                model = calibrated(form, conduct, seen, SETTINGS, faults)
                if model is None or _poor(model):
                    why = faults[0].what if faults else "The best fit is far from the margins or the elasticity."
                    yield Alternative(form, conduct, empty, why)
                    continue
                before, after, buyers = _both(model, market.policy)
            except AshoreError as error:
                yield Alternative(form, conduct, empty, error.faults[0].what)
                continue
            yield Alternative(form, conduct, _answers(model, before, after, buyers))


def _poor(model: Model) -> bool:
    """Whether a fit misses a margin, or the elasticity relative to its size, by more than ``POOR``."""
    errors = np.abs(model.fit.margin - model.seen.margin)
    missed = abs(model.fit.elasticity / model.seen.elasticity - 1.0) if model.seen.elasticity else 0.0
    return bool(np.nanmax(errors, initial=0.0) > POOR or missed > POOR)


def _answers(model: Model, before: Outcome, after: Outcome, buyers: float) -> dict[str, float | None]:
    """The headline figures.

    price_change: of the mean price, goods weighted by their value before. pass_through: the change of ln price over the
    change of ln (1 + rate), weighted likewise over the goods whose rate changes; 1 leaves border prices as they are.
    """
    value = before.price * before.units
    sold = ~np.isnan(after.price)
    weight = np.where(sold, value, 0.0)
    log = np.log(np.where(sold, after.price, before.price) / before.price)
    moved = np.where(sold, np.log1p(after.rate) - np.log1p(model.seen.rate), 0.0)
    taxed = np.abs(moved) > 1e-12
    owed = float((weight * moved)[taxed].sum())
    makers = [str(number) for number in model.seen.maker]
    return {
        "price_change": float(weight @ np.expm1(log) / weight.sum()),
        "pass_through": float((weight * log)[taxed].sum()) / owed if owed else None,
        "hhi_change": hhi(after.units, makers) - hhi(before.units, makers),
        "buyers_usd": buyers,
        "makers_usd": float(after.profit.sum() - before.profit.sum()),
        "duty_usd": float(after.duty.sum()),
    }


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


def _given(value: float) -> float | None:
    """None for NaN, which JSON does not know."""
    return None if np.isnan(value) else float(value)


def _rms(errors: Floats) -> float | None:
    known = errors[~np.isnan(errors)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else None


def _part(amounts: Floats, own: Any) -> float:
    return float(amounts[own].sum() / amounts.sum())
