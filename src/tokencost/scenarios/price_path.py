"""Price paths: the list and the effective price of every seller over time, as moves, reactions and promotions make them.

At one instant moves come first, in the order given, then reactions, in theirs. A reaction looks at effective prices, which promotions
lower, as they were its lag before; a promotion never edits the list underneath. Floors bind reactions and one-off matching, not promotions
and not moves: prices below cost are flagged, not forbidden. (Order as in the deterministic timeline of the economics notes.)
"""

from __future__ import annotations

import heapq
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import ScenarioError
from tokencost.exact import EXACT, plain
from tokencost.scenarios.move import touched
from tokencost.scenarios.seller_path import Event, Promotion, SellerPath

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokencost.scenarios.move import Move, Prices, Reaction

__all__ = ["PricePath"]

_MOST_ANSWERS: Final = 20_000
_MOST_AT_ONCE: Final = 100
"""Answers of one seller at one instant after which those who answer at once are taken to go on for ever."""
_ONE: Final = Decimal(1)
_STEP: Final = Decimal("1e-12")
"""What answers are rounded to, half-even: a chain of shares would grow a digit with every link."""
_DECIMALS: Final = -12
_WIDE: Final = Context(prec=400)
_ENDS, _MOVES, _REACTIONS = range(3)
"""What comes first at one instant: promotions end, moves are made, others react."""
_VECTOR_MOVES: Final = frozenset({"set", "cut", "raise", "free", "match", "undercut", "launch", "list"})


class PricePath:
    """A war of prices played from a start to an end.

    `initial` maps sellers to their list prices by meter; `costs` are marginal costs, the floors of reactions that name none, and what
    prices are held against; `running` are promotions that began before. Instants may be datetimes or months counted in whole numbers; a
    lag is what can be added to them. `unsettled` says why a war did not come to rest: sellers answered each other without end at one
    instant, or were still doing so when the time ran out.

    >>> from tokencost.scenarios.move import Move, Reaction
    >>> war = PricePath(
    ...     {"A": {"price": Decimal(2)}, "B": {"price": Decimal(5)}},
    ...     moves=[Move(at=1, offering="A", kind="set", prices={"price": 1})],
    ...     reactions=[Reaction(offering="B", kind="undercut", by=Decimal("0.1"), targets=("A",), lag=1)],
    ...     start=0, until=6,
    ... )
    >>> [str(war.paths["B"].list_at(month)["price"]) for month in range(4)]
    ['5', '1.8', '0.9', '0.9']

    Raises:
        ScenarioError: a move of an unknown seller or before its launch, promotions that overlap, a floor above the list.
    """

    def __init__(
        self,
        initial: Mapping[str, Prices | None],
        *,
        moves: Sequence[Move] = (),
        reactions: Sequence[Reaction] = (),
        costs: Mapping[str, Prices] | None = None,
        running: Mapping[str, Sequence[Promotion]] | None = None,
        start: Any,
        until: Any,
    ) -> None:
        self.start, self.until = start, until
        self.costs = costs or {}
        self.initial = dict(initial)
        self.reactions = tuple(reactions)
        self.events: list[Event] = []
        self.unsettled: str | None = None
        self.paths: dict[str, SellerPath] = {}
        for name, prices in initial.items():
            self.paths[name] = SellerPath()
            self.paths[name].write(start, prices)
            self.paths[name].promotions += (running or {}).get(name, ())
        self._check(moves, initial)
        self._due: list[tuple[Any, int, int]] = []  # when something is due, of which phase, and which
        self._asked: set[tuple[Any, int]] = set()
        self._answers: set[tuple[Any, int]] = set()  # those that were asked for by a reaction, not by a move
        self._moves = [move for move in moves if start <= move.at < until]
        for number, move in enumerate(self._moves):
            heapq.heappush(self._due, (move.at, _MOVES, number))
        self._ending: list[tuple[str, Promotion]] = []
        for name, path in self.paths.items():
            for promotion in path.promotions:
                self._will_end(name, promotion)
        for number, reaction in enumerate(self.reactions):
            self._ask(start + reaction.lag, number)
        self._play()

    @property
    def settled(self) -> bool:
        """Say whether the war came to rest."""
        return self.unsettled is None

    def _check(self, moves: Sequence[Move], initial: Mapping[str, Prices | None]) -> None:
        named = [(move.offering, str(move)) for move in moves]
        named += [(target, str(move)) for move in moves for target in move.targets]
        named += [(name, f"the reaction of {r.offering}") for r in self.reactions for name in (r.offering, *r.targets)]
        for name, where in named:
            if name not in self.paths:
                raise ScenarioError(f"{where} names {name!r}, which is not in the scenario; it has {', '.join(self.paths)}", value=name)
        for reaction in self.reactions:
            prices = initial[reaction.offering] or {}
            for meter, least in reaction.floor.items():
                if meter in prices and least > prices[meter]:
                    raise ScenarioError(
                        f"the floor of {reaction.offering}, {meter} {least}, is above its list price {prices[meter]}; lower it", value=least
                    )

    # -- the loop ----------------------------------------------------------------------------------------------------------------------

    def _play(self) -> None:
        at_once: dict[tuple[Any, int], int] = {}
        answers = 0
        while self._due:
            at, phase, number = heapq.heappop(self._due)
            if at >= self.until:
                if phase == _REACTIONS and (at, number) in self._answers and self._answer(number, at) != self._list_of(number, at):
                    self.unsettled = "sellers were still answering each other when the time ran out"
            elif phase == _ENDS:
                self._end(*self._ending[number])
            elif phase == _MOVES:
                self._move(self._moves[number])
            else:
                self._asked.discard((at, number))
                made = at_once[at, number] = at_once.get((at, number), 0) + self._react(number, at)
                answers += 1
                if made > _MOST_AT_ONCE or answers > _MOST_ANSWERS:
                    self.unsettled = f"sellers answered each other without end at {at}; the play was cut off there"
                    return

    def _ask(self, at: Any, number: int, *, by: str = "move") -> None:
        """Put a reaction on the agenda, with all others of its seller: rules of one seller are looked at together, in their order."""
        offering = self.reactions[number].offering
        for other, reaction in enumerate(self.reactions):
            if reaction.offering != offering or at < self.start + reaction.lag:
                continue
            if by == "reaction":
                self._answers.add((at, other))
            if (at, other) not in self._asked:
                self._asked.add((at, other))
                heapq.heappush(self._due, (at, _REACTIONS, other))

    def _changed(self, name: str, at: Any, *, by: str = "move") -> None:
        """Ask those who watch a seller to react, each after its lag."""
        for number, reaction in enumerate(self.reactions):
            if name in reaction.targets:
                self._ask(at + reaction.lag, number, by=by)

    def _will_end(self, name: str, promotion: Promotion) -> None:
        heapq.heappush(self._due, (promotion.until, _ENDS, len(self._ending)))
        self._ending.append((name, promotion))
        self._changed(name, promotion.until)

    def _move(self, move: Move) -> None:
        path, at = self.paths[move.offering], move.at
        known = path.list_at(at)
        if known is None and move.kind not in ("launch", "list"):
            raise ScenarioError(f"{move}: it is not on sale then; launch it first", value=move.offering)
        if known is not None and move.kind == "launch":
            raise ScenarioError(f"{move}: it is on sale already; set its prices instead", value=move.offering)
        if move.kind == "promotion":
            self._promote(path, move)
        elif move.kind == "withdraw":
            path.write(at, None)
            self._log(move.offering, at, "withdraw", before=known, after=None, cause="move", source=move.source)
        elif move.kind in _VECTOR_MOVES:
            after = self._after(move, known or {})
            self._hold_floors(move, known, after)
            path.write(at, after)
            self._log(move.offering, at, move.kind, before=known, after=after, cause="move", source=move.source)
            if move.kind == "list" and after == known:  # its windows or its dearer rows are new
                self.events.append(Event(at, move.offering, move.kind, "", None, None, "move", move.source))
        else:
            self.events.append(Event(at, move.offering, move.kind, "", None, move.by, "move", move.source))
        self._changed(move.offering, at)
        for number, reaction in enumerate(self.reactions):
            if reaction.offering == move.offering and not at < self.start + reaction.lag:
                self._ask(at, number)

    def _after(self, move: Move, known: Prices) -> Prices:
        if move.kind in ("set", "launch", "list"):
            return dict(move.prices) if move.kind == "list" else {**known, **move.prices}
        if move.kind == "free":
            return {meter: Decimal(0) if move.touches(meter) else price for meter, price in known.items()}
        if move.kind in ("match", "undercut"):
            factor = _ONE - (move.by or 0)
            found = self._lowest(move.targets, move.at)
            targets = {m: max(_stepped(EXACT.multiply(p, factor)), move.floor.get(m, Decimal(0))) for m, p in found.items()}
            return {m: targets[m] if move.touches(m) and m in targets else price for m, price in known.items()}
        assert move.by is not None, "a cut and a raise have a share"
        factor = _ONE - move.by if move.kind == "cut" else _ONE + move.by
        return {m: plain(EXACT.multiply(price, factor)) if move.touches(m) else price for m, price in known.items()}

    def _hold_floors(self, move: Move, known: Prices | None, after: Prices) -> None:
        """Refuse floors that are above the list, where a seller matches once or comes to the market."""
        floors = [(move.floor, known or {})]
        if move.kind == "launch":
            floors += [(reaction.floor, after) for reaction in self.reactions if reaction.offering == move.offering]
        for floor, listed in floors:
            for meter, least in floor.items():
                if meter in listed and least > listed[meter]:
                    raise ScenarioError(
                        f"{move}: its floor, {meter} {least}, is above its list price {listed[meter]}; lower it", value=least
                    )

    def _promote(self, path: SellerPath, move: Move) -> None:
        for other in path.promotions:
            if move.at < other.until and other.start < move.until:
                raise ScenarioError(
                    f"{move} overlaps the promotion from {other.start} to {other.until}; begin when that one has ended", value=move.at
                )
        known = path.list_at(move.at) or {}
        for meter in move.prices:
            if meter not in known:
                raise ScenarioError(f"{move} is on {meter}, which has no list price; it has {', '.join(known)}", value=meter)
        ended = next((other for other in path.promotions if other.until == move.at), None)
        before = known if ended is None else ended.applied(known)
        promotion = Promotion(move.at, move.until, _ONE - (move.by or 0), move.meters, move.prices, move.promo)
        path.promotions.append(promotion)
        after = promotion.applied(known)
        self._log(move.offering, move.at, "promotion", before=before, after=after, cause="move", source=move.source)
        if before == after:  # one that was extended
            self.events.append(Event(move.at, move.offering, move.kind, "", None, None, "move", move.source))
        self._will_end(move.offering, promotion)

    def _end(self, name: str, promotion: Promotion) -> None:
        """Log the end of a promotion: the list underneath is paid again, or another promotion follows."""
        at = promotion.until
        known = self.paths[name].list_at(at)
        if known is None or any(move.kind == "promotion" and (move.offering, move.at) == (name, at) for move in self._moves):
            return
        self._log(name, at, "promotion_end", before=promotion.applied(known), after=known, cause="move", source=None)

    # -- reactions ---------------------------------------------------------------------------------------------------------------------

    def _react(self, number: int, at: Any) -> bool:
        """Let a seller react, and say whether its prices changed."""
        reaction, known, after = self.reactions[number], self._list_of(number, at), self._answer(number, at)
        if known is None or after is None or after == known:
            return False
        self.paths[reaction.offering].write(at, after)
        self._log(reaction.offering, at, reaction.kind, before=known, after=after, cause="reaction", source=None)
        self._changed(reaction.offering, at, by="reaction")
        return True

    def _list_of(self, number: int, at: Any) -> Prices | None:
        return self.paths[self.reactions[number].offering].list_at(at)

    def _answer(self, number: int, at: Any) -> Prices | None:
        """Return the list that a reaction leads to at an instant."""
        reaction, known = self.reactions[number], self._list_of(number, at)
        if known is None:
            return None
        factor, floor = _ONE - reaction.by, self._floor(reaction)
        after = dict(known)
        for meter, price in self._lowest(reaction.targets, at - reaction.lag).items():
            if meter not in known or not touched(meter, reaction.meters):
                continue
            wanted = max(_stepped(EXACT.multiply(price, factor)), floor.get(meter, Decimal(0)))
            if wanted < known[meter] or reaction.raises == "follow":
                after[meter] = wanted
        return after

    def _floor(self, reaction: Reaction) -> Mapping[str, Decimal]:
        return reaction.floor or self.costs.get(reaction.offering, {})

    def _lowest(self, targets: Sequence[str], at: Any) -> Prices:
        """Return the lowest effective price of each meter among some sellers."""
        found: Prices = {}
        for target in targets:
            for meter, price in (self.paths[target].effective_at(at) or {}).items():
                found[meter] = min(found.get(meter, price), price)
        return found

    # -- what it comes to --------------------------------------------------------------------------------------------------------------

    def _log(self, name: str, at: Any, kind: str, *, before: Prices | None, after: Prices | None, cause: str, source: str | None) -> None:
        costs = self.costs.get(name, {})
        old_prices, new_prices = before or {}, after or {}
        for meter in {**old_prices, **new_prices}:
            old, new = old_prices.get(meter), new_prices.get(meter)
            if old != new:
                below = new is not None and meter in costs and new < costs[meter]
                self.events.append(Event(at, name, kind, meter, old, new, cause, source, below))

    def below_cost(self, name: str, at: Any) -> bool:
        """Say whether a price that is paid at an instant is below the marginal cost."""
        paid, costs = self.paths[name].effective_at(at) or {}, self.costs.get(name, {})
        return any(paid[meter] < cost for meter, cost in costs.items() if meter in paid)


def _stepped(price: Decimal) -> Decimal:
    """Return a price rounded half-even to twelve decimals, where it has more."""
    exponent = price.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _DECIMALS:
        return plain(price.quantize(_STEP, rounding=ROUND_HALF_EVEN, context=_WIDE))
    return plain(price)
