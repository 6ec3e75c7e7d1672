"""Printing what a file was cut into tells none of its content: a traceback is no leak."""

from __future__ import annotations

from visitsync.files.encoding import decode
from visitsync.files.grid import Grid, Line


def test_a_line_tells_its_number_only() -> None:
    line = Line(3, ("架空 花子",))

    assert repr(line) == "<Line 3>"
    assert "架空" not in repr(Grid(lines=[line], exact_width=True))


def test_decoded_text_is_not_printed() -> None:
    assert repr(decode("架空 花子".encode(), "utf-8")) == "<Decoded>"
