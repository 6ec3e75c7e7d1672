"""The notices that families sign: added by the operator, named by every directive after that."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit.shards import JST
from visitsync.errors import BadParameter
from visitsync.schema.notice import Notice, Spoken
from visitsync.service.caller import Caller
from visitsync.service.consents import Body
from visitsync.service.context import Context
from visitsync.service.writing import change
from visitsync.store import clock, epochs, notices


async def add(context: Context, caller: Caller, notice: Notice) -> bool:
    """Add a version; from now on it is the newest.

    Returns:
        Whether it was added; False where the same was known already.

    Raises:
        BadParameter: other words are known under this version.
        NotAllowed: the caller is no operator.
    """
    caller.must("operate")
    async with change(context, caller) as made:
        known = await notices.known(made.connection)
        same = next((one for one in known if one.version == notice.version), None)
        if same is not None and of(same) != notice:
            raise BadParameter(
                "Families signed other words under this version; give the new ones a new version",
                where="version",
            )
        if same is None:
            at = max(made.at, known[-1].recorded_at + 1) if known else made.at
            await notices.add(
                made.connection,
                notices.Notice(
                    notice.version,
                    at,
                    notice.retroactive,
                    notice.text.ja,
                    notice.text.en,
                    notice.clause.ja,
                    notice.clause.en,
                ),
            )
            # Which directives need asking again is looked at with this epoch.
            await epochs.bump(made.connection, {epochs.DIRECTORY})
        written = msgspec.json.encode(notice, order="sorted")
        await made.log(
            caller,
            "notice_recorded",
            private={"version": notice.version},
            public={
                "decision": "known" if same is not None else "added",
                "payload": hashlib.sha256(written).hexdigest(),
            },
        )
    return same is None


async def known(context: Context) -> tuple[Notice, ...]:
    """All versions, the newest last."""
    async with context.database.reading() as connection:
        return tuple(of(one) for one in await notices.known(connection))


def of(row: notices.Notice) -> Notice:
    """A stored version as it was handed in."""
    return Notice(
        version=row.version,
        text=Spoken(ja=row.text_ja, en=row.text_en),
        retroactive=row.retroactive,
        clause=Spoken(ja=row.clause_ja, en=row.clause_en),
    )


async def refuse_unsigned(connection: AsyncConnection, body: Body) -> None:
    """Go on only with a directive whose notice is known, and only as far as it went.

    Until a municipality has added its first notice, any version may be named.

    Raises:
        BadParameter: it names another one; or it is a consent to visits from before it holds, and
            the notice said that there is none.
    """
    by_version = {one.version: one for one in await notices.known(connection)}
    if not by_version:
        return
    signed = by_version.get(body["notice_version"])
    if signed is None:
        raise BadParameter("names no notice that there is", where="notice_version")
    if body["effect"] == "permit" and not signed.retroactive:
        begins = clock.stored_text(body["valid"]["from"])
        if body["data"]["from"] < clock.instant(begins).astimezone(JST).date().isoformat():
            raise BadParameter("The notice has no clause for visits before", where="data_from")
