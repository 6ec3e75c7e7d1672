"""What a deep check finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from visitsync.schema.silent import Struct

MOST_TOLD: Final = 100
"""Troubles that are told one by one; the others are counted."""

WHO: Final = {
    "row_changed": "changed past the access log, or put back from an earlier time",
    "row_without_anchor": "added past the access log",
    "row_missing": "taken away past the access log",
    "anchors_changed": "the anchors of an entry are not what the entry commits to",
    "entry_changed": "an entry of the access log is not what was written",
    "erased_entries_changed": "entries stand under an erased household that were not its own, or "
    "are gone from it",
    "unreadable": "the database cannot read this table to its end",
    "log_changed": "the access log's entries do not give its head, or its checkpoint is not signed",
    "does_not_open": "does not open in its place, or is not what was sealed",
    "key_missing": "its data key was taken away",
    "key_changed": "a data key does not open in its place, or was destroyed without an erasure",
    "key_came_back": "a data key of an erased household is there again",
    "index_changed": "search terms are missing, or are not those of the registration",
    "link_changed": "two tables contradict each other",
    "structure_changed": "a table, column, index or trigger is not as this release makes it",
    "database_damaged": "the database's own structure is damaged",
}
"""Why, by code; kept for programs, never renamed."""
ACT: Final = (
    "Stop the service, keep the database as it is, tell the auditors and the data protection "
    "officer, and put a backup back"
)


class Trouble(Struct, frozen=True, kw_only=True):
    """One thing that is not as it was written."""

    code: str
    """One of `WHO`."""
    where: str
    """The table and the row's key, or the entry's place; never what a row says."""

    @property
    def why(self) -> str:
        """In words."""
        return WHO[self.code]


class Told:
    """Troubles as they are found: the first ones, and how many there are."""

    def __init__(self, advance: Callable[[int], None] = lambda _: None) -> None:
        self.found: list[Trouble] = []
        self.count = 0
        self.rows = 0
        self._advance = advance

    def add(self, code: str, where: str) -> None:
        """One more."""
        self.count += 1
        if len(self.found) < MOST_TOLD:
            self.found.append(Trouble(code=code, where=where))

    def read(self, rows: int) -> None:
        """So many more rows were read."""
        self.rows += rows
        self._advance(rows)


Key: TypeAlias = tuple[str | int, ...]


def place(table: str, key: Key) -> str:
    """How a row is named."""
    return f"{table} {'/'.join(map(str, key))}"
