"""Whether the installation is fit: settings, keys, database, schema, durability, clock and log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import NoteSigner
from visitsync.envelope import MasterKeys
from visitsync.errors import OperatorError, VisitsyncError
from visitsync.service.context import (
    fitting,
    logbook_of,
    open_database,
    refuse_other_schema,
    signer_of,
)
from visitsync.service.logbook import Logbook
from visitsync.settings import Settings
from visitsync.store import access_log, clock, durability
from visitsync.store.database import Database

_MICROSECONDS: Final = 1_000_000


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    """``keys``, ``database``, ``durability``, ``schema``, ``installation``, ``clock``, ``log``."""
    fit: bool
    code: str
    """``fit``, or the code of what is wrong."""
    message: str
    """What is wrong and how to mend it; empty where it is fit."""


class ClockOff(OperatorError):
    """The host's clock and the database's are too far apart."""

    code = "clock_off"


class _Look(NamedTuple):
    settings: Settings
    database: Database
    connection: AsyncConnection
    signer: NoteSigner
    now: int


async def checks(settings: Settings, *, now: float) -> tuple[Check, ...]:
    """Look at everything; never raises for what is unfit.

    Args:
        settings: of the installation.
        now: the host's clock, in seconds since 1970.
    """
    keys, signer = _keys(settings)
    if signer is None:
        return (keys,)
    database = open_database(settings)
    try:
        async with database.reading() as connection:
            look = _Look(settings, database, connection, signer, int(now * _MICROSECONDS))
            reached = await _checked("database", _reach, look)
            found = [keys, reached]
            for name, one in _CHECKS.items() if reached.fit else ():
                found.append(await _checked(name, one, look))
            return tuple(found)
    except VisitsyncError as error:
        return (keys, _unfit("database", error))
    finally:
        await database.close()


def _keys(settings: Settings) -> tuple[Check, NoteSigner | None]:
    try:
        signer = signer_of(settings, MasterKeys.load(settings.keys))
    except VisitsyncError as error:
        return _unfit("keys", error), None
    return Check(name="keys", fit=True, code="fit", message=""), signer


async def _checked(name: str, one: Callable[[_Look], Awaitable[None]], look: _Look) -> Check:
    try:
        await one(look)
    except VisitsyncError as error:
        return _unfit(name, error)
    return Check(name=name, fit=True, code="fit", message="")


def _unfit(name: str, error: VisitsyncError) -> Check:
    where = f" ({error.where})" if error.where else ""
    return Check(name=name, fit=False, code=error.code, message=f"{error}{where}")


async def _reach(look: _Look) -> None:
    await clock.now(look.connection)


async def _durability(look: _Look) -> None:
    await durability.refuse_lies(look.connection)


async def _schema(look: _Look) -> None:
    await refuse_other_schema(look.connection)


async def _installation(look: _Look) -> None:
    await fitting(look.connection, look.settings, look.signer)


async def _clock(look: _Look) -> None:
    apart = abs(await clock.now(look.connection) - look.now) / _MICROSECONDS
    if apart > look.settings.clock_skew_seconds:
        raise ClockOff(
            f"The host's clock and the database's are {apart:.0f} seconds apart; set both by NTP"
        )


async def _log(look: _Look) -> None:
    await refuse_other_schema(look.connection)
    log: Logbook = logbook_of(look.settings, look.database, look.signer)
    log.check(await access_log.head(look.connection))


_CHECKS: Final = {
    "durability": _durability,
    "schema": _schema,
    "installation": _installation,
    "clock": _clock,
    "log": _log,
}
