"""A slow, obvious second opinion on logs and bills: the standard library reads, and `Book.cost` rates row by row."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

import tokencost as tc

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["AZURE", "MOONCAKE", "Bill", "Call", "read_azure", "read_mooncake", "slow_bill", "trace_of"]

AZURE = "azure_llm_2023_conv.csv"
MOONCAKE = "mooncake_conversation.jsonl"


class Call(NamedTuple):
    """One request of a log, without any class of the library."""

    at: datetime
    input: int
    output: int

    @property
    def usage(self) -> tc.Usage:
        """What it used."""
        return tc.Usage(input=self.input, output=self.output)


class Bill(NamedTuple):
    """What many requests cost together: the priced ones, and how many have no price for which reason."""

    amount: Decimal
    priced: int
    failed: Counter[type[tc.TokencostError]]


def read_azure(path: Path) -> list[Call]:
    """Read the log of 2023, whose times are in UTC."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Call(
                datetime.fromisoformat(f"{row['TIMESTAMP'][:26]}+00:00"),
                int(row["ContextTokens"]),
                int(row["GeneratedTokens"]),
            )
            for row in csv.DictReader(file)
        ]


def read_mooncake(path: Path, *, start: datetime) -> list[Call]:
    """Read the log whose times are milliseconds from its start."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [Call(start + timedelta(milliseconds=row["timestamp"]), row["input_length"], row["output_length"]) for row in found]


def slow_bill(book: tc.Book, name: str, requests: Iterable[tuple[tc.Usage, datetime]], **selection: str | None) -> Bill:
    """Rate one request after the other and add up, with more digits than any sum can need.

    Like a comparison it takes another list of the offering where there is none in the currency asked for.
    """
    failed: Counter[type[tc.TokencostError]] = Counter()
    amount, priced = Decimal(0), 0
    with localcontext() as context:
        context.prec = 200
        for usage, at in requests:
            try:
                try:
                    cost = book.cost(name, usage, at=at, **selection)
                except tc.CurrencyError as error:
                    listed = book.currency if book.currency in error.available else error.available[0]
                    cost = book.cost(name, usage, at=at, **{**selection, "currency": listed})
                amount += cost
                priced += 1
            except tc.TokencostError as error:
                failed[type(error)] += 1
    return Bill(amount, priced, failed)


def trace_of(requests: Iterable[tuple[tc.Usage, datetime]]) -> tc.Trace:
    """Make a trace in memory, as if a log had been read."""
    rows = tuple(tc.TraceRow(n, at.isoformat(), usage) for n, (usage, at) in enumerate(requests, 2))
    return tc.Trace(path="made/up.csv", columns={"at": "at", "input": "input", "output": "output"}, rows=rows)
