"""Reading what an office hands in: the right layout, the opened files, the program's adapter. Pure.

Nothing here is a transaction; the data of the shipped, invented city comes with the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePath

from visitsync.adapters import Adapter, load_adapters
from visitsync.errors import LayoutError, UnknownOffice
from visitsync.fields.dates import Month, month_of
from visitsync.fields.layout import Kind, Layout, Months
from visitsync.fields.layout_file import parse as parse_layout
from visitsync.fields.table import Handed, Table
from visitsync.fields.text import fold
from visitsync.files import open_file
from visitsync.schema.directory import Directory, Office
from visitsync.schema.directory import parse as parse_directory
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Problem, Reading

_ENDINGS: dict[Kind, tuple[str, ...]] = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "fixed_width": (".txt", ".dat"),
    "xlsx": (".xlsx", ".xlsm"),
    "json": (".json",),
    "ndjson": (".ndjson", ".jsonl"),
}


def read_files(
    directory: Directory,
    office_id: str,
    layouts: Sequence[Layout],
    files: Sequence[tuple[str, bytes]],
) -> Reading:
    """What an office's files hold: visits, and problems that say where and why but not what.

    Args:
        directory: who is registered, and under which number in files.
        office_id: who hands the files in, as authenticated; never taken from a file.
        layouts: in which the offices' files are written; those of other offices are passed over.
        files: names and content; read together, so that a fee file joins its visits.

    Raises:
        UnknownOffice: where the directory has no such office.
        LayoutError: where none of the layouts is the office's, or one is for another program.
    """
    return reading_of(open_files(directory, office_id, layouts, files))


def open_files(
    directory: Directory,
    office_id: str,
    layouts: Sequence[Layout],
    files: Sequence[tuple[str, bytes]],
) -> Handed:
    """The files opened, each in the layout in which it is written; see `read_files`."""
    office = directory.office_by_id(office_id)
    if office is None:
        raise UnknownOffice("No office is registered under this id", where=office_id)
    adapter = adapter_of(office)
    own = [layout for layout in layouts if layout.office == office_id]
    if not own:
        raise LayoutError("No layout says how this office writes its files", where=office_id)
    for layout in own:
        if layout.program != office.program:
            raise LayoutError(
                "The layout is for another program than the office's", where=office_id
            )
        if layout.holds not in adapter.holds:
            raise LayoutError("This program has no such files", where=f"holds of {layout.title}")
    return Handed(
        office=office,
        tables=tuple(_open(office, own, PurePath(name).name, data) for name, data in files),
    )


def reading_of(handed: Handed) -> Reading:
    """What the program's adapter makes of opened files."""
    return adapter_of(handed.office).read(handed)


def adapter_of(office: Office) -> Adapter:
    """The adapter of the office's program.

    Raises:
        LayoutError: where this release has none.
    """
    adapter = load_adapters().get(ProgramId(office.program))
    if adapter is None:
        raise LayoutError("This release reads no files of the program", where=office.program)
    return adapter


def _open(office: Office, layouts: Sequence[Layout], name: str, data: bytes) -> Table:
    """The file in the first layout that fits it, or else as the one that fits best refuses it."""
    ending = PurePath(name).suffix.lower()
    tried = []
    for layout in sorted(layouts, key=lambda one: ending not in _ENDINGS[one.file.kind]):
        table = _for_its_month(open_file(layout, name, data))
        if not table.refused:
            return from_this_office(office, table)
        tried.append(table)
    return max(tried, key=lambda table: table.fit)


def from_this_office(office: Office, table: Table) -> Table:
    """Refuse a file that names another office, or none where it should."""
    if table.layout.title_says.office_number is None:
        return table
    if table.office_number is None:
        return _refuse(table, "no_office_number")
    same = fold(table.office_number) == fold(office.number_in_files)
    return table if same else _refuse(table, "wrong_office")


def _for_its_month(table: Table) -> Table:
    """Refuse a file of a month for which the layout is not."""
    months = table.layout.months
    if months is None or table.refused:
        return table
    month = None if table.month is None else month_of(table.month)
    if month is None:
        return _refuse(table, "no_month")
    return table if _covers(months, month) else _refuse(table, "no_layout")


def _covers(months: Months, month: Month) -> bool:
    text = f"{month.year:04}-{month.month:02}"
    return (months.first or text) <= text <= (months.last or text)


def _refuse(table: Table, code: str) -> Table:
    refusal = Problem(file=table.file, row=None, level="file", code=code, column=None)
    return replace(table, rows=(), problems=(refusal,), unread_columns=frozenset())


# ── the shipped city ──────────────────────────────────────────────────────────────────────────────
@cache
def shipped_directory() -> Directory:
    """Who is who in the invented city that comes with the package."""
    return parse_directory((_shiomi() / "directory.toml").read_text(encoding="utf-8"))


@cache
def shipped_layouts() -> tuple[Layout, ...]:
    """How the offices of the invented city write their files."""
    return tuple(
        parse_layout(file.read_text(encoding="utf-8"))
        for file in sorted((_shiomi() / "layouts").iterdir(), key=lambda one: one.name)
        if file.name.endswith(".toml")
    )


def shipped_files(office_id: str) -> Iterator[tuple[str, bytes]]:
    """The sample months of one office of the invented city, by name."""
    office = shipped_directory().office_by_id(office_id)
    if office is None:
        raise UnknownOffice("No office is registered under this id", where=office_id)
    if any(layout.office == office_id for layout in shipped_layouts()):
        for file in sorted((_shiomi() / office.program).iterdir(), key=lambda one: one.name):
            yield file.name, file.read_bytes()


def _shiomi() -> Traversable:
    return resources.files("visitsync") / "shiomi"
