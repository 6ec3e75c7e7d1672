"""Wrapped data keys: one that changed since it was read is not written over."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from visitsync.service.context import Context
from visitsync.store import data_keys
from visitsync.store.data_keys import ACTIVE, DESTROYED, Key

OLD = Key("h-1", "", "log", 1, ACTIVE, b"old" * 38)
ANEW = OLD._replace(wrapped=b"new" * 38)


async def stored(context: Context) -> Key:
    async with context.database.reading() as connection:
        (found,) = await data_keys.of_households(connection, ["h-1"])
    return found


@pytest.mark.parametrize(
    ("meanwhile", "values", "left"),
    [
        ("wrapped = :bytes", {"bytes": b"other"}, OLD._replace(wrapped=b"other")),
        (
            "wrapped = NULL, state = :state",
            {"state": DESTROYED},
            OLD._replace(wrapped=None, state=DESTROYED),
        ),
        ("state = :state", {"state": DESTROYED}, OLD._replace(state=DESTROYED)),
    ],
    ids=["wrapped by another", "destroyed", "only its state"],
)
async def test_a_key_that_changed_meanwhile_stays_as_it_is(
    context: Context, meanwhile: str, values: dict[str, object], left: Key
) -> None:
    async with context.database.writing() as connection:
        await data_keys.add(connection, [OLD])
        changed = sa.text(f"UPDATE data_key SET {meanwhile} WHERE household = 'h-1'")  # noqa: S608
        await connection.execute(changed, values)
    async with context.database.writing() as connection:
        await data_keys.wrap_anew(connection, [(OLD, ANEW)])
    assert await stored(context) == left


async def test_a_key_that_did_not_change_is_written(context: Context) -> None:
    async with context.database.writing() as connection:
        await data_keys.add(connection, [OLD])
        await data_keys.wrap_anew(connection, [(OLD, ANEW)])
    assert await stored(context) == ANEW


async def test_a_destroyed_key_moves_to_the_newest_epoch_and_stays_destroyed(
    context: Context,
) -> None:
    """Or it would keep its old master key from being retired."""
    gone = OLD._replace(wrapped=None, state=DESTROYED)
    async with context.database.writing() as connection:
        await connection.execute(sa.text("INSERT INTO master_key VALUES (2, 'id', 0)"))
        await data_keys.add(connection, [gone])
        await data_keys.wrap_anew(connection, [(gone, context.keyring.under(2, gone))])
    assert await stored(context) == gone._replace(epoch=2)
