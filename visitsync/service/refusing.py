"""What was refused beside a family's protection stands in the access log, whoever asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from visitsync.errors import NotNow, NotProven, UnknownHousehold
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import as_given
from visitsync.service.writing import change


@asynccontextmanager
async def refusing(context: Context, caller: Caller, asked: str, about: str) -> AsyncIterator[None]:
    """Log a refusal that comes out of the block, in a transaction of its own, and pass it on.

    The block's own transaction changed nothing by then. That the caller's role does not cover it
    is logged where the request came in (`denials`).

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
        async with change(context, caller) as made:
            await made.log(
                caller,
                "denied",
                private={"asked": asked, "about": as_given(about)},
                public={"decision": "refused", "records": 0},
            )
        raise
