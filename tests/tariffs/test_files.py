"""Files: exact decimals in, records out; the strict door refuses what it does not know, all at once, each with its cure."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from strategies import CALENDAR, OFFERING, PROVIDER, SOURCES, tariffs
from tokencost.tariffs.canonical import tariff_text
from tokencost.tariffs.checks import STRUCTURE, Case, findings_of
from tokencost.tariffs.fault import CODES
from tokencost.tariffs.files import Reading, build_tariff, read_calendar, read_claims, read_provider, read_sources, read_tariff, read_toml
from tokencost.tariffs.plausibility import PLAUSIBILITY

CLAIM = """
[[claim]]
id = "one"
article = "A"
publication = "P"
offering = "acme/global/model"
at = 2025-01-20T00:00:00Z
currency = "USD"
said = { input = 0.14, output = 2 }
really = { input = "cache_read", output = "output" }
"""


def parsed(text: str) -> dict:
    return tomllib.loads(text, parse_float=Decimal)


def read(text: str, **options: bool) -> tc.Tariff:
    return read_tariff(parsed(text), "acme/global/model", path="acme/global/model.toml", **options)


def faults(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(tc.TableError) as caught:
        read(text)
    assert all(fault.path == "acme/global/model.toml" for fault in caught.value.faults)
    return [(fault.code, fault.where, fault.message) for fault in caught.value.faults]


# --- TOML


def test_figures_are_exact_decimals(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text("a = 0.1\nb = 2025-01-20T00:00:00Z\nc = 3\n")

    assert read_toml(file) == {"a": Decimal("0.1"), "b": datetime(2025, 1, 20, tzinfo=UTC), "c": 3}


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b"a = 1\nb = = 2\n", 2, "not TOML: invalid value"),
        (b'a = 1\nb = "open\n', 2, "not TOML: illegal character"),
        (b"a = 1\na = 2\n", 2, "not TOML: cannot overwrite a value"),
        (b"[x]\na = 1\n\n[x]\n", 4, "not TOML: cannot declare ('x',) twice"),
        (b"rates = [\n  { input = 1.0, input = 2.0 },\n]\n", 2, "not TOML: duplicate inline table key 'input'"),
        (b"a = [1,\n", 2, "not TOML: invalid value (at end of document)"),
        (b"a = 1\r\nb = 'caf\xe9'\n", 2, "byte 0xe9 is not UTF-8"),
        ("a = 1\nb = 2".encode("utf-16"), 1, "byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbfa = 1\n", 1, "not TOML: invalid statement"),
        (b"a = 12\nb\n", 2, "not TOML: expected '=' after a key"),
    ],
)
def test_what_is_not_toml_is_refused_with_its_line(tmp_path, raw, line, message):
    file = tmp_path / "x.toml"
    file.write_bytes(raw)

    with pytest.raises(tc.TableError) as caught:
        read_toml(file, shown="acme/x.toml")

    (fault,) = caught.value.faults
    assert (fault.code, fault.path, fault.line) == ("T21", "acme/x.toml", line)
    assert fault.message.startswith(message)
    assert fault.message.endswith(("; correct it there", "; save the file as UTF-8"))


# --- the strict door


@given(tariffs())
def test_both_doors_build_the_same_tariff(tariff):
    text = tariff_text(tariff)

    assert read(text, strict=True) == read(text, strict=False) == tariff


def test_a_whole_number_is_a_price():
    (version,) = read(OFFERING.replace("input = 0.55", "input = 1")).versions

    assert version.rates[0].prices["input"] == Decimal(1)
    assert isinstance(version.rates[0].prices["input"], Decimal)


def test_a_whole_number_is_a_factor():
    (version,) = read(OFFERING + 'adjustments = [{ service_tier = "priority", multiply = 2 }]\n').versions

    assert version.adjustments[0].multiply == Decimal(2)
    assert isinstance(version.adjustments[0].multiply, Decimal)


PRICE = "version 2025-01-20, row 1"
VERSION = "version 2025-01-20"
EXACT = "not an exact decimal; write a plain number like 0.55, without quotes"


@pytest.mark.parametrize(
    ("old", "new", "code", "where", "message"),
    [
        ("input = 0.55", 'input = "0.55"', "T02", PRICE, f"input = '0.55': {EXACT}"),
        ("input = 0.55", "input = true", "T02", PRICE, f"input = True: {EXACT}"),
        ("input = 0.55", "input = [0.55]", "T02", PRICE, f"input = [Decimal('0.55')]: {EXACT}"),
        ("input = 0.55", "input = { usd = 1 }", "T02", PRICE, "input = {'usd': 1}: " + EXACT),
        ("input = 0.55", "input = nan", "T02", PRICE, "input = NaN: not a finite number; write a plain number like 0.55"),
        ("input = 0.55", "input = -inf", "T02", PRICE, "input = -Infinity: not a finite number; write a plain number like 0.55"),
        (
            "input = 0.55",
            "above = 0.0, input = 0.55",
            "T21",
            PRICE,
            "above = 0.0: not a whole number; write it like 200_000, without quotes or decimals",
        ),
        (
            "input = 0.55",
            "above = true, input = 0.55",
            "T21",
            PRICE,
            "above = True: not a whole number; write it like 200_000, without quotes or decimals",
        ),
        ('currency = "USD"', "currency = 840", "T21", PRICE, 'currency = 840: not text; write it in quotes, like "text"'),
        ('currency = "USD", ', "", "T21", PRICE, "missing key 'currency'; write it like currency = \"USD\""),
        (
            'currency = "USD"',
            'currency = "USD", service_tier = "cheap"',
            "T21",
            PRICE,
            "service_tier = 'cheap': not a word that is known here; write 'standard', 'batch', 'flex', 'priority', 'fast' or 'ultrafast'",
        ),
        ('currency = "USD"', 'currency = "USD", prices = { input = 1 }', "T01", PRICE, "unknown key 'prices'; known are "),
        (
            "from    = 2025-01-20T00:00:00Z",
            "from = 2025-01-20T00:00:00",
            "T21",
            VERSION,
            "from = 2025-01-20T00:00:00 names no offset; write it like 2025-01-20T00:00:00Z",
        ),
        (
            "from    = 2025-01-20T00:00:00Z",
            "from = 2025-01-20",
            "T21",
            "version 1",
            "from = 2025-01-20: not an instant; write it like 2025-01-20T00:00:00Z, without quotes",
        ),
        (
            "from    = 2025-01-20T00:00:00Z",
            'from = "2025-01-20T00:00:00Z"',
            "T21",
            "version 1",
            "from = '2025-01-20T00:00:00Z': not an instant; write it like 2025-01-20T00:00:00Z, without quotes",
        ),
        ("from    = 2025-01-20T00:00:00Z\n", "", "T21", "version 1", "missing key 'from'; write it like from = 2025-01-20T00:00:00Z"),
        ("from    =", "start =", "T01", "version 1", "unknown key 'start'; "),
        ("checked = 2026-01-01", "checked = 2026-01-01T00:00:00Z", "T21", VERSION, "not a day; write it like 2026-11-20, without quotes"),
        ("checked = 2026-01-01\n", "", "T09", VERSION, "missing key 'checked'; write it like checked = 2026-11-20"),
        ('source  = "page"\n', "", "T09", VERSION, "missing key 'source'; write it like source = \"pricing-en\", an id in sources.toml"),
        ('source  = "page"', "source = 1", "T21", VERSION, 'source = 1: not text; write it in quotes, like "text"'),
        (
            'basis   = "announced"',
            'basis = "rumour"',
            "T21",
            VERSION,
            "basis = 'rumour': not a word that is known here; write 'announced', 'documented', 'first_observed' or 'catalogue'",
        ),
        ('basis   = "announced"', 'basis = "announced"\nsorce = "x"', "T01", VERSION, "unknown key 'sorce'; did you mean 'source'?"),
        (
            'basis   = "announced"',
            'basis = "announced"\nallow = "T12"',
            "T21",
            VERSION,
            "allow = 'T12': not a list; write it in brackets, or as [[blocks]]",
        ),
        (
            'basis   = "announced"',
            'basis = "announced"\nallow = [12]',
            "T21",
            VERSION,
            'allow = 12: not text; write it in quotes, like "text"',
        ),
        (
            'basis   = "announced"',
            'basis = "announced"\nminimum = 10',
            "T21",
            VERSION,
            "minimum = 10: not a table; write it in braces, like { audio_s = 10 }",
        ),
        ('basis   = "announced"', 'basis = "announced"\nminimum = { audio_s = 9.5 }', "T21", VERSION, "audio_s = 9.5: not a whole number"),
        ("rates = [", "rates = [ 7,", "T21", PRICE, 'rates = 7: not a table; write it in braces, like { currency = "USD", input = 0.55 }'),
        ("[[version]]", "[version]", "T21", "", "not a list; write it in brackets, or as [[blocks]]"),
        ("[[version]]", 'id = "x"\n[[version]]', "T01", "", "unknown key 'id'; known are "),
        ("[[version]]", 'tilte = "x"\n[[version]]', "T01", "", "unknown key 'tilte'; did you mean 'title'?"),
        (
            "[[version]]",
            'tiering = "steps"\n[[version]]',
            "T21",
            "",
            "tiering = 'steps': not a word that is known here; write 'cliff' or 'graduated'",
        ),
        ("[[version]]", "[[versions]]", "T01", "", "unknown key 'versions'; did you mean 'version'?"),
    ],
)
def test_one_mistake_at_the_door(old, new, code, where, message):
    assert old in OFFERING
    found = faults(OFFERING.replace(old, new, 1))

    assert [entry for entry in found if entry[0] == code and entry[1] == where and message in entry[2]] != [], found


def test_a_missing_list_of_versions():
    assert faults('title = "x"') == [("T21", "", "missing key 'version'; write it like version = ...")]


def test_a_float_is_refused():
    """A document that was parsed without exact decimals has already lost digits."""
    with pytest.raises(tc.TableError) as caught:
        read_tariff(tomllib.loads(OFFERING), "acme/global/model", path="m.toml")

    assert {fault.code for fault in caught.value.faults} == {"T02"}
    assert len(caught.value.faults) == 6
    assert caught.value.faults[0].message == f"input = 0.55: {EXACT}"


BROKEN = """
colour = "red"

[[version]]
from = 2025-01-20T00:00:00
basis = "rumour"
source = 1
rates = [
  { input = "0.55", output = true },
  { currency = "CNY", above = 1.5, input = 4.0 },
]
adjustments = [ { service_tier = "batch" } ]

[[promo]]
from = 2025-02-01T00:00:00Z
basis = "announced"
source = "page"
checked = "today"
multiply = "half"

[[allowance]]
meter = "web_search"
quantity = "many"
per = "week"
source = "page"
"""


def test_all_faults_of_a_file_are_reported_at_once():
    """Fourteen mistakes of five kinds in one file, one error."""
    assert [(code, where) for code, where, _ in sorted(faults(BROKEN), key=lambda fault: (fault[1], fault[0]))] == [
        ("T01", ""),
        ("T09", "allowance web_search"),
        ("T21", "allowance web_search"),
        ("T21", "allowance web_search"),
        ("T02", "promo 2025-02-01"),
        ("T08", "promo 2025-02-01"),
        ("T21", "promo 2025-02-01"),
        ("T09", "version 2025-01-20"),
        ("T21", "version 2025-01-20"),
        ("T21", "version 2025-01-20"),
        ("T21", "version 2025-01-20"),
        ("T21", "version 2025-01-20, adjustment 1"),
        ("T02", "version 2025-01-20, row 1"),
        ("T02", "version 2025-01-20, row 1"),
        ("T21", "version 2025-01-20, row 1"),
        ("T21", "version 2025-01-20, row 2"),
    ]


def test_every_fault_carries_its_line_where_the_file_is_at_hand(tmp_path):
    file = tmp_path / "model.toml"
    file.write_text(BROKEN)
    with pytest.raises(tc.TableError) as caught:
        read_tariff(read_toml(file), "acme/global/model", path="model.toml", file=file)
    lines = {fault.message: fault.line for fault in caught.value.faults}

    assert all(line is not None for line in lines.values())
    for words, line in {
        "unknown key 'colour'": 2,
        "names no offset": 5,
        "basis = 'rumour'": 6,
        "source = 1": 7,
        "input = '0.55'": 9,
        "output = True": 9,
        "missing key 'currency'": 9,
        "above = 1.5": 10,
        "checked = 'today'": 18,
        "multiply = 'half'": 19,
        "missing key 'until'": 14,
        "quantity = 'many'": 23,
        "per = 'week'": 24,
    }.items():
        assert next(lines[message] for message in lines if words in message) == line, words


@given(
    st.dictionaries(
        st.sampled_from(["version", "promo", "allowance", "title", "id"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.decimals(allow_nan=True) | st.dates() | st.datetimes(),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["from", "rates", "input", "source", "x"]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    )
)
def test_whatever_a_document_holds_the_door_answers_with_faults(doc):
    """No document makes the door raise anything but a table error."""
    reading = Reading("x.toml")
    build_tariff(reading, doc, "acme/global/model")

    if reading.faults:
        with pytest.raises(tc.TableError):
            read_tariff(doc, "acme/global/model", path="x.toml")
    else:
        assert read_tariff(doc, "acme/global/model", path="x.toml").id == "acme/global/model"


def places(node: object) -> list[tuple[object, object]]:
    """Every (container, key) of a document."""
    inside = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [(node, key) for key, _ in inside] + [place for _, value in inside for place in places(value)]


ODD = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(["", "peak", "thinking", "standard", [], {}, [1], [{}], {"input": 1}, date(2025, 1, 1), datetime(2025, 1, 1)])  # noqa: DTZ001
    | st.sampled_from([Decimal(text) for text in ("NaN", "-Infinity", "1e-9", "1e999", "-1", "0")])
)


@settings(max_examples=200)
@given(tariffs(), ODD, st.data())
def test_a_table_with_one_value_replaced_is_answered_with_findings(tariff, odd, data):
    """Whatever is written in one place of a sound table, the checks answer; they never break down."""
    doc = parsed(tariff_text(tariff))
    container, key = data.draw(st.sampled_from(places(doc)))
    if data.draw(st.booleans()):
        container[key] = odd
    else:
        del container[key]
    reading = Reading("x.toml")
    built = build_tariff(reading, doc, tariff.id)
    findings = findings_of(Case(built, SOUND, KNOWN, {}), (*STRUCTURE, *PLAUSIBILITY), unsound=reading.unsound)

    assert all(finding.code in CODES and finding.message for finding in (*reading.findings, *findings))
    if not reading.findings and not findings:
        text = tariff_text(built)
        assert tariff_text(read(text)) == text


SOUND = read_provider(parsed(PROVIDER), "acme", path="p")
KNOWN = read_sources(parsed(SOURCES), path="s")


def test_the_publisher_is_the_provider_unless_said_otherwise():
    assert read(OFFERING).publisher == "acme"
    assert read('publisher = "deepseek"\n' + OFFERING).publisher == "deepseek"


# --- the other files


def test_a_provider_reads():
    provider = read_provider(parsed(PROVIDER), "acme", path="acme/provider.toml")

    assert (provider.id, provider.name, provider.kind, provider.default, provider.decided) == (
        "acme",
        "Acme",
        "publisher",
        "global",
        "unstated",
    )
    assert [schedule.id for schedule in provider.schedules] == ["office", "night", "three"]
    assert provider.schedules[0].windows[0].except_calendar == "days-off"


def test_editions_of_a_schedule_come_in_order_of_their_start():
    again = PROVIDER.split("[[schedule]]")[1].replace("2023-01-01T", "2020-01-01T")
    provider = read_provider(parsed(f"{PROVIDER}\n[[schedule]]{again}"), "acme", path="p")

    assert [edition.start.year for edition in provider.schedule_versions("office")] == [2020, 2023]
    assert provider.schedule_versions("nothing") == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "where", "message"),
    [
        ('name    = "Acme"\n', "", "T21", "", "missing key 'name'"),
        ('kind    = "publisher"', 'kind = "shop"', "T21", "", "write 'publisher' or 'host'"),
        ("windows = [", "windows = [ { days = 'mon' },", "T21", "schedule office 2023-01-01, row 1", "missing key 'window'"),
        ('days = "mon-fri"', "day = 1", "T01", "schedule office 2023-01-01, row 1", "unknown key 'day'; did you mean 'days'?"),
        ('decided  = "completion"', 'decided = "both"', "T21", "schedule office 2023-01-01", "write 'request', 'completion' or 'unstated'"),
        ("[[endpoint]]\n", "[[endpoint]]\nregion = 1\n", "T01", "endpoint global", "unknown key 'region'; known are "),
        ("[[endpoint]]", "[[alias]]\nname = 'a'\n[[endpoint]]", "T21", "alias a", "missing key 'offering'"),
        ("[[endpoint]]", "[[rule]]\nkind = 'infix'\n[[endpoint]]", "T21", "rule 1", "missing key 'pattern'"),
    ],
)
def test_one_mistake_in_a_provider(old, new, code, where, message):
    assert old in PROVIDER
    with pytest.raises(tc.TableError) as caught:
        read_provider(parsed(PROVIDER.replace(old, new, 1)), "acme", path="acme/provider.toml")

    assert [f for f in caught.value.faults if (f.code, f.where) == (code, where) and message in f.message] != [], caught.value.faults


def test_sources_read():
    sources = read_sources(parsed(SOURCES), path="sources.toml")

    assert list(sources) == ["page", "archive", "press"]
    assert sources["press"].kind == "news"
    assert read_sources({}, path="sources.toml") == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '[[source]]\nid = "a"\nurl = 1\n[[source]]\nkind = "web"\n',
            [("T21", "source a"), ("T21", "source a"), ("T21", "source 2"), ("T21", "source 2"), ("T21", "source 2")],
        ),
        ('[[sorce]]\nid = "a"\n', [("T01", "")]),
        ("source = 1\n", [("T21", "")]),
        ("source = [1, 2]\n", [("T21", ""), ("T21", "")]),
        (SOURCES + SOURCES.split("\n\n", maxsplit=1)[0], [("T22", "source page")]),
    ],
)
def test_all_faults_of_the_sources_are_reported_at_once(text, found):
    with pytest.raises(tc.TableError) as caught:
        read_sources(parsed(text), path="sources.toml")

    assert [(fault.code, fault.where) for fault in caught.value.faults] == found
    assert all(";" in fault.message for fault in caught.value.faults)


def test_a_calendar_reads():
    calendar = read_calendar(parsed(CALENDAR), "days-off", path="calendars/days-off.toml")

    assert (calendar.id, calendar.start, calendar.until) == ("days-off", date(2023, 1, 1), date(2029, 1, 1))
    assert calendar.working == (date(2025, 5, 3),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("from     = 2023-01-01", 'from = "2023"', "from = '2023': not a day; write it like 2026-11-20, without quotes"),
        ("[2025-01-01,", '["2025-01-01",', "days_off = '2025-01-01': not a day"),
        ("until    = 2029-01-01\n", "", "missing key 'until'"),
    ],
)
def test_one_mistake_in_a_calendar(old, new, message):
    with pytest.raises(tc.TableError) as caught:
        read_calendar(parsed(CALENDAR.replace(old, new)), "days-off", path="c.toml")

    assert message in caught.value.faults[0].message


def test_claims_read_with_exact_figures():
    (claim,) = read_claims(parsed(CLAIM), path="claims.toml")

    assert claim.said == {"input": Decimal("0.14"), "output": Decimal(2)}
    assert claim.really == {"input": "cache_read", "output": "output"}
    assert read_claims({}, path="claims.toml") == ()


def test_all_faults_of_the_claims_are_reported_at_once():
    text = CLAIM.replace("0.14", '"0.14"') + CLAIM.replace('id = "one"', 'id = "two"').replace('currency = "USD"\n', "").replace(
        "00Z", "00"
    )
    with pytest.raises(tc.TableError) as caught:
        read_claims(parsed(text), path="claims.toml")

    assert [(fault.code, fault.where) for fault in caught.value.faults] == [
        ("T02", "claim one"),
        ("T21", "claim two"),
        ("T21", "claim two"),
    ]
