"""From bytes a device sent to a document: nothing it says can do more than be refused.

The interface is that of cgminer: one JSON object, or text in the older form, ended by a zero byte. Devices in the field
send two objects without a comma between them, other encodings, numbers that are none, and text without end.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

LARGEST = 1 << 20  # bytes of a reply that are looked at
DEEPEST = 32  # levels of nesting
MOST = 1000  # objects of one part that are looked at; a rig sends some ten
LONGEST = 80  # letters of a text that is kept
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def decode(data: bytes) -> dict[str, Any] | None:
    """The object in a reply, or None if there is none."""
    text = data[:LARGEST].split(b"\x00", 1)[0].decode("utf-8", "replace").strip()
    if not text.startswith("{"):
        return _older(text)
    for form in (text, text.replace("}{", "},{")):
        try:
            found = json.loads(form)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) and _shallow(found) else None
    return None


def section(reply: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    """The objects in one part of a reply, as VERSION or STATS, up to MOST; [] if there are none."""
    found = None if reply is None else reply.get(name)
    if isinstance(found, Mapping):
        return [found]
    return [one for one in found[:MOST] if isinstance(one, Mapping)] if isinstance(found, list) else []


def first(reply: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    """The first object in one part of a reply, or an empty one."""
    return next(iter(section(reply, name)), {})


def text(value: object, longest: int = LONGEST) -> str:
    """A text as it may be shown and written into a table: one line, cut, and no formula of a spreadsheet."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) > 1e18:
        return ""
    return UNSEEN.sub("", str(value)[: 4 * longest]).strip().lstrip("=+-@ ")[:longest].strip()


def number(value: object) -> float | None:
    """A finite number of 0 or more, also if it was sent as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and 0 <= found < 1e15 else None


def _shallow(value: Any) -> bool:
    """Whether nothing lies deeper than DEEPEST."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return True
    return False


def _older(text: str) -> dict[str, Any] | None:
    """The older form: parts divided by |, in each NAME,key=value,key=value."""
    found: dict[str, list[dict[str, str]]] = {}
    for part in text.split("|")[:MOST]:
        head, *pairs = part.split(",")
        values = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        name, _, value = head.partition("=")
        if value:
            values = {name: value, **values}
        if re.fullmatch(r"[A-Z]{3,12}", name) and values:
            found.setdefault(name, []).append(values)
    return dict(found) if "STATUS" in found else None
