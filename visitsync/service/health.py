"""Whether the installation is fit: settings, keys, database, schema, durability, clock and log."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import Checkpoint, Frontier, NoteVerifier, leaf_hash, open_signed
from visitsync.envelope import MasterKeys
from visitsync.envelope.providers import Provider
from visitsync.errors import (
    ClockOff,
    DatabaseUnavailable,
    LogBroken,
    OperatorError,
    SignerError,
    VisitsyncError,
)
from visitsync.schema.silent import Struct, silent
from visitsync.service.context import (
    Context,
    fitting,
    logbook_of,
    open_database,
    refuse_other_schema,
)
from visitsync.service.key_provider import provider_of
from visitsync.service.keyring import LOG, REPORTS, STAFF, Keyring, held
from visitsync.service.logbook import Logbook
from visitsync.settings import Settings
from visitsync.store import access_log, clock, data_keys, durability, server_log
from visitsync.store.access_log import Head

_MICROSECONDS: Final = 1_000_000
_LEAST_FREE: Final = 16 * 1024 * 1024
"""Bytes on the embedded database's disk below which a submission may not fit any more."""
_PATIENCE: Final = 2.0
"""Seconds for which somebody who asks whether the service is ready has to wait."""


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    """``keys``, ``database``, ``durability``, ``server_log``, ``schema``, ``installation``,
    ``clock``, ``log``."""
    fit: bool
    code: str
    """``fit``, or the code of what is wrong."""
    message: str
    """What is wrong and how to mend it; empty where it is fit."""


class DiskFull(OperatorError):
    """There is hardly any room left for the database."""

    code = "disk_full"


@silent
class _Look(NamedTuple):
    settings: Settings
    connection: AsyncConnection
    provider: Provider
    master: MasterKeys
    log: Logbook
    now: int
    is_running: bool
    thorough: bool


class Readiness:
    """Whether a running service is fit; one look answers all who ask while it lasts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._look: asyncio.Task[tuple[Check, ...]] | None = None

    async def unfit(self, now: float) -> str | None:
        """What is not fit, by name; None where all is.

        Args:
            now: the host's clock, in seconds since 1970.
        """
        if self._look is None or self._look.done():
            looking = checks(
                self._context.settings,
                now=now,
                log=self._context.log,
                provider=self._context.provider,
            )
            self._look = asyncio.create_task(looking, name="readiness")
        look = self._look
        done, _ = await asyncio.wait({look}, timeout=_PATIENCE)
        if not done:
            return "database"
        return next((one.name for one in look.result() if not one.fit), None)


async def checks(
    settings: Settings,
    *,
    now: float,
    log: Logbook | None = None,
    provider: Provider | None = None,
    thorough: bool = False,
) -> tuple[Check, ...]:
    """Look at everything; never raises for what is unfit.

    Args:
        settings: of the installation.
        now: the host's clock, in seconds since 1970.
        log: of the running service, which knows what it wrote; it must be able to write on.
        provider: of the running service, which was given its passphrase.
        thorough: whether to read every entry of the log, which takes its time.
    """
    keys, given = _keys(settings, provider)
    if given is None:
        return (keys,)
    provider, master = given
    if settings.embedded is not None and not settings.embedded.is_file():
        # Looking must not make an empty one.
        missing = DatabaseUnavailable(
            "There is no database; put a backup back. Only for a new installation run "
            "visitsync migrate",
            where=str(settings.embedded),
        )
        return (keys, _unfit("database", missing))
    database = open_database(settings)
    try:
        if log is None:
            found_log = await asyncio.to_thread(logbook_of, settings, database, master)
        else:
            found_log = log
    except SignerError as error:
        await database.close()
        return (keys, _unfit("log", error))
    try:
        async with database.reading() as connection:
            look = _Look(
                settings,
                connection,
                provider,
                master,
                found_log,
                int(now * _MICROSECONDS),
                log is not None,
                thorough,
            )
            reached = await _checked("database", _reach, look)
            found = [keys, reached]
            for name, one in _CHECKS.items() if reached.fit else ():
                found.append(await _checked(name, one, look))
            return tuple(found)
    except VisitsyncError as error:
        return (keys, _unfit("database", error))
    finally:
        await database.close()


def _keys(
    settings: Settings, provider: Provider | None
) -> tuple[Check, tuple[Provider, MasterKeys] | None]:
    try:
        provider = provider or provider_of(settings)
        master = provider.load()
    except VisitsyncError as error:
        return _unfit("keys", error), None
    return Check(name="keys", fit=True, code="fit", message=""), (provider, master)


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
    if look.settings.embedded is None:
        return
    free = shutil.disk_usage(look.settings.embedded.parent).free
    if free < _LEAST_FREE:
        raise DiskFull(
            f"Only {free // 1024:,} KiB are free beside the database; make room on its disk",
            where=str(look.settings.embedded),
        )


async def _durability(look: _Look) -> None:
    await durability.refuse_lies(look.connection)


async def _server_log(look: _Look) -> None:
    # It keeps nobody from serving: what stands in that log stands there already.
    if look.thorough:
        await server_log.refuse_values(look.connection)


async def _schema(look: _Look) -> None:
    await refuse_other_schema(look.connection)


async def _installation(look: _Look) -> None:
    found = await fitting(look.connection, look.settings, look.master, look.provider, look.log.vkey)
    keyring = Keyring(look.master, found.tenant)
    keys = keyring.opened(await data_keys.of_households(look.connection, [""]))
    for kind in (LOG, STAFF, REPORTS):
        held(keys, ("", "", kind))


async def _clock(look: _Look) -> None:
    apart = abs(await clock.now(look.connection) - look.now) / _MICROSECONDS
    if apart > look.settings.clock_skew_seconds:
        raise ClockOff(
            f"The host's clock and the database's are {apart:.0f} seconds apart; set both by NTP"
        )


async def _log(look: _Look) -> None:
    await refuse_other_schema(look.connection)
    if look.is_running:
        async with look.log.writing() as turn:
            head = await turn.hold()
    else:
        await look.log.signing.cover()
        head = await access_log.head(look.connection)
        look.log.check(head)
    back = (head.last_at - head.now) / _MICROSECONDS
    if back > look.settings.clock_skew_seconds:
        raise ClockOff(
            f"The database's clock stands {back:.0f} seconds before the newest log entry; set it "
            "by NTP"
        )
    if look.thorough:
        await _read_whole_log(look, head)


async def _read_whole_log(look: _Look, head: Head) -> None:
    verifier = NoteVerifier(look.log.vkey)
    closed = [(*one, None) for one in await access_log.years(look.connection)]
    for shard, signed, note, size in (*closed, (head.shard, head.signed, head.note, head.size)):
        frontier = Frontier()
        covered = None
        async for seq, _, leaf in access_log.entries(look.connection, shard, size or signed):
            if seq != frontier.size:
                break
            frontier.append(leaf_hash(leaf.encode()))
            if frontier.size == signed:
                covered = Checkpoint(shard, signed, frontier.root())
        whole = size is None or frontier.to_bytes() == head.frontier
        if not whole or (signed and open_signed(note, [verifier]) != covered):
            raise LogBroken(
                "Entries of the access log were changed or taken away; keep the database as it is "
                "and tell the auditors",
                where=shard,
            )


_CHECKS: Final = {
    "durability": _durability,
    "server_log": _server_log,
    "schema": _schema,
    "installation": _installation,
    "clock": _clock,
    "log": _log,
}
