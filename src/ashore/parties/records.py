"""Records of large files, one after the other: rows of CSV, objects of a JSON array. Memory holds one record at a time.

What is wrong becomes a fault, and nothing after it is read.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from ashore.errors import Fault

Item = dict[str, Any]

CHUNK = 1 << 20  # characters read at once
MOST_RECORD = 16 << 20  # characters of one record
MOST_BYTES = 4 << 30
END_MARK = "\x1a"  # the last line of OFAC's files
AGAIN = "Download the file again."
BINARY = {b"PK\x03\x04": "a ZIP archive or spreadsheet", b"\x1f\x8b": "a gzip archive", b"%PDF": "a PDF document"}


def opening(path: Path, faults: list[Fault]) -> str | None:
    """The beginning of a text file; None with a fault if it is no text in UTF-8."""
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
        size = path.stat().st_size
    except OSError as error:
        faults.append(Fault(path.name, f"The file cannot be read ({error.strerror}).", "Give a readable file."))
        return None
    what = _not_text(head)
    if what is None and size > MOST_BYTES:
        what = "The file is larger than 4 GB"
    if what is not None:
        faults.append(Fault(path.name, f"{what}.", "Give the list as UTF-8 text: JSON, CSV or TSV."))
        return None
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        row = head.count(b"\n", 0, error.start) + 1
        faults.append(Fault(path.name, "The text is not UTF-8.", "Save the file as UTF-8.", row=row))
        return None


def _not_text(head: bytes) -> str | None:
    if not head.strip():
        return "The file is empty"
    for mark, kind in BINARY.items():
        if head.startswith(mark):
            return f"This is {kind}"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "The text is UTF-16"
    if b"\0" in head:
        return "The file holds NUL bytes and is no text"
    if head.lstrip()[:200].lower().startswith((b"<!doctype", b"<html")):
        return "This is a web page"
    return "This is XML" if head.lstrip().startswith(b"<?xml") else None


def csv_rows(path: Path, faults: list[Fault], mark: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it begins on."""
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(file), delimiter=mark, strict=True)
            for cells in reader:
                here, line = line, reader.line_num + 1
                if cells and cells != [END_MARK] and any(cell.strip() for cell in cells):
                    yield here, cells
    except UnicodeDecodeError:
        faults.append(Fault(path.name, "The text is not UTF-8 from about here on.", "Save it as UTF-8.", row=line))
    except csv.Error as error:
        what = f"The line is not CSV ({error})."
        faults.append(Fault(path.name, what, f"It may be cut off. {AGAIN}", row=line))
    except OSError as error:
        faults.append(Fault(path.name, f"The file cannot be read ({error.strerror}).", AGAIN))


def _lines(file: TextIO) -> Iterator[str]:
    """Lines of bounded length, so that one without an end does not fill the memory."""
    while line := file.readline(MOST_RECORD):
        if len(line) >= MOST_RECORD:
            raise csv.Error("a line of more than 16 million characters")
        if "\0" in line:
            raise csv.Error("a NUL character")
        yield line


def json_items(path: Path, faults: list[Fault]) -> Iterator[tuple[int, Item]]:
    """Objects of a JSON array, or of the array under "results", numbered from 1."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _items(_Text(file), path.name, faults)
    except UnicodeDecodeError:
        faults.append(Fault(path.name, "The text is not UTF-8.", "Save the file as UTF-8."))
    except OSError as error:
        faults.append(Fault(path.name, f"The file cannot be read ({error.strerror}).", AGAIN))


class _Text:
    """A window on a text: what was read and not yet used."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.text = ""
        self.ended = False

    def more(self) -> bool:
        """Reads on; False at the end."""
        chunk = self._file.read(CHUNK)
        self.ended = self.ended or not chunk
        self.text += chunk
        return bool(chunk)

    def drop(self, count: int) -> str:
        used, self.text = self.text[:count], self.text[count:]
        return used

    def next(self) -> str:
        """The next character that is no space, left in place; "" at the end."""
        while True:
            self.text = self.text.lstrip(" \t\r\n")
            if self.text or not self.more():
                return self.text[:1]


def _items(text: _Text, where: str, faults: list[Fault]) -> Iterator[tuple[int, Item]]:
    before = _up_to_array(text)
    if before is None:
        faults.append(
            Fault(where, 'The JSON has no list under "results".', f"{AGAIN} It may be an answer of another kind.")
        )
        return
    decoder = json.JSONDecoder()
    number = 0
    used = 0
    if text.next() == "]":
        text.drop(1)
    else:
        while True:
            number += 1
            item, used = _decoded(decoder, text)
            if not isinstance(item, dict):
                what = "The JSON is cut off or malformed" if used == 0 else "This is not an object of the list"
                faults.append(Fault(where, f"{what}, at entry {number}.", AGAIN, row=number))
                return
            yield number, item
            text.drop(used)
            mark = text.next()
            text.drop(1)
            if mark == "]":
                break
            if mark != "," or text.next() != "{":
                faults.append(
                    Fault(where, f"The JSON is cut off or malformed after entry {number}.", AGAIN, row=number)
                )
                return
    while text.more() and len(text.text) < MOST_RECORD:
        pass
    try:
        json.loads(f"{before}[]{text.text}")
    except (ValueError, RecursionError):
        faults.append(Fault(where, "The JSON is cut off or malformed after its list.", AGAIN))


def _up_to_array(text: _Text) -> str | None:
    """What stands before the array of entries, without its bracket; None if there is none."""
    if text.next() == "[":
        text.drop(1)
        return ""
    while True:
        place = text.text.find('"results"')
        if place >= 0:
            after = text.text[place + len('"results"') :].lstrip()
            if after.startswith(":") and after[1:].lstrip().startswith("["):
                start = text.text.index("[", place)
                before = text.drop(start)
                text.drop(1)
                return before
        if len(text.text) > MOST_RECORD or not text.more():
            return None


def _decoded(decoder: json.JSONDecoder, text: _Text) -> tuple[Any, int]:
    """The next value and its length; (None, 0) if it does not end or is malformed."""
    if text.next() != "{":
        return None, 0
    while True:
        try:
            value, end = decoder.raw_decode(text.text)
            return value, end
        except RecursionError:
            return None, 0
        except ValueError:
            if len(text.text) > MOST_RECORD or not text.more():
                return None, 0


def as_text(value: object) -> str:
    """A value as one text: blank for none, lists joined."""
    if value is None:
        return ""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list | dict):
        return "; ".join(as_texts(value))
    return str(value)


def as_texts(value: object) -> list[str]:
    """A value as texts: a list's items, a text's parts between semicolons, an object's values in one line."""
    if isinstance(value, list):
        return [text for item in value if (text := _line(item))]
    if isinstance(value, dict):
        line = _line(value)
        return [line] if line else []
    return [text for part in as_text(value).split(";") if (text := part.strip())]


def _line(item: object) -> str:
    if isinstance(item, dict):
        return ", ".join(part for part in map(as_text, _shallow(item.values())) if part)
    return as_text(item)


def _shallow(values: Iterable[object]) -> Iterator[object]:
    return (value for value in values if not isinstance(value, dict | list))
