"""Who looked: an office's mirror of its own records, and a household's in plain words."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
from aiohttp import web

from visitsync.schema.silent import Struct
from visitsync.schema.visit import JST
from visitsync.service import accesses as household_accesses
from visitsync.service import uses as office_uses
from visitsync.service.accesses import Access, Accesses
from visitsync.service.looking_back import Period
from visitsync.service.uses import Uses
from visitsync.web import language
from visitsync.web.api.households import PURPOSE, day
from visitsync.web.api.json_answer import answer
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.language import Language
from visitsync.web.plain_words import told
from visitsync.web.route import Operation, Parameter, Permission, Route


class AccessLine(Struct, frozen=True, kw_only=True):
    """One look at the household, in codes and in words."""

    at: dt.datetime
    date: dt.date
    """The day in Japan."""
    agency: str
    offices: tuple[str, ...]
    roles: tuple[str, ...]
    purpose: str
    categories: tuple[str, ...]
    who: str
    why: str
    seen: tuple[str, ...]
    """Kinds of information."""
    basis: tuple[str, ...]
    said: str
    """All of it as one sentence."""


class HouseholdAccesses(Struct, frozen=True, kw_only=True):
    """Who looked at a household, the newest last."""

    household: str
    from_: dt.date = msgspec.field(name="from")
    to: dt.date
    withheld_for_guardians: bool
    """True where a shield or block is in force: do not hand this over to a guardian."""
    delay_days: int
    """Looks in an emergency or for protection are listed after so many days."""
    accesses: tuple[AccessLine, ...]
    cursor: str | None
    """Where the next page begins; a page may be empty and still have one."""


async def uses(request: web.Request) -> web.Response:
    """Who used the records of the caller's own office."""
    found = await office_uses.uses(
        request.app[CONTEXT],
        request[CALLER],
        request.match_info["office"],
        _period(request),
        request.query.get("cursor") or None,
    )
    return answer(found)


async def accesses(request: web.Request) -> web.Response:
    """Who looked at a household."""
    spoken = language.of(request)
    found = await household_accesses.accesses(
        request.app[CONTEXT],
        request[CALLER],
        request.match_info["household"],
        request.query["purpose"],
        _period(request),
        request.query.get("cursor") or None,
    )
    return answer(_told(found, spoken), spoken)


def _period(request: web.Request) -> Period:
    return Period(
        start=day(request.query.get("from"), "from"), until=day(request.query.get("to"), "to")
    )


def _told(found: Accesses, spoken: Language) -> HouseholdAccesses:
    return HouseholdAccesses(
        household=found.household,
        from_=found.days[0],
        to=found.days[1],
        withheld_for_guardians=found.withheld_for_guardians,
        delay_days=found.delay_days,
        accesses=tuple(_line(one, spoken) for one in found.accesses),
        cursor=found.cursor,
    )


def _line(one: Access, spoken: Language) -> AccessLine:
    words = told(one, spoken)
    return AccessLine(
        at=one.at,
        date=one.at.astimezone(JST).date(),
        agency=one.agency,
        offices=one.offices,
        roles=one.roles,
        purpose=one.purpose,
        categories=one.categories,
        who=words.who,
        why=words.why,
        seen=words.seen,
        basis=words.basis,
        said=words.said,
    )


_DAY: Final = {"type": "string", "format": "date"}
_PERIOD: Final = (
    Parameter(name="from", about="The first day; by default thirty before the last.", schema=_DAY),
    Parameter(name="to", about="The last day, at most a year on; by default today.", schema=_DAY),
    Parameter(name="cursor", about="Of the page before.", schema={"type": "string"}),
)

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/offices/{office}/uses",
        handler=uses,
        permission=Permission("submit"),
        reveals="log",
        query=_PERIOD,
        operation=Operation(
            about="Who used this office's records, when, why, and by which consent or law.",
            answers={200: Uses},
        ),
    ),
    Route(
        method="GET",
        path="/api/v1/households/{household}/accesses",
        handler=accesses,
        permission=Permission("audit"),
        reveals="log",
        query=(PURPOSE, *_PERIOD),
        operation=Operation(
            about="Who looked at a household, in words that a family can read.",
            answers={200: HouseholdAccesses},
        ),
    ),
)
