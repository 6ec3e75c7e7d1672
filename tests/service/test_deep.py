"""A deep check: rows put back, added or taken away past the log, keys gone; what is no trouble."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from build import CARE, OPERATOR, SECOND_OFFICE, WORKER, a_visit, applied, handed_in, home_of
from other_host import other_host
from postgres import Cluster
from service.erased import erased_at_once, families
from stored_city import a_city

from visitsync.errors import SchemaMismatch
from visitsync.service import data_rotation, index_rotation, timelines
from visitsync.service.context import Context, open_context, open_database
from visitsync.service.deep import check
from visitsync.service.deep.newest import Newest
from visitsync.service.migration import migrate
from visitsync.settings import Settings
from visitsync.store import access_log as stored
from visitsync.store import epochs, schema
from visitsync.store.key_tables import data_key
from visitsync.store.tables import (
    consent_epoch,
    fact,
    index_term,
    link,
    log_anchor,
    log_entry,
    log_head,
    log_year,
    visit,
)


async def codes(settings: Settings) -> set[str]:
    found = await check.look(settings)
    assert bool(found.first) == bool(found.troubles)
    return {one.code for one in found.first}


async def past_the_log(settings: Settings, *statements: sa.Executable) -> None:
    """As somebody who has the database alone: without its triggers, which are there again later."""
    database = open_database(settings)
    async with database.writing() as connection:
        taken = []
        if connection.dialect.name == "sqlite":
            asked = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            taken = list((await connection.execute(asked)).all())
            for name, _ in taken:
                await connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            await connection.exec_driver_sql("SET LOCAL session_replication_role = 'replica'")
        for one in statements:
            await connection.execute(one)
        for _, made in taken:
            await connection.exec_driver_sql(made)
    await database.close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER {trigger}",
        "CREATE INDEX extra ON fact (household)",
        "DROP INDEX index_term_registration_idx",
        "ALTER TABLE message ADD COLUMN extra text",
        "CREATE VIEW extra AS SELECT * FROM fact",
    ],
)
async def test_what_the_database_is_made_of_is_looked_at(settings: Settings, change: str) -> None:
    async with open_context(settings) as context:
        await a_city(context)
    on = "fact_no_delete" if settings.embedded else "fact_append_only ON fact"
    database = open_database(settings)
    async with database.writing() as connection:
        await connection.exec_driver_sql(change.format(trigger=on))
    await database.close()

    assert "structure_changed" in await codes(settings)


async def rows_of(context: Context, table: sa.Table) -> Sequence[sa.RowMapping]:
    async with context.database.reading() as connection:
        return (await connection.execute(sa.select(table))).mappings().all()


async def test_nothing_is_wrong_with_what_was_written(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
        assert await codes(settings) == set()  # while it is served
    assert await codes(settings) == set()


async def test_what_is_changed_without_an_entry_or_after_it_gets_one(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
        async with context.log.writing() as turn:
            await epochs.bump(turn.connection, ["household:none"])
        async with context.database.reading() as connection:
            head = await stored.head(connection)
            entries = stored.entries(connection, head.shard, head.size, start=head.size - 1)
            ((_, _, leaf),) = [one async for one in entries]
    assert '"kind":"rows_changed"' in leaf
    assert await codes(settings) == set()


async def test_an_older_revision_of_a_row_put_back_is_found(settings: Settings) -> None:
    """Sealed rightly, in its own place: only the log tells that it is not the newest."""
    async with open_context(settings) as context:
        await a_city(context)
        before = await rows_of(context, consent_epoch)
        await handed_in(context, [a_visit(9)])
        await applied(context, staff=())
        after = await rows_of(context, consent_epoch)
    old = next(one for one in before if one not in after)
    put_back = sa.update(consent_epoch).where(consent_epoch.c.scope == old["scope"])
    await past_the_log(settings, put_back.values(value=old["value"]))

    assert await codes(settings) == {"row_changed"}


async def test_a_row_put_back_with_its_own_anchor_is_found(settings: Settings) -> None:
    """The newest anchors are taken away, too: then the entry that commits to them lacks them."""
    async with open_context(settings) as context:
        await a_city(context)
        newest = max(one["seq"] for one in await rows_of(context, log_anchor))
        await handed_in(context, [a_visit(9)])
    await past_the_log(
        settings,
        sa.delete(log_anchor).where(log_anchor.c.seq > newest),
        sa.delete(visit).where(
            visit.c.day == sa.select(sa.func.max(visit.c.day)).scalar_subquery()
        ),
    )

    assert "anchors_changed" in await codes(settings)


async def test_rows_added_or_taken_away_past_the_log_are_found(settings: Settings) -> None:
    async with open_context(settings) as context:
        home = await a_city(context)
    await past_the_log(settings, sa.delete(fact).where(fact.c.household == home))
    assert await codes(settings) == {"row_missing"}
    values = {"kind": "directive", "id": "d-x", "version": 1, "recorded_at": 0, "body": "{}"}
    await past_the_log(settings, sa.insert(fact).values(household=home, **values))

    assert await codes(settings) == {"row_missing", "row_without_anchor"}


async def test_control_without_what_is_left_a_row_taken_away_is_missed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_context(settings) as context:
        home = await a_city(context)
    await past_the_log(settings, sa.delete(fact).where(fact.c.household == home))
    monkeypatch.setattr(Newest, "left", lambda _: iter(()))

    assert await codes(settings) == set()


async def test_a_key_that_was_taken_away_is_found(settings: Settings) -> None:
    async with open_context(settings) as context:
        home = await a_city(context)
    await past_the_log(settings, sa.delete(data_key).where(data_key.c.household == home))

    assert await codes(settings) == {"key_missing", "entry_changed"}


async def test_a_key_that_was_destroyed_without_an_erasure_is_found(settings: Settings) -> None:
    async with open_context(settings) as context:
        home = await a_city(context)
    of_home = data_key.c.household == home
    await past_the_log(
        settings, sa.update(data_key).where(of_home).values(state="destroyed", wrapped=None)
    )

    assert await codes(settings) == {"key_changed", "key_missing", "entry_changed"}


@pytest.mark.parametrize("what", ["records", "log"])
async def test_an_erased_household_is_no_trouble(settings: Settings, what: str) -> None:
    async with open_context(settings) as context:
        home = await a_city(context)
        await erased_at_once(context, home)
        if what == "log":
            await erased_at_once(context, home, what)
    assert await codes(settings) == set()


async def test_nobody_hides_an_entry_under_a_household_that_was_erased(settings: Settings) -> None:
    """There it could not be opened by anybody, and would be told like any other erased one."""
    async with open_context(settings) as context:
        home = await a_city(context)
        (other,) = await families(context, 1)
        await timelines.view(context, WORKER, home, CARE)
        await erased_at_once(context, other)
        await erased_at_once(context, other, "log")
    assert await codes(settings) == set()
    hidden = sa.update(log_entry).where(log_entry.c.household == home).values(household=other)
    await past_the_log(settings, hidden)

    assert await codes(settings) == {"erased_entries_changed"}


async def test_a_key_that_comes_back_after_an_erasure_is_found(settings: Settings) -> None:
    async with open_context(settings) as context:
        home = await a_city(context)
        of_home = data_key.c.household == home
        async with context.database.reading() as connection:
            wrapped = (
                (await connection.execute(sa.select(data_key.c.wrapped).where(of_home)))
                .scalars()
                .first()
            )
        await erased_at_once(context, home)
    back = sa.update(data_key).where(of_home, data_key.c.kind == "records")
    await past_the_log(settings, back.values(state="active", wrapped=wrapped))

    assert "key_came_back" in await codes(settings)


async def test_what_goes_with_no_sealed_part_is_looked_at_too(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
    bare = sa.update(log_entry).where(log_entry.c.private.is_(None))
    await past_the_log(settings, bare.values(key_version=2))
    assert await codes(settings) == {"entry_changed"}


async def test_a_head_or_lock_under_another_number_is_found(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
    await past_the_log(settings, sa.update(log_head).values(only=2))
    assert "link_changed" in await codes(settings)


async def test_a_year_that_never_was_is_found(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
    year = sa.insert(log_year).values(shard="visitsync/visitsync/2019", size=0, note="")
    await past_the_log(settings, year)

    assert await codes(settings) == {"log_changed"}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # PostgreSQL takes no such text
async def test_a_text_that_is_none_hides_no_other_trouble(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
    await past_the_log(
        settings,
        sa.text("UPDATE agency SET name = CAST(x'ff41' AS TEXT)"),
        sa.update(consent_epoch).values(value=consent_epoch.c.value + 1),
    )

    assert {"unreadable", "row_changed"} <= await codes(settings)


async def test_rotated_keys_are_no_trouble(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
        await data_rotation.rotate(context, OPERATOR, grace=0)
        await index_rotation.prepare(context, OPERATOR)
        await index_rotation.rotate(context, OPERATOR, grace=0)
    assert await codes(settings) == set()


@pytest.mark.parametrize("change", ["gone", "other", "added"])
async def test_a_search_term_that_is_not_the_registrations_is_found(
    settings: Settings, change: str
) -> None:
    async with open_context(settings) as context:
        await a_city(context)
    database = open_database(settings)
    async with database.reading() as there:
        token, one, epoch = (await there.execute(sa.select(index_term).limit(1))).one()
    await database.close()
    this = sa.and_(index_term.c.token == token, index_term.c.registration == one)
    kind = token.split(":")[0]
    await past_the_log(
        settings,
        {
            "gone": sa.delete(index_term).where(this),
            "other": sa.update(index_term).where(this).values(token=f"{kind}:fff0"),
            "added": sa.insert(index_term).values(
                token=f"{kind}:fff0", registration=one, epoch=epoch
            ),
        }[change],
    )
    assert await codes(settings) == {"index_changed"}


async def test_a_link_that_another_table_contradicts_is_found(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
        one = await home_of(context, "S-1", SECOND_OFFICE)
    await past_the_log(settings, sa.update(link).where(link.c.household == one).values(until_at=1))

    assert await codes(settings) == {"link_changed", "row_changed"}


async def test_what_stands_there_when_it_is_migrated_is_anchored(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_city(context)
        async with context.database.writing() as connection:
            await connection.run_sync(_down)
    await migrate(settings)
    assert await codes(settings) == set()
    await past_the_log(settings, sa.update(fact).values(body="{}"))

    assert await codes(settings) == {"row_changed"}


def _down(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.scripts()))
    config.attributes["connection"] = connection
    command.downgrade(config, "0007")


async def test_a_database_that_is_not_set_up_is_told_as_such(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    with pytest.raises(SchemaMismatch, match="visitsync migrate"):
        await check.look(other_host(settings, tmp_path / "there", postgres))
