"""Letting protections count where they must: in doubt, and for each half of what was split.

A shielded household is joined by a person only; until somebody decides, a new report about the same
family stands in a household of its own. It must not tell there what the shield hides here. So it
begins with every shield and block of those it may belong to, and is reached by each that is begun
for one of them while it waits. If it turns out to be another family, two people end them like any
other. Whoever calls holds the log's head, so that neither slips past the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.service import carrying
from visitsync.service.carrying import Doubts, Move, Said, Waiting
from visitsync.service.ids import new_id
from visitsync.store import epochs, facts, households
from visitsync.store.facts import Fact
from visitsync.store.households import Review

_CANDIDATES: Final = msgspec.json.Decoder(tuple[str, ...])


async def shelter(
    connection: AsyncConnection, reviews: Sequence[Review], homes: Mapping[str, str], at: int
) -> None:
    """Put the households of what waits for review under the protections of their candidates.

    Args:
        connection: in a transaction that holds the log's head.
        reviews: of new registrations; they are stored already.
        homes: by new registration, its household.
        at: the instant from which the copies are recorded.
    """
    if not reviews:
        return
    doubts = await _doubts(connection)
    beside = {
        home: doubts.may_belong_to(home) for home in {homes[one.registration] for one in reviews}
    }
    standing = await facts.protecting(connection, set(beside).union(*beside.values()))
    for home, others in sorted(beside.items()):
        theirs = (said for one in sorted(others) for said in _said(standing.get(one, ())))
        own = _said(standing.get(home, ()))
        await _stand(connection, home, carrying.for_household_in_doubt(own, theirs), at)


async def reach(connection: AsyncConnection, begun: Fact) -> list[Fact]:
    """Let a shield or block that was just begun count for the households in doubt beside its own.

    Args:
        connection: in a transaction that holds the log's head.
        begun: as it was added.

    Returns:
        Its copies.
    """
    doubts = await _doubts(connection)
    said = _said([begun])
    copies = []
    for home in sorted(doubts.reached(str(begun.household))):
        copies += await _stand(connection, home, said, begun.recorded_at)
    return copies


async def hand_over(connection: AsyncConnection, whole: str, half: str, at: int) -> None:
    """Give a household that was taken out of another one all that protects that one."""
    standing = (await facts.of_household(connection, whole)).values()
    await _stand(connection, half, carrying.for_half(_said(standing)), at)


async def _doubts(connection: AsyncConnection) -> Doubts:
    waiting = await households.in_doubt(connection)
    return Doubts(
        [Waiting(home, _CANDIDATES.decode(candidates)) for home, candidates in waiting],
        [Move(*one) for one in await households.moves(connection)] if waiting else (),
    )


def _said(standing: Iterable[Fact]) -> list[Said]:
    return [Said(one.kind, one.body) for one in standing]


async def _stand(
    connection: AsyncConnection, home: str, copied: Iterable[Said], at: int
) -> list[Fact]:
    """Record them for a household, each as a fact of its own."""
    made = [Fact(one.kind, new_id(one.kind[0]), 1, at, home, one.body) for one in copied]
    await facts.add(connection, made)
    await epochs.bump(connection, {epochs.of_household(home)} if made else ())
    return made
