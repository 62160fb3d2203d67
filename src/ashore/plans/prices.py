"""What one more unit is worth: shadow prices of a plan's capacities, supplies and demands.

The decisions on plants are held at the plan's; what is left is linear. The price of a row is its dual value: what the
objective falls (capacity, supply) or rises (demand) by with one more unit in that month of that node, as long as the
same things bind. The cost of the best plan is convex in what is allowed, so a price is at least what the next whole
unit saves and at most what giving one up costs; where the two differ, the optimum is degenerate there and the price
only a bound. For the rows that matter most both are found by solving again.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
import polars as pl

from ashore.plans.aim import with_tail
from ashore.plans.calendar import Floats, Ints
from ashore.plans.model import Model
from ashore.plans.plan import Plan
from ashore.plans.posed import Posed
from ashore.plans.sheet import INFINITE, Arrays
from ashore.plans.solver import THREADS, Limits, cut, passed, split

MOST_COLUMNS = 2_000_000  # of a model whose prices are looked for
STEPS = 12  # names and years that are solved again with one unit more and one less
DUST = 1e-6  # USD; a smaller price is the solver's
MONEY = ("what", "name", "node", "year")


@dataclass(frozen=True)
class Shadow:
    """Shadow prices by what, name, node and year.

    prices: what (capacity, supply, quota, demand), name, node, year, months (how many with a price), usd_per_unit (one
    more unit in each of these months, money of the month, if the node comes to pass), expected_usd (discounted, and
    weighted as in the objective).
    steps: what, name, year, expected_usd (sum of the prices over the nodes), one_more_usd and one_less_usd: what the
    objective falls by with one more unit in every month of the year, and rises by with one less (demand: rises, falls);
    null where there is no plan with it.
    """

    prices: pl.DataFrame
    steps: pl.DataFrame
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "shadow": self.prices.to_dicts(),
            "shadow_steps": self.steps.to_dicts(),
            "shadow_notes": list(self.notes),
        }


@dataclass(frozen=True)
class _Rows:
    """Rows of one kind, a name to each line of ``row`` (names, slots), -1 where there is none.

    sign: 1 where a unit more costs, -1 where it saves. column: (names, slots) of columns whose upper bound moves too.
    earned: (names, slots), what a unit more brings in beside what the row says, weighted as in the objective.
    """

    what: str
    names: tuple[str, ...]
    row: Ints
    sign: float
    column: Ints
    earned: Floats


def shadow(plan: Plan, time: float | None = None) -> Shadow:
    """Prices of a solved plan; ``time``: seconds after which steps are no longer solved."""
    posed, answer = plan.whole()
    arrays = _fixed(posed, answer.x)
    if arrays.columns > MOST_COLUMNS:
        note = f"Shadow prices are left out: the model has {arrays.columns:,} columns, more than {MOST_COLUMNS:,}."
        return Shadow(_table([]), _table([]), (note,))
    begun = clock.perf_counter()
    linear = _Linear(arrays)
    kinds = _kinds(posed, answer.x)
    prices = _prices(posed, kinds, linear)
    ranked = _ranked(prices)
    steps: list[dict[str, Any]] = []
    notes = _notes(posed)
    for what, name, year, usd in ranked[:STEPS]:
        if time is not None and clock.perf_counter() - begun > time:
            notes.append(
                f"Of {min(STEPS, len(ranked))} steps of one unit {len(steps)} were solved in the time allowed."
            )
            break
        steps.append(_step(posed, kinds, linear, (what, name, year)) | {"expected_usd": usd})
    return Shadow(prices, _table(steps), tuple(notes))


def _notes(posed: Posed) -> list[str]:
    if posed.objective == "regret":
        return ["The best plan of each branch alone, against which it is set, is left as it is."]
    if posed.objective == "margin" and posed.aim.risk > 0:
        return ["Demand has no price here: what it earns moves the weights of the branches as well."]
    return []


def _fixed(posed: Posed, x: Floats) -> Arrays:
    """The plan's model, tail and all, with whole-numbered columns held and without rows that only help the solver."""
    arrays, whole = posed.arrays, posed.arrays.integer
    row_lower, row_upper = arrays.row_lower.copy(), arrays.row_upper.copy()
    row_lower[posed.model.links], row_upper[posed.model.links] = -INFINITE, INFINITE
    held = np.round(x)
    arrays = replace(
        arrays,
        col_lower=np.where(whole, held, arrays.col_lower),
        col_upper=np.where(whole, held, arrays.col_upper),
        row_lower=row_lower,
        row_upper=row_upper,
    )
    return with_tail(arrays, posed.aim) if posed.aim.risk > 0 else arrays


def _room(model: Model, arrays: Arrays, x: Floats) -> Floats:
    """The upper side of each row less what the decisions on plants take of it: 0 for what is not open."""
    decided = np.zeros(arrays.columns, dtype=bool)
    for columns in (*model.decisions, model.base):
        decided[columns[columns >= 0]] = True
    column = np.repeat(np.arange(arrays.columns), np.diff(arrays.start))
    mine = decided[column]
    taken = np.bincount(arrays.index[mine], arrays.value[mine] * np.round(x[column[mine]]), arrays.rows)
    return arrays.row_upper - taken


def _kinds(posed: Posed, x: Floats) -> tuple[_Rows, ...]:
    """The rows that have a price; a plant has none where it is not open: its first unit would be a plant."""
    model, room = posed.model, _room(posed.model, posed.arrays, x)
    reach = model.reach
    place = {(pool.place, pool.product): k for k, pool in enumerate(reach.pools) if pool.origin is None}
    wanted = model.balance[[place[key] for key in model.wants]].reshape(model.units.shape)
    supplies = tuple(f"{supply.product} from {supply.origin}" for supply in reach.supplies)
    found = [
        _saving("capacity", reach.plants, np.where(room[model.capacity] > 0, model.capacity, -1)),
        _saving("supply", supplies, model.limit),
    ]
    if model.border is not None:
        found.append(_saving("quota", model.border.names, model.border.quota))
    if posed.objective != "margin" or posed.aim.risk <= 0:
        demands = tuple(f"{product} in {market}" for market, product in model.wants)
        earned = np.zeros(wanted.shape)
        if posed.objective == "margin":
            earned = np.nan_to_num(model.price_usd) * (posed.calendar.chance * posed.calendar.factor)
        found.append(_Rows("demand", demands, np.where(model.units > 0, wanted, -1), 1.0, model.lost, earned))
    return tuple(found)


def _saving(what: str, names: tuple[str, ...], row: Ints) -> _Rows:
    """Rows of which a unit more saves."""
    return _Rows(what, names, row, -1.0, np.full(row.shape, -1, dtype=np.int64), np.zeros(row.shape))


def _prices(posed: Posed, kinds: Iterable[_Rows], linear: _Linear) -> pl.DataFrame:
    cal = posed.calendar
    years = np.array([day.year for day in cal.dates], dtype=np.int64)
    nodes = pl.Series(cal.nodes, dtype=pl.String)
    parts = []
    for kind in kinds:
        price = np.where(kind.row >= 0, linear.dual[kind.row], 0.0)
        price += np.where(kind.column >= 0, np.minimum(linear.reduced[kind.column], 0.0), 0.0)
        price -= np.where(kind.row >= 0, kind.earned, 0.0)
        item, slot = np.nonzero(np.abs(price) > DUST * cal.chance * cal.factor)
        usd = kind.sign * price[item, slot]
        weight = (cal.chance * cal.factor)[slot]
        parts.append(
            pl.DataFrame(
                {
                    "what": pl.Series([kind.what] * len(item), dtype=pl.String),
                    "name": pl.Series(kind.names, dtype=pl.String).gather(item),
                    "node": nodes.gather(cal.node[slot]),
                    "year": years[cal.month[slot]],
                    "usd_per_unit": np.divide(usd, weight, out=np.full(len(usd), np.nan), where=weight > 0),
                    "expected_usd": usd,
                }
            )
        )
    total = pl.concat(parts).group_by(MONEY, maintain_order=True)
    found = total.agg(pl.len().alias("months"), pl.col("usd_per_unit", "expected_usd").sum())
    found = found.with_columns(pl.col("usd_per_unit").fill_nan(None), pl.col("months").cast(pl.Int64))
    return found.select(*MONEY, "months", "usd_per_unit", "expected_usd")


def _ranked(prices: pl.DataFrame) -> list[tuple[str, str, int, float]]:
    """(what, name, year, expected_usd) over the nodes, the largest first; at most a third is demand."""
    total = prices.group_by("what", "name", "year", maintain_order=True).agg(pl.col("expected_usd").sum())
    rows = total.sort("expected_usd", descending=True, maintain_order=True).rows()
    binding = [row for row in rows if row[0] != "demand"]
    wanted = [row for row in rows if row[0] == "demand"]
    least = STEPS - min(len(wanted), STEPS // 3)
    return [*binding[:least], *wanted[: STEPS - min(len(binding), least)]]


def _step(posed: Posed, kinds: Iterable[_Rows], linear: _Linear, key: tuple[str, str, int]) -> dict[str, Any]:
    what, name, year = key
    kind = next(kind for kind in kinds if kind.what == what)
    here = np.array([day.year == year for day in posed.calendar.dates])[posed.calendar.month]
    item = kind.names.index(name)
    rows, columns = kind.row[item, here], kind.column[item, here]
    earned = float(kind.earned[item, here][rows >= 0].sum())
    rows, columns = rows[rows >= 0], columns[columns >= 0]
    more, less = (linear.moved(rows, columns, by) for by in (1.0, -1.0))
    return {
        "what": what,
        "name": name,
        "year": year,
        "one_more_usd": None if more is None else kind.sign * (more - earned),
        "one_less_usd": None if less is None else -kind.sign * (less + earned),
    }


def _table(steps: list[dict[str, Any]]) -> pl.DataFrame:
    text = dict.fromkeys(("what", "name"), pl.String)
    money = dict.fromkeys(("expected_usd", "one_more_usd", "one_less_usd"), pl.Float64)
    return pl.DataFrame(steps, schema={**text, "year": pl.Int64, **money})


class _Linear:
    """A linear model solved part by part, each part kept warm. dual: of every row; reduced: reduced costs."""

    def __init__(self, arrays: Arrays) -> None:
        self.dual, self.reduced = np.zeros(arrays.rows), np.zeros(arrays.columns)
        self.part_of_row = np.full(arrays.rows, -1, dtype=np.int64)
        self.place_of_row, self.place_of_column = (
            np.full(n, -1, dtype=np.int64) for n in (arrays.rows, arrays.columns)
        )
        self.parts: list[tuple[Arrays, Any, float]] = []
        for k, (columns, rows) in enumerate(split(arrays)):
            self.part_of_row[rows], self.place_of_row[rows] = k, np.arange(len(rows))
            self.place_of_column[columns] = np.arange(len(columns))
            piece = cut(replace(arrays, integer=np.zeros(arrays.columns, dtype=bool)), columns, rows)
            model = passed(piece, Limits(), THREADS)
            model.setOptionValue("solver", "simplex")
            model.run()
            usd = model.getInfo().objective_function_value
            if len(rows):
                solution = model.getSolution()
                self.dual[rows], self.reduced[columns] = solution.row_dual, solution.col_dual
            model.setOptionValue("presolve", "off")
            self.parts.append((piece, model, float(usd)))

    def moved(self, rows: Ints, columns: Ints, by: float) -> float | None:
        """By how much the objective rises if the sides of rows, and upper bounds of columns, move; None: no plan."""
        piece, model, usd = self.parts[int(self.part_of_row[rows[0]])]
        row, column = self.place_of_row[rows], self.place_of_column[columns]
        basis = model.getBasis()

        def place(by: float) -> None:
            model.changeRowsBounds(len(row), row.astype(np.int32), piece.row_lower[row] + by, piece.row_upper[row] + by)
            if len(column):
                upper = piece.col_upper[column] + by
                model.changeColsBounds(len(column), column.astype(np.int32), piece.col_lower[column], upper)

        place(by)
        model.run()
        status = model.getModelStatus()
        found = float(model.getInfo().objective_function_value) - usd
        place(0.0)
        model.setBasis(basis)
        return found if status == highspy.HighsModelStatus.kOptimal else None
