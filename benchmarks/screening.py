"""How well and how fast names are told apart: ``ASHORE_KEYS=… python -m benchmarks.screening``.

Quality needs the folder of keys (``name_pairs.csv``, ``innocent_names.csv``, ``sdn_2021.csv``), not part of the
project. A pair counts as flagged if its score is at least a threshold; F1 is that of the pairs labelled as matches.
An innocent name counts as a false alarm if the screening of it against the list gives another outcome than
NO_LIST_MATCH. Thresholds are the shipped ones; beside them stands the best F1 over all thresholds, and the F1 of
two halves of which each had its threshold chosen on the other.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rapidfuzz import fuzz

from ashore.parties.files import Party
from ashore.parties.index import matches
from ashore.parties.lists import read_lists
from ashore.parties.matching import score
from ashore.parties.screening import NEAR_SCORE, NO_LIST_MATCH, POTENTIAL_MATCH, POTENTIAL_SCORE, REVIEW_SCORE, screen

BEGINNINGS = ("b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "sh", "kh", "tr")
SYLLABLES = [a + b for a in BEGINNINGS for b in ("a", "e", "i", "o", "u", "an", "en", "or", "ai")]
SUBSETS = {"all": None, "companies": False, "persons": True}


def f1(pairs: list[tuple[bool, float]], threshold: float) -> float:
    hit = sum(1 for same, value in pairs if same and value >= threshold)
    wrong = sum(1 for same, value in pairs if not same and value >= threshold)
    missed = sum(1 for same, value in pairs if same and value < threshold)
    return 2 * hit / (2 * hit + wrong + missed)


def best(pairs: list[tuple[bool, float]]) -> float:
    return max((n / 100 for n in range(30, 101)), key=lambda threshold: f1(pairs, threshold))


def crossed(pairs: list[tuple[bool, float]], times: int = 20) -> float:
    """Mean F1 of halves whose threshold was chosen on the other half."""
    rng = random.Random(1)
    found = []
    for _ in range(times):
        mixed = rng.sample(pairs, len(pairs))
        half = len(mixed) // 2
        for one, other in ((mixed[:half], mixed[half:]), (mixed[half:], mixed[:half])):
            found.append(f1(one, best(other)))
    return sum(found) / len(found)


def quality(keys: Path) -> None:
    with (keys / "name_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scorers = {
        "ashore": score,
        "token sort": lambda a, b: fuzz.token_sort_ratio(a.casefold(), b.casefold()) / 100,
        "WRatio": lambda a, b: fuzz.WRatio(a.casefold(), b.casefold()) / 100,
    }
    print(f"{len(rows)} pairs, F1: at {REVIEW_SCORE}, at {POTENTIAL_SCORE}, best (threshold), chosen on the other half")
    for name, scorer in scorers.items():
        for label, person in SUBSETS.items():
            pairs = [
                (row["is_match"] == "true", scorer(row["name1"], row["name2"]))
                for row in rows
                if person is None or (row["schema"] == "Person") == person
            ]
            top = best(pairs)
            shown = [f"{f1(pairs, threshold):.3f}" for threshold in (REVIEW_SCORE, POTENTIAL_SCORE, top)]
            print(f"{name:11} {label:10}", *shown, f"({top:.2f})", f"{crossed(pairs):.3f}")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(keys / "sdn_2021.csv", folder)
        lists = read_lists(Path(folder))
    with (keys / "innocent_names.csv").open(encoding="utf-8", newline="") as file:
        innocent = [Party(row["full_name"]) for row in csv.DictReader(file)]
    results = screen(innocent, lists, datetime.now(UTC).date()).results
    names = sum(len(entry.names) for entry in lists.entries)
    alarms = [result for result in results if result.outcome != NO_LIST_MATCH]
    strong = sum(result.outcome == POTENTIAL_MATCH for result in results)
    print(
        f"{len(innocent)} innocent names against {names:,} names of the SDN list: {len(alarms)} false alarms "
        f"({len(alarms) / len(innocent):.2%}), of them {strong} POTENTIAL_MATCH"
    )
    for alarm in alarms:
        hit = alarm.hits[0]
        print(f"  {hit.ours} / {hit.theirs.text}: {hit.match.score:.2f} {hit.outcome}")


def invented(rng: random.Random, many: int, words: list[str]) -> list[str]:
    """Names of two to five words, half of them out of the list's own words, so that many are near."""

    def word() -> str:
        return rng.choice(words) if rng.random() < 0.5 else "".join(rng.choices(SYLLABLES, k=rng.randint(2, 4)))

    return [" ".join(word() for _ in range(rng.choice((2, 2, 3, 3, 4, 5)))) for _ in range(many)]


def speed(keys: Path | None, parties: int, names: int) -> None:
    rng = random.Random(7)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(2, 3))) for _ in range(20_000)]
    listed: list[str] = []
    if keys is not None:
        with (keys / "sdn_2021.csv").open(encoding="utf-8", newline="") as file:
            listed = [row[1] for row in csv.reader(file) if len(row) == 12]
        words = [word.strip(",.") for name in listed for word in name.split()]
    listed += invented(rng, names - len(listed), words)
    asked = invented(rng, parties, words)
    start = time.process_time()
    hits = sum(bool(found) for found in matches(asked, listed, NEAR_SCORE))
    spent = time.process_time() - start
    print(f"{parties:,} parties against {names:,} names: {spent:.1f} CPU seconds, {hits:,} near a name")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parties", type=int, default=10_000)
    parser.add_argument("--names", type=int, default=60_000)
    given = parser.parse_args()
    keys = Path(os.environ["ASHORE_KEYS"]) if os.environ.get("ASHORE_KEYS") else None
    if keys is None:
        print("ASHORE_KEYS is not set: no figures on quality", file=sys.stderr)
    else:
        quality(keys)
    speed(keys, given.parties, given.names)


if __name__ == "__main__":
    main()
