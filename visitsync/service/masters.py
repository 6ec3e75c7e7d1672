"""Whether a key file is the one of this database as it stands now."""

from __future__ import annotations

from collections.abc import Iterable

from visitsync.envelope import MasterKeys
from visitsync.errors import KeyFileError
from visitsync.store.index_keys import Epoch
from visitsync.store.master_keys import Master


def refuse_other(master: MasterKeys, known: Iterable[Master], *, where: str) -> None:
    """Go on only with every master key under which data keys may stand.

    A key file may hold more: one whose rotation or retirement was cut short.

    Args:
        master: from the key file.
        known: the database's.
        where: the key file.

    Raises:
        KeyFileError: one is missing, or is another one.
    """
    for one in known:
        if one.epoch not in master.epochs:
            raise KeyFileError(_missing(master, one), where=where)
        if master.key_id(one.epoch) != one.key_id:
            raise KeyFileError(
                f"This key file's master key of epoch {one.epoch} is not this database's "
                f"({one.key_id}): an older copy was put back and rotated. Put the key file back "
                "that holds it, and keep this one until all can be read again",
                where=where,
            )


def refuse_other_index(master: MasterKeys, known: Iterable[Epoch], *, where: str = "") -> None:
    """The same of the keys of the blind index: with another one nobody would be found.

    Args:
        master: from the key file.
        known: the database's.
        where: the key file.

    Raises:
        KeyFileError: one is missing, or is another one.
    """
    for one in known:
        if one.epoch not in master.index_epochs:
            raise KeyFileError(
                f"This key file lacks the index key of epoch {one.epoch} ({one.key_id}), which the "
                "database uses; put the copy back that is as old as the database",
                where=where or f"index epoch {one.epoch}",
            )
        if one.key_id and master.index_id(one.epoch) != one.key_id:
            raise KeyFileError(
                f"This key file's index key of epoch {one.epoch} is not this database's "
                f"({one.key_id}): an older copy was put back and rotated. Put the key file back "
                "that holds it, and keep this one until all can be read again",
                where=where or f"index epoch {one.epoch}",
            )


def _missing(master: MasterKeys, one: Master) -> str:
    if one.epoch > master.epoch:
        return (
            f"This key file is older than the database: it lacks the master key of epoch "
            f"{one.epoch} ({one.key_id}). Put its newest copy back; do not rotate with this one"
        )
    return (
        f"This key file lacks the master key of epoch {one.epoch} ({one.key_id}), which the "
        "database still uses: an older database was put back. Put the copy of the key file back "
        "that was kept from that time"
    )
