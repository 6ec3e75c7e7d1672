"""What a viewer is given: made from `consent.Released` alone."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from visitsync.consent import Reason
from visitsync.schema.silent import Struct
from visitsync.timeline import Gap, Mark

_FIELDS: Final = msgspec.json.Decoder(dict[str, Any])


class Page(Struct, frozen=True, kw_only=True):
    """Which part of a timeline is wanted. Applied after deciding; it never shows more."""

    start: dt.date | None = None
    """The first day."""
    until: dt.date | None = None
    """The last day, inclusive."""
    programs: tuple[str, ...] = ()
    """Only these; empty is all."""
    limit: int = 500
    """Entries on a page, 1 to 1000."""
    cursor: str | None = None
    """From the page before; carries no rights."""


EVERYTHING: Final = Page()


class Earlier(Struct, frozen=True, kw_only=True):
    """That an earlier revision exists; what it said is not shown."""

    revision: int
    state: str
    recorded_at: dt.datetime


class Shown(Struct, frozen=True, kw_only=True):
    """One entry of a timeline."""

    record: str
    """visitsync's own id of the visit."""
    revision: int
    recorded_at: dt.datetime
    line: bytes
    """JSON, nested like the canonical report, with what may be shown and nothing else."""
    why: tuple[Reason, ...]
    """By which consent or law each visible category is shown."""
    marks: tuple[Mark, ...]
    earlier: tuple[Earlier, ...]
    office_name: str | None
    """None where `line` has no ``source.office``: under a shield it is withheld."""

    @property
    def fields(self) -> dict[str, Any]:
        """The members of `line`."""
        return _FIELDS.decode(self.line)


class Masked(Struct, frozen=True, kw_only=True):
    """An office that holds records the viewer may not see; the viewer may ask it."""

    office: str
    name: str
    agency: str
    """The name of the organisation that runs it."""
    program: str


class View(Struct, frozen=True, kw_only=True):
    """One page of a household's timeline, in order of time."""

    household: str
    purpose: str
    protected: bool
    """An address shield is in force (住所の保護): whatever is made of this must carry it."""
    at: dt.datetime
    """The instant for which it was decided, by the database's clock."""
    entries: tuple[Shown, ...]
    gaps: tuple[Gap, ...]
    masked: tuple[Masked, ...]
    cursor: str | None
    """Where the next page begins; None on the last one."""
    total: int
    """Entries on all pages together: only what may be seen."""


class Sought(Struct, frozen=True, kw_only=True):
    """What a search goes by; at least a name or kana with a birth date, a phone or a case number.

    All that is given must fit.
    """

    name: str | None = None
    kana: str | None = None
    birth_date: str | None = None
    """``YYYY-MM-DD``; goes with `name` or `kana`."""
    phone: str | None = None
    case_no: str | None = None


class Match(Struct, frozen=True, kw_only=True):
    """A household that was found and of which the viewer may see something."""

    household: str
    protected: bool
    """An address shield is in force (住所の保護): whatever is made of this must carry it."""
    persons: tuple[dict[str, object], ...]
    """Members of ``persons[]`` of the newest shown visit, as far as they may be shown."""
    programs: tuple[str, ...]
    """Of the shown visits, sorted."""


class Found(Struct, frozen=True, kw_only=True):
    """The answer to a search; none and not-for-you are the same empty answer."""

    households: tuple[Match, ...]
