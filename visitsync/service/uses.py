"""An office's mirror: who used its records, when and why.

An office learns the agency and role of who looked, never their name: it needs to know that its
work is used rightly, and a name would tell a violent relative at the office whom to press. Of a
household with a shield the agency is left out too, because one near a new home tells where that
is. A household with a block against the office, its agency or any person is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.consent import Guards
from visitsync.errors import NotAllowed
from visitsync.schema.silent import Struct
from visitsync.service import consents, looking_back
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.keyring import RECORDS, VisitPlace, held
from visitsync.service.looking_back import Lookers, Past, Period
from visitsync.service.registry import Office
from visitsync.service.writing import change
from visitsync.store import clock, data_keys, directory, facts, households, visits
from visitsync.store.access_log import Row
from visitsync.store.visits import Stored

_MOST: Final = 100
"""Looks on a page."""


class Use(Struct, frozen=True, kw_only=True):
    """One look at an office's records."""

    at: dt.datetime
    agency: str | None
    """The name of the viewer's agency; null where the household is shielded."""
    roles: tuple[str, ...]
    purpose: str
    basis: tuple[str, ...]
    """By which rule, with the consent (id@version) or law."""
    records: int
    """How many of the office's records were seen."""
    cases: tuple[str, ...]
    """The office's own case numbers."""


class Uses(Struct, frozen=True, kw_only=True):
    """A page of an office's mirror, the newest last."""

    office: str
    from_: dt.date = msgspec.field(name="from")
    to: dt.date
    uses: tuple[Use, ...]
    cursor: str | None
    """Where the next page begins; a page may be empty and still have one."""


async def uses(
    context: Context, caller: Caller, office: str, period: Period, cursor: str | None = None
) -> Uses:
    """Who used the records of an office; the reading is logged first.

    Raises:
        NotAllowed: the token is not this office's own.
        BadParameter: a period that is too long or turned round, or a cursor of another list.
    """
    caller.must("submit")
    if (caller.kind, caller.id) != ("office", office):
        raise NotAllowed("The token is another office's")
    async with change(context, caller) as made:
        days = period.days(made.at)
        await made.log(
            caller,
            "uses_read",
            private={"from": days[0].isoformat(), "to": days[1].isoformat()},
            public={"office": office, "purpose": "audit"},
        )
    async with context.database.reading() as connection:
        homes = await households.of_office(connection, office)
        times = looking_back.stored_times(days)
        found = await looking_back.page(connection, homes, times, cursor, _MOST)
        made_of = await _written(context, connection, office, found.rows)
    return Uses(
        office=office,
        from_=days[0],
        to=days[1],
        uses=tuple(made_of),
        cursor=found.cursor,
    )


# ── writing ───────────────────────────────────────────────────────────────────────────────────────
async def _written(
    context: Context, connection: AsyncConnection, office: str, rows: Sequence[Row]
) -> list[Use]:
    past = await looking_back.opened(context, connection, rows)
    known = (await context.registry.offices_now(connection))[office]
    own = await visits.of_office(connection, office, {each for one in past for each in one.records})
    seen = [one for one in past if any(each in own for each in one.records)]
    guards = await looking_back.guarded(connection, [one.household for one in seen])
    items = {f"office:{office}", f"agency:{known.agency}"}
    told = [one for one in seen if not guards[one.household].may_concern(items)]
    writer = _Writer(
        office=known,
        own=own,
        cases=await _case_numbers(context, connection, own.values()),
        guards=guards,
        lookers=await looking_back.lookers(connection, told),
        agencies=await directory.agency_names(connection),
        sources=await _sources(connection, told),
    )
    return [writer.use(one) for one in told]


class _Writer(Struct, frozen=True, kw_only=True):
    """What one look is written from."""

    office: Office
    own: Mapping[str, Stored]
    cases: Mapping[str, str]
    """The case number of each of the office's reports that has one."""
    guards: Mapping[str, Guards]
    lookers: Lookers
    agencies: Mapping[str, str]
    sources: Mapping[str, Collection[str]]
    """By directive as ``id@version``, of which programs and offices it speaks."""

    def use(self, one: Past) -> Use:
        """A look as the office is told of it."""
        seen = [each for each in one.records if each in self.own]
        looker = self.lookers.at(one.viewer, one.at)
        shielded = self.guards[one.household].shielded
        return Use(
            at=clock.instant(one.at),
            agency=None if shielded else self.agencies.get(looker.agency),
            roles=looker.roles,
            purpose=one.purpose,
            basis=tuple(f"{rule} {ref}" for rule, ref in one.bases if self._is_ours(rule, ref)),
            records=len(seen),
            cases=tuple(sorted({self.cases[each] for each in seen if each in self.cases})),
        )

    def _is_ours(self, rule: str, ref: str) -> bool:
        """Whether what allowed a look can have allowed it for this office's records.

        The entry names all that allowed something of the whole look; what allowed only another
        office's records would tell that there is one.
        """
        ours = {f"office:{self.office.id}", f"program:{self.office.program}"}
        if rule in {"C1", "C2"}:
            return ref in ours
        if rule == "C3":
            return not ours.isdisjoint(self.sources.get(ref, ()))
        return True


async def _case_numbers(
    context: Context, connection: AsyncConnection, reports: Collection[Stored]
) -> dict[str, str]:
    """The case numbers that the office itself wrote, one report of each registration opened."""
    stored = await data_keys.of_households(connection, {one.household for one in reports})
    keys = context.keyring.opened(stored)
    by_registration: dict[str, str | None] = {}
    for one in reports:
        if one.registration not in by_registration:
            key = held(keys, (one.household, one.program, RECORDS))
            place = VisitPlace(one.household, one.program, one.id, one.revision)
            line = context.keyring.open_visit(key, place, one.sealed, one.key_version)
            by_registration[one.registration] = _NUMBERED.decode(line).case_no
    numbers = {one.id: by_registration[one.registration] for one in reports}
    return {report: number for report, number in numbers.items() if number is not None}


class _Numbered(Struct, frozen=True):
    case_no: str | None = None


_NUMBERED: Final = msgspec.json.Decoder(_Numbered)


async def _sources(connection: AsyncConnection, past: Sequence[Past]) -> dict[str, Collection[str]]:
    cited = {ref for one in past for rule, ref in one.bases if rule == "C3"}
    ids = {one.partition("@")[0] for one in cited}
    found: dict[str, Collection[str]] = {}
    for fact in await facts.history(connection, consents.KIND, ids):
        body = consents.readable(fact.body, str(fact.household)) or {}
        found[f"{fact.id}@{fact.version}"] = body.get("sources", ())
    return found
