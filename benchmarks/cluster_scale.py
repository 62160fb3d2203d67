"""What a cluster costs: the blocks of a large tree priced here and by the processes of `--cluster local`.

    python benchmarks/cluster_scale.py BRANCHES [--workers 2] [--rounds 5]

The tree is that of plan_scale.py. Prints a JSON line a round: CPU-seconds here, in this process with the workers, and
in the workers; wall seconds; and by how much the cost of the blocks differs between both.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import Any

import numpy as np
import psutil

import plan_scale
from ashore import plans
from ashore.plans import afar
from ashore.plans.blocks import take_apart
from ashore.plans.recourse import Recourse


def own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def workers_cpu() -> float:
    return sum(sum(each.cpu_times()[:2]) for each in psutil.Process().children(recursive=True))


def round_of(recourse: Recourse, x: Any) -> dict[str, float]:
    before, theirs, begun = own_cpu(), workers_cpu(), time.perf_counter()
    recourse.solve(x, np.arange(recourse.blocks.count))
    return {
        "own_cpu": round(own_cpu() - before, 2),
        "workers_cpu": round(workers_cpu() - theirs, 2),
        "wall": round(time.perf_counter() - begun, 2),
        "usd": float(recourse.estimate(x).sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("branches", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    law, net = plan_scale.law(), plan_scale.case(rng)
    tree = plan_scale.futures(rng, law, net, given.branches, 6)
    posed = plans.pose(net, law, plan_scale.START, plan_scale.MONTHS, tree)
    blocks = take_apart(posed.model, posed.arrays, posed.aim.costs, by_branch=False)
    full = np.where(blocks.trunk.integer, 1.0, 0.0)
    points = [np.where(blocks.trunk.integer, rng.uniform(0.7, 1.0, len(full)), full) for _ in range(given.rounds)]
    here = Recourse(blocks, None)
    with plans.workers(f"local:{given.workers}"):
        there = afar.recourse(blocks, None)
        for x in points:
            mine, theirs = round_of(here, x), round_of(there, x)
            differs = abs(theirs.pop("usd") / mine.pop("usd") - 1.0)
            del mine["workers_cpu"]
            print(json.dumps({"blocks": blocks.count, "here": mine, "with workers": theirs, "differs": differs}))


if __name__ == "__main__":
    main()
