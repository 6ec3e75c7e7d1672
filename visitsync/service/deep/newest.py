"""The newest anchor of each row, on disk: a million of them need no memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import msgspec

from visitsync.audit.anchors import Anchor
from visitsync.service.deep.trouble import Key

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(tuple[str | int, ...])


class Newest:
    """A temporary table; its file goes with it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32768"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(
            "CREATE TABLE newest (name TEXT, key BLOB, hashed BLOB, PRIMARY KEY (name, key)) "
            "WITHOUT ROWID"
        )

    def put(self, anchors: Iterable[Anchor]) -> None:
        """Later ones than all before: of one row the newest holds."""
        self._connection.executemany(
            "INSERT INTO newest VALUES (?, ?, ?) "
            "ON CONFLICT (name, key) DO UPDATE SET hashed = excluded.hashed",
            ((one.table, _ENCODER.encode(one.key), one.hashed) for one in anchors),
        )

    def take(self, one: Anchor) -> bytes | None:
        """The hash that a row must have; None if it should not be there. Asked once for each."""
        row = self._connection.execute(
            "DELETE FROM newest WHERE name = ? AND key = ? RETURNING hashed",
            (one.table, _ENCODER.encode(one.key)),
        ).fetchone()
        return None if row is None else row[0]

    def left(self) -> Iterator[tuple[str, Key]]:
        """Rows that should be there and were not asked for."""
        for name, key in self._connection.execute(
            "SELECT name, key FROM newest WHERE hashed IS NOT NULL ORDER BY name, key"
        ):
            yield name, _DECODER.decode(key)


@contextmanager
def newest() -> Iterator[Newest]:
    """One for a check."""
    # The empty name is SQLite's for a file of its own choice that nobody else can open.
    with closing(sqlite3.connect("", isolation_level=None)) as connection:
        yield Newest(connection)
