"""The plan as a mixed-integer linear model: one function per block of columns or constraint.

Notation of the docstrings: s a slot (month in a node), s−k the slot k months before it on its path, m a decision
moment, d(s, k) the last moment at the date of s−k; g a pool of goods, r a run, a an arc with lag L(a), p a plant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ashore.network import Network
from ashore.plans import limits, quotas
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.law import Law
from ashore.plans.limits import Followed, Limited
from ashore.plans.quotas import Border
from ashore.plans.reach import Reach, independent
from ashore.plans.sheet import INFINITE, Sheet
from ashore.plans.sites import Sites, constrain, decide

STRONG_LINKS = 2_000_000  # most entries spent on linking shipments to openings


@dataclass(frozen=True)
class Model:
    """Columns and rows of a plan before its costs. Arrays of column numbers hold -1 where there is no column.

    make (runs, slots); move (arcs, departure slots); stock (pools, slots); blend (blends, slots);
    lost (wants, slots); sites: decisions on plants, ``candidates`` and those ``standing`` at the start.
    wants: the (market, product) of each row of ``units`` (wants, slots) and of ``prices``.
    balance (pools, slots), capacity (plants of reach, slots), limit (supplies, slots): row numbers. links: rows that
    cut off no plan worth having, there to help the solver.
    border: what of the goods that arrive is entered, None where all of it is. arc_group: independent part of each arc.
    limited: the limits that the network sets on where goods come from; followed: what they tell apart in markets.
    """

    network: Network
    calendar: Calendar
    reach: Reach
    wants: tuple[tuple[str, str], ...]
    units: Floats
    price_usd: Floats
    lost_usd: Floats
    candidates: tuple[str, ...]
    standing: tuple[str, ...]
    sheet: Sheet
    make: Ints
    move: Ints
    stock: Ints
    blend: Ints
    lost: Ints
    sites: Sites
    balance: Ints
    capacity: Ints
    limit: Ints
    links: Ints
    arc_group: Ints
    border: Border | None = None
    followed: Followed | None = None
    limited: tuple[Limited, ...] = ()

    @property
    def operations(self) -> tuple[Ints, ...]:
        """Every block of columns that has slots as its last axis."""
        border = () if self.border is None else (self.border.entered, self.border.over)
        lots = () if self.followed is None else (self.followed.taken, self.followed.kept)
        return (self.make, self.move, self.stock, self.blend, self.lost, *border, *lots)

    def arriving(self, arcs: Ints, slots: Ints) -> Ints:
        """Columns of what arrives on arcs in slots, shape (arcs, slots); -1 where nothing can."""
        found = np.full((len(arcs), len(slots)), -1, dtype=np.int64)
        lags = np.array([self.reach.arcs[k].lag for k in arcs], dtype=np.int64)
        for lag in np.unique(lags):
            leave = self.calendar.ancestor(int(lag))[slots]
            mine, known = np.flatnonzero(lags == lag), np.flatnonzero(leave >= 0)
            found[np.ix_(mine, known)] = self.move[np.ix_(arcs[mine], leave[known])]
        return found

    def entering(self, arcs: Ints, slots: Ints) -> Ints:
        """Columns of what arrives on arcs in slots and is not turned away at a border; -1 where nothing can."""
        arriving = self.arriving(arcs, slots)
        return arriving if self.border is None else self.border.let_in(arriving, arcs, slots)

    @property
    def decisions(self) -> tuple[Ints, ...]:
        """Every block of columns that has moments as its last axis."""
        return self.sites.blocks

    @property
    def opened(self) -> Ints:
        """(candidates, moments): 1 from the moment a plant is ordered on."""
        return self.sites.opened

    @property
    def base(self) -> Ints:
        """One column a standing plant, fixed at 1."""
        return self.sites.base

    def arrivals(self, lag: int) -> tuple[Ints, Ints, Ints]:
        """Arcs of this lag, and the departure and arrival slots of each consignment on them."""
        arcs = np.array([k for k, arc in enumerate(self.reach.arcs) if arc.lag == lag], dtype=np.int64)
        return (arcs, *self.calendar.pairs(lag))

    @property
    def lags(self) -> list[int]:
        return sorted({arc.lag for arc in self.reach.arcs})


def build(
    network: Network,
    calendar: Calendar,
    reach: Reach,
    units: Mapping[tuple[str, str], Floats],
    prices: Mapping[tuple[str, str], tuple[Floats, Floats]],
    law: Law | None = None,
    most: Mapping[tuple[str, str], float] | None = None,
) -> Model:
    """All columns and constraints. ``prices``: price and lost_usd by month of each (market, product), NaN: none.

    Of ``law`` only its bans and quotas count here. most: the largest demand of a branch for each (market, product),
    where ``calendar`` is only a part of a tree.
    """
    builder = _Builder(network, calendar, reach, units, prices, law)
    builder.most = most
    for step in (
        builder.balances,
        builder.capacities,
        builder.readiness,
        builder.supply_limits,
        builder.strategy,
        builder.ramps_of_flexible,
    ):
        step()
    quotas.constrain(builder.model)
    model = replace(builder.model, followed=limits.follow(builder.model, builder.pool_group))
    model = replace(model, limited=limits.constrain(model, builder.pool_group))
    before = builder.sheet.rows
    builder.strong_links()
    return replace(model, links=np.arange(before, builder.sheet.rows))


class _Builder:
    def __init__(
        self,
        network: Network,
        calendar: Calendar,
        reach: Reach,
        units: Mapping[tuple[str, str], Floats],
        prices: Mapping[tuple[str, str], tuple[Floats, Floats]],
        law: Law | None,
    ) -> None:
        wants = tuple(key for key, amount in units.items() if np.any(amount > 0))
        place = {(pool.place, pool.product): k for k, pool in enumerate(reach.pools) if pool.origin is None}
        used = set(reach.plants)
        candidates = tuple(name for name in reach.plants if not network.plants[name].open)
        standing = tuple(name for name, plant in network.plants.items() if plant.open)
        self.net, self.cal, self.reach, self.wants = network, calendar, reach, wants
        self.most: Mapping[tuple[str, str], float] | None = None
        self.want_pool = np.array([place[key] for key in wants], dtype=np.int64)
        self.units = _stack([units[key] for key in wants], calendar.size)
        price = _stack([prices[key][0][calendar.month] for key in wants], calendar.size)
        lost = _stack([prices[key][1][calendar.month] for key in wants], calendar.size)
        self.number = {name: k for k, name in enumerate(reach.plants)}
        shared = limits.shared_pools(network, reach) + ([] if law is None else quotas.shared_pools(reach, law))
        self.pool_group, plant_group = independent(reach, (*candidates, *standing), shared)
        self.sheet = Sheet()
        assert used.issuperset(candidates)
        self.model = Model(
            network=network,
            calendar=calendar,
            reach=reach,
            wants=wants,
            units=self.units,
            price_usd=price,
            lost_usd=lost,
            candidates=candidates,
            standing=standing,
            sheet=self.sheet,
            make=self._windowed([run[4:6] for run in reach.runs], [run.pool for run in reach.runs]),
            move=self._windowed([arc[13:15] for arc in reach.arcs], [arc.pool for arc in reach.arcs]),
            stock=self._windowed(
                [(pool.earliest if pool.keeps else calendar.months, calendar.months) for pool in reach.pools],
                list(range(len(reach.pools))),
            ),
            blend=self._windowed(
                [(reach.pools[b.source].earliest, calendar.months) for b in reach.blends],
                [b.pool for b in reach.blends],
            ),
            lost=self._lost_columns(lost),
            sites=decide(
                self.sheet,
                calendar,
                [network.plants[name] for name in candidates],
                [network.plants[name] for name in standing],
                plant_group,
            ),
            balance=self._balance_rows(),
            capacity=self._plant_rows(),
            limit=self._limit_rows(),
            arc_group=self.pool_group[np.array([arc.pool for arc in reach.arcs], dtype=np.int64)],
            links=np.zeros(0, dtype=np.int64),
        )
        if law is not None:
            self.model = replace(self.model, border=quotas.stand(self.model, law))

    # -- columns and rows -------------------------------------------------------------------------------------------
    def _windowed(self, spans: list[tuple[int, int]], pools: list[int]) -> Ints:
        """Columns ≥ 0 in the slots whose month lies in each span (both ends included)."""
        first = _column([span[0] for span in spans])
        last = _column([span[1] for span in spans])
        mask = (self.cal.month >= first) & (self.cal.month <= last)
        return self.sheet.add_columns(mask, group=self.pool_group[np.array(pools, dtype=np.int64)][:, None])

    def _lost_columns(self, lost_usd: Floats) -> Ints:
        """Columns where demand may be lost, and at 0 where it must be served and a share of it is limited."""
        may = ~np.isnan(lost_usd)
        shared = limits.shared_wants(self.net, self.wants)
        mask = (self.units > 0) & (may | shared[:, None])
        return self.sheet.add_columns(
            mask, np.where(may, self.units, 0.0), group=self.pool_group[self.want_pool][:, None]
        )

    def _balance_rows(self) -> Ints:
        """A row for each pool and slot from its first month on, and wherever something is wanted."""
        first = _column([pool.earliest for pool in self.reach.pools])
        mask = self.cal.month >= first
        wanted = np.zeros(mask.shape)
        np.add.at(wanted, self.want_pool, self.units)
        mask |= wanted > 0
        return self.sheet.add_rows(mask, wanted, wanted, group=self.pool_group[:, None])

    def _plant_rows(self) -> Ints:
        plants = [self.net.plants[name] for name in self.reach.plants]
        always = [plant.open and not (plant.rests or plant.closes) for plant in plants]
        room = _column([plant.capacity_month if here else 0.0 for plant, here in zip(plants, always, strict=True)])
        first = _column(
            [min(run.earliest for run in self.reach.runs if run.make.plant == plant.name) for plant in plants]
        )
        groups = {run.make.plant: self.pool_group[run.pool] for run in self.reach.runs}
        mask = self.cal.month >= first
        return self.sheet.add_rows(mask, -INFINITE, room, group=_column([groups[plant.name] for plant in plants]))

    def _limit_rows(self) -> Ints:
        limits = [supply.limit_month for supply in self.reach.supplies]
        group = np.full(len(limits), -1, dtype=np.int64)
        for arc in self.reach.arcs:
            if arc.supply >= 0:
                group[arc.supply] = self.pool_group[arc.pool]
        mask = np.array([limit is not None for limit in limits], dtype=bool)
        room = _column([np.inf if limit is None else limit for limit in limits])
        return self.sheet.add_rows(
            np.broadcast_to(mask[:, None], (len(limits), self.cal.size)), -INFINITE, room, group[:, None]
        )

    # -- constraints ------------------------------------------------------------------------------------------------
    def balances(self) -> None:
        """Goods are kept: for each pool g and slot s

        stock[g,s−1] + Σ_{a into g} enters[a,s] + Σ_{r makes g} make[r,s] + blended in + lost[g,s]
        − Σ_{a out of g} move[a,s] − Σ_{r uses g} quantity/yield·make[r,s] − blended out − stock[g,s] = wanted[g,s],

        enters[a,s] being move[a, s−L(a)] but for what is turned away at a border (:mod:`ashore.plans.quotas`).
        """
        m, put, row = self.model, self.sheet.put, self.model.balance
        put(row, m.stock, -1.0)
        later = np.flatnonzero(self.cal.parent >= 0)
        put(row[:, later], m.stock[:, self.cal.parent[later]], 1.0)
        for lag in m.lags:
            arcs, leave, arrive = m.arrivals(lag)
            into = np.array([self.reach.arcs[k].pool for k in arcs], dtype=np.int64)
            columns = m.move[arcs][:, leave] if m.border is None else m.entering(arcs, arrive)
            put(row[into][:, arrive], columns, 1.0)
        sources = np.array([arc.source for arc in self.reach.arcs], dtype=np.int64)
        shipped = np.flatnonzero(sources >= 0)
        put(row[sources[shipped]], m.move[shipped], -1.0)
        put(row[[run.pool for run in self.reach.runs]] if self.reach.runs else row[:0], m.make, 1.0)
        uses = [(k, pool, quantity) for k, run in enumerate(self.reach.runs) for pool, quantity in run.inputs]
        if uses:
            runs, pools, quantities = (np.array(part) for part in zip(*uses, strict=True))
            put(row[pools], m.make[runs], -quantities[:, None])
        if self.reach.blends:
            put(row[[b.source for b in self.reach.blends]], m.blend, -1.0)
            put(row[[b.pool for b in self.reach.blends]], m.blend, 1.0)
        put(row[self.want_pool], m.lost, 1.0)

    def capacities(self) -> None:
        """A plant makes what it has room for: for each plant p and slot s, with use = capacity_use / yield,

        Σ_r use[r]·make[r,s] ≤ capacity[p] · on[p, d(s, 0)] + module[p] · running[p, d(s, 0)],

        where, for a candidate with lead time l and R > 0 months of ramp, the first term is
        capacity[p]/(R+1) · Σ_{j=0..R} opened[p, d(s, l+j)].
        """
        m, sites = self.model, self.model.sites
        plant = np.array([self.number[run.make.plant] for run in self.reach.runs], dtype=np.int64)
        use = _column([run.make.good_capacity_use for run in self.reach.runs])
        self.sheet.put(m.capacity[plant], m.make, use)
        flexible = sites.flexible
        for k, site in enumerate(sites.plants):
            if site.name not in self.number:
                continue
            row = m.capacity[self.number[site.name]]
            if k < sites.candidates and site.ramp_months:
                share = site.capacity_month / (site.ramp_months + 1)
                for step in range(site.ramp_months + 1):
                    self.sheet.put(row, self._opened_by(k, site.lead_months + step), -share)
            elif k < sites.candidates or flexible[k]:
                self.sheet.put(row, sites.on[k, self.cal.moment], -site.capacity_month)
            self.sheet.put(row, sites.running[k, self.cal.moment], -(site.module_month or 0.0))

    def ramps_of_flexible(self) -> None:
        """A candidate with a ramp makes nothing while it is laid up or closed: with the rows of its capacity

        Σ_r use[r]·make[r,s] ≤ capacity[p] · on[p, d(s, 0)] + module[p] · running[p, d(s, 0)].
        """
        m, sites = self.model, self.model.sites
        for k in np.flatnonzero(sites.flexible[: sites.candidates]):
            site = sites.plants[k]
            if not site.ramp_months:
                continue
            capacity = m.capacity[self.number[site.name]]
            rows = self.sheet.add_rows(capacity >= 0, -INFINITE, 0.0, sites.group[k])
            for run, columns in zip(self.reach.runs, m.make, strict=True):
                if run.make.plant == site.name:
                    self.sheet.put(rows, columns, run.make.good_capacity_use)
            self.sheet.put(rows, sites.on[k, self.cal.moment], -site.capacity_month)
            self.sheet.put(rows, sites.running[k, self.cal.moment], -(site.module_month or 0.0))

    def readiness(self) -> None:
        """What takes no capacity is made only where a plant runs all the same: for such a run r of a plant p that may
        stand still or is a candidate

        make[r,s] ≤ D · on[p, d(s, 0)],

        D the most of its product that demand from s on can use, on any branch. Making more can always be left out.
        """
        sites = self.model.sites
        may_not = sites.flexible | (np.arange(len(sites.plants)) < sites.candidates)
        number = {plant.name: k for k, plant in enumerate(sites.plants) if may_not[k]}
        runs = [k for k, run in enumerate(self.reach.runs) if not run.make.capacity_use and run.make.plant in number]
        if not runs:
            return
        of_use = self._of_use()
        group = self.pool_group[[self.reach.runs[k].pool for k in runs]][:, None]
        rows = self.sheet.add_rows(self.model.make[runs] >= 0, -INFINITE, 0.0, group)
        self.sheet.put(rows, self.model.make[runs], 1.0)
        for row, k in zip(rows, runs, strict=True):
            make = self.reach.runs[k].make
            self.sheet.put(row, sites.on[number[make.plant], self.cal.moment], -of_use[make.product])

    def _of_use(self) -> dict[str, Floats]:
        """Of each product, the most units that demand from each slot on can use, on any branch below it."""
        found = {product: np.zeros(self.cal.size) for product in self.net.order}
        for (_, product), ahead in zip(self.model.wants, self.cal.over_leaves(self.units.T).T, strict=True):
            found[product] += ahead
        for product in reversed(self.net.order):
            for part in self.net.parts[product]:
                good = min((make.yield_share for make in self.net.makes_of(product)), default=1.0)
                found[part.part] += part.quantity / good * found[product]
        return found

    def supply_limits(self) -> None:
        """What is bought of a supply in a slot, over all lanes and places, is at most its monthly limit."""
        supply = np.array([arc.supply for arc in self.reach.arcs], dtype=np.int64)
        bought = np.flatnonzero(supply >= 0)
        self.sheet.put(self.model.limit[supply[bought]], self.model.move[bought], 1.0)

    def strategy(self) -> None:
        """Decisions on sites hold together: see :mod:`ashore.plans.sites`."""
        constrain(self.sheet, self.model.sites)

    def strong_links(self) -> None:
        """Nothing useful is shipped from a plant that never opens: for each candidate p, market k, product and branch

        Σ_{a from p to k, s on the branch} enters[a,s] ≤ D · opened[p, last moment of use],

        D the largest demand from the first shipment on, over the branches below it. Bringing in more can always be left
        out at no cost. Only where D is below what the plant can make on the way, and while it stays cheap.
        """
        m = self.model
        number = {key: k for k, key in enumerate(m.wants)}
        place = {name: k for k, name in enumerate(m.candidates)}
        ties: dict[tuple[int, int], list[int]] = {}
        for k, arc in enumerate(self.reach.arcs):
            if arc.source >= 0 and arc.start in place and (arc.to, arc.product) in number:
                ties.setdefault((place[arc.start], number[arc.to, arc.product]), []).append(k)
        budget = STRONG_LINKS // max(1, len(self.reach.arcs))
        if not ties or len(self.cal.leaves) * self.cal.months > budget:
            return
        keys = list(ties)
        cand, want = (np.array(part) for part in zip(*keys, strict=True))
        arc_row = np.full(len(self.reach.arcs), -1, dtype=np.int64)
        for k, key in enumerate(keys):
            arc_row[ties[key]] = k
        arcs = np.flatnonzero(arc_row >= 0)
        sites = [self.net.plants[name] for name in m.candidates]
        full = [site.capacity_month + site.most_modules_month for site in sites]
        room = np.array([most * max(1, self.cal.months - s.lead_months) for most, s in zip(full, sites, strict=True)])
        group = self.pool_group[self.want_pool][want]
        opened = np.stack([self._opened_by(k, site.lead_months) for k, site in enumerate(sites)])
        leaves, months = self.cal.leaves, self.cal.months
        paths = np.stack([self.cal.ancestor(months - 1 - month)[leaves] for month in range(months)])
        bound = self._largest_demand()[want][:, paths[0]]
        rows = self.sheet.add_rows(bound < room[cand][:, None], -INFINITE, 0.0, group[:, None])
        for slots in paths:
            self.sheet.put(rows[arc_row[arcs]], m.move[arcs][:, slots], 1.0)
        self.sheet.put(rows, opened[cand][:, leaves], -bound)

    def _largest_demand(self) -> Floats:
        """For each want and slot, the largest demand from there on over the branches below."""
        if self.most is None:
            found: Floats = self.cal.over_leaves(self.units.T).T
            return found
        most = np.array([self.most[key] for key in self.model.wants])
        return np.broadcast_to(most[:, None], self.units.shape)

    def _opened_by(self, candidate: int, lag: int) -> Ints:
        """Column opened[candidate, d(s, lag)] of each slot s; -1 where that lies before the start."""
        before = self.cal.ancestor(lag)
        found = np.full(self.cal.size, -1, dtype=np.int64)
        known = np.flatnonzero(before >= 0)
        found[known] = self.model.opened[candidate, self.cal.moment[before[known]]]
        return found


def _column(values: list[float] | list[int] | list[np.int64]) -> np.ndarray:
    return np.array(values).reshape(-1, 1)


def _stack(rows: list[Floats], width: int) -> Floats:
    return np.array(rows, dtype=float).reshape(len(rows), width)
