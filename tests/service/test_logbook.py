"""No entry, no answer; and no entry under facts that are no longer so."""

from __future__ import annotations

import asyncio
import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa
from build import (
    CARE,
    OPERATOR,
    WORKER,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
)
from service.a_bundle import exported

from visitsync.audit import verify_bundle
from visitsync.errors import DatabaseUnavailable, LogBroken, UnknownHousehold
from visitsync.service import access_log, directives, entries, timelines
from visitsync.service.context import Context, open_context
from visitsync.service.gathering import gather
from visitsync.settings import Settings
from visitsync.store import access_log as stored_log
from visitsync.store import clock


async def leaves(context: Context) -> list[dict[str, object]]:
    async with context.database.reading() as connection:
        head = await stored_log.head(connection)
        found = stored_log.entries(connection, head.shard, head.size)
        return [msgspec.json.decode(leaf) async for _, _, leaf in found]


async def a_household(context: Context) -> str:
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    return await home_of(context)


async def a_decided_look(context: Context, household: str) -> tuple[entries.Draft, dict[str, int]]:
    """A look that was allowed, and is not logged yet."""
    gathered = await gather(context, WORKER, [household])
    look = timelines.decided(context, gathered, WORKER, household, CARE)
    assert look.draft.fields["decision"] == "shown"
    return look.draft, dict(gathered.known.epochs)


async def test_a_look_decided_before_a_withdrawal_is_not_written_after_it(
    context: Context,
) -> None:
    household = await a_household(context)
    consent = await consented(context, household)
    draft, epochs = await a_decided_look(context, household)

    await directives.withdraw(context, OPERATOR, consent.id)

    assert await context.log.look(draft, epochs) is False
    assert "timeline_read" not in [leaf["kind"] for leaf in await leaves(context)]


async def test_control_without_epochs_it_would_be_written(context: Context) -> None:
    """The test above would fail without the second look at the epochs."""
    household = await a_household(context)
    consent = await consented(context, household)
    draft, _ = await a_decided_look(context, household)

    await directives.withdraw(context, OPERATOR, consent.id)

    assert await context.log.look(draft, {}) is True
    kinds = [leaf["kind"] for leaf in await leaves(context)]
    assert kinds.index("timeline_read") > kinds.index("directive_withdrawn")


async def test_no_look_stands_in_the_log_after_the_withdrawal_of_its_consent(
    context: Context,
) -> None:
    household = await a_household(context)
    consent = await consented(context, household)
    seen = 0
    enough = asyncio.Event()

    async def looking() -> None:
        nonlocal seen
        while True:
            try:
                await timelines.view(context, WORKER, household, CARE)
            except UnknownHousehold:
                return
            seen += 1
            if seen == 20:
                enough.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(looking())
        await enough.wait()
        await directives.withdraw(context, OPERATOR, consent.id)

    kinds = [(leaf["kind"], leaf.get("decision")) for leaf in await leaves(context)]
    withdrawn = kinds.index(("directive_withdrawn", None))
    assert ("timeline_read", "shown") not in kinds[withdrawn:]
    assert kinds[:withdrawn].count(("timeline_read", "shown")) == seen


async def test_every_look_has_its_entry_though_many_are_written_at_once(
    context: Context,
) -> None:
    household = await a_household(context)
    await consented(context, household)
    before = len(await leaves(context))

    async with asyncio.TaskGroup() as group:
        for _ in range(40):
            group.create_task(timelines.view(context, WORKER, household, CARE))

    after = await leaves(context)
    assert len(after) == before + 40
    assert [leaf["seq"] for leaf in after] == list(range(before + 40))
    times = [str(leaf["time"]) for leaf in after]
    assert times == sorted(times)


async def test_two_processes_write_one_log(context: Context) -> None:
    """Two logbooks on one database stand for two processes."""
    household = await a_household(context)
    await consented(context, household)
    async with open_context(context.settings) as other, asyncio.TaskGroup() as group:
        for one in (context, other) * 15:
            group.create_task(timelines.view(one, WORKER, household, CARE))

    assert [leaf["kind"] for leaf in await leaves(context)].count("timeline_read") == 30


async def test_when_the_log_cannot_be_written_nothing_is_read(context: Context) -> None:
    household = await a_household(context)
    await consented(context, household)
    async with context.database.writing() as connection:
        await connection.execute(sa.text("ALTER TABLE log_entry RENAME TO log_entry_away"))

    with pytest.raises(DatabaseUnavailable):
        await timelines.view(context, WORKER, household, CARE)

    async with context.database.writing() as connection:
        await connection.execute(sa.text("ALTER TABLE log_entry_away RENAME TO log_entry"))
    assert (await timelines.view(context, WORKER, household, CARE)).entries


async def test_a_look_that_cannot_be_written_does_not_end_the_log(context: Context) -> None:
    household = await a_household(context)
    await consented(context, household)
    draft, epochs = await a_decided_look(context, household)
    broken = draft._replace(fields={**draft.fields, "unheard_of": 1})

    with pytest.raises(DatabaseUnavailable):
        await context.log.look(broken, epochs)

    before = len(await leaves(context))
    seen = await timelines.view(context, WORKER, household, CARE)
    assert seen.total == 2
    assert len(await leaves(context)) == before + 1


async def test_the_queue_is_bounded(context: Context) -> None:
    household = await a_household(context)
    await consented(context, household)
    draft, epochs = await a_decided_look(context, household)
    await context.log.stop()
    most = context.settings.log_queue
    waiting = [asyncio.ensure_future(context.log.look(draft, epochs)) for _ in range(most)]
    await asyncio.sleep(0)

    with pytest.raises(DatabaseUnavailable):
        await context.log.look(draft, epochs)

    context.log.start()
    assert all(await asyncio.gather(*waiting))


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE log_head SET size = size - 1",
        "UPDATE log_head SET shard = 'visitsync/visitsync/2020'",
        "UPDATE log_head SET frontier = (SELECT sealed FROM visit LIMIT 1)",
        "UPDATE log_head SET note = replace(note, 'visitsync', 'visitsynk')",
    ],
)
async def test_a_head_that_was_not_signed_stops_everything(
    settings: Settings, tampering: str
) -> None:
    async with open_context(settings) as context:
        household = await a_household(context)
        await context.log.signing.cover()  # what waits for the signer would write another note
        async with context.database.writing() as connection:
            await connection.execute(sa.text(tampering))

        with pytest.raises(LogBroken):
            await timelines.view(context, WORKER, household, CARE)
        with pytest.raises(LogBroken):
            await handed_in(context, [a_visit(3)])


async def test_an_old_database_put_back_is_noticed(settings: Settings) -> None:
    async with open_context(settings) as context:
        household = await a_household(context)
        async with context.database.reading() as connection:
            old = await stored_log.head(connection)
        await handed_in(context, [a_visit(7)])
        async with context.database.writing() as connection:
            await stored_log.advance(connection, old)

        with pytest.raises(LogBroken, match="older than what this service wrote"):
            await timelines.view(context, WORKER, household, CARE)


async def test_a_changed_entry_is_found_by_whoever_verifies(
    settings: Settings, engine: str
) -> None:
    """The database refuses to change an entry; somebody who can change the database itself can."""
    async with open_context(settings) as context:
        await a_household(context)
        await context.log.signing.cover()
        async with context.database.writing() as connection:
            if engine == "sqlite":
                await connection.execute(sa.text("DROP TRIGGER log_entry_no_update"))
            else:
                await connection.execute(
                    sa.text("ALTER TABLE log_entry DISABLE TRIGGER log_entry_append_only")
                )
            await connection.execute(
                sa.text("UPDATE log_entry SET leaf = replace(leaf, 'stored', 'st0red')")
            )
        bundle = await exported(context, OPERATOR)
        verdict = verify_bundle(bundle, access_log.public_key(context))
        assert "whole" not in [finding.code for finding in verdict.findings]


@pytest.mark.parametrize("clock_back", [1e9])
async def test_a_new_year_begins_a_new_log_with_the_old_head_in_it(context: Context) -> None:
    await a_household(context)
    next_year = clock.stored(dt.datetime(2031, 4, 1, tzinfo=clock.UTC))
    draft = await _a_draft(context)
    async with context.log.writing() as turn:
        head = await turn.hold()
        turn.head = head._replace(now=next_year)
        rows = await turn.append([draft])

    opening = msgspec.json.decode(rows[0].leaf)
    async with context.database.reading() as connection:
        (closed,) = await stored_log.years(connection)
    assert closed[:2] == (head.shard, head.size)
    assert (opening["kind"], opening["previous"]) == ("year_opened", closed[2])
    assert [row.seq for row in rows] == [0, 1]
    assert rows[0].shard.endswith("/2031")
    # `context` now verifies both years, though the clock has not caught up with the second one.


async def _a_draft(context: Context) -> entries.Draft:
    gathered = await gather(context, WORKER, ["unknown"])
    return timelines.decided(context, gathered, WORKER, "unknown", CARE).draft
