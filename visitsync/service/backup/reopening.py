"""Going on without entries that were lost: two operators, another part of the year, an incident.

The only thing that moves the signer's memory otherwise than forward; what it held stands in the new
part's first entry, for everybody who kept a checkpoint of what was lost.
"""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import INCIDENT, NoteVerifier, open_signed
from visitsync.errors import BadNote, BadParameter, LogBroken
from visitsync.schema.silent import Struct
from visitsync.service import entries
from visitsync.service.backup.host import Host, host
from visitsync.service.caller import Caller
from visitsync.service.context import fitting, open_context, signer_of
from visitsync.service.key_provider import provider_of
from visitsync.service.keyring import LOG, held
from visitsync.settings import Settings
from visitsync.store import access_log, data_keys
from visitsync.store.access_log import Head

_MOST_WORDS: Final = 2_000


class Reopened(Struct, frozen=True, kw_only=True):
    """How it goes on."""

    shard: str
    """The new part."""
    restored: int
    """Entries of the log that was put back."""
    lost: int | None
    """How many had been signed; None where nobody remembers."""


async def reopen(  # noqa: PLR0913 -- who, why, and what is known of what was lost
    settings: Settings,
    caller: Caller,
    second: str,
    reason: str,
    lost: str | None = None,
    *,
    nothing_kept: bool = False,
) -> Reopened:
    """Go on after what was put back, although the signer has signed more.

    Args:
        settings: of the installation, with no service running.
        caller: one operator.
        second: the name of another one, who confirms.
        reason: in words; sealed in the log.
        lost: the newest checkpoint that anybody kept, where the signer's memory is gone.
        nothing_kept: that nobody kept one; without it one must be named then.

    Raises:
        NotAllowed: the caller is no operator.
        BadParameter: nobody else confirms, no reason, or `lost` is not of this log.
        LogBroken: nothing was lost, or the log that was put back is not whole.
        DatabaseUnavailable, SignerError: nothing was changed.
    """
    caller.must("operate")
    if not second.strip() or second.strip().casefold() == caller.id.casefold():
        raise BadParameter("A second person must confirm, by another name", where="second")
    if not reason.strip() or len(reason) > _MOST_WORDS:
        raise BadParameter("must be told in some words", where="reason")
    async with host(settings, caller) as there:
        last = await _last(there, lost, nothing_kept=nothing_kept)
        async with there.database.writing() as connection:
            await fitting(connection, settings, there.master, provider_of(settings), there.log.vkey)
            head = await access_log.lock(connection)
            there.log.is_written(head)
            await _refuse_needless(there, connection, head)
            if head.signed != head.size:
                raise LogBroken(
                    "What was put back is not signed to its end; put a whole backup back",
                    where=head.shard,
                )
            keyring = there.keyring()
            general = keyring.opened(await data_keys.of_households(connection, [""]))
            incident = entries.draft(
                keyring,
                caller,
                INCIDENT,
                held(general, ("", "", LOG)),
                household=None,
                private={"reason": reason.strip(), "by": second.strip()},
                public={"previous": last, "restored": head.note},
            )
            await there.log.reopen(connection, head, incident, head.note)
    async with open_context(settings) as context, context.database.reading() as connection:
        made = await access_log.head(connection)
    size = None if last is None else open_signed(last, [NoteVerifier(there.log.vkey)]).size
    return Reopened(shard=made.shard, restored=head.size, lost=size)


async def _last(there: Host, given: str | None, *, nothing_kept: bool) -> str | None:
    """The last signed head of what was lost, as far as anybody remembers."""
    signer = signer_of(there.settings, there.master)
    remembered = await asyncio.to_thread(signer.signed)
    if remembered is not None:
        return remembered.note
    if given is None and not nothing_kept:
        raise BadParameter(
            "The signer remembers nothing. Ask auditors and offices for their newest checkpoint "
            "and name it; only if nobody kept any, say so",
            where="lost",
        )
    if given is None:
        return None
    try:
        open_signed(given, [NoteVerifier(there.log.vkey)])
    except BadNote:
        raise BadParameter("is no checkpoint of this log", where="lost") from None
    return given


async def _refuse_needless(there: Host, connection: AsyncConnection, head: Head) -> None:
    """Go on only where the signer refuses the log as it stands."""
    try:
        await there.log.signing.sign(connection, head)
    except LogBroken:
        return
    raise LogBroken(
        "The signer goes on with this log: nothing was lost, and no incident is needed",
        where=head.shard,
    )
