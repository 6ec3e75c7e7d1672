"""Which keys there are and what stands under them; nothing of the keys themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import Struct
from visitsync.service.context import Context
from visitsync.store import data_keys, index_keys, master_keys, rotations, sealed_rows
from visitsync.store.index_keys import Epoch as Named

State: TypeAlias = Literal["newest", "in_use", "may_be_retired", "not_begun", "retired"]
"""``not_begun``: in the key file, but no data key may stand under it yet. ``retired``: no data key
may stand under it any more, but it is still in the key file."""


class Epoch(Struct, frozen=True, kw_only=True):
    """One master key."""

    epoch: int
    key_id: str
    state: State
    data_keys: int
    """How many stand under it."""


class Version(Struct, frozen=True, kw_only=True):
    """Data keys of one kind in one version."""

    kind: str
    """``records``, ``persons``, ``evidence``, ``log``, ``staff`` or ``reports``."""
    version: int
    data_keys: int
    """How many there are in this version."""
    rows: int | None
    """How many rows stand under it; not counted for ``log``, whose old versions stay."""


class Index(Struct, frozen=True, kw_only=True):
    """One key of the blind index."""

    epoch: int
    key_id: str
    state: State
    token_bits: int | None
    """How many bits of a token are kept; of one that the database does not name, nothing."""
    terms: int
    """How many stand under it."""


class Status(Struct, frozen=True, kw_only=True):
    """The key hierarchy from above."""

    provider: str
    where: str
    newest: int
    """The epoch under which new data keys are wrapped."""
    masters: tuple[Epoch, ...]
    """The oldest first."""
    versions: tuple[Version, ...]
    """Of data keys, by kind and version."""
    indexes: tuple[Index, ...]
    """The oldest first."""
    index_epochs: tuple[int, ...]
    """Under which terms may stand."""
    under_way: tuple[str, ...]
    """Rotations that are not finished: ``data``, ``index``."""


async def status(context: Context) -> Status:
    """How the keys stand now.

    Raises:
        KeyFileError: the key file cannot be read.
    """
    master = await asyncio.to_thread(context.provider.load)
    async with context.database.reading() as connection:
        known = {one.epoch: one for one in await master_keys.known(connection)}
        counted = await data_keys.counts(connection)
        named = {one.epoch: one for one in await index_keys.known(connection)}
        terms = await index_keys.counts(connection)
        versions = await _versions(connection)
        under_way = await rotations.under_way(connection)
    newest = max(known)

    def state(epoch: int) -> State:
        if epoch == newest:
            return "newest"
        if epoch not in known:
            return "not_begun" if epoch > newest else "retired"
        return "in_use" if counted.get(epoch) else "may_be_retired"

    return Status(
        provider=context.provider.name,
        where=str(context.provider.path),
        newest=newest,
        masters=tuple(
            Epoch(
                epoch=epoch,
                key_id=known[epoch].key_id if epoch in known else master.key_id(epoch),
                state=state(epoch),
                data_keys=counted.get(epoch, 0),
            )
            for epoch in sorted({*known, *master.epochs})
        ),
        versions=versions,
        indexes=tuple(
            Index(
                epoch=epoch,
                key_id=master.index_id(epoch),
                state=_index_state(epoch, named, terms),
                token_bits=named[epoch].token_bits if epoch in named else None,
                terms=terms.get(epoch, 0),
            )
            for epoch in master.index_epochs
        ),
        index_epochs=tuple(named),
        under_way=under_way,
    )


def _index_state(epoch: int, named: Mapping[int, Named], terms: Mapping[int, int]) -> State:
    if epoch == max(named):
        return "newest"
    if epoch not in named:
        return "not_begun" if epoch > max(named) else "retired"
    return "in_use" if terms.get(epoch) else "may_be_retired"


async def _versions(connection: AsyncConnection) -> tuple[Version, ...]:
    there = await data_keys.versions(connection)
    rows = {kind: await sealed_rows.counts(connection, kind) for kind in sealed_rows.KINDS}
    return tuple(
        Version(
            kind=kind,
            version=version,
            data_keys=count,
            rows=rows[kind].get(version, 0) if kind in rows else None,
        )
        for (kind, version), count in sorted(there.items())
    )
