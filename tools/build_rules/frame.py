"""What stands around the provisions: coverage with its open points, claims, groups of origins, fees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from build_rules.emit import table, version_table
from build_rules.facts import Facts
from build_rules.points import DOUBTS

EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
GSP = (
    "AF AL DZ AO AR AM AZ BZ BJ BT BO BA BW BR BF BI CV KH CM CF TD KM CG CD CI DJ DM EC EG ER SZ ET FJ GA GM "
    "GE GH GD "
    "GN GW GY HT ID IQ JM JO KZ KE KI XK KG LB LS LR MK MG MW MV ML MR MU MD MN ME MZ MM NA NP NE NG PK PG PY "
    "PH RW LC "
    "VC WS ST SN RS SL SB SO ZA LK SR TZ TH TL TG TO TN TV UG UA UZ VU YE ZM ZW"
)
GSP_LEAST = (
    "AF AO BJ BT BF BI KH CF TD KM CD DJ ET GM GN GW HT KI LS LR MG MW ML MR MZ MM NP NE RW WS ST SN SL SB SO "
    "TZ TL TG TV "
    "UG VU YE ZM"
)

CLAIMS: Mapping[str, Mapping[str, Any]] = {
    "spi": {
        "type": "text",
        "kind": "election",
        "question": "Under which special programme is the article entered, by the code printed in the special column "
        "(S, KR, SG, A*)?",
    },
    "exclusion": {
        "type": "text",
        "kind": "election",
        "question": "Under which Section 301 exclusion heading is the article entered? The heading must "
        "describe the article.",
    },
    "loaded": {
        "type": "date",
        "kind": "fact",
        "question": "On which day were the goods loaded on the final means of transport?",
        "note": "Some transit headings speak of loading on a vessel, one of the day of export; the day given "
        "stands for both.",
    },
    "us_content_share": {
        "type": "share",
        "kind": "election",
        "assumed": 0,
        "question": "Which share of the customs value is content made or substantially transformed in the "
        "United States?",
    },
    "metal_weight_share": {
        "type": "share",
        "kind": "fact",
        "assumed": 1,
        "question": "Which share of the article's weight is the metal of its list (aluminium, steel or copper)?",
    },
    "aluminium_share": {
        "type": "share",
        "kind": "fact",
        "assumed": 1,
        "question": "Which share of the customs value is aluminium content?",
    },
    "steel_share": {
        "type": "share",
        "kind": "fact",
        "assumed": 1,
        "question": "Which share of the customs value is steel content?",
    },
    "copper_share": {
        "type": "share",
        "kind": "fact",
        "assumed": 1,
        "question": "Which share of the customs value is copper content?",
    },
    "advanced_chip_window": {
        "type": "yes_no",
        "kind": "fact",
        "assumed": False,
        "question": "Does the article fall in a performance window of note 39 (processing performance with "
        "memory bandwidth)?",
        "note": "A SHA-256 machine has no memory bandwidth to speak of and is outside both windows.",
    },
    "civil_aircraft": {
        "type": "yes_no",
        "kind": "election",
        "assumed": False,
        "question": "Is the article certified for use in civil aircraft?",
    },
    "transshipped": {
        "type": "yes_no",
        "kind": "finding",
        "assumed": False,
        "question": "Has CBP determined that the article was transshipped to evade duty?",
    },
}


def files(facts: Facts) -> Iterable[tuple[str, str]]:
    yield "coverage.toml", coverage()
    claims = [line for key, claim in CLAIMS.items() for line in (f"[{key}]", *table(claim), "")]
    yield "claims.toml", "\n".join(claims)
    groups = {
        "EU": EU.split(),
        "COLUMN2": ["CU", "KP", "RU", "BY"],
        "GSP": [code for code in GSP.split() if code != "XK"],
        "GSP_LEAST": GSP_LEAST.split(),
    }
    yield (
        "origins.toml",
        "# Groups of origins. EU: HTS 9903.02.20. COLUMN2: general note 3(b), Russia and Belarus since 2022-04-09.\n"
        "# GSP and GSP_LEAST: general note 4, from memory; used for entries of 2018 to 2020 only.\n"
        + "\n".join(["[groups]", *table(groups)])
        + "\n",
    )
    yield "fees/mpf.toml", mpf(facts)
    yield "fees/hmf.toml", hmf(facts)


def coverage() -> str:
    head = {
        "country": "US",
        "from": date(2018, 1, 1),
        "until": date(2026, 11, 23),
        "observed_until": date(2026, 10, 10),
        "note": "Rates for a bitcoin-mining rig and the parts, supplies and structures around it. Nothing dated "
        "after about "
        "2026-10-10 was seen: later days carry the last known law forward.",
    }
    lines = [
        "# The country whose tariff this is, the days this book vouches for, and the open points and conflicts that",
        "# are shown with every answer they bear on.",
        *table(head),
    ]
    for doubt in DOUBTS:
        lines += ["", "[[doubt]]", *table(doubt)]
    return "\n".join(lines) + "\n"


def mpf(facts: Facts) -> str:
    head = {
        "fee": "MPF",
        "title": "Merchandise processing fee, formal entry",
        "modes": "*",
        "waived_by": ["spi"],
        "note": "Once an entry, between a minimum and a maximum set for each fiscal year.",
    }
    lines = [
        "# Originating goods of most free-trade agreements are exempt; of Jordan, Morocco and the GSP they are not",
        "# (MEMORY), which a claim of spi alone cannot tell. Informal entries (2,500 USD and less) pay a flat "
        "amount of",
        "# about 2 to 9 USD that is not carried: the indexed amounts were not found.",
        *table(head),
    ]
    for key in facts.starting("MPF-FY"):
        row = facts.row(key)
        amounts = re.findall(r"\d+\.\d+", row["specific"])
        version = facts.version(key)
        if key == "MPF-FY2027":
            version = version.but(until=None, note="FY2027 amounts; carried on until those of FY2028 are known.")
        cells = version_table(version)
        rest = {name: cells.pop(name) for name in ("source", "basis", "confidence", "note") if name in cells}
        cells |= {"minimum_usd": Decimal(amounts[0]), "maximum_usd": Decimal(amounts[1])} | rest
        lines += ["", "[[version]]", *table(cells)]
    return "\n".join(lines) + "\n"


def hmf(facts: Facts) -> str:
    head = {
        "fee": "HMF",
        "title": "Harbor maintenance fee",
        "modes": ["ocean"],
        "note": "Cargo unloaded at covered ports; no minimum, no maximum.",
    }
    version = version_table(facts.version("HMF"))
    return "\n".join([*table(head), "", "[[version]]", *table(version)]) + "\n"
