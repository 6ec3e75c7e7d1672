"""``visitsync serve`` as a process of its own, to be asked and to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import aiohttp

from visitsync.settings import Settings

PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Service:
    """The service of an installation that is set up already."""

    def __init__(self, settings: Settings) -> None:
        self._port = free_port()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("VISITSYNC_")}
        self._environment = {
            **clean,
            "VISITSYNC_DATA_DIR": str(settings.data_dir),
            "VISITSYNC_DATABASE_URL": settings.database_url,
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self, session: aiohttp.ClientSession) -> None:
        """Start it, and wait until it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "visitsync", "serve", "--port", str(self._port)),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                async with session.get(f"{self.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            assert time.monotonic() < end
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it by SIGKILL, as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None
