"""What must agree across the tables of a network: names, origins, parts and lanes.

A ``Draft`` holds the rows as read, faulty ones included, so that a name is not called unknown because another
cell of its row is wrong; a table or column that could not be read at all accuses no one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ashore.errors import Fault, nearest, suggest
from ashore.network.model import LOCAL, parts_first
from ashore.network.schema import CONTENT, MODE_WORDS, POSSIBILITIES, UNITS
from ashore.tables import Row, countries


@dataclass
class Draft:
    """The rows of the tables before they are a network."""

    rows: dict[str, list[Row]]
    settings: dict[str, Any]
    unread: set[str] = field(default_factory=set)
    suffix: str = ""  # ".csv" for files: how faults call a table
    faults: list[Fault] = field(default_factory=list)

    def blame(self, table: str, row: Row, column: str | None, what: str, remedy: str) -> None:
        """Add a fault about one row."""
        self.faults.append(Fault(table + self.suffix, what, remedy, row=row["_row"], column=column))

    def names(self, table: str, column: str) -> list[str]:
        """The distinct names in a column, in order."""
        return list(dict.fromkeys(row[column] for row in self.rows[table] if row[column] is not None))

    def trusted(self, table: str, column: str) -> bool:
        """Whether a column of names could be read, so that what it lacks is really missing."""
        rows = self.rows[table]
        return table not in self.unread and not (rows and all(row[column] is None for row in rows))


def check(draft: Draft) -> None:
    """Run every check; faults go to ``draft.faults``."""
    for rule in RULES:
        rule(draft)


def _names_are_free(draft: Draft) -> None:
    """No plant or market carries the code of a country or the name of the other."""
    plants = {row["plant"]: row["_row"] for row in draft.rows["plants"] if row["plant"]}
    for table, column in (("plants", "plant"), ("markets", "market")):
        for row in draft.rows[table]:
            name = row[column]
            if name is None:
                continue
            if name.upper() in countries():
                what = f"'{name}' is the country code of {countries()[name.upper()]}."
                draft.blame(table, row, column, what, f"Name the {column} otherwise, such as '{name}-1'.")
            elif table == "markets" and name in plants:
                what = f"'{name}' is also a plant (row {plants[name]} of plants{draft.suffix})."
                draft.blame(table, row, column, what, "Give plant and market different names.")


def _names_are_known(draft: Draft) -> None:
    """Every product, plant and market referred to has a row of its own."""
    uses = (
        ("parts", "product", "products"),
        ("parts", "part", "products"),
        ("makes", "plant", "plants"),
        ("makes", "product", "products"),
        ("supplies", "product", "products"),
        ("demand", "market", "markets"),
        ("demand", "product", "products"),
    )
    for table, column, home in uses:
        if not draft.trusted(home, home.removesuffix("s")):
            continue
        known = set(draft.names(home, home.removesuffix("s")))
        for row in draft.rows[table]:
            name = row[column]
            if name is not None and name not in known:
                what = f"'{name}' is not in {home}{draft.suffix}."
                draft.blame(table, row, column, what, suggest(name, known, f"Add it to {home}{draft.suffix}."))


def _lane_ends_are_places(draft: Draft) -> None:
    """Each lane end is a plant, a market or a country; a lane is given once for each mode."""
    plants, markets = draft.names("plants", "plant"), draft.names("markets", "market")
    places = {*plants, *markets}
    sure = draft.trusted("plants", "plant") and draft.trusted("markets", "market")
    seen: dict[tuple[str, str, str], int] = {}
    for row in draft.rows["lanes"]:
        for column in ("from", "to"):
            name = row[column]
            if name is None or name in places:
                continue
            if name.upper() in countries():
                row[column] = name.upper()
            elif sure:
                what = f"'{name}' is no plant, market or country code."
                draft.blame("lanes", row, column, what, _place_remedy(name, places))
        _check_mode(draft, row)
        key = (row["from"], row["to"], row["mode"])
        if None in key or "from" in row["_unfit"] or "to" in row["_unfit"]:
            continue
        if key in seen:
            what = f"The lane {key[0]} to {key[1]} by {key[2]} is already in row {seen[key]}."
            draft.blame("lanes", row, None, what, "Keep one of the two rows.")
        seen.setdefault(key, row["_row"])


def _place_remedy(name: str, places: set[str]) -> str:
    by_name = {country: code for code, country in countries().items()}
    near = nearest(name, [*places, *by_name]) if len(name) > 2 else nearest(name, places)
    if near in by_name:
        return f"Write {by_name[near]} for {near}."
    return suggest(name, places, "Name a plant, a market or a two-letter country code.")


def _check_mode(draft: Draft, row: Row) -> None:
    if row["mode"] is None:
        return
    row["mode"] = row["mode"].casefold()
    if row["mode"] in MODE_WORDS:
        usual = MODE_WORDS[row["mode"]]
        what = f"The mode '{row['mode']}' is not the word the fees of an entry use."
        draft.blame("lanes", row, "mode", what, f"Write {usual}.")
    elif row["mode"] == LOCAL:
        what = f"The mode '{LOCAL}' is kept for goods bought in the country they are used in."
        draft.blame("lanes", row, "mode", what, "Write how the goods travel, such as truck.")


def _parts_end(draft: Draft) -> None:
    """No product goes into itself, by whatever chain."""
    parts: dict[str, list[str]] = {}
    row_of: dict[tuple[str, str], Row] = {}
    for row in draft.rows["parts"]:
        if row["product"] is not None and row["part"] is not None:
            parts.setdefault(row["product"], []).append(row["part"])
            row_of[row["product"], row["part"]] = row
    for chain in parts_first(parts, parts)[1]:
        row = row_of[chain[-2], chain[-1]]
        what = f"The parts go in a circle: {' needs '.join(chain)}."
        draft.blame("parts", row, "part", what, "Delete one of these rows; a product cannot go into itself.")


def _one_essential_part(draft: Draft) -> None:
    """At most one part of a product hands on its origin."""
    first: dict[str, Row] = {}
    for row in draft.rows["parts"]:
        if row["product"] is None or not row["essential"]:
            continue
        if row["product"] in first:
            other = first[row["product"]]
            what = f"'{row['product']}' has an essential part already, '{other['part']}' in row {other['_row']}."
            draft.blame("parts", row, "essential", what, "Keep yes for one part, the one that gives it its character.")
        first.setdefault(row["product"], row)


def _origin_can_be_told(draft: Draft) -> None:
    """Under the origin rule "board" a make that confers no origin has an essential part to take it from."""
    if draft.settings.get("origin_rule") != "board" or not draft.trusted("parts", "product"):
        return
    essential = {row["product"] for row in draft.rows["parts"] if row["essential"] or "essential" in row["_unfit"]}
    for row in draft.rows["makes"]:
        if row["confers_origin"] is False and row["product"] is not None and row["product"] not in essential:
            what = f"Making '{row['product']}' confers no origin, and it has no essential part to take one from."
            remedy = f"Write yes under essential for one of its parts in parts{draft.suffix}, or yes here."
            draft.blame("makes", row, "confers_origin", what, remedy)


def _someone_has_it(draft: Draft) -> None:
    """Every product in demand or used as a part is made or supplied by someone."""
    if not all(draft.trusted(table, "product") for table in ("makes", "supplies", "products")):
        return
    had = {*draft.names("makes", "product"), *draft.names("supplies", "product")}
    known = set(draft.names("products", "product"))
    accused: set[str] = set()
    for table, column, use in (("demand", "product", "in demand"), ("parts", "part", "used as a part")):
        for row in draft.rows[table]:
            name = row[column]
            if name is None or name in had or name in accused or name not in known:
                continue
            accused.add(name)
            remedy = f"Add a row for it to makes{draft.suffix} or supplies{draft.suffix}."
            draft.blame(table, row, column, f"'{name}' is {use} but nobody makes or supplies it.", remedy)


def _demand_once(draft: Draft) -> None:
    """Demand for every month and for single months do not overlap: which one would hold?"""
    every = {
        (row["market"], row["product"]): row["_row"]
        for row in draft.rows["demand"]
        if row["month"] is None and not row["_unfit"] & {"month", "market", "product"}
    }
    for row in draft.rows["demand"]:
        first = every.get((row["market"], row["product"]))
        if row["month"] is not None and first is not None:
            what = f"Month {row['month']} is also covered by row {first}, whose month is blank (every month)."
            draft.blame("demand", row, "month", what, "Give every month its own row, or one row with a blank month.")


def _possibilities_are_whole(draft: Draft) -> None:
    """What may be done at a plant is given with all its figures: an unknown cost is not 0."""
    for row in draft.rows["plants"]:
        for needed, besides in POSSIBILITIES:
            given = [column for column in (*needed, *besides) if row[column] is not None]
            missing = [column for column in needed if row[column] is None and column not in row["_unfit"]]
            if given and missing:
                what = f"{given[0]} is given without {' and '.join(missing)}."
                remedy = f"Give {', '.join(needed[:-1])} and {needed[-1]}, or leave {' and '.join(given)} blank."
                draft.blame("plants", row, missing[0], what, remedy)


def _limits_can_be_read(draft: Draft) -> None:
    """Each limit names something of the network and says how much, in the column its kind needs."""
    for row in draft.rows["limits"]:
        kind, own = row["kind"], "units" if row["kind"] == UNITS else "share"
        other = "share" if own == "units" else "units"
        if kind is not None and row[own] is None and own not in row["_unfit"]:
            draft.blame("limits", row, own, f"A limit of kind {kind} needs {own}.", f"Give {own}.")
        if kind is not None and row[other] is not None:
            draft.blame("limits", row, other, f"A limit of kind {kind} has no {other}.", "Leave it blank.")
        if row["until_month"] is not None and row["until_month"] <= (row["from_month"] or 0):
            what = f"The limit ends in month {row['until_month']}, not after it begins."
            draft.blame("limits", row, "until_month", what, "Write the first month in which it no longer holds.")
        if kind == CONTENT and row["by"] not in (None, "country"):
            draft.blame("limits", row, "by", "Local content is that of a country.", "Write country.")
        if kind == CONTENT and row["product"] is not None:
            what = "Local content counts everything that is made."
            draft.blame("limits", row, "product", what, "Leave the product blank.")
        if kind in (CONTENT, "min_share") and row["of"] == "*":
            what = f"A limit of kind {kind} cannot hold for each one alike."
            draft.blame("limits", row, "of", what, "Name one.")
        _check_of(draft, row)
        _check_named(draft, row, "market", "markets", ("market",))
        _check_named(draft, row, "product", "products", ("product", "kind"))


def _check_of(draft: Draft, row: Row) -> None:
    name, by = row["of"], row["by"]
    if name in (None, "*") or by is None:
        return
    if by in ("origin", "country"):
        row["of"] = name.upper()
        if row["of"] not in countries():
            draft.blame("limits", row, "of", f"'{name}' is no country code.", _place_remedy(name, set()))
        return
    home, columns = {
        "maker": ("products", ("maker",)),
        "parent": ("products", ("parent", "maker")),
        "company": ("plants", ("company",)),
        "plant": ("plants", ("plant",)),
    }[by]
    known = [other for column in columns for other in draft.names(home, column)]
    if name not in known and all(draft.trusted(home, column) for column in columns[-1:]):
        draft.blame("limits", row, "of", f"There is no {by} '{name}'.", suggest(name, known, f"Name a {by}."))


def _check_named(draft: Draft, row: Row, column: str, home: str, columns: tuple[str, ...]) -> None:
    name = row[column]
    known = [other for own in columns for other in draft.names(home, own)]
    if name is None or name in known or not draft.trusted(home, columns[0]):
        return
    if column == "market" and name.upper() in countries():
        row[column] = name.upper()
        return
    noun = "market or country code" if column == "market" else "product or kind of product"
    draft.blame("limits", row, column, f"'{name}' is no {noun}.", suggest(name, known, f"Name a {noun}, or none."))


RULES: tuple[Callable[[Draft], None], ...] = (
    _names_are_free,
    _names_are_known,
    _lane_ends_are_places,
    _parts_end,
    _one_essential_part,
    _origin_can_be_told,
    _someone_has_it,
    _demand_once,
    _possibilities_are_whole,
    _limits_can_be_read,
)


def sorted_faults(faults: Iterable[Fault], tables: Iterable[str]) -> list[Fault]:
    """Faults by table and row, so that a reader can work down each file; equal ones once."""
    rank = {name: number for number, name in enumerate(tables)}
    last = len(rank)
    return sorted(
        dict.fromkeys(faults),
        key=lambda fault: (rank.get(fault.where.partition(".")[0], last), fault.row or 0),
    )
