"""Streaming: `reprice` over a folder of Parquet, in a process of its own: how long it takes, and the memory of the whole process.

python benchmarks/columns_stream.py --folder FOLDER --rows 1000000 --keep none
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
import zlib
from pathlib import Path

from columns_kernel import peak_bytes

__all__ = ["FILES", "KEPT"]

KEPT = {"totals": "totals only", "none": "costs alone written", "all": "costs written beside all columns"}
"""What is written, by the word after `--keep`; `make` only makes the files."""
FILES = 4
GROUP = 1 << 20
"""Rows a row group, as writers of Parquet make them unless told otherwise."""


def make(folder: Path, rows: int) -> Path:
    """Return a folder of Parquet files with the rows of the full table, made unless they are newer than the rows."""
    where, origin = folder / f"{rows}-parquet", folder / f"{rows}" / "made.json"
    paths = [where / f"{number}.parquet" for number in range(FILES)]
    if all(path.exists() and path.stat().st_mtime > origin.stat().st_mtime for path in paths):
        return where
    import numpy as np
    import pyarrow.parquet as pq

    from columns_rows import CASES, arrow_table, load, names_of

    where.mkdir(exist_ok=True)
    table = arrow_table(load(folder, rows, CASES["full"]), names_of(folder, rows, CASES["full"]))
    for path, part in zip(paths, np.array_split(np.arange(0, rows + 1), FILES), strict=True):
        begin, end = int(part[0]), min(int(part[-1]) + 1, rows)
        pq.write_table(table.slice(begin, end - begin), path, row_group_size=GROUP)
    return where


def measure(folder: Path, rows: int, keep: str) -> dict[str, float]:
    """Reprice the files once; `start` is what comes before: the imports, and the reading of all tables for the book's fingerprint."""
    where = folder / f"{rows}-parquet"
    out = Path(tempfile.mkdtemp(dir=folder))
    began = time.perf_counter()
    import tokencost as tc
    from tokencost.streams.reprice import reprice

    book = tc.load_book()
    assert book.fingerprint
    ready = time.perf_counter()
    options = {} if keep == "totals" else {"out": out / "costs", "keep": keep}
    done = reprice(where, by=("model", "month"), book=book, **options)
    took, peak = time.perf_counter() - ready, peak_bytes()
    written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    shutil.rmtree(out)
    read = sum(path.stat().st_size for path in where.iterdir())
    amounts = sorted(f"{row.group} {row.currency} {row.amount}" for row in done.totals.rows)
    return {
        "rows": done.rows,
        "start": ready - began,
        "seconds": took,
        "peak": peak,
        "read": read,
        "written": written,
        "totals": zlib.crc32("\n".join(amounts).encode()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--keep", choices=("make", *KEPT), required=True)
    options = parser.parse_args()
    if options.keep == "make":
        make(options.folder, options.rows)
    else:
        print(json.dumps(measure(options.folder, options.rows, options.keep)))
