"""Answers of public services and of a node, as series: Coin Metrics (community), mempool.space, bitcoind.

The formats are those the services document; nothing of theirs ships. Coin Metrics' community data are CC BY-NC 4.0.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ashore.errors import Fault, FaultyInput, raise_if
from ashore.mining.chain import SATOSHI, subsidy_btc
from ashore.mining.series import MOST, VALUES, Series, series_of

COIN_METRICS = ("PriceUSD", "ReferenceRateUSD", "FeeTotNtv", "BlkCnt", "DiffLast", "DiffMean")
KNOWN = (
    "Known: the answers of Coin Metrics' timeseries/asset-metrics (JSON or CSV) with PriceUSD, FeeTotNtv and BlkCnt,"
    " and of mempool.space's mining/blocks/fees, mining/blocks/rewards, mining/hashrate and historical-price; or a CSV"
    f" file with date and any of {', '.join(VALUES)}."
)
MOST_FAULTS = 20  # named of one file
Sample = tuple[date, str, float]  # day, value's name, value
Given = Iterator[tuple[str, float | None]]  # value's name, value


def header_of(text: str) -> list[str]:
    """The names in the first line of a CSV file; none if that is no CSV."""
    try:
        return next(csv.reader([text.split("\n", 1)[0].strip("\ufeff\r")]), [])
    except csv.Error:
        return []


def is_coin_metrics(header: Iterable[str]) -> bool:
    """Whether the header of a CSV file is that of Coin Metrics."""
    names = set(header)
    return "time" in names and bool(names & set(COIN_METRICS))


def from_csv(text: str, where: str) -> Series:
    """Coin Metrics' answer with format=csv (or the file btc.csv of its community archive)."""
    reader = csv.DictReader(io.StringIO(text))
    try:
        return _coin_metrics(list(reader), where, first_row=2)
    except csv.Error as error:
        what = f"The line is not CSV ({error})."
        raise FaultyInput(Fault(where, what, "Save the answer as it came.", reader.line_num + 1)) from None


def from_json(text: str, where: str) -> Series:
    """A service's answer, told by its shape. Raises FaultyInput if it is none that is known."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FaultyInput(Fault(where, f"This is not JSON ({error}).", "Save the answer as it came.")) from None
    if isinstance(document, dict):
        if isinstance(document.get("data"), list):
            return _coin_metrics(_records(document["data"], where), where)
        if isinstance(document.get("prices"), list):
            return _prices(_records(document["prices"], where), where)
        if isinstance(document.get("difficulty"), list):
            return _difficulties(_records(document["difficulty"], where), where)
    elif isinstance(document, list):
        records = _records(document, where)
        if not records or any(key in records[0] for key in ("avgFees", "avgRewards")):
            return _blocks(records, where)
    raise FaultyInput(Fault(where, "This answer is not of a known shape.", KNOWN))


def next_page(text: str) -> str | None:
    """Address of the next page of a Coin Metrics answer, if there is one."""
    document = json.loads(text) if text.lstrip().startswith("{") else None
    found = document.get("next_page_url") if isinstance(document, dict) else None
    return found if isinstance(found, str) and found else None


def block_samples(stats: Mapping[str, Any], where: str) -> list[Sample]:
    """The fees of one block from bitcoind's ``getblockstats``, which counts in satoshi."""
    faults: list[Fault] = []
    day = _day(stats.get("time"), f"{where}, block {stats.get('height')}", None, faults)
    fees = _number(stats, "totalfee", where, None, faults)
    raise_if(faults)
    return [] if day is None or fees is None else [(day, "fees_btc", fees / SATOSHI)]


def daily(samples: Iterable[Sample], where: str) -> Series:
    """One value a day (UTC): the mean of prices and fees, the last difficulty."""
    gathered: dict[tuple[date, str], list[float]] = defaultdict(list)
    for day, name, value in samples:
        gathered[day, name].append(value)
    days = sorted({day for day, _ in gathered})
    columns = {name: [math.nan] * len(days) for name in VALUES}
    for place, day in enumerate(days):
        for name, column in columns.items():
            values = gathered.get((day, name))
            if values:
                column[place] = values[-1] if name == "difficulty" else math.fsum(values) / len(values)
    return series_of(days, where, **columns)


def _coin_metrics(rows: Sequence[Mapping[str, Any]], where: str, first_row: int = 1) -> Series:
    """One row a day: price; total fees over blocks; difficulty if it was asked for."""

    def read(cells: _Cells) -> Given:
        asset = cells.row.get("asset")
        if asset not in (None, "btc"):
            cells.fault(f"The row is of asset '{asset}'.", "Ask for assets=btc.", "asset")
        fees, blocks = cells.number("FeeTotNtv"), cells.number("BlkCnt")
        if fees is not None and blocks is None:
            cells.fault("The fees of the day are given, its blocks are not.", "Ask for BlkCnt as well.", "BlkCnt")
        if blocks is not None and 0 < blocks < 1:
            cells.fault(f"{blocks:g} is no number of blocks.", "Give the blocks of the day.", "BlkCnt")
        yield "price_usd", cells.first("PriceUSD", "ReferenceRateUSD")
        yield "fees_btc", fees / blocks if fees and blocks else fees
        yield "difficulty", cells.difficulty("DiffLast", "DiffMean")

    return _read(rows, where, ("time",), read, first_row)


def _blocks(rows: Sequence[Mapping[str, Any]], where: str) -> Series:
    """mining/blocks/fees (avgFees) or mining/blocks/rewards (avgRewards, with the subsidy) in satoshi, and USD."""

    def read(cells: _Cells) -> Given:
        fees, rewards, height = (cells.number(name) for name in ("avgFees", "avgRewards", "avgHeight"))
        if fees is None and rewards is not None and height is not None:
            fees = max(rewards - float(subsidy_btc(int(height))) * SATOSHI, 0.0)
        yield "fees_btc", None if fees is None else fees / SATOSHI
        yield "price_usd", cells.number("USD") or None

    return _read(rows, where, ("timestamp",), read)


def _prices(rows: Sequence[Mapping[str, Any]], where: str) -> Series:
    """historical-price: USD by time; 0 and −1 stand for a price the service does not have."""

    def read(cells: _Cells) -> Given:
        yield "price_usd", None if cells.row.get("USD") in (0, -1) else cells.number("USD")

    return _read(rows, where, ("time",), read)


def _difficulties(rows: Sequence[Mapping[str, Any]], where: str) -> Series:
    """mining/hashrate: each change of the difficulty with its time."""

    def read(cells: _Cells) -> Given:
        yield "difficulty", cells.difficulty("difficulty")

    return _read(rows, where, ("time", "timestamp"), read)


@dataclass(frozen=True)
class _Cells:
    """One record of an answer: its values, and the list its faults go to."""

    row: Mapping[str, Any]
    where: str
    number_of_row: int
    faults: list[Fault]

    def fault(self, what: str, remedy: str, key: str) -> None:
        self.faults.append(Fault(self.where, what, remedy, self.number_of_row, key))

    def number(self, key: str) -> float | None:
        return _number(self.row, key, self.where, self.number_of_row, self.faults)

    def difficulty(self, *keys: str) -> float | None:
        """The first that is given; a difficulty is 1 or more."""
        found = self.first(*keys)
        if found is not None and found < 1:
            self.fault(f"{found:g} is no difficulty.", "Leave it out where there is none, or correct it.", keys[0])
        return found

    def first(self, *keys: str) -> float | None:
        """The first of some values that is given."""
        return next((value for value in map(self.number, keys) if value is not None), None)


def _read(
    rows: Sequence[Mapping[str, Any]],
    where: str,
    times: Sequence[str],
    read: Callable[[_Cells], Given],
    first_row: int = 1,
) -> Series:
    """Records as a daily series; ``times`` are the keys a record may have its time under. Raises FaultyInput."""
    faults: list[Fault] = []
    samples: list[Sample] = []
    for number, row in enumerate(rows, start=first_row):
        day = _day(next((row[key] for key in times if key in row), None), where, number, faults)
        given = list(read(_Cells(row, where, number, faults)))
        if day is not None:
            samples += [(day, name, value) for name, value in given if value is not None]
    raise_if(faults[:MOST_FAULTS])
    return daily(samples, where)


def _records(items: Sequence[Any], where: str) -> list[Mapping[str, Any]]:
    if all(isinstance(item, dict) for item in items):
        return list(items)
    raise FaultyInput(Fault(where, "The answer holds something other than records.", KNOWN))


def _number(row: Mapping[str, Any], key: str, where: str, number: int | None, faults: list[Fault]) -> float | None:
    """A number, or text of one, from 0 to MOST; None if it is not given."""
    value = row.get(key)
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not 0 <= found <= MOST:
        remedy = "Leave it out where there is none, or correct it."
        faults.append(Fault(where, f"{value!r} is no amount.", remedy, number, key))
        return None
    return found


def _day(value: Any, where: str, number: int | None, faults: list[Fault]) -> date | None:
    """The UTC day of seconds since 1970, or of a text such as 2026-06-13T00:00:00.000000000Z."""
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:10])
        return datetime.fromtimestamp(int(value), UTC).date()
    except (TypeError, ValueError, OverflowError, OSError):
        remedy = "Give seconds since 1970, or a day as 2026-11-22."
        faults.append(Fault(where, f"{value!r} is no time.", remedy, number, "time"))
        return None
