"""Hit rate lines: the share of input that was read from the cache, over time, under one rule or several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from tokencost.display.columns import number_of
from tokencost.display.extra import need_matplotlib
from tokencost.errors import UsageError, UsageTypeError
from tokencost.workloads.cache_comparison import CacheComparison
from tokencost.workloads.cache_replay import CacheReplay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_hit_rate"]

_STEPS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 4 * 3600, 86400, 7 * 86400)
_MOST_SPANS: Final = 90
_UNITS: Final = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))
_NAMED_ENDS: Final = 12
_NAMES_A_LINE: Final = 2


def plot_hit_rate(replays: CacheReplay | CacheComparison | Iterable[CacheReplay], *, every_s: int | None = None) -> Figure:
    """Draw the hit rate over time, a line for each replay, named at its right end.

    `every_s` is the length of a span in seconds; without it one is taken that makes 90 spans at most. Spans without requests are a gap.
    Rules with the same hit rates throughout share a line, named after all of them. Rates are upper bounds, as those of the replays are.

    >>> import tokencost as tc
    >>> at = [0, 1000, 400_000, 401_000]
    >>> blocks = [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3], [1, 2, 3, 4]]
    >>> trace = tc.PrefixTrace.of(at_ms=at, input=[1536, 2048] * 2, output=[9] * 4, blocks=blocks, block_size=512)
    >>> figure = tc.plot_hit_rate([tc.replay_cache(trace, rule) for rule in ("anthropic-5m", "anthropic-1h")], every_s=60)
    >>> figure.axes[0].get_ylabel()
    'hit rate, share of input tokens'

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
        UsageError: there is no replay, or `every_s` is no length of a span.
        UsageTypeError: something else than replays.
    """
    need_matplotlib()
    from matplotlib.ticker import PercentFormatter

    from tokencost.display.canvas import NUMBERS, End, label_ends, new_chart, place_legend, style_axes, style_of, write_notes

    found = _replays(replays)
    span = max(replay.trace.span_s for replay in found)
    step = next((own for own in _STEPS if span / own <= _MOST_SPANS), _STEPS[-1]) if every_s is None else every_s
    _, divisor, unit = next(row for row in _UNITS if span >= row[0])
    chart = new_chart(f"Hit rate of {_titled(found)} over time")
    axes: Any = chart.add_subplot()
    ends: list[End] = []
    lines: list[Any] = []
    for place, ((shares, rates), names) in enumerate(_series(found, step).items()):
        style = style_of(place)
        middles = [(start + step / 2) / divisor for start in shares]
        drawn = axes.plot(middles, rates, linewidth=1.7, marker="o", markersize=2.5, label=", ".join(names), **style)
        lines += drawn
        last = max((n for n, rate in enumerate(rates) if rate == rate), default=0)  # noqa: PLR0124 - nan is not itself
        ends.append(End(middles[last], rates[last], _wrapped(names), style["color"]))
    style_axes(axes, x=f"{unit} since the first request", y="hit rate, share of input tokens")
    axes.set_ylim(0, 1)
    axes.set_xlim(0, None)
    axes.xaxis.set_major_formatter(NUMBERS)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    if len(ends) <= _NAMED_ENDS:
        label_ends(axes, [end for end in ends if end.y == end.y], height=3.8)
    else:
        place_legend(axes, lines, columns=4)
    write_notes(chart, [f"Spans of {_length(step)}. Upper bounds: the cache has room for everything."])
    return chart


def _replays(replays: object) -> list[CacheReplay]:
    found: Any = replays
    if isinstance(found, CacheReplay):
        found = [found]
    elif isinstance(found, CacheComparison):
        found = [row.replay for row in found.rows]
    if not isinstance(found, Iterable):
        raise UsageTypeError(f"{replays!r:.60} is no replay; pass what tc.replay_cache returns", meter="replays", value=replays)
    made = list(cast("Iterable[Any]", found))
    for replay in made:
        if not isinstance(replay, CacheReplay):
            raise UsageTypeError(f"{replay!r:.60} is no replay; pass what tc.replay_cache returns", meter="replays", value=replay)
    if not made:
        raise UsageError("there is no replay to draw; pass at least one", meter="replays", value=replays)
    return made


def _titled(replays: list[CacheReplay]) -> str:
    names = dict.fromkeys(replay.trace.path.replace("\\", "/").rsplit("/", 1)[-1] for replay in replays)
    return ", ".join(names)


def _series(replays: list[CacheReplay], step: int) -> dict[tuple[tuple[int, ...], tuple[float, ...]], list[str]]:
    """Return the rates of each replay by span, with the names of the rules that have them."""
    found: dict[Any, tuple[tuple[float, ...], list[str]]] = {}
    for replay in replays:
        rates = replay.hit_rates(every_s=step)
        key = tuple((rate.from_s, rate.rate) for rate in rates)
        names = found.setdefault(key, (tuple(number_of(rate.rate) for rate in rates), []))[1]
        if replay.rule.id not in names:
            names.append(replay.rule.id)
    return {(tuple(start for start, _ in key), rates): names for key, (rates, names) in found.items()}


def _wrapped(names: list[str]) -> str:
    return ",\n".join(", ".join(names[place : place + _NAMES_A_LINE]) for place in range(0, len(names), _NAMES_A_LINE))


def _length(seconds: int) -> str:
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}{'s' * (seconds != unit)}"
    return f"{seconds} second{'s' * (seconds != 1)}"
