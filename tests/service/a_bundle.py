"""The exported log as one piece of bytes, for tests that look into it."""

from __future__ import annotations

import datetime as dt

from visitsync.service import access_log
from visitsync.service.caller import Caller
from visitsync.service.context import Context

LONG_AGO, FAR_OFF = dt.date(2020, 4, 1), dt.date(2100, 4, 1)


async def exported(
    context: Context, caller: Caller, start: dt.date = LONG_AGO, until: dt.date = FAR_OFF
) -> bytes:
    """All of a bundle."""
    pieces = await access_log.export(context, caller, start, until)
    return b"".join([piece async for piece in pieces])
