"""From a CSV file, a TOML file or a table in memory to typed rows and faults."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ashore.errors import Fault, nearest, raise_if
from ashore.tables.schema import ArrowLike, Row, Table, Unfit, parse_cell

ALL_FIT: frozenset[str] = frozenset()


def read(
    source: Path | str | ArrowLike,
    table: Table,
    faults: list[Fault],
    where: str | None = None,
    keep_faulty: bool = False,
) -> list[Row]:
    """Rows of ``source`` typed by ``table``; what is wrong is appended to ``faults``.

    source: a CSV file, or a Polars, pandas or PyArrow table (anything with ``__arrow_c_stream__``), a dict of
        columns or a list of dicts; the rows of such a table are numbered as if written to CSV (first row 2).
    where: how faults call the source; default the file name, or the table's name.
    keep_faulty: also return rows with faults, the unfit cells being None and named in ``row["_unfit"]``; for
        checks across tables that should not report a name as unknown because its row has another fault.
    """
    if isinstance(source, Path | str):
        where = where or Path(source).name or str(source)
        records = _csv_records(Path(source), table, faults, where)
    else:
        where = where or table.name
        records = _frame_records(source, table, faults, where)
    header = next(records, None)
    if header is None:
        return []
    checked = _checked_header(header[1], table, faults, where)
    if checked is None:
        return []
    rows = _typed(records, *checked, table, faults, where)
    return [row for row in rows if keep_faulty or not row["_unfit"]]


def read_toml(path: Path | str, faults: list[Fault], where: str | None = None) -> dict[str, Any]:
    """The document in a TOML file (decimals as ``Decimal``), or {} with a fault naming the line."""
    path = Path(path)
    where = where or path.name or str(path)
    text = _text_of(path, faults, where, "Add the file.")
    if text is None:
        return {}
    try:
        return tomllib.loads(text.replace("\r\n", "\n"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"\(at line (\d+)", str(error))
        what = re.sub(r"\s*\(at .*\)$", "", str(error))
        faults.append(
            Fault(where, f"This is not TOML: {what}.", "Correct the line.", row=int(found[1]) if found else None)
        )
        return {}


def rows_of(source: Path | str | ArrowLike, table: Table, where: str | None = None) -> list[Row]:
    """The rows ``read`` finds. Raises FaultyInput with everything that is wrong."""
    faults: list[Fault] = []
    rows = read(source, table, faults, where)
    raise_if(faults)
    return rows


def document_of(path: Path | str, where: str | None = None) -> dict[str, Any]:
    """The document ``read_toml`` finds. Raises FaultyInput."""
    faults: list[Fault] = []
    document = read_toml(path, faults, where)
    raise_if(faults)
    return document


def _text_of(path: Path, faults: list[Fault], where: str, absent: str) -> str | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        faults.append(Fault(where, "There is no such file.", absent))
        return None
    except OSError as error:
        faults.append(Fault(where, f"The file cannot be read ({error.strerror}).", "Give a readable file."))
        return None
    return decoded(data, faults, where)


def decoded(data: bytes, faults: list[Fault], where: str) -> str | None:
    """The text in the bytes of a file, or None with a fault naming the first line that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.append(Fault(where, "The text is not UTF-8.", "Save the file as UTF-8.", row=line))
        return None


def _csv_records(path: Path, table: Table, faults: list[Fault], where: str) -> Iterator[tuple[int, list[str]]]:
    absent = f"Add {table.name}.csv with the header {table.header}; it may have no rows."
    text = _text_of(path, faults, where, absent)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    started, line = False, 1
    try:
        for cells in reader:
            here, line = line, reader.line_num + 1
            if cells:
                started = True
                yield here, [cell.strip() for cell in cells]
    except csv.Error as error:
        what = f"The line is not CSV ({error})."
        faults.append(Fault(where, what, "Close every quotation mark; double those inside a cell.", row=line))
        return
    if not started:
        faults.append(Fault(where, "The file is empty.", f"Give it the header {table.header}; it may have no rows."))


def _frame_records(source: Any, table: Table, faults: list[Fault], where: str) -> Iterator[tuple[int, list[str]]]:
    import polars as pl

    try:
        if isinstance(source, pl.LazyFrame):
            source = source.collect()
        # strict: a value of another type than its column is an error, never a silent null
        frame = source if isinstance(source, pl.DataFrame) else pl.DataFrame(source, infer_schema_length=None)
    except Exception as error:  # every library refuses in its own way
        remedy = "Give a Polars, pandas or PyArrow table, or a dict of columns."
        what = f"This cannot be read as a table ({(str(error).splitlines() or [type(error).__name__])[0]})."
        faults.append(Fault(where, what, remedy))
        return
    yield 1, list(frame.columns)
    for number, values in enumerate(frame.iter_rows(), start=2):
        yield number, [_cell_text(value) for value in values]


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime) and value.time().isoformat() == "00:00:00":
        return value.date().isoformat()
    return str(value).strip()


def _checked_header(
    header: list[str], table: Table, faults: list[Fault], where: str
) -> tuple[list[str | None], set[str]] | None:
    """Column name per position (None: skip it) and the columns lost to a fault; None: nothing can be read."""
    known = [column.name for column in table.all_columns]
    if len(header) == 1 and header[0] not in known and re.search(r"[;\t|]", header[0]):
        faults.append(Fault(where, "The columns are not separated by commas.", "Save the file with commas.", row=1))
        return None
    names: list[str | None] = []
    missing = [column.name for column in table.columns if column.required and column.name not in header]
    free = [name for name in known if name not in header]
    lost = set(missing)
    for position, name in enumerate(header, start=1):
        if name in names:
            faults.append(Fault(where, f"The column '{name}' is there twice.", "Keep one of them.", row=1, column=name))
            names.append(None)
        elif name in known:
            names.append(name)
        elif not name:
            faults.append(Fault(where, f"Column {position} has no name.", "Name it or delete it.", row=1))
            names.append(None)
        else:
            near = nearest(name, free)
            if near is not None:
                remedy = f"Did you mean '{near}'?"
                lost.add(near)
                missing = [column for column in missing if column != near]
            else:
                remedy = f"Delete it, or put it in note. Known: {_listed(known)}."
            faults.append(Fault(where, f"The column '{name}' is unknown.", remedy, row=1, column=name))
            names.append(None)
    for name in missing:
        faults.append(Fault(where, f"The column '{name}' is missing.", f"Add it to the header: {table.header}.", row=1))
    return names, lost


def _typed(
    records: Iterator[tuple[int, list[str]]],
    names: Sequence[str | None],
    lost: set[str],
    table: Table,
    faults: list[Fault],
    where: str,
) -> Iterator[Row]:
    columns = {column.name: column for column in table.all_columns}
    seen: dict[tuple[Any, ...], int] = {}
    parsed: dict[tuple[str, str], Any] = {}  # what cells say again and again
    for line, cells in records:
        if not any(cells):
            faults.append(Fault(where, "The row is blank.", "Delete the row.", row=line))
            continue
        row: Row = dict.fromkeys(columns)
        row["_row"] = line
        unfit = set(lost)
        if len(cells) != len(names):
            what = f"The row has {_count(len(cells), 'cell')}, the header {_count(len(names), 'column')}."
            remedy = "Give one cell per column, and put quotation marks around a cell that holds a comma."
            faults.append(Fault(where, what, remedy, row=line))
            unfit |= set(columns)
        for name, text in zip(names, cells, strict=False):
            if name is None or (name in unfit and not text):
                continue
            if (name, text) in parsed:
                row[name] = parsed[name, text]
                continue
            column = columns[name]
            try:
                if text:
                    row[name] = parsed[name, text] = parse_cell(text, column)
                elif column.required and not column.blank_ok:
                    raise Unfit("The cell is blank.", f"Give the {name}.")
            except Unfit as error:
                if name not in unfit:  # a ragged row is one fault, not one for every shifted cell
                    faults.append(Fault(where, error.what, error.remedy, row=line, column=name))
                unfit.add(name)
        row["_unfit"] = frozenset(unfit) if unfit else ALL_FIT
        if table.key and unfit.isdisjoint(table.key):
            key = tuple(row[name] for name in table.key)
            if key in seen:
                what = f"The {_listed(table.key)} are those of row {seen[key]}: {_shown(key)}."
                if len(table.key) == 1:
                    what = f"The {table.key[0]} is that of row {seen[key]}: {_shown(key)}."
                faults.append(Fault(where, what, "Keep one of the two rows.", row=line))
                row["_unfit"] = frozenset(unfit | set(table.key))
            seen.setdefault(key, line)
        yield row


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _shown(key: Iterable[Any]) -> str:
    return ", ".join("blank" if value is None else str(value) for value in key)
