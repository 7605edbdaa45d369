"""Choice probabilities of logit and nested logit, safe for large utilities and tiny shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tokencost.scenarios.prices import FloatArray

__all__ = ["Choice", "Groups", "choose", "log_sum_exp"]


class Groups(NamedTuple):
    """Products sorted into groups: firms, nests, or products of one firm in one nest.

    >>> groups = Groups.of(["us", "china", "us"])
    >>> groups.labels, groups.sum(np.array([1.0, 2.0, 4.0]))
    (('us', 'china'), array([5., 2.]))
    """

    labels: tuple[Hashable, ...]
    codes: np.ndarray[Any, np.dtype[np.int64]]
    order: np.ndarray[Any, np.dtype[np.int64]] | None
    starts: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def of(cls, labels: Sequence[Hashable]) -> Groups:
        """Return the groups in the order of their first product."""
        places: dict[Hashable, int] = {}
        codes = np.array([places.setdefault(label, len(places)) for label in labels], dtype=np.int64)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(places)))
        in_order = bool((codes[1:] >= codes[:-1]).all())
        return cls(tuple(places), codes, None if in_order else order, starts)

    @property
    def first(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The place of the first member of each group."""
        return self.starts if self.order is None else self.order[self.starts]

    def sum(self, values: FloatArray) -> FloatArray:
        """Return the sum over each group, along the last axis."""
        if len(self.starts) == values.shape[-1]:
            return values
        return np.add.reduceat(values if self.order is None else values[..., self.order], self.starts, axis=-1)

    def max(self, values: FloatArray) -> FloatArray:
        """Return the maximum of each group, along the last axis."""
        if len(self.starts) == values.shape[-1]:
            return values
        return np.maximum.reduceat(values if self.order is None else values[..., self.order], self.starts, axis=-1)

    def spread(self, values: FloatArray) -> FloatArray:
        """Return for each product the value of its group, along the last axis."""
        if len(self.starts) == len(self.codes):
            return values
        return values[..., self.codes]

    def log_sum_exp(self, values: FloatArray) -> FloatArray:
        """Return ln of the sum of e^value over each group, along the last axis."""
        if len(self.starts) == values.shape[-1]:
            return values
        top = self.max(values)
        return top + np.log(self.sum(np.exp(values - self.spread(top))))


class Choice(NamedTuple):
    """Shares and what they are made of; the last axis of each array is products, or nests.

    `inclusive` is ln of 1 + the sum of e^V, or of D_g^(1 - rho) where there are nests, without the 1 where there is no outside option.
    """

    log_shares: FloatArray
    inclusive: FloatArray
    within: FloatArray | None = None
    nest_shares: FloatArray | None = None

    @property
    def shares(self) -> FloatArray:
        """Return s_j."""
        return np.exp(self.log_shares)


def choose(utilities: FloatArray, *, nests: Groups | None, rho: Any, outside: bool) -> Choice:
    """Return the choice of products by their mean utility V = delta - alpha p.

    s_(j|g) = e^(V_j / (1 - rho)) / D_g and s_g = D_g^(1 - rho) / (1 + sum_h D_h^(1 - rho)): Berry (1994), Cardell (1997), in the
    convention of PyBLP. `nests` None is the plain logit. Leading axes are markets, segments or both.
    """
    if nests is None:
        inclusive = log_sum_exp(utilities, outside=outside)
        return Choice(utilities - inclusive[..., None], inclusive)
    scaled = utilities / (1 - rho)
    sums = nests.log_sum_exp(scaled)
    log_within = scaled - nests.spread(sums)
    values = (1 - rho) * sums
    inclusive = log_sum_exp(values, outside=outside)
    log_nests = values - inclusive[..., None]
    return Choice(log_within + nests.spread(log_nests), inclusive, np.exp(log_within), np.exp(log_nests))


def log_sum_exp(values: FloatArray, *, outside: bool) -> FloatArray:
    """Return ln of the sum of e^value along the last axis, and of 1 for the outside option."""
    top = np.maximum.reduce(values, axis=-1)
    if outside:
        top = np.maximum(top, 0.0)
    total = np.add.reduce(np.exp(values - top[..., None]), axis=-1)
    if outside:
        total = total + np.exp(-top)
    return top + np.log(total)
