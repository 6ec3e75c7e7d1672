"""Blocks (harm proviso, 個人情報保護法69条2項ただし書, C8): who must not see a family."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.service import measures, sheltering
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import OFFICER, PROTECTOR, SUPERVISOR, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.measures import BLOCK, RecordedMeasure
from visitsync.service.writing import About, change
from visitsync.store import clock, directory

RECORDERS: Final = (OFFICER, SUPERVISOR, PROTECTOR)


class BlockDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A block before it is recorded."""

    who: tuple[str, ...]
    """``viewer:ID``, ``office:ID``, ``agency:ID``, each of the directory."""
    from_: dt.datetime | None = msgspec.field(name="from", default=None)
    """None: from the instant it is recorded."""


async def record(
    context: Context, caller: Caller, household: str, draft: BlockDraft
) -> RecordedMeasure:
    """Begin a block; two people end it (`closing`), its date never does.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it.
        BadParameter: the rules could not read it, or it names nobody or somebody unknown.
        NotAllowed: the caller's role records none.
    """
    caller.must("record")
    async with refusing(context, caller, "block", household), change(context, caller) as made:
        found = await beside(context, made.connection, caller, household, RECORDERS)
        await knowing.must_know(made.connection, found)
        await _refuse_unknown(made.connection, draft.who)
        body: measures.Body = {
            "who": list(draft.who),
            "from": clock.written(made.at) if draft.from_ is None else draft.from_.isoformat(),
            "until": None,
            "closed_at": None,
        }
        fact = await measures.add(made, measures.first(BLOCK, household), body)
        begun = (fact, *await sheltering.reach(made.connection, fact))
        await made.log_each(
            caller,
            "block_recorded",
            [
                About(
                    one.household,
                    {"household": one.household, "who": list(draft.who)},
                    {"basis": f"{one.id}@1"},
                )
                for one in begun
            ],
        )
    return measures.recorded(fact)


async def _refuse_unknown(connection: AsyncConnection, who: tuple[str, ...]) -> None:
    """A slip in a name would leave the family open to the very person it is hidden from."""
    rows = await directory.read(connection, with_ended=True)
    known = {f"viewer:{one['id']}" for one in rows.staff}
    known |= {f"office:{one['id']}" for one in rows.offices}
    known |= {f"agency:{one['id']}" for one in rows.agencies}
    if not who or not known.issuperset(who):
        raise BadParameter("names nobody, or somebody who is not in the directory", where="who")
