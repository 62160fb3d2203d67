"""Duties under IEEPA, 2025-02-04 to 2026-02-23: fentanyl, Brazil, India. The reciprocal ones stand in reciprocal.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from build_rules.emit import Item, Provision, Version
from build_rules.facts import Facts

FOLDER = "ieepa"
USMCA: Mapping[str, Any] = {"claim": "spi", "one_of": ["S", "S+"]}
MEMBERS = "Membership is known for the lines of schedule/lines.csv only; the official list is longer."
METALS = ("s232-metals",)
RIVALS = "EO 14289 as amended by Proc. 10947, retroactive to 2025-03-04: the metals duties go first."
ENDED = "IEEPA duties ended for entries from 2026-02-24, 12:00 a.m.: 25-250 (US 2026-02-20), EO 14389, CSMS 67834313."


def provisions(facts: Facts) -> Iterable[Provision]:
    facts.row("IEEPA-END")
    yield from _fentanyl(facts)
    yield from _country_orders(facts)


def free(id_: str, title: str, heading: str, version: Version, **rest: Any) -> Provision:
    order = rest.pop("order", 49)
    return Provision(
        id_, FOLDER, title, "IEEPA", "free", (version.but(rate=None),), heading=heading, order=order, **rest
    )


def loaded(before: date) -> tuple[Mapping[str, Any], ...]:
    return ({"claim": "loaded", "before": before},)


# -- fentanyl ----------------------------------------------------------------------------------------------------


def _fentanyl(facts: Facts) -> Iterable[Provision]:
    yield Provision(
        "fentanyl-china",
        FOLDER,
        "Fentanyl, China and Hong Kong",
        "IEEPA",
        "add",
        (
            facts.version("FENT-CN-1", heading="9903.01.20"),
            facts.version("FENT-CN-2"),
            facts.version("FENT-CN-3"),
        ),
        heading="9903.01.24",
        group="fentanyl",
        order=30,
        origins=("CN", "HK"),
        yields_to=("fentanyl-china-in-transit",),
        note="Adds to every other duty, metals included; no exempt list, no US-content rule; Macau not "
        "covered. " + ENDED,
    )
    transit = facts.version(
        "FENT-CN-1",
        until=date(2025, 3, 7),
        source="HTS 2025 rev 1; 9903.01.23",
        note="Entered 2025-02-04 to 2025-03-06.",
    )
    yield free(
        "fentanyl-china-in-transit",
        "Fentanyl, China: in transit before 2025-02-01",
        "9903.01.23",
        transit,
        order=29,
        origins=("CN", "HK"),
        why="the goods were loaded before 2025-02-01 and entered before 2025-03-07",
        requires=loaded(date(2025, 2, 1)),
    )
    yield from _neighbour(
        facts,
        "canada",
        "CA",
        "9903.01.10",
        "9903.01.14",
        (
            facts.version("FENT-CA-1", note="Three days without a USMCA exemption."),
            facts.version("FENT-CA-2"),
            facts.version("FENT-CA-3"),
        ),
        ("fentanyl-canada-energy", "fentanyl-canada-transshipped"),
    )
    energy = facts.version(
        "FENT-CA-1",
        until=facts.version("FENT-CA-3").until,
        rate=Decimal("0.1"),
        source="EO 14193; HTS 9903.01.13",
        note="Refined petroleum products among others.",
    )
    yield Provision(
        "fentanyl-canada-energy",
        FOLDER,
        "Northern border, Canada: energy",
        "IEEPA",
        "add",
        (energy,),
        heading="9903.01.13",
        group="fentanyl",
        order=30,
        origins=("CA",),
        products=("2710",),
        yields_to=("fentanyl-canada-usmca", "fentanyl-canada-transshipped", *METALS),
        why="energy of Canada pays 10 % in place of the general rate",
    )
    yield Provision(
        "fentanyl-canada-transshipped",
        FOLDER,
        "Northern border, Canada: transshipped to evade",
        "IEEPA",
        "add",
        (facts.version("FENT-CA-TRANS"),),
        heading="9903.01.16",
        group="fentanyl",
        order=30,
        origins=("CA",),
        yields_to=("fentanyl-canada-usmca",),
        why="CBP determined transshipment: 40 % in place of the general rate",
        requires=({"claim": "transshipped", "is": True},),
    )
    yield from _neighbour(
        facts,
        "mexico",
        "MX",
        "9903.01.01",
        "9903.01.04",
        (
            facts.version("FENT-MX-1", note="Three days without a USMCA exemption."),
            facts.version("FENT-MX-2", note="An announced 30 % never took effect (MEMORY)."),
        ),
        (),
    )


def _neighbour(
    facts: Facts,
    name: str,
    code: str,
    heading: str,
    free_heading: str,
    versions: tuple[Version, ...],
    winners: tuple[str, ...],
) -> Iterable[Provision]:
    side = "Northern border, Canada" if code == "CA" else "Southern border, Mexico"
    yield Provision(
        f"fentanyl-{name}",
        FOLDER,
        side,
        "IEEPA",
        "add",
        versions,
        heading=heading,
        group="fentanyl",
        order=30,
        origins=(code,),
        yields_to=(f"fentanyl-{name}-usmca", *winners, *METALS),
        note=f"{RIVALS} {ENDED}",
    )
    yield free(
        f"fentanyl-{name}-usmca",
        f"{side}: originating under the USMCA",
        free_heading,
        versions[1].but(until=versions[-1].until, note=""),
        order=29,
        origins=(code,),
        why="originating goods of the USMCA are outside the border duties from 2025-03-07",
        requires=(USMCA,),
    )


# -- orders on one country ---------------------------------------------------------------------------------------


def _country_orders(facts: Facts) -> Iterable[Provision]:
    brazil = facts.version("IEEPA-BR")
    yield Provision(
        "ieepa-brazil",
        FOLDER,
        "Brazil",
        "IEEPA",
        "add",
        (brazil,),
        heading="9903.01.77",
        order=35,
        origins=("BR",),
        yields_to=("ieepa-brazil-in-transit", "ieepa-brazil-exempt", *METALS, "s232-chips"),
        note="Adds to the reciprocal 10 %. " + ENDED,
    )
    yield free(
        "ieepa-brazil-in-transit",
        "Brazil, in transit before 2025-08-06",
        "9903.01.78",
        brazil.but(until=date(2025, 10, 5), source="EO 14323; HTS 9903.01.78"),
        order=34,
        origins=("BR",),
        why="the goods were loaded before 2025-08-06 and entered before 2025-10-05",
        requires=loaded(date(2025, 8, 6)),
    )
    listed = "EO 14323; ch. 99 note 2(x)(iii)(a), HTS 2026 rev 6"
    yield free(
        "ieepa-brazil-exempt",
        "Brazil, exempt list",
        "9903.01.81",
        brazil.but(source=listed),
        order=34,
        origins=("BR",),
        products=tuple(Item(hts, listed, "READ", "high") for hts in ("2710.19.30", "2710.19.45", "2710.19.90")),
        comment=MEMBERS,
        why="the article is on the exempt list of the order on Brazil",
    )
    india = facts.version("IEEPA-IN")
    yield Provision(
        "ieepa-india",
        FOLDER,
        "India, Russian oil",
        "IEEPA",
        "add",
        (india,),
        heading="9903.01.84",
        order=35,
        origins=("IN",),
        yields_to=("ieepa-india-in-transit", "ieepa-india-exempt", *METALS, "s232-chips"),
        note="Adds to the reciprocal 25 %.",
    )
    yield free(
        "ieepa-india-in-transit",
        "India, in transit before 2025-08-27",
        "9903.01.85",
        india.but(until=date(2025, 9, 17), source="EO 14329; HTS 9903.01.85"),
        order=34,
        origins=("IN",),
        why="the goods were loaded before 2025-08-27 and entered before 2025-09-17",
        requires=loaded(date(2025, 8, 27)),
    )
    yield free(
        "ieepa-india-exempt",
        "India, exempt list (Annex II)",
        "9903.01.86",
        india.but(source="EO 14329; ch. 99 note 2(v)(iii), HTS 2026 rev 6"),
        order=34,
        origins=("IN",),
        list_name="reciprocal-annex-ii.csv",
        why="the article is on the exempt list of the reciprocal duties (Annex II)",
    )
