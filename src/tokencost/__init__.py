"""What tokens cost, what they did cost, and what they will cost.

Exact, dated, sourced price tables of language-model providers, and the arithmetic on top of them. Names are imported when they are
first used, so that `import tokencost` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tokencost.errors import (
        AboveListError,
        AllowanceNotice,
        AmbiguousNameError,
        AnnouncedPriceWarning,
        CalendarError,
        ColumnError,
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
        StalePriceWarning,
        StreamError,
        TableError,
        TokencostError,
        TokencostWarning,
        TraceError,
        UncertainDateWarning,
        UnknownNameError,
        UnpricedMeterError,
        UsageError,
        UsageTypeError,
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
    from tokencost.workloads.compare import Compared, Comparison, compare
    from tokencost.workloads.trace import BadRow, Trace, TraceRow, read_trace
    from tokencost.workloads.workload import Segment, Workload, load_workload, shipped_workloads

_HOMES: Final[dict[str, str]] = {
    **dict.fromkeys(("Book", "load_book"), "rating.book"),
    **dict.fromkeys(("ClaimCheck", "ClaimedLine", "ClaimedPrice", "explain_claim"), "rating.claims"),
    **dict.fromkeys(("Contract", "Markup"), "rating.layers"),
    **dict.fromkeys(("Offering", "RateCard"), "rating.offering"),
    **dict.fromkeys(("LineItem", "Quote"), "rating.quote"),
    **dict.fromkeys(("CostTotals", "TotalRow"), "rating.totals"),
    **dict.fromkeys(("rate_partitions", "reprice_distributed"), "streams.distributed"),
    **dict.fromkeys(("Repriced", "reprice"), "streams.reprice"),
    **dict.fromkeys(("PriceChange", "PriceDiff", "diff_shelves"), "tariffs.diff"),
    **dict.fromkeys(("Conversion", "ExchangeRate", "ExchangeTable"), "tariffs.fx"),
    **dict.fromkeys(("METERS", "Meter"), "tariffs.meter"),
    **dict.fromkeys(("Piece", "Resolution"), "tariffs.names"),
    **dict.fromkeys(("Alias", "Claim", "Endpoint", "NameRule", "Provider", "Source"), "tariffs.provider"),
    **dict.fromkeys(("Calendar", "Schedule", "Window"), "tariffs.schedule"),
    **dict.fromkeys(("Adjustment", "Allowance", "Promo", "Rate", "Tariff", "Version"), "tariffs.tariff"),
    **dict.fromkeys(("Compared", "Comparison", "compare"), "workloads.compare"),
    **dict.fromkeys(("BadRow", "Trace", "TraceRow", "read_trace"), "workloads.trace"),
    **dict.fromkeys(("Segment", "Workload", "load_workload", "shipped_workloads"), "workloads.workload"),
    "BatchRater": "streams.batches",
    "CostMatrix": "rating.matrix",
    "Costs": "rating.costs",
    "Evidence": "rating.evidence",
    "Money": "tariffs.money",
    "Problem": "rating.problem",
    "Table": "table",
    "Usage": "rating.usage",
    "UsageColumns": "rating.usage_table",
    "VersionRef": "rating.edition",
    "diff_at": "rating.diff",
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
    "Conversion",
    "CostMatrix",
    "CostTotals",
    "Costs",
    "CurrencyError",
    "Endpoint",
    "Evidence",
    "ExchangeRate",
    "ExchangeTable",
    "IncompleteError",
    "InstantError",
    "InstantTypeError",
    "LayerError",
    "LineItem",
    "Markup",
    "Meter",
    "MixedCurrencyError",
    "Money",
    "MoneyError",
    "MoneyTypeError",
    "NameRule",
    "NoRateError",
    "Offering",
    "OutsideHistoryError",
    "Piece",
    "PriceChange",
    "PriceDiff",
    "PriceWarning",
    "Problem",
    "Promo",
    "PromotionalPriceWarning",
    "Provider",
    "Quote",
    "RangeError",
    "Rate",
    "RateCard",
    "Repriced",
    "Resolution",
    "Schedule",
    "Segment",
    "Source",
    "StalePriceWarning",
    "StreamError",
    "Table",
    "TableError",
    "Tariff",
    "TokencostError",
    "TokencostWarning",
    "TotalRow",
    "Trace",
    "TraceError",
    "TraceRow",
    "UncertainDateWarning",
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
    "compare",
    "diff_at",
    "diff_shelves",
    "explain_claim",
    "load_book",
    "load_workload",
    "rate_partitions",
    "read_trace",
    "reprice",
    "reprice_distributed",
    "self_hosted",
    "shipped_workloads",
    "to_instant",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        value = getattr(import_module(f"tokencost.{_HOMES.get(name, 'errors')}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tokencost' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
