"""Seeing: one household's timeline as one viewer may see it for one purpose."""

from __future__ import annotations

from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.views import Page, View


async def view(
    context: Context,
    caller: Caller,
    household: str,
    purpose: str,
    page: Page = Page(),
) -> View:
    """What `caller` may see of `household` for `purpose`; logged before it is answered.

    Raises:
        UnknownHousehold: no such household, or nothing of it is for this viewer and purpose.
        BadParameter: an unknown purpose, limit or cursor.
        NotAllowed: the token does not read households.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    raise NotImplementedError
