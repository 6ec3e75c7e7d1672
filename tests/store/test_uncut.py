"""What must not be left half done is done, and who was cancelled is told so afterwards."""

from __future__ import annotations

import asyncio

import pytest

from visitsync.store.uncut import uncut


async def test_a_cancellation_waits_for_the_end() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.02)
        done.append("work")

    task = asyncio.create_task(uncut(work()))
    for _ in range(3):
        await asyncio.sleep(0.001)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["work"]


async def test_what_fails_is_told_also_to_who_was_cancelled() -> None:
    async def work() -> None:
        await asyncio.sleep(0.01)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await uncut(work())
    task = asyncio.create_task(uncut(work()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, RuntimeError)
