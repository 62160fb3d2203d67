#!/usr/bin/env python3
"""Takes each dated value out of the rule book in turn and says how many of these books the golden checks find out.

    python tools/mutate_rules.py [--jobs N] [--only TEXT]

A dated value is a version of a provision or fee, a row of a list, of the schedule or of the programmes, a doubt, or one
of the dates ``until``, ``known``, ``until_known`` and ``withdrawn`` (in lists also ``from``; a date that is no later
than the first day of what it stands in says nothing and is left alone). A book without it is found out if it is refused
when loaded or if a check of tests/golden_checks.py fails. Ends with 1 below 95 per cent.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from tests.golden_checks import CHECKS, WHOLE, Row, golden, owed, verdict  # noqa: E402

from ashore.errors import FaultyInput  # noqa: E402
from ashore.rules import RuleBook  # noqa: E402
from ashore.rules.load import SHIPPED, _load  # noqa: E402

FLOOR = 0.95
CLOCK = ("until", "known", "until_known", "withdrawn")
SPANS = ("from", "until", "valid_from", "valid_until")
TABLES = ("[[version]]\n", "[[doubt]]\n")
DATE = r"\d{4}-\d\d-\d\d"


@dataclass(frozen=True)
class Mutant:
    """A file with one dated value taken out, and what is known of the value, to try the likely checks first."""

    path: str
    what: str
    text: str
    provision: str = ""
    heading: str = ""
    hts: str = ""
    origins: frozenset[str] = frozenset()
    dates: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


# The books with one value less


def mutants() -> Iterator[Mutant]:
    for path in sorted(SHIPPED.rglob("*.toml")):
        text = path.read_text(encoding="utf-8")
        for table in TABLES:
            yield from _tables(path, text, table)
    for path in sorted(SHIPPED.glob("*/*.csv")):
        yield from _rows(path)


def _tables(path: Path, text: str, table: str) -> Iterator[Mutant]:
    head, *blocks = text.split(table)
    for place, block in enumerate(blocks):
        known = {
            "provision": path.stem,
            "heading": _value("heading", block) or _value("heading", head),
            "hts": (re.findall(r'"(\d{4}\.\d\d[.\d]*)"', block) or [""])[0],
            "origins": frozenset(re.findall(r'"([A-Z]{2})"', block)),
            "dates": tuple(re.findall(rf"^\w+ = ({DATE})$", block, re.MULTILINE)),
        }
        name = f"{table.strip()[2:-2]} {place + 1}, from {_value('from', block)}"
        left = [*blocks[:place], *blocks[place + 1 :]]
        yield Mutant(_name(path), name, table.join([head, *left]), **known)
        for field in CLOCK:
            shorter = re.sub(rf"^{field} = .*\n", "", block, count=1, flags=re.MULTILINE)
            if shorter != block:
                left = [*blocks[:place], shorter, *blocks[place + 1 :]]
                yield Mutant(_name(path), f"{name}: {field}", table.join([head, *left]), **known)


def _value(key: str, text: str) -> str:
    found = re.search(rf'^{key} = "?([^"\n]*)"?$', text, re.MULTILINE)
    return found.group(1) if found else ""


def _rows(path: Path) -> Iterator[Mutant]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        columns = reader.fieldnames or []
    versions = "rate" in columns
    begun = _begun(path)
    for place, row in enumerate(rows):
        known = {
            "provision": path.stem.removesuffix("-countries"),
            "heading": row.get("heading", ""),
            "hts": row.get("hts", ""),
            "origins": frozenset(row.get("origins", "").split()),
            "dates": tuple(row[key] for key in (*CLOCK, *SPANS) if row.get(key)),
        }
        name = f"row {place + 2} ({row.get('hts') or row.get('heading') or row.get('code')})"
        yield Mutant(_name(path), name, _written(columns, [*rows[:place], *rows[place + 1 :]]), **known)
        for field in CLOCK if versions else SPANS:
            if row.get(field, "") > begun:
                less = [*rows[:place], row | {field: ""}, *rows[place + 1 :]]
                yield Mutant(_name(path), f"{name}: {field}", _written(columns, less), **known)


def _begun(path: Path) -> str:
    """The first day of the provisions that use a list, or of the coverage."""
    users = [other.read_text(encoding="utf-8") for other in path.parent.glob("*.toml")]
    days = [day for text in users if f'= "{path.name}"' in text for day in _starts(text)]
    covered = _starts((SHIPPED / "coverage.toml").read_text(encoding="utf-8"))[0]
    return max(covered, min(days, default=covered))


def _starts(text: str) -> list[str]:
    return re.findall(rf"^from = ({DATE})", text, re.MULTILINE)


def _written(columns: Any, rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _name(path: Path) -> str:
    return path.relative_to(SHIPPED).as_posix()


# The checks, the likely ones first


@dataclass(frozen=True)
class Try:
    """One golden row and what it touches in the whole book."""

    name: str
    row: Row
    hts: str
    provisions: frozenset[str]
    headings: frozenset[str]
    dates: frozenset[str]

    def nearness(self, mutant: Mutant) -> int:
        row = self.row
        score = 6 * (mutant.heading in self.headings) + 4 * (mutant.provision in self.provisions)
        if mutant.hts:
            score += 8 * (self.hts[:10] == mutant.hts[:10]) + 4 * (self.hts == mutant.hts)
        score += 4 * (row.get("origin") in mutant.origins) + 3 * bool(self.dates & set(mutant.dates))
        return score + 3 * (self.name == "fees" and mutant.path.startswith("fees")) + (self.name == "known")


def tries(book: RuleBook) -> list[Try]:
    found = []
    for name in CHECKS:
        for row in golden(name):
            headings, provisions = {row.get("heading", "")}, set()
            if row.get("on"):
                seen = verdict(book, row)
                headings |= {heading for heading, _, _ in owed(seen)}
                rules = [share.rule for share in (*seen.shares, *seen.low, *seen.high)]
                rules += [defeat.rule for defeat in seen.defeats]
                provisions |= {rule.provision for rule in rules}
                headings |= {rule.heading for rule in rules}
            dates = frozenset(row[key] for key in ("on", "known", "first", "last") if row.get(key))
            found.append(Try(name, row, row.get("hts", ""), frozenset(provisions), frozenset(headings - {""}), dates))
    return found


_folder: Path
_tries: list[Try]


def start(folder: str) -> None:
    """A worker's own copy of the book, and the golden rows with what they touch."""
    global _folder, _tries  # noqa: PLW0603
    _folder = Path(tempfile.mkdtemp(dir=folder)) / "rules"
    shutil.copytree(SHIPPED, _folder)
    _tries = tries(_load.__wrapped__(SHIPPED))


def killer(mutant: Mutant) -> str:
    """What finds a book out; blank if nothing does."""
    path = _folder / mutant.path
    whole = path.read_text(encoding="utf-8")
    path.write_text(mutant.text, encoding="utf-8")
    try:
        return _killer(mutant)
    finally:
        path.write_text(whole, encoding="utf-8")


def _killer(mutant: Mutant) -> str:
    try:
        book = _load.__wrapped__(_folder)
    except FaultyInput:
        return "refused"
    for one in sorted(_tries, key=lambda one: -one.nearness(mutant)):
        try:
            wrong = CHECKS[one.name](book, one.row)
        except (AssertionError, LookupError, ValueError) as error:
            wrong = repr(error)
        if wrong:
            return one.name
    return next((check.__name__ for check in WHOLE if check(book)), "")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="only values whose file and name contain this text")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    wanted = [mutant for mutant in mutants() if options.only in str(mutant)]
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(options.jobs, initializer=start, initargs=(folder,)) as pool,
    ):
        killers = list(pool.map(killer, wanted, chunksize=8))
    survivors = [mutant for mutant, by in zip(wanted, killers, strict=True) if not by]
    for mutant in survivors:
        print(f"survives: {mutant}")
    killed = len(wanted) - len(survivors)
    share = killed / len(wanted) if wanted else 0.0
    by = ", ".join(f"{name} {killers.count(name)}" for name in sorted({k for k in killers if k}))
    print(f"found out by: {by}")
    print(f"{killed} of {len(wanted)} found out, {share:.1%}, in {time.monotonic() - begun:.0f} s ({date.today()})")
    return 0 if share >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
