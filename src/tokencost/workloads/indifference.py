"""Indifference: at which hit rate, output, peak or batch share two offerings cost the same."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import CurrencyError, WorkloadError
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.rating.timeline import Selection
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso
from tokencost.tariffs.money import Money
from tokencost.workloads.comparison import shown_amount
from tokencost.workloads.described import Reckoner, workload_of
from tokencost.workloads.share import share_of
from tokencost.workloads.splits import split_of, with_share

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.workloads.profile import Month
    from tokencost.workloads.splits import Costs
    from tokencost.workloads.trace import Trace
    from tokencost.workloads.workload import Workload

__all__ = ["CheaperStretch", "Indifference", "IndifferencePoint", "Knot", "indifference", "indifference_curve"]

_WORDS: Final = {"cached": "cached share", "output_share": "output share", "peak_share": "peak share", "batch_share": "batch share"}
_FEWEST: Final = 2


class Knot(NamedTuple):
    """A value of the share, and what both offerings cost there; between two knots both costs are straight lines."""

    value: Fraction
    first: Fraction
    second: Fraction


class CheaperStretch(NamedTuple):
    """From one value of the share to another: the offering that is cheaper between them, None where both cost the same throughout."""

    low: Fraction
    high: Fraction
    cheaper: str | None


class Indifference(NamedTuple):
    """Where two offerings cost the same as one share of a workload moves, and which one is cheaper elsewhere.

    `values` are exact, and empty where one is always cheaper. `stretches` run from the least to the most that the share can be. `knots`
    are the values between which both costs are straight lines, with the costs there in `currency`.
    """

    over: str
    title: str
    when: str
    first: str
    second: str
    currency: str
    values: tuple[Fraction, ...]
    stretches: tuple[CheaperStretch, ...]
    knots: tuple[Knot, ...]

    def costs(self, value: object) -> tuple[Fraction, Fraction]:
        """Return what both offerings cost at a value of the share, exactly.

        Raises:
            WorkloadError: the share cannot be that.
        """
        share = share_of(value, what=self.over)
        least, most = self.knots[0].value, self.knots[-1].value
        if not least <= share <= most:
            raise WorkloadError(
                f"{self.over}={float(share):g} is outside {float(least):g} to {float(most):g}, all that this workload leaves for it",
                meter=self.over,
                value=value,
            )
        low, high = next((a, b) for a, b in pairwise(self.knots) if a.value <= share <= b.value)
        part = (share - low.value) / (high.value - low.value)
        return low.first + part * (high.first - low.first), low.second + part * (high.second - low.second)

    def curve(self, points: int = 21) -> list[dict[str, Any]]:
        """Return both costs and their difference at evenly spaced values of the share, a record each, ready for a plot.

        Raises:
            WorkloadError: fewer than two points.
        """
        made: list[dict[str, Any]] = []
        for value in _spaced(points, self.knots[0].value, self.knots[-1].value):
            first, second = self.costs(value)
            amounts = {"first": first, "second": second, "difference": first - second}
            row = {self.over: from_fraction(value), **{key: from_fraction(amount) for key, amount in amounts.items()}}
            made.append({**row, "currency": self.currency})
        return made

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each stretch of the share."""
        return [{"over": self.over, **stretch._asdict()} for stretch in self.stretches]

    @property
    def words(self) -> str:
        """The result in a sentence."""
        what = _WORDS[self.over]
        equal = f"both cost the same at {what} {' and '.join(map(_share, self.values))}"
        if len(self.stretches) == 1:
            only = self.stretches[0]
            span = f"at every {what} from {_share(only.low)} to {_share(only.high)}"
            if only.cheaper is None:
                return f"both cost the same {span}"
            return f"{equal}, else {only.cheaper} is cheaper" if self.values else f"{only.cheaper} is cheaper {span}"
        told = "; ".join(f"{one.cheaper or 'neither'} from {_share(one.low)} to {_share(one.high)}" for one in self.stretches)
        return f"{equal}; cheaper is {told}"

    def table(self) -> Table:
        """Return both costs at the ends of the stretches as a table for eyes."""
        columns = (Column(_WORDS[self.over], number=True), Column(self.first, number=True), Column(self.second, number=True))
        ends = sorted({self.knots[0].value, self.knots[-1].value, *self.values})
        rows = tuple((_share(end), *(_amount(cost, self.currency) for cost in self.costs(end))) for end in ends)
        return Table(f"{self.title}, {self.when}, in {self.currency}", columns, rows, (self.words,))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


class IndifferencePoint(NamedTuple):
    """Where two offerings cost the same, for one value of another share; `cheaper` is the one that always is, where there is none."""

    across: Fraction
    values: tuple[Fraction, ...]
    cheaper: str | None


def indifference(
    workload: Trace | Workload | Usage | Iterable[Usage],
    first: str,
    second: str,
    *,
    over: str = "cached",
    at: datetime | str | None = None,
    month: Month | str | None = None,
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> Indifference:
    """Return the values of a share at which two offerings cost the same, exactly.

    `over` is the share that moves while all else stays: `"cached"`, of prompts read from the cache; `"output_share"`, of completions in
    all tokens, which stay as many (requests of one size; the tokens on each side keep their parts); `"peak_share"`, of requests in the
    peak window, of those made while there are windows; `"batch_share"`, of requests made in batch. The cost is a straight line between
    its knots, which are where a context tier begins, so that nothing is searched for.

    >>> import tokencost as tc
    >>> usage = tc.Usage(input=6_000, output=400)
    >>> found = tc.indifference(usage, "claude-sonnet-4-5", "gpt-4o", over="cached", at="2026-11-20T12:00:00Z")
    >>> found.values
    (Fraction(50, 87),)
    >>> found.words.partition("; ")[0]
    'both cost the same at cached share 0.5747'
    >>> tc.indifference(usage, "gpt-4o", "gpt-4.1", over="batch_share", at="2026-11-20T12:00:00Z").words
    'openai/global/gpt-4.1 is cheaper at every batch share from 0 to 1'

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name, or the share, is not clear.
        UsageError: neither `at` nor `month`, or both.
        WorkloadError: some requests have no price on an offering, sizes that differ for an output share, clocks that differ for a peak.
        CurrencyError: the lists are in two currencies, and `fx` cannot convert them.
    """
    reckoner = Reckoner(book or load_book(), Selection(currency, residency=residency, tenant=tenant), at=at, month=month)
    made = workload_of(workload)
    split = split_of(over, made, reckoner)
    _check_clocks(made, reckoner, (first, second), over=over)
    places = sorted(split.knots(first) | split.knots(second))
    costs = [(split.cost(first, value), split.cost(second, value)) for value in places]
    wanted, factors = _money(reckoner, [*(own for pair in costs for own in pair)], fx)
    one, two = ([sum((cost * factors[unit] for unit, cost in pair[n].items()), Fraction(0)) for pair in costs] for n in (0, 1))
    knots = tuple(Knot(*row) for row in zip(places, one, two, strict=True))
    ids = [reckoner.book.resolve(name).offering for name in (first, second)]
    values, stretches = _crossings(knots, ids)
    when = f"in {reckoner.month}" if reckoner.at is None else f"at {iso(reckoner.at)}"
    return Indifference(over, made.title, when, ids[0], ids[1], wanted, values, stretches, knots)


def indifference_curve(
    workload: Trace | Workload | Usage | Iterable[Usage],
    first: str,
    second: str,
    *,
    over: str = "cached",
    across: str = "output_share",
    points: int = 21,
    **options: Any,
) -> list[IndifferencePoint]:
    """Return where two offerings cost the same as a second share moves too, at evenly spaced values of that one: a curve for a plot.

    `across` is `"cached"`, `"output_share"` (rounded half-even to whole tokens) or `"batch_share"`. `options` are those of `indifference`.

    >>> import tokencost as tc
    >>> usage = tc.Usage(input=6_000, output=400)
    >>> curve = tc.indifference_curve(usage, "claude-sonnet-4-5", "gpt-4o", at="2026-11-01T00:00:00Z", points=5)
    >>> [(str(point.across), [str(value) for value in point.values], point.cheaper) for point in curve[:3]]
    [('0', ['10/29'], None), ('1/4', [], 'openai/global/gpt-4o'), ('1/2', [], 'openai/global/gpt-4o')]

    Raises:
        WorkloadError: the two shares are one, `across` cannot be set, or as for `indifference`.
    """
    if over == across:
        raise WorkloadError(f"over and across are both {over!r}; pass two different shares", meter="across", value=across)
    made = workload_of(workload)
    options["book"] = options.get("book") or load_book()
    curve: list[IndifferencePoint] = []
    for value in _spaced(points, Fraction(0), Fraction(1)):
        found = indifference(with_share(made, across, value), first, second, over=over, **options)
        curve.append(IndifferencePoint(value, found.values, found.stretches[0].cheaper if len(found.stretches) == 1 else None))
    return curve


def _check_clocks(workload: Workload, reckoner: Reckoner, names: tuple[str, str], *, over: str) -> None:
    """Refuse a peak share where no offering has windows, or both have their own."""
    if over != "peak_share":
        return
    clocks: dict[str, set[tuple[str, str | None]]] = {name: set() for name in names}
    for name, found in clocks.items():
        for segment in workload.segments:
            for _, rows in reckoner.windows(segment, name):
                spans = [row.priced.span for row in rows if row.window is not None and row.priced is not None]
                found |= {(span.tariff.provider, span.version.schedule) for span in spans}
    several = clocks[names[0]] | clocks[names[1]]
    if not several:
        raise WorkloadError(f"neither {names[0]} nor {names[1]} has windows then; a peak share changes nothing", meter=over, value=names)
    if len(several) > 1:
        told = " and ".join(f"{provider}: {schedule}" for provider, schedule in sorted(several, key=str))
        raise WorkloadError(
            f"their peaks follow several clocks ({told}); a share of one says nothing of the other", meter=over, value=names
        )


def _money(reckoner: Reckoner, costs: list[Costs], fx: ExchangeTable | None) -> tuple[str, dict[str, Fraction]]:
    """Return one currency for all costs, and the factor of each: the only one, or that of the selection or the book."""
    used = sorted({unit for own in costs for unit in own})
    wanted = used[0] if len(used) == 1 else reckoner.selection.currency or reckoner.book.currency
    factors: dict[str, Fraction] = {}
    for unit in used:
        if unit == wanted:
            factors[unit] = Fraction(1)
            continue
        if fx is None:
            raise CurrencyError(
                f"one list is in {unit}, not {wanted}; pass fx= with a dated exchange table", offering=None, asked=wanted, available=(unit,)
            )
        done = fx.convert(Money(1, unit), wanted, at=reckoner.exchanged_at)
        factors[unit] = 1 / Fraction(done.rate.rate) if done.inverse else Fraction(done.rate.rate)
    return wanted, factors


def _crossings(knots: tuple[Knot, ...], ids: list[str]) -> tuple[tuple[Fraction, ...], tuple[CheaperStretch, ...]]:
    """Solve each straight piece exactly, and say who is cheaper between the solutions."""
    values: set[Fraction] = set()
    pieces: list[CheaperStretch] = []
    for low, high in pairwise(knots):
        begin, end = low.first - low.second, high.first - high.second
        values |= {knot.value for knot, gap in ((low, begin), (high, end)) if not gap}
        edges = [low.value, high.value]
        if begin * end < 0:
            edges.insert(1, low.value + (high.value - low.value) * begin / (begin - end))
            values.add(edges[1])
        for number, (start, stop) in enumerate(pairwise(edges)):
            sign = (begin or end) if not number else end
            pieces.append(CheaperStretch(start, stop, None if not begin and not end else ids[0] if sign < 0 else ids[1]))
    merged: list[CheaperStretch] = []
    for piece in pieces:
        if merged and merged[-1].cheaper == piece.cheaper and (merged[-1].high not in values or piece.cheaper is None):
            merged[-1] = merged[-1]._replace(high=piece.high)
        else:
            merged.append(piece)
    return tuple(sorted(values)), tuple(merged)


def _spaced(points: int, low: Fraction, high: Fraction) -> list[Fraction]:
    if type(points) is not int or points < _FEWEST:
        raise WorkloadError(f"points={points!r} make no curve; pass a whole number from 2", meter="points", value=points)
    return [low + (high - low) * Fraction(number, points - 1) for number in range(points)]


def _share(value: Fraction) -> str:
    """Return a share with four decimals at most."""
    return f"{float(value):.4f}".rstrip("0").rstrip(".") or "0"


def _amount(cost: Fraction, currency: str) -> str:
    return shown_amount(Money(from_fraction(cost), currency))
