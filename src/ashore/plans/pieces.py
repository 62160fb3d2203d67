"""Plans over very large trees: each branch is built, and later told, by itself, so that memory holds one at a time.

A piece is the plan's tree with one branch only: the nodes that all branches share, and those of the branch. The models
of all pieces have the same trunk; taken apart and joined (:mod:`ashore.plans.blocks`) they are the model of the whole.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from ashore.errors import Infeasible
from ashore.plans import infeasible
from ashore.plans import plan as planning
from ashore.plans.aim import Aim
from ashore.plans.blocks import join, take_apart, tops
from ashore.plans.calendar import Floats
from ashore.plans.plan import TABLES, Plan
from ashore.plans.posed import Ground, Posed, stand
from ashore.plans.search import Progress, Search
from ashore.plans.solver import Answer, Limits, NoPlan

MOST_ROWS = 2_000_000  # of the ledger; a longer one is not kept


def solve(site: Ground, limits: Limits, progress: Progress | None = None, seconds: float = 0.0) -> Plan:
    """The plan of least expected cost, by cuts; ``seconds`` were spent before. See :func:`ashore.plans.plan.solve`.

    Raises SolverTrouble if no plan is found in time, NoPlan if there is none.
    """
    begun = clock.perf_counter()
    pieces = Pieces(site, limits)
    columns = rows = 0

    def parts() -> Iterator[Any]:
        nonlocal columns, rows
        for posed in pieces:
            piece = take_apart(posed.model, posed.arrays, posed.aim.costs, by_branch=False)
            columns, rows = columns + len(piece.cost), rows + len(piece.row_lower)
            yield piece

    blocks = join(parts(), pieces.trunk)
    columns, rows = columns + len(blocks.trunk.cost), rows + blocks.trunk.rows
    built = clock.perf_counter() - begun
    aim = replace(pieces.first.aim, calendar=site.calendar)
    search = Search(blocks, aim, limits, progress)
    try:
        found, status = search.find()
    except NoPlan:
        raise pieces.why_none() from None
    answer = Answer(pieces.first.arrays, found.x, status, found.usd, min(search.bound, found.usd), 0.0, (), "benders")
    point = search.now(found)
    search.recourse.deadline = None
    told: list[Plan] = []
    block = 0
    for posed in pieces:
        piece = take_apart(posed.model, posed.arrays, posed.aim.costs, by_branch=False)
        x = np.zeros(posed.arrays.columns)
        x[piece.master] = point[: len(piece.master)]
        for own in range(piece.count):
            place, _ = piece.of(own)
            x[piece.column[place]] = search.recourse.solution(block, point, found.whole[block])
            block += 1
        x = np.where(np.abs(x) < 1e-9, 0.0, x)
        with np.errstate(invalid="ignore"):  # a piece of chance 0 has no tail
            whole = planning.finish(posed, replace(answer, arrays=posed.arrays, x=x))
        told.append(_told(whole, pieces, not told))
    spent = {"build": round(seconds + built, 4), "solve": round(clock.perf_counter() - begun - built, 4)}
    return _joined(told, aim, site, answer, spent, (columns, rows))


class Pieces:
    """The pieces of a plan, one at a time; ``trunk``: True for the nodes that all of them share."""

    def __init__(self, site: Ground, limits: Limits) -> None:
        self.site, self.limits = site, limits
        cal = site.calendar
        self.top = tops(cal, by_branch=False)
        self.trunk = self.top < 0
        self.branches = np.unique(self.top[self.top >= 0])
        ahead = {key: cal.over_leaves(units[:, None])[:, 0] for key, units in site.units.items()}
        self.most = {key: float(values[cal.month == 0].max()) for key, values in ahead.items()}
        self.first = self._piece(int(self.branches[0]))

    def __iter__(self) -> Iterator[Posed]:
        for branch in self.branches.tolist():
            yield self.first if branch == self.branches[0] else self._piece(branch)

    def _piece(self, branch: int) -> Posed:
        part = self.site.only(self.trunk | (self.top == branch))
        return stand(part, self.limits, most=self.most)

    def why_none(self) -> Infeasible:
        """Which demand cannot be met in the first branch that has no plan even by itself."""
        for posed in self:
            error = infeasible.explain(posed.model, posed.arrays)
            if any(fault.where == "demand.csv" for fault in error.faults):
                return error
        return error

    def mine(self, plan: Plan, first: bool) -> pl.Series:
        """The names of the nodes that a piece tells of: those of its branch, and of the first piece all."""
        cal = self.site.calendar
        assert plan.posed is not None
        held = np.isin(np.arange(len(cal.nodes)), plan.posed.calendar.node)
        return pl.Series(
            [name for name, here, own in zip(cal.nodes, held, ~self.trunk, strict=True) if here and (own or first)]
        )


def _told(plan: Plan, pieces: Pieces, first: bool) -> Plan:
    """A piece's plan with the rows of its own nodes alone, and without what it was made of."""
    own = pieces.mine(plan, first)
    tables = {name: getattr(plan, name) for name in (*TABLES, "ledger")}
    kept = {
        name: table.filter(pl.col("node").is_in(own.implode())) if "node" in table.columns else table
        for name, table in tables.items()
    }
    kept["duty"] = planning.duty_table(kept["ledger"])
    return replace(plan, posed=None, answer=None, **kept)


def _joined(
    told: list[Plan], aim: Aim, site: Ground, answer: Answer, seconds: dict[str, float], size: tuple[int, int]
) -> Plan:
    """The plans of the pieces as one."""
    cal = site.calendar
    tables: dict[str, Any] = {name: pl.concat([getattr(plan, name) for plan in told]) for name in TABLES}
    parents = [None if parent < 0 else cal.nodes[parent] for parent in cal.node_parent]
    order = pl.DataFrame({"node": pl.Series(cal.nodes, dtype=pl.String), "parent": pl.Series(parents, dtype=pl.String)})
    nodes = order.join(tables["node_costs"].drop("parent"), on="node", how="left", maintain_order="left")
    spent = nodes["cost_usd"].fill_null(0.0).to_numpy()
    along: Floats = spent.copy()
    for node, parent in enumerate(cal.node_parent):
        if parent >= 0:
            along[node] += along[parent]
    chance = cal.node_chance
    tables["node_costs"] = nodes.with_columns(
        chance=chance, cost_usd=spent, expected_usd=spent * chance, path_usd=along
    ).select(told[0].node_costs.columns)
    tables["duty"] = (
        tables["duty"].group_by("heading", "authority").agg(pl.col("usd").sum(), pl.col("paid_usd").sum())
        .sort("usd", "heading", descending=[True, False])
    )  # fmt: skip
    length = sum(plan.ledger.height for plan in told)
    ledger, notes = told[0].ledger.clear(), list(dict.fromkeys(note for plan in told for note in plan.notes))
    if length <= MOST_ROWS:
        ledger = pl.concat([plan.ledger for plan in told])
    else:
        notes.append(f"The ledger of {length:,} rows is not kept.")
    cost = float(spent @ chance)
    ends = cal.node[cal.leaves]
    revenue = float((tables["branches"]["chance"] * tables["branches"]["revenue_usd"]).sum())
    return replace(
        told[0],
        objective_usd=cost,
        bound_usd=min(answer.bound, cost),
        gap=(cost - min(answer.bound, cost)) / abs(cost) if cost else 0.0,
        cost_usd=cost,
        tail_usd=replace(aim, risk=1.0).measure(along[ends]),
        revenue_usd=revenue,
        margin_usd=revenue - cost,
        seconds=seconds,
        columns=size[0],
        rows=size[1],
        duty_usd=float(tables["duty"]["usd"].sum()),
        ledger=ledger,
        notes=tuple(notes),
        **tables,
    )
