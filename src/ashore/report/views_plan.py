"""What explains a plan, worked out as plain rows: decisions on the tree, flows and duty month by month, costs apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from ashore.network import Network
    from ashore.plans import Futures, Plan

BRANCHES = 4  # shown month by month; of more the cheapest, the dearest and the likeliest
STAGES = ("made", "shipped", "delivered")


def explained(plan: Plan, name: str, held: Plan, network: Network) -> dict[str, Any]:
    """The rows of the figures that explain a plan; ``held``: the plan under the law held, to compare it with.

    nodes: the tree with what is decided in each. branches: those shown. flows: units of the products in demand by
    branch, stage and origin, one figure a month. bridges: what each cost line adds from one total to another.
    duty: USD owed by branch and heading, one figure a month, not discounted.
    """
    assert plan.posed is not None
    futures = plan.posed.futures
    branches = _shown(plan)
    paths = {row["node"]: [node.name for node in futures.path(row["node"])] for row in branches}
    ends = plan.branches.filter(pl.col("chance") > 0).height
    return of_tree(plan, name, futures) | {
        "branches": branches,
        "left_out": max(0, ends - len(branches)),
        "flows": _flows(plan, network, paths),
        "bridges": _bridges(plan, name, held, branches, paths),
        "duty": _duty(plan, paths),
    }


def of_tree(plan: Plan, name: str, futures: Futures) -> dict[str, Any]:
    """The tree of a plan with what is decided in each node."""
    return {"plan": name, "start": plan.start.isoformat(), "months": plan.months, "nodes": _nodes(plan, futures)}


def _shown(plan: Plan) -> list[dict[str, Any]]:
    """The branches to show, cheapest first."""
    rows = plan.branches.filter(pl.col("chance") > 0).sort("cost_usd", maintain_order=True)
    if rows.height > BRANCHES:
        likely = rows.sort("chance", descending=True, maintain_order=True)["node"].to_list()
        names = dict.fromkeys([rows["node"][0], rows["node"][-1], *likely])
        rows = rows.filter(pl.col("node").is_in(list(names)[:BRANCHES]))
    return rows.select("node", "chance", "cost_usd").to_dicts()


def _nodes(plan: Plan, futures: Futures) -> list[dict[str, Any]]:
    """The nodes of the tree, parents first: dates, chances, cost up to its end, and the decisions in it."""
    starts = {node.name: node for node in futures.nodes}
    decided: dict[str, list[dict[str, Any]]] = {}
    for row in plan.steps.to_dicts():
        kept = {key: row[key] for key in ("plant", "step", "modules", "month", "ready")}
        decided.setdefault(row["node"], []).append(kept)
    parents = set(plan.node_costs["parent"].drop_nulls())
    return [
        {
            "node": row["node"],
            "parent": row["parent"],
            "from": max(starts[row["node"]].start, plan.start).isoformat(),
            "chance": row["chance"],
            "given": starts[row["node"]].chance,
            "path_usd": row["path_usd"],
            "leaf": row["node"] not in parents,
            "decisions": decided.get(row["node"], []),
        }
        for row in plan.node_costs.to_dicts()
    ]


def _flows(plan: Plan, network: Network, paths: dict[str, list[str]]) -> list[dict[str, Any]]:
    final = pl.col("product").is_in(list(network.demanded))
    moved = plan.flows.filter(final & pl.col("to").is_in(list(network.markets)))
    tables = {
        "made": plan.make.filter(final).select("node", "month", "origin", "units"),
        "shipped": moved.select("node", "month", "origin", "units"),
        "delivered": moved.select("node", "origin", "units", month="arrives"),
    }
    found = []
    for branch, nodes in paths.items():
        for stage in STAGES:
            own = tables[stage].filter(pl.col("node").is_in(nodes))
            found += [
                {"branch": branch, "stage": stage, "origin": origin, "units": units}
                for (origin,), units in _by_month(own, ("origin",), "units", plan.months)
            ]
    return found


def _by_month(
    rows: pl.DataFrame, keys: Sequence[str], value: str, months: int
) -> Iterable[tuple[tuple[Any, ...], list[float]]]:
    """For each key, the largest total first, the sum of a value in each month."""
    total = rows.filter(pl.col("month") < months).group_by(*keys, "month", maintain_order=True).agg(pl.col(value).sum())
    found: dict[tuple[Any, ...], list[float]] = {}
    for row in total.rows():
        key, month, amount = row[:-2], row[-2], row[-1]
        found.setdefault(key, [0.0] * months)[month] += amount
    return sorted(((key, [round(x, 4) for x in by]) for key, by in found.items()), key=lambda pair: -sum(pair[1]))


def _duty(plan: Plan, paths: dict[str, list[str]]) -> list[dict[str, Any]]:
    rows = plan.ledger.filter(pl.col("item") == "duty").with_columns(usd=pl.col("cents") / 100)
    return [
        {"branch": branch, "heading": heading, "authority": authority, "usd": [round(x, 2) for x in usd]}
        for branch, nodes in paths.items()
        for (heading, authority), usd in _by_month(
            rows.filter(pl.col("node").is_in(nodes)), ("heading", "authority"), "usd", plan.months
        )
    ]


def _bridges(
    plan: Plan, name: str, held: Plan, branches: list[dict[str, Any]], paths: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """From the law held to the futures, and from the cheapest branch to each other one shown, line by line."""
    found = []
    if held is not plan and held.start == plan.start and held.months == plan.months:
        found.append(_bridge("law held", f"{name}, expected", _lines(held), _lines(plan)))
    cheapest, *others = (row["node"] for row in branches)
    lines = _lines(plan, paths[cheapest])
    return found + [_bridge(cheapest, node, lines, _lines(plan, paths[node])) for node in others]


def _lines(plan: Plan, nodes: list[str] | None = None) -> dict[str, float]:
    """Discounted USD by cost line, duty by authority: expected, or on the path of ``nodes``."""
    rows, usd = plan.ledger, pl.col("cents") / 100 * pl.col("factor")
    if nodes is None:
        usd = usd * pl.col("chance")
    else:
        rows = rows.filter(pl.col("node").is_in(nodes))
    line = pl.when(pl.col("item") == "duty").then(pl.lit("duty, ") + pl.col("authority")).otherwise(pl.col("item"))
    return dict(rows.group_by(line.alias("line"), maintain_order=True).agg(usd.sum().alias("usd")).rows())


def _bridge(start: str, end: str, one: dict[str, float], other: dict[str, float]) -> dict[str, Any]:
    lines = [(line, other.get(line, 0.0) - one.get(line, 0.0)) for line in dict.fromkeys([*one, *other])]
    lines = sorted(((line, usd) for line, usd in lines if abs(usd) >= 0.5), key=lambda pair: -abs(pair[1]))
    return {
        "from": start,
        "to": end,
        "from_usd": sum(one.values()),
        "to_usd": sum(other.values()),
        "lines": [{"line": line, "usd": round(usd, 2)} for line, usd in lines],
    }
