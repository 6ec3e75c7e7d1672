"""F13: the database's clock, the one that counts, is set back or forward while the service runs."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec
import pytest
import sqlalchemy as sa
from build import consented
from conftest import verify
from experiments.asked import DAYS, Asked, asked, leaves

from visitsync.errors import NotSignedIn
from visitsync.service import tokens
from visitsync.service.context import open_context, open_database
from visitsync.settings import Settings

Step = Callable[[int], Awaitable[None]]
A_DAY: Final = 86_400
AN_HOUR: Final = 3_600

_ON_POSTGRESQL: Final = (
    "CREATE SCHEMA stepped",
    "CREATE TABLE stepped.clock (seconds integer)",
    "INSERT INTO stepped.clock VALUES (0)",
    (
        "CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
        "'SELECT pg_catalog.clock_timestamp() + make_interval(secs => seconds) FROM stepped.clock'"
    ),
    (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = stepped, pg_catalog, "
        "public', current_database()); END $$"
    ),
)
"""A function of ours stands before the server's own; every connection from now on asks it."""


@pytest.fixture
async def step(settings: Settings, engine: str) -> AsyncIterator[Step]:
    """Sets the clock that the database's statements read so many seconds off the true one."""
    if engine == "sqlite":
        off = 0

        def strftime(form: str, _: str) -> str:
            # Whole seconds: the two parts that a statement asks for are asked for one by one.
            return str(int(time.time()) + off) if form == "%s" else "00.000"

        def connected(connection: Any, _: object) -> None:
            connection.create_function("strftime", 2, strftime)

        async def on_sqlite(seconds: int) -> None:
            nonlocal off
            off = seconds

        sa.event.listen(sa.Engine, "connect", connected)
        yield on_sqlite
        sa.event.remove(sa.Engine, "connect", connected)
        return
    database = open_database(settings)
    async with database.writing() as connection:
        for statement in _ON_POSTGRESQL:
            await connection.execute(sa.text(statement))

    async def on_postgresql(seconds: int) -> None:
        async with database.writing() as connection:
            await connection.execute(
                sa.text("UPDATE stepped.clock SET seconds = :seconds"), {"seconds": seconds}
            )

    yield on_postgresql
    await database.close()


async def shown_at(served: Asked) -> dt.datetime:
    """As of when a timeline is shown."""
    answer = await served.read()
    assert answer.status == 200
    return dt.datetime.fromisoformat(msgspec.json.decode(answer.body)["at"])


async def unready(served: Asked) -> bool:
    async with served.session.get("/readyz") as answer:
        return answer.status == 503


STEPS: Final = (
    *((0, True), (-10, True), (0, True), (-AN_HOUR, False), (0, True), (A_DAY, True)),
    # Entries of tomorrow stand in the log now.
    *((0, False), (-10, False), (A_DAY, True)),
)
"""Where the clock stands, and whether anything is read or written then."""


async def test_f13_however_the_clock_is_set_the_logs_times_and_the_answers_never_go_back(
    settings: Settings, step: Step
) -> None:
    async with asked(settings) as served:
        shown = []
        for number, (seconds, goes_on) in enumerate(STEPS, 3):
            # What still waits for the signer would seem to have waited for a day.
            await served.context.log.signing.cover()
            await step(seconds)
            if goes_on:
                shown.append(await shown_at(served))
                assert (await served.hand_in(number)).status == 200
                continue
            for refused in (await served.read(), await served.hand_in(number)):
                assert refused.status == 503
                assert refused.tells_nothing()
        assert shown == sorted(shown)
        assert shown[4] - shown[3] > dt.timedelta(hours=23), "the control: it is this clock"
        times = [dt.datetime.fromisoformat(one["time"]) for one in await leaves(served.context)]
        assert times == sorted(times)
        await verify(served.context)


async def test_f13_control_who_says_that_it_may_be_so_goes_on(
    settings: Settings, step: Step
) -> None:
    async with asked(settings, clock_back_seconds=2.0 * AN_HOUR) as served:
        before = await shown_at(served)
        await served.context.log.signing.cover()
        await step(-AN_HOUR)
        assert await shown_at(served) >= before
        assert (await served.hand_in(3)).status == 200


async def test_f13_a_clock_that_was_set_is_an_alarm(settings: Settings, step: Step) -> None:
    async with asked(settings) as served:
        for seconds in (0, -10, 0, -AN_HOUR, 0, A_DAY):
            await served.context.log.signing.cover()
            await step(seconds)
            assert await unready(served) is (seconds != 0)
        # Entries of tomorrow stand in the log now; that is told when the clock is right again.
        assert (await served.read()).status == 200
        await step(0)
        assert await unready(served)


async def test_f13_a_token_that_has_ended_does_not_hold_again_when_the_clock_is_set_back(
    settings: Settings, step: Step
) -> None:
    async with asked(settings) as served:
        assert (await served.read()).status == 200, "the control: it is good before"
        await served.context.log.signing.cover()
        await step((DAYS + 1) * A_DAY)
        await consented(served.context, served.home)
        assert (await served.read()).status == 401
        await step(0)
        # Another process has not seen it lately.
        async with open_context(settings) as other:
            for secret in (served.worker, served.office):
                with pytest.raises(NotSignedIn):
                    await tokens.authenticate(other, secret)
        assert (await served.read()).status == 401
        assert (await served.hand_in(3)).status == 401


async def test_f13_a_token_issued_in_the_future_is_refused(settings: Settings) -> None:
    async with asked(settings) as served:
        for minutes, status in ((1, 401), (-1, 200)):
            async with served.context.database.writing() as connection:
                await connection.execute(
                    sa.text("UPDATE token SET issued_at = issued_at + :by"),
                    {"by": minutes * 60_000_000},
                )
            assert (await served.read()).status == status
