"""Files of entry lines: which columns there are, and each column as an array of plain numbers or codes.

A row with a cell that cannot be read, or of which no entry could be made, is rejected with its reasons; the others go
on.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ashore.duties.entry import HIGHEST_VALUE_USD, MODES, MOST_USD, read_claims, read_origins
from ashore.duties.verdict import dotted, retired
from ashore.errors import Fault, FaultyInput, raise_if
from ashore.rules.model import END_OF_TIME, PPM, RuleBook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

REQUIRED = ("hts", "origin", "entry_date", "value_usd")
OPTIONAL = ("line_id", "loaded_date", "mode", "us_content_share", "origins", "claims", "source", "note")
BATCH = 200_000  # lines; larger batches leave the processor's cache
NO_DAY = -(10**6)
_EPOCH = date(1970, 1, 1).toordinal()


def scan(source: Path) -> pl.LazyFrame:
    """A file of entry lines, every CSV cell as text. Raises FaultyInput if it cannot be read or lacks columns."""
    if not source.is_file():
        raise FaultyInput([Fault(str(source), "the file is not there.", "Correct the path after --lines.")])
    try:
        if source.suffix == ".parquet":
            lines = pl.scan_parquet(source)
        elif source.suffix == ".csv":
            lines = pl.scan_csv(source, infer_schema=False, encoding="utf8")
        else:
            fault = Fault(str(source), "the file is neither .csv nor .parquet.", "Save it as one of these.")
            raise FaultyInput([fault])
        columns = lines.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(source, error) from error
    raise_if(column_faults(columns, str(source)))
    return lines


def unreadable(source: Path, error: Exception) -> FaultyInput:
    """The faults of a file that is not what its name says: its ragged rows, or else what the reader said of it."""
    ragged = _ragged(source) if source.suffix == ".csv" else []
    if ragged:
        return FaultyInput(ragged)
    first = str(error).splitlines()[0].rstrip(".")
    return FaultyInput([Fault(str(source), f"the file cannot be read: {first}.", "Save it as UTF-8 CSV or Parquet.")])


def _ragged(source: Path, most: int = 100) -> list[Fault]:
    """Rows of a CSV file with more cells than the header names."""
    faults: list[Fault] = []
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            width = len(next(rows, []))
            for row in rows:
                if len(row) > width and len(faults) < most:
                    what = f"the row has {len(row)} cells, the header {width}."
                    faults.append(Fault(str(source), what, "Quote a cell that holds a comma.", row=rows.line_num))
    except (OSError, UnicodeError, csv.Error):
        return []
    return faults


def column_faults(columns: pl.Schema, where: str) -> list[Fault]:
    """Columns missing from lines, columns they may not have, and columns of lists or of structures."""
    faults = [
        Fault(where, f"column {name!r} is missing.", f"Needed: {', '.join(REQUIRED)}.", row=1)
        for name in REQUIRED
        if name not in columns
    ]
    for name, kind in columns.items():
        if kind.is_nested():
            faults.append(Fault(where, f"column {name!r} holds {kind}.", "Give one value a row."))
        if name not in REQUIRED + OPTIONAL:
            near = get_close_matches(name, REQUIRED + OPTIONAL, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(REQUIRED + OPTIONAL)}."
            faults.append(Fault(where, f"column {name!r} is unknown.", hint, row=1))
    return faults


def batches(lines: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The lines in order, in batches that bound memory."""
    yield from lines.collect_batches(chunk_size=BATCH, maintain_order=True)


@dataclass(frozen=True, slots=True)
class Codes:
    """A text column as the place of each row's value in a short list of distinct values; blank is ``None``."""

    values: list[str | None]
    place: Numbers

    def only(self, rows: Flags) -> Codes:
        return Codes(self.values, self.place[rows])


@dataclass(frozen=True, slots=True)
class Statement:
    """What a line states beyond the article: typed claims, and the origins in doubt with their chances in ppm."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    origins: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """The good lines of a batch, typed. ``said`` is each row's place among the distinct ``statements``, if any."""

    lines: pl.DataFrame
    hts: Codes
    origin: Codes
    day: Numbers
    cents: Numbers
    statements: list[Statement]
    said: Numbers | None


@dataclass(slots=True)
class _Batch:
    """A batch being read, with the reasons against its rows."""

    lines: pl.DataFrame
    first_row: int
    bad: Flags
    reasons: dict[int, list[str]] = field(default_factory=dict)

    def reject(self, column: str, rows: Flags, what: str, remedy: str) -> None:
        """Notes a reason against the flagged rows."""
        if not rows.any():
            return
        self.bad |= rows
        values = self.lines[column]
        for row in np.flatnonzero(rows).tolist():
            value = values[row]
            shown = "a blank cell" if value is None or str(value).strip() == "" else repr(str(value))
            self.reasons.setdefault(row, []).append(f"{column}: {shown} {what}. {remedy}")


class Reader:
    """Types batches of lines for one book; keeps the rejected rows of the batch it read last."""

    def __init__(self, book: RuleBook, where: str, heard: Callable[[str], list[bool]]) -> None:
        """``heard`` tells, for each interval of the book, whether any rule in force listens to a claim."""
        self.book = book
        self.where = where
        self.rows = 0
        self._words: dict[str, list[str]] = {}
        days = range(book.start.toordinal(), book.until.toordinal())
        self.interval: Numbers = np.array([book.interval(date.fromordinal(day)) for day in days], dtype=np.int64)
        self._heard = {claim: np.array(heard(claim)) for claim in ("loaded", "us_content_share", "mode")}

    def typed(self, lines: pl.DataFrame) -> tuple[Typed, pl.DataFrame | None]:
        """The good lines as arrays, and the rejected ones with ``row`` and ``reason`` in front (None: none)."""
        batch = _Batch(lines, self.rows + 2, np.zeros(lines.height, dtype=bool))
        hts = self._codes(lines, "hts", lambda text: text.replace(".", "").replace(" ", ""))
        origin = self._codes(lines, "origin", lambda text: text.strip().upper())
        day = self._days(batch, "entry_date", required=True)
        self._check_hts(batch, hts, day)
        known = self.book.countries
        self._check(batch, "origin", origin, known.__contains__, "is no country code", "Use ISO 3166 alpha-2.")
        cents = self._cents(batch)
        statements, said = self._statements(batch, day, cents)
        self.rows += lines.height
        if not batch.bad.any():
            return Typed(lines, hts, origin, day, cents, statements, said), None
        good = ~batch.bad
        kept = lines.filter(pl.Series(good))
        numbers = sorted(batch.reasons)
        rejected = pl.DataFrame(
            {
                "row": [batch.first_row + row for row in numbers],
                "reason": ["; ".join(batch.reasons[row]) for row in numbers],
            }
        ).hstack(lines[numbers])
        said = None if said is None else said[good]
        return Typed(kept, hts.only(good), origin.only(good), day[good], cents[good], statements, said), rejected

    # -- columns ----------------------------------------------------------------------------------------------------
    def _codes(self, lines: pl.DataFrame, name: str, clean: Callable[[str], str]) -> Codes:
        """A text column as codes; the words of the batch before are tried first, as they mostly do."""
        column = lines[name].cast(pl.String)
        blanks = column.null_count()
        words = self._words.get(name, [])
        coded = column.cast(pl.Enum(words), strict=False).to_physical()
        if coded.null_count() > blanks:
            words = self._words[name] = column.unique().drop_nulls().to_list()
            coded = column.cast(pl.Enum(words)).to_physical()
        place = coded.cast(pl.Int64)
        if blanks:
            place = place.fill_null(len(words))
        return Codes([*(clean(word) for word in words), None], place.to_numpy())

    def _check_hts(self, batch: _Batch, hts: Codes, day: Numbers) -> None:
        self._check(batch, "hts", hts, _is_hts, "is no tariff number", "Give 8 or 10 digits.")
        lines = self.book.lines
        unlisted = np.array([_is_hts(value) and value[:8] not in lines for value in hts.values])  # type: ignore[index]
        rows = unlisted[hts.place]
        batch.reject("hts", rows, "is not in the schedule of this rule book", "Check the number, or add the line.")
        for code, value in enumerate(hts.values):
            line = lines.get((value or "")[:8])
            if line is not None and line.valid_until < END_OF_TIME:
                rows = (hts.place == code) & (day >= line.valid_until.toordinal() - _EPOCH)
                batch.reject("hts", rows, retired(line), f"Enter it under {dotted(line.renumbered)}.")

    def _days(self, batch: _Batch, name: str, *, required: bool) -> Numbers:
        """Days since 1970 of a date column; blank is NO_DAY."""
        column = batch.lines[name]
        blank = column.is_null()
        if column.dtype == pl.String:
            text = column.str.strip_chars()
            blank = blank | (text == "")
            day = text.str.to_date("%Y-%m-%d", strict=False)
        else:
            day = column.cast(pl.Date, strict=False)
        bad = day.is_null() if required else day.is_null() & ~blank
        batch.reject(name, bad.to_numpy(), "is not a date", "Write dates as 2026-11-22.")
        found: Numbers = day.to_physical().cast(pl.Int64).fill_null(NO_DAY).to_numpy()
        if required:
            first, last = self.book.start.toordinal() - _EPOCH, self.book.until.toordinal() - _EPOCH
            outside = ((found < first) | (found >= last)) & (found != NO_DAY)
            vouched = f"{self.book.start} up to, not including, {self.book.until}"
            what = f"lies outside what the rule book vouches for ({vouched})"
            batch.reject(name, outside, what, "Hold the law with --hold DATE, or leave the row out.")
        return found

    def _cents(self, batch: _Batch) -> Numbers:
        column = batch.lines["value_usd"]
        if column.dtype == pl.Float64 and not column.null_count():
            value = column.to_numpy()
            if value.min(initial=0) >= 0 and value.max(initial=0) <= HIGHEST_VALUE_USD:  # false of NaN too
                exact: Numbers = np.rint(value * PPM).astype(np.int64)
                return (exact + 5_000) // 10_000
        micro = self._micro(column)
        bad = (micro.is_null() | ~micro.is_between(0, HIGHEST_VALUE_USD * PPM)).fill_null(True)
        batch.reject("value_usd", bad.to_numpy(), "is no customs value", "Write USD of zero or more.")
        whole: Numbers = micro.fill_null(0).clip(0, HIGHEST_VALUE_USD * PPM).to_numpy()
        return (whole + 5_000) // 10_000

    def _micro(self, column: pl.Series) -> pl.Series:
        """A number column in millionths, exact for text and for floats of up to six decimals."""
        if column.dtype == pl.String:
            text = column.str.strip_chars()
            number = text.cast(pl.Decimal(38, 6), strict=False)
            return (number * PPM).cast(pl.Int64, strict=False)
        number = column.cast(pl.Float64, strict=False)
        if number.is_infinite().any() or number.is_nan().any():
            number = number.set(~number.is_finite().fill_null(False), None)
        return (number * PPM).round().cast(pl.Int64, strict=False)

    def _statements(self, batch: _Batch, day: Numbers, cents: Numbers) -> tuple[list[Statement], Numbers | None]:
        """The distinct statements of a batch and each row's place among them; None where no row states anything."""
        lines = batch.lines
        given = [n for n in ("loaded_date", "us_content_share", "claims", "mode", "origins") if n in lines.columns]
        given = [name for name in given if lines[name].null_count() < lines.height]
        keyed: dict[str, pl.Series] = {}
        if "loaded_date" in given:
            loaded = self._days(batch, "loaded_date", required=False)
            late = (loaded > day) & (loaded != NO_DAY)
            batch.reject("loaded_date", late, "is after the day of entry", "Correct one of the dates.")
            keyed["loaded"] = pl.Series(loaded).replace(NO_DAY, None).cast(pl.Int32).cast(pl.Date)
        if "us_content_share" in given:
            keyed["us_content_share"] = share = self._micro(lines["us_content_share"])
            stated = _text(lines["us_content_share"]).is_not_null()
            bad = stated & ~share.is_between(0, PPM).fill_null(False)
            batch.reject("us_content_share", bad.to_numpy(), "is no share", "Write 20 per cent as 0.2.")
        if "mode" in given:
            mode = self._codes(lines, "mode", str.strip)
            allowed = {None, "", *MODES}
            self._check(batch, "mode", mode, allowed.__contains__, "is no mode", f"Use {', '.join(MODES)}.")
            keyed["mode"] = _text(lines["mode"])
        first = self.book.start.toordinal() - _EPOCH
        interval = self.interval[np.clip(day - first, 0, len(self.interval) - 1)]
        keyed = {name: _where(column, self._heard[name][interval]) for name, column in keyed.items()}
        keyed |= {name: _text(lines[name]) for name in ("claims", "origins") if name in given}
        if not keyed:
            return [Statement()], None
        frame = pl.DataFrame(keyed)
        distinct = frame.unique(maintain_order=True).with_row_index("place")
        joined = frame.join(distinct, on=list(keyed), nulls_equal=True, maintain_order="left", how="left")
        place: Numbers = joined["place"].cast(pl.Int64).to_numpy()
        statements = []
        for number, row in enumerate(distinct.drop("place").iter_rows(named=True)):
            faults: list[Fault] = []
            statements.append(self._statement(row, faults))
            for fault in faults:
                batch.reject(fault.where, place == number, f"cannot be read: {fault.what.rstrip('.')}", fault.remedy)
        for claim, most in MOST_USD.items():
            making = np.array([statement.claims.get(claim) is True for statement in statements])
            if making.any():
                rows = making[place] & (cents > most * 100)
                batch.reject("claims", rows, f"holds up to {most:,} USD only", f"Leave {claim} out.")
        return statements, place

    def _statement(self, row: dict[str, Any], faults: list[Fault]) -> Statement:
        words = [word for word in (row.pop("claims", None) or "").split(";") if word.strip()]
        claims = read_claims(self.book, words, faults, "claims")
        origins = row.pop("origins", None)
        claims |= {key: value for key, value in row.items() if value is not None}
        return Statement(claims, read_origins(self.book, origins, faults, "origins") if origins else ())

    def _check(
        self, batch: _Batch, name: str, codes: Codes, good: Callable[[Any], bool], what: str, remedy: str
    ) -> None:
        wrong = np.array([not good(value) for value in codes.values])
        if wrong.any():
            batch.reject(name, wrong[codes.place], what, remedy)


def _where(column: pl.Series, rows: Flags) -> pl.Series:
    """A column with null outside the flagged rows."""
    return column if rows.all() else pl.select(pl.when(pl.Series(rows)).then(column)).to_series()


def _text(column: pl.Series) -> pl.Series:
    """A column as stripped text; blank is null."""
    return column.cast(pl.String).str.strip_chars().replace("", None)


def _is_hts(value: str | None) -> bool:
    return value is not None and len(value) in (8, 10) and value.isascii() and value.isdigit()
