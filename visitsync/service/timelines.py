"""Seeing: one household's timeline as one viewer may see it for one purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.views import View


async def view(
    context: Context,
    caller: Caller,
    household: str,
    purpose: str,
    *,
    start: dt.date | None = None,
    until: dt.date | None = None,
    programs: Collection[str] = (),
    limit: int = 500,
    cursor: str | None = None,
) -> View:
    """What `caller` may see of `household` for `purpose`; logged before it is answered.

    Args:
        start: the first day shown.
        until: the last day shown, inclusive.
        programs: only these; empty is all.
        limit: entries on a page, 1 to 1000.
        cursor: of an earlier page.

    Raises:
        UnknownHousehold: no such household, or nothing of it is for this viewer and purpose.
        BadParameter: an unknown purpose, limit or cursor.
        NotAllowed: the token does not read households.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    raise NotImplementedError
