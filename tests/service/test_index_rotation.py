"""The index key is rotated while services run: searches find the same before, during and after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from build import (
    CARE,
    OFFICE,
    OPERATOR,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_guardian,
    a_visit,
    as_office,
    consented,
    handed_in,
    home_of,
    of_second_office,
)
from conftest import verify
from service.test_rotation import a_family, seen

from visitsync.audit import NoteVerifier
from visitsync.envelope import MasterKeys, keyfile
from visitsync.errors import BadParameter, DatabaseUnavailable, KeyFileError, NotAllowed
from visitsync.service import index_rotation, key_status, rotation
from visitsync.service.context import Context, open_context, open_database, signer_of
from visitsync.service.index_rotation import Reindexed
from visitsync.service.sealed_head import HeadSeal
from visitsync.service.search import search
from visitsync.service.views import Sought
from visitsync.settings import Settings
from visitsync.store import access_log, data_keys, index_keys
from visitsync.store.data_keys import DESTROYED

# What these show does not depend on the database.
once = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

SOUGHT = (
    Sought(kana="シケン　ハナコ", birth_date="1991-09-14"),
    Sought(name="試験　太郎", birth_date="2025-01-20"),
    Sought(case_no="F-1"),
    Sought(kana="ベッケ　サキ", birth_date="1988-02-03"),
    Sought(kana="シケン　ハナコ", birth_date="1991-09-15"),
)


async def found(context: Context) -> list[list[str]]:
    return [
        [one.household for one in (await search(context, WORKER, CARE, each)).households]
        for each in SOUGHT
    ]


async def counts(context: Context) -> dict[int, int]:
    async with context.database.reading() as connection:
        return await index_keys.counts(connection)


async def rotated(context: Context, bits: int | None = None) -> Reindexed:
    return await index_rotation.rotate(context, OPERATOR, bits, grace=0)


async def two_families(context: Context) -> str:
    home = await a_family(context)
    await handed_in(context, [a_visit(9, case_no="F-9", persons=OTHER_FAMILY)])
    await consented(context, await home_of(context, "F-9"))
    return home


# ── what it does ──────────────────────────────────────────────────────────────────────────────────
async def test_every_search_finds_the_same_and_the_old_key_is_gone(settings: Settings) -> None:
    async with open_context(settings) as context, open_context(settings) as service:
        home = await two_families(context)
        before = await found(context)
        assert [len(one) for one in before] == [1, 1, 1, 0, 0]  # the fourth is for others
        terms = await counts(context)
        old = settings.keys.read_text()

        done = await rotated(context)

        assert (done.epoch, done.is_new, done.unreadable) == (2, True, 0)
        assert (done.registrations, done.dropped) == (3, terms[1])
        assert await counts(context) == {2: terms[1]}
        assert MasterKeys.load(settings.keys).index_epochs == (2,)
        secret = next(line for line in old.splitlines() if line.startswith("index "))
        assert secret.split()[-1] not in settings.keys.read_text()
        # Also of the service that was there before, and of one that begins now.
        assert await found(service) == await found(context) == before
        assert await seen(service, home) == 3
        await verify(context)
    async with open_context(settings) as later:
        assert await found(later) == before


async def test_while_it_runs_searches_find_what_stands_under_either(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two of its transactions, from a service that knows nothing of it."""
    async with open_context(settings) as context, open_context(settings) as service:
        await two_families(context)
        before = await found(context)
        under: list[set[int]] = []

        async def look() -> None:
            under.append(set(await counts(context)))
            assert await found(service) == before

        step = index_rotation._step  # noqa: SLF001

        async def first_look(*given: Any) -> Any:
            await look()
            return await step(*given)

        monkeypatch.setattr(index_rotation, "_BATCH", 1)
        monkeypatch.setattr(index_rotation, "_pause", look)
        monkeypatch.setattr(index_rotation, "_step", first_look)
        await rotated(context)
        assert len(under) > 6
        assert under[0] == {1}
        assert {1, 2} in under
        assert await found(service) == before


async def test_who_comes_meanwhile_is_linked_and_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through another service: a sibling's office, a new family, a new form of a name."""
    monkeypatch.setattr(index_rotation, "_BATCH", 1)
    async with open_context(settings) as context, open_context(settings) as service:
        home = await a_family(context)
        number = 100

        async def arrive() -> None:
            nonlocal number
            number += 1
            born = f"1980-01-{number % 28 + 1:02}"
            stranger = a_guardian(name="外　花", kana="ソト　ハナ", birth_date=born, phone=None)
            await handed_in(service, [a_visit(number, case_no=f"N-{number}", persons=(stranger,))])
            same = of_second_office(number, case_no=f"S-{number}")
            await handed_in(service, [same], SECOND_OFFICE)
            assert await home_of(service, f"S-{number}", SECOND_OFFICE) == home
            married = (
                a_guardian(name="新姓　花子", kana=f"シンセイ{'ア' * (number % 5)}　ハナコ"),
            )
            await handed_in(service, [a_visit(1000 + number, persons=married)])

        monkeypatch.setattr(index_rotation, "_pause", arrive)
        await rotated(context)
        assert number > 104
        assert set(await counts(context)) == {2}
        terms = await counts(context)
        monkeypatch.undo()
        # Control: what stands there is what would be made anew of everything that is known.
        assert (await rotated(context)).registrations == 2 + 2 * (number - 100)
        assert await counts(context) == {3: terms[2]}


@once
async def test_tokens_may_be_longer_from_now_on(context: Context) -> None:
    await two_families(context)
    before = await found(context)
    await rotated(context, 20)
    assert await found(context) == before
    async with context.database.reading() as connection:
        (known,) = await index_keys.known(connection)
        tokens = await connection.execute(sa.text("SELECT token FROM index_term"))
        assert {len(one.split(":")[2]) for one in tokens.scalars()} == {6}
    assert known.token_bits == 20


# ── what stays safe ───────────────────────────────────────────────────────────────────────────────
@once
async def test_only_an_operator_rotates(context: Context) -> None:
    for caller in (WORKER, as_office(OFFICE)):
        with pytest.raises(NotAllowed):
            await index_rotation.rotate(context, caller)
        with pytest.raises(NotAllowed):
            await index_rotation.prepare(context, caller)


async def test_who_does_not_open_keeps_the_old_key_until_it_is_mended(context: Context) -> None:
    await two_families(context)
    keep = sa.text("SELECT profile FROM registration WHERE id = :one")
    put = sa.text("UPDATE registration SET profile = :bytes WHERE id = :one")
    async with context.database.writing() as connection:
        ids = await connection.execute(sa.text("SELECT id FROM registration ORDER BY id"))
        one = ids.scalars().first()
        whole = (await connection.execute(keep, {"one": one})).scalar_one()
        await connection.execute(put, {"one": one, "bytes": bytes(400)})

    done = await rotated(context)

    assert (done.unreadable, done.registrations) == (1, 2)
    assert set(await counts(context)) == {1, 2}
    assert MasterKeys.load(context.settings.keys).index_epochs == (1, 2)
    with pytest.raises(DatabaseUnavailable):
        async with context.database.writing() as connection:
            await index_keys.end(connection, 2)
    with pytest.raises(BadParameter, match="cut short"):
        await rotated(context, 20)

    async with context.database.writing() as connection:
        await connection.execute(put, {"one": one, "bytes": whole})
    done = await rotated(context)
    assert (done.epoch, done.is_new, done.unreadable) == (2, False, 0)
    assert set(await counts(context)) == {2}
    assert MasterKeys.load(context.settings.keys).index_epochs == (2,)


@once
async def test_nobody_whose_keys_are_destroyed_is_found_by_a_term(context: Context) -> None:
    home = await two_families(context)
    async with context.database.writing() as connection:
        gone = "UPDATE data_key SET state = :state, wrapped = NULL WHERE household = :home"
        await connection.execute(sa.text(gone), {"state": DESTROYED, "home": home})
    done = await rotated(context)
    assert done.unreadable == 0
    async with context.database.reading() as connection:
        left = sa.text(
            "SELECT count(*) FROM index_term t JOIN registration r ON r.id = t.registration "
            "WHERE r.household = :home"
        )
        assert (await connection.execute(left, {"home": home})).scalar_one() == 0
        assert await data_keys.of_households(connection, [home])
    assert set(await counts(context)) == {2}


@once
async def test_the_head_and_the_identifiers_outlive_their_old_secret(settings: Settings) -> None:
    """A key file of the release before, in which one secret stood for all."""
    async with of_the_release_before(settings) as context:
        home = await two_families(context)
        before = await found(context)
        await rotated(context)
        await rotation.begin(context, OPERATOR)
        await rotation.wrap_anew(context)
        assert await found(context) == before
        again = await handed_in(context, [a_visit(1), a_visit(2)])
        assert again.counts.unchanged == 2
        assert await seen(context, home) == 3
        await verify(context)


@asynccontextmanager
async def of_the_release_before(settings: Settings) -> AsyncIterator[Context]:
    """The installation, as if it had had a key file with one secret since its beginning."""
    held = MasterKeys.load(settings.keys)._contents  # noqa: SLF001
    old = type(held).of_one_secret(held.masters, held.indexes[1], held.signing_seed)
    settings.keys.unlink()
    keyfile.write_new(settings.keys, old)
    assert settings.keys.read_text().startswith("visitsync-keys v1")
    keys = MasterKeys.load(settings.keys)
    verifier = NoteVerifier(signer_of(settings, keys).vkey)
    database = open_database(settings)
    async with database.writing() as connection:
        head = await access_log.lock(connection)
        seal = HeadSeal(keys.head_key, verifier).of(head)
        await access_log.advance(connection, head._replace(seal=seal))
    await database.close()
    async with open_context(settings) as context:
        yield context


@once
async def test_another_index_key_than_the_databases_is_refused(settings: Settings) -> None:
    """With it nobody would be found, and nobody would notice."""
    kept = settings.keys.read_bytes()
    async with open_context(settings) as context:
        await two_families(context)
        await rotated(context)
    newest = settings.keys.read_bytes()
    settings.keys.write_bytes(kept)
    with pytest.raises(KeyFileError, match="lacks the index key of epoch 2"):
        async with open_context(settings):
            pass
    MasterKeys.rotate_index(settings.keys)
    with pytest.raises(KeyFileError, match=r"index key of epoch 2 is not this database's"):
        async with open_context(settings):
            pass
    settings.keys.write_bytes(newest)
    async with open_context(settings):
        pass


# ── status, and what was cut short ────────────────────────────────────────────────────────────────
@once
async def test_the_status_follows_a_rotation(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_families(context)
    path = context.settings.keys

    async def states() -> tuple[dict[int, str], tuple[str, ...]]:
        told = await key_status.status(context)
        return {one.epoch: one.state for one in told.indexes}, told.under_way

    assert await states() == ({1: "newest"}, ())
    assert await index_rotation.prepare(context, OPERATOR) == 2
    assert await states() == ({1: "newest", 2: "not_begun"}, ())
    step = index_rotation._step  # noqa: SLF001

    async def cut(*_: Any) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(index_rotation, "_step", cut)
    with pytest.raises(asyncio.CancelledError):
        await rotated(context)
    assert await states() == ({1: "in_use", 2: "newest"}, ("index",))
    monkeypatch.setattr(index_rotation, "_step", step)
    taking = index_rotation._take_out  # noqa: SLF001
    monkeypatch.setattr(index_rotation, "_take_out", cut)
    with pytest.raises(asyncio.CancelledError):
        await rotated(context)
    assert await states() == ({1: "retired", 2: "newest"}, ())
    monkeypatch.setattr(index_rotation, "_take_out", taking)
    done = await rotated(context)
    assert (done.is_new, done.epoch) == (False, 2)
    assert await states() == ({2: "newest"}, ())
    told = await key_status.status(context)
    assert {(one.kind, one.version) for one in told.versions} == {
        (kind, 1) for kind in ("log", "persons", "records", "reports", "staff")
    }
    assert next(one.rows for one in told.versions if one.kind == "records") == 4
    assert path.exists()


@once
async def test_old_terms_go_only_after_a_while(context: Context) -> None:
    """Who had read the epochs before may still ask for the old terms alone."""
    await two_families(context)
    terms = (await counts(context))[1]
    task = asyncio.create_task(index_rotation.rotate(context, OPERATOR, grace=1.0))
    for _ in range(400):
        await asyncio.sleep(0.01)
        if (await counts(context)).get(2) == terms:
            break
    await asyncio.sleep(0.3)
    assert await counts(context) == {1: terms, 2: terms}
    await task
    assert await counts(context) == {2: terms}
