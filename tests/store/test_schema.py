"""The migrations give the tables, and the database itself refuses to change what only grows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from build import OPERATOR, applied

from visitsync.envelope import MasterKeys
from visitsync.errors import DatabaseUnavailable, SchemaMismatch
from visitsync.service import rotation
from visitsync.service.context import Context, open_context
from visitsync.service.migration import check, migrate
from visitsync.settings import Settings
from visitsync.store import access_log, data_keys, invocations, master_keys, schema
from visitsync.store.invocations import Request
from visitsync.store.tables import APPEND_ONLY, ERASABLE, METADATA

TOMBSTONE = "INSERT INTO tombstone VALUES ('{}', '{}', 'e', 0, NULL)"


async def test_empty_to_head_equals_the_tables(context: Context) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        made = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(made, METADATA))

    async with context.database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(settings: Settings) -> None:
    before = await check(settings)
    after = await migrate(settings)

    assert before == after
    assert after.standing == "current"


@pytest.mark.parametrize("times", [1, 2])
async def test_down_to_an_earlier_release_and_up_again(settings: Settings, times: int) -> None:
    """With entries in the log, which stand there afterwards as before."""
    async with open_context(settings) as context:
        await applied(context)
        before = await _entries(context)
        for _ in range(times):
            await context.log.signing.cover()
            async with context.database.writing() as connection:
                assert await schema.revision(connection) == "0015"
                await connection.run_sync(_down)
                assert await schema.revision(connection) == "0003"
                assert await connection.run_sync(_log_indexes) == {"log_entry_household_idx"}
            assert (await check(settings)).standing == "older"
            assert (await migrate(settings)).standing == "current"
    async with open_context(settings) as context, context.database.reading() as connection:
        assert await connection.run_sync(_log_indexes) == {"log_entry_household_place_idx"}
        after = await _entries(context)
        assert after[: len(before)] == before != []
        # Each migration says what the rows were that it found.
        assert {'"kind":"rows_changed"' in leaf for _, _, leaf in after[len(before) :]} == {True}


def _down(connection: sa.Connection, to: str = "0003") -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.scripts()))
    config.attributes["connection"] = connection
    command.downgrade(config, to)


def _log_indexes(connection: sa.Connection) -> set[str | None]:
    return {one["name"] for one in sa.inspect(connection).get_indexes("log_entry")}


async def _entries(context: Context) -> list[tuple[int, int, str]]:
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        return [one async for one in access_log.entries(connection, head.shard, head.size)]


async def test_what_was_asked_for_is_not_thrown_away_by_going_back(settings: Settings) -> None:
    async with open_context(settings) as context:
        async with context.database.writing() as connection:
            await invocations.add(connection, Request("i-1", "h", 1, "worker", "{}"))
        await context.log.signing.cover()
        with pytest.raises(RuntimeError, match="backup"):
            async with context.database.writing() as connection:
                await connection.run_sync(_down)
        async with context.database.reading() as connection:
            assert await schema.revision(connection) == "0015"
            assert await invocations.of_id(connection, "i-1")


async def test_master_keys_in_use_are_taken_over_from_the_data_keys(settings: Settings) -> None:
    """Also those that were rotated before the database knew of them."""
    async with open_context(settings) as context:
        await applied(context)
        MasterKeys.rotate(settings.keys)
        await rotation.begin(context, OPERATOR)
        await context.log.signing.cover()
        async with context.database.writing() as connection:
            rows = await data_keys.older(connection, 2, ("", "", "", 0), 1)
            changes = [(one, context.keyring.under(2, one)) for one in rows]
            await data_keys.wrap_anew(connection, changes)
            found = await data_keys.of_households(connection, [""])
            before = [one._replace(made_at=0) for one in found]  # not known to releases before
            await connection.run_sync(_down, "0005")
    assert (await migrate(settings)).standing == "current"

    held = MasterKeys.load(settings.keys)
    async with open_context(settings) as context, context.database.reading() as connection:
        known = {one.epoch: one.key_id for one in await master_keys.known(connection)}
        assert known == {1: held.key_id(1), 2: held.key_id(2)}
        assert sorted(await data_keys.of_households(connection, [""])) == sorted(before)


async def test_a_newer_schema_is_refused(settings: Settings) -> None:
    async with open_context(settings) as context, context.database.writing() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    assert (await check(settings)).standing == "newer"
    with pytest.raises(SchemaMismatch):
        await migrate(settings)
    with pytest.raises(SchemaMismatch):
        async with open_context(settings):
            pass


async def test_an_empty_database_is_refused_until_it_is_migrated(settings: Settings) -> None:
    async with open_context(settings) as context, context.database.writing() as connection:
        await connection.execute(sa.text("DELETE FROM alembic_version"))
        await connection.execute(sa.text("DROP TABLE installation"))

    assert (await check(settings)).standing == "empty"
    with pytest.raises(SchemaMismatch):
        async with open_context(settings):
            pass


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
async def test_what_only_grows_is_not_changed(context: Context, table: str, change: str) -> None:
    await applied(context)
    first = next(iter(METADATA.tables[table].columns)).name
    rows = {
        "log_anchor": "INSERT INTO log_anchor VALUES ('visitsync/visitsync/2019', 0, '')",
        "log_year": "INSERT INTO log_year VALUES ('visitsync/visitsync/2019', 0, '-')",
        "proposal": "INSERT INTO proposal VALUES ('d1', 'h1', 0, 'staff:u01', '{}')",
        "invocation_request": "INSERT INTO invocation_request VALUES ('i1', 'h1', 0, 'u01', '{}')",
        "evidence": "INSERT INTO evidence VALUES ('d1', 'h1', 0, 'paper', '', 1)",
        "notice": "INSERT INTO notice VALUES ('2026-04', 0, true, '-', '-', '', '')",
        "tombstone": "INSERT INTO tombstone VALUES ('h1', 'log', 'e1', 0, NULL)",
        "erased_registration": "INSERT INTO erased_registration VALUES ('r1', 0)",
    }

    with pytest.raises(DatabaseUnavailable):  # noqa: PT012 -- a row to change must stand there
        async with context.database.writing() as connection:
            if table in rows:
                await connection.execute(sa.text(rows[table]))
            await connection.execute(sa.text(change.format(table, first, first)))


@pytest.mark.parametrize("table", ERASABLE)
async def test_what_only_grows_is_deleted_of_an_erased_household_alone(
    context: Context, table: str
) -> None:
    row = {
        "fact": "INSERT INTO fact VALUES ('shield', 's1', 1, 0, 'h1', '{}')",
        "proposal": "INSERT INTO proposal VALUES ('d1', 'h1', 0, 'staff:u01', '{}')",
        "invocation_request": "INSERT INTO invocation_request VALUES ('i1', 'h1', 0, 'u01', '{}')",
        "evidence": "INSERT INTO evidence VALUES ('d1', 'h1', 0, 'paper', '', 1)",
    }[table]
    delete = sa.text(f"DELETE FROM {table} WHERE household = 'h1'")  # noqa: S608 -- a table of ours
    async with context.database.writing() as connection:
        await connection.execute(sa.text(row))
        await connection.execute(sa.text(TOMBSTONE.format("h2", "records")))
    with pytest.raises(DatabaseUnavailable):
        async with context.database.writing() as connection:
            await connection.execute(delete)
    async with context.database.writing() as connection:
        await connection.execute(sa.text(TOMBSTONE.format("h1", "records")))
        assert (await connection.execute(delete)).rowcount == 1


async def test_what_was_erased_is_not_forgotten_by_going_back(settings: Settings) -> None:
    async with open_context(settings) as context:
        async with context.database.writing() as connection:
            await connection.execute(sa.text(TOMBSTONE.format("h", "log")))
        await context.log.signing.cover()
        with pytest.raises(RuntimeError, match="Erasures"):
            async with context.database.writing() as connection:
                await connection.run_sync(_down, "0013")


def test_each_migration_names_the_one_before() -> None:
    assert schema.release() == "0015"
