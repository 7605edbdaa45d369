"""Figures that are drawn to the end: into bytes, where every warning is an error."""

from __future__ import annotations

from io import BytesIO

import pytest


@pytest.fixture
def drawn():
    """Draw a figure as PNG and as SVG, and return the text of the SVG and the axes."""

    def draw(figure):
        picture = BytesIO()
        figure.savefig(picture, format="png")
        assert picture.getvalue().startswith(b"\x89PNG")
        text = BytesIO()
        figure.savefig(text, format="svg")
        assert b"</svg>" in text.getvalue()
        return figure.axes

    return draw


@pytest.fixture
def texts():
    """Return every text of a figure."""

    def found(figure):
        from matplotlib.text import Text

        return [text.get_text() for text in figure.findobj(Text) if text.get_text()]

    return found


@pytest.fixture
def lines():
    """Return the lines of axes that have a name, as lists of both ways."""

    def found(axes):
        named = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
        return {line.get_label(): (list(line.get_xdata(orig=True)), line.get_ydata(orig=True)) for line in named}

    return found
