"""CSV (RFC 4180) and tab-separated text.

An open quote never swallows rows: where it is not closed as it should be, only the line that opens
it is rejected, and reading goes on with the next.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Final

from visitsync.fields.layout import Layout
from visitsync.fields.table import Table
from visitsync.files.encoding import decode, why_no_label
from visitsync.files.grid import Grid, Line, open_grid
from visitsync.files.trouble import refused

_MOST_LINES: Final = 200
"""Lines that one quoted cell may hold."""


def open_delimited(layout: Layout, name: str, data: bytes) -> Table:
    """The table in a CSV or TSV file."""
    form = layout.file
    decoded = decode(data, form.encoding)
    if decoded is None:
        return refused(layout, name, "wrong_encoding")
    text = decoded.text.rstrip("\x1a")
    tabs = form.kind == "tsv"
    delimiter = "\t" if tabs else form.delimiter or ","
    grid = Grid(
        lines=list(_records(text, delimiter, by_line=tabs)),
        exact_width=True,
        unterminated=decoded.cut or not text.endswith(("\n", "\r")),
        cut=decoded.cut,
    )
    return open_grid(layout, name, grid, no_header=lambda: why_no_label(data, text, form.encoding))


def _records(text: str, delimiter: str, *, by_line: bool) -> Iterator[Line]:
    """The records of `text`, numbered by record or by line."""
    lines = io.StringIO(text, newline="").readlines()
    if not unicodedata.is_normalized("NFC", text):
        # Neither a delimiter nor a quote nor a line end takes part in any composition.
        lines = [_composed(line) for line in lines]
    place, number, widest = 0, 0, 1
    while place < len(lines):
        line = lines[place]
        number = place + 1 if by_line else number + 1
        if '"' not in line:
            cells = line.rstrip("\r\n").split(delimiter)
            widest = max(widest, len(cells))
            yield Line(number, tuple(cells))
            place += 1
            continue
        reader = csv.reader(
            islice(lines, place, place + _MOST_LINES), delimiter=delimiter, strict=True
        )
        try:
            cells = next(reader)
        except csv.Error:
            yield Line(number, (), "unclosed_quote")
            place += _lines_lost(lines[place + 1 :], delimiter, widest)
        else:
            widest = max(widest, len(cells))
            yield Line(number, tuple(cells))
            place += reader.line_num


def _composed(line: str) -> str:
    return line if unicodedata.is_normalized("NFC", line) else unicodedata.normalize("NFC", line)


def _lines_lost(rest: list[str], delimiter: str, widest: int) -> int:
    """How many lines belong to a record whose quote is not closed.

    All that are left, if none of them is as wide as a record: then it was the last, and it is cut
    off inside the quote. Otherwise only its first.
    """
    if any(line.count(delimiter) + 1 >= widest for line in rest):
        return 1
    return len(rest) + 1
