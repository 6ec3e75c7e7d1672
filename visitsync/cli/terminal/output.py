"""Tables for people, JSON for programs; colour and bars only where somebody watches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

_UNWATCHED_WIDTH: Final = 110
"""Of what is piped into a file, where nobody's window sets it."""


def stdout() -> Console:
    """The console for what was asked for; made anew, so that a redirected stream is heeded."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNWATCHED_WIDTH
    return console


def stderr() -> Console:
    """The console for everything else."""
    return Console(stderr=True, highlight=False)


def as_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", figures: int = 0
) -> Table:
    """A plain table; what stands in it is text, never markup.

    Args:
        columns: their heads.
        rows: of as many cells.
        title: above it.
        figures: how many of the last columns hold numbers, which stand to the right, unbroken.
    """
    made = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        title=escape(title) or None,
        title_justify="left",
    )
    for place, head in enumerate(columns):
        number = place >= len(columns) - figures
        made.add_column(
            escape(head), justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    return made


class Advance(Protocol):
    """Called with how much further it went."""

    def __call__(self, amount: int, /) -> None:
        """It went `amount` further."""


@contextmanager
def bar(what: str, total: int, *, counted: bool = False) -> Iterator[Advance]:
    """A progress bar over `total` bytes on a terminal; silence where nobody watches.

    Args:
        what: is done.
        total: how much there is.
        counted: whether it is counted in pieces instead of bytes.
    """
    measure = MofNCompleteColumn() if counted else DownloadColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), measure)
    console = stderr()
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(escape(what), total=total)
        yield lambda amount: progress.advance(task, amount)
