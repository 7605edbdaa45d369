"""`tokencost show` and `tokencost list`."""

from decimal import Decimal

import tokencost as tc
from strategies import OFFERING


def test_the_history_is_that_of_the_library(ok, book):
    assert ok("show", "deepseek-reasoner") == f"{book.tariff('deepseek-reasoner').history().text()}\n"


def test_a_line_is_never_cut_however_narrow_the_terminal(ok, monkeypatch):
    wide = ok("show", "deepseek-reasoner")
    monkeypatch.setenv("COLUMNS", "20")
    assert ok("show", "deepseek-reasoner") == wide
    assert max(len(line) for line in wide.splitlines()) > 150


def test_the_history_as_json_has_every_price_source_and_window(read_json, book):
    made, law = read_json("show", "deepseek-reasoner"), book.tariff("deepseek-reasoner").law
    rows = [(v["from"], row["currency"], row.get("window"), row["prices"]) for v in made["versions"] for row in v["rates"]]
    assert [(start, currency, window, {m: Decimal(p) for m, p in prices.items()}) for start, currency, window, prices in rows] == [
        (version.start.isoformat().replace("+00:00", "Z"), row.currency, row.window, row.prices)
        for version in law.versions
        for row in version.rates
    ]
    assert (made["offering"], made["provider"]["name"], made["rule"]) == (law.id, "DeepSeek", "publisher")
    assert made["schedules"][0]["windows"] == [{"window": "off_peak", "days": "daily", "hours": "16:30-00:30"}]
    assert {version["source"] for version in made["versions"]} <= set(made["sources"])


def test_a_calendar_bears_the_key_of_the_table_format(read_json):
    schedules = read_json("show", "deepseek-v4-pro")["schedules"]
    assert {window.get("except") for schedule in schedules for window in schedule["windows"]} == {None, "cn-statutory"}


def test_the_rate_card_of_an_instant(ok, read_json, book):
    args = ("show", "deepseek-reasoner", "--at", "2025-03-01T17:00:00Z")
    assert ok(*args) == f"{book.tariff('deepseek-reasoner').card(at=args[-1]).table().text()}\n"
    made = read_json(*args)
    assert made["window"] == "off_peak"
    assert made["rows"] == [
        {
            "from_input": 0,
            "up_to_input": None,
            "from_output": 0,
            "up_to_output": None,
            "prices": {"input": "0.135", "cache_read": "0.035", "output": "0.55"},
        }
    ]


def test_the_rate_card_of_a_choice(read_json):
    at = ("--at", "2025-02-01T00:00:00Z")
    assert read_json("show", "deepseek-reasoner", "--currency", "CNY", *at)["rows"][0]["prices"]["input"] == "4"
    assert read_json("show", "gpt-4o", "--service-tier", "batch", *at)["choice"]["service_tier"] == "batch"


def test_a_name_that_meant_several_needs_an_instant(read_json, acme):
    alias = '\n[[alias]]\nname     = "latest"\noffering = "global/{}"\nfrom     = {}\n{}source   = "page"\nchecked  = 2026-01-01\n'
    provider = acme / "acme/provider.toml"
    text = provider.read_text(encoding="utf-8")
    text += alias.format("model", "2025-02-01T00:00:00Z", "until    = 2025-06-01T00:00:00Z\n") + alias.format(
        "next", "2025-06-01T00:00:00Z", ""
    )
    provider.write_text(text, encoding="utf-8")
    (acme / "acme/global/next.toml").write_bytes((acme / "acme/global/model.toml").read_bytes())
    assert read_json("show", "latest", "--tables", acme, "--at", "2025-03-01T00:00:00Z")["offering"] == "acme/global/model"
    assert read_json("show", "latest", "--tables", acme, "--at", "2025-07-01T00:00:00Z")["offering"] == "acme/global/next"


def test_such_a_name_without_an_instant_is_an_error(refused, acme):
    (acme / "acme/eu").mkdir()
    (acme / "acme/eu/other.toml").write_bytes((acme / "acme/global/model.toml").read_bytes())
    (acme / "acme/us").mkdir()
    (acme / "acme/us/other.toml").write_bytes((acme / "acme/global/model.toml").read_bytes())
    assert "acme/eu/other, acme/us/other" in refused(2, "show", "other", "--tables", acme)


# --- list


def test_every_offering_is_listed(read_json, book):
    assert [record["offering"] for record in read_json("list")] == list(book.ids)


def test_an_entry_has_its_title_versions_and_dates(read_json, ok):
    (record,) = read_json("list", "deepseek/global/deepseek-reasoner")
    assert record == {
        "offering": "deepseek/global/deepseek-reasoner",
        "title": "DeepSeek reasoner (R1 to V4-Flash, thinking)",
        "versions": 6,
        "first": "2025-01-20",
        "last": "2026-04-26",
        "until": "2026-07-24",
    }
    lines = ok("list", "deepseek/global/deepseek-reasoner").splitlines()
    assert lines[0].split() == ["offering", "title", "versions", "first", "last", "until"]
    assert lines[2].split()[-4:] == ["6", "2025-01-20", "2026-04-26", "2026-07-24"]
    assert lines[3] == "1 offering"


def test_a_list_is_narrowed_by_provider_and_pattern(read_json):
    names = [record["offering"] for record in read_json("list", "gpt-4o*", "--provider", "openai")]
    assert "openai/global/gpt-4o" in names
    assert {name.split("/")[0] for name in names} == {"openai"}
    assert all(name.split("/", 2)[2].startswith("gpt-4o") for name in names)


def test_a_withdrawn_price_is_no_version(read_json, acme):
    withdrawn = OFFERING.replace("2025-01-20", "2025-03-20").replace("source ", 'status  = "withdrawn"\nsource ')
    (acme / "acme/global/model.toml").write_text(f"{OFFERING}\n{withdrawn}", encoding="utf-8")
    assert [version.status for version in tc.load_book(acme).tariff("model").versions] == ["in_force", "withdrawn"]
    (record,) = read_json("list", "--tables", acme)
    assert (record["versions"], record["last"], record["until"]) == (1, "2025-01-20", None)
