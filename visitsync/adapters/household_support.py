"""子育て世帯訪問支援事業: a guardian applies; services are marked in columns."""

from __future__ import annotations

from typing import Final

from visitsync.adapters import Adapter
from visitsync.fields.submission import read_visits
from visitsync.fields.table import Handed
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Reading


def _read(handed: Handed) -> Reading:
    """Every visit names the guardian who applied."""
    return read_visits(handed, needs_applicant=True)


ADAPTER: Final = Adapter(
    program=ProgramId("household_support"),
    title="子育て世帯訪問支援事業",
    absent={
        "basis": "the form does not tell a measure from an application",
        "persons[].sex": "the form does not ask",
        "persons[].postal_code": "the form does not ask",
        "persons[].identifiers": "the form knows its own 決定番号 only",
        "visitors[].qualification": "the form names the visitors, not their training",
        "notes.health": "all remarks stand in one column",
        "notes.child_protection": "all remarks stand in one column",
        "notes.contact": "all remarks stand in one column",
        "health": "helpers measure nothing",
    },
    read=_read,
)
