"""What the JSON interface answers with; the pages and the terminal are made of the same.

A timeline here holds released fields only: what `consent` let out, arranged by `timeline`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class OfficeName(_Answer, frozen=True, kw_only=True):
    """An office that stands in an answer."""

    id: str
    name: str


class Because(_Answer, frozen=True, kw_only=True):
    """Why a category of an entry is shown: the consent by id and version, or the law."""

    category: str
    rule: str
    ref: str


class EntryMark(_Answer, frozen=True, kw_only=True):
    """``overlap``, ``reported_twice`` or ``revision_gap``, and the records it concerns."""

    kind: str
    others: tuple[str, ...]


class Revision(_Answer, frozen=True, kw_only=True):
    """An earlier revision of an entry, in its released fields."""

    revision: int
    recorded_at: dt.datetime
    visit: dict[str, Any]


class TimelineEntry(_Answer, frozen=True, kw_only=True):
    """One visit."""

    record: str
    revision: int
    recorded_at: dt.datetime
    visit: dict[str, Any]
    """Nested like the canonical report; only the fields that this viewer may see."""
    because: tuple[Because, ...]
    marks: tuple[EntryMark, ...]
    earlier: tuple[Revision, ...]


class LongGap(_Answer, frozen=True, kw_only=True):
    """A stretch in which a program stayed away clearly longer than usual."""

    program: str
    after: dt.date
    before: dt.date


class HouseholdTimeline(_Answer, frozen=True, kw_only=True):
    """One household's visits as one viewer may see them for one purpose."""

    household: str
    purpose: str
    entries: tuple[TimelineEntry, ...]
    gaps: tuple[LongGap, ...]
    masked: tuple[OfficeName, ...]
    """Offices that hold records which are not shown; ask them."""
    offices: tuple[OfficeName, ...]
    """The names of the offices that entries come from."""
    next: str | None
    """The cursor of the next page."""


class Health(_Answer, frozen=True, kw_only=True):
    """Whether the service runs, or is ready."""

    status: str
