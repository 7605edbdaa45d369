"""Segments: requests of one kind, how many a month, how large, at which hours, under which service tier and mode."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from tokencost.errors import UnknownNameError, UsageError, UsageTypeError, WorkloadError
from tokencost.rating.usage import Usage
from tokencost.tariffs.tariff import SERVICE_TIERS
from tokencost.workloads.law import Law
from tokencost.workloads.profile import HourProfile
from tokencost.workloads.share import fraction_of, share_of
from tokencost.workloads.sizes import Drawn, Points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokencost.workloads.sizes import Sizes

__all__ = ["Choice", "Segment", "checked_growth", "checked_requests", "profile_of", "segment_of"]

_EVEN: Final = HourProfile.even()
_MODES: Final = ("none", "thinking")
_KEYS: Final = frozenset({"name", "requests", "growth", "profile", "service_tiers", "modes", "prompt", "completion", "shares", "points"})


class Choice(NamedTuple):
    """A service tier and a mode, and the share of the requests that are made so."""

    service_tier: str
    mode: str | None
    share: Fraction


@dataclass(frozen=True, slots=True)
class Segment:
    """Requests of one kind: how many a month, and what each of them uses.

    `size` is one `Usage` where all are equal, else `Points` or `Drawn`. `service_tiers` and `modes` give shares that add up to 1;
    what the modes leave is without. `growth` is a month's, None for that of the workload.

    >>> Segment("nightly", 9_000, Usage(input=2_000, output=500), service_tiers={"batch": 1}).means["input"]
    Fraction(2000, 1)

    Raises:
        UsageError: requests below 1.
        WorkloadError: shares that are none or do not add up, growth of -1 or less.
    """

    name: str
    requests: int
    size: Usage | Sizes
    profile: HourProfile = _EVEN
    growth: Fraction | None = field(default=None, kw_only=True)
    service_tiers: Mapping[str, Fraction] = field(default_factory=lambda: {"standard": Fraction(1)}, kw_only=True)
    modes: Mapping[str, Fraction] = field(default_factory=dict[str, Fraction], kw_only=True)

    def __post_init__(self) -> None:
        checked_requests(self.name, self.requests)
        if not isinstance(self.size, (Usage, Points, Drawn)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageTypeError(
                f"size {self.size!r} of segment {self.name!r} is a {type(self.size).__name__}; pass a Usage, Points or Drawn",
                meter="size",
                value=self.size,
            )
        tiers = _shares("service_tiers", self.service_tiers, SERVICE_TIERS)
        if sum(tiers.values()) != 1:
            raise _not_all("service_tiers", tiers, "exactly")
        modes = _shares("modes", self.modes, _MODES)
        left = 1 - sum(modes.values(), Fraction(0))
        if left < 0:
            raise _not_all("modes", modes, "at most")
        modes["none"] = modes.get("none", Fraction(0)) + left
        object.__setattr__(self, "service_tiers", tiers)
        object.__setattr__(self, "modes", {mode: share for mode, share in modes.items() if share})
        object.__setattr__(self, "growth", None if self.growth is None else checked_growth(self.growth))

    @property
    def sizes(self) -> Sizes:
        """The size of a request as a distribution."""
        return _one_size(self.size) if isinstance(self.size, Usage) else self.size

    @property
    def usage(self) -> Usage:
        """What each request uses, where all are equal.

        Raises:
            WorkloadError: they are not.
        """
        if isinstance(self.size, Usage):
            return self.size
        raise WorkloadError(
            f"requests of segment {self.name!r} differ in size; take their means, or estimate the workload", meter="size", value=self.size
        )

    @property
    def is_uniform(self) -> bool:
        """Say whether all requests are equal, at the standard tier and without a mode."""
        return isinstance(self.size, Usage) and self.service_tiers == {"standard": 1} and self.modes == {"none": 1}

    @property
    def means(self) -> dict[str, Fraction]:
        """The expected count of each meter of one request."""
        return self.sizes.means

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every service tier with every mode, and the share of requests made so."""
        return tuple(
            Choice(tier, None if mode == "none" else mode, share * part)
            for tier, share in self.service_tiers.items()
            for mode, part in self.modes.items()
        )

    def with_cached(self, share: object) -> Segment:
        """Return the same segment with another share of the prompt read from the cache."""
        return replace(self, size=self.sizes.with_cached(share))

    def with_completion(self, factor: object) -> Segment:
        """Return the same segment with completions so many times as long."""
        return replace(self, size=self.sizes.with_completion(factor))

    def __hash__(self) -> int:
        tiers, modes = tuple(self.service_tiers.items()), tuple(self.modes.items())
        return hash((self.name, self.requests, self.size, self.profile, self.growth, tiers, modes))


@lru_cache(maxsize=4096)
def _one_size(usage: Usage) -> Points:
    return Points([(usage, 1)])


def _shares(what: str, given: Mapping[str, object], known: tuple[str, ...] | frozenset[str]) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for name, share in given.items():
        if name not in known:
            raise UnknownNameError.of(str(name), known, what=what.replace("_", " ").removesuffix("s"), where=", ".join(sorted(known)))
        if part := share_of(share, what=f"{what} {name}"):
            found[name] = part
    return found


def _not_all(what: str, shares: Mapping[str, Fraction], how: str) -> WorkloadError:
    total = sum(shares.values(), Fraction(0))
    told = " + ".join(f"{name} {float(share):g}" for name, share in shares.items()) or "nothing"
    return WorkloadError(f"{what} {told} add up to {float(total):g}; shares add up to {how} 1", meter=what, value=dict(shares))


def checked_growth(growth: object) -> Fraction:
    """Return a growth a month that can be.

    Raises:
        WorkloadError: it is no number, or -1 or less.
    """
    rate = fraction_of(growth, what="growth")
    if rate <= -1:
        raise WorkloadError(f"growth={growth} a month leaves nothing or less; pass a number above -1", meter="growth", value=growth)
    return rate


def checked_requests(name: str, requests: object) -> int:
    """Return a number of requests that can be.

    Raises:
        UsageTypeError: it is no whole number.
        UsageError: it is below 1.
    """
    if type(requests) is not int:
        raise UsageTypeError(
            f"requests={requests!r} of segment {name!r} is not a whole number; pass an int", meter="requests", value=requests
        )
    if requests < 1:
        raise UsageError(f"requests={requests} of segment {name!r} is below 1; leave the segment out", meter="requests", value=requests)
    return requests


# -- from the words of a file --------------------------------------------------------------------------------------------------------------


def segment_of(row: Mapping[str, Any], number: int) -> Segment:
    """Build a segment from its block in a TOML file.

    Raises:
        UsageError: counts that cannot be.
        WorkloadError: a law, a profile or shares that do not hold.
    """
    name = str(row.get("name", f"segment {number}"))
    counts = {key: value for key, value in row.items() if key not in _KEYS}
    return Segment(
        name,
        checked_requests(name, row.get("requests", 1)),
        _size_of(name, row, counts),
        profile_of(row["profile"]) if "profile" in row else _EVEN,
        growth=None if "growth" not in row else checked_growth(row["growth"]),
        service_tiers=row.get("service_tiers", {"standard": 1}),
        modes=row.get("modes", {}),
    )


def _size_of(name: str, row: Mapping[str, Any], counts: dict[str, Any]) -> Usage | Sizes:
    if "points" in row:
        if "prompt" in row or "completion" in row or counts:
            raise WorkloadError(f"segment {name!r} has points and other sizes; keep one", meter="points", value=row["points"])
        rows = [dict(cast("Mapping[str, Any]", point)) for point in row["points"]]
        cached = row.get("shares", {}).get("cache_read")
        return Points(
            [(Usage.of({k: v for k, v in point.items() if k != "weight"}), point.get("weight", 1)) for point in rows], cached=cached
        )
    if "prompt" in row or "completion" in row:
        prompt, completion = (Law.of(row.get(key, 0), what=key) for key in ("prompt", "completion"))
        return Drawn(prompt, completion, shares=row.get("shares"), extra=Usage.of(counts))
    if "shares" in row:
        raise WorkloadError(
            f"segment {name!r} has shares and no prompt or completion; describe these, or count each meter",
            meter="shares",
            value=row["shares"],
        )
    return Usage.of(counts)


def profile_of(words: object) -> HourProfile:
    """Build a profile from its words in a TOML file: `week`, or `day` and `weekend`, and `zone`.

    >>> profile_of({"day": [1] * 24, "zone": "Asia/Shanghai"}).zone
    'Asia/Shanghai'
    """
    if isinstance(words, dict):
        row = cast("dict[str, Any]", words)
        zone = row.get("zone", "UTC")
        if row.keys() <= {"week", "zone"} and "week" in row:
            return HourProfile.weekly(row["week"], zone=zone)
        if row.keys() <= {"day", "weekend", "zone"} and "day" in row:
            return HourProfile.daily(row["day"], zone=zone, weekend=row.get("weekend", 1))
    raise WorkloadError(
        f"profile {words!r} is none; write {{ week = [168 weights], zone = 'Asia/Shanghai' }} or {{ day = [24 weights], weekend = 0.5 }}",
        meter="profile",
        value=words,
    )
