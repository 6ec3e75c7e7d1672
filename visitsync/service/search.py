"""Finding households by what a family says at the counter, without an index of names."""

from __future__ import annotations

from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.views import Found, Sought


async def search(context: Context, caller: Caller, purpose: str, sought: Sought) -> Found:
    """Households that fit and of which the caller may see something; logged also without result.

    Raises:
        BadParameter: nothing that can be searched for, or an unknown purpose.
        NotAllowed: the token does not read households.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    raise NotImplementedError
