"""Batches: one callable that rates Arrow data wherever a cluster runs it.

The same object serves Spark's `mapInArrow`, Ray's `map_batches` and Dask. It pickles without its tables: the fingerprint of the book,
the law of the names that were given, and the words of the caller. A worker opens its own tables only for what is not compiled, and
only if they are the same.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final, Literal

from tokencost.errors import ColumnError, RangeError
from tokencost.rating.book import load_book
from tokencost.rating.plan import Plan, micros
from tokencost.rating.rate_table import rate_usage_table
from tokencost.rating.timeline import Selection
from tokencost.rating.usage_table import read_usage_table
from tokencost.streams.arrow import pa
from tokencost.streams.rated import COST_DIGITS, COST_SCALE
from tokencost.streams.travel import TravellingBook, unpacked
from tokencost.tariffs.clock import to_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.costs import Costs
    from tokencost.rating.totals import CostTotals
    from tokencost.rating.usage_table import UsageColumns
    from tokencost.streams.arrow import Array, Batch, DataType, Schema

__all__ = ["BatchRater"]


class BatchRater:
    """Rates batches of Arrow data, and pickles small enough to go to every worker.

    Each batch comes back with its columns and `cost`, `currency` and `outcome` behind them. `cost` is a decimal with 38 digits of which
    `scale` stand behind the point, null where there is no price. The schema depends on the schema given alone.

    `names` are compiled here and travel along, for instants within `span`; for any other name or instant a worker opens its own tables
    and compares their fingerprint. `keep` says which of the given columns come back. With `detail="meters"` there is one
    `cost_<meter>` more for every meter counted. One thread rates, for a cluster has its own idea of how many run.

    >>> import pyarrow as pa, tokencost as tc
    >>> rater = tc.BatchRater(tc.load_book(), at="2025-06-01T12:00:00Z", keep=("model",))
    >>> usage = pa.table({"model": ["gpt-4o", "gpt-9o"], "input": [1000, 1000], "output": [200, 200]})
    >>> rater.table(usage).to_pylist()[0]
    {'model': 'gpt-4o', 'cost': Decimal('0.004500000000000000'), 'currency': 'USD', 'outcome': 'priced'}
    >>> rater.ddl(usage.schema)
    '`model` string, `cost` decimal(38,18), `currency` string, `outcome` string'

    Raises:
        StreamError: on a worker: its tables are needed, and missing or different.
        ColumnError: a column is missing, doubled, or of the wrong kind.
        RangeError: an amount needs more digits than the column `cost` has.
    """

    def __init__(
        self,
        book: Book | None = None,
        *,
        columns: UsageColumns | Mapping[str, str] | None = None,
        model: str | None = None,
        at: datetime | str | None = None,
        currency: str | None = None,
        service_tier: str | None = None,
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
        keep: Literal["all", "none"] | Sequence[str] = "all",
        detail: Literal["rows", "meters"] = "rows",
        scale: int = COST_SCALE,
        prefix: str = "",
        names: Iterable[str] = (),
        span: tuple[datetime | str, datetime | str] | None = None,
    ) -> None:
        self.book = TravellingBook.of(load_book() if book is None else book)
        self.columns = columns
        self.words: dict[str, Any] = {
            "model": model,
            "at": None if at is None else to_instant(at),
            "currency": currency,
            "service_tier": service_tier,
            "mode": mode,
            "residency": residency,
            "tenant": tenant,
        }
        self.keep = keep if isinstance(keep, str) else tuple(keep)
        self.detail: Literal["rows", "meters"] = detail
        self.scale = scale
        self.prefix = prefix
        self._law = self._compiled(names, span)

    def _compiled(self, names: Iterable[str], span: tuple[datetime | str, datetime | str] | None) -> bytes:
        """Return the plan that travels; as it is never rated with, it says the same to every worker."""
        plan = Plan(self.book)
        if span is not None:
            plan.cover(*(micros(to_instant(end)) for end in span))
        words = self.words
        tier = words["service_tier"] or "standard"
        selection = Selection(words["currency"], tier, words["mode"], words["residency"], words["tenant"])
        for name in names:
            plan.line(name, selection)
        return pickle.dumps(plan)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the book, which every figure can be traced to."""
        return self.book.fingerprint

    # -- rating ----------------------------------------------------------------------------------------------------------------------

    def costs(self, table: object) -> Costs:
        """Return the costs of any table that `rate_table` takes, rated by the law that travels."""
        usage = read_usage_table(table, columns=self.columns, **self.words)
        return rate_usage_table(unpacked(self._law), usage, detail=self.detail, threads=1, reuse=True)

    def totals(self, table: object, *, by: str | Sequence[str] = ()) -> CostTotals:
        """Return the exact totals of a table; those of several tables add up in any order."""
        return self.costs(table).totals(by=by)

    def table(self, table: Batch) -> Batch:
        """Return an Arrow table or batch with its costs behind it: for Ray's `map_batches(rater.table, batch_format="pyarrow")`."""
        added = self._added(self.costs(table))
        kept = self._kept(table.schema, added)
        made = {**{name: table.column(name) for name in kept}, **added}
        kind = pa.Table if isinstance(table, pa.Table) else pa.RecordBatch
        return kind.from_arrays(list(made.values()), schema=_schema(table.schema, kept, added))

    def __call__(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield one batch with costs for each batch: for Spark's `mapInArrow(rater, rater.ddl(...))`."""
        return map(self.table, batches)

    def schema(self, given: Schema) -> Schema:
        """Return the Arrow schema of what comes back for batches of a schema."""
        return self.table(given.empty_table()).schema

    def ddl(self, given: Schema) -> str:
        """Return the same schema in the words of Spark.

        Raises:
            ColumnError: Spark has no such type.
        """
        return ", ".join(f"`{field.name}` {_ddl(field.name, field.type)}" for field in self.schema(given))

    def _kept(self, given: Schema, added: Mapping[str, Array]) -> list[str]:
        kept = list(given.names) if self.keep == "all" else [] if self.keep == "none" else list(self.keep)
        missing = [name for name in kept if name not in given.names]
        if missing:
            raise ColumnError(
                f"there is no column {missing[0]!r} to keep; the columns are {', '.join(given.names)}",
                column=missing[0],
                columns=tuple(given.names),
            )
        doubled = [name for name in kept if name in added]
        if doubled:
            raise ColumnError(
                f"there is a column {doubled[0]!r} already; pass prefix=, or leave it out with keep=",
                column=doubled[0],
                columns=tuple(given.names),
            )
        return kept

    def _added(self, costs: Costs) -> dict[str, Array]:
        """Return the new columns, of the same types in every batch; Spark knows no dictionaries."""
        columns = costs.columns()
        return {
            self.prefix + name: self._fixed(column) if name.startswith("cost") else column.cast(pa.string())
            for name, column in columns.items()
        }

    def _fixed(self, amounts: Array) -> Array:
        """Return amounts with the decimals that every batch has."""
        try:
            return amounts.cast(pa.decimal128(COST_DIGITS, self.scale))
        except pa.ArrowInvalid:
            message = (
                f"an amount has more than {COST_DIGITS - self.scale} digits before the point or {self.scale} behind it; pass another scale="
            )
            raise RangeError(message, rows=(), scale=self.scale) from None


def _schema(given: Schema, kept: Sequence[str], added: Mapping[str, Array]) -> Schema:
    fields = [*(given.field(name) for name in kept), *(pa.field(name, column.type) for name, column in added.items())]
    return pa.schema(fields, metadata=given.metadata)


_SPARK: Final = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "binary": "binary",
    "large_binary": "binary",
    "date32[day]": "date",
}
"""The types of Spark by those of Arrow."""


def _ddl(name: str, kind: DataType) -> str:
    """Return a type in the words of Spark."""
    plain = _SPARK.get(str(kind))
    if plain is not None:
        return plain
    types = pa.types
    if types.is_timestamp(kind):
        return "timestamp_ntz" if kind.tz is None else "timestamp"
    if types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if types.is_list(kind) or types.is_large_list(kind):
        return f"array<{_ddl(name, kind.value_type)}>"
    if types.is_struct(kind):
        return f"struct<{', '.join(f'`{field.name}`: {_ddl(name, field.type)}' for field in kind)}>"
    if types.is_map(kind):
        return f"map<{_ddl(name, kind.key_type)}, {_ddl(name, kind.item_type)}>"
    raise ColumnError(
        f"column {name!r} is {kind}, which Spark has no type for; cast it first, or leave it out with keep=", column=name, columns=(name,)
    )
