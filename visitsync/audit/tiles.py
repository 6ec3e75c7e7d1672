"""A log as static files that other tools read (c2sp.org/tlog-tiles), made while its entries pass.

    checkpoint                    the signed note
    tile/entries/x001/067         256 entries, each behind its length in two bytes
    tile/0/x001/067               their hashes
    tile/1/004                    256 roots of such tiles; and so on upwards
    tile/0/x001/068.p/25          the last one of a level, of 25 hashes

At most one unfinished tile of each level is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from visitsync.audit.tree import Frontier, leaf_hash, root_of
from visitsync.errors import LogBroken
from visitsync.schema.silent import silent

WIDTH: Final = 256
MAX_ENTRY_BYTES: Final = 2**16 - 1

_LENGTH_BYTES: Final = 2
_DIGITS: Final = 1000


@silent
class Tile(NamedTuple):
    """One file."""

    path: str
    data: bytes


class TileMaker:
    """Cuts a growing tree into tiles."""

    __slots__ = ("_entries", "_frontier", "_levels")

    def __init__(self) -> None:
        self._frontier = Frontier()
        self._entries: list[bytes] = []
        self._levels: list[list[bytes]] = []

    @property
    def size(self) -> int:
        """How many entries have passed."""
        return self._frontier.size

    def root(self) -> bytes:
        """The root of all entries that have passed."""
        return self._frontier.root()

    def append(self, line: bytes) -> Iterator[Tile]:
        """The tiles that are full with the next entry; go through them all.

        Raises:
            LogBroken: the entry is longer than such a file can hold.
        """
        if len(line) > MAX_ENTRY_BYTES:
            raise LogBroken("An entry is too long for tiles; export a bundle", where=str(self.size))
        hashed = leaf_hash(line)
        self._entries.append(len(line).to_bytes(_LENGTH_BYTES, "big") + line)
        self._frontier.append(hashed)
        if len(self._entries) == WIDTH:
            yield Tile(_path("entries", self.size // WIDTH - 1), b"".join(self._entries))
            self._entries.clear()
        span = 1
        for level in range(len(self._levels) + 1):
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(hashed)
            span *= WIDTH
            if len(hashes) < WIDTH:
                return
            yield Tile(_path(str(level), self.size // span - 1), b"".join(hashes))
            hashed = root_of(hashes)
            hashes.clear()

    def finish(self) -> Iterator[Tile]:
        """The tiles that stay unfinished."""
        if self._entries:
            data = b"".join(self._entries)
            yield Tile(_path("entries", self.size // WIDTH, len(self._entries)), data)
        span = 1
        for level, hashes in enumerate(self._levels):
            span *= WIDTH
            if hashes:
                yield Tile(_path(str(level), self.size // span, len(hashes)), b"".join(hashes))


def _path(level: str, number: int, width: int = WIDTH) -> str:
    """Three digits to a folder, so that none holds too many files."""
    parts = [f"{number % _DIGITS:03}"]
    while number >= _DIGITS:
        number //= _DIGITS
        parts.insert(0, f"x{number % _DIGITS:03}")
    part = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(parts)}{part}"
