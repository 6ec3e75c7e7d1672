"""Looking back in a log finds the first entries about some households, without reading it all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import pytest
import sqlalchemy as sa

from visitsync.service.context import Context
from visitsync.store import access_log, bulk, households, looks
from visitsync.store.access_log import Row
from visitsync.store.looks import Part
from visitsync.store.tables import log_entry

YEAR: Final = "visitsync/visitsync/2019"
"""One that the log itself knows nothing of."""
ENTRIES: Final = 8_000
HOMES: Final = [f"h{number:03}" for number in range(200)]
LEAF: Final = "x" * 600
"""As long as a real one, so that reading rows costs what it costs."""
LATE: Final = HOMES[-3:]
"""Nobody looked at these before the year was over."""


@pytest.fixture
async def rows(context: Context) -> Sequence[Row]:
    """A year of entries about households, and some about none."""
    chance = random.Random(1)  # noqa: S311 -- the same year every time
    homes = [
        chance.choice(LATE) if seq >= ENTRIES - 50 else chance.choice([None, *HOMES[:-3]])
        for seq in range(ENTRIES)
    ]
    made = [Row(YEAR, seq, seq, LEAF, home, None, 1) for seq, home in enumerate(homes)]
    async with context.database.writing() as connection:
        await households.add(connection, HOMES, 0)
        await bulk.add(connection, log_entry, made)
    async with context.database.writing() as connection:
        await connection.execute(sa.text("ANALYZE"))
    return made


async def test_the_first_entries_about_any_of_some_households(
    context: Context, rows: Sequence[Row]
) -> None:
    chance = random.Random(2)  # noqa: S311
    async with context.database.reading() as connection:
        for number in range(60):
            asked = {*chance.sample(HOMES, chance.choice([0, 1, 2, 20, 200])), "h-unknown"}
            asked |= set(LATE if number % 3 else ())
            start, stop = sorted(chance.sample(range(ENTRIES + 1), 2))
            limit = chance.choice([1, 2, 7, 100, ENTRIES])
            found = await looks.about(connection, Part(YEAR, range(start, stop)), asked, limit)
            assert found == [one for one in rows[start:stop] if one.household in asked][:limit]


async def test_of_another_year_nothing_is_found(context: Context, rows: Sequence[Row]) -> None:
    assert rows
    async with context.database.reading() as connection:
        for year in ("visitsync/visitsync/2018", "visitsync/visitsync/2020"):
            part = Part(year, range(ENTRIES))
            assert await looks.about(connection, part, HOMES, 100) == []


@pytest.mark.parametrize("asked", [HOMES[:1], LATE, HOMES[::10]], ids=["one", "late", "some"])
async def test_the_index_by_household_and_place_is_used(
    context: Context, rows: Sequence[Row], asked: list[str]
) -> None:
    """Nothing goes through the whole log: neither its rows nor its primary key."""
    assert rows
    plans = await _plans(context, asked)

    assert plans
    for plan in plans:
        assert "Seq Scan on log_entry" not in plan
        assert "SCAN log_entry" not in plan
        assert "log_entry_household_place_idx" in plan


async def _plans(context: Context, asked: list[str]) -> list[str]:
    """How the database would run the statements about the whole year."""
    ran: list[tuple[str, Any]] = []
    explain = "EXPLAIN" if context.database.name == "postgresql" else "EXPLAIN QUERY PLAN"
    async with context.database.reading() as connection:
        engine = connection.sync_connection

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            ran.append((statement, parameters))

        sa.event.listen(engine, "before_cursor_execute", note)
        await looks.about(connection, Part(YEAR, range(ENTRIES)), asked, 5)
        sa.event.remove(engine, "before_cursor_execute", note)
        plans = []
        for statement, parameters in ran:
            told = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
            plans.append("\n".join(str(row[-1]) for row in told))
    return plans


async def test_a_part_of_the_real_log(context: Context) -> None:
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        assert await looks.about(connection, Part(head.shard, range(head.size)), HOMES, 9) == []
