"""What was erased stays erased, whatever is put back from a backup."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import FAMILY, handed_in
from conftest import verify
from postgres import Cluster
from service.erased import Backup, erased_at_once, families, openable, report_of

from visitsync.errors import DatabaseUnavailable, LogBroken, TombstonesError
from visitsync.service import context as opening
from visitsync.service import entries, tombstones
from visitsync.service.context import Context, open_context
from visitsync.service.folding import fold
from visitsync.service.keyring import LOG
from visitsync.service.tombstones import Replayed
from visitsync.settings import Settings
from visitsync.signer import Tombstones
from visitsync.store import access_log, data_keys
from visitsync.store.key_tables import data_key
from visitsync.store.tables import METADATA

MANY = 12
ERASED = 5


@pytest.fixture
def cluster(engine: str, postgres: Cluster | None) -> Cluster | None:
    return postgres if engine == "postgresql" else None


async def erased_after_a_backup(
    settings: Settings, cluster: Cluster | None
) -> tuple[Settings, list[str]]:
    """Five of twelve erased; then an older backup is put back, with its signer's memory."""
    async with open_context(settings) as context:
        homes = await families(context, MANY)
    backup = Backup(settings, cluster)
    async with open_context(settings) as context:
        for one in homes[:ERASED]:
            await erased_at_once(context, one)
        assert await openable(context, homes) == set(homes[ERASED:])
    return backup.put_back(settings), homes


async def test_f22_tombstones_are_replayed_before_an_older_backup_is_served(
    settings: Settings, cluster: Cluster | None
) -> None:
    restored, homes = await erased_after_a_backup(settings, cluster)

    async with open_context(restored) as context:
        assert await openable(context, homes) == set(homes[ERASED:])
        for one in homes[:ERASED]:
            assert await rows_about(context, one) == {"data_key", "tombstone", "consent_epoch"}
        assert await last_entry(context) == {"households": sorted(homes[:ERASED])}
        await verify(context)
    async with open_context(restored) as context:
        # There is nothing to do a second time, and the log does not say that there was.
        assert await last_entry(context) == {"households": sorted(homes[:ERASED])}


async def test_f22_control_without_the_replay_all_of_them_open(
    settings: Settings, cluster: Cluster | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored, homes = await erased_after_a_backup(settings, cluster)

    async def nothing(*_: Any) -> Replayed:
        return Replayed(0, 0)

    monkeypatch.setattr(tombstones, "replay", nothing)
    async with open_context(restored) as context:
        assert await openable(context, homes) == set(homes)


async def test_f22_an_older_keyring_beside_a_newer_database(settings: Settings) -> None:
    """Its keys are refused by the database itself; put in past it, they are destroyed again."""
    async with open_context(settings) as context:
        homes = await families(context, MANY)
        async with context.database.reading() as connection:
            keyring = await data_keys.of_households(connection, homes)
        for one in homes[:ERASED]:
            await erased_at_once(context, one)
        old = [one for one in keyring if one.household in homes[:ERASED]]
        for key in old:
            if (key.program, key.kind) != ("", LOG):
                with pytest.raises(DatabaseUnavailable):
                    await put_back(context, key)
        await past_the_database(context)
        for key in old:
            await put_back(context, key)
    async with open_context(settings) as context, context.database.reading() as connection:
        stored = await data_keys.of_households(connection, homes[:ERASED])
        active = {(one.program, one.kind) for one in stored if one.wrapped is not None}
        assert active == {("", LOG)}  # of which nobody erased anything
        assert await openable(context, homes) == set(homes[ERASED:])


async def put_back(context: Context, one: data_keys.Key) -> None:
    async with context.database.writing() as connection:
        await connection.execute(
            sa.text(
                "UPDATE data_key SET state = 'active', wrapped = :wrapped "
                "WHERE household = :household AND program = :program AND kind = :kind"
            ),
            [one._asdict()],
        )


async def past_the_database(context: Context) -> None:
    """Take the triggers away, as a restore that knows of nothing would be free of them."""
    on = " ON data_key" if context.database.name == "postgresql" else ""
    async with context.database.writing() as connection:
        await connection.execute(sa.text(f"DROP TRIGGER data_key_update_refused{on}"))


async def test_an_older_database_with_the_newest_signer_is_still_refused(
    settings: Settings, cluster: Cluster | None
) -> None:
    async with open_context(settings) as context:
        homes = await families(context, 2)
    backup = Backup(settings, cluster)
    async with open_context(settings) as context:
        await erased_at_once(context, homes[0])
        await handed_in(context, [report_of(3)])
        await context.log.signing.cover()
    memory = settings.signed_head.read_bytes()
    restored = backup.put_back(settings)
    settings.signed_head.write_bytes(memory)
    with pytest.raises(LogBroken, match="old database"):
        async with open_context(restored):
            pass


async def test_what_the_file_lost_is_written_to_it_again(settings: Settings) -> None:
    async with open_context(settings) as context:
        homes = await families(context, 2)
        one = await erased_at_once(context, homes[0])
        file = Tombstones(settings.tombstone_file)
        assert file.read() == (one,)
    settings.tombstone_file.write_bytes(b"")
    async with open_context(settings):
        assert file.read() == (one,)


async def test_nothing_is_served_where_nobody_could_tell_what_was_erased(
    settings: Settings,
) -> None:
    settings.tombstone_file.unlink()
    with pytest.raises(TombstonesError, match="missing"):
        async with open_context(settings):
            pass


async def test_other_processes_forget_what_was_erased(settings: Settings) -> None:
    async with open_context(settings) as one, open_context(settings) as other:
        homes = await families(one, 2)
        await openable(other, homes)
        place = next(iter(await records_places(other, homes[0])))
        assert other.keyring.kept({place: ()})
        other.folded.put(b"sealed", fold("r", "o", "multiples", FAMILY))
        await erased_at_once(one, homes[0])
        assert other.keyring.kept({place: ()})  # which is why somebody must look
        assert await opening.forget_erased(other) == {homes[0]}
        assert other.keyring.kept({place: ()}) is None
        assert other.folded.keys() == ()


async def records_places(context: Context, home: str) -> set[tuple[str, str, str]]:
    async with context.database.reading() as connection:
        rows = await data_keys.of_households(connection, [home])
    return {(one.household, one.program, one.kind) for one in rows if one.kind == "records"}


async def rows_about(context: Context, home: str) -> set[str]:
    """The tables in which some column holds a household's id, but for the log."""
    found = set()
    async with context.database.reading() as connection:
        for name, table in METADATA.tables.items():
            texts = [one for one in table.c if isinstance(one.type, sa.Text)]
            holds = [one.contains(home) for one in texts]
            if name != "log_entry" and holds:
                rows = await connection.execute(sa.select(table).where(sa.or_(*holds)).limit(1))
                if rows.first() is not None:
                    found.add(name)
    return found


async def last_entry(context: Context) -> dict[str, Any]:
    """What the newest entry of kind ``restore`` says in its sealed part."""
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        rows = [one async for one in access_log.rows(connection, head.shard, 0)]
        keys = context.keyring.opened(await data_keys.of_households(connection, [""]))
    wanted = [one for one in rows if msgspec.json.decode(one.leaf)["kind"] == "restore"]
    assert len(wanted) == 1
    return entries.open_private(context.keyring, keys["", "", LOG], wanted[0])


async def test_a_key_that_somebody_puts_back_does_not_stay_while_it_is_served(
    settings: Settings,
) -> None:
    async with open_context(settings) as context:
        (home,) = await families(context, 1)
        kept = await _keys(context, home)
        await erased_at_once(context, home)
        async with context.database.writing() as connection:
            if connection.dialect.name == "sqlite":
                await connection.execute(sa.text("DROP TRIGGER data_key_update_refused"))
            else:
                await connection.execute(sa.text("SET LOCAL session_replication_role = 'replica'"))
            for kind, wrapped in kept.items():
                await connection.execute(
                    sa.update(data_key)
                    .where(data_key.c.household == home, data_key.c.kind == kind)
                    .values(state="active", wrapped=wrapped)
                )
        assert any((await _keys(context, home)).values())

        assert await opening.forget_erased(context) == {home}

        left = await _keys(context, home)
        assert {kind for kind, wrapped in left.items() if wrapped} == {LOG}


async def _keys(context: Context, home: str) -> dict[str, bytes | None]:
    async with context.database.reading() as connection:
        return {one.kind: one.wrapped for one in await data_keys.of_households(connection, [home])}
