"""A closed connection has let go of its file, whatever it was doing and whoever keeps a cursor."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from visitsync.store.embedded import EmbeddedConnection

ROWS = "SELECT x FROM t"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "some.db"
    with closing(sqlite3.connect(made, isolation_level=None)) as one:
        one.execute("PRAGMA journal_mode = WAL")
        one.execute("CREATE TABLE t (x)")
        one.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(1000)])
    return made


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else, who does not wait."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as one:
        yield one


def opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None, factory=EmbeddedConnection)


@pytest.mark.parametrize("statement", [ROWS, "INSERT INTO t VALUES (1), (2) RETURNING x"])
def test_a_transaction_ends_with_its_connection(
    file: Path, other: sqlite3.Connection, statement: str
) -> None:
    one = opened(file)
    one.execute("BEGIN IMMEDIATE")
    one.execute("DELETE FROM t")
    kept = one.execute(statement)
    with pytest.raises(sqlite3.OperationalError):
        other.execute("BEGIN IMMEDIATE")
    one.close()

    other.execute("BEGIN IMMEDIATE")
    assert other.execute("SELECT count(*) FROM t").fetchone() == (1000,)
    assert kept is not None


def test_a_read_ends_with_its_connection(file: Path, other: sqlite3.Connection) -> None:
    """A read that goes on unseen keeps the write-ahead log from ever being shortened."""
    one = opened(file)
    kept = one.execute(ROWS)
    other.execute("INSERT INTO t VALUES (0)")
    busy = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    assert busy
    one.close()

    busy = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    assert not busy
    assert kept is not None


def test_closing_twice_is_closing_once(file: Path) -> None:
    one = opened(file)
    one.close()
    one.close()
    with pytest.raises(sqlite3.ProgrammingError):
        one.execute(ROWS)
