"""Logs that the tests of streams share: windows, context tiers, unknown names, empty cells, several currencies."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa

__all__ = ["MODELS", "SPAN", "requests", "slowly"]

MODELS = ("gpt-4o", "deepseek-reasoner", "gemini-2.5-pro", "claude-sonnet-4-5", "qwen-max", "gpt-9o", None)
SPAN = ("2025-02-01T00:00:00Z", "2026-02-01T00:00:00Z")
_TEAMS = ("red", "green", None)


def requests(rows: int, seed: int = 7) -> pa.Table:
    """Return requests of a year; the same for a seed."""
    draw = random.Random(seed)
    start = datetime.fromisoformat(SPAN[0])
    models, at, inputs, cached, outputs, teams = [], [], [], [], [], []
    for _ in range(rows):
        size = draw.choice((draw.randrange(5_000), draw.randrange(400_000)))
        models.append(draw.choice(MODELS))
        at.append(start + timedelta(seconds=draw.randrange(365 * 86_400)))
        inputs.append(size)
        cached.append(draw.choice((None, 0, size // 2)))
        outputs.append(draw.choice((0, draw.randrange(3_000))))
        teams.append(draw.choice(_TEAMS))
    return pa.table(
        {
            "model": pa.array(models, pa.string()),
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "input": pa.array(inputs, pa.int64()),
            "cache_read": pa.array(cached, pa.int64()),
            "output": pa.array(outputs, pa.int64()),
            "team": pa.array(teams, pa.string()),
        }
    )


def slowly(book, table: pa.Table) -> list:
    """Return the cost of every row as `Book.cost` gives it, None where it has none."""
    import tokencost as tc

    made = []
    for row in table.to_pylist():
        usage = tc.Usage.from_totals(input=row["input"], cache_read=row["cache_read"] or 0, output=row["output"])
        try:
            made.append(book.cost(row["model"], usage, at=row["at"].astimezone(UTC)) if row["model"] else None)
        except tc.TokencostError:
            made.append(None)
    return made
