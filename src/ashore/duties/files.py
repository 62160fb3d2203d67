"""Files of entry lines: which columns there are, and each column as an array of plain numbers or codes.

A column that cannot be read yields its faulty rows; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ashore.duties.entry import HIGHEST_VALUE_USD, MODES
from ashore.errors import Fault, FaultyInput, raise_if
from ashore.rules.model import PPM, RuleBook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

REQUIRED = ("hts", "origin", "entry_date", "value_usd")
OPTIONAL = ("line_id", "loaded_date", "mode", "us_content_share", "claims", "source", "note")
BATCH = 500_000
_SHOWN = 100
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
        columns = lines.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(source, error) from error
    raise_if(column_faults(columns, str(source)))
    return lines


def unreadable(source: Path, error: Exception) -> FaultyInput:
    """The fault of a file that is not what its name says."""
    first = str(error).splitlines()[0].rstrip(".")
    return FaultyInput([Fault(str(source), f"the file cannot be read: {first}.", "Save it as UTF-8 CSV or Parquet.")])


def column_faults(columns: list[str], where: str) -> list[Fault]:
    """Columns missing from a file of lines, and columns it may not have."""
    faults = [
        Fault(where, f"column {name!r} is missing.", f"Needed: {', '.join(REQUIRED)}.", row=1)
        for name in REQUIRED
        if name not in columns
    ]
    for name in columns:
        if name not in REQUIRED + OPTIONAL:
            near = get_close_matches(name, REQUIRED + OPTIONAL, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(REQUIRED + OPTIONAL)}."
            faults.append(Fault(where, f"column {name!r} is unknown.", hint, row=1))
    return faults


@dataclass(frozen=True, slots=True)
class Codes:
    """A text column as the place of each row's value in a short list of distinct values; blank is ``None``."""

    values: list[str | None]
    place: Numbers


@dataclass(frozen=True, slots=True)
class Typed:
    """The columns of a batch of lines, typed. ``claims`` codes the distinct (loaded, share, claims) of the lines."""

    hts: Codes
    origin: Codes
    day: Numbers
    cents: Numbers
    claims: list[tuple[date | None, int | None, str | None]]
    claim: Numbers | None


class Reader:
    """Types batches of lines for one book and gathers the faults of their cells."""

    def __init__(self, book: RuleBook, where: str) -> None:
        self.book = book
        self.where = where
        self.faults: list[Fault] = []
        self.hidden = 0
        self.rows = 0

    def typed(self, lines: pl.DataFrame) -> Typed | None:
        """The batch as arrays, or None if any of its cells is faulty."""
        before = len(self.faults) + self.hidden
        hts = self._codes(lines, "hts", lambda text: text.replace(".", "").replace(" ", ""))
        origin = self._codes(lines, "origin", lambda text: text.strip().upper())
        self._check_codes(lines, "hts", hts, _is_hts, "is no tariff number", "Give 8 or 10 digits.")
        known = self.book.countries
        self._check_codes(lines, "origin", origin, known.__contains__, "is no country code", "Use ISO 3166 alpha-2.")
        day = self._days(lines, "entry_date", required=True)
        cents = self._cents(lines)
        claims, claim = self._claims(lines)
        if "mode" in lines.columns:
            mode = self._codes(lines, "mode", str.strip)
            optional = {None, "", *MODES}
            self._check_codes(lines, "mode", mode, optional.__contains__, "is no mode", f"Use {', '.join(MODES)}.")
        self.rows += lines.height
        if len(self.faults) + self.hidden > before:
            return None
        return Typed(hts, origin, day, cents, claims, claim)

    def raise_faults(self) -> None:
        """Raises FaultyInput with the faults of every batch so far."""
        if self.hidden:
            more = Fault(self.where, f"{self.hidden} more cells are faulty.", "Mend these first and run again.")
            self.faults.append(more)
        raise_if(self.faults)

    # -- columns ----------------------------------------------------------------------------------------------------
    def _codes(self, lines: pl.DataFrame, name: str, clean: Callable[[str], str]) -> Codes:
        column = lines[name].cast(pl.String)
        distinct = column.unique()
        words = distinct.drop_nulls().to_list()
        place = column.cast(pl.Enum(words)).to_physical().cast(pl.Int64)
        if distinct.null_count():
            place = place.fill_null(len(words))
        return Codes([*(clean(word) for word in words), None], place.to_numpy())

    def _days(self, lines: pl.DataFrame, name: str, *, required: bool) -> Numbers:
        """Days since 1970 of a date column; blank is -10**6."""
        column = lines[name]
        blank = column.is_null()
        if column.dtype == pl.String:
            text = column.str.strip_chars()
            blank = blank | (text == "")
            day = text.str.to_date("%Y-%m-%d", strict=False)
        else:
            day = column.cast(pl.Date, strict=False)
        bad = day.is_null() if required else day.is_null() & ~blank
        self._add(lines, name, bad.to_numpy(), "is not a date", "Write dates as 2026-11-22.")
        found: Numbers = day.to_physical().cast(pl.Int64).fill_null(-(10**6)).to_numpy()
        if required:
            first, last = self.book.start.toordinal() - _EPOCH, self.book.until.toordinal() - _EPOCH
            outside = ((found < first) | (found >= last)) & (found != -(10**6))
            vouched = f"{self.book.start} up to, not including, {self.book.until}"
            what = f"lies outside what the rule book vouches for ({vouched})"
            self._add(lines, name, outside, what, "Leave the row out, or hold the law with --hold DATE.")
        return found

    def _cents(self, lines: pl.DataFrame) -> Numbers:
        micro = self._micro(lines["value_usd"])
        bad = (micro.is_null() | ~micro.is_between(0, HIGHEST_VALUE_USD * PPM)).fill_null(True)
        self._add(lines, "value_usd", bad.to_numpy(), "is no customs value", "Write USD of zero or more.")
        whole: Numbers = micro.fill_null(0).to_numpy()
        return (whole * 2 + 10_000) // 20_000

    def _micro(self, column: pl.Series) -> pl.Series:
        """A number column in millionths, exact for text and for floats of up to six decimals."""
        if column.dtype == pl.String:
            text = column.str.strip_chars()
            number = text.cast(pl.Decimal(38, 6), strict=False)
            return (number * PPM).cast(pl.Int64, strict=False)
        number = column.cast(pl.Float64, strict=False)
        number = number.set(~number.is_finite().fill_null(False), None)
        return (number * PPM).round().cast(pl.Int64, strict=False)

    def _claims(self, lines: pl.DataFrame) -> tuple[list[tuple[date | None, int | None, str | None]], Numbers | None]:
        names = [n for n in ("loaded_date", "us_content_share", "claims") if n in lines.columns]
        names = [n for n in names if lines[n].null_count() < lines.height]
        if not names:
            return [(None, None, None)], None
        blank = pl.Series([None], dtype=pl.String).new_from_index(0, lines.height)
        loaded = share = blank
        if "loaded_date" in names:
            day = self._days(lines, "loaded_date", required=False)
            loaded = pl.Series(day, dtype=pl.Int64).replace(-(10**6), None).cast(pl.Int32).cast(pl.Date)
        if "us_content_share" in names:
            share = self._micro(lines["us_content_share"])
            given = lines["us_content_share"].cast(pl.String).str.strip_chars().replace("", None).is_not_null()
            bad = given & ~share.is_between(0, PPM).fill_null(False)
            self._add(lines, "us_content_share", bad.to_numpy(), "is no share", "Write 20 per cent as 0.2.")
        texts = lines["claims"].cast(pl.String).str.strip_chars().replace("", None) if "claims" in names else blank
        keyed = pl.DataFrame({"loaded": loaded, "share": share, "claims": texts})
        distinct = keyed.unique(maintain_order=True).with_row_index("place")
        joined = keyed.join(distinct, on=["loaded", "share", "claims"], nulls_equal=True, maintain_order="left")
        place: Numbers = joined["place"].cast(pl.Int64).to_numpy()
        return list(distinct.drop("place").iter_rows()), place

    # -- faults -----------------------------------------------------------------------------------------------------
    def _check_codes(
        self, lines: pl.DataFrame, name: str, codes: Codes, good: Callable[[Any], bool], what: str, remedy: str
    ) -> None:
        wrong = np.array([not good(value) for value in codes.values])
        if wrong.any():
            self._add(lines, name, wrong[codes.place], what, remedy)

    def _add(self, lines: pl.DataFrame, name: str, bad: Flags, what: str, remedy: str) -> None:
        rows = np.flatnonzero(bad)
        room = max(0, _SHOWN - len(self.faults))
        for row in rows[:room].tolist():
            value = lines[name][row]
            shown = "a blank cell" if value is None or str(value).strip() == "" else repr(str(value))
            self.faults.append(Fault(self.where, f"{shown} {what}.", remedy, row=self.rows + row + 2, column=name))
        self.hidden += max(0, len(rows) - room)


def _is_hts(value: str | None) -> bool:
    return value is not None and len(value) in (8, 10) and value.isascii() and value.isdigit()


def batches(lines: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The lines in order, in batches that bound memory."""
    yield from lines.collect_batches(chunk_size=BATCH, maintain_order=True)
