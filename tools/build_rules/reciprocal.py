"""The reciprocal duties under IEEPA, 2025-04-05 to 2026-02-23: baseline, country rates, floors, exemptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from build_rules.emit import Item, Provision, Version
from build_rules.facts import Facts
from build_rules.ieepa import ENDED, FOLDER, MEMBERS, free, loaded

EXEMPT = ("reciprocal-exempt", "s232-metals", "s232-chips")
OUTSIDE = ("CA", "MX", "COLUMN2")


def provisions(facts: Facts) -> Iterable[Provision]:
    yield from _reciprocal_exempt(facts)
    yield from _reciprocal_transit(facts)
    winners = (*EXEMPT, "reciprocal-transshipped", "reciprocal-loaded-before")
    base = "Country rates take the place of the baseline; CA, MX and general note 3(b) countries are "
    "outside. " + ENDED
    yield _duty(
        "reciprocal-baseline",
        "Reciprocal, baseline",
        "9903.01.25",
        (
            facts.version("REC-BASE-1"),
            facts.version("REC-BASE-2"),
            facts.version("REC-BASE-3"),
            facts.version("REC-BASE-4", note="China back to 10 % with 9903.01.63 suspended."),
            facts.version("REC-BASE-5", note="China, Hong Kong, Macau and the countries without a rate of their own."),
        ),
        group="reciprocal-baseline",
        origins_except=OUTSIDE,
        yields_to=(*winners, "reciprocal"),
        note=base,
    )
    april = tuple(_row(facts, key).but(note="In force for 24 hours.") for key in facts.starting("REC-APR9-"))
    yield _duty(
        "reciprocal-april-9",
        "Reciprocal, country rate of 2025-04-09",
        "",
        april,
        versions_name="reciprocal-april-9-countries.csv",
        yields_to=winners,
        why="the country's own reciprocal rate takes the place of the baseline",
    )
    yield _duty(
        "reciprocal-china",
        "Reciprocal, China with Hong Kong and Macau",
        "9903.01.63",
        (
            facts.version("REC-CN-84", note="The 34 % of EO 14257 was replaced the day before and never collected."),
            facts.version("REC-CN-125", note="The rate of 34 % printed since is suspended."),
        ),
        origins=("CN", "HK", "MO"),
        yields_to=winners,
        why="the rate on China takes the place of the baseline",
    )
    notes = {
        "REC-AUG7-BD": "An agreement on 19 % (2026-02) was not found in the HTS.",
        "REC-AUG7-IN": "The cut to 18 % announced in 2026-02 was not found in the HTS.",
        "REC-AUG7-TW": "The floor of 15 % agreed in 2026-01 was not found in the HTS.",
        "REC-AUG7-BR": "Besides it the order on Brazil, 40 %.",
    }
    keys = [key for key in facts.starting("REC-AUG7-") if key != "REC-AUG7-EU"]
    august = [_row(facts, key).but(note=notes.get(key, "")) for key in keys]
    august += [_row(facts, key) for key in ("REC-KR-1", "REC-CH-1", "REC-LI-1")]
    yield _duty(
        "reciprocal-august",
        "Reciprocal, country rate from 2025-08-07",
        "",
        tuple(sorted(august, key=lambda version: version.heading)),
        versions_name="reciprocal-august-countries.csv",
        yields_to=winners,
        why="the country's own reciprocal rate takes the place of the baseline",
        note=ENDED,
    )
    yield replace(
        _duty(
            "reciprocal-floor",
            "Reciprocal, total of 15 % with column 1",
            "",
            (
                facts.version(
                    "REC-AUG7-EU",
                    heading="9903.02.20",
                    origins=("EU",),
                    note="Pair .19/.20; .19 is the zero line, for a column-1 general rate of 15 % or more.",
                ),
                facts.version(
                    "REC-JP",
                    heading="9903.02.73",
                    origins=("JP",),
                    note="Pair .72/.73; .72 is the zero line. Filed as +15 under 9903.02.30 until 2025-09-16 "
                    "(17.6 on a rig), "
                    "then corrected back to 2025-08-07.",
                ),
                facts.version(
                    "REC-KR-2",
                    heading="9903.02.80",
                    origins=("KR",),
                    note="Pair .79/.80; .79 is the zero line. Tests column 1 general or special.",
                ),
                facts.version(
                    "REC-CH-2",
                    heading="9903.02.83",
                    origins=("CH",),
                    note="Pair .82/.83; .82 is the zero line. Published later, back to 2025-11-14.",
                ),
                facts.version(
                    "REC-LI-2",
                    heading="9903.02.88",
                    origins=("LI",),
                    note="Pair .87/.88; .87 is the zero line. Published later, back to 2025-11-14.",
                ),
            ),
            yields_to=winners,
            why="the floor agreed with this country takes the place of the baseline",
            note=ENDED,
        ),
        kind="floor",
    )
    yield _duty(
        "reciprocal-transshipped",
        "Reciprocal, transshipped to evade",
        "9903.02.01",
        (facts.version("REC-TRANSSHIP", note="Never applied without a determination; penalties are besides it."),),
        group="reciprocal-transshipped",
        origins_except=("CA", "MX"),
        yields_to=EXEMPT,
        why="CBP determined transshipment: 40 % in place of the reciprocal rate",
        requires=({"claim": "transshipped", "is": True},),
    )


def _duty(id_: str, title: str, heading: str, versions: tuple[Version, ...], **rest: Any) -> Provision:
    group = rest.pop("group", "reciprocal")
    return Provision(id_, FOLDER, title, "IEEPA", "add", versions, heading=heading, group=group, order=50, **rest)


def _row(facts: Facts, key: str) -> Version:
    return facts.version(key, heading=facts.row(key)["ch99_heading"], origins=facts.countries(key))


def _reciprocal_exempt(facts: Facts) -> Iterable[Provision]:
    whole = facts.version("REC-BASE-1", until=facts.version("REC-BASE-5").until, note="")
    listed = "EO 14257 Annex II; ch. 99 note 2(v)(iii)(a), HTS 2026 rev 6"
    yield free(
        "reciprocal-annex-ii",
        "Reciprocal, exempt list (Annex II)",
        "9903.01.32",
        whole.but(source=listed),
        group="reciprocal-exempt",
        products=tuple(
            Item(line["hts_dotted"], listed, "READ", "high", start=date.fromisoformat(line["annex_ii_from"]))
            for line in facts.lines
            if line["annex_ii_reciprocal_exempt"] == "Y"
        ),
        comment=MEMBERS,
        why="the article is on the exempt list of the reciprocal duties (Annex II)",
    )
    yield free(
        "reciprocal-us-content",
        "Reciprocal, US content",
        "9903.01.34",
        whole.but(source="EO 14257; ch. 99 note 2(v)(xvii), HTS 2026 rev 6"),
        group="reciprocal-exempt",
        portion="us_content_share",
        why="US content of at least 20 % of the customs value is outside the reciprocal duties",
        requires=({"claim": "us_content_share", "at_least": 0.20},),
    )
    yield free(
        "reciprocal-in-transit",
        "Reciprocal, in transit before 2025-04-05",
        "9903.01.28",
        whole.but(
            until=date(2025, 6, 16),
            source="HTS 9903.01.28; CSMS 64649265",
            confidence="medium",
            note="The heading prints no end. CBP texts say entered before 2025-05-27, 05-28 or 06-16; the "
            "latest is taken.",
        ),
        group="reciprocal-exempt",
        why="the goods were loaded before 2025-04-05",
        requires=loaded(date(2025, 4, 5)),
    )


def _reciprocal_transit(facts: Facts) -> Iterable[Provision]:
    """Goods loaded before a rise, which keep the baseline of 10 % for a while."""
    rate = facts.version("REC-BASE-1").rate
    cases = (
        (
            "reciprocal-loaded-before-april-9",
            "before 2025-04-09",
            date(2025, 4, 9),
            facts.version("REC-BASE-2", note="Filed under the baseline in place of the country's rate."),
            (),
        ),
        (
            "reciprocal-loaded-before-april-10",
            "before 2025-04-10, China",
            date(2025, 4, 10),
            facts.version(
                "REC-CN-125",
                source="HTS 2025 rev 9, 9903.01.63; ch. 99 note 2(v)(xviii)",
                note="One broker's summary puts the cut at 2025-04-09; the HTS text is followed.",
            ),
            ("CN", "HK", "MO"),
        ),
        (
            "reciprocal-loaded-before-august-7",
            "before 2025-08-07",
            date(2025, 8, 7),
            facts.version(
                "REC-AUG7-AF",
                until=date(2025, 10, 5),
                source="EO 14326, 90 FR 37963; HTS 9903.02.02 to .73",
                note="Entered before 2025-10-05; filed under the baseline in place of the country's rate.",
            ),
            (),
        ),
    )
    for id_, title, day, version, origins in cases:
        yield _duty(
            id_,
            f"Reciprocal, loaded {title}",
            "9903.01.25",
            (version.but(rate=rate),),
            group="reciprocal-loaded-before",
            origins=origins,
            origins_except=() if origins else OUTSIDE,
            yields_to=(*EXEMPT, "reciprocal-transshipped"),
            why="goods already in transit keep the baseline of 10 %",
            requires=loaded(day),
        )
