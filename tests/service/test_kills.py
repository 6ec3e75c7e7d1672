"""SIGKILL in the middle of a submission: after a repeat each record stands there exactly once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from build import OFFICE, applied
from conftest import verify

from visitsync.service.context import open_context
from visitsync.settings import Settings

SCRIPT = Path(__file__).with_name("submitting.py")
RECORDS = 10_000


def begin(settings: Settings, number: int, records: int) -> subprocess.Popen[str]:
    plan = {
        "data_dir": str(settings.data_dir),
        "database_url": settings.database_url,
        "first": number * records,
        "records": records,
        "key": f"submission-{number}",
    }
    tests = SCRIPT.parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    process = subprocess.Popen(
        [sys.executable, SCRIPT, json.dumps(plan)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    return process


def finish(process: subprocess.Popen[str]) -> tuple[bool, int]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    repeated, created = json.loads(out)
    return repeated, created


async def killed_while_handing_in(settings: Settings, *, kills: int, records: int) -> None:
    async with open_context(settings) as context:
        await applied(context)
    chance = random.Random(20261124)  # noqa: S311 -- any instant will do
    started = time.perf_counter()
    finish(begin(settings, 0, records))
    whole = time.perf_counter() - started
    submissions = 1
    for _ in range(kills):
        process = begin(settings, submissions, records)
        await asyncio.sleep(chance.uniform(0, whole))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if chance.random() < 0.2:
            # Every now and then the office repeats it in peace; it may have been stored already.
            repeated, created = finish(begin(settings, submissions, records))
            assert created == records
            assert isinstance(repeated, bool)
            submissions += 1
    finish(begin(settings, submissions, records))
    submissions += 1

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
async def test_twenty_five_kills_of_ten_thousand_records(settings: Settings) -> None:
    """On two databases, so fifty kills in all."""
    await killed_while_handing_in(settings, kills=25, records=RECORDS)
