"""Canonical text: one way to write a record, read back without a difference, whatever is in it."""

from __future__ import annotations

import decimal
import tomllib
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import PROVIDER, SOURCES, notes, prices, tariffs, write_tables
from tokencost.tariffs.canonical import provider_text, sources_text, tariff_text
from tokencost.tariffs.files import read_provider, read_sources, read_tariff
from tokencost.tariffs.lint import canonical_form, lint_tables

if TYPE_CHECKING:
    import random

HEAD = "# the figures of 2025\n# were read from a print\n\n"


def parsed(text: str) -> dict:
    return tomllib.loads(text, parse_float=Decimal)


def read(text: str) -> tc.Tariff:
    return read_tariff(parsed(text), "acme/global/model", path="model.toml")


@given(tariffs())
def test_a_tariff_reads_back_equal(tariff):
    assert read(tariff_text(tariff)) == tariff


@given(tariffs(), st.sampled_from(["", HEAD]))
def test_canonical_of_canonical_is_the_same_text(tariff, head):
    text = tariff_text(tariff, head=head)

    assert tariff_text(read(text), head=head) == text


@given(tariffs(), st.randoms(use_true_random=False))
def test_the_order_of_rows_in_the_file_does_not_matter(tariff, chance):
    """Rows of one currency and schedule may stand in any order; which currency and window comes first is the author's choice."""
    versions = tuple(replace(v, rates=tuple(_shuffled(v.rates, chance))) for v in tariff.versions)

    assert tariff_text(replace(tariff, versions=versions)) == tariff_text(tariff)


def _shuffled(rows: tuple[tc.Rate, ...], chance: random.Random) -> list[tc.Rate]:
    """Return the rows in another order that keeps the first appearance of currencies and windows."""
    currencies = {code: n for n, code in reversed(list(enumerate(dict.fromkeys(row.currency for row in rows))))}
    windows = {name: n for n, name in reversed(list(enumerate(dict.fromkeys(row.window for row in rows))))}
    return sorted(rows, key=lambda row: (currencies[row.currency], windows[row.window], chance.random()))


@given(tariffs())
def test_the_caller_s_decimal_context_does_not_matter(tariff):
    text = tariff_text(tariff)
    with decimal.localcontext(decimal.Context(prec=3)):
        assert tariff_text(tariff) == text


@given(st.lists(prices(), min_size=1, max_size=5))
def test_a_price_is_a_plain_decimal(figures):
    """At least one digit on both sides of the point, no exponent, no trailing zeros, and the same number."""
    names = ("input", "cache_read", "output", "citation", "request")
    row = tc.Rate(currency="USD", prices=dict(zip(names, figures, strict=False)))
    small = read(SMALL)
    tariff = replace(small, versions=(replace(small.versions[0], rates=(row,)),))
    line = next(line for line in tariff_text(tariff).splitlines() if "currency" in line)
    written = [part.split(" = ")[1] for part in line.strip(" {},").split(", ")[1:]]

    assert [Decimal(text) for text in written] == figures
    for text in written:
        whole, _, places = text.partition(".")
        assert whole.isdigit()
        assert places == "0" or (places.isdigit() and not places.endswith("0"))


SMALL = """\
[[version]]
from    = 2025-01-20T08:00:00+08:00
basis   = "announced"
source  = "page"
checked = 2026-01-01
rates   = [{ currency = "USD", input = 1 }]
"""


@given(notes())
def test_any_note_reads_back(note):
    assert read(tariff_text(replace(read(SMALL), note=note, title=note))).note == note


def test_instants_are_written_in_utc():
    assert "from    = 2025-01-20T00:00:00Z\n" in tariff_text(read(SMALL))


def test_the_shape_of_a_whole_file():
    """Keys in the order of the reference, one row a line, defaults left out, headings apart."""
    text = """\
title     = "R1"
publisher = "deepseek"
tiering   = "graduated"
vat       = "excluded"

[[version]]
from      = 2025-01-20T00:00:00Z
until     = 2025-02-26T16:30:00Z
basis     = "documented"
announced = 2025-01-19
source    = "page"
checked   = 2026-01-01
schedule  = "office"
served    = "R1-0528"
note      = 'a \\ and no escape'
allow     = ["T12"]
minimum   = { audio_s = 10 }
rates = [
  { currency = "USD", window = "peak", above = 0, input = 0.55, cache_read = 0.14, output = 2.19 },
  { currency = "USD", window = "peak", above = 32768, up_to = 65536, input = 1.1, cache_read = 0.28, output = 4.0, source = "press" },
  { currency = "USD", window = "off_peak", input = 0.5, cache_read = 0.1, output = 2.0, note = "say \\"half\\"" },
]
adjustments = [
  { service_tier = "batch", multiply = 0.5, meters = ["input", "output"] },
  { residency = "us", multiply = 1.1, source = "press" },
]

[[promo]]
from     = 2025-02-01T00:00:00Z
until    = 2025-02-08T16:00:00Z
basis    = "announced"
source   = "page"
checked  = 2026-01-01
multiply = 0.5
meters   = ["input"]

[[allowance]]
meter    = "web_search"
quantity = 5000
per      = "month"
source   = "page"
checked  = 2026-01-01
"""

    assert tariff_text(read(text)) == text


@pytest.mark.parametrize(
    ("text", "write", "read_again"),
    [
        (PROVIDER, provider_text, lambda text: read_provider(parsed(text), "acme", path="provider.toml")),
        (
            SOURCES,
            lambda found, head="": sources_text(found.values(), head=head),
            lambda text: read_sources(parsed(text), path="sources.toml"),
        ),
    ],
    ids=["provider", "sources"],
)
def test_providers_and_sources_read_back(text, write, read_again):
    assert write(read_again(text)) == text
    assert write(read_again(text), head=HEAD) == HEAD + text


def test_a_provider_with_everything_reads_back():
    text = PROVIDER.replace(
        'default = "global"',
        'default = "global"\ndecided = "request"\nvat = "included"\nnamespace = "acme-.+"\npricing = "https://x"\nnote = "n"',
    )
    text += """
[[rule]]
kind    = "suffix"
pattern = '-\\d{8}'
drops   = "date"

[[rule]]
kind     = "prefix"
pattern  = 'us\\.'
endpoint = "us"
note     = "a region"

[[alias]]
name     = "latest"
offering = "global/model"
from     = 2025-01-01T00:00:00Z
until    = 2026-01-01T00:00:00Z
source   = "page"
checked  = 2026-01-01
note     = "until the next"
"""
    provider = read_provider(parsed(text), "acme", path="provider.toml")
    written = provider_text(provider)

    assert read_provider(parsed(written), "acme", path="provider.toml") == provider
    assert "pattern = '-\\d{8}'\n" in written
    assert provider_text(read_provider(parsed(written), "acme", path="p")) == written


# --- files


def test_comments_at_the_head_are_kept(tmp_path):
    root = write_tables(tmp_path)
    file = root / "acme" / "global" / "model.toml"
    file.write_text(HEAD + file.read_text().replace("rates = [", "rates   = ["), newline="\n")

    assert [fault.code for fault in lint_tables(root)] == ["T19"]
    file.write_text(canonical_form(file, root), newline="\n")
    assert file.read_text().startswith(HEAD + "[[version]]")
    assert lint_tables(root) == []


@pytest.mark.parametrize(
    ("place", "comment", "line"),
    [
        ("[[version]]\n", "# below the head\n", 2),
        ('basis   = "announced"', "  # how we know", 3),
        ("  { currency", "  # the list\n", 7),
        ("output = 2.19 },", " # dollars", 7),
        ("rates = [", " # rows", 6),
    ],
)
def test_a_comment_inside_is_refused_because_it_would_be_lost(tmp_path, place, comment, line):
    root = write_tables(tmp_path)
    file = root / "acme" / "global" / "model.toml"
    text = file.read_text()
    at = text.index(place) + (0 if place.startswith("  {") else len(place))
    file.write_text(text[:at] + comment + text[at:], newline="\n")

    with pytest.raises(tc.TableError, match="this comment would be lost; say it in a note") as caught:
        canonical_form(file, root)

    (fault,) = caught.value.faults
    assert (fault.code, fault.path, fault.line) == ("T19", "acme/global/model.toml", line)
    assert [(f.code, f.line) for f in lint_tables(root)] == [("T19", line)]


@pytest.mark.parametrize("note", ['"no # comment"', "'no # comment'", '"a \\" # b"', '"""\nno # comment\n"""', "'''\n# no comment\n'''"])
def test_a_hash_in_text_is_no_comment(tmp_path, note):
    root = write_tables(tmp_path)
    file = root / "acme" / "global" / "model.toml"
    file.write_text(f"note = {note}\n\n" + file.read_text(), newline="\n")

    assert "#" in read(canonical_form(file, root)).note


@given(tariffs())
def test_a_drawn_file_is_in_canonical_form(tmp_path_factory, tariff):
    root = write_tables(tmp_path_factory.mktemp("tables"), tariff)
    file = root / f"{tariff.id}.toml"

    assert canonical_form(file, root) == file.read_text(encoding="utf-8")
    assert [fault for fault in lint_tables(root) if fault.code not in ("T12", "T13", "T14", "T15", "T16", "T17")] == []


@pytest.mark.parametrize(("name", "line"), [("acme/provider.toml", 4), ("acme/sources.toml", 5)])
def test_providers_and_sources_have_a_canonical_form_too(tmp_path, name, line):
    root = write_tables(tmp_path)
    file = root / name
    text = file.read_text()
    file.write_text(HEAD + text.replace(" = ", "   =   "), newline="\n")

    assert [(fault.code, fault.path, fault.line) for fault in lint_tables(root)] == [("T19", name, line)]
    assert canonical_form(file, root) == HEAD + text


@pytest.mark.parametrize("name", ["calendars/days-off.toml", "claims.toml"])
def test_calendars_and_claims_are_kept_as_they_stand(tmp_path, name):
    root = write_tables(tmp_path, files={"claims.toml": "# what the press said\n"})

    assert canonical_form(root / name, root) == (root / name).read_text()
