"""Keys in clear in the key file, protected by the file's permissions and by being kept apart."""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from visitsync.envelope import construction, keyfile
from visitsync.envelope.construction import KEY_BYTES
from visitsync.envelope.form import Contents

_ID_BYTES: Final = 8
_ID_LABEL: Final = b"visitsync/master-key-id/1"
_WRAP_LABEL: Final = b"visitsync/wrap/1\0"
_COBBLESTONE_256: Final = 1


class SoftwareMaster:
    """A master key in this process's memory; wraps with the construction that seals records."""

    __slots__ = ("_key", "id")
    suite: Final = _COBBLESTONE_256
    size: Final = construction.OVERHEAD_BYTES + KEY_BYTES

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.id: Final = HKDFExpand(SHA256(), _ID_BYTES, _ID_LABEL).derive(key)

    def wrap(self, context: bytes, key: bytes) -> bytes:
        """Seal a data key for its place."""
        return construction.encrypt(self._key, _WRAP_LABEL + context, key)

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        """The data key.

        Raises:
            Tampered: it was altered or is of another place.
        """
        return construction.decrypt(self._key, _WRAP_LABEL + context, wrapped)

    def __repr__(self) -> str:
        return "<SoftwareMaster>"


class Plain:
    """The form of a key file whose keys stand there in clear."""

    def encode(self, contents: Contents) -> bytes:
        """The file's bytes."""
        return keyfile.encode(contents)

    def decode(self, data: bytes, *, where: str) -> Contents:
        """What `encode` made `data` of.

        Raises:
            KeyFileError: it is damaged or of another form.
        """
        return keyfile.decode(data, where=where)

    def new_master(self) -> bytes:
        """32 random bytes."""
        return secrets.token_bytes(KEY_BYTES)

    def master(self, held: bytes) -> SoftwareMaster:
        """The master key itself."""
        return SoftwareMaster(held)

    def dispose(self, held: bytes) -> None:
        """Nothing: it was in the file alone."""


PLAIN: Final = Plain()
