"""The peers' loops: one call a row on rows of the same tables, beside our loop and our table.

Rows are those of models that every peer has a price for; each contestant runs in an interpreter of its own and they take turns. Usage
objects are made inside the timed loop, instants and texts before it.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from calls import CONTESTANTS
from contest import Worker, in_turns, median, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contest import Seen

__all__ = ["LOOP", "OURS_TABLE", "ROWS", "Loops", "measure"]

ROWS = 2_000
ROUNDS = 5
LOOP, OURS_TABLE = "tokencost, one call a row", "tokencost, rate_table"
LITELLM = {"openai": "", "anthropic": "", "google": "gemini/", "deepseek": "deepseek/", "mistral": "mistral/", "xai": "xai/"}
"""The providers that all peers know, and what litellm puts before their models."""
_CLOSE = Decimal("1e-9")

_READ = """\
import json
from datetime import datetime
from pathlib import Path
rows = [(*row[:4], datetime.fromisoformat(row[4]), *row[5:]) for row in json.loads(Path({path!r}).read_text(encoding="utf-8"))]
"""
_LOOPS = {
    "genai-prices": """\
from genai_prices import Usage, calc_price
def rate(rows):
    return [
        calc_price(
            Usage(input_tokens=input, cache_read_tokens=cached, output_tokens=output),
            model, provider_id=provider, genai_request_timestamp=at,
        ).total_price
        for name, provider, model, litellm_name, at, input, cached, output in rows
    ]
""",
    "model-prices": """\
import model_prices
def rate(rows):
    return [
        model_prices.cost(model, input_tokens=input - cached, cache_read_tokens=cached, output_tokens=output, at=at, provider=provider)
        for name, provider, model, litellm_name, at, input, cached, output in rows
    ]
""",
    "litellm": """\
import litellm
litellm.suppress_debug_info = True
def rate(rows):
    return [
        sum(
            litellm.cost_per_token(model=litellm_name, prompt_tokens=input, cache_read_input_tokens=cached, completion_tokens=output)
        )
        for name, provider, model, litellm_name, at, input, cached, output in rows
    ]
""",
    LOOP: """\
from tokencost import Usage, load_book
book = load_book()
def rate(rows):
    return [
        book.cost(name, Usage(input=input - cached, cache_read=cached, output=output), at=at)
        for name, provider, model, litellm_name, at, input, cached, output in rows
    ]
""",
    OURS_TABLE: """\
import numpy
from tokencost import load_book
book = load_book()
def table_of(rows):
    names, _, _, _, instants, inputs, cached, outputs = zip(*rows)
    counts = {"input": numpy.array(inputs), "cache_read": numpy.array(cached), "output": numpy.array(outputs)}
    return {"model": list(names), "at": list(instants), **counts}
def rate(rows):
    return book.rate_table(table_of(rows), threads=1).amounts()
table = table_of(rows)
""",
}
_TRY = """
def unable(rows):
    failed = []
    for row in rows:
        try:
            if row[0] not in failed and rate([row])[0] is None:
                failed.append(row[0])
        except Exception:
            failed.append(row[0])
    return failed
"""
_TIMED = {OURS_TABLE: "book.rate_table(table, threads=1)"}


class Loops(NamedTuple):
    """Microseconds a row of every contestant, one value a round, the share of rows on which it agrees with ours, and what was asked."""

    seen: Seen
    agreed: dict[str, float]
    rows: int
    models: int
    releases: dict[str, str]

    def cells(self, name: str) -> tuple[str, ...]:
        """Return what a contestant took a row, in units of our table and of our loop, and on how many it agrees."""
        us, table, loop = median(self.seen, name), ratio(self.seen, name, OURS_TABLE), ratio(self.seen, name, LOOP)
        return f"{us:.2f}", f"{table:,.1f}", f"{loop:,.1f}", f"{self.agreed[name]:.1%}"


def drawn_rows(folder: Path, rows: int) -> list[list[Any]]:
    """Return rows of the full table whose providers all peers know, more than are needed, in the order of time."""
    import numpy as np

    from columns_rows import CASES, METERS, load, names_of

    columns, names = load(folder, rows, CASES["full"]), names_of(folder, rows, CASES["full"])
    parts = [name.split("/", 2) for name in names]
    known = np.array([region == "global" and provider in LITELLM and "/" not in model for provider, region, model in parts])
    places = np.flatnonzero(known[columns["model"]])
    places = np.random.default_rng(len(places)).permutation(places)[: ROWS * 20]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found: list[list[Any]] = []
    for place in np.sort(places):
        provider, _, model = parts[columns["model"][place]]
        at = (epoch + timedelta(microseconds=int(columns["at"][place]))).isoformat()
        counts = [int(columns[meter][place]) for meter in METERS]
        found.append([names[columns["model"][place]], provider, model, LITELLM[provider] + model, at, *counts])
    return found


def measure(folder: Path, rows: int, peers: Path) -> Loops:
    """Keep the rows of models that all peers rate, compare the answers, and time the loops in turns."""
    path = folder / "loop.json"
    drawn = drawn_rows(folder, rows)
    setups = {name: _READ.format(path=str(path)) + loop for name, loop in _LOOPS.items()}
    with ExitStack() as stack:
        running = {name: Worker(Path(sys.executable) if name in (LOOP, OURS_TABLE) else peers) for name in _LOOPS}
        for worker in running.values():
            stack.callback(worker.close)
        chosen, models = _answered_by_all(running, drawn, path)
        path.write_text(json.dumps(chosen), encoding="utf-8")
        answers = {name: _answers(worker, setups[name]) for name, worker in running.items()}
        takes = {name: worker.take(setups[name], _TIMED.get(name, "rate(rows)")) for name, worker in running.items()}
        seen = in_turns(takes, rounds=ROUNDS)
        distributions = {contestant.name: contestant.distribution for contestant in CONTESTANTS}
        releases = {
            name: running[name].request("release", distribution=distributions[name])["release"] for name in _LOOPS if name in distributions
        }
    agreed = {name: sum(map(_equal, found, answers[LOOP])) / len(chosen) for name, found in answers.items()}
    return Loops({name: [us / len(chosen) for us in taken] for name, taken in seen.items()}, agreed, len(chosen), models, releases)


def _answered_by_all(running: dict[str, Worker], drawn: Sequence[list[Any]], path: Path) -> tuple[list[list[Any]], int]:
    """Return rows of the models for which nobody fails on the first and the last rows."""
    by_model: dict[str, list[list[Any]]] = {}
    for row in drawn:
        by_model.setdefault(row[0], []).append(row)
    tried = [row for rows in by_model.values() for row in (*rows[:5], *rows[-5:])]
    path.write_text(json.dumps(tried), encoding="utf-8")
    unable: set[str] = set()
    for name, worker in running.items():
        reply = worker.request("ask", setup=_READ.format(path=str(path)) + _LOOPS[name] + _TRY, total="json.dumps(unable(rows))")
        unable |= set(json.loads(reply["answer"]))
    return [row for row in drawn if row[0] not in unable][:ROWS], len(by_model.keys() - unable)


def _answers(worker: Worker, setup: str) -> list[Decimal | None]:
    reply = worker.request("ask", setup=setup, total="json.dumps([None if cost is None else str(cost) for cost in rate(rows)])")
    if "answer" not in reply:
        raise SystemExit(f"a contestant fails on some rows: {reply}")
    return [None if text is None else Decimal(text) for text in json.loads(reply["answer"])]


def _equal(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _CLOSE * abs(other)
