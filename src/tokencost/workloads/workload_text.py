"""Workloads as text: the document of a TOML file, and the file itself."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any, Final

from tokencost.exact import from_fraction
from tokencost.rating.usage import Usage
from tokencost.tariffs.canonical import toml_value
from tokencost.workloads.sizes import Points

if TYPE_CHECKING:
    from tokencost.workloads.profile import HourProfile
    from tokencost.workloads.segment import Segment
    from tokencost.workloads.workload import Workload

__all__ = ["document_of", "text_of"]

_SPREADS = ("requests", "cached", "completion", "growth")
_DAY: Final = 24
_WORKDAYS: Final = 5


def document_of(workload: Workload) -> dict[str, Any]:
    """Return a workload in the words of a TOML file."""
    spreads = {name: _number(spread) for name in _SPREADS if (spread := getattr(workload.uncertainty, name))}
    head = {
        "title": workload.title,
        "source": workload.source,
        "note": workload.note,
        "growth": _number(workload.growth) if workload.growth else None,
        "uncertainty": spreads or None,
    }
    kept = {key: value for key, value in head.items() if value is not None}
    return {**kept, "segment": [_segment(segment) for segment in workload.segments]}


def _segment(segment: Segment) -> dict[str, Any]:
    row: dict[str, Any] = {"name": segment.name, "requests": segment.requests}
    if segment.growth is not None:
        row["growth"] = _number(segment.growth)
    if not segment.profile.is_even:
        row["profile"] = _profile(segment.profile)
    if segment.service_tiers != {"standard": 1}:
        row["service_tiers"] = {name: _number(share) for name, share in segment.service_tiers.items()}
    if segment.modes != {"none": 1}:
        row["modes"] = {name: _number(share) for name, share in segment.modes.items()}
    size = segment.size
    if isinstance(size, Usage):
        return {**row, **size.counts}
    if isinstance(size, Points):
        row["points"] = [{"weight": _number(weight), **usage.counts} for usage, weight in size.rows]
        return row if size.cached is None else {**row, "shares": {"cache_read": _number(size.cached)}}
    row |= {"prompt": size.prompt.document, "completion": size.completion.document}
    if size.shares:
        row["shares"] = {meter: _number(share) for meter, share in size.shares.items()}
    return {**row, **size.extra.counts}


def _profile(profile: HourProfile) -> dict[str, Any]:
    zone = {} if profile.zone == "UTC" else {"zone": profile.zone}
    days = [profile.weights[start : start + _DAY] for start in range(0, len(profile.weights), _DAY)]
    working, weekend = days[0], days[-1]
    factor = Fraction(sum(weekend), sum(working)) if any(working) else Fraction(0)
    scaled = tuple(weight * factor for weight in working)
    if any(working) and days == [working] * _WORKDAYS + [weekend] * 2 and weekend == scaled:
        common = gcd(*working)
        return {"day": [weight // common for weight in working], **({} if factor == 1 else {"weekend": _number(factor)}), **zone}
    return {"week": list(profile.weights), **zone}


def _number(number: Fraction) -> Any:
    """Return a number as a whole one or a decimal where it is one, else as a fraction in text."""
    if number.denominator == 1:
        return number.numerator
    decimal = from_fraction(number)
    return decimal if Fraction(decimal) == number else str(number)


def text_of(workload: Workload) -> str:
    """Return the text of a TOML file."""
    document = document_of(workload)
    segments = document.pop("segment")
    blocks = ["".join(f"{key} = {toml_value(value)}\n" for key, value in document.items())]
    blocks.extend("[[segment]]\n" + "".join(f"{key} = {toml_value(value)}\n" for key, value in row.items()) for row in segments)
    return "\n".join(blocks)
