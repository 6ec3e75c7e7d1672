"""H31: what a database or its driver refuses is told without what it was given."""

from __future__ import annotations

import contextlib
import io
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import pytest
import sqlalchemy as sa
import structlog
from aiohttp import web
from postgres import Cluster
from sqlalchemy.ext.asyncio import AsyncConnection
from web.serving import serving

from visitsync import logs
from visitsync.errors import DatabaseUnavailable
from visitsync.store import database
from visitsync.store.database import Database, open_postgresql, open_sqlite
from visitsync.store.prepared import driver_of
from visitsync.web.frame import framed
from visitsync.web.limits import Limits
from visitsync.web.route import Route, open_to_all

CANARY: Final = "試験花子0008524"
FORMS: Final = (CANARY, "試験", "0008524", ascii(CANARY).strip("'"), CANARY.encode().hex())
TABLE: Final = {
    "postgresql": "CREATE TABLE planted (id text PRIMARY KEY, n bigint, v varchar(3))",
    "sqlite": (
        "CREATE TABLE planted (id text PRIMARY KEY, n integer, "
        "v text CHECK (length(CAST(v AS blob)) <= 3)) STRICT"
    ),
}


class Refused(NamedTuple):
    """A statement that is refused for what it is given."""

    column: str
    value: object
    as_unavailable: bool = True
    """Python itself refuses to hand over the others, in words without the value."""


REFUSED: Final = {
    "unique": Refused("id", CANARY),
    "too long": Refused("v", CANARY),
    "no text": Refused("v", {"name": CANARY}),
    "no number": Refused("n", CANARY),
    "no bytes": Refused("n", CANARY.encode()),
    "null in it": Refused("v", f"\0{CANARY}"),
    "half a character": Refused("v", f"{CANARY}\ud800", as_unavailable=False),
    "too large": Refused("n", int("8524" * 9), as_unavailable=False),
}
NUMBER: Final = "8524" * 9


@pytest.fixture
async def planted(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Database]:
    if engine == "sqlite":
        opened = open_sqlite(tmp_path / "planted.db", patience=5.0)
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        opened = open_postgresql(cluster.new_database(), None, connections=2, patience=5.0)
    async with opened.writing() as connection:
        await connection.execute(sa.text(TABLE[engine]))
        await connection.execute(sa.text("INSERT INTO planted (id) VALUES (:one)"), {"one": CANARY})
    yield opened
    await opened.close()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    stream = io.StringIO()
    logs.set_up(stream)
    yield stream
    structlog.configure(**before[2])
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before[:2]


async def insert(connection: AsyncConnection, how: Refused, *, by_driver: bool) -> None:
    values: dict[str, Any] = {"id": "x", how.column: how.value}
    names = list(values)
    if not by_driver:
        marks = ", ".join(f":{one}" for one in names)
        await connection.execute(
            sa.text(f"INSERT INTO planted ({', '.join(names)}) VALUES ({marks})"),  # noqa: S608
            values,
        )
        return
    postgresql = connection.dialect.name == "postgresql"
    marks = ", ".join(f"${at}" if postgresql else "?" for at, _ in enumerate(names, 1))
    statement = f"INSERT INTO planted ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    driver, given = driver_of(connection), list(values.values())
    await (driver.execute(statement, *given) if postgresql else driver.execute(statement, given))


async def raised(opened: Database, how: Refused, *, by_driver: bool, door: str) -> Exception:
    try:
        async with getattr(opened, door)() as connection:
            await insert(connection, how, by_driver=by_driver)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is looked at
        return error
    pytest.fail("It was not refused")


def said(error: Exception) -> str:
    """Its message, and all that Python prints of it."""
    return f"{error} {''.join(traceback.format_exception(error))}"


def told(text: str) -> list[str]:
    return [one for one in (*FORMS, NUMBER) if one in text]


@pytest.mark.parametrize("name", REFUSED)
async def test_h31_no_error_of_a_database_tells_what_it_was_given(
    planted: Database, name: str
) -> None:
    how = REFUSED[name]
    for door in ("reading", "writing"):
        for by_driver in (False, True):
            error = await raised(planted, how, by_driver=by_driver, door=door)
            assert told(said(error)) == []
            if how.as_unavailable:
                assert isinstance(error, DatabaseUnavailable)
                assert told(repr(error)) == []


async def test_h31_neither_the_answer_nor_the_log_tells_it(
    planted: Database, written: io.StringIO
) -> None:
    async def handler(request: web.Request) -> web.Response:
        async with planted.writing() as connection:
            how = REFUSED[request.query["how"]]
            await insert(connection, how, by_driver="driver" in request.query)
        return web.Response()

    route = Route(method="GET", path="/", handler=handler, permission=open_to_all("a test"))
    async with (
        serving(framed((route,), Limits()), Limits()) as url,
        aiohttp.ClientSession(url) as session,
    ):
        for name in REFUSED:
            for query in ({"how": name}, {"how": name, "driver": "1"}):
                async with session.get("/", params=query) as response:
                    assert response.status >= 500
                    assert told(await response.text()) == []
                    assert told(str(response.headers)) == []
    assert told(written.getvalue()) == []
    assert written.getvalue().count('"failed"') == 2 * len(REFUSED)


async def test_h31_control_a_driver_does_tell_it(
    planted: Database, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what turns a driver's error into ours, and with SQLAlchemy's parameters shown."""
    monkeypatch.setattr(database, "telling_nothing", contextlib.nullcontext)
    for door in (planted._reader, planted._writer):  # noqa: SLF001 -- to take the guard away
        door.sync_engine.hide_parameters = False
    telling = [
        name
        for name, how in REFUSED.items()
        if told(said(await raised(planted, how, by_driver=False, door="writing")))
    ]
    assert {"unique", "too long", "no text"} <= set(telling)
    by_driver = [
        name
        for name, how in REFUSED.items()
        if told(said(await raised(planted, how, by_driver=True, door="writing")))
    ]
    assert bool(by_driver) == (engine == "postgresql")
