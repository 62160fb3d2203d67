"""What a person or a pipeline waits for: a line from a cold start, landed costs of a case, a file of lines."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date

import pytest
from benchmarks.make_lines import lines

from ashore import costs, network, rules

TODAY = date(2026, 11, 22)
LINE = ["duty", "--hts", "8543.70.98.60", "--from", "MY", "--on", str(TODAY), "--value", "2970"]


@pytest.mark.parametrize("words", [LINE, [*LINE, "--json"]], ids=["text", "json"])
def test_one_line_from_a_cold_start(benchmark, words) -> None:
    command = [sys.executable, "-c", "from ashore.cli import main; main()", *words]
    benchmark.pedantic(subprocess.run, (command,), {"capture_output": True, "check": True}, rounds=7, warmup_rounds=1)


def test_landed_costs_of_the_shipped_case(benchmark) -> None:
    net, book = network.load(network.cases.find("rigs-2026")), rules.load()
    landed = benchmark.pedantic(lambda: costs.land(net, book.hold(date(2027, 1, 1)), TODAY), rounds=5, warmup_rounds=1)
    assert landed.routes


@pytest.mark.parametrize("count", [1_000_000, 10_000_000])
@pytest.mark.parametrize("wide", [False, True], ids=["broker", "wide"])
def test_a_file_of_lines(benchmark, tmp_path, count, wide) -> None:
    """Lines per CPU-second of the whole process, start included, Parquet to Parquet, and its peak memory."""
    source = tmp_path / "lines.parquet"
    lines(count, 1, wide=wide).write_parquet(source)
    program = (
        "import resource, sys; from ashore.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
        "print(used.ru_utime + used.ru_stime, peak, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "duty", "--lines", source, "--out", tmp_path / "out.parquet", "--json"]
    figures = []

    def run() -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures.append(tuple(map(float, done.stderr.split())))
        time.sleep(0.1)

    benchmark.pedantic(run, rounds=3, warmup_rounds=0)
    seconds, peak = min(figures)
    benchmark.extra_info |= {"lines per CPU-second": round(count / seconds), "peak MB": round(peak / 1000)}
    print(f"\n{count:,} lines: {count / seconds / 1e6:.2f} million a CPU-second, peak {peak / 1e6:.2f} GB")
