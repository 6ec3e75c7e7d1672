"""A path to one leaf, made while the leaf hashes pass by once: O(log n) memory for any log."""

from __future__ import annotations

from visitsync.audit.tree import Frontier
from visitsync.errors import LogBroken


class GrowingPath:
    """The audit path of the leaf at `index` in a tree of `size`; the same as `inclusion_proof`.

    Args:
        size: how many leaves will pass.
        index: whose path is wanted.

    Raises:
        IndexError: there is no such leaf.
    """

    __slots__ = ("_at", "_ends", "_own", "_parts", "_ranges", "_size")

    def __init__(self, size: int, index: int) -> None:
        if not 0 <= index < size:
            raise IndexError(index)
        # The siblings' leaves, nearest to the root first; together with the leaf itself they are
        # the whole tree, and in the order of their leaves each ends where the next begins.
        start, end = 0, size
        self._ranges: list[tuple[int, int]] = []
        while end - start > 1:
            middle = start + (1 << ((end - start - 1).bit_length() - 1))
            if index < middle:
                self._ranges.append((middle, end))
                end = middle
            else:
                self._ranges.append((start, middle))
                start = middle
        self._ends = sorted([*self._ranges, (index, index + 1)])
        self._parts: dict[int, Frontier] = {}
        self._own = index
        self._size = size
        self._at = 0

    def append(self, hashed: bytes) -> None:
        """The next leaf's hash."""
        if self._ends and self._at == self._ends[0][1]:
            self._ends.pop(0)
        if not self._ends:
            raise LogBroken("more entries than the tree has", where="path")
        start = self._ends[0][0]
        if start != self._own:
            self._parts.setdefault(start, Frontier()).append(hashed)
        self._at += 1

    def path(self) -> tuple[bytes, ...]:
        """The path, lowest node first.

        Raises:
            LogBroken: not all leaves have passed.
        """
        if self._at != self._size:
            raise LogBroken("fewer entries than the tree has", where="path")
        return tuple(self._parts[start].root() for start, _ in reversed(self._ranges))
