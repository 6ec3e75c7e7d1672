"""A request that runs into its time limit while it writes does not stop the next one's writing.

What was raised is kept, as whatever reports errors may keep it: it holds what the driver had open.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
import pytest
import sqlalchemy as sa
from web.conftest import Town
from web.family import settle
from web.test_directives import DRAFT, sent

from visitsync.cli.installation import first_start
from visitsync.service.context import Context
from visitsync.web.limits import Limits
from visitsync.web.serving import served

TIMES: Final = 60
SEED: Final = 20261125


@pytest.fixture
def kept() -> Iterator[list[BaseException]]:
    """What statements raised."""
    raised: list[BaseException] = []

    def keep(failed: sa.ExceptionContext) -> None:
        raised.append(failed.original_exception)

    sa.event.listen(sa.Engine, "handle_error", keep)
    yield raised
    sa.event.remove(sa.Engine, "handle_error", keep)


async def test_the_next_write_is_done_at_once(context: Context, kept: list[BaseException]) -> None:
    file = await first_start.settle(context)
    assert file is not None
    tokens = first_start.tokens_of(file)
    moments = random.Random(SEED)  # noqa: S311 -- moments, not secrets
    async with AsyncExitStack() as stack:

        async def a_town(limits: Limits) -> Town:
            url = await stack.enter_async_context(
                served(context, "127.0.0.1", 0, time.time, limits)
            )
            session = await stack.enter_async_context(aiohttp.ClientSession(url))
            return Town(context, url, tokens, session, context.settings.data_dir)

        patient = await a_town(Limits())
        path = f"/households/{await settle(patient)}/directives"
        assert (await sent(patient, path, DRAFT))[0] == 201
        answers = []
        for _ in range(TIMES):
            hasty = await a_town(Limits(request_seconds=moments.uniform(0.001, 0.05)))
            answers.append((await sent(hasty, path, DRAFT))[0])
            async with asyncio.timeout(6):  # whoever waits for a lock waits for ten
                assert (await sent(patient, path, DRAFT))[0] == 201

    assert any(isinstance(one, asyncio.CancelledError) for one in kept)
    assert set(answers) <= {201, 503}
    assert answers.count(503) > TIMES // 10
