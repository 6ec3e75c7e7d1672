"""The keys of the key file: master keys by epoch, the index secret, the log's signing seed.

A master key wraps data keys with the construction that also seals records, because it binds the
wrapped key to its household and commits to the master key, which AES-KWP does not. Before it stands
a short id of the master key, so that the wrong key file is told apart from an altered row.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from visitsync.envelope import construction, keyfile
from visitsync.envelope.construction import KEY_BYTES
from visitsync.envelope.index_key import DEFAULT_TOKEN_BITS, IndexKey
from visitsync.errors import KeyFileError, Tampered

_VERSION: Final = 1
_COBBLESTONE_256: Final = 1
_PREFIX: Final = bytes((_VERSION, _COBBLESTONE_256))
_ID_BYTES: Final = 8
_ID_LABEL: Final = b"visitsync/master-key-id/1"
_HEAD_LABEL: Final = b"visitsync/log-head-key/1"
_WRAP_LABEL: Final = b"visitsync/wrap/1\0"
WRAPPED_BYTES: Final = len(_PREFIX) + _ID_BYTES + construction.OVERHEAD_BYTES + KEY_BYTES


class Wrapped(msgspec.Struct, frozen=True):
    """A data key as it stands in the database; without the key file it is noise."""

    epoch: int
    """Of the master key; in a column of its own, so that old epochs can be counted and retired."""
    sealed: bytes
    """114 bytes."""

    def __repr__(self) -> str:
        return f"<Wrapped epoch {self.epoch}>"


class MasterKeys:
    """What the key file holds. The newest epoch wraps; every epoch still there unwraps."""

    __slots__ = ("_ids", "_masters", "_secrets")

    def __init__(self, contents: keyfile.Contents) -> None:
        self._secrets = contents
        self._masters: Mapping[int, bytes] = dict(contents.masters)
        self._ids = {epoch: _id_of(key) for epoch, key in self._masters.items()}

    @classmethod
    def create(cls, path: Path) -> MasterKeys:
        """Make new keys and write them to `path`, where nothing may stand yet.

        The file is readable by its owner alone and durable when this returns.

        Raises:
            KeyFileError: if something stands there or it cannot be written.
        """
        contents = keyfile.Contents(
            masters={1: secrets.token_bytes(KEY_BYTES)},
            index=secrets.token_bytes(KEY_BYTES),
            signing_seed=secrets.token_bytes(KEY_BYTES),
        )
        keyfile.write_new(path, contents)
        return cls(contents)

    @classmethod
    def load(cls, path: Path) -> MasterKeys:
        """The keys in `path`.

        Raises:
            KeyFileError: if it is missing, damaged, of an unknown version, owned by somebody else,
                or readable or writable by anybody else.
        """
        return cls(keyfile.read(path))

    @classmethod
    def rotate(cls, path: Path) -> MasterKeys:
        """Add a master key of the next epoch to `path`; the older ones stay and still unwrap.

        Raises:
            KeyFileError: as `load`, or if another rotation is under way.
        """
        with keyfile.replacement(path) as replace:
            held = keyfile.read(path)
            following = max(held.masters) + 1
            contents = keyfile.Contents(
                masters={**held.masters, following: secrets.token_bytes(KEY_BYTES)},
                index=held.index,
                signing_seed=held.signing_seed,
            )
            replace(contents)
        return cls(contents)

    @property
    def epoch(self) -> int:
        """The newest, under which `wrap` wraps."""
        return max(self._masters)

    @property
    def epochs(self) -> tuple[int, ...]:
        """All that can be unwrapped, ascending."""
        return tuple(sorted(self._masters))

    def index_key(self, *, token_bits: int = DEFAULT_TOKEN_BITS) -> IndexKey:
        """The key of the blind indexes; rotating master keys leaves it as it is."""
        return IndexKey(self._secrets.index, token_bits=token_bits)

    @property
    def head_key(self) -> bytes:
        """32 bytes with which the access log's head is sealed as it is written."""
        return HKDFExpand(SHA256(), KEY_BYTES, _HEAD_LABEL).derive(self._secrets.index)

    @property
    def signing_seed(self) -> bytes:
        """The 32-byte Ed25519 seed with which the access log's checkpoints are signed."""
        return self._secrets.signing_seed

    def key_id(self, epoch: int) -> str:
        """A short name of a master key that says nothing about it, to keep beside the database.

        Raises:
            KeyFileError: if there is no such epoch.
        """
        self._master(epoch)
        return self._ids[epoch].hex()

    def wrap(self, key: bytes, context: bytes) -> Wrapped:
        """Seal a data key under the newest master key.

        Args:
            key: 32 bytes.
            context: `KeyContext.encode()`: whose key it is.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes")
        epoch = self.epoch
        sealed = construction.encrypt(self._masters[epoch], _WRAP_LABEL + context, key)
        return Wrapped(epoch, _PREFIX + self._ids[epoch] + sealed)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The data key that was wrapped for `context`.

        Raises:
            KeyFileError: if this key file does not hold the master key that wrapped it.
            Tampered: if the wrapped key was altered or is of another context.
        """
        if len(wrapped.sealed) != WRAPPED_BYTES or wrapped.sealed[: len(_PREFIX)] != _PREFIX:
            raise Tampered("no wrapped key of a version this release knows", where="data key")
        master = self._master(wrapped.epoch)
        start = len(_PREFIX) + _ID_BYTES
        if wrapped.sealed[len(_PREFIX) : start] != self._ids[wrapped.epoch]:
            raise KeyFileError(
                f"this key file's master key of epoch {wrapped.epoch} is not the one that wrapped "
                "this data key; put the key file back that belongs to this database",
                where=f"epoch {wrapped.epoch}",
            )
        return construction.decrypt(master, _WRAP_LABEL + context, wrapped.sealed[start:])

    def _master(self, epoch: int) -> bytes:
        try:
            return self._masters[epoch]
        except KeyError:
            raise KeyFileError(
                f"the key file holds no master key of epoch {epoch}; put the key file back that "
                "belongs to this database, or its newest copy",
                where=f"epoch {epoch}",
            ) from None

    def __repr__(self) -> str:
        return f"<MasterKeys, newest epoch {self.epoch}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")


def _id_of(key: bytes) -> bytes:
    return HKDFExpand(SHA256(), _ID_BYTES, _ID_LABEL).derive(key)
