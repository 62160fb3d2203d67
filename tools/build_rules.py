#!/usr/bin/env python3
"""Writes the rule book in src/ashore/data/rules from a folder of gathered facts.

    python tools/build_rules.py FACTS_FOLDER           write the files
    python tools/build_rules.py FACTS_FOLDER --check   say which files differ from what would be written

The folder holds programmes.csv, hts.csv and exclusions.csv. The files were converted once and are kept by hand since.
Much was added by hand that no row of facts holds: the days things were known, procedures, modes of transit, informal
entries. The check therefore only informs, and writing would undo that work.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from build_rules import frame, ieepa, later, reciprocal, s232, s301, schedule
from build_rules.emit import Provision
from build_rules.facts import Facts

RULES = Path(__file__).parent.parent / "src" / "ashore" / "data" / "rules"
BY_HAND = {"countries.csv"}
# Rows of facts that no provision can hold, or that bear on no line of the schedule; docs/explanation/rule-book.md
# gives the reasons.
LEFT_OUT = (
    "DM-BASE",
    "DM-CN-0",
    "DM-CN-1",
    "DM-CN-2",
    "DM-ALL",
    "DM-S122",
    "DM-NOW",
    "MPF-PRE",
    "MPF-INF",
    "S301-4Y-25",
    "S301-EXCESS",
    "S338-CA",
)


def provisions(facts: Facts) -> Iterable[Provision]:
    for room in (schedule, s301, ieepa, reciprocal, s232, later):
        yield from room.provisions(facts)


def files(facts: Facts) -> dict[str, str]:
    """Every file of the book, by its path inside the folder."""
    found = dict(frame.files(facts)) | dict(schedule.files(facts))
    for provision in provisions(facts):
        for path, text in provision.files():
            if found.setdefault(path, text) != text:
                raise SystemExit(f"{path} is written twice, differently")
    unused = sorted(set(facts.programmes) - facts.used - set(LEFT_OUT))
    if unused:
        raise SystemExit(f"rows of facts that no provision uses: {', '.join(unused)}")
    return found


def compare(found: dict[str, str]) -> int:
    """Print which files differ; 1 if any does."""
    there = {
        path.relative_to(RULES).as_posix() for path in RULES.rglob("*") if path.suffix in (".toml", ".csv")
    } - BY_HAND
    differing = [
        *(f"not there: {path}" for path in sorted(set(found) - there)),
        *(f"kept by hand only: {path}" for path in sorted(there - set(found))),
        *(
            f"differs: {path}"
            for path in sorted(there & set(found))
            if (RULES / path).read_text(encoding="utf-8") != found[path]
        ),
    ]
    print("\n".join(differing) if differing else f"all {len(found)} files are as the facts give them")
    return 1 if differing else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("facts", type=Path, help="folder with programmes.csv, hts.csv and exclusions.csv")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    found = files(Facts(options.facts))
    if options.check:
        return compare(found)
    for path, text in found.items():
        target = RULES / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    print(f"{len(found)} files written to {RULES}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
