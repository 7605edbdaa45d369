"""Headlines: what a pair of prices from the press says that a workload costs, against what it does cost."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import TokencostError, WorkloadError
from tokencost.exact import exact_decimal, from_fraction, plain
from tokencost.rating.book import load_book
from tokencost.rating.claims import ClaimedPrice
from tokencost.rating.timeline import Selection
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso
from tokencost.tariffs.meter import METERS, ancestors
from tokencost.tariffs.money import Money
from tokencost.workloads.comparison import shown_amount
from tokencost.workloads.described import Reckoner, workload_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.rating.card import Cell
    from tokencost.rating.usage import Usage
    from tokencost.workloads.profile import Month
    from tokencost.workloads.trace import Trace
    from tokencost.workloads.workload import Workload

__all__ = ["HeadlineGap", "headline_gap"]


class HeadlineGap(NamedTuple):
    """What a headline's pair of prices says that a workload costs, and what it costs.

    `said` charges every token of a prompt and of a completion at the two figures; `really` is the exact cost, expected where sizes are
    drawn. `gap` is `said` less `really`, `percent` that of `really`, rounded half-even to four decimals. `prices` say which rates of the
    list the two figures are. `unsaid` are the meters that the headline has no price for, and takes as free.
    """

    title: str
    when: str
    offering: str
    said: Money
    really: Money
    prices: tuple[ClaimedPrice, ...]
    unsaid: tuple[str, ...]

    @property
    def gap(self) -> Money:
        """What the headline says less what it really costs: negative where it promises too much."""
        return self.said - self.really

    @property
    def percent(self) -> Decimal | None:
        """The gap in per cent of the real cost; None where that is nothing."""
        if not self.really:
            return None
        return from_fraction(Fraction(self.gap.amount) / Fraction(self.really.amount) * 100, places=4)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each of the two figures, with the costs."""
        costs = {"said_cost": self.said.amount, "real_cost": self.really.amount, "gap": self.gap.amount, "percent": self.percent}
        common = {"offering": self.offering, "when": self.when, **costs, "currency": self.said.currency}
        return [{**common, **price._asdict(), "right": price.right, "traced": price.traced} for price in self.prices]

    def table(self) -> Table:
        """Return both costs as a table for eyes, with what the figures really are below."""
        columns = (Column("by"), Column("cost", number=True))
        percent = "" if self.percent is None else f" ({self.percent:+.1f}%)"
        rows = (
            ("the headline", shown_amount(self.said)),
            ("the list", shown_amount(self.really)),
            ("gap", f"{shown_amount(self.gap, signed=True)}{percent}"),
        )
        notes = [*map(str, self.prices), *([f"the headline has no price for {', '.join(self.unsaid)}"] if self.unsaid else [])]
        return Table(f"{self.title} on {self.offering}, {self.when}, in {self.said.currency}", columns, rows, tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def headline_gap(
    workload: Trace | Workload | Usage | Iterable[Usage],
    offering: str,
    *,
    input_price: Decimal | int | str,
    output_price: Decimal | int | str,
    at: datetime | str | None = None,
    month: Month | str | None = None,
    book: Book | None = None,
    currency: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> HeadlineGap:
    """Hold a headline's pair of prices, per million tokens, against the list of an offering, for a whole workload.

    The figures are in the currency of the list. Each is looked for on the list that is in force at `at`, or on the first day of `month`.

    >>> import tokencost as tc
    >>> usage = tc.Usage(cache_read=70_000_000, input=30_000_000, output=10_000_000)
    >>> found = tc.headline_gap(usage, "deepseek-reasoner", input_price="0.14", output_price="2.19", at="2025-02-01T12:00:00Z")
    >>> str(found.really), str(found.said), round(found.percent)
    ('48.20 USD', '35.90 USD', -26)
    >>> print(found.prices[0])
    input was said to cost 0.14 per 1M tokens; that is the price of cache_read, input cost 0.55

    Raises:
        UnknownNameError, AmbiguousNameError: the offering's name is not clear.
        UsageError: neither `at` nor `month`, or both.
        MoneyTypeError, MoneyError: a figure is a float, or no number.
        WorkloadError: a negative figure, or requests without a price.
    """
    figures = {"input": _figure(input_price, "input_price"), "output": _figure(output_price, "output_price")}
    reckoner = Reckoner(book or load_book(), Selection(currency, residency=residency, tenant=tenant), at=at, month=month)
    made = workload_of(workload)
    costs: dict[str, Fraction] = {}
    for part in reckoner.segments(made, offering):
        for reason in part.unpriced:
            raise WorkloadError(f"not every request has a price on {offering}: {reason}", meter="offering", value=offering)
        for unit, cost in part.by_currency.items():
            costs[unit] = costs.get(unit, Fraction(0)) + cost
    if len(costs) != 1:
        raise WorkloadError(
            f"the list of {offering} changes its currency in {reckoner.month}; take one instant", meter="month", value=month
        )
    ((unit, real),) = costs.items()
    roots = {meter: ancestors(meter)[-1] for meter, count in made.means.items() if count}
    said = sum(
        (made.means[meter] * Fraction(figures[root]) / METERS[root].per for meter, root in roots.items() if root in figures), Fraction(0)
    )
    cells = list(_cells(reckoner, offering))
    prices = tuple(_held(cells, root, figure) for root, figure in figures.items() if _price(cells[0], root) is not None)
    when = f"in {reckoner.month}" if reckoner.at is None else f"at {iso(reckoner.at)}"
    unsaid = tuple(meter for meter, root in roots.items() if root not in figures)
    money = [Money(from_fraction(number), unit) for number in (said, real)]
    return HeadlineGap(made.title, when, reckoner.book.resolve(offering).offering, money[0], money[1], prices, unsaid)


def _figure(value: Decimal | int | str, what: str) -> Decimal:
    number = exact_decimal(value, what=what)
    if number < 0:
        raise WorkloadError(f"{what}={value} is negative; prices are 0 or more", meter=what, value=value)
    return number


def _cells(reckoner: Reckoner, offering: str) -> Iterable[Cell]:
    """Yield the rows of the list: those in force first, then those of other windows."""
    at = reckoner.at if reckoner.month is None else reckoner.month.start
    assert at is not None
    try:
        segment = reckoner.book.timeline(offering, **reckoner.selection._asdict()).segment(at)
        window = segment.window(at)
    except TokencostError as error:
        raise WorkloadError(f"the list of {offering} cannot be read at {iso(at)}: {error}", meter="at", value=at) from error
    for ladder in (segment.ladders[window], *segment.ladders.values()):
        yield from ladder.cells


def _price(cell: Cell, meter: str) -> Decimal | None:
    """Return the price of a meter, or of its nearest priced ancestor."""
    billed_as = cell.billed_as.get(meter)
    return None if billed_as is None else plain(cell.prices[billed_as])


def _held(cells: list[Cell], root: str, figure: Decimal) -> ClaimedPrice:
    """Hold a figure against the list: its own meter first, then parts of it, then any other; in the row in force first."""
    proper = _price(cells[0], root)
    assert proper is not None
    for cell in cells:
        order = sorted(cell.prices, key=lambda meter: (meter != root, ancestors(meter)[-1] != root))
        for meter in order:
            if plain(cell.prices[meter]) == plain(figure):
                return ClaimedPrice(root, figure, meter, figure, proper, METERS[root].priced_per)
    return ClaimedPrice(root, figure, root, proper, proper, METERS[root].priced_per)
