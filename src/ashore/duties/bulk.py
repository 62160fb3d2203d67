"""Bulk rating: a file of entry lines, CSV or Parquet, rated line by line in bounded memory.

Lines are grouped by signature (tariff number, origin, interval of the book, claims). Each signature is asked once
of :func:`ashore.duties.verdict.verdict`, the function that answers single lines; the money of every line is then
gathered with integer NumPy arithmetic. Both paths therefore give the same cents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ashore.duties.files import BATCH, Reader, Statement, Typed, batches, column_faults, scan, unreadable
from ashore.duties.verdict import Share, Verdict, verdict
from ashore.errors import Fault, FaultyInput, raise_if
from ashore.rules.model import PPM, RuleBook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

ADDED: dict[str, pl.DataType | type[pl.DataType]] = {
    "rate": pl.Float64,
    "duty_usd": pl.Float64,
    "low_usd": pl.Float64,
    "high_usd": pl.Float64,
    "status": pl.String,
}
DISPUTED: dict[str, pl.DataType | type[pl.DataType]] = {"expected_usd": pl.Float64, "exposure_usd": pl.Float64}
_SHOWN = 20
STATUS = ("resolved", "conditional", "unresolved")
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(slots=True)
class Summary:
    """What a bulk run did: lines by status, and totals in cents of the lines that could be rated."""

    source: str
    out: str
    lines: int = 0
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    value_cents: int = 0
    duty_cents: int = 0
    low_cents: int = 0
    high_cents: int = 0

    rejected: int = 0
    rejects: str = ""
    reasons: list[str] = field(default_factory=list)

    def reject(self, lines: pl.DataFrame, rejects: Path) -> None:
        """Appends rejected lines to their file and keeps the first reasons."""
        with rejects.open("ab") as file:
            lines.write_csv(file, include_header=not self.rejected)
        self.rejected += lines.height
        self.rejects = str(rejects)
        rows = lines.select("row", "reason").head(max(0, _SHOWN - len(self.reasons))).iter_rows()
        self.reasons += [f"row {row}, {reason}" for row, reason in rows]

    def count(
        self, cents: Numbers, money: tuple[Numbers, Numbers, Numbers], status: Numbers, answered: NDArray[np.bool_]
    ) -> None:
        """Adds a batch's lines by status, and its totals."""
        for code in range(len(STATUS)):
            self.counts[code] += int((status == code).sum())
        self.value_cents += int(cents[answered].sum())
        duty, low, high = (int(amounts[answered].sum()) for amounts in money)
        self.duty_cents += duty
        self.low_cents += low
        self.high_cents += high

    def as_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "out": self.out,
            "lines": self.lines,
            "rejected": self.rejected,
            "rejects": self.rejects or None,
            "reasons": self.reasons,
            **dict(zip(STATUS, self.counts, strict=True)),
            "value_usd": self.value_cents / 100,
            "duty_usd": self.duty_cents / 100,
            "low_usd": self.low_cents / 100,
            "high_usd": self.high_cents / 100,
        }


def rate_file(
    book: RuleBook,
    source: Path,
    out: Path,
    progress: Callable[[int], None] | None = None,
    rejects: Path | None = None,
) -> Summary:
    """Rates every line of ``source`` into ``out``, batch by batch.

    Lines no entry could be made of go to ``rejects`` (by default beside ``out``) with their row and the reasons; the
    file is there only if there are any. ``progress`` is called with the number of lines done. Raises FaultyInput if
    the file cannot be read or its columns are wrong, writing nothing.
    """
    from polars.io.plugins import register_io_source

    if out.suffix not in (".csv", ".parquet"):
        raise FaultyInput([Fault("--out", f"{out.name} is neither .csv nor .parquet.", "Give the file such a name.")])
    lines = scan(source)
    rejects = rejects or out.with_name(f"{out.stem}.rejects.csv")
    rejects.unlink(missing_ok=True)
    rater = Rater(book, str(source))
    summary = Summary(str(source), str(out))
    trouble: list[Exception] = []

    def rated(*_: Any) -> Iterator[pl.DataFrame]:
        try:
            for batch in batches(lines):
                part, rejected = rater.rate(batch, summary)
                if rejected is not None:
                    summary.reject(rejected, rejects)
                yield part
                if progress is not None:
                    progress(summary.lines)
        except (pl.exceptions.PolarsError, OSError) as error:
            trouble.append(unreadable(source, error))
        except Exception as error:  # the sink would wrap it; it is raised as itself below
            trouble.append(error)

    partial = out.with_name(out.name + ".part")
    schema = lines.collect_schema()
    disputed = DISPUTED if "origins" in schema.names() else {}
    stream = register_io_source(rated, schema={**schema, **ADDED, **disputed})
    try:
        if out.suffix == ".parquet":
            stream.sink_parquet(partial, compression="lz4", statistics=False, maintain_order=True)
        else:
            stream.sink_csv(partial, maintain_order=True)
        if trouble:
            raise trouble[0]
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return summary


def rate_lines(book: RuleBook, lines: pl.DataFrame, where: str = "lines") -> pl.DataFrame:
    """The lines with ``rate, duty_usd, low_usd, high_usd, status`` added. Raises FaultyInput with every faulty row."""
    raise_if(column_faults(lines.columns, where))
    rater = Rater(book, where)
    summary = Summary(where, "")
    parts = []
    faults: list[Fault] = []
    for start in range(0, max(1, lines.height), BATCH):
        part, rejected = rater.rate(lines.slice(start, BATCH), summary)
        parts.append(part)
        if rejected is not None:
            rows = rejected.select("row", "reason").iter_rows()
            faults.extend(Fault(where, f"{reason}", "", row=row) for row, reason in rows)
    raise_if(faults)
    return pl.concat(parts)


class Rater:
    """Rates batches under one book; a signature seen once is never asked again."""

    def __init__(self, book: RuleBook, where: str) -> None:
        self.book = book
        self.reader = Reader(book, where)
        self.verdicts: list[Verdict] = []
        self._place: dict[tuple[Any, ...], int] = {}
        self._first = book.start.toordinal() - _EPOCH
        days = range(book.start.toordinal(), book.until.toordinal())
        self._interval = np.array([book.interval(date.fromordinal(day)) for day in days], dtype=np.int64)

    def rate(self, lines: pl.DataFrame, summary: Summary) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """The good lines with the columns added, and the rejected lines with row and reason (None if none)."""
        typed, rejected = self.reader.typed(lines)
        summary.lines += lines.height
        place = self._signatures(typed)
        cents = typed.cents
        duty = _money(cents, place, [v.shares for v in self.verdicts])
        low, high = duty, duty
        status = np.array([STATUS.index(v.status) for v in self.verdicts], dtype=np.int64)[place]
        open_ = np.flatnonzero(status == STATUS.index("conditional"))
        if len(open_):
            low, high = duty.copy(), duty.copy()
            low[open_] = _money(cents[open_], place[open_], [v.low for v in self.verdicts])
            high[open_] = _money(cents[open_], place[open_], [v.high for v in self.verdicts])
        rate = np.round(duty / np.maximum(cents, 1), 9)
        worthless = np.flatnonzero(cents == 0)
        if len(worthless):
            rate[worthless] = np.array([v.rate for v in self.verdicts])[place[worthless]]
        answered = status != STATUS.index("unresolved")
        summary.count(cents, (duty, low, high), status, answered)
        added = {"rate": rate, "duty_usd": duty / 100, "low_usd": low / 100, "high_usd": high / 100}
        columns = pl.DataFrame(added).hstack([pl.Series("status", STATUS, dtype=pl.String).gather(status)])
        if "origins" in lines.columns:
            columns = columns.hstack(self._disputed(typed, cents, duty))
        if not answered.all():
            blank = [name for name in columns.columns if name != "status"]
            columns = columns.with_columns(pl.when(pl.Series(answered)).then(pl.col(blank)))
        return typed.lines.hstack(columns), rejected

    def _signatures(self, typed: Typed, turn: int | None = None) -> Numbers:
        """Place of every line's verdict in ``self.verdicts``; with ``turn``, under its so-manieth origin in doubt."""
        origins, intervals = len(typed.origin.values), int(self._interval[-1]) + 1
        key = (typed.hts.place * origins + typed.origin.place) * intervals + self._interval[typed.day - self._first]
        distinct, place = _distinct(key, len(typed.hts.values) * origins * intervals)
        said = np.zeros(len(distinct), dtype=np.int64)
        if typed.said is not None:
            both, place = np.unique(place * len(typed.statements) + typed.said, return_inverse=True)
            distinct, said = distinct[both // len(typed.statements)], both % len(typed.statements)
        numbers = np.empty(len(distinct), dtype=np.int64)
        for number, (one, case) in enumerate(zip(distinct.tolist(), said.tolist(), strict=True)):
            article, interval = divmod(one, intervals)
            hts, origin = divmod(article, origins)
            statement = typed.statements[case]
            code = typed.origin.values[origin] or ""
            if turn is not None and turn < len(statement.origins):
                code = statement.origins[turn][0]
            numbers[number] = self._number(typed.hts.values[hts] or "", code, interval, statement)
        found: Numbers = numbers[place]
        return found

    def _number(self, hts: str, origin: str, interval: int, statement: Statement) -> int:
        """Number of a signature's verdict, asked of the book if it is new."""
        signature = (hts, origin, interval, tuple(sorted(statement.claims.items())))
        number = self._place.get(signature)
        if number is None:
            number = self._place[signature] = len(self.verdicts)
            self.verdicts.append(verdict(self.book, hts, origin, self.book.boundaries[interval], statement.claims))
        return number

    def _disputed(self, typed: Typed, cents: Numbers, claimed: Numbers) -> pl.DataFrame:
        """Expected duty over the origins in doubt, and the most by which it can exceed the duty as claimed."""
        expected = np.zeros(len(cents))
        worst = claimed.copy()
        said = np.zeros(len(cents), dtype=np.int64) if typed.said is None else typed.said
        for turn in range(max((len(s.origins) for s in typed.statements), default=0)):
            place = self._signatures(typed, turn)
            duty = _money(cents, place, [v.shares for v in self.verdicts])
            chance = np.array([s.origins[turn][1] if turn < len(s.origins) else 0 for s in typed.statements])[said]
            expected += duty * (chance / PPM)
            worst = np.maximum(worst, np.where(chance > 0, duty, claimed))
        stated = np.array([bool(s.origins) for s in typed.statements])[said]
        expected = np.where(stated, np.floor(expected + 0.5), claimed)
        return pl.DataFrame({"expected_usd": expected / 100, "exposure_usd": (worst - claimed) / 100})


def _distinct(key: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Distinct keys in order and the place of each row's key among them; by flags where the keys are dense."""
    if size > 20_000_000:
        return np.unique(key, return_inverse=True)
    seen = np.zeros(size, dtype=bool)
    seen[key] = True
    distinct = np.flatnonzero(seen)
    rank = np.empty(size, dtype=np.int32)
    rank[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, rank[key].astype(np.int64)


def _money(cents: Numbers, place: Numbers, cases: Sequence[Iterable[Share]]) -> Numbers:
    """Duty in cents of every line: each heading of its signature rounds half up to the cent."""
    owed = [[share for share in shares if share.rate_ppm] for shares in cases]
    total = np.zeros(len(cents), dtype=np.int64)
    for level in range(max((len(shares) for shares in owed), default=0)):
        portion, rate = (
            np.array([getattr(s[level], name) if level < len(s) else blank for s in owed], dtype=np.int64)
            for name, blank in (("portion_ppm", PPM), ("rate_ppm", 0))
        )
        base = cents
        if (portion != PPM).any():
            base = (2 * cents * portion[place] + PPM) // (2 * PPM)
        total += (2 * base * rate[place] + PPM) // (2 * PPM)
    return total
