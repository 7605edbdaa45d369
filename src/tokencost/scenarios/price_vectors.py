"""Price vectors: a price for each meter, what a workload costs at them, and what three short cuts would have said."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import ScenarioError
from tokencost.scenarios.amount import quantity_of
from tokencost.scenarios.cost_paths import CostPaths
from tokencost.scenarios.unit import USD_PER_MTOK
from tokencost.tariffs.meter import ancestors, meter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokencost.scenarios.unit import Unit

__all__ = ["ShortCuts", "cost_at_prices", "cost_paths_at_prices", "quantities_of", "short_cuts"]

_BLEND: Final = 3


class ShortCuts(NamedTuple):
    """What a workload costs, and what it would cost by three short cuts that people take.

    `blend` puts all tokens at three parts of the input price and one of the output price; `cache_ignored` puts all prompts at the input
    price; `all_cached` puts all prompts at the price of a cache read.
    """

    cost: Fraction
    blend: Fraction
    cache_ignored: Fraction
    all_cached: Fraction


def quantities_of(quantities: Mapping[str, object], *, what: str = "quantity") -> dict[str, Fraction]:
    """Return how much of each meter there is, 0 or more.

    Raises:
        UnknownNameError: there is no such meter.
        ScenarioError: one is negative or does not count tokens, or all are 0.
    """
    made: dict[str, Fraction] = {}
    for name, count in quantities.items():
        if meter(name).unit != "token":
            raise ScenarioError(f"{what} of {name!r} counts {meter(name).unit}s, not tokens; pass token meters", value=name)
        made[name] = quantity_of(count, what=f"{what} of {name}")
    if not any(made.values()):
        raise ScenarioError(f"every {what} is 0; pass one above 0, like {{'input': 30, 'output': 10}}", value=quantities)
    return made


def cost_at_prices(prices: Mapping[str, object], quantities: Mapping[str, object], *, unit: Unit = USD_PER_MTOK) -> Fraction:
    """Return what quantities cost at a vector of prices, exact. A meter without a price is billed as the one that it is part of.

    Quantities are counted as the unit counts tokens, in millions where prices are per million. Meters do not overlap: `input` is what was
    not read from a cache.

    >>> r1 = {"cache_read": "0.14", "input": "0.55", "output": "2.19"}
    >>> str(cost_at_prices(r1, {"cache_read": 70, "input": 30, "output": 10}))
    '241/5'

    Raises:
        ScenarioError: neither a meter nor one above it has a price, or a number is negative.
        UnknownNameError: there is no such meter.
        UnitError: a price is money in another currency.
    """
    return sum(
        (count * _price(prices, name, unit) for name, count in quantities_of(quantities).items() if count),
        Fraction(0),
    )


def short_cuts(prices: Mapping[str, object], quantities: Mapping[str, object], *, unit: Unit = USD_PER_MTOK) -> ShortCuts:
    """Return what a workload costs at a vector of prices, beside what three short cuts say.

    >>> r1 = {"cache_read": "0.14", "input": "0.55", "output": "2.19"}
    >>> [float(cost) for cost in short_cuts(r1, {"cache_read": 70, "input": 30, "output": 10})]
    [48.2, 105.6, 76.9, 35.9]

    Raises:
        ScenarioError: there is no price of input or of output, or a quantity is neither.
    """
    counts = quantities_of(quantities)
    odd = next((name for name in counts if ancestors(name)[-1] not in ("input", "output")), None)
    if odd is not None:
        raise ScenarioError(f"{odd} is part of neither input nor output, the short cuts say nothing of it; leave it out", value=odd)
    prompts = sum((count for name, count in counts.items() if ancestors(name)[-1] == "input"), Fraction(0))
    completions = {name: count for name, count in counts.items() if ancestors(name)[-1] == "output"}
    fresh, read, made = (_price(prices, name, unit) for name in ("input", "cache_read", "output"))
    written = sum((count * _price(prices, name, unit) for name, count in completions.items()), Fraction(0))
    tokens = prompts + sum(completions.values(), Fraction(0))
    return ShortCuts(
        cost_at_prices(prices, counts, unit=unit),
        tokens * (_BLEND * fresh + made) / (_BLEND + 1),
        prompts * fresh + written,
        prompts * read + written,
    )


def cost_paths_at_prices(
    prices: Sequence[Mapping[str, Mapping[str, object] | None]],
    quantities: Mapping[str, object] | Sequence[Mapping[str, object]],
    *,
    months: Sequence[str] | None = None,
    unit: Unit = USD_PER_MTOK,
) -> CostPaths:
    """Return cost paths at given prices: for each month a vector of prices by offering, None or left out where it is not on sale.

    `quantities` are those of every month, or one mapping for each month.

    >>> may = {"qwen-long": {"input": 20, "output": 20}, "deepseek-v2": {"input": 1, "output": 2}}
    >>> june = {"qwen-long": {"input": "0.5", "output": 2}, "deepseek-v2": None}
    >>> from tokencost.scenarios.unit import Unit
    >>> costs = cost_paths_at_prices([may, june], {"input": 1000, "output": 100}, unit=Unit("CNY"))
    >>> [[cost and int(cost) for cost in row] for row in costs.costs]
    [[22000, 1200], [700, None]]

    Raises:
        ScenarioError: no month, no offering, or quantities for another number of months.
    """
    rows = list(prices)
    demand = [quantities] * len(rows) if isinstance(quantities, Mapping) else list(quantities)
    if len(demand) != len(rows):
        raise ScenarioError(f"quantities of {len(demand)} months for prices of {len(rows)}; pass one mapping for each", value=len(demand))
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    matrix = [
        [None if (own := row.get(name)) is None else cost_at_prices(own, counts, unit=unit) for name in names]
        for row, counts in zip(rows, demand, strict=True)
    ]
    return CostPaths.of(matrix, offerings=names, months=months, currency=unit.currency)


def _price(prices: Mapping[str, object], name: str, unit: Unit) -> Fraction:
    for owner in ancestors(name):
        if prices.get(owner) is not None:
            return quantity_of(prices[owner], what=f"price of {owner}", unit=unit)
    raise ScenarioError(f"no price of {name}, nor of what it is part of; a missing price is not 0, pass 0 where it is free", value=name)
