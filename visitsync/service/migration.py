"""The database's schema: where it stands, and bringing it to this release's."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from visitsync.settings import Settings

Standing: TypeAlias = Literal["current", "empty", "older", "newer"]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a database stands."""

    standing: Standing
    revision: str | None
    """The database's; None where it is empty."""
    release: str
    """This release's."""


async def check(settings: Settings) -> State:
    """Where the database stands; changes nothing.

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    raise NotImplementedError


async def migrate(settings: Settings) -> State:
    """Bring the database to this release's schema; makes the key file of a new installation.

    Raises:
        SchemaMismatch: the database is newer than this release.
        DatabaseUnavailable: it cannot be reached; it is as it was before.
    """
    raise NotImplementedError
