"""A bundle leaves in pieces: logged before the first, bounded, and torn without the last."""

from __future__ import annotations

import gc
import os
import tracemalloc

import pytest
import sqlalchemy as sa
from build import OPERATOR, applied
from service.a_bundle import FAR_OFF, LONG_AGO, exported

from visitsync.audit import verify_bundle
from visitsync.errors import DatabaseUnavailable
from visitsync.service import access_log
from visitsync.service.context import Context
from visitsync.service.writing import About, change

FEW = 2500
"""Entries: three pieces."""
MANY = int(os.environ.get("VISITSYNC_EXPORTED_ENTRIES", "30000"))
AT_MOST = 6 * 2**20
"""Bytes that Python holds for it, whatever the size of the log."""


async def filled(context: Context, entries: int) -> None:
    await applied(context)
    for _ in range(0, entries, 500):
        async with change(context, OPERATOR) as made:
            look = About(None, {}, {"purpose": "audit"})
            await made.log_each(OPERATOR, "log_read", [look] * 500)


async def test_it_comes_in_pieces_of_which_none_grows_with_the_log(context: Context) -> None:
    await filled(context, FEW)
    pieces = [
        piece async for piece in await access_log.export(context, OPERATOR, LONG_AGO, FAR_OFF)
    ]
    counts = [piece.count(b"\nleaf ") + piece.startswith(b"leaf ") for piece in pieces]
    assert sum(counts) > FEW
    assert max(counts) <= 1000
    assert verify_bundle(b"".join(pieces), access_log.public_key(context)).entries == sum(counts)


async def test_that_it_is_taken_away_is_logged_before_a_piece_is_asked_for(
    context: Context,
) -> None:
    await applied(context)
    pieces = await access_log.export(context, OPERATOR, LONG_AGO, FAR_OFF)
    async with context.database.reading() as connection:
        told = sa.text("SELECT leaf FROM log_entry ORDER BY shard DESC, seq DESC LIMIT 1")
        assert '"kind":"log_exported"' in (await connection.execute(told)).scalar_one()
    # It stands in what then comes, under the signed head.
    bundle = b"".join([piece async for piece in pieces])
    assert bundle.count(b'"kind":"log_exported"') == 1
    assert verify_bundle(bundle, access_log.public_key(context)).exit_code == 0


async def test_where_it_cannot_be_logged_there_is_no_piece(context: Context) -> None:
    await applied(context)
    refusing = sa.text("ALTER TABLE log_entry RENAME TO gone")
    async with context.database.writing() as connection:
        await connection.execute(refusing)
    with pytest.raises(DatabaseUnavailable):
        await access_log.export(context, OPERATOR, LONG_AGO, FAR_OFF)
    async with context.database.writing() as connection:
        await connection.execute(sa.text("ALTER TABLE gone RENAME TO log_entry"))


async def test_a_tear_is_noticed_wherever_it_is(context: Context) -> None:
    """Also between two pieces, and where nothing but the last line is missing."""
    await filled(context, FEW)
    pieces = [
        piece async for piece in await access_log.export(context, OPERATOR, LONG_AGO, FAR_OFF)
    ]
    key, whole = access_log.public_key(context), b"".join(pieces)
    assert verify_bundle(whole, key).exit_code == 0
    assert pieces[-1].startswith(b"end ")
    ends = {sum(map(len, pieces[:count])) for count in range(1, len(pieces))}
    ends |= {len(whole) - 1, len(whole) - 40, len(whole) // 2, whole.index(b"\ncheckpoint ") + 1}
    for end in sorted(ends):
        assert verify_bundle(whole[:end], key).codes() == ("damaged",), end
    without = b"".join(piece for at, piece in enumerate(pieces) if at != 3)
    assert verify_bundle(without, key).exit_code == 1


async def test_a_changed_time_beside_an_entry_hides_it_from_no_period(
    context: Context, engine: str
) -> None:
    """By somebody who can change the database itself."""
    await applied(context)
    async with context.database.writing() as connection:
        off = "ALTER TABLE log_entry DISABLE TRIGGER log_entry_append_only"
        if engine == "sqlite":
            off = "DROP TRIGGER log_entry_no_update"
        await connection.execute(sa.text(off))
        await connection.execute(sa.text("UPDATE log_entry SET at = 1 WHERE seq = 1"))
    bundle = await exported(context, OPERATOR)
    verdict = verify_bundle(bundle, access_log.public_key(context))
    assert (verdict.exit_code, verdict.entries) == (0, bundle.count(b"\nleaf "))
    assert b"\nhash " not in bundle


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # pieces are the same on either
async def test_no_more_memory_is_held_for_a_longer_log(context: Context) -> None:
    await filled(context, MANY)
    size = 0
    tracemalloc.start()
    try:
        async for piece in await access_log.export(context, OPERATOR, LONG_AGO, FAR_OFF):
            size += len(piece)
            gc.collect()  # or what is held would be what nobody has cleared away yet
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < AT_MOST < size
