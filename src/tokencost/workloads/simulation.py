"""Simulations: requests drawn one by one and rated by the book, and months drawn from what is not known for sure.

The first checks the exact expectation by another way. The second gives the spread of a month's cost. All draws are those of numpy's
PCG64, one stream for each segment and each uncertain figure, spawned from the seed and their name: to add a segment moves no draw of
another. The same seed gives the same draws under the same version of numpy.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import UsageError, WorkloadError
from tokencost.rating.rate_table import rate_usage_table
from tokencost.rating.timeline import Selection
from tokencost.rating.usage_table import UsageColumns, read_usage_table
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.month_cost import selection_of
from tokencost.workloads.profile import Month

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from numpy.random import Generator
    from numpy.typing import NDArray

    from tokencost.rating.book import Book
    from tokencost.workloads.segment import Segment
    from tokencost.workloads.workload import Workload

    Floats = NDArray[np.float64]

__all__ = ["RatedSample", "SimulatedRequests", "checked_count", "rated_sample", "simulate_requests", "stream"]

_CHUNK: Final = 1 << 17
_PRICED: Final = 2
_NOWHERE: Final = Selection()


class SimulatedRequests(NamedTuple):
    """The mean cost of requests that were drawn and rated one by one, and its standard error, in units of the currency.

    These are statistics, not money: floats that are as exact as the standard error says. Requests without a price cost nothing here and
    are counted in `unpriced`.
    """

    requests: int
    mean: float
    standard_error: float
    unpriced: int
    currency: str | None
    seed: int

    def deviation(self, exact: Fraction) -> float:
        """Return how many standard errors the mean lies above an exact expectation."""
        return (self.mean - float(exact)) / self.standard_error if self.standard_error else float(self.mean != float(exact))


class RatedSample(NamedTuple):
    """The costs of requests of one segment, in units of the currency; how many of them have no price; and the currencies met."""

    costs: Floats
    unpriced: int
    currencies: frozenset[str]


def stream(seed: int, name: str) -> Generator:
    """Return the stream of draws of a name under a seed: one that depends on nothing else.

    >>> int(stream(0, "chat").integers(0, 100)) == int(stream(0, "chat").integers(0, 100))
    True
    """
    entropy = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([checked_count(seed, "seed", least=0), entropy])))


def simulate_requests(
    workload: Workload,
    offering: str,
    *,
    month: Month | str,
    requests: int = 100_000,
    seed: int = 0,
    book: Book | None = None,
    currency: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> SimulatedRequests:
    """Draw requests of a workload, each with its size, its instant and its service tier, and rate them one by one.

    It is the independent check of an estimate: the sum of exact expectations must lie within a few standard errors of the mean of a long
    simulation. Segments are drawn in proportion to their requests.

    >>> import tokencost as tc
    >>> chat = tc.load_workload("chat")
    >>> result = simulate_requests(chat, "gpt-4o", month="2026-03", requests=1_000)
    >>> abs(result.mean * chat.requests - float(tc.estimate(chat, "gpt-4o", month="2026-03", draws=0).exact)) < 1e-6
    True

    Raises:
        UnknownNameError, AmbiguousNameError: the name is not clear.
        UsageError: fewer requests than two for each segment, or a negative seed.
        WorkloadError: prices in more than one currency.
    """
    from tokencost.rating.book import load_book

    expectation = Expectation(book or load_book())
    checked_count(requests, "requests", least=2 * len(workload.segments))
    selection = Selection(currency=currency, residency=residency, tenant=tenant)
    mean = variance = 0.0
    unpriced, drawn, currencies = 0, 0, set[str]()
    for segment in workload.segments:
        number = max(round(requests * segment.requests / workload.requests), 2)
        sample = rated_sample(expectation, segment, offering, Month.of(month), requests=number, seed=seed, selection=selection)
        weight = segment.requests / workload.requests
        mean += weight * float(sample.costs.mean())
        variance += weight**2 * float(sample.costs.var(ddof=1)) / number
        unpriced, drawn = unpriced + sample.unpriced, drawn + number
        currencies |= sample.currencies
    return SimulatedRequests(drawn, mean, variance**0.5, unpriced, one_currency(currencies), seed)


def one_currency(currencies: set[str] | frozenset[str]) -> str | None:
    """Return the currency of a simulation, None where nothing has a price.

    Raises:
        WorkloadError: there are several.
    """
    if len(currencies) > 1:
        listed = ", ".join(sorted(currencies))
        raise WorkloadError(f"prices are in {listed}; simulate one currency at a time, with currency=", meter="currency", value=listed)
    return next(iter(currencies), None)


def rated_sample(
    expectation: Expectation,
    segment: Segment,
    offering: str,
    month: Month,
    *,
    requests: int,
    seed: int,
    selection: Selection = _NOWHERE,
    key: str = "requests",
) -> RatedSample:
    """Draw requests of one segment and rate them, a hundred thousand at a time."""
    generator = stream(seed, f"{key} of {segment.name}")
    choices = segment.choices
    shares = generator.multinomial(requests, [float(choice.share) for choice in choices])
    parts: list[Floats] = []
    unpriced, currencies = 0, set[str]()
    for choice, number in zip(choices, shares.tolist(), strict=True):
        chosen = selection_of(expectation, segment, choice, offering, month=month, selection=selection)
        for costs, own in _rated(expectation, segment, offering, month, requests=number, generator=generator, selection=chosen):
            unpriced += int(np.count_nonzero(np.isnan(costs)))
            parts.append(np.nan_to_num(costs))
            currencies |= own
    return RatedSample(np.concatenate(parts), unpriced, frozenset(currencies))


def _rated(
    expectation: Expectation, segment: Segment, offering: str, month: Month, *, requests: int, generator: Generator, selection: Selection
) -> Iterator[tuple[Floats, set[str]]]:
    """Yield the costs of drawn requests, not a number where there is no price, and the currencies."""
    for start in range(0, requests, _CHUNK):
        size = min(_CHUNK, requests - start)
        counts = segment.sizes.sample(generator, size)
        table: dict[str, NDArray[Any]] = {"at": segment.profile.sample(generator, size, month=month), **counts}
        meters = {"input": "", "output": "", **{meter: meter for meter in counts}}
        columns = UsageColumns(at="at", unit="us", counts="disjoint", meters=meters)
        usage = read_usage_table(table, columns=columns, model=offering, **selection._asdict())
        rated = rate_usage_table(expectation.plan, usage)
        costs = np.where(rated.outcome < _PRICED, rated.floats(), np.nan)
        yield costs, set(rated.currencies)


def checked_count(value: object, what: str, *, least: int) -> int:
    """Return a whole number that is large enough.

    Raises:
        UsageError: it is not.
    """
    if type(value) is not int or value < least:
        raise UsageError(f"{what}={value!r} is not a whole number from {least} on; pass one", meter=what, value=value)
    return value
