"""Demand from options: a shipped workload, one from a file, or one from a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

import tokencost as tc
from tokencost.cli.options import as_count, now
from tokencost.workloads.share import share_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokencost.workloads.law import Law
    from tokencost.workloads.workload import Uncertainty, Workload

__all__ = ["DEFAULT_WORKLOAD", "as_law", "demand_of", "demand_options", "list_options", "month_of", "shares_of"]

_F = TypeVar("_F", bound="Callable[..., Any]")

DEFAULT_WORKLOAD: Final = "chat"
_LAW: Final = 3
_LENGTH: Final = "one count for all, or MEDIAN:P90:MOST of a lognormal law"


def demand_options(command: _F) -> _F:
    """Add the options that describe demand."""
    for name, metavar, text in (
        ("--uncertain", "FIGURE=SPREAD", "How far off requests, cached, completion or growth may be, as a standard deviation. Repeatable."),
        ("--growth", "SHARE", "Growth of requests a month, like 0.05."),
        ("--cached", "SHARE", "The share of prompts read from a cache, like 0.4."),
        ("--completion", "TOKENS", f"Tokens of a completion: {_LENGTH}."),
        ("--prompt", "TOKENS", f"Tokens of a prompt, cached ones included: {_LENGTH}."),
    ):
        command = click.option(name, metavar=metavar, multiple=name == "--uncertain", help=text)(command)
    command = click.option("--requests", callback=as_count, metavar="N", help="Requests a month.")(command)
    what = "A shipped workload by name, or a TOML file; without it the numbers below, or chat."
    return click.option("--workload", metavar="NAME", help=what)(command)


def list_options(command: _F) -> _F:
    """Add the options that choose a price list; service tiers and modes belong to the workload."""
    where = "Where requests are processed, like us or eu, where that has its price."
    command = click.option("--residency", metavar="NAME", help=where)(command)
    what = "The currency of the result; USD is preferred where a list has several."
    return click.option("--currency", metavar="CODE", help=what)(command)


def demand_of(options: dict[str, Any]) -> Workload:
    """Return the workload that the options describe, and take them out of `options`."""
    names = ("workload", "requests", "prompt", "completion", "cached", "growth", "uncertain")
    found: tuple[Any, ...] = tuple(options.pop(key) for key in names)
    name, requests, prompt, completion, cached, growth, uncertain = found
    if prompt is not None or completion is not None:
        if name is not None:
            raise click.UsageError("--workload has sizes of its own; leave --prompt and --completion out")
        for option, value in (("--requests", requests), ("--prompt", prompt), ("--completion", completion)):
            if value is None:
                raise click.UsageError(f"{option} is missing; demand from numbers needs --requests, --prompt and --completion")
        assert prompt is not None and completion is not None, "both were looked at above"  # noqa: PT018
        share = share_of(cached or 0, what="cached")
        lengths = as_law("--prompt", prompt), as_law("--completion", completion)
        made = tc.Workload.described(requests=requests, prompt=lengths[0], completion=lengths[1], cached=share)
    else:
        made = tc.load_workload(name or DEFAULT_WORKLOAD)
        made = made if requests is None else made.with_requests(requests)
        made = made if cached is None else made.with_cached(cached)
    made = made if growth is None else made.with_growth(growth)
    return _unsure(made, uncertain) if uncertain else made


def _unsure(workload: Workload, pairs: Sequence[str]) -> Workload:
    from dataclasses import asdict, replace

    known: Uncertainty = workload.uncertainty
    found: dict[str, Any] = asdict(known)
    for pair in pairs:
        figure, equals, spread = pair.partition("=")
        if not equals or figure.strip() not in found:
            raise click.BadParameter(
                f"{pair!r} is none of {', '.join(found)} and a spread; write it like requests=0.2", param_hint="'--uncertain'"
            )
        found[figure.strip()] = spread.strip()
    return replace(workload, uncertainty=tc.Uncertainty(**found))


def as_law(option: str, text: str) -> Law | int:
    """Return a number of tokens, or a lognormal law from its median, 90 % quantile and most."""
    try:
        counts = [as_count(None, None, part) or 0 for part in text.split(":")]
    except click.BadParameter as error:
        raise click.BadParameter(error.message, param_hint=f"'{option}'") from None
    if len(counts) == 1:
        return counts[0]
    if len(counts) != _LAW:
        raise click.BadParameter(f"{text!r} is no length; write it like 3000, or 1500:9000:60000", param_hint=f"'{option}'")
    median, p90, most = counts
    return tc.Law.lognormal(median=median, p90=p90, most=most)


def month_of(text: str | None, option: str) -> tuple[str, str]:
    """Return a month, and a line that says so where the clock was asked."""
    if text is not None:
        return text, ""
    month = f"{now():%Y-%m}"
    return month, f"month: this one, {month}; {option} asks for another"


def shares_of(text: str) -> tuple[str, ...]:
    """Return quantiles from text with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
