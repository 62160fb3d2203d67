"""A solution vector as tidy tables: what opens, is made, moved, stored, delivered and lost, where and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.futures import Futures
from ashore.plans.law import Law, ban_on
from ashore.plans.limits import reached
from ashore.plans.model import Model

SHOWN = 1e-9  # units; less is none
STEPS = ("open", "expand", "mothball", "restart", "close")  # decisions on a plant


@dataclass(frozen=True)
class Used:
    """The columns above zero of one block: place in the block's first axis, slot, units."""

    item: Ints
    slot: Ints
    units: Floats


def used(columns: Ints, x: Floats) -> Used:
    """What a solution uses of a block of columns."""
    amount = np.where(columns >= 0, x[columns], 0.0)
    item, slot = np.nonzero(amount)
    return Used(item, slot, amount[item, slot])


def when(calendar: Calendar, slots: Ints) -> dict[str, Any]:
    """Node, month and date of slots, as columns of a table."""
    return stamp(calendar, calendar.node[slots], calendar.month[slots])


def stamp(calendar: Calendar, nodes: Ints, months: Ints) -> dict[str, Any]:
    """Node name, month and date, as columns of a table."""
    names, dates = pl.Series(calendar.nodes, dtype=pl.String), pl.Series(calendar.dates, dtype=pl.Date)
    return {"node": names.gather(nodes), "month": months, "date": dates.gather(months)}


def pick(values: list[Any], places: Ints, dtype: Any = None) -> pl.Series:
    """``values[k]`` for each place k, as a column of a table."""
    return pl.Series(values, dtype=dtype or pl.String).gather(places)


@dataclass(frozen=True)
class States:
    """What the plants of ``model.sites`` are at each moment in a solution, arrays (plants, moments).

    opened, ordered, on, held, ready and the same at the moment before (``was``); see :mod:`ashore.plans.sites`.
    """

    now: dict[str, Floats]
    was: dict[str, Floats]

    def change(self, name: str) -> Floats:
        """What has been added since the moment before; 0 for orders where nothing can be ordered any more."""
        return self.now[name] - self.was[name]

    @property
    def laid(self) -> Floats:
        """idle[p,m] − idle[p,m′], idle = held − on: above 0 where a plant is laid up."""
        return self.change("held") - self.change("on")

    @property
    def woken(self) -> Floats:
        """Above 0 where a plant that was laid up runs again."""
        return self.change("on") - self.change("ready")

    @property
    def closed(self) -> Floats:
        """Above 0 where a plant is closed."""
        return self.change("ready") - self.change("held")


def states(model: Model, x: Floats) -> States:
    """The states of all plants; of those open at the start, which are never opened, opened is 0."""
    sites = model.sites
    never = np.full((len(sites.plants) - sites.candidates, sites.opened.shape[1]), -1, dtype=np.int64)
    orders = {"opened": np.concatenate([sites.opened, never]), "ordered": sites.ordered}
    kept = {"ready": sites.ready, "held": sites.held, "on": sites.on}
    before = {name: sites.earlier(columns) for name, columns in orders.items()}
    before |= {name: sites.before(columns) for name, columns in kept.items()}
    return States(
        {name: _units(columns, x) for name, columns in (orders | kept).items()},
        {name: _units(columns, x) for name, columns in before.items()},
    )


def steps(model: Model, x: Floats) -> pl.DataFrame:
    """plant, step (of STEPS), node, month, date, ready (month), modules (added; null but for expand), chance."""
    cal, plants = model.calendar, model.sites.plants
    state = states(model, np.round(x))
    lead = {"open": [plant.lead_months for plant in plants], "expand": [plant.module_lead for plant in plants]}
    changes = (state.change("opened"), state.change("ordered"), state.laid, state.woken, state.closed)
    tables = []
    for step, change in zip(STEPS, changes, strict=True):
        plant, moment = np.nonzero(change > 0.5)
        month = cal.moment_month[moment]
        modules = np.round(change[plant, moment]).astype(np.int64)
        table = {
            "plant": pick([site.name for site in plants], plant),
            "step": pl.Series([step] * len(plant), dtype=pl.String),
            **stamp(cal, cal.moment_node[moment], month),
            "ready": month + np.array(lead.get(step, [0] * len(plants)), dtype=np.int64)[plant],
            "modules": pl.Series(modules if step == "expand" else [None] * len(plant), dtype=pl.Int64),
            "chance": cal.node_chance[cal.moment_node[moment]],
        }
        tables.append(pl.DataFrame(table))
    return pl.concat(tables).sort("month", "plant", maintain_order=True)


def openings(model: Model, x: Floats) -> pl.DataFrame:
    """plant, node, month, date, ready (month), chance: the orders to open a plant."""
    return steps(model, x).filter(pl.col("step") == "open").drop("step", "modules")


def making(model: Model, x: Floats) -> pl.DataFrame:
    """plant, product, origin, node, month, date, units."""
    found, runs = used(model.make, x), model.reach.runs
    return pl.DataFrame(
        {
            "plant": pick([run.make.plant for run in runs], found.item),
            "product": pick([run.make.product for run in runs], found.item),
            "origin": pick([run.origin for run in runs], found.item),
            **when(model.calendar, found.slot),
            "units": found.units,
        }
    )


def moving(model: Model, x: Floats) -> pl.DataFrame:
    """Kind (bought or shipped), from, to, product, origin, mode, node, month, date, arrives (month), units."""
    found, arcs = used(model.move, x), model.reach.arcs
    lag = np.array([arc.lag for arc in arcs], dtype=np.int64)
    return pl.DataFrame(
        {
            "kind": pick(["bought" if arc.supply >= 0 else "shipped" for arc in arcs], found.item),
            "from": pick([arc.start for arc in arcs], found.item),
            "to": pick([arc.to for arc in arcs], found.item),
            "product": pick([arc.product for arc in arcs], found.item),
            "origin": pick([arc.origin for arc in arcs], found.item),
            "mode": pick([arc.mode for arc in arcs], found.item),
            **when(model.calendar, found.slot),
            "arrives": model.calendar.month[found.slot] + lag[found.item],
            "units": found.units,
        }
    )


def stocking(model: Model, x: Floats) -> pl.DataFrame:
    """place, product, origin (null: any), node, month, date, units at the end of the month."""
    found, pools = used(model.stock, x), model.reach.pools
    table = {
        "place": pick([pool.place for pool in pools], found.item),
        "product": pick([pool.product for pool in pools], found.item),
        "origin": pick([pool.origin for pool in pools], found.item),
        **when(model.calendar, found.slot),
    }
    rows = pl.DataFrame({**table, "units": found.units})
    return rows.group_by(list(table), maintain_order=True).agg(pl.col("units").sum())  # made there and arrived there


def delivering(model: Model, x: Floats) -> tuple[pl.DataFrame, pl.DataFrame, float]:
    """Served and lost demand (market, product, node, month, date, units, usd_unit) and expected discounted revenue."""
    lost = np.where(model.lost >= 0, x[model.lost], 0.0)
    served = np.where(model.units > 0, model.units - lost, 0.0)
    tables = []
    for amount, unit in ((served, model.price_usd), (lost, model.lost_usd)):
        item, slot = np.nonzero(amount > 1e-9)
        tables.append(
            pl.DataFrame(
                {
                    "market": pick([market for market, _ in model.wants], item),
                    "product": pick([product for _, product in model.wants], item),
                    **when(model.calendar, slot),
                    "units": amount[item, slot],
                    "usd_unit": pl.Series(unit[item, slot], nan_to_null=True),
                }
            )
        )
    weight = model.calendar.chance * model.calendar.factor
    revenue = float((np.nan_to_num(model.price_usd) * served).sum(axis=0) @ weight)
    return tables[0], tables[1], revenue


def at_border(model: Model, law: Law, futures: Futures, x: Floats) -> pl.DataFrame:
    """quota, node, month, date, used, allowed, over, turned_away: units, where a quota or ban met any goods.

    used: entered within the quota; over: entered beyond it at the higher duty. Of a ban ``allowed`` is 0.
    """
    border, size = model.border, model.calendar.size
    names: list[str] = []
    slots, found = np.zeros(0, dtype=np.int64), np.zeros((4, 0))
    if border is not None:
        every = np.arange(size)
        entered, over = _units(model.entering(border.count_arc, every), x), _units(border.over, x)
        gone = np.where(border.over < 0, _units(model.arriving(border.count_arc, every), x) - entered, 0.0)
        rows = np.zeros((4, len(border.names), size))
        for k, units in ((0, entered - over), (2, over), (3, gone)):
            np.add.at(rows[k], border.count_quota, np.where(border.counted, units, 0.0))
        rows[1] = border.units
        quota, slots = np.nonzero((rows[[0, 2, 3]] > SHOWN).any(axis=0) & (border.quota >= 0))
        names, found = [border.names[k] for k in quota], rows[:, quota, slots]
        banned = _turned_away(model, law, futures, x)
        names += [name for name, _ in banned]
        slots = np.append(slots, np.array([slot for _, slot in banned], dtype=np.int64))
        away = np.array(list(banned.values())).reshape(1, -1)
        found = np.hstack([found, np.vstack([np.zeros((3, away.shape[1])), away])])
    columns = dict(zip(("used", "allowed", "over", "turned_away"), found, strict=True))
    return pl.DataFrame({"quota": pl.Series(names, dtype=pl.String), **when(model.calendar, slots), **columns})


def at_limits(model: Model, x: Floats) -> pl.DataFrame:
    """limit, kind, of, node, from_month, until_month, used, allowed: one row for each branch a limit ends in.

    used and allowed are shares, or units for limits of kind max_units; used is null where there is nothing to share.
    """
    rows = []
    for limited, part, whole in reached(model, x):
        limit = limited.counted.limit
        for end, amount, total in zip(limited.ends.tolist(), part.tolist(), whole.tolist(), strict=True):
            used = amount if limit.units is not None else amount / total if total > SHOWN else None
            rows.append(
                {
                    "limit": limit.name,
                    "kind": limit.kind,
                    "of": limited.counted.of,
                    "node": model.calendar.nodes[int(model.calendar.node[end])],
                    "from_month": limit.from_month,
                    "until_month": int(model.calendar.month[end]) + 1,
                    "used": used,
                    "allowed": limit.share if limit.units is None else limit.units,
                }
            )
    text, whole_number = pl.String, pl.Int64
    schema = {"limit": text, "kind": text, "of": text, "node": text, "from_month": whole_number}
    schema |= {"until_month": whole_number, "used": pl.Float64, "allowed": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def _turned_away(model: Model, law: Law, futures: Futures, x: Floats) -> dict[tuple[str, int], float]:
    """Units turned away by (heading of the ban, slot)."""
    border = model.border
    assert border is not None
    arcs = np.flatnonzero(border.place >= 0)
    units = _units(model.arriving(arcs, np.arange(model.calendar.size)), x)
    found: dict[tuple[str, int], float] = {}
    for k, slot in zip(*np.nonzero(border.banned[border.place[arcs]] & (units > SHOWN)), strict=True):
        ban = ban_on(futures, model.calendar, law.articles[law.article[arcs[k]]], int(slot))
        key = ("" if ban is None else ban.heading, int(slot))
        found[key] = found.get(key, 0.0) + float(units[k, slot])
    return found


def _units(columns: Ints, x: Floats) -> Floats:
    found: Floats = np.where(columns >= 0, x[columns], 0.0)
    return found
