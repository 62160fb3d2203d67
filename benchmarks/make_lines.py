"""Makes a file of random entry lines in the columns of ``ashore duty --lines``.

    python benchmarks/make_lines.py 10_000_000 lines.parquet [--seed 1] [--claims] [--wide]

What a broker of rigs files: the tariff numbers of rigs and their parts, the origins that make them, days of the whole
coverage, values log-normal to the cent. ``--claims`` adds loaded_date, mode, us_content_share and claims, mostly blank.
``--wide`` draws every tariff number of the schedule and every country of the world alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from ashore import rules
from ashore.duties import dotted

RIGS = ("8543.70.98.10", "8543.70.98.20", "8543.70.98.60", "8543.70.98")
PARTS = (
    *("8543.90.68.00", "8542.31.00", "8542.39.00", "8534.00.00", "8504.40.95.40", "8414.59.65.90", "7616.99.51.90"),
    *("8543.90.88.85", "8544.42.90.90", "8473.30.11.80", "8471.50.01.50", "8504.21.00", "8609.00.00", "8536.69.80"),
)
PLACES = ("CN", "MY", "TH", "ID", "VN", "TW", "KR", "JP", "DE", "MX", "CA", "HK", "SG", "IN", "PH", "GB", "LA")
BATCH = 1_000_000


def lines(count: int, seed: int, *, claims: bool = False, wide: bool = False) -> pl.DataFrame:
    """``count`` random lines; the same for the same seed."""
    book = rules.load()
    draw = np.random.default_rng(seed)
    numbers, places = [*RIGS * 5, *PARTS], list(PLACES)
    if wide:
        current = [line for line in book.lines.values() if line.valid_until > book.until]
        numbers = [dotted(line.hts + suffix) for line in current for suffix in (sorted(line.suffixes) or [""])]
        places = [code for code in book.countries if code != book.country]
    days = (book.until - book.start).days
    frame = pl.DataFrame(
        {
            "line_id": pl.arange(count, eager=True, dtype=pl.Int64),
            "hts": _pick(draw, count, numbers),
            "origin": _pick(draw, count, places),
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
    parser.add_argument("--wide", action="store_true")
    options = parser.parse_args()
    frame = lines(options.count, options.seed, claims=options.claims, wide=options.wide)
    if options.out.suffix == ".csv":
        frame.write_csv(options.out)
    else:
        frame.write_parquet(options.out)


if __name__ == "__main__":
    main()
