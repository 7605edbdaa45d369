"""Write docs/reference/coverage.md, and the counts in README.md, from the shipped price tables.

With `--check` nothing is written, and a page that is not current is named.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

import tokencost as tc

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORY = Path(__file__).parent.parent
PAGE = REPOSITORY / "docs" / "reference" / "coverage.md"
README = REPOSITORY / "README.md"
COUNTS = re.compile(r"(<!-- counts: written by tools/coverage_page\.py -->\n).*?(<!-- end of counts -->)", re.DOTALL)
WIDTH = 120
INTRO = """\
What the shipped tables hold, provider by provider. This page is written by `tools/coverage_page.py`, and a test fails when it is not
current.

An offering is one provider, endpoint and model. A version is one edition of its list; a row is one line of unit prices. *First* and *last*
are the days on which the earliest and the latest version begin; a last day in the future is an announced price. *Last check* is the latest
day on which somebody saw a figure at its source."""
BASES = {
    "announced": "Announced by the provider",
    "documented": "Established by a dated document",
    "first_observed": "First seen on the provider's own page",
    "catalogue": "Recorded by a third-party catalogue",
}
UPPER_BOUNDS = (
    "The last two are upper bounds, and quotes at such a price, or just before one, say so. "
    "[table-format.md](table-format.md#basis-how-a-start-date-is-known) defines the words."
)


class Row(NamedTuple):
    """What the tables hold of one provider, or of all."""

    name: str
    offerings: int
    versions: int
    promos: int
    rates: int
    currencies: tuple[str, ...]
    first: str
    last: str
    checked: str


def row_of(name: str, tariffs: Iterable[tc.Tariff]) -> Row:
    """Count what some tariffs hold."""
    tariffs = list(tariffs)
    versions = [version for tariff in tariffs for version in tariff.versions]
    promos = [promo for tariff in tariffs for promo in tariff.promos]
    rates = [rate for part in (*versions, *promos) for rate in part.rates]
    currencies = Counter(rate.currency for rate in rates)
    return Row(
        name,
        len(tariffs),
        len(versions),
        len(promos),
        len(rates),
        tuple(currency for currency, _ in sorted(currencies.items(), key=lambda item: (-item[1], item[0]))),
        f"{min(version.start for version in versions):%Y-%m-%d}",
        f"{max(version.start for version in versions):%Y-%m-%d}",
        f"{max(version.checked for version in versions):%Y-%m-%d}",
    )


def rows() -> tuple[list[Row], Row, Counter[str]]:
    """Return one row for each provider, the row of all, and how many versions have each basis."""
    shelf = tc.load_book().shelf
    by_provider: dict[str, list[tc.Tariff]] = {}
    for tariff in shelf.tariffs():
        by_provider.setdefault(tariff.provider, []).append(tariff)
    made = [row_of(f"{shelf.provider(name).name} (`{name}`)", tariffs) for name, tariffs in sorted(by_provider.items())]
    every = [tariff for tariffs in by_provider.values() for tariff in tariffs]
    return made, row_of("all", every), Counter(version.basis for tariff in every for version in tariff.versions)


def page(made: list[Row], total: Row, bases: Counter[str]) -> str:
    """Return the text of the page."""
    heads = ("provider", "offerings", "versions", "promotions", "rows", "currencies", "first", "last", "last check")
    lines = [
        "# Coverage",
        "",
        *(f"{fill(part, width=WIDTH)}\n" for part in INTRO.split("\n\n")),
        f"| {' | '.join(heads)} |",
        "|---|" + "---:|" * 4 + "---|" * 4,
    ]
    for row in [*made, total]:
        cells = (f"{cell:,}" if isinstance(cell, int) else ", ".join(cell) if isinstance(cell, tuple) else cell for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    shares = {basis: f"{bases[basis]:,} ({100 * bases[basis] / bases.total():.0f}%)" for basis in BASES}
    known = [f"{sentence}: {shares[basis]}." for basis, sentence in BASES.items()]
    return "\n".join([*lines, "", "## How the start dates are known", "", fill(" ".join([*known, UPPER_BOUNDS]), width=WIDTH), ""])


def counts(total: Row, providers: int) -> str:
    """Return the sentence of the README."""
    text = (
        f"{total.offerings:,} offerings of {providers} providers, in {total.versions:,} dated versions with {total.rates:,} rows of "
        f"prices, from {total.first} on; last checked {total.checked}."
    )
    return fill(text, width=WIDTH)


def main() -> int:
    """Write the pages, or check that they are current."""
    made, total, bases = rows()
    readme = README.read_text(encoding="utf-8")
    wanted = {PAGE: page(made, total, bases), README: COUNTS.sub(lambda m: f"{m[1]}{counts(total, len(made))}\n{m[2]}", readme)}
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        print("\n".join(f"{path.relative_to(REPOSITORY)} is not current; run python tools/coverage_page.py" for path in stale) or "current")
        return int(bool(stale))
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"{path.relative_to(REPOSITORY)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
