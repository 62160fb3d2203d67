#!/usr/bin/env python3
"""Writes src/ashore/data/mining/difficulty.csv from two public files of block headers.

    python tools/build_difficulty.py CHECKPOINTS.json CHECKPOINTS.txt           write the file
    python tools/build_difficulty.py CHECKPOINTS.json CHECKPOINTS.txt --check   exit 1 if it would be written otherwise

CHECKPOINTS.json: electrum/chains/mainnet/checkpoints.json of github.com/spesmilo/electrum (MIT). Its entry i is the
last block of epoch i with the *target of epoch i + 1*; taken for epoch i, every date misses by two weeks.
CHECKPOINTS.txt: core/src/main/resources/org.bitcoin.production.checkpoints.txt of github.com/bitcoinj/bitcoinj
(Apache-2.0): the header of the first block of each epoch, with its time. Where both speak, they must agree.

An epoch later than the second file begins, by the rule of the retarget turned round, after 1,209,600 s times the ratio
of its predecessor's difficulty to its own, and one block (600 s) for the block the rule does not count.
"""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE = Path(__file__).parents[1] / "src" / "ashore" / "data" / "mining" / "difficulty.csv"
BLOCKS, FORTNIGHT, BLOCK = 2016, 1_209_600, 600
EASIEST = 0xFFFF << 208
GENESIS = datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC)  # time of the first header, a constant of the protocol
HEADERS = "block headers: spesmilo/electrum@92357801 (MIT), bitcoinj/bitcoinj@13e137ec (Apache-2.0)"
REBUILT = "target: spesmilo/electrum@92357801 (MIT); date DERIVED by the retarget rule, within a day"


def compact(bits: int) -> int:
    """The target a header writes in four bytes: a mantissa of three and an exponent."""
    return (bits & 0xFFFFFF) << (8 * ((bits >> 24) - 3))


def compacted(target: int) -> int:
    """A target as a header can hold it: three significant bytes, the first below 0x80."""
    size = (target.bit_length() + 7) // 8
    if target >> (8 * size - 1):
        size += 1
    return target >> (8 * (size - 3)) << (8 * (size - 3))


def headers(path: Path) -> dict[int, tuple[datetime, int]]:
    """Height -> (time, target) of every header in bitcoinj's text file."""
    found = {}
    for line in path.read_text(encoding="ascii").split("\n")[3:]:
        data = base64.b64decode(line + "=" * (-len(line) % 4))
        if not data:
            continue
        height, header = int.from_bytes(data[-84:-80], "big"), data[-80:]
        time, bits = (int.from_bytes(header[at : at + 4], "little") for at in (68, 72))
        found[height] = (datetime.fromtimestamp(time, UTC), compact(bits))
    return found


def rows(checkpoints: Path, texts: Path) -> list[str]:
    targets = [EASIEST, *(compacted(target) for _, target in json.loads(checkpoints.read_text(encoding="ascii")))]
    times = headers(texts)
    start, before, lines = GENESIS, EASIEST, []
    for epoch, target in enumerate(targets):
        height = epoch * BLOCKS
        known = times.get(height)
        if known is not None and known[1] != target:
            raise SystemExit(f"block {height}: the two files give different targets")
        if known is not None:
            start = known[0]
        elif epoch:
            start += timedelta(seconds=FORTNIGHT * target / before + BLOCK)
        before = target
        source = HEADERS if known is not None or not epoch else REBUILT
        lines.append(f'{height},{start:%Y-%m-%d},{EASIEST / target!r},"{source}"')
    return lines


def main() -> int:
    files = [Path(word) for word in sys.argv[1:] if not word.startswith("--")]
    if len(files) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    text = "\n".join(["first_block,start,difficulty,source", *rows(*files), ""])
    if "--check" in sys.argv:
        same = FILE.is_file() and FILE.read_text(encoding="utf-8") == text
        print(f"{FILE.name}: {'as the files give it' if same else 'differs'}")
        return 0 if same else 1
    FILE.write_text(text, encoding="utf-8")
    print(f"{FILE.name}: {len(text.splitlines()) - 1} epochs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
