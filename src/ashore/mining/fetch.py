"""Where a series comes from: a file, an address on the web, or a bitcoin node of the user's own."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ashore.errors import Fault, FaultyInput
from ashore.mining import formats
from ashore.mining.chain import EPOCH_BLOCKS
from ashore.mining.series import Series, completed, merged, read_series, series_of

SECONDS = 60.0  # to wait for an answer
MOST_BYTES = 100_000_000
MOST_PAGES = 200
BATCH = 144  # blocks asked for at once
BLOCKS_DAY = 144
STATS = ["height", "time", "totalfee", "blockhash"]
RUNNING = "Start bitcoind with server=1, or correct the address."


@dataclass(frozen=True, slots=True)
class Node:
    """A bitcoind: address of its JSON-RPC, and user and password or the cookie file it writes."""

    url: str
    user: str = ""
    password: str = ""
    cookie: Path | None = None


def load(source: Path | str) -> Series:
    """A series from a file or an address, in the user's own format or a service's. Raises FaultyInput."""
    text = str(source)
    if text.startswith(("http://", "https://")):
        return _from_web(text)
    return _from_text(_text_of(Path(text)), Path(text).name, Path(text))


def load_all(sources: Iterable[Path | str], nodes: Iterable[Series] = ()) -> Series:
    """Several sources as one series, earlier ones first in a conflict, hash prices reckoned where none is given."""
    return completed(merged([*(load(source) for source in sources), *nodes]))


def from_node(node: Node, days: int, step: int = 1) -> Series:
    """Fees and difficulty of the last so many days from the user's own node; ``step`` 10 asks every tenth block only.

    ``getblockstats`` of each block for its fees; ``getblockheader`` of one block of each epoch for its difficulty.
    """
    where = _plain(node.url)
    if days < 1 or step < 1:
        raise FaultyInput(Fault("--days", "The number of days or blocks is below 1.", "Give 1 or more."))
    tip = int(_call(node, [("getblockchaininfo", [])])[0]["blocks"])
    heights = list(range(max(tip - days * BLOCKS_DAY + 1, 0), tip + 1, step))
    samples: list[formats.Sample] = []
    seen: dict[int, dict[str, Any]] = {}
    for first in range(0, len(heights), BATCH):
        asked = heights[first : first + BATCH]
        for stats in _call(node, [("getblockstats", [height, STATS]) for height in asked]):
            samples += formats.block_samples(stats, where)
            seen.setdefault(int(stats["height"]) // EPOCH_BLOCKS, stats)
    answers = _call(node, [("getblockheader", [stats["blockhash"]]) for stats in seen.values()])
    for header in answers:
        day = formats.block_samples({"time": header["time"], "totalfee": 0}, where)[0][0]
        samples.append((day, "difficulty", float(header["difficulty"])))
    if not samples:
        return series_of([], where)
    return formats.daily(samples, where)


def _from_web(address: str) -> Series:
    where = _plain(address)
    pages: list[Series] = []
    host = urllib.parse.urlsplit(address).netloc
    following: str | None = address
    while following is not None and len(pages) < MOST_PAGES:
        text = _answer(urllib.request.Request(following, headers={"Accept": "application/json, text/csv"}), where)
        pages.append(_from_text(text, where, None))
        following = formats.next_page(text)
        if following is not None and urllib.parse.urlsplit(following).netloc != host:
            remedy = "Fetch that page yourself and give it as a file."
            raise FaultyInput(Fault(where, "The next page is at another host.", remedy))
    return merged(pages)


def _from_text(text: str, where: str, path: Path | None) -> Series:
    if not text.strip():
        raise FaultyInput(Fault(where, "The series is empty.", "Give at least one day with a price or a hash price."))
    if text.lstrip()[0] in "[{":
        series = formats.from_json(text, where)
        if path is not None and formats.next_page(text) is not None:
            remedy = "Ask with page_size=10000, or give the address instead of the file: all pages are then read."
            raise FaultyInput(Fault(where, "The file is only the first page of the answer.", remedy))
        return series
    if formats.is_coin_metrics(formats.header_of(text)):
        return formats.from_csv(text.lstrip("\ufeff"), where)
    if path is None:
        raise FaultyInput(Fault(where, "This answer is not of a known shape.", formats.KNOWN))
    return read_series(path)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        what, remedy = "There is no such file.", "Name a file that is there, or an address that begins with https://."
    except UnicodeDecodeError:
        what, remedy = "The text is not UTF-8.", "Save the file as UTF-8."
    except OSError as error:
        what, remedy = f"The file cannot be read ({error.strerror}).", "Give a readable file."
    raise FaultyInput(Fault(path.name or str(path), what, remedy))


def _call(node: Node, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
    """Results of JSON-RPC requests sent as one batch, in their order. Raises FaultyInput with what the node said."""
    where = _plain(node.url)
    body = [{"jsonrpc": "1.0", "id": n, "method": name, "params": args} for n, (name, args) in enumerate(requests)]
    headers = {"Content-Type": "application/json"} | _credentials(node)
    parts = urllib.parse.urlsplit(node.url)
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    text = _answer(urllib.request.Request(address, json.dumps(body).encode(), headers), where, RUNNING)
    try:
        answers = sorted(json.loads(text), key=lambda answer: int(answer["id"]))
    except (ValueError, TypeError, KeyError):
        raise FaultyInput(Fault(where, "The answer is not that of a bitcoind.", RUNNING)) from None
    for (name, args), answer in zip(requests, answers, strict=True):
        if answer.get("error"):
            said = answer["error"].get("message", answer["error"])
            remedy = "A pruned node lacks old blocks: ask for fewer days." if name == "getblockstats" else RUNNING
            raise FaultyInput(Fault(where, f"{name} {args[0] if args else ''} was refused: {said}.", remedy))
    return [answer["result"] for answer in answers]


def _credentials(node: Node) -> dict[str, str]:
    user, password = node.user, node.password
    parts = urllib.parse.urlsplit(node.url)
    if parts.username is not None:
        user, password = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
    if node.cookie is not None:
        user, _, password = _text_of(node.cookie).strip().partition(":")
    if not user:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _answer(request: urllib.request.Request, where: str, remedy: str = "Check the address.") -> str:
    if urllib.parse.urlsplit(request.full_url).scheme not in ("http", "https"):
        raise FaultyInput(Fault(where, "The address is not one of the web.", "Begin it with http:// or https://."))
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            data: bytes = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403):
            remedy = "Give the right user and password (http://user:password@127.0.0.1:8332) or --cookie FILE."
        raise FaultyInput(Fault(where, f"The answer was {error.code} {error.reason}.", remedy)) from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise FaultyInput(Fault(where, f"There was no answer ({getattr(error, 'reason', error)}).", remedy)) from None
    if len(data) > MOST_BYTES:
        raise FaultyInput(Fault(where, "The answer is larger than 100 MB.", "Ask for fewer days."))
    return data.decode("utf-8", errors="replace")


def _plain(url: str) -> str:
    """An address as faults may show it: without user, password and query."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
