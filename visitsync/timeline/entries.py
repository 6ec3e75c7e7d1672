"""What a timeline is made of: revisions as stored, entries with marks, and gaps."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal, TypeAlias

from visitsync.schema.attendance import Attendance
from visitsync.schema.silent import Struct
from visitsync.schema.visit import TOOK_PLACE

MarkKind: TypeAlias = Literal["overlap", "reported_twice", "revision_gap"]


class Reported(Struct, frozen=True, kw_only=True):
    """One revision of one reported visit, as stored."""

    record: str
    """visitsync's own id of the visit; all its revisions share it."""
    revision: int
    """From 1, as the office numbers it."""
    recorded_at: dt.datetime
    """When visitsync stored it, by the database's clock."""
    visit: Attendance
    """What marks and order are made of."""
    line: bytes
    """The whole report, canonical; carried along unread."""


class Mark(Struct, frozen=True, kw_only=True):
    """Something about an entry that a reader must see.

    ``overlap``: two programs were in the house at one time. ``reported_twice``: another office
    reports what looks like the same visit. ``revision_gap``: an earlier revision never came.
    """

    kind: MarkKind
    others: tuple[str, ...] = ()
    """The records it concerns, sorted; none for ``revision_gap``."""


class Entry(Struct, frozen=True, kw_only=True):
    """One visit: what is said of it now, and everything that was said before."""

    record: str
    current: Reported
    """The highest revision; a voided one stays, and is shown as voided."""
    earlier: tuple[Reported, ...]
    """All other revisions, the oldest first."""
    marks: tuple[Mark, ...]

    @property
    def is_voided(self) -> bool:
        """Whether the office withdrew the report."""
        return self.current.visit.source.state == "voided"

    @property
    def took_place(self) -> bool:
        """Whether, as far as is known now, somebody stood at the door."""
        return not self.is_voided and self.current.visit.outcome in TOOK_PLACE


class Gap(Struct, frozen=True, kw_only=True):
    """A stretch in which a program did not come, clearly longer than it usually stays away."""

    program: str
    after: dt.date
    """The day of the visit before the stretch."""
    before: dt.date
    """The day of the visit that ended it."""


class Timeline(Struct, frozen=True, kw_only=True):
    """Everything that was reported of one household, in order of time."""

    entries: tuple[Entry, ...]
    gaps: tuple[Gap, ...]

    def reported(self) -> tuple[Reported, ...]:
        """Every revision that went in; merging them again gives the same timeline."""
        return tuple(
            revision for entry in self.entries for revision in (*entry.earlier, entry.current)
        )


MARK_ORDER: Final[tuple[MarkKind, ...]] = ("overlap", "reported_twice", "revision_gap")
"""The order of an entry's marks."""
