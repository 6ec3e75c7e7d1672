"""``visitsync read``: what the adapter makes of an office's files; touches no database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from visitsync.cli.layout import read_layout
from visitsync.errors import LayoutError, UnknownOffice, VisitsyncError
from visitsync.fields.layout import Layout
from visitsync.fields.table import Handed
from visitsync.schema.directory import Directory
from visitsync.schema.directory import parse as parse_directory
from visitsync.schema.problems import sentence
from visitsync.schema.reading import Problem
from visitsync.schema.visit import encode
from visitsync.service.reading import (
    open_files,
    reading_of,
    shipped_directory,
    shipped_layouts,
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog="Example: visitsync read --office shiomi-hs-01 HS_2026-09.xlsx")
@click.option("--office", required=True, help="The office that sent the files.")
@click.option("--directory", type=_FILE, help="A directory file instead of the sample city's.")
@click.option(
    "--layout",
    "layouts",
    type=_FILE,
    multiple=True,
    help="How the office writes its files, instead of the sample city's; may be given again.",
)
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=_FILE)
def command(
    *, office: str, directory: Path | None, layouts: tuple[Path, ...], files: tuple[Path, ...]
) -> None:
    """Say what an office's FILEs hold, as it would be taken in.

    Canonical visit reports go to stdout as NDJSON, problems to stderr as JSON lines. Files named
    together are read together, so that a fee file joins its visits. Exit status: 0 if nothing was
    rejected, 1 if rows or files were, 2 on wrong use.
    """
    try:
        handed = open_files(
            _directory(directory),
            office,
            _layouts(layouts),
            [(file.name, file.read_bytes()) for file in files],
        )
        reading = reading_of(handed)
    except (UnknownOffice, LayoutError) as error:
        raise click.UsageError(_in_one_sentence(error)) from None
    if reading.visits:
        click.echo(b"\n".join(map(encode, reading.visits)))
    for problem in (*reading.problems, *_unread(handed)):
        click.echo(as_line(problem), err=True)
    if any(problem.level != "warn" for problem in reading.problems):
        raise click.exceptions.Exit(1)


def as_line(problem: Problem) -> bytes:
    """One problem as a JSON line with its sentences."""
    message = f"{sentence(problem, 'ja')} / {sentence(problem, 'en')}"
    return msgspec.json.encode({**msgspec.structs.asdict(problem), "message": message})


def _unread(handed: Handed) -> Iterator[Problem]:
    for table in handed.tables:
        for column in sorted(table.unread_columns):
            yield Problem(
                file=table.file, row=None, level="warn", code="unread_column", column=column
            )


def _directory(path: Path | None) -> Directory:
    if path is None:
        return shipped_directory()
    try:
        return parse_directory(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise click.UsageError("The directory file is no UTF-8; save it as UTF-8.") from None
    except VisitsyncError as error:
        raise click.UsageError(_in_one_sentence(error)) from None


def _layouts(paths: tuple[Path, ...]) -> tuple[Layout, ...]:
    return tuple(read_layout(path) for path in paths) or shipped_layouts()


def _in_one_sentence(error: VisitsyncError) -> str:
    return f"{error} ({error.where})" if error.where else str(error)
