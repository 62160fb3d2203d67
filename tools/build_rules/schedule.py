"""The schedule: tariff lines, their column rates by date, who may claim which special programme, the three "
"columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation

from build_rules.emit import Provision, Version, day, plain, rows_csv
from build_rules.facts import Facts, Row

FIRST = date(2018, 1, 1)
HTS_SOURCE = "HTS 2025 basic and 2026 rev 10; USITC tariff database 2017"
MFN_SOURCE = "HTS 2025 basic and 2026 rev 10, rates of duty"
LINE_COLUMNS = (
    "hts",
    "description",
    "role",
    "unit",
    "suffixes",
    "valid_from",
    "valid_until",
    "renumbered",
    "source",
    "note",
)
RATE_COLUMNS = ("hts", "from", "until", "column1", "column2", "special", "source", "basis", "confidence", "note")
PROGRAMME_COLUMNS = ("code", "origins", "from", "until", "source", "basis", "confidence", "note")

LINE_NOTES = {
    "8543.70.99": "The number of the rig until 2022-01-26 (NY N297495). One public list of China duties tags it "
    "list 3 and "
    "4B; the official note and the footnotes say list 2.",
    "8543.70.98": "The rig. On no exemption list and on no metals or chip list; the exclusions under this "
    "number describe "
    "other articles.",
    "8471.50.01": "What importers claimed for a rig until N297495; no court has decided.",
    "8473.30.11": "Where CIT 23-00084 placed a mining card of heading 8471 machines; its exclusions were denied.",
    "8473.30.51": "An exclusion covers parts of 8471 machines without goods of 8541 or 8542.",
    "8543.90.68": "Hashboard and control board if the rig is of 8543 (section XVI note 2(b)); no public ruling "
    "on a hashboard.",
    "8543.90.88": "Frames, end plates and heat-sink assemblies made only for the rig.",
    "8542.31.00": "A legacy-chip action of 2025 (90 FR 60848) is at 0 % until 2027-06-23.",
    "8542.39.00": "Mining chips are entered here or in 8542.31; the duty is the same.",
    "8534.00.00": "Exclusions cover rigid glass-base boards of two and of four copper layers.",
    "8504.40.95": "The power supply of a rig of 8543; .60 and .70 are for automatic data processing machines.",
    "8414.59.15": "Only fans solely or principally for microprocessors, telecommunications or data processing "
    "machines.",
    "7616.99.51": "A heat sink may also be a part of 8543.90.88 or 8473.30.51: a large difference in duty.",
    "8609.00.00": "On no China list.",
    "2710.19.30": "Duty by the barrel: not answered as a share of value.",
    "2710.19.45": "Duty by the barrel: not answered as a share of value.",
    "8517.62.00": "Switches and routers are .00.20 (list 3), other apparatus .00.90 (list 4A).",
}
# Lines met in published cases and not among the gathered lines; only what those cases and the official notes show.
EXTRA = (
    {
        "hts": "8507.60.00",
        "description": "Lithium-ion batteries",
        "role": "UPS battery",
        "unit": "No.",
        "suffixes": "10 20",
        "column1": "0.034",
        "source": "importer's published duty ladder, 2025-12 to 2026-07",
        "note": "Exclusions under this number are not carried; the column-2 and special rates were not read.",
    },
    {
        "hts": "8509.40.00",
        "description": "Food grinders, processors and mixers; fruit or vegetable juice extractors",
        "role": "control case",
        "unit": "No.",
        "suffixes": "",
        "column1": "0.042",
        "source": "published duty example of 2026-08",
        "note": "The column-2 and special rates were not read.",
    },
)


def files(facts: Facts) -> Iterable[tuple[str, str]]:
    yield "schedule/lines.csv", rows_csv(LINE_COLUMNS, [*map(_line, facts.lines), *map(_extra_line, EXTRA)])
    rates = [row for line in facts.lines for row in _rates(line, facts)] + [r for e in EXTRA for r in _extra_rates(e)]
    yield "schedule/rates.csv", rows_csv(RATE_COLUMNS, rates)
    yield "schedule/programmes.csv", rows_csv(PROGRAMME_COLUMNS, list(_programmes()))


def provisions(facts: Facts) -> Iterable[Provision]:
    one = facts.version("MFN-GEN", start=FIRST, until=None, rate=None, source=MFN_SOURCE)
    yield Provision(
        "column-1",
        "schedule",
        "Column 1, general",
        "HTS",
        "add",
        (one,),
        heading="column 1",
        column="column1",
        order=90,
        note="Each line's rate by date stands in rates.csv.",
    )
    yield Provision(
        "column-2",
        "schedule",
        "Column 2",
        "HTS",
        "replace",
        (
            facts.version("COL2", rate=None, origins=("CU", "KP"), note="Countries of general note 3(b) from memory."),
            facts.version(
                "COL2-RUBY",
                rate=None,
                origins=("RU", "BY"),
                note="Some Russian goods were raised to 35 or 70 % by proclamation in 2022-2023 (MEMORY); not carried.",
            ),
        ),
        heading="column 2",
        column="column2",
        order=90,
        why="goods of this origin pay the column-2 rate",
    )
    yield Provision(
        "special",
        "schedule",
        "Column 1, special programme",
        "HTS",
        "replace",
        (
            Version(
                FIRST,
                None,
                None,
                "HTS 2026 rev 10, special column; general note 3(c)",
                "READ (rates) / MEMORY (who may claim)",
                "medium",
                note="Who may claim which code, and when, stands in programmes.csv.",
            ),
        ),
        heading="special",
        column="special",
        order=90,
        why="the special programme claimed sets the column-1 rate",
        note="Needs the claim spi with a code printed for the line and open to the origin.",
    )


def _line(line: Row) -> dict[str, str]:
    hts = line["hts_dotted"]
    span = {"8543.70.99": ("", "2022-01-27", "8543.70.98"), "8543.70.98": ("2022-01-27", "", "8543.70.99")}
    valid_from, valid_until, renumbered = span.get(hts, ("", "", ""))
    role = re.sub(r"\s*\((CBP view|legal number)[^)]*\)", "", line["role"])
    return {
        "hts": hts,
        "description": line["description_2026"],
        "role": role.replace("RIG as importers historically claimed", "RIG as importers claimed it"),
        "unit": line["unit"],
        "suffixes": "60" if hts == "8543.70.99" else line["stat_suffixes_2026"],
        "valid_from": valid_from,
        "valid_until": valid_until,
        "renumbered": renumbered,
        "source": HTS_SOURCE,
        "note": LINE_NOTES.get(hts, ""),
    }


def _rates(line: Row, facts: Facts) -> Iterable[dict[str, str]]:
    steps = list(_steps(line))
    first = line["mfn_basis"]
    rows: list[tuple[date, str, str, str, str]] = []
    if "not in 2017 DB" in first:
        rate = steps[0][1]
        rows.append((FIRST, rate, "MEMORY (same rate assumed)", "low", "not in the database of 2017: renumbered since"))
        rows.append((steps[0][0], rate, "READ", "high", ""))
    elif line["hts_dotted"] == "8543.70.98":
        rows.append((FIRST, "2.6", "DERIVED", "high", "the article was 8543.70.99 until 2022-01-26, at the same rate"))
        rows.append((steps[0][0], "2.6", "READ", "high", ""))
    elif any(inferred for _, _, inferred in steps):
        for start, rate, inferred in steps:
            last = (start, rate, inferred) == steps[-1]
            if not inferred:
                rows.append((max(start, FIRST), rate, "READ", "high", ""))
            elif last:
                note = "day of the last ITA-2 step inferred (Proc. 9466, MEMORY)"
                rows.append((start, rate, "INFERENCE (day) / READ (rate, 2025-2026)", "medium", note))
            else:
                rows.append((start, rate, "INFERENCE", "low", "ITA-2 step inferred (Proc. 9466, MEMORY)"))
    else:
        note = "printed 84¢/bbl since 2025" if line["hts_dotted"] == "2710.19.30" else ""
        note = "printed 10.5¢/bbl since 2025" if line["hts_dotted"] == "2710.19.45" else note
        rows.append((FIRST, steps[0][1], "READ (2017 and 2025-2026) / INFERENCE (between)", "high", note))
    special = _special(line, facts)
    for number, (start, rate, basis, confidence, note) in enumerate(rows):
        until = rows[number + 1][0] if number + 1 < len(rows) else None
        yield {
            "hts": line["hts_dotted"],
            "from": day(start),
            "until": day(until),
            "column1": _share(rate),
            "column2": _share(line["column2_pct"]),
            "special": special,
            "source": HTS_SOURCE,
            "basis": basis,
            "confidence": confidence,
            "note": note,
        }


def _steps(line: Row) -> Iterable[tuple[date, str, bool]]:
    """(first day, rate as printed, inferred) of each step of the column-1 rate."""
    for step in line["mfn_steps"].split(";"):
        start, rate = step.split("=", 1)
        rate = re.sub(r"\s*\(.*\)", "", rate).strip()
        yield date.fromisoformat(start), rate.rstrip("~"), rate.endswith("~")


def _share(text: str) -> str:
    try:
        return plain(Decimal(text) / 100).removesuffix(".0")
    except InvalidOperation:
        return text


def _special(line: Row, facts: Facts) -> str:
    text = line["fta_special_2026"]
    if line["hts_dotted"] == "8543.70.99":
        text = next(other for other in facts.lines if other["hts_dotted"] == "8543.70.98")["fta_special_2026"]
    parts = []
    for rate, codes in re.findall(r"(Free|[\d.]+%)\s*\(([^)]*)\)", text):
        names = [code.strip() for code in codes.split(",")]
        if "S" in names:
            names += ["S+", "CA", "MX"]
        parts.append(f"{'0' if rate == 'Free' else _share(rate.rstrip('%'))}: {' '.join(names)}")
    return "; ".join(parts)


def _extra_line(extra: dict[str, str]) -> dict[str, str]:
    return {column: extra.get(column, "") for column in LINE_COLUMNS}


def _extra_rates(extra: dict[str, str]) -> Iterable[dict[str, str]]:
    shared = {"hts": extra["hts"], "column1": extra["column1"], "column2": "", "special": "", "source": extra["source"]}
    yield shared | {
        "from": day(FIRST),
        "until": "2025-01-01",
        "basis": "MEMORY (same rate assumed)",
        "confidence": "low",
        "note": "",
    }
    yield shared | {"from": "2025-01-01", "until": "", "basis": "READ-secondary", "confidence": "medium", "note": ""}


_FREE_TRADE = {
    "AU": "AU",
    "BH": "BH",
    "CL": "CL",
    "CO": "CO",
    "IL": "IL",
    "JO": "JO",
    "KR": "KR",
    "MA": "MA",
    "OM": "OM",
    "PA": "PA",
    "PE": "PE",
    "SG": "SG",
    "P": "CR DO SV GT HN NI",
    "P+": "CR DO SV GT HN NI",
}


def _programmes() -> Iterable[dict[str, str]]:
    def row(code: str, origins: str, start: str, until: str, confidence: str, note: str) -> dict[str, str]:
        return {
            "code": code,
            "origins": origins,
            "from": start,
            "until": until,
            "source": "general notes to the HTS",
            "basis": "MEMORY",
            "confidence": confidence,
            "note": note,
        }

    for code, origins in _FREE_TRADE.items():
        yield row(code, origins, day(FIRST), "", "high", "in force before 2018")
    for code in ("S", "S+"):
        yield row(code, "CA MX", "2020-07-01", "", "high", "USMCA, in force 2020-07-01")
    for code in ("CA", "MX"):
        yield row(code, code, day(FIRST), "2020-07-01", "medium", "NAFTA, replaced by the USMCA")
    yield row("JP", "JP", "2020-01-01", "", "medium", "United States-Japan Trade Agreement")
    lapsed = "GSP; lapsed 2020-12-31. Entries of early 2018 were freed after the fact"
    excluded = " Some countries are shut out line by line; which ones was not read"
    for code, note in (("A", lapsed + "."), ("A*", lapsed + "." + excluded + ".")):
        yield row(code, "GSP", day(FIRST), "2021-01-01", "low", note)
        yield row(code, "IN", day(FIRST), "2019-06-05", "low", "GSP; India removed 2019-06-05.")
        yield row(code, "TR", day(FIRST), "2019-05-17", "low", "GSP; Turkey removed 2019-05-17.")
    yield row("A+", "GSP_LEAST", day(FIRST), "2021-01-01", "low", lapsed + "; least-developed countries only.")
