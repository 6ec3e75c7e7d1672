"""Placing registrations: known ones where they are, new ones where strong evidence puts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.service.context import Context
from visitsync.service.desk import Desk, Newcomer
from visitsync.service.folding import Folded, distinct, fold, tokens
from visitsync.service.keyring import Keyring, ProfilePlace
from visitsync.service.placed import Arrival, Placed, open_profile, seal_profile
from visitsync.service.reports import Linked
from visitsync.service.slices import in_slices
from visitsync.store import data_keys, facts, households
from visitsync.store.households import Registration, Term

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
    newcomers = await _fold(keyring, [one for one in arrivals if one.id not in known])
    wanted = set().union(*(one.tokens for one in newcomers))
    holders = await households.holders(connection, wanted) if wanted else {}
    near = set().union(*holders.values())
    homes = {one.id: one.household for one in known.values()}
    rows = await data_keys.of_households(connection, near | set(homes.values()))
    placed = Placed(homes=homes, keys=keyring.opened(rows))
    await _refresh(connection, keyring, placed, [one for one in arrivals if one.id in known], known)
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


async def _fold(keyring: Keyring, arrivals: Sequence[Arrival]) -> list[Newcomer]:
    found = []
    async for one in in_slices(arrivals, _SLICE):
        folded = _folded(one)
        found.append(Newcomer(one, folded, tokens(keyring, folded.terms)))
    return found


def _folded(one: Arrival) -> Folded:
    return fold(one.id, one.office, one.program, one.persons)


async def store(connection: AsyncConnection, placed: Placed, at: int) -> None:
    """Store what `place` worked out, and the keys made since."""
    await households.add(connection, placed.new_households, at)
    await households.add_registrations(connection, placed.new_registrations, placed.links)
    await households.open_reviews(connection, placed.reviews)
    await households.set_profiles(connection, placed.profiles)
    await households.add_terms(connection, placed.terms)
    await data_keys.add(connection, placed.new_keys)


async def _refresh(
    connection: AsyncConnection,
    keyring: Keyring,
    placed: Placed,
    arrivals: Iterable[Arrival],
    known: Mapping[str, Registration],
) -> None:
    """Add new forms of persons to the profiles of known registrations; their links stay."""
    changed: dict[str, Folded] = {}
    async for arrival in in_slices(arrivals, _SLICE):
        row = known[arrival.id]
        persons = open_profile(placed.keys, keyring, row)
        together = distinct((*arrival.persons, *persons))
        if len(together) == len(persons):
            continue
        edition = row.edition + 1
        sealed = seal_profile(
            placed, keyring, ProfilePlace(row.household, row.id, edition), together
        )
        placed.profiles[row.id] = (edition, sealed)
        changed[row.id] = _folded(arrival._replace(persons=together))
    if changed:
        there = await households.terms_of(connection, changed)
        for one, folded in changed.items():
            found = {Term(token, one) for token in tokens(keyring, folded.terms)}
            placed.terms.update(found - there)
