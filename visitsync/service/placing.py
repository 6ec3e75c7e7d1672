"""Placing registrations: known ones where they are, new ones where strong evidence puts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.service import new_keys
from visitsync.service.context import Context
from visitsync.service.desk import Desk, Newcomer
from visitsync.service.folding import Folded, distinct, fold
from visitsync.service.keyring import Keyring, ProfilePlace
from visitsync.service.placed import Arrival, Placed, open_profile, seal_profile
from visitsync.service.reports import Linked
from visitsync.service.slices import in_slices
from visitsync.service.terms import Indexes, indexes
from visitsync.store import data_keys, facts, households
from visitsync.store.households import Registration

COUNTED: Final = {"same": "linked", "new": "new", "review": "review"}
_SLICE: Final = 16
"""Registrations folded or compared before others get their turn."""


async def place(
    context: Context, connection: AsyncConnection, arrivals: Sequence[Arrival], at: int
) -> Placed:
    """Work out where each registration belongs; stores nothing.

    Args:
        context: of the installation.
        connection: in the transaction that holds the intake.
        arrivals: each registration once.
        at: the present instant.
    """
    keyring = context.keyring
    known = await households.registrations(connection, [one.id for one in arrivals])
    index = await indexes(connection, keyring)
    newcomers = await _fold(index, [one for one in arrivals if one.id not in known])
    wanted = set().union(*(one.tokens for one in newcomers))
    holders = await households.holders(connection, wanted) if wanted else {}
    near = set().union(*holders.values())
    homes = {one.id: one.household for one in known.values()}
    rows = await data_keys.of_households(connection, near | set(homes.values()))
    placed = Placed(homes=homes, keys=keyring.opened(rows))
    await _refresh(connection, keyring, placed, arrivals, known)
    if not newcomers:
        return placed
    desk = Desk(
        context,
        placed,
        holders,
        members=await households.members(connection, near),
        guarded=await facts.with_facts(connection, "shield", near),
    )
    counts = dict.fromkeys(Linked.__struct_fields__, 0)
    async for newcomer in in_slices(newcomers, _SLICE):
        counts[COUNTED[desk.place(newcomer, at).verdict]] += 1
    placed.linked = Linked(**counts)
    return placed


async def _fold(index: Indexes, arrivals: Sequence[Arrival]) -> list[Newcomer]:
    found = []
    async for one in in_slices(arrivals, _SLICE):
        folded = _folded(one)
        stored = index.stored(folded.terms, one.id)
        found.append(Newcomer(one, folded, index.sought(folded.terms), stored))
    return found


def _folded(one: Arrival) -> Folded:
    return fold(one.id, one.office, one.program, one.persons)


async def store(connection: AsyncConnection, keyring: Keyring, placed: Placed, at: int) -> None:
    """Store what `place` worked out, and the keys made since."""
    await households.add(connection, placed.new_households, at)
    await households.add_registrations(connection, placed.new_registrations, placed.links)
    await households.open_reviews(connection, placed.reviews)
    await households.set_profiles(connection, placed.profiles)
    await households.add_terms(connection, placed.terms)
    await new_keys.store(connection, keyring, placed.new_keys)


async def _refresh(
    connection: AsyncConnection,
    keyring: Keyring,
    placed: Placed,
    arrivals: Iterable[Arrival],
    known: Mapping[str, Registration],
) -> None:
    """Add new forms of persons to the profiles of known registrations; their links stay."""
    changed: dict[str, Folded] = {}
    async for arrival in in_slices([one for one in arrivals if one.id in known], _SLICE):
        row = known[arrival.id]
        persons = open_profile(placed.keys, keyring, row)
        together = distinct((*arrival.persons, *persons))
        if len(together) == len(persons):
            continue
        place = ProfilePlace(row.household, row.id, row.edition + 1)
        placed.profiles[row.id] = seal_profile(placed, keyring, place, together)
        changed[row.id] = _folded(arrival._replace(persons=together))
    if changed:
        there = await households.terms_of(connection, changed)
        index = await indexes(connection, keyring)
        for one, folded in changed.items():
            placed.terms.update(index.stored(folded.terms, one) - there)
