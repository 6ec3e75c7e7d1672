"""The facts that decisions rest on, in the form in which they can be read.

A type says all that makes a fact of its kind malformed by itself; `versions` and `amendments` judge
it beside its other versions. Ids are free strings; codes are those of the vocabulary.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from visitsync.consent.times import Instant
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY


def _any_of(codes: Iterable[str]) -> str:
    return "(?:" + "|".join(map(re.escape, codes)) + ")"


def _whole(*forms: str) -> str:
    return r"\A(?:" + "|".join(forms) + r")\Z"


_AGENCY: Final = r"agency:(?s:.+)"
_OFFICE: Final = r"office:(?s:.+)"
_VIEWER: Final = r"viewer:(?s:.+)"
_ROLE: Final = rf"role:{_any_of(VOCABULARY.roles)}@agency:(?s:.+)"
_PROGRAM: Final = _any_of(VOCABULARY.programs)

Id: TypeAlias = Annotated[str, Meta(min_length=1)]
Program: TypeAlias = Annotated[str, Meta(pattern=_whole(_PROGRAM))]
Category: TypeAlias = Annotated[str, Meta(pattern=_whole(_any_of(VOCABULARY.categories)))]
Purpose: TypeAlias = Annotated[str, Meta(pattern=_whole(_any_of(VOCABULARY.purposes)))]
Role: TypeAlias = Annotated[str, Meta(pattern=_whole(_any_of(VOCABULARY.roles)))]
Source: TypeAlias = Annotated[str, Meta(pattern=_whole(rf"program:{_PROGRAM}", _OFFICE))]
Recipient: TypeAlias = Annotated[str, Meta(pattern=_whole(_AGENCY, _OFFICE, _ROLE))]
Trusted: TypeAlias = Annotated[str, Meta(pattern=_whole(_AGENCY, _OFFICE, _ROLE, _VIEWER))]
Blocked: TypeAlias = Annotated[str, Meta(pattern=_whole(_AGENCY, _OFFICE, _VIEWER))]
Everything: TypeAlias = Literal["*"]

ATTENDANCE: Final = "attendance"
CATEGORIES: Final = frozenset(VOCABULARY.categories)
MAX_INVOCATION: Final = 184 * 86_400
"""Seconds: the longest time between start and end of an invocation."""
MAX_GRANT: Final = 4 * 3_600
"""Seconds: the longest time between start and end of a break-glass grant."""


class Span(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period of time."""

    from_: Instant = msgspec.field(name="from")
    until: Instant | None = None

    def __post_init__(self) -> None:
        _check_order(self.from_, self.until)

    def covers(self, at: Instant) -> bool:
        """The start is inside, the end outside."""
        return self.from_ <= at and (self.until is None or at < self.until)


class Days(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period of dates."""

    from_: dt.date = msgspec.field(name="from")
    until: dt.date | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.from_:
            raise ValueError("ends before it starts")

    def covers(self, day: dt.date) -> bool:
        """The first day is inside, the last one outside."""
        return self.from_ <= day and (self.until is None or day < self.until)


def _check_order(start: Instant, end: Instant | None) -> None:
    if end is not None and end <= start:
        raise ValueError("ends before it starts")


class CaseloadEntry(Span, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A household that somebody answers for, for a time."""

    household: Id


class Caseload(tuple[CaseloadEntry, ...]):
    """The entries that can be read; an unreadable entry is no entry."""

    __slots__ = ()


class Fact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a fact; nothing is changed in place."""

    id: Id
    version: Annotated[int, Meta(ge=1)]
    recorded_at: Instant


class Viewer(Fact, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who asks."""

    agency: Id
    offices: tuple[Id, ...]
    """Program offices of whose staff they are."""
    roles: tuple[Role, ...]
    sections: tuple[Program, ...]
    """Programs whose commissioning section in their agency they belong to."""
    council_member: bool
    caseload: Caseload

    def names(self) -> frozenset[str]:
        """Every item by which a list can name this viewer."""
        return frozenset(
            [
                f"viewer:{self.id}",
                f"agency:{self.agency}",
                *(f"office:{office}" for office in self.offices),
                *(f"role:{role}@agency:{self.agency}" for role in self.roles),
            ]
        )

    def has_case(self, household: str, now: Instant) -> bool:
        """Whether an entry of the caseload for the household is open."""
        return any(entry.household == household and entry.covers(now) for entry in self.caseload)


class Record(Fact, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What decisions need of one visit."""

    household: Id
    program: Program
    office: Id
    commissioner: Id
    """The agency that commissions the program."""
    registration: Id
    date: dt.date


class Directive(Fact, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consent (``permit``) or a refusal (``deny``) by the family."""

    household: Id
    grantor: Id
    effect: Literal["permit", "deny"]
    sources: tuple[Source, ...] | Everything
    recipients: tuple[Recipient, ...] | Everything
    purposes: tuple[Purpose, ...] | Everything
    categories: tuple[Category, ...] | Everything
    valid: Span
    data: Days
    registrations: tuple[Id, ...] | Literal["household"]
    withdrawn_at: Instant | None = None
    notice_version: str

    def __post_init__(self) -> None:
        lists = (self.sources, self.recipients, self.purposes, self.categories)
        if self.effect == "permit" and "*" in lists:
            raise ValueError("only a refusal can name everything")
        # Shows less: a refusal with an empty frozen list is malformed too, and so refuses all.
        if self.effect == "deny" and () in (*lists, self.registrations):
            raise ValueError("an empty list in a refusal")


class _Lasting(Fact, frozen=True, kw_only=True, forbid_unknown_fields=True):
    from_: Instant = msgspec.field(name="from")
    until: Instant | None = None

    def __post_init__(self) -> None:
        _check_order(self.from_, self.until)


class CouncilCase(_Lasting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case of the council for children needing protection (要保護児童対策地域協議会)."""

    household: Id
    members: tuple[Recipient, ...]

    def is_open(self, now: Instant) -> bool:
        """The start is inside, the end outside."""
        return self.from_ <= now and (self.until is None or now < self.until)


class _Confirmable(Fact, frozen=True, kw_only=True, forbid_unknown_fields=True):
    shield: Id | None = None
    """The shield that this fact is to open."""
    confirmed_by: Id | None = None
    confirmer_role: Role | None = None

    def opens(self, *, viewer: str, requester: str) -> str | None:
        """The shield it names, once somebody else confirmed that `viewer` may know."""
        confirmed = (
            self.confirmed_by is not None
            and self.confirmed_by not in (viewer, requester)
            and self.confirmer_role in ("supervisor", "protection_officer")
        )
        return self.shield if confirmed else None


class BoundedSpan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period whose end is required, of 184 days at most."""

    from_: Instant = msgspec.field(name="from")
    until: Instant

    def __post_init__(self) -> None:
        _check_order(self.from_, self.until)
        if self.until > self.from_.later(MAX_INVOCATION):
            raise ValueError("longer than 184 days")

    def covers(self, at: Instant) -> bool:
        """The start is inside, the end outside."""
        return self.from_ <= at < self.until


class Invocation(_Confirmable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A law invoked for one household by one person and approved by another."""

    household: Id
    basis: Id
    """The code of a catalogue entry."""
    requested_by: Id
    approved_by: Id
    approver_role: Literal["supervisor", "protection_officer"]
    recipients: tuple[Recipient, ...]
    categories: tuple[Category, ...]
    valid: BoundedSpan

    def __post_init__(self) -> None:
        if self.approved_by == self.requested_by:
            raise ValueError("approved by the one who asked")

    @property
    def span(self) -> BoundedSpan:
        """The time in which it can be used."""
        return self.valid


class Grant(_Confirmable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Break-glass: emergency access of one viewer to one household, for hours."""

    viewer: Id
    household: Id
    reason_code: str
    categories: Annotated[tuple[Category, ...], Meta(min_length=1)]
    from_: Instant = msgspec.field(name="from")
    until: Instant
    review: Literal["open", "justified", "unjustified"]

    def __post_init__(self) -> None:
        _check_order(self.from_, self.until)
        if self.until > self.from_.later(MAX_GRANT):
            raise ValueError("longer than 4 hours")

    @property
    def span(self) -> BoundedSpan:
        """The time in which it can be used."""
        return BoundedSpan(from_=self.from_, until=self.until)


class _Protection(_Lasting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    household: Id
    closed_at: Instant | None = None

    def in_force(self, now: Instant) -> bool:
        """From its start until a person closed it; passing `until` lifts nothing."""
        return self.from_ <= now and not has_happened(self.closed_at, now)


class Shield(_Protection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address shield (DV等支援措置)."""

    allowed: tuple[Trusted, ...]
    withhold_notes: bool


class Block(_Protection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who must not see the household (個人情報保護法69条2項ただし書)."""

    who: tuple[Blocked, ...]


class CatalogueEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a law can open: for the council as it stands, or once invoked."""

    code: Id
    article: str
    standing: bool
    categories: tuple[Category, ...]


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a program says of its records that a viewer may not see."""

    withheld: Literal["mask", "hide"]
    break_glass: bool


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asks about which household, what for, and when."""

    viewer: Id
    purpose: Purpose
    household: Id
    now: Instant
    known_at: Instant | None = None
    """In a simulation: only what was recorded by then counts."""

    def __post_init__(self) -> None:
        if self.known_at is not None and self.known_at > self.now:
            raise ValueError("lies after now")


def has_happened(at: Instant | None, now: Instant) -> bool:
    """A withdrawal or a closing has effect from its instant on."""
    return at is not None and at <= now
