"""Names: from what people write to one offering, by documented rules and never by likeness.

In this order: the exact id; a provider and a model at the provider's default endpoint; a model's own publisher; a dated alias; a
provider's rule (a prefix that names an endpoint, a date suffix); the same with another case. Anything else is an error with suggestions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import AmbiguousNameError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tokencost.tariffs.provider import NameRule, Provider
    from tokencost.tariffs.shelf import Shelf

__all__ = ["Piece", "Resolution", "resolve"]


class Piece(NamedTuple):
    """The offering that a name means on the half-open span from `start` to `until`; None is an open end."""

    offering: str
    start: datetime | None = None
    until: datetime | None = None


class Resolution(NamedTuple):
    """How a name was understood: the offerings it means, by which rule, and what was dropped.

    >>> import tokencost as tc
    >>> tc.load_book().resolve("deepseek-reasoner").rule
    'publisher'
    """

    name: str
    pieces: tuple[Piece, ...]
    rule: str
    dropped: str | None = None

    @property
    def offering(self) -> str:
        """The offering that the name means now: the last piece."""
        return self.pieces[-1].offering


def resolve(shelf: Shelf, name: str) -> Resolution:
    """Return what a name means.

    Raises:
        UnknownNameError: nothing has this name; the nearest names are suggested.
        AmbiguousNameError: several offerings have it; all of them are listed.
    """
    found = _resolve(shelf, name.strip()) if isinstance(name, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if found is None:
        raise _unknown(shelf, str(name))
    return found._replace(name=name)


def _resolve(shelf: Shelf, name: str) -> Resolution | None:
    if shelf.has(name):
        return Resolution(name, (Piece(name),), "id")
    head, slash, rest = name.partition("/")
    if slash and head in shelf.provider_ids:
        found = _in_provider(shelf, shelf.provider(head), rest)
        if found is not None:
            return found
    return _published(shelf, name) or _aliased(shelf, name) or _ruled(shelf, name) or _other_case(shelf, name) or _resold(shelf, name)


def _in_provider(shelf: Shelf, provider: Provider, rest: str) -> Resolution | None:
    """Resolve what follows a provider's name: a model, or an endpoint and a model."""
    exact = f"{provider.id}/{provider.default}/{rest}"
    if shelf.has(exact):
        return Resolution(rest, (Piece(exact),), "default endpoint")
    endpoint, slash, model = rest.partition("/")
    endpoints = {offering.split("/")[1] for offering in shelf.ids if offering.startswith(f"{provider.id}/")}
    if slash and endpoint in endpoints:
        return _by_alias(provider, model, endpoint) or _by_rule(shelf, provider, model, endpoint)
    everywhere = [offering for offering in shelf.by_model.get(rest, ()) if offering.startswith(f"{provider.id}/")]
    if len(everywhere) == 1:
        return Resolution(rest, (Piece(everywhere[0]),), "only endpoint")
    if everywhere:
        raise _ambiguous(
            rest, everywhere, f"{provider.id} sells {rest!r} at {len(everywhere)} endpoints and not at its default {provider.default!r}"
        )
    return _by_alias(provider, rest, None) or _by_rule(shelf, provider, rest, None)


def _published(shelf: Shelf, name: str) -> Resolution | None:
    """Resolve a bare model name to its own publisher's offering, never to a reseller's."""
    own = [offering for offering in shelf.by_model.get(name, ()) if shelf.tariff(offering).publisher == offering.split("/", 1)[0]]
    if not own:
        return None
    at_default = [offering for offering in own if offering.split("/")[1] == shelf.provider(offering.split("/", 1)[0]).default]
    chosen = at_default or own
    if len(chosen) > 1:
        raise _ambiguous(name, chosen, f"{name!r} fits {len(chosen)} offerings of its publishers")
    return Resolution(name, (Piece(chosen[0]),), "publisher" if at_default else "only endpoint")


def _publishers(providers: Iterable[Provider], name: str) -> Iterator[Provider]:
    """Yield the providers that a bare name may belong to: publishers, and hosts whose namespace it is in."""
    for provider in providers:
        if provider.kind == "publisher" or (provider.namespace and re.fullmatch(provider.namespace, name)):
            yield provider


def _only(name: str, found: list[Resolution]) -> Resolution | None:
    offerings = list(dict.fromkeys(piece.offering for resolution in found for piece in resolution.pieces))
    if len(found) > 1 and len({resolution.pieces for resolution in found}) > 1:
        raise _ambiguous(name, offerings, f"{name!r} fits {len(offerings)} offerings")
    return found[0] if found else None


def _aliased(shelf: Shelf, name: str) -> Resolution | None:
    as_written = name if name.isprintable() and not {'"', "\\"}.intersection(name) else ""  # a name with escapes may stand anywhere
    named = shelf.providers_with(as_written)
    return _only(name, [found for provider in _publishers(named, name) if (found := _by_alias(provider, name, None))])


def _ruled(shelf: Shelf, name: str) -> Resolution | None:
    ruled = tuple(shelf.providers_with("[[rule]]"))
    prefixed = (p for p in ruled if p.kind == "host" and any(rule.endpoint and re.match(rule.pattern, name) for rule in p.rules))
    return _only(name, [found for provider in (*_publishers(ruled, name), *prefixed) if (found := _by_rule(shelf, provider, name, None))])


def _by_alias(provider: Provider, name: str, endpoint: str | None) -> Resolution | None:
    rows = [alias for alias in provider.aliases if alias.name == name]
    if endpoint is not None:
        rows = [alias for alias in rows if alias.offering.split("/", 1)[0] == endpoint]
    elif len({alias.offering.split("/", 1)[0] for alias in rows}) > 1:
        rows = [alias for alias in rows if alias.offering.split("/", 1)[0] == provider.default]
    if not rows:
        return None
    rows.sort(key=lambda alias: (alias.start is not None, alias.start))
    return Resolution(name, tuple(Piece(f"{provider.id}/{alias.offering}", alias.start, alias.until) for alias in rows), "alias")


def _by_rule(shelf: Shelf, provider: Provider, name: str, endpoint: str | None) -> Resolution | None:
    """Shorten a name by the provider's rules, one prefix and any suffixes, until an offering or alias has it."""
    for rule in (None, *(rule for rule in provider.rules if rule.kind == "prefix")):
        short, place = _cut(rule, name), endpoint
        if short is None:
            continue
        dropped: list[str] = []
        if rule is not None:
            place = rule.endpoint or endpoint
            dropped += [f"{rule.drops or 'prefix'} {name.removesuffix(short)!r}"] if rule.endpoint is None else []
        for suffix in (None, *(rule for rule in provider.rules if rule.kind == "suffix")):
            shorter = _cut(suffix, short)
            if shorter is None or (rule is None and suffix is None):
                continue
            lost = [*dropped, *([f"{suffix.drops or 'suffix'} {short.removeprefix(shorter)!r}"] if suffix is not None else [])]
            found = _at(shelf, provider, shorter, place)
            if found is not None:
                return Resolution(name, found.pieces, "rule", ", ".join(lost) or None)
    return None


def _at(shelf: Shelf, provider: Provider, model: str, endpoint: str | None) -> Resolution | None:
    exact = f"{provider.id}/{endpoint or provider.default}/{model}"
    if shelf.has(exact):
        return Resolution(model, (Piece(exact),), "id")
    return _by_alias(provider, model, endpoint)


def _cut(rule: NameRule | None, name: str) -> str | None:
    if rule is None:
        return name
    pattern = f"(?:{rule.pattern})(.+)" if rule.kind == "prefix" else f"(.+?)(?:{rule.pattern})"
    match = re.fullmatch(pattern, name)
    return None if match is None else match.groups()[-1 if rule.kind == "prefix" else 0]


def _other_case(shelf: Shelf, name: str) -> Resolution | None:
    folded = name.casefold()
    by_id = [offering for offering in shelf.ids if offering.casefold() == folded]
    if len(by_id) == 1:
        return Resolution(name, (Piece(by_id[0]),), "case")
    models = {model for model in shelf.by_model if model.casefold() == folded and model != name}
    found = [resolution for model in models if (resolution := _published(shelf, model))]
    return None if len(found) != 1 else found[0]._replace(rule="case")


def _resold(shelf: Shelf, name: str) -> Resolution | None:
    """Refuse a bare name that only resellers have, naming them; unless it lies in the namespace of one."""
    offerings = shelf.by_model.get(name, ())
    if not offerings:
        return None
    for provider in _publishers(map(shelf.provider, shelf.provider_ids), name):
        exact = f"{provider.id}/{provider.default}/{name}"
        mine = [offering for offering in offerings if offering.startswith(f"{provider.id}/")]
        if provider.kind == "host" and mine:
            return Resolution(name, (Piece(exact if exact in mine else mine[0]),), "namespace")
    raise _ambiguous(name, list(offerings), f"{name!r} is sold here by others than its publisher, never taken silently")


def _ambiguous(name: str, candidates: list[str], why: str) -> AmbiguousNameError:
    return AmbiguousNameError(f"{why}; say which: {', '.join(candidates)}", name=name, candidates=tuple(candidates))


def _unknown(shelf: Shelf, name: str) -> UnknownNameError:
    head, slash, rest = name.partition("/")
    if slash and head in shelf.provider_ids:
        endpoint, _, model = rest.partition("/")
        endpoints = sorted({offering.split("/")[1] for offering in shelf.ids if offering.startswith(f"{head}/")})
        if model and endpoint not in endpoints and model in shelf.by_model:
            return UnknownNameError(
                f"no endpoint {endpoint!r} of {head}; it has {', '.join(endpoints)}",
                name=name,
                suggestions=tuple(f"{head}/{e}/{model}" for e in endpoints),
            )
        mine = [offering.split("/", 1)[1] for offering in shelf.ids if offering.startswith(f"{head}/")]
        models = {part.split("/", 1)[1] for part in mine}
        return UnknownNameError.of(rest, (*mine, *models), where=f"the tables of {head}")
    if name.count("/") > 1 and name.split("/", 2)[2] in shelf.by_model:
        return UnknownNameError.of(head, shelf.provider_ids, what="provider")
    aliases = (alias.name for provider in map(shelf.provider, shelf.provider_ids) for alias in provider.aliases)
    return UnknownNameError.of(name, (*shelf.by_model, *aliases, *shelf.ids))
