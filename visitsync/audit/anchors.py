"""Anchors: what each row of the database was when it was written, kept beside the log's entry.

An entry of the log commits to the anchors of its transaction by its ``payload``. Of several anchors
of one row the newest holds; so whoever rewrites rows lawfully, such as a rotation that seals them
anew, says so by an entry of its own and nothing else has to be moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from visitsync.errors import LogBroken
from visitsync.schema.silent import Struct

HASH_BYTES: Final = 32
_ENCODER: Final = msgspec.msgpack.Encoder()
OWN_PAYLOAD: Final = frozenset({"directive_recorded", "notice_recorded"})
"""Kinds whose ``payload`` is the hash of what a family signed or was told; never of anchors."""


class Anchor(Struct, frozen=True, array_like=True):
    """One row as it stood when its transaction ended."""

    table: str
    key: tuple[str | int, ...]
    hashed: bytes | None
    """None: it was taken away."""


_DECODER: Final = msgspec.msgpack.Decoder(tuple[Anchor, ...])


def can_commit(fields: Mapping[str, Any]) -> bool:
    """Whether an entry's ``payload`` is, or may become, that of anchors."""
    return fields["kind"] not in OWN_PAYLOAD and fields.get("payload") is None


def hash_row(table: str, values: Sequence[Any]) -> bytes:
    """The hash of a row: its table and every column, in the table's order."""
    return sha256(_ENCODER.encode((table, values))).digest()


def encode(anchors: Iterable[Anchor]) -> bytes:
    """The anchors of one transaction, as they are stored."""
    return _ENCODER.encode(tuple(anchors))


def decode(body: bytes, *, where: str) -> tuple[Anchor, ...]:
    """What `encode` made `body` of.

    Raises:
        LogBroken: it is damaged.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        raise LogBroken("The anchors of an entry are damaged", where=where) from None


def under(places: Iterable[tuple[str, int]]) -> str:
    """Which entries stand under one key, by shard and number: their hash, in whatever order."""
    told = "".join(f"{shard} {seq}\n" for shard, seq in sorted(places))
    return sha256(told.encode()).hexdigest()


def digest(body: bytes) -> str:
    """For the ``payload`` of the entry."""
    return sha256(body).hexdigest()
