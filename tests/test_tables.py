from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashore.errors import AshoreError, Fault, FaultyInput, raise_if, suggest
from ashore.tables import Column, Table, Unfit, countries, parse_cell, read, read_toml

LINES = Table(
    "lines",
    (
        Column("line", "text"),
        Column("hts", "hts"),
        Column("origin", "country"),
        Column("value", "number", above=0),
        Column("units", "integer", minimum=1, maximum=1000),
        Column("on", "date", blank_ok=True),
        Column("mode", "choice", required=False, choices=("air", "ocean")),
        Column("sworn", "yes_no", required=False),
    ),
    key=("line",),
)
HEADER = "line,hts,origin,value,units,on,mode,sworn"
GOOD = "a,8543.70.98.60,my,12.5,3,2026-11-22,Ocean,yes"


def reading(tmp_path: Path, text: str | bytes, keep_faulty: bool = False) -> tuple[list[dict], list[Fault]]:
    path = tmp_path / "lines.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    faults: list[Fault] = []
    return read(path, LINES, faults, keep_faulty=keep_faulty), faults


def test_a_good_row_is_typed(tmp_path: Path) -> None:
    rows, faults = reading(tmp_path, f"{HEADER},note\n{GOOD},from the broker\n")
    assert faults == []
    row = rows[0]
    assert row == {
        "line": "a",
        "hts": "8543709860",
        "origin": "MY",
        "value": 12.5,
        "units": 3,
        "on": date(2026, 11, 22),
        "mode": "ocean",
        "sworn": True,
        "source": None,
        "note": "from the broker",
        "_row": 2,
        "_unfit": frozenset(),
    }


def test_blank_means_not_given(tmp_path: Path) -> None:
    rows, faults = reading(tmp_path, f"{HEADER}\na,85437098,MY,1,1,,,\n")
    assert faults == []
    assert (rows[0]["on"], rows[0]["mode"], rows[0]["sworn"]) == (None, None, None)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_do_not_matter(tmp_path: Path, ends: str, mark: str) -> None:
    rows, faults = reading(tmp_path, mark + ends.join((HEADER, GOOD, "", GOOD.replace("a,", "b,", 1), "")))
    assert faults == []
    assert [(row["line"], row["_row"]) for row in rows] == [("a", 2), ("b", 4)]


def test_rows_are_counted_in_lines_of_the_file(tmp_path: Path) -> None:
    _, faults = reading(tmp_path, f'{HEADER},note\n{GOOD},"two\nlines"\nb,85437098,MY,x,1,,,,\n')
    assert [(fault.row, fault.column) for fault in faults] == [(4, "value")]


@pytest.mark.parametrize(
    ("cell", "column", "said"),
    [
        ("nan", "value", "not a number"),
        ("inf", "value", "not a number"),
        ("1e400", "value", "too large"),
        ("1_000", "value", "not a number"),
        ('"1,000"', "value", "not a number"),
        ("$5", "value", "not a number"),
        ("٣", "value", "not a number"),
        ("0", "value", "not above 0"),
        ("-1", "value", "not above 0"),
        ("", "value", "blank"),
        ("1.5", "units", "whole number"),
        ("0", "units", "below 1"),
        ("1001", "units", "above 1000"),
        ("9" * 5000, "units", "whole number"),
        ("2026-02-30", "on", "calendar"),
        ("20260201", "on", "not a date"),
        ("22.11.2026", "on", "not a date"),
        ("854370986", "hts", "8 or 10 digits"),
        ("8543.70", "hts", "8 or 10 digits"),
        ("XX", "origin", "not a country code"),
        ("rail", "mode", "not one of air, ocean"),
        ("maybe", "sworn", "neither yes nor no"),
        ("1", "sworn", "neither yes nor no"),
    ],
)
def test_an_unfit_cell_is_a_fault_with_row_column_and_remedy(tmp_path: Path, cell: str, column: str, said: str) -> None:
    names = HEADER.split(",")
    cells = dict(zip(names, GOOD.split(","), strict=True)) | {column: cell}
    rows, faults = reading(tmp_path, f"{HEADER}\n{','.join(cells[name] for name in names)}\n")
    assert rows == []
    [fault] = faults
    assert (fault.where, fault.row, fault.column) == ("lines.csv", 2, column)
    assert said in fault.what
    assert fault.remedy


def test_all_faults_are_found_at_once(tmp_path: Path) -> None:
    text = f"{HEADER}\n{GOOD}\na,85437098,MY,1,1,,,\nb,1,ZZ,nan,x,never,rail,perhaps\nc,85437098,MY\n"
    rows, faults = reading(tmp_path, text)
    assert [row["line"] for row in rows] == ["a"]
    assert [(fault.row, fault.column) for fault in faults] == [
        (3, None),
        (4, "hts"),
        (4, "origin"),
        (4, "value"),
        (4, "units"),
        (4, "on"),
        (4, "mode"),
        (4, "sworn"),
        (5, None),
    ]
    assert "row 2" in faults[0].what
    assert "3 cells" in faults[-1].what
    assert "8 columns" in faults[-1].what


def test_a_ragged_row_is_one_fault_however_its_cells_shift(tmp_path: Path) -> None:
    _, faults = reading(tmp_path, f"{HEADER}\nAcme, Inc,85437098,MY,1,1,,,\n")
    assert len(faults) == 1
    assert "9 cells" in faults[0].what


def test_a_blank_row_is_refused_once(tmp_path: Path) -> None:
    _, faults = reading(tmp_path, f"{HEADER}\n{GOOD}\n,,,,,,,\n")
    assert [(fault.row, fault.what) for fault in faults] == [(3, "The row is blank.")]


def test_a_misspelt_column_is_one_fault_that_names_the_right_one(tmp_path: Path) -> None:
    _, faults = reading(tmp_path, f"{HEADER.replace('origin', 'orgin')}\n{GOOD}\n")
    [fault] = faults
    assert (fault.row, fault.column) == (1, "orgin")
    assert fault.remedy == "Did you mean 'origin'?"


def test_missing_double_and_nameless_columns(tmp_path: Path) -> None:
    _, faults = reading(tmp_path, "line,line,hts,value,units,on,\nz,z,85437098,1,1,,\n")
    said = " ".join(fault.what for fault in faults)
    assert "'line' is there twice" in said
    assert "Column 7 has no name" in said
    assert "'origin' is missing" in said
    assert len(faults) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        (HEADER.replace(",", ";") + "\n", "not separated by commas"),
        (HEADER.replace(",", "\t") + "\n", "not separated by commas"),
        (f"{HEADER}\n".encode() + b"caf\xe9,1\n", "not UTF-8"),
        (f"{HEADER}\n".encode("utf-16"), "not UTF-8"),
        (f'{HEADER}\na,"open,1\n', "not CSV"),
        (f'{HEADER}\na,"b"c,1\n', "not CSV"),
    ],
)
def test_a_file_that_is_no_table_is_one_fault(tmp_path: Path, text: str | bytes, said: str) -> None:
    rows, faults = reading(tmp_path, text)
    assert rows == []
    [fault] = faults
    assert said in fault.what


def test_a_missing_file_and_a_folder_are_faults(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert read(tmp_path / "lines.csv", LINES, faults) == []
    assert read(tmp_path, LINES, faults) == []
    assert "no such file" in faults[0].what
    assert HEADER in faults[0].remedy
    assert "cannot be read" in faults[1].what


def test_header_only_is_an_empty_table(tmp_path: Path) -> None:
    assert reading(tmp_path, f"{HEADER}\n") == ([], [])


def test_keep_faulty_keeps_the_fit_cells_and_names_the_others(tmp_path: Path) -> None:
    rows, _ = reading(tmp_path, f"{HEADER}\nb,85437098,ZZ,1,1,,,\n", keep_faulty=True)
    assert (rows[0]["line"], rows[0]["origin"], rows[0]["_unfit"]) == ("b", None, {"origin"})


COLUMNS = {
    "line": ["a", "b"],
    "hts": [8543709860, 85437098],
    "origin": ["MY", "CN"],
    "value": [1.5, 2.0],
    "units": [1.0, 2.0],
    "on": [date(2026, 1, 1), None],
    "sworn": [True, False],
}


def as_rows(columns: dict) -> list[dict]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("made", [dict, pl.DataFrame, pl.LazyFrame, as_rows])
def test_tables_in_memory_read_like_files(made) -> None:
    faults: list[Fault] = []
    rows = read(made(COLUMNS), LINES, faults)
    assert faults == []
    first, second = rows
    assert (first["hts"], first["units"], first["on"], first["sworn"]) == ("8543709860", 1, date(2026, 1, 1), True)
    assert (second["value"], second["on"], second["sworn"], second["_row"]) == (2.0, None, False, 3)


class Stream:
    """Anything with an Arrow stream will do."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


def test_an_arrow_stream_is_accepted() -> None:
    faults: list[Fault] = []
    rows = read(Stream(pl.DataFrame(COLUMNS)), LINES, faults)
    assert faults == []
    assert [row["line"] for row in rows] == ["a", "b"]


def test_a_datetime_at_midnight_is_a_day_and_nan_is_refused() -> None:
    frame = pl.DataFrame(COLUMNS | {"on": [datetime(2026, 1, 1), None], "value": [float("nan"), 1.0]})
    faults: list[Fault] = []
    rows = read(frame, LINES, faults, where="my frame")
    assert [row["line"] for row in rows] == ["b"]
    assert str(faults[0]).startswith("my frame, row 2, column value: 'nan' is not a number.")
    assert len(faults) == 1


@pytest.mark.parametrize("source", [7, {"line": ["a"], "hts": ["x", "y"]}, {"line": ["a", 3]}])
def test_what_is_no_table_is_a_fault(source: object) -> None:
    faults: list[Fault] = []
    assert read(source, LINES, faults) == []
    assert "cannot be read as a table" in faults[0].what
    assert "\n" not in str(faults[0])


@given(st.text(max_size=60) | st.lists(st.sampled_from([*HEADER, "\n", '"', ",", "a", "\r", "\x00"])).map("".join))
def test_no_text_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes((HEADER + "\n" + text).encode("utf-8", "surrogatepass"))
    faults: list[Fault] = []
    rows = read(path, LINES, faults)
    assert all(fault.remedy and fault.where == "any.csv" for fault in faults)
    assert rows or faults or not text.strip("\r\n")


@given(st.floats(min_value=1e-9, allow_nan=False, allow_infinity=False))
def test_a_number_written_by_python_reads_back(value: float) -> None:
    assert parse_cell(repr(value), Column("x", "number")) == value


@given(st.dates())
def test_a_date_written_in_iso_reads_back(day: date) -> None:
    assert parse_cell(day.isoformat(), Column("x", "date")) == day


def test_country_names_lead_to_codes() -> None:
    with pytest.raises(Unfit) as caught:
        parse_cell("Malaisia", Column("x", "country"))
    assert caught.value.remedy == "Write MY for Malaysia."


def test_all_countries_of_iso_3166() -> None:
    known = countries()
    assert len(known) == 249
    assert list(known) == sorted(known)
    assert all(len(code) == 2 and code.isupper() and name for code, name in known.items())
    assert {known[code] for code in ("NO", "NA", "TR", "CI")} == {"Norway", "Namibia", "Türkiye", "Côte d'Ivoire"}
    assert "EU" not in known
    assert "UK" not in known


def test_toml_keeps_decimals_and_names_the_line_of_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    faults: list[Fault] = []
    path.write_bytes(b"\xef\xbb\xbfrate = 0.1\r\nfrom = 2026-01-01\r\n")
    assert read_toml(path, faults) == {"rate": Decimal("0.1"), "from": date(2026, 1, 1)}
    assert faults == []
    path.write_text("rate = 0.1\nbroken\n", encoding="utf-8")
    assert read_toml(path, faults) == {}
    assert read_toml(tmp_path / "none.toml", faults) == {}
    assert (faults[0].where, faults[0].row) == ("x.toml", 2)
    assert "no such file" in faults[1].what


def test_a_fault_reads_as_a_sentence_and_as_a_mapping() -> None:
    fault = Fault("parts.csv", "'abc' is not a number.", "Write it as 12.5.", row=7, column="quantity")
    assert str(fault) == "parts.csv, row 7, column quantity: 'abc' is not a number. Write it as 12.5."
    assert fault.as_dict()["row"] == 7


def test_raise_if_raises_all_faults_together() -> None:
    raise_if([])
    faults = [Fault("a", "One.", "Do."), Fault("b", "Two.", "Do.")]
    with pytest.raises(AshoreError) as caught:
        raise_if(faults)
    assert type(caught.value) is FaultyInput
    assert caught.value.faults == tuple(faults)
    assert str(caught.value) == "a: One. Do.\nb: Two. Do."


def test_suggestions() -> None:
    assert suggest("penang", ["Penang", "Texas"], "Add it.") == "Did you mean 'Penang'?"
    assert suggest("zzz", ["Penang", "Texas"], "Add it.") == "Add it. Known: Penang, Texas."
    assert suggest("zzz", [], "Add it.") == "Add it."


def test_errors_and_tables_start_without_the_heavy_libraries() -> None:
    code = "import sys, ashore.errors, ashore.tables; print(sorted({'polars', 'numpy'} & set(sys.modules)))"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "[]"
