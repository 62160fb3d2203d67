"""What came after IEEPA: the surcharge of Section 122 and the forced-labour action under Section 301."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from build_rules.emit import Item, Provision, Version
from build_rules.facts import Facts

MEMBERS = "Membership is known for the lines of schedule/lines.csv only; the official list is longer."
METALS = ("s232-metals", "s232-chips")
USMCA: Mapping[str, Any] = {"claim": "spi", "one_of": ["S", "S+"]}
AIRCRAFT: Mapping[str, Any] = {"claim": "civil_aircraft", "is": True}


def provisions(facts: Facts) -> Iterable[Provision]:
    yield from _section_122(facts)
    yield from _forced_labour(facts)


def _section_122(facts: Facts) -> Iterable[Provision]:
    base = facts.version("S122")

    def free(name: str, title: str, heading: str, version: Version, **rest: Any) -> Provision:
        return Provision(
            f"s122-{name}",
            "s122",
            f"Surcharge, {title}",
            "Section 122",
            "free",
            (version.but(rate=None),),
            heading=heading,
            group="s122-exempt",
            order=54,
            **rest,
        )

    yield Provision(
        "s122-surcharge",
        "s122",
        "Balance-of-payments surcharge",
        "Section 122",
        "add",
        (base.but(note="150 days. An announced 15 % never took effect; column-2 countries pay it too."),),
        heading="9903.03.01",
        order=55,
        yields_to=("s122-exempt", *METALS),
        note="No US-content rule. Metals and chips under Section 232 are outside (9903.03.06).",
    )
    listed = "Proc. 11012; ch. 99 note 2(aa)(ii), HTS 2026 rev 6"
    yield free(
        "list",
        "exempt list",
        "9903.03.03",
        base.but(source=listed),
        products=_flagged(facts, "s122_exempt_9903_03_03", listed),
        comment=MEMBERS,
        why="the article is on the exempt list of the surcharge",
    )
    yield free(
        "in-transit",
        "in transit before 2026-02-24",
        "9903.03.02",
        base.but(until=date(2026, 2, 28), source="Proc. 11012; HTS 9903.03.02"),
        why="the goods were loaded before 2026-02-24 and entered before 2026-02-28",
        requires=({"claim": "loaded", "before": date(2026, 2, 24)},),
    )
    aircraft = "Proc. 11012; ch. 99 note 2(aa)(iv), HTS 2026 rev 6"
    batteries = Item("8507.60.00", aircraft, "READ", "high")
    yield free(
        "civil-aircraft",
        "civil aircraft",
        "9903.03.05",
        base.but(source=aircraft),
        products=(*_flagged(facts, "on_civil_aircraft_conditional_list", aircraft, "Y"), batteries),
        comment=MEMBERS,
        why="the article is for civil aircraft",
        requires=(AIRCRAFT,),
    )
    usmca = free(
        "usmca",
        "originating under the USMCA",
        "9903.03.07",
        base,
        origins=("CA", "MX"),
        why="originating goods of the USMCA are outside the surcharge",
        requires=(USMCA,),
    )
    yield replace(
        usmca,
        heading="",
        versions=tuple(
            base.but(rate=None, source=f"Proc. 11012; HTS {heading}", heading=heading, origins=(code,))
            for heading, code in (("9903.03.07", "CA"), ("9903.03.08", "MX"))
        ),
    )


def _flagged(facts: Facts, column: str, source: str, yes: str = "Y") -> tuple[Item, ...]:
    return tuple(Item(line["hts_dotted"], source, "READ", "high") for line in facts.lines if line[column] == yes)


def _forced_labour(facts: Facts) -> Iterable[Provision]:
    name = "Section 301 (forced labour)"
    folder = "s301-forced-labour"
    floors = {
        "FL301-EU": ("9903.05.39", ("EU",), "Pair .38/.39"),
        "FL301-TW": ("9903.05.76", ("TW",), "Pair .75/.76"),
        "FL301-JP": ("9903.05.49", ("JP",), "Pair .48/.49"),
        "FL301-KR": ("9903.05.71", ("KR",), "Pair .70/.71"),
        "FL301-CH": ("9903.05.74", ("CH",), "Pair .73/.74"),
    }
    facts.row("FL301-NOTCOVERED")
    keys = [key for key in facts.starting("FL301-") if key not in floors and key != "FL301-NOTCOVERED"]
    rates = [facts.version(key, heading=facts.row(key)["ch99_heading"], origins=facts.countries(key)) for key in keys]
    rates = [v.but(note="The only column-2 country that pays it.") if v.origins == ("RU",) else v for v in rates]
    winners = (f"{folder}-exempt", *METALS)
    note = (
        "60 economies; others pay nothing here. Adds to column 1 and the China lists, whatever trade agreement "
        "is claimed. "
        "No end date. Metals and chips under Section 232 are outside (9903.05.90)."
    )
    yield Provision(
        folder,
        folder,
        "Forced labour, failure to ban",
        name,
        "add",
        tuple(sorted(rates, key=lambda version: version.heading)),
        order=40,
        versions_name=f"{folder}-countries.csv",
        yields_to=winners,
        note=note,
    )
    yield Provision(
        f"{folder}-floor",
        folder,
        "Forced labour, failure to ban, total with column 1",
        name,
        "floor",
        tuple(
            facts.version(key, heading=heading, origins=origins, note=f"{pair}; which is the zero line was not read.")
            for key, (heading, origins, pair) in floors.items()
        ),
        order=40,
        yields_to=winners,
        note=note,
    )
    base = facts.version("FL301-CN", rate=None)

    def free(id_: str, title: str, heading: str, version: Version, **rest: Any) -> Provision:
        return Provision(
            f"{folder}-{id_}",
            folder,
            f"Forced labour, {title}",
            name,
            "free",
            (version,),
            heading=heading,
            group=f"{folder}-exempt",
            order=39,
            **rest,
        )

    yield free(
        "list",
        "exempt list",
        "9903.05.86",
        base,
        products=_flagged(facts, "fl301_exempt_9903_05_86", "91 FR 47318, list of 863 numbers"),
        comment=MEMBERS,
        why="the article is on the exempt list of the forced-labour action",
    )
    yield free(
        "in-transit",
        "in transit before 2026-07-24",
        "9903.05.85",
        base.but(until=date(2026, 7, 28)),
        why="the goods were loaded before 2026-07-24 and entered before 2026-07-28",
        requires=({"claim": "loaded", "before": date(2026, 7, 24)},),
    )
    aircraft = "91 FR 47318; list of Section 122 taken over"
    yield free(
        "civil-aircraft",
        "civil aircraft",
        "9903.05.88",
        base,
        products=tuple(
            Item(line["hts_dotted"], aircraft, "INFERENCE", "medium")
            for line in facts.lines
            if line["on_civil_aircraft_conditional_list"] == "Y"
        ),
        comment=MEMBERS,
        why="the article is for civil aircraft",
        requires=(AIRCRAFT,),
    )
    usmca = free(
        "usmca",
        "originating under the USMCA",
        "",
        base,
        origins=("CA", "MX"),
        why="originating goods of the USMCA are outside the forced-labour action",
        requires=(USMCA,),
    )
    yield replace(
        usmca,
        versions=tuple(
            base.but(heading=heading, origins=(code,)) for heading, code in (("9903.05.93", "CA"), ("9903.05.94", "MX"))
        ),
    )
