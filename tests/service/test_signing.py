"""The log's heads are signed after their commit, and nothing is read that cannot be signed."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from build import CARE, WORKER, a_visit, applied, consented, handed_in, home_of
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import Checkpoint, Frontier, NoteVerifier, leaf_hash, open_signed
from visitsync.errors import DatabaseUnavailable, LogBroken, SignerError
from visitsync.service import access_log, timelines
from visitsync.service.context import Context, open_context
from visitsync.service.health import checks
from visitsync.settings import Settings
from visitsync.signer import Extension, Signed, Signer
from visitsync.store import access_log as stored
from visitsync.store.access_log import Head


async def a_household(context: Context) -> str:
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    home = await home_of(context)
    await consented(context, home)
    return home


async def head_of(context: Context) -> Head:
    async with context.database.reading() as connection:
        return await stored.head(connection)


def checked(context: Context, note: str) -> Checkpoint:
    return open_signed(note, [NoteVerifier(context.log.vkey)])


async def test_soon_after_a_look_its_head_is_signed(context: Context) -> None:
    home = await a_household(context)
    await timelines.view(context, WORKER, home, CARE)
    head = await head_of(context)
    for _ in range(100):
        if head.signed == head.size:
            break
        await asyncio.sleep(0.1)
        head = await head_of(context)
    root = Frontier.from_bytes(head.frontier).root()
    assert checked(context, head.note) == Checkpoint(head.shard, head.size, root)
    assert head.unsigned_since is None


async def test_a_checkpoint_covers_all_that_is_committed(context: Context) -> None:
    home = await a_household(context)
    await timelines.view(context, WORKER, home, CARE)
    head = await head_of(context)
    assert checked(context, await access_log.checkpoint(context)).size == head.size


async def test_a_service_that_ended_before_it_was_signed_has_it_signed_at_the_next_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_context(settings) as context:
        with monkeypatch.context() as patch:
            patch.setattr(Signer, "extend", _down)
            await a_household(context)
            await context.log.stop()
            left = await head_of(context)
            assert left.signed < left.size
    async with open_context(settings) as context:
        head = await head_of(context)
        assert head.size == left.size == head.signed


async def test_stopping_while_it_is_signed_has_it_signed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    extend, begun = Signer.extend, threading.Event()

    def slowly(one: Signer, asked: Extension) -> Signed | None:
        begun.set()
        time.sleep(0.3)
        return extend(one, asked)

    async with open_context(settings) as context:
        await a_household(context)
        await context.log.signing.cover()
        await asyncio.sleep(1.1)  # so that its turn is not put off
        monkeypatch.setattr(Signer, "extend", slowly)
        await handed_in(context, [a_visit(5)])
        assert await asyncio.to_thread(begun.wait, 5)
        await context.log.stop()
        head = await head_of(context)
        assert head.signed == head.size


# ── another database ──────────────────────────────────────────────────────────────────────────────
def copied(settings: Settings, home: Path) -> None:
    """The database as it is now, elsewhere."""
    assert settings.embedded is not None
    home.mkdir()
    with (
        closing(sqlite3.connect(settings.embedded)) as one,
        closing(sqlite3.connect(home / "visitsync.db")) as other,
    ):
        one.backup(other)


def put_back(settings: Settings, home: Path) -> None:
    """The database as it was then."""
    assert settings.embedded is not None
    shutil.copy(home / "visitsync.db", settings.embedded)
    for beside in ("-wal", "-shm"):
        settings.embedded.with_name(settings.embedded.name + beside).unlink(missing_ok=True)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_old_database_put_back_before_a_start_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_context(settings) as context:
        await a_household(context)
        await context.log.signing.cover()
        copied(settings, tmp_path / "backup")
        await handed_in(context, [a_visit(7)])
    put_back(settings, tmp_path / "backup")

    with pytest.raises(LogBroken, match="old database was put back"):
        async with open_context(settings):
            pass
    (log,) = [one for one in await checks(settings, now=0) if one.name == "log"]
    assert (log.fit, log.code) == (False, "log_broken")
    assert "runbook" in log.message


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_control_without_the_signers_memory_an_old_database_would_be_taken(
    settings: Settings, tmp_path: Path
) -> None:
    """So it is its memory that refuses it: put back with the database, it knows nothing."""
    async with open_context(settings) as context:
        await a_household(context)
        await context.log.signing.cover()
        copied(settings, tmp_path / "backup")
        shutil.copy(settings.signed_head, tmp_path / "backup")
        await handed_in(context, [a_visit(7)])
    put_back(settings, tmp_path / "backup")
    shutil.copy(tmp_path / "backup" / settings.signed_head.name, settings.signed_head)

    async with open_context(settings) as context:
        assert (await head_of(context)).size


async def test_a_signer_that_lost_its_memory_signs_nothing(settings: Settings) -> None:
    async with open_context(settings) as context:
        await a_household(context)
    settings.signed_head.unlink()

    with pytest.raises(LogBroken, match="does not remember"):
        async with open_context(settings):
            pass
    assert not settings.signed_head.exists()


async def test_an_entry_changed_before_it_was_signed_stops_all_reading(
    settings: Settings, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can write to the database alone gets nothing signed."""
    async with open_context(settings) as context:
        home = await a_household(context)
        await context.log.signing.cover()
        with monkeypatch.context() as patch:
            patch.setattr(Signer, "extend", _down)
            await timelines.view(context, WORKER, home, CARE)
            async with context.database.writing() as connection:
                off = "DROP TRIGGER log_entry_no_update"
                if engine != "sqlite":
                    off = "ALTER TABLE log_entry DISABLE TRIGGER log_entry_append_only"
                await connection.execute(sa.text(off))
                await connection.execute(
                    sa.text("UPDATE log_entry SET leaf = replace(leaf, 'timeline_read', 'print')")
                )
        context.log.signing.wake()
        for _ in range(100):
            if context.log.signing.refused is not None:
                break
            await asyncio.sleep(0.1)

        with pytest.raises(LogBroken, match="not the one that was signed"):
            await timelines.view(context, WORKER, home, CARE)


# ── a signer that is away ─────────────────────────────────────────────────────────────────────────
def _down(_: Signer, __: Extension) -> Signed | None:
    raise SignerError("The signer is away")


async def test_a_signer_that_is_away_is_waited_for_a_minute_and_then_nothing_is_read(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await a_household(context)
    await context.log.signing.cover()
    with monkeypatch.context() as patch:
        patch.setattr(Signer, "extend", _down)
        assert (await timelines.view(context, WORKER, home, CARE)).entries
        await _let_pass(context, seconds=55)
        assert (await timelines.view(context, WORKER, home, CARE)).entries
        await _let_pass(context, seconds=10)
        with pytest.raises(DatabaseUnavailable, match="signer"):
            await timelines.view(context, WORKER, home, CARE)
        with pytest.raises(DatabaseUnavailable, match="signer"):
            await handed_in(context, [a_visit(3)])

    await context.log.signing.cover()
    assert (await timelines.view(context, WORKER, home, CARE)).entries


async def test_nobody_hides_in_the_database_that_an_entry_waits_for_the_signer(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await a_household(context)
    await context.log.signing.cover()
    monkeypatch.setattr(Signer, "extend", _down)
    assert (await timelines.view(context, WORKER, home, CARE)).entries
    async with context.database.writing() as connection:
        await connection.execute(sa.text("UPDATE log_head SET unsigned_since = NULL"))
    with pytest.raises(LogBroken, match="contradicts itself"):
        await timelines.view(context, WORKER, home, CARE)
    async with context.database.writing() as connection:  # so that the log is verified at the end
        await connection.execute(sa.text("UPDATE log_head SET unsigned_since = last_at"))


async def _let_pass(context: Context, *, seconds: int) -> None:
    async with context.database.writing() as connection:
        await connection.execute(
            sa.text("UPDATE log_head SET unsigned_since = unsigned_since - :passed"),
            {"passed": seconds * 1_000_000},
        )


async def test_a_checkpoint_that_does_not_cover_the_head_is_not_believed(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_household(context)
    made = await context.log.signing.cover()

    def an_older_one(signer: Signer, _: Extension) -> Signed | None:
        return signer.signed()

    await handed_in(context, [a_visit(3)])
    with monkeypatch.context() as patch:
        patch.setattr(Signer, "extend", an_older_one)
        if (await head_of(context)).signed == checked(context, made).size:
            with pytest.raises(LogBroken, match="another head"):
                await context.log.signing.cover()


async def test_two_services_on_one_log_leave_neither_gap_nor_fork(settings: Settings) -> None:
    async with open_context(settings) as one, open_context(settings) as other:
        home = await a_household(one)
        looks = [
            timelines.view(each, WORKER, home, CARE) for _ in range(20) for each in (one, other)
        ]
        await asyncio.gather(*looks)
        await asyncio.gather(one.log.signing.cover(), other.log.signing.cover())
        head = await head_of(one)
        async with one.database.reading() as connection:
            leaves = [
                (seq, leaf)
                async for seq, _, leaf in stored.entries(connection, head.shard, head.size)
            ]
    assert [seq for seq, _ in leaves] == list(range(head.size))
    tree = Frontier(leaf_hash(leaf.encode()) for _, leaf in leaves)
    assert checked(one, head.note) == Checkpoint(head.shard, head.size, tree.root())


async def test_what_another_service_signs_meanwhile_is_no_old_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_context(settings) as one, open_context(settings) as other:
        home = await a_household(one)
        for each in (one, other):
            await each.log.signing.stop()
        read = stored.head

        async def overtaken(connection: AsyncConnection) -> Head:
            found = await read(connection)
            monkeypatch.setattr(stored, "head", read)
            await timelines.view(other, WORKER, home, CARE)
            await other.log.signing.cover()
            return found

        await timelines.view(one, WORKER, home, CARE)
        monkeypatch.setattr(stored, "head", overtaken)
        note = await one.log.signing.cover()
        assert checked(one, note).size == (await head_of(one)).size
