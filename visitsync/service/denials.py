"""What somebody known was refused: it stands in the access log beside what they were shown."""

from __future__ import annotations

from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import change


async def record(
    context: Context, caller: Caller, asked: str, *, household: str | None = None
) -> None:
    """Log that `caller` was refused before any household was looked at.

    Looks at households that end in a refusal are logged by `timelines` themselves.

    Args:
        context: the open installation.
        caller: a known one; who has no good token cannot be named.
        asked: the declared route, never the address asked for, which could hold a name.
        household: about which, where it was asked for in the form of an id.

    Raises:
        NotSignedIn: the token has ended meanwhile.
        DatabaseUnavailable: it could not be logged.
    """
    async with change(context, caller) as made:
        await made.log(
            caller,
            "denied",
            private={"asked": asked, "household": household},
            public={
                "decision": "refused",
                "office": caller.id if caller.kind == "office" else None,
                "records": 0,
            },
        )
