"""産前産後ヘルパー派遣事業: visits before and after a birth; fees come in a file of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from visitsync.adapters import Adapter
from visitsync.fields.fees import FeeLine, read_fees
from visitsync.fields.submission import in_order, read_visits
from visitsync.fields.table import Handed
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Problem, Reading
from visitsync.schema.visit import Visit


def _read(handed: Handed) -> Reading:
    """Read the visits, then give each the fee of the line with its id and revision."""
    reading = read_visits(handed, needs_applicant=True)
    lines, problems = read_fees(handed)
    visits = {(v.source.record_id, v.source.revision): v for v in reading.visits}
    problems += _join(lines, visits)
    return Reading(
        visits=tuple(visits.values()),
        problems=in_order([*reading.problems, *problems], [table.file for table in handed.tables]),
        unread_columns=reading.unread_columns,
    )


def _join(lines: list[FeeLine], visits: dict[tuple[str, int], Visit]) -> Iterator[Problem]:
    """Put each line's fee into its visit; a line without a visit joins nothing."""
    joined: dict[tuple[str, int], FeeLine] = {}
    for line in lines:
        key = (line.record_id, line.revision)
        visit = visits.get(key)
        if visit is None:
            yield line.problem("reject", "no_visit")
        elif line.case_no is not None and line.case_no != visit.case_no:
            yield line.problem("reject", "fee_of_another")
        elif key in joined:
            same = joined[key].fee == line.fee
            yield line.problem(
                *(("warn", "duplicate_identical") if same else ("reject", "duplicate_conflict"))
            )
        else:
            joined[key] = line
            visits[key] = msgspec.structs.replace(visit, fee=line.fee)


ADAPTER: Final = Adapter(
    program=ProgramId("perinatal_helper"),
    title="産前産後ヘルパー派遣事業",
    absent={
        "basis": "help is given on application only",
        "persons[].sex": "the old system has no field for it",
        "visitors[].name": "the old system knows helpers by number",
        "visitors[].qualification": "the old system knows helpers by number",
        "notes.health": "all remarks stand in one field",
        "notes.child_protection": "all remarks stand in one field",
        "notes.contact": "all remarks stand in one field",
        "health": "helpers measure nothing",
    },
    read=_read,
    holds=frozenset({"visits", "fees"}),
)
