"""The timeline's picture in a terminal: the same lanes and places as on the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from rich.table import Table
from rich.text import Text

from visitsync.web.language import Language
from visitsync.web.pages.lanes import Lane, Picture, Span

SIGNS: Final = {
    "done": "┃",
    "absent": "╎",
    "not_visited": "╎",
    "refused": "×",
    "cancelled": "○",
    "cancelled_late": "○",
}
OVERLAP: Final = "╋"
_COLOURS: Final = {
    "household_support": "cyan",
    "nurturing_support": "magenta",
    "single_parent": "dark_orange3",
    "multiples": "green",
    "perinatal_helper": "red",
}
_LABEL: Final = 34
_NARROWEST: Final = 30


def colour_of(program: str) -> str:
    """The colour of a program's lane."""
    return _COLOURS.get(program, "white")


def lanes(
    picture: Picture,
    masked: Sequence[str],
    name: Callable[[str], str],
    language: Language,
    width: int,
) -> Table:
    """The lanes as a table of two columns, `width` characters wide."""
    columns = max(width - _LABEL - 2, _NARROWEST)
    table = Table.grid(padding=(0, 1))
    table.add_column(width=_LABEL, overflow="fold")
    table.add_column(width=columns, no_wrap=True)
    table.add_row("", _axis(picture.months, language, columns))
    for lane in picture.lanes:
        table.add_row(Text(name(lane.program), colour_of(lane.program)), _line(lane, columns))
    for office in masked:
        table.add_row(Text(office, "dim"), Text("░" * columns, "dim"))
    return table


def _axis(months: Sequence[Span], language: Language, columns: int) -> Text:
    line = [" "] * columns
    free = 0
    for month in months:
        first = dt.date.fromisoformat(month.title)
        place = _column(month.x, columns)
        label = f"{first.month}月" if language == "ja" else f"{first:%b}"
        cells = len(label) + (language == "ja")
        if place < free or place + cells > columns:
            continue
        line[place : place + cells] = [label] + [""] * (cells - 1)
        free = place + cells + 1
    return Text("".join(line), "dim")


def _line(lane: Lane, columns: int) -> Text:
    cells = [("·", "grey37")] * columns
    for gap in lane.gaps:
        for place in range(_column(gap.x, columns), _column(gap.x + gap.width, columns)):
            cells[place] = ("╌", "grey62")
    for mark in lane.marks:
        sign, style = SIGNS.get(mark.point.outcome, "┃"), f"bold {colour_of(lane.program)}"
        if mark.point.overlaps:
            sign, style = OVERLAP, "bold yellow"
        cells[_column(mark.x, columns)] = (sign, style)
    runs = groupby(cells, key=itemgetter(1))
    return Text.assemble(*(("".join(sign for sign, _ in run), style) for style, run in runs))


def _column(x: float, columns: int) -> int:
    return min(int(x * columns / 100), columns - 1)
