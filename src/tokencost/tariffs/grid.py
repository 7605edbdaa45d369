"""The grid: which row applies, and the proof that it is exactly one.

A *choice* is one currency, service tier, mode and residency. Within a choice each window has a ladder of context tiers and each
of those a ladder of output tiers. Ladders start at 0, rise, and have neither hole nor overlap; all rows price the same meters.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tokencost.tariffs.tariff import Adjustment, Mode, Promo, Rate, Version

__all__ = ["Choice", "available", "by_window", "effective_rows", "grid_faults", "modes_of", "rows_for", "splits_modes"]


class Choice(NamedTuple):
    """One selection of everything that the caller can choose."""

    currency: str
    service_tier: str = "standard"
    mode: str | None = None
    residency: str | None = None

    def __str__(self) -> str:
        parts = [self.currency, self.service_tier, self.mode, None if self.residency is None else f"residency {self.residency}"]
        return ", ".join(part for part in parts if part is not None)


def splits_modes(rows: Iterable[Rate], currency: str) -> bool:
    """Say whether a list prices thinking apart, so that a row without a mode means not thinking."""
    return any(row.mode == "thinking" for row in rows if row.currency == currency)


def modes_of(row: Rate, *, split: bool) -> tuple[Mode | None, ...]:
    """Return the modes that a row applies to."""
    if row.mode == "thinking":
        return ("thinking",)
    return (None, "thinking") if row.mode == "any" or not split else (None,)


def effective_rows(version: Version, promo: Promo | None) -> tuple[Rate, ...]:
    """Return the rows in force: a promotion's own, and the list's for every choice that it leaves alone."""
    if promo is None or not promo.rates:
        return version.rates
    both = (*version.rates, *promo.rates)
    split = {c: splits_modes(both, c) for c in {row.currency for row in both}}
    taken = {key for row in promo.rates for key in _keys(row, split=split[row.currency])}
    kept: list[Rate] = []
    for row in version.rates:
        keys = _keys(row, split=split[row.currency])
        left = [key.mode for key in keys if key not in taken]
        if left:  # a row for any mode may lose one of its two
            kept.append(row if len(left) == len(keys) else replace(row, mode=left[0]))
    return (*promo.rates, *kept)


def _keys(row: Rate, *, split: bool) -> list[Choice]:
    return [Choice(row.currency, row.service_tier, mode, row.residency) for mode in modes_of(row, split=split)]


def rows_for(rows: Sequence[Rate], adjustments: Sequence[Adjustment], choice: Choice) -> tuple[list[Rate], list[Adjustment]]:
    """Return the rows that price a choice and the factors on top; no rows where the choice has no price."""
    split = splits_modes(rows, choice.currency)
    exact = [row for row in rows if choice in _keys(row, split=split)]
    if exact:
        return exact, []
    if choice.residency is not None:
        factor = next((a for a in adjustments if a.residency == choice.residency and a.service_tier in (None, choice.service_tier)), None)
        if factor is not None:
            base, factors = rows_for(rows, adjustments, choice._replace(residency=None))
            return base, [*factors, factor]
    if choice.service_tier != "standard":
        factor = next((a for a in adjustments if a.service_tier == choice.service_tier and a.residency is None), None)
        if factor is not None:
            base, factors = rows_for(rows, adjustments, choice._replace(service_tier="standard"))
            return base, [*factors, factor]
    return [], []


def available(rows: Sequence[Rate], adjustments: Sequence[Adjustment], currency: str) -> tuple[Choice, ...]:
    """Return every choice of one currency that has a price, in the order of the file."""
    split = splits_modes(rows, currency)
    tiers = [*(row.service_tier for row in rows if row.currency == currency), *(a.service_tier for a in adjustments if a.service_tier)]
    residencies = [None, *(row.residency for row in rows if row.currency == currency), *(a.residency for a in adjustments if a.residency)]
    modes = (None, "thinking") if split else (None,)
    candidates = (
        Choice(currency, tier, mode, res) for tier in dict.fromkeys(tiers) for mode in modes for res in dict.fromkeys(residencies)
    )
    return tuple(choice for choice in candidates if rows_for(rows, adjustments, choice)[0])


def by_window(rows: Iterable[Rate]) -> dict[str | None, list[Rate]]:
    """Return the rows of one choice per window, each ladder in ascending order."""
    ladders: defaultdict[str | None, list[Rate]] = defaultdict(list)
    for row in rows:
        ladders[row.window].append(row)
    for ladder in ladders.values():
        ladder.sort(key=lambda row: (row.first_input, row.first_output))
    return dict(ladders)


def grid_faults(rows: Sequence[Rate], windows: Sequence[str] | None) -> Iterator[tuple[str, str, str]]:
    """Yield (code, where, message) for everything that keeps a list of rows from being a grid.

    `windows` are the names that the schedule of the version can give, None where it has no schedule.
    """
    for currency in dict.fromkeys(row.currency for row in rows):
        split = splits_modes(rows, currency)
        of_choice: defaultdict[Choice, list[Rate]] = defaultdict(list)
        for row in rows:
            if row.currency == currency:
                for key in _keys(row, split=split):
                    of_choice[key].append(row)
        for choice, chosen in of_choice.items():
            if not split and choice.mode is not None:
                continue  # the same rows as without a mode
            yield from _choice_faults(choice, chosen, windows)


def _choice_faults(choice: Choice, rows: list[Rate], windows: Sequence[str] | None) -> Iterator[tuple[str, str, str]]:
    meters = {frozenset(row.prices) for row in rows}
    if len(meters) > 1:
        odd = sorted({name for names in meters for name in names if any(name not in others for others in meters)})
        yield "T06", str(choice), f"rows price different meters: {', '.join(odd)} not in every row; price them in all or in none"
    ladders = by_window(rows)
    yield from _window_faults(choice, set(ladders), windows)
    for window, ladder in ladders.items():
        where = f"{choice}{'' if window is None else f', {window}'}"
        yield from _ladder_faults(where, ladder)


def _window_faults(choice: Choice, used: set[str | None], windows: Sequence[str] | None) -> Iterator[tuple[str, str, str]]:
    named = {window for window in used if window is not None}
    if not named:
        return
    if None in used:
        yield "T04", str(choice), f"rows with and without a window; name a window in every row of the choice ({', '.join(sorted(named))})"
    if windows is None:
        yield "T10", str(choice), f"rows name the windows {', '.join(sorted(named))} but the version names no schedule; set its schedule"
        return
    for missing in sorted(set(windows) - named):
        yield "T05", str(choice), f"no row for window {missing!r}; the schedule can give {', '.join(windows)}; add its rows"
    for extra in sorted(named - set(windows)):
        yield "T10", str(choice), f"window {extra!r} is none of the schedule's; write one of {', '.join(windows)}"


def _ladder_faults(where: str, ladder: list[Rate]) -> Iterator[tuple[str, str, str]]:
    steps: defaultdict[int, list[Rate]] = defaultdict(list)
    for row in ladder:
        steps[row.first_input].append(row)
    edges = sorted(steps)
    inputs: list[tuple[int, int | None]] = []
    for edge, following in itertools.zip_longest(edges, edges[1:]):
        implied = None if following is None else following - 1
        uppers = {implied if row.up_to is None else row.up_to for row in steps[edge]}
        if len(uppers) > 1:
            ends = " and ".join(sorted("nowhere" if upper is None else str(upper) for upper in uppers))
            yield "T05", where, f"rows of the tier from {edge} end at {ends}; give them one up_to"
        inputs.append((edge, min((upper for upper in uppers if upper is not None), default=None)))
    yield from _step_faults(where, inputs, "above")
    for edge in edges:
        inner = sorted(steps[edge], key=lambda row: row.first_output)
        place = where if edge == 0 else f"{where}, tier from {edge}"
        outputs = [(row.first_output, row.up_to_output) for row in inner]
        for (first, _), (second, _) in itertools.pairwise(outputs):
            if first == second:
                yield "T04", place, f"two rows for one choice (both from {first} output tokens); keep one"
        yield from _step_faults(place, list(dict.fromkeys(outputs)), "above_output")


def _step_faults(where: str, steps: list[tuple[int, int | None]], key: str) -> Iterator[tuple[str, str, str]]:
    if steps[0][0] != 0:
        yield "T05", where, f"the first tier starts at {steps[0][0]}, nothing prices less; begin with {key} = 0"
    for (first, upper), (second, _) in itertools.pairwise(steps):
        if upper is None or first == second:
            continue
        if upper + 1 < second:
            yield "T05", where, f"no row from {upper + 1} to {second - 1}; let the next tier begin where this one ends"
        elif upper + 1 > second:
            yield "T04", where, f"two rows from {second} to {upper}; let the next tier begin where this one ends"
    last_first, last_upper = steps[-1]
    if last_upper is not None and last_upper < last_first:
        yield "T05", where, f"the tier from {last_first} ends at {last_upper}, before it begins; correct its edges"
