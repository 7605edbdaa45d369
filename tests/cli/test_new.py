"""`tokencost new`."""

import tomllib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import PROVIDER, SOURCES
from tokencost.cli import door
from tokencost.tariffs.lint import lint_tables

URL = "https://acme.example/pricing"
BASICS = ("--source-url", URL, "--from", "2025-01-20T00:00:00Z", "--checked", "2026-11-20")
PRICES = ("--input", "0.55", "--cache-read", "0.14", "--output", "2.19")


def test_a_first_table_and_all_around_it(ok, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = ok("new", "acme/global/rocket-1", *PRICES, *BASICS, "--title", "Rocket 1")
    assert written.splitlines() == [f"wrote acme/{name}" for name in ("provider.toml", "sources.toml", "global/rocket-1.toml")]
    assert (tmp_path / "acme/global/rocket-1.toml").read_text(encoding="utf-8") == (
        'title = "Rocket 1"\n'
        "\n"
        "[[version]]\n"
        "from    = 2025-01-20T00:00:00Z\n"
        'basis   = "documented"\n'
        'source  = "pricing"\n'
        "checked = 2026-11-20\n"
        "rates = [\n"
        '  { currency = "USD", input = 0.55, cache_read = 0.14, output = 2.19 },\n'
        "]\n"
    )
    assert lint_tables(tmp_path) == []
    assert tc.load_book(tmp_path).cost("rocket-1", tc.Usage(cache_read=10**6), at="2025-02-01T00:00:00Z") == Decimal("0.14")


_PART = st.text("abcXYZ0189", min_size=1, max_size=5)
_PRICES = st.builds(Decimal.scaleb, st.integers(0, 10**8).map(Decimal), st.just(-6))


_KINDS = st.sampled_from(["publisher", "host"])
_BASES = st.sampled_from(["announced", "documented", "first_observed", "catalogue"])


@given(
    parts=st.lists(_PART, min_size=3, max_size=5),
    prices=st.dictionaries(st.sampled_from(["input", "output", "web_search", "audio_s"]), _PRICES, min_size=1),
    currency=st.sampled_from(["USD", "CNY", "EUR"]),
    more=st.tuples(st.just("--kind"), _KINDS, st.just("--basis"), _BASES),
)
def test_whatever_is_begun_lints_clean_and_costs_what_was_said(tmp_path_factory, parts, prices, currency, more):
    root = tmp_path_factory.mktemp("new")
    options = [part for name, price in prices.items() for part in ("--price", f"{name}={price:f}")]
    args = ["new", "/".join(parts), "--tables", str(root), *BASICS, *options, "--currency", currency, *more]
    result = CliRunner().invoke(door, args)
    assert (result.exit_code, result.stderr) == (0, "")
    assert lint_tables(root) == []
    law = tc.load_book(root).tariff("/".join(parts)).law
    assert [(row.currency, row.prices) for row in law.versions[0].rates] == [(currency, prices)]


def test_a_second_table_uses_what_is_there(ok, tmp_path):
    ok("new", "acme/global/rocket-1", "--tables", tmp_path, *PRICES, *BASICS)
    before = (tmp_path / "acme/provider.toml").read_bytes(), (tmp_path / "acme/sources.toml").read_bytes()
    written = ok("new", "acme/eu/labs/rocket-2", "--tables", tmp_path, "--input", "1", *BASICS)
    assert [line.rsplit("/", 1)[-1] for line in written.splitlines()] == ["rocket-2.toml"]
    assert ((tmp_path / "acme/provider.toml").read_bytes(), (tmp_path / "acme/sources.toml").read_bytes()) == before
    assert lint_tables(tmp_path) == []


def test_another_page_is_another_source(ok, acme):
    ok("new", "acme/global/rocket-1", "--tables", acme, *PRICES, *BASICS)
    ok("new", "acme/global/rocket-2", "--tables", acme, *PRICES, "--source-url", "https://acme.example/2", *BASICS[2:])
    text = (acme / "acme/sources.toml").read_text(encoding="utf-8")
    assert text.startswith(SOURCES)
    added = tomllib.loads(text)["source"][-2:]
    assert [(source["id"], source["url"]) for source in added] == [("pricing", URL), ("pricing-2", "https://acme.example/2")]
    assert (acme / "acme/provider.toml").read_text(encoding="utf-8") == PROVIDER
    assert lint_tables(acme) == []


def test_without_a_day_of_the_check_today_is_taken_and_said(ok, tmp_path):
    written = ok("new", "acme/global/rocket-1", "--tables", tmp_path, *PRICES, *BASICS[:4])
    today = datetime.now(UTC).date()
    assert written.splitlines()[-1] == f"checked: today, {today}; --checked says another day"
    assert tc.load_book(tmp_path).tariff("rocket-1").versions[0].checked == today


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("acme/rocket-1", *PRICES), "'acme/rocket-1' is no id; write it like acme/global/rocket-1"),
        (("acme/../rocket-1", *PRICES), "is no id"),
        (("/acme/global/rocket-1", *PRICES), "is no id"),
        (("acme/global/a:b", *PRICES), "is no id"),
        (("acme/global/rocket-1",), "a table needs a price; pass --input"),
        (("acme/global/rocket-1", "--input", "cheap"), "--input 'cheap' is not a decimal number"),
        (("acme/global/rocket-1", "--price", "input"), "'input' is no meter and price; write it like web_search=10"),
        (("acme/global/rocket-1", "--price", "inptu=1"), "no meter 'inptu' in the registry; did you mean 'input'"),
        (("acme/global/rocket-1", "--input", "1", "--price", "input=2"), "input is priced twice"),
        (("acme/global/rocket-1", "--input", "1", "--basis", "guess"), "'guess' is not one of"),
    ],
)
def test_what_cannot_be_begun(refused, tmp_path, args, said):
    assert said in refused(2, "new", *args, "--tables", tmp_path, *BASICS)
    assert list(tmp_path.iterdir()) == []


def test_a_date_is_no_start(refused, tmp_path):
    assert refused(2, "new", "acme/global/r", "--tables", tmp_path, "--input", "1", "--source-url", URL, "--from", "2025-01-20").startswith(
        "--from '2025-01-20' is a date at best, not an instant"
    )


@pytest.mark.parametrize(
    ("prices", "code"),
    [
        (("--input", "-1"), "T03"),
        (("--input", "0.1234567"), "T02"),
        (("--input", "1", "--cache-read", "2"), "T12"),
        (("--input", "1001"), "T17"),
    ],
)
def test_a_table_with_faults_is_not_written(refused, tmp_path, prices, code):
    assert code in refused(1, "new", "acme/global/rocket-1", "--tables", tmp_path, *prices, *BASICS)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_here_already_is_left_alone(refused, acme):
    before = (acme / "acme/global/model.toml").read_bytes()
    assert "is here already; edit it, a new price is a new [[version]]" in refused(
        2, "new", "acme/global/model", "--tables", acme, *PRICES, *BASICS
    )
    assert (acme / "acme/global/model.toml").read_bytes() == before


def test_a_provider_that_does_not_hold_ends_with_1(refused, acme):
    (acme / "acme/provider.toml").write_text("name = 1\n", encoding="utf-8")
    assert "the first is acme/provider.toml: T21 missing key" in refused(
        1, "new", "acme/global/rocket-1", "--tables", acme, *PRICES, *BASICS
    )
    assert not (acme / "acme/global/rocket-1.toml").exists()
