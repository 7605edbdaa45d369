"""Layers above the list: contracts and markups, with dates.

Order: list, promotion, contract, markup. A contract replaces prices or takes a percentage off; a markup is what the caller
charges on top. The quote names the layer that gave each rate.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tokencost.errors import LayerError, UnknownNameError
from tokencost.exact import EXACT, exact_decimal
from tokencost.rating.card import Step
from tokencost.tariffs.clock import EARLIEST, iso, to_instant
from tokencost.tariffs.meter import METERS, meter, within
from tokencost.tariffs.money import currency_code
from tokencost.tariffs.tariff import SERVICE_TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["Contract", "Layer", "Markup", "layer_edges", "layer_steps"]


class Layer:
    """What contracts and markups share: a name, a span, and what they apply to.

    `provider`, `offering` (an id), `tenant` and `service_tier` narrow it; what is left out is not asked about. A percentage applies to
    every meter, or to those in `meters` and their parts.
    """

    kind = "layer"
    __slots__ = ("currency", "meters", "multiply", "name", "offering", "prices", "provider", "service_tier", "start", "tenant", "until")
    multiply: Decimal | None
    prices: dict[str, Decimal] | None

    def __init__(
        self,
        name: str,
        *,
        percent: Decimal | int | str | None = None,
        prices: Mapping[str, Decimal | int | str] | None = None,
        currency: str | None = None,
        meters: Sequence[str] = (),
        provider: str | None = None,
        offering: str | None = None,
        tenant: str | None = None,
        service_tier: str | None = None,
        start: datetime | str | None = None,
        until: datetime | str | None = None,
    ) -> None:
        if (percent is None) == (not prices):
            raise LayerError(f"{self.kind} {name!r} needs a percent or prices, and not both", layers=(name,))
        if prices and currency is None:
            raise LayerError(f"{self.kind} {name!r} has prices without a currency; pass currency='USD' or another", layers=(name,))
        self.name = name
        self.multiply = None if percent is None else self._factor(exact_decimal(percent, what="percent"))
        self.prices = None if not prices else {meter(m).name: exact_decimal(price, what=m) for m, price in prices.items()}
        self.currency = None if currency is None else currency_code(currency)
        self.meters = frozenset(bucket for root in meters for bucket in within(meter(root).name)) or None
        self.provider, self.offering, self.tenant, self.service_tier = provider, offering, tenant, service_tier
        self._can_apply()
        self.start = None if start is None else to_instant(start)
        self.until = None if until is None else to_instant(until)
        if self.start and self.until and self.until <= self.start:
            raise LayerError(f"{self.kind} {name!r} ends at {self.until} and does not start before it; let until be later", layers=(name,))
        if self.prices and min(self.prices.values()) < 0:
            raise LayerError(f"{self.kind} {name!r} has a negative price; prices are 0 or more", layers=(name,))

    def _can_apply(self) -> None:
        """Refuse a word that no request can match: the layer would be left out of every price without a sign."""
        if self.offering is not None and len([part for part in self.offering.split("/") if part]) < 3:  # noqa: PLR2004
            raise LayerError(
                f"{self.kind} {self.name!r} is for {self.offering!r}, which is no id; write it as provider/endpoint/model",
                layers=(self.name,),
            )
        if self.service_tier is not None and self.service_tier not in SERVICE_TIERS:
            raise UnknownNameError.of(self.service_tier, SERVICE_TIERS, what="service tier", where=", ".join(SERVICE_TIERS))

    def _factor(self, percent: Decimal) -> Decimal:
        factor = EXACT.add(Decimal(1), EXACT.scaleb(percent, -2))
        if factor < 0:
            raise LayerError(
                f"{self.kind} {self.name!r} takes off {percent.copy_abs()} percent; at most 100 can be taken off", layers=(self.name,)
            )
        return factor

    def applies(self, *, offering: str, currency: str, service_tier: str, tenant: str | None) -> bool:
        """Say whether this layer is meant for such a request."""
        return (
            self.provider in (None, offering.split("/", 1)[0])
            and self.offering in (None, offering)
            and self.tenant in (None, tenant)
            and self.service_tier in (None, service_tier)
            and self.currency in (None, currency)
        )

    @property
    def narrowness(self) -> tuple[bool, bool, bool, bool]:
        """How specific this layer is: a tenant's beats an offering's beats a provider's."""
        return self.tenant is not None, self.offering is not None, self.provider is not None, self.service_tier is not None

    def step(self) -> Step:
        """Return this layer as a step on prices."""
        return Step(f"{self.kind} {self.name}", multiply=self.multiply, prices=self.prices, meters=self.meters or frozenset(METERS))

    def __repr__(self) -> str:
        said: dict[str, Any] = {slot: getattr(self, slot) for slot in Layer.__slots__ if getattr(self, slot) is not None and slot != "name"}
        if self.meters is not None:
            said["meters"] = tuple(sorted(self.meters))  # a set's order differs between processes; the fingerprint of a book must not
        return f"{type(self).__name__}({self.name!r}, {', '.join(f'{k}={v!r}' for k, v in sorted(said.items()))})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, slot) == getattr(other, slot) for slot in Layer.__slots__)

    def __hash__(self) -> int:
        return hash((type(self), self.name, self.start, self.until))

    def __getstate__(self) -> dict[str, Any]:
        return {slot: getattr(self, slot) for slot in Layer.__slots__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for slot, value in state.items():
            setattr(self, slot, value)


class Contract(Layer):
    """A negotiated price: a percentage (negative is a discount) or prices of its own.

    >>> import tokencost as tc
    >>> book = tc.load_book().with_layers([tc.Contract("acme 2025", percent=-20, provider="openai")])
    >>> book.cost("gpt-4o", tc.Usage(input=1_000_000), at="2025-06-01T00:00:00Z")
    Decimal('2')

    Raises:
        LayerError: neither percent nor prices, both, an empty span, or a discount above 100 percent.
    """

    kind = "contract"
    __slots__ = ()


class Markup(Layer):
    """What the caller adds on top of everything else.

    >>> import tokencost as tc
    >>> book = tc.load_book().with_layers([tc.Markup("resale", percent=10)])
    >>> book.cost("gpt-4o", tc.Usage(input=1_000_000), at="2025-06-01T00:00:00Z")
    Decimal('2.75')
    """

    kind = "markup"
    __slots__ = ()


def layer_steps(
    layers: Sequence[Layer], *, offering: str, currency: str, service_tier: str, tenant: str | None, at: datetime
) -> list[Step]:
    """Return the contract and the markup that apply at an instant, in that order.

    Raises:
        LayerError: two equally specific layers of one kind claim the same instant.
    """
    steps: list[Step] = []
    for kind in (Contract, Markup):
        fitting = [
            layer
            for layer in layers
            if isinstance(layer, kind)
            and layer.applies(offering=offering, currency=currency, service_tier=service_tier, tenant=tenant)
            and (layer.start is None or layer.start <= at)
            and (layer.until is None or at < layer.until)
        ]
        fitting.sort(key=lambda layer: layer.narrowness, reverse=True)
        if len(fitting) > 1 and fitting[0].narrowness == fitting[1].narrowness:
            names = (fitting[0].name, fitting[1].name)
            raise LayerError(
                f"{kind.kind}s {names[0]!r} and {names[1]!r} both claim {offering} at {iso(at)}; give one an end or narrow one",
                layers=names,
            )
        if fitting:
            steps.append(fitting[0].step())
    return steps


def layer_edges(layers: Sequence[Layer], start: datetime | None, until: datetime | None) -> set[datetime]:
    """Return the instants inside a span at which a layer begins or ends."""
    low = EARLIEST if start is None else start
    edges = {edge for layer in layers for edge in (layer.start, layer.until) if edge is not None}
    return {edge for edge in edges if edge > low and (until is None or edge < until)}
