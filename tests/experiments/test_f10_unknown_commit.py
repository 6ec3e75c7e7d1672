"""F10: the database goes away while it commits, and nobody knows whether it did."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

import asyncpg
import msgspec
import pytest
import sqlalchemy as sa
from conftest import verify
from experiments.asked import Answer, Asked, asked, kinds

from visitsync.errors import CommitUnknown
from visitsync.service.logbook import Logbook
from visitsync.settings import Settings
from visitsync.store import database as doors
from visitsync.store.prepared import driver_of

KEY: Final = "the-same-key"
READ, STORED = "timeline_read", "submission"


class Breaking:
    """The driver's connection, which breaks at the next COMMIT: after it is done, or before."""

    def __init__(self) -> None:
        self.done: bool | None = None
        """Whether the next one is done; None: it does not break."""
        self.broke = 0

    def of(self, connection: Any) -> Any:
        driver = driver_of(connection)
        return None if driver is None else _Driver(driver, self)


class _Driver:
    def __init__(self, driver: Any, breaking: Breaking) -> None:
        self._driver = driver
        self._breaking = breaking

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def execute(self, statement: str) -> Any:
        done = self._breaking.done
        if statement != "COMMIT" or done is None:
            return await self._driver.execute(statement)
        self._breaking.done = None
        self._breaking.broke += 1
        if done:
            await self._driver.execute("COMMIT")
        if isinstance(self._driver, asyncpg.Connection):
            self._driver.terminate()
            raise asyncpg.ConnectionDoesNotExistError
        raise sqlite3.OperationalError


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Breaking:
    made = Breaking()
    monkeypatch.setattr(doors, "driver_of", made.of)
    return made


async def counted(served: Asked) -> tuple[int, int]:
    """How many visits are stored, and how many reports about submissions."""
    async with served.context.database.reading() as connection:
        found = [
            (await connection.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608 -- our own names
            for table in ("visit", "submission")
        ]
    return found[0], found[1]


def seen(answer: Answer) -> dict[str, Any]:
    """What a timeline shows, whenever it was asked for."""
    told: dict[str, Any] = msgspec.json.decode(answer.body)
    return {name: one for name, one in told.items() if name != "at"}


@pytest.mark.parametrize("done", [True, False])
async def test_f10_a_look_whose_commit_is_unknown_is_not_answered_and_stands_there_once_at_most(
    settings: Settings, breaking: Breaking, *, done: bool
) -> None:
    async with asked(settings) as served:
        shown = await served.read()
        before = await kinds(served.context, READ)
        await served.context.log.signing.cover()  # whose commit is not the one that is meant
        breaking.done = done

        answer = await served.read()

        assert (answer.status, breaking.broke) == (503, 1)
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.tells_nothing()
        assert await kinds(served.context, READ) == before + done
        again = await served.read()
        assert again.status == 200
        assert seen(again) == seen(shown)
        assert await kinds(served.context, READ) == before + done + 1
        await verify(served.context)


@pytest.mark.parametrize(("key", "done"), [(KEY, True), (KEY, False), (None, True)])
async def test_f10_a_submission_whose_commit_is_unknown_is_stored_once_when_it_is_repeated(
    settings: Settings, breaking: Breaking, key: str | None, *, done: bool
) -> None:
    async with asked(settings) as served:
        visits, reports = await counted(served)
        entries = await kinds(served.context, STORED)
        await served.context.log.signing.cover()  # whose commit is not the one that is meant
        breaking.done = done

        answer = await served.hand_in(3, 4, key=key)

        assert (answer.status, breaking.broke) == (503, 1)
        assert answer.tells_nothing()
        assert await counted(served) == (visits + 2 * done, reports + done)
        again = await served.hand_in(3, 4, key=key)
        assert again.status == 200
        assert (await served.hand_in(3, 4, key=key)).status == 200
        assert (await counted(served))[0] == visits + 2
        if key is not None:
            # Under one key there is one report and one entry, whichever of the two made it.
            assert await counted(served) == (visits + 2, reports + 1)
            assert await kinds(served.context, STORED) == entries + 1
        await verify(served.context)


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_f10_control_a_look_that_is_written_again_blindly_would_stand_there_twice(
    settings: Settings, breaking: Breaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Logbook._write  # noqa: SLF001 -- what must not be done again

    async def again_and_again(log: Logbook, batch: Any) -> Any:
        try:
            return await write(log, batch)
        except CommitUnknown:
            return await write(log, batch)

    async with asked(settings) as served:
        before = await kinds(served.context, READ)
        monkeypatch.setattr(Logbook, "_write", again_and_again)
        breaking.done = True
        assert (await served.read()).status == 200
        assert await kinds(served.context, READ) == before + 2
