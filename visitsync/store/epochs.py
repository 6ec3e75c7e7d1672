"""Consent epochs: a number for each scope that goes up with every change of its facts.

Whoever raises one holds the log's head, so whoever holds the head sees them stand still.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.store import changes
from visitsync.store.among import among_given
from visitsync.store.prepared import Prepared
from visitsync.store.tables import consent_epoch

_READ: Final = Prepared(
    sa.select(consent_epoch.c.scope, consent_epoch.c.value).where(
        among_given(consent_epoch.c.scope, "scopes")
    )
)

DIRECTORY: Final = "directory"


def of_household(household: str) -> str:
    """The scope of a household's facts."""
    return f"household:{household}"


def of_viewer(viewer: str) -> str:
    """The scope of a viewer's own facts."""
    return f"viewer:{viewer}"


def of_token(token: str) -> str:
    """The scope of a token."""
    return f"token:{token}"


async def read(connection: AsyncConnection, scopes: Collection[str]) -> Mapping[str, int]:
    """The epochs of `scopes`, each present; one that never changed is at 0."""
    rows = await _READ.fetch(connection, scopes=list(scopes))
    return dict.fromkeys(scopes, 0) | {row[0]: row[1] for row in rows}


async def bump(connection: AsyncConnection, scopes: Collection[str]) -> None:
    """Raise the epochs of `scopes`; whoever calls holds the log's head."""
    if not scopes:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(consent_epoch).values(
        [{"scope": scope, "value": 1} for scope in sorted(scopes)]
    )
    raised = statement.on_conflict_do_update(
        index_elements=[consent_epoch.c.scope], set_={"value": consent_epoch.c.value + 1}
    )
    await changes.run(connection, raised)
