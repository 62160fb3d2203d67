"""Schema to reader: a typed table, or every fault at once with file, row and remedy.

A ``Table`` names its columns; ``read`` turns a CSV file (or anything Arrow-compatible) into rows of typed
values and appends what is wrong to a list of faults, never stopping at the first. Every cell is text before
it is anything else, so that an HTS code keeps its leading zero. Blank means "not given" and becomes None.
"""

from ashore.tables.reader import decoded, document_of, read, read_toml, rows_of
from ashore.tables.schema import ArrowLike, Column, Kind, Row, Table, Unfit, countries, parse_cell

__all__ = [
    "ArrowLike",
    "Column",
    "Kind",
    "Row",
    "Table",
    "Unfit",
    "countries",
    "decoded",
    "document_of",
    "parse_cell",
    "read",
    "read_toml",
    "rows_of",
]
