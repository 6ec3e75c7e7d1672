"""Consents and refusals: recorded and withdrawn, effective for the next question."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from visitsync.service.caller import Caller
from visitsync.service.context import Context


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A directive before it is recorded; members as in ``consent.md``."""

    household: str
    grantor: str
    effect: Literal["permit", "deny"]
    sources: tuple[str, ...] | Literal["*"]
    recipients: tuple[str, ...] | Literal["*"]
    purposes: tuple[str, ...] | Literal["*"]
    categories: tuple[str, ...] | Literal["*"]
    valid_from: dt.datetime | None = None
    """None: from the instant it is recorded."""
    valid_until: dt.datetime | None = None
    data_from: dt.date = dt.date(2000, 1, 1)
    data_until: dt.date | None = None
    registrations: tuple[str, ...] | Literal["household"] = "household"
    """visitsync's own ids of registrations, or all of the household."""
    notice_version: str


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded: cite it as ``id@version``."""

    id: str
    version: int
    recorded_at: dt.datetime


async def record(context: Context, caller: Caller, draft: Draft) -> Recorded:
    """Record a consent or refusal, with its entry in the access log.

    Raises:
        UnknownHousehold: no such household.
        BadParameter: it would not be readable, or covers nothing.
        NotAllowed: the caller may not record directives.
    """
    raise NotImplementedError


async def withdraw(context: Context, caller: Caller, directive: str) -> Recorded:
    """Withdraw a directive: a new version with the instant, by the database's clock.

    Raises:
        BadParameter: no such directive, or withdrawn already.
        NotAllowed: the caller may not record directives.
    """
    raise NotImplementedError
