"""The access log for those who check it: a bundle, the signed head, the public key."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import (
    Section,
    encode_bundle,
    fiscal_year,
    leaf_hash,
    split_origin,
    stored_leaves,
)
from visitsync.errors import BadParameter
from visitsync.schema.visit import JST
from visitsync.service.auditors import must_audit
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import change
from visitsync.store import access_log, clock


async def export(context: Context, caller: Caller, start: dt.date, until: dt.date) -> bytes:
    """A bundle of the entries from `start` to `until` (first day inside, last outside), JST.

    The export is logged before the log is read, so it stands in the bundle itself if its day does.

    Raises:
        NotAllowed: the token is not good for auditing, or the role on file is another one.
        BadParameter: the period ends before it begins.
        LogBroken: the log's head is not what was signed.
        SignerError: the signer cannot sign.
    """
    caller.must("audit")
    if until <= start:
        raise BadParameter("must lie after the first day", where="until")
    async with change(context, caller) as made:
        await must_audit(made, caller)
        await made.log(
            caller,
            "log_exported",
            private={"from": start.isoformat(), "until": until.isoformat()},
            public={"purpose": "audit"},
        )
    await context.log.signing.cover()
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        closed = await access_log.years(connection)
        years = [_Year(*one) for one in closed]
        if head.signed:
            years.append(_Year(head.shard, head.signed, head.note))
        wanted = [one for one in years if _overlaps(one, start, until)] or years[-1:]
        period = range(_stored(start), _stored(until))
        sections = [await _section(connection, one, period) for one in wanted]
    # Beside the event loop: a year's log keeps nobody waiting.
    return await asyncio.to_thread(encode_bundle, sections)


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


def _stored(day: dt.date) -> int:
    return clock.stored(dt.datetime.combine(day, dt.time.min, JST))


async def _section(connection: AsyncConnection, year: _Year, period: range) -> Section:
    before: list[bytes] = []
    within: list[bytes] = []
    after: list[bytes] = []
    async for _, at, leaf in access_log.entries(connection, year.shard, year.size):
        line = leaf.encode()
        if at in period:
            within.append(line)
        else:
            (after if within or at >= period.stop else before).append(leaf_hash(line))
    return Section(
        origin=year.shard,
        before=tuple(_without_period(before, within, after)),
        leaves=stored_leaves(within),
        after=tuple(after) if within else (),
        note=year.note,
    )


def _without_period(
    before: list[bytes], within: list[bytes], after: list[bytes]
) -> Iterable[bytes]:
    """Without entries in the period all hashes stand before it."""
    return before if within else [*before, *after]


async def checkpoint(context: Context) -> str:
    """The newest signed head, a C2SP signed note; it covers all that is committed now.

    Raises:
        LogBroken, SignerError: the signer refuses, or cannot sign.
    """
    return await context.log.signing.cover()


def public_key(context: Context) -> str:
    """The line by which checkpoints are verified; says nothing secret."""
    return context.log.vkey
