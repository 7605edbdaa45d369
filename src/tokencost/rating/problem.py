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
    from collections.abc import Iterable

    from tokencost.errors import TokencostError

__all__ = ["Problem", "merged_problems", "reason_for"]

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


def merged_problems(parts: Iterable[tuple[int, Iterable[Problem]]]) -> tuple[Problem, ...]:
    """Return the problems of many stretches of rows together, the most frequent first; each stretch comes with its first row."""
    found: dict[tuple[str, str | None, str], Problem] = {}
    for offset, problems in parts:
        for problem in problems:
            moved = problem._replace(first_row=problem.first_row + offset)
            # a cell may be unreadable for several reasons; what is said of a price names the instant, so there the message is no key
            key = (problem.reason, problem.name, problem.message if problem.reason.startswith("unreadable") else "")
            known = found.get(key)
            if known is None:
                found[key] = moved
            else:
                first = min(known, moved, key=lambda p: p.first_row)
                found[key] = first._replace(rows=known.rows + moved.rows)
    return tuple(sorted(found.values(), key=lambda problem: (-problem.rows, problem.first_row)))
