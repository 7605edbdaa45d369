"""Declines: how fast prices fall, between two points or along a fitted line, always with the number of points and an interval."""

from __future__ import annotations

import re
from datetime import date, datetime
from itertools import pairwise
from math import exp, inf, isfinite, log, log10
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.least_squares import least_squares
from tokencost.scenarios.student import t_quantile
from tokencost.table import Column, Table
from tokencost.workloads.profile import Month

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["DAYS_PER_YEAR", "Change", "Decline", "day_of", "decline_between", "decline_per_year", "record_lows"]

DAYS_PER_YEAR: Final = 365.0
"""The length of a year in a fit on days. With 365.25 a factor of 12 a year is 0.17 % larger; results say which was used."""

_LEAST: Final = 3
_DATE: Final = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")


class Change(NamedTuple):
    """The change between two prices over so many months, and what it is a year at this pace.

    `factor` is the old price over the new one: 10 is a tenth. `halving_months` is infinite where the price did not change, and negative,
    a doubling time, where it rose.
    """

    start: float
    end: float
    months: float
    factor: float
    factor_per_year: float
    log_points_per_year: float
    percent_per_year: float
    halving_months: float

    def __str__(self) -> str:
        pace = f"{self.factor_per_year:.4g}x a year ({self.percent_per_year:+.1f} %, {self.log_points_per_year:+.3f} log points)"
        return f"{self.start:g} to {self.end:g} in {self.months:g} months: {self.factor:.4g}x lower, {pace}"


def decline_between(start: float, end: float, *, months: float) -> Change:
    """Return the decline between two prices, as a factor a year, in log points and per cent a year, and as a halving time.

    Two points are no trend: nothing can be said of how sure it is.

    >>> change = decline_between(20, 0.07, months=23)
    >>> round(change.factor, 1), round(change.factor_per_year, 2), round(change.halving_months, 2)
    (285.7, 19.11, 2.82)

    Raises:
        ScenarioError: a price that is not above 0, or no time between them.
    """
    for price in (start, end):
        if not (price > 0 and isfinite(price)):
            raise ScenarioError(f"price {price} has no factor of decline; pass prices above 0", value=price)
    if not (months > 0 and isfinite(months)):
        raise ScenarioError(f"months={months} is no time between two prices; pass a number above 0", value=months)
    points = log(end / start) * 12 / months
    halving = inf if not points else -12 * log(2) / points
    return Change(start, end, months, start / end, exp(-points), points, 100 * (exp(points) - 1), halving)


class Decline(NamedTuple):
    """A line through the logarithms of prices on days, and what it says of a year.

    `factor_per_year` is how many times lower a price is after a year; `low` and `high` are the ends of its interval at `confidence`.
    `slope` is in powers of ten a day. `days` are those from the first point to the last: a factor a year from less than a year, or from
    few points, is an extrapolation.
    """

    points: int
    first: date
    last: date
    slope: float
    factor_per_year: float
    low: float
    high: float
    confidence: float
    r_squared: float
    days_per_year: float

    @property
    def days(self) -> int:
        """The days from the first point to the last."""
        return (self.last - self.first).days

    @property
    def log_points_per_year(self) -> float:
        """The change of the natural logarithm in a year."""
        return self.slope * log(10) * self.days_per_year

    @property
    def halving_months(self) -> float:
        """The months in which the price halves; infinite where it does not change, negative where it rises."""
        return -12 * log10(2) / (self.slope * self.days_per_year) if self.slope else inf

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record."""
        return [
            {**self._asdict(), "days": self.days, "log_points_per_year": self.log_points_per_year, "halving_months": self.halving_months}
        ]

    def table(self) -> Table:
        """Return the decline as a table for eyes."""
        rows = (
            ("factor per year", f"{self.factor_per_year:.4g}"),
            (f"{self.confidence:.0%} interval", f"{self.low:.4g} to {self.high:.4g}"),
            ("log points per year", f"{self.log_points_per_year:+.4g}"),
            ("halved in months", f"{self.halving_months:.4g}"),
            ("points", str(self.points)),
            ("R squared", f"{self.r_squared:.4f}"),
        )
        note = f"least squares of log10 price on days, {self.first} to {self.last}; a year of {self.days_per_year:g} days"
        return Table("decline of a price", (Column("figure"), Column("value", number=True)), rows, (note,))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def decline_per_year(
    dates: Iterable[Any], prices: Iterable[float], *, days_per_year: float = DAYS_PER_YEAR, confidence: float = 0.9
) -> Decline:
    """Fit log10 of prices by days with least squares, and say what the slope is a year.

    The factor is 10 ** (-slope * days_per_year); its interval is that of the slope, by Student's t with two degrees of freedom fewer than
    points. `dates` are dates, instants, months (their first day), or text of one.

    >>> fit = decline_per_year(["2024-01-01", "2024-07-01", "2025-01-01", "2025-07-01"], [8.0, 4.4, 2.0, 0.9])
    >>> fit.points, round(fit.factor_per_year, 2), round(fit.low, 2), round(fit.high, 2)
    (4, 4.34, 3.55, 5.31)

    Raises:
        ScenarioError: fewer than three points, a price that is not above 0, dates out of order or all the same.
    """
    days, found = [day_of(when) for when in dates], [float(price) for price in prices]
    if len(days) != len(found):
        raise ScenarioError(f"{len(days)} dates have {len(found)} prices; pass one price for each date", value=len(found))
    if len(days) < _LEAST:
        raise ScenarioError(
            f"{len(days)} points have no interval; pass three or more, or compare two prices with decline_between", value=len(days)
        )
    for price in found:
        if not (price > 0 and isfinite(price)):
            raise ScenarioError(f"price {price} has no logarithm; leave free and missing prices out, and say how many", value=price)
    for before, after in pairwise(days):
        if after < before:
            raise ScenarioError(f"{date.fromordinal(after)} comes after {date.fromordinal(before)}; sort the points by date", value=after)
    if not 0 < confidence < 1:
        raise ScenarioError(f"confidence={confidence} is no probability; pass one between 0 and 1, such as 0.9", value=confidence)
    if not (days_per_year > 0 and isfinite(days_per_year)):
        raise ScenarioError(f"days_per_year={days_per_year} is no year; pass 365 or 365.25", value=days_per_year)
    when = np.array(days, dtype=np.float64) - np.mean(days)
    fit = least_squares(np.column_stack([np.ones(len(days)), when]), np.log10(found), what="the decline")
    slope, error = float(fit.coefficients[1]), float(fit.errors[1])
    reach = error * t_quantile((1 + confidence) / 2, degrees=fit.degrees)
    factor, low, high = (_power(-at * days_per_year) for at in (slope, slope + reach, slope - reach))
    first, last = date.fromordinal(days[0]), date.fromordinal(days[-1])
    return Decline(len(days), first, last, slope, factor, low, high, confidence, fit.r_squared, days_per_year)


def _power(exponent: float) -> float:
    """Return ten to a power; intervals of few points may leave the range of floats."""
    return inf if exponent > 308 else 10**exponent  # noqa: PLR2004


def record_lows(dates: Sequence[Any], prices: Sequence[float]) -> list[tuple[Any, float]]:
    """Return the points at which a price is below all earlier ones, the first included; missing prices are passed over.

    >>> record_lows([1, 2, 3, 4, 5], [5.0, 6.0, 3.0, 3.0, 1.0])
    [(1, 5.0), (3, 3.0), (5, 1.0)]
    """
    found: list[tuple[Any, float]] = []
    for when, price in zip(dates, prices, strict=True):
        if price < (found[-1][1] if found else inf):
            found.append((when, price))
    return found


def day_of(period: Any) -> int:
    """Return the day of a period as a number: a date, the day of an instant in its zone, the first day of a month.

    >>> day_of("2024-05-03") - day_of("2024-05")
    2

    Raises:
        ScenarioError: it is no day and no month.
    """
    if isinstance(period, Month):
        return period.start.toordinal()
    if isinstance(period, datetime):
        return period.date().toordinal()
    if isinstance(period, date):
        return period.toordinal()
    match = _DATE.fullmatch(period) if isinstance(period, str) else None
    if match is not None:
        try:
            return date(int(match[1]), int(match[2]), int(match[3] or 1)).toordinal()
        except ValueError:
            pass
    raise ScenarioError(f"period {period!r} is no date; write it like '2024-05-01' or '2024-05'", value=period)
