"""Plans: the price law of many lines over a span of time, compiled to integers.

A line is a name under one selection. Its history is a row of stretches: from an instant on one ladder of rates applies, or there is no
price and a reason why. Windows of a schedule are laid out over the months that the data touch, holidays included, so that nothing is
left to decide but where an instant falls.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import (
    AmbiguousNameError,
    CalendarError,
    CurrencyError,
    LayerError,
    MoneyError,
    NoRateError,
    OutsideHistoryError,
    UnknownNameError,
)
from tokencost.tariffs.clock import UTC
from tokencost.tariffs.turns import turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tokencost.errors import TokencostError
    from tokencost.rating.book import Book
    from tokencost.rating.card import Ladder
    from tokencost.rating.lookup import Lookup
    from tokencost.rating.rate_arrays import RateArrays
    from tokencost.rating.timeline import Segment, Selection, Timeline
    from tokencost.tariffs.schedule import Dial
    from tokencost.tariffs.turns import Turn

__all__ = ["Line", "Plan", "Reason", "instant_of", "micros"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_FIRST_MICROS: Final = -(2**63)
_LAID_OUT: Final = (datetime(2015, 1, 1, tzinfo=UTC), datetime(2065, 1, 1, tzinfo=UTC))
"""Windows are laid out between these instants; a row outside asks the clock itself."""
_MANY: Final = 2**40
_NO_NAME: Final = (UnknownNameError, AmbiguousNameError, MoneyError)
_NO_LIST: Final = (CurrencyError, NoRateError, LayerError)
"""Why a stretch has no price; two layers that claim it are an error as soon as a row falls into it."""


class Line(NamedTuple):
    """A name under one selection."""

    name: str
    selection: Selection


class Reason(NamedTuple):
    """Why a stretch of a line has no price, None where the clock has to be asked; and the line."""

    line: int
    error: TokencostError | None


class Stretch(NamedTuple):
    """From an instant on (microseconds since 1970): a ladder, by its number, or a reason, by minus its number minus one."""

    start: int
    entry: int


def micros(at: datetime) -> int:
    """Return an aware instant as microseconds since 1970.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (at - _EPOCH) // _TICK


def instant_of(number: int) -> datetime:
    """Return the instant of a number of microseconds since 1970.

    >>> instant_of(1_000_000).second
    1

    Raises:
        OverflowError: it lies outside the years 1 to 9999.
    """
    return _EPOCH + timedelta(microseconds=number)


class Plan:
    """The compiled law of many lines of one book; it grows as lines and months are asked for.

    A plan pickles without its book: a worker rates what is compiled at once, and opens its own tables only for what is not.

    >>> import tokencost as tc
    >>> plan = tc.load_book().plan()
    >>> plan.cover(0, 0)
    >>> plan.line("gpt-4o")
    0
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.lines: list[Line] = []
        self.starts: list[NDArray[np.int64]] = []
        self.entries: list[NDArray[np.int64]] = []
        self.ladders: list[Ladder] = []
        self.segments: list[Segment] = []
        self.reasons: list[Reason] = []
        self.edition = 0
        self._numbers: dict[Line, int] = {}
        self._ladder_numbers: dict[int, int] = {}
        self._reason_entries: dict[tuple[int, type], int] = {}
        self._windowed: set[int] = set()
        self._span: tuple[datetime, datetime] | None = None
        self._laid_out: dict[tuple[int, datetime], list[Turn]] = {}
        self._arrays: dict[tuple[str, ...], RateArrays] = {}
        self._lookups: dict[tuple[tuple[str, ...], tuple[int, ...]], Lookup] = {}

    def cover(self, first: int, last: int) -> None:
        """Lay out windows for all instants from the first to the last, in microseconds since 1970, months at a time.

        A span that has to grow doubles: the next batch of a log in the order of time will want the next month.
        """
        low, high = (min(max(_instant(number), _LAID_OUT[0]), _LAID_OUT[1] - _TICK) for number in (first, last))
        begin, end = _month(low), _next_month(high)
        if self._span is not None:
            if self._span[0] <= begin and end <= self._span[1]:
                return
            length = self._span[1] - self._span[0]
            if begin < self._span[0]:
                begin = max(min(begin, _month(self._span[0] - length)), _LAID_OUT[0])
            if end > self._span[1]:
                end = min(max(end, _month(self._span[1] + length)), _LAID_OUT[1])
            begin, end = min(begin, self._span[0]), max(end, self._span[1])
        self._span = begin, end
        for number in self._windowed:
            self._compile(number)

    def line(self, name: str, selection: Selection | None = None) -> int:
        """Return the number of a line, compiled when it is first asked for."""
        from tokencost.rating.timeline import Selection

        line = Line(name, selection or Selection())
        number = self._numbers.get(line)
        if number is None:
            number = self._numbers[line] = len(self.lines)
            self.lines.append(line)
            self.starts.append(np.empty(0, np.int64))
            self.entries.append(np.empty(0, np.int64))
            self._compile(number)
        return number

    def arrays(self, meters: tuple[str, ...]) -> RateArrays:
        """Return the rate arrays for some meters, made again only when the plan has grown."""
        from tokencost.rating.rate_arrays import RateArrays

        made = self._arrays.get(meters)
        if made is None or made.edition != self.edition:
            made = self._arrays[meters] = RateArrays(self, meters)
            self._lookups.clear()
        return made

    def lookup(self, arrays: RateArrays, lines: list[int], *, low: int, high: int) -> Lookup:
        """Return a look-up of some lines that holds between two instants, laid out for whole months and kept for the next table."""
        from tokencost.rating.lookup import Lookup

        key = (arrays.meters, tuple(lines))
        made = self._lookups.get(key)
        if made is None or made.arrays is not arrays or low < made.low or high > made.high:
            low, high = self._whole_months(low, high)
            made = self._lookups[key] = Lookup(self, arrays, lines, low=low, high=high, rows=_MANY)
        return made

    def _whole_months(self, low: int, high: int) -> tuple[int, int]:
        if self._span is None:
            return low, high
        return min(low, micros(self._span[0])), max(high, micros(self._span[1]) - 1)

    def __contains__(self, line: object) -> bool:
        return line in self._numbers

    def timeline(self, number: int) -> Timeline:
        """Return the timeline behind a line.

        Raises:
            UnknownNameError, AmbiguousNameError: the line has none.
        """
        name, selection = self.lines[number]
        return self.book.timeline(name, **selection._asdict())

    def _compile(self, number: int) -> None:
        stretches: list[Stretch] = []
        for stretch in self._stretches(number):
            if stretches and stretches[-1].start == stretch.start:
                stretches.pop()
            if not stretches or stretches[-1].entry != stretch.entry:
                stretches.append(stretch)
        self.starts[number] = np.array([stretch.start for stretch in stretches], np.int64)
        self.entries[number] = np.array([stretch.entry for stretch in stretches], np.int64)
        self.edition += 1

    def _stretches(self, number: int) -> Iterator[Stretch]:
        """Yield the stretches of a line in order; the first begins before all time."""
        try:
            timeline = self.timeline(number)
        except _NO_NAME as error:
            yield Stretch(_FIRST_MICROS, self._reason(number, error))
            return
        nothing = self._reason(number, None)
        outside = self._reason(number, OutsideHistoryError("no price is known then"))
        until = _FIRST_MICROS
        for span in timeline.spans:
            start = micros(span.start)
            if start > until or until == _FIRST_MICROS:
                yield Stretch(until, outside)
            until = micros(span.until)
            try:
                segment = timeline.segment(span.start)
            except _NO_LIST as error:
                yield Stretch(start, self._reason(number, error))
                continue
            if None in segment.ladders:
                yield Stretch(start, self._ladder(segment.ladders[None], segment))
            elif segment.dial is None:
                yield Stretch(start, outside)
            else:
                self._windowed.add(number)
                yield Stretch(start, nothing)
                yield from self._turns(number, segment, segment.dial)
                if self._span and segment.start < self._span[1] < segment.until:
                    yield Stretch(micros(self._span[1]), nothing)
        yield Stretch(until, outside)

    def _turns(self, number: int, segment: Segment, dial: Dial) -> Iterator[Stretch]:
        """Yield the windows of a segment within the months that are covered."""
        assert self._span is not None, "cover comes before line"
        begin, end = max(segment.start, self._span[0]), min(segment.until, self._span[1])
        month = _month(begin)
        while month < end:
            for turn in self._month_of(dial, segment, month):
                if turn.at >= end:
                    break
                window = turn.window
                entry = (
                    self._reason(number, window) if isinstance(window, CalendarError) else self._ladder(segment.ladders[window], segment)
                )
                yield Stretch(micros(max(turn.at, begin)), entry)
            month = _next_month(month)

    def _month_of(self, dial: Dial, segment: Segment, month: datetime) -> list[Turn]:
        key = (id(segment.schedule), month)
        if key not in self._laid_out:
            self._laid_out[key] = turns(dial, month, _next_month(month))
        return self._laid_out[key]

    def _ladder(self, ladder: Ladder, segment: Segment) -> int:
        number = self._ladder_numbers.get(id(ladder))
        if number is None:
            number = self._ladder_numbers[id(ladder)] = len(self.ladders)
            self.ladders.append(ladder)
            self.segments.append(segment)
        return number

    def _reason(self, line: int, error: TokencostError | None) -> int:
        """Return the entry of a reason; one and the same for a line and a kind of error."""
        key = (line, type(error))
        if key not in self._reason_entries:
            self.reasons.append(Reason(line, error))
            self._reason_entries[key] = -len(self.reasons)
        return self._reason_entries[key]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_ladder_numbers": {}, "_laid_out": {}, "_arrays": {}, "_lookups": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._ladder_numbers = {id(ladder): number for number, ladder in enumerate(self.ladders)}


def _instant(number: int) -> datetime:
    try:
        return instant_of(number)
    except OverflowError:
        return _LAID_OUT[0] if number < 0 else _LAID_OUT[1]


def _month(at: datetime) -> datetime:
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next_month(at: datetime) -> datetime:
    return _month(_month(at) + timedelta(days=32))
