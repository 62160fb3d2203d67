"""A market before and after a policy, and what is told of it: goods, makers, concentration, origins, the headline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ashore.errors import Fault
from ashore.markets.calibrate import Form, Observed
from ashore.markets.demand import Floats
from ashore.markets.folder import SETTINGS, Market
from ashore.markets.kernel import Conduct
from ashore.markets.model import Model, Outcome, Policy, calibrated
from ashore.markets.routes import taken

ANSWERS = ("price_change", "pass_through", "hhi_change", "buyers_usd", "makers_usd", "duty_usd")

Answers = dict[str, float | None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Solved:
    """A market calibrated under one model, at rest before and after; buyers_usd: change of buyers' surplus."""

    market: Market
    model: Model
    before: Outcome
    after: Outcome
    buyers_usd: float

    @property
    def answers(self) -> Answers:
        """The headline figures.

        price_change: of the mean price, goods weighted by their value before. pass_through: the change of ln price over
        the change of ln (1 + rate), weighted likewise over the goods whose rate changes; 1 leaves border prices as they
        are. Of a market in which nothing is sold any more these and hhi_change are None.
        """
        before, after = self.before, self.after
        value = before.price * before.units
        sold = ~np.isnan(after.price)
        weight = np.where(sold, value, 0.0)
        log = np.log(np.where(sold, after.price, before.price) / before.price)
        moved = np.where(sold, np.log1p(after.rate) - np.log1p(before.rate), 0.0)
        taxed = np.abs(moved) > 1e-12
        owed = float((weight * moved)[taxed].sum())
        return {
            "price_change": float(weight @ np.expm1(log) / weight.sum()) if sold.any() else None,
            "pass_through": float((weight * log)[taxed].sum()) / owed if owed else None,
            "hhi_change": hhi_change(before.units, after.units, self.market.makers),
            "buyers_usd": self.buyers_usd,
            "makers_usd": float(after.profit.sum() - before.profit.sum()),
            "duty_usd": float(after.duty.sum()),
        }

    def goods(self) -> list[Row]:
        """A row a good; null prices where it is not sold."""
        seen, before, after, fit = self.model.seen, self.before, self.after, self.model.fit
        rows = []
        for k, good in enumerate(self.market.goods):
            rows.append(
                {
                    "good": good,
                    "maker": self.market.makers[k],
                    "price_before": float(before.price[k]),
                    "price_after": given(after.price[k]),
                    "units_before": float(before.units[k]),
                    "units_after": float(after.units[k]),
                    "cost_usd": float(self.model.cost[k] + after.extra_usd[k]),
                    "border_before": float(before.border[k]),
                    "border_after": given(after.border[k]),
                    "rate_before": float(before.rate[k]),
                    "rate_after": float(after.rate[k]),
                    "route_before": _named(self.market.before, before.route[k]),
                    "route_after": _named(self.market.policy, after.route[k]),
                    "margin_given": given(seen.margin[k]),
                    "margin_fitted": float(fit.margin[k]),
                    "profit_before_usd": float(before.profit[k]),
                    "profit_after_usd": float(after.profit[k]),
                    "duty_usd": float(after.duty[k]),
                    "rent_usd": float(after.rent[k]),
                    "shadow_usd": float(after.shadow[k]),
                }
            )
        return rows

    def makers(self) -> list[Row]:
        """A row a maker: shares of units and of value, and profit."""
        rows = []
        for number, maker in enumerate(dict.fromkeys(self.market.makers)):
            own = self.model.seen.maker == number
            row: Row = {"maker": maker}
            for when, outcome in (("before", self.before), ("after", self.after)):
                spent = np.nan_to_num(outcome.price) * outcome.units
                row[f"share_{when}"] = _part(outcome.units, own)
                row[f"value_share_{when}"] = _part(spent, own)
                row[f"profit_{when}_usd"] = float(outcome.profit[own].sum())
            rows.append(row)
        return rows

    def concentration(self) -> dict[str, float | None]:
        """Herfindahl–Hirschman indices of units by maker, then of value, and by nationality and origin where given."""
        found: dict[str, float | None] = {}
        for when, policy, outcome in self._times():
            groups = {"": self.market.makers, "_nationality": self.market.nationalities}
            groups["_origin"] = self._origin(policy, outcome)
            for name, labels in groups.items():
                found[f"hhi{name}_{when}"] = hhi(outcome.units, labels) if all(labels) else None
            found[f"hhi_value_{when}"] = hhi(np.nan_to_num(outcome.price) * outcome.units, self.market.makers)
        return found

    def origins(self) -> list[Row]:
        """Units by origin; those without one together as ""."""
        found: dict[str, Row] = {}
        for when, policy, outcome in self._times():
            for origin, units in zip(self._origin(policy, outcome), outcome.units, strict=True):
                row = found.setdefault(origin, {"origin": origin, "units_before": 0.0, "units_after": 0.0})
                row[f"units_{when}"] += float(units)
        return [found[origin] for origin in sorted(found)]

    def total_usd(self) -> float:
        """Buyers' surplus, makers' profit, duty and rent together: the change."""
        others = self.market.policy.rent != "maker"
        earned = float(self.after.profit.sum() - self.before.profit.sum())
        paid = float(self.after.duty.sum() - self.before.duty.sum())
        return self.buyers_usd + earned + paid + (float(self.after.rent.sum()) if others else 0.0)

    def _times(self) -> tuple[tuple[str, Policy, Outcome], ...]:
        return ("before", self.market.before, self.before), ("after", self.market.policy, self.after)

    def _origin(self, policy: Policy, outcome: Outcome) -> tuple[str, ...]:
        """Where each good comes from: the origin of its route, else the one given for it."""
        return tuple(
            policy.routes[number].origin if number >= 0 else given
            for number, given in zip(outcome.route, self.market.origins, strict=True)
        )


def solved(market: Market, form: Form, conduct: Conduct, seen: Observed, faults: list[Fault]) -> Solved | None:
    """A market calibrated to what was seen, and solved; None with the reasons added to ``faults``."""
    extra = taken(market.before.routes, seen.price, seen.rate).extra_usd
    model = calibrated(form, conduct, seen, SETTINGS, faults, extra)
    if model is None:
        return None
    before, after = model.under(market.before), model.under(market.policy)
    return Solved(market, model, before, after, model.surplus_usd(before, after, market.policy.banned))


def hhi(amounts: Floats, labels: Sequence[str]) -> float | None:
    """Sum of squared shares in per cent, goods of one label together; None if nothing is sold."""
    sums: dict[str, float] = {}
    for label, amount in zip(labels, amounts, strict=True):
        sums[label] = sums.get(label, 0.0) + float(amount)
    total = sum(sums.values())
    return sum((100.0 * value / total) ** 2 for value in sums.values()) if total > 0 else None


def hhi_change(before: Floats, after: Floats, labels: Sequence[str]) -> float | None:
    """How far the index moves; None if nothing is sold on either side."""
    first, last = hhi(before, labels), hhi(after, labels)
    return None if first is None or last is None else last - first


def ends(values: Iterable[float | None]) -> list[float] | None:
    """Least and greatest of the values there are; None if there is none."""
    known = [value for value in values if value is not None]
    return [min(known), max(known)] if known else None


def with_ranges(rows: Sequence[Row], others: Iterable[Sequence[Row]], *name: str) -> list[Row]:
    """The rows, each with ``range``: least and greatest under all models of each figure after the change.

    name: the keys that tell which row of another model is meant.
    """

    def named(row: Row) -> tuple[str, ...]:
        return tuple(row[key] for key in name)

    tables = [{named(row): row for row in other} for other in others]
    return [
        row
        | {
            "range": bounds(
                (table.get(named(row), {}) for table in tables),
                [key for key, value in row.items() if "after" in key and not isinstance(value, str)],
            )
        }
        for row in rows
    ]


def origins_with_ranges(rows: Sequence[Row], others: Iterable[Sequence[Row]]) -> list[Row]:
    """Units by origin with their ranges; an origin that one model takes and another does not sells nothing there."""
    tables = [rows, *others]
    names = sorted({row["origin"] for table in tables for row in table})
    nothing = {"units_before": 0.0, "units_after": 0.0}
    full = [[{"origin": n, **nothing, **_of(table, n)} for n in names] for table in tables]
    return with_ranges(full[0], full[1:], "origin")


def _of(table: Sequence[Row], origin: str) -> Row:
    return next((row for row in table if row["origin"] == origin), {})


def given(value: float) -> float | None:
    """None for NaN, which JSON does not know."""
    return None if np.isnan(value) else float(value)


def _named(policy: Policy, number: int) -> str:
    """A route's name; nothing for goods without routes."""
    return policy.routes[number].name if number >= 0 else ""


def _part(amounts: Floats, own: Any) -> float | None:
    """Share of the ``own`` goods; None if there is nothing to share."""
    total = amounts.sum()
    return float(amounts[own].sum() / total) if total > 0 else None


def bounds(rows: Iterable[Mapping[str, float | None]], keys: Iterable[str]) -> dict[str, list[float] | None]:
    """Least and greatest of each figure over the models that have it."""
    known = list(rows)
    return {key: ends(row.get(key) for row in known) for key in keys}
