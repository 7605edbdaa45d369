"""A market: products, buyers, owners, and what prices may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.bounds import Bounds, amounts, ids, names_of, rho_of
from tokencost.scenarios.choice import Groups
from tokencost.scenarios.demand import choice_at, diversion_at, elasticities_at, outside_diversion_at, shares_of, surplus_of
from tokencost.scenarios.prices import conversion_factor, floats, frozen, price_array, price_number
from tokencost.scenarios.segments import Segment, mixture_of
from tokencost.scenarios.unit import Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from decimal import Decimal
    from typing import Self

    from tokencost.scenarios.prices import FloatArray, PriceCoefficient
    from tokencost.scenarios.segments import Mixture

__all__ = ["Market"]


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class Market:
    """Products that buyers choose between by a logit, a nested logit or a mixture of them, and the firms that price them.

    Utility is V_j = delta_j - alpha p_j + noise, that of the outside option 0; notation and the meaning of `rho` are those of PyBLP and
    Berry (1994). A price is workload-effective: what the workload costs on the product, in `unit`. Numbers are float64.

    Arguments, each with one entry for each of J products where it is a list:
        delta: mean utilities.
        alpha: the price coefficient, per price in `unit`, above 0; or `segments` with their own.
        unit: what every price and cost here is counted in, such as "USD/Mtok".
        costs: marginal costs; not needed to ask for demand.
        firm_ids: owners; each product its own firm if left out.
        nesting_ids, rho: nests, and how alike their products are, in [0, 1). The outside option is alone in its nest.
        names: names of the products; numbers if left out.
        outside_option: whether buyers may buy none.
        size: how many units of tokens all buyers together would buy; profits and surplus are multiplied by it.
        posted: prices by name that some products are committed to, below cost or free ones too.
        floors, caps: bounds, one number, or by name, or one for each product.

    >>> market = Market(delta=[1.2, 0.4, 2.0], alpha=0.9, unit="USD/Mtok", names=["v3", "qwen", "gpt"])
    >>> market.shares([0.55, 0.28, 2.5]).round(4)
    array([0.4079, 0.2337, 0.1569])

    Raises:
        ScenarioError: no products, a number that is not finite, alpha not above 0, rho outside [0, 1), a floor above a cap, lists that
            differ in length.
        UnitError: prices, costs or a coefficient in another unit.
    """

    names: tuple[str, ...]
    unit: Unit
    mixture: Mixture
    costs: FloatArray | None
    firms: Groups
    nests: Groups | None
    pairs: Groups
    nesting_ids: tuple[Hashable, ...] | None
    rho: float
    outside_option: bool
    size: float
    bounds: Bounds

    def __init__(
        self,
        *,
        unit: Unit | str,
        delta: Sequence[float] | FloatArray | None = None,
        alpha: float | PriceCoefficient | None = None,
        segments: Sequence[Segment] = (),
        costs: object = None,
        firm_ids: Sequence[Hashable] | None = None,
        nesting_ids: Sequence[Hashable] | None = None,
        rho: float | None = None,
        names: Sequence[str] | None = None,
        outside_option: bool = True,
        size: float = 1.0,
        posted: object = None,
        floors: object = None,
        caps: object = None,
    ) -> None:
        def keep(**fields: object) -> None:
            for name, value in fields.items():
                object.__setattr__(self, name, value)

        utilities = None if delta is None else floats(delta, what="delta")
        products = len(utilities) if utilities is not None else _products_of(segments)
        keep(names=names_of(names, products=products), unit=Unit.of(unit), outside_option=outside_option)
        keep(
            size=price_number(size, what="size"),
            mixture=mixture_of(segments, delta=utilities, alpha=alpha, unit=self.unit, products=products),
        )
        if self.size <= 0:
            raise ScenarioError(f"size {size!r} is not above 0; pass how many units of tokens the market buys", value=size)
        keep(costs=None if costs is None else frozen(amounts(costs, what="cost", names=self.names, unit=self.unit)))
        keep(firms=Groups.of(ids(firm_ids, what="firm_ids", products=products) or self.names))
        keep(nesting_ids=ids(nesting_ids, what="nesting_ids", products=products), rho=rho_of(rho, nested=nesting_ids is not None))
        nests = Groups.of(self.nesting_ids) if self.nesting_ids is not None and self.rho > 0 else None
        both = None if nests is None else list(zip(self.firms.codes.tolist(), nests.codes.tolist(), strict=True))
        keep(nests=nests, pairs=self.firms if both is None else Groups.of(both))
        keep(bounds=Bounds.of(floors=floors, caps=caps, posted=posted, names=self.names, unit=self.unit))

    def shares(self, prices: object) -> FloatArray:
        """Return the share of each product at these prices, by tokens."""
        return shares_of(self, choice_at(self, self.prices(prices)))

    def outside_share(self, prices: object) -> float:
        """Return the share of those who buy no product."""
        if not self.outside_option:
            return 0.0
        return float(self.mixture.weights @ np.exp(-choice_at(self, self.prices(prices)).inclusive))

    def within_shares(self, prices: object) -> FloatArray:
        """Return the share of each product in its nest, s_(j|g)."""
        nests = self.nests or Groups.of(self.nesting_ids or (0,) * len(self.names))
        shares = self.shares(prices)
        return shares / nests.spread(nests.sum(shares))

    def nest_shares(self, prices: object) -> dict[Hashable, float]:
        """Return the share of each nest."""
        nests = Groups.of(self.nesting_ids or (0,) * len(self.names))
        return dict(zip(nests.labels, nests.sum(self.shares(prices)).tolist(), strict=True))

    def elasticities(self, prices: object) -> FloatArray:
        """Return d ln s_j / d ln p_k, shape (J, J): a row for each share, a column for each price."""
        return elasticities_at(self, self.prices(prices))

    def diversion(self, prices: object) -> FloatArray:
        """Return diversion ratios, shape (J, J): of the buyers that a row loses, the part each column gains; NaN on the diagonal."""
        return diversion_at(self, self.prices(prices))

    def outside_diversion(self, prices: object) -> FloatArray:
        """Return, of the buyers that each product loses by a small rise of its price, the part that buys none."""
        return outside_diversion_at(self, self.prices(prices))

    def inclusive_value(self, prices: object) -> FloatArray:
        """Return ln(1 + sum of e^V) of each segment, or its nested form: the expected greatest utility."""
        return choice_at(self, self.prices(prices)).inclusive

    def consumer_surplus(self, prices: object) -> float:
        """Return size times inclusive value over alpha, in the currency of the unit (Small and Rosen, 1981)."""
        return surplus_of(self, choice_at(self, self.prices(prices)))

    def prices(self, values: object) -> FloatArray:
        """Return prices as an array in the unit of the market, from `Prices`, a mapping by name, or numbers already in the unit.

        Raises:
            UnitError: they are `Prices` of another unit.
            ScenarioError: a number is missing, superfluous or not finite.
        """
        return price_array(values, unit=self.unit, names=self.names, what="price")

    def segments(self, deltas: FloatArray) -> list[Segment]:
        """Return the segments with these mean utilities, shape (I, J)."""
        mix = self.mixture
        parts = zip(mix.names, mix.weights.tolist(), mix.alphas.tolist(), deltas, strict=True)
        return [Segment(weight, alpha, delta, name) for name, weight, alpha, delta in parts]

    @property
    def firm_ids(self) -> tuple[Hashable, ...]:
        """The owner of each product."""
        return tuple(self.firms.labels[code] for code in self.firms.codes)

    def known_costs(self) -> FloatArray:
        """Return the costs.

        Raises:
            ScenarioError: the market has none.
        """
        if self.costs is None:
            raise ScenarioError("the market has no costs; pass costs=, or infer them with implied_costs", value=None)
        return self.costs

    def merge(self, *firms: Hashable) -> Self:
        """Return the market after the first of these firms has bought the others.

        Raises:
            ScenarioError: fewer than two firms, or one that is not here.
        """
        if len(set(firms)) < len(firms) or len(firms) < 2:  # noqa: PLR2004 - a merger takes two
            raise ScenarioError(f"a merger of {firms!r} has no two parties; name two or more firms, each once", value=firms)
        for firm in firms:
            if firm not in self.firms.labels:
                raise ScenarioError(f"firm {firm!r} is not in the market; it has {', '.join(map(str, self.firms.labels))}", value=firm)
        return self.replace(firm_ids=[firms[0] if owner in firms else owner for owner in self.firm_ids])

    def post(self, prices: object) -> Self:
        """Return the market with some products committed to a price, by name; None takes a commitment back, a list commits all."""
        before = self.bounds.named(self.names)["posted"]
        if isinstance(prices, Mapping):
            return self.replace(posted={**before, **cast("Mapping[str, object]", prices)})
        return self.replace(posted=prices)

    def with_floors(self, floors: object) -> Self:
        """Return the market with lower bounds of prices: one number for all, some by name, or one each."""
        return self.replace(floors=floors)

    def with_caps(self, caps: object) -> Self:
        """Return the market with upper bounds of prices: one number for all, some by name, or one each."""
        return self.replace(caps=caps)

    def with_costs(self, costs: object) -> Self:
        """Return the market with other costs."""
        return self.replace(costs=costs)

    def with_entry(
        self, name: str, *, delta: float | Sequence[float], cost: float, firm_id: Hashable = None, nesting_id: Hashable = None
    ) -> Self:
        """Return the market with one more product, free in its price; `delta` is one number, or one for each segment."""
        each = np.broadcast_to(np.atleast_1d(floats(np.atleast_1d(np.asarray(delta)), what="delta")), (len(self.mixture.weights),))
        nests = None if self.nesting_ids is None else [*self.nesting_ids, nesting_id]
        return self.replace(
            names=[*self.names, name],
            segments=self.segments(np.column_stack([self.mixture.deltas, each])),
            costs=[*self.known_costs(), cost],
            firm_ids=[*self.firm_ids, name if firm_id is None else firm_id],
            nesting_ids=nests,
        )

    def without(self, *names: str) -> Self:
        """Return the market after some products have left it.

        Raises:
            ScenarioError: a name is not in the market, or none is left.
        """
        for name in names:
            if name not in self.names:
                raise ScenarioError(f"{name!r} is not in the market; it has {', '.join(self.names)}", value=name)
        stay = [place for place, name in enumerate(self.names) if name not in names]
        kept = [self.names[place] for place in stay]
        if not kept:
            raise ScenarioError("no product is left in the market; leave one", value=names)
        return self.replace(
            names=kept,
            segments=self.segments(self.mixture.deltas[:, stay]),
            costs=None if self.costs is None else self.costs[stay],
            firm_ids=[self.firm_ids[place] for place in stay],
            nesting_ids=None if self.nesting_ids is None else [self.nesting_ids[place] for place in stay],
            **{key: {name: held[name] for name in kept if name in held} for key, held in self.bounds.named(self.names).items()},
        )

    def to(self, unit: Unit | str, *, rate: float | Decimal | None = None) -> Self:
        """Return the same market in another unit: prices and costs times a factor, alpha divided by it, size kept in tokens.

        Raises:
            UnitError: the currencies differ and no rate is passed.
        """
        target = Unit.of(unit)
        factor = conversion_factor(self.unit, target, rate=rate)
        return self.replace(
            unit=target,
            segments=[part._replace(alpha=cast("float", part.alpha) / factor) for part in self.segments(self.mixture.deltas)],
            costs=None if self.costs is None else self.costs * factor,
            size=self.size * self.unit.per / target.per,
            **self.bounds.named(self.names, factor=factor),
        )

    def replace(self, **changes: Any) -> Self:
        """Return a market with other arguments, checked again."""
        known: dict[str, Any] = {
            "unit": self.unit,
            "segments": self.segments(self.mixture.deltas),
            "costs": self.costs,
            "firm_ids": self.firm_ids,
            "nesting_ids": self.nesting_ids,
            "rho": None if self.nesting_ids is None else self.rho,
            "names": self.names,
            "outside_option": self.outside_option,
            "size": self.size,
            **self.bounds.named(self.names),
        }
        if "alpha" in changes or "delta" in changes:
            del known["segments"]
            known |= {"delta": self.mixture.deltas[0], "alpha": float(self.mixture.alphas[0])} if len(self.mixture.weights) == 1 else {}
        return type(self)(**(known | changes))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each product."""
        firms, nests = self.firm_ids, self.nesting_ids
        return [
            {
                "name": name,
                "firm": firms[place],
                "nest": None if nests is None else nests[place],
                "delta": self.mixture.deltas[:, place].tolist() if len(self.mixture.weights) > 1 else float(self.mixture.deltas[0, place]),
                "cost": None if self.costs is None else float(self.costs[place]),
                "unit": str(self.unit),
            }
            for place, name in enumerate(self.names)
        ]

    def table(self) -> Table:
        """Return the products as a table for eyes."""
        rows = [
            (r["name"], str(r["firm"]), "" if r["nest"] is None else str(r["nest"]), f"{r['delta']}", f"{r['cost']}")
            for r in self.records()
        ]
        columns = (Column("product"), Column("firm"), Column("nest"), Column("delta", number=True), Column("cost", number=True))
        alphas = ", ".join(f"{alpha:g}" for alpha in self.mixture.alphas)
        return Table(f"market in {self.unit}: alpha {alphas}, rho {self.rho:g}", columns, tuple(rows))

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<Market of {len(self.names)} products of {len(self.firms.labels)} firms in {self.unit}>"

    def _repr_html_(self) -> str:
        return self.table().html()


def _products_of(segments: Sequence[Segment]) -> int:
    lengths = [len(segment.delta) for segment in segments if segment.delta is not None]
    if not lengths:
        raise ScenarioError("the market has no delta; pass mean utilities, or each segment its own", value=None)
    return lengths[0]
