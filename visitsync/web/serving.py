"""Listening: the application on an address, until its block ends and all is answered."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from aiohttp import web

from visitsync.errors import SettingsError
from visitsync.service.context import Context
from visitsync.web.app import make_app
from visitsync.web.limits import USUAL, Limits
from visitsync.web.server import Runner

_SELDOM: Final = (100_000, 50, 100)
"""New objects between two looks at the youngest, and how many of those to one at the older."""


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
        with _seldom_collecting():
            yield f"http://{f'[{host}]' if ':' in host else host}:{taken}"
    finally:
        await runner.cleanup()


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Look for cycles seldom: a submission makes many objects at once and hardly a cycle.

    With Python's usual thresholds a quarter of the time of handing in goes there.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
