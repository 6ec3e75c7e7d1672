"""The Merkle tree of RFC 6962, section 2.1 (the same in RFC 9162): hashes, roots and appending.

A leaf is hashed behind 0x00 and a node behind 0x01, so that neither passes for the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from visitsync.errors import LogBroken

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

_SIZE_BYTES: Final = 8


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one entry's exact bytes."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root of a tree with these leaf hashes, in one pass per level."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        # An odd last node goes up unchanged: so the left subtree is always the largest power of
        # two that leaves something to its right, as the RFC demands.
        odd = level[-1:] if len(level) % 2 else []
        level = [sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2])]  # noqa: B905 -- the odd one out is handled above
        level += odd
    return level[0]


class Frontier:
    """The right edge of a tree: all that is needed to append and to know the root.

    Holds one hash per bit that is set in the size, O(log n), the largest subtree first.
    """

    __slots__ = ("_size", "_subtrees")

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self._size = 0
        self._subtrees: list[bytes] = []
        for one in hashes:
            self.append(one)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    def append(self, hashed: bytes) -> None:
        """Add one leaf by its hash, at place `size`."""
        if len(hashed) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
        filled = self._size
        while filled & 1:
            hashed = node_hash(self._subtrees.pop(), hashed)
            filled >>= 1
        self._subtrees.append(hashed)
        self._size += 1

    def root(self) -> bytes:
        """The root of all leaves appended so far."""
        if not self._subtrees:
            return EMPTY_ROOT
        *larger, root = self._subtrees
        for subtree in reversed(larger):
            root = node_hash(subtree, root)
        return root

    def copy(self) -> Frontier:
        """One to try a batch on, so that this one stays as it is if the batch fails."""
        twin = Frontier()
        twin._size = self._size
        twin._subtrees = self._subtrees.copy()
        return twin

    def to_bytes(self) -> bytes:
        """The size in eight bytes, big-endian, then the hashes."""
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._subtrees)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """The frontier that `to_bytes` wrote.

        Raises:
            LogBroken: if the number of hashes does not belong to the size.
        """
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        hashes = data[_SIZE_BYTES:]
        if len(data) < _SIZE_BYTES or len(hashes) != HASH_BYTES * size.bit_count():
            raise LogBroken("the stored edge of the log's tree is damaged", where="frontier")
        made = cls()
        made._size = size
        made._subtrees = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
        return made

    def __repr__(self) -> str:
        return f"<Frontier of {self._size} leaves>"
