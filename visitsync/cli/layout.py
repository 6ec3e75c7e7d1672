"""``visitsync layout check``: tries a layout on a sample of the office's file."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from visitsync.cli.terminal.output import as_json, stdout, table
from visitsync.errors import LayoutError
from visitsync.fields.layout import Layout
from visitsync.fields.layout_file import parse
from visitsync.schema.problems import sentence
from visitsync.schema.visit import Visit
from visitsync.service.layout_check import Checked, check_layout

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FIRST_ROWS = 3


@click.group(epilog="Example: visitsync layout check new-office.toml sample.csv")
def command() -> None:
    """Help with layouts: how an office's file says what a visit report holds."""


@command.command(epilog="Example: visitsync layout check new-office.toml sample.csv")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON instead of tables.")
@click.argument("layout", metavar="FILE.toml", type=_FILE)
@click.argument("sample", metavar="SAMPLE", type=_FILE)
def check(*, json_wanted: bool, layout: Path, sample: Path) -> None:
    """Try the layout in FILE.toml on SAMPLE, a file of the office.

    Shows which column each binding found, the columns that nobody reads, the first visits as they
    would be taken in, and every rejected row. The visits shown are the sample's own content. Exit
    status: 0 if nothing was rejected, 1 if rows or the file were, 2 on wrong use.
    """
    try:
        checked = check_layout(read_layout(layout), sample.name, sample.read_bytes())
    except LayoutError as error:
        raise click.UsageError(f"{error} ({error.where})") from None
    if json_wanted:
        as_json(checked.as_json(_FIRST_ROWS))
    else:
        _show(checked, stdout())
    if checked.rejected:
        raise click.exceptions.Exit(1)


def read_layout(path: Path) -> Layout:
    """The layout in a file; wrong use where it is none."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise click.UsageError(f"{path.name} is no UTF-8; save it as UTF-8.") from None
    except LayoutError as error:
        raise click.UsageError(f"{path.name}: {error} ({error.where})") from None


def _show(checked: Checked, console: Console) -> None:
    console.print(
        table(
            ("In the layout", "Label", "Column"),
            ((b.place, b.label, b.found or "not in this file") for b in checked.bound),
            title="Columns bound",
        )
    )
    unread = sorted(checked.reading.unread_columns)
    if unread:
        console.print(table(("Label",), ((one,) for one in unread), title="Columns nobody reads"))
    else:
        console.print("Every column is read or ignored on purpose.\n")
    for visit in checked.reading.visits[:_FIRST_ROWS]:
        title = f"Row {visit.source.row} as a visit"
        console.print(table(("Field", "Value"), _fields(visit), title=title))
    if checked.reading.problems:
        rows = (
            (
                "file" if p.row is None else str(p.row),
                p.level,
                p.code,
                p.column or "",
                sentence(p, "en"),
            )
            for p in checked.reading.problems
        )
        console.print(
            table(("Row", "Level", "Code", "Column", "What to do"), rows, title="Problems")
        )
    console.print(f"{len(checked.reading.visits)} visits, {checked.rejected} rejected.")


def _fields(visit: Visit) -> list[tuple[str, str]]:
    """The filled fields of a visit, one line each."""
    return [(path, text) for path, text in Checked.flat(visit) if text]
