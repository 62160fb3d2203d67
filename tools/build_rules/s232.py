"""Section 232: semiconductors, and aluminium, steel and copper before and after 2026-04-06."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from build_rules.emit import Item, Provision, Version
from build_rules.facts import Facts

FOLDER = "s232"
MARCH, AUGUST = date(2025, 3, 12), date(2025, 8, 18)
MEMBERS = "Membership is known for the lines of schedule/lines.csv only; the official list is longer."
REV6 = "HTS 2026 rev 6"
DRAWBACK = "No drawback."
SPECIAL_CASES = (
    "Not carried: lower rates on metal melted or smelted in the United Kingdom or the United States, 200 % on "
    "Russian "
    "aluminium, and the USMCA lines."
)

# (number, list, first day, assumed for 8 digits, note); of note 19 and the derivative lists of 2025
ALUMINIUM_CONTENT = (
    ("2710.19.30.50", AUGUST, False, ""),
    ("3403.99.00", AUGUST, False, ""),
    ("3824.99.93.97", AUGUST, False, ""),
    ("8414.59.65.90", MARCH, False, "an axial fan need not be .90"),
    ("8415.90.80", MARCH, False, "three of its suffixes are printed: .25, .45, .85"),
    ("8419.50.10", AUGUST, False, ""),
    ("8419.50.50", MARCH, False, ""),
    ("8473.30.20", MARCH, False, ""),
    ("8473.30.51", MARCH, False, ""),
    ("8504.31.40", AUGUST, False, ""),
    ("8504.33.00", AUGUST, False, ""),
    ("8504.34.00", AUGUST, False, ""),
    ("8504.90.75", AUGUST, False, ""),
    ("8504.90.96", AUGUST, False, ""),
    ("8536.90.85.85", MARCH, True, "the residual suffix, taken for terminals"),
    ("8538.10.00", MARCH, False, ""),
    ("8543.90.88.85", MARCH, False, "a rig part need not be of aluminium"),
    ("8544.42.90", AUGUST, False, ""),
    ("8544.49.90", AUGUST, False, ""),
    ("8544.60.60", AUGUST, False, ""),
)
STEEL_CONTENT = (
    ("2710.19.30", AUGUST, False, "suffix not read"),
    ("3403.99.00", AUGUST, False, ""),
    ("3824.99.93", AUGUST, False, "suffix not read"),
    ("8415.10.30", AUGUST, False, ""),
    ("8415.81.01", AUGUST, False, ""),
    ("8415.82.01", AUGUST, False, ""),
    ("8415.83.00", AUGUST, False, ""),
    ("8415.90.80", AUGUST, False, ""),
    ("8504.23.00", AUGUST, False, ""),
    ("8504.33.00", AUGUST, False, ""),
    ("8504.90.96", AUGUST, False, "suffix not read"),
    ("8609.00.00", AUGUST, False, ""),
    ("9406.20.00", MARCH, False, "one table of facts says from 2025-08-18"),
    ("9406.90.01", MARCH, False, ""),
)
# Buckets of note 16(c) from 2026-04-06: (number, subdivision, assumed for 8 digits)
FIFTY = (
    ("7309.00.00", "iv", False),
    ("7310.10.00", "iv", False),
    *((f"7326.90.86.{suffix}", "iv", suffix == "88") for suffix in ("05", "10", "30", "35", "45", "88")),
    ("7616.10.90.90", "ii", True),
    *((f"7616.99.51.{suffix}", "ii", suffix == "90") for suffix in ("20", "50", "75", "90")),
    ("7616.99.51.60", "i", False),
    ("7616.99.51.70", "i", False),
)
TWENTY_FIVE_WHOLE = (
    *((f"7326.90.86.{suffix}", "vii", False) for suffix in ("60", "75", "76", "77")),
    ("7616.99.51.30", "vi", False),
    ("7616.99.51.40", "vi", False),
)
TWENTY_FIVE = (
    ("8414.59.65.90", "vi", False),
    ("8415.10.30", "vii", False),
    ("8415.81.01", "vii", False),
    ("8415.82.01", "vii", False),
    ("8415.83.00", "vii", False),
    ("8415.90.80", "vii", False),
    ("8419.50.10", "vi", False),
    ("8419.50.50", "vi", False),
    ("8504.21.00", "vii", False),
    ("8504.22.00", "vii", False),
    ("8504.31.40", "vi", False),
    ("8504.32.00", "vii", False),
    ("8504.33.00", "vi, vii", False),
    *((f"8504.90.96.{suffix}", "vii", False) for suffix in ("34", "38", "42")),
    ("8536.90.85.85", "vi", True),
    ("8538.10.00", "vi", False),
    ("8543.90.88.85", "vi", False),
    ("8544.42.10", "viii", False),
    ("8544.42.20", "viii", False),
    ("8544.42.90", "vi, viii", False),
    ("8544.49.90", "vi", False),
    ("8544.60.60", "vi", False),
    ("8609.00.00", "vii", False),
    ("9406.20.00", "vii", False),
    ("9406.90.01", "vii", False),
)
FIFTEEN = (
    ("8504.23.00", "x", False),
    ("8504.34.00", "ix", False),
    ("8504.90.75", "ix", False),
    *((f"8504.90.96.{suffix}", "ix", suffix == "90") for suffix in ("10", "30", "46", "50", "90")),
)
HEAVY: Mapping[str, Any] = {"claim": "metal_weight_share", "at_least": 0.15}


def provisions(facts: Facts) -> Iterable[Provision]:
    check_lines(facts)
    yield from _chips(facts)
    yield from _until_april_2026(facts)
    yield from _from_april_2026(facts)


def check_lines(facts: Facts) -> None:
    """Every line that the facts place under a metals action must stand in a table above."""
    content = {code[:10] for code, *_ in (*ALUMINIUM_CONTENT, *STEEL_CONTENT)} | {"8544.42.10", "8544.42.20"}
    later = {code[:10] for code, *_ in (*FIFTY, *TWENTY_FIVE_WHOLE, *TWENTY_FIVE, *FIFTEEN)}
    for line in facts.lines:
        code = line["hts_dotted"]
        if line["s232_metal_to_2026_04_05"] and code[:2] not in ("73", "76") and code not in content:
            raise SystemExit(f"{code}: no metals rule before 2026-04-06, though the facts name one")
        if (
            line["s232_metal_from_2026_04_06"]
            and "removed" not in line["s232_metal_from_2026_04_06"]
            and code not in later
        ):
            raise SystemExit(f"{code}: no metals rule from 2026-04-06, though the facts name one")


def _metal(id_: str, title: str, heading: str, versions: tuple[Version, ...], **rest: Any) -> Provision:
    return Provision(
        id_,
        FOLDER,
        title,
        "Section 232",
        rest.pop("kind", "add"),
        versions,
        heading=heading,
        group="s232-metals",
        order=60,
        comment=rest.pop("comment", MEMBERS),
        why=rest.pop("why", "the Section 232 metals duty is charged on this value in its place"),
        **rest,
    )


def _chips(facts: Facts) -> Iterable[Provision]:
    products = ("8471.50", "8471.80", "8473.30")
    version = facts.version("S232-SEMI", note="End uses under 9903.79.03 to .09 are not carried. " + DRAWBACK)
    yield Provision(
        "s232-chips",
        FOLDER,
        "Semiconductor articles inside a performance window",
        "Section 232",
        "add",
        (version,),
        heading="9903.79.01",
        group="s232-chips",
        order=60,
        products=products,
        why="the Section 232 duty on semiconductor articles is charged in its place",
        note="Windows of note 39: TPP 14,000-17,500 with 4,500-5,000 GB/s, or 20,800-21,100 with 5,800-6,200 GB/s.",
        requires=({"claim": "advanced_chip_window", "is": True},),
    )
    yield Provision(
        "s232-chips-outside",
        FOLDER,
        "Semiconductor articles outside the performance windows",
        "Section 232",
        "free",
        (facts.version("S232-SEMI", rate=None, note="Lifts nothing: the other duties apply."),),
        heading="9903.79.02",
        order=60,
        products=products,
        requires=({"claim": "advanced_chip_window", "is": False},),
    )


def _until_april_2026(facts: Facts) -> Iterable[Provision]:
    yield _metal(
        "s232-aluminium-2018",
        "Aluminium articles, 2018 to 2025",
        "9903.85.01",
        (facts.version("S232-AL-2018", note="Exemptions and quotas by country are not carried."),),
        products=tuple(
            Item(f"7616.99.51.{suffix}", "Proc. 9704; ch. 99 note 19", "MEMORY", "medium", note="castings and forgings")
            for suffix in ("60", "70")
        ),
        yields_to=(),
    )
    steps = tuple(facts.version(key, note="") for key in ("S232-AL-1", "S232-AL-2"))
    whole = (
        "Note 19 as printed in 2026 charges the aluminium content in chapter 76 too; CBP's first guidance took "
        "the full "
        "value. The same for an article all of aluminium."
    )
    yield _metal(
        "s232-aluminium-articles",
        "Aluminium articles: castings and forgings",
        "9903.85.02",
        steps,
        products=tuple(
            Item(f"7616.99.51.{suffix}", f"ch. 99 note 19(g)(vii), {REV6}", "READ", "high") for suffix in ("60", "70")
        ),
        portion="aluminium_share",
        note=f"{whole} {SPECIAL_CASES}",
    )
    yield _metal(
        "s232-aluminium-chapter-76",
        "Derivative aluminium articles of chapter 76",
        "9903.85.07",
        steps,
        products=tuple(
            Item(code, f"ch. 99 note 19(j), {REV6}", "READ", "high", assume=assume, note=note)
            for code, assume, note in (
                ("7616.10.90.90", True, ""),
                ("7616.99.51.30", False, ""),
                ("7616.99.51.40", False, ""),
                ("7616.99.51.90", True, "heat sinks"),
            )
        ),
        portion="aluminium_share",
        note=f"{whole} {SPECIAL_CASES}",
    )
    yield _metal(
        "s232-aluminium-content",
        "Derivative aluminium articles outside chapter 76: aluminium content",
        "9903.85.08",
        steps,
        products=_content(ALUMINIUM_CONTENT, f"ch. 99 note 19(k), {REV6}", "90 FR 40326"),
        portion="aluminium_share",
        yields_to=("s232-copper-content",),
        note=f"Charged on the aluminium content; the rest bears the other duties. {SPECIAL_CASES}",
    )
    steps = tuple(facts.version(key, note="") for key in ("S232-ST-1", "S232-ST-2"))
    yield _metal(
        "s232-steel-chapter-73",
        "Derivative steel articles of chapter 73",
        "9903.81.90",
        steps,
        products=(
            Item("7309.00.00", "Proc. 10896; facts of 2026", "READ-secondary", "medium"),
            Item("7310.10.00", "Proc. 10896; facts of 2026", "READ-secondary", "medium"),
            Item(
                "7326.90.86",
                "Proc. 10896; facts of 2026",
                "INFERENCE",
                "low",
                note="only some suffixes were named; every suffix is on a list of 2026",
            ),
        ),
        note=f"One of 9903.81.89 to .91; full value in chapter 73. {SPECIAL_CASES}",
    )
    yield _metal(
        "s232-steel-content",
        "Derivative steel articles outside chapter 73: steel content",
        "9903.81.91",
        steps,
        products=_content(STEEL_CONTENT, "Proc. 10896", "90 FR 40326"),
        portion="steel_share",
        yields_to=("s232-aluminium-content", "s232-copper-content"),
        note=f"Charged on the steel content, besides the aluminium content; the rest bears the other duties. "
        f"{SPECIAL_CASES}",
    )
    yield _metal(
        "s232-copper-content",
        "Intensive copper derivatives: copper content",
        "9903.78.01",
        (facts.version("S232-CU-1", note=DRAWBACK),),
        products=tuple(
            Item(code, "Proc. 10962, list of copper derivatives", "READ", "high")
            for code in ("8544.42.10", "8544.42.20", "8544.42.90")
        ),
        portion="copper_share",
        note="Charged on the copper content; the rest bears the other duties.",
    )


def _content(rows: tuple[tuple[str, date, bool, str], ...], march: str, august: str) -> tuple[Item, ...]:
    return tuple(
        Item(
            code,
            march if start == MARCH else f"{august}; {march}",
            "READ" if "note 19" in march else "READ-secondary",
            "high" if "note 19" in march else "medium",
            start=None if start == MARCH else start,
            assume=assume,
            note=note,
        )
        for code, start, assume, note in rows
    )


def _from_april_2026(facts: Facts) -> Iterable[Provision]:
    fifty = facts.version("S232-26-50")
    yield _metal(
        "s232-metals-50",
        "Metal articles of chapters 73 and 76, 50 %",
        "9903.82.02",
        (fifty,),
        products=_bucket(FIFTY),
        note=f"Full value, whatever the weight of metal. {SPECIAL_CASES}",
    )
    quarter = facts.version("S232-26-25", note="Proc. 11032 added a list (c)(xi) and headings .20 to .26, not read.")
    yield _metal(
        "s232-metals-25-articles",
        "Metal articles of chapters 73 and 76, 25 %",
        "9903.82.09",
        (quarter,),
        products=_bucket(TWENTY_FIVE_WHOLE),
        note=f"Full value, whatever the weight of metal. {SPECIAL_CASES}",
    )
    yield _metal(
        "s232-metals-25",
        "Metal derivatives outside chapters 72 to 74 and 76, 25 %",
        "9903.82.09",
        (quarter,),
        products=_bucket(TWENTY_FIVE),
        requires=(HEAVY,),
        note=f"Full value, if the metal is at least 15 % of the weight. {SPECIAL_CASES}",
    )
    floor = facts.version(
        "S232-26-15",
        note="Pair .10/.11; .11 is the zero line. 10 % in all (.07/.08) for metal of US origin, not carried.",
    )
    fifteen = _metal(
        "s232-metals-15",
        "Metal derivatives outside chapters 72 to 74 and 76, total of 15 %",
        "9903.82.10",
        (floor,),
        kind="floor",
        products=_bucket(FIFTEEN),
        origins_except=("COLUMN2",),
        requires=(HEAVY,),
        note=f"Full value, if the metal is at least 15 % of the weight. {SPECIAL_CASES}",
    )
    yield fifteen
    yield replace(
        fifteen,
        id="s232-metals-15-column-2",
        title="Metal derivatives of column-2 countries, 25 %",
        heading="9903.82.12",
        kind="add",
        versions=(
            floor.but(
                rate=quarter.rate,
                until=None,
                source="ch. 99 9903.82.12, HTS 2026 rev 6",
                note="Russian steel derivatives under .17, at the same rate.",
            ),
        ),
        products=(),
        list_name="s232-metals-15.csv",
        origins=("COLUMN2",),
        origins_except=(),
    )
    light = facts.version("S232-26-LT15", rate=None, note="Lifts nothing: Section 122 and the later duties apply.")
    yield Provision(
        "s232-metals-light",
        FOLDER,
        "Metal derivatives of less than 15 % metal by weight",
        "Section 232",
        "free",
        (light,),
        heading="9903.82.03",
        order=60,
        products=_bucket((*TWENTY_FIVE, *FIFTEEN)),
        comment="The lines of s232-metals-25.csv and s232-metals-15.csv.",
        requires=({"claim": "metal_weight_share", "below": 0.15},),
    )


def _bucket(rows: tuple[tuple[str, str, bool], ...]) -> tuple[Item, ...]:
    return tuple(
        Item(code, f"ch. 99 note 16(c)({where.replace(', ', ')(')}), {REV6}", "READ", "high", assume=assume)
        for code, where, assume in sorted(rows)
    )
