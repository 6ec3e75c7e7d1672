"""Proofs that an entry is in a log, and that a log extends an older one (RFC 6962, 2.1.1, 2.1.2).

They are made from leaf hashes, in linear time, and checked in logarithmic time from the proof alone
(the iterative form of RFC 9162, 2.1.3.2 and 2.1.4.2). A check that fails raises, so that its
outcome cannot be overlooked.
"""

from __future__ import annotations

from collections.abc import Sequence

from visitsync.audit.tree import EMPTY_ROOT, HASH_BYTES, node_hash, root_of
from visitsync.errors import LogBroken


def inclusion_proof(hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of the leaf at `index` in the tree of all `hashes`, lowest node first."""
    if not 0 <= index < len(hashes):
        raise IndexError(index)
    path: list[bytes] = []
    while len(hashes) > 1:
        split = _split(len(hashes))
        if index < split:
            path.append(root_of(hashes[split:]))
            hashes = hashes[:split]
        else:
            path.append(root_of(hashes[:split]))
            hashes, index = hashes[split:], index - split
    return tuple(reversed(path))


def consistency_proof(hashes: Sequence[bytes], older: int) -> tuple[bytes, ...]:
    """That the tree of all `hashes` extends the one of the first `older`.

    Empty if both are the same size or the older one is empty: then there is nothing to show.
    """
    if not 0 <= older <= len(hashes):
        raise IndexError(older)
    if older in {0, len(hashes)}:
        return ()
    path: list[bytes] = []
    whole = True  # the part looked at is the older tree itself, whose root the checker knows
    while older != len(hashes):
        split = _split(len(hashes))
        if older <= split:
            path.append(root_of(hashes[split:]))
            hashes = hashes[:split]
        else:
            path.append(root_of(hashes[:split]))
            hashes, older = hashes[split:], older - split
            whole = False
    if not whole:
        path.append(root_of(hashes))
    return tuple(reversed(path))


def verify_inclusion(
    hashed: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the leaf with this hash stands at `index` in the tree of `size` and `root`.

    Raises:
        LogBroken: if the proof does not show it.
    """
    if not 0 <= index < size:
        raise LogBroken("no such place in a tree of this size", where="inclusion proof")
    _check_lengths((hashed, *proof), "inclusion proof")
    place, last, found = index, size - 1, hashed
    for sibling in proof:
        if last == 0:
            raise LogBroken("the proof is too long", where="inclusion proof")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            place, last = _up_past_left_edges(place, last)
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or found != root:
        raise LogBroken("the entry is not in the log", where="inclusion proof")


def verify_consistency(
    older_size: int, older_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `size` and `root` only adds leaves to the older one.

    A proof from size 0 shows nothing about a log that has entries and is refused: whoever starts
    from nothing must say so, not check.

    Raises:
        LogBroken: if the proof does not show it.
    """
    where = "consistency proof"
    if not 0 <= older_size <= size:
        raise LogBroken("the log is shorter than it was", where=where)
    _check_lengths(proof, where)
    if older_size == size:
        if proof or older_root != root or (size == 0 and root != EMPTY_ROOT):
            raise LogBroken("two different logs of the same size", where=where)
        return
    if older_size == 0 or not proof:
        raise LogBroken("nothing is shown", where=where)
    # The older tree's own root is left out of the proof if it is a whole subtree of the newer one.
    known = older_size & (older_size - 1) == 0
    start, *steps = (older_root, *proof) if known else proof
    place, last = _up_past_right_edges(older_size - 1, size - 1)
    older_found = newer_found = start
    for sibling in steps:
        if last == 0:
            raise LogBroken("the proof is too long", where=where)
        if place & 1 or place == last:
            older_found = node_hash(sibling, older_found)
            newer_found = node_hash(sibling, newer_found)
            place, last = _up_past_left_edges(place, last)
        else:
            newer_found = node_hash(newer_found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or older_found != older_root or newer_found != root:
        raise LogBroken("the log does not extend the older one", where=where)


def _split(size: int) -> int:
    """The largest power of two below `size`, which is the size of the left subtree."""
    return 1 << ((size - 1).bit_length() - 1)


def _up_past_left_edges(place: int, last: int) -> tuple[int, int]:
    """Climb where a node stands alone and so has no sibling in the proof."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _up_past_right_edges(place: int, last: int) -> tuple[int, int]:
    """Climb to the root of the largest whole subtree that ends at `place`."""
    while place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _check_lengths(hashes: Sequence[bytes], where: str) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise LogBroken("a hash of another length", where=where)
