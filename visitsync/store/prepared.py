"""Statements of the hot paths, compiled once and run by the driver itself.

They are written with SQLAlchemy like all others; only its machinery around each execution is left
out, which costs more than the execution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.expression import ClauseElement

from visitsync.schema.silent import silent


@silent
class _Compiled(NamedTuple):
    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    processors: Mapping[str, Any]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        given = {**self.fixed, **values}
        for name, process in self.processors.items():
            given[name] = process(given[name])
        return [given[name] for name in self.names]


class Prepared:
    """One statement; its named parameters are given with each execution.

    Results come as the driver gives them, so it is for texts, bytes and integers only.
    """

    def __init__(self, statement: ClauseElement, *, many: Iterable[str] = ()) -> None:
        self._statement = statement
        self._many = tuple(many)
        self._compiled: dict[str, _Compiled] = {}

    async def fetch(self, connection: AsyncConnection, **values: object) -> Sequence[Sequence[Any]]:
        """Run it once; all rows."""
        made = self._for(connection)
        driver = driver_of(connection)
        arguments = made.arguments(values)
        if connection.dialect.name == "postgresql":
            rows: Sequence[Sequence[Any]] = await driver.fetch(made.sql, *arguments)
        else:
            rows = await driver.execute_fetchall(made.sql, arguments)
        return rows

    async def run_many(
        self, connection: AsyncConnection, values: Iterable[Mapping[str, object]]
    ) -> None:
        """Run it for each of `values`; no rows."""
        made = self._for(connection)
        arguments = [made.arguments(one) for one in values]
        await driver_of(connection).executemany(made.sql, arguments)

    def _for(self, connection: AsyncConnection) -> _Compiled:
        dialect = connection.dialect
        made = self._compiled.get(dialect.name)
        if made is None:
            keys = list(self._many) or None
            compiled: Any = self._statement.compile(dialect=dialect, column_keys=keys)
            processors = {
                name: process
                for name, bind in compiled.binds.items()
                if isinstance(bind.type, sa.types.TypeDecorator)
                and (process := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
            }
            made = _Compiled(
                str(compiled), tuple(compiled.positiontup), dict(compiled.params), processors
            )
            self._compiled[dialect.name] = made
        return made


def driver_of(connection: AsyncConnection) -> Any:  # noqa: ANN401 -- asyncpg's or aiosqlite's
    """The driver's own connection."""
    sync = connection.sync_connection
    return None if sync is None else sync.connection.driver_connection
