"""Makes a file of random entry lines in the columns of ``ashore duty --lines``.

    python benchmarks/make_lines.py 10_000_000 lines.parquet [--seed 1] [--claims]

Tariff numbers come from the shipped schedule, rigs most often; origins from those that make rigs and parts, with every
other country now and then; dates from the whole coverage; values are log-normal to the cent. ``--claims`` adds
loaded_date, mode, us_content_share and claims, mostly blank.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from ashore import rules
from ashore.duties import dotted

PLACES = ("CN", "MY", "TH", "ID", "VN", "TW", "KR", "JP", "DE", "MX", "CA", "HK", "SG")
BATCH = 1_000_000


def lines(count: int, seed: int, *, claims: bool = False) -> pl.DataFrame:
    """``count`` random lines; the same for the same seed."""
    book = rules.load()
    draw = np.random.default_rng(seed)
    current = [line for line in book.lines.values() if not line.renumbered or line.valid_until > book.until]
    numbers = [
        dotted(line.hts + suffix) for line in current for suffix in (sorted(line.suffixes) if line.suffixes else [""])
    ]
    rigs = [number for number in numbers if number.startswith("8543.70.98")]
    others = [code for code in book.countries if code != book.country]
    days = (book.until - book.start).days
    frame = pl.DataFrame(
        {
            "line_id": pl.arange(count, eager=True, dtype=pl.Int64),
            "hts": _pick(draw, count, rigs * 20 + numbers),
            "origin": _pick(draw, count, [*PLACES] * 60 + others),
            "entry_date": np.datetime64(book.start) + draw.integers(0, days, count).astype("timedelta64[D]"),
            "value_usd": np.round(np.clip(draw.lognormal(9, 2, count), 1, 1e8), 2),
        }
    )
    if not claims:
        return frame
    blank = np.arange(20) >= 4
    loaded = frame["entry_date"] - pl.duration(days=25)
    return frame.with_columns(
        pl.when(pl.Series(~blank[draw.integers(0, 20, count)])).then(loaded).alias("loaded_date"),
        _pick(draw, count, ["ocean", "air", "truck", ""]).alias("mode"),
        _pick(draw, count, [""] * 17 + ["0", "0.2", "0.35"]).alias("us_content_share"),
        _pick(draw, count, [""] * 18 + ["metal_weight_share=0.1", "spi=KR"]).alias("claims"),
    )


def _pick(draw: np.random.Generator, count: int, words: list[str]) -> pl.Series:
    return pl.Series(words).gather(draw.integers(0, len(words), count))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("count", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--claims", action="store_true")
    options = parser.parse_args()
    frame = lines(options.count, options.seed, claims=options.claims)
    if options.out.suffix == ".csv":
        frame.write_csv(options.out)
    else:
        frame.write_parquet(options.out)


if __name__ == "__main__":
    main()
