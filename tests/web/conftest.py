"""An installation with the invented city in it, served on a loopback port."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import structlog
from structlog.testing import LogCapture

from visitsync import settings
from visitsync.cli.installation import first_start
from visitsync.cli.installation.first_start import DevTokens
from visitsync.service.context import Context, open_context
from visitsync.web.limits import Limits
from visitsync.web.serving import served

SHIOMI = Path("visitsync/shiomi")


@dataclass(frozen=True)
class Town:
    """The running service and its people."""

    context: Context
    url: str
    tokens: DevTokens
    session: aiohttp.ClientSession
    folder: Path

    def office(self, office: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.offices[office]}", "Accept-Language": "en"}

    def staff(self, staff: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.staff[staff]}", "Accept-Language": "en"}


async def _found(folder: Path) -> None:
    known = settings.load({}, data_dir=folder)
    await first_start.make(known)
    async with open_context(known) as context:
        await first_start.settle(context)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that nobody has used yet; copied, never opened."""
    folder = tmp_path_factory.mktemp("founded") / "data"
    asyncio.run(_found(folder))
    return folder


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def patience() -> float:
    """Seconds for which whoever writes waits for a database that another process holds."""
    return 10.0


@pytest.fixture
async def town(
    founded: Path, tmp_path: Path, limits: Limits, patience: float
) -> AsyncIterator[Town]:
    folder = tmp_path / "data"
    shutil.copytree(founded, folder)
    async with AsyncExitStack() as stack:
        chosen = settings.load(
            {}, data_dir=folder, log_wait_seconds=2.0, database_wait_seconds=patience
        )
        context = await stack.enter_async_context(open_context(chosen))
        url = await stack.enter_async_context(served(context, "127.0.0.1", 0, time.time, limits))
        session = await stack.enter_async_context(aiohttp.ClientSession(url))
        tokens = first_start.tokens_of(folder / first_start.TOKENS)
        yield Town(context, url, tokens, session, folder)


@pytest.fixture
def log() -> Iterator[LogCapture]:
    before = structlog.get_config()
    captured = LogCapture()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, captured],
        cache_logger_on_first_use=False,
    )
    yield captured
    structlog.configure(**before)
