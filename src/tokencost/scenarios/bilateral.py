"""Bilateral price indexes: each compares the prices of two periods over the items that both have.

Every formula is written once, for all pairs of some periods `a` with some periods `b`, as products of matrices. Items that one of the two
does not have add nothing to either sum, so that each pair is over matched items alone. In the docstrings sums run over these, `p` are
prices, `q` quantities, `e = p q`, and `0` and `1` the two periods. Sources: the CPI Manual of the ILO and others (2004), chapters 15, 16
and 20, and that of the IMF (2020), chapters 2 and 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tokencost.scenarios.price_panel import PricePanel

    Matrix = NDArray[np.float64]

__all__ = ["FORMULAS", "Formula", "Side", "compare_sides", "formula_of", "side_of"]


class Side(NamedTuple):
    """Periods of one side of a comparison, a row each: zero wherever an item is not on sale.

    `there` is 1 where it is, `log` the logarithm of its price, `quantity`, `spent` and `root` (of the quantity) are zero without weights.
    """

    there: Matrix
    price: Matrix
    log: Matrix
    quantity: Matrix
    spent: Matrix
    root: Matrix
    inverse: Matrix

    def rows(self, low: int, high: int) -> Side:
        """Return some of the periods."""
        return Side(*(part[low:high] for part in self))


# -- with quantities -----------------------------------------------------------------------------------------------------------------------


def laspeyres(a: Side, b: Side) -> Matrix:
    """Return sum p1 q0 / sum p0 q0: what the old basket costs now (Laspeyres 1871)."""
    return (a.quantity @ b.price.T) / (a.spent @ b.there.T)


def paasche(a: Side, b: Side) -> Matrix:
    """Return sum p1 q1 / sum p0 q1: what the new basket costs, against what it did (Paasche 1874)."""
    return (a.there @ b.spent.T) / (a.price @ b.quantity.T)


def fisher(a: Side, b: Side) -> Matrix:
    """Return the geometric mean of Laspeyres and Paasche, the ideal index (Fisher 1922)."""
    return np.sqrt(laspeyres(a, b) * paasche(a, b))


def marshall_edgeworth(a: Side, b: Side) -> Matrix:
    """Return sum p1 (q0 + q1) / sum p0 (q0 + q1): both baskets in one (Marshall 1887, Edgeworth 1925)."""
    return (a.quantity @ b.price.T + a.there @ b.spent.T) / (a.spent @ b.there.T + a.price @ b.quantity.T)


def walsh(a: Side, b: Side) -> Matrix:
    """Return sum p1 sqrt(q0 q1) / sum p0 sqrt(q0 q1): the basket between the two (Walsh 1901)."""
    return (a.root @ (b.root * b.price).T) / ((a.root * a.price) @ b.root.T)


# -- with shares of spending ---------------------------------------------------------------------------------------------------------------


def _log_geo_laspeyres(a: Side, b: Side) -> Matrix:
    return (a.spent @ b.log.T - (a.spent * a.log) @ b.there.T) / (a.spent @ b.there.T)


def _log_geo_paasche(a: Side, b: Side) -> Matrix:
    return (a.there @ (b.spent * b.log).T - a.log @ b.spent.T) / (a.there @ b.spent.T)


def geo_laspeyres(a: Side, b: Side) -> Matrix:
    """Return exp sum w0 ln(p1/p0), w the shares of spending on the matched items: the geometric Laspeyres."""
    return np.exp(_log_geo_laspeyres(a, b))


def geo_paasche(a: Side, b: Side) -> Matrix:
    """Return exp sum w1 ln(p1/p0): the geometric Paasche."""
    return np.exp(_log_geo_paasche(a, b))


def tornqvist(a: Side, b: Side) -> Matrix:
    """Return exp sum (w0 + w1)/2 ln(p1/p0) (Tornqvist 1936)."""
    return np.exp((_log_geo_laspeyres(a, b) + _log_geo_paasche(a, b)) / 2)


# -- without weights -----------------------------------------------------------------------------------------------------------------------


def jevons(a: Side, b: Side) -> Matrix:
    """Return the geometric mean of p1/p0 (Jevons 1865)."""
    return np.exp((a.there @ b.log.T - a.log @ b.there.T) / (a.there @ b.there.T))


def carli(a: Side, b: Side) -> Matrix:
    """Return the arithmetic mean of p1/p0 (Carli 1764); it drifts up where prices go back and forth."""
    return (a.inverse @ b.price.T) / (a.there @ b.there.T)


def harmonic(a: Side, b: Side) -> Matrix:
    """Return the harmonic mean of p1/p0 (Coggeshall 1887); it drifts down where Carli drifts up."""
    return (a.there @ b.there.T) / (a.price @ b.inverse.T)


def dutot(a: Side, b: Side) -> Matrix:
    """Return sum p1 / sum p0 (Dutot 1738): dear items weigh most."""
    return (a.there @ b.price.T) / (a.price @ b.there.T)


# -- which there are -----------------------------------------------------------------------------------------------------------------------


class Formula(NamedTuple):
    """A formula and what it asks for: weights, prices above zero; and whether it gives 1 there and back, as GEKS needs."""

    name: str
    compare: Callable[[Side, Side], Matrix]
    weighted: bool
    positive: bool
    reversible: bool


FORMULAS: Final[dict[str, Formula]] = {
    formula.name: formula
    for formula in (
        Formula("laspeyres", laspeyres, weighted=True, positive=False, reversible=False),
        Formula("paasche", paasche, weighted=True, positive=False, reversible=False),
        Formula("fisher", fisher, weighted=True, positive=False, reversible=True),
        Formula("marshall_edgeworth", marshall_edgeworth, weighted=True, positive=False, reversible=True),
        Formula("walsh", walsh, weighted=True, positive=False, reversible=True),
        Formula("geo_laspeyres", geo_laspeyres, weighted=True, positive=True, reversible=False),
        Formula("geo_paasche", geo_paasche, weighted=True, positive=True, reversible=False),
        Formula("tornqvist", tornqvist, weighted=True, positive=True, reversible=True),
        Formula("jevons", jevons, weighted=False, positive=True, reversible=True),
        Formula("carli", carli, weighted=False, positive=True, reversible=False),
        Formula("harmonic", harmonic, weighted=False, positive=True, reversible=False),
        Formula("dutot", dutot, weighted=False, positive=False, reversible=True),
    )
}
"""The formulas by name."""


def formula_of(name: str) -> Formula:
    """Return a formula by its name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in FORMULAS:
        raise UnknownNameError.of(name, FORMULAS, what="index formula", where=", ".join(FORMULAS))
    return FORMULAS[name]


def side_of(panel: PricePanel, formula: Formula) -> Side:
    """Return all periods of a panel as one side of comparisons; an item without a quantity is not there for a weighted formula.

    Raises:
        ScenarioError: the formula asks for quantities and there are none, or for prices above zero and one is free.
    """
    here = panel.on_sale
    if formula.weighted:
        if panel.quantities is None:
            raise ScenarioError(
                f"{formula.name} weighs prices by quantities, and the panel has none; pass quantities=, or take jevons or dutot",
                value=formula.name,
            )
        here = here & ~np.isnan(panel.quantities)
    if formula.positive:
        refuse_free(panel, formula.name, here)
    price = np.where(here, panel.prices, 0.0)
    quantity = np.where(here, panel.quantities, 0.0) if formula.weighted and panel.quantities is not None else np.zeros_like(price)
    above = price > 0
    log = np.log(price, out=np.zeros_like(price), where=above)
    inverse = np.divide(1.0, price, out=np.zeros_like(price), where=above)
    return Side(here.astype(np.float64), price, log, quantity, price * quantity, np.sqrt(quantity), inverse)


def refuse_free(panel: PricePanel, what: str, here: NDArray[np.bool_]) -> None:
    """Say nothing where no price is zero.

    Raises:
        ScenarioError: one is; a logarithm or a ratio of it is no number.
    """
    free = here & (panel.prices == 0)
    if free.any():
        row, column = (int(place) for place in np.argwhere(free)[0])
        raise ScenarioError(
            f"{what} cannot take a price of 0, and {int(free.sum())} of {int(here.sum())} prices are 0, first {panel.items[column]!r} in "
            f"{panel.periods[row]}; pass free='exclude' to leave them out and count them, or take laspeyres or fisher",
            value=0,
        )


def compare_sides(formula: Formula, a: Side, b: Side) -> Matrix:
    """Return the index of each period of `b` against each of `a`: NaN without matched items, or where these have no weight."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = formula.compare(a, b)
    return np.where(np.isfinite(found) & (a.there @ b.there.T > 0), found, np.nan)
