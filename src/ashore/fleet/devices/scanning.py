"""A scan that only reads: the five commands of ``reads`` over the TCP interface of cgminer, slowly, and logged.

No password is tried and no web page opened. Each command has a connection of its own: devices close it after one.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TextIO

from ashore.errors import Fault, raise_if
from ashore.fleet.devices.identify import identify
from ashore.fleet.devices.importer import path_of
from ashore.fleet.devices.model import Device
from ashore.fleet.devices.ranges import refuse_public
from ashore.fleet.devices.reads import ORDER, send
from ashore.fleet.devices.replies import LARGEST, decode

PORT = 4028
CONNECT_S = 1.5
REPLY_S = 4.0  # from the request to the last byte
AT_ONCE = 400  # connections


@dataclass(slots=True)
class Scan:
    """What a scan did: devices that took a connection, addresses tried, refused or unreached, packets and seconds."""

    devices: list[Device] = field(default_factory=list)
    tried: int = 0
    without: int = 0
    requests: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """The counts."""
        return {
            "addresses": self.tried,
            "without_interface": self.without,
            "answering": len(self.devices),
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
        }


class Pace:
    """Lets through no more than ``rate`` a second, evenly."""

    def __init__(self, rate: float) -> None:
        self.gap = 1 / rate
        self.next = 0.0

    async def turn(self) -> None:
        """Waits until it is one's turn."""
        now = time.monotonic()
        at = max(self.next, now)
        self.next = at + self.gap
        if at > now:
            await asyncio.sleep(at - now)


class Log:
    """One line of JSON for every connection, request and reply, with the time, the address and the number of bytes."""

    def __init__(self, file: TextIO | None) -> None:
        self.file = file

    def note(self, address: str, event: str, command: str = "", size: int = 0) -> None:
        """Writes one line, if there is a file."""
        if self.file is not None:
            row = {"time": time.time(), "address": address, "event": event, "command": command, "bytes": size}
            self.file.write(json.dumps(row) + "\n")


def check_rate(rate: float) -> None:
    """Raises FaultyInput for a rate that is none."""
    if not 0 < rate <= 2000:
        raise_if([Fault("--rate", f"{rate:g} is out of range.", "Give connections a second, above 0 up to 2000.")])


def scan(
    addresses: Iterable[str],
    key: bytes,
    *,
    rate: float = 400.0,
    log: TextIO | None = None,
    port: int = PORT,
    progress: Callable[[int], None] | None = None,
) -> Scan:
    """Asks every address what it is. The caller has checked that their owner agrees (``ranges.allowed``).

    Raises FaultyInput before anything is sent if an address is not private. rate: connections a second at most.
    key: of the hashes of pool users.
    """
    check_rate(rate)
    asked = list(addresses)
    refuse_public(asked)
    started = time.monotonic()
    found = asyncio.run(_all(asked, key, Pace(rate), Log(log), port, progress))
    found.seconds = time.monotonic() - started
    return found


async def _all(
    addresses: list[str], key: bytes, pace: Pace, log: Log, port: int, progress: Callable[[int], None] | None
) -> Scan:
    found = Scan(tried=len(addresses))
    waiting = iter(addresses)
    devices: dict[str, Device] = {}
    done = 0

    async def worker() -> None:
        nonlocal done
        for address in waiting:
            device = await _one(address, key, pace, log, port, found)
            if device is None:
                found.without += 1
            else:
                devices[address] = device
            done += 1
            if progress is not None:
                progress(done)

    await asyncio.gather(*(worker() for _ in range(min(AT_ONCE, len(addresses)))))
    found.devices = [devices[address] for address in addresses if address in devices]
    return found


async def _one(address: str, key: bytes, pace: Pace, log: Log, port: int, found: Scan) -> Device | None:
    """The device at an address, None if nothing takes a connection there.

    Who says nothing, or nothing that can be read, to the first two commands is not asked the others.
    """
    replies: dict[str, dict[str, object] | None] = {}
    said = False
    for place, command in enumerate(ORDER):
        if place == 2 and not any(replies.values()):
            break
        await pace.turn()
        data = await _ask(address, command, log, port, found)
        if data is None:
            if place == 0:
                return None
            continue
        said = said or bool(data)
        replies[command] = decode(data)
    path = path_of(address)
    return identify(address, replies if said else {}, key, path)


async def _ask(address: str, command: str, log: Log, port: int, found: Scan) -> bytes | None:
    """What comes back to one command, up to LARGEST bytes and REPLY_S seconds; None if no connection was made."""
    log.note(address, "connect")
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), CONNECT_S)
    except (OSError, TimeoutError):
        log.note(address, "no connection")
        return None
    data = bytearray()
    try:
        found.requests += 1
        log.note(address, "request", command, send(writer, command))
        async with asyncio.timeout(REPLY_S):
            while len(data) < LARGEST and (part := await reader.read(65536)):
                data += part
                if data.endswith(b"\x00"):
                    break
    except (OSError, TimeoutError):
        pass
    finally:
        writer.close()
    log.note(address, "reply", command, len(data))
    return bytes(data)
