"""API tokens: 256 random bits, shown once, stored as a digest, scoped and expiring.

The digest is plain SHA-256: there is nothing to guess in 256 random bits.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection
from typing import Final, Literal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter, NotSignedIn
from visitsync.schema.silent import Struct
from visitsync.service.caller import SCOPES, Caller, Scope
from visitsync.service.context import Context
from visitsync.service.directory import known_directory
from visitsync.service.ids import new_id
from visitsync.service.writing import change
from visitsync.store import clock, epochs, tokens

_SECRET_BYTES: Final = 32
_PREFIX: Final = "vst_"
"""So that a token that was left lying about is recognised as one."""
_MOST_DAYS: Final = 400
_DAY: Final = 86_400_000_000
_USUAL: Final[dict[str, tuple[Scope, ...]]] = {
    "auditor": ("audit",),
    "protection_officer": ("read", "record", "audit"),
}
"""What a member of staff of a role usually needs; the others read and record."""


class Issued(Struct, frozen=True, kw_only=True):
    """A new token."""

    token: str
    """Its id, for listing and revoking."""
    secret: str
    """Shown once and stored nowhere."""
    expires_at: dt.datetime


class Listed(Struct, frozen=True, kw_only=True):
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

    `subject` is ``office:ID`` or ``staff:ID`` as in the directory. Without `scopes` it gets the
    usual ones: an office submits, staff read, auditors audit. It expires after `days`, 1 to 400.

    Raises:
        BadParameter: an unknown subject, scope or number of days.
        NotAllowed: the caller is no operator.
    """
    caller.must("operate")
    if not 1 <= days <= _MOST_DAYS:
        raise BadParameter(f"must lie between 1 and {_MOST_DAYS}", where="days")
    if not set(scopes) <= SCOPES.keys():
        raise BadParameter("There is no such scope", where="scopes")
    kind, _, name = subject.partition(":")
    secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    async with change(context, caller) as made:
        usual = await _usual(context, made.connection, kind, name)
        given = tuple(scopes) or usual
        if given != ("submit",) if kind == "office" else "submit" in given:
            raise BadParameter(
                "An office's token is good for submitting only, and no other token is",
                where="scopes",
            )
        token = tokens.Token(
            id=new_id("t"),
            digest=_digest(secret),
            kind=kind,
            subject=name,
            scopes=" ".join(sorted(given)),
            issued_at=made.at,
            expires_at=made.at + days * _DAY,
            revoked_at=None,
        )
        await tokens.add(made.connection, token)
        await made.log(
            caller,
            "token_issued",
            private={"token": token.id, "subject": subject, "scopes": token.scopes},
            public={"office": name if kind == "office" else None},
        )
    return Issued(token=token.id, secret=secret, expires_at=clock.instant(token.expires_at))


async def _usual(
    context: Context, connection: AsyncConnection, kind: str, name: str
) -> tuple[Scope, ...]:
    """The usual scopes of somebody in the directory."""
    directory = await known_directory(context, connection)
    if kind == "office" and directory.office_by_id(name) is not None:
        return ("submit",)
    person = next((one for one in directory.staff if one.id == name), None)
    if kind != "staff" or person is None:
        raise BadParameter("Nobody of this name is in the directory", where="subject")
    return _USUAL.get(person.role, ("read", "record"))


async def authenticate(
    context: Context, secret: str, *, request: str = "", address: str | None = None
) -> Caller:
    """Whose token this is.

    Raises:
        NotSignedIn: unknown, expired or revoked.
    """
    digest = _digest(secret)
    known = context.seen.get(digest)
    if known is None:
        async with context.database.reading() as connection:
            found = await tokens.by_digest(connection, digest)
        if found is None:
            raise NotSignedIn("The token is unknown, has expired or was revoked")
        token, epoch, now = found
        if token.revoked_at is not None or not token.issued_at <= now < token.expires_at:
            raise NotSignedIn("The token is unknown, has expired or was revoked")
        known = Caller(
            kind="office" if token.kind == "office" else "staff",
            id=token.subject,
            scopes=frozenset(token.scopes.split()),
            token=token.id,
            token_epoch=epoch,
            expires_at=token.expires_at,
        )
        context.seen.put(digest, known)
    return msgspec.structs.replace(known, request=request, address=address)


async def proves(connection: AsyncConnection, caller: Caller, secret: str) -> bool:
    """Whether `secret` is that of the token with which `caller` came, and of no other."""
    known = None if caller.token is None else await tokens.by_id(connection, caller.token)
    return known is not None and hmac.compare_digest(known.digest, _digest(secret))


async def revoke(context: Context, caller: Caller, token: str) -> None:
    """End a token; effective for everything that is not logged yet.

    Raises:
        BadParameter: no such token.
        NotAllowed: the caller is no operator.
    """
    caller.must("operate")
    async with change(context, caller) as made:
        known = await tokens.by_id(made.connection, token)
        if known is None:
            raise BadParameter("There is no such token", where="token")
        await tokens.revoke(made.connection, token, made.at)
        await epochs.bump(made.connection, {epochs.of_token(token)})
        await made.log(
            caller,
            "token_revoked",
            private={"token": token, "subject": f"{known.kind}:{known.subject}"},
            public={"office": known.subject if known.kind == "office" else None},
        )


async def listed(context: Context) -> tuple[Listed, ...]:
    """All tokens, the newest first."""
    async with context.database.reading() as connection:
        found = await tokens.listed(connection)
    return tuple(
        Listed(
            token=one.id,
            kind="office" if one.kind == "office" else "staff",
            subject=one.subject,
            scopes=tuple(one.scopes.split()),
            issued_at=clock.instant(one.issued_at),
            expires_at=clock.instant(one.expires_at),
            revoked_at=None if one.revoked_at is None else clock.instant(one.revoked_at),
        )
        for one in found
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
