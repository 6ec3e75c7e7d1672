"""Blind index terms: what is sought is looked for under every epoch, what is new under the newest.

While the index is rotated a registration stands under two epochs, so each search finds what it
found before and what it finds afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.envelope import IndexKey
from visitsync.linking import IndexTerm
from visitsync.service.keyring import Keyring
from visitsync.store import index_keys
from visitsync.store.households import Term


class Indexes(NamedTuple):
    """The index keys in use, by epoch, the oldest first."""

    keys: tuple[tuple[int, IndexKey], ...]

    def sought(self, terms: Iterable[IndexTerm]) -> frozenset[str]:
        """All tokens under which these terms may be found."""
        return frozenset(_token(epoch, key, term) for term in terms for epoch, key in self.keys)

    def stored(self, terms: Iterable[IndexTerm], registration: str) -> frozenset[Term]:
        """These terms of a registration, as they are stored from now on."""
        epoch, key = self.keys[-1]
        return frozenset(Term(_token(epoch, key, term), registration, epoch) for term in terms)


async def indexes(connection: AsyncConnection, keyring: Keyring) -> Indexes:
    """The index keys that the database names now.

    Raises:
        KeyFileError: the key file lacks one.
    """
    known = await index_keys.known(connection)
    return Indexes(tuple((one.epoch, keyring.index(one)) for one in known))


def _token(epoch: int, key: IndexKey, term: IndexTerm) -> str:
    """As it is stored: tokens of two epochs are never the same."""
    token = key.token(term.kind, term.value).hex()
    return f"{term.kind}:{token}" if epoch == 1 else f"{term.kind}:{epoch}:{token}"
