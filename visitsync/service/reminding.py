"""Reminding: what is about to end is told to who must look at it, each step once.

A consent that ran out unnoticed takes help away from a family, a shield whose date has passed waits
for somebody to decide. Nothing is lifted or prolonged here. A message names a shield, block or
consent by its id, no family and no household.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from visitsync.schema.silent import silent
from visitsync.service import consents, emergencies
from visitsync.service.affairs.actors import OFFICER, SUPERVISOR
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.endings import DAY, Ending, ending
from visitsync.service.ids import spelt
from visitsync.service.measures import BLOCK, SHIELD
from visitsync.service.slices import in_slices
from visitsync.service.writing import Change, change
from visitsync.store import clock, facts, messages, protection
from visitsync.store.facts import Fact

_ITSELF: Final = Caller(kind="operator", id="visitsync", scopes=frozenset())
"""Nobody asks for it."""
_KEPT: Final = 16
_EVERYBODY: Final = frozenset({"*"})
_LOG: Final = structlog.get_logger()


@silent
class Due(NamedTuple):
    """Something that somebody must look at."""

    fact: Fact
    kind: str
    """Of the message."""
    step: int
    """The date that comes near, so that a new date is reminded of anew."""


async def keep_reminding(context: Context, seconds: float = 3600.0) -> None:
    """Remind now and every hour, until it is cancelled; what fails is tried again."""
    while True:
        try:
            await remind(context)
        except Exception as error:  # noqa: BLE001 -- reminding must neither end nor end the service
            _LOG.error("reminding_failed", error=type(error).__name__)
        await asyncio.sleep(seconds)


async def remind(context: Context) -> int:
    """Tell of everything that has come due, and of reviews that are overdue.

    Returns:
        How many messages were written; those written before are not written again.
    """
    async with context.database.reading() as connection:
        now = await clock.now(connection)
        confirmed = await protection.are_confirmed(connection)
        shields = await facts.all_newest(connection, SHIELD)
        blocks = await facts.all_newest(connection, BLOCK)
        permits = await facts.all_newest(connection, consents.KIND)
        due = [one async for fact in in_slices(shields) for one in _of_shield(fact, confirmed, now)]
        due += [one async for fact in in_slices(blocks) for one in _of_block(fact, now)]
        due += [one async for fact in in_slices(permits) for one in _of_permit(fact, now)]
        homes = {str(one.fact.household) for one in due}
        answering = await facts.answering(connection, homes, now)
    hidden = _hidden(blocks)
    async with change(context, _ITSELF) as made:
        await emergencies.escalate(made)
        return await _tell(made, due, answering, hidden)


def _of_shield(fact: Fact, confirmed: Collection[str], now: int) -> Iterable[Due]:
    body = _read(fact)
    if body.get("closed_at") is not None:
        return
    if near := _near(body.get("until"), now):
        yield Due(fact, f"shield_{near[0]}", near[1])
    if now - fact.recorded_at > DAY and fact.id not in confirmed:
        yield Due(fact, "shield_provisional", 0)


def _of_block(fact: Fact, now: int) -> Iterable[Due]:
    body = _read(fact)
    if body.get("closed_at") is None and (near := _near(body.get("until"), now)):
        yield Due(fact, f"block_{near[0]}", near[1])


def _of_permit(fact: Fact, now: int) -> Iterable[Due]:
    body = _read(fact)
    if body.get("effect") != "permit" or body.get("withdrawn_at") is not None:
        return
    valid = body.get("valid")
    near = _near(valid.get("until") if isinstance(valid, dict) else None, now)
    # One that has ended is no news any more; it was told 30 and 7 days before.
    if near and near[0] != "past_its_date":
        yield Due(fact, f"consent_{near[0]}", near[1])


def _near(until: object, now: int) -> tuple[Ending, int] | None:
    try:
        at = None if until is None else clock.stored_text(str(until))
    except (ValueError, TypeError):
        return None  # the rules cannot read it either, and the operator is told of that
    code = ending(at, now)
    return None if at is None or code is None else (code, at)


def _read(fact: Fact) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(fact.body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _hidden(blocks: Iterable[Fact]) -> Mapping[str, frozenset[str]]:
    """By household, whom a block names or will name; one that nobody can read names everybody."""
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for fact in blocks:
        body = _read(fact)
        who = body.get("who")
        if body.get("closed_at") is None:
            named = frozenset(map(str, who)) if isinstance(who, list) else _EVERYBODY
            found[str(fact.household)] |= named
    return found


async def _tell(
    made: Change,
    due: Iterable[Due],
    answering: Mapping[str, Collection[str]],
    hidden: Mapping[str, frozenset[str]],
) -> int:
    officers = await messages.staff_with_role(made.connection, OFFICER)
    chiefs = await messages.staff_with_role(made.connection, SUPERVISOR)
    rows = []
    for one in due:
        household = str(one.fact.household)
        readers = set(() if one.kind.startswith("consent") else officers or chiefs)
        if not one.kind.startswith("block"):
            readers |= set(answering.get(household, ()))
        named = hidden.get(household, frozenset())
        rows += [
            messages.Message(
                _id(one, reader), f"staff:{reader}", one.kind, made.at, one.fact.id, None
            )
            for reader in sorted(readers)
            if named.isdisjoint({f"viewer:{reader}", *_EVERYBODY})
        ]
    there = await messages.present(made.connection, [one.id for one in rows])
    new = [one for one in rows if one.id not in there]
    await messages.add(made.connection, new)
    return len(new)


def _id(due: Due, reader: str) -> str:
    """The same for the same step, so that each is told once."""
    said = "\0".join((due.kind, due.fact.id, str(due.step), reader))
    return "m" + spelt(hashlib.sha256(said.encode()).digest()[:_KEPT])
