"""One family served by a process of its own, whose calls to the kernel are traced or made fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from experiments.asked import Answer, Asked, Family, a_family

from visitsync.service.context import Context, open_context
from visitsync.settings import Settings

PATIENCE: Final = 120.0
NO_STRACE: Final = (
    "no strace that may attach to the service and its database: install it, and run as root or "
    "with kernel.yama.ptrace_scope=0; no call to the kernel was traced or made fail"
)
_HERE: Final = Path(__file__)
_ATTACHED: Final = b" attached"
_REFUSED: Final = b"Operation not permitted"
_GONE: Final = re.compile(rb"ptrace\(PTRACE_SEIZE, (\d+)\): No such process")
"""A backend that ended after it was listed."""


@asynccontextmanager
async def traced(
    processes: Iterable[int], trace: Path, options: Sequence[str]
) -> AsyncIterator[None]:
    """Trace processes, whoever their threads and children are, until the block ends.

    The test is skipped where that cannot be done.
    """
    if shutil.which("strace") is None:
        pytest.skip(NO_STRACE)
    wanted = {str(one) for one in processes}
    attach = [word for one in sorted(wanted) for word in ("-p", one)]
    strace = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-y", "-xx", "-s", "100000", "-o", str(trace), *options, *attach),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert strace.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            while wanted:
                line = await strace.stderr.readline()
                if _REFUSED in line:
                    pytest.skip(NO_STRACE)
                if (gone := _GONE.search(line)) is not None:
                    wanted.discard(gone[1].decode())
                    continue
                assert _ATTACHED in line, line
                wanted.discard(line.split()[2].decode())
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            # Not by `send_signal`, which would take its end from who waits for it.
            os.kill(strace.pid, signal.SIGINT)
        await strace.communicate()


class Apart:
    """The process, and who asks it; its context is closed and only says who they are."""

    def __init__(self, settings: Settings, context: Context, family: Family) -> None:
        self._settings = settings
        self._context = context
        self._family = family
        self._stack = AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None
        self.asked: Asked | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return _state(self.process.pid) not in {None, "Z", "X"}

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Its files are those of one moment."""
        if not self.runs:
            yield
            return
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    async def start(self) -> None:
        """Start it, anew if it has ended, and wait until it listens."""
        if self._process is not None:
            await self.stop()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_HERE.with_name("answering.py"))),
            *(str(self._settings.data_dir), self._settings.database_url),
            env={**os.environ, "PYTHONPATH": str(_HERE.parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            url = (await self._process.stdout.readline()).decode().strip()
        assert url, "it did not start"
        session = await self._stack.enter_async_context(aiohttp.ClientSession(url))
        self.asked = Asked(self._context, url, session, *self._family)

    async def spoil(self, way: str) -> None:
        """Take away from it what a control needs gone."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{way}\n".encode())
        async with asyncio.timeout(PATIENCE):
            assert (await self.process.stdout.readline()).decode().strip() == way

    async def stop(self) -> None:
        """End it in order, or find that it has ended."""
        if self._process is not None:
            await self._process.communicate(b"")
            self._process = None
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def read(self) -> Answer:
        assert self.asked is not None
        return await self.asked.read()

    async def hand_in(self, number: int) -> Answer:
        assert self.asked is not None
        return await self.asked.hand_in(number, key=f"key-{number}")

    async def newest_head(self) -> Answer:
        """The log's newest head, which is signed first; for the office."""
        assert self.asked is not None
        headers = {"Authorization": f"Bearer {self.asked.office}"}
        path = "/api/v1/log-heads/newest"
        async with self.asked.session.get(path, headers=headers) as response:
            return Answer(response.status, dict(response.headers), await response.read())


def _state(process: int) -> str | None:
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    return told.rpartition(") ")[2][0]


@asynccontextmanager
async def apart(settings: Settings) -> AsyncIterator[Apart]:
    """The installation, served by a process of its own."""
    async with open_context(settings) as context:
        family = await a_family(context)
    made = Apart(settings, context, family)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
