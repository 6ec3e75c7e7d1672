"""F23: every kind of key rotated under load, and killed: no read fails, searches find the same.

``F23_HOUSEHOLDS`` says of how many households, ``F23_KILLS`` how often each is killed; the nightly
form has 100,000 and 20.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from build import CARE, OPERATOR, WORKER, a_guardian, a_visit, handed_in
from conftest import verify
from service.test_rotation import a_family, rotate_and_kill, seen

from visitsync.envelope import MasterKeys
from visitsync.errors import KeysLeft
from visitsync.service import data_rotation, index_rotation, key_status, rotation
from visitsync.service.context import Context, open_context
from visitsync.service.key_status import Status
from visitsync.service.search import search
from visitsync.service.views import Sought
from visitsync.settings import Settings

HOUSEHOLDS = int(os.environ.get("F23_HOUSEHOLDS", "40"))
KILLS = int(os.environ.get("F23_KILLS", "1"))
SOMEWHERE = 700
"""A line of ours in the midst of either rotation, where it is killed only once."""
SOUGHT = (
    Sought(kana="シケン　ハナコ", birth_date="1991-09-14"),
    Sought(case_no="F-1"),
    Sought(kana="シケン　ハナコ", birth_date="1991-09-15"),
)


async def found(context: Context) -> list[list[str]]:
    return [
        [one.household for one in (await search(context, WORKER, CARE, each)).households]
        for each in SOUGHT
    ]


def a_stranger(number: int) -> Any:
    born = dt.date(1975, 1, 1) + dt.timedelta(days=number % 9_000)
    person = a_guardian(
        name=f"外　{number}",
        kana=f"ソト{'アイウエオカキクケコ'[number % 10]}　ハナ",
        birth_date=born.isoformat(),
        phone=f"000-{number // 10_000:04}-{number % 10_000:04}",
    )
    return a_visit(10_000 + number, case_no=f"G-{number}", persons=(person,))


async def a_town(context: Context) -> str:
    """A family that is looked at, and many others."""
    home = await a_family(context)
    for start in range(0, HOUSEHOLDS, 1_000):
        await handed_in(
            context, [a_stranger(one) for one in range(start, min(start + 1_000, HOUSEHOLDS))]
        )
    return home


async def all_keys(context: Context, grace: float) -> None:
    begun = await rotation.begin(context, OPERATOR)
    while True:
        assert (await rotation.wrap_anew(context)).unreadable == 0
        try:
            await rotation.retire(context, OPERATOR, begun.epoch - 1, "second")
            break
        except KeysLeft:  # a submission that had read the older epoch has just ended
            continue
    assert (await data_rotation.rotate(context, OPERATOR, grace=grace)).unreadable == 0
    assert (await index_rotation.rotate(context, OPERATOR, grace=grace)).unreadable == 0


def is_done(status: Status, settings: Settings) -> None:
    """Nothing stands under what is old, and nothing old is left, but for the log's."""
    assert status.under_way == ()
    for kind in ("records", "persons", "staff", "reports"):
        made = {one.version: one for one in status.versions if one.kind == kind}
        assert not [one for one in made.values() if one.rows == 0], kind
    assert [one.state for one in status.indexes] == ["newest"]
    assert MasterKeys.load(settings.keys).index_epochs == status.index_epochs


async def test_f23_no_read_fails_while_every_key_is_rotated(settings: Settings) -> None:
    """Two services that know of nothing read, search and take in meanwhile."""
    async with (
        open_context(settings) as context,
        open_context(settings) as one,
        open_context(settings) as other,
    ):
        home = await a_town(context)
        before = await found(context)
        assert [len(each) for each in before] == [1, 1, 0]
        done = {"looks": 0, "searches": 0, "submissions": 0}
        over = asyncio.Event()

        async def repeat(name: str, task: Callable[[], Awaitable[object]], good: object) -> None:
            while not over.is_set():
                assert await task() == good, name
                done[name] += 1
                await asyncio.sleep(0)

        number = HOUSEHOLDS

        async def arrive(service: Context) -> int:
            nonlocal number
            number += 1
            report = await handed_in(service, [a_stranger(number)])
            await asyncio.sleep(0.05)
            return report.counts.created

        async def rotate() -> None:
            try:
                await all_keys(context, grace=0.5)
            finally:
                over.set()

        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for service in (one, other):
                group.create_task(repeat("looks", partial(seen, service, home), 3))
                group.create_task(repeat("searches", partial(found, service), before))
                group.create_task(repeat("submissions", partial(arrive, service), 1))
            group.create_task(rotate())
        print(f"{HOUSEHOLDS:,} households, {time.monotonic() - began:.1f} s, 0 failed of {done}")
        assert min(done.values()) > 3
        for each in (context, one, other):
            assert await found(each) == before
            assert await seen(each, home) == 3
        status = await key_status.status(context)
        is_done(status, settings)
        await verify(context)


async def lines_of(settings: Settings, key: str, kills: int) -> list[int]:
    """Before which of our lines to kill it."""
    if kills == 1:
        return [SOMEWHERE]
    status, out = await rotate_and_kill(settings, 0, key)
    assert status == 0
    lines = int(out)
    assert lines > 2 * SOMEWHERE
    return [1 + (lines - 1) * (2 * point + 1) // (2 * kills) for point in range(kills)]


@pytest.mark.long
@pytest.mark.parametrize("key", ["data", "index"])
async def test_f23_a_rotation_killed_anywhere_is_gone_on_with(settings: Settings, key: str) -> None:
    """Each time all is read and found, and nothing is left under old keys in the end."""
    async with open_context(settings) as service:
        home = await a_family(service)
        before = await found(service)
        for line in await lines_of(settings, key, KILLS):
            status, _ = await rotate_and_kill(settings, line, key)
            assert status == -signal.SIGKILL, line
            assert await seen(service, home) == 3, line
            assert await found(service) == before, line
            async with open_context(settings) as context:
                assert await seen(context, home) == 3, line
                assert await found(context) == before, line
                if key == "data":
                    await data_rotation.rotate(context, OPERATOR, grace=0)
                else:
                    await index_rotation.rotate(context, OPERATOR, grace=0)
                is_done(await key_status.status(context), settings)
                assert await seen(context, home) == 3, line
                assert await found(context) == before, line
            assert await found(service) == before, line
        await verify(service)
