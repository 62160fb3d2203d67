"""The border: what of the goods that arrive may be entered, and what beyond a quota owes more.

Notation as in :mod:`ashore.plans.model`; arrives[a,s] = move[a, s−L(a)]. Goods that arrive under a ban, or beyond a
quota beyond which nothing may enter, are turned away: they have been paid for and carried, owe nothing and are lost.
The plan chooses which goods use a quota.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ashore.plans.calendar import Floats, Ints
from ashore.plans.law import Law
from ashore.plans.reach import Reach
from ashore.plans.sheet import INFINITE, Mask

if TYPE_CHECKING:
    from ashore.plans.model import Model


@dataclass(frozen=True)
class Border:
    """Columns and rows of entries that a ban or a quota may bear on.

    place: of each arc, its row in ``banned`` and ``entered`` (-1: neither bears on it). banned: arrivals turned away,
    shape (such arcs, slots). entered: columns of what enters where not everything may, same shape, -1 elsewhere.
    A *count* is a quota and an arc whose goods it counts: count_quota, count_arc; counted: in which slots, shape
    (counts, slots); over: columns of what enters beyond the quota, same shape, -1 where nothing may.
    quota: rows, shape (quotas, slots), -1 where nothing is counted; names and units of the quotas.
    """

    place: Ints
    banned: Mask
    entered: Ints
    count_quota: Ints
    count_arc: Ints
    counted: Mask
    over: Ints
    quota: Ints
    names: tuple[str, ...]
    units: Floats

    def let_in(self, arriving: Ints, arcs: Ints, slots: Ints) -> Ints:
        """Columns of what is entered, given those of what arrives on ``arcs`` in ``slots``; -1 where it is nothing."""
        rows = self.place[arcs]
        held = np.flatnonzero(rows >= 0)
        found = arriving.copy()
        here = np.ix_(rows[held], slots)
        entered = self.entered[here]
        found[held] = np.where(self.banned[here], -1, np.where(entered >= 0, entered, arriving[held]))
        return found


def shared_pools(reach: Reach, law: Law) -> list[Ints]:
    """For each quota, the pools that the goods it counts arrive in: they are planned together."""
    pools = np.array([arc.pool for arc in reach.arcs], dtype=np.int64)
    return [pools[(law.article >= 0) & counts[law.article]] for counts in law.counts] if len(law.articles) else []


def stand(model: Model, law: Law) -> Border | None:
    """The columns and rows of the border of a plan, None if no ban or quota bears on it."""
    if not law.banned.any() and not law.extra.any():
        return None
    size = model.calendar.size
    entry = np.flatnonzero(law.article >= 0)
    group = model.arc_group
    arrives = model.arriving(entry, np.arange(size)) >= 0
    limited = np.isfinite(law.quota_units)[:, None, :] & (law.extra[:, law.article[entry]] != 0) & arrives
    banned = law.banned[law.article[entry]] & arrives
    if not limited.any() and not banned.any():
        return None
    absolute = np.any(limited & np.isinf(law.extra[:, law.article[entry]]), axis=0)
    held = np.flatnonzero((absolute | banned).any(axis=1))
    place = np.full(len(law.article), -1, dtype=np.int64)
    place[entry[held]] = np.arange(len(held))
    quota, which = np.nonzero(limited.any(axis=2))
    counted = limited[quota, which]
    arc = entry[which]
    beyond = counted & np.isfinite(law.extra[quota, law.article[arc]])
    first = np.full(len(law.quotas), -1, dtype=np.int64)
    first[quota] = group[arc]
    return Border(
        place=place,
        banned=banned[held],
        entered=model.sheet.add_columns(absolute[held], group=group[entry[held]][:, None]),
        count_quota=quota,
        count_arc=arc,
        counted=counted,
        over=model.sheet.add_columns(beyond, group=group[arc][:, None]),
        quota=model.sheet.add_rows(limited.any(axis=1), -INFINITE, law.quota_units, first[:, None]),
        names=law.quotas,
        units=law.quota_units,
    )


def constrain(model: Model) -> None:
    """The rows of the border."""
    if model.border is not None:
        _entries(model, model.border)
        _quotas(model, model.border)
        _excess(model, model.border)


def _entries(model: Model, border: Border) -> None:
    """What enters has arrived: entered[a,s] ≤ arrives[a,s], where not everything that arrives may enter."""
    arcs = np.flatnonzero(border.place >= 0)
    entered = border.entered[border.place[arcs]]
    arriving = model.arriving(arcs, np.arange(model.calendar.size))
    rows = model.sheet.add_rows(entered >= 0, -INFINITE, 0.0, model.arc_group[arcs][:, None])
    model.sheet.put(rows, entered, 1.0)
    model.sheet.put(rows, arriving, -1.0)


def _quotas(model: Model, border: Border) -> None:
    """What a quota counts enters within it, or beyond it at the higher duty: for each quota q and slot s

    Σ_{a counted by q} (enters[a,s] − over[q,a,s]) ≤ units[q,s], enters[a,s] being entered[a,s], else arrives[a,s].
    """
    rows = np.where(border.counted, border.quota[border.count_quota], -1)
    model.sheet.put(rows, model.entering(border.count_arc, np.arange(model.calendar.size)), 1.0)
    model.sheet.put(rows, border.over, -1.0)


def _excess(model: Model, border: Border) -> None:
    """What is beyond a quota is of what enters: over[q,a,s] ≤ enters[a,s]."""
    entering = model.entering(border.count_arc, np.arange(model.calendar.size))
    rows = model.sheet.add_rows(border.over >= 0, -INFINITE, 0.0, model.arc_group[border.count_arc][:, None])
    model.sheet.put(rows, border.over, 1.0)
    model.sheet.put(rows, entering, -1.0)


def over_usd(model: Model, law: Law) -> Floats:
    """USD more for a unit beyond its quota, shape (counts, slots); 0 where nothing may enter beyond it."""
    assert model.border is not None
    share = _of_counts(model.border, law)
    value = np.array([arc.value_usd for arc in model.reach.arcs], dtype=float)[model.border.count_arc]
    found: Floats = np.where(np.isinf(share), 0.0, share) * value[:, None]
    return found


def _of_counts(border: Border, law: Law) -> Floats:
    found: Floats = law.extra[border.count_quota, law.article[border.count_arc]]
    return found
