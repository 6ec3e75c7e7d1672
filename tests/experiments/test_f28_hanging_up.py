"""F28: a client hangs up at whatever point of what it asked, or of what it is answered.

Of a read that sent anything the entry stands in the log already; a submission is stored whole and
logged once, or not at all, and its repeat makes it whole.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from typing import Final

import pytest
import sqlalchemy as sa
from build import OFFICE, a_visit, ndjson
from conftest import verify
from experiments.asked import Asked, asked, leaves

from visitsync.service.logbook import Logbook
from visitsync.settings import Settings

TIMES: Final = int(os.environ.get("HANG_UPS", "20"))
SEED: Final = 20261126
EACH: Final = 5
"""Records of a submission."""


async def hung_up(url: str, sent: bytes, *, most: int, seconds: float, bytes_read: int) -> bytes:
    """Send so many bytes, wait for the first that come, and be gone; what was read of them."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    got = b""
    try:
        writer.write(sent[:most])
        await writer.drain()
        try:
            async with asyncio.timeout(seconds):
                got = await reader.read(bytes_read)
        except TimeoutError:
            pass
    finally:
        writer.transport.abort()
    return got


class Points:
    """Where to hang up: a third while asking, a third while waiting, a third while answered."""

    def __init__(self, usual: float) -> None:
        self._chance = random.Random(SEED)  # noqa: S311 -- points, not secrets
        self._usual = usual
        """Seconds that it takes when nobody hangs up."""

    def one(self, sent: bytes) -> tuple[int, float, int]:
        chance = self._chance
        match chance.randrange(3):
            case 0:
                return chance.randrange(len(sent)), chance.uniform(0, self._usual), 1
            case 1:
                return len(sent), chance.uniform(0, 1.5 * self._usual), 1
            case _:
                return len(sent), 30.0, chance.randrange(1, 3_000)


def the_read(served: Asked) -> bytes:
    lines = (
        f"GET {served.reads()[0]} HTTP/1.1",
        "Host: visitsync",
        f"Authorization: Bearer {served.worker}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def number_of(got: bytes) -> str | None:
    """The number of the request that these bytes answer, if they tell it."""
    _, found, rest = got.partition(b"X-Request-Id: ")
    return rest.split(b"\r\n")[0].decode() if found and b"\r\n" in rest else None


async def reads_without_entry(served: Asked, times: int) -> tuple[int, int]:
    """How many reads sent something, and of how many the entry did not stand in the log then."""
    started = time.perf_counter()
    assert (await served.read()).status == 200
    points = Points(time.perf_counter() - started)
    sent = the_read(served)
    answered = missing = 0
    for _ in range(times):
        most, seconds, bytes_read = points.one(sent)
        got = await hung_up(
            served.url, sent, most=most, seconds=seconds, bytes_read=max(bytes_read, 2_000)
        )
        if got:
            assert got.startswith(b"HTTP/1.1 200 "), got[:40]
            answered += 1
            # Only what stands in the log at once counts, before anything else is asked.
            logged = {one.get("request") for one in await leaves(served.context)}
            missing += number_of(got) not in logged
    return answered, missing


async def test_f28_of_each_read_that_sent_anything_the_entry_stands_in_the_log(
    settings: Settings,
) -> None:
    async with asked(settings) as served:
        answered, missing = await reads_without_entry(served, TIMES)
        assert missing == 0
        assert TIMES // 5 <= answered < TIMES, "some are answered and some are not"
        assert (await served.read()).status == 200
        await verify(served.context)


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_f28_control_a_read_that_waits_for_no_entry_is_noticed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(*_: object) -> bool:
        return True

    async with asked(settings) as served:
        monkeypatch.setattr(Logbook, "look", at_once)
        answered, missing = await reads_without_entry(served, TIMES)
        assert missing == answered > 0


# ── writes ────────────────────────────────────────────────────────────────────────────────────────
def numbers_of(submission: int) -> range:
    return range(100 + submission * EACH, 100 + (submission + 1) * EACH)


def the_write(served: Asked, submission: int) -> bytes:
    body = ndjson(map(a_visit, numbers_of(submission))).content
    lines = (
        f"POST /api/v1/offices/{OFFICE}/submissions HTTP/1.1",
        "Host: visitsync",
        f"Authorization: Bearer {served.office}",
        "Content-Type: application/x-ndjson",
        f"Idempotency-Key: key-{submission}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


async def stored(served: Asked) -> tuple[list[int], int]:
    """How many records each submission stored, and how many records there are."""
    async with served.context.database.reading() as connection:
        rows = await connection.execute(
            sa.text("SELECT submission, count(*) AS many FROM visit GROUP BY submission")
        )
        counts = [row.many for row in rows]
    return sorted(counts), sum(counts)


async def test_f28_a_submission_whose_client_hung_up_is_stored_whole_or_not_at_all(
    settings: Settings,
) -> None:
    async with asked(settings) as served:
        started = time.perf_counter()
        whole = await served.hand_in(*numbers_of(0), key="key-0")
        assert whole.status == 200
        points = Points(time.perf_counter() - started)
        before, _ = await stored(served)
        for one in range(1, TIMES + 1):
            sent = the_write(served, one)
            most, seconds, bytes_read = points.one(sent)
            await hung_up(served.url, sent, most=most, seconds=seconds, bytes_read=bytes_read)
            counts, _ = await stored(served)
            assert set(counts) <= {*before, EACH}, "never a part of one"
        # One more is handed in after all that may still be under way: an office's go one by one.
        assert (await served.hand_in(*numbers_of(TIMES + 1), key="last")).status == 200
        counts, _ = await stored(served)
        entries = [one for one in await leaves(served.context) if one["kind"] == "submission"]
        assert len(entries) == len(counts)
        assert sorted(one["records"] for one in entries) == counts
        assert len(before) < len(counts) - 1 < len(before) + TIMES, "some are and some are not"

        for one in range(1, TIMES + 1):
            again = await served.hand_in(*numbers_of(one), key=f"key-{one}")
            assert again.status == 200
        counts, records = await stored(served)
        assert records == sum(before) + (TIMES + 1) * EACH
        assert counts == sorted([*before, *[EACH] * (TIMES + 1)])
        await verify(served.context)
