"""ひとり親家庭等日常生活支援事業: single parents with their children, and widows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from visitsync.adapters import Adapter
from visitsync.fields.submission import read_visits
from visitsync.fields.table import Handed
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Level, Reading
from visitsync.schema.visit import Visit


def _read(handed: Handed) -> Reading:
    return read_visits(handed, needs_applicant=True, check=_widow_without_child)


def _widow_without_child(visit: Visit) -> Iterator[tuple[Level, str]]:
    """寡婦 is who has no dependent child any more (母子及び父子並びに寡婦福祉法6条4項)."""
    roles = {person.role for person in visit.persons}
    if "widow" in roles and roles & {"child", "expected_child"}:
        yield "warn", "widow_with_child"


ADAPTER: Final = Adapter(
    program=ProgramId("single_parent"),
    title="ひとり親家庭等日常生活支援事業",
    absent={
        "basis": "help is given on application only",
        "persons[].sex": "母子 and 父子 tell the law's case, not a person's sex",
        "persons[].identifiers": "the export knows its own 登録番号 only",
        "notes.health": "all remarks stand in one column",
        "notes.child_protection": "all remarks stand in one column",
        "notes.contact": "the supporter's own address is never carried",
        "health": "supporters measure nothing",
    },
    read=_read,
)
