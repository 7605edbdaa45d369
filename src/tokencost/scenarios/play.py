"""Playing: from a book and a scenario to the book after the war, its log, and what it was worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tokencost.errors import ScenarioError, UnitError
from tokencost.rating.book import load_book
from tokencost.scenarios.history import moves_of_tables, running_promotions
from tokencost.scenarios.played import Played
from tokencost.scenarios.price_path import PricePath
from tokencost.scenarios.rewrite import Template, rewritten, template_of
from tokencost.scenarios.scenario import Scenario, load_scenario
from tokencost.scenarios.unit import Unit
from tokencost.tariffs.tariff import Tariff

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tokencost.rating.book import Book
    from tokencost.scenarios.move import Move

__all__ = ["play"]


def play(scenario: Scenario | str | Path, book: Book | None = None) -> Played:
    """Play a scenario on a book: moves, then reactions, then promotions above the lists.

    The book itself does not change. The result has the book after the war, in which quotes, columns and estimates work as in any other,
    the same book without the moves, and a log of everything that happened.

    >>> import tokencost as tc
    >>> from tokencost.scenarios.move import Move
    >>> half = Move(at="2026-12-01T00:00:00Z", offering="gpt-4o", kind="cut", by="0.5")
    >>> played = play(Scenario(title="half", start="2026-11-21T00:00:00Z", until="2027-03-01T00:00:00Z", moves=(half,)))
    >>> [played.book.cost("gpt-4o", tc.Usage(output=1_000_000), at=at) for at in ("2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z")]
    [Decimal('10'), Decimal('5')]

    Raises:
        ScenarioError: a move before launch, an unknown seller among the targets, promotions that overlap.
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        NoRateError: an offering has no list in the scenario's currency.
        UnitError: a seller follows one whose list is in another currency.
        TableError: what the moves lead to is no list: a tier above a tier, windows that share a minute.
    """
    known = load_book() if book is None else book
    made = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    ids = {name: _id_of(known, made, name) for name in made.names}
    launched = {ids[move.offering] for move in made.moves if move.kind == "launch"}
    templates = {offering: _template(known, made, offering, launched=launched) for offering in dict.fromkeys(ids.values())}
    moves = [_resolved(move, ids) for move in made.moves]
    tables = moves_of_tables(known, made, templates)
    moves = sorted([*tables, *moves], key=lambda move: move.at)
    reactions = [
        replace(reaction, offering=ids[reaction.offering], targets=tuple(ids[name] for name in reaction.targets))
        for reaction in made.reactions
    ]
    for part in (*moves, *reactions):
        _same_currency(part.offering, part.targets, templates)
    running = running_promotions(made, templates)
    initial = {name: dict(template.base) if template.version is not None else None for name, template in templates.items()}
    war = PricePath(
        initial,
        moves=moves,
        reactions=reactions,
        costs={ids[name]: dict(costs) for name, costs in made.costs.items()},
        running=running,
        start=made.start,
        until=made.until,
    )
    before = PricePath(initial, moves=tables, running=running, start=made.start, until=made.until)
    clocks_until = made.start if made.baseline == "frozen" else made.until
    return Played(
        scenario=made,
        book=rewritten(known, templates, war.paths, moves, clocks_until=clocks_until),
        before=rewritten(known, templates, before.paths, tables, clocks_until=clocks_until),
        war=war,
        currencies={name: template.currency for name, template in templates.items()},
    )


def _id_of(book: Book, scenario: Scenario, name: str) -> str:
    if any(move.kind == "launch" and move.offering == name for move in scenario.moves) and not book.shelf.has(name):
        if name.count("/") < 2:  # noqa: PLR2004
            raise ScenarioError(f"launch of {name!r}: name it provider/endpoint/model, like 'me/global/cheap-1'", value=name)
        return name
    return book.resolve(name).offering


def _same_currency(offering: str, targets: tuple[str, ...], templates: Mapping[str, Template]) -> None:
    own = Unit(templates[offering].currency)
    for target in targets:
        other = Unit(templates[target].currency)
        if own != other:
            raise UnitError(
                f"{offering} is priced in {own} and follows {target}, which is in {other}; set the scenario's currency to one both have",
                left=own,
                right=other,
            )


def _template(book: Book, scenario: Scenario, offering: str, *, launched: set[str]) -> Template:
    currency = scenario.currency
    if not book.shelf.has(offering):
        tariff = Tariff(id=offering, publisher=offering.split("/", 1)[0], versions=())
        return Template(tariff, None, currency or book.currency, {})
    template = template_of(book, offering, scenario.start, currency=currency)
    if template.version is None and offering not in launched and scenario.baseline == "frozen":
        raise ScenarioError(
            f"{offering} is not on sale at {scenario.start:%Y-%m-%d}, when the scenario begins; launch it, or leave it out", value=offering
        )
    return template


def _resolved(move: Move, ids: Mapping[str, str]) -> Move:
    return replace(move, offering=ids[move.offering], targets=tuple(ids[name] for name in move.targets))
