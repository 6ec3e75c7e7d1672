"""What an envelope is bound to: it opens in its own place and nowhere else.

Both kinds encode canonically and unambiguously: a label, then each field with its length before it.
No two different contexts have the same bytes, and none of one kind equals one of the other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from visitsync.schema.silent import Struct

_RECORD: Final = b"visitsync/record/1\0"
_KEY: Final = b"visitsync/data-key/1\0"
_RECORD_VERSIONED: Final = b"visitsync/record/2\0"
_KEY_VERSIONED: Final = b"visitsync/data-key/2\0"
"""Under the first version of a data key, which was the only one once, no version is written."""
_LENGTH_BYTES: Final = 4
_REVISION_BYTES: Final = 8


class Context(Struct, frozen=True, kw_only=True):
    """The place of one sealed record: a row, a column and a version of both.

    Swapping rows, columns, revisions, households or municipalities makes every envelope fail.
    """

    tenant: str
    """The municipality."""
    program: str
    household: str
    record: str
    revision: int
    """From 0 (what has no revisions) to 2**64 - 1."""
    schema: str
    """Of the plaintext, with its version, such as ``visit/1``."""
    kind: str
    """The category class or column, such as ``visit`` or ``locator``."""
    key_version: int = 1
    """Of the data key, from 1."""

    def encode(self) -> bytes:
        """Bytes that no other context has.

        Raises:
            OverflowError: if the revision or version is negative or beyond 64 bits.
        """
        return b"".join(
            (
                *_label(_RECORD, _RECORD_VERSIONED, self.key_version),
                _framed_again(self.tenant),
                _framed_again(self.program),
                _framed_again(self.household),
                framed(self.record),
                self.revision.to_bytes(_REVISION_BYTES, "big"),
                _framed_again(self.schema),
                _framed_again(self.kind),
            )
        )


class KeyContext(Struct, frozen=True, kw_only=True):
    """Whose a data key is: a wrapped key moved to another household does not unwrap."""

    tenant: str
    household: str
    program: str
    kind: str
    """What the key is for, such as ``records``, ``locator`` or ``log``."""
    version: int = 1
    """Which of its versions, from 1."""

    def encode(self) -> bytes:
        """Bytes that no other context has."""
        return b"".join(
            (
                *_label(_KEY, _KEY_VERSIONED, self.version),
                framed(self.tenant),
                framed(self.household),
                framed(self.program),
                framed(self.kind),
            )
        )


def _label(first: bytes, later: bytes, version: int) -> tuple[bytes, ...]:
    if version == 1:
        return (first,)
    return (later, version.to_bytes(_REVISION_BYTES, "big"))


def framed(text: str) -> bytes:
    """UTF-8 with its length in four bytes before it, so that joined fields stay apart."""
    encoded = text.encode()
    return len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded


_framed_again = lru_cache(maxsize=1024)(framed)
"""`framed` for texts that stand in many contexts; none of them is personal data."""
