"""What recording or withdrawing a directive would change: asked before, of the same evaluator.

For every office a report is supposed on each day from which some directive counts or ceases to,
under each registration that some directive names: the rules look at nothing else of a report. So
the answer is that for all reports there could be, and says nothing of which there are.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from visitsync.consent import Instant, Record, Scenario, asked_by, decide, read_scenario
from visitsync.schema.directory import Directory
from visitsync.schema.silent import Struct, silent
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import authority, consents, notices
from visitsync.service.affairs.actors import Actor
from visitsync.service.affairs.looking import look
from visitsync.service.caller import Caller
from visitsync.service.consents import Body
from visitsync.service.context import Context
from visitsync.service.directives import (
    Draft,
    Withdrawal,
    find,
    refuse_unknown_names,
    refuse_unless_theirs,
)
from visitsync.service.directory import known_directory
from visitsync.service.gathering import Gathered, scenario
from visitsync.service.slices import in_slices
from visitsync.store import clock, directory, facts, households
from visitsync.store.facts import Fact

_DAY: Final = dt.timedelta(days=1)
_DRAFT: Final = "draft"
_SLICE: Final = 16
"""Questions, of some tenths of a millisecond each, before others get their turn."""
_NOBODY: Final = "nobody"
"""In whose place every viewer asks, one by one."""

_Sights: TypeAlias = Mapping[tuple[str, str], Mapping[str | None, frozenset[str]]]
"""By viewer and purpose: of each supposed report the visible categories."""


class Reach(Struct, frozen=True, kw_only=True):
    """Categories of one program, for one purpose."""

    purpose: str
    program: str
    categories: tuple[str, ...]


class Affected(Struct, frozen=True, kw_only=True):
    """A member of staff for whom something changes."""

    viewer: str
    name: str | None
    """None where the directory does not know them any more."""
    roles: tuple[str, ...]
    agency: str
    gains: tuple[Reach, ...]
    loses: tuple[Reach, ...]


class Preview(Struct, frozen=True, kw_only=True):
    """What would change; who is not listed sees what they saw before."""

    at: dt.datetime
    """The instant for which it was decided: now, or when the directive begins to hold."""
    needs_second_person: bool
    """Whether nothing changes before somebody else has confirmed it."""
    people: tuple[Affected, ...]


@silent
class _Wanted(NamedTuple):
    """A household's directive as it would be."""

    fact: Fact
    body: Body


async def of_draft(context: Context, caller: Caller, draft: Draft) -> Preview:
    """What recording `draft` would change; nothing is recorded.

    Raises:
        UnknownHousehold: no such household, or not for the caller.
        BadParameter, NotNow: the draft would be refused.
        NotAllowed: the caller may not record directives.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    caller.must("record")

    async def work(gathered: Gathered, _: Actor) -> Preview:
        now = gathered.known.now
        body = consents.body(draft, now)
        consents.refuse_unreadable(body, draft.household, now)
        day = clock.day_in_japan(now)
        authority.refuse_lost(gathered.known.facts, body, draft.grantor, day)
        fact = Fact(consents.KIND, _DRAFT, 1, now, draft.household, consents.written(body))
        async with context.database.reading() as connection:
            await refuse_unknown_names(connection, draft.household, body)
            await notices.refuse_unsigned(connection, body)
            waits = draft.effect == "permit" and await directory.asks_for_second_person(connection)
        return await _previewed(context, gathered, _Wanted(fact, body), waits=waits)

    return await look(
        context, caller, draft.household, work, kind="explained", private={"draft": True}
    )


async def of_withdrawal(
    context: Context, caller: Caller, directive: str, said: Withdrawal
) -> Preview:
    """Who would lose or regain sight of what if a directive were withdrawn; nothing is.

    Raises:
        UnknownHousehold: no such directive, or not for the caller.
        NotNow: it could not be withdrawn so.
        NotAllowed, DatabaseUnavailable: as for `of_draft`.
    """
    caller.must("record")
    async with context.database.reading() as connection:
        found = await find(connection, directive)

    async def work(gathered: Gathered, _: Actor) -> Preview:
        newest = [one for one in gathered.known.facts if one.id == directive]
        fact = max(newest, key=lambda one: one.version, default=found.fact)
        present = found._replace(fact=fact)
        refuse_unless_theirs(present.body, caller, said)
        now = gathered.known.now
        if said.by != present.body["grantor"]:
            day = clock.day_in_japan(now)
            authority.refuse_lost(gathered.known.facts, present.body, said.by, day)
        body = consents.withdrawn(present.body, now)
        version = 1 if fact is None else fact.version + 1
        made = Fact(
            consents.KIND, directive, version, now, present.household, consents.written(body)
        )
        return await _previewed(context, gathered, _Wanted(made, body), waits=False)

    return await look(
        context, caller, found.household, work, kind="explained", private={"directive": directive}
    )


async def _previewed(
    context: Context, gathered: Gathered, wanted: _Wanted, *, waits: bool
) -> Preview:
    household, now = str(wanted.fact.household), gathered.known.now
    async with context.database.reading() as connection:
        stated, cases = await facts.as_known(connection, household, now)
        people = await known_directory(context, connection)
        members = await households.members(connection, [household])
    offices_of = {one.id: one.office for one in members[household]}
    begins = clock.stored_text(wanted.body["valid"]["from"])
    at = max(now, begins)
    before = gathered.known._replace(now=at, facts=stated, cases=cases)
    after = before._replace(facts=[*stated, wanted.fact])
    purposes = wanted.body["purposes"]
    purposes = list(VOCABULARY.purposes) if purposes == "*" else purposes
    raw = scenario(gathered._replace(known=after), _NOBODY, "audit", household)
    records = _supposed(gathered, household, at, raw.get("directives", ()), offices_of)
    scene_after = read_scenario(raw, records)
    scene_before = read_scenario(
        scenario(gathered._replace(known=before), _NOBODY, "audit", household), records
    )
    return Preview(
        at=clock.instant(at),
        needs_second_person=waits,
        people=tuple(
            _affected(
                scene_after,
                people,
                {one.id: one.record.program for one in scene_after.records if one.record},
                await _sights(scene_before, purposes),
                await _sights(scene_after, purposes),
            )
        ),
    )


# ── what is supposed ──────────────────────────────────────────────────────────────────────────────
def _supposed(
    gathered: Gathered,
    household: str,
    at: int,
    directives: Sequence[Mapping[str, Any]],
    offices_of: Mapping[str, str],
) -> dict[str, Record | None]:
    """Reports of every kind that the rules could tell apart."""
    named = {
        (offices_of[one], one)
        for directive in directives
        if isinstance(found := directive.get("registrations"), list)
        for one in found
        if isinstance(one, str) and one in offices_of  # some directive may be unreadable
    }
    named |= {(office, f"{office}/supposed") for office in gathered.offices}
    made: dict[str, Record | None] = {}
    for office, registration in sorted(named):
        known = gathered.offices[office]
        for day in _days(directives):
            name = f"{registration} {day}"
            made[name] = Record(
                id=name,
                version=1,
                recorded_at=Instant.of(at),
                household=household,
                program=known.program,
                office=office,
                commissioner=known.commissioner,
                registration=registration,
                date=day,
            )
    return made


def _days(directives: Iterable[Mapping[str, Any]]) -> list[dt.date]:
    """One day of each stretch over which no directive's data begins or ends."""
    edges: set[dt.date] = set()
    for directive in directives:
        data = directive.get("data")
        for edge in data.values() if isinstance(data, dict) else ():
            try:
                edges.add(dt.date.fromisoformat(edge))
            except (TypeError, ValueError):
                continue  # an open end; what cannot be read concerns every day alike
    days = sorted(edges) or [dt.date(2000, 1, 1)]
    return [days[0] - _DAY, *days] if days[0] > dt.date.min else days


# ── what is compared ──────────────────────────────────────────────────────────────────────────────
async def _sights(scene: Scenario, purposes: Iterable[str]) -> _Sights:
    asked = itertools.product(scene.viewers, purposes)
    return {
        (viewer, purpose): {
            one.record: frozenset(one.visible) for one in decide(asked_by(scene, viewer, purpose))
        }
        async for viewer, purpose in in_slices(asked, _SLICE)
    }


def _affected(
    scene: Scenario,
    directory: Directory,
    programs: Mapping[str | None, str],
    before: _Sights,
    after: _Sights,
) -> Iterable[Affected]:
    names = {one.id: one.name for one in directory.staff}
    agencies = {one.id: one.name for one in directory.agency}
    for viewer in sorted(scene.viewers.values(), key=lambda one: one.id):
        gains = tuple(_reached(viewer.id, before, after, programs))
        loses = tuple(_reached(viewer.id, after, before, programs))
        if gains or loses:
            yield Affected(
                viewer=viewer.id,
                name=names.get(viewer.id),
                roles=tuple(sorted(viewer.roles)),
                agency=agencies.get(viewer.agency, viewer.agency),
                gains=gains,
                loses=loses,
            )


def _reached(
    viewer: str, one: _Sights, other: _Sights, programs: Mapping[str | None, str]
) -> Iterable[Reach]:
    """What `other` shows the viewer of some report and `one` does not."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (who, purpose), seen in other.items():
        if who == viewer:
            for record, visible in seen.items():
                found[purpose, programs[record]] |= visible - one[who, purpose][record]
    for purpose in VOCABULARY.purposes:
        for program in VOCABULARY.programs:
            if more := found.get((purpose, program)):
                categories = tuple(one for one in VOCABULARY.categories if one in more)
                yield Reach(purpose=purpose, program=program, categories=categories)
