"""`tokencost cache`: prompt caches, their rules, and what a log costs under them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.figure import plot_option, write_figure
from tokencost.cli.options import at_option, choice_options, json_option, now, open_book, tables_option
from tokencost.cli.output import emit_json
from tokencost.display.hit_rate_lines import plot_hit_rate
from tokencost.tariffs.clock import iso, to_instant
from tokencost.workloads.cache_break_even import cache_break_even
from tokencost.workloads.cache_comparison import compare_cache_rules
from tokencost.workloads.cache_rules import load_cache_rules
from tokencost.workloads.prefix_log import read_prefix_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from tokencost.workloads.cache_comparison import CacheComparison
    from tokencost.workloads.cache_rule import CacheRule, CacheRules
    from tokencost.workloads.prefix_trace import PrefixTrace

__all__ = ["DEFAULT_PAIRS", "cache"]

DEFAULT_PAIRS: Final = (
    ("deepseek", "deepseek/global/deepseek-v4-pro"),
    ("openai", "openai/global/gpt-5.1"),
    ("anthropic-5m", "anthropic/global/claude-sonnet-4-5"),
    ("anthropic-1h", "anthropic/global/claude-sonnet-4-5"),
    ("alibaba-implicit", "alibaba/global/qwen3-max"),
    ("alibaba-explicit", "alibaba/global/qwen3-max"),
)
"""What a log is replayed under when no rule is named: well-known offerings with the rules of their providers."""

_SHOWN_BAD_ROWS: Final = 10


def _rules_option(command: Callable[..., Any]) -> Callable[..., Any]:
    what = "Cache rules of your own instead of the shipped ones: a TOML file or a folder of them."
    return click.option("--rules", "rules_path", type=click.Path(path_type=Path), metavar="PATH", help=what)(command)


@click.group(short_help="Prompt caches: their rules, and what a log costs under them.")
def cache() -> None:
    """Prompt caches: the rules of providers, what a log costs under them, and when a cache has paid."""


@cache.command(
    cls=ToldCommand,
    short_help="The cache rules of providers, with their sources.",
    examples=("tokencost cache rules", "tokencost cache rules openai anthropic-1h"),
)
@click.argument("names", nargs=-1, metavar="[RULE]...")
@_rules_option
@json_option
def rules(names: tuple[str, ...], *, rules_path: Path | None, as_json: bool) -> None:
    """Show all cache rules in a table, or those that are named with every key, source and note."""
    every = load_cache_rules(rules_path)
    found = [every[name] for name in names] or list(every.values())
    if as_json:
        emit_json([record for rule in found for record in rule.records()])
    elif names:
        click.echo("\n\n".join(rule.table().text() for rule in found))
    else:
        click.echo(every.table().text())


@cache.command(
    cls=ToldCommand,
    short_help="A log with block ids under cache rules, cheapest first.",
    examples=(
        "tokencost cache replay requests.jsonl --rule anthropic-5m --rule anthropic-1h --model claude-sonnet-4-5 --at 2026-03-01T00:00:00Z",
        "tokencost cache replay requests.jsonl --rule openai --model gpt-4o --model gpt-5.1 --lifetime 3600 --at 2026-03-01T00:00:00Z",
        "tokencost cache replay requests.jsonl --rule deepseek --model deepseek-chat --at each --start 2025-03-01T16:00:00Z",
    ),
)
@click.argument("trace", type=click.Path(path_type=Path), metavar="TRACE")
@click.option(
    "--rule", "names", multiple=True, metavar="RULE", help="A cache rule by its id; `tokencost cache rules` shows them. Repeatable."
)
@click.option("--model", "models", multiple=True, metavar="MODEL", help="An offering that every rule is rated on. Repeatable.")
@click.option("--at", metavar="INSTANT", help="The instant to rate at, with its offset, or 'each' for every request at its own.")
@click.option("--start", metavar="INSTANT", help="The instant that is 0 in the log, with --at each.")
@click.option("--block-size", type=int, metavar="TOKENS", help="The tokens of one block; found where the log leaves one power of two.")
@click.option("--time-unit", type=click.Choice(["ms", "s"]), default="ms", help="What numbers in the column of times count; ms by default.")
@click.option("--column", "columns", multiple=True, metavar="PART=NAME", help="The column of at, input, output or blocks. Repeatable.")
@click.option("--lifetime", type=int, metavar="SECONDS", help="Another lifetime than the rules have.")
@plot_option
@choice_options
@_rules_option
@tables_option
@json_option
def replay(trace: Path, *, at: str | None, names: tuple[str, ...], models: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Replay TRACE through cache rules, and rate it with and without the cache.

    TRACE is a log in JSON lines with the ids of each prompt's blocks, equal for equal beginnings. Every --rule is rated on every --model;
    without either, well-known offerings are taken under the rules of their providers. Hit rates are upper bounds: the cache has room
    for everything. Without --at now is taken, and the output says which instant that was.
    """
    if bool(names) != bool(models):
        raise click.UsageError("a rule is rated on a model; pass both --rule and --model, or neither")
    every = load_cache_rules(options["rules_path"])
    log = read_prefix_trace(
        trace,
        block_size=options["block_size"],
        columns=_columns(options["columns"]),
        time_unit=options["time_unit"],
        start=options["start"],
    )
    instant, note = _instant(at)
    chosen = {key: options[key] for key in ("currency", "service_tier", "mode", "residency")}
    pairs = [(name, model) for name in names for model in models] or list(DEFAULT_PAIRS)
    result = compare_cache_rules(log, _lasting(every, pairs, options["lifetime"]), at=instant, book=open_book(options["tables"]), **chosen)
    plot = options["plot"]
    written = None if plot is None else write_figure(plot, plot_hit_rate(result))
    if as_json:
        emit_json({**_head(result, log), "at_is_now": at is None, "bad_rows": list(log.bad), "rules": result.records()})
    else:
        click.echo(result.table().text())
        for line in filter(None, (note, written)):
            click.echo(line)
    for line in _about(log):
        click.echo(line, err=True)


@cache.command(
    "break-even",
    cls=ToldCommand,
    short_help="How many reads pay for one write to a cache.",
    examples=(
        "tokencost cache break-even anthropic-1h claude-sonnet-4-5 --at 2026-03-01T00:00:00Z",
        "tokencost cache break-even google-explicit gemini-2.5-pro --tokens 50000 --at 2026-03-01T00:00:00Z",
    ),
)
@click.argument("rule")
@click.argument("model")
@at_option("Without it now is taken, and the output says which instant that was.")
@click.option("--tokens", type=int, metavar="N", help="The size of the prefix; the rule's minimum by default.")
@choice_options
@_rules_option
@tables_option
@json_option
def break_even(rule: str, model: str, *, at: datetime | None, tokens: int | None, as_json: bool, **options: Any) -> None:
    """Say how often a prefix must be read within one lifetime of RULE before writing it on MODEL has paid."""
    chosen = {key: options[key] for key in ("currency", "service_tier", "mode", "residency")}
    found = load_cache_rules(options["rules_path"])[rule]
    even = cache_break_even(model, rule=found, at=at or now(), tokens=tokens, book=open_book(options["tables"]), **chosen)
    if as_json:
        emit_json({**even.records()[0], "at_is_now": at is None})
        return
    click.echo(even.table().text())
    if at is None:
        click.echo(f"instant: now, {iso(even.at)}; --at asks for another")


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        part, equals, column = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is no part and column; write it like blocks=hash_ids", param_hint="'--column'")
        columns[part.strip()] = column.strip()
    return columns


def _instant(text: str | None) -> tuple[datetime | str, str]:
    if text == "each":
        return "each", ""
    if text is not None:
        return to_instant(text), ""
    moment = now()
    return moment, f"instant: now, {iso(moment)}; --at asks for another"


def _lasting(every: CacheRules, pairs: Sequence[tuple[str, str]], lifetime: int | None) -> list[tuple[CacheRule, str]]:
    found = [(every[name], model) for name, model in pairs]
    return found if lifetime is None else [(rule.with_lifetime(lifetime), model) for rule, model in found]


def _head(result: CacheComparison, log: PrefixTrace) -> dict[str, Any]:
    return {
        "title": result.title,
        "at": None if result.at is None else iso(result.at),
        "requests": result.requests,
        "tokens": result.tokens,
        "block_size": log.block_size,
        "reordered": log.reordered,
    }


def _about(log: PrefixTrace) -> Iterator[str]:
    """Say what of a log was put right, and what was left out."""
    if log.reordered:
        yield f"{log.reordered:,} row{'s' * (log.reordered != 1)} stood before an earlier one; the log was put in the order of its times"
    if not log.bad:
        return
    yield f"{len(log.bad):,} row{'s' * (len(log.bad) > 1)} could not be read and {'are' if len(log.bad) > 1 else 'is'} left out:"
    for row in log.bad[:_SHOWN_BAD_ROWS]:
        yield f"  row {row.number}: {row.reason}"
    if len(log.bad) > _SHOWN_BAD_ROWS:
        yield f"  and {len(log.bad) - _SHOWN_BAD_ROWS:,} more"
