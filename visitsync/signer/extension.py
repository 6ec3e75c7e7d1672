"""What a signer is asked, and what it remembers."""

from __future__ import annotations

from visitsync.audit import Frontier
from visitsync.schema.silent import Struct


class Signed(Struct, frozen=True, kw_only=True):
    """The last head that was signed."""

    shard: str
    frontier: bytes
    """Of the tree at that size, see `Frontier.to_bytes`."""
    note: str
    """The signed checkpoint."""

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return Frontier.from_bytes(self.frontier).size


class Extension(Struct, frozen=True, kw_only=True):
    """Entries that were committed after the last signed head, and the head they give."""

    shard: str
    start: int
    """The place of the first of `hashes`: the size that was signed last, 0 for a new year."""
    hashes: tuple[bytes, ...]
    """Leaf hashes of all entries from there."""
    root: bytes
    """Of the tree after them, as it is committed. It is not believed."""
    opening: bytes | None = None
    """The first entry of a new year, which holds the last head of the year before."""
