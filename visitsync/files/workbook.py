"""Workbooks (XLSX): merged headings, values of formulas, a guard before anything is unpacked."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from python_calamine import CalamineError, CalamineWorkbook

from visitsync.fields.layout import Layout
from visitsync.fields.table import Table
from visitsync.fields.text import NO_VALUE, clean
from visitsync.files.grid import Grid, Line, Spot, find_header, open_grid
from visitsync.files.trouble import problem, refused
from visitsync.files.zip_guard import look_into

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_MOST_MERGED: Final = 200_000
"""Cells in merged ranges; more are no header."""


def open_workbook(layout: Layout, name: str, data: bytes) -> Table:
    """The table in the sheet that the layout names, or in the first that holds its header."""
    looked = look_into(data)
    if looked.refused is not None:
        return refused(layout, name, looked.refused)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [layout.file.sheet] if layout.file.sheet else book.sheet_names
        grids = [
            _grid(book.get_sheet_by_name(sheet), looked.without_value.get(sheet, ()))
            for sheet in names
        ]
    except CalamineError:
        return refused(layout, name, "not_a_workbook")
    if not grids:
        return refused(layout, name, "not_a_workbook")
    fits = [find_header(layout, grid).fit for grid in grids]
    chosen = fits.index(max(fits))
    grid = grids[chosen]
    problems = []
    if looked.claims_more:
        problems.append(problem(name, None, "warn", "dimension_claim"))
    if sum(fit * 2 > max(fits) for fit in fits) > 1:
        problems.append(problem(name, None, "warn", "other_sheet"))
    return open_grid(
        layout,
        name,
        Grid(lines=grid.lines, exact_width=False, owners=grid.owners, problems=tuple(problems)),
        no_header=lambda: "no_header",
    )


def _grid(sheet: CalamineSheet, without_value: Iterable[Spot]) -> Grid:
    # Without skip_empty_area the rows keep the numbers that the sheet shows.
    rows = [list(map(_text, cells)) for cells in sheet.to_python(skip_empty_area=False)]
    for row, column in without_value:
        # The reader takes such a cell for an empty one.
        rows.extend([] for _ in range(row - len(rows)))
        cells = rows[row - 1]
        cells.extend([""] * (column - len(cells)))
        cells[column - 1] = NO_VALUE
    lines = [Line(number, cells) for number, cells in enumerate(rows, 1)]
    owners: dict[Spot, Spot] = {}
    for first, last in sheet.merged_cell_ranges or ():
        height, width = last[0] - first[0] + 1, last[1] - first[1] + 1
        if first[0] >= len(lines) or len(owners) + height * width > _MOST_MERGED:
            continue
        for row in range(first[0], last[0] + 1):
            for column in range(first[1], last[1] + 1):
                owners[row, column] = first
    return Grid(lines=lines, exact_width=False, owners=owners)


def _text(cell: object) -> str:
    """A typed cell as text: numbers as they are read, dates as ``YYYY-MM-DD``."""
    match cell:
        case str():
            text = clean(cell)
        case float():
            text = _number(cell)
        case dt.datetime() if cell.time() != dt.time():
            text = cell.isoformat(" ", "minutes")
        case dt.date():
            text = f"{cell:%Y-%m-%d}"
        case dt.time():
            text = cell.isoformat("minutes")
        case dt.timedelta():
            minutes = round(cell.total_seconds() / 60)
            text = f"{minutes // 60}:{minutes % 60:02}"
        case _:
            text = "" if cell is None else str(cell)
    return text


def _number(value: float) -> str:
    """A number with the fifteen digits that a spreadsheet shows: 1.9999999999999998 hours are 2."""
    shown = float(f"{value:.15g}")
    return str(int(shown)) if shown.is_integer() else str(shown)
