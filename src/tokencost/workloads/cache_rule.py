"""Cache rules: what a provider keeps of a prompt, how long, and which meters it bills for that."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from tokencost.errors import UnknownNameError, UsageError, UsageTypeError, nearest
from tokencost.table import Column, Table
from tokencost.tariffs.meter import METERS, ancestors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

__all__ = ["RULE_KEYS", "CacheKind", "CacheRule", "CacheRules"]

CacheKind = Literal["automatic", "explicit"]

_WHOLE: Final[dict[str, int]] = {
    "granularity": 1,
    "minimum": 1,
    "lifetime_s": 1,
    "lifetime_least_s": 1,
    "lifetime_most_s": 1,
    "fresh_tokens": 0,
}
"""The fields that are whole numbers, and the least that each may be."""
_LARGEST: Final = 10**9
_METERS: Final[dict[str, str]] = {
    "read_meter": "cache_read",
    "write_meter": "cache_write",
    "storage_meter": "cache_storage",
    "hit_meter": "cache_hit_request",
}
"""The meter that each field holds, or one inside it."""


def _none_by_model() -> dict[str, int]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRule:
    """How one provider caches the beginnings of prompts, in tokens and seconds.

    A prompt is kept in units of `granularity` tokens, from `minimum` tokens on, for `lifetime_s` seconds; with `renewed` these begin again
    with every hit. Where the provider gives a span, `lifetime_least_s` and `lifetime_most_s` are its ends. At least `fresh_tokens` of every
    prompt are never read from the cache. `write_meter` is None where writing costs what input costs; `storage_meter` counts token-seconds
    kept, `hit_meter` requests that hit. `minimum_of` has other minimums by patterns of model names. `chosen` names the keys that no
    source states, so that a value had to be chosen; the `note` says how.

    >>> rule = CacheRule(id="ours", granularity=64, minimum=1024, lifetime_s=300)
    >>> rule.kind, rule.renewed, rule.read_meter
    ('automatic', True, 'cache_read')

    Raises:
        UsageError: a value that cannot be; UsageTypeError for one of the wrong kind.
        UnknownNameError: a meter that does not exist.
    """

    id: str
    kind: CacheKind = "automatic"
    granularity: int
    minimum: int
    minimum_of: Mapping[str, int] = field(default_factory=_none_by_model, hash=False)
    lifetime_s: int
    lifetime_least_s: int | None = None
    lifetime_most_s: int | None = None
    renewed: bool = True
    fresh_tokens: int = 1
    read_meter: str = "cache_read"
    write_meter: str | None = None
    storage_meter: str | None = None
    hit_meter: str | None = None
    provider: str | None = None
    url: str | None = None
    title: str | None = None
    checked: date | None = None
    chosen: tuple[str, ...] = ()
    note: str | None = None

    def __post_init__(self) -> None:
        _check_words(self)
        for name, least in _WHOLE.items():
            value = getattr(self, name)
            if value is not None or not name.startswith("lifetime_") or name == "lifetime_s":
                _check_whole(self, name, value, least)
        for pattern, value in self.minimum_of.items():
            _check_whole(self, f"minimum_of {pattern}", value, 1)
        for name, root in _METERS.items():
            _check_meter(self, name, root)
        _check_span(self)

    def for_offering(self, offering: str) -> CacheRule:
        """Return the rule with the minimum of an offering's model, where that has one of its own; the longest pattern that fits counts.

        >>> load = CacheRule(id="ours", granularity=1, minimum=1024, minimum_of={"haiku*": 4096}, lifetime_s=300)
        >>> load.for_offering("acme/global/haiku-4-5").minimum
        4096
        """
        model = offering.rsplit("/", 1)[-1]
        fitting = [pattern for pattern in self.minimum_of if fnmatchcase(model, pattern)]
        if not fitting:
            return self
        return replace(self, minimum=self.minimum_of[max(fitting, key=len)], minimum_of={})

    def with_lifetime(self, seconds: int) -> CacheRule:
        """Return the rule with another lifetime, which then counts as chosen.

        >>> CacheRule(id="ours", granularity=1, minimum=1, lifetime_s=300).with_lifetime(3600).lifetime_text
        'not stated, 1 h used'
        """
        chosen = tuple(dict.fromkeys((*self.chosen, "lifetime_s")))
        return replace(self, lifetime_s=seconds, lifetime_least_s=None, lifetime_most_s=None, chosen=chosen)

    @property
    def lifetime_text(self) -> str:
        """The lifetime in words: what is stated, and what is used where that is a choice.

        >>> CacheRule(id="ours", granularity=1, minimum=1, lifetime_s=300, lifetime_least_s=300, lifetime_most_s=3600).lifetime_text
        '5 min to 1 h, 5 min used'
        """
        used = _span_text(self.lifetime_s)
        least, most = self.lifetime_least_s, self.lifetime_most_s
        if least == most == self.lifetime_s:
            return used
        if least is None and most is None:
            return f"not stated, {used} used" if "lifetime_s" in self.chosen else used
        if least is not None and most is not None:
            return f"{_span_text(least)} to {_span_text(most)}, {used} used"
        bound = f"at least {_span_text(least)}" if least is not None else f"at most {_span_text(most or 0)}"
        return f"{bound}, {used} used"

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame."""
        return [{f.name: getattr(self, f.name) for f in fields(self)}]

    def table(self) -> Table:
        """Return every key of the rule as a table for eyes; a star marks what was chosen."""
        rows = [
            (f.name + "*" * (f.name in self.chosen), str(value))
            for f in fields(self)
            if f.name not in ("id", "note", "chosen") and (value := getattr(self, f.name)) not in (None, {}, ())
        ]
        return Table(f"cache rule {self.id}", (Column("key"), Column("value")), tuple(rows), (self.note,) if self.note else ())

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


RULE_KEYS: Final = frozenset(f.name for f in fields(CacheRule)) - {"provider", "lifetime_least_s", "lifetime_most_s"}
"""The keys of a rule in its file; the ends of a span stand inside `lifetime_s` there."""


class CacheRules(dict[str, CacheRule]):
    """Cache rules by id; an id that is not there is answered with the nearest ones.

    >>> import tokencost as tc
    >>> tc.load_cache_rules()["anthropic-1h"].write_meter
    'cache_write_1h'
    """

    def __init__(self, rules: Iterable[CacheRule] = ()) -> None:
        super().__init__((rule.id, rule) for rule in rules)

    def __missing__(self, key: str) -> CacheRule:
        near = nearest(str(key), self)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"the rules are {', '.join(self)}"
        raise UnknownNameError(f"no cache rule {key!r}; {hint}", name=str(key), suggestions=near)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each rule, ready for a data frame."""
        return [record for rule in self.values() for record in rule.records()]

    def table(self) -> Table:
        """Return the rules as a table for eyes; a star marks what no source states and was chosen."""
        headings = ("rule", "kind", "unit", "minimum", "lifetime", "a hit renews", "write", "read", "also billed")
        columns = tuple(Column(heading, number=heading in ("unit", "minimum")) for heading in headings)
        rows = tuple(_row(rule) for rule in self.values())
        return Table("cache rules", columns, rows, ("* chosen: no source states it; some models have a minimum of their own",))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _row(rule: CacheRule) -> tuple[str, ...]:
    def starred(name: str, text: str) -> str:
        return text + "*" * (name in rule.chosen)

    return (
        rule.id,
        rule.kind,
        starred("granularity", f"{rule.granularity:,}"),
        starred("minimum", f"{rule.minimum:,}"),
        starred("lifetime_s", rule.lifetime_text),
        starred("renewed", "yes" if rule.renewed else "no"),
        rule.write_meter or "as input",
        rule.read_meter,
        ", ".join(filter(None, (rule.storage_meter, rule.hit_meter))),
    )


def _check_words(rule: CacheRule) -> None:
    if not isinstance(rule.id, str) or not rule.id.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageTypeError(f"id={rule.id!r} is no name of a cache rule; write it like 'acme-5m'", meter="id", value=rule.id)
    if rule.kind not in get_args(CacheKind):
        raise UsageError(
            f"kind={rule.kind!r} of cache rule {rule.id!r} is neither 'automatic' nor 'explicit'; write one", meter="kind", value=rule.kind
        )
    if not isinstance(rule.renewed, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageTypeError(
            f"renewed={rule.renewed!r} of cache rule {rule.id!r} is neither true nor false; write one", meter="renewed", value=rule.renewed
        )
    unknown = [name for name in rule.chosen if name not in RULE_KEYS]
    if unknown:
        raise UsageError(
            f"chosen={unknown[0]!r} of cache rule {rule.id!r} is no key of a rule; name one of {', '.join(sorted(RULE_KEYS))}",
            meter="chosen",
            value=unknown[0],
        )


def _check_whole(rule: CacheRule, name: str, value: object, least: int) -> None:
    if type(value) is not int:
        raise UsageTypeError(f"{name}={value!r} of cache rule {rule.id!r} is not a whole number; pass an int", meter=name, value=value)
    if not least <= value <= _LARGEST:
        raise UsageError(
            f"{name}={value} of cache rule {rule.id!r} is outside {least} to {_LARGEST}; correct it or check its unit",
            meter=name,
            value=value,
        )


def _check_meter(rule: CacheRule, name: str, root: str) -> None:
    found = cast("str | None", getattr(rule, name))
    if found is None and name != "read_meter":
        return
    if found not in METERS:
        raise UnknownNameError.of(str(found), METERS, what="meter", where=f"{name} of cache rule {rule.id!r}")
    if root not in ancestors(found):
        raise UsageError(
            f"{name}={found!r} of cache rule {rule.id!r} is not {root} or a part of it; name one that is", meter=name, value=found
        )


def _check_span(rule: CacheRule) -> None:
    least = rule.lifetime_s if rule.lifetime_least_s is None else rule.lifetime_least_s
    most = rule.lifetime_s if rule.lifetime_most_s is None else rule.lifetime_most_s
    if not least <= rule.lifetime_s <= most:
        raise UsageError(
            f"lifetime_s={rule.lifetime_s} of cache rule {rule.id!r} is outside what is stated, {least} to {most}; "
            "use a value inside, or leave the ends out",
            meter="lifetime_s",
            value=rule.lifetime_s,
        )


def _span_text(seconds: int) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
