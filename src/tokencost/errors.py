"""One tree of errors, one of warnings.

Every error inherits [TokencostError][] and the builtin that people already catch (`LookupError`, `ValueError`,
`TypeError`, `OverflowError`, `OSError`). Messages are lower case, repeat the value and end with the cure; the facts are
attributes, so that a program need not parse text. Errors and warnings pickle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AboveListError",
    "AllowanceNotice",
    "AmbiguousNameError",
    "AnnouncedPriceWarning",
    "CalendarError",
    "ColumnError",
    "ConvergenceError",
    "CurrencyError",
    "IncompleteError",
    "InstantError",
    "InstantTypeError",
    "LayerError",
    "MixedCurrencyError",
    "MoneyError",
    "MoneyTypeError",
    "NoRateError",
    "OutsideHistoryError",
    "PriceWarning",
    "PromotionalPriceWarning",
    "RangeError",
    "ScenarioError",
    "StalePriceWarning",
    "StreamError",
    "TableError",
    "TextError",
    "TextTypeError",
    "TokencostError",
    "TokencostWarning",
    "TokenizerError",
    "TraceError",
    "UncertainDateWarning",
    "UnitError",
    "UnknownNameError",
    "UnpricedMeterError",
    "UsageError",
    "UsageTypeError",
    "WorkloadError",
]


_CURES = {
    "calendar": "they lie in the folder calendars",
    "claim": "`tokencost claims` shows them all",
    "meter": "tokencost.METERS has them all",
    "mode": "write it so, or leave it out",
    "service tier": "write one of these",
}
"""The cure for a name like no other, where the list of offerings does not help."""


def _rebuild(kind: type[Any], message: str, facts: dict[str, Any]) -> Any:
    return kind(message, **facts)


class _Facts(Exception):  # noqa: N818 - a base of errors and warnings alike
    """A message plus the facts behind it, as attributes."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}; it has {sorted(facts)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.facts)

    def __str__(self) -> str:
        return self.message

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return (self.message, self.facts) == (other.message, other.facts)

    def __hash__(self) -> int:
        return hash((type(self), self.message))


class TokencostError(_Facts):
    """The root of all errors that this library raises.

    >>> import tokencost as tc
    >>> try:
    ...     tc.load_book().tariff("gpt-9o")
    ... except tc.TokencostError as error:
    ...     error.name
    'gpt-9o'
    """


class UnknownNameError(TokencostError, LookupError):
    """No offering, provider or endpoint has this name. Facts: `name`, `suggestions`."""

    @classmethod
    def of(cls, name: str, candidates: Iterable[str], what: str = "model", where: str = "this book") -> Self:
        """Build the message from the name and everything that it might have meant."""
        near = nearest(name, candidates)
        hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else _CURES.get(what, "`tokencost list` names them all")
        return cls(f"no {what} {name!r} in {where}; {hint}", name=name, suggestions=near)


class AmbiguousNameError(TokencostError, LookupError):
    """The name fits more than one offering. Facts: `name`, `candidates`."""


class OutsideHistoryError(TokencostError, LookupError):
    """No price is known at this instant. Facts: `offering`, `at`, `first`, `until`."""


class NoRateError(TokencostError, LookupError):
    """The list in force has no such service tier, mode or residency. Facts: `offering`, `at`, `asked`, `available`."""


class CurrencyError(TokencostError, LookupError):
    """There is no list in this currency, and no conversion was passed. Facts: `offering`, `asked`, `available`."""


class UnpricedMeterError(TokencostError, LookupError):
    """A bucket of the usage has no rate and no priced ancestor. Facts: `offering`, `meter`, `priced`."""


class AboveListError(TokencostError, LookupError):
    """The request is larger than the largest one the list prices. Facts: `offering`, `tokens`, `limit`."""


class CalendarError(TokencostError, LookupError):
    """A gazetted calendar does not cover the day. Facts: `calendar`, `day`, `start`, `until`."""


class UsageError(TokencostError, ValueError):
    """Counts that cannot be: negative, absurd, or parts above their total. Facts: `meter`, `value`."""


class UsageTypeError(UsageError, TypeError):
    """Counts of the wrong kind: fractional, boolean, text. Facts: `meter`, `value`."""


class WorkloadError(UsageError):
    """A description of demand that cannot be: shares above one, quantiles out of order, a month that is none. Facts: `meter`, `value`."""


class InstantError(TokencostError, ValueError):
    """An instant without its offset, or text that is none. Facts: `value`."""


class InstantTypeError(InstantError, TypeError):
    """Something that is not an instant at all, such as a bare date. Facts: `value`."""


class MoneyError(TokencostError, ValueError):
    """Text or a currency that money cannot be made from. Facts: `value`."""


class MoneyTypeError(MoneyError, TypeError):
    """A binary float where money is meant. Facts: `value`."""


class MixedCurrencyError(MoneyTypeError):
    """Two currencies in one sum or comparison. Facts: `left`, `right`."""


class LayerError(TokencostError, ValueError):
    """A contract or markup that is malformed, or two that claim the same rate. Facts: `layers`."""


class TableError(TokencostError, ValueError):
    """A price table that does not hold. Facts: `faults`, all of them at once."""


class TraceError(TokencostError, ValueError):
    """A request log that cannot be read. Facts: `path`, and what was wrong."""


class ColumnError(TokencostError, ValueError):
    """A table whose columns cannot be rated: one is missing, there twice, or of the wrong type. Facts: `column`, `columns`."""


class RangeError(TokencostError, OverflowError):
    """Amounts that whole numbers of 64 bits do not hold at this scale. Facts: `rows`, `scale`."""


class IncompleteError(TokencostError, LookupError):
    """A total of rows that are not all priced. Facts: `outcomes`, `problems`."""


class StreamError(TokencostError, OSError):
    """A file that cannot be read or written as a stream. Facts: `path`, and what was wrong."""


class TextError(TokencostError, ValueError):
    """A text that cannot be counted: half a character, bytes that are no text, a stretch without an end. Facts: `position`, `length`."""


class TextTypeError(TextError, TypeError):
    """Something that is not text at all, such as bytes. Facts: `value`."""


class TokenizerError(TokencostError, LookupError):
    """No tokenizer of a model is known, or the package that ships it is not installed. Facts: `model`, `tokenizer`, `package`."""


class ScenarioError(TokencostError, ValueError):
    """A scenario, a market or an index that cannot be: a move before launch, no buyers, the logarithm of a free price. Facts: `value`."""


class UnitError(ScenarioError, TypeError):
    """Two units in one computation: yuan with dollars, a token with a million of them. Facts: `left`, `right`."""


class ConvergenceError(TokencostError, ArithmeticError):
    """A solver that did not come to an end. Facts: `residual`, `iterations`, `tolerance`."""


class TokencostWarning(_Facts, UserWarning):
    """The root of all warnings."""


class PriceWarning(TokencostWarning):
    """Something to know about a quoted price. Quotes carry these in `warnings`; they are not emitted."""


class StalePriceWarning(PriceWarning):
    """The price was last checked long before the instant asked about. Facts: `checked`, `at`."""


class UncertainDateWarning(PriceWarning):
    """The start of this price, or of the one after it, is only an upper bound. Facts: `start`, `basis`."""


class PromotionalPriceWarning(PriceWarning):
    """A promotion lies above the list price. Facts: `until`."""


class AnnouncedPriceWarning(PriceWarning):
    """The price was announced and had not begun when it was last checked. Facts: `start`, `checked`."""


class AllowanceNotice(PriceWarning):
    """A free quantity exists; a single quote bills gross. Facts: `meter`, `quantity`, `per`."""


def nearest(name: str, candidates: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """Return the candidates closest to a name, best first.

    >>> nearest("gpt-4o-mni", ["gpt-4o", "gpt-4o-mini", "o1"])
    ('gpt-4o-mini', 'gpt-4o')
    """
    import difflib  # only an error waits for it

    pool = {candidate.casefold(): candidate for candidate in candidates}
    hits = difflib.get_close_matches(name.casefold(), pool, n=limit, cutoff=0.6)
    return tuple(pool[hit] for hit in hits)
