"""Scans 1,000 simulated rigs on loopback addresses, some of them silent, slow or saying garbage; prints what it took.

PYTHONPATH=src:. python benchmarks/fleet_scan.py [RIGS] [RATE]
"""

from __future__ import annotations

import sys
import time

from tests.simulated_fleet import Simulated, fleet

from ashore.fleet import devices


def main(count: int = 1000, rate: float = 400.0) -> None:
    rigs = fleet(count)
    with Simulated(rigs) as simulated:
        started, spent = time.perf_counter(), time.process_time()
        found = devices.scan(list(rigs), b"benchmark", rate=rate, port=simulated.port)
        took, cpu = time.perf_counter() - started, time.process_time() - spent
    right = sum(
        (one.maker, one.model, one.firmware, one.version) == (rig.maker, rig.model, rig.firmware, rig.version)
        for one in found.devices
        if (rig := rigs[one.address]).kind == "rig"
    )
    named = sum(rig.kind == "rig" for rig in rigs.values())
    print(f"{count} rigs, {found.requests} requests at no more than {rate:g} a second")
    print(f"{took:.1f} s, {cpu:.1f} CPU-s with the simulated rigs in the same process")
    print(f"{right} of {named} right in maker, model, firmware and version")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3]))
