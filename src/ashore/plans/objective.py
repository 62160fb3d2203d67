"""What a plan can be asked for: least cost, most margin, the least dear worst branch, or the least regret."""

from __future__ import annotations

import time
from dataclasses import replace

from ashore.errors import Fault
from ashore.network import Network
from ashore.plans import benders
from ashore.plans.aim import Aim
from ashore.plans.calendar import Floats
from ashore.plans.futures import Futures, Node
from ashore.plans.model import Model
from ashore.plans.money import Charges, forgone, potential
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, Limits
from ashore.plans.tail import thrifty

MOST_COLUMNS = 150_000  # of a plan taken apart whose operations are gone over again in one piece
OBJECTIVES = ("cost", "margin", "worst", "regret")


def misfits(objective: str, risk: float) -> list[Fault]:
    """An objective that there is none of, or that the weight of the tail does not go with."""
    if objective not in OBJECTIVES:
        return [Fault("--objective", f"'{objective}' is no objective.", f"Write one of {', '.join(OBJECTIVES)}.")]
    if objective in ("worst", "regret") and risk:
        what = f"--objective {objective} looks at one branch alone and takes no weight of the tail."
        return [Fault("--risk", what, "Leave --risk out, or ask for cost or margin.")]
    return []


def unpriced(network: Network, futures: Futures) -> list[Fault]:
    """Demand without a price, of which the margin cannot be told."""
    wanted = {(row.market, row.product) for row in futures.demand if row.units > 0}
    faults = []
    for row in network.demand:
        if row.price_usd is None and (row.units > 0 or (row.market, row.product) in wanted):
            when = "" if row.month is None else f" in month {row.month}"
            what = f"{row.product} in {row.market}{when} has no price_usd, so its margin cannot be told."
            faults.append(Fault("demand.csv", what, "Give price_usd, 0 where it earns nothing, or minimise cost."))
    for market, product in sorted(wanted - {(row.market, row.product) for row in network.demand}):
        what = f"{product} in {market} is wanted by {futures.where} and has no price_usd in the network."
        faults.append(Fault("demand.csv", what, "Add a row with price_usd, and 0 units if nobody else wants it."))
    return faults


def aimed(model: Model, costs: Charges, objective: str, risk: float, tail: float) -> Aim:
    """The aim of an objective; the credit of "regret", the best plan of each branch alone, is still to be given.

    margin: revenue = what the demand could bring − what is forgone, so that the loss of a branch, cost − revenue, is
    its cost and the revenue forgone, less the credit of what the demand could bring.
    """
    if objective in ("worst", "regret"):
        return Aim(costs, model.calendar, 1.0, 1.0)
    aim = Aim(costs, model.calendar, risk, tail)
    if objective == "cost":
        return aim
    return replace(aim, costs=costs.plus(forgone(model)), credit=aim.along(potential(model)))


def answer(
    model: Model,
    arrays: Arrays,
    aim: Aim,
    limits: Limits,
    *,
    method: str = "auto",
    start: Floats | None = None,
    known: Answer | None = None,
    progress: benders.Progress | None = None,
) -> Answer:
    """The plan of least ``aim``, by :func:`ashore.plans.benders.answer`; its figures are above the aim by the lift."""
    lift, begun = aim.lift, time.perf_counter()

    def told(bound: float, found: float, seconds: float) -> None:
        if progress is not None:
            progress(bound - lift, found - lift, seconds)

    heard = told if progress is not None else None
    own = replace(limits, progress=heard)
    found = benders.answer(model, arrays, aim, own, method=method, start=start, known=known, progress=heard)
    if found.method == "benders" and aim.risk >= 1 and arrays.columns <= MOST_COLUMNS:
        spent = time.perf_counter() - begun
        left = None if limits.seconds is None else limits.seconds - spent
        found = replace(thrifty(aim, found, replace(limits, seconds=left)), method="benders")
    return found


def branch(futures: Futures, leaf: str) -> Futures:
    """The tree reduced to the path to one of its leaves, each node with chance 1."""
    nodes = tuple(Node(node.name, node.parent, node.start, 1.0, node.book, node.changes) for node in futures.path(leaf))
    names = {node.name for node in nodes}
    return replace(futures, nodes=nodes, demand=tuple(row for row in futures.demand if row.node in names))
