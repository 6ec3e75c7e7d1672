"""What shields, blocks and grants say as they are stored, and adding a version of one."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, TypeAlias

import msgspec

from visitsync.consent import read_scenario
from visitsync.errors import BadParameter, UnknownHousehold
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import beside
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given, new_id
from visitsync.service.writing import Change
from visitsync.store import clock, epochs, facts
from visitsync.store.facts import Fact

SHIELD: Final = "shield"
BLOCK: Final = "block"
GRANT: Final = "break_glass"
_LISTS: Final = {SHIELD: "shields", BLOCK: "blocks", GRANT: "break_glass"}

Body: TypeAlias = dict[str, Any]


class RecordedMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded: cite it as ``id@version``."""

    id: str
    version: int
    recorded_at: dt.datetime


async def add(made: Change, next_: Fact, body: Body) -> Fact:
    """Add a version of a fact that the rules can read, effective for the next question.

    Args:
        made: the change it is part of; its instant is the version's.
        next_: which fact, version and household; its instant and body are passed over.
        body: what it says.

    Raises:
        BadParameter: they could not; nothing is recorded.
    """
    household = str(next_.household)
    # A grant starts no earlier than its first version was recorded; a later one keeps its start.
    refuse_unreadable(next_.kind, body, household, next_.recorded_at or made.at)
    written = msgspec.json.encode(body, order="sorted").decode()
    fact = next_._replace(recorded_at=made.at, body=written)
    await facts.add(made.connection, [fact])
    await epochs.bump(made.connection, {epochs.of_household(household)})
    return fact


def first(kind: str, household: str) -> Fact:
    """A fact's first version, to be added."""
    return Fact(kind, new_id(kind[0]), 1, 0, household, "")


def later(fact: Fact) -> Fact:
    """The version after this one, to be added."""
    return fact._replace(version=fact.version + 1)


async def known(
    context: Context, made: Change, caller: Caller, one: tuple[str, str], roles: tuple[str, ...]
) -> tuple[Fact, Body]:
    """The newest version of a fact, by kind and id, for somebody who may know of its household.

    Raises:
        UnknownHousehold: there is none, or they may not know of it.
        NotAllowed: they have none of `roles`; said whether or not there is such a fact.
    """
    kind, id_ = one[0], as_given(one[1])
    found = (await facts.newest(made.connection, kind, [id_])).get(id_)
    household = "" if found is None else str(found.household)
    here = await beside(context, made.connection, caller, household, roles)
    await knowing.must_know(made.connection, here)
    if found is None:
        raise UnknownHousehold("No such thing, or none for you")
    return found, msgspec.json.decode(found.body, type=Body)


def recorded(fact: Fact) -> RecordedMeasure:
    """How a stored version is answered."""
    return RecordedMeasure(
        id=fact.id, version=fact.version, recorded_at=clock.instant(fact.recorded_at)
    )


def time(at: dt.datetime | None) -> str | None:
    """A time as a fact holds it."""
    return None if at is None else at.isoformat()


def refuse_unreadable(kind: str, body: Body, household: str, at: int) -> None:
    """Refuse what decisions could not read, before it is recorded for ever.

    Raises:
        BadParameter: it is malformed.
    """
    now = clock.written(at)
    said = {"id": "new", "version": 1, "recorded_at": now, "household": household, **body}
    question = {
        "viewer": "nobody",
        "purpose": "audit",
        "household": household,
        "now": now,
        "known_at": None,
    }
    read = read_scenario({"vocabulary": 1, _LISTS[kind]: [said], "question": question})
    if any(one.kind != "question" for one in read.unreadable):
        raise BadParameter(
            "The rules could not read it; check the names, the codes and that it ends after it "
            "starts",
            where=kind,
        )
