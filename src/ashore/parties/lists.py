"""Lists of parties from the files a user downloaded, told apart by what is in them, not by their names.

Consolidated Screening List as JSON, CSV or TSV; OFAC's sdn.csv, alt.csv, add.csv and comments; simple lists with a
header. Files are read as streams. A file that cannot be read to its end is refused: nothing is screened against
half a list.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from ashore.errors import Fault, FaultyInput, raise_if
from ashore.parties import known
from ashore.parties.entries import KINDS, UNKNOWN, Entry, Name, countries_in, country_of, names_of
from ashore.parties.records import Item, as_text, as_texts, csv_rows, json_items, opening

NOT_LISTS = {".md", ".toml", ".jsonl", ".log", ".sha256"}
DAY_IN_NAME = re.compile(r"(?<!\d)(20\d\d)-?([01]\d)-?([0-3]\d)(?!\d)")
CODE = re.compile(r"\(([A-Z0-9]{2,8})\)")
WEAK = re.compile(r"[af]\.k\.a\. '(.*?)'(?=[;.]|$)")
NATIONALITY = re.compile(r"(?:nationality|citizen) ([A-Z][\w ,'.()-]*?)(?=;|\.|$)")
BLANKS = {"-0-", "-0- ", ""}
MOST_FAULTS = 20
SHAPES = "Give the Consolidated Screening List (JSON, CSV or TSV), OFAC's CSV files, or a CSV file with a column name."
NAME_COLUMNS = ("name", "entity", "entity name", "company", "producer", "party")
ALIAS_COLUMNS = ("aliases", "alt_names", "alias", "aka", "other names")
ADDRESS_COLUMNS = ("addresses", "address")


@dataclass(frozen=True)
class ListFile:
    """A file that was read: its shape, day (from its name, else when it was written), hash, and number of entries."""

    file: str
    shape: str
    lists: tuple[str, ...]
    day: date
    sha256: str
    entries: int


@dataclass
class Lists:
    """All entries by (list, id), and the files they came from."""

    entries: list[Entry]
    files: list[ListFile]
    notes: list[str] = field(default_factory=list)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({code for file in self.files for code in file.lists}))

    @property
    def covered(self) -> frozenset[str]:
        """Codes of all lists there are entries of, and CSL if one of the files is the consolidated list."""
        return frozenset(self.codes) | {file.shape.partition(",")[0] for file in self.files}

    @property
    def absent(self) -> tuple[str, ...]:
        """Known lists that are not there: neither they nor the download that holds them."""
        return tuple(c for c, one in known.lists().items() if not {c, one.within} & self.covered)

    @property
    def sha256(self) -> str:
        """One hash of all files, whatever their names and order."""
        return hashlib.sha256("".join(sorted(file.sha256 for file in self.files)).encode()).hexdigest()


def read_lists(folder: Path, without: Collection[Path] = ()) -> Lists:
    """The lists in a folder; entries of one key in several files become one. Raises FaultyInput with every fault.

    without: files that are no lists although they lie in the folder.
    """
    faults: list[Fault] = []
    apart = {path.resolve() for path in without}
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise FaultyInput(Fault(str(folder), f"The folder cannot be read ({error.strerror}).", FETCH)) from None
    paths = [path for path in paths if path.resolve() not in apart and path.suffix.lower() not in NOT_LISTS]
    if not paths:
        raise FaultyInput(Fault(str(folder), "The folder holds no list.", FETCH))
    gathered = _Gathered(faults)
    for path in paths:
        gathered.read(path)
    gathered.settle()
    raise_if(faults)
    return Lists(list(gathered.entries.values()), gathered.files)


FETCH = "Download the lists into it; `ashore screen fetch` says from where."


class _Gathered:
    """Entries and files read so far, with OFAC's aliases and addresses that wait for their entries."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        self.entries: dict[tuple[str, str], Entry] = {}
        self.files: list[ListFile] = []
        self.primary: dict[str, str] = {}  # OFAC number → list
        self.waiting: list[tuple[str, int, Entry]] = []

    def read(self, path: Path) -> None:
        """One file; its faults are added."""
        before = len(self.faults)
        head = opening(path, self.faults)
        if head is None:
            return
        reader = _shape(head)
        if reader is None:
            self.faults.append(Fault(path.name, "This is not a list of a known shape.", SHAPES))
            return
        shape, entries = reader
        own: dict[tuple[str, str], Entry] = {}
        for row, entry in entries(path, self.faults):
            if len(self.faults) - before >= MOST_FAULTS:
                self.faults.append(Fault(path.name, "There are more faults.", "Download the file again."))
                break
            if entry.list == OFAC_MORE:
                self.waiting.append((path.name, row, entry))
            else:
                _keep(own, entry)
        count = len(own) + sum(1 for name, _, _ in self.waiting if name == path.name)
        if len(self.faults) == before and not count:
            self.faults.append(Fault(path.name, "The list has no entry.", "Download the file again."))
        for key, entry in own.items():
            self.entries[key] = self.entries[key].with_more(entry) if key in self.entries else entry
            if shape.startswith("OFAC"):
                self.primary[entry.id] = entry.list
        codes = tuple(sorted({entry.list for entry in own.values()}))
        self.files.append(ListFile(path.name, shape, codes, _day_of(path), _sha256(path), count))

    def settle(self) -> None:
        """Gives aliases, addresses and remarks of OFAC's other files to their entries."""
        for where, row, more in self.waiting:
            code = self.primary.get(more.id)
            if code is None:
                remedy = "Put the sdn.csv of the same day beside it."
                if len(self.faults) < MOST_FAULTS:
                    self.faults.append(Fault(where, f"No file has the entry {more.id} it belongs to.", remedy, row=row))
                continue
            self.entries[code, more.id] = self.entries[code, more.id].with_more(more)


OFAC_MORE = "…"
Reader = Callable[[Path, list[Fault]], Iterator[tuple[int, Entry]]]


def _keep(own: dict[tuple[str, str], Entry], entry: Entry) -> None:
    """Adds an entry; another one under the same key gets a key of its own, so that neither is lost."""
    held = own.get(entry.key)
    if held is not None and held.fingerprint != entry.fingerprint:
        number = 2
        while (entry.list, f"{entry.id}#{number}") in own:
            number += 1
        entry = replace(entry, id=f"{entry.id}#{number}")
    own[entry.key] = entry


def _shape(head: str) -> tuple[str, Reader] | None:
    """What a file is by its beginning, and how to read it."""
    text = head.lstrip("\ufeff \t\r\n")
    if text[:1] in ("{", "["):
        return "CSL, JSON", _csl_json
    line = (text.splitlines() or [""])[0]
    mark = "\t" if line.count("\t") > line.count(",") else ","
    cells = next(csv.reader([line], delimiter=mark), [])
    names = [cell.strip().casefold() for cell in cells]
    if "source" in names and "name" in names and {"alt_names", "entity_number", "source_list_url"} & set(names):
        return ("CSL, TSV" if mark == "\t" else "CSL, CSV"), lambda path, faults: _csl_table(path, faults, mark)
    if names and names[0].isdigit():
        kinds = {12: ("OFAC entries", _ofac_primary), 5: ("OFAC aliases", _ofac_alias)}
        kinds |= {6: ("OFAC addresses", _ofac_address), 2: ("OFAC comments", _ofac_comment)}
        return kinds.get(len(names))
    if any(name in NAME_COLUMNS for name in names):
        return "simple", lambda path, faults: _simple(path, faults, mark)
    return None


def _csl_json(path: Path, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
    for row, item in json_items(path, faults):
        yield from _csl_entry(row, item, path.name, faults)


def _csl_table(path: Path, faults: list[Fault], mark: str) -> Iterator[tuple[int, Entry]]:
    for row, item in _with_header(path, faults, mark):
        yield from _csl_entry(row, item, path.name, faults)


def _csl_entry(row: int, item: Item, where: str, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
    name, source = as_text(item.get("name")), as_text(item.get("source"))
    if not name or not source:
        faults.append(Fault(where, "An entry has no name or no source.", "Download the file again.", row=row))
        return
    found = CODE.search(source)
    code = found[1] if found else source.partition(" - ")[0].strip()
    addresses = tuple(as_texts(item.get("addresses")))
    more = [*as_texts(item.get("citizenships")), *as_texts(item.get("nationalities")), as_text(item.get("country"))]
    given = item.get("addresses")
    more += [as_text(one.get("country")) for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    nations = {country_of(text) for text in more}
    own = as_text(item.get("_id")) or as_text(item.get("id")) or as_text(item.get("entity_number"))
    yield (
        row,
        Entry(
            list=code,
            id=own or _own_id(source, name, *addresses),
            source=source,
            names=names_of(name, (Name(text) for text in as_texts(item.get("alt_names")))),
            kind=KINDS.get(as_text(item.get("type")).casefold(), UNKNOWN),
            countries=countries_in(addresses) | {code for code in nations if code is not None},
            addresses=addresses,
            programs=tuple(as_texts(item.get("programs"))),
            notice=as_text(item.get("federal_register_notice")),
            start=_day(item, "start_date", where, row, faults),
            end=_day(item, "end_date", where, row, faults),
            licence_requirement=as_text(item.get("license_requirement")),
            licence_policy=as_text(item.get("license_policy")),
            remarks=as_text(item.get("remarks")),
            url=as_text(item.get("source_information_url")) or as_text(item.get("source_list_url")),
            files=(where,),
        ),
    )


def _ofac_primary(path: Path, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
    other = path.stem.casefold().startswith("cons")
    for row, cells in _ofac_rows(path, faults, 12):
        number, name, kind, program, title, *_, remarks = cells
        weak = [Name(text, weak=True) for text in WEAK.findall(remarks)]
        nations = {country_of(text) for text in NATIONALITY.findall(remarks)}
        if not name:
            faults.append(Fault(path.name, "An entry has no name.", "Download the file again.", row=row))
            continue
        yield (
            row,
            Entry(
                list="NON-SDN" if other else SDN,
                id=number,
                source="OFAC list other than SDN" if other else known.known(SDN).title,
                names=names_of(name, weak),
                kind=KINDS.get(kind.casefold(), KINDS["entity"]),
                countries=frozenset(code for code in nations if code is not None),
                programs=tuple(part.strip(" []") for part in re.split(r"\]\s*\[|;", program) if part.strip(" []")),
                remarks="; ".join(part for part in (title, remarks) if part),
                files=(path.name,),
            ),
        )


SDN = "SDN"


def _ofac_alias(path: Path, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
    for row, (number, _, _, name, remarks) in _ofac_rows(path, faults, 5):
        yield row, _more(path, number, names=(Name(name, weak="weak" in remarks.casefold()),) if name else ())


def _ofac_address(path: Path, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
    for row, (number, _, street, city, country, _) in _ofac_rows(path, faults, 6):
        code = country_of(country)
        address = ", ".join(part for part in (street, city, country) if part)
        yield (
            row,
            replace(
                _more(path, number),
                addresses=(address,) if address else (),
                countries=frozenset() if code is None else frozenset({code}),
            ),
        )


def _ofac_comment(path: Path, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
    for row, (number, remarks) in _ofac_rows(path, faults, 2):
        yield row, _more(path, number, names=tuple(Name(text, weak=True) for text in WEAK.findall(remarks)))


def _more(path: Path, number: str, names: tuple[Name, ...] = ()) -> Entry:
    """What one of OFAC's other files adds to an entry."""
    return Entry(OFAC_MORE, number, "", names, files=(path.name,))


def _ofac_rows(path: Path, faults: list[Fault], width: int) -> Iterator[tuple[int, list[str]]]:
    """Rows of so many cells that begin with a number; blanks as OFAC writes them become empty."""
    for row, cells in csv_rows(path, faults, ","):
        if len(cells) != width or not cells[0].strip().isdigit():
            what = f"The row has {len(cells)} cells and begins with '{cells[0][:20]}', not {width} and a number."
            faults.append(Fault(path.name, what, "Download the file again.", row=row))
            return
        yield row, ["" if cell in BLANKS else cell.strip() for cell in cells]


def _simple(path: Path, faults: list[Fault], mark: str) -> Iterator[tuple[int, Entry]]:
    for row, item in _with_header(path, faults, mark):
        name = _first(item, NAME_COLUMNS)
        if not name:
            faults.append(Fault(path.name, "An entry has no name.", "Give the name or delete the row.", row=row))
            continue
        of = _code_of(as_text(item.get("list")), as_text(item.get("source")), path.stem)
        addresses = tuple(as_texts(_first(item, ADDRESS_COLUMNS)))
        nations = set()
        for country in as_texts(item.get("country")):
            nation = country_of(country)
            if nation is None:
                what = f"'{country}' is not a country."
                faults.append(Fault(path.name, what, "Write its two-letter code.", row, "country"))
            else:
                nations.add(nation)
        yield (
            row,
            Entry(
                list=of,
                id=as_text(item.get("id")) or as_text(item.get("_id")) or _own_id(of, name, *addresses),
                source=known.known(of).title,
                names=names_of(name, (Name(text) for text in as_texts(_first(item, ALIAS_COLUMNS)))),
                kind=KINDS.get(as_text(item.get("type")).casefold(), UNKNOWN),
                countries=countries_in(addresses) | nations,
                addresses=addresses,
                notice=as_text(item.get("notice")) or as_text(item.get("federal_register_notice")),
                start=_day(item, "start_date" if "start_date" in item else "start", path.name, row, faults),
                end=_day(item, "end_date" if "end_date" in item else "end", path.name, row, faults),
                equipment=as_text(item.get("equipment")),
                remarks=as_text(item.get("remarks")) or as_text(item.get("note")),
                url=as_text(item.get("url")),
                files=(path.name,),
            ),
        )


def _with_header(path: Path, faults: list[Fault], mark: str) -> Iterator[tuple[int, Item]]:
    """Rows as columns by name; a row of another width than the header is a fault, and the last one read."""
    header: list[str] | None = None
    for row, cells in csv_rows(path, faults, mark):
        if header is None:
            header = [cell.strip().casefold() for cell in cells]
            twice = {name for name in header if name and header.count(name) > 1}
            if twice:
                what = f"The column '{min(twice)}' is there twice."
                faults.append(Fault(path.name, what, "Keep one of them.", row=row))
                return
        elif len(cells) != len(header):
            what = f"The row has {len(cells)} cells, the header {len(header)} columns."
            faults.append(Fault(path.name, what, "Download the file again: it seems cut off.", row=row))
            return
        else:
            yield row, dict(zip(header, cells, strict=True))


def _first(item: Item, names: tuple[str, ...]) -> str:
    return next((as_text(item[name]) for name in names if as_text(item.get(name))), "")


def _code_of(stated: str, source: str, stem: str) -> str:
    """The code of a known list that one of the texts holds, else what the column ``list`` or the file is called."""
    for text in (stated, source, stem):
        words = re.split(r"[^a-z0-9]+", text.casefold())
        for code in known.lists():
            if code.casefold() in words:
                return code
    return stated or stem


def _own_id(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def _day(item: Item, column: str, where: str, row: int, faults: list[Fault]) -> date | None:
    text = as_text(item.get(column))
    if not text:
        return None
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%dT%H:%M:%S"):
        try:
            return datetime.strptime(text[:19], form).date()
        except ValueError:
            continue
    faults.append(Fault(where, f"'{text[:40]}' is not a date.", "Write it as 2026-11-22.", row, column))
    return None


def _day_of(path: Path) -> date:
    """The day a file's name states, else the day it was written (UTC)."""
    found = DAY_IN_NAME.search(path.stem)
    if found:
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            pass
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
