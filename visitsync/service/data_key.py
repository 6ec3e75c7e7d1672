"""A data key as it is used: in all its versions, and whose it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeAlias

from visitsync.envelope import Wrapped
from visitsync.errors import Tampered

Place: TypeAlias = tuple[str, str, str]
"""Household, program and what the key is for; the first two may be empty."""


class DataKey:
    """One data key in all its versions; never printed.

    Args:
        version: the newest, under which it seals.
        of: the key of a version.
    """

    __slots__ = ("_of", "version")

    def __init__(self, version: int, of: Callable[[int], bytes]) -> None:
        self.version = version
        self._of = of

    @classmethod
    def first(cls, key: bytes) -> DataKey:
        """One that was just made."""
        return cls(1, {1: key}.__getitem__)

    @property
    def newest(self) -> bytes:
        """The key that seals.

        Raises:
            KeyFileError, Tampered: as by `of`.
        """
        return self.of(self.version)

    def of(self, version: int) -> bytes:
        """The key that opens what it sealed under a version.

        Raises:
            KeyFileError: the key file is not the one that wrapped it.
            Tampered: there is none, or it was altered or moved.
        """
        try:
            return self._of(version)
        except KeyError:
            raise Tampered(f"version {version} of its data key is not there") from None

    def __repr__(self) -> str:
        return f"<DataKey, newest version {self.version}>"


class DataKeys(Mapping[Place, DataKey]):
    """Data keys by their place; never printed.

    Most households that a blind token finds are not compared, so a key that stands in the database
    is unwrapped only when it is asked for.
    """

    __slots__ = ("_made", "_unwrap", "_wrapped")

    def __init__(
        self,
        wrapped: Mapping[Place, Mapping[int, Wrapped]],
        unwrap: Callable[[Place, Mapping[int, Wrapped], int], bytes],
    ) -> None:
        self._wrapped = wrapped
        self._unwrap = unwrap
        self._made: dict[Place, DataKey] = {}

    def put(self, place: Place, key: bytes) -> None:
        """Add a key that was just made."""
        self._made[place] = DataKey.first(key)

    def __getitem__(self, place: Place) -> DataKey:
        made = self._made.get(place)
        if made is None:
            versions = self._wrapped[place]
            made = DataKey(max(versions), partial(self._unwrap, place, versions))
            _ = made.newest  # what does not unwrap is told here, not where something is sealed
            self._made[place] = made
        return made

    def __iter__(self) -> Iterator[Place]:
        return iter({**self._wrapped, **self._made})

    def __len__(self) -> int:
        return len(self._wrapped.keys() | self._made.keys())

    def __repr__(self) -> str:
        return f"<DataKeys, {len(self)}>"


def held(keys: Mapping[Place, DataKey], place: Place) -> DataKey:
    """The key of a place that must have one.

    Raises:
        Tampered: there is none; it was deleted or destroyed.
    """
    try:
        return keys[place]
    except KeyError:
        raise Tampered("its data key is not there", where=place[2]) from None
