"""Checks: one deliberately broken folder a code, and every mistake of structure that keeps a price from being defined."""

from __future__ import annotations

import re
import shutil
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given

import tokencost as tc
from strategies import OFFERING, PROVIDER, SOURCES, tariffs, write_tables
from tokencost.tariffs.checks import STRUCTURE, Case, findings_of
from tokencost.tariffs.fault import CODES, Fault
from tokencost.tariffs.files import read_provider, read_sources
from tokencost.tariffs.lint import lint_tables

BROKEN = Path(__file__).parent.parent / "broken"
MODEL, OWNER = "acme/global/model.toml", "acme/provider.toml"
EXPECTED = {
    "T01": (MODEL, 8, "version 2025-01-20, row 2", "unknown meter 'cahce_read'; did you mean 'cache_read'?"),
    "T02": (MODEL, 7, "version 2025-01-20, row 1", "cache_read = 0.0036251 has more than 6 decimals; write the figure that is printed"),
    "T03": (MODEL, 7, "version 2025-01-20, row 1", "cache_read = -0.14 is negative; write 0 or more"),
    "T04": (
        MODEL,
        1,
        "version 2025-01-20, USD, standard, tier from 32769",
        "two rows for one choice (both from 0 output tokens); keep one",
    ),
    "T05": (MODEL, 1, "version 2025-01-20, USD, standard", "no row from 32769 to 65536; let the next tier begin where this one ends"),
    "T06": (
        MODEL,
        1,
        "version 2025-01-20, USD, standard",
        "rows price different meters: cache_read not in every row; price them in all or in none",
    ),
    "T07": (MODEL, 11, "version 2025-01-20", "does not start after the one above it, 2025-02-01T00:00:00Z; put the oldest first"),
    "T08": (MODEL, 10, "promo 2025-02-01", "missing key 'until'; write it like until = 2025-02-08T16:00:00Z"),
    "T09": (MODEL, 4, "version 2025-01-20", "source 'pgae' is not in sources.toml; did you mean 'page'?"),
    "T10": (MODEL, 6, "version 2025-01-20", "schedule 'ofice' is not in provider.toml; write one of night, office, three"),
    "T11": (OWNER, 16, "schedule office 2023-01-01, row 1", "calendar 'holidays' is not in calendars/; write one of days-off"),
    "T12": (MODEL, 7, "version 2025-01-20, row 1", "cache_read = 0.55 is above input = 0.14; check the columns"),
    "T13": (MODEL, 8, "version 2025-01-20, row 2", "batch output = 2.2 is above standard 2.19; check the table"),
    "T14": (MODEL, 9, "version 2025-01-20, row 2", "off-peak output = 2.19 is above peak 1.1; check the windows"),
    "T15": (MODEL, 8, "version 2025-01-20, row 2", "output: 160.0 CNY against 2.19 USD implies 73.06 CNY a dollar; check the columns"),
    "T16": (MODEL, 10, "version 2025-09-05", "cache_read moves from 0.14 to 0.014 USD, beyond fivefold; say why in a note"),
    "T17": (MODEL, 10, "version 2025-09-05", "output moves from 2.19 to 2190.0 USD, about a thousandfold; check the unit"),
    "T19": (MODEL, 7, "", "is not in canonical form; `tokencost fmt` writes it"),
    "T20": (MODEL, None, "", "last checked on 2025-07-04, more than 180 days before 2026-01-01; look again and set checked"),
    "T21": (MODEL, 7, "", "not TOML: unclosed inline table (at line 7, column 22); correct it there"),
    "T22": (OWNER, 50, "alias latest", "points at 'global/modle', which is not here; did you mean 'global/model'?"),
}
ON = date(2026, 1, 1)
SOUND = read_provider(tomllib.loads(PROVIDER), "acme", path="p")


def broken(root: Path, name: str) -> Path:
    """A sound folder of tables with one broken file laid over it."""
    shutil.copytree(BROKEN / name, write_tables(root), dirs_exist_ok=True)
    return root


def test_the_folder_that_they_are_laid_over_is_sound(tmp_path):
    assert lint_tables(write_tables(tmp_path), on=ON) == []


@pytest.mark.parametrize(("code", "expected"), EXPECTED.items(), ids=list(EXPECTED))
def test_one_broken_file_has_one_fault(tmp_path, code, expected):
    """The code, the file, the line, the place in words, and a message that ends with its cure."""
    path, line, where, message = expected
    faults = [fault for fault in lint_tables(broken(tmp_path, code), on=ON) if code != "T17" or fault.code == code]

    assert faults[:1] == [Fault(code, path, where, message, line)]
    assert {fault.code for fault in faults} == {code}
    assert re.search(r"; [^;]+$", message)


def test_every_code_has_a_broken_file():
    """T18 compares two copies, and has its own tests."""
    assert set(EXPECTED) == set(CODES) - {"T18"}
    assert {folder.name for folder in BROKEN.iterdir()} >= set(EXPECTED)


@pytest.mark.parametrize("code", [code for code in EXPECTED if code not in ("T12", "T13", "T14", "T15", "T16", "T17", "T19", "T20")])
def test_a_book_of_one_s_own_refuses_it_too(tmp_path, code):
    """What keeps a price from being defined is raised when the table is first read, with the same line."""
    book = tc.load_book(broken(tmp_path, code))
    with pytest.raises(tc.TableError) as caught:
        book.cost("acme/global/model", tc.Usage(input=1), at="2025-03-01T00:00:00Z")

    assert caught.value.faults == (Fault(code, *(EXPECTED[code][n] for n in (0, 2, 3, 1))),)


@pytest.mark.parametrize("code", ["T12", "T13", "T14", "T15", "T16", "T17", "T19", "T20"])
def test_a_book_of_one_s_own_takes_what_is_only_implausible(tmp_path, code):
    assert tc.load_book(broken(tmp_path, code)).cost("acme/global/model", tc.Usage(input=1_000_000), at="2025-03-01T00:00:00Z") > 0


MANY = [
    ("T01", 1, "", "unknown key 'colour'"),
    ("T01", 10, "version 2025-01-20, row 2", "unknown meter 'inputt'"),
    ("T02", 9, "version 2025-01-20, row 1", "output = 2.1900001 has more than 6 decimals"),
    ("T02", 18, "version 2025-01-10, row 1", "input = '0.55'"),
    ("T03", 9, "version 2025-01-20, row 1", "input = -0.55 is negative"),
    ("T05", 3, "version 2025-01-20, USD, standard", "the first tier starts at 11"),
    ("T09", 6, "version 2025-01-20", "source 'pgae'"),
    ("T09", 13, "version 2025-01-10", "missing key 'checked'"),
    ("T21", 10, "version 2025-01-20, row 2", "currency 'usd'"),
    ("T21", 14, "version 2025-01-10", "names no offset"),
    ("T21", 15, "version 2025-01-10", "basis = 'rumour'"),
    ("T21", 18, "version 2025-01-10, row 1", "missing key 'currency'"),
]


def test_all_faults_of_a_file_are_reported_at_once(tmp_path):
    """Wrong types in one version do not hide the holes in another; lint and the book agree."""
    root = broken(tmp_path, "many")
    faults = lint_tables(root)
    with pytest.raises(tc.TableError) as caught:
        tc.load_book(root).tariff("acme/global/model").law  # noqa: B018 - reading is the point

    assert sorted((f.code, f.line, f.where, f.message.split(";")[0].split(":")[0]) for f in faults) == sorted(
        (
            code,
            line,
            where,
            next(f.message.split(";")[0].split(":")[0] for f in faults if f.message.startswith(begin) or begin in f.message),
        )
        for code, line, where, begin in MANY
    )
    assert set(caught.value.faults) == set(faults)


ONE = OFFERING.replace('  { currency = "CNY", input = 4.0, cache_read = 1.0, output = 16.0 },\n', "")
ROW = '  { currency = "USD", input = 0.55, cache_read = 0.14, output = 2.19 },\n'
END = "\n]\n"
SPANS = ONE.replace("basis", "until = 2025-04-01T00:00:00Z\nbasis") + "\n" + ONE.replace("2025-01-20", "2025-03-01")
BLOCK = 'basis = "announced"\nsource = "page"\nchecked = 2026-01-01\n'
UNTIL = "[[promo]]\nfrom = 2025-02-01T00:00:00Z\nuntil = 2025-03-01T00:00:00Z\n" + BLOCK
FREE = '\n[[allowance]]\nmeter = "{}"\nquantity = {}\nper = "day"\nsource = "{}"\nchecked = 2026-01-01\n'


@pytest.mark.parametrize(
    ("change", "code", "where", "cure"),
    [
        ((ROW, ROW + '  { currency = "EUR" },\n'), "T01", "version 2025-01-20, row 2", "give it at least one, free is 0.0"),
        ((ROW, ROW.replace("input", "zzz")), "T01", "version 2025-01-20, row 1", "the reference lists the meters"),
        (("rates", "minimum = { audio = 10 }\nrates"), "T01", "version 2025-01-20", "did you mean 'audio_s'?"),
        (
            (END, '\n]\nadjustments = [{ service_tier = "batch", multiply = 0.5, meters = ["inptu"] }]\n'),
            "T01",
            "version 2025-01-20",
            "'input'?",
        ),
        ((END, f']\n{UNTIL}multiply = 0.5\nmeters = ["inptu"]\n'), "T01", "promo 2025-02-01", "did you mean 'input'?"),
        ((END, END + FREE.format("web_serch", 1, "page")), "T01", "allowance web_serch", "did you mean 'web_search'?"),
        (("0.55", "0.5500001"), "T02", "version 2025-01-20, row 1", "write the figure that is printed"),
        (("0.55", "0.5500000"), "T02", "version 2025-01-20, row 1", "write the figure that is printed"),
        (("input = 0.55", "above = -1, input = 0.55"), "T03", "version 2025-01-20, row 1", "write 0 or more"),
        (("input = 0.55", "above_output = -1, input = 0.55"), "T03", "version 2025-01-20, row 1", "write 0 or more"),
        (("rates", "minimum = { audio_s = -10 }\nrates"), "T03", "version 2025-01-20", "write 0 or more"),
        (
            (END, '\n]\nadjustments = [{ service_tier = "batch", multiply = 0.0 }]\n'),
            "T03",
            "version 2025-01-20",
            "write the factor, like 0.5",
        ),
        ((END, f"{END}{UNTIL}multiply = -0.5\n"), "T03", "promo 2025-02-01", "write 0 or more"),
        ((END, END + FREE.format("web_search", -1, "page")), "T03", "allowance web_search", "write 0 or more"),
        ((ROW, ROW + ROW), "T04", "version 2025-01-20, USD, standard", "keep one"),
        (("input = 0.55", "above = 0, at_or_above = 0, input = 0.55"), "T04", "version 2025-01-20, row 1", "keep one"),
        ((END, '\n]\nadjustments = [{ service_tier = "standard", multiply = 0.5 }]\n'), "T04", "version 2025-01-20", "keep one of them"),
        (
            (END, '\n]\nadjustments = [{ service_tier = "batch", residency = "us", multiply = 0.5 }]\n'),
            "T04",
            "version 2025-01-20",
            "split it",
        ),
        ((END, "\n]\nadjustments = [{ multiply = 0.5 }]\n"), "T04", "version 2025-01-20", "split it"),
        (
            (END, '\n]\nadjustments = [{ residency = "us", multiply = 1.1 }, { residency = "us", multiply = 1.2, meters = ["output"] }]\n'),
            "T04",
            "version 2025-01-20",
            "2 factors for residency us; keep one of them",
        ),
        (('"USD", ', '"USD", window = "peak", '), "T10", "version 2025-01-20, USD, standard", "set its schedule"),
        ((ROW, ""), "T05", "version 2025-01-20", "give it rates"),
        (("rates", 'schedule = "night"\nrates'), None, None, None),
        (
            ("rates", "until = 2025-01-19T00:00:00Z\nrates"),
            "T07",
            "version 2025-01-20",
            "ends at 2025-01-19T00:00:00Z, before it begins; correct its until",
        ),
        (("rates", "until = 2025-01-20T00:00:00Z\nrates"), "T07", "version 2025-01-20", "correct its until"),
        ((ONE, SPANS), "T07", "version 2025-03-01", "starts before the one above it ends, 2025-04-01T00:00:00Z; let that one end here"),
        ((ONE, SPANS.replace("2025-04", "2025-03")), None, None, None),
        (("rates", 'status = "withdrawn"\nrates'), "T07", "", "give the tariff at least one that is not withdrawn"),
        ((END, f"{END}{UNTIL}multiply = 0.5\n".replace("2025-03", "2025-01")), "T08", "promo 2025-02-01", "correct its until"),
        ((END, f"{END}{UNTIL}"), "T08", "promo 2025-02-01", "give it one of them"),
        ((END, f"{END}{UNTIL}multiply = 0.5\nrates = [\n{ROW}]\n"), "T08", "promo 2025-02-01", "give it one of them"),
        (
            (END, f"{END}{UNTIL}multiply = 0.5\n".replace("2025-02", "2025-01")),
            "T08",
            "promo 2025-01-01",
            "add the version that it discounts",
        ),
        ((END, END + f"{UNTIL}multiply = 0.5\n" * 2), "T08", "promo 2025-02-01", "end it first"),
        ((END, f"{END}{UNTIL}rates = [\n{ROW}{ROW}]\n"), "T04", "promo 2025-02-01, USD, standard", "keep one"),
        (("0.55,", '0.55, source = "xyz",'), "T09", "version 2025-01-20, row 1", "add it with its url"),
        (
            (END, '\n]\nadjustments = [{ residency = "us", multiply = 1.1, source = "pgae" }]\n'),
            "T09",
            "version 2025-01-20",
            "did you mean 'page'?",
        ),
        (
            (END, "]\n" + FREE.format("web_search", 1, "page") + FREE.format("page", 1, "pag")),
            "T09",
            "allowance page",
            "did you mean 'page'?",
        ),
        (("2025-01-20T", "2022-01-20T"), None, None, None),
        (
            ("[[version]]\nfrom    = 2025-01-20T00:00:00Z\n", '[[version]]\nfrom = 2022-01-20T00:00:00Z\nschedule = "night"\n'),
            "T10",
            "version 2022-01-20",
            "has no edition from 2022-01-20T00:00:00Z on, while the version rates; add one, or end the version",
        ),
        (('"USD"', '"US$"'), "T21", "version 2025-01-20, row 1", "write it like 'USD' or 'CNY'"),
    ],
)
def test_one_mistake_of_structure(tmp_path, change, code, where, cure):
    """Each found where it is, with its line, by lint and by a book of one's own alike."""
    text = ONE.replace(*change, 1)
    root = write_tables(tmp_path, files={MODEL: text})
    faults = [fault for fault in lint_tables(root) if fault.code not in ("T16", "T17", "T19")]
    found = [(fault.code, fault.where) for fault in faults]

    assert set(found) == ({(code, where)} if code else set())
    assert all(fault.message.endswith(cure) and fault.line is not None for fault in faults)
    if code:
        with pytest.raises(tc.TableError) as caught:
            tc.load_book(root).shelf.tariff("acme/global/model")
        assert sorted(caught.value.faults) == sorted(faults)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2023-01-01T00:00:00Z", "2025-01-01T00:00:00Z", None),
        ("2023-01-01T00:00:00Z\nuntil = 2024-12-31T00:00:00Z", "2025-01-01T00:00:00Z", "2024-12-31T00:00:00Z"),
        ("2023-01-01T00:00:00Z\nuntil = 2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", None),
        (
            "2023-01-01T00:00:00Z\nuntil = 2025-01-01T00:00:00Z",
            "2025-01-01T00:00:00Z\nuntil = 2025-06-01T00:00:00Z",
            "2025-06-01T00:00:00Z",
        ),
        ("2023-01-01T00:00:00Z\nuntil = 2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z\nuntil = 2025-07-01T00:00:00Z", None),
        ("2024-02-01T00:00:00Z", "2025-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    ],
)
def test_a_schedule_must_hold_for_the_whole_version(tmp_path, first, second, expected):
    """Editions of one schedule, one after the other, against a version from 2024 until July 2025."""
    block = PROVIDER.split("[[schedule]]\n")[2].split("\n\n")[0]
    editions = "".join(
        "\n[[schedule]]\n" + block.replace('"night"', '"two"').replace("2023-01-01T00:00:00Z", start) + "\n" for start in (first, second)
    )
    span = 'from = 2024-01-01T00:00:00Z\nuntil = 2025-07-01T00:00:00Z\nschedule = "two"'
    rows = ROW.replace('"USD"', '"USD", window = "peak"') + ROW.replace('"USD"', '"USD", window = "off_peak"')
    text = ONE.replace("from    = 2025-01-20T00:00:00Z", span).replace(ROW, rows)
    root = write_tables(tmp_path, files={MODEL: text, OWNER: PROVIDER + editions})
    found = [fault for fault in lint_tables(root) if fault.code != "T19"]

    assert [fault.code for fault in found] == ([] if expected is None else ["T10"])
    assert all(f"has no edition from {expected} on" in fault.message for fault in found)


def test_a_fault_of_the_list_is_not_said_again_of_its_promotion(tmp_path):
    """A promotion that leaves the broken choice alone is not blamed for it."""
    promo = f"{END}{UNTIL}rates = [\n{ROW.replace('USD', 'EUR')}]\n"
    text = ONE.replace(ROW, ROW + ROW).replace(END, promo, 1)
    faults = [fault for fault in lint_tables(write_tables(tmp_path, files={MODEL: text})) if fault.code != "T19"]

    assert [(fault.code, fault.where) for fault in faults] == [("T04", "version 2025-01-20, USD, standard")]


def test_rows_answer_for_the_editions_in_force_and_no_others(tmp_path):
    """A window that only a later edition gives needs no row in a version that ended before it."""
    block = PROVIDER.split("[[schedule]]\n")[2].split("\n\n")[0]
    later = block.replace("2023-01-01T", "2026-01-01T").replace(
        "windows = [", 'windows = [\n  { window = "dawn", days = "daily", hours = "04:00-05:00" },'
    )
    rows = ROW.replace('"USD"', '"USD", window = "peak"') + ROW.replace('"USD"', '"USD", window = "off_peak"')
    text = ONE.replace(ROW, rows).replace("rates", 'schedule = "night"\nrates')
    root = write_tables(tmp_path, files={MODEL: text, OWNER: f"{PROVIDER}\n[[schedule]]\n{later}\n"})

    assert [fault.code for fault in lint_tables(root) if fault.code != "T19"] == ["T05"]
    ended = text.replace("rates", "until = 2026-01-01T00:00:00Z\nrates")
    root = write_tables(tmp_path, files={MODEL: ended, OWNER: f"{PROVIDER}\n[[schedule]]\n{later}\n"})
    assert [fault.code for fault in lint_tables(root) if fault.code != "T19"] == []


@given(tariffs())
def test_a_drawn_tariff_has_no_fault_of_structure(tariff):
    case = Case(tariff, SOUND, read_sources(tomllib.loads(SOURCES), path="s"), {})

    assert findings_of(case, STRUCTURE) == []
