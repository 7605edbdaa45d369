"""Matrices: the same usage on many offerings, at its own instants or at another's prices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tokencost.errors import RangeError, UsageError, UsageTypeError
from tokencost.rating.rate_table import compiled, rate_usage_table
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.rating.costs import Costs
    from tokencost.rating.plan import Plan
    from tokencost.rating.totals import CostTotals
    from tokencost.rating.usage_table import UsageTable

__all__ = ["CostMatrix", "rate_usage_matrix"]

_LARGEST = 2**63


class CostMatrix(NamedTuple):
    """What each row, or each group of rows, of one usage table costs on each of many offerings.

    `totals` has the exact totals of every offering, by the groups that were asked for; `costs` the costs of every row on every offering,
    empty where groups were asked for. Every row is rated as it is: tiers and windows make costs non-linear, so no mean stands for it.

    >>> import tokencost as tc
    >>> table = {"at": ["2025-03-01T12:00:00Z", "2025-03-01T17:00:00Z"], "input": [1000, 1000], "output": [100, 100]}
    >>> matrix = tc.load_book().rate_matrix(table, ["deepseek-reasoner", "gpt-4o"])
    >>> matrix.ticks.tolist()
    [[769000000, 3500000000], [190000000, 3500000000]]
    >>> [str(totals.total) for totals in matrix.totals]
    ['0.000959 USD', '0.007 USD']
    """

    offerings: tuple[str, ...]
    by: tuple[str, ...]
    totals: tuple[CostTotals, ...]
    costs: tuple[Costs, ...]

    @property
    def scale(self) -> int:
        """The decimals of `ticks`: the most that an offering needs."""
        return max((costs.scale for costs in self._rated()), default=0)

    @property
    def ticks(self) -> NDArray[np.int64]:
        """The cost of each row (down) on each offering (across), in ticks of 10**-`scale`; 0 where the outcome is unknown.

        Raises:
            RangeError: an amount is no whole 64-bit number of ticks.
            UsageError: groups were asked for; their totals are in `totals`.
        """
        rated, scale = self._rated(), self.scale
        columns: list[NDArray[np.int64]] = []
        for offering, costs in zip(self.offerings, rated, strict=True):
            factor = 10 ** (scale - costs.scale)
            if factor > 1 and len(costs.ticks) and int(costs.ticks.max()) * factor >= _LARGEST:
                raise RangeError(
                    f"amounts of {offering} are beyond 64 bits at 10^-{scale}; read .costs[{len(columns)}] at its own scale",
                    rows=(),
                    scale=scale,
                )
            columns.append(costs.ticks * factor)
        return np.stack(columns, axis=1)

    @property
    def outcome(self) -> NDArray[np.uint8]:
        """The outcome of each row (down) on each offering (across), as codes."""
        return np.stack([costs.outcome for costs in self._rated()], axis=1)

    def floats(self) -> NDArray[np.float64]:
        """Return the cost of each row on each offering as a binary float, not exact; NaN where it is unknown."""
        return np.stack([costs.floats() for costs in self._rated()], axis=1)

    def _rated(self) -> tuple[Costs, ...]:
        if not self.costs:
            raise UsageError(
                f"this matrix has groups by {', '.join(self.by)}, not rows; read .totals, or leave by= out", meter="by", value=self.by
            )
        return self.costs

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each offering, group and currency."""
        return [
            {"offering": offering, **record}
            for offering, totals in zip(self.offerings, self.totals, strict=True)
            for record in totals.records()
        ]

    def table(self) -> Table:
        """Return the totals as a table for eyes: offerings down, groups across; what has no whole price is marked."""
        keys = list(dict.fromkeys(row.group for totals in self.totals for row in totals.rows))
        columns = [Column("offering"), *(Column(" ".join(map(str, key)) or "cost", number=True) for key in keys), Column("currency")]
        rows: list[tuple[str, ...]] = []
        for offering, totals in zip(self.offerings, self.totals, strict=True):
            for currency in totals.amounts or {None: None}:
                found = {row.group: row for row in totals.rows if row.currency == currency}
                lacking = {row.group for row in totals.rows if row.partial or row.unknown}
                cells = [(format(found[key].amount, "f") if key in found else "") + ("*" if key in lacking else "") for key in keys]
                rows.append((offering, *cells, currency or ""))
        marked = any("*" in cell for row in rows for cell in row[1:])
        notes = ("* some rows have no whole price here and are not in the sum; see .totals",) if marked else ()
        return Table("cost of the same usage" + (f" by {', '.join(self.by)}" if self.by else ""), tuple(columns), tuple(rows), notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def rate_usage_matrix(
    plan: Plan, table: UsageTable, offerings: Sequence[str], *, by: Sequence[str] = (), threads: int | None = None
) -> CostMatrix:
    """Rate every row of a table on every offering; with `by` only the totals of groups are kept.

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        UsageTypeError, UsageError: no list of names.
        ColumnError: there is no column of a group.
    """
    if isinstance(offerings, str):
        raise UsageTypeError(f"offerings={offerings!r} is text; pass a list of names", meter="offerings", value=offerings)
    names = tuple(offerings)
    if not names:
        raise UsageError("no offering to rate on; name at least one", meter="offerings", value=())
    for name in names:
        plan.book.resolve(name)
    readable = tuple(unreadable for unreadable in table.unreadable if unreadable.heading != "model")
    totals: list[CostTotals] = []
    kept: list[Costs] = []
    tables = [replace(table, model=name, unreadable=readable) for name in names]
    for asked in tables:
        compiled(plan, asked)  # all lines before the first is rated, so that the rate arrays are made once
    for asked in tables:
        costs = rate_usage_table(plan, asked, threads=threads)
        totals.append(costs.totals(by))
        if not by:
            kept.append(costs)
    return CostMatrix(names, tuple(by), tuple(totals), tuple(kept))
