"""From exports and captured replies to a fleet: CSV with the usual headings, JSON of records or of replies."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from ashore.errors import Fault, nearest, raise_if
from ashore.fleet.devices import catalogue, table
from ashore.fleet.devices.identify import day_built, hashed, host_of, identify, named
from ashore.fleet.devices.model import Device, state_of
from ashore.fleet.devices.reads import READS
from ashore.fleet.devices.replies import DEEPEST, decode, number, text
from ashore.tables import decoded, read

SIZE = 64 << 20  # bytes of one file
PATH_BITS = 24  # of an address, that are one path where none is given
HEADINGS = {  # field → headings it goes by, in small letters, without spaces and signs
    "address": ("address", "ip", "ipaddress", "host", "hostname"),
    "maker": ("maker", "make", "manufacturer", "vendor", "brand"),
    "model": ("model", "minertype", "type", "minermodel", "devicemodel", "hardware"),
    "firmware": ("firmware", "fw", "firmwaretype", "firmwarename", "fwname"),
    "version": ("version", "firmwareversion", "fwver", "fwversion", "softwareversion"),
    "cgminer": ("cgminer", "cgminerversion"),
    "bfgminer": ("bfgminer", "bfgminerversion"),
    "compiled": ("compiled", "compiletime", "builddate", "firmwaredate"),
    "hash_ths": ("hashths", "hashrate", "ths", "hashrateths", "hashrateavg", "th", "avghashrate"),
    "power_w": ("powerw", "power", "wattage", "watts", "consumption", "powerusage"),
    "path": ("path", "network", "subnet", "vlan", "segment"),
    "site": ("site", "location", "farm", "facility", "group"),
    "pools": ("pools", "pool", "poolurl", "url", "stratum", "activepool", "pool1url"),
    "workers": ("workers", "worker", "user", "pooluser", "workername", "pool1user"),
    "control_board": ("controlboard", "controlboardtype", "board", "soc"),
    "api": ("api",),
    "units": ("units", "count", "quantity", "rigs", "miners", "number"),
}
BY_HEADING = {heading: field for field, headings in HEADINGS.items() for heading in headings}


def read_file(path: Path, key: bytes, faults: list[Fault]) -> list[Device]:
    """The devices of one file; what is wrong is appended to ``faults`` and the rest is read on.

    key: of the hashes of pool users. A record that says nothing of a rig is a fault.
    """
    data = _bytes_of(path, faults)
    if data is None:
        return []
    if path.suffix.lower() in (".csv", ".tsv"):
        if table.is_fleet(data):
            return [table.device_of(row) for row in read(path, table.FLEET, faults)]
        return _of_table(path, data, key, faults)
    return _of_json(path, data, key, faults)


def path_of(address: str, bits: int = PATH_BITS) -> str:
    """The network an address is reached through, as 10.1.2.0/24; "" for what is no address."""
    try:
        return str(ip_interface(f"{address}/{bits}").network)
    except ValueError:
        return ""


def device_of(record: Mapping[str, Any], key: bytes) -> Device | None:
    """The device of an exported record by its headings; None if it names neither address, maker, model nor firmware."""
    found: dict[str, Any] = {}
    for heading, value in record.items():
        field = BY_HEADING.get(_plain(str(heading)))
        if field is not None and value not in (None, "") and field not in found:
            found[field] = value
    words = {name: text(found.get(name)) for name in HEADINGS if name not in ("pools", "workers")}
    if not any(words[name] for name in ("address", "maker", "model", "firmware")):
        return None
    maker, model, variant = named(words["model"], _maker(words["maker"]))
    rated = catalogue.models().get(model)
    told = _hash_of(found.get("hash_ths"))
    power = number(found.get("power_w"))
    units = number(found.get("units"))
    api = words["api"].casefold()
    return Device(
        address=words["address"],
        state=state_of(maker, model),
        maker=maker,
        model=model,
        variant=variant,
        firmware=words["firmware"] or ("stock" if maker else ""),
        version=words["version"],
        cgminer=words["cgminer"],
        bfgminer=words["bfgminer"],
        compiled=day_built(words["compiled"]),
        hash_ths=told if told is not None else float(rated["hash_ths"]) if rated else None,
        power_w=power or (float(rated["power_w"]) if rated else None),
        power_basis="given" if power else "rated" if rated else "",
        path=words["path"] or path_of(words["address"]),
        site=words["site"],
        pools=tuple(filter(None, (host_of(one) for one in _texts(found.get("pools"), "url")))),
        workers=tuple(hashed(one, key) for one in _texts(found.get("workers"), "user")),
        control_board=words["control_board"],
        api=api if api in ("open", "closed") else "",
        units=int(units) if units and 1 <= units < 1e7 else 1,
    )


def captured(record: Mapping[str, Any]) -> dict[str, Mapping[str, Any] | None] | None:
    """Replies by command in a record that holds some, as objects or as the text that came; else None."""
    found: dict[str, Mapping[str, Any] | None] = {}
    for command in sorted(READS):
        for name in (command, f"rpc_{command}", command.upper()):
            value = record.get(name)
            if isinstance(value, Mapping) and ("STATUS" in value or command.upper() in value):
                found[command] = value
            elif isinstance(value, str) and value.lstrip().startswith(("{", "STATUS=")):
                found[command] = decode(value.encode("utf-8", "replace"))
            elif isinstance(value, list) and value and name == command.upper():
                found[command] = {name: value}
    return found or None


def _of_table(path: Path, data: bytes, key: bytes, faults: list[Fault]) -> list[Device]:
    content = decoded(data, faults, path.name)
    if content is None:
        return []
    head = content.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=mark)
    devices: list[Device] = []
    header: list[str] = []
    try:
        for cells in reader:
            if not header:
                header = cells
                if not _understood(header, path, faults):
                    return []
            elif any(cell.strip() for cell in cells):
                record = dict(zip(header, cells, strict=False))
                device = device_of(record, key)
                if device is None:
                    what = "The row names neither address, maker, model nor firmware."
                    faults.append(Fault(path.name, what, "Fill one of them in, or delete the row.", reader.line_num))
                else:
                    devices.append(device)
    except csv.Error as error:
        faults.append(Fault(path.name, f"The line is not CSV ({error}).", "Correct it.", reader.line_num + 1))
    if not header:
        faults.append(Fault(path.name, "The file is empty.", "Export the fleet again."))
    return devices


def _understood(header: list[str], path: Path, faults: list[Fault]) -> bool:
    names = [_plain(cell) for cell in header]
    if {"address", "maker", "model", "firmware"} & {BY_HEADING.get(name) for name in names}:
        return True
    near = next((found for name in names if (found := nearest(name, BY_HEADING)) is not None), None)
    remedy = f"Did you mean '{near}'?" if near else "Name columns as ip, model, firmware, hashrate, power."
    faults.append(Fault(path.name, "No column tells what the rigs are.", remedy, 1))
    return False


def _plain(heading: str) -> str:
    """A heading in small letters, without spaces and signs."""
    return "".join(letter for letter in heading.casefold() if letter.isalnum())


def _of_json(path: Path, data: bytes, key: bytes, faults: list[Fault]) -> list[Device]:
    devices: list[Device] = []
    for row, record in _records(path, data, faults):
        address = text(record.get("ip") or record.get("address") or record.get("host"))
        replies = captured(record)
        if replies is not None:
            given = text(record.get("path")) or path_of(address)
            found = identify(address, replies, key, given, text(record.get("site")))
            devices.append(replace(found, control_board=text(record.get("control_board"))))
            continue
        device = device_of(_flat(record), key)
        if device is None:
            what = "The record holds no replies and names neither address, maker, model nor firmware."
            faults.append(Fault(path.name, what, "Export it again, or take it out.", row))
        else:
            devices.append(device)
    return devices


def _records(path: Path, data: bytes, faults: list[Fault]) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    """The records of a document: a list, a mapping by address, one record, or one a line; with their line or place."""
    content = data.decode("utf-8", "replace").lstrip("\ufeff").strip().rstrip("\x00")
    if not content:
        faults.append(Fault(path.name, "The file is empty.", "Export the fleet again."))
        return
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
            yield from _lines(path, content, faults)
            return
        alone = decode(content.encode("utf-8", "replace"))
        if alone is not None and "STATUS" in alone:
            yield None, _one_reply(path, alone)
            return
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        faults.append(Fault(path.name, f"This is not JSON ({said}).", "Give CSV, JSON, or one JSON record a line."))
        return
    yield from _inside(path, document, faults)


def _inside(path: Path, document: Any, faults: list[Fault]) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    if isinstance(document, Mapping):
        for name in ("results", "miners", "devices", "data", "rigs"):
            if isinstance(document.get(name), list):
                document = document[name]
                break
    if isinstance(document, Mapping):
        if "STATUS" in document:
            yield None, _one_reply(path, document)
            return
        values = list(document.values())
        if captured(document) is None and values and all(isinstance(value, Mapping) for value in values):
            document = [{"address": str(name)} | dict(value) for name, value in document.items()]
        else:
            document = [document]
    if not isinstance(document, list):
        faults.append(Fault(path.name, "There is no list of rigs in the file.", "Give a list of records."))
        return
    for place, record in enumerate(document, 1):
        if isinstance(record, Mapping):
            yield place, record
        else:
            faults.append(Fault(path.name, "This is no record.", "Give an object for each rig.", place))


def _lines(path: Path, content: str, faults: list[Fault]) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    for line, part in enumerate(content.splitlines(), 1):
        if part.strip():
            try:
                record = json.loads(part)
            except (ValueError, RecursionError):
                faults.append(Fault(path.name, "The line is not JSON.", "Correct it, or take it out.", line))
                continue
            if isinstance(record, Mapping):
                yield line, record


def _one_reply(path: Path, reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """A file that is one reply, named by the part it holds; the file's stem stands for the address."""
    held = [command for command in sorted(READS) if command.upper() in reply]
    return {"address": path.stem, **dict.fromkeys(held or ["version"], reply)}


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with values of inner objects under their own names, and {rate: …, unit: …} as a number of TH/s."""
    found: dict[str, Any] = {}
    level: list[Mapping[str, Any]] = [record]
    for _ in range(DEEPEST):
        inner: list[Mapping[str, Any]] = []
        for one in level:
            for name, value in one.items():
                if isinstance(value, Mapping) and "rate" not in value:
                    inner.append(value)
                else:
                    found.setdefault(str(name), value)
        if not inner:
            break
        level = inner
    return found


def _hash_of(value: Any) -> float | None:
    """TH/s of a number, of text with a unit, or of {rate: …, unit: …}."""
    unit = ""
    if isinstance(value, Mapping):
        unit, value = text(value.get("unit")), value.get("rate")
    if isinstance(value, str):
        bare = value.strip().replace(",", "")
        digits = bare.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/ ")
        unit, value = bare[len(digits) :].strip() or unit, digits
    told = number(value)
    size = {"p": 1e3, "t": 1.0, "g": 1e-3, "m": 1e-6}.get(unit[:1].casefold(), 1.0)
    return None if told is None else told * size


def _texts(value: Any, inner: str) -> list[str]:
    """The texts in a cell: one, several divided by semicolons, or a list of texts or of objects with ``inner``."""
    if isinstance(value, str):
        return [part.strip() for part in value[:2000].split(";") if part.strip()][:8]
    if isinstance(value, list):
        found = [one.get(inner) if isinstance(one, Mapping) else one for one in value[:8]]
        return [said for one in found if (said := text(one, 200))]
    return []


def _maker(name: str) -> str:
    """A maker as the catalogue writes it, from the name of its brand too."""
    known = {"antminer": "Bitmain", "whatsminer": "MicroBT", "avalon": "Canaan", "avalonminer": "Canaan"}
    makers = {maker.casefold(): maker for maker in catalogue.countries()}
    return known.get(name.casefold()) or makers.get(name.casefold(), name)


def _bytes_of(path: Path, faults: list[Fault]) -> bytes | None:
    try:
        size = path.stat().st_size
        if size > SIZE:
            faults.append(
                Fault(str(path), f"The file has {size >> 20} MB.", f"Split it: {SIZE >> 20} MB are the most.")
            )
            return None
        return path.read_bytes()
    except FileNotFoundError:
        faults.append(Fault(str(path), "There is no such file.", "Name an export or a file of replies."))
    except OSError as error:
        faults.append(Fault(str(path), f"The file cannot be read ({error.strerror}).", "Give a readable file."))
    return None


def read_all(paths: tuple[Path, ...], key: bytes) -> list[Device]:
    """The devices of several files. Raises FaultyInput with every fault of every file."""
    faults: list[Fault] = []
    devices = [device for path in paths for device in read_file(path, key, faults)]
    raise_if(faults)
    return devices
