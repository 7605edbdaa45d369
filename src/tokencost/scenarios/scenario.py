"""Scenarios: a stretch of time, the moves in it, and how sellers react; in ten lines of TOML or Python."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from tokencost.errors import ScenarioError, UnknownNameError, nearest
from tokencost.scenarios.move import Move, Reaction, checked_prices
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.files import read_toml
from tokencost.tariffs.money import currency_code
from tokencost.tariffs.shipped import named_file, shipped_folder, shipped_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from tokencost.workloads.workload import Workload

__all__ = ["Scenario", "load_scenario", "shipped_scenarios"]

_BASELINES: Final = ("frozen", "known", "history")
_KEYS: Final = frozenset(
    {"title", "start", "until", "move", "reaction", "currency", "costs", "offerings", "baseline", "workload", "source", "note"}
)
_MOVE_KEYS: Final = frozenset(Move.__dataclass_fields__) - {"version", "promo"}
_DAY: Final = 24 * 3600 * 10**6
_REACTION_KEYS: Final = (frozenset(Reaction.__dataclass_fields__) - {"lag"}) | {"lag_days"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A price war: moves on [start, until) over lists that stand still otherwise.

    With `baseline="frozen"` the lists of all offerings named stay as they are at the start; with `"known"` prices that were announced by
    then still come; with `"history"` everything comes that the tables have. `costs` are marginal costs by offering; `offerings` take part
    without a move of their own. `workload` is what the result is shown on, by name or as its document.

    >>> cut = Move(at="2026-12-01T00:00:00Z", offering="gpt-4o", kind="cut", by="0.5")
    >>> Scenario(title="half price", start="2026-11-21T00:00:00Z", until="2027-03-01T00:00:00Z", moves=(cut,)).moves[0].at.month
    12

    Raises:
        ScenarioError: it ends before it begins, a move lies outside, or nothing happens.
        InstantError: an instant without an offset.
        MoneyError: there is no such currency.
    """

    title: str
    start: datetime
    until: datetime
    moves: tuple[Move, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    currency: str | None = None
    costs: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict[str, "Mapping[str, Decimal]"])
    offerings: tuple[str, ...] = ()
    baseline: Literal["frozen", "known", "history"] = "frozen"
    workload: str | Workload | None = None
    source: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if self.baseline not in _BASELINES:
            raise UnknownNameError.of(str(self.baseline), _BASELINES, what="baseline", where=" and ".join(_BASELINES))
        start, until = to_instant(self.start), to_instant(self.until)
        if not start < until:
            raise ScenarioError(f"scenario {self.title!r} ends at {iso(until)}, not after it begins; move its end", value=until)
        if not self.moves and not self.reactions and self.baseline == "frozen":
            raise ScenarioError(f"scenario {self.title!r} has no move; add one, like kind = 'cut', by = 0.5", value=())
        if self.currency is not None:
            object.__setattr__(self, "currency", currency_code(self.currency))
        moves = tuple(_at_instants(move) for move in self.moves)
        for move in moves:
            if move.kind == "list":
                raise ScenarioError(f"{move}: lists come from the tables, with baseline 'history' or 'known'; use set", value=move.kind)
            if not start <= move.at < until:
                raise ScenarioError(f"{move} lies outside the scenario, {iso(start)} to {iso(until)}; move one of the two", value=move.at)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "until", until)
        object.__setattr__(self, "moves", moves)
        object.__setattr__(self, "reactions", tuple(self.reactions))
        for reaction in self.reactions:
            if not isinstance(reaction.lag, timedelta) or reaction.lag < timedelta(0):
                raise ScenarioError(
                    f"lag {reaction.lag!r} of the reaction of {reaction.offering} is no time; pass a timedelta of 0 or more",
                    value=reaction.lag,
                )
        object.__setattr__(self, "costs", {name: checked_prices(costs, what=f"the costs of {name}") for name, costs in self.costs.items()})

    @property
    def names(self) -> tuple[str, ...]:
        """Everyone who takes part, as they are named."""
        found = [*self.offerings, *self.costs]
        for move in self.moves:
            found += [move.offering, *move.targets]
        for reaction in self.reactions:
            found += [reaction.offering, *reaction.targets]
        return tuple(dict.fromkeys(found))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Scenario:
        """Build a scenario from the document of its TOML file.

        Raises:
            ScenarioError: a key is missing or unknown, or what it says cannot be.
        """
        _known(document, _KEYS, where="a scenario")
        for key in ("start", "until"):
            if key not in document:
                raise ScenarioError(f"the scenario has no {key}; write {key} = 2026-12-01T00:00:00Z", value=key)
        workload = document.get("workload")
        if isinstance(workload, dict):
            from tokencost.workloads.workload import Workload

            workload = Workload.of(cast("dict[str, Any]", workload))
        return cls(
            title=str(document.get("title", "scenario")),
            start=document["start"],
            until=document["until"],
            moves=tuple(_move(row) for row in document.get("move", [])),
            reactions=tuple(_reaction(row) for row in document.get("reaction", [])),
            currency=document.get("currency"),
            costs=document.get("costs", {}),
            offerings=tuple(document.get("offerings", ())),
            baseline=document.get("baseline", "frozen"),
            workload=workload,
            source=document.get("source"),
            note=document.get("note"),
        )


def _known(row: Mapping[str, Any], keys: frozenset[str], *, where: str) -> None:
    for key in row:
        if key not in keys:
            near = nearest(key, keys)
            hint = f"did you mean {' or '.join(repr(name) for name in near)}?" if near else f"it has {', '.join(sorted(keys))}"
            raise ScenarioError(f"{where} has no key {key!r}; {hint}", value=key)


def _move(row: Mapping[str, Any]) -> Move:
    _known(row, _MOVE_KEYS, where="a move")
    for key in ("at", "offering", "kind"):
        if key not in row:
            raise ScenarioError(f"a move has no {key}; write at, offering and kind", value=dict(row))
    return Move(**row)


def _reaction(row: Mapping[str, Any]) -> Reaction:
    _known(row, _REACTION_KEYS, where="a reaction")
    words: dict[str, Any] = {key: value for key, value in row.items() if key != "lag_days"}
    for key in ("offering", "kind", "targets"):
        if key not in row:
            raise ScenarioError(f"a reaction has no {key}; write offering, kind, targets and lag_days", value=dict(row))
    days = row.get("lag_days", 0)
    if isinstance(days, bool) or not isinstance(days, (int, Decimal)) or days < 0:
        raise ScenarioError(f"lag_days={days!r} is no number of days; write 0 or more", value=days)
    return Reaction(lag=timedelta(microseconds=round(days * _DAY)), **words)


def _at_instants(move: Move) -> Move:
    until = None if move.until is None else to_instant(move.until)
    return replace(move, at=to_instant(move.at), until=until)


def _folder() -> Path:
    return shipped_folder("scenarios", packed="scenarios_data")


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that ship with the package.

    >>> shipped_scenarios()
    ('deepseek-2024-2026', 'may-2024', 'own-what-if', 'r1-shock-2025', 'two-tier-2025')
    """
    return shipped_names(_folder())


def load_scenario(name: str | Path) -> Scenario:
    """Return a shipped scenario by name, or one of your own by the path of its TOML file.

    >>> load_scenario("may-2024").title
    'The cascade of May 2024'

    Raises:
        UnknownNameError: no shipped scenario has this name, and it is no file.
        TableError: the file is not TOML.
        ScenarioError: what it says cannot be.
    """
    return Scenario.of(read_toml(named_file(name, _folder(), what="scenario")))
