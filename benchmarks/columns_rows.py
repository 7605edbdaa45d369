"""The rows of the bulk benchmark: two years of requests, their sizes drawn from two real logs, the same on every machine.

Prompts and completions are drawn together, with replacement, from production logs; half of the requests have part of their prompt
cached. Models are drawn evenly from those that have a price on the day, and one row in a thousand from all, so that some have none. Rows
are made in chunks and kept as plain arrays; a folder that holds them is used again.

    python benchmarks/columns_rows.py --folder FOLDER --rows 1000000
"""

from __future__ import annotations

import argparse
import csv
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import tokencost as tc
from tokencost.rating.plan import micros
from tokencost.rating.rate_arrays import NEVER
from tokencost.rating.timeline import Selection
from tokencost.rating.usage_table import Coded, UsageTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from tokencost.rating.plan import Plan

__all__ = ["CASES", "METERS", "OFFERINGS", "SPAN", "Case", "Law", "arrow_table", "law_of", "load", "names_of", "usage_table"]

TRACES = Path(__file__).resolve().parents[2] / "shared" / "traces"
AZURE, MOONCAKE = TRACES / "azure_llm_2023_conv.csv", TRACES / "mooncake_conversation.jsonl"
SPAN = tuple(micros(tc.to_instant(text)) for text in ("2024-11-01T00:00:00Z", "2026-11-01T00:00:00Z"))
DAY = 86_400 * 10**6
DAYS = (SPAN[1] - SPAN[0]) // DAY
METERS = ("input", "cache_read", "output")
OFFERINGS = 300
SEED = 3
CHUNK = 1 << 21
STRAY = 1_000
"""One row in so many names a model without regard to its history."""
LEAST_DAYS = DAYS // 4
TIERS = ("standard", "batch")
CURRENCIES = ("USD", "CNY")


class Case(NamedTuple):
    """One kind of table: which columns hold its instants and models, and whether it has service tiers and currencies."""

    title: str
    at: str
    model: str
    selected: bool = False
    threads: int = 1


CASES = {
    "plain": Case("plain", "at", "plain"),
    "full": Case("full, in the order of time", "at", "full"),
    "shuffled": Case("full, shuffled", "shuffled_at", "shuffled"),
    "selected": Case("full, with service tiers and currencies", "at", "full", selected=True),
    "threads": Case("full, in the order of time, two threads", "at", "full", threads=2),
}


# -- which offerings --------------------------------------------------------------------------------------------------------------------


class Offerings(NamedTuple):
    """The chosen offerings: those that never changed, the richest ones, on which days the rich ones have a price, and their choices."""

    plain: list[str]
    full: list[str]
    days: NDArray[np.bool_]
    batch: NDArray[np.bool_]
    lists: dict[str, NDArray[np.bool_]]


class History(NamedTuple):
    """A line between two instants: the ids of its stretches and the days on which all of them have an ordinary price."""

    ids: NDArray[np.int64]
    tiered: bool
    days: NDArray[np.bool_]


def history(plan: Plan, number: int) -> History:
    """Look at a line; a price is ordinary where every meter has one and none is free."""
    arrays = plan.arrays(METERS)
    starts, entries = plan.starts[number], plan.entries[number]
    begin, end = np.searchsorted(starts, SPAN, side="right")
    ids = arrays.entry_ids(entries[begin - 1 : end])
    edges = np.clip(np.append(starts[begin - 1 : end], SPAN[1]), *SPAN) - SPAN[0]
    days = np.ones(DAYS, bool)
    for place in np.flatnonzero(ids >= arrays.careful):
        days[edges[place] // DAY : -(-edges[place + 1] // DAY)] = False
    return History(ids, bool((ids[ids < arrays.careful] >= arrays.plain).any()), days)


def choose(book: tc.Book) -> Offerings:
    """Choose offerings: plain ones have one price all the time; of the others those with most windows, versions, promotions and tiers."""
    plan = book.plan()
    plan.cover(SPAN[0], SPAN[1] - 1)
    numbers = {name: plan.line(name) for name in book.ids}
    histories = {name: history(plan, number) for name, number in numbers.items()}
    plain = [name for name, (ids, tiered, days) in histories.items() if len(ids) == 1 and days.all() and not tiered]
    windowed = {name for name, found in histories.items() if len(found.ids) > 50}
    long = [name for name, found in histories.items() if found.days.sum() >= LEAST_DAYS or (name in windowed and found.days.any())]
    rich = sorted(
        long, key=lambda name: (name in windowed, len(set(histories[name].ids.tolist())) + 2 * histories[name].tiered), reverse=True
    )
    full = sorted(rich[:OFFERINGS])
    days = np.array([histories[name].days for name in full])
    lines = {(name, *chosen): plan.line(name, Selection(*chosen)) for name in full for chosen in _choices()}
    priced = {chosen: np.array([_priced(plan, lines[name, *chosen], days[row]) for row, name in enumerate(full)]) for chosen in _choices()}
    batch = np.logical_and.reduce([priced[currency, "batch"] | ~priced[currency, "standard"] for currency in (None, *CURRENCIES)])
    return Offerings(plain[:OFFERINGS], full, days, batch, {currency: priced[currency, "standard"] for currency in CURRENCIES})


def _choices() -> list[tuple[str | None, str]]:
    return [(currency, tier) for currency in (None, *CURRENCIES) for tier in TIERS]


def _priced(plan: Plan, number: int, days: NDArray[np.bool_]) -> bool:
    return bool((history(plan, number).days | ~days).all())


# -- which sizes ------------------------------------------------------------------------------------------------------------------------


def sizes() -> NDArray[np.int64]:
    """Return the prompts and completions of both logs, one row a request.

    Raises:
        SystemExit: the logs are not there.
    """
    missing = [path.name for path in (AZURE, MOONCAKE) if not path.exists()]
    if missing:
        raise SystemExit(
            f"no rows: {' and '.join(missing)} not found in ../shared/traces, seen from the project; the rows are drawn from them"
        )
    with AZURE.open(encoding="utf-8", newline="") as file:
        pairs = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    with MOONCAKE.open(encoding="utf-8") as file:
        pairs += [(row["input_length"], row["output_length"]) for row in map(json.loads, file)]
    return np.array(pairs, np.int64)


# -- making ------------------------------------------------------------------------------------------------------------------------------

KINDS = dict.fromkeys((*METERS, "at", "shuffled_at"), np.int64) | dict.fromkeys(("plain", "full", "shuffled"), np.int32)
KINDS |= {"service_tier": np.int8, "currency": np.int8}


def make(folder: Path, tables: Sequence[int]) -> None:
    """Make tables of so many rows each in a folder, but for those that it holds already."""
    book = tc.load_book()
    origin = {"book": book.fingerprint, "seed": SEED, "offerings": OFFERINGS, "script": zlib.crc32(Path(__file__).read_bytes())}
    missing = [rows for rows in tables if _origin(folder / f"{rows}") != origin]
    if not missing:
        return
    pairs, offerings = sizes(), choose(book)
    for rows in missing:
        _make(folder / f"{rows}", rows, pairs, offerings)
        made = {"origin": origin, "plain": offerings.plain, "full": offerings.full}
        (folder / f"{rows}" / "made.json").write_text(json.dumps(made), encoding="utf-8")


def _origin(where: Path) -> object:
    made = where / "made.json"
    return json.loads(made.read_text(encoding="utf-8"))["origin"] if made.exists() else None


def _make(where: Path, rows: int, pairs: NDArray[np.int64], offerings: Offerings) -> None:
    where.mkdir(parents=True, exist_ok=True)
    (where / "made.json").unlink(missing_ok=True)
    files = {name: np.lib.format.open_memmap(where / f"{name}.npy", "w+", kind, (rows,)) for name, kind in KINDS.items()}
    for begin in range(0, rows, CHUNK):
        end = min(begin + CHUNK, rows)
        for name, values in _chunk(pairs, offerings, begin, end, rows):
            files[name][begin:end] = values
    for file in files.values():
        file.flush()


def _chunk(pairs: NDArray[np.int64], offerings: Offerings, begin: int, end: int, rows: int) -> Iterator[tuple[str, NDArray[np.integer]]]:
    """Yield the columns of the rows from `begin` to `end`."""
    draw = np.random.default_rng([SEED, rows, begin])
    size = end - begin
    prompt, output = pairs[draw.integers(0, len(pairs), size)].T
    cached = np.maximum(draw.integers(-128, 128, size), 0)  # of 128 parts of the prompt
    yield "input", prompt
    yield "cache_read", prompt * cached >> 7
    yield "output", output
    length = SPAN[1] - SPAN[0]
    ascending = SPAN[0] + ((np.arange(begin, end) + draw.random(size)) / rows * length).astype(np.int64)
    np.clip(ascending, SPAN[0], SPAN[1] - 1, out=ascending)
    shuffled = draw.integers(SPAN[0], SPAN[1], size)
    full = _models(draw, offerings.days, ascending)
    yield "at", ascending
    yield "shuffled_at", shuffled
    yield "plain", draw.integers(0, len(offerings.plain), size)
    yield "full", full
    yield "shuffled", _models(draw, offerings.days, shuffled)
    yield "service_tier", np.where((draw.random(size) < 0.5) & offerings.batch[full], 1, -1)
    dollars, yuan = (offerings.lists[currency][full] for currency in CURRENCIES)
    named = draw.random(size)
    yield "currency", np.where(yuan & (named < 0.5), 1, np.where(dollars & (named < 0.75), 0, -1))


def _models(draw: np.random.Generator, days: NDArray[np.bool_], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw a model for each row among those that have a price on its day."""
    day, model = np.nonzero(days.T)
    count = np.bincount(day, minlength=DAYS)
    first = np.cumsum(count) - count
    today = (at - SPAN[0]) // DAY
    drawn = model[first[today] + (draw.random(len(at)) * count[today]).astype(np.int64)]
    return np.where(draw.integers(0, STRAY, len(at)) == 0, draw.integers(0, len(days), len(at)), drawn)


# -- reading -----------------------------------------------------------------------------------------------------------------------------


def names_of(folder: Path, rows: int, case: Case) -> list[str]:
    """Return the names behind the codes of the models."""
    made = json.loads((folder / f"{rows}" / "made.json").read_text(encoding="utf-8"))
    return made["plain" if case.model == "plain" else "full"]


def load(folder: Path, rows: int, case: Case) -> dict[str, NDArray[np.integer]]:
    """Read the columns of a case into memory; `model`, `service_tier` and `currency` are codes."""
    files = {"model": case.model, "at": case.at, **{meter: meter for meter in METERS}}
    if case.selected:
        files |= {"service_tier": "service_tier", "currency": "currency"}
    return {heading: np.load(folder / f"{rows}" / f"{name}.npy") for heading, name in files.items()}


def usage_table(columns: dict[str, NDArray[np.integer]], names: Sequence[str]) -> UsageTable:
    """Return the columns as the kernel takes them."""
    chosen = {}
    if "currency" in columns:
        chosen = {"service_tier": Coded(columns["service_tier"], TIERS), "currency": Coded(columns["currency"], CURRENCIES)}
    counts = {meter: columns[meter] for meter in METERS}
    return UsageTable(
        rows=len(columns["at"]), model=Coded(columns["model"], tuple(names)), at=columns["at"], counts=counts, totals=True, **chosen
    )


def arrow_table(columns: dict[str, NDArray[np.integer]], names: Sequence[str]) -> pa.Table:
    """Return the columns as an Arrow table that shares their memory: dictionaries, instants in UTC, counts of 64 bits."""
    import pyarrow as pa

    texts = {"model": names, "service_tier": TIERS, "currency": CURRENCIES}
    made = {}
    for heading, column in columns.items():
        if heading in texts:
            mask = column < 0 if heading != "model" else None
            made[heading] = pa.DictionaryArray.from_arrays(pa.array(column, mask=mask), pa.array(texts[heading]))
        else:
            made[heading] = pa.array(column).view(pa.timestamp("us", "UTC")) if heading == "at" else pa.array(column)
    return pa.table(made)


class Law(NamedTuple):
    """The same law as a table to join: when a price of a model begins, and its rates in ticks for each meter.

    `edges` has the prompt and completion of each model below which no context tier but the first applies.
    """

    start: NDArray[np.int64]
    model: NDArray[np.int64]
    rates: NDArray[np.int64]
    edges: NDArray[np.int64]


def law_of(book: tc.Book, names: Sequence[str]) -> Law:
    """Return every stretch of time of every model, with the rates of prompts below the first context tier; 0 where there is no price."""
    plan = book.plan()
    plan.cover(SPAN[0], SPAN[1] - 1)
    numbers = [plan.line(name) for name in names]
    arrays = plan.arrays(METERS)
    starts, models, rates = [], [], []
    edges = np.full(len(names), NEVER)
    for model, number in enumerate(numbers):
        begin, end = np.searchsorted(plan.starts[number], SPAN, side="right")
        ids = arrays.entry_ids(plan.entries[number][begin - 1 : end])
        starts.append(np.maximum(plan.starts[number][begin - 1 : end], SPAN[0]))
        models.append(np.full(len(ids), model))
        rates.append(arrays.rates[ids])
        edges[model] = arrays.trigger[ids[(ids >= arrays.plain) & (ids < arrays.flat)]].min(initial=NEVER)
    start = np.concatenate(starts)
    order = np.argsort(start, kind="stable")  # joins in time want both sides in the order of time
    return Law(start[order], np.concatenate(models)[order], np.concatenate(rates)[order], edges)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", required=True)
    options = parser.parse_args()
    make(options.folder, options.rows)
