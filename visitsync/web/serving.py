"""Listening: the application on an address, until its block ends and all is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from visitsync.errors import SettingsError
from visitsync.service.context import Context
from visitsync.web.app import make_app
from visitsync.web.limits import USUAL, Limits
from visitsync.web.server import Runner


@asynccontextmanager
async def served(
    context: Context, host: str, port: int, now: Callable[[], float], limits: Limits = USUAL
) -> AsyncIterator[str]:
    """Serve visitsync; answers the address it listens on.

    Args:
        context: the open installation.
        host: the interface to listen on.
        port: 0 for any free one.
        now: the host's clock.
        limits: of size, time and number.

    Raises:
        SettingsError: the address is taken or not this machine's.
    """
    runner = Runner(make_app(context, limits, now), limits)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            raise SettingsError(
                "Cannot listen there; choose another host or port", where=f"{host}:{port}"
            ) from None
        taken = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{taken}"
    finally:
        await runner.cleanup()
