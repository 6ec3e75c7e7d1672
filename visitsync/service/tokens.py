"""API tokens: 256 random bits, shown once, stored as a digest, scoped and expiring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Literal

import msgspec

from visitsync.service.caller import Caller, Scope
from visitsync.service.context import Context


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A new token."""

    token: str
    """Its id, for listing and revoking."""
    secret: str
    """Shown once and stored nowhere."""
    expires_at: dt.datetime

    def __repr__(self) -> str:
        return f"<Issued {self.token}>"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    token: str
    kind: Literal["office", "staff"]
    subject: str
    scopes: tuple[str, ...]
    issued_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


async def issue(
    context: Context, caller: Caller, *, subject: str, scopes: Collection[Scope] = (), days: int
) -> Issued:
    """A token for an office or a member of staff.

    `subject` is ``office:ID`` or ``staff:ID`` as in the directory. Without `scopes` it gets the usual
    ones: an office submits, staff read, auditors audit. It expires after `days`, 1 to 400.

    Raises:
        BadParameter: an unknown subject, scope or number of days.
        NotAllowed: the caller is no operator.
    """
    raise NotImplementedError


async def authenticate(
    context: Context, secret: str, *, request: str = "", address: str | None = None
) -> Caller:
    """Whose token this is.

    Raises:
        NotSignedIn: unknown, expired or revoked.
    """
    raise NotImplementedError


async def revoke(context: Context, caller: Caller, token: str) -> None:
    """End a token; effective for everything that is not logged yet.

    Raises:
        BadParameter: no such token.
        NotAllowed: the caller is no operator.
    """
    raise NotImplementedError


async def listed(context: Context) -> tuple[Listed, ...]:
    """All tokens, the newest first."""
    raise NotImplementedError
