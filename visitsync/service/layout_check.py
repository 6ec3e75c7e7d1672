"""Trying a layout on a sample, without any directory: for whoever writes a layout. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from visitsync.fields.bindings import bindings, columns_of
from visitsync.fields.labels import Labels
from visitsync.fields.layout import Layout
from visitsync.fields.table import Handed, Table
from visitsync.files import open_file
from visitsync.schema.directory import Office
from visitsync.schema.reading import Reading
from visitsync.schema.silent import silent
from visitsync.schema.visit import Visit
from visitsync.service.reading import from_this_office, reading_of


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One label of a layout and where it was found."""

    place: str
    """Where it stands in the layout, such as ``visit.date``."""
    label: str
    found: str | None
    """The label as the file writes it, with its number from 1; of `title_says` what is said there.
    None where the file lacks it."""


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a layout makes of a sample."""

    bound: tuple[Bound, ...]
    reading: Reading

    @property
    def rejected(self) -> int:
        """How many rows or files were not taken."""
        lost = {problem.row for problem in self.reading.problems if problem.level != "warn"}
        return len(lost)

    def as_json(self, first_rows: int) -> dict[str, object]:
        """All of it, with the first visits."""
        return {
            "bound": [{"place": b.place, "label": b.label, "found": b.found} for b in self.bound],
            "unread": sorted(self.reading.unread_columns),
            "visits": len(self.reading.visits),
            "first": self.reading.visits[:first_rows],
            "problems": self.reading.problems,
        }

    @staticmethod
    def flat(visit: Visit) -> Iterator[tuple[str, str]]:
        """Path and text of each part of a visit."""
        yield from _flat(msgspec.to_builtins(visit), "")


def check_layout(layout: Layout, name: str, data: bytes) -> Checked:
    """What `layout` makes of the sample `data`, handed in by the office that the layout names.

    Raises:
        LayoutError: where no adapter reads the layout's program.
    """
    table = open_file(layout, name, data)
    office = Office(
        id=layout.office,
        agency="sample",
        name=layout.office,
        number_in_files=_number_in(table),
        program=layout.program,
        local_program=layout.title,
        contract_from=dt.date.min,
    )
    labels = Labels(table.labels, layout.synonyms)
    bound = (*_title_bound(table), *_bound(layout, table, labels))
    reading = reading_of(Handed(office=office, tables=(from_this_office(office, table),)))
    if layout.holds == "fees":
        # A sample of fees alone joins no visit; that is no fault of the layout.
        joined = tuple(problem for problem in reading.problems if problem.code != "no_visit")
        reading = msgspec.structs.replace(reading, problems=joined)
    return Checked(bound=bound, reading=reading)


def _number_in(table: Table) -> str:
    """The office's number that the sample itself states: a layout is tried, not an office."""
    column = table.layout.visit.office_number
    if column is not None and table.rows:
        label = column if isinstance(column, str) else next(iter(columns_of(column)))
        index = Labels(table.labels, table.layout.synonyms).find(label)
        if index is not None:
            return table.rows[0].cells[index]
    return table.office_number or ""


def _title_bound(table: Table) -> Iterator[Bound]:
    title = table.layout.title_says
    for member, said in (("office_number", table.office_number), ("month", table.month)):
        given = getattr(title, member)
        if given is not None:
            label = given if isinstance(given, str) else given.file_name
            yield Bound(
                place=f"title_says.{member}",
                label=label or f"row {given.row}, cell {given.cell}",
                found=said,
            )


def _bound(layout: Layout, table: Table, labels: Labels) -> Iterator[Bound]:
    for place, binding in bindings(layout):
        for label in columns_of(binding):
            index = labels.find(label)
            found = None if index is None else f"{index + 1}: {table.labels[index]}"
            yield Bound(place=place, label=label, found=found)


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- any JSON
    match value:
        case dict():
            for name, inner in value.items():
                yield from _flat(inner, f"{path}.{name}" if path else name)
        case list() | tuple():
            for number, inner in enumerate(value, 1):
                yield from _flat(inner, f"{path}[{number}]")
        case _:
            yield path, "" if value is None else str(value)
