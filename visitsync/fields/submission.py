"""From the tables that an office handed in together to one `Reading`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import msgspec

from visitsync.fields.report import RowReader
from visitsync.fields.table import Handed, Table
from visitsync.schema.reading import Level, Problem, Reading
from visitsync.schema.visit import Visit, encode

Check: TypeAlias = Callable[[Visit], Iterable[tuple[Level, str]]]
"""What a program finds wrong with a finished visit: levels and problem codes."""


def nothing_more(_visit: Visit) -> Iterator[tuple[Level, str]]:
    """A `Check` that finds nothing."""
    yield from ()


def read_visits(
    handed: Handed, *, needs_applicant: bool = True, check: Check = nothing_more
) -> Reading:
    """Read all tables of visits. Total: whatever its cells hold, a row ends as visit or problem.

    Args:
        handed: the opened files; those that hold no visits only pass on their problems.
        needs_applicant: whether a visit without guardian or widow is incomplete.
        check: the program's own look at each visit.
    """
    visits: list[Visit] = []
    problems: list[Problem] = []
    unread: set[str] = set()
    for table in handed.tables:
        own: list[Problem] = list(table.problems)
        unread |= table.unread_columns
        if table.layout.holds == "visits":
            found, more = _rows(table, handed, check, needs_applicant=needs_applicant)
            visits += found
            own += more
        problems += own
    visits, repeated = _without_repeats(visits)
    problems += repeated
    problems += _orphans(visits)
    return Reading(
        visits=tuple(visits),
        problems=in_order(problems, [table.file for table in handed.tables]),
        unread_columns=frozenset(unread),
    )


def in_order(problems: Iterable[Problem], files: list[str]) -> tuple[Problem, ...]:
    """By file as handed in, then by row; what concerns a whole file comes last."""
    places = {file: place for place, file in reversed(list(enumerate(files)))}
    return tuple(sorted(problems, key=lambda p: (places.get(p.file, 0), p.row is None, p.row or 0)))


def _rows(
    table: Table, handed: Handed, check: Check, *, needs_applicant: bool
) -> tuple[list[Visit], list[Problem]]:
    visits: list[Visit] = []
    problems: list[Problem] = []
    if not table.rows:
        return visits, problems
    reader = RowReader(table, handed.office, needs_applicant=needs_applicant)
    for row in table.rows:
        visit, faults = reader.read(row)
        level: Level = "reject" if visit is None else "warn"
        for code, column in faults:
            problems.append(_problem(table.file, row.number, level, code, column or None))
        if visit is not None:
            found = list(check(visit))
            problems += [_problem(table.file, row.number, own, code, None) for own, code in found]
            if all(own != "reject" for own, _ in found):
                visits.append(visit)
    return visits, problems


def _without_repeats(visits: list[Visit]) -> tuple[list[Visit], list[Problem]]:
    """The first of each revision stays; what it says again is ignored, other content rejected."""
    first: dict[tuple[str, int], Visit] = {}
    kept: list[Visit] = []
    problems: list[Problem] = []
    for visit in visits:
        key = (visit.source.record_id, visit.source.revision)
        earlier = first.setdefault(key, visit)
        if earlier is visit:
            kept.append(visit)
        elif _content(earlier) == _content(visit):
            problems.append(_of(visit, "warn", "duplicate_identical"))
        else:
            problems.append(_of(visit, "reject", "duplicate_conflict"))
    return kept, problems


def _content(visit: Visit) -> bytes:
    source = msgspec.structs.replace(visit.source, file=None, row=None)
    return encode(msgspec.structs.replace(visit, source=source))


def _orphans(visits: list[Visit]) -> Iterator[Problem]:
    """Corrections whose earlier revision should be among these files but is not.

    A file that reports visits for the first time reports them from some day on. The first revision
    of a visit before that day came in an earlier file; that of a later visit should stand here.
    """
    here = {(visit.source.record_id, visit.source.revision) for visit in visits}
    begins = min((v.date for v in visits if v.source.revision == 1), default=dt.date.max)
    for visit in visits:
        source = visit.source
        if (
            source.revision > 1
            and visit.date >= begins
            and (source.record_id, source.revision - 1) not in here
        ):
            yield _of(visit, "warn", "orphan_correction")


def _of(visit: Visit, level: Level, code: str) -> Problem:
    return _problem(visit.source.file or "", visit.source.row, level, code, None)


def _problem(file: str, row: int | None, level: Level, code: str, column: str | None) -> Problem:
    return Problem(file=file, row=row, level=level, code=code, column=column)
