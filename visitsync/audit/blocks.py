"""Consistency proofs of a log that grows, without holding every hash of it.

Roots of whole blocks of 256 entries are kept, 32 bytes each. A proof needs beside them the hashes
of two blocks: the one in which the older tree ends, and the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from visitsync.audit.tree import node_hash, root_of

BLOCK: Final = 256


class Blocks:
    """The roots of the whole blocks of one log, as far as they were read."""

    __slots__ = ("_open", "_roots")

    def __init__(self) -> None:
        self._roots: list[bytes] = []
        self._open: list[bytes] = []

    @property
    def read(self) -> int:
        """How many entries were read: where `grow` goes on."""
        return len(self._roots) * BLOCK + len(self._open)

    def grow(self, hashes: Iterable[bytes]) -> None:
        """Read leaf hashes of further entries, in order."""
        for hashed in hashes:
            self._open.append(hashed)
            if len(self._open) == BLOCK:
                self._roots.append(root_of(self._open))
                self._open = []

    def proof(
        self, older: int, size: int, blocks: Mapping[int, Sequence[bytes]]
    ) -> tuple[bytes, ...]:
        """That the tree of `size` entries extends the one of the first `older`, as RFC 6962, 2.1.2.

        Args:
            older: up to `size`.
            size: up to `read`.
            blocks: the leaf hashes of the blocks in which `older` and `size` end, by number.
        """
        if older in {0, size}:
            return ()
        path: list[bytes] = []
        start, end, whole = 0, size, True
        while older != end - start:
            split = start + _split(end - start)
            if older <= split - start:
                path.append(self._root(split, end, blocks))
                end = split
            else:
                path.append(self._root(start, split, blocks))
                older -= split - start
                start, whole = split, False
        if not whole:
            path.append(self._root(start, end, blocks))
        return tuple(reversed(path))

    def _root(self, start: int, end: int, blocks: Mapping[int, Sequence[bytes]]) -> bytes:
        """Of the entries from `start` to `end`; splits as the tree does, so blocks stay whole."""
        number, at = divmod(start, BLOCK)
        if at == 0 and end - start == BLOCK:
            return self._roots[number]
        if end - start <= BLOCK:
            return root_of(blocks[number][at : at + end - start])
        split = start + _split(end - start)
        return node_hash(self._root(start, split, blocks), self._root(split, end, blocks))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
