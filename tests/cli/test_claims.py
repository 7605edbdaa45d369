"""`tokencost claims`."""

USAGE = ("--cache-read", "70M", "--input", "30M", "--output", "10M", "--at", "2025-02-01T12:00:00Z")


def test_each_figure_is_traced_to_the_rate_that_it_is(ok):
    lines = ok("claims").splitlines()
    assert lines[0].startswith("ainvest-2025-07-28: AInvest, 2025-07-28, ")
    assert lines[1].split() == ["meter", "said", "really", "the", "price", "of", "its", "own", "price"]
    assert [line.split() for line in lines[3:5]] == [["input", "0.14", "cache_read", "0.55"], ["output", "2.19", "output", "2.19"]]


def test_what_a_usage_really_costs_and_what_the_press_makes_of_it(ok):
    lines = ok("claims", "deepseek-reasoner", *USAGE).splitlines()
    assert lines[-1] == "by the press 35.90 USD, really 48.20 USD at 2025-02-01T12:00:00Z; the press leaves out 12.30 USD"
    why = "the press charges all 100,000,000 tokens under input 0.14 per 1M tokens; "
    why += "really 30,000,000 input pay 0.55 and 70,000,000 cache_read pay 0.14"
    assert why in lines


def test_json_has_both_reckonings(read_json):
    (made,) = read_json("claims", "deepseek-r1", *USAGE)
    assert (made["by_press"]["amount"], made["really"]["amount"], made["missing"]["amount"]) == ("35.9", "48.2", "12.3")
    assert [(price["meter"], price["said"], price["proper"], price["right"]) for price in made["prices"]] == [
        ("input", "0.14", "0.55", False),
        ("output", "2.19", "2.19", True),
    ]
    assert made["quote"]["total"] == {"amount": "48.2", "currency": "USD"}
    assert [line["amount"]["amount"] for line in made["press_lines"]] == ["4.2", "9.8", "21.9"]


def test_json_without_a_usage_has_no_reckoning(read_json):
    (made,) = read_json("claims")
    assert (made["by_press"], made["really"], made["missing"], made["quote"], made["press_lines"]) == (None, None, None, None, [])
    assert made["offering"] == "deepseek/global/deepseek-reasoner"


def test_totals_are_inclusive_counts(ok):
    totals = ok("claims", "--input", "100M", "--cache-read", "70M", "--output", "10M", "--totals", *USAGE[-2:])
    assert totals == ok("claims", *USAGE)


def test_a_model_without_claims(ok, read_json):
    assert ok("claims", "gpt-4o") == "no claim about gpt-4o is recorded\n"
    assert read_json("claims", "gpt-4o") == []


def test_tables_without_claims(ok, acme):
    assert ok("claims", "--tables", acme) == "no claim is recorded\n"
