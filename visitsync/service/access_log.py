"""The access log for those who check it: a bundle or tiles, the signed head, the public key."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterable
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import (
    BundleMaker,
    Leaf,
    Period,
    Tile,
    TileMaker,
    fiscal_year,
    leaf_hash,
    peek_checkpoint,
    split_origin,
)
from visitsync.errors import BadParameter, LogBroken
from visitsync.schema.silent import silent
from visitsync.schema.visit import JST
from visitsync.service.auditors import must_audit
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import change, still_signed_in
from visitsync.store import access_log, clock, witnesses

_PIECE: Final = 1000
"""Entries that are in memory at once."""


async def export(
    context: Context, caller: Caller, start: dt.date, until: dt.date
) -> AsyncIterator[bytes]:
    """A bundle of the entries from `start` to `until` (first day inside, last outside), JST.

    It comes in pieces, so that a year's log fills nobody's memory; without the last one it is torn,
    which the verifier tells. The export is logged before this returns, so it stands in the bundle
    itself if its day does.

    Raises:
        NotAllowed: the token is not good for auditing, or the role on file is another one.
        BadParameter: the period ends before it begins.
        LogBroken: the log's head is not what was signed.
        SignerError: the signer cannot sign.
        NotSignedIn, DatabaseUnavailable: also by any piece: the token has ended meanwhile, or the
            database is gone.
    """
    await _log_export(context, caller, start, until, "bundle")
    return _bundle(context, caller, start, until)


async def _bundle(
    context: Context, caller: Caller, start: dt.date, until: dt.date
) -> AsyncIterator[bytes]:
    made = BundleMaker()
    async with context.database.reading() as connection:
        years = await _years(connection, start, until)
    yield made.begin()
    for year in years:
        yield made.year(year.shard)
        within = Period(start, until)
        for first in range(0, year.size, _PIECE):
            # A connection of its own for each: who reads slowly keeps none from others.
            async with context.database.reading() as connection:
                await still_signed_in(connection, caller, await clock.now(connection))
                end = min(first + _PIECE, year.size)
                found = access_log.entries(connection, year.shard, end, start=first)
                lines = [leaf.encode() async for _, _, leaf in found]
            yield await asyncio.to_thread(_piece, made, within, lines)
        async with context.database.reading() as connection:
            witnessed = await witnesses.of_year(connection, year.shard, year.size)
        yield made.close(year.note, witnessed=witnessed)
    yield made.end()


def _piece(made: BundleMaker, within: Period, lines: Iterable[bytes]) -> bytes:
    return b"".join(
        made.leaf(Leaf(leaf_hash(line), line))
        if within.takes(line)
        else made.hashed(leaf_hash(line))
        for line in lines
    )


async def tiles(
    context: Context, caller: Caller, start: dt.date, until: dt.date
) -> AsyncIterator[Tile]:
    """The whole years in which the period falls as C2SP tiles, each year in a folder of its own.

    They come one after the other, a year's checkpoint after its last tile. The export is logged
    before this returns.

    Raises:
        NotAllowed, BadParameter, LogBroken, SignerError: as `export`.
    """
    await _log_export(context, caller, start, until, "tiles")
    return _tiles(context, start, until)


async def _tiles(context: Context, start: dt.date, until: dt.date) -> AsyncIterator[Tile]:
    async with context.database.reading() as connection:
        for year in await _years(connection, start, until):
            made = TileMaker()
            async for _, _, leaf in access_log.entries(connection, year.shard, year.size):
                for tile in made.append(leaf.encode()):
                    yield _in_year(year, tile)
            for tile in made.finish():
                yield _in_year(year, tile)
            head = peek_checkpoint(year.note)
            if (head.size, head.root) != (made.size, made.root()):
                raise LogBroken("The access log is not what was signed", where=year.shard)
            yield _in_year(year, Tile("checkpoint", year.note.encode()))


def _in_year(year: _Year, tile: Tile) -> Tile:
    return Tile(f"{year.number}/{tile.path}", tile.data)


async def _log_export(
    context: Context, caller: Caller, start: dt.date, until: dt.date, form: str
) -> None:
    """Log that the log is taken away, and have the head cover that."""
    caller.must("audit")
    if until <= start:
        raise BadParameter("must lie after the first day", where="until")
    async with change(context, caller) as made:
        await must_audit(made, caller)
        await made.log(
            caller,
            "log_exported",
            private={"from": start.isoformat(), "until": until.isoformat(), "form": form},
            public={"purpose": "audit"},
        )
    await context.log.signing.cover()


async def _years(connection: AsyncConnection, start: dt.date, until: dt.date) -> list[_Year]:
    """The years in which the period falls; without one, the newest."""
    head = await access_log.head(connection)
    years = [_Year(*one) for one in await access_log.years(connection)]
    if head.signed:
        years.append(_Year(head.shard, head.signed, head.note))
    return [one for one in years if _overlaps(one, start, until)] or years[-1:]


@silent
class _Year(NamedTuple):
    shard: str
    size: int
    note: str

    @property
    def number(self) -> int:
        """The fiscal year."""
        return split_origin(self.shard)[1]


def _overlaps(year: _Year, start: dt.date, until: dt.date) -> bool:
    last = dt.datetime.combine(until - dt.timedelta(days=1), dt.time.max, JST)
    first = dt.datetime.combine(start, dt.time.min, JST)
    return fiscal_year(first) <= year.number <= fiscal_year(last)


async def checkpoint(context: Context) -> str:
    """The newest signed head, a C2SP signed note; it covers all that is committed now.

    Raises:
        LogBroken, SignerError: the signer refuses, or cannot sign.
    """
    return await context.log.signing.cover()


def public_key(context: Context) -> str:
    """The line by which checkpoints are verified; says nothing secret."""
    return context.log.vkey
