"""A screening as plain values, for ``--json``, a CSV file and the log."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ashore.errors import writing
from ashore.parties import known
from ashore.parties.names import bare
from ashore.parties.ownership import MILLION
from ashore.parties.screening import NO_LIST_MATCH, Hit, Owned, PartHit, Product, Result, Screening

COLUMNS = [
    "row",
    "party_id",
    "party",
    "country",
    "outcome",
    "hit_outcome",
    "list",
    "entry_id",
    "name_ours",
    "name_theirs",
    "score",
    "hook",
    "country_says",
    "address_says",
    "notice",
    "start",
    "end",
    "url",
    "set_aside",
    "fingerprint",
]


def as_dict(screening: Screening) -> dict[str, Any]:
    """The JSON document of ``ashore screen``."""
    lists = screening.lists
    return {
        "on": screening.on.isoformat(),
        "outcomes": dict(screening.counts),
        "parties": [_party(result) for result in screening.results],
        "products": [_product(product) for product in screening.products],
        "lists": [
            {
                "file": file.file,
                "shape": file.shape,
                "lists": list(file.lists),
                "date": file.day.isoformat(),
                "age_days": (screening.on - file.day).days,
                "sha256": file.sha256,
                "entries": file.entries,
            }
            for file in lists.files
        ],
        "lists_sha256": lists.sha256,
        "lists_screened": list(lists.codes),
        "not_screened": list(lists.absent),
        "stale_after_days": screening.days,
        "notes": list(screening.notes),
    }


def sources() -> dict[str, Any]:
    """The JSON document of ``ashore screen fetch``: what to download, from where, and what each list means."""
    found: list[dict[str, Any]] = [
        {
            "list": one.code,
            "title": one.title,
            "owner": one.owner,
            "hook": one.hook,
            "meaning": known.hooks()[one.hook],
            "within": one.within or None,
            "at": list(one.at),
            "source": one.source,
            "verified": one.verified,
            "note": one.note,
        }
        for one in known.lists().values()
    ]
    return {"lists": found, "hooks": known.hooks()}


def record(screening: Screening, at: str) -> dict[str, Any]:
    """What the log keeps of a screening made at a time."""
    hits = [
        [result.party.name, *hit.entry.key, hit.outcome, round(hit.match.score, 4), hit.set_aside]
        for result in screening.results
        for hit in result.hits
    ]
    return {
        "at": at,
        "on": screening.on.isoformat(),
        "lists": list(screening.lists.codes),
        "lists_sha256": screening.lists.sha256,
        "files": [[file.file, file.day.isoformat(), file.sha256] for file in screening.lists.files],
        "outcomes": dict(screening.counts),
        "parties": [[result.party.name, result.outcome] for result in screening.results],
        "products": [[product.name, product.outcome] for product in screening.products],
        "hits": hits,
    }


def write_csv(screening: Screening, path: Path) -> None:
    """One row a hit, one for a party without any. Cells that a spreadsheet would run begin with an apostrophe."""
    with writing(path), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for row in _rows(screening):
            writer.writerow({key: _cell(value) for key, value in row.items()})


def _rows(screening: Screening) -> Iterator[dict[str, Any]]:
    for result in screening.results:
        party = result.party
        own = {"row": party.row, "party_id": party.id, "party": party.name, "country": party.country or ""}
        own["outcome"] = result.outcome
        if not result.hits:
            yield own
        for hit in result.hits:
            says = {reason.field: reason.says for reason in hit.reasons}
            yield own | {
                "hit_outcome": hit.outcome,
                "list": hit.entry.list,
                "entry_id": hit.entry.id,
                "name_ours": hit.ours,
                "name_theirs": hit.theirs.text,
                "score": round(hit.match.score, 4),
                "hook": known.known(hit.entry.list).hook,
                "country_says": says.get("country", ""),
                "address_says": says.get("address", ""),
                "notice": hit.entry.notice,
                "start": hit.entry.start or "",
                "end": hit.entry.end or "",
                "url": hit.entry.url,
                "set_aside": "yes" if hit.set_aside else "no",
                "fingerprint": hit.entry.fingerprint,
            }


def _cell(value: Any) -> str:
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _party(result: Result) -> dict[str, Any]:
    return {
        "row": result.party.row,
        "id": result.party.id or None,
        "name": result.party.name,
        "country": result.party.country,
        "outcome": result.outcome,
        "hits": [_hit(hit) for hit in result.hits],
        "ownership": [_owned(owned) for owned in result.owned],
    }


def _hit(hit: Hit) -> dict[str, Any]:
    entry = hit.entry
    one = known.known(entry.list)
    return {
        "outcome": hit.outcome,
        "list": entry.list,
        "list_title": one.title,
        "source": entry.source,
        "id": entry.id,
        "name": entry.name,
        "score": round(hit.match.score, 4),
        "hook": one.hook,
        "meaning": known.hooks()[one.hook],
        "list_verified": one.verified,
        "matched": {
            "ours": hit.ours,
            "theirs": hit.theirs.text,
            "weak_alias": hit.theirs.weak,
            "pairs": [
                {
                    "ours": " ".join(map(bare, pair.ours)),
                    "theirs": " ".join(map(bare, pair.theirs)),
                    "likeness": round(pair.likeness, 4),
                }
                for pair in hit.match.pairs
            ],
            "only_ours": list(hit.match.ours_alone),
            "only_theirs": list(hit.match.theirs_alone),
        },
        "reasons": [asdict(reason) for reason in hit.reasons],
        "type": entry.kind or None,
        "countries": sorted(entry.countries),
        "addresses": list(entry.addresses),
        "programs": list(entry.programs),
        "notice": entry.notice,
        "start": None if entry.start is None else entry.start.isoformat(),
        "end": None if entry.end is None else entry.end.isoformat(),
        "licence_requirement": entry.licence_requirement,
        "licence_policy": entry.licence_policy,
        "equipment": entry.equipment,
        "remarks": entry.remarks,
        "url": entry.url,
        "files": list(entry.files),
        "fingerprint": entry.fingerprint,
        "set_aside": hit.set_aside,
        "reviews": [
            {
                "decision": review.decision,
                "until": None if review.until is None else review.until.isoformat(),
                "reviewer": review.reviewer,
                "reason": review.reason,
            }
            for review in hit.reviews
        ],
    }


def _owned(owned: Owned) -> dict[str, Any]:
    rule, reach = owned.rule, owned.reach
    return {
        "rule": rule.rule,
        "about": rule.about,
        "hook": rule.hook,
        "source": rule.source,
        "in_force": owned.state.in_force,
        "since": owned.state.from_.isoformat(),
        "verified": owned.state.verified,
        "note": owned.state.note,
        "answer": reach.answer,
        "outcome": owned.outcome,
        "share_low": reach.low / MILLION,
        "share_high": reach.high / MILLION,
        "unnamed_low": reach.unnamed[0] / MILLION,
        "unnamed_high": reach.unnamed[1] / MILLION,
        "through": list(reach.through),
    }


def _product(product: Product) -> dict[str, Any]:
    return {
        "product": product.name,
        "outcome": product.outcome,
        "parts": [_part(part) for part in product.parts if part.outcome != NO_LIST_MATCH or part.hits],
        "parts_screened": sum(bool(part.maker) for part in product.parts),
        "without_maker": [part.path[-1] for part in product.parts if not part.maker],
    }


def _part(part: PartHit) -> dict[str, Any]:
    return {
        "path": list(part.path),
        "maker": part.maker or None,
        "outcome": part.outcome,
        "hits": [_hit(hit) for hit in part.hits],
    }
