"""Problems found while opening a file. They name the place, never the content."""

from __future__ import annotations

from visitsync.fields.layout import Layout
from visitsync.fields.table import Table
from visitsync.schema.reading import Level, Problem


def problem(
    file: str, row: int | None, level: Level, code: str, column: str | None = None
) -> Problem:
    """One problem of `file`."""
    return Problem(file=file, row=row, level=level, code=code, column=column)


def refused(layout: Layout, file: str, code: str, column: str | None = None) -> Table:
    """A file of which nothing is taken, and why."""
    return Table(file=file, layout=layout, problems=(problem(file, None, "file", code, column),))
