"""A household's mirror: who looked at it, for auditors and the protection officer.

They read it out, or hand it to the family, so looks that must not be known yet are left out: those
under a break-glass grant and those for protection, until a number of days have passed. Whether the
list may be handed to a guardian at all is said with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple

from visitsync.consent import guards
from visitsync.errors import BadParameter, NotAllowed, UnknownHousehold
from visitsync.schema.silent import Struct, silent
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import authority, looking_back
from visitsync.service.affairs.actors import Beside, beside
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import is_household
from visitsync.service.looking_back import Past, Period
from visitsync.service.registry import Office
from visitsync.service.writing import Change, change
from visitsync.store import clock, directory, facts, households

_MOST: Final = 100
"""Looks on a page."""
_PURPOSES: Final = ("audit", "protection")
_ROLES: Final = ("auditor", "protection_officer")
_BREAK_GLASS: Final = "C6"
_PROTECTION: Final = "protection"
_DAY: Final = 24 * 60 * 60 * 1_000_000
"""In stored time."""


class Access(Struct, frozen=True, kw_only=True):
    """One look at the household."""

    at: dt.datetime
    agency: str
    """Its name."""
    offices: tuple[str, ...]
    """Names of the program offices of whose staff the viewer was."""
    roles: tuple[str, ...]
    purpose: str
    kind: str
    """``list_read``: in the list of a search; ``timeline_read``: the visits."""
    bases: tuple[tuple[str, str], ...]
    """Rule and ref of what allowed it."""
    categories: tuple[str, ...]
    """What kinds of information were seen; none where only the offices to ask were named."""


@silent
class Accesses(NamedTuple):
    """A page of a household's mirror, the newest last."""

    household: str
    days: tuple[dt.date, dt.date]
    accesses: tuple[Access, ...]
    withheld_for_guardians: bool
    delay_days: int
    cursor: str | None


async def accesses(  # noqa: PLR0913, PLR0917 -- who, of whom, why, when, from where on
    context: Context,
    caller: Caller,
    household: str,
    purpose: str,
    period: Period,
    cursor: str | None = None,
) -> Accesses:
    """Who looked at a household; the reading is logged first.

    Raises:
        NotAllowed: the caller is neither an auditor nor the protection officer, or the purpose is
            not one of their role.
        UnknownHousehold: there is no such household, or a block hides it from the caller; that is
            logged too.
        BadParameter: a purpose that is not for this, a period too long or turned round, or a
            cursor of another list.
    """
    caller.must("audit")
    if purpose not in _PURPOSES:
        raise BadParameter("must be audit or protection", where="purpose")
    async with change(context, caller) as made:
        found = await beside(context, made.connection, caller, household, _ROLES)
        if not any(purpose in VOCABULARY.purposes_of_role[one] for one in found.actor.roles):
            raise NotAllowed("This purpose is another role's")
        days = period.days(made.at)
        known = await _is_known(made, found, household)
        await made.log(
            caller,
            "accesses_read" if known else "denied",
            household=household if known else None,
            private={
                "household": household,
                "from": days[0].isoformat(),
                "to": days[1].isoformat(),
            },
            public={"decision": "shown" if known else "refused", "purpose": purpose},
        )
    if not known:
        raise UnknownHousehold("No such household, or none for you")
    return await _read(context, household, days, cursor, made.at)


async def _is_known(made: Change, found: Beside, household: str) -> bool:
    """Whether there is such a household and no block names the caller as a person.

    A block that cannot be read does not count here: who looked is how its harm is found out.
    """
    there = is_household(household) and await households.exists(made.connection, household)
    return there and f"viewer:{found.actor.id}" not in guards(found.scenario).hidden_from


async def _read(
    context: Context,
    household: str,
    days: tuple[dt.date, dt.date],
    cursor: str | None,
    now: int,
) -> Accesses:
    times = looking_back.stored_times(days)
    async with context.database.reading() as connection:
        found = await looking_back.page(connection, [household], times, cursor, _MOST)
        past = await looking_back.opened(context, connection, found.rows)
        delay = context.settings.accesses_delay_days
        told = [one for one in past if not _must_wait(one) or one.at + delay * _DAY <= now]
        lookers = await looking_back.lookers(connection, told)
        agencies = await directory.agency_names(connection)
        offices = await context.registry.offices_now(connection)
        guarded = await looking_back.guarded(connection, [household])
        stated = await facts.of_household(connection, household)
    return Accesses(
        household=household,
        days=days,
        accesses=tuple(
            _access(one, lookers.at(one.viewer, one.at), agencies, offices) for one in told
        ),
        withheld_for_guardians=guarded[household].any
        or authority.keeps_away(stated.values(), clock.day_in_japan(now)),
        delay_days=delay,
        cursor=found.cursor,
    )


def _must_wait(one: Past) -> bool:
    """Whether the family may not know of it yet: that would undo what it was for."""
    return one.purpose == _PROTECTION or any(rule == _BREAK_GLASS for rule, _ in one.bases)


def _access(
    one: Past,
    looker: looking_back.Looker,
    agencies: dict[str, str],
    offices: Mapping[str, Office],
) -> Access:
    return Access(
        at=clock.instant(one.at),
        agency=agencies.get(looker.agency, looker.agency),
        offices=tuple(offices[each].name for each in looker.offices if each in offices),
        roles=looker.roles,
        purpose=one.purpose,
        kind=one.kind,
        bases=one.bases,
        categories=one.categories,
    )
