"""A household that the council and a child guidance centre may have to do with."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from build import LABELS, NURSES, OPERATOR
from service.protected import CHIEF, PROTECTOR, WORKER, a_home, as_staff

from visitsync.errors import UnknownHousehold
from visitsync.schema.directory import Agency, Staff
from visitsync.service import council, directory, invocations
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.council import CaseDraft
from visitsync.service.directory import Wanted
from visitsync.service.invocations import InvocationDraft
from visitsync.service.timelines import view
from visitsync.store import epochs

GUIDE, GUIDES_CHIEF, NURSE = map(as_staff, ("guide", "guides_chief", "nurse"))
CENTRE = "agency:cgc"
PROTECTION = "protection"
REASON = "一時保護の要否を調べるため"


async def a_lawful_home(context: Context) -> str:
    """The household; the centre's worker and the nurses sit in the council."""
    home = await a_home(context)
    known = await directory.current(context)
    offices = tuple(
        msgspec.structs.replace(one, in_council=True) if one.id == NURSES else one
        for one in known.office
    )
    staff = (
        *known.staff,
        Staff(id="guide", name="福祉 一子", role="case_worker", agency="cgc", council_member=True),
        Staff(id="guides_chief", name="福祉 二子", role="supervisor", agency="cgc"),
        Staff(
            id="nurse",
            name="看護 三子",
            role="program_office",
            agency="city",
            office=NURSES,
            council_member=True,
        ),
    )
    agency = (*known.agency, Agency(id="cgc", name="児童相談所", kind="public"))
    wanted = msgspec.structs.replace(known, agency=agency, office=offices, staff=staff)
    await directory.apply(context, OPERATOR, Wanted(directory=wanted, households=LABELS))
    return home


async def a_case(context: Context, home: str, *members: str, **said: Any) -> str:
    """Record a council case; answers its id."""
    draft = CaseDraft(members=members or (CENTRE,), **said)
    return (await council.record(context, PROTECTOR, home, draft)).id


def a_draft(**changed: Any) -> InvocationDraft:
    """The child guidance centre asks what is recorded about a child."""
    parts: dict[str, Any] = {
        "basis": "child_abuse_13_4",
        "recipients": (CENTRE,),
        "categories": ("services", "notes", "contact", "identity"),
        "valid_until": dt.datetime.now(dt.UTC) + dt.timedelta(days=90),
        "reason": REASON,
    }
    return InvocationDraft(**{**parts, **changed})


async def requested(context: Context, home: str, caller: Caller = WORKER, **changed: Any) -> str:
    """Ask for an invocation; answers its id."""
    return (await invocations.ask(context, caller, home, a_draft(**changed))).id


async def invoked(
    context: Context, home: str, caller: Caller = WORKER, by: Caller = CHIEF, **changed: Any
) -> str:
    """Ask and approve."""
    one = await requested(context, home, caller, **changed)
    await invocations.approve(context, by, one)
    return one


async def reached(
    context: Context, caller: Caller, home: str, purpose: str = PROTECTION
) -> set[tuple[str, str]]:
    """Rule and category of all that somebody sees; empty where there is no household for them."""
    try:
        seen = await view(context, caller, home, purpose)
    except UnknownHousehold:
        return set()
    return {(why.rule, why.category) for entry in seen.entries for why in entry.why}


async def stop_the_clock(context: Context) -> None:
    """From now on everything happens at one instant, which the log saw an hour ahead."""
    async with context.database.writing() as connection:
        await connection.execute(sa.text("UPDATE log_head SET last_at = last_at + 3600000000"))


async def epoch(context: Context, home: str) -> int:
    """The household's."""
    scope = epochs.of_household(home)
    async with context.database.reading() as connection:
        return (await epochs.read(connection, [scope]))[scope]


async def bodies(context: Context, kind: str) -> list[dict[str, Any]]:
    """What the versions of facts of a kind say, in order."""
    async with context.database.reading() as connection:
        asked = sa.text("SELECT body FROM fact WHERE kind = :kind ORDER BY recorded_at, version")
        rows = (await connection.execute(asked, {"kind": kind})).all()
    return [msgspec.json.decode(row.body, type=dict[str, Any]) for row in rows]
