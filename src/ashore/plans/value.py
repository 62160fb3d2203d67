"""What a plan is worth: perfect information, the tree of policies, and each candidate plant, by solving again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ashore.errors import SolverTrouble
from ashore.plans import objective as objectives
from ashore.plans.again import Again
from ashore.plans.calendar import Floats, lay_out
from ashore.plans.futures import held_law
from ashore.plans.law import Law, carried_over, mean_over_tree
from ashore.plans.model import build
from ashore.plans.money import charges
from ashore.plans.parallel import spread
from ashore.plans.plan import Plan
from ashore.plans.posed import Posed, all_prices, foreseen
from ashore.plans.reach import reachable
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, Limits, NoPlan, run


@dataclass(frozen=True)
class Options:
    """What foresight, the tree and each candidate plant are worth, USD; None where there is no plan without it.

    evpi_usd: how much less the plan would cost if the branch were known at the start.
    vss_usd: how much dearer the decisions on plants are that are best under the mean policy and demand.
    options: (plant, value_usd), how much dearer the best plan without the plant is.
    """

    evpi_usd: float
    vss_usd: float | None
    options: tuple[tuple[str, float | None], ...]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        rows = [{"plant": plant, "value_usd": value} for plant, value in self.options]
        return {
            "evpi_usd": self.evpi_usd,
            "vss_usd": self.vss_usd,
            "options": rows,
            "options_notes": list(self.notes),
        }


def options(plan: Plan, time: float | None = None) -> Options:
    """EVPI, value of the stochastic plan and option values of a solved plan; ``time`` in seconds for each solve.

    Every figure is the difference of two optima under the plan's own objective, both to its gap, and at least 0. The
    solves that do not depend on one another are done by the workers in force (:mod:`ashore.plans.parallel`).
    """
    again = Again(plan, time)
    notes: list[str] = []
    if plan.status != "optimal":
        notes.append("The plan was stopped before it was proven best; the values are against the plan as found.")
    if len(again.posed.calendar.leaves) > 1:
        evpi = _perfect_information(plan, again, notes)
        vss = _stochastic(plan, again, notes)
    else:
        evpi, vss = 0.0, 0.0
        notes.append("There is one branch only: nothing to foresee and no mean to plan for.")
    return Options(evpi, vss, _plants(plan, again, notes), tuple(notes))


def _perfect_information(plan: Plan, again: Again, notes: list[str]) -> float:
    """The plan's objective less the same objective over the best plans of each branch known from the start."""
    if plan.objective == "regret":  # whoever foresees regrets nothing
        return max(0.0, plan.objective_usd)
    loss, unproven = foreseen(again.posed, again.limits)
    notes += unproven
    return max(0.0, plan.objective_usd - again.posed.aim.measure(loss))


def _stochastic(plan: Plan, again: Again, notes: list[str]) -> float | None:
    """How much dearer the plan is with the decisions on plants that are best if policy and demand are the mean."""
    posed = again.posed
    known = _mean_decisions(posed, again.limits)
    if known is None:
        notes.append("There is no plan for the mean policy and demand; vss_usd is left open.")
        return None
    lower, upper = posed.arrays.col_lower.copy(), posed.arrays.col_upper.copy()
    for key, columns in posed.model.sites.states():
        fixed = known.get(key, np.zeros(posed.calendar.months))[posed.calendar.moment_month]
        keep = columns >= 0
        lower[columns[keep]] = upper[columns[keep]] = fixed[keep]
    cost, why = _cost(replace(posed.arrays, col_lower=lower, col_upper=upper), again)
    if why:
        notes.append(f"With the decisions on plants that are best under the mean policy: {why}")
    return None if cost is None else max(0.0, cost - plan.objective_usd)


def _mean_decisions(posed: Posed, limits: Limits) -> dict[tuple[str, str], Floats] | None:
    """By month, each state of each plant (see :meth:`Sites.states`) in the best plan under mean rates and demand."""
    cal, network = posed.calendar, posed.network
    root = posed.futures.nodes[0]
    line = lay_out(held_law(root.book, cal.dates[0]), cal.dates[0], cal.months, network.settings.discount_year)
    slots = np.array([int(np.flatnonzero(cal.month == month)[0]) for month in range(cal.months)])
    mean_units = mean_over_tree(posed.model.units, cal)[:, slots]
    units = dict(zip(posed.model.wants, mean_units, strict=True))
    prices = all_prices(network, posed.futures, cal.months)
    reach = reachable(network, units, cal.months, root.book.country, line.month)
    law: Law = carried_over(posed.law.mean(cal, slots), network, reach)
    model = build(network, line, reach, units, prices, law)
    kind = "margin" if posed.objective == "margin" else "cost"
    costs = objectives.aimed(model, charges(model, law), kind, 0.0, 0.0).costs.expected(line, model.sheet.columns)
    try:
        answer: Answer = run(model.sheet.arrays(costs), limits)
    except NoPlan:
        return None
    found: dict[tuple[str, str], Floats] = {}
    for key, columns in model.sites.states():
        by_month = np.zeros(cal.months)
        by_month[line.moment_month] = np.where(columns >= 0, np.round(answer.x[columns]), 0.0)
        found[key] = by_month
    return found


def _plants(plan: Plan, again: Again, notes: list[str]) -> tuple[tuple[str, float | None], ...]:
    """For each candidate, how much dearer the best plan without it is; 0 for those the plan does not open."""
    opened = list(plan.open["plant"].unique(maintain_order=True))
    plants = again.posed.network.plants
    values: dict[str, float | None] = {name: 0.0 for name, plant in plants.items() if not plant.open}
    for name, (cost, why) in zip(opened, spread(_without, opened, again), strict=True):
        values[name] = None if cost is None else max(0.0, cost - plan.objective_usd)
        if why:
            notes.append(f"Without {name}: {why}")
    return tuple(values.items())


def _without(again: Again, name: str) -> tuple[float | None, str]:
    """:func:`_cost` of the best plan that never opens a plant."""
    arrays = again.posed.arrays
    upper = arrays.col_upper.copy()
    upper[again.posed.model.sites.own(name)] = 0.0
    return _cost(replace(arrays, col_upper=upper), again)


def _cost(arrays: Arrays, again: Again) -> tuple[float | None, str]:
    """The objective of a model with the plan's matrix, None without a plan; and what there is to say about it."""
    try:
        answer = again.answer(arrays)
    except NoPlan:
        return None, "the demand cannot be served, so no value is given."
    except SolverTrouble:
        return None, "no plan was found in the time allowed, so no value is given."
    said = (
        ""
        if answer.status == "optimal"
        else f"not proven best in time (gap {answer.gap:.1e}); the value is at most this."
    )
    return answer.objective - again.posed.aim.lift, said
