"""港の見守り訪問事業 (an invented program): one row per visit, a mother and her child."""

from __future__ import annotations

from typing import Final

from visitsync.adapters import Adapter
from visitsync.fields.submission import read_visits
from visitsync.fields.table import Handed
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Reading


def _read(handed: Handed) -> Reading:
    return read_visits(handed)


ADAPTER: Final = Adapter(
    program=ProgramId("harbour"),
    title="港の見守り訪問事業",
    absent={
        "basis": "on application only",
        "place": "always at home",
        "persons[].sex": "not asked",
        "persons[].postal_code": "not asked",
        "persons[].identifiers": "not asked",
        "visitors[].id": "known by name",
        "visitors[].qualification": "not asked",
        "units": "not billed",
        "confirmed_by": "nothing is signed",
        "fee": "free of charge",
        "notes.health": "one column for all remarks",
        "notes.child_protection": "one column for all remarks",
        "notes.contact": "one column for all remarks",
        "health": "nothing is measured",
    },
    read=_read,
)
