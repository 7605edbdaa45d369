"""Segments of buyers: the parts of a finite mixture of logits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.prices import PriceCoefficient, floats, frozen, price_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokencost.scenarios.prices import FloatArray
    from tokencost.scenarios.unit import Unit

__all__ = ["Mixture", "Segment", "coefficient", "mixture_of"]

_WEIGHT_TOLERANCE: Final = 1e-9


class Segment(NamedTuple):
    """One kind of buyer: its part of all buyers, its price coefficient, and its mean utilities where they differ from the market's.

    >>> hobby, enterprise = Segment(0.7, 3.0, name="hobby"), Segment(0.3, 0.8, name="enterprise")
    """

    weight: float
    alpha: float | PriceCoefficient
    delta: Sequence[float] | FloatArray | None = None
    name: str = ""


class Mixture(NamedTuple):
    """Segments as arrays: weights and alphas of shape (I,), deltas of shape (I, J)."""

    names: tuple[str, ...]
    weights: FloatArray
    alphas: FloatArray
    deltas: FloatArray


def mixture_of(
    segments: Sequence[Segment], *, delta: FloatArray | None, alpha: float | PriceCoefficient | None, unit: Unit, products: int
) -> Mixture:
    """Return the segments as arrays; no segments are one of weight 1.

    Raises:
        ScenarioError: weights that are not above 0 or do not sum to 1, an alpha that is not above 0, a delta too many or too few.
        UnitError: a price coefficient in another unit.
    """
    if segments and alpha is not None:
        raise ScenarioError("alpha is passed beside segments, which have their own; leave alpha out", value=alpha)
    if not segments:
        if alpha is None:
            raise ScenarioError("the market has neither alpha nor segments; pass one of them", value=None)
        segments = (Segment(1.0, alpha),)
    weights = floats([segment.weight for segment in segments], what="weight")
    if (weights <= 0).any() or not math.isclose(weights.sum(), 1.0, abs_tol=_WEIGHT_TOLERANCE):
        raise ScenarioError(
            f"weights {weights.tolist()} are not all above 0 with a sum of 1; pass parts of the whole", value=weights.tolist()
        )
    alphas = floats([coefficient(segment.alpha, unit=unit) for segment in segments], what="alpha")
    deltas = np.stack([_delta_of(segment, delta, products) for segment in segments])
    names = tuple(segment.name or f"segment {number}" for number, segment in enumerate(segments))
    return Mixture(names, frozen(weights), frozen(alphas), frozen(deltas))


def coefficient(alpha: object, *, unit: Unit) -> float:
    """Return alpha as a number above 0, its unit checked where it has one.

    Raises:
        ScenarioError: it is not above 0.
        UnitError: it is for prices of another unit.
    """
    if isinstance(alpha, PriceCoefficient):
        unit.match(alpha.unit, what="alpha")
        alpha = alpha.value
    number = price_number(alpha, what="alpha")
    if number <= 0:
        raise ScenarioError(f"alpha {alpha!r} is not above 0; pass the utility that one unit of price takes away", value=alpha)
    return number


def _delta_of(segment: Segment, delta: FloatArray | None, products: int) -> FloatArray:
    own = delta if segment.delta is None else floats(segment.delta, what="delta")
    if own is None:
        raise ScenarioError("a segment has no delta and neither has the market; pass delta", value=segment.name)
    if own.shape != (products,):
        raise ScenarioError(f"delta has shape {own.shape} for {products} products; pass one number each", value=own.shape)
    return own
