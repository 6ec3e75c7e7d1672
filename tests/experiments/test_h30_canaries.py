"""H30: twelve people handed in, asked for and crashed upon; what is left of them outside."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp
import asyncpg
import pytest
import sqlalchemy as sa
from experiments import canaries, crashing
from experiments.outputs import NONE, RELEASING, REQUESTS, unasked
from postgres import Cluster
from service.a_service import free_port
from web.conftest import Town
from web.family import OFFICE_STAFF, STRANGER, WORKER, consent

from visitsync.cli.installation import first_start
from visitsync.errors import DatabaseUnavailable
from visitsync.service.context import open_context
from visitsync.settings import Settings
from visitsync.store.tables import METADATA

OFFICER: Final = "u19"
WORDS: Final = f"{canaries.SURNAME} {canaries.KANA} {canaries.PHONE}"
ANSWERED: Final = {200, 303, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503}
PATIENCE: Final = 60.0
ASKING: Final = (WORKER, None, OFFICER, STRANGER)[: int(os.environ.get("H30_ASKING", "2"))]
"""Who may look, nobody, who may by another right, and who may not."""
LOGGED: Final = {
    "log_statement": "all",
    "log_min_error_statement": "error",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_error_verbosity": "verbose",
}


class Session(NamedTuple):
    """Who asks the process, and what came of it."""

    url: str
    http: aiohttp.ClientSession
    tokens: first_start.DevTokens
    answers: Counter[int]
    shown: list[str]
    """What had any of the words in it: they come out by the front door."""
    cached: list[str]

    async def ask(
        self, method: str, path: str, who: str | None, *, data: Any = None, **headers: str
    ) -> tuple[int, bytes]:
        sent = {"Accept-Protected": "address", "Accept-Language": "ja", **headers}
        if who is not None:
            token = {**self.tokens.staff, **self.tokens.offices}.get(who, who)
            sent.setdefault("Authorization", f"Bearer {token}")
        async with self.http.request(
            method, path, data=data, headers=sent, allow_redirects=False
        ) as got:
            body = await got.read()
            self.answers[got.status] += 1
            if canaries.hits(body):
                self.shown.append(f"{method} {path} {got.status}")
            if got.headers.get("Cache-Control") != "no-store":
                self.cached.append(f"{method} {path} {got.status}")
            return got.status, body


class Left(NamedTuple):
    """What stands outside of the database when all is over."""

    said: bytes
    """On stderr and stdout: the service's log."""
    session: Session
    aborted: bool
    dumped: bool


@pytest.fixture
async def server_log(
    settings: Settings, engine: str, request: pytest.FixtureRequest
) -> Callable[[], bytes]:
    """What PostgreSQL wrote into its log since, told to write down all it can."""
    if engine == "sqlite":
        return lambda: b""
    cluster: Cluster = request.getfixturevalue("postgres")
    connection = await asyncpg.connect(settings.database_url)
    name = await connection.fetchval("SELECT current_database()")
    for setting, value in LOGGED.items():
        await connection.execute(f"ALTER DATABASE \"{name}\" SET {setting} = '{value}'")
    await connection.close()
    file = cluster.folder / "log"
    before = file.stat().st_size

    def since() -> bytes:
        written = file.read_bytes()[before:]
        assert b"arameters: $1 = " in written
        return written

    return since


async def every_key_twice(settings: Settings) -> None:
    """A row of each table once more, so that the server tells which key it is that stands twice."""
    async with open_context(settings) as context:
        for table in METADATA.sorted_tables:
            again = sa.insert(table).from_select(
                [one.name for one in table.columns], sa.select(table).limit(1)
            )
            with contextlib.suppress(DatabaseUnavailable):
                async with context.database.writing() as connection:
                    await connection.execute(again)
                    await connection.rollback()


@contextmanager
def process(
    settings: Settings, folder: Path, *how: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The faulty service in a folder of its own."""
    for name in ("work", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VISITSYNC_")}
    with (folder / "said").open("wb") as said:
        one = subprocess.Popen(
            [sys.executable, crashing.__file__, str(port), WORDS, *how],
            env={
                **clean,
                "PYTHONPATH": os.pathsep.join((str(Path.cwd()), *sys.path)),
                "TMPDIR": str(folder / "tmp"),
                "VISITSYNC_DATA_DIR": str(settings.data_dir),
                "VISITSYNC_DATABASE_URL": settings.database_url,
                "VISITSYNC_LOG_WAIT_SECONDS": "2",
            },
            cwd=folder / "work",
            stdout=said,
            stderr=said,
        )
        try:
            yield one, f"http://127.0.0.1:{port}"
        finally:
            one.kill()
            one.wait()


async def ready(http: aiohttp.ClientSession) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            async with http.get("/readyz") as got:
                if got.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def a_city(settings: Settings) -> first_start.DevTokens:
    async with open_context(settings) as context:
        file = await first_start.settle(context)
        assert file is not None
        return first_start.tokens_of(file)


async def the_family(session: Session, settings: Settings) -> str:
    """Hand the twelve in, and let a case worker see them."""
    path = f"/api/v1/offices/{canaries.OFFICE}/submissions"
    kind = {"Content-Type": "application/x-ndjson"}
    assert (await session.ask("POST", path, canaries.OFFICE, data=canaries.reports(), **kind))[
        0
    ] == 200
    body = json.dumps({"purpose": "service_delivery", "case_no": canaries.CASE_NO})
    kind = {"Content-Type": "application/json"}
    _, found = await session.ask(
        "POST", "/api/v1/households/search", OFFICE_STAFF, data=body, **kind
    )
    home = str(json.loads(found)["households"][0]["household"])
    async with open_context(settings) as context:
        town = Town(context, "", session.tokens, session.http, settings.data_dir)
        await consent(town, home, "multiples", categories=("identity", "contact", "notes"))
    return home


async def all_routes(session: Session, home: str) -> None:
    """Each route as somebody who may, who may not and nobody; and in every wrong way."""
    kind = {"Content-Type": "application/json"}
    cookies = {who: await _cookie(session, who) for who in (WORKER, OFFICER)}
    for (method, path), asked in REQUESTS.items():
        ids = dict.fromkeys(("directive", "id", "none", "shield", "block", "lift"), NONE)
        at = path.format(household=home, office=canaries.OFFICE, **ids)
        page = not path.startswith("/api/")
        for who in ASKING:
            headers = {"Cookie": cookies.get(who or "", ""), "Origin": session.url}
            headers["Accept"] = "text/html"
            for query in asked.query:
                bodies = asked.body or [None]
                for body in bodies if who in {WORKER, OFFICER} else bodies[:1]:
                    text = json.dumps(body).replace("{proof}", session.tokens.staff[who or WORKER])
                    data = asked.form or (None if body is None else text)
                    asks = _query({k: v.replace("{household}", home) for k, v in query.items()})
                    sent = headers if page else ({} if body is None else kind)
                    await session.ask(
                        method, f"{at}{asks}", None if page else who, data=data, **sent
                    )
        await _wrongly(session, method, path, home)


async def _wrongly(session: Session, method: str, path: str, home: str) -> None:
    """With the words where nothing or something else is expected."""
    kind = {"Content-Type": "application/json"}
    right = path.replace("{household}", home).replace("{office}", canaries.OFFICE)
    who = canaries.OFFICE if "/offices/" in path else WORKER
    right = "/".join(NONE if part.startswith("{") else part for part in right.split("/"))
    asked = _query({"purpose": WORDS})
    unknown = json.dumps({WORDS: WORDS, "purpose": WORDS}, ensure_ascii=False).encode()
    await session.ask(method, f"{right}{asked}", who, data=unknown, **kind)
    await session.ask(method, f"{right}{_query({WORDS: WORDS})}", who, data=unknown[:-9], **kind)
    wrong = "/".join(WORDS if part.startswith("{") else part for part in path.split("/"))
    await session.ask(method, wrong, who, data=unknown, **kind)


async def all_errors(session: Session, home: str) -> None:
    """What the routes' own ways do not give."""
    path = f"/api/v1/offices/{canaries.OFFICE}/submissions"
    office, words = canaries.OFFICE, WORDS.encode()
    ask = session.ask
    await ask("POST", path, office, data=words, **{"Content-Type": "text/csv"})
    await ask("POST", path, office, data=words, **{"Content-Type": f"text/{canaries.PHONE}"})
    await ask("POST", path, office, data=words * 10, **{"Content-Type": "application/json"})
    large = {"Content-Type": "application/json"}
    await ask("POST", "/api/v1/households/search", WORKER, data=words * 2_000, **large)
    lines = {"Content-Type": "application/x-ndjson", "Idempotency-Key": canaries.PHONE}
    for first in (20, 30):
        await ask("POST", path, office, data=canaries.reports(first), **lines)
    await ask("PATCH", path, office, data=words)
    await ask("GET", f"/{WORDS}", WORKER)
    await ask("GET", f"/api/v1/offices/{WORDS}/uses", office)
    for _ in range(30):
        await ask("GET", f"/api/v1/households/{home}/timeline?purpose=audit", canaries.PHONE)


async def all_faults(session: Session, home: str) -> None:
    for limit in crashing.FAULTS:
        asked = f"/api/v1/households/{home}/timeline?purpose=care_coordination&limit={limit}"
        await session.ask("GET", asked, WORKER)


async def _cookie(session: Session, who: str) -> str:
    headers = {"Origin": session.url, "Sec-Fetch-Site": "same-origin"}
    async with session.http.post(
        "/sign-in",
        data={"token": session.tokens.staff[who]},
        headers=headers,
        allow_redirects=False,
    ) as got:
        return got.headers["Set-Cookie"].split(";")[0]


def _query(asked: Mapping[str, str]) -> str:
    return f"?{'&'.join(f'{name}={said}' for name, said in asked.items())}" if asked else ""


async def left_by(settings: Settings, folder: Path, *how: str) -> Left:
    """Hand in, ask, crash and abort; what is left."""
    tokens = await a_city(settings)
    with process(settings, folder, *how) as (one, url):
        async with aiohttp.ClientSession(url) as http:
            await ready(http)
            session = Session(url, http, tokens, Counter(), [], [])
            home = await the_family(session, settings)
            if not how:
                await all_routes(session, home)
                await all_errors(session, home)
            await all_faults(session, home)
        one.send_signal(signal.SIGABRT)
        _, status = await asyncio.to_thread(os.waitpid, one.pid, 0)
    return Left(
        said=(folder / "said").read_bytes(),
        session=session,
        aborted=os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT,
        dumped=os.WCOREDUMP(status),
    )


async def test_h30_of_twelve_people_nothing_stands_outside(
    settings: Settings, tmp_path: Path, server_log: Callable[[], bytes]
) -> None:
    assert unasked() == set()
    left = await left_by(settings, tmp_path / "outside")
    await every_key_twice(settings)

    assert left.session.answers.keys() >= ANSWERED
    assert len(left.session.shown) > len(RELEASING), "the control: by the front door they come out"
    assert left.said.count(b'"failed"') >= 2
    assert left.said.count(b'"crashed"') >= 2
    assert canaries.hits(left.said) == []
    assert left.aborted
    assert not left.dumped
    assert [*(tmp_path / "outside/work").iterdir(), *(tmp_path / "outside/tmp").iterdir()] == []
    assert canaries.files_with_hits(settings.data_dir) == []
    assert canaries.hits(server_log()) == []
    assert left.session.cached == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_h30_control_without_what_keeps_a_crash_silent_they_stand_there(
    settings: Settings, tmp_path: Path
) -> None:
    left = await left_by(settings, tmp_path, "unguarded")
    assert left.aborted
    assert len(canaries.hits(left.said)) > 1
    # Where whoever collects cores takes it elsewhere, none lies here.
    for core in (tmp_path / "work").iterdir():
        assert left.dumped
        core.unlink()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_h30_control_what_postgresql_is_given_it_does_write_down(
    settings: Settings, server_log: Callable[[], bytes]
) -> None:
    connection = await asyncpg.connect(settings.database_url)
    await connection.fetchval("SELECT $1::text", WORDS)
    await connection.close()
    assert canaries.hits(server_log())


def test_h30_control_words_are_found_in_every_form() -> None:
    for word in canaries.STEMS:
        for before in ("", "x", "xy"):
            data = f"{before}{word}".encode()
            assert canaries.hits(base64.b64encode(data + b"zz"))
        for text in (word, quote(word), json.dumps(word), word.encode("utf-16-le").hex()):
            assert canaries.hits(text.encode())
    assert canaries.hits(b"a line of the log without any of them") == []
