"""What was asked for, decided and held of a household's erasure, for who may ask for one."""

from __future__ import annotations

import datetime as dt

from visitsync.schema.silent import Struct
from visitsync.service import listing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.erasures import ErasureStanding, standing_of
from visitsync.service.holds import HoldStanding
from visitsync.service.holds import standing_of as standing_of_hold
from visitsync.service.invocations import ASKERS
from visitsync.store import clock, erasures


class Erasures(Struct, frozen=True, kw_only=True):
    """All that were ever asked for, and the holds that stand; the oldest first."""

    household: str
    at: dt.datetime
    erasures: tuple[ErasureStanding, ...]
    holds: tuple[HoldStanding, ...]


async def of_household(context: Context, caller: Caller, household: str, purpose: str) -> Erasures:
    """The erasures and holds of a household; logged before it is answered.

    Raises:
        UnknownHousehold: no such household, or the caller may not know of it, or is blocked, or
            their role has not this purpose.
        BadParameter: an unknown purpose.
        NotAllowed: the caller's role does not ask for an erasure.
    """
    async with listing.listing(context, caller, household, purpose, ASKERS) as (made, _):
        rows = await erasures.of_household(made.connection, household)
        held = await erasures.standing_holds(made.connection, [household])
        ids = [one.id for one in rows]
        await listing.log(made, caller, "erasures", household, purpose, ids)
    return Erasures(
        household=household,
        at=clock.instant(made.at),
        erasures=tuple(map(standing_of, rows)),
        holds=tuple(map(standing_of_hold, held.get(household, ()))),
    )
