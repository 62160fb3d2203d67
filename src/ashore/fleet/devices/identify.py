"""What a device is, by what it says of itself. A device can lie: every answer is a claim, not a proof."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from ashore.fleet.devices import catalogue
from ashore.fleet.devices.model import GARBAGE, SILENT, Device, state_of
from ashore.fleet.devices.replies import first, number, section, text

Replies = Mapping[str, Mapping[str, Any] | None]
AFTERMARKET = {  # key in the version reply, in small letters → family
    "bosminer+": "Braiins OS",
    "bosminer": "Braiins OS",
    "boser": "Braiins OS",
    "luxminer": "LuxOS",
    "vnish": "VNish",
}
SAID = {  # word in type, program or description → family
    "vnish": "VNish",
    "anthill": "VNish",
    "bosminer": "Braiins OS",
    "braiins": "Braiins OS",
    "luxminer": "LuxOS",
    "luxos": "LuxOS",
    "hiveon": "Hiveon",
    "marafw": "MARA firmware",
    "powerplay": "ePIC",
}
STOCK = "stock"
WHATSMINER = re.compile(r"(?:whatsminer\s*)?(M\d{2}S?\+{0,2})[\s_]*(V[A-Z0-9]{1,6})?$", re.IGNORECASE)
AVALON = re.compile(r"A?(\d{2,4})([A-Z]{0,3}(?: pro)?)(?:[\s-]+(\d{2,3})T?)?$", re.IGNORECASE)
OTHER_MAKERS = {"sealminer": "Bitdeer", "teraflux": "Auradine", "auradine": "Auradine", "proto": "Block"}
WORDS = re.compile(r"(?<=[\w+])\s*(pro|xp|hyd|imm(?:ersion)?)(?=\W|$|[A-Z+])", re.IGNORECASE)
BITMAIN = re.compile(r"[STR]\d{1,2}[a-z]{0,2}\+{0,2}(?: |$)")
VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-.\w]*)|\d{8}(?:\.\d+)*(?:\.\w+)?")
BUILT = ("%a %b %d %H:%M:%S %Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S")


def identify(address: str, replies: Replies, key: bytes, path: str = "", site: str = "") -> Device:
    """The device behind replies by command (None: no document came). Never raises, whatever was sent.

    key: of the hashes of pool users; another key gives other hashes.
    """
    if all(reply is None for reply in replies.values()):
        state = GARBAGE if replies else SILENT
        return Device(address, state, path=path, site=site, api="open")
    heard = _heard(replies)
    maker, model, variant = _model(heard)
    firmware, number_ = _firmware(heard, maker)
    rated = catalogue.models().get(model)
    power, basis = _power(heard.summary, rated)
    pools = _pools(replies.get("pools"))
    return Device(
        address=address,
        state=state_of(maker, model),
        maker=maker,
        model=model,
        variant=variant,
        firmware=firmware,
        version=number_,
        cgminer=_inner(heard, "cgminer"),
        bfgminer=_inner(heard, "bfgminer"),
        compiled=heard.built,
        hash_ths=_hash(heard, rated),
        power_w=power,
        power_basis=basis,
        path=path,
        site=site,
        pools=tuple(pools),
        workers=_workers(replies.get("pools"), key),
        api="open",
    )


def named(raw: str, maker: str = "") -> tuple[str, str, str]:
    """Maker, model as the catalogue writes it, and variant, of a type as a device or an export writes it."""
    name = re.sub(r"\s*\(.*?\)|\s+(vnish|pitbit|luxos|braiins).*$", "", text(raw), flags=re.IGNORECASE).strip()
    lower = name.casefold()
    whats = WHATSMINER.match(name)
    if whats is not None:
        return "MicroBT", f"WhatsMiner {whats[1].upper()}", (whats[2] or "").upper()
    if "avalon" in lower or maker == "Canaan":
        return _avalon(name)
    if lower.startswith("antminer") or maker == "Bitmain" or BITMAIN.match(name):
        inner = re.sub(r"^antminer\s*", "", name, flags=re.IGNORECASE)
        return ("Bitmain", _known(f"Antminer {_spaced(inner)}"), "") if inner else ("Bitmain", "", "")
    found = _by_name(name) or _by_name(f"Teraflux {name}")
    if found is not None:
        return found[0], found[1], ""
    for word, owner in OTHER_MAKERS.items():
        if word in lower:
            return owner, name, ""
    return maker, name if maker else "", ""


def hashed(user: str, key: bytes) -> str:
    """A keyed hash of a pool user, 12 hexadecimal digits."""
    return hashlib.blake2b(user.encode("utf-8", "replace"), key=key[:64], digest_size=6).hexdigest()


def host_of(url: str) -> str:
    """Host and port of a pool's address, without user or path; "" if there is none."""
    cleaned = text(url, 200)
    try:
        parts = urlsplit(cleaned if "://" in cleaned else f"//{cleaned}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    host = text(host)
    return f"{host}:{port}" if host and port else host


def day_built(told: str) -> str:
    """The day in a time of compilation, in any of the forms it is told in, as ISO; "" if there is none."""
    if not told:
        return ""
    plain = re.sub(r"\s+", " ", re.sub(r"\s+[A-Z]{3,4}(?=\s+\d{4}$)", "", told))
    for form in BUILT:
        try:
            return datetime.strptime(plain, form).date().isoformat()
        except ValueError:
            continue
    return ""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is looked at more than once in the replies.

    said: what they call the program, in small letters. built: the day the firmware was built, ISO, or "".
    """

    version: Mapping[str, Any]
    summary: Mapping[str, Any]
    stats: Sequence[Mapping[str, Any]]
    details: Sequence[Mapping[str, Any]]
    info: Mapping[str, Any]
    said: str
    built: str


def _heard(replies: Replies) -> _Heard:
    version, info = first(replies.get("version"), "VERSION"), first(replies.get("stats"), "INFO")
    stats = section(replies.get("stats"), "STATS")
    return _Heard(
        version=version,
        summary=first(replies.get("summary"), "SUMMARY"),
        stats=stats,
        details=section(replies.get("devdetails"), "DEVDETAILS"),
        info=info,
        said=_described(replies),
        built=next(filter(None, (day_built(text(row.get("CompileTime"))) for row in (version, *stats, info))), ""),
    )


def _model(heard: _Heard) -> tuple[str, str, str]:
    """Maker, model and variant from the first place that has them."""
    version = heard.version
    for row in heard.details:
        found = WHATSMINER.match(text(row.get("Model")))
        if found is not None:
            return named(text(row.get("Model")))
    product = text(version.get("PROD")) or text(version.get("MODEL"))
    if product and ("avalon" in product.casefold() or version.get("HWTYPE")):
        return named(product, "Canaan")
    candidates = [version.get("Type")]
    candidates += [row.get("Type") for row in heard.stats]
    candidates += [row.get("Model") for row in heard.details]
    candidates += [version.get("Model"), version.get("Miner"), heard.info.get("type")]
    for candidate in candidates:
        maker, model, variant = named(text(candidate))
        if maker:
            return maker, model, variant
    return ("MicroBT", "", "") if "whatsminer" in heard.said else ("", "", "")


def _firmware(heard: _Heard, maker: str) -> tuple[str, str]:
    """Family and version: an aftermarket one if anything names it, else the maker's own."""
    version = heard.version
    for key, value in version.items():
        family = AFTERMARKET.get(str(key).casefold())
        if family is not None:
            return family, _number_in(text(value)) or text(value)
    words = [text(version.get(key)) for key in ("Type", "Miner", "BMMiner", "CGMiner", "Description")]
    words += [text(row.get("Type")) for row in heard.stats] + [heard.said]
    for said in words:
        for word, family in SAID.items():
            if word in said.casefold():
                return family, _number_in(said[said.casefold().find(word) :])
    if maker == "MicroBT":
        told = text(heard.summary.get("Firmware Version")).strip("'\" ")
        return STOCK, told
    if maker == "Canaan":
        return STOCK, text(version.get("VERSION")) or text(version.get("LVERSION"))
    if maker == "Bitmain" and heard.built:
        return STOCK, heard.built  # its images are named by the day
    if maker:
        return STOCK, text(version.get("BMMiner")) or text(version.get("CGMiner")) or text(version.get("Miner"))
    return "", ""


def _hash(heard: _Heard, rated: Mapping[str, Any] | None) -> float | None:
    """TH/s: the mean since the start, whatever unit it is told in; the rated figure if nothing is told."""
    rows = [heard.summary, *heard.stats]
    for unit, size in (("THS", 1.0), ("GHS", 1e-3), ("MHS", 1e-6)):
        for name in (f"{unit} av", f"{unit} 5s", f"{unit}avg"):
            for row in rows:
                told = number(row.get(name))
                if told is not None:
                    return told * size
    return None if rated is None else float(rated["hash_ths"])


def _power(summary: Mapping[str, Any], rated: Mapping[str, Any] | None) -> tuple[float | None, str]:
    told = number(summary.get("Power"))
    if told:
        return told, "reported"
    return (float(rated["power_w"]), "rated") if rated is not None else (None, "")


def _inner(heard: _Heard, program: str) -> str:
    """The version of the program inside, as cgminer 4.11.1."""
    for key, value in heard.version.items():
        if str(key).casefold() == program:
            return _number_in(text(value))
    found = re.search(rf"\b{program}[\s/]+([\d.]+)", heard.said)
    return found[1].strip(".") if found is not None else ""


def _pools(reply: Mapping[str, Any] | None) -> list[str]:
    hosts = [host_of(text(row.get("URL"), 200)) for row in section(reply, "POOLS")[:8]]
    return list(dict.fromkeys(host for host in hosts if host))


def _workers(reply: Mapping[str, Any] | None, key: bytes) -> tuple[str, ...]:
    users = [text(row.get("User"), 200) for row in section(reply, "POOLS")[:8]]
    return tuple(dict.fromkeys(hashed(user, key) for user in users if user))


def _described(replies: Replies) -> str:
    """What the status of any reply says of the program, in small letters."""
    found = []
    for reply in replies.values():
        found.append(text(first(reply, "STATUS").get("Description")))
        found.append(text((reply or {}).get("Description")))
    return " ".join(found).casefold()


def _number_in(said: str) -> str:
    found = VERSION.search(said)
    return found[0].rstrip(".-)") if found is not None else ""


def _avalon(name: str) -> tuple[str, str, str]:
    inner = re.sub(r"^avalon(miner)?\s*", "", name, flags=re.IGNORECASE)
    found = AVALON.match(inner)
    if found is None:
        return "Canaan", _known(f"Avalon {inner}") if inner else "", ""
    suffix = found[2].strip()
    model = f"Avalon A{found[1]}{suffix.upper() if suffix.casefold() != 'pro' else ' Pro'}"
    return "Canaan", _known(model), found[3] or ""


def _spaced(name: str) -> str:
    """S19JPRO, S19jPro and s19j pro → S19j Pro."""
    spaced = WORDS.sub(r" \1", name.strip())
    words = {"pro": "Pro", "xp": "XP", "hyd": "Hyd", "hyd.": "Hyd", "imm": "Immersion", "immersion": "Immersion"}
    parts = [words.get(word.casefold(), word) for word in spaced.replace("pro+", "Pro+").split()]
    if parts and re.fullmatch(r"[A-Za-z]\d{1,2}[A-Za-z]?\+{0,2}", parts[0]):
        parts[0] = parts[0][0].upper() + parts[0][1:].lower()
    return " ".join(parts)


def _known(model: str) -> str:
    """The model as the catalogue writes it, if it has it in any spelling; else as it is."""
    found = _by_name(model)
    return model if found is None else found[1]


def _by_name(name: str) -> tuple[str, str] | None:
    return _plain_names().get(_plain(name))


@cache
def _plain_names() -> dict[str, tuple[str, str]]:
    """Maker and model by the model's name without spaces and signs."""
    return {_plain(model): (str(row["maker"]), model) for model, row in catalogue.models().items()}


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).casefold()
