"""Whom a law can be invoked for and who sits in a council case: items of the directory as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.store import directory

_MOST: Final = 64


async def refuse_unknown(connection: AsyncConnection, items: Sequence[str], where: str) -> None:
    """Go on only if every item names an agency, office or role at an agency that there is.

    Raises:
        BadParameter: for any other, or none at all: a slip in a name would open the household to
            nobody, or later to whoever gets that name.
    """
    rows = await directory.read(connection)
    agencies = [f"agency:{one['id']}" for one in rows.agencies]
    known = {f"role:{role}@{agency}" for role in VOCABULARY.roles for agency in agencies}
    known |= {*agencies, *(f"office:{one['id']}" for one in rows.offices)}
    if not items or len(items) > _MOST or not known.issuperset(items):
        raise BadParameter("names nobody, or somebody who is not in the directory", where=where)


async def refuse_outsiders(connection: AsyncConnection, items: Sequence[str], where: str) -> None:
    """Go on only if every office among the items is registered as a member of the council.

    Raises:
        BadParameter: for an office that is not (児童福祉法25条の2): it would be no member.
    """
    rows = await directory.read(connection)
    outside = {f"office:{one['id']}" for one in rows.offices if not one["in_council"]}
    if not outside.isdisjoint(items):
        raise BadParameter("names an office that is no member of the council", where=where)
