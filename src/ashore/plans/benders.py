"""Large trees: the L-shaped method (Benders) on openings and common months, branches priced one by one.

The plan is taken apart into a master and blocks (:mod:`ashore.plans.blocks`). Each round prices the blocks at one point
of the master and gives it cuts. Without a tail there is one for each group of branches, Σ p·V; with one there is a
single cut Σ weight·V, whose weights are those of the risk measure there: (1 − w)·p + w·q with q ≤ p / (1 − α), the
dearest mixture of branches, so that the cut is one of (1 − w)·mean + w·CVaR_α. A mixture that is not the dearest gives
a cut all the same, which lets a round price only the branches that are likely to count.

First all openings may be fractions, and the point asked about lies between the master's and the best one known
(in-out), from a start at which all branches are alike. Then those of the master are whole; then those within the
branches, by branching in each block alone. Where that costs a block more than its fractions promised, the openings it
branched on become columns of the master (they are promoted), until the gap is closed. The master's value is at every
moment a lower bound, and every point with whole openings, priced in all blocks, an upper one.
"""

from __future__ import annotations

from ashore.plans.aim import Aim
from ashore.plans.blocks import CannotSplit, take_apart
from ashore.plans.calendar import Floats
from ashore.plans.model import Model
from ashore.plans.search import Progress, Search
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, Limits
from ashore.plans.tail import best

__all__ = ["METHODS", "Progress", "answer"]

METHODS = ("auto", "extensive", "benders")
FEWEST_BRANCHES = 8, 40  # fewer, of a mean and of a tail, or
FEWEST_COLUMNS = 150_000  # a smaller model, is solved in one piece, and so is one with
MOST_OPENINGS = 20_000  # more whole-numbered columns for the master


def answer(
    model: Model,
    arrays: Arrays,
    aim: Aim,
    limits: Limits,
    *,
    method: str = "auto",
    start: Floats | None = None,
    known: Answer | None = None,
    progress: Progress | None = None,
) -> Answer:
    """The plan of least ``aim``, by the method asked for or, "auto", the one that suits the size of the tree."""
    large = (
        len(model.calendar.leaves) >= FEWEST_BRANCHES[aim.risk > 0]
        and arrays.columns >= FEWEST_COLUMNS
        and int(arrays.integer.sum()) <= MOST_OPENINGS
    )
    if method == "benders" or (method == "auto" and large):
        try:
            blocks = take_apart(model, arrays, aim.costs, aim.risk > 0)
        except CannotSplit:
            pass
        else:
            return Search(blocks, aim, limits, progress).result(arrays)
    return best(arrays, aim, limits, start, known if known is not None and known.method == "extensive" else None)
