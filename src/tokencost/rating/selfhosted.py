"""Self-hosted prices: from the cost of a GPU hour to a price per million tokens."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from tokencost.errors import LayerError, UsageError
from tokencost.exact import decimal_of, exact_decimal
from tokencost.tariffs.clock import to_instant
from tokencost.tariffs.meter import meter
from tokencost.tariffs.money import currency_code
from tokencost.tariffs.tariff import Rate, Tariff, Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

__all__ = ["self_hosted"]

_PLACES = 6


def self_hosted(
    offering: str,
    *,
    gpu_hour: Decimal | int | str,
    tokens_per_second: Mapping[str, Decimal | int | str],
    gpus: int = 1,
    utilisation: Decimal | int | str = 1,
    currency: str = "USD",
    start: datetime | str,
    note: str | None = None,
) -> Tariff:
    """Return a tariff for a model on one's own machines, a tariff like any other.

    `gpu_hour` is the cost of one GPU for one hour, `tokens_per_second` the throughput of all `gpus` together for each meter when they do
    nothing else (`{"input": 20_000, "output": 2_500}`), `utilisation` the share of paid time that is used, above 0 and at most 1. The
    price per million tokens of a meter is `gpu_hour * gpus * 10^6 / (3600 * throughput * utilisation)`, rounded half-even to six decimals.

    >>> import tokencost as tc
    >>> speed = {"input": 20_000, "output": 2_500}
    >>> start = "2026-01-01T00:00:00Z"
    >>> mine = tc.self_hosted("me/rack/llama", gpu_hour="2.50", gpus=8, tokens_per_second=speed, utilisation="0.4", start=start)
    >>> str(mine.versions[0].rates[0].prices["output"])
    '5.555556'
    >>> tc.load_book().with_tariffs([mine]).cost("me/rack/llama", tc.Usage(output=1_000_000), at="2026-06-01T00:00:00Z")
    Decimal('5.555556')

    Raises:
        UsageError: a count, throughput or utilisation outside its range.
        UnknownNameError: a meter that does not exist.
        MoneyTypeError: a binary float.
        LayerError: an id that is not `provider/endpoint/model`.
    """
    if len([part for part in offering.split("/") if part]) < 3:  # noqa: PLR2004
        raise LayerError(f"offering {offering!r} is not provider/endpoint/model; name it like 'me/rack/llama-70b'", layers=(offering,))
    share = Fraction(exact_decimal(utilisation, what="utilisation"))
    if not 0 < share <= 1:
        raise UsageError(
            f"utilisation={utilisation} is not above 0 and at most 1; pass the share of paid time in use",
            meter="utilisation",
            value=utilisation,
        )
    hourly = Fraction(exact_decimal(gpu_hour, what="gpu_hour"))
    machines = Fraction(exact_decimal(gpus, what="gpus"))
    if hourly < 0 or machines < 1:
        raise UsageError(
            f"gpu_hour={gpu_hour} and gpus={gpus} do not make a cost; gpu_hour is 0 or more, gpus 1 or more",
            meter="gpu_hour",
            value=gpu_hour,
        )
    if not tokens_per_second:
        said = "tokens_per_second is empty, nothing has a price; pass a throughput for each meter"
        raise UsageError(said, meter="tokens_per_second", value={})
    prices: dict[str, Decimal] = {}
    for name, throughput in tokens_per_second.items():
        if meter(name).unit != "token":
            said = f"tokens_per_second[{name!r}] counts {meter(name).unit}s, not tokens; pass token meters"
            raise UsageError(said, meter=name, value=throughput)
        rate = Fraction(exact_decimal(throughput, what="tokens_per_second"))
        if rate <= 0:
            raise UsageError(
                f"tokens_per_second[{name!r}]={throughput} is not above 0; measure it under load", meter=name, value=throughput
            )
        prices[name] = decimal_of(round(hourly * machines * 10**6 / (3600 * rate * share) * 10**_PLACES), _PLACES)
    begins = to_instant(start)
    said = f"{gpus} GPU at {gpu_hour} {currency} an hour, utilisation {utilisation}, " + ", ".join(
        f"{n} {t}/s" for n, t in tokens_per_second.items()
    )
    row = Rate(currency=currency_code(currency), prices=prices)
    version = Version(
        start=begins,
        basis="documented",
        source="self-hosted",
        checked=date(begins.year, begins.month, begins.day),
        rates=(row,),
        note=note or said,
    )
    return Tariff(id=offering, publisher=offering.split("/", 1)[0], versions=(version,))
