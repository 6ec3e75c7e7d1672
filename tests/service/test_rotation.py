"""Master keys are rotated while services run; an old one goes only when nothing stands under it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import sqlalchemy as sa
from build import (
    CARE,
    OFFICE,
    OPERATOR,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_visit,
    applied,
    as_office,
    consented,
    handed_in,
    home_of,
    ndjson,
    of_second_office,
)
from conftest import verify
from service.a_service import Service

from visitsync.envelope import MasterKeys, Wrapped
from visitsync.errors import (
    BadParameter,
    DatabaseUnavailable,
    KeyFileError,
    KeysLeft,
    NotAllowed,
    UnknownHousehold,
)
from visitsync.service import entries, key_status, rotation, tokens
from visitsync.service.context import Context, open_context
from visitsync.service.keyring import LOG, RECORDS
from visitsync.service.timelines import view
from visitsync.settings import Settings
from visitsync.store import access_log, data_keys, master_keys
from visitsync.store.data_keys import Key

SECOND = "custodian"
POINTS = int(os.environ.get("ROTATION_KILLS", "3"))
"""At night twenty."""


async def a_family(context: Context) -> str:
    """A household with records of two offices, which the worker sees."""
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    home = await home_of(context)
    await consented(context, home)
    return home


async def seen(context: Context, home: str) -> int:
    return len((await view(context, WORKER, home, CARE)).entries)


async def rotated(context: Context) -> int:
    begun = await rotation.begin(context, OPERATOR)
    wrapped = await rotation.wrap_anew(context)
    assert (begun.is_new, wrapped.done, wrapped.unreadable) == (True, begun.left, 0)
    return begun.epoch


async def counted(context: Context) -> dict[int, int]:
    async with context.database.reading() as connection:
        return await data_keys.counts(connection)


async def kinds(context: Context) -> list[str]:
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        found = [one async for one in access_log.rows(connection, head.shard, 0)]
    return [msgspec.json.decode(one.leaf)["kind"] for one in found]


@contextlib.asynccontextmanager
async def both(settings: Settings) -> AsyncIterator[tuple[Context, Context]]:
    """Who rotates, and a service that was there before."""
    async with open_context(settings) as one, open_context(settings) as other:
        yield one, other
        await verify(one)


# ── what it does ──────────────────────────────────────────────────────────────────────────────────
async def test_all_keys_stand_under_the_new_one_and_no_record_is_touched(
    settings: Settings,
) -> None:
    async with both(settings) as (context, service):
        home = await a_family(context)
        before = await counted(context)
        sealed = sa.text("SELECT id, revision, sealed FROM visit ORDER BY id, revision")
        async with context.database.reading() as connection:
            records = (await connection.execute(sealed)).all()

        assert await rotated(context) == 2

        assert await counted(context) == {2: sum(before.values())}
        async with context.database.reading() as connection:
            assert (await connection.execute(sealed)).all() == records
        # The service learns of the new key file by itself; so does one that begins now.
        assert await seen(service, home) == await seen(context, home) == 3
    async with open_context(settings) as later:
        assert await seen(later, home) == 3


async def test_the_log_says_who_rotated_and_retired(settings: Settings) -> None:
    async with both(settings) as (context, _):
        await rotated(context)
        await rotation.retire(context, OPERATOR, 1, SECOND)

        assert (await kinds(context))[-2:] == ["key_rotated", "key_retired"]
        async with context.database.reading() as connection:
            head = await access_log.head(connection)
            rows = [one async for one in access_log.rows(connection, head.shard, head.size - 2)]
            keys = context.keyring.opened(await data_keys.of_households(connection, [""]))
        told = [entries.open_private(context.keyring, keys["", "", LOG], row) for row in rows]
        held = MasterKeys.load(settings.keys)
        assert told[0] == {"key": "master", "epoch": 2, "id": held.key_id(2)}
        assert (told[1]["epoch"], told[1]["confirmed_by"]) == (1, SECOND)


async def test_only_operators_rotate_and_retire(context: Context) -> None:
    with pytest.raises(NotAllowed):
        await rotation.begin(context, as_office(OFFICE))
    with pytest.raises(NotAllowed):
        await rotation.retire(context, as_office(OFFICE), 1, SECOND)


# ── what may be retired ───────────────────────────────────────────────────────────────────────────
async def test_a_key_is_not_retired_while_a_row_is_left(context: Context) -> None:
    await a_family(context)
    await rotation.begin(context, OPERATOR)

    with pytest.raises(KeysLeft, match="rotate --master"):
        await rotation.retire(context, OPERATOR, 1, SECOND)

    assert MasterKeys.load(context.settings.keys).epochs == (1, 2)
    await rotation.wrap_anew(context)
    await rotation.retire(context, OPERATOR, 1, SECOND)
    assert MasterKeys.load(context.settings.keys).epochs == (2,)


@pytest.mark.parametrize("second", ["", "  ", OPERATOR.id, OPERATOR.id.upper(), f" {OPERATOR.id} "])
async def test_one_person_alone_retires_nothing(context: Context, second: str) -> None:
    await rotated(context)
    with pytest.raises(BadParameter) as caught:
        await rotation.retire(context, OPERATOR, 1, second)
    assert caught.value.where == "second"
    assert MasterKeys.load(context.settings.keys).epochs == (1, 2)


@pytest.mark.parametrize("epoch", [2, 3, 9])
async def test_the_newest_or_none_is_not_retired(context: Context, epoch: int) -> None:
    await rotated(context)
    MasterKeys.rotate(context.settings.keys)  # cut short: the database does not name it yet
    with pytest.raises(BadParameter) as caught:
        await rotation.retire(context, OPERATOR, epoch, SECOND)
    assert caught.value.where == "epoch"
    assert MasterKeys.load(context.settings.keys).epochs == (1, 2, 3)


async def test_what_a_retired_key_wrapped_never_opens(context: Context) -> None:
    await a_family(context)
    async with context.database.reading() as connection:
        old = next(one for one in await data_keys.of_households(connection, [""]) if one.wrapped)
    await rotated(context)
    await rotation.retire(context, OPERATOR, 1, SECOND)

    assert old.wrapped is not None
    with pytest.raises(KeyFileError, match="no master key of epoch 1"):
        MasterKeys.load(context.settings.keys).unwrap(Wrapped(1, old.wrapped), b"")
    # The database takes no row under it either, wherever it comes from.
    with pytest.raises(DatabaseUnavailable):
        async with context.database.writing() as connection:
            await data_keys.add(connection, [old._replace(household="h-other")])
    back = sa.text("UPDATE data_key SET epoch = 1 WHERE household = ''")
    with pytest.raises(DatabaseUnavailable):
        async with context.database.writing() as connection:
            await connection.execute(back)


async def test_a_key_that_is_made_meanwhile_holds_the_old_one_in_place(context: Context) -> None:
    """The database itself refuses to let go of an epoch under which a row is being added."""
    await rotated(context)
    async with context.database.writing() as connection:
        await data_keys.add(connection, [Key("h-new", "", LOG, 1, "active", bytes(114))])

    with pytest.raises(DatabaseUnavailable):
        async with context.database.writing() as connection:
            await master_keys.end(connection, 1)
    with pytest.raises(KeysLeft):
        await rotation.retire(context, OPERATOR, 1, SECOND)


async def test_an_altered_key_is_told_and_keeps_its_master_key(context: Context) -> None:
    home = await a_family(context)
    altered = sa.text(
        "UPDATE data_key SET wrapped = :bytes WHERE household = :home AND kind = :kind"
    )
    async with context.database.writing() as connection:
        rows = await data_keys.of_households(connection, [home])
        row = next(one for one in rows if one.kind == RECORDS and one.wrapped)
        assert row.wrapped is not None
        damaged = row.wrapped[:-1] + bytes((row.wrapped[-1] ^ 1,))
        values = {"bytes": damaged, "home": home, "kind": LOG}
        await connection.execute(altered, values)
    begun = await rotation.begin(context, OPERATOR)
    wrapped = await rotation.wrap_anew(context)

    assert (wrapped.done, wrapped.unreadable) == (begun.left - 1, 1)
    assert (await counted(context))[1] == 1
    with pytest.raises(KeysLeft):
        await rotation.retire(context, OPERATOR, 1, SECOND)
    # It is gone on with, and no further master key is made for it.
    assert not (await rotation.begin(context, OPERATOR)).is_new


# ── services that run meanwhile ───────────────────────────────────────────────────────────────────
async def test_a_service_that_knows_nothing_makes_no_key_under_a_retired_one(
    settings: Settings,
) -> None:
    async with both(settings) as (context, service):
        await a_family(context)
        await rotated(context)
        await rotation.retire(context, OPERATOR, 1, SECOND)

        await handed_in(service, [a_visit(9, case_no="F-9", persons=OTHER_FAMILY)])

        assert set(await counted(context)) == {2}
        home = await home_of(service, "F-9")
        await consented(service, home)
        async with context.database.reading() as connection:
            rows = await data_keys.of_households(connection, [home])
        assert all(context.keyring.opened(rows)[home, one.program, one.kind] for one in rows)


async def test_none_and_hidden_are_still_the_same_after_a_retirement(settings: Settings) -> None:
    async with both(settings) as (context, service):
        home = await a_family(context)
        with pytest.raises(UnknownHousehold):
            await view(service, WORKER, "h-none", CARE)
        await rotated(context)
        await rotation.retire(context, OPERATOR, 1, SECOND)
        for household in ("h-none", home, "h-none"):
            with contextlib.suppress(UnknownHousehold):
                await view(service, WORKER, household, CARE)
        with pytest.raises(UnknownHousehold):
            await view(service, WORKER, "h-none", CARE)


async def test_a_key_file_that_lacks_an_epoch_is_not_read_over_and_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both(settings) as (context, service):
        await a_family(context)
        kept = settings.keys.read_bytes()
        await rotated(context)
        settings.keys.write_bytes(kept)
        read: list[Path] = []
        load = MasterKeys.load

        def counting(path: Path, *form: Any) -> MasterKeys:
            read.append(path)
            return load(path, *form)

        monkeypatch.setattr(MasterKeys, "load", counting)
        async with context.database.reading() as connection:
            rows = await data_keys.of_households(connection, [""])
        for _ in range(20):
            with pytest.raises(KeyFileError, match="no master key of epoch 2"):
                service.keyring.opened(rows)["", "", LOG]
        assert len(read) == 1
        # Control: after a while it is looked at again, and what was put right is found.
        monkeypatch.setattr(service.keyring, "_not_before", 0.0)
        MasterKeys.rotate(settings.keys)
        with pytest.raises(KeyFileError, match="not the one that wrapped"):
            service.keyring.opened(rows)["", "", LOG]


# ── old key files ─────────────────────────────────────────────────────────────────────────────────
async def test_an_older_key_file_is_refused_and_says_what_to_do(settings: Settings) -> None:
    kept = settings.keys.read_bytes()
    async with open_context(settings) as context:
        await a_family(context)
        await rotated(context)
    newest = settings.keys.read_bytes()
    key_id = MasterKeys.load(settings.keys).key_id(2)
    settings.keys.write_bytes(kept)

    with pytest.raises(KeyFileError, match=f"epoch 2 .{key_id}.. Put its newest copy back"):
        async with open_context(settings):
            pass
    # Rotated from the older copy, its second key is another one.
    MasterKeys.rotate(settings.keys)
    with pytest.raises(KeyFileError, match=f"not this database's .{key_id}.: an older copy"):
        async with open_context(settings):
            pass
    settings.keys.write_bytes(newest)
    async with open_context(settings):
        pass


async def test_an_older_database_asks_for_the_key_file_of_its_time(settings: Settings) -> None:
    kept = settings.keys.read_bytes()
    MasterKeys.rotate(settings.keys)
    MasterKeys.retire(settings.keys, 1)

    with pytest.raises(KeyFileError, match=r"epoch 1 .* kept from that time"):
        async with open_context(settings):
            pass
    settings.keys.write_bytes(kept)
    async with open_context(settings):
        pass


async def test_another_installations_key_file_is_not_taken_while_it_runs(
    settings: Settings, tmp_path: Path
) -> None:
    async with both(settings) as (_, service):
        other = MasterKeys.create(tmp_path / "other")
        with pytest.raises(KeyFileError, match="another database's"):
            service.keyring.use(other)


# ── status ────────────────────────────────────────────────────────────────────────────────────────
async def test_the_status_follows_a_rotation_and_holds_no_key(context: Context) -> None:
    await a_family(context)
    path = context.settings.keys

    async def states() -> dict[int, str]:
        found = await key_status.status(context)
        text = msgspec.json.encode(found).decode()
        for line in path.read_text().splitlines()[1:]:
            assert line.split()[-1] not in text
        return {one.epoch: one.state for one in found.masters}

    assert await states() == {1: "newest"}
    MasterKeys.rotate(path)
    assert await states() == {1: "newest", 2: "not_begun"}
    await rotation.begin(context, OPERATOR)
    assert await states() == {1: "in_use", 2: "newest"}
    await rotation.wrap_anew(context)
    assert await states() == {1: "may_be_retired", 2: "newest"}
    kept = path.read_bytes()
    await rotation.retire(context, OPERATOR, 1, SECOND)
    assert await states() == {2: "newest"}
    path.write_bytes(kept)
    assert await states() == {1: "retired", 2: "newest"}
    await rotation.retire(context, OPERATOR, 1, SECOND)
    assert await states() == {2: "newest"}


# ── killed, and under load ────────────────────────────────────────────────────────────────────────
def environment(settings: Settings) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VISITSYNC_")}
    return {
        **clean,
        "VISITSYNC_DATA_DIR": str(settings.data_dir),
        "VISITSYNC_DATABASE_URL": settings.database_url,
    }


async def rotate_and_kill(settings: Settings, line: int, key: str = "master") -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("killed_rotation.py")), str(line), key),
        env=environment(settings),
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def killed_at(settings: Settings, points: int) -> None:
    """Kill a rotation at as many of our lines; each time all is read, and it is gone on with."""
    async with open_context(settings) as service:
        home = await a_family(service)
        status, out = await rotate_and_kill(settings, 0)
        assert status == 0
        lines = int(out)
        assert lines > 200
        assert await seen(service, home) == 3
        for point in range(points):
            line = 1 + (lines - 1) * (2 * point + 1) // (2 * points)
            status, _ = await rotate_and_kill(settings, line)
            assert status == -signal.SIGKILL, line
            # Whoever runs reads on, whoever begins now reads too, and nothing is lost.
            assert await seen(service, home) == 3, line
            async with open_context(settings) as context:
                assert await seen(context, home) == 3, line
                await rotation.begin(context, OPERATOR)
                await rotation.wrap_anew(context)
                found = await key_status.status(context)
                for one in found.masters[:-1]:
                    await rotation.retire(context, OPERATOR, one.epoch, SECOND)
                found = await key_status.status(context)
                assert [one.state for one in found.masters] == ["newest"], line
                assert await seen(context, home) == 3, line
        folder = [one.name for one in settings.data_dir.iterdir() if "key" in one.name]
        assert folder == [settings.keys.name]
        rotations = (await kinds(service)).count("key_rotated")
        assert rotations == (await key_status.status(service)).newest - 1
        await verify(service)


@pytest.mark.long
async def test_a_rotation_killed_anywhere_is_gone_on_with(settings: Settings) -> None:
    await killed_at(settings, POINTS)


async def test_no_read_fails_while_keys_are_rotated_under_two_services(
    settings: Settings,
) -> None:
    async with open_context(settings) as context:
        home = await a_family(context)
        families = [a_visit(100 + n, case_no=f"G-{n}", persons=()) for n in range(300)]
        await handed_in(context, families)
        worker = await tokens.issue(context, OPERATOR, subject="staff:worker", days=1)
        office = await tokens.issue(context, OPERATOR, subject=f"office:{OFFICE}", days=1)
    services = [Service(settings), Service(settings)]
    answers: list[int] = []
    stop = asyncio.Event()

    async def read(session: aiohttp.ClientSession, url: str) -> None:
        asked = f"{url}/api/v1/households/{home}/timeline?purpose={CARE}"
        while not stop.is_set():
            async with session.get(
                asked, headers={"Authorization": f"Bearer {worker.secret}"}
            ) as answer:
                answers.append(answer.status)
                assert len((await answer.json())["entries"]) == 3
            await asyncio.sleep(0.05)

    async def hand_in(session: aiohttp.ClientSession, url: str, first: int) -> None:
        number = first
        while not stop.is_set():
            number += 1
            one = a_visit(number, case_no=f"L-{number}", persons=())
            async with session.post(
                f"{url}/api/v1/offices/{OFFICE}/submissions",
                data=ndjson([one]).content,
                headers={
                    "Authorization": f"Bearer {office.secret}",
                    "Content-Type": "application/x-ndjson",
                },
            ) as answer:
                answers.append(answer.status)
                await answer.read()
            await asyncio.sleep(0.05)

    async def rotate() -> None:
        for old in (1, 2):
            await rotated_and_retired(settings, old)
        stop.set()

    async with aiohttp.ClientSession() as session:
        try:
            for service in services:
                await service.start(session)
            async with asyncio.TaskGroup() as group:
                for place, service in enumerate(services):
                    group.create_task(read(session, service.url))
                    group.create_task(hand_in(session, service.url, 10_000 * (place + 1)))
                group.create_task(rotate())
        finally:
            stop.set()
            for service in services:
                await service.kill()
    assert set(answers) == {200}
    assert len(answers) > 50
    async with open_context(settings) as context:
        assert set(await counted(context)) == {3}
        assert await seen(context, home) == 3
        await verify(context)


async def rotated_and_retired(settings: Settings, old: int) -> None:
    """A service that has not seen the newer key file yet wraps under the old key for some seconds.

    Then the old one is not let go, and the rotation is gone on with, as the command says.
    """
    for _ in range(20):
        await commanded(settings, "--master")
        left = await refused(settings, "--retire", f"{old}", "--second", SECOND)
        if not left:
            return
        assert "data keys stand under the master key" in left
        await asyncio.sleep(0.5)
    pytest.fail("the old key is never let go")


async def commanded(settings: Settings, *arguments: str) -> None:
    assert not await refused(settings, *arguments)


async def refused(settings: Settings, *arguments: str) -> str:
    """Why the command did not do it; empty where it did."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "visitsync", "keys", "rotate", *arguments),
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, err = await process.communicate()
    return "" if process.returncode == 0 else err.decode() or "no reason"


def test_a_copy_of_the_key_file_is_the_key_file(tmp_path: Path) -> None:
    """What custodians keep: a plain copy is enough."""
    keys = MasterKeys.create(tmp_path / "keys")
    shutil.copy(tmp_path / "keys", tmp_path / "copy")
    assert MasterKeys.load(tmp_path / "copy").key_id(1) == keys.key_id(1)
