"""What protects or opens a household, as it is stored, and adding a version of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import msgspec

from visitsync.consent import read_scenario
from visitsync.errors import BadParameter, UnknownHousehold
from visitsync.schema.silent import Struct
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import Beside, beside
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, scenario
from visitsync.service.ids import as_given, new_id
from visitsync.service.writing import Change
from visitsync.store import clock, epochs, facts
from visitsync.store.facts import Fact, Known

SHIELD: Final = "shield"
BLOCK: Final = "block"
GRANT: Final = "break_glass"
COUNCIL_CASE: Final = "council_case"
INVOCATION: Final = "invocation"
_READ: Final = {
    SHIELD: "shields",
    BLOCK: "blocks",
    GRANT: "grants",
    COUNCIL_CASE: "council_cases",
    INVOCATION: "invocations",
}
"""Where a scenario that was read has the facts of each kind."""

Body: TypeAlias = dict[str, Any]


class RecordedMeasure(Struct, frozen=True, kw_only=True):
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
    fact = next_._replace(recorded_at=made.at, body=_written(body))
    earlier = await facts.history(made.connection, fact.kind, [fact.id])
    _refuse_unreadable([*earlier, fact])
    await facts.add(made.connection, [fact])
    await epochs.bump(made.connection, {epochs.of_household(str(fact.household))})
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
    found, here = await _beside(context, made, caller, one, roles)
    await knowing.must_know(made.connection, here)
    if found is None:
        raise UnknownHousehold("No such thing, or none for you")
    return found, body_of(found)


async def known_unblocked(
    context: Context, made: Change, caller: Caller, one: tuple[str, str], roles: tuple[str, ...]
) -> tuple[Fact, Body, Beside]:
    """The same for somebody whom no block names in any way, and who they are.

    Raises:
        UnknownHousehold: there is none, or they may not know of it, or are blocked.
        NotAllowed: they have none of `roles`; said whether or not there is such a fact.
    """
    found, here = await _beside(context, made, caller, one, roles)
    await knowing.must_know_unblocked(made.connection, here)
    if found is None:
        raise UnknownHousehold("No such thing, or none for you")
    return found, body_of(found), here


async def _beside(
    context: Context, made: Change, caller: Caller, one: tuple[str, str], roles: tuple[str, ...]
) -> tuple[Fact | None, Beside]:
    kind, id_ = one[0], as_given(one[1])
    found = (await facts.newest(made.connection, kind, [id_])).get(id_)
    household = "" if found is None else str(found.household)
    return found, await beside(context, made.connection, caller, household, roles)


def recorded(fact: Fact) -> RecordedMeasure:
    """How a stored version is answered."""
    return RecordedMeasure(
        id=fact.id, version=fact.version, recorded_at=clock.instant(fact.recorded_at)
    )


def body_of(fact: Fact) -> Body:
    """What a stored version says."""
    return msgspec.json.decode(fact.body, type=Body)


def time(at: dt.datetime | None) -> str | None:
    """A time as a fact holds it."""
    return None if at is None else at.isoformat()


def refuse_unreadable(kind: str, body: Body, household: str, at: int) -> None:
    """Refuse what decisions could not read, before it is recorded for ever.

    Raises:
        BadParameter: it is malformed.
    """
    _refuse_unreadable([Fact(kind, "new", 1, at, household, _written(body))])


def _refuse_unreadable(versions: Sequence[Fact]) -> None:
    """Refuse the last of a fact's versions if the rules could not read it beside the others."""
    new = versions[-1]
    known = Known(new.recorded_at, {}, versions, ())
    raw = scenario(Gathered(known, {}, (), {}), "nobody", "audit", str(new.household))
    read = getattr(read_scenario(raw, {}), _READ[new.kind])
    if not any(one.version == new.version for one in read.facts()):
        raise BadParameter(
            "The rules could not read it; check the names, the codes and that it ends after it "
            "starts",
            where=new.kind,
        )


def _written(body: Body) -> str:
    return msgspec.json.encode(body, order="sorted").decode()
