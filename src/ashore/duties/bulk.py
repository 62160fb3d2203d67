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

from ashore.duties.entry import read_claims
from ashore.duties.files import BATCH, Reader, Typed, batches, column_faults, scan, unreadable
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

    def as_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "out": self.out,
            "lines": self.lines,
            **dict(zip(STATUS, self.counts, strict=True)),
            "value_usd": self.value_cents / 100,
            "duty_usd": self.duty_cents / 100,
            "low_usd": self.low_cents / 100,
            "high_usd": self.high_cents / 100,
        }


def rate_file(book: RuleBook, source: Path, out: Path, progress: Callable[[int], None] | None = None) -> Summary:
    """Rates every line of ``source`` into ``out``, batch by batch.

    ``progress`` is called with the number of lines done. Raises FaultyInput with the faulty cells, writing nothing.
    """
    from polars.io.plugins import register_io_source

    if out.suffix not in (".csv", ".parquet"):
        raise FaultyInput([Fault("--out", f"{out.name} is neither .csv nor .parquet.", "Give the file such a name.")])
    lines = scan(source)
    rater = Rater(book, str(source))
    summary = Summary(str(source), str(out))

    trouble: list[Exception] = []

    def rated(*_: Any) -> Iterator[pl.DataFrame]:
        try:
            for batch in batches(lines):
                part = rater.rate(batch, summary)
                if part is not None and not rater.reader.faults:
                    yield part
                if progress is not None:
                    progress(summary.lines)
        except (pl.exceptions.PolarsError, OSError) as error:
            trouble.append(unreadable(source, error))
        except Exception as error:  # the sink would wrap it; it is raised as itself below
            trouble.append(error)

    partial = out.with_name(out.name + ".part")
    stream = register_io_source(rated, schema={**lines.collect_schema(), **ADDED})
    try:
        if out.suffix == ".parquet":
            stream.sink_parquet(partial, compression="lz4", statistics=False, maintain_order=True)
        else:
            stream.sink_csv(partial, maintain_order=True)
        rater.reader.raise_faults()
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
    parts = [rater.rate(lines.slice(start, BATCH), summary) for start in range(0, max(1, lines.height), BATCH)]
    rater.reader.raise_faults()
    return pl.concat([part for part in parts if part is not None])


class Rater:
    """Rates batches under one book; a signature seen once is never asked again."""

    def __init__(self, book: RuleBook, where: str) -> None:
        self.book = book
        self.reader = Reader(book, where)
        self.verdicts: list[Verdict] = []
        self._place: dict[tuple[str, str, int, tuple[Any, ...]], int] = {}
        self._first = book.start.toordinal() - _EPOCH
        days = range(book.start.toordinal(), book.until.toordinal())
        self._interval = np.array([book.interval(date.fromordinal(day)) for day in days], dtype=np.int64)

    def rate(self, lines: pl.DataFrame, summary: Summary) -> pl.DataFrame | None:
        """The batch with its five columns, or None if cells are faulty (kept in ``reader.faults``)."""
        typed = self.reader.typed(lines)
        summary.lines += lines.height
        if typed is None:
            return None
        place = self._signatures(typed)
        if place is None:
            return None
        statuses = np.array([STATUS.index(v.status) for v in self.verdicts], dtype=np.int64)
        cents = typed.cents
        duty = _money(cents, place, [v.shares for v in self.verdicts])
        low, high = duty, duty
        status = statuses[place]
        open_ = np.flatnonzero(status == 1)
        if len(open_):
            low, high = duty.copy(), duty.copy()
            low[open_] = _money(cents[open_], place[open_], [v.low for v in self.verdicts])
            high[open_] = _money(cents[open_], place[open_], [v.high for v in self.verdicts])
        rate = np.round(duty / np.maximum(cents, 1), 9)
        worthless = np.flatnonzero(cents == 0)
        if len(worthless):
            rate[worthless] = np.array([v.rate for v in self.verdicts])[place[worthless]]
        answered = status != STATUS.index("unresolved")
        _count(summary, cents, duty, low, high, status, answered)
        added = pl.DataFrame({"rate": rate, "duty_usd": duty / 100, "low_usd": low / 100, "high_usd": high / 100})
        if not answered.all():
            known = pl.Series(answered)
            added = added.with_columns(pl.when(known).then(pl.all()))
        words = pl.Series("status", STATUS).gather(status)
        return lines.hstack(added).hstack([words])

    def _signatures(self, typed: Typed) -> Numbers | None:
        """Place of every line's verdict in ``self.verdicts``; None if a claim cannot be read."""
        origins, intervals = len(typed.origin.values), int(self._interval[-1]) + 1
        key = (typed.hts.place * origins + typed.origin.place) * intervals + self._interval[typed.day - self._first]
        distinct, place = _distinct(key, len(typed.hts.values) * origins * intervals)
        claim = np.zeros(len(distinct), dtype=np.int64)
        if typed.claim is not None:
            both, place = np.unique(place * len(typed.claims) + typed.claim, return_inverse=True)
            distinct, claim = distinct[both // len(typed.claims)], both % len(typed.claims)
        numbers = np.empty(len(distinct), dtype=np.int64)
        before = len(self.reader.faults)
        for number, (one, case) in enumerate(zip(distinct.tolist(), claim.tolist(), strict=True)):
            article, interval = divmod(one, intervals)
            hts, origin = divmod(article, origins)
            signature = (typed.hts.values[hts], typed.origin.values[origin], interval, typed.claims[case])
            numbers[number] = self._number(signature)
        if len(self.reader.faults) > before:
            return None
        found: Numbers = numbers[place]
        return found

    def _number(self, signature: tuple[str, str, int, tuple[Any, ...]]) -> int:
        """Number of a signature's verdict, asked of the book if it is new."""
        number = self._place.get(signature)
        if number is None:
            hts, origin, interval, (loaded, share, texts) = signature
            claims: dict[str, Any] = {}
            if texts:
                words = [word for word in texts.split(";") if word.strip()]
                claims = read_claims(self.book, words, self.reader.faults, f"{self.reader.where}, column claims")
            if loaded is not None:
                claims["loaded"] = loaded
            if share is not None:
                claims["us_content_share"] = share
            number = self._place[signature] = len(self.verdicts)
            self.verdicts.append(verdict(self.book, hts, origin, self.book.boundaries[interval], claims))
        return number


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


def _count(
    summary: Summary,
    cents: Numbers,
    duty: Numbers,
    low: Numbers,
    high: Numbers,
    status: Numbers,
    answered: NDArray[np.bool_],
) -> None:
    for code in range(len(STATUS)):
        summary.counts[code] += int((status == code).sum())
    summary.value_cents += int(cents[answered].sum())
    summary.duty_cents += int(duty[answered].sum())
    summary.low_cents += int(low[answered].sum())
    summary.high_cents += int(high[answered].sum())
