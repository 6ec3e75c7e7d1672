"""What a key file holds, and in which form: in clear, under a passphrase, or in a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from visitsync.schema.silent import Struct

_KEY_BYTES: Final = 32
_IDS_LABEL: Final = b"visitsync/index/exact/1"
_HEAD_LABEL: Final = b"visitsync/log-head-key/1"


class Contents(Struct, frozen=True, kw_only=True):
    """What the file holds; never printed."""

    masters: Mapping[int, bytes]
    """By epoch, from 1. With a token, not the keys but by what the token finds them."""
    indexes: Mapping[int, bytes]
    """Secrets of the blind indexes, by epoch, from 1."""
    ids: bytes
    """Keys the identifiers that rows stand under; as old as the rows."""
    head: bytes
    """Seals the access log's head."""
    signing_seed: bytes

    @classmethod
    def of_one_secret(
        cls, masters: Mapping[int, bytes], index: bytes, signing_seed: bytes
    ) -> Contents:
        """What a file of the first version says, in which one secret stood for three.

        What is taken over is derived, so that it does not give the secret away once that is gone.
        """
        return cls(
            masters=masters,
            indexes={1: index},
            ids=HKDFExpand(SHA256(), _KEY_BYTES, _IDS_LABEL).derive(index),
            head=HKDFExpand(SHA256(), _KEY_BYTES, _HEAD_LABEL).derive(index),
            signing_seed=signing_seed,
        )

    @property
    def one_secret(self) -> bytes | None:
        """The secret that stands for three, in what a file of the first version said."""
        index = self.indexes.get(1)
        if index is None:
            return None
        return index if self == self.of_one_secret(self.masters, index, self.signing_seed) else None


class Master(Protocol):
    """One master key, wherever it is."""

    @property
    def id(self) -> bytes:
        """A short name that says nothing about it."""

    @property
    def suite(self) -> int:
        """How it wraps; stands before what it wrapped."""

    @property
    def size(self) -> int:
        """Bytes of a wrapped data key."""

    def wrap(self, context: bytes, key: bytes) -> bytes:
        """Seal a data key for its place."""

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        """The data key.

        Raises:
            Tampered: it was altered or is of another place.
        """


class Form(Protocol):
    """In which form a key file holds its keys."""

    def encode(self, contents: Contents) -> bytes:
        """The file's bytes."""

    def decode(self, data: bytes, *, where: str) -> Contents:
        """What `encode` made `data` of.

        Raises:
            KeyFileError: it is damaged, of another form, or locked.
        """

    def new_master(self) -> bytes:
        """A new master key, as it stands in `Contents`."""

    def master(self, held: bytes) -> Master:
        """The master key that stands in `Contents` as `held`.

        Raises:
            KeyFileError: it is not there.
        """

    def dispose(self, held: bytes) -> None:
        """Destroy a master key that stands in no file any more."""
