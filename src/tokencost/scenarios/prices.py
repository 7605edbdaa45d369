"""Prices of a demand model: float64 numbers that say what they are counted in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from tokencost.errors import ScenarioError, UnitError
from tokencost.scenarios.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.workloads.comparison import Comparison

__all__ = ["FloatArray", "PriceCoefficient", "Prices", "conversion_factor", "floats", "frozen", "price_array", "price_number"]

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
_NUMBERS: Final = (int, float, Decimal, Fraction, np.integer, np.floating)


class Prices(NamedTuple):
    """Workload-effective prices, one for each product, and their unit.

    A workload-effective price is what a workload costs on an offering, per so many of its tokens; it is not a row of a price list. The
    values are float64 and read-only: this is economics, not a bill.

    >>> usd = Prices.of([0.55, 2.5], "USD/Mtok")
    >>> print(usd.to("CNY/Mtok", rate=7.2).values)
    [ 3.96 18.  ]
    """

    values: FloatArray
    unit: Unit

    @classmethod
    def of(cls, values: object, unit: Unit | str) -> Prices:
        """Return prices from numbers of any kind.

        Raises:
            ScenarioError: a value is no finite number.
        """
        return cls(frozen(floats(values, what="price")), Unit.of(unit))

    @classmethod
    def of_comparison(cls, comparison: Comparison) -> Prices:
        """Return what each offering of a comparison costs per million tokens of its workload, in the order of its rows.

        Raises:
            ScenarioError: an offering has no total, or the workload has no tokens.
        """
        for row in comparison.rows:
            if row.total is None:
                raise ScenarioError(
                    f"{row.offering} has no total, so no effective price; leave it out of the comparison", value=row.offering
                )
        if not comparison.tokens:
            raise ScenarioError("the workload has no tokens, so no price for each; compare a workload with tokens", value=0)
        amounts = [float(row.total.amount) for row in comparison.rows if row.total is not None]
        unit = Unit(comparison.currency)
        return cls(frozen(np.asarray(amounts) * (unit.per / comparison.tokens)), unit)

    def to(self, unit: Unit | str, *, rate: float | Decimal | None = None) -> Prices:
        """Return the same prices in another unit; `rate` is how much of the new currency buys one of the old.

        Raises:
            UnitError: the currencies differ and no rate is passed.
        """
        target = Unit.of(unit)
        return Prices(frozen(self.values * conversion_factor(self.unit, target, rate=rate)), target)


class PriceCoefficient(NamedTuple):
    """The price coefficient alpha of a logit: utility lost for each unit of price.

    >>> alpha = PriceCoefficient(0.9, Unit.of("USD/Mtok"))
    >>> round(alpha.to("USD/token").value)
    900000
    """

    value: float
    unit: Unit

    def to(self, unit: Unit | str, *, rate: float | Decimal | None = None) -> PriceCoefficient:
        """Return the same coefficient for prices of another unit.

        Raises:
            UnitError: the currencies differ and no rate is passed.
        """
        target = Unit.of(unit)
        return PriceCoefficient(self.value / conversion_factor(self.unit, target, rate=rate), target)


def conversion_factor(unit: Unit, target: Unit, *, rate: float | Decimal | None = None) -> float:
    """Return by how much a price in `unit` is multiplied to be one in `target`.

    Raises:
        UnitError: the currencies differ and no rate is passed.
        ScenarioError: the rate is not above 0.
    """
    if unit.currency != target.currency and rate is None:
        raise UnitError(
            f"prices in {unit} are not prices in {target}; pass rate=, {target.currency} for 1 {unit.currency}", left=unit, right=target
        )
    factor = 1.0 if rate is None else price_number(rate, what="rate")
    if factor <= 0:
        raise ScenarioError(f"rate {rate!r} is not above 0; pass how much {target.currency} 1 {unit.currency} buys", value=rate)
    return factor * target.per / unit.per


def price_array(values: object, *, unit: Unit, names: Sequence[str], what: str) -> FloatArray:
    """Return one float64 for each name, from `Prices` (whose unit is checked), a mapping by name, or numbers already in `unit`.

    Raises:
        UnitError: the prices are in another unit.
        ScenarioError: a number is missing, superfluous or not finite.
    """
    if isinstance(values, Prices):
        unit.match(values.unit, what=what)
        values = values.values
    if isinstance(values, Mapping):
        named = cast("Mapping[str, object]", values)
        for name in named:
            if name not in names:
                raise ScenarioError(f"{what} for {name!r}, which is not in the market; it has {', '.join(names)}", value=name)
        missing = [name for name in names if name not in named]
        if missing:
            raise ScenarioError(f"no {what} for {', '.join(missing)}; pass one for each product", value=missing)
        values = [named[name] for name in names]
    numbers = floats(values, what=what)
    if numbers.shape != (len(names),):
        raise ScenarioError(f"{what} has shape {numbers.shape} for {len(names)} products; pass one number each", value=numbers.shape)
    return numbers


def price_number(value: object, *, what: str) -> float:
    """Return one finite float.

    Raises:
        ScenarioError: it is no number, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise ScenarioError(f"{what} {value!r} is no number; pass an int, a float or a Decimal", value=value)
    number = float(cast("float", value))
    if not np.isfinite(number):
        raise ScenarioError(f"{what} {value!r} is not finite; pass a finite number", value=value)
    return number


def floats(values: object, *, what: str) -> FloatArray:
    """Return an array of finite float64, a copy of its own.

    Raises:
        ScenarioError: a value is no number, or not finite.
    """
    if isinstance(values, np.ndarray):
        array = cast("NDArray[Any]", values)
        if array.dtype.kind not in "iuf":
            raise ScenarioError(f"{what} is an array of {array.dtype}, not of numbers; pass numbers", value=str(array.dtype))
        numbers = array.astype(np.float64)
    elif isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping):
        items = list(cast("Iterable[object]", values))
        if items and all(isinstance(item, Iterable) and not isinstance(item, str) for item in items):
            numbers = np.array([floats(item, what=what) for item in items], dtype=np.float64)
        else:
            numbers = np.array([price_number(item, what=what) for item in items], dtype=np.float64)
    else:
        raise ScenarioError(f"{what} {values!r} is no list of numbers; pass one number for each product", value=values)
    if not np.isfinite(numbers).all():
        bad = float(numbers[~np.isfinite(numbers)].flat[0])
        raise ScenarioError(f"{what} {bad} is not finite; pass a finite number", value=bad)
    return numbers


def frozen(array: FloatArray) -> FloatArray:
    """Return the array, read-only from now on."""
    array.flags.writeable = False
    return array
