"""Moves: what one seller does to its prices at one instant, and how others react."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.exact import exact_decimal
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.meter import METERS, TOKEN_METERS
from tokencost.tariffs.schedule import Window, parse_days, parse_hours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokencost.tariffs.tariff import Promo, Version

__all__ = ["Move", "MoveKind", "Prices", "Reaction", "checked_prices", "touched"]

Prices = dict[str, Decimal]
MoveKind = Literal[
    "set", "cut", "raise", "free", "promotion", "window", "end_window", "tier", "launch", "withdraw", "match", "undercut", "list"
]
_KINDS: Final[tuple[str, ...]] = get_args(MoveKind)
_SHARES: Final = frozenset({"cut", "promotion", "undercut"})
_FACTORS: Final = frozenset({"window", "tier"})
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "set": ("prices",),
    "launch": ("prices",),
    "cut": ("by",),
    "raise": ("by",),
    "promotion": ("until",),
    "window": ("by", "hours"),
    "tier": ("by", "above"),
    "match": ("targets",),
    "undercut": ("targets", "by"),
}


def checked_prices(prices: Mapping[str, Any], *, what: str) -> Prices:
    """Return prices as exact decimals, by meters that exist; an abstract war may call its one price `price`.

    Raises:
        ScenarioError: a price is negative, or there is none.
        MoneyTypeError: a binary float.
        UnknownNameError: a meter that does not exist.
    """
    found: Prices = {}
    for meter, price in prices.items():
        if meter not in METERS and meter != "price":
            raise UnknownNameError.of(meter, METERS, what="meter")
        number = exact_decimal(price, what=meter)
        if number < 0:
            raise ScenarioError(f"{meter}={price} of {what} is negative; a price is 0 or more", value=price)
        found[meter] = number
    if not found:
        raise ScenarioError(f"{what} has no prices; write them like prices = {{ input = 0.5, output = 2 }}", value=prices)
    return found


def touched(meter: str, meters: tuple[str, ...]) -> bool:
    """Say whether a change of these meters is about a meter; a change that names none is about all tokens."""
    return meter in meters if meters else meter in TOKEN_METERS or meter == "price"


def _checked_names(values: Any, *, what: str) -> tuple[str, ...]:
    if isinstance(values, str):
        raise ScenarioError(f"{what} is {values!r}, one text; write a list of names, like [{values!r}]", value=values)
    return tuple(values)


def _checked_meters(values: Any, *, what: str) -> tuple[str, ...]:
    for meter in (found := _checked_names(values, what=what)):
        if meter not in METERS and meter != "price":
            raise UnknownNameError.of(meter, METERS, what="meter")
    return found


def _instant(value: Any) -> Any:
    """Return an instant in UTC; the months of an abstract war are counted and stay as they are."""
    return to_instant(value) if isinstance(value, str | date) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One seller's change of price at one instant.

    `kind` says what: `set` (to `prices`), `cut` or `raise` (by the share `by`), `free`, `promotion` (the share `by` off, or `prices`,
    until an instant, above a list that stays), `window` (`hours` on `days` in `zone` cost `by` times as much; several stretches are
    written "09:00-12:00, 14:00-18:00"), `end_window`, `tier` (prompts `above` a size cost `by` times as much), `launch`, `withdraw`,
    `match` (the lowest price of `targets`), `undercut` (by the share `by` below it), `list` (a version as the tables have it). `meters`
    limits a move to some meters, each by its own name: a cut of `input` leaves `cache_read` alone where that has a price. Without it
    all tokens are meant.

    A price that is set is the one of the base row: the standard tier, the smallest requests, the default window. Rows beside it (batch,
    larger requests) keep their ratio to it.

    >>> print(Move(at="2026-12-01T00:00:00Z", offering="gpt-4o", kind="cut", by="0.3"))
    cut of gpt-4o at 2026-12-01T00:00:00Z

    Raises:
        ScenarioError: a part is missing or makes no sense.
        UnknownNameError: a kind or a meter that does not exist.
        MoneyTypeError: a binary float where a price or a share is meant.
        InstantError: an instant without an offset.
    """

    at: Any
    offering: str
    kind: MoveKind
    prices: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    by: Decimal | None = None
    meters: tuple[str, ...] = ()
    until: Any = None
    targets: tuple[str, ...] = ()
    floor: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    above: int | None = None
    hours: str | None = None
    days: str = "daily"
    zone: str = "UTC"
    window: str = "peak"
    version: Version | None = None
    promo: Promo | None = None
    source: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise UnknownNameError.of(str(self.kind), _KINDS, what="kind of move", where=", ".join(_KINDS))
        for name in ("at", "until"):
            object.__setattr__(self, name, _instant(getattr(self, name)))
        self._check_names()
        self._check_numbers()
        if self.until is not None and not self.at < self.until:
            raise ScenarioError(f"{self} ends at {_shown(self.until)}, not after it begins; move its end", value=self.until)
        if self.kind == "window":
            self._check_hours()

    def _check_names(self) -> None:
        object.__setattr__(self, "meters", _checked_meters(self.meters, what=f"meters of {self}"))
        object.__setattr__(self, "targets", _checked_names(self.targets, what=f"targets of {self}"))
        if self.offering in self.targets:
            raise ScenarioError(f"{self} follows itself; take it out of the targets", value=self.offering)
        for name in _NEEDS.get(self.kind, ()):
            if not getattr(self, name) and getattr(self, name) != 0:
                raise ScenarioError(f"{self} has no {name}; add it", value=self.kind)
        if self.kind == "promotion" and (self.by is None) == (not self.prices):
            raise ScenarioError(f"{self} has to say by (the share off) or prices, and not both", value=self.by)

    def _check_numbers(self) -> None:
        if self.prices:
            object.__setattr__(self, "prices", checked_prices(self.prices, what=str(self)))
        if self.floor:
            object.__setattr__(self, "floor", checked_prices(self.floor, what=f"the floor of {self}"))
        if self.by is not None:
            object.__setattr__(self, "by", self._checked_by(exact_decimal(self.by, what="by")))
        size: Any = self.above
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ScenarioError(f"{self} above {size!r} tokens is no size; write a whole number, like 128000", value=size)

    def _check_hours(self) -> None:
        from zoneinfo import ZoneInfo

        try:
            parse_days(self.days)
            for stretch in self.stretches:
                parse_hours(stretch.hours)
            ZoneInfo(self.zone)
        except (ValueError, OSError, LookupError) as error:  # a zone that is none fails in one of the three ways
            raise ScenarioError(f"{self}: {error}; hours are like '09:00-12:00', a zone like 'Asia/Shanghai'", value=self.hours) from None

    @property
    def stretches(self) -> tuple[Window, ...]:
        """The stretches of a day of a move that adds a window."""
        return tuple(Window(window=self.window, days=self.days, hours=part.strip()) for part in (self.hours or "").split(","))

    def _checked_by(self, by: Decimal) -> Decimal:
        if self.kind in _SHARES and not 0 <= by < 1:
            raise ScenarioError(f"{self} by {by} leaves nothing or less; a cut of 30 % is 0.3, and free is a kind of its own", value=by)
        if self.kind == "raise" and by < 0:
            raise ScenarioError(f"{self} by {by} is a cut; write it as one", value=by)
        if self.kind in _FACTORS and by <= 0:
            raise ScenarioError(f"{self} by {by} is no factor; twice as dear is 2", value=by)
        return by

    def touches(self, meter: str) -> bool:
        """Say whether the move is about a meter."""
        return touched(meter, self.meters)

    def __str__(self) -> str:
        return f"{self.kind} of {self.offering} at {_shown(self.at)}"


def _shown(at: Any) -> str:
    return iso(at) if isinstance(at, datetime) else str(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A rule by which one seller follows others.

    `lag` after the effective price of a target has changed, the list price of each meter is lowered to the lowest effective price of the
    `targets` then (`match`), or the share `by` below it (`undercut`), never below `floor`; without one the marginal costs of the scenario
    are it. With `raises="follow"` the price is tied to theirs and goes up again with them, to the floor or the target, whichever is
    higher. Prices are rounded half-even to twelve decimals.

    >>> Reaction(offering="qwen-max", kind="undercut", by="0.1", targets=("deepseek-chat",), lag=1).by
    Decimal('0.1')

    Raises:
        ScenarioError: no target, a target that is the seller itself, a share outside 0 to 1.
    """

    offering: str
    kind: Literal["match", "undercut"]
    targets: tuple[str, ...]
    lag: Any
    by: Decimal = Decimal(0)
    floor: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    raises: Literal["ignore", "follow"] = "ignore"
    meters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kinds, raises = ("match", "undercut"), ("ignore", "follow")
        if self.kind not in kinds:
            raise UnknownNameError.of(str(self.kind), kinds, what="kind of reaction", where=" and ".join(kinds))
        if self.raises not in raises:
            raise UnknownNameError.of(str(self.raises), raises, what="answer to raises", where=" and ".join(raises))
        object.__setattr__(self, "targets", _checked_names(self.targets, what=f"targets of the reaction of {self.offering}"))
        object.__setattr__(self, "meters", _checked_meters(self.meters, what=f"meters of the reaction of {self.offering}"))
        if not self.targets:
            raise ScenarioError(f"the reaction of {self.offering} has no targets; name whom it follows", value=self.targets)
        if self.offering in self.targets:
            raise ScenarioError(f"{self.offering} reacts to itself; take it out of the targets", value=self.offering)
        by = exact_decimal(self.by, what="by")
        if not 0 <= by < 1 or (self.kind == "match" and by):
            raise ScenarioError(
                f"by={by} of the reaction of {self.offering} does not go with {self.kind}; undercutting by 10 % is 0.1, matching has none",
                value=by,
            )
        object.__setattr__(self, "by", by)
        if self.floor:
            object.__setattr__(self, "floor", checked_prices(self.floor, what=f"the floor of {self.offering}"))
