"""`tokencost new`: a table to begin with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import tokencost as tc
from tokencost.cli.command import ToldCommand
from tokencost.cli.options import FOLDER, as_day, as_instant, today
from tokencost.cli.output import shown_path, write_beside
from tokencost.exact import exact_decimal

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal


__all__ = ["new"]

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+=-]*")
_BASES: Final = ("announced", "documented", "first_observed", "catalogue")
_LEAST: Final = 3


def _as_price(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    del ctx
    return None if value is None else exact_decimal(value, what=param.opts[0])


@click.command(
    cls=ToldCommand,
    short_help="Begin a table of your own.",
    examples=(
        (
            "tokencost new acme/global/rocket-1 --input 0.55 --output 2.19 --source-url https://acme.example/pricing "
            "--from 2025-01-20T00:00:00Z"
        ),
    ),
)
@click.argument("offering", metavar="PROVIDER/ENDPOINT/MODEL")
@click.option("--tables", type=FOLDER, default=Path(), metavar="DIR", help="The folder of all tables; the current one, if left out.")
@click.option("--currency", default="USD", show_default=True, metavar="CODE", help="The currency of the list.")
@click.option("--input", "input_price", callback=_as_price, metavar="PRICE", help="Price of a million prompt tokens.")
@click.option("--output", "output_price", callback=_as_price, metavar="PRICE", help="Price of a million completion tokens.")
@click.option(
    "--cache-read", "cache_read_price", callback=_as_price, metavar="PRICE", help="Price of a million prompt tokens read from a cache."
)
@click.option("--price", "more", multiple=True, metavar="METER=PRICE", help="The price of any other meter, like web_search=10. Repeatable.")
@click.option("--source-url", required=True, metavar="URL", help="The page that the figures were read from.")
@click.option(
    "--from", "start", callback=as_instant, required=True, metavar="INSTANT", help="When the price begins, like 2025-01-20T00:00:00Z."
)
@click.option("--checked", callback=as_day, metavar="DAY", help="The day on which you saw the figures there; today, if left out.")
@click.option("--basis", type=click.Choice(_BASES), default="documented", show_default=True, help="How the start is known.")
@click.option("--title", metavar="TEXT", help="The name of the model as people write it.")
@click.option(
    "--kind", type=click.Choice(["publisher", "host"]), default="publisher", show_default=True, help="Of a provider that is new here."
)
def new(
    offering: str,
    *,
    tables: Path,
    currency: str,
    source_url: str,
    start: datetime,
    checked: date | None,
    basis: str,
    title: str | None,
    kind: str,
    **priced: Any,
) -> None:
    """Begin a table for an offering: its file, and its provider's `provider.toml` and `sources.toml` where they are missing.

    What is written passes `tokencost lint`. Nothing is overwritten: where the provider is here already, its file is left alone and the
    source is added to its sources, unless one of them has this address.
    """
    parts = offering.split("/")
    if len(parts) < _LEAST or not all(_PART.fullmatch(part) for part in parts):
        raise click.BadParameter(
            f"{offering!r} is no id; write it like acme/global/rocket-1, of letters, digits and ._@+=-", param_hint="'OFFERING'"
        )
    prices = _prices(priced)
    draft = _Draft(tables, offering, checked or today())
    texts = draft.texts(source_url, kind, {"currency": currency, "prices": prices}, {"start": start, "basis": basis, "title": title})
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_beside(path, text)
        click.echo(f"wrote {shown_path(path.resolve())}")
    if checked is None:
        click.echo(f"checked: today, {draft.checked}; --checked says another day")


def _prices(priced: dict[str, Any]) -> dict[str, Decimal]:
    """Return the prices that the options give, by meter, in the order of the registry."""
    given = {name: priced[f"{name}_price"] for name in ("input", "cache_read", "output") if priced[f"{name}_price"] is not None}
    for text in priced["more"]:
        name, equals, price = str(text).partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is no meter and price; write it like web_search=10", param_hint="'--price'")
        if name not in tc.METERS:
            raise tc.UnknownNameError.of(name, tc.METERS, what="meter", where="the registry")
        if name in given:
            raise click.BadParameter(f"{name} is priced twice; keep one price", param_hint="'--price'")
        given[name] = exact_decimal(price, what=name)
    if not given:
        raise click.UsageError("a table needs a price; pass --input, --output, --cache-read or --price METER=PRICE, free is 0")
    return {name: given[name] for name in tc.METERS if name in given}


class _Draft:
    """The files of a new offering, checked before any is written."""

    def __init__(self, tables: Path, offering: str, checked: date) -> None:
        self.tables = tables
        self.offering = offering
        self.checked = checked
        self.provider_id, self.endpoint, _ = offering.split("/", 2)
        self.folder = tables / self.provider_id
        self.path = tables / f"{offering}.toml"
        if self.path.exists():
            raise click.UsageError(f"{shown_path(self.path.resolve())} is here already; edit it, a new price is a new [[version]]")

    def texts(self, url: str, kind: str, row: dict[str, Any], version: dict[str, Any]) -> dict[Path, str]:
        """Return what to write, by path.

        Raises:
            TableError: the result would have faults.
        """
        from tokencost.tariffs.canonical import provider_text, sources_text, tariff_text
        from tokencost.tariffs.checks import STRUCTURE, Case
        from tokencost.tariffs.fault import Fault, raise_faults
        from tokencost.tariffs.plausibility import PLAUSIBILITY

        provider, provider_is_new = self._provider(kind)
        sources, added = self._sources(url)
        source = next(name for name, known in sources.items() if known.url == url)
        first = tc.Version(start=version["start"], basis=version["basis"], source=source, checked=self.checked, rates=(tc.Rate(**row),))
        law = tc.Tariff(id=self.offering, publisher=self.provider_id, title=version["title"], versions=(first,))
        shown = f"{self.offering}.toml"
        findings = [finding for check in (*STRUCTURE, *PLAUSIBILITY) for finding in check(Case(law, provider, sources, {}))]
        raise_faults(Fault(finding.code, shown, finding.where, finding.message) for finding in findings)
        texts = {self.folder / "provider.toml": provider_text(provider)} if provider_is_new else {}
        if added is not None:
            path = self.folder / "sources.toml"
            before = f"{path.read_text(encoding='utf-8').rstrip()}\n\n" if path.is_file() else ""
            texts[path] = before + sources_text([added])
        return {**texts, self.path: tariff_text(law)}

    def _provider(self, kind: Any) -> tuple[tc.Provider, bool]:
        from tokencost.tariffs import files

        path = self.folder / "provider.toml"
        if path.is_file():
            shown = f"{self.provider_id}/provider.toml"
            return files.read_provider(files.read_toml(path, shown=shown), self.provider_id, path=shown), False
        endpoint = tc.Endpoint(id=self.endpoint, name=self.endpoint)
        return tc.Provider(id=self.provider_id, name=self.provider_id, kind=kind, default=self.endpoint, endpoints=(endpoint,)), True

    def _sources(self, url: str) -> tuple[dict[str, tc.Source], tc.Source | None]:
        """Return the provider's sources with one for the address, and that one if it is new."""
        from tokencost.tariffs import files

        path = self.folder / "sources.toml"
        shown = f"{self.provider_id}/sources.toml"
        known = files.read_sources(files.read_toml(path, shown=shown), path=shown) if path.is_file() else {}
        if any(source.url == url for source in known.values()):
            return known, None
        name = next(name for name in ("pricing", *(f"pricing-{n}" for n in range(2, len(known) + 3))) if name not in known)
        made = tc.Source(id=name, url=url, kind="official_page")
        return {**known, name: made}, made
