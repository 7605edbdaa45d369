"""Tables for eyes: aligned text in a terminal, HTML in a notebook, nothing imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Column", "Table"]


class Column(NamedTuple):
    """One column: its heading, and whether it holds numbers, which align right."""

    heading: str
    number: bool = False


class Table(NamedTuple):
    """A titled table of text with notes below it.

    >>> print(Table("prices", (Column("meter"), Column("price", number=True)), (("input", "0.55"), ("output", "2.19"))).text())
    prices
    meter   price
    ──────  ─────
    input    0.55
    output   2.19
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the table as aligned plain text."""
        cells = [tuple(column.heading for column in self.columns), *self.rows]
        widths = [max(_width(row[n]) for row in cells) for n in range(len(self.columns))]
        lines = [self.title] if self.title else []
        if self.columns:
            lines += [self._line(cells[0], widths), "  ".join("─" * width for width in widths)]
            lines += [self._line(row, widths) for row in self.rows]
        return "\n".join([*lines, *self.notes])

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        padded = (
            " " * (width - _width(cell)) + cell if column.number else cell + " " * (width - _width(cell))
            for cell, width, column in zip(row, widths, self.columns, strict=True)
        )
        return "  ".join(padded).rstrip()

    def html(self) -> str:
        """Return the table as HTML, everything escaped."""
        import html

        head = "".join(f"<th style='text-align:{_side(column)}'>{html.escape(column.heading)}</th>" for column in self.columns)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:{_side(column)}'>{html.escape(cell)}</td>" for cell, column in zip(row, self.columns, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        notes = "".join(f"<p style='margin:0'><small>{html.escape(note)}</small></p>" for note in self.notes)
        return f"<table><caption>{html.escape(self.title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.text()


def _side(column: Column) -> str:
    return "right" if column.number else "left"


def _width(text: str) -> int:
    """Return the columns that text takes in a terminal; East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
