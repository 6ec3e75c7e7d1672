"""Erasures that were asked for, and holds under which nothing is erased."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store import changes
from visitsync.store.among import among
from visitsync.store.key_tables import data_key, erasure, hold, tombstone
from visitsync.store.tables import fact, visit
from visitsync.store.tombstones import LOG, RECORDS


@silent
class Erasure(NamedTuple):
    """One erasure, from the first person's asking to its end."""

    id: str
    household: str
    ground: str
    asked_by: str
    asked_at: int
    decided_by: str | None = None
    decided_at: int | None = None
    due_at: int | None = None
    """Before this it is not executed."""
    ended_at: int | None = None
    outcome: str | None = None
    """``erased``, ``withdrawn``, ``lapsed`` or ``not_due``."""
    told: str | None = None


@silent
class Hold(NamedTuple):
    """While it stands nothing of the household is erased."""

    id: str
    household: str
    placed_by: str
    placed_at: int
    lift_asked_by: str | None = None
    lift_asked_at: int | None = None
    lifted_by: str | None = None
    lifted_at: int | None = None


async def add(connection: AsyncConnection, made: Erasure) -> None:
    """Add one."""
    await changes.insert(connection, erasure, [made._asdict()])


async def of_id(connection: AsyncConnection, one: str) -> Erasure | None:
    """The erasure with this id."""
    row = (await connection.execute(sa.select(erasure).where(erasure.c.id == one))).first()
    return None if row is None else Erasure._make(row)


async def of_household(connection: AsyncConnection, household: str) -> list[Erasure]:
    """All that were ever asked for, the oldest first."""
    rows = await connection.execute(
        sa.select(erasure)
        .where(erasure.c.household == household)
        .order_by(erasure.c.asked_at, erasure.c.id)
    )
    return [Erasure._make(row) for row in rows]


async def open_ones(connection: AsyncConnection) -> list[Erasure]:
    """Those that have not ended, the oldest first."""
    rows = await connection.execute(
        sa.select(erasure)
        .where(erasure.c.ended_at.is_(None))
        .order_by(erasure.c.asked_at, erasure.c.id)
    )
    return [Erasure._make(row) for row in rows]


async def update(connection: AsyncConnection, one: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    """Change columns of one that has not ended."""
    await changes.run(
        connection,
        sa.update(erasure)
        .where(erasure.c.id == one, erasure.c.ended_at.is_(None))
        .values(**values),
    )


async def place(connection: AsyncConnection, made: Hold) -> None:
    """Place a hold."""
    await changes.insert(connection, hold, [made._asdict()])


async def hold_of(connection: AsyncConnection, one: str) -> Hold | None:
    """The hold with this id."""
    row = (await connection.execute(sa.select(hold).where(hold.c.id == one))).first()
    return None if row is None else Hold._make(row)


async def change_hold(connection: AsyncConnection, one: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    """Change columns of one."""
    await changes.run(connection, sa.update(hold).where(hold.c.id == one).values(**values))


async def standing_holds(
    connection: AsyncConnection, households: Collection[str]
) -> dict[str, list[Hold]]:
    """Those that stand, by household."""
    rows = await connection.execute(
        sa.select(hold)
        .where(among(hold.c.household, households), hold.c.lifted_at.is_(None))
        .order_by(hold.c.placed_at, hold.c.id)
    )
    found: dict[str, list[Hold]] = {}
    for row in rows:
        found.setdefault(row.household, []).append(Hold._make(row))
    return found


# ── what rules ask ────────────────────────────────────────────────────────────────────────────────
async def last_visits(
    connection: AsyncConnection, households: Collection[str] | None = None
) -> dict[str, dict[str, int]]:
    """By household and program, the day of the last visit; of all, or of these."""
    wanted = sa.true() if households is None else among(visit.c.household, households)
    rows = await connection.execute(
        sa.select(visit.c.household, visit.c.program, sa.func.max(visit.c.day))
        .where(wanted)
        .group_by(visit.c.household, visit.c.program)
    )
    found: dict[str, dict[str, int]] = {}
    for household, program, day in rows:
        found.setdefault(household, {})[program] = day
    return found


async def was_protected(connection: AsyncConnection, household: str) -> bool:
    """Whether a shield or block was ever recorded for it."""
    found = await connection.execute(
        sa.select(fact.c.id)
        .where(fact.c.household == household, fact.c.kind.in_(("shield", "block")))
        .limit(1)
    )
    return found.first() is not None


async def with_a_log_only(connection: AsyncConnection) -> list[tuple[str, str, int]]:
    """Households of which only the log's key is left: each with its erasure, and since when."""
    rows = await connection.execute(
        sa.select(tombstone.c.household, tombstone.c.erasure, tombstone.c.erased_at)
        .join(data_key, data_key.c.household == tombstone.c.household)
        .where(
            tombstone.c.what == RECORDS,
            data_key.c.program == "",
            data_key.c.kind == LOG,
            data_key.c.wrapped.is_not(None),
        )
        .order_by(tombstone.c.erased_at, tombstone.c.household)
    )
    return [(row.household, row.erasure, row.erased_at) for row in rows]
