"""Proofs against published vectors, against the definitions, and against liars."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import merkle_reference as reference
from vectors import hashes, load, needs_vectors

from visitsync.audit import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from visitsync.errors import LogBroken

MOST = 40
LEAVES = [f"entry {number}".encode() for number in range(MOST)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
ROOTS = [root_of(HASHES[:size]) for size in range(MOST + 1)]


def holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except LogBroken:
        return False
    return True


@needs_vectors
def test_published_inclusion_vectors() -> None:
    cases = load("rfc6962/inclusion.json")["cases"]
    for case in cases:
        outcome = holds(
            partial(
                verify_inclusion,
                b64decode(case["leafHash"] or ""),
                case["leafIdx"],
                case["treeSize"],
                b64decode(case["root"] or ""),
                hashes(case["proof"]),
            )
        )
        assert outcome != case["wantErr"], case["file"]
    assert (len(cases), sum(case["wantErr"] for case in cases)) == (98, 92)


@needs_vectors
def test_published_consistency_vectors() -> None:
    cases = load("rfc6962/consistency.json")["cases"]
    for case in cases:
        outcome = holds(
            partial(
                verify_consistency,
                case["size1"],
                b64decode(case["root1"] or ""),
                case["size2"],
                b64decode(case["root2"] or ""),
                hashes(case["proof"]),
            )
        )
        assert outcome != case["wantErr"], case["file"]
    assert (len(cases), sum(case["wantErr"] for case in cases)) == (98, 92)


def test_every_entry_is_included() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = inclusion_proof(HASHES[:size], index)
            assert list(proof) == reference.path(index, LEAVES[:size])
            verify_inclusion(HASHES[index], index, size, ROOTS[size], proof)


def test_every_prefix_is_consistent() -> None:
    for size in range(1, MOST + 1):
        for older in range(1, size + 1):
            proof = consistency_proof(HASHES[:size], older)
            assert list(proof) == reference.proof(older, LEAVES[:size])
            verify_consistency(older, ROOTS[older], size, ROOTS[size], proof)


def lies(proof: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Proofs that differ from a good one in one place."""
    for at, node in enumerate(proof):
        for bit in (0, 7, 128, 255):
            flipped = bytearray(node)
            flipped[bit // 8] ^= 1 << bit % 8
            yield [*proof[:at], bytes(flipped), *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], node, *proof[at:]]
        yield [*proof[:at], node[:-1], *proof[at + 1 :]]
    for extra in (HASHES[0], EMPTY_ROOT):
        yield [*proof, extra]
        yield [extra, *proof]
    if len(proof) > 1 and proof[0] != proof[-1]:
        yield [*reversed(proof)]


@given(data=st.data())
def test_any_change_of_an_inclusion_proof_is_noticed(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MOST))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(HASHES[:size], index)
    for lie in lies(proof):
        with pytest.raises(LogBroken):
            verify_inclusion(HASHES[index], index, size, ROOTS[size], lie)
    other = (index + 1) % size
    if other != index:
        for hashed, place in ((HASHES[other], index), (HASHES[index], other)):
            with pytest.raises(LogBroken):
                verify_inclusion(hashed, place, size, ROOTS[size], proof)
    with pytest.raises(LogBroken):
        verify_inclusion(HASHES[index], index, size, ROOTS[size - 1], proof)


@given(data=st.data())
def test_any_change_of_a_consistency_proof_is_noticed(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MOST))
    older = data.draw(st.integers(1, size))
    proof = consistency_proof(HASHES[:size], older)
    for lie in lies(proof):
        with pytest.raises(LogBroken):
            verify_consistency(older, ROOTS[older], size, ROOTS[size], lie)
    for first, second in ((ROOTS[older - 1], ROOTS[size]), (ROOTS[older], ROOTS[size - 1])):
        with pytest.raises(LogBroken):
            verify_consistency(older, first, size, second, proof)


@given(data=st.data())
def test_a_rewritten_entry_cannot_be_proved_consistent(data: st.DataObject) -> None:
    """Even with the best proof a liar can make from the rewritten tree."""
    size = data.draw(st.integers(2, MOST))
    older = data.draw(st.integers(1, size))
    rewritten = list(HASHES[:size])
    rewritten[data.draw(st.integers(0, older - 1))] = leaf_hash(b"forged")
    with pytest.raises(LogBroken):
        verify_consistency(
            older, ROOTS[older], size, root_of(rewritten), consistency_proof(rewritten, older)
        )


@pytest.mark.parametrize(
    ("older", "older_root", "size", "root", "proof"),
    [
        (0, EMPTY_ROOT, 5, ROOTS[5], ()),
        (5, ROOTS[5], 4, ROOTS[4], ()),
        (0, ROOTS[1], 0, ROOTS[1], ()),
        (-1, EMPTY_ROOT, 0, EMPTY_ROOT, ()),
        (3, ROOTS[3], 3, ROOTS[3], (HASHES[0],)),
        (4, ROOTS[4], 4, ROOTS[5], ()),
    ],
    ids=["from nothing", "shorter", "empty with a root", "negative", "superfluous", "split view"],
)
def test_what_proves_nothing_is_refused(
    older: int, older_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    with pytest.raises(LogBroken):
        verify_consistency(older, older_root, size, root, proof)


@pytest.mark.parametrize("extra", [HASHES[1], HASHES[1][:31], HASHES[1] + b"x"])
def test_a_proof_fits_its_tree_even_if_the_root_is_made_to_fit_it(extra: bytes) -> None:
    root = node_hash(HASHES[0], extra)
    good = len(extra) == 32
    assert holds(partial(verify_inclusion, HASHES[0], 0, 2, root, [extra])) == good
    assert holds(partial(verify_consistency, 1, HASHES[0], 2, root, [extra])) == good

    longer = node_hash(extra, root)
    with pytest.raises(LogBroken):
        verify_inclusion(HASHES[0], 0, 2, longer, [extra, extra])
    with pytest.raises(LogBroken):
        verify_inclusion(HASHES[0], 0, 1, node_hash(extra, HASHES[0]), [extra])
    with pytest.raises(LogBroken):
        verify_consistency(1, node_hash(extra, HASHES[0]), 2, longer, [extra, extra])
    proof = [*consistency_proof(HASHES[:4], 3), extra]
    with pytest.raises(LogBroken):
        verify_consistency(3, node_hash(extra, ROOTS[3]), 4, node_hash(extra, ROOTS[4]), proof)


def test_the_empty_log_is_consistent_with_itself() -> None:
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, ())
    assert consistency_proof(HASHES, 0) == consistency_proof(HASHES, MOST) == ()


def test_no_proof_is_made_of_what_is_not_there() -> None:
    for index in (-1, MOST):
        with pytest.raises(IndexError):
            inclusion_proof(HASHES, index)
    for older in (-1, MOST + 1):
        with pytest.raises(IndexError):
            consistency_proof(HASHES, older)
    with pytest.raises(LogBroken):
        verify_inclusion(HASHES[0], 1, 1, HASHES[0], ())
