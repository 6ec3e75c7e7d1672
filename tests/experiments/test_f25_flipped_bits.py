"""F25: one bit is flipped in what is stored, wherever: `doctor --deep` finds it, nothing is opened.

``FLIPPED_BITS`` says how many; the documents give what the longer form showed.
"""

from __future__ import annotations

import os
import random
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from stored_city import a_city

from visitsync.envelope import MasterKeys
from visitsync.errors import DatabaseUnavailable, VisitsyncError
from visitsync.service import health
from visitsync.service.context import logbook_of, open_context, open_database
from visitsync.service.deep import check
from visitsync.service.deep.trouble import Told
from visitsync.settings import Settings
from visitsync.store import changes
from visitsync.store.columns import METADATA
from visitsync.store.database import Database

FLIPS = int(os.environ.get("FLIPPED_BITS", "25"))
LEFT_OUT = {"intake.version", "data_key.made_at"}
"""A lock, of which nothing is read; and when a key was made: a rotation tells by it what it has
done already, and takes one of the future for old."""


class Place(NamedTuple):
    table: sa.Table
    column: sa.Column[Any]
    key: tuple[Any, ...]


class Undone(Exception):
    """So that the flip is taken back."""


async def places(connection: AsyncConnection) -> list[Place]:
    """Every stored value that is not null."""
    found = []
    for table in METADATA.sorted_tables:
        rows = (await connection.execute(sa.select(table))).mappings().all()
        found += [
            Place(table, column, tuple(row[one.name] for one in table.primary_key))
            for row in rows
            for column in table.columns
            if f"{table.name}.{column.name}" not in LEFT_OUT and row[column.name] is not None
        ]
    return found


def flipped(value: Any, chance: random.Random) -> Any:
    """With one bit other than before; of a text, one that leaves it a text."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(15 if abs(value) < 2**15 else 40))
    if isinstance(value, bytes):
        data = bytearray(value or b"\0")
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(data)
    at = chance.randrange(len(value)) if value else 0
    while value:
        made = chr(ord(value[at]) ^ (1 << chance.randrange(5)))
        if made.isprintable():
            return value[:at] + made + value[at + 1 :]
    return "!"


async def flip(connection: AsyncConnection, place: Place, chance: random.Random) -> None:
    keys = [
        column == value for column, value in zip(place.table.primary_key, place.key, strict=True)
    ]
    value = (await connection.execute(sa.select(place.column).where(*keys))).scalar_one()
    statement = sa.update(place.table).where(*keys)
    await connection.execute(statement.values({place.column: flipped(value, chance)}))


async def unguarded(connection: AsyncConnection) -> None:
    """As a disk or somebody with the rights of the database's owner would: no trigger, no check."""
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        rows = await connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        )
        for (name,) in rows.all():
            await connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return
    await connection.exec_driver_sql("SET LOCAL session_replication_role = 'replica'")


async def troubles_after(
    settings: Settings, database: Database, place: Place, chance: random.Random
) -> set[str]:
    """What a deep check says after a flip, which is undone afterwards."""
    master = MasterKeys.load(settings.keys)
    codes: set[str] = set()
    try:
        async with database.writing() as connection:
            await unguarded(connection)
            await flip(connection, place, chance)
            try:
                told = Told()
                log = logbook_of(settings, database, master)
                await check.inspect(connection, settings, master, log, told)
                # That the triggers were taken away is found by itself, and is not what is asked.
                codes = {one.code for one in told.found} - {"structure_changed"}
            except VisitsyncError as error:
                codes = {error.code}
            raise Undone  # noqa: TRY301 -- it ends the transaction
    except Undone:
        return codes
    except DatabaseUnavailable:
        return {"refused by the database"}
    raise AssertionError


async def test_f25_every_flipped_bit_is_found(settings: Settings) -> None:
    chance = random.Random(25)  # noqa: S311 -- which bits
    async with open_context(settings) as context:
        await a_city(context)
    assert (await check.look(settings)).troubles == 0
    database = open_database(settings)
    async with database.reading() as connection:
        there = await places(connection)
    missed = []
    columns = {(one.table.name, one.column.name) for one in there}
    tried: set[tuple[str, str]] = set()
    for _ in range(FLIPS):
        # Each column as often as any other: most rows are visits.
        name = chance.choice(sorted(columns - tried or columns))
        tried.add(name)
        one = chance.choice([p for p in there if (p.table.name, p.column.name) == name])
        if not await troubles_after(settings, database, one, chance):
            missed.append((name, one.key))
    await database.close()
    assert sorted({name for name, _ in missed}) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_f25_control_without_anchors_flipped_bits_are_missed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only anchors can tell: facts in clear, epochs, links, the directory."""
    chance = random.Random(25)  # noqa: S311 -- which bits
    async with open_context(settings) as context:
        await a_city(context)
    monkeypatch.setattr(changes, "anchored", list)
    monkeypatch.setattr("visitsync.service.deep.newest.Newest.left", lambda _: iter(()))
    database = open_database(settings)
    async with database.reading() as connection:
        there = [one for one in await places(connection) if one.table.name in {"fact", "caseload"}]
    for one in chance.sample(there, 5):
        assert await troubles_after(settings, database, one, chance) == set()
    await database.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_f25_a_bit_of_the_key_file_or_of_the_signers_memory_is_found(
    settings: Settings,
) -> None:
    for file in (settings.keys, settings.signed_head):
        whole = file.read_bytes()
        for at in range(0, len(whole), 61):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at // 61 % 8]) + whole[at + 1 :])
            unfit = {one.name for one in await health.checks(settings, now=0) if not one.fit}
            assert unfit & {"keys", "installation", "log"}, (file.name, at)
        file.write_bytes(whole)
