"""What a key file holds, and in which form: in clear, under a passphrase, or in a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds; never printed."""

    masters: Mapping[int, bytes]
    """By epoch, from 1. With a token, not the keys but by what the token finds them."""
    index: bytes
    signing_seed: bytes

    def __repr__(self) -> str:
        return "<Contents of a key file>"


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
