"""API tokens by the digest of their secret."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store.clock import Now
from visitsync.store.tables import token


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
    await connection.execute(sa.insert(token), made._asdict())


async def by_digest(connection: AsyncConnection, digest: bytes) -> tuple[Token, int] | None:
    """The token with this digest, and the database's present instant."""
    found = await connection.execute(
        sa.select(token, Now().label("now")).where(token.c.digest == digest)
    )
    row = found.first()
    return None if row is None else (Token._make(row[:-1]), row.now)


async def by_id(connection: AsyncConnection, one: str) -> Token | None:
    """The token with this id."""
    row = (await connection.execute(sa.select(token).where(token.c.id == one))).first()
    return None if row is None else Token._make(row)


async def revoke(connection: AsyncConnection, one: str, at: int) -> None:
    """End a token."""
    await connection.execute(sa.update(token).where(token.c.id == one).values(revoked_at=at))


async def listed(connection: AsyncConnection) -> list[Token]:
    """All tokens, the newest first."""
    rows = await connection.execute(sa.select(token).order_by(token.c.issued_at.desc(), token.c.id))
    return [Token._make(row) for row in rows]
