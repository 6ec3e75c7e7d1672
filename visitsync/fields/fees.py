"""Lines of a fee file: no visits, but what a visit cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from visitsync.fields.cells import as_text
from visitsync.fields.parts import RecordId, fee_reader, revision_reader
from visitsync.fields.report import FirstSight, slots_of
from visitsync.fields.table import Handed, Table
from visitsync.schema.reading import Level, Problem
from visitsync.schema.silent import silent
from visitsync.schema.visit import Fee


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class FeeLine:
    """The fee of one revision of one visit. Printing it tells neither."""

    file: str
    row: int
    record_id: str = field(repr=False)
    revision: int
    case_no: str | None = field(repr=False)
    """Of the household, where the file names it."""
    fee: Fee | None

    def problem(self, level: Level, code: str) -> Problem:
        """A problem of this line."""
        return Problem(file=self.file, row=self.row, level=level, code=code, column=None)


def read_fees(handed: Handed) -> tuple[list[FeeLine], list[Problem]]:
    """The lines of all fee files handed in, and the problems of lines that cannot be read."""
    lines: list[FeeLine] = []
    problems: list[Problem] = []
    for table in handed.tables:
        if table.layout.holds == "fees" and table.rows:
            for line, found in _lines(table, handed):
                problems += found
                if line is not None:
                    lines.append(line)
    return lines, problems


def _lines(table: Table, handed: Handed) -> list[tuple[FeeLine | None, list[Problem]]]:
    visit, slots = table.layout.visit, slots_of(table)
    first_sight = FirstSight(table, handed.office)
    id_of = RecordId(table.layout, slots)
    revision_of = revision_reader(visit.revision, slots)
    fee_of = fee_reader(table.layout.fee, slots)
    case_no_of = slots.text(as_text(visit.case_no or ""))
    found = []
    for row in table.rows:
        faults, warnings = first_sight.of(row.cells)
        line = None
        if not faults:
            record_id = id_of.as_it_stands(row.cells, faults)
            revision = revision_of(row.cells, faults)
            fee = fee_of(row.cells, faults)
            if not faults and record_id and revision is not None:
                line = FeeLine(
                    file=table.file,
                    row=row.number,
                    record_id=record_id,
                    revision=revision,
                    case_no=case_no_of(row.cells) or None,
                    fee=fee,
                )
        level: Level = "warn" if line else "reject"
        found.append(
            (line, [_problem(table, row.number, level, *fault) for fault in faults or warnings])
        )
    return found


def _problem(table: Table, row: int, level: Level, code: str, column: str) -> Problem:
    return Problem(file=table.file, row=row, level=level, code=code, column=column or None)
