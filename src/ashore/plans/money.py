"""What each column of the model costs, where on the tree and when; and the objective made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ashore.plans import quotas
from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.law import Law
from ashore.plans.model import Model


@dataclass(frozen=True)
class Charges:
    """USD (undiscounted) per unit of a column, in a node and month; one row each, several rows a column."""

    column: Ints
    node: Ints
    month: Ints
    usd: Floats

    def expected(self, calendar: Calendar, columns: int) -> Floats:
        """Expected discounted USD per unit of each column: Σ chance(node) · factor(month) · usd."""
        weight = calendar.node_chance[self.node] * calendar.factor_month[self.month]
        total: Floats = np.bincount(self.column, weights=weight * self.usd, minlength=columns).astype(float)
        return total

    def plus(self, other: Charges) -> Charges:
        """Both charges together."""
        both = ((getattr(self, name), getattr(other, name)) for name in ("column", "node", "month", "usd"))
        return Charges(*(np.concatenate(parts) for parts in both))

    def by_node(self, calendar: Calendar, x: Floats) -> Floats:
        """Discounted USD spent in each node by a solution, given that the node comes to pass."""
        spent = calendar.factor_month[self.month] * self.usd * x[self.column]
        total: Floats = np.bincount(self.node, weights=spent, minlength=len(calendar.nodes)).astype(float)
        return total


def charges(model: Model, law: Law) -> Charges:
    """Every charge of the plan under ``law``."""
    gather = _Gather(model, law)
    for step in (
        gather.making,
        gather.leaving,
        gather.entering,
        gather.beyond_quotas,
        gather.holding,
        gather.losing,
        gather.opening,
        gather.standing_still,
        gather.standing,
    ):
        step()
    return gather.result()


class _Gather:
    def __init__(self, model: Model, law: Law) -> None:
        self.model, self.law, self.cal = model, law, model.calendar
        self.parts: list[tuple[Ints, Ints, Ints, Floats]] = []

    def _at_slots(self, columns: Ints, slots: Any, usd: Any) -> None:
        slots = np.asarray(slots)
        self._add(columns, self.cal.node[slots], self.cal.month[slots], usd)

    def _add(self, columns: Ints, node: Any, month: Any, usd: Any) -> None:
        column, at, when, amount = np.broadcast_arrays(columns, node, month, np.asarray(usd, dtype=float))
        keep = (column >= 0) & (amount != 0)
        self.parts.append((column[keep], at[keep], when[keep], amount[keep]))

    def result(self) -> Charges:
        return Charges(*(np.concatenate(part) for part in zip(*self.parts, strict=True)))

    def making(self) -> None:
        """cost_usd / yield for each good unit made, in the month it is made."""
        cost = np.array([run.make.good_cost_usd for run in self.model.reach.runs], dtype=float)
        self._at_slots(self.model.make, np.arange(self.cal.size), cost[:, None])

    def leaving(self) -> None:
        """Price, freight and insurance (share of the value carried) in the month of departure."""
        share = self.model.network.settings.insurance_share
        cost = np.array(
            [arc.price_usd + arc.freight_usd + share * arc.insured_usd for arc in self.model.reach.arcs], dtype=float
        )
        self._at_slots(self.model.move, np.arange(self.cal.size), cost[:, None])

    def entering(self) -> None:
        """Duty within quotas (share of customs value) and fees, in the month and by the law of the slot of arrival."""
        m, law = self.model, self.law
        value = np.array([arc.value_usd for arc in m.reach.arcs], dtype=float)
        for lag in m.lags:
            arcs, leave, arrive = m.arrivals(lag)
            arcs = arcs[law.article[arcs] >= 0]
            if not len(arcs):
                continue
            usd = value[arcs, None] * law.rate[law.article[arcs]][:, arrive] + law.fee_usd[law.fee[arcs]][:, arrive]
            columns = m.move[arcs][:, leave] if m.border is None else m.entering(arcs, arrive)
            self._at_slots(columns, arrive, usd)

    def beyond_quotas(self) -> None:
        """The duty that goods owe more beyond a quota."""
        m = self.model
        if m.border is not None:
            self._at_slots(m.border.over, np.arange(self.cal.size), quotas.over_usd(m, self.law))

    def holding(self) -> None:
        """hold_usd_month for each unit in stock at the end of a month."""
        hold = self.model.network.settings.hold_usd_month
        self._at_slots(self.model.stock, np.arange(self.cal.size), hold)

    def losing(self) -> None:
        """lost_usd for each unit wanted and not delivered."""
        self._at_slots(self.model.lost, np.arange(self.cal.size), np.nan_to_num(self.model.lost_usd))

    def opening(self) -> None:
        """open_usd where a plant is ordered, module_usd where a module is: for opened[p,m] − opened[p,m′] and
        ordered[p,m] − ordered[p,m′], m′ the moment before m.
        """
        sites = self.model.sites
        self._at_moments(sites.opened, sites.of("open_usd")[: sites.candidates])
        self._at_moments(sites.earlier(sites.opened), -sites.of("open_usd")[: sites.candidates])
        self._at_moments(sites.ordered, sites.of("module_usd"))
        self._at_moments(sites.earlier(sites.ordered), -sites.of("module_usd"))

    def standing_still(self) -> None:
        """mothball_usd and restart_usd at these steps; close_usd for closed[p,m] − closed[p,m′], closed being
        ready − held and m′ the moment before m.
        """
        sites = self.model.sites
        self._at_moments(sites.laid, sites.of("mothball_usd"))
        self._at_moments(sites.woken, sites.of("restart_usd"))
        for state, sign in ((sites.ready, 1.0), (sites.held, -1.0)):
            self._at_moments(state, sign * sites.of("close_usd"))
            self._at_moments(sites.before(state), -sign * sites.of("close_usd"))

    def standing(self) -> None:
        """Each month fixed_usd_month of a plant that is on, idle_usd_month of one laid up (held − on), and
        module_fixed_usd_month of every module that runs.
        """
        sites, moment, slots = self.model.sites, self.cal.moment, np.arange(self.cal.size)
        self._at_slots(sites.on[:, moment], slots, sites.of("fixed_usd_month"))
        self._at_slots(sites.held[:, moment], slots, sites.of("idle_usd_month"))
        self._at_slots(sites.on[:, moment], slots, -sites.of("idle_usd_month"))
        self._at_slots(sites.running[:, moment], slots, sites.of("module_fixed_usd_month"))

    def _at_moments(self, columns: Ints, usd: Floats) -> None:
        self._add(columns, self.cal.moment_node, self.cal.moment_month, usd)


def forgone(model: Model) -> Charges:
    """price_usd for each unit wanted and not delivered: revenue the demand could have brought."""
    item, slot = np.nonzero(model.lost >= 0)
    usd = np.nan_to_num(model.price_usd)[item, slot]
    return Charges(model.lost[item, slot], model.calendar.node[slot], model.calendar.month[slot], usd)


def potential(model: Model) -> Floats:
    """Discounted USD that all of the demand in each node would bring at its price, if the node comes to pass."""
    cal = model.calendar
    worth = (np.nan_to_num(model.price_usd) * model.units).sum(axis=0) * cal.factor
    total: Floats = np.bincount(cal.node, weights=worth, minlength=len(cal.nodes)).astype(float)
    return total
