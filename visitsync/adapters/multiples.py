"""多胎妊産婦サポーター等事業: a mother and her twins or triplets, born or expected."""

from __future__ import annotations

from typing import Final

from visitsync.adapters import Adapter
from visitsync.fields.submission import read_visits
from visitsync.fields.table import Handed
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Reading


def _read(handed: Handed) -> Reading:
    """Every visit names the mother who registered."""
    return read_visits(handed, needs_applicant=True)


ADAPTER: Final = Adapter(
    program=ProgramId("multiples"),
    title="多胎妊産婦サポーター等事業",
    absent={
        "basis": "help is given on application only",
        "persons[].sex": "the form does not ask",
        "persons[].postal_code": "the form does not ask",
        "visitors[].qualification": "supporters are volunteers",
        "fee": "paid with tickets, which are the units",
        "notes.health": "all remarks stand in one column",
        "notes.child_protection": "all remarks stand in one column",
        "health": "supporters measure nothing",
    },
    read=_read,
)
