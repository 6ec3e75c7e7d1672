"""What was refused in a household's affairs stands in the access log, whoever asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from visitsync.errors import NotNow, NotProven, UnknownHousehold
from visitsync.service import denials
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given


@asynccontextmanager
async def refusing(context: Context, caller: Caller, asked: str, about: str) -> AsyncIterator[None]:
    """Log a refusal that comes out of the block, in a transaction of its own, and pass it on.

    The block's own transaction changed nothing by then. That the caller's role does not cover it
    is logged where the request came in (`denials`). Malformed input (`BadParameter`) is not: it
    speaks of what the caller wrote, is answered alike whether or not there is such a household or
    only once they were found to know of it, and so is no look.

    Args:
        context: of the installation.
        caller: who asked.
        asked: what for, as a word of ours.
        about: the id that was asked about; only the sealed part of the entry holds it.

    Raises:
        DatabaseUnavailable: it could not be logged.
    """
    try:
        yield
    except (NotNow, NotProven, UnknownHousehold):
        await denials.record(context, caller, asked, about=as_given(about))
        raise
