"""From rows of cells to a table: finding the header, the title block, and which rows are visits.

Shared by delimited text and workbooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, NamedTuple

from visitsync.fields.bindings import columns_of, undecided_style, wanted
from visitsync.fields.cells import as_day
from visitsync.fields.labels import Labels
from visitsync.fields.layout import Layout, Place
from visitsync.fields.table import Row, Table
from visitsync.fields.text import TRIMMED, clean, fold
from visitsync.files.trouble import problem, refused
from visitsync.schema.reading import Problem
from visitsync.schema.silent import silent

MAX_ROWS: Final = 200_000
_SEARCHED: Final = 60
"""In how many of the first rows the header is looked for."""
MAX_COLUMNS: Final = 2_000
_MAX_LABEL: Final = 80
_FILLED_AFTER_END: Final = 2
"""A row after the table's end with so many filled cells may be a visit: not to be lost."""

Spot = tuple[int, int]
"""Row and column, from 0."""


class Line(NamedTuple):
    """One row as it stands in the file."""

    number: int
    cells: Sequence[str]
    problem: str | None = None
    """Why its cells cannot be told apart."""

    def __repr__(self) -> str:
        return f"<Line {self.number}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """All rows of a file or sheet."""

    lines: list[Line] = field(repr=False)
    exact_width: bool
    """Whether a row with more or fewer cells than labels is damaged."""
    unterminated: bool = False
    """Whether the last line does not end as a line ends."""
    cut: bool = False
    """Whether the bytes end inside a character."""
    owners: Mapping[Spot, Spot] = field(default_factory=dict)
    """For each cell of a merged range the first one, which holds its content."""
    problems: tuple[Problem, ...] = ()


@silent
class Header(NamedTuple):
    """Where the labels stand."""

    first: int
    """Index of the first row of labels."""
    labels: tuple[str, ...]
    fit: int


def find_header(layout: Layout, grid: Grid) -> Header:
    """The rows in which most of the layout's labels are found; `fit` 0 where none is."""
    form = layout.file
    if form.header_rows == 0:
        return Header(0, form.labels, len(form.labels))
    best = Header(0, (), 0)
    for first in range(min(_SEARCHED, len(grid.lines) - form.header_rows + 1)):
        labels = _labels(grid, first, form.header_rows)
        columns = Labels(labels, layout.synonyms)
        fit = sum(columns.find(label) is not None for label in wanted(layout))
        if fit > best.fit:
            best = Header(first, labels, fit)
    return best


def open_grid(layout: Layout, name: str, grid: Grid, *, no_header: Callable[[], str]) -> Table:
    """The table in `grid`.

    Args:
        layout: what the file is declared to be.
        name: of the file.
        grid: its rows.
        no_header: asked for the problem where not a label is found.
    """
    header = find_header(layout, grid)
    labels = wanted(layout)
    needed = [label for label, must in labels.items() if must]
    if header.fit * 2 < len(needed):
        return refused(layout, name, no_header())
    columns = Labels(header.labels, layout.synonyms)
    for label in needed:
        if columns.find(label) is None:
            return _refused_at(header, refused(layout, name, "missing_column", label))
    body = grid.lines[header.first + layout.file.header_rows :]
    if len(body) > MAX_ROWS or len(header.labels) > MAX_COLUMNS:
        return _refused_at(header, refused(layout, name, "too_large"))
    title = [line.cells for line in grid.lines[: header.first]]
    says = _what_it_says(title)
    undecided = undecided_style(layout, says)
    if undecided is not None:
        return _refused_at(header, refused(layout, name, "unknown_code", undecided))
    chosen = _Chosen(layout, name, header.labels, grid)
    rows = list(chosen.rows(body))
    unread = {
        header.labels[index] or f"#{index + 1}"
        for index in columns.others((*labels, *layout.rows.ignore))
        if header.labels[index] or any(row.cells[index] for row in rows)
    }
    unread |= {f"#{index + 1}" for index in chosen.beyond}
    return Table(
        file=name,
        layout=layout,
        labels=header.labels,
        rows=rows,
        says=says,
        month=what_stands_at(layout.title_says.month, name, says, title),
        office_number=what_stands_at(layout.title_says.office_number, name, says, title),
        problems=(*grid.problems, *chosen.problems),
        unread_columns=frozenset(label[:_MAX_LABEL] for label in unread),
        fit=header.fit,
    )


def _refused_at(header: Header, table: Table) -> Table:
    """A refused file of which the header was found."""
    return replace(table, labels=header.labels, fit=header.fit)


def what_stands_at(
    place: str | Place | None, file: str, says: Mapping[str, str], title: Sequence[Sequence[str]]
) -> str | None:
    """What a title block says at `place`; None where there is no such place or it is empty."""
    if place is None:
        return None
    if isinstance(place, str):
        return says.get(fold(place)) or None
    if place.file_name is not None:
        found = re.search(place.file_name, file)
        return None if found is None else "".join(filter(None, found.groups())) or found[0]
    row, cell = (place.row or 0) - 1, (place.cell or 0) - 1
    if 0 <= row < len(title) and 0 <= cell < len(title[row]):
        return clean(title[row][cell]) or None
    return None


def _what_it_says(title: Sequence[Sequence[str]]) -> Mapping[str, str]:
    """For each filled cell of the title block what stands to its right."""
    says: dict[str, str] = {}
    for cells in title:
        filled = [clean(cell) for cell in cells if clean(cell)]
        for label, value in pairwise(filled):
            says.setdefault(fold(label), value)
    return says


def _labels(grid: Grid, first: int, height: int) -> tuple[str, ...]:
    """The labels of the columns, headings before what stands under them."""
    labels = []
    to_the_left = [""] * height
    for column in range(min(_width_of_labels(grid, first, height), MAX_COLUMNS + 1)):
        own = [_at(grid, (first + level, column)) for level in range(height)]
        to_the_left = [text or left for text, left in zip(own, to_the_left, strict=True)]
        parts: list[str] = []
        seen: set[Spot] = set()
        for level in range(height):
            spot = (first + level, column)
            owner = grid.owners.get(spot, spot)
            if owner in seen or owner[0] < first:
                continue
            seen.add(owner)
            text = _at(grid, owner)
            if not text and owner == spot and any(own[level + 1 :]):
                # A heading over several columns that are not merged.
                text = to_the_left[level]
            if text:
                parts.append(" ".join(text.split()))
        labels.append(" / ".join(parts)[: 4 * _MAX_LABEL])
    return tuple(labels)


def _width_of_labels(grid: Grid, first: int, height: int) -> int:
    """How many columns have labels.

    In a sheet they end with the last that is filled or merged, so that a stray cell far to the
    right of the table makes no column.
    """
    rows = range(first, first + height)
    width = max(len(grid.lines[row].cells) for row in rows)
    if grid.exact_width:
        return width
    while width and not any(
        _at(grid, (row, width - 1)) or (row, width - 1) in grid.owners for row in rows
    ):
        width -= 1
    return width


def _at(grid: Grid, spot: Spot) -> str:
    cells = grid.lines[spot[0]].cells
    return clean(cells[spot[1]]) if spot[1] < len(cells) else ""


class _Chosen:
    """Which of the rows under the header are visits; the others are skipped or a problem."""

    def __init__(self, layout: Layout, name: str, labels: Sequence[str], grid: Grid) -> None:
        self._form, self._name, self._labels, self._grid = layout.rows, name, labels, grid
        self._total, self._notes = (
            tuple(map(fold, words)) for words in (layout.rows.total, layout.rows.notes)
        )
        columns = Labels(labels, layout.synonyms)
        ignored = {columns.find(label) for label in layout.rows.ignore}
        self._carried = [index for index in range(len(labels)) if index not in ignored]
        day = () if layout.visit.date is None else columns_of(as_day(layout.visit.date))
        self._days = [index for label in day if (index := columns.find(label)) is not None]
        self._above: list[str] | None = None
        self.problems: list[Problem] = []
        self.beyond: set[int] = set()
        """The columns to the right of all labels in which something stands."""

    def rows(self, body: Sequence[Line]) -> Iterator[Row]:
        """The visits' rows, ditto marks replaced."""
        form = self._form
        ended = total = False
        number_of_rows = 0
        last = body[-1] if body else None
        for line in body:
            cells = [cell.strip(TRIMMED) for cell in line.cells]
            if line.problem is None and not self._is_filled(cells):
                continue
            first = fold(next(filter(None, cells), "")[:_MAX_LABEL])
            if self._total and first.startswith(self._total) and not self._has_day(cells):
                total = True
                continue
            ended = ended or bool(self._notes and first.startswith(self._notes))
            if ended:
                self._after_end(line, cells)
                continue
            number_of_rows += 1
            code = self._damage(line, cells, is_last=line is last)
            if code is not None:
                self.problems.append(problem(self._name, line.number, "reject", code))
                self._above = None
                continue
            if self._replace_dittos(line, cells):
                # The collector need not look at tuples of text again and again.
                yield Row(line.number, tuple(cells))
        truncated = any(found.code == "truncated" for found in self.problems)
        if form.total_expected and not total and not truncated:
            self.problems.append(problem(self._name, None, "warn", "no_trailer"))
        if not number_of_rows:
            self.problems.append(problem(self._name, None, "warn", "no_rows"))

    def _has_day(self, cells: Sequence[str]) -> bool:
        """Whether a row is dated: then it is no sum, even if a name begins as one (計良)."""
        days = [cells[index] for index in self._days if index < len(cells)]
        return bool(days) and all(days)

    def _is_filled(self, cells: Sequence[str]) -> bool:
        if not any(cells) or len(cells) != len(self._labels):
            return any(cells)
        return any(map(cells.__getitem__, self._carried))

    def _after_end(self, line: Line, cells: Sequence[str]) -> None:
        if sum(map(bool, cells)) >= _FILLED_AFTER_END:
            self.problems.append(problem(self._name, line.number, "reject", "after_end"))

    def _damage(self, line: Line, cells: list[str], *, is_last: bool) -> str | None:
        width = len(self._labels)
        code = line.problem
        if code is None and self._grid.exact_width and len(cells) != width:
            code = "column_count"
        if (
            is_last
            and self._grid.unterminated
            and (code is not None or self._grid.cut or self._form.last_line_ended)
        ):
            return "truncated"
        if code is None and any(cells[width:]):
            self.beyond.update(index for index in range(width, len(cells)) if cells[index])
        cells[width:] = [""] * (width - len(cells))
        return code

    def _replace_dittos(self, line: Line, cells: list[str]) -> bool:
        """Put what stands above in place of ditto marks; False where nothing stands above.

        A mark without anything above stays, so that the rows below repeat the row's other cells.
        """
        ditto = self._form.ditto
        if not ditto:
            return True
        lacking = []
        for index, cell in enumerate(cells):
            if cell in ditto:
                cells[index] = cell if self._above is None else self._above[index]
                if cells[index] in ditto:
                    lacking.append(self._labels[index])
        self._above = cells
        self.problems += [
            problem(self._name, line.number, "reject", "nothing_above", label) for label in lacking
        ]
        return not lacking
