"""The proof of one entry's place in the access log, as a file that checks without us."""

from __future__ import annotations

from visitsync.audit import GrowingPath, PlaceProof, encode_place, leaf_hash
from visitsync.errors import BadParameter, LogBroken
from visitsync.service.auditors import must_audit
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import change
from visitsync.store import access_log


async def prove(context: Context, caller: Caller, shard: str, seq: int) -> bytes:
    """A C2SP proof file of the entry `seq` of a year's log, under its newest signed head.

    That it is asked for is logged before the log is read.

    Raises:
        NotAllowed: the token is not good for auditing, or the role on file is another one.
        BadParameter: there is no such year, or no such entry in it.
        LogBroken: the log's head is not what was signed, or entries are missing.
        SignerError: the signer cannot sign.
    """
    caller.must("audit")
    async with change(context, caller) as made:
        await must_audit(made, caller)
        await made.log(caller, "log_read", private={"about": "proof"}, public={"purpose": "audit"})
    await context.log.signing.cover()
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        heads = {one: (size, note) for one, size, note in await access_log.years(connection)}
        heads[head.shard] = (head.signed, head.note)
        if shard not in heads:
            raise BadParameter("no log of such a year", where="shard")
        size, note = heads[shard]
        if not 0 <= seq < size:
            raise BadParameter("no entry at this place", where="seq")
        path, line = GrowingPath(size, seq), None
        async for place, _, leaf in access_log.entries(connection, shard, size):
            path.append(leaf_hash(leaf.encode()))
            if place == seq:
                line = leaf.encode()
    if line is None:
        raise LogBroken("An entry of the access log was taken away", where=shard)
    return encode_place(PlaceProof(line=line, index=seq, path=path.path(), note=note))
