"""Reads a rule book from a folder: one provision a TOML file, long lists in CSV beside it.

Every fault of every file is found before anything is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from ashore.errors import Fault, raise_if
from ashore.rules.change import wired
from ashore.rules.documents import Coverage, DoubtTable, FeeFile, Provision, Requires, Version
from ashore.rules.folder import Folder
from ashore.rules.model import END_OF_TIME, Doubt, Fee, Requirement, Rule, RuleBook
from ashore.rules.scenario import ppm_of
from ashore.rules.schedule import read_lines, read_programmes

SHIPPED = Path(__file__).parent.parent / "data" / "rules"
_TESTS = ("is", "one_of", "at_least", "below", "before", "equals", "heading")


def load(folder: Path | str | None = None) -> RuleBook:
    """The rule book of a folder, or the shipped one. Raises FaultyInput with every fault found."""
    return _load((SHIPPED if folder is None else Path(folder)).resolve())


@lru_cache(maxsize=4)
def _load(path: Path) -> RuleBook:
    faults: list[Fault] = []
    if not (path / "coverage.toml").is_file():
        faults.append(Fault(str(path), "no coverage.toml there.", "Name a rule-book folder, or leave it out."))
        raise_if(faults)
    book = _Reader(Folder(path, faults)).book()
    raise_if(faults)
    assert book is not None
    return book


class _Reader:
    """Reads the provisions of one folder and checks them against each other."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def book(self) -> RuleBook | None:
        coverage = self.folder.document(Coverage, self.folder.path / "coverage.toml")
        lines = read_lines(self.folder)
        programmes = read_programmes(self.folder)
        fees = [fee for path in sorted((self.folder.path / "fees").glob("*.toml")) for fee in self._fees(path)]
        rules: list[Rule] = []
        for path in sorted(self.folder.path.glob("*/*.toml")):
            if path.parent.name != "fees":
                rules.extend(self._rules(path))
        self._check_references(rules)
        rules = list(wired(rules))
        doubts = () if coverage is None else tuple(self._doubts(coverage))
        if coverage is None or self.folder.faults:
            return None
        book = RuleBook(
            country=coverage.country,
            start=coverage.from_,
            until=coverage.until,
            observed_until=coverage.observed_until,
            rules=tuple(rule for rule in rules if rule.withdrawn is None),
            withdrawn=tuple(rule for rule in rules if rule.withdrawn is not None),
            lines=lines,
            programmes=tuple(programmes),
            fees=tuple(fees),
            claims=self.folder.claims,
            countries=self.folder.countries,
            groups=self.folder.groups,
            doubts=doubts,
            note=coverage.note,
            folder=str(self.folder.path),
        )
        self._check_order(book)
        return book

    def _rules(self, path: Path) -> list[Rule]:
        document = self.folder.document(Provision, path)
        if document is None:
            return []
        if document.provision != path.stem:
            self.folder.fault(
                path,
                f"provision {document.provision!r} stands in a file of another name",
                "Rename one of them.",
            )
        versions = self.folder.tables(Version, document.version, path)
        needs = self.folder.tables(Requires, document.requires, path)
        if document.versions:
            versions.extend(self._versions(path.parent / document.versions))
        if not versions:
            self.folder.fault(path, "no dated version", "Add a [[version]] with from, rate and source.")
        products = self.folder.scope(document.products, path)
        barred = self.folder.scope(document.products_except, path) if document.products_except else None
        origins = self.folder.origins(document.origins, path)
        origins_except = self.folder.origins(document.origins_except, path) or frozenset()
        rules = []
        for version in versions:
            heading = version.heading or document.heading
            if not heading:
                self.folder.fault(
                    path,
                    f"the version from {version.from_} has no heading",
                    "Give the heading it is filed under.",
                )
            rate = self._rate(version, document, path)
            own = self.folder.origins(version.origins, path) if version.origins else origins
            rules.append(
                Rule(
                    provision=document.provision,
                    title=document.title,
                    authority=document.authority,
                    heading=heading,
                    kind=document.kind,
                    rate_ppm=rate,
                    start=version.from_,
                    until=version.until or END_OF_TIME,
                    group=document.group,
                    order=document.order,
                    origins=own,
                    origins_except=origins_except,
                    products=products,
                    products_except=barred,
                    portion=self.folder.claim_key(document.portion, path),
                    requires=tuple(self._requirement(need, heading, path) for need in needs),
                    yields_to=tuple(document.yields_to),
                    exempts=tuple(document.exempts),
                    column=document.column or None,
                    known=version.known,
                    until_known=version.until_known,
                    withdrawn=version.withdrawn,
                    why=document.why,
                    source=version.source,
                    basis=version.basis,
                    confidence=version.confidence,
                    note=version.note or document.note,
                )
            )
            if rules[-1].until <= rules[-1].start:
                self.folder.fault(
                    path, f"the version from {version.from_} ends before it starts", "Set until after from."
                )
        self._check_overlap(rules, path)
        return rules

    def _versions(self, path: Path) -> list[Version]:
        columns = (
            *("heading", "origins", "rate", "from", "until", "known", "until_known", "withdrawn"),
            *("source", "basis", "confidence", "note"),
        )
        found = []
        for number, row in enumerate(self.folder.rows(path, columns), start=2):
            cells: dict[str, Any] = {key: value for key, value in row.items() if value}
            version = self.folder.table(Version, cells, path, number)
            if version is not None:
                found.append(version)
        return found

    def _rate(self, version: Version, document: Provision, path: Path) -> int | None:
        if document.kind == "free" or document.column:
            return None
        ppm = None if version.rate is None else ppm_of(version.rate)
        if ppm is None:
            self.folder.fault(path, f"the version from {version.from_} has no rate", "Give a share such as 0.25.")
        return ppm

    def _requirement(self, need: Requires, heading: str, path: Path) -> Requirement:
        self.folder.claim_key(need.claim, path)
        given = [test for test in _TESTS if getattr(need, "is_" if test == "is" else test) is not None]
        if len(given) != 1:
            self.folder.fault(
                path,
                f"the requirement on {need.claim} has {len(given)} tests",
                f"Give one of {', '.join(_TESTS)}.",
            )
            return Requirement(need.claim, "is", True)
        test = given[0]
        value: Any = getattr(need, "is_" if test == "is" else test)
        if test == "heading":
            return Requirement(need.claim, "equals", heading)
        if test == "one_of":
            return Requirement(need.claim, test, frozenset(value))
        if test in ("at_least", "below"):
            return Requirement(need.claim, test, ppm_of(value))
        return Requirement(need.claim, test, value)

    def _fees(self, path: Path) -> list[Fee]:
        document = self.folder.document(FeeFile, path)
        if document is None:
            return []
        requires, waived_by = (
            tuple(self._requirement(need, "", path) for need in self.folder.tables(Requires, conditions, path))
            for conditions in (document.requires, document.waived_by)
        )
        versions = self.folder.tables(Version, document.version, path)
        for version in versions:
            if (version.rate is None) == (version.flat_usd is None):
                what = f"the version from {version.from_} needs either a rate or a flat amount"
                self.folder.fault(path, what, "Give rate or flat_usd.")
        return [
            Fee(
                fee=document.fee,
                title=document.title,
                rate_ppm=ppm_of(version.rate) or 0,
                start=version.from_,
                until=version.until or END_OF_TIME,
                minimum_cents=_cents(version.minimum_usd),
                maximum_cents=_cents(version.maximum_usd),
                flat_cents=_cents(version.flat_usd),
                modes=None if document.modes == "*" else frozenset(document.modes),
                requires=requires,
                waived_by=waived_by,
                source=version.source,
                basis=version.basis,
                confidence=version.confidence,
                note=version.note,
            )
            for version in versions
        ]

    def _doubts(self, coverage: Coverage) -> Iterable[Doubt]:
        path = self.folder.path / "coverage.toml"
        for doubt in self.folder.tables(DoubtTable, coverage.doubt, path):
            sources = doubt.sources if isinstance(doubt.sources, str) else "; ".join(doubt.sources)
            yield Doubt(
                doubt.from_,
                doubt.until or END_OF_TIME,
                doubt.what,
                sources,
                doubt.provision or doubt.heading,
                self.folder.origins(doubt.origins, path),
                self.folder.scope(doubt.products, path),
            )

    def _check_references(self, rules: list[Rule]) -> None:
        names = {name for rule in rules for name in (rule.provision, rule.group, rule.heading)}
        for rule in rules:
            for name in rule.yields_to:
                if name not in names:
                    self.folder.fault(
                        Path(rule.provision),
                        f"yields to {name!r}, which no provision, group or heading is",
                        "Correct the name.",
                    )

    def _check_overlap(self, rules: list[Rule], path: Path) -> None:
        """Two versions of a provision may not both bear on one origin under one heading on one day."""
        spans: dict[tuple[str, str], list[tuple[date, date]]] = {}
        for rule in (rule for rule in rules if rule.withdrawn is None):
            for origin in ("*",) if rule.origins is None else rule.origins:
                spans.setdefault((rule.heading, origin), []).append((rule.start, rule.until))
        for (heading, origin), intervals in spans.items():
            intervals.sort()
            for (_, until), (start, _) in pairwise(intervals):
                if start < until:
                    self.folder.fault(
                        path,
                        f"{heading} for {origin} has two versions from {start} on",
                        "End one before the other.",
                    )

    def _check_order(self, book: RuleBook) -> None:
        from graphlib import CycleError

        try:
            book.in_force(book.start)
        except CycleError as error:
            chain = " -> ".join(str(name) for name in error.args[1])
            self.folder.fault(
                Path("yields_to"),
                f"provisions yield to each other in a circle: {chain}",
                "Cut one of the links.",
            )


def _cents(usd: Decimal | None) -> int | None:
    return None if usd is None else int(usd * 100)
