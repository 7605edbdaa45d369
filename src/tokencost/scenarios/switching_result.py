"""Results of switching: the path of each policy, what it paid, and how policies compare."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tokencost.errors import UnknownNameError
from tokencost.exact import from_fraction
from tokencost.scenarios.amount import shown
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

    from tokencost.scenarios.cost_paths import CostPaths

__all__ = ["BuyerPath", "Switching"]


@dataclass(frozen=True, slots=True)
class BuyerPath:
    """Where a buyer is each month under a policy, and what that costs; exact.

    `path` holds columns of `costs`, one for each month; it is None where the policy cannot be followed, and `note` says why. `fee` is paid
    in the month of a move, also of one away from `start` in the first month. `unique` says of an optimum that no other path costs as
    little; it is None for other policies.
    """

    policy: str
    costs: CostPaths
    start: int
    path: tuple[int, ...] | None
    fee: Fraction
    unique: bool | None = None
    note: str | None = None

    @property
    def offerings(self) -> tuple[str, ...] | None:
        """The names along the path."""
        return None if self.path is None else tuple(self.costs.offerings[place] for place in self.path)

    @property
    def moves(self) -> tuple[bool, ...] | None:
        """Whether the buyer moves, month by month."""
        return None if self.path is None else tuple(before != after for before, after in pairwise((self.start, *self.path)))

    @property
    def switches(self) -> int | None:
        """How many moves were made."""
        return None if self.moves is None else sum(self.moves)

    @property
    def paid(self) -> tuple[Fraction, ...] | None:
        """What each month costs, fees included."""
        if self.path is None or self.moves is None:
            return None
        made: list[Fraction] = []
        for row, place, moved in zip(self.costs.costs, self.path, self.moves, strict=True):
            cost = row[place]
            assert cost is not None
            made.append(cost + self.fee if moved else cost)
        return tuple(made)

    @property
    def cost(self) -> Fraction | None:
        """What all months cost, fees included; None where the policy cannot be followed."""
        return None if self.paid is None else sum(self.paid[1:], self.paid[0])

    @property
    def fees(self) -> Fraction | None:
        """What all moves cost."""
        return None if self.switches is None else self.fee * self.switches

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month, ready for a data frame."""
        if self.offerings is None or self.moves is None or self.paid is None:
            return []
        return [
            {
                "policy": self.policy,
                "month": month,
                "offering": name,
                "moved": moved,
                "paid": from_fraction(paid),
                "currency": self.costs.currency,
            }
            for month, name, moved, paid in zip(self.costs.months, self.offerings, self.moves, self.paid, strict=True)
        ]

    def table(self) -> Table:
        """Return the path as a table for eyes."""
        rows = tuple((row["month"], row["offering"], "yes" if row["moved"] else "", f"{row['paid']:,.2f}") for row in self.records())
        columns = (Column("month"), Column("offering"), Column("move"), Column("paid", number=True))
        notes = () if self.note is None else (self.note,)
        return Table(f"{self.policy}: {shown(self.cost)} {self.costs.currency}", columns, rows, notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


@dataclass(frozen=True, slots=True)
class Switching:
    """Four policies on the same prices. All amounts are exact, in the currency of the cost paths, and None where a policy has no cost."""

    status_quo: BuyerPath
    greedy: BuyerPath
    threshold: BuyerPath
    optimal: BuyerPath

    @property
    def policies(self) -> tuple[BuyerPath, ...]:
        """The four, the one that does least first."""
        return self.status_quo, self.greedy, self.threshold, self.optimal

    @property
    def frontier_bound(self) -> Fraction | None:
        """The cheapest offering of every month added up, moves for nothing: not a saving that can be had."""
        return self.optimal.costs.frontier_bound

    def regret(self, policy: str) -> Fraction | None:
        """Return what a policy costs more than the optimum.

        Raises:
            UnknownNameError: there is no such policy.
        """
        return _difference(self._named(policy).cost, self.optimal.cost)

    def saving(self, policy: str = "optimal") -> Fraction | None:
        """Return what a policy costs less than the status quo, fees paid.

        Raises:
            UnknownNameError: there is no such policy.
        """
        return _difference(self.status_quo.cost, self._named(policy).cost)

    def _named(self, policy: str) -> BuyerPath:
        named = {path.policy.replace(" ", "_"): path for path in self.policies}
        if policy.replace(" ", "_") not in named:
            raise UnknownNameError.of(policy, named, what="policy", where=", ".join(named))
        return named[policy.replace(" ", "_")]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each policy, ready for a data frame."""
        return [
            {
                "policy": path.policy,
                "cost": _decimal(path.cost),
                "switches": path.switches,
                "fees": _decimal(path.fees),
                "saving": _decimal(self.saving(path.policy)),
                "regret": _decimal(self.regret(path.policy)),
                "currency": path.costs.currency,
            }
            for path in self.policies
        ]

    def table(self) -> Table:
        """Return the four policies as a table for eyes."""
        numbers = ("cost", "moves", "saving", "regret")
        rows = tuple(
            (
                path.policy,
                shown(path.cost),
                "—" if path.switches is None else str(path.switches),
                shown(self.saving(path.policy)),
                shown(self.regret(path.policy)),
            )
            for path in self.policies
        )
        notes = [f"frontier, moves for nothing: {shown(self.frontier_bound)}; no buyer reaches it who pays for moves"]
        if self.optimal.unique is False:
            notes.append("the optimum is not the only path of its cost")
        notes += [f"{path.policy} has no cost: {path.note}" for path in self.policies if path.note is not None]
        title = f"{len(self.optimal.costs.months)} months at {shown(self.optimal.fee)} a move, in {self.optimal.costs.currency}"
        return Table(title, (Column("policy"), *(Column(name, number=True) for name in numbers)), rows, tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _difference(left: Fraction | None, right: Fraction | None) -> Fraction | None:
    return None if left is None or right is None else left - right


def _decimal(number: Fraction | None) -> Decimal | None:
    return None if number is None else from_fraction(number)
