"""Checks of a tariff's plausibility: what is probably a slip, unless a note says that it is really so.

A version that knows it breaks one of these names the code in `allow` and says why in `note`.
"""

from __future__ import annotations

import itertools
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final

from tokencost.exact import rounded
from tokencost.tariffs.checks import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokencost.tariffs.checks import Case
    from tokencost.tariffs.tariff import Rate, Tariff, Version

__all__ = ["PLAUSIBILITY"]

_SLIP: Final = (Decimal(500), Decimal(2000))
_MOVE: Final = Decimal(5)
_FX: Final = (Decimal("5.0"), Decimal("10.0"))
_MODEL_LIMIT: Final = Decimal(1000)
_ratio: Final = Context(prec=28).divide
"""Division that no decimal context of the caller can change."""


def _allowed(version: Version, code: str) -> bool:
    """Say whether a version knows that it breaks a check, and says why."""
    return code in version.allow and version.note is not None


def _versions(tariff: Tariff, code: str) -> Iterator[tuple[int, Version, str]]:
    for n, version in enumerate(tariff.versions):
        if not _allowed(version, code):
            yield n, version, f"version {version.start:%Y-%m-%d}"


def cache_read_above_input(case: Case) -> Iterator[Finding]:
    """T12: reading from a cache costs more than sending the prompt afresh."""
    for n, version, where in _versions(case.tariff, "T12"):
        for r, row in enumerate(version.rates):
            fresh = row.prices.get("input")
            for name in ("cache_read", "cache_read_explicit"):
                read = row.prices.get(name)
                if fresh is not None and read is not None and read > fresh:
                    yield Finding(
                        "T12", ("version", n, r), f"{where}, row {r + 1}", f"{name} = {read} is above input = {fresh}; check the columns"
                    )


def _key(row: Rate) -> tuple[object, ...]:
    return row.currency, row.mode, row.residency, row.window, row.first_input, row.first_output


def cheaper_tiers(case: Case) -> Iterator[Finding]:
    """T13: batch or flex costs more than standard."""
    for n, version, where in _versions(case.tariff, "T13"):
        standard = {_key(row): row for row in version.rates if row.service_tier == "standard"}
        for r, row in enumerate(version.rates):
            twin = standard.get(_key(row))
            if row.service_tier in ("batch", "flex") and twin is not None:
                for name in sorted(row.prices.keys() & twin.prices.keys()):
                    if row.prices[name] > twin.prices[name]:
                        yield Finding(
                            "T13",
                            ("version", n, r),
                            f"{where}, row {r + 1}",
                            f"{row.service_tier} {name} = {row.prices[name]} is above standard {twin.prices[name]}; check the table",
                        )
        for factor in version.adjustments:
            if factor.service_tier in ("batch", "flex") and factor.multiply > 1:
                message = f"{factor.service_tier} multiplies by {factor.multiply}, above standard; check the factor"
                yield Finding("T13", ("version", n, None), where, message, "adjustments")


def off_peak_above_peak(case: Case) -> Iterator[Finding]:
    """T14: the off-peak price is above the peak price."""
    for n, version, where in _versions(case.tariff, "T14"):
        peak = {(_key(row)[:3], _key(row)[4:], row.service_tier): row for row in version.rates if row.window == "peak"}
        for r, row in enumerate(version.rates):
            twin = peak.get((_key(row)[:3], _key(row)[4:], row.service_tier))
            if row.window == "off_peak" and twin is not None:
                for name in sorted(row.prices.keys() & twin.prices.keys()):
                    if row.prices[name] > twin.prices[name]:
                        yield Finding(
                            "T14",
                            ("version", n, r),
                            f"{where}, row {r + 1}",
                            f"off-peak {name} = {row.prices[name]} is above peak {twin.prices[name]}; check the windows",
                        )


def exchange_rates(case: Case) -> Iterator[Finding]:
    """T15: the CNY and the USD row of one choice imply an exchange rate that never was."""
    for n, version, where in _versions(case.tariff, "T15"):
        dollars = {(row.service_tier, *_key(row)[1:]): row for row in version.rates if row.currency == "USD"}
        for r, row in enumerate(version.rates):
            twin = dollars.get((row.service_tier, *_key(row)[1:]))
            if row.currency != "CNY" or twin is None:
                continue
            for name in sorted(row.prices.keys() & twin.prices.keys()):
                yuan, dollar = row.prices[name], twin.prices[name]
                if dollar and not _FX[0] <= _ratio(yuan, dollar) <= _FX[1]:
                    implied = rounded(_ratio(yuan, dollar), places=2, rule="half_even")
                    message = f"{name}: {yuan} CNY against {dollar} USD implies {implied} CNY a dollar; check the columns"
                    yield Finding("T15", ("version", n, r), f"{where}, row {r + 1}", message, name)


def _moves(case: Case, code: str) -> Iterator[tuple[int, Version, str, str, Decimal]]:
    rated = [(n, v) for n, v in enumerate(case.tariff.versions) if v.status != "withdrawn"]
    for (_, earlier), (n, later) in itertools.pairwise(rated):
        if _allowed(later, code):
            continue
        before = {(row.service_tier, *_key(row)): row for row in earlier.rates}
        for row in later.rates:
            twin = before.get((row.service_tier, *_key(row)))
            for name in sorted(row.prices.keys() & twin.prices.keys()) if twin is not None else ():
                old, new = twin.prices[name], row.prices[name]  # type: ignore[union-attr]
                if old and new:
                    yield n, later, name, f"{old} to {new} {row.currency}", max(_ratio(old, new), _ratio(new, old))


def big_moves(case: Case) -> Iterator[Finding]:
    """T16: a price moves more than fivefold, and no note says why."""
    for n, version, name, move, ratio in _moves(case, "T16"):
        if ratio > _MOVE and not version.note:
            yield Finding(
                "T16",
                ("version", n, None),
                f"version {version.start:%Y-%m-%d}",
                f"{name} moves from {move}, beyond fivefold; say why in a note",
            )


def unit_slips(case: Case) -> Iterator[Finding]:
    """T17: a price is off by about a thousand from the one before it, or too dear for any model."""
    for n, version, name, move, ratio in _moves(case, "T17"):
        if _SLIP[0] <= ratio <= _SLIP[1]:
            yield Finding(
                "T17",
                ("version", n, None),
                f"version {version.start:%Y-%m-%d}",
                f"{name} moves from {move}, about a thousandfold; check the unit",
            )
    for n, version, where in _versions(case.tariff, "T17"):
        for r, row in enumerate(version.rates):
            dear = [name for name in ("input", "output") if row.prices.get(name, Decimal(0)) > _MODEL_LIMIT]
            for name in dear:
                yield Finding(
                    "T17",
                    ("version", n, r),
                    f"{where}, row {r + 1}",
                    f"{name} = {row.prices[name]} per million tokens is above {_MODEL_LIMIT}; check the unit",
                )


PLAUSIBILITY = (cache_read_above_input, cheaper_tiers, off_peak_above_peak, exchange_rates, big_moves, unit_slips)
"""The plausibility checks, in the order of their codes."""
