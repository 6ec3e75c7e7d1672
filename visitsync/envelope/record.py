"""The record envelope: version, suite, then the construction over the padded plaintext.

Sealed, a record of up to 255 bytes takes 330 bytes, and 256 more for each further step. The length
says only how many steps a record fills.
"""

from __future__ import annotations

import secrets
from typing import Final

from visitsync.envelope import construction
from visitsync.envelope.construction import KEY_BYTES
from visitsync.envelope.context import Context
from visitsync.errors import Tampered

__all__ = ["KEY_BYTES", "new_data_key", "new_salt", "open_sealed", "seal"]

PADDING_STEP: Final = 256

_VERSION: Final = 1
_COBBLESTONE_256: Final = 1
_PREFIX: Final = bytes((_VERSION, _COBBLESTONE_256))
_PADDING: Final = b"\x80" + bytes(PADDING_STEP - 1)
_SALT_BYTES: Final = 16


def seal(key: bytes, context: Context, plaintext: bytes) -> bytes:
    """An envelope of `plaintext` that opens only with `key` and for `context`.

    Sealing the same again gives other bytes; there is no nonce to pass or to get wrong.
    """
    padded = plaintext + _PADDING[: PADDING_STEP - len(plaintext) % PADDING_STEP]
    return _PREFIX + construction.encrypt(key, context.encode(), padded)


def open_sealed(key: bytes, context: Context, sealed: bytes) -> bytes:
    """What was sealed for `context`.

    Raises:
        Tampered: if a bit differs, bytes are missing or too many, the version or suite is unknown,
            or the envelope is of another place or key.
    """
    if sealed[: len(_PREFIX)] != _PREFIX:
        raise Tampered("no envelope of a version this release knows", where=context.kind)
    padded = construction.decrypt(key, context.encode(), sealed[len(_PREFIX) :])
    # ISO/IEC 7816-4 padding: one byte 0x80, then zeros up to the step, at least one byte in all.
    plaintext = padded.rstrip(b"\0")
    added = len(padded) - len(plaintext) + 1
    if plaintext[-1:] != b"\x80" or added > PADDING_STEP or len(padded) % PADDING_STEP:
        raise Tampered("opens, but is not padded as this release pads", where=context.kind)
    return plaintext[:-1]


def new_data_key() -> bytes:
    """A key for one household and program, from the operating system's generator."""
    return secrets.token_bytes(KEY_BYTES)


def new_salt() -> bytes:
    """16 random bytes for the commitment to the private part of a log entry."""
    return secrets.token_bytes(_SALT_BYTES)
