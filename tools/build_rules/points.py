"""Open points and conflicts: dated, and shown with every answer whose day, origin and line they touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any


def _doubt(
    start: date, until: date | None, what: str, sources: str | Sequence[str], provision: str = "", **where: Any
) -> Mapping[str, Any]:
    cells: dict[str, Any] = {"from": start}
    if until is not None:
        cells["until"] = until
    if provision:
        cells["provision"] = provision
    cells |= where
    cells["what"] = what
    cells["sources"] = sources if isinstance(sources, str) else list(sources)
    return cells


ITA_LINES = [
    "8504.40.40",
    "8504.40.95",
    "8504.50.80",
    "8504.90.75",
    "8504.90.96",
    "8536.30.80",
    "8536.90.85",
    "8537.10.80",
    "8538.10.00",
    "8543.90.68",
    "8543.90.88",
]
EXCLUDED_TO_2026 = [
    "7326.90.86",
    "8413.70.20",
    "8414.59.65",
    "8473.30.11",
    "8473.30.51",
    "8504.40.95",
    "8504.90.75",
    "8534.00.00",
    "8536.30.80",
    "8536.90.40",
    "8537.10.91",
    "8543.70.45",
    "8543.70.98",
    "8544.42.20",
    "8544.42.90",
]
SIXTEEN = ["CN", "EU", "SG", "CH", "NO", "ID", "MY", "KH", "TH", "KR", "VN", "TW", "BD", "MX", "JP", "IN"]

DOUBTS: tuple[Mapping[str, Any], ...] = (
    _doubt(
        date(2018, 3, 23),
        date(2025, 3, 12),
        "countries exempt from the aluminium duty, or under quota, in 2018-2025 are not carried",
        "Proc. 9704 (MEMORY)",
        "s232-aluminium-2018",
        products=["7616.99.51"],
    ),
    _doubt(
        date(2018, 7, 1),
        date(2020, 1, 1),
        "the days of the last two ITA-2 steps of the column-1 rate (2018-07-01 and 2019-07-01) are inferred",
        "USITC database 2017 and HTS 2025 read at both ends; Proc. 9466 (MEMORY)",
        "column-1",
        products=ITA_LINES,
    ),
    _doubt(
        date(2018, 9, 24),
        None,
        "list 3 covers modems, switches and routers of this number (.00.10, .00.20), list 4A the rest (.00.90)",
        "ch. 99 notes 20(g) and 20(s)(ii)",
        "s301-list-3-part",
        origins=["CN"],
        products=["8517.62.00"],
    ),
    _doubt(
        date(2025, 3, 12),
        date(2026, 4, 6),
        "note 19 as printed in 2026 charges the aluminium content in chapter 76 too; CBP's guidance of 2025 "
        "took the full value",
        ["ch. 99 note 19(f), (h), HTS 2026 rev 6", "secondary reports on Proc. 10895"],
        "s232-aluminium-chapter-76",
        products=["7616"],
    ),
    _doubt(
        date(2025, 3, 12),
        date(2025, 8, 18),
        "one source puts this line on the steel list from 2025-03-12, another from 2025-08-18; the earlier day "
        "is taken",
        ["Proc. 10896", "90 FR 40326"],
        "s232-steel-content",
        products=["9406.20.00"],
    ),
    _doubt(
        date(2025, 3, 12),
        date(2026, 4, 6),
        "which suffixes of this line were on the steel list was not read; all are charged",
        "Proc. 10896; 90 FR 40326",
        "s232-steel-chapter-73",
        products=["7326.90.86"],
    ),
    _doubt(
        date(2025, 4, 5),
        date(2025, 6, 16),
        "goods loaded before 2025-04-05: one CBP text asks for entry before 2025-05-27, others before 05-28 or "
        "06-16, and the "
        "heading prints no end; until 06-16 a loading date is taken as freeing the goods",
        ["CSMS 64649265", "HTS 2025 rev 32, 9903.01.28", "other CBP texts"],
        "reciprocal-in-transit",
    ),
    _doubt(
        date(2025, 4, 9),
        date(2025, 5, 14),
        "goods on the way on 2025-04-09: a broker's summary charges the China rate, the HTS text only from 2025-04-10",
        ["CSMS 64701128 as summarised", "HTS 2025 rev 9, 9903.01.63"],
        "reciprocal-china",
        origins=["CN", "HK", "MO"],
    ),
    _doubt(
        date(2025, 6, 4),
        None,
        "metal of the United Kingdom pays a lower metals rate if 95 % of it was melted or smelted there; not carried",
        "ch. 99 note 16(d); Proc. 10947",
        "s232-metals",
        origins=["GB"],
        products=["73", "76", "8414.59.65", "8415", "8419.50", "8504", "8538.10", "8544", "8609", "9406"],
    ),
    _doubt(
        date(2025, 3, 12),
        None,
        "aluminium smelted or cast in Russia pays 200 %; not carried",
        "HTS 9903.85.67, .68",
        "s232-metals",
        origins=["RU"],
        products=["76", "8414.59.65", "8415", "8419.50", "8504", "8538.10", "8543.90.88", "8544"],
    ),
    _doubt(
        date(2025, 8, 1),
        date(2026, 4, 6),
        "whether the border duty also bears on the copper content was not read; one of them only is charged",
        "Proc. 10962",
        "s232-copper-content",
        origins=["CA", "MX"],
        products=["8544.42"],
    ),
    _doubt(
        date(2025, 8, 7),
        date(2025, 9, 17),
        "filed at the time as 15 % on top of column 1 (9903.02.30); corrected later, back to 2025-08-07, to a "
        "total of 15 %",
        "EO 14345, 90 FR 44638",
        "reciprocal-floor",
        origins=["JP"],
    ),
    _doubt(
        date(2026, 1, 1),
        date(2026, 2, 24),
        "a floor of 15 % agreed in January 2026 was not found in the HTS before the end of IEEPA; 20 % is charged",
        "US-Taiwan memorandum; HTS 2026 basic",
        "reciprocal-august",
        origins=["TW"],
    ),
    _doubt(
        date(2026, 2, 1),
        date(2026, 2, 24),
        "a rate of 19 % agreed in February 2026 was not found in the HTS; 20 % is charged",
        "press (MEMORY); HTS 2026 basic",
        "reciprocal-august",
        origins=["BD"],
    ),
    _doubt(
        date(2026, 2, 1),
        date(2026, 2, 24),
        "a cut to 18 % announced in February 2026 was not found in the HTS; 25 % is charged",
        "announcement; HTS 2026 basic",
        "reciprocal-august",
        origins=["IN"],
    ),
    _doubt(
        date(2025, 2, 4),
        date(2026, 2, 24),
        "IEEPA duties of this day were held unlawful on 2026-02-20; what was paid may be refundable",
        "Learning Resources v. Trump, V.O.S. Selections (25-250 affirmed); EO 14389",
        "ieepa",
    ),
    _doubt(
        date(2026, 2, 24),
        date(2026, 7, 24),
        "the Court of International Trade held the surcharge unlawful on 2026-05-07 for three plaintiffs; "
        "stayed on 2026-05-12, "
        "the outcome of the appeal was not found",
        "CIT 26-00058, 26-00061",
        "s122-surcharge",
    ),
    _doubt(
        date(2026, 6, 8),
        None,
        "Proc. 11032 moved some air conditioners to a total of 15 %; which ones was not read, 25 % is charged",
        "Proc. 11032",
        "s232-metals-25",
        products=["8415"],
    ),
    _doubt(
        date(2026, 7, 22),
        None,
        "the exempt list of the duty on Brazil was not read in full; it is charged except on 8471.50.01",
        "91 FR 45516",
        "s301-brazil",
        origins=["BR"],
    ),
    _doubt(
        date(2026, 7, 24),
        None,
        "whether this line is on the exempt list of the forced-labour action was not verified; the duty is charged",
        "91 FR 47318",
        "s301-forced-labour-list",
        products=["2710.19", "8541.10.00"],
    ),
    _doubt(
        date(2026, 8, 22),
        None,
        "duties of 50 % under Section 338 on listed goods of Canada, more of them from 2026-09-15; no line of "
        "this book was seen "
        "on the lists, which were not verified: none is charged",
        "Procs. 11046 to 11048 and 11056; HTS 9903.03.12 to .14",
        "S338",
        origins=["CA"],
    ),
    _doubt(
        date(2026, 10, 10),
        None,
        "a Section 301 action on excess capacity against 16 economies, opened 2026-03-11, was undetermined when "
        "last seen: "
        "nothing is charged for it",
        "initiation notices of 2026-03-11 and 03-17; list of economies from memory",
        "S301-EXCESS",
        origins=SIXTEEN,
    ),
    _doubt(
        date(2026, 11, 10),
        None,
        "exclusions under 9903.88.69 ran to 2026-11-09; an extension was not found, so they are taken as ended",
        "90 FR 55232",
        "exclusion-9903-88-69",
        origins=["CN"],
        products=EXCLUDED_TO_2026,
    ),
    _doubt(
        date(2027, 6, 23),
        None,
        "the China duty on chips is to rise on 2027-06-23 by an amount not yet set",
        "90 FR 60848; ch. 99 note 31(f)(ii)",
        "s301-review-chips",
        origins=["CN"],
        products=["8541", "8542"],
    ),
)
