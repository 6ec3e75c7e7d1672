"""Gathering what a decision rests on: facts with their epochs, then the visits; then deciding.

The epochs are read in the same statement as the facts, and before the visits. They are looked at
again when the look is logged, so what changed in between cannot be missed.

Visits that are hidden from who asks whatever they say are not even read, so that no answer takes
longer the more of them there are: its time would tell what it does not. The facts of a household
must be read to know that; where nothing is found, facts of nobody are read beside fewer of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.consent import (
    Decision,
    Instant,
    Record,
    Scenario,
    decide,
    guards,
    reach,
    read_scenario,
    with_records,
    without_acknowledgement,
)
from visitsync.schema.silent import silent
from visitsync.schema.visit import JST
from visitsync.service import authority, nobody
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.keyring import LOG, RECORDS, DataKey, Place, held
from visitsync.service.registry import Office
from visitsync.store import clock, data_keys, epochs, facts, visits
from visitsync.store.facts import VIEWER, Case, Fact, Known
from visitsync.store.visits import Stored, Within

_LISTS: Final = {
    "directive": "directives",
    "council_case": "council_cases",
    "invocation": "invocations",
    "break_glass": "break_glass",
    "shield": "shields",
    "block": "blocks",
}
"""Where a fact of each kind stands in a scenario."""


@silent
class _Scene(NamedTuple):
    """A question with its facts as the rules read them, and what they were read from."""

    known: Known
    read: Scenario


@silent
class Gathered(NamedTuple):
    """All that is known for one question, or for one question about each of several households."""

    known: Known
    offices: Mapping[str, Office]
    visits: Sequence[Stored]
    """By household, id and revision."""
    keys: Mapping[Place, DataKey]
    households: tuple[str, ...] = ()
    """About which."""
    scenes: Mapping[tuple[str, str, str], _Scene] = MappingProxyType({})
    """What was read already, by viewer, purpose and household."""

    def of(self, household: str) -> list[Stored]:
        """The visits of one household."""
        return [one for one in self.visits if one.household == household]


async def gather(
    context: Context, caller: Caller, households: Collection[str], purpose: str | None = None
) -> Gathered:
    """Read what is needed to decide and to open.

    Args:
        context: of the installation.
        caller: who asks.
        households: about which.
        purpose: what for, to leave out visits that are hidden from the caller then; None leaves out
            nothing.
    """
    async with context.database.reading() as connection:
        gathered = await _facts(context, connection, caller, households)
        return await _with_visits(context, connection, gathered, caller, purpose)


async def gather_one(
    context: Context, caller: Caller, household: str, purpose: str | None
) -> Gathered:
    """The same for a look at one household, with its log key; without a purpose, of facts alone.

    Where no visit is found, what is done is the same whether or not there is such a household.
    """
    async with context.database.reading() as connection:
        gathered = await _facts(context, connection, caller, [household])
        if purpose is not None:
            gathered = await _with_visits(context, connection, gathered, caller, purpose)
        if gathered.visits:
            return gathered
        keys = await _log_keys(context, connection, household)
        return gathered._replace(keys=keys)


async def _facts(
    context: Context, connection: AsyncConnection, caller: Caller, households: Collection[str]
) -> Gathered:
    scopes = {epochs.DIRECTORY, epochs.of_viewer(caller.id), *map(epochs.of_household, households)}
    token = epochs.of_token(caller.token or "")
    known = await facts.about(connection, caller.id, households, scopes | {token})
    caller.still(known.epochs[token], known.now)
    for one in known.erased:
        context.keyring.forget(one)  # another process destroyed them
    offices = await context.registry.offices(connection, known.epochs[epochs.DIRECTORY])
    return Gathered(known, offices, (), {}, tuple(households))


async def _with_visits(
    context: Context,
    connection: AsyncConnection,
    gathered: Gathered,
    caller: Caller,
    purpose: str | None,
) -> Gathered:
    wanted = Within(whole=gathered.households)
    if purpose is not None:
        scenes = {
            (caller.id, purpose, one): _Scene(
                gathered.known, read_scenario(scenario(gathered, caller.id, purpose, one), {})
            )
            for one in gathered.households
        }
        gathered = gathered._replace(scenes=scenes)
        wanted = _within(gathered)
    erased = gathered.known.erased
    found = [one for one in await visits.within(connection, wanted) if one.household not in erased]
    if purpose is not None and not found:
        read_as_many(gathered, caller.id, purpose)
    keys = await _keys(context, connection, found, gathered.households)
    return gathered._replace(visits=found, keys=keys)


def _within(gathered: Gathered) -> Within:
    """Which visits the rights of who asks can reach."""
    reaches = {household: reach(one.read) for (*_, household), one in gathered.scenes.items()}
    parts = {one: found for one, found in reaches.items() if not found.everything}
    # Who asks is the same, so every reach has the same offices and programs, or none.
    own = frozenset[str]().union(*(found.offices for found in parts.values()))
    agencies = {found.agency for found in parts.values() if found.programs}
    return Within(
        whole=[one for one, found in reaches.items() if found.everything],
        own=[one for one, found in parts.items() if found.offices],
        offices=sorted(own),
        commissioned=[one for one, found in parts.items() if found.programs],
        paid=sorted(
            one.id
            for one in gathered.offices.values()
            if one.commissioner in agencies and one.id not in own
        ),
        programs=sorted(frozenset[str]().union(*(found.programs for found in parts.values()))),
    )


def read_as_many(gathered: Gathered, viewer: str, purpose: str) -> None:
    """Read facts of nobody, until as many were read as most households have."""
    read = [one for one in gathered.known.facts if one.kind not in authority.KINDS]
    beside = nobody.facts_beside(read)
    padded = gathered.known._replace(facts=beside, cases=())
    raw = scenario(gathered._replace(known=padded), viewer, purpose, nobody.HOUSEHOLD)
    read_scenario(raw, {})


async def _keys(
    context: Context,
    connection: AsyncConnection,
    found: Sequence[Stored],
    households: Collection[str],
) -> Mapping[Place, DataKey]:
    wanted: dict[Place, set[int]] = {("", "", LOG): set()}
    for one in found:
        wanted.setdefault((one.household, one.program, RECORDS), set()).add(one.key_version)
        wanted.setdefault((one.household, "", LOG), set())
    kept = context.keyring.kept(wanted)
    if kept is not None:
        return kept
    opened = context.keyring.opened(await data_keys.of_households(connection, ["", *households]))
    # All of them at once, so that the next look finds them in memory.
    return {place: opened[place] for place in wanted if place in opened}


async def _log_keys(
    context: Context, connection: AsyncConnection, household: str
) -> Mapping[Place, DataKey]:
    """The general log key, and that of the household if there is one."""
    rows = await data_keys.of_logs(connection, ["", household])
    general = ("", "", LOG)
    keys = {general: held(context.keyring.opened(rows), general)}
    own = context.keyring.log_key(household, rows)
    return keys if own is None else {**keys, (household, "", LOG): own}


class Judged(NamedTuple):
    """What may leave of a household, before it is opened."""

    decisions: tuple[Decision, ...]
    protected: bool
    """An address shield is in force: whatever is made of the answer must carry that."""


def judged(
    gathered: Gathered, viewer: str, purpose: str, household: str, *, acknowledged: bool
) -> Judged:
    """What the rules say about every record, less what is for clients that heed a protection.

    Args:
        gathered: with this household in it.
        viewer: who looks.
        purpose: what for.
        household: which.
        acknowledged: whether the client heeds the flag that the household is protected.
    """
    read = _scenario_read(gathered, viewer, purpose, household)
    answers = decide(read)
    protected = guards(read).shielded
    if protected and not acknowledged:
        answers = tuple(map(without_acknowledgement, answers))
    return Judged(answers, protected)


def decisions(
    gathered: Gathered, viewer: str, purpose: str, household: str
) -> tuple[Decision, ...]:
    """What the rules say about every record of a household."""
    return decide(_scenario_read(gathered, viewer, purpose, household))


def _scenario_read(gathered: Gathered, viewer: str, purpose: str, household: str) -> Scenario:
    stored = current(gathered.of(household))
    records = {one.id: record_of(one, gathered.offices) for one in stored}
    scene = gathered.scenes.get((viewer, purpose, household))
    if scene is not None and scene.known is gathered.known:
        return with_records(scene.read, records)
    return read_scenario(scenario(gathered, viewer, purpose, household), records)


def scenario(
    gathered: Gathered,
    viewer: str,
    purpose: str,
    household: str,
    *,
    known_at: int | None = None,
) -> dict[str, Any]:
    """The question with all its facts but the records, in the form of ``consent.md``."""
    known = gathered.known
    at = known.now if known_at is None else known_at
    day = clock.instant(at).astimezone(JST).date()
    raw: dict[str, Any] = {
        "vocabulary": 1,
        "viewers": [],
        "question": {
            "viewer": viewer,
            "purpose": purpose,
            "household": household,
            "now": clock.written(known.now),
            "known_at": None if known_at is None else clock.written(known_at),
        },
    }
    for fact in known.facts:
        if fact.kind == VIEWER:
            cases = [one for one in known.cases if one.viewer == fact.id]
            raw["viewers"].append(_viewer(fact, cases, gathered.offices, day))
        elif fact.household == household and fact.kind not in authority.KINDS:
            raw.setdefault(_LISTS[fact.kind], []).append(_fact(fact) | {"household": household})
    return raw


def current(stored: Sequence[Stored]) -> list[Stored]:
    """The highest revision of each report; `stored` is by id and revision."""
    return list({one.id: one for one in stored}.values())


def record_of(one: Stored, offices: Mapping[str, Office]) -> Record | None:
    """What decisions need of a stored report; None where nobody may read it."""
    office = offices.get(one.office)
    if office is None or not office.commissioner:
        return None  # an office that is not in the directory: nobody reads its records
    return Record(
        id=one.id,
        version=one.revision,
        recorded_at=Instant.of(one.recorded_at),
        household=one.household,
        program=one.program,
        office=one.office,
        commissioner=office.commissioner,
        registration=one.registration,
        date=clock.date(one.day),
    )


def _fact(fact: Fact) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(fact.body)
    except msgspec.DecodeError:
        said = None  # the rules treat it as what it is: a fact that cannot be read
    made: dict[str, Any] = said if isinstance(said, dict) else {"": said}
    at = clock.written(fact.recorded_at)
    return made | {"id": fact.id, "version": fact.version, "recorded_at": at}


def _viewer(
    fact: Fact, cases: Sequence[Case], offices: Mapping[str, Office], day: dt.date
) -> dict[str, Any]:
    made = _fact(fact)
    # An office whose contract has not begun or has ended is nobody's office.
    made["offices"] = [
        one
        for one in made.get("offices", ())
        if (found := offices.get(one)) is not None and found.under_contract(day)
    ]
    made["caseload"] = [
        {
            "household": one.household,
            "from": clock.written(one.from_at),
            "until": None if one.until_at is None else clock.written(one.until_at),
        }
        for one in cases
    ]
    return made
