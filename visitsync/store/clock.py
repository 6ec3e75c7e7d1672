"""The database's clock and the forms in which times and days are stored."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from visitsync.schema.visit import JST

UTC: Final = dt.UTC
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_FIRST_DAY: Final = dt.date(1970, 1, 1).toordinal()


class Now(GenericFunction[int]):
    """The instant at which the statement runs, in microseconds; SQLite counts milliseconds."""

    type = sa.BigInteger()
    inherit_cache = True
    name = "visitsync_now"


@compiles(Now, "postgresql")
def _on_postgresql(_: Now, __: SQLCompiler, **___: Any) -> str:  # noqa: ANN401 -- sqlalchemy's signature
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


@compiles(Now, "sqlite")
def _on_sqlite(_: Now, __: SQLCompiler, **___: Any) -> str:  # noqa: ANN401 -- sqlalchemy's signature
    # SQLite holds 'now' still within one statement, so both parts are of one instant.
    milliseconds = "CAST(round(strftime('%f', 'now') * 1000) AS INTEGER) % 1000"
    return f"(CAST(strftime('%s', 'now') AS INTEGER) * 1000 + {milliseconds}) * 1000"


async def now(connection: AsyncConnection) -> int:
    """The database's present instant."""
    return int((await connection.execute(sa.select(Now()))).scalar_one())


def instant(stored: int) -> dt.datetime:
    """A stored time as one that people and the core work with, in UTC."""
    return EPOCH + dt.timedelta(microseconds=stored)


def stored(at: dt.datetime) -> int:
    """A time as it is stored."""
    return (at - EPOCH) // _MICROSECOND


def stored_text(written_at: str) -> int:
    """A time that RFC 3339 writes, as it is stored.

    >>> stored_text("1970-01-01T09:00:00+09:00")
    0
    """
    return stored(dt.datetime.fromisoformat(written_at))


def written(at: int) -> str:
    """A stored time as RFC 3339 writes it.

    >>> written(0)
    '1970-01-01T00:00:00+00:00'
    """
    return instant(at).isoformat()


def day_in_japan(at: int) -> dt.date:
    """The day on which a stored time falls in Japan.

    >>> day_in_japan(0).isoformat(), day_in_japan(15 * 3_600_000_000).isoformat()
    ('1970-01-01', '1970-01-02')
    """
    return instant(at).astimezone(JST).date()


def day(date: dt.date) -> int:
    """A day as it is stored."""
    return date.toordinal() - _FIRST_DAY


def date(stored_day: int) -> dt.date:
    """A stored day."""
    return dt.date.fromordinal(stored_day + _FIRST_DAY)
