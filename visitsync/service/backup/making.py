"""``visitsync backup``: everything that is stored, as of one instant, while the service goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from visitsync.audit import instant
from visitsync.errors import BackupError
from visitsync.service.backup.cut import Cut, cut
from visitsync.service.backup.manifest import Manifest, Part, keep, line, name_of
from visitsync.service.backup.parts import Writer
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import change
from visitsync.store import clock, rows, schema
from visitsync.store.columns import METADATA
from visitsync.store.key_tables import data_key

KEYS: Final = "data_key"
"""The one table of the part that holds keys."""


async def full(
    context: Context,
    caller: Caller,
    out: Path,
    keys: Path | None = None,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Manifest:
    """Write a full backup into a new folder. It is logged before anything is read.

    Args:
        context: of the installation.
        caller: who.
        out: the folder, which must not be there yet.
        keys: another folder for the part with the wrapped data keys; it is made if need be.
        advance: told how many more rows were written.

    Raises:
        NotAllowed: the caller is no operator.
        BackupError: it cannot be written, or there is one already.
        DatabaseUnavailable, LogBroken, SignerError: it cannot be read.
    """
    caller.must("operate")
    new_folder(out)
    beside = out if keys is None else keys
    beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (beside / name_of(0, "keys")).exists():
        raise BackupError("The backup is there already; name another folder", where=str(beside))
    await told(context, caller, "full")
    async with cut(context) as one:
        data = await _data(one, out, advance)
        wrapped = await _keys(one, beside, advance)
    made = Manifest(
        kind="full",
        number=0,
        tenant=context.settings.tenant,
        revision=schema.release(),
        made_at=instant(clock.instant(one.head.now)),
        since=None,
        checkpoint=one.note,
        before="",
        data=data,
        keys=wrapped,
    )
    keep(out / name_of(0), (await context.log.manifest(line(made))).encode())
    return made


async def told(context: Context, caller: Caller, what: str) -> None:
    """Have the access log say that a copy of everything is made."""
    async with change(context, caller) as made:
        await made.log(caller, "backup", private={}, public={"decision": what})


def new_folder(out: Path) -> None:
    """Make the folder of a backup.

    Raises:
        BackupError: it is there already, or cannot be made.
    """
    try:
        out.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise BackupError(
            "The backup is there already; name a new folder", where=str(out)
        ) from None
    except OSError:
        raise BackupError(
            "The backup cannot be made; see to the rights of its folder", where=str(out)
        ) from None


async def _data(one: Cut, out: Path, advance: Callable[[int], None]) -> Part:
    writer = Writer(out / name_of(0, "data"))
    try:
        for table in METADATA.sorted_tables:
            if table.name == KEYS:
                continue
            async for page in rows.pages(one.connection, table):
                writer.page(str(table.name), page)
                advance(len(page))
    except BaseException:
        writer.abandon()
        raise
    return writer.close()


async def _keys(one: Cut, folder: Path, advance: Callable[[int], None]) -> Part:
    writer = Writer(folder / name_of(0, "keys"))
    try:
        async for page in rows.pages(one.connection, data_key):
            writer.page(KEYS, page)
            advance(len(page))
    except BaseException:
        writer.abandon()
        raise
    return writer.close()
