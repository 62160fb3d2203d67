"""A plan's model taken apart at its last common months: one master, and a block for each branch behind them.

The master holds the openings and everything that is done in months that several branches share; with the master at x,
what remains falls into blocks, one for each branch (and independent part of the network):

V[b](x) = min c[b]·y  with  L[b] ≤ A·y + T[b]·x ≤ U[b]  and  l ≤ y ≤ u[b] − t[b]·x.

A row with one entry outside the master (shipments only from what is open) is not kept as a row but as the bound
u[b] − t[b]·x of its column. Blocks with the same A have the same *shape* and share one model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ashore.plans.calendar import Calendar, Floats, Ints
from ashore.plans.model import Model
from ashore.plans.money import Charges
from ashore.plans.sheet import Arrays, Mask
from ashore.plans.solver import cut

Ties = tuple[Ints, Ints, Floats]


def total(place: Ints, value: Floats, count: int) -> Floats:
    """The sum of the values at each place from 0 to ``count``."""
    found: Floats = np.bincount(place, value, count).astype(float)
    return found


class CannotSplit(Exception):
    """The model has one branch only, a row that ties branches together, or a gain without limit."""


@dataclass(frozen=True)
class Shape:
    """The matrix shared by blocks, by compressed columns; whole: its columns that stand for whole numbers."""

    columns: int
    rows: int
    start: npt.NDArray[np.int32]
    index: npt.NDArray[np.int32]
    value: Floats
    whole: Ints


@dataclass(frozen=True)
class Blocks:
    """The model in pieces. Columns and rows of the blocks are numbered anew, block after block.

    trunk: the master's own columns and rows. trunk_usd: what its columns cost, discounted, as (column, node, USD).
    master, column: places in the model of the columns of the trunk and of the blocks; those of block b are
    first_column[b] to first_column[b + 1], and likewise its rows.
    cost, lower, upper; row_lower, row_upper: of blocks' columns and rows, cost given that the block comes to pass.
    row_ties: entries T as (row, trunk column, value); bound_ties: entries t as (column, trunk column, value); both in
    the order of the blocks. node: the first node of each block; shape: its place in shapes.
    """

    trunk: Arrays
    trunk_usd: tuple[Ints, Ints, Floats]
    master: Ints
    column: Ints
    first_column: Ints
    first_row: Ints
    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    row_ties: Ties
    bound_ties: Ties
    node: Ints
    shape: Ints
    shapes: tuple[Shape, ...]

    @property
    def count(self) -> int:
        return len(self.node)

    def of(self, block: int) -> tuple[slice, slice]:
        """Where the columns and rows of a block stand."""
        return (
            slice(int(self.first_column[block]), int(self.first_column[block + 1])),
            slice(int(self.first_row[block]), int(self.first_row[block + 1])),
        )


def tops(calendar: Calendar, by_branch: bool) -> Ints:
    """For each node the first node of its block, -1 where its months belong to the master.

    A block begins below the first node with several children, or, ``by_branch``, below the last one of each branch.
    """
    count = len(calendar.nodes)
    children = np.zeros(count, dtype=np.int64)
    np.add.at(children, calendar.node_parent[calendar.node_parent >= 0], 1)
    splits = children > 1
    if by_branch:  # every node with a split at or below it
        for node in range(count - 1, 0, -1):
            splits[calendar.node_parent[node]] |= splits[node]
    top = np.full(count, -1, dtype=np.int64)
    common = np.zeros(count, dtype=bool)
    for node, parent in enumerate(calendar.node_parent):
        if parent >= 0 and top[parent] >= 0:
            top[node] = top[parent]
        elif by_branch:
            top[node] = -1 if splits[node] else node
        else:
            common[node] = parent < 0 or (common[parent] and not splits[parent])
            top[node] = -1 if common[node] else node
    return top


def take_apart(model: Model, arrays: Arrays, charges: Charges, by_branch: bool) -> Blocks:
    """The pieces of ``arrays``, whose columns cost ``charges``. Raises CannotSplit."""
    cal = model.calendar
    top = tops(cal, by_branch)
    col_top = np.full(arrays.columns, -1, dtype=np.int64)
    for numbers, nodes in ((model.operations, cal.node), (model.decisions, cal.moment_node)):
        for block in numbers:
            held = block >= 0
            col_top[block[held]] = np.broadcast_to(top[nodes], block.shape)[held]
    master = np.flatnonzero(col_top < 0)
    if len(master) == arrays.columns:
        raise CannotSplit
    groups = int(arrays.col_group.max()) + 2
    col_key = np.where(col_top >= 0, col_top * groups + arrays.col_group + 1, -1)

    entry_col = np.repeat(np.arange(arrays.columns), np.diff(arrays.start))
    entry_row = arrays.index.astype(np.int64)
    inner = col_key[entry_col] >= 0
    row_key = np.full(arrays.rows, -1, dtype=np.int64)
    row_key[entry_row[inner]] = col_key[entry_col[inner]]
    if np.any(row_key[entry_row[inner]] != col_key[entry_col[inner]]):
        raise CannotSplit

    upper, bound_row, bound_col, bound_by = _single(arrays, entry_row, entry_col, inner, row_key)
    keys, col_block = _numbered(col_key)
    row_block = np.searchsorted(keys, row_key)
    kept = (row_key >= 0) & ~bound_row
    column = np.argsort(np.where(col_key >= 0, col_block, len(keys)), kind="stable")[: int((col_key >= 0).sum())]
    row = np.argsort(np.where(kept, row_block, len(keys)), kind="stable")[: int(kept.sum())]
    place_col, place_row = np.full(arrays.columns, -1, dtype=np.int64), np.full(arrays.rows, -1, dtype=np.int64)
    place_col[column], place_row[row] = np.arange(len(column)), np.arange(len(row))
    place_master = np.full(arrays.columns, -1, dtype=np.int64)
    place_master[master] = np.arange(len(master))
    first_column = np.searchsorted(col_block[column], np.arange(len(keys) + 1))
    first_row = np.searchsorted(row_block[row], np.arange(len(keys) + 1))

    tied = ~inner & (row_key[entry_row] >= 0)
    by_row = tied & ~bound_row[entry_row]
    by_bound = tied & bound_row[entry_row]
    of_row = entry_row[by_bound]
    mine = inner & ~bound_row[entry_row]
    local_col, local_row, value = place_col[entry_col[mine]], place_row[entry_row[mine]], arrays.value[mine]
    order = np.lexsort((local_row, local_col))
    whole = arrays.integer[column]
    shape, shapes = _shapes(first_column, first_row, local_col[order], local_row[order], value[order], whole)

    node = keys // groups
    chance = cal.node_chance[node][col_block[column]]
    usd = charges.usd * cal.factor_month[charges.month]
    expected = total(charges.column, usd * cal.node_chance[charges.node], arrays.columns)[column]
    cost = np.divide(expected, chance, out=np.zeros(len(column)), where=chance > 0)
    if np.any((cost < 0) & np.isposinf(upper[column])):  # the cuts start from the least a block can cost
        raise CannotSplit
    of_trunk = place_master[charges.column] >= 0
    trunk_row = np.flatnonzero(row_key < 0)
    return Blocks(
        trunk=cut(arrays.with_rows(trunk_row), master, np.arange(len(trunk_row))),
        trunk_usd=(place_master[charges.column[of_trunk]], charges.node[of_trunk], usd[of_trunk]),
        master=master,
        column=column,
        first_column=first_column,
        first_row=first_row,
        cost=cost,
        lower=_lean(arrays.col_lower[column]),
        upper=upper[column],
        row_lower=arrays.row_lower[row],
        row_upper=arrays.row_upper[row],
        row_ties=_ordered(place_row[entry_row[by_row]], place_master[entry_col[by_row]], arrays.value[by_row]),
        bound_ties=_ordered(
            place_col[bound_col[of_row]], place_master[entry_col[by_bound]], arrays.value[by_bound] / bound_by[of_row]
        ),
        node=node,
        shape=shape,
        shapes=shapes,
    )


def join(pieces: Iterable[Blocks], trunk_nodes: Mask) -> Blocks:
    """The blocks of models with the same trunk as one; the places of columns in those models are not kept.

    trunk_nodes: True for the nodes whose charges all the pieces share.
    """
    parts: dict[str, list[Any]] = {}
    shapes: dict[bytes, int] = {}
    known: list[Shape] = []
    first: Blocks | None = None
    columns = rows = 0
    for piece in pieces:
        if first is None:
            first = piece
        assert np.array_equal(piece.trunk.index, first.trunk.index), "pieces of one plan share their trunk"
        number = []
        for shape in piece.shapes:
            key = _key(shape)
            if key not in shapes:
                shapes[key] = len(known)
                known.append(shape)
            number.append(shapes[key])
        column, node, usd = piece.trunk_usd
        mine = ~trunk_nodes[node] if piece is not first else np.ones(len(node), dtype=bool)
        for name, values in (
            ("first_column", piece.first_column[1:] + columns),
            ("first_row", piece.first_row[1:] + rows),
            ("trunk_column", column[mine]),
            ("trunk_node", node[mine]),
            ("trunk_usd", usd[mine]),
            ("row_tie", piece.row_ties[0] + rows),
            ("row_by", piece.row_ties[1]),
            ("row_value", piece.row_ties[2]),
            ("bound_tie", piece.bound_ties[0] + columns),
            ("bound_by", piece.bound_ties[1]),
            ("bound_value", piece.bound_ties[2]),
            ("shape", np.array(number, dtype=np.int64)[piece.shape]),
            *((name, getattr(piece, name)) for name in ("cost", "lower", "upper", "row_lower", "row_upper", "node")),
        ):
            parts.setdefault(name, []).append(values)
        columns, rows = columns + len(piece.cost), rows + len(piece.row_lower)
    assert first is not None

    def whole(name: str) -> Any:
        return np.concatenate(parts.pop(name))  # one at a time, for the memory

    return Blocks(
        trunk=first.trunk,
        trunk_usd=(whole("trunk_column"), whole("trunk_node"), whole("trunk_usd")),
        master=np.zeros(0, dtype=np.int64),
        column=np.zeros(0, dtype=np.int64),
        first_column=np.concatenate([[0], whole("first_column")]),
        first_row=np.concatenate([[0], whole("first_row")]),
        cost=whole("cost"),
        lower=_lean(whole("lower")),
        upper=whole("upper"),
        row_lower=whole("row_lower"),
        row_upper=whole("row_upper"),
        row_ties=(whole("row_tie"), whole("row_by"), whole("row_value")),
        bound_ties=(whole("bound_tie"), whole("bound_by"), whole("bound_value")),
        node=whole("node"),
        shape=whole("shape"),
        shapes=tuple(known),
    )


def select(blocks: Blocks, members: Ints) -> Blocks:
    """Some of the blocks behind the same trunk; places of columns in the model are not kept."""
    taken = [blocks.of(int(block)) for block in members]
    columns = np.concatenate([np.arange(own.start, own.stop) for own, _ in taken])
    rows = np.concatenate([np.arange(mine.start, mine.stop) for _, mine in taken])
    place_column, place_row = np.full(len(blocks.cost), -1), np.full(len(blocks.row_lower), -1)
    place_column[columns], place_row[rows] = np.arange(len(columns)), np.arange(len(rows))

    def kept(ties: Ties, place: Ints) -> Ties:
        here = place[ties[0]] >= 0
        return _ordered(place[ties[0][here]], ties[1][here], ties[2][here])

    used, shape = np.unique(blocks.shape[members], return_inverse=True)
    return replace(
        blocks,
        master=np.zeros(0, dtype=np.int64),
        column=np.zeros(0, dtype=np.int64),
        first_column=np.cumsum([0, *(own.stop - own.start for own, _ in taken)]),
        first_row=np.cumsum([0, *(mine.stop - mine.start for _, mine in taken)]),
        row_ties=kept(blocks.row_ties, place_row),
        bound_ties=kept(blocks.bound_ties, place_column),
        node=blocks.node[members],
        shape=shape,
        shapes=tuple(blocks.shapes[number] for number in used),
        **{name: getattr(blocks, name)[columns] for name in ("cost", "lower", "upper")},
        **{name: getattr(blocks, name)[rows] for name in ("row_lower", "row_upper")},
    )


def _lean(values: Floats) -> Floats:
    """The values, or, where all are 0, as many of them as one: they are as long as all columns of the plan."""
    return values if values.any() else np.broadcast_to(0.0, len(values))


def _ordered(place: Ints, by: Ints, value: Floats) -> Ties:
    order = np.argsort(place, kind="stable")
    return place[order], by[order], value[order]


def _single(
    arrays: Arrays, entry_row: Ints, entry_col: Ints, inner: Mask, row_key: Ints
) -> tuple[Floats, Mask, Ints, Floats]:
    """Rows that are no more than an upper bound, never below 0, of one column outside the master.

    Returns the upper bounds of all columns, which rows these are, and column and value of their one entry.
    """
    inside = np.bincount(entry_row[inner], minlength=arrays.rows)
    col, by = np.full(arrays.rows, -1, dtype=np.int64), np.ones(arrays.rows)
    col[entry_row[inner]], by[entry_row[inner]] = entry_col[inner], arrays.value[inner]
    dearest = np.full(arrays.rows, -np.inf)
    np.maximum.at(dearest, entry_row[~inner], arrays.value[~inner])
    fits = (inside == 1) & (row_key >= 0) & (by > 0) & (dearest <= 0)
    fits &= np.isneginf(arrays.row_lower) & (arrays.row_upper >= 0)
    fits &= (arrays.col_lower[col] == 0) & np.isposinf(arrays.col_upper[col])
    rows = np.flatnonzero(fits)
    _, first = np.unique(col[rows], return_index=True)
    chosen = rows[first]
    upper = arrays.col_upper.copy()
    upper[col[chosen]] = arrays.row_upper[chosen] / by[chosen]
    bound = np.zeros(arrays.rows, dtype=bool)
    bound[chosen] = True
    return upper, bound, col, by


def _numbered(keys: Ints) -> tuple[Ints, Ints]:
    """The sorted keys from 0 up, and the place of each key among them (-1 for those below 0)."""
    known = np.unique(keys[keys >= 0])
    return known, np.where(keys >= 0, np.searchsorted(known, keys), -1)


def _shapes(
    first_column: Ints, first_row: Ints, col: Ints, row: Ints, value: Floats, whole: Mask
) -> tuple[Ints, tuple[Shape, ...]]:
    """The distinct matrices of the blocks, entries sorted by column and row."""
    found: dict[bytes, int] = {}
    shapes: list[Shape] = []
    shape = np.zeros(len(first_column) - 1, dtype=np.int64)
    limits = np.searchsorted(col, first_column)
    for block in range(len(shape)):
        columns = int(first_column[block + 1] - first_column[block])
        rows = int(first_row[block + 1] - first_row[block])
        span = slice(limits[block], limits[block + 1])
        local = col[span] - first_column[block]
        index = (row[span] - first_row[block]).astype(np.int32)
        start = np.zeros(columns + 1, dtype=np.int32)
        np.cumsum(np.bincount(local, minlength=columns), out=start[1:])
        integer = np.flatnonzero(whole[first_column[block] : first_column[block + 1]])
        one = Shape(columns, rows, start, index, value[span], integer)
        key = _key(one)
        if key not in found:
            found[key] = len(shapes)
            shapes.append(one)
        shape[block] = found[key]
    return shape, tuple(shapes)


def _key(shape: Shape) -> bytes:
    parts = (shape.start, shape.index, shape.value, shape.whole)
    return hashlib.sha256(b"|".join([str(shape.rows).encode(), *(part.tobytes() for part in parts)])).digest()
