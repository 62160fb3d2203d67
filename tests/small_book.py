"""A rule book of a few invented provisions, written to a folder, for tests of the engine itself."""

from __future__ import annotations

from pathlib import Path

FILES: dict[str, str] = {
    "coverage.toml": """
country = "US"
from = 2020-01-01
until = 2027-01-01
observed_until = 2026-10-01
""",
    "countries.csv": (
        "code,name\nUS,United States\nCN,China\nMY,Malaysia\nMX,Mexico\nKR,Korea\nCU,Cuba\nDE,Germany\nFR,France\n"
    ),
    "origins.toml": '[groups]\nEU = ["DE", "FR"]\n',
    "claims.toml": """
[spi]
type = "text"
kind = "election"
question = "Which special programme?"
[loaded]
type = "date"
kind = "fact"
question = "When were the goods loaded?"
[us_content_share]
type = "share"
kind = "election"
assumed = 0
question = "Which share of the value is US content?"
[metal_weight_share]
type = "share"
kind = "fact"
assumed = 1
question = "Which share of the weight is metal?"
[evaded]
type = "yes_no"
kind = "finding"
assumed = false
question = "Has the authority found evasion?"
""",
    "schedule/lines.csv": (
        "hts,description,role,unit,suffixes,valid_from,valid_until,renumbered,source,note\n"
        "8543.70.98,machines,RIG,No.,10 60,2022-01-27,,8543.70.99,s,\n"
        "8543.70.99,machines,RIG,No.,60,,2022-01-27,8543.70.98,s,\n"
        "8542.31.00,chips,CHIP,No.,,,,,s,\n"
        "2710.19.30,oil,OIL,bbl,,,,,s,\n"
        "8544.42.90,cable,CABLE,,10 90,,,,s,\n"
    ),
    "schedule/rates.csv": (
        "hts,from,until,column1,column2,special,source,basis,confidence,note\n"
        "8543.70.98,,,0.026,0.35,0: KR S,s,READ,high,\n"
        "8543.70.99,,,0.026,0.35,0: KR S,s,READ,high,\n"
        "8542.31.00,,,0,0.35,,s,READ,high,\n"
        "2710.19.30,,,84 cents/bbl,$1.68/bbl,,s,READ,high,\n"
        "8544.42.90,,,0.026,0.35,0: KR S,s,READ,high,\n"
    ),
    "schedule/programmes.csv": (
        "code,origins,from,until,source,basis,confidence,note\nKR,KR,,,s,READ,,\nS,MX,2020-07-01,,s,READ,,\n"
    ),
    "schedule/column-1.toml": """
provision = "column-1"
title = "column 1 general"
authority = "HTS"
heading = "column 1"
kind = "add"
column = "column1"
order = 90
[[version]]
from = 2018-01-01
source = "HTS"
basis = "READ"
""",
    "schedule/column-2.toml": """
provision = "column-2"
title = "column 2"
authority = "HTS"
heading = "column 2"
kind = "replace"
column = "column2"
order = 90
origins = ["CU"]
[[version]]
from = 2018-01-01
source = "HTS"
basis = "READ"
""",
    "schedule/special.toml": """
provision = "special"
title = "column 1 special"
authority = "HTS"
heading = "special"
kind = "replace"
column = "special"
order = 90
[[version]]
from = 2018-01-01
source = "HTS"
basis = "READ"
""",
    "fees/mpf.toml": """
fee = "MPF"
title = "processing fee"
[[waived_by]]
claim = "spi"
one_of = ["KR", "S"]
[[version]]
from = 2018-01-01
rate = 0.003464
minimum_usd = 33.58
maximum_usd = 651.50
source = "s"
basis = "READ"
""",
    "fees/hmf.toml": """
fee = "HMF"
title = "harbor fee"
modes = ["ocean"]
[[version]]
from = 2018-01-01
rate = 0.00125
source = "s"
basis = "READ"
""",
    "extra/baseline.toml": """
provision = "baseline"
title = "baseline duty"
authority = "Emergency"
group = "emergency"
heading = "9990.01.25"
kind = "add"
origins_except = ["MX"]
yields_to = ["country", "floor", "exempt-list", "us-content", "metal", "loaded-before"]
[[version]]
from = 2025-04-05
until = 2026-02-24
rate = 0.10
source = "order 1"
basis = "READ"
confidence = "high"
""",
    "extra/country.toml": """
provision = "country"
title = "country rate"
authority = "Emergency"
group = "emergency"
heading = "9990.02.00"
kind = "add"
yields_to = ["exempt-list", "us-content", "metal", "loaded-before"]
versions = "country.csv"
""",
    "extra/country.csv": (
        "heading,origins,rate,from,until,source,basis,confidence,note\n"
        "9990.02.39,MY,0.19,2025-08-07,2026-02-24,order 2,READ,high,\n"
    ),
    "extra/floor.toml": """
provision = "floor"
title = "floor of 15 in all"
authority = "Emergency"
heading = "9990.02.20"
kind = "floor"
origins = ["EU", "KR"]
[[version]]
from = 2025-08-07
until = 2026-02-24
rate = 0.15
source = "order 2"
basis = "READ"
""",
    "extra/exempt-list.toml": """
provision = "exempt-list"
title = "electronics exempt"
authority = "Emergency"
heading = "9990.01.32"
kind = "free"
products = "exempt.csv"
why = "on the list of exempt electronics"
[[version]]
from = 2025-04-05
source = "order 1"
basis = "READ"
""",
    "extra/exempt.csv": "hts,from,until,assume,source,basis,confidence,note\n8542,,,,s,READ,high,\n",
    "extra/us-content.toml": """
provision = "us-content"
title = "US content"
authority = "Emergency"
heading = "9990.01.34"
kind = "free"
portion = "us_content_share"
why = "US content of a fifth or more is outside the duty"
[[requires]]
claim = "us_content_share"
at_least = 0.2
[[version]]
from = 2025-04-05
until = 2026-02-24
source = "order 1"
basis = "READ"
""",
    "extra/loaded-before.toml": """
provision = "loaded-before"
title = "in transit"
authority = "Emergency"
heading = "9990.01.28"
kind = "free"
why = "loaded before the duty began"
[[requires]]
claim = "loaded"
before = 2025-04-05
[[version]]
from = 2025-04-05
until = 2025-06-16
source = "order 1"
basis = "READ"
""",
    "extra/evasion.toml": """
provision = "evasion"
title = "evasion"
authority = "Emergency"
heading = "9990.02.01"
kind = "add"
[[requires]]
claim = "evaded"
is = true
[[version]]
from = 2025-04-05
until = 2026-02-24
rate = 0.40
source = "order 1"
basis = "READ"
""",
    "extra/metal.toml": """
provision = "metal"
title = "metal goods"
authority = "Metals"
heading = "9990.82.09"
kind = "add"
products = ["8544.42.90"]
why = "metal goods pay the metals duty instead"
[[requires]]
claim = "metal_weight_share"
at_least = 0.15
[[version]]
from = 2025-04-05
rate = 0.25
source = "order 3"
basis = "READ-secondary"
confidence = "medium"
""",
    "extra/suffix.toml": """
provision = "suffix"
title = "one statistical suffix"
authority = "Suffix"
heading = "9990.88.60"
kind = "add"
products = ["8543.70.98.60"]
origins = ["CN"]
[[version]]
from = 2025-04-05
rate = 0.07
source = "order 4"
basis = "READ"
""",
}


def write_book(folder: Path, **replaced: str) -> Path:
    """Writes the small book; ``replaced`` maps a path with ``__`` for ``/`` and ``_toml``/``_csv`` ends to new text."""
    files = dict(FILES)
    for name, text in replaced.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        files[f"{stem.replace('_', '-')}.{suffix}"] = text
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    return folder
