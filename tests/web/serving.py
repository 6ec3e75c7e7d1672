"""A real server on a loopback port, and a socket to talk to it without a client's manners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from visitsync.web.limits import Limits
from visitsync.web.server import Runner


@asynccontextmanager
async def serving(app: web.Application, limits: Limits) -> AsyncIterator[str]:
    """The address of `app`, served until the block ends."""
    runner = Runner(app, limits)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        _, port = runner.addresses[0][:2]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def raw(url: str, *sent: bytes, seconds: float = 10.0) -> bytes:
    """All that the server answers to these bytes until it closes the connection."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in sent:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()
