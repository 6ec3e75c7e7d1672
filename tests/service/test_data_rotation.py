"""Data keys are rotated while services run: rows are sealed anew, no read fails, old ones go."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import (
    OFFICE,
    OPERATOR,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_visit,
    applied,
    as_office,
    handed_in,
    home_of,
    of_second_office,
)
from conftest import verify
from service.erased import erased_at_once
from service.test_evidence import PDF, evidenced, read
from service.test_rotation import a_family, seen

from visitsync.errors import BadParameter, DatabaseUnavailable, NotAllowed, Tampered
from visitsync.service import (
    data_rotation,
    directory,
    entries,
    key_status,
    resealing,
    rotation,
)
from visitsync.service.context import Context, open_context
from visitsync.service.data_rotation import Rotated
from visitsync.service.deep import check
from visitsync.service.evidence import Evidence
from visitsync.service.keyring import (
    EVIDENCE,
    LOG,
    PERSONS,
    RECORDS,
    REPORTS,
    STAFF,
    DataKey,
    VisitPlace,
)
from visitsync.settings import Settings
from visitsync.store import access_log, data_keys, households, rotations, sealed_rows, visits
from visitsync.store.access_log import Row
from visitsync.store.data_keys import DESTROYED

# What these show does not depend on the database.
once = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

SCAN = Evidence(kind="paper", media_type="application/pdf", content=PDF)


async def rotated(context: Context, household: str | None = None) -> Rotated:
    return await data_rotation.rotate(context, OPERATOR, household, grace=0)


async def versions(context: Context) -> dict[tuple[str, int], int]:
    async with context.database.reading() as connection:
        return await data_keys.versions(connection)


async def stand(context: Context) -> dict[str, dict[int, int]]:
    """Under which versions rows stand."""
    async with context.database.reading() as connection:
        return {kind: await sealed_rows.counts(connection, kind) for kind in sealed_rows.KINDS}


async def logged(context: Context) -> list[Row]:
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        return [one async for one in access_log.rows(connection, head.shard, 1)]


async def opened(context: Context, row: Row) -> dict[str, Any]:
    async with context.database.reading() as connection:
        stored = await data_keys.of_households(connection, [row.household or ""])
    keys = context.keyring.opened(stored)
    return entries.open_private(context.keyring, keys[row.household or "", "", LOG], row)


@pytest.fixture
async def home(context: Context) -> str:
    """A family with visits, a signed paper and a repeated submission."""
    home = await a_family(context)
    await evidenced(context, home, SCAN)
    await handed_in(context, [a_visit(7)], idempotency_key="again")
    return home


# ── what it does ──────────────────────────────────────────────────────────────────────────────────
async def test_every_row_is_sealed_anew_and_says_the_same(context: Context, home: str) -> None:
    told = await directory.current(context)
    before = await stand(context)
    keys = sum((await versions(context)).values())
    assert {one for each in before.values() for one in each} == {1}
    assert set(before) == {RECORDS, PERSONS, EVIDENCE, STAFF, REPORTS}

    done = await rotated(context)

    assert done == Rotated(
        keys=keys,
        rows=sum(one[1] for one in before.values()),
        destroyed=keys - (await versions(context))[LOG, 2],
        unreadable=0,
    )
    assert await stand(context) == {kind: {2: count[1]} for kind, count in before.items()}
    assert {version for kind, version in await versions(context) if kind != LOG} == {2}
    assert await seen(context, home) == 4
    assert await directory.current(context) == told
    (directive,) = await _directives(context)
    assert await read(context, directive) == SCAN
    again = await handed_in(context, [a_visit(7)], idempotency_key="again")
    assert again.repeated


async def _directives(context: Context) -> list[str]:
    async with context.database.reading() as connection:
        rows = await connection.execute(sa.text("SELECT directive FROM evidence"))
        return list(rows.scalars())


@once
async def test_a_second_rotation_makes_a_third_version(context: Context, home: str) -> None:
    await rotated(context)
    await rotated(context)
    assert {version for kind, version in await versions(context) if kind != LOG} == {3}
    assert await seen(context, home) == 4


async def test_the_log_keeps_its_old_keys_and_is_read_on(context: Context, home: str) -> None:
    before = await logged(context)
    private = [one for one in before if one.private is not None]
    told = [await opened(context, one) for one in private]
    assert len(told) > 3

    await rotated(context)
    await seen(context, home)

    after = await logged(context)
    assert after[: len(before)] == before  # the log only grows
    assert [await opened(context, one) for one in private] == told
    assert {kind_version for kind_version in await versions(context) if kind_version[0] == LOG} == {
        (LOG, 1),
        (LOG, 2),
    }
    assert after[-1].key_version == 2
    await opened(context, after[-1])


@once
async def test_a_key_that_says_to_be_of_tomorrow_is_rotated_all_the_same(
    context: Context, home: str
) -> None:
    async with context.database.writing() as connection:
        await connection.execute(sa.text("UPDATE data_key SET made_at = made_at + 86400000000"))
    await rotated(context)
    async with context.database.reading() as connection:
        rows = await data_keys.of_households(connection, [home])
    assert {one.version for one in rows if one.kind != LOG} == {2}


@once
async def test_the_keys_of_one_household_alone(context: Context, home: str) -> None:
    await handed_in(context, [a_visit(9, case_no="F-9", persons=OTHER_FAMILY)])
    other = await home_of(context, "F-9")
    done = await rotated(context, home)
    assert done.keys == 5  # records of two programs, persons, evidence, log
    async with context.database.reading() as connection:
        for household, version in ((home, 2), (other, 1), ("", 1)):
            rows = await data_keys.of_households(connection, [household])
            assert max(one.version for one in rows) == version
            assert {one.version for one in rows if one.kind != LOG} == {version}
    assert await seen(context, home) == 4


@once
async def test_only_an_operator_rotates_and_only_what_there_is(context: Context) -> None:
    await applied(context)
    with pytest.raises(NotAllowed):
        await data_rotation.rotate(context, as_office(OFFICE))
    with pytest.raises(NotAllowed):
        await data_rotation.rotate(context, WORKER)
    with pytest.raises(BadParameter):
        await rotated(context, "h-none")
    assert {version for _, version in await versions(context)} == {1}


@once
async def test_another_one_does_not_begin_before_the_first_is_done(
    context: Context, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_rotation, "_step", _cut_short)
    with pytest.raises(_CutShort):
        await rotated(context)
    monkeypatch.undo()
    with pytest.raises(BadParameter, match="cut short"):
        await rotated(context, home)
    await rotated(context)
    await rotated(context, home)


class _CutShort(Exception):
    pass


async def _cut_short(*_: object) -> None:
    raise _CutShort


# ── what the log says ─────────────────────────────────────────────────────────────────────────────
async def test_each_transaction_anchors_what_it_sealed(
    context: Context, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch by batch the log says what the rows are now, and nothing else can have changed them."""
    assert home
    monkeypatch.setattr(resealing, "MOST", 2)
    await rotated(context)

    leaves = [msgspec.json.decode(one.leaf) for one in await logged(context)]
    told = [one for one in leaves if one["kind"] == "key_rotated" and "payload" in one]
    assert len(told) > 3
    assert all(one["records"] <= 2 for one in told)
    assert [one["kind"] for one in leaves][-1] == "key_retired"
    assert (await check.look(context.settings)).troubles == 0
    await verify(context)


# ── what stays safe ───────────────────────────────────────────────────────────────────────────────
@once
async def test_a_row_that_was_altered_is_told_and_keeps_its_key(
    context: Context, home: str
) -> None:
    assert await seen(context, home) == 4
    before = sum((await stand(context))[RECORDS].values())
    async with context.database.writing() as connection:
        damage = "UPDATE visit SET sealed = :bytes WHERE id = (SELECT min(id) FROM visit)"
        await connection.execute(sa.text(damage), {"bytes": bytes(400)})
    done = await rotated(context)
    assert done.unreadable == 1
    assert (await stand(context))[RECORDS] == {1: 1, 2: before - 1}
    assert (await versions(context))[RECORDS, 1] == 1
    assert await rotations_left(context) == ()
    # Again: the rest goes on to the next version, and it is told again.
    assert (await rotated(context)).unreadable == 1
    assert (await stand(context))[RECORDS] == {1: 1, 3: before - 1}


async def rotations_left(context: Context) -> tuple[str, ...]:
    async with context.database.reading() as connection:
        return await rotations.under_way(connection)


@once
async def test_a_destroyed_key_is_never_made_anew(context: Context, home: str) -> None:
    async with context.database.writing() as connection:
        gone = "UPDATE data_key SET state = :state, wrapped = NULL WHERE household = :home"
        await connection.execute(sa.text(gone), {"state": DESTROYED, "home": home})
    await rotated(context)
    async with context.database.reading() as connection:
        rows = await data_keys.of_households(connection, [home])
    assert {(one.version, one.state, one.wrapped) for one in rows} == {(1, DESTROYED, None)}
    assert (await key_status.status(context)).under_way == ()


async def test_of_an_erased_household_the_log_key_alone_gets_a_newer_version(
    context: Context, home: str
) -> None:
    await erased_at_once(context, home)
    await rotated(context)
    async with context.database.reading() as connection:
        rows = await data_keys.of_households(connection, [home])
    assert {(one.kind, one.version) for one in rows if one.wrapped} == {(LOG, 1), (LOG, 2)}
    assert {one.version for one in rows if not one.wrapped} == {1}
    assert (await key_status.status(context)).under_way == ()


async def test_the_database_lets_evidence_be_sealed_anew_and_nothing_else(
    context: Context, home: str
) -> None:
    async def changed(what: str) -> None:
        async with context.database.writing() as connection:
            await connection.execute(sa.text(f"UPDATE evidence SET {what}"))  # noqa: S608

    assert home
    for what in (
        "sealed = ''",
        "key_version = key_version",
        "key_version = 0",
        "household = 'h-2', key_version = 2",
        "kind = 'electronic', key_version = 2",
        "recorded_at = 1, key_version = 2",
        "directive = 'd', key_version = 2",
    ):
        with pytest.raises(DatabaseUnavailable):
            await changed(what)
    await changed("key_version = 2")


@once
async def test_a_key_goes_only_after_a_while(context: Context, home: str) -> None:
    """Who has read a row before it was sealed anew can still open it."""
    async with context.database.reading() as connection:
        rows = await visits.of_households(connection, [home])
    task = asyncio.create_task(data_rotation.rotate(context, OPERATOR, grace=1.0))
    for _ in range(400):
        await asyncio.sleep(0.01)
        if (await stand(context))[RECORDS].keys() == {2}:
            break
    await asyncio.sleep(0.3)
    assert (RECORDS, 1) in await versions(context)
    assert len([await _line(context, one) for one in rows]) == 4
    await task
    # Control: later it cannot, so the while is what it takes.
    context.keyring.forget(home)
    with pytest.raises(Tampered, match="version 1"):
        await _line(context, rows[0])


async def _line(context: Context, one: visits.Stored) -> bytes:
    async with context.database.reading() as connection:
        keys = context.keyring.opened(await data_keys.of_households(connection, [one.household]))
    place = VisitPlace(one.household, one.program, one.id, one.revision)
    key = keys[one.household, one.program, RECORDS]
    return context.keyring.open_visit(key, place, one.sealed, one.key_version)


async def test_what_is_handed_in_meanwhile_stands_under_the_newest(
    settings: Settings, context: Context, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_rotation, "_PLACES", 1)
    async with open_context(settings) as other:
        task = asyncio.create_task(rotated(context))
        for number in range(20, 30):
            await handed_in(other, [a_visit(number)])
            await handed_in(other, [of_second_office(number)], SECOND_OFFICE)
            await evidenced(other, home, SCAN)
        await task
        await evidenced(other, home, SCAN)
        assert all(counts.keys() == {2} for counts in (await stand(context)).values())
        assert await seen(other, home) == 24


async def test_evidence_of_who_read_the_key_before_is_sealed_anew_before_it_goes(
    context: Context, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sealed by who holds the log's head alone, and may be stored after its turn."""
    waiting = data_rotation.wait

    async def late(*given: Any) -> None:
        async with context.database.writing() as connection:
            keys = context.keyring.opened(await data_keys.of_households(connection, [home]))
            key = keys[home, "", EVIDENCE]
            old = DataKey(1, key.of)
            sealed = context.keyring.seal_evidence(
                old, home, "d-late", msgspec.msgpack.encode(SCAN)
            )
            await connection.execute(
                sa.text("INSERT INTO evidence VALUES ('d-late', :home, 0, 'paper', :bytes, 1)"),
                {"home": home, "bytes": sealed},
            )
        await waiting(*given)

    monkeypatch.setattr(data_rotation, "wait", late)
    await rotated(context)
    assert (await stand(context))[EVIDENCE] == {2: 2}
    assert (EVIDENCE, 1) not in await versions(context)


@once
async def test_master_and_data_keys_are_rotated_one_after_the_other(
    context: Context, home: str
) -> None:
    await rotated(context)
    await rotation.begin(context, OPERATOR)
    wrapped = await rotation.wrap_anew(context)
    assert (wrapped.unreadable, wrapped.done) == (0, sum((await versions(context)).values()))
    await rotation.retire(context, OPERATOR, 1, "second")
    await rotated(context)
    assert await seen(context, home) == 4


@once
async def test_a_wrapped_key_of_another_version_does_not_open(context: Context, home: str) -> None:
    """Else who knows an old key could have everything sealed under it from now on."""
    async with context.database.reading() as connection:
        old = next(
            one
            for one in await data_keys.of_households(connection, [home])
            if (one.kind, one.program) == (RECORDS, "multiples")
        )
    await rotated(context)
    async with context.database.writing() as connection:
        put = "UPDATE data_key SET wrapped = :bytes WHERE household = :home AND kind = 'records' "
        values = {"bytes": old.wrapped, "home": home}
        await connection.execute(sa.text(put + "AND program = 'multiples'"), values)
    context.keyring.forget(home)
    with pytest.raises(Tampered):
        await handed_in(context, [a_visit(30)])
    with pytest.raises(Tampered):
        await seen(context, home)


async def test_nothing_is_sealed_anew_while_somebody_holds_the_intake(
    context: Context, home: str
) -> None:
    """Whoever seals holds it, so what they seal is never under a key that is on its way out."""
    run = await data_rotation._begin(context, OPERATOR, home)  # noqa: SLF001
    tally = data_rotation._Tally()  # noqa: SLF001
    async with context.database.writing() as connection:
        await households.hold_intake(connection)
        step = data_rotation._step(context, OPERATOR, run, tally, int)  # type: ignore[arg-type] # noqa: SLF001
        task = asyncio.create_task(step)
        await asyncio.sleep(0.3)
        assert not task.done()
        assert {version for _, version in await versions(context)} == {1}
    await task
    assert (RECORDS, 2) in await versions(context)
    await rotated(context, home)


# ── other processes ───────────────────────────────────────────────────────────────────────────────
@once
async def test_old_keys_leave_the_memory_of_other_processes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the latest a quarter of an hour after they were unwrapped, and one minute."""
    async with open_context(settings) as context, open_context(settings) as service:
        home = await a_family(context)
        assert await seen(service, home) == 3
        places = {
            (home, "multiples", RECORDS): (1,),
            (home, "household_support", RECORDS): (1,),
            (home, "", LOG): (1,),
        }
        assert service.keyring.kept(places) is not None

        await rotated(context)

        assert await seen(service, home) == 3
        kept = service.keyring.kept({(home, "multiples", RECORDS): ()})
        assert kept is not None
        assert kept[home, "multiples", RECORDS].version == 2
        # What was read anew pushed the old versions out at once.
        assert service.keyring.kept({(home, "multiples", RECORDS): (1,)}) is None
        now = asyncio.get_running_loop().time()
        monkeypatch.setattr("visitsync.service.keyring.time.monotonic", lambda: now + 10_000_000)
        service.keyring.forget_old()
        assert service.keyring.kept({(home, "", LOG): ()}) is None
        assert await seen(service, home) == 3
        assert (await logged(service))[-1].key_version == 2
        await verify(context)


def test_a_data_key_is_not_printed() -> None:
    assert repr(DataKey.first(b"k" * 32)) == "<DataKey, newest version 1>"
