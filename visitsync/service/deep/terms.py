"""Blind index terms: a registration stands under those that its persons give, and no others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import IntegrityError, KeyFileError
from visitsync.service.deep.sealed import Keys
from visitsync.service.deep.trouble import Told, place
from visitsync.service.folding import fold
from visitsync.service.placed import open_profile
from visitsync.service.terms import Indexes
from visitsync.store import households
from visitsync.store.households import Registration, Term


async def check(
    connection: AsyncConnection,
    keys: Keys,
    indexes: Indexes,
    rows: Sequence[Mapping[str, Any]],
    told: Told,
) -> None:
    """Compute the terms of these registrations anew; one that does not open is told elsewhere.

    While the index is rotated, a registration stands under one epoch or under two.
    """
    there: dict[str, set[Term]] = {}
    for term in await households.terms_of(connection, [row["id"] for row in rows]):
        there.setdefault(term.registration, set()).add(term)
    for row in rows:
        one = Registration(**row)
        try:
            persons = open_profile(keys.opened, keys.keyring, one)
        except (IntegrityError, KeyFileError):
            continue
        folded = fold(one.id, one.office, one.program, persons)
        each = [Indexes((index,)).stored(folded.terms, one.id) for index in indexes.keys]
        if not _agree(there.get(one.id, set()), each):
            told.add("index_changed", place("registration", (one.id,)))


def _agree(stored: Collection[Term], each: Sequence[frozenset[Term]]) -> bool:
    standing = [wanted for wanted in each if wanted.intersection(stored)]
    if not standing:
        return not stored and not any(each)
    return frozenset(stored) == frozenset().union(*standing)
