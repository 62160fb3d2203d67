"""The tables and the settings of a network folder, as columns and keys: eight it must have, and one it may have."""

from __future__ import annotations

from ashore.tables import Column, Table

NAME = "network.toml"
MOST = 1e12  # of any number: more is a slip, and with others it would be too large to reckon with
LEAST = 1e-6  # of what something is divided by
MOST_MODULES = 100  # of one plant; more are better counted in larger modules


def _optional(name: str, minimum: float | None = None, above: float | None = None, maximum: float = MOST) -> Column:
    return Column(name, "number", required=False, minimum=minimum, above=above, maximum=maximum)


def _amount(name: str) -> Column:
    return Column(name, "number", minimum=0, maximum=MOST)


PRODUCTS = Table(
    "products",
    (
        Column("product", "text"),
        Column("maker", "text"),
        Column("parent", "text", required=False),
        Column("kind", "text"),
        Column("hts", "hts"),
        _amount("weight_kg"),
        _optional("hash_ths", LEAST, above=0),
        _optional("power_w", above=0),
    ),
    key=("product",),
)
PARTS = Table(
    "parts",
    (
        Column("product", "text"),
        Column("part", "text"),
        Column("quantity", "number", above=0, maximum=MOST),
        Column("essential", "yes_no", required=False),
    ),
    key=("product", "part"),
)
PLANTS = Table(
    "plants",
    (
        Column("plant", "text"),
        Column("company", "text"),
        Column("country", "country"),
        Column("open", "yes_no"),
        _amount("open_usd"),
        _amount("fixed_usd_month"),
        Column("lead_months", "integer", minimum=0),
        Column("ramp_months", "integer", minimum=0),
        _amount("capacity_month"),
        _optional("module_month", above=0),
        _optional("module_usd", minimum=0),
        Column("modules", "integer", required=False, minimum=0, maximum=MOST_MODULES),
        Column("module_lead_months", "integer", required=False, minimum=0),
        _optional("module_fixed_usd_month", minimum=0),
        _optional("mothball_usd", minimum=0),
        _optional("idle_usd_month", minimum=0),
        _optional("restart_usd", minimum=0),
        _optional("close_usd", minimum=0),
    ),
    key=("plant",),
)
MAKES = Table(
    "makes",
    (
        Column("plant", "text"),
        Column("product", "text"),
        _amount("cost_usd"),
        _optional("customs_value_usd", minimum=0),
        _optional("capacity_use", minimum=0),
        Column("confers_origin", "yes_no", required=False),
        _optional("yield", LEAST, above=0, maximum=1),
    ),
    key=("plant", "product"),
)
SUPPLIES = Table(
    "supplies",
    (
        Column("product", "text"),
        Column("origin", "country"),
        _amount("price_usd"),
        _optional("limit_month", minimum=0),
    ),
    key=("product", "origin"),
)
LANES = Table(
    "lanes",
    (
        Column("from", "text"),
        Column("to", "text"),
        Column("mode", "text"),
        _optional("usd_per_kg", minimum=0),
        _optional("usd_per_unit", minimum=0),
        _optional("days", minimum=0),
    ),
)
MARKETS = Table(
    "markets",
    (
        Column("market", "text"),
        Column("country", "country"),
        _optional("power_usd_kwh", minimum=0),
    ),
    key=("market",),
)
DEMAND = Table(
    "demand",
    (
        Column("market", "text"),
        Column("product", "text"),
        Column("month", "integer", minimum=0, blank_ok=True),
        _amount("units"),
        _optional("price_usd", minimum=0),
        _optional("lost_usd", minimum=0),
    ),
    key=("market", "product", "month"),
)
SHARES, CONTENT, UNITS = ("max_share", "min_share"), "min_content", "max_units"
BY = ("origin", "maker", "parent", "company", "plant", "country")
LIMITS = Table(
    "limits",
    (
        Column("limit", "text"),
        Column("kind", "choice", choices=(*SHARES, CONTENT, UNITS)),
        Column("by", "choice", choices=BY),
        Column("of", "text"),
        Column("market", "text", required=False),
        Column("product", "text", required=False),
        _optional("share", minimum=0, maximum=1),
        _optional("units", minimum=0),
        Column("from_month", "integer", required=False, minimum=0),
        Column("until_month", "integer", required=False, minimum=1),
    ),
    key=("limit",),
)
TABLES: dict[str, Table] = {
    table.name: table for table in (PRODUCTS, PARTS, PLANTS, MAKES, SUPPLIES, LANES, MARKETS, DEMAND)
}
OPTIONAL: dict[str, Table] = {LIMITS.name: LIMITS}

# what is possible at a plant once all of the columns are given; those that may be given besides
POSSIBILITIES = (
    (("module_month", "module_usd", "modules"), ("module_lead_months", "module_fixed_usd_month")),
    (("mothball_usd", "idle_usd_month", "restart_usd"), ()),
)

# network.toml: text keys, then numbers with (minimum, above, maximum)
SETTINGS_TEXT = ("name", "currency", "origin_rule")
SETTINGS_NUMBERS: dict[str, Column] = {
    "hold_usd_month": Column("hold_usd_month", "number", minimum=0, maximum=MOST),
    "discount_year": Column("discount_year", "number", minimum=0, maximum=1),
    "insurance_share": Column("insurance_share", "number", required=False, minimum=0, maximum=1),
    "entry_units": Column("entry_units", "number", required=False, above=0, minimum=LEAST, maximum=MOST),
}
SETTINGS_FREE = ("source", "note")
ORIGIN_RULES = ("board", "assembly")
CURRENCY = "USD"

# words for a mode that the fees of an entry know under another name; kept apart they would escape the fee
MODE_WORDS = {
    "sea": "ocean",
    "ship": "ocean",
    "vessel": "ocean",
    "boat": "ocean",
    "maritime": "ocean",
    "plane": "air",
    "flight": "air",
    "aircraft": "air",
}
