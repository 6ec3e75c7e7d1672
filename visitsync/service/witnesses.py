"""For whoever keeps heads of the log outside: a newer head with its proof, and their cosignature.

A head says how many entries there are and a hash, nothing of any entry; so offices may have it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import (
    BLOCK,
    Blocks,
    Checkpoint,
    HeadExtension,
    NoteVerifier,
    leaf_hash,
    open_note,
    open_signed,
    peek_checkpoint,
)
from visitsync.errors import BadNote, BadParameter, NotAllowed
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.store import access_log, witnesses

_SIGNED_BY_BOTH = 2


async def newest(context: Context, caller: Caller, shard: str | None, older: int) -> str:
    """The newest head of a year with the proof that it extends its first `older` entries.

    Args:
        context: of the installation.
        caller: who keeps heads.
        shard: the year; None is the present one.
        older: how many entries the head covers that they keep; with more than there are, the
            present head comes without a proof: then an old database was put back.

    Raises:
        NotAllowed: the token is good for neither handing in nor auditing.
        BadParameter: there is no such year.
        LogBroken, SignerError: see `Signing.cover`.
    """
    _must(caller)
    note = await context.log.signing.cover()
    async with context.database.reading() as connection:
        if shard is not None and shard != peek_checkpoint(note).origin:
            years = await access_log.years(connection)
            note = next((one[2] for one in years if one[0] == shard), "")
            if not note:
                raise BadParameter("There is no log of that year", where="shard")
        head = peek_checkpoint(note)
        proof: tuple[bytes, ...] = ()
        if 0 < older < head.size:
            proof = await _proof(context, connection, head, older)
    return HeadExtension(older=min(older, head.size), proof=proof, note=note).text()


async def cosigned(context: Context, caller: Caller, note: str, key: str) -> None:
    """Keep a head that a witness cosigned.

    Args:
        context: of the installation.
        caller: the witness.
        note: the checkpoint with both signatures.
        key: the witness's public key. It is believed as theirs for the moment only: auditors get
            it from the witness.

    Raises:
        NotAllowed: as by `newest`.
        BadParameter: the key is none, or the note is not signed by both, by nobody else.
    """
    _must(caller)
    try:
        witness = NoteVerifier(key)
        own = NoteVerifier(context.log.vkey)
        opened = open_note(note, [own, witness])
        head = open_signed(note, [own])
    except BadNote:
        raise BadParameter("is no head of this log that was cosigned", where="note") from None
    if len(opened.signed_by) != _SIGNED_BY_BOTH or opened.others:
        raise BadParameter("is signed by others than the log and its witness", where="note")
    async with context.log.writing() as turn:
        await turn.hold()
        await witnesses.keep(
            turn.connection, f"{caller.kind}:{caller.id}", head.origin, head.size, note
        )


def _must(caller: Caller) -> None:
    if not {"submit", "audit"} & caller.scopes:
        raise NotAllowed("This token is not good for that; ask the operator for another one")


async def _proof(
    context: Context, connection: AsyncConnection, head: Checkpoint, older: int
) -> tuple[bytes, ...]:
    async with context.growing:
        known = context.blocks.setdefault(head.origin, Blocks())
        async for _, _, leaf in access_log.entries(
            connection, head.origin, head.size, start=known.read
        ):
            known.grow([leaf_hash(leaf.encode())])
    ends = {older // BLOCK, (head.size - 1) // BLOCK, head.size // BLOCK}
    blocks: Mapping[int, Sequence[bytes]] = {
        one: await _block(connection, head, one) for one in ends
    }
    return await asyncio.to_thread(known.proof, older, head.size, blocks)


async def _block(connection: AsyncConnection, head: Checkpoint, number: int) -> list[bytes]:
    start = number * BLOCK
    return [
        leaf_hash(leaf.encode())
        async for _, _, leaf in access_log.entries(
            connection, head.origin, min(head.size, start + BLOCK), start=start
        )
    ]
