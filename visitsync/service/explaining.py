"""Explaining: who can see what a household's offices record, and why; also as it was, or would be.

Nothing is told of records that the one who asks may not know: for every office under contract a
report of today is supposed, whether the household has any there or not, so the answer does not
show where there are some. Only what the one who asks may know is looked at beside it. It gives
programs, categories and reasons; never fields, dates or numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from visitsync.consent import (
    Instant,
    Record,
    Scenario,
    asked_by,
    decide,
    read_scenario,
)
from visitsync.errors import BadParameter, DatabaseUnavailable, NotAllowed, UnknownHousehold
from visitsync.schema.directory import Directory
from visitsync.schema.visit import JST
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import consents, entries
from visitsync.service.affairs import deciding
from visitsync.service.affairs.actors import NOT_THERE, Actor, Beside, beside_of
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directives import Draft
from visitsync.service.directory import known_directory
from visitsync.service.explanations import Asked, Explanation, Insight, Onlooker, Sight, Why
from visitsync.service.gathering import (
    Gathered,
    current,
    decisions,
    gather_one,
    read_as_many,
    record_of,
    scenario,
)
from visitsync.service.ids import is_household
from visitsync.service.keyring import LOG, held
from visitsync.service.timelines import TRIES, refuse_unless_staff
from visitsync.store import clock, epochs, facts, visits
from visitsync.store.facts import Fact

_LOOKING_BACK: Final = frozenset({"protection_officer", "auditor"})
"""Roles that may ask how it was."""


async def explain(context: Context, caller: Caller, household: str, asked: Asked) -> Explanation:
    """Who can see what of `household`, and why; logged before it is answered.

    For who answers for the household or stands over somebody who does, and for protection
    officers; a household that there is not and one that is not theirs are one answer.

    Raises:
        UnknownHousehold: no such household, or not for the caller.
        NotAllowed: the caller may not ask how it was, or what a directive would do.
        BadParameter: an unknown purpose or viewer, a time to come, or a draft that could not be
            read.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    _must_ask(caller, asked)
    refuse_unless_staff(caller, asked.purpose)
    household = household if is_household(household) else "unknown"
    for _ in range(TRIES):
        gathered = await gather_one(context, caller, household, None)
        explained = await _explained(context, gathered, caller, household, asked)
        draft = _entry(context, gathered, caller, household, asked, explained)
        if await context.log.look(draft, gathered.known.epochs):
            if explained is None:
                raise UnknownHousehold(NOT_THERE)
            return explained
    raise DatabaseUnavailable("The facts kept changing; ask again")


def _must_ask(caller: Caller, asked: Asked) -> None:
    """Auditors look back with the token by which they read the log; now and drafts are no audit."""
    looks_back = asked.known_at is not None and asked.draft is None
    if not (looks_back and "audit" in caller.scopes):
        caller.must("read")


async def _explained(
    context: Context, gathered: Gathered, caller: Caller, household: str, asked: Asked
) -> Explanation | None:
    """None where the caller is told that there is no such household."""
    found = beside_of(gathered, caller, household)
    actor = found.actor
    now = gathered.known.now
    known_at = _then(actor, asked, now)
    if asked.draft is not None and actor.roles.isdisjoint(deciding.ROLES):
        raise NotAllowed("What a directive would do is shown to who may record it")
    may_ask = _may_ask(found, asked.purpose)
    async with context.database.reading() as connection:
        # Asked in any case, so that it takes as long whether or not there is such a household.
        stored = await visits.of_households(connection, [household] if may_ask else [])
        if not stored:
            read_as_many(gathered, actor.id, asked.purpose)
            return None
        gathered = gathered._replace(visits=stored)
        stated, cases = await facts.as_known(connection, household, known_at or now)
        directory = await known_directory(context, connection)
    stated = [*stated, *_drafted(asked.draft, household, now)]
    then = gathered._replace(known=gathered.known._replace(facts=stated, cases=cases))
    raw = scenario(then, actor.id, asked.purpose, household, known_at=known_at)
    scene = read_scenario(raw, _records(gathered, actor, household, known_at))
    known = scene.viewers.keys() | {one.id for one in directory.staff}
    if asked.viewer is not None and asked.viewer not in known:
        # Else a slip would read as: they see nothing.
        raise BadParameter("names nobody of the directory", where="viewer")
    return Explanation(
        household=household,
        at=clock.instant(now),
        known_at=asked.known_at,
        with_draft=asked.draft is not None,
        people=tuple(_people(scene, directory, asked.viewer)),
    )


def _then(actor: Actor, asked: Asked, now: int) -> int | None:
    """The instant back then; None where it is asked about now."""
    if asked.known_at is None:
        return None
    if actor.roles.isdisjoint(_LOOKING_BACK):
        raise NotAllowed("How it was is shown to protection officers and auditors")
    known_at = clock.stored(asked.known_at)
    if known_at > now:
        raise BadParameter("lies in the time to come", where="known_at")
    return known_at


def _may_ask(found: Beside, purpose: str) -> bool:
    """Whether the household is theirs to ask about, and no block names them."""
    actor = found.actor
    theirs = actor.answers_for or actor.stands_over or not actor.roles.isdisjoint(_LOOKING_BACK)
    return theirs and purpose in _purposes(actor.roles) and not found.is_blocked()


def _drafted(draft: Draft | None, household: str, now: int) -> Iterable[Fact]:
    if draft is not None:
        body = consents.body(draft, now)
        consents.refuse_unreadable(body, household, now)
        yield Fact(consents.KIND, "draft", 1, now, household, consents.written(body))


# ── what is looked at ─────────────────────────────────────────────────────────────────────────────
def _records(
    gathered: Gathered, actor: Actor, household: str, known_at: int | None
) -> dict[str, Record | None]:
    """A report of today for every office under contract, and those that the actor may know."""
    at = gathered.known.now if known_at is None else known_at
    day = clock.instant(at).astimezone(JST).date()
    supposed: dict[str, Record | None] = {
        f"office:{office.id}": Record(
            id=f"office:{office.id}",
            version=1,
            recorded_at=Instant.of(at),
            household=household,
            program=office.program,
            office=office.id,
            commissioner=office.commissioner,
            registration=f"{office.id}/supposed",
            date=day,
        )
        for office in gathered.offices.values()
        if office.under_contract(day)
    }
    stored = current([one for one in gathered.of(household) if one.recorded_at <= at])
    may_know = _known_to(gathered, actor, household)
    return supposed | {
        one.id: record_of(one, gathered.offices) for one in stored if may_know(one.id)
    }


def _known_to(gathered: Gathered, actor: Actor, household: str) -> Callable[[str], bool]:
    """Which records are not hidden from the one who asks."""
    if not actor.roles.isdisjoint(_LOOKING_BACK):
        return lambda _: True
    seen = {
        one.record
        for purpose in _purposes(actor.roles)
        for one in decisions(gathered, actor.id, purpose, household)
        if one.outcome != "hidden"
    }
    return lambda record: record in seen


# ── what is answered ──────────────────────────────────────────────────────────────────────────────
def _people(scene: Scenario, directory: Directory, only: str | None) -> Iterable[Onlooker]:
    names = {one.id: one.name for one in directory.staff}
    agencies = {one.id: one.name for one in directory.agency}
    for viewer in sorted(scene.viewers.values(), key=lambda one: one.id):
        if only not in (None, viewer.id):
            continue
        purposes = _purposes(viewer.roles, council_member=viewer.council_member)
        sights = [
            Sight(purpose=purpose, programs=programs)
            for purpose in purposes
            if (programs := tuple(_insights(asked_by(scene, viewer.id, purpose))))
        ]
        if sights:
            yield Onlooker(
                viewer=viewer.id,
                name=names.get(viewer.id),
                roles=tuple(sorted(viewer.roles)),
                agency=agencies.get(viewer.agency, viewer.agency),
                sights=tuple(sights),
            )


def _insights(scene: Scenario) -> Iterable[Insight]:
    """By program, every reason for which something of it is shown."""
    programs = {one.id: one.record.program for one in scene.records if one.record is not None}
    found: dict[str, set[Why]] = defaultdict(set)
    for decision in decide(scene):
        if decision.outcome == "shown":
            found[programs[decision.record]] |= {
                Why(category=why.category, rule=why.rule, ref=why.ref)
                for why in decision.reasons
                if why.effect == "show"
            }
    for program in VOCABULARY.programs:
        if program in found:
            yield Insight(program=program, why=tuple(sorted(found[program])))


def _purposes(roles: Iterable[str], *, council_member: bool = False) -> list[str]:
    """What these roles may state, in the order of the vocabulary."""
    stated = frozenset[str]().union(*(VOCABULARY.purposes_of_role[role] for role in roles))
    stated |= {"care_coordination", "protection"} if council_member else set()
    return [one for one in VOCABULARY.purposes if one in stated]


def _entry(  # noqa: PLR0913, PLR0917 -- all that stands in the entry
    context: Context,
    gathered: Gathered,
    caller: Caller,
    household: str,
    asked: Asked,
    explained: Explanation | None,
) -> entries.Draft:
    key = gathered.keys.get((household, "", LOG))
    return entries.draft(
        context.keyring,
        caller,
        "explained" if explained is not None else "denied",
        held(gathered.keys, ("", "", LOG)) if key is None else key,
        household=None if key is None else household,
        private={
            "household": household,
            "viewer": asked.viewer,
            "known_at": None if asked.known_at is None else asked.known_at.isoformat(),
            "draft": asked.draft is not None,
        },
        public={
            "decision": "shown" if explained is not None else "refused",
            "epoch": gathered.known.epochs[epochs.of_household(household)],
            "purpose": asked.purpose,
            "rule": entries.RULES,
        },
    )
