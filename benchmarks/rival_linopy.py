"""The plan of plan_scale.py in linopy, one extensive form, solved by HiGHS in memory.

    python -m benchmarks.rival_linopy BRANCHES [--gap 0.001] [--time SECONDS] [--split 6] [--relax]

Written as linopy is meant to be: labelled arrays with masks, sums over groups, no loop over rows; a sparse model,
which is the leanest linopy has.
"""

from __future__ import annotations

import math
from typing import Any

import highspy
import linopy
import numpy as np
import pandas as pd
import xarray as xr
from benchmarks.rival_data import THREADS, Data, Solved, run

linopy.options["semantics"] = "v1"


class Plan:
    """The model and its variables while it is made."""

    def __init__(self, data: Data, whole: bool) -> None:
        self.data, self.model = data, linopy.Model(sparse=True)
        self.slot = pd.RangeIndex(data.slots, name="slot")
        self.pool = pd.RangeIndex(len(data.stock_on), name="pool")
        self.moment = pd.RangeIndex(len(data.moment_before), name="moment")
        self.make = self._variable("make", "run", data.make_on)
        self.move = self._variable("move", "arc", data.move_on)
        self.stock = self._variable("stock", "pool", data.stock_on)
        self.blend = self._variable("blend", "blend", data.blend_on)
        self.lost = self._variable("lost", "want", data.wanted > 0, upper=data.wanted)
        on = xr.DataArray(data.open_on, dims=("candidate", "moment"))
        domain = {"binary": True} if whole else {"lower": 0, "upper": 1}
        coords = [pd.RangeIndex(len(on), name="candidate"), self.moment]
        self.opened = self.model.add_variables(coords=coords, mask=on, name="opened", **domain)

    def _variable(self, name: str, dim: str, on: Any, upper: Any = math.inf) -> Any:
        coords = [pd.RangeIndex(len(on), name=dim), self.slot]
        mask = xr.DataArray(on, coords=coords)
        bound = upper if np.isscalar(upper) else xr.DataArray(upper, coords=coords)
        return self.model.add_variables(lower=0, upper=bound, coords=coords, mask=mask, name=name)

    def by_pool(self, quantity: Any, dim: str, pools: Any) -> Any:
        """A quantity summed over what belongs to a pool, for every pool and slot."""
        index = quantity.indexes[dim]
        group = pd.Series(np.asarray(pools), index=index, name="pool")
        total = (1 * quantity).fillna(0).groupby(group).sum()
        return total.reindex(pool=self.pool, slot=self.slot).fillna(0)

    def earlier(self, quantity: Any, months: int) -> Any:
        """A quantity as it was decided so many months before, in the slots that have a month so long before."""
        back = self.data.back[months]
        known = np.flatnonzero(back >= 0)
        return quantity.isel(slot=back[known]).assign_coords(slot=self.slot[known])

    def opened_by(self, waits: Any, candidates: Any, rows: Any, ends: Any, slots: Any) -> Any:
        """Whether candidates are ordered so many months before ``slots``: labelled ``rows`` by ``ends``."""
        data, moments = self.data, np.zeros((len(candidates), len(slots)), dtype=np.int64)
        for k, (candidate, wait) in enumerate(zip(candidates, waits, strict=True)):
            earlier = data.back[int(wait)][slots]
            decided = np.where(earlier >= 0, data.decided[earlier], -1)
            moments[k] = np.where((decided >= 0) & data.open_on[candidate, decided], decided, -1)
        dims = (rows.name, ends.name)
        which = xr.DataArray(np.asarray(candidates), dims=rows.name)
        picked = (1 * self.opened).isel(candidate=which, moment=xr.DataArray(moments, dims=dims))
        picked = picked.drop_vars(["candidate", "moment"]).assign_coords({rows.name: rows, ends.name: ends})
        return picked.where(xr.DataArray(moments >= 0, dims=dims)).fillna(0)


def make(data: Data, whole: bool) -> linopy.Model:
    plan = Plan(data, whole)
    balances(plan)
    capacities(plan)
    orders(plan)
    links(plan)
    costs = (
        (plan.make, data.make_usd), (plan.move, data.move_usd), (plan.lost, np.nan_to_num(data.lose_usd)),
        (plan.stock, np.broadcast_to(data.stock_usd, data.stock_on.shape)), (plan.opened, data.open_usd),
    )  # fmt: skip
    total = sum((variable * xr.DataArray(usd, dims=variable.dims)).fillna(0).sum() for variable, usd in costs)
    standing = plan.model.add_variables(lower=data.fixed_usd, upper=data.fixed_usd, name="standing")
    plan.model.add_objective(total + standing)
    return plan.model


def balances(plan: Plan) -> None:
    """Goods are kept: held before + arriving + made + mixed in + lost = shipped + used + mixed on + held + wanted."""
    data = plan.data
    kept = plan.earlier(plan.stock, 1)
    total = plan.by_pool(kept, "pool", kept.indexes["pool"]) - plan.by_pool(plan.stock, "pool", plan.pool)
    for lag in np.unique(data.lag):
        arcs = np.flatnonzero(data.lag == lag)
        total += plan.by_pool(plan.earlier(plan.move.isel(arc=arcs), int(lag)), "arc", data.arc_into[arcs])
    shipped = np.flatnonzero(data.arc_from >= 0)
    total -= plan.by_pool(plan.move.isel(arc=shipped), "arc", data.arc_from[shipped])
    total += plan.by_pool(plan.make, "run", data.run_pool)
    runs, pools, quantity = (np.array(part) for part in zip(*data.inputs, strict=True))
    used = plan.make.isel(run=runs).assign_coords(run=np.arange(len(runs))).rename(run="input")
    total -= plan.by_pool(used * xr.DataArray(quantity, coords=[used.indexes["input"]]), "input", pools)
    if len(data.blend_on):
        total += plan.by_pool(plan.blend, "blend", data.blend_into) - plan.by_pool(plan.blend, "blend", data.blend_from)
    total += plan.by_pool(plan.lost, "want", data.want_pool)
    wanted = np.zeros(data.stock_on.shape)
    wanted[data.want_pool] = data.wanted
    coords = [plan.pool, plan.slot]
    right, on = xr.DataArray(wanted, coords=coords), xr.DataArray(data.balance_on, coords=coords)
    plan.model.add_constraints(total == right, mask=on, name="balance")


def capacities(plan: Plan) -> None:
    """What a plant makes is within its capacity, that of a candidate by the share of it that is ready."""
    data = plan.data
    plants = pd.RangeIndex(len(data.room), name="plant")
    group = pd.Series(data.run_plant, index=plan.make.indexes["run"], name="plant")
    use = xr.DataArray(data.run_use, coords=[plan.make.indexes["run"]])
    total = (use * plan.make).fillna(0).groupby(group).sum().reindex(plant=plants).fillna(0)
    built = np.flatnonzero(data.candidate >= 0)
    numbers = data.candidate[built]
    for step in range(int(data.ramp.max(initial=-1)) + 1):
        here = data.ramp[numbers] >= step
        share = xr.DataArray(data.room[built] / (data.ramp[numbers] + 1) * here, coords=[plants[built]])
        waits = data.lead[numbers] + np.where(here, step, 0)
        ready = plan.opened_by(waits, numbers, plants[built], plan.slot, np.arange(data.slots)) * share
        total -= ready.reindex(plant=plants).fillna(0)
    room = xr.DataArray(np.where(data.candidate >= 0, 0.0, data.room), coords=[plants])
    on = xr.DataArray(data.room_on, coords=[plants, plan.slot])
    plan.model.add_constraints(total <= room.broadcast_like(on), mask=on, name="capacity")


def orders(plan: Plan) -> None:
    """A plant once ordered stays."""
    before = plan.data.moment_before
    later = np.flatnonzero(before >= 0)
    now = plan.opened.isel(moment=later)
    earlier = plan.opened.isel(moment=before[later]).assign_coords(moment=plan.moment[later])
    on = xr.DataArray(plan.data.open_on[:, later] & plan.data.open_on[:, before[later]], coords=now.coords)
    plan.model.add_constraints((1 * now).fillna(0) - (1 * earlier).fillna(0) >= 0, mask=on, name="stays")


def links(plan: Plan) -> None:
    """What a candidate sends to a want on a branch is at most what is wanted there, and nothing if it is not open."""
    data = plan.data
    on = np.isfinite(data.link_most)
    if not on.any():
        return
    arcs = np.flatnonzero(data.arc_link >= 0)
    sent = plan.move.isel(arc=arcs)
    group = pd.Series(data.arc_link[arcs], index=sent.indexes["arc"], name="link")
    branch = pd.RangeIndex(len(data.paths), name="branch")
    along = xr.DataArray(np.zeros((data.slots, len(branch))), coords=[plan.slot, branch])
    for k, path in enumerate(data.paths):
        along[path, k] = 1.0
    total = (1 * sent).fillna(0).groupby(group).sum() @ along
    link = pd.RangeIndex(len(on), name="link")
    ends = np.array([path[-1] for path in data.paths])
    opened = plan.opened_by(data.lead[data.link_candidate], data.link_candidate, link, branch, ends)
    most = xr.DataArray(np.nan_to_num(data.link_most), coords=[link, branch])
    plan.model.add_constraints(total - opened * most <= 0, mask=xr.DataArray(on, coords=[link, branch]), name="links")


def load(model: linopy.Model) -> Any:
    return model.to_highspy(set_names=False)


def solve(highs: Any, gap: float, seconds: float | None) -> Solved:
    options = {"mip_rel_gap": gap, "threads": THREADS, "output_flag": False, "time_limit": seconds}
    for name, value in options.items():
        if value is not None:
            highs.setOptionValue(name, value)
    highs.run()
    info, lp = highs.getInfo(), highs.getLp()
    bound = info.mip_dual_bound if lp.integrality_ else info.objective_function_value
    found = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    best = info.objective_function_value if found else math.inf
    return Solved(
        highs.modelStatusToString(highs.getModelStatus()), *(x if math.isfinite(x) else None for x in (best, bound))
    )


if __name__ == "__main__":
    run("linopy", make, load, solve)
