"""Logs as an honest service would write them, for tests to export and to spoil."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from visitsync.audit import (
    PRIVATE_LABEL,
    Checkpoint,
    LogEntry,
    NoteSigner,
    Opened,
    Section,
    commitment,
    encode_bundle,
    instant,
    key_name,
    leaf,
    leaf_hash,
    opening,
    origin,
    root_of,
    sign_checkpoint,
    stored_leaves,
)
from visitsync.audit.shards import JST

TENANT = "shiomi"
SIGNER = NoteSigner(key_name(TENANT), bytes(range(32)))
OTHER_SIGNER = NoteSigner(key_name(TENANT), bytes(32))
SALT = bytes(range(16))


def private(seq: int) -> bytes:
    return f'{{"household":"h-{seq}"}}'.encode()


def entry(seq: int, year: int, **changes: object) -> LogEntry:
    """One look at a timeline; `seq` counts the minutes since the year began."""
    began = dt.datetime(year, 4, 1, tzinfo=JST)
    made = LogEntry(
        actor=f"staff-{seq % 7}",
        basis="consent-1@2",
        decision="shown",
        epoch=seq // 3,
        kind="timeline_read",
        pc=commitment(PRIVATE_LABEL, SALT, private(seq)),
        purpose="case_work",
        records=seq % 31,
        seq=seq,
        shard=origin(TENANT, year),
        time=instant(began + dt.timedelta(minutes=seq)),
    )
    return msgspec.structs.replace(made, **changes)


def log(size: int, year: int = 2026, previous: str | None = None) -> list[bytes]:
    """The leaves of a year's log."""
    first = opening(TENANT, dt.datetime(year, 4, 1, tzinfo=JST), previous=previous)
    return [leaf(first), *(leaf(entry(seq, year)) for seq in range(1, size))][:size]


def signed(leaves: Sequence[bytes], year: int = 2026, signer: NoteSigner = SIGNER) -> str:
    """The checkpoint of these leaves."""
    root = root_of([leaf_hash(line) for line in leaves])
    return sign_checkpoint(Checkpoint(origin(TENANT, year), len(leaves), root), signer)


def section(  # noqa: PLR0913 -- a builder: good by default, spoilt by keyword
    leaves: Sequence[bytes],
    first: int = 0,
    end: int | None = None,
    *,
    year: int = 2026,
    note: str | None = None,
    disclosed: Sequence[int] = (),
) -> Section:
    """One year's part of a bundle, with the entries from `first` to before `end`."""
    hashes = [leaf_hash(line) for line in leaves]
    last = len(leaves) if end is None else end
    return Section(
        origin=origin(TENANT, year),
        before=tuple(hashes[:first]),
        leaves=stored_leaves(leaves[first:last]),
        after=tuple(hashes[last:]),
        opened=tuple(Opened(place, SALT, private(place)) for place in disclosed),
        note=signed(leaves, year) if note is None else note,
    )


def exported(leaves: Sequence[bytes], *, note: str | None = None) -> bytes:
    """A bundle of the whole of one year."""
    return encode_bundle([section(leaves, note=note)])
