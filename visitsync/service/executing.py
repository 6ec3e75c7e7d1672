"""Executing erasures whose day has come: keys destroyed, rows gone, tombstone, entry, certificate.

The tombstone is durable outside the database before the transaction commits. From then on the
erasure has begun and is never undone: where the commit fails, the next run or start finishes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import Certificate, instant
from visitsync.errors import BadParameter
from visitsync.retention import log_due_from
from visitsync.schema.silent import Struct
from visitsync.service import erasing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.retained import is_due
from visitsync.service.retention_rules import rules_of
from visitsync.service.writing import Change, change
from visitsync.signer import Tombstone, Tombstones
from visitsync.store import clock, emergencies, erasures, looks
from visitsync.store.access_log import Row
from visitsync.store.erasures import Erasure

_PAUSE: Final = 0.05
"""Seconds between two erasures, so that whoever serves meanwhile gets to write."""

Outcome: TypeAlias = Literal["erased", "not_due", "held", "review_open", "log_erased"]
"""``held`` and ``review_open`` leave an erasure as it is, for the next run."""


class Told(Struct, frozen=True, kw_only=True):
    """What a certificate says that only its transaction knew."""

    keys: int
    rows: dict[str, int]
    log: Literal["destroyed", "by_rule"]
    shard: str
    index: int


class Done(Struct, frozen=True, kw_only=True):
    """What became of one erasure whose day has come."""

    id: str
    household: str
    outcome: Outcome
    certificate: str | None = None


async def run(context: Context, caller: Caller, *, now: int | None = None) -> list[Done]:
    """Execute all that were decided and announced long enough, and logs whose period has ended.

    Args:
        context: of the installation.
        caller: an operator; who asked and decided is in each.
        now: the instant as of which days have come; by default the database's.

    Raises:
        NotAllowed: the caller is no operator.
        TombstonesError, DatabaseUnavailable, LogBroken: what was done so far stays done.
    """
    caller.must("operate")
    async with context.database.reading() as connection:
        at = await clock.now(connection) if now is None else now
        due = [
            one
            for one in await erasures.open_ones(connection)
            if one.due_at is not None and one.due_at <= at
        ]
        logs = await erasures.with_a_log_only(connection)
    done = []
    for one in due:
        done.append(await _execute(context, caller, one.id, at))
        await asyncio.sleep(_PAUSE)
    for household, erasure, since in logs:
        if await _erase_log(context, caller, household, erasure, since, at):
            done.append(Done(id=erasure, household=household, outcome="log_erased"))
            await asyncio.sleep(_PAUSE)
    if any(one.outcome in {"erased", "log_erased"} for one in done):
        await context.database.scrub()
    return done


async def certificate(context: Context, caller: Caller, one: str) -> str:
    """The certificate of an erasure that was executed, signed.

    Raises:
        NotAllowed: the caller is no operator.
        BadParameter: no such erasure was executed.
    """
    caller.must("operate")
    async with context.database.reading() as connection:
        row = await erasures.of_id(connection, one)
    if row is None or row.told is None:
        raise BadParameter("No such erasure was executed", where="erasure")
    return await _certificate(context, row)


async def _execute(context: Context, caller: Caller, one: str, at: int) -> Done:
    async with change(context, caller, placing=True) as made:
        row = await erasures.of_id(made.connection, one)
        assert row is not None  # noqa: S101 -- none is ever deleted
        outcome = await _executed(context, made, caller, row, at)
    if outcome != "erased":
        return Done(id=one, household=row.household, outcome=outcome)
    forget(context, row.household)
    async with context.database.reading() as connection:
        stored = await erasures.of_id(connection, one)
    assert stored is not None  # noqa: S101 -- as above
    return Done(
        id=one,
        household=row.household,
        outcome="erased",
        certificate=await _certificate(context, stored),
    )


async def _executed(
    context: Context, made: Change, caller: Caller, row: Erasure, at: int
) -> Outcome:
    connection, household = made.connection, row.household
    if row.ended_at is not None or row.due_at is None or row.due_at > max(at, made.at):
        return "not_due"
    # What has begun is finished, whatever was said since: outside the database it is gone already.
    if not any(one.household == household for one in _file(context).read()):
        if await erasures.standing_holds(connection, [household]):
            return "held"
        if any(one.household == household for one in await emergencies.open_ones(connection)):
            return "review_open"
        if not await is_due(context, connection, row, at):
            await erasures.update(connection, row.id, ended_at=made.at, outcome="not_due")
            await made.log(
                caller,
                "erasure",
                household=household,
                private={"household": household},
                public={"basis": f"{row.id} {row.ground}", "decision": "not_due"},
            )
            return "not_due"
    with_log = await _log_goes_too(context, connection, row)
    wanted = [Tombstone("records", household, row.id, made.at)]
    wanted += [Tombstone("log", household, row.id, made.at)] if with_log else []
    await asyncio.to_thread(_file(context).add, wanted)
    destroyed = [await erasing.destroy(connection, one) for one in wanted]
    entry = await _log(made, caller, row, wanted)
    told = Told(
        keys=sum(one.keys for one in destroyed),
        rows=dict(destroyed[0].rows),
        log="destroyed" if with_log else "by_rule",
        shard=entry.shard,
        index=entry.seq,
    )
    await erasures.update(
        connection,
        row.id,
        ended_at=made.at,
        outcome="erased",
        told=msgspec.json.encode(told).decode(),
    )
    return "erased"


async def _log_goes_too(context: Context, connection: AsyncConnection, row: Erasure) -> bool:
    """Never of a household that was protected once: who looked is how harm to it is found out."""
    ground = rules_of(context).grounds.get(row.ground)
    if ground is None or ground.log != "with_records":
        return False
    return not await erasures.was_protected(connection, row.household)


async def _log(made: Change, caller: Caller, row: Erasure, wanted: Sequence[Tombstone]) -> Row:
    """Under the general key: the household's own may be gone."""
    return await made.log(
        caller,
        "key_shredded",
        private={
            "household": row.household,
            "asked_by": row.asked_by,
            "recorded_by": row.decided_by,
        },
        public={
            "basis": f"{row.id} {row.ground}",
            "decision": "_and_".join(one.what for one in wanted),
        },
    )


async def _erase_log(  # noqa: PLR0913, PLR0917 -- whose, by which erasure, since and as of when
    context: Context, caller: Caller, household: str, erasure: str, since: int, at: int
) -> bool:
    """Destroy the log key of a household whose records are gone, once its own period has ended."""
    async with change(context, caller, placing=True) as made:
        last = await looks.last_at(made.connection, household)
        newest = since if last is None else min(last, since)
        first = log_due_from(rules_of(context).log, clock.day_in_japan(newest))
        held = await erasures.standing_holds(made.connection, [household])
        if held or clock.day_in_japan(at) < first:
            return False
        one = Tombstone("log", household, erasure, made.at)
        await asyncio.to_thread(_file(context).add, [one])
        await erasing.destroy(made.connection, one)
        await made.log(
            caller,
            "key_shredded",
            private={"household": household},
            public={"basis": f"{erasure} log", "decision": one.what},
        )
    forget(context, household)
    return True


def forget(context: Context, household: str) -> None:
    """Drop what this process keeps of a household; others do within a minute."""
    context.keyring.forget(household)
    context.folded.clear()


def _file(context: Context) -> Tombstones:
    return Tombstones(context.settings.tombstone_file)


async def _certificate(context: Context, row: Erasure) -> str:
    told = msgspec.json.decode(str(row.told), type=Told)
    return await context.log.certificate(
        Certificate(
            tenant=context.settings.tenant,
            erasure=row.id,
            ground=row.ground,
            asked_by=row.asked_by,
            decided_by=str(row.decided_by),
            asked_at=_instant(row.asked_at),
            decided_at=_instant(row.decided_at or 0),
            at=_instant(row.ended_at or 0),
            keys=told.keys,
            reports=told.rows.get("reports", 0),
            registrations=told.rows.get("registrations", 0),
            facts=told.rows.get("facts", 0),
            evidence=told.rows.get("evidence", 0),
            log=told.log,
            shard=told.shard,
            index=told.index,
        )
    )


def _instant(at: int) -> str:
    return instant(clock.instant(at))
