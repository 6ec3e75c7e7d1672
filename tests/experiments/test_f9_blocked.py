"""F9: when the log cannot be written, or not be signed, nothing leaves; and few may wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice

import pytest
import sqlalchemy as sa
from conftest import verify
from experiments.asked import Answer, Asked, asked

from visitsync import settings as known_settings
from visitsync.errors import LogBroken, SignerError
from visitsync.service import logbook
from visitsync.service.context import Context, open_database
from visitsync.service.logbook import Logbook
from visitsync.settings import Settings
from visitsync.signer import Extension, Signed, Signer
from visitsync.store import access_log

SOON = 0.5
"""Seconds that a look waits here; an installation says so with `log_wait_seconds`."""
QUEUE = 5
MANY = 40


@asynccontextmanager
async def the_head_held(settings: Settings) -> AsyncIterator[None]:
    """Somebody else holds the log's head."""
    database = open_database(settings)
    try:
        async with database.writing() as connection:
            await access_log.lock(connection)
            yield
    finally:
        await database.close()


def refused(answer: Answer) -> bool:
    """Whether it is a 503 that tells when to ask again, and nothing else."""
    wait = int(answer.headers.get("Retry-After", "0"))
    return answer.status == 503 and wait > 0 and answer.tells_nothing()


async def all_read(served: Asked) -> list[Answer]:
    return await asyncio.gather(*map(served.read, served.reads()))


async def test_f9_while_the_head_is_held_no_data_leaves_and_afterwards_all_goes_on(
    settings: Settings,
) -> None:
    async with asked(settings, log_wait_seconds=SOON) as served:
        assert {one.status for one in await all_read(served)} == {200}, "the control"
        async with the_head_held(settings):
            answers = await all_read(served)
            # What gave up is out of the appender's way; who asks now waits no longer than it.
            answers += await all_read(served)
        assert all(map(refused, answers)), answers
        assert {one.status for one in await all_read(served)} == {200}
        await verify(served.context)


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_f9_control_a_look_that_waits_for_no_entry_would_be_answered(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(*_: object) -> bool:
        return True

    async with asked(settings, log_wait_seconds=SOON) as served:
        monkeypatch.setattr(Logbook, "look", at_once)
        async with the_head_held(settings):
            answers = await all_read(served)
        assert not any(map(refused, answers))


async def refused_of_many(settings: Settings, queue: int, at_least: int) -> int:
    """Of many reads at once, how many are refused; all the others are answered, if only later.

    The head is held until so many are refused, or for a second where none is to be.
    """
    changed = {"log_queue": queue, "log_wait_seconds": 60.0, "database_wait_seconds": 60.0}
    async with asked(settings, **changed) as served:
        async with the_head_held(settings):
            asking = [asyncio.create_task(served.read()) for _ in range(MANY)]
            async with asyncio.timeout(30):
                for one in islice(asyncio.as_completed(asking), at_least):
                    assert refused(await one)
            await asyncio.sleep(0 if at_least else 1)
        answers = await asyncio.gather(*asking)
        no = [one for one in answers if one.status != 200]
        assert all(map(refused, no))
        await verify(served.context)
        return len(no)


async def test_f9_few_may_wait_and_who_comes_after_them_is_refused_at_once(
    settings: Settings,
) -> None:
    # What the appender took out of the queue before it found the head held was in it before.
    at_least = MANY - 2 * QUEUE
    assert await refused_of_many(settings, QUEUE, at_least) >= at_least


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_f9_control_in_a_longer_queue_all_would_wait(settings: Settings) -> None:
    assert await refused_of_many(settings, MANY, 0) == 0


def test_f9_an_installation_lets_2000_wait_at_most() -> None:
    queue = known_settings.load({}).log_queue
    assert queue + logbook._MOST_AT_ONCE <= 2_000  # noqa: SLF001 -- the figure, not what it does


# ── the signer ────────────────────────────────────────────────────────────────────────────────────
async def pass_by(context: Context, seconds: int) -> None:
    """Let time pass for what waits for the signer."""
    async with context.database.writing() as connection:
        await connection.execute(
            sa.text("UPDATE log_head SET unsigned_since = unsigned_since - :passed"),
            {"passed": seconds * 1_000_000},
        )


def away(_: Signer, __: Extension) -> Signed | None:
    raise SignerError("The signer is away")


async def test_f9_without_a_signer_it_is_read_for_a_minute_and_then_no_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asked(settings) as served:
        await served.context.log.signing.cover()
        with monkeypatch.context() as patch:
            patch.setattr(Signer, "extend", away)
            assert (await served.read()).status == 200
            await pass_by(served.context, 50)
            assert {one.status for one in await all_read(served)} == {200}
            await pass_by(served.context, 12)
            assert all(map(refused, await all_read(served)))
            assert refused(await served.hand_in(3))
        await served.context.log.signing.cover()
        assert (await served.read()).status == 200
        assert (await served.hand_in(3)).status == 200
        await verify(served.context)


async def test_f9_a_signer_that_does_not_answer_holds_nobody_and_is_waited_for_as_long(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_again = threading.Event()
    extend = Signer.extend

    def silent(signer: Signer, asked_for: Extension) -> Signed | None:
        answers_again.wait()
        return extend(signer, asked_for)

    async with asked(settings) as served:
        await served.context.log.signing.cover()
        try:
            monkeypatch.setattr(Signer, "extend", silent)
            for _ in range(3):
                assert (await served.read()).status == 200
            await pass_by(served.context, 62)
            assert all(map(refused, await all_read(served)))
        finally:
            answers_again.set()
        await served.context.log.signing.cover()
        assert (await served.read()).status == 200
        await verify(served.context)


async def test_f9_when_the_signer_refuses_no_data_leaves(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is for the auditors and no hiccup: nobody is told to ask again in some seconds."""

    def refuses(_: Signer, __: Extension) -> Signed | None:
        raise LogBroken("The log does not extend what was signed")

    async with asked(settings) as served:
        await served.context.log.signing.cover()
        with monkeypatch.context() as patch:
            patch.setattr(Signer, "extend", refuses)
            await served.read()
            for _ in range(100):
                if served.context.log.signing.refused is not None:
                    break
                await asyncio.sleep(0.1)
            answers = [*await all_read(served), await served.hand_in(3)]
            assert {one.status for one in answers} == {500}
            assert all(one.tells_nothing() for one in answers)
            async with served.session.get("/readyz") as ready:
                assert ready.status == 503
