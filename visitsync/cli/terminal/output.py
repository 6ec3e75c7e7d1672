"""Tables for people, JSON for programs; colour and bars only where somebody watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


def stdout() -> Console:
    """The console for what was asked for; made anew, so that a redirected stream is heeded."""
    return Console(highlight=False)


def stderr() -> Console:
    """The console for everything else."""
    return Console(stderr=True, highlight=False)


def as_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> Table:
    """A plain table; what stands in it is text, never markup."""
    made = Table(*columns, box=SIMPLE_HEAD, title=title or None, title_justify="left")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    return made


class Advance(Protocol):
    """Called with how much further it went."""

    def __call__(self, amount: int, /) -> None:
        """It went `amount` further."""


@contextmanager
def bar(what: str, total: int) -> Iterator[Advance]:
    """A progress bar over `total` bytes on a terminal; silence where nobody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
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
