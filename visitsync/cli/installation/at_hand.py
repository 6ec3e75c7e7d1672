"""Opening the installation that the settings name, as somebody at the host's shell."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from visitsync import logs, settings
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.settings import Settings


def operator() -> Caller:
    """Whoever sits at the shell; they hold the key file anyway."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "operator"  # a container's user need not stand in its list of users
    return Caller.operator(name)


@asynccontextmanager
async def opened(known: Settings | None = None) -> AsyncIterator[Context]:
    """The installation of the environment's settings, or of `known` ones."""
    logs.set_up()
    async with open_context(known or settings.load()) as context:
        yield context
