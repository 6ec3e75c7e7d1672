"""What an embedded installation holds after it was cut off, read without visitsync's database."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from visitsync.audit import Frontier, leaf_hash, peek_checkpoint
from visitsync.errors import SignerError
from visitsync.settings import Settings
from visitsync.signer.state import State

MEMORY: Final = "what the signer remembers is damaged"
_TOLD: Final = re.compile(rb"^visitsync/[^/\n]+/\d{4}\n(\d+)\n", re.MULTILINE)


class Left(NamedTuple):
    """What is there."""

    requests: frozenset[str]
    """Those whose entries stand in the log."""
    size: int
    """Of the log."""
    signed: int
    """How many entries the signer remembers to have signed."""


def told_size(body: bytes) -> int:
    """How many entries a head covers that was answered; 0 where this is no head."""
    found = _TOLD.search(body)
    return 0 if found is None else int(found[1])


class _Rows(NamedTuple):
    """The log as its rows are, and how much is stored."""

    size: int
    frontier: bytes
    numbers: list[int]
    leaves: list[str]
    stored: tuple[int, int]
    """Submissions and visits."""


def left_in(folder: Path, settings: Settings) -> Left | str:
    """What is left in a folder, or what does not fit together there."""
    assert settings.embedded is not None
    try:
        found = _rows(folder / settings.embedded.name)
    except sqlite3.DatabaseError as error:
        return f"the database is damaged: {getattr(error, 'sqlite_errorname', 'its own check')}"
    try:
        signed = State(folder / settings.signed_head.name).read()
    except SignerError:
        return MEMORY
    leaves: list[dict[str, Any]] = [msgspec.json.decode(one) for one in found.leaves]
    entered = [one["records"] for one in leaves if one["kind"] == "submission"]
    hashes = [leaf_hash(one.encode()) for one in found.leaves]
    memory = 0 if signed is None else signed.size
    other = (
        signed is not None
        and memory <= found.size
        and peek_checkpoint(signed.note).root != Frontier(hashes[:memory]).root()
    )
    wrong = {
        "entries are missing, or stand after the head": found.numbers != list(range(found.size)),
        "the head is not the entries'": Frontier(hashes).to_bytes() != found.frontier,
        "a submission is stored in part": (len(entered), sum(entered)) != found.stored,
        "the signer remembers nothing": signed is None,
        "the signer signed another log": other,
    }
    told = next((what for what, is_so in wrong.items() if is_so), None)
    requests = frozenset(one.get("request", "") for one in leaves)
    return told or Left(requests, found.size, memory)


def _rows(file: Path) -> _Rows:
    """Raises `sqlite3.DatabaseError` where SQLite finds the file damaged."""
    with closing(sqlite3.connect(file)) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise sqlite3.DatabaseError
        ((size, frontier),) = database.execute("SELECT size, frontier FROM log_head")
        rows = database.execute("SELECT seq, leaf FROM log_entry ORDER BY seq").fetchall()
        stored = _count(database, "submission"), _count(database, "visit")
    return _Rows(size, frontier, [seq for seq, _ in rows], [leaf for _, leaf in rows], stored)


def _count(database: sqlite3.Connection, table: str) -> int:
    ((found,),) = database.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 -- our own names
    assert isinstance(found, int)
    return found
