"""Why a plan cannot exist: which demand cannot be met, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ashore.errors import Fault, Infeasible
from ashore.network import Network
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.limits import asks
from ashore.plans.reach import Reach
from ashore.plans.solver import row_duals

if TYPE_CHECKING:
    from ashore.plans.model import Model
    from ashore.plans.sheet import Arrays

SHORT = 1e-6  # units; less is no shortfall


def refuse_unreachable(
    network: Network,
    reach: Reach,
    calendar: Calendar,
    units: Mapping[tuple[str, str], Floats],
    prices: Mapping[tuple[str, str], tuple[Floats, Floats]],
) -> None:
    """Raise Infeasible for demand that must be served and that no goods can reach (in time)."""
    faults = []
    for key, amount in units.items():
        must = (amount > 0) & np.isnan(prices[key][1][calendar.month])
        first = reach.first.get(key)
        late = must if first is None else must & (calendar.month < first)
        if np.any(late):
            what = _demand(key, calendar, np.flatnonzero(late))
            faults.append(Fault("demand.csv", f"{what} cannot be met: {_why(network, reach, key)}", _remedy(first)))
    if faults:
        raise Infeasible(faults)


def explain(model: Model, arrays: Arrays) -> Infeasible:
    """The least demand that cannot be met, found by letting it go at a price, and what binds there."""
    must = (model.units > 0) & np.isnan(model.lost_usd)
    want, slot = np.nonzero(must)
    place = {(pool.place, pool.product): k for k, pool in enumerate(model.reach.pools) if pool.origin is None}
    rows = model.balance[[place[model.wants[k]] for k in want], slot] if len(want) else np.zeros(0, dtype=np.int64)
    fixed = model.lost[want, slot]  # columns for a shortfall that are there already, but may not be used
    x, dual = row_duals(_elastic(arrays, rows[fixed < 0], fixed[fixed >= 0]))
    short = np.zeros(len(want))
    short[fixed < 0], short[fixed >= 0] = x[arrays.columns :], x[fixed[fixed >= 0]]
    faults = []
    for k in np.unique(want[short > SHORT]):
        here = (want == k) & (short > SHORT)
        market, product = model.wants[k]
        sources = _behind(model, market, product)
        binding = _binding(model, dual, slot[here], sources)
        demand = _demand((market, product), model.calendar, slot[here])
        what = f"{demand} is short of {short[here].sum():,.6g} units"
        reason = "; ".join(binding) or "capacity and supply together do not suffice"
        remedy = "Raise what binds, add a plant, supply or lane, or give lost_usd so that demand may be lost."
        if model.limited:
            remedy = remedy.replace("Raise what binds", "Raise what binds, loosen a limit")
        faults.append(Fault("demand.csv", f"{what}: {reason}.", remedy))
    faults = faults or _endless(model, arrays)
    if not faults:
        what = "The solver finds no plan, though every demand could be met on its own."
        faults.append(Fault("the plan", what, "Check for figures of very different size, or loosen --gap."))
    return Infeasible(faults)


def _endless(model: Model, arrays: Arrays) -> list[Fault]:
    """What could be done without limit at less than no cost. No table can ask for it: their figures are 0 or more."""
    falling = (arrays.cost < 0) & np.isposinf(arrays.col_upper)
    reach = model.reach
    acts = (
        (model.make, [f"Making {run.make.product} at {run.make.plant}" for run in reach.runs]),
        (model.move, [f"Moving {arc.product} from {arc.start} to {arc.to}" for arc in reach.arcs]),
        (model.stock, [f"Holding {pool.product} in {pool.place}" for pool in reach.pools]),
    )
    faults = []
    for columns, words in acts:
        for k in np.flatnonzero(((columns >= 0) & falling[columns]).any(axis=1)).tolist():
            what = f"{words[k]} costs less than nothing, and nothing limits how much of it is done."
            faults.append(Fault("the plan", what, "Give its costs and duty rates as numbers of at least 0."))
    return faults


def _elastic(arrays: Arrays, rows: Ints, fixed: Ints) -> Arrays:
    """The model with a shortfall column (cost 1) in each of ``rows``, those of ``fixed`` let go, no other costs."""
    extra = len(rows)
    cost, upper = np.zeros(arrays.columns), arrays.col_upper.copy()
    cost[fixed], upper[fixed] = 1.0, np.inf
    return replace(
        arrays,
        cost=np.concatenate([cost, np.ones(extra)]),
        col_lower=np.concatenate([arrays.col_lower, np.zeros(extra)]),
        col_upper=np.concatenate([upper, np.full(extra, np.inf)]),
        start=np.concatenate([arrays.start, arrays.start[-1] + 1 + np.arange(extra)]).astype(np.int32),
        index=np.concatenate([arrays.index, rows]).astype(np.int32),
        value=np.concatenate([arrays.value, np.ones(extra)]),
        integer=np.zeros(arrays.columns + extra, dtype=bool),
        col_group=np.concatenate([arrays.col_group, np.zeros(extra, dtype=np.int64)]),
    )


def _behind(model: Model, market: str, product: str) -> set[str]:
    """The plants and supplies (as "product from origin") that what reaches a market can come from."""
    reach = model.reach
    todo = [k for k, pool in enumerate(reach.pools) if pool.place == market and pool.product == product]
    seen, found = set(todo), set()
    while todo:
        pool = todo.pop()
        before: list[int] = []
        for arc in reach.arcs:
            if arc.pool == pool:
                before += [arc.source] if arc.source >= 0 else []
                if arc.supply >= 0:
                    found.add(f"{arc.product} from {arc.origin}")
        for run in reach.runs:
            if run.pool == pool:
                found.add(run.make.plant)
                before += [source for source, _ in run.inputs]
        before += [blend.source for blend in reach.blends if blend.pool == pool]
        new = [k for k in before if k not in seen]
        seen.update(new)
        todo += new
    return found


def _binding(model: Model, dual: Floats, slots: Ints, sources: Iterable[str]) -> list[str]:
    """Capacities and supply limits behind the demand that bind on the way to ``slots``, and what else does."""
    sources = set(sources)
    on_path = np.unique(np.concatenate([model.calendar.path(int(slot)) for slot in slots]))
    names = []
    for k, plant in enumerate(model.reach.plants):
        row = model.capacity[k, on_path]
        bound = on_path[(row >= 0) & (np.abs(dual[row]) > SHORT)]
        if plant in sources and len(bound):
            site = model.network.plants[plant]
            wait = "" if site.open else f" (a candidate, ready {site.lead_months} months after it is ordered)"
            if site.modules:
                wait += (
                    f" and {site.modules} modules of {site.module_month:,.6g} at most, ready after {site.module_lead}"
                )
            good = min(run.make.yield_share for run in model.reach.runs if run.make.plant == plant)
            lossy = "" if good == 1 else f" (started; yield {good:.6g})"
            months = _months(model.calendar.month[bound])
            names.append(f"the capacity of {plant}, {site.capacity_month:,.6g} a month{lossy}{wait}, binds in {months}")
    for k, supply in enumerate(model.reach.supplies):
        row = model.limit[k, on_path]
        bound = on_path[(row >= 0) & (np.abs(dual[row]) > SHORT)]
        if f"{supply.product} from {supply.origin}" in sources and len(bound):
            months = _months(model.calendar.month[bound])
            limit = f"{supply.limit_month:,.6g}"
            names.append(f"the supply of {supply.product} from {supply.origin}, {limit} a month, binds in {months}")
    names += _at_border(model, dual, on_path, sources)
    for limited in model.limited:
        rows = limited.rows[limited.rows >= 0]
        if np.any(np.abs(dual[rows]) > SHORT):
            names.append(asks(limited.counted))
    return names


def _at_border(model: Model, dual: Floats, on_path: Ints, sources: set[str]) -> list[str]:
    """Bans on what comes from ``sources``, and quotas that bind, on the way."""
    border = model.border
    if border is None:
        return []
    arcs = model.reach.arcs
    names = []
    for k, quota in enumerate(border.names):
        row = border.quota[k, on_path]
        bound = on_path[(row >= 0) & (np.abs(dual[row]) > SHORT)]
        if len(bound):
            units = border.units[k, bound].min()
            months = _months(model.calendar.month[bound])
            names.append(f"the quota {quota}, {units:,.6g} a month, binds in {months}")
    kept: dict[str, Ints] = {}
    for k in np.flatnonzero(border.place >= 0).tolist():
        arc = arcs[k]
        barred = on_path[border.banned[border.place[k], on_path]]
        if len(barred) and (arc.start if arc.supply < 0 else f"{arc.product} from {arc.origin}") in sources:
            key = f"{arc.product} from {arc.origin}"
            kept[key] = np.union1d(kept.get(key, barred), barred)
    return names + [
        f"{goods} may not be entered in {_months(model.calendar.month[slots])}" for goods, slots in kept.items()
    ]


def _demand(key: tuple[str, str], calendar: Calendar, slots: Ints) -> str:
    """Product, market and months; and the nodes where not all that have these months are meant."""
    months = calendar.month[slots]
    what = f"Demand for {key[1]} in {key[0]} in {_months(months)}"
    if len(slots) == np.isin(calendar.month, months).sum():
        return what
    names = [f"'{calendar.nodes[node]}'" for node in np.unique(calendar.node[slots])]
    more = ", …" if len(names) > 4 else ""
    return f"{what} of node{'s' if len(names) > 1 else ''} {', '.join(names[:4])}{more}"


def _months(months: Ints) -> str:
    """Months in words: month 3; months 0 to 4, 7."""
    found = np.unique(months).tolist()
    spans: list[list[int]] = []
    for month in found:
        if spans and spans[-1][1] == month - 1:
            spans[-1][1] = month
        else:
            spans.append([month, month])
    words = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in spans)
    return f"month{'s' if len(found) > 1 else ''} {words}"


def _remedy(first: int | None) -> str:
    if first is None:
        return "Add what is missing, or give lost_usd so that this demand may be lost."
    return "Add a faster lane or a plant that is open, start the demand later, or give lost_usd."


def missing_parts(reach: Reach, product: str) -> list[str]:
    """Which plants cannot get which parts, down to the first part in the chain that is missing."""
    found: dict[str, None] = {}
    for (plant, made), parts in reach.lacking.items():
        if made != product:
            continue
        for part in parts:
            deeper = [] if reach.makers.get(part) else missing_parts(reach, part)
            found.update(dict.fromkeys(deeper or [f"{plant} cannot get {part}"]))
    return list(found)


def _why(network: Network, reach: Reach, key: tuple[str, str]) -> str:
    market, product = key
    first = reach.first.get(key)
    if first is not None:
        return f"the first {product} can be there in month {first}, counting lead and transit months."
    makers = reach.makers.get(product, ())
    if makers:
        return f"no lane reaches {market} from {', '.join(makers)}."
    lacking = missing_parts(reach, product)
    if lacking:
        return f"it cannot be made: {'; '.join(lacking)}."
    return "nobody makes it and nobody supplies it."
