"""Shields, blocks and lifts beside their facts: what waits for a second person."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.facts import Fact
from visitsync.store.tables import closing, confirmed, fact, lift


@silent
class Closing(NamedTuple):
    """Somebody asked to end a shield or block."""

    kind: str
    fact: str
    asked_by: str
    asked_at: int


@silent
class Lift(NamedTuple):
    """One document for one recipient, past one shield."""

    id: str
    shield: str
    household: str
    recipient: str
    document: str
    asked_by: str
    asked_at: int
    approved_by: str | None
    approved_at: int | None
    used_at: int | None


async def every(connection: AsyncConnection, kind: str) -> list[Fact]:
    """Every version of every fact of a kind, each fact's versions in their order."""
    rows = await connection.execute(
        sa.select(fact).where(fact.c.kind == kind).order_by(fact.c.id, fact.c.version)
    )
    return [Fact(*row) for row in rows]


async def ask_to_close(connection: AsyncConnection, made: Closing) -> None:
    """Note who asks, in place of a request that lapsed."""
    await withdraw_closing(connection, made.kind, made.fact)
    await changes.insert(connection, closing, [made._asdict()])


async def asked_to_close(connection: AsyncConnection, kind: str, one: str) -> Closing | None:
    """Who asked to end it, if anybody did."""
    found = await connection.execute(
        sa.select(closing).where(closing.c.kind == kind, closing.c.fact == one)
    )
    row = found.first()
    return None if row is None else Closing._make(row)


async def withdraw_closing(connection: AsyncConnection, kind: str, one: str) -> None:
    """Nobody asks any more."""
    await changes.delete(
        connection, sa.delete(closing).where(closing.c.kind == kind, closing.c.fact == one)
    )


async def confirm(connection: AsyncConnection, shield: str, by: str, at: int) -> None:
    """Note that a shield is no longer provisional; the last who said so stands."""
    await changes.delete(connection, sa.delete(confirmed).where(confirmed.c.shield == shield))
    await changes.insert(
        connection, confirmed, [{"shield": shield, "confirmed_by": by, "confirmed_at": at}]
    )


async def are_confirmed(connection: AsyncConnection) -> frozenset[str]:
    """The shields that are not provisional."""
    rows = await connection.execute(sa.select(confirmed.c.shield))
    return frozenset(row.shield for row in rows)


async def add_lift(connection: AsyncConnection, made: Lift) -> None:
    """Add a request for a lift."""
    await changes.insert(connection, lift, [made._asdict()])


async def lift_of(connection: AsyncConnection, one: str) -> Lift | None:
    """The lift with this id."""
    row = (await connection.execute(sa.select(lift).where(lift.c.id == one))).first()
    return None if row is None else Lift._make(row)


async def approve_lift(connection: AsyncConnection, one: str, by: str, at: int) -> None:
    """Note who approved it, and when."""
    await changes.run(
        connection, sa.update(lift).where(lift.c.id == one).values(approved_by=by, approved_at=at)
    )


async def use_lift(connection: AsyncConnection, one: str, at: int) -> None:
    """Note that it was used; that is once."""
    await changes.run(connection, sa.update(lift).where(lift.c.id == one).values(used_at=at))
