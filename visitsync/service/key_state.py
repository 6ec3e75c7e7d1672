"""How the keys of one household stand: in use, destroyed, or never made."""

from __future__ import annotations

from typing import Literal, TypeAlias

from visitsync.errors import UnknownHousehold
from visitsync.schema.silent import Struct
from visitsync.service.affairs.actors import NOT_THERE
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.erasures import ErasureStanding, standing_of
from visitsync.service.ids import as_given
from visitsync.service.writing import change
from visitsync.store import data_keys, erasures, tombstones

State: TypeAlias = Literal["active", "destroyed", "never_existed"]


class KeyState(Struct, frozen=True, kw_only=True):
    """For operators alone: it tells whether there ever was such a household."""

    state: State
    log: State
    """Of what the access log says of it, which may be kept for longer."""
    erasures: tuple[ErasureStanding, ...]


async def state_of(context: Context, caller: Caller, household: str) -> KeyState:
    """How they stand; that it was asked is logged.

    Raises:
        NotAllowed: the caller is no operator.
    """
    caller.must("operate")
    one = as_given(household)
    async with change(context, caller) as made:
        gone = await tombstones.of_household(made.connection, one)
        keys = await data_keys.of_households(made.connection, [one] if one else [])
        rows = await erasures.of_household(made.connection, one)
        await made.log(
            caller,
            "list_read",
            private={"asked": "key state", "household": one},
            public={"decision": "shown", "records": len(rows)},
        )
    there: State = "active" if keys else "never_existed"
    return KeyState(
        state="destroyed" if tombstones.RECORDS in gone else there,
        log="destroyed" if tombstones.LOG in gone else there,
        erasures=tuple(map(standing_of, rows)),
    )


async def waiting_for(context: Context, caller: Caller, household: str) -> str:
    """The id of a household's erasure that has not ended.

    Raises:
        NotAllowed: the caller is no operator.
        UnknownHousehold: there is none.
    """
    found = (await state_of(context, caller, household)).erasures
    if not found or found[-1].outcome is not None:
        raise UnknownHousehold(NOT_THERE)
    return found[-1].id
