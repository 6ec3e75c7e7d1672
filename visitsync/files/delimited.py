"""CSV (RFC 4180) and tab-separated text.

An open quote never swallows rows: where it is not closed as it should be, only the line that opens
it is rejected, and reading goes on with the next.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from visitsync.fields.layout import Layout
from visitsync.fields.table import Table
from visitsync.fields.text import composed
from visitsync.files.encoding import decode, why_no_label
from visitsync.files.grid import MAX_COLUMNS, MAX_ROWS, Grid, Line, open_grid
from visitsync.files.trouble import refused

_MOST_LINES: Final = 200
"""Lines that one quoted cell may hold."""
_FEWEST_DELIMITERS: Final = 5
"""In a record; no visit is told in fewer than six cells."""
_MOST_LINES_OF_A_FILE: Final = 10 * MAX_ROWS


def open_delimited(layout: Layout, name: str, data: bytes) -> Table:
    """The table in a CSV or TSV file."""
    form = layout.file
    decoded = decode(data, form.encoding)
    if decoded is None:
        return refused(layout, name, "wrong_encoding")
    content = decoded.text.rstrip("\r\n\x1a")
    text = content + decoded.text[len(content) :].replace("\x1a", "")
    if text.count("\n") + text.count("\r") > 2 * _MOST_LINES_OF_A_FILE:
        return refused(layout, name, "too_large")
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
        lines = [composed(line) for line in lines]
    following: list[int] | None = None
    place, number, widest = 0, 0, 1
    while place < len(lines):
        line = lines[place]
        number = place + 1 if by_line else number + 1
        if line.count(delimiter) >= MAX_COLUMNS:
            # No header is as wide, so this is no row of any table.
            yield Line(number, (), "column_count")
            place += 1
            continue
        if '"' not in line:
            cells = line.rstrip("\r\n").split(delimiter)
            widest = max(widest, len(cells))
            yield Line(number, tuple(cells))
            place += 1
            continue
        reader = csv.reader(lines[place : place + _MOST_LINES], delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
            if _holds_records(cells, delimiter, widest):
                raise csv.Error  # noqa: TRY301 -- as if the reader had seen it
        except csv.Error:
            if len(line) > csv.field_size_limit():
                yield Line(number, (), "too_long")
                place += 1
                continue
            yield Line(number, (), "unclosed_quote")
            if following is None:
                following = _widest_following(lines, delimiter)
            # If no later line is as wide as a record, this was the last, cut off inside the quote.
            place = place + 1 if following[place] >= widest else len(lines)
        else:
            widest = max(widest, len(cells))
            yield Line(number, tuple(cells))
            place += reader.line_num


def _holds_records(cells: list[str], delimiter: str, width: int) -> bool:
    """Whether a quoted cell holds as many delimiters as a record, and a line break.

    Then a quote that opens in one record and one that closes in a later one have met.
    """
    least = max(width - 1, _FEWEST_DELIMITERS)
    return any(cell.count(delimiter) >= least and ("\n" in cell or "\r" in cell) for cell in cells)


def _widest_following(lines: list[str], delimiter: str) -> list[int]:
    """For each line how many cells the widest of those after it has; 0 for the last."""
    widths = (line.count(delimiter) + 1 for line in reversed(lines))
    return [0, *accumulate(widths, max)][-2::-1]
