"""Tables for eyes: aligned in a terminal whatever the width of the letters, escaped in a notebook."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tokencost.table import Column, Table

CELLS = st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0xFFFF), max_size=8)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def test_aligns_numbers_right_and_words_left():
    table = Table("prices", (Column("meter"), Column("price", number=True)), (("input", "0.55"), ("output", "12.19")), ("a note",))

    assert table.text().splitlines() == [
        "prices",
        "meter   price",
        "──────  ─────",
        "input    0.55",
        "output  12.19",
        "a note",
    ]
    assert str(table) == table.text()


def test_east_asian_letters_take_two_columns():
    table = Table("", (Column("name"), Column("n", number=True)), (("深度求索", "1"), ("qwen", "22")))

    assert table.text().splitlines() == ["name       n", "────────  ──", "深度求索   1", "qwen      22"]


def test_without_columns_only_the_words_are_left():
    assert Table("nothing", (), (), ("no price differs",)).text() == "nothing\nno price differs"


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_a_number_column_ends_where_its_rule_ends(rows):
    lines = Table("", (Column("a"), Column("b", number=True)), tuple(rows)).text().split("\n")
    rule = width(lines[1])

    assert all(width(line) <= rule for line in lines)
    assert all(width(line) == rule for line, (_, number) in zip(lines[2:], rows, strict=True) if number.rstrip() == number != "")


def test_html_is_escaped_everywhere():
    evil = "<b>&\"'"
    made = Table(evil, (Column(evil), Column(evil, number=True)), ((evil, evil),), (evil,)).html()

    assert "<b>" not in made
    assert made.count("&lt;b&gt;&amp;") == 6
    assert "text-align:right" in made
    assert Table(evil, (), ())._repr_html_() == Table(evil, (), ()).html()
