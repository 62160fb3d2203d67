"""The plan of plan_scale.py in Pyomo, one extensive form, solved by HiGHS through Pyomo's persistent interface.

    python -m benchmarks.rival_pyomo BRANCHES [--gap 0.001] [--time SECONDS] [--split 6] [--relax]

Written as Pyomo is meant to be: sparse index sets, one constraint a rule, rows gathered in dictionaries first and
handed over as linear expressions, which is the quickest way Pyomo has.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pyomo.environ as pyo
from benchmarks.rival_data import THREADS, Data, Solved, run
from pyomo.common.gc_manager import PauseGC
from pyomo.contrib.appsi.solvers import Highs
from pyomo.core.expr.numeric_expr import LinearExpression


def indices(mask: Any) -> list[tuple[int, int]]:
    return list(zip(*(part.tolist() for part in np.nonzero(mask)), strict=True))


def make(data: Data, whole: bool) -> Any:
    with PauseGC():
        return made(data, whole)


def made(data: Data, whole: bool) -> Any:
    """The model: balances, capacities, orders that stay, strong links; least expected cost."""
    m = pyo.ConcreteModel()
    m.make = pyo.Var(indices(data.make_on), within=pyo.NonNegativeReals)
    m.move = pyo.Var(indices(data.move_on), within=pyo.NonNegativeReals)
    m.stock = pyo.Var(indices(data.stock_on), within=pyo.NonNegativeReals)
    m.blend = pyo.Var(indices(data.blend_on), within=pyo.NonNegativeReals)
    most = {key: float(data.wanted[key]) for key in indices(data.wanted > 0)}
    m.lost = pyo.Var(list(most), bounds=lambda _, want, slot: (0.0, most[want, slot]))
    m.opened = pyo.Var(indices(data.open_on), within=pyo.Binary if whole else pyo.UnitInterval)
    balances(m, data)
    capacities(m, data)
    orders(m, data)
    links(m, data)
    total = LinearExpression(
        constant=data.fixed_usd,
        linear_coefs=[
            *data.make_usd[data.make_on], *data.move_usd[data.move_on],
            *np.broadcast_to(data.stock_usd, data.stock_on.shape)[data.stock_on],
            *data.lose_usd[data.wanted > 0], *data.open_usd[data.open_on],
        ],
        linear_vars=[*m.make.values(), *m.move.values(), *m.stock.values(), *m.lost.values(), *m.opened.values()],
    )  # fmt: skip
    m.cost = pyo.Objective(expr=total)
    return m


def balances(m: Any, data: Data) -> None:
    """Goods are kept: held before + arriving + made + mixed in + lost = shipped + used + mixed on + held + wanted."""
    coefficients: dict[tuple[int, int], list[float]] = defaultdict(list)
    variables: dict[tuple[int, int], list[Any]] = defaultdict(list)

    def put(pool: int, slot: int, coefficient: float, variable: Any) -> None:
        coefficients[pool, slot].append(coefficient)
        variables[pool, slot].append(variable)

    after: list[list[int]] = [[] for _ in range(data.slots)]
    for slot, before in enumerate(data.before.tolist()):
        if before >= 0:
            after[before].append(slot)
    for (pool, slot), variable in m.stock.items():
        put(pool, slot, -1.0, variable)
        for later in after[slot]:
            put(pool, later, 1.0, variable)
    arrivals: dict[tuple[int, int], list[int]] = defaultdict(list)  # lag, slot of departure: slots of arrival
    for lag in set(data.lag.tolist()):
        for slot, before in enumerate(data.back[lag].tolist()):
            arrivals[lag, before].append(slot)
    lag, start, end = data.lag.tolist(), data.arc_from.tolist(), data.arc_into.tolist()
    for (arc, slot), variable in m.move.items():
        if start[arc] >= 0:
            put(start[arc], slot, -1.0, variable)
        for there in arrivals[lag[arc], slot]:
            put(end[arc], there, 1.0, variable)
    uses: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for of_run, pool, quantity in data.inputs:
        uses[of_run].append((pool, quantity))
    made = data.run_pool.tolist()
    for (of_run, slot), variable in m.make.items():
        put(made[of_run], slot, 1.0, variable)
        for pool, quantity in uses[of_run]:
            put(pool, slot, -quantity, variable)
    taken, given = data.blend_from.tolist(), data.blend_into.tolist()
    for (blend, slot), variable in m.blend.items():
        put(taken[blend], slot, -1.0, variable)
        put(given[blend], slot, 1.0, variable)
    want_pool = data.want_pool.tolist()
    wanted: dict[tuple[int, int], float] = defaultdict(float)
    for (want, slot), variable in m.lost.items():
        put(want_pool[want], slot, 1.0, variable)
        wanted[want_pool[want], slot] = variable.ub

    def rule(_: Any, pool: int, slot: int) -> Any:
        key = (pool, slot)
        if key not in variables:
            return pyo.Constraint.Feasible if not wanted[key] else pyo.Constraint.Infeasible
        return LinearExpression(linear_coefs=coefficients[key], linear_vars=variables[key]) == wanted[key]

    m.balance = pyo.Constraint(indices(data.balance_on), rule=rule)


def capacities(m: Any, data: Data) -> None:
    """What a plant makes is within its capacity, that of a candidate by the share of it that is ready."""
    use, runs = data.run_use.tolist(), defaultdict(list)
    for of_run, plant in enumerate(data.run_plant.tolist()):
        runs[plant].append(of_run)

    def rule(_: Any, plant: int, slot: int) -> Any:
        here = [of_run for of_run in runs[plant] if (of_run, slot) in m.make]
        coefficients, variables = [use[k] for k in here], [m.make[k, slot] for k in here]
        candidate, room = int(data.candidate[plant]), float(data.room[plant])
        if candidate >= 0:
            ramp = int(data.ramp[candidate])
            for step in range(ramp + 1):
                moment = data.moment_of(candidate, slot, int(data.lead[candidate]) + step)
                if moment >= 0:
                    coefficients.append(-room / (ramp + 1))
                    variables.append(m.opened[candidate, moment])
            room = 0.0
        if not variables:
            return pyo.Constraint.Skip
        return LinearExpression(linear_coefs=coefficients, linear_vars=variables) <= room

    m.capacity = pyo.Constraint(indices(data.room_on), rule=rule)


def orders(m: Any, data: Data) -> None:
    """A plant once ordered stays."""

    def rule(_: Any, candidate: int, moment: int) -> Any:
        before = int(data.moment_before[moment])
        if before < 0 or not data.open_on[candidate, before]:
            return pyo.Constraint.Skip
        return m.opened[candidate, moment] >= m.opened[candidate, before]

    m.stays = pyo.Constraint(indices(data.open_on), rule=rule)


def links(m: Any, data: Data) -> None:
    """What a candidate sends to a want on a branch is at most what is wanted there, and nothing if it is not open."""
    arcs: dict[int, list[int]] = defaultdict(list)
    for arc, link in enumerate(data.arc_link.tolist()):
        arcs[link].append(arc)

    def rule(_: Any, link: int, branch: int) -> Any:
        path, candidate = data.paths[branch].tolist(), int(data.link_candidate[link])
        variables = [m.move[arc, slot] for arc in arcs[link] for slot in path if (arc, slot) in m.move]
        coefficients = [1.0] * len(variables)
        moment = data.moment_of(candidate, path[-1], int(data.lead[candidate]))
        if moment >= 0:
            variables.append(m.opened[candidate, moment])
            coefficients.append(-float(data.link_most[link, branch]))
        if not variables:
            return pyo.Constraint.Skip
        return LinearExpression(linear_coefs=coefficients, linear_vars=variables) <= 0.0

    m.link = pyo.Constraint(indices(np.isfinite(data.link_most)), rule=rule)


def load(model: Any) -> tuple[Any, Any]:
    solver = Highs()
    solver.config.load_solution = False
    solver.highs_options = {"threads": THREADS}
    with PauseGC():
        solver.set_instance(model)
    return solver, model


def solve(loaded: tuple[Any, Any], gap: float, seconds: float | None) -> Solved:
    solver, model = loaded
    solver.config.mip_gap = gap
    solver.config.time_limit = seconds
    for updates in ("check_for_new_or_removed_constraints", "check_for_new_or_removed_vars", "update_constraints",
                    "check_for_new_or_removed_params", "check_for_new_objective", "update_vars", "update_objective",
                    "update_params", "update_named_expressions"):  # fmt: skip
        setattr(solver.update_config, updates, False)  # nothing has changed since set_instance
    result = solver.solve(model)
    best, bound = (x if x is not None and math.isfinite(x) else None for x in (
        result.best_feasible_objective, result.best_objective_bound))  # fmt: skip
    return Solved(result.termination_condition.name, best, bound)


if __name__ == "__main__":
    run("Pyomo", make, load, solve)
