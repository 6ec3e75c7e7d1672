"""What `doctor` and `readyz` look at, and that each trouble is told by its own name."""

from __future__ import annotations

import time
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from build import applied

from visitsync.envelope import MasterKeys
from visitsync.errors import KeyFileError, SchemaMismatch, SettingsError
from visitsync.service import health
from visitsync.service.context import open_context
from visitsync.service.migration import migrate
from visitsync.settings import Settings, load


async def unfit(settings: Settings, *, now: float | None = None) -> dict[str, str]:
    found = await health.checks(settings, now=time.time() if now is None else now)
    return {one.name: one.code for one in found if not one.fit}


async def test_all_is_well(settings: Settings) -> None:
    found = await health.checks(settings, now=time.time())

    assert [one.name for one in found] == [
        "keys",
        "database",
        "durability",
        "server_log",
        "schema",
        "installation",
        "clock",
        "log",
    ]
    assert all(one.fit for one in found)


async def test_a_lost_key_file_is_named(settings: Settings) -> None:
    settings.keys.unlink()

    assert await unfit(settings) == {"keys": "bad_key_file"}
    with pytest.raises(KeyFileError):
        async with open_context(settings):
            pass
    with pytest.raises(KeyFileError):
        await migrate(settings)
    assert not settings.keys.exists(), "a lost key is never made anew"


async def test_another_databases_key_file_is_named(settings: Settings) -> None:
    settings.keys.unlink()
    MasterKeys.create(settings.keys)

    assert await unfit(settings) == {"installation": "bad_key_file", "log": "log_broken"}
    with pytest.raises(KeyFileError):
        async with open_context(settings):
            pass


async def test_a_key_file_that_others_can_read_is_named(settings: Settings) -> None:
    settings.keys.chmod(0o644)

    assert await unfit(settings) == {"keys": "bad_key_file"}


async def test_another_municipality_is_named(settings: Settings) -> None:
    other = load({}, data_dir=settings.data_dir, database_url=settings.database_url, tenant="other")

    assert "installation" in await unfit(other)
    with pytest.raises((SettingsError, KeyFileError)):
        async with open_context(other):
            pass


async def test_clocks_apart_are_named(settings: Settings) -> None:
    assert await unfit(settings, now=time.time() + 60) == {"clock": "clock_off"}


async def test_a_changed_head_is_named(settings: Settings) -> None:
    async with open_context(settings) as context:
        await applied(context)
        async with context.database.writing() as connection:
            await connection.execute(sa.text("UPDATE log_head SET size = size - 1"))

    assert await unfit(settings) == {"log": "log_broken"}


UNLOCKED = {
    "sqlite": ("DROP TRIGGER log_entry_no_update", "DROP TRIGGER log_entry_no_delete"),
    "postgresql": ("ALTER TABLE log_entry DISABLE TRIGGER ALL",),
}


@pytest.mark.parametrize(
    "done",
    [
        "UPDATE log_entry SET leaf = replace(leaf, 'seq', 'qes') WHERE seq = 1",
        "DELETE FROM log_entry WHERE seq = 1",
        "DELETE FROM log_entry WHERE seq > 0",
    ],
)
async def test_changed_entries_are_named_by_a_thorough_look(
    settings: Settings, engine: str, done: str
) -> None:
    async with open_context(settings) as context:
        await applied(context)
        async with context.database.writing() as connection:
            for statement in (*UNLOCKED[engine], done):
                await connection.execute(sa.text(statement))

    found = await health.checks(settings, now=time.time(), thorough=True)

    assert {one.name: one.code for one in found if not one.fit} == {"log": "log_broken"}


async def test_a_whole_log_is_fit_for_a_thorough_look(settings: Settings) -> None:
    async with open_context(settings) as context:
        await applied(context)

    assert all(one.fit for one in await health.checks(settings, now=time.time(), thorough=True))


@pytest.mark.parametrize(
    ("done", "named"),
    [
        ("DELETE FROM log_head", {"log": "log_broken"}),
        ("UPDATE log_head SET last_at = last_at + 3600000000", {"log": "clock_off"}),
        ("DELETE FROM data_key WHERE household = ''", {"installation": "tampered"}),
    ],
)
async def test_what_stops_the_service_is_named(
    settings: Settings, done: str, named: dict[str, str]
) -> None:
    async with open_context(settings) as context, context.database.writing() as connection:
        await connection.execute(sa.text(done))

    assert await unfit(settings) == named


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_missing_database_is_named_and_not_made_anew(settings: Settings) -> None:
    assert settings.embedded is not None
    settings.embedded.unlink()

    assert await unfit(settings) == {"database": "database_unavailable"}
    assert not settings.embedded.exists()


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_full_disk_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage(free=4096))

    assert (await unfit(settings))["database"] == "disk_full"


class _Usage(NamedTuple):
    free: int


async def test_another_schema_is_named(settings: Settings) -> None:
    async with open_context(settings) as context, context.database.writing() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = 'other'"))

    assert (await unfit(settings))["schema"] == "schema_mismatch"


async def test_a_schema_without_its_mark_is_named_and_not_made_over(settings: Settings) -> None:
    async with open_context(settings) as context, context.database.writing() as connection:
        await connection.execute(sa.text("DELETE FROM alembic_version"))

    assert (await unfit(settings))["schema"] == "schema_mismatch"
    with pytest.raises(SchemaMismatch, match="backup"):
        await migrate(settings)


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_a_damaged_file_is_named(settings: Settings) -> None:
    assert settings.embedded is not None
    settings.embedded.write_bytes(bytes(range(256)) * 64)

    (damaged,) = [one for one in await health.checks(settings, now=time.time()) if not one.fit]
    assert damaged.name == "database"
    assert "put a backup back" in damaged.message


async def test_a_database_that_is_gone_is_named(settings: Settings) -> None:
    away = load(
        {},
        data_dir=settings.data_dir,
        key_file=str(settings.keys),
        database_url="postgresql://nobody@127.0.0.1:1/none",
    )
    assert await unfit(away) == {"database": "database_unavailable"}
