"""Two tiers: costly models of the United States beside cheap ones of China, and what it takes to earn Alibaba's outlay back.

Prices and the costs of DeepSeek's day are sourced. Shares, elasticity, growth and interest are assumptions; each is a field with its
reason, and `sensitivity` says how the answer turns on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import ScenarioError
from tokencost.rating.book import load_book
from tokencost.rating.usage import Usage
from tokencost.scenarios.best_response import best_response
from tokencost.scenarios.break_even import break_even
from tokencost.scenarios.calibration import calibrate_alpha, market_from_shares
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.outlay import annuity
from tokencost.scenarios.prices import price_number
from tokencost.scenarios.two_tier_result import Situation, TwoTierWar
from tokencost.scenarios.unit import USD_PER_MTOK
from tokencost.scenarios.zeta import cost_equation
from tokencost.workloads.compare import compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokencost.rating.book import Book
    from tokencost.scenarios.market import Market
    from tokencost.scenarios.prices import FloatArray

__all__ = ["TwoTierAssumptions", "TwoTierProduct", "two_tier_war"]

_PER: Final = 10**6


class TwoTierProduct(NamedTuple):
    """An offering in the market: who prices it, its tier, and its share of all tokens that buyers could buy (assumed)."""

    offering: str
    firm: str
    tier: str
    share: float


_PRODUCTS: Final = (
    TwoTierProduct("openai/global/o1", "OpenAI", "US", 0.03),
    TwoTierProduct("openai/global/gpt-4o", "OpenAI", "US", 0.25),
    TwoTierProduct("anthropic/global/claude-3-5-sonnet-20241022", "Anthropic", "US", 0.12),
    TwoTierProduct("deepseek/global/deepseek-reasoner", "DeepSeek", "China", 0.12),
    TwoTierProduct("deepseek/global/deepseek-chat", "DeepSeek", "China", 0.10),
    TwoTierProduct("alibaba/global/qwen-max", "Alibaba", "China", 0.08),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTierAssumptions:
    """What a war of two tiers rests on. Sourced where it says so; everything else is assumed, and yours to change.

    Fields:
        at: the instant whose paid prices, promotions included, buyers have seen.
        products: offerings, firms, tiers, and shares of all possible tokens (assumed; the rest buys none of these).
        volumes, day_cost, day_firm: millions of tokens and USD of DeepSeek's day to 2025-02-28 (published). Buyers have this mix, and
            DeepSeek's products and Alibaba's this cost for a million tokens of it; the size of the market is that day times `days`, over
            DeepSeek's share.
        cost_factor: Alibaba's marginal cost over DeepSeek's (assumed 1).
        anchor, own_elasticity: the offering whose own-price elasticity sets alpha (assumed -2.5). The -1.11 that was measured is among
            sellers of the same open model, which is another thing; at -1 or above no price is set for profit, and costs cannot be inferred.
        rho: how alike the models of a tier are, as in PyBLP (assumed).
        posted: firms whose prices stand whatever others do (assumed of DeepSeek).
        responder, follows, undercut: who answers, and what is undercut by which share where it does not maximise profit.
        outlay_cny, cny_per_usd: Alibaba's outlay on AI and cloud over three years, and the yuan for a dollar of the article on it.
        attributed: the part of it that selling tokens has to earn (assumed all).
        monthly_rate, months: interest and horizon of the annuity (assumed).
        growth: by what the responder's volume grows a month (assumed).
        training, training_us: USD of training R1, and of a model in the United States (articles).
    """

    at: str = "2025-02-01T00:00:00Z"
    products: tuple[TwoTierProduct, ...] = _PRODUCTS
    volumes: Mapping[str, int] = field(default_factory=lambda: {"cache_read": 342_000, "input": 266_000, "output": 168_000})
    day_cost: float = 87_072
    day_firm: str = "DeepSeek"
    days: int = 30
    cost_factor: float = 1.0
    anchor: str = "openai/global/gpt-4o"
    own_elasticity: float = -2.5
    rho: float = 0.6
    posted: tuple[str, ...] = ("DeepSeek",)
    responder: str = "Alibaba"
    follows: str = "deepseek/global/deepseek-reasoner"
    undercut: float = 0.1
    outlay_cny: int = 380_000_000_000
    cny_per_usd: str = "7.2464"
    attributed: float = 1.0
    monthly_rate: str = "0.008"
    months: int = 60
    growth: str = "0.05"
    training: int = 6_000_000
    training_us: int = 100_000_000

    def __post_init__(self) -> None:
        for name in ("cost_factor", "own_elasticity", "rho", "undercut", "attributed"):
            price_number(getattr(self, name), what=name)
        firms = {product.firm for product in self.products}
        for firm in (*self.posted, self.responder, self.day_firm):
            if firm not in firms:
                raise ScenarioError(f"firm {firm!r} sells nothing here; there are {', '.join(sorted(firms))}", value=firm)
        offerings = [product.offering for product in self.products]
        for name in (self.anchor, self.follows):
            if name not in offerings:
                raise ScenarioError(f"{name!r} is not among the products; there are {', '.join(offerings)}", value=name)
        if self.responder in self.posted:
            raise ScenarioError(f"{self.responder} cannot both answer and stand; take it out of posted", value=self.responder)
        if not 0 <= self.undercut < 1:
            raise ScenarioError(f"undercut {self.undercut!r} is no share off; ten per cent is 0.1", value=self.undercut)

    @property
    def unit_cost(self) -> float:
        """DeepSeek's cost of a million tokens of all kinds, in USD."""
        return self.day_cost / sum(self.volumes.values())

    @property
    def outlay(self) -> float:
        """The outlay that token sales have to earn, in USD."""
        return self.outlay_cny / float(self.cny_per_usd) * self.attributed

    @property
    def size(self) -> float:
        """Millions of tokens a month of the whole market: DeepSeek's days over DeepSeek's share."""
        return sum(self.volumes.values()) * self.days / sum(p.share for p in self.products if p.firm == self.day_firm)

    def with_shares_of(self, firm: str, factor: float) -> TwoTierAssumptions:
        """Return the same with one firm's shares times a factor."""
        return replace(self, products=tuple(p._replace(share=p.share * factor) if p.firm == firm else p for p in self.products))


def two_tier_war(assumptions: TwoTierAssumptions | None = None, *, book: Book | None = None) -> TwoTierWar:
    """Play Alibaba against DeepSeek below the prices of the United States, and ask when Alibaba's outlay comes back.

    A nested logit, tiers as nests, is calibrated to the prices that the workload of DeepSeek's day pays and to assumed shares. The costs of
    the firms of the United States are those at which their prices are set for profit, which a logit makes high for a dear product;
    DeepSeek's and Alibaba's are those of the published day. Four situations follow:
    the lists as they were; Alibaba undercuts R1; Alibaba alone sets its best price; everyone does but those who posted theirs.

    >>> war = two_tier_war()
    >>> [situation.name for situation in war.situations]
    ['lists', 'undercut', 'best response', 'equilibrium']
    >>> round(war["equilibrium"].prices["alibaba/global/qwen-max"], 2), war["equilibrium"].unit
    (1.35, 'USD/Mtok')

    Raises:
        ScenarioError: shares that sum to 1 or more, an elasticity at which no cost can be inferred.
        ConvergenceError: prices were not found.
    """
    given = assumptions or TwoTierAssumptions()
    paid = _paid(given, load_book() if book is None else book)
    market = _market(given, paid)
    lists = market.prices(paid)
    fixed = market.post({p.offering: paid[p.offering] for p in given.products if p.firm in given.posted})
    own = next(p.offering for p in given.products if p.firm == given.responder)
    lower = {**paid, own: max(paid[given.follows] * (1 - given.undercut), given.unit_cost * given.cost_factor)}
    solved = equilibrium(fixed)
    situations = (
        _situation("lists", market, lists),
        _situation("undercut", market, market.prices(lower)),
        _situation("best response", market, best_response(fixed, lists, given.responder)),
        _situation("equilibrium", market, solved.prices, residual=solved.residual),
    )
    return _result(given, market, situations)


def _paid(given: TwoTierAssumptions, book: Book) -> dict[str, float]:
    """Return what a million tokens of the workload cost on each offering, in USD."""
    usage = Usage(**given.volumes)
    names = [product.offering for product in given.products]
    rows = compare(usage, names, at=given.at, book=book, currency=USD_PER_MTOK.currency).rows
    found: dict[str, float] = {}
    for row in rows:
        if row.total is None:
            raise ScenarioError(f"{row.offering} has no price for this workload at {given.at}; leave it out", value=row.offering)
        found[row.offering] = float(row.total.amount) * _PER / sum(given.volumes.values())
    return {name: found[book.resolve(name).offering] for name in names}


def _market(given: TwoTierAssumptions, paid: Mapping[str, float]) -> Market:
    tiers = {p.offering: p.tier for p in given.products}
    anchor = next(p for p in given.products if p.offering == given.anchor)
    within = anchor.share / sum(p.share for p in given.products if p.tier == tiers[given.anchor])
    alpha = calibrate_alpha(
        own_elasticity=given.own_elasticity,
        price=paid[given.anchor],
        share=anchor.share,
        within_share=within,
        rho=given.rho,
        unit=USD_PER_MTOK,
    ).alpha
    market = market_from_shares(
        shares=[p.share for p in given.products],
        prices=[paid[p.offering] for p in given.products],
        alpha=alpha,
        unit=USD_PER_MTOK,
        names=[p.offering for p in given.products],
        firm_ids=[p.firm for p in given.products],
        nesting_ids=[p.tier for p in given.products],
        rho=given.rho,
        size=given.size,
    )
    return market.with_costs(_costs(given, market, paid))


def _costs(given: TwoTierAssumptions, market: Market, paid: Mapping[str, float]) -> dict[str, float]:
    """Return marginal costs: those of the day, and for the others those at which their prices are set for profit."""
    prices = market.prices(paid)
    implied = dict(zip(market.names, (prices - cost_equation(market, prices)).tolist(), strict=True))
    costs: dict[str, float] = {}
    for product in given.products:
        if product.firm == given.responder:
            costs[product.offering] = given.unit_cost * given.cost_factor
        elif product.firm == given.day_firm:
            costs[product.offering] = given.unit_cost
        elif implied[product.offering] <= 0:
            raise ScenarioError(
                f"{product.offering}: with own_elasticity={given.own_elasticity:g} its price is set for profit only at a cost of"
                f" {implied[product.offering]:.3g}, below 0; pass a greater elasticity, like -2.5",
                value=given.own_elasticity,
            )
        else:
            costs[product.offering] = implied[product.offering]
    return costs


def _situation(name: str, market: Market, prices: FloatArray, *, residual: float | None = None) -> Situation:
    shares = market.shares(prices)
    costs = market.known_costs()

    def named(values: FloatArray) -> dict[str, float]:
        return dict(zip(market.names, values.tolist(), strict=True))

    return Situation(
        name=name,
        unit=str(market.unit),
        firms=dict(zip(market.names, map(str, market.firm_ids), strict=True)),
        prices=named(prices),
        costs=named(costs),
        shares=named(shares),
        contributions=named(market.size * shares * (prices - costs)),
        outside_share=market.outside_share(prices),
        consumer_surplus=market.consumer_surplus(prices),
        residual=residual,
    )


def _result(given: TwoTierAssumptions, market: Market, situations: tuple[Situation, ...]) -> TwoTierWar:
    own = next(p.offering for p in given.products if p.firm == given.responder)
    recovery: dict[str, Any] = {}
    plans: dict[str, Any] = {}
    for situation in situations:
        left = situation.prices[own] - situation.costs[own]
        plans[situation.name] = annuity(given.outlay, rate=given.monthly_rate, months=given.months, contribution=left)
        recovery[situation.name] = break_even(given.outlay, left, first_month=market.size * situation.shares[own], growth=given.growth)
    end = situations[-1]
    left = end.prices[given.follows] - end.costs[given.follows]
    sold = market.size * end.shares[given.follows]
    us = end.prices[given.anchor] - end.costs[given.anchor]
    training = {
        f"{given.training:,} USD, on {given.follows}": break_even(given.training, left, first_month=sold),
        f"{given.training_us:,} USD, on {given.follows}": break_even(given.training_us, left, first_month=sold),
        f"{given.training_us:,} USD, on {given.anchor}": break_even(
            given.training_us, us, first_month=market.size * end.shares[given.anchor]
        ),
    }
    return TwoTierWar(
        assumptions=given,
        responder=own,
        alpha=float(market.mixture.alphas[0]),
        size=market.size,
        own_elasticities=dict(zip(market.names, market.elasticities(situations[0].prices).diagonal().tolist(), strict=True)),
        situations=situations,
        plans=plans,
        recovery=recovery,
        training=training,
    )
