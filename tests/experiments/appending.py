"""A process of its own that looks as fast as it can: ``appending.py DATA_DIR DATABASE_URL LOOKS``.

Prints how many entries it had written and the seconds that it took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final

from build import CARE, WORKER

from visitsync import settings
from visitsync.service import timelines
from visitsync.service.context import open_context
from visitsync.service.gathering import gather

AT_ONCE: Final = 16


async def append(data_dir: str, url: str, looks: int, household: str) -> None:
    """Have one decided look written again and again, by several at a time."""
    async with open_context(settings.load({}, data_dir=data_dir, database_url=url)) as context:
        gathered = await gather(context, WORKER, [household])
        draft = timelines.decided(context, gathered, WORKER, household, CARE).draft
        left = looks

        async def look() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                assert await context.log.look(draft, gathered.known.epochs)

        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.perf_counter()
        await asyncio.gather(*(look() for _ in range(AT_ONCE)))
        print(looks, time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    asyncio.run(append(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
