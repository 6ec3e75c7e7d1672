"""One parameter for many values, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from visitsync.service.context import Context
from visitsync.store import clock
from visitsync.store.among import among
from visitsync.store.tables import agency, visit


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], []),
        (["a"], ["a"]),
        (["a", "b", "a"], ["a", "b"]),
        (["'", '"', "\\", "髙﨑", "{a,b}"], ["'", "{a,b}", "髙﨑"]),
        ([str(number) for number in range(60_000)] + ["b"], ["b"]),
    ],
)
async def test_only_those_given_are_matched(
    context: Context, values: list[str], found: list[str]
) -> None:
    rows = [
        {"id": name, "name": "", "kind": "", "ended_at": None}
        for name in ("a", "b", "'", "髙﨑", "{a,b}")
    ]
    async with context.database.writing() as connection:
        await connection.execute(sa.insert(agency), rows)
        answer = await connection.execute(sa.select(agency.c.id).where(among(agency.c.id, values)))
        assert sorted(row.id for row in answer) == found


async def test_the_embedded_database_finds_them_by_an_index(context: Context) -> None:
    if context.database.name != "sqlite":
        pytest.skip("PostgreSQL chooses by the size of a table, and this one is empty")
    statement = sa.select(visit.c.id).where(
        among(visit.c.household, ["a"]), visit.c.elsewhere.is_(False)
    )
    compiled = statement.compile(dialect=sqlite.dialect())
    async with context.database.reading() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", ('["a"]',))
        steps = [row.detail for row in plan]
    assert any(step.startswith("SEARCH visit USING INDEX") for step in steps)
    assert not any(step.startswith("SCAN visit") for step in steps)


async def test_the_database_has_the_clock(context: Context) -> None:
    async with context.database.reading() as connection:
        first, second = await clock.now(connection), await clock.now(connection)
    assert first <= second
    assert abs(clock.instant(first).timestamp() - clock.instant(second).timestamp()) < 10


@given(at=st.integers(0, 4_000_000_000_000_000))
def test_times_come_back_as_they_were(at: int) -> None:
    assert clock.stored(clock.instant(at)) == at


@given(day=st.dates())
def test_days_come_back_as_they_were(day: object) -> None:
    assert clock.date(clock.day(day)) == day  # type: ignore[arg-type]
