"""The log of screenings: one line of JSON each, only ever added to; every line holds the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ashore.errors import Fault, FaultyInput, writing

START = "0" * 64


def last(path: Path) -> dict[str, Any] | None:
    """The last line of a log, all hashes checked; None if there is none. Raises FaultyInput if a line was changed."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise FaultyInput(Fault(str(path), "The log cannot be read.", "Name another place with --log.")) from None
    before = START
    record: dict[str, Any] | None = None
    for row, line in enumerate(lines, 1):
        try:
            found = json.loads(line)
            stated = found.pop("sha256")
            whole = found["previous"] == before and stated == _hash(found)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            whole = False
        if not whole:
            what = "This line of the log was changed, or one before it is gone."
            raise FaultyInput(Fault(path.name, what, "Keep it as evidence and begin a new log.", row=row))
        record, before = found, stated
    return None if record is None else record | {"sha256": before}


def append(path: Path, record: Mapping[str, Any]) -> str:
    """Adds a line and returns its hash."""
    before = last(path)
    line = {**record, "previous": START if before is None else before["sha256"]}
    line["sha256"] = _hash(line)
    with writing(path, "--log"):
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
    return str(line["sha256"])


def _hash(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
