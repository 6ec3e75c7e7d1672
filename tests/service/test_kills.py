"""SIGKILL in the middle of a submission: after a repeat each record stands there exactly once."""

from __future__ import annotations

import asyncio
import io
import os
import random
import time
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from build import OFFICE, OPERATOR, a_visit, applied, ndjson
from conftest import verify
from service.a_service import Service

from visitsync.service import tokens
from visitsync.service.context import open_context
from visitsync.settings import Settings

RECORDS = int(os.environ.get("KILLED_RECORDS", "2000"))
"""In each submission; the nightly run takes 10,000."""
KILLS = int(os.environ.get("KILLS", "4"))
FAMILIES = 50


class Sender:
    """An office that hands in one large submission after another, each under a key of its own."""

    def __init__(
        self, service: Service, session: aiohttp.ClientSession, token: str, records: int
    ) -> None:
        self._service = service
        self._session = session
        self._token = token
        self._records = records

    async def hand_in(self, number: int) -> dict[str, Any]:
        """Hand in submission `number`; raises where the connection breaks."""
        first = number * self._records
        body = ndjson(
            a_visit(one, case_no=f"F-{one % FAMILIES}")
            for one in range(first, first + self._records)
        )
        async with self._session.post(
            f"{self._service.url}/api/v1/offices/{OFFICE}/submissions",
            data=io.BytesIO(body.content),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": f"submission-{number}",
            },
        ) as answer:
            report: dict[str, Any] = await answer.json()
            assert answer.status == 200, report
            assert report["counts"]["created"] == self._records
            return report


async def killed_while_handing_in(settings: Settings, *, kills: int, records: int) -> None:
    async with open_context(settings) as context:
        await applied(context)
        issued = await tokens.issue(context, OPERATOR, subject=f"office:{OFFICE}", days=1)
    chance = random.Random(20261124)  # noqa: S311 -- any instant will do
    service = Service(settings)
    broken = 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as session:
        office = Sender(service, session, issued.secret, records)
        try:
            await service.start(session)
            started = time.perf_counter()
            await office.hand_in(0)
            whole = time.perf_counter() - started
            number = 1
            for _ in range(kills):
                sending = asyncio.create_task(office.hand_in(number))
                await asyncio.sleep(chance.uniform(0, whole))
                await service.kill()
                try:
                    await sending
                except aiohttp.ClientError:
                    broken += 1
                await service.start(session)
                if chance.random() < 0.2:
                    # Now and then the office repeats it in peace; it may be stored already.
                    await office.hand_in(number)
                    number += 1
            await office.hand_in(number)
        finally:
            await service.kill()

    assert broken >= kills / 4
    submissions = number + 1
    async with open_context(settings) as context:
        async with context.database.reading() as connection:
            counted = sa.text(
                "SELECT count(*), count(DISTINCT id) FROM visit WHERE office = :office"
            )
            row = (await connection.execute(counted, {"office": OFFICE})).one()
            stored = sa.text("SELECT count(*) FROM submission")
            reports = (await connection.execute(stored)).scalar_one()
        assert tuple(row) == (submissions * records, submissions * records)
        assert reports == submissions
        await verify(context)


async def test_a_killed_submission_is_there_once_or_not_at_all(settings: Settings) -> None:
    await killed_while_handing_in(settings, kills=3, records=500)


@pytest.mark.long
async def test_kills_of_large_submissions(settings: Settings) -> None:
    """At night twenty-five on each of two databases, so fifty in all."""
    await killed_while_handing_in(settings, kills=KILLS, records=RECORDS)
