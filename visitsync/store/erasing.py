"""Taking a household out of the database; whoever calls has added its tombstone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import changes, data_keys
from visitsync.store.among import among
from visitsync.store.key_tables import data_key
from visitsync.store.tables import (
    caseload,
    closing,
    confirmed,
    erased_registration,
    evidence,
    fact,
    household,
    index_term,
    invocation_request,
    lift,
    link,
    message,
    proposal,
    registration,
    review,
    visit,
)
from visitsync.store.tombstones import LOG

_OF_LOG: Final = sa.and_(data_key.c.program == "", data_key.c.kind == LOG)


async def destroy_keys(connection: AsyncConnection, one: str, what: str) -> int:
    """Destroy the wrapped keys of a household; their rows stay, so that none is made anew.

    Returns:
        How many there were.
    """
    done = await connection.execute(
        sa.update(data_key)
        .where(
            data_key.c.household == one,
            data_key.c.wrapped.is_not(None),
            _OF_LOG if what == LOG else sa.not_(_OF_LOG),
        )
        .values(state=data_keys.DESTROYED, wrapped=None)
    )
    return int(done.rowcount)


async def remove_rows(connection: AsyncConnection, one: str, at: int) -> dict[str, int]:
    """Delete all that says in clear that a family was here, but for the tombstone and the log.

    A registration leaves its keyed hash. Links of registrations that live elsewhere now stay, since
    protections spread along them; so do emergency accesses, which are their viewer's.

    Returns:
        How many rows there were of each kind that a certificate tells.
    """
    mine = sa.select(registration.c.id).where(registration.c.household == one)
    facts = sa.select(fact.c.id).where(fact.c.household == one)
    asked = sa.select(invocation_request.c.id).where(invocation_request.c.household == one)
    await changes.run(
        connection,
        sa.insert(erased_registration).from_select(
            ["id", "erased_at"],
            sa.select(registration.c.id, sa.literal(at, sa.BigInteger())).where(
                registration.c.household == one,
                registration.c.id.not_in(sa.select(erased_registration.c.id)),
            ),
        ),
    )
    for table, which in (
        (index_term, index_term.c.registration.in_(mine)),
        (review, review.c.registration.in_(mine)),
        (link, link.c.registration.in_(mine)),
        (closing, closing.c.fact.in_(facts)),
        (confirmed, confirmed.c.shield.in_(facts)),
        (message, sa.or_(message.c.about.in_(facts), message.c.about.in_(asked))),
    ):
        await changes.delete(connection, sa.delete(table).where(which))
    counted = {}
    for name, table in _ROWS.items():
        counted[name] = await changes.delete(
            connection, sa.delete(table).where(table.c.household == one)
        )
    await changes.delete(connection, sa.delete(household).where(household.c.id == one))
    return {name: counted[name] for name in _TOLD}


_ROWS: Final[dict[str, Any]] = {
    "reports": visit,
    "registrations": registration,
    "facts": fact,
    "evidence": evidence,
    "proposals": proposal,
    "requests": invocation_request,
    "lifts": lift,
    "caseloads": caseload,
}
_TOLD: Final = ("reports", "registrations", "facts", "evidence")


async def erased_registrations(connection: AsyncConnection, ids: Collection[str]) -> dict[str, int]:
    """Those of these registrations whose household was erased, and when."""
    rows = await connection.execute(
        sa.select(erased_registration).where(among(erased_registration.c.id, ids))
    )
    return {row.id: row.erased_at for row in rows}
