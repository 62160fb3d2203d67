"""The model of a plan as plain arrays, for those who write it again in a modelling language; and how a rival is run.

Coefficients, calendar and graph are given: no rival has to rate an entry or search the network, and none of it is
timed. What a rival is timed for is making the model and solving it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from benchmarks import plan_scale

from ashore.plans.posed import Posed, pose

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
THREADS = 2  # as the planner


@dataclass(frozen=True)
class Data:
    """A plan of least expected cost. Slots: a month in a node; moments: when openings are decided.

    before (slots): the month before, -1 at the start; back[k] (slots): the slot k months before, -1 if there is none.
    moment_before (moments); decided (slots): the moment that decides in a slot.
    make, move, stock, blend, lose, open: where there is such a quantity, and what one unit of it costs.
    back[k] also tells departures from arrivals of goods k months on the way. wanted (wants, slots).
    A link: what a candidate sends to a want on a branch is at most ``link_most`` if ordered in time, else nothing.
    """

    before: Ints
    back: dict[int, Ints]
    moment_before: Ints
    decided: Ints
    make_on: Mask
    make_usd: Floats
    run_pool: Ints
    run_plant: Ints
    run_use: Floats
    inputs: list[tuple[int, int, float]]  # run, pool, units of it in one unit made
    move_on: Mask
    move_usd: Floats
    arc_from: Ints  # pool, -1: bought in
    arc_into: Ints
    lag: Ints
    stock_on: Mask
    stock_usd: Floats
    blend_on: Mask
    blend_from: Ints
    blend_into: Ints
    balance_on: Mask  # pools by slots that have an equation
    wanted: Floats
    want_pool: Ints
    lose_usd: Floats
    candidate: Ints  # of each plant, its number among the candidates, -1: it stands
    room: Floats
    room_on: Mask  # plants by slots
    lead: Ints  # of each candidate, as the following
    ramp: Ints
    open_on: Mask
    open_usd: Floats  # candidates by moments: of 1 from this moment on
    arc_link: Ints  # of each arc, the candidate and want it links, -1: none
    link_candidate: Ints
    link_most: Floats  # links by paths, NaN: no row
    paths: list[Ints]  # of each branch, its slots
    fixed_usd: float

    @property
    def slots(self) -> int:
        return len(self.before)

    def moment_of(self, candidate: int, slot: int, wait: int) -> int:
        """The moment by which a plant must have been ordered to have waited ``wait`` months in a slot; -1: none."""
        earlier = int(self.back[wait][slot])
        moment = -1 if earlier < 0 else int(self.decided[earlier])
        return moment if moment >= 0 and self.open_on[candidate, moment] else -1


def data_of(posed: Posed) -> Data:
    """The plan as arrays. Supply limits, yields, quotas and tail risk are not part of the benchmark's case."""
    model, reach, cal, law, net = posed.model, posed.reach, posed.calendar, posed.law, posed.network
    assert all(supply.limit_month is None for supply in reach.supplies)
    assert not posed.aim.risk
    month, weight = cal.month, cal.chance * cal.factor

    def span(rows: list[tuple[int, int]]) -> Mask:
        first, last = np.array(rows, dtype=np.int64).reshape(-1, 2).T[..., None]
        return (month >= first) & (month <= last)

    move_usd = np.zeros((len(reach.arcs), cal.size))
    share = net.settings.insurance_share
    for k, arc in enumerate(reach.arcs):
        move_usd[k] += weight * (arc.price_usd + arc.freight_usd + share * arc.insured_usd)
        if arc.crosses:
            leave, arrive = cal.pairs(arc.lag)
            duty = arc.value_usd * law.rate[law.article[k]] + law.fee_usd[law.fee[k]]
            np.add.at(move_usd[k], leave, (weight * duty)[arrive])
    candidates = list(model.candidates)
    sites = [net.plants[name] for name in candidates]
    deepest = max([arc.lag for arc in reach.arcs] + [site.lead_months + site.ramp_months for site in sites], default=0)
    back = {k: cal.ancestor(k) for k in range(deepest + 1)}
    lead = np.array([site.lead_months for site in sites], dtype=np.int64)
    open_on = cal.moment_month + lead[:, None] < cal.months
    plants = [net.plants[name] for name in reach.plants]
    earliest = [min(run.earliest for run in reach.runs if run.make.plant == plant.name) for plant in plants]
    wanted = np.zeros((len(reach.pools), cal.size))
    place = {(pool.place, pool.product): k for k, pool in enumerate(reach.pools) if pool.origin is None}
    want_pool = np.array([place[key] for key in model.wants], dtype=np.int64)
    wanted[want_pool] = model.units
    pools = reach.pools
    standing = sum(net.plants[name].fixed_usd_month for name in model.standing)
    return Data(
        before=cal.parent,
        back=back,
        moment_before=cal.moment_parent,
        decided=cal.moment,
        make_on=span([(run.earliest, run.latest) for run in reach.runs]),
        make_usd=np.outer([run.make.cost_usd for run in reach.runs], weight),
        run_pool=np.array([run.pool for run in reach.runs], dtype=np.int64),
        run_plant=np.array([reach.plants.index(run.make.plant) for run in reach.runs], dtype=np.int64),
        run_use=np.array([run.make.capacity_use for run in reach.runs], dtype=float),
        inputs=[(k, pool, quantity) for k, run in enumerate(reach.runs) for pool, quantity in run.inputs],
        move_on=span([(arc.earliest, arc.latest) for arc in reach.arcs]),
        move_usd=move_usd,
        arc_from=np.array([arc.source for arc in reach.arcs], dtype=np.int64),
        arc_into=np.array([arc.pool for arc in reach.arcs], dtype=np.int64),
        lag=np.array([arc.lag for arc in reach.arcs], dtype=np.int64),
        stock_on=span([(pool.earliest if pool.keeps else cal.months, cal.months) for pool in pools]),
        stock_usd=net.settings.hold_usd_month * weight,
        blend_on=span([(pools[blend.source].earliest, cal.months) for blend in reach.blends]),
        blend_from=np.array([blend.source for blend in reach.blends], dtype=np.int64),
        blend_into=np.array([blend.pool for blend in reach.blends], dtype=np.int64),
        balance_on=span([(pool.earliest, cal.months) for pool in pools]) | (wanted > 0),
        wanted=wanted[want_pool],
        want_pool=want_pool,
        lose_usd=model.lost_usd * weight,
        candidate=np.array([candidates.index(p.name) if p.name in candidates else -1 for p in plants], dtype=np.int64),
        room=np.array([plant.capacity_month for plant in plants], dtype=float),
        room_on=span([(first, cal.months) for first in earliest]),
        lead=lead,
        ramp=np.array([site.ramp_months for site in sites], dtype=np.int64),
        open_on=open_on,
        open_usd=_opening(posed, weight, back, open_on),
        **_links(posed),
        fixed_usd=float(standing * weight.sum()),
    )


def _opening(posed: Posed, weight: Floats, back: dict[int, Ints], open_on: Mask) -> Floats:
    """Expected cost of a plant's being ordered at a moment (1 from then on): its price less that of ordering it at
    the next moments instead, and its fixed cost in the months whose readiness that moment decides.
    """
    cal = posed.calendar
    at = cal.node_chance[cal.moment_node] * cal.factor_month[cal.moment_month]
    found = np.zeros(open_on.shape)
    for k, name in enumerate(posed.model.candidates):
        site = posed.network.plants[name]
        found[k] += site.open_usd * at
        later = np.flatnonzero((cal.moment_parent >= 0) & open_on[k])
        np.subtract.at(found[k], cal.moment_parent[later], site.open_usd * at[later])
        ready = np.flatnonzero(back[site.lead_months] >= 0)
        np.add.at(found[k], cal.moment[back[site.lead_months][ready]], site.fixed_usd_month * weight[ready])
    return found


def _links(posed: Posed) -> dict[str, Any]:
    """The links that the planner has; it leaves them out where a plant could not make as much, and in large trees."""
    model, cal, reach = posed.model, posed.calendar, posed.reach
    keys: dict[tuple[str, str, str], int] = {}
    arc_link = np.full(len(reach.arcs), -1, dtype=np.int64)
    for k, arc in enumerate(reach.arcs):
        if arc.source >= 0 and arc.start in model.candidates and (arc.to, arc.product) in model.wants:
            arc_link[k] = keys.setdefault((arc.start, arc.to, arc.product), len(keys))
    paths = [cal.path(int(leaf)) for leaf in cal.leaves]
    starts = [int(path[0]) for path in paths]
    ahead = cal.over_leaves(model.units.T).T
    most = np.full((len(keys), len(paths)), np.nan)
    for (name, market, product), k in keys.items():
        site, wanted = posed.network.plants[name], ahead[model.wants.index((market, product)), starts]
        room = site.capacity_month * max(1, cal.months - site.lead_months)
        most[k] = np.where(wanted < room, wanted, np.nan)
    rows = posed.arrays.rows - _rows_without_links(posed)
    if rows == 0:
        most[:] = np.nan
    assert rows == np.isfinite(most).sum(), "the planner's links are not those of its description"
    candidate = np.array([model.candidates.index(name) for name, _, _ in keys], dtype=np.int64)
    return {"arc_link": arc_link, "link_candidate": candidate, "link_most": most, "paths": paths}


def _rows_without_links(posed: Posed) -> int:
    model = posed.model
    both = (model.opened >= 0) & (model.opened[:, posed.calendar.moment_parent] >= 0)
    chains = int((both & (posed.calendar.moment_parent >= 0)).sum())
    return int((model.balance >= 0).sum() + (model.capacity >= 0).sum() + (model.limit >= 0).sum()) + chains


# -- running a rival --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Solved:
    """What a solver says: status, objective and bound (None: none yet)."""

    status: str
    objective: float | None
    bound: float | None


def run(
    name: str,
    make: Callable[[Data, bool], Any],
    load: Callable[[Any], Any],
    solve: Callable[[Any, float, float | None], Solved],
) -> None:
    """The program of a rival: makes the model, hands it to the solver, solves it; a JSON line after each.

    make: the model of data, its openings whole or (False) not. load: the model in the solver. solve: with gap and
    seconds. CPU-seconds are those of the process, all threads together.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("branches", type=int)
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--time", type=float)
    parser.add_argument("--split", type=int, default=6)
    parser.add_argument("--relax", action="store_true", help="openings may be fractions")
    asked = parser.parse_args()
    net, base, tree = plan_scale.asked(asked.branches, asked.split)
    posed = pose(net, base, plan_scale.START, plan_scale.MONTHS, tree)
    data = data_of(posed)
    figures: dict[str, Any] = {"program": name, "branches": asked.branches, "columns": posed.arrays.columns}
    figures |= {"rows": posed.arrays.rows, "prepared_mb": _peak_mb()}
    del posed, net, base, tree
    begun = time.process_time()
    model = make(data, not asked.relax)
    _tell(figures, make_cpu=time.process_time() - begun, status="made")
    begun = time.process_time()
    loaded = load(model)
    _tell(figures, load_cpu=time.process_time() - begun, status="loaded")
    begun = time.process_time()
    found = solve(loaded, asked.gap, asked.time)
    cpu = time.process_time() - begun
    _tell(figures, solve_cpu=cpu, status=found.status, objective_usd=found.objective, bound_usd=found.bound)


def _tell(figures: dict[str, Any], **more: Any) -> None:
    figures |= {key: round(value, 3) if key.endswith("cpu") else value for key, value in more.items()}
    figures["peak_mb"] = _peak_mb()
    print(json.dumps(figures), flush=True)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform != "darwin" else 1024**2)
