"""Undoing a link: a registration leaves its household for a new one, and nothing is lost.

Rights never move with it. The new household begins with every refusal, shield and block of the old
one, and without its consents, caseloads, council cases, invocations and grants: those a person
gives anew. That a person said "not the same" is kept for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter
from visitsync.service import entries, new_keys, sheltering
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import new_id
from visitsync.service.keyring import LOG, RECORDS, ProfilePlace, VisitPlace, held
from visitsync.service.placed import Placed, open_profile, seal_profile
from visitsync.service.placing import COUNTED
from visitsync.service.reports import Linked
from visitsync.service.slices import in_slices
from visitsync.service.writing import Change, change
from visitsync.store import data_keys, epochs, households, visits
from visitsync.store.households import Link, Registration


async def undo(context: Context, caller: Caller, registration: str) -> str:
    """Take a registration out of its household; answers the new household it stands in.

    Its visits and what is known of its persons are sealed anew in the same transaction.

    Raises:
        BadParameter: no such registration, or it stands alone already.
        NotAllowed: the caller may not decide on links.
        Tampered: a stored record is not what was written; nothing was changed.
    """
    caller.must("operate")
    async with change(context, caller, placing=True) as made:
        connection = made.connection
        row = (await households.registrations(connection, [registration])).get(registration)
        if row is None:
            raise BadParameter("There is no such registration", where="registration")
        beside = [
            one.id
            for one in (await households.members(connection, [row.household]))[row.household]
            if one.id != registration
        ]
        if not beside:
            raise BadParameter("It stands alone in its household already", where="registration")
        home = await _move(context, connection, row, made.at, entries.actor_of(caller))
        await households.set_apart(
            connection, [(registration, one) for one in beside], entries.actor_of(caller), made.at
        )
        await sheltering.hand_over(connection, row.household, home, made.at)
        await epochs.bump(connection, {epochs.of_household(one) for one in (row.household, home)})
        await _log(made, caller, row, home)
    return home


async def standing(context: Context, caller: Caller) -> Linked:
    """How all registrations were placed: for the operator, since it tells what others have.

    Raises:
        NotAllowed: the caller is not the operator.
    """
    caller.must("operate")
    async with context.database.reading() as connection:
        found = await households.verdicts(connection)
    counts = dict.fromkeys(Linked.__struct_fields__, 0)
    for verdict, count in found.items():
        counts[COUNTED.get(verdict, "new")] += count
    return Linked(**counts)


async def _move(
    context: Context, connection: AsyncConnection, row: Registration, at: int, by: str
) -> str:
    home = new_id("h")
    keyring = context.keyring
    rows = await data_keys.of_households(connection, [row.household])
    placed = Placed(homes={row.id: home}, keys=keyring.opened(rows))
    placed.key((home, "", LOG))
    persons = open_profile(placed.keys, keyring, row)
    profile = seal_profile(placed, keyring, ProfilePlace(home, row.id, row.edition + 1), persons)
    stored = await visits.of_registration(connection, row.id)
    sealed = await _sealed_anew(context, placed, stored, home)
    await households.add(connection, [home], at)
    await new_keys.store(connection, keyring, placed.new_keys)
    await visits.move(connection, home, sealed)
    link = Link(
        id=new_id("k"),
        registration=row.id,
        household=home,
        from_at=at,
        until_at=None,
        verdict="undone",
        decided_by=by,
        rules="person",
        evidence="",
    )
    await households.relink(connection, link, profile)
    return home


async def _sealed_anew(
    context: Context, placed: Placed, stored: Sequence[visits.Stored], home: str
) -> Mapping[tuple[str, int], visits.Sealed]:
    keyring = context.keyring
    sealed = {}
    async for one in in_slices(stored):
        old = VisitPlace(one.household, one.program, one.id, one.revision)
        line = keyring.open_visit(
            held(placed.keys, (one.household, one.program, RECORDS)),
            old,
            one.sealed,
            one.key_version,
        )
        key = placed.key((home, one.program, RECORDS))
        anew = keyring.seal_visit(key, old._replace(household=home), line)
        sealed[one.id, one.revision] = visits.Sealed(anew, key.version)
    return sealed


async def _log(made: Change, caller: Caller, row: Registration, home: str) -> None:
    await made.log(
        caller,
        "unlink",
        household=home,
        private={"from": row.household, "to": home, "registration": row.id},
        public={"office": row.office, "program": row.program},
    )
