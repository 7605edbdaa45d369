"""Serving costs: what machines cost for some hours, what a unit of tokens costs on them, and how costs fall as volume is learned from."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.rating.selfhosted import self_hosted
from tokencost.scenarios.amount import number_of, quantity_of
from tokencost.scenarios.unit import USD_PER_MTOK, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

__all__ = ["learned_costs", "machine_cost", "serving_costs"]


def machine_cost(*, gpus: object, gpu_hour: object, hours: object, unit: Unit | str = USD_PER_MTOK) -> Fraction:
    """Return what machines cost for some hours, used or not.

    >>> str(machine_cost(gpus=1814, gpu_hour=2, hours=24))  # 226.75 nodes of 8
    '87072'

    Raises:
        ScenarioError: a number is negative.
        UnitError: the hour is money in another currency.
    """
    parts = (
        quantity_of(gpus, what="gpus"),
        quantity_of(gpu_hour, what="gpu_hour", unit=Unit.of(unit)),
        quantity_of(hours, what="hours"),
    )
    return parts[0] * parts[1] * parts[2]


def serving_costs(
    *,
    gpu_hour: Decimal | int | str,
    tokens_per_second: Mapping[str, Decimal | int | str],
    gpus: int = 1,
    utilisation: Decimal | int | str = 1,
    unit: Unit | str = USD_PER_MTOK,
) -> dict[str, Fraction]:
    """Return the marginal cost of a unit of each meter on one's own machines, as the tariff of [self_hosted][tokencost.self_hosted] has it.

    That is gpu_hour * gpus * 10^6 / (3600 * throughput * utilisation) for a million tokens, at six decimals. Idle hours are paid too:
    leaving the utilisation out makes a seller look cheaper than it is.

    >>> costs = serving_costs(gpu_hour="2", gpus=8, tokens_per_second={"input": 40_000, "output": 4_000}, utilisation="0.5")
    >>> {name: float(cost) for name, cost in costs.items()}
    {'input': 0.222222, 'output': 2.222222}

    Raises:
        UsageError: a count, throughput or utilisation outside its range.
        UnknownNameError: a meter that does not exist.
        MoneyTypeError: a binary float.
    """
    counted = Unit.of(unit)
    tariff = self_hosted(
        "own/machines/model",
        gpu_hour=gpu_hour,
        tokens_per_second=tokens_per_second,
        gpus=gpus,
        utilisation=utilisation,
        currency=counted.currency,
        start="2025-01-01T00:00:00Z",
    )
    prices = tariff.versions[0].rates[0].prices
    return {name: Fraction(price) * counted.per / 10**6 for name, price in prices.items()}


def learned_costs(
    first_cost: object, volumes: Sequence[object], *, exponent: object, made_before: object, unit: Unit | str = USD_PER_MTOK
) -> NDArray[np.float64]:
    """Return the unit cost of each month on a learning curve, in float64: c_t = first_cost (Q_t / made_before)^-exponent.

    Q_t is all that was sold before month t, so that the first month costs `first_cost`; the form is Wright's (1936). A doubling of Q takes
    the cost to 2^-exponent of what it was.

    >>> learned_costs("0.4", [100, 200, 400], exponent=1, made_before=100).tolist()
    [0.4, 0.2, 0.1]

    Raises:
        ScenarioError: a number is negative, nothing was made before, or there is no month.
        UnitError: the cost is money in another currency.
    """
    cost = quantity_of(first_cost, what="first_cost", unit=Unit.of(unit))
    power = number_of(exponent, what="exponent")
    before = quantity_of(made_before, what="made_before")
    if not before or not volumes or power < 0:
        raise ScenarioError(
            "a learning curve starts from some volume, has a month, and an exponent of 0 or more; pass made_before above 0",
            value=made_before,
        )
    sold = [float(quantity_of(volume, what="volume") / before) for volume in volumes]
    made = float(cost) * (1 + np.cumsum([0.0, *sold[:-1]])) ** -float(power)
    made.setflags(write=False)
    return made
