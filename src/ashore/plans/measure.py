"""What a point of a plan taken apart costs: the mean or the tail over branches, from the trunk and from the blocks."""

from __future__ import annotations

import numpy as np

from ashore.plans.aim import Aim
from ashore.plans.blocks import Blocks, total
from ashore.plans.calendar import Calendar, Floats, Ints


class Measure:
    """The aim of a plan as a function of the master's columns and of what each block costs.

    share: what each block weighs in the mean, by default its chance. common: what the columns of the trunk cost
    whatever the branches weigh: for a mean their expected cost, for a tail that of the nodes all branches share.
    ways: for a tail, the branch of each block.
    """

    def __init__(self, blocks: Blocks, aim: Aim, share: Floats | None = None) -> None:
        self.blocks, self.aim = blocks, aim
        self.cal: Calendar = aim.calendar
        self.chance = aim.chance
        self.share = self.shares(self.chance) if share is None else share
        self.column, self.node, self.usd = blocks.trunk_usd
        self.ways: Ints = np.zeros(0, dtype=np.int64)
        if aim.risk <= 0:
            self.common = self.weighted(self.chance)
            return
        everywhere = np.ones(len(self.chance))
        shared = self._of_nodes(everywhere) == len(everywhere)
        self.common = total(self.column, self.usd * shared[self.node], len(blocks.trunk.cost))
        leaf_of = np.full(len(self.cal.nodes), -1, dtype=np.int64)
        leaf_of[aim.ends] = np.arange(len(aim.ends))
        self.ways = leaf_of[self._last_nodes()]

    def shares(self, weight: Floats) -> Floats:
        """What each block weighs when the branches weigh ``weight``."""
        return self._of_nodes(weight)[self.blocks.node]

    def weighted(self, weight: Floats) -> Floats:
        """Cost of each of the trunk's columns when the branches weigh ``weight``."""
        return total(self.column, self.usd * self._of_nodes(weight)[self.node], len(self.blocks.trunk.cost))

    def losses(self, x: Floats, value: Floats) -> Floats:
        """Cost less credit of each branch with the master at ``x`` and blocks that cost ``value``, for a tail."""
        spent = total(self.node, self.usd * x[self.column], len(self.cal.nodes))
        before = self.aim.along(spent) - self.aim.credits
        return before + total(self.ways, value, len(before))

    def offset(self, weight: Floats) -> float:
        """What every point costs with branches of this weight: the aim's lift less the credits, at least 0."""
        return self.aim.lift - float(weight @ self.aim.credits)

    def cost(self, x: Floats, value: Floats) -> tuple[float, Floats]:
        """What the point costs, the aim's lift included, and the weights of the branches there."""
        if self.aim.risk <= 0:
            return float(self.common @ x[: len(self.common)] + self.share @ value), self.chance
        loss = self.losses(x, value)
        weight = self.aim.weights(loss)
        return float(weight @ loss) + self.aim.lift, weight

    def _of_nodes(self, weight: Floats) -> Floats:
        """The weight of each node: the sum of those of the branches through it."""
        share = np.zeros(len(self.cal.nodes))
        share[self.aim.ends] = weight
        return self.aim.upwards(share)

    def _last_nodes(self) -> list[int]:
        """For each block of one branch, the node in which it ends."""
        below = {int(parent): node for node, parent in enumerate(self.cal.node_parent)}
        found = []
        for node in self.blocks.node.tolist():
            while node in below:
                node = below[node]
            found.append(node)
        return found
