"""Why a plan has a plant, or has it not: the best plan of the opposite kind beside it, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl

from ashore.dates import month_date
from ashore.errors import Fault, SolverTrouble, raise_if, suggest
from ashore.network import Network
from ashore.plans import decode, infeasible
from ashore.plans.again import Again
from ashore.plans.ledger import carried, lines
from ashore.plans.plan import Plan
from ashore.plans.posed import Posed
from ashore.plans.sheet import Arrays
from ashore.plans.solver import Answer, NoPlan

LINE = ("item", "heading", "authority")
ORDER = ("plant", "step", "modules", "node", "month", "date")
PLACE = ("what", "place", "product", "origin")
FEW = 3  # cost lines and moves named in the sentence
SMALL = 0.005  # units; less did not move


@dataclass(frozen=True)
class Why:
    """A plan beside the best plan without a plant it has, or with a plant it has not.

    other: "without" (a candidate never ordered, a standing plant that makes nothing) or "with" (ordered in every
    branch, at the best moments). usd: how much dearer the other plan is under the plan's objective; None without one.
    now_usd: the same if the plant is ordered in month 0; None for "without".
    lines: item, heading, authority, plan_usd, other_usd, more_usd: the money of both, discounted and weighted as in the
    objective; more_usd is in whole cents and sums to usd.
    moves: what (made, lost), place, product, origin, plan_units, other_units, more_units: expected, over the plan.
    orders: plant, step, modules, node, month, date, in_plan, in_other: decisions on plants that only one of them takes.
    """

    plant: str
    other: str
    usd: float | None
    now_usd: float | None
    sentence: str
    lines: pl.DataFrame
    moves: pl.DataFrame
    orders: pl.DataFrame
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, dates as text."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("lines", "moves", "orders"):
            values[name] = values[name].with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d")).to_dicts()
        return values | {"notes": list(self.notes)}


def why(plan: Plan, plants: Iterable[str], time: float | None = None) -> tuple[Why, ...]:
    """The comparison for each plant, in the order given; ``time`` in seconds for each solve.

    Raises FaultyInput for a name that is no plant of the network.
    """
    again, names = Again(plan, time), list(dict.fromkeys(plants))
    check_plants(again.posed.network, names)
    own = _Side(again.posed, again.known)
    return tuple(_compared(plan, again, own, name) for name in names)


def check_plants(network: Network, names: Iterable[str]) -> None:
    """Refuses names that are no plant of the network, all at once."""
    known = network.plants
    faults = [
        Fault("--why", f"There is no plant '{name}'.", suggest(name, known, "Name a plant of the network."))
        for name in names
        if name not in known
    ]
    raise_if(faults)


class _Side:
    """One of the two plans compared: its money by line, its moves and its orders."""

    def __init__(self, posed: Posed, answer: Answer) -> None:
        self.objective = answer.objective
        x, model = answer.x, posed.model
        self.lines = _with_rest(posed, answer, lines(model, posed.law, posed.futures, x, posed.aim.shares(x)))
        chance = dict(zip(posed.calendar.nodes, posed.calendar.node_chance.tolist(), strict=True))
        _, lost, _ = decode.delivering(model, x)
        tables = (
            decode.making(model, x).select(
                pl.lit("made").alias("what"), "node", "units", "product", "origin", place="plant"
            ),
            lost.select(
                pl.lit("lost").alias("what"),
                "node",
                "units",
                "product",
                pl.lit(None, pl.String).alias("origin"),
                place="market",
            ),
        )
        units = pl.col("units") * pl.col("node").replace_strict(chance, return_dtype=pl.Float64)
        self.moves = pl.concat([table.group_by(PLACE).agg(units.sum()).select(*PLACE, "units") for table in tables])
        self.orders = decode.steps(model, x).select(ORDER)


def _with_rest(posed: Posed, answer: Answer, spent: pl.DataFrame) -> pl.DataFrame:
    """The money spent, less what the objective sets it against."""
    items = {"margin": "revenue", "regret": "best plan of the branch"}
    if posed.objective not in items:
        return spent
    usd = answer.objective - posed.aim.lift - float(spent["usd"].sum())
    rest = {"item": [items[posed.objective]], "heading": [None], "authority": [None], "usd": [usd]}
    return pl.concat([spent, pl.DataFrame(rest, schema=spent.schema)])


def _compared(plan: Plan, again: Again, own: _Side, name: str) -> Why:
    posed = again.posed
    if name not in posed.model.candidates and name not in posed.model.reach.plants:
        return _nothing(own, name, f"{name} is not in question: {_no_use(posed, name)}.")
    has = name in posed.model.standing or name in plan.open["plant"]
    arrays = _without(posed, name) if has else _with(posed, name)
    other = "without" if has else "with"
    notes: list[str] = []
    answer = _asked(again, arrays, notes, f"{other.capitalize()} {name}")
    if answer is None:
        return _nothing(own, name, notes[0], other)
    now = None
    if not has:
        first = _asked(again, _now(posed, name), notes, f"With {name} ordered in month 0")
        now = None if first is None else first.objective - own.objective
    side = _Side(posed, answer)
    money, moves, orders = _lines(own, side), _moves(own, side), _orders(own, side)
    usd = side.objective - own.objective
    said = _sentence(plan, name, other, usd, (money, moves, orders))
    if now is not None:
        said += f" Ordered in month 0 it would cost {_more(now)}."
    return Why(name, other, usd, now, said, money, moves, orders, tuple(notes))


def _asked(again: Again, arrays: Arrays, notes: list[str], what: str) -> Answer | None:
    """The best plan of a changed model; None, and a note, if there is none."""
    posed = again.posed
    try:
        answer = again.answer(arrays)
    except NoPlan:
        found = infeasible.explain(posed.model, arrays).faults
        notes.append(f"{what} there is no plan. {found[0].what}")
        return None
    except SolverTrouble:
        notes.append(f"{what}: no plan was found in the time allowed.")
        return None
    if answer.status != "optimal":
        notes.append(f"{what}: not proven best in time (gap {answer.gap:.1e}).")
    return answer


def _without(posed: Posed, name: str) -> Arrays:
    """The plan's model in which a candidate is never ordered, a standing plant makes nothing."""
    model, upper = posed.model, posed.arrays.col_upper.copy()
    if name in model.candidates:
        columns = model.sites.own(name)
    else:
        mine = [k for k, run in enumerate(model.reach.runs) if run.make.plant == name]
        columns = model.make[mine].ravel()
    upper[columns[columns >= 0]] = 0.0
    return replace(posed.arrays, col_upper=upper)


def _with(posed: Posed, name: str) -> Arrays:
    """The plan's model in which a candidate is ordered on every branch by the last moment it can still be ready."""
    opened, cal = posed.model.opened[posed.model.candidates.index(name)], posed.calendar
    lower = posed.arrays.col_lower.copy()
    for leaf in cal.leaves.tolist():
        moment = int(cal.moment[leaf])
        while moment >= 0 and opened[moment] < 0:
            moment = int(cal.moment_parent[moment])
        assert moment >= 0, "a candidate has an order it can be given"
        lower[opened[moment]] = 1.0
    return replace(posed.arrays, col_lower=lower)


def _now(posed: Posed, name: str) -> Arrays:
    """The plan's model in which a candidate is ordered at the first moment."""
    lower = posed.arrays.col_lower.copy()
    lower[posed.model.opened[posed.model.candidates.index(name), 0]] = 1.0
    return replace(posed.arrays, col_lower=lower)


def _no_use(posed: Posed, name: str) -> str:
    """Why nothing that a plant makes can be of use."""
    reach = posed.reach
    lacking = [words for plant, product in reach.lacking if plant == name for words in _lacking(posed, product)]
    return "; ".join(dict.fromkeys(lacking)) or "nothing it makes can reach demand within the months planned"


def _lacking(posed: Posed, product: str) -> list[str]:
    return infeasible.missing_parts(posed.reach, product)


def _nothing(side: _Side, name: str, said: str, other: str = "with") -> Why:
    """An answer without another plan to compare with."""
    money, moves, orders = _lines(side, side), _moves(side, side), _orders(side, side)
    return Why(name, other, None, None, said, money.clear(), moves.clear(), orders.clear())


# -- tables -----------------------------------------------------------------------------------------------------------
def _lines(own: _Side, side: _Side) -> pl.DataFrame:
    """The cost lines of both plans; the differences in whole cents, dearest first, that sum to the whole difference."""
    both = _beside(own.lines, side.lines, LINE, "usd").sort(pl.col("more_usd").abs(), descending=True)
    cents = carried(both["more_usd"].to_numpy() * 100.0) if both.height else np.zeros(0, dtype=np.int64)
    if both.height:  # what the float sums of lines and objectives differ by, which is less than a cent
        cents[0] += round((side.objective - own.objective) * 100) - int(cents.sum())
    found = both.with_columns(more_usd=pl.Series(cents) / 100.0)
    return found.filter((pl.col("more_usd") != 0) | (pl.col("plan_usd") != 0))


def _moves(own: _Side, side: _Side) -> pl.DataFrame:
    both = _beside(own.moves, side.moves, PLACE, "units")
    return both.filter(pl.col("more_units").abs() > SMALL).sort("what", pl.col("more_units"), descending=[True, False])


def _beside(own: pl.DataFrame, side: pl.DataFrame, keys: Sequence[str], value: str) -> pl.DataFrame:
    """plan_, other_ and more_``value`` of two tables by their keys, 0 where one has no row."""
    mine, theirs = f"plan_{value}", f"other_{value}"
    both = own.rename({value: mine}).join(
        side.rename({value: theirs}), on=list(keys), how="full", coalesce=True, nulls_equal=True
    )
    both = both.with_columns(pl.col(mine, theirs).fill_null(0.0))
    return both.with_columns((pl.col(theirs) - pl.col(mine)).alias(f"more_{value}"))


def _orders(own: _Side, side: _Side) -> pl.DataFrame:
    both = own.orders.with_columns(in_plan=True).join(
        side.orders.with_columns(in_other=True), on=list(ORDER), how="full", coalesce=True, nulls_equal=True
    )
    both = both.with_columns(pl.col("in_plan", "in_other").fill_null(False))
    return both.filter(pl.col("in_plan") != pl.col("in_other")).sort("month", "plant", "in_other", "node")


# -- words ------------------------------------------------------------------------------------------------------------
def _sentence(
    plan: Plan, name: str, other: str, usd: float, tables: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
) -> str:
    money, moves, orders = tables
    share = f" ({100 * abs(usd / plan.objective_usd):.2f} %)" if plan.objective_usd else ""
    said = f"{other.capitalize()} {name} the best plan costs {_more(usd)}{share}"
    named = _items(money)
    clauses = [
        said + (f": {named}" if named else ""),
        *_moved(name, moves),
        *_ordered(name, orders),
        *([] if other == "without" else _when(plan, name, orders)),
    ]
    return "; ".join(clauses) + "."


def _items(money: pl.DataFrame) -> str:
    """The items that differ most."""
    total: dict[str, float] = {}
    for item, more in money.select("item", "more_usd").rows():
        total[item] = total.get(item, 0.0) + more
    ranked = sorted(((item, more) for item, more in total.items() if abs(more) >= 0.5), key=lambda row: -abs(row[1]))
    named = [f"{item} {more:+,.0f}" for item, more in ranked]
    if len(named) > FEW + 1:
        named[FEW:] = [f"{len(named) - FEW} smaller lines"]
    return _listed(named)


def _moved(name: str, moves: pl.DataFrame) -> list[str]:
    """Where more is made than in the plan, and what is lost of the demand."""
    gains = moves.filter((pl.col("what") == "made") & (pl.col("place") != name) & (pl.col("more_units") >= 0.5))
    shifts = [
        f"{row['place']} ({row['more_units']:,.0f} {row['product']})"
        for row in gains.sort("more_units", descending=True).head(FEW).to_dicts()
    ]
    lost = float(moves.filter(pl.col("what") == "lost")["more_units"].sum())
    said = [f"more is made at {_listed(shifts)}"] if shifts else []
    return said + (
        [f"{abs(lost):,.0f} units {'more' if lost > 0 else 'fewer'} are not served"] if abs(lost) > 0.5 else []
    )


def _ordered(name: str, orders: pl.DataFrame) -> list[str]:
    """The other plants that are ordered, are no more, or are at another moment; those decided on otherwise."""
    rest = orders.filter(pl.col("plant") != name)
    opens = rest.filter(pl.col("step") == "open")
    before, after = (
        opens.filter(column)["plant"].unique(maintain_order=True).to_list() for column in ("in_plan", "in_other")
    )
    others = list(dict.fromkeys(rest.filter(pl.col("step") != "open")["plant"]))
    return [
        f"{_listed(names)} {'is' if len(names) == 1 else 'are'} {words}"
        for words, names in (
            ("ordered instead", [each for each in after if each not in before]),
            ("not ordered", [each for each in before if each not in after]),
            ("ordered at another moment", [each for each in after if each in before]),
            ("expanded, laid up or closed otherwise", others),
        )
        if names
    ]


def _when(plan: Plan, name: str, orders: pl.DataFrame) -> list[str]:
    """When a plant that the plan has not would best be ordered."""
    opens = orders.filter(pl.col("in_other") & (pl.col("plant") == name) & (pl.col("step") == "open"))
    months = opens["month"].to_list()
    if not months:
        return []
    first, last = (month_date(plan.start, month).isoformat()[:7] for month in (min(months), max(months)))
    return [f"the best moment is {first}" if first == last else f"the best moments are {first} to {last}"]


def _more(usd: float) -> str:
    return f"{abs(usd):,.0f} USD {'less' if usd < -0.5 else 'more'}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else ""
