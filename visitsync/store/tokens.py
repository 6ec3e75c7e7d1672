"""API tokens by the digest of their secret."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.among import among
from visitsync.store.clock import Now
from visitsync.store.tables import consent_epoch, log_head, token


@silent
class Token(NamedTuple):
    """A stored token."""

    id: str
    digest: bytes
    kind: str
    subject: str
    scopes: str
    issued_at: int
    expires_at: int
    revoked_at: int | None


async def add(connection: AsyncConnection, made: Token) -> None:
    """Store a token."""
    await changes.insert(connection, token, [made._asdict()])


async def by_digest(connection: AsyncConnection, digest: bytes) -> tuple[Token, int, int] | None:
    """The token with this digest, its epoch, and the present instant.

    That is never before the newest entry of the access log: a token that has ended does not hold
    again when the database's clock is set back.
    """
    scope = sa.literal("token:") + token.c.id
    epoch = sa.select(consent_epoch.c.value).where(consent_epoch.c.scope == scope)
    found = await connection.execute(
        sa.select(
            token,
            epoch.scalar_subquery().label("epoch"),
            Now().label("now"),
            sa.select(log_head.c.last_at).scalar_subquery().label("last_at"),
        ).where(token.c.digest == digest)
    )
    row = found.first()
    if row is None:
        return None
    return Token._make(row[:-3]), row.epoch or 0, max(row.now, row.last_at or 0)


async def by_id(connection: AsyncConnection, one: str) -> Token | None:
    """The token with this id."""
    row = (await connection.execute(sa.select(token).where(token.c.id == one))).first()
    return None if row is None else Token._make(row)


async def revoke(connection: AsyncConnection, one: str, at: int) -> None:
    """End a token."""
    await changes.run(connection, sa.update(token).where(token.c.id == one).values(revoked_at=at))


async def revoke_of(connection: AsyncConnection, subjects: Collection[str], at: int) -> list[str]:
    """End all tokens of these offices or members of staff; answers their ids."""
    present = (among(token.c.subject, subjects), token.c.revoked_at.is_(None))
    rows = await changes.run(connection, sa.update(token).where(*present).values(revoked_at=at))
    return [row["id"] for row in rows]


async def listed(connection: AsyncConnection) -> list[Token]:
    """All tokens, the newest first."""
    rows = await connection.execute(sa.select(token).order_by(token.c.issued_at.desc(), token.c.id))
    return [Token._make(row) for row in rows]
