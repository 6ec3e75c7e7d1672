"""What is asked while something is broken: one clear answer, nothing lost, nothing told."""

from __future__ import annotations

import asyncio
import sqlite3
import time

import pytest
from structlog.testing import LogCapture
from web.conftest import Town
from web.family import MONTH, NAMES, WORKER, consent, settle
from web.test_households import look
from web.test_submissions import SP, canonical, post

from visitsync.errors import KeyFileError
from visitsync.service import health
from visitsync.service.context import open_context


async def ready(town: Town) -> tuple[int, str]:
    async with town.session.get("/readyz") as response:
        return response.status, (await response.json())["status"]


async def test_a_fit_service_says_so(town: Town) -> None:
    async with town.session.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "alive"})
    assert await ready(town) == (200, "ready")


async def test_a_locked_database_makes_it_unready_at_once(town: Town) -> None:
    other = sqlite3.connect(town.folder / "visitsync.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    try:
        assert (
            await asyncio.gather(*(ready(town) for _ in range(3))) == [(503, "unfit: database")] * 3
        )
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert time.monotonic() - began < 5
    assert await ready(town) == (200, "ready")


async def test_many_who_ask_whether_it_is_ready_share_one_look(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    async def counted(*_: object, **__: object) -> tuple[health.Check, ...]:
        looks.append(1)
        await asyncio.sleep(0.5)
        return ()

    monkeypatch.setattr(health, "checks", counted)

    assert await asyncio.gather(*(ready(town) for _ in range(20))) == [(200, "ready")] * 20
    assert len(looks) == 1


@pytest.mark.parametrize("patience", [1.0])
async def test_a_locked_database_is_503_and_nothing_is_lost(town: Town) -> None:
    body = b"\n".join(canonical())
    other = sqlite3.connect(town.folder / "visitsync.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        status, problem = await post(town, body)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert (status, problem["code"]) == (503, "database_unavailable")

    status, report = await post(town, body)
    assert (status, report["counts"]["created"]) == (200, 3)


async def test_a_look_that_cannot_be_logged_is_not_answered(town: Town) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")
    other = sqlite3.connect(town.folder / "visitsync.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        status, body = await look(town, household, WORKER)
    finally:
        other.execute("ROLLBACK")
        other.close()

    assert status == 503
    assert b"household_support" not in body
    assert (await look(town, household, WORKER))[0] == 200


async def test_a_lost_key_file_makes_it_unready_and_stops_a_start(town: Town) -> None:
    (town.folder / "master.key").unlink()

    status, said = await ready(town)
    assert (status, said) == (503, "unfit: keys")
    with pytest.raises(KeyFileError):
        async with open_context(town.context.settings):
            pass


async def test_a_log_set_back_behind_the_services_back_is_not_written_on(
    town: Town, log: LogCapture
) -> None:
    database = sqlite3.connect(town.folder / "visitsync.db", isolation_level=None)
    columns = [name for _, name, *_ in database.execute("PRAGMA table_info(log_head)")]
    (old,) = database.execute("SELECT * FROM log_head").fetchall()
    await post(town, b"\n".join(canonical()))
    given = ", ".join(f"{name} = ?" for name in columns)
    database.execute(f"UPDATE log_head SET {given}", old)  # noqa: S608 -- names of our own
    database.close()

    status, problem = await post(town, canonical(4)[-1])

    assert (status, problem["code"]) == (500, "integrity")
    assert await ready(town) == (503, "unfit: log")
    assert any(one.get("code") == "integrity" for one in log.entries)
    assert any(one.get("request") == problem["incident"] for one in log.entries)


async def test_nothing_personal_reaches_the_log_or_an_error(town: Town, log: LogCapture) -> None:
    """Whatever is asked, rightly and wrongly, with a family's names in it."""
    household = await settle(town)
    name, kana = "大石　里美", "オオイシ サトミ"
    wrong = canonical(1)[0].replace(b'"basis":', f'"{name}":1,"basis":'.encode())
    answers: list[str] = []

    async def ask(method: str, path: str, **sent: object) -> None:
        headers = {**town.staff(WORKER), "Referer": f"http://x/{kana}", "User-Agent": "大石"}
        headers = {k: v.encode().decode("latin-1") for k, v in headers.items()}
        async with town.session.request(method, path, headers=headers, **sent) as response:  # type: ignore[arg-type]
            answers.append(await response.text())

    await ask("GET", f"/households/{name}?purpose=protection")
    await ask("GET", f"/api/v1/households/{name}/timeline?purpose={name}")
    await ask("GET", f"/api/v1/households/{household}/timeline?{name}={kana}")
    await ask("GET", f"/nowhere/{name}")
    await ask("POST", "/api/v1/households/search", json={"purpose": "protection", "name": name})
    await ask("POST", "/api/v1/households/search", json={"purpose": name, name: kana})
    await ask("POST", "/api/v1/households/search", data=name)
    for body in (wrong, name.encode(), b"[" + name.encode()):
        _, problem = await post(town, body)
        answers.append(str(problem))
    _, problem = await post(town, name.encode(), kind="text/csv", query="?name=x.csv")
    answers.append(str(problem))
    await asyncio.sleep(0)

    told = str(log.entries)
    assert len(log.entries) > len(MONTH)
    for one in (*NAMES, name, kana, "オオイシ"):
        assert one not in told
        assert not any(one in answer for answer in answers)
    assert household not in told
    assert SP not in told
