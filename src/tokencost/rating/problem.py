"""Problems: why rows of a table have no price, or only a part of one; one for each cause, with how many rows it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import (
    AboveListError,
    AmbiguousNameError,
    CalendarError,
    CurrencyError,
    MoneyError,
    NoRateError,
    OutsideHistoryError,
    UnknownNameError,
    UnpricedMeterError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tokencost.errors import TokencostError

__all__ = ["Finding", "Problem", "merged", "reason_for"]

_REASONS: Final[tuple[tuple[type[TokencostError], str], ...]] = (
    (UnknownNameError, "unknown name"),
    (AmbiguousNameError, "ambiguous name"),
    (OutsideHistoryError, "outside history"),
    (CurrencyError, "no list in the currency"),
    (NoRateError, "no such rate"),
    (CalendarError, "calendar"),
    (AboveListError, "above the list"),
    (UnpricedMeterError, "meter without a rate"),
    (MoneyError, "no currency"),
    (UsageError, "impossible count"),
)


class Problem(NamedTuple):
    """Why rows have no whole price.

    The reason in a few words, the name that was asked for, how many rows, the first of them, and what rating this one alone would say.
    """

    reason: str
    name: str | None
    rows: int
    first_row: int
    message: str


def reason_for(error: TokencostError) -> str:
    """Return the few words for an error."""
    return next((words for kind, words in _REASONS if isinstance(error, kind)), "no price")


class Finding(NamedTuple):
    """A problem before it is put into words, which costs more than to find it: `said` has the words, or makes them of the first row."""

    reason: str
    name: str | None
    rows: int
    first_row: int
    said: str | Callable[[int], str]

    def told(self) -> Problem:
        """Return the problem in words."""
        message = self.said if isinstance(self.said, str) else self.said(self.first_row)
        return Problem(self.reason, self.name, self.rows, self.first_row, message)


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return one finding for each cause, the most frequent first."""
    found: dict[tuple[str, str | None, str], Finding] = {}
    for finding in findings:
        # a cell may be unreadable for several reasons; what is said of a price is of one row, and no key
        key = (finding.reason, finding.name, finding.said if isinstance(finding.said, str) and finding.name is None else "")
        known = found.get(key)
        if known is None:
            found[key] = finding
        else:
            first = min(known, finding, key=lambda p: p.first_row)
            found[key] = first._replace(rows=known.rows + finding.rows)
    return tuple(sorted(found.values(), key=lambda finding: (-finding.rows, finding.first_row)))
