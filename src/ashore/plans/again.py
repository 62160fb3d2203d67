"""A solved plan whose model is asked again, with other costs or bounds."""

from __future__ import annotations

import numpy as np

from ashore.plans import objective
from ashore.plans.aim import Aim
from ashore.plans.calendar import Floats
from ashore.plans.plan import Plan
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, Limits
from ashore.plans.warm import Warm


class Again:
    """A solved plan whose model is asked again: warm where it was solved in one piece for the mean, else from scratch.

    ``time``: seconds for each question, None for the plan's own limit. ``gap``: relative gap of the answers, the plan's
    own at least.
    """

    def __init__(self, plan: Plan, time: float | None = None, gap: float = 0.0) -> None:
        self.posed, self.known = plan.whole()
        self.method = plan.method
        own = self.posed.limits
        self.limits = Limits(max(gap, own.gap), own.seconds if time is None else time)
        in_parts = self.method == "extensive" and self.posed.aim.risk <= 0
        self.warm = Warm(self.posed.arrays, self.limits, self._chance()) if in_parts else None

    def _chance(self) -> Floats:
        """For each column the greatest chance of a node in which it costs something."""
        costs, found = self.posed.charges, np.zeros(self.posed.arrays.columns)
        np.maximum.at(found, costs.column, self.posed.calendar.node_chance[costs.node])
        return found

    def answer(self, arrays: Arrays, aim: Aim | None = None) -> Answer:
        """The best plan for other costs (``aim`` then has them too) or bounds. Raises NoPlan, SolverTrouble."""
        if self.warm is not None:
            return self.warm.answer(arrays, self.known)
        begin = np.clip(self.known.x, arrays.col_lower, arrays.col_upper)
        start = np.where(arrays.integer, begin, np.nan)
        posed = self.posed
        return objective.answer(
            posed.model, arrays, aim or posed.aim, self.limits, method=self.method, start=start, known=self.known
        )
