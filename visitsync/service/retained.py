"""What rules need to know of a household, and whether its period has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import IntegrityError
from visitsync.retention import Kept, Rules, due_from
from visitsync.retention.rules import RETENTION_ENDED
from visitsync.service.context import Context
from visitsync.service.placed import open_profile
from visitsync.service.retention_rules import rules_of
from visitsync.store import clock, data_keys, erasures, households
from visitsync.store.erasures import Erasure

_CHILD: Final = "child"
_FULL_DATE: Final = 10


async def days(
    context: Context, connection: AsyncConnection, at: int, only: Collection[str] | None = None
) -> dict[str, dt.date | None]:
    """From which day on each household may be erased, by the rules in force then; None: unknown.

    Args:
        context: of the installation.
        connection: to read with.
        at: the instant as of which the rules are asked.
        only: of these; by default of all.
    """
    rules, today = rules_of(context), clock.day_in_japan(at)
    found = {}
    for household, lasts in (await erasures.last_visits(connection, only)).items():
        last = {program: clock.date(day) for program, day in lasts.items()}
        youngest = None
        if _asks_for_children(rules, last, today):
            youngest = await _youngest(context, connection, household)
        found[household] = due_from(rules, Kept(last, youngest), today)
    return found


async def is_due(context: Context, connection: AsyncConnection, row: Erasure, at: int) -> bool:
    """Whether an erasure's ground still holds: a period may have begun anew with a new report."""
    if row.ground != RETENTION_ENDED:
        return True
    first = (await days(context, connection, at, [row.household])).get(row.household)
    return first is not None and first <= clock.day_in_japan(at)


def _asks_for_children(rules: Rules, last: Mapping[str, dt.date], today: dt.date) -> bool:
    found = (rules.of(program, today) for program in last)
    return any(one is not None and one.until_child_is is not None for one in found)


async def _youngest(
    context: Context, connection: AsyncConnection, household: str
) -> dt.date | None:
    """When the youngest child was born; None where not every child's day is known, or none is."""
    members = (await households.members(connection, [household]))[household]
    keys = context.keyring.opened(await data_keys.of_households(connection, [household]))
    born = []
    try:
        for row in members:
            for person in open_profile(keys, context.keyring, row):
                if person.role == _CHILD:
                    if person.birth_date is None or len(person.birth_date) != _FULL_DATE:
                        return None
                    born.append(dt.date.fromisoformat(person.birth_date))
    except IntegrityError:
        return None  # what cannot be read keeps the household, and doctor tells of it
    return max(born, default=None)
