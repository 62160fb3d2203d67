"""Section 301 duties: lists 1 to 4B on China, the four-year review, the exclusions; Nicaragua and Brazil."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from build_rules.emit import Item, Provision, Version, day_after
from build_rules.facts import Facts, Row

FOLDER = "s301"
EXCLUSIONS = "s301-exclusions"
CHAPTER_98 = "Chapter 98 entries are outside, save 9802.00.40/.50/.60 (work done abroad) and 9802.00.80 (less "
"US parts)."
MEMBERS = "Membership is known for the lines of schedule/lines.csv only; the official list is longer."
SUBDIVISION = {"1": "note 20(b)", "2": "note 20(d)", "3": "note 20(f)", "4A": "note 20(s)", "4B": "note 20(u)"}
DESCRIBED = re.compile(r"\s*\(described in statistical reporting.*$")
RENUMBERED = re.compile(r"prior to (\w+ \d+, \d{4})")


def provisions(facts: Facts) -> Iterable[Provision]:
    yield from _lists(facts)
    yield from _review(facts)
    yield from _exclusions(facts)
    yield from _others(facts)


def _china(id_: str, title: str, heading: str, versions: tuple[Version, ...], products: tuple[Item, ...]) -> Provision:
    return Provision(
        id_,
        FOLDER,
        f"China technology transfer, {title}",
        "Section 301",
        "add",
        versions,
        heading=heading,
        group="s301-china",
        order=20,
        origins=("CN",),
        products=products,
        comment=MEMBERS,
        note=CHAPTER_98,
    )


def _on_list(facts: Facts, number: str) -> tuple[Item, ...]:
    source = f"USITC China Tariffs 2020-01-01; HTS footnotes 2025-2026; ch. 99 {SUBDIVISION[number]}"
    return tuple(
        Item(line["hts_dotted"], source, "READ", "high")
        for line in facts.lines
        if line["s301_list"].split(" ")[0] == number
    )


def _lists(facts: Facts) -> Iterable[Provision]:
    winners = ("s301-exclusions", "s301-review")
    one = _china("s301-list-1", "list 1", "9903.88.01", (facts.version("S301-L1"),), _on_list(facts, "1"))
    yield replace(one, yields_to=winners)
    version = facts.version("S301-L2", note="The list of the rig. Chips left it for 9903.91.05 on 2025-01-01.")
    two = _china("s301-list-2", "list 2", "9903.88.02", (version,), _on_list(facts, "2"))
    yield replace(two, yields_to=winners)

    steps = (facts.version("S301-L3a"), facts.version("S301-L3b"))
    part = ("ch. 99 note 20(g), HTS 2026 rev 6", "READ", "high")
    stated = "assumed for 8 digits: the line stands here for switches and routers"
    switches = (
        Item("8517.62.00.10", *part, assume=True, note=stated),
        Item("8517.62.00.20", *part, assume=True, note=stated),
    )
    kept = facts.version(
        "S301-L3b",
        until=date(2019, 6, 15),
        rate=steps[0].rate,
        source="84 FR 20459; ch. 99 note 20(l)",
        note="The law asks for export before 2019-05-10 and entry before 2019-06-15; the day of loading stands "
        "for export.",
    )
    for id_, title, heading, items in (
        ("s301-list-3", "list 3", "9903.88.03", _on_list(facts, "3")),
        ("s301-list-3-part", "list 3, parts of subheadings", "9903.88.04", switches),
    ):
        yield replace(_china(id_, title, heading, steps, items), yields_to=(*winners, f"{id_}-transition"))
        yield replace(
            _china(f"{id_}-transition", f"{title}, exported before the increase", "9903.88.09", (kept,), ()),
            list_name=f"{id_}.csv",
            yields_to=winners,
            why="goods exported before 2019-05-10 keep the 10 % of list 3",
            requires=({"claim": "loaded", "before": date(2019, 5, 10)},),
        )

    ladder = "importer's published duty ladder, 2025-12 to 2026-07"
    four = (
        *_on_list(facts, "4A"),
        Item("8517.62.00.90", "ch. 99 note 20(s)(ii), HTS 2026 rev 6", "READ", "high"),
        Item("8507.60.00", ladder, "READ-secondary", "medium", until=date(2026, 1, 1), note="left for 9903.91.06"),
    )
    steps = (facts.version("S301-4Aa"), facts.version("S301-4Ab"))
    yield replace(_china("s301-list-4a", "list 4A", "9903.88.15", steps, four), yields_to=winners)
    never = facts.version("S301-4B", note="Suspended before it took effect: nothing was ever collected.")
    mixers = Item("8509.40.00", "ch. 99 note 20(u), HTS 2026 rev 6", "READ", "high")
    yield _china("s301-list-4b", "list 4B, suspended", "9903.88.16", (never,), (*_on_list(facts, "4B"), mixers))


def _review(facts: Facts) -> Iterable[Provision]:
    chips = tuple(
        Item(line["hts_dotted"], "89 FR 76581; ch. 99 note 31(f)", "READ", "high")
        for line in facts.lines
        if "note 31(f)" in line["s301_list"]
    )
    version = facts.version(
        "S301-4Y-50", note="In place of 9903.88.02. To be raised on 2027-06-23 by an amount not yet set (90 FR 60848)."
    )
    yield replace(
        _china("s301-review-chips", "four-year review, semiconductors", "9903.91.05", (version,), chips),
        group="s301-review",
        why="the four-year review moved semiconductors from list 2 to a heading of their own",
    )
    battery = Item("8507.60.00", "89 FR 76581; ch. 99 note 31(g), HTS 2026 rev 6", "READ", "high")
    yield replace(
        _china(
            "s301-review-2026",
            "four-year review, stage of 2026",
            "9903.91.06",
            (facts.version("S301-4Y-26"),),
            (battery,),
        ),
        group="s301-review",
        why="the four-year review moved these goods from list 4A to a heading of their own",
    )


def _exclusions(facts: Facts) -> Iterable[Provision]:
    known = {line["hts8"] for line in facts.lines}
    groups: dict[str, list[Row]] = {}
    for row in facts.exclusions:
        if row["hts10"] != "(summary)" and known & {_digits(code)[:8] for code in row["all_codes_in_item"].split()}:
            groups.setdefault(row["exclusion_heading"], []).append(row)
    for heading, rows in sorted(groups.items()):
        spans = {(row["effective_from"], row["effective_through"]) for row in rows}
        if len(spans) != 1:
            raise SystemExit(f"{heading} has several periods: {sorted(spans)}")
        first = rows[0]
        remembered = "memory" in first["date_basis"]
        cited = f"{first['fr_cite_memory']} (cited from memory); " if first["fr_cite_memory"] else ""
        notes = sorted({row["note_subdivision"] for row in rows})
        until = day_after(date.fromisoformat(first["effective_through"]))
        open_point = " An extension beyond 2026-11-09 was not found." if until == date(2026, 11, 10) else ""
        version = Version(
            date.fromisoformat(first["effective_from"]),
            until,
            None,
            f"{cited}ch. 99 note {', '.join(notes)}, HTS 2026 rev 6",
            "READ (articles) / MEMORY (dates)" if remembered else "READ",
            "low" if remembered else "high",
            note=("The heading prints no dates; from the start of the list to one year after the notice." * remembered)
            + open_point.strip() * (not remembered),
        )
        yield Provision(
            f"exclusion-{heading.replace('.', '-')}",
            EXCLUSIONS,
            f"Exclusion from the China duties, {heading}",
            "Section 301",
            "free",
            (version,),
            heading=heading,
            group="s301-exclusions",
            order=19,
            origins=("CN",),
            products=tuple(item for row in rows for item in _excluded(row, known)),
            why="the article is described in an exclusion the importer claims",
            comment="Each row is one described article, not a whole tariff line; only rows that touch "
            "schedule/lines.csv.",
            requires=({"claim": "exclusion", "heading": True},),
        )


def _excluded(row: Row, known: set[str]) -> Iterable[Item]:
    codes = [code for code in row["all_codes_in_item"].split() if _digits(code)[:8] in known]
    moved = RENUMBERED.search(row["description"])
    turn = datetime.strptime(moved.group(1), "%B %d, %Y").date() if moved and len(codes) > 1 else None
    if turn and turn <= date.fromisoformat(row["effective_from"]):
        codes, turn = codes[1:], None
    text = (
        DESCRIBED.sub("", row["description"]).rstrip(" ;,.").replace("public repository", "mirror")
    )  # ch. 99 prints mirror
    for number, code in enumerate(codes):
        yield Item(
            _dotted(code),
            f"ch. 99 note {row['note_subdivision']} item {row['item_no']}",
            "READ",
            "high",
            start=turn if number == 1 else None,
            until=turn if number == 0 else None,
            assume=True,
            note=text,
        )


def _others(facts: Facts) -> Iterable[Provision]:
    twice = facts.version("S301-NI")
    yield Provision(
        "s301-nicaragua",
        FOLDER,
        "Nicaragua",
        "Section 301",
        "add",
        (
            twice.but(note="Four digits after 9903.92 not read."),
            twice.but(
                start=date(2028, 1, 1), until=None, rate=twice.rate and twice.rate * 3 / 2, note="15 % from 2028."
            ),
        ),
        heading="9903.92",
        order=25,
        origins=("NI",),
        yields_to=("s301-nicaragua-cafta",),
    )
    yield Provision(
        "s301-nicaragua-cafta",
        FOLDER,
        "Nicaragua, originating under CAFTA-DR",
        "Section 301",
        "free",
        (twice.but(until=None, rate=None, note="Heading not read."),),
        heading="9903.92 (CAFTA-DR)",
        order=24,
        origins=("NI",),
        why="originating goods of the Central American agreement are outside the duty on Nicaragua",
        requires=({"claim": "spi", "one_of": ["P", "P+"]},),
    )
    yield Provision(
        "s301-brazil",
        FOLDER,
        "Brazil",
        "Section 301",
        "add",
        (facts.version("S301-BR"),),
        heading="9903.05.01",
        order=25,
        origins=("BR",),
        products_except=("8471.50.01",),
        note="The exempt list was not read in full; 8471.50.01 is known to be on it.",
    )


def _digits(code: str) -> str:
    return code.replace(".", "")


def _dotted(code: str) -> str:
    digits = _digits(code)
    return ".".join((digits[:4], digits[4:6], digits[6:8], digits[8:10]))
