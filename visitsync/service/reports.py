"""What an office is told about what it handed in: counts, and for each record what became of it."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal, TypeAlias

from visitsync.schema.reading import Problem
from visitsync.schema.silent import Struct

Mode: TypeAlias = Literal["partial", "all"]
"""``partial``: good records are taken beside rejected ones; ``all``: all of them or none."""

Status: TypeAlias = Literal[
    "created", "updated", "unchanged", "voided", "rejected", "conflict", "not_taken"
]
"""``conflict``: this revision stands here already with other content, and is kept as it was.
``not_taken``: good by itself, but in mode ``all`` another record was not."""


class Records(Struct, frozen=True):
    """Canonical reports (`schema.visit`): NDJSON, or one JSON array."""

    content: bytes
    ndjson: bool = True


class Files(Struct, frozen=True):
    """The office's own files, read together by its layouts: names and bytes."""

    files: tuple[tuple[str, bytes], ...]


class Terms(Struct, frozen=True, kw_only=True):
    """How something is handed in."""

    dry_run: bool = False
    """Say what would become of it; store nothing. The dry run itself is logged."""
    mode: Mode = "partial"
    idempotency_key: str | None = None
    """Names the submission: the same key and content again is answered with the stored report."""


AS_IT_COMES: Final = Terms()


class Line(Struct, frozen=True, kw_only=True):
    """What became of one record."""

    index: int
    """From 0, in the order handed in."""
    record: str | None
    """The office's own record id; None where it cannot be read."""
    revision: int | None
    status: Status
    codes: tuple[str, ...] = ()
    """Stable; their sentences stand in ``schema/problems.toml``."""
    where: str | None = None
    """The field to mend, never its value."""


class Counts(Struct, frozen=True, kw_only=True):
    """How many records of each status."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    voided: int = 0
    rejected: int = 0
    conflict: int = 0
    not_taken: int = 0
    quarantined: int = 0


class Linked(Struct, frozen=True, kw_only=True):
    """What became of registrations that were not known before."""

    new: int = 0
    """Stand in a household of their own."""
    linked: int = 0
    """Joined a household by strong evidence."""
    review: int = 0
    """In a household of their own until a person at the review desk decides."""


class Report(Struct, frozen=True, kw_only=True):
    """The answer to a submission."""

    submission: str | None
    """Its id; None where nothing was stored (dry run, or mode ``all`` with a rejected record)."""
    office: str
    dry_run: bool
    mode: Mode
    recorded_at: dt.datetime
    """By the database's clock."""
    repeated: bool = False
    """Whether this is the stored answer to the same submission handed in before."""
    counts: Counts
    linking: Linked
    records: tuple[Line, ...]
    problems: tuple[Problem, ...] = ()
    """From reading the office's own files."""
    unread_columns: tuple[str, ...] = ()

    @property
    def taken(self) -> bool:
        """Whether anything of it was (or in a dry run would be) refused as a whole."""
        return self.counts.not_taken == 0
