"""A registration in doubt takes over what protects the households it may belong to.

A shielded household is joined by a person only; until somebody decides, a new report about the same
family stands in a household of its own. It must not tell there what the shield hides here, so its
household begins with every shield and block that stands for a candidate. If it turns out to be
another family, two people end them like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.service.ids import new_id
from visitsync.store import epochs, facts
from visitsync.store.facts import Fact
from visitsync.store.households import Review

_CANDIDATES: Final = msgspec.json.Decoder(tuple[str, ...])


async def shelter(
    connection: AsyncConnection, reviews: Sequence[Review], homes: Mapping[str, str], at: int
) -> None:
    """Copy shields and blocks from candidates to the households of what waits for review.

    Args:
        connection: in a transaction that holds the log's head.
        reviews: of new registrations.
        homes: by new registration, its household.
        at: the instant from which the copies are recorded.
    """
    candidates = {one.registration: _CANDIDATES.decode(one.candidates) for one in reviews}
    wanted = set().union(*candidates.values())
    standing = await facts.protecting(connection, wanted) if wanted else {}
    copied = [
        Fact(fact.kind, new_id(fact.kind[0]), 1, at, homes[registration], fact.body)
        for registration, households in candidates.items()
        for household in households
        for fact in standing.get(household, ())
        if not _is_closed(fact)
    ]
    await facts.add(connection, copied)
    await epochs.bump(connection, {epochs.of_household(str(one.household)) for one in copied})


def _is_closed(fact: Fact) -> bool:
    body: dict[str, Any] = msgspec.json.decode(fact.body)
    return body.get("closed_at") is not None
