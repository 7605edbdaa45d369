"""Totals: exact sums by group, counted by outcome, that can be added in any order."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import ColumnError, IncompleteError, MixedCurrencyError
from tokencost.exact import EXACT, plain
from tokencost.rating.row import OUTCOMES
from tokencost.table import Column, Table
from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokencost.rating.problem import Problem

__all__ = ["NOTHING", "CostTotals", "GroupKey", "Sums", "TotalRow", "incomplete"]

NOTHING: Final = Decimal(0)
_SHOWN: Final = 40

GroupKey = tuple[tuple[Any, ...], str | None]
"""The values of a group, and the currency of its rows; None for rows without a price."""


class Sums(NamedTuple):
    """The rows of a group by outcome, and the exact amounts of those that are priced whole and in part."""

    rows: tuple[int, int, int, int]
    amount: Decimal = NOTHING
    partial_amount: Decimal = NOTHING

    def plus(self, other: Sums) -> Sums:
        """Return both together."""
        a, b = self.rows, other.rows
        return Sums(
            (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]),
            _added(self.amount, other.amount),
            _added(self.partial_amount, other.partial_amount),
        )


def _added(left: Decimal, right: Decimal) -> Decimal:
    return plain(EXACT.add(left, right)) if left and right else left or right


class TotalRow(NamedTuple):
    """One group in one currency: its rows by outcome, what the priced ones cost, and what is known of the partial ones."""

    group: tuple[Any, ...]
    currency: str | None
    priced: int
    free: int
    partial: int
    unknown: int
    amount: Decimal
    partial_amount: Decimal

    @property
    def rows(self) -> int:
        """All rows of the group in this currency."""
        return self.priced + self.free + self.partial + self.unknown


class CostTotals:
    """Exact totals of any number of rows, by group and currency; whatever the parts and their order, the sum is the same.

    >>> one = CostTotals(("model",), {(("gpt-4o",), "USD"): Sums((2, 0, 0, 0), Decimal("0.5"))})
    >>> two = CostTotals(("model",), {(("gpt-4o",), "USD"): Sums((1, 0, 0, 0), Decimal("0.25"))})
    >>> (one + two).total
    Money('0.75', 'USD')
    >>> one + two == two + one == CostTotals.from_json((one + two).to_json())
    True
    """

    def __init__(self, by: Iterable[str] = (), groups: Mapping[GroupKey, Sums] | None = None) -> None:
        self.by = tuple(by)
        self.groups: dict[GroupKey, Sums] = dict(groups or {})

    @classmethod
    def merged(cls, parts: Iterable[CostTotals], *, by: Iterable[str] = ()) -> CostTotals:
        """Return the sum of many; `by` is that of no parts at all.

        Raises:
            ColumnError: the parts are grouped by different columns.
        """
        whole: CostTotals | None = None
        for part in parts:
            if whole is None:
                whole = cls(part.by)
            whole.add(part)
        return cls(by) if whole is None else whole

    def add(self, other: CostTotals) -> None:
        """Take over what other rows have come to.

        Raises:
            ColumnError: it is grouped by different columns.
        """
        if other.by != self.by:
            raise ColumnError(
                f"totals by {other.by} do not add up with totals by {self.by}; group both by the same columns",
                column=None,
                columns=(*self.by, *other.by),
            )
        for key, sums in other.groups.items():
            known = self.groups.get(key)
            self.groups[key] = sums if known is None else known.plus(sums)

    def __add__(self, other: CostTotals) -> CostTotals:
        return CostTotals.merged((self, other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CostTotals) and (self.by, self.groups) == (other.by, other.groups)

    __hash__ = None  # type: ignore[assignment]

    @property
    def rows(self) -> tuple[TotalRow, ...]:
        """All groups, sorted; empty values come last."""
        return tuple(
            TotalRow(group, currency, *sums.rows, sums.amount, sums.partial_amount)
            for (group, currency), sums in sorted(self.groups.items(), key=lambda item: _order(item[0]))
        )

    @property
    def outcomes(self) -> dict[str, int]:
        """All rows by outcome."""
        counted = [sum(sums.rows[code] for sums in self.groups.values()) for code in range(len(OUTCOMES))]
        return dict(zip(OUTCOMES, counted, strict=True))

    @property
    def amounts(self) -> dict[str, Money]:
        """What all rows with a whole price cost, by currency."""
        sums: dict[str, Decimal] = {}
        for (_, currency), group in self.groups.items():
            if currency is not None:
                sums[currency] = EXACT.add(sums.get(currency, Decimal(0)), group.amount)
        return {currency: Money(plain(amount), currency) for currency, amount in sorted(sums.items())}

    @property
    def total(self) -> Money:
        """What all rows cost.

        Raises:
            IncompleteError: some rows have no price, or only a part of one.
            MixedCurrencyError: there are several currencies; `amounts` has them apart.
        """
        outcomes = self.outcomes
        if outcomes["partial"] or outcomes["unknown"]:
            raise incomplete(outcomes, ())
        amounts = self.amounts
        if not amounts:
            raise IncompleteError(
                "no row was rated, so there is no total and no currency; pass at least one", outcomes=outcomes, problems=()
            )
        if len(amounts) > 1:
            left, right = list(amounts)[:2]
            raise MixedCurrencyError(
                f"the rows are in {' and '.join(amounts)}, which do not add up; read .amounts, or pass currency=", left=left, right=right
            )
        return next(iter(amounts.values()))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each group and currency."""
        return [
            {**dict(zip(self.by, row.group, strict=True)), **{name: getattr(row, name) for name in TotalRow._fields[1:]}}
            for row in self.rows
        ]

    def table(self, *, limit: int | None = _SHOWN) -> Table:
        """Return the totals as a table for eyes, the first `limit` groups of them."""
        rows = self.rows
        partial = any(row.partial for row in rows)
        names = ["rows", *OUTCOMES, "amount", *(["partial amount"] if partial else []), "currency"]
        columns = [*(Column(name) for name in self.by), *(Column(name, number=name != "currency") for name in names)]
        shown = [
            (
                *("" if value is None else str(value) for value in row.group),
                *(f"{number:,}" for number in (row.rows, row.priced, row.free, row.partial, row.unknown)),
                *([format(row.amount, "f")] if row.currency else [""]),
                *([format(row.partial_amount, "f") if row.currency else ""] if partial else []),
                row.currency or "",
            )
            for row in rows[:limit]
        ]
        more = [f"and {len(rows) - limit:,} more groups"] if limit is not None and len(rows) > limit else []
        title = f"costs by {', '.join(self.by)}" if self.by else "costs"
        return Table(title, tuple(columns), tuple(shown), tuple(more))

    def to_json(self) -> str:
        """Return the totals as JSON; amounts are text, exact."""
        groups = [[*key, sums.rows, str(sums.amount), str(sums.partial_amount)] for key, sums in self.groups.items()]
        return json.dumps({"by": self.by, "groups": groups})

    @classmethod
    def from_json(cls, text: str) -> CostTotals:
        """Return the totals that `to_json` wrote."""
        found = json.loads(text)
        return cls(
            found["by"],
            {
                (tuple(group), currency): Sums((rows[0], rows[1], rows[2], rows[3]), Decimal(amount), Decimal(partial))
                for group, currency, rows, amount, partial in found["groups"]
            },
        )

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()

    def __repr__(self) -> str:
        amounts = " and ".join(map(str, self.amounts.values())) or "nothing"
        return f"CostTotals({amounts}, {len(self.groups)} groups by {', '.join(self.by) or 'nothing'})"


def incomplete(outcomes: Mapping[str, int], problems: Sequence[Problem]) -> IncompleteError:
    """Return the error for a total of rows of which some have no whole price."""
    lacking = " and ".join(f"{outcomes[name]:,} {name}" for name in ("partial", "unknown") if outcomes[name])
    cause = f"; the most frequent cause, of {problems[0].rows:,}: {problems[0].message}" if problems else ""
    return IncompleteError(
        f"{lacking} of {sum(outcomes.values()):,} rows have no whole price, so there is no total{cause}; "
        "take amounts from totals() for the rows that have one, and see problems for every cause",
        outcomes=dict(outcomes),
        problems=tuple(problems),
    )


def _order(key: GroupKey) -> list[tuple[bool, str, Any]]:
    """Return what groups are sorted by: numbers by size, texts by letter, kinds apart, nothing last."""
    return [
        (value is None, "" if isinstance(value, int | float) else type(value).__name__, 0 if value is None else value)
        for value in (*key[0], key[1])
    ]
