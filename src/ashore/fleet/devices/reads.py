"""The only commands that are ever sent to a device, and the only place that writes to a socket."""

from __future__ import annotations

import json
from asyncio import StreamWriter

ORDER = ("version", "summary", "stats", "devdetails", "pools")  # each only reads, and takes no parameter
READS = frozenset(ORDER)
REQUESTS = {command: json.dumps({"command": command}).encode() for command in sorted(READS)}


class NotARead(Exception):
    """A command that is not on the list was about to be sent."""


def request(command: str) -> bytes:
    """The bytes of one command. Raises NotARead for any that is not on the list."""
    try:
        return REQUESTS[command]
    except (KeyError, TypeError):
        raise NotARead(f"{command!r} is not one of {', '.join(sorted(READS))}") from None


def send(writer: StreamWriter, command: str) -> int:
    """Writes one command and gives the number of bytes. Nothing else in this package writes to a socket."""
    data = request(command)
    writer.write(data)
    return len(data)
