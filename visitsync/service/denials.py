"""What somebody known was refused: it stands in the access log beside what they were shown."""

from __future__ import annotations

from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.writing import change


async def record(context: Context, caller: Caller, asked: str, *, about: str | None = None) -> None:
    """Log that `caller` was refused, under the general key: before any household is known.

    Looks at households that end in a refusal are logged by `timelines` themselves.

    Args:
        context: the open installation.
        caller: a known one; who has no good token cannot be named.
        asked: the declared route, never the address asked for, which could hold a name.
        about: the id that was asked about, where there is one in the form of an id.

    Raises:
        NotSignedIn: the token has ended meanwhile.
        DatabaseUnavailable: it could not be logged.
    """
    async with change(context, caller) as made:
        await made.log(
            caller,
            "denied",
            private={"asked": asked, "about": about},
            public={
                "decision": "refused",
                "office": caller.id if caller.kind == "office" else None,
                "records": 0,
            },
        )
