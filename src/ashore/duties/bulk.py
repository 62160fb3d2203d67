"""Bulk rating: a file of entry lines, CSV or Parquet, rated line by line in bounded memory.

Lines are grouped by signature (tariff number, origin, interval of the book, claims). Each signature is asked once
of :func:`ashore.duties.verdict.verdict`, the function that answers single lines; the money of every line is then
gathered with integer NumPy arithmetic. Both paths therefore give the same cents.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ashore.duties.classes import Classes
from ashore.duties.files import BATCH, Reader, Statement, Typed, batches, column_faults, scan, unreadable
from ashore.duties.verdict import Verdict
from ashore.errors import Fault, FaultyInput, raise_if, unwritable, writing
from ashore.rules.model import PPM, RuleBook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

STATUS = ("resolved", "conditional", "unresolved")
ADDED: dict[str, pl.DataType | type[pl.DataType]] = {
    "rate": pl.Float64,
    "duty_usd": pl.Float64,
    "low_usd": pl.Float64,
    "high_usd": pl.Float64,
    "status": pl.Enum(STATUS),
}
DISPUTED: dict[str, pl.DataType | type[pl.DataType]] = {"expected_usd": pl.Float64, "exposure_usd": pl.Float64}
_SHOWN = 20
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
        with writing(rejects, "--rejects"), rejects.open("ab") as file:
            lines.write_csv(file, include_header=not self.rejected)
        self.rejected += lines.height
        self.rejects = str(rejects)
        rows = lines.select("row", "reason").head(max(0, _SHOWN - len(self.reasons))).iter_rows()
        self.reasons += [f"row {row}, {reason}" for row, reason in rows]

    def count(
        self, cents: Numbers, money: tuple[Numbers, Numbers, Numbers], status: Numbers, answered: NDArray[np.bool_]
    ) -> None:
        """Adds a batch's lines by status, and its totals."""
        for code, count in enumerate(np.bincount(status, minlength=len(STATUS)).tolist()):
            self.counts[code] += count
        if answered.all():
            answered = np.ones(1, dtype=bool)  # adds whole columns without copying them
        self.value_cents += int(cents.sum(where=answered))
        duty, low, high = (int(amounts.sum(where=answered)) for amounts in money)
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
    _keep_freed_memory()
    lines = scan(source)
    rejects = rejects or out.with_name(f"{out.stem}.rejects.csv")
    if os.path.realpath(rejects) in map(os.path.realpath, (source, out)):
        what = f"{rejects} would take the rejected lines, but holds the lines or takes the rated ones."
        raise FaultyInput([Fault("--rejects", what, "Name another file with --rejects.")])
    raise_if(unwritable(out))
    with writing(rejects, "--rejects"):
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
    with writing(out):
        try:
            if out.suffix == ".parquet":
                # compressing would take a fifth of the whole run
                stream.sink_parquet(partial, compression="uncompressed", statistics=False, maintain_order=True)
            else:
                stream.sink_csv(partial, maintain_order=True)
            if trouble:
                raise trouble[0]
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
    return summary


def _keep_freed_memory() -> None:
    """Lets the C library keep a batch's freed arrays for the next one; giving the pages back costs a tenth of a run."""
    import ctypes

    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library: nothing to tune
        return
    mallopt(mmap_threshold, 1 << 25)
    mallopt(trim_threshold, 1 << 28)


def rate_lines(book: RuleBook, lines: pl.DataFrame, where: str = "lines") -> pl.DataFrame:
    """The lines with ``rate, duty_usd, low_usd, high_usd, status`` added. Raises FaultyInput with every faulty row."""
    raise_if(column_faults(lines.schema, where))
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
        self.classes = Classes(book)
        self.reader = Reader(book, where, self.classes.heard)
        self._table = np.full((256, 256, len(book.boundaries)), -1, dtype=np.int64)
        self._first = book.start.toordinal() - _EPOCH
        self._interval = self.reader.interval
        self._money = {case: _Tables(case) for case in ("shares", "low", "high")}
        self._status: Numbers = np.zeros(0, dtype=np.int64)

    def rate(self, lines: pl.DataFrame, summary: Summary) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """The good lines with the columns added, and the rejected lines with row and reason (None if none)."""
        typed, rejected = self.reader.typed(lines)
        summary.lines += lines.height
        place = self._verdicts(typed)
        cents = typed.cents
        duty = self._tables("shares").cents(cents, place)
        low, high = duty, duty
        status = self._statuses()[place]
        open_ = np.flatnonzero(status == STATUS.index("conditional"))
        if len(open_):
            low, high = duty.copy(), duty.copy()
            low[open_] = self._tables("low").cents(cents[open_], place[open_])
            high[open_] = self._tables("high").cents(cents[open_], place[open_])
        worthless = np.flatnonzero(cents == 0)
        rate = np.round(duty / (np.maximum(cents, 1) if len(worthless) else cents), 9)
        if len(worthless):
            rate[worthless] = np.array([v.rate for v in self.classes.verdicts])[place[worthless]]
        answered = status != STATUS.index("unresolved")
        summary.count(cents, (duty, low, high), status, answered)
        added = {"rate": rate, "duty_usd": duty / 100, "low_usd": low / 100, "high_usd": high / 100}
        columns = pl.DataFrame(added).hstack([pl.Series("status", STATUS, dtype=ADDED["status"]).gather(status)])
        if "origins" in lines.columns:
            columns = columns.hstack(self._disputed(typed, cents, duty))
        if not answered.all():
            blank = [name for name in columns.columns if name != "status"]
            columns = columns.with_columns(pl.when(pl.Series(answered)).then(pl.col(blank)))
        return typed.lines.hstack(columns), rejected

    def _verdicts(self, typed: Typed, turn: int | None = None) -> Numbers:
        """Place of every line's verdict in ``classes.verdicts``; with ``turn``, under that one of its origins."""
        intervals = len(self.book.boundaries)
        articles = np.array([self._class(self.classes.hts_class, value) for value in typed.hts.values])
        origins = np.array([self._class(self.classes.origin_class, value) for value in typed.origin.values])
        self._widen(int(articles.max(initial=0)) + 1, int(origins.max(initial=0)) + 1)
        width = self._table.shape[1]
        key = articles[typed.hts.place]
        key *= width
        key += origins[typed.origin.place]
        key *= intervals
        key += self._interval[typed.day - self._first]
        table = self._table.reshape(-1)
        found: Numbers = table[key]
        new = np.unique(key[found < 0])
        if len(new):
            pairs, interval = np.divmod(new, intervals)
            table[new] = self.classes.verdict_numbers(pairs // width, pairs % width, interval)
            found = table[key]
        if typed.said is None:
            return found
        stating = np.array([bool(s.claims) or turn is not None for s in typed.statements])
        rows = np.flatnonzero(stating[typed.said])
        both, place = np.unique(key[rows] * len(typed.statements) + typed.said[rows], return_inverse=True)
        numbers = [
            self._ask(one // len(typed.statements), typed.statements[one % len(typed.statements)], turn)
            for one in both.tolist()
        ]
        found[rows] = np.array(numbers, dtype=np.int64)[place]
        return found

    def _tables(self, case: str) -> _Tables:
        """The money of every verdict so far."""
        tables = self._money[case]
        tables.hold(self.classes.verdicts)
        return tables

    def _statuses(self) -> Numbers:
        verdicts = self.classes.verdicts
        if len(self._status) < len(verdicts):
            more = [STATUS.index(verdict.status) for verdict in verdicts[len(self._status) :]]
            self._status = np.append(self._status, np.array(more, dtype=np.int64))
        return self._status

    def _ask(self, key: int, statement: Statement, turn: int | None) -> int:
        """Number of the verdict of one article, origin, interval and statement."""
        pair, interval = divmod(key, len(self.book.boundaries))
        article, origin = divmod(pair, self._table.shape[1])
        if turn is not None and turn < len(statement.origins):
            origin = self.classes.origin_class(statement.origins[turn][0])
        return self.classes.verdict_number(article, origin, interval, statement)

    def _widen(self, articles: int, origins: int) -> None:
        """Makes room in the table of verdicts for more classes."""
        rows, columns = self._table.shape[:2]
        if articles <= rows and origins <= columns:
            return
        shape = (max(rows, 2 * articles), max(columns, 2 * origins), self._table.shape[2])
        wider = np.full(shape, -1, dtype=np.int64)
        wider[:rows, :columns] = self._table
        self._table = wider

    @staticmethod
    def _class(number: Callable[[str], int], value: str | None) -> int:
        """Class of a distinct value; 0 for one that only rejected lines have."""
        try:
            return 0 if value is None else number(value)
        except KeyError:
            return 0

    def _disputed(self, typed: Typed, cents: Numbers, claimed: Numbers) -> pl.DataFrame:
        """Expected duty over the origins in doubt, and the most by which it can exceed the duty as claimed."""
        expected = np.zeros(len(cents), dtype=np.int64)  # cents x ppm
        worst = claimed.copy()
        said = np.zeros(len(cents), dtype=np.int64) if typed.said is None else typed.said
        for turn in range(max((len(s.origins) for s in typed.statements), default=0)):
            place = self._verdicts(typed, turn)
            duty = self._tables("shares").cents(cents, place)
            chance = np.array([s.origins[turn][1] if turn < len(s.origins) else 0 for s in typed.statements])[said]
            expected += duty * chance
            worst = np.maximum(worst, np.where(chance > 0, duty, claimed))
        stated = np.array([bool(s.origins) for s in typed.statements])[said]
        expected = np.where(stated, (expected + PPM // 2) // PPM, claimed)
        return pl.DataFrame({"expected_usd": expected / 100, "exposure_usd": (worst - claimed) / 100})


class _Tables:
    """Rates and portions of the verdicts of one case (as assumed, low or high), heading by heading, ready to gather."""

    def __init__(self, case: str) -> None:
        self.case = case
        self.count = 0
        self.rates = np.zeros((1, 1024), dtype=np.int64)
        self.portions = np.full((1, 1024), PPM, dtype=np.int64)

    def hold(self, verdicts: list[Verdict]) -> None:
        """Takes in the verdicts added since the last time."""
        owed = [[s for s in getattr(v, self.case) if s.rate_ppm] for v in verdicts[self.count :]]
        depth = max((len(shares) for shares in owed), default=0)
        levels, room = self.rates.shape
        if depth > levels or len(verdicts) > room:
            grow = ((0, max(0, depth - levels)), (0, room if len(verdicts) <= 2 * room else len(verdicts)))
            self.rates = np.pad(self.rates, grow)
            self.portions = np.pad(self.portions, grow, constant_values=PPM)
        for place, shares in enumerate(owed, start=self.count):
            for level, share in enumerate(shares):
                self.rates[level, place] = share.rate_ppm
                self.portions[level, place] = share.portion_ppm
        self.count = len(verdicts)

    def cents(self, value: Numbers, place: Numbers) -> Numbers:
        """Duty in cents of every line: each heading of its verdict rounds half up to the cent."""
        total = np.zeros(len(value), dtype=np.int64)
        for rates, portions in zip(self.rates[:, : self.count], self.portions[:, : self.count], strict=True):
            owed = rates[place]  # becomes the duty in place: no second array of this length is made
            partial = portions != PPM
            if partial.any():
                parts = np.flatnonzero(partial[place])
                own = value[parts] * portions[place[parts]]
                whole = value.copy()
                whole[parts] = (own + PPM // 2) // PPM
                owed *= whole
            else:
                owed *= value
            owed += PPM // 2
            owed //= PPM
            total += owed
        return total
