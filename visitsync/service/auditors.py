"""Who may read the access log: auditors, protection officers, and the operator at the host."""

from __future__ import annotations

from typing import Final

from visitsync.service.affairs.actors import OFFICER, beside
from visitsync.service.caller import Caller
from visitsync.service.writing import Change

_ROLES: Final = ("auditor", OFFICER)


async def must_audit(made: Change, caller: Caller) -> None:
    """Go on only for who may read the log; a token for it alone does not do.

    Whoever sits at the host's shell holds the key file, so refusing them would protect nothing;
    what they read is logged like anybody's.

    Raises:
        NotAllowed: the token is not good for auditing, or the role on file is another one.
    """
    caller.must("audit")
    if caller.kind != "operator":
        await beside(made.context, made.connection, caller, "", _ROLES)
