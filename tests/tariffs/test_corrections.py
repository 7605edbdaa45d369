"""A past price may change only with a correction that says why."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import CALENDAR, OFFERING, PROVIDER, tariffs, write_tables
from tokencost.errors import TableError
from tokencost.tariffs.corrections import tariff_past
from tokencost.tariffs.lint import lint_tables

START = datetime(2025, 1, 20, tzinfo=UTC)
CHECKED = date(2026, 1, 1)
NEXT = """
[[version]]
from    = {start}
basis   = "announced"
source  = "page"
checked = 2026-01-02
rates = [
  {{ currency = "USD", input = 0.28, cache_read = 0.07, output = 1.1 }},
]
"""


def past(old, new):
    return [finding.message for finding in tariff_past(old, new)]


def law(*versions, **fields):
    return tc.Tariff(id="acme/global/model", publisher="acme", versions=versions or (version(),), **fields)


def version(start=START, *, price="0.55", rates=None, **fields):
    rows = rates or (tc.Rate(currency="USD", prices={"input": Decimal(price)}),)
    return tc.Version(**({"start": start, "basis": "announced", "source": "page", "checked": CHECKED, "rates": rows} | fields))


@given(tariffs(), st.dates(date(2024, 1, 1), date(2028, 1, 1)), st.text(max_size=5))
def test_what_is_no_price_may_change_freely(drawn, checked, note):
    """Notes, sources, check dates and the way a start is known are no past."""
    other = tuple(replace(v, note=note, checked=checked, basis="documented", source="archive", served=note) for v in drawn.versions)
    assert past(drawn, replace(drawn, versions=other, note=note, title=note)) == []


@given(tariffs(), tariffs())
def test_a_correction_in_every_version_excuses_everything(left, right):
    mended = tuple(replace(v, correction=f"{v.correction} mended") for v in right.versions)
    assert past(left, replace(right, versions=mended)) == []


def test_a_price_is_appended_without_a_word():
    assert past(law(), law(version(), version(datetime(2026, 1, 1, tzinfo=UTC), price="0.28"))) == []


@pytest.mark.parametrize(("start", "faults"), [("2025-12-31T10:00:00+00:00", 0), ("2025-12-31T09:59:59+00:00", 1)])
def test_the_past_ends_where_the_day_of_the_check_first_dawns(start, faults):
    """The price may change on the day of the check, which begins 14 hours before it does in UTC."""
    assert len(past(law(), law(version(), version(datetime.fromisoformat(start), price="0.28")))) == faults


def test_a_changed_past_price_is_named_with_both_figures():
    (message,) = past(law(), law(version(price="0.56")))
    assert message.startswith("input from 2025-01-20T00:00:00Z (USD, standard) was 0.55 and is 0.56, and no correction says why")


def test_a_correction_must_be_a_new_one():
    old = law(version(correction="the page of 2025 was misread"))
    assert len(past(old, law(version(price="0.56", correction="the page of 2025 was misread")))) == 1
    assert past(old, law(version(price="0.56", correction="again: the footnote was overlooked"))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (law(), law(version(START + timedelta(days=1)))),
        (law(), law(version(until=START + timedelta(days=30)))),
        (
            law(version(rates=(tc.Rate(currency="USD", prices={"input": Decimal(1)}),))),
            law(version(rates=(tc.Rate(currency="CNY", prices={"input": Decimal(1)}),))),
        ),
        (law(), law(version(rates=(tc.Rate(currency="USD", prices={"input": Decimal("0.55"), "cache_read": Decimal("0.1")}),)))),
        (law(), law(version(minimum={"input": 10}))),
        (law(version(schedule="office")), law(version(schedule="night"))),
    ],
    ids=["later-start", "earlier-end", "currency-gone", "meter-added", "minimum", "other-schedule"],
)
def test_each_way_to_rewrite_the_past(old, new):
    assert len(past(old, new)) == 1


@pytest.mark.parametrize("key", ["tiering", "tier_on"])
def test_how_tiers_apply_is_part_of_the_past(key):
    rows = tuple(tc.Rate(currency="USD", above=edge, prices={"input": Decimal(edge + 1)}) for edge in (0, 100))
    old = law(version(rates=rows))
    new = replace(old, **{key: {"tiering": "graduated", "tier_on": "total"}[key]})
    assert len(past(old, new)) == 1


@pytest.mark.parametrize(
    "new",
    [
        law(version(START - timedelta(days=30), price="1"), version()),
        law(version(rates=(*law().versions[0].rates, tc.Rate(currency="CNY", prices={"input": Decimal(4)})))),
        law(version(adjustments=(tc.Adjustment(service_tier="batch", multiply=Decimal("0.5")),))),
        law(version(rates=(tc.Rate(currency="USD", prices={"input": Decimal("0.55"), "web_search": Decimal(10)}),))),
    ],
    ids=["earlier-history", "another-currency", "batch", "a-meter-that-was-an-error"],
)
def test_what_the_older_copy_did_not_price_may_be_added(new):
    assert past(law(), new) == []


def test_an_announced_price_that_never_came_may_be_withdrawn():
    coming = datetime(2026, 6, 1, tzinfo=UTC)
    old = law(version(), version(coming, price="0.7", status="announced"))
    assert past(old, law(version(), version(coming, price="0.7", status="withdrawn"))) == []


# --- through lint, with two folders


def lint(tmp_path, *, old=None, new=None, path="."):
    before = write_tables(tmp_path / "old", files=old)
    after = write_tables(tmp_path / "new", files=new)
    return [(fault.path, fault.code, fault.line) for fault in lint_tables(after / path, base=before)]


def test_lint_finds_a_rewritten_past_and_its_line(tmp_path):
    changed = OFFERING.replace("0.55", "0.56")
    assert lint(tmp_path, new={"acme/global/model.toml": changed}) == [("acme/global/model.toml", "T18", 1)]


def test_lint_lets_a_version_be_appended(tmp_path):
    appended = OFFERING + NEXT.format(start="2026-01-01T00:00:00Z")
    assert lint(tmp_path, new={"acme/global/model.toml": appended}) == []


def test_lint_without_an_older_copy_knows_no_past(tmp_path):
    tables = write_tables(tmp_path, files={"acme/global/model.toml": OFFERING.replace("0.55", "0.56")})
    assert lint_tables(tables) == []


def test_an_offering_that_is_gone_is_missed_where_it_was(tmp_path):
    old = {"acme/global/labs/retired.toml": OFFERING}
    assert lint(tmp_path, old=old) == [("acme/global/labs/retired.toml", "T18", None)]
    assert lint(tmp_path, old=old, path="acme") == [("acme/global/labs/retired.toml", "T18", None)]
    assert lint(tmp_path, old=old, path="calendars") == []
    assert lint(tmp_path, old=old, path="acme/global/model.toml") == []


def test_an_offering_that_was_renamed_is_not_missed_while_an_alias_keeps_its_name(tmp_path):
    alias = '\n[[alias]]\nname     = "retired"\noffering = "global/model"\nsource   = "page"\nchecked  = 2026-01-01\n'
    assert lint(tmp_path, old={"acme/global/retired.toml": OFFERING}, new={"acme/provider.toml": PROVIDER + alias}) == []


def test_a_provider_that_is_gone_is_missed(tmp_path):
    other = {f"other/{name}": text for name, text in {"provider.toml": PROVIDER, "sources.toml": "", "global/model.toml": OFFERING}.items()}
    assert lint(tmp_path, old=other) == [("other/global/model.toml", "T18", None)]


def test_the_clock_of_a_past_day_may_change_only_with_a_note(tmp_path):
    moved = PROVIDER.replace("16:30-00:30", "17:00-00:30")
    assert lint(tmp_path, new={"acme/provider.toml": moved}) == [("acme/provider.toml", "T18", 23)]
    head, mark, tail = moved.partition('id       = "three"')
    noted = head.rstrip().removesuffix("[[schedule]]").rstrip() + '\nnote     = "the page was misread"\n\n[[schedule]]\n' + mark + tail
    assert lint(tmp_path, new={"acme/provider.toml": noted}) == []


def test_a_past_day_off_may_change_only_with_a_note(tmp_path):
    changed = CALENDAR.replace("2025-05-02, ", "")
    assert [code for _, code, _ in lint(tmp_path, new={"calendars/days-off.toml": changed})] == ["T18"]
    assert lint(tmp_path, new={"calendars/days-off.toml": f'{changed}note     = "the notice was misread"\n'}) == []
    assert lint(tmp_path, new={"calendars/days-off.toml": CALENDAR.replace("2029-01-01", "2030-01-01")}) == []
    assert [code for _, code, _ in lint(tmp_path, new={"calendars/days-off.toml": CALENDAR.replace("2029-01-01", "2027-01-01")})] == ["T18"]


def test_what_the_older_copy_cannot_read_has_no_past(tmp_path):
    broken = {"acme/global/model.toml": "rates = 1\n", "acme/provider.toml": "name = 1\n", "calendars/days-off.toml": "x = \n"}
    assert lint(tmp_path, old=broken) == []


def test_an_older_copy_that_is_none_is_an_error(tmp_path):
    tables = write_tables(tmp_path)
    with pytest.raises(TableError, match="no file or folder"):
        lint_tables(tables, base=tmp_path / "nowhere")


def test_the_shipped_tables_keep_their_own_past(tables):
    assert [fault for fault in lint_tables(tables / "deepseek", base=tables) if fault.code == "T18"] == []
