"""Reading back what a family signed: logged before it is handed out, to who decides for them.

A signed form tells where the family lives. Under an address shield it goes to nobody whom the
shield does not allow, and through no client that does not heed the shield.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from visitsync.consent import guards, is_shielded, read_scenario
from visitsync.errors import BadParameter, Tampered
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.affairs.actors import Actor
from visitsync.service.affairs.looking import look
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.evidence import Evidence
from visitsync.service.gathering import Gathered, scenario
from visitsync.service.ids import as_given
from visitsync.service.keyring import EVIDENCE, held
from visitsync.store import data_keys, evidence

_NONE: Final = "unknown"
"""Instead of the household of a directive that there is not."""


class Signed(NamedTuple):
    """What a family signed."""

    evidence: Evidence
    protected: bool
    """An address shield is in force (住所の保護): whoever keeps the file must know."""


async def of_directive(
    context: Context, caller: Caller, directive: str, purpose: str, *, acknowledged: bool = False
) -> Signed:
    """The evidence of a directive; an entry in the access log says who was given it.

    Args:
        context: of the installation.
        caller: who asks.
        directive: whose evidence.
        purpose: what for.
        acknowledged: whether the client heeds the flag that a household is protected.

    Raises:
        UnknownHousehold: no such directive, none for the caller, none with evidence that can still
            be read, or one of a protected family for a client that does not heed that: one answer
            for all.
        BadParameter: an unknown purpose.
        NotAllowed: the caller may not record directives.
        Tampered: it is not what was stored.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    caller.must("record")
    if purpose not in VOCABULARY.purposes:
        raise BadParameter("is no purpose of the vocabulary", where="purpose")
    one = as_given(directive)
    stored = await _stored(context, one)
    household = _NONE if stored is None else stored.household

    async def work(gathered: Gathered, actor: Actor) -> Signed | None:
        if not any(purpose in VOCABULARY.purposes_of_role[role] for role in actor.roles):
            return None
        read = read_scenario(scenario(gathered, actor.id, purpose, household), {})
        protected = guards(read).shielded
        if stored is None or is_shielded(read) or (protected and not acknowledged):
            return None
        opened = await _opened(context, stored)
        return None if opened is None else Signed(opened, protected)

    told = {"directive": one}
    return await look(
        context, caller, household, work, kind="export", purpose=purpose, private=told
    )


async def _stored(context: Context, directive: str) -> evidence.Evidence | None:
    async with context.database.reading() as connection:
        return await evidence.of_directive(connection, directive)


async def _opened(context: Context, stored: evidence.Evidence) -> Evidence | None:
    """None where the household's key for evidence was destroyed."""
    async with context.database.reading() as connection:
        rows = await data_keys.of_households(connection, [stored.household])
    place = (stored.household, "", EVIDENCE)
    mine = [one for one in rows if (one.household, one.program, one.kind) == place]
    if any(one.state != data_keys.ACTIVE for one in mine):
        return None
    key = held(context.keyring.opened(mine), place)
    plain = context.keyring.open_evidence(
        key, stored.household, stored.directive, stored.sealed, stored.key_version
    )
    try:
        return msgspec.msgpack.decode(plain, type=Evidence)
    except msgspec.DecodeError:
        raise Tampered("Stored evidence is of no form that there is", where="evidence") from None
