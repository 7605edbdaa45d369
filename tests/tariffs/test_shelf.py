"""The shelf: nothing is read before it is asked for; a folder of one's own is checked when it is, a trusted one is not."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given

import tokencost as tc
from strategies import CALENDAR, FILES, OFFERING, PROVIDER, SOURCES, tariffs, write_tables
from tokencost.tariffs.fault import Fault
from tokencost.tariffs.shelf import Shelf, shipped_tables

MODEL = "acme/global/model"
HOLE = OFFERING.replace('{ currency = "USD", ', '{ currency = "USD", above = 10, ')
USAGE = tc.Usage(input=1_000_000)
AT = "2025-03-01T00:00:00Z"
HEAVY = ["pydantic", "numpy", *(f"tokencost.tariffs.{name}" for name in ("checks", "doors", "lint", "places", "plausibility"))]


@pytest.fixture
def root(tmp_path):
    return write_tables(tmp_path)


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that are read, in order."""
    seen: list[str] = []
    read_bytes, read_text = Path.read_bytes, Path.read_text

    def noted(read):
        def reading(path, *args, **options):
            seen.append(path.name)
            return read(path, *args, **options)

        return reading

    monkeypatch.setattr(Path, "read_bytes", noted(read_bytes))
    monkeypatch.setattr(Path, "read_text", noted(read_text))
    return seen


def row(**options: object) -> tc.Rate:
    return tc.Rate(**{"currency": "USD", "prices": {"input": Decimal("0.1")}, **options})


def tariff(*rows: tc.Rate, name: str = "mine/here/model", **options: object) -> tc.Tariff:
    version = tc.Version(
        start=datetime(2025, 1, 1, tzinfo=UTC),
        basis="documented",
        source="contract",
        checked=date(2026, 1, 1),
        rates=rows or (row(),),
        **options,
    )
    return tc.Tariff(id=name, publisher=name.split("/", maxsplit=1)[0], versions=(version,))


# --- laziness


def test_nothing_is_read_before_it_is_asked_for(root, opened):
    book = tc.load_book(root)
    assert book.ids == (MODEL,)
    assert book.shelf.provider_ids == ("acme",)
    assert book.shelf.calendar_ids == ("days-off",)
    assert book.shelf.has(MODEL)
    assert opened == []

    assert book.cost(MODEL, USAGE, at=AT) == Decimal("0.55")
    assert sorted(opened) == ["days-off.toml", "model.toml", "provider.toml", "sources.toml"]

    opened.clear()
    assert book.cost(MODEL, USAGE, at="2025-04-01T00:00:00Z") == Decimal("0.55")
    assert opened == []


def test_a_trusted_shelf_reads_only_the_table(root, opened):
    shelf = Shelf(root, trusted=True)

    assert shelf.tariff(MODEL).id == MODEL
    assert shelf.tariff(MODEL) is shelf.tariff(MODEL)
    assert opened == ["model.toml"]


def test_one_broken_table_does_not_stop_another(root):
    write_tables(root, files={"acme/global/hole.toml": HOLE, "acme/global/model.toml": OFFERING})
    book = tc.load_book(root)

    assert book.cost(MODEL, USAGE, at=AT) == Decimal("0.55")
    with pytest.raises(tc.TableError):
        book.cost("acme/global/hole", USAGE, at=AT)


def test_the_shipped_tables_are_priced_without_what_checks_them():
    """A first quote imports neither pydantic nor any check, and reads no more than it needs."""
    code = (
        "import sys, tokencost as tc\n"
        f"tc.load_book().quote('deepseek/global/deepseek-reasoner', tc.Usage(input=1), at='{AT}')\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_a_relative_folder_is_found_from_anywhere_else(root, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(root.parent)
    book = tc.load_book(root.name)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert book.cost(MODEL, USAGE, at=AT) == Decimal("0.55")


# --- what stands there


def test_paths_are_ids(tmp_path):
    """A model's id may contain slashes; whatever lies elsewhere or is no table is passed over."""
    names = ("acme/global/family/model-1.5", "acme/eu/model", "host/us/acme.model")
    stray = {
        "acme/stray.toml": "",
        "stray.toml": "",
        "acme/global/notes.md": "",
        "acme/global/provider.toml": "",
        "acme/global/sources.toml": "",
    }
    shelf = Shelf(write_tables(tmp_path, files={**{f"{name}.toml": OFFERING for name in names}, **stray}))

    assert shelf.ids == tuple(sorted((*names, MODEL)))
    assert list(shelf.paths) == list(shelf.ids)
    assert all(path == shelf.root / f"{name}.toml" for name, path in shelf.paths.items())
    assert shelf.by_model["family/model-1.5"] == ("acme/global/family/model-1.5",)
    assert shelf.by_model["model"] == ("acme/eu/model", MODEL)
    assert not shelf.has("acme/global/family")


def test_what_is_not_there_is_refused_with_suggestions(root):
    shelf = Shelf(root)

    for read, what, near in (
        (shelf.tariff, "offering", MODEL),
        (shelf.provider, "provider", "acme"),
        (shelf.calendar, "calendar", "days-off"),
    ):
        with pytest.raises(tc.UnknownNameError, match=rf"no {what} '{near}x' in this book; did you mean '{near}'") as caught:
            read(f"{near}x")
        assert caught.value.suggestions == (near,)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(
        tc.TableError, match=r"no folder of price tables at .*; pass the folder that holds <provider>/<endpoint>/<model>\.toml"
    ) as caught:
        tc.load_book(tmp_path / "nowhere")

    assert caught.value.faults == ()


def test_an_empty_folder_is_an_empty_book(tmp_path):
    book = tc.load_book(tmp_path)

    assert (book.ids, book.claims, book.shelf.provider_ids) == ((), (), ())
    with pytest.raises(tc.UnknownNameError):
        book.tariff("model")


def test_providers_sources_calendars_and_claims_are_read_once(root):
    shelf = Shelf(root)

    assert shelf.provider("acme") is shelf.provider("acme")
    assert shelf.sources("acme") is shelf.sources("acme")
    assert list(shelf.sources("acme")) == ["page", "archive", "press"]
    assert shelf.calendar("days-off") is shelf.calendar("days-off")
    assert shelf.claims == ()


def test_a_folder_without_provider_or_sources_can_still_be_quoted(tmp_path):
    """One's own prices need no `provider.toml`; a source that they name has to be somewhere."""
    file = tmp_path / "mine" / "here" / "model.toml"
    file.parent.mkdir(parents=True)
    file.write_text(OFFERING)

    with pytest.raises(tc.TableError, match=r"T09 .*source 'page' is not in sources\.toml; add it with its url"):
        tc.load_book(tmp_path).cost("mine/here/model", USAGE, at=AT)
    (tmp_path / "mine" / "sources.toml").write_text(SOURCES)
    assert tc.load_book(tmp_path).cost("mine/here/model", USAGE, at=AT) == Decimal("0.55")


# --- trust


@given(tariffs())
def test_a_checked_shelf_reads_what_a_trusted_one_does(tmp_path_factory, drawn):
    root = write_tables(tmp_path_factory.mktemp("tables"), drawn)

    assert Shelf(root).tariff(drawn.id) == Shelf(root, trusted=True).tariff(drawn.id) == drawn
    assert list(Shelf(root).tariffs()) == [drawn]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (HOLE, {"T05"}),
        (OFFERING.replace("0.55", "-1"), {"T03"}),
        (OFFERING.replace("0.55", "'x'"), {"T02"}),
        (OFFERING + "\n" + OFFERING, {"T07"}),
        (OFFERING.replace("rates", 'schedule = "none"\nrates'), {"T10"}),
        (HOLE.replace("basis", "bases").replace("0.14", "0.1400001"), {"T01", "T21"}),
    ],
)
def test_a_table_of_one_s_own_is_checked_when_it_is_first_read(tmp_path, text, codes):
    """Every way to the table meets the same error, each time it is asked for."""
    root = write_tables(tmp_path, files={f"{MODEL}.toml": text})
    book = tc.load_book(root)
    for ask in (
        lambda: book.cost(MODEL, USAGE, at=AT),
        lambda: book.quote("acme/model", USAGE, at=AT),
        lambda: book.tariff(MODEL).history(),
    ):
        with pytest.raises(tc.TableError) as caught:
            ask()
        assert {fault.code for fault in caught.value.faults} == codes
        assert all(fault.path == f"{MODEL}.toml" and fault.line for fault in caught.value.faults)
    with pytest.raises(tc.TableError):
        list(book.shelf.tariffs())


@pytest.mark.parametrize(
    ("name", "text", "code", "line"),
    [
        ("acme/provider.toml", PROVIDER.replace('"UTC"', '"Nowhere/Land"'), "T10", 26),
        ("acme/provider.toml", PROVIDER.replace('name    = "Acme"', "name = 1"), "T21", 1),
        ("acme/sources.toml", SOURCES.replace('"news"', '"gossip"'), "T21", 14),
        ("calendars/days-off.toml", CALENDAR.replace("2029-01-01", "'2029'"), "T21", 3),
        ("calendars/days-off.toml", CALENDAR.replace("2025-05-01", "2022-05-01"), "T11", 4),
    ],
)
def test_what_stands_around_a_table_is_checked_too(tmp_path, name, text, code, line):
    root = write_tables(tmp_path, files={name: text})

    with pytest.raises(tc.TableError) as caught:
        tc.load_book(root).cost(MODEL, USAGE, at=AT)
    assert {(fault.path, fault.code) for fault in caught.value.faults} == {(name, code)}
    assert caught.value.faults[0].line == line


def test_a_trusted_shelf_takes_a_table_as_it_stands(tmp_path):
    root = write_tables(tmp_path, files={f"{MODEL}.toml": HOLE})

    assert Shelf(root, trusted=True).tariff(MODEL).versions[0].rates[0].above == 10


def test_a_file_that_vanishes_is_no_silent_loss(root):
    shelf = Shelf(root)
    assert shelf.ids == (MODEL,)
    (root / f"{MODEL}.toml").unlink()

    with pytest.raises(OSError, match=r"model\.toml"):
        shelf.tariff(MODEL)


# --- tariffs in memory


def test_tariffs_are_added_and_replaced_without_touching_the_shelf(root):
    shelf = Shelf(root)
    mine, theirs = tariff(), replace(shelf.tariff(MODEL), note="corrected")
    more = shelf.with_tariffs([mine]).with_tariffs(iter([theirs]))

    assert more.ids == (MODEL, "mine/here/model")
    assert more.tariff("mine/here/model") is mine
    assert more.tariff(MODEL).note == "corrected"
    assert more.provider_ids == ("acme", "mine")
    assert more.by_model["model"] == (MODEL, "mine/here/model")
    assert (shelf.ids, shelf.tariff(MODEL).note, shelf.provider_ids) == ((MODEL,), None, ("acme",))
    with pytest.raises(tc.UnknownNameError):
        shelf.provider("mine")


def test_a_provider_in_memory_is_made_up_from_its_offerings(root):
    shelf = Shelf(root).with_tariffs([tariff(), tariff(name="mine/there/other")])
    found = shelf.provider("mine")

    assert (found.id, found.name, found.kind, found.default) == ("mine", "mine", "publisher", "here")
    assert shelf.sources("mine") == {}


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """A shelf with the provider that drawn tariffs stand on."""
    return Shelf(write_tables(tmp_path_factory.mktemp("tables")))


@given(tariffs())
def test_any_drawn_tariff_can_be_added(acme, drawn):
    assert acme.with_tariffs([drawn]).tariff(drawn.id) is drawn


@pytest.mark.parametrize(
    ("made", "code", "where", "message"),
    [
        (tariff(row(prices={"input": 0.1})), "T02", "version 2025-01-01, row 1", "input = 0.1: not an exact decimal; write a plain number"),
        (tariff(row(prices={"input": 1})), "T02", "version 2025-01-01, row 1", "input = 1: not an exact decimal"),
        (tariff(row(prices={"inputs": Decimal(1)})), "T01", "version 2025-01-01, row 1", "unknown meter 'inputs'; did you mean 'input'?"),
        (tariff(row(above=10)), "T05", "version 2025-01-01, USD, standard", "the first tier starts at 11"),
        (tariff(row(), row()), "T04", "version 2025-01-01, USD, standard", "two rows for one choice"),
        (tariff(row(window="peak"), schedule="none"), "T10", "version 2025-01-01", "schedule 'none' is not in provider.toml; add it there"),
        (tariff(row(currency="dollar")), "T21", "version 2025-01-01, row 1", "is not an ISO 4217 code"),
        (tariff(name="model"), "T22", "", "the id 'model' is not one; write it like provider/endpoint/model"),
        (tariff(name="mine/here/"), "T22", "", "write it like provider/endpoint/model"),
        (tariff(status="withdrawn"), "T07", "", "no version rates"),
    ],
)
def test_a_tariff_in_memory_is_checked_when_it_is_added(root, made, code, where, message):
    """A float or a hole is refused at the door, not when a request happens to meet it."""
    with pytest.raises(tc.TableError) as caught:
        tc.load_book(root).with_tariffs([tariff(), made])

    assert [(fault.code, fault.path, fault.where) for fault in caught.value.faults] == [(code, made.id, where)]
    assert message in caught.value.faults[0].message


def test_all_faults_of_all_tariffs_in_memory_are_reported_at_once(root):
    bad = [
        tariff(row(above=1), name="mine/here/one"),
        tariff(row(prices={}), row(currency="CNY", prices={"input": 0.5}), name="mine/here/two"),
    ]
    with pytest.raises(tc.TableError) as caught:
        tc.load_book(root).with_tariffs(bad)

    assert {(fault.code, fault.path) for fault in caught.value.faults} == {("T05", "mine/here/one"), ("T02", "mine/here/two")}
    assert all(isinstance(fault, Fault) for fault in caught.value.faults)


def test_a_price_in_memory_may_have_any_number_of_decimals(root):
    """What an hour of a machine comes to per token is no printed figure."""
    exact = Decimal("0.123456789012")
    book = tc.load_book(root).with_tariffs([tariff(row(prices={"input": exact}))])

    assert book.cost("mine/here/model", USAGE, at=AT) == exact


def test_a_tariff_in_memory_may_use_the_schedules_of_its_provider(root):
    rows = (row(window="peak"), row(window="off_peak", prices={"input": Decimal("0.05")}))
    book = tc.load_book(root).with_tariffs([tariff(*rows, name="acme/global/mine", schedule="night")])

    assert book.cost("acme/global/mine", USAGE, at="2025-03-01T17:00:00Z") == Decimal("0.05")


# --- pickles


@pytest.mark.parametrize("trusted", [True, False])
def test_a_shelf_pickles_with_its_trust_and_its_tariffs(root, trusted):
    shelf = Shelf(root, trusted=trusted).with_tariffs([tariff()])
    twin = pickle.loads(pickle.dumps(shelf))

    assert (twin.root, twin.trusted, twin.ids) == (shelf.root, trusted, shelf.ids)
    assert twin.tariff("mine/here/model") == shelf.tariff("mine/here/model")
    assert twin.tariff(MODEL) == shelf.tariff(MODEL)


def test_a_pickle_holds_no_tables(root):
    shelf = Shelf(root)
    small = len(pickle.dumps(shelf))
    shelf.tariff(MODEL)

    assert len(pickle.dumps(shelf)) == small < 500


# --- the shipped tables


def test_the_shipped_tables_are_where_the_package_says(tables):
    assert shipped_tables().name == "price_tables"
    assert shipped_tables().samefile(tables)
    assert tc.load_book().shelf.trusted
    assert not tc.load_book(tables).shelf.trusted
    assert set(FILES) == {"calendars/days-off.toml", "acme/provider.toml", "acme/sources.toml"}
