"""From a folder, or from tables in memory, to a checked ``Network``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from ashore.errors import Fault, FaultyInput, raise_if, suggest
from ashore.network.check import Draft, check, sorted_faults
from ashore.network.model import (
    Demand,
    Lane,
    Limit,
    Make,
    Market,
    Network,
    Part,
    Plant,
    Product,
    Settings,
    Supply,
    parts_first,
)
from ashore.network.schema import (
    CURRENCY,
    NAME,
    OPTIONAL,
    ORIGIN_RULES,
    SETTINGS_FREE,
    SETTINGS_NUMBERS,
    SETTINGS_TEXT,
    TABLES,
)
from ashore.tables import ArrowLike, Row, Unfit, parse_cell, read, read_toml

T = TypeVar("T")
KNOWN = TABLES | OPTIONAL


def load(source: Path | str | Mapping[str, ArrowLike], settings: Mapping[str, Any] | Settings | None = None) -> Network:
    """Read and check a supply network.

    source: a folder with the eight tables as CSV and ``network.toml``, or a mapping of table name
        ("products", …) to anything Arrow-compatible.
    settings: the keys of ``network.toml``; needed with a mapping, refused with a folder (which has its own).
    Raises ``FaultyInput`` with every fault of every table at once.
    """
    if isinstance(source, Mapping):
        return _from_tables(source, settings)
    if settings is not None:
        raise FaultyInput(Fault("settings", "A folder has its own network.toml.", "Leave settings out."))
    return _from_folder(Path(source))


def _from_folder(folder: Path) -> Network:
    if not folder.is_dir():
        what = "There is no such folder." if not folder.exists() else "This is not a folder."
        tables = ", ".join(f"{name}.csv" for name in TABLES)
        raise FaultyInput(Fault(str(folder), what, f"Name a folder that holds {tables} and {NAME}."))
    draft = Draft(rows={}, settings={}, suffix=".csv")
    for name in TABLES:
        _read_table(draft, name, folder / f"{name}.csv", f"{name}.csv")
    for name in OPTIONAL:
        draft.rows[name] = []
        if (folder / f"{name}.csv").exists():
            _read_table(draft, name, folder / f"{name}.csv", f"{name}.csv")
    present = sorted(path.name for path in folder.iterdir() if path.is_file())
    draft.faults = [_with_namesake(fault, present) for fault in draft.faults]
    before = len(draft.faults)
    document = read_toml(folder / NAME, draft.faults, NAME)
    if len(draft.faults) > before:
        draft.faults[before:] = [_with_namesake(fault, present) for fault in draft.faults[before:]]
    else:
        draft.settings = _read_settings(document, draft.faults, NAME)
    return _finish(draft, folder)


def _with_namesake(fault: Fault, present: list[str]) -> Fault:
    """A missing file's fault, pointing at a file whose name is nearly right."""
    if not fault.what.startswith("There is no such file"):
        return fault
    strangers = [name for name in present if name != NAME and name.removesuffix(".csv") not in KNOWN]
    near = difflib.get_close_matches(fault.where, strangers, n=1, cutoff=0.8)
    if not near:
        return fault
    return Fault(fault.where, fault.what, f"Is it '{near[0]}'? Name that file {fault.where}.")


def _from_tables(source: Mapping[str, ArrowLike], settings: Mapping[str, Any] | Settings | None) -> Network:
    draft = Draft(rows={}, settings={})
    for name in source:
        if name not in KNOWN:
            draft.faults.append(Fault(str(name), "No table has this name.", suggest(str(name), KNOWN, "Drop it.")))
    for name, table in TABLES.items():
        if source.get(name) is None:
            what = "The table is missing."
            remedy = f"Give a table, which may be empty, with the columns {table.header}."
            draft.faults.append(Fault(name, what, remedy))
            draft.rows[name] = []
            draft.unread.add(name)
        else:
            _read_table(draft, name, source[name], name)
    for name in OPTIONAL:
        draft.rows[name] = []
        if source.get(name) is not None:
            _read_table(draft, name, source[name], name)
    if isinstance(settings, Settings):
        settings = {key: getattr(settings, key) for key in (*SETTINGS_TEXT, *SETTINGS_NUMBERS, *SETTINGS_FREE)}
        settings = {key: value for key, value in settings.items() if value is not None}
    draft.settings = _read_settings(settings or {}, draft.faults, "settings")
    return _finish(draft, None)


def _read_table(draft: Draft, name: str, source: Any, where: str) -> None:
    found: list[Fault] = []
    draft.rows[name] = read(source, KNOWN[name], found, where, keep_faulty=True)
    if found and (not draft.rows[name] or any("is not CSV" in fault.what for fault in found)):
        draft.unread.add(name)
    draft.faults.extend(found)


def _read_settings(document: Mapping[str, Any], faults: list[Fault], where: str) -> dict[str, Any]:
    """The checked values of ``network.toml``; a key with a fault is left out."""
    values: dict[str, Any] = {}
    known = (*SETTINGS_TEXT, *SETTINGS_NUMBERS, *SETTINGS_FREE)
    for key in document:
        if key not in known:
            free = [name for name in known if name not in document]
            remedy = suggest(key, free, "Delete it.")
            faults.append(Fault(where, f"The key '{key}' is unknown.", remedy, column=key))
    for key in (*SETTINGS_TEXT, *SETTINGS_FREE):
        value = document.get(key)
        if isinstance(value, str) and value.strip():
            values[key] = value.strip()
        elif value is not None or key in SETTINGS_TEXT:
            what = "The key is missing." if value is None else f"{value!r} is not a text."
            faults.append(Fault(where, what, f'Write {key} = "…".', column=key))
    for key, column in SETTINGS_NUMBERS.items():
        if key not in document:
            if column.required:
                faults.append(Fault(where, "The key is missing.", f"Write {key} = a number.", column=key))
            continue
        value = document[key]
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                raise Unfit(f"{value!r} is not a number.", f"Write {key} = a number without quotation marks.")
            values[key] = parse_cell(str(value), column)
        except Unfit as error:
            faults.append(Fault(where, error.what, error.remedy, column=key))
    if values.get("currency", CURRENCY) != CURRENCY:
        what = f"The currency is '{values['currency']}'; all money is in {CURRENCY}."
        faults.append(Fault(where, what, f'Convert the amounts and write currency = "{CURRENCY}".', column="currency"))
    if values.get("origin_rule", "board") not in ORIGIN_RULES:
        rule = values.pop("origin_rule")
        what = f"'{rule}' is no origin rule."
        remedy = suggest(rule, ORIGIN_RULES, "Write board or assembly.")
        faults.append(Fault(where, what, remedy, column="origin_rule"))
    return values


def _finish(draft: Draft, folder: Path | None) -> Network:
    check(draft)
    raise_if(sorted_faults(draft.faults, KNOWN))
    rows = draft.rows
    products = {row["product"]: _record(Product, row, name="product") for row in rows["products"]}
    parts: dict[str, list[Part]] = {name: [] for name in products}
    for row in rows["parts"]:
        parts[row["product"]].append(_record(Part, {**row, "essential": bool(row["essential"])}))
    supplies: dict[str, list[Supply]] = {}
    for row in rows["supplies"]:
        supplies.setdefault(row["product"], []).append(_record(Supply, row))
    return Network(
        settings=Settings(**draft.settings),
        products=products,
        parts={name: tuple(own) for name, own in parts.items()},
        plants={row["plant"]: _record(Plant, row, name="plant") for row in rows["plants"]},
        makes=_makes(rows["makes"], parts, supplies),
        supplies={name: tuple(own) for name, own in supplies.items()},
        lanes=tuple(_record(Lane, row, origin_end="from") for row in rows["lanes"]),
        markets={row["market"]: _record(Market, row, name="market") for row in rows["markets"]},
        demand=tuple(_keep_blank(Demand, row) for row in rows["demand"]),
        limits=tuple(_record(Limit, row, name="limit") for row in rows["limits"]),
        folder=folder,
    )


def _makes(
    rows: list[Row], parts: Mapping[str, list[Part]], supplies: Mapping[str, list[Supply]]
) -> dict[tuple[str, str], Make]:
    """Makes with their customs values filled in, in the order of the file.

    Default: cost_usd plus, for every part, quantity times the cheapest price or customs value at which anyone
    has it (freight apart), over the yield.
    """
    by_product: dict[str, list[Row]] = {}
    for row in rows:
        by_product.setdefault(row["product"], []).append(row)
    order, _ = parts_first(parts, {name: [part.part for part in own] for name, own in parts.items()})
    cheapest: dict[str, Decimal] = {}
    value_of: dict[tuple[str, str], Decimal] = {}
    for product in order:
        values = [_exact(supply.price_usd) for supply in supplies.get(product, ())]
        own = by_product.get(product, [])
        inside = sum((_exact(part.quantity) * cheapest[part.part] for part in parts[product]), Decimal(0)) if own else 0
        for row in own:
            given = row["customs_value_usd"]
            value = (_exact(row["cost_usd"]) + inside) / _exact(row["yield"] or 1) if given is None else _exact(given)
            value_of[row["plant"], product] = value
            values.append(value)
        if values:
            cheapest[product] = min(values)
    return {
        (row["plant"], row["product"]): _record(
            Make,
            {**row, "customs_value_usd": float(value_of[row["plant"], row["product"]])},
            yield_share="yield",
        )
        for row in rows
    }


def _exact(value: float) -> Decimal:
    return Decimal(str(value))


def _record(kind: Callable[..., T], row: Row, **renamed: str) -> T:
    """A dataclass from a row; ``renamed`` maps field to column, a blank cell leaves the field's default."""
    taken = set(renamed.values())
    values = {name: value for name, value in row.items() if not name.startswith("_") and name not in taken}
    values |= {name: row[column] for name, column in renamed.items()}
    return kind(**{name: value for name, value in values.items() if value is not None})


def _keep_blank(kind: Callable[..., Demand], row: Row) -> Demand:
    return kind(**{name: value for name, value in row.items() if not name.startswith("_")})
