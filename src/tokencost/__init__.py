"""What tokens cost, what they did cost, and what they will cost.

Exact, dated, sourced price tables of language-model providers, and the arithmetic on top of them. Names are imported when they are
first used, so that `import tokencost` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tokencost.display.cost_bars import plot_costs
    from tokencost.display.fan_bands import plot_fan
    from tokencost.display.forecast_fan import plot_forecast
    from tokencost.display.hit_rate_lines import plot_hit_rate
    from tokencost.display.indifference_lines import plot_indifference
    from tokencost.display.price_steps import plot_prices
    from tokencost.display.share_lines import plot_index, plot_shares
    from tokencost.errors import (
        AboveListError,
        AllowanceNotice,
        AmbiguousNameError,
        AnnouncedPriceWarning,
        CalendarError,
        ColumnError,
        ConvergenceError,
        CurrencyError,
        IncompleteError,
        InstantError,
        InstantTypeError,
        LayerError,
        MixedCurrencyError,
        MoneyError,
        MoneyTypeError,
        NoRateError,
        OutsideHistoryError,
        PriceWarning,
        PromotionalPriceWarning,
        RangeError,
        ScenarioError,
        StalePriceWarning,
        StreamError,
        TableError,
        TextError,
        TextTypeError,
        TokencostError,
        TokencostWarning,
        TokenizerError,
        TraceError,
        UncertainDateWarning,
        UnitError,
        UnknownNameError,
        UnpricedMeterError,
        UsageError,
        UsageTypeError,
        WorkloadError,
    )
    from tokencost.rating.book import Book, load_book
    from tokencost.rating.claims import ClaimCheck, ClaimedLine, ClaimedPrice, explain_claim
    from tokencost.rating.costs import Costs
    from tokencost.rating.diff import diff_at
    from tokencost.rating.edition import VersionRef
    from tokencost.rating.evidence import Evidence
    from tokencost.rating.layers import Contract, Markup
    from tokencost.rating.matrix import CostMatrix
    from tokencost.rating.offering import Offering, RateCard
    from tokencost.rating.problem import Problem
    from tokencost.rating.quote import LineItem, Quote
    from tokencost.rating.selfhosted import self_hosted
    from tokencost.rating.totals import CostTotals, TotalRow
    from tokencost.rating.usage import Usage
    from tokencost.rating.usage_table import UsageColumns
    from tokencost.scenarios.move import Move, Reaction
    from tokencost.scenarios.play import play
    from tokencost.scenarios.played import Played
    from tokencost.scenarios.scenario import Scenario, load_scenario, shipped_scenarios
    from tokencost.streams.batches import BatchRater
    from tokencost.streams.distributed import rate_partitions, reprice_distributed
    from tokencost.streams.reprice import Repriced, reprice
    from tokencost.table import Table
    from tokencost.tariffs.clock import to_instant
    from tokencost.tariffs.diff import PriceChange, PriceDiff, diff_shelves
    from tokencost.tariffs.fx import Conversion, ExchangeRate, ExchangeTable
    from tokencost.tariffs.meter import METERS, Meter
    from tokencost.tariffs.money import Money
    from tokencost.tariffs.names import Piece, Resolution
    from tokencost.tariffs.provider import Alias, Claim, Endpoint, NameRule, Provider, Source
    from tokencost.tariffs.schedule import Calendar, Schedule, Window
    from tokencost.tariffs.tariff import Adjustment, Allowance, Promo, Rate, Tariff, Version
    from tokencost.workloads.cache_break_even import CacheBreakEven, cache_break_even
    from tokencost.workloads.cache_comparison import CacheComparison, CachedCost, compare_cache_rules
    from tokencost.workloads.cache_replay import CacheReplay, HitRate
    from tokencost.workloads.cache_rule import CacheRule, CacheRules
    from tokencost.workloads.cache_rules import load_cache_rules
    from tokencost.workloads.compare import Compared, Comparison, compare
    from tokencost.workloads.comparison import Route, RouterBound, SegmentChoice, SegmentCost
    from tokencost.workloads.cost_estimate import CostQuantile, CostShare, Estimate
    from tokencost.workloads.cost_grid import CostGrid, GridChoice
    from tokencost.workloads.credits import Credit
    from tokencost.workloads.estimate import estimate
    from tokencost.workloads.forecast import Forecast, ForecastMonth, Passing, PriceEvent, forecast
    from tokencost.workloads.frontier import Frontier, FrontierRow
    from tokencost.workloads.headline import HeadlineGap, headline_gap
    from tokencost.workloads.indifference import Indifference, indifference, indifference_curve
    from tokencost.workloads.law import Law
    from tokencost.workloads.many_workloads import compare_many
    from tokencost.workloads.prefix_log import read_prefix_trace
    from tokencost.workloads.prefix_trace import PrefixTrace
    from tokencost.workloads.preflight import Fit, Preflight, preflight
    from tokencost.workloads.profile import HourProfile, Month
    from tokencost.workloads.replay import replay_cache
    from tokencost.workloads.sensitivity import Sensitivity, SensitivityRow, sensitivity
    from tokencost.workloads.simulation import SimulatedRequests, simulate_requests
    from tokencost.workloads.sizes import Drawn, Points
    from tokencost.workloads.text_comparison import CostRange, TextComparison, TextCost
    from tokencost.workloads.text_costs import compare_text
    from tokencost.workloads.tokens import TokenCount, count_tokens
    from tokencost.workloads.trace import BadRow, Trace, TraceRow, read_trace
    from tokencost.workloads.workload import Segment, Uncertainty, Workload, load_workload, shipped_workloads

_HOMES: Final[dict[str, str]] = {
    **dict.fromkeys(("Book", "load_book"), "rating.book"),
    **dict.fromkeys(("ClaimCheck", "ClaimedLine", "ClaimedPrice", "explain_claim"), "rating.claims"),
    **dict.fromkeys(("Contract", "Markup"), "rating.layers"),
    **dict.fromkeys(("Offering", "RateCard"), "rating.offering"),
    **dict.fromkeys(("LineItem", "Quote"), "rating.quote"),
    **dict.fromkeys(("CostTotals", "TotalRow"), "rating.totals"),
    **dict.fromkeys(("Move", "Reaction"), "scenarios.move"),
    **dict.fromkeys(("Scenario", "load_scenario", "shipped_scenarios"), "scenarios.scenario"),
    **dict.fromkeys(("rate_partitions", "reprice_distributed"), "streams.distributed"),
    **dict.fromkeys(("Repriced", "reprice"), "streams.reprice"),
    **dict.fromkeys(("PriceChange", "PriceDiff", "diff_shelves"), "tariffs.diff"),
    **dict.fromkeys(("Conversion", "ExchangeRate", "ExchangeTable"), "tariffs.fx"),
    **dict.fromkeys(("METERS", "Meter"), "tariffs.meter"),
    **dict.fromkeys(("Piece", "Resolution"), "tariffs.names"),
    **dict.fromkeys(("Alias", "Claim", "Endpoint", "NameRule", "Provider", "Source"), "tariffs.provider"),
    **dict.fromkeys(("Calendar", "Schedule", "Window"), "tariffs.schedule"),
    **dict.fromkeys(("Adjustment", "Allowance", "Promo", "Rate", "Tariff", "Version"), "tariffs.tariff"),
    **dict.fromkeys(("CacheBreakEven", "cache_break_even"), "workloads.cache_break_even"),
    **dict.fromkeys(("CacheComparison", "CachedCost", "compare_cache_rules"), "workloads.cache_comparison"),
    **dict.fromkeys(("CacheReplay", "HitRate"), "workloads.cache_replay"),
    **dict.fromkeys(("CacheRule", "CacheRules"), "workloads.cache_rule"),
    **dict.fromkeys(("Compared", "Comparison", "compare"), "workloads.compare"),
    **dict.fromkeys(("CostGrid", "GridChoice"), "workloads.cost_grid"),
    **dict.fromkeys(("Frontier", "FrontierRow"), "workloads.frontier"),
    **dict.fromkeys(("HeadlineGap", "headline_gap"), "workloads.headline"),
    **dict.fromkeys(("Indifference", "indifference", "indifference_curve"), "workloads.indifference"),
    **dict.fromkeys(("Route", "RouterBound", "SegmentChoice", "SegmentCost"), "workloads.comparison"),
    "compare_many": "workloads.many_workloads",
    **dict.fromkeys(("CostRange", "TextComparison", "TextCost"), "workloads.text_comparison"),
    **dict.fromkeys(("CostQuantile", "CostShare", "Estimate"), "workloads.cost_estimate"),
    **dict.fromkeys(("Forecast", "ForecastMonth", "Passing", "PriceEvent", "forecast"), "workloads.forecast"),
    **dict.fromkeys(("Fit", "Preflight", "preflight"), "workloads.preflight"),
    **dict.fromkeys(("HourProfile", "Month"), "workloads.profile"),
    **dict.fromkeys(("Sensitivity", "SensitivityRow", "sensitivity"), "workloads.sensitivity"),
    **dict.fromkeys(("SimulatedRequests", "simulate_requests"), "workloads.simulation"),
    **dict.fromkeys(("Drawn", "Points"), "workloads.sizes"),
    **dict.fromkeys(("TokenCount", "count_tokens"), "workloads.tokens"),
    **dict.fromkeys(("BadRow", "Trace", "TraceRow", "read_trace"), "workloads.trace"),
    **dict.fromkeys(("Segment", "Uncertainty", "Workload", "load_workload", "shipped_workloads"), "workloads.workload"),
    "BatchRater": "streams.batches",
    "CostMatrix": "rating.matrix",
    "Costs": "rating.costs",
    "Evidence": "rating.evidence",
    "Money": "tariffs.money",
    "Played": "scenarios.played",
    "play": "scenarios.play",
    "Problem": "rating.problem",
    "Table": "table",
    "Usage": "rating.usage",
    "UsageColumns": "rating.usage_table",
    "VersionRef": "rating.edition",
    "PrefixTrace": "workloads.prefix_trace",
    "Credit": "workloads.credits",
    "Law": "workloads.law",
    "compare_text": "workloads.text_costs",
    "diff_at": "rating.diff",
    "estimate": "workloads.estimate",
    "load_cache_rules": "workloads.cache_rules",
    "plot_costs": "display.cost_bars",
    "plot_fan": "display.fan_bands",
    "plot_forecast": "display.forecast_fan",
    "plot_hit_rate": "display.hit_rate_lines",
    "plot_index": "display.share_lines",
    "plot_indifference": "display.indifference_lines",
    "plot_prices": "display.price_steps",
    "plot_shares": "display.share_lines",
    "read_prefix_trace": "workloads.prefix_log",
    "replay_cache": "workloads.replay",
    "self_hosted": "rating.selfhosted",
    "to_instant": "tariffs.clock",
}

__version__ = "0.1.0"

__all__ = [
    "METERS",
    "AboveListError",
    "Adjustment",
    "Alias",
    "Allowance",
    "AllowanceNotice",
    "AmbiguousNameError",
    "AnnouncedPriceWarning",
    "BadRow",
    "BatchRater",
    "Book",
    "CacheBreakEven",
    "CacheComparison",
    "CacheReplay",
    "CacheRule",
    "CacheRules",
    "CachedCost",
    "Calendar",
    "CalendarError",
    "Claim",
    "ClaimCheck",
    "ClaimedLine",
    "ClaimedPrice",
    "ColumnError",
    "Compared",
    "Comparison",
    "Contract",
    "ConvergenceError",
    "Conversion",
    "CostGrid",
    "CostMatrix",
    "CostQuantile",
    "CostRange",
    "CostShare",
    "CostTotals",
    "Costs",
    "Credit",
    "CurrencyError",
    "Drawn",
    "Endpoint",
    "Estimate",
    "Evidence",
    "ExchangeRate",
    "ExchangeTable",
    "Fit",
    "Forecast",
    "ForecastMonth",
    "Frontier",
    "FrontierRow",
    "GridChoice",
    "HeadlineGap",
    "HitRate",
    "HourProfile",
    "IncompleteError",
    "Indifference",
    "InstantError",
    "InstantTypeError",
    "Law",
    "LayerError",
    "LineItem",
    "Markup",
    "Meter",
    "MixedCurrencyError",
    "Money",
    "MoneyError",
    "MoneyTypeError",
    "Month",
    "Move",
    "NameRule",
    "NoRateError",
    "Offering",
    "OutsideHistoryError",
    "Passing",
    "Piece",
    "Played",
    "Points",
    "PrefixTrace",
    "Preflight",
    "PriceChange",
    "PriceDiff",
    "PriceEvent",
    "PriceWarning",
    "Problem",
    "Promo",
    "PromotionalPriceWarning",
    "Provider",
    "Quote",
    "RangeError",
    "Rate",
    "RateCard",
    "Reaction",
    "Repriced",
    "Resolution",
    "Route",
    "RouterBound",
    "Scenario",
    "ScenarioError",
    "Schedule",
    "Segment",
    "SegmentChoice",
    "SegmentCost",
    "Sensitivity",
    "SensitivityRow",
    "SimulatedRequests",
    "Source",
    "StalePriceWarning",
    "StreamError",
    "Table",
    "TableError",
    "Tariff",
    "TextComparison",
    "TextCost",
    "TextError",
    "TextTypeError",
    "TokenCount",
    "TokencostError",
    "TokencostWarning",
    "TokenizerError",
    "TotalRow",
    "Trace",
    "TraceError",
    "TraceRow",
    "UncertainDateWarning",
    "Uncertainty",
    "UnitError",
    "UnknownNameError",
    "UnpricedMeterError",
    "Usage",
    "UsageColumns",
    "UsageError",
    "UsageTypeError",
    "Version",
    "VersionRef",
    "Window",
    "Workload",
    "WorkloadError",
    "cache_break_even",
    "compare",
    "compare_cache_rules",
    "compare_many",
    "compare_text",
    "count_tokens",
    "diff_at",
    "diff_shelves",
    "estimate",
    "explain_claim",
    "forecast",
    "headline_gap",
    "indifference",
    "indifference_curve",
    "load_book",
    "load_cache_rules",
    "load_scenario",
    "load_workload",
    "play",
    "plot_costs",
    "plot_fan",
    "plot_forecast",
    "plot_hit_rate",
    "plot_index",
    "plot_indifference",
    "plot_prices",
    "plot_shares",
    "preflight",
    "rate_partitions",
    "read_prefix_trace",
    "read_trace",
    "replay_cache",
    "reprice",
    "reprice_distributed",
    "self_hosted",
    "sensitivity",
    "shipped_scenarios",
    "shipped_workloads",
    "simulate_requests",
    "to_instant",
]


def __getattr__(name: str) -> Any:
    if name == "war":  # a module, and so not among the names
        return import_module("tokencost.war")
    if name in __all__:
        value = getattr(import_module(f"tokencost.{_HOMES.get(name, 'errors')}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tokencost' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
