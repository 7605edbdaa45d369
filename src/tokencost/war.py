"""Price wars: everything about them under one name, imported when it is used.

from tokencost import war

war.equilibrium(market)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tokencost.scenarios.best_response import Deviation, best_deviation, best_response
    from tokencost.scenarios.book_panel import months_between, panel_of
    from tokencost.scenarios.break_even import BreakEven, break_even
    from tokencost.scenarios.calibration import Calibration, calibrate_alpha, implied_costs, invert_shares, market_from_shares
    from tokencost.scenarios.collusion import Collusion, collusion
    from tokencost.scenarios.cost_cube import CheapestCosts, CostBlock, cheapest_costs, cost_blocks
    from tokencost.scenarios.cost_over_time import cost_over_time
    from tokencost.scenarios.cost_paths import CheapestMonth, CostPaths
    from tokencost.scenarios.cycles import Cycle
    from tokencost.scenarios.decline import Change, Decline, decline_between, decline_per_year, record_lows
    from tokencost.scenarios.dynamics import BestResponses, best_responses
    from tokencost.scenarios.equilibria import Equilibria, equilibria
    from tokencost.scenarios.equilibrium import Equilibrium, equilibrium
    from tokencost.scenarios.fan import Chances, Estimate, Fan
    from tokencost.scenarios.geks import geks_index
    from tokencost.scenarios.growth import Growth, HitRate, UncertainDemand
    from tokencost.scenarios.hedonic import HedonicIndex, HedonicTrend, hedonic_index, hedonic_trend
    from tokencost.scenarios.index_table import IndexTable, index_table, price_index
    from tokencost.scenarios.inertia import Inertia, inertia
    from tokencost.scenarios.ledger import Ledger, LedgerMonth, ledger
    from tokencost.scenarios.margin import Margin, UnitMargin, sales_margin, unit_margin
    from tokencost.scenarios.market import Market
    from tokencost.scenarios.monte_carlo import MonteCarlo
    from tokencost.scenarios.move import Move, Reaction
    from tokencost.scenarios.outlay import Annuity, annuity, present_value
    from tokencost.scenarios.paired import PairedDifference
    from tokencost.scenarios.play import play
    from tokencost.scenarios.played import MoveWorth, Played, PlayedPrice
    from tokencost.scenarios.price_index import Index, chained_index, fixed_base_index, lowe_index, mean_index
    from tokencost.scenarios.price_panel import Flow, LeftOut, PricePanel
    from tokencost.scenarios.price_path import PricePath
    from tokencost.scenarios.price_process import PriceProcess
    from tokencost.scenarios.price_to_reach import PriceToReach, Reached, price_to_reach
    from tokencost.scenarios.price_vectors import ShortCuts, cost_at_prices, cost_paths_at_prices, short_cuts
    from tokencost.scenarios.prices import PriceCoefficient, Prices
    from tokencost.scenarios.recoupment import Recoupment, recoupment
    from tokencost.scenarios.runway import Runway, Stop, Stops, first_to_stop, runway
    from tokencost.scenarios.scenario import Scenario, load_scenario, shipped_scenarios
    from tokencost.scenarios.segments import Segment
    from tokencost.scenarios.seller_path import Event, SellerPath
    from tokencost.scenarios.serving_cost import learned_costs, machine_cost, serving_costs
    from tokencost.scenarios.simulated import SimulatedPrices, WinnerShares
    from tokencost.scenarios.starting_prices import price_processes
    from tokencost.scenarios.switching import greedy, optimal, status_quo, switching, threshold
    from tokencost.scenarios.switching_result import BuyerPath, Switching
    from tokencost.scenarios.time_product import time_product_index
    from tokencost.scenarios.two_tier import TwoTierAssumptions, TwoTierProduct, two_tier_war
    from tokencost.scenarios.two_tier_result import TwoTierWar
    from tokencost.scenarios.undercutting import UndercutPath, undercut
    from tokencost.scenarios.unit import Unit

__all__ = [
    "GROUPS",
    "Annuity",
    "BestResponses",
    "BreakEven",
    "BuyerPath",
    "Calibration",
    "Chances",
    "Change",
    "CheapestCosts",
    "CheapestMonth",
    "Collusion",
    "CostBlock",
    "CostPaths",
    "Cycle",
    "Decline",
    "Deviation",
    "Equilibria",
    "Equilibrium",
    "Estimate",
    "Event",
    "Fan",
    "Flow",
    "Growth",
    "HedonicIndex",
    "HedonicTrend",
    "HitRate",
    "Index",
    "IndexTable",
    "Inertia",
    "Ledger",
    "LedgerMonth",
    "LeftOut",
    "Margin",
    "Market",
    "MonteCarlo",
    "Move",
    "MoveWorth",
    "PairedDifference",
    "Played",
    "PlayedPrice",
    "PriceCoefficient",
    "PricePanel",
    "PricePath",
    "PriceProcess",
    "PriceToReach",
    "Prices",
    "Reached",
    "Reaction",
    "Recoupment",
    "Runway",
    "Scenario",
    "Segment",
    "SellerPath",
    "ShortCuts",
    "SimulatedPrices",
    "Stop",
    "Stops",
    "Switching",
    "TwoTierAssumptions",
    "TwoTierProduct",
    "TwoTierWar",
    "UncertainDemand",
    "UndercutPath",
    "Unit",
    "UnitMargin",
    "WinnerShares",
    "annuity",
    "best_deviation",
    "best_response",
    "best_responses",
    "break_even",
    "calibrate_alpha",
    "chained_index",
    "cheapest_costs",
    "collusion",
    "cost_at_prices",
    "cost_blocks",
    "cost_over_time",
    "cost_paths_at_prices",
    "decline_between",
    "decline_per_year",
    "equilibria",
    "equilibrium",
    "first_to_stop",
    "fixed_base_index",
    "geks_index",
    "greedy",
    "hedonic_index",
    "hedonic_trend",
    "implied_costs",
    "index_table",
    "inertia",
    "invert_shares",
    "learned_costs",
    "ledger",
    "load_scenario",
    "lowe_index",
    "machine_cost",
    "market_from_shares",
    "mean_index",
    "months_between",
    "optimal",
    "panel_of",
    "play",
    "present_value",
    "price_index",
    "price_processes",
    "price_to_reach",
    "record_lows",
    "recoupment",
    "runway",
    "sales_margin",
    "serving_costs",
    "shipped_scenarios",
    "short_cuts",
    "status_quo",
    "switching",
    "threshold",
    "time_product_index",
    "two_tier_war",
    "undercut",
    "unit_margin",
]

_HOMES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "Moves and wars": {
        "move": (
            "Move",
            "Reaction",
        ),
        "scenario": (
            "Scenario",
            "load_scenario",
            "shipped_scenarios",
        ),
        "play": ("play",),
        "played": (
            "Played",
            "PlayedPrice",
            "MoveWorth",
        ),
        "price_path": ("PricePath",),
        "seller_path": (
            "SellerPath",
            "Event",
        ),
        "two_tier": (
            "two_tier_war",
            "TwoTierAssumptions",
            "TwoTierProduct",
        ),
        "two_tier_result": ("TwoTierWar",),
        "unit": ("Unit",),
    },
    "Buyers": {
        "cost_over_time": ("cost_over_time",),
        "cost_paths": (
            "CostPaths",
            "CheapestMonth",
        ),
        "price_vectors": (
            "cost_at_prices",
            "cost_paths_at_prices",
            "short_cuts",
            "ShortCuts",
        ),
        "switching": (
            "switching",
            "status_quo",
            "greedy",
            "threshold",
            "optimal",
        ),
        "switching_result": (
            "Switching",
            "BuyerPath",
        ),
        "inertia": (
            "inertia",
            "Inertia",
        ),
    },
    "Sellers": {
        "margin": (
            "sales_margin",
            "Margin",
            "unit_margin",
            "UnitMargin",
        ),
        "serving_cost": (
            "machine_cost",
            "serving_costs",
            "learned_costs",
        ),
        "outlay": (
            "annuity",
            "Annuity",
            "present_value",
        ),
        "break_even": (
            "break_even",
            "BreakEven",
        ),
        "ledger": (
            "ledger",
            "Ledger",
            "LedgerMonth",
        ),
        "runway": (
            "runway",
            "Runway",
            "first_to_stop",
            "Stops",
            "Stop",
        ),
        "recoupment": (
            "recoupment",
            "Recoupment",
        ),
    },
    "Demand and equilibrium": {
        "market": ("Market",),
        "segments": ("Segment",),
        "prices": (
            "Prices",
            "PriceCoefficient",
        ),
        "calibration": (
            "calibrate_alpha",
            "Calibration",
            "invert_shares",
            "market_from_shares",
            "implied_costs",
        ),
        "equilibrium": (
            "equilibrium",
            "Equilibrium",
        ),
        "equilibria": (
            "equilibria",
            "Equilibria",
        ),
        "best_response": (
            "best_response",
            "best_deviation",
            "Deviation",
        ),
        "dynamics": (
            "best_responses",
            "BestResponses",
        ),
        "cycles": ("Cycle",),
        "undercutting": (
            "undercut",
            "UndercutPath",
        ),
        "collusion": (
            "collusion",
            "Collusion",
        ),
    },
    "Chance": {
        "price_process": ("PriceProcess",),
        "growth": (
            "Growth",
            "HitRate",
            "UncertainDemand",
        ),
        "monte_carlo": ("MonteCarlo",),
        "simulated": (
            "SimulatedPrices",
            "WinnerShares",
        ),
        "fan": (
            "Fan",
            "Chances",
            "Estimate",
        ),
        "paired": ("PairedDifference",),
        "starting_prices": ("price_processes",),
    },
    "Indexes": {
        "price_panel": (
            "PricePanel",
            "LeftOut",
            "Flow",
        ),
        "book_panel": (
            "panel_of",
            "months_between",
        ),
        "index_table": (
            "price_index",
            "index_table",
            "IndexTable",
        ),
        "price_index": (
            "Index",
            "fixed_base_index",
            "chained_index",
            "lowe_index",
            "mean_index",
        ),
        "geks": ("geks_index",),
        "time_product": ("time_product_index",),
        "hedonic": (
            "hedonic_index",
            "HedonicIndex",
            "hedonic_trend",
            "HedonicTrend",
        ),
        "decline": (
            "decline_per_year",
            "Decline",
            "decline_between",
            "Change",
            "record_lows",
        ),
        "price_to_reach": (
            "price_to_reach",
            "PriceToReach",
            "Reached",
        ),
        "cost_cube": (
            "cost_blocks",
            "CostBlock",
            "cheapest_costs",
            "CheapestCosts",
        ),
    },
}
"""By group, the module of each name."""
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    group: tuple(name for names in homes.values() for name in names) for group, homes in _HOMES.items()
}
"""The names by what they are about."""
_MODULES: Final = {name: module for homes in _HOMES.values() for module, names in homes.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value = getattr(import_module(f"tokencost.scenarios.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tokencost.war' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
