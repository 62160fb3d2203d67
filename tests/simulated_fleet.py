"""A fleet of simulated rigs on loopback addresses: what each says, and a server that says it and keeps what it got.

The replies have the form of the makers' published interfaces; every name and number in them is made up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

Replies = dict[str, bytes]
NO_COMMAND = {"STATUS": "E", "When": 1, "Code": 14, "Msg": "invalid cmd", "Description": "whatsminer v1.3"}


@dataclass(frozen=True)
class Rig:
    """What a simulated rig says to each command, how, and what a scan should make of it."""

    kind: str  # rig, silent, garbage, latin, slow, endless, hang up
    replies: Replies = field(default_factory=dict)
    maker: str = ""
    model: str = ""
    firmware: str = ""
    version: str = ""


def status(code: int, msg: str, described: str) -> list[dict[str, Any]]:
    return [{"STATUS": "S", "When": 1760000000, "Code": code, "Msg": msg, "Description": described}]


def antminer(model: str, ths: float, version: dict[str, Any], described: str, kind: str, pool: str) -> Replies:
    number = {"API": "3.1", "Miner": "uart_trans.1.3", "CompileTime": "Fri Sep 15 14:39:20 CST 2023", "Type": model}
    stats = {"STATUS": status(70, "CGMiner stats", described)}
    head = {"BMMiner": "1.0.0", "Miner": "uart_trans.1.3", "CompileTime": number["CompileTime"], "Type": model}
    body = {"STATS": 0, "ID": "BC50", "Elapsed": 10023, "GHS 5s": ths * 1e3, "GHS av": ths * 1e3, "fan_num": 4}
    broken = json.dumps(stats)[:-1] + ', "STATS": [' + json.dumps(head) + json.dumps(body) + '], "id": 1}'  # as sent
    return {
        "version": packed(
            {"STATUS": status(22, "CGMiner versions", described), "VERSION": [{**number, **version}], "id": 1}
        ),
        "summary": packed(
            {"STATUS": status(11, "Summary", described), "SUMMARY": [{"Elapsed": 10023, "GHS 5s": f"{ths * 1e3:.2f}",
             "GHS av": ths * 1e3, "Accepted": 80, "Rejected": 1}], "id": 1}
        ),
        "stats": broken.encode() + b"\x00",
        "devdetails": packed({"STATUS": [{"STATUS": "E", "Code": 14, "Msg": "Invalid command"}], "id": 1}),
        "pools": packed(pools(pool, f"{kind}.{model}")),
    }  # fmt: skip


def pools(host: str, user: str) -> dict[str, Any]:
    row = {
        "POOL": 0,
        "URL": f"stratum+tcp://{host}",
        "Status": "Alive",
        "Priority": 0,
        "User": user,
        "Stratum Active": True,
    }
    return {"STATUS": status(7, "1 Pool(s)", "cgminer"), "POOLS": [row, {**row, "POOL": 1, "URL": ""}], "id": 1}


def packed(document: Any) -> bytes:
    return json.dumps(document).encode() + b"\x00"


def bitmain(rng: random.Random) -> Rig:
    name, ths = rng.choice(
        [("S19", 95), ("S19 Pro", 110), ("S19j Pro", 104), ("S19 XP", 141), ("S21", 200), ("T21", 190)]
    )
    model = f"Antminer {name}"
    family = rng.choice(["stock", "stock", "stock", "Braiins OS", "LuxOS", "VNish"])
    pool = rng.choice(["pool.example.org:3333", "stratum.example.net:25"])
    if family == "stock":
        said = antminer(model, ths, {"CGMiner": "4.11.1", "Miner": "49.0.1.3"}, "cgminer 4.11.1", family, pool)
        return Rig("rig", said, "Bitmain", model, family, "2023-09-15")
    if family == "Braiins OS":
        said = antminer(model, ths, {"BOSminer+": "0.2.0-36c56a9363"}, "BOSminer+ 0.2.0-36c56a9363", family, pool)
        return Rig("rig", said, "Bitmain", model, family, "0.2.0-36c56a9363")
    if family == "LuxOS":
        version = {"LUXminer": "2024.6.18.181313-3afaf1f", "Miner": "2024.6.18.181313", "API": "3.7"}
        said = antminer(model, ths, version, "LUXminer 2024.6.18.181313-3afaf1f", family, pool)
        return Rig("rig", said, "Bitmain", model, family, "2024.6.18.181313-3afaf1f")
    said = antminer(f"{model} (Vnish 1.2.6)", ths, {"CGMiner": "4.11.1"}, "cgminer 4.11.1", family, pool)
    return Rig("rig", said, "Bitmain", model, family, "1.2.6")


def microbt(rng: random.Random) -> Rig:
    name = rng.choice(["M30S+", "M30S++", "M50", "M50S", "M60", "M60S++", "M63S"])
    variant = f"{name}{rng.choice(['_', ''])}V{rng.choice('EFHKL')}{rng.choice([20, 30, 50])}"
    version = rng.choice(["20220726.16.REL", "20230925.13.REL"])
    details = [
        {"DEVDETAILS": n, "Name": "SM", "ID": n, "Driver": "bitmicro", "Kernel": "", "Model": variant} for n in range(3)
    ]
    summary = {
        "Elapsed": 9000, "MHS av": 112e6, "MHS 5s": 111.5e6, "Power": 3440, "Power Mode": "Normal",
        "Firmware Version": f"'{version}'", "MAC": "C0:FF:EE:00:00:01", "Factory GHS": 112000,
    }  # fmt: skip
    said = {
        "version": packed(NO_COMMAND),
        "summary": packed({"STATUS": status(11, "Summary", ""), "SUMMARY": [summary], "id": 1}),
        "stats": packed(NO_COMMAND),
        "devdetails": packed({"STATUS": status(69, "Device Details", ""), "DEVDETAILS": details, "id": 1}),
        "pools": packed(pools("pool.example.org:443", "whats.1")),
    }
    return Rig("rig", said, "MicroBT", f"WhatsMiner {name}", "stock", version)


def canaan(rng: random.Random) -> Rig:
    product, model = rng.choice(
        [("AvalonMiner 1246-83", "Avalon A1246"), ("AvalonMiner 1366-130", "Avalon A1366"),
         ("AvalonMiner 15-194", "Avalon A15"), ("AvalonMiner 1566-185", "Avalon A1566")]
    )  # fmt: skip
    version = rng.choice(["21042001_4ec6bb0_61407fa", "24102401_25462b2_9ddf522"])
    row = {
        "CGMiner": "4.11.1", "API": "3.7", "STM8": "20.08.01", "PROD": product, "MODEL": product.split()[1],
        "HWTYPE": "MM4v2_X3", "SWTYPE": "MM319", "VERSION": version, "LOADER": "d0d779de.00",
        "DNA": "020100000abc0001", "MAC": "123456789012", "UPAPI": "2",
    }  # fmt: skip
    described = "cgminer 4.11.1"
    ident = "Ver[1566-185-24102401_25462b2_9ddf522] DNA[020100000abc0001] Elapsed[985] GHSspd[190000.12]"
    said = {
        "version": packed({"STATUS": status(22, "CGMiner versions", described), "VERSION": [row], "id": 1}),
        "summary": packed(
            {"STATUS": status(11, "Summary", described), "SUMMARY": [{"Elapsed": 985, "MHS av": 185e6}], "id": 1}
        ),
        "stats": packed(
            {"STATUS": status(70, "CGMiner stats", described),
             "STATS": [{"STATS": 0, "ID": "AVA100", "MM Count": 1, "MM ID0": ident}], "id": 1}
        ),
        "devdetails": packed(
            {"STATUS": status(69, "Device Details", described),
             "DEVDETAILS": [{"DEVDETAILS": 0, "Name": "AVA10", "ID": 0, "Driver": "avalon10", "Model": ""}]}
        ),
        "pools": packed(pools("stratum.example.net:3333", "ava.1")),
    }  # fmt: skip
    return Rig("rig", said, "Canaan", model, "stock", version)


ODD = ("silent", "garbage", "latin", "slow", "endless", "hang up")


def rig_of(rng: random.Random, kind: str = "rig") -> Rig:
    """A rig by chance of one of three makers, or one that behaves oddly."""
    if kind == "rig":
        return rng.choices([bitmain, microbt, canaan], [5, 3, 2])[0](rng)
    if kind in ("slow", "latin"):
        return Rig(kind, bitmain(rng).replies)
    return Rig(kind)


def fleet(count: int, seed: int = 0, odd: int = 60) -> dict[str, Rig]:
    """``count`` rigs on 127.9.x.y, ``odd`` of them odd, in no order."""
    rng = random.Random(seed)
    kinds = [ODD[n % len(ODD)] for n in range(odd)] + ["rig"] * (count - odd)
    rng.shuffle(kinds)
    return {f"127.9.{n // 250}.{1 + n % 250}": rig_of(rng, kind) for n, kind in enumerate(kinds)}


class Simulated:
    """Serves a fleet from a thread of its own while the block runs; ``sent`` is what every rig was sent."""

    def __init__(self, rigs: dict[str, Rig]) -> None:
        self.rigs = rigs
        self.port = 0
        self.sent: list[tuple[str, bytes]] = []
        self._sockets: list[socket.socket] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> Simulated:
        needed = 2 * len(self.rigs) + 2000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < needed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
        for address in self.rigs:
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((address, self.port))
            except OSError as error:  # a system whose loopback has one address only
                listening.close()
                pytest.skip(f"no address {address} here: {error}")
            self.port = self.port or listening.getsockname()[1]
            self._sockets.append(listening)
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(10)
        for listening in self._sockets:
            listening.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        over = asyncio.Event()
        self._stop = over.set
        servers = [await asyncio.start_server(self._answer, sock=one) for one in self._sockets]
        self._ready.set()
        await over.wait()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        rig = self.rigs[address]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            data = await reader.read(4096)
            self.sent.append((address, data))
            await self._say(rig, data, reader, writer)
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()

    async def _say(self, rig: Rig, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = json.loads(data)["command"]
        except (ValueError, KeyError, TypeError):
            command = ""
        said = rig.replies.get(command, packed(NO_COMMAND))
        if rig.kind == "silent":
            await reader.read()  # until the other side gives up
        elif rig.kind == "garbage":
            writer.write(bytes(range(256)) * 4)
        elif rig.kind == "endless":
            for _ in range(200):
                writer.write(b"A" * 65536)
                await writer.drain()
        elif rig.kind == "slow":
            for place in range(0, len(said), 64):
                writer.write(said[place : place + 64])
                await writer.drain()
                await asyncio.sleep(0.02)
        elif rig.kind == "latin":
            writer.write(said.replace(b"Alive", "Lebendig für \xe9\xff".encode("latin-1")))
        elif rig.kind == "rig":
            writer.write(said)
            await writer.drain()
