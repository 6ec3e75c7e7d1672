"""The tail of a backup: what the log says was written since, shipped beside it again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import NoteVerifier, instant, peek_checkpoint
from visitsync.audit.anchors import decode
from visitsync.errors import BackupError
from visitsync.schema.silent import silent
from visitsync.service.backup.cut import Cut, cut
from visitsync.service.backup.making import KEYS
from visitsync.service.backup.manifest import Manifest, keep, line, name_of, read
from visitsync.service.backup.parts import Frame, Writer
from visitsync.service.context import Context
from visitsync.store import access_log, clock, rows, schema
from visitsync.store.columns import METADATA
from visitsync.store.key_tables import data_key
from visitsync.store.tables import index_term, log_anchor, log_entry, log_head, log_year

Since: TypeAlias = tuple[str, int]
Shipped: TypeAlias = Callable[[Manifest], None]
_MASTER: Final = "master_key"
_INDEX: Final = "index_key"
_TOMBSTONE: Final = "tombstone"
_REGISTRATION: Final = "registration"


async def ship(context: Context, out: Path, keys: Path | None = None) -> Manifest | None:
    """Write what came since the newest part of a backup; None where nothing did.

    Raises:
        BackupError: there is no full backup, it is damaged, or it must be made anew.
        DatabaseUnavailable, LogBroken, SignerError: it cannot be read.
    """
    verifier = NoteVerifier(context.log.vkey)
    newest = await asyncio.to_thread(_newest, out, verifier)
    checkpoint = peek_checkpoint(newest[0].checkpoint)
    since = (checkpoint.origin, checkpoint.size)
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
    if (head.shard, head.size) == since:
        return None
    if newest[0].revision != schema.release():
        raise BackupError("The backup is of another release; make a full backup", where=str(out))
    if keys is None and not (out / name_of(0, "keys")).exists():
        raise BackupError(
            "The data keys of this backup were put elsewhere; name that folder (--keys)",
            where=str(out),
        )
    number = newest[0].number + 1
    async with cut(context) as one:
        made = await _written(context, one, _After(since, number, newest[1]), out, keys or out)
    keep(out / name_of(number), (await context.log.manifest(line(made))).encode())
    return made


async def keep_shipping(
    context: Context,
    out: Path,
    keys: Path | None,
    every: float,
    shipped: Shipped,
) -> None:
    """Ship again and again, every so many seconds, until it is cancelled."""
    while True:
        made = await ship(context, out, keys)
        if made is not None:
            shipped(made)
        await asyncio.sleep(every)


def _newest(out: Path, verifier: NoteVerifier) -> tuple[Manifest, str]:
    number = 0
    found = None
    while (one := read(out, number, verifier)) is not None:
        found, number = one, number + 1
    if found is None:
        raise BackupError("The backup holds no full backup; make one", where=str(out))
    return found


@silent
class _After(NamedTuple):
    """Where a tail begins."""

    since: Since
    number: int
    before: str


async def _written(context: Context, one: Cut, after: _After, out: Path, keys: Path) -> Manifest:
    data = Writer(out / name_of(after.number, "data"))
    wrapped = Writer(keys / name_of(after.number, "keys"))
    try:
        tail = _Tail(one.connection, data)
        await tail.log(after.since, one.head.shard)
        await tail.rows()
        wanted = sorted({"", *tail.households})
        async for page in rows.of_values(one.connection, data_key.c.household, wanted):
            wrapped.page(KEYS, page)
    except BaseException:
        data.abandon()
        wrapped.abandon()
        raise
    return Manifest(
        kind="tail",
        number=after.number,
        tenant=context.settings.tenant,
        revision=schema.release(),
        made_at=instant(clock.instant(one.head.now)),
        since=after.since,
        checkpoint=one.note,
        before=after.before,
        data=data.close(),
        keys=wrapped.close(),
    )


class _Tail:
    """What a tail is read from."""

    def __init__(self, connection: AsyncConnection, data: Writer) -> None:
        self._connection = connection
        self._data = data
        self._changed: dict[str, set[tuple[Any, ...]]] = {}
        self.households: set[str] = set()

    async def log(self, since: Since, until: str) -> None:
        """Entries, anchors and closed years after `since`; and the head."""
        for table in (log_entry, log_anchor):
            later = rows.later(self._connection, table, since, until)
            async for page in later:
                self._data.page(str(table.name), page)
                self._note(page)
        async for page in rows.pages(self._connection, log_year):
            later_years = [one for one in page if one["shard"] >= since[0]]
            self._data.page(str(log_year.name), later_years)
        async for page in rows.pages(self._connection, log_head):
            self._data.page(str(log_head.name), page)

    def _note(self, page: Iterable[Any]) -> None:
        for row in page:
            if "body" not in row:
                self.households.add(row["household"] or "")
                continue
            for one in decode(row["body"], where=f"{row['shard']} {row['seq']}"):
                self._changed.setdefault(one.table, set()).add(one.key)
                if one.table == _INDEX or (one.table == _MASTER and one.hashed is None):
                    raise BackupError(
                        "A master or index key was changed since the full backup; make a new one"
                    )

    async def rows(self) -> None:
        """What the changed rows are now, and which are no more."""
        # Rows of an erased household are deleted only where its tombstone stands.
        for table in sorted(METADATA.sorted_tables, key=lambda one: one.name != _TOMBSTONE):
            keys = sorted(self._changed.get(table.name, ()))
            left = set(keys)
            async for page in rows.of_keys(self._connection, table, keys):
                self._data.page(str(table.name), page)
                left -= {tuple(row[one.name] for one in table.primary_key) for row in page}
                self.households.update(row["household"] or "" for row in page if "household" in row)
            if left:
                columns = tuple(str(one.name) for one in table.columns)
                self._data.frame(Frame(str(table.name), columns, (), sorted(left)))
        await self._terms(sorted(one for (one,) in self._changed.get(_REGISTRATION, ())))

    async def _terms(self, registrations: Sequence[str]) -> None:
        """The blind terms of changed registrations: a rotation apart, none changes without it."""
        of = index_term.c.registration
        async for page in rows.of_values(self._connection, of, registrations):
            self._data.page(str(index_term.name), page)
