"""``visitsync restore``: a backup into an empty installation, checked whole before it is committed.

The signer's memory is no part of a backup. Where it has signed more than the backup holds, the data
is put back and nothing is answered, until the missing tail is added or two operators go on
without it (`reopening`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import NoteVerifier
from visitsync.errors import BackupError, LogBroken
from visitsync.schema.silent import Struct
from visitsync.service import entries
from visitsync.service.backup import parts
from visitsync.service.backup.chain import Link, links
from visitsync.service.backup.host import Host, host
from visitsync.service.backup.making import KEYS
from visitsync.service.backup.manifest import ACT
from visitsync.service.caller import Caller
from visitsync.service.context import (
    fitting,
    open_context,
)
from visitsync.service.deep import check
from visitsync.service.deep.trouble import Told
from visitsync.service.key_provider import provider_of
from visitsync.service.keyring import LOG, held
from visitsync.service.logbook import Turn
from visitsync.settings import Settings
from visitsync.store import access_log, data_keys, loading, schema
from visitsync.store.columns import METADATA


class Restored(Struct, frozen=True, kw_only=True):
    """What was put back."""

    rows: int
    tails: int
    shard: str
    size: int
    """Of the log as it stands in the backup."""
    made_at: str
    """When the newest part that was put back was made."""


async def restore(
    settings: Settings,
    caller: Caller,
    folder: Path,
    keys: Path | None = None,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Put a backup with all its tails into an empty database, or change nothing.

    Args:
        settings: of the installation; its key file must be there.
        caller: who.
        folder: of the backup.
        keys: where its part with the data keys is, if elsewhere.
        advance: told how many more rows were put back or checked.

    Raises:
        NotAllowed: the caller is no operator.
        BackupError: it is partial, damaged or does not belong here, or the database is not empty.
        KeyFileError: the key file does not open it.
        LogBroken: it was put back, and the log's signer refuses it: nothing is answered until the
            runbook was followed.
        DatabaseUnavailable: nothing was changed.
    """
    async with host(settings, caller, advance) as there:
        found = links(folder, keys or folder, settings, NoteVerifier(there.log.vkey))
        async with there.database.writing() as connection:
            if await schema.revision(connection) is not None:
                raise BackupError(
                    "The database is not empty; a backup is put into an empty one only",
                    where="database",
                )
            await schema.upgrade(connection)
            refused = await _put_back(there, connection, found, folder, keys or folder)
    return await _started(settings, found, refused)


async def add_tails(
    settings: Settings,
    caller: Caller,
    folder: Path,
    keys: Path | None = None,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Add the tails of a backup that go on where the restored log ends.

    Raises:
        BackupError: no tail goes on there, or as by `restore`.
        NotAllowed, KeyFileError, LogBroken, DatabaseUnavailable: as by `restore`.
    """
    async with host(settings, caller, advance) as there:
        found = links(folder, keys or folder, settings, NoteVerifier(there.log.vkey))
        async with there.database.writing() as connection:
            await fitting(connection, settings, there.master, provider_of(settings), there.log.vkey)
            head = await access_log.lock(connection)
            at = (head.shard, head.size)
            starts = [n for n, one in enumerate(found) if one.manifest.since == at]
            if not starts:
                raise BackupError(
                    f"The backup has no tail that goes on after entry {head.size} of this log",
                    where=str(folder),
                )
            found = found[starts[0] :]
            refused = await _put_back(there, connection, found, folder, keys or folder)
    return await _started(settings, found, refused)


async def _put_back(
    there: Host, connection: AsyncConnection, found: Sequence[Link], folder: Path, keys: Path
) -> LogBroken | None:
    """Load it and check it whole; answers why the signer does not go on with it, if it does not."""
    for one in found:
        await _load(there, connection, one, folder, keys)
    provider = provider_of(there.settings)
    await fitting(connection, there.settings, there.master, provider, there.log.vkey)
    await _cover(connection, found[-1])
    told = Told(there.advance)
    await check.inspect(connection, there.settings, there.master, there.log, told)
    if told.count:
        raise BackupError(
            f"The backup holds {told.count:,} rows that are not as they were written "
            f"({told.found[0].code}); nothing was put back; {ACT}",
            where=told.found[0].where,
        )
    head = await access_log.lock(connection)
    try:
        await there.log.signing.sign(connection, head)
    except LogBroken as error:
        return error
    await _tell(there, connection, found)
    return None


async def _load(
    there: Host, connection: AsyncConnection, one: Link, folder: Path, keys: Path
) -> None:
    is_full = one.manifest.kind == "full"
    for place, part, only in (
        (folder, one.manifest.data, None),
        (keys, one.manifest.keys, KEYS),
    ):
        for frame in parts.frames(place, part):
            table = METADATA.tables.get(frame.table)
            if table is None or (frame.table == KEYS) != (only == KEYS):
                raise BackupError(
                    f"The backup holds what must not stand there; {ACT}", where=part.name
                )
            if is_full:
                await loading.add(connection, table, frame.columns, frame.rows)
            else:
                await loading.put(connection, table, frame.columns, frame.rows)
                await loading.remove(connection, table, frame.gone)
            there.advance(len(frame.rows))


async def _cover(connection: AsyncConnection, last: Link) -> None:
    """The log must end where the manifest says; its checkpoint is kept beside the head."""
    head = await access_log.lock(connection)
    checkpoint = last.checkpoint
    if (head.shard, head.size) != (checkpoint.origin, checkpoint.size):
        raise BackupError(
            f"The backup holds another log than its manifest says; {ACT}", where=head.shard
        )
    note = last.manifest.checkpoint
    await access_log.cover(connection, head.shard, head.size, note, head.now)


async def _tell(there: Host, connection: AsyncConnection, found: Sequence[Link]) -> None:
    """Have the log say that it goes on from a backup."""
    keyring = there.keyring()
    general = keyring.opened(await data_keys.of_households(connection, [""]))
    turn = Turn(there.log, connection)
    await turn.hold()
    draft = entries.draft(
        keyring,
        there.caller,
        "restore",
        held(general, ("", "", LOG)),
        household=None,
        private={"made_at": found[-1].manifest.made_at},
        public={"records": found[-1].checkpoint.size},
    )
    await turn.append([draft])


async def _started(
    settings: Settings, found: Sequence[Link], refused: LogBroken | None
) -> Restored:
    """Start once as the service does, so that what a start does is done before this says so."""
    if refused is not None:
        raise LogBroken(f"The backup was put back. {refused}", where=refused.where)
    async with open_context(settings):
        pass
    return Restored(
        rows=sum(
            sum(part.rows.values())
            for one in found
            for part in (one.manifest.data, one.manifest.keys)
        ),
        tails=sum(one.manifest.kind == "tail" for one in found),
        shard=found[-1].checkpoint.origin,
        size=found[-1].checkpoint.size,
        made_at=found[-1].manifest.made_at,
    )
