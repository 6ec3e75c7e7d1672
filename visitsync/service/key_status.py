"""Which keys there are and what stands under them; nothing of the keys themselves."""

from __future__ import annotations

import asyncio
from typing import Literal, TypeAlias

import msgspec

from visitsync.service.context import Context
from visitsync.store import data_keys, master_keys

State: TypeAlias = Literal["newest", "in_use", "may_be_retired", "not_begun", "retired"]
"""``not_begun``: in the key file, but no data key may stand under it yet. ``retired``: no data key
may stand under it any more, but it is still in the key file."""


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """One master key."""

    epoch: int
    key_id: str
    state: State
    data_keys: int
    """How many stand under it."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The key hierarchy from above."""

    provider: str
    where: str
    newest: int
    """The epoch under which new data keys are wrapped."""
    masters: tuple[Epoch, ...]
    """The oldest first."""
    index_epochs: tuple[int, ...]


async def status(context: Context) -> Status:
    """How the keys stand now.

    Raises:
        KeyFileError: the key file cannot be read.
    """
    master = await asyncio.to_thread(context.provider.load)
    async with context.database.reading() as connection:
        known = {one.epoch: one for one in await master_keys.known(connection)}
        counted = await data_keys.counts(connection)
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
        index_epochs=(1,),
    )
