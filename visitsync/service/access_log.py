"""The access log for those who check it: a bundle, the signed head, the public key."""

from __future__ import annotations

import datetime as dt

from visitsync.service.caller import Caller
from visitsync.service.context import Context


async def export(context: Context, caller: Caller, start: dt.date, until: dt.date) -> bytes:
    """A bundle of the entries from `start` to `until` (first day inside, last outside), JST.

    Raises:
        NotAllowed: the token is not good for auditing.
        LogBroken: the log does not extend what was signed.
    """
    raise NotImplementedError


async def checkpoint(context: Context) -> str:
    """The newest signed head, a C2SP signed note."""
    raise NotImplementedError


def public_key(context: Context) -> str:
    """The line by which checkpoints are verified; says nothing secret."""
    raise NotImplementedError
