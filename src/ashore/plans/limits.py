"""Limits that someone sets on where goods come from: shares, units and local content, in every branch.

Each holds over the months from t0 up to t1 taken together: S[e] is the set of slots in these months on the branch that
ends in slot e, e running over the slots of the last of these months. enters[a,s] is what arrives on arc a in slot s and
is not turned away at a border. Shares are of what is delivered, units[w,s] − lost[w,s] of want w, so that goods that
nobody wants do not count: what comes on arcs that the limits tell apart is followed through the stock of the market.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ashore.network import Limit, Network
from ashore.plans.calendar import Floats, Ints
from ashore.plans.reach import Arc, Reach
from ashore.plans.sheet import INFINITE, Mask

if TYPE_CHECKING:
    from ashore.plans.model import Model


@dataclass(frozen=True)
class Counted:
    """What a limit counts, for one name of what it limits.

    arcs, runs: places in the reach; part, whole: how much of a unit entering on each arc, and then made in each run,
    counts in what is limited and in what it is a share of. Of a share ``part`` says which arcs bring what is limited.
    """

    limit: Limit
    of: str
    arcs: Ints
    runs: Ints
    part: Floats
    whole: Floats

    @property
    def is_share(self) -> bool:
        """Whether it is a share of what is delivered."""
        return self.limit.kind in ("max_share", "min_share")


@dataclass(frozen=True)
class Followed:
    """The goods in markets, by *lots* that limits on shares tell apart: the arcs that each lot comes on.

    taken: columns of what is delivered of a lot; kept: of what is in stock at the end of a slot, shape (lots, slots).
    """

    arcs: tuple[tuple[int, ...], ...]
    taken: Ints
    kept: Ints


@dataclass(frozen=True)
class Limited:
    """A limit in a model: Σ part · columns is limited, over the months of the limit, to each of ends.

    It is a share of Σ whole · columns and ``fixed``, by slot. columns: shape (k, slots). rows: a row for each of ends,
    -1 where nothing could break the limit.
    """

    counted: Counted
    columns: Ints
    part: Floats
    whole: Floats
    fixed: Floats
    ends: Ints
    rows: Ints


def counted(network: Network, reach: Reach) -> Iterator[Counted]:
    """What the limits of a network count, each name that a limit with of = "*" stands for by itself."""
    for limit in network.limits:
        if limit.kind == "min_content":
            yield _content(network, reach, limit)
            continue
        arcs = np.array(
            [k for k, arc in enumerate(reach.arcs) if _concerns(network, limit, arc.to, arc.product)], dtype=np.int64
        )
        names = [_name(network, reach.arcs[k], limit.by) for k in arcs]
        nothing = np.zeros(0, dtype=np.int64)
        for of in dict.fromkeys(names) if limit.of == "*" else [limit.of]:
            if of is not None:
                part = np.array([name == of for name in names], dtype=float)
                yield Counted(limit, of, arcs, nothing, part, np.ones(len(arcs)))


def _concerns(network: Network, limit: Limit, place: str, product: str) -> bool:
    """Whether a limit on what markets receive is about a product at a place."""
    if place not in network.markets or limit.market not in (None, place, network.country_of(place)):
        return False
    return limit.product in (None, product, network.products[product].kind)


def _name(network: Network, arc: Arc, by: str) -> str | None:
    """What an arc's goods go by: origin, country they come from, maker or its parent; plant or company if any."""
    product, plant = network.products[arc.product], network.plants.get(arc.start)
    return {
        "origin": arc.origin,
        "country": network.country_of(arc.start),
        "maker": product.maker,
        "parent": product.parent or product.maker,
        "plant": None if plant is None else plant.name,
        "company": None if plant is None else plant.company,
    }[by]


def _content(network: Network, reach: Reach, limit: Limit) -> Counted:
    """What local content counts, in USD: see :func:`_min_content`."""
    home = limit.of

    def inside(place: str) -> bool:
        return place in network.plants and network.plants[place].country == home

    arcs, part, whole = [], [], []
    for k, arc in enumerate(reach.arcs):
        into = inside(arc.to) and not inside(arc.start)
        local = into and arc.supply >= 0 and network.country_of(arc.start) == home
        counts = into if limit.market is None else _concerns(network, limit, arc.to, arc.product)
        if local or counts:
            arcs.append(k)
            part.append(arc.value_usd if local else 0.0)
            whole.append(arc.value_usd if counts else 0.0)
    runs = [k for k, run in enumerate(reach.runs) if inside(run.make.plant)]
    cost = [reach.runs[k].make.good_cost_usd for k in runs]
    return Counted(
        limit,
        home,
        np.array(arcs, dtype=np.int64),
        np.array(runs, dtype=np.int64),
        np.array([*part, *cost], dtype=float),
        np.array([*whole, *(cost if limit.market is None else [0.0] * len(cost))], dtype=float),
    )


def asks(each: Counted) -> str:
    """A limit in words, with what stands against it if nothing can meet it."""
    limit = each.limit
    months = f" from month {limit.from_month} on" if limit.from_month else ""
    months += f" up to, not including, month {limit.until_month}" if limit.until_month is not None else ""
    goods, where = limit.product or "goods", limit.market or "all markets"
    if limit.kind == "min_content":
        made = f"of what {limit.market} receives" if limit.market else f"of what plants in {each.of} make"
        what = f"at least {100 * (limit.share or 0):.6g} per cent of the value {made} is added or bought in {each.of}"
        lacking = "nothing is made or bought there"
    else:
        share = f"{100 * (limit.share or 0):.6g} per cent of the {goods}" if limit.units is None else ""
        amount = share or f"{limit.units:,.6g} units of {goods}"
        most = "least" if limit.kind == "min_share" else "most"
        what = f"at {most} {amount} into {where} come from the {limit.by} {each.of}"
        lacking = "none from there can arrive in time"
    short = not each.part.any() and limit.kind.startswith("min")
    return f"the limit {limit.name} asks that {what}{months}" + (f", but {lacking}" if short else "")


def shared_pools(network: Network, reach: Reach) -> list[Ints]:
    """For each limit the pools of what it counts: they are planned together."""
    return [_pools(network, reach, each) for each in counted(network, reach)]


def _pools(network: Network, reach: Reach, each: Counted) -> Ints:
    received = each.limit.kind != "min_content" or each.limit.market is not None
    pools = [k for k, p in enumerate(reach.pools) if received and _concerns(network, each.limit, p.place, p.product)]
    pools += [reach.arcs[k].pool for k in each.arcs] + [reach.runs[k].pool for k in each.runs]
    return np.array(pools, dtype=np.int64)


def shared_wants(network: Network, wants: tuple[tuple[str, str], ...]) -> Mask:
    """Which wants a limit on a share is about."""
    shares = [limit for limit in network.limits if limit.kind in ("max_share", "min_share")]
    return np.array([any(_concerns(network, limit, *want) for limit in shares) for want in wants], dtype=bool)


def follow(model: Model, pool_group: Ints) -> Followed | None:
    """Follows goods through the stock of markets, None where no share is limited: for each pool w, lot l and slot s

    kept[l,s−1] + Σ_{a of l} enters[a,s] = taken[l,s] + kept[l,s];
    Σ_{l of w} taken[l,s] = units[w,s] − lost[w,s];  Σ_{l of w} kept[l,s] = stock[w,s].
    """
    lots = _lots(model)
    if not lots:
        return None
    cal, sheet, every = model.calendar, model.sheet, np.arange(model.calendar.size)
    of, lot_of = np.unique([pool for pool, _ in lots], return_inverse=True)
    units, lost = np.zeros((len(of), cal.size)), np.full((len(of), cal.size), -1, dtype=np.int64)
    for k, pool in enumerate(of.tolist()):
        want = (model.reach.pools[pool].place, model.reach.pools[pool].product)
        if want in model.wants:
            units[k], lost[k] = model.units[model.wants.index(want)], model.lost[model.wants.index(want)]
    stock, group = model.stock[of], pool_group[of][:, None]
    arcs = np.array([arc for _, own in lots for arc in own], dtype=np.int64)
    into = np.repeat(np.arange(len(lots)), [len(own) for _, own in lots])
    entering = model.entering(arcs, every)
    there = np.zeros((len(lots), cal.size), dtype=bool)
    np.logical_or.at(there, into, entering >= 0)
    for month in range(1, cal.months):
        here = np.flatnonzero(cal.month == month)
        there[:, here] |= there[:, cal.parent[here]]
    taken = sheet.add_columns(there & (units[lot_of] > 0), group=group[lot_of])
    kept = sheet.add_columns(there & (stock[lot_of] >= 0), group=group[lot_of])
    flow = sheet.add_rows(there, 0.0, 0.0, group[lot_of])
    sheet.put(flow[into], entering, 1.0)
    sheet.put(flow, taken, -1.0)
    sheet.put(flow, kept, -1.0)
    later = np.flatnonzero(cal.parent >= 0)
    sheet.put(flow[:, later], kept[:, cal.parent[later]], 1.0)
    delivered = sheet.add_rows(units > 0, units, units, group)
    sheet.put(delivered[lot_of], taken, 1.0)
    sheet.put(delivered, lost, 1.0)
    stored = sheet.add_rows(stock >= 0, 0.0, 0.0, group)
    sheet.put(stored[lot_of], kept, 1.0)
    sheet.put(stored, stock, -1.0)
    return Followed(tuple(own for _, own in lots), taken, kept)


def _lots(model: Model) -> list[tuple[int, tuple[int, ...]]]:
    """For each pool of a market that a limit on a share is about, the arcs into it that no such limit tells apart."""
    names: dict[int, list[bool]] = {}
    for each in counted(model.network, model.reach):
        if each.is_share:
            for arc, part in zip(each.arcs.tolist(), each.part.tolist(), strict=True):
                names.setdefault(arc, []).append(part > 0)
    lots: dict[tuple[int, tuple[bool, ...]], list[int]] = {}
    for arc in sorted(names, key=lambda arc: model.reach.arcs[arc].pool):
        lots.setdefault((model.reach.arcs[arc].pool, tuple(names[arc])), []).append(arc)
    return [(pool, tuple(arcs)) for (pool, _), arcs in lots.items()]


def constrain(model: Model, pool_group: Ints) -> tuple[Limited, ...]:
    """Adds the rows of the limits to the sheet of a model."""
    kinds = {"max_share": _max_share, "min_share": _min_share, "max_units": _max_units, "min_content": _min_content}
    found = []
    for each in counted(model.network, model.reach):
        last = min(each.limit.until_month or model.calendar.months, model.calendar.months) - 1
        limited = _delivered(model, each) if each.is_share else _brought(model, each)
        if each.limit.from_month <= last:
            ends = np.flatnonzero(model.calendar.month == last)
            limited = replace(limited, ends=ends, rows=np.full(len(ends), -1, dtype=np.int64))
        pools = _pools(model.network, model.reach, each)
        if len(limited.ends) and len(pools):
            rows = kinds[each.limit.kind](model, limited, int(pool_group[pools[0]]))
            limited = replace(limited, rows=rows)
        found.append(limited)
    return tuple(found)


def _brought(model: Model, each: Counted) -> Limited:
    """A limit on what enters and is made, not yet with its ends and rows."""
    every, none = np.arange(model.calendar.size), np.zeros(0, dtype=np.int64)
    columns = np.concatenate([model.entering(each.arcs, every), model.make[each.runs]])
    return Limited(each, columns, each.part, each.whole, np.zeros(len(every)), none, none)


def _delivered(model: Model, each: Counted) -> Limited:
    """A limit on a share of what is delivered, not yet with its ends and rows."""
    named = {int(arc) for arc, part in zip(each.arcs, each.part, strict=True) if part}
    wants = [k for k, want in enumerate(model.wants) if _concerns(model.network, each.limit, *want)]
    lost, none = model.lost[wants], np.zeros(0, dtype=np.int64)
    taken = lost[:0]
    if model.followed is not None:
        taken = model.followed.taken[[k for k, arcs in enumerate(model.followed.arcs) if named.issuperset(arcs)]]
    part = np.repeat([1.0, 0.0], [len(taken), len(lost)])
    fixed = model.units[wants].sum(axis=0)
    return Limited(each, np.concatenate([taken, lost]), part, part - 1.0, fixed, none, none)


def _max_share(model: Model, limited: Limited, group: int) -> Ints:
    """At most a share of what is delivered is of a name o: for each end e

    Σ_{s in S[e]} Σ_{l of o} taken[l,s] ≤ share · Σ_{s in S[e]} Σ_w (units[w,s] − lost[w,s]).
    """
    share = limited.counted.limit.share or 0.0
    return limited.rows if share == 1 else _rows(model, limited, share, (-INFINITE, 0.0), group)


def _min_share(model: Model, limited: Limited, group: int) -> Ints:
    """At least a share of what is delivered is of a name o: for each end e

    Σ_{s in S[e]} Σ_{l of o} taken[l,s] ≥ share · Σ_{s in S[e]} Σ_w (units[w,s] − lost[w,s]).
    """
    share = limited.counted.limit.share or 0.0
    return limited.rows if share == 0 else _rows(model, limited, share, (0.0, INFINITE), group)


def _max_units(model: Model, limited: Limited, group: int) -> Ints:
    """No more units of a name o arrive than are allowed: for each end e

    Σ_{s in S[e]} Σ_{a of o} enters[a,s] ≤ units.
    """
    return _rows(model, limited, 0.0, (-INFINITE, limited.counted.limit.units or 0.0), group)


def _min_content(model: Model, limited: Limited, group: int) -> Ints:
    """At least a share of value is added or bought in a country c: for each end e

    Σ_{s in S[e]} (Σ_{r in c} cost[r]·make[r,s] + Σ_{a bought in c} value[a]·enters[a,s]) ≥ share · total[e],

    r in c being what plants in c make, a bought in c what they buy there, cost[r] what making a good unit costs beside
    its parts, value[a] the price or customs value of a unit. Without a market total[e] is the value of what plants in c
    make, that is the left side and the parts that come to them from abroad, Σ_{a into c} value[a]·enters[a,s]; with
    one, it is the value of what the market (or the markets of a country) receives.
    """
    share = limited.counted.limit.share or 0.0
    return limited.rows if share == 0 else _rows(model, limited, share, (0.0, INFINITE), group)


def _rows(model: Model, limited: Limited, share: float, sides: tuple[float, float], group: int) -> Ints:
    """A row for each end: Σ (part − share · whole) · columns between the sides and share · fixed; scaled."""
    weight = limited.part - share * limited.whole
    size = max(float(np.abs(weight).max(initial=0.0)), 1e-9)
    fixed = np.zeros(len(limited.ends))
    for slots in _months(model, limited):
        fixed += share * limited.fixed[slots]
    lower, upper = ((side + fixed) / size for side in sides)
    rows = model.sheet.add_rows(np.ones(len(limited.ends), dtype=bool), lower, upper, group)
    for slots in _months(model, limited):
        model.sheet.put(rows, limited.columns[:, slots], weight[:, None] / size)
    return rows


def _months(model: Model, limited: Limited) -> Iterator[Ints]:
    """For each month of a limit, the slots in it on the way to each of its ends."""
    if len(limited.ends):
        for back in range(int(model.calendar.month[limited.ends[0]]) - limited.counted.limit.from_month + 1):
            yield model.calendar.ancestor(back)[limited.ends]


def reached(model: Model, x: Floats) -> Iterator[tuple[Limited, Floats, Floats]]:
    """Each limit with what is limited and what it is a share of, at each of its ends."""
    for limited in model.limited:
        use = np.where(limited.columns >= 0, x[limited.columns], 0.0)
        by_slot = np.stack([limited.part @ use, limited.whole @ use + limited.fixed])
        total = np.zeros((2, len(limited.ends)))
        for slots in _months(model, limited):
            total += by_slot[:, slots]
        yield limited, total[0], total[1]
